//! Guards of calls at their callers: circuit breakers and bulkheads.
//!
//! An attempt enters when it begins, before it waits for a connection, and leaves when it ends or is given up,
//! so that it counts as one however often it is hedged, and does not count while it waits for its repeat.

use super::{Cx, State};
use crate::policy::guard::{Guard, GuardState};
use crate::probe::{Cause, Probe};
use crate::topology::{Caller, Topology};

impl State {
    fn guard<'a>(&mut self, topology: &'a Topology, slot: u32) -> Option<(&'a Guard, &mut GuardState)> {
        let call = &self.calls[slot];
        let site = &topology.sites[usize::from(call.site)];
        let index = usize::from(site.guard?);
        match site.caller {
            Caller::Client(client) => {
                let client = usize::from(client);
                Some((topology.clients[client].guard.as_ref()?, self.clients[client].guard.as_mut()?))
            }
            Caller::Service(service) => {
                let host = &mut self.replicas[self.visits[call.caller].replica as usize];
                Some((topology.services[usize::from(service)].guards.get(index)?, host.guards.get_mut(index)?))
            }
        }
    }

    /// Whether the attempt that begins is let through.
    #[inline(never)]
    pub(super) fn enter<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32) -> Result<(), Cause> {
        self.guard(cx.topology, slot).map_or(Ok(()), |(guard, state)| state.enter(guard, cx.now))
    }

    /// An attempt that was let through has ended: well, badly, or nobody waits for it any more.
    #[inline(never)]
    pub(super) fn leave<P: Probe>(&mut self, cx: &mut Cx<'_, P>, slot: u32, good: Option<bool>) {
        let since = self.calls[slot].since;
        if let Some((guard, state)) = self.guard(cx.topology, slot) {
            state.leave(guard, since, good, cx.now);
        }
    }
}
