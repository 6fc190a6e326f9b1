//! What a request asks of every service, on average: visits, work, and time if nobody ever waits.

use crate::policy::cache::CacheSpec;
use crate::policy::{Balancer, KeyOf};
use crate::topology::{ClientSpec, Op, Topology};
use std::collections::BTreeMap;

/// What each endpoint and each client population asks for; made once for each topology.
#[derive(Clone, Debug, PartialEq)]
pub struct Demands {
    /// For each endpoint, what one visit does.
    pub endpoints: Vec<EndpointDemand>,
    /// For each client population, the visits at each endpoint that one of its requests causes.
    pub visits: Vec<Vec<f64>>,
    /// Caches, by service and place among its own, of which theory does not know how many lookups find their key
    /// whatever the rate: those with a time to live or without a size. They count as if none did, so that work and
    /// visits behind them are the most there can be.
    pub unknown_hits: Vec<(u16, u16)>,
}

/// What a visit of an endpoint does, on average.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointDemand {
    /// Work, in seconds.
    pub demand_s: f64,
    /// Steps that end with an event.
    pub steps: f64,
    /// Calls of other endpoints: which, how many, and from which pool of the caller.
    pub calls: Vec<(usize, f64, Option<u16>)>,
    /// From admission to the end of the visit if nobody ever waits, in seconds.
    pub time_s: f64,
    /// From admission to the reply if nobody ever waits, in seconds.
    pub reply_s: f64,
}

/// Rounds after which calls in circles have died out.
const ROUNDS: usize = 200;

impl Demands {
    /// Works them out.
    pub fn of(topology: &Topology) -> Self {
        let hits = HitRatios::of(topology);
        let mut endpoints: Vec<EndpointDemand> =
            topology.endpoints.iter().map(|e| endpoint(topology, e.entry, hits.at(e.service))).collect();
        for _ in 0..ROUNDS {
            let before: Vec<f64> = endpoints.iter().map(|e| e.reply_s).collect();
            for (id, spec) in topology.endpoints.iter().enumerate() {
                let hits = hits.at(spec.service);
                endpoints[id].reply_s = time_from(topology, spec.entry, hits, &before, Until::Reply);
                endpoints[id].time_s = time_from(topology, spec.entry, hits, &before, Until::End);
            }
            if endpoints.iter().zip(&before).all(|(e, before)| (e.reply_s - before).abs() <= 1e-9 * e.reply_s) {
                break;
            }
        }
        let visits = topology.clients.iter().map(|client| visits(topology, client, &endpoints)).collect();
        Self { endpoints, visits, unknown_hits: hits.unknown }
    }

    /// Visits a second at each endpoint, if each client population sends so many requests a second.
    ///
    /// # Panics
    /// If there are not as many rates as populations.
    pub fn visits_per_s(&self, rates: &[f64]) -> Vec<f64> {
        assert_eq!(rates.len(), self.visits.len(), "each population has a rate");
        let mut all = vec![0.0; self.endpoints.len()];
        for (rate, visits) in rates.iter().zip(&self.visits) {
            all.iter_mut().zip(visits).for_each(|(all, count)| *all += rate * count);
        }
        all
    }

    /// Response time of a client's request if nobody ever waits, in seconds.
    pub fn response_s(&self, topology: &Topology, client: &ClientSpec) -> f64 {
        let (mut before, mut sum) = (0.0, 0.0);
        for &(cumulative, site) in &client.mix {
            let endpoint = usize::from(topology.sites[usize::from(site)].endpoint);
            sum += (cumulative - before) * self.endpoints[endpoint].reply_s;
            before = cumulative;
        }
        sum
    }
}

/// The share of lookups that find their key, by service and cache, in the long run.
struct HitRatios {
    of_services: Vec<Vec<f64>>,
    unknown: Vec<(u16, u16)>,
}

impl HitRatios {
    fn of(topology: &Topology) -> Self {
        let (mut of_services, mut unknown) = (Vec::new(), Vec::new());
        for (id, service) in topology.services.iter().enumerate() {
            let ratio = |(place, cache): (usize, &CacheSpec)| {
                let by_key = matches!(service.balancer, Balancer::ByKey(_)) && cache.key_of == KeyOf::Request;
                // Nobody says how many keys a replica owns on a ring, and under bounded loads others see them too.
                let by_ring = matches!(service.balancer, Balancer::ConsistentHash(_));
                let by_ring = by_ring && cache.key_of == KeyOf::Request && !cache.shared;
                let ratio = cache.hit_ratio(if by_key && !cache.shared { service.replicas } else { 1 });
                let ratio = ratio.filter(|_| !by_ring);
                if ratio.is_none() {
                    unknown.push((id as u16, place as u16));
                }
                ratio.unwrap_or(0.0)
            };
            of_services.push(service.caches.iter().enumerate().map(ratio).collect());
        }
        Self { of_services, unknown }
    }

    fn at(&self, service: u16) -> &[f64] {
        &self.of_services[usize::from(service)]
    }
}

/// How often each instruction from `entry` on is carried out. Programs only jump forward.
fn weights(topology: &Topology, entry: u32, hits: &[f64]) -> Vec<(usize, f64)> {
    let mut weights = BTreeMap::from([(entry as usize, 1.0)]);
    let mut done = Vec::new();
    while let Some((pc, weight)) = weights.pop_first() {
        done.push((pc, weight));
        let mut go = |to: usize, share: f64| *weights.entry(to).or_insert(0.0) += weight * share;
        match &topology.ops[pc] {
            Op::Branch { targets, .. } => {
                let mut before = 0.0;
                for &(cumulative, to) in targets {
                    go(to as usize, cumulative - before);
                    before = cumulative;
                }
            }
            Op::Parallel { targets, join } | Op::Quorum { targets, join, .. } => {
                targets.iter().for_each(|&to| go(to as usize, 1.0));
                go(*join as usize, 1.0);
            }
            Op::Goto(to) => go(*to as usize, 1.0),
            Op::End => {}
            Op::Lookup(lookup) => {
                let hit = hits[usize::from(lookup.cache)];
                go(lookup.hit as usize, hit);
                go(pc + 1, 1.0 - hit);
            }
            Op::Fail { p, .. } => go(pc + 1, 1.0 - p),
            Op::Work { .. } | Op::Delay { .. } | Op::Call(_) | Op::Send(_) | Op::Store(_) | Op::Reply => {
                go(pc + 1, 1.0);
            }
        }
    }
    done
}

fn endpoint(topology: &Topology, entry: u32, hits: &[f64]) -> EndpointDemand {
    let mut endpoint = EndpointDemand::default();
    for (pc, weight) in weights(topology, entry, hits) {
        match &topology.ops[pc] {
            Op::Work { demand, .. } => {
                endpoint.demand_s += weight * demand.mean_secs();
                endpoint.steps += weight;
            }
            Op::Delay { .. } => endpoint.steps += weight,
            Op::Call(site) | Op::Send(site) => {
                let site = &topology.sites[usize::from(*site)];
                endpoint.calls.push((usize::from(site.endpoint), weight, site.pool));
            }
            Op::Branch { .. } | Op::Parallel { .. } | Op::Quorum { .. } | Op::Lookup(_) | Op::Store(_) => {}
            Op::Reply | Op::Fail { .. } | Op::Goto(_) | Op::End => {}
        }
    }
    endpoint
}

/// What a time runs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The reply.
    Reply,
    /// The end of the visit: the same, unless it replies before.
    End,
}

/// Time from `pc` to the reply or the end, given that of every endpoint called: backwards through the program.
fn time_from(topology: &Topology, entry: u32, hits: &[f64], endpoints: &[f64], until: Until) -> f64 {
    let reached = weights(topology, entry, hits);
    let mut times = BTreeMap::new();
    for (pc, _) in reached.into_iter().rev() {
        let at = |to: usize| times.get(&to).copied().unwrap_or(0.0);
        let time: f64 = match &topology.ops[pc] {
            Op::Work { demand, .. } => demand.mean_secs() + at(pc + 1),
            Op::Delay { time, .. } => time.mean_secs() + at(pc + 1),
            Op::Call(site) => endpoints[usize::from(topology.sites[usize::from(*site)].endpoint)] + at(pc + 1),
            Op::Send(_) | Op::Store(_) => at(pc + 1),
            Op::Lookup(lookup) => {
                let hit = hits[usize::from(lookup.cache)];
                hit * at(lookup.hit as usize) + (1.0 - hit) * at(pc + 1)
            }
            Op::Branch { targets, .. } => {
                let mut before = 0.0;
                let mut sum = 0.0;
                for &(cumulative, to) in targets {
                    sum += (cumulative - before) * at(to as usize);
                    before = cumulative;
                }
                sum
            }
            Op::Parallel { targets, join } => {
                targets.iter().map(|&to| at(to as usize)).fold(0.0, f64::max) + at(*join as usize)
            }
            Op::Quorum { targets, need, join } => {
                let mut ends: Vec<f64> = targets.iter().map(|&to| at(to as usize)).collect();
                ends.sort_by(f64::total_cmp);
                ends.get(usize::from(*need).saturating_sub(1)).copied().unwrap_or(0.0) + at(*join as usize)
            }
            Op::Reply if until == Until::Reply => 0.0,
            Op::Reply => at(pc + 1),
            Op::Fail { p, .. } => (1.0 - p) * at(pc + 1),
            Op::Goto(to) => at(*to as usize),
            Op::End => 0.0,
        };
        times.insert(pc, time);
    }
    times.get(&(entry as usize)).copied().unwrap_or(0.0)
}

/// Visits at each endpoint that a request of a client causes.
fn visits(topology: &Topology, client: &ClientSpec, endpoints: &[EndpointDemand]) -> Vec<f64> {
    let mut wave = vec![0.0; endpoints.len()];
    let mut before = 0.0;
    for &(cumulative, site) in &client.mix {
        wave[usize::from(topology.sites[usize::from(site)].endpoint)] += cumulative - before;
        before = cumulative;
    }
    let mut all = wave.clone();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; endpoints.len()];
        for (id, count) in wave.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            endpoints[id].calls.iter().for_each(|(to, calls, _)| next[*to] += count * calls);
        }
        if next.iter().all(|count| *count < 1e-9) {
            break;
        }
        all.iter_mut().zip(&next).for_each(|(all, next)| *all += next);
        wave = next;
    }
    all
}
