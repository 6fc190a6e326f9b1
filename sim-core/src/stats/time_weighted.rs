//! Statistics of a level over time.

use crate::time::SimTime;

/// An integer level over time, such as a queue length, with its exact integral and that of its
/// square.
///
/// ```text
/// level 2 |      ____
///       1 |_____|    |
///       0 |          |______     integral: the area under the line, in level · nanoseconds
///         +-----------------> t
/// ```
///
/// Integers of 128 bits hold both: nothing is rounded before the final division, and the order of
/// the changes within an instant leaves no trace but in [`TimeWeighted::max`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeighted {
    /// Since when the statistics count.
    start: SimTime,
    /// Up to when the integrals are.
    now: SimTime,
    level: u64,
    max: u64,
    /// Integral of the level.
    area: u128,
    /// Integral of its square.
    squares: u128,
}

impl TimeWeighted {
    /// The greatest level for which a run of any length has exact integrals.
    pub const MAX_LEVEL: u64 = u32::MAX as u64;

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// If `level` is above [`TimeWeighted::MAX_LEVEL`].
    pub fn new(at: SimTime, level: u64) -> Self {
        check(level);
        Self { start: at, now: at, level, max: level, area: 0, squares: 0 }
    }

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// If `at` is earlier than a former change, or `level` above [`TimeWeighted::MAX_LEVEL`].
    #[inline]
    pub fn set(&mut self, at: SimTime, level: u64) {
        check(level);
        // Several changes within an instant are common: a thread set free is taken again.
        if at != self.now {
            (self.area, self.squares) = self.integrals(at);
            self.now = at;
        }
        self.level = level;
        self.max = self.max.max(level);
    }

    /// The level now.
    pub const fn level(&self) -> u64 {
        self.level
    }

    /// The greatest level since the start or the last reset, one that lasted no time included.
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The integral of the level from the start, or the last reset, to `at`: in level · nanoseconds.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn integral(&self, at: SimTime) -> u128 {
        self.integrals(at).0
    }

    /// The level's time average up to `at`; `None` if no time has passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn mean(&self, at: SimTime) -> Option<f64> {
        let span = at.since(self.start).as_nanos();
        (span > 0).then(|| self.integral(at) as f64 / span as f64)
    }

    /// The time average of the squared deviation from the mean, up to `at`; `None` if no time has
    /// passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn variance(&self, at: SimTime) -> Option<f64> {
        let span = u128::from(at.since(self.start).as_nanos());
        if span == 0 {
            return None;
        }
        let (area, squares) = self.integrals(at);
        // Around the whole part of the mean, where the integers are still exact: the integral of
        // (level − whole)². Intermediate terms may wrap; the result fits, so that it comes out right.
        let whole = area / span;
        let around = squares.wrapping_sub(area.wrapping_mul(2 * whole)).wrapping_add(span.wrapping_mul(whole * whole));
        let fraction = (area % span) as f64 / span as f64;
        Some((around as f64 / span as f64 - fraction * fraction).max(0.0))
    }

    /// Forgets the past, for the end of a warm-up: statistics start anew at `at` from the level now.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn reset(&mut self, at: SimTime) {
        self.set(at, self.level);
        *self = Self::new(at, self.level);
    }

    /// Both integrals up to `at`.
    #[inline]
    fn integrals(&self, at: SimTime) -> (u128, u128) {
        let span = u128::from(at.since(self.now).as_nanos());
        // Of factors that fit in 64 bits, since a processor multiplies those at once.
        let (area, squares) = (u128::from(self.level) * span, u128::from(self.level * self.level) * span);
        (self.area + area, self.squares + squares)
    }
}

/// Below 2³², the square times 2⁶⁴ ns is below 2¹²⁸.
#[inline]
fn check(level: u64) {
    assert!(level <= TimeWeighted::MAX_LEVEL, "the level {level} is above {}", TimeWeighted::MAX_LEVEL);
}
