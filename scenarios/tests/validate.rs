//! The validation: its table and its scenarios, and that it finds what is wrong.

use scenarios::validate::{self, Case, Collection, Kind, Options, UNTOLD, Verdict, cases, validate};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn case(id: &str) -> Case {
    cases().into_iter().find(|case| case.id == id).expect("a case of the table")
}

/// As `outgrow run` would load it, with seed 1, and a population named after the case.
#[test]
fn every_case_is_a_scenario_with_randomness_of_its_own() {
    for case in cases() {
        let loaded = case.load().unwrap_or_else(|error| panic!("{}: {error}", case.id));
        assert_eq!(loaded.scenario.run.seed, validate::SEED, "{}", case.id);
        assert!(loaded.scenario.title.is_some(), "{} has no title", case.id);
        assert!(case.text().unwrap().starts_with("// "), "{} does not say what it is", case.id);
        // Draws are named by the population: that of no other case may be called so.
        assert!(loaded.scenario.clients.keys().all(|name| name.starts_with(&case.id)), "{}", case.id);
    }
}

#[test]
fn the_folder_holds_the_table_and_a_file_for_each_of_its_cases() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("validation");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let named: BTreeSet<String> = cases().iter().map(|case| format!("{}.ron", case.id)).collect();
    let table = BTreeSet::from(["cases.ron".to_owned()]);
    assert_eq!(files, &named | &table);
    let in_order: Vec<String> = cases().into_iter().map(|case| case.id).collect();
    let listed: Vec<&str> = validate::scenarios().iter().map(|entry| entry.name).collect();
    assert_eq!(in_order, listed);
}

/// A file of the collections; `None`, and said so, where they are not at hand.
fn collected(file: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("OUTGROW_DATA").map(PathBuf::from).filter(|folder| folder.is_dir()) else {
        assert!(std::env::var_os("OUTGROW_CI").is_none_or(|ci| ci != "1"), "OUTGROW_DATA names no folder");
        println!("skipped: OUTGROW_DATA names no folder");
        return None;
    };
    Some(std::fs::read_to_string(folder.join(file)).unwrap())
}

/// The cases of a collection, by name, in a file that lists them.
fn collection(file: &str) -> Option<BTreeMap<String, Value>> {
    let document: Value = serde_json::from_str(&collected(file)?).unwrap();
    let cases = document["cases"].as_array().unwrap().iter();
    Some(cases.map(|case| (case["id"].as_str().unwrap().to_owned(), case.clone())).collect())
}

/// The cases of a collection that are in the table.
fn told(of: Collection) -> impl Iterator<Item = Case> {
    cases().into_iter().filter(move |case| case.collection == of)
}

/// Nothing is absent in silence: every case is in the table, the same as one that is, or waits for a word.
#[track_caller]
fn complete(of: Collection, all: BTreeSet<String>) {
    let mut here: BTreeSet<String> = told(of).map(|case| case.id).collect();
    here.extend(UNTOLD.iter().filter(|untold| untold.collection == of).map(|untold| untold.case.to_owned()));
    here.extend(
        cases()
            .into_iter()
            .filter(|case| case.collection != of)
            .flat_map(|case| case.same_as)
            .filter(|id| all.contains(id)),
    );
    assert_eq!(here, all);
}

#[test]
fn the_table_goes_by_collections() {
    let order: Vec<usize> =
        cases().iter().map(|case| Collection::ALL.iter().position(|of| *of == case.collection).unwrap()).collect();
    assert!(order.is_sorted());
    let same: BTreeSet<String> = cases().into_iter().flat_map(|case| case.same_as).collect();
    let checked = ["P02_ciw_rps", "P03_ciw_priority", "sre_retry_layers", "tail_at_scale_fanout", "usl_textbook"];
    assert_eq!(same, checked.map(str::to_owned).into(), "the tests below look at these");
}

/// Values and tolerances are those of the collection.
#[test]
fn the_table_says_what_theory_says() {
    let Some(theirs) = collection("oracles/queueing.json") else { return };
    complete(Collection::Theory, theirs.keys().cloned().collect());
    for case in told(Collection::Theory) {
        assert!(UNTOLD.iter().all(|untold| untold.case != case.id), "{} waits for nothing", case.id);
        for metric in &case.metrics {
            let value = &theirs[&case.id]["metrics"][&metric.name];
            assert_eq!(value["value"].as_f64(), Some(metric.theory), "{} {}", case.id, metric.name);
            if !matches!(metric.kind, Kind::UpperBound | Kind::LowerBound) {
                let absolute = value["tol_abs"].as_f64();
                let relative = value["tol_rel"].as_f64().map(|share| share * metric.theory.abs());
                assert_eq!(Some(metric.tolerance()), absolute.or(relative), "{} {}", case.id, metric.name);
            }
        }
    }
}

/// The value of a metric.
fn value(id: &str, metric: &str) -> f64 {
    let case = case(id);
    let found = case.metrics.iter().find(|known| known.name == metric);
    found.unwrap_or_else(|| panic!("{id} has no {metric}")).theory
}

/// The value and the interval of an estimate.
fn estimate(id: &str, metric: &str) -> (f64, f64) {
    let kind = case(id).metrics.iter().find(|known| known.name == metric).map(|metric| metric.kind);
    let Some(Kind::Estimate { ci95 }) = kind else { panic!("{id} {metric} is no estimate") };
    (value(id, metric), ci95)
}

/// Numbers in a document.
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn the_table_says_what_the_peers_say() {
    let Some(theirs) = collection("peers/peer_cases.json") else { return };
    complete(Collection::Peers, theirs.keys().cloned().collect());
    let number = |value: &Value| value.as_f64().unwrap();

    for check in theirs["P01_ciw_mm1ps"]["checks"].as_array().unwrap() {
        let metric = format!("W_{}_of_{}", check["lam"], check["mu"]);
        assert_eq!(value("P01_ciw_mm1ps", &metric), number(&check["W"]));
    }
    for (n, p) in numbers(&theirs["P02_ciw_rps"]["p"]).into_iter().enumerate() {
        assert!((value("rps_ciw3", &format!("p_state_{n}")) - p).abs() < 1e-12);
    }
    for (class, response) in numbers(&theirs["P03_ciw_priority"]["theory"]).into_iter().enumerate() {
        assert!((value("prio_ciw", &format!("np_W_class{class}")) - response).abs() < 1e-12);
    }
    // How many are present follows from who turned away and who was served: one comes every 5 s.
    let log = &theirs["P05_ciw_balk_log"];
    let upto = |key: &str, t: f64| numbers(&log[key]).into_iter().filter(|at| *at <= t).count() as f64;
    for metric in case("P05_ciw_balk_log").metrics {
        if let Some(t) = metric.name.strip_prefix("present_from_").map(|t| t.parse::<f64>().unwrap()) {
            assert_eq!(metric.theory, (t / 5.0).floor() - upto("balk_times", t) - upto("served_end", t), "at {t}");
        }
    }
    assert_eq!(value("P05_ciw_balk_log", "balked"), upto("balk_times", 51.0) / 10.0);
    let waits = numbers(&log["wait"]);
    let responses = waits.iter().sum::<f64>() / waits.len() as f64 + 21.0;
    assert_eq!(value("P05_ciw_balk_log", "served_response_mean"), responses);

    for (id, metric) in [("P06_lqn20", "X"), ("P10_lqn92_open", "R")] {
        assert_eq!(value(id, metric), number(&theirs[id]["exact"]));
        let lqsim = (number(&theirs[id][metric]), number(&theirs[id]["ci95"]));
        assert_eq!(estimate(id, &format!("{metric}_lqsim")), lqsim);
    }
    let (id, jmt) = ("P13_line_forkjoin_closed", &theirs["P13_line_forkjoin_closed"]["JMT"]);
    assert_eq!(value(id, "X_JMT"), number(&jmt["X"]));
    assert_eq!(["RespT_q1_JMT", "RespT_q2_JMT"].map(|metric| value(id, metric)), *numbers(&jmt["RespT_q"]));
    assert_eq!(["util_q1_JMT", "util_q2_JMT"].map(|metric| value(id, metric)), *numbers(&jmt["util"]));
}

#[test]
fn the_table_says_what_was_published() {
    let Some(theirs) = collection("published/published_cases.json") else { return };
    let Some(run) = collected("published/brooker_retry_reference_run.csv") else { return };
    let mut all: BTreeSet<String> = theirs.keys().cloned().collect();
    all.insert("hpa_cases".to_owned());
    complete(Collection::Published, all);
    let near = |ours: f64, theirs: f64, by: f64| assert!((ours - theirs).abs() <= by, "{ours} is not {theirs}");

    let tail = &theirs["tail_at_scale_fanout"]["expect"];
    let fans = [("tailscale_ten", "n=10"), ("tailscale_dean100", "n=100"), ("tailscale_dean2000", "n=2000,p=1e-4")];
    for (id, fan) in fans {
        near(value(id, "p_request_slow"), tail[fan].as_f64().unwrap(), 1e-6);
    }
    near(value("tail_at_scale_fanout", "n=1,p=.01"), tail["n=1,p=.01"].as_f64().unwrap(), 0.0);

    let layers = theirs["sre_retry_layers"]["expect"].as_str().unwrap();
    assert!(layers.contains(&format!("{} attempts", value("retry_outage_sre", "worst_case_amplification"))));
    let growth = [1, 2, 3].map(|t| value("sre_retry_layers", &format!("retries_per_s_after_{t}s")).to_string());
    assert!(layers.contains(&growth.join(" -> ")), "{layers}");

    let textbook = &theirs["usl_textbook"]["data"];
    for (load, throughput) in numbers(&textbook["load"]).into_iter().zip(numbers(&textbook["tput"])) {
        let id = if load == 6.0 { "usl_textbook" } else { "usl_uslpkg" };
        near(value(id, &format!("X_{load}")), throughput, 1e-4);
    }
    near(value("usl_specsdm91", "X_max"), theirs["usl_specsdm91"]["expect"]["X_max"].as_f64().unwrap(), 0.0);
    let measured = collected("published/usl_specsdm91.csv").unwrap();
    for line in measured.lines().skip(2) {
        let (load, throughput) = line.split_once(',').unwrap();
        near(value("usl_specsdm91", &format!("measured_{load}")), throughput.parse().unwrap(), 0.0);
    }

    // An estimate errs as its counts do: requests that succeed are binomial, attempts of a request end at
    // the first that succeeds, or at the fourth.
    let id = "brooker_retry_budget";
    let is = |metric: String, found: f64, variance: f64, of: f64| {
        let (value, ci95) = estimate(id, &metric);
        near(value, found, 1e-12);
        near(ci95 / (1.96 * (variance / of).sqrt()), 1.0, 0.005);
    };
    let rows: Vec<Vec<&str>> = run.lines().skip(1).map(|line| line.split(',').collect()).collect();
    for f in [0.2_f64, 0.5, 0.75] {
        let row = |name: &str| {
            let row = rows.iter().find(|row| row[0].parse() == Ok(f) && row[4] == name).unwrap();
            [1, 2, 3].map(|column| row[column].parse::<f64>().unwrap())
        };
        let [served, _, requests] = row("no_retries");
        let share = served / requests;
        near(value(id, &format!("success_no_retries_{f}")), 1.0 - f, 1e-9);
        is(format!("success_no_retries_{f}_run"), share, share * (1.0 - share), requests);
        let [served, attempts, requests] = row("three_retries");
        // A request makes its n-th attempt if those before fail.
        let all_fail = [1.0, f, f * f, f * f * f, f * f * f * f];
        let share = served / requests;
        near(value(id, &format!("success_three_retries_{f}")), 1.0 - all_fail[4], 1e-9);
        is(format!("success_three_retries_{f}_run"), share, share * (1.0 - share), requests);
        let load: f64 = all_fail[..4].iter().sum();
        let square: f64 = all_fail[..4].iter().zip([1.0, 3.0, 5.0, 7.0]).map(|(p, odd)| p * odd).sum();
        near(value(id, &format!("load_three_retries_{f}")), load, 1e-9);
        is(format!("load_three_retries_{f}_run"), attempts / requests, square - load * load, requests);
        // 100 buckets of 5 tokens, for about 10,000 requests.
        near(value(id, &format!("load_budget_{f}")), 1.1 + 500.0 / 10_000.0, 1e-9);
    }
}

/// A family that takes a second, end to end, in both directions: theory agrees, and what is deliberately
/// wrong does not, by a tolerance; and by its error alone where the tolerance is wide.
#[test]
fn a_wrong_value_is_found() {
    let right = case("fluid_a");
    let found = validate(std::slice::from_ref(&right), &Options::default(), &()).unwrap();
    assert!(found.passes(), "{:?}", found.summary());

    let right = case("retry_tenth");
    let found = validate(std::slice::from_ref(&right), &Options::default(), &()).unwrap();
    assert!(found.passes(), "{:?}", found.summary());
    let mut wrong = right.clone();
    wrong.metrics[0].theory *= 1.1;
    let found = validate(&[right.clone(), wrong], &Options::default(), &()).unwrap();
    assert!(!found.passes());
    let verdicts: Vec<Verdict> = found.cases[1].metrics.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts[0], Verdict::Differs);
    assert_eq!(found.together.too_large, [(right.id.clone(), right.metrics[0].name.clone())]);

    // Half a percent off is within the tolerance of 2%, and yet many standard errors.
    let mut wrong = right.clone();
    wrong.metrics[0].theory *= 1.005;
    let found = validate(&[wrong], &Options::default(), &()).unwrap();
    assert_eq!(found.cases[0].metrics[0].verdict, Verdict::Agrees);
    assert!(!found.together.passes(), "{:?}", found.summary());
}

#[test]
fn the_same_page_on_any_number_of_threads() {
    let some = ["retry_tenth", "fluid_a", "tailscale_ten"].map(case);
    let page = |jobs| validate(&some, &Options { jobs: Some(jobs), ..Options::default() }, &()).unwrap().page();
    assert_eq!(page(1), page(3));
}
