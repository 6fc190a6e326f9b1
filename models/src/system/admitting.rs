//! What a service takes in: admission rules at work.

use super::attempt::Attempt;
use super::{Cx, State};
use crate::blueprint::Layout;
use crate::policy::admission::{AdmissionState, Reply};
use crate::probe::Probe;
use crate::topology::Topology;
use sim_core::time::SimTime;

impl State {
    /// Whether an attempt that comes now is taken in by the replica chosen, or under a shared queue by the
    /// service.
    #[cold]
    pub(super) fn takes_in(&mut self, now: SimTime, topology: &Topology, service: u16, replica: u32) -> bool {
        let (rule, outstanding, state) = self.admission(topology, service, replica);
        rule.admits(state, now, outstanding)
    }

    /// A rule that adapts learns of a reply, and so does a balancer.
    #[cold]
    pub(super) fn learn<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        replica: u32,
        attempt: &Attempt,
        ok: bool,
        wanted: bool,
    ) {
        let service = self.replicas[replica as usize].service;
        self.tell_balancer(cx.now, replica, attempt);
        if wanted {
            // What was given up has been counted then.
            self.tried(cx, replica, ok);
        }
        let good = ok && wanted;
        let (rule, outstanding, state) = self.admission(cx.topology, service, replica);
        rule.replied(state, Reply { took: cx.now.since(attempt.arrived), good, outstanding: outstanding + 1 });
    }

    /// The rule, what is outstanding before it, and its state.
    fn admission<'a>(
        &'a mut self,
        topology: &'a Topology,
        service: u16,
        replica: u32,
    ) -> (&'a crate::policy::Admission, u32, &'a mut AdmissionState) {
        let spec = &topology.services[usize::from(service)];
        match spec.layout {
            Layout::PerReplica => {
                let replica = &mut self.replicas[replica as usize];
                (&spec.admission, replica.waiting + replica.held, &mut replica.admission)
            }
            Layout::Shared => {
                let service = &mut self.services[usize::from(service)];
                (&spec.admission, service.load.waiting + service.load.held, &mut service.admission)
            }
        }
    }
}
