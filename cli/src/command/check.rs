//! `outgrow check`: everything that is wrong with scenarios, or what they contain.

use crate::exit::Exit;
use crate::{input, problems, term};
use clap::Args;
use models::workload::Arrivals;
use scenarios::load::Loaded;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `outgrow check`.
#[derive(Debug, Args)]
#[command(after_help = "\
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
                term::say(problems::render(&scenario.warnings));
            }
            term::print(&contents(scenario))?;
        }
        match rejected {
            None => Ok(Exit::Fine),
            Some(rejected) => Err(rejected.into()),
        }
    }

    fn document(&self) -> anyhow::Result<Exit> {
        let mut exit = Exit::Fine;
        let one = |name: &String| match input::load(name, self.trace.as_deref(), &[]) {
            Ok(loaded) => {
                let scenario = &loaded.scenario;
                json!({
                    "scenario": name,
                    "fine": true,
                    "services": scenario.services.keys().collect::<Vec<_>>(),
                    "clients": scenario.clients.keys().collect::<Vec<_>>(),
                    "problems": problems::json(&loaded.warnings),
                })
            }
            Err(rejection) => {
                exit = Exit::BadInput;
                json!({ "scenario": name, "fine": false, "problems": rejection.json() })
            }
        };
        let scenarios: Vec<_> = self.scenarios.iter().map(one).collect();
        term::print(&format!("{:#}\n", json!({ "scenarios": scenarios })))?;
        Ok(exit)
    }
}

/// What a scenario contains, in a few lines.
fn contents(loaded: &Loaded) -> String {
    let scenario = &loaded.scenario;
    let services = scenario.services.iter().map(|(name, service)| {
        let replicas = service.replicas.get();
        if replicas == 1 { name.clone() } else { format!("{name} x{replicas}") }
    });
    let clients = scenario.clients.iter().map(|(name, client)| match &client.arrivals {
        Arrivals::Poisson(_) => format!("{name} (open)"),
        Arrivals::Trace(trace) => format!("{name} (replays {})", trace.file),
        Arrivals::Closed { users, .. } => format!("{name} ({} users)", users.get()),
    });
    let run = &scenario.run;
    let lines = [
        ("title", scenario.title.clone()),
        ("services", Some(several(services))),
        ("clients", Some(several(clients))),
        ("timeline", counted(scenario.timeline.len(), "act")),
        ("windows", (!scenario.windows.is_empty()).then(|| several(scenario.windows.keys().cloned()))),
        ("expects", counted(scenario.expect.len(), "figure")),
        ("run", Some(format!("{} after a warm-up of {}, {} times", run.horizon, run.warm_up, run.replications))),
    ];
    let mut text = format!("{}: fine\n", input::shown(loaded));
    for (what, line) in lines {
        let Some(line) = line else { continue };
        text += &format!("  {what:<9} {}\n", term::printable(&line));
    }
    text
}

fn counted(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    }
}

/// A list of names, cut short before it fills the screen.
fn several(names: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
