//! The rhythm of a day.
//!
//! ```text
//! rate = mean x (1 + a cos x + b cos 2x),  x = 2 pi (t - at) / period,  b = second,  a = peak - 1 - b
//! ```
//!
//! The mean over a period is `mean`, and the largest value, at `at`, is `peak` x `mean`. With b = 0 it is a
//! plain sinusoid, which can have a peak of at most 2. A second harmonic makes the peak narrower and higher
//! and the low part longer, as measured traffic of people mostly is.

use super::Bound;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};
use std::f64::consts::TAU;

/// A daily rhythm as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// Requests a second, mean over the day.
    pub mean: Given<f64>,
    /// The highest rate over the mean: from 1, which is no rhythm, to 2, or up to 3 with `second`.
    pub peak: Given<f64>,
    /// When the rate is highest: for example `"20h"`, counted from the start of the run.
    pub at: Given<SimDuration>,
    /// Amplitude of the second harmonic over the mean; 0.4 goes well with a peak of 2.4.
    #[serde(default)]
    pub second: Given<f64>,
    /// How long a day is.
    #[serde(default = "day")]
    pub period: Given<SimDuration>,
}

fn day() -> Given<SimDuration> {
    SimDuration::from_secs(86_400).into()
}

impl Diurnal {
    /// A sinusoid with a period of a day.
    pub fn new(mean: f64, peak: f64, at: SimDuration) -> Self {
        Self { mean: mean.into(), peak: peak.into(), at: at.into(), second: 0.0.into(), period: day() }
    }

    /// Amplitudes of the two harmonics.
    const fn amplitudes(&self) -> (f64, f64) {
        (self.peak.get() - 1.0 - self.second.get(), self.second.get())
    }

    /// The rate where cos x is this.
    fn where_cos_is(&self, cos: f64) -> f64 {
        let (a, b) = self.amplitudes();
        // Rounding must not make a rate of 0 negative.
        self.mean.get() * (1.0 + a * cos + b * (2.0 * cos * cos - 1.0)).max(0.0)
    }

    /// Where in its period an instant is, as nanoseconds since a highest rate.
    const fn since_peak(&self, at: SimTime) -> u64 {
        let period = self.period.get().as_nanos();
        let (now, peak) = (at.as_nanos() % period, self.at.get().as_nanos() % period);
        if now >= peak { now - peak } else { now + (period - peak) }
    }

    fn cos(&self, since_peak: u64) -> f64 {
        libm::cos(TAU * (since_peak as f64 / self.period.get().as_nanos() as f64))
    }

    pub(super) fn at(&self, at: SimTime) -> f64 {
        self.where_cos_is(self.cos(self.since_peak(at)))
    }

    /// How long a day is.
    pub(super) const fn day(&self) -> SimDuration {
        self.period.get()
    }

    /// The highest rate of all.
    pub(super) fn highest(&self) -> f64 {
        self.mean.get() * self.peak.get()
    }

    /// Bounds stretch over a fiftieth of a day, or over a thousandth of the time so far: after some years
    /// over a whole day or more, with the peak as the bound. In between, the rate is a convex function of
    /// cos x, so that it is highest where that is lowest or highest.
    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let period = self.period.get().as_nanos();
        let width = (period / 50).max(at.as_nanos() / 1_000).max(1);
        let until = at.saturating_add(SimDuration::from_nanos(width));
        if width >= period / 2 {
            return Bound { rate: self.highest(), until };
        }
        let from = self.since_peak(at);
        let to = from.saturating_add(width);
        let (first, last) = (self.cos(from), self.cos(to));
        let highest = if to >= period { 1.0 } else { first.max(last) };
        let lowest = if from <= period / 2 && to >= period / 2 { -1.0 } else { first.min(last) };
        Bound { rate: self.where_cos_is(highest).max(self.where_cos_is(lowest)), until }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        let (a, b) = self.amplitudes();
        if self.period.get().is_zero() {
            return Some(("a day of no time has no rhythm".into(), "leave period out, or write \"1d\"".into()));
        }
        if a < 0.0 {
            let help = format!("write a peak of at least {}", 1.0 + b);
            return Some((format!("a peak of {} times the mean is too low", self.peak.get()), help));
        }
        // The least value is at cos x = -1, or where the derivative a + 4 b cos x is 0.
        let least = if a >= 4.0 * b { 1.0 - a + b } else { 1.0 - b - a * a / (8.0 * b) };
        (least < -1e-9).then(|| {
            let help = match b {
                b if b > 0.0 => "lower the peak, or write for example peak: 2.4, second: 0.4",
                _ => "write a peak from 1 to 2, or a second harmonic, for example peak: 2.4, second: 0.4",
            };
            let peak = self.peak.get();
            (format!("with a peak of {peak} times the mean the rate would be negative at other times"), help.into())
        })
    }
}
