//! Hedging: if no reply has come after a while, the attempt is sent once more, and the first good reply
//! wins (Dean & Barroso, "The Tail at Scale", CACM 2013: hedged requests).

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A hedge as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// How long after the start of an attempt one more is sent, and how long after that the next. About
    /// the 95th percentile of the response time makes a twentieth more load.
    pub after: Given<SimDuration>,
    /// How many more at most.
    #[serde(default = "one")]
    pub most: Given<u32>,
}

fn one() -> Given<u32> {
    1.into()
}

/// The most extra attempts of one attempt.
pub const MOST: u32 = 7;

/// A hedge as run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeSpec {
    /// Time between two sendings.
    pub after: SimDuration,
    /// Extra attempts at most, up to [`MOST`].
    pub most: u8,
}

impl Hedge {
    /// The hedge as run.
    pub fn compile(&self) -> HedgeSpec {
        HedgeSpec { after: self.after.get(), most: self.most.get().min(MOST) as u8 }
    }
}

impl HedgeSpec {
    /// When, counted from the start of the attempt, the next extra one is due, if `passed` has passed.
    pub fn next(&self, passed: SimDuration) -> Option<SimDuration> {
        let after = self.after.as_nanos().max(1);
        let nth = passed.as_nanos() / after + 1;
        (nth <= u64::from(self.most)).then(|| SimDuration::from_nanos(after.saturating_mul(nth)))
    }

    /// Whether an extra one is due just when `passed` has passed.
    pub fn is_due(&self, passed: SimDuration) -> bool {
        let after = self.after.as_nanos().max(1);
        let nth = passed.as_nanos() / after;
        passed.as_nanos().is_multiple_of(after) && (1..=u64::from(self.most)).contains(&nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_are_due_at_multiples_up_to_the_most() {
        let ns = SimDuration::from_nanos;
        let hedge = HedgeSpec { after: ns(20), most: 2 };
        let next: Vec<_> = [0, 19, 20, 39, 40, 100].map(|passed| hedge.next(ns(passed))).into();
        assert_eq!(next, [Some(ns(20)), Some(ns(20)), Some(ns(40)), Some(ns(40)), None, None]);
        let due: Vec<_> = (0..100).filter(|n| hedge.is_due(ns(*n))).collect();
        assert_eq!(due, [20, 40]);
    }
}
