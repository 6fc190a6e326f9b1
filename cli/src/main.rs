//! The headless program of Outgrow: `outgrow help` says what it does.
//!
//! Results go to stdout, everything else to stderr. With `--json`, stdout is exactly one document.

mod command;
mod exit;
mod input;
mod interrupt;
mod problems;
mod report_file;
mod term;

use std::process::ExitCode;

fn main() -> ExitCode {
    exit::guard(|| match command::parse() {
        Ok(command) => command.run().unwrap_or_else(|error| exit::tell(&error)),
        Err(exit) => exit,
    })
    .into()
}
