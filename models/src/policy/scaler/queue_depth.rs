//! Queue depth: so many waiting requests for each replica, as event-driven scalers such as KEDA do for workers
//! at a queue.

use super::{Memory, Observed, passed, whole};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Scaling by the length of the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueDepth {
    /// Waiting requests for which one replica is kept.
    pub per_replica: Given<f64>,
    /// How long after the last change the number does not fall.
    #[serde(default = "five_minutes")]
    pub cooldown: Given<SimDuration>,
}

fn five_minutes() -> Given<SimDuration> {
    SimDuration::from_secs(300).into()
}

impl QueueDepth {
    pub(super) fn desired(&self, memory: &mut Memory, observed: &Observed) -> u32 {
        let desired = whole(f64::from(observed.sample.waiting) / self.per_replica.get());
        let calm = [memory.raised, memory.lowered].iter().all(|at| passed(*at, self.cooldown.get(), observed.now));
        if desired < observed.desired && !calm { observed.desired } else { desired }
    }
}
