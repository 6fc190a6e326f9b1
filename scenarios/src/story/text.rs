//! A story for a terminal: the years in two tables, then in words that follow from the figures.

use super::{Design, Moment, Passage, Sizing, StoryReport, Trigger};
use crate::growth::years;
use crate::report::RunReport;
use crate::report::text::{Page, Role, resource, role};
use crate::units::{brief, days, people, share, span, year};
use crate::verdict::Verdict;
use models::fluid::Utilisation;
use models::topology::ProcessorSpec;
use sim_core::time::SimDuration;
use std::fmt::Write as _;

impl StoryReport {
    /// For a terminal.
    pub fn text(&self, page: &Page<'_>) -> String {
        let mut text = String::new();
        if self.partial {
            page.wrapped(&mut text, Some(Role::Bad), "PARTIAL:", "stopped before all evenings were played");
        }
        let title = self.told.story.title.as_deref().unwrap_or("The years");
        page.wrapped(&mut text, Some(Role::Heading), "", title);
        if let Some(about) = &self.told.story.about {
            page.wrapped(&mut text, None, "", about);
        }
        self.growth(&mut text, page);
        self.evenings(&mut text, page);
        page.heading(&mut text, "The designs", "what each is, when it is outgrown, and why");
        for passage in &self.passages {
            let name = &self.told.designs[passage.design].name;
            page.wrapped(
                &mut text,
                None,
                &format!("{}.", passage.chapter + 1),
                &format!("{name}: {}", self.words(passage)),
            );
        }
        page.heading(&mut text, "What is put in, and what comes out", "");
        for words in self.construction() {
            page.wrapped(&mut text, None, "-", &words);
        }
        text
    }

    /// How users and requests grow.
    fn growth(&self, text: &mut String, page: &Page<'_>) {
        let growth = &self.told.story.growth;
        page.heading(text, "The growth", "given: a curve, and what users do");
        let core = growth.audience.keys().next().cloned().unwrap_or_default();
        let core_a_day = format!("{core}/day");
        let header = ["year", "users", "a month", core_a_day.as_str(), "mean/s", "evening/s", "match/s", "sessions"];
        let row = |moment: &Moment| {
            let users = &moment.users;
            vec![
                year(moment.at),
                people(users.cumulative),
                people(users.monthly),
                users.daily.first().map_or_else(String::new, |daily| people(*daily)),
                rate(users.mean_per_s),
                rate(users.evening_per_s),
                rate(users.match_per_s),
                people(users.match_sessions),
            ]
        };
        page.even_table(text, &header, self.moments.iter().map(row).collect());
        let note = format!(
            "users: have ever signed up; a month: come in a month; {core}/day: the {core} users of a day; mean/s: requests a \
             second, mean of the day; evening/s: {} times that; match/s: {} times, when a match is played, with so many \
             sessions open.",
            growth.peaks.evening.get(),
            growth.peaks.match_evening.get(),
        );
        page.wrapped(text, Some(Role::Faint), "", &note);
    }

    /// Evenings in the order of time, with a line at each change of design.
    fn evenings(&self, text: &mut String, page: &Page<'_>) {
        let story = &self.told.story;
        page.heading(text, "The evenings", "simulated, request by request");
        let within = format!("in {}", span(story.slo.threshold.get().as_secs_f64()));
        let mut header =
            vec!["year", "evening/s", "cores", "busiest", "carries", "p50", "p99", "served", within.as_str()];
        header.extend(story.push.as_ref().map(|_| "pushed"));
        header.push("verdict");
        let mut lines = String::new();
        page.even_table(&mut lines, &header, self.moments.iter().map(|moment| self.row(moment)).collect());
        let mut lines = lines.lines();
        let mut line = |text: &mut String| {
            let _ = writeln!(text, "{}", lines.next().unwrap_or_default());
        };
        line(text);
        let mut moments = self.moments.iter().peekable();
        for passage in &self.passages {
            page.wrapped(text, Some(Role::Heading), "", &self.change(passage));
            while let Some(moment) = moments.next_if(|moment| passage.until.is_none_or(|until| moment.at < until)) {
                let mut row = String::new();
                line(&mut row);
                let verdict = moment.report.verdict;
                let painted = page.style.paint(role(verdict), verdict.name());
                text.push_str(&row.replacen(verdict.name(), &painted, 1));
            }
        }
        let push = story.push.as_ref().map_or_else(String::new, |push| {
            format!(
                " pushed: whether it recovers when for {} {} times as many come;",
                push.lasts.get(),
                push.times.get()
            )
        });
        let (least, most) = story.evening.replications;
        let runs = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let note = format!(
            "busiest: of processors, threads and connections, and for a database under contention, of what it would do with \
             all its connections in use; carries: so many times the evening, until a processor or \
             database has no more to give; p50, p99: half, and 99%, are answered within; served: availability; {within}: \
             served so soon, which {} of the requests are promised;{push} {runs} runs an evening.",
            share(story.slo.objective.get()),
        );
        page.wrapped(text, Some(Role::Faint), "", &note);
    }

    fn row(&self, moment: &Moment) -> Vec<String> {
        let report = &moment.report;
        let mut row = self.cells(moment);
        let partial = if report.partial.is_some() { ", PARTIAL" } else { "" };
        let some = report.collapsed().filter(|(lost, of)| *lost > 0 && 2 * lost < *of);
        let some = some.map_or_else(String::new, |(lost, of)| format!(", lost {lost}/{of}"));
        row.push(format!("{}{some}{partial}", report.verdict.name()));
        row
    }

    /// An evening in figures, but for its verdict.
    pub(super) fn cells(&self, moment: &Moment) -> Vec<String> {
        let (design, report) = (&self.told.designs[moment.design], &moment.report);
        let mean = |key: &str| report.mean(&format!("metrics.{key}"));
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let mut cells = vec![
            year(moment.at),
            rate(moment.users.evening_per_s),
            design.processors(&moment.replicas).to_string(),
            or_none(busiest(report)),
            or_none(moment.carries(&self.told).map(|times| format!("{}x", rate(times)))),
            or_none(mean("response_p50_s").map(time)),
            or_none(mean("response_p99_s").map(time)),
            or_none(mean("availability").map(brief)),
            or_none(mean("slo_good_ratio").map(brief)),
        ];
        if self.told.story.push.is_some() {
            cells.push(or_none(moment.pushed.as_ref().map(after_push)));
        }
        cells
    }

    /// The line at which a design comes into force.
    pub(super) fn change(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let Some(before) = passage.chapter.checked_sub(1).and_then(|i| self.passages.get(i)) else {
            return format!("{}, from launch", design.name);
        };
        let why = before.outgrown.as_ref().map_or_else(String::new, |outgrown| {
            let lag = passage.from - outgrown.at;
            let lag = if lag.is_zero() { String::new() } else { format!(", then {} to move", days(lag)) };
            format!(": {}{lag}", self.reason(before))
        });
        format!("{}, from year {}{why}", design.name, year(passage.from))
    }

    /// Why a design was outgrown.
    pub(super) fn reason(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let trigger = self.told.story.chapters.get(passage.chapter + 1).and_then(|next| next.when.as_ref());
        let (Some(outgrown), Some(trigger)) = (&passage.outgrown, trigger) else { return String::new() };
        match (trigger, &outgrown.utilisation) {
            (Trigger::Evening { above, lasting, .. }, Some(of)) => {
                let lasting =
                    if lasting.get().is_zero() { String::new() } else { format!(" for {}", days(lasting.get())) };
                format!("evenings with {} above {}{lasting}", named(design, of), share(above.get()))
            }
            (Trigger::Evening { .. }, None) => String::new(),
            (Trigger::Users(above), _) => format!("{} people had signed up", people(above.get())),
            (Trigger::Time(_), _) => "the time was set".to_owned(),
        }
    }

    /// A design in words: what it is, when it was outgrown and why, and what would have become of it.
    pub(super) fn words(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let mut said = vec![format!(
            "{}{}. A request asks for {} of work in all.",
            design.about.as_ref().map_or_else(String::new, |about| format!("{about}. ")),
            self.services(passage),
            time(design.work_s()),
        )];
        match (&passage.outgrown, passage.until) {
            (Some(outgrown), until) => {
                let successor = self.told.story.chapters.get(passage.chapter + 1).map_or("", |next| &next.design);
                let then = match until {
                    Some(until) if until > outgrown.at => {
                        format!("; {successor} takes over {} later", days(until - outgrown.at))
                    }
                    Some(_) => format!("; {successor} takes over"),
                    None => format!("; the story ends before {successor} can take over"),
                };
                let trigger = self.told.story.chapters.get(passage.chapter + 1).and_then(|next| next.when.as_ref());
                let word = if matches!(trigger, Some(Trigger::Evening { .. })) { "Outgrown" } else { "Given up" };
                said.push(format!(
                    "{word} at year {} with {} users: {}{then}.",
                    year(outgrown.at),
                    people(outgrown.users.cumulative),
                    self.reason(passage)
                ));
            }
            (None, _) if self.told.story.chapters.len() > passage.chapter + 1 => said.push(format!(
                "What it would give way for does not happen by year {}: the chapters after it never come.",
                year(self.told.end())
            )),
            (None, _) => {}
        }
        said.extend(self.on_the_brink(passage));
        said.push(self.breaks(passage));
        said.extend(passage.ceiling.as_ref().map(|ceiling| {
            let sized: Vec<String> = design
                .sized
                .iter()
                .map(|(id, _)| {
                    let id = usize::from(*id);
                    format!("{} replicas of {}", ceiling.replicas[id], design.topology.services[id].name)
                })
                .collect();
            format!(
                "Size cannot save it: with {} it does {} requests a second at most, and with more it does less.",
                list(&sized),
                rate(ceiling.per_s)
            )
        }));
        said.join(" ")
    }

    /// Evenings that are well and that a push loses.
    fn on_the_brink(&self, passage: &Passage) -> Option<String> {
        let push = self.told.story.push.as_ref()?;
        let well = |moment: &&Moment| matches!(moment.report.verdict, Verdict::Healthy | Verdict::Strained);
        let lost = |moment: &&Moment| {
            moment.pushed.as_ref().and_then(RunReport::collapsed).is_some_and(|(lost, of)| 2 * lost >= of)
        };
        let years: Vec<String> = self.moments_of(passage).filter(well).filter(lost).map(|m| year(m.at)).collect();
        (!years.is_empty()).then(|| {
            format!(
                "One push from being lost: the evening of year {} is well, and after {} of {} times as many requests it does \
                 not recover within {}.",
                list(&years),
                push.lasts.get(),
                push.times.get(),
                push.recovery.get()
            )
        })
    }

    /// When something of a design is asked for too much, and what an evening on it is like then.
    fn breaks(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let Some(full) = &passage.full else { return self.carries(passage) };
        let in_force = passage.until.is_none_or(|until| full.at < until);
        let stayed = if in_force { "Evenings ask" } else { "Had it stayed, evenings would ask" };
        let relief = passage.until.filter(|_| in_force);
        let relief =
            relief.map_or_else(String::new, |until| format!("; relief comes at year {}, too late", year(until)));
        let breaks = format!(
            "{stayed} {} for more than it can do from year {} on ({} users){relief}.",
            named(design, &full.of),
            year(full.at),
            people(full.users.cumulative)
        );
        let after = self.moments_of(passage).find(|moment| moment.at >= full.at);
        let played = after.or_else(|| self.stayed(passage)).map(|moment| {
            let of = moment.utilisations.iter().find(|u| design.figure(u) == design.figure(&full.of));
            let asked =
                of.map_or_else(String::new, |of| format!(", when they ask for {:.2} times that", design.worst(of)));
            let served = moment.report.mean("metrics.availability").map_or_else(|| "nothing".to_owned(), brief);
            let attempts = moment.report.mean("metrics.attempts_per_request").filter(|attempts| *attempts > 1.1);
            let storm = attempts.map_or_else(String::new, |attempts| {
                format!(", and since people who wait in vain ask again, each request becomes {attempts:.1} attempts")
            });
            let fate = match (moment.report.verdict, moment.report.collapsed()) {
                (Verdict::Collapsed, Some((lost, of))) => format!("{lost} of {of} collapse"),
                (other, _) => format!("the verdict is {}", other.name()),
            };
            format!(" Played at year {}{asked}, {fate}: {served} served over the evening{storm}.", year(moment.at))
        });
        format!("{breaks}{}", played.unwrap_or_default())
    }

    /// What a design that is never asked for too much has to spare.
    fn carries(&self, passage: &Passage) -> String {
        let end = year(passage.until.unwrap_or(self.told.end()));
        let held = format!("Up to year {end} no evening asks a processor or database of it for more than it can do.");
        let bad = |moment: &&Moment| matches!(moment.report.verdict, Verdict::Breached | Verdict::Collapsed);
        if let Some(moment) = self.moments_of(passage).find(bad) {
            return format!(
                "{held} And yet its evening of year {} is {}.",
                year(moment.at),
                moment.report.verdict.name()
            );
        }
        let last = self.moments_of(passage).last();
        let Some((moment, times)) = last.and_then(|moment| Some((moment, moment.carries(&self.told)?))) else {
            return held;
        };
        let of_match = moment.users.match_per_s / moment.users.evening_per_s;
        let of_goal = moment.users.goal_per_s / moment.users.evening_per_s;
        let fits = match (times >= of_match, times >= of_goal) {
            (true, true) => "fit",
            (true, false) => "the match fits, the goal does not",
            (false, true) => "only the goal fits",
            (false, false) => "neither fits: whoever expects them sizes for them",
        };
        format!(
            "{held} At year {} it carries {} times its evening; a match evening is {} times it, the minutes after a goal {} \
             times: {fits}.",
            year(moment.at),
            rate(times),
            rate(of_match),
            rate(of_goal)
        )
    }

    /// The evenings played while a design was in force.
    pub(super) fn moments_of(&self, passage: &Passage) -> impl DoubleEndedIterator<Item = &Moment> {
        let (from, until) = (passage.from, passage.until);
        self.moments.iter().filter(move |moment| moment.at >= from && until.is_none_or(|until| moment.at < until))
    }

    /// The services of a design, with their replicas in the last evening it was played, or else at first.
    fn services(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let at = self.moments_of(passage).last().map_or(passage.from, |moment| moment.at);
        let sizes = self.sizes(passage, at);
        let names = design.topology.services.iter().zip(sizes).map(|(service, replicas)| {
            let each = match service.processor {
                ProcessorSpec::Servers(1) => "1 server".to_owned(),
                ProcessorSpec::Servers(n) => format!("{n} servers"),
                ProcessorSpec::Cores(1) => "1 core".to_owned(),
                ProcessorSpec::Cores(n) => format!("{n} cores"),
                ProcessorSpec::Usl { .. } => "a database under contention".to_owned(),
                ProcessorSpec::Infinite => "no limit".to_owned(),
                ProcessorSpec::Hosted { host, .. } => {
                    format!("on the host {}", design.topology.hosts[usize::from(host)].name)
                }
            };
            let count = if replicas == 1 { String::new() } else { format!("{replicas} x ") };
            format!("{}: {count}{each}", service.name)
        });
        let names: Vec<String> = names.collect();
        let when = if design.sized.is_empty() { "It has".to_owned() } else { format!("In year {} it has", year(at)) };
        format!("{when} {}", list(&names))
    }

    /// The replicas of a design's services in the evening of a day.
    fn sizes(&self, passage: &Passage, at: SimDuration) -> Vec<u32> {
        self.told.designs[passage.design].replicas(self.told.story.growth.at(years(at)).evening_per_s)
    }

    /// What does the work in a design at first.
    fn hardware(&self, passage: &Passage) -> String {
        let design = &self.told.designs[passage.design];
        let sizes = self.sizes(passage, passage.from);
        let cores = design.processors(&sizes);
        let sized: u64 = design
            .topology
            .services
            .iter()
            .zip(&sizes)
            .enumerate()
            .filter(|(id, _)| design.is_sized(*id as u16))
            .map(|(_, (service, replicas))| u64::from(*replicas) * u64::from(service.processor.capacity().unwrap_or(0)))
            .sum();
        let contended = design.topology.services.iter().any(|s| matches!(s.processor, ProcessorSpec::Usl { .. }));
        let fixed =
            if sized > 0 && sized < cores { format!(", {} of them not sized,", cores - sized) } else { String::new() };
        let database = if contended { " and a database under contention" } else { "" };
        format!("{cores} cores{fixed}{database}")
    }

    /// What holds by construction, and what has been found.
    pub(super) fn construction(&self) -> Vec<String> {
        let mut said = vec![
            "Put in: the growth. Users and rates follow from the curve in the story's file; nothing that happens to a \
             design sends users away."
                .to_owned(),
        ];
        let work: Vec<String> = self
            .passages
            .iter()
            .map(|passage| {
                let design = &self.told.designs[passage.design];
                format!(
                    "{} of work a request and {} at first in {}",
                    time(design.work_s()),
                    self.hardware(passage),
                    design.name
                )
            })
            .collect();
        said.push(format!(
            "Put in: what a request costs, and how much there is to do it: {}. A design that wins by that wins by \
             construction.",
            list(&work)
        ));
        for passage in &self.passages {
            let design = &self.told.designs[passage.design];
            if design.sized.is_empty() {
                continue;
            }
            let free: Vec<&str> = (0..design.topology.services.len())
                .filter(|id| !design.is_sized(*id as u16))
                .map(|id| design.topology.services[id].name.as_str())
                .collect();
            let rest = if free.is_empty() {
                String::new()
            } else {
                format!(" The size of {} is given, and whether that suffices is found.", list(&free))
            };
            said.push(format!(
                "By construction: in {} the replicas of {} follow from the evening's rate, so that these suffice in an \
                 evening.{rest}",
                design.name,
                sized(design)
            ));
        }
        let designs = || self.passages.iter().map(|passage| &self.told.designs[passage.design]);
        let contended =
            |service: &models::topology::ServiceSpec| matches!(service.processor, ProcessorSpec::Usl { .. });
        let contention = if designs().any(|design| design.topology.services.iter().any(contended)) {
            " For a database under contention the latter is with all connections of its callers in use; in an ordinary \
             evening fewer are, and it does more."
        } else {
            ""
        };
        said.push(format!(
            "Computed: when a design is outgrown, day by day, from the utilisation law: requests a second x work of each / \
             work that can be done.{contention} It is as certain as the numbers in the story's file."
        ));
        let push = if self.told.story.push.is_some() { ", and whether a push is survived" } else { "" };
        said.push(format!(
            "Found by simulation: response times, availability, verdicts, what is busiest{push}; and what becomes of a \
             design after its time. No collapse is written anywhere."
        ));
        said
    }
}

/// What binds a run: the service, the resource unless it is its processor or database, and how busy it is.
fn busiest(report: &RunReport) -> Option<String> {
    let binding = report.binding.as_ref()?;
    let what = match binding.resource.as_str() {
        "processor" | "contention" => String::new(),
        other => format!(" {other}"),
    };
    Some(format!("{}{what} {:.0}%", binding.service, 100.0 * binding.utilisation))
}

/// How a system came out of a push.
fn after_push(report: &RunReport) -> String {
    match report.collapsed() {
        Some((0, _)) => "recovers".to_owned(),
        Some((lost, of)) => format!("lost {lost}/{of}"),
        None => "-".to_owned(),
    }
}

/// The services that are sized, those sized alike together.
fn sized(design: &Design) -> String {
    let mut groups: Vec<(&Sizing, Vec<&str>)> = Vec::new();
    for (id, sizing) in &design.sized {
        let name = design.topology.services[usize::from(*id)].name.as_str();
        let alike = |other: &Sizing| other.busy.get() == sizing.busy.get() && other.least.get() == sizing.least.get();
        match groups.iter_mut().find(|(other, _)| alike(other)) {
            Some((_, names)) => names.push(name),
            None => groups.push((sizing, vec![name])),
        }
    }
    let group = |(sizing, names): &(&Sizing, Vec<&str>)| {
        format!("{} (at most {} busy, {} at least)", list(names), share(sizing.busy.get()), sizing.least.get())
    };
    groups.iter().map(group).collect::<Vec<_>>().join(" and ")
}

/// A resource in words.
pub(super) fn named(design: &Design, of: &Utilisation) -> String {
    let name = of.resource.name(&design.topology, of.service);
    let service = &design.topology.services[usize::from(of.service)].name;
    match resource(&name).as_str() {
        _ if design.hottest[usize::from(of.service)] > 1.0 + 1e-9 => format!("the hottest shard of {service}"),
        "contention" => format!("the database {service}"),
        resource => format!("the {resource} of {service}"),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Requests a second, short.
pub(super) fn rate(per_s: f64) -> String {
    if per_s < 9.95 { format!("{per_s:.1}") } else { format!("{per_s:.0}") }
}

/// A response time, short.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.1} s"),
    }
}
