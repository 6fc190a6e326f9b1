//! Changes to single values; every other byte of the text stays.

use super::Document;
use super::scan::{end_of_comment, is_raw_part, is_word_part, is_word_start};
use super::tree::{Id, Node, Shape, Span, Tree};
use super::{Path, Segment};
use serde::de::IgnoredAny;

/// Why a value cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is nothing at the path, and nothing that could hold it.
    #[error("there is no `{path}` in {file}")]
    NotFound {
        /// The path asked for.
        path: Path,
        /// The file, as shown to people.
        file: String,
    },
    /// The new text is not a single RON value.
    #[error("`{text}` is not a value: {reason}")]
    NotAValue {
        /// The text given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name cannot be that of a field.
    #[error("`{name}` cannot be the name of a field")]
    NotAName {
        /// The name given.
        name: String,
    },
    /// What has a fixed place (the root, a value in an enum variant's parentheses) can be replaced,
    /// but not removed.
    #[error("`{path}` can be replaced, but not removed")]
    NotRemovable {
        /// The path asked for.
        path: Path,
    },
    /// The file must be put right before it can be changed.
    #[error("{file} has errors of syntax; put them right first")]
    Broken {
        /// The file, as shown to people.
        file: String,
    },
}

impl Document {
    /// Replaces the value at a path with another, given as RON.
    ///
    /// A field, entry or list item (at the position after the last) that is not there yet is added
    /// after the last one, in the same layout, and so is what it stands in: `queue: (cap: 10)` for
    /// `queue.cap`. Only an entry is not added to a map that is there in order to hold something: its
    /// name is likely misspelt. If a name appears twice, the first is meant.
    ///
    /// # Errors
    /// If there is no place for it, or the text is not exactly one value. Then nothing changes.
    pub fn set(&mut self, path: &Path, ron_text: &str) -> Result<(), EditError> {
        let value = one_value(ron_text)?;
        let tree = self.sound_tree()?;
        let edits = if let Some(id) = tree.find(path) {
            vec![Edit { span: tree[id].span, text: value.to_owned() }]
        } else {
            let missing = || EditError::NotFound { path: path.clone(), file: self.name.clone() };
            let (parent, rest) = Self::deepest(tree, path);
            let (first, inside) = rest.split_first().ok_or_else(missing)?;
            let value = brackets(first, inside, value)?.ok_or_else(missing)?;
            let (parent, prefix) = home(tree, parent, first)?.ok_or_else(missing)?;
            if tree[parent].shape == Shape::Map && !inside.is_empty() {
                return Err(missing());
            }
            self.insertion(tree, parent, prefix + &value)
        };
        self.apply(edits)
    }

    /// Removes a field, an entry or a list item, with its comma, and its line if nothing else is on
    /// it. Comments beside it stay.
    ///
    /// # Errors
    /// If there is no such value, or it has a fixed place. Then nothing changes.
    pub fn remove(&mut self, path: &Path) -> Result<(), EditError> {
        let tree = self.sound_tree()?;
        let missing = || EditError::NotFound { path: path.clone(), file: self.name.clone() };
        let id = tree.find(path).ok_or_else(missing)?;
        let fixed = || EditError::NotRemovable { path: path.clone() };
        let parent = tree[id].parent.ok_or_else(fixed)?;
        if tree[parent].shape == Shape::Tuple {
            return Err(fixed());
        }
        let edits = self.removal(tree, parent, id);
        self.apply(edits)
    }

    /// How far along a path there is something, and the names that stand there: where a path that leads
    /// nowhere goes astray.
    #[must_use]
    pub fn astray(&self, path: &Path) -> Option<(Path, Vec<&str>)> {
        let tree = self.tree.as_ref()?;
        let (id, rest) = Self::deepest(tree, path);
        let names = tree[id].children.iter().filter_map(|child| tree.name(*child)).collect();
        (!rest.is_empty()).then(|| (Path(path.0[..path.0.len() - rest.len()].to_vec()), names))
    }

    /// The last thing along a path that is there, and the rest of the path.
    fn deepest<'a>(tree: &Tree, path: &'a Path) -> (Id, &'a [Segment]) {
        let (mut id, mut rest) = (Tree::ROOT, path.0.as_slice());
        while let [first, inside @ ..] = rest
            && let Some(child) = tree.child(id, first)
        {
            (id, rest) = (child, inside);
        }
        (id, rest)
    }

    /// The tree, if edits can rely on it.
    fn sound_tree(&self) -> Result<&Tree, EditError> {
        let tree = self.tree.as_ref().filter(|_| self.faults.is_empty());
        tree.ok_or_else(|| EditError::Broken { file: self.name.clone() })
    }

    /// Changes the text, unless that would break it (too deep a nesting, say).
    fn apply(&mut self, mut edits: Vec<Edit>) -> Result<(), EditError> {
        edits.sort_by_key(|edit| edit.span.start);
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for edit in &edits {
            text.push_str(&self.text[at..edit.span.start]);
            text.push_str(&edit.text);
            at = edit.span.end;
        }
        text.push_str(&self.text[at..]);
        let changed = Self::parse(&self.name, &text);
        if let Some(fault) = changed.faults.first() {
            let text = edits.into_iter().map(|edit| edit.text).collect();
            return Err(EditError::NotAValue { text, reason: fault.message.clone() });
        }
        *self = changed;
        Ok(())
    }

    /// A new entry behind the last one.
    fn insertion(&self, tree: &Tree, parent: Id, entry: String) -> Vec<Edit> {
        let close = tree[parent].span.end - 1;
        let Some(last) = tree[parent].children.last().map(|id| &tree[*id]) else {
            return vec![self.first_entry(close, entry)];
        };
        let (after, comma) = last.comma.map_or((last.span.end, ""), |comma| (comma + 1, ","));
        let Some(line_end) = end_of_line(&self.text, after) else {
            let separator = if comma.is_empty() { ", " } else { " " };
            return vec![Edit::insert(after, format!("{separator}{entry}{comma}"))];
        };
        let line_break = if self.text[line_end..].starts_with('\r') { "\r\n" } else { "\n" };
        let indent = self.indent(start_of(last));
        let mut edits = vec![Edit::insert(line_end, format!("{line_break}{indent}{entry}{comma}"))];
        if last.comma.is_none() {
            edits.insert(0, Edit::insert(last.span.end, ",".to_owned()));
        }
        edits
    }

    /// The only entry of brackets that end at `close`.
    fn first_entry(&self, close: usize, entry: String) -> Edit {
        let indent = self.indent(close);
        let line = self.lines.start_of(close);
        if line > 0 && line + indent.len() == close {
            let line_break = if self.text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
            return Edit::insert(line, format!("{indent}    {entry},{line_break}"));
        }
        let gap = if self.text[..close].ends_with("*/") { " " } else { "" };
        Edit::insert(close, format!("{gap}{entry}"))
    }

    /// The blanks a line starts with.
    fn indent(&self, at: usize) -> &str {
        let line = &self.text[self.lines.start_of(at)..at];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    fn removal(&self, tree: &Tree, parent: Id, id: Id) -> Vec<Edit> {
        let node = &tree[id];
        let mut edits = Vec::new();
        let end = match node.comma {
            // A comment before the comma stays.
            Some(comma) if !self.text[node.span.end..comma].trim().is_empty() => {
                edits.push(Edit::cut(comma, comma + 1));
                node.span.end
            }
            Some(comma) => comma + 1,
            None => node.span.end,
        };
        let siblings = &tree[parent].children;
        let is_last = siblings.last() == Some(&id);
        let (start, end) = self.with_blanks(start_of(node), end, is_last);
        edits.push(Edit::cut(start, end));
        // The new last one has no comma either.
        if let [.., before, _] = siblings[..]
            && is_last
            && node.comma.is_none()
            && let Some(comma) = tree[before].comma
        {
            edits.push(Edit::cut(comma, comma + 1));
        }
        edits
    }

    /// What to cut with an entry: its lines, if it has them to itself, or else the blanks on one side.
    fn with_blanks(&self, start: usize, end: usize, is_last: bool) -> (usize, usize) {
        let blank = [' ', '\t'];
        let before = self.text[..start].trim_end_matches(blank).len();
        let after = self.text.len() - self.text[end..].trim_start_matches(blank).len();
        let line = self.lines.start_of(start);
        let rest = &self.text[after..];
        let line_break = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        if before == line && line > 0 && line_break > 0 {
            (line, after + line_break)
        } else if before > line && (line_break > 0 || is_last) {
            (before, end)
        } else {
            (start, after)
        }
    }
}

/// A stretch of text and what stands there afterwards.
struct Edit {
    span: Span,
    text: String,
}

impl Edit {
    const fn insert(at: usize, text: String) -> Self {
        Self { span: Span::new(at, at), text }
    }

    const fn cut(start: usize, end: usize) -> Self {
        Self { span: Span::new(start, end), text: String::new() }
    }
}

/// Checks that a text is one value and nothing else, not even a comment.
fn one_value(text: &str) -> Result<&str, EditError> {
    let value = text.trim();
    let wrong = |reason: &str| EditError::NotAValue { text: value.to_owned(), reason: reason.to_owned() };
    let document = Document::parse("", value);
    if let Some(fault) = document.faults.first() {
        return Err(wrong(&fault.message));
    }
    if document.get(&Path::root()) != Some(value) {
        return Err(wrong("there is more than a value"));
    }
    match super::ron().from_str::<IgnoredAny>(value) {
        Ok(_) => Ok(value),
        Err(error) => Err(wrong(&super::explain::in_lower_case(&error.code))),
    }
}

/// Which brackets a new entry goes into, and what stands before its value.
fn home(tree: &Tree, parent: Id, last: &Segment) -> Result<Option<(Id, String)>, EditError> {
    let node = &tree[parent];
    let prefix = match (last, node.shape) {
        (Segment::Index(index), Shape::List) if *index == node.children.len() => String::new(),
        (Segment::Name(name), Shape::Struct) => format!("{}: ", field(name)?),
        (Segment::Name(name), Shape::Tuple) => match node.children[..] {
            [] => format!("{}: ", field(name)?),
            [only] => return home(tree, only, last),
            _ => return Ok(None),
        },
        (Segment::Name(name), Shape::Map) => format!("{}: ", key(tree, node, name)),
        _ => return Ok(None),
    };
    Ok(Some((parent, prefix)))
}

/// Fields that hold a map. All others that hold something by name hold fields.
const MAPS: [&str; 6] = ["services", "clients", "calls", "endpoints", "mix", "windows"];

/// The value of `first` such that the rest of a path leads to `value` inside it; none if a list would
/// have to begin elsewhere than at its first item.
fn brackets(first: &Segment, inside: &[Segment], value: &str) -> Result<Option<String>, EditError> {
    let Some((next, further)) = inside.split_first() else { return Ok(Some(value.to_owned())) };
    let Some(value) = brackets(next, further, value)? else { return Ok(None) };
    let is_map = matches!(first, Segment::Name(name) if MAPS.contains(&name.as_str()));
    Ok(match next {
        Segment::Index(0) => Some(format!("[{value}]")),
        Segment::Index(_) => None,
        Segment::Name(name) if is_map => Some(format!("{{{}: {value}}}", quoted(name))),
        Segment::Name(name) => Some(format!("({}: {value})", field(name)?)),
    })
}

/// A field name as it is written.
fn field(name: &str) -> Result<String, EditError> {
    if name.starts_with(is_word_start) && name.chars().all(is_word_part) {
        Ok(name.to_owned())
    } else if !name.is_empty() && name.chars().all(is_raw_part) {
        Ok(format!("r#{name}"))
    } else {
        Err(EditError::NotAName { name: name.to_owned() })
    }
}

/// A map key as it is written: like the first key of the map, a text if there is none.
fn key(tree: &Tree, map: &Node, name: &str) -> String {
    let first = map.children.first().and_then(|first| tree[*first].name.as_ref()?.key);
    if first.is_some_and(|key| tree[key].shape != Shape::Text) {
        return name.to_owned();
    }
    quoted(name)
}

/// A text as it is written.
fn quoted(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{escaped}\"")
}

/// Where an entry starts, with its name.
fn start_of(node: &Node) -> usize {
    node.name.as_ref().map_or(node.span.start, |name| name.span.start)
}

/// The end of the line, if only blanks and comments are left on it.
fn end_of_line(text: &str, mut at: usize) -> Option<usize> {
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at = end_of_comment(text, at)?;
        } else if rest.starts_with("//") {
            let line = rest.split('\n').next()?;
            return Some(at + line.strip_suffix('\r').unwrap_or(line).len());
        } else {
            return (rest.starts_with('\n') || rest.starts_with("\r\n")).then_some(at);
        }
    }
}
