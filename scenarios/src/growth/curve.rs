//! How many people have ever signed up.

use crate::document::{Path, Problem};
use models::catalogue::Entry;
use models::given::Given;
use serde::{Deserialize, Serialize};

/// A growth curve as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Curve {
    /// Gompertz (1825): `limit` x exp(-`shift` x exp(-`rate` x years)). Fast at first, then ever slower
    /// towards the limit. The curve is not 0 at launch: those who are there came in a preview.
    Gompertz {
        /// Users in the end.
        limit: Given<f64>,
        /// How far from the limit it starts: at launch there are `limit` x exp(-`shift`).
        shift: Given<f64>,
        /// How fast it gets there, per year.
        rate: Given<f64>,
    },
}

impl Curve {
    /// Every curve there is.
    pub const ALL: &[Entry] = &[Entry {
        name: "Gompertz",
        example: "Gompertz(limit: 111.0e6, shift: 8.829, rate: 0.45179)",
        summary: "fast at first, then ever slower towards a limit",
    }];

    /// Users so many years after launch, or before it.
    pub fn at(&self, years: f64) -> f64 {
        match self {
            Self::Gompertz { limit, shift, rate } => {
                limit.get() * libm::exp(-shift.get() * libm::exp(-rate.get() * years))
            }
        }
    }

    /// What is wrong with it.
    pub(super) fn problems(&self, place: &Path) -> Vec<Problem> {
        match self {
            Self::Gompertz { limit, rate, .. } => {
                let positive = [("limit", limit.get()), ("rate", rate.get())].into_iter().filter(|(_, x)| *x <= 0.0);
                let problem = |(field, _)| {
                    let problem = Problem::error(place.name(field), "nobody comes");
                    problem.with_help(format!("write a {field} above 0, as in {}", Self::ALL[0].example))
                };
                positive.map(problem).collect()
            }
        }
    }
}
