//! Curves: what happens over time, in bins, over the replications of a run.
//!
//! Like the figures, curves follow from tables: a new one is one line here.

use crate::figures::{CONTENTION, Definition, HOST, POOL, PROCESSOR, THREADS};
use crate::units::Unit::{self, Count, PerSecond, Seconds};
use indexmap::IndexMap;
use models::probe::Series;
use models::topology::Topology;
use sim_core::time::{SimDuration, SimTime};

/// What happened over time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesReport {
    /// How wide the bins are. The last one ends with the run.
    pub bin: SimDuration,
    /// Over how many replications: the first ones.
    pub replications: usize,
    /// How many bins there are; the first begins at time zero, so that the warm-up is part of it.
    pub bins: usize,
    /// Every curve by its place, such as `services.db.utilisation.processor`, in the order of the report.
    pub curves: IndexMap<String, Curve>,
}

/// A figure in each bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Its place below `series` in the JSON document of the run.
    pub path: Vec<String>,
    /// What it is.
    pub definition: &'static Definition,
    /// By bin, its mean over the replications in which it exists; `None` if it does in none.
    pub mean: Vec<Option<f64>>,
    /// By bin, its lowest value in any replication.
    pub low: Vec<Option<f64>>,
    /// By bin, its highest value in any replication.
    pub high: Vec<Option<f64>>,
}

/// A line of a table.
pub(super) struct Row<F> {
    pub(super) definition: Definition,
    of: F,
}

const fn row<F: Copy>(key: &'static str, unit: Unit, about: &'static str, of: F) -> Row<F> {
    Row { definition: Definition { key, unit, about }, of }
}

/// The value of all clients in a bin.
type OfAll = fn(&Series, usize) -> Option<f64>;
/// The value of a service in a bin.
type OfService = fn(&Series, usize, usize) -> Option<f64>;

/// `metrics`: requests of all clients.
pub(super) const METRICS: &[Row<OfAll>] = &[
    row("arrivals_per_s", PerSecond, "Fresh requests that come.", |s, bin| rate(s, bin, s.requests(bin).arrived)),
    row(
        "arrivals_served_per_s",
        PerSecond,
        "Fresh requests that come and are served, whenever that is: never above `arrivals_per_s`, and what lies \
         between the two is lost, or still open when the run ends.",
        |s, bin| rate(s, bin, s.requests(bin).arrived_and_served),
    ),
    row("goodput_per_s", PerSecond, "Requests that are served, whenever they came.", |s, bin| {
        rate(s, bin, s.requests(bin).served)
    }),
    row("failed_per_s", PerSecond, "Requests that finally fail, whenever they came.", |s, bin| {
        rate(s, bin, s.requests(bin).failed)
    }),
    row("attempts_per_s", PerSecond, "Attempts that clients begin, first ones and repeats.", |s, bin| {
        rate(s, bin, s.requests(bin).attempts)
    }),
    row("response_mean_s", Seconds, "Response time of the requests that are served, whenever they came.", |s, bin| {
        let requests = s.requests(bin);
        (requests.served > 0).then(|| requests.response_nanos as f64 / (1e9 * requests.served as f64))
    }),
    row("in_flight_mean", Count, "Requests in flight, averaged over time.", |s, bin| s.in_flight(bin)),
];

/// `services.<service>`.
pub(super) const SERVICE: &[Row<OfService>] = &[
    row("replicas_mean", Count, "Replicas, those that drain included, averaged over time.", |s, id, bin| {
        s.replicas(id, bin)
    }),
    row("queue_length_mean", Count, "Attempts waiting for a thread, averaged over time.", |s, id, bin| {
        s.waiting(id, bin)
    }),
    row("held_mean", Count, "Attempts held by threads, averaged over time.", |s, id, bin| s.held(id, bin)),
    row(
        "busy_mean",
        Count,
        "Servers or cores in use, averaged over time; of a database under contention, and on the cores of a host, \
         visits at work.",
        |s, id, bin| s.busy(id, bin),
    ),
];

/// `services.<service>.utilisation`, but for pools.
pub(super) const UTILISATION: [(&Definition, OfService); 4] = [
    (&THREADS, |s, id, bin| s.thread_utilisation(id, bin)),
    (&PROCESSOR, |s, id, bin| s.processor_utilisation(id, bin)),
    (&HOST, |s, id, bin| s.host_utilisation(id, bin)),
    (&CONTENTION, |s, id, bin| s.contended_utilisation(id, bin)),
];

fn rate(series: &Series, bin: usize, count: u64) -> Option<f64> {
    let span = series.span(bin);
    (!span.is_zero()).then(|| count as f64 / span.as_secs_f64())
}

impl SeriesReport {
    /// The curves of a run; `None` without any replication.
    pub(super) fn new(topology: &Topology, replications: &[&Series]) -> Option<Self> {
        let first = replications.first()?;
        let (bin, bins) = (first.width(), first.bins());
        let mut report = Self { bin, replications: replications.len(), bins, curves: IndexMap::new() };
        for row in METRICS {
            report.add(&["metrics"], &row.definition, replications, row.of);
        }
        for (id, service) in topology.services.iter().enumerate() {
            let place = ["services", &service.name, "utilisation"];
            // What a service does not have, it has at no time.
            for (definition, of) in UTILISATION {
                report.add_if_any(&place, definition.key, definition, replications, |s, bin| of(s, id, bin));
            }
            for (pool, spec) in service.pools.iter().enumerate() {
                let key = format!("pool:{}", topology.services[usize::from(spec.callee)].name);
                report.add_if_any(&place, &key, &POOL, replications, |s, bin| s.pool_utilisation(id, pool, bin));
            }
            for row in SERVICE {
                report.add(&["services", &service.name], &row.definition, replications, |s, bin| (row.of)(s, id, bin));
            }
        }
        Some(report)
    }

    /// The curve at a place, such as `metrics.arrivals_per_s`.
    pub fn curve(&self, path: &str) -> Option<&Curve> {
        self.curves.get(path)
    }

    /// When a bin begins; that after the last begins when the run ends, or a little later.
    pub fn begin(&self, bin: usize) -> SimTime {
        SimTime::from_nanos(self.bin.as_nanos().saturating_mul(bin as u64))
    }

    fn add(
        &mut self,
        place: &[&str],
        definition: &'static Definition,
        replications: &[&Series],
        of: impl Fn(&Series, usize) -> Option<f64>,
    ) {
        let curve = Curve::new(place, definition.key, definition, self.bins, replications, of);
        self.curves.insert(curve.path.join("."), curve);
    }

    fn add_if_any(
        &mut self,
        place: &[&str],
        key: &str,
        definition: &'static Definition,
        replications: &[&Series],
        of: impl Fn(&Series, usize) -> Option<f64>,
    ) {
        let curve = Curve::new(place, key, definition, self.bins, replications, of);
        if curve.mean.iter().any(Option::is_some) {
            self.curves.insert(curve.path.join("."), curve);
        }
    }
}

impl Curve {
    fn new(
        place: &[&str],
        key: &str,
        definition: &'static Definition,
        bins: usize,
        replications: &[&Series],
        of: impl Fn(&Series, usize) -> Option<f64>,
    ) -> Self {
        let path = place.iter().copied().chain([key]).map(str::to_owned).collect();
        let (mut mean, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
        for bin in 0..bins {
            let values: Vec<f64> = replications.iter().filter_map(|series| of(series, bin)).collect();
            // In the order of the replications, so that sums round alike on any number of threads.
            mean.push((!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64));
            low.push(values.iter().copied().reduce(f64::min));
            high.push(values.iter().copied().reduce(f64::max));
        }
        Self { path, definition, mean, low, high }
    }
}
