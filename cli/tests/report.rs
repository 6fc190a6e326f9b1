//! `--report`: a web page beside what is printed, and what is never written over.

mod support;

use support::{Folder, SMALL, small_with};

const BEGINS: &str = "<!DOCTYPE html><!-- outgrow report -->";

fn small() -> Folder {
    let folder = Folder::new();
    folder.write("small.ron", SMALL);
    folder
}

#[test]
fn a_page_is_written_beside_what_is_printed() {
    let folder = small();
    let plain = folder.outgrow(&["run", "small.ron", "--json"]).fine().clone();
    let ended = folder.outgrow(&["run", "small.ron", "--json", "--csv", "tables", "--report", "small.html"]);
    assert_eq!(ended.fine().stdout, plain.stdout, "the page changes nothing about the document");
    ended.says(&["report: small.html", "tables"]);
    let page = folder.read("small.html");
    assert!(page.starts_with(BEGINS) && page.ends_with("</html>"));
    assert!(page.contains("outgrow run small.ron --report report.html"));
    assert!(page.contains("Over time"));
    // And nothing else is left in the folder.
    assert_eq!(folder.names().len(), 3, "{:?}", folder.names());
}

#[test]
fn the_same_bytes_on_any_number_of_threads_and_over_an_earlier_report() {
    let folder = small();
    let page = |jobs: &str, name: &str| {
        folder.outgrow(&["run", "small.ron", "--report", name, "--jobs", jobs]).fine();
        folder.read(name)
    };
    let first = page("1", "a.html");
    assert_eq!(page("2", "b.html"), first);
    assert_eq!(page("2", "a.html"), first, "an earlier report is written over");
    folder.write("empty.html", "");
    assert_eq!(page("2", "empty.html"), first, "in an empty file nothing is lost");
}

#[test]
fn commands_can_be_typed_again() {
    let folder = small();
    let set = "services.web.endpoints.page[0]=Work(Exponential(\"10ms\"))";
    folder.outgrow(&["run", "small.ron", "--set", set, "--seed", "7", "--report", "a.html"]).fine();
    let page = folder.read("a.html");
    let typed = format!("outgrow run small.ron --set '{set}' --seed 7 --report report.html");
    assert!(page.contains(&typed.replace('"', "&quot;")), "{typed}");
}

#[test]
fn two_scenarios_are_compared() {
    let folder = small();
    folder.write("faster.ron", small_with("20ms", "10ms"));
    folder.outgrow(&["run", "small.ron", "faster.ron", "--report", "a.html"]).fine();
    let page = folder.read("a.html");
    assert!(page.contains("faster compared with small") && page.contains("3 pairs of runs on the same arrivals"));
}

#[test]
fn what_is_no_report_is_never_written_over() {
    let folder = small();
    let refused = |name: &str, words: &[&str]| {
        for command in [&["run", "small.ron"][..], &["night"][..]] {
            folder.outgrow(&[command, &["--report", name]].concat()).refused(words);
        }
    };
    folder.write("notes.html", "<!DOCTYPE html><html>notes</html>");
    for name in ["small.ron", "notes.html"] {
        let before = folder.read(name);
        refused(name, &[name, "is there already", "--report OTHER"]);
        assert_eq!(folder.read(name), before);
    }
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    refused("folder", &["folder", "is no file", "--report folder/report.html"]);
    refused("reports/", &["is no file", "--report reports/report.html"]);
    refused("", &["--report <FILE>"]);
    refused("nowhere/a.html", &["there is no folder `nowhere`", "--report OTHER"]);
    refused("notes.html/a.html", &["--report OTHER"]);
    assert_eq!(folder.names().len(), 3, "{:?}", folder.names());
}

#[cfg(unix)]
#[test]
fn links_and_devices() {
    let folder = small();
    folder.outgrow(&["run", "small.ron", "--report", "/dev/null"]).refused(&["/dev/null", "--report OTHER"]);
    folder.outgrow(&["run", "small.ron", "--report", "there.html"]).fine();
    std::os::unix::fs::symlink("there.html", folder.path().join("link.html")).unwrap();
    folder.outgrow(&["run", "small.ron", "--seed", "3", "--report", "link.html"]).fine();
    assert!(folder.path().join("link.html").is_symlink(), "the link stays");
    assert!(folder.read("there.html").contains("with seed 3"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_stopped_writes_a_page_that_says_so() {
    use std::process::{Command, Stdio};
    use std::time::Duration;
    let folder = Folder::new();
    // Hours of replications of a second or so.
    folder
        .write("long.ron", small_with("horizon: \"1min\", replications: 3", "horizon: \"10h\", replications: 100000"));
    let arguments = ["run", "long.ron", "--report", "a.html", "--jobs", "1"];
    let running = folder.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let listens = |status: &str| {
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).is_ok_and(|signals| signals & 2 != 0)
    };
    let status = format!("/proc/{}/status", running.id());
    for _ in 0..600 {
        if std::fs::read_to_string(&status).is_ok_and(|status| listens(&status)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let ended = support::Ended::from(running.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["report: a.html", "is partial"]);
    let page = folder.read("a.html");
    assert!(page.starts_with(BEGINS) && page.contains(">Partial<"));
    assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
}
