//! Early: a key may be fetched anew before it expires, the sooner the longer its fetch takes and the more it is
//! asked for, so that a popular key hardly ever expires.
//!
//! Source: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB
//! 2015 (XFetch).

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;
use sim_core::time::SimTime;

/// Probabilistic early refresh as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Early {
    /// How eagerly: 1 is the optimum for the exponential law, more refreshes earlier.
    #[serde(default = "one")]
    pub beta: Given<f64>,
}

fn one() -> Given<f64> {
    1.0.into()
}

impl Early {
    /// Whether a lookup fetches a key anew that it finds: if now − took·beta·ln(u) is not before the expiry, with u
    /// uniform on (0, 1) and `took` the nanoseconds that the last fetch of the key took.
    pub(super) fn due(&self, now: SimTime, expires: SimTime, took: f32, chance: Key) -> bool {
        let ahead = -libm::log(chance.rng().open01()) * self.beta.get() * f64::from(took);
        expires.since(now).as_nanos() as f64 <= ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(refresh with x left) = P(took·beta·(−ln u) ≥ x) = exp(−x/(took·beta)).
    #[test]
    fn the_law_of_the_head_start_is_exponential() {
        let early = Early { beta: 2.0.into() };
        let (now, draws) = (SimTime::from_nanos(1_000_000), 100_000_u64);
        for left in [0_u64, 50, 200, 1_000] {
            let at = SimTime::from_nanos(now.as_nanos() + left);
            let due = (0..draws).filter(|i| early.due(now, at, 100.0, Key::from_bits(5).index(*i))).count();
            let p = libm::exp(-(left as f64) / 200.0);
            // Five standard errors of the share; with nothing left it is certain.
            let bound = 5.0 * (p * (1.0 - p) / draws as f64).sqrt();
            assert!((due as f64 / draws as f64 - p).abs() <= bound, "{left}: {due}");
        }
        assert!(!early.due(now, SimTime::from_nanos(1_000_001), 0.0, Key::from_bits(1)), "no fetch has been timed");
    }
}
