//! Visits, the callee's side: an attempt that holds a thread and walks through its endpoint.
//!
//! A branch of `Parallel` is a visit too: it runs in the thread of its parent, has its own place in
//! the program, and is not counted as a request of the service.

use super::attempt::{Attempt, Awaited};
use super::call::Phase;
use super::hedge::HEDGED;
use super::quorum::{joining, needed};
use super::{Cx, NONE, State, Todo};
use crate::event::Event;
use crate::probe::{Cause, Probe, Response};
use crate::topology::{Op, ProcessorSpec};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// An attempt under way at a replica, or a branch of one.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// What it is; of a branch that of its parent, which awaits it.
    pub(super) attempt: Attempt,
    /// While working or delayed: until when, or the demand while waiting for a server. While calling:
    /// the number of the call; directly, the bits of its key. While joining: the number of the first branch,
    /// and above it, of a quorum, how many must still end well.
    pub(super) until: SimTime,
    /// Where it is.
    pub(super) replica: u32,
    /// The next instruction.
    pub(super) pc: u32,
    /// For a branch: the next branch of the same parent, or [`NONE`].
    pub(super) sibling: u32,
    /// Branches that have not ended.
    pub(super) open: u16,
    /// What it does.
    pub(super) doing: Doing,
    /// Why it fails, once it does.
    pub(super) failed: Option<Cause>,
}

/// What a visit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: the slot is free.
    Free,
    /// Is about to go on.
    Going,
    /// Waits for a server of its replica.
    Ready,
    /// Works on a server, or alone, until [`Visit::until`].
    Working,
    /// Shares the processor.
    Sharing,
    /// Lets time pass until [`Visit::until`].
    Delayed,
    /// Waits for a call.
    Calling,
    /// Waits for a call without policy.
    Awaiting,
    /// Waits for its branches.
    Joining,
}

const _: () = assert!(size_of::<Visit>() <= 56, "a visit is small: there are as many as requests in service");

impl Visit {
    /// Works undisturbed; `id` is its number.
    #[inline]
    fn work_alone<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, demand: SimDuration) {
        self.doing = Doing::Working;
        self.until = cx.now.saturating_add(demand);
        cx.agenda.schedule(self.until, Class::Ordinary, Event::StepEnd { visit: id });
    }

    /// Waits for a call.
    pub(super) fn call(&mut self, call: u32) {
        self.doing = Doing::Calling;
        self.until = SimTime::from_nanos(u64::from(call));
    }

    /// Waits for a call without policy.
    #[inline]
    pub(super) fn call_directly(&mut self, key: Key) {
        self.doing = Doing::Awaiting;
        self.until = SimTime::from_nanos(key.bits());
    }

    fn is_branch(&self) -> bool {
        matches!(self.attempt.awaited, Awaited::Parent | Awaited::Loose)
    }
}

impl State {
    /// An attempt gets a thread of a replica. If it begins by working, it does so at once.
    #[inline(always)]
    pub(super) fn admit<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, attempt: Attempt) {
        let topology = cx.topology;
        let site = &topology.sites[usize::from(attempt.site)];
        let spec = &topology.services[usize::from(site.callee)];
        let host = &mut self.replicas[replica as usize];
        host.held += 1;
        let service = &mut self.services[usize::from(site.callee)];
        service.load.held += 1;
        if spec.server_is_thread {
            host.processor.take_server(u32::MAX);
            service.load.busy += 1;
        }
        self.touch(cx, site.callee);
        cx.probe.admitted(cx.now, site.callee, cx.now.since(attempt.arrived));
        let first = match &topology.ops[site.entry as usize] {
            Op::Work { demand, draw } => Some(demand.sample(&mut attempt.name().index(*draw).rng())),
            _ => None,
        };
        let visit = self.visits.insert(|_| Visit {
            attempt,
            until: SimTime::ZERO,
            replica,
            pc: site.entry + u32::from(first.is_some()),
            sibling: NONE,
            open: 0,
            doing: Doing::Going,
            failed: None,
        });
        if attempt.awaited == Awaited::Call && (self.wanted(&attempt) || self.is_leg(&attempt)) {
            self.note_visit(&attempt, visit);
        }
        match first {
            Some(demand) => self.work(cx, visit, demand),
            None => self.todo.push_back(Todo::Resume { visit }),
        }
    }

    /// A call of the visit has ended.
    #[inline(always)]
    pub(super) fn continue_visit(&mut self, visit: u32, result: Result<(), Cause>) {
        let v = &mut self.visits[visit];
        debug_assert!(
            matches!(v.doing, Doing::Calling | Doing::Awaiting),
            "only a visit that calls hears of the end of a call"
        );
        v.doing = Doing::Going;
        if result.is_err() {
            v.failed = Some(Cause::Downstream);
        }
        self.todo.push_back(Todo::Resume { visit });
    }

    /// Goes on until something has to be waited for.
    pub(super) fn resume<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let topology = cx.topology;
        loop {
            let v = &mut self.visits[visit];
            if v.doing != Doing::Going {
                return;
            }
            if v.failed.is_some() {
                return self.end(cx, visit);
            }
            let op = &topology.ops[v.pc as usize];
            v.pc += 1;
            let (key, request) = (v.attempt.name(), v.attempt.request);
            match op {
                Op::Work { demand, draw } => {
                    let demand = demand.sample(&mut key.index(*draw).rng());
                    return self.work(cx, visit, demand);
                }
                Op::Delay { time, draw } => {
                    v.doing = Doing::Delayed;
                    v.until = cx.now.saturating_add(time.sample(&mut key.index(*draw).rng()));
                    cx.agenda.schedule(v.until, Class::Ordinary, Event::StepEnd { visit });
                    return;
                }
                Op::Call(site) => return self.start_call(cx, *site, visit, request, key),
                Op::Send(site) => {
                    let key = key.index(topology.sites[usize::from(*site)].path);
                    self.send_directly(cx, key, request, *site, NONE, Awaited::Nobody);
                }
                Op::Branch { targets, draw } => {
                    let u = key.index(*draw).uniform();
                    let chosen = targets.iter().find(|(p, _)| u < *p).or(targets.last());
                    v.pc = chosen.expect("a branch has targets").1;
                }
                Op::Parallel { targets, join } => {
                    v.pc = *join;
                    return self.fork(visit, targets, 0);
                }
                Op::Quorum { targets, need, join } => {
                    v.pc = *join;
                    return self.fork(visit, targets, *need);
                }
                Op::Reply => self.reply_early(cx, visit),
                Op::Fail { p, draw } => {
                    if key.index(*draw).uniform() < *p {
                        v.failed = Some(Cause::Error);
                    }
                }
                Op::Goto(to) => v.pc = *to,
                Op::End => return self.end(cx, visit),
            }
        }
    }

    /// Starts the branches of a visit, of which it needs so many, or, for 0, waits for all.
    #[inline(never)]
    fn fork(&mut self, visit: u32, targets: &[u32], need: u16) {
        let parent = self.visits[visit].clone();
        let mut first = NONE;
        for &pc in targets.iter().rev() {
            let attempt = Attempt { by: visit, awaited: Awaited::Parent, ..parent.attempt };
            let branch = Visit { attempt, pc, sibling: first, open: 0, doing: Doing::Going, failed: None, ..parent };
            first = self.visits.insert(|_| branch);
        }
        let v = &mut self.visits[visit];
        v.doing = Doing::Joining;
        v.open = targets.len() as u16;
        v.until = joining(first, need);
        let mut branch = first;
        while branch != NONE {
            self.todo.push_back(Todo::Resume { visit: branch });
            branch = self.visits[branch].sibling;
        }
    }

    /// The visit needs the processor for `demand`.
    #[inline(always)]
    fn work<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32, demand: SimDuration) {
        let v = &mut self.visits[visit];
        let replica = v.replica;
        let host = &mut self.replicas[replica as usize];
        let service = host.service;
        let spec = &cx.topology.services[usize::from(service)];
        cx.probe.demand(cx.now, service, v.attempt.request, demand);
        match spec.processor {
            ProcessorSpec::Servers(_) if spec.server_is_thread => v.work_alone(cx, visit, demand),
            ProcessorSpec::Servers(servers) => {
                if host.processor.take_server(servers) {
                    v.work_alone(cx, visit, demand);
                    self.set_busy(cx, replica, 1);
                } else {
                    v.doing = Doing::Ready;
                    v.until = SimTime::from_nanos(demand.as_nanos());
                    host.processor.wait(visit);
                }
            }
            ProcessorSpec::Infinite => {
                host.processor.take_server(u32::MAX);
                v.work_alone(cx, visit, demand);
                self.set_busy(cx, replica, 1);
            }
            ProcessorSpec::Cores(_) | ProcessorSpec::Usl { .. } => {
                v.doing = Doing::Sharing;
                v.until = SimTime::from_nanos(demand.as_nanos());
                let before = host.processor.busy(&spec.processor);
                host.processor.join(cx.now, &spec.processor, visit, demand);
                let more = host.processor.busy(&spec.processor) - before;
                self.tick_later(cx, replica);
                self.set_busy(cx, replica, more as i32);
            }
        }
    }

    /// Changes how many servers or cores of the service are in use.
    #[inline(always)]
    pub(super) fn set_busy<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, change: i32) {
        if change != 0 {
            let id = self.replicas[replica as usize].service;
            let load = &mut self.services[usize::from(id)].load;
            load.busy = load.busy.checked_add_signed(change).expect("what is released was in use");
            self.touch(cx, id);
        }
    }

    /// A shared processor's next tick is scheduled, unless it is already.
    pub(super) fn tick_later<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let host = &mut self.replicas[replica as usize];
        let spec = &cx.topology.services[usize::from(host.service)].processor;
        if let Some(at) = host.processor.next_tick(cx.now, spec) {
            cx.agenda.schedule(at, Class::Ordinary, Event::ProcessorTick { replica });
        }
    }

    /// Work on a server, or a delay, ends.
    #[inline(always)]
    pub(super) fn step_end<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let v = &mut self.visits[visit];
        if v.until != cx.now || !matches!(v.doing, Doing::Working | Doing::Delayed) {
            return;
        }
        let worked = v.doing == Doing::Working;
        v.doing = Doing::Going;
        if worked {
            let replica = v.replica;
            let spec = &cx.topology.services[usize::from(self.replicas[replica as usize].service)];
            if !spec.server_is_thread {
                self.release_server(cx, replica);
            }
        }
        // Nothing is to be done before: no need to put it on the list.
        self.resume(cx, visit);
    }

    /// A server is free: whoever is ready takes it.
    fn release_server<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        self.replicas[replica as usize].processor.release_server();
        self.set_busy(cx, replica, -1);
        if self.replicas[replica as usize].processor.somebody_is_ready() {
            self.start_ready(cx, replica);
        }
    }

    /// Visits that wait for a server take those that are free.
    pub(super) fn start_ready<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        loop {
            let host = &mut self.replicas[replica as usize];
            let spec = &cx.topology.services[usize::from(host.service)].processor;
            let ProcessorSpec::Servers(servers) = *spec else {
                return;
            };
            let Some(next) = host.processor.next_ready(servers) else {
                return;
            };
            self.set_busy(cx, replica, 1);
            let v = &mut self.visits[next];
            v.work_alone(cx, next, SimDuration::from_nanos(v.until.as_nanos()));
        }
    }

    /// A shared processor reaches a completion, or finds it was delayed by newcomers.
    pub(super) fn processor_tick<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let host = &mut self.replicas[replica as usize];
        if !host.processor.takes_tick(cx.now) {
            return;
        }
        let spec = &cx.topology.services[usize::from(host.service)].processor;
        let before = host.processor.busy(spec);
        while let Some(visit) = host.processor.next_done(cx.now, spec) {
            let v = &mut self.visits[visit];
            cx.probe.shared_work_done(cx.now, host.service, SimDuration::from_nanos(v.until.as_nanos()));
            v.doing = Doing::Going;
            self.todo.push_back(Todo::Resume { visit });
        }
        let after = host.processor.busy(spec);
        self.tick_later(cx, replica);
        self.set_busy(cx, replica, after as i32 - before as i32);
    }

    /// The program of a visit or branch has ended, or failed.
    #[inline(always)]
    fn end<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let v = &mut self.visits[visit];
        v.doing = Doing::Free;
        if v.is_branch() {
            return self.end_branch(cx, visit);
        }
        let (attempt, replica, result) = (v.attempt, v.replica, v.failed.map_or(Ok(()), Err));
        self.visits.free(visit);
        let service = self.replicas[replica as usize].service;
        let taken = self.release_thread(cx, replica);
        let (ok, wanted) = (result.is_ok(), self.wanted(&attempt));
        let replied = attempt.awaited == Awaited::Replied;
        let response = Response { service, site: attempt.site, arrived: attempt.arrived, ok, wanted, replied };
        cx.probe.responded(cx.now, &response);
        if self.todo.is_empty() {
            // The order of the list, without the list. A reply puts on it what its caller does next, so
            // this goes no deeper.
            if taken {
                self.dispatch(cx, replica);
            }
            self.reply(cx, &attempt, result);
        } else {
            if taken {
                self.todo.push_back(Todo::Dispatch { replica });
            }
            self.todo.push_back(Todo::Reply { attempt, result });
        }
    }

    /// A branch has ended.
    #[inline(never)]
    fn end_branch<P: Probe>(&mut self, cx: &mut Cx<'_, P>, branch: u32) {
        let v = &self.visits[branch];
        let (parent, failed) = (v.attempt.by, v.failed);
        if v.attempt.awaited == Awaited::Loose {
            return self.end_loose(cx, branch);
        }
        if needed(self.visits[parent].until) > 0 {
            return self.end_of_quorum(branch);
        }
        self.unlink(parent, branch);
        self.visits.free(branch);
        let p = &mut self.visits[parent];
        p.failed = p.failed.or(failed);
        p.open -= 1;
        if p.open == 0 {
            p.doing = Doing::Going;
            self.todo.push_back(Todo::Resume { visit: parent });
        }
    }

    /// Takes a branch out of its parent's list.
    pub(super) fn unlink(&mut self, parent: u32, branch: u32) {
        let after = self.visits[branch].sibling;
        let first = self.visits[parent].until.as_nanos() as u32;
        if first == branch {
            let p = &mut self.visits[parent];
            p.until = joining(after, needed(p.until));
            return;
        }
        let mut at = first;
        while self.visits[at].sibling != branch {
            at = self.visits[at].sibling;
        }
        self.visits[at].sibling = after;
    }

    /// Stops a visit, its branches and all that it waits for, downstream too.
    #[inline(never)]
    pub(super) fn cancel_visit<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let v = &mut self.visits[visit];
        let (doing, until, replica, branch) = (v.doing, v.until, v.replica, v.is_branch());
        debug_assert!(v.attempt.awaited != Awaited::Loose, "nobody cancels what is loose");
        v.doing = Doing::Free;
        let host = &mut self.replicas[replica as usize];
        let spec = &cx.topology.services[usize::from(host.service)];
        match doing {
            Doing::Ready => host.processor.remove(cx.now, &spec.processor, visit, false),
            Doing::Working if spec.server_is_thread => {}
            Doing::Working => self.release_server(cx, replica),
            Doing::Sharing => {
                let before = host.processor.busy(&spec.processor);
                host.processor.remove(cx.now, &spec.processor, visit, true);
                let after = host.processor.busy(&spec.processor);
                self.tick_later(cx, replica);
                self.set_busy(cx, replica, after as i32 - before as i32);
            }
            Doing::Calling => {
                let call = until.as_nanos() as u32;
                let entered = matches!(self.calls[call].phase, Phase::Sent | Phase::Lost | Phase::Pool);
                if entered && cx.topology.sites[usize::from(self.calls[call].site)].guard.is_some() {
                    self.leave(cx, call, None);
                }
                match self.calls[call].phase {
                    Phase::Sent if self.calls[call].replica == HEDGED => self.cancel_legs(cx, call),
                    Phase::Sent => {
                        self.cancel_attempt(cx, call);
                        self.release_connection(cx, call);
                    }
                    Phase::Lost => self.release_connection(cx, call),
                    Phase::Pool => {
                        let (replica, pool) =
                            self.pool_of(cx.topology, call).expect("who waits for a connection has a pool");
                        self.replicas[replica as usize].pools[usize::from(pool)].leave();
                    }
                    Phase::Backoff | Phase::Free | Phase::Zombie => {}
                }
                self.free_call(call);
            }
            Doing::Awaiting => self.cancel_direct(cx, visit, Key::from_bits(until.as_nanos())),
            Doing::Joining => {
                let mut next = until.as_nanos() as u32;
                while next != NONE {
                    let branch = next;
                    next = self.visits[branch].sibling;
                    self.cancel_visit(cx, branch);
                }
            }
            Doing::Free | Doing::Going | Doing::Delayed => {}
        }
        self.visits.free(visit);
        if !branch {
            let service = self.replicas[replica as usize].service;
            if self.release_thread(cx, replica) {
                self.todo.push_back(Todo::Dispatch { replica });
            }
            cx.probe.turned_away(cx.now, service, Cause::Timeout);
        }
    }
}
