//! The running state of a design: a plain value. Its clone is a fork.
//!
//! ```text
//!  source -> Call ----------- attempt ----------> service: balancer, queue -> thread: Visit
//!            (caller's side:  timeout, retry,                                 (callee's side: program,
//!             connection)     keyed draws                                      processor, own calls)
//!            <---------------- reply ----------------------------------------------
//! ```
//!
//! Within one event, consequences go through a list of things to do, never through recursion: a
//! thread set free first takes the next request, then the reply goes out; a connection set free is
//! first granted, then the caller goes on.

mod admitting;
mod attempt;
mod balancing;
mod caches;
mod call;
mod deadline;
mod faults;
mod fifo;
mod guard;
mod health;
mod hedge;
mod herd;
mod line;
mod machine;
mod patience;
mod processor;
pub mod purpose;
mod quorum;
mod replica;
mod scaling;
mod session;
mod slab;
mod source;
mod urgency;
mod visit;

pub use replica::ReplicaState;

use crate::event::Event;
use crate::intervention::{Act, Timeline};
use crate::probe::{Cause, Load, Probe};
use crate::snapshot::{ClientSnapshot, PoolSnapshot, ReplicaSnapshot, ServiceSnapshot, Snapshot};
use crate::topology::{ProcessorSpec, Topology};
use attempt::{Attempt, Awaited};
use caches::Caches;
use call::{Call, Claim};
use faults::Recurrences;
use hedge::Round;
use herd::Herd;
use line::Line;
use machine::Machines;
use replica::{Replica, ServiceState};
use scaling::Scaling;
use sim_core::agenda::{Agenda, Class};
use sim_core::engine::{Model, Simulation};
use sim_core::random::Key;
use sim_core::time::SimTime;
use slab::Slab;
use source::ClientState;
use std::collections::{BTreeSet, VecDeque};
use std::hint::black_box;
use std::sync::Arc;
use visit::Visit;

/// No call, replica or visit.
const NONE: u32 = u32::MAX;

/// No service.
const NO_SERVICE: u16 = u16::MAX;

/// A design under way.
#[derive(Clone, Debug)]
pub struct System {
    topology: Arc<Topology>,
    timeline: Arc<Timeline>,
    /// Acts of the timeline that have been applied.
    applied: usize,
    limits: Limits,
    /// Events since the state was last held against its limit.
    unchecked: u32,
    state: State,
}

/// Events between two looks at how much state there is; the first is at the first event.
const CHECK_EVERY: u32 = 4096;

/// Visits from which on they are looked ahead for: fewer stay in the caches by themselves.
const MANY: usize = 8192;

/// What a pending event takes in the agenda, with its time and place.
const PENDING_BYTES: u64 = 20;

/// What changes all the time. Its methods see the topology through [`Cx`].
#[derive(Clone, Debug)]
struct State {
    services: Vec<ServiceState>,
    replicas: Vec<Replica>,
    clients: Vec<ClientState>,
    calls: Slab<Call>,
    /// Of calls with extra attempts: those that are wanted at once.
    rounds: Slab<Round>,
    visits: Slab<Visit>,
    caches: Caches,
    machines: Machines,
    recurrences: Recurrences,
    herds: Vec<Herd>,
    todo: Consequences,
    /// A service whose load has changed in the event under way, and has not been told yet; or [`NO_SERVICE`].
    touched: u16,
    /// Places in the queues of all pools, those whose calls have given up included.
    pooled: u64,
    counts: Counts,
    peak_in_flight: u64,
    /// The present instant, and events and consequences within it.
    instant: SimTime,
    consequences: u64,
}

const _: () = {
    const fn forkable<T: Clone + Send + 'static>() {}
    forkable::<System>();
};

/// A run of a design.
pub type Run = Simulation<System, Event>;

/// A consequence within the event under way.
#[derive(Clone, Copy, Debug)]
enum Todo {
    Resume { visit: u32 },
    Dispatch { replica: u32 },
    Grant { replica: u32, pool: u16 },
    Reply { attempt: Attempt, result: Result<(), Cause> },
}

/// Consequences that are still to come, in the order in which they do. There is hardly ever more than one,
/// and that one stands by itself.
#[derive(Clone, Debug, Default)]
struct Consequences {
    next: Option<Todo>,
    rest: VecDeque<Todo>,
}

impl Consequences {
    #[inline]
    fn push_back(&mut self, todo: Todo) {
        match self.next {
            None => self.next = Some(todo),
            Some(_) => self.rest.push_back(todo),
        }
    }

    #[inline]
    fn pop_front(&mut self) -> Option<Todo> {
        let next = self.next?;
        self.next = self.rest.pop_front();
        Some(next)
    }

    /// The visit that goes on next, if that is what comes first.
    #[inline]
    fn pop_resume(&mut self) -> Option<u32> {
        let Some(Todo::Resume { visit }) = self.next else { return None };
        self.next = self.rest.pop_front();
        Some(visit)
    }

    fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    fn clear(&mut self) {
        self.next = None;
        self.rest.clear();
    }
}

/// What everything within one event sees.
struct Cx<'a, P> {
    now: SimTime,
    topology: &'a Topology,
    agenda: &'a mut Agenda<Event>,
    probe: &'a mut P,
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fresh requests of clients.
    pub arrived: u64,
    /// Served.
    pub done: u64,
    /// Finally failed.
    pub failed: u64,
}

impl Counts {
    /// Requests whose outcome is open.
    pub const fn in_flight(&self) -> u64 {
        self.arrived - self.done - self.failed
    }
}

/// How much state a run may hold before it stops with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of calls, visits, queues, users, keys in caches and pending events.
    pub state_bytes: u64,
    /// Events and their consequences within one instant, counted anew at the next: by this an endless
    /// loop at one instant is found, whether within an event or through the agenda.
    pub consequences: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { state_bytes: 8 << 30, consequences: 1 << 30 }
    }
}

/// A limit of the simulator that was hit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Too much state.
    #[error(
        "at {at} the run holds {in_flight} requests in flight and {waiting} attempts in queues, more than its limit of {} MB",
        limit_bytes / 1_000_000
    )]
    State {
        /// When.
        at: SimTime,
        /// Requests in flight.
        in_flight: u64,
        /// Attempts in queues.
        waiting: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Time stands still.
    #[error("at {at} more than {limit} things happen at one instant: time no longer advances")]
    Instant {
        /// When.
        at: SimTime,
        /// The limit.
        limit: u64,
    },
}

impl System {
    /// A run at time zero. Equal arguments give equal runs, bit for bit.
    ///
    /// # Panics
    /// If the topology's balancers do not start; [`crate::check::check`] has made sure that they do.
    pub fn run(topology: Arc<Topology>, timeline: Arc<Timeline>, seed: u64, replication: u64, limits: Limits) -> Run {
        let root = Key::root(seed, replication);
        let services = topology.services.iter().map(|spec| ServiceState {
            up: Vec::new(),
            desired: spec.replicas,
            balancer: spec.balancer.start().expect("a checked balancer starts"),
            queue: Line::new(),
            cancelled: BTreeSet::new(),
            load: Load::default(),
            offered: 0,
            admission: spec.admission.start(),
            scaling: Scaling::new(root, spec),
            health: spec.health.as_ref().map(|_| Box::default()),
        });
        let mut state = State {
            services: services.collect(),
            replicas: Vec::new(),
            clients: topology.clients.iter().map(|spec| ClientState::new(root, spec)).collect(),
            calls: Slab::new(),
            rounds: Slab::new(),
            visits: Slab::new(),
            caches: Caches::new(&topology),
            machines: Machines::new(&topology),
            recurrences: Recurrences::new(root, &topology),
            herds: Vec::new(),
            todo: Consequences::default(),
            touched: NO_SERVICE,
            pooled: 0,
            counts: Counts::default(),
            peak_in_flight: 0,
            instant: SimTime::ZERO,
            consequences: 0,
        };
        let mut agenda = Agenda::new();
        let mut cx = Cx { now: SimTime::ZERO, topology: &topology, agenda: &mut agenda, probe: &mut () };
        for service in 0..state.services.len() as u16 {
            state.scale(&mut cx, service, state.services[usize::from(service)].desired);
        }
        state.todo.clear();
        state.warm_caches(&topology, root);
        state.start_sources(&mut cx);
        state.start_scalers(&mut cx);
        state.expect_common_faults(&mut cx);
        let system = Self { topology, timeline, applied: 0, limits, unchecked: CHECK_EVERY - 1, state };
        system.schedule_act(SimTime::ZERO, &mut agenda);
        Simulation::new(system, agenda)
    }

    /// The design it runs, as it is now.
    pub const fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Requests by what became of them.
    pub const fn counts(&self) -> Counts {
        self.state.counts
    }

    /// The most requests that were in flight at once.
    pub const fn peak_in_flight(&self) -> u64 {
        self.state.peak_in_flight
    }

    /// Acts of the timeline that have been applied.
    pub const fn applied(&self) -> usize {
        self.applied
    }

    /// Bytes that calls, visits, queues and fetches for caches take, without slack. Clients, the keys that caches
    /// hold and pending events come on top.
    pub fn state_bytes(&self) -> u64 {
        // What was cancelled takes its place in the queue until its turn comes.
        let places = |s: &ServiceState| u64::from(s.load.waiting) + s.cancelled.len() as u64;
        let waiting: u64 = self.state.services.iter().map(places).sum();
        self.state.calls.len() as u64 * size_of::<Call>() as u64
            + self.state.rounds.len() as u64 * size_of::<Round>() as u64
            + self.state.visits.len() as u64 * size_of::<Visit>() as u64
            + waiting * size_of::<Attempt>() as u64
            + self.state.pooled * size_of::<Claim>() as u64
            + self.state.caches.fetch_bytes()
    }

    /// Lets a probe that joins now know the levels.
    pub fn attach<P: Probe>(&self, now: SimTime, probe: &mut P) {
        for (id, service) in self.state.services.iter().enumerate() {
            let id = id as u16;
            probe.capacity(now, id, &self.state.capacity(&self.topology, id));
            probe.load(now, id, service.load);
        }
        self.state.machines.tell_all(&self.topology, now, probe);
        for replica in self.state.replicas.iter().filter(|r| r.state != ReplicaState::Gone) {
            for (pool, state) in replica.pools.iter().enumerate() {
                probe.pool(now, replica.service, pool as u16, state.used as i32);
            }
        }
        probe.in_flight(now, self.state.counts.in_flight());
    }

    /// The state for a reader, such as a display.
    pub fn snapshot(&self, now: SimTime) -> Snapshot {
        let service = |(id, spec): (usize, &crate::topology::ServiceSpec)| {
            let state = &self.state.services[id];
            let replicas = self.state.replicas.iter().enumerate();
            let replicas = replicas.filter(|(_, r)| usize::from(r.service) == id && r.state != ReplicaState::Gone);
            ServiceSnapshot {
                name: spec.name.clone(),
                waiting: state.load.waiting,
                held: state.load.held,
                busy: state.load.busy,
                capacity: self.state.capacity(&self.topology, id as u16),
                keys: self.state.caches.held_in_common(id as u16),
                replicas: replicas
                    .map(|(replica, r)| ReplicaSnapshot {
                        ordinal: r.ordinal,
                        state: r.state,
                        waiting: r.waiting,
                        held: r.held,
                        at_work: r.processor.at_work(),
                        keys: self.state.caches.held_by(replica as u32),
                        pools: r
                            .pools
                            .iter()
                            .zip(&spec.pools)
                            .map(|(pool, size)| PoolSnapshot {
                                callee: size.callee,
                                size: size.size,
                                used: pool.used,
                                waiting: pool.waiting,
                            })
                            .collect(),
                        guards: r.guards.iter().map(|g| (g.under_way(), g.is_open(now))).collect(),
                    })
                    .collect(),
            }
        };
        let client = |(spec, state): (&crate::topology::ClientSpec, &ClientState)| ClientSnapshot {
            name: spec.name.clone(),
            sessions: state.sessions.open() as u64,
        };
        Snapshot {
            at: now,
            counts: self.state.counts,
            services: self.topology.services.iter().enumerate().map(service).collect(),
            hosts: self.state.machines.snapshot(&self.topology),
            clients: self.topology.clients.iter().zip(&self.state.clients).map(client).collect(),
        }
    }

    /// Puts another timeline in place of the present one, from the first act that has not been applied.
    /// An act whose instant has passed applies at the next.
    pub fn set_timeline(run: &mut Run, timeline: Arc<Timeline>) {
        // Before its first event even the instant zero has not begun.
        let first = if run.events() == 0 { run.now() } else { run.next_instant() };
        let system = &mut run.model;
        system.timeline = timeline;
        if let Some((at, _)) = system.timeline.acts().get(system.applied) {
            let at = (*at).max(first);
            run.agenda.schedule(at, Class::Intervention, Event::Intervention);
        }
    }

    fn schedule_act(&self, now: SimTime, agenda: &mut Agenda<Event>) {
        if let Some((at, _)) = self.timeline.acts().get(self.applied) {
            agenda.schedule((*at).max(now), Class::Intervention, Event::Intervention);
        }
    }

    /// Applies all acts that are due.
    fn intervene<P: Probe>(
        &mut self,
        now: SimTime,
        agenda: &mut Agenda<Event>,
        probe: &mut P,
    ) -> Result<(), LimitError> {
        let timeline = self.timeline.clone();
        let before = self.applied;
        while let Some((at, act)) = timeline.acts().get(self.applied)
            && *at <= now
        {
            self.applied += 1;
            probe.intervened(now, act);
            let old = self.topology.clone();
            if let Act::Adopt { topology } = act {
                if let Some(why) = old.refuses(topology) {
                    panic!("{why}; timelines are checked before a run");
                }
                self.topology = topology.clone();
            }
            let mut cx = Cx { now, topology: &self.topology, agenda, probe };
            match act {
                Act::Scale { service, to } => self.state.scale(&mut cx, *service, *to),
                Act::Adopt { .. } => self.state.adopt(&mut cx, &old),
                act => _ = self.state.go_wrong(&mut cx, act, None),
            }
            self.state.settle(&mut cx, self.limits.consequences)?;
        }
        if self.applied > before {
            self.schedule_act(now, agenda);
        }
        Ok(())
    }

    fn check_state(&self, now: SimTime, agenda: &Agenda<Event>) -> Result<(), LimitError> {
        // Without slack: a fork has less of it, and must stop at the same event.
        let clients: u64 = self.state.clients.iter().map(ClientState::bytes).sum();
        let clients = clients + self.state.herds.iter().map(Herd::bytes).sum::<u64>();
        let pending = agenda.len() as u64 * PENDING_BYTES;
        let keys = self.state.caches.key_bytes();
        if self.state_bytes() + clients + keys + pending > self.limits.state_bytes {
            return Err(LimitError::State {
                at: now,
                in_flight: self.state.counts.in_flight(),
                waiting: self.state.services.iter().map(|s| u64::from(s.load.waiting)).sum(),
                limit_bytes: self.limits.state_bytes,
            });
        }
        Ok(())
    }
}

impl State {
    /// Takes over the numbers of a topology with the same elements as the old one, but for how many
    /// replicas there are: that is [`Act::Scale`].
    fn adopt<P: Probe>(&mut self, cx: &mut Cx<'_, P>, old: &Topology) {
        // What has been attained so far was attained at the old pace.
        self.machines.settle(cx.now);
        for replica in &mut self.replicas {
            replica.processor.settle(cx.now, &old.services[usize::from(replica.service)].processor);
        }
        for (id, spec) in cx.topology.services.iter().enumerate() {
            let before = &old.services[id];
            if before.admission != spec.admission {
                self.services[id].admission = spec.admission.start();
                let own = self.replicas.iter_mut().filter(|r| usize::from(r.service) == id);
                own.for_each(|replica| replica.admission = spec.admission.start());
            }
            if before.balancer != spec.balancer {
                self.services[id].balancer = spec.balancer.start().expect("a checked balancer starts");
                self.begin_balancing(cx, id as u16);
            }
            if before.health != spec.health {
                self.look_at_health(cx, id as u16);
            }
            if before.order != spec.order {
                self.reorder(id, spec.order);
            }
        }
        for id in 0..self.replicas.len() as u32 {
            let replica = &self.replicas[id as usize];
            if replica.state == ReplicaState::Gone {
                continue;
            }
            let (service, pools) = (replica.service, replica.pools.len() as u16);
            let spec = &cx.topology.services[usize::from(service)];
            self.replicas[id as usize].set_speed(spec);
            let replica = &self.replicas[id as usize];
            let before = replica.processor.busy(&old.services[usize::from(service)].processor);
            let after = replica.processor.busy(&spec.processor);
            let host = self.host(cx.topology, id);
            self.set_busy(cx, host, after as i32 - before as i32);
            if !matches!(spec.processor, ProcessorSpec::Servers(_)) {
                self.replicas[id as usize].processor.forget_tick();
                self.tick_later(cx, id);
            }
            self.start_ready(cx, host);
            self.todo.push_back(Todo::Dispatch { replica: id });
            (0..pools).for_each(|pool| self.todo.push_back(Todo::Grant { replica: id, pool }));
        }
        self.adopt_hosts(cx);
        for id in 0..self.services.len() as u16 {
            self.tell_capacity(cx, id);
        }
        self.adopt_caches(cx.topology);
        for client in 0..self.clients.len() as u16 {
            self.restart_arrivals(cx, client, old);
        }
    }

    /// With many requests in flight what an event is about is no longer in the processor's caches. Whoever
    /// comes soon is touched beforehand, one step further at a time: visit, call, caller's visit, its call.
    /// It changes nothing but the time that is waited for memory.
    #[inline(always)]
    fn look_ahead(&self, agenda: &Agenda<Event>) {
        if self.visits.slots().len() < MANY {
            return;
        }
        let visit = |others: usize| match agenda.upcoming(others) {
            Some(Event::StepEnd { visit }) => self.visits.slots().get(visit as usize),
            _ => None,
        };
        let call = |visit: &Visit| match visit.attempt.awaited() {
            Awaited::Call => self.calls.slots().get(visit.attempt.by as usize),
            _ => None,
        };
        let caller = |visit: &Visit| match visit.attempt.awaited() {
            Awaited::Visit => self.visits.slots().get(visit.attempt.by as usize),
            _ => call(visit).and_then(|call| self.visits.slots().get(call.caller as usize)),
        };
        black_box(visit(8).map(|v| v.doing));
        black_box(visit(6).and_then(call).map(|c| c.key));
        black_box(visit(4).and_then(caller).map(|v| v.doing));
        black_box(visit(2).and_then(caller).and_then(call).map(|c| c.key));
    }

    /// Follows up everything the event has caused.
    #[inline(always)]
    fn settle<P: Probe>(&mut self, cx: &mut Cx<'_, P>, limit: u64) -> Result<(), LimitError> {
        if self.instant != cx.now {
            (self.instant, self.consequences) = (cx.now, 0);
        }
        // The event itself counts too: a loop at one instant may go through the agenda.
        self.consequences += 1;
        if !self.todo.is_empty() || self.consequences > limit {
            self.follow_up(cx, limit)?;
        }
        if self.touched != NO_SERVICE {
            let service = std::mem::replace(&mut self.touched, NO_SERVICE);
            self.tell_load(cx, service);
        }
        Ok(())
    }

    /// Tells the probe, and the scaler, the load of a service.
    #[inline]
    fn tell_load<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let state = &mut self.services[usize::from(service)];
        if let Some(meter) = &mut state.scaling.meter {
            meter.load(cx.now, state.load);
        }
        cx.probe.load(cx.now, service, state.load);
    }

    /// The load of a service has changed: it is told once the event is over.
    #[inline(always)]
    fn touch<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        if self.touched != service {
            let before = std::mem::replace(&mut self.touched, service);
            if before != NO_SERVICE {
                self.tell_load(cx, before);
            }
        }
    }

    #[inline]
    fn follow_up<P: Probe>(&mut self, cx: &mut Cx<'_, P>, limit: u64) -> Result<(), LimitError> {
        loop {
            if self.consequences > limit {
                return Err(LimitError::Instant { at: cx.now, limit });
            }
            match self.todo.pop_front() {
                Some(Todo::Resume { visit }) => self.resume(cx, visit),
                Some(Todo::Dispatch { replica }) => self.dispatch(cx, self.host(cx.topology, replica)),
                Some(Todo::Grant { replica, pool }) => self.grant(cx, replica, pool),
                Some(Todo::Reply { attempt, result }) => self.reply(cx, &attempt, result),
                None => return Ok(()),
            }
            self.consequences += 1;
        }
    }
}

impl<P: Probe> Model<P> for System {
    type Event = Event;
    type Error = LimitError;

    #[inline(always)]
    fn handle(
        &mut self,
        now: SimTime,
        event: Event,
        agenda: &mut Agenda<Event>,
        probe: &mut P,
    ) -> Result<(), LimitError> {
        probe.event(now, event);
        self.state.look_ahead(agenda);
        let Self { topology, state, .. } = self;
        let cx = &mut Cx { now, topology, agenda, probe };
        match event {
            Event::Intervention => return self.intervene(now, agenda, probe),
            Event::Arrival { client } => state.arrival(cx, client as u16),
            Event::Thought { client, user } => state.thought(cx, client, user),
            Event::StepEnd { visit } => state.step_end(cx, visit),
            Event::ProcessorTick { replica } => state.processor_tick(cx, replica),
            Event::CallTimer { call } => state.call_timer(cx, call),
            Event::Ready { replica } => state.ready(cx, replica),
            Event::Restart { service } => state.restart(cx, service as u16),
            Event::Return { herd } => state.come_back(cx, herd),
            Event::Recover { replica } => state.recover(cx, replica),
            Event::Recur { fault, ordinal } => state.recur(cx, fault, ordinal),
            Event::Scaler { service } => state.look(cx, service as u16),
            Event::MachineTick { machine } => state.machine_tick(cx, machine),
            Event::Balancer { service } => state.balance(cx, service as u16),
            Event::Drained { replica } => state.drained(cx, replica),
        }
        state.settle(cx, self.limits.consequences)?;
        self.unchecked += 1;
        if self.unchecked == CHECK_EVERY {
            self.unchecked = 0;
            self.check_state(now, agenda)?;
        }
        Ok(())
    }
}
