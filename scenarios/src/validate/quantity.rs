//! What of a run a value of theory is compared with.
//!
//! Mostly a figure of the report by its place, such as `services.web.waiting_mean_s`, or little sums of
//! some. What no report has is watched by a probe, one tracker a quantity.

use crate::report::RunReport;
use models::probe::{Arrival, Load, Outcome, Probe};
use models::system::Run;
use serde::Deserialize;
use sim_core::random::Key;
use sim_core::stats::{Histogram, Moments};
use sim_core::time::{SimDuration, SimTime};
use std::collections::HashMap;

/// A quantity of a run, after its warm-up.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Quantity {
    /// A figure of the report, by its place.
    Figure(String),
    /// One less a figure.
    Complement(String),
    /// The sum of some figures.
    Sum(Vec<String>),
    /// The first figure less the second.
    Difference(String, String),
    /// The first figure over the second.
    Ratio(String, String),
    /// The first figure over the second, less one.
    Excess(String, String),
    /// One less the first figure over the second.
    Shortfall(String, String),
    /// A figure over a number.
    Over(String, f64),
    /// The share of time with so many requests in a service.
    State(String, u64),
    /// The time in the queue of a service that this share of attempts does not exceed, in seconds.
    WaitingQuantile(String, f64),
    /// The variance over attempts of the time in the queue of a service.
    WaitingVariance(String),
    /// Its standard deviation, in seconds.
    WaitingDeviation(String),
    /// The mean time for which a service is never empty, in seconds.
    BusyPeriod(String),
    /// The mean over requests of their response time over their demand.
    Slowdown,
    /// The share of requests whose work does not begin when they come.
    Delayed,
    /// The mean over requests of a population of the time from when they come until their first work begins, in
    /// seconds.
    FirstWait(String),
    /// The number of requests in a service at an instant, by any warm-up.
    At(String, SimDuration),
    /// The most requests in a service at once.
    Most(String),
    /// The longest time in the queue of a service, in seconds.
    LongestWait(String),
    /// How many attempts have waited in the queue of a service.
    Waited(String),
    /// How long after an instant the last attempt that had waited left the queue of a service, in seconds.
    LastWaitAfter(String, SimDuration),
}

impl Quantity {
    /// The figures of the report that it needs.
    pub fn figures(&self) -> Vec<&str> {
        match self {
            Self::Figure(path) | Self::Complement(path) | Self::Over(path, _) => vec![path],
            Self::Sum(paths) => paths.iter().map(String::as_str).collect(),
            Self::Difference(a, b) | Self::Ratio(a, b) | Self::Excess(a, b) | Self::Shortfall(a, b) => vec![a, b],
            _ => vec![],
        }
    }

    /// The service that it watches by a tracker, if it does so.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::State(service, _)
            | Self::WaitingQuantile(service, _)
            | Self::WaitingVariance(service)
            | Self::WaitingDeviation(service)
            | Self::BusyPeriod(service)
            | Self::At(service, _)
            | Self::Most(service)
            | Self::LongestWait(service)
            | Self::Waited(service)
            | Self::LastWaitAfter(service, _) => Some(service),
            _ => None,
        }
    }

    /// Its value in each replication: `trackers` are those of this quantity, one a replication.
    pub(super) fn values(&self, report: &RunReport, trackers: &[&Tracker]) -> Vec<Option<f64>> {
        let all = || 0..report.replications.len();
        let figure = |path: &str, i: usize| report.figure(path)?.values.get(i).copied().flatten();
        match self {
            Self::Figure(path) => all().map(|i| figure(path, i)).collect(),
            Self::Complement(path) => all().map(|i| Some(1.0 - figure(path, i)?)).collect(),
            Self::Sum(paths) => all().map(|i| paths.iter().map(|path| figure(path, i)).sum()).collect(),
            Self::Difference(a, b) => all().map(|i| Some(figure(a, i)? - figure(b, i)?)).collect(),
            Self::Ratio(a, b) => all().map(|i| Some(figure(a, i)? / figure(b, i)?)).collect(),
            Self::Excess(a, b) => all().map(|i| Some(figure(a, i)? / figure(b, i)? - 1.0)).collect(),
            Self::Shortfall(a, b) => all().map(|i| Some(1.0 - figure(a, i)? / figure(b, i)?)).collect(),
            Self::Over(path, number) => all().map(|i| Some(figure(path, i)? / number)).collect(),
            _ => trackers.iter().map(|tracker| tracker.value(self, report.horizon)).collect(),
        }
    }
}

/// Watches one quantity in one replication.
#[derive(Clone, Debug)]
pub(super) struct Tracker {
    /// The service it looks at, if it looks at one.
    service: Option<u16>,
    /// Since when it counts.
    since: SimTime,
    waiting: u32,
    held: u32,
    kind: TrackerKind,
}

#[derive(Clone, Debug)]
enum TrackerKind {
    /// A figure of the report: there is nothing to watch.
    Figure,
    /// Nanoseconds at a level, up to an instant.
    State { level: u64, nanos: u128, upto: SimTime },
    /// Stretches of positive length that are empty, and all others.
    Busy { empty_nanos: u128, empty: u64, upto: SimTime, was_empty: bool },
    /// The level at an instant.
    At { at: SimTime, level: Option<u64> },
    /// The greatest level.
    Most { most: u64 },
    /// Times in the queue, and when the last attempt that had waited left it.
    Waits { all: Box<Histogram>, moments: Moments, waited: u64, last: SimTime },
    /// Demands of the requests under way.
    Slowdown { demands: HashMap<Key, SimDuration>, moments: Moments },
    /// When the requests came whose work has not begun.
    Delayed { came: HashMap<Key, SimTime>, moments: Moments },
    /// The same of the requests of one population.
    FirstWait { client: Option<u16>, came: HashMap<Key, SimTime>, moments: Moments },
}

impl Tracker {
    pub(super) fn new(quantity: &Quantity, run: &Run, since: SimTime) -> Self {
        let start = run.now();
        let kind = match quantity {
            Quantity::State(_, level) => TrackerKind::State { level: *level, nanos: 0, upto: start },
            Quantity::BusyPeriod(_) => TrackerKind::Busy { empty_nanos: 0, empty: 0, upto: start, was_empty: false },
            Quantity::At(_, at) => TrackerKind::At { at: SimTime::ZERO + *at, level: None },
            Quantity::Most(_) => TrackerKind::Most { most: 0 },
            Quantity::WaitingQuantile(..)
            | Quantity::WaitingVariance(_)
            | Quantity::WaitingDeviation(_)
            | Quantity::LongestWait(_)
            | Quantity::Waited(_)
            | Quantity::LastWaitAfter(..) => {
                TrackerKind::Waits { all: Box::default(), moments: Moments::new(), waited: 0, last: start }
            }
            Quantity::Slowdown => TrackerKind::Slowdown { demands: HashMap::new(), moments: Moments::new() },
            Quantity::Delayed => TrackerKind::Delayed { came: HashMap::new(), moments: Moments::new() },
            Quantity::FirstWait(name) => {
                let client = run.model.topology().clients.iter().position(|client| client.name == *name);
                let client = client.map(|id| id as u16);
                TrackerKind::FirstWait { client, came: HashMap::new(), moments: Moments::new() }
            }
            _ => TrackerKind::Figure,
        };
        let services = &run.model.topology().services;
        let service = quantity.service().and_then(|name| services.iter().position(|service| service.name == name));
        Self { service: service.map(|id| id as u16), since, waiting: 0, held: 0, kind }
    }

    fn level(&self) -> u64 {
        u64::from(self.waiting) + u64::from(self.held)
    }

    /// Time has passed at the present level.
    fn pass(&mut self, now: SimTime) {
        let here = self.level();
        let since = self.since;
        match &mut self.kind {
            TrackerKind::State { level, nanos, upto } => {
                if here == *level && now > since {
                    *nanos += u128::from(now.since((*upto).max(since)).as_nanos());
                }
                *upto = now;
            }
            TrackerKind::Busy { empty_nanos, empty, upto, was_empty } => {
                let from = (*upto).max(since);
                if now > from {
                    let is_empty = here == 0;
                    *empty += u64::from(is_empty && !*was_empty);
                    *empty_nanos += if is_empty { u128::from(now.since(from).as_nanos()) } else { 0 };
                    *was_empty = is_empty;
                }
                *upto = now;
            }
            TrackerKind::At { at, level } if now > *at => *level = level.or(Some(here)),
            _ => {}
        }
    }

    fn changed(&mut self) {
        let here = self.level();
        if let TrackerKind::Most { most } = &mut self.kind {
            *most = here.max(*most);
        }
    }

    fn value(&self, quantity: &Quantity, end: SimTime) -> Option<f64> {
        let mut ended = self.clone();
        ended.pass(end);
        let span = end.since(self.since).as_nanos() as f64;
        match ended.kind {
            TrackerKind::Figure => None,
            TrackerKind::State { nanos, .. } => Some(nanos as f64 / span),
            TrackerKind::Busy { empty_nanos, empty, .. } => {
                (empty > 0).then(|| (span - empty_nanos as f64) / 1e9 / empty as f64)
            }
            TrackerKind::At { at, level } => {
                let now = (at <= end).then(|| self.level());
                level.or(now).map(|level| level as f64)
            }
            TrackerKind::Most { most } => Some(most as f64),
            TrackerKind::Waits { all, moments, waited, last } => match quantity {
                Quantity::WaitingQuantile(_, q) => all.quantile(*q).map(SimDuration::as_secs_f64),
                Quantity::WaitingVariance(_) => moments.variance(),
                Quantity::WaitingDeviation(_) => moments.variance().map(f64::sqrt),
                Quantity::LongestWait(_) => all.max().map(SimDuration::as_secs_f64),
                Quantity::LastWaitAfter(_, after) => Some(last.as_secs_f64() - after.as_secs_f64()),
                _ => Some(waited as f64),
            },
            TrackerKind::Slowdown { moments, .. }
            | TrackerKind::Delayed { moments, .. }
            | TrackerKind::FirstWait { moments, .. } => moments.mean(),
        }
    }
}

/// Watches all quantities of a case in one replication: one tracker each, in order.
#[derive(Debug)]
pub(super) struct Trackers(pub(super) Vec<Tracker>);

impl Trackers {
    pub(super) fn new<'a>(quantities: impl Iterator<Item = &'a Quantity>, run: &Run, since: SimTime) -> Self {
        Self(quantities.map(|quantity| Tracker::new(quantity, run, since)).collect())
    }

    fn at(&mut self, service: u16) -> impl Iterator<Item = &mut Tracker> {
        self.0.iter_mut().filter(move |tracker| tracker.service == Some(service))
    }
}

impl Probe for Trackers {
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        for tracker in &mut self.0 {
            let since = tracker.since;
            let came = match &mut tracker.kind {
                TrackerKind::Delayed { came, .. } => came,
                TrackerKind::FirstWait { client, came, .. } if *client == Some(arrival.client) => came,
                _ => continue,
            };
            if now >= since {
                came.insert(arrival.request, now);
            }
        }
    }

    fn demand(&mut self, now: SimTime, _: u16, request: Key, demand: SimDuration) {
        for tracker in &mut self.0 {
            match &mut tracker.kind {
                TrackerKind::Delayed { came, moments } => {
                    if let Some(came) = came.remove(&request) {
                        moments.push(if now > came { 1.0 } else { 0.0 });
                    }
                }
                TrackerKind::FirstWait { came, moments, .. } => {
                    if let Some(came) = came.remove(&request) {
                        moments.push(now.since(came).as_secs_f64());
                    }
                }
                TrackerKind::Slowdown { demands, .. } => drop(demands.insert(request, demand)),
                _ => {}
            }
        }
    }

    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {
        for tracker in &mut self.0 {
            if let TrackerKind::Slowdown { demands, moments } = &mut tracker.kind
                && let Some(demand) = demands.remove(&outcome.request)
                && outcome.started >= tracker.since
            {
                let response = now.since(outcome.started);
                moments.push(response.as_nanos() as f64 / demand.as_nanos() as f64);
            }
        }
    }

    fn admitted(&mut self, now: SimTime, service: u16, wait: SimDuration) {
        for tracker in self.at(service) {
            let since = tracker.since;
            if let TrackerKind::Waits { all, moments, waited, last } = &mut tracker.kind
                && now >= since
            {
                all.record(wait);
                moments.push(wait.as_secs_f64());
                if !wait.is_zero() {
                    *waited += 1;
                    *last = now;
                }
            }
        }
    }

    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        for tracker in self.at(service) {
            tracker.pass(now);
            (tracker.waiting, tracker.held) = (load.waiting, load.held);
            tracker.changed();
        }
    }
}
