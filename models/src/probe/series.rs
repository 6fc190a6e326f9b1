//! What happens over time: a run in a few hundred bins, for curves.
//!
//! ```text
//!   0        width      2 width                    horizon
//!   |----------|----------|------- ... --|----------|
//!     bin 0      bin 1                     the last: shorter if the widths do not divide the horizon,
//!                                          and with all that happens at the horizon itself
//! ```
//!
//! Counts go to the bin of their instant; of requests served there is also the count by the bin in which
//! they first came. Levels are averaged over the time of each bin. All lists are as long as the bins from
//! the start; within a bin everything adds up beside them, so that a fact costs an addition or two.

use super::{Arrival, Attempt, Capacity, Load, Outcome, Probe};
use crate::intervention::Act;
use crate::system::Run;
use crate::topology::{Caller, ProcessorSpec, Topology};
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// The most bins a run has.
pub const MOST_BINS: u64 = 300;

/// How wide the bins of a run are that ends at `horizon`: the narrowest width a person would choose with
/// which there are at most [`MOST_BINS`]. There are 120 at least, but for runs of less than 120 ns.
pub fn bin_width(horizon: SimDuration) -> SimDuration {
    let few_enough = |width: &u64| horizon.as_nanos().div_ceil(*width) <= MOST_BINS;
    SimDuration::from_nanos(widths().find(few_enough).unwrap_or(u64::MAX))
}

/// Widths a person would choose, in nanoseconds: each at most 2.5 times the one before.
fn widths() -> impl Iterator<Item = u64> {
    const SECOND: u64 = 1_000_000_000;
    const ROUND: [u64; 12] = [10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800];
    const DAY: u64 = 86_400 * SECOND;
    let decades = |from: u64, to: u64| {
        let powers = std::iter::successors(Some(from), |power| power.checked_mul(10)).take_while(move |p| *p < to);
        powers.flat_map(|power| [1, 2, 5].map(|n| power.saturating_mul(n)))
    };
    let below_ten_seconds = decades(1, 10 * SECOND);
    let below_a_day = ROUND.into_iter().chain([21_600, 43_200]).map(|secs| secs * SECOND);
    below_ten_seconds.chain(below_a_day).chain(decades(DAY, u64::MAX))
}

/// A run in bins.
#[derive(Clone, Debug)]
pub struct Series {
    topology: Arc<Topology>,
    width: SimDuration,
    /// Since when it watches, and up to when it has been told of levels.
    from: SimTime,
    reached: SimTime,
    /// The present bin: its number, its first instant and that of the next; the last has no next.
    bin: usize,
    begins: SimTime,
    ends: SimTime,
    /// The requests of the present bin so far, but for those that came earlier; then by bin.
    present: RequestsInBin,
    requests: Vec<RequestsInBin>,
    in_flight: Level,
    services: Vec<ServiceSeries>,
    hosts: Vec<HostSeries>,
}

/// A host, in billionths of a server or core.
#[derive(Clone, Debug)]
struct HostSeries {
    /// What each of its services uses.
    used: Vec<Level>,
    there: Limit,
}

/// The requests of all clients in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestsInBin {
    /// Fresh requests that came in it.
    pub arrived: u64,
    /// Those of them that were served, whenever that was.
    pub arrived_and_served: u64,
    /// Requests that were served in it, whenever they came.
    pub served: u64,
    /// Requests that finally failed in it, whenever they came.
    pub failed: u64,
    /// Attempts that clients began in it.
    pub attempts: u64,
    /// Response times of the requests served in it, in nanoseconds together.
    pub response_nanos: u128,
}

#[derive(Clone, Debug)]
struct ServiceSeries {
    waiting: Level,
    held: Level,
    busy: Level,
    replicas: Level,
    threads: Limit,
    processors: Limit,
    pools: Vec<PoolSeries>,
    /// Of a database under contention.
    contention: Option<Contention>,
}

#[derive(Clone, Debug)]
struct PoolSeries {
    used: Level,
    connections: Level,
}

/// A level, and its integral over each bin in level · nanoseconds.
#[derive(Clone, Debug)]
struct Level {
    level: u64,
    since: SimTime,
    /// Of the present bin, up to `since`.
    area: u128,
    areas: Vec<u128>,
}

/// How much there is of something that may be unlimited.
#[derive(Clone, Debug)]
struct Limit {
    limit: Option<u64>,
    since: SimTime,
    areas: Vec<u128>,
    /// Whether it was unlimited at some time in the bin.
    unlimited: Vec<bool>,
}

/// Work done by a database under contention, and the work it would have done with all connections in use,
/// both in nanoseconds of demand.
#[derive(Clone, Debug)]
struct Contention {
    rate: f64,
    since: SimTime,
    /// Of the present bin so far.
    work: u128,
    possible: Vec<f64>,
    done: Vec<u128>,
}

impl Series {
    /// Watches a run from its present instant on, in the bins of a run that ends at `horizon`.
    pub fn attach(run: &Run, horizon: SimTime) -> Self {
        let topology = run.model.topology().clone();
        let (from, span) = (run.now(), SimDuration::from_nanos(horizon.as_nanos()));
        let width = bin_width(span);
        let bins = span.as_nanos().div_ceil(width.as_nanos()).max(1) as usize;
        let services = topology.services.iter().map(|spec| ServiceSeries {
            waiting: Level::new(from, bins),
            held: Level::new(from, bins),
            busy: Level::new(from, bins),
            replicas: Level::new(from, bins),
            threads: Limit::new(from, bins),
            processors: Limit::new(from, bins),
            pools: spec
                .pools
                .iter()
                .map(|_| PoolSeries { used: Level::new(from, bins), connections: Level::new(from, bins) })
                .collect(),
            contention: matches!(spec.processor, ProcessorSpec::Usl { .. }).then(|| Contention::new(from, bins)),
        });
        let mut series = Self {
            width,
            from,
            reached: from,
            bin: 0,
            begins: SimTime::ZERO,
            ends: SimTime::ZERO,
            present: RequestsInBin::default(),
            requests: vec![RequestsInBin::default(); bins],
            in_flight: Level::new(from, bins),
            services: services.collect(),
            hosts: topology
                .hosts
                .iter()
                .map(|host| HostSeries {
                    used: vec![Level::new(from, bins); host.services.len()],
                    there: Limit::new(from, bins),
                })
                .collect(),
            topology,
        };
        series.update_hosts(from);
        series.enter(series.bin_of(from));
        run.model.attach(from, &mut series);
        series
    }

    /// Levels count up to `now`: to be called before reading. The run may go on afterwards.
    pub fn close(&mut self, now: SimTime) {
        self.reach(now);
        self.settle(now);
        self.reached = now;
    }

    /// How wide the bins are.
    pub const fn width(&self) -> SimDuration {
        self.width
    }

    /// How many bins there are.
    pub fn bins(&self) -> usize {
        self.requests.len()
    }

    /// How much of a bin has been watched: less than its width if the run began, ended or was cut short in
    /// it.
    pub fn span(&self, bin: usize) -> SimDuration {
        let begins = self.begin_of(bin).max(self.from);
        let ends = if bin + 1 == self.bins() { SimTime::MAX } else { self.begin_of(bin + 1) };
        let ends = ends.min(self.reached);
        if begins < ends { ends.since(begins) } else { SimDuration::ZERO }
    }

    /// The requests in a bin; those of a bin that has not been watched are none.
    pub fn requests(&self, bin: usize) -> &RequestsInBin {
        &self.requests[bin]
    }

    /// Requests in flight, averaged over the time of a bin; `None` if it has not been watched.
    pub fn in_flight(&self, bin: usize) -> Option<f64> {
        self.mean(&self.in_flight, bin)
    }

    /// Attempts that wait at a service, averaged over the time of a bin.
    pub fn waiting(&self, service: usize, bin: usize) -> Option<f64> {
        self.mean(&self.services[service].waiting, bin)
    }

    /// Attempts held by threads of a service, averaged over the time of a bin.
    pub fn held(&self, service: usize, bin: usize) -> Option<f64> {
        self.mean(&self.services[service].held, bin)
    }

    /// Servers or cores of a service in use, averaged over the time of a bin; of a database under
    /// contention, visits at work.
    pub fn busy(&self, service: usize, bin: usize) -> Option<f64> {
        self.mean(&self.services[service].busy, bin)
    }

    /// Replicas of a service, those that drain included, averaged over the time of a bin.
    pub fn replicas(&self, service: usize, bin: usize) -> Option<f64> {
        self.mean(&self.services[service].replicas, bin)
    }

    /// Held threads over those there are; `None` unless they were limited all the time of the bin.
    pub fn thread_utilisation(&self, service: usize, bin: usize) -> Option<f64> {
        let service = &self.services[service];
        service.threads.utilisation(&service.held, bin)
    }

    /// Busy servers or cores over those there are; `None` unless they were limited all the time of the bin.
    pub fn processor_utilisation(&self, service: usize, bin: usize) -> Option<f64> {
        let service = &self.services[service];
        service.processors.utilisation(&service.busy, bin)
    }

    /// Of a database under contention: work done over the work it does with all connections in use; `None`
    /// if it is no such database, or if no pool limits its connections. All the work of a visit counts when
    /// it ends, so that a bin may hold a little more than could be done in it.
    pub fn contended_utilisation(&self, service: usize, bin: usize) -> Option<f64> {
        let Contention { possible, done, .. } = self.services[service].contention.as_ref()?;
        (possible[bin] > 0.0).then(|| done[bin] as f64 / possible[bin])
    }

    /// Servers or cores in use, by all services, of the host on which a service stands, over those there are; `None`
    /// if it stands on none, or if they are not limited.
    pub fn host_utilisation(&self, service: usize, bin: usize) -> Option<f64> {
        let host = &self.hosts[usize::from(self.topology.services[service].processor.host()?)];
        let used = host.used.iter().map(|used| used.areas[bin]).sum();
        share(used, host.there.areas[bin]).filter(|_| !host.there.unlimited[bin])
    }

    /// Connections in use over those there are, of one of a service's pools; `None` if there are none.
    pub fn pool_utilisation(&self, service: usize, pool: usize, bin: usize) -> Option<f64> {
        let PoolSeries { used, connections } = &self.services[service].pools[pool];
        share(used.areas[bin], connections.areas[bin])
    }

    fn mean(&self, level: &Level, bin: usize) -> Option<f64> {
        let span = self.span(bin).as_nanos();
        (span > 0).then(|| level.areas[bin] as f64 / span as f64)
    }

    fn bin_of(&self, at: SimTime) -> usize {
        ((at.as_nanos() / self.width.as_nanos()) as usize).min(self.bins() - 1)
    }

    fn begin_of(&self, bin: usize) -> SimTime {
        SimTime::from_nanos(self.width.as_nanos() * bin as u64)
    }

    fn enter(&mut self, bin: usize) {
        self.bin = bin;
        self.begins = self.begin_of(bin);
        self.ends = if bin + 1 == self.bins() { SimTime::MAX } else { self.begin_of(bin + 1) };
    }

    #[inline]
    fn reach(&mut self, now: SimTime) {
        if now >= self.ends {
            self.turn(now);
        }
    }

    /// Goes on to the bin of `now`.
    #[cold]
    fn turn(&mut self, now: SimTime) {
        while now >= self.ends && self.ends < SimTime::MAX {
            self.settle(self.ends);
            self.enter(self.bin + 1);
        }
    }

    /// Adds to the present bin what levels amount to up to `at`, at most its end.
    fn settle(&mut self, at: SimTime) {
        let present = std::mem::take(&mut self.present);
        self.requests[self.bin].add(&present);
        self.in_flight.settle(at, self.bin);
        for service in &mut self.services {
            service.settle(at, self.bin);
        }
        for host in &mut self.hosts {
            host.used.iter_mut().for_each(|used| used.settle(at, self.bin));
            host.there.settle(at, self.bin);
        }
    }

    /// How many cores or servers there are may have changed.
    fn update_hosts(&mut self, now: SimTime) {
        let bin = self.bin;
        for (host, spec) in self.hosts.iter_mut().zip(&self.topology.hosts) {
            let all = |each| u64::from(spec.machines) * u64::from(each) * 1_000_000_000;
            host.there.set(now, bin, spec.processor.capacity().map(all));
        }
    }

    #[inline]
    fn service(&mut self, now: SimTime, service: u16) -> &mut ServiceSeries {
        self.reach(now);
        &mut self.services[usize::from(service)]
    }

    /// The replicas of a contended database, the connections to it, or its law may have changed.
    fn update_rate(&mut self, now: SimTime, callee: u16) {
        self.reach(now);
        let rate = self.contended_rate(callee);
        let bin = self.bin;
        if let (Some(rate), Some(contention)) = (rate, &mut self.services[usize::from(callee)].contention) {
            contention.settle(now, bin);
            contention.rate = rate;
        }
    }

    /// The work that a contended database does with all connections in use, over time; `None` if it is no
    /// such database, or if somebody calls it without a pool.
    fn contended_rate(&self, callee: u16) -> Option<f64> {
        let processor = self.topology.services[usize::from(callee)].processor;
        let unlimited = || self.topology.sites.iter().any(|site| site.callee == callee && site.pool.is_none());
        if !matches!(processor, ProcessorSpec::Usl { .. }) || unlimited() {
            return None;
        }
        let callers = self.services.iter().zip(&self.topology.services);
        let pools = callers.flat_map(|(caller, spec)| caller.pools.iter().zip(&spec.pools));
        let connections: u64 =
            pools.filter(|(_, spec)| spec.callee == callee).map(|(pool, _)| pool.connections.level).sum();
        let replicas = self.services[usize::from(callee)].replicas.level;
        Some(processor.work_per_second(replicas as f64, connections as f64))
    }
}

impl RequestsInBin {
    fn add(&mut self, other: &Self) {
        self.arrived += other.arrived;
        self.arrived_and_served += other.arrived_and_served;
        self.served += other.served;
        self.failed += other.failed;
        self.attempts += other.attempts;
        self.response_nanos += other.response_nanos;
    }
}

impl ServiceSeries {
    fn settle(&mut self, at: SimTime, bin: usize) {
        for level in [&mut self.waiting, &mut self.held, &mut self.busy, &mut self.replicas] {
            level.settle(at, bin);
        }
        self.threads.settle(at, bin);
        self.processors.settle(at, bin);
        for pool in &mut self.pools {
            pool.used.settle(at, bin);
            pool.connections.settle(at, bin);
        }
        if let Some(contention) = &mut self.contention {
            contention.settle(at, bin);
        }
    }
}

impl Level {
    fn new(since: SimTime, bins: usize) -> Self {
        Self { level: 0, since, area: 0, areas: vec![0; bins] }
    }

    #[inline]
    fn set(&mut self, now: SimTime, level: u64) {
        self.pass(now);
        self.level = level;
    }

    #[inline]
    fn pass(&mut self, at: SimTime) {
        self.area += u128::from(self.level) * u128::from(at.since(self.since).as_nanos());
        self.since = at;
    }

    fn settle(&mut self, at: SimTime, bin: usize) {
        self.pass(at);
        self.areas[bin] += std::mem::take(&mut self.area);
    }
}

impl Limit {
    fn new(since: SimTime, bins: usize) -> Self {
        Self { limit: None, since, areas: vec![0; bins], unlimited: vec![false; bins] }
    }

    fn set(&mut self, now: SimTime, bin: usize, limit: Option<u64>) {
        self.settle(now, bin);
        self.limit = limit;
    }

    fn settle(&mut self, at: SimTime, bin: usize) {
        let span = at.since(self.since).as_nanos();
        match self.limit {
            Some(limit) => self.areas[bin] += u128::from(limit) * u128::from(span),
            None => self.unlimited[bin] |= span > 0,
        }
        self.since = at;
    }

    fn utilisation(&self, used: &Level, bin: usize) -> Option<f64> {
        share(used.areas[bin], self.areas[bin]).filter(|_| !self.unlimited[bin])
    }
}

impl Contention {
    fn new(since: SimTime, bins: usize) -> Self {
        Self { rate: 0.0, since, work: 0, possible: vec![0.0; bins], done: vec![0; bins] }
    }

    fn settle(&mut self, at: SimTime, bin: usize) {
        self.done[bin] += std::mem::take(&mut self.work);
        self.possible[bin] += self.rate * at.since(self.since).as_nanos() as f64;
        self.since = at;
    }
}

fn share(used: u128, there: u128) -> Option<f64> {
    (there > 0).then(|| used as f64 / there as f64)
}

impl Probe for Series {
    fn intervened(&mut self, now: SimTime, act: &Act) {
        if let Act::Adopt { topology } = act {
            self.topology = topology.clone();
            (0..topology.services.len()).for_each(|service| self.update_rate(now, service as u16));
            self.update_hosts(now);
        }
    }

    #[inline]
    fn arrival(&mut self, now: SimTime, _: &Arrival) {
        self.reach(now);
        self.present.arrived += 1;
    }

    #[inline]
    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {
        self.reach(now);
        if outcome.result.is_err() {
            self.present.failed += 1;
            return;
        }
        self.present.served += 1;
        self.present.response_nanos += u128::from(now.since(outcome.started).as_nanos());
        if outcome.started >= self.begins {
            self.present.arrived_and_served += 1;
        } else {
            let came = self.bin_of(outcome.started);
            self.requests[came].arrived_and_served += 1;
        }
    }

    #[inline]
    fn in_flight(&mut self, now: SimTime, requests: u64) {
        self.reach(now);
        self.in_flight.set(now, requests);
    }

    #[inline]
    fn attempt(&mut self, now: SimTime, attempt: &Attempt) {
        self.reach(now);
        let of_client = matches!(self.topology.sites[usize::from(attempt.site)].caller, Caller::Client(_));
        self.present.attempts += u64::from(of_client);
    }

    #[inline]
    fn shared_work_done(&mut self, now: SimTime, service: u16, demand: SimDuration) {
        if let Some(contention) = &mut self.service(now, service).contention {
            contention.work += u128::from(demand.as_nanos());
        }
    }

    fn on_host(&mut self, now: SimTime, service: u16, nanocores: u64) {
        self.reach(now);
        if let ProcessorSpec::Hosted { host, member, .. } = self.topology.services[usize::from(service)].processor {
            self.hosts[usize::from(host)].used[usize::from(member)].set(now, nanocores);
        }
    }

    #[inline]
    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        let service = self.service(now, service);
        service.waiting.set(now, u64::from(load.waiting));
        service.held.set(now, u64::from(load.held));
        service.busy.set(now, u64::from(load.busy));
    }

    fn capacity(&mut self, now: SimTime, service: u16, capacity: &Capacity) {
        self.reach(now);
        let (of, bin) = (&mut self.services[usize::from(service)], self.bin);
        of.replicas.set(now, capacity.replicas);
        of.threads.set(now, bin, capacity.threads);
        of.processors.set(now, bin, capacity.processors);
        for (pool, &connections) in of.pools.iter_mut().zip(&capacity.pools) {
            pool.connections.set(now, connections);
        }
        self.update_rate(now, service);
        for pool in 0..self.topology.services[usize::from(service)].pools.len() {
            self.update_rate(now, self.topology.services[usize::from(service)].pools[pool].callee);
        }
    }

    #[inline]
    fn pool(&mut self, now: SimTime, service: u16, pool: u16, change: i32) {
        let used = &mut self.service(now, service).pools[usize::from(pool)].used;
        let level = used.level.checked_add_signed(i64::from(change)).expect("a connection given back was in use");
        used.set(now, level);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_as_wide_as_a_person_would_choose() {
        let check = |horizon: &str, width: &str| {
            let horizon: SimDuration = horizon.parse().unwrap();
            assert_eq!(bin_width(horizon).to_string(), width, "{horizon}");
        };
        check("0s", "1ns");
        check("300ns", "1ns");
        check("301ns", "2ns");
        check("35s", "200ms");
        check("10min", "2s");
        check("20min", "5s");
        check("50min", "10s");
        check("130min", "30s");
        check("1d", "5min");
        check("7d", "1h");
        check("360d", "2d");
        check("210000d", "1000d");
    }

    #[test]
    fn there_are_120_to_300_bins_in_runs_of_any_length() {
        let mut horizon = 120_u64;
        while let Some(longer) = horizon.checked_add(horizon / 37 + 1) {
            let bins = horizon.div_ceil(bin_width(SimDuration::from_nanos(horizon)).as_nanos());
            assert!((120..=MOST_BINS).contains(&bins), "{horizon} ns: {bins}");
            horizon = longer;
        }
    }
}
