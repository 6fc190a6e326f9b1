//! What is wrong with a blueprint: the thing, the place and the remedy, all at once.

use crate::path::Path;

/// One thing that is wrong, where it stands, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands in the scenario.
    pub path: Path,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The service or `service.endpoint` that it says is not there, if that is what it says.
    pub unknown: Option<String>,
}

impl Problem {
    /// A problem with its remedy.
    pub fn new(path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { path, message: message.into(), help: Some(help.into()), unknown: None }
    }

    /// Something is named that is not there.
    pub fn unknown(path: Path, name: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { unknown: Some(name.to_owned()), ..Self::new(path, message, help) }
    }
}

/// "did you mean `x`?": the known name that is closest to what was written, if one is close.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = known.into_iter().filter(|name| are_similar(written, name));
    close.min_by_key(|name| distance(written, name))
}

/// The same, as it stands behind the message that nothing has that name; empty if none is close.
pub fn hint<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(written, known).map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"))
}

/// Whether one may be a misspelling of the other: one slip for every three letters.
pub fn are_similar(one: &str, other: &str) -> bool {
    let letters = one.chars().count().max(other.chars().count());
    letters <= 100 && distance(one, other) <= letters / 3
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}
