//! Ctrl-C: the first asks the run to stop at its next slice, the second ends the program.

use crate::exit::Exit;
use crate::term;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C from now on.
pub(crate) fn watch() {
    let watching = ctrlc::try_set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            term::say("aborted; nothing more is printed");
            std::process::exit(Exit::Stopped as i32);
        }
        term::say("stopping: what is known so far follows (Ctrl-C again to abort)");
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
