//! Slots that are reused: the last freed is the first taken.

use std::ops::{Index, IndexMut};

/// Values in numbered slots. A freed slot keeps its last value until it is taken again; whoever
/// holds a number of it checks whether the value still means them.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T: Clone> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Values in use.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// What was in the slot that is taken next, if anything was.
    #[inline]
    pub(crate) fn last_freed(&self) -> Option<&T> {
        self.free.last().map(|slot| &self.slots[*slot as usize])
    }

    /// Takes a slot.
    #[inline(always)]
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| self.add(&value));
        self.slots[slot as usize] = value;
        slot
    }

    /// One more slot. Room grows by an eighth: doubling would waste half.
    #[inline(never)]
    fn add(&mut self, value: &T) -> u32 {
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(self.slots.len() / 8 + 16);
        }
        self.slots.push(value.clone());
        u32::try_from(self.slots.len() - 1).expect("the limit on requests in flight is far below 2^32")
    }

    /// Frees a slot. The caller marks the value so that nobody takes it for alive.
    #[inline]
    pub(crate) fn free(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// All slots, those that are free included.
    pub(crate) fn slots(&self) -> &[T] {
        &self.slots
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }
}
