//! A service: levels over time, waiting and response times.

use super::Rentals;
use crate::probe::{Capacity, Cause, Found, Load, Response};
use sim_core::stats::{Histogram, Moments, TimeWeighted};
use sim_core::time::{SimDuration, SimTime};

/// The figures of one service.
#[derive(Clone, Debug)]
pub struct ServiceMeasure {
    /// Attempts that reached it.
    pub arrived: u64,
    /// Waiting times of attempts that got a thread, zeros included.
    pub waits: Histogram,
    /// Visits that failed.
    pub failed: u64,
    /// Visits that ended when nobody waited for them any more.
    pub unwanted: u64,
    /// Attempts that left without a reply, by cause; in the order of [`Cause::ALL`].
    pub turned_away: [u64; Cause::ALL.len()],
    /// From arrival to reply, of visits that ended well.
    pub responses: Histogram,
    /// Those of them whose visits went on after the reply.
    replied: u64,
    /// Visits that ended well after their reply.
    replied_done: u64,
    /// What it has to do: see [`Self::waiting`], [`Self::held`], [`Self::busy`], and the square of the number in
    /// system.
    load: TimeWeighted<4>,
    /// How long each number in system lasted, in nanoseconds, if asked for.
    pub levels: Option<Levels>,
    /// Replicas, those that drain included.
    pub replicas: TimeWeighted,
    /// Its machines, those that start included.
    pub rentals: Rentals,
    /// Threads, while they are limited.
    threads: Limited,
    /// Servers or cores, while they are limited.
    processors: Limited,
    /// Its pools, in the order of its calls.
    pub pools: Vec<PoolMeasure>,
    /// Its caches.
    pub caches: Vec<CacheMeasure>,
    /// Work that a shared processor has completed, in nanoseconds of demand.
    pub work_done: u128,
    /// Of a contended database: the work it does a second with all connections in use, and since when.
    contended_rate: (SimTime, f64),
    /// The integral of that rate over time, in nanoseconds of demand.
    contended_work: f64,
}

/// The parts of [`ServiceMeasure::load`].
const WAITING: usize = 0;
const HELD: usize = 1;
const BUSY: usize = 2;
const SQUARE: usize = 3;

/// What is in use of what there is, both counted only while there is a limit: it may come and go. What is in
/// use is integrated anyway, so that only a change of the limit costs anything here.
#[derive(Clone, Copy, Debug)]
struct Limited {
    limit: Option<u64>,
    /// The integral of what is in use when the limit last changed, and over the time with a limit before.
    at_change: u128,
    used: u128,
    there: TimeWeighted,
}

/// How long each number in system lasted.
#[derive(Clone, Debug)]
pub struct Levels {
    since: SimTime,
    /// Nanoseconds at each level.
    pub nanos: Vec<u128>,
}

/// Levels above this are counted as this.
const MOST_LEVELS: usize = 1 << 20;

/// The figures of one pool.
#[derive(Clone, Debug)]
pub struct PoolMeasure {
    /// Connections in use, over all replicas.
    pub used: TimeWeighted,
    /// Connections there are.
    pub connections: TimeWeighted,
    /// How long calls waited for a connection, in seconds, zeros included.
    pub waits: Moments,
}

/// The figures of one cache, in all replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheMeasure {
    /// Lookups by what came of them; in the order of [`Found::ALL`].
    pub found: [u64; Found::ALL.len()],
}

impl CacheMeasure {
    /// Lookups.
    pub fn lookups(&self) -> u64 {
        self.found.iter().sum()
    }

    /// Keys that lookups began to fetch: those missed and those fetched anew.
    pub const fn fetches(&self) -> u64 {
        self.found[Found::Miss as usize] + self.found[Found::Refresh as usize]
    }
}

impl ServiceMeasure {
    pub(super) fn new(now: SimTime, pools: usize, caches: usize, levels: bool) -> Self {
        let none = TimeWeighted::new(now, 0);
        let pool = PoolMeasure { used: none, connections: none, waits: Moments::new() };
        Self {
            arrived: 0,
            waits: Histogram::new(),
            failed: 0,
            unwanted: 0,
            turned_away: [0; Cause::ALL.len()],
            responses: Histogram::new(),
            replied: 0,
            replied_done: 0,
            load: TimeWeighted::of(now, [0; 4]),
            levels: levels.then(|| Levels { since: now, nanos: Vec::new() }),
            replicas: none,
            rentals: Rentals::default(),
            threads: Limited::new(now),
            processors: Limited::new(now),
            pools: vec![pool; pools],
            caches: vec![CacheMeasure::default(); caches],
            work_done: 0,
            contended_rate: (now, 0.0),
            contended_work: 0.0,
        }
    }

    #[inline]
    pub(super) fn responded(&mut self, took: SimDuration, response: &Response, wanted: bool) {
        if response.ok {
            if response.replied {
                self.replied_done += 1;
            } else {
                self.responses.record(took);
            }
        } else {
            self.failed += 1;
        }
        self.unwanted += u64::from(!wanted);
    }

    /// A reply goes out before the end of its visit.
    pub(super) fn replied(&mut self, took: SimDuration) {
        self.replied += 1;
        self.responses.record(took);
    }

    #[inline]
    pub(super) fn set_load(&mut self, now: SimTime, load: Load) {
        if let Some(levels) = &mut self.levels {
            levels.pass(now, self.load.part(WAITING).level() + self.load.part(HELD).level());
        }
        let Load { waiting, held, busy } = load;
        let [waiting, held, busy] = [waiting, held, busy].map(u64::from);
        let in_system = waiting + held;
        self.load.set_all(now, [waiting, held, busy, in_system * in_system]);
    }

    /// Attempts that got a thread.
    pub const fn admitted(&self) -> u64 {
        self.waits.count()
    }

    /// Those of them that had to wait.
    pub const fn waited(&self) -> u64 {
        self.waits.count() - self.waits.zeros()
    }

    /// Visits that ended well.
    pub const fn done(&self) -> u64 {
        self.responses.count() + self.replied_done - self.replied
    }

    /// Attempts waiting.
    pub const fn waiting(&self) -> TimeWeighted {
        self.load.part(WAITING)
    }

    /// Attempts held by threads.
    pub const fn held(&self) -> TimeWeighted {
        self.load.part(HELD)
    }

    /// Servers or cores in use; of a contended database, connections in use.
    pub const fn busy(&self) -> TimeWeighted {
        self.load.part(BUSY)
    }

    /// Attempts waiting or held.
    pub fn in_system(&self) -> TimeWeighted {
        self.waiting() + self.held()
    }

    /// The variance over time of the attempts waiting or held, up to `now`; `None` if no time has passed.
    pub fn in_system_variance(&self, now: SimTime) -> Option<f64> {
        self.in_system().variance(&self.load.part(SQUARE), now)
    }

    pub(super) fn set_capacity(&mut self, now: SimTime, capacity: &Capacity) {
        self.threads.set_limit(now, capacity.threads, &self.held());
        self.processors.set_limit(now, capacity.processors, &self.busy());
        self.replicas.set(now, capacity.replicas);
        self.rentals.set(now, capacity.replicas + capacity.starting);
        for (pool, &connections) in self.pools.iter_mut().zip(&capacity.pools) {
            pool.connections.set(now, connections);
        }
    }

    pub(super) fn set_contended_rate(&mut self, now: SimTime, rate: f64) {
        self.contended_work = self.contended_work(now);
        self.contended_rate = (now, rate);
    }

    fn contended_work(&self, now: SimTime) -> f64 {
        let (since, rate) = self.contended_rate;
        self.contended_work + now.since(since).as_nanos() as f64 * rate
    }

    /// Of a contended database: work done over the work it does with all connections in use. `None`
    /// if it is no such database, or if no pool limits its connections.
    pub fn contended_utilisation(&self, now: SimTime) -> Option<f64> {
        let most = self.contended_work(now);
        (most > 0.0).then(|| self.work_done as f64 / most)
    }

    /// Busy servers or cores over those there are, while they are limited; `None` if they never were.
    pub fn processor_utilisation(&self, now: SimTime) -> Option<f64> {
        self.processors.utilisation(now, &self.busy())
    }

    /// Held threads over those there are, while they are limited; `None` if they never were.
    pub fn thread_utilisation(&self, now: SimTime) -> Option<f64> {
        self.threads.utilisation(now, &self.held())
    }

    /// How long each number in system lasted up to now, in nanoseconds, if it was asked for.
    pub fn level_nanos(&self, now: SimTime) -> Option<Vec<u128>> {
        let mut levels = self.levels.clone()?;
        levels.pass(now, self.in_system().level());
        Some(levels.nanos)
    }
}

impl Limited {
    fn new(now: SimTime) -> Self {
        Self { limit: None, at_change: 0, used: 0, there: TimeWeighted::new(now, 0) }
    }

    fn set_limit(&mut self, now: SimTime, limit: Option<u64>, in_use: &TimeWeighted) {
        self.used = self.used(now, in_use);
        self.at_change = in_use.integral(now);
        self.limit = limit;
        self.there.set(now, limit.unwrap_or(0));
    }

    /// The integral of what was in use while there was a limit.
    fn used(&self, now: SimTime, in_use: &TimeWeighted) -> u128 {
        let since = if self.limit.is_some() { in_use.integral(now) - self.at_change } else { 0 };
        self.used + since
    }

    fn utilisation(&self, now: SimTime, in_use: &TimeWeighted) -> Option<f64> {
        share(self.used(now, in_use), &self.there, now)
    }
}

impl PoolMeasure {
    /// Connections in use over those there are; `None` if there are none.
    pub fn utilisation(&self, now: SimTime) -> Option<f64> {
        share(self.used.integral(now), &self.connections, now)
    }
}

fn share(used: u128, there: &TimeWeighted, now: SimTime) -> Option<f64> {
    let there = there.integral(now);
    (there > 0).then(|| used as f64 / there as f64)
}

impl Levels {
    fn pass(&mut self, now: SimTime, level: u64) {
        let level = (level as usize).min(MOST_LEVELS);
        if self.nanos.len() <= level {
            self.nanos.resize(level + 1, 0);
        }
        self.nanos[level] += u128::from(now.since(self.since).as_nanos());
        self.since = now;
    }
}
