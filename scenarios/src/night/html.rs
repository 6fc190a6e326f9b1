//! The night as a web page, and as the sections that the story's page takes over.

use super::{APP, Ending, Played, Report, WINDOWS, base, text::short};
use crate::html::{
    self, Axis, Cell, Chart, Column, Dot, Dots, Mark, Multiples, Page, Point, Quantity, Section, Series, Stage,
    callout, details, section, table,
};
use crate::provenance;
use crate::units::brief;
use crate::verdict::Verdict;
use maud::{Markup, html};
use models::workload::{Arrivals, Rate};
use sim_core::stats::{Estimate, wilson};

/// Minutes that the windows of the table cover, in the order of [`WINDOWS`].
const MINUTES: [&str; WINDOWS.len()] = ["5 to 30", "33 to 40", "41 to 50", "75 to 87", "110 to 128"];

impl Report {
    /// The night as a web page.
    pub fn html(&self) -> String {
        let mut sections = self.sections();
        let command = if self.is_full() { "outgrow night --full" } else { "outgrow night" };
        let commands = [format!("{command} --seed {}", self.seed)];
        let text = base().map(|loaded| loaded.document.text().to_owned()).unwrap_or_default();
        let file = Some(("world-cup-night.ron", text.as_str()));
        sections.push(section("reproduce", "How to get the same", html::reproduce(&commands, self.seed, file)));
        let footer = html! {
            p { "Outgrow " (env!("CARGO_PKG_VERSION")) ", seed " (self.seed) ". Equal seed and version give equal figures. "
                (self.events() / 1_000_000) " million events." }
        };
        let lead = html! {
            p { "One evening on a load-balanced cluster, 450 requests a second and three goals, played under "
                (self.rows.len()) " configurations. Which of them survives, and what does a remedy cost?" }
        };
        Page { title: "The World Cup night".to_owned(), lead, sections, footer }.render()
    }

    /// The sections of the page, but for how to reproduce it.
    pub(crate) fn sections(&self) -> Vec<Section> {
        let mut sections = vec![
            section("night", "The night, and every remedy", self.table()),
            section("night-evenings", "The first night of each", self.evenings()),
        ];
        if self.is_full() {
            sections.push(section("night-guesses", "What hangs on guesses", self.guesses()));
        }
        sections.push(section("night-parameters", "The night's numbers, and where they come from", self.parameters()));
        sections
    }

    fn is_full(&self) -> bool {
        !self.kappas.is_empty() || !self.separate.is_empty()
    }

    fn table(&self) -> Markup {
        html! {
            @if self.partial { (partial()) }
            p { "The load-balanced cluster meets a football match: 450 requests a second in an ordinary minute, and at each goal "
                "everybody asks at once. No night is scripted: goals only raise the rate of arrivals." }
            (dots(&self.rows))
            h3 { "What happened" }
            ul { @for sentence in self.words() { li { (with_code(&sentence)) } } }
            h3 { "By the minutes in which requests came" }
            p { "Shares of requests served in the end. Collapsed: of those that came in minutes 110 to 128 less than half was served." }
            (figures("The night under every configuration", &self.rows))
        }
    }

    /// Small charts of the first nights, all on the same axes.
    fn evenings(&self) -> Markup {
        let goals = goals();
        let first = |played: &Played| played.nights.first().and_then(|night| night.series.clone());
        let drawn = self.rows.iter().filter_map(|played| Some((played, first(played)?)));
        let curves = drawn.map(|(played, series)| {
            let width_s = series.width().as_secs_f64();
            let rate = |count: &dyn Fn(usize) -> u64| {
                let point = |bin: usize| {
                    let span_s = series.span(bin).as_secs_f64();
                    Point::new((bin as f64 + 0.5) * width_s, count(bin) as f64 / span_s)
                };
                (0..series.bins()).map(point).collect::<Vec<_>>()
            };
            let fresh = rate(&|bin| series.requests(bin).arrived);
            let served = rate(&|bin| series.requests(bin).arrived_and_served);
            (played, fresh, served)
        });
        let curves: Vec<_> = curves.collect();
        let rates = curves.iter().flat_map(|(_, fresh, _)| fresh.iter().map(|point| point.y));
        let most = rates.filter(|rate| rate.is_finite()).fold(1.0, f64::max);
        let most = (most / 500.0).ceil() * 500.0;
        let end_s = curves.iter().filter_map(|(_, fresh, _)| fresh.last()).map(|point| point.x).fold(1.0, f64::max);
        let chart = |(played, fresh, served): &(&Played, Vec<Point>, Vec<Point>)| {
            let verdict = match ending(played) {
                Ending::Held => "it holds to the end",
                Ending::FirstGoal => "it is lost at the first goal",
                Ending::SecondGoal => "it is lost at the second goal",
                Ending::ThirdGoal => "it is lost at the third goal",
            };
            let series = |name: &str, mark, colour, points: &[Point]| Series {
                name: name.to_owned(),
                mark,
                colour: Some(colour),
                points: points.to_vec(),
            };
            Chart {
                title: played.row.label.to_owned(),
                alt: format!("Requests that come and that are served over the evening: {verdict}."),
                x: Axis::new("", Quantity::Clock).within(0.0, end_s),
                y: Axis::new("", Quantity::PerSecond).within(0.0, most),
                series: vec![
                    series("fresh requests a second", Mark::Line, 6, fresh),
                    series("of them served, sooner or later", Mark::Line, 0, served),
                ],
                references: Vec::new(),
                stages: goals.clone(),
                table: false,
            }
        };
        html! {
            p { "Requests a second by the half-minute in which they came, and those of them that were served in the end; "
                "what lies between the two is lost. All charts have the same axes. Shaded, 1 to 3: the first minutes after each goal." }
            (Multiples(curves.iter().map(chart).collect()))
        }
    }

    fn guesses(&self) -> Markup {
        html! {
            @for (kappa, rows) in &self.kappas {
                h3 { "The same with a contention kappa of " (kappa) " instead of 0.001" }
                (figures(&format!("The night with kappa {kappa}"), rows))
            }
            @if !self.separate.is_empty() {
                h3 { "One queue a server and round robin, instead of one queue for all" }
                (figures("The night with separate queues", &self.separate))
            }
            @if let Some(agreement) = self.against_reference() {
                h3 { "Against an independent prototype of the same model" }
                p { (agreement.differing()) " of " (agreement.rows().count()) " rows differ. Agreement: Fisher's exact test on collapses at a "
                    "family-wise level of 1%, and the mean availability given the ending within 0.005, plus the rounding of the reference." }
                (reference(&agreement))
            }
        }
    }

    fn parameters(&self) -> Markup {
        let changed = self.rows.iter().map(|played| {
            let changes = played.row.changes.iter();
            html! { @for (path, text) in changes { div { code { (path) "=" (text) } } } @if played.row.changes.is_empty() { "nothing" } }
        });
        let rows = self
            .rows
            .iter()
            .zip(changed)
            .map(|(played, changes)| html::Row::cells([played.row.label.into(), changes.into()]));
        let rows = rows.collect::<Vec<_>>();
        html! {
            p { "Every row is the library's scenario " b { "world-cup-night" } " with a few values changed. So is "
                code { "outgrow run world-cup-night --set " (APP) "=18" } "." }
            (details("What each row changes", table("Changes", &[Column::text("configuration"), Column::text("changed")], &rows)))
            @if let Ok(loaded) = base() { (html::parameters(&provenance::of(&loaded))) }
        }
    }
}

/// A sentence in which what stands between backticks is code.
fn with_code(sentence: &str) -> Markup {
    html! {
        @for (i, part) in sentence.split('`').enumerate() {
            @if i % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn partial() -> Markup {
    callout("Partial", html! { p { "Stopped before all nights were played: rows may be missing or short of nights." } })
}

/// How the first night ended.
fn ending(played: &Played) -> Ending {
    played.nights.first().map_or(Ending::Held, super::Night::ending)
}

/// The verdict on a row: as on a run whose replications are its nights.
fn verdict(played: &Played) -> Verdict {
    let served = played.availability().map_or(f64::NAN, |estimate| estimate.mean);
    if 2 * played.collapsed() >= played.nights.len() {
        Verdict::Collapsed
    } else if served < 0.999 {
        Verdict::Breached
    } else {
        Verdict::Healthy
    }
}

fn played(rows: &[Played]) -> impl Iterator<Item = &Played> {
    rows.iter().filter(|played| !played.nights.is_empty())
}

/// How many nights collapsed, with Wilson's interval if there are several.
fn collapses(played: &Played) -> String {
    let (k, n) = (played.collapsed() as u64, played.nights.len() as u64);
    let (low, high) = wilson(k, n, 0.95);
    if n > 1 {
        format!("{k} of {n} collapsed; 95%: {:.0} to {:.0}%", 100.0 * low, 100.0 * high)
    } else if k == 1 {
        "its night collapsed".to_owned()
    } else {
        "its night held".to_owned()
    }
}

fn dots(rows: &[Played]) -> Dots {
    let dot = |played: &Played| {
        let estimate = played.availability();
        let around = |Estimate { mean, half_width_95, .. }: Estimate| {
            half_width_95.map(|half| ((mean - half).max(0.0), (mean + half).min(1.0)))
        };
        Dot {
            name: played.row.label.to_owned(),
            value: estimate.map(|estimate| estimate.mean),
            interval: estimate.and_then(around),
            verdict: Some(verdict(played)),
            note: collapses(played),
        }
    };
    let rows: Vec<Dot> = self::played(rows).map(dot).collect();
    let lost = rows.iter().filter(|row| row.verdict == Some(Verdict::Collapsed)).count();
    Dots {
        title: "Requests served over the night, by configuration".to_owned(),
        alt: format!("{lost} of {} configurations collapse.", rows.len()),
        axis: Axis::new("share of requests served", Quantity::Share).within(0.0, 1.0),
        bars: false,
        rows,
        references: Vec::new(),
        table: false,
    }
}

fn figures(caption: &str, rows: &[Played]) -> Markup {
    let mut columns = vec![
        Column::text("configuration"),
        Column::number("collapsed").hint("nights, and Wilson's 95% interval of their share"),
        Column::number("served").hint("mean over the nights ± 95% interval"),
    ];
    columns.extend(WINDOWS.iter().zip(MINUTES).map(|(name, minutes)| {
        Column::number(minutes).hint(&format!("of the requests that came in these minutes ({name})"))
    }));
    let row = |played: &Played| {
        let (k, n) = (played.collapsed() as u64, played.nights.len() as u64);
        let (low, high) = wilson(k, n, 0.95);
        let cell = |value: String, below: Option<String>| -> Cell {
            html! { (value) @if let Some(below) = below { div.note { (below) } } }.into()
        };
        let half = |estimate: Option<Estimate>| {
            let half = estimate.and_then(|estimate| estimate.half_width_95).filter(|half| *half > 0.0);
            half.map(|half| format!("± {}", brief(half)))
        };
        let served = played.availability();
        let interval = (n > 1).then(|| format!("{:.0} to {:.0}%", 100.0 * low, 100.0 * high));
        let mut cells = vec![
            played.row.label.into(),
            cell(format!("{k} of {n}"), interval),
            cell(served.map_or_else(|| "–".to_owned(), |served| brief(served.mean)), half(served)),
        ];
        cells.extend((0..WINDOWS.len()).map(|i| {
            let estimate = played.estimate(|night| night.windows[i]);
            let value = estimate.map_or(f64::NAN, |estimate| estimate.mean);
            cell(if value.is_nan() { "–".to_owned() } else { percent(value) }, half(estimate))
        }));
        html::Row::Cells(cells)
    };
    table(caption, &columns, &self::played(rows).map(row).collect::<Vec<_>>())
}

/// A share of a window: the same digits as in the table for terminals.
fn percent(share: f64) -> String {
    match short(share).as_str() {
        "0" => "0%".to_owned(),
        "1" => "100%".to_owned(),
        _ => format!("{:.1}%", 100.0 * share),
    }
}

fn reference(agreement: &super::Agreement) -> Markup {
    let columns = [
        Column::text("configuration"),
        Column::text(""),
        Column::number("collapsed"),
        Column::number("reference"),
        Column::number("p").hint("two-sided, Fisher's exact test"),
        Column::text("mean availability"),
    ];
    let row = |([label, ours, theirs, p, given], agrees): ([String; 5], bool)| {
        let judged = html! { @if agrees { "agrees" } @else { b { "differs" } } };
        html::Row::cells([label.into(), judged.into(), ours.into(), theirs.into(), p.into(), given.into()])
    };
    table("The night and its reference", &columns, &agreement.rows().map(row).collect::<Vec<_>>())
}

/// The goals of the evening and the minutes in which everybody asks.
fn goals() -> Vec<Stage> {
    let Ok(base) = base() else { return Vec::new() };
    let evening = base.scenario.clients.values().find_map(|client| match &client.arrivals {
        Arrivals::Poisson(Rate::Match(evening)) => Some(evening),
        _ => None,
    });
    let Some(evening) = evening else { return Vec::new() };
    let stage = |(i, goal): (usize, f64)| Stage {
        from: goal,
        to: goal + evening.decay.get().as_secs_f64(),
        label: format!("goal {}", i + 1),
    };
    evening.goals.iter().map(|(goal, _)| goal.get().as_secs_f64()).enumerate().map(stage).collect()
}
