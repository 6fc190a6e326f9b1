//! Runs the program in a folder of its own, which goes with the test.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its share of this module")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder in which the program is run.
pub struct Folder(TempDir);

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its name.
    pub fn write<'a>(&self, name: &'a str, text: impl AsRef<[u8]>) -> &'a str {
        std::fs::write(self.path().join(name), text).expect("a file can be written");
        name
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn names(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).expect("the folder can be listed");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name().into()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outgrow"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    pub fn outgrow(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("the program can be started").into()
    }
}

impl Ended {
    /// Checks for what every bad input must give: exit code 2, nothing on stdout, these words.
    pub fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        self.says(words);
    }

    /// Checks that all these words are on stderr.
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing from\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert!(!self.stderr.contains('\u{1b}'), "colour without a terminal: {}", self.stderr);
    }

    /// Checks that all went well.
    pub fn fine(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Stdout as the one JSON document it must be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

/// A small scenario that runs in no time.
pub const SMALL: &str = r#"(
    services: {"web": (endpoints: {"page": [Work(Exponential("20ms"))]})},
    clients: {"users": (arrivals: Poisson(Constant(30)), mix: {"web.page": 1})},
    run: (warm_up: "5s", horizon: "1min", replications: 3),
)
"#;

/// The small scenario with one part of it written differently.
pub fn small_with(part: &str, instead: &str) -> String {
    assert!(SMALL.contains(part), "{part} is not in the small scenario");
    SMALL.replace(part, instead)
}
