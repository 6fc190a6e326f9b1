//! `outgrow run`: runs scenarios, prints what came out, compares several.

use super::{jobs, tables::Tables};
use crate::exit::Exit;
use crate::input::{self, Change};
use crate::interrupt;
use crate::problems;
use crate::report_file::ReportFile;
use crate::term::{self, Progress};
use anyhow::Context as _;
use clap::Args;
use scenarios::comparison::Comparison;
use scenarios::estimate::Cost;
use scenarios::load::Loaded;
use scenarios::report::{RunReport, html, json, text};
use scenarios::run::{self, Engine, Options, Watch};
use sim_core::time::SimDuration;
use std::path::PathBuf;

/// Arguments of `outgrow run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every replication of every scenario sees the same requests at the same times, so that differences
between scenarios are those of the designs.

Examples:
  outgrow run shop.ron
  outgrow run shop.ron --set services.web.replicas=2 --until 10min
  outgrow run before.ron after.ron --replications 20    compare two designs
  outgrow run one-server --json | jq '.runs[0].metrics.availability'
  outgrow run one-server --json --series | jq '.runs[0].series.metrics.goodput_per_s.mean'
  outgrow run shop.ron --report shop.html               a web page to look at and to send on
  outgrow run shop.ron --csv results                    results/metrics.csv, results/windows.csv
  outgrow run launch-day --trace monday.csv             replay recorded arrivals
  outgrow list library                                  scenarios known by name")]
pub(crate) struct Run {
    /// Scenario files, or names of the library; each further one is compared with the first
    #[arg(required = true, value_name = "FILE|NAME")]
    scenarios: Vec<String>,
    /// Change a value first, given as it would be written in the file; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = input::change)]
    set: Vec<Change>,
    /// Replay this file instead of every trace the scenarios name
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Name the randomness; equal seeds give equal results [default: as the scenario says]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many independent runs; intervals come from their spread [default: as the scenario says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    replications: Option<u32>,
    /// When the run ends, for example 10min [default: at the scenario's horizon]
    #[arg(long, value_name = "DURATION")]
    until: Option<SimDuration>,
    /// How many replications at once; no figure depends on it [default: one a processor]
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// With --json: also the share of time at each number in system, by service
    #[arg(long, requires = "json")]
    levels: bool,
    /// With --json: also what happens over time, as curves of up to 300 points
    #[arg(long, requires = "json")]
    series: bool,
    /// Also say how long it took and what it needed; two runs then differ in that
    #[arg(long)]
    timings: bool,
    /// Also write tables into this folder
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Let --csv write over tables that are there
    #[arg(long, requires = "csv")]
    force: bool,
    /// Also write a web page with charts; only an earlier report is written over
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Run {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let (mut scenarios, rejected) = input::load_each(&self.scenarios, self.trace.as_deref(), &self.set);
        if let Some(rejected) = rejected {
            return Err(rejected.into());
        }
        if !self.set.is_empty() || self.until.is_some() {
            // What a scenario expects, it expects of itself as written.
            scenarios.iter_mut().for_each(|loaded| loaded.scenario.expect.clear());
        }
        let tables = self.csv.as_deref().map(|folder| Tables::prepare(folder, self.force)).transpose()?;
        let page = self.report.as_deref().map(ReportFile::check).transpose()?;
        let options = Options { seed: Some(self.common_seed(&scenarios)), ..self.options() };
        for scenario in &scenarios {
            before(scenario, &options)?;
        }
        interrupt::watch();
        let mut reports = self.reports(&scenarios, &options)?;
        tell_apart(&mut reports, &self.scenarios);
        for report in &mut reports {
            report.scenario += &input::suffix(&self.set);
        }
        let missing = scenarios.len() - reports.len();
        let comparisons = Comparison::with_first(&reports)?;
        let html = page.is_some().then(|| {
            let runs: Vec<_> = scenarios.iter().zip(&reports).collect();
            html::page(&runs, &comparisons, &[self.command()], missing)
        });
        for report in &mut reports {
            if !self.series {
                // It was asked for by the page; all else is the same without it.
                report.series = None;
            }
            if !self.json {
                // They have been told before the run began, with the line they are about.
                report.warnings.clear();
            }
        }
        term::print(&self.shown(&reports, &comparisons))?;
        if let Some(tables) = tables {
            tables.write(&reports, &comparisons)?;
        }
        if let (Some(page), Some(html)) = (page, html) {
            page.write(&html)?;
        }
        Ok(told(&reports, missing))
    }

    fn options(&self) -> Options {
        Options {
            seed: self.seed,
            replications: self.replications,
            jobs: self.jobs.map(usize::from),
            until: self.until,
            levels: self.levels,
            series: self.series || self.report.is_some(),
            ..Options::default()
        }
    }

    /// What was typed, as far as figures depend on it.
    fn command(&self) -> String {
        let mut words = vec!["outgrow".to_owned(), "run".to_owned()];
        words.extend(self.scenarios.iter().cloned());
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        self.set.iter().for_each(|change| option("--set", Some(change.to_string())));
        option("--trace", self.trace.as_ref().map(|file| file.display().to_string()));
        option("--seed", self.seed.map(|seed| seed.to_string()));
        option("--replications", self.replications.map(|n| n.to_string()));
        option("--until", self.until.map(|until| until.to_string()));
        option("--report", Some("report.html".to_owned()));
        words.iter().map(|word| for_shell(word)).collect::<Vec<_>>().join(" ")
    }

    /// The seed of all runs: only on the same one can they be compared.
    fn common_seed(&self, scenarios: &[Loaded]) -> u64 {
        let said = |scenario: &Loaded| scenario.scenario.run.seed;
        let first = scenarios.first().map_or(0, said);
        if self.seed.is_none() && scenarios.iter().any(|scenario| said(scenario) != first) {
            term::warning(&format!("the scenarios say different seeds; all are run with {first}, the first one's"));
        }
        self.seed.unwrap_or(first)
    }

    /// One report a scenario, up to the one in which the run was stopped.
    fn reports(&self, scenarios: &[Loaded], options: &Options) -> anyhow::Result<Vec<RunReport>> {
        let progress = Progress::start();
        let mut reports = Vec::new();
        for (i, scenario) in scenarios.iter().enumerate() {
            let name = term::printable(&input::shown(scenario));
            let watched = Watched { progress: &progress, name: &name, before: i, all: scenarios.len() };
            reports.push(run::run(scenario, options, &watched).with_context(|| name.clone())?);
            if interrupt::asked() {
                break;
            }
        }
        Ok(reports)
    }

    fn shown(&self, reports: &[RunReport], comparisons: &[Comparison]) -> String {
        let detail = if self.timings { json::Detail::Timings } else { json::Detail::Reproducible };
        if self.json {
            return json::document(reports, comparisons, detail);
        }
        let page = term::page();
        let mut parts: Vec<String> = reports.iter().map(|report| text::report(report, &page)).collect();
        parts.extend(comparisons.iter().map(|comparison| text::comparison(comparison, &page)));
        if self.timings {
            parts.push(reports.iter().map(timing).collect());
        }
        parts.join("\n")
    }
}

/// A word as a shell takes it.
fn for_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Files of one name are called by what was typed, and by their number if that is the same too.
fn tell_apart(reports: &mut [RunReport], typed: &[String]) {
    let names: Vec<String> = reports.iter().map(|report| report.scenario.clone()).collect();
    let count = |all: &[String], name: &String| all.iter().filter(|other| *other == name).count();
    for (i, report) in reports.iter_mut().enumerate() {
        if count(&names, &names[i]) > 1 {
            report.scenario = typed[i].strip_suffix(".ron").unwrap_or(&typed[i]).to_owned();
            if count(typed, &typed[i]) > 1 {
                report.scenario += &format!(" (number {})", i + 1);
            }
        }
    }
}

/// What is said of a run before any starts: what is odd about the scenario, and whether the run will
/// take long or come to a limit. Options that make no sense end the program here.
fn before(scenario: &Loaded, options: &Options) -> anyhow::Result<()> {
    let name = input::shown(scenario);
    if !scenario.warnings.is_empty() {
        term::say(problems::render(&scenario.warnings).trim_end());
    }
    let cost = Cost::of(scenario, options).with_context(|| name.clone())?;
    let warnings = cost.warnings();
    for warning in &warnings {
        term::warning(&format!("{name}: {}", term::printable(warning)));
    }
    if !warnings.is_empty() {
        term::help("--until and --replications make it shorter; Ctrl-C ends it and prints what is known by then");
    }
    Ok(())
}

/// What a run needed, in a line.
fn timing(report: &RunReport) -> String {
    let Engine { events, wall, .. } = report.engine;
    let (millions, wall_s) = (events as f64 / 1e6, wall.as_secs_f64());
    let memory = Engine::process_peak_bytes().map_or_else(String::new, |bytes| {
        format!("; at most {:.0} MiB of memory so far", bytes as f64 / f64::from(1 << 20))
    });
    let name = &report.scenario;
    format!(
        "{name}: {wall_s:.2} s for {millions:.1} million events, {:.1} million a second{memory}\n",
        millions / wall_s
    )
}

/// Says on stderr what keeps the results from being all well, and how the program ends for it.
fn told(reports: &[RunReport], missing: usize) -> Exit {
    let mut exit = Exit::Fine;
    for report in reports {
        let name = term::printable(&report.scenario);
        for judged in report.expectations.iter().filter(|judged| judged.failed()) {
            term::error(&format!("{name}: {}", term::printable(&judged.text())));
            exit = Exit::Failed;
        }
    }
    for report in reports {
        if let Some(partial) = &report.partial {
            term::warning(&format!("{} is partial: {}", term::printable(&report.scenario), partial.message()));
            exit = Exit::Stopped;
        }
    }
    if missing > 0 {
        let s = if missing == 1 { "" } else { "s" };
        term::warning(&format!("{missing} more scenario{s} did not start"));
        exit = Exit::Stopped;
    }
    exit
}

/// The run under way, as the terminal shows it.
struct Watched<'a> {
    progress: &'a Progress,
    name: &'a str,
    before: usize,
    all: usize,
}

impl Watch for Watched<'_> {
    fn stop(&self) -> bool {
        interrupt::asked()
    }

    fn progress(&self, progress: &run::Progress) {
        let share = (self.before as f64 + progress.share) / self.all as f64;
        let run::Progress { ended, replications, .. } = progress;
        self.progress.update(share, || format!("{}: {ended} of {replications} replications", self.name));
    }
}
