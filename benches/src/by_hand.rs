//! W1 to W3 as loops written by hand: a queue of events, the queues of the one model, a sum of response
//! times, and nothing else. They are the limit of what an event loop over an agenda costs on a machine.

use crate::Tally;
use crate::wheel::Wheel;
use sim_core::dist::exp1;
use sim_core::random::{Key, KeyedRng};
use sim_core::time::SimTime;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Where a loop's exponential draws come from.
pub trait Draws {
    /// The `purpose`-th draw of the `request`-th request, with mean 1.
    fn exp1(&mut self, request: u64, purpose: u64) -> f64;
}

/// One stream for all: what a draw costs at least.
pub struct Stream(KeyedRng);

impl Default for Stream {
    fn default() -> Self {
        Self(Key::root(1, 0).rng())
    }
}

impl Draws for Stream {
    #[inline]
    fn exp1(&mut self, _: u64, _: u64) -> f64 {
        exp1(&mut self.0)
    }
}

/// Each draw by its name, derived in as many steps as the product takes: request, call, purpose.
pub struct Keyed(Key);

impl Default for Keyed {
    fn default() -> Self {
        Self(Key::root(1, 0))
    }
}

impl Draws for Keyed {
    #[inline]
    fn exp1(&mut self, request: u64, purpose: u64) -> f64 {
        exp1(&mut self.0.index(request).index(0).index(purpose).rng())
    }
}

/// Response times so far.
#[derive(Default)]
struct Served {
    count: u64,
    nanos: u64,
}

impl Served {
    fn take(&mut self, response: u64) {
        self.count += 1;
        self.nanos += response;
    }

    fn tally(&self, events: u64) -> Tally {
        Tally { events, served: self.count, mean_secs: self.nanos as f64 / 1e9 / self.count as f64 }
    }
}

/// W1: M/M/1 with a mean service time of 1 s, on a binary heap.
pub fn w1(mut draws: impl Draws, rate: f64, horizon: SimTime) -> Tally {
    let horizon = horizon.as_nanos();
    let (mean_gap, mean_work) = (1e9 / rate, 1e9);
    let mut asked = 0;
    let mut agenda = BinaryHeap::from([Reverse(((draws.exp1(0, 0) * mean_gap) as u64, true))]);
    let mut queue = VecDeque::new();
    let (mut events, mut served) = (0, Served::default());
    while let Some(Reverse((now, arrival))) = agenda.pop() {
        if now > horizon {
            break;
        }
        events += 1;
        if arrival {
            asked += 1;
            agenda.push(Reverse((now + (draws.exp1(asked, 0) * mean_gap) as u64, true)));
            queue.push_back(now);
            if queue.len() == 1 {
                agenda.push(Reverse((now + (draws.exp1(asked, 1) * mean_work) as u64, false)));
            }
        } else {
            served.take(now - queue.pop_front().expect("who departs has come"));
            if !queue.is_empty() {
                agenda.push(Reverse((now + (draws.exp1(events, 1) * mean_work) as u64, false)));
            }
        }
    }
    served.tally(events)
}

/// W2: M/M/c with a mean service time of 1 s, on a wheel.
pub fn w2(mut draws: impl Draws, servers: u32, rate: f64, horizon: SimTime) -> Tally {
    const ARRIVAL: u64 = u64::MAX;
    let horizon = horizon.as_nanos();
    let (mean_gap, mean_work) = (1e9 / rate, 1e9);
    // 17 ms: about three events a slot.
    let mut agenda = Wheel::new(24);
    agenda.push((draws.exp1(0, 0) * mean_gap) as u64, ARRIVAL);
    let (mut free, mut queue) = (servers, VecDeque::new());
    let (mut events, mut asked, mut served) = (0, 0, Served::default());
    while let Some((now, came)) = agenda.pop() {
        if now > horizon {
            break;
        }
        events += 1;
        if came == ARRIVAL {
            asked += 1;
            agenda.push(now + (draws.exp1(asked, 0) * mean_gap) as u64, ARRIVAL);
            if free > 0 {
                free -= 1;
                agenda.push(now + (draws.exp1(asked, 1) * mean_work) as u64, now);
            } else {
                queue.push_back(now);
            }
        } else {
            served.take(now - came);
            match queue.pop_front() {
                Some(next) => agenda.push(now + (draws.exp1(events, 1) * mean_work) as u64, next),
                None => free += 1,
            }
        }
    }
    served.tally(events)
}

/// The stations of W3, in the order in which a request passes them, and what a user does at each.
#[derive(Clone, Copy)]
enum At {
    Home,
    Balancer,
    App,
    Database,
}

/// Servers of several replicas, taken in turn.
struct Tier {
    mean: f64,
    turn: usize,
    free: Vec<u32>,
    queues: Vec<VecDeque<u32>>,
}

impl Tier {
    fn new(replicas: usize, servers: u32, mean: f64) -> Self {
        Self { mean, turn: 0, free: vec![servers; replicas], queues: vec![VecDeque::new(); replicas] }
    }

    /// A user comes; answers the replica if it has a free server.
    fn enter(&mut self, user: u32) -> Option<usize> {
        let replica = self.turn;
        self.turn = if replica + 1 < self.free.len() { replica + 1 } else { 0 };
        if self.free[replica] > 0 {
            self.free[replica] -= 1;
            Some(replica)
        } else {
            self.queues[replica].push_back(user);
            None
        }
    }

    /// A server is free; answers who takes it.
    fn leave(&mut self, replica: usize) -> Option<u32> {
        let next = self.queues[replica].pop_front();
        self.free[replica] += u32::from(next.is_none());
        next
    }
}

/// W3: closed users who think, on a wheel; a balancer without contention, then two tiers in turn.
pub fn w3(mut draws: impl Draws, users: u32, horizon: SimTime) -> Tally {
    let horizon = horizon.as_nanos();
    // 131 us: about five events a slot.
    let mut agenda = Wheel::new(17);
    let event = |at: At, replica: usize, user: u32| (at as u64) << 40 | (replica as u64) << 32 | u64::from(user);
    let (mut app, mut database) = (Tier::new(64, 16, 20e6), Tier::new(8, 64, 5e6));
    let mut asked = vec![0_u64; users as usize];
    for user in 0..users {
        agenda.push((draws.exp1(u64::from(user), 0) * 10e9) as u64, event(At::Home, 0, user));
    }
    let (mut events, mut served) = (0, Served::default());
    while let Some((now, what)) = agenda.pop() {
        if now > horizon {
            break;
        }
        events += 1;
        let (user, replica) = (what as u32, (what >> 32) as usize & 0xff);
        let mut after = |mean: f64, purpose| now + (draws.exp1(events, purpose) * mean) as u64;
        match what >> 40 {
            0 => {
                asked[user as usize] = now;
                agenda.push(after(1e6, 1), event(At::Balancer, 0, user));
            }
            1 => {
                if let Some(replica) = app.enter(user) {
                    agenda.push(after(app.mean, 2), event(At::App, replica, user));
                }
            }
            2 => {
                if let Some(next) = app.leave(replica) {
                    agenda.push(after(app.mean, 2), event(At::App, replica, next));
                }
                if let Some(replica) = database.enter(user) {
                    agenda.push(after(database.mean, 3), event(At::Database, replica, user));
                }
            }
            _ => {
                if let Some(next) = database.leave(replica) {
                    agenda.push(after(database.mean, 3), event(At::Database, replica, next));
                }
                served.take(now - asked[user as usize]);
                agenda.push(after(10e9, 0), event(At::Home, 0, user));
            }
        }
    }
    served.tally(events)
}
