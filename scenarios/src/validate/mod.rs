//! Validation: what queueing theory knows exactly, what other simulators compute and what was published of
//! systems, the simulator must find.
//!
//! ```text
//!  validation/cases.ron   case -> metrics: value, tolerance, kind, quantity     (table)
//!  validation/<case>.ron  the case as an ordinary scenario, with its run        (load, run)
//!                                    |
//!            one value a replication, by figure or tracker                      (quantity)
//!                                    |
//!         mean, standard error, z -> verdict; all z together -> tests           (judge, statistics)
//!                                    |
//!                             text, JSON, markdown page                         (text, json, page)
//! ```
//!
//! Every case is run with seed 1. It was not chosen: it is the first there is, and what a scenario runs
//! with if it names none. Draws are named by the client population besides the seed, and populations are
//! named after their case, so that no two cases share any randomness.

mod files;
mod json;
mod judge;
mod page;
pub mod quantity;
pub mod statistics;
pub mod table;
mod text;

pub use judge::{Judged, JudgedCase, Together, Verdict};
pub use table::{Case, Collection, Kind, Metric, Tolerance, UNTOLD, Untold, cases, scenarios};

use crate::run::{self, Progress, RunError, Watch, run_probed};
use crate::watcher::Watcher;
use quantity::Trackers;

/// The seed of every case, where nobody asks for another.
pub const SEED: u64 = 1;

/// How cases are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Names the randomness.
    pub seed: u64,
    /// How many replications at once; `None` as many as the machine has processors. No figure depends on it.
    pub jobs: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: SEED, jobs: None }
    }
}

/// Cases, simulated and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// In the order of the table, as far as they were run.
    pub cases: Vec<JudgedCase>,
    /// What their errors say together.
    pub together: Together,
    /// What named the randomness.
    pub seed: u64,
    /// Whether it was stopped before all cases were run.
    pub partial: bool,
}

/// Runs the cases and judges what comes out.
///
/// # Errors
/// A run that cannot start; see [`RunError`].
///
/// # Panics
/// If a scenario of ours cannot be loaded; a test sees to it that each can.
pub fn validate(cases: &[Case], options: &Options, watcher: &dyn Watcher) -> Result<Validation, RunError> {
    let mut judged = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let share = |within: f64| (i as f64 + within) / cases.len() as f64;
        let one = One { case: &case.id, watcher, share: &share };
        match one_case(case, options, &one)? {
            Some(case) => judged.push(case),
            None => break,
        }
    }
    let (together, partial) = (Together::of(&judged), judged.len() < cases.len());
    Ok(Validation { cases: judged, together, seed: options.seed, partial })
}

/// One case; `None` if it was stopped.
fn one_case(case: &Case, options: &Options, watch: &dyn Watch) -> Result<Option<JudgedCase>, RunError> {
    let loaded = case.load().unwrap_or_else(|error| panic!("validation/{}.ron: {error}", case.id));
    let options = run::Options { seed: Some(options.seed), jobs: options.jobs, ..run::Options::default() };
    let quantities = || case.metrics.iter().map(|metric| &metric.of);
    let probe = |run: &models::system::Run| Trackers::new(quantities(), run, loaded.warm_up());
    let (report, probes) = run_probed(&loaded, &options, watch, probe)?;
    if report.partial.is_some() {
        return Ok(None);
    }
    let metrics = case.metrics.iter().enumerate().map(|(i, metric)| {
        let trackers: Vec<_> = probes.iter().map(|trackers| &trackers.0[i]).collect();
        Judged::new(metric.clone(), &metric.of.values(&report, &trackers))
    });
    Ok(Some(JudgedCase {
        metrics: metrics.collect(),
        case: case.clone(),
        replications: report.replications.len() as u32,
        counted_s: report.horizon.since(report.warm_up).as_secs_f64(),
        events: report.engine.events,
    }))
}

/// The run of one case, as the validation watches it.
struct One<'a> {
    case: &'a str,
    watcher: &'a dyn Watcher,
    share: &'a (dyn Fn(f64) -> f64 + Sync),
}

impl Watch for One<'_> {
    fn stop(&self) -> bool {
        self.watcher.stop()
    }

    fn progress(&self, progress: &Progress) {
        self.watcher.progress((self.share)(progress.share), self.case);
    }
}

impl Validation {
    /// Whether every metric agrees, and all errors together are what chance explains.
    pub fn passes(&self) -> bool {
        self.metrics().all(|(_, judged)| judged.verdict == Verdict::Agrees) && self.together.passes()
    }

    /// Every metric, with its case.
    pub fn metrics(&self) -> impl Iterator<Item = (&JudgedCase, &Judged)> {
        self.cases.iter().flat_map(|case| case.metrics.iter().map(move |judged| (case, judged)))
    }

    /// What kept it from passing, or that nothing did, in a few sentences.
    pub fn summary(&self) -> Vec<String> {
        let count = |verdict| self.metrics().filter(|(_, judged)| judged.verdict == verdict).count();
        let others =
            [Verdict::Open, Verdict::Differs, Verdict::Missing].map(|verdict| (count(verdict), verdict.name()));
        let others: String = others.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!(", {n} {name}")).collect();
        let (cases, metrics) = (self.cases.len(), self.metrics().count());
        let Together { errors, largest, too_large, spread } = &self.together;
        let mut lines = vec![format!("{cases} cases, {metrics} metrics: {} agree{others}.", count(Verdict::Agrees))];
        if let Some((case, metric, z, p)) = largest {
            let (many, holds) =
                (too_large.len(), if too_large.is_empty() { "as chance explains" } else { "too large" });
            let one = format!("The largest of {errors} errors is {z:.2} standard errors ({case}, {metric})");
            let by_chance = (p * *errors as f64).min(1.0);
            lines.push(format!("{one}: p = {by_chance:.2} over all of them, {holds}."));
            if many > 0 {
                let names: Vec<String> = too_large.iter().map(|(case, metric)| format!("{case} {metric}")).collect();
                lines.push(format!("Too large for chance: {}.", names.join(", ")));
            }
        }
        if let Some(spread) = spread {
            let holds = if spread.p_value >= statistics::LEVEL { "as chance explains" } else { "not as by chance" };
            lines.push(format!(
                "One error a case, {} squares: their sum is {:.1}, p = {:.2}, {holds}.",
                spread.count, spread.sum_of_squares, spread.p_value
            ));
        }
        lines
    }
}
