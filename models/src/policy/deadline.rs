//! Deadlines: whether what a caller waits for knows how long it waits.

use crate::catalogue::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a timeout is told further down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Deadline {
    /// Only the caller knows.
    #[default]
    Own,
    /// All calls that it causes end at the same instant at the latest.
    Propagate,
}

impl Deadline {
    /// Every kind of deadline there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Own", example: "Own", summary: "only the caller knows how long it waits" },
        Entry {
            name: "Propagate",
            example: "Propagate",
            summary: "the time that is left goes down with all calls: they are given up at the same instant",
        },
    ];
}
