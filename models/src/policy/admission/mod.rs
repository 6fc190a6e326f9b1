//! Admission: which attempts a service takes in at all, decided when they come.
//!
//! It stands before the queue: what it refuses is rejected at once, so that its caller hears of it while there is
//! still time to do something else. Under `PerReplica` each replica decides for itself, under `Shared` the service
//! as a whole. *Outstanding* is what waits or is held there.
//!
//! Two kinds: limits on the **rate** (token bucket, sliding window), and limits on what is **outstanding**, fixed or
//! adaptive (AIMD, Vegas, gradient). The adaptive ones look at how long replies take, and find by themselves how
//! much a service can bear; source of their form: Netflix, "concurrency-limits" (read in November 2026), after TCP
//! congestion control.

mod aimd;
mod gradient;
mod sliding_window;
mod token_bucket;
mod vegas;

pub use aimd::Aimd;
pub use gradient::Gradient;
pub use sliding_window::SlidingWindow;
pub use token_bucket::TokenBucket;
pub use vegas::Vegas;

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// An admission rule as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Admission {
    /// Whatever comes.
    #[default]
    Always,
    /// At most so many outstanding.
    Concurrency(Given<u32>),
    /// So many a second, with bursts.
    TokenBucket(TokenBucket),
    /// So many in any window of time.
    SlidingWindow(SlidingWindow),
    /// A limit that grows by one and shrinks by a factor.
    Aimd(Aimd),
    /// A limit by the queue that response times tell of.
    Vegas(Vegas),
    /// A limit by the trend of response times.
    Gradient(Gradient),
}

/// What an admission rule remembers.
#[derive(Clone, Debug, Default)]
pub enum AdmissionState {
    /// Nothing.
    #[default]
    None,
    /// Of [`Admission::TokenBucket`].
    TokenBucket(token_bucket::TokenBucketState),
    /// Of [`Admission::SlidingWindow`].
    SlidingWindow(sliding_window::SlidingWindowState),
    /// Of [`Admission::Aimd`].
    Aimd(aimd::AimdState),
    /// Of [`Admission::Vegas`].
    Vegas(vegas::VegasState),
    /// Of [`Admission::Gradient`].
    Gradient(gradient::GradientState),
}

/// A reply, as an adaptive rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply {
    /// From arrival to reply.
    pub took: SimDuration,
    /// Whether it ended well, and somebody still waited for it.
    pub good: bool,
    /// What is outstanding, itself included.
    pub outstanding: u32,
}

impl Admission {
    /// Every admission rule there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Always", example: "Always", summary: "takes in whatever comes" },
        Entry { name: "Concurrency", example: "Concurrency(100)", summary: "at most so many waiting or held" },
        Entry {
            name: "TokenBucket",
            example: "TokenBucket(rate: 200, burst: 50)",
            summary: "so many a second on average, a burst at once",
        },
        Entry {
            name: "SlidingWindow",
            example: "SlidingWindow(limit: 100, window: \"1s\")",
            summary: "so many in any window of this length: a quota",
        },
        Entry {
            name: "Aimd",
            example: "Aimd(slow: \"200ms\")",
            summary: "a concurrency limit that grows by one and shrinks by a factor when replies are slow or fail",
        },
        Entry {
            name: "Vegas",
            example: "Vegas(initial: 4)",
            summary: "a concurrency limit by the queue that response times tell of",
        },
        Entry {
            name: "Gradient",
            example: "Gradient(initial: 20)",
            summary: "a concurrency limit by short against long averages of response times",
        },
    ];

    /// What it remembers at the start.
    pub fn start(&self) -> AdmissionState {
        match self {
            Self::Always | Self::Concurrency(_) => AdmissionState::None,
            Self::TokenBucket(rule) => AdmissionState::TokenBucket(rule.start()),
            Self::SlidingWindow(_) => AdmissionState::SlidingWindow(sliding_window::SlidingWindowState::default()),
            Self::Aimd(rule) => AdmissionState::Aimd(rule.start()),
            Self::Vegas(rule) => AdmissionState::Vegas(rule.start()),
            Self::Gradient(rule) => AdmissionState::Gradient(rule.start()),
        }
    }

    /// Whether an attempt that comes now is taken in.
    pub fn admits(&self, state: &mut AdmissionState, now: SimTime, outstanding: u32) -> bool {
        match (self, state) {
            (Self::Concurrency(most), _) => outstanding < most.get(),
            (Self::TokenBucket(rule), AdmissionState::TokenBucket(state)) => rule.admits(state, now),
            (Self::SlidingWindow(rule), AdmissionState::SlidingWindow(state)) => rule.admits(state, now),
            (Self::Aimd(_), AdmissionState::Aimd(state)) => f64::from(outstanding) < state.limit.floor(),
            (Self::Vegas(_), AdmissionState::Vegas(state)) => f64::from(outstanding) < state.limit.floor(),
            (Self::Gradient(_), AdmissionState::Gradient(state)) => f64::from(outstanding) < state.limit.floor(),
            // Another rule was adopted; its state begins with it.
            _ => true,
        }
    }

    /// Takes in that a reply goes out.
    pub fn replied(&self, state: &mut AdmissionState, reply: Reply) {
        match (self, state) {
            (Self::Aimd(rule), AdmissionState::Aimd(state)) => rule.replied(state, reply),
            (Self::Vegas(rule), AdmissionState::Vegas(state)) => rule.replied(state, reply),
            (Self::Gradient(rule), AdmissionState::Gradient(state)) => rule.replied(state, reply),
            _ => {}
        }
    }

    /// Whether it learns from replies.
    pub const fn is_adaptive(&self) -> bool {
        matches!(self, Self::Aimd(_) | Self::Vegas(_) | Self::Gradient(_))
    }

    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        match self {
            Self::Always => None,
            Self::Concurrency(most) => (most.get() == 0)
                .then(|| ("nothing may be outstanding, so nothing is ever taken in".into(), "write 1 or more".into())),
            Self::TokenBucket(rule) => rule.problem(),
            Self::SlidingWindow(rule) => rule.problem(),
            Self::Aimd(rule) => rule.problem(),
            Self::Vegas(rule) => limits_problem(rule.initial.get(), rule.least.get(), rule.most.get()),
            Self::Gradient(rule) => rule.problem(),
        }
    }
}

/// What is wrong with the limits of an adaptive rule.
fn limits_problem(initial: u32, least: u32, most: u32) -> Option<(String, String)> {
    if least == 0 {
        return Some(("least is 0: the limit could never grow again".into(), "write 1 or more".into()));
    }
    let wrong = !(least..=most).contains(&initial);
    wrong.then(|| (format!("initial {initial} is not from least {least} to most {most}"), "change one of them".into()))
}
