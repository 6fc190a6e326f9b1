//! Finding and loading the scenarios a command names: files, or entries of the library.

use crate::problems::{Rejected, Rejection};
use models::problem::did_you_mean;
use scenarios::document::ReadError;
use scenarios::load::{LoadError, Loaded, Traces};
use std::path::Path;

/// Name and title of each scenario of the library.
// To be `scenarios::library`'s.
pub(crate) fn library() -> Vec<(&'static str, &'static str)> {
    Vec::new()
}

/// Whether a word names a scenario: by a file that is there, or one of the library.
pub(crate) fn names_scenario(word: &str) -> bool {
    Path::new(word).is_file() || library().iter().any(|(name, _)| *name == word)
}

/// Loads every scenario that can be loaded, and gathers what is wrong with the others.
pub(crate) fn load_each(names: &[String], trace: Option<&Path>) -> (Vec<Loaded>, Option<Rejected>) {
    let (mut loaded, mut rejected) = (Vec::new(), Vec::new());
    for name in names {
        match load(name, trace) {
            Ok(scenario) => loaded.push(scenario),
            Err(error) => rejected.push(rejection(name, error)),
        }
    }
    (loaded, (!rejected.is_empty()).then_some(Rejected(rejected)))
}

/// A file goes before a scenario of the library with the same name.
fn load(name: &str, trace: Option<&Path>) -> Result<Loaded, LoadError> {
    let path = Path::new(name);
    let _ = (trace, Traces::Library);
    Loaded::file(path)
}

fn rejection(name: &str, error: LoadError) -> Rejection {
    match error {
        LoadError::Problems(problems) => Rejection::Problems(problems),
        LoadError::Read(ReadError::Missing { file, similar }) => missing(name, &file, &similar),
        LoadError::Read(error) => Rejection::Unreadable { message: error.to_string(), help: Vec::new() },
    }
}

fn missing(name: &str, file: &str, similar: &[String]) -> Rejection {
    let library = library();
    let names: Vec<&str> = library.iter().map(|(name, _)| *name).collect();
    let near = did_you_mean(name.strip_suffix(".ron").unwrap_or(name), names.iter().copied());
    let mut help = Vec::new();
    let meant: Vec<String> = similar.iter().map(String::as_str).chain(near).map(|name| format!("`{name}`")).collect();
    if !meant.is_empty() {
        help.push(format!("did you mean {}?", meant.join(" or ")));
    }
    if !names.is_empty() {
        help.push(format!("in the library there are {} (outgrow list library)", names.join(", ")));
    }
    help.push("`outgrow new NAME` writes a scenario to start from".to_owned());
    Rejection::Unreadable { message: format!("there is no file `{file}`, and no scenario of that name in the library"), help }
}
