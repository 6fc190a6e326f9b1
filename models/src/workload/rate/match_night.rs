//! A match evening. With m the minutes since the start, which is 10 minutes before kick-off:
//!
//! ```text
//! rate = base x (0.6 + 0.4 min(m/10, 1)) x (1.25 during half-time)
//!      + sum over goals of base x strength x (1 - exp(-d/rise)) x exp(-d/decay),  d = m - goal > 0
//! ```
//!
//! The shape is a design choice, anchored on message counts published for matches of 2014, where the
//! busiest minute had about twice the mean of the match.

use super::Bound;
use super::burst::Shape;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// A match evening as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Requests a second once the crowd is in.
    pub base: Given<f64>,
    /// Until when the crowd grows, from 60% of the base.
    #[serde(default = "kick_off")]
    pub kick_off: Given<SimDuration>,
    /// Half-time: from, to, and how many times the base.
    #[serde(default = "half_time")]
    pub half_time: (Given<SimDuration>, Given<SimDuration>, Given<f64>),
    /// Goals: when, and how strong the burst is in units of the base.
    #[serde(default = "goals")]
    pub goals: Vec<(Given<SimDuration>, Given<f64>)>,
    /// How fast a burst rises.
    #[serde(default = "rise")]
    pub rise: Given<SimDuration>,
    /// How fast a burst fades.
    #[serde(default = "decay")]
    pub decay: Given<SimDuration>,
}

fn minutes(m: u64) -> SimDuration {
    SimDuration::from_secs(60 * m)
}

fn kick_off() -> Given<SimDuration> {
    minutes(10).into()
}

fn half_time() -> (Given<SimDuration>, Given<SimDuration>, Given<f64>) {
    (minutes(57).into(), minutes(70).into(), 1.25.into())
}

fn goals() -> Vec<(Given<SimDuration>, Given<f64>)> {
    vec![(minutes(33).into(), 1.0.into()), (minutes(41).into(), 1.4.into()), (minutes(88).into(), 1.6.into())]
}

fn rise() -> Given<SimDuration> {
    SimDuration::from_secs(18).into()
}

fn decay() -> Given<SimDuration> {
    minutes(3).into()
}

impl Match {
    /// The evening of the World Cup, at this base rate.
    pub fn evening(base: f64) -> Self {
        Self {
            base: base.into(),
            kick_off: kick_off(),
            half_time: half_time(),
            goals: goals(),
            rise: rise(),
            decay: decay(),
        }
    }

    /// The crowd without goals, in units of the base.
    fn crowd(&self, at: SimTime) -> f64 {
        let kick_off = self.kick_off.get().as_secs_f64();
        let grown = if kick_off > 0.0 { (at.as_secs_f64() / kick_off).min(1.0) } else { 1.0 };
        let (from, to, factor) = &self.half_time;
        let half_time = SimTime::ZERO + from.get() < at && at < SimTime::ZERO + to.get();
        (0.6 + 0.4 * grown) * if half_time { factor.get() } else { 1.0 }
    }

    /// Of a burst, in units of base x strength.
    fn shape(&self) -> Shape {
        Shape { rise: self.rise.get().as_secs_f64(), decay: self.decay.get().as_secs_f64() }
    }

    pub(super) fn at(&self, at: SimTime) -> f64 {
        let (t, shape) = (at.as_secs_f64(), self.shape());
        let bursts: f64 = self.goals.iter().map(|(goal, a)| a.get() * shape.at(t - goal.get().as_secs_f64())).sum();
        self.base.get() * (self.crowd(at) + bursts)
    }

    /// Without goals the rate is not higher: where that suffices no burst is computed.
    pub(super) fn is_above(&self, at: SimTime, level: f64) -> bool {
        self.base.get() * self.crowd(at) > level || self.at(at) > level
    }

    /// Bounds stretch over ten seconds, and from the third hour on over a thousandth of the time so far,
    /// so that a crowd of hardly anybody costs thousands of stretches, not billions.
    pub(super) fn bound(&self, at: SimTime) -> Bound {
        if self.base.get() <= 0.0 {
            return Bound { rate: 0.0, until: SimTime::MAX };
        }
        let width = SimDuration::from_secs(10).max(SimDuration::from_nanos(at.as_nanos() / 1_000));
        let until = at.saturating_add(width);
        let (from, to, shape) = (at.as_secs_f64(), until.as_secs_f64(), self.shape());
        let bursts: f64 = self
            .goals
            .iter()
            .map(|(goal, a)| {
                let goal = goal.get().as_secs_f64();
                a.get() * shape.largest(from - goal, to - goal)
            })
            .sum();
        let crowd = self.crowd(until).max(self.crowd(at)).max(if self.half_time_touches(at, until) {
            self.half_time.2.get()
        } else {
            0.0
        });
        Bound { rate: self.base.get() * (crowd + bursts), until }
    }

    fn half_time_touches(&self, from: SimTime, until: SimTime) -> bool {
        SimTime::ZERO + self.half_time.0.get() <= until && from <= SimTime::ZERO + self.half_time.1.get()
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        if self.rise.get().is_zero() || self.decay.get().is_zero() {
            return Some((
                "a burst needs time to rise and to fade".into(),
                "write for example rise: \"18s\", decay: \"3min\"".into(),
            ));
        }
        (self.half_time.0.get() > self.half_time.1.get()).then(|| {
            (
                "half-time ends before it begins".into(),
                "write half_time: (from, to, factor), for example (\"57min\", \"70min\", 1.25)".into(),
            )
        })
    }
}
