//! Random: any replica that is up, with equal probability.

use super::View;
use crate::system::purpose;

pub(super) fn pick<F>(view: &View<'_, F>) -> u32 {
    let draw = view.attempt.index(purpose::BALANCE).below(view.up.len() as u64);
    view.up[draw as usize].id
}
