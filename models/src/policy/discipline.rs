//! Queue discipline: who of those that wait is next.
//!
//! Sources: Cobham, "Priority assignment in waiting line problems" (1954), for priorities; Maurer, "Fail at
//! scale" (2015), for adaptive LIFO.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A queue discipline as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Discipline {
    /// First come, first served.
    #[default]
    Fifo,
    /// Last come, first served. Whoever has begun is not interrupted.
    Lifo,
    /// Adaptive LIFO: while more than so many wait in the queue, the newest is next, else the oldest:
    /// `LifoAbove(50)`.
    LifoAbove(Given<u32>),
    /// The most urgent is next, first come first served among equals. Whoever has begun is not interrupted.
    /// How urgent a request is says the priority of the client population it comes from.
    Priority,
    /// As `Priority`; moreover whoever is more urgent takes the server of the least urgent that is at work, of
    /// several the one that began last. That one goes on later where it stopped (preempt-resume), before all
    /// of its priority that came after it. Only for `Servers`. Requests are then inside the replica while
    /// they wait for a server: `threads` left out means any number.
    PreemptivePriority,
}

/// A queue discipline as run: who is taken out of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Oldest,
    /// The newest while more than so many wait, else the oldest.
    NewestAbove(u32),
    /// The oldest of the most urgent.
    MostUrgent,
}

impl Discipline {
    /// Every queue discipline there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Fifo", example: "Fifo", summary: "first come, first served" },
        Entry { name: "Lifo", example: "Lifo", summary: "last come, first served" },
        Entry {
            name: "LifoAbove",
            example: "LifoAbove(50)",
            summary: "adaptive LIFO: the newest first while more than so many wait, else the oldest",
        },
        Entry {
            name: "Priority",
            example: "Priority",
            summary: "the most urgent first, by the priority of the clients; first come first served among equals",
        },
        Entry {
            name: "PreemptivePriority",
            example: "PreemptivePriority",
            summary: "as Priority, and the more urgent interrupts the less urgent, which goes on later; for Servers",
        },
    ];

    /// As run: who is taken out of a queue.
    pub fn order(&self) -> Order {
        match self {
            Self::Fifo => Order::Oldest,
            Self::Lifo => Order::NewestAbove(0),
            Self::LifoAbove(most) => Order::NewestAbove(most.get()),
            Self::Priority | Self::PreemptivePriority => Order::MostUrgent,
        }
    }

    /// Whether the more urgent interrupts the less urgent.
    pub const fn preempts(&self) -> bool {
        matches!(self, Self::PreemptivePriority)
    }
}
