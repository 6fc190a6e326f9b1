//! What is wrong with a scenario, for a person to read.

use super::Document;
use super::Path;
use super::place::Place;
use std::fmt;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run, but may not mean what its writer thinks.
    Warning,
}

/// One thing that is wrong, where it stands, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it concerns.
    pub path: Path,
    /// Where that stands. Whoever knows only the path leaves it to [`Document::report`].
    pub place: Option<Place>,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl Problem {
    /// Something that must be put right.
    #[must_use]
    pub fn error(path: Path, message: impl Into<String>) -> Self {
        Self { path, place: None, message: message.into(), help: None, severity: Severity::Error }
    }

    /// Something to think about.
    #[must_use]
    pub fn warning(path: Path, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message) }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }
}

/// All problems of one file, in the order of their places, with the text they point into.
///
/// Printed in plain text, in the way of compilers:
///
/// ```text
/// night.ron:4:9: unknown field `replica` in `Service`
///   |
/// 4 |         replica: 3,
///   |         ^^^^^^^
///   = help: did you mean `replicas`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file, as shown to people.
    pub file: String,
    /// The text of the file.
    pub text: String,
    /// The problems, each with its place if it has one.
    pub items: Vec<Problem>,
}

impl Problems {
    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Document {
    /// Gathers problems of this file: each gets its place (that of the nearest thing around it which
    /// is written, if what it concerns is not), and they are sorted by place.
    #[must_use]
    pub fn report(&self, problems: impl IntoIterator<Item = Problem>) -> Problems {
        let mut items: Vec<Problem> = problems.into_iter().collect();
        for problem in &mut items {
            problem.place = problem.place.or_else(|| self.nearest_place(&problem.path));
        }
        items.sort_by_key(|problem| problem.place.map(|place| (place.start, place.end)));
        items.dedup();
        Problems { file: self.name().to_owned(), text: self.text().to_owned(), items }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.items.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            self.write(f, problem)?;
        }
        Ok(())
    }
}

impl Problems {
    fn write(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = problem.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        let severity = if problem.severity == Severity::Warning { "warning: " } else { "" };
        writeln!(f, ": {severity}{}", problem.message)?;
        let margin = problem.place.map_or(0, |place| place.line.to_string().len());
        if let Some(place) = problem.place {
            let excerpt = Excerpt::around(&self.text, place);
            writeln!(f, "{:margin$} |", "")?;
            writeln!(f, "{} | {}", place.line, excerpt.line)?;
            writeln!(f, "{:margin$} | {}", "", excerpt.carets)?;
        }
        if let Some(help) = &problem.help {
            writeln!(f, "{:margin$} = help: {help}", "")?;
        }
        Ok(())
    }
}

/// As much of a line as fits on a terminal, and the carets below it.
struct Excerpt {
    line: String,
    carets: String,
}

impl Excerpt {
    /// Characters shown before and from the place on.
    const BEFORE: usize = 60;
    const FROM: usize = 60;

    fn around(text: &str, place: Place) -> Self {
        let before = text[..place.start].rsplit('\n').next().unwrap_or_default();
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        let from = &text[place.start..];
        let from = &from[..from.find('\n').unwrap_or(from.len())];
        let from = from.strip_suffix('\r').unwrap_or(from);

        let hidden = place.column.saturating_sub(Self::BEFORE + 1);
        let start = if hidden > 0 { "\u{2026}" } else { "" };
        let before: String = start.chars().chain(before.chars().skip(hidden)).map(printable).collect();
        let end = if from.chars().nth(Self::FROM).is_some() { "\u{2026}" } else { "" };
        let shown: String = from.chars().take(Self::FROM).map(printable).collect();

        let marked = from.len().min(place.end.saturating_sub(place.start));
        let marked = from.get(..marked).map_or(1, |marked| marked.chars().count());
        // A tab stays a tab, so that the caret stands below its character on every terminal.
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        Self { line: format!("{before}{shown}{end}"), carets: indent + &"^".repeat(marked.clamp(1, Self::FROM)) }
    }
}

/// Control characters could move the cursor of a terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { '\u{fffd}' } else { c }
}
