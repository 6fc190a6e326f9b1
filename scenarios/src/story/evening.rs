//! An evening of a story as a scenario of its own, composed from the texts of the story's file.

use super::{Design, Story};
use crate::document::{Document, Path, Segment};
use crate::growth::{Users, years};
use crate::units::{people, year};
use models::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// How evenings are played, as written.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evening {
    /// Requests and levels before this time are not counted.
    pub warm_up: SimDuration,
    /// How long what counts is: at least, at most.
    pub length: (SimDuration, SimDuration),
    /// Within these bounds it is as long as it takes for so many requests.
    pub requests: Given<u32>,
    /// How often an evening is played, with other randomness: at least, at most.
    pub replications: (u32, u32),
    /// Within these bounds it is played as often as takes no more than so many requests together.
    pub budget: Given<u32>,
    /// Names the randomness; equal seeds give equal evenings.
    pub seed: u64,
}

impl Default for Evening {
    fn default() -> Self {
        Self {
            warm_up: SimDuration::from_secs(10),
            length: (SimDuration::from_secs(60), SimDuration::from_secs(900)),
            requests: 20_000.into(),
            replications: (4, 20),
            budget: 1_000_000.into(),
            seed: 1,
        }
    }
}

/// A push as written: for a short time many come at once.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Requests a second while it lasts, over those of the evening.
    pub times: Given<f64>,
    /// How long it lasts.
    pub lasts: Given<SimDuration>,
    /// How long the system is given to recover. Then it is watched for as long as the push lasted.
    pub recovery: Given<SimDuration>,
}

/// The population's name in the scenario of an evening.
const VISITORS: &str = "visitors";

/// The windows of an evening with a push: while it lasts, and once the system should have recovered.
pub(super) const PUSHED: &str = "push";
pub(super) const AFTER: &str = "after";

/// The scenario of the evening of a design at some time after launch.
pub(super) fn scenario(
    document: &Document,
    story: &Story,
    design: &Design,
    at: SimDuration,
    push: Option<&Push>,
) -> Document {
    let users = story.growth.at(years(at));
    let rate = rounded(users.evening_per_s);
    let (arrivals, run) = match push {
        None => (format!("Poisson(Constant({rate}))"), run(story, rate)),
        Some(push) => pushed(story, push, rate),
    };
    let title = format!("Year {}: an evening on {}", year(at), design.name);
    let pushed = if push.is_some() { ", with a push" } else { "" };
    let text =
        comment(document, design, at, &users) + &text(document, &design.name, &arrivals, &(title + pushed), &run);
    let name = document.stem();
    let kind = if push.is_some() { "-push" } else { "" };
    let mut scenario = Document::parse(&format!("{name}-{}{kind}.ron", year(at)), &text);
    for (id, replicas) in design.replicas(users.evening_per_s).into_iter().enumerate() {
        if design.is_sized(id as u16) {
            let path = Path::root().name("services").name(&design.topology.services[id].name).name("replicas");
            scenario.set(&path, &replicas.to_string()).expect("every service can have replicas");
        }
    }
    scenario
}

/// A design as a scenario with one request a second, for what can be said of it before it is sized.
pub(super) fn bare(document: &Document, design: &str) -> Document {
    Document::parse(document.name(), &text(document, design, "Poisson(Constant(1))", design, ""))
}

fn comment(document: &Document, design: &Design, at: SimDuration, users: &Users) -> String {
    format!(
        "// The evening of year {} of the story {:?}, on the design {:?}: {} people have signed up,\n\
         // {} come in a month.\n",
        year(at),
        document.stem(),
        design.name,
        people(users.cumulative),
        people(users.monthly),
    )
}

/// How an evening is run: as long, and as often, as its rate suggests.
fn run(story: &Story, rate: f64) -> String {
    let evening = &story.evening;
    let needed = SimDuration::from_secs((f64::from(evening.requests.get()) / rate).min(1e9).ceil() as u64);
    let counted = needed.clamp(evening.length.0, evening.length.1);
    let horizon = evening.warm_up + counted;
    format!(
        "    run: (warm_up: \"{}\", horizon: \"{horizon}\", seed: {}, replications: {}),\n",
        evening.warm_up,
        evening.seed,
        replications(story, rate, horizon)
    )
}

/// How often what is so long is played.
fn replications(story: &Story, rate: f64, horizon: SimDuration) -> u32 {
    let evening = &story.evening;
    let affordable = f64::from(evening.budget.get()) / (rate * horizon.as_secs_f64());
    (affordable.min(1e9) as u32).clamp(evening.replications.0, evening.replications.1)
}

/// The arrivals of an evening with a push, and how it is run.
fn pushed(story: &Story, push: &Push, rate: f64) -> (String, String) {
    let warm_up = story.evening.warm_up;
    let (lasts, recovery) = (push.lasts.get(), push.recovery.get());
    let over = warm_up + lasts;
    let after = over + recovery;
    let end = after + lasts;
    let before = if warm_up.is_zero() { String::new() } else { format!("(\"0s\", {rate}), ") };
    let arrivals = format!(
        "Poisson(Piecewise([{before}(\"{warm_up}\", {}), (\"{over}\", {rate})]))",
        rounded(rate * push.times.get())
    );
    let run = format!(
        "    windows: {{{PUSHED:?}: (\"{warm_up}\", \"{over}\"), {AFTER:?}: (\"{after}\", \"{end}\")}},\n    \
         collapse: {AFTER:?},\n    \
         run: (warm_up: \"{warm_up}\", horizon: \"{end}\", seed: {}, replications: {}),\n",
        story.evening.seed,
        replications(story, rate, end)
    );
    (arrivals, run)
}

fn text(document: &Document, design: &str, arrivals: &str, title: &str, run: &str) -> String {
    let design = Path::root().name("designs").name(design);
    let of = |path: &Path, deep: usize| document.get(path).map(|text| indented(text, deep)).unwrap_or_default();
    let field = |field: &&str| {
        let path = Path::root().name("visitors").name(field);
        document.get(&path).map(|text| format!("            {field}: {},\n", indented(text, 12)))
    };
    let visitors: String = ["timeout", "cancel", "retry"].iter().filter_map(field).collect();
    let slo = document.get(&Path::root().name("slo"));
    let slo = slo.map_or_else(String::new, |slo| format!("    slo: {},\n", indented(slo, 4)));
    let hosts = document.get(&design.name("hosts"));
    let hosts = hosts.map_or_else(String::new, |hosts| format!("    hosts: {},\n", indented(hosts, 4)));
    format!(
        "(\n    title: {title:?},\n{hosts}    services: {},\n    clients: {{\n        {VISITORS:?}: (\n            \
         arrivals: {arrivals},\n            mix: {},\n{visitors}        ),\n    }},\n{slo}{run})\n",
        of(&design.name("services"), 4),
        of(&design.name("mix"), 12),
    )
}

/// Where a path of an evening's scenario stands in the story.
pub(super) fn in_story(path: &Path, design: &str) -> Path {
    let design = Path::root().name("designs").name(design);
    let below =
        |base: Path, skipped: usize| Path(base.0.into_iter().chain(path.0[skipped..].iter().cloned()).collect());
    let name = |i: usize| match path.0.get(i) {
        Some(Segment::Name(name)) => name.as_str(),
        _ => "",
    };
    match (name(0), name(2)) {
        ("services" | "hosts", _) => below(design, 0),
        ("clients", "mix") => below(design, 2),
        ("clients", _) => below(Path::root().name("visitors"), path.0.len().min(2)),
        _ => path.clone(),
    }
}

/// A rate that people can read: to hundredths, and never none.
fn rounded(per_s: f64) -> f64 {
    ((per_s * 100.0).round() / 100.0).max(0.01)
}

/// A value cut out of a file, with its lines as far in as suits its new place: its closing bracket
/// stands so deep.
fn indented(text: &str, deep: usize) -> String {
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let before = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(blanks).min().unwrap_or(0);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let moved = |line: &str| match line.get(before..) {
        Some(rest) if !rest.trim().is_empty() => format!("{}{rest}", " ".repeat(deep)),
        _ => String::new(),
    };
    std::iter::once(first).chain(lines.map(moved)).collect::<Vec<_>>().join("\n")
}
