//! `list`, `new`, `check`, `completions` and the help.

mod support;

use support::{Folder, SMALL};

const LISTS: [&str; 31] = [
    "acts",
    "admissions",
    "arrivals",
    "backoffs",
    "balancers",
    "balking",
    "counts",
    "curves",
    "deadlines",
    "disciplines",
    "distributions",
    "drops",
    "durations",
    "evictions",
    "exit-codes",
    "figures",
    "growths",
    "keys",
    "layouts",
    "library",
    "popularities",
    "processors",
    "rates",
    "refreshes",
    "replicas",
    "scalers",
    "steps",
    "templates",
    "times",
    "triggers",
    "verdicts",
];

const TEMPLATES: [&str; 4] = ["one-server", "three-tiers", "cluster", "services"];

#[test]
fn every_list_can_be_read_by_people_and_programs() {
    let folder = Folder::new();
    let overview = folder.outgrow(&["list"]).fine().clone();
    let lists = folder.outgrow(&["list", "--json"]).fine().json();
    assert_eq!(lists["lists"].as_array().unwrap().len(), LISTS.len());
    for list in LISTS {
        assert!(overview.stdout.contains(list), "{list} is missing from\n{}", overview.stdout);
        let text = folder.outgrow(&["list", list]).fine().clone();
        assert_eq!(text.stderr, "");
        let json = folder.outgrow(&["list", list, "--json"]).fine().json();
        assert_eq!(json["list"], list);
        for entry in json["entries"].as_array().unwrap() {
            for field in ["name", "example", "summary"] {
                let value = entry[field].as_str().unwrap();
                assert!(!value.is_empty() && text.stdout.contains(value), "{list}: {value}\n{}", text.stdout);
            }
        }
    }
    let balancers = folder.outgrow(&["list", "balancers"]).stdout;
    for balancer in models::policy::Balancer::ALL {
        assert!(balancers.contains(balancer.name), "{balancers}");
    }
    let templates = folder.outgrow(&["list", "templates"]).stdout;
    for template in TEMPLATES {
        assert!(templates.contains(&format!("outgrow new shop --template {template}\n")), "{templates}");
    }
    folder.outgrow(&["list", "balancer"]).refused(&["'balancers'", "possible values", "backoffs"]);
}

/// What can be written down is taken from the program, so that it can be pasted.
#[test]
fn what_the_lists_say_holds() {
    let folder = Folder::new();
    let entries = |list: &str| folder.outgrow(&["list", list, "--json"]).json()["entries"].as_array().unwrap().clone();
    for duration in entries("durations") {
        let text: String = serde_json::from_str(duration["example"].as_str().unwrap()).unwrap();
        assert!(text.parse::<sim_core::time::SimDuration>().is_ok(), "{text}");
    }
    let figures = entries("figures");
    let names: Vec<&str> = figures.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    for name in ["metrics.availability", "metrics.failures.timeout", "services.<service>.utilisation.processor"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.iter().all(|name| !name.starts_with("slo") && !name.contains("from_s")), "{names:?}");
    // Each figure that is not of one service, client or window can be expected of every scenario.
    for figure in figures.iter().filter(|figure| figure["name"].as_str().unwrap().starts_with("metrics.")) {
        let expect = format!(
            "run: (warm_up: \"1s\", horizon: \"2s\"), expect: [({}, least: 0)],\n",
            figure["example"].as_str().unwrap()
        );
        folder.write(
            "small.ron",
            SMALL.replace("run: (warm_up: \"5s\", horizon: \"1min\", replications: 3),\n", &expect),
        );
        folder.outgrow(&["check", "small.ron"]).fine();
    }
}

#[test]
fn every_template_is_written_once_and_checks() {
    for template in TEMPLATES {
        let folder = Folder::new();
        let new = folder.outgrow(&["new", "shop", "--template", template]);
        new.fine().says(&["wrote shop.ron", "outgrow check shop.ron", "outgrow run shop.ron"]);
        assert_eq!(new.stdout, "");
        let check = folder.outgrow(&["check", "shop.ron"]).fine().clone();
        assert!(check.stdout.starts_with("shop.ron: fine\n"), "{}", check.stdout);
        assert_eq!(check.stderr, "", "a template has no warnings");

        let written = folder.read("shop.ron");
        assert!(written.contains("// Try ") || written.contains(" Try "), "a template says what to try");
        folder.outgrow(&["new", "shop.ron"]).refused(&["`shop.ron` is there already"]);
        assert_eq!(folder.read("shop.ron"), written);
        assert_eq!(folder.names().len(), 1);
    }
}

#[test]
fn a_story_can_be_the_start_and_is_no_scenario() {
    let folder = Folder::new();
    folder.outgrow(&["new", "mine", "--template", "story"]).fine().says(&["wrote mine.ron", "outgrow story mine.ron"]);
    for command in ["check", "run"] {
        folder.outgrow(&[command, "mine.ron"]).refused(&[
            "`mine.ron` is a story",
            "`outgrow story mine.ron`",
            "--evening",
        ]);
    }
    assert!(folder.outgrow(&["list", "templates"]).stdout.contains("outgrow new shop --template story\n"));
}

#[test]
fn a_scenario_of_the_library_can_be_the_start() {
    let folder = Folder::new();
    folder.outgrow(&["new", "storm", "--from", "retry-storm"]).fine();
    folder.outgrow(&["check", "storm.ron"]).fine();
    folder.outgrow(&["new", "other", "--from", "retry-strom"]).refused(&["'retry-storm'"]);
    folder.outgrow(&["new", "other", "--from", "retry-storm", "--template", "cluster"]).refused(&["cannot be used"]);
    assert_eq!(folder.names().len(), 1);
}

#[test]
fn new_refuses_what_is_no_name() {
    let folder = Folder::new();
    for name in ["", ".ron", "folder/"] {
        folder.outgrow(&["new", name]).refused(&[&format!("`{name}` is no name"), "outgrow new shop"]);
    }
    folder.outgrow(&["new", "nowhere/shop"]).refused(&["cannot write `nowhere/shop.ron`", "No such file"]);
    folder.outgrow(&["new", "shop", "--template", "cluster-x"]).refused(&["'cluster'"]);
    folder.outgrow(&["new"]).refused(&["NAME"]);
    assert!(folder.names().is_empty());
}

#[test]
fn check_says_what_a_scenario_contains() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    folder.write("broken.ron", "(");
    let shown = "\
small.ron: fine
  clients   users (open) -> web
  services  web
  run       1min after a warm-up of 5s, 3 times
  cost      about 1,800 requests each time, 11,000 events in all, less than a second on one core
";
    assert_eq!(folder.outgrow(&["check", "small.ron"]).fine().stdout, shown);
    let both = folder.outgrow(&["check", "broken.ron", "small.ron"]);
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), shown));
    both.says(&["broken.ron:1:", "1 problem"]);
}

#[test]
fn warnings_are_told_and_let_pass() {
    let folder = Folder::new();
    let late = "run: (warm_up: \"5s\"";
    let text =
        SMALL.replace(late, &format!("timeline: [(at: \"2h\", act: Scale(service: \"web\", to: 2))],\n    {late}"));
    folder.write("late.ron", text);
    let check = folder.outgrow(&["check", "late.ron"]);
    check.fine().says(&["warning: this is after the run has ended", "late.ron:4:"]);
    assert!(check.stdout.starts_with("late.ron: fine"));
    // A run tells them once, before it begins; a document has them, too.
    let run = folder.outgrow(&["run", "late.ron"]);
    run.fine().says(&["warning: this is after the run has ended", "late.ron:4:"]);
    assert!(!run.stdout.contains("after the run has ended"), "{}", run.stdout);
    let json = folder.outgrow(&["run", "late.ron", "--json"]).fine().json();
    assert!(json["runs"][0]["warnings"][0].as_str().unwrap().contains("after the run has ended"), "{json}");
}

#[test]
fn check_says_who_calls_whom_and_what_a_run_costs() {
    let folder = Folder::new();
    folder.outgrow(&["new", "shop", "--template", "three-tiers"]).fine();
    let text = folder.outgrow(&["check", "shop.ron"]).fine().stdout.clone();
    for line in ["visitors (open) -> web", "web x2 -> app", "app x3 -> db", "million events in all"] {
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }
    let scenario = &folder.outgrow(&["check", "shop.ron", "--json"]).fine().json()["scenarios"][0];
    assert_eq!((&scenario["services"][1]["replicas"], &scenario["services"][1]["calls"][0]), (&3.into(), &"db".into()));
    assert!(scenario["cost"]["events"].as_u64().unwrap() > 1_000_000, "{scenario}");
    // Before anybody waits for it.
    folder.write("long.ron", SMALL.replace("horizon: \"1min\"", "horizon: \"900d\""));
    let long = folder.outgrow(&["check", "long.ron"]);
    long.fine().says(&["warning: long.ron: this run handles about"]);
    let json = folder.outgrow(&["check", "long.ron", "--json"]).fine().json();
    assert!(json["scenarios"][0]["cost"]["warnings"][0].is_string(), "{json}");
}

/// Only bash is asked, where there is one: the other shells are not on every machine.
#[cfg(unix)]
#[test]
fn bash_completes_scenarios_files_and_lists() {
    let folder = Folder::new();
    folder.write("retry-mine.ron", SMALL);
    folder.write("outgrow.bash", folder.outgrow(&["completions", "bash"]).stdout);
    let completed = |words: &str, last: &str| {
        let ask = format!(
            "source outgrow.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _outgrow_scenarios outgrow {last} ''; echo \"${{COMPREPLY[@]}}\""
        );
        let shell = std::process::Command::new("bash").args(["--norc", "-c", &ask]).current_dir(folder.path()).output();
        shell.ok().map(|output| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    if completed("outgrow r", "r").is_none() {
        return;
    }
    assert_eq!(completed("outgrow r", "r").as_deref(), Some("run reference"));
    assert_eq!(completed("outgrow list ba", "ba").as_deref(), Some("balancers balking backoffs"));
    assert_eq!(completed("outgrow run --se", "--se").as_deref(), Some("--set --seed --series"));
    let scenarios = "retry-mine.ron retry-storm retry-storm-capped retry-budget";
    assert_eq!(completed("outgrow run retry-", "retry-").as_deref(), Some(scenarios));
    assert_eq!(completed("outgrow check shop.ron retry-", "retry-").as_deref(), Some(scenarios));
}

#[test]
fn completions_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.outgrow(&["completions", shell]).fine().clone();
        let completes = ["completions", "replications"].iter().all(|word| script.stdout.contains(word));
        assert!(completes, "{shell} does not know the commands and options");
        let scenarios = script.stdout.matches("world-cup-night").count();
        assert_eq!(scenarios > 0, ["bash", "zsh", "fish"].contains(&shell), "{shell}");
        assert_eq!(script.stderr, "");
    }
    folder.outgrow(&["completions", "bahs"]).refused(&["'bash'"]);
}

#[test]
fn every_command_has_examples_in_its_help() {
    let folder = Folder::new();
    for command in ["story", "night", "run", "check", "list", "new", "completions"] {
        for arguments in [[command, "--help"], ["help", command]] {
            let help = folder.outgrow(&arguments).fine().clone();
            assert!(help.stdout.contains(&format!("Examples:\n  outgrow {command}")), "{}", help.stdout);
            assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
            assert_eq!(help.stderr, "");
        }
    }
    for arguments in [&["--help"][..], &["help"], &["-h"]] {
        let help = folder.outgrow(arguments).fine().stdout.clone();
        assert!(help.contains("Exit codes:") && help.contains("Examples:"), "{help}");
    }
    assert!(folder.outgrow(&["--version"]).fine().stdout.starts_with("outgrow "));
}

#[test]
fn usage_errors_say_what_was_meant() {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    folder.outgrow(&["rnu", "small.ron"]).refused(&["'run'"]);
    folder.outgrow(&["small.ron"]).refused(&["unrecognized subcommand 'small.ron'", "outgrow run small.ron"]);
    folder.outgrow(&["run"]).refused(&["FILE|NAME", "--help"]);
    folder.outgrow(&["run", "small.ron", "--sed", "3"]).refused(&["'--sed'", "--seed"]);
}

#[test]
fn colour_is_for_terminals_and_can_be_forced() {
    let folder = Folder::new();
    let forced = |no_color: &str| {
        let mut command = folder.command(&["list"]);
        command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", no_color);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!folder.outgrow(&["list"]).stdout.contains('\u{1b}'));
    assert!(forced("").contains('\u{1b}'));
    assert!(!forced("1").contains('\u{1b}'));
}
