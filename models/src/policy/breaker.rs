//! Circuit breaker: who fails too often is not asked for a while (Nygard, "Release It!", 2007).
//!
//! ```text
//!            too many failures                 `open` has passed
//!   closed ---------------------> open ---------------------------> half-open
//!     ^                             ^                                |      |
//!     |                             +---- one probe fails -----------+      |
//!     +-------------------------------- all probes are good ----------------+
//! ```
//!
//! A call counts when it ends, in the state in which it was let through; one that ends after the state has
//! changed counts no more.

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A breaker as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Over how long calls are counted, in ten steps.
    pub window: Given<SimDuration>,
    /// The share of failures from which on it opens.
    pub failures: Given<f64>,
    /// How many calls there must be in the window for that.
    #[serde(default = "twenty")]
    pub at_least: Given<u32>,
    /// For how long all calls fail at once.
    pub open: Given<SimDuration>,
    /// How many calls are let through after that, all of which must be good.
    #[serde(default = "one")]
    pub probes: Given<u32>,
}

fn twenty() -> Given<u32> {
    20.into()
}

fn one() -> Given<u32> {
    1.into()
}

/// Steps of the rolling window.
const BUCKETS: usize = 10;

/// The breaker of one caller.
#[derive(Clone, Debug)]
pub struct BreakerState {
    position: Position,
    /// Since when.
    since: SimTime,
    /// Calls and failures, by steps of the window.
    buckets: [(u32, u32); BUCKETS],
    /// The step of the last call that ended.
    step: u64,
}

#[derive(Clone, Copy, Debug)]
enum Position {
    Closed,
    Open { until: SimTime },
    HalfOpen { under_way: u32, good: u32 },
}

impl BreakerState {
    /// Closed, and nothing has been counted.
    pub const fn new() -> Self {
        Self { position: Position::Closed, since: SimTime::ZERO, buckets: [(0, 0); BUCKETS], step: 0 }
    }

    /// Whether a call that comes now is let through.
    pub fn lets_through(&mut self, breaker: &Breaker, now: SimTime) -> bool {
        if let Position::Open { until } = self.position
            && now >= until
        {
            self.turn(Position::HalfOpen { under_way: 0, good: 0 }, now);
        }
        match &mut self.position {
            Position::Closed => true,
            Position::Open { .. } => false,
            Position::HalfOpen { under_way, good } => {
                let room = *under_way + *good < breaker.probes.get();
                *under_way += u32::from(room);
                room
            }
        }
    }

    /// A call that was let through at `from` has ended: well, badly, or, for `None`, nobody knows how.
    pub fn ended(&mut self, breaker: &Breaker, from: SimTime, good: Option<bool>, now: SimTime) {
        if from < self.since {
            return;
        }
        match (&mut self.position, good) {
            (Position::Closed, Some(good)) => self.count(breaker, good, now),
            (Position::HalfOpen { under_way, .. }, None) => *under_way -= 1,
            (Position::HalfOpen { .. }, Some(false)) => self.open(breaker, now),
            (Position::HalfOpen { under_way, good }, Some(true)) => {
                *under_way -= 1;
                *good += 1;
                if *good >= breaker.probes.get() {
                    self.turn(Position::Closed, now);
                }
            }
            (Position::Closed, None) | (Position::Open { .. }, _) => {}
        }
    }

    /// Whether calls fail at once.
    pub fn is_open(&self, now: SimTime) -> bool {
        matches!(self.position, Position::Open { until } if now < until)
    }

    fn count(&mut self, breaker: &Breaker, good: bool, now: SimTime) {
        let width = (breaker.window.get().as_nanos() / BUCKETS as u64).max(1);
        let step = now.as_nanos() / width;
        let passed = step.abs_diff(self.step).min(BUCKETS as u64);
        for old in 0..passed {
            self.buckets[((step + BUCKETS as u64 - old) % BUCKETS as u64) as usize] = (0, 0);
        }
        self.step = step;
        let bucket = &mut self.buckets[(step % BUCKETS as u64) as usize];
        bucket.0 += 1;
        bucket.1 += u32::from(!good);
        let (calls, failures) = self.buckets.iter().fold((0, 0), |all, b| (all.0 + b.0, all.1 + b.1));
        let share = f64::from(failures) / f64::from(calls);
        if calls >= breaker.at_least.get() && share >= breaker.failures.get() {
            self.open(breaker, now);
        }
    }

    fn open(&mut self, breaker: &Breaker, now: SimTime) {
        self.turn(Position::Open { until: now.saturating_add(breaker.open.get()) }, now);
    }

    fn turn(&mut self, position: Position, now: SimTime) {
        *self = Self { position, since: now, step: self.step, ..Self::new() };
    }
}

impl Default for BreakerState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_by_share_within_its_window() {
        let s = SimDuration::from_secs;
        let at = SimTime::from_secs;
        let breaker = Breaker {
            window: s(10).into(),
            failures: 0.5.into(),
            at_least: 4.into(),
            open: s(5).into(),
            probes: 2.into(),
        };
        let mut state = BreakerState::new();
        let mut end = |t: u64, good: bool| {
            assert!(state.lets_through(&breaker, at(t)), "at {t}");
            state.ended(&breaker, at(t), Some(good), at(t));
            state.is_open(at(t))
        };
        assert!(!end(0, false) && !end(0, false) && !end(0, false), "too few to tell");
        // Those of 0 are ten seconds old at 10, and count no more.
        assert!(!end(10, false) && !end(11, true) && !end(12, true));
        assert!(end(13, false), "two of four");
        assert!(!state.lets_through(&breaker, at(17)));
        // Half-open at 18: two probes, no third; one good and one bad.
        assert!(state.lets_through(&breaker, at(18)) && state.lets_through(&breaker, at(18)));
        assert!(!state.lets_through(&breaker, at(18)));
        state.ended(&breaker, at(18), Some(true), at(19));
        state.ended(&breaker, at(18), Some(false), at(19));
        assert!(state.is_open(at(19)) && !state.is_open(at(24)));
        // One that nobody waits for any more makes room for another; what came before counts nothing.
        assert!(state.lets_through(&breaker, at(24)) && state.lets_through(&breaker, at(24)));
        state.ended(&breaker, at(24), None, at(25));
        state.ended(&breaker, at(18), Some(false), at(25));
        assert!(state.lets_through(&breaker, at(25)));
        state.ended(&breaker, at(24), Some(true), at(26));
        state.ended(&breaker, at(25), Some(true), at(26));
        assert!(!state.is_open(at(26)));
        assert!((0..9).all(|_| state.lets_through(&breaker, at(26))));
    }
}
