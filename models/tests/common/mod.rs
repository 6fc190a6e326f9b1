//! Builders so terse that a test reads like its sentence, and probes that write down what happened.
//!
//! Deterministic scenarios count in nanoseconds: requests come [`at`] given instants, work takes a
//! constant time, and since time is an integer the smallest unit is as good as any.

#![allow(dead_code, unreachable_pub, reason = "each test file uses another part of it")]

use indexmap::IndexMap;
use models::blueprint::{Blueprint, CallPolicy, Host, Layout, Processor, Queue, Service, Step};
use models::distribution::Distribution;
use models::event::Event;
use models::fault::{Fault, Recurring, Which};
use models::given::Given;
use models::intervention::{Act, Timeline};
use models::policy::backoff::Decorrelated;
use models::policy::{
    Backoff, Balancer, Breaker, Budget, Cache, Deadline, Discipline, Drop, Eviction, Hedge, Popularity, Refresh, Retry,
    Start,
};
use models::probe::{Attempt, Capacity, Cause, Found, Load, LookedUp, Measure, Outcome, Probe, Response};
use models::snapshot::{MachineSnapshot, Snapshot};
use models::system::{Limits, Run, System};
use models::times::Times;
use models::topology::{ProcessorSpec, Topology};
use models::workload::mmpp::MmppState;
use models::workload::{Arrivals, Balking, Batch, Client, Count, Mmpp, Rate, Sessions, Trace, TraceFile, Workload};
use sim_core::dist::Dist;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn ns(n: u64) -> SimDuration {
    SimDuration::from_nanos(n)
}

pub fn secs(s: f64) -> SimDuration {
    SimDuration::from_secs_f64(s)
}

pub fn instant(n: u64) -> SimTime {
    SimTime::from_nanos(n)
}

/// Always `n` nanoseconds.
pub fn exactly(n: u64) -> Distribution {
    Distribution::Constant(ns(n).into())
}

pub fn exponential(mean_secs: f64) -> Distribution {
    Distribution::Exponential(secs(mean_secs).into())
}

/// `n` nanoseconds of work.
pub fn work(n: u64) -> Step {
    Step::Work(exactly(n))
}

pub fn delay(n: u64) -> Step {
    Step::Delay(exactly(n))
}

pub fn call(to: &str) -> Step {
    Step::Call(to.to_owned())
}

pub fn send(to: &str) -> Step {
    Step::Send(to.to_owned())
}

pub fn maybe(p: f64, steps: Vec<Step>) -> Step {
    Step::Maybe(p.into(), steps)
}

pub fn lookup(cache: &str, miss: Vec<Step>) -> Step {
    Step::Lookup { cache: cache.to_owned(), miss }
}

/// A cache that holds all of so many equally popular keys.
pub fn cache(keys: u32) -> Cache {
    Cache {
        keys: keys.into(),
        popularity: Popularity::Uniform,
        key_of: None,
        size: None,
        eviction: Eviction::Lru,
        ttl: None,
        single_flight: false,
        refresh: Refresh::Never,
        shared: false,
        warm: false,
        analytic: false,
    }
}

pub fn quorum(need: u32, of: Vec<Vec<Step>>) -> Step {
    Step::Quorum { need: need.into(), of }
}

pub fn repeat(times: Times, steps: impl Into<Vec<Step>>) -> Step {
    Step::Repeat(times, steps.into())
}

pub fn fail(p: f64) -> Step {
    Step::Fail(p.into())
}

pub fn servers(n: u32) -> Processor {
    Processor::Servers(n.into())
}

pub fn cores(n: u32) -> Processor {
    Processor::Cores(n.into())
}

/// The processor of a host, with a weight.
pub fn on(host: &str, weight: f64) -> Processor {
    Processor::Host { name: host.to_owned(), weight: weight.into() }
}

/// One replica with one endpoint, `get`.
pub fn service(processor: Processor, steps: impl Into<Vec<Step>>) -> Service {
    Service {
        replicas: 1.into(),
        start: Start::default(),
        scaler: None,
        speeds: Vec::new(),
        processor,
        threads: None,
        admission: Default::default(),
        queue: Queue::default(),
        balancer: Balancer::RoundRobin,
        health: None,
        drain: None,
        calls: IndexMap::new(),
        caches: IndexMap::new(),
        endpoints: IndexMap::from([("get".to_owned(), steps.into())]),
    }
}

/// What can be said of a service besides its processor and steps.
pub trait ServiceWords: Sized {
    fn replicas(self, n: u32) -> Self;
    fn threads(self, n: u32) -> Self;
    fn shared(self) -> Self;
    fn cap(self, n: u32) -> Self;
    fn drops(self, rule: Drop) -> Self;
    fn discipline(self, discipline: Discipline) -> Self;
    fn balanced(self, by: Balancer) -> Self;
    fn calling(self, callee: &str, policy: CallPolicy) -> Self;
    fn caching(self, name: &str, cache: Cache) -> Self;
    fn endpoint(self, name: &str, steps: impl Into<Vec<Step>>) -> Self;
}

impl ServiceWords for Service {
    fn replicas(mut self, n: u32) -> Self {
        self.replicas = n.into();
        self
    }

    fn threads(mut self, n: u32) -> Self {
        self.threads = Some(n.into());
        self
    }

    fn shared(mut self) -> Self {
        self.queue.layout = Layout::Shared;
        self
    }

    fn cap(mut self, n: u32) -> Self {
        self.queue.cap = Some(n.into());
        self
    }

    fn drops(mut self, rule: Drop) -> Self {
        self.queue.drop = rule;
        self
    }

    fn discipline(mut self, discipline: Discipline) -> Self {
        self.queue.discipline = discipline;
        self
    }

    fn balanced(mut self, by: Balancer) -> Self {
        self.balancer = by;
        self
    }

    fn calling(mut self, callee: &str, policy: CallPolicy) -> Self {
        self.calls.insert(callee.to_owned(), policy);
        self
    }

    fn caching(mut self, name: &str, cache: Cache) -> Self {
        self.caches.insert(name.to_owned(), cache);
        self
    }

    fn endpoint(mut self, name: &str, steps: impl Into<Vec<Step>>) -> Self {
        self.endpoints.insert(name.to_owned(), steps.into());
        self
    }
}

/// Who calls with patience and persistence: a service, or a client.
pub trait CallerWords: Sized {
    fn timeout(self, n: u64) -> Self;
    fn cancels(self) -> Self;
    fn retries(self, max: u32, backoff: u64) -> Self;
    fn backing_off(self, backoff: Backoff) -> Self;
    fn budget(self, share: f64, capacity: f64, initial: f64) -> Self;
    fn hedges(self, after: u64, most: u32) -> Self;
    fn breaks(self, breaker: Breaker) -> Self;
    fn bulkhead(self, most: u32) -> Self;
    fn propagates(self) -> Self;
}

pub fn retry(max: u32, backoff: u64) -> Retry {
    Retry { max: max.into(), backoff: Backoff::Constant(ns(backoff).into()), budget: None }
}

/// Counts over `window`, opens at half of them, stays open for `open`.
pub fn breaker(window: u64, at_least: u32, open: u64, probes: u32) -> Breaker {
    Breaker {
        window: ns(window).into(),
        failures: 0.5.into(),
        at_least: at_least.into(),
        open: ns(open).into(),
        probes: probes.into(),
    }
}

pub fn decorrelated(base: u64, cap: u64) -> Backoff {
    Backoff::Decorrelated(Decorrelated { base: ns(base).into(), cap: ns(cap).into() })
}

macro_rules! caller_words {
    ($caller:ty) => {
        impl CallerWords for $caller {
            fn timeout(mut self, n: u64) -> Self {
                self.timeout = Some(ns(n).into());
                self
            }

            fn cancels(mut self) -> Self {
                self.cancel = true;
                self
            }

            fn retries(mut self, max: u32, backoff: u64) -> Self {
                self.retry = Some(retry(max, backoff));
                self
            }

            fn backing_off(mut self, backoff: Backoff) -> Self {
                self.retry.as_mut().expect("who repeats backs off").backoff = backoff;
                self
            }

            fn budget(mut self, share: f64, capacity: f64, initial: f64) -> Self {
                let budget = Budget { share: share.into(), capacity: capacity.into(), initial: initial.into() };
                self.retry.as_mut().expect("a budget limits retries").budget = Some(budget);
                self
            }

            fn breaks(mut self, breaker: Breaker) -> Self {
                self.breaker = Some(breaker);
                self
            }

            fn bulkhead(mut self, most: u32) -> Self {
                self.bulkhead = Some(most.into());
                self
            }

            fn propagates(mut self) -> Self {
                self.deadline = Deadline::Propagate;
                self
            }

            fn hedges(mut self, after: u64, most: u32) -> Self {
                self.hedge = Some(Hedge { after: ns(after).into(), most: most.into() });
                self
            }
        }
    };
}

caller_words!(CallPolicy);
caller_words!(Client);

/// What can be said of a population besides its arrivals and its calls.
pub trait ClientWords: Sized {
    fn urgent(self, priority: u32) -> Self;
    fn balks(self, balking: Balking) -> Self;
    fn patient(self, patience: Distribution) -> Self;
}

impl ClientWords for Client {
    fn urgent(mut self, priority: u32) -> Self {
        self.priority = priority.into();
        self
    }

    fn balks(mut self, balking: Balking) -> Self {
        self.balking = balking;
        self
    }

    fn patient(mut self, patience: Distribution) -> Self {
        self.patience = Some(patience);
        self
    }
}

/// A call without pool, timeout or retry.
pub fn plainly() -> CallPolicy {
    CallPolicy::default()
}

pub fn pooled(connections: u32) -> CallPolicy {
    CallPolicy { pool: Some(connections.into()), ..CallPolicy::default() }
}

pub fn client(arrivals: Arrivals, asks: &str) -> Client {
    Client {
        arrivals,
        mix: IndexMap::from([(asks.to_owned(), 1.0.into())]),
        priority: 0.into(),
        balking: Balking::Never,
        patience: None,
        timeout: None,
        cancel: false,
        retry: None,
        hedge: None,
        breaker: None,
        bulkhead: None,
        deadline: Deadline::Own,
    }
}

/// Requests at exactly these nanoseconds: a trace with bins of a nanosecond, which
/// [`Design::topology`] makes from the name of its file.
pub fn at(instants: impl AsRef<[u64]>) -> Arrivals {
    let names: Vec<String> = instants.as_ref().iter().map(u64::to_string).collect();
    Arrivals::Trace(TraceFile { file: names.join(" "), factor: 1.0.into() })
}

fn trace(file: &str) -> Trace {
    let instants: Vec<usize> = file.split(' ').map(|n| n.parse().expect("a trace made by at()")).collect();
    let mut counts = vec![0; 1 + instants.iter().max().copied().unwrap_or(0)];
    instants.iter().for_each(|&n| counts[n] += 1);
    Trace::of_counts(ns(1), counts)
}

/// `rate` requests a second.
pub fn poisson(rate: f64) -> Arrivals {
    Arrivals::Poisson(Rate::Constant(rate.into()))
}

/// `rate` requests a second, none from `until` seconds on.
pub fn poisson_until(rate: f64, until: f64) -> Arrivals {
    use models::workload::rate::Piecewise;
    let points = vec![(SimDuration::ZERO.into(), rate.into()), (secs(until).into(), Given::from(0.0))];
    Arrivals::Poisson(Rate::Piecewise(Piecewise(points)))
}

pub fn closed(users: u32, think: Distribution) -> Arrivals {
    Arrivals::Closed { users: users.into(), think }
}

pub fn renewal(interval: Distribution) -> Arrivals {
    Arrivals::Renewal(interval)
}

/// States of these rates a second and mean stays in nanoseconds.
pub fn mmpp(states: &[(f64, u64)]) -> Arrivals {
    let state = |&(rate, stay): &(f64, u64)| MmppState { rate: rate.into(), stay: ns(stay).into() };
    Arrivals::Mmpp(Mmpp(states.iter().map(state).collect()))
}

/// `rate` batches a second.
pub fn batches(rate: f64, size: Count) -> Arrivals {
    Arrivals::Batch(Batch { rate: Rate::Constant(rate.into()), size })
}

/// `rate` sessions a second.
pub fn sessions(rate: f64, requests: Count, think: Distribution) -> Arrivals {
    Arrivals::Sessions(Sessions { rate: Rate::Constant(rate.into()), requests, think })
}

pub fn always(n: u32) -> Count {
    Count::Fixed(n.into())
}

/// Services and clients.
#[derive(Clone, Debug, Default)]
pub struct Design {
    pub blueprint: Blueprint,
    pub workload: Workload,
    pub recurring: Vec<Recurring>,
}

pub fn design() -> Design {
    Design::default()
}

impl Design {
    pub fn service(mut self, name: &str, service: Service) -> Self {
        self.blueprint.services.insert(name.to_owned(), service);
        self
    }

    /// Machines that services share.
    pub fn host(mut self, name: &str, machines: u32, processor: Processor) -> Self {
        let host = Host { machines: machines.into(), processor, speed: 1.0.into() };
        self.blueprint.hosts.insert(name.to_owned(), host);
        self
    }

    pub fn client(mut self, name: &str, client: Client) -> Self {
        self.workload.clients.insert(name.to_owned(), client);
        self
    }

    /// The same design with something changed.
    pub fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }

    pub fn of(&mut self, service: &str) -> &mut Service {
        self.blueprint.services.get_mut(service).expect("a service of the design")
    }

    pub fn from(&mut self, client: &str) -> &mut Client {
        self.workload.clients.get_mut(client).expect("a client of the design")
    }

    pub fn topology(&self) -> Arc<Topology> {
        let files = self.workload.clients.values().filter_map(|c| match &c.arrivals {
            Arrivals::Trace(file) => Some((file.file.clone(), trace(&file.file))),
            _ => None,
        });
        let checked = models::check::check(&self.blueprint, &self.workload, &files.collect());
        let mut topology = checked.unwrap_or_else(|problems| panic!("{problems:#?}"));
        topology.recurring.clone_from(&self.recurring);
        Arc::new(topology)
    }

    /// A run with seed 1, replication 0.
    pub fn run(&self, acts: Vec<(u64, Act)>) -> Run {
        self.seeded(1, 0, acts)
    }

    pub fn seeded(&self, seed: u64, replication: u64, acts: Vec<(u64, Act)>) -> Run {
        System::run(self.topology(), timeline(acts), seed, replication, Limits::default())
    }

    /// What happens up to `until` nanoseconds.
    pub fn log(&self, until: u64, acts: Vec<(u64, Act)>) -> Log {
        let mut run = self.run(acts);
        let mut probe = (Log::of(&run), Audit::of(&run));
        run.run_until(instant(until), &mut probe).expect("no limit is hit");
        probe.1.check(&run);
        probe.0
    }

    /// Measures from `from` to `to` seconds.
    pub fn measure(&self, replication: u64, from: f64, to: f64) -> (Run, Measure) {
        let mut run = self.seeded(1, replication, vec![]);
        run.run_until(SimTime::ZERO + secs(from), &mut ()).expect("no limit is hit");
        let mut measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], true);
        run.run_until(SimTime::ZERO + secs(to), &mut measure).expect("no limit is hit");
        (run, measure)
    }

    /// One act on this design's service.
    pub fn scale(&self, service: &str, to: u32) -> Act {
        Act::Scale { service: self.id(service), to }
    }

    pub fn kill(&self, service: &str, replica: u32) -> Act {
        Act::Kill { service: self.id(service), of: Which::Only(vec![replica]), refuse: false }
    }

    pub fn kill_and_refuse(&self, service: &str, replica: u32) -> Act {
        Act::Kill { service: self.id(service), of: Which::Only(vec![replica]), refuse: true }
    }

    /// Something goes wrong with one replica for so many nanoseconds, or until it is healed.
    pub fn inflict(&self, service: &str, replica: u32, fault: Fault, lasts: Option<u64>) -> Act {
        let lasts = lasts.map(|nanos| Dist::constant(SimDuration::from_nanos(nanos)).expect("a constant"));
        Act::Inflict { service: self.id(service), of: Which::Only(vec![replica]), fault, lasts }
    }

    pub fn heal(&self, service: &str) -> Act {
        Act::Heal { service: self.id(service), of: Which::All }
    }

    pub fn flush(&self, service: &str) -> Act {
        Act::Flush { service: self.id(service) }
    }

    /// Takes over the numbers of this design.
    pub fn adopt(&self) -> Act {
        Act::Adopt { topology: self.topology() }
    }

    fn id(&self, service: &str) -> u16 {
        self.blueprint.services.get_index_of(service).expect("a service of the design") as u16
    }
}

pub fn timeline(acts: Vec<(u64, Act)>) -> Arc<Timeline> {
    Arc::new(Timeline::new(acts.into_iter().map(|(at, act)| (instant(at), act)).collect()))
}

/// Writes down what happened and when, in nanoseconds.
pub struct Log {
    topology: Arc<Topology>,
    outcomes: Vec<(u64, u16, Result<(), Cause>)>,
    attempts_made: Vec<u8>,
    started: Vec<u64>,
    attempts: Vec<(u64, u16)>,
    failures: Vec<(u64, u16, Cause)>,
    admitted: Vec<(u64, u16, u64)>,
    turned_away: Vec<(u64, u16, Cause)>,
    responded: Vec<(u64, u16, bool, bool)>,
    pool: Vec<(u64, u16, i32)>,
    connected: Vec<(u64, u16, u64)>,
    busy: Vec<(u64, u16, u32)>,
    held: Vec<(u64, u16, u32)>,
    replicas: Vec<(u64, u16, u64)>,
    pub demands: Vec<(Key, u16, u64)>,
    pub looked_up: Vec<(u64, LookedUp)>,
    on_host: Vec<(u64, u16, u64)>,
}

impl Log {
    pub fn of(run: &Run) -> Self {
        Self {
            topology: run.model.topology().clone(),
            outcomes: vec![],
            attempts_made: vec![],
            started: vec![],
            attempts: vec![],
            failures: vec![],
            admitted: vec![],
            turned_away: vec![],
            responded: vec![],
            pool: vec![],
            connected: vec![],
            busy: vec![],
            held: vec![],
            replicas: vec![],
            demands: vec![],
            looked_up: vec![],
            on_host: vec![],
        }
    }

    fn is(&self, id: u16, service: &str) -> bool {
        self.topology.services[usize::from(id)].name == service
    }

    /// When requests were over, and how.
    pub fn outcomes(&self) -> Vec<(u64, Result<(), Cause>)> {
        self.outcomes.iter().map(|&(t, _, result)| (t, result)).collect()
    }

    /// How long each request took, and how it ended, in the order of their ends.
    pub fn outcomes_by_start(&self) -> Vec<(u64, Result<(), Cause>)> {
        self.outcomes.iter().zip(&self.started).map(|(&(t, _, result), start)| (t - start, result)).collect()
    }

    /// The same of one population.
    pub fn outcomes_of(&self, client: &str) -> Vec<(u64, Result<(), Cause>)> {
        let of = |id: u16| self.topology.clients[usize::from(id)].name == client;
        self.outcomes.iter().filter(|o| of(o.1)).map(|&(t, _, result)| (t, result)).collect()
    }

    /// How many attempts each request took.
    pub fn attempts_made(&self) -> Vec<u8> {
        self.attempts_made.clone()
    }

    /// When attempts at a service began.
    pub fn attempts_at(&self, service: &str) -> Vec<u64> {
        let to = |site: u16| self.is(self.topology.sites[usize::from(site)].callee, service);
        self.attempts.iter().filter(|a| to(a.1)).map(|a| a.0).collect()
    }

    /// When attempts at a service failed at their callers, and why.
    pub fn failures_at(&self, service: &str) -> Vec<(u64, Cause)> {
        let to = |site: u16| self.is(self.topology.sites[usize::from(site)].callee, service);
        self.failures.iter().filter(|a| to(a.1)).map(|a| (a.0, a.2)).collect()
    }

    /// When attempts got a thread of a service, and how long they had waited.
    pub fn admitted(&self, service: &str) -> Vec<(u64, u64)> {
        self.admitted.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2)).collect()
    }

    /// When attempts left a service without a reply, and why.
    pub fn turned_away(&self, service: &str) -> Vec<(u64, Cause)> {
        self.turned_away.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2)).collect()
    }

    /// When visits at a service ended, whether well, and whether somebody still waited.
    pub fn responded(&self, service: &str) -> Vec<(u64, bool, bool)> {
        self.responded.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2, a.3)).collect()
    }

    /// When connections of a service were taken (+1) and given back (-1).
    pub fn pool(&self, service: &str) -> Vec<(u64, i32)> {
        self.pool.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2)).collect()
    }

    /// When calls of a service got a connection, and how long they had waited for it.
    pub fn connected(&self, service: &str) -> Vec<(u64, u64)> {
        self.connected.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2)).collect()
    }

    /// Servers or cores in use at `t`, after all that happened then.
    pub fn busy(&self, service: &str, t: u64) -> u32 {
        let last = self.busy.iter().rfind(|a| self.is(a.1, service) && a.0 <= t);
        last.map_or(0, |a| a.2)
    }

    /// Threads held at `t`, after all that happened then.
    /// Thousandths of a core of its host that a service uses at an instant, once all has settled there.
    pub fn on_host(&self, service: &str, t: u64) -> u64 {
        let mut levels = self.on_host.iter().filter(|(at, id, _)| *at <= t && self.is(*id, service));
        levels.next_back().map_or(0, |(.., used)| (used + 500_000) / 1_000_000)
    }

    pub fn held(&self, service: &str, t: u64) -> u32 {
        let last = self.held.iter().rfind(|a| self.is(a.1, service) && a.0 <= t);
        last.map_or(0, |a| a.2)
    }

    /// When keys were looked up at a service, and what came of it.
    pub fn looked_up(&self, service: &str) -> Vec<(u64, Found)> {
        self.looked_up.iter().filter(|a| self.is(a.1.service, service)).map(|a| (a.0, a.1.found)).collect()
    }

    /// Which keys were looked up at a service, by request.
    pub fn keys(&self, service: &str) -> Vec<(Key, u32)> {
        let of = self.looked_up.iter().filter(|a| self.is(a.1.service, service));
        of.map(|a| (a.1.request, a.1.key)).collect()
    }

    /// How many replicas there were from when on.
    pub fn replicas(&self, service: &str) -> Vec<(u64, u64)> {
        let mut replicas: Vec<_> = self.replicas.iter().filter(|a| self.is(a.1, service)).map(|a| (a.0, a.2)).collect();
        replicas.dedup_by_key(|r| r.1);
        replicas
    }
}

impl Probe for Log {
    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {
        self.outcomes.push((now.as_nanos(), outcome.client, outcome.result));
        self.attempts_made.push(outcome.attempts);
        self.started.push(outcome.started.as_nanos());
    }

    fn attempt(&mut self, now: SimTime, attempt: &Attempt) {
        self.attempts.push((now.as_nanos(), attempt.site));
    }

    fn attempt_failed(&mut self, now: SimTime, site: u16, cause: Cause) {
        self.failures.push((now.as_nanos(), site, cause));
    }

    fn admitted(&mut self, now: SimTime, service: u16, waited: SimDuration) {
        self.admitted.push((now.as_nanos(), service, waited.as_nanos()));
    }

    fn turned_away(&mut self, now: SimTime, service: u16, cause: Cause) {
        self.turned_away.push((now.as_nanos(), service, cause));
    }

    fn responded(&mut self, now: SimTime, response: &Response) {
        self.responded.push((now.as_nanos(), response.service, response.ok, response.wanted));
    }

    fn pool(&mut self, now: SimTime, service: u16, _: u16, change: i32) {
        self.pool.push((now.as_nanos(), service, change));
    }

    fn connected(&mut self, now: SimTime, service: u16, _: u16, waited: SimDuration) {
        self.connected.push((now.as_nanos(), service, waited.as_nanos()));
    }

    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        self.busy.push((now.as_nanos(), service, load.busy));
        self.held.push((now.as_nanos(), service, load.held));
    }

    fn capacity(&mut self, now: SimTime, service: u16, capacity: &Capacity) {
        self.replicas.push((now.as_nanos(), service, capacity.replicas));
    }

    fn on_host(&mut self, now: SimTime, service: u16, nanocores: u64) {
        self.on_host.push((now.as_nanos(), service, nanocores));
    }

    fn looked_up(&mut self, now: SimTime, lookup: &LookedUp) {
        self.looked_up.push((now.as_nanos(), *lookup));
    }

    fn demand(&mut self, _: SimTime, service: u16, request: Key, demand: SimDuration) {
        self.demands.push((request, service, demand.as_nanos()));
    }
}

/// What became of every request, by its key.
#[derive(Default, Debug, PartialEq)]
pub struct Outcomes(pub BTreeMap<u64, (SimTime, SimTime, u8, Result<(), Cause>)>);

impl Probe for Outcomes {
    fn outcome(&mut self, now: SimTime, o: &Outcome) {
        let before = self.0.insert(o.request.bits(), (o.started, now, o.attempts, o.result));
        assert_eq!(before, None, "a request is over once");
    }
}

/// Keeps its own books from the facts and compares them with the system's.
///
/// Between two events everything has settled, so the laws are checked when the next event is about
/// to be handled.
pub struct Audit {
    now: SimTime,
    arrived: u64,
    over: u64,
    in_flight: u64,
    /// Integral of requests in flight; end instants minus start instants. Both in nanoseconds.
    area: u128,
    sojourns: i128,
    services: Vec<ServiceAudit>,
}

#[derive(Clone, Default)]
struct ServiceAudit {
    arrived: u64,
    responded: u64,
    turned_away: u64,
    waiting: u32,
    held: u32,
    busy: u32,
    used: Vec<i64>,
    /// Billionths of the cores or servers of a host.
    on_host: u64,
    area: u128,
    sojourns: i128,
}

impl Audit {
    /// Starts with a run that has not begun.
    pub fn of(run: &Run) -> Self {
        let services = run.model.topology().services.iter();
        let services = services.map(|s| ServiceAudit { used: vec![0; s.pools.len()], ..ServiceAudit::default() });
        Self {
            now: SimTime::ZERO,
            arrived: 0,
            over: 0,
            in_flight: 0,
            area: 0,
            sojourns: 0,
            services: services.collect(),
        }
    }

    fn pass(&mut self, now: SimTime) {
        let span = u128::from(now.since(self.now).as_nanos());
        self.now = now;
        self.area += span * u128::from(self.in_flight);
        for s in &mut self.services {
            s.area += span * (u128::from(s.waiting) + u128::from(s.held));
        }
    }

    fn balance(&self) {
        assert_eq!(self.arrived, self.over + self.in_flight, "at {}: requests: arrived = over + in flight", self.now);
        for (id, s) in self.services.iter().enumerate() {
            let present = u64::from(s.waiting) + u64::from(s.held);
            assert_eq!(
                s.arrived,
                s.responded + s.turned_away + present,
                "at {}: service {id}: arrived = responded {} + turned away {} + present {present}",
                self.now,
                s.responded,
                s.turned_away,
            );
        }
    }

    /// The books agree with the system's own counts.
    pub fn check(&self, run: &Run) {
        self.balance();
        let snapshot = run.model.snapshot(run.now());
        let counts = snapshot.counts;
        assert_eq!((self.arrived, self.over), (counts.arrived, counts.done + counts.failed));
        for (service, own) in snapshot.services.iter().zip(&self.services) {
            let name = &service.name;
            assert_eq!((service.waiting, service.held), (own.waiting, own.held), "{name}: waiting, held");
            assert_eq!(service.busy, own.busy, "{name}: busy");
            assert_eq!(service.replicas.iter().map(|r| r.held).sum::<u32>(), own.held, "{name}: held by replicas");
            for (pool, used) in own.used.iter().enumerate() {
                let sum: i64 = service.replicas.iter().map(|r| i64::from(r.pools[pool].used)).sum();
                assert_eq!(sum, *used, "{name}: connections in use");
            }
        }
        self.check_hosts(run, &snapshot);
    }

    /// Machines have the visits at work that their services say they have, and as many cores or servers are in
    /// use as there is work for: none is idle while somebody waits, and none is used twice.
    fn check_hosts(&self, run: &Run, snapshot: &Snapshot) {
        const WHOLE: u64 = 1_000_000_000;
        for (host, spec) in snapshot.hosts.iter().zip(&run.model.topology().hosts) {
            for (member, &service) in spec.services.iter().enumerate() {
                let at_work: u32 = host.machines.iter().map(|m| m.at_work[member]).sum();
                assert_eq!(at_work, snapshot.services[usize::from(service)].busy, "{}: {service}", host.name);
            }
            let used: u64 = spec.services.iter().map(|&s| self.services[usize::from(s)].on_host).sum();
            let at_work = host.machines.iter().map(|m| u64::from(m.at_work.iter().sum::<u32>()));
            let there: u64 = match spec.processor {
                ProcessorSpec::Cores(cores) => at_work.map(|n| n.min(u64::from(cores))).sum(),
                _ => at_work.sum(),
            };
            // Of each service on each machine half a billionth is rounded.
            let rounded = (spec.services.len() * host.machines.len()) as u64;
            assert!(used.abs_diff(there * WHOLE) <= rounded, "{}: {used} for {there} cores", host.name);
            if let ProcessorSpec::Servers(servers) = spec.processor {
                let idle = |m: &&MachineSnapshot| m.ready > 0 && m.at_work.iter().sum::<u32>() < servers;
                assert!(host.machines.iter().find(idle).is_none(), "{}: a server is free: {host:?}", host.name);
            }
        }
    }

    /// Nothing is left: every counter is back at zero, and Little's law holds exactly: the integral
    /// of the number present equals the sum of the times spent, to the nanosecond.
    pub fn check_drained(&self, run: &Run) {
        self.check(run);
        assert_eq!(self.in_flight, 0, "requests in flight");
        assert_eq!(self.area as i128, self.sojourns, "Little's law for requests");
        for (id, s) in self.services.iter().enumerate() {
            assert_eq!((s.waiting, s.held, s.busy), (0, 0, 0), "service {id}: waiting, held, busy");
            assert_eq!(s.area as i128, s.sojourns, "Little's law for service {id}");
        }
        for service in run.model.snapshot(run.now()).services {
            for r in &service.replicas {
                assert!(r.guards.iter().all(|(under_way, _)| *under_way == 0), "{}: {r:?}", service.name);
                let left = (r.waiting, r.held, r.at_work, r.pools.iter().map(|p| p.used + p.waiting).sum::<u32>());
                assert_eq!(left, (0, 0, 0, 0), "{}: {r:?}", service.name);
                assert_eq!(r.state, models::system::ReplicaState::Up, "{}: has drained: {r:?}", service.name);
            }
        }
        for host in run.model.snapshot(run.now()).hosts {
            let is_idle = |m: &MachineSnapshot| m.ready == 0 && m.at_work.iter().all(|n| *n == 0);
            assert!(host.machines.iter().all(is_idle), "{host:?}");
        }
        assert!(self.services.iter().all(|s| s.on_host == 0), "cores are still used");
        for client in run.model.snapshot(run.now()).clients {
            assert_eq!(client.sessions, 0, "{}: sessions are still open", client.name);
        }
        assert_eq!(run.model.state_bytes(), 0, "no call, visit or queue entry is left");
    }

    fn of_service(&mut self, now: SimTime, service: u16) -> &mut ServiceAudit {
        self.pass(now);
        &mut self.services[usize::from(service)]
    }
}

impl Probe for Audit {
    fn event(&mut self, now: SimTime, _: Event) {
        self.balance();
        self.pass(now);
    }

    fn arrival(&mut self, now: SimTime, _: &models::probe::Arrival) {
        self.pass(now);
        self.arrived += 1;
        self.sojourns -= i128::from(now.as_nanos());
    }

    fn outcome(&mut self, now: SimTime, _: &Outcome) {
        self.pass(now);
        self.over += 1;
        self.sojourns += i128::from(now.as_nanos());
    }

    fn in_flight(&mut self, now: SimTime, requests: u64) {
        self.pass(now);
        self.in_flight = requests;
    }

    fn service_arrival(&mut self, now: SimTime, service: u16) {
        let s = self.of_service(now, service);
        s.arrived += 1;
        s.sojourns -= i128::from(now.as_nanos());
    }

    fn responded(&mut self, now: SimTime, response: &Response) {
        let s = self.of_service(now, response.service);
        s.responded += 1;
        s.sojourns += i128::from(now.as_nanos());
    }

    fn turned_away(&mut self, now: SimTime, service: u16, _: Cause) {
        let s = self.of_service(now, service);
        s.turned_away += 1;
        s.sojourns += i128::from(now.as_nanos());
    }

    fn on_host(&mut self, now: SimTime, service: u16, nanocores: u64) {
        self.of_service(now, service).on_host = nanocores;
    }

    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        let s = self.of_service(now, service);
        (s.waiting, s.held, s.busy) = (load.waiting, load.held, load.busy);
    }

    fn pool(&mut self, now: SimTime, service: u16, pool: u16, change: i32) {
        let used = &mut self.of_service(now, service).used[usize::from(pool)];
        *used += i64::from(change);
        assert!(*used >= 0, "a connection is given back that was not in use");
    }
}
