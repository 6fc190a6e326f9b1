//! Step scaling: more replicas above thresholds of utilisation, one fewer below another.

use super::{Memory, Observed, passed};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Step scaling on the utilisation of the processors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepScaling {
    /// What to add above which utilisation: the highest threshold that is passed counts.
    pub up: Vec<Threshold>,
    /// Below this utilisation one replica is taken away.
    pub below: Given<f64>,
    /// How long after a change nothing changes, for what was started to take effect.
    #[serde(default = "five_minutes")]
    pub cooldown: Given<SimDuration>,
}

/// A threshold of [`StepScaling`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Above this utilisation, from 0 to 1...
    pub above: Given<f64>,
    /// ...so many replicas are added.
    pub add: Given<u32>,
}

fn five_minutes() -> Given<SimDuration> {
    SimDuration::from_secs(300).into()
}

impl StepScaling {
    pub(super) fn desired(&self, memory: &mut Memory, observed: &Observed) -> u32 {
        let calm = [memory.raised, memory.lowered].iter().all(|at| passed(*at, self.cooldown.get(), observed.now));
        let there = f64::from(observed.ready) * f64::from(observed.processors);
        if !calm || there == 0.0 {
            return observed.desired;
        }
        let utilisation = observed.sample.busy / there;
        let passed = self.up.iter().filter(|step| utilisation > step.above.get());
        let highest = passed.max_by(|a, b| a.above.get().total_cmp(&b.above.get()));
        match highest {
            Some(step) => observed.desired.saturating_add(step.add.get()),
            None => observed.desired - u32::from(utilisation < self.below.get() && observed.desired > 0),
        }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        let lowest = self.up.iter().map(|step| step.above.get()).min_by(f64::total_cmp)?;
        let wrong = self.below.get().partial_cmp(&lowest).is_none_or(std::cmp::Ordering::is_ge);
        let message = || format!("below {} is not under the lowest threshold, {lowest}", self.below.get());
        wrong.then(|| (message(), "it would go up and down for ever: lower it".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    #[test]
    fn the_highest_threshold_passed_counts_and_then_nothing_for_a_while() {
        let step = |above: f64, add: u32| Threshold { above: above.into(), add: add.into() };
        let rule = StepScaling { up: vec![step(0.7, 2), step(0.9, 6)], below: 0.3.into(), cooldown: five_minutes() };
        let mut memory = Memory::default();
        let at = |now, busy: f64, memory: &mut Memory| {
            let mut seen = observed(now, 10);
            seen.sample.busy = busy;
            rule.desired(memory, &seen)
        };
        assert_eq!(at(0, 5.0, &mut memory), 10);
        assert_eq!(at(0, 7.5, &mut memory), 12);
        assert_eq!(at(0, 9.5, &mut memory), 16);
        assert_eq!(at(0, 2.9, &mut memory), 9);
        memory.raised = Some(sim_core::time::SimTime::from_secs(100));
        assert_eq!((at(399, 9.5, &mut memory), at(400, 9.5, &mut memory)), (10, 16));
    }
}
