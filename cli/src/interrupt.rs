//! Ctrl-C, and on Unix SIGTERM: the first asks the run to stop at its next slice, the second ends the
//! program. SIGHUP stays as it is, so that what `nohup` has started outlives its terminal.

use crate::exit::Exit;
use crate::term;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C from now on; also where a shell script has started the program in the
/// background, with the signal ignored, so that `kill -INT` asks for what is known there, too.
pub(crate) fn watch() {
    if let Err(error) = ctrlc::set_handler(ask) {
        term::warning(&format!("Ctrl-C will abort at once, without partial results: {error}"));
    }
    #[cfg(unix)]
    if let Err(error) = watch_termination() {
        term::warning(&format!("SIGTERM will abort at once, without partial results: {error}"));
    }
}

/// What service managers, batch systems and `kill` send.
#[cfg(unix)]
fn watch_termination() -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM])?;
    std::thread::Builder::new().name("SIGTERM".to_owned()).spawn(move || signals.forever().for_each(|_| ask()))?;
    Ok(())
}

/// The user wants the run to end.
fn ask() {
    if ASKED.swap(true, Ordering::Relaxed) {
        term::say("aborted; nothing more is printed");
        std::process::exit(Exit::Stopped as i32);
    }
    // On a terminal the line before has the progress bar, and ^C.
    let line = if std::io::stderr().is_terminal() { "\n" } else { "" };
    term::say(format_args!("{line}stopping: what is known so far follows (Ctrl-C again to abort)"));
}

/// Whether the run should stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
