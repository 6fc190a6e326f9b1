//! Health: which replicas a balancer takes for healthy, and how it finds out.
//!
//! ```text
//!   active:   check every interval --answers or not--> so many in a row: unhealthy, healthy again
//!   passive:  attempts that fail in a row ------------> ejected for base x how often, then back
//!   panic:    fewer healthy than this share ----------> all are used, whatever is known of them
//! ```
//!
//! Active checks ask every replica at the multiples of the interval; whoever is up answers at once, whoever has
//! crashed refuses at once or says nothing until the timeout. With active checks a crash is known only by them,
//! and until then attempts go there and fail. Passive checks are Envoy's outlier detection by consecutive
//! failures, the share of hosts that may be ejected and the panic threshold Envoy's as well.

use super::balancer::Member;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// How a balancer learns which replicas are healthy, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Active checks; left out, the balancer knows at once who has crashed.
    #[serde(default)]
    pub checks: Option<Checks>,
    /// Who fails attempts is not asked for a while; left out, nobody is ejected.
    #[serde(default)]
    pub outliers: Option<Outliers>,
    /// With a smaller share of healthy replicas all are used; 0 for never.
    #[serde(default = "half")]
    pub panic: Given<f64>,
}

/// Active health checks as written; the defaults are those of a readiness probe of Kubernetes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// How often every replica is asked, at multiples of this.
    #[serde(default = "ten_seconds")]
    pub interval: Given<SimDuration>,
    /// After how long without an answer a check has failed; at most the interval.
    #[serde(default = "one_second")]
    pub timeout: Given<SimDuration>,
    /// How many checks fail in a row until a replica is unhealthy.
    #[serde(default = "three")]
    pub unhealthy: Given<u32>,
    /// How many pass in a row until it is healthy again. One that is new needs only one.
    #[serde(default = "one")]
    pub healthy: Given<u32>,
}

/// Outlier detection as written; the defaults are Envoy's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outliers {
    /// How many attempts fail in a row at a replica until it is ejected.
    #[serde(default = "five")]
    pub consecutive: Given<u32>,
    /// How long it is ejected, times how often it has been.
    #[serde(default = "thirty_seconds")]
    pub base: Given<SimDuration>,
    /// The longest it is ejected.
    #[serde(default = "five_minutes")]
    pub longest: Given<SimDuration>,
    /// Nobody more is ejected once this share of the replicas is.
    #[serde(default = "tenth")]
    pub most: Given<f64>,
}

fn half() -> Given<f64> {
    0.5.into()
}

fn tenth() -> Given<f64> {
    0.1.into()
}

fn one() -> Given<u32> {
    1.into()
}

fn three() -> Given<u32> {
    3.into()
}

fn five() -> Given<u32> {
    5.into()
}

fn one_second() -> Given<SimDuration> {
    SimDuration::from_secs(1).into()
}

fn ten_seconds() -> Given<SimDuration> {
    SimDuration::from_secs(10).into()
}

fn thirty_seconds() -> Given<SimDuration> {
    SimDuration::from_secs(30).into()
}

fn five_minutes() -> Given<SimDuration> {
    SimDuration::from_secs(300).into()
}

impl Default for Checks {
    fn default() -> Self {
        Self { interval: ten_seconds(), timeout: one_second(), unhealthy: three(), healthy: one() }
    }
}

impl Default for Outliers {
    fn default() -> Self {
        Self { consecutive: five(), base: thirty_seconds(), longest: five_minutes(), most: tenth() }
    }
}

impl Health {
    /// What makes no sense about it, as field, problem and remedy.
    pub fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut found = Vec::new();
        if self.checks.is_none() && self.outliers.is_none() {
            let help = "write checks: (interval: \"10s\"), outliers: (consecutive: 5), or leave it out";
            found.push(("", "it has neither checks nor outliers, so it does nothing".into(), help));
        }
        if self.panic.get() > 1.0 {
            let message = format!("a share of {} of the replicas", self.panic.get());
            found.push(("panic", message, "write a share from 0 to 1, for example 0.5"));
        }
        if let Some(checks) = &self.checks {
            let (interval, timeout) = (checks.interval.get(), checks.timeout.get());
            if interval.is_zero() {
                let help = "write for example interval: \"10s\"";
                found.push(("checks", "an interval of 0s never ends".into(), help));
            }
            if timeout > interval {
                let message = format!("a check waits {timeout}, longer than the interval of {interval}");
                found.push(("checks", message, "write a shorter timeout"));
            }
            if checks.unhealthy.get() == 0 || checks.healthy.get() == 0 {
                let help = "write 1 or more for unhealthy and healthy";
                found.push(("checks", "no checks in a row are enough".into(), help));
            }
        }
        if let Some(outliers) = &self.outliers {
            if outliers.consecutive.get() == 0 {
                let help = "write 1 or more for consecutive";
                found.push(("outliers", "a replica is ejected after 0 failures".into(), help));
            }
            if outliers.base.get().is_zero() {
                let help = "write for example base: \"30s\", or leave outliers out";
                found.push(("outliers", "who is ejected for 0s is not ejected".into(), help));
            }
            if outliers.most.get() > 1.0 {
                let message = format!("a share of {} of the replicas is ejected at most", outliers.most.get());
                found.push(("outliers", message, "write a share from 0 to 1 for most"));
            }
        }
        found
    }
}

/// What a balancer knows of the health of replicas.
#[derive(Clone, Debug, Default)]
pub struct HealthState {
    /// By ordinal: who is up, and who has crashed without its being known.
    known: Vec<Known>,
    /// Who gets attempts.
    used: Vec<Member>,
    /// The last round of checks.
    checked: Option<SimTime>,
    /// For when something is planned.
    planned: Option<SimTime>,
}

/// What is known of a replica.
#[derive(Clone, Copy, Debug)]
struct Known {
    member: Member,
    /// Whether it is up; if not, whether it refuses or says nothing.
    up: Result<(), Silence>,
    healthy: bool,
    /// Whether no check has told of it yet.
    new: bool,
    /// Checks in a row that say the contrary.
    contrary: u32,
    /// When the check under way has failed, if it gets no answer.
    unanswered: Option<SimTime>,
    /// Attempts that failed in a row.
    failures: u32,
    ejected: Option<SimTime>,
    ejections: u32,
}

/// How a crashed replica shows that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It refuses at once.
    Refuses,
    /// It says nothing.
    Silent,
}

impl Known {
    fn answered(&mut self, checks: &Checks, well: bool) {
        self.unanswered = None;
        if well == self.healthy {
            self.contrary = 0;
            return;
        }
        self.contrary += 1;
        let needed = match well {
            true if self.new => 1,
            true => checks.healthy.get(),
            false => checks.unhealthy.get(),
        };
        if self.contrary >= needed {
            (self.healthy, self.contrary, self.new) = (well, 0, false);
        }
    }

    const fn usable(&self) -> bool {
        self.healthy && self.ejected.is_none()
    }
}

impl HealthState {
    /// Who gets attempts, by ordinal.
    pub fn used(&self) -> &[Member] {
        &self.used
    }

    fn place(&self, ordinal: u32) -> Result<usize, usize> {
        self.known.binary_search_by_key(&ordinal, |known| known.member.ordinal)
    }

    /// A replica takes requests from now on. One in the place of a crashed one is taken for what that was taken
    /// for. Answers who stood there before.
    pub fn joined(&mut self, health: &Health, member: Member, now: SimTime) -> Option<Member> {
        let before = match self.place(member.ordinal) {
            Ok(place) => {
                let known = &mut self.known[place];
                (known.up, known.failures) = (Ok(()), 0);
                Some(std::mem::replace(&mut known.member, member))
            }
            Err(place) => {
                // Those of the beginning are known.
                let healthy = health.checks.is_none() || now == SimTime::ZERO;
                let known = Known {
                    member,
                    up: Ok(()),
                    healthy,
                    new: !healthy,
                    contrary: 0,
                    unanswered: None,
                    failures: 0,
                    ejected: None,
                    ejections: 0,
                };
                self.known.insert(place, known);
                None
            }
        };
        self.choose(health);
        before
    }

    /// A replica goes, and the balancer is told.
    pub fn left(&mut self, health: &Health, ordinal: u32) {
        if let Ok(place) = self.place(ordinal) {
            self.known.remove(place);
            self.choose(health);
        }
    }

    /// A replica has crashed. Answers whether the balancer has still to find out.
    pub fn crashed(&mut self, health: &Health, ordinal: u32, how: Silence) -> bool {
        if health.checks.is_none() {
            self.left(health, ordinal);
            return false;
        }
        let place = self.place(ordinal);
        if let Ok(place) = place {
            self.known[place].up = Err(how);
        }
        place.is_ok()
    }

    /// There are to be no more than so many: places of crashed ones go, the last first. Answers who goes.
    pub fn keep(&mut self, health: &Health, most: usize) -> Vec<Member> {
        let mut gone = Vec::new();
        while self.known.len() > most
            && let Some(place) = self.known.iter().rposition(|known| known.up.is_err())
        {
            gone.push(self.known.remove(place).member);
        }
        if !gone.is_empty() {
            self.choose(health);
        }
        gone
    }

    /// Whether a replica that the balancer has chosen has crashed, and how it shows.
    pub fn crash_of(&self, ordinal: u32) -> Option<Silence> {
        self.place(ordinal).ok().and_then(|place| self.known[place].up.err())
    }

    /// An attempt at a replica has ended well, or failed.
    pub fn tried(&mut self, health: &Health, ordinal: u32, well: bool, now: SimTime) {
        let (Some(outliers), Ok(place)) = (&health.outliers, self.place(ordinal)) else { return };
        let ejected = self.known.iter().filter(|known| known.ejected.is_some()).count() as f64;
        let may = ejected < outliers.most.get() * self.known.len() as f64;
        let known = &mut self.known[place];
        known.failures = if well { 0 } else { known.failures + 1 };
        if known.failures < outliers.consecutive.get() {
            return;
        }
        known.failures = 0;
        if may && known.ejected.is_none() {
            known.ejections += 1;
            let times = outliers.base.get().as_nanos().saturating_mul(u64::from(known.ejections));
            let longest = outliers.longest.get().max(outliers.base.get());
            known.ejected = Some(now.saturating_add(SimDuration::from_nanos(times).min(longest)));
            self.choose(health);
        }
    }

    /// What is due: checks that have failed, the end of ejections, a round of checks.
    pub fn look(&mut self, health: &Health, now: SimTime) {
        if self.planned == Some(now) {
            self.planned = None;
        }
        for known in &mut self.known {
            if let Some(checks) = &health.checks
                && known.unanswered.is_some_and(|at| at <= now)
            {
                known.answered(checks, false);
            }
            if known.ejected.is_some_and(|until| until <= now) {
                (known.ejected, known.failures) = (None, 0);
            }
        }
        if let Some(checks) = &health.checks
            && now.as_nanos().is_multiple_of(checks.interval.get().as_nanos())
            && self.checked.is_none_or(|checked| checked < now)
        {
            self.checked = Some(now);
            for known in &mut self.known {
                match known.up {
                    Ok(()) => known.answered(checks, true),
                    Err(Silence::Refuses) => known.answered(checks, false),
                    Err(Silence::Silent) => known.unanswered = Some(now.saturating_add(checks.timeout.get())),
                }
            }
        }
        self.choose(health);
    }

    /// When to look next, if that is not planned. Checks that would tell nothing new are not made.
    pub fn plan(&mut self, health: &Health, now: SimTime) -> Option<SimTime> {
        let due = self.known.iter().flat_map(|known| [known.unanswered, known.ejected]).flatten().min();
        let telling = self.known.iter().any(|known| known.healthy != known.up.is_ok() || known.contrary > 0);
        let round = health.checks.as_ref().filter(|_| telling).map(|checks| {
            let interval = checks.interval.get().as_nanos();
            let from = if self.checked == Some(now) { now.as_nanos() + 1 } else { now.as_nanos() };
            SimTime::from_nanos(from.div_ceil(interval).saturating_mul(interval))
        });
        let next = due.into_iter().chain(round).min()?;
        if self.planned.is_some_and(|planned| planned <= next) {
            return None;
        }
        self.planned = Some(next);
        self.planned
    }

    /// Who gets attempts from now on.
    fn choose(&mut self, health: &Health) {
        let usable = self.known.iter().filter(|known| known.usable()).count() as f64;
        let panic = usable < health.panic.get() * self.known.len() as f64;
        self.used.clear();
        self.used.extend(self.known.iter().filter(|known| panic || known.usable()).map(|known| known.member));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: u32, health: &Health) -> HealthState {
        let mut state = HealthState::default();
        for ordinal in 0..n {
            state.joined(health, Member { ordinal, id: ordinal }, SimTime::ZERO);
        }
        state
    }

    fn used(state: &HealthState) -> Vec<u32> {
        state.used().iter().map(|member| member.ordinal).collect()
    }

    #[test]
    fn ejections_take_longer_each_time_and_never_all() {
        let outliers = Outliers { consecutive: 2.into(), most: 0.5.into(), ..Outliers::default() };
        let health = Health { checks: None, outliers: Some(outliers), panic: 0.0.into() };
        let mut state = of(4, &health);
        let at = SimTime::from_secs;
        state.tried(&health, 1, false, at(1));
        state.tried(&health, 1, true, at(2));
        state.tried(&health, 1, false, at(3));
        assert_eq!(used(&state), [0, 1, 2, 3], "a success in between");
        state.tried(&health, 1, false, at(4));
        assert_eq!((used(&state), state.plan(&health, at(4))), (vec![0, 2, 3], Some(at(34))));
        (0..2).for_each(|_| state.tried(&health, 2, false, at(10)));
        (0..2).for_each(|_| state.tried(&health, 3, false, at(10)));
        assert_eq!(used(&state), [0, 3], "half of them are enough");
        state.look(&health, at(34));
        assert_eq!((used(&state), state.plan(&health, at(34))), (vec![0, 1, 3], Some(at(40))));
        (0..2).for_each(|_| state.tried(&health, 1, false, at(40)));
        state.look(&health, at(40));
        assert_eq!((used(&state), state.plan(&health, at(40))), (vec![0, 2, 3], Some(at(100))), "twice as long");
    }

    #[test]
    fn with_too_few_healthy_ones_all_are_used() {
        let outliers = Outliers { consecutive: 1.into(), most: 1.0.into(), ..Outliers::default() };
        let health = Health { checks: None, outliers: Some(outliers), panic: 0.5.into() };
        let mut state = of(4, &health);
        let at = SimTime::from_secs(1);
        state.tried(&health, 0, false, at);
        state.tried(&health, 1, false, at);
        assert_eq!(used(&state), [2, 3], "half is no panic");
        state.tried(&health, 2, false, at);
        assert_eq!(used(&state), [0, 1, 2, 3]);
    }
}
