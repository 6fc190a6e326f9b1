//! Vegas: a concurrency limit by the queue that response times tell of.
//!
//! With the least response time seen, R0, and the present one, R, about `limit (1 - R0 / R)` of what is outstanding
//! waits. Below alpha = 3 log10(limit) of it the limit grows by log10(limit), above beta = 6 log10(limit) it shrinks
//! by as much, in between it stays; a failure counts as too much. It must begin below what the service can bear:
//! otherwise it never sees how fast that is without a queue. Source: Brakmo and Peterson, "TCP Vegas" (1995), with
//! the numbers of Netflix's concurrency-limits.

use super::Reply;
use super::aimd::{one, thousand, twenty};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A limit by the queue that response times tell of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vegas {
    /// The limit at the start; rather too low than too high.
    #[serde(default = "twenty")]
    pub initial: Given<u32>,
    /// The least limit.
    #[serde(default = "one")]
    pub least: Given<u32>,
    /// The greatest limit.
    #[serde(default = "thousand")]
    pub most: Given<u32>,
}

/// The limit, and the least response time so far.
#[derive(Clone, Debug)]
pub struct VegasState {
    pub(super) limit: f64,
    least: SimDuration,
}

impl Vegas {
    pub(super) fn start(&self) -> VegasState {
        VegasState { limit: f64::from(self.initial.get()), least: SimDuration::MAX }
    }

    pub(super) fn replied(&self, state: &mut VegasState, reply: Reply) {
        let limit = state.limit;
        let step = libm::log10(limit).max(1.0);
        let change = if !reply.good {
            -step
        } else {
            state.least = state.least.min(reply.took);
            if reply.took.is_zero() || 2.0 * f64::from(reply.outstanding) < limit {
                return;
            }
            let queue = (limit * (1.0 - state.least.as_secs_f64() / reply.took.as_secs_f64())).ceil();
            if queue < 3.0 * step {
                step
            } else if queue > 6.0 * step {
                -step
            } else {
                0.0
            }
        };
        state.limit = (limit + change).clamp(f64::from(self.least.get()), f64::from(self.most.get()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settles_where_a_few_wait() {
        // A server of 10 that needs 10 ms: the response is 10 ms up to ten outstanding, then in proportion.
        let rule = Vegas { initial: 5.into(), least: one(), most: thousand() };
        let mut state = rule.start();
        for _ in 0..2_000 {
            let outstanding = state.limit as u32;
            let took = SimDuration::from_secs_f64(0.001 * f64::from(outstanding.max(10)));
            rule.replied(&mut state, Reply { took, good: true, outstanding });
        }
        // Of L outstanding L - 10 wait, which stays between 3 and 6 steps of log10(L).
        assert!((13.0..18.0).contains(&state.limit), "{}", state.limit);
    }
}
