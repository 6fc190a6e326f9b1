//! Playing a story: an evening at each of its moments, and what would have become of the designs that
//! were given up.

use super::{LoadedStory, Passage};
use crate::estimate::Cost;
use crate::growth::{Users, years};
use crate::load::{Loaded, Traces};
use crate::replication::Cut;
use crate::report::{Partial, RunReport};
use crate::run::{self, Progress, RunError};
use crate::watcher::Watcher;
use models::fluid::Utilisation;
use sim_core::time::SimDuration;

/// How a story is played, where that differs from what it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Names the randomness; `None` as the story says.
    pub seed: Option<u64>,
    /// How many threads; `None` as many as the machine has processors. No figure depends on it.
    pub jobs: Option<usize>,
}

/// An evening that was played.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, after launch.
    pub at: SimDuration,
    /// Which design.
    pub design: usize,
    /// Of which chapter, if the design had been given up by then.
    pub stayed_from: Option<usize>,
    /// The users at that time.
    pub users: Users,
    /// Replicas of each of its services.
    pub replicas: Vec<u32>,
    /// What the utilisation law says of each of its resources.
    pub utilisations: Vec<Utilisation>,
    /// The scenario that was played.
    pub scenario: Loaded,
    /// What came out.
    pub report: RunReport,
    /// What came out with a push, if the story has one.
    pub pushed: Option<RunReport>,
}

/// A story that was played.
#[derive(Clone, Debug)]
pub struct StoryReport {
    /// The story.
    pub told: LoadedStory,
    /// The seed.
    pub seed: u64,
    /// Which design was in force when, and why it went.
    pub passages: Vec<Passage>,
    /// The evenings, each on the design then in force.
    pub moments: Vec<Moment>,
    /// Evenings on designs that had been given up, had they stayed: for each that was outgrown, the
    /// first moment at which something of it would be fully used.
    pub stayed: Vec<Moment>,
    /// Whether it was stopped before all evenings were played.
    pub partial: bool,
}

/// Plays a story. If it is stopped, what has been played so far is returned, marked as partial.
///
/// # Errors
/// No threads can be started.
pub fn play(told: &LoadedStory, options: Options, watcher: &dyn Watcher) -> Result<StoryReport, RunError> {
    let seed = options.seed.unwrap_or(told.story.evening.seed);
    let run_options = run::Options { seed: Some(seed), jobs: options.jobs, ..run::Options::default() };
    let passages = told.passages();
    let evenings = evenings(told, &passages);
    let prepared: Vec<_> = evenings.into_iter().map(|evening| Prepared::new(told, evening, &run_options)).collect();
    let all: f64 = prepared.iter().map(Prepared::cost).sum();
    let mut report =
        StoryReport { told: told.clone(), seed, passages, moments: Vec::new(), stayed: Vec::new(), partial: false };
    let mut done = 0.0;
    for Prepared { evening, scenario, pushed } in prepared {
        let name = format!("year {}, {}", crate::units::year(evening.at), told.designs[evening.design].name);
        let mut run = |(loaded, cost): &(Loaded, f64)| {
            let watched = Watched { watcher, done: done / all, cost: cost / all, name: &name };
            done += cost;
            run::run(loaded, &run_options, &watched).map(whole)
        };
        let played = run(&scenario)?;
        let pushed = pushed.as_ref().map(&mut run).transpose()?;
        let (Some(played), None | Some(Some(_))) = (played, &pushed) else {
            report.partial = true;
            break;
        };
        let users = told.story.growth.at(years(evening.at));
        let design = &told.designs[evening.design];
        let replicas = design.replicas(users.evening_per_s);
        let moment = Moment {
            at: evening.at,
            design: evening.design,
            stayed_from: evening.stayed_from,
            utilisations: design.utilisations(users.evening_per_s, &replicas),
            users,
            replicas,
            scenario: scenario.0,
            report: played,
            pushed: pushed.flatten(),
        };
        if moment.stayed_from.is_some() { report.stayed.push(moment) } else { report.moments.push(moment) }
    }
    Ok(report)
}

/// Events that playing a story takes, roughly: within a factor of two or so.
pub fn events(told: &LoadedStory) -> f64 {
    let options = run::Options::default();
    evenings(told, &told.passages()).into_iter().map(|evening| Prepared::new(told, evening, &options).cost()).sum()
}

/// An evening to play.
struct Planned {
    design: usize,
    at: SimDuration,
    /// Of which chapter, if the design had been given up by then.
    stayed_from: Option<usize>,
}

/// Every moment on the design then in force, and each design that was given up once more, at the first
/// moment after something of it would have been asked for too much.
fn evenings(told: &LoadedStory, passages: &[Passage]) -> Vec<Planned> {
    let moments = &told.story.moments;
    let in_force = |at: SimDuration| passages.iter().rfind(|p| p.from <= at).map_or(0, |p| p.design);
    let in_time = moments.iter().map(|&at| Planned { design: in_force(at), at, stayed_from: None });
    let given_up = passages.iter().filter_map(|passage| {
        let from = passage.full.as_ref()?.at.max(passage.until?);
        let at = moments.iter().copied().find(|at| *at >= from)?;
        Some(Planned { design: passage.design, at, stayed_from: Some(passage.chapter) })
    });
    in_time.chain(given_up).collect()
}

/// An evening as a scenario, and with a push; each with the events it will take.
struct Prepared {
    evening: Planned,
    scenario: (Loaded, f64),
    pushed: Option<(Loaded, f64)>,
}

impl Prepared {
    fn new(told: &LoadedStory, evening: Planned, options: &run::Options) -> Self {
        let load = |document| {
            let loaded = Loaded::document(document, &Traces::Library).expect("the design was checked");
            let events = Cost::of(&loaded, options).map_or(1.0, |cost| cost.events.max(1.0));
            (loaded, events)
        };
        let scenario = load(told.evening(evening.design, evening.at));
        // Whoever looks at a design after its time wants to see it in the evening, not pushed.
        let pushed =
            if evening.stayed_from.is_some() { None } else { told.pushed(evening.design, evening.at).map(load) };
        Self { evening, scenario, pushed }
    }

    fn cost(&self) -> f64 {
        self.scenario.1 + self.pushed.as_ref().map_or(0.0, |(_, cost)| *cost)
    }
}

/// A report, unless its run was stopped.
fn whole(report: RunReport) -> Option<RunReport> {
    let stopped =
        |partial: &Partial| partial.cut.iter().any(|cut| cut.why == Cut::Stopped) || partial.counted < partial.asked;
    (!report.partial.as_ref().is_some_and(stopped)).then_some(report)
}

/// One run of the story, as it sees it: it begins when so much is done, and costs so much; shares of all.
struct Watched<'a> {
    watcher: &'a dyn Watcher,
    done: f64,
    cost: f64,
    name: &'a str,
}

impl run::Watch for Watched<'_> {
    fn stop(&self) -> bool {
        self.watcher.stop()
    }

    fn progress(&self, progress: &Progress) {
        self.watcher.progress(self.done + self.cost * progress.share, self.name);
    }
}

impl Moment {
    /// How many times its requests its processors and databases could do, by the utilisation law, with
    /// the replicas that it has; `None` if nothing is limited.
    pub fn carries(&self, told: &LoadedStory) -> Option<f64> {
        let design = &told.designs[self.design];
        let busiest = design.worst(&design.busiest(self.users.evening_per_s, &self.replicas)?);
        (busiest > 0.0).then(|| 1.0 / busiest)
    }
}

impl StoryReport {
    /// Events handled in all.
    pub fn events(&self) -> u64 {
        let of = |moment: &Moment| {
            moment.report.engine.events + moment.pushed.as_ref().map_or(0, |pushed| pushed.engine.events)
        };
        self.moments.iter().chain(&self.stayed).map(of).sum()
    }

    /// The evening on the design that was given up, had it stayed.
    pub fn stayed(&self, passage: &Passage) -> Option<&Moment> {
        self.stayed.iter().find(|moment| moment.stayed_from == Some(passage.chapter))
    }
}
