//! Replicas: threads, queues and pools.

use super::attempt::{Attempt, Awaited};
use super::call::{Claim, Phase};
use super::fifo::Fifo;
use super::hedge::HEDGED;
use super::processor::Processor;
use super::visit::Doing;
use super::{Cx, NONE, State, Todo, purpose};
use crate::blueprint::Layout;
use crate::policy::Drop;
use crate::policy::balancer::{BalancerState, Member, least_outstanding::fewest};
use crate::policy::budget::BudgetState;
use crate::policy::guard::GuardState;
use crate::probe::{Capacity, Cause, Load, Probe};
use crate::topology::{Topology, UNLIMITED};
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
    pub(super) queue: Fifo<Attempt>,
    /// Attempts that were cancelled while they waited, by the bits of their keys: their places in the
    /// queues count no longer, and are skipped when their turn comes.
    pub(super) cancelled: BTreeSet<u64>,
    /// What it has to do, in all replicas.
    pub(super) load: Load,
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
    pub(super) queue: Fifo<Attempt>,
    pub(super) processor: Processor,
    pub(super) pools: Vec<Pool>,
    pub(super) budgets: Vec<BudgetState>,
    pub(super) guards: Vec<GuardState>,
    /// Branches that run on after their visits have gone on without them.
    pub(super) loose: u32,
}

/// Whether a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaState {
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
    /// A thread is free again, and so is its server if they are one. Answers whether somebody waits who may
    /// take it: [`Self::dispatch`] comes next then.
    #[inline(always)]
    pub(super) fn release_thread<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) -> bool {
        let host = &mut self.replicas[replica as usize];
        host.held -= 1;
        let id = host.service;
        let spec = &cx.topology.services[usize::from(id)];
        let service = &mut self.services[usize::from(id)];
        service.load.held -= 1;
        if spec.server_is_thread {
            host.processor.release_server();
            service.load.busy -= 1;
        }
        let taken = service.load.waiting > 0;
        if host.state == ReplicaState::Draining {
            self.retire_if_empty(cx, replica);
        }
        self.touch(cx, id);
        taken
    }

    /// Waiting requests take free threads.
    pub(super) fn dispatch<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let service = self.replicas[replica as usize].service;
        let topology = cx.topology;
        let spec = &topology.services[usize::from(service)];
        loop {
            let (state, host) = (&self.services[usize::from(service)], &self.replicas[replica as usize]);
            let free = match spec.layout {
                Layout::PerReplica => host.state != ReplicaState::Gone && host.held < spec.threads && host.waiting > 0,
                Layout::Shared => {
                    state.load.waiting > 0 && state.up.iter().any(|m| self.replicas[m.id as usize].held < spec.threads)
                }
            };
            if !free {
                self.sweep(service, replica);
                if self.replicas[replica as usize].state == ReplicaState::Draining {
                    // The rest of its queue may have been dropped.
                    self.retire_if_empty(cx, replica);
                }
                return;
            }
            let host = &mut self.replicas[replica as usize];
            let state = &mut self.services[usize::from(service)];
            let head = match spec.layout {
                Layout::PerReplica => host.queue.pop(),
                Layout::Shared => state.queue.pop(),
            };
            let head = head.expect("a request that counts as waiting is in the queue");
            let wanted = self.wanted(&head);
            if !wanted && self.services[usize::from(service)].cancelled.remove(&head.name().bits()) {
                // It stopped counting when it was cancelled.
                continue;
            }
            self.services[usize::from(service)].load.waiting -= 1;
            self.touch(cx, service);
            if spec.layout == Layout::PerReplica {
                self.replicas[replica as usize].waiting -= 1;
            }
            if spec.drop != Drop::Never && spec.drop.drops(cx.now, self.deadline(&head, wanted)) {
                cx.probe.turned_away(cx.now, service, Cause::Dropped);
                self.todo.push_back(Todo::Reply { attempt: head, result: Err(Cause::Dropped) });
                continue;
            }
            let taker = match spec.layout {
                Layout::PerReplica => replica,
                Layout::Shared => self.services[usize::from(service)]
                    .free_thread(&self.replicas, spec.threads, &head)
                    .expect("a free thread was seen"),
            };
            if head.awaited == Awaited::Call && (wanted || self.is_leg(&head)) {
                self.note_replica(&head, taker);
            }
            self.admit(cx, taker, head);
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

    /// Takes a connection if one is free and nobody waits.
    #[inline]
    pub(super) fn take_connection<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, pool: u16) -> bool {
        let host = &mut self.replicas[replica as usize];
        let size = cx.topology.services[usize::from(host.service)].pools[usize::from(pool)].size;
        let connections = &mut host.pools[usize::from(pool)];
        let free = connections.used < size && connections.waiting == 0;
        if free {
            connections.used += 1;
            self.pool_used(cx, replica, pool, 1);
            cx.probe.connected(
                cx.now,
                self.replicas[replica as usize].service,
                pool,
                sim_core::time::SimDuration::ZERO,
            );
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

    /// Starts a replica with the lowest ordinal that is not up.
    fn start_replica(&mut self, topology: &Topology, service: u16) {
        let spec = &topology.services[usize::from(service)];
        let up = &self.services[usize::from(service)].up;
        let position = up.iter().enumerate().find(|(i, m)| m.ordinal != *i as u32).map_or(up.len(), |(i, _)| i);
        let ordinal = position as u32;
        let replica = Replica {
            service,
            ordinal,
            state: ReplicaState::Up,
            held: 0,
            waiting: 0,
            queue: Fifo::new(),
            processor: Processor::new(),
            pools: vec![Pool::default(); spec.pools.len()],
            budgets: spec.budgets.iter().map(crate::policy::Budget::start).collect(),
            guards: vec![GuardState::default(); spec.guards.len()],
            loose: 0,
        };
        let gone = self.replicas.iter().position(|r| r.state == ReplicaState::Gone && r.held == 0);
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
        self.services[usize::from(service)].up.insert(position, Member { ordinal, id: id as u32 });
        self.todo.push_back(Todo::Dispatch { replica: id as u32 });
    }

    /// Makes `desired` replicas of those that are up: starts the missing, drains the last.
    pub(super) fn scale<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, desired: u32) {
        self.services[usize::from(service)].desired = desired;
        while (self.services[usize::from(service)].up.len() as u32) < desired {
            self.start_replica(cx.topology, service);
        }
        while self.services[usize::from(service)].up.len() as u32 > desired {
            let last = self.services[usize::from(service)].up.pop().expect("there is one more than desired");
            self.replicas[last.id as usize].state = ReplicaState::Draining;
            self.retire_if_empty(cx, last.id);
        }
        self.tell_capacity(cx, service);
    }

    #[cold]
    pub(super) fn retire_if_empty<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let host = &mut self.replicas[replica as usize];
        let zombies = host.pools.iter().any(|p| p.used > 0);
        if host.outstanding() == 0 && host.loose == 0 && !zombies {
            host.state = ReplicaState::Gone;
            let service = host.service;
            self.clear_pools(replica);
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
        let replicas =
            self.replicas.iter().filter(|r| r.service == service && r.state != ReplicaState::Gone).count() as u64;
        let spec = &topology.services[usize::from(service)];
        let limited = |n: u32| (n != UNLIMITED).then_some(replicas * u64::from(n));
        Capacity {
            replicas,
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
        let id = up.remove(position).id;
        let spec_is_shared = cx.topology.services[usize::from(service)].layout == Layout::Shared;
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
                self.free_call(call);
            }
            if !matches!(self.visits[slot].attempt.awaited, Awaited::Parent | Awaited::Loose) {
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
        let host = &mut self.replicas[id as usize];
        let (held, pools) = (host.held, host.pools.iter().map(|p| p.used).collect::<Vec<_>>());
        let busy = host.processor.busy(&cx.topology.services[usize::from(service)].processor);
        host.state = ReplicaState::Gone;
        host.held = 0;
        host.loose = 0;
        host.pools.clear();
        host.processor = Processor::new();
        let load = &mut self.services[usize::from(service)].load;
        load.held -= held;
        load.busy -= busy;
        self.touch(cx, service);
        for (pool, used) in pools.into_iter().enumerate() {
            cx.probe.pool(cx.now, service, pool as u16, -(used as i32));
        }
        self.tell_capacity(cx, service);
        for attempt in lost {
            cx.probe.turned_away(cx.now, service, Cause::Crashed);
            self.lose(cx, &attempt, refuse);
        }
    }

    /// An attempt is lost. Its caller learns of it at once if connections are refused, or if it has no
    /// timeout by which it would notice; otherwise when its timeout has passed.
    fn lose<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, refuse: bool) {
        if attempt.awaited == Awaited::Call && !refuse && self.wanted(attempt) {
            let call = &mut self.calls[attempt.by];
            if call.due != sim_core::time::SimTime::MAX {
                match call.replica {
                    HEDGED => {
                        let round = call.visit;
                        self.lose_leg(round, attempt.number);
                    }
                    _ => call.phase = Phase::Lost,
                }
                return;
            }
        }
        self.reply(cx, attempt, Err(Cause::Crashed));
    }
}
