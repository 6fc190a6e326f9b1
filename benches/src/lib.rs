//! Workloads for benchmarks: the product's own path, and hand-written loops for the same work that
//! show what this machine allows.
//!
//! [`designs`] has W1 to W6 as designs, [`by_hand`] W1 to W3 as loops; both answer with a [`Tally`].
//! [`alternate`] measures them against each other.

pub mod by_hand;
pub mod designs;
mod wheel;

use cpu_time::ProcessTime;
use models::probe::{Measure, Probe};
use models::system::{Limits, Run, System};
use models::topology::Topology;
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;
use std::time::Duration;

/// What a loop did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Events handled.
    pub events: u64,
    /// Requests served.
    pub served: u64,
    /// Their mean response time, in seconds.
    pub mean_secs: f64,
}

/// The product's path: a design run with the standard probe.
///
/// # Panics
/// If a limit is hit.
pub fn measured(topology: &Arc<Topology>, horizon: SimTime) -> Tally {
    let mut run = start(topology);
    let mut measure = Measure::attach(&run, SimDuration::from_secs(1), Vec::new(), false);
    run.run_until(horizon, &mut measure).expect("no limit is near");
    let requests = measure.requests();
    Tally {
        events: run.events(),
        served: requests.done(),
        mean_secs: requests.responses.mean_secs().unwrap_or(f64::NAN),
    }
}

/// A design run with a probe of one's own, such as `()`.
///
/// # Panics
/// If a limit is hit.
pub fn watched<P: Probe>(topology: &Arc<Topology>, horizon: SimTime, probe: &mut P) -> Tally {
    let mut run = start(topology);
    run.run_until(horizon, probe).expect("no limit is near");
    Tally { events: run.events(), served: run.model.counts().done, mean_secs: f64::NAN }
}

/// A run of a design at time zero.
pub fn start(topology: &Arc<Topology>) -> Run {
    System::run(topology.clone(), Arc::default(), 1, 0, Limits::default())
}

/// Runs the contestants in turn, `rounds` times, so that whatever slows the machine down slows down all of
/// them; answers with the CPU time of each in each round.
pub fn alternate(rounds: usize, contestants: &mut [&mut dyn FnMut()]) -> Vec<Vec<Duration>> {
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let start = ProcessTime::now();
            contestant();
            times.push(start.elapsed());
        }
    }
    times
}

/// The median.
///
/// # Panics
/// If there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
