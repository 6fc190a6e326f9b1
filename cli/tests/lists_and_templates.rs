//! `list`, `new`, `check`, `completions` and the help.

mod support;

use support::{Folder, SMALL};

const LISTS: [&str; 10] =
    ["acts", "arrivals", "backoffs", "balancers", "distributions", "drops", "library", "processors", "rates", "steps"];

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
    folder.outgrow(&["list", "balancer"]).refused(&["'balancers'", "possible values", "backoffs"]);
}

#[test]
fn every_template_is_written_once_and_checks() {
    for template in TEMPLATES {
        let folder = Folder::new();
        let new = folder.outgrow(&["new", "shop", "--template", template]);
        new.fine().says(&["wrote shop.ron", "outgrow run shop.ron"]);
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
  services  web
  clients   users (open)
  run       1min after a warm-up of 5s, 3 times
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
}

#[test]
fn completions_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.outgrow(&["completions", shell]).fine().clone();
        let completes = ["completions", "replications"].iter().all(|word| script.stdout.contains(word));
        assert!(completes, "{shell} does not know the commands and options");
        assert_eq!(script.stderr, "");
    }
    folder.outgrow(&["completions", "bahs"]).refused(&["'bash'"]);
}

#[test]
fn every_command_has_examples_in_its_help() {
    let folder = Folder::new();
    for command in ["night", "run", "check", "list", "new", "completions"] {
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
