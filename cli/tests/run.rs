//! `run`: results, comparisons, tables, expectations, and the same bytes every time.

mod support;

use serde_json::Value;
use support::{Folder, SMALL, small_with};

fn mean(document: &Value, place: &[&str]) -> f64 {
    let run = &document["runs"][0];
    let figure = place.iter().fold(run, |value, key| &value[key]);
    figure["mean"].as_f64().unwrap_or_else(|| panic!("{place:?} is {figure}"))
}

#[test]
fn text_is_for_people_and_json_is_one_document() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let text = folder.outgrow(&["run", "small.ron"]).fine().clone();
    assert!(text.stdout.contains("small") && text.stdout.contains("web"), "{}", text.stdout);
    assert_eq!(text.stderr, "");
    let json = folder.outgrow(&["run", "small.ron", "--json"]).fine().clone();
    assert_eq!(json.stderr, "");
    let document = json.json();
    assert_eq!(document["runs"].as_array().unwrap().len(), 1);
    assert_eq!(document["comparisons"].as_array().unwrap().len(), 0);
    assert_eq!(document["runs"][0]["scenario"], "small");
    assert_eq!(document["runs"][0]["engine"]["wall_s"], Value::Null);
    // 30 requests a second of 20 ms each; the spread over 3 x 55 s is about 0.03.
    assert!((mean(&document, &["services", "web", "utilisation", "processor"]) - 0.6).abs() < 0.15);
}

#[test]
fn the_same_bytes_twice_and_on_any_number_of_threads() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let run = |more: &[&str]| {
        let arguments = [&["run", "small.ron", "--json", "--levels"], more].concat();
        folder.outgrow(&arguments).fine().stdout.clone()
    };
    let first = run(&[]);
    assert_eq!(run(&[]), first);
    assert_eq!(run(&["--jobs", "1"]), first);
    assert_eq!(run(&["--jobs", "2"]), first);
    assert_ne!(run(&["--seed", "2"]), first);
}

#[test]
fn options_override_what_the_scenario_says() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let options = ["run", "small.ron", "--json", "--seed", "7", "--replications", "2", "--until", "30s"];
    let run = &folder.outgrow(&options).fine().json()["runs"][0];
    assert_eq!((&run["seed"], &run["replications"], &run["horizon_s"]), (&7.into(), &2.into(), &30.0.into()));

    let set = ["run", "small.ron", "--json", "--set", "services.web.replicas=3", "--set", "run.horizon=20s"];
    let run = &folder.outgrow(&set).fine().json()["runs"][0];
    assert_eq!((&run["services"]["web"]["replicas_mean"]["mean"], &run["horizon_s"]), (&3.0.into(), &20.0.into()));
    assert_eq!(run["scenario"], "small with services.web.replicas=3, run.horizon=\"20s\"");

    let timed = folder.outgrow(&["run", "small.ron", "--json", "--timings"]).fine().json();
    assert!(timed["runs"][0]["engine"]["wall_s"].as_f64().unwrap() > 0.0);
    let timed = folder.outgrow(&["run", "small.ron", "--timings"]).fine().stdout.clone();
    assert!(timed.contains("million events"), "{timed}");
}

#[test]
fn curves_come_on_request() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let run = |more: &[&str]| {
        let arguments = [&["run", "small.ron", "--json", "--replications", "1"], more].concat();
        folder.outgrow(&arguments).fine().json()["runs"][0].clone()
    };
    let mut with = run(&["--series"]);
    let series = with["series"].take();
    let count = |key: &str| {
        let rates = series["metrics"][key]["mean"].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap());
        rates.sum::<f64>() * series["bin_s"].as_f64().unwrap()
    };
    // 30 a second for a minute, the warm-up included: 1800, give or take six times their root.
    assert!((count("arrivals_per_s") - 1800.0).abs() < 255.0, "{series}");
    assert!(count("goodput_per_s") <= count("arrivals_per_s"));
    // Everything else is as without, also if the page has asked for the curves and the document has not.
    for mut without in [run(&[]), run(&["--report", "page.html"])] {
        assert_eq!(without["series"].take(), Value::Null);
        assert_eq!(without, with);
    }
}

#[test]
fn options_that_make_no_sense() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let check = |options: &[&str], words: &[&str]| {
        folder.outgrow(&[&["run", "small.ron"], options].concat()).refused(words);
    };
    check(&["--jobs", "0"], &["'0'", "--jobs", "not in 1..=1024"]);
    check(&["--replications", "0"], &["'0'", "--replications", "not in 1..=100000"]);
    check(&["--replications", "-1"], &["'-1'"]);
    check(&["--seed", "x"], &["'x'", "--seed"]);
    check(&["--until", "5"], &["'5'", "--until", "no unit", "\"5s\""]);
    check(&["--until", "NaN"], &["--until", "no duration"]);
    check(&["--until", "5s"], &["ends at 5s", "warm-up of 5s"]);
    check(&["--levels"], &["--json"]);
    check(&["--series"], &["--json"]);
    check(&["--force"], &["--csv"]);
    check(&["--set", "services.web.replicas"], &["there is no `=`", "services.web.replicas=2"]);
    check(&["--set", "services.wbe.replicas=2"], &["--set services.wbe.replicas=2", "there is no"]);
    check(&["--set", "services.web.replicas=0"], &["small.ron with services.web.replicas=0:2:", "0 replicas"]);
    check(&["--set", "services.web.replica=2"], &["unknown field `replica`", "did you mean `replicas`?"]);
    check(&["--set", "services.web.replicas=(("], &["--set services.web.replicas=((", "is not a value"]);
}

#[test]
fn what_is_not_written_can_be_set_too() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    let run = |set: &str| folder.outgrow(&["run", "small.ron", "--json", "--replications", "1", "--set", set]);
    run("services.web.queue.cap=0").fine();
    let seeded = run("run.seed=7").fine().json();
    assert_eq!(seeded["runs"][0]["seed"], 7);
    let shared = run("slo.objective=0.5").fine().json();
    assert_eq!(shared["runs"][0]["slo"]["objective"], 0.5);
    // What leads nowhere names what there is.
    run("services.wbe.replicas=2")
        .refused(&["there is no `services.wbe.replicas`", "did you mean services.web.replicas?"]);
    run("services.shop.replicas=2").refused(&["`services` has web", "--set 'services.shop=( ... )'"]);
    run("web.replicas=2").refused(&["did you mean services.web.replicas?"]);
    run("services.web.endpoints.page[0].cv=2").refused(&["`services.web.endpoints.page[0]` is Work("]);
    run("services.web.queu.cap=2").refused(&["unknown field `queu`", "did you mean `queue`?"]);
    run("clients.users.retry.max=2").refused(&["missing field `backoff`", "add for example backoff: Drawn("]);
    run("run.horizon=5m").refused(&["unknown unit \"m\"", "did you mean min?"]);
    run("slo.objective=99%").refused(&["write it as a share: 0.99"]);
}

#[test]
fn two_scenarios_are_compared_on_the_same_arrivals() {
    let folder = Folder::new();
    folder.write("one.ron", SMALL);
    folder.write("two.ron", small_with("\"web\": (", "\"web\": (replicas: 2, "));
    let document = folder.outgrow(&["run", "one.ron", "two.ron", "--json"]).fine().json();
    let comparison = &document["comparisons"][0];
    assert_eq!((&comparison["a"], &comparison["b"]), (&"one".into(), &"two".into()));
    assert_eq!(comparison["same_arrivals"], true);
    let faster = comparison["differences"]["metrics.response_mean_s"]["mean"].as_f64().unwrap();
    assert!(faster < 0.0, "a second server makes responses longer, by {faster} s");
    let text = folder.outgrow(&["run", "one.ron", "two.ron"]).fine().stdout.clone();
    assert!(text.contains("two compared with one"), "{text}");

    // Scenarios that say different seeds still see the same arrivals.
    folder.write("other.ron", small_with("replications: 3", "replications: 3, seed: 9"));
    let other = folder.outgrow(&["run", "one.ron", "other.ron", "--json"]);
    other.fine().says(&["different seeds", "all are run with 1"]);
    assert_eq!(other.json()["comparisons"][0]["differences"]["metrics.availability"]["mean"], 0.0);
    assert_eq!(folder.outgrow(&["run", "one.ron", "other.ron", "--seed", "3"]).fine().stderr, "");
}

#[test]
fn an_expectation_that_fails_is_exit_code_1() {
    let folder = Folder::new();
    let expects = |least: f64| {
        let expect = format!("replications: 3),\n    expect: [(figure: \"metrics.availability\", least: {least}");
        small_with("replications: 3)", &format!("{expect}, shows: \"nobody is lost\")]"))
    };
    folder.write("good.ron", expects(0.9));
    folder.write("bad.ron", expects(1.5));
    assert_eq!(folder.outgrow(&["run", "good.ron"]).fine().stderr, "");
    for json in [&[][..], &["--json"]] {
        let ended = folder.outgrow(&[&["run", "bad.ron"], json].concat());
        assert_eq!(ended.code, Some(1));
        ended.says(&["error: bad: metrics.availability should be at least 1.5 and is 1", "nobody is lost"]);
        assert!(!ended.stdout.is_empty(), "results are printed all the same");
    }
}

#[test]
fn tables_are_tidy_and_not_written_over() {
    let folder = Folder::new();
    let windows = "clients: {";
    folder
        .write("one.ron", small_with(windows, &format!("windows: {{\"late\": (\"30s\", \"1min\")}},\n    {windows}")));
    folder.write("two.ron", small_with("\"web\": (", "\"web\": (replicas: 2, "));
    let run = folder.outgrow(&["run", "one.ron", "two.ron", "--csv", "out/tables"]);
    run.fine().says(&["wrote out/tables/metrics.csv", "windows.csv: 2 rows", "comparisons.csv"]);

    let metrics = folder.read("out/tables/metrics.csv");
    assert_eq!(metrics.lines().next(), Some("scenario,version,seed,partial,entity,metric,unit,mean,ci95,replications"));
    let of = |name: &str, row: &str| format!("\n{name},{},1,false,{row}", env!("CARGO_PKG_VERSION"));
    assert!(metrics.contains(&of("one", "all,availability,\"share, 0 to 1\",1,0,3\n")), "{metrics}");
    assert!(metrics.contains(&of("two", "services.web,utilisation.processor,")), "{metrics}");
    assert!(metrics.contains(&of("one", "services.web,pool_wait_mean_s,s,,,0\n")), "{metrics}");
    let windows = folder.read("out/tables/windows.csv");
    assert_eq!(windows.lines().next(), Some("scenario,version,seed,partial,window,metric,unit,mean,ci95,replications"));
    assert!(windows.contains(&of("one", "late,availability,")), "{windows}");
    let comparisons = folder.read("out/tables/comparisons.csv");
    assert!(comparisons.contains("\none,two,all,response_mean_s,s,"), "{comparisons}");

    folder.outgrow(&["run", "one.ron", "--csv", "out/tables"]).refused(&["metrics.csv and windows.csv", "--force"]);
    assert_eq!(folder.read("out/tables/metrics.csv"), metrics);
    folder.outgrow(&["run", "two.ron", "--csv", "out/tables", "--force"]).fine();
    assert!(!folder.read("out/tables/metrics.csv").contains("\none,"));
    assert!(!folder.path().join("out/tables/windows.csv").exists(), "a table of an earlier run stays");

    folder.outgrow(&["run", "one.ron", "--csv", "one.ron"]).refused(&["cannot make the folder `one.ron`"]);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    for arguments in [&["run", "small.ron", "--json", "--levels"][..], &["list", "steps"], &["completions", "bash"]] {
        let mut child = folder.command(arguments);
        let mut child =
            child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
    }
}

#[test]
fn every_template_runs() {
    for template in ["one-server", "three-tiers", "cluster", "services"] {
        let folder = Folder::new();
        folder.outgrow(&["new", "shop", "--template", template]).fine();
        let document = folder.outgrow(&["run", "shop.ron", "--json"]).fine().json();
        let availability = mean(&document, &["metrics", "availability"]);
        // The cluster does not come back from its rush; the others serve all but a few.
        assert_eq!(availability < 0.8, template == "cluster", "{template}: {availability}");
    }
}

#[test]
fn recorded_arrivals_are_replayed() {
    let folder = Folder::new();
    let trace = "Trace(file: \"monday.csv\")";
    let replay = small_with("Poisson(Constant(30))", trace).replace("\"5s\"", "\"0s\"").replace("\"1min\"", "\"10s\"");
    folder.write("replay.ron", replay);
    let missing = folder.outgrow(&["run", "replay.ron"]);
    missing.refused(&["there is no trace file `monday.csv`", "replay.ron:3:", "--trace FILE"]);

    folder.write("monday.csv", "second,requests\n0,3\n1,4\n2,0\n3,5\n");
    folder.write("tuesday.csv", "second,requests\n0,10\n1,10\n");
    let arrivals =
        |arguments: &[&str]| mean(&folder.outgrow(arguments).fine().json(), &["metrics", "arrivals_per_s"]) * 10.0;
    assert_eq!(arrivals(&["run", "replay.ron", "--json"]), 12.0);
    // Another trace is played to its own end: 20 requests in 2 s.
    assert_eq!(arrivals(&["run", "replay.ron", "--json", "--trace", "tuesday.csv"]), 100.0);

    folder.write("gap.csv", "second,requests\n0,10\n1,10\n7,10\n");
    folder.outgrow(&["run", "replay.ron", "--trace", "gap.csv"]).refused(&["gap.csv", "line 4"]);
    folder.write("text.csv", "second,requests\n0,10\n1,ten\n");
    folder.outgrow(&["run", "replay.ron", "--trace", "text.csv"]).refused(&["text.csv", "line 3", "`ten`"]);
}

#[test]
fn scenarios_of_the_library_run_by_name() {
    let folder = Folder::new();
    let by_name = folder.outgrow(&["run", "one-server", "--json", "--until", "5min"]);
    assert_eq!(by_name.json()["runs"][0]["scenario"], "one-server");
    assert!(by_name.stderr.is_empty() || by_name.code == Some(1), "{by_name:#?}");
    // A file goes first.
    folder.write("one-server", SMALL);
    assert_eq!(folder.outgrow(&["run", "one-server", "--json"]).fine().json()["runs"][0]["horizon_s"], 60.0);
    folder.outgrow(&["run", "retry-strom"]).refused(&["`retry-strom`", "did you mean `retry-storm`?", "outgrow new"]);
    folder.outgrow(&["run", "nothing-like-it"]).refused(&["outgrow list library"]);
    // The library's own trace is found, and can be replaced.
    folder.outgrow(&["check", "launch-day"]).fine();
    folder.write("own.csv", "second,requests\n0,3\n1,4\n");
    folder.outgrow(&["check", "launch-day", "--trace", "own.csv"]).fine();
}

#[test]
fn figures_that_no_run_has_cannot_be_expected() {
    let folder = Folder::new();
    let expect = "replications: 3),\n    expect: [(figure: \"metrics.availabilty\", least: 0.5)]";
    folder.write("small.ron", small_with("replications: 3)", expect));
    let words = ["small.ron:5:", "no figure \"metrics.availabilty\"", "did you mean metrics.availability?"];
    folder.outgrow(&["run", "small.ron"]).refused(&words);
    folder.outgrow(&["check", "small.ron"]).refused(&words);
}
