//! The syntax tree: which bytes of the text are which value.
//!
//! The tree holds no text, only spans into it, so what is not a value (comments, blanks, commas) is
//! kept for free. Nodes live in one vector and know their parent, so a place can be turned back
//! into a path.
//!
//! ```text
//!   queue: Shared(cap: 1_500),        the node of the field `queue`
//!   -----  ------                     name, tag
//!          ------------------         span
//!                 ----------          its only child, named `cap`
//! ```

use super::{Path, Segment};

/// A half-open range of byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The part of the text this span covers.
    pub(super) fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// A node of a [`Tree`], by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) usize);

/// What a value looks like, before anyone asks what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `"text"`, also raw.
    Text,
    /// `'c'`.
    Char,
    /// `3`, `-0.5`, `inf`, and anything else that starts like a number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `b"bytes"`.
    Bytes,
    /// A name alone: `Fixed`, `None`.
    Bare,
    /// `(a: 1)` or `Name(a: 1)`.
    Struct,
    /// `(1, 2)`, `Name(1)`, `()`, `Name()`.
    Tuple,
    /// `[1, 2]`.
    List,
    /// `{"a": 1}`.
    Map,
    /// Nothing, where a value should be: `(a: , b: 2)`.
    Hole,
}

/// The field name or map key of a value.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// As read: without quotes, escapes resolved.
    pub(super) text: String,
    pub(super) span: Span,
    /// The key as a value of its own; none for a field, whose name is just a word.
    pub(super) key: Option<Id>,
}

/// A value and what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// The whole value, including its tag.
    pub(super) span: Span,
    /// The name before the parentheses, or the lone name: of an enum variant or a struct.
    pub(super) tag: Option<Span>,
    pub(super) name: Option<Name>,
    /// Where the comma after this value is.
    pub(super) comma: Option<usize>,
    pub(super) parent: Option<Id>,
    pub(super) children: Vec<Id>,
}

/// All values of a file. The root is the first node.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

impl std::ops::Index<Id> for Tree {
    type Output = Node;

    fn index(&self, id: Id) -> &Node {
        &self.nodes[id.0]
    }
}

impl std::ops::IndexMut<Id> for Tree {
    fn index_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0]
    }
}

impl Tree {
    pub(super) const ROOT: Id = Id(0);

    pub(super) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len()).map(Id)
    }

    /// The node a path leads to.
    pub(super) fn find(&self, path: &Path) -> Option<Id> {
        path.0.iter().try_fold(Self::ROOT, |id, segment| self.child(id, segment))
    }

    /// One step down. A name that is looked for in a lone wrapper, such as `Some((cap: 3))`, is found
    /// in what is wrapped.
    pub(super) fn child(&self, id: Id, segment: &Segment) -> Option<Id> {
        let node = &self[id];
        match (segment, node.shape) {
            (Segment::Index(index), Shape::List | Shape::Tuple) => node.children.get(*index).copied(),
            (Segment::Name(name), Shape::Struct | Shape::Map) => self.named(id, name),
            (Segment::Name(_), Shape::Tuple) if node.children.len() == 1 => self.child(node.children[0], segment),
            _ => None,
        }
    }

    /// The field or entry of that name; the first, if there are several.
    pub(super) fn named(&self, id: Id, name: &str) -> Option<Id> {
        let mut children = self[id].children.iter().copied();
        children.find(|child| self.name(*child) == Some(name))
    }

    pub(super) fn name(&self, id: Id) -> Option<&str> {
        self[id].name.as_ref().map(|name| name.text.as_str())
    }

    /// This node, what holds it, and so on up to the root.
    pub(super) fn upwards(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(id), |id| self[*id].parent)
    }

    /// The path that leads to a node.
    pub(super) fn path(&self, id: Id) -> Path {
        let mut segments: Vec<Segment> = self.upwards(id).filter_map(|id| self.segment(id)).collect();
        segments.reverse();
        Path(segments)
    }

    fn segment(&self, id: Id) -> Option<Segment> {
        let node = &self[id];
        if let Some(name) = &node.name {
            return Some(Segment::Name(name.text.clone()));
        }
        let position = self[node.parent?].children.iter().position(|child| *child == id)?;
        Some(Segment::Index(position))
    }
}
