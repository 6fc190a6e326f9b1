//! `outgrow story`: what it prints, writes, and takes out.

mod support;

use scenarios::story::LoadedStory;
use support::Folder;

/// The story of the program with few and short evenings.
fn short() -> Folder {
    let text = LoadedStory::built_in_text();
    let (before, rest) = text.split_once("    moments: [").expect("it has moments");
    let (_, rest) = rest.split_once("],\n").expect("they end");
    let (between, rest) = rest.split_once("    evening: (").expect("it has evenings");
    let (_, rest) = rest.split_once("),\n").expect("they end");
    let evening = "evening: (warm_up: \"1s\", length: (\"5s\", \"5s\"), requests: 1, replications: (2, 2), budget: 1)";
    let folder = Folder::new();
    folder
        .write("mine.ron", format!("{before}    moments: [\"1y\", \"2y\", \"3y\"],\n{between}    {evening},\n{rest}"));
    folder
}

#[test]
fn the_years_are_told_and_written_to_a_page() {
    let folder = short();
    let ended = folder.outgrow(&["story", "mine.ron"]).fine().clone();
    let lines = [
        "monolith, from launch",
        "cluster, from year 1.00: evenings with the processor of shop above 80% for 7 days",
        "services, from year 2.75: evenings with the database db above 80% for 7 days, then 30 days to move",
    ];
    for line in lines {
        assert!(ended.stdout.contains(line), "{line} is missing from\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("World Cup night"), "a story of one's own has no night of ours");
    ended.says(&["report: outgrow-story.html"]);
    let page = folder.read("outgrow-story.html");
    for text in ["Which design is outgrown", "designs.services.services", "outgrow story mine.ron"] {
        assert!(page.contains(text), "{text} is missing from the page");
    }
    // On a page of another name, or none.
    std::fs::remove_file(folder.path().join("outgrow-story.html")).unwrap();
    folder.outgrow(&["story", "mine.ron", "--report", "other.html"]).fine();
    folder.outgrow(&["story", "mine.ron", "--no-report"]).fine();
    folder.outgrow(&["story", "mine.ron", "--json"]).fine();
    let names = folder.names();
    assert_eq!(names, [std::path::PathBuf::from("mine.ron"), "other.html".into()]);
}

#[test]
fn what_stands_in_the_way_of_the_page_of_its_own_is_no_error() {
    let folder = short();
    folder.write("outgrow-story.html", "my notes");
    let ended = folder.outgrow(&["story", "mine.ron"]);
    ended.fine().says(&["warning", "outgrow-story.html", "--report OTHER"]);
    assert_eq!(folder.read("outgrow-story.html"), "my notes");
    let named = folder.outgrow(&["story", "mine.ron", "--report", "outgrow-story.html"]);
    assert_ne!(named.code, Some(0));
    assert_eq!(named.stdout, "", "nothing is played before that is known");
}

#[test]
fn an_evening_is_a_scenario() {
    let folder = short();
    let evening = folder.outgrow(&["story", "mine.ron", "--evening", "2.45y"]).fine().clone();
    folder.write("evening.ron", &evening.stdout);
    let checked = folder.outgrow(&["check", "evening.ron", "--json"]).fine().json();
    assert_eq!(checked["scenarios"][0]["problems"].as_array().map(Vec::len), Some(0), "{checked}");
    assert!(
        evening.stdout.contains("replicas: 6") && evening.stdout.contains("Constant(470.46)"),
        "{}",
        evening.stdout
    );
    folder.outgrow(&["run", "evening.ron", "--set", "services.app.replicas=7"]).fine();
    folder.outgrow(&["story", "mine.ron", "--evening", "9y"]).says(&["the story ends 3y after launch"]);
}

/// With another seed, too: what is taken out is what is played.
#[test]
fn an_evening_taken_out_with_a_seed_gives_the_same_figures() {
    let folder = short();
    for seed in [&[][..], &["--seed", "7"]] {
        let evening = folder.outgrow(&[&["story", "mine.ron", "--evening", "2y"], seed].concat()).fine().clone();
        folder.write("evening.ron", evening.stdout);
        let run = &folder.outgrow(&["run", "evening.ron", "--json"]).fine().json()["runs"][0];
        let years = &folder.outgrow(&[&["story", "mine.ron", "--json"], seed].concat()).fine().json()["years"];
        assert_eq!(run["metrics"], years["moments"][1]["run"]["metrics"]);
        assert_eq!((&run["seed"], &years["seed"]), (&years["seed"], &(if seed.is_empty() { 1 } else { 7 }).into()));
    }
}

#[test]
fn a_story_is_the_same_document_on_any_number_of_threads() {
    let folder = short();
    let json = |jobs| folder.outgrow(&["story", "mine.ron", "--json", "--jobs", jobs]).fine().stdout.clone();
    assert_eq!(json("1"), json("2"));
}

#[test]
fn values_can_be_changed_from_outside() {
    let folder = short();
    let kappa = "designs.cluster.services.db.processor.kappa=0.0001";
    let json = folder.outgrow(&["story", "mine.ron", "--json", "--set", kappa]).fine().json();
    assert_eq!(
        json["years"]["chapters"].as_array().map(Vec::len),
        Some(2),
        "the cluster lasts for more than three years"
    );
    assert_eq!(json["night"], serde_json::Value::Null);
    folder.outgrow(&["story", "mine.ron", "--set", "designs.cluster.services.dB.replicas=1"]).refused(&["db"]);
}

#[test]
fn problems_are_told_with_their_place() {
    let folder = short();
    let wrong = folder.read("mine.ron").replace("(design: \"monolith\")", "(design: \"monolit\")");
    folder.write("wrong.ron", wrong);
    folder.outgrow(&["story", "wrong.ron"]).refused(&["wrong.ron:", "did you mean \"monolith\"?"]);
    folder.outgrow(&["story", "mine.rn"]).refused(&["mine.rn", "did you mean `mine.ron`?"]);
}
