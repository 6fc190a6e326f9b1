//! The keys of one cache, in places without gaps, found by a hash table: constant time for each access and memory
//! by what is held, whatever the number of keys there are to be asked for. Nothing goes through the table in
//! its order.

use super::Held;
use crate::policy::Eviction;
use crate::policy::eviction::EvictionState;
use sim_core::random::Key;
use sim_core::time::SimTime;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Something by key.
pub(crate) type ByKey<T> = HashMap<u32, T, BuildHasherDefault<KeyHasher>>;

/// Spreads keys, always in the same way: they are numbers from 0 up, and nobody chooses them with ill intent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    #[inline]
    fn write_u32(&mut self, key: u32) {
        let spread = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(self.0 as u32 ^ u32::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Bytes of an entry of the hash table: key, place, and its share of what a table keeps besides.
const ENTRY_BYTES: u64 = 12;

/// What a cache holds.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    places: ByKey<u32>,
    held: Vec<Held>,
    order: EvictionState,
}

impl Store {
    pub(super) fn new(eviction: Eviction) -> Self {
        Self { places: ByKey::default(), held: Vec::new(), order: eviction.start() }
    }

    pub(super) const fn len(&self) -> u32 {
        self.held.len() as u32
    }

    /// The keys, by place.
    #[cfg(test)]
    pub(super) fn keys(&self) -> Vec<u32> {
        self.held.iter().map(|held| held.key).collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.held.len() as u64 * (size_of::<Held>() as u64 + ENTRY_BYTES + self.order.rule().bytes_per_key())
    }

    #[inline]
    pub(super) fn look_up(&mut self, now: SimTime, key: u32) -> Option<Held> {
        let place = *self.places.get(&key)?;
        let held = self.held[place as usize];
        if held.expires <= now {
            self.remove(place);
            return None;
        }
        self.order.used(place);
        Some(held)
    }

    pub(super) fn store(&mut self, held: Held, size: u32, chance: Key) {
        if let Some(&place) = self.places.get(&held.key) {
            self.held[place as usize] = held;
            self.order.used(place);
            return;
        }
        let mut place = self.len();
        if place < size {
            self.held.push(held);
            self.order.added();
        } else {
            place = self.order.victim(place, chance);
            self.places.remove(&self.held[place as usize].key);
            self.held[place as usize] = held;
            self.order.replaced(place);
        }
        self.places.insert(held.key, place);
    }

    fn remove(&mut self, place: u32) {
        let gone = self.held.swap_remove(place as usize);
        self.places.remove(&gone.key);
        self.order.swap_removed(place);
        if let Some(moved) = self.held.get(place as usize) {
            self.places.insert(moved.key, place);
        }
    }

    pub(super) fn adopt(&mut self, eviction: Eviction, size: u32, chance: Key) {
        if self.order.rule() != eviction {
            self.order = self.order.follow(eviction, self.len());
        }
        while self.len() > size {
            self.remove(self.order.victim(self.len(), chance.index(u64::from(self.len()))));
        }
    }
}
