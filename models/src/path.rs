//! Addresses inside a scenario: `services.web.endpoints.get[0]`.

use std::fmt;
use std::str::FromStr;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A field of a struct or a key of a map: both are names to a reader.
    Name(String),
    /// A position, from 0: in a list, a tuple, or among the values in an enum variant's parentheses.
    Index(usize),
}

/// Where something stands in a scenario, from the root down.
///
/// Fields and map keys read `services.web`; a name with other characters than letters, digits, `_`
/// and `-` stands in quotes, `calls."db.query"`; positions read `[0]`. The empty path is the whole
/// scenario.
///
/// The name of an enum variant or struct is no segment: in `queue: Shared(cap: 3)` the cap is
/// `queue.cap`, and in `processor: Cores(4)` the whole is `processor`, the 4 `processor[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The whole scenario.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path, one field or key deeper.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        self.then(Segment::Name(name.to_owned()))
    }

    /// This path, one position deeper.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    /// The path one step up; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_last()?;
        Some(Self(parent.to_vec()))
    }

    /// Whether `inner` is this path or lies inside it.
    #[must_use]
    pub fn contains(&self, inner: &Self) -> bool {
        inner.0.starts_with(&self.0)
    }

    fn then(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.0.push(segment);
        path
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Name(name) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    if !name.is_empty() && name.chars().all(is_plain) {
                        f.write_str(name)?;
                    } else {
                        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// A text that is no path, and from which byte on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path: expected {expected} at byte {at} (a path reads like services.web.endpoints.get[0])")]
pub struct PathError {
    text: String,
    expected: &'static str,
    at: usize,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let wrong = |expected| PathError { text: text.to_owned(), expected, at: text.len() - rest.len() };
            if let Some(inside) = rest.strip_prefix('[') {
                let (index, after) = inside.split_once(']').ok_or(wrong("a closing `]`"))?;
                let index = index.parse().map_err(|_| wrong("a position such as `[0]`"))?;
                segments.push(Segment::Index(index));
                rest = after;
                continue;
            }
            let name = match (rest.strip_prefix('.'), segments.is_empty()) {
                (Some(name), false) => name,
                (None, true) => rest,
                (Some(_), true) => return Err(wrong("a name")),
                (None, false) => return Err(wrong("`.` or `[`")),
            };
            let (name, after) = match name.strip_prefix('"') {
                Some(quoted) => unquote(quoted).ok_or(wrong("a closing quote"))?,
                None => {
                    let end = name.find(|c| !is_plain(c)).unwrap_or(name.len());
                    if end == 0 {
                        return Err(wrong("a name"));
                    }
                    (name[..end].to_owned(), &name[end..])
                }
            };
            segments.push(Segment::Name(name));
            rest = after;
        }
        Ok(Self(segments))
    }
}

/// What stands up to the closing quote, and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name, &quoted[at + 1..])),
            '\\' => name.push(chars.next()?.1),
            _ => name.push(c),
        }
    }
    None
}
