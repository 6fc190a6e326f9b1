//! The World Cup night: one evening on the load-balanced cluster, with every remedy that was tried.
//!
//! Each row is the library's `world-cup-night` with a few values changed. Nothing here says what
//! happens: rows are runs, and the words under the table are chosen by what came out. The reference
//! that `--full` compares with is an independent prototype of the same model, restated as figures.

mod html;
mod json;
mod reference;
mod text;

pub use reference::Agreement;

use crate::document::Document;
use crate::load::{LoadError, Loaded, Traces};
use crate::watcher::Watcher;
use models::probe::{Measure, Probe, Series};
use models::system::{Limits, Run, System};
use rayon::prelude::*;
use sim_core::stats::Estimate;
use std::sync::atomic::Ordering;

/// A configuration of the night.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is different about it.
    pub label: &'static str,
    /// Values changed in the scenario: path and text.
    pub changes: Vec<(&'static str, &'static str)>,
    /// How many nights the short table plays.
    short: u32,
    /// What the reference found, if it played this row.
    reference: Option<Reference>,
}

/// What the independent prototype found.
#[derive(Clone, Copy, Debug)]
struct Reference {
    nights: u64,
    collapsed: u64,
    /// Mean availability of the nights that ended in each way.
    given: &'static [(Ending, f64)],
}

/// How a night ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It collapsed after the first goal.
    FirstGoal,
    /// It collapsed after the second goal.
    SecondGoal,
    /// It collapsed after the third goal.
    ThirdGoal,
    /// It held.
    Held,
}

/// One night played.
#[derive(Clone, Debug)]
pub struct Night {
    /// Served over fresh requests whose outcome is known.
    pub availability: f64,
    /// The same by window, in the order of [`WINDOWS`].
    pub windows: [f64; WINDOWS.len()],
    /// Attempts over fresh requests.
    pub amplification: f64,
    /// Events handled.
    pub events: u64,
    /// What happened over the evening; only of the first night of a row.
    pub series: Option<Series>,
}

/// A row and its nights.
#[derive(Clone, Debug)]
pub struct Played {
    /// The row.
    pub row: Row,
    /// Its nights, in the order of their replications.
    pub nights: Vec<Night>,
}

/// The night, played.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The table.
    pub rows: Vec<Played>,
    /// How much hangs on the guessed contention, for each kappa; only of the full night.
    pub kappas: Vec<(&'static str, Vec<Played>)>,
    /// One queue a server instead of one for all; only of the full night.
    pub separate: Vec<Played>,
    /// Whether it was stopped before all nights were played.
    pub partial: bool,
}

/// The windows of the table, as the scenario names them.
pub const WINDOWS: [&str; 5] = ["before", "goal 1", "goal 2", "late", "end"];

const APP: &str = "services.app.replicas";
const BASE: &str = "clients.visitors.arrivals.base";
const CAP: &str = "services.app.queue.cap";
const DROP: &str = "services.app.queue.drop";
const POOL: &str = "services.app.calls.db.pool";
const KAPPA: &str = "services.db.processor.kappa";
const TIMELINE: &str = "timeline";
const EIGHT_AT_20: &str = "[(at: \"20min\", act: Scale(service: \"app\", to: 8))]";
const EIGHTEEN_AT_45: &str = "[(at: \"45min\", act: Scale(service: \"app\", to: 18))]";

// The rows that the words under the table speak of.
const BEFORE: &str = "330/s, 6 servers: before the event";
const SIX: &str = "6 servers";
const TO_EIGHT: &str = "6, to 8 at minute 20";
const TWELVE: &str = "12 from the start";
const EIGHTEEN: &str = "18 from the start";
const LATE: &str = "6, to 18 at minute 45";
const EXPIRED: &str = "6, drops the expired";
const SOON: &str = "6, drops what has under 0.3 s";
const CAPPED: &str = "6, at most 1500 wait";
const SMALL_POOLS: &str = "18, pools of 2";
const SMALL_AND_CAPPED: &str = "18, pools of 2, 1500 wait";

fn rows() -> Vec<Row> {
    use Ending::{FirstGoal, Held, SecondGoal, ThirdGoal};
    let row = |label, short, changes: &[(&'static str, &'static str)], nights, collapsed, given| Row {
        label,
        changes: changes.to_vec(),
        short,
        reference: Some(Reference { nights, collapsed, given }),
    };
    vec![
        row(BEFORE, 1, &[(BASE, "330")], 10, 0, &[(Held, 1.0)]),
        row(SIX, 2, &[], 10, 10, &[(FirstGoal, 0.2266)]),
        row(TO_EIGHT, 1, &[(TIMELINE, EIGHT_AT_20)], 10, 10, &[(SecondGoal, 0.3000)]),
        row(TWELVE, 1, &[(APP, "12")], 10, 10, &[(SecondGoal, 0.298), (FirstGoal, 0.233)]),
        row(EIGHTEEN, 1, &[(APP, "18")], 10, 10, &[(SecondGoal, 0.297), (FirstGoal, 0.230)]),
        row(LATE, 1, &[(TIMELINE, EIGHTEEN_AT_45)], 10, 10, &[(FirstGoal, 0.2266)]),
        row(EXPIRED, 1, &[(DROP, "Expired")], 10, 10, &[(FirstGoal, 0.2270)]),
        row(SOON, 1, &[(DROP, "RemainingBelow(\"300ms\")")], 10, 0, &[(Held, 0.9337)]),
        row(CAPPED, 2, &[(CAP, "1500")], 10, 0, &[(Held, 0.9826)]),
        row("6, pools of 5", 1, &[(POOL, "5")], 10, 10, &[(FirstGoal, 0.2266)]),
        row(SMALL_POOLS, 10, &[(APP, "18"), (POOL, "2")], 30, 6, &[(Held, 1.0), (ThirdGoal, 0.69)]),
        row(SMALL_AND_CAPPED, 1, &[(APP, "18"), (POOL, "2"), (CAP, "1500")], 10, 0, &[(Held, 1.0)]),
        row(
            "700/s: 12, pools of 3, 1500, expired",
            1,
            &[(BASE, "700"), (APP, "12"), (POOL, "3"), (CAP, "1500"), (DROP, "Expired")],
            10,
            0,
            &[(Held, 0.9695)],
        ),
        row(
            "700/s: 24, pools of 2, 1500, expired, budget, 3 ms",
            1,
            &[
                (BASE, "700"),
                (APP, "24"),
                (POOL, "2"),
                (CAP, "1500"),
                (DROP, "Expired"),
                ("clients.visitors.retry.budget", "(share: 0.1)"),
                ("services.db.endpoints.query[0]", "Work(Exponential(\"3ms\"))"),
            ],
            10,
            0,
            &[(Held, 1.0)],
        ),
    ]
}

/// Rows of the table in which the guessed contention decides, or might.
fn contention_rows(kappa: &'static str) -> Vec<Row> {
    let chosen = [1, 2, 3, 4, 5, 8, 10];
    let mut rows = rows();
    let rows = chosen.into_iter().map(|i| {
        let mut row =
            std::mem::replace(&mut rows[i], Row { label: "", changes: Vec::new(), short: 0, reference: None });
        row.changes.push((KAPPA, kappa));
        row.reference = None;
        row
    });
    rows.collect()
}

/// A queue for each server and round robin, where the reference has one queue for all.
fn separate_rows() -> Vec<Row> {
    let with = |label, changes: &[(&'static str, &'static str)]| {
        let mut all = vec![("services.app.queue.layout", "PerReplica")];
        all.extend(changes);
        Row { label, changes: all, short: 0, reference: None }
    };
    vec![
        with("6 servers", &[]),
        with("6, to 18 at minute 45", &[(TIMELINE, EIGHTEEN_AT_45)]),
        with("18 from the start", &[(APP, "18")]),
        with("6, at most 250 wait at each", &[(CAP, "250")]),
        with("18, pools of 2", &[(APP, "18"), (POOL, "2")]),
        with("18, pools of 2, 83 wait at each", &[(APP, "18"), (POOL, "2"), (CAP, "83")]),
    ]
}

/// How the night is played.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to play thirty nights a row, and the tables on contention and queues.
    pub full: bool,
    /// The seed.
    pub seed: u64,
    /// How many threads.
    pub jobs: usize,
}

/// Nights a row of the full table.
const FULL: u32 = 30;
/// Nights a row of the tables that the full night adds.
const FULL_EXTRA: u32 = 10;

/// How many nights will be played.
pub fn nights(full: bool) -> u32 {
    if full {
        let extra = 2 * contention_rows("").len() + separate_rows().len();
        FULL * rows().len() as u32 + FULL_EXTRA * extra as u32
    } else {
        rows().iter().map(|row| row.short).sum()
    }
}

/// Plays the night. If it is stopped, what has been played so far is returned, marked
/// as partial.
///
/// # Errors
/// A row that cannot be loaded: the library's scenario has lost a value that the row changes.
///
/// # Panics
/// If no threads can be started.
pub fn play(options: Options, watcher: &dyn Watcher) -> Result<Report, LoadError> {
    let base = base()?;
    let mut groups: Vec<Vec<Row>> = vec![rows()];
    if options.full {
        groups.extend(["0.0003", "0.0001"].map(contention_rows));
        groups.push(separate_rows());
    }
    let mut tasks = Vec::new();
    for (g, rows) in groups.iter().enumerate() {
        for (r, row) in rows.iter().enumerate() {
            let loaded = base.with(&row.changes)?;
            let count = match (options.full, g) {
                (false, _) => row.short,
                (true, 0) => FULL,
                (true, _) => FULL_EXTRA,
            };
            tasks.extend((0..count).map(|night| (g, r, night, loaded.clone())));
        }
    }
    let done = std::sync::atomic::AtomicUsize::new(0);
    let all = tasks.len();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build().expect("threads can be started");
    let one = |(g, r, night, loaded): &(usize, usize, u32, Loaded)| {
        let played = Night::play(loaded, options.seed, u64::from(*night), watcher)?;
        let done = 1 + done.fetch_add(1, Ordering::Relaxed);
        let doing = format!("{done} of {all} nights, last: {}", groups[*g][*r].label);
        watcher.progress(done as f64 / all as f64, &doing);
        Some((*g, *r, played))
    };
    let played: Vec<_> = pool.install(|| tasks.par_iter().with_max_len(1).map(one).collect());
    let partial = played.iter().any(Option::is_none);
    let mut filled: Vec<Vec<Played>> = groups
        .into_iter()
        .map(|rows| rows.into_iter().map(|row| Played { row, nights: Vec::new() }).collect())
        .collect();
    for (g, r, night) in played.into_iter().flatten() {
        filled[g][r].nights.push(night);
    }
    let mut filled = filled.into_iter();
    let rows = filled.next().expect("there is always the table");
    let mut rest: Vec<Vec<Played>> = filled.collect();
    let separate = if options.full { rest.pop().unwrap_or_default() } else { Vec::new() };
    let kappas = ["0.0003", "0.0001"].into_iter().zip(rest).collect();
    Ok(Report { seed: options.seed, rows, kappas, separate, partial })
}

/// The scenario that all rows change.
fn base() -> Result<Loaded, LoadError> {
    let text = include_str!("../../library/world-cup-night.ron");
    Loaded::document(Document::parse("world-cup-night.ron", text), &Traces::Library)
}

impl Night {
    /// Plays one; `None` if it is stopped.
    ///
    /// # Panics
    /// If a limit of the simulator is hit: a night is far from any.
    fn play(loaded: &Loaded, seed: u64, night: u64, watcher: &dyn Watcher) -> Option<Self> {
        let mut run = System::run(loaded.topology.clone(), loaded.timeline.clone(), seed, night, Limits::default());
        let good = loaded.scenario.slo.threshold.get();
        let mut measure = Measure::attach(&run, good, loaded.windows.clone(), false);
        let mut series = None;
        if night == 0 {
            let mut both = (measure, Series::attach(&run, loaded.horizon()));
            to_its_end(&mut run, loaded, &mut both, watcher)?;
            both.1.close(run.now());
            (measure, series) = (both.0, Some(both.1));
        } else {
            to_its_end(&mut run, loaded, &mut measure, watcher)?;
        }
        let mut windows = [f64::NAN; WINDOWS.len()];
        for (share, window) in windows.iter_mut().zip(&measure.windows) {
            *share = window.availability().unwrap_or(f64::NAN);
        }
        Some(Self {
            availability: measure.requests().availability().unwrap_or(f64::NAN),
            windows,
            amplification: measure.attempts() as f64 / measure.requests().arrived as f64,
            events: run.events(),
            series,
        })
    }

    /// How it ended: collapsed if less than half is served at the end, and then after the goal before
    /// which half was served last.
    pub fn ending(&self) -> Ending {
        let [_, goal_1, _, late, end] = self.windows;
        if end >= 0.5 {
            Ending::Held
        } else if late >= 0.5 {
            Ending::ThirdGoal
        } else if goal_1 >= 0.5 {
            Ending::SecondGoal
        } else {
            Ending::FirstGoal
        }
    }
}

/// Plays a night to its end; `None` if it is stopped.
fn to_its_end(run: &mut Run, loaded: &Loaded, probe: &mut impl Probe, watcher: &dyn Watcher) -> Option<()> {
    while !run.run_some(loaded.horizon(), 1 << 16, probe).expect("a night is far from any limit") {
        if watcher.stop() {
            return None;
        }
    }
    Some(())
}

impl Played {
    /// Nights that collapsed.
    pub fn collapsed(&self) -> usize {
        self.nights.iter().filter(|n| n.ending() != Ending::Held).count()
    }

    fn estimate(&self, figure: impl Fn(&Night) -> f64) -> Option<Estimate> {
        Estimate::from_replications(&self.nights.iter().map(figure).collect::<Vec<_>>())
    }

    fn availability(&self) -> Option<Estimate> {
        self.estimate(|n| n.availability)
    }
}

impl Report {
    /// Events handled in all.
    pub fn events(&self) -> u64 {
        let all = self.rows.iter().chain(self.kappas.iter().flat_map(|(_, rows)| rows)).chain(&self.separate);
        all.flat_map(|played| &played.nights).map(|night| night.events).sum()
    }
}
