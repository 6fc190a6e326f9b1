//! Growth: from people who sign up to requests a second.
//!
//! ```text
//!   curve      who has ever signed up                    cumulative(t)
//!   returning  of those older than a month, who is still  monthly  = new in 30 days + returning(t) x the others
//!              there
//!   audience   who comes on a day, and for how much       daily    = share x monthly
//!                                                         requests = daily x requests a day, over a day's seconds
//!   evening    how busy the busiest hour is               x the day's mean
//! ```
//!
//! Nothing here is drawn: growth is a function of time. `t` is in years of 365.25 days after launch.

mod course;
mod curve;

pub use course::Course;
pub use curve::Curve;

use crate::document::{Path, Problem};
use indexmap::IndexMap;
use models::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Growth as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// People who have ever signed up.
    pub users: Curve,
    /// Of those who signed up more than 30 days ago, the share that comes in a month.
    pub returning: Course,
    /// Kinds of users, by name; the first is the core of the product.
    pub audience: IndexMap<String, Audience>,
    /// How busy the busy hours are.
    pub peaks: Peaks,
}

/// Busy hours as written: requests a second in them, over the mean of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peaks {
    /// In the evening.
    pub evening: Given<f64>,
    /// On the evening of a match.
    pub match_evening: Given<f64>,
    /// In the minutes after a goal.
    pub goal: Given<f64>,
}

/// A kind of users as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// Of the month's users, the share that comes on a day as one of these.
    pub daily: Given<f64>,
    /// Requests of each on a day.
    pub requests: Course,
    /// How they spread over the day.
    pub session: Session,
}

/// A stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Requests in it.
    pub requests: Given<f64>,
    /// How long it lasts.
    pub length: Given<SimDuration>,
}

/// A product's users and what they ask for, at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// People who have ever signed up.
    pub cumulative: f64,
    /// Monthly active users.
    pub monthly: f64,
    /// Daily active users, by audience.
    pub daily: Vec<f64>,
    /// Requests a second, mean of the day.
    pub mean_per_s: f64,
    /// Requests a second in the evening.
    pub evening_per_s: f64,
    /// Requests a second on the evening of a match.
    pub match_per_s: f64,
    /// Requests a second in the minutes after a goal.
    pub goal_per_s: f64,
    /// Open sessions in the evening, by Little's law.
    pub evening_sessions: f64,
    /// Open sessions on the evening of a match.
    pub match_sessions: f64,
}

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;
/// Years in 30 days.
const MONTH: f64 = 30.0 / 365.25;

/// A time after launch, in years.
pub fn years(span: SimDuration) -> f64 {
    span.as_secs_f64() / (365.25 * DAY_S)
}

impl Growth {
    /// The users so many years after launch.
    pub fn at(&self, years: f64) -> Users {
        let (cumulative, before) = (self.users.at(years), self.users.at(years - MONTH));
        let monthly = cumulative - before + self.returning.at(years) * before;
        let daily: Vec<f64> = self.audience.values().map(|audience| audience.daily.get() * monthly).collect();
        let by_audience = || self.audience.values().zip(&daily);
        let per_s = |(audience, daily): (&Audience, &f64)| daily * audience.requests.at(years) / DAY_S;
        let mean_per_s: f64 = by_audience().map(per_s).sum();
        let sessions = |(audience, daily): (&Audience, &f64)| {
            per_s((audience, daily)) / audience.session.requests.get() * audience.session.length.get().as_secs_f64()
        };
        let mean_sessions: f64 = by_audience().map(sessions).sum();
        Users {
            cumulative,
            monthly,
            mean_per_s,
            evening_per_s: self.peaks.evening.get() * mean_per_s,
            match_per_s: self.peaks.match_evening.get() * mean_per_s,
            goal_per_s: self.peaks.goal.get() * mean_per_s,
            evening_sessions: self.peaks.evening.get() * mean_sessions,
            match_sessions: self.peaks.match_evening.get() * mean_sessions,
            daily,
        }
    }

    /// What is wrong with it, at its place in the document.
    pub(crate) fn problems(&self, place: &Path) -> Vec<Problem> {
        let mut problems = self.users.problems(&place.name("users"));
        problems.extend(self.returning.problems(&place.name("returning"), 1.0));
        let audiences = place.name("audience");
        for (name, audience) in &self.audience {
            let place = audiences.name(name);
            problems.extend(audience.requests.problems(&place.name("requests"), 1e6));
            if audience.session.requests.get() <= 0.0 {
                let problem = Problem::error(place.name("session").name("requests"), "a session without requests");
                problems.push(problem.with_help("write how many requests a session has, for example 90"));
            }
        }
        // Whoever comes in a month comes on one of its 30 days at least.
        let daily: f64 = self.audience.values().map(|audience| audience.daily.get()).sum();
        if self.audience.is_empty() {
            let help = "write at least one kind of users, as in `outgrow new mine --template story`";
            problems.push(Problem::error(audiences, "nobody comes").with_help(help));
        } else if !(1.0 / 30.0 - 1e-9..=1.0).contains(&daily) {
            let message =
                format!("{:.4} of the month's users come on a day, all audiences together, and that cannot be", daily);
            let help = "between 1/30, if each comes once a month, and 1, if all come every day: change `daily`";
            problems.push(Problem::error(audiences, message).with_help(help));
        }
        let peaks = &self.peaks;
        for (field, factor) in [("match_evening", peaks.match_evening.get()), ("goal", peaks.goal.get())] {
            if factor < peaks.evening.get() {
                let message = format!("{factor} times the mean of the day is less than an ordinary evening");
                let help = format!("write {} at least", peaks.evening.get());
                problems.push(Problem::error(place.name("peaks").name(field), message).with_help(help));
            }
        }
        let factors = [("evening", self.peaks.evening.get()), ("match_evening", self.peaks.match_evening.get())];
        for (field, factor) in factors.into_iter().chain([("goal", self.peaks.goal.get())]) {
            if !(1.0..=1e4).contains(&factor) {
                let message = format!("{factor} times the mean of the day is no busy hour");
                let help = "write a number above 1, for example 2.53";
                problems.push(Problem::error(place.name("peaks").name(field), message).with_help(help));
            }
        }
        problems
    }
}
