//! Simulated time: an integer count of nanoseconds.
//!
//! Ties are exact, nothing drifts, and two runs compare bit for bit. A `u64` of nanoseconds spans
//! 584 years. Floating point meets time only where a sample is drawn ([`SimDuration::from_secs_f64`]).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// An instant: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A span of simulated time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `secs` whole seconds after the start.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for statistics and display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The span from `earlier` to here.
    ///
    /// # Panics
    /// If `earlier` is later: effects never precede their causes.
    #[inline]
    pub fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.checked_sub(earlier.0).expect("an instant asked how long since a later one"))
    }

    /// This instant moved later by `span`, at most [`SimTime::MAX`].
    pub const fn saturating_add(self, span: SimDuration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// A span of `secs` whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    /// The span nearest to `secs` seconds; what is negative or not a number becomes zero, what is
    /// too long becomes [`SimDuration::MAX`].
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * NANOS_PER_SEC as f64 + 0.5) as u64)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, for statistics and display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The span nearest to `factor` times this one; a factor that is negative or not a number counts as 0.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor + 0.5) as u64)
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;

    fn add(self, span: SimDuration) -> Self {
        Self(self.0.checked_add(span.0).expect("simulated time ran past 584 years"))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}

impl Add for SimDuration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for SimDuration {
    type Output = Self;

    /// Never below zero.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Units a person may write, longest first, with their length in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    // A Julian year: 365.25 days.
    ("y", 31_557_600 * NANOS_PER_SEC),
    ("d", 86_400 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
    ("min", 60 * NANOS_PER_SEC),
    ("s", NANOS_PER_SEC),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The unit that a person has in mind who writes another word for it: `m` or `mins` for `min`.
fn meant(unit: &str) -> Option<&'static str> {
    let lower = unit.to_lowercase();
    Some(match lower.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(&lower) {
        "a" | "yr" | "year" => "y",
        "day" => "d",
        "hr" | "hour" => "h",
        "m" | "minute" => "min",
        "sec" | "second" => "s",
        "msec" | "milli" | "millisecond" => "ms",
        "usec" | "micro" | "microsecond" => "us",
        "nsec" | "nano" | "nanosecond" => "ns",
        known => UNITS.iter().map(|(name, _)| *name).find(|name| *name == known)?,
    })
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number without a unit.
    #[error("the duration \"{0}\" has no unit: write for example \"{0}s\" or \"{0}ms\"")]
    NoUnit(String),
    /// A unit that is not known.
    #[error(
        "the duration \"{text}\" has the unknown unit \"{unit}\"{}: use y, d, h, min, s, ms, us or ns",
        meant(unit).map_or_else(String::new, |unit| format!(" (did you mean {unit}?)"))
    )]
    UnknownUnit {
        /// What was written.
        text: String,
        /// The part that was taken for a unit.
        unit: String,
    },
    /// No number in front of the unit, or one that is negative or not finite.
    #[error(
        "\"{0}\" is no duration: write a number that is not negative and a unit, for example \"800ms\" or \"1h 30min\""
    )]
    NoNumber(String),
    /// Longer than simulated time can be.
    #[error("the duration \"{0}\" is longer than 584 years")]
    TooLong(String),
}

impl FromStr for SimDuration {
    type Err = DurationError;

    /// Reads `"800ms"`, `"1.5h"` or `"1h 30min"`.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut total: f64 = 0.0;
        let mut exact: u64 = 0;
        let mut whole = true;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(DurationError::NoNumber(text.to_owned()));
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let number = number.replace('_', "");
            let value: f64 = number.parse().map_err(|_| DurationError::NoNumber(text.to_owned()))?;
            let tail = tail.trim_start();
            let letters = tail.find(|c: char| !c.is_alphabetic() && c != 'µ').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            if unit.is_empty() {
                return Err(DurationError::NoUnit(text.to_owned()));
            }
            let canonical = unit.replace(['µ', 'μ'], "u");
            let &(_, nanos) = UNITS
                .iter()
                .find(|(name, _)| *name == canonical)
                .ok_or_else(|| DurationError::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() })?;
            total += value * nanos as f64;
            match number.parse::<u64>().ok().and_then(|n| n.checked_mul(nanos)).and_then(|n| exact.checked_add(n)) {
                Some(sum) if whole => exact = sum,
                _ => whole = false,
            }
            rest = tail.trim_start();
        }
        if whole {
            Ok(Self(exact))
        } else if total < u64::MAX as f64 {
            Ok(Self(total.round_ties_even() as u64))
        } else {
            Err(DurationError::TooLong(text.to_owned()))
        }
    }
}

impl fmt::Display for SimDuration {
    /// The shortest text that reads back as the same span: one number with the largest unit that
    /// divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let &(name, nanos) = UNITS.iter().find(|(_, nanos)| self.0.is_multiple_of(*nanos)).expect("1 ns divides all");
        write!(f, "{}{name}", self.0 / nanos)
    }
}

impl fmt::Display for SimTime {
    /// As a duration where that is short, otherwise in seconds, rounded to milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(NANOS_PER_SEC) || self.0 < NANOS_PER_SEC {
            SimDuration(self.0).fmt(f)
        } else {
            write!(f, "{:.3}s", self.as_secs_f64())
        }
    }
}

/// For the reference of what can be written.
impl JsonSchema for SimDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "written": "duration" })
    }
}

impl Serialize for SimDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SimDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = SimDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes with its unit, for example \"800ms\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SimDuration, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_person_writes() {
        let check = |text: &str, nanos: u64| assert_eq!(text.parse(), Ok(SimDuration::from_nanos(nanos)), "{text}");
        check("800ms", 800_000_000);
        check("0.3s", 300_000_000);
        check("1h 30min", 5_400 * NANOS_PER_SEC);
        check("90d", 90 * 86_400 * NANOS_PER_SEC);
        check("2.5y", 78_894_000 * NANOS_PER_SEC);
        check("5 us", 5_000);
        check("5µs", 5_000);
        check("18446744073709551615ns", u64::MAX);
    }

    #[test]
    fn says_what_is_wrong_and_what_to_write() {
        let check = |text: &str, say: &str| {
            let error = text.parse::<SimDuration>().unwrap_err().to_string();
            assert!(error.contains(say), "{text}: {error}");
        };
        check("800", "has no unit");
        check("3 parsecs", "unknown unit \"parsecs\": use");
        check("5m", "unknown unit \"m\" (did you mean min?)");
        check("2 Hours", "unknown unit \"Hours\" (did you mean h?)");
        check("1min 5 secs", "unknown unit \"secs\" (did you mean s?)");
        check("3MS", "unknown unit \"MS\" (did you mean ms?)");
        check("3mins", "unknown unit \"mins\" (did you mean min?)");
        check("-3s", "not negative");
        check("", "no duration");
        check("NaNs", "no duration");
        check("999999999d", "longer than 584 years");
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["800ms", "90d", "0s", "36h", "1500ms", "7us", "90min", "6y"] {
            assert_eq!(text.parse::<SimDuration>().unwrap().to_string(), text);
        }
    }
}
