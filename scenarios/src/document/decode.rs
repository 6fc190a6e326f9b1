//! Decoding with all problems at once: repair and retry.
//!
//! serde stops at the first error. So whenever decoding fails, the problem is noted, the field or
//! entry it stands in is left out, and decoding starts again, until it succeeds or nothing is left
//! to leave out. What fails only because something was left out (a field is missing that we
//! ourselves dropped) is not reported, but drops what it stands in.

use super::deserialize::{Source, Value};
use super::failure::{Failure, Spot, What};
use super::problem::Problem;
use super::tree::{Id, Shape, Span, Tree};
use super::{Document, explain};
use super::{Path, Segment};
use models::problem::did_you_mean;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeSet;

/// After so many problems decoding gives up.
const MAX_PROBLEMS: usize = 100;

/// And after so many attempts: a problem may need several, each leaving out more around it.
const MAX_ROUNDS: usize = 4 * MAX_PROBLEMS;

/// What a document says, as far as it can be understood.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// The value; if there are problems, without what they concern. None if nothing sensible is left.
    pub value: Option<T>,
    /// What is wrong, in the order found: everything of [`Document::problems`], and what the types
    /// object to.
    pub problems: Vec<Problem>,
    /// The fields and entries left out of the value. What refers to them should not be reported.
    pub dropped: Vec<Path>,
}

impl<T> Decoded<T> {
    /// Whether the value is the whole truth.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.value.is_some() && self.problems.is_empty()
    }

    /// Translates a path in the value to a path in the document: the same, but for the positions in
    /// a list of which items were dropped.
    #[must_use]
    pub fn in_document(&self, path: &Path) -> Path {
        let mut found = Path::root();
        for segment in &path.0 {
            found = match segment {
                Segment::Name(name) => found.name(name),
                Segment::Index(index) => {
                    let mut dropped: Vec<usize> =
                        self.dropped.iter().filter_map(|path| position_in(path, &found)).collect();
                    dropped.sort_unstable();
                    let position = dropped.into_iter().fold(*index, |at, dropped| at + usize::from(dropped <= at));
                    found.index(position)
                }
            };
        }
        found
    }
}

/// The position of an item in a list, if that is what the path is.
fn position_in(path: &Path, list: &Path) -> Option<usize> {
    match path.0.split_last()? {
        (Segment::Index(index), parent) if parent == list.0 => Some(*index),
        _ => None,
    }
}

impl Document {
    /// Decodes the document and finds everything that is wrong with it.
    ///
    /// Of the required fields that a struct lacks, or whose values are wrong, serde tells only of the
    /// first: others that are missing from the same struct come to light once that one is right.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> Decoded<T> {
        let mut problems = self.problems();
        let Some(tree) = &self.tree else {
            return Decoded { value: None, problems, dropped: Vec::new() };
        };
        let mut repair = Repair::new(self, tree);
        let mut value = None;
        for _ in 0..MAX_ROUNDS {
            let source = Source { text: &self.text, tree, dropped: &repair.dropped };
            match T::deserialize(Value::new(source, Tree::ROOT)) {
                Ok(decoded) => {
                    value = Some(decoded);
                    break;
                }
                Err(failure) => {
                    problems.extend(repair.problem(&failure));
                    if problems.len() >= MAX_PROBLEMS || !repair.leave_out(&failure) {
                        break;
                    }
                }
            }
        }
        if problems.is_empty() {
            problems.extend(self.last_word());
        }
        if problems.len() >= MAX_PROBLEMS {
            problems.truncate(MAX_PROBLEMS);
            let end = Span::new(self.text.len(), self.text.len());
            let message = format!("there are {MAX_PROBLEMS} problems or more; the others are not shown");
            problems.push(Problem::warning(Path::root(), message).at(self.place_of(end)));
        }
        let dropped = repair.left_out.iter().map(|id| tree.path(*id)).collect();
        Decoded { value, problems, dropped }
    }

    /// `ron` decides what RON is.
    fn last_word(&self) -> Option<Problem> {
        let mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let error = super::ron().from_str::<IgnoredAny>(&self.text[mark..]).err()?;
        let end = error.span.end;
        let line = self.text.split_inclusive('\n').take(end.line - 1).map(str::len).sum::<usize>();
        let line = line.max(mark);
        let column = self.text[line..].chars().take(end.col - 1).map(char::len_utf8).sum::<usize>();
        let at = line + column;
        let problem = Problem::error(Path::root(), explain::in_lower_case(&error.code));
        Some(problem.at(self.place_of(Span::new(at, at))))
    }
}

/// What has been left out so far, and what follows from that.
struct Repair<'a> {
    document: &'a Document,
    tree: &'a Tree,
    /// Not shown to serde.
    dropped: BTreeSet<Id>,
    /// Those of the dropped that leave a gap: not the second of two fields with one name.
    left_out: Vec<Id>,
    /// Fields that may be missing without further report.
    excused: Vec<(Id, String)>,
}

impl<'a> Repair<'a> {
    fn new(document: &'a Document, tree: &'a Tree) -> Self {
        let dropped = document.duplicates(tree).into_iter().map(|(id, _)| id).collect();
        let mut repair = Self { document, tree, dropped, left_out: Vec::new(), excused: Vec::new() };
        // A field without value has been reported with the syntax.
        for hole in tree.ids().filter(|id| tree[*id].shape == Shape::Hole) {
            repair.drop(hole);
        }
        repair
    }

    /// The problem to report, unless it is only a consequence of what was left out.
    fn problem(&self, failure: &Failure) -> Option<Problem> {
        let id = self.culprit(failure);
        let is_consequence = match &failure.what {
            What::MissingField(field) => self.excused.iter().any(|(of, name)| *of == id && name == field),
            What::Said(_) | What::Length { .. } => {
                self.left_out.iter().any(|dropped| self.tree.upwards(*dropped).skip(1).any(|around| around == id))
            }
            _ => false,
        };
        (!is_consequence).then(|| explain::problem(self.document, self.tree, failure, id))
    }

    /// Leaves out the innermost field, entry or item around the failure. False if there is none.
    fn leave_out(&mut self, failure: &Failure) -> bool {
        let id = self.culprit(failure);
        let droppable = |id: &Id| {
            let parent = self.tree[*id].parent.map(|parent| self.tree[parent].shape);
            matches!(parent, Some(Shape::Struct | Shape::Map | Shape::List))
        };
        let Some(victim) = self.tree.upwards(id).find(droppable) else { return false };
        if let (What::UnknownField { found, known }, Some(parent)) = (&failure.what, self.tree[id].parent)
            && let Some(meant) = did_you_mean(found, known.iter().copied())
        {
            self.excused.push((parent, meant.to_owned()));
        }
        self.drop(victim)
    }

    /// False if it has been dropped before: then there is no way on.
    fn drop(&mut self, id: Id) -> bool {
        if let (Some(parent), Some(name)) = (self.tree[id].parent, self.tree.name(id)) {
            self.excused.push((parent, name.to_owned()));
        }
        self.left_out.push(id);
        self.dropped.insert(id)
    }

    /// The value to blame. A visitor that reads names itself complains of an unknown one only after
    /// it has read it: then the field is looked up.
    fn culprit(&self, failure: &Failure) -> Id {
        let id = match failure.at {
            Some(Spot::Value(id) | Spot::Name(id)) => id,
            None => Tree::ROOT,
        };
        match (&failure.what, failure.at) {
            (What::UnknownField { found, .. }, Some(Spot::Value(_))) => self.tree.named(id, found).unwrap_or(id),
            _ => id,
        }
    }
}
