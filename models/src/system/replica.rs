//! Replicas: threads, queues and pools.

use super::attempt::{Attempt, Awaited};
use super::call::{Claim, Phase};
use super::faults::Ailments;
use super::hedge::HEDGED;
use super::line::Line;
use super::processor::Processor;
use super::scaling::Scaling;
use super::visit::Doing;
use super::{Cx, NONE, State, Todo, purpose};
use crate::blueprint::Layout;
use crate::policy::Drop;
use crate::policy::admission::AdmissionState;
use crate::policy::balancer::{BalancerState, Member, least_outstanding::fewest};
use crate::policy::budget::BudgetState;
use crate::policy::guard::GuardState;
use crate::policy::health::HealthState;
use crate::probe::{Capacity, Cause, Load, Probe};
use crate::topology::{ServiceSpec, Topology, UNLIMITED};
use sim_core::time::SimTime;
use std::collections::BTreeSet;

/// The state of a service as a whole.
#[derive(Clone, Debug)]
pub(super) struct ServiceState {
    /// Replicas that take new requests, by ordinal.
    pub(super) up: Vec<Member>,
    /// How many there should be.
    pub(super) desired: u32,
    /// The balancer in front.
    pub(super) balancer: BalancerState,
    /// The queue of all, if there is one for all.
    pub(super) queue: Line,
    /// Attempts that were cancelled while they waited, by the bits of their keys: their places in the
    /// queues count no longer, and are skipped when their turn comes.
    pub(super) cancelled: BTreeSet<u64>,
    /// What it has to do, in all replicas.
    pub(super) load: Load,
    /// Attempts that have come, those turned away included.
    pub(super) offered: u64,
    /// What the admission rule remembers, if it is one for all replicas.
    pub(super) admission: AdmissionState,
    /// The replicas that are to come.
    pub(super) scaling: Scaling,
    /// What the balancer knows of the health of replicas, if it does not simply know.
    pub(super) health: Option<Box<HealthState>>,
}

/// One replica.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) service: u16,
    pub(super) ordinal: u32,
    pub(super) state: ReplicaState,
    /// Requests held by threads.
    pub(super) held: u32,
    /// Requests in the own queue that count as waiting.
    pub(super) waiting: u32,
    pub(super) queue: Line,
    pub(super) processor: Processor,
    pub(super) pools: Vec<Pool>,
    pub(super) budgets: Vec<BudgetState>,
    pub(super) guards: Vec<GuardState>,
    /// Branches that run on after their visits have gone on without them.
    pub(super) loose: u32,
    /// What the admission rule remembers.
    pub(super) admission: AdmissionState,
    /// Whether work takes longer or shorter here than asked for: [`Replica::slowdown`] tells.
    pub(super) uneven: bool,
    /// Whether it may still be cold.
    pub(super) cold: bool,
    /// How many times longer work takes once it is warm.
    pub(super) slowness: f64,
    /// What is wrong with it, if anything.
    pub(super) ailments: Option<Box<Ailments>>,
    /// Since when it takes requests, or from when on it will.
    pub(super) up_since: SimTime,
    /// Whether it has crashed and its balancer still takes it for a replica.
    pub(super) believed: bool,
    /// Until when it may drain.
    pub(super) drains: SimTime,
}

/// A replica, with what it is a replica of: looked up once for all that is done there.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) replica: u32,
    pub(super) service: u16,
    pub(super) spec: &'a ServiceSpec,
}

/// Whether a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaState {
    /// Is not ready yet.
    Starting,
    /// Takes requests.
    Up,
    /// Finishes what it has and takes nothing new.
    Draining,
    /// Is gone; the slot may be used again.
    Gone,
}

/// Connections of one replica to one callee.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    /// Connections in use.
    pub(super) used: u32,
    /// Calls that wait for one.
    pub(super) waiting: u32,
    queue: std::collections::VecDeque<Claim>,
}

impl Pool {
    pub(super) fn wait(&mut self, claim: Claim) {
        self.waiting += 1;
        self.queue.push_back(claim);
    }

    /// A call no longer waits; its place is skipped when its turn comes.
    pub(super) const fn leave(&mut self) {
        self.waiting -= 1;
    }
}

impl Replica {
    /// A replica that starts; `late` if it was not there from the beginning.
    pub(super) fn new(service: u16, ordinal: u32, spec: &ServiceSpec, late: bool) -> Self {
        let mut replica = Self {
            service,
            ordinal,
            state: ReplicaState::Starting,
            held: 0,
            waiting: 0,
            queue: Line::new(),
            processor: Processor::new(),
            pools: vec![Pool::default(); spec.pools.len()],
            budgets: spec.budgets.iter().map(crate::policy::Budget::start).collect(),
            guards: vec![GuardState::default(); spec.guards.len()],
            loose: 0,
            admission: spec.admission.start(),
            uneven: false,
            cold: late && spec.start.cold.is_some(),
            slowness: 1.0,
            ailments: None,
            up_since: SimTime::ZERO,
            believed: false,
            drains: SimTime::MAX,
        };
        replica.set_speed(spec);
        replica
    }

    /// Attempts that have not ended here.
    pub(super) const fn outstanding(&self) -> u32 {
        self.waiting + self.held
    }
}

impl ServiceState {
    /// The replica that takes the head of the shared queue: the one that holds fewest among those with
    /// a free thread, ties by draw.
    pub(super) fn free_thread(&self, replicas: &[Replica], threads: u32, attempt: &Attempt) -> Option<u32> {
        let held = |m: &Member| replicas[m.id as usize].held;
        let free = self.up.iter().filter(|m| held(m) < threads).map(|m| (*m, held(m)));
        fewest(free, attempt.name().index(purpose::DISPATCH)).map(|m| m.id)
    }
}

impl State {
    #[inline(always)]
    pub(super) fn host<'a>(&self, topology: &'a Topology, replica: u32) -> Host<'a> {
        let service = self.replicas[replica as usize].service;
        Host { replica, service, spec: &topology.services[usize::from(service)] }
    }

    /// A thread is free again, and so is its server if they are one. Answers whether somebody waits who may
    /// take it: [`Self::dispatch`] comes next then.
    #[inline(always)]
    pub(super) fn release_thread<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>) -> bool {
        let replica = &mut self.replicas[host.replica as usize];
        let load = &mut self.services[usize::from(host.service)].load;
        replica.held -= 1;
        load.held -= 1;
        if host.spec.server_is_thread {
            replica.processor.release_server();
            load.busy -= 1;
        }
        let taken = load.waiting > 0;
        if replica.state == ReplicaState::Draining {
            self.retire_if_empty(cx, host.replica);
        }
        self.touch(cx, host.service);
        taken
    }

    /// Waiting requests take free threads.
    #[inline(always)]
    pub(super) fn dispatch<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>) {
        let (topology, spec) = (cx.topology, host.spec);
        loop {
            let service = &mut self.services[usize::from(host.service)];
            // The queue whose head may go, and what counts those in it beside the service itself.
            let (queue, waiting) = match spec.layout {
                Layout::PerReplica => {
                    let own = &mut self.replicas[host.replica as usize];
                    if own.waiting == 0 || own.held >= spec.threads || own.state == ReplicaState::Gone {
                        break;
                    }
                    (&mut own.queue, Some(&mut own.waiting))
                }
                Layout::Shared => {
                    let free = |m: &Member| self.replicas[m.id as usize].held < spec.threads;
                    if service.load.waiting == 0 || !service.up.iter().any(free) {
                        break;
                    }
                    (&mut service.queue, None)
                }
            };
            let count = waiting.as_ref().map_or(service.load.waiting, |own| **own);
            let head = queue.pop(spec.order, count).expect("a request that counts as waiting is in the queue");
            if !service.cancelled.is_empty() && service.cancelled.remove(&head.name().bits()) {
                // It stopped counting when it was cancelled.
                continue;
            }
            service.load.waiting -= 1;
            if let Some(waiting) = waiting {
                *waiting -= 1;
            }
            self.touch(cx, host.service);
            if spec.drop != Drop::Never && spec.drop.drops(cx.now, self.deadline(topology, &head)) {
                cx.probe.turned_away(cx.now, host.service, Cause::Dropped);
                self.todo.push_back(Todo::Reply { attempt: head, result: Err(Cause::Dropped) });
                continue;
            }
            let replica = match spec.layout {
                Layout::PerReplica => host.replica,
                Layout::Shared => self.services[usize::from(host.service)]
                    .free_thread(&self.replicas, spec.threads, &head)
                    .expect("a free thread was seen"),
            };
            self.admit(cx, &topology.sites[usize::from(head.site)], Host { replica, ..host }, head);
        }
        self.sweep(host.service, host.replica);
        if spec.adaptive && spec.layout == Layout::PerReplica {
            // The rest of its queue may have been dropped.
            self.report_idle(host);
        }
        if self.replicas[host.replica as usize].state == ReplicaState::Draining {
            // The rest of its queue may have been dropped.
            self.retire_if_empty(cx, host.replica);
        }
    }

    /// Once nothing that counts is left in a queue, the places of what was cancelled go too. The queue is
    /// the replica's own, or, for [`NONE`] as under a shared layout, that of all.
    #[inline]
    pub(super) fn sweep(&mut self, service: u16, replica: u32) {
        if !self.services[usize::from(service)].cancelled.is_empty() {
            self.sweep_cancelled(service, replica);
        }
    }

    #[cold]
    fn sweep_cancelled(&mut self, service: u16, replica: u32) {
        let state = &mut self.services[usize::from(service)];
        if state.load.waiting == 0 {
            state.queue.drain().for_each(|a| _ = state.cancelled.remove(&a.name().bits()));
        }
        if replica != NONE && self.replicas[replica as usize].waiting == 0 {
            let queue = &mut self.replicas[replica as usize].queue;
            queue.drain().for_each(|a| _ = state.cancelled.remove(&a.name().bits()));
        }
    }

    /// Whether a connection is free and nobody waits for one.
    #[inline]
    pub(super) fn connection_is_free(&self, topology: &Topology, replica: u32, pool: u16) -> bool {
        let host = &self.replicas[replica as usize];
        let size = topology.services[usize::from(host.service)].pools[usize::from(pool)].size;
        let connections = &host.pools[usize::from(pool)];
        connections.used < size && connections.waiting == 0
    }

    /// Takes a connection if one is free and nobody waits.
    #[inline]
    pub(super) fn take_connection<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, pool: u16) -> bool {
        let free = self.connection_is_free(cx.topology, replica, pool);
        if free {
            let host = &mut self.replicas[replica as usize];
            host.pools[usize::from(pool)].used += 1;
            let service = host.service;
            self.pool_used(cx, replica, pool, 1);
            cx.probe.connected(cx.now, service, pool, sim_core::time::SimDuration::ZERO);
        }
        free
    }

    fn pool_used<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, pool: u16, change: i32) {
        cx.probe.pool(cx.now, self.replicas[replica as usize].service, pool, change);
    }

    /// The connection of a call's attempt goes back; whoever waits takes it.
    pub(super) fn release_connection<P: Probe>(&mut self, cx: &mut Cx<'_, P>, call: u32) {
        if let Some((replica, pool)) = self.pool_of(cx.topology, call) {
            let host = &mut self.replicas[replica as usize];
            host.pools[usize::from(pool)].used -= 1;
            let draining = host.state == ReplicaState::Draining;
            self.pool_used(cx, replica, pool, -1);
            self.todo.push_back(Todo::Grant { replica, pool });
            if draining {
                self.retire_if_empty(cx, replica);
            }
        }
    }

    /// Calls that wait take free connections, first come first served.
    pub(super) fn grant<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, pool: u16) {
        loop {
            let host = &mut self.replicas[replica as usize];
            let service = host.service;
            // A replica that has crashed since has no pools any more.
            let Some(connections) = host.pools.get_mut(usize::from(pool)) else {
                return;
            };
            let size = cx.topology.services[usize::from(service)].pools[usize::from(pool)].size;
            if host.state == ReplicaState::Gone || connections.used >= size {
                return;
            }
            let Some(claim) = connections.queue.pop_front() else {
                return;
            };
            self.pooled -= 1;
            let call = &self.calls[claim.call];
            if call.phase != Phase::Pool || call.key != claim.key || call.attempt != claim.attempt {
                // It stopped counting when it left.
                continue;
            }
            connections.waiting -= 1;
            connections.used += 1;
            let waited = cx.now.since(call.since);
            self.pool_used(cx, replica, pool, 1);
            cx.probe.connected(cx.now, service, pool, waited);
            self.send(cx, claim.call);
        }
    }

    #[cold]
    pub(super) fn retire_if_empty<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let host = &mut self.replicas[replica as usize];
        let zombies = host.pools.iter().any(|p| p.used > 0);
        if host.outstanding() == 0 && host.loose == 0 && !zombies {
            host.state = ReplicaState::Gone;
            let service = host.service;
            self.clear_pools(replica);
            self.caches.gone(replica);
            self.tell_capacity(cx, service);
        }
    }

    /// Forgets who waits for connections of a replica that goes.
    fn clear_pools(&mut self, replica: u32) {
        for pool in &mut self.replicas[replica as usize].pools {
            self.pooled -= pool.queue.len() as u64;
            pool.queue.clear();
        }
    }

    /// Tells the probe what a service has.
    pub(super) fn tell_capacity<P: Probe>(&self, cx: &mut Cx<'_, P>, service: u16) {
        cx.probe.capacity(cx.now, service, &self.capacity(cx.topology, service));
    }

    /// What a service has; replicas that drain still count.
    pub(super) fn capacity(&self, topology: &Topology, service: u16) -> Capacity {
        let serves = |r: &&Replica| matches!(r.state, ReplicaState::Up | ReplicaState::Draining);
        let replicas = self.replicas.iter().filter(|r| r.service == service).filter(serves).count() as u64;
        let spec = &topology.services[usize::from(service)];
        let limited = |n: u32| (n != UNLIMITED).then_some(replicas * u64::from(n));
        Capacity {
            replicas,
            starting: self.services[usize::from(service)].scaling.starting(),
            threads: limited(spec.threads),
            processors: spec.processor.capacity().map(|n| replicas * u64::from(n)),
            pools: spec.pools.iter().map(|p| replicas * u64::from(p.size)).collect(),
        }
    }

    /// A replica crashes: what it holds is lost.
    #[cold]
    pub(super) fn kill<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, ordinal: u32, refuse: bool) {
        let up = &mut self.services[usize::from(service)].up;
        let Ok(position) = up.binary_search_by_key(&ordinal, |m| m.ordinal) else {
            return;
        };
        let member = up.remove(position);
        self.health_crashed(cx, service, member, refuse);
        self.crash(cx, member.id, refuse);
    }

    /// A replica that is up or drains is no more: what it holds is lost.
    #[cold]
    pub(super) fn crash<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, refuse: bool) {
        let service = self.replicas[id as usize].service;
        let drained = self.replicas[id as usize].state == ReplicaState::Draining;
        let spec = &cx.topology.services[usize::from(service)];
        let spec_is_shared = spec.layout == Layout::Shared;
        let spec_is_hosted = spec.processor.host().is_some();
        let mut lost = Vec::new();
        // Its own queue goes; a shared one stays.
        if !spec_is_shared {
            let host = &mut self.replicas[id as usize];
            self.services[usize::from(service)].load.waiting -= host.waiting;
            host.waiting = 0;
            let cancelled = &mut self.services[usize::from(service)].cancelled;
            lost.extend(host.queue.drain().filter(|a| !cancelled.remove(&a.name().bits())));
        }
        for slot in 0..self.visits.slots().len() as u32 {
            let v = &self.visits[slot];
            if v.doing == Doing::Free || v.replica != id {
                continue;
            }
            if v.doing == Doing::Calling {
                // What it called goes on, but nobody waits for it.
                let call = v.until.as_nanos() as u32;
                self.forget_lost(cx.topology, call);
                self.free_call(call);
            }
            self.abandon_fetches(cx.topology, slot, id);
            if spec_is_hosted {
                self.take_off(cx, Host { replica: id, service, spec }, slot, self.visits[slot].doing);
            }
            if !matches!(self.visits[slot].attempt.awaited(), Awaited::Parent | Awaited::Loose) {
                lost.push(self.visits[slot].attempt);
            }
            self.visits[slot].doing = Doing::Free;
            self.visits.free(slot);
        }
        for slot in 0..self.calls.slots().len() as u32 {
            let call = &self.calls[slot];
            if call.phase == Phase::Zombie && call.caller == id {
                self.free_call(slot);
            }
        }
        self.clear_pools(id);
        self.caches.gone(id);
        let host = &mut self.replicas[id as usize];
        let (held, pools) = (host.held, host.pools.iter().map(|p| p.used).collect::<Vec<_>>());
        let busy = host.processor.busy(&cx.topology.services[usize::from(service)].processor);
        host.state = ReplicaState::Gone;
        host.held = 0;
        host.loose = 0;
        host.pools.clear();
        host.processor = Processor::new();
        host.ailments = None;
        let load = &mut self.services[usize::from(service)].load;
        load.held -= held;
        load.busy -= busy;
        self.touch(cx, service);
        if spec_is_hosted {
            self.others_go_on(cx, Host { replica: id, service, spec });
        }
        for (pool, used) in pools.into_iter().enumerate() {
            cx.probe.pool(cx.now, service, pool as u16, -(used as i32));
        }
        self.tell_capacity(cx, service);
        if !drained {
            self.restart_later(cx, service);
        }
        for attempt in lost {
            cx.probe.turned_away(cx.now, service, Cause::Crashed);
            self.lose(cx, &attempt, id, refuse);
        }
    }

    /// An attempt is lost. Its caller learns of it at once if connections are refused, or if it has no
    /// timeout by which it would notice; otherwise when its timeout has passed.
    fn lose<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, replica: u32, refuse: bool) {
        let waits = attempt.awaited() == Awaited::Call && !refuse && self.wanted(attempt);
        if waits && self.calls[attempt.by].due != SimTime::MAX {
            return self.lose_call(attempt, replica);
        }
        self.reply(cx, attempt, Err(Cause::Crashed));
    }

    /// The attempt of a call is lost at a replica, and its caller has not noticed.
    pub(super) fn lose_call(&mut self, attempt: &Attempt, replica: u32) {
        let call = &mut self.calls[attempt.by];
        if call.replica == HEDGED {
            let round = call.visit;
            return self.lose_leg(round, attempt.number);
        }
        call.phase = Phase::Lost;
        call.replica = replica;
        let host = &mut self.replicas[replica as usize];
        host.waiting += u32::from(host.believed);
    }
}
