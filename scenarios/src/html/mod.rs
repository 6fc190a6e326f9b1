//! Reports as web pages: one file that carries its style, its charts and its script, and loads nothing.
//!
//! ```text
//!  Page { sections } --page::render--> String         the document: policy, contents, header, footer
//!     ^         ^
//!   parts     chart, graph                            tables, cards, badges; pictures as SVG
//! ```
//!
//! Text is escaped where it is written: by maud in markup, by [`chart::canvas`] and [`graph::svg`] in pictures.
//! Nothing here carries a `style` attribute or a colour: pictures name classes, and `style.css` gives them the
//! colours of the reader's theme.

pub(crate) mod chart;
pub(crate) mod graph;
pub(crate) mod page;
mod parameters;
pub(crate) mod parts;
mod reproduce;

pub(crate) use chart::axis::{Axis, Quantity};
pub(crate) use chart::{Chart, Mark, Multiples, Point, Reference, Series, Stage, dots::Dot, dots::Dots};
pub(crate) use graph::svg::{Graph, Load};
pub(crate) use page::{MARKER, Page, Section, section};
pub(crate) use parameters::parameters;
pub(crate) use parts::{Card, Cell, Column, Row, callout, cards, details, table, verdict_banner};
pub(crate) use reproduce::{reproduce, scenario_file};
