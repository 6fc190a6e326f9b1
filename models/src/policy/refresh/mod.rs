//! Refresh: whether a cache fetches a key anew while it still holds it.

mod early;

pub use early::Early;

use crate::catalogue::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;
use sim_core::time::SimTime;

/// A refresh rule. It has no state of its own: what it needs is remembered with each key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Refresh {
    /// A key is fetched when it is missed.
    #[default]
    Never,
    /// A lookup may fetch anew what will soon expire, by a draw.
    Early(Early),
}

impl Refresh {
    /// Every rule there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Never", example: "Never", summary: "a key is fetched when it is missed" },
        Entry {
            name: "Early",
            example: "Early(beta: 1.0)",
            summary: "a lookup may fetch anew what soon expires, the sooner the longer a fetch takes (XFetch)",
        },
    ];

    /// Whether a lookup fetches a key anew that expires only then; `took` is how many nanoseconds its last fetch
    /// took, and `chance` names the draw.
    #[inline]
    pub(super) fn due(&self, now: SimTime, expires: SimTime, took: f32, chance: Key) -> bool {
        match self {
            Self::Never => false,
            Self::Early(early) => expires != SimTime::MAX && early.due(now, expires, took, chance),
        }
    }
}
