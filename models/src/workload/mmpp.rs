//! A Markov-modulated Poisson process: requests come as a Poisson process whose rate is that of a state,
//! and states take turns at random instants. Traffic in bursts, with two states; with more, in their order
//! and then from the first again.

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::exp1;
use sim_core::random::{Key, KeyedRng};
use sim_core::time::{SimDuration, SimTime};

/// States that take turns, in their order and then from the first again: `Mmpp([(rate: 20, stay: "30s"), (rate: 200, stay: "5s")])`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mmpp(pub Vec<MmppState>);

/// A state: how many requests come in it, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MmppState {
    /// Requests a second.
    pub rate: Given<f64>,
    /// Mean of the time for which it lasts, which is exponential.
    pub stay: Given<SimDuration>,
}

/// The state that a process is in, as run. Its stays are drawn by their ordinal, so that they are the same
/// whatever the rates are.
#[derive(Clone, Debug)]
pub struct Environment {
    key: Key,
    stays: u64,
    state: usize,
    until: SimTime,
}

impl Mmpp {
    /// Requests a second in the long run.
    pub fn mean_rate(&self) -> f64 {
        let stays: f64 = self.0.iter().map(|s| s.stay.get().as_secs_f64()).sum();
        let requests: f64 = self.0.iter().map(|s| s.rate.get() * s.stay.get().as_secs_f64()).sum();
        if stays > 0.0 { requests / stays } else { 0.0 }
    }

    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        if self.0.len() < 2 {
            let help = "write for example Mmpp([(rate: 20, stay: \"30s\"), (rate: 200, stay: \"5s\")])";
            return Some(("the rate needs two states to change between".into(), help.into()));
        }
        let zero = self.0.iter().any(|state| state.stay.get().is_zero());
        zero.then(|| ("a stay of no time is no state".into(), "write how long it lasts on average".into()))
    }

    /// In which state it is at the start: in each with the probability with which it is there at any instant.
    /// By then the stay has no memory of when it began.
    pub fn start(&self, key: Key) -> Environment {
        let total: f64 = self.0.iter().map(|s| s.stay.get().as_secs_f64()).sum();
        let mut rest = key.index(0).uniform() * total;
        let mut state = 0;
        while state + 1 < self.0.len() && rest >= self.0[state].stay.get().as_secs_f64() {
            rest -= self.0[state].stay.get().as_secs_f64();
            state += 1;
        }
        let mut environment = Environment { key, stays: 0, state, until: SimTime::ZERO };
        environment.stay(SimTime::ZERO, self);
        environment
    }
}

impl Environment {
    /// Draws how long the present state lasts from `now` on.
    fn stay(&mut self, now: SimTime, mmpp: &Mmpp) {
        self.stays += 1;
        let mean_s = mmpp.0[self.state].stay.get().as_secs_f64();
        let stay_s = exp1(&mut self.key.index(self.stays).rng()) * mean_s;
        // At least a nanosecond, so that states that hardly last still let time go on.
        let stay = SimDuration::from_secs_f64(stay_s).max(SimDuration::from_nanos(1));
        self.until = now.saturating_add(stay);
    }

    /// When the next thing happens after `now`: a request, or else the state changes.
    pub fn next(&self, now: SimTime, mmpp: &Mmpp, stream: &mut KeyedRng) -> SimTime {
        let gap = exp1(stream) / mmpp.0[self.state].rate.get();
        now.saturating_add(SimDuration::from_secs_f64(gap)).min(self.until)
    }

    /// Whether what happens now is that the state changes; if so, it does.
    pub fn changes(&mut self, now: SimTime, mmpp: &Mmpp) -> bool {
        let changes = now >= self.until;
        if changes {
            self.state = (self.state + 1) % mmpp.0.len();
            self.stay(now, mmpp);
        }
        changes
    }
}
