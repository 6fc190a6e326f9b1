//! Arrival rates that change over time, in requests a second.
//!
//! Each profile gives its rate at an instant and an upper bound over a stretch ahead, from which
//! arrivals are drawn exactly by thinning (Lewis & Shedler 1979).

mod burst;
mod combined;
mod diurnal;
mod flash_crowd;
mod growth;
mod match_night;
mod piecewise;
mod weekly;

pub use combined::{Product, Scaled, Sum};
pub use diurnal::Diurnal;
pub use flash_crowd::FlashCrowd;
pub use growth::Growth;
pub use match_night::Match;
pub use piecewise::{Piecewise, Ramp};
pub use weekly::Weekly;

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimTime;

/// An arrival rate as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Rate {
    /// The same all the time: `Constant(450)`.
    Constant(Given<f64>),
    /// Jumps at given times: `Piecewise([("0s", 100), ("10min", 300)])`.
    Piecewise(Piecewise),
    /// Straight lines between given times: `Ramp([("0s", 100), ("10min", 300)])`.
    Ramp(Ramp),
    /// The rhythm of a day: `Diurnal(mean: 120, peak: 1.8, at: "20h")`.
    Diurnal(Diurnal),
    /// The rhythm of a week: a factor for each day.
    Weekly(Weekly),
    /// Growth over months and years: `Growth(Logistic(start: 10, ceiling: 1000, midpoint: "180d"))`.
    Growth(Growth),
    /// Bursts that rise fast and fade slowly, on top of a base.
    FlashCrowd(FlashCrowd),
    /// An evening with a football match: kick-off, half-time and goals.
    Match(Match),
    /// Several together: `Sum([Constant(20), Ramp([("0s", 0), ("10min", 50)])])`.
    Sum(Sum),
    /// Some as factors of others: `Product([Growth(...), Weekly(...)])`.
    Product(Product),
    /// So many times another: `Scaled(2, Match(base: 450))`.
    Scaled(Scaled),
}

/// A rate that holds, or bounds, until some instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The rate is at most this, per second...
    pub rate: f64,
    /// ...before this instant.
    pub until: SimTime,
}

impl Rate {
    /// Every rate profile there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Constant", example: "Constant(450)", summary: "the same all the time" },
        Entry {
            name: "Piecewise",
            example: "Piecewise([(\"0s\", 100), (\"10min\", 300)])",
            summary: "jumps at given times",
        },
        Entry {
            name: "Ramp",
            example: "Ramp([(\"0s\", 100), (\"10min\", 300)])",
            summary: "straight lines between given times",
        },
        Entry {
            name: "Diurnal",
            example: "Diurnal(mean: 120, peak: 1.8, at: \"20h\")",
            summary: "the rhythm of a day: mean, highest over mean, and when that is",
        },
        Entry {
            name: "Weekly",
            example: "Weekly(days: [1, 1, 1, 1, 1.1, 1.3, 1.2], day: (mean: 120, peak: 1.8, at: \"20h\"))",
            summary: "the rhythm of a week: a factor for each day, from that of the start on",
        },
        Entry {
            name: "Growth",
            example: "Growth(Logistic(start: 10, ceiling: 1000, midpoint: \"180d\"))",
            summary: "grows over months or years towards a ceiling",
        },
        Entry {
            name: "FlashCrowd",
            example: "FlashCrowd(base: 100, bursts: [(\"10min\", 4)])",
            summary: "bursts that rise fast and fade slowly, on top of a base",
        },
        Entry {
            name: "Match",
            example: "Match(base: 450)",
            summary: "an evening with a football match: kick-off at minute 10, half-time and goals",
        },
        Entry {
            name: "Sum",
            example: "Sum([Constant(20), Ramp([(\"0s\", 0), (\"10min\", 50)])])",
            summary: "several together",
        },
        Entry {
            name: "Product",
            example: "Product([Ramp([(\"0s\", 10), (\"7d\", 20)]), Diurnal(mean: 1, peak: 1.8, at: \"20h\")])",
            summary: "a rate times others that are factors: growth times the rhythm of a day",
        },
        Entry { name: "Scaled", example: "Scaled(2, Match(base: 450))", summary: "so many times another" },
    ];

    /// Requests a second at `at`.
    pub fn at(&self, at: SimTime) -> f64 {
        match self {
            Self::Constant(rate) => rate.get(),
            Self::Piecewise(piecewise) => piecewise.at(at),
            Self::Ramp(ramp) => ramp.at(at),
            Self::Diurnal(rhythm) => rhythm.at(at),
            Self::Weekly(rhythm) => rhythm.at(at),
            Self::Growth(growth) => growth.at(at),
            Self::FlashCrowd(crowd) => crowd.at(at),
            Self::Match(profile) => profile.at(at),
            Self::Sum(sum) => sum.at(at),
            Self::Product(product) => product.at(at),
            Self::Scaled(scaled) => scaled.at(at),
        }
    }

    /// Whether the rate at `at` is above `level`: the same as asking [`Self::at`], but mostly cheaper.
    pub fn is_above(&self, at: SimTime, level: f64) -> bool {
        match self {
            Self::Match(profile) => profile.is_above(at, level),
            Self::FlashCrowd(crowd) => crowd.is_above(at, level),
            _ => self.at(at) > level,
        }
    }

    /// An upper bound on the rate from `at` on, and how long it holds; always beyond `at`.
    pub fn bound(&self, at: SimTime) -> Bound {
        match self {
            Self::Constant(rate) => Bound { rate: rate.get(), until: SimTime::MAX },
            Self::Piecewise(piecewise) => piecewise.bound(at),
            Self::Ramp(ramp) => ramp.bound(at),
            Self::Diurnal(rhythm) => rhythm.bound(at),
            Self::Weekly(rhythm) => rhythm.bound(at),
            Self::Growth(growth) => growth.bound(at),
            Self::FlashCrowd(crowd) => crowd.bound(at),
            Self::Match(profile) => profile.bound(at),
            Self::Sum(sum) => sum.bound(at),
            Self::Product(product) => product.bound(at),
            Self::Scaled(scaled) => scaled.bound(at),
        }
    }

    /// Expected requests before `horizon`, by the midpoint rule over about ten thousand parts: for
    /// estimates of how long a run takes.
    pub fn expected_before(&self, horizon: SimTime) -> f64 {
        let parts = 10_000;
        let width = horizon.as_nanos() / parts;
        let sum: f64 = (0..parts).map(|i| self.at(SimTime::from_nanos(width * i + width / 2))).sum();
        sum * horizon.as_secs_f64() / parts as f64
    }

    /// What makes no sense about it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, String)> {
        match self {
            Self::Piecewise(Piecewise(points)) | Self::Ramp(Ramp(points)) => piecewise::problem(points),
            Self::Diurnal(rhythm) => rhythm.problem(),
            Self::Weekly(rhythm) => rhythm.problem(),
            Self::Growth(growth) => growth.problem(),
            Self::FlashCrowd(crowd) => crowd.problem(),
            Self::Match(profile) => profile.problem(),
            Self::Sum(sum) => sum.problem(),
            Self::Product(product) => product.problem(),
            Self::Scaled(scaled) => scaled.problem(),
            Self::Constant(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::SimDuration;

    #[test]
    fn a_bound_is_never_exceeded() {
        let min = |m: u64| Given::from(SimDuration::from_secs(60 * m));
        let points = vec![(min(0), 10.0.into()), (min(3), 50.0.into()), (min(9), 20.0.into())];
        let rhythm = |peak: f64, second: f64, period: u64| Diurnal {
            second: second.into(),
            period: min(period),
            ..Diurnal::new(120.0, peak, SimDuration::from_secs(3_000))
        };
        let days = [1.0, 0.5, 2.0, 0.0, 1.5, 1.0, 3.0].map(Given::from).to_vec();
        let growth = |logistic: bool| {
            let (start, ceiling, midpoint) = (10.0.into(), 1_000.0.into(), min(60));
            if logistic {
                Growth::Logistic { start, ceiling, midpoint }
            } else {
                Growth::Gompertz { start, ceiling, midpoint }
            }
        };
        let bass = Growth::Bass {
            start: 1.0.into(),
            ceiling: 1_000.0.into(),
            innovation: 0.03.into(),
            imitation: 0.4.into(),
            per: min(10),
        };
        let rates = [
            Rate::Constant(3.0.into()),
            Rate::Piecewise(Piecewise(points.clone())),
            Rate::Ramp(Ramp(points.clone())),
            Rate::Match(Match::evening(450.0)),
            Rate::Diurnal(rhythm(2.0, 0.0, 30)),
            Rate::Diurnal(rhythm(2.4, 0.4, 30)),
            Rate::Diurnal(rhythm(1.3, 0.1, 1)),
            Rate::Weekly(Weekly { days: days.clone(), day: rhythm(2.4, 0.4, 20) }),
            Rate::Weekly(Weekly { days: days.clone(), day: rhythm(1.8, 0.0, 1) }),
            Rate::Growth(growth(true)),
            Rate::Growth(growth(false)),
            Rate::Growth(bass.clone()),
            Rate::FlashCrowd(FlashCrowd::new(100.0, &[(min(5).get(), 4.0), (min(90).get(), 2.0)])),
            Rate::Sum(Sum(vec![Rate::Ramp(Ramp(points)), Rate::Diurnal(rhythm(1.8, 0.0, 30))])),
            Rate::Product(Product(vec![Rate::Growth(bass), Rate::Weekly(Weekly { days, day: rhythm(1.8, 0.0, 20) })])),
            Rate::Scaled(Scaled(2.5.into(), Box::new(Rate::Match(Match::evening(450.0))))),
        ];
        for rate in rates {
            assert_eq!(rate.problem(), None, "{rate:?}");
            let mut at = SimTime::ZERO;
            let end = SimTime::from_secs(140 * 60);
            while at < end {
                let bound = rate.bound(at);
                assert!(bound.until > at, "{rate:?} at {at}");
                let stop = bound.until.min(end);
                for i in 0..50 {
                    let t = SimTime::from_nanos(at.as_nanos() + (stop.as_nanos() - at.as_nanos()) / 50 * i);
                    assert!(rate.at(t) <= bound.rate * (1.0 + 1e-12), "{rate:?} at {t}: {} > {bound:?}", rate.at(t));
                }
                at = stop;
            }
        }
    }

    fn hours(h: f64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs_f64(3_600.0 * h)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn a_day_has_its_mean_and_its_peak_at_its_hour() {
        let plain = Diurnal::new(100.0, 1.8, hours(20.0).since(SimTime::ZERO));
        let two = Diurnal { peak: 2.4.into(), second: 0.4.into(), ..plain.clone() };
        for (day, peak, trough) in [(plain, 180.0, 20.0), (two, 240.0, 40.0)] {
            let rate = Rate::Diurnal(day);
            close(rate.at(hours(20.0)), peak);
            close(rate.at(hours(44.0)), peak);
            close(rate.at(hours(8.0)), trough);
            close(rate.expected_before(hours(24.0)), 100.0 * 86_400.0);
        }
        let wrong = |peak: f64, second: f64| {
            let day = Diurnal::new(100.0, peak, SimDuration::ZERO);
            Rate::Diurnal(Diurnal { second: second.into(), ..day }).problem().map(|(message, _)| message)
        };
        assert!(wrong(2.1, 0.0).unwrap().contains("negative"));
        assert!(wrong(0.9, 0.0).unwrap().contains("too low"));
        assert!(wrong(3.1, 0.7).unwrap().contains("negative"));
        assert_eq!(wrong(2.0, 0.0), None);
        assert_eq!(wrong(2.6, 0.4), None);
    }

    #[test]
    fn a_week_is_days_with_factors() {
        let day = Diurnal::new(100.0, 1.8, hours(20.0).since(SimTime::ZERO));
        let week = |days: &[f64]| {
            let days = days.iter().map(|&factor| factor.into()).collect();
            Rate::Weekly(Weekly { days, day: day.clone() })
        };
        let rate = week(&[1.0, 1.0, 1.0, 1.0, 1.1, 1.3, 0.5]);
        close(rate.at(hours(20.0)), 180.0);
        close(rate.at(hours(5.0 * 24.0 + 20.0)), 1.3 * 180.0);
        close(rate.at(hours(13.0 * 24.0 + 8.0)), 0.5 * 20.0);
        assert!(week(&[1.0; 6]).problem().unwrap().0.contains("7 days"));
    }

    #[test]
    fn growth_goes_through_its_points() {
        let (start, ceiling, midpoint) = (10.0, 1_000.0, hours(48.0));
        let given = || (start.into(), ceiling.into(), Given::from(midpoint.since(SimTime::ZERO)));
        let (s, c, m) = given();
        let logistic = Rate::Growth(Growth::Logistic { start: s, ceiling: c, midpoint: m });
        let (s, c, m) = given();
        let gompertz = Rate::Growth(Growth::Gompertz { start: s, ceiling: c, midpoint: m });
        for rate in [&logistic, &gompertz] {
            close(rate.at(SimTime::ZERO), start);
            close(rate.at(midpoint), ceiling / 2.0);
            assert!(rate.at(hours(48_000.0)) > ceiling * 0.999_999);
        }
        // The logistic is symmetric around its midpoint; Gompertz is slower after it.
        close(logistic.at(hours(96.0)), ceiling - start);
        assert!(gompertz.at(hours(96.0)) < logistic.at(hours(96.0)));
        // Bass: the rate of new ones over those missing is p at the start, p + q F later.
        let bass = Rate::Growth(Growth::Bass {
            start: 0.0.into(),
            ceiling: 1.0.into(),
            innovation: 0.03.into(),
            imitation: 0.4.into(),
            per: hours(24.0).since(SimTime::ZERO).into(),
        });
        for h in [0.0, 60.0, 140.0, 300.0] {
            let step = 1e-3;
            let new = (bass.at(hours(h + step)) - bass.at(hours(h))) / (step / 24.0);
            let there = bass.at(hours(h + step / 2.0));
            assert!((new / (1.0 - there) - (0.03 + 0.4 * there)).abs() < 1e-6, "{h}");
        }
    }

    #[test]
    fn a_flash_crowd_is_the_goal_of_a_match() {
        let at = SimDuration::from_secs(33 * 60);
        let crowd = Rate::FlashCrowd(FlashCrowd::new(450.0, &[(at, 1.0)]));
        let night = Rate::Match(Match { goals: vec![(at.into(), 1.0.into())], ..Match::evening(450.0) });
        for minute in [20, 33, 34, 36, 40] {
            close(crowd.at(SimTime::from_secs(60 * minute)), night.at(SimTime::from_secs(60 * minute)));
        }
        // The peak is rise x ln(1 + decay/rise) after it began: there 10/11 x 11^-0.1 of the base.
        let peak = SimTime::ZERO + at + SimDuration::from_secs_f64(18.0 * libm::log1p(10.0));
        close(crowd.at(peak), 450.0 * (1.0 + 10.0 / 11.0 * libm::pow(11.0, -0.1)));
        let aside = SimDuration::from_secs(1);
        assert!(
            crowd.at(peak + aside) < crowd.at(peak)
                && crowd.at(peak) > crowd.at(SimTime::ZERO + (peak.since(SimTime::ZERO) - aside))
        );
    }
}
