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
    let least = loads.clone().map(|(_, load)| load).min()?;
    let mut equals = loads.filter(|(_, load)| *load == least).map(|(member, _)| member);
    let count = equals.clone().count() as u64;
    equals.nth(if count == 1 { 0 } else { draw.below(count) as usize })
}
