//! The report of a run: figures over its replications, and what they amount to.
//!
//! [`RunReport`] holds every figure under its place in the JSON document, for example
//! `services.db.utilisation.processor`; [`json`], [`text`] and [`html`] render it.

pub mod html;
pub mod json;
mod series;
pub mod text;

pub use crate::figures::{Definition, Figure, definitions};
pub use crate::units::Unit;
pub use series::{Curve, SeriesReport};

use crate::expect::{self, Judged};
use crate::figures::Plan;
use crate::load::Loaded;
use crate::replication::{Cut, Engine, Replication, Settled};
use crate::scenario::Slo;
use crate::verdict::{self, Binding, Evidence, Verdict};
use indexmap::IndexMap;
use models::probe::{Series, Window};
use sim_core::stats::Estimate;
use sim_core::time::SimTime;
use std::time::Duration;

/// What came out of a run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The scenario's name: that of its file, without folder and ending.
    pub scenario: String,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// What named the randomness.
    pub seed: u64,
    /// Which replications count, by number.
    pub replications: Vec<u32>,
    /// When the run ends.
    pub horizon: SimTime,
    /// Since when it counts.
    pub warm_up: SimTime,
    /// What was promised.
    pub slo: Slo,
    /// What prices are in, if there are any.
    pub currency: Option<String>,
    /// Every figure by its place, such as `metrics.availability`, in the order of the report.
    pub figures: IndexMap<String, Figure>,
    /// The services, in the order written.
    pub services: Vec<String>,
    /// The hosts, in the order written.
    pub hosts: Vec<String>,
    /// The client populations, in the order written.
    pub clients: Vec<String>,
    /// The windows, in the order written.
    pub windows: Vec<Window>,
    /// The window by which it counts as collapsed, if one is named.
    pub collapse: Option<String>,
    /// By service, the share of time at each number in system from 0 on, if asked for; the last of
    /// 10,001 stands for all above.
    pub distributions: IndexMap<String, Vec<Estimate>>,
    /// What happened over time, if asked for.
    pub series: Option<SeriesReport>,
    /// Set if the run did not go to its end.
    pub partial: Option<Partial>,
    /// What it amounts to.
    pub verdict: Verdict,
    /// The busiest resource.
    pub binding: Option<Binding>,
    /// What was expected and whether it came out.
    pub expectations: Vec<Judged>,
    /// What is odd about the scenario, one text each.
    pub warnings: Vec<String>,
    /// What the run has cost.
    pub engine: Engine,
}

/// What is missing of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Replications that were asked for.
    pub asked: u32,
    /// Replications that count, those cut short included.
    pub counted: u32,
    /// Of those that count, the ones cut short. Empty if the run was stopped between replications, or
    /// if those that were under way are left out because others had ended.
    pub cut: Vec<CutShort>,
}

/// A replication that was cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutShort {
    /// Its number.
    pub replication: u32,
    /// Why.
    pub why: Cut,
    /// Up to when it ran.
    pub reached: SimTime,
}

impl Partial {
    /// Why, in a word: `stopped`, `state`, `instant` or `events`.
    pub fn reason(&self) -> &'static str {
        self.cut.first().map_or("stopped", |cut| cut.why.name())
    }

    /// The earliest instant at which a replication that counts was cut short.
    pub fn reached(&self) -> Option<SimTime> {
        self.cut.iter().map(|cut| cut.reached).min()
    }

    /// A sentence for people.
    pub fn message(&self) -> String {
        let Self { asked, counted, cut } = self;
        match cut.as_slice() {
            [] => format!("the run was stopped: {counted} of {asked} replications had ended"),
            [first, ..] => format!(
                "{} of {counted} replications (of {asked} asked for) did not reach the end; replication {} ended at {}: {}",
                cut.len(),
                first.replication,
                crate::units::span(first.reached.as_secs_f64()),
                first.why
            ),
        }
    }
}

impl RunReport {
    pub(crate) fn new(
        loaded: &Loaded,
        settled: &Settled,
        plan: &Plan,
        replications: &[Replication],
        wall: Duration,
    ) -> Self {
        let values: Vec<&[Option<f64>]> = replications.iter().map(|r| r.values.as_slice()).collect();
        let figures: IndexMap<String, Figure> = plan.figures(&values).collect();
        let mean = |path: &str| figures.get(path).and_then(Figure::mean);
        let utilisations = figures.values().filter(|figure| figure.path.get(2).is_some_and(|s| s == "utilisation"));
        let highest = utilisations.filter_map(Figure::mean).reduce(f64::max);
        let verdict = Verdict::on(&Evidence {
            collapsed_ratio: mean("metrics.collapsed_ratio"),
            slo_good_ratio: mean("metrics.slo_good_ratio"),
            objective: loaded.scenario.slo.objective.get(),
            unknown_ratio: mean("metrics.unknown_ratio"),
            utilisation: highest,
        });
        let cut = replications.iter().filter_map(|r| {
            let why = r.cut.clone()?;
            Some(CutShort { replication: r.number, why, reached: r.reached })
        });
        let cut: Vec<CutShort> = cut.collect();
        let series: Vec<&Series> = replications.iter().filter_map(|r| r.series.as_ref()).collect();
        let counted = replications.len() as u32;
        let whole = cut.is_empty() && counted == settled.replications;
        let partial = (!whole).then_some(Partial { asked: settled.replications, counted, cut });
        let mut report = Self {
            scenario: loaded.document.stem(),
            title: loaded.scenario.title.clone(),
            seed: settled.seed,
            replications: replications.iter().map(|r| r.number).collect(),
            horizon: settled.until,
            warm_up: settled.warm_up,
            slo: loaded.scenario.slo.clone(),
            currency: loaded.scenario.costs.as_ref().map(|costs| costs.currency.clone()),
            binding: verdict::binding(figures.values(), &loaded.topology),
            services: loaded.topology.services.iter().map(|s| s.name.clone()).collect(),
            hosts: loaded.topology.hosts.iter().map(|h| h.name.clone()).collect(),
            clients: loaded.topology.clients.iter().map(|c| c.name.clone()).collect(),
            windows: loaded.windows.clone(),
            collapse: loaded.scenario.collapse.clone(),
            distributions: distributions(loaded, replications),
            series: SeriesReport::new(&loaded.topology, &series),
            partial,
            verdict,
            expectations: Vec::new(),
            warnings: loaded.warnings.items.iter().map(warning).collect(),
            engine: Engine {
                events: replications.iter().map(|r| r.events).sum(),
                peak_in_flight: replications.iter().map(|r| r.peak_in_flight).max().unwrap_or(0),
                wall,
            },
            figures,
        };
        report.expectations = expect::judge(&loaded.scenario.expect, !whole, |path| report.mean(path));
        report
    }

    /// The figure at a place, such as `metrics.availability`.
    pub fn figure(&self, path: &str) -> Option<&Figure> {
        self.figures.get(path)
    }

    /// The mean of the figure at a place; `None` if there is no such figure, or no value.
    pub fn mean(&self, path: &str) -> Option<f64> {
        self.figure(path)?.mean()
    }

    /// The figures at a place, such as `services.db.utilisation`, by their last name.
    pub fn figures_at<'a>(&'a self, place: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a Figure)> {
        self.figures.values().filter_map(|figure| {
            let (last, first) = figure.path.split_last()?;
            first.iter().map(String::as_str).eq(place.iter().copied()).then_some((last.as_str(), figure))
        })
    }

    /// How many replications collapsed, of how many of which that is known.
    pub fn collapsed(&self) -> Option<(u64, u64)> {
        let figure = self.figure("metrics.collapsed_ratio")?;
        let collapsed = figure.values.iter().flatten().filter(|value| **value > 0.5).count();
        (figure.existing() > 0).then_some((collapsed as u64, figure.existing() as u64))
    }
}

fn warning(problem: &crate::document::Problem) -> String {
    let place = problem.place.map_or_else(String::new, |place| format!("{}:{}: ", place.line, place.column));
    let help = problem.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    format!("{place}{}{help}", problem.message)
}

fn distributions(loaded: &Loaded, replications: &[Replication]) -> IndexMap<String, Vec<Estimate>> {
    let measured: Vec<&Replication> = replications.iter().filter(|r| !r.levels.is_empty()).collect();
    if measured.is_empty() {
        return IndexMap::new();
    }
    let services = loaded.topology.services.iter().enumerate();
    let of = |id: usize| {
        let highest = measured.iter().map(|r| r.levels[id].len()).max().unwrap_or(0);
        let at = |level: usize| {
            let shares: Vec<f64> = measured.iter().map(|r| r.levels[id].get(level).copied().unwrap_or(0.0)).collect();
            Estimate::from_replications(&shares).expect("there are replications")
        };
        (0..highest).map(at).collect()
    };
    services.map(|(id, service)| (service.name.clone(), of(id))).collect()
}
