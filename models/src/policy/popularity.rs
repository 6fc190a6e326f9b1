//! Popularity: how requests spread over keys.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::Zipf;

/// How requests spread over keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Popularity {
    /// Every key alike.
    Uniform,
    /// The k-th most popular key is asked for with a probability proportional to k^-exponent.
    Zipf {
        /// 0 is uniform, about 1 is common.
        exponent: Given<f64>,
    },
}

impl Popularity {
    /// Every popularity there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Uniform", example: "Uniform", summary: "every key alike" },
        Entry {
            name: "Zipf",
            example: "Zipf(exponent: 1.0)",
            summary: "the k-th most popular key is asked for in proportion to k^-exponent",
        },
    ];

    /// The exponent; 0 if every key is alike.
    pub(super) fn exponent(&self) -> f64 {
        match self {
            Self::Uniform => 0.0,
            Self::Zipf { exponent } => exponent.get(),
        }
    }

    /// Draws keys, from 0, the most popular, up.
    pub(super) fn sampler(&self, keys: u32) -> Result<Zipf, String> {
        Zipf::new(u64::from(keys), self.exponent()).map_err(|e| e.to_string())
    }

    /// With which probability a request asks for a key, by groups of keys.
    pub(super) fn shares(&self, keys: u32) -> Shares {
        Shares::new(keys, self.exponent())
    }
}

/// With which probability a request asks for a key: the most popular keys one by one, those that follow in groups
/// so narrow that the members of one are as good as equal. Sums over all keys take some ten thousand terms,
/// however many keys there are.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    pub(super) exponent: f64,
    /// The sum of k^-exponent over all keys.
    pub(super) total: f64,
    /// Probability of each key of a group, and how many keys the group has.
    pub(super) groups: Vec<(f64, f64)>,
}

/// Keys that stand for themselves.
const ONE_BY_ONE: u32 = 4096;

/// Keys of a group beyond, as a part of the rank of its first. Its members differ by less than a hundredth of a
/// percent from each other's mean in all sums that matter: the error is quadratic in the width.
const GROUP: u32 = 512;

impl Shares {
    fn new(keys: u32, exponent: f64) -> Self {
        let mut groups: Vec<(f64, f64)> =
            (1..=keys.min(ONE_BY_ONE)).map(|k| (libm::pow(f64::from(k), -exponent), 1.0)).collect();
        let mut first = u64::from(ONE_BY_ONE) + 1;
        while first <= u64::from(keys) {
            let next = (first + first / u64::from(GROUP)).min(u64::from(keys) + 1);
            let (from, to) = (first as f64 - 0.5, next as f64 - 0.5);
            // The sum over the group, by the integral over the middle of each key's interval.
            let sum = if exponent == 1.0 {
                libm::log(to / from)
            } else {
                (libm::pow(to, 1.0 - exponent) - libm::pow(from, 1.0 - exponent)) / (1.0 - exponent)
            };
            let count = (next - first) as f64;
            groups.push((sum / count, count));
            first = next;
        }
        let total = groups.iter().map(|(weight, count)| weight * count).sum();
        groups.iter_mut().for_each(|(weight, _)| *weight /= total);
        Self { exponent, total, groups }
    }

    /// With which probability a request asks for a key, counted from 0.
    pub(super) fn of(&self, key: u32) -> f64 {
        libm::pow(f64::from(key) + 1.0, -self.exponent) / self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_add_up_to_what_single_keys_do() {
        for (keys, exponent) in [(10, 1.4), (100_000, 0.8), (1_000_000, 1.0), (300_000, 0.0)] {
            let shares = Shares::new(keys, exponent);
            let total: f64 = (1..=keys).map(|k| libm::pow(f64::from(k), -exponent)).sum();
            assert!((shares.total / total - 1.0).abs() < 1e-9, "{keys} {exponent}: {} {total}", shares.total);
            assert_eq!(shares.groups.iter().map(|(_, count)| count).sum::<f64>(), f64::from(keys));
            let all: f64 = shares.groups.iter().map(|(p, count)| p * count).sum();
            assert!((all - 1.0).abs() < 1e-12);
            assert!((shares.of(0) - shares.groups[0].0).abs() < 1e-15);
        }
    }
}
