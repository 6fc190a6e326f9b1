//! When the design in force has been outgrown.

use models::catalogue::Entry;
use models::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A trigger as written.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub enum Trigger {
    /// A figure of the evening is above a level, and has been on every day for so long:
    /// `Evening(figure: "services.db.utilisation.contention", above: 0.8, lasting: "7d")`.
    Evening {
        /// The utilisation of a processor, or of a database under contention, by its path among the
        /// figures of a run. It is read from the utilisation law.
        figure: String,
        /// The level.
        above: Given<f64>,
        /// For how long it has been so.
        #[serde(default)]
        lasting: Given<SimDuration>,
    },
    /// So many people have signed up: `Users(5e6)`.
    Users(Given<f64>),
    /// So long after launch: `Time("2.3y")`.
    Time(Given<SimDuration>),
}

impl Trigger {
    /// Every trigger there is.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "Evening",
            example: "Evening(figure: \"services.db.utilisation.contention\", above: 0.8, lasting: \"7d\")",
            summary: "something of it has been too busy in the evening, for some days on end",
        },
        Entry { name: "Users", example: "Users(5e6)", summary: "so many people have signed up" },
        Entry { name: "Time", example: "Time(\"2.3y\")", summary: "so long after launch" },
    ];
}
