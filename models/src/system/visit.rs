//! Visits, the callee's side: an attempt that holds a thread and walks through its endpoint.
//!
//! A branch of `Parallel` is a visit too: it runs in the thread of its parent, has its own place in
//! the program, and is not counted as a request of the service.

use super::attempt::{Attempt, Awaited};
use super::call::Phase;
use super::hedge::HEDGED;
use super::quorum::{joining, needed};
use super::replica::Host;
use super::{Cx, NONE, State, Todo};
use crate::event::Event;
use crate::probe::{Cause, Probe, Response};
use crate::topology::{Op, ProcessorSpec, Site};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// An attempt under way at a replica, or a branch of one.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// What it is; of a branch that of its parent, which awaits it.
    pub(super) attempt: Attempt,
    /// While working or delayed: until when, or the demand while waiting for a server, or what is left of it
    /// while stopped. While calling:
    /// the number of the call; directly, the bits of its key. While joining: the number of the first branch,
    /// and above it, of a quorum, how many must still end well. While another fetches for it: the number of the
    /// fetch, and the place among those who wait for it.
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
    /// Has a server, or works alone, and stands still: its replica pauses.
    Stopped,
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
    /// Waits for another visit's fetch of a key.
    Waiting,
}

const _: () = assert!(size_of::<Visit>() <= 56, "a visit is small: there are as many as requests in service");

impl Visit {
    /// Works undisturbed; `id` is its number.
    #[inline]
    pub(super) fn work_alone<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, demand: SimDuration) {
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
        matches!(self.attempt.awaited(), Awaited::Parent | Awaited::Loose)
    }
}

impl State {
    /// An attempt gets a thread of a replica. If it begins by working, it does so at once.
    #[inline(always)]
    pub(super) fn admit<P: Probe>(&mut self, cx: &mut Cx<'_, P>, site: &Site, host: Host<'_>, attempt: Attempt) {
        let replica = &mut self.replicas[host.replica as usize];
        let load = &mut self.services[usize::from(host.service)].load;
        replica.held += 1;
        load.held += 1;
        if host.spec.server_is_thread {
            replica.processor.take_server(u32::MAX);
            load.busy += 1;
        }
        self.touch(cx, host.service);
        cx.probe.admitted(cx.now, host.service, cx.now.since(attempt.arrived));
        let first = match &cx.topology.ops[site.entry as usize] {
            Op::Work { demand, draw } => Some(demand.sample(&mut attempt.name().index(*draw).rng())),
            _ => None,
        };
        let visit = self.visits.insert(Visit {
            attempt,
            until: SimTime::ZERO,
            replica: host.replica,
            pc: site.entry + u32::from(first.is_some()),
            sibling: NONE,
            open: 0,
            doing: Doing::Going,
            failed: None,
        });
        if attempt.awaited() == Awaited::Call {
            self.note_visit(cx, &attempt, host.replica, visit);
        }
        if self.replicas[host.replica as usize].uneven && self.fails(cx, host, site, visit) {
            return;
        }
        match first {
            Some(demand) => self.work(cx, host, visit, demand),
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

    /// Goes on until something has to be waited for. At the end of a visit often its caller goes on next: that
    /// needs no turn of the list.
    #[inline(always)]
    pub(super) fn resume<P: Probe>(&mut self, cx: &mut Cx<'_, P>, mut visit: u32) {
        while self.has_ended(cx, visit) {
            self.end(cx, visit);
            let Some(next) = self.todo.pop_resume() else { return };
            self.consequences += 1;
            visit = next;
        }
    }

    /// Follows the program of a visit. Answers whether it is through, or has failed.
    #[inline(always)]
    fn has_ended<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) -> bool {
        let topology = cx.topology;
        loop {
            let v = &mut self.visits[visit];
            if v.doing != Doing::Going {
                return false;
            }
            if v.failed.is_some() {
                self.abandon_fetches(topology, visit, NONE);
                return true;
            }
            let op = &topology.ops[v.pc as usize];
            v.pc += 1;
            let (key, request, replica) = (v.attempt.name(), v.attempt.request, v.replica);
            match op {
                Op::Work { demand, draw } => {
                    let demand = demand.sample(&mut key.index(*draw).rng());
                    let host = self.host(topology, replica);
                    self.work(cx, host, visit, demand);
                    return false;
                }
                Op::Delay { time, draw } => {
                    v.doing = Doing::Delayed;
                    v.until = cx.now.saturating_add(time.sample(&mut key.index(*draw).rng()));
                    cx.agenda.schedule(v.until, Class::Ordinary, Event::StepEnd { visit });
                    return false;
                }
                Op::Call(site) => {
                    self.start_call(cx, *site, visit, request, key);
                    return false;
                }
                Op::Send(site) => self.hand_over(cx, *site, visit, request, key),
                Op::Branch { targets, draw } => {
                    let u = key.index(*draw).uniform();
                    let chosen = targets.iter().find(|(p, _)| u < *p).or(targets.last());
                    v.pc = chosen.expect("a branch has targets").1;
                }
                Op::Parallel { targets, join } => {
                    v.pc = *join;
                    self.fork(visit, targets, 0);
                    return false;
                }
                Op::Quorum { targets, need, join } => {
                    v.pc = *join;
                    self.fork(visit, targets, *need);
                    return false;
                }
                Op::Reply => self.reply_early(cx, visit),
                Op::Fail { p, draw } => {
                    if key.index(*draw).uniform() < *p {
                        v.failed = Some(Cause::Error);
                    }
                }
                Op::Goto(to) => v.pc = *to,
                Op::Lookup(lookup) => {
                    if !self.look_up(cx, visit, *lookup) {
                        return false;
                    }
                }
                Op::Store(lookup) => self.store(cx, visit, *lookup),
                Op::End => return true,
            }
        }
    }

    /// Starts the branches of a visit, of which it needs so many, or, for 0, waits for all.
    #[inline(never)]
    fn fork(&mut self, visit: u32, targets: &[u32], need: u16) {
        let parent = self.visits[visit].clone();
        let mut first = NONE;
        for &pc in targets.iter().rev() {
            let standing = parent.attempt.standing.awaited_by(Awaited::Parent);
            let attempt = Attempt { by: visit, standing, ..parent.attempt };
            let branch = Visit { attempt, pc, sibling: first, open: 0, doing: Doing::Going, failed: None, ..parent };
            first = self.visits.insert(branch);
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
    fn work<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, visit: u32, demand: SimDuration) {
        if self.replicas[host.replica as usize].uneven {
            return self.work_unevenly(cx, host, visit, demand);
        }
        self.work_evenly(cx, host, visit, demand);
    }

    /// The same where work takes as long as is asked for.
    #[inline(always)]
    pub(super) fn work_evenly<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        host: Host<'_>,
        visit: u32,
        demand: SimDuration,
    ) {
        let v = &mut self.visits[visit];
        let replica = &mut self.replicas[host.replica as usize];
        cx.probe.demand(cx.now, host.service, v.attempt.request, demand);
        if host.spec.server_is_thread {
            return v.work_alone(cx, visit, demand);
        }
        let processor = &mut replica.processor;
        match host.spec.processor {
            ProcessorSpec::Servers(servers) if host.spec.preempts => {
                self.work_by_urgency(cx, host, visit, demand, servers);
            }
            ProcessorSpec::Servers(servers) => {
                if processor.take_server(servers) {
                    v.work_alone(cx, visit, demand);
                    self.set_busy(cx, host, 1);
                } else {
                    v.wait_for_server(demand);
                    processor.wait(visit);
                }
            }
            ProcessorSpec::Infinite => {
                processor.take_server(u32::MAX);
                v.work_alone(cx, visit, demand);
                self.set_busy(cx, host, 1);
            }
            ProcessorSpec::Cores(_) | ProcessorSpec::Usl { .. } => {
                v.doing = Doing::Sharing;
                v.until = SimTime::from_nanos(demand.as_nanos());
                let before = processor.busy(&host.spec.processor);
                processor.join(cx.now, &host.spec.processor, visit, demand);
                let more = processor.busy(&host.spec.processor) - before;
                self.tick_later(cx, host.replica);
                self.set_busy(cx, host, more as i32);
            }
            ProcessorSpec::Hosted { .. } => self.work_on_machine(cx, host, visit, demand),
        }
    }

    /// Changes how many servers or cores of the service are in use.
    #[inline(always)]
    pub(super) fn set_busy<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, change: i32) {
        if change != 0 {
            let load = &mut self.services[usize::from(host.service)].load;
            load.busy = load.busy.checked_add_signed(change).expect("what is released was in use");
            self.touch(cx, host.service);
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
            let host = self.host(cx.topology, replica);
            if !host.spec.server_is_thread {
                self.release_server(cx, host, visit);
            }
        }
        // Nothing is to be done before: no need to put it on the list.
        self.resume(cx, visit);
    }

    /// The server of a visit is free: whoever is ready takes it.
    #[inline(always)]
    fn release_server<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, visit: u32) {
        if let ProcessorSpec::Hosted { .. } = host.spec.processor {
            return self.leave_machine(cx, host, visit, Doing::Working);
        }
        let processor = &mut self.replicas[host.replica as usize].processor;
        processor.leave_server(visit);
        let somebody_is_ready = processor.somebody_is_ready();
        self.set_busy(cx, host, -1);
        if somebody_is_ready {
            self.start_ready(cx, host);
        }
    }

    /// Visits that wait for a server take those that are free.
    #[inline(never)]
    pub(super) fn start_ready<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>) {
        let ProcessorSpec::Servers(servers) = host.spec.processor else {
            return;
        };
        while let Some(next) = self.replicas[host.replica as usize].processor.next_ready(servers) {
            self.set_busy(cx, host, 1);
            let v = &mut self.visits[next];
            v.work_alone(cx, next, SimDuration::from_nanos(v.until.as_nanos()));
            if self.replicas[host.replica as usize].is_stopped() {
                self.visits[next].stop(cx.now);
            }
        }
    }

    /// A shared processor reaches a completion, or finds it was delayed by newcomers.
    pub(super) fn processor_tick<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32) {
        let host = self.host(cx.topology, replica);
        let (processor, spec) = (&mut self.replicas[replica as usize].processor, &host.spec.processor);
        if !processor.takes_tick(cx.now) {
            return;
        }
        let before = processor.busy(spec);
        while let Some(visit) = processor.next_done(cx.now, spec) {
            let v = &mut self.visits[visit];
            cx.probe.shared_work_done(cx.now, host.service, SimDuration::from_nanos(v.until.as_nanos()));
            v.doing = Doing::Going;
            self.todo.push_back(Todo::Resume { visit });
        }
        let after = processor.busy(spec);
        self.tick_later(cx, replica);
        self.set_busy(cx, host, after as i32 - before as i32);
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
        let host = self.host(cx.topology, replica);
        let taken = self.release_thread(cx, host);
        let (ok, wanted) = (result.is_ok(), self.wanted(&attempt));
        let replied = attempt.awaited() == Awaited::Replied;
        let service = host.service;
        let response = Response { service, site: attempt.site, arrived: attempt.arrived, ok, wanted, replied };
        cx.probe.responded(cx.now, &response);
        if host.spec.adaptive {
            if !replied {
                self.learn(cx, replica, &attempt, ok, wanted);
            }
            self.report_idle(host);
        }
        if self.todo.is_empty() {
            // The order of the list, without the list. A reply puts on it what its caller does next, so
            // this goes no deeper.
            if taken {
                self.dispatch(cx, host);
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
        if v.attempt.awaited() == Awaited::Loose {
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
        debug_assert!(v.attempt.awaited() != Awaited::Loose, "nobody cancels what is loose");
        v.doing = Doing::Free;
        self.abandon_fetches(cx.topology, visit, NONE);
        let host = self.host(cx.topology, replica);
        let (processor, spec) = (&mut self.replicas[replica as usize].processor, &host.spec.processor);
        match doing {
            Doing::Ready | Doing::Working | Doing::Sharing if host.spec.processor.host().is_some() => {
                self.leave_machine(cx, host, visit, doing);
            }
            Doing::Ready => processor.remove(cx.now, spec, visit, false),
            Doing::Working | Doing::Stopped if host.spec.server_is_thread => {}
            Doing::Working | Doing::Stopped => self.release_server(cx, host, visit),
            Doing::Sharing => {
                let before = processor.busy(spec);
                processor.remove(cx.now, spec, visit, true);
                let after = processor.busy(spec);
                self.tick_later(cx, replica);
                self.set_busy(cx, host, after as i32 - before as i32);
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
                    Phase::Lost => {
                        self.forget_lost(cx.topology, call);
                        self.release_connection(cx, call);
                    }
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
            Doing::Free | Doing::Going | Doing::Delayed | Doing::Waiting => {}
        }
        self.visits.free(visit);
        if !branch {
            if self.release_thread(cx, host) {
                self.todo.push_back(Todo::Dispatch { replica });
            }
            if host.spec.adaptive {
                self.report_idle(host);
            }
            cx.probe.turned_away(cx.now, host.service, Cause::Timeout);
        }
    }
}
