//! Branches of which some are enough, and a reply before the end.
//!
//! A visit that has enough goes on, and leaves the branches that are still under way *loose*: they hold no
//! thread and nobody waits for them, but their replica does not retire before they have ended.

use super::attempt::Awaited;
use super::visit::Doing;
use super::{Cx, NONE, State, Todo};
use crate::probe::Probe;
use sim_core::time::SimTime;

/// What a joining visit keeps in [`super::visit::Visit::until`]: its first branch, and how many must still end
/// well, or 0 if it waits for all.
pub(super) fn joining(first: u32, need: u16) -> SimTime {
    SimTime::from_nanos(u64::from(first) | u64::from(need) << 32)
}

/// How many branches must still end well.
pub(super) const fn needed(until: SimTime) -> u16 {
    (until.as_nanos() >> 32) as u16
}

impl State {
    /// A branch of a quorum has ended: its parent has enough, can no longer have enough, or waits on.
    #[inline(never)]
    pub(super) fn end_of_quorum(&mut self, branch: u32) {
        let v = &self.visits[branch];
        let (parent, failed) = (v.attempt.by, v.failed);
        self.unlink(parent, branch);
        self.visits.free(branch);
        let p = &mut self.visits[parent];
        p.open -= 1;
        let need = needed(p.until) - u16::from(failed.is_none());
        let first = p.until.as_nanos() as u32;
        if need > 0 && p.open >= need {
            p.until = joining(first, need);
            return;
        }
        if need > 0 {
            p.failed = failed;
        }
        p.doing = Doing::Going;
        let replica = p.replica;
        let mut rest = first;
        while rest != NONE {
            let v = &mut self.visits[rest];
            v.attempt.standing = v.attempt.standing.awaited_by(Awaited::Loose);
            rest = v.sibling;
            self.replicas[replica as usize].loose += 1;
        }
        self.todo.push_back(Todo::Resume { visit: parent });
    }

    /// A branch that was left behind has ended.
    #[inline(never)]
    pub(super) fn end_loose<P: Probe>(&mut self, cx: &mut Cx<'_, P>, branch: u32) {
        let replica = self.visits[branch].replica;
        self.visits.free(branch);
        let host = &mut self.replicas[replica as usize];
        host.loose -= 1;
        if host.state == super::ReplicaState::Draining {
            self.retire_if_empty(cx, replica);
        }
    }

    /// The reply of a visit goes out, and the visit goes on.
    #[inline(never)]
    pub(super) fn reply_early<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32) {
        let v = &mut self.visits[visit];
        let attempt = v.attempt;
        if matches!(attempt.awaited(), Awaited::Nobody | Awaited::Replied) {
            return;
        }
        v.attempt.standing = attempt.standing.awaited_by(Awaited::Replied);
        let replica = v.replica;
        let host = self.host(cx.topology, replica);
        cx.probe.replied(cx.now, host.service, cx.now.since(attempt.arrived));
        if host.spec.adaptive {
            self.learn(cx, replica, &attempt, true, self.wanted(&attempt));
        }
        self.todo.push_back(Todo::Reply { attempt, result: Ok(()) });
    }
}
