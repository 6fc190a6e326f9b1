//! Least recently used: whoever was not asked for the longest goes.

use super::list::List;

/// Keys by their last use.
#[derive(Clone, Debug, Default)]
pub(crate) struct LruState(pub(super) List);

impl LruState {
    /// The key at a place was asked for, or stored.
    pub(super) fn used(&mut self, place: u32) {
        self.0.renew(place);
    }
}
