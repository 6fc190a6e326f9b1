//! Common random numbers: what two designs share, draw by draw, and what they do not.
//!
//! A draw is named by what it is for, so two designs agree on it whenever they ask for the same: the
//! same requests come, at the same instants, for the same endpoints, and need the same work wherever
//! their paths through the services are the same.

mod common;

use common::*;
use models::blueprint::{Processor, Step};
use models::distribution::Distribution;
use models::policy::balancer::PowerOf;
use models::policy::{Balancer, Drop};
use models::probe::{Arrival, Outcome, Probe};
use models::system::Run;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// Who came when and asked for what, and how much work each request needed at each service, in order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Draws {
    names: Vec<String>,
    arrivals: Vec<(SimTime, String, Key)>,
    demands: BTreeMap<(String, u64), Vec<u64>>,
}

impl Draws {
    fn of(run: &Run) -> Self {
        let topology = run.model.topology();
        Self { names: topology.services.iter().map(|s| s.name.clone()).collect(), ..Self::default() }
    }

    /// What each request needed at a service, its pieces in ascending order: which comes first may
    /// depend on the design, how long each takes may not.
    fn at(&self, service: &str) -> BTreeMap<u64, Vec<u64>> {
        let of = self.demands.iter().filter(|((name, _), _)| name == service);
        of.map(|((_, request), demands)| {
            let mut demands = demands.clone();
            demands.sort_unstable();
            (*request, demands)
        })
        .collect()
    }
}

/// Draws, with the topology to name what they are for.
struct Recorder(Draws, std::sync::Arc<models::topology::Topology>);

impl Probe for Recorder {
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        let endpoint = self.1.endpoint_name(self.1.sites[usize::from(arrival.site)].endpoint);
        self.0.arrivals.push((now, endpoint, arrival.request));
    }

    fn demand(&mut self, _: SimTime, service: u16, request: Key, demand: SimDuration) {
        let name = self.0.names[usize::from(service)].clone();
        self.0.demands.entry((name, request.bits())).or_default().push(demand.as_nanos());
    }
}

/// What is drawn in the first ten seconds, and until all that came has been served.
fn draws_of(design: &Design, seed: u64, replication: u64) -> Draws {
    let mut run = design.seeded(seed, replication, vec![]);
    let mut recorder = Recorder(Draws::of(&run), run.model.topology().clone());
    run.run_until(SimTime::from_secs(500), &mut recorder).unwrap();
    assert_eq!(run.model.counts().in_flight(), 0, "everybody has been served");
    recorder.0
}

fn draws(design: &Design) -> Draws {
    draws_of(design, 1, 0)
}

fn drawn(mean: f64) -> Step {
    Step::Work(exponential(mean))
}

/// Pages call the database three times, searches once; both may ask a cache.
fn shop() -> Design {
    let page = [
        drawn(0.010),
        call("db.query"),
        drawn(0.005),
        call("db.query"),
        maybe(0.5, vec![call("cache.get")]),
        call("db.query"),
    ];
    let mut clients = client(poisson_until(40.0, 10.0), "web.page");
    clients.mix.insert("web.search".to_owned(), 0.5.into());
    design()
        .service(
            "web",
            service(cores(2), [])
                .endpoint("page", page)
                .endpoint("search", [drawn(0.020), call("db.query")])
                .but_not("get"),
        )
        .service("db", service(servers(2), []).endpoint("query", [drawn(0.004)]).but_not("get"))
        .service("cache", service(Processor::Infinite, [drawn(0.001)]))
        .client("users", clients)
        .client("others", client(poisson_until(10.0, 10.0), "db.query"))
}

trait Without {
    fn but_not(self, endpoint: &str) -> Self;
}

impl Without for models::blueprint::Service {
    fn but_not(mut self, endpoint: &str) -> Self {
        self.endpoints.shift_remove(endpoint);
        self
    }
}

#[test]
fn equal_arguments_give_equal_draws_and_other_seeds_and_replications_give_others() {
    let once = draws(&shop());
    assert!(once.arrivals.len() > 400);
    assert_eq!(once, draws(&shop()));
    let others = [draws_of(&shop(), 2, 0), draws_of(&shop(), 1, 1), draws_of(&shop(), 0, 1)];
    for (i, other) in others.iter().enumerate() {
        let times = |d: &Draws| d.arrivals.iter().map(|a| a.0).collect::<Vec<_>>();
        assert_ne!(times(&once), times(other), "{i}");
        // No request and no amount of work in common either: both are of 64 bits, or nearly so.
        let keys: Vec<Key> = other.arrivals.iter().map(|a| a.2).collect();
        assert!(once.arrivals.iter().all(|a| !keys.contains(&a.2)), "{i}");
        let all = |d: &Draws| d.demands.values().flatten().copied().collect::<Vec<_>>();
        let (mine, theirs) = (all(&once), all(other));
        // Some 2000 times 2000 pairs over 10^7 nanoseconds agree by chance: a share of 2000/10^7.
        let common = mine.iter().filter(|d| theirs.contains(d)).count();
        assert!(common * 100 < mine.len(), "{i}: {common} of {}", mine.len());
    }
    assert_ne!(others[0].arrivals, others[2].arrivals);
}

#[test]
fn designs_that_differ_in_numbers_and_policies_see_the_same_requests() {
    let plain = draws(&shop());
    let variants = [
        shop().but(|d| d.of("web").replicas = 5.into()),
        shop().but(|d| d.of("web").processor = servers(3)),
        shop().but(|d| *d.of("web") = d.of("web").clone().threads(2).shared()),
        shop().but(|d| d.of("db").balancer = Balancer::PowerOf(PowerOf { choices: 2.into() })),
        shop().but(|d| d.of("db").queue.drop = Drop::Expired),
        shop().but(|d| *d.of("web") = d.of("web").clone().calling("db", pooled(1).timeout(900_000_000_000))),
    ];
    for (i, variant) in variants.iter().enumerate() {
        let other = draws(variant);
        assert_eq!(plain.arrivals, other.arrivals, "variant {i}: who comes when and asks for what");
        for service in ["web", "db", "cache"] {
            assert_eq!(plain.at(service), other.at(service), "variant {i}: work at {service}");
        }
    }
}

#[test]
fn patience_and_failures_change_no_arrival() {
    let plain = draws(&shop());
    // Most requests of the variants fail or are repeated.
    let variants = [
        shop().but(|d| *d.from("users") = d.from("users").clone().timeout(5_000_000).retries(3, 1_000_000)),
        shop().but(|d| *d.of("db") = d.of("db").clone().cap(0)),
        shop().but(|d| *d.of("web") = d.of("web").clone().calling("db", plainly().timeout(1_000_000).cancels())),
    ];
    for variant in variants {
        assert_eq!(plain.arrivals, draws(&variant).arrivals);
    }
}

#[test]
fn a_service_called_three_times_by_one_request_draws_three_demands() {
    let draws = draws(&shop());
    let mut calls = [0, 0];
    for demands in draws.at("db").values() {
        match demands.len() {
            3 => calls[0] += 1,
            1 => calls[1] += 1,
            n => panic!("{n} calls"),
        }
        let distinct: std::collections::BTreeSet<_> = demands.iter().collect();
        assert_eq!(distinct.len(), demands.len(), "{demands:?}");
    }
    assert!(calls[0] > 100 && calls[1] > 100, "{calls:?}");
    // And the pieces of work of one visit differ too.
    assert!(draws.at("web").values().all(|d| d.len() == 1 || d[0] != d[1]));
}

#[test]
fn the_calls_of_one_request_are_independent() {
    // The correlation of 4000 independent pairs has standard deviation 1/sqrt(4000) = 0.016; four of them.
    let d = design()
        .service("web", service(Processor::Infinite, [drawn(0.01), call("db.get"), call("db.get"), call("other.get")]))
        .service("db", service(Processor::Infinite, [drawn(0.01), drawn(0.01)]))
        .service("other", service(Processor::Infinite, [drawn(0.01)]))
        .client("users", client(poisson_until(400.0, 10.0), "web.get"));
    let draws = draws(&d);
    let rows: Vec<Vec<f64>> = {
        let of = |service: &str, request: u64| draws.demands[&(service.to_owned(), request)].clone();
        let row = |a: &(SimTime, String, Key)| {
            let all = ["web", "db", "other"].map(|s| of(s, a.2.bits())).concat();
            all.into_iter().map(|d| d as f64 * 1e-9).collect::<Vec<_>>()
        };
        draws.arrivals.iter().map(row).collect()
    };
    assert!(rows.iter().all(|r| r.len() == 6));
    let n = rows.len() as f64;
    assert!(n > 3_700.0);
    let mean = |f: &dyn Fn(&Vec<f64>) -> f64| rows.iter().map(f).sum::<f64>() / n;
    for i in 0..6 {
        assert!((mean(&|r| r[i]) - 0.01).abs() < 4.0 * 0.01 / n.sqrt(), "mean of draw {i}");
        for j in 0..i {
            let covariance = mean(&|r| (r[i] - 0.01) * (r[j] - 0.01));
            assert!((covariance / 1e-4).abs() < 4.0 / n.sqrt(), "draws {i} and {j}: {covariance}");
        }
    }
    // Nor is a request's work tied to that of the one before it.
    let pairs = rows.windows(2).map(|w| (w[0][0] - 0.01) * (w[1][0] - 0.01)).sum::<f64>() / n;
    assert!((pairs / 1e-4).abs() < 4.0 / n.sqrt());
}

/// What two users in line, two requests in line, two replications in line and two seeds in line need,
/// and two pieces of work and two calls of one request.
///
/// Pairs are counted in 8 x 8 equally likely cells. Of independent pairs the chi-square with 63 degrees of
/// freedom is above 117.5, and the correlation beyond 4.1 of its standard deviations 1/sqrt(n), with a
/// probability of 0.00004 each: one of these twelve tests fails by chance with one in two thousand seeds.
/// If one pair in ten were of equal numbers, the chi-square would be about 63 + 7 n/100, which is 756.
#[test]
fn draws_of_neighbours_are_independent() {
    const USERS: u64 = 100;
    const REQUESTS: u64 = 100;
    let d = design()
        .service("web", service(Processor::Infinite, [drawn(0.01), drawn(0.01), call("db.get"), call("db.get")]))
        .service("db", service(Processor::Infinite, [drawn(0.01)]))
        .client("users", client(closed(USERS as u32, exponential(0.01)), "web.get"));
    // What the n-th request of a user needs at a service, in the order of its program: as the share of all
    // demands that are smaller.
    let play = |seed, replication| {
        let mut run = d.seeded(seed, replication, vec![]);
        let mut recorder = Recorder(Draws::of(&run), run.model.topology().clone());
        run.run_until(SimTime::from_secs(20), &mut recorder).unwrap();
        let users = Key::root(seed, replication).named("client").named("users");
        move |service: &str, piece: usize, user: u64, n: u64| {
            let of_request = &recorder.0.demands[&(service.to_owned(), users.index(user).index(n).bits())];
            -libm::expm1(-(of_request[piece] as f64 * 1e-9) / 0.01)
        }
    };
    let (one, next_replication, next_seed) = (play(1, 0), play(1, 1), play(2, 0));
    type Draw<'a> = &'a dyn Fn(u64, u64) -> f64;
    let plain: Draw<'_> = &|user, n| one("web", 0, user, n);
    let neighbours: [(&str, Draw<'_>, Draw<'_>); 6] = [
        ("users", plain, &|user, n| plain(user + 1, n)),
        ("requests", plain, &|user, n| plain(user, n + 1)),
        ("replications", plain, &|user, n| next_replication("web", 0, user, n)),
        ("seeds", plain, &|user, n| next_seed("web", 0, user, n)),
        ("pieces of work", plain, &|user, n| one("web", 1, user, n)),
        ("calls", &|user, n| one("db", 0, user, n), &|user, n| one("db", 1, user, n)),
    ];
    let pairs = ((USERS - 1) * REQUESTS) as f64;
    for (name, first, second) in neighbours {
        let mut cells = [0_u32; 64];
        let mut product = 0.0;
        for (user, n) in (0..USERS - 1).flat_map(|user| (0..REQUESTS).map(move |n| (user, n))) {
            let (a, b) = (first(user, n), second(user, n));
            cells[(a * 8.0) as usize * 8 + (b * 8.0) as usize] += 1;
            product += 12.0 * (a - 0.5) * (b - 0.5);
        }
        let expected = pairs / 64.0;
        let off = |n: &u32| (f64::from(*n) - expected) * (f64::from(*n) - expected) / expected;
        let chi_square: f64 = cells.iter().map(off).sum();
        assert!(chi_square < 117.5, "two {name}: {chi_square}");
        assert!(product.abs() < 4.1 * pairs.sqrt(), "two {name}: correlation {}", product / pairs);
    }
}

#[test]
fn a_call_inserted_elsewhere_leaves_the_draws_of_others_alone() {
    let plain = draws(&shop());
    let variants = [
        // Before, between and behind the others; in parallel; handed over; drawn by chance.
        shop().but(|d| d.of("web").endpoints["page"].insert(0, call("audit.get"))),
        shop().but(|d| d.of("web").endpoints["page"].insert(3, send("audit.get"))),
        shop()
            .but(|d| d.of("web").endpoints["page"].push(Step::Parallel(vec![vec![call("audit.get")], vec![delay(5)]]))),
        shop().but(|d| d.of("web").endpoints["page"].push(maybe(0.5, vec![call("audit.get")]))),
        shop().but(|d| d.of("db").endpoints["query"].insert(0, call("audit.get"))),
    ];
    for (i, variant) in variants.iter().enumerate() {
        let mut variant = variant.clone();
        // It stands before all others, so that every dense id is another.
        variant.blueprint.services.shift_insert(0, "audit".to_owned(), service(Processor::Infinite, [drawn(0.003)]));
        let other = draws(&variant);
        assert_eq!(plain.arrivals, other.arrivals, "variant {i}");
        for service in ["web", "db", "cache"] {
            assert_eq!(plain.at(service), other.at(service), "variant {i}: work at {service}");
        }
        assert!(!other.at("audit").is_empty());
    }
}

#[test]
fn a_population_of_its_own_changes_no_other() {
    let plain = draws(&shop());
    let mut more = shop().client("more", client(poisson_until(20.0, 10.0), "web.search"));
    more.workload.clients.swap_indices(0, 2);
    let more = draws(&more);
    let known: std::collections::BTreeSet<u64> = plain.arrivals.iter().map(|a| a.2.bits()).collect();
    let same: Vec<_> = more.arrivals.iter().filter(|a| known.contains(&a.2.bits())).cloned().collect();
    assert_eq!(same, plain.arrivals);
    assert!(more.arrivals.len() > plain.arrivals.len() + 100);
    for service in ["web", "db", "cache"] {
        let of_known: BTreeMap<_, _> = more.at(service).into_iter().filter(|(r, _)| known.contains(r)).collect();
        assert_eq!(of_known, plain.at(service), "work at {service}");
    }
}

#[test]
fn a_repeated_attempt_draws_anew_but_the_same_in_both_worlds() {
    // Each request that needs more than 10 ms is repeated, up to three times.
    let d = |replicas| {
        design()
            .service("web", service(Processor::Infinite, [drawn(0.010)]).replicas(replicas))
            .client("users", client(poisson_until(100.0, 10.0), "web.get").timeout(10_000_000).retries(3, 1_000_000))
    };
    let once = draws(&d(1));
    let mut repeats = 0;
    for demands in once.demands.values() {
        let distinct: std::collections::BTreeSet<_> = demands.iter().collect();
        assert_eq!(distinct.len(), demands.len(), "{demands:?}");
        repeats += demands.len() - 1;
        // All but the last took too long.
        assert!(demands[..demands.len() - 1].iter().all(|&d| d > 10_000_000), "{demands:?}");
    }
    // Of exponential demands the share 1/e is above the mean: about 1000 (1/e + 1/e^2 + 1/e^3) = 553
    // repeats, with a standard deviation of about 30.
    assert!(repeats.abs_diff(553) < 120, "{repeats}");
    assert_eq!(once.demands, draws(&d(3)).demands, "the third attempt in one world is that in the other");
}

#[test]
fn closed_users_ask_the_same_however_fast_they_are_served() {
    // Ordinals are counted by user, so that a faster design does not shift what others ask for.
    let d = |mean: f64| {
        let mut users = client(closed(5, exponential(0.1)), "web.get");
        users.mix.insert("web.other".to_owned(), 1.0.into());
        design()
            .service(
                "web",
                service(servers(2), [drawn(mean)])
                    .endpoint("other", [Step::Work(Distribution::Constant(SimDuration::from_millis(1).into()))]),
            )
            .client("users", users)
    };
    let record = |d: &Design| {
        let mut run = d.run(vec![]);
        let mut recorder = Recorder(Draws::of(&run), run.model.topology().clone());
        run.run_until(SimTime::from_secs(20), &mut recorder).unwrap();
        recorder.0
    };
    let (fast, slow) = (record(&d(0.001)), record(&d(0.300)));
    let asks = |d: &Draws| d.arrivals.iter().map(|a| (a.2.bits(), a.1.clone())).collect::<BTreeMap<_, _>>();
    let (fast, slow) = (asks(&fast), asks(&slow));
    assert!(fast.len() > slow.len() + 100);
    assert!(slow.iter().all(|(request, endpoint)| fast.get(request) == Some(endpoint)));
}

#[test]
fn a_choice_by_key_is_the_requests_own() {
    use models::policy::balancer::{ByKey, Popularity};
    // Replicas by the first of two calls and by the second: a request's key is the same.
    #[derive(Default)]
    struct Keys(BTreeMap<u64, Vec<bool>>);
    impl Probe for Keys {
        fn outcome(&mut self, _: SimTime, o: &Outcome) {
            self.0.entry(o.request.bits()).or_default().push(o.result.is_ok());
        }
    }
    let by_key = Balancer::ByKey(ByKey { keys: 1_000.into(), popularity: Popularity::Zipf { exponent: 0.9.into() } });
    let d = design()
        .service("web", service(Processor::Infinite, [maybe(0.5, vec![drawn(0.01)]), call("db.get")]).replicas(3))
        .service("db", service(Processor::Infinite, [drawn(0.01)]).replicas(4).balanced(by_key))
        .client("users", client(poisson_until(100.0, 10.0), "web.get"));
    let who_fails = |d: &Design| {
        let mut run = d.run(vec![(0, d.kill("db", 1))]);
        let mut keys = Keys::default();
        run.run_until(SimTime::from_secs(20), &mut keys).unwrap();
        keys.0
    };
    let plain = who_fails(&d);
    assert!(plain.values().any(|v| !v[0]) && plain.values().any(|v| v[0]));
    // Another path to the database, another number of replicas in front: the same requests fail.
    let other = d.but(|d| *d.of("web") = service(cores(9), [drawn(0.002), call("db.get"), call("db.get")]).replicas(7));
    assert_eq!(plain, who_fails(&other));
}
