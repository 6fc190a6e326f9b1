//! The hyperexponential distribution: a mixture of exponentials.

use std::sync::Arc;

use super::{DistError, check_cv, exp1, nanos};
use crate::random::KeyedRng;
use crate::time::SimDuration;

const FAMILY: &str = "a hyperexponential";

/// How far from 1 the sum of the probabilities may be, for decimal fractions such as 1/3.
const SUM_TOLERANCE: f64 = 1e-9;

/// A mixture of exponentials; see [`Dist::hyperexponential`](super::Dist::hyperexponential).
#[derive(Clone, Debug, PartialEq)]
pub struct Hyperexponential {
    branches: Arc<[Branch]>,
    scale: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Branch {
    /// Probability of this branch.
    probability: f64,
    /// Probability of this branch or an earlier one.
    up_to: f64,
    /// In nanoseconds.
    mean: f64,
}

impl Hyperexponential {
    pub(super) fn new(branches: &[(f64, SimDuration)]) -> Result<Self, DistError> {
        if branches.is_empty() {
            return Err(DistError::Empty { family: FAMILY, what: "branches" });
        }
        if let Some(&(value, _)) = branches.iter().find(|(p, _)| !(0.0..=1.0).contains(p)) {
            return Err(DistError::Parameter {
                family: FAMILY,
                parameter: "probability",
                value,
                remedy: "write a number from 0 to 1",
            });
        }
        let sum: f64 = branches.iter().map(|(p, _)| p).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(DistError::Parameter {
                family: FAMILY,
                parameter: "sum of probabilities",
                value: sum,
                remedy: "let the probabilities of the branches add up to 1",
            });
        }
        let normal: Vec<_> = branches.iter().map(|&(p, mean)| (p / sum, nanos(mean))).collect();
        Ok(Self::from_branches(&normal))
    }

    /// Two branches that each carry half of the mean: p₁m₁ = p₂m₂ = mean/2.
    ///
    /// p = (1 ± √((c²−1)/(c²+1)))/2, the smaller written as 1/((c²+1)(1+√…)) so that it keeps its
    /// digits. Source: W. Whitt, "Approximating a Point Process by a Renewal Process, I", Operations
    /// Research 30(1), 1982, equation (3.7).
    pub(super) fn balanced(mean: SimDuration, cv: f64) -> Result<Self, DistError> {
        let remedy = "write a number from 1 to 1000000; below 1 use Gamma or Erlang";
        let square = check_cv(FAMILY, cv, 1.0, remedy)?;
        let square = square * square;
        let root = ((square - 1.0) / (square + 1.0)).sqrt();
        let rare = 1.0 / ((square + 1.0) * (1.0 + root));
        let often = 1.0 - rare;
        let half = nanos(mean) / 2.0;
        Ok(Self::from_branches(&[(often, half / often), (rare, half / rare)]))
    }

    fn from_branches(branches: &[(f64, f64)]) -> Self {
        let mut up_to = 0.0;
        let branches = branches.iter().map(|&(probability, mean)| {
            up_to += probability;
            Branch { probability, up_to, mean }
        });
        Self { branches: branches.collect(), scale: 1.0 }
    }

    pub(super) fn sample(&self, rng: &mut KeyedRng) -> f64 {
        let u = rng.uniform();
        // The last branch takes what rounding left of the unit interval.
        let last = self.branches.len() - 1;
        let chosen = self.branches[..last].iter().position(|b| u < b.up_to).unwrap_or(last);
        self.scale * self.branches[chosen].mean * exp1(rng)
    }

    pub(super) fn mean(&self) -> f64 {
        self.scale * self.branches.iter().map(|b| b.probability * b.mean).sum::<f64>()
    }

    /// 2·Σpm²/(Σpm)² − 1.
    pub(super) fn scv(&self) -> f64 {
        let mean: f64 = self.branches.iter().map(|b| b.probability * b.mean).sum();
        let second: f64 = self.branches.iter().map(|b| 2.0 * b.probability * (b.mean / mean) * (b.mean / mean)).sum();
        second - 1.0
    }

    pub(super) fn scaled(&self, by: f64) -> Self {
        Self { branches: Arc::clone(&self.branches), scale: self.scale * by }
    }
}
