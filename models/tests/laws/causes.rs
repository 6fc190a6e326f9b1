//! Nothing happens before its cause.

use crate::common::instant;
use models::blueprint::Layout;
use models::event::Event;
use models::intervention::Act;
use models::policy::Discipline;
use models::probe::{Arrival, Attempt, Capacity, Cause, Outcome, Probe, Response};
use models::system::Run;
use models::topology::{Caller, Topology};
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds every fact against those that must have come before it, each of which may explain only one.
pub(crate) struct Causes {
    topology: Arc<Topology>,
    now: SimTime,
    /// When a request that is not over came, and for which site.
    open: BTreeMap<u64, (SimTime, u16)>,
    /// How often an attempt of this number was made at a site for a request.
    attempts: BTreeMap<(u16, u64, u8), u32>,
    sites: Vec<Site>,
    services: Vec<Service>,
}

#[derive(Clone, Default)]
struct Site {
    /// Whether an attempt without a reply may be sent once more: what follows no failure then.
    hedged: bool,
    attempts: u32,
    repeats: u32,
    failures: u32,
    /// The last failure, and the last reply that somebody waited for.
    failed: Option<(SimTime, Cause)>,
    replied: Option<SimTime>,
}

/// Attempts by when they began or came.
type Instants = BTreeMap<SimTime, u32>;

#[derive(Clone, Default)]
struct Service {
    /// Attempts that were sent or wait for a connection.
    sent: u32,
    came: Instants,
    admitted: Instants,
    /// Attempts that need a connection of each pool.
    calls: BTreeMap<u16, Instants>,
}

/// Takes one of what there is at an instant.
fn take(instants: &mut Instants, at: SimTime, what: &str) {
    let left = instants.get_mut(&at).unwrap_or_else(|| panic!("{what}: nothing at {at} explains it"));
    *left = left.checked_sub(1).unwrap_or_else(|| panic!("{what}: what was at {at} explains others"));
}

impl Causes {
    /// Starts with a run that has not begun.
    pub(crate) fn of(run: &Run) -> Self {
        let topology = run.model.topology().clone();
        let mut causes = Self {
            now: SimTime::ZERO,
            open: BTreeMap::new(),
            attempts: BTreeMap::new(),
            sites: vec![Site::default(); topology.sites.len()],
            services: vec![Service::default(); topology.services.len()],
            topology: topology.clone(),
        };
        causes.learn(&topology);
        causes
    }

    fn learn(&mut self, topology: &Topology) {
        for (site, spec) in self.sites.iter_mut().zip(&topology.sites) {
            site.hedged |= spec.hedge.is_some();
        }
    }

    fn pass(&mut self, now: SimTime) {
        assert!(self.now <= now, "a fact of {now} after one of {}", self.now);
        self.now = now;
    }

    fn of_service(&mut self, now: SimTime, service: u16) -> &mut Service {
        self.pass(now);
        &mut self.services[usize::from(service)]
    }
}

impl Probe for Causes {
    fn event(&mut self, now: SimTime, _: Event) {
        self.pass(now);
    }

    fn intervened(&mut self, now: SimTime, act: &Act) {
        self.pass(now);
        if let Act::Adopt { topology } = act {
            self.learn(topology);
        }
    }

    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        self.pass(now);
        let before = self.open.insert(arrival.request.bits(), (now, arrival.site));
        assert_eq!(before, None, "a request comes once");
    }

    /// An attempt follows the arrival of its request; a repeat follows an attempt of its call, and a failure.
    fn attempt(&mut self, now: SimTime, attempt: &Attempt) {
        self.pass(now);
        let Attempt { site, request, attempt } = *attempt;
        let spec = &self.topology.sites[usize::from(site)];
        let caller = match spec.caller {
            // A client asks nothing for a request that is over; what a service does may outlive it.
            Caller::Client(_) => {
                assert_eq!(self.open.get(&request.bits()).map(|open| open.1), Some(site), "an attempt of no request");
                None
            }
            Caller::Service(service) => Some(service),
        };
        let made = *self.attempts.entry((site, request.bits(), attempt)).and_modify(|n| *n += 1).or_insert(1);
        let book = &mut self.sites[usize::from(site)];
        book.attempts += 1;
        if let Some(before) = attempt.checked_sub(1) {
            book.repeats += 1;
            assert!(book.hedged || book.repeats <= book.failures, "site {site}: a repeat without a failure");
            let before = self.attempts.get(&(site, request.bits(), before)).copied().unwrap_or(0);
            assert!(made <= before, "site {site}: attempt {attempt} before attempt {}", attempt - 1);
        }
        if let (Some(caller), Some(pool)) = (caller, spec.pool) {
            *self.services[usize::from(caller)].calls.entry(pool).or_default().entry(now).or_default() += 1;
        }
        self.services[usize::from(spec.callee)].sent += 1;
    }

    fn attempt_failed(&mut self, now: SimTime, site: u16, cause: Cause) {
        self.pass(now);
        let site = &mut self.sites[usize::from(site)];
        site.failures += 1;
        site.failed = Some((now, cause));
        assert!(site.failures <= site.attempts, "a failure without an attempt");
    }

    /// A connection is got by a call that began when the wait for it did.
    fn connected(&mut self, now: SimTime, service: u16, pool: u16, waited: SimDuration) {
        let calls = self.of_service(now, service).calls.entry(pool).or_default();
        take(calls, before(now, waited), "connected");
    }

    fn service_arrival(&mut self, now: SimTime, service: u16) {
        let service = self.of_service(now, service);
        service.sent = service.sent.checked_sub(1).expect("an attempt comes that was not made");
        *service.came.entry(now).or_default() += 1;
    }

    fn admitted(&mut self, now: SimTime, service: u16, waited: SimDuration) {
        let came = before(now, waited);
        let service = self.of_service(now, service);
        take(&mut service.came, came, "admitted");
        *service.admitted.entry(came).or_default() += 1;
    }

    /// Work is done for a request of which an attempt came.
    fn demand(&mut self, now: SimTime, service: u16, request: Key, _: SimDuration) {
        self.pass(now);
        let mut sites = (0..).zip(&self.topology.sites).filter(|(_, site)| site.callee == service);
        let asked = sites.any(|(site, _)| self.attempts.contains_key(&(site, request.bits(), 0)));
        assert!(asked, "service {service} works for a request that never asked for it");
    }

    fn responded(&mut self, now: SimTime, response: &Response) {
        take(&mut self.of_service(now, response.service).admitted, response.arrived, "responded");
        if response.ok && response.wanted && !response.replied {
            self.sites[usize::from(response.site)].replied = Some(now);
        }
    }

    /// A reply before the end of its visit, to whoever asked the service.
    fn replied(&mut self, now: SimTime, service: u16, took: SimDuration) {
        let came = before(now, took);
        let there = self.of_service(now, service).admitted.get(&came).copied().unwrap_or(0);
        assert!(there > 0, "service {service} replies to nobody who came at {came}");
        let asked = self.sites.iter_mut().zip(&self.topology.sites).filter(|(_, spec)| spec.callee == service);
        asked.for_each(|(site, _)| site.replied = Some(now));
    }

    /// A request is over with the reply to one of its attempts, or with the failure of the last.
    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {
        self.pass(now);
        let came = self.open.remove(&outcome.request.bits());
        assert_eq!(came, Some((outcome.started, outcome.site)), "over without having come");
        let made = |attempt| self.attempts.contains_key(&(outcome.site, outcome.request.bits(), attempt));
        assert!((0..outcome.attempts).all(made) && !made(outcome.attempts), "attempts: {outcome:?}");
        let site = &self.sites[usize::from(outcome.site)];
        match outcome.result {
            Ok(()) => assert_eq!(site.replied, Some(now), "served without a reply"),
            Err(cause) => assert_eq!(site.failed, Some((now, cause)), "failed without a failure"),
        }
    }
}

fn before(now: SimTime, waited: SimDuration) -> SimTime {
    instant(now.as_nanos().checked_sub(waited.as_nanos()).expect("nobody has waited since before the start"))
}

/// In which order attempts that came got a thread.
pub(crate) struct Order {
    services: Vec<Queues>,
}

#[derive(Clone, Default)]
struct Queues {
    shared: bool,
    /// Whether the oldest has always been next.
    fifo: bool,
    /// Replicas there are, and how many there ever were.
    replicas: u64,
    ever: u64,
    /// As few sequences of arrivals as the admissions can be dealt out to, each in order: their last.
    last: Vec<SimTime>,
}

impl Order {
    /// Starts with a run that has not begun.
    pub(crate) fn of(run: &Run) -> Self {
        let services = run.model.topology().services.iter();
        let queues = services.map(|s| Queues { shared: s.layout == Layout::Shared, fifo: true, ..Queues::default() });
        let mut order = Self { services: queues.collect() };
        order.learn(run.model.topology());
        run.model.attach(run.now(), &mut order);
        order
    }

    fn learn(&mut self, topology: &Topology) {
        for (queues, spec) in self.services.iter_mut().zip(&topology.services) {
            queues.fifo &= spec.order == Discipline::Fifo.order();
        }
    }

    /// First come, first served, where that is the discipline: what one queue lets go is in the order in
    /// which it came, so that what k queues let go can be dealt out to k sequences in order. Dealing each to
    /// the sequence whose last came latest, though no later, takes as few sequences as possible (Dilworth: as
    /// many as the longest strictly decreasing subsequence has members).
    pub(crate) fn check(&self) {
        for (id, service) in self.services.iter().enumerate().filter(|(_, service)| service.fifo) {
            let queues = if service.shared { 1 } else { service.ever };
            let sequences = service.last.len() as u64;
            assert!(sequences <= queues, "service {id}: {sequences} orders out of {queues} queues");
        }
    }
}

impl Probe for Order {
    fn intervened(&mut self, _: SimTime, act: &Act) {
        if let Act::Adopt { topology } = act {
            self.learn(topology);
        }
    }

    fn capacity(&mut self, _: SimTime, service: u16, capacity: &Capacity) {
        let service = &mut self.services[usize::from(service)];
        service.ever += capacity.replicas.saturating_sub(service.replicas);
        service.replicas = capacity.replicas;
    }

    fn admitted(&mut self, now: SimTime, service: u16, waited: SimDuration) {
        let came = before(now, waited);
        let last = &mut self.services[usize::from(service)].last;
        match last.iter_mut().filter(|last| **last <= came).max() {
            Some(latest) => *latest = came,
            None => last.push(came),
        }
    }
}

#[test]
#[should_panic(expected = "service 0: 2 orders out of 1 queues")]
fn a_queue_whose_last_comes_first_is_found_out() {
    let mut order = Order { services: vec![Queues { shared: true, fifo: true, ..Queues::default() }] };
    for (now, waited) in [(10, 0), (30, 10), (40, 25), (50, 20)] {
        order.admitted(instant(now), 0, SimDuration::from_nanos(waited));
    }
    order.check();
}

#[test]
#[should_panic(expected = "admitted: what was at 10ns explains others")]
fn an_admission_without_an_arrival_is_found_out() {
    let mut came = Instants::from([(instant(10), 1)]);
    take(&mut came, instant(10), "admitted");
    take(&mut came, instant(10), "admitted");
}
