//! Scalers: how many replicas a service should have, decided again and again from what is measured.
//!
//! ```text
//!   replicas --metrics--> sample every `every` --delay--> rule: how many? --limits--> Scale
//!      ^                                                                               |
//!      +------ start: node boot, then start-up, then ready -----------------------------+
//! ```
//!
//! Every `every` the averages since the last look are taken as one [`Sample`]. A rule sees the newest sample
//! that is at least `delay` old and answers with a number of replicas, which is kept between `least` and `most`.
//! What it asks for starts as [`crate::policy::Start`] says.

mod hpa;
mod queue_depth;
mod schedule;
mod step;
mod target;

pub use hpa::{Hpa, Metric, PodPolicy, Side};
pub use queue_depth::QueueDepth;
pub use schedule::Schedule;
pub use step::{StepScaling, Threshold};
pub use target::TargetTracking;

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// A scaler as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// How it decides.
    pub rule: ScalingRule,
    /// The fewest replicas.
    #[serde(default = "one")]
    pub least: Given<u32>,
    /// The most replicas.
    pub most: Given<u32>,
    /// How often it looks and decides.
    #[serde(default = "fifteen_seconds")]
    pub every: Given<SimDuration>,
    /// How old the newest measurement is that it sees.
    #[serde(default)]
    pub delay: Given<SimDuration>,
}

fn one() -> Given<u32> {
    1.into()
}

fn fifteen_seconds() -> Given<SimDuration> {
    SimDuration::from_secs(15).into()
}

/// How a scaler decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum ScalingRule {
    /// As the Horizontal Pod Autoscaler of Kubernetes does.
    Hpa(Hpa),
    /// So many requests a second for each replica.
    TargetTracking(TargetTracking),
    /// More above thresholds of utilisation, fewer below another.
    Step(StepScaling),
    /// By the clock.
    Schedule(Schedule),
    /// So many waiting requests for each replica.
    QueueDepth(QueueDepth),
}

/// What was measured between two looks, averaged over that time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub at: SimTime,
    /// Servers or cores in use, in all replicas together.
    pub busy: f64,
    /// Requests offered a second, those turned away included.
    pub offered_per_s: f64,
    /// Requests waiting when it was taken.
    pub waiting: u32,
}

/// What a rule decides by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Now.
    pub now: SimTime,
    /// How many replicas there should be at present.
    pub desired: u32,
    /// How many are ready.
    pub ready: u32,
    /// Servers or cores of each replica.
    pub processors: u32,
    /// The newest measurement it may see.
    pub sample: Sample,
}

/// A scaler as run: what it remembers.
#[derive(Clone, Debug, Default)]
pub struct ScalerState {
    /// Samples that are not old enough to be seen, and the newest that is.
    samples: VecDeque<Sample>,
    memory: Memory,
}

/// What rules remember of their decisions.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When the number last rose, and last fell.
    pub(super) raised: Option<SimTime>,
    pub(super) lowered: Option<SimTime>,
    /// What was recommended, before it was held back.
    pub(super) recommended: VecDeque<(SimTime, u32)>,
    /// How the number was changed.
    pub(super) changed: VecDeque<(SimTime, i64)>,
}

impl ScalingRule {
    /// Every rule there is.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "Hpa",
            example: "Hpa(metrics: [Cpu(target: 0.6)])",
            summary: "as the Horizontal Pod Autoscaler of Kubernetes computes it",
        },
        Entry {
            name: "TargetTracking",
            example: "TargetTracking(per_replica: 240)",
            summary: "so many requests offered a second for each replica",
        },
        Entry {
            name: "Step",
            example: "Step(up: [(above: 0.7, add: 2), (above: 0.9, add: 6)], below: 0.3)",
            summary: "adds replicas above thresholds of utilisation, takes one away below another",
        },
        Entry {
            name: "Schedule",
            example: "Schedule(times: [(\"0h\", 4), (\"18h\", 12)])",
            summary: "so many replicas from each time of day on",
        },
        Entry {
            name: "QueueDepth",
            example: "QueueDepth(per_replica: 20)",
            summary: "so many waiting requests for each replica",
        },
    ];

    fn desired(&self, memory: &mut Memory, observed: &Observed) -> u32 {
        match self {
            Self::Hpa(rule) => rule.desired(memory, observed),
            Self::TargetTracking(rule) => rule.desired(memory, observed),
            Self::Step(rule) => rule.desired(memory, observed),
            Self::Schedule(rule) => rule.desired(observed),
            Self::QueueDepth(rule) => rule.desired(memory, observed),
        }
    }

    /// Whether it needs to know how busy the processors are.
    pub fn needs_processors(&self) -> bool {
        match self {
            Self::Hpa(rule) => rule.metrics.iter().any(|metric| matches!(metric, Metric::Cpu { .. })),
            Self::Step(_) => true,
            Self::TargetTracking(_) | Self::Schedule(_) | Self::QueueDepth(_) => false,
        }
    }

    fn problem(&self) -> Option<(String, String)> {
        match self {
            Self::Hpa(rule) => rule.problem(),
            Self::TargetTracking(rule) => positive("per_replica", rule.per_replica.get()),
            Self::Step(rule) => rule.problem(),
            Self::Schedule(rule) => rule.problem(),
            Self::QueueDepth(rule) => positive("per_replica", rule.per_replica.get()),
        }
    }
}

/// What is wrong with a number that must be above 0, as problem and remedy.
fn positive(name: &str, value: f64) -> Option<(String, String)> {
    let wrong = !(value > 0.0 && value.is_finite());
    wrong.then(|| (format!("{name} is {value}"), "write a number above 0".into()))
}

impl Scaler {
    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        let (least, most) = (self.least.get(), self.most.get());
        if least > most {
            return Some((format!("least {least} is above most {most}"), "exchange them".into()));
        }
        if self.every.get().is_zero() {
            return Some(("it looks every 0s, which never ends".into(), "write for example every: \"15s\"".into()));
        }
        self.rule.problem()
    }

    /// Takes in what was measured since the last look, and decides: `None` while there is no sample old
    /// enough. `observed` has the sample just taken.
    pub fn decide(&self, state: &mut ScalerState, mut observed: Observed) -> Option<u32> {
        state.samples.push_back(observed.sample);
        let seen = |sample: &Sample| sample.at.saturating_add(self.delay.get()) <= observed.now;
        while state.samples.get(1).is_some_and(seen) {
            state.samples.pop_front();
        }
        observed.sample = *state.samples.front().filter(|sample| seen(sample))?;
        let desired = self.rule.desired(&mut state.memory, &observed).clamp(self.least.get(), self.most.get());
        match desired.cmp(&observed.desired) {
            std::cmp::Ordering::Greater => state.memory.raised = Some(observed.now),
            std::cmp::Ordering::Less => state.memory.lowered = Some(observed.now),
            std::cmp::Ordering::Equal => return Some(desired),
        }
        state.memory.changed.push_back((observed.now, i64::from(desired) - i64::from(observed.desired)));
        Some(desired)
    }
}

/// Whether a span has passed since an instant, if there was one.
fn passed(since: Option<SimTime>, span: SimDuration, now: SimTime) -> bool {
    since.is_none_or(|since| since.saturating_add(span) <= now)
}

/// The least whole number that is no less, as a number of replicas; what is a whole number but for rounding
/// counts as one.
fn whole(replicas: f64) -> u32 {
    (replicas - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn observed(now: u64, desired: u32) -> Observed {
        let now = SimTime::from_secs(now);
        Observed { now, desired, ready: desired, processors: 1, sample: Sample { at: now, ..Sample::default() } }
    }

    #[test]
    fn a_rule_sees_what_is_old_enough() {
        let scaler = Scaler {
            rule: ScalingRule::TargetTracking(TargetTracking { per_replica: 10.0.into(), ..TargetTracking::default() }),
            least: 1.into(),
            most: 7.into(),
            every: SimDuration::from_secs(15).into(),
            delay: SimDuration::from_secs(30).into(),
        };
        let mut state = ScalerState::default();
        let mut look = |now, offered_per_s| {
            let mut seen = observed(now, 3);
            seen.sample.offered_per_s = offered_per_s;
            scaler.decide(&mut state, seen)
        };
        assert_eq!(look(15, 60.0), None);
        assert_eq!(look(30, 20.0), None);
        assert_eq!(look(45, 20.0), Some(6), "the sample of 15 s");
        assert_eq!(look(60, 900.0), Some(3), "it may not fall again so soon after it rose");
        assert_eq!(look(75, 20.0), Some(3));
        assert_eq!(look(90, 20.0), Some(7), "ninety are more than the most");
    }
}
