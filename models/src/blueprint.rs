//! A design as written: services and what each does for a request.
//!
//! One kind of element so far, the service. A database with contention is a service whose
//! processor is [`Processor::Usl`]; a sharded database is a service whose replicas are its shards
//! and whose balancer is [`Balancer::ByKey`].

use crate::catalogue::Entry;
use crate::distribution::Distribution;
use crate::given::Given;
use crate::policy::{
    Admission, Balancer, Breaker, Cache, Deadline, Discipline, Drop, Health, Hedge, Retry, Scaler, Start,
};
use crate::times::Times;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// All services of a design, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blueprint {
    /// Machines whose processors several services share, by name.
    #[serde(default)]
    pub hosts: IndexMap<String, Host>,
    /// The services; their order is the order of every report.
    pub services: IndexMap<String, Service>,
}

/// Machines whose processors several services share: `"box": (machines: 2, processor: Cores(8))`. A service
/// stands on it by `processor: Host(name: "box")`; its replica i then works on machine i, counted from 0 and
/// beginning anew after the last machine. What a service holds of its own are threads; this is what they work
/// with, the processor of a layered queueing network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// How many machines there are.
    #[serde(default = "one")]
    pub machines: Given<u32>,
    /// The processor of each machine: `Servers(n)`, first come first served by work step, `Cores(n)` or
    /// `Infinite`.
    pub processor: Processor,
    /// How fast each machine works: at 2 all work takes half as long.
    #[serde(default = "same")]
    pub speed: Given<f64>,
}

/// A service: replicas that hold requests in threads and work on them with processors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How many replicas there are at the start.
    #[serde(default = "one")]
    pub replicas: Given<u32>,
    /// How replicas start that were not there from the beginning.
    #[serde(default)]
    pub start: Start,
    /// Who decides how many replicas there are while it runs; left out, the timeline alone.
    #[serde(default)]
    pub scaler: Option<Scaler>,
    /// What works on requests in each replica.
    #[serde(default)]
    pub processor: Processor,
    /// How fast the processors of each replica work: `[1.0, 0.5]` for every second one at half speed. The
    /// list begins anew after its last. Left out, 1.
    #[serde(default)]
    pub speeds: Vec<Given<f64>>,
    /// How many requests a replica holds at once, from admission to reply, also while it waits for
    /// calls. Left out, `Servers(n)` holds n, every other processor any number.
    #[serde(default)]
    pub threads: Option<Given<u32>>,
    /// What is taken in at all; what is not is rejected.
    #[serde(default)]
    pub admission: Admission,
    /// Where requests wait for a thread.
    #[serde(default)]
    pub queue: Queue,
    /// How a replica is chosen for a request.
    #[serde(default)]
    pub balancer: Balancer,
    /// How the balancer learns which replicas are healthy; left out, it knows at once who has crashed.
    #[serde(default)]
    pub health: Option<Health>,
    /// How long a replica that is taken away may finish what it has, before it is killed and the rest is lost;
    /// left out, as long as it takes.
    #[serde(default)]
    pub drain: Option<Given<SimDuration>>,
    /// How this service calls others, by the name of the service called. A service that is not
    /// listed is called without pool, timeout or retry.
    #[serde(default)]
    pub calls: IndexMap<String, CallPolicy>,
    /// What the service holds of others so that it need not ask them, by name.
    #[serde(default)]
    pub caches: IndexMap<String, Cache>,
    /// What the service does for a request, by endpoint.
    pub endpoints: IndexMap<String, Vec<Step>>,
}

fn one() -> Given<u32> {
    1.into()
}

fn same() -> Given<f64> {
    1.0.into()
}

/// What works on requests inside one replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Processor {
    /// n servers, first come first served but for `PreemptivePriority`. Without `threads` a request keeps its server until the
    /// reply, also during calls; with `threads` it keeps it for the length of a work step.
    Servers(Given<u32>),
    /// n cores shared equally: with k requests at work each advances at rate min(1, n/k).
    Cores(Given<u32>),
    /// A database under contention, the universal scalability law (Gunther 1993): with n requests at
    /// work it completes n/(D(1 + sigma(n-1) + kappa n(n-1))) a second in all, shared equally.
    Usl {
        /// Contention: the share of work that cannot overlap.
        sigma: Given<f64>,
        /// Coherence: the cost of every pair keeping in step.
        kappa: Given<f64>,
    },
    /// No contention: each request advances as if alone.
    Infinite,
    /// The processor of a machine that other services work on too, one of the `hosts`. It is held for the length
    /// of a work step, never during calls; threads are the service's own.
    Host {
        /// Which of the `hosts`.
        name: String,
        /// On `Cores`: how much of a core a visit of this service gets for each that one of weight 1 gets, at
        /// most a whole core. That is discriminatory processor sharing (Kleinrock 1967): the weight is each
        /// visit's, so that a service with more visits at work gets more.
        #[serde(default = "same")]
        weight: Given<f64>,
    },
}

impl Default for Processor {
    fn default() -> Self {
        Self::Servers(1.into())
    }
}

/// Where requests wait for a thread, who of them is next, and which are dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// One queue for each replica, or one for all.
    #[serde(default)]
    pub layout: Layout,
    /// Who of those that wait is next.
    #[serde(default)]
    pub discipline: Discipline,
    /// How many may wait, per replica or in all according to the layout; left out, any number.
    #[serde(default)]
    pub cap: Option<Given<u32>>,
    /// Which requests are dropped when their turn comes.
    #[serde(default)]
    pub drop: Drop,
}

/// How many queues a service has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Layout {
    /// The balancer chooses a replica on arrival; each replica has its own queue.
    #[default]
    PerReplica,
    /// One queue; its head goes to a free thread, among several to the replica that holds the fewest
    /// requests, ties by draw.
    Shared,
}

impl Layout {
    /// Every layout there is.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "PerReplica",
            example: "PerReplica",
            summary: "each replica has its own queue; the balancer chooses on arrival",
        },
        Entry { name: "Shared", example: "Shared", summary: "one queue for all; its head goes to a free thread" },
    ];
}

/// One thing a service does for a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Step {
    /// Needs the processor for this long: `Work(Exponential("35ms"))`.
    Work(Distribution),
    /// Time passes without any processor: `Delay(Constant("1ms"))`.
    Delay(Distribution),
    /// Asks another service and waits for the reply: `Call("db.query")`.
    Call(String),
    /// Hands over to another service and goes on at once, whatever becomes of it:
    /// `Send("push.notify")`. No pool, timeout or retry applies.
    Send(String),
    /// Does all branches at once and waits for the last to end; fails if one fails.
    Parallel(Vec<Vec<Step>>),
    /// Does one of the branches; their probabilities add up to 1.
    Branch(Vec<(Given<f64>, Vec<Step>)>),
    /// Does the steps with this probability: `Maybe(0.1, [Call("db.query")])`.
    Maybe(Given<f64>, Vec<Step>),
    /// Looks up a key in a cache of the service and goes on if it is there; otherwise does the steps and stores
    /// it, unless they fail: `Lookup(cache: "users", miss: [Call("db.query")])`.
    Lookup {
        /// The cache, one of the service's own.
        cache: String,
        /// What is done to fetch a key.
        #[serde(default)]
        miss: Vec<Step>,
    },
    /// Does all branches at once and goes on when `need` of them have ended well; the others run on, with
    /// nobody waiting and without the visit's thread. Fails as soon as too many have failed.
    Quorum {
        /// How many must end well; with 1 the first wins.
        need: Given<u32>,
        /// The branches.
        of: Vec<Vec<Step>>,
    },
    /// Does the steps several times, one after the other: `Repeat(3, [...])`, `Repeat(Poisson(mean: 2), [...])`.
    Repeat(Times, Vec<Step>),
    /// The caller gets its reply now, and the visit goes on with the rest, keeping its thread: work after
    /// the reply, the second phase of a layered queueing network.
    Reply,
    /// Fails with this probability, by an error of the service's own: `Fail(0.01)`.
    Fail(Given<f64>),
}

/// How one service calls another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallPolicy {
    /// Connections that each replica of the caller has. A call first takes a connection, waiting for
    /// one first come first served, and keeps it until the reply, even if it gives up before. Left
    /// out, any number.
    #[serde(default)]
    pub pool: Option<Given<u32>>,
    /// How long the caller waits, from the start of the attempt, waiting for a connection included;
    /// left out, for ever.
    #[serde(default)]
    pub timeout: Option<Given<SimDuration>>,
    /// Whether giving up also stops the work downstream.
    #[serde(default)]
    pub cancel: bool,
    /// Whether and how a failed attempt is repeated.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Whether and when an attempt without a reply is sent once more.
    #[serde(default)]
    pub hedge: Option<Hedge>,
    /// Whether calls fail at once after too many failures.
    #[serde(default)]
    pub breaker: Option<Breaker>,
    /// Most calls under way at once, waiting for a connection included, from one replica of the caller or one
    /// client population; more fail at once. Left out, any number.
    #[serde(default)]
    pub bulkhead: Option<Given<u32>>,
    /// Whether the timeout is told to all calls that this one causes.
    #[serde(default)]
    pub deadline: Deadline,
}

impl Step {
    /// Every kind of step there is.
    pub const ALL: &[Entry] = &[
        Entry {
            name: "Work",
            example: "Work(Exponential(\"35ms\"))",
            summary: "needs the processor of its replica for this long",
        },
        Entry { name: "Delay", example: "Delay(Constant(\"1ms\"))", summary: "time passes without any processor" },
        Entry {
            name: "Call",
            example: "Call(\"db.query\")",
            summary: "asks another service and waits for the reply, keeping its thread",
        },
        Entry {
            name: "Send",
            example: "Send(\"push.notify\")",
            summary: "hands over to another service and goes on at once",
        },
        Entry {
            name: "Parallel",
            example: "Parallel([[Call(\"a.get\")], [Call(\"b.get\")]])",
            summary: "does all branches at once, waits for the last, fails if one fails",
        },
        Entry {
            name: "Branch",
            example: "Branch([(0.9, [Work(Constant(\"1ms\"))]), (0.1, [Call(\"db.query\")])])",
            summary: "does one of the branches; probabilities add up to 1",
        },
        Entry {
            name: "Maybe",
            example: "Maybe(0.1, [Call(\"db.query\")])",
            summary: "does the steps with this probability",
        },
        Entry {
            name: "Lookup",
            example: "Lookup(cache: \"users\", miss: [Call(\"db.query\")])",
            summary: "looks up a key in a cache of the service; on a miss does the steps and stores it",
        },
        Entry {
            name: "Quorum",
            example: "Quorum(need: 1, of: [[Call(\"a.get\")], [Call(\"b.get\")]])",
            summary: "does all branches at once, goes on when enough have ended well, lets the others run on",
        },
        Entry {
            name: "Repeat",
            example: "Repeat(3, [Call(\"db.query\")])",
            summary: "does the steps several times, or Geometric(mean: 2.5) or Poisson(mean: 2) times",
        },
        Entry { name: "Reply", example: "Reply", summary: "replies now and goes on with the rest, keeping its thread" },
        Entry { name: "Fail", example: "Fail(0.01)", summary: "fails with this probability" },
    ];
}

impl Processor {
    /// Every kind of processor there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Servers", example: "Servers(4)", summary: "n servers, first come first served" },
        Entry { name: "Cores", example: "Cores(4)", summary: "n cores shared equally" },
        Entry {
            name: "Usl",
            example: "Usl(sigma: 0.03, kappa: 0.001)",
            summary: "a database whose throughput falls when too many connections are in use",
        },
        Entry { name: "Infinite", example: "Infinite", summary: "no contention" },
        Entry {
            name: "Host",
            example: "Host(name: \"box\", weight: 2)",
            summary: "the processor of a machine that other services work on too, one of `hosts`",
        },
    ];
}
