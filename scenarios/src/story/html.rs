//! A story as a web page.

use super::text::{rate, time};
use super::{Design, Moment, Passage, StoryReport, Trigger};
use crate::growth::years;
use crate::html::{
    Axis, Card, Cell, Chart, Column, Graph, Load, Mark, Page, Point, Quantity, Reference, Row, Section, Series, Stage,
    callout, cards, details, parameters, reproduce, section, table,
};
use crate::night;
use crate::provenance;
use crate::units::{brief, people, share, span, year};
use crate::verdict::busiest_of_service;
use maud::{Markup, html};
use sim_core::time::SimDuration;

impl StoryReport {
    /// As a web page, with the night if it was played too.
    pub fn html(&self, night: Option<&night::Report>) -> String {
        let mut sections = vec![self.answer(), self.growth_section(), self.evenings_section()];
        sections.extend(self.passages.iter().map(|passage| self.design_section(passage)));
        sections.push(self.construction_section());
        sections.extend(night.map(night::Report::sections).into_iter().flatten());
        sections.push(section(
            "parameters",
            "Every number that was put in",
            details(
                "The numbers, their sources and ranges",
                parameters(&provenance::parameters(&self.told.document, &self.told.story)),
            ),
        ));
        sections.push(self.reproduce_section(night.is_some()));
        let title = self.told.story.title.clone().unwrap_or_else(|| self.told.document.stem());
        let lead = html! {
            @if self.partial { (callout("Partial", html! { p { "It was stopped before all evenings were played." } })) }
            @if let Some(about) = &self.told.story.about { p { (about) } }
            p { (self.summary()) }
        };
        let footer = html! {
            p { "Outgrow " (env!("CARGO_PKG_VERSION")) ", seed " (self.seed) ". Equal story, seed and version give equal figures." }
        };
        Page { title, lead, sections, footer }.render()
    }

    fn design(&self, passage: &Passage) -> &Design {
        &self.told.designs[passage.design]
    }

    /// The story in two sentences.
    fn summary(&self) -> String {
        let mut parts = Vec::new();
        for passage in &self.passages {
            let name = &self.design(passage).name;
            parts.push(match (passage.chapter, passage.until) {
                (_, Some(until)) if passage.chapter == 0 => format!("{name} until year {}", year(until)),
                (_, Some(until)) => format!("{name} from year {} to {}", year(passage.from), year(until)),
                (0, None) => format!("{name} all the time"),
                (_, None) => format!("{name} from year {} on", year(passage.from)),
            });
        }
        let written = |chapter: &super::Chapter| matches!(chapter.when, Some(Trigger::Time(_)));
        let why = if self.told.story.chapters.iter().any(written) {
            "Where no time was set, the instants follow"
        } else {
            "None of these instants is written down: they follow"
        };
        format!("In force: {}. {why} from the growth and from what each design can do.", parts.join("; "))
    }

    fn stages(&self) -> Vec<Stage> {
        let end = years(self.told.end());
        let stage = |passage: &Passage| Stage {
            from: years(passage.from),
            to: passage.until.map_or(end, years),
            label: self.design(passage).name.clone(),
        };
        self.passages.iter().map(stage).collect()
    }

    /// Which design is outgrown, when, and what breaks first.
    fn answer(&self) -> Section {
        let last = self.moments.last();
        let mut numbers = Vec::new();
        if let Some(last) = last {
            let at = format!("in year {}", year(last.at));
            let card = |value: String, label: &str, note: &str| Card { value, label: label.into(), note: note.into() };
            numbers.push(card(people(last.users.cumulative), "people signed up", &at));
            numbers.push(card(people(last.users.monthly), "users a month", &at));
            numbers.push(card(format!("{}/s", rate(last.users.evening_per_s)), "requests in the evening", &at));
            numbers.push(card(people(self.requests()), "requests simulated", "in all the evenings played"));
        }
        let row = |passage: &Passage| {
            let design = self.design(passage);
            let from = if passage.from.is_zero() { "launch".to_owned() } else { year(passage.from) };
            let until = passage.until.map_or_else(|| "the end".to_owned(), year);
            let first = passage
                .full
                .as_ref()
                .map_or_else(|| "nothing yet".to_owned(), |full| super::text::named(design, &full.of));
            let when = passage.full.as_ref().map_or_else(|| "-".to_owned(), |full| year(full.at));
            let why = match &passage.outgrown {
                Some(outgrown) => format!("{}: {}", year(outgrown.at), self.reason(passage)),
                None => "not yet".to_owned(),
            };
            Row::cells([design.name.clone().into(), from.into(), until.into(), why.into(), first.into(), when.into()])
        };
        let columns = [
            Column::text("design"),
            Column::number("from"),
            Column::number("until"),
            Column::text("outgrown"),
            Column::text("breaks first"),
            Column::text("when, had it stayed")
                .hint("from when on it would be asked for more than it can do in an evening"),
        ];
        let rows: Vec<Row> = self.passages.iter().map(row).collect();
        section(
            "answer",
            "Which design is outgrown, when, and what breaks first",
            html! {
                (cards(&numbers))
                (table("The designs", &columns, &rows))
                (self.busy_chart())
            },
        )
    }

    /// Requests that came in the evenings played, all runs together.
    fn requests(&self) -> f64 {
        let of = |report: &crate::report::RunReport| {
            let counted = report.horizon.since(report.warm_up).as_secs_f64() * report.replications.len() as f64;
            report.mean("metrics.arrivals_per_s").unwrap_or(0.0) * counted
        };
        let all = self.moments.iter().chain(&self.stayed);
        all.map(|moment| of(&moment.report) + moment.pushed.as_ref().map_or(0.0, of)).sum()
    }

    /// How busy the evening makes each design, day by day, and what was found in the evenings played.
    fn busy_chart(&self) -> Chart {
        let end = years(self.told.end());
        let mut series = Vec::new();
        for passage in &self.passages {
            let (design, colour) = (self.design(passage), Some(passage.chapter));
            let from = years(passage.from);
            let until = passage.until.map_or(end, years);
            let busy = |at: f64| {
                let per_s = self.told.story.growth.at(at).evening_per_s;
                let of = design.busiest(per_s, &design.replicas(per_s));
                Point::new(at, of.map_or(f64::NAN, |of| design.worst(&of)))
            };
            series.push(Series {
                name: design.name.clone(),
                mark: Mark::Line,
                colour,
                points: steps(from, until, end).map(busy).collect(),
            });
            if passage.until.is_some() {
                // As far as it can be drawn: twice what it can do.
                let points = steps(until, end, end).map(busy).take_while(|point| point.y <= 1.6).collect();
                series.push(Series {
                    name: format!("{}, had it stayed", design.name),
                    mark: Mark::Dashed,
                    colour,
                    points,
                });
            }
        }
        let found = |moment: &Moment| {
            let binding = moment.report.binding.as_ref();
            let figure = binding
                .and_then(|b| moment.report.figure(&format!("services.{}.utilisation.{}", b.service, b.resource)));
            let interval = figure
                .and_then(|figure| figure.estimate)
                .and_then(|e| Some((e.mean - e.half_width_95?, e.mean + e.half_width_95?)));
            Point { x: years(moment.at), y: binding.map_or(f64::NAN, |b| b.utilisation), interval }
        };
        series.push(Series {
            name: "simulated".into(),
            mark: Mark::Points,
            colour: Some(7),
            points: self.moments.iter().map(found).collect(),
        });
        Chart {
            title: "How busy an evening makes the busiest part of each design".into(),
            alt: "The share of its time that the busiest processor or database of each design is busy in the evening, over the years.".into(),
            x: Axis::new("since launch", Quantity::Years).within(0.0, end),
            y: Axis::new("busy", Quantity::Share).within(0.0, 1.6),
            series,
            references: vec![
                Reference { at: 0.8, label: "80%".into() },
                Reference { at: 1.0, label: "all it can do".into() },
            ],
            stages: self.stages(),
            table: false,
        }
    }

    fn growth_section(&self) -> Section {
        let growth = &self.told.story.growth;
        let end = years(self.told.end());
        let core = growth.audience.keys().next().cloned().unwrap_or_default();
        let curve = |name: &str, of: &dyn Fn(f64) -> f64| Series {
            name: name.to_owned(),
            mark: Mark::Line,
            colour: None,
            points: steps(0.0, end, end).map(|at| Point::new(at, of(at))).collect(),
        };
        let users = Chart {
            title: "Users".into(),
            alt:
                "People who have signed up, users a month and core users a day, over the years, on a logarithmic scale."
                    .into(),
            x: Axis::new("since launch", Quantity::Years).within(0.0, end),
            y: Axis::new("people", Quantity::Count).log(),
            series: vec![
                curve("signed up", &|at| growth.at(at).cumulative),
                curve("a month", &|at| growth.at(at).monthly),
                curve(&format!("{core}, a day"), &|at| growth.at(at).daily.first().copied().unwrap_or(f64::NAN)),
            ],
            references: Vec::new(),
            stages: self.stages(),
            table: false,
        };
        let can_do = |at: f64| {
            let span = SimDuration::from_secs_f64(at * 365.25 * 86_400.0);
            let passage = self.passages.iter().rfind(|passage| passage.from <= span);
            let per_s = growth.at(at).evening_per_s;
            let busiest = passage.and_then(|passage| {
                let design = self.design(passage);
                design.busiest(per_s, &design.replicas(per_s)).map(|of| design.worst(&of))
            });
            busiest.filter(|busiest| *busiest > 0.0).map_or(f64::NAN, |busiest| per_s / busiest)
        };
        let requests = Chart {
            title: "Requests a second, and what the design in force can do".into(),
            alt: "Evening and match rates, and the capacity of the design in force by the utilisation law, over the years.".into(),
            x: Axis::new("since launch", Quantity::Years).within(0.0, end),
            y: Axis::new("requests", Quantity::PerSecond).log(),
            series: vec![
                curve("in the evening", &|at| growth.at(at).evening_per_s),
                curve("on a match evening", &|at| growth.at(at).match_per_s),
                Series { mark: Mark::Dashed, ..curve("what the design can do", &can_do) },
            ],
            references: Vec::new(),
            stages: self.stages(),
            table: false,
        };
        let columns = [
            Column::text("year"),
            Column::number("users").hint("people who have ever signed up"),
            Column::number("a month").hint("monthly active users"),
            Column::number(&core).hint("daily active users of the first audience"),
            Column::number("mean/s").hint("requests a second, mean of the day"),
            Column::number("evening/s"),
            Column::number("match/s"),
            Column::number("goal/s"),
            Column::number("sessions").hint("open on a match evening"),
        ];
        let row = |moment: &Moment| {
            let users = &moment.users;
            Row::cells([
                Cell::from(year(moment.at)),
                people(users.cumulative).into(),
                people(users.monthly).into(),
                people(users.daily.first().copied().unwrap_or(0.0)).into(),
                rate(users.mean_per_s).into(),
                rate(users.evening_per_s).into(),
                rate(users.match_per_s).into(),
                rate(users.goal_per_s).into(),
                people(users.match_sessions).into(),
            ])
        };
        let rows: Vec<Row> = self.moments.iter().map(row).collect();
        section(
            "growth",
            "How the product grows",
            html! {
                (users)
                (requests)
                (table("Growth", &columns, &rows))
                @if let Some(readings) = self.readings() { (readings) }
            },
        )
    }

    /// What arithmetic forces on two figures that are easily misread.
    fn readings(&self) -> Option<Markup> {
        let last = self.moments.last()?;
        let users = &last.users;
        let daily: f64 = users.daily.iter().sum();
        let core = self.told.story.growth.audience.keys().next()?;
        let response = last.report.mean("metrics.response_mean_s")?;
        let in_flight = users.match_per_s * response;
        Some(callout(
            "Two figures, read with care",
            html! {
                p {
                    "Whoever comes in a month comes on one of its 30 days at least, so " (people(users.monthly)) " users a month are "
                    (people(users.monthly / 30.0)) " on a mean day at least. The " (people(*users.daily.first()?)) " " (core)
                    " users of a day are " @if *users.daily.first()? < users.monthly / 30.0 { "fewer than that: they are" } @else { "" }
                    " a part of the " (people(daily)) " who come on a day in year " (year(last.at)) "."
                }
                p {
                    "Concurrency counts sessions, not requests: on a match evening of that year " (people(users.match_sessions))
                    " sessions are open, and by Little's law " (people(in_flight)) " requests are in flight, "
                    (rate(users.match_per_s)) " a second for " (time(response)) " each, if it answers as in an ordinary evening. So many requests in flight as there are sessions would be a sick system."
                }
            },
        ))
    }

    fn evenings_section(&self) -> Section {
        let story = &self.told.story;
        let threshold = story.slo.threshold.get().as_secs_f64();
        let within = format!("in {}", span(threshold));
        let mut columns = vec![
            Column::text("year"),
            Column::number("evening/s"),
            Column::number("cores"),
            Column::number("busiest").hint("of processors, databases, threads and connections"),
            Column::number("carries")
                .hint("so many times the evening, until a processor or database has no more to give"),
            Column::number("p50").hint("half are answered within"),
            Column::number("p99").hint("99% are answered within"),
            Column::number("served").hint("availability"),
            Column::number(&within),
        ];
        columns.extend(story.push.as_ref().map(|_| Column::text("pushed").hint("whether it recovers from a push")));
        columns.push(Column::text("verdict"));
        let mut rows = Vec::new();
        let mut moments = self.moments.iter().peekable();
        for passage in &self.passages {
            rows.push(Row::Heading(html! { (self.change(passage)) }));
            while let Some(moment) = moments.next_if(|moment| passage.until.is_none_or(|until| moment.at < until)) {
                rows.push(self.evening_row(moment));
            }
        }
        if !self.stayed.is_empty() {
            for moment in &self.stayed {
                rows.push(Row::Heading(html! { (self.told.designs[moment.design].name) ", had it stayed" }));
                rows.push(self.evening_row(moment));
            }
        }
        section(
            "evenings",
            "The evenings, request by request",
            html! {
                (self.response_chart(threshold))
                (table("Evenings", &columns, &rows))
                @if let Some(push) = &story.push {
                    p.note {
                        "Pushed: for " (push.lasts.get()) " " (push.times.get()) " times as many requests come. The design has "
                        (push.recovery.get()) " to recover; an evening is lost if it then serves less than half."
                    }
                }
            },
        )
    }

    fn evening_row(&self, moment: &Moment) -> Row {
        let cells = self.cells(moment).into_iter().map(Cell::from);
        Row::Cells(cells.chain([moment.report.verdict.into()]).collect())
    }

    fn response_chart(&self, threshold: f64) -> Chart {
        let series = |name: &str, key: &str| {
            let point = |moment: &Moment| {
                let estimate = moment.report.figure(&format!("metrics.{key}")).and_then(|figure| figure.estimate);
                let interval = estimate.and_then(|e| Some((e.mean - e.half_width_95?, e.mean + e.half_width_95?)));
                Point { x: years(moment.at), y: estimate.map_or(f64::NAN, |e| e.mean), interval }
            };
            let points = self.moments.iter().map(point).collect();
            Series { name: name.to_owned(), mark: Mark::Points, colour: None, points }
        };
        // The promise is in the picture, with room above and below.
        let times = self.moments.iter().flat_map(|moment| {
            ["response_p50_s", "response_p99_s"].map(|key| moment.report.mean(&format!("metrics.{key}")))
        });
        let (low, high) = times
            .flatten()
            .filter(|time| *time > 0.0)
            .fold((threshold, threshold), |(low, high), time| (low.min(time), high.max(time)));
        let (low, high) = (low / 2.0, high * 4.0);
        Chart {
            title: "Response time in the evening".into(),
            alt: "Median and 99th percentile of the response time in the evenings played, with 95% intervals.".into(),
            x: Axis::new("since launch", Quantity::Years).within(0.0, years(self.told.end())),
            y: Axis::new("response time", Quantity::Seconds).log().within(low, high),
            series: vec![series("50% within", "response_p50_s"), series("99% within", "response_p99_s")],
            references: vec![Reference { at: threshold, label: "promised".into() }],
            stages: self.stages(),
            table: true,
        }
    }

    fn design_section(&self, passage: &Passage) -> Section {
        let design = self.design(passage);
        let last = self.moments_of(passage).last();
        let loads = last.map_or_else(Vec::new, |moment| loads(design, moment));
        let when = last.map_or_else(String::new, |moment| format!(" in the evening of year {}", year(moment.at)));
        let topology = sized_topology(design, last);
        let graph = Graph {
            title: format!("{}{when}", design.name),
            alt: format!("The services of {} and who calls whom.", design.name),
            topology: &topology,
            loads,
        };
        let columns = [
            Column::text("service"),
            Column::number("replicas").hint("in the last evening it was played"),
            Column::text("how many"),
            Column::text("busiest"),
            Column::number("simulated"),
            Column::number("by the law").hint("the utilisation law"),
        ];
        let row = |(id, service): (usize, &models::topology::ServiceSpec)| {
            let sizing = design.sized.iter().find(|(sized, _)| usize::from(*sized) == id).map(|(_, sizing)| sizing);
            let place = ["services", service.name.as_str(), "utilisation"];
            let found = last.and_then(|moment| busiest_of_service(moment.report.figures_at(&place)));
            let law = found.and_then(|(resource, _)| {
                let figure = format!("services.{}.utilisation.{resource}", service.name);
                last?.utilisations.iter().find(|u| design.figure(u) == figure).map(models::fluid::Utilisation::ratio)
            });
            let none = || "-".to_owned();
            Row::cells([
                service.name.clone().into(),
                last.map_or(service.replicas, |moment| moment.replicas[id]).to_string().into(),
                sizing
                    .map_or_else(
                        || "as written".to_owned(),
                        |s| format!("at most {} busy, {} at least", share(s.busy.get()), s.least.get()),
                    )
                    .into(),
                found.map_or_else(none, |(resource, _)| crate::report::text::resource(resource)).into(),
                found.map_or_else(none, |(_, busy)| brief(busy)).into(),
                law.map_or_else(none, brief).into(),
            ])
        };
        let rows: Vec<Row> = design.topology.services.iter().enumerate().map(row).collect();
        section(
            &format!("design-{}", passage.chapter + 1),
            &format!("{}. {}", passage.chapter + 1, design.name),
            html! {
                p { (capitalised(&self.words(passage))) }
                (graph)
                (table(&format!("The services of {}{when}", design.name), &columns, &rows))
            },
        )
    }

    fn construction_section(&self) -> Section {
        section(
            "construction",
            "What is put in, and what comes out",
            html! { ul { @for words in self.construction() { li { (words) } } } },
        )
    }

    fn reproduce_section(&self, with_night: bool) -> Section {
        let name = self.told.document.stem();
        let commands = if with_night {
            vec![
                format!("outgrow story --seed {}", self.seed),
                format!(
                    "outgrow story --seed {} --evening 2.45y > evening.ron   # one evening, as a scenario",
                    self.seed
                ),
                "outgrow run evening.ron".to_owned(),
            ]
        } else {
            vec![format!("outgrow story {name}.ron --seed {}   # the file below", self.seed)]
        };
        let file = format!("{name}.ron");
        section(
            "reproduce",
            "How to reproduce it",
            reproduce(&commands, self.seed, Some((&file, self.told.document.text()))),
        )
    }
}

/// Times from one to another, close enough for a curve.
fn steps(from: f64, to: f64, end: f64) -> impl Iterator<Item = f64> {
    let count = (((to - from) / end.max(1e-9) * 240.0).ceil() as u32).max(1);
    (0..=count).map(move |i| from + (to - from) * f64::from(i) / f64::from(count))
}

/// How busy each service was in an evening.
fn loads(design: &Design, moment: &Moment) -> Vec<Option<Load>> {
    let of = |service: &models::topology::ServiceSpec| {
        let place = ["services", service.name.as_str(), "utilisation"];
        let (resource, utilisation) = busiest_of_service(moment.report.figures_at(&place))?;
        Some(Load { resource: crate::report::text::resource(resource), utilisation })
    };
    design.topology.services.iter().map(of).collect()
}

/// The design with the replicas of an evening.
fn sized_topology(design: &Design, moment: Option<&Moment>) -> models::topology::Topology {
    let mut topology = models::topology::Topology::clone(&design.topology);
    if let Some(moment) = moment {
        topology.services.iter_mut().zip(&moment.replicas).for_each(|(service, n)| service.replicas = *n);
    }
    topology
}

/// A text with its first letter as at the head of a sentence.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
