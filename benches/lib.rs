//! Workloads for benchmarks: the product's own path, and hand-written loops for the same work that
//! show what this machine allows.

use indexmap::IndexMap;
use models::blueprint::{Blueprint, Processor, Service, Step};
use models::check::check;
use models::distribution::Distribution;
use models::probe::Measure;
use models::system::{Limits, System};
use models::topology::Topology;
use models::workload::{Arrivals, Client, Rate, Workload};
use sim_core::dist::exp1;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// M/M/1 with mean service time of 1 s, as a design with one client.
///
/// # Panics
/// Never: the design is sound.
pub fn one_server(rate: f64) -> Arc<Topology> {
    let service = Service {
        replicas: 1.into(),
        processor: Processor::Servers(1.into()),
        threads: None,
        queue: Default::default(),
        balancer: Default::default(),
        calls: IndexMap::new(),
        endpoints: IndexMap::from([(
            "get".to_owned(),
            vec![Step::Work(Distribution::Exponential(SimDuration::from_secs(1).into()))],
        )]),
    };
    let client = Client {
        arrivals: Arrivals::Poisson(Rate::Constant(rate.into())),
        mix: IndexMap::from([("web.get".to_owned(), 1.0.into())]),
        timeout: None,
        cancel: false,
        retry: None,
    };
    let blueprint = Blueprint { services: IndexMap::from([("web".to_owned(), service)]) };
    let workload = Workload { clients: IndexMap::from([("users".to_owned(), client)]) };
    Arc::new(check(&blueprint, &workload, &IndexMap::new()).expect("the design is sound"))
}

/// Runs a design with the standard probe until `horizon`; returns the events handled and the mean
/// response time in seconds.
///
/// # Panics
/// If a limit is hit.
pub fn product(topology: &Arc<Topology>, horizon: SimTime) -> (u64, f64) {
    let mut run = System::run(topology.clone(), Arc::default(), 1, 0, Limits::default());
    let mut measure = Measure::attach(&run, SimDuration::from_secs(1), Vec::new(), false);
    run.run_until(horizon, &mut measure).expect("no limit is near");
    (run.events(), measure.requests.responses.mean_secs().unwrap_or(f64::NAN))
}

/// M/M/1 by hand: a heap of (time, kind), one queue, nothing else. Returns events and mean response.
pub fn one_server_by_hand(rate: f64, horizon: SimTime) -> (u64, f64) {
    let mut random = Key::root(1, 0).rng();
    let mut gap = move |mean: f64| (exp1(&mut random) * mean * 1e9) as u64;
    let mut agenda = BinaryHeap::from([Reverse((gap(1.0 / rate), true))]);
    let (mut queue, mut events, mut sum, mut done) = (VecDeque::new(), 0_u64, 0_u128, 0_u64);
    while let Some(Reverse((now, arrival))) = agenda.pop() {
        if now > horizon.as_nanos() {
            break;
        }
        events += 1;
        if arrival {
            agenda.push(Reverse((now + gap(1.0 / rate), true)));
            queue.push_back(now);
            if queue.len() == 1 {
                agenda.push(Reverse((now + gap(1.0), false)));
            }
        } else {
            let arrived = queue.pop_front().unwrap_or(now);
            sum += u128::from(now - arrived);
            done += 1;
            if !queue.is_empty() {
                agenda.push(Reverse((now + gap(1.0), false)));
            }
        }
    }
    (events, sum as f64 / 1e9 / done as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both loops simulate the same queue: M/M/1 at 0.8 has a mean response of 5 s. The mean over n
    /// customers has about the variance rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 / n (Daley
    /// 1968), here with n = 8e4 a standard error of 0.16 s: a bound of 0.85 s is passed by chance once
    /// in ten million.
    #[test]
    fn both_loops_simulate_the_same_queue() {
        let horizon = SimTime::from_secs(100_000);
        for (events, mean) in [product(&one_server(0.8), horizon), one_server_by_hand(0.8, horizon)] {
            assert!((158_000..162_000).contains(&events), "{events}");
            assert!((mean - 5.0).abs() < 0.85, "{mean}");
        }
    }
}
