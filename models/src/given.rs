//! A number as a person gives it: bare, or with where it comes from.
//!
//! `12` and `(value: 12, source: Guess, range: (4, 20))` are the same number; the second also says
//! how far to trust it, for reports that print it and studies that vary what is guessed.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::time::SimDuration;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A value with its provenance, if that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Given<T> {
    /// The number itself.
    pub value: T,
    /// Where it comes from, if stated.
    pub provenance: Option<Provenance<T>>,
}

/// Where a number comes from and how far it may be off.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance<T> {
    /// The kind of source.
    pub source: Source,
    /// Smallest and largest plausible value.
    pub range: Option<(T, T)>,
    /// The publication, measurement or reasoning, in the writer's words.
    pub note: Option<String>,
    /// When it was read, as `YYYY-MM-DD`; a vendor's figure needs it.
    pub date: Option<String>,
}

/// The kinds of source, from firm to soft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Source {
    /// Measured on the system itself.
    Measured,
    /// Taken from a publication.
    Published,
    /// Stated by a vendor; needs a date.
    Vendor,
    /// Fitted so that the model reproduces known behaviour.
    Calibrated,
    /// A guess; sensitivity studies vary it first.
    Guess,
}

/// What can be written as a bare number or duration.
pub trait Plain: Sized + PartialOrd + Clone {
    /// What it is, for the reference: "whole number".
    const KIND: &'static str;

    /// What is expected, for messages: "a whole number, for example 3".
    const EXPECTS: &'static str;

    /// From a whole number.
    fn from_u64(_: u64) -> Option<Self> {
        None
    }

    /// From a number with a fraction.
    fn from_f64(_: f64) -> Option<Self> {
        None
    }

    /// From a quoted text.
    ///
    /// # Errors
    /// What is wrong with the text; `Ok(None)` if no text is expected at all.
    fn from_text(_: &str) -> Result<Option<Self>, String> {
        Ok(None)
    }

    /// A plain text that reads back as the same value, for reports.
    fn text(&self) -> String;
}

impl Plain for u32 {
    const KIND: &'static str = "whole number";

    const EXPECTS: &'static str = "a whole number that is not negative, for example 3";

    fn from_u64(n: u64) -> Option<Self> {
        n.try_into().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Plain for f64 {
    const KIND: &'static str = "number";

    const EXPECTS: &'static str = "a finite number that is not negative, for example 0.8";

    fn from_u64(n: u64) -> Option<Self> {
        Some(n as f64)
    }

    fn from_f64(x: f64) -> Option<Self> {
        (x.is_finite() && x >= 0.0).then_some(x)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Plain for SimDuration {
    const KIND: &'static str = "duration";

    const EXPECTS: &'static str = "a duration in quotes with its unit, for example \"800ms\"";

    fn from_text(text: &str) -> Result<Option<Self>, String> {
        text.parse().map(Some).map_err(|e: sim_core::time::DurationError| e.to_string())
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self { value, provenance: None }
    }
}

/// The number that is meant if none is written: 0, or no time.
impl<T: Default> Default for Given<T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T: Copy> Given<T> {
    /// The number.
    pub const fn get(&self) -> T {
        self.value
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let Some(p) = &self.provenance else {
            return self.value.serialize(serializer);
        };
        let count = 2 + usize::from(p.range.is_some()) + usize::from(p.note.is_some()) + usize::from(p.date.is_some());
        let mut s = serializer.serialize_struct("Given", count)?;
        s.serialize_field("value", &self.value)?;
        s.serialize_field("source", &p.source)?;
        if let Some(range) = &p.range {
            s.serialize_field("range", range)?;
        }
        if let Some(note) = &p.note {
            s.serialize_field("note", note)?;
        }
        if let Some(date) = &p.date {
            s.serialize_field("date", date)?;
        }
        s.end()
    }
}

impl<'de, T: Plain> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData))
    }
}

/// For the reference: in the words of its reader, and that it may carry its provenance.
impl<T: Plain> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Given {}", T::KIND).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "written": T::KIND, "provenance": true })
    }
}

struct GivenVisitor<T>(PhantomData<T>);

impl<'de, T: Plain> Visitor<'de> for GivenVisitor<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTS)
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Given<T>, E> {
        T::from_u64(n).map(Given::from).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(n), &self))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Given<T>, E> {
        let value = u64::try_from(n).ok().and_then(T::from_u64);
        value.map(Given::from).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(n), &self))
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<Given<T>, E> {
        T::from_f64(x).map(Given::from).ok_or_else(|| E::invalid_value(de::Unexpected::Float(x), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Given<T>, E> {
        match T::from_text(text) {
            Ok(Some(value)) => Ok(value.into()),
            Ok(None) => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
            Err(why) => Err(E::custom(why)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given<T>, A::Error> {
        let (mut value, mut source, mut range, mut note, mut date) = (None, None, None, None, None);
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                "value" => value = Some(map.next_value::<Given<T>>()?.value),
                "source" => source = Some(map.next_value::<Source>()?),
                "range" => {
                    let (low, high) = map.next_value::<(Given<T>, Given<T>)>()?;
                    range = Some((low.value, high.value));
                }
                "note" => note = Some(map.next_value::<String>()?),
                "date" => date = Some(map.next_value::<String>()?),
                other => {
                    return Err(de::Error::unknown_field(other, &["value", "source", "range", "note", "date"]));
                }
            }
        }
        let value = value.ok_or_else(|| de::Error::missing_field("value"))?;
        let source = source.ok_or_else(|| de::Error::missing_field("source"))?;
        if source == Source::Vendor && date.is_none() {
            return Err(de::Error::custom("a vendor's figure needs the date it was read: add date: \"2026-01-31\""));
        }
        if let Some((low, high)) = &range
            && !(*low <= value && value <= *high)
        {
            return Err(de::Error::custom(format!(
                "the value {} lies outside its own range {} to {}",
                value.text(),
                low.text(),
                high.text()
            )));
        }
        Ok(Given { value, provenance: Some(Provenance { source, range, note, date }) })
    }
}
