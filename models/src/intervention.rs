//! What is done to a running system from outside, at an instant.

use crate::fault::{Fault, Which};
use crate::topology::Topology;
use sim_core::dist::Dist;
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// An act on a running system.
#[derive(Clone, Debug)]
pub enum Act {
    /// The service gets this many replicas: missing ones start at once, surplus ones drain.
    Scale {
        /// The service.
        service: u16,
        /// How many replicas.
        to: u32,
    },
    /// Replicas crash and lose what they hold.
    Kill {
        /// The service.
        service: u16,
        /// Which replicas.
        of: Which,
        /// Whether callers are refused at once, instead of learning of it by their timeout. A caller
        /// without a timeout learns at once in any case.
        refuse: bool,
    },
    /// All caches of the service are emptied.
    Flush {
        /// The service.
        service: u16,
    },
    /// Something goes wrong with replicas that are up. Those that start later are well.
    Inflict {
        /// The service.
        service: u16,
        /// Which replicas.
        of: Which,
        /// What goes wrong.
        fault: Fault,
        /// For how long, drawn once for all that are hit; until healed if there is nothing.
        lasts: Option<Dist>,
    },
    /// Nothing is wrong with replicas any more.
    Heal {
        /// The service.
        service: u16,
        /// Which replicas.
        of: Which,
    },
    /// Many of an open population come at once, or within a while, besides those who come anyway. Of a population
    /// that asks in sessions, as many sessions begin.
    Herd {
        /// The population; of closed users nobody comes.
        client: u16,
        /// How many.
        size: u32,
        /// Within what time, each at an instant drawn uniformly.
        within: SimDuration,
    },
    /// Numbers change: sizes, times, rates. Draws already made stand; everything after is new. How many
    /// replicas a service has does not change, that is [`Act::Scale`]; the factor of a trace counts from
    /// the next bin on.
    Adopt {
        /// The same design with other numbers.
        topology: Arc<Topology>,
    },
}

/// Acts with their instants, in order. Acts at one instant apply in the order of the list, before
/// anything else happens at that instant.
#[derive(Clone, Debug, Default)]
pub struct Timeline(Vec<(SimTime, Act)>);

impl Timeline {
    /// Sorts acts by time; those at one instant keep their order.
    pub fn new(mut acts: Vec<(SimTime, Act)>) -> Self {
        acts.sort_by_key(|(at, _)| *at);
        Self(acts)
    }

    /// The acts, in order.
    pub fn acts(&self) -> &[(SimTime, Act)] {
        &self.0
    }
}
