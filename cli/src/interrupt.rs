//! Ctrl-C: the first asks the run to stop at its next slice, the second ends the program.

use crate::exit::Exit;
use crate::term;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C from now on; also where a shell script has started the program in the
/// background, with the signal ignored, so that `kill -INT` asks for what is known there, too.
pub(crate) fn watch() {
    let watching = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            term::say("aborted; nothing more is printed");
            std::process::exit(Exit::Stopped as i32);
        }
        // On a terminal the line before has the progress bar, and ^C.
        let line = if std::io::stderr().is_terminal() { "\n" } else { "" };
        term::say(format_args!("{line}stopping: what is known so far follows (Ctrl-C again to abort)"));
    });
    if let Err(error) = watching {
        term::warning(&format!("Ctrl-C will abort at once, without partial results: {error}"));
    }
}

/// Whether the run should stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// What is set once the run should stop.
pub(crate) fn flag() -> &'static AtomicBool {
    &ASKED
}
