//! The terminal: results on stdout, all else on stderr; colour and a progress bar only for people.

use crate::interrupt;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::report::text::{self, Page, Role};
use scenarios::watcher::Watcher;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a listing is about, and what can be typed.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is there for completeness.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What to think about.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default().bold();
/// What to do.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints a result. A reader who has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Says something on stderr. If nobody can read it, there is nobody to tell.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Says what went wrong.
pub(crate) fn error(text: &str) {
    say(format_args!("{BAD}error{BAD:#}: {text}"));
}

/// Says what may not be meant.
pub(crate) fn warning(text: &str) {
    say(format_args!("{ODD}warning{ODD:#}: {text}"));
}

/// Says what to do.
pub(crate) fn help(text: &str) {
    say(format_args!("  = {HINT}help{HINT:#}: {text}"));
}

/// Paints reports. Colours are taken away again where stdout is no terminal.
struct Colours;

impl text::Style for Colours {
    fn paint(&self, role: Role, text: &str) -> String {
        let style = match role {
            Role::Heading => STRONG,
            Role::Good => AnsiColor::Green.on_default(),
            Role::Warning => AnsiColor::Yellow.on_default(),
            Role::Bad => BAD,
            Role::Faint => FAINT,
        };
        format!("{style}{text}{style:#}")
    }
}

/// The page that reports are printed on: as wide as the terminal, within reason.
pub(crate) fn page() -> Page<'static> {
    Page { width: columns().unwrap_or(100).min(120), style: &Colours }
}

/// How wide the terminal is that stdout is, if it is one.
pub(crate) fn columns() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

/// How far a command is: a bar if stderr is a terminal, or else a line now and then.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: Option<Mutex<Instant>>,
}

impl Progress {
    /// Time between two plain lines. Work that is done sooner prints none.
    const LINE_EVERY: Duration = Duration::from_secs(5);
    /// The bar counts in thousandths.
    const WHOLE: u64 = 1_000;

    /// Nothing is done yet.
    pub(crate) fn start() -> Self {
        let terminal = io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(Self::WHOLE), target);
        let style = ProgressStyle::with_template("{bar:30.cyan} {percent:>3}%  {elapsed}, {eta} left  {wide_msg:.dim}");
        bar.set_style(style.expect("the template is ours").progress_chars("━━┄"));
        Self { bar, lines: (!terminal).then(|| Mutex::new(Instant::now())) }
    }

    /// This share of the work is done; `doing` says what is done now.
    pub(crate) fn update(&self, share: f64, doing: impl Fn() -> String) {
        let share = share.clamp(0.0, 1.0);
        let Some(last) = &self.lines else {
            self.bar.set_message(doing());
            return self.bar.set_position((share * Self::WHOLE as f64) as u64);
        };
        let Ok(mut last) = last.lock() else { return };
        if last.elapsed() >= Self::LINE_EVERY {
            *last = Instant::now();
            say(format_args!("{:3.0}%  {}", share * 100.0, doing()));
        }
    }
}

/// Work that is made of many runs shows how far it is, and stops on Ctrl-C.
impl Watcher for Progress {
    fn stop(&self) -> bool {
        interrupt::asked()
    }

    fn progress(&self, share: f64, doing: &str) {
        self.update(share, || doing.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The words of a text, in lines of at most so many characters where words allow.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text from outside, on one line and without characters that could move the cursor.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
