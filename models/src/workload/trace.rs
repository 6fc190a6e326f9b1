//! Replay of recorded arrivals: counts per bin of equal width, or the instant of each.
//!
//! Where only counts are known, arrivals are independent and uniform inside a bin. A factor below 1 keeps
//! each arrival with that probability; a factor above 1 keeps all and adds Poisson arrivals with mean
//! (factor - 1) x count, uniform in the bin. At factor 1 the counts, or instants, are the file's, exactly.

use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// A trace as written: which file, and how it is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// A CSV file with a header: a time column and a count column, or only a time column with one arrival a
    /// line. Relative to the scenario file.
    pub file: String,
    /// How many times the recorded arrivals. If it changes during a run, that counts from the next bin
    /// on: the arrivals of a bin are drawn when it begins, or, after empty bins, a little earlier.
    #[serde(default = "once")]
    pub factor: Given<f64>,
}

fn once() -> Given<f64> {
    1.0.into()
}

/// A trace as run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Width of every bin.
    pub bin: SimDuration,
    /// Arrivals in each bin, from the start of the run.
    pub counts: Arc<[u32]>,
    /// The instant of each arrival, in ascending order, if those are known.
    pub instants: Option<Arc<[SimTime]>>,
}

/// The most bins into which known instants are put.
const MOST_BINS: u64 = 1_000_000;

impl Trace {
    /// A trace of which counts are known.
    pub fn of_counts(bin: SimDuration, counts: impl Into<Arc<[u32]>>) -> Self {
        Self { bin, counts: counts.into(), instants: None }
    }

    /// A trace of which every instant is known, in ascending order. Its bins are of a second each, or longer
    /// if there were more than a million of them.
    pub fn of_instants(instants: impl Into<Arc<[SimTime]>>) -> Self {
        let instants: Arc<[SimTime]> = instants.into();
        let last = instants.last().map_or(0, |at| at.as_nanos());
        let bin = SimDuration::from_nanos((last / MOST_BINS + 1).max(1_000_000_000));
        let mut counts = vec![0_u32; 1 + (last / bin.as_nanos()) as usize];
        for at in &*instants {
            let count = &mut counts[(at.as_nanos() / bin.as_nanos()) as usize];
            *count = count.saturating_add(1);
        }
        Self { bin, counts: counts.into(), instants: Some(instants) }
    }

    /// The instants of the arrivals in a bin, if they are known.
    pub fn instants_of(&self, bin: usize) -> Option<&[SimTime]> {
        let instants = self.instants.as_deref()?;
        let start = SimTime::from_nanos(self.bin.as_nanos().saturating_mul(bin as u64));
        let from = instants.partition_point(|at| *at < start);
        let count = self.counts.get(bin).map_or(0, |&count| count as usize);
        instants.get(from..from + count)
    }

    /// How long it lasts.
    pub fn length(&self) -> SimDuration {
        SimDuration::from_nanos(self.bin.as_nanos().saturating_mul(self.counts.len() as u64))
    }

    /// Arrivals in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }
}
