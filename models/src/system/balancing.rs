//! What balancers are told: replies, who is idle, who has come, and numbers of a certain age.

use super::attempt::Attempt;
use super::replica::Host;
use super::{Cx, NONE, State};
use crate::event::Event;
use crate::policy::balancer::Member;
use crate::probe::Probe;
use sim_core::agenda::Class;
use sim_core::time::SimTime;

impl State {
    /// The balancer has chosen for an attempt. If it goes by numbers of a certain age, they are to be renewed.
    #[cold]
    pub(super) fn chosen<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let next = self.services[usize::from(service)].balancer.plan(cx.now);
        self.balance_later(cx, service, next);
    }

    fn balance_later<P: Probe>(&self, cx: &mut Cx<'_, P>, service: u16, at: Option<SimTime>) {
        if let Some(at) = at {
            cx.agenda.schedule(at, Class::Ordinary, Event::Balancer { service: u32::from(service) });
        }
    }

    /// What a balancer has planned is due.
    #[cold]
    pub(super) fn balance<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let (replicas, state) = (&self.replicas, &mut self.services[usize::from(service)]);
        let used = state.health.as_ref().map_or(&state.up[..], |health| health.used());
        let next = state.balancer.look(cx.now, used, |id| replicas[id as usize].outstanding());
        self.balance_later(cx, service, next);
        self.look_at_health(cx, service);
    }

    /// A replica has rejected an attempt; or, for none, a shared queue.
    #[cold]
    pub(super) fn rejected<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>) {
        if host.replica != NONE {
            self.report_idle(host);
            self.tried(cx, host.replica, false);
        }
    }

    /// A balancer has been put in place of another: it sees how things are now.
    pub(super) fn begin_balancing<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16) {
        let (replicas, state) = (&self.replicas, &mut self.services[usize::from(service)]);
        state.balancer.update(&state.up, |id| replicas[id as usize].outstanding());
        self.chosen(cx, service);
    }

    /// A balancer hears of the reply to an attempt.
    pub(super) fn tell_balancer(&mut self, now: SimTime, replica: u32, attempt: &Attempt) {
        let host = &self.replicas[replica as usize];
        let member = Member { ordinal: host.ordinal, id: replica };
        self.services[usize::from(host.service)].balancer.replied(member, now, now.since(attempt.arrived));
    }

    /// A replica may have nothing left to do, and reports so.
    #[cold]
    pub(super) fn report_idle(&mut self, host: Host<'_>) {
        let replica = &self.replicas[host.replica as usize];
        if host.spec.adaptive && replica.outstanding() == 0 {
            let member = Member { ordinal: replica.ordinal, id: host.replica };
            self.services[usize::from(host.service)].balancer.idle(member);
        }
    }
}
