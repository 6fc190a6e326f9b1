//! Ctrl-C: the first ends the run and prints what is known, labelled; the second aborts.

#![cfg(unix)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Ended, Folder, small_with};

/// A scenario that would run for hours, in replications of a second or so.
fn long() -> String {
    small_with("horizon: \"1min\", replications: 3", "horizon: \"10h\", replications: 100000")
}

struct Running(Child);

impl Running {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started"))
    }

    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().expect("kill can be run");
        assert!(sent.success());
    }

    fn end(self) -> Ended {
        self.0.wait_with_output().expect("the program ends").into()
    }
}

#[test]
fn ctrl_c_prints_what_is_known_labelled_partial() {
    let folder = Folder::new();
    folder.write("long.ron", long());
    for json in [false, true] {
        let arguments: &[&str] = if json { &["run", "long.ron", "--json"] } else { &["run", "long.ron"] };
        let running = Running::start(&folder, arguments);
        std::thread::sleep(Duration::from_secs(3));
        running.interrupt();
        let asked = Instant::now();
        let ended = running.end();
        assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?} to stop", asked.elapsed());
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        ended.says(&["stopping", "long is partial"]);
        if json {
            let run = &ended.json()["runs"][0];
            assert_eq!((&run["partial"]["reason"], &run["partial"]["replications_asked"]), (&"stopped".into(), &100_000.into()));
        } else {
            assert!(ended.stdout.contains("PARTIAL"), "{}", ended.stdout);
        }
    }
}

#[test]
fn scenarios_that_did_not_start_are_told() {
    let folder = Folder::new();
    folder.write("long.ron", long());
    let running = Running::start(&folder, &["run", "long.ron", "long.ron", "--json"]);
    std::thread::sleep(Duration::from_secs(1));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(3));
    ended.says(&["1 more scenario did not start"]);
    assert_eq!(ended.json()["runs"].as_array().unwrap().len(), 1);
}
