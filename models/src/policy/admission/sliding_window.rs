//! Sliding window: at most so many in any stretch of time of one length.

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// A quota.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlidingWindow {
    /// How many...
    pub limit: Given<u32>,
    /// ...in any stretch of this length.
    pub window: Given<SimDuration>,
}

/// When those came that were admitted of late: never more than the limit.
#[derive(Clone, Debug, Default)]
pub struct SlidingWindowState(VecDeque<SimTime>);

impl SlidingWindow {
    pub(super) fn admits(&self, state: &mut SlidingWindowState, now: SimTime) -> bool {
        while state.0.front().is_some_and(|at| at.saturating_add(self.window.get()) <= now) {
            state.0.pop_front();
        }
        let admitted = state.0.len() < self.limit.get() as usize;
        if admitted {
            state.0.push_back(now);
        }
        admitted
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        const MOST: u32 = 10_000_000;
        if self.window.get().is_zero() {
            return Some(("the window is 0s".into(), "write for example window: \"1s\"".into()));
        }
        match self.limit.get() {
            0 => Some(("the limit is 0, so nothing is ever taken in".into(), "write 1 or more".into())),
            1..=MOST => None,
            _ => Some((format!("each of the last {MOST} would be remembered"), "use a TokenBucket".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stretch_holds_more_than_the_limit() {
        let rule = SlidingWindow { limit: 2.into(), window: SimDuration::from_nanos(10).into() };
        let mut state = SlidingWindowState::default();
        let admitted = [0, 1, 5, 9, 10, 10, 11, 12].map(|t| rule.admits(&mut state, SimTime::from_nanos(t)));
        assert_eq!(admitted, [true, true, false, false, true, false, true, false]);
    }
}
