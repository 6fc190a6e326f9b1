//! Drop rules: which requests are thrown away when their turn in the queue comes.
//!
//! An attempt without a timeout never expires. What is dropped fails at its caller at once.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A drop rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Drop {
    /// Nothing is dropped.
    #[default]
    Never,
    /// What its caller has already given up on.
    Expired,
    /// What its caller gives up on within this time: `RemainingBelow("300ms")`.
    RemainingBelow(Given<SimDuration>),
}

impl Drop {
    /// Every drop rule there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Never", example: "Never", summary: "nothing is dropped" },
        Entry { name: "Expired", example: "Expired", summary: "drops what its caller has already given up on" },
        Entry {
            name: "RemainingBelow",
            example: "RemainingBelow(\"300ms\")",
            summary: "drops what its caller will give up on too soon to be served",
        },
    ];

    /// Whether an attempt is dropped now. `deadline` is when its caller gives up: `None` if never;
    /// a deadline that has passed has expired.
    pub fn drops(&self, now: SimTime, deadline: Option<SimTime>) -> bool {
        let Some(deadline) = deadline else {
            return false;
        };
        match self {
            Self::Never => false,
            Self::Expired => deadline <= now,
            Self::RemainingBelow(least) => deadline < now.saturating_add(least.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_by_the_time_that_is_left() {
        let at = SimTime::from_secs;
        let check = |rule: &Drop, deadline: Option<SimTime>, drops: bool| {
            assert_eq!(rule.drops(at(10), deadline), drops, "{rule:?} {deadline:?}");
        };
        let soon = Drop::RemainingBelow(SimDuration::from_secs(2).into());
        check(&Drop::Never, Some(at(1)), false);
        check(&Drop::Expired, Some(at(10)), true);
        check(&Drop::Expired, Some(at(11)), false);
        check(&soon, Some(at(11)), true);
        check(&soon, Some(at(12)), false);
        check(&soon, None, false);
    }
}
