//! A schedule: so many replicas from each time of day on.

use super::Observed;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Numbers of replicas by the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// From when on in each period how many: in order, the first from the start.
    pub times: Vec<(Given<SimDuration>, Given<u32>)>,
    /// After how long it begins anew.
    #[serde(default = "a_day")]
    pub period: Given<SimDuration>,
}

fn a_day() -> Given<SimDuration> {
    SimDuration::from_secs(86_400).into()
}

impl Schedule {
    pub(super) fn desired(&self, observed: &Observed) -> u32 {
        let within = observed.now.as_nanos() % self.period.get().as_nanos();
        let last = self.times.iter().rev().find(|(from, _)| from.get().as_nanos() <= within);
        last.map_or(observed.desired, |(_, replicas)| replicas.get())
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        let remedy = || "write for example times: [(\"0h\", 4), (\"18h\", 12)]".to_owned();
        if self.period.get().is_zero() {
            return Some(("the period is 0s".into(), "leave it out for a day".into()));
        }
        if self.times.first().is_none_or(|(from, _)| !from.get().is_zero()) {
            return Some(("the times do not begin with \"0s\"".into(), remedy()));
        }
        if !self.times.is_sorted_by(|a, b| a.0.get() < b.0.get()) {
            return Some(("the times are not in order".into(), remedy()));
        }
        let late = self.times.iter().find(|(from, _)| from.get() >= self.period.get())?;
        Some((format!("{} is beyond the period of {}", late.0.get(), self.period.get()), remedy()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    #[test]
    fn the_clock_decides() {
        let hours = |h: u64| Given::from(SimDuration::from_secs(3_600 * h));
        let times = vec![(hours(0), 4.into()), (hours(18), 12.into()), (hours(23), 6.into())];
        let schedule = Schedule { times, period: a_day() };
        assert_eq!(schedule.problem(), None);
        let at = |hour: u64| schedule.desired(&observed(3_600 * hour, 99));
        assert_eq!([0, 17, 18, 22, 23, 24, 42, 47].map(at), [4, 4, 12, 12, 6, 4, 12, 6]);
        assert!(Schedule { times: vec![(hours(1), 4.into())], period: a_day() }.problem().is_some());
    }
}
