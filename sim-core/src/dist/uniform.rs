//! The uniform distribution.

use super::{DistError, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

/// Equally likely between two ends; see [`Dist::uniform`](super::Dist::uniform).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    low: f64,
    width: f64,
}

impl Uniform {
    pub(super) fn new(low: SimDuration, high: SimDuration) -> Result<Self, DistError> {
        if low > high {
            return Err(DistError::LowAboveHigh { low, high });
        }
        Ok(Self { low: nanos(low), width: nanos(high - low) })
    }

    #[inline]
    pub(super) fn sample(self, rng: &mut KeyedRng) -> f64 {
        self.low + self.width * rng.uniform()
    }

    pub(super) fn mean(self) -> f64 {
        self.low + 0.5 * self.width
    }

    /// width²/12 over the square of the mean.
    pub(super) fn scv(self) -> f64 {
        let relative = self.width / self.mean();
        relative * relative / 12.0
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { low: self.low * by, width: self.width * by }
    }
}
