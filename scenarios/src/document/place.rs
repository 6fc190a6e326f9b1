//! Lines and columns.

use super::tree::Span;
use std::ops::Range;

/// Where a value or name stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// One past the last byte; equal to `start` where something is missing.
    pub end: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl Place {
    /// The bytes, to slice the text with.
    #[must_use]
    pub const fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Where each line of a text starts.
#[derive(Clone, Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The start of the line that holds this byte.
    pub(super) fn start_of(&self, at: usize) -> usize {
        self.0[self.number(at) - 1]
    }

    /// Line and column of a byte. A byte order mark takes no column.
    pub(super) fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let before = &text[self.start_of(at)..at];
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        (self.number(at), before.chars().count() + 1)
    }

    pub(super) fn place(&self, text: &str, span: Span) -> Place {
        let (line, column) = self.position(text, span.start);
        Place { start: span.start, end: span.end, line, column }
    }

    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}
