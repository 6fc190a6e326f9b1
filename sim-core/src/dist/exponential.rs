//! The exponential distribution.

use super::{exp1, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// Memoryless; see [`Dist::exponential`](super::Dist::exponential).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    pub(super) fn new(mean: SimDuration) -> Self {
        Self { mean: nanos(mean) }
    }

    #[inline]
    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        self.mean * exp1(rng)
    }

    pub(super) fn mean(self) -> f64 {
        self.mean
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { mean: self.mean * by }
    }
}
