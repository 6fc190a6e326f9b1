//! By weight: round robin and random in which replicas get attempts in proportion to their weights.
//!
//! The round robin is the smooth one of nginx (2012): at each choice every replica that is up gains its
//! weight, the one that has gained most is chosen, the first of equals, and pays what all have gained
//! together. With weights 5, 1, 1 the order is a a b a c a a: the heavy one does not get all its turns at once.

use super::{Member, View};
use crate::given::Given;
use crate::system::purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weights as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// The weight of each replica, by ordinal; the list begins anew after its last. Left out, how fast each
    /// works (`speeds`).
    #[serde(default)]
    pub weights: Vec<Given<f64>>,
}

/// Weights as run.
#[derive(Clone, Debug)]
pub struct WeightsState {
    weights: Vec<f64>,
}

/// Smooth weighted round robin as run.
#[derive(Clone, Debug)]
pub struct SmoothState {
    weights: WeightsState,
    /// What each replica has gained and not paid, by ordinal. Who is down neither gains nor pays.
    gained: Vec<f64>,
}

impl Weights {
    pub(super) fn start(&self) -> Result<WeightsState, String> {
        let weights: Vec<f64> = self.weights.iter().map(Given::get).collect();
        match weights.iter().find(|weight| !(1e-6..=1e6).contains(*weight)) {
            Some(weight) => Err(format!("the weight {weight} is no number from 0.000001 to a million")),
            None => Ok(WeightsState { weights }),
        }
    }

    pub(super) fn start_smooth(&self) -> Result<SmoothState, String> {
        Ok(SmoothState { weights: self.start()?, gained: Vec::new() })
    }
}

impl WeightsState {
    fn of<F>(&self, member: Member, view: &View<'_, F>) -> f64 {
        let ordinal = member.ordinal as usize;
        let cycle = |list: &[f64]| list.get(ordinal % list.len().max(1)).copied();
        cycle(&self.weights).or_else(|| cycle(view.slowness).map(f64::recip)).unwrap_or(1.0)
    }

    pub(super) fn pick<F>(&self, view: &View<'_, F>) -> u32 {
        let total: f64 = view.up.iter().map(|member| self.of(*member, view)).sum();
        let mut left = view.attempt.index(purpose::BALANCE).uniform() * total;
        let chosen = view.up.iter().find(|member| {
            left -= self.of(**member, view);
            left < 0.0
        });
        // Rounding may leave a little after the last.
        chosen.or(view.up.last()).expect("the caller has seen that some replica is up").id
    }
}

impl SmoothState {
    pub(super) fn pick<F>(&mut self, view: &View<'_, F>) -> u32 {
        let most = view.up.last().map_or(0, |member| member.ordinal as usize + 1);
        if self.gained.len() < most {
            self.gained.resize(most, 0.0);
        }
        let mut total = 0.0;
        let mut best: Option<Member> = None;
        for member in view.up {
            let weight = self.weights.of(*member, view);
            total += weight;
            self.gained[member.ordinal as usize] += weight;
            let gained = self.gained[member.ordinal as usize];
            if best.is_none_or(|best| gained > self.gained[best.ordinal as usize]) {
                best = Some(*member);
            }
        }
        let best = best.expect("the caller has seen that some replica is up");
        self.gained[best.ordinal as usize] -= total;
        best.id
    }
}
