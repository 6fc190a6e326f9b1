//! Deadlines that are told further down.
//!
//! Nothing carries a deadline: a visit that calls asks who waits for it, and who waits for that, up to the
//! first call that tells its own. Where a deadline may have come from above, whoever has been given up has no
//! time left: that is what the deadline told it.

use super::State;
use super::attempt::Awaited;
use crate::topology::{Caller, Topology};
use sim_core::time::SimTime;

impl State {
    /// When what a visit does must have ended, if somebody further up has said so; in the past if whoever
    /// did waits no more.
    #[inline(never)]
    pub(super) fn inherited(&self, topology: &Topology, visit: u32) -> Option<SimTime> {
        let mut visit = visit;
        loop {
            let attempt = &self.visits[visit].attempt;
            match attempt.awaited() {
                Awaited::Parent => visit = attempt.by,
                Awaited::Visit if self.wanted(attempt) => visit = attempt.by,
                Awaited::Call => {
                    let site = &topology.sites[usize::from(attempt.site)];
                    if !self.wanted(attempt) {
                        return (site.propagates || site.inherits).then_some(SimTime::ZERO);
                    }
                    let call = &self.calls[attempt.by];
                    match site.caller {
                        _ if site.propagates => return Some(call.due).filter(|due| *due != SimTime::MAX),
                        Caller::Client(_) => return None,
                        Caller::Service(_) => visit = call.caller,
                    }
                }
                Awaited::Visit | Awaited::Client | Awaited::Nobody | Awaited::Replied | Awaited::Loose => return None,
            }
        }
    }
}
