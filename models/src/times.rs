//! How often something is repeated: a number, or one drawn for each visit.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{EnumAccessDeserializer, MapAccessDeserializer};
use serde::de::{EnumAccess, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A number of loops as written: `3`, `Geometric(mean: 2.5)`, `Poisson(mean: 2)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Times {
    /// Always as many.
    Fixed(Given<u32>),
    /// After each loop comes another with the same probability, and so before the first: the mean.
    Geometric(Given<f64>),
    /// Hardly ever far from the mean, which is given.
    Poisson(Given<f64>),
}

/// How often: a whole number, for example `3`, or one drawn for each visit.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename = "Times", deny_unknown_fields)]
enum Drawn {
    /// After each loop comes another with the same probability, and so before the first: P(n) = (1-q) q^n
    /// with q = mean/(1+mean), from 0. The number of calls of a layered queueing network is such a number
    /// (Franks et al., "Enhanced modeling and solution of layered queueing networks", 2009).
    Geometric {
        /// The mean.
        mean: Given<f64>,
    },
    /// P(n) = e^-mean mean^n / n!, from 0.
    Poisson {
        /// The mean.
        mean: Given<f64>,
    },
}

/// The most loops that are compiled.
pub const MOST_LOOPS: usize = 1_000;

/// The probability of more loops that is left out.
const LEFT_OUT: f64 = 1e-12;

impl Times {
    /// Every number that is drawn.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "Geometric",
            example: "Geometric(mean: 2.5)",
            summary: "0, 1, 2, ...: after each loop another comes with the same probability",
        },
        Entry { name: "Poisson", example: "Poisson(mean: 2)", summary: "0, 1, 2, ...: hardly ever far from the mean" },
    ];

    /// The mean number.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(times) => f64::from(times.get()),
            Self::Geometric(mean) | Self::Poisson(mean) => mean.get(),
        }
    }

    /// Whether there may be no loop at all.
    pub fn may_be_none(&self) -> bool {
        !matches!(self, Self::Fixed(times) if times.get() > 0)
    }

    /// The probabilities of 0, 1, 2, ... loops, up to where hardly anything (1e-12) is left; `None` if that
    /// is more than [`MOST_LOOPS`].
    pub fn probabilities(&self) -> Option<Vec<f64>> {
        let (first, ratio): (f64, Box<dyn Fn(f64) -> f64>) = match self {
            Self::Fixed(times) => {
                let times = times.get() as usize;
                let mut all = vec![0.0; times.min(MOST_LOOPS) + 1];
                *all.last_mut()? = 1.0;
                return (times <= MOST_LOOPS).then_some(all);
            }
            Self::Geometric(mean) => {
                let q = mean.get() / (1.0 + mean.get());
                (1.0 - q, Box::new(move |_| q))
            }
            Self::Poisson(mean) => {
                let mean = mean.get();
                (libm::exp(-mean), Box::new(move |n| mean / n))
            }
        };
        let mut all = vec![first];
        let mut left = 1.0 - first;
        while left > LEFT_OUT {
            if all.len() > MOST_LOOPS {
                return None;
            }
            let next = all[all.len() - 1] * ratio(all.len() as f64);
            left -= next;
            all.push(next);
        }
        Some(all)
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(times) => times.serialize(serializer),
            Self::Geometric(mean) => Drawn::Geometric { mean: mean.clone() }.serialize(serializer),
            Self::Poisson(mean) => Drawn::Poisson { mean: mean.clone() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimesVisitor)
    }
}

impl JsonSchema for Times {
    fn schema_name() -> Cow<'static, str> {
        "Times".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Drawn::json_schema(generator)
    }
}

struct TimesVisitor;

impl<'de> Visitor<'de> for TimesVisitor {
    type Value = Times;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("how many times: a whole number, for example 3, or Geometric(mean: 2.5) or Poisson(mean: 2)")
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Times, E> {
        let n = u32::try_from(n).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(n), &self))?;
        Ok(Times::Fixed(n.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Times, A::Error> {
        Given::deserialize(MapAccessDeserializer::new(map)).map(Times::Fixed)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Times, A::Error> {
        Ok(match Drawn::deserialize(EnumAccessDeserializer::new(data))? {
            Drawn::Geometric { mean } => Times::Geometric(mean),
            Drawn::Poisson { mean } => Times::Poisson(mean),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_have_their_mean() {
        for (times, variance) in [
            (Times::Fixed(3.into()), 0.0),
            (Times::Geometric(2.5.into()), 2.5 * 3.5),
            (Times::Poisson(2.0.into()), 2.0),
            (Times::Geometric(0.0.into()), 0.0),
            (Times::Fixed(0.into()), 0.0),
        ] {
            let p = times.probabilities().unwrap();
            let moment = |k| p.iter().enumerate().map(|(n, p)| p * (n.pow(k) as f64)).sum::<f64>();
            assert!((moment(0) - 1.0).abs() < 1e-11, "{times:?}");
            assert!((moment(1) - times.mean()).abs() < 1e-9, "{times:?}");
            assert!((moment(2) - moment(1) * moment(1) - variance).abs() < 1e-6, "{times:?}");
        }
        assert_eq!(Times::Geometric(100.0.into()).probabilities(), None);
        assert_eq!(Times::Poisson(2_000.0.into()).probabilities(), None);
        assert_eq!(Times::Fixed(1_001.into()).probabilities(), None);
        assert_eq!(Times::Fixed(1_000.into()).probabilities().map(|p| p.len()), Some(1_001));
    }
}
