//! Statistics of a level over time.

use crate::time::SimTime;

/// An integer level over time, such as a queue length, with its exact integral.
///
/// ```text
/// level 2 |      ____
///       1 |_____|    |
///       0 |          |______     integral: the area under the line, in level · nanoseconds
///         +-----------------> t
/// ```
///
/// Summed by parts: a change by d at t adds −d·t, so that nothing need be known of the change before, and
/// the integral up to T is the sum plus level·T. In integers of 128 bits, modulo 2¹²⁸, nothing is rounded
/// before the final division, and the order of the changes within an instant leaves no trace but in
/// [`TimeWeighted::max`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeighted {
    /// Since when the statistics count.
    start: SimTime,
    /// The last change.
    changed: SimTime,
    level: u64,
    max: u64,
    /// What the integral lacks of level · time.
    area: u128,
}

/// A [`TimeWeighted`] level that knows its variance, too: the exact integral of its square beside that of
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeightedMoments {
    level: TimeWeighted,
    /// What the integral of the square lacks of level² · time.
    squares: u128,
}

/// `(after − before) · at`, modulo 2¹²⁸.
#[inline]
const fn moment(before: u64, after: u64, at: SimTime) -> u128 {
    (after as u128).wrapping_sub(before as u128).wrapping_mul(at.as_nanos() as u128)
}

impl TimeWeighted {
    /// The greatest level for which a run of any length has exact integrals, also of its square.
    pub const MAX_LEVEL: u64 = u32::MAX as u64;

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// If `level` is above [`TimeWeighted::MAX_LEVEL`].
    pub fn new(at: SimTime, level: u64) -> Self {
        check(level);
        Self { start: at, changed: at, level, max: level, area: moment(level, 0, at) }
    }

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// If `at` is earlier than a former change, or `level` above [`TimeWeighted::MAX_LEVEL`].
    #[inline]
    pub fn set(&mut self, at: SimTime, level: u64) {
        check(level);
        assert!(at >= self.changed, "a level was set at {at}, before its last change");
        self.area = self.area.wrapping_add(moment(level, self.level, at));
        self.changed = at;
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
        assert!(at >= self.changed, "an integral up to {at} ends before the last change");
        self.area.wrapping_add(moment(0, self.level, at))
    }

    /// The level's time average up to `at`; `None` if no time has passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn mean(&self, at: SimTime) -> Option<f64> {
        let span = at.since(self.start).as_nanos();
        (span > 0).then(|| self.integral(at) as f64 / span as f64)
    }

    /// Forgets the past, for the end of a warm-up: statistics start anew at `at` from the level now.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn reset(&mut self, at: SimTime) {
        self.set(at, self.level);
        *self = Self::new(at, self.level);
    }
}

impl TimeWeightedMoments {
    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// As [`TimeWeighted::new`].
    pub fn new(at: SimTime, level: u64) -> Self {
        Self { level: TimeWeighted::new(at, level), squares: moment(level * level, 0, at) }
    }

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// As [`TimeWeighted::set`].
    #[inline]
    pub fn set(&mut self, at: SimTime, level: u64) {
        let before = self.level.level;
        self.level.set(at, level);
        self.squares = self.squares.wrapping_add(moment(level * level, before * before, at));
    }

    /// The level by itself.
    pub const fn level(&self) -> &TimeWeighted {
        &self.level
    }

    /// The time average of the squared deviation from the mean, up to `at`; `None` if no time has
    /// passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn variance(&self, at: SimTime) -> Option<f64> {
        let span = u128::from(at.since(self.level.start).as_nanos());
        if span == 0 {
            return None;
        }
        let area = self.level.integral(at);
        let squares = self.squares.wrapping_add(moment(0, self.level.level * self.level.level, at));
        // Around the whole part of the mean, where the integers are still exact: the integral of
        // (level − whole)². Intermediate terms may wrap; the result fits, so that it comes out right.
        let whole = area / span;
        let around = squares.wrapping_sub(area.wrapping_mul(2 * whole)).wrapping_add(span.wrapping_mul(whole * whole));
        let fraction = (area % span) as f64 / span as f64;
        Some((around as f64 / span as f64 - fraction * fraction).max(0.0))
    }
}

/// Below 2³², the square times 2⁶⁴ ns is below 2¹²⁸.
#[inline]
fn check(level: u64) {
    assert!(level <= TimeWeighted::MAX_LEVEL, "the level {level} is above {}", TimeWeighted::MAX_LEVEL);
}
