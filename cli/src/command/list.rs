//! `outgrow list`: what can be written in a scenario, what comes out, and what comes with the program.

use super::new::Template;
use crate::exit::{self, Exit};
use crate::term::{self, FAINT, STRONG};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum as _};
use models::blueprint::{Layout, Processor, Step};
use models::catalogue::Entry;
use models::distribution::Distribution;
use models::fault::Which;
use models::policy::scaler::ScalingRule;
use models::policy::{Admission, Backoff, Balancer, Deadline, Discipline, Drop, Eviction, KeyOf, Popularity, Refresh};
use models::times::Times;
use models::workload::rate::Growth;
use models::workload::{Arrivals, Balking, Count, Rate};
use scenarios::growth::Curve;
use scenarios::library;
use scenarios::report::{Definition, definitions};
use scenarios::scenario::Act;
use scenarios::story::Trigger;
use scenarios::verdict::Verdict;
use serde_json::json;

/// Arguments of `outgrow list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  outgrow list                 what lists there are
  outgrow list balancers
  outgrow list library         scenarios that `outgrow run` knows by name
  outgrow list figures | grep response
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
        name: "popularities",
        about: "how requests spread over the keys of a sharded service or a cache",
        place: "services.NAME.balancer: ByKey(keys: 1000000, popularity: ...), services.NAME.caches.NAME.popularity",
        entries: || rows(Popularity::ALL),
    },
    Listed {
        name: "layouts",
        about: "how many queues a service has",
        place: "services.NAME.queue.layout",
        entries: || rows(Layout::ALL),
    },
    Listed {
        name: "disciplines",
        about: "who of those that wait is next",
        place: "services.NAME.queue.discipline",
        entries: || rows(Discipline::ALL),
    },
    Listed {
        name: "drops",
        about: "which waiting requests are thrown away when their turn comes",
        place: "services.NAME.queue.drop",
        entries: || rows(Drop::ALL),
    },
    Listed {
        name: "evictions",
        about: "which key leaves a full cache",
        place: "services.NAME.caches.NAME.eviction",
        entries: || rows(Eviction::ALL),
    },
    Listed {
        name: "refreshes",
        about: "whether a cache fetches a key anew before it expires",
        place: "services.NAME.caches.NAME.refresh",
        entries: || rows(Refresh::ALL),
    },
    Listed {
        name: "keys",
        about: "whose key a lookup in a cache asks for",
        place: "services.NAME.caches.NAME.key_of",
        entries: || rows(KeyOf::ALL),
    },
    Listed {
        name: "admissions",
        about: "what a service takes in at all",
        place: "services.NAME.admission",
        entries: || rows(Admission::ALL),
    },
    Listed {
        name: "scalers",
        about: "who decides how many replicas a service has",
        place: "services.NAME.scaler: (rule: ..., most: 20)",
        entries: || rows(ScalingRule::ALL),
    },
    Listed {
        name: "distributions",
        about: "how long something takes",
        place: "Work(...), Delay(...), Drawn(...), Renewal(...), think, patience",
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
        name: "balking",
        about: "when a request does not join those that are there",
        place: "clients.NAME.balking",
        entries: || rows(Balking::ALL),
    },
    Listed {
        name: "growths",
        about: "how a rate grows over months and years",
        place: "clients.NAME.arrivals: Poisson(Growth(...))",
        entries: || rows(Growth::ALL),
    },
    Listed {
        name: "counts",
        about: "how many requests a batch or a session has",
        place: "clients.NAME.arrivals: Batch(size: ...), Sessions(requests: ...)",
        entries: || rows(Count::ALL),
    },
    Listed {
        name: "backoffs",
        about: "how long a caller waits before it tries again",
        place: "retry.backoff, of clients.NAME or services.NAME.calls.NAME",
        entries: || rows(Backoff::ALL),
    },
    Listed {
        name: "deadlines",
        about: "whether what a caller waits for knows how long it waits",
        place: "deadline, of clients.NAME or services.NAME.calls.NAME",
        entries: || rows(Deadline::ALL),
    },
    Listed {
        name: "times",
        about: "how often steps are repeated, besides a plain number",
        place: "Repeat(..., [...])",
        entries: || rows(Times::ALL),
    },
    Listed {
        name: "acts",
        about: "what can be done to a system while it runs",
        place: "timeline: [(at: \"10min\", act: ...)]",
        entries: || rows(Act::ALL),
    },
    Listed {
        name: "replicas",
        about: "which replicas of a service something is done to",
        place: "of, in acts such as Pause(service: \"app\", of: ...)",
        entries: || rows(Which::WAYS),
    },
    Listed {
        name: "curves",
        about: "how the users of a story grow",
        place: "growth: (users: ...), in a story",
        entries: || rows(Curve::ALL),
    },
    Listed {
        name: "triggers",
        about: "what makes the next design of a story necessary",
        place: "chapters: [(design: \"NAME\", when: ...)], in a story",
        entries: || rows(Trigger::ALL),
    },
    Listed {
        name: "durations",
        about: "units of time",
        place: "a text: \"800ms\", \"1.5h\", \"1h 30min\"",
        entries: durations,
    },
    Listed {
        name: "figures",
        about: "what a run measures, with unit and meaning",
        place: "expect: [(figure: ..., least: ...)], and runs[] of `outgrow run --json`",
        entries: figures,
    },
    Listed {
        name: "verdicts",
        about: "how a run went, the worst that holds",
        place: "runs[].verdict of `outgrow run --json`",
        entries: verdicts,
    },
    Listed { name: "exit-codes", about: "how the program ends", place: "$? in a shell", entries: exit_codes },
    Listed {
        name: "templates",
        about: "commented scenarios to start from",
        place: "outgrow new NAME --template TEMPLATE",
        entries: templates,
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

/// A row of texts.
fn row(name: impl Into<String>, example: impl Into<String>, summary: impl Into<String>) -> Row {
    Row { name: name.into(), example: Some(example.into()), summary: summary.into(), about: None }
}

fn durations() -> Vec<Row> {
    let units = [
        ("y", "\"6y\"", "years of 365.25 days"),
        ("d", "\"90d\"", "days"),
        ("h", "\"1.5h\"", "hours"),
        ("min", "\"10min\"", "minutes"),
        ("s", "\"2.5s\"", "seconds"),
        ("ms", "\"800ms\"", "thousandths of a second"),
        ("us", "\"50us\"", "millionths of a second, also µs"),
        ("ns", "\"500ns\"", "billionths of a second, the finest there is"),
    ];
    units.iter().map(|&(unit, example, about)| row(unit, example, about)).collect()
}

fn figures() -> Vec<Row> {
    let names = [("<service>", "web"), ("<population>", "visitors"), ("<window>", "late"), ("<callee>", "db")];
    let figure = |(place, definition): (&str, &Definition)| {
        let key = format!("{place}.{}", definition.key);
        let example = names.iter().fold(key.clone(), |key, (what, name)| key.replace(what, name));
        row(key, format!("figure: \"{example}\""), format!("[{}] {}", definition.unit.name(), definition.about))
    };
    definitions().map(figure).collect()
}

fn verdicts() -> Vec<Row> {
    let meaning = |verdict: Verdict| match verdict {
        Verdict::Healthy => "as promised, with no resource above 80%",
        Verdict::Strained => "as promised, but some resource is above 80%",
        Verdict::Undecided => "the outcome of more than 1% of the requests is not known, or none came",
        Verdict::Breached => "fewer requests are good than the objective of the slo promises",
        Verdict::Collapsed => "at the end, or in the window that `collapse` names, less than half is served",
    };
    let all = [Verdict::Collapsed, Verdict::Breached, Verdict::Strained, Verdict::Undecided, Verdict::Healthy];
    let test = |verdict: Verdict| format!("jq '.runs[] | select(.verdict == \"{}\").scenario'", verdict.name());
    all.map(|verdict| row(verdict.name(), test(verdict), meaning(verdict))).into()
}

fn exit_codes() -> Vec<Row> {
    exit::ALL.map(|(exit, about)| row((exit as u8).to_string(), "outgrow run shop.ron; echo $?", about)).into()
}

fn templates() -> Vec<Row> {
    let template = |template: &Template| {
        let value = template.to_possible_value()?;
        let summary = value.get_help().map(ToString::to_string).unwrap_or_default();
        Some(row(value.get_name(), format!("outgrow new shop --template {}", value.get_name()), summary))
    };
    Template::value_variants().iter().filter_map(template).collect()
}

fn library() -> Vec<Row> {
    let row = |entry: &library::Entry| Row {
        name: entry.name.to_owned(),
        example: Some(format!("outgrow run {}", entry.name)),
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
        let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        // Names that would leave no room have a line to themselves.
        let column = if width > 30 { 4 } else { width + 4 };
        // For `grep` and its like an entry stays on its line.
        let room = term::columns().map_or(usize::MAX, |width| usize::from(width).saturating_sub(column).clamp(30, 100));
        let mut text = format!("{STRONG}{}{STRONG:#}: {}; {}\n\n", self.name, self.about, self.place);
        for row in &rows {
            let about = row.about.iter().flat_map(|about| term::wrapped(about, room.min(76)));
            let mut lines = term::wrapped(&row.summary, room).into_iter();
            let first = if width > 30 { None } else { lines.next() };
            text += &match first {
                Some(first) => format!("  {STRONG}{:<width$}{STRONG:#}  {first}\n", row.name),
                None => format!("  {STRONG}{}{STRONG:#}\n", row.name),
            };
            for line in lines {
                text += &format!("{:column$}{line}\n", "");
            }
            for line in about.chain(row.example.clone()) {
                text += &format!("{:column$}{FAINT}{line}{FAINT:#}\n", "");
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
