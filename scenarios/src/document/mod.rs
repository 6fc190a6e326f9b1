//! The document: a scenario file as text that can be asked, edited and decoded.
//!
//! ```text
//!              parse                     decode
//!   text  ---------------->  tree  ------------------>  your types, and all problems at once
//!    ^                       |  ^
//!    |                       |  |  place: services.web.queue.cap  ->  line 7, column 21
//!    +-----------------------+  |
//!       set, remove (every other byte stays)
//! ```
//!
//! The tree says which bytes are which value and nothing else (`tree.rs`), so comments and layout
//! survive every edit, and every problem can name its line and column. Types are decoded through
//! serde straight from the tree (`deserialize.rs`), which knows the place of each value; numbers and
//! texts are read by `ron`, which also has the last word on whether a file is RON at all. Its
//! extensions `implicit_some` and `unwrap_variant_newtypes` are on without being written.
//!
//! Nothing outside this module knows how the tree is made.

mod decode;
mod deserialize;
mod edit;
mod explain;
mod failure;
mod parse;
mod place;
mod problem;
mod read;
mod scan;
mod tree;
mod walk;

pub(crate) use explain::families;

pub use decode::Decoded;
pub use edit::EditError;
pub use models::path::{Path, PathError, Segment};
pub use place::Place;
pub use problem::{Problem, Problems, Severity};
pub use read::{MAX_FILE_BYTES, ReadError};
pub use tree::Shape;
pub use walk::Node;

use parse::Fault;
use place::Lines;
use ron::extensions::Extensions;
use std::collections::HashMap;
use std::fmt;
use tree::{Id, Span, Tree};

/// A scenario file: its text, and where in it everything stands.
///
/// ```
/// use scenarios::document::{Document, Path};
///
/// let mut document = Document::parse("web.ron", "(services: {\"web\": (replicas: 3)}) // small");
/// let replicas: Path = "services.web.replicas".parse()?;
/// assert_eq!(document.get(&replicas), Some("3"));
/// assert_eq!(document.place(&replicas).map(|place| (place.line, place.column)), Some((1, 31)));
///
/// document.set(&replicas, "5")?;
/// assert_eq!(document.to_string(), "(services: {\"web\": (replicas: 5)}) // small");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    text: String,
    lines: Lines,
    /// None if the faults leave the shape of the text in doubt.
    tree: Option<Tree>,
    faults: Vec<Fault>,
}

impl Document {
    /// Parses a text. What is wrong with it is found in [`Self::problems`] and when decoding.
    ///
    /// The name is that of the file, as shown to people.
    #[must_use]
    pub fn parse(name: &str, text: &str) -> Self {
        let lines = Lines::of(text);
        let (tree, faults) = parse::parse(text, &lines);
        Self { name: name.to_owned(), text: text.to_owned(), lines, tree, faults }
    }

    /// The name of the file, as shown to people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the file without folder and ending: what a scenario or a story is called.
    #[must_use]
    pub fn stem(&self) -> String {
        let stem = std::path::Path::new(&self.name).file_stem();
        stem.map_or_else(|| self.name.clone(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The text, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of the value at a path.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&str> {
        let (tree, id) = self.find(path)?;
        Some(tree[id].span.of(&self.text))
    }

    /// Where the value at a path stands.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<Place> {
        let (tree, id) = self.find(path)?;
        Some(self.place_of(tree[id].span))
    }

    /// Where the field name or key of the value at a path stands. List items and the like have none.
    #[must_use]
    pub fn place_of_name(&self, path: &Path) -> Option<Place> {
        let (tree, id) = self.find(path)?;
        Some(self.place_of(tree[id].name.as_ref()?.span))
    }

    /// What is wrong before anyone asks what the scenario means: breaches of syntax, and fields and
    /// keys that appear twice.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.faults.iter().map(|fault| self.fault(fault)).collect();
        let duplicates = self.tree.iter().flat_map(|tree| self.duplicates(tree));
        problems.extend(duplicates.map(|(_, problem)| problem));
        problems
    }

    fn find(&self, path: &Path) -> Option<(&Tree, Id)> {
        let tree = self.tree.as_ref()?;
        let id = tree.find(path)?;
        (tree[id].shape != Shape::Hole).then_some((tree, id))
    }

    fn place_of(&self, span: Span) -> Place {
        self.lines.place(&self.text, span)
    }

    /// The place to point at for a problem with a path, or with the nearest thing around it that is
    /// written.
    fn nearest_place(&self, path: &Path) -> Option<Place> {
        let tree = self.tree.as_ref()?;
        let paths = std::iter::successors(Some(path.clone()), Path::parent);
        let id = paths.into_iter().find_map(|path| tree.find(&path))?;
        Some(self.place_of(self.head(tree, id)))
    }

    /// What to point at for a whole value: the value if it fits on a line, or else its name.
    fn head(&self, tree: &Tree, id: Id) -> Span {
        let node = &tree[id];
        match (&node.name, node.tag) {
            _ if node.shape != Shape::Hole && !node.span.of(&self.text).contains('\n') => node.span,
            (Some(name), _) => name.span,
            (None, Some(tag)) => tag,
            (None, None) => Span::new(node.span.start, (node.span.start + 1).min(node.span.end)),
        }
    }

    fn fault(&self, fault: &Fault) -> Problem {
        let path = self.path_around(fault.span);
        let problem = Problem::error(path, &fault.message).at(self.place_of(fault.span));
        Problem { help: fault.help.clone(), ..problem }
    }

    /// The path of the innermost value around some bytes.
    fn path_around(&self, span: Span) -> Path {
        let Some(tree) = &self.tree else { return Path::root() };
        let around = |id: &Id| tree[*id].span.start <= span.start && span.end <= tree[*id].span.end;
        tree.ids().filter(around).last().map_or(Path::root(), |id| tree.path(id))
    }

    /// Fields and keys whose name has stood in the same brackets before.
    fn duplicates(&self, tree: &Tree) -> Vec<(Id, Problem)> {
        let mut duplicates = Vec::new();
        for id in tree.ids() {
            let mut seen = HashMap::new();
            for child in &tree[id].children {
                let Some(name) = &tree[*child].name else { continue };
                let Some(first) = seen.insert(name.text.as_str(), name.span) else { continue };
                seen.insert(name.text.as_str(), first);
                let (line, column) = self.lines.position(&self.text, first.start);
                let message = format!("`{}` appears twice, first at {line}:{column}", name.text);
                let problem = Problem::error(tree.path(*child), message).at(self.place_of(name.span));
                duplicates.push((*child, problem.with_help("remove or rename one of them")));
            }
        }
        duplicates
    }
}

/// The text, byte for byte.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `ron` with the extensions scenarios are written in.
fn ron() -> ron::Options {
    // The parser has limited the depth of brackets; each costs `ron` a few steps of recursion.
    ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
        .with_recursion_limit(16 * parse::MAX_DEPTH)
}
