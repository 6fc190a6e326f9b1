//! Values to look at, without types: what stands where, in which shape.

use super::deserialize::{Source, Value};
use super::tree::{Id, Shape, Tree};
use super::{Document, Path, Place};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    document: &'a Document,
    tree: &'a Tree,
    id: Id,
}

impl Document {
    /// The whole value; `None` if faults leave the shape of the text in doubt.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        let tree = self.tree.as_ref().filter(|tree| !tree.nodes.is_empty())?;
        Some(Node { document: self, tree, id: Tree::ROOT })
    }
}

impl<'a> Node<'a> {
    /// What it looks like.
    #[must_use]
    pub fn shape(self) -> Shape {
        self.tree[self.id].shape
    }

    /// Its text, as written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.tree[self.id].span.of(&self.document.text)
    }

    /// The name before its parentheses, or the lone name that it is.
    #[must_use]
    pub fn tag(self) -> Option<&'a str> {
        let word = self.tree[self.id].tag?.of(&self.document.text);
        Some(word.strip_prefix("r#").unwrap_or(word))
    }

    /// Its field name or key; list items and the like have none.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.tree.name(self.id)
    }

    /// What leads to it.
    #[must_use]
    pub fn path(self) -> Path {
        self.tree.path(self.id)
    }

    /// Where it stands.
    #[must_use]
    pub fn place(self) -> Place {
        self.document.place_of(self.tree[self.id].span)
    }

    /// What it holds, in the order written. Of fields or keys with one name only the first is shown, which
    /// is what their path leads to; where a value is missing there is nothing to show.
    pub fn children(self) -> impl Iterator<Item = Self> + use<'a> {
        let mut seen = BTreeSet::new();
        let children = self.tree[self.id].children.iter().map(move |id| Self { id: *id, ..self });
        children.filter(move |child| {
            child.shape() != Shape::Hole && child.name().is_none_or(|name| seen.insert(name.to_owned()))
        })
    }

    /// The field, or the entry with that key.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Self> {
        let id = self.tree.named(self.id, name)?;
        Some(Self { id, ..self }).filter(|field| field.shape() != Shape::Hole)
    }

    /// Read as a type; `None` if it is none.
    #[must_use]
    pub fn read<T: DeserializeOwned>(self) -> Option<T> {
        let (text, dropped) = (self.document.text.as_str(), BTreeSet::new());
        let source = Source { text, tree: self.tree, dropped: &dropped };
        T::deserialize(Value::new(source, self.id)).ok()
    }
}
