//! Balking: who sees how many are there and does not join them.
//!
//! Source: Haight, "Queueing with balking" (1957); Ancker and Gafarian (1963) for the reciprocal rule.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;

/// When a request does not join, as written. It looks at who is present where it would go, waiting or held:
/// at the replica that the balancer chose, or at all under a shared queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Balking {
    /// It always joins.
    #[default]
    Never,
    /// It does not join if so many are present, or more: `From(3)`.
    From(Given<u32>),
    /// It joins with probability 1/(n+1) if n are present.
    Reciprocal,
}

/// When a request does not join, as run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalkingRule {
    /// It always joins.
    Never,
    /// It does not join from so many on.
    From(u32),
    /// It joins with probability 1/(n+1).
    Reciprocal,
}

impl Balking {
    /// Every kind of balking there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Never", example: "Never", summary: "always joins, however many are there" },
        Entry { name: "From", example: "From(3)", summary: "does not join where so many are present, or more" },
        Entry {
            name: "Reciprocal",
            example: "Reciprocal",
            summary: "joins with probability 1/(n+1) where n are present",
        },
    ];

    /// As run.
    pub fn compile(&self) -> BalkingRule {
        match self {
            Self::Never => BalkingRule::Never,
            Self::From(most) => BalkingRule::From(most.get()),
            Self::Reciprocal => BalkingRule::Reciprocal,
        }
    }
}

impl BalkingRule {
    /// Whether a request does not join where so many are present. `draw` names its draw.
    pub fn balks(self, present: u32, draw: Key) -> bool {
        match self {
            Self::Never => false,
            Self::From(most) => present >= most,
            Self::Reciprocal => draw.uniform() * (f64::from(present) + 1.0) >= 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_are_the_fewer_join() {
        let joins = |rule: BalkingRule, present: u32| {
            let draws = (0..40_000).map(|i| Key::root(3, 0).index(i));
            draws.filter(|draw| !rule.balks(present, *draw)).count()
        };
        assert_eq!([2, 3, 4].map(|n| joins(Balking::From(3.into()).compile(), n)), [40_000, 0, 0]);
        assert_eq!(joins(Balking::Never.compile(), 1_000), 40_000);
        assert_eq!(joins(BalkingRule::Reciprocal, 0), 40_000);
        // Binomial(40000, 1/4) has standard deviation 87; five of them are passed once in two million.
        assert!(joins(BalkingRule::Reciprocal, 3).abs_diff(10_000) < 435);
    }
}
