//! What happens over time in a run: its curves as charts.

use super::threshold_line;
use crate::html::{Axis, Chart, Mark, Point, Quantity, Reference, Series, Stage};
use crate::report::{Curve, RunReport, SeriesReport, text};
use crate::units::span;
use crate::verdict::STRAINED_ABOVE;
use maud::{Markup, html};

/// At most so many resources share a chart.
const RESOURCES: usize = 5;

/// The charts of a run.
pub(super) fn charts(report: &RunReport, series: &SeriesReport) -> Markup {
    let several = report.replications.len() > 1;
    html! {
        p { "Each point is the mean of " (span(series.bin.as_secs_f64()))
            @if several { " over " @if series.replications < report.replications.len() { "the first " } (series.replications) " runs; bands reach from the lowest to the highest of them." }
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
pub(super) fn points(report: &RunReport, series: &SeriesReport, curve: &Curve) -> Vec<Point> {
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
pub(super) fn stages(report: &RunReport) -> Vec<Stage> {
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
