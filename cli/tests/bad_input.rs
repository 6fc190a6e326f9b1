//! Whatever is wrong with what the program is given: the place, the name, the remedy, exit code 2.

mod support;

use std::fs::File;
use std::time::{Duration, Instant};
use support::{Folder, SMALL, small_with};

/// A scenario with one mistake in it is refused with these words, by `check` and by `run`.
fn check(part: &str, instead: &str, words: &[&str]) {
    let folder = Folder::new();
    folder.write("small.ron", small_with(part, instead));
    for command in ["check", "run"] {
        folder.outgrow(&[command, "small.ron"]).refused(words);
    }
}

#[test]
fn numbers_that_make_no_sense() {
    check("Constant(30)", "Constant(NaN)", &["small.ron:3:", "found `NaN`", "1 problem"]);
    check("Constant(30)", "Constant(inf)", &["small.ron:3:", "found `inf`"]);
    check("Constant(30)", "Constant(-30)", &["small.ron:3:", "not negative", "found `-30`"]);
    check("\"web\": (", "\"web\": (replicas: 0, ", &["small.ron:2:", "there are 0 replicas", "write 1 or more"]);
    check("\"web\": (", "\"web\": (replicas: -2, ", &["small.ron:2:", "found `-2`"]);
    check("replications: 3", "replications: 0", &["small.ron:4:", "0 replications"]);
    check("\"20ms\"", "\"-20ms\"", &["small.ron:2:", "no duration"]);
}

#[test]
fn durations_without_a_unit() {
    check("\"20ms\"", "\"20\"", &["small.ron:2:", "no unit", "\"20ms\""]);
    check("\"20ms\"", "20", &["small.ron:2:", "a duration in quotes with its unit"]);
    check("\"20ms\"", "20ms", &["small.ron:2:"]);
    check("\"1min\"", "\"1 fortnight\"", &["small.ron:4:", "unknown unit \"fortnight\"", "use y, d, h, min"]);
}

#[test]
fn names_that_are_misspelt() {
    check("\"web.page\": 1", "\"wbe.page\": 1", &["small.ron:3:", "\"wbe.page\"", "did you mean \"web.page\"?"]);
    check("arrivals:", "arivals:", &["small.ron:3:", "unknown field `arivals`", "did you mean `arrivals`?"]);
    check("Poisson", "Poison", &["small.ron:3:", "`Poison`", "did you mean `Poisson`?"]);
    check("[Work(", "[Call(\"db.query\"), Work(", &["small.ron:2:", "no service provides the endpoint \"db.query\""]);
}

/// Whatever is written in a way that suggests itself, the right way is shown with the same value.
#[test]
fn the_right_spelling_is_shown() {
    let page = "Exponential(\"20ms\")";
    let steps = "[Work(Exponential(\"20ms\"))]";
    check(page, "\"5ms\"", &["expected a distribution", "write Constant(\"5ms\") or Exponential(\"5ms\")"]);
    check(page, "5", &["write Constant(\"5ms\") or Exponential(\"5ms\")"]);
    check(page, "Exponential(5)", &["write \"5s\" or \"5ms\""]);
    check(page, "Exponential(mean: \"5ms\")", &["without a name", "write Exponential(\"5ms\")", "1 problem\n"]);
    check(page, "LogNormal(\"5ms\", 2)", &["write LogNormal(mean: \"5ms\", cv: 2)"]);
    check(page, "Exponential", &["lacks its value", "write for example Exponential(\"35ms\")"]);
    check(steps, "[Exponential(\"20ms\")]", &["unknown step `Exponential`", "write Work(Exponential(\"20ms\"))"]);
    check(steps, "Work(Exponential(\"20ms\"))", &["write [Work(Exponential(\"20ms\"))]"]);

    let arrivals = "Poisson(Constant(30))";
    check(arrivals, "30", &["expected a kind of arrivals", "write Poisson(Constant(30))"]);
    check(arrivals, "Poisson(30)", &["expected a rate", "write Constant(30)"]);
    check(arrivals, "Constant(30)", &["write Poisson(Constant(30))"]);
    check(arrivals, "Poisson(Constant(\"30/s\"))", &["write 30: rates are per second"]);
    check(arrivals, "Trace(\"monday.csv\")", &["write Trace(file: \"monday.csv\")"]);

    let web = |field: &str, words: &[&str]| check("\"web\": (", &format!("\"web\": ({field}, "), words);
    web("replicas: \"3\"", &["write 3 without quotes"]);
    web("queue: 100", &["write (cap: 100)"]);
    web("processor: 4", &["expected a processor", "write Servers(4) or Cores(4)"]);
    web("balancer: PowerOf(2)", &["write PowerOf(choices: 2)"]);
    web("calls: {\"db\": (cancel: yes)}", &["expected true or false", "write true"]);

    let mix = "{\"web.page\": 1}";
    check(
        mix,
        &format!("{mix}, retry: (max: 2, backoff: \"2s\")"),
        &["write Constant(\"2s\") or Drawn(Exponential(\"2s\"))"],
    );
    check(mix, &format!("{mix}, timeout: 3"), &["write \"3s\" or \"3ms\""]);
    check(mix, "[\"web.page\"]", &["expected a map", "write {\"web.page\": ...}"]);
    check(mix, "{web.page: 1}", &["write \"web.page\"", "1 problem\n"]);
    check(mix, "{\"web.page\": \"80%\"}", &["write it as a share: 0.8"]);
    check(mix, "{\"web.page\": 80%}", &["write 0.8 for 80%"]);
}

#[test]
fn what_cannot_end_or_cannot_be() {
    let cycle = r#""page": [Call("web.other")], "other": [Call("web.page")], "third""#;
    check("\"page\"", cycle, &["small.ron:2:", "web.page -> web.other -> web.page", "break the cycle"]);
    let branches = r#"[Branch([(0.5, []), (0.4, [])]), Work("#;
    check("[Work(", branches, &["small.ron:2:", "add up to 0.9", "add up to 1"]);
    check("warm_up: \"5s\"", "warm_up: \"5min\"", &["small.ron:4:", "warm-up of 5min", "horizon of 1min"]);
}

#[test]
fn all_problems_of_all_files_at_once() {
    let folder = Folder::new();
    folder.write(
        "many.ron",
        r#"(
    services: {
        "web": (replicas: 0, endpoints: {"page": [Call("bd.query")]}),
        "db": (endpoints: {"query": [Branch([(0.5, []), (0.4, [])])]}),
    },
    clients: {"users": (arrivals: Poisson(Constant(30)), mix: {"web.page": 1}, timeout: "0s")},
    run: (warm_up: "1h", horizon: "1min"),
)"#,
    );
    folder.write("broken.ron", "(\n  services: {\n    \"web\": (replicas: 3 threads: 4),\n  ],\n)");
    folder.write("fine.ron", SMALL);
    let ended = folder.outgrow(&["run", "many.ron", "missing.ron", "broken.ron", "fine.ron"]);
    ended.refused(&[
        "many.ron:3:",
        "many.ron:4:",
        "many.ron:6:",
        "many.ron:7:",
        "did you mean \"db.query\"?",
        "`missing.ron`",
        "broken.ron:3:",
        "broken.ron:2:",
        "problems in 3 scenarios",
    ]);
    assert!(!ended.stderr.contains("fine.ron"), "{}", ended.stderr);
}

#[test]
fn problems_are_shown_with_their_line() {
    let folder = Folder::new();
    folder.write("small.ron", small_with("\"web\": (", "\"web\": (replica: 3, "));
    let shown = "\
error: unknown field `replica` in `Service`
 --> small.ron:2:24
  |
2 |     services: {\"web\": (replica: 3, endpoints: {\"page\": [Work(Exponential(\"20ms\"))]})},
  |                        ^^^^^^^
  |
  = help: did you mean `replicas`? fields: replicas, start, scaler, processor, speeds, threads, admission, queue, balancer, health, drain, calls, caches, endpoints

1 problem
";
    assert_eq!(folder.outgrow(&["check", "small.ron"]).stderr, shown);
}

#[test]
fn what_is_no_scenario_file() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    folder.write("empty.ron", "");
    folder.write("bytes.ron", [b'(', 0xff, 0xfe, b')']);
    std::fs::create_dir(folder.path().join("folder.ron")).unwrap();
    let huge = File::create(folder.path().join("huge.ron")).unwrap();
    huge.set_len(1 << 30).unwrap();
    for command in ["check", "run"] {
        folder.outgrow(&[command, "smal.ron"]).refused(&[
            "no file `smal.ron`",
            "did you mean `small.ron`?",
            "outgrow new",
        ]);
        folder.outgrow(&[command, "small"]).refused(&["did you mean `small.ron`?"]);
        folder.outgrow(&[command, "empty.ron"]).refused(&["empty.ron:1:1", "the file is empty"]);
        folder.outgrow(&[command, "bytes.ron"]).refused(&["not UTF-8 text", "byte 1"]);
        folder.outgrow(&[command, "folder.ron"]).refused(&["is a folder", "folder.ron/*.ron"]);
        let start = Instant::now();
        folder.outgrow(&[command, "huge.ron"]).refused(&["larger than 16 MiB"]);
        assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    }
}

#[test]
fn hostile_names_stay_text() {
    let folder = Folder::new();
    folder.write("small.ron", small_with("\"web.page\": 1", "\"\\u{1b}[31mweb\": 1"));
    folder.outgrow(&["check", "small.ron"]).refused(&["small.ron:3:"]);
    folder.outgrow(&["check", "\u{1b}[31m.ron"]).refused(&["there is no file"]);
}

#[test]
fn problems_can_be_read_by_programs() {
    let folder = Folder::new();
    folder.write("fine.ron", SMALL);
    folder.write("small.ron", small_with("\"web\": (", "\"web\": (replica: 3, "));
    let ended = folder.outgrow(&["check", "fine.ron", "small.ron", "missing.ron", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), ""));
    let scenarios = &ended.json()["scenarios"];
    assert_eq!((&scenarios[0]["fine"], &scenarios[0]["services"][0]["name"]), (&true.into(), &"web".into()));
    let problem = &scenarios[1]["problems"][0];
    assert_eq!((&problem["line"], &problem["column"], &problem["severity"]), (&2.into(), &24.into(), &"error".into()));
    assert_eq!((&problem["file"], &problem["path"]), (&"small.ron".into(), &"services.web.replica".into()));
    assert_eq!(problem["message"], "unknown field `replica` in `Service`");
    assert_eq!(
        (&scenarios[2]["fine"], &scenarios[2]["problems"][0]["line"]),
        (&false.into(), &serde_json::Value::Null)
    );
    folder.outgrow(&["check", "fine.ron", "--json"]).fine();
}
