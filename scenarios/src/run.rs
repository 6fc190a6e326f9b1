//! Runs of a scenario: replications in parallel, merged in order.
//!
//! ```text
//!   replication 0   System::run -> warm-up, unmeasured -> Measure joins -> horizon -> figures --+
//!   replication 1   the same with other randomness                                 -> figures --+-> report
//!   replication 2   ...                                                            -> figures --+
//! ```
//!
//! Every replication is a pure function of scenario, seed and its number, and results are merged by
//! number, so that any number of threads gives the same report, byte for byte. Between slices of
//! events a replication looks up: whether it should stop, how far it is, how much memory is in use.

use crate::figures::Plan;
use crate::load::Loaded;
pub use crate::replication::{Cut, Engine};
use crate::replication::{Replication, Settled};
use crate::report::RunReport;
use models::probe::{Measure, Probe, Series};
use models::system::{Limits, Run, System};
use sim_core::time::{SimDuration, SimTime};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

/// How a scenario is run, where that differs from what it says itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Names the randomness; `None` as the scenario says.
    pub seed: Option<u64>,
    /// How many replications; `None` as the scenario says.
    pub replications: Option<u32>,
    /// How many of them at once; `None` as many as the machine has processors. No figure depends on it.
    pub jobs: Option<usize>,
    /// When the run ends; `None` at the scenario's horizon.
    pub until: Option<SimDuration>,
    /// How much state a replication may hold. Replications that run at the same time never hold more
    /// than that together, too, but for the one furthest ahead: others then wait for their turn.
    pub limits: Limits,
    /// How many events a replication may have; `None` any number.
    pub events: Option<u64>,
    /// Whether the distribution of the number in system is reported.
    pub levels: bool,
    /// Whether what happens over time is reported, from time zero on, of the first
    /// [`SERIES_REPLICATIONS`].
    pub series: bool,
}

/// So many replications are followed over time: each takes some hundred kilobytes to the end of the run.
pub const SERIES_REPLICATIONS: u32 = 100;

/// 2 GiB: about 20 million requests in flight. With the slack of growing lists a process takes up to
/// three times that.
pub const STATE_BYTES: u64 = 2 << 30;

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: None,
            replications: None,
            jobs: None,
            until: None,
            limits: Limits { state_bytes: STATE_BYTES, ..Limits::default() },
            events: None,
            levels: false,
            series: false,
        }
    }
}

/// Why a scenario is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// No replications.
    #[error("a run has 0 replications: ask for 1 at least")]
    NoReplications,
    /// The end comes too early.
    #[error("the run ends at {until}, within its warm-up of {warm_up}: run it for longer, or make run.warm_up shorter")]
    EndsInWarmUp {
        /// When it ends.
        until: SimDuration,
        /// How long it warms up.
        warm_up: SimDuration,
    },
    /// No threads.
    #[error("{jobs} threads cannot be started: {reason}")]
    Threads {
        /// How many were asked for.
        jobs: usize,
        /// What the operating system says.
        reason: String,
    },
}

/// Watches a run from outside, from several threads at once.
pub trait Watch: Sync {
    /// Whether the run should stop. Asked a hundred times a second or so, by every thread.
    fn stop(&self) -> bool {
        false
    }

    /// How far the run is. Called as often.
    #[expect(unused_variables, reason = "the default method names its argument for the reader")]
    fn progress(&self, progress: &Progress) {}
}

/// Nobody watches.
impl Watch for () {}

/// A flag that stops the run.
impl Watch for AtomicBool {
    fn stop(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Replications that have ended.
    pub ended: u32,
    /// Replications in all.
    pub replications: u32,
    /// Share of all simulated time that has passed, over all replications.
    pub share: f64,
    /// Events handled.
    pub events: u64,
}

impl Options {
    pub(crate) fn settle(&self, loaded: &Loaded) -> Result<Settled, RunError> {
        let settings = &loaded.scenario.run;
        let replications = self.replications.unwrap_or(settings.replications);
        if replications == 0 {
            return Err(RunError::NoReplications);
        }
        let until = self.until.unwrap_or(settings.horizon);
        if until <= settings.warm_up {
            return Err(RunError::EndsInWarmUp { until, warm_up: settings.warm_up });
        }
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Settled {
            seed: self.seed.unwrap_or(settings.seed),
            replications,
            jobs: self.jobs.unwrap_or_else(processors).clamp(1, replications as usize),
            warm_up: loaded.warm_up(),
            until: SimTime::ZERO + until,
        })
    }
}

/// Runs a scenario.
///
/// A replication that is cut short by a limit counts, with what it has measured so far, and the
/// report is labelled partial. If the run is stopped, replications that have ended count, or, if none
/// has, all that are under way.
///
/// # Errors
/// Options that make no sense, or threads that cannot be started.
pub fn run(loaded: &Loaded, options: &Options, watch: &dyn Watch) -> Result<RunReport, RunError> {
    Ok(run_probed(loaded, options, watch, |_| ())?.0)
}

/// As [`run`], with one more probe on each replication, from time zero on, made by `probe` from the
/// run at time zero. The probes of the replications that count are given back in order.
///
/// # Errors
/// As [`run`].
pub fn run_probed<P: Probe + Send>(
    loaded: &Loaded,
    options: &Options,
    watch: &dyn Watch,
    probe: impl Fn(&Run) -> P + Sync,
) -> Result<(RunReport, Vec<P>), RunError> {
    let settled = options.settle(loaded)?;
    let started = Instant::now();
    let replicator = Replicator {
        loaded,
        options,
        plan: Plan::of(loaded, settled.until),
        watch,
        probe,
        memory: Memory::new(options.limits.state_bytes),
        advance: Advance::default(),
        settled,
    };
    let mut ended = replicator.all()?;
    if ended.iter().any(|(replication, _)| replication.cut != Some(Cut::Stopped)) {
        // Those that were stopped are left out: they say less than those that ended.
        ended.retain(|(replication, _)| replication.cut != Some(Cut::Stopped));
    }
    let (replications, probes): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    let Replicator { plan, settled, .. } = replicator;
    let wall = started.elapsed();
    Ok((RunReport::new(loaded, &settled, &plan, &replications, wall), probes))
}

/// Events between two looks up: about ten milliseconds.
const SLICE: u64 = 1 << 16;

struct Replicator<'a, F> {
    loaded: &'a Loaded,
    options: &'a Options,
    settled: Settled,
    plan: Plan,
    watch: &'a dyn Watch,
    probe: F,
    memory: Memory,
    advance: Advance,
}

/// Why a replication does not go on.
enum Halt {
    Cut(Cut),
    /// Too much memory is in use: it starts again when others have ended.
    Postponed,
}

impl<P: Probe + Send, F: Fn(&Run) -> P + Sync> Replicator<'_, F> {
    /// All replications that came to something, in order.
    fn all(&self) -> Result<Vec<(Replication, P)>, RunError> {
        let Settled { replications, jobs, .. } = self.settled;
        let failed = |e: rayon::ThreadPoolBuildError| RunError::Threads { jobs, reason: e.to_string() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(failed)?;
        let next = AtomicU32::new(0);
        let results: Mutex<Vec<(Replication, P)>> = Mutex::new(Vec::new());
        let postponed = Mutex::new(BTreeSet::new());
        let one = |number: u32| match self.replicate(number) {
            Some(result) => results.lock().expect("no replication panicked").push(result),
            None => drop(postponed.lock().expect("no replication panicked").insert(number)),
        };
        // Lower numbers start first, so that those which a stop leaves are the first ones.
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= replications || self.watch.stop() {
                    return;
                }
                one(number);
            }
        };
        pool.scope(|scope| (0..jobs).for_each(|_| scope.spawn(|_| work())));
        let again = std::mem::take(&mut *postponed.lock().expect("no replication panicked"));
        again.into_iter().filter(|_| !self.watch.stop()).for_each(|number| pool.install(|| one(number)));
        let mut results = results.into_inner().expect("no replication panicked");
        results.sort_by_key(|(replication, _)| replication.number);
        Ok(results)
    }

    /// One replication; `None` if it is postponed.
    fn replicate(&self, number: u32) -> Option<(Replication, P)> {
        if !self.options.series || number >= SERIES_REPLICATIONS {
            return self.play(number, &self.probe);
        }
        let with_series = |run: &Run| (Series::attach(run, self.settled.until), (self.probe)(run));
        let (mut replication, (mut series, probe)) = self.play(number, with_series)?;
        series.close(replication.reached);
        replication.series = Some(series);
        Some((replication, probe))
    }

    /// One replication with a probe from time zero on; `None` if it is postponed.
    fn play<Q: Probe>(&self, number: u32, probe: impl Fn(&Run) -> Q) -> Option<(Replication, Q)> {
        let Settled { seed, warm_up, until, .. } = self.settled;
        let (loaded, limits) = (self.loaded, self.options.limits);
        let _place = self.memory.enter(number);
        let mut run = System::run(loaded.topology.clone(), loaded.timeline.clone(), seed, u64::from(number), limits);
        let mut probe = probe(&run);
        let mut pace = Pace::default();
        let before = warm_up.as_nanos().checked_sub(1).map(SimTime::from_nanos);
        let warmed = before.map_or(Ok(()), |before| self.drive(&mut run, number, before, &mut probe, &mut pace));
        let (halt, measured, probe) = match warmed {
            Err(halt) => (Some(halt), None, probe),
            Ok(()) => {
                let good = loaded.scenario.slo.threshold.get();
                let windows = self.plan.windows.clone();
                let measure = Measure::attach_from(&run, warm_up, good, windows, self.options.levels);
                let mut both = (measure, probe);
                let halt = self.drive(&mut run, number, until, &mut both, &mut pace).err();
                (halt, Some(both.0), both.1)
            }
        };
        let cut = match halt {
            None => None,
            Some(Halt::Cut(cut)) => Some(cut),
            Some(Halt::Postponed) => {
                self.advance.take_back(&pace);
                return None;
            }
        };
        let now = run.now();
        // A replication that ended in its warm-up has measured nothing.
        let measured = measured.filter(|measure| now > measure.from);
        self.advance.ended(&mut pace);
        self.watch.progress(&self.advance.progress(self.settled.replications));
        let replication = Replication {
            number,
            reached: now,
            cut,
            events: run.events(),
            peak_in_flight: run.model.peak_in_flight(),
            values: measured.as_ref().map_or_else(Vec::new, |measure| self.plan.values(measure, now)),
            levels: measured.as_ref().map_or_else(Vec::new, |measure| levels(measure, now)),
            series: None,
        };
        Some((replication, probe))
    }

    /// Runs up to `limit`, looking up after each slice.
    fn drive<O: Probe>(
        &self,
        run: &mut Run,
        number: u32,
        limit: SimTime,
        observer: &mut O,
        pace: &mut Pace,
    ) -> Result<(), Halt> {
        loop {
            if self.watch.stop() {
                return Err(Halt::Cut(Cut::Stopped));
            }
            let left = self.options.events.map_or(u64::MAX, |most| most.saturating_sub(run.events()));
            let arrived = run.run_some(limit, SLICE.min(left), observer);
            let share = run.now().as_nanos() as f64 / self.settled.until.as_nanos() as f64;
            self.advance.reach(pace, share, run.events());
            self.watch.progress(&self.advance.progress(self.settled.replications));
            if arrived.map_err(|limit| Halt::Cut(Cut::Limit(limit)))? {
                return Ok(());
            }
            if left <= SLICE {
                return Err(Halt::Cut(Cut::Events(run.events())));
            }
            if self.memory.short(number, run.model.state_bytes()) {
                return Err(Halt::Postponed);
            }
        }
    }
}

/// Levels from here on are reported as this one.
pub(crate) const MOST_LEVELS: usize = 10_000;

/// Shares of time at each number in system, by service.
fn levels(measure: &Measure, now: SimTime) -> Vec<Vec<f64>> {
    let of = |nanos: Vec<u128>| {
        let total: u128 = nanos.iter().sum();
        let (single, rest) = nanos.split_at(nanos.len().min(MOST_LEVELS));
        let rest: u128 = rest.iter().sum();
        let all = single.iter().copied().chain((rest > 0).then_some(rest));
        all.map(|nanos| if total == 0 { 0.0 } else { nanos as f64 / total as f64 }).collect()
    };
    measure.services.iter().filter_map(|service| service.level_nanos(now)).map(of).collect()
}

/// State of all replications under way together.
struct Memory {
    limit: u64,
    /// Bytes by replication under way.
    used: Mutex<std::collections::BTreeMap<u32, u64>>,
}

/// A replication under way.
struct Place<'a> {
    memory: &'a Memory,
    number: u32,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Ok(mut used) = self.memory.used.lock() {
            used.remove(&self.number);
        }
    }
}

impl Memory {
    fn new(limit: u64) -> Self {
        Self { limit, used: Mutex::default() }
    }

    fn enter(&self, number: u32) -> Place<'_> {
        self.used.lock().expect("no replication panicked").insert(number, 0);
        Place { memory: self, number }
    }

    /// Whether this replication must give way. The first of those under way never does, so that each
    /// ends some time, and by its own limit only: what it gives does not depend on the others.
    fn short(&self, number: u32, bytes: u64) -> bool {
        let mut used = self.used.lock().expect("no replication panicked");
        used.insert(number, bytes);
        let first = used.keys().next() == Some(&number);
        !first && used.values().sum::<u64>() > self.limit
    }
}

/// How far all replications are together.
#[derive(Default)]
struct Advance {
    ended: AtomicU32,
    /// In millionths of a replication.
    millionths: AtomicU64,
    events: AtomicU64,
}

/// How far one replication has been counted.
#[derive(Default)]
struct Pace {
    millionths: u64,
    events: u64,
}

const WHOLE: f64 = 1e6;

impl Advance {
    fn reach(&self, pace: &mut Pace, share: f64, events: u64) {
        let millionths = (share * WHOLE) as u64;
        self.millionths.fetch_add(millionths.saturating_sub(pace.millionths), Ordering::Relaxed);
        self.events.fetch_add(events - pace.events, Ordering::Relaxed);
        *pace = Pace { millionths: millionths.max(pace.millionths), events };
    }

    fn ended(&self, pace: &mut Pace) {
        self.reach(pace, 1.0, pace.events);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn take_back(&self, pace: &Pace) {
        self.millionths.fetch_sub(pace.millionths, Ordering::Relaxed);
        self.events.fetch_sub(pace.events, Ordering::Relaxed);
    }

    fn progress(&self, replications: u32) -> Progress {
        Progress {
            ended: self.ended.load(Ordering::Relaxed),
            replications,
            share: self.millionths.load(Ordering::Relaxed) as f64 / WHOLE / f64::from(replications),
            events: self.events.load(Ordering::Relaxed),
        }
    }
}
