//! Every figure of a report: its place, unit, meaning, and how one replication gives it.
//!
//! Each family has one table below. The JSON document, its documentation, the text, comparisons and
//! the check of `expect` all follow from these tables: a new figure is one line here.

use crate::costs::Bill;
use crate::load::Loaded;
use crate::units::Unit;
use models::intervention::Act;
use models::probe::{
    CacheMeasure, Cause, ClientMeasure, Found, HostMeasure, Measure, PoolMeasure, ServiceMeasure, Window, WindowMeasure,
};
use models::topology::{ProcessorSpec, Topology, UNLIMITED};
use sim_core::stats::{Estimate, Histogram, wilson};
use sim_core::time::SimTime;
use std::sync::Arc;

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its key in the JSON document.
    pub key: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it means, in one sentence.
    pub about: &'static str,
}

/// A figure of a run, over its replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its place in the JSON document of the run, from the top.
    pub path: Vec<String>,
    /// What it is.
    pub definition: &'static Definition,
    /// Its value in each replication that counts; `None` where it does not exist.
    pub values: Vec<Option<f64>>,
    /// Mean and interval over the replications in which it exists; `None` if it does in none.
    pub estimate: Option<Estimate>,
}

impl Figure {
    fn new(path: &[String], definition: &'static Definition, values: Vec<Option<f64>>) -> Self {
        let existing: Vec<f64> = values.iter().flatten().copied().collect();
        Self { path: path.to_vec(), definition, estimate: Estimate::from_replications(&existing), values }
    }

    /// Its mean over the replications; `None` if it exists in none.
    pub fn mean(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.mean)
    }

    /// In how many replications it exists.
    pub fn existing(&self) -> usize {
        self.values.iter().flatten().count()
    }

    /// Of a share of replications, each of which has it (1) or not (0): Wilson's 95% interval.
    /// `None` if it exists in none.
    pub fn wilson_95(&self) -> Option<(f64, f64)> {
        let trials = self.existing() as u64;
        let successes = self.values.iter().flatten().filter(|value| **value > 0.5).count() as u64;
        (trials > 0).then(|| wilson(successes, trials, 0.95))
    }
}

/// A replication when its figures are taken.
#[derive(Clone, Copy)]
pub(crate) struct At {
    /// When.
    now: SimTime,
    /// Seconds since it counts.
    span_s: f64,
    /// Which window tells whether it collapsed.
    collapse: usize,
    /// Whether the scenario names that window.
    collapse_named: bool,
}

/// A line of a table.
pub(crate) struct Row<T> {
    pub(crate) definition: Definition,
    of: fn(&T, At) -> Option<f64>,
}

const fn row<T>(key: &'static str, unit: Unit, about: &'static str, of: fn(&T, At) -> Option<f64>) -> Row<T> {
    Row { definition: Definition { key, unit, about }, of }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn rate(count: u64, at: At) -> Option<f64> {
    (at.span_s > 0.0).then(|| count as f64 / at.span_s)
}

fn quantile(of: &Histogram, q: f64) -> Option<f64> {
    of.quantile(q).map(|d| d.as_secs_f64())
}

use Unit::{Count, Money, PerSecond, Seconds, Share};

/// `metrics`: requests of all clients.
pub(crate) const METRICS: &[Row<Measure>] = &[
    row("arrivals_per_s", PerSecond, "Fresh requests that come.", |m, at| rate(m.requests().arrived, at)),
    row("attempts_per_s", PerSecond, "Attempts that clients make, first ones and repeats.", |m, at| {
        rate(m.attempts(), at)
    }),
    row("attempts_per_request", Count, "Attempts that clients make, over fresh requests.", |m, _| {
        ratio(m.attempts(), m.requests().arrived)
    }),
    row("goodput_per_s", PerSecond, "Requests that are served, whenever they came.", |m, at| {
        rate(m.requests().served(), at)
    }),
    row("availability", Share, "Requests served, of those whose outcome is known.", |m, _| m.requests().availability()),
    row(
        "slo_good_ratio",
        Share,
        "Requests served within the threshold of the SLO, of those whose outcome is known.",
        |m, _| ratio(m.requests().done_in_time, m.requests().known()),
    ),
    row(
        "unknown_ratio",
        Share,
        "Fresh requests whose outcome is still open when the run ends: neither served nor failed.",
        |m, _| unknown(&m.requests()),
    ),
    row(
        "collapsed_ratio",
        Share,
        "Replications that collapsed: they serve less than half of what comes in the collapse window. That is the \
         window that `collapse` names, else the last fifth of the run; of the latter, requests still open when the \
         run ends are left out unless they pile up: unless the requests in flight grow over it by more than a tenth \
         of those that come in it, and by more than three times the root of their number. Its `wilson95` is \
         Wilson's interval [low, high], to be preferred to `ci95` here.",
        |m, at| collapsed(&m.windows[at.collapse], at.collapse_named).map(|yes| f64::from(u8::from(yes))),
    ),
    row(
        "response_mean_s",
        Seconds,
        "Response time of requests served: from the first attempt to the reply.",
        |m, _| m.requests().responses.mean_secs(),
    ),
    row("response_p50_s", Seconds, "Median response time of requests served.", |m, _| {
        quantile(&m.requests().responses, 0.5)
    }),
    row("response_p90_s", Seconds, "Response time that 90% of the requests served do not exceed.", |m, _| {
        quantile(&m.requests().responses, 0.9)
    }),
    row("response_p95_s", Seconds, "Response time that 95% of the requests served do not exceed.", |m, _| {
        quantile(&m.requests().responses, 0.95)
    }),
    row("response_p99_s", Seconds, "Response time that 99% of the requests served do not exceed.", |m, _| {
        quantile(&m.requests().responses, 0.99)
    }),
    row("response_p999_s", Seconds, "Response time that 99.9% of the requests served do not exceed.", |m, _| {
        quantile(&m.requests().responses, 0.999)
    }),
    row("in_flight_mean", Count, "Requests in flight, averaged over time.", |m, at| m.in_flight.mean(at.now)),
    row("in_flight_max", Count, "The most requests in flight at once.", |m, _| Some(m.in_flight_max as f64)),
];

/// A run and what it has cost.
pub(crate) struct Billed {
    bill: Bill,
    /// Requests served within the threshold of the SLO.
    good: u64,
}

fn an_hour(cost: f64, at: At) -> Option<f64> {
    (at.span_s > 0.0).then(|| cost / at.span_s * 3600.0)
}

/// `costs`: what it costs, if the scenario has prices.
pub(crate) const COSTS: &[Row<Billed>] = &[
    row(
        "per_million_good",
        Money,
        "All costs, for a million requests served within the threshold of the SLO.",
        |b, _| (b.good > 0).then(|| b.bill.total() / b.good as f64 * 1e6),
    ),
    row("per_h", Money, "All costs, an hour.", |b, at| an_hour(b.bill.total(), at)),
    row("machines_per_h", Money, "Machines, an hour.", |b, at| an_hour(b.bill.machines, at)),
    row("storage_per_h", Money, "What is kept, an hour.", |b, at| an_hour(b.bill.storage, at)),
    row("requests_per_h", Money, "What is paid by requests, an hour.", |b, at| an_hour(b.bill.requests, at)),
    row("engineers_per_h", Money, "Engineers' work, an hour.", |b, at| an_hour(b.bill.engineers, at)),
    row("lost_per_h", Money, "What failed requests lose, an hour.", |b, at| an_hour(b.bill.lost, at)),
];

/// Machines, storage and requests of one service.
static COST: Definition =
    Definition { key: "cost_per_h", unit: Money, about: "Its machines, storage and requests, an hour." };

/// `clients.<population>`: the same for one population, where there are several.
pub(crate) const CLIENT: &[Row<ClientMeasure>] = &[
    row("arrivals_per_s", PerSecond, "Fresh requests that come.", |m, at| rate(m.arrived, at)),
    row("goodput_per_s", PerSecond, "Requests that are served, whenever they came.", |m, at| rate(m.served(), at)),
    row("availability", Share, "Requests served, of those whose outcome is known.", |m, _| m.availability()),
    row(
        "slo_good_ratio",
        Share,
        "Requests served within the threshold of the SLO, of those whose outcome is known.",
        |m, _| ratio(m.done_in_time, m.known()),
    ),
    row("unknown_ratio", Share, "Fresh requests whose outcome is still open when the run ends.", |m, _| unknown(m)),
    row("response_mean_s", Seconds, "Response time of requests served.", |m, _| m.responses.mean_secs()),
    row("response_p50_s", Seconds, "Median response time of requests served.", |m, _| quantile(&m.responses, 0.5)),
    row("response_p90_s", Seconds, "Response time that 90% do not exceed.", |m, _| quantile(&m.responses, 0.9)),
    row("response_p95_s", Seconds, "Response time that 95% do not exceed.", |m, _| quantile(&m.responses, 0.95)),
    row("response_p99_s", Seconds, "Response time that 99% do not exceed.", |m, _| quantile(&m.responses, 0.99)),
    row("response_p999_s", Seconds, "Response time that 99.9% do not exceed.", |m, _| quantile(&m.responses, 0.999)),
];

/// `failures.<cause>`, of all requests and of each population; in the order of [`Cause::ALL`].
pub(crate) const FAILURES: &[Definition; Cause::ALL.len()] = &[
    failure(Cause::Timeout, "Fresh requests that failed because the timeout of the last attempt passed."),
    failure(Cause::Rejected, "Fresh requests that failed because the last attempt met a full queue."),
    failure(Cause::Dropped, "Fresh requests that failed because the last attempt was dropped at dequeue."),
    failure(Cause::Crashed, "Fresh requests that failed because the replica with the last attempt crashed."),
    failure(Cause::Unreachable, "Fresh requests that failed because the last attempt found no replica."),
    failure(Cause::Downstream, "Fresh requests that failed because the last attempt failed at a service further down."),
    failure(Cause::Balked, "Fresh requests that did not join those that were there."),
    failure(Cause::Reneged, "Fresh requests that failed because the patience of the last attempt ended in the queue."),
    failure(Cause::Error, "Fresh requests that failed because the service asked answered with an error."),
    failure(Cause::Open, "Fresh requests that failed because the circuit breaker of their clients was open."),
    failure(Cause::Bulkhead, "Fresh requests that failed because their clients had too many under way."),
];

const fn failure(cause: Cause, about: &'static str) -> Definition {
    Definition { key: cause.name(), unit: Share, about }
}

/// `services.<service>`.
pub(crate) const SERVICE: &[Row<ServiceMeasure>] = &[
    row("replicas_mean", Count, "Replicas, those that drain included, averaged over time.", |s, at| {
        s.replicas.mean(at.now)
    }),
    row(
        "throughput_per_s",
        PerSecond,
        "Attempts that end well here, also those for which nobody waits any more.",
        |s, at| rate(s.done(), at),
    ),
    row("in_system_mean", Count, "Attempts waiting or held by threads, averaged over time.", |s, at| {
        s.in_system().mean(at.now)
    }),
    row("in_system_variance", Count, "Variance over time of the attempts waiting or held by threads.", |s, at| {
        s.in_system_variance(at.now)
    }),
    row("queue_length_mean", Count, "Attempts waiting for a thread, averaged over time.", |s, at| {
        s.waiting().mean(at.now)
    }),
    row(
        "waiting_mean_s",
        Seconds,
        "Time in the queue of attempts that got a thread, zeros included; waiting for connections of the caller's \
         pool is not part of it.",
        |s, _| s.waits.mean_secs(),
    ),
    row("waited_ratio", Share, "Attempts that got no thread at once, of those that were not rejected.", |s, _| {
        waited_ratio(s)
    }),
    row("waiting_p50_s", Seconds, "Median time in the queue.", |s, _| quantile(&s.waits, 0.5)),
    row("waiting_p95_s", Seconds, "Time in the queue that 95% do not exceed.", |s, _| quantile(&s.waits, 0.95)),
    row("waiting_p99_s", Seconds, "Time in the queue that 99% do not exceed.", |s, _| quantile(&s.waits, 0.99)),
    row(
        "pool_wait_mean_s",
        Seconds,
        "Time that calls of this service wait for a connection of its own pools, zeros included.",
        |s, _| pool_wait(&s.pools),
    ),
    row("response_mean_s", Seconds, "From arrival here to reply, of attempts that end well.", |s, _| {
        s.responses.mean_secs()
    }),
    row("response_p50_s", Seconds, "Median time from arrival here to reply.", |s, _| quantile(&s.responses, 0.5)),
    row("response_p95_s", Seconds, "Time from arrival to reply that 95% do not exceed.", |s, _| {
        quantile(&s.responses, 0.95)
    }),
    row("response_p99_s", Seconds, "Time from arrival to reply that 99% do not exceed.", |s, _| {
        quantile(&s.responses, 0.99)
    }),
    row("rejected_ratio", Share, "Attempts rejected at a full queue, of those that came.", |s, _| {
        ratio(s.turned_away[Cause::Rejected as usize], s.arrived)
    }),
    row(
        "abandoned_ratio",
        Share,
        "Attempts that came to nothing here, of those that came: cancelled, dropped or out of patience, or ended \
         when nobody waited any more.",
        |s, _| {
            let causes = [Cause::Timeout, Cause::Dropped, Cause::Reneged];
            let gone: u64 = causes.iter().map(|&cause| s.turned_away[cause as usize]).sum();
            ratio(gone + s.unwanted, s.arrived)
        },
    ),
];

/// `services.<service>.utilisation`.
pub(crate) const THREADS: Definition = Definition {
    key: "threads",
    unit: Share,
    about: "Held threads over those there are; absent if the service has no limit of them.",
};
/// Servers or cores.
pub(crate) const PROCESSOR: Definition = Definition {
    key: "processor",
    unit: Share,
    about: "Busy servers or cores over those there are; absent without a limit.",
};
/// The host it stands on.
pub(crate) const HOST: Definition = Definition {
    key: "host",
    unit: Share,
    about: "Servers or cores in use of the host on which the service stands, by all services there, over those there \
            are; absent without a host, or without a limit.",
};
/// A USL database.
pub(crate) const CONTENTION: Definition = Definition {
    key: "contention",
    unit: Share,
    about: "Of a database under contention: work done over the work it does with all connections of its callers' \
            pools in use; null if no pool limits them.",
};
/// Connections to another service.
pub(crate) const POOL: Definition = Definition {
    key: "pool:<callee>",
    unit: Share,
    about: "Connections in use over those there are, of this service's pool to that callee.",
};

/// `services.<service>.caches.<cache>`.
pub(crate) const CACHE: &[Row<CacheMeasure>] = &[
    row("lookups_per_s", PerSecond, "Lookups in the caches of all replicas.", |c, at| rate(c.lookups(), at)),
    row("hit_ratio", Share, "Lookups that find their key and go on at once.", |c, _| came_to(c, Found::Hit)),
    row(
        "waited_ratio",
        Share,
        "Lookups that miss a key which somebody fetches, and wait for that fetch (single flight).",
        |c, _| came_to(c, Found::Waited),
    ),
    row("refreshed_ratio", Share, "Lookups that find their key and fetch it anew before it expires.", |c, _| {
        came_to(c, Found::Refresh)
    }),
    row("fetches_per_s", PerSecond, "Fetches of keys: of those missed, and of those refreshed.", |c, at| {
        rate(c.fetches(), at)
    }),
];

/// `hosts.<host>`.
pub(crate) const ON_HOST: &[Row<HostMeasure>] = &[
    row("busy_mean", Count, "Servers or cores in use on all its machines, averaged over time.", |h, at| h.busy(at.now)),
    row(
        "utilisation",
        Share,
        "Servers or cores in use over those there are, all machines together; null without a limit.",
        |h, at| h.utilisation(at.now),
    ),
];

/// `hosts.<host>.shares`.
pub(crate) const SHARE: Definition = Definition {
    key: "<service>",
    unit: Share,
    about: "Servers or cores that one of its services uses, over those there are: all shares add up to the \
            utilisation. Null without a limit.",
};

/// `windows.<window>`.
pub(crate) const WINDOW: &[Row<WindowMeasure>] = &[
    row("arrivals", Count, "Fresh requests that come in the window, after the warm-up.", |w, at| {
        (w.window.from < at.now).then_some(w.arrived as f64)
    }),
    row(
        "availability",
        Share,
        "Served requests, of those that came in the window and whose outcome is known.",
        |w, _| w.availability(),
    ),
];

/// What every figure of a run is, with its place, in the order of the JSON document. In places, words such as
/// `<service>` stand for names.
pub fn definitions() -> impl Iterator<Item = (&'static str, &'static Definition)> {
    fn at<T: 'static>(
        place: &'static str,
        rows: &'static [Row<T>],
    ) -> impl Iterator<Item = (&'static str, &'static Definition)> {
        rows.iter().map(move |row| (place, &row.definition))
    }
    let failures = |place| FAILURES.iter().map(move |definition| (place, definition));
    let utilisations =
        [&THREADS, &PROCESSOR, &HOST, &CONTENTION, &POOL].map(|of| ("services.<service>.utilisation", of));
    at("metrics", METRICS)
        .chain(failures("metrics.failures"))
        .chain(at("clients.<population>", CLIENT))
        .chain(failures("clients.<population>.failures"))
        .chain(utilisations)
        .chain(at("services.<service>", SERVICE))
        .chain(std::iter::once(("services.<service>", &COST)))
        .chain(at("services.<service>.caches.<cache>", CACHE))
        .chain(at("hosts.<host>", ON_HOST))
        .chain([("hosts.<host>.shares", &SHARE)])
        .chain(at("windows.<window>", WINDOW))
        .chain(at("costs", COSTS))
}

/// Whether less than half of what came in a window was served; `None` if nothing came.
///
/// In the window at the end of the run that nobody has chosen, a slow system that is in balance has
/// many requests open, and they say nothing: it may be that none is served so soon. Where they pile
/// up, more come than end, and those open count as not served.
fn collapsed(window: &WindowMeasure, named: bool) -> Option<bool> {
    let (arrived, growth) = (window.arrived as f64, window.growth() as f64);
    let piles_up = growth > 0.1 * arrived && growth > 3.0 * arrived.sqrt();
    let judged = if named || piles_up { window.arrived } else { window.done + window.failed };
    (window.arrived > 0).then_some(2 * window.done < judged)
}

fn unknown(m: &ClientMeasure) -> Option<f64> {
    ratio(m.arrived.saturating_sub(m.known()), m.arrived)
}

fn came_to(cache: &CacheMeasure, found: Found) -> Option<f64> {
    ratio(cache.found[found as usize], cache.lookups())
}

fn pool_wait(pools: &[PoolMeasure]) -> Option<f64> {
    let mut all = sim_core::stats::Moments::new();
    pools.iter().for_each(|pool| all.merge(&pool.waits));
    all.mean()
}

/// Whoever was not admitted at once has waited, even if he was never admitted.
fn waited_ratio(s: &ServiceMeasure) -> Option<f64> {
    let causes = [Cause::Rejected, Cause::Unreachable, Cause::Balked];
    let turned_away: u64 = causes.iter().map(|&cause| s.turned_away[cause as usize]).sum();
    let joined = s.arrived - turned_away;
    ratio(joined.saturating_sub(s.admitted() - s.waited()), joined)
}

type Of = Box<dyn Fn(&Measure, At) -> Option<f64> + Send + Sync>;

/// All figures of one scenario, in the order of the report.
pub(crate) struct Plan {
    rows: Vec<(Vec<String>, &'static Definition, Of)>,
    /// The windows to measure; the one that tells of a collapse may be one more than the scenario's.
    pub(crate) windows: Vec<Window>,
    collapse: usize,
    /// Whether that is one of the scenario's.
    collapse_named: bool,
}

impl Plan {
    /// The figures of a run of `loaded` that ends at `until`.
    pub(crate) fn of(loaded: &Loaded, until: SimTime) -> Self {
        let mut windows = loaded.windows.clone();
        let named = loaded.scenario.collapse.as_ref();
        let collapse = named.and_then(|name| windows.iter().position(|w| w.name == *name)).unwrap_or_else(|| {
            let last_fifth = SimTime::from_nanos(until.as_nanos() - until.as_nanos() / 5);
            windows.push(Window { name: String::new(), from: last_fifth.max(loaded.warm_up()), to: until });
            windows.len() - 1
        });
        let collapse_named = collapse < loaded.windows.len();
        let mut plan = Self { rows: Vec::new(), windows, collapse, collapse_named };
        plan.requests();
        if loaded.topology.clients.len() > 1 {
            loaded.topology.clients.iter().enumerate().for_each(|(id, client)| plan.client(id, &client.name));
        }
        for id in 0..loaded.topology.services.len() {
            plan.service(id, loaded);
        }
        for id in 0..loaded.topology.hosts.len() {
            plan.host(id, &loaded.topology);
        }
        for (id, window) in loaded.windows.iter().enumerate() {
            for row in WINDOW {
                let of = row.of;
                plan.add(&["windows", &window.name], &row.definition, move |m, at| of(&m.windows[id], at));
            }
        }
        plan.costs(loaded);
        plan
    }

    fn add(
        &mut self,
        place: &[&str],
        definition: &'static Definition,
        of: impl Fn(&Measure, At) -> Option<f64> + Send + Sync + 'static,
    ) {
        self.add_as(place, definition.key, definition, of);
    }

    fn add_as(
        &mut self,
        place: &[&str],
        key: &str,
        definition: &'static Definition,
        of: impl Fn(&Measure, At) -> Option<f64> + Send + Sync + 'static,
    ) {
        let path = place.iter().copied().chain([key]).map(str::to_owned).collect();
        self.rows.push((path, definition, Box::new(of)));
    }

    fn requests(&mut self) {
        for row in METRICS {
            self.add(&["metrics"], &row.definition, row.of);
        }
        for (cause, definition) in FAILURES.iter().enumerate() {
            self.add(&["metrics", "failures"], definition, move |m, _| {
                ratio(m.requests().failed[cause], m.requests().arrived)
            });
        }
    }

    fn costs(&mut self, loaded: &Loaded) {
        let Some(costs) = loaded.scenario.costs.clone().map(Arc::new) else { return };
        for row in COSTS {
            let (of, costs, design) = (row.of, costs.clone(), loaded.topology.clone());
            self.add(&["costs"], &row.definition, move |m, at| {
                of(&Billed { bill: costs.bill(&design, m, at.now), good: m.requests().done_in_time }, at)
            });
        }
    }

    fn client(&mut self, id: usize, name: &str) {
        for row in CLIENT {
            let of = row.of;
            self.add(&["clients", name], &row.definition, move |m, at| of(&m.clients[id], at));
        }
        for (cause, definition) in FAILURES.iter().enumerate() {
            self.add(&["clients", name, "failures"], definition, move |m, _| {
                ratio(m.clients[id].failed[cause], m.clients[id].arrived)
            });
        }
    }

    fn service(&mut self, id: usize, loaded: &Loaded) {
        let spec = &loaded.topology.services[id];
        let name = spec.name.as_str();
        let place = ["services", name, "utilisation"];
        let limits_threads = |topology: &Topology| topology.services[id].threads != UNLIMITED;
        let later = |(_, act): &(SimTime, Act)| matches!(act, Act::Adopt { topology } if limits_threads(topology));
        if limits_threads(&loaded.topology) || loaded.timeline.acts().iter().any(later) {
            self.add(&place, &THREADS, move |m, at| m.services[id].thread_utilisation(at.now));
        }
        match spec.processor {
            ProcessorSpec::Servers(_) | ProcessorSpec::Cores(_) => {
                self.add(&place, &PROCESSOR, move |m, at| m.services[id].processor_utilisation(at.now));
            }
            ProcessorSpec::Usl { .. } => {
                self.add(&place, &CONTENTION, move |m, at| m.services[id].contended_utilisation(at.now));
            }
            ProcessorSpec::Hosted { host, .. } => {
                let host = usize::from(host);
                if loaded.topology.hosts[host].processor.capacity().is_some() {
                    self.add(&place, &HOST, move |m, at| m.hosts[host].utilisation(at.now));
                }
            }
            ProcessorSpec::Infinite => {}
        }
        for (pool, spec) in spec.pools.iter().enumerate() {
            let key = format!("pool:{}", loaded.topology.services[usize::from(spec.callee)].name);
            self.add_as(&place, &key, &POOL, move |m, at| m.services[id].pools[pool].utilisation(at.now));
        }
        for row in SERVICE {
            let of = row.of;
            self.add(&["services", name], &row.definition, move |m, at| of(&m.services[id], at));
        }
        if let Some(costs) = loaded.scenario.costs.as_ref().filter(|costs| costs.names(name)) {
            let (costs, name) = (costs.clone(), name.to_owned());
            self.add(&["services", &name.clone()], &COST, move |m, at| {
                let (machines, storage, requests) = costs.of_service(&name, &m.services[id], m.from, at.now);
                an_hour(machines + storage + requests, at)
            });
        }
        for (cache, spec) in spec.caches.iter().enumerate() {
            for row in CACHE {
                let of = row.of;
                let place = ["services", name, "caches", &spec.name];
                self.add(&place, &row.definition, move |m, at| of(&m.services[id].caches[cache], at));
            }
        }
    }

    fn host(&mut self, id: usize, topology: &Topology) {
        let host = &topology.hosts[id];
        for row in ON_HOST {
            let of = row.of;
            self.add(&["hosts", &host.name], &row.definition, move |m, at| of(&m.hosts[id], at));
        }
        for (member, &service) in host.services.iter().enumerate() {
            let (place, name) = (["hosts", &host.name, "shares"], &topology.services[usize::from(service)].name);
            self.add_as(&place, name, &SHARE, move |m, at| m.hosts[id].share(member, at.now));
        }
    }

    /// The place of every figure in the JSON document, as a text.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.rows.iter().map(|(path, ..)| path.join("."))
    }

    /// The values of one replication, in order.
    pub(crate) fn values(&self, measure: &Measure, now: SimTime) -> Vec<Option<f64>> {
        let span_s = now.since(measure.from).as_secs_f64();
        let at = At { now, span_s, collapse: self.collapse, collapse_named: self.collapse_named };
        self.rows.iter().map(|(.., of)| of(measure, at).filter(|value| value.is_finite())).collect()
    }

    /// The figures over replications, each given by its values; an empty list has none.
    pub(crate) fn figures(&self, replications: &[&[Option<f64>]]) -> impl Iterator<Item = (String, Figure)> + '_ {
        let columns: Vec<Vec<Option<f64>>> = (0..self.rows.len())
            .map(|i| replications.iter().map(|values| values.get(i).copied().flatten()).collect())
            .collect();
        self.rows
            .iter()
            .zip(columns)
            .map(|((path, definition, _), values)| (path.join("."), Figure::new(path, definition, values)))
    }
}
