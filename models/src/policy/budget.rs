//! Retry budget: a token bucket that each success fills and each repeat empties.
//!
//! With `share` 0.1 repeats stay below a tenth of the successes, however many attempts fail, once
//! the initial tokens are spent. Source: Brooker, "Fixing retries with token buckets and circuit
//! breakers" (2022).

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A retry budget as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Tokens that each success adds.
    pub share: Given<f64>,
    /// Most tokens the bucket holds.
    #[serde(default = "hundred")]
    pub capacity: Given<f64>,
    /// Tokens in it at the start.
    #[serde(default = "hundred")]
    pub initial: Given<f64>,
}

fn hundred() -> Given<f64> {
    100.0.into()
}

/// The bucket of one caller at one call site.
#[derive(Clone, Debug)]
pub struct BudgetState {
    tokens: f64,
}

impl Budget {
    /// A bucket with its initial tokens.
    pub fn start(&self) -> BudgetState {
        BudgetState { tokens: self.initial.get().min(self.capacity.get()) }
    }
}

impl BudgetState {
    /// A success adds its share.
    pub fn succeeded(&mut self, budget: &Budget) {
        self.tokens = (self.tokens + budget.share.get()).min(budget.capacity.get());
    }

    /// Takes a token for a repeat, if there is a whole one.
    pub fn allows_repeat(&mut self) -> bool {
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }

    /// Tokens left.
    pub const fn tokens(&self) -> f64 {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_stay_below_the_share_of_successes() {
        let budget = Budget { share: 0.1.into(), capacity: 10.0.into(), initial: 2.0.into() };
        let mut bucket = budget.start();
        assert!(bucket.allows_repeat() && bucket.allows_repeat() && !bucket.allows_repeat());
        let mut repeats = 0;
        for _ in 0..1_000 {
            bucket.succeeded(&budget);
            repeats += u32::from(bucket.allows_repeat());
        }
        assert!((98..=100).contains(&repeats), "{repeats} repeats for 1000 successes");
    }
}
