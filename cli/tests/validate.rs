//! `validate`: what it prints, how it ends, and what it says of names that it does not know.

mod support;

use std::collections::BTreeSet;
use support::Folder;

const ONE: [&str; 3] = ["validate", "--case", "retry_tenth"];

#[test]
fn a_case_as_a_table_a_document_and_a_page() {
    let folder = Folder::new();
    let text = folder.outgrow(&ONE).fine().clone();
    assert!(text.stdout.contains("expected_attempts_per_request"), "{}", text.stdout);
    assert!(text.stdout.contains("1 cases, 3 metrics: 3 agree."), "{}", text.stdout);
    assert_eq!(text.stderr, "");
    let document = folder.outgrow(&[&ONE[..], &["--json"]].concat()).fine().json();
    assert_eq!(
        (&document["passes"], &document["partial"], &document["seed"]),
        (&true.into(), &false.into(), &1.into())
    );
    let metric = &document["cases"][0]["metrics"][2];
    assert_eq!((&metric["metric"], &metric["mean"]), (&"worst_case_amplification".into(), &3.0.into()));
    let page = folder.outgrow(&[&ONE[..], &["--page"]].concat()).fine().stdout.clone();
    assert!(page.starts_with("# Validation\n") && page.contains("### retry_tenth"), "{page}");
}

#[test]
fn a_family_is_all_its_cases() {
    let folder = Folder::new();
    let document = folder.outgrow(&["validate", "--family", "overload", "--json"]).fine().json();
    let ids: Vec<_> = document["cases"].as_array().unwrap().iter().map(|case| case["case"].clone()).collect();
    assert_eq!(ids, ["fluid_a"]);
}

#[test]
fn a_collection_is_all_its_cases() {
    let folder = Folder::new();
    let asked = ["validate", "--quick", "--collection", "published", "--family", "overload", "--json"];
    let document = folder.outgrow(&asked).fine().json();
    let of: BTreeSet<_> =
        document["cases"].as_array().unwrap().iter().map(|case| case["collection"].to_string()).collect();
    assert_eq!(of, ["\"published\"", "\"theory\""].map(str::to_owned).into());
}

#[test]
fn unknown_names_are_told_with_what_there_is() {
    let folder = Folder::new();
    let told = folder.outgrow(&["validate", "--collection", "peer", "--family", "tandm", "--case", "mm1_rho81"]);
    assert_eq!(told.code, Some(2));
    assert!(told.stderr.contains("did you mean `peers`?"), "{}", told.stderr);
    assert!(told.stderr.contains("did you mean `tandem`?"), "{}", told.stderr);
    assert!(told.stderr.contains("did you mean `mm1_rho80`?"), "{}", told.stderr);
    let slow = folder.outgrow(&["validate", "--quick", "--case", "mm1_rho95"]);
    assert_eq!(slow.code, Some(2));
    assert!(slow.stderr.contains("leave --quick out"), "{}", slow.stderr);
}
