//! How replicas come into being: the machine they need, their start-up, the time until they are warm, and how fast
//! each works.

use crate::distribution::Distribution;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// How a replica starts that was not there from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// From the decision, or from when its machine is there, until it takes requests; left out, at once.
    #[serde(default)]
    pub takes: Option<Distribution>,
    /// How much slower it is at first; left out, it is not.
    #[serde(default)]
    pub cold: Option<Cold>,
    /// The machines it needs; left out, there are always enough.
    #[serde(default)]
    pub machines: Option<Machines>,
    /// How long after a crash a new replica begins to start in place of the lost one; left out, none does
    /// unless a scaler or the timeline asks for it.
    #[serde(default)]
    pub restart: Option<Given<SimDuration>>,
}

/// Slower at first: work takes `1 + extra * exp(-t / fades)` times as long, t after it began to take requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    /// How much longer work takes at the very first: 2 for three times as long.
    pub extra: Given<f64>,
    /// After how long the rest of it is 1/e.
    pub fades: Given<SimDuration>,
}

/// Machines, each with room for some replicas of this service. At the start there are as many as are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machines {
    /// Replicas that fit on one.
    pub room: Given<u32>,
    /// How long a new one takes to come; the replicas that need it start then.
    pub boot: Given<SimDuration>,
}

impl Cold {
    /// Whether nothing of it is left that a nanosecond would show.
    pub fn has_faded(&self, age: SimDuration) -> bool {
        age.as_secs_f64() > 40.0 * self.fades.get().as_secs_f64()
    }

    /// How many times longer work takes, `age` after the replica began to take requests.
    pub fn slowdown(&self, age: SimDuration) -> f64 {
        let fades = self.fades.get().as_secs_f64();
        if fades > 0.0 { 1.0 + self.extra.get() * libm::exp(-age.as_secs_f64() / fades) } else { 1.0 }
    }
}

/// The machines of a service as run.
#[derive(Clone, Debug, Default)]
pub(crate) struct MachinesState {
    /// When each is there.
    there: Vec<SimTime>,
}

impl Machines {
    /// When the machine of the last of `replicas` replicas is there; those that are needed no longer are given
    /// back, the last first.
    pub(crate) fn place(&self, state: &mut MachinesState, now: SimTime, replicas: u32) -> SimTime {
        let needed = replicas.div_ceil(self.room.get().max(1)) as usize;
        let comes = if now == SimTime::ZERO { now } else { now.saturating_add(self.boot.get()) };
        state.there.resize(needed, comes);
        state.there.last().copied().unwrap_or(now).max(now)
    }
}

impl Start {
    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        let extra = self.cold.as_ref().map_or(0.0, |cold| cold.extra.get());
        if !(0.0..=1e6).contains(&extra) {
            let remedy = "write by how much more work takes at first: 2 is three times as long";
            return Some((format!("cold is {extra} extra"), remedy.into()));
        }
        let room = self.machines.as_ref().map_or(1, |machines| machines.room.get());
        (room == 0).then(|| ("a machine has room for 0 replicas".into(), "write 1 or more".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_comes_only_when_the_others_are_full() {
        let at = SimTime::from_secs;
        let machines = Machines { room: 2.into(), boot: SimDuration::from_secs(60).into() };
        let mut state = MachinesState::default();
        assert_eq!(machines.place(&mut state, at(0), 3), at(0));
        assert_eq!(machines.place(&mut state, at(10), 4), at(10), "there was room for one more");
        assert_eq!(machines.place(&mut state, at(10), 5), at(70));
        assert_eq!(machines.place(&mut state, at(20), 6), at(70), "on the machine that is coming");
        assert_eq!(machines.place(&mut state, at(30), 4), at(30), "one was given back");
        assert_eq!(machines.place(&mut state, at(40), 5), at(100));
    }

    #[test]
    fn cold_fades() {
        let cold = Cold { extra: 2.0.into(), fades: SimDuration::from_secs(30).into() };
        assert_eq!(cold.slowdown(SimDuration::ZERO), 3.0);
        assert!((cold.slowdown(SimDuration::from_secs(30)) - (1.0 + 2.0 / std::f64::consts::E)).abs() < 1e-12);
        assert!(cold.slowdown(SimDuration::from_secs(3_600)) - 1.0 < 1e-12);
    }
}
