//! An event queue for loops written by hand: a hierarchical wheel whose finest slots are as wide as suits
//! the one workload it is used for. It has no classes, no promise about ties, and no state to share.

use std::cmp::Reverse;

/// Slots of a level, and their number as a power of two.
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = 5;

/// A time and what happens then.
type Entry = (u64, u64);

pub(crate) struct Wheel {
    /// Log2 of the width of the finest slots, in nanoseconds.
    shift: u32,
    /// The finest slot that has been taken out.
    cursor: u64,
    /// What is left of it, latest first.
    today: Vec<Entry>,
    occupied: [u64; LEVELS],
    slots: Vec<Vec<Entry>>,
}

impl Wheel {
    pub(crate) fn new(shift: u32) -> Self {
        Self { shift, cursor: 0, today: Vec::new(), occupied: [0; LEVELS], slots: vec![Vec::new(); LEVELS * SLOTS] }
    }

    #[inline]
    pub(crate) fn push(&mut self, time: u64, event: u64) {
        let tick = time >> self.shift;
        if tick <= self.cursor {
            let place = self.today.iter().rposition(|later| later.0 > time).map_or(0, |i| i + 1);
            self.today.insert(place, (time, event));
        } else {
            self.file(tick, (time, event));
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        loop {
            if let Some(entry) = self.today.pop() {
                return Some(entry);
            }
            self.turn()?;
        }
    }

    #[inline]
    fn file(&mut self, tick: u64, entry: Entry) {
        let level = (((tick ^ self.cursor) | 1).ilog2() / DIGIT) as usize;
        let slot = (tick >> (level as u32 * DIGIT)) as usize % SLOTS;
        self.occupied[level] |= 1 << slot;
        self.slots[level * SLOTS + slot].push(entry);
    }

    fn turn(&mut self) -> Option<()> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        let slot = self.occupied[level].trailing_zeros() as usize;
        self.occupied[level] &= !(1 << slot);
        let width = level as u32 * DIGIT;
        self.cursor = ((self.cursor >> width) & !(SLOTS as u64 - 1) | slot as u64) << width;
        let mut entries = std::mem::take(&mut self.slots[level * SLOTS + slot]);
        if level == 0 {
            std::mem::swap(&mut self.today, &mut entries);
            self.today.sort_unstable_by_key(|entry| Reverse(entry.0));
        } else {
            for entry in entries.drain(..) {
                let tick = entry.0 >> self.shift;
                if tick == self.cursor {
                    self.today.push(entry);
                } else {
                    self.file(tick, entry);
                }
            }
            self.today.sort_unstable_by_key(|entry| Reverse(entry.0));
        }
        entries.clear();
        self.slots[level * SLOTS + slot] = entries;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::random::Key;

    #[test]
    fn pops_in_order_of_time() {
        let mut random = Key::root(5, 0).rng();
        let mut wheel = Wheel::new(10);
        (0..1_000).for_each(|i| wheel.push(random.next_u64() >> 34, i));
        let mut now = 0;
        for _ in 0..100_000 {
            let (time, event) = wheel.pop().unwrap();
            assert!(time >= now);
            now = time;
            wheel.push(now + (random.next_u64() >> (34 + event % 20)), event);
        }
    }
}
