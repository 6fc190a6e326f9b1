//! What serde and the types it fills object to, and to which value.

use super::tree::Id;
use serde::de::{self, Unexpected};
use std::fmt::{self, Display};

/// Why a value could not be decoded.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) what: What,
    pub(super) at: Option<Spot>,
    /// The struct or enum concerned, where serde does not say.
    pub(super) owner: Option<String>,
}

/// A value, or the name in front of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    Value(Id),
    Name(Id),
}

/// What went wrong, before it is put into words.
#[derive(Debug)]
pub(super) enum What {
    /// A type's own words.
    Said(String),
    /// A value of another type; what serde calls the type wanted.
    Expected(String),
    /// No name at all, where one of these was wanted.
    NoVariant {
        known: &'static [&'static str],
    },
    /// Something else, where these fields were wanted.
    NoFields {
        known: &'static [&'static str],
    },
    /// Parentheses after a variant without payload.
    TakesNothing,
    /// No parentheses after a variant with payload.
    TakesSomething,
    /// A value more than a tuple has.
    TooMany,
    /// Other than the number of values wanted.
    Length {
        found: usize,
        expected: String,
    },
    /// A text or character that `ron` cannot read.
    Ron(ron::Error),
    UnknownField {
        found: String,
        known: &'static [&'static str],
    },
    UnknownVariant {
        found: String,
        known: &'static [&'static str],
    },
    MissingField(&'static str),
    DuplicateField(&'static str),
}

impl Failure {
    pub(super) fn new(what: What) -> Self {
        Self { what, at: None, owner: None }
    }

    /// Fills in where it happened, unless that is known more precisely.
    pub(super) fn at(mut self, id: Id) -> Self {
        self.at.get_or_insert(Spot::Value(id));
        self
    }

    /// The complaint of a struct or enum itself (a missing field, say) names it.
    pub(super) fn own(self, owner: &str, id: Id) -> Self {
        if self.at.is_none() { self.of(owner).at(id) } else { self }
    }

    pub(super) fn of(mut self, owner: &str) -> Self {
        if !owner.is_empty() {
            self.owner.get_or_insert_with(|| owner.to_owned());
        }
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(What::Said(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(What::Expected(expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(What::Expected(expected.to_string()))
    }

    fn invalid_length(found: usize, expected: &dyn de::Expected) -> Self {
        Self::new(What::Length { found, expected: expected.to_string() })
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::UnknownVariant { found: found.to_owned(), known })
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::UnknownField { found: found.to_owned(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::MissingField(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(What::DuplicateField(field))
    }
}
