//! What the documentation shows works.

use models::blueprint::{Layout, Processor, Step};
use models::distribution::Distribution;
use models::policy::{Backoff, Balancer, Drop, Popularity};
use models::workload::rate::Growth;
use models::workload::{Arrivals, Count, Rate};
use scenarios::document::Document;
use scenarios::expect;
use scenarios::load::{Loaded, Traces};
use scenarios::provenance;
use scenarios::run::{Options, run};
use scenarios::scenario::Act;
use scenarios::story::LoadedStory;

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

/// The page with every field of a story: it loads, and its second chapter comes.
#[test]
fn the_story_page_shows_a_story_that_plays() {
    let text = the_only_ron_of(include_str!("../../docs/story.md"));
    let told = LoadedStory::document(Document::parse("page.ron", text)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(told.passages().len(), 2);
    // Every field that can be written is there: what is left out of the file is never a field.
    let missing: Vec<_> = provenance::parameters(&told.document, &told.story)
        .into_iter()
        .filter(|parameter| !parameter.written && !parameter.path.to_string().contains(".services."))
        .map(|parameter| parameter.path.to_string())
        .filter(|path| !path.starts_with("slo.window") && !path.contains("retry.budget"))
        .collect();
    // The first chapter has none of them; further down they are shown.
    let further_down = ["chapters[0].when", "chapters[0].lag"];
    assert_eq!(missing, further_down, "fields that docs/story.md does not show");
}

/// The first steps in the README.
#[test]
fn the_readme_shows_a_scenario_that_loads() {
    let loaded = the_only_scenario_of(include_str!("../../README.md"));
    assert_eq!(loaded.topology.services.len(), 2);
}

/// The reference has every type that reads a scenario, and every entry of every list.
#[test]
fn the_reference_has_everything() {
    let page = scenarios::reference::page();
    let lists = [
        Step::ALL,
        Processor::ALL,
        Layout::ALL,
        Balancer::ALL,
        Popularity::ALL,
        Drop::ALL,
        Backoff::ALL,
        Distribution::ALL,
        Arrivals::ALL,
        Rate::ALL,
        Growth::ALL,
        Count::ALL,
        Act::ALL,
    ];
    for entry in lists.into_iter().flatten() {
        let line = format!("| `{}` | {} |", entry.example, entry.summary);
        assert!(page.contains(&line), "the reference lacks {line}");
        assert!(page.contains(&format!("\n- `{}`", entry.name)), "the reference lacks the variant {}", entry.name);
    }
    for line in [
        "| `replicas` | whole number° | `1` | How many replicas there are at the start. |",
        "| `processor` | [Processor](#processor) | `Servers(1)` | What works on requests in each replica. |",
        "| `timeout` | duration° | none | How long a client waits for one attempt; left out, for ever. |",
        "| `clients` | {name: [Client](#client)} |  | The client populations, by name. |",
        "| `queue` | [Queue](#queue) | `()` | Where requests wait for a thread. |",
        "| `horizon` | duration | `\"10min\"` | When the run ends. |",
        "  - `sigma`, number°: Contention: the share of work that cannot overlap.",
    ] {
        assert!(page.contains(line), "the reference lacks {line}");
    }
    // Links lead to sections.
    for (_, rest) in page.match_indices("](#").map(|(at, found)| page.split_at(at + found.len())) {
        let anchor = rest.split(')').next().unwrap_or_default();
        let section =
            page.lines().any(|line| line.strip_prefix("## ").is_some_and(|name| name.to_lowercase() == anchor));
        assert!(section, "there is no section {anchor}");
    }
}

fn the_only_ron_of(page: &str) -> &str {
    let (_, after) = page.split_once("```ron\n").expect("the page has a file");
    after.split_once("```").expect("the file ends").0
}

fn the_only_scenario_of(page: &str) -> Loaded {
    let text = the_only_ron_of(page);
    Loaded::document(Document::parse("page.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}
