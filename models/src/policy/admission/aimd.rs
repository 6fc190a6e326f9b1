//! AIMD: additive increase, multiplicative decrease of a concurrency limit.
//!
//! A good reply while at least half of the limit is in use adds 1 over the limit, so that a whole limit of them adds
//! one; a reply that failed, was no longer wanted or was slow takes a share away. Source: Chiu and Jain, "Analysis of
//! the increase and decrease algorithms for congestion avoidance" (1989).

use super::{Reply, limits_problem};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A limit that grows by one and shrinks by a factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aimd {
    /// A reply that took longer than this is slow.
    pub slow: Given<SimDuration>,
    /// What is left of the limit after a slow or failed reply.
    #[serde(default = "nine_tenths")]
    pub backoff: Given<f64>,
    /// The limit at the start.
    #[serde(default = "twenty")]
    pub initial: Given<u32>,
    /// The least limit.
    #[serde(default = "one")]
    pub least: Given<u32>,
    /// The greatest limit.
    #[serde(default = "thousand")]
    pub most: Given<u32>,
}

fn nine_tenths() -> Given<f64> {
    0.9.into()
}

pub(super) fn twenty() -> Given<u32> {
    20.into()
}

pub(super) fn one() -> Given<u32> {
    1.into()
}

pub(super) fn thousand() -> Given<u32> {
    1_000.into()
}

/// The limit.
#[derive(Clone, Debug)]
pub struct AimdState {
    pub(super) limit: f64,
}

impl Aimd {
    pub(super) fn start(&self) -> AimdState {
        AimdState { limit: f64::from(self.initial.get()) }
    }

    pub(super) fn replied(&self, state: &mut AimdState, reply: Reply) {
        let (least, most) = (f64::from(self.least.get()), f64::from(self.most.get()));
        if !reply.good || reply.took > self.slow.get() {
            state.limit = (state.limit * self.backoff.get()).max(least);
        } else if 2.0 * f64::from(reply.outstanding) >= state.limit {
            state.limit = (state.limit + 1.0 / state.limit).min(most);
        }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        let backoff = self.backoff.get();
        let wrong = !(0.0..1.0).contains(&backoff);
        let range = || (format!("backoff is {backoff}"), "write from 0 to below 1: 0.9 takes a tenth away".into());
        wrong.then(range).or_else(|| limits_problem(self.initial.get(), self.least.get(), self.most.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_one_in_a_limit_of_replies_and_shrinks_by_a_tenth() {
        let slow = SimDuration::from_millis(100);
        let rule =
            Aimd { slow: slow.into(), backoff: nine_tenths(), initial: twenty(), least: one(), most: thousand() };
        let mut state = rule.start();
        let good = Reply { took: SimDuration::from_millis(10), good: true, outstanding: 20 };
        (0..20).for_each(|_| rule.replied(&mut state, good));
        assert!((20.9..=21.0).contains(&state.limit), "{}", state.limit);
        rule.replied(&mut state, Reply { outstanding: 5, ..good });
        assert!((20.9..=21.0).contains(&state.limit), "half of it is not in use");
        let before = state.limit;
        rule.replied(&mut state, Reply { took: SimDuration::from_millis(101), ..good });
        assert_eq!(state.limit, before * 0.9);
        (0..1_000).for_each(|_| rule.replied(&mut state, Reply { good: false, ..good }));
        assert_eq!(state.limit, 1.0);
    }
}
