//! Least outstanding (least connections): the replica with the fewest attempts, ties by draw.

use super::{Member, View};
use crate::system::purpose;
use sim_core::random::Key;

pub(super) fn pick<F: Fn(u32) -> u32>(view: &View<'_, F>) -> u32 {
    let least = fewest(view.up.iter().map(|m| (*m, (view.outstanding)(m.id))), view.attempt.index(purpose::BALANCE));
    least.expect("the caller has seen that some replica is up").id
}

/// The member with the smallest load; among equals each with equal probability.
pub(crate) fn fewest(loads: impl Iterator<Item = (Member, u32)> + Clone, draw: Key) -> Option<Member> {
    let (mut best, mut least, mut equals) = (None, u32::MAX, 0_u64);
    for (member, load) in loads.clone() {
        if load < least || best.is_none() {
            (best, least, equals) = (Some(member), load, 1);
        } else if load == least {
            equals += 1;
        }
    }
    if equals > 1 {
        let chosen = draw.below(equals) as usize;
        best = loads.filter(|(_, load)| *load == least).map(|(member, _)| member).nth(chosen);
    }
    best
}
