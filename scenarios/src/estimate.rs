//! What a run will cost, before it is run.
//!
//! Requests follow from the rates, visits from the probabilities of the calls, events from the steps
//! of the visits, and what piles up from the utilisation law: what is offered, rate times demand, over
//! what there is. All of it is rough, within a factor of two or so; it serves to warn. Of caches whose hit ratio
//! nobody knows beforehand, because it depends on the rate, every lookup counts as a miss: then it is the most there
//! can be.

use crate::load::Loaded;
use crate::run::{Options, RunError};
use models::fluid::{Demands, Utilisation, utilisations};
use models::intervention::Act;
use models::topology::{ArrivalSpec, Caller, Topology, UNLIMITED};
use sim_core::time::SimTime;
use std::sync::Arc;

/// Events a core handles in a second.
pub const EVENTS_PER_S: f64 = 5e6;
/// Runs expected to take longer, on one core, are worth a warning.
pub const LONG_S: f64 = 600.0;

/// A request that waits: its call, its place in a queue.
const WAITING_BYTES: f64 = 96.0;
/// Its place in a queue alone, if it was given up or its call has no policy.
const PLACE_BYTES: f64 = 32.0;
/// A request that is served, at one service: its call and its visit.
const SERVED_BYTES: f64 = 120.0;

/// What a run is expected to cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Replications.
    pub replications: u32,
    /// How many of them run at once.
    pub jobs: usize,
    /// Fresh requests of one replication.
    pub requests: f64,
    /// Attempts at services that a request causes, without repeats and the extra attempts of hedges.
    pub visits_per_request: f64,
    /// Events of all replications together.
    pub events: f64,
    /// Seconds on one core.
    pub cpu_s: f64,
    /// The most state of one replication, in bytes.
    pub state_bytes: f64,
    /// The state a replication may hold, in bytes.
    pub limit_bytes: u64,
    /// Where most piles up, if more is offered than can be done.
    pub overload: Option<Overload>,
    /// Caches, as service and name, of which nobody knows beforehand how many lookups hit: the cost is as if none
    /// did.
    pub unknown_hits: Vec<(String, String)>,
}

/// More is offered to a resource than it can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Overload {
    /// The service.
    pub service: String,
    /// The resource, as in `utilisation`.
    pub resource: String,
    /// What is offered at most, over what the resource can do.
    pub load: f64,
    /// When that begins.
    pub from: SimTime,
    /// Requests that have piled up at most, attempts that were given up included.
    pub backlog: f64,
}

impl Cost {
    /// Estimates what running `loaded` with `options` costs.
    ///
    /// # Errors
    /// Options that make no sense.
    pub fn of(loaded: &Loaded, options: &Options) -> Result<Self, RunError> {
        let settled = options.settle(loaded)?;
        let one = OneRun::of(loaded, settled.until);
        let most = options.events.map_or(f64::INFINITY, |most| most as f64);
        let events = one.events.min(most) * f64::from(settled.replications);
        Ok(Self {
            replications: settled.replications,
            jobs: settled.jobs,
            requests: one.requests,
            visits_per_request: if one.requests > 0.0 { one.visits / one.requests } else { 0.0 },
            events,
            cpu_s: events / EVENTS_PER_S,
            state_bytes: one.state_bytes,
            limit_bytes: options.limits.state_bytes,
            overload: one.overload,
            unknown_hits: unknown_hits(&loaded.topology),
        })
    }

    /// What a person should know before the run starts: that it takes long, or that it may come to
    /// its limit. Nothing for the usual run.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.cpu_s > LONG_S {
            let on_all = if self.jobs > 1 {
                format!(", {} on {}", about(self.cpu_s / self.jobs as f64), self.jobs)
            } else {
                String::new()
            };
            let Self { events, cpu_s, .. } = self;
            warnings.push(format!("this run handles about {events:.0e} events: {} on one core{on_all}", about(*cpu_s)));
        }
        if self.state_bytes > self.limit_bytes as f64 {
            let gib = |bytes: f64| format!("{:.1} GiB", bytes / f64::from(1 << 30));
            let because = self.overload.as_ref().map_or_else(String::new, |overload| {
                let Overload { service, resource, load, from, backlog } = overload;
                let from = crate::units::span(from.as_secs_f64());
                let at_worst = if self.unknown_hits.is_empty() { "" } else { ", if no lookup hits" };
                format!(": from {from} on, {service} is offered {load:.1} times what its {resource} can do{at_worst}, and {backlog:.0e} requests pile up")
            });
            warnings.push(format!(
                "a replication may hold about {} of state, more than its limit of {}, and would stop there{because}",
                gib(self.state_bytes),
                gib(self.limit_bytes as f64)
            ));
        }
        warnings
    }
}

fn unknown_hits(topology: &Topology) -> Vec<(String, String)> {
    let named = |(service, cache): (u16, u16)| {
        let service = &topology.services[usize::from(service)];
        (service.name.clone(), service.caches[usize::from(cache)].name.clone())
    };
    Demands::of(topology).unknown_hits.into_iter().map(named).collect()
}

/// A time for a person, rounded.
fn about(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("about {s:.0} s"),
        s if s < 5400.0 => format!("about {:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("about {:.0} h", s / 3600.0),
        s => format!("about {:.0} days", s / 86_400.0),
    }
}

/// The course of one replication.
#[derive(Default)]
struct OneRun {
    requests: f64,
    visits: f64,
    events: f64,
    state_bytes: f64,
    overload: Option<Overload>,
}

/// Parts into which the run is cut.
const PARTS: u64 = 1000;

impl OneRun {
    fn of(loaded: &Loaded, until: SimTime) -> Self {
        let mut run = Self::default();
        let mut topology: Arc<Topology> = loaded.topology.clone();
        let mut replicas: Vec<f64> = topology.services.iter().map(|s| f64::from(s.replicas)).collect();
        let mut demands = Demands::of(&topology);
        let mut acts = loaded.timeline.acts().iter().peekable();
        let (mut backlog, mut since) = (0.0_f64, None);
        let width_s = until.as_secs_f64() / PARTS as f64;
        for part in 0..PARTS {
            let (from, to) = (until.as_nanos() / PARTS * part, until.as_nanos() / PARTS * (part + 1));
            let now = SimTime::from_nanos(from + (to - from) / 2);
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= now) {
                match act {
                    Act::Scale { service, to } => replicas[usize::from(*service)] = f64::from(*to),
                    Act::Kill { service, of, .. } => {
                        let up = &mut replicas[usize::from(*service)];
                        *up -= of.count(*up as usize) as f64;
                    }
                    Act::Herd { client, size, .. } => {
                        let size = f64::from(*size);
                        let visits = &demands.visits[usize::from(*client)];
                        let steps = visits.iter().zip(&demands.endpoints).map(|(n, endpoint)| n * endpoint.steps);
                        run.requests += size;
                        run.events += size * (1.0 + steps.sum::<f64>());
                        run.visits += size * visits.iter().sum::<f64>();
                        backlog += size;
                    }
                    // What goes wrong makes work longer and waits long, for a while that may be drawn, and what
                    // comes at random is not known at all.
                    Act::Inflict { .. } | Act::Heal { .. } => {}
                    // It makes for more work for a while, which is as hard to say as it is short.
                    Act::Flush { .. } => {}
                    Act::Adopt { topology: next } => {
                        topology = next.clone();
                        demands = Demands::of(&topology);
                    }
                }
            }
            let flow = Flow::at(&topology, &demands, &replicas, now, (from, to));
            run.requests += flow.requests * width_s;
            run.visits += flow.visits * width_s;
            let busiest = flow.busiest(&topology, &demands, &replicas);
            let load = busiest.map_or(0.0, |busiest| busiest.ratio());
            // Once the wait is longer than clients' patience, or the queue is full, every attempt is repeated
            // as often as they do, and a long wait may then last when the load that began it has passed.
            let bounded = flow.bounded(&topology, busiest);
            let storms = flow.open_requests > 0.0
                && if bounded { load > 1.0 } else { backlog * load > flow.patience_s * flow.open_requests };
            let attempts = if storms { flow.most_attempts } else { 1.0 };
            let overloaded = load * attempts > 1.0;
            run.events += (flow.requests + flow.steps) * attempts * width_s;
            // What cannot be done piles up; spare capacity works it off.
            if load > 0.0 {
                let grows = flow.open_requests * attempts * (1.0 - 1.0 / (load * attempts));
                backlog = if bounded { 0.0 } else { (backlog + grows * width_s).max(0.0) };
            }
            since = if backlog > 0.0 { since.or(Some(SimTime::from_nanos(from))) } else { None };
            let each = if flow.bare { PLACE_BYTES } else { WAITING_BYTES };
            let state = backlog * each + flow.in_service * SERVED_BYTES + flow.users * WAITING_BYTES;
            run.state_bytes = run.state_bytes.max(state);
            if let (true, Some(from), Some(busiest)) = (overloaded, since, busiest) {
                let service = topology.services[usize::from(busiest.service)].name.clone();
                let worse = run.overload.as_ref().is_none_or(|o| o.backlog < backlog);
                if worse {
                    let load = run.overload.as_ref().map_or(load, |o| o.load.max(load));
                    let resource = busiest.resource.name(&topology, busiest.service);
                    run.overload = Some(Overload { service, resource, load, from, backlog });
                }
            }
        }
        run
    }
}

/// Rates at an instant, per second.
struct Flow {
    requests: f64,
    /// Those of open populations, which come whether or not others wait.
    open_requests: f64,
    users: f64,
    visits: f64,
    steps: f64,
    /// Attempts at each endpoint.
    endpoints: Vec<f64>,
    /// Requests in service at all services together, if nobody waits.
    in_service: f64,
    /// Attempts a client makes at most.
    most_attempts: f64,
    /// Whether what waits is no more than its place in a queue: all clients give up some time, or call directly.
    bare: bool,
    /// The shortest time that a client waits.
    patience_s: f64,
}

impl Flow {
    fn at(topology: &Topology, demands: &Demands, replicas: &[f64], now: SimTime, part: (u64, u64)) -> Self {
        let mut flow = Self {
            requests: 0.0,
            open_requests: 0.0,
            users: 0.0,
            visits: 0.0,
            steps: 0.0,
            endpoints: vec![0.0; topology.endpoints.len()],
            in_service: 0.0,
            most_attempts: 1.0,
            bare: true,
            patience_s: f64::INFINITY,
        };
        for (client, visits) in topology.clients.iter().zip(&demands.visits) {
            let rate = match &client.arrivals {
                ArrivalSpec::Poisson(rate) => rate.at(now),
                ArrivalSpec::Renewal(interval) => 1.0 / interval.mean_secs().max(1e-9),
                ArrivalSpec::Mmpp(mmpp) => mmpp.mean_rate(),
                ArrivalSpec::Batch(batch) => batch.rate.at(now) * batch.size.mean(),
                ArrivalSpec::Sessions { rate, requests, think } => {
                    // Little's law: who is there, thinking or waiting.
                    let requests = rate.at(now) * requests.mean();
                    flow.users += requests * (think.mean_secs() + demands.response_s(topology, client));
                    requests
                }
                ArrivalSpec::Trace { trace, factor } => factor * recorded(trace, part),
                ArrivalSpec::Closed { users, think } => {
                    let alone = demands.response_s(topology, client);
                    flow.users += f64::from(*users);
                    f64::from(*users) / (think.mean_secs() + alone).max(1e-9)
                }
            };
            flow.requests += rate;
            if client.users() == 0 {
                flow.open_requests += rate;
            }
            visits.iter().enumerate().for_each(|(id, count)| flow.endpoints[id] += rate * count);
            for &(_, site) in &client.mix {
                let site = &topology.sites[usize::from(site)];
                let patience = client.patience.as_ref().map_or(f64::INFINITY, |patience| patience.mean_secs());
                flow.bare &= site.timeout.is_some() || site.patient || site.direct;
                let timeout_s = site.timeout.map_or(f64::INFINITY, |timeout| timeout.as_secs_f64());
                flow.patience_s = flow.patience_s.min(timeout_s).min(patience);
                let repeats = site.retry.as_ref().filter(|retry| retry.budget.is_none()).map_or(0, |retry| retry.max);
                let ends = site.timeout.is_some() || site.patient;
                let extra = site.hedge.map_or(0, |hedge| hedge.most);
                let gives_up = if ends { 1.0 + f64::from(repeats) } else { 1.0 } * (1.0 + f64::from(extra));
                flow.most_attempts = flow.most_attempts.max(gives_up);
            }
        }
        // Closed users slow down when the system does: never more than it can do.
        let load = flow.busiest(topology, demands, replicas).map_or(0.0, |busiest| busiest.ratio());
        if flow.open_requests == 0.0 && load > 1.0 {
            flow.requests /= load;
            flow.endpoints.iter_mut().for_each(|rate| *rate /= load);
        }
        for (rate, endpoint) in flow.endpoints.iter().zip(&demands.endpoints) {
            flow.visits += rate;
            flow.steps += rate * endpoint.steps;
            flow.in_service += rate * endpoint.time_s;
        }
        // Even with nobody waiting, no more are in service than there are threads or users.
        if flow.open_requests == 0.0 {
            flow.in_service = flow.in_service.min(flow.users * topology.services.len() as f64);
        }
        flow
    }

    /// The resource with the highest utilisation.
    fn busiest(&self, topology: &Topology, demands: &Demands, replicas: &[f64]) -> Option<Utilisation> {
        let all = utilisations(topology, demands, &self.endpoints, replicas);
        all.into_iter().filter(|u| u.ratio() > 0.0).reduce(|most, u| if u.ratio() > most.ratio() { u } else { most })
    }

    /// Whether the queue in front of the busiest resource is limited, by a cap or by clients that balk or leave, so
    /// that nothing piles up there.
    fn bounded(&self, topology: &Topology, busiest: Option<Utilisation>) -> bool {
        busiest.is_none_or(|busiest| {
            // What waits for a pool or a thread further down holds threads further up, and queues there.
            let mut at = usize::from(busiest.service);
            for _ in 0..topology.services.len() {
                let mut callers = topology.sites.iter().filter(|site| usize::from(site.callee) == at);
                if topology.services[at].cap != UNLIMITED || callers.all(|site| site.balks || site.patient) {
                    return true;
                }
                let calls_it = |site: &models::topology::Site| match site.caller {
                    Caller::Service(caller) if usize::from(site.callee) == at => Some(usize::from(caller)),
                    _ => None,
                };
                match topology.sites.iter().find_map(calls_it) {
                    Some(caller) if topology.services[caller].threads != UNLIMITED => at = caller,
                    _ => return false,
                }
            }
            false
        })
    }
}

/// Requests a second of a trace within a part of the run.
fn recorded(trace: &models::workload::Trace, (from, to): (u64, u64)) -> f64 {
    let bin = trace.bin.as_nanos();
    let (first, last) = ((from / bin) as usize, (to.div_ceil(bin)) as usize);
    let bins = trace.counts.get(first.min(trace.counts.len())..last.min(trace.counts.len())).unwrap_or_default();
    let covered_s = (last - first).max(1) as f64 * trace.bin.as_secs_f64();
    bins.iter().map(|&count| f64::from(count)).sum::<f64>() / covered_s
}
