//! Target tracking: so many requests a second for each replica.

use super::{Memory, Observed, passed, whole};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Target tracking on the offered rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTracking {
    /// Requests a second that each replica should be offered, those turned away included.
    pub per_replica: Given<f64>,
    /// How long after a rise or fall the number does not fall.
    #[serde(default = "five_minutes")]
    pub cooldown: Given<SimDuration>,
}

fn five_minutes() -> Given<SimDuration> {
    SimDuration::from_secs(300).into()
}

impl Default for TargetTracking {
    fn default() -> Self {
        Self { per_replica: 100.0.into(), cooldown: five_minutes() }
    }
}

impl TargetTracking {
    pub(super) fn desired(&self, memory: &mut Memory, observed: &Observed) -> u32 {
        let desired = whole(observed.sample.offered_per_s / self.per_replica.get());
        let calm = [memory.raised, memory.lowered].iter().all(|at| passed(*at, self.cooldown.get(), observed.now));
        if desired < observed.desired && !calm { observed.desired } else { desired }
    }
}
