//! The empirical distribution: given values, resampled.

use std::sync::Arc;

use super::{DistError, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

const FAMILY: &str = "an empirical";

const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// Given values with given weights; see [`Dist::empirical`](super::Dist::empirical).
///
/// Sampled by Walker's alias method in constant time, from one random word: each of the n slots is
/// equally likely and holds at most two values, its own and an alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Empirical {
    slots: Arc<[Slot]>,
    scale: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    /// In nanoseconds, and taken for a fraction of a word below `keep`.
    own: f64,
    /// Taken otherwise.
    alias: f64,
    /// Out of 2⁶⁴.
    keep: u64,
}

impl Empirical {
    pub(super) fn new(values: &[SimDuration], weights: Option<&[f64]>) -> Result<Self, DistError> {
        if values.is_empty() {
            return Err(DistError::Empty { family: FAMILY, what: "values" });
        }
        let values: Vec<f64> = values.iter().copied().map(nanos).collect();
        let shares = match weights {
            None => vec![1.0 / values.len() as f64; values.len()],
            Some(weights) => shares(weights, values.len())?,
        };
        Ok(Self { slots: alias_table(&values, &shares), scale: 1.0 })
    }

    pub(super) fn sample(&self, rng: &mut KeyedRng) -> f64 {
        // The whole part of n·word/2⁶⁴ picks the slot, its fraction one of the slot's values.
        let product = u128::from(rng.next_u64()) * self.slots.len() as u128;
        let slot = &self.slots[(product >> 64) as usize];
        self.scale * if (product as u64) < slot.keep { slot.own } else { slot.alias }
    }

    pub(super) fn mean(&self) -> f64 {
        self.scale * self.expectation(|x| x)
    }

    /// Variance of the values as given, over the square of their mean.
    pub(super) fn scv(&self) -> f64 {
        let mean = self.expectation(|x| x);
        self.expectation(|x| (x / mean - 1.0) * (x / mean - 1.0))
    }

    /// The mean of a function of the value as given: of what the slots hold.
    fn expectation(&self, f: impl Fn(f64) -> f64) -> f64 {
        let of_slot = |slot: &Slot| {
            let keep = slot.keep as f64 / TWO_64;
            keep * f(slot.own) + (1.0 - keep) * f(slot.alias)
        };
        self.slots.iter().map(of_slot).sum::<f64>() / self.slots.len() as f64
    }

    pub(super) fn scaled(&self, by: f64) -> Self {
        Self { slots: Arc::clone(&self.slots), scale: self.scale * by }
    }
}

/// Weights as shares of 1.
fn shares(weights: &[f64], values: usize) -> Result<Vec<f64>, DistError> {
    if weights.len() != values {
        return Err(DistError::WeightCount { values, weights: weights.len() });
    }
    let refuse = |parameter, value, remedy| Err(DistError::Parameter { family: FAMILY, parameter, value, remedy });
    if let Some(&weight) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return refuse("weight", weight, "write a finite number, 0 or more");
    }
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    if greatest == 0.0 {
        return refuse("sum of weights", 0.0, "give at least one value a weight above 0");
    }
    // Over the greatest first, as the sum of finite weights may be infinite.
    let sum: f64 = weights.iter().map(|w| w / greatest).sum();
    Ok(weights.iter().map(|w| w / greatest / sum).collect())
}

/// Fills each slot up to 1/n with the excess of a likelier value.
///
/// Source: M. D. Vose, "A Linear Algorithm for Generating Random Numbers with a Given
/// Distribution", IEEE Transactions on Software Engineering 17(9), 1991.
fn alias_table(values: &[f64], shares: &[f64]) -> Arc<[Slot]> {
    let count = values.len() as f64;
    let mut fill: Vec<f64> = shares.iter().map(|p| p * count).collect();
    // Of what rounding leaves over, every slot keeps its own value.
    let mut slots: Vec<Slot> = values.iter().map(|&own| Slot { own, alias: own, keep: u64::MAX }).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..values.len()).partition(|&i| fill[i] < 1.0);
    while let (Some(&poor), Some(&rich)) = (small.last(), large.last()) {
        small.pop();
        slots[poor].keep = (fill[poor] * TWO_64) as u64;
        slots[poor].alias = values[rich];
        fill[rich] -= 1.0 - fill[poor];
        if fill[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    slots.into()
}
