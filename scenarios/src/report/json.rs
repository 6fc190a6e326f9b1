//! Reports as one JSON document, and its documentation.
//!
//! Keys come in a fixed order, numbers are finite, and a value that does not exist is null. The
//! document depends on the scenarios and the options alone, unless timings are asked for.

use super::{Curve, Definition, Figure, Partial, RunReport, SeriesReport, series};
use crate::comparison::{Comparison, Difference};
use crate::expect::Judged;
use crate::figures::{POOL, definitions};
use crate::replication::Engine;
use serde_json::{Map, Value, json};
use sim_core::stats::Estimate;
use sim_core::time::SimTime;
use std::fmt::Write as _;

/// How much a document says about the machine it was made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing: the same command gives the same bytes.
    #[default]
    Reproducible,
    /// Wall time, events a second and memory as well.
    Timings,
}

/// The document, with a line break at its end.
pub fn document(runs: &[RunReport], comparisons: &[Comparison], detail: Detail) -> String {
    let document = json!({
        "runs": runs.iter().map(|report| run(report, detail)).collect::<Vec<_>>(),
        "comparisons": comparisons.iter().map(comparison).collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&document).expect("a document of texts and numbers can be written");
    text.push('\n');
    text
}

/// A run, as in `runs`.
pub fn run(report: &RunReport, detail: Detail) -> Value {
    let mut root = Map::new();
    let mut add = |key: &str, value: Value| root.insert(key.to_owned(), value);
    add("scenario", report.scenario.clone().into());
    add("title", report.title.clone().into());
    if let Some(partial) = &report.partial {
        add("partial", partial_run(partial));
    }
    add("version", env!("CARGO_PKG_VERSION").into());
    add("seed", report.seed.into());
    add("replications", report.replications.len().into());
    add("horizon_s", number(report.horizon.as_secs_f64()));
    add("warmup_s", number(report.warm_up.as_secs_f64()));
    add("verdict", report.verdict.name().into());
    add(
        "binding",
        report.binding.as_ref().map_or(Value::Null, |binding| {
            json!({
                "service": binding.service,
                "resource": binding.resource,
                "utilisation": number(binding.utilisation),
            })
        }),
    );
    add(
        "slo",
        json!({
            "objective": number(report.slo.objective.get()),
            "threshold_s": number(report.slo.threshold.get().as_secs_f64()),
            "window_s": number(report.slo.window.get().as_secs_f64()),
        }),
    );
    if let Some(currency) = &report.currency {
        add("currency", currency.clone().into());
    }
    for group in ["metrics", "clients", "services", "hosts", "windows"] {
        if group != "hosts" || !report.hosts.is_empty() {
            add(group, Value::Object(Map::new()));
        }
    }
    for service in &report.services {
        at(&mut root, &["services".to_owned(), service.clone(), "utilisation".to_owned()]);
    }
    for window in &report.windows {
        let place = at(&mut root, &["windows".to_owned(), window.name.clone()]);
        place.insert("from_s".to_owned(), number(window.from.as_secs_f64()));
        place.insert("to_s".to_owned(), number(window.to.as_secs_f64()));
    }
    for figure in report.figures.values() {
        let (key, place) = figure.path.split_last().expect("a figure has a name");
        at(&mut root, place).insert(key.clone(), metric(figure, report.replications.len()));
    }
    for (service, levels) in &report.distributions {
        let levels = levels.iter().map(estimate).collect::<Vec<_>>();
        at(&mut root, &["services".to_owned(), service.clone()]).insert("distribution".to_owned(), levels.into());
    }
    if let Some(series) = &report.series {
        root.insert("series".to_owned(), over_time(series, report.horizon));
    }
    root.insert("expectations".to_owned(), report.expectations.iter().map(judged).collect());
    root.insert("warnings".to_owned(), report.warnings.clone().into());
    root.insert("engine".to_owned(), engine(&report.engine, detail));
    Value::Object(root)
}

/// The object at a place, made if it is not there.
fn at<'a>(root: &'a mut Map<String, Value>, place: &[String]) -> &'a mut Map<String, Value> {
    place.iter().fold(root, |object, key| {
        let inner = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
        inner.as_object_mut().expect("figures and groups have different names")
    })
}

/// A finite number; anything else is null.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, number)
}

fn estimate(estimate: &Estimate) -> Value {
    json!({ "mean": number(estimate.mean), "ci95": optional(estimate.half_width_95) })
}

fn metric(figure: &Figure, replications: usize) -> Value {
    let mut value = figure.estimate.as_ref().map_or_else(|| json!({ "mean": null, "ci95": null }), estimate);
    let object = value.as_object_mut().expect("an estimate is an object");
    if (1..replications).contains(&figure.existing()) {
        object.insert("n".to_owned(), figure.existing().into());
    }
    if figure.definition.key == "collapsed_ratio" {
        let interval = figure.wilson_95().map_or(Value::Null, |(low, high)| json!([number(low), number(high)]));
        object.insert("wilson95".to_owned(), interval);
    }
    value
}

fn over_time(series: &SeriesReport, horizon: SimTime) -> Value {
    let mut root = Map::new();
    root.insert("bin_s".to_owned(), number(series.bin.as_secs_f64()));
    let begins = (0..series.bins).map(|bin| number(series.begin(bin).as_secs_f64()));
    root.insert("from_s".to_owned(), begins.collect());
    root.insert("to_s".to_owned(), number(horizon.as_secs_f64()));
    for curve in series.curves.values() {
        let (key, place) = curve.path.split_last().expect("a curve has a name");
        at(&mut root, place).insert(key.clone(), one_curve(curve));
    }
    Value::Object(root)
}

fn one_curve(curve: &Curve) -> Value {
    let by_bin = |values: &[Option<f64>]| values.iter().copied().map(optional).collect::<Vec<_>>();
    json!({ "mean": by_bin(&curve.mean), "low": by_bin(&curve.low), "high": by_bin(&curve.high) })
}

fn partial_run(partial: &Partial) -> Value {
    let cut = partial.cut.iter().map(|cut| {
        json!({
            "replication": cut.replication,
            "reason": cut.why.name(),
            "message": cut.why.to_string(),
            "reached_s": number(cut.reached.as_secs_f64()),
        })
    });
    json!({
        "reason": partial.reason(),
        "message": partial.message(),
        "replications_asked": partial.asked,
        "reached_s": optional(partial.reached().map(|reached| reached.as_secs_f64())),
        "cut": cut.collect::<Vec<_>>(),
    })
}

fn judged(judged: &Judged) -> Value {
    json!({
        "figure": judged.expectation.figure,
        "least": optional(judged.expectation.least),
        "most": optional(judged.expectation.most),
        "found": optional(judged.found),
        "result": judged.judgement.name(),
        "text": judged.text(),
    })
}

fn engine(engine: &Engine, detail: Detail) -> Value {
    let mut value = json!({
        "events": engine.events,
        "peak_in_flight": engine.peak_in_flight,
    });
    if detail == Detail::Timings {
        let wall_s = engine.wall.as_secs_f64();
        let object = value.as_object_mut().expect("it was made one");
        object.insert("wall_s".to_owned(), number(wall_s));
        object.insert("events_per_s".to_owned(), number(engine.events as f64 / wall_s));
        let peak = Engine::process_peak_bytes();
        object.insert("process_peak_bytes".to_owned(), peak.map_or(Value::Null, Value::from));
    }
    value
}

fn comparison(comparison: &Comparison) -> Value {
    let mut differences = Map::new();
    for (path, difference) in &comparison.differences {
        differences.insert(path.clone(), one_difference(difference));
    }
    json!({
        "a": comparison.a,
        "b": comparison.b,
        "seed": comparison.seed,
        "pairs": comparison.pairs,
        "same_arrivals": comparison.same_arrivals,
        "partial": comparison.partial,
        "warnings": comparison.warnings,
        "differences": differences,
    })
}

fn one_difference(difference: &Difference) -> Value {
    json!({
        "a": optional(difference.a),
        "b": optional(difference.b),
        "mean": optional(difference.estimate.map(|e| e.mean)),
        "ci95": optional(difference.estimate.and_then(|e| e.half_width_95)),
        "n": difference.pairs,
        "differs": difference.differs().map_or(Value::Null, Value::Bool),
        "variance_saved": optional(difference.variance_saved),
    })
}

/// Keys that are no figures, in the order of the document: key, unit, meaning.
const RUN_KEYS: &[(&str, &str, &str)] = &[
    ("scenario", "text", "Name of the scenario: its file without folder and ending."),
    ("title", "text or null", "What the scenario calls itself."),
    (
        "partial",
        "object",
        "Only there if the run did not go to its end; what it then says rests on less than was asked for.",
    ),
    (
        "partial.reason",
        "text",
        "`stopped` by the user, or a limit: `state` (memory), `instant` (time stood still), `events`.",
    ),
    ("partial.message", "text", "The same as a sentence."),
    ("partial.replications_asked", "number", "Replications that were asked for."),
    (
        "partial.reached_s",
        "s or null",
        "Earliest simulated time at which a replication that counts was cut short; null if none was.",
    ),
    (
        "partial.cut",
        "list",
        "The replications that count and were cut short: `replication` (its number), `reason`, `message`, `reached_s`. \
         After a stop, replications under way count only if none had ended.",
    ),
    ("version", "text", "The version of Outgrow."),
    ("seed", "number", "Names the randomness; equal scenario, seed and version give equal runs."),
    ("replications", "number", "Independent replications that count."),
    ("horizon_s", "s", "Simulated time at which the run ends."),
    ("warmup_s", "s", "Simulated time from which on requests and levels count."),
    (
        "verdict",
        "text",
        "`healthy`; `strained`: a resource is above 0.8; `undecided`: neither, but the outcome of more than 1% of the \
         requests is unknown, or that of all; `breached`: slo_good_ratio is below the objective; `collapsed`: at least \
         half of the replications collapsed.",
    ),
    (
        "binding",
        "object or null",
        "The busiest resource: `service`, `resource`, `utilisation`. Of several within 0.02 of the busiest, the one \
         furthest from the clients.",
    ),
    ("slo.objective", "share", "Share of requests that must be good."),
    ("slo.threshold_s", "s", "A request is good if it is served within this time."),
    ("slo.window_s", "s", "The stretch of time over which that is promised."),
    ("currency", "text", "What costs are in; absent without prices."),
];

/// What stands before the figures of a place: place, key, unit, meaning.
const BEFORE_FIGURES: &[(&str, &str, &str, &str)] = &[
    (
        "metrics.failures",
        "metrics.failures",
        "figures by cause",
        "Share of fresh requests that failed, by cause of the last attempt's failure.",
    ),
    ("clients.<population>", "clients", "object", "By client population, where there are several; else empty."),
    (
        "services.<service>.utilisation",
        "services.<service>.utilisation",
        "figures by resource",
        "What the service has, and how busy it is.",
    ),
    ("services.<service>.caches.<cache>", "services.<service>.caches", "object", "By cache, if the service has some."),
    (
        "windows.<window>",
        "services.<service>.distribution",
        "list of figures",
        "Only with `--levels`: the share of time at 0, 1, 2, ... attempts waiting or held; the last of 10,001 stands for all \
         above.",
    ),
    ("windows.<window>", "windows.<window>.from_s", "s", "From when on."),
    ("windows.<window>", "windows.<window>.to_s", "s", "Before when."),
];

const SERIES_KEYS: &[(&str, &str, &str)] = &[
    (
        "series",
        "object",
        "Only with `--series`: what happens over time in the first 100 replications, warm-up included, in up to 300 bins of equal width. A **curve** is \
         `{\"mean\": [...], \"low\": [...], \"high\": [...]}`: for each bin the mean over the replications in which \
         it has a value, and the lowest and the highest value of any; null where none has one, as in bins that were \
         not reached.",
    ),
    ("series.bin_s", "s", "How wide the bins are. The last one is shorter if the widths do not divide the horizon."),
    ("series.from_s", "list of s", "When each bin begins; what happens at that very instant belongs to it."),
    ("series.to_s", "s", "When the last bin ends: the horizon, of which it holds what happens then, too."),
];

const AFTER_FIGURES: &[(&str, &str, &str)] = &[
    (
        "expectations",
        "list",
        "What the scenario expects: `figure`, `least`, `most`, `found` (the mean), `result` (`met`, `missed`, \
         `no value`, or `open` in a partial run) and `text`, a sentence.",
    ),
    ("warnings", "list of texts", "What is odd about the scenario."),
    ("engine.events", "number", "Events of all replications that count, warm-up included."),
    ("engine.peak_in_flight", "number", "The most requests in flight at once in a replication, warm-up included."),
    ("engine.wall_s", "s", "Only with timings: how long the run took."),
    ("engine.events_per_s", "1/s", "Only with timings: events over wall time, all threads together."),
    (
        "engine.process_peak_bytes",
        "bytes or null",
        "Only with timings: the most memory the process has had resident so far; null where the system does not tell.",
    ),
];

const COMPARISON_KEYS: &[(&str, &str, &str)] = &[
    ("a", "text", "The scenario compared against: the first given."),
    ("b", "text", "The scenario compared."),
    ("seed", "number", "The seed of both."),
    ("pairs", "number", "Replications that both have; the n-th of both see the same arrivals."),
    (
        "same_arrivals",
        "true or false",
        "Whether every pair had the same number of fresh requests, in all and by population; false if the clients \
         of the two differ.",
    ),
    ("partial", "true or false", "Whether one of the two runs is partial."),
    (
        "warnings",
        "list of texts",
        "What makes the figures of the two unlike: warm-ups, horizons or SLO thresholds that differ.",
    ),
    (
        "differences",
        "object",
        "By the place of a figure that both have, for example `metrics.availability`: `a` and `b`, the means over \
         the pairs; `mean` and `ci95`, of the paired differences b - a; `n`, the pairs in which both have a value; \
         `differs`, whether the interval excludes 0 (null without interval); `variance_saved`, the share of the \
         variance of the difference that pairing has saved over independent runs (below 0 if it cost some; null \
         if it cannot be told).",
    ),
];

/// The documentation of the document, in Markdown: every key with unit and meaning.
pub fn reference() -> String {
    let mut text = String::from(
        "# The JSON document\n\n\
         <!-- Written by `scenarios::report::json::reference`; a test compares. Do not edit. -->\n\n\
         `outgrow run FILE... --json` writes one document to standard output: `{\"runs\": [...], \"comparisons\": \
         [...]}`. Keys come in a fixed order; numbers are finite; times are in seconds, rates per second, shares from \
         0 to 1. The same command gives the same bytes, on any number of threads, unless timings are asked for.\n\n\
         A **figure** is `{\"mean\": ..., \"ci95\": ...}`: the mean over replications, and half the width of its 95% \
         confidence interval by Student's t, null for fewer than two. A figure that does not exist, such as the \
         response time of nothing, is null in both, never 0. If it exists in some replications only, mean and \
         interval are over those, and `n` says how many; without `n` it exists in all. Quantiles are those of each \
         replication, averaged.\n\n\
         Requests count if they come after the warm-up, and from its very end on; levels are averaged over time \
         since. Shares of fresh requests leave nothing out: served requests, all `failures` and `unknown_ratio` \
         add up to all. `expect` in a scenario names a figure by its place, for example \
         `services.db.utilisation.processor`.\n\n\
         ## `runs[]`\n\n| key | unit | meaning |\n|---|---|---|\n",
    );
    let mut line = |key: &str, unit: &str, about: &str| {
        writeln!(text, "| `{key}` | {unit} | {about} |").expect("a text takes all");
    };
    RUN_KEYS.iter().for_each(|(key, unit, about)| line(key, unit, about));
    let mut before = "";
    for (place, definition) in definitions() {
        if place != before {
            let lines = BEFORE_FIGURES.iter().filter(|(figures, ..)| *figures == place);
            lines.for_each(|(_, key, unit, about)| line(key, unit, about));
            before = place;
        }
        line(&format!("{place}.{}", definition.key), definition.unit.name(), definition.about);
    }
    SERIES_KEYS.iter().for_each(|(key, unit, about)| line(key, unit, about));
    let mut curve = |place: &str, definition: &Definition| {
        line(
            &format!("series.{place}.{}", definition.key),
            &format!("curve, {}", definition.unit.name()),
            definition.about,
        );
    };
    series::METRICS.iter().for_each(|row| curve("metrics", &row.definition));
    let utilisations = series::UTILISATION.iter().map(|(definition, _)| *definition).chain([&POOL]);
    utilisations.for_each(|definition| curve("services.<service>.utilisation", definition));
    series::SERVICE.iter().for_each(|row| curve("services.<service>", &row.definition));
    AFTER_FIGURES.iter().for_each(|(key, unit, about)| line(key, unit, about));
    text.push_str(
        "\n## `comparisons[]`\n\nOne for each scenario after the first.\n\n| key | unit | meaning |\n|---|---|---|\n",
    );
    for (key, unit, about) in COMPARISON_KEYS {
        writeln!(text, "| `{key}` | {unit} | {about} |").expect("a text takes all");
    }
    text
}
