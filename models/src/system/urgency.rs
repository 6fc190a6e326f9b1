//! Servers that the more urgent take from the less urgent (preempt-resume).
//!
//! Everybody who needs a server gets a rank when he asks for it: the more urgent first, first come first
//! served among equals. He keeps it when he is interrupted, so he goes on before all equals that came after
//! him; and the last rank at work is the least urgent's, of several that of who began last.

use super::replica::Host;
use super::visit::Doing;
use super::{Cx, State};
use crate::probe::Probe;
use sim_core::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How urgent, and who came first among equals.
type Rank = (Reverse<u8>, u64);

/// Those who have a server of one processor, and those who wait for one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranks {
    of: BTreeMap<u32, Rank>,
    at_work: BTreeSet<(Rank, u32)>,
    ready: BTreeSet<(Rank, u32)>,
    asked: u64,
}

impl Ranks {
    fn ask(&mut self, visit: u32, priority: u8) -> Rank {
        self.asked += 1;
        let rank = (Reverse(priority), self.asked);
        self.of.insert(visit, rank);
        rank
    }

    /// Whoever gave up, or is done.
    pub(crate) fn leave(&mut self, visit: u32) {
        if let Some(rank) = self.of.remove(&visit) {
            self.at_work.remove(&(rank, visit));
            self.ready.remove(&(rank, visit));
        }
    }

    /// Whether somebody waits.
    pub(crate) fn somebody_is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next takes a server.
    pub(crate) fn next(&mut self) -> Option<u32> {
        let next = self.ready.pop_first()?;
        self.at_work.insert(next);
        Some(next.1)
    }
}

impl State {
    /// The visit needs a server for `demand` where the more urgent go first.
    pub(super) fn work_by_urgency<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        host: Host<'_>,
        visit: u32,
        demand: SimDuration,
        servers: u32,
    ) {
        let priority = self.visits[visit].attempt.standing.priority();
        let processor = &mut self.replicas[host.replica as usize].processor;
        let free = processor.take_server(servers);
        let ranks = processor.ranks();
        let rank = ranks.ask(visit, priority);
        if free {
            ranks.at_work.insert((rank, visit));
            self.visits[visit].work_alone(cx, visit, demand);
            return self.set_busy(cx, host, 1);
        }
        // Who is done at this very instant is not interrupted: the server is about to be free.
        let less_urgent = ranks.at_work.iter().rev().take_while(|((urgency, _), _)| urgency.0 < priority);
        let interrupted = less_urgent.copied().find(|(_, other)| self.visits[*other].left(cx.now) > SimDuration::ZERO);
        let Some(interrupted) = interrupted else {
            ranks.ready.insert((rank, visit));
            return self.visits[visit].wait_for_server(demand);
        };
        ranks.at_work.remove(&interrupted);
        ranks.ready.insert(interrupted);
        ranks.at_work.insert((rank, visit));
        let other = &mut self.visits[interrupted.1];
        other.wait_for_server(other.left(cx.now));
        self.visits[visit].work_alone(cx, visit, demand);
    }
}

impl super::visit::Visit {
    /// Waits for a server, which it needs for this long.
    pub(super) fn wait_for_server(&mut self, demand: SimDuration) {
        self.doing = Doing::Ready;
        self.until = SimTime::from_nanos(demand.as_nanos());
    }
}
