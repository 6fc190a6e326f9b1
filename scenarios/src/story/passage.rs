//! The walk through the years, day by day: which design is in force, until when, and why it goes.

use super::{Design, Story, Trigger};
use crate::growth::{Users, years};
use models::fluid::Utilisation;
use sim_core::time::SimDuration;

/// The time in which a design is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Which chapter of the story.
    pub chapter: usize,
    /// Which design.
    pub design: usize,
    /// From when, after launch.
    pub from: SimDuration,
    /// Until when; `None` if it is in force at the end of the story.
    pub until: Option<SimDuration>,
    /// When and how it was outgrown, if it was.
    pub outgrown: Option<Outgrown>,
    /// When something of it would be asked for all it can do in the evening if it stayed in force, if that
    /// is before the end of the story.
    pub full: Option<Full>,
    /// The most that it carries at any size, if larger ones carry less.
    pub ceiling: Option<Ceiling>,
}

/// A trigger has fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgrown {
    /// When what it watches for began.
    pub since: SimDuration,
    /// When it fired.
    pub at: SimDuration,
    /// The users at that time.
    pub users: Users,
    /// The utilisation it watches, if it watches one, when it fired.
    pub utilisation: Option<Utilisation>,
}

/// A resource is asked for all it can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Full {
    /// Since when.
    pub at: SimDuration,
    /// The users at that time.
    pub users: Users,
    /// The resource.
    pub of: Utilisation,
}

/// A design that does less if it is made larger.
#[derive(Clone, Debug, PartialEq)]
pub struct Ceiling {
    /// The most requests a second.
    pub per_s: f64,
    /// With so many replicas of each service.
    pub replicas: Vec<u32>,
}

const DAY: SimDuration = SimDuration::from_secs(86_400);

/// The passages of a story, in order, up to its last moment.
pub(super) fn passages(story: &Story, designs: &[Design]) -> Vec<Passage> {
    let end = story.moments.last().copied().unwrap_or_default();
    let mut passages: Vec<Passage> = Vec::new();
    let mut from = SimDuration::ZERO;
    for (chapter, written) in story.chapters.iter().enumerate() {
        let id = story.designs.get_index_of(&written.design).expect("a story was checked");
        let design = &designs[id];
        let next = story.chapters.get(chapter + 1);
        let trigger = next.and_then(|next| Some((next.when.as_ref()?, next.lag.get())));
        let outgrown = trigger.and_then(|(trigger, _)| fires(trigger, story, design, from, end));
        let until = outgrown.as_ref().zip(trigger).map(|(outgrown, (_, lag))| outgrown.at + lag);
        let until = until.filter(|until| *until <= end);
        let full = full(story, design, from, end);
        passages.push(Passage {
            chapter,
            design: id,
            from,
            until,
            outgrown,
            full,
            ceiling: ceiling(story, design, end),
        });
        let Some(next) = until else { break };
        from = next;
    }
    passages
}

/// The days from one time to another.
fn days(from: SimDuration, to: SimDuration) -> impl Iterator<Item = SimDuration> {
    (0..).map(move |day| from + SimDuration::from_nanos(day * DAY.as_nanos())).take_while(move |day| *day <= to)
}

/// When a trigger fires for a design that is in force from some time on.
fn fires(trigger: &Trigger, story: &Story, design: &Design, from: SimDuration, end: SimDuration) -> Option<Outgrown> {
    let mut since = None;
    for day in days(from, end) {
        let users = story.growth.at(years(day));
        let mut utilisation = None;
        let (holds, lasting) = match trigger {
            Trigger::Evening { figure, above, lasting } => {
                let replicas = design.replicas(users.evening_per_s);
                let all = design.utilisations(users.evening_per_s, &replicas);
                utilisation = all.into_iter().find(|u| design.figure(u) == *figure);
                (utilisation.is_some_and(|u| u.ratio() > above.get()), lasting.get())
            }
            Trigger::Users(above) => (users.cumulative >= above.get(), SimDuration::ZERO),
            Trigger::Time(at) => (day >= at.get(), SimDuration::ZERO),
        };
        since = if holds { since.or(Some(day)) } else { None };
        if let Some(since) = since.filter(|since| *since + lasting <= day) {
            return Some(Outgrown { since, at: day, users, utilisation });
        }
    }
    None
}

/// When something of a design would be asked for all it can do.
fn full(story: &Story, design: &Design, from: SimDuration, end: SimDuration) -> Option<Full> {
    days(from, end).find_map(|day| {
        let users = story.growth.at(years(day));
        let replicas = design.replicas(users.evening_per_s);
        let of = design.busiest(users.evening_per_s, &replicas).filter(|of| design.worst(of) >= 1.0)?;
        Some(Full { at: day, users, of })
    })
}

/// The most that a design carries with the replicas it is given on any day, if those of the busiest day,
/// which are the most, carry less.
fn ceiling(story: &Story, design: &Design, end: SimDuration) -> Option<Ceiling> {
    let carried = |per_s: f64| {
        let replicas = design.replicas(per_s);
        let of = design.busiest(per_s, &replicas).filter(|of| of.ratio() > 0.0)?;
        Some(Ceiling { per_s: per_s / design.worst(&of), replicas })
    };
    let evenings: Vec<f64> =
        days(SimDuration::ZERO, end).map(|day| story.growth.at(years(day)).evening_per_s).collect();
    let largest = carried(evenings.iter().copied().reduce(f64::max)?)?.per_s;
    let most = evenings.into_iter().filter_map(carried).max_by(|a, b| a.per_s.total_cmp(&b.per_s))?;
    (most.per_s > 1.01 * largest).then_some(most)
}
