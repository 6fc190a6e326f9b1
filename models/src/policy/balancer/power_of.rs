//! Power of d choices: look at d distinct replicas chosen at random, take the one with the fewest
//! outstanding attempts, by draw among equals (Mitzenmacher 2001; Vvedenskaya et al. 1996).

use super::View;
use crate::given::Given;
use crate::system::purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Power of d choices as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerOf {
    /// How many replicas are looked at: d, from 1 to 8.
    pub choices: Given<u32>,
}

/// The most replicas that are looked at.
const MOST: usize = 8;

/// Power of d choices as run.
#[derive(Clone, Debug)]
pub struct PowerOfState {
    choices: usize,
}

impl PowerOf {
    pub(super) fn start(&self) -> Result<PowerOfState, String> {
        let choices = self.choices.get() as usize;
        if (1..=MOST).contains(&choices) {
            Ok(PowerOfState { choices })
        } else {
            Err(format!("PowerOf looks at 1 to {MOST} replicas, not {choices}; LeastOutstanding looks at all"))
        }
    }
}

impl PowerOfState {
    pub(super) fn pick<F: Fn(u32) -> u32>(&self, view: &View<'_, F>) -> u32 {
        let n = view.up.len();
        let mut rng = view.attempt.index(purpose::BALANCE).rng();
        // Robert Floyd's way to draw distinct positions: no array of all of them is needed. Which of
        // the d comes first is not uniform, so equals are settled by one more draw each.
        let mut seen = [usize::MAX; MOST];
        let choices = self.choices.min(n);
        let mut best: Option<(u32, u64, usize)> = None;
        for (k, j) in (n - choices..n).enumerate() {
            let bits = rng.next_u64();
            let draw = ((u128::from(bits) * (j as u128 + 1)) >> 64) as usize;
            let position = if seen[..k].contains(&draw) { j } else { draw };
            seen[k] = position;
            let candidate = ((view.outstanding)(view.up[position].id), rng.next_u64(), position);
            best = Some(best.map_or(candidate, |b| b.min(candidate)));
        }
        let (_, _, position) = best.expect("at least one replica was looked at");
        view.up[position].id
    }
}
