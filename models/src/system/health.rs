//! What a balancer with health checks knows of replicas, and what becomes of attempts at those that have
//! crashed without its knowing.
//!
//! A crashed replica that is still taken for healthy keeps its slot ([`super::Replica::believed`]). Attempts that were
//! lost there, and whose callers still wait, count as outstanding: in [`super::Replica::waiting`], which is of no
//! other use to what is gone.

use super::attempt::{Attempt, Awaited};
use super::call::Phase;
use super::hedge::HEDGED;
use super::replica::{Replica, ServiceState};
use super::{Cx, NONE, ReplicaState, State};
use crate::event::Event;
use crate::policy::balancer::Member;
use crate::policy::health::{Health, Silence};
use crate::probe::{Cause, Probe};
use crate::topology::Topology;
use sim_core::agenda::Class;
use sim_core::time::SimTime;

impl State {
    fn health_of<'a>(&self, topology: &'a Topology, service: u16) -> Option<&'a Health> {
        topology.services[usize::from(service)].health.as_ref()
    }

    /// Plans the next look at the health of a service's replicas.
    pub(super) fn look_after<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        if let Some(health) = self.health_of(cx.topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
            && let Some(at) = state.plan(health, cx.now)
        {
            cx.agenda.schedule(at, Class::Ordinary, Event::Balancer { service: u32::from(service) });
        }
    }

    /// A look at the health of a service's replicas.
    pub(super) fn look_at_health<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let Some(health) = self.health_of(cx.topology, service) else { return };
        let replicas = &self.replicas;
        let ServiceState { health: Some(state), balancer, .. } = &mut self.services[usize::from(service)] else {
            return;
        };
        let before = state.used().to_vec();
        state.look(health, cx.now);
        // Who is back and has nothing to do reports anew.
        for member in state.used().iter().filter(|member| !before.contains(member)) {
            let replica = &replicas[member.id as usize];
            if replica.state == ReplicaState::Up && replica.outstanding() == 0 {
                balancer.idle(*member);
            }
        }
        self.look_after(cx, service);
    }

    /// A replica takes requests from now on.
    pub(super) fn health_joined<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, member: Member) {
        if let Some(health) = self.health_of(cx.topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
        {
            if let Some(before) = state.joined(health, member, cx.now) {
                self.replicas[before.id as usize].believed = false;
            }
            self.look_after(cx, service);
        }
    }

    /// A replica is taken away, and its balancer told.
    pub(super) fn health_left(&mut self, topology: &Topology, service: u16, ordinal: u32) {
        if let Some(health) = self.health_of(topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
        {
            state.left(health, ordinal);
        }
    }

    /// There are to be no more replicas than desired, the crashed ones that nobody knows of included.
    pub(super) fn health_keep(&mut self, topology: &Topology, service: u16) {
        let desired = self.services[usize::from(service)].desired as usize;
        if let Some(health) = self.health_of(topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
        {
            for gone in state.keep(health, desired) {
                self.replicas[gone.id as usize].believed = false;
            }
        }
    }

    /// A replica has crashed.
    pub(super) fn health_crashed<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, member: Member, refuse: bool) {
        if let Some(health) = self.health_of(cx.topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
        {
            let how = if refuse { Silence::Refuses } else { Silence::Silent };
            self.replicas[member.id as usize].believed = state.crashed(health, member.ordinal, how);
            self.look_after(cx, service);
        }
    }

    /// An attempt has been sent to a replica. If that has crashed, says what becomes of the attempt: it is
    /// refused, or nothing is heard of it until its caller gives up.
    #[cold]
    pub(super) fn meets_a_crash<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        service: u16,
        replica: u32,
        attempt: &Attempt,
    ) -> Option<Result<(), Cause>> {
        let state = self.services[usize::from(service)].health.as_ref()?;
        let how = state.crash_of(self.replicas[replica as usize].ordinal)?;
        cx.probe.turned_away(cx.now, service, Cause::Unreachable);
        let waits = attempt.awaited() == Awaited::Call && self.calls[attempt.by].due != SimTime::MAX;
        if how == Silence::Refuses || !waits {
            self.tried(cx, replica, false);
            return Some(Err(Cause::Unreachable));
        }
        self.note_replica(attempt, replica);
        self.lose_call(attempt, replica);
        Some(Ok(()))
    }

    /// An attempt at a replica has ended well, or failed; a timeout is a failure, too.
    pub(super) fn tried<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, well: bool) {
        let Replica { service, ordinal, .. } = self.replicas[replica as usize];
        if let Some(health) = self.health_of(cx.topology, service)
            && let Some(state) = &mut self.services[usize::from(service)].health
        {
            state.tried(health, ordinal, well, cx.now);
            if !well {
                self.look_after(cx, service);
            }
        }
    }

    /// Its caller gives up an attempt that was sent, lost or not.
    #[cold]
    pub(super) fn timed_out<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) {
        let (replica, lost) = (self.calls[slot].replica, self.calls[slot].phase == Phase::Lost);
        self.forget_lost(cx.topology, slot);
        if replica != NONE {
            self.unanswered(cx, replica, lost);
        }
    }

    /// A replica has not answered in time. What it has lost tells nothing of whoever is in its place by now.
    pub(super) fn unanswered<P: Probe>(&mut self, cx: &mut Cx<'_, P>, replica: u32, lost: bool) {
        if !lost || self.replicas[replica as usize].believed {
            self.tried(cx, replica, false);
        }
    }

    /// Nobody waits any more for an attempt that was lost, if it was: it is no longer outstanding.
    #[inline]
    pub(super) fn forget_lost(&mut self, topology: &Topology, slot: u32) {
        if self.calls[slot].phase == Phase::Lost {
            self.forget_loss(topology, slot);
        }
    }

    #[cold]
    fn forget_loss(&mut self, topology: &Topology, slot: u32) {
        let (replica, callee) = (self.calls[slot].replica, topology.sites[usize::from(self.calls[slot].site)].callee);
        if replica == NONE || replica == HEDGED || self.services[usize::from(callee)].health.is_none() {
            return;
        }
        let host = &mut self.replicas[replica as usize];
        if host.service == callee && host.state == ReplicaState::Gone {
            host.waiting = host.waiting.saturating_sub(1);
        }
    }
}
