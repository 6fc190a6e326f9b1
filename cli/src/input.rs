//! Finding and loading the scenarios a command names: files, or entries of the library, with some
//! values changed.

use crate::problems::{Rejected, Rejection};
use crate::term;
use models::problem::did_you_mean;
use models::workload::Arrivals;
use scenarios::document::{self, Document, EditError, ReadError, Segment};
use scenarios::load::{LoadError, Loaded, Traces};
use scenarios::{expect, library};
use sim_core::time::SimDuration;
use std::path::{Path, PathBuf};

/// Whether a word names a scenario: by a file that is there, or one of the library.
pub(crate) fn names_scenario(word: &str) -> bool {
    Path::new(word).is_file() || library::find(word).is_some()
}

/// What `--set` asks for.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    path: document::Path,
    /// As it would be written in the file.
    value: String,
}

/// Reads `PATH=VALUE`. A duration may leave out its quotes, which shells take away.
pub(crate) fn change(text: &str) -> Result<Change, String> {
    let (path, value) = text.split_once('=').ok_or("there is no `=`: write for example services.web.replicas=2")?;
    let path = path.trim().parse().map_err(|error: document::PathError| error.to_string())?;
    let value = value.trim();
    // Also one with an unknown unit, which is told as such when the scenario is loaded.
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let has_unit = unit != value && !unit.is_empty() && unit.chars().all(|c| c.is_alphabetic() || c == '%');
    let needs_quotes = value.parse::<SimDuration>().is_ok() || (has_unit && !value.starts_with("0x"));
    Ok(Change { path, value: if needs_quotes { format!("\"{value}\"") } else { value.to_owned() } })
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// What is said of a scenario's name if it was changed: ` with services.web.replicas=2`.
pub(crate) fn suffix(changes: &[Change]) -> String {
    let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
    if changes.is_empty() { String::new() } else { format!(" with {}", changes.join(", ")) }
}

/// Loads every scenario that can be loaded, and gathers what is wrong with the others.
pub(crate) fn load_each(names: &[String], trace: Option<&Path>, changes: &[Change]) -> (Vec<Loaded>, Option<Rejected>) {
    let (mut loaded, mut rejected) = (Vec::new(), Vec::new());
    for name in names {
        match load(name, trace, changes) {
            Ok(scenario) => loaded.push(scenario),
            Err(rejection) => rejected.push(rejection),
        }
    }
    (loaded, (!rejected.is_empty()).then_some(Rejected(rejected)))
}

/// Loads a scenario. A file goes before a scenario of the library with the same name.
pub(crate) fn load(name: &str, trace: Option<&Path>, changes: &[Change]) -> Result<Loaded, Rejection> {
    let path = Path::new(name);
    let (document, beside) = match (Document::read(path), library::find(name)) {
        (Err(ReadError::Missing { .. }), Some(entry)) => (entry.document(), Traces::Library),
        (read, _) => {
            let document = read.map_err(|error| unreadable(name, error))?;
            (document, Traces::Folder(path.parent().map_or_else(PathBuf::new, Path::to_owned)))
        }
    };
    if ["growth", "chapters"].iter().all(|field| document.get(&document::Path::root().name(field)).is_some()) {
        return Err(Rejection::Unreadable {
            message: format!("`{name}` is a story, not a scenario"),
            help: vec![
                format!("`outgrow story {name}` plays it"),
                format!("`outgrow story {name} --evening 2.45y > evening.ron` writes a scenario of one evening"),
            ],
        });
    }
    let traces = trace.map_or(beside, |file| Traces::Instead(file.to_owned()));
    let document = changed(document, changes)?;
    let loaded = Loaded::document(document, &traces).map_err(|error| rejection(name, error));
    let loaded = loaded.and_then(|loaded| if trace.is_some() { replays(name, loaded) } else { Ok(loaded) });
    loaded.and_then(expects_what_there_is).map_err(|rejection| match rejection {
        Rejection::Problems(mut problems) if !changes.is_empty() => {
            problems.file += &suffix(changes);
            Rejection::Problems(problems)
        }
        other => other,
    })
}

/// A trace can only stand in for one that the scenario replays.
fn replays(name: &str, loaded: Loaded) -> Result<Loaded, Rejection> {
    if loaded.scenario.clients.values().any(|client| matches!(client.arrivals, Arrivals::Trace(_))) {
        return Ok(loaded);
    }
    Err(Rejection::Unreadable {
        message: format!("no client of `{name}` replays a trace, so --trace has nothing to stand in for"),
        help: vec!["give a client for example arrivals: Trace(file: \"counts.csv\")".to_owned()],
    })
}

/// A scenario that expects figures which no run of it has is refused before it is run.
fn expects_what_there_is(loaded: Loaded) -> Result<Loaded, Rejection> {
    let problems = expect::problems(&loaded);
    if problems.is_empty() { Ok(loaded) } else { Err(Rejection::Problems(loaded.document.report(problems))) }
}

/// The document with the changes made.
pub(crate) fn changed(mut document: Document, changes: &[Change]) -> Result<Document, Rejection> {
    for change in changes {
        if let Some(meant) = below_services(&document, change) {
            return Err(Rejection::Unreadable {
                message: format!("--set {change}: there is no `{}` in {}", change.path, document.name()),
                help: vec![format!("did you mean {meant}?")],
            });
        }
        match document.set(&change.path, &change.value) {
            // What is wrong with its syntax is told when it is loaded.
            Ok(()) | Err(EditError::Broken { .. }) => {}
            Err(error) => {
                let help = match error {
                    EditError::NotFound { .. } => instead(&document, change),
                    _ => "write the value as in the file; a text needs quotes: --set 'title=\"Shop\"'".to_owned(),
                };
                return Err(Rejection::Unreadable { message: format!("--set {change}: {error}"), help: vec![help] });
            }
        }
    }
    Ok(document)
}

/// The path below `services` or `clients`, if it begins with what only stands there: `web.replicas`.
fn below_services(document: &Document, change: &Change) -> Option<document::Path> {
    let [first, _, ..] = change.path.0.as_slice() else { return None };
    if document.get(&document::Path(vec![first.clone()])).is_some() {
        return None;
    }
    let below =
        |group: &str| document::Path([&document::Path::root().name(group).0, change.path.0.as_slice()].concat());
    let is_there = |group: &str| document.get(&document::Path(below(group).0[..2].to_vec())).is_some();
    ["services", "clients"].into_iter().find(|group| is_there(group)).map(below)
}

/// What to write instead of a path that leads nowhere.
fn instead(document: &Document, change: &Change) -> String {
    let nothing = || "name a value by where it stands: services.web.replicas".to_owned();
    let Some((there, names)) = document.astray(&change.path) else { return nothing() };
    let [Segment::Name(next), inside @ ..] = &change.path.0[there.0.len()..] else {
        return format!("`{there}` is {}", document.get(&there).map_or_else(|| "nothing".to_owned(), term::printable));
    };
    let meant = |name: &str| document::Path([&there.name(name).0, inside].concat());
    match did_you_mean(next, names.iter().copied()) {
        Some(near) => format!("did you mean {}?", meant(near)),
        None if names.is_empty() => {
            format!("`{there}` is {}", document.get(&there).map_or_else(|| "nothing".to_owned(), term::printable))
        }
        None => {
            let more = if names.len() > 12 { ", ..." } else { "" };
            let names = names.iter().take(12).copied().collect::<Vec<_>>().join(", ");
            format!("`{there}` has {names}{more}; to add one, write it whole: --set '{}=( ... )'", there.name(next))
        }
    }
}

/// What keeps a scenario from being loaded, with what to do.
pub(crate) fn rejection(name: &str, error: LoadError) -> Rejection {
    match error {
        LoadError::Problems(problems) => Rejection::Problems(problems),
        LoadError::Read(error) => unreadable(name, error),
    }
}

fn unreadable(name: &str, error: ReadError) -> Rejection {
    match error {
        ReadError::Missing { file, similar } => missing(name, &file, &similar),
        ReadError::Directory { .. } => Rejection::Unreadable {
            message: error.to_string(),
            help: vec![format!("name its files: {}/*.ron", name.trim_end_matches('/'))],
        },
        error => Rejection::Unreadable { message: error.to_string(), help: Vec::new() },
    }
}

fn missing(name: &str, file: &str, similar: &[String]) -> Rejection {
    let meant = similar.iter().map(String::as_str).chain(library::near(name)).map(|name| format!("`{name}`"));
    let meant: Vec<String> = meant.collect();
    let mut help = Vec::new();
    if meant.is_empty() {
        help.push("`outgrow list library` shows the scenarios that come with the program".to_owned());
    } else {
        help.push(format!("did you mean {}?", meant.join(" or ")));
    }
    help.push("`outgrow new NAME` writes a scenario to start from".to_owned());
    let message = format!("there is no file `{file}`, and no scenario of that name in the library");
    Rejection::Unreadable { message, help }
}

/// The name of a scenario, for people.
pub(crate) fn shown(loaded: &Loaded) -> String {
    term::printable(loaded.document.name())
}
