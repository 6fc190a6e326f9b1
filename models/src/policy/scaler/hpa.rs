//! The Horizontal Pod Autoscaler of Kubernetes (autoscaling/v2).
//!
//! For each metric: `desired = ceil(current * value / target)`, unless the ratio is within the tolerance of 1. A
//! replica that is not ready counts as using nothing when the number would rise; if that turns the decision
//! round or brings it within the tolerance, nothing changes. The largest answer of several metrics wins. Then the
//! recommendations of the stabilisation window are looked at (the least of them on the way up, the greatest on
//! the way down), and how much may change in each period.
//!
//! Source: `pkg/controller/podautoscaler/replica_calculator.go` and `horizontal.go` of kubernetes, and the page
//! "Horizontal Pod Autoscaling" of its documentation for the defaults (read in November 2026).

use super::{Memory, Observed, positive, whole};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// The Horizontal Pod Autoscaler. What is left out is as Kubernetes has it by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hpa {
    /// What it looks at; the largest answer wins.
    pub metrics: Vec<Metric>,
    /// By how much a ratio may differ from 1 without effect.
    #[serde(default = "a_tenth")]
    pub tolerance: Given<f64>,
    /// How it scales up: by default at once, by 4 replicas or by 100% in 15 s, whichever is more.
    #[serde(default = "Side::up")]
    pub up: Side,
    /// How it scales down: by default to the greatest recommendation of the last 300 s, by any number.
    #[serde(default = "Side::down")]
    pub down: Side,
}

fn a_tenth() -> Given<f64> {
    0.1.into()
}

/// What the autoscaler looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Metric {
    /// Processors in use over those requested.
    Cpu {
        /// The utilisation it aims at: usage over request, which may be above 1.
        target: Given<f64>,
        /// Processors that each replica requests; left out, all it has. It may use more than it requests.
        #[serde(default)]
        request: Option<Given<f64>>,
    },
    /// Requests offered a second, for each replica.
    Rate {
        /// How many for each replica.
        per_replica: Given<f64>,
    },
    /// Requests waiting, for each replica.
    Waiting {
        /// How many for each replica.
        per_replica: Given<f64>,
    },
}

/// How fast the number may change in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Over how long recommendations are looked at: the most cautious of them counts.
    #[serde(default)]
    pub stabilisation: Given<SimDuration>,
    /// How much the number may change; of several the one that allows most counts. Empty: by any number.
    #[serde(default)]
    pub policies: Vec<PodPolicy>,
}

/// A limit on change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum PodPolicy {
    /// By so many replicas in each period.
    Pods {
        /// How many.
        most: Given<u32>,
        /// In how long.
        period: Given<SimDuration>,
    },
    /// By so many percent of the replicas in each period.
    Percent {
        /// Percent of the number at the start of the period.
        most: Given<f64>,
        /// In how long.
        period: Given<SimDuration>,
    },
}

impl Side {
    fn up() -> Self {
        let period = || SimDuration::from_secs(15).into();
        let policies = vec![
            PodPolicy::Pods { most: 4.into(), period: period() },
            PodPolicy::Percent { most: 100.0.into(), period: period() },
        ];
        Self { stabilisation: SimDuration::ZERO.into(), policies }
    }

    fn down() -> Self {
        Self { stabilisation: SimDuration::from_secs(300).into(), policies: Vec::new() }
    }
}

impl Hpa {
    /// The autoscaler with its defaults.
    pub fn new(metrics: Vec<Metric>) -> Self {
        Self { metrics, tolerance: a_tenth(), up: Side::up(), down: Side::down() }
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        if self.metrics.is_empty() {
            return Some(("it looks at no metric".into(), "write for example metrics: [Cpu(target: 0.6)]".into()));
        }
        let metric = |metric: &Metric| match metric {
            Metric::Cpu { target, request } => {
                let request = request.as_ref().and_then(|request| positive("request", request.get()));
                positive("target", target.get()).or(request)
            }
            Metric::Rate { per_replica } | Metric::Waiting { per_replica } => {
                positive("per_replica", per_replica.get())
            }
        };
        let tolerance = self.tolerance.get();
        let wrong = !(0.0..1.0).contains(&tolerance);
        self.metrics
            .iter()
            .find_map(metric)
            .or_else(|| wrong.then(|| (format!("tolerance is {tolerance}"), "write a number from 0 to below 1".into())))
    }

    pub(super) fn desired(&self, memory: &mut Memory, observed: &Observed) -> u32 {
        let recommended = self.metrics.iter().map(|metric| self.by_metric(metric, observed)).max();
        let recommended = recommended.unwrap_or(observed.desired);
        let stable = self.stabilised(memory, observed, recommended);
        self.limited(memory, observed, stable)
    }

    /// What one metric asks for.
    fn by_metric(&self, metric: &Metric, observed: &Observed) -> u32 {
        let Observed { desired, ready, sample, .. } = *observed;
        match metric {
            Metric::Cpu { target, request } => {
                let request = request.as_ref().map_or(f64::from(observed.processors), Given::get);
                replicas_for_usage(desired, ready, sample.busy / request / target.get(), self.tolerance.get())
            }
            Metric::Rate { per_replica } => {
                replicas_for_total(desired, sample.offered_per_s / per_replica.get(), self.tolerance.get())
            }
            Metric::Waiting { per_replica } => {
                replicas_for_total(desired, f64::from(sample.waiting) / per_replica.get(), self.tolerance.get())
            }
        }
    }

    /// The most cautious of the recommendations of late.
    fn stabilised(&self, memory: &mut Memory, observed: &Observed, recommended: u32) -> u32 {
        let (now, current) = (observed.now, observed.desired);
        memory.recommended.push_back((now, recommended));
        let longest = self.up.stabilisation.get().max(self.down.stabilisation.get());
        while memory.recommended.front().is_some_and(|(at, _)| at.saturating_add(longest) < now) {
            memory.recommended.pop_front();
        }
        let late = |side: &Side| {
            let span = side.stabilisation.get();
            memory.recommended.iter().filter(move |(at, _)| at.saturating_add(span) >= now).map(|(_, n)| *n)
        };
        let least = late(&self.up).min().unwrap_or(recommended).max(current);
        let most = late(&self.down).max().unwrap_or(recommended).min(current);
        if recommended > current {
            least
        } else if recommended < current {
            most
        } else {
            current
        }
    }

    /// No more change than the policies allow.
    fn limited(&self, memory: &mut Memory, observed: &Observed, wanted: u32) -> u32 {
        let now = observed.now;
        let longest = [&self.up, &self.down].into_iter().flat_map(|side| &side.policies).map(PodPolicy::period).max();
        while memory.changed.front().is_some_and(|(at, _)| !within(*at, longest.unwrap_or_default(), now)) {
            memory.changed.pop_front();
        }
        let current = i64::from(observed.desired);
        // Where the number stood when a period began, as far as it has moved in this direction since.
        let began = |period: SimDuration, up: bool| {
            let since = memory.changed.iter().filter(|(at, change)| within(*at, period, now) && (*change > 0) == up);
            current - since.map(|(_, change)| change).sum::<i64>()
        };
        let bound = |side: &Side, up: bool| {
            let limits = side.policies.iter().map(|policy| {
                let began = began(policy.period(), up);
                began + if up { policy.most(began) } else { -policy.most(began) }
            });
            if up { limits.max() } else { limits.min() }
        };
        let wanted = i64::from(wanted);
        let allowed = match wanted.cmp(&current) {
            std::cmp::Ordering::Greater => bound(&self.up, true).map_or(wanted, |most| wanted.min(most.max(current))),
            std::cmp::Ordering::Less => bound(&self.down, false).map_or(wanted, |least| wanted.max(least.min(current))),
            std::cmp::Ordering::Equal => wanted,
        };
        u32::try_from(allowed).unwrap_or(0)
    }
}

/// Whether an instant lies in the period that ends now.
fn within(at: SimTime, period: SimDuration, now: SimTime) -> bool {
    at.saturating_add(period) > now
}

impl PodPolicy {
    fn period(&self) -> SimDuration {
        match self {
            Self::Pods { period, .. } | Self::Percent { period, .. } => period.get(),
        }
    }

    /// By how many replicas, if there were so many when the period began.
    fn most(&self, began: i64) -> i64 {
        match self {
            Self::Pods { most, .. } => i64::from(most.get()),
            Self::Percent { most, .. } => i64::from(whole(began as f64 * most.get() / 100.0)),
        }
    }
}

/// By a metric measured at each replica. `used` is what all replicas use, in targets: 3.0 is what three
/// replicas should use. Those that are not ready count as using nothing, on the way up.
fn replicas_for_usage(desired: u32, ready: u32, used: f64, tolerance: f64) -> u32 {
    if ready == 0 {
        return desired;
    }
    let near = |ratio: f64| (ratio - 1.0).abs() <= tolerance + 1e-12;
    let ratio = used / f64::from(ready);
    if near(ratio) {
        return desired;
    }
    if ratio < 1.0 || ready >= desired {
        return whole(used);
    }
    let with_all = used / f64::from(desired);
    if near(with_all) || with_all < 1.0 { desired } else { whole(used) }
}

/// By a metric of all replicas together. `wanted` is for how many replicas there is enough to do.
fn replicas_for_total(desired: u32, wanted: f64, tolerance: f64) -> u32 {
    let near = desired > 0 && (wanted / f64::from(desired) - 1.0).abs() <= tolerance + 1e-12;
    if near { desired } else { whole(wanted) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::observed;
    use super::*;

    /// The cases of `replica_calculator_test.go` that have a meaning here, and the examples of the documentation:
    /// replicas, use of each in percent (of those that are ready), target, expected.
    #[test]
    fn computes_what_kubernetes_computes() {
        let cases: [(&str, u32, &[f64], f64, u32); 6] = [
            ("ScaleUp", 3, &[30.0, 50.0, 70.0], 30.0, 5),
            ("ScaleUpUnreadyLessScale", 3, &[50.0, 70.0], 30.0, 4),
            ("ScaleDown", 5, &[10.0, 30.0, 50.0, 25.0, 25.0], 50.0, 3),
            ("twice the target", 4, &[200.0; 4], 100.0, 8),
            ("tolerance of the blog", 50, &[90.0; 50], 75.0, 60),
            ("within the tolerance", 10, &[55.0; 10], 50.0, 10),
        ];
        for (name, desired, percent, target, expected) in cases {
            let mut seen = observed(0, desired);
            seen.ready = percent.len() as u32;
            seen.sample.busy = percent.iter().sum::<f64>() / 100.0;
            let metric = Metric::Cpu { target: (target / 100.0).into(), request: Some(1.0.into()) };
            assert_eq!(Hpa::new(Vec::new()).by_metric(&metric, &seen), expected, "{name}");
        }
        let rates: [(&str, u32, &[f64], f64, u32); 3] = [
            ("ScaleUpCM", 3, &[20.0, 10.0, 30.0], 15.0, 4),
            ("ScaleUpCMExternal", 1, &[8.6], 4.4, 2),
            ("ScaleDownCM", 5, &[12.0; 5], 20.0, 3),
        ];
        for (name, desired, rates, target, expected) in rates {
            let mut seen = observed(0, desired);
            seen.sample.offered_per_s = rates.iter().sum();
            let metric = Metric::Rate { per_replica: target.into() };
            assert_eq!(Hpa::new(Vec::new()).by_metric(&metric, &seen), expected, "{name}");
        }
    }

    #[test]
    fn usage_may_be_above_the_request() {
        let mut seen = observed(0, 4);
        seen.processors = 4;
        seen.sample.busy = 12.0;
        let metric = Metric::Cpu { target: 1.5.into(), request: Some(1.0.into()) };
        // Three processors in use where one is requested are 300%; at 150% that needs twice the replicas.
        assert_eq!(Hpa::new(Vec::new()).by_metric(&metric, &seen), 8);
    }

    #[test]
    fn a_rise_at_most_doubles_or_adds_four_in_fifteen_seconds() {
        let hpa = Hpa::new(vec![Metric::Rate { per_replica: 1.0.into() }]);
        let mut memory = Memory::default();
        let mut desired = 3;
        let mut course = Vec::new();
        for look in 1..=4 {
            let mut seen = observed(15 * look, desired);
            seen.sample.offered_per_s = 100.0;
            let next = hpa.desired(&mut memory, &seen);
            memory.changed.push_back((seen.now, i64::from(next) - i64::from(desired)));
            desired = next;
            course.push(desired);
        }
        assert_eq!(course, [7, 14, 28, 56]);
    }

    #[test]
    fn a_fall_waits_for_five_minutes_of_low_recommendations() {
        let hpa = Hpa::new(vec![Metric::Rate { per_replica: 1.0.into() }]);
        let mut memory = Memory::default();
        let mut at = |now, rate: f64| {
            let mut seen = observed(now, 10);
            seen.sample.offered_per_s = rate;
            hpa.desired(&mut memory, &seen)
        };
        assert_eq!(at(0, 10.0), 10);
        assert_eq!(at(15, 8.0), 10);
        assert_eq!(at(300, 2.0), 10, "ten of the instant 0 is in the window");
        assert_eq!(at(315, 2.0), 8, "eight of 15 is still in it");
        assert_eq!(at(330, 2.0), 2);
    }
}
