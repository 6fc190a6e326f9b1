//! What one replication gives, and what the replications of a run have in common.

use models::probe::Series;
use models::system::LimitError;
use sim_core::time::SimTime;
use std::time::Duration;

/// Why a replication ended before its horizon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It was told to stop.
    Stopped,
    /// It hit a limit of the simulator.
    Limit(LimitError),
    /// It used up its events.
    Events(u64),
}

impl Cut {
    /// Its name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Limit(LimitError::State { .. }) => "state",
            Self::Limit(LimitError::Instant { .. }) => "instant",
            Self::Events(_) => "events",
        }
    }
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped => f.write_str("it was stopped"),
            Self::Limit(LimitError::State { in_flight, waiting, limit_bytes, .. }) => write!(
                f,
                "{in_flight} requests in flight and {waiting} attempts in queues take more than its limit of {} MiB",
                limit_bytes >> 20
            ),
            Self::Limit(LimitError::Instant { limit, .. }) => {
                write!(f, "one event has more than {limit} consequences, so that time no longer advances")
            }
            Self::Events(most) => write!(f, "it has had {most} events, as many as it may"),
        }
    }
}

/// One replication, reduced to its figures.
#[derive(Clone, Debug)]
pub(crate) struct Replication {
    /// Its number.
    pub(crate) number: u32,
    /// Up to when it ran.
    pub(crate) reached: SimTime,
    /// Why no further.
    pub(crate) cut: Option<Cut>,
    /// Events handled.
    pub(crate) events: u64,
    /// The most requests in flight.
    pub(crate) peak_in_flight: u64,
    /// Its figures, in the order of the plan; none if it did not get beyond its warm-up.
    pub(crate) values: Vec<Option<f64>>,
    /// Share of time at each number in system, by service, if asked for.
    pub(crate) levels: Vec<Vec<f64>>,
    /// What happened over time, if asked for.
    pub(crate) series: Option<Series>,
}

/// Settings with nothing left open.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) seed: u64,
    pub(crate) replications: u32,
    pub(crate) jobs: usize,
    pub(crate) warm_up: SimTime,
    pub(crate) until: SimTime,
}

/// What a run has cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Engine {
    /// Events of all replications that count.
    pub events: u64,
    /// The most requests in flight at once in a replication.
    pub peak_in_flight: u64,
    /// How long it took.
    pub wall: Duration,
}

impl Engine {
    /// The most memory the process has had resident so far, in bytes; `None` where the operating
    /// system does not tell.
    pub fn process_peak_bytes() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    }
}
