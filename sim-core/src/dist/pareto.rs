//! The classic Pareto distribution.

use super::{DistError, exp1, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// A power law above a least value; see [`Dist::pareto`](super::Dist::pareto).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pareto {
    /// The least value, in nanoseconds.
    least: f64,
    /// Tail index.
    alpha: f64,
}

impl Pareto {
    pub(super) fn new(mean: SimDuration, alpha: f64) -> Result<Self, DistError> {
        if alpha.is_finite() && alpha > 1.0 {
            Ok(Self { least: nanos(mean) * ((alpha - 1.0) / alpha), alpha })
        } else {
            Err(DistError::Parameter {
                family: "a Pareto",
                parameter: "alpha",
                value: alpha,
                remedy: "write a tail index above 1, for example 2.5; at 1 or less the mean is infinite",
            })
        }
    }

    /// The logarithm of a Pareto variable over its least value is exponential of mean 1/α.
    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        self.least * libm::exp(exp1(rng) / self.alpha)
    }

    pub(super) fn mean(self) -> f64 {
        self.least / ((self.alpha - 1.0) / self.alpha)
    }

    /// 1/(α(α−2)), infinite for α ≤ 2.
    pub(super) fn scv(self) -> f64 {
        if self.alpha > 2.0 { 1.0 / (self.alpha * (self.alpha - 2.0)) } else { f64::INFINITY }
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { least: self.least * by, ..self }
    }
}
