//! Faults: what goes wrong with replicas, and when. Each is an act like any other
//! ([`crate::intervention::Act`]), done at an instant of a timeline or, as a [`Recurring`] fault, at random.

pub mod which;

pub use which::Which;

use crate::intervention::Act;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::Dist;
use std::sync::Arc;

/// What can be wrong with a replica that is up, as run. A replica has each of them once: the latest holds, but
/// for pauses, of which the one that ends last does.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Its processors stand still; what they had begun they go on with later (preempt-resume). Whatever needs
    /// no processor goes on. Replicas on machines that services share are not paused.
    Pause,
    /// Work that begins takes so many times longer.
    Slow(f64),
    /// Some of what it takes in fails.
    Fail(Arc<Failing>),
}

/// How a replica fails some of what it takes in, instead of doing it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// The share of attempts that fail.
    pub share: f64,
    /// At these endpoints; at all if there are none.
    pub endpoints: Vec<u16>,
    /// How long each holds its thread before it fails; at once if there is none.
    pub after: Option<Dist>,
}

/// To whom faults come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Per {
    /// To each replica of the service by itself: ten replicas have ten times as many faults as one.
    #[default]
    Replica,
    /// To all in common: one fault at a time, whose acts say which replicas they hit.
    All,
}

/// A fault that comes again and again, as run: a renewal process of failure and repair.
#[derive(Clone, Debug)]
pub struct Recurring {
    /// Its name, which names its draws.
    pub name: String,
    /// From the end of one to the beginning of the next, and from the start to the first.
    pub every: Dist,
    /// The service to each of whose replicas it comes by itself, if that is how it comes.
    pub service: Option<u16>,
    /// What is done, in order; each by replicas alone: nothing scales, and no numbers are adopted.
    pub acts: Vec<Act>,
}
