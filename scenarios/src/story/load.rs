//! From a file to a story that can be played; or everything that is wrong with it.

use super::design::is_firm;
use super::{Design, Passage, Story, Trigger, WrittenDesign, evening, passage};
use crate::document::{Document, Path, Problem};
use crate::growth::years;
use crate::load::{LoadError, Loaded, Traces};
use crate::units::year;
use models::blueprint::Processor;
use models::policy::Balancer;
use models::problem::hint;
use models::topology::ServiceSpec;
use sim_core::time::SimDuration;

/// A story that can be played.
#[derive(Clone, Debug)]
pub struct LoadedStory {
    /// The file.
    pub document: Document,
    /// What it says.
    pub story: Story,
    /// Its designs, in the order written.
    pub designs: Vec<Design>,
}

/// The story that comes with the program.
const SIX_YEARS: (&str, &str) = ("six-years.ron", include_str!("../../story/six-years.ron"));

/// The longest story.
const LONGEST: SimDuration = SimDuration::from_secs(100 * 31_557_600);

/// The longest span in an evening: none lasts longer than its day.
const DAY: SimDuration = SimDuration::from_secs(86_400);

impl LoadedStory {
    /// The text of the story that comes with the program.
    pub const fn built_in_text() -> &'static str {
        SIX_YEARS.1
    }

    /// The story that comes with the program.
    ///
    /// # Panics
    /// If something is wrong with it; a test sees to it that nothing is.
    pub fn built_in() -> Self {
        Self::document(Document::parse(SIX_YEARS.0, SIX_YEARS.1)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads a story file.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong with it.
    pub fn file(path: &std::path::Path) -> Result<Self, LoadError> {
        Self::document(Document::read(path)?)
    }

    /// Loads a story from a document.
    ///
    /// # Errors
    /// Everything that is wrong with it: with its syntax and types, or else with what it says.
    pub fn document(document: Document) -> Result<Self, LoadError> {
        let decoded = document.decode::<Story>();
        let Some(story) = decoded.value.filter(|_| decoded.problems.is_empty()) else {
            return Err(LoadError::Problems(document.report(decoded.problems)));
        };
        let mut problems = story.growth.problems(&Path::root().name("growth"));
        problems.extend(moments(&story));
        problems.extend(evenings(&story));
        problems.extend(chapters(&story));
        if problems.is_empty() {
            problems.extend(nobody(&story));
        }
        // Growth that makes no sense gives no rate to size for.
        let grows = problems.is_empty();
        let mut designs = Vec::new();
        for (name, written) in &story.designs {
            problems.extend(sizing(name, written));
            match design(&document, name, written) {
                Ok(design) => {
                    problems.extend(sizes(&story, &design, written, grows));
                    designs.push(design);
                }
                Err(found) => {
                    let new: Vec<_> = found.into_iter().filter(|problem| !problems.contains(problem)).collect();
                    problems.extend(new);
                }
            }
        }
        problems.extend(triggers(&story, &designs));
        if problems.is_empty() {
            Ok(Self { document, story, designs })
        } else {
            Err(LoadError::Problems(document.report(problems)))
        }
    }

    /// The end of the story, after launch.
    pub fn end(&self) -> SimDuration {
        self.story.moments.last().copied().unwrap_or_default()
    }

    /// Which design is in force from when to when, and why it goes.
    pub fn passages(&self) -> Vec<Passage> {
        passage::passages(&self.story, &self.designs)
    }

    /// The design that is in force so long after launch, by its position in [`Self::designs`].
    pub fn in_force(&self, at: SimDuration) -> usize {
        self.passages().iter().rfind(|passage| passage.from <= at).map_or(0, |passage| passage.design)
    }

    /// The evening of a design at some time after launch, as a scenario of its own.
    ///
    /// # Panics
    /// If there is no such design.
    pub fn evening(&self, design: usize, at: SimDuration) -> Document {
        evening::scenario(&self.document, &self.story, &self.designs[design], at, None)
    }

    /// The same with a push, if the story has one.
    ///
    /// # Panics
    /// If there is no such design.
    pub fn pushed(&self, design: usize, at: SimDuration) -> Option<Document> {
        let push = self.story.push.as_ref()?;
        Some(evening::scenario(&self.document, &self.story, &self.designs[design], at, Some(push)))
    }
}

/// A design as run: it is checked as the scenario of an evening would be.
fn design(document: &Document, name: &str, written: &WrittenDesign) -> Result<Design, Vec<Problem>> {
    let loaded = Loaded::document(evening::bare(document, name), &Traces::Library).map_err(|error| match error {
        LoadError::Problems(problems) => {
            let moved = |p: Problem| Problem { path: evening::in_story(&p.path, name), place: None, ..p };
            problems.items.into_iter().map(moved).collect()
        }
        LoadError::Read(error) => vec![Problem::error(Path::root(), error.to_string())],
    })?;
    Ok(Design::new(name, written, loaded.topology))
}

fn moments(story: &Story) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = Path::root().name("moments");
    if story.moments.is_empty() {
        let problem = Problem::error(place.clone(), "no evening is played");
        problems.push(problem.with_help("write when, for example moments: [\"1y\", \"2y\", \"3y\"]"));
    }
    for (i, pair) in story.moments.windows(2).enumerate().filter(|(_, pair)| pair[1] <= pair[0]) {
        let problem = Problem::error(place.index(i + 1), format!("{} does not come after {}", pair[1], pair[0]));
        problems.push(problem.with_help("write the moments in their order, each once"));
    }
    if let Some((i, at)) = story.moments.iter().enumerate().find(|(_, at)| **at > LONGEST) {
        let problem = Problem::error(place.index(i), format!("{at} is more than 100 years after launch"));
        problems.push(problem.with_help("a story lasts 100 years at most"));
    }
    problems
}

fn evenings(story: &Story) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |path: Path, message: String, help: &str| {
        problems.push(Problem::error(path, message).with_help(help));
    };
    let (place, evening) = (Path::root().name("evening"), &story.evening);
    let (least, most) = evening.length;
    if least.is_zero() || least > most {
        let message = format!("an evening lasts {least} at least and {most} at most");
        problem(place.name("length"), message, "write the shorter first, for example length: (\"1min\", \"15min\")");
    }
    let (least, most) = evening.replications;
    if least == 0 || least > most || most > 10_000 {
        let message = format!("{least} replications at least and {most} at most");
        problem(place.name("replications"), message, "write the smaller first, for example replications: (4, 20)");
    }
    let mut spans = vec![
        (place.name("warm_up"), evening.warm_up),
        (place.name("length").index(0), evening.length.0),
        (place.name("length").index(1), evening.length.1),
    ];
    if let Some(push) = &story.push {
        let place = Path::root().name("push");
        spans.extend([(place.name("lasts"), push.lasts.get()), (place.name("recovery"), push.recovery.get())]);
        if push.times.get() <= 1.0 {
            let message = format!("{} times the evening's requests is no push", push.times.get());
            problem(place.name("times"), message, "write more than 1, for example 2");
        }
        if push.times.get() > 1e4 {
            let message = format!("{} times the evening's requests is more than anybody simulates", push.times.get());
            problem(place.name("times"), message, "write 10000 at most, for example 2");
        }
        if push.lasts.get().is_zero() {
            problem(place.name("lasts"), "a push of no length".to_owned(), "write for example lasts: \"30s\"");
        }
    }
    for (place, span) in spans.into_iter().filter(|(_, span)| *span > DAY) {
        problem(place, format!("{span} of an evening is more than a day"), "write a day at most");
    }
    problems
}

/// Every chapter has a design, and every chapter but the first a trigger.
fn chapters(story: &Story) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = Path::root().name("chapters");
    if story.chapters.is_empty() {
        let problem = Problem::error(place.clone(), "no design is ever in force");
        problems.push(problem.with_help("name the first, for example chapters: [(design: \"monolith\")]"));
    }
    for (i, chapter) in story.chapters.iter().enumerate() {
        let place = place.index(i);
        if !story.designs.contains_key(&chapter.design) {
            let hint = hint(&chapter.design, story.designs.keys().map(String::as_str));
            let message = format!("there is no design \"{}\"{hint}", chapter.design);
            problems.push(Problem::error(place.name("design"), message).with_help("name one of the story's designs"));
        }
        match (&chapter.when, i) {
            (Some(_), 0) => {
                let problem = Problem::error(place.name("when"), "the first chapter begins at launch");
                problems.push(problem.with_help("leave `when` out"));
            }
            (None, 1..) => {
                let message = format!("nothing says when \"{}\" comes into force", chapter.design);
                let help = format!("say when, for example when: {}", Trigger::ALL[0].example);
                problems.push(Problem::error(place, message).with_help(help));
            }
            _ => {}
        }
    }
    for name in story.designs.keys().filter(|name| story.chapters.iter().all(|chapter| chapter.design != **name)) {
        let place = Path::root().name("designs").name(name);
        let problem = Problem::error(place, format!("no chapter has the design \"{name}\""));
        problems.push(problem.with_help("add a chapter for it, or leave it out"));
    }
    problems
}

/// Moments at which nobody would come.
fn nobody(story: &Story) -> Vec<Problem> {
    let empty = |(i, at): (usize, &SimDuration)| {
        (story.growth.at(years(*at)).evening_per_s < 0.01).then(|| {
            let message = format!("hardly anybody comes in the evening of year {}", year(*at));
            let help = "leave it out, or let more people come: an evening has a request in 100 s at least";
            Problem::error(Path::root().name("moments").index(i), message).with_help(help)
        })
    };
    story.moments.iter().enumerate().filter_map(empty).collect()
}

/// What is wrong with how the services of a design are sized.
fn sizing(name: &str, written: &WrittenDesign) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = Path::root().name("designs").name(name).name("sizing");
    for (service, sizing) in &written.sizing {
        let place = place.name(service);
        let Some(spec) = written.services.get(service) else {
            let hint = hint(service, written.services.keys().map(String::as_str));
            let problem = Problem::error(place, format!("there is no service \"{service}\"{hint}"));
            problems.push(problem.with_help("name one of the design's services"));
            continue;
        };
        let mut problem = |path: Path, message: String, help: &str| {
            problems.push(Problem::error(path, message).with_help(help));
        };
        let busy = sizing.busy.get();
        if !(busy > 0.0 && busy <= 1.0) {
            let message = format!("processors cannot be meant to be {busy} busy");
            problem(place.name("busy"), message, "write a share between 0 and 1, for example 0.7");
        }
        if !(1..=100_000).contains(&sizing.least.get()) {
            let message = format!("{} replicas at least", sizing.least.get());
            problem(place.name("least"), message, "write a number from 1 to 100000");
        }
        if !matches!(spec.processor, Processor::Servers(_) | Processor::Cores(_)) {
            let message = format!("\"{service}\" has no processors that could be counted");
            problem(place.clone(), message, "only services with Servers(n) or Cores(n) of their own can be sized");
        }
        if matches!(spec.balancer, Balancer::ByKey { .. }) {
            let message = format!("the replicas of \"{service}\" are shards: with another number every key moves");
            problem(place.clone(), message, "write its replicas, and leave it out here");
        }
        if spec.replicas != 1.into() {
            let place = Path::root().name("designs").name(name).name("services").name(service).name("replicas");
            let message = format!("\"{service}\" has a number of replicas, and is sized as well");
            problem(place, message, "leave one of the two out");
        }
    }
    problems
}

/// Whether a design can be as large as it would have to be on the busiest of the evenings.
fn sizes(story: &Story, design: &Design, written: &WrittenDesign, grows: bool) -> Vec<Problem> {
    if !grows || !sizing(&design.name, written).is_empty() {
        return Vec::new();
    }
    let busiest = story.moments.iter().map(|&at| (at, story.growth.at(years(at)).evening_per_s));
    let Some((at, per_s)) = busiest.max_by(|(_, a), (_, b)| a.total_cmp(b)) else { return Vec::new() };
    let replicas = design.replicas(per_s);
    let too_many = design.topology.services.iter().zip(&replicas).filter(|(_, replicas)| **replicas > 100_000);
    let problem = |(service, replicas): (&ServiceSpec, &u32)| {
        let place = Path::root().name("designs").name(&design.name).name("sizing").name(&service.name);
        let message = format!("\"{}\" would have {replicas} replicas in year {}", service.name, year(at));
        Problem::error(place, message)
            .with_help("more than 100000 are not simulated: let fewer people come, or work less")
    };
    too_many.map(problem).collect()
}

/// Whether each trigger watches something that the design before it has.
fn triggers(story: &Story, designs: &[Design]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, pair) in story.chapters.windows(2).enumerate() {
        let Some(Trigger::Evening { figure, above, .. }) = &pair[1].when else { continue };
        let Some(design) = designs.iter().find(|design| design.name == pair[0].design) else { continue };
        let place = Path::root().name("chapters").index(i + 1).name("when");
        let replicas: Vec<u32> = design.topology.services.iter().map(|service| service.replicas).collect();
        let all = design.utilisations(1.0, &replicas);
        let known: Vec<String> = all.iter().filter(|u| is_firm(u)).map(|u| design.figure(u)).collect();
        if !known.contains(figure) {
            let hint = hint(figure, known.iter().map(String::as_str));
            let message = format!("the utilisation law does not tell \"{figure}\" of \"{}\"{hint}", design.name);
            let help = format!("a trigger watches the design in force before: {}", known.join(", "));
            problems.push(Problem::error(place.name("figure"), message).with_help(help));
        }
        if above.get() <= 0.0 {
            let problem = Problem::error(place.name("above"), "everything is above 0 from the first day on");
            problems.push(problem.with_help("write a share, for example 0.8"));
        } else if above.get() >= 5.0 {
            let message = format!("{} times what it can do is hardly meant", above.get());
            problems.push(Problem::error(place.name("above"), message).with_help("write a share, for example 0.8"));
        }
    }
    problems
}
