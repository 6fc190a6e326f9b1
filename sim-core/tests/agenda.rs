//! The agenda against an oracle: a binary heap of `(time, class, seq, event)`.
//!
//! Whatever is scheduled, popped, asked and forked, in whatever order, both must answer alike at
//! every step. Further tests measure what the oracle cannot see: memory and its steadiness.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;
use sim_core::agenda::{Agenda, Class};
use sim_core::time::SimTime;

/// The plainest agenda there is, and the definition of the order.
#[derive(Clone, Default)]
struct Oracle {
    heap: BinaryHeap<Reverse<(u64, Class, u64, u64)>>,
    seq: u64,
}

impl Oracle {
    fn schedule(&mut self, at: u64, class: Class, event: u64) {
        self.seq += 1;
        self.heap.push(Reverse((at, class, self.seq, event)));
    }

    fn next_time(&self) -> Option<u64> {
        self.heap.peek().map(|&Reverse((at, ..))| at)
    }

    fn pop_until(&mut self, limit: u64) -> Option<(u64, u64)> {
        if self.next_time()? > limit {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, _, event))| (at, event))
    }
}

/// Both side by side; every method checks that they agree.
#[derive(Clone)]
struct Pair {
    agenda: Agenda<u64>,
    oracle: Oracle,
    now: u64,
    scheduled: u64,
}

impl Pair {
    fn new() -> Self {
        Self { agenda: Agenda::new(), oracle: Oracle::default(), now: 0, scheduled: 0 }
    }

    fn schedule(&mut self, delay: u64, class: Class) {
        let at = self.now.saturating_add(delay);
        self.agenda.schedule(SimTime::from_nanos(at), class, self.scheduled);
        self.oracle.schedule(at, class, self.scheduled);
        self.scheduled += 1;
    }

    fn pop_until(&mut self, limit: u64) -> bool {
        let expect = self.oracle.pop_until(limit);
        let got = self.agenda.pop_until(SimTime::from_nanos(limit)).map(|(at, event)| (at.as_nanos(), event));
        assert_eq!(got, expect, "popped until {limit} after {} events were scheduled", self.scheduled);
        assert_eq!(self.agenda.len(), self.oracle.heap.len());
        assert_eq!(self.agenda.is_empty(), self.oracle.heap.is_empty());
        self.now = expect.map_or(self.now, |(at, _)| at);
        expect.is_some()
    }

    fn next_time(&mut self) {
        assert_eq!(self.agenda.next_time().map(SimTime::as_nanos), self.oracle.next_time());
    }

    fn drain(mut self) {
        while self.pop_until(u64::MAX) {}
    }
}

#[derive(Clone, Debug)]
enum Step {
    Schedule {
        delay: u64,
        class: Class,
    },
    Burst {
        delay: u64,
        count: usize,
    },
    PopUntil {
        ahead: u64,
    },
    Pop {
        count: usize,
    },
    /// Pops events and schedules another for each.
    Hold {
        count: usize,
        delays: [u64; 4],
    },
    NextTime,
    Fork,
}

/// Delays of all kinds: now, ties on a coarse grid, bimodal horizons, both ends of time.
fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => Just(0),
        3 => 0..8_u64,
        4 => (0..6_u64).prop_map(|grid| grid * 1_000_000),
        4 => 0..300_000_u64,
        4 => 0..30_000_000_000_u64,
        1 => (0..64_u32).prop_map(|bit| 1 << bit),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![1 => Just(Class::Intervention), 6 => Just(Class::Ordinary), 4 => Just(Class::Late)];
    prop_oneof![
        12 => (delay(), class).prop_map(|(delay, class)| Step::Schedule { delay, class }),
        2 => (delay(), 1..300_usize).prop_map(|(delay, count)| Step::Burst { delay, count }),
        6 => delay().prop_map(|ahead| Step::PopUntil { ahead }),
        2 => (1..100_usize).prop_map(|count| Step::Pop { count }),
        4 => (1..400_usize, prop::array::uniform4(delay())).prop_map(|(count, delays)| Step::Hold { count, delays }),
        3 => Just(Step::NextTime),
        1 => Just(Step::Fork),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn pops_what_a_heap_pops(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new();
        let mut forks = Vec::new();
        for step in steps {
            match step {
                Step::Schedule { delay, class } => pair.schedule(delay, class),
                Step::Burst { delay, count } => (0..count).for_each(|_| pair.schedule(delay, Class::Ordinary)),
                Step::PopUntil { ahead } => {
                    pair.pop_until(pair.now.saturating_add(ahead));
                }
                Step::Pop { count } => (0..count).for_each(|_| {
                    pair.pop_until(u64::MAX);
                }),
                Step::Hold { count, delays } => {
                    for i in 0..count {
                        if pair.pop_until(u64::MAX) {
                            pair.schedule(delays[i % delays.len()], Class::Ordinary);
                        }
                    }
                }
                Step::NextTime => pair.next_time(),
                // The fork stays behind, untouched by what its parent does.
                Step::Fork => forks.push(pair.clone()),
            }
        }
        pair.drain();
        forks.into_iter().for_each(Pair::drain);
    }
}

/// A generator for the long runs below (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// One delay in ten up to 30 s, the others up to 0.3 ms.
    fn bimodal(&mut self) -> u64 {
        if self.below(10) == 0 { self.below(30_000_000_000) } else { self.below(300_000) }
    }
}

#[test]
fn agrees_with_a_heap_while_growing_to_a_million_and_back() {
    let mut random = Random(1);
    let mut pair = Pair::new();
    while pair.agenda.len() < 1_000_000 {
        pair.schedule(random.bimodal(), Class::Ordinary);
        pair.schedule(random.bimodal(), Class::Ordinary);
        pair.schedule(random.bimodal(), Class::Ordinary);
        pair.pop_until(u64::MAX);
    }
    let full = pair.agenda.memory_bytes();
    while pair.agenda.len() > 10 {
        pair.pop_until(u64::MAX);
        pair.pop_until(u64::MAX);
        pair.schedule(random.bimodal(), Class::Ordinary);
    }
    let back = pair.agenda.memory_bytes();
    assert!(back < 1_000_000, "{full} bytes at a million pending, {back} at ten");
    pair.drain();
}

#[test]
fn bursts_at_one_instant_stay_in_order() {
    let mut pair = Pair::new();
    for delay in [0, 7, 1_000_000, 1_000_000, 1_000_001] {
        (0..50_000).for_each(|_| pair.schedule(delay, Class::Ordinary));
    }
    // Every fourth event causes one now, every seventh one at a later burst.
    for i in 0..300_000 {
        pair.pop_until(u64::MAX);
        if i % 4 == 0 {
            pair.schedule(0, Class::Ordinary);
        }
        if i % 7 == 0 && pair.now <= 1_000_000 {
            pair.schedule(1_000_000 - pair.now, Class::Ordinary);
        }
    }
    pair.drain();
}

#[test]
fn thousands_of_interventions_precede_what_is_simultaneous() {
    let mut random = Random(2);
    let mut pair = Pair::new();
    for _ in 0..20_000 {
        pair.schedule(random.below(1_000), Class::Ordinary);
        pair.schedule(random.below(1_000), Class::Intervention);
    }
    for _ in 0..40_000 {
        pair.pop_until(u64::MAX);
        if random.below(3) == 0 {
            pair.schedule(random.below(3), Class::Intervention);
        }
    }
    pair.drain();
}

#[test]
fn an_intervention_now_precedes_what_remains_of_now() {
    let now = SimTime::from_secs(1);
    let mut agenda = Agenda::new();
    agenda.schedule(now, Class::Ordinary, 1);
    agenda.schedule(now, Class::Ordinary, 3);
    assert_eq!(agenda.pop_until(now), Some((now, 1)));
    agenda.schedule(now, Class::Ordinary, 4);
    agenda.schedule(now, Class::Intervention, 2);
    let rest: Vec<_> = std::iter::from_fn(|| agenda.pop_until(now)).map(|(_, event)| event).collect();
    assert_eq!(rest, [2, 3, 4]);
}

#[test]
fn asking_in_vain_leaves_the_past_open() {
    let at = SimTime::from_secs;
    let mut agenda = Agenda::new();
    // Enough for the wheel, and all of it far ahead.
    (0..1_000).for_each(|i| agenda.schedule(at(1_000_000 + i), Class::Ordinary, i));
    assert_eq!(agenda.pop_until(at(999_999)), None);
    assert_eq!(agenda.next_time(), Some(at(1_000_000)));
    (0..1_000).for_each(|i| agenda.schedule(at(i), Class::Ordinary, i));
    assert_eq!(agenda.next_time(), Some(at(0)));
    (0..1_000).for_each(|i| assert_eq!(agenda.pop_until(at(999_999)), Some((at(i), i))));
    assert_eq!(agenda.pop_until(at(999_999)), None);
}

#[test]
fn asks_at_every_step_while_events_come_in_crowds() {
    let mut pair = Pair::new();
    (0..500).for_each(|i| pair.schedule(i * 1_000_000_000, Class::Ordinary));
    for _ in 0..500 {
        pair.pop_until(u64::MAX);
        pair.next_time();
        (0..100).for_each(|i| pair.schedule(i * 1_000, Class::Ordinary));
        for _ in 0..100 {
            pair.next_time();
            pair.pop_until(u64::MAX);
        }
    }
}

#[test]
#[should_panic(expected = "an event was scheduled at 1s although it is 2s already: no event precedes its cause")]
fn refuses_an_event_before_its_cause() {
    let at = SimTime::from_secs;
    let mut agenda = Agenda::new();
    agenda.schedule(at(2), Class::Ordinary, ());
    agenda.pop_until(at(3));
    agenda.schedule(at(1), Class::Ordinary, ());
}

/// Storage is a few vectors whose capacities [`Agenda::memory_bytes`] sums up: if the sum stays the
/// same over many times the events pending, nothing was allocated.
#[test]
fn steady_state_allocates_nothing() {
    let check = |pending: u64, bytes_an_event: usize, delay: fn(&mut Random) -> u64| {
        let mut random = Random(pending);
        let mut agenda = Agenda::new();
        let mut hold = |agenda: &mut Agenda<u64>, times: u64| {
            for _ in 0..times {
                let (now, event) = agenda.pop_until(SimTime::MAX).expect("as many as before");
                agenda.schedule(SimTime::from_nanos(now.as_nanos() + delay(&mut random)), Class::Ordinary, event);
            }
        };
        (0..pending).for_each(|i| agenda.schedule(SimTime::from_nanos(i), Class::Ordinary, i));
        hold(&mut agenda, 20 * pending);
        let before = agenda.memory_bytes();
        hold(&mut agenda, 20 * pending.max(10_000));
        assert_eq!(agenda.memory_bytes(), before, "with {pending} pending");
        assert!(before < bytes_an_event * pending as usize, "{before} bytes for {pending} events");
    };
    for (pending, bytes_an_event) in [(10, 120), (100, 400), (1_000, 100), (10_000, 32), (100_000, 24)] {
        check(pending, bytes_an_event, |random| random.below(1_000_000_000));
        check(pending, bytes_an_event, |random| random.bimodal());
        check(pending, bytes_an_event, |random| random.below(4) * 1_000_000);
    }
}
