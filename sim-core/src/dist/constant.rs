//! The constant.

use super::nanos;
use crate::time::SimDuration;

/// Always the same duration; see [`Dist::constant`](super::Dist::constant).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    nanos: f64,
}

impl Constant {
    pub(super) fn new(value: SimDuration) -> Self {
        Self { nanos: nanos(value) }
    }

    pub(super) fn nanos(self) -> f64 {
        self.nanos
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self { nanos: self.nanos * by }
    }
}
