//! A first-in-first-out queue that may grow to millions and is cheap to fork.
//!
//! ```text
//!   pop <- [ front: VecDeque ] <- [ full chunk ][ full chunk ] ... <- [ back: Vec ] <- push
//!                                   behind Arc: shared by forks
//! ```
//!
//! A short queue lives in `front` alone. A long one keeps its middle in full chunks that never
//! change, so that a fork copies three chunks at most and there is no slack.

use std::collections::VecDeque;
use std::sync::Arc;

const CHUNK: usize = 512;

/// A queue of small values.
#[derive(Clone, Debug)]
pub(crate) struct Fifo<T> {
    front: VecDeque<T>,
    middle: VecDeque<Arc<[T]>>,
    back: Vec<T>,
}

impl<T: Copy> Fifo<T> {
    /// An empty queue.
    pub(crate) const fn new() -> Self {
        Self { front: VecDeque::new(), middle: VecDeque::new(), back: Vec::new() }
    }

    /// Joins the end.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.back.is_empty() && self.front.len() < CHUNK && self.middle.is_empty() {
            self.front.push_back(value);
        } else {
            self.push_behind(value);
        }
    }

    /// Joins the end of a long queue.
    #[inline(never)]
    fn push_behind(&mut self, value: T) {
        self.back.push(value);
        if self.back.len() == 2 * CHUNK {
            // Half of it stays, so that going to and fro at its end costs nothing.
            self.middle.push_back(self.back[..CHUNK].into());
            self.back.drain(..CHUNK);
        }
    }

    /// Takes the head.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let head = self.front.pop_front();
        if self.front.is_empty() && !(self.middle.is_empty() && self.back.is_empty()) {
            self.refill();
        }
        head
    }

    /// Takes the tail.
    pub(crate) fn pop_back(&mut self) -> Option<T> {
        if self.back.is_empty()
            && let Some(chunk) = self.middle.pop_back()
        {
            self.back.extend(chunk.iter());
        }
        self.back.pop().or_else(|| self.front.pop_back())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.middle.len() * CHUNK + self.back.len()
    }

    /// Brings the next part of a long queue to the front.
    #[inline(never)]
    fn refill(&mut self) {
        match self.middle.pop_front() {
            Some(chunk) => self.front.extend(chunk.iter()),
            None => self.front.extend(self.back.drain(..)),
        }
    }

    /// All, head first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.front.iter().chain(self.middle.iter().flat_map(|chunk| chunk.iter())).chain(&self.back)
    }
}

impl<T: Copy> Default for Fifo<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_deque(moves in proptest::collection::vec((0..5, 1..2_000_usize), 1..60)) {
            let (mut fifo, mut deque, mut n) = (Fifo::new(), VecDeque::new(), 0_u64);
            for (what, times) in moves {
                for _ in 0..times {
                    match what {
                        0..=2 => {
                            fifo.push(n);
                            deque.push_back(n);
                            n += 1;
                        }
                        3 => prop_assert_eq!(fifo.pop(), deque.pop_front()),
                        _ => prop_assert_eq!(fifo.pop_back(), deque.pop_back()),
                    }
                }
                prop_assert_eq!(fifo.len(), deque.len());
                fifo = fifo.clone();
                prop_assert!(fifo.iter().eq(&deque));
            }
        }
    }
}
