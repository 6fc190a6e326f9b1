//! What is wrong with a blueprint: the thing, the place and the remedy, all at once.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A field of a struct or a key of a map.
    Name(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// Where in the written scenario something stands, for example `services.web.endpoints.get[0]`.
///
/// The name of an enum variant is no segment: `services.app.processor` addresses `Cores(4)` whole,
/// `services.app.queue.cap` the field inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The whole document.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path, one name deeper.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Name(name.to_owned()));
        path
    }

    /// This path, one list position deeper.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                    if plain { f.write_str(name)? } else { write!(f, "{name:?}")? }
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One thing that is wrong, where it stands, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands in the scenario.
    pub path: Path,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with its remedy.
    pub fn new(path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { path, message: message.into(), help: Some(help.into()) }
    }
}

/// "did you mean `x`?" if one of the known names is close to what was written.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(written.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
