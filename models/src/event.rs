//! What can happen: one closed enum, handed over in one `match` by [`crate::system::System`].
//!
//! An event names who it is for. It carries no generation: the owner knows what it waits for and
//! until when, and drops an event that does not fit.

/// Something that happens at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The next entry of the timeline applies.
    Intervention,
    /// A population's arrival process makes its next move.
    Arrival {
        /// The population.
        client: u32,
    },
    /// A closed user has thought.
    Thought {
        /// The population.
        client: u16,
        /// The user within the population.
        user: u32,
    },
    /// A visit's work on its own server, or its delay, ends.
    StepEnd {
        /// The visit.
        visit: u32,
    },
    /// A shared processor reaches its next completion.
    ProcessorTick {
        /// The replica it belongs to.
        replica: u32,
    },
    /// A replica has started.
    Ready {
        /// The replica.
        replica: u32,
    },
    /// Something starts in place of a replica that has crashed.
    Restart {
        /// The service.
        service: u32,
    },
    /// A fault of a replica ends.
    Recover {
        /// The replica.
        replica: u32,
    },
    /// A fault that comes again and again comes.
    Recur {
        /// The fault.
        fault: u16,
        /// Which replica it comes to, or 0 if it comes to all in common.
        ordinal: u32,
    },
    /// The next of a herd comes back.
    Return {
        /// The herd.
        herd: u32,
    },
    /// A scaler looks and decides.
    Scaler {
        /// The service.
        service: u32,
    },
    /// What a balancer has planned is due.
    Balancer {
        /// The service.
        service: u32,
    },
    /// A replica has drained for as long as it may.
    Drained {
        /// The replica.
        replica: u32,
    },
    /// A call's timer: its deadline, or the end of its backoff.
    CallTimer {
        /// The call.
        call: u32,
    },
    /// Shared cores of a machine reach their next completion.
    MachineTick {
        /// The machine, among those of all hosts.
        machine: u32,
    },
}

const _: () = assert!(size_of::<Event>() == 8, "events are small: the agenda copies them");
