//! How many: of requests in a batch or a session.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::KeyedRng;

/// A number of things, at least one, fixed or drawn: `Fixed(4)`, `Geometric(mean: 4)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Count {
    /// Always the same.
    Fixed(Given<u32>),
    /// One, and after each another one with the same probability: n with probability
    /// (1 - 1/mean)^(n-1) / mean.
    Geometric {
        /// The mean, at least 1.
        mean: Given<f64>,
    },
}

/// The largest mean; what begins together is held together.
const MOST: f64 = 1e6;

impl Count {
    /// Every kind of count there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Fixed", example: "Fixed(4)", summary: "always the same" },
        Entry {
            name: "Geometric",
            example: "Geometric(mean: 4)",
            summary: "one, and after each another one with the same probability",
        },
    ];

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(n) => f64::from(n.get()),
            Self::Geometric { mean } => mean.get(),
        }
    }

    /// Draws a number, at least 1. A geometric one is the inverse of its distribution function at one
    /// uniform draw, so that a larger mean never gives a smaller number.
    pub fn draw(&self, rng: &mut KeyedRng) -> u32 {
        match self {
            Self::Fixed(n) => n.get(),
            Self::Geometric { mean } => {
                // Of the failures before the first success at probability 1/mean; none at a mean of 1.
                let more = libm::log(rng.open01()) / libm::log1p(-1.0 / mean.get());
                1 + (more as u32).min(u32::MAX - 1)
            }
        }
    }

    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        match self {
            _ if self.mean() > MOST => {
                Some((format!("{} are more than {MOST} at once", self.mean()), "write fewer".into()))
            }
            Self::Fixed(n) if n.get() == 0 => Some(("this makes none at all".into(), "write Fixed(1) or more".into())),
            Self::Geometric { mean } if mean.get() < 1.0 => {
                Some((format!("there is at least one, so the mean cannot be {}", mean.get()), "write 1 or more".into()))
            }
            Self::Fixed(_) | Self::Geometric { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::random::Key;

    #[test]
    fn a_geometric_count_has_its_mean_and_its_share_of_ones() {
        let count = Count::Geometric { mean: 4.0.into() };
        let draws: Vec<u32> = (0..40_000).map(|i| count.draw(&mut Key::root(1, 0).index(i).rng())).collect();
        // Variance (1 - p)/p^2 = 12: five standard errors are 0.087; of ones, 5 x 87.
        let mean = draws.iter().map(|&n| f64::from(n)).sum::<f64>() / 40_000.0;
        assert!((mean - 4.0).abs() < 0.087, "{mean}");
        let ones = draws.iter().filter(|n| **n == 1).count();
        assert!(ones.abs_diff(10_000) < 435, "{ones}");
    }

    #[test]
    fn a_mean_of_one_is_always_one() {
        let count = Count::Geometric { mean: 1.0.into() };
        assert!((0..1_000).all(|i| count.draw(&mut Key::root(1, 0).index(i).rng()) == 1));
        assert!(Count::Geometric { mean: 0.9.into() }.problem().is_some());
        assert!(Count::Fixed(0.into()).problem().is_some());
        assert!(Count::Fixed(2_000_000.into()).problem().is_some());
    }
}
