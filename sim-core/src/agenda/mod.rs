//! The agenda: the pending events of a simulation.
//!
//! **Order.** Events pop by `(time, class, sequence)`: the earliest first; at one instant
//! [interventions](Class::Intervention) before everything else and what is [late](Class::Late) after it;
//! then in the order in which they were scheduled. The order is exact and depends on nothing else, least of all on how the storage below
//! happens to be arranged. An event may be scheduled at the very instant being popped, never before it.
//!
//! ```text
//!            +- interventions: Lane --------------------------------------------+
//! schedule   |                                                                  |
//!  -------->-+                                                                  +->- pop_until
//!            +- late: Lane -----------------------------------------------------+
//!            |             before wheel_from                                    |
//!            +- ordinary: Lane -------->-------- today [ 31 ... 2 1 0 ] ---->---+
//!                         |               half, if   |         ^
//!                         | later         too long   v         | the next slots, about 32 events,
//!                         +------------->----------- Wheel ----+ sorted
//!                                                    | ^
//!                                                    +-+ a slot with more: over finer slots
//! ```
//!
//! **How.** Each class has a lane of its own. A lane is a short array sorted by time, `today`, in front of a
//! hierarchical timing wheel with slots of 1 ns, 64 ns, 4.1 us and so on up to all of time. A slot is
//! taken apart only when it is next and holds too much to sort at once, so the width of the slots in
//! use follows the density of events by itself: nothing is tuned. Few events, up to 64, never
//! leave the array. Array, slots and their unloading all keep simultaneous events in the order in which
//! they came, so no sequence number is stored: an entry is a time and an event.
//!
//! **Cost.** An event is moved once for each level between the one it enters and the one it is sorted
//! from: about log64 of the number pending, never more than eleven times, whatever the horizons; a
//! burst at one instant takes one step. Only a new high-water mark allocates. Storage is one slab
//! that grows by an eighth and is repacked once it is nearly empty. With 8-byte events a large agenda
//! holds 16 to 20 bytes for each event; the table of slots costs 8 KiB once there are more than 64.
//!
//! **Literature.** Varghese and Lauck, "Hashed and hierarchical timing wheels" (SOSP 1987), for the
//! wheel; Tang, Goh and Thng, "Ladder queue" (ACM TOMACS 15(3), 2005), for sorting only what is next
//! and splitting only what is too full; Brown, "Calendar queues" (CACM 31(10), 1988), for the ancestor
//! of both, whose width must be tuned.
//!
//! ```
//! use sim_core::agenda::{Agenda, Class};
//! use sim_core::time::SimTime;
//!
//! let at = SimTime::from_secs;
//! let mut agenda = Agenda::new();
//! agenda.schedule(at(2), Class::Ordinary, "second");
//! agenda.schedule(at(1), Class::Ordinary, "first");
//! agenda.schedule(at(2), Class::Intervention, "just before the second");
//!
//! assert_eq!(agenda.pop_until(at(1)), Some((at(1), "first")));
//! assert_eq!(agenda.pop_until(at(1)), None);
//! assert_eq!(agenda.pop_until(at(9)), Some((at(2), "just before the second")));
//! assert_eq!(agenda.pop_until(at(9)), Some((at(2), "second")));
//! ```

mod lane;
mod wheel;

use crate::time::SimTime;
use lane::Lane;
use wheel::Entry;

/// Ordering class at one instant. Interventions precede everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// A change made to the simulation from outside.
    Intervention = 0,
    /// What the simulation does by itself.
    Ordinary = 1,
    /// What happens only if nothing else at its instant has made it void, such as a deadline: what
    /// comes exactly in time is in time.
    Late = 2,
}

/// The pending events of a simulation, in order; see the [module](self). A clone pops the same.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    /// The last popped time.
    now: SimTime,
    /// When the first event comes that is not ordinary; `MAX` if none does.
    others: u64,
    interventions: Lane<E>,
    ordinary: Lane<E>,
    late: Lane<E>,
}

impl<E: Copy> Agenda<E> {
    /// An agenda without events, at the start of time.
    pub fn new() -> Self {
        let (interventions, ordinary, late) = (Lane::new(), Lane::new(), Lane::new());
        Self { now: SimTime::ZERO, others: u64::MAX, interventions, ordinary, late }
    }

    /// Adds an event, to come after those already there of the same instant and class.
    ///
    /// # Panics
    /// If `at` is before the last popped time: no event precedes its cause.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, class: Class, event: E) {
        if at < self.now {
            precedes_its_cause(at, self.now);
        }
        let (now, time) = (self.now.as_nanos(), at.as_nanos());
        let lane = match class {
            Class::Ordinary => return self.ordinary.schedule(now, time, event),
            Class::Intervention => &mut self.interventions,
            Class::Late => &mut self.late,
        };
        lane.schedule(now, time, event);
        self.others = self.others.min(time);
    }

    /// Takes out the first event, if its time is not after `limit`; otherwise changes nothing, and
    /// events may still be scheduled at any time from the last popped one on.
    #[inline]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<(SimTime, E)> {
        let (limit, others) = (limit.as_nanos(), self.others);
        // Nearly always the next one is at hand, and ordinary before all others.
        let entry = match self.ordinary.pop_sorted(|time| time <= limit && time < others) {
            Some(entry) => entry,
            None => self.pop_any(limit)?,
        };
        self.now = SimTime::from_nanos(entry.time);
        Some((self.now, entry.event))
    }

    /// Takes out the first event of any class.
    #[inline(never)]
    fn pop_any(&mut self, limit: u64) -> Option<Entry<E>> {
        let late = self.late.next_time().filter(|due| *due <= limit);
        let first = self.pop_before_late(late.unwrap_or(limit)).or_else(|| self.late.pop_until(late?));
        let others = [self.interventions.next_time(), self.late.next_time()];
        self.others = others.into_iter().flatten().min().unwrap_or(u64::MAX);
        first
    }

    /// Takes out the first event that is not late.
    fn pop_before_late(&mut self, limit: u64) -> Option<Entry<E>> {
        match self.interventions.next_time() {
            Some(due) if due <= limit => {
                // Only what is strictly earlier goes first.
                let earlier = due.checked_sub(1).and_then(|before| self.ordinary.pop_until(before));
                earlier.or_else(|| self.interventions.pop_until(due))
            }
            _ => self.ordinary.pop_until(limit),
        }
    }

    /// The ordinary event that pops after `others` more, as far as it is known by now: a hint, since others
    /// may still be scheduled before it.
    #[inline]
    pub fn upcoming(&self, others: usize) -> Option<E> {
        self.ordinary.upcoming(others)
    }

    /// The time of the first event.
    pub fn next_time(&mut self) -> Option<SimTime> {
        let lanes = [self.interventions.next_time(), self.ordinary.next_time(), self.late.next_time()];
        lanes.into_iter().flatten().min().map(SimTime::from_nanos)
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.interventions.len() + self.ordinary.len() + self.late.len()
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of storage held, slack included.
    pub fn memory_bytes(&self) -> usize {
        self.interventions.memory_bytes() + self.ordinary.memory_bytes() + self.late.memory_bytes()
    }
}

#[cold]
fn precedes_its_cause(at: SimTime, now: SimTime) -> ! {
    panic!("an event was scheduled at {at} although it is {now} already: no event precedes its cause")
}

impl<E: Copy> Default for Agenda<E> {
    fn default() -> Self {
        Self::new()
    }
}
