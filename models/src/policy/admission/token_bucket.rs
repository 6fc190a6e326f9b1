//! Token bucket: tokens come at a steady rate up to a burst, each attempt takes one.

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimTime;

/// A limit on the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBucket {
    /// Tokens a second.
    pub rate: Given<f64>,
    /// Most tokens, and those at the start.
    pub burst: Given<f64>,
}

/// The bucket.
#[derive(Clone, Debug)]
pub struct TokenBucketState {
    tokens: f64,
    since: SimTime,
}

impl TokenBucket {
    pub(super) fn start(&self) -> TokenBucketState {
        TokenBucketState { tokens: self.burst.get(), since: SimTime::ZERO }
    }

    pub(super) fn admits(&self, state: &mut TokenBucketState, now: SimTime) -> bool {
        let earned = now.since(state.since).as_secs_f64() * self.rate.get();
        state.tokens = (state.tokens + earned).min(self.burst.get());
        state.since = now;
        // What is a whole token but for rounding is one.
        let admitted = state.tokens >= 1.0 - 1e-9;
        if admitted {
            state.tokens -= 1.0;
        }
        admitted
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        if !(self.rate.get() >= 0.0 && self.rate.get().is_finite()) {
            return Some((format!("the rate is {}", self.rate.get()), "write tokens a second".into()));
        }
        let wrong = !(self.burst.get() >= 1.0 && self.burst.get().is_finite());
        wrong.then(|| (format!("a burst of {} lets nothing through", self.burst.get()), "write 1 or more".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_at_once_and_then_the_rate() {
        let rule = TokenBucket { rate: 10.0.into(), burst: 3.0.into() };
        let mut state = rule.start();
        let mut times = |millis: u64, n: usize| {
            let now = SimTime::from_nanos(millis * 1_000_000);
            (0..n).filter(|_| rule.admits(&mut state, now)).count()
        };
        assert_eq!((times(0, 5), times(50, 1), times(100, 2), times(200, 2)), (3, 0, 1, 1));
        assert_eq!(times(10_000, 9), 3, "no more than the burst is saved up");
    }
}
