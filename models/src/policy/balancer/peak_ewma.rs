//! Peak EWMA: of two replicas chosen at random the one with the smaller expected wait, a peak-sensitive
//! average of its response times, times what is outstanding there and one more.
//!
//! The rule is that of Finagle (`com.twitter.finagle.loadbalancer`, `PeakEwma`), which linkerd took over. Each
//! replica has a cost, first 0. A response that took r at t, with d since the cost was last touched, makes it
//!
//! ```text
//!   cost = r                                             if r > cost
//!   cost = cost exp(-d/decay) + r (1 - exp(-d/decay))    otherwise
//! ```
//!
//! To look at a replica is to touch its cost with r = 0: it fades while no response tells otherwise. Its load
//! then is cost (outstanding + 1); one without any cost and with something outstanding, of which nothing is
//! known yet, counts as more than every other.

use super::View;
use crate::given::Given;
use crate::system::purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// Peak EWMA as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakEwma {
    /// How long it takes until e^-1 = 37% of what was known is left.
    #[serde(default = "ten_seconds")]
    pub decay: Given<SimDuration>,
}

fn ten_seconds() -> Given<SimDuration> {
    SimDuration::from_secs(10).into()
}

/// Peak EWMA as run.
#[derive(Clone, Debug)]
pub struct PeakEwmaState {
    decay: f64,
    /// By ordinal.
    costs: Vec<Cost>,
}

/// What is known of the response times of a replica.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    seconds: f64,
    touched: SimTime,
}

/// The load of a replica without any response, and with something outstanding.
const PENALTY: f64 = f64::MAX / 2.0;

impl Cost {
    fn observe(&mut self, decay: f64, now: SimTime, seconds: f64) {
        if seconds > self.seconds {
            self.seconds = seconds;
        } else {
            let kept = libm::exp(-now.since(self.touched).as_secs_f64() / decay);
            self.seconds = self.seconds * kept + seconds * (1.0 - kept);
        }
        self.touched = now;
    }
}

impl PeakEwma {
    pub(super) fn start(&self) -> Result<PeakEwmaState, String> {
        let decay = self.decay.get();
        if decay.is_zero() {
            return Err("a decay of 0s knows nothing of response times; write for example decay: \"10s\"".into());
        }
        Ok(PeakEwmaState { decay: decay.as_secs_f64(), costs: Vec::new() })
    }
}

impl PeakEwmaState {
    fn cost(&mut self, ordinal: u32) -> &mut Cost {
        let place = ordinal as usize;
        if self.costs.len() <= place {
            self.costs.resize(place + 1, Cost::default());
        }
        &mut self.costs[place]
    }

    fn load(&mut self, ordinal: u32, now: SimTime, outstanding: u32) -> f64 {
        let decay = self.decay;
        let cost = self.cost(ordinal);
        cost.observe(decay, now, 0.0);
        let outstanding = f64::from(outstanding);
        if cost.seconds == 0.0 && outstanding > 0.0 {
            PENALTY + outstanding
        } else {
            cost.seconds * (outstanding + 1.0)
        }
    }

    pub(super) fn pick<F: Fn(u32) -> u32>(&mut self, view: &View<'_, F>) -> u32 {
        let n = view.up.len() as u64;
        if n == 1 {
            return view.up[0].id;
        }
        let draw = view.attempt.index(purpose::BALANCE);
        let one = draw.index(0).below(n);
        let other = draw.index(1).below(n - 1);
        let pair = [one, if other >= one { other + 1 } else { other }].map(|at| view.up[at as usize]);
        let [first, second] = pair.map(|m| self.load(m.ordinal, view.now, (view.outstanding)(m.id)));
        // Which of the two comes first is chance, so equals need no further draw.
        if first < second { pair[0].id } else { pair[1].id }
    }

    /// A replica has responded.
    pub(super) fn replied(&mut self, ordinal: u32, now: SimTime, took: SimDuration) {
        let decay = self.decay;
        self.cost(ordinal).observe(decay, now, took.as_secs_f64());
    }

    /// Nothing is known of a replica that is new.
    pub(super) fn joined(&mut self, ordinal: u32) {
        *self.cost(ordinal) = Cost::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas of the module's text, worked out: decay 1 s.
    #[test]
    fn the_cost_jumps_to_a_peak_and_fades_from_it() {
        let mut state = PeakEwma { decay: SimDuration::from_secs(1).into() }.start().unwrap();
        let at = |seconds: f64| SimTime::ZERO + SimDuration::from_secs_f64(seconds);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} not {expected}");
        assert_eq!(state.load(0, at(0.0), 0), 0.0);
        assert_eq!(state.load(0, at(0.0), 2), PENALTY + 2.0, "asked, and not yet answered");
        state.replied(0, at(1.0), SimDuration::from_millis(100));
        near(state.load(0, at(1.0), 1), 0.2);
        // A peak counts at once, and more than any average.
        state.replied(0, at(1.5), SimDuration::from_millis(500));
        near(state.load(0, at(1.5), 0), 0.5);
        // Half a second later a reply of 100 ms: 0.5 e^-0.5 + 0.1 (1 - e^-0.5).
        state.replied(0, at(2.0), SimDuration::from_millis(100));
        let e = libm::exp(-0.5);
        near(state.load(0, at(2.0), 0), 0.5 * e + 0.1 * (1.0 - e));
        // Who looks, sees it fade; after a long while it is as good as unknown.
        near(state.load(0, at(3.0), 3), 4.0 * (0.5 * e + 0.1 * (1.0 - e)) * libm::exp(-1.0));
        state.joined(0);
        assert_eq!(state.load(0, at(3.0), 0), 0.0);
    }
}
