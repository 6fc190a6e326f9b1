//! Join-idle-queue: a replica that has nothing left to do reports to the balancer; an attempt goes to the one
//! that reported first, or to any if none has (Lu, Xie, Kliot, Geller, Larus, Greenberg 2011, JIQ-Random with
//! one dispatcher). The balancer need not ask anybody: what it knows it is told when it is not in a hurry.
//!
//! With ever more replicas below full load the wait goes to 0 (Stolyar 2015), as with a look at all.

use super::{Member, View, random};
use std::collections::VecDeque;

/// Who has reported, and has been given nothing since.
#[derive(Clone, Debug, Default)]
pub struct JoinIdleState {
    line: VecDeque<Member>,
}

impl JoinIdleState {
    pub(super) fn pick<F: Fn(u32) -> u32>(&mut self, view: &View<'_, F>) -> u32 {
        while let Some(first) = self.line.pop_front() {
            // It may have gone since, or have been given something under another balancer's rule.
            let there =
                view.up.binary_search_by_key(&first.ordinal, |m| m.ordinal).is_ok_and(|at| view.up[at] == first);
            if there && (view.outstanding)(first.id) == 0 {
                return first.id;
            }
        }
        random::pick(view)
    }

    /// A replica reports.
    pub(super) fn idle(&mut self, member: Member) {
        if !self.line.contains(&member) {
            self.line.push_back(member);
        }
    }
}
