//! Charts over categories: a row each, with its value as a dot or a bar, and its interval.

use super::Reference;
use super::axis::{Axis, Ends};
use super::canvas::{Canvas, Ink, PIXEL, escaped, fitted, width};
use super::lines::{Drawn, FORMATS, Format, LABEL, ink, text};
use crate::html::parts::{Cell, Column, Row, details, table};
use crate::verdict::Verdict;
use maud::{Markup, PreEscaped, Render, html};
use plotters::prelude::{Circle, IntoDrawingArea as _, PathElement, Rectangle};
use plotters_backend::text_anchor::{HPos, VPos};

/// How much wider bold letters are.
const BOLD: f64 = 1.1;

/// A chart over categories.
#[derive(Clone, Debug)]
pub(crate) struct Dots {
    /// What it shows, above the chart.
    pub(crate) title: String,
    /// One sentence for those who do not see it: what there is to be seen.
    pub(crate) alt: String,
    /// The axis of the values.
    pub(crate) axis: Axis,
    /// Bars from 0 instead of dots.
    pub(crate) bars: bool,
    /// The categories, from top to bottom.
    pub(crate) rows: Vec<Dot>,
    /// Values that mean something.
    pub(crate) references: Vec<Reference>,
    /// Whether the numbers stand below, folded away.
    pub(crate) table: bool,
}

/// A category.
#[derive(Clone, Debug)]
pub(crate) struct Dot {
    /// Its name.
    pub(crate) name: String,
    /// Its value, if it has one.
    pub(crate) value: Option<f64>,
    /// From and to.
    pub(crate) interval: Option<(f64, f64)>,
    /// Gives it its colour; the value is named by it too.
    pub(crate) verdict: Option<Verdict>,
    /// A few words below its name; may be empty.
    pub(crate) note: String,
}

impl Render for Dots {
    fn render(&self) -> Markup {
        html! {
            figure.chart {
                figcaption { (self.title) }
                div.plot { @for format in FORMATS { (PreEscaped(self.svg(format))) } }
                @if self.table && !self.rows.is_empty() { (self.numbers()) }
            }
        }
    }
}

impl Dots {
    fn svg(&self, format: Format) -> String {
        let mut out = String::new();
        let height = self.draw(format, &mut out);
        format!(
            "<svg class=\"{}\" viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"{alt}\"><title>{alt}</title>{out}</svg>",
            format.class,
            format.width,
            alt = escaped(&self.alt),
        )
    }

    fn shown(&self, dot: &Dot) -> Option<f64> {
        dot.value.filter(|&value| self.axis.shows(value))
    }

    fn interval(&self, dot: &Dot) -> Option<(f64, f64)> {
        dot.interval.filter(|(low, high)| low.is_finite() && high.is_finite() && self.shown(dot).is_some())
    }

    fn value(&self, dot: &Dot) -> String {
        self.shown(dot).map_or_else(|| "–".to_owned(), |value| self.axis.quantity.text(value))
    }

    /// Draws, and says how high that is in pixels.
    fn draw(&self, format: Format, out: &mut String) -> i32 {
        let narrow = format.class == "narrow";
        let letters = |room: i32| f64::from(room) / f64::from(LABEL) / BOLD;
        let widest =
            |texts: &mut dyn Iterator<Item = f64>| (texts.fold(0.0, f64::max) * BOLD * f64::from(LABEL)) as i32;
        let names = widest(&mut self.rows.iter().map(|dot| width(&dot.name).max(width(&dot.note)))) + 16;
        let values = widest(&mut self.rows.iter().map(|dot| width(&self.value(dot)))) + 12;
        let row = |dot: &Dot| match (narrow, dot.note.is_empty()) {
            (true, false) => 56,
            (true, true) | (false, false) => 42,
            (false, true) => 30,
        };
        // On a telephone names stand above their values.
        let left = if narrow { 16 } else { names.clamp(60, 260) };
        let right = format.width - values.clamp(30, 120);
        let top = if self.references.is_empty() { 6 } else { 24 };
        let bottom = top + self.rows.iter().map(row).sum::<i32>();
        let height = bottom + 42;
        let all = self.rows.iter().filter_map(|dot| self.shown(dot));
        let edges = self.rows.iter().filter_map(|dot| self.interval(dot)).flat_map(|(low, high)| [low, high]);
        let references = self.references.iter().map(|reference| reference.at);
        let marks = if narrow { 4 } else { 6 };
        let ends = if self.bars { Ends::Zero } else { Ends::Marks };
        let scale = self.axis.scale(all.chain(edges).chain(references), ends, marks);
        let at = |value: f64| {
            let place = f64::from(left) + scale.share(value).clamp(0.0, 1.0) * f64::from(right - left);
            (place * f64::from(PIXEL)).round() as i32
        };
        let mut draw = || -> Drawn {
            let root = Canvas { size: (format.width as u32, height as u32), out: &mut *out }.into_drawing_area();
            for &mark in &scale.marks {
                let line = [(at(mark), top * PIXEL), (at(mark), bottom * PIXEL)];
                root.draw(&PathElement::new(line, ink(Ink::Grid)))?;
                let place = (at(mark), (bottom + 7) * PIXEL);
                text(&root, &scale.mark(mark), Ink::Label, place, (HPos::Center, VPos::Top))?;
            }
            let under = (right * PIXEL, (height - 4) * PIXEL);
            text(&root, &self.axis.label, Ink::Label, under, (HPos::Right, VPos::Bottom))?;
            for reference in self.references.iter().filter(|reference| self.axis.shows(reference.at)) {
                let x = at(reference.at);
                root.draw(&PathElement::new([(x, top * PIXEL), (x, bottom * PIXEL)], ink(Ink::Reference)))?;
                let anchor = if scale.share(reference.at) > 0.6 { HPos::Right } else { HPos::Left };
                text(&root, &reference.label, Ink::Reference, (x, (top - 6) * PIXEL), (anchor, VPos::Bottom))?;
            }
            let mut below = top;
            for dot in &self.rows {
                let above = below;
                below += row(dot);
                let (name, note, line) = match (narrow, dot.note.is_empty()) {
                    (true, false) => (above + 12, above + 27, above + 44),
                    (true, true) => (above + 12, above, above + 29),
                    (false, false) => (above + 14, above + 29, above + 21),
                    (false, true) => (above + 15, above, above + 15),
                };
                let rule = [(left * PIXEL, line * PIXEL), (right * PIXEL, line * PIXEL)];
                root.draw(&PathElement::new(rule, ink(Ink::Grid)))?;
                let room = letters(if narrow { format.width - 8 } else { left - 12 });
                let x = if narrow { 0 } else { left - 12 } * PIXEL;
                let anchor = if narrow { HPos::Left } else { HPos::Right };
                text(&root, &fitted(&dot.name, room), Ink::Strong, (x, name * PIXEL), (anchor, VPos::Center))?;
                if !dot.note.is_empty() {
                    text(&root, &fitted(&dot.note, room), Ink::Label, (x, note * PIXEL), (anchor, VPos::Center))?;
                }
                let place = ((right + 10) * PIXEL, line * PIXEL);
                text(&root, &self.value(dot), Ink::Strong, place, (HPos::Left, VPos::Center))?;
                let Some(value) = self.shown(dot) else { continue };
                let colour = dot.verdict.map_or(Ink::Series(0), Ink::Verdict);
                let y = line * PIXEL;
                if self.bars {
                    let zero = at(0.0);
                    let (from, to) = (zero.min(at(value)), zero.max(at(value)));
                    root.draw(&Rectangle::new([(from, y - 6 * PIXEL), (to, y + 6 * PIXEL)], ink(colour).filled()))?;
                }
                if let Some((low, high)) = self.interval(dot) {
                    let bar = if self.bars { Ink::Strong } else { colour };
                    let cap = |x: i32| [(x, y - 4 * PIXEL), (x, y + 4 * PIXEL)];
                    for line in [[(at(low), y), (at(high), y)], cap(at(low)), cap(at(high))] {
                        root.draw(&PathElement::new(line, ink(bar)))?;
                    }
                }
                if !self.bars {
                    root.draw(&Circle::new((at(value), y), 5 * PIXEL, ink(colour).filled()))?;
                }
            }
            root.present()
        };
        draw().expect("a text takes whatever is drawn");
        height
    }

    fn numbers(&self) -> Markup {
        let columns = [
            Column::text("of"),
            Column::number(&self.axis.label),
            Column::number("95% interval"),
            Column::text("verdict"),
        ];
        let row = |dot: &Dot| {
            let text = |value| self.axis.quantity.text(value);
            let interval =
                self.interval(dot).map_or_else(|| "–".to_owned(), |(a, b)| format!("{} to {}", text(a), text(b)));
            let verdict = dot.verdict.map_or_else(|| Cell::from("–"), Cell::from);
            Row::cells([dot.name.as_str().into(), self.value(dot).into(), interval.into(), verdict])
        };
        let rows = self.rows.iter().map(row).collect::<Vec<_>>();
        details("The numbers", table(&self.title, &columns, &rows))
    }
}
