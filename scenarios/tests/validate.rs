//! The validation: its table and its scenarios, and that it finds what is wrong.

use scenarios::validate::{self, Case, Kind, Options, UNTOLD, Verdict, cases, validate};
use std::collections::BTreeSet;
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

/// Values and tolerances are those of the collection, where it is at hand; every case of it is either
/// here or said to wait for a word.
#[test]
fn the_table_says_what_the_collection_says() {
    let Some(folder) = std::env::var_os("OUTGROW_DATA").map(PathBuf::from).filter(|folder| folder.is_dir()) else {
        assert!(std::env::var_os("OUTGROW_CI").is_none_or(|ci| ci != "1"), "OUTGROW_DATA names no folder");
        println!("skipped: OUTGROW_DATA names no folder");
        return;
    };
    let text = std::fs::read_to_string(folder.join("oracles/queueing.json")).unwrap();
    let collection: serde_json::Value = serde_json::from_str(&text).unwrap();
    let theirs = collection["cases"].as_array().unwrap();
    let here: BTreeSet<String> = cases().into_iter().map(|case| case.id).collect();
    let untold: BTreeSet<String> = UNTOLD.iter().map(|untold| untold.case.to_owned()).collect();
    let all: BTreeSet<String> = theirs.iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(&here | &untold, all);
    assert!(here.is_disjoint(&untold));
    for case in cases() {
        let their = theirs.iter().find(|their| their["id"] == case.id.as_str()).unwrap();
        for metric in &case.metrics {
            let value = &their["metrics"][&metric.name];
            assert_eq!(value["value"].as_f64(), Some(metric.theory), "{} {}", case.id, metric.name);
            if !matches!(metric.kind, Kind::UpperBound | Kind::LowerBound) {
                let absolute = value["tol_abs"].as_f64();
                let relative = value["tol_rel"].as_f64().map(|share| share * metric.theory.abs());
                assert_eq!(Some(metric.tolerance()), absolute.or(relative), "{} {}", case.id, metric.name);
            }
        }
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
