//! How the program ends: what its exit codes mean, and how an error that ends it is told.

use crate::problems::Rejected;
use crate::term;
use std::process::ExitCode;

/// How a command ended. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All went well.
    Fine = 0,
    /// The results are complete, but an expectation or check of them failed.
    Failed = 1,
    /// Bad input or usage: there are no results.
    BadInput = 2,
    /// Stopped early, by Ctrl-C or at a limit: what was printed is partial and says so.
    Stopped = 3,
    /// An error in Outgrow itself.
    Bug = 4,
}

/// The exit codes and what they mean.
pub(crate) const ALL: [(Exit, &str); 5] = [
    (Exit::Fine, "all went well"),
    (Exit::Failed, "an expectation or a check of results failed"),
    (Exit::BadInput, "bad input or usage; there are no results"),
    (Exit::Stopped, "stopped early by Ctrl-C or at a limit; partial results are labelled"),
    (Exit::Bug, "an error in Outgrow itself"),
];

/// The exit codes, for the help.
pub(crate) fn help() -> String {
    let lines = ALL.iter().map(|(exit, about)| format!("\n  {}  {about}", *exit as u8));
    format!("Exit codes:{}", lines.collect::<String>())
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Tells why a command could not do its work.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<Rejected>() {
        Some(rejected) => term::say(rejected),
        None => term::error(&format!("{error:#}")),
    }
    Exit::BadInput
}

/// Runs the program; a panic is a bug of ours, told as such instead of with exit code 101.
pub(crate) fn guard(program: impl FnOnce() -> Exit + std::panic::UnwindSafe) -> Exit {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
        let message = panic.payload_as_str().unwrap_or("it says nothing more");
        term::error(&format!("this is a bug in Outgrow{place}: {message}"));
        term::help("please report it, with the command line and the scenario");
    }));
    std::panic::catch_unwind(program).unwrap_or(Exit::Bug)
}
