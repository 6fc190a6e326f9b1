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

mod call;
mod fifo;
mod processor;
pub mod purpose;
mod replica;
mod slab;
mod source;
mod visit;

pub use replica::ReplicaState;

use crate::event::Event;
use crate::intervention::{Act, Timeline};
use crate::probe::{Cause, Probe};
use crate::snapshot::{PoolSnapshot, ReplicaSnapshot, ServiceSnapshot, Snapshot};
use crate::topology::{ProcessorSpec, Topology};
use call::{Call, Ticket};
use fifo::Fifo;
use replica::{Replica, ServiceState};
use sim_core::agenda::{Agenda, Class};
use sim_core::engine::{Model, Simulation};
use sim_core::random::Key;
use sim_core::time::SimTime;
use slab::Slab;
use source::ClientState;
use std::collections::VecDeque;
use std::sync::Arc;
use visit::Visit;

/// No call, replica or visit.
const NONE: u32 = u32::MAX;

/// A design under way.
#[derive(Clone, Debug)]
pub struct System {
    topology: Arc<Topology>,
    timeline: Arc<Timeline>,
    /// Acts of the timeline that have been applied.
    applied: usize,
    services: Vec<ServiceState>,
    replicas: Vec<Replica>,
    clients: Vec<ClientState>,
    calls: Slab<Call>,
    visits: Slab<Visit>,
    todo: VecDeque<Todo>,
    counts: Counts,
    peak_in_flight: u64,
    limits: Limits,
}

const _: () = {
    const fn forkable<T: Clone + Send + 'static>() {}
    forkable::<System>();
};

/// A run of a design.
pub type Run = Simulation<System, Event>;

/// An attempt in a queue. Nothing else stands for it there, so an attempt that was given up costs no
/// more than this.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    key: Key,
    request: Key,
    arrived: SimTime,
    call: u32,
    site: u16,
    attempt: u8,
}

const _: () = assert!(size_of::<Waiting>() <= 32, "queues of a collapsed night hold millions of these");

impl Waiting {
    fn ticket(&self) -> Ticket {
        Ticket { key: self.key, call: self.call, attempt: self.attempt }
    }
}

/// A consequence within the event under way.
#[derive(Clone, Copy, Debug)]
enum Todo {
    Resume { visit: u32 },
    Dispatch { replica: u32 },
    Grant { replica: u32, pool: u16 },
    Reply { ticket: Ticket, result: Result<(), Cause> },
}

/// What everything within one event sees.
struct Cx<'a, P> {
    now: SimTime,
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
    /// Bytes of calls, visits and queues.
    pub state_bytes: u64,
    /// Events within one instant, by which an endless loop at one instant is found.
    pub consequences: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { state_bytes: 8 << 30, consequences: 1 << 32 }
    }
}

/// A limit of the simulator that was hit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Too much state.
    #[error(
        "at {at} the run holds {in_flight} requests in flight and {waiting} attempts in queues, more than its limit of {limit_bytes} bytes"
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
    #[error("at {at} one event has more than {limit} consequences: time no longer advances")]
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
            queue: Fifo::new(),
            waiting: 0,
            held: 0,
            busy: 0,
        });
        let mut system = Self {
            services: services.collect(),
            replicas: Vec::new(),
            clients: topology.clients.iter().map(|spec| ClientState::new(root, spec)).collect(),
            calls: Slab::new(),
            visits: Slab::new(),
            todo: VecDeque::new(),
            counts: Counts::default(),
            peak_in_flight: 0,
            limits,
            applied: 0,
            timeline,
            topology,
        };
        let mut agenda = Agenda::new();
        let mut cx = Cx { now: SimTime::ZERO, agenda: &mut agenda, probe: &mut () };
        for service in 0..system.services.len() as u16 {
            system.scale(&mut cx, service, system.services[usize::from(service)].desired);
        }
        system.todo.clear();
        system.start_sources(&mut cx);
        system.schedule_act(&mut cx);
        Simulation::new(system, agenda)
    }

    /// The design it runs, as it is now.
    pub const fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Requests by what became of them.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The most requests that were in flight at once.
    pub const fn peak_in_flight(&self) -> u64 {
        self.peak_in_flight
    }

    /// Acts of the timeline that have been applied.
    pub const fn applied(&self) -> usize {
        self.applied
    }

    /// Bytes that calls, visits and queues take, without slack.
    pub fn state_bytes(&self) -> u64 {
        let waiting: u64 = self.services.iter().map(|s| u64::from(s.waiting)).sum();
        self.calls.len() as u64 * size_of::<Call>() as u64
            + self.visits.len() as u64 * size_of::<Visit>() as u64
            + waiting * size_of::<Waiting>() as u64
    }

    /// Lets a probe that joins now know the levels.
    pub fn attach<P: Probe>(&self, now: SimTime, probe: &mut P) {
        for (id, service) in self.services.iter().enumerate() {
            let id = id as u16;
            probe.capacity(now, id, &self.capacity(id));
            probe.waiting(now, id, service.waiting);
            probe.held(now, id, service.held);
            probe.busy(now, id, service.busy);
        }
        for replica in self.replicas.iter().filter(|r| r.state != ReplicaState::Gone) {
            for (pool, state) in replica.pools.iter().enumerate() {
                probe.pool(now, replica.service, pool as u16, state.used as i32);
            }
        }
        probe.in_flight(now, self.counts.in_flight());
    }

    /// The state for a reader, such as a display.
    pub fn snapshot(&self, now: SimTime) -> Snapshot {
        let service = |(id, spec): (usize, &crate::topology::ServiceSpec)| {
            let state = &self.services[id];
            let replicas =
                self.replicas.iter().filter(|r| usize::from(r.service) == id && r.state != ReplicaState::Gone);
            ServiceSnapshot {
                name: spec.name.clone(),
                waiting: state.waiting,
                held: state.held,
                busy: state.busy,
                capacity: self.capacity(id as u16),
                replicas: replicas
                    .map(|r| ReplicaSnapshot {
                        ordinal: r.ordinal,
                        state: r.state,
                        waiting: r.waiting,
                        held: r.held,
                        at_work: r.processor.at_work(),
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
                    })
                    .collect(),
            }
        };
        Snapshot {
            at: now,
            counts: self.counts,
            services: self.topology.services.iter().enumerate().map(service).collect(),
        }
    }

    /// Puts another timeline in place of the present one, from the first act that has not been applied.
    /// An act whose instant has passed applies at the next.
    pub fn set_timeline(run: &mut Run, timeline: Arc<Timeline>) {
        let (now, next) = (run.now(), run.next_instant());
        let system = &mut run.model;
        system.timeline = timeline;
        if let Some((at, _)) = system.timeline.acts().get(system.applied) {
            let at = if *at > now { *at } else { next };
            run.agenda.schedule(at, Class::Intervention, Event::Intervention);
        }
    }

    fn schedule_act<P: Probe>(&self, cx: &mut Cx<'_, P>) {
        if let Some((at, _)) = self.timeline.acts().get(self.applied) {
            cx.agenda.schedule((*at).max(cx.now), Class::Intervention, Event::Intervention);
        }
    }

    /// Applies all acts that are due.
    fn intervene<P: Probe>(&mut self, cx: &mut Cx<'_, P>) {
        let timeline = self.timeline.clone();
        let before = self.applied;
        while let Some((at, act)) = timeline.acts().get(self.applied)
            && *at <= cx.now
        {
            self.applied += 1;
            cx.probe.intervened(cx.now, act);
            match act {
                Act::Scale { service, to } => self.scale(cx, *service, *to),
                Act::Kill { service, replicas, refuse } => {
                    for ordinal in replicas {
                        self.kill(cx, *service, *ordinal, *refuse);
                    }
                }
                Act::Adopt { topology } => self.adopt(cx, topology),
            }
        }
        if self.applied > before {
            self.schedule_act(cx);
        }
    }

    /// Takes over the numbers of a topology with the same elements.
    fn adopt<P: Probe>(&mut self, cx: &mut Cx<'_, P>, topology: &Arc<Topology>) {
        if let Some(why) = self.topology.refuses(topology) {
            panic!("{why}; timelines are checked before a run");
        }
        // What has been attained so far was attained at the old pace.
        for replica in &mut self.replicas {
            replica.processor.settle(cx.now, &self.topology.services[usize::from(replica.service)].processor);
        }
        let old = std::mem::replace(&mut self.topology, topology.clone());
        for (id, spec) in topology.services.iter().enumerate() {
            let before = &old.services[id];
            if before.balancer != spec.balancer {
                self.services[id].balancer = spec.balancer.start().expect("a checked balancer starts");
            }
            if before.replicas != spec.replicas {
                self.scale(cx, id as u16, spec.replicas);
            }
        }
        for id in 0..self.replicas.len() as u32 {
            let replica = &self.replicas[id as usize];
            if replica.state == ReplicaState::Gone {
                continue;
            }
            let (service, pools) = (replica.service, replica.pools.len() as u16);
            let spec = &topology.services[usize::from(service)];
            let before = replica.processor.busy(&old.services[usize::from(service)].processor);
            let after = replica.processor.busy(&spec.processor);
            self.set_busy(cx, id, after as i32 - before as i32);
            if !matches!(spec.processor, ProcessorSpec::Servers(_)) {
                self.replicas[id as usize].processor.forget_tick();
                self.tick_later(cx, id);
            }
            self.start_ready(cx, id);
            self.todo.push_back(Todo::Dispatch { replica: id });
            (0..pools).for_each(|pool| self.todo.push_back(Todo::Grant { replica: id, pool }));
        }
        for id in 0..self.services.len() as u16 {
            self.tell_capacity(cx, id);
        }
        for client in 0..self.clients.len() as u16 {
            if matches!(topology.clients[usize::from(client)].arrivals, crate::topology::ArrivalSpec::Poisson(_)) {
                // Memoryless: from here on the process starts anew at its present rate.
                self.schedule_arrival(cx, client);
            }
        }
    }

    /// Follows up everything the event has caused.
    fn settle<P: Probe>(&mut self, cx: &mut Cx<'_, P>) -> Result<(), LimitError> {
        let mut consequences = 0_u64;
        while let Some(todo) = self.todo.pop_front() {
            match todo {
                Todo::Resume { visit } => self.resume(cx, visit),
                Todo::Dispatch { replica } => self.dispatch(cx, replica),
                Todo::Grant { replica, pool } => self.grant(cx, replica, pool),
                Todo::Reply { ticket, result } => self.reply(cx, ticket, result),
            }
            consequences += 1;
            if consequences > self.limits.consequences {
                return Err(LimitError::Instant { at: cx.now, limit: self.limits.consequences });
            }
        }
        Ok(())
    }

    fn check_state(&self, now: SimTime) -> Result<(), LimitError> {
        if self.state_bytes() > self.limits.state_bytes {
            return Err(LimitError::State {
                at: now,
                in_flight: self.counts.in_flight(),
                waiting: self.services.iter().map(|s| u64::from(s.waiting)).sum(),
                limit_bytes: self.limits.state_bytes,
            });
        }
        Ok(())
    }
}

impl<P: Probe> Model<P> for System {
    type Event = Event;
    type Error = LimitError;

    fn handle(
        &mut self,
        now: SimTime,
        event: Event,
        agenda: &mut Agenda<Event>,
        probe: &mut P,
    ) -> Result<(), LimitError> {
        probe.event(now, event);
        let mut cx = Cx { now, agenda, probe };
        let cx = &mut cx;
        match event {
            Event::Intervention => self.intervene(cx),
            Event::Arrival { client } => self.arrival(cx, client as u16),
            Event::Thought { client, user } => self.thought(cx, client, user),
            Event::StepEnd { visit } => self.step_end(cx, visit),
            Event::ProcessorTick { replica } => self.processor_tick(cx, replica),
            Event::CallTimer { call } => self.call_timer(cx, call),
        }
        self.settle(cx)?;
        if self.counts.arrived & 0xfff == 0 {
            self.check_state(now)?;
        }
        Ok(())
    }
}
