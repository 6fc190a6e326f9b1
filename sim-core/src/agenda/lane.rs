//! The pending events of one ordering class: a short sorted array in front of a wheel.

use super::wheel::{Entry, Wheel};

/// Entries to gather into `today`; a slot with more is spread over finer ones first. At twice as many
/// `today` is cut, so at most `2 * TODAY` events are nothing but a sorted array. From 24 to 64 the speed
/// hardly depends on it.
const TODAY: usize = 32;

/// Entries among which a place is found faster one by one than by halving.
const SHORT: usize = 8;

/// A queue by time, first in first out among equal times.
#[derive(Clone, Debug)]
pub(super) struct Lane<E> {
    /// What comes next, latest first. Everything in it pops before everything in the wheel.
    today: Vec<Entry<E>>,
    /// Events from here on go into the wheel, unless it is empty: then all go into `today`.
    wheel_from: u64,
    wheel: Wheel<E>,
    /// The earliest time in the wheel, where somebody has asked.
    wheel_next: Option<u64>,
}

impl<E: Copy> Lane<E> {
    pub(super) fn new() -> Self {
        Self { today: Vec::new(), wheel_from: u64::MAX, wheel: Wheel::new(), wheel_next: None }
    }

    pub(super) fn len(&self) -> usize {
        self.today.len() + self.wheel.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.today.capacity() * size_of::<Entry<E>>() + self.wheel.memory_bytes()
    }

    /// Adds an event behind those of its time; nothing will ever be scheduled before `now`.
    pub(super) fn schedule(&mut self, now: u64, time: u64, event: E) {
        if time >= self.wheel_from && !self.wheel.is_empty() {
            return self.schedule_later(time, event);
        }
        let pending = self.today.len();
        if pending > SHORT || pending == self.today.capacity() {
            return self.schedule_among_many(now, time, event);
        }
        let entry = Entry { time, event };
        self.today.push(entry);
        let mut place = pending;
        while place > 0 && self.today[place - 1].time <= time {
            self.today[place] = self.today[place - 1];
            place -= 1;
        }
        self.today[place] = entry;
    }

    fn schedule_later(&mut self, time: u64, event: E) {
        if let Some(next) = &mut self.wheel_next {
            *next = time.min(*next);
        }
        self.wheel.insert(Entry { time, event });
    }

    #[inline(never)]
    fn schedule_among_many(&mut self, now: u64, time: u64, event: E) {
        if self.today.len() == 2 * TODAY {
            self.cut_today(now);
            return self.schedule(now, time, event);
        }
        let place = self.today.partition_point(|later| later.time > time);
        self.today.insert(place, Entry { time, event });
    }

    /// The event after `others` more, if it is among those that are sorted.
    #[inline]
    pub(super) fn upcoming(&self, others: usize) -> Option<E> {
        self.today.get(self.today.len().wrapping_sub(others + 1)).map(|entry| entry.event)
    }

    #[inline]
    pub(super) fn next_time(&mut self) -> Option<u64> {
        match self.today.last() {
            Some(entry) => Some(entry.time),
            None if self.wheel.is_empty() => None,
            None => self.next_in_wheel(),
        }
    }

    /// Takes out the first event if it is among those that are sorted and its time is one of `times`.
    #[inline]
    pub(super) fn pop_sorted(&mut self, times: impl Fn(u64) -> bool) -> Option<Entry<E>> {
        self.today.pop_if(|entry| times(entry.time))
    }

    pub(super) fn pop_until(&mut self, limit: u64) -> Option<Entry<E>> {
        if self.today.is_empty() {
            self.turn(limit);
        }
        self.pop_sorted(|time| time <= limit)
    }

    fn next_in_wheel(&mut self) -> Option<u64> {
        if self.wheel_next.is_none() {
            self.wheel_next = self.wheel.first().map(|span| self.wheel.earliest_in(span));
        }
        self.wheel_next
    }

    /// Fills `today`, which is empty, from the wheel, unless nothing there is due by `limit`: the
    /// wheel turns only onto what is about to pop, so that nothing can be scheduled behind it.
    #[inline(never)]
    fn turn(&mut self, limit: u64) {
        match self.wheel.first() {
            None => return,
            Some(span) if span.first > limit => return,
            Some(span) if span.last > limit && self.next_in_wheel() > Some(limit) => return,
            Some(_) => self.wheel_next = None,
        }
        loop {
            let Some(span) = self.wheel.first() else {
                self.wheel_from = u64::MAX;
                break;
            };
            if self.today.len() + span.count <= TODAY {
                let before = self.today.len();
                self.wheel.unload(span, TODAY, &mut self.today);
                self.today[before..].sort_by_key(|entry| entry.time);
                self.wheel_from = span.last.saturating_add(1);
            } else if !self.today.is_empty() {
                break;
            } else if span.level > 0 {
                self.wheel.spread(span);
            } else {
                // A burst at one instant. Its rest stays in the wheel, and what is added to it goes behind.
                self.wheel.unload(span, TODAY, &mut self.today);
                self.wheel_from = span.first;
                break;
            }
        }
        self.today.reverse();
        self.wheel.shrink_if_roomy();
    }

    /// Moves the later half of `today` to the wheel, and with it what is simultaneous with it: were
    /// ties torn apart, a later cut could change their order.
    #[cold]
    fn cut_today(&mut self, now: u64) {
        if self.wheel.is_empty() {
            self.wheel.restart(now);
        }
        let cut = self.today[self.today.len() / 2].time;
        let moved = self.today.partition_point(|entry| entry.time >= cut);
        for entry in self.today.drain(..moved).rev() {
            self.wheel.insert(entry);
        }
        self.wheel_from = cut;
        self.wheel_next = None;
    }
}
