//! Rates made of others: `Sum`, `Product` and `Scaled`.

use super::{Bound, Rate};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimTime;

/// All of these together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sum(pub Vec<Rate>);

/// The first in requests a second, times the others, which are factors without unit: growth times the
/// rhythm of a week with a mean of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Product(pub Vec<Rate>);

/// A factor, and what it is applied to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scaled(pub Given<f64>, pub Box<Rate>);

/// What bounds all of them holds until the first of the bounds ends.
fn bound(rates: &[Rate], at: SimTime, start: f64, with: impl Fn(f64, f64) -> f64) -> Bound {
    let start = Bound { rate: start, until: SimTime::MAX };
    rates
        .iter()
        .map(|rate| rate.bound(at))
        .fold(start, |all, one| Bound { rate: with(all.rate, one.rate), until: all.until.min(one.until) })
}

fn problem(rates: &[Rate], what: &str, example: &str) -> Option<(String, String)> {
    if rates.is_empty() {
        return Some((format!("{what} of no rates"), format!("write for example {example}")));
    }
    rates.iter().find_map(Rate::problem)
}

impl Sum {
    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.0.iter().map(|rate| rate.at(at)).sum()
    }

    pub(super) fn bound(&self, at: SimTime) -> Bound {
        bound(&self.0, at, 0.0, |all, one| all + one)
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        problem(&self.0, "a sum", "Sum([Constant(20), FlashCrowd(base: 5, bursts: [(\"10min\", 4)])])")
    }
}

impl Product {
    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.0.iter().map(|rate| rate.at(at)).product()
    }

    pub(super) fn bound(&self, at: SimTime) -> Bound {
        bound(&self.0, at, 1.0, |all, one| all * one)
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        problem(&self.0, "a product", "Product([Constant(20), Diurnal(mean: 1, peak: 1.8, at: \"20h\")])")
    }
}

impl Scaled {
    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.0.get() * self.1.at(at)
    }

    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let bound = self.1.bound(at);
        Bound { rate: self.0.get() * bound.rate, ..bound }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        self.1.problem()
    }
}
