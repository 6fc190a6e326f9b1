//! A story: a product's years, and the designs that carry it, one after the other.
//!
//! ```text
//!  growth ----> users, requests a second, on every day        +--> passages: which design, from when, why
//!                               |                             |
//!  chapters --> designs, sized for the evening, --utilisation law
//!                                                             |
//!  moments ---------------------------------------------------+--> an evening each: a scenario, run
//!                                                                  request by request
//! ```
//!
//! Nothing says when a design gives way to the next: that follows from its trigger, the growth, and
//! what the utilisation law says of the design. What is simulated then is an ordinary scenario
//! ([`LoadedStory::evening`]) that can be taken out, changed and compared like any other.

mod design;
mod evening;
mod html;
mod json;
mod load;
mod passage;
mod play;
mod text;
mod trigger;

pub use design::{Design, Sizing, WrittenDesign};
pub use evening::{Evening, Push};
pub use load::LoadedStory;
pub use passage::{Ceiling, Full, Outgrown, Passage};
pub use play::{Moment, Options, StoryReport, events, play};
pub use trigger::Trigger;

use crate::growth::Growth;
use crate::scenario::Slo;
use indexmap::IndexMap;
use models::given::Given;
use models::policy::Retry;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A story as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// One line that says what it is.
    #[serde(default)]
    pub title: Option<String>,
    /// What to look for.
    #[serde(default)]
    pub about: Option<String>,
    /// How users and their requests grow.
    pub growth: Growth,
    /// How people ask, of whatever design.
    #[serde(default)]
    pub visitors: Visitors,
    /// The designs, by name.
    pub designs: IndexMap<String, WrittenDesign>,
    /// Which of them is in force when: the first from launch, each other from its trigger on.
    pub chapters: Vec<Chapter>,
    /// When, after launch, an evening is played. The last is the end of the story.
    pub moments: Vec<SimDuration>,
    /// What users are promised.
    #[serde(default)]
    pub slo: Slo,
    /// How evenings are played.
    #[serde(default)]
    pub evening: Evening,
    /// Whether each is played once more with a push, and which.
    #[serde(default)]
    pub push: Option<Push>,
}

/// How people ask, as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Visitors {
    /// How long they wait for one attempt; left out, for ever.
    #[serde(default)]
    pub timeout: Option<Given<SimDuration>>,
    /// Whether giving up also stops the work downstream.
    #[serde(default)]
    pub cancel: bool,
    /// Whether and how they try again.
    #[serde(default)]
    pub retry: Option<Retry>,
}

/// A chapter as written: the time in which a design is in force.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// The design, by its name.
    pub design: String,
    /// What makes it necessary, said of the design in force before; left out in the first chapter,
    /// which begins at launch.
    #[serde(default)]
    pub when: Option<Trigger>,
    /// How much later it is in force.
    #[serde(default)]
    pub lag: Given<SimDuration>,
}
