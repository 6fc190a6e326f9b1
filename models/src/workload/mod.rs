//! Who asks: client populations as written.

pub mod balking;
pub mod batch;
pub mod count;
pub mod mmpp;
pub mod rate;
pub mod sessions;
pub mod trace;

pub use balking::Balking;
pub use batch::Batch;
pub use count::Count;
pub use mmpp::Mmpp;
pub use rate::Rate;
pub use sessions::Sessions;
pub use trace::{Trace, TraceFile};

use crate::catalogue::Entry;
use crate::distribution::Distribution;
use crate::given::Given;
use crate::policy::{Breaker, Deadline, Hedge, Retry};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// All client populations, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// The populations; their order is the order of every report.
    pub clients: IndexMap<String, Client>,
}

/// A population of clients that behave alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// When requests come.
    pub arrivals: Arrivals,
    /// What they ask for: endpoints as `service.endpoint`, with weights.
    pub mix: IndexMap<String, Given<f64>>,
    /// How urgent its requests and all calls they cause are where the discipline of a queue asks: 0 to 15,
    /// greater is more urgent.
    #[serde(default = "zero")]
    pub priority: Given<u32>,
    /// When a request does not join the service it asks. It is then over, and not repeated.
    #[serde(default)]
    pub balking: Balking,
    /// How long an attempt waits for a thread of the service it asks, drawn anew for each; left out, for ever.
    /// If it has none by then it leaves the queue and has failed. Once it has one only the timeout counts.
    #[serde(default)]
    pub patience: Option<Distribution>,
    /// How long a client waits for one attempt; left out, for ever.
    #[serde(default)]
    pub timeout: Option<Given<SimDuration>>,
    /// Whether giving up also stops the work downstream.
    #[serde(default)]
    pub cancel: bool,
    /// Whether and how a failed attempt is repeated (a refresh, where a person does it).
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Whether and when an attempt without a reply is sent once more.
    #[serde(default)]
    pub hedge: Option<Hedge>,
    /// Whether calls fail at once after too many failures.
    #[serde(default)]
    pub breaker: Option<Breaker>,
    /// Most calls under way at once, waiting for a connection included, of all these clients
    /// together; more fail at once. Left out, any number.
    #[serde(default)]
    pub bulkhead: Option<Given<u32>>,
    /// Whether the timeout is told to all calls that this one causes.
    #[serde(default)]
    pub deadline: Deadline,
}

fn zero() -> Given<u32> {
    0.into()
}

/// When requests come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Arrivals {
    /// Open: a Poisson process with this rate.
    Poisson(Rate),
    /// Open: a renewal process, whose intervals are independent and drawn from this distribution. The
    /// first request comes after one interval: `Renewal(Constant("50ms"))` is a clock.
    Renewal(Distribution),
    /// Open: a Poisson process whose rate changes between states at random instants.
    Mmpp(Mmpp),
    /// Open: several requests at a time.
    Batch(Batch),
    /// Partly open: people who come, ask a few times, waiting for each answer, and leave.
    Sessions(Sessions),
    /// Open: replays a file: counts per second, minute or any bin, or the instant of each request.
    Trace(TraceFile),
    /// Closed: each of `users` thinks, asks, waits for the answer (or its final failure), thinks again.
    Closed {
        /// Number of users.
        users: Given<u32>,
        /// Think time between an answer and the next request; the first request comes after one
        /// think time.
        think: Distribution,
    },
}

impl Arrivals {
    /// Every kind of arrivals there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Poisson", example: "Poisson(Constant(20))", summary: "open, independent of each other" },
        Entry {
            name: "Renewal",
            example: "Renewal(Gamma(mean: \"50ms\", cv: 0.5))",
            summary: "open, with independent intervals: a clock, or of any variability",
        },
        Entry {
            name: "Mmpp",
            example: "Mmpp([(rate: 20, stay: \"30s\"), (rate: 200, stay: \"5s\")])",
            summary: "open, in bursts: the rate changes between states at random instants",
        },
        Entry {
            name: "Batch",
            example: "Batch(rate: Constant(5), size: Geometric(mean: 4))",
            summary: "open, several requests at the same instant",
        },
        Entry {
            name: "Sessions",
            example: "Sessions(rate: Constant(2), requests: Geometric(mean: 8), think: Exponential(\"10s\"))",
            summary: "people who come, ask a few times with thinking in between, and leave",
        },
        Entry {
            name: "Trace",
            example: "Trace(file: \"launch-day.csv\")",
            summary: "open, replays the counts, or the instants, of a file",
        },
        Entry {
            name: "Closed",
            example: "Closed(users: 100, think: Exponential(\"10s\"))",
            summary: "a fixed number of users who wait for each answer and think",
        },
    ];
}
