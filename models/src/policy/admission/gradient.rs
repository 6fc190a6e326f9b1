//! Gradient: a concurrency limit by the trend of response times.
//!
//! With long and short exponential averages of the response time, `g = tolerance * long / short`, kept from 0.5 to 1,
//! and `limit <- (1 - smoothing) limit + smoothing (g limit + headroom)`, headroom = sqrt(limit). While responses are
//! as always g is 1 and the limit grows; when they get longer it shrinks, at most by half. Source: Netflix,
//! concurrency-limits, `Gradient2Limit` (read in November 2026).

use super::aimd::{one, thousand, twenty};
use super::{Reply, limits_problem};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit by the trend of response times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradient {
    /// How many times the long average the short one may be without effect.
    #[serde(default = "three_halves")]
    pub tolerance: Given<f64>,
    /// How much of each new limit is taken over.
    #[serde(default = "a_fifth")]
    pub smoothing: Given<f64>,
    /// How many replies the long average remembers.
    #[serde(default = "six_hundred")]
    pub long: Given<u32>,
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

fn three_halves() -> Given<f64> {
    1.5.into()
}

fn a_fifth() -> Given<f64> {
    0.2.into()
}

fn six_hundred() -> Given<u32> {
    600.into()
}

/// The replies that the short average remembers.
const SHORT: f64 = 10.0;

/// The limit, and both averages in seconds, once there is a reply.
#[derive(Clone, Debug)]
pub struct GradientState {
    pub(super) limit: f64,
    averages: Option<(f64, f64)>,
}

impl Gradient {
    pub(super) fn start(&self) -> GradientState {
        GradientState { limit: f64::from(self.initial.get()), averages: None }
    }

    pub(super) fn replied(&self, state: &mut GradientState, reply: Reply) {
        let took = reply.took.as_secs_f64();
        let (long, short) = state.averages.get_or_insert((took, took));
        let average = |old: f64, replies: f64| old + (took - old) * 2.0 / (replies + 1.0);
        *long = average(*long, f64::from(self.long.get()));
        *short = average(*short, SHORT);
        // After an overload the long average comes down faster.
        if *long > 2.0 * *short {
            *long *= 0.95;
        }
        let limit = state.limit;
        if *short <= 0.0 || 2.0 * f64::from(reply.outstanding) < limit {
            return;
        }
        let gradient = (self.tolerance.get() * *long / *short).clamp(0.5, 1.0);
        let next = gradient * limit + limit.sqrt();
        let smoothed = limit + (next - limit) * self.smoothing.get();
        state.limit = smoothed.clamp(f64::from(self.least.get()), f64::from(self.most.get()));
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        let (tolerance, smoothing) = (self.tolerance.get(), self.smoothing.get());
        if !(tolerance >= 1.0 && tolerance.is_finite()) {
            return Some((format!("tolerance is {tolerance}"), "write 1 or more: 1.5 is half as long again".into()));
        }
        if !(smoothing > 0.0 && smoothing <= 1.0) {
            return Some((format!("smoothing is {smoothing}"), "write above 0 and at most 1".into()));
        }
        limits_problem(self.initial.get(), self.least.get(), self.most.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::SimDuration;

    #[test]
    fn grows_while_replies_are_as_always_and_shrinks_when_they_get_longer() {
        let rule = Gradient {
            tolerance: three_halves(),
            smoothing: a_fifth(),
            long: six_hundred(),
            initial: twenty(),
            least: one(),
            most: thousand(),
        };
        let mut state = rule.start();
        let reply = |millis: u64, state: &mut GradientState| {
            let outstanding = state.limit as u32;
            rule.replied(state, Reply { took: SimDuration::from_millis(millis), good: true, outstanding });
        };
        (0..10).for_each(|_| reply(10, &mut state));
        let grown = state.limit;
        assert!(grown > 28.0, "{grown}");
        (0..30).for_each(|_| reply(40, &mut state));
        assert!(state.limit < grown / 2.0, "{}", state.limit);
        let low = state.limit;
        (0..30).for_each(|_| reply(10, &mut state));
        assert!(state.limit > low, "{}", state.limit);
    }
}
