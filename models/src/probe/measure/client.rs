//! Requests and what became of them.

use crate::probe::{Cause, Outcome};
use sim_core::stats::Histogram;
use sim_core::time::{SimDuration, SimTime};

/// The requests of a population, or of all.
#[derive(Clone, Debug)]
pub struct ClientMeasure {
    /// Response time up to which a request counts for the SLO.
    good_within: SimDuration,
    /// Fresh requests.
    pub arrived: u64,
    /// Requests served since, also those that came before.
    pub served: u64,
    /// Requests served of those that came since.
    pub done: u64,
    /// Requests served within the SLO's threshold.
    pub done_in_time: u64,
    /// Requests that failed, by cause; in the order of [`Cause::ALL`].
    pub failed: [u64; Cause::ALL.len()],
    /// Response times of requests served.
    pub responses: Histogram,
}

impl ClientMeasure {
    pub(super) fn new(good_within: SimDuration) -> Self {
        Self {
            good_within,
            arrived: 0,
            served: 0,
            done: 0,
            done_in_time: 0,
            failed: [0; Cause::ALL.len()],
            responses: Histogram::new(),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, result: Result<(), Cause>, response: SimDuration) {
        match result {
            Ok(()) => {
                self.done += 1;
                self.done_in_time += u64::from(response <= self.good_within);
                self.responses.record(response);
            }
            Err(cause) => self.failed[cause as usize] += 1,
        }
    }

    /// Takes in what became of the requests of another population.
    pub(super) fn merge(&mut self, other: &Self) {
        self.arrived += other.arrived;
        self.served += other.served;
        self.done += other.done;
        self.done_in_time += other.done_in_time;
        self.failed.iter_mut().zip(other.failed).for_each(|(all, more)| *all += more);
        self.responses.merge(&other.responses);
    }

    /// Requests whose outcome is known.
    pub fn known(&self) -> u64 {
        self.done + self.failed.iter().sum::<u64>()
    }

    /// Served over known; `None` if none is known.
    pub fn availability(&self) -> Option<f64> {
        let known = self.known();
        (known > 0).then(|| self.done as f64 / known as f64)
    }
}

/// A stretch of a run that is reported by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// From here on...
    pub from: SimTime,
    /// ...and before here.
    pub to: SimTime,
}

impl Window {
    /// Whether an instant lies in it.
    pub fn contains(&self, at: SimTime) -> bool {
        self.from <= at && at < self.to
    }
}

/// The requests that came within a window.
#[derive(Clone, Debug)]
pub struct WindowMeasure {
    /// The window.
    pub window: Window,
    /// Fresh requests that came in it.
    pub arrived: u64,
    /// Those that were served, whenever that was.
    pub done: u64,
    /// Those that failed, whenever that was.
    pub failed: u64,
    /// Requests that were over in it, whenever they came and whatever became of them.
    pub ended: u64,
}

impl WindowMeasure {
    pub(super) fn new(window: Window) -> Self {
        Self { window, arrived: 0, done: 0, failed: 0, ended: 0 }
    }

    pub(super) fn take(&mut self, outcome: &Outcome) {
        if self.window.contains(outcome.started) {
            match outcome.result {
                Ok(()) => self.done += 1,
                Err(_) => self.failed += 1,
            }
        }
    }

    /// By how much the requests in flight grew over it, as far as it was measured; 0 if they did not.
    pub fn growth(&self) -> u64 {
        self.arrived.saturating_sub(self.ended)
    }

    /// Served over fresh requests whose outcome is known; `None` if none is known.
    pub fn availability(&self) -> Option<f64> {
        let known = self.done + self.failed;
        (known > 0).then(|| self.done as f64 / known as f64)
    }
}
