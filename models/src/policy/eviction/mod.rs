//! Eviction: which key leaves a full cache when another comes.
//!
//! A cache numbers what it holds by places 0, 1, …, n−1 without gaps; what a rule remembers of them takes
//! constant time for each change.

mod fifo;
mod list;
mod lru;
mod random;

use crate::catalogue::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;

/// An eviction rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Eviction {
    /// The key that was not asked for the longest.
    #[default]
    Lru,
    /// The key that came first.
    Fifo,
    /// Any key, with equal probability.
    Random,
}

/// What a rule remembers of one cache.
#[derive(Clone, Debug)]
pub(crate) enum EvictionState {
    /// See [`Eviction::Lru`].
    Lru(lru::LruState),
    /// See [`Eviction::Fifo`].
    Fifo(fifo::FifoState),
    /// See [`Eviction::Random`].
    Random,
}

impl Eviction {
    /// Every rule there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Lru", example: "Lru", summary: "the key goes that was not asked for the longest" },
        Entry { name: "Fifo", example: "Fifo", summary: "the key goes that came first, however often it is asked for" },
        Entry { name: "Random", example: "Random", summary: "any key goes, with equal probability" },
    ];

    /// The state of an empty cache.
    pub(crate) fn start(self) -> EvictionState {
        match self {
            Self::Lru => EvictionState::Lru(lru::LruState::default()),
            Self::Fifo => EvictionState::Fifo(fifo::FifoState::default()),
            Self::Random => EvictionState::Random,
        }
    }

    /// What a rule remembers of each key, in bytes.
    pub(crate) const fn bytes_per_key(self) -> u64 {
        match self {
            Self::Lru | Self::Fifo => 8,
            Self::Random => 0,
        }
    }
}

impl EvictionState {
    /// The rule.
    pub(crate) const fn rule(&self) -> Eviction {
        match self {
            Self::Lru(_) => Eviction::Lru,
            Self::Fifo(_) => Eviction::Fifo,
            Self::Random => Eviction::Random,
        }
    }

    /// A key came to the place after the last.
    pub(crate) fn added(&mut self) {
        match self {
            Self::Lru(lru) => lru.0.push(),
            Self::Fifo(fifo) => fifo.0.push(),
            Self::Random => {}
        }
    }

    /// The key at a place was asked for, or stored again.
    #[inline]
    pub(crate) fn used(&mut self, place: u32) {
        if let Self::Lru(lru) = self {
            lru.used(place);
        }
    }

    /// The place whose key goes next, of so many; `chance` names the draw.
    pub(crate) fn victim(&self, places: u32, chance: Key) -> u32 {
        let oldest = match self {
            Self::Lru(lru) => lru.0.oldest(),
            Self::Fifo(fifo) => fifo.0.oldest(),
            Self::Random => Some(random::victim(places, chance)),
        };
        oldest.expect("a full cache holds a key")
    }

    /// The key at a place has gone, and another came in its place.
    pub(crate) fn replaced(&mut self, place: u32) {
        match self {
            Self::Lru(lru) => lru.used(place),
            Self::Fifo(fifo) => fifo.replaced(place),
            Self::Random => {}
        }
    }

    /// The key at a place has gone, and that of the last place takes it.
    pub(crate) fn swap_removed(&mut self, place: u32) {
        match self {
            Self::Lru(lru) => lru.0.swap_remove(place),
            Self::Fifo(fifo) => fifo.0.swap_remove(place),
            Self::Random => {}
        }
    }

    /// The same places under another rule, in the order there was.
    pub(crate) fn follow(&self, rule: Eviction, places: u32) -> Self {
        let order: Vec<u32> = match self {
            Self::Lru(lru) => lru.0.iter().collect(),
            Self::Fifo(fifo) => fifo.0.iter().collect(),
            Self::Random => (0..places).collect(),
        };
        let mut next = rule.start();
        order.iter().for_each(|_| next.added());
        order.iter().for_each(|place| next.replaced(*place));
        next
    }
}
