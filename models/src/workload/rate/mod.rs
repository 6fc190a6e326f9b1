//! Arrival rates that change over time, in requests a second.
//!
//! Each profile gives its rate at an instant and an upper bound over a stretch ahead, from which
//! arrivals are drawn exactly by thinning (Lewis & Shedler 1979).

mod match_night;
mod piecewise;

pub use match_night::Match;
pub use piecewise::{Piecewise, Ramp};

use crate::catalogue::Entry;
use crate::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimTime;

/// An arrival rate as written.
#[expect(clippy::large_enum_variant, reason = "there is one of these per population")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Rate {
    /// The same all the time: `Constant(450)`.
    Constant(Given<f64>),
    /// Jumps at given times: `Piecewise([("0s", 100), ("10min", 300)])`.
    Piecewise(Piecewise),
    /// Straight lines between given times: `Ramp([("0s", 100), ("10min", 300)])`.
    Ramp(Ramp),
    /// An evening with a football match: kick-off, half-time and goals.
    Match(Match),
}

/// A rate that holds, or bounds, until some instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The rate is at most this, per second...
    pub rate: f64,
    /// ...before this instant.
    pub until: SimTime,
}

impl Rate {
    /// Every rate profile there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Constant", example: "Constant(450)", summary: "the same all the time" },
        Entry {
            name: "Piecewise",
            example: "Piecewise([(\"0s\", 100), (\"10min\", 300)])",
            summary: "jumps at given times",
        },
        Entry {
            name: "Ramp",
            example: "Ramp([(\"0s\", 100), (\"10min\", 300)])",
            summary: "straight lines between given times",
        },
        Entry {
            name: "Match",
            example: "Match(base: 450)",
            summary: "an evening with a football match: kick-off at minute 10, half-time and goals",
        },
    ];

    /// Requests a second at `at`.
    pub fn at(&self, at: SimTime) -> f64 {
        match self {
            Self::Constant(rate) => rate.get(),
            Self::Piecewise(piecewise) => piecewise.at(at),
            Self::Ramp(ramp) => ramp.at(at),
            Self::Match(profile) => profile.at(at),
        }
    }

    /// Whether the rate at `at` is above `level`: the same as asking [`Self::at`], but mostly cheaper.
    pub fn is_above(&self, at: SimTime, level: f64) -> bool {
        match self {
            Self::Match(profile) => profile.is_above(at, level),
            Self::Constant(_) | Self::Piecewise(_) | Self::Ramp(_) => self.at(at) > level,
        }
    }

    /// An upper bound on the rate from `at` on, and how long it holds; always beyond `at`.
    pub fn bound(&self, at: SimTime) -> Bound {
        match self {
            Self::Constant(rate) => Bound { rate: rate.get(), until: SimTime::MAX },
            Self::Piecewise(piecewise) => piecewise.bound(at),
            Self::Ramp(ramp) => ramp.bound(at),
            Self::Match(profile) => profile.bound(at),
        }
    }

    /// Expected requests before `horizon`, by the midpoint rule over about ten thousand parts: for
    /// estimates of how long a run takes.
    pub fn expected_before(&self, horizon: SimTime) -> f64 {
        let parts = 10_000;
        let width = horizon.as_nanos() / parts;
        let sum: f64 = (0..parts).map(|i| self.at(SimTime::from_nanos(width * i + width / 2))).sum();
        sum * horizon.as_secs_f64() / parts as f64
    }

    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        match self {
            Self::Piecewise(Piecewise(points)) | Self::Ramp(Ramp(points)) => piecewise::problem(points),
            Self::Match(profile) => profile.problem(),
            Self::Constant(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::SimDuration;

    #[test]
    fn a_bound_is_never_exceeded() {
        let min = |m: u64| Given::from(SimDuration::from_secs(60 * m));
        let points = vec![(min(0), 10.0.into()), (min(3), 50.0.into()), (min(9), 20.0.into())];
        let rates = [
            Rate::Constant(3.0.into()),
            Rate::Piecewise(Piecewise(points.clone())),
            Rate::Ramp(Ramp(points)),
            Rate::Match(Match::evening(450.0)),
        ];
        for rate in rates {
            let mut at = SimTime::ZERO;
            let end = SimTime::from_secs(140 * 60);
            while at < end {
                let bound = rate.bound(at);
                assert!(bound.until > at, "{rate:?} at {at}");
                let stop = bound.until.min(end);
                for i in 0..50 {
                    let t = SimTime::from_nanos(at.as_nanos() + (stop.as_nanos() - at.as_nanos()) / 50 * i);
                    assert!(rate.at(t) <= bound.rate * (1.0 + 1e-12), "{rate:?} at {t}: {} > {bound:?}", rate.at(t));
                }
                at = stop;
            }
        }
    }
}
