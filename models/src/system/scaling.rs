//! How many replicas a service has: what is decided, what starts, what is ready.
//!
//! ```text
//!  desired > there --start--> Starting --ready--> Up --crash--> Gone --restart--> Starting
//!  desired < there --> those that start first, then the last that are up: Draining --> Gone
//! ```

use super::replica::Replica;
use super::{Cx, ReplicaState, State, purpose};
use crate::event::Event;
use crate::policy::balancer::Member;
use crate::policy::scaler::{Observed, Sample, ScalerState};
use crate::policy::start::MachinesState;
use crate::probe::{Load, Probe};
use crate::topology::{ServiceSpec, StartSpec, Topology};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::stats::TimeWeighted;
use sim_core::time::{SimDuration, SimTime};

/// What a service remembers of the replicas that are to come.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    /// Names the draws of start-up times.
    pub(super) key: Key,
    /// Replicas started so far.
    started: u64,
    /// Those that start, by ordinal.
    starting: Vec<Member>,
    machines: MachinesState,
    /// Measures for the scaler, if there is one.
    pub(super) meter: Option<Meter>,
}

/// What a scaler is told.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    scaler: ScalerState,
    busy: TimeWeighted,
    /// Requests offered up to the last look.
    offered: u64,
    looked: SimTime,
}

impl Meter {
    /// The load has changed.
    pub(super) fn load(&mut self, now: SimTime, load: Load) {
        self.busy.set(now, u64::from(load.busy));
    }
}

impl Scaling {
    pub(super) fn new(root: Key, spec: &ServiceSpec) -> Self {
        let meter = || Meter {
            scaler: ScalerState::default(),
            busy: TimeWeighted::new(SimTime::ZERO, 0),
            offered: 0,
            looked: SimTime::ZERO,
        };
        Self {
            key: root.named("service").named(&spec.name),
            started: 0,
            starting: Vec::new(),
            machines: MachinesState::default(),
            meter: spec.scaler.as_ref().map(|_| meter()),
        }
    }

    /// How many replicas start.
    pub(super) fn starting(&self) -> u64 {
        self.starting.len() as u64
    }
}

impl Replica {
    /// How many times longer work takes here at present.
    #[cold]
    pub(super) fn slowdown(&mut self, now: SimTime, start: &StartSpec) -> f64 {
        let age = now.since(self.up_since);
        match &start.cold {
            Some(cold) if self.cold && !cold.has_faded(age) => self.slowness * cold.slowdown(age),
            _ => {
                self.cold = false;
                self.uneven = self.slowness != 1.0 || self.ailments.is_some();
                self.slowness
            }
        }
    }

    /// Takes over how fast it works.
    pub(super) fn set_speed(&mut self, spec: &ServiceSpec) {
        let slowness = spec.slowness.get(self.ordinal as usize % spec.slowness.len().max(1));
        let factor = self.ailments.as_ref().map_or(1.0, |ailments| ailments.factor());
        self.slowness = slowness.copied().unwrap_or(1.0) * factor;
        self.uneven = self.cold || self.slowness != 1.0 || self.ailments.is_some();
    }
}

impl State {
    /// Makes `desired` replicas of those that are up or start: starts the missing, drains the last.
    pub(super) fn scale<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, desired: u32) {
        let id = usize::from(service);
        self.services[id].desired = desired;
        cx.probe.desired(cx.now, service, desired);
        while self.there(service) < desired {
            self.start_replica(cx, service);
        }
        while self.there(service) > desired {
            if let Some(last) = self.services[id].scaling.starting.pop() {
                self.replicas[last.id as usize].state = ReplicaState::Gone;
                continue;
            }
            let last = self.services[id].up.pop().expect("there is one more than desired");
            self.replicas[last.id as usize].state = ReplicaState::Draining;
            self.health_left(cx.topology, service, last.ordinal);
            self.retire_if_empty(cx, last.id);
            self.drain_for_so_long(cx, last.id);
        }
        self.health_keep(cx.topology, service);
        if let Some(machines) = &cx.topology.services[id].start.machines {
            machines.place(&mut self.services[id].scaling.machines, cx.now, desired);
        }
        self.tell_capacity(cx, service);
    }

    /// Replicas that are up or start.
    fn there(&self, service: u16) -> u32 {
        let service = &self.services[usize::from(service)];
        (service.up.len() + service.scaling.starting.len()) as u32
    }

    /// Starts a replica with the lowest ordinal that is free. What is there from the beginning is up at once.
    fn start_replica<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let there = self.there(service);
        let spec = &cx.topology.services[usize::from(service)];
        let state = &mut self.services[usize::from(service)];
        let taken = |ordinal: &u32| {
            let has = |members: &[Member]| members.binary_search_by_key(ordinal, |m| m.ordinal).is_ok();
            has(&state.up) || has(&state.scaling.starting)
        };
        let ordinal = (0..=there).find(|ordinal| !taken(ordinal)).expect("one more than there are is free");
        let mut ready = cx.now;
        if let Some(machines) = &spec.start.machines {
            ready = machines.place(&mut state.scaling.machines, cx.now, there + 1);
        }
        let late = cx.now > SimTime::ZERO;
        if let (true, Some(takes)) = (late, &spec.start.takes) {
            let draw = state.scaling.key.index(state.scaling.started).index(purpose::START);
            ready = ready.saturating_add(takes.sample(&mut draw.rng()));
        }
        state.scaling.started += 1;
        let mut replica = Replica::new(service, ordinal, spec, late);
        replica.up_since = ready;
        let gone =
            self.replicas.iter().position(|r| r.state == ReplicaState::Gone && r.outstanding() == 0 && !r.believed);
        let id = match gone {
            Some(slot) => {
                self.replicas[slot] = replica;
                slot
            }
            None => {
                self.replicas.push(replica);
                self.replicas.len() - 1
            }
        };
        self.caches.start(id as u32, spec, ready);
        self.expect_faults(cx, service, ordinal);
        let starting = &mut self.services[usize::from(service)].scaling.starting;
        let position = starting.partition_point(|m| m.ordinal < ordinal);
        starting.insert(position, Member { ordinal, id: id as u32 });
        if ready > cx.now {
            cx.agenda.schedule(ready, Class::Ordinary, Event::Ready { replica: id as u32 });
        } else {
            self.take_up(cx, id as u32);
        }
    }

    /// A replica drains, but not for ever.
    fn drain_for_so_long<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let replica = &mut self.replicas[id as usize];
        let limit = cx.topology.services[usize::from(replica.service)].drain;
        if let (ReplicaState::Draining, Some(limit)) = (replica.state, limit) {
            replica.drains = cx.now.saturating_add(limit);
            cx.agenda.schedule(replica.drains, Class::Late, Event::Drained { replica: id });
        }
    }

    /// The time to drain is over: what has not ended is lost, and callers learn of it at once.
    #[cold]
    pub(super) fn drained<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let replica = &self.replicas[id as usize];
        if replica.state == ReplicaState::Draining && replica.drains == cx.now {
            self.crash(cx, id, true);
        }
    }

    /// A replica takes requests from now on.
    fn take_up<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let replica = &mut self.replicas[id as usize];
        replica.state = ReplicaState::Up;
        let (ordinal, of) = (replica.ordinal, replica.service);
        let service = &mut self.services[usize::from(of)];
        service.scaling.starting.retain(|m| m.id != id);
        let position = service.up.partition_point(|m| m.ordinal < ordinal);
        service.up.insert(position, Member { ordinal, id });
        service.balancer.joined(Member { ordinal, id });
        self.health_joined(cx, of, Member { ordinal, id });
        self.todo.push_back(super::Todo::Dispatch { replica: id });
    }

    /// A replica has started.
    #[cold]
    pub(super) fn ready<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let replica = &self.replicas[id as usize];
        if replica.state == ReplicaState::Starting && replica.up_since == cx.now {
            let service = replica.service;
            self.take_up(cx, id);
            self.tell_capacity(cx, service);
        }
    }

    /// A crashed replica is replaced after a while, if that is how the service starts.
    pub(super) fn restart_later<P: Probe>(&self, cx: &mut Cx<'_, P>, service: u16) {
        if let Some(after) = cx.topology.services[usize::from(service)].start.restart {
            let restart = Event::Restart { service: u32::from(service) };
            cx.agenda.schedule(cx.now.saturating_add(after), Class::Ordinary, restart);
        }
    }

    /// Something starts in place of what has crashed, unless there are enough by now.
    #[cold]
    pub(super) fn restart<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        if self.there(service) < self.services[usize::from(service)].desired {
            self.start_replica(cx, service);
            self.tell_capacity(cx, service);
        }
    }

    /// Sets every scaler going.
    pub(super) fn start_scalers<P: Probe>(&self, cx: &mut Cx<'_, P>) {
        for id in 0..self.services.len() as u16 {
            self.look_later(cx, id);
        }
    }

    fn look_later<P: Probe>(&self, cx: &mut Cx<'_, P>, service: u16) {
        if let Some(scaler) = &cx.topology.services[usize::from(service)].scaler {
            let at = cx.now.saturating_add(scaler.every.get());
            cx.agenda.schedule(at, Class::Ordinary, Event::Scaler { service: u32::from(service) });
        }
    }

    /// A scaler looks and decides.
    #[cold]
    pub(super) fn look<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let topology: &Topology = cx.topology;
        let spec = &topology.services[usize::from(service)];
        let state = &mut self.services[usize::from(service)];
        let (Some(scaler), Some(meter)) = (&spec.scaler, &mut state.scaling.meter) else { return };
        let span: SimDuration = cx.now.since(meter.looked);
        let seconds = span.as_secs_f64();
        let sample = Sample {
            at: cx.now,
            busy: meter.busy.mean(cx.now).unwrap_or(0.0),
            offered_per_s: if seconds > 0.0 { (state.offered - meter.offered) as f64 / seconds } else { 0.0 },
            waiting: state.load.waiting,
        };
        meter.busy = TimeWeighted::new(cx.now, meter.busy.level());
        (meter.looked, meter.offered) = (cx.now, state.offered);
        let observed = Observed {
            now: cx.now,
            desired: state.desired,
            ready: state.up.len() as u32,
            processors: spec.processor.capacity().unwrap_or(1),
            sample,
        };
        let decided = scaler.decide(&mut meter.scaler, observed);
        if let Some(desired) = decided.filter(|desired| *desired != observed.desired) {
            self.scale(cx, service, desired);
        }
        self.look_later(cx, service);
    }
}
