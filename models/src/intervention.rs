//! What is done to a running system from outside, at an instant.

use crate::topology::Topology;
use sim_core::time::SimTime;
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
        /// Which replicas, by ordinal from 0; those that are not up are left alone.
        replicas: Vec<u32>,
        /// Whether callers are refused at once, instead of learning of it by their timeout. A caller
        /// without a timeout learns at once in any case.
        refuse: bool,
    },
    /// All caches of the service are emptied.
    Flush {
        /// The service.
        service: u16,
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
