//! The Erlang distribution: a sum of exponentials.

use super::gamma::UnitGamma;
use super::{DistError, exp1, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// Up to this many phases are summed; above it a gamma variable of the same law is cheaper.
const PHASES_SUMMED: u32 = 4;

/// A sum of equal exponentials; see [`Dist::erlang`](super::Dist::erlang).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erlang {
    phases: u32,
    phase_mean: f64,
    many: UnitGamma,
}

impl Erlang {
    pub(super) fn new(k: u32, mean: SimDuration) -> Result<Self, DistError> {
        if k == 0 {
            return Err(DistError::Parameter {
                family: "an Erlang",
                parameter: "k",
                value: 0.0,
                remedy: "write the number of phases, 1 or more",
            });
        }
        Ok(Self { phases: k, phase_mean: nanos(mean) / f64::from(k), many: UnitGamma::new(f64::from(k)) })
    }

    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        let phases = if self.phases <= PHASES_SUMMED {
            (0..self.phases).map(|_| exp1(rng)).sum()
        } else {
            self.many.sample(rng)
        };
        self.phase_mean * phases
    }

    pub(super) fn mean(self) -> f64 {
        self.phase_mean * f64::from(self.phases)
    }

    /// 1/k.
    pub(super) fn scv(self) -> f64 {
        1.0 / f64::from(self.phases)
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { phase_mean: self.phase_mean * by, ..self }
    }
}
