//! Reports as a web page: one file that an architect can send to a colleague.
//!
//! ```text
//!   one run       verdict and cards, design, over time, response times, services, windows, expected
//!   several       comparison first; then the same for each, a section a run
//!   both          parameters, how to reproduce
//! ```

mod comparison;
mod over_time;

use super::{Figure, RunReport, text};
use crate::comparison::Comparison;
use crate::expect::Judgement;
use crate::html::{
    self, Axis, Card, Cell, Column, Dot, Dots, Graph, Load, Page, Quantity, Reference, Row, Section, callout, cards,
    section, table, verdict_banner,
};
use crate::load::Loaded;
use crate::provenance;
use crate::units::{mean_text, share, span};
use crate::verdict::{Verdict, busiest_of_service};
use maud::{Markup, html};

/// How every report of ours begins, stories and nights included: by this a file is known to be one.
pub const MARKER: &str = html::MARKER;

/// The page of one run, or of several and how the others compare with the first. `commands` are what makes it again;
/// so many scenarios are `missing` because the run was stopped before they started.
pub fn page(runs: &[(&Loaded, &RunReport)], comparisons: &[Comparison], commands: &[String], missing: usize) -> String {
    let (title, lead) = match runs {
        [(loaded, report)] => (report.title.clone().unwrap_or_else(|| report.scenario.clone()), about(loaded, report)),
        _ => (names(runs).join(" and "), several(runs)),
    };
    let partial = missing > 0 || runs.iter().any(|(_, report)| report.partial.is_some());
    let lead = html! {
        @if partial { (html::callout("Partial", html! { p { (incomplete(runs, missing)) } })) }
        (lead)
    };
    let mut sections = Vec::new();
    match runs {
        [(loaded, report)] => {
            sections.extend(parts(loaded, report).into_iter().map(|part| section(part.id, part.title, part.body)));
        }
        _ => {
            sections.push(comparison::section(runs, comparisons));
            sections.extend(runs.iter().enumerate().map(|(i, (loaded, report))| whole(i, loaded, report)));
        }
    }
    sections.push(section("parameters", "Where the numbers come from", all_parameters(runs)));
    let seed = runs.first().map_or(0, |(_, report)| report.seed);
    let reproduce = html! {
        (html::reproduce(commands, seed, None))
        @for (loaded, report) in runs {
            (html::scenario_file(&report.scenario, loaded.document.text()))
        }
    };
    sections.push(section("reproduce", "How to get the same", reproduce));
    let footer = html! {
        p { "Outgrow " (env!("CARGO_PKG_VERSION")) ", seed " (seed) ". "
            @for (_, report) in runs { (text::extent(report)) " " }
            "Verdicts: healthy; strained, some resource above 80%; breached, fewer good requests than promised; collapsed, \
             less than half is served in the end." }
    };
    Page { title, lead, sections, footer }.render()
}

/// What is missing of a partial report.
fn incomplete(runs: &[(&Loaded, &RunReport)], missing: usize) -> String {
    let of_runs = runs.iter().filter_map(|(_, report)| {
        let message = report.partial.as_ref()?.message();
        Some(if runs.len() > 1 { format!("{}: {message}.", report.scenario) } else { format!("{message}.") })
    });
    let others = match missing {
        0 => None,
        1 => Some("1 more scenario did not start.".to_owned()),
        n => Some(format!("{n} more scenarios did not start.")),
    };
    let mut message = of_runs.chain(others).collect::<Vec<_>>().join(" ");
    if let Some(first) = message.get(..1).map(str::to_uppercase).filter(|_| runs.len() == 1) {
        message.replace_range(..1, &first);
    }
    message
}

fn names(runs: &[(&Loaded, &RunReport)]) -> Vec<String> {
    runs.iter().map(|(_, report)| report.scenario.clone()).collect()
}

/// What a scenario says about itself.
fn about(loaded: &Loaded, report: &RunReport) -> Markup {
    html! {
        @if let Some(about) = &loaded.scenario.about { p { (about) } }
        @if report.title.is_some() { p { "Scenario " b { (report.scenario) } ", " (text::extent(report)) } }
        @else { p { (text::extent(report)) } }
    }
}

fn several(runs: &[(&Loaded, &RunReport)]) -> Markup {
    html! {
        p { (runs.len()) " scenarios" @if let Some((_, first)) = runs.first() { ", each compared with " b { (first.scenario) } } ". "
            "Every one sees the same requests at the same times, so that what differs is the design." }
    }
}

/// A part of the report of a run.
struct Part {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// A run as one section among several.
fn whole(place: usize, loaded: &Loaded, report: &RunReport) -> Section {
    let parts = parts(loaded, report);
    let body = html! {
        @if let Some(title) = &report.title { p { b { (title) } @if let Some(about) = &loaded.scenario.about { ". " (about) } } }
        @for (i, part) in parts.iter().enumerate() {
            @if i > 0 { h3 { (part.title) } }
            (part.body)
        }
    };
    section(&format!("run-{}", place + 1), &report.scenario, body)
}

/// What there is to say about a run, in order; the verdict first.
fn parts(loaded: &Loaded, report: &RunReport) -> Vec<Part> {
    let mut parts = vec![
        Part { id: "verdict", title: "What came out", body: verdict(report) },
        Part { id: "design", title: "The design", body: design(loaded, report) },
    ];
    if let Some(series) = &report.series {
        parts.push(Part { id: "time", title: "Over time", body: over_time::charts(report, series) });
    }
    parts.push(Part { id: "requests", title: "Requests", body: requests(report) });
    parts.push(Part { id: "services", title: "Services", body: services(report) });
    if !report.windows.is_empty() {
        parts.push(Part { id: "windows", title: "Windows", body: windows(report) });
    }
    if report.currency.is_some() {
        parts.push(Part { id: "costs", title: "Costs", body: costs(report) });
    }
    if !report.expectations.is_empty() {
        parts.push(Part { id: "expected", title: "What was expected", body: expected(report) });
    }
    parts
}

fn verdict(report: &RunReport) -> Markup {
    let why = match (report.verdict, text::why(report)) {
        (Verdict::Healthy, _) => "The objective is kept, and no resource is above 80%.".to_owned(),
        (Verdict::Strained, _) => "The objective is kept, but a resource is above 80%.".to_owned(),
        (_, why) => why,
    };
    html! {
        (verdict_banner(report.verdict, html! { p { (why) " " (text::busiest(report)) } }))
        (cards(&figures_that_count(report)))
        @for warning in &report.warnings { (callout("Warning", html! { p { (warning) } })) }
    }
}

fn figures_that_count(report: &RunReport) -> Vec<Card> {
    let value = |path: &str| {
        let figure = report.figure(path)?;
        Some(mean_text(figure.definition.unit, figure.mean()?))
    };
    let interval = |path: &str| {
        let varies = |figure: &&Figure| figure.estimate.and_then(|e| e.half_width_95).is_some_and(|half| half > 0.0);
        let figure = report.figure(path).filter(varies);
        figure.map_or_else(String::new, text::with_interval)
    };
    let exact = |path: &str| report.mean(path).map(share);
    let none = || "–".to_owned();
    let quantiles = ["metrics.response_p50_s", "metrics.response_p99_s"].map(|path| value(path).unwrap_or_else(none));
    let attempts = report.mean("metrics.attempts_per_request").filter(|attempts| *attempts > 1.005);
    let threshold = span(report.slo.threshold.get().as_secs_f64());
    let card = |value: String, label: &str, note: String| Card { value, label: label.to_owned(), note };
    let mut cards = vec![
        card(exact("metrics.availability").unwrap_or_else(none), "available", interval("metrics.availability")),
        card(
            exact("metrics.slo_good_ratio").unwrap_or_else(none),
            &format!("served within {threshold}"),
            format!("promised: {}", share(report.slo.objective.get())),
        ),
        card(quantiles[0].clone(), "half of them within", interval("metrics.response_p50_s")),
        card(quantiles[1].clone(), "99% of them within", interval("metrics.response_p99_s")),
    ];
    if let Some(binding) = &report.binding {
        let resource = format!("{} of {}", text::resource(&binding.resource), binding.service);
        cards.push(card(share_short(binding.utilisation), "busiest resource", resource));
    }
    if let (Some(cost), Some(currency)) = (value("costs.per_million_good"), &report.currency) {
        let label = format!("{currency} for a million good");
        cards.push(card(cost, &label, interval("costs.per_million_good")));
    }
    cards.push(card(
        value("metrics.arrivals_per_s").unwrap_or_else(none),
        "fresh requests",
        attempts.map_or_else(String::new, |attempts| format!("{attempts:.2} attempts each")),
    ));
    cards
}

/// A share in per cent, rounded: how busy something is.
fn share_short(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

fn design(loaded: &Loaded, report: &RunReport) -> Markup {
    let load = |name: &String| {
        let place = ["services", name.as_str(), "utilisation"];
        let (resource, utilisation) = busiest_of_service(report.figures_at(&place))?;
        Some(Load { resource: text::resource(resource), utilisation })
    };
    let graph = Graph {
        title: "Who calls whom, and how busy each is".to_owned(),
        alt: format!("{} services. {}", report.services.len(), text::busiest(report)),
        topology: &loaded.topology,
        loads: report.services.iter().map(load).collect(),
    };
    let timeline = &loaded.scenario.timeline;
    let acts = timeline.iter().enumerate().map(|(i, entry)| {
        let path = crate::document::Path::default().name("timeline").index(i).name("act");
        let act = loaded.document.get(&path).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        (span(entry.takes_effect().as_secs_f64()), act)
    });
    html! {
        (graph)
        @if !timeline.is_empty() {
            p { "As it begins. While it runs:" }
            ul { @for (at, act) in acts { li { "at " (at) ": " code { (act) } } } }
        }
    }
}

fn requests(report: &RunReport) -> Markup {
    html! {
        (quantiles(report))
        (plain_table("Requests", &["figure", text::intervals(report)], &[], text::request_rows(report)))
        @if report.clients.len() > 1 {
            h3 { "By client population" }
            (plain_table("Clients", &text::CLIENTS, &[], text::client_rows(report)))
        }
    }
}

fn costs(report: &RunReport) -> Markup {
    let currency = report.currency.as_deref().unwrap_or_default();
    let head = format!("{currency}, {}", text::intervals(report));
    html! { (plain_table("Costs", &["what for", &head], &[], text::cost_rows(report))) }
}

fn quantiles(report: &RunReport) -> Markup {
    let quantiles = [
        ("50% within", "response_p50_s"),
        ("90% within", "response_p90_s"),
        ("95% within", "response_p95_s"),
        ("99% within", "response_p99_s"),
        ("99.9% within", "response_p999_s"),
    ];
    let rows = quantiles.map(|(name, key)| dot(report, name, &format!("metrics.{key}"), f64::INFINITY));
    let values: Vec<f64> = rows.iter().filter_map(|row| row.value).collect();
    let (Some(&low), Some(&high)) = (values.first(), values.last()) else { return Markup::default() };
    let axis = Axis::new("response time of those served", Quantity::Seconds);
    let axis = if low > 0.0 && high > 20.0 * low { axis.log() } else { axis };
    let threshold = report.slo.threshold.get().as_secs_f64();
    let near = (0.3 * low..=3.0 * high).contains(&threshold);
    let dots = Dots {
        title: "Response times".to_owned(),
        alt: format!("Half within {}, 99.9% within {}.", span(low), span(high)),
        axis,
        bars: false,
        rows: rows.to_vec(),
        references: if near { vec![threshold_line(report)] } else { Vec::new() },
        table: false,
    };
    html! { (dots) }
}

fn threshold_line(report: &RunReport) -> Reference {
    let threshold = report.slo.threshold.get().as_secs_f64();
    Reference { at: threshold, label: format!("good: within {}", span(threshold)) }
}

/// The figure at a place, from 0 to `most`.
fn dot(report: &RunReport, name: &str, path: &str, most: f64) -> Dot {
    let estimate = report.figure(path).and_then(|figure| figure.estimate);
    let around = |half: f64, mean: f64| ((mean - half).max(0.0), (mean + half).min(most));
    Dot {
        name: name.to_owned(),
        value: estimate.map(|estimate| estimate.mean),
        interval: estimate.and_then(|estimate| Some(around(estimate.half_width_95?, estimate.mean))),
        verdict: None,
        note: String::new(),
    }
}

fn services(report: &RunReport) -> Markup {
    let hints = [
        "",
        "averaged over time, those that drain included",
        "its busiest resource",
        "attempts that end well here",
        "attempts waiting, averaged over time",
        "mean, until admitted",
        "mean, from arrival to reply",
        "99% within",
        "rejected, or abandoned by those who asked",
    ];
    let of_caches = [
        "",
        "lookups in the caches of all replicas",
        "found and gone on at once",
        "missed, and waited for somebody's fetch",
        "found, and fetched anew before it expires",
        "of keys missed and refreshed",
    ];
    let of_hosts = [
        "",
        "servers or cores, averaged over time, all machines together",
        "those in use over those there are",
        "the share that each of its services uses",
    ];
    let hosts = text::host_rows(report);
    let (waits, caches) = (text::pool_waits(report), text::cache_rows(report));
    html! {
        (plain_table("Services", &text::SERVICES, &hints, text::service_rows(report)))
        p.note { "Means, by attempts."
            @if !waits.is_empty() { " Waiting for a connection, mean: " (waits.join(", ")) "." }
        }
        @if !hosts.is_empty() { (plain_table("Hosts", &text::HOSTS, &of_hosts, hosts)) }
        @if !caches.is_empty() { (plain_table("Caches", &text::CACHES, &of_caches, caches)) }
    }
}

fn windows(report: &RunReport) -> Markup {
    html! {
        p { "A request belongs to the window in which it first came."
            @if let Some(name) = &report.collapse { " The run counts as collapsed by “" (name) "”." }
        }
        (plain_table("Windows", &text::WINDOWS, &[], text::window_rows(report)))
    }
}

fn expected(report: &RunReport) -> Markup {
    let rows = report.expectations.iter().map(|judged| {
        let class = match judged.judgement {
            Judgement::Met => Verdict::Healthy,
            Judgement::Open => Verdict::Undecided,
            Judgement::Missed | Judgement::NoValue => Verdict::Collapsed,
        };
        let badge = html! { span class={ "badge " (class.name()) } { (judged.judgement.name()) } };
        Row::cells([badge.into(), judged.text().into()])
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        p { "What the scenario says of itself, held against what came out." }
        (table("Expectations", &[Column::text("judgement"), Column::text("expectation")], &rows))
    }
}

/// A table whose first column is text and whose others are numbers, with explanations for its columns.
fn plain_table(caption: &str, header: &[&str], hints: &[&str], rows: Vec<Vec<String>>) -> Markup {
    let columns = header.iter().enumerate().map(|(i, title)| {
        let column = if i == 0 { Column::text(title) } else { Column::number(title) };
        match hints.get(i) {
            Some(hint) if !hint.is_empty() => column.hint(hint),
            _ => column,
        }
    });
    // A hyphen stands for what there is not; among numbers it would read as a sign.
    let cell = |text: String| Cell::from(if text == "-" { "–".to_owned() } else { text });
    let rows = rows.into_iter().map(|row| Row::Cells(row.into_iter().map(cell).collect()));
    table(caption, &columns.collect::<Vec<_>>(), &rows.collect::<Vec<_>>())
}

fn all_parameters(runs: &[(&Loaded, &RunReport)]) -> Markup {
    html! {
        @for (i, (loaded, report)) in runs.iter().enumerate() {
            @let parameters = html::parameters(&provenance::of(loaded));
            @if runs.len() == 1 { (parameters) }
            @else if i == 0 { h3 { (report.scenario) } (parameters) }
            @else { (html::details(&report.scenario, parameters)) }
        }
    }
}
