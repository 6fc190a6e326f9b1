//! Random: anyone goes, with equal probability.

use sim_core::random::Key;

/// One of `places`.
pub(super) const fn victim(places: u32, chance: Key) -> u32 {
    chance.below(places as u64) as u32
}
