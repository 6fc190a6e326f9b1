//! Statistics of levels over time.

use crate::time::{SimDuration, SimTime};

/// An integer level over time, such as a queue length, with its exact integral; or `N` levels that change
/// together, such as the parts of a load.
///
/// ```text
/// level 2 |      ____
///       1 |_____|    |
///       0 |          |______     integral: the area under the line, in level · nanoseconds
///         +-----------------> t
/// ```
///
/// In integers of 128 bits nothing is rounded before the final division, and the order of the changes within
/// an instant leaves no trace. Any level for any time fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeighted<const N: usize = 1> {
    /// Since when the statistics count.
    start: SimTime,
    /// The last change.
    changed: SimTime,
    levels: [u64; N],
    /// The integrals up to the last change.
    areas: [u128; N],
}

impl<const N: usize> TimeWeighted<N> {
    /// Stand at `levels` from `at` on.
    pub const fn of(at: SimTime, levels: [u64; N]) -> Self {
        Self { start: at, changed: at, levels, areas: [0; N] }
    }

    /// Stand at `levels` from `at` on.
    ///
    /// # Panics
    /// If `at` is earlier than a former change.
    #[inline]
    pub fn set_all(&mut self, at: SimTime, levels: [u64; N]) {
        let span = at.since(self.changed);
        for (sum, level) in self.areas.iter_mut().zip(self.levels) {
            *sum += area(level, span);
        }
        self.changed = at;
        self.levels = levels;
    }

    /// One of the levels by itself.
    pub const fn part(&self, part: usize) -> TimeWeighted {
        let Self { start, changed, levels, areas } = *self;
        TimeWeighted { start, changed, levels: [levels[part]], areas: [areas[part]] }
    }
}

/// Under a level that lasts.
#[inline]
const fn area(level: u64, lasts: SimDuration) -> u128 {
    level as u128 * lasts.as_nanos() as u128
}

impl TimeWeighted {
    /// Stands at `level` from `at` on.
    pub const fn new(at: SimTime, level: u64) -> Self {
        Self::of(at, [level])
    }

    /// Stands at `level` from `at` on.
    ///
    /// # Panics
    /// If `at` is earlier than a former change.
    #[inline]
    pub fn set(&mut self, at: SimTime, level: u64) {
        self.set_all(at, [level]);
    }

    /// The level now.
    pub const fn level(&self) -> u64 {
        self.levels[0]
    }

    /// The integral of the level from the start to `at`: in level · nanoseconds.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn integral(&self, at: SimTime) -> u128 {
        self.areas[0] + area(self.levels[0], at.since(self.changed))
    }

    /// The level's time average up to `at`; `None` if no time has passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn mean(&self, at: SimTime) -> Option<f64> {
        let span = at.since(self.start).as_nanos();
        (span > 0).then(|| self.integral(at) as f64 / span as f64)
    }

    /// The time average up to `at` of the squared deviation from the mean, given the level's square over the same
    /// time; `None` if no time has passed.
    ///
    /// # Panics
    /// If `at` is earlier than the last change.
    pub fn variance(&self, squares: &Self, at: SimTime) -> Option<f64> {
        let span = u128::from(at.since(self.start).as_nanos());
        if span == 0 {
            return None;
        }
        let (area, squares) = (self.integral(at), squares.integral(at));
        // Around the whole part of the mean, where the integers are still exact: the integral of
        // (level − whole)². Intermediate terms may wrap; the result fits, so that it comes out right.
        let whole = area / span;
        let around = squares.wrapping_sub(area.wrapping_mul(2 * whole)).wrapping_add(span.wrapping_mul(whole * whole));
        let fraction = (area % span) as f64 / span as f64;
        Some((around as f64 / span as f64 - fraction * fraction).max(0.0))
    }
}

/// The sum of two levels over the same time.
impl std::ops::Add for TimeWeighted {
    type Output = Self;

    /// # Panics
    /// If they do not count from the same instant on.
    fn add(self, other: Self) -> Self {
        assert_eq!(self.start, other.start, "levels over different times have no sum");
        let changed = self.changed.max(other.changed);
        let area = self.integral(changed) + other.integral(changed);
        Self { start: self.start, changed, levels: [self.level() + other.level()], areas: [area] }
    }
}
