//! A scenario as written: a design, its clients, what is done to it, and how it is run.

use crate::costs::Costs;
use indexmap::IndexMap;
use models::blueprint::{Blueprint, Host, Service};
use models::distribution::Distribution;
use models::fault::{Per, Which};
use models::given::Given;
use models::workload::{Client, Workload};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// A scenario file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what it is.
    #[serde(default)]
    pub title: Option<String>,
    /// What to look for.
    #[serde(default)]
    pub about: Option<String>,
    /// Machines whose processors several services share, by name.
    #[serde(default)]
    pub hosts: IndexMap<String, Host>,
    /// The services, by name.
    pub services: IndexMap<String, Service>,
    /// The client populations, by name.
    pub clients: IndexMap<String, Client>,
    /// What is done to the system while it runs.
    #[serde(default)]
    pub timeline: Vec<Entry>,
    /// What goes wrong at random, by name.
    #[serde(default)]
    pub faults: IndexMap<String, Fault>,
    /// Stretches of the run that are reported by themselves: from, to. A request belongs to the
    /// window in which it first came.
    #[serde(default)]
    pub windows: IndexMap<String, (SimDuration, SimDuration)>,
    /// Name of the window by which a run counts as collapsed: it serves less than half of what comes
    /// in it. Left out, the last fifth of the run.
    #[serde(default)]
    pub collapse: Option<String>,
    /// What users are promised.
    #[serde(default)]
    pub slo: Slo,
    /// What it costs. Left out, costs are not spoken of.
    #[serde(default)]
    pub costs: Option<Costs>,
    /// How it is run.
    #[serde(default)]
    pub run: RunSettings,
    /// What should come out, checked by `outgrow run`.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// Something done to the system.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it is decided.
    pub at: Given<SimDuration>,
    /// How much later it takes effect.
    #[serde(default)]
    pub lag: Given<SimDuration>,
    /// What is done.
    pub act: Act,
}

impl Entry {
    /// When it takes effect.
    pub fn takes_effect(&self) -> SimDuration {
        self.at.get() + self.lag.get()
    }
}

/// A fault that comes again and again at random: a renewal process of failure and repair. Draws are named by the
/// fault, the replica and how often it has come, so that two designs have the same faults.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// How long it takes from the end of one to the beginning of the next, and from the start to the first.
    pub every: Distribution,
    /// Whether it comes to each replica by itself, or to all in common.
    #[serde(default)]
    pub per: Per,
    /// What is done each time, in order. It is over when the longest is, a crash at once. What hits drawn replicas
    /// of one service hits the same ones.
    pub acts: Vec<Act>,
}

/// What is done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "a file has few of them, and boxes would stand in every pattern")]
pub enum Act {
    /// The service gets this many replicas: missing ones start, surplus ones finish what they have.
    Scale {
        /// The service.
        service: String,
        /// How many replicas.
        to: Given<u32>,
    },
    /// Replicas crash and lose what they hold.
    Kill {
        /// The service.
        service: String,
        /// Which replicas, counted from 0.
        #[serde(default)]
        replicas: Vec<u32>,
        /// Which replicas, drawn, instead of naming them.
        #[serde(default)]
        of: Option<Which>,
        /// Whether callers are refused at once instead of running into their timeouts.
        #[serde(default)]
        refuse: bool,
    },
    /// The processors of replicas stand still, as while garbage is collected or a virtual machine is frozen, and
    /// then go on with what they had begun. Requests keep coming and wait; what needs no processor goes on.
    Pause {
        /// The service.
        service: String,
        /// Which replicas.
        #[serde(default)]
        of: Which,
        /// For how long, drawn once for all that are hit; left out, until `Heal`.
        #[serde(default, rename = "for")]
        lasts: Option<Distribution>,
    },
    /// Work that replicas begin takes longer. A replica has one such factor, the latest.
    Slow {
        /// The service.
        service: String,
        /// Which replicas.
        #[serde(default)]
        of: Which,
        /// How many times longer.
        by: Given<f64>,
        /// For how long, drawn once for all that are hit; left out, until `Heal`.
        #[serde(default, rename = "for")]
        lasts: Option<Distribution>,
    },
    /// Replicas answer some of the attempts with an error instead of doing them: a gray failure of one, a
    /// brown-out of all. A replica fails by one such rule, the latest.
    Fail {
        /// The service.
        service: String,
        /// Which replicas.
        #[serde(default)]
        of: Which,
        /// The share of attempts that fail.
        share: Given<f64>,
        /// At which endpoints, those that write to a full disk for example; left out, at all.
        #[serde(default)]
        endpoints: Vec<String>,
        /// How long each holds its thread before it fails; left out, it fails at once.
        #[serde(default)]
        after: Option<Distribution>,
        /// For how long, drawn once for all that are hit; left out, until `Heal`.
        #[serde(default, rename = "for")]
        lasts: Option<Distribution>,
    },
    /// Replicas neither pause nor are slow nor fail any more.
    Heal {
        /// The service.
        service: String,
        /// Which replicas; `All` are also those that drain.
        #[serde(default)]
        of: Which,
    },
    /// Many of an open population come within a while, besides those who come anyway: clients that were cut off
    /// and connect again. Of a population that asks in sessions, as many sessions begin.
    Herd {
        /// The population.
        client: String,
        /// How many.
        size: Given<u32>,
        /// Within what time, each at an instant drawn uniformly.
        within: Given<SimDuration>,
    },
    /// All caches of the service are emptied.
    Flush {
        /// The service.
        service: String,
    },
    /// A number of a service, a client or a host changes: `Set(path: "services.app.calls.db.pool", to: 2)`. A
    /// changed number of replicas is as a [`Act::Scale`]; a changed factor of a trace counts from its
    /// next bin on.
    Set {
        /// Where it stands in this file, below `services`, `clients` or `hosts`.
        path: String,
        /// Its new value, as it would be written there.
        #[serde(skip_serializing)]
        #[schemars(with = "serde_json::Value")]
        to: IgnoredAny,
    },
}

impl Act {
    /// The service on which something is done, if it is one.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Scale { service, .. }
            | Self::Kill { service, .. }
            | Self::Pause { service, .. }
            | Self::Slow { service, .. }
            | Self::Fail { service, .. }
            | Self::Heal { service, .. }
            | Self::Flush { service } => Some(service),
            Self::Herd { .. } | Self::Set { .. } => None,
        }
    }

    /// Which replicas are hit, if that is said in words.
    pub fn of(&self) -> Option<&Which> {
        match self {
            Self::Kill { of, .. } => of.as_ref(),
            Self::Pause { of, .. } | Self::Slow { of, .. } | Self::Fail { of, .. } | Self::Heal { of, .. } => Some(of),
            Self::Scale { .. } | Self::Flush { .. } | Self::Herd { .. } | Self::Set { .. } => None,
        }
    }

    /// The replicas that are named, and the field in which they are.
    pub(crate) fn named_replicas(&self) -> (&'static str, &[u32]) {
        match (self, self.of()) {
            (_, Some(Which::Only(replicas))) => ("of", replicas),
            (Self::Kill { replicas, .. }, None) => ("replicas", replicas),
            _ => ("of", &[]),
        }
    }

    /// Every act there is.
    pub const ALL: &[models::catalogue::Entry] = &[
        models::catalogue::Entry {
            name: "Scale",
            example: "Scale(service: \"app\", to: 8)",
            summary: "gives a service more or fewer replicas",
        },
        models::catalogue::Entry {
            name: "Kill",
            example: "Kill(service: \"app\", replicas: [0])",
            summary: "replicas crash and lose what they hold; refuse: true lets callers know at once",
        },
        models::catalogue::Entry {
            name: "Pause",
            example: "Pause(service: \"app\", of: One, for: LogNormal(mean: \"80ms\", cv: 1))",
            summary: "processors stand still for a while, then go on where they stopped: a pause to collect garbage",
        },
        models::catalogue::Entry {
            name: "Slow",
            example: "Slow(service: \"app\", of: One, by: 10, for: Constant(\"10min\"))",
            summary: "work takes longer for a while, or until Heal",
        },
        models::catalogue::Entry {
            name: "Fail",
            example: "Fail(service: \"app\", of: One, share: 0.5, for: Constant(\"10min\"))",
            summary: "a share of the attempts fails, at once or after a time, for a while or until Heal",
        },
        models::catalogue::Entry {
            name: "Heal",
            example: "Heal(service: \"app\")",
            summary: "nothing is wrong with replicas any more",
        },
        models::catalogue::Entry {
            name: "Herd",
            example: "Herd(client: \"users\", size: 1000, within: \"1s\")",
            summary: "many come back within a while, besides those who come anyway",
        },
        models::catalogue::Entry {
            name: "Flush",
            example: "Flush(service: \"app\")",
            summary: "empties all caches of a service",
        },
        models::catalogue::Entry {
            name: "Set",
            example: "Set(path: \"services.app.calls.db.pool\", to: 2)",
            summary: "changes any number of a service, client or host while it runs",
        },
    ];
}

/// A service level objective.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slo {
    /// Share of requests that must be good.
    pub objective: Given<f64>,
    /// A request is good if it is served within this time.
    pub threshold: Given<SimDuration>,
    /// The stretch of time over which the objective is promised.
    pub window: Given<SimDuration>,
}

impl Default for Slo {
    fn default() -> Self {
        Self {
            objective: 0.999.into(),
            threshold: SimDuration::from_secs(1).into(),
            window: SimDuration::from_secs(30 * 86_400).into(),
        }
    }
}

/// How a scenario is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSettings {
    /// Requests and levels before this time are not counted.
    pub warm_up: SimDuration,
    /// When the run ends.
    pub horizon: SimDuration,
    /// Names the randomness; equal seeds give equal runs.
    pub seed: u64,
    /// How many independent runs are made; intervals come from their spread.
    pub replications: u32,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self { warm_up: SimDuration::from_secs(60), horizon: SimDuration::from_secs(600), seed: 1, replications: 5 }
    }
}

/// A figure that should come out within bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The figure, by its path in the JSON document of the run: `metrics.availability`,
    /// `services.db.utilisation.processor`, `windows.late.availability`.
    pub figure: String,
    /// The least it should be.
    #[serde(default)]
    pub least: Option<f64>,
    /// The most it should be.
    #[serde(default)]
    pub most: Option<f64>,
    /// What that shows.
    #[serde(default)]
    pub shows: Option<String>,
}

impl Scenario {
    /// The design.
    pub fn blueprint(&self) -> Blueprint {
        Blueprint { hosts: self.hosts.clone(), services: self.services.clone() }
    }

    /// Plays another trace than its own, to the end: what it says of windows and of what should come
    /// out speaks of its own trace.
    pub(crate) fn play(&mut self, length: SimDuration) {
        self.run.horizon = length;
        self.collapse = None;
        self.windows.clear();
        self.expect.clear();
    }

    /// The clients.
    pub fn workload(&self) -> Workload {
        Workload { clients: self.clients.clone() }
    }
}
