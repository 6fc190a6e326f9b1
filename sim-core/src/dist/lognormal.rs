//! The lognormal distribution.

use super::{DistError, check_cv, nanos, normal};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// The exponential of a normal variable; see [`Dist::lognormal`](super::Dist::lognormal).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    /// In nanoseconds: e^μ.
    median: f64,
    /// Standard deviation of the logarithm.
    sigma: f64,
}

impl LogNormal {
    /// From the moments: σ² = ln(1 + cv²) and e^μ = mean·e^(−σ²/2).
    pub(super) fn new(mean: SimDuration, cv: f64) -> Result<Self, DistError> {
        let cv = check_cv("a lognormal", cv, 0.0, "write a number from 0 to 1000000, for example 1.2")?;
        let variance = libm::log1p(cv * cv);
        Ok(Self { median: nanos(mean) * libm::exp(-0.5 * variance), sigma: variance.sqrt() })
    }

    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        self.median * libm::exp(self.sigma * normal(rng))
    }

    /// e^(μ + σ²/2).
    pub(super) fn mean(self) -> f64 {
        self.median * libm::exp(0.5 * self.sigma * self.sigma)
    }

    /// e^σ² − 1.
    pub(super) fn scv(self) -> f64 {
        libm::expm1(self.sigma * self.sigma)
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { median: self.median * by, ..self }
    }
}
