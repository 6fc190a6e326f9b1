//! Clients that do not join, and clients that leave the queue.
//!
//! Patience runs from when an attempt joins the queue of the service that its client asks, until it gets a
//! thread. Meanwhile [`Call::due`] is the end of the patience, if that comes before the timeout, and
//! [`Call::visit`] is [`PATIENT`].

use super::attempt::{Attempt, attempt_key};
use super::call::{Call, Phase};
use super::hedge::HEDGED;
use super::{Cx, NONE, State, purpose};
use crate::policy::discipline::Order;
use crate::probe::{Cause, Probe};
use crate::topology::{Caller, ClientSpec, Site, Topology};
use sim_core::random::Key;
use sim_core::time::SimTime;

/// No visit yet, and the call is due when its patience ends.
pub(super) const PATIENT: u32 = NONE - 1;

/// Places of cancelled attempts that are not worth clearing away.
const FEW: usize = 64;

impl Call {
    /// The visit that the attempt became, if it has begun.
    pub(super) const fn begun(&self) -> Option<u32> {
        if self.visit < PATIENT { Some(self.visit) } else { None }
    }
}

/// The population that calls here.
fn population<'a>(topology: &'a Topology, site: &Site) -> Option<&'a ClientSpec> {
    match site.caller {
        Caller::Client(client) => Some(&topology.clients[usize::from(client)]),
        Caller::Service(_) => None,
    }
}

impl State {
    /// How urgent what is called here is: as its population, or as the visit that calls.
    #[inline(always)]
    pub(super) fn priority_of(&self, topology: &Topology, site: u16, caller: u32) -> u8 {
        if topology.prioritised { self.looked_up_priority(topology, site, caller) } else { 0 }
    }

    #[inline(never)]
    fn looked_up_priority(&self, topology: &Topology, site: u16, caller: u32) -> u8 {
        let of_population = population(topology, &topology.sites[usize::from(site)]).map(|client| client.priority);
        of_population.unwrap_or_else(|| self.visits[caller].attempt.standing.priority())
    }

    /// Whether a client's attempt does not join those at a replica, or, for [`NONE`] as under a shared layout,
    /// those at all.
    #[cold]
    pub(super) fn balks(&self, topology: &Topology, attempt: &Attempt, replica: u32) -> bool {
        let site = &topology.sites[usize::from(attempt.site)];
        let present = if replica == NONE {
            let load = self.services[usize::from(site.callee)].load;
            load.waiting + load.held
        } else {
            self.replicas[replica as usize].outstanding()
        };
        let draw = attempt.name().index(purpose::BALKING);
        population(topology, site).is_some_and(|client| client.balking.balks(present, draw))
    }

    /// The attempt of a call has joined a queue: its patience begins, if it ends before the timeout.
    #[cold]
    pub(super) fn begin_patience<P: Probe>(&mut self, cx: &mut Cx<'_, P>, attempt: &Attempt) {
        let site = &cx.topology.sites[usize::from(attempt.site)];
        let patience = population(cx.topology, site).and_then(|client| client.patience.as_ref());
        let Some(patience) = patience else { return };
        let ends = cx.now.saturating_add(patience.sample(&mut attempt.name().index(purpose::PATIENCE).rng()));
        let call = &mut self.calls[attempt.by];
        // A call hedged under another design than the present one has no patience.
        if ends <= call.due && ends != SimTime::MAX && call.replica != HEDGED {
            call.due = ends;
            call.visit = PATIENT;
            self.set_timer(cx, attempt.by);
        }
    }

    /// The attempt of a call has a thread: from now on only its timeout counts.
    #[cold]
    pub(super) fn end_patience<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let due = self.given_up(cx.topology, slot).max(cx.now);
        let call = &mut self.calls[slot];
        call.due = due;
        call.visit = NONE;
        self.set_timer(cx, slot);
    }

    /// When a call that was sent gives up even if its attempt is at work; `MAX` if never.
    #[inline]
    pub(super) fn given_up(&self, topology: &Topology, slot: u32) -> SimTime {
        let call = &self.calls[slot];
        if call.visit != PATIENT {
            return call.due;
        }
        let timeout = topology.sites[usize::from(call.site)].timeout;
        timeout.map_or(SimTime::MAX, |timeout| call.since.saturating_add(timeout))
    }

    /// The patience of an attempt has ended: it leaves the queue, unless that is lost.
    #[cold]
    pub(super) fn renege<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let call = &self.calls[slot];
        if call.phase == Phase::Sent {
            let callee = cx.topology.sites[usize::from(call.site)].callee;
            let (replica, attempt) = (call.replica, attempt_key(call.key, call.attempt));
            self.cancel_waiting(cx, callee, replica, attempt, Cause::Reneged);
        }
        self.forget_lost(cx.topology, slot);
        self.attempt_failed(cx, slot, Cause::Reneged);
    }

    /// Stops an attempt that waits in a queue of a service: of a replica, or, for [`NONE`], that of all. It
    /// stops counting now, and is skipped when its turn comes.
    pub(super) fn cancel_waiting<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        callee: u16,
        replica: u32,
        attempt: Key,
        cause: Cause,
    ) {
        let service = &mut self.services[usize::from(callee)];
        service.cancelled.insert(attempt.bits());
        service.load.waiting -= 1;
        cx.probe.turned_away(cx.now, callee, cause);
        let (line, waiting) = match replica {
            NONE => (&mut service.queue, service.load.waiting),
            id => {
                let host = &mut self.replicas[id as usize];
                host.waiting -= 1;
                (&mut host.queue, host.waiting)
            }
        };
        // Unless the oldest is always next, the turn of those further back may never come: there are never
        // more of them than of those that wait, but for a few.
        if line.len() > 2 * waiting as usize + FEW {
            let order = cx.topology.services[usize::from(callee)].order;
            line.retain(order, |attempt| !service.cancelled.remove(&attempt.name().bits()));
        }
        self.touch(cx, callee);
        self.sweep(callee, replica);
    }

    /// The queues of a service are lined up anew.
    pub(super) fn reorder(&mut self, service: usize, order: Order) {
        self.services[service].queue.reorder(order);
        let own = self.replicas.iter_mut().filter(|replica| usize::from(replica.service) == service);
        own.for_each(|replica| replica.queue.reorder(order));
    }
}
