//! What is wrong with scenarios, shown in the way of compilers: every problem of every file, each
//! with the line it stands in.
//!
//! ```text
//! error: unknown field `replica` in `Service`
//!  --> night.ron:4:9
//!   |
//! 4 |         replica: 3,
//!   |         ^^^^^^^
//!   |
//!   = help: did you mean `replicas`?
//! ```

use crate::term::{BAD, HINT, printable, wrapped};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use scenarios::document::{Place, Problem, Problems, Severity};
use serde_json::{Value, json};
use std::fmt;

/// Why a command got no further than its input.
#[derive(Debug)]
pub(crate) struct Rejected(pub(crate) Vec<Rejection>);

/// What is wrong with one of the scenarios asked for.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// What it says makes no sense.
    Problems(Problems),
    /// It cannot be read at all: why, and what to do.
    Unreadable {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Vec<String>,
    },
}

impl std::error::Error for Rejected {}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rejection in &self.0 {
            match rejection {
                Rejection::Problems(problems) => f.write_str(&render(problems))?,
                Rejection::Unreadable { message, help } => {
                    writeln!(f, "{BAD}error{BAD:#}: {}", printable(message))?;
                    for help in help {
                        let lines = wrapped(&printable(help), 88).join("\n          ");
                        writeln!(f, "  = {HINT}help{HINT:#}: {lines}")?;
                    }
                    writeln!(f)?;
                }
            }
        }
        let count: usize = self.0.iter().map(Rejection::count).sum();
        let s = if count == 1 { "" } else { "s" };
        write!(f, "{BAD}{count} problem{s}{BAD:#}")?;
        if self.0.len() > 1 {
            write!(f, " in {} scenarios", self.0.len())?;
        }
        Ok(())
    }
}

impl Rejection {
    fn count(&self) -> usize {
        match self {
            Self::Problems(problems) => {
                problems.items.iter().filter(|problem| problem.severity == Severity::Error).count()
            }
            Self::Unreadable { .. } => 1,
        }
    }

    /// The problems for programs, in the form of the function below.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Problems(problems) => json(problems),
            Self::Unreadable { message, help } => {
                let help = if help.is_empty() { Value::Null } else { help.join("; ").into() };
                let nowhere = Value::Null;
                json!([{
                    "severity": "error", "message": message, "help": help,
                    "file": nowhere, "path": nowhere, "line": nowhere, "column": nowhere,
                }])
            }
        }
    }
}

/// Problems for programs: each with severity, message, help, file, path, line and column, null where
/// there is none.
pub(crate) fn json(problems: &Problems) -> Value {
    let one = |problem: &Problem| {
        json!({
            "severity": match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "message": problem.message,
            "help": problem.help,
            "file": problems.file,
            "path": problem.path.to_string(),
            "line": problem.place.map(|place| place.line),
            "column": problem.place.map(|place| place.column),
        })
    };
    problems.items.iter().map(one).collect()
}

/// All problems of a file, each followed by an empty line.
pub(crate) fn render(problems: &Problems) -> String {
    problems.items.iter().map(|problem| shown(group(problems, problem)) + "\n\n").collect()
}

fn shown(group: Group<'_>) -> String {
    Renderer::styled().render(&[group])
}

fn group<'a>(problems: &'a Problems, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(problem.message.as_str());
    let group = match problem.place {
        Some(place) => title.element(excerpt(problems, place)),
        None => title.element(Origin::path(problems.file.as_str())),
    };
    group.elements(problem.help.as_ref().map(|help| Level::HELP.message(help.as_str())))
}

/// The line a problem stands in, with the place marked.
fn excerpt<'a>(problems: &'a Problems, place: Place) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = problems.text.as_str();
    let start = text[..place.start].rfind('\n').map_or(0, |line_break| line_break + 1);
    let start = if text[start..].starts_with('\u{feff}') { start + '\u{feff}'.len_utf8() } else { start };
    let line = text[start..].lines().next().unwrap_or_default();
    let from = (place.start.max(start) - start).min(line.len());
    let to = (place.end.max(start) - start).clamp(from, line.len());
    Snippet::source(line)
        .line_start(place.line)
        .path(problems.file.as_str())
        .annotation(AnnotationKind::Primary.span(from..to))
}
