//! A design as run: dense ids, nanoseconds, flat programs. Immutable; made by [`crate::check::check`].

use crate::blueprint::Layout;
use crate::fault::Recurring;
use crate::policy::backoff::BackoffRule;
use crate::policy::cache::CacheSpec;
use crate::policy::discipline::Order;
use crate::policy::guard::Guard;
use crate::policy::hedge::HedgeSpec;
use crate::policy::start::{Cold, Machines};
use crate::policy::{Admission, Balancer, Budget, Drop, Health, Scaler};
use crate::workload::balking::BalkingRule;
use crate::workload::{Batch, Count, Mmpp, Rate, Trace};
use sim_core::dist::Dist;
use sim_core::time::SimDuration;

/// A checked system of services and clients.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Services, in the order written.
    pub services: Vec<ServiceSpec>,
    /// Machines that services share, in the order written.
    pub hosts: Vec<HostSpec>,
    /// Endpoints of all services.
    pub endpoints: Vec<EndpointSpec>,
    /// The programs of all endpoints, one after the other.
    pub ops: Vec<Op>,
    /// Every place from which something is called.
    pub sites: Vec<Site>,
    /// Client populations, in the order written.
    pub clients: Vec<ClientSpec>,
    /// Whether some population is more urgent than others.
    pub prioritised: bool,
    /// Faults that come again and again.
    pub recurring: Vec<Recurring>,
}

/// No limit.
pub const UNLIMITED: u32 = u32::MAX;

/// The greatest priority there is; 0 is the least.
pub const MOST_URGENT: u32 = 15;

/// A service as run.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// Replicas at the start.
    pub replicas: u32,
    /// What works on requests in a replica.
    pub processor: ProcessorSpec,
    /// Most requests a replica holds, or [`UNLIMITED`].
    pub threads: u32,
    /// Whether a request keeps its server from admission to reply.
    pub server_is_thread: bool,
    /// One queue a replica, or one for all.
    pub layout: Layout,
    /// Who of those that wait is next.
    pub order: Order,
    /// Whether the more urgent take the servers of the less urgent.
    pub preempts: bool,
    /// Most requests waiting in a queue, or [`UNLIMITED`].
    pub cap: u32,
    /// What is dropped at dequeue.
    pub drop: Drop,
    /// What is taken in at all.
    pub admission: Admission,
    /// Whether something is not.
    pub selective: bool,
    /// Whether the admission rule, the balancer or outlier detection learns from attempts that end.
    pub adaptive: bool,
    /// Whether the balancer goes by something else than what is true now.
    pub watched: bool,
    /// How a replica is chosen.
    pub balancer: Balancer,
    /// How the balancer learns which replicas are healthy.
    pub health: Option<Health>,
    /// How long a replica that is taken away may finish what it has.
    pub drain: Option<SimDuration>,
    /// How replicas start that were not there from the beginning.
    pub start: StartSpec,
    /// Who decides how many replicas there are while it runs.
    pub scaler: Option<Scaler>,
    /// How many times longer work takes at each replica, by ordinal, beginning anew after the last; empty if it
    /// takes as long everywhere.
    pub slowness: Vec<f64>,
    /// Pools of each replica.
    pub pools: Vec<PoolSpec>,
    /// Retry budgets of each replica.
    pub budgets: Vec<Budget>,
    /// Guards of each replica.
    pub guards: Vec<Guard>,
    /// Caches of each replica, or of all in common.
    pub caches: Vec<CacheSpec>,
}

/// Machines that services share, as run.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSpec {
    /// Its name.
    pub name: String,
    /// How many machines.
    pub machines: u32,
    /// The processor of each: servers, cores, or no contention.
    pub processor: ProcessorSpec,
    /// The services that work on it, in the order written.
    pub services: Vec<u16>,
    /// The number of its first machine among those of all hosts.
    pub first: u32,
}

/// How a replica starts, as run.
#[derive(Clone, Debug, Default)]
pub struct StartSpec {
    /// Until it takes requests.
    pub takes: Option<Dist>,
    /// How much slower it is at first.
    pub cold: Option<Cold>,
    /// The machines it needs.
    pub machines: Option<Machines>,
    /// How long after a crash another starts.
    pub restart: Option<SimDuration>,
}

/// A processor as run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProcessorSpec {
    /// FIFO servers.
    Servers(u32),
    /// Cores under processor sharing.
    Cores(u32),
    /// Universal scalability law.
    Usl {
        /// Contention.
        sigma: f64,
        /// Coherence.
        kappa: f64,
    },
    /// No contention.
    Infinite,
    /// That of a machine which services share.
    Hosted {
        /// Which of [`Topology::hosts`].
        host: u16,
        /// Which of [`HostSpec::services`] this is.
        member: u16,
        /// How much of a shared core each of its visits gets, for each that one of weight 1 gets.
        weight: f64,
    },
}

impl ProcessorSpec {
    /// How many times longer each of `n` requests at work takes than alone.
    pub fn slowdown(&self, n: u32) -> f64 {
        let n = f64::from(n);
        match *self {
            Self::Servers(_) | Self::Infinite | Self::Hosted { .. } => 1.0,
            Self::Cores(cores) => (n / f64::from(cores)).max(1.0),
            Self::Usl { sigma, kappa } => 1.0 + (n - 1.0) * (sigma + kappa * n),
        }
    }

    /// How much work `replicas` of them get done in a second, with so many requests at work spread over them as
    /// evenly as can be: some replicas have one more than the others if the numbers do not divide.
    pub fn work_per_second(&self, replicas: f64, at_work: f64) -> f64 {
        let each = if replicas > 0.0 { at_work / replicas } else { return 0.0 };
        let of_one = |n: f64| if n > 0.0 { n / self.slowdown(n as u32) } else { 0.0 };
        let (fewer, share) = (each.floor(), each.fract());
        replicas * ((1.0 - share) * of_one(fewer) + share * of_one(fewer + 1.0))
    }

    /// How many requests are worked on at full pace at most, if that is limited.
    pub const fn capacity(&self) -> Option<u32> {
        match *self {
            Self::Servers(n) | Self::Cores(n) => Some(n),
            Self::Usl { .. } | Self::Infinite | Self::Hosted { .. } => None,
        }
    }

    /// The host, if it is that of a machine which services share.
    pub const fn host(&self) -> Option<u16> {
        match *self {
            Self::Hosted { host, .. } => Some(host),
            Self::Servers(_) | Self::Cores(_) | Self::Usl { .. } | Self::Infinite => None,
        }
    }
}

/// Connections of each replica of one service to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// The service called.
    pub callee: u16,
    /// Connections.
    pub size: u32,
}

/// An endpoint as run.
#[derive(Clone, Debug)]
pub struct EndpointSpec {
    /// Its service.
    pub service: u16,
    /// Its name.
    pub name: String,
    /// Where its program starts in [`Topology::ops`].
    pub entry: u32,
}

/// One instruction of an endpoint's program.
#[derive(Clone, Debug)]
pub enum Op {
    /// Needs the processor for a drawn time.
    Work {
        /// The demand.
        demand: Dist,
        /// Purpose and ordinal of the draw.
        draw: u64,
    },
    /// Lets a drawn time pass.
    Delay {
        /// The time.
        time: Dist,
        /// Purpose and ordinal of the draw.
        draw: u64,
    },
    /// Calls and waits.
    Call(u16),
    /// Hands over and goes on.
    Send(u16),
    /// Goes on at one of the targets: the first whose cumulative probability exceeds the draw.
    Branch {
        /// Cumulative probability and target.
        targets: Box<[(f64, u32)]>,
        /// Purpose and ordinal of the draw.
        draw: u64,
    },
    /// Starts a branch at each target; goes on after all have ended.
    Parallel {
        /// Where each branch starts.
        targets: Box<[u32]>,
        /// Where to go on.
        join: u32,
    },
    /// Looks up a key: goes on at the next instruction to fetch it, or at [`Lookup::hit`] if it is there.
    Lookup(Lookup),
    /// Stores the key that the same lookup has missed.
    Store(Lookup),
    /// Starts a branch at each target; goes on after so many have ended well.
    Quorum {
        /// Where each branch starts.
        targets: Box<[u32]>,
        /// How many must end well.
        need: u16,
        /// Where to go on.
        join: u32,
    },
    /// The reply goes out; the visit goes on.
    Reply,
    /// Fails with this probability.
    Fail {
        /// The probability.
        p: f64,
        /// Purpose and ordinal of the draw.
        draw: u64,
    },
    /// Goes on elsewhere.
    Goto(u32),
    /// The program, or a branch of [`Op::Parallel`], ends.
    End,
}

/// A lookup of a key in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The cache, among those of the service.
    pub cache: u16,
    /// Where a visit goes on that has found the key.
    pub hit: u32,
    /// Names the draw of the key, and others of this lookup.
    pub draw: u64,
}

/// Who calls at a [`Site`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client population.
    Client(u16),
    /// A service.
    Service(u16),
}

/// A place from which something is called, with the caller's policy.
#[derive(Clone, Debug)]
pub struct Site {
    /// Who calls.
    pub caller: Caller,
    /// The service called.
    pub callee: u16,
    /// The endpoint called.
    pub endpoint: u16,
    /// Where the endpoint's program starts in [`Topology::ops`].
    pub entry: u32,
    /// Whether calls made here need nothing remembered at the caller: there is no policy, and nothing in the
    /// design cancels.
    pub direct: bool,
    /// Names this call among all of its caller's: callee, endpoint, and which call to it this is.
    pub path: u64,
    /// Index of the pool among the caller's, if there is one.
    pub pool: Option<u16>,
    /// How long an attempt is waited for.
    pub timeout: Option<SimDuration>,
    /// Whether giving up stops the work downstream.
    pub cancel: bool,
    /// Whether failed attempts are repeated.
    pub retry: Option<RetrySpec>,
    /// Whether the caller is a population that may not join.
    pub balks: bool,
    /// Whether the caller is a population whose patience may end while an attempt waits.
    pub patient: bool,
    /// Whether an attempt without a reply is sent once more.
    pub hedge: Option<HedgeSpec>,
    /// Index of the guard among the caller's, if there is one.
    pub guard: Option<u16>,
    /// Whether the timeout is told to all calls that one made here causes.
    pub propagates: bool,
    /// Whether calls made here may have been told of a deadline.
    pub inherits: bool,
}

/// A retry policy as run.
#[derive(Clone, Debug)]
pub struct RetrySpec {
    /// Repeats at most.
    pub max: u8,
    /// Wait before each.
    pub backoff: BackoffRule,
    /// Index of the budget among the caller's, if there is one.
    pub budget: Option<u16>,
}

/// A client population as run.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// Its name.
    pub name: String,
    /// When requests come.
    pub arrivals: ArrivalSpec,
    /// Cumulative share and site of each endpoint asked for.
    pub mix: Vec<(f64, u16)>,
    /// The population's retry budget, if it has one.
    pub budget: Option<Budget>,
    /// How urgent its requests are, up to [`MOST_URGENT`].
    pub priority: u8,
    /// When its requests do not join.
    pub balking: BalkingRule,
    /// How long its attempts wait for a thread, if not for ever.
    pub patience: Option<Dist>,
    /// The population's guard, if it has one.
    pub guard: Option<Guard>,
}

/// Arrivals as run.
#[derive(Clone, Debug)]
pub enum ArrivalSpec {
    /// Poisson with a rate that may change.
    Poisson(Rate),
    /// Independent intervals.
    Renewal(Dist),
    /// Poisson with a rate that changes at random.
    Mmpp(Mmpp),
    /// Several at a time.
    Batch(Batch),
    /// A few requests one after the other.
    Sessions {
        /// Sessions that begin in a second.
        rate: Rate,
        /// Requests of each.
        requests: Count,
        /// Think time.
        think: Dist,
    },
    /// Counts per bin.
    Trace {
        /// The counts.
        trace: Trace,
        /// Scale.
        factor: f64,
    },
    /// Users who wait for each answer.
    Closed {
        /// How many.
        users: u32,
        /// Think time.
        think: Dist,
    },
}

impl Topology {
    /// The id of a service.
    pub fn service(&self, name: &str) -> Option<u16> {
        self.services.iter().position(|s| s.name == name).map(|i| i as u16)
    }

    /// `service.endpoint`.
    pub fn endpoint_name(&self, endpoint: u16) -> String {
        let endpoint = &self.endpoints[usize::from(endpoint)];
        format!("{}.{}", self.services[usize::from(endpoint.service)].name, endpoint.name)
    }

    /// Why `next` cannot take the place of this topology while it runs: names, steps and populations
    /// must be the same, numbers may differ.
    pub fn refuses(&self, next: &Self) -> Option<String> {
        let health = |h: &Health| (h.checks.is_some(), h.outliers.is_some());
        let service = |s: &ServiceSpec| {
            let health = s.health.as_ref().map(health);
            (s.name.clone(), s.layout, s.server_is_thread, s.preempts, s.scaler.is_some(), health)
        };
        let services = |t: &Self| t.services.iter().map(service).collect::<Vec<_>>();
        let endpoints = |t: &Self| t.endpoints.iter().map(|e| (e.service, e.name.clone(), e.entry)).collect::<Vec<_>>();
        let ops = |t: &Self| t.ops.iter().map(Op::shape).collect::<Vec<_>>();
        let pools = |t: &Self| {
            let of = |s: &ServiceSpec| s.pools.iter().map(|p| p.callee).collect::<Vec<_>>();
            t.services.iter().map(of).collect::<Vec<_>>()
        };
        let sites = |t: &Self| {
            let of =
                |s: &Site| (s.caller, s.endpoint, s.path, s.pool, s.retry.as_ref().and_then(|r| r.budget), s.guard);
            t.sites.iter().map(of).collect::<Vec<_>>()
        };
        let kinds = |t: &Self| {
            let processors = t.services.iter().map(|s| std::mem::discriminant(&s.processor));
            (processors.collect::<Vec<_>>(), t.services.iter().map(|s| s.budgets.len()).collect::<Vec<_>>())
        };
        let caches = |t: &Self| {
            let of = |c: &CacheSpec| (c.name.clone(), c.shared, c.is_analytic());
            t.services.iter().map(|s| s.caches.iter().map(of).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let clients = |t: &Self| {
            let kind =
                |c: &ClientSpec| (c.name.clone(), std::mem::discriminant(&c.arrivals), c.mix.len(), c.budget.is_some());
            t.clients.iter().map(kind).collect::<Vec<_>>()
        };
        let users = |t: &Self| t.clients.iter().map(ClientSpec::users).collect::<Vec<_>>();
        let states = |t: &Self| t.clients.iter().map(|c| c.arrivals.states()).collect::<Vec<_>>();
        let hosts = |t: &Self| {
            let of =
                |h: &HostSpec| (h.name.clone(), h.machines, std::mem::discriminant(&h.processor), h.services.clone());
            t.hosts.iter().map(of).collect::<Vec<_>>()
        };
        let recurring = |t: &Self| {
            let of = |r: &Recurring| (r.name.clone(), r.service, r.acts.iter().map(std::mem::discriminant).collect());
            t.recurring.iter().map(of).collect::<Vec<(_, _, Vec<_>)>>()
        };
        let same = [
            (recurring(self) == recurring(next), "which faults there are, and what each does,"),
            (services(self) == services(next), "the services, or how one queues or is watched,"),
            (endpoints(self) == endpoints(next) && ops(self) == ops(next), "the steps of an endpoint"),
            (pools(self) == pools(next), "which pools there are"),
            (sites(self) == sites(next), "who calls what, and with which pool, retry budget, breaker or bulkhead,"),
            (kinds(self) == kinds(next), "the kind of a processor, or which retry budgets there are,"),
            (hosts(self) == hosts(next), "the hosts, how many machines each has and who works on them,"),
            (caches(self) == caches(next), "which caches there are, which of them are shared and which analytic,"),
            (clients(self) == clients(next), "the client populations"),
            (users(self) == users(next), "the number of closed users"),
            (states(self) == states(next), "the number of states of arrivals"),
        ];
        same.iter().find(|(same, _)| !same).map(|(_, what)| {
            format!("{what} cannot change while a run is under way; numbers such as sizes, times and rates can")
        })
    }
}

impl Op {
    /// What may not change while programs are under way.
    fn shape(&self) -> (u8, Vec<u32>) {
        match self {
            Self::Work { .. } => (0, vec![]),
            Self::Delay { .. } => (1, vec![]),
            Self::Call(site) => (2, vec![u32::from(*site)]),
            Self::Send(site) => (3, vec![u32::from(*site)]),
            Self::Branch { targets, .. } => (4, targets.iter().map(|t| t.1).collect()),
            Self::Parallel { targets, join } => (5, targets.iter().copied().chain([*join]).collect()),
            Self::Goto(to) => (6, vec![*to]),
            Self::End => (7, vec![]),
            Self::Lookup(lookup) => (8, vec![u32::from(lookup.cache), lookup.hit]),
            Self::Store(lookup) => (9, vec![u32::from(lookup.cache)]),
            Self::Quorum { targets, join, .. } => (10, targets.iter().copied().chain([*join]).collect()),
            Self::Reply => (11, vec![]),
            Self::Fail { .. } => (12, vec![]),
        }
    }
}

impl ClientSpec {
    /// How many closed users there are; 0 for an open population.
    pub const fn users(&self) -> u32 {
        match self.arrivals {
            ArrivalSpec::Closed { users, .. } => users,
            _ => 0,
        }
    }
}

impl ArrivalSpec {
    /// The rate at which something comes, requests, batches or sessions, where that is a Poisson process.
    pub const fn rate(&self) -> Option<&Rate> {
        match self {
            Self::Poisson(rate) | Self::Batch(Batch { rate, .. }) | Self::Sessions { rate, .. } => Some(rate),
            Self::Renewal(_) | Self::Mmpp(_) | Self::Trace { .. } | Self::Closed { .. } => None,
        }
    }

    /// Between how many states its rate changes.
    const fn states(&self) -> usize {
        match self {
            Self::Mmpp(mmpp) => mmpp.0.len(),
            _ => 0,
        }
    }
}
