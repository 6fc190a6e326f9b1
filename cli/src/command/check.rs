//! `outgrow check`: everything that is wrong with scenarios, or what they contain and what a run of them
//! costs.

use crate::exit::Exit;
use crate::{input, problems, term};
use anyhow::Context as _;
use clap::Args;
use models::topology::Caller;
use models::workload::Arrivals;
use scenarios::estimate::Cost;
use scenarios::load::Loaded;
use scenarios::run::Options;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `outgrow check`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is fine is summed up: who calls whom, and what a run costs. Nothing is run.

Examples:
  outgrow check shop.ron
  outgrow check *.ron
  outgrow check shop.ron --json      problems with line and column, for editors")]
pub(crate) struct Check {
    /// Scenario files, or names of the library
    #[arg(required = true, value_name = "FILE|NAME")]
    scenarios: Vec<String>,
    /// This file stands in for every trace the scenarios name
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Print one JSON document, the problems included
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if self.json {
            return self.document();
        }
        let (loaded, rejected) = input::load_each(&self.scenarios, self.trace.as_deref(), &[]);
        for scenario in &loaded {
            if !scenario.warnings.is_empty() {
                term::say(problems::render(&scenario.warnings).trim_end());
            }
            let cost = cost(scenario)?;
            for warning in cost.warnings() {
                term::warning(&format!("{}: {}", input::shown(scenario), term::printable(&warning)));
            }
            term::print(&contents(scenario, &cost))?;
        }
        match rejected {
            None => Ok(Exit::Fine),
            Some(rejected) => Err(rejected.into()),
        }
    }

    fn document(&self) -> anyhow::Result<Exit> {
        let mut exit = Exit::Fine;
        let mut scenarios = Vec::new();
        for name in &self.scenarios {
            scenarios.push(match input::load(name, self.trace.as_deref(), &[]) {
                Ok(loaded) => summary(name, &loaded, &cost(&loaded)?),
                Err(rejection) => {
                    exit = Exit::BadInput;
                    json!({ "scenario": name, "fine": false, "problems": rejection.json() })
                }
            });
        }
        term::print(&format!("{:#}\n", json!({ "scenarios": scenarios })))?;
        Ok(exit)
    }
}

/// What a run of a scenario as written will cost.
fn cost(loaded: &Loaded) -> anyhow::Result<Cost> {
    Cost::of(loaded, &Options::default()).with_context(|| input::shown(loaded))
}

/// What a scenario contains, for programs.
fn summary(name: &str, loaded: &Loaded, cost: &Cost) -> Value {
    let services = loaded.scenario.services.iter().zip(0..).map(|((name, service), id)| {
        json!({"name": name, "replicas": service.replicas.get(), "calls": called(loaded, Caller::Service(id))})
    });
    let clients = loaded
        .scenario
        .clients
        .keys()
        .zip(0..)
        .map(|(name, id)| json!({"name": name, "calls": called(loaded, Caller::Client(id))}));
    json!({
        "scenario": name,
        "fine": true,
        "services": services.collect::<Vec<_>>(),
        "clients": clients.collect::<Vec<_>>(),
        "cost": {
            "replications": cost.replications,
            "requests": cost.requests.round() as u64,
            "events": cost.events.round() as u64,
            "cpu_s": cost.cpu_s,
            "state_bytes": cost.state_bytes.round() as u64,
            "limit_bytes": cost.limit_bytes,
            "unknown_hits": cost.unknown_hits.iter().map(|(service, cache)| json!([service, cache])).collect::<Vec<_>>(),
            "warnings": cost.warnings(),
        },
        "problems": problems::json(&loaded.warnings),
    })
}

/// What a scenario contains, in a few lines.
fn contents(loaded: &Loaded, cost: &Cost) -> String {
    let scenario = &loaded.scenario;
    let calls = |text: String, caller: Caller| match called(loaded, caller)[..] {
        [] => text,
        ref callees => format!("{text} -> {}", several(callees.iter().map(|&name| name.to_owned()))),
    };
    let services = scenario.services.iter().zip(0..).map(|((name, service), id)| {
        let replicas = service.replicas.get();
        let text = if replicas == 1 { name.clone() } else { format!("{name} x{replicas}") };
        calls(text, Caller::Service(id))
    });
    let clients = scenario.clients.iter().zip(0..).map(|((name, client), id)| {
        let text = match &client.arrivals {
            Arrivals::Poisson(_) | Arrivals::Renewal(_) => format!("{name} (open)"),
            Arrivals::Mmpp(mmpp) => format!("{name} (open, in {} states)", mmpp.0.len()),
            Arrivals::Batch(_) => format!("{name} (open, in batches)"),
            Arrivals::Sessions(_) => format!("{name} (sessions)"),
            Arrivals::Trace(trace) => format!("{name} (replays {})", trace.file),
            Arrivals::Closed { users, .. } => format!("{name} ({} users)", users.get()),
        };
        calls(text, Caller::Client(id))
    });
    let run = &scenario.run;
    let times = if run.replications == 1 { "once".to_owned() } else { format!("{} times", run.replications) };
    let lines = [
        ("title", scenario.title.clone().into_iter().collect()),
        ("clients", clients.collect()),
        ("services", services.collect()),
        ("timeline", counted(scenario.timeline.len(), "act")),
        ("windows", some(several(scenario.windows.keys().cloned()))),
        ("expects", counted(scenario.expect.len(), "figure")),
        ("run", some(format!("{} after a warm-up of {}, {times}", run.horizon, run.warm_up))),
        ("cost", some(expected(cost))),
        ("", unknown_hits(cost)),
    ];
    let mut text = format!("{}: fine\n", input::shown(loaded));
    for (what, lines) in lines {
        let more = lines.len().saturating_sub(SHOWN);
        let rest = (more > 0).then(|| format!("and {more} more"));
        for (i, line) in lines.into_iter().take(SHOWN).chain(rest).enumerate() {
            text += &format!("  {:<9} {}\n", if i == 0 { what } else { "" }, term::printable(&line));
        }
    }
    text
}

/// The services that somebody calls, each once.
fn called(loaded: &Loaded, caller: Caller) -> Vec<&str> {
    let topology = &loaded.topology;
    let mut callees: Vec<&str> = Vec::new();
    for site in topology.sites.iter().filter(|site| site.caller == caller) {
        let name = topology.services[usize::from(site.callee)].name.as_str();
        if !callees.contains(&name) {
            callees.push(name);
        }
    }
    callees
}

/// What a run costs, in a sentence.
fn expected(cost: &Cost) -> String {
    let time = match cost.cpu_s {
        s if s < 1.0 => "less than a second".to_owned(),
        s if s < 90.0 => format!("about {} s", rounded(s)),
        s if s < 5400.0 => format!("about {} min", rounded(s / 60.0)),
        s => format!("about {} h", rounded(s / 3600.0)),
    };
    let each = if cost.replications == 1 { "" } else { " each time" };
    format!(
        "about {} requests{each}, {} events in all, {time} on one core",
        rounded(cost.requests),
        rounded(cost.events)
    )
}

/// What the cost leaves open.
fn unknown_hits(cost: &Cost) -> Vec<String> {
    let caches = cost.unknown_hits.iter().map(|(service, cache)| format!("{service} {cache}"));
    let caches = several(caches.collect::<Vec<_>>().into_iter());
    if caches.is_empty() { Vec::new() } else { vec![format!("at most: as if no lookup hit in {caches}")] }
}

/// An estimate with the two digits that mean something: 1.2 million.
fn rounded(value: f64) -> String {
    let (value, unit) = match value {
        v if v < 1e6 => (v, ""),
        v if v < 1e9 => (v / 1e6, " million"),
        v => (v / 1e9, " billion"),
    };
    if value < 9.95 && value.fract() != 0.0 {
        return format!("{value:.1}{unit}");
    }
    let mut digit = 1.0;
    while value / digit >= 100.0 {
        digit *= 10.0;
    }
    let whole = ((value / digit).round() * digit) as u64;
    if whole < 1000 { format!("{whole}{unit}") } else { format!("{},{:03}{unit}", whole / 1000, whole % 1000) }
}

fn some(text: String) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { vec![text] }
}

fn counted(count: usize, what: &str) -> Vec<String> {
    match count {
        0 => Vec::new(),
        1 => vec![format!("1 {what}")],
        _ => vec![format!("{count} {what}s")],
    }
}

/// So many names or lines are shown.
const SHOWN: usize = 12;

/// A list of names, cut short before it fills the screen.
fn several(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
