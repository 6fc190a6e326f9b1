//! The rhythm of a week: a daily one, with a factor for each day.

use super::{Bound, Diurnal};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A weekly rhythm as written. The factor changes when a day ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// How many times the usual rate, for each day: that on which the run begins, and the six after it.
    pub days: Vec<Given<f64>>,
    /// The usual day.
    pub day: Diurnal,
}

/// Days in a week.
const DAYS: usize = 7;

impl Weekly {
    /// The factor of the day at `at`, and when the day ends.
    fn today(&self, at: SimTime) -> (f64, SimTime) {
        let day = self.day.day().as_nanos();
        let today = at.as_nanos() / day;
        let end = at.saturating_add(SimDuration::from_nanos(day - at.as_nanos() % day));
        (self.days[(today % DAYS as u64) as usize].get(), end)
    }

    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.today(at).0 * self.day.at(at)
    }

    /// As of the day, but not beyond its end; when bounds stretch over whole days, that of the busiest.
    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let bound = self.day.bound(at);
        if bound.rate >= self.day.highest() && bound.until.since(at) >= self.day.day() {
            let most = self.days.iter().map(Given::get).fold(0.0, f64::max);
            return Bound { rate: most * bound.rate, until: bound.until };
        }
        let (factor, end) = self.today(at);
        Bound { rate: factor * bound.rate, until: bound.until.min(end) }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        if self.days.len() != DAYS {
            let message = format!("a week has {DAYS} days, and there are {} factors", self.days.len());
            return Some((message, "write for example days: [1, 1, 1, 1, 1.1, 1.3, 1.2]".into()));
        }
        self.day.problem()
    }
}
