//! Charts as SVG: lines, points and bands over an axis. [`dots`] has the ones over categories.
//!
//! plotters has the scales, the mesh and the shapes; [`canvas`] writes what it draws. Each chart is drawn twice, wide
//! and narrow, and the style shows the one that fits, so that text keeps its size on a telephone.

pub(crate) mod axis;
pub(crate) mod canvas;
pub(crate) mod dots;
mod lines;

use axis::Axis;
use maud::{Markup, Render, html};

/// Most series of a chart: so many colours can be told apart.
pub(crate) const SERIES_MAX: usize = 8;

/// Lines and points over x.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// What it shows, above the chart.
    pub(crate) title: String,
    /// One sentence for those who do not see it: what there is to be seen.
    pub(crate) alt: String,
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The vertical axis.
    pub(crate) y: Axis,
    /// At most [`SERIES_MAX`]; more are left out, and the chart says so.
    pub(crate) series: Vec<Series>,
    /// Horizontal lines with a label.
    pub(crate) references: Vec<Reference>,
    /// Stretches of x with a label on top, from left to right.
    pub(crate) stages: Vec<Stage>,
    /// Whether the numbers stand below, folded away.
    pub(crate) table: bool,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A line; intervals make a band.
    Line,
    /// A dashed line; intervals make a band.
    Dashed,
    /// Points; intervals make error bars.
    Points,
}

/// Values over x.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Its name in the legend.
    pub(crate) name: String,
    /// How it is drawn.
    pub(crate) mark: Mark,
    /// Its colour, 0 to 7; otherwise by its place in the chart.
    pub(crate) colour: Option<usize>,
    /// From left to right; a y that is not a number is a gap.
    pub(crate) points: Vec<Point>,
}

/// A value, with its interval if it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Where.
    pub(crate) x: f64,
    /// The value.
    pub(crate) y: f64,
    /// From and to.
    pub(crate) interval: Option<(f64, f64)>,
}

impl Point {
    /// A value without an interval.
    pub(crate) const fn new(x: f64, y: f64) -> Self {
        Self { x, y, interval: None }
    }
}

/// A horizontal line.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// Where.
    pub(crate) at: f64,
    /// What it means.
    pub(crate) label: String,
}

/// A stretch of x.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Where it begins.
    pub(crate) from: f64,
    /// Where it ends.
    pub(crate) to: f64,
    /// What it is.
    pub(crate) label: String,
}

impl Render for Chart {
    fn render(&self) -> Markup {
        lines::figure(self)
    }
}

/// Small charts beside each other, drawn alike: one legend says what the series of all are.
#[derive(Clone, Debug)]
pub(crate) struct Multiples(pub(crate) Vec<Chart>);

impl Render for Multiples {
    fn render(&self) -> Markup {
        html! {
            @if let Some(first) = self.0.first() { (lines::legend(first)) }
            div.multiples { @for chart in &self.0 { (lines::small(chart)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::axis::Quantity;
    use super::*;

    fn drawn(axis: Axis, mark: Mark, points: &[(f64, f64)]) -> String {
        let points = points.iter().map(|&(x, y)| Point { x, y, interval: Some((y - 1.0, y + 1.0)) }).collect();
        let series = vec![Series { name: "a".into(), mark, colour: None, points }];
        let stages = vec![Stage { from: f64::NAN, to: 1.0, label: "never".into() }];
        let references = vec![Reference { at: f64::INFINITY, label: "nowhere".into() }];
        let x = Axis::new("x", Quantity::Count);
        Chart { title: "t".into(), alt: "a".into(), x, y: axis, series, references, stages, table: true }
            .render()
            .into_string()
    }

    #[test]
    fn any_values_make_a_chart() {
        let cases: [&[(f64, f64)]; 8] = [
            &[],
            &[(1.0, 1.0)],
            &[(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)],
            &[(0.0, 7.0), (1.0, 7.0)],
            &[(0.0, f64::NAN), (1.0, f64::INFINITY), (2.0, f64::NEG_INFINITY)],
            &[(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)],
            &[(f64::NAN, 1.0), (1.0, 1e308), (2.0, -1e308)],
            &[(2.0, 0.0), (1.0, 10.0), (3.0, -4.0), (2.0, 5.0)],
        ];
        for points in cases {
            for mark in [Mark::Line, Mark::Dashed, Mark::Points] {
                for axis in [Axis::new("y", Quantity::Share), Axis::new("y", Quantity::Seconds).log()] {
                    let chart = drawn(axis, mark, points);
                    assert_eq!(chart.matches("<svg").count(), chart.matches("</svg>").count());
                    assert!(!chart.contains("NaN") && !chart.contains("inf"), "{points:?}: {chart}");
                }
            }
        }
    }

    #[test]
    fn a_gap_parts_a_line_and_nothing_is_drawn_below_a_logarithm() {
        let lines = |axis: Axis, points: &[(f64, f64)]| {
            drawn(axis, Mark::Line, points).matches("path class=\"line s0\" d=\"M").count()
        };
        // Each chart is drawn twice, and its legend has a line.
        let linear = || Axis::new("y", Quantity::Count);
        assert_eq!(lines(linear(), &[(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 1.0)]), 2 * 2 + 1);
        assert_eq!(lines(linear(), &[(0.0, 1.0), (1.0, 0.0), (2.0, 1.0)]), 2 + 1);
        assert_eq!(lines(linear().log(), &[(0.0, 1.0), (1.0, 2.0), (2.0, 0.0), (3.0, 1.0), (4.0, 9.0)]), 2 * 2 + 1);
    }

    #[test]
    fn a_ninth_series_is_left_out_and_that_is_said() {
        let series = |i: usize| Series {
            name: format!("n{i}"),
            mark: Mark::Line,
            colour: None,
            points: vec![Point::new(0.0, 1.0)],
        };
        let axis = || Axis::new("", Quantity::Count);
        let chart = Chart {
            title: String::new(),
            alt: String::new(),
            x: axis(),
            y: axis(),
            series: (0..9).map(series).collect(),
            references: vec![],
            stages: vec![],
            table: false,
        };
        let text = chart.render().into_string();
        assert!(text.contains("n7") && !text.contains("n8") && text.contains("1 more"));
    }
}
