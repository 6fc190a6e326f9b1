//! Reports as a web page: one file that an architect can send to a colleague.
//!
//! ```text
//!   one run       verdict and cards, design, over time, response times, services, windows, expected
//!   several       comparison first; then the same for each, a section a run
//!   both          parameters, how to reproduce
//! ```

use super::{Curve, Figure, RunReport, SeriesReport, text};
use crate::comparison::Comparison;
use crate::expect::Judgement;
use crate::html::{
    self, Axis, Card, Cell, Chart, Column, Dot, Dots, Graph, Load, Mark, Page, Point, Quantity, Reference, Row,
    Section, Series, Stage, callout, cards, section, table, verdict_banner,
};
use crate::load::Loaded;
use crate::provenance::{self, Parameter};
use crate::units::{mean_text, share, span};
use crate::verdict::{STRAINED_ABOVE, Verdict, busiest_of_service};
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
            sections.push(comparison(runs, comparisons));
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
        parts.push(Part { id: "time", title: "Over time", body: over_time(report, series) });
    }
    parts.push(Part { id: "requests", title: "Requests", body: requests(report) });
    parts.push(Part { id: "services", title: "Services", body: services(report) });
    if !report.windows.is_empty() {
        parts.push(Part { id: "windows", title: "Windows", body: windows(report) });
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

/// At most so many resources share a chart.
const RESOURCES: usize = 5;

fn over_time(report: &RunReport, series: &SeriesReport) -> Markup {
    let several = report.replications.len() > 1;
    html! {
        p { "Each point is the mean of " (span(series.bin.as_secs_f64()))
            @if several { " over " (report.replications.len()) " runs; bands reach from the lowest to the highest of them." }
            @else { " of one run." }
            @if report.warm_up.as_nanos() > 0 { " The warm-up is drawn, but counts in no figure." }
            @if !report.windows.is_empty() { " Windows are shaded, and named in the first chart." }
        }
        (requests_over_time(report, series))
        (in_flight(report, series))
        @if let Some(chart) = utilisation(report, series) { (unnamed(chart)) }
        (unnamed(response_time(report, series)))
        @if gaps(series, "metrics.response_mean_s") { p.note { "Where there is no line, nothing is served." } }
    }
}

/// A chart below another with the same stages, which names them.
fn unnamed(chart: Chart) -> Chart {
    let stages = chart.stages.into_iter().map(|stage| Stage { label: String::new(), ..stage }).collect();
    Chart { stages, ..chart }
}

fn in_flight(report: &RunReport, series: &SeriesReport) -> Chart {
    let axis = Axis::new("requests in flight", Quantity::Count);
    let shown = [("metrics.in_flight_mean".to_owned(), "in flight".to_owned())];
    unnamed(chart_of(report, series, "Requests in flight", axis, &shown))
}

fn requests_over_time(report: &RunReport, series: &SeriesReport) -> Chart {
    let path = |key: &str| format!("metrics.{key}");
    let mut shown = vec![
        (path("arrivals_per_s"), "fresh requests".to_owned()),
        (path("arrivals_served_per_s"), "of them served, sooner or later".to_owned()),
    ];
    if exceed(series, "metrics.attempts_per_s", "metrics.arrivals_per_s") {
        shown.push((path("attempts_per_s"), "attempts, repeats included".to_owned()));
    }
    let axis = Axis::new("per second", Quantity::PerSecond);
    chart_of(report, series, "What comes, and what is served", axis, &shown)
}

/// Whether a curve has bins without a value.
fn gaps(series: &SeriesReport, path: &str) -> bool {
    series.curve(path).is_some_and(|curve| curve.mean.iter().any(Option::is_none))
}

/// Whether a curve is anywhere clearly above another.
fn exceed(series: &SeriesReport, path: &str, other: &str) -> bool {
    let (Some(a), Some(b)) = (series.curve(path), series.curve(other)) else { return false };
    a.mean.iter().zip(&b.mean).any(|(a, b)| a.zip(*b).is_some_and(|(a, b)| a > 1.05 * b))
}

/// The busiest resources; `None` if none has a utilisation.
fn utilisation(report: &RunReport, series: &SeriesReport) -> Option<Chart> {
    let highest = |curve: &Curve| curve.mean.iter().flatten().copied().fold(0.0, f64::max);
    let resources = series.curves.iter().filter(|(_, curve)| curve.path.get(2).is_some_and(|s| s == "utilisation"));
    let mut busiest: Vec<(&String, &Curve)> = resources.collect();
    let all = busiest.len();
    // Stable, so that those equally busy stay in the order of the report.
    busiest.sort_by(|(_, a), (_, b)| highest(b).total_cmp(&highest(a)));
    busiest.truncate(RESOURCES);
    busiest.first()?;
    let most = busiest.iter().map(|(_, curve)| highest(curve)).fold(1.0, f64::max);
    let shown = busiest.iter().map(|(path, curve)| {
        let name = format!("{} of {}", text::resource(&curve.path[3]), curve.path[1]);
        ((*path).clone(), name)
    });
    let title = if all > RESOURCES { format!("The {RESOURCES} busiest resources") } else { "Resources".to_owned() };
    let axis = Axis::new("utilisation", Quantity::Share).within(0.0, most);
    let chart = chart_of(report, series, &title, axis, &shown.collect::<Vec<_>>());
    let references = vec![Reference { at: STRAINED_ABOVE, label: "80%: strained".to_owned() }];
    // Bands of several lines between 0% and 100% would hide each other.
    let without_bands = chart.series.into_iter().map(|series| Series {
        points: series.points.into_iter().map(|point| Point { interval: None, ..point }).collect(),
        ..series
    });
    Some(Chart { references, series: without_bands.collect(), ..chart })
}

fn response_time(report: &RunReport, series: &SeriesReport) -> Chart {
    let path = "metrics.response_mean_s";
    let values = || series.curve(path).into_iter().flat_map(|curve| curve.mean.iter().flatten().copied());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let axis = Axis::new("mean response time of those served", Quantity::Seconds);
    let axis = if high > 20.0 * low { axis.log() } else { axis };
    let chart = chart_of(report, series, "Response time", axis, &[(path.to_owned(), "response time".to_owned())]);
    let threshold = report.slo.threshold.get().as_secs_f64();
    let references = if high > 0.3 * threshold { vec![threshold_line(report)] } else { Vec::new() };
    Chart { references, ..chart }
}

fn threshold_line(report: &RunReport) -> Reference {
    let threshold = report.slo.threshold.get().as_secs_f64();
    Reference { at: threshold, label: format!("good: within {}", span(threshold)) }
}

/// A chart of curves, each by its place and its name for people.
fn chart_of(report: &RunReport, series: &SeriesReport, title: &str, y: Axis, shown: &[(String, String)]) -> Chart {
    let drawn = shown.iter().filter_map(|(path, name)| {
        let curve = series.curve(path)?;
        Some(Series { name: name.clone(), mark: Mark::Line, colour: None, points: points(report, series, curve) })
    });
    let drawn: Vec<Series> = drawn.collect();
    let range = |series: &Series| {
        let values = || series.points.iter().map(|point| point.y).filter(|y| y.is_finite());
        let text = |value: f64| y.quantity.text(value);
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        if low <= high { format!("{}: from {} to {}", series.name, text(low), text(high)) } else { series.name.clone() }
    };
    let alt = format!("{title} over time. {}.", drawn.iter().map(range).collect::<Vec<_>>().join("; "));
    Chart {
        title: title.to_owned(),
        alt,
        x: Axis::new("time since the start", Quantity::Clock).within(0.0, report.horizon.as_secs_f64()),
        y,
        series: drawn,
        references: Vec::new(),
        stages: stages(report),
        table: false,
    }
}

/// A point in the middle of each bin.
fn points(report: &RunReport, series: &SeriesReport, curve: &Curve) -> Vec<Point> {
    let several = report.replications.len() > 1;
    let point = |bin: usize| {
        let from = series.begin(bin).as_secs_f64();
        let to = series.begin(bin + 1).min(report.horizon).as_secs_f64();
        let interval = curve.low[bin].zip(curve.high[bin]).filter(|_| several);
        Point { x: (from + to) / 2.0, y: curve.mean[bin].unwrap_or(f64::NAN), interval }
    };
    (0..series.bins).map(point).collect()
}

/// The warm-up and the windows, as far as they do not overlap.
fn stages(report: &RunReport) -> Vec<Stage> {
    let warm_up = report.warm_up.as_secs_f64();
    let mut stages = Vec::new();
    if warm_up > 0.0 {
        stages.push(Stage { from: 0.0, to: warm_up, label: "warm-up".to_owned() });
    }
    let mut windows: Vec<_> = report.windows.iter().collect();
    windows.sort_by_key(|window| window.from);
    for window in windows {
        let (from, to) = (window.from.max(report.warm_up), window.to.min(report.horizon));
        let after = stages.last().map_or(0.0, |stage: &Stage| stage.to);
        if from < to && from.as_secs_f64() >= after {
            let label = window.name.clone();
            stages.push(Stage { from: from.as_secs_f64(), to: to.as_secs_f64(), label });
        }
    }
    stages
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
    let waits = text::pool_waits(report);
    html! {
        (plain_table("Services", &text::SERVICES, &hints, text::service_rows(report)))
        p.note { "Means, by attempts."
            @if !waits.is_empty() { " Waiting for a connection, mean: " (waits.join(", ")) "." }
        }
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

fn comparison(runs: &[(&Loaded, &RunReport)], comparisons: &[Comparison]) -> Section {
    let dots = |title: &str, axis: Axis, path: &dyn Fn(&RunReport) -> Option<String>, most: f64| {
        let rows = runs.iter().map(|(_, report)| {
            let place = path(report).unwrap_or_default();
            Dot { verdict: Some(report.verdict), ..dot(report, &report.scenario, &place, most) }
        });
        let rows: Vec<Dot> = rows.collect();
        let said = rows.iter().map(|row| {
            format!("{} {}", row.name, row.value.map_or_else(|| "none".to_owned(), |value| axis.quantity.text(value)))
        });
        let alt = format!("{title}: {}.", said.collect::<Vec<_>>().join(", "));
        Dots { title: title.to_owned(), alt, axis, bars: false, rows, references: Vec::new(), table: false }
    };
    let always = |path: &'static str| move |_: &RunReport| Some(path.to_owned());
    let binding = |report: &RunReport| {
        let binding = report.binding.as_ref()?;
        Some(format!("services.{}.utilisation.{}", binding.service, binding.resource))
    };
    let share = |label: &str| Axis::new(label, Quantity::Share);
    let lowest = runs.iter().filter_map(|(_, report)| report.mean("metrics.availability")).fold(1.0, f64::min);
    let available = if lowest < 0.9 { share("requests served").within(0.0, 1.0) } else { share("requests served") };
    let most = runs.iter().filter_map(|(_, report)| Some(report.binding.as_ref()?.utilisation)).fold(1.0, f64::max);
    let utilisation = share("utilisation").within(0.0, most);
    let mut busiest = dots("The busiest resource", utilisation, &binding, f64::INFINITY);
    for (dot, (_, report)) in busiest.rows.iter_mut().zip(runs) {
        if let Some(binding) = &report.binding {
            dot.note = format!("{} of {}", text::resource(&binding.resource), binding.service);
        }
    }
    let body = html! {
        @for (_, report) in runs {
            (verdict_banner(report.verdict, html! { p { b { (report.scenario) } @if let Some(title) = &report.title { ": " (title) } }
                p { (text::why(report)) " " (text::busiest(report)) } }))
        }
        (served_over_time(runs))
        (dots("Availability", available, &always("metrics.availability"), 1.0))
        (dots("99% of those served within", Axis::new("response time of those served", Quantity::Seconds), &always("metrics.response_p99_s"), f64::INFINITY))
        (busiest)
        @for comparison in comparisons { (compared(runs, comparison)) }
    };
    section("comparison", "The comparison", body)
}

/// What each of several runs serves, on the same arrivals.
fn served_over_time(runs: &[(&Loaded, &RunReport)]) -> Markup {
    let Some((_, first)) = runs.first() else { return Markup::default() };
    let curve = |report: &RunReport, key: &str| {
        let series = report.series.as_ref()?;
        let points = points(report, series, series.curve(&format!("metrics.{key}"))?);
        Some(points.into_iter().map(|point| Point { interval: None, ..point }).collect::<Vec<_>>())
    };
    let fresh = curve(first, "arrivals_per_s").map(|points| Series {
        name: "fresh requests".to_owned(),
        mark: Mark::Dashed,
        colour: Some(6),
        points,
    });
    let served = runs.iter().enumerate().filter_map(|(i, (_, report))| {
        let points = curve(report, "arrivals_served_per_s")?;
        // The seventh colour is that of the fresh requests.
        let colour = Some(if i < 6 { i } else { i + 1 });
        Some(Series { name: report.scenario.clone(), mark: Mark::Line, colour, points })
    });
    let series: Vec<Series> = fresh.into_iter().chain(served).collect();
    if series.len() < 2 {
        return Markup::default();
    }
    let longest = runs.iter().map(|(_, report)| report.horizon.as_secs_f64()).fold(0.0, f64::max);
    let chart = Chart {
        title: "Of the requests that come, those that are served".to_owned(),
        alt: "Requests served per second over time, for each scenario.".to_owned(),
        x: Axis::new("time since the start", Quantity::Clock).within(0.0, longest),
        y: Axis::new("per second", Quantity::PerSecond),
        series,
        references: Vec::new(),
        stages: stages(first),
        table: false,
    };
    html! { (chart) }
}

fn compared(runs: &[(&Loaded, &RunReport)], comparison: &Comparison) -> Markup {
    let Comparison { a, b, .. } = comparison;
    let header = ["", a.as_str(), b.as_str(), "difference", "", "saved"];
    let hints = ["", "", "", "mean ± 95% interval over the pairs", "", "share of the variance that pairing has saved"];
    // With one pair there is no interval, so that nothing is starred or saved.
    let columns = if comparison.pairs > 1 { header.len() } else { 4 };
    let (header, hints) = (&header[..columns], &hints[..columns]);
    let short = |mut rows: Vec<Vec<String>>| {
        rows.iter_mut().for_each(|row| row.truncate(columns));
        rows
    };
    let (requests, of_services) = text::difference_rows(comparison);
    let named = |name: &str| runs.iter().find(|(_, report)| report.scenario == name);
    html! {
        h3 { (b) " compared with " (a) }
        @if comparison.partial { (callout("Partial", html! { p { "One of the two runs did not go to its end." } })) }
        p { (text::on_what(comparison)) }
        @for warning in &comparison.warnings { (callout("Warning", html! { p { (warning) } })) }
        @if let (Some((first, _)), Some((second, _))) = (named(a), named(b)) { (changed(first, a, second, b)) }
        (plain_table("Differences of requests", header, hints, short(requests)))
        @if !of_services.is_empty() { (plain_table("Differences of services", header, hints, short(of_services))) }
    }
}

/// Designs that differ in more parameters than this are different designs, of which no list helps.
const CHANGES: usize = 40;

/// In which parameters two scenarios differ.
fn changed(first: &Loaded, a: &str, second: &Loaded, b: &str) -> Markup {
    let (before, after) = (provenance::of(first), provenance::of(second));
    let find =
        |all: &[Parameter], path: &crate::document::Path| all.iter().find(|p| p.path == *path).map(|p| p.text.clone());
    let all = before
        .iter()
        .map(|p| &p.path)
        .chain(after.iter().map(|p| &p.path).filter(|path| find(&before, path).is_none()));
    let differing = all.filter_map(|path| {
        let (x, y) = (find(&before, path), find(&after, path));
        (x != y).then_some((path, x, y))
    });
    let differing: Vec<_> = differing.collect();
    let rows = differing.iter().take(CHANGES).map(|(path, x, y)| {
        let text = |value: &Option<String>| Cell::from(value.as_deref().unwrap_or("–"));
        Row::cells([html! { code { (path) } }.into(), text(x), text(y)])
    });
    let rows: Vec<Row> = rows.collect();
    html! {
        @if rows.is_empty() { p { "They do not differ in any parameter." } }
        @else {
            (table("What differs between the scenarios", &[Column::text("what differs"), Column::text(a), Column::text(b)], &rows))
            @if differing.len() > CHANGES { p.note { "and " (differing.len() - CHANGES) " more." } }
        }
    }
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
