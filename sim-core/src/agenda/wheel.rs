//! A hierarchical timing wheel over the whole of simulated time, its slots stored as chunks.
//!
//! Read a time as eleven digits to the base 64. Seen from the *cursor*, an event belongs to the level
//! of the highest digit in which its time differs from the cursor's, and there to the slot named by
//! that digit. So a slot of level `l` spans `64^l` ns, near times are told apart finely and far
//! ones coarsely, and any time has a slot at once, without a search.
//!
//! ```text
//! cursor = ...0.2.5     level 0   [ . . . . . 5 6 7 ... 63 ]    1 ns a slot
//!                       level 1   [ . . . 3 4 5 6 7 ... 63 ]   64 ns a slot
//!                       level 2   [ . 1 2 3 4 5 6 7 ... 63 ]  4.1 us a slot    (dots stay empty)
//! ```
//!
//! The first occupied slot of the lowest occupied level is next. Unloading it keeps the order of
//! insertion; and since equal times always share a slot, ties leave in the order in which they came.
//!
//! Chunks of all slots lie in one slab and are reused through a free list: a slot wastes at most one
//! part-filled chunk however full the others are.

/// Bits of a digit.
const DIGIT: u32 = 6;
/// Slots of a level.
const SLOTS: usize = 1 << DIGIT;
/// Digits of a 64-bit time.
const LEVELS: usize = u64::BITS.div_ceil(DIGIT) as usize;
/// Entries of a chunk.
const CHUNK: usize = 16;
/// The end of a list of chunks.
const NONE: u32 = u32::MAX;

/// An event and its time in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<E> {
    pub(super) time: u64,
    pub(super) event: E,
}

/// Where a slot lies and what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) level: usize,
    slot: usize,
    /// Its earliest and latest instant.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Entries in it.
    pub(super) count: usize,
}

/// A list of chunks, all full but the last.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
    count: u32,
}

const EMPTY: List = List { head: NONE, tail: NONE, count: 0 };

/// The wheel; see the top of this file.
#[derive(Clone, Debug)]
pub(super) struct Wheel<E> {
    /// No entry is earlier, now or later. Moves only when the first slot is spread over finer levels.
    cursor: u64,
    len: usize,
    /// For each level a bit for each slot that is not empty.
    occupied: [u64; LEVELS],
    /// Slot `s` of level `l` is `lists[l * SLOTS + s]`. Allocated with the first entry.
    lists: Vec<List>,
    /// Chunk `c` is `entries[c * CHUNK..][..CHUNK]`.
    entries: Vec<Entry<E>>,
    /// The chunk after chunk `c`, in its slot or among the free.
    next: Vec<u32>,
    free: u32,
}

impl<E: Copy> Wheel<E> {
    pub(super) fn new() -> Self {
        Self {
            cursor: 0,
            len: 0,
            occupied: [0; LEVELS],
            lists: Vec::new(),
            entries: Vec::new(),
            next: Vec::new(),
            free: NONE,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.lists.capacity() * size_of::<List>()
            + self.entries.capacity() * size_of::<Entry<E>>()
            + self.next.capacity() * size_of::<u32>()
    }

    /// Sets an empty wheel to `now`, before which no entry will come.
    pub(super) fn restart(&mut self, now: u64) {
        assert!(self.is_empty(), "only an empty wheel can be set to another time");
        self.cursor = now;
        if self.lists.is_empty() {
            self.lists = vec![EMPTY; LEVELS * SLOTS];
        }
    }

    /// Adds an entry behind those of its slot.
    #[inline]
    pub(super) fn insert(&mut self, entry: Entry<E>) {
        debug_assert!(entry.time >= self.cursor, "an entry behind the cursor would never be found");
        let level = ((entry.time ^ self.cursor) | 1).ilog2() / DIGIT;
        let slot = (entry.time >> (level * DIGIT)) as usize % SLOTS;
        let level = level as usize;
        let list = &mut self.lists[level * SLOTS + slot];
        let filled = list.count as usize % CHUNK;
        list.count += 1;
        self.len += 1;
        match filled {
            0 => self.insert_in_new_chunk(level, slot, entry),
            _ => self.entries[list.tail as usize * CHUNK + filled] = entry,
        }
    }

    #[inline(never)]
    fn insert_in_new_chunk(&mut self, level: usize, slot: usize, entry: Entry<E>) {
        let chunk = self.chunk_starting_with(entry);
        self.occupied[level] |= 1 << slot;
        let list = &mut self.lists[level * SLOTS + slot];
        let before = std::mem::replace(&mut list.tail, chunk);
        match before {
            NONE => list.head = chunk,
            before => self.next[before as usize] = chunk,
        }
    }

    /// The slot whose entries come before all others.
    #[inline]
    pub(super) fn first(&self) -> Option<Span> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let slot = self.occupied[level].trailing_zeros() as usize;
        let shift = level as u32 * DIGIT;
        let parent = (self.cursor >> shift) & !(SLOTS as u64 - 1);
        let first = (parent | slot as u64) << shift;
        let last = first | ((1 << shift) - 1);
        let count = self.lists[level * SLOTS + slot].count as usize;
        Some(Span { level, slot, first, last, count })
    }

    /// The earliest time in `span`: looks at every entry of it.
    pub(super) fn earliest_in(&self, span: Span) -> u64 {
        let list = self.lists[span.level * SLOTS + span.slot];
        self.chunks(list).flatten().fold(span.last, |earliest, entry| earliest.min(entry.time))
    }

    /// Moves the first chunks of `span`, `max` entries or a little fewer, to the end of `to`.
    pub(super) fn unload(&mut self, span: Span, max: usize, to: &mut Vec<Entry<E>>) {
        let at = span.level * SLOTS + span.slot;
        let mut list = self.lists[at];
        let mut room = max;
        while list.count > 0 {
            let here = (list.count as usize).min(CHUNK);
            if here > room {
                break;
            }
            let start = list.head as usize * CHUNK;
            to.extend_from_slice(&self.entries[start..start + here]);
            room -= here;
            list.count -= here as u32;
            self.len -= here;
            list.head = self.release(list.head);
        }
        if list.count == 0 {
            self.occupied[span.level] &= !(1 << span.slot);
            list = EMPTY;
        }
        self.lists[at] = list;
    }

    /// Spreads `span`, which must be the first slot, over finer levels. The cursor moves to its
    /// earliest entry and not only to its start, so a burst at one instant gets to the finest level in one step.
    pub(super) fn spread(&mut self, span: Span) {
        self.cursor = self.earliest_in(span);
        let list = std::mem::replace(&mut self.lists[span.level * SLOTS + span.slot], EMPTY);
        self.occupied[span.level] &= !(1 << span.slot);
        self.len -= span.count;
        let mut chunk = list.head;
        let mut left = span.count;
        while left > 0 {
            let here = left.min(CHUNK);
            let start = chunk as usize * CHUNK;
            for i in start..start + here {
                self.insert(self.entries[i]);
            }
            left -= here;
            chunk = self.release(chunk);
        }
    }

    /// Gives memory back once a large slab is used to less than an eighth: after a storm, forks are
    /// cheap again. Part-filled chunks alone cannot make a slab large in this sense, so this never repeats
    /// without growth in between.
    #[inline]
    pub(super) fn shrink_if_roomy(&mut self) {
        if self.entries.len() > 2 * LEVELS * SLOTS * CHUNK && self.len < self.entries.len() / 8 {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        let mut packed = Self::new();
        packed.restart(self.cursor);
        for &entry in self.lists.iter().flat_map(|&list| self.chunks(list)).flatten() {
            packed.insert(entry);
        }
        *self = packed;
    }

    /// The entries of a slot in order of insertion.
    fn chunks(&self, list: List) -> impl Iterator<Item = &[Entry<E>]> {
        let mut chunk = list.head;
        let mut left = list.count as usize;
        std::iter::from_fn(move || {
            let here = left.min(CHUNK);
            left -= here;
            let start = chunk as usize * CHUNK;
            (here > 0).then(|| {
                chunk = self.next[chunk as usize];
                &self.entries[start..start + here]
            })
        })
    }

    #[inline]
    fn chunk_starting_with(&mut self, entry: Entry<E>) -> u32 {
        let chunk = self.free;
        if chunk == NONE {
            return self.grow(entry);
        }
        self.free = self.next[chunk as usize];
        self.entries[chunk as usize * CHUNK] = entry;
        chunk
    }

    /// Appends a chunk to the slab, whose capacity grows by an eighth: doubling would waste half.
    #[cold]
    fn grow(&mut self, filler: Entry<E>) -> u32 {
        let chunks = self.next.len();
        if chunks == self.next.capacity() {
            let more = chunks / 8 + 16;
            self.next.reserve_exact(more);
            self.entries.reserve_exact(more * CHUNK);
        }
        self.next.push(NONE);
        self.entries.extend([filler; CHUNK]);
        chunks as u32
    }

    /// Frees a chunk; answers which one followed it.
    #[inline]
    fn release(&mut self, chunk: u32) -> u32 {
        std::mem::replace(&mut self.next[chunk as usize], std::mem::replace(&mut self.free, chunk))
    }
}
