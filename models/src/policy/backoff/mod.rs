//! Backoff: how long a caller waits between a failure and its next attempt.

mod decorrelated;
mod exponential;

pub use decorrelated::Decorrelated;
pub use exponential::{Exponential, Jitter};

use crate::catalogue::Entry;
use crate::distribution::Distribution;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::{Dist, DistError};
use sim_core::random::KeyedRng;
use sim_core::time::SimDuration;

/// A backoff as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Backoff {
    /// Always the same: `Constant("50ms")`.
    Constant(Given<SimDuration>),
    /// Drawn anew each time, as from a person: `Drawn(Exponential("2s"))`.
    Drawn(Distribution),
    /// Doubling, with jitter: `Exponential(base: "50ms", cap: "5s", jitter: Full)`.
    Exponential(Exponential),
    /// Drawn between a base and three times the wait before: `Decorrelated(base: "50ms", cap: "5s")`.
    Decorrelated(Decorrelated),
}

/// A backoff as run.
#[derive(Clone, Debug)]
pub enum BackoffRule {
    /// See [`Backoff::Constant`] and [`Backoff::Drawn`].
    Drawn(Dist),
    /// See [`Backoff::Exponential`].
    Exponential(Exponential),
    /// See [`Backoff::Decorrelated`].
    Decorrelated(Decorrelated),
}

impl Backoff {
    /// Every backoff there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Constant", example: "Constant(\"50ms\")", summary: "always the same" },
        Entry {
            name: "Drawn",
            example: "Drawn(Exponential(\"2s\"))",
            summary: "drawn anew each time, like a person who presses refresh",
        },
        Entry {
            name: "Exponential",
            example: "Exponential(base: \"50ms\", cap: \"5s\", jitter: Full)",
            summary: "doubles after each failure, with no, full or equal jitter",
        },
        Entry {
            name: "Decorrelated",
            example: "Decorrelated(base: \"50ms\", cap: \"5s\")",
            summary: "drawn between a base and three times the wait before",
        },
    ];

    /// The backoff as run.
    ///
    /// # Errors
    /// A distribution whose parameters make no sense.
    pub fn compile(&self) -> Result<BackoffRule, DistError> {
        Ok(match self {
            Self::Constant(span) => BackoffRule::Drawn(Dist::constant(span.get())?),
            Self::Drawn(distribution) => BackoffRule::Drawn(distribution.compile()?),
            Self::Exponential(exponential) => BackoffRule::Exponential(exponential.clone()),
            Self::Decorrelated(decorrelated) => BackoffRule::Decorrelated(decorrelated.clone()),
        })
    }
}

impl BackoffRule {
    /// The wait after the failure of attempt `attempt`, counted from 0; `rng` is the generator of any attempt up
    /// to that.
    pub fn wait(&self, attempt: u32, rng: impl Fn(u32) -> KeyedRng) -> SimDuration {
        match self {
            Self::Drawn(dist) => dist.sample(&mut rng(attempt)),
            Self::Exponential(exponential) => exponential.wait(attempt, &mut rng(attempt)),
            Self::Decorrelated(decorrelated) => decorrelated.wait(attempt, rng),
        }
    }
}
