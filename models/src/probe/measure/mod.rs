//! The standard probe: the figures of a report, in bounded memory.
//!
//! Counting starts when the probe is attached, usually at the end of the warm-up. A request counts if
//! its first attempt began since; levels are averaged over time since.

mod client;
mod host;
mod rentals;
mod service;

pub use client::{ClientMeasure, Window, WindowMeasure};
pub use host::HostMeasure;
pub use rentals::{Rental, Rentals};
pub use service::{CacheMeasure, PoolMeasure, ServiceMeasure};

use super::{Arrival, Attempt, Capacity, Cause, Load, LookedUp, Outcome, Probe, Response};
use crate::intervention::Act;
use crate::system::Run;
use crate::topology::{Caller, ProcessorSpec, Topology};
use sim_core::stats::TimeWeighted;
use sim_core::time::{SimDuration, SimTime};
use std::borrow::Cow;
use std::sync::Arc;

/// What a run is measured by.
#[derive(Clone, Debug)]
pub struct Measure {
    topology: Arc<Topology>,
    /// Since when it counts.
    pub from: SimTime,
    /// The first instant whose requests count.
    first: SimTime,
    /// Requests in flight over time.
    pub in_flight: TimeWeighted,
    /// The most requests in flight at once.
    pub in_flight_max: u64,
    /// Requests of each population.
    pub clients: Vec<ClientMeasure>,
    /// Each service.
    pub services: Vec<ServiceMeasure>,
    /// Each host.
    pub hosts: Vec<HostMeasure>,
    /// Requests by the window in which they came, in the order given.
    pub windows: Vec<WindowMeasure>,
    /// Attempts of clients that repeat a failed one.
    repeats: u64,
}

impl Measure {
    /// Starts measuring a run from its present instant. `good` is the response time up to which a
    /// request counts for the SLO; `levels` asks for the distribution of the number in system.
    pub fn attach(run: &Run, good: SimDuration, windows: Vec<Window>, levels: bool) -> Self {
        let mut measure = Self::attach_from(run, run.now(), good, windows, levels);
        if run.events() > 0 {
            // What came at this very instant came before.
            measure.first = run.next_instant();
        }
        measure
    }

    /// As [`Self::attach`], but counts from `now` on, of which nothing may have happened yet: after
    /// `run_before(now)`, so that what comes at `now` itself counts.
    ///
    /// # Panics
    /// If the run has gone beyond `now`.
    pub fn attach_from(run: &Run, now: SimTime, good: SimDuration, windows: Vec<Window>, levels: bool) -> Self {
        assert!(now >= run.now(), "a probe that counts from {now} joins at {}", run.now());
        let topology = run.model.topology().clone();
        let mut measure = Self {
            from: now,
            first: now,
            in_flight: TimeWeighted::new(now, 0),
            in_flight_max: 0,
            clients: topology.clients.iter().map(|_| ClientMeasure::new(good)).collect(),
            services: topology
                .services
                .iter()
                .map(|s| ServiceMeasure::new(now, s.pools.len(), s.caches.len(), levels))
                .collect(),
            hosts: topology.hosts.iter().map(|host| HostMeasure::new(now, host)).collect(),
            windows: windows.into_iter().map(WindowMeasure::new).collect(),
            repeats: 0,
            topology,
        };
        run.model.attach(now, &mut measure);
        measure
    }

    /// Requests of all populations together. They are added up here and not while the run goes on.
    pub fn requests(&self) -> Cow<'_, ClientMeasure> {
        let (first, others) = self.clients.split_first().expect("a checked design has clients");
        let mut all = Cow::Borrowed(first);
        others.iter().for_each(|client| all.to_mut().merge(client));
        all
    }

    /// Attempts of clients.
    pub fn attempts(&self) -> u64 {
        self.clients.iter().map(|client| client.arrived).sum::<u64>() + self.repeats
    }

    #[inline]
    fn service(&mut self, service: u16) -> &mut ServiceMeasure {
        &mut self.services[usize::from(service)]
    }

    /// The replicas of a contended database, the connections to it, or its law may have changed: so has the
    /// most it could do. Nothing limits that if somebody calls it without a pool.
    fn update_peak(&mut self, now: SimTime, callee: u16) {
        let processor = self.topology.services[usize::from(callee)].processor;
        let unlimited = || self.topology.sites.iter().any(|site| site.callee == callee && site.pool.is_none());
        if !matches!(processor, ProcessorSpec::Usl { .. }) || unlimited() {
            return;
        }
        let mut connections = 0;
        for (caller, caller_spec) in self.services.iter().zip(&self.topology.services) {
            for (pool, pool_spec) in caller.pools.iter().zip(&caller_spec.pools) {
                if pool_spec.callee == callee {
                    connections += pool.connections.level();
                }
            }
        }
        let database = self.service(callee);
        let rate = processor.work_per_second(database.replicas.level() as f64, connections as f64);
        database.set_contended_rate(now, rate);
    }
}

impl Probe for Measure {
    fn intervened(&mut self, now: SimTime, act: &Act) {
        if let Act::Adopt { topology } = act {
            self.topology = topology.clone();
            (0..topology.services.len()).for_each(|service| self.update_peak(now, service as u16));
            self.hosts.iter_mut().zip(&topology.hosts).for_each(|(host, spec)| host.set_capacity(now, spec));
        }
    }

    #[inline]
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        self.clients[usize::from(arrival.client)].arrived += 1;
        for window in &mut self.windows {
            window.arrived += u64::from(window.window.contains(now));
        }
    }

    #[inline(always)]
    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {
        let client = &mut self.clients[usize::from(outcome.client)];
        let counts = outcome.started >= self.first;
        if counts {
            client.take(outcome.result, now.since(outcome.started));
        } else {
            client.from_before += u64::from(outcome.result.is_ok());
        }
        for window in &mut self.windows {
            window.take(now, outcome, counts);
        }
    }

    #[inline]
    fn in_flight(&mut self, now: SimTime, requests: u64) {
        self.in_flight.set(now, requests);
        self.in_flight_max = self.in_flight_max.max(requests);
    }

    #[inline]
    fn attempt(&mut self, _: SimTime, attempt: &Attempt) {
        if attempt.attempt > 0 {
            let of_client = matches!(self.topology.sites[usize::from(attempt.site)].caller, Caller::Client(_));
            self.repeats += u64::from(of_client);
        }
    }

    #[inline]
    fn service_arrival(&mut self, _: SimTime, service: u16) {
        self.service(service).arrived += 1;
    }

    #[inline]
    fn admitted(&mut self, _: SimTime, service: u16, waited: SimDuration) {
        self.service(service).waits.record(waited);
    }

    fn turned_away(&mut self, _: SimTime, service: u16, cause: Cause) {
        self.service(service).turned_away[cause as usize] += 1;
    }

    #[inline(always)]
    fn responded(&mut self, now: SimTime, response: &Response) {
        let took = now.since(response.arrived);
        // Whoever came before counting began does not count as having been abandoned since.
        let wanted = response.wanted || response.arrived < self.from;
        self.service(response.service).responded(took, response, wanted);
    }

    fn replied(&mut self, _: SimTime, service: u16, response: SimDuration) {
        self.service(service).replied(response);
    }

    fn looked_up(&mut self, _: SimTime, lookup: &LookedUp) {
        self.service(lookup.service).caches[usize::from(lookup.cache)].found[lookup.found as usize] += 1;
    }

    fn shared_work_done(&mut self, _: SimTime, service: u16, demand: SimDuration) {
        self.service(service).work_done += u128::from(demand.as_nanos());
    }

    fn on_host(&mut self, now: SimTime, service: u16, nanocores: u64) {
        if let ProcessorSpec::Hosted { host, member, .. } = self.topology.services[usize::from(service)].processor {
            self.hosts[usize::from(host)].used[usize::from(member)].set(now, nanocores);
        }
    }

    #[inline]
    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        self.service(service).set_load(now, load);
    }

    fn capacity(&mut self, now: SimTime, service: u16, capacity: &Capacity) {
        self.service(service).set_capacity(now, capacity);
        let callees: Vec<u16> = self.topology.services[usize::from(service)].pools.iter().map(|p| p.callee).collect();
        callees.into_iter().chain([service]).for_each(|changed| self.update_peak(now, changed));
    }

    fn pool(&mut self, now: SimTime, service: u16, pool: u16, change: i32) {
        let used = &mut self.service(service).pools[usize::from(pool)].used;
        let level = used.level().checked_add_signed(i64::from(change)).expect("a connection given back was in use");
        used.set(now, level);
    }

    fn connected(&mut self, _: SimTime, service: u16, pool: u16, waited: SimDuration) {
        self.service(service).pools[usize::from(pool)].waits.push(waited.as_secs_f64());
    }
}
