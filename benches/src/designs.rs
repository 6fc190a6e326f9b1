//! W1 to W6 as designs.

use indexmap::IndexMap;
use models::blueprint::{Blueprint, CallPolicy, Layout, Processor, Queue, Service, Step};
use models::check::check;
use models::distribution::Distribution;
use models::policy::{Backoff, Deadline, Retry};
use models::topology::Topology;
use models::workload::rate::Match;
use models::workload::{Arrivals, Balking, Client, Rate, Workload};
use sim_core::time::SimDuration;
use std::sync::Arc;

/// W1 and W2: M/M/c with a mean service time of 1 s.
pub fn servers(servers: u32, rate: f64) -> Arc<Topology> {
    let web = service(1, Processor::Servers(servers.into()), vec![work("1s")]);
    design([("web", web)], client(poisson(rate), "web.get"))
}

/// W3: users who think 10 s; a balancer of 1 ms without contention, 64 replicas of 16 servers with 20 ms and
/// 8 of 64 with 5 ms, each asked in turn. A server is held for the length of its work.
pub fn three_tiers(users: u32) -> Arc<Topology> {
    tiers(client(closed(users), "lb.get"))
}

/// W4: W3 with a client timeout and one retry armed on every request.
pub fn three_tiers_with_timeouts(users: u32) -> Arc<Topology> {
    let retry = Retry { max: 1.into(), backoff: Backoff::Constant(duration("50ms").into()), budget: None };
    let timeout = Some(duration("1s").into());
    tiers(Client { timeout, retry: Some(retry), ..client(closed(users), "lb.get") })
}

fn tiers(users: Client) -> Arc<Topology> {
    let lb = service(1, Processor::Infinite, vec![work("1ms"), Step::Call("app.get".into())]);
    let app = Service {
        threads: Some(1_000_000.into()),
        ..service(64, Processor::Servers(16.into()), vec![work("20ms"), Step::Call("db.get".into())])
    };
    let db = service(8, Processor::Servers(64.into()), vec![work("5ms")]);
    design([("lb", lb), ("app", app), ("db", db)], users)
}

/// W5: the World Cup night on 6 servers.
pub fn world_cup_night() -> Arc<Topology> {
    let app = Service {
        threads: Some(32.into()),
        queue: Queue { layout: Layout::Shared, ..Queue::default() },
        calls: IndexMap::from([("db".to_owned(), CallPolicy { pool: Some(8.into()), ..CallPolicy::default() })]),
        ..service(6, Processor::Cores(4.into()), vec![work("35ms"), Step::Call("db.get".into())])
    };
    let db = service(1, Processor::Usl { sigma: 0.03.into(), kappa: 0.001.into() }, vec![work("12ms")]);
    let backoff = Backoff::Drawn(Distribution::Exponential(duration("2s").into()));
    let visitors = Client {
        timeout: Some(duration("3s").into()),
        retry: Some(Retry { max: 2.into(), backoff, budget: None }),
        ..client(Arrivals::Poisson(Rate::Match(Match::evening(450.0))), "app.get")
    };
    design([("app", app), ("db", db)], visitors)
}

/// W6: 500,000 requests a second on two hops, about 100,000 of them in flight: a stage of 150 ms without
/// contention, then 64 replicas with 50 ms at a utilisation of 0.9; a client timeout of 1 s armed on each.
pub fn many_in_flight() -> Arc<Topology> {
    let front = service(1, Processor::Infinite, vec![work("150ms"), Step::Call("back.get".into())]);
    let back = service(64, Processor::Servers(434.into()), vec![work("50ms")]);
    let users = Client { timeout: Some(duration("1s").into()), ..client(poisson(500_000.0), "front.get") };
    design([("front", front), ("back", back)], users)
}

/// Many requests that a service without contention holds for long: for memory.
pub fn waiting_room(rate: f64, stay: &str) -> Arc<Topology> {
    let room = service(1, Processor::Infinite, vec![work(stay)]);
    design([("room", room)], client(poisson(rate), "room.get"))
}

/// A server that hardly does anything, and clients who give up after a second.
pub fn hopeless(rate: f64) -> Arc<Topology> {
    let web = service(1, Processor::Servers(1.into()), vec![work("1h")]);
    design([("web", web)], Client { timeout: Some(duration("1s").into()), ..client(poisson(rate), "web.get") })
}

fn duration(text: &str) -> SimDuration {
    text.parse().expect("a duration")
}

fn work(mean: &str) -> Step {
    Step::Work(Distribution::Exponential(duration(mean).into()))
}

fn service(replicas: u32, processor: Processor, get: Vec<Step>) -> Service {
    Service {
        replicas: replicas.into(),
        start: Default::default(),
        scaler: None,
        speeds: Vec::new(),
        processor,
        threads: None,
        admission: Default::default(),
        queue: Queue::default(),
        balancer: Default::default(),
        health: None,
        drain: None,
        calls: IndexMap::new(),
        caches: IndexMap::new(),
        endpoints: IndexMap::from([("get".to_owned(), get)]),
    }
}

fn poisson(rate: f64) -> Arrivals {
    Arrivals::Poisson(Rate::Constant(rate.into()))
}

fn closed(users: u32) -> Arrivals {
    Arrivals::Closed { users: users.into(), think: Distribution::Exponential(duration("10s").into()) }
}

fn client(arrivals: Arrivals, asks: &str) -> Client {
    Client {
        arrivals,
        mix: IndexMap::from([(asks.to_owned(), 1.0.into())]),
        priority: 0.into(),
        balking: Balking::Never,
        patience: None,
        timeout: None,
        cancel: false,
        retry: None,
        hedge: None,
        breaker: None,
        bulkhead: None,
        deadline: Deadline::Own,
    }
}

fn design<const N: usize>(services: [(&str, Service); N], client: Client) -> Arc<Topology> {
    let blueprint = Blueprint {
        services: services.into_iter().map(|(name, s)| (name.to_owned(), s)).collect(),
        ..Blueprint::default()
    };
    let workload = Workload { clients: IndexMap::from([("users".to_owned(), client)]) };
    Arc::new(check(&blueprint, &workload, &IndexMap::new()).expect("the design is sound"))
}
