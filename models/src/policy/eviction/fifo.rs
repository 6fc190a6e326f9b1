//! First in, first out: whoever came first goes, however often it is asked for.

use super::list::List;

/// Keys by when they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct FifoState(pub(super) List);

impl FifoState {
    /// The key at a place has gone, and another came in its place.
    pub(super) fn replaced(&mut self, place: u32) {
        self.0.renew(place);
    }
}
