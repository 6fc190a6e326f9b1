//! Observation: typed facts in, numbers out. A probe never influences a run.
//!
//! Every method does nothing by default; a probe takes what it needs. `()` watches nothing, a pair
//! watches with both.

mod digest;
mod events;
mod measure;
pub mod series;

pub use digest::Digest;
pub use events::{Difference, Events};
pub use measure::{
    CacheMeasure, ClientMeasure, HostMeasure, Measure, PoolMeasure, Rental, Rentals, ServiceMeasure, Window,
    WindowMeasure,
};
pub use series::Series;

use crate::event::Event;
use crate::intervention::Act;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// Why an attempt, a visit or a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// Its caller's timeout passed.
    Timeout,
    /// The queue was full.
    Rejected,
    /// It was dropped when its turn came.
    Dropped,
    /// Its replica crashed.
    Crashed,
    /// No replica was there to take it.
    Unreachable,
    /// A service further down failed it.
    Downstream,
    /// It did not join those that were there.
    Balked,
    /// Its patience ended while it waited for a thread.
    Reneged,
    /// The service itself answered with an error.
    Error,
    /// It was not sent: the caller's circuit breaker was open.
    Open,
    /// It was not sent: the caller had too many calls under way.
    Bulkhead,
}

impl Cause {
    /// Every cause, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Timeout,
        Self::Rejected,
        Self::Dropped,
        Self::Crashed,
        Self::Unreachable,
        Self::Downstream,
        Self::Balked,
        Self::Reneged,
        Self::Error,
        Self::Open,
        Self::Bulkhead,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::Dropped => "dropped",
            Self::Crashed => "crashed",
            Self::Unreachable => "unreachable",
            Self::Downstream => "downstream",
            Self::Balked => "balked",
            Self::Reneged => "reneged",
            Self::Error => "error",
            Self::Open => "open",
            Self::Bulkhead => "bulkhead",
        }
    }
}

/// A fresh request.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The population it comes from.
    pub client: u16,
    /// The site, and by it the endpoint, it asks.
    pub site: u16,
    /// Names the request in every design.
    pub request: Key,
}

/// An attempt begins.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// From where.
    pub site: u16,
    /// Names the request.
    pub request: Key,
    /// Which attempt of its call, from 0.
    pub attempt: u8,
}

/// A request is over.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The population it came from.
    pub client: u16,
    /// The site, and by it the endpoint, it asked.
    pub site: u16,
    /// Names the request.
    pub request: Key,
    /// When its first attempt began.
    pub started: SimTime,
    /// Attempts made.
    pub attempts: u8,
    /// Served, or why not; the cause is that of its last attempt.
    pub result: Result<(), Cause>,
}

/// A visit has ended.
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// The service.
    pub service: u16,
    /// From where it was called.
    pub site: u16,
    /// When the attempt arrived at the service.
    pub arrived: SimTime,
    /// Whether it ended well.
    pub ok: bool,
    /// Whether somebody still waited for it.
    pub wanted: bool,
    /// Whether its reply had gone out before, as [`Probe::replied`] has told.
    pub replied: bool,
}

/// A visit looks up a key in a cache.
#[derive(Clone, Copy, Debug)]
pub struct LookedUp {
    /// The service.
    pub service: u16,
    /// The cache, among those of the service.
    pub cache: u16,
    /// The key, from 0, the most popular, up.
    pub key: u32,
    /// Names the request.
    pub request: Key,
    /// What came of it.
    pub found: Found,
}

/// What comes of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Found {
    /// The key is there: the visit goes on.
    Hit,
    /// The key is not there, and the visit fetches it.
    Miss,
    /// The key is not there, and the visit waits for another's fetch of it.
    Waited,
    /// The key is there, and the visit fetches it anew before it expires.
    Refresh,
}

impl Found {
    /// Everything that may come of a lookup.
    pub const ALL: [Self; 4] = [Self::Hit, Self::Miss, Self::Waited, Self::Refresh];
}

/// What a service has, replicas that drain included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Replicas that take requests, or finish what they have.
    pub replicas: u64,
    /// Replicas that start.
    pub starting: u64,
    /// Threads, if limited.
    pub threads: Option<u64>,
    /// Servers or cores, if limited.
    pub processors: Option<u64>,
    /// Connections of each of its pools.
    pub pools: Vec<u64>,
}

/// What a service has to do at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Attempts that wait.
    pub waiting: u32,
    /// Attempts held by threads.
    pub held: u32,
    /// Servers or cores in use; of a contended database, and on the cores of a host, visits at work.
    pub busy: u32,
}

/// Watches a run.
#[expect(unused_variables, reason = "the default methods name their arguments for the reader")]
pub trait Probe {
    /// An event is about to be handled.
    fn event(&mut self, now: SimTime, event: Event) {}
    /// An act from outside applies.
    fn intervened(&mut self, now: SimTime, act: &Act) {}
    /// A client sends a fresh request.
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {}
    /// A request is over.
    fn outcome(&mut self, now: SimTime, outcome: &Outcome) {}
    /// Requests in flight from now on.
    fn in_flight(&mut self, now: SimTime, requests: u64) {}
    /// A client or service begins an attempt.
    fn attempt(&mut self, now: SimTime, attempt: &Attempt) {}
    /// An attempt failed at its caller.
    fn attempt_failed(&mut self, now: SimTime, site: u16, cause: Cause) {}
    /// An attempt reaches a service.
    fn service_arrival(&mut self, now: SimTime, service: u16) {}
    /// An attempt gets a thread after waiting this long, zero included.
    fn admitted(&mut self, now: SimTime, service: u16, waited: SimDuration) {}
    /// An attempt leaves a service without a reply.
    fn turned_away(&mut self, now: SimTime, service: u16, cause: Cause) {}
    /// A visit sends its reply and goes on, this long after its attempt arrived.
    fn replied(&mut self, now: SimTime, service: u16, response: SimDuration) {}
    /// A visit ends.
    fn responded(&mut self, now: SimTime, response: &Response) {}
    /// A visit on behalf of a request needs the processor for this long.
    fn demand(&mut self, now: SimTime, service: u16, request: Key, demand: SimDuration) {}
    /// A visit looks up a key in a cache.
    fn looked_up(&mut self, now: SimTime, lookup: &LookedUp) {}
    /// A shared processor has done this much work for a visit.
    fn shared_work_done(&mut self, now: SimTime, service: u16, demand: SimDuration) {}
    /// Servers or cores of its host that a service uses from now on, on all machines together, in billionths of one.
    fn on_host(&mut self, now: SimTime, service: u16, nanocores: u64) {}
    /// The load of a service from now on: told at the end of an event that changed it.
    fn load(&mut self, now: SimTime, service: u16, load: Load) {}
    /// What a service has from now on.
    fn capacity(&mut self, now: SimTime, service: u16, capacity: &Capacity) {}
    /// How many replicas a service should have from now on.
    fn desired(&mut self, now: SimTime, service: u16, replicas: u32) {}
    /// More (or fewer) connections of a service's pool are in use.
    fn pool(&mut self, now: SimTime, service: u16, pool: u16, change: i32) {}
    /// A call of a service got a connection after waiting this long, zero included.
    fn connected(&mut self, now: SimTime, service: u16, pool: u16, waited: SimDuration) {}
}

impl Probe for () {}

/// Two probes watch the same run.
macro_rules! both {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {
        impl<A: Probe, B: Probe> Probe for (A, B) {
            $(#[inline]
            fn $method(&mut self, now: SimTime, $($argument: $kind),*) {
                self.0.$method(now, $($argument),*);
                self.1.$method(now, $($argument),*);
            })*
        }
    };
}

both! {
    event(event: Event);
    intervened(act: &Act);
    arrival(arrival: &Arrival);
    outcome(outcome: &Outcome);
    in_flight(requests: u64);
    attempt(attempt: &Attempt);
    attempt_failed(site: u16, cause: Cause);
    service_arrival(service: u16);
    admitted(service: u16, waited: SimDuration);
    turned_away(service: u16, cause: Cause);
    replied(service: u16, response: SimDuration);
    responded(response: &Response);
    demand(service: u16, request: Key, demand: SimDuration);
    looked_up(lookup: &LookedUp);
    shared_work_done(service: u16, demand: SimDuration);
    on_host(service: u16, nanocores: u64);
    load(service: u16, load: Load);
    capacity(service: u16, capacity: &Capacity);
    desired(service: u16, replicas: u32);
    pool(service: u16, pool: u16, change: i32);
    connected(service: u16, pool: u16, waited: SimDuration);
}
