//! Exponential backoff with jitter (Brooker, "Exponential backoff and jitter", AWS 2015).

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::KeyedRng;
use sim_core::time::SimDuration;

/// Waits min(cap, base * 2^attempt), spread by jitter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Wait after the first failure.
    pub base: Given<SimDuration>,
    /// Longest wait.
    pub cap: Given<SimDuration>,
    /// How the wait is spread.
    #[serde(default)]
    pub jitter: Jitter,
}

/// How a wait w is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Jitter {
    /// Exactly w.
    None,
    /// Uniform between 0 and w.
    #[default]
    Full,
    /// Uniform between w/2 and w.
    Equal,
}

impl Exponential {
    /// The wait after the failure of attempt `attempt`, counted from 0.
    pub(crate) fn wait(&self, attempt: u32, rng: &mut KeyedRng) -> SimDuration {
        let doubled = (self.base.get().as_nanos() as u128) << attempt.min(63);
        let whole = doubled.min(u128::from(self.cap.get().as_nanos())) as f64;
        let nanos = match self.jitter {
            Jitter::None => whole,
            Jitter::Full => whole * rng.uniform(),
            Jitter::Equal => whole * (0.5 + 0.5 * rng.uniform()),
        };
        SimDuration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::random::Key;

    #[test]
    fn doubles_up_to_the_cap_and_jitter_stays_inside() {
        let ms = SimDuration::from_millis;
        let with = |jitter| Exponential { base: ms(50).into(), cap: ms(1_000).into(), jitter };
        let mut rng = Key::root(1, 0).rng();
        let waits: Vec<_> = (0..6).map(|k| with(Jitter::None).wait(k, &mut rng)).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1_000].map(ms));
        for attempt in 0..100 {
            let full = with(Jitter::Full).wait(attempt, &mut rng);
            let equal = with(Jitter::Equal).wait(3, &mut rng);
            assert!(full <= ms(1_000));
            assert!(ms(200) <= equal && equal <= ms(400));
        }
    }
}
