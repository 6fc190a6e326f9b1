//! Retry: a failed attempt is repeated, by a program or by a person who presses refresh.

use crate::given::Given;
use crate::policy::{Backoff, Budget};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether and how failed attempts are repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many times at most after the first attempt.
    pub max: Given<u32>,
    /// How long to wait between a failure and the next attempt.
    pub backoff: Backoff,
    /// A limit on the share of attempts that are repeats; left out, none.
    #[serde(default)]
    pub budget: Option<Budget>,
}
