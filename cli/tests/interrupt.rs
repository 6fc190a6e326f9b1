//! Ctrl-C, and SIGTERM: the first ends the run and prints what is known, labelled; the second aborts.

#![cfg(unix)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Ended, Folder, small_with};

/// A scenario that would run for hours, in replications of a second or so.
fn long() -> String {
    small_with("horizon: \"1min\", replications: 3", "horizon: \"10h\", replications: 100000")
}

struct Running(Option<Child>);

impl Running {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments);
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started")))
    }

    /// Waits until the program listens for Ctrl-C and SIGTERM, which it does once a run begins.
    fn listens(&self) {
        let status = format!("/proc/{}/status", self.0.as_ref().expect("it runs").id());
        let caught = |status: &str| {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
            // Bits of SIGINT, 2, and SIGTERM, 15.
            let both = 1 << 1 | 1 << 14;
            Some(u64::from_str_radix(mask.trim(), 16).ok()? & both == both)
        };
        for _ in 0..600 {
            match std::fs::read_to_string(&status).ok().and_then(|status| caught(&status)) {
                Some(true) => return,
                Some(false) => std::thread::sleep(Duration::from_millis(50)),
                // Where the system does not tell, the pause before has to do.
                None => return,
            }
        }
        panic!("the program does not listen for Ctrl-C and SIGTERM");
    }

    fn interrupt(&self) {
        self.send("-INT");
    }

    fn send(&self, signal: &str) {
        self.listens();
        let sent = Command::new("kill")
            .args([signal, &self.0.as_ref().expect("it runs").id().to_string()])
            .status()
            .expect("kill can be run");
        assert!(sent.success());
    }

    fn end(mut self) -> Ended {
        self.0.take().expect("it runs").wait_with_output().expect("the program ends").into()
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
            assert_eq!(
                (&run["partial"]["reason"], &run["partial"]["replications_asked"]),
                (&"stopped".into(), &100_000.into())
            );
        } else {
            assert!(ended.stdout.contains("PARTIAL"), "{}", ended.stdout);
        }
    }
}

#[test]
fn termination_is_like_ctrl_c() {
    let folder = Folder::new();
    folder.write("long.ron", long());
    let running = Running::start(&folder, &["run", "long.ron", "--json"]);
    std::thread::sleep(Duration::from_secs(1));
    running.send("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    ended.says(&["stopping", "long is partial"]);
    assert_eq!(ended.json()["runs"][0]["partial"]["reason"], "stopped");
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

#[test]
fn story_and_night_can_be_stopped_too() {
    let folder = Folder::new();
    for arguments in [&[][..], &["night", "--json", "--jobs", "1"]] {
        let running = Running::start(&folder, arguments);
        std::thread::sleep(Duration::from_secs(1));
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        let what = if arguments.is_empty() { "the story is partial" } else { "the night is partial" };
        ended.says(&["stopping", what]);
        if arguments.is_empty() {
            assert!(ended.stdout.starts_with("PARTIAL"), "{}", ended.stdout);
        } else {
            assert_eq!(ended.json()["partial"], true);
        }
    }
}

#[test]
fn a_run_that_would_outgrow_time_and_memory_says_so_before() {
    let folder = Folder::new();
    folder.write("long.ron", long().replace("Constant(30)", "Constant(200000)"));
    let running = Running::start(&folder, &["run", "long.ron", "--jobs", "1"]);
    std::thread::sleep(Duration::from_millis(500));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(3));
    ended.says(&["warning: long.ron: this run handles about", "a replication may hold about", "--until"]);
}

#[test]
fn a_script_can_interrupt_what_it_has_started_in_the_background() {
    let folder = Folder::new();
    folder.write("long.ron", long());
    let program = folder.command(&["run", "long.ron"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = Running(Some(shell.spawn().expect("the shell can be started")));
    std::thread::sleep(Duration::from_secs(1));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    ended.says(&["long is partial"]);
}

/// A test that fails leaves nothing running.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.as_mut().map(Child::kill);
    }
}
