//! Draws a [`Chart`], and what stands around it.

use super::axis::{Ends, Scale};
use super::canvas::{Canvas, Ink, PIXEL, escaped, fitted, width};
use super::{Chart, Mark, Point, SERIES_MAX, Series, Stage};
use crate::html::parts::{Column, Row, details, table};
use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::{
    ChartBuilder, Circle, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _, PathElement, Polygon, Rectangle,
    ShapeStyle, TextStyle,
};
use plotters::style::{Color as _, IntoFont as _, TRANSPARENT};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use std::convert::Infallible;

/// Size of labels in pixels.
pub(super) const LABEL: i32 = 12;
/// Marks of a vertical axis: the same in every format, so that they have the same scale.
const MARKS_UP: usize = 5;
/// A table below a chart has at most so many rows.
const ROWS_MAX: usize = 120;
/// The values at the pointer are known at about so many places.
const STOPS_MAX: usize = 500;

/// What a drawing on a [`Canvas`] results in; it cannot fail but by our own mistake.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// A size in which charts are drawn.
#[derive(Clone, Copy)]
pub(super) struct Format {
    /// What the style knows it by.
    pub(super) class: &'static str,
    /// In pixels.
    pub(super) width: i32,
    height: i32,
    marks: usize,
}

/// For a desk and for a telephone.
pub(super) const FORMATS: [Format; 2] = [
    Format { class: "wide", width: 760, height: 330, marks: 8 },
    Format { class: "narrow", width: 360, height: 300, marks: 4 },
];

/// For several beside each other: the same on a desk and on a telephone.
const COMPACT: Format = Format { class: "compact", width: 264, height: 156, marks: 3 };

/// A chart beside others, which share its legend.
pub(super) fn small(chart: &Chart) -> Markup {
    let chart = &Chart { series: chart.series.iter().take(SERIES_MAX).cloned().collect(), ..chart.clone() };
    html! {
        figure.chart data-chart=(data(chart, COMPACT)) {
            figcaption { (chart.title) }
            div.plot tabindex="0" role="group" aria-label={ (chart.title) ": arrow keys read values" } {
                (PreEscaped(svg(chart, COMPACT)))
            }
        }
    }
}

/// Which series is drawn how.
pub(super) fn legend(chart: &Chart) -> Markup {
    html! {
        ul.legend { @for (i, series) in chart.series.iter().take(SERIES_MAX).enumerate() {
            li { (swatch(series, slot(series, i))) (series.name) }
        } }
    }
}

pub(super) fn figure(chart: &Chart) -> Markup {
    let left_out = chart.series.len().saturating_sub(SERIES_MAX);
    let chart = &Chart { series: chart.series.iter().take(SERIES_MAX).cloned().collect(), ..chart.clone() };
    let numbered = FORMATS.map(|format| Frame::new(chart, format).stages_are_numbered(chart));
    let any = chart.series.iter().any(|series| shown(chart, series).next().is_some());
    html! {
        figure.chart data-chart=(data(chart, FORMATS[0])) {
            figcaption { (chart.title) }
            div.plot tabindex="0" role="group" aria-label={ (chart.title) ": arrow keys read values" } {
                @for format in FORMATS { (PreEscaped(svg(chart, format))) }
            }
            @if !any { p.note { "There are no values to draw." } }
            @if chart.series.len() > 1 || chart.series.iter().any(|series| series.points.iter().any(|p| p.interval.is_some())) {
                (legend(chart))
            }
            @if numbered.contains(&true) {
                ol class={ "stages" @if !numbered[0] { " narrow" } } {
                    @for stage in &chart.stages { li { (stage.label) } }
                }
            }
            @if left_out > 0 { p.note { (left_out) " more are not drawn: a chart shows at most " (SERIES_MAX) "." } }
            @if chart.table { (numbers(chart)) }
        }
    }
}

/// The colour of a series.
fn slot(series: &Series, place: usize) -> usize {
    series.colour.unwrap_or(place) % SERIES_MAX
}

fn shown<'a>(chart: &'a Chart, series: &'a Series) -> impl Iterator<Item = &'a Point> {
    series.points.iter().filter(|point| chart.x.shows(point.x) && chart.y.shows(point.y))
}

fn swatch(series: &Series, slot: usize) -> Markup {
    let dashed = if series.mark == Mark::Dashed { " dashed" } else { "" };
    html! {
        svg.swatch viewBox="0 0 22 10" aria-hidden="true" {
            @if series.mark == Mark::Points { circle class={ "dot s" (slot) } cx="11" cy="5" r="4" {} }
            @else { path class={ "line s" (slot) (dashed) } d="M1 5H21" {} }
        }
    }
}

/// The picture in one format.
fn svg(chart: &Chart, format: Format) -> String {
    let mut out = String::new();
    let frame = Frame::new(chart, format);
    frame.draw(chart, &mut out).expect("a text takes whatever is drawn");
    let (left, top, right, bottom) = frame.plot();
    format!(
        "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{alt}\" \
         data-plot=\"{left} {top} {right} {bottom}\"><title>{alt}</title>{out}</svg>",
        format.class,
        format.width,
        format.height,
        alt = escaped(&chart.alt),
    )
}

/// Scales, and the room around what is drawn.
struct Frame {
    format: Format,
    x: Scale,
    y: Scale,
    left: i32,
    top: i32,
    bottom: i32,
}

impl Frame {
    const RIGHT: i32 = 16;

    fn new(chart: &Chart, format: Format) -> Self {
        let points = || chart.series.iter().flat_map(|series| shown(chart, series));
        let stages = chart.stages.iter().flat_map(|stage| [stage.from, stage.to]);
        let x = chart.x.scale(points().map(|point| point.x).chain(stages), Ends::Values, format.marks);
        let intervals = points().filter_map(|point| point.interval).flat_map(|(low, high)| [low, high]);
        let references = chart.references.iter().map(|reference| reference.at);
        let values = points().map(|point| point.y).chain(intervals).chain(references);
        let y = chart.y.scale(values, Ends::Zero, MARKS_UP);
        let widest = y.marks.iter().map(|&mark| width(&y.mark(mark))).fold(1.0, f64::max);
        let left = (widest * f64::from(LABEL)).ceil() as i32 + 12;
        let top = if chart.y.label.is_empty() { 8 } else { 28 } + if chart.stages.is_empty() { 0 } else { 20 };
        let bottom = if chart.x.label.is_empty() { 24 } else { 42 };
        Self { format, x, y, left, top, bottom }
    }

    /// Left, top, right and bottom of the values, in pixels.
    const fn plot(&self) -> (i32, i32, i32, i32) {
        (self.left, self.top, self.format.width - Self::RIGHT, self.format.height - self.bottom)
    }

    /// Where stages stand on the canvas, in pixels, and how much room their labels have, in letters' sizes.
    fn stages<'a>(&'a self, chart: &'a Chart) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        let (left, _, right, _) = self.plot();
        chart.stages.iter().map(move |stage| {
            let at = |x: f64| f64::from(left) + self.x.share(x).clamp(0.0, 1.0) * f64::from(right - left);
            let (from, to) = if stage.from.is_finite() && stage.to.is_finite() {
                (at(stage.from), at(stage.to))
            } else {
                (0.0, 0.0)
            };
            (from, to, (to - from - 10.0) / f64::from(LABEL))
        })
    }

    /// Whether there is too little room for the names of the stages that have one.
    fn stages_are_numbered(&self, chart: &Chart) -> bool {
        self.stages(chart)
            .zip(&chart.stages)
            .any(|((_, _, room), stage)| !stage.label.is_empty() && width(&stage.label) > room)
    }

    fn draw(&self, chart: &Chart, out: &mut String) -> Drawn {
        let size = (self.format.width as u32, self.format.height as u32);
        let root = Canvas { size, out }.into_drawing_area();
        let (left, top, right, bottom) = self.plot();

        let numbered = self.stages_are_numbered(chart);
        let shaded = shaded(&chart.stages);
        for (i, ((from, to, room), stage)) in self.stages(chart).zip(&chart.stages).enumerate() {
            let (from, to) = ((from * f64::from(PIXEL)) as i32, (to * f64::from(PIXEL)) as i32);
            if shaded[i] && to > from {
                root.draw(&Rectangle::new(
                    [(from, (top - 20) * PIXEL), (to, bottom * PIXEL)],
                    ink(Ink::Stage).filled(),
                ))?;
            }
            let label = if numbered { (i + 1).to_string() } else { fitted(&stage.label, room) };
            if to > from {
                text(&root, &label, Ink::Strong, (from + 5 * PIXEL, (top - 10) * PIXEL), (HPos::Left, VPos::Center))?;
            }
        }

        let mut context = ChartBuilder::on(&root)
            .margin_top(top * PIXEL)
            .margin_right(Self::RIGHT * PIXEL)
            .x_label_area_size(self.bottom * PIXEL)
            .y_label_area_size(left * PIXEL)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        context
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(ink(Ink::Grid))
            .axis_style(TRANSPARENT)
            .label_style(style(Ink::Label))
            .set_all_tick_mark_size(4 * PIXEL)
            .draw()?;
        let axis = |line: [(i32, i32); 2]| root.draw(&PathElement::new(line, ink(Ink::Axis)));
        axis([(left * PIXEL, bottom * PIXEL), (right * PIXEL, bottom * PIXEL)])?;
        for &mark in &self.x.marks {
            let x = left * PIXEL + (self.x.share(mark) * f64::from((right - left) * PIXEL)).round() as i32;
            axis([(x, bottom * PIXEL), (x, (bottom + 5) * PIXEL)])?;
        }
        text(&root, &chart.y.label, Ink::Label, (0, 2 * PIXEL), (HPos::Left, VPos::Top))?;
        let under = (self.format.height - 4) * PIXEL;
        text(&root, &chart.x.label, Ink::Label, (right * PIXEL, under), (HPos::Right, VPos::Bottom))?;

        let area = context.plotting_area();
        let at = |x: f64, y: f64| context.backend_coord(&(x, y));
        let clip = |ink: Ink| {
            let corners = [((left - 5) * PIXEL, (top - 5) * PIXEL), ((right + 5) * PIXEL, (bottom + 5) * PIXEL)];
            root.draw(&Rectangle::new(corners, self::ink(ink).filled()))
        };
        clip(Ink::Clip)?;
        let references = || chart.references.iter().filter(|reference| chart.y.shows(reference.at));
        for reference in references() {
            let (_, y) = at(0.0, reference.at);
            root.draw(&PathElement::new([(left * PIXEL, y), (right * PIXEL, y)], ink(Ink::Reference)))?;
        }
        for (i, series) in chart.series.iter().enumerate().filter(|(_, series)| series.mark != Mark::Points) {
            for run in runs(chart, series) {
                let bands = run.split(|point| !known(point)).filter(|band| band.len() > 1);
                for band in bands {
                    let edge = |point: &Point| point.interval.unwrap_or_default();
                    let lows = band.iter().map(|point| (point.x, edge(point).0));
                    let highs = band.iter().rev().map(|point| (point.x, edge(point).1));
                    let around = lows.chain(highs).collect::<Vec<_>>();
                    area.draw(&Polygon::new(around, ink(Ink::Band(slot(series, i))).filled()))?;
                }
            }
        }
        for (i, series) in chart.series.iter().enumerate() {
            let slot = slot(series, i);
            let line = if series.mark == Mark::Dashed { Ink::Dashed(slot) } else { Ink::Series(slot) };
            for run in runs(chart, series) {
                if series.mark != Mark::Points && run.len() > 1 {
                    let places = run.iter().map(|point| (point.x, point.y));
                    area.draw(&PathElement::new(places.collect::<Vec<_>>(), ink(line)))?;
                    continue;
                }
                for point in run {
                    if let (true, Some((low, high))) = (known(point), point.interval) {
                        let ((x, low), (_, high)) = (at(point.x, low), at(point.x, high));
                        for bar in [[(x, low), (x, high)], cap(x, low), cap(x, high)] {
                            root.draw(&PathElement::new(bar, ink(Ink::Series(slot))))?;
                        }
                    }
                    root.draw(&Circle::new(at(point.x, point.y), 4 * PIXEL, ink(Ink::Series(slot)).filled()))?;
                }
            }
        }
        clip(Ink::Unclip)?;
        for reference in references().filter(|reference| (0.0..=1.0).contains(&self.y.share(reference.at))) {
            let (_, y) = at(0.0, reference.at);
            let place = ((right - 2) * PIXEL, y - 4 * PIXEL);
            text(&root, &reference.label, Ink::Reference, place, (HPos::Right, VPos::Bottom))?;
        }
        root.present()
    }
}

/// Which stages are shaded: neighbours take turns, and one that has none is.
fn shaded(stages: &[Stage]) -> Vec<bool> {
    let mut shaded: Vec<bool> = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        let adjoins = i > 0 && stage.from <= stages[i - 1].to;
        shaded.push(!(adjoins && shaded[i - 1]));
    }
    shaded
}

/// The end of an error bar.
fn cap(x: i32, y: i32) -> [(i32, i32); 2] {
    [(x - 4 * PIXEL, y), (x + 4 * PIXEL, y)]
}

/// Whether a point has an interval that can be drawn.
fn known(point: &Point) -> bool {
    point.interval.is_some_and(|(low, high)| low.is_finite() && high.is_finite())
}

/// The stretches without gaps.
fn runs<'a>(chart: &'a Chart, series: &'a Series) -> impl Iterator<Item = &'a [Point]> {
    let gap = |point: &Point| !(chart.x.shows(point.x) && chart.y.shows(point.y));
    series.points.split(gap).filter(|run| !run.is_empty())
}

/// An ink as plotters takes it.
pub(super) fn ink(ink: Ink) -> ShapeStyle {
    ink.colour().stroke_width(PIXEL as u32)
}

fn style(ink: Ink) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", LABEL * PIXEL).into_font());
    TextStyle { color: ink.colour().to_backend_color(), ..style }
}

/// Writes a text at a place of the canvas.
pub(super) fn text(
    root: &DrawingArea<Canvas<'_>, Shift>,
    text: &str,
    ink: Ink,
    at: (i32, i32),
    anchor: (HPos, VPos),
) -> Drawn {
    root.draw_text(text, &style(ink).pos(Pos::new(anchor.0, anchor.1)), at)
}

/// All x at which a series has a value, from left to right.
fn stops(chart: &Chart) -> Vec<f64> {
    let points = chart.series.iter().flat_map(|series| shown(chart, series));
    let mut stops = points.map(|point| point.x).collect::<Vec<_>>();
    stops.sort_by(f64::total_cmp);
    stops.dedup();
    stops
}

/// The values of a series at places that are in order.
fn values<'a>(chart: &'a Chart, series: &'a Series, stops: &[f64]) -> Vec<Option<&'a Point>> {
    let mut points = shown(chart, series).collect::<Vec<_>>();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let find = |x: &f64| points.binary_search_by(|point| point.x.total_cmp(x)).ok().map(|i| points[i]);
    stops.iter().map(find).collect()
}

fn value(chart: &Chart, point: &Point) -> String {
    let text = chart.y.quantity.text(point.y);
    match point.interval.filter(|_| known(point)) {
        Some((low, high)) => format!("{text} ({} to {})", chart.y.quantity.text(low), chart.y.quantity.text(high)),
        None => text,
    }
}

/// What the script of the page shows at the pointer.
fn data(chart: &Chart, format: Format) -> String {
    let frame = Frame::new(chart, format);
    let all = stops(chart);
    let stops = all.iter().copied().step_by(all.len().div_ceil(STOPS_MAX).max(1)).collect::<Vec<_>>();
    let short = |share: f64| (share * 1e4).round() / 1e4;
    let series = chart.series.iter().enumerate().map(|(i, series)| {
        let values = values(chart, series, &stops);
        let places = values.iter().map(|point| point.map(|point| short(1.0 - frame.y.share(point.y))));
        let texts = values.iter().map(|point| point.map(|point| value(chart, point)));
        serde_json::json!({
            "name": series.name,
            "class": format!("s{}", slot(series, i)),
            "y": places.collect::<Vec<_>>(),
            "text": texts.collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "x": stops.iter().map(|&x| short(frame.x.share(x))).collect::<Vec<_>>(),
        "at": stops.iter().map(|&x| chart.x.quantity.text(x)).collect::<Vec<_>>(),
        "series": series.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The values as a table, if they are few.
fn numbers(chart: &Chart) -> Markup {
    let stops = stops(chart);
    if stops.is_empty() || stops.len() > ROWS_MAX {
        return Markup::default();
    }
    let mut columns = vec![Column::text(&chart.x.label)];
    columns.extend(chart.series.iter().map(|series| Column::number(&series.name)));
    let all = chart.series.iter().map(|series| values(chart, series, &stops)).collect::<Vec<_>>();
    let row = |i: usize| {
        let values = all.iter().map(|values| values[i].map_or_else(|| "–".into(), |point| value(chart, point).into()));
        Row::Cells([chart.x.quantity.text(stops[i]).into()].into_iter().chain(values).collect())
    };
    let rows = (0..stops.len()).map(row).collect::<Vec<_>>();
    details("The numbers", table(&chart.title, &columns, &rows))
}
