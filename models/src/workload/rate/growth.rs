//! Growth over months and years: from a rate at the start towards a ceiling.
//!
//! ```text
//! Logistic   ceiling / (1 + exp(-k (t - midpoint))),   k so that it is `start` at 0     (Verhulst 1838)
//! Gompertz   ceiling x exp(-b exp(-k t)),  b = ln(ceiling/start), k so that it is half at midpoint (1825)
//! Bass       start + (ceiling - start) (1 - e) / (1 + imitation/innovation x e),
//!            e = exp(-(innovation + imitation) t/per)                                   (Bass 1969)
//! ```

use super::Bound;
use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A rate that grows, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Growth {
    /// First by the same factor in equal times, then as slowly towards the ceiling as it began.
    Logistic {
        /// Requests a second at the start of the run.
        start: Given<f64>,
        /// Requests a second in the end.
        ceiling: Given<f64>,
        /// When it has come to half of the ceiling.
        midpoint: Given<SimDuration>,
    },
    /// Fast at first, then for long more slowly towards the ceiling.
    Gompertz {
        /// Requests a second at the start of the run.
        start: Given<f64>,
        /// Requests a second in the end.
        ceiling: Given<f64>,
        /// When it has come to half of the ceiling.
        midpoint: Given<SimDuration>,
    },
    /// Those who come by themselves, and those who follow them.
    Bass {
        /// Requests a second at the start of the run.
        #[serde(default)]
        start: Given<f64>,
        /// Requests a second in the end.
        ceiling: Given<f64>,
        /// Share of those who are not there yet that come by themselves in the time `per`; about 0.03 a year
        /// is common.
        innovation: Given<f64>,
        /// Share that come in the time `per` because others have, when nearly all have; about 0.4 a year is
        /// common.
        imitation: Given<f64>,
        /// The time to which the two shares refer.
        #[serde(default = "year")]
        per: Given<SimDuration>,
    },
}

fn year() -> Given<SimDuration> {
    SimDuration::from_secs(31_557_600).into()
}

impl Growth {
    /// Every kind of growth there is.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "Logistic",
            example: "Logistic(start: 10, ceiling: 1000, midpoint: \"180d\")",
            summary: "by equal factors at first, then as slowly to the ceiling as it began",
        },
        Entry {
            name: "Gompertz",
            example: "Gompertz(start: 10, ceiling: 1000, midpoint: \"180d\")",
            summary: "fast at first, then for long more slowly towards the ceiling",
        },
        Entry {
            name: "Bass",
            example: "Bass(ceiling: 1000, innovation: 0.03, imitation: 0.4, per: \"1y\")",
            summary: "those who come by themselves, and those who follow them",
        },
    ];

    /// How fast it grows at its fastest, per second: relative to what there is, or of Bass, to what is missing.
    fn pace(&self) -> f64 {
        match self {
            Self::Logistic { start, ceiling, midpoint } => {
                libm::log(ceiling.get() / start.get() - 1.0) / midpoint.get().as_secs_f64()
            }
            Self::Gompertz { start, ceiling, midpoint } => {
                let b = libm::log(ceiling.get() / start.get());
                libm::log(b / std::f64::consts::LN_2) / midpoint.get().as_secs_f64()
            }
            Self::Bass { innovation, imitation, per, .. } => {
                (innovation.get() + imitation.get()) / per.get().as_secs_f64()
            }
        }
    }

    fn after(&self, pace: f64, at: SimTime) -> f64 {
        let t = at.as_secs_f64();
        match self {
            Self::Logistic { ceiling, midpoint, .. } => {
                ceiling.get() / (1.0 + libm::exp(-pace * (t - midpoint.get().as_secs_f64())))
            }
            Self::Gompertz { start, ceiling, .. } => {
                let b = libm::log(ceiling.get() / start.get());
                ceiling.get() * libm::exp(-b * libm::exp(-pace * t))
            }
            Self::Bass { start, ceiling, innovation, imitation, .. } => {
                let e = libm::exp(-pace * t);
                let share = (1.0 - e) / (1.0 + imitation.get() / innovation.get() * e);
                start.get() + (ceiling.get() - start.get()) * share
            }
        }
    }

    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.after(self.pace(), at)
    }

    /// It never falls, so that the rate at the end of a stretch bounds it. Stretches are a hundredth of the
    /// time in which it grows by a factor e at its fastest, or a thousandth of the time so far.
    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let pace = self.pace();
        let width = SimDuration::from_secs_f64(0.01 / pace).max(SimDuration::from_nanos(at.as_nanos() / 1_000));
        let until = at.saturating_add(width.max(SimDuration::from_nanos(1)));
        // The last bit of a rate that has nearly come to its ceiling may still go up and down.
        Bound { rate: self.after(pace, until) * (1.0 + 1e-12), until }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        match self {
            Self::Logistic { start, ceiling, midpoint } | Self::Gompertz { start, ceiling, midpoint } => {
                let (start, ceiling) = (start.get(), ceiling.get());
                if start <= 0.0 {
                    let help = "write how many come at the start, for example start: 10".into();
                    return Some(("where nobody is, nobody follows".into(), help));
                }
                if start >= 0.5 * ceiling {
                    let message = format!("a start of {start} is half of the ceiling of {ceiling} already, or more");
                    return Some((message, "raise the ceiling, or begin with less".into()));
                }
                midpoint.get().is_zero().then(|| {
                    ("half of the ceiling takes time".into(), "write when it is there: midpoint: \"180d\"".into())
                })
            }
            Self::Bass { start, ceiling, innovation, per, .. } => {
                if start.get() > ceiling.get() {
                    let message = format!("the start of {} is above the ceiling of {}", start.get(), ceiling.get());
                    return Some((message, "raise the ceiling, or begin with less".into()));
                }
                let missing = innovation.get() <= 0.0 || per.get().is_zero();
                missing.then(|| {
                    let help = "write for example innovation: 0.03, imitation: 0.4, per: \"1y\"";
                    ("nobody comes by themselves, so that nobody can be followed".into(), help.into())
                })
            }
        }
    }
}
