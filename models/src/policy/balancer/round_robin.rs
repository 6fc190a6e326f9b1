//! Round robin: one replica after the other.

use super::View;

/// Whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct RoundRobinState {
    next: usize,
}

impl RoundRobinState {
    #[inline]
    pub(super) fn pick<F>(&mut self, view: &View<'_, F>) -> u32 {
        let turn = if self.next < view.up.len() { self.next } else { 0 };
        self.next = turn + 1;
        view.up[turn].id
    }
}
