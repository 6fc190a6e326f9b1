//! Replay of recorded arrivals: counts per bin of equal width.
//!
//! Inside a bin arrivals are independent and uniform. A factor below 1 keeps each arrival with that
//! probability; a factor above 1 keeps all and adds Poisson arrivals with mean (factor - 1) x count,
//! uniform in the bin. At factor 1 the counts are the file's, exactly.

use crate::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;
use std::sync::Arc;

/// A trace as written: which file, and how it is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// A CSV file with a header, a time column and a count column; relative to the scenario file.
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
}

impl Trace {
    /// How long it lasts.
    pub fn length(&self) -> SimDuration {
        SimDuration::from_nanos(self.bin.as_nanos() * self.counts.len() as u64)
    }

    /// Arrivals in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }
}
