//! How several runs compare: what they serve on the same arrivals, their differences, and in which
//! parameters the scenarios differ.

use super::over_time::{points, stages};
use super::{dot, plain_table};
use crate::comparison::Comparison;
use crate::document::Path;
use crate::html::{
    self, Axis, Cell, Chart, Column, Dot, Dots, Mark, Point, Quantity, Row, Section, Series, callout, table,
    verdict_banner,
};
use crate::load::Loaded;
use crate::provenance::{self, Parameter};
use crate::report::{RunReport, text};
use maud::{Markup, html};

/// The comparison of several runs, each with the first.
pub(super) fn section(runs: &[(&Loaded, &RunReport)], comparisons: &[Comparison]) -> Section {
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
    html::section("comparison", "The comparison", body)
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
    let find = |all: &[Parameter], path: &Path| all.iter().find(|p| p.path == *path).map(|p| p.text.clone());
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
