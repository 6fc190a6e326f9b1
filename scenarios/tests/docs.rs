//! What the documentation shows works.

use scenarios::document::Document;
use scenarios::expect;
use scenarios::load::{Loaded, Traces};
use scenarios::run::{Options, run};

/// The page with every field of the format: its scenario loads, runs, and meets what it expects.
#[test]
fn the_scenario_page_shows_a_scenario_that_runs() {
    let loaded = the_only_scenario_of(include_str!("../../docs/scenario.md"));
    assert!(expect::problems(&loaded).is_empty());
    let report = run(&loaded, &Options { replications: Some(2), ..Options::default() }, &()).unwrap();
    for judged in &report.expectations {
        assert!(!judged.failed(), "{}", judged.text());
    }
}

/// The first steps in the README.
#[test]
fn the_readme_shows_a_scenario_that_loads() {
    let loaded = the_only_scenario_of(include_str!("../../README.md"));
    assert_eq!(loaded.topology.services.len(), 2);
}

fn the_only_scenario_of(page: &str) -> Loaded {
    let (_, after) = page.split_once("```ron\n").expect("the page has a scenario");
    let (text, _) = after.split_once("```").expect("the scenario ends");
    Loaded::document(Document::parse("page.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}
