//! Rates given at points in time, constant or straight between them.

use super::Bound;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// When, since the start, and requests a second.
type Point = (Given<SimDuration>, Given<f64>);

/// Each rate holds from its time to the next; before the first, nothing comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Piecewise(pub Vec<Point>);

/// Straight lines between the points; constant before the first and after the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ramp(pub Vec<Point>);

fn instant(point: &Point) -> SimTime {
    SimTime::ZERO + point.0.get()
}

/// How many points are at or before `at`.
fn passed(points: &[Point], at: SimTime) -> usize {
    points.partition_point(|p| instant(p) <= at)
}

impl Piecewise {
    pub(super) fn at(&self, at: SimTime) -> f64 {
        passed(&self.0, at).checked_sub(1).map_or(0.0, |i| self.0[i].1.get())
    }

    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let until = self.0.get(passed(&self.0, at)).map_or(SimTime::MAX, instant);
        Bound { rate: self.at(at), until }
    }
}

impl Ramp {
    pub(super) fn at(&self, at: SimTime) -> f64 {
        let i = passed(&self.0, at);
        match (i.checked_sub(1).map(|i| &self.0[i]), self.0.get(i)) {
            (None, None) => 0.0,
            (Some(only), None) | (None, Some(only)) => only.1.get(),
            (Some(from), Some(to)) => {
                let part = at.since(instant(from)).as_secs_f64() / (to.0.get() - from.0.get()).as_secs_f64();
                from.1.get() + (to.1.get() - from.1.get()) * part
            }
        }
    }

    pub(super) fn bound(&self, at: SimTime) -> Bound {
        let next = self.0.get(passed(&self.0, at));
        let until = next.map_or(SimTime::MAX, instant);
        Bound { rate: self.at(at).max(next.map_or(0.0, |p| p.1.get())), until }
    }
}

pub(super) fn problem(points: &[Point]) -> Option<(String, String)> {
    if points.is_empty() {
        return Some(("the list of rates is empty".into(), "write for example [(\"0s\", 100)]".into()));
    }
    points.windows(2).find(|pair| pair[0].0.get() >= pair[1].0.get()).map(|pair| {
        (
            format!("the time {} does not come after {}", pair[1].0.get(), pair[0].0.get()),
            "list the times in ascending order, each once".into(),
        )
    })
}
