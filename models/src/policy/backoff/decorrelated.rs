//! Decorrelated jitter (Brooker, "Exponential backoff and jitter", AWS 2015).

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::KeyedRng;
use sim_core::time::SimDuration;

/// Waits min(cap, a time drawn uniformly between base and three times the wait before); before the first
/// stands base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decorrelated {
    /// Shortest wait.
    pub base: Given<SimDuration>,
    /// Longest wait.
    pub cap: Given<SimDuration>,
}

impl Decorrelated {
    /// The wait after the failure of attempt `attempt`, counted from 0. The waits before it are drawn again,
    /// from the generators of their attempts, so that nobody has to remember them.
    pub(crate) fn wait(&self, attempt: u32, rng: impl Fn(u32) -> KeyedRng) -> SimDuration {
        let base = self.base.get().as_nanos() as f64;
        let cap = self.cap.get().as_nanos() as f64;
        let next = |before: f64, attempt: u32| {
            let high = (3.0 * before).max(base);
            (base + (high - base) * rng(attempt).uniform()).min(cap)
        };
        SimDuration::from_nanos((0..=attempt).fold(base, next) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::random::Key;

    #[test]
    fn each_wait_is_drawn_between_base_and_three_times_the_one_before() {
        let ms = SimDuration::from_millis;
        let backoff = Decorrelated { base: ms(50).into(), cap: ms(1_000).into() };
        for call in 0..200 {
            let key = Key::root(1, call);
            let rng = |attempt: u32| key.index(u64::from(attempt)).rng();
            let mut before = 50e6;
            for attempt in 0..20 {
                let wait = backoff.wait(attempt, rng).as_nanos() as f64;
                let u = rng(attempt).uniform();
                let expected = (50e6 + (3.0 * before - 50e6) * u).min(1_000e6);
                assert!((wait - expected).abs() <= 1.0, "attempt {attempt}: {wait}, not {expected}");
                before = expected;
            }
        }
    }
}
