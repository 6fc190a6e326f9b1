//! Calls, the caller's side: from the first attempt to the final reply or failure.
//!
//! ```text
//!              +--------- backoff <--- fails, may be repeated
//!              v                            |
//!   begin -> waits for a connection -> sent -> reply -> finished
//!                     |                 |
//!                     +---- timer ------+--> gives up: fails
//! ```
//!
//! An attempt is *wanted* while its call is [`Phase::Sent`] with the attempt's key and number. Giving
//! up touches no queue: the attempt is simply no longer wanted. A call without any policy is *direct*: nothing
//! of it is remembered here, its attempt knows by itself who waits for it.

use super::attempt::{Attempt, Awaited, Standing, attempt_key};
use super::hedge::HEDGED;
use super::patience::PATIENT;
use super::replica::Host;
use super::visit::Doing;
use super::{Cx, NONE, State, Todo, purpose};
use crate::blueprint::Layout;
use crate::event::Event;
use crate::policy::balancer::View;
use crate::probe::{self, Cause, Outcome, Probe};
use crate::topology::{Caller, Site, Topology};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::SimTime;

/// One call with all its attempts.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Names the call; draws of its first attempt derive from it.
    pub(super) key: Key,
    /// Names the request on whose behalf it is made.
    pub(super) request: Key,
    /// When its first attempt began.
    pub(super) started: SimTime,
    /// When the attempt under way began.
    pub(super) since: SimTime,
    /// When the attempt is given up, or the backoff ends; `MAX` if never.
    pub(super) due: SimTime,
    /// When the slot's pending timer event comes; `MAX` if none is pending. It outlives the call: the
    /// next call in the slot uses it, so that timers never outnumber slots by much.
    pub(super) timer: SimTime,
    /// The calling visit, or the closed user.
    pub(super) caller: u32,
    /// The replica the attempt was sent to, or [`NONE`]; or [`HEDGED`], and then [`Self::visit`] is a round.
    pub(super) replica: u32,
    /// The visit the attempt became, or [`NONE`] or [`PATIENT`] while it waits.
    pub(super) visit: u32,
    /// From where it is made.
    pub(super) site: u16,
    /// The attempt under way, from 0.
    pub(super) attempt: u8,
    /// What it waits for.
    pub(super) phase: Phase,
}

/// A call's place among those who wait for a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) key: Key,
    pub(super) call: u32,
    pub(super) attempt: u8,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing: the slot is free.
    Free,
    /// A connection of the caller's pool.
    Pool,
    /// The reply.
    Sent,
    /// The reply, but the attempt was lost in a crash and none will come.
    Lost,
    /// The end of its backoff.
    Backoff,
    /// The end of an attempt that was given up, to give its connection back.
    Zombie,
}

const _: () = assert!(size_of::<Call>() <= 64, "a call is small: there are as many as requests in flight");

impl State {
    /// Starts a call; `caller` is the calling visit or the closed user.
    #[inline(always)]
    pub(super) fn start_call<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        site_id: u16,
        caller: u32,
        request: Key,
        parent: Key,
    ) {
        let site = &cx.topology.sites[usize::from(site_id)];
        let key = parent.index(site.path);
        if site.direct {
            let awaited = match site.caller {
                Caller::Client(_) => Awaited::Client,
                Caller::Service(_) => {
                    self.visits[caller].call_directly(key);
                    Awaited::Visit
                }
            };
            let standing = Standing::new(awaited, self.priority_of(cx.topology, site_id, caller));
            let attempt = Attempt { key, request, arrived: cx.now, by: caller, site: site_id, number: 0, standing };
            return self.send_directly(cx, site, attempt);
        }
        let timer = self.calls.last_freed().map_or(SimTime::MAX, |before| before.timer);
        let call = self.calls.insert(Call {
            key,
            request,
            started: cx.now,
            since: cx.now,
            due: SimTime::MAX,
            timer,
            caller,
            replica: NONE,
            visit: NONE,
            site: site_id,
            attempt: 0,
            phase: Phase::Free,
        });
        if let Caller::Service(_) = site.caller {
            self.visits[caller].call(call);
        }
        self.begin_attempt(cx, call);
    }

    /// Sends the only attempt of a call without policy.
    #[inline(always)]
    fn send_directly<P: Probe>(&mut self, cx: &mut Cx<'_, P>, site: &Site, attempt: Attempt) {
        let Attempt { request, site: site_id, .. } = attempt;
        cx.probe.attempt(cx.now, &probe::Attempt { site: site_id, request, attempt: 0 });
        match self.deliver(cx, site, attempt) {
            Ok(()) => {}
            Err(cause) if attempt.awaited() == Awaited::Nobody => cx.probe.attempt_failed(cx.now, site_id, cause),
            Err(cause) => self.todo.push_back(Todo::Reply { attempt, result: Err(cause) }),
        }
    }

    /// Sends what nobody waits for.
    #[inline(never)]
    pub(super) fn hand_over<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        site_id: u16,
        caller: u32,
        request: Key,
        parent: Key,
    ) {
        let site = &cx.topology.sites[usize::from(site_id)];
        let key = parent.index(site.path);
        let standing = Standing::new(Awaited::Nobody, self.priority_of(cx.topology, site_id, caller));
        let attempt = Attempt { key, request, arrived: cx.now, by: NONE, site: site_id, number: 0, standing };
        self.send_directly(cx, site, attempt);
    }

    /// Begins the next attempt: takes a connection, or waits for one, or sends.
    fn begin_attempt<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let topology = cx.topology;
        let site = &topology.sites[usize::from(self.calls[slot].site)];
        let inherited = if site.inherits { self.inherited(topology, self.calls[slot].caller) } else { None };
        let call = &mut self.calls[slot];
        call.since = cx.now;
        call.due = site.timeout.map_or(SimTime::MAX, |t| cx.now.saturating_add(t));
        call.phase = Phase::Pool;
        if call.replica == HEDGED {
            self.rounds[call.visit].begin(call.attempt);
        } else {
            call.visit = NONE;
            call.replica = NONE;
        }
        cx.probe.attempt(cx.now, &probe::Attempt { site: call.site, request: call.request, attempt: call.attempt });
        let (pool, caller) = (site.pool, call.caller);
        if let Some(inherited) = inherited {
            call.due = call.due.min(inherited);
            if inherited <= cx.now {
                return self.fail_attempt(cx, slot, Cause::Timeout);
            }
        }
        if site.guard.is_some()
            && let Err(cause) = self.enter(cx, slot)
        {
            return self.fail_attempt(cx, slot, cause);
        }
        self.set_timer(cx, slot);
        let Some(pool) = pool else {
            return self.send(cx, slot);
        };
        let replica = self.visits[caller].replica;
        if self.take_connection(cx, replica, pool) {
            self.send(cx, slot);
        } else {
            let call = &mut self.calls[slot];
            call.phase = Phase::Pool;
            let claim = Claim { key: call.key, call: slot, attempt: call.attempt };
            self.replicas[replica as usize].pools[usize::from(pool)].wait(claim);
            self.pooled += 1;
        }
    }

    /// Sends the attempt to a replica of the callee.
    #[inline]
    pub(super) fn send<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &self.calls[slot];
        let priority = self.priority_of(cx.topology, call.site, call.caller);
        let call = &mut self.calls[slot];
        call.phase = Phase::Sent;
        if call.replica == HEDGED {
            self.rounds[call.visit].send(call.attempt);
        }
        let attempt = Attempt {
            key: call.key,
            request: call.request,
            arrived: cx.now,
            by: slot,
            site: call.site,
            number: call.attempt,
            standing: Standing::new(Awaited::Call, priority),
        };
        if let Err(cause) = self.deliver(cx, &cx.topology.sites[usize::from(attempt.site)], attempt) {
            self.todo.push_back(Todo::Reply { attempt, result: Err(cause) });
        }
    }

    /// An attempt reaches its service: it gets a thread, waits, or is turned away.
    #[inline(always)]
    fn deliver<P: Probe>(&mut self, cx: &mut Cx<'_, P>, site: &Site, attempt: Attempt) -> Result<(), Cause> {
        let callee = site.callee;
        let spec = &cx.topology.services[usize::from(callee)];
        let replicas = &self.replicas;
        let service = &mut self.services[usize::from(callee)];
        service.offered += 1;
        cx.probe.service_arrival(cx.now, callee);
        // The replica with a thread for it, or else the one in whose queue it waits, and who is before it.
        let (free, host, before) = match spec.layout {
            Layout::PerReplica => {
                let view = View {
                    up: service.health.as_ref().map_or(&service.up, |health| health.used()),
                    desired: service.desired,
                    outstanding: |id: u32| replicas[id as usize].outstanding(),
                    attempt: attempt.name(),
                    request: attempt.request,
                    now: cx.now,
                    slowness: &spec.slowness,
                };
                let Some(id) = service.balancer.pick(&view) else {
                    cx.probe.turned_away(cx.now, callee, Cause::Unreachable);
                    return Err(Cause::Unreachable);
                };
                if spec.watched {
                    self.chosen(cx, callee);
                    if let Some(end) = self.meets_a_crash(cx, callee, id, &attempt) {
                        return end;
                    }
                }
                let replica = &self.replicas[id as usize];
                (replica.held < spec.threads && replica.waiting == 0, id, replica.waiting)
            }
            Layout::Shared => {
                if service.up.is_empty() {
                    cx.probe.turned_away(cx.now, callee, Cause::Unreachable);
                    return Err(Cause::Unreachable);
                }
                let waiting = service.load.waiting;
                let free = if waiting == 0 { service.free_thread(replicas, spec.threads, &attempt) } else { None };
                (free.is_some(), free.unwrap_or(NONE), waiting)
            }
        };
        if site.balks && self.balks(cx.topology, &attempt, if spec.layout == Layout::Shared { NONE } else { host }) {
            cx.probe.turned_away(cx.now, callee, Cause::Balked);
            return Err(Cause::Balked);
        }
        if spec.selective && !self.takes_in(cx.now, cx.topology, callee, host) {
            if spec.adaptive {
                self.rejected(cx, Host { replica: host, service: callee, spec });
            }
            cx.probe.turned_away(cx.now, callee, Cause::Rejected);
            return Err(Cause::Rejected);
        }
        if free {
            self.admit(cx, site, Host { replica: host, service: callee, spec }, attempt);
            return Ok(());
        }
        if attempt.awaited() == Awaited::Call {
            self.note_replica(&attempt, host);
        }
        if before >= spec.cap {
            if spec.adaptive {
                self.rejected(cx, Host { replica: host, service: callee, spec });
            }
            cx.probe.turned_away(cx.now, callee, Cause::Rejected);
            return Err(Cause::Rejected);
        }
        let service = &mut self.services[usize::from(callee)];
        service.load.waiting += 1;
        match host {
            NONE => service.queue.push(spec.order, attempt),
            id => {
                let replica = &mut self.replicas[id as usize];
                replica.waiting += 1;
                replica.queue.push(spec.order, attempt);
            }
        }
        if site.patient && attempt.awaited() == Awaited::Call {
            self.begin_patience(cx, &attempt);
        }
        self.touch(cx, callee);
        Ok(())
    }

    /// An attempt has ended, well or badly: whoever waits for it goes on, if they still do.
    #[inline(always)]
    pub(super) fn reply<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, result: Result<(), Cause>) {
        if attempt.awaited() == Awaited::Call {
            return self.reply_to_call(cx, attempt, result);
        }
        let direct = match attempt.awaited() {
            Awaited::Client => true,
            Awaited::Visit => self.wanted(attempt),
            _ => false,
        };
        if !direct {
            return;
        }
        if let Err(cause) = result {
            cx.probe.attempt_failed(cx.now, attempt.site, cause);
        }
        match cx.topology.sites[usize::from(attempt.site)].caller {
            Caller::Client(client) => {
                let Attempt { request, arrived, site, by, .. } = *attempt;
                let outcome = Outcome { client, site, request, started: arrived, attempts: 1, result };
                self.count_outcome(cx, &outcome);
                self.think(cx, client, by);
            }
            Caller::Service(_) => self.continue_visit(attempt.by, result),
        }
    }

    /// The attempt of a call has ended. Its connection goes back; its call goes on if the attempt is still
    /// wanted.
    #[inline]
    fn reply_to_call<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt, result: Result<(), Cause>) {
        let slot = attempt.by;
        let call = &self.calls[slot];
        if call.key != attempt.key {
            return;
        }
        if call.replica == HEDGED {
            return self.reply_to_leg(cx, attempt, result);
        }
        if call.attempt != attempt.number {
            return;
        }
        let (phase, pooled) = (call.phase, cx.topology.sites[usize::from(call.site)].pool.is_some());
        match phase {
            Phase::Zombie => {
                self.release_connection(cx, slot);
                self.free_call(slot);
            }
            Phase::Sent => {
                if pooled {
                    self.release_connection(cx, slot);
                }
                match result {
                    Ok(()) => self.finish_call(cx, slot, Ok(())),
                    Err(cause) => self.attempt_failed(cx, slot, cause),
                }
            }
            Phase::Free | Phase::Pool | Phase::Backoff | Phase::Lost => {}
        }
    }

    /// The timer of a slot: gives up, ends a backoff, or was set for an earlier call and is re-armed.
    pub(super) fn call_timer<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &mut self.calls[slot];
        if call.timer != cx.now {
            return;
        }
        call.timer = SimTime::MAX;
        if call.due > cx.now {
            if cx.topology.sites[usize::from(call.site)].hedge.is_some() {
                self.hedge(cx, slot);
            }
            return self.set_timer(cx, slot);
        }
        match call.phase {
            Phase::Backoff => self.begin_attempt(cx, slot),
            Phase::Pool => {
                let (replica, pool) = self.pool_of(cx.topology, slot).expect("who waits for a connection has a pool");
                self.replicas[replica as usize].pools[usize::from(pool)].leave();
                self.attempt_failed(cx, slot, Cause::Timeout);
            }
            Phase::Sent | Phase::Lost if call.visit == PATIENT => self.renege(cx, slot),
            Phase::Sent | Phase::Lost => self.give_up(cx, slot),
            Phase::Zombie => {
                self.cancel_legs(cx, slot);
                self.free_call(slot);
            }
            Phase::Free => {}
        }
    }

    /// The caller stops waiting for an attempt that was sent.
    fn give_up<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        if self.calls[slot].replica == HEDGED {
            return self.give_up_round(cx, slot);
        }
        let lost = self.calls[slot].phase == Phase::Lost;
        if cx.topology.services[usize::from(cx.topology.sites[usize::from(self.calls[slot].site)].callee)].watched {
            self.timed_out(cx, slot);
        }
        let cancel = cx.topology.sites[usize::from(self.calls[slot].site)].cancel;
        let mut slot = slot;
        if lost {
            self.release_connection(cx, slot);
        } else if cancel {
            self.cancel_attempt(cx, slot);
            self.release_connection(cx, slot);
        } else if self.pool_of(cx.topology, slot).is_some() {
            slot = self.leave_zombie(slot, cx.topology.sites[usize::from(self.calls[slot].site)].caller);
        }
        self.attempt_failed(cx, slot, Cause::Timeout);
    }

    /// The attempt keeps its connection until it ends: it keeps the slot, and the call moves to a new one.
    pub(super) fn leave_zombie(&mut self, slot: u32, by: Caller) -> u32 {
        let mut call = self.calls[slot].clone();
        let caller = call.caller;
        self.move_round(&mut call);
        let timer = self.calls.last_freed().map_or(SimTime::MAX, |before| before.timer);
        let moved = self.calls.insert(Call { timer, ..call });
        let zombie = &mut self.calls[slot];
        zombie.phase = Phase::Zombie;
        zombie.due = SimTime::MAX;
        // The zombie's owner is the replica whose pool it belongs to, not the visit, which may end.
        zombie.caller = match by {
            Caller::Client(_) => NONE,
            Caller::Service(_) => {
                self.visits[caller].until = SimTime::from_nanos(u64::from(moved));
                self.visits[caller].replica
            }
        };
        moved
    }

    /// An attempt failed: the call repeats it or fails.
    pub(super) fn attempt_failed<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32, cause: Cause) {
        if cx.topology.sites[usize::from(self.calls[slot].site)].guard.is_some() {
            self.leave(cx, slot, (cause != Cause::Balked).then_some(false));
        }
        self.fail_attempt(cx, slot, cause);
    }

    /// An attempt failed, perhaps before it was let through: the call repeats it or fails.
    fn fail_attempt<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32, cause: Cause) {
        cx.probe.attempt_failed(cx.now, self.calls[slot].site, cause);
        let topology = cx.topology;
        let call = &self.calls[slot];
        let site = &topology.sites[usize::from(call.site)];
        let Some(retry) = &site.retry else {
            return self.finish_call(cx, slot, Err(cause));
        };
        let repeats = self.repeats(call);
        if repeats >= retry.max || cause == Cause::Balked || call.attempt == u8::MAX {
            return self.finish_call(cx, slot, Err(cause));
        }
        if site.inherits && self.inherited(topology, call.caller).is_some_and(|due| due <= cx.now) {
            return self.finish_call(cx, slot, Err(cause));
        }
        if let Some(budget) = retry.budget {
            let bucket = match site.caller {
                Caller::Client(client) => {
                    self.clients[usize::from(client)].budget.as_mut().expect("the client has a budget")
                }
                Caller::Service(_) => {
                    let replica = self.visits[call.caller].replica;
                    &mut self.replicas[replica as usize].budgets[usize::from(budget)]
                }
            };
            if !bucket.allows_repeat() {
                return self.finish_call(cx, slot, Err(cause));
            }
        }
        let call = &mut self.calls[slot];
        let key = call.key;
        let rng = |repeat: u32| attempt_key(key, repeat as u8).index(purpose::BACKOFF).rng();
        let wait = retry.backoff.wait(u32::from(repeats), rng);
        call.attempt += 1;
        call.phase = Phase::Backoff;
        call.due = cx.now.saturating_add(wait);
        self.set_timer(cx, slot);
    }

    /// The call ends: its client is served or gives up, or its visit goes on.
    #[inline]
    pub(super) fn finish_call<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32, result: Result<(), Cause>) {
        let call = &self.calls[slot];
        let (site_id, caller) = (call.site, call.caller);
        let site = &cx.topology.sites[usize::from(site_id)];
        if result.is_ok() && site.guard.is_some() {
            self.leave(cx, slot, Some(true));
        }
        let call = &self.calls[slot];
        let budget = if result.is_ok() { site.retry.as_ref().and_then(|r| r.budget) } else { None };
        match site.caller {
            Caller::Client(client) => {
                let outcome = Outcome {
                    client,
                    site: site_id,
                    request: call.request,
                    started: call.started,
                    attempts: call.attempt + 1,
                    result,
                };
                if budget.is_some() {
                    let spec =
                        cx.topology.clients[usize::from(client)].budget.as_ref().expect("the client has a budget");
                    self.clients[usize::from(client)].budget.as_mut().expect("and its bucket").succeeded(spec);
                }
                self.free_call(slot);
                self.count_outcome(cx, &outcome);
                self.think(cx, client, caller);
            }
            Caller::Service(service) => {
                if let Some(budget) = budget {
                    let spec = &cx.topology.services[usize::from(service)].budgets[usize::from(budget)];
                    let replica = self.visits[caller].replica;
                    self.replicas[replica as usize].budgets[usize::from(budget)].succeeded(spec);
                }
                self.free_call(slot);
                self.continue_visit(caller, result);
            }
        }
    }

    /// Frees a slot; whatever still refers to it no longer matches.
    #[inline]
    pub(super) fn free_call(&mut self, slot: u32) {
        let call = &mut self.calls[slot];
        call.phase = Phase::Free;
        call.due = SimTime::MAX;
        if call.replica == HEDGED {
            call.replica = NONE;
            self.rounds.free(call.visit);
        }
        self.calls.free(slot);
    }

    /// Arms the slot's timer for its due time, or its next extra attempt, unless one that comes no later is pending.
    #[inline]
    pub(super) fn set_timer<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &mut self.calls[slot];
        let site = &cx.topology.sites[usize::from(call.site)];
        let due = if site.hedge.is_some() { call.due.min(site.hedge_due(call, cx.now)) } else { call.due };
        if due < call.timer {
            call.timer = due;
            cx.agenda.schedule(due, Class::Late, Event::CallTimer { call: slot });
        }
    }

    /// The caller's replica and pool, if the call uses one.
    #[inline]
    pub(super) fn pool_of(&self, topology: &Topology, slot: u32) -> Option<(u32, u16)> {
        let call = &self.calls[slot];
        let pool = topology.sites[usize::from(call.site)].pool?;
        let replica = if call.phase == Phase::Zombie { call.caller } else { self.visits[call.caller].replica };
        Some((replica, pool))
    }

    /// Stops an attempt downstream, wherever it is.
    pub(super) fn cancel_attempt<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &self.calls[slot];
        debug_assert!(call.replica != HEDGED, "a round is cancelled leg by leg");
        let (visit, replica, callee) = (call.begun(), call.replica, cx.topology.sites[usize::from(call.site)].callee);
        let attempt = attempt_key(call.key, call.attempt);
        if let Some(visit) = visit {
            return self.cancel_visit(cx, visit);
        }
        self.cancel_waiting(cx, callee, replica, attempt, Cause::Timeout);
    }

    /// Stops what a visit has called directly. Nobody knows where that is, so it is looked for everywhere: it
    /// comes to this only if the design cancelled nothing when the call was made and does so now.
    #[cold]
    pub(super) fn cancel_direct<P: Probe>(&mut self, cx: &mut Cx<'_, P>, caller: u32, key: Key) {
        let meant = |a: &Attempt| a.awaited() == Awaited::Visit && a.by == caller && a.key == key;
        let at_work = self.visits.slots().iter().position(|v| v.doing != Doing::Free && meant(&v.attempt));
        if let Some(visit) = at_work {
            return self.cancel_visit(cx, visit as u32);
        }
        let own = self.replicas.iter().position(|r| r.queue.iter().any(meant));
        let shared = self.services.iter().position(|s| s.queue.iter().any(meant));
        if let Some(replica) = own {
            self.cancel_waiting(cx, self.replicas[replica].service, replica as u32, key, Cause::Timeout);
        } else if let Some(service) = shared {
            self.cancel_waiting(cx, service as u16, NONE, key, Cause::Timeout);
        }
    }
}
