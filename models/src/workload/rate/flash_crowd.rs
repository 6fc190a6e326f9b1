//! Flash crowds on top of a steady base.
//!
//! ```text
//! rate = base + sum over bursts of base x strength x (1 - exp(-d/rise)) x exp(-d/decay),  d = m - at > 0
//! ```
//!
//! The shape of a goal of [`super::Match`], for any occasion: a link on a large page, a push message, a sale.

use super::Bound;
use super::burst::Shape;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A base with bursts as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlashCrowd {
    /// Requests a second without a burst.
    pub base: Given<f64>,
    /// Bursts: when, and how strong in units of the base. With the usual times a burst of strength 1 adds
    /// 0.72 of the base at its peak, 43 seconds after it began.
    pub bursts: Vec<(Given<SimDuration>, Given<f64>)>,
    /// How fast a burst rises.
    #[serde(default = "rise")]
    pub rise: Given<SimDuration>,
    /// How fast a burst fades.
    #[serde(default = "decay")]
    pub decay: Given<SimDuration>,
}

fn rise() -> Given<SimDuration> {
    SimDuration::from_secs(18).into()
}

fn decay() -> Given<SimDuration> {
    SimDuration::from_secs(180).into()
}

impl FlashCrowd {
    /// A base with bursts of the usual shape: when, and how strong.
    pub fn new(base: f64, bursts: &[(SimDuration, f64)]) -> Self {
        let bursts = bursts.iter().map(|(at, strength)| ((*at).into(), (*strength).into())).collect();
        Self { base: base.into(), bursts, rise: rise(), decay: decay() }
    }

    fn shape(&self) -> Shape {
        Shape { rise: self.rise.get().as_secs_f64(), decay: self.decay.get().as_secs_f64() }
    }

    /// Of every burst: its strength times what `of` says of its beginning, in seconds.
    fn bursts(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.bursts.iter().map(|(at, strength)| strength.get() * of(at.get().as_secs_f64())).sum()
    }

    pub(super) fn at(&self, at: SimTime) -> f64 {
        let (t, shape) = (at.as_secs_f64(), self.shape());
        self.base.get() * (1.0 + self.bursts(|begins| shape.at(t - begins)))
    }

    /// Without bursts the rate is not higher: where that suffices no burst is computed.
    pub(super) fn is_above(&self, at: SimTime, level: f64) -> bool {
        self.base.get() > level || self.at(at) > level
    }

    /// Bounds stretch over the time that a burst takes to rise, or over a thousandth of the time so far.
    pub(super) fn bound(&self, at: SimTime) -> Bound {
        if self.base.get() <= 0.0 {
            return Bound { rate: 0.0, until: SimTime::MAX };
        }
        let until = at.saturating_add(self.rise.get().max(SimDuration::from_nanos(at.as_nanos() / 1_000)));
        let (from, to, shape) = (at.as_secs_f64(), until.as_secs_f64(), self.shape());
        let bursts = self.bursts(|begins| shape.largest(from - begins, to - begins));
        Bound { rate: self.base.get() * (1.0 + bursts), until }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        (self.rise.get().is_zero() || self.decay.get().is_zero()).then(|| {
            ("a burst needs time to rise and to fade".into(), "write for example rise: \"18s\", decay: \"3min\"".into())
        })
    }
}
