//! `outgrow list`: what can be written in a scenario, and the library.

use crate::exit::Exit;
use crate::term::{self, FAINT, STRONG};
use clap::Args;
use clap::builder::PossibleValuesParser;
use models::blueprint::{Processor, Step};
use models::catalogue::Entry;
use models::distribution::Distribution;
use models::policy::{Backoff, Balancer, Drop};
use models::workload::{Arrivals, Rate};
use scenarios::library;
use scenarios::scenario::Act;
use serde_json::json;

/// Arguments of `outgrow list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  outgrow list                 what lists there are
  outgrow list balancers
  outgrow list library         scenarios that `outgrow run` knows by name
  outgrow list steps --json")]
pub(crate) struct List {
    /// Which list; left out, what lists there are
    #[arg(value_parser = PossibleValuesParser::new(LISTS.iter().map(|list| list.name)))]
    what: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// A list that can be asked for.
struct Listed {
    name: &'static str,
    about: &'static str,
    /// Where its entries are written in a scenario.
    place: &'static str,
    entries: fn() -> Vec<Row>,
}

/// One entry of a list.
struct Row {
    name: String,
    example: Option<String>,
    summary: String,
    /// More about it.
    about: Option<String>,
}

/// Every list there is.
const LISTS: &[Listed] = &[
    Listed {
        name: "steps",
        about: "what a service does for a request",
        place: "services.NAME.endpoints.NAME: [...]",
        entries: || rows(Step::ALL),
    },
    Listed {
        name: "processors",
        about: "what works on requests inside a replica",
        place: "services.NAME.processor",
        entries: || rows(Processor::ALL),
    },
    Listed {
        name: "balancers",
        about: "how a replica is chosen for a request",
        place: "services.NAME.balancer",
        entries: || rows(Balancer::ALL),
    },
    Listed {
        name: "drops",
        about: "which waiting requests are thrown away when their turn comes",
        place: "services.NAME.queue.drop",
        entries: || rows(Drop::ALL),
    },
    Listed {
        name: "distributions",
        about: "how long something takes",
        place: "Work(...), Delay(...), Drawn(...), think",
        entries: || rows(Distribution::ALL),
    },
    Listed {
        name: "arrivals",
        about: "when requests come",
        place: "clients.NAME.arrivals",
        entries: || rows(Arrivals::ALL),
    },
    Listed {
        name: "rates",
        about: "how many requests a second",
        place: "clients.NAME.arrivals: Poisson(...)",
        entries: || rows(Rate::ALL),
    },
    Listed {
        name: "backoffs",
        about: "how long a caller waits before it tries again",
        place: "retry.backoff, of clients.NAME or services.NAME.calls.NAME",
        entries: || rows(Backoff::ALL),
    },
    Listed {
        name: "acts",
        about: "what can be done to a system while it runs",
        place: "timeline: [(at: \"10min\", act: ...)]",
        entries: || rows(Act::ALL),
    },
    Listed {
        name: "library",
        about: "scenarios that come with the program",
        place: "outgrow run NAME",
        entries: library,
    },
];

fn rows(entries: &[Entry]) -> Vec<Row> {
    let row = |entry: &Entry| Row {
        name: entry.name.to_owned(),
        example: (entry.example != entry.name).then(|| entry.example.to_owned()),
        summary: entry.summary.to_owned(),
        about: None,
    };
    entries.iter().map(row).collect()
}

fn library() -> Vec<Row> {
    let row = |entry: &library::Entry| Row {
        name: entry.name.to_owned(),
        example: None,
        summary: entry.title().to_owned(),
        about: Some(entry.about().to_owned()),
    };
    library::ALL.iter().map(row).collect()
}

impl List {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let list = self.what.and_then(|what| LISTS.iter().find(|list| list.name == what));
        let text = match (list, self.json) {
            (Some(list), false) => list.text(),
            (Some(list), true) => format!("{:#}\n", list.json()),
            (None, false) => overview(),
            (None, true) => {
                let lists =
                    LISTS.iter().map(|list| json!({"list": list.name, "about": list.about, "place": list.place}));
                format!("{:#}\n", json!({"lists": lists.collect::<Vec<_>>()}))
            }
        };
        term::print(&text)?;
        Ok(Exit::Fine)
    }
}

impl Listed {
    fn text(&self) -> String {
        let rows = (self.entries)();
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut text = format!("{STRONG}{}{STRONG:#}: {}; {}\n\n", self.name, self.about, self.place);
        for row in &rows {
            text += &format!("  {STRONG}{:<width$}{STRONG:#}  {}\n", row.name, row.summary);
            for line in row.example.iter().cloned().chain(row.about.iter().flat_map(|about| term::wrapped(about, 76))) {
                text += &format!("  {:<width$}  {FAINT}{line}{FAINT:#}\n", "");
            }
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let entry = |row: Row| {
            let mut entry =
                json!({"name": row.name, "example": row.example.as_ref().unwrap_or(&row.name), "summary": row.summary});
            if let Some(about) = row.about {
                entry["about"] = about.into();
            }
            entry
        };
        let entries: Vec<_> = (self.entries)().into_iter().map(entry).collect();
        json!({"list": self.name, "about": self.about, "place": self.place, "entries": entries})
    }
}

/// What lists there are.
fn overview() -> String {
    let width = LISTS.iter().map(|list| list.name.len()).max().unwrap_or(0);
    let mut text = "Lists, for `outgrow list WHAT`:\n\n".to_owned();
    for list in LISTS {
        text += &format!("  {STRONG}{:<width$}{STRONG:#}  {}\n", list.name, list.about);
    }
    text
}
