//! What stands between a caller and its callee: a circuit breaker, a bulkhead, or both.

use super::breaker::{Breaker, BreakerState};
use crate::probe::Cause;
use sim_core::time::SimTime;

/// A guard as run.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// Who fails too often is not asked for a while.
    pub breaker: Option<Breaker>,
    /// Most calls under way at once.
    pub bulkhead: u32,
}

/// The guard of one caller.
#[derive(Clone, Debug, Default)]
pub struct GuardState {
    breaker: BreakerState,
    under_way: u32,
}

impl GuardState {
    /// Lets a call through, or says why not.
    ///
    /// # Errors
    /// [`Cause::Bulkhead`] or [`Cause::Open`].
    pub fn enter(&mut self, guard: &Guard, now: SimTime) -> Result<(), Cause> {
        if self.under_way >= guard.bulkhead {
            return Err(Cause::Bulkhead);
        }
        if let Some(breaker) = &guard.breaker
            && !self.breaker.lets_through(breaker, now)
        {
            return Err(Cause::Open);
        }
        self.under_way += 1;
        Ok(())
    }

    /// A call that was let through at `from` has ended; `None` if nobody knows how.
    pub fn leave(&mut self, guard: &Guard, from: SimTime, good: Option<bool>, now: SimTime) {
        self.under_way -= 1;
        if let Some(breaker) = &guard.breaker {
            self.breaker.ended(breaker, from, good, now);
        }
    }

    /// Calls under way.
    pub const fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Whether its breaker is open.
    pub fn is_open(&self, now: SimTime) -> bool {
        self.breaker.is_open(now)
    }
}
