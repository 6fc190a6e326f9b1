//! Visits, the callee's side: an attempt that holds a thread and walks through its endpoint.
//!
//! A branch of `Parallel` is a visit too: it runs in the thread of its parent, has its own place in
//! the program, and is not counted as a request of the service.

use super::call::{Phase, Ticket, attempt_key};
use super::{Cx, NONE, State, Todo, Waiting};
use crate::event::Event;
use crate::probe::{Cause, Probe, Response};
use crate::topology::{Op, ProcessorSpec};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// An attempt under way at a replica, or a branch of one.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// Names the attempt's call.
    pub(super) key: Key,
    /// Names the request.
    pub(super) request: Key,
    /// When the attempt arrived at the service.
    pub(super) arrived: SimTime,
    /// While working or delayed: until when, or the demand while waiting for a server. While calling:
    /// the number of the call. While joining: the number of the first branch.
    pub(super) until: SimTime,
    /// The call that waits for the reply, or [`NONE`]; for a branch, the parent visit.
    pub(super) call: u32,
    /// Where it is.
    pub(super) replica: u32,
    /// The next instruction.
    pub(super) pc: u32,
    /// For a branch: the next branch of the same parent, or [`NONE`].
    pub(super) sibling: u32,
    /// From where it was called.
    pub(super) site: u16,
    /// Branches that have not ended.
    pub(super) open: u16,
    /// Which attempt of its call.
    pub(super) attempt: u8,
    /// What it does.
    pub(super) doing: Doing,
    /// Whether this is a branch.
    pub(super) branch: bool,
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
    /// Waits for its branches.
    Joining,
}

const _: () = assert!(size_of::<Visit>() <= 56, "a visit is small: there are as many as requests in service");

impl Visit {
    pub(super) fn ticket(&self) -> Ticket {
        Ticket { key: self.key, call: self.call, attempt: self.attempt }
    }
}

impl State {
    /// An attempt gets a thread of a replica.
    #[inline]
    pub(super) fn admit<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, waiting: Waiting) {
        let site = &cx.topology.sites[usize::from(waiting.site)];
        let (callee, endpoint) = (site.callee, site.endpoint);
        let spec = &cx.topology.services[usize::from(callee)];
        let entry = cx.topology.endpoints[usize::from(endpoint)].entry;
        let host = &mut self.replicas[replica as usize];
        host.held += 1;
        let service = &mut self.services[usize::from(callee)];
        service.held += 1;
        cx.probe.held(cx.now, callee, service.held);
        cx.probe.admitted(cx.now, callee, cx.now.since(waiting.arrived));
        if spec.server_is_thread && host.processor.take_server(u32::MAX) {
            service.busy += 1;
            cx.probe.busy(cx.now, callee, service.busy);
        }
        let visit = self.visits.insert(|_| Visit {
            key: waiting.key,
            request: waiting.request,
            arrived: waiting.arrived,
            until: SimTime::ZERO,
            call: waiting.call,
            replica,
            pc: entry,
            sibling: NONE,
            site: waiting.site,
            open: 0,
            attempt: waiting.attempt,
            doing: Doing::Going,
            branch: false,
            failed: None,
        });
        if waiting.call != NONE && self.wanted(waiting.ticket()) {
            self.calls[waiting.call].visit = visit;
        }
        self.todo.push_back(Todo::Resume { visit });
    }

    /// A call of the visit has ended.
    #[inline]
    pub(super) fn continue_visit(&mut self, visit: u32, result: Result<(), Cause>) {
        let v = &mut self.visits[visit];
        debug_assert_eq!(v.doing, Doing::Calling, "only a visit that calls hears of the end of a call");
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
            let key = attempt_key(v.key, v.attempt);
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
                Op::Call(site) => {
                    v.doing = Doing::Calling;
                    let request = v.request;
                    return self.start_call(cx, *site, visit, request, key);
                }
                Op::Send(site) => {
                    let request = v.request;
                    self.hand_over(cx, *site, request, key);
                }
                Op::Branch { targets, draw } => {
                    let u = key.index(*draw).uniform();
                    let chosen = targets.iter().find(|(p, _)| u < *p).or(targets.last());
                    v.pc = chosen.expect("a branch has targets").1;
                }
                Op::Parallel { targets, join } => {
                    v.pc = *join;
                    return self.fork(visit, targets);
                }
                Op::Goto(to) => v.pc = *to,
                Op::End => return self.end(cx, visit),
            }
        }
    }

    /// Starts the branches of a visit.
    #[inline(never)]
    fn fork(&mut self, visit: u32, targets: &[u32]) {
        let parent = self.visits[visit].clone();
        let mut first = NONE;
        for &pc in targets.iter().rev() {
            first = self.visits.insert(|_| Visit {
                call: visit,
                pc,
                sibling: first,
                open: 0,
                doing: Doing::Going,
                branch: true,
                failed: None,
                ..parent.clone()
            });
        }
        let v = &mut self.visits[visit];
        v.doing = Doing::Joining;
        v.open = targets.len() as u16;
        v.until = SimTime::from_nanos(u64::from(first));
        let mut branch = first;
        while branch != NONE {
            self.todo.push_back(Todo::Resume { visit: branch });
            branch = self.visits[branch].sibling;
        }
    }

    /// The visit needs the processor for `demand`.
    #[inline]
    fn work<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32, demand: SimDuration) {
        let v = &mut self.visits[visit];
        let replica = v.replica;
        let host = &mut self.replicas[replica as usize];
        let service = usize::from(host.service);
        let spec = &cx.topology.services[service];
        cx.probe.demand(cx.now, host.service, v.request, demand);
        match spec.processor {
            ProcessorSpec::Servers(_) if spec.server_is_thread => self.work_alone(cx, visit, demand),
            ProcessorSpec::Servers(servers) => {
                if host.processor.take_server(servers) {
                    self.set_busy(cx, replica, 1);
                    self.work_alone(cx, visit, demand);
                } else {
                    v.doing = Doing::Ready;
                    v.until = SimTime::from_nanos(demand.as_nanos());
                    host.processor.wait(visit);
                }
            }
            ProcessorSpec::Infinite => {
                host.processor.take_server(u32::MAX);
                self.set_busy(cx, replica, 1);
                self.work_alone(cx, visit, demand);
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

    #[inline]
    fn work_alone<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32, demand: SimDuration) {
        let v = &mut self.visits[visit];
        v.doing = Doing::Working;
        v.until = cx.now.saturating_add(demand);
        cx.agenda.schedule(v.until, Class::Ordinary, Event::StepEnd { visit });
    }

    /// Changes how many servers or cores of the service are in use.
    #[inline]
    pub(super) fn set_busy<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, change: i32) {
        if change != 0 {
            let id = self.replicas[replica as usize].service;
            let service = &mut self.services[usize::from(id)];
            service.busy = service.busy.checked_add_signed(change).expect("what is released was in use");
            cx.probe.busy(cx.now, id, service.busy);
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
            let demand = SimDuration::from_nanos(self.visits[next].until.as_nanos());
            self.work_alone(cx, next, demand);
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
    #[inline]
    fn end<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let v = &mut self.visits[visit];
        v.doing = Doing::Free;
        if v.branch {
            let (parent, failed) = (v.call, v.failed);
            self.unlink(parent, visit);
            self.visits.free(visit);
            let p = &mut self.visits[parent];
            p.failed = p.failed.or(failed);
            p.open -= 1;
            if p.open == 0 {
                p.doing = Doing::Going;
                self.todo.push_back(Todo::Resume { visit: parent });
            }
            return;
        }
        let (ticket, result) = (v.ticket(), v.failed.map_or(Ok(()), Err));
        let (replica, arrived, site) = (v.replica, v.arrived, v.site);
        self.visits.free(visit);
        let service = self.replicas[replica as usize].service;
        let taken = self.release_thread(cx, replica);
        let response = Response { service, site, arrived, ok: result.is_ok(), wanted: self.wanted(ticket) };
        cx.probe.responded(cx.now, &response);
        if self.todo.is_empty() {
            // The order of the list, without the list. A reply puts on it what its caller does next, so
            // this goes no deeper.
            if taken {
                self.dispatch(cx, replica);
            }
            self.reply(cx, ticket, result);
        } else {
            if taken {
                self.todo.push_back(Todo::Dispatch { replica });
            }
            self.todo.push_back(Todo::Reply { ticket, result });
        }
    }

    /// Takes a branch out of its parent's list.
    #[inline(never)]
    fn unlink(&mut self, parent: u32, branch: u32) {
        let after = self.visits[branch].sibling;
        let first = self.visits[parent].until.as_nanos() as u32;
        if first == branch {
            self.visits[parent].until = SimTime::from_nanos(u64::from(after));
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
        let (doing, until, replica, branch) = (v.doing, v.until, v.replica, v.branch);
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
                match self.calls[call].phase {
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
