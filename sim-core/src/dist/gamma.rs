//! The gamma distribution.

use super::{DistError, check_cv, exp1, nanos, normal};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// Gamma, of any shape; see [`Dist::gamma`](super::Dist::gamma).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    scale: f64,
    /// For `shape`, or for `shape + 1` if that is below 1.
    sampler: UnitGamma,
}

impl Gamma {
    /// `None` if the variation is too small for a finite shape.
    pub(super) fn new(mean: SimDuration, cv: f64) -> Result<Option<Self>, DistError> {
        let cv = check_cv("a gamma", cv, 0.0, "write a number from 0 to 1000000, for example 0.5")?;
        let shape = 1.0 / (cv * cv);
        let sampler = UnitGamma::new(if shape < 1.0 { shape + 1.0 } else { shape });
        Ok(shape.is_finite().then(|| Self { shape, scale: nanos(mean) / shape, sampler }))
    }

    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        let unit = self.sampler.sample(rng);
        if self.shape < 1.0 {
            // A gamma of shape k + 1 times U^(1/k) is one of shape k (Marsaglia & Tsang, section 6);
            // −ln U is exponential.
            self.scale * unit * libm::exp(-exp1(rng) / self.shape)
        } else {
            self.scale * unit
        }
    }

    pub(super) fn mean(self) -> f64 {
        self.shape * self.scale
    }

    /// 1/shape.
    pub(super) fn scv(self) -> f64 {
        1.0 / self.shape
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { scale: self.scale * by, ..self }
    }
}

/// What sampling a gamma variable of scale 1 and a shape of at least 1 needs.
///
/// Source: G. Marsaglia, W. W. Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS
/// 26(3), 2000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct UnitGamma {
    d: f64,
    c: f64,
}

impl UnitGamma {
    pub(super) fn new(shape: f64) -> Self {
        let d = shape - 1.0 / 3.0;
        Self { d, c: 1.0 / (9.0 * d).sqrt() }
    }

    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        loop {
            let x = normal(rng);
            let root = 1.0 + self.c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let u = rng.open01();
            let square = x * x;
            // The first test is a squeeze: it spares the logarithms in more than 90% of the draws.
            if u < 1.0 - 0.0331 * square * square || libm::log(u) < 0.5 * square + self.d * (1.0 - v + libm::log(v)) {
                return self.d * v;
            }
        }
    }
}
