//! What caches do, to the nanosecond: who fetches, who waits, who finds what; and the theory of stampedes.
//!
//! With one key every lookup asks for it, so that nothing is left to chance.

mod common;

use common::*;
use models::blueprint::{CallPolicy, Processor, Service, Step};
use models::policy::balancer::{ByKey, Popularity};
use models::policy::refresh::Early;
use models::policy::{Balancer, Cache, KeyOf, Refresh};
use models::probe::Cause::{self, Crashed, Downstream, Timeout};
use models::probe::Found::{self, Hit, Miss, Refresh as Anew, Waited};
use models::system::{LimitError, Limits, System};
use sim_core::random::Key;
use std::collections::BTreeMap;

const OK: Result<(), Cause> = Ok(());

fn single_flight(keys: u32) -> Cache {
    Cache { single_flight: true, ..cache(keys) }
}

fn ttl(cache: Cache, n: u64) -> Cache {
    Cache { ttl: Some(ns(n).into()), ..cache }
}

/// `web` looks a key up and asks `db` for it on a miss, which takes 100.
fn web(cache: Cache, policy: CallPolicy) -> Service {
    service(Processor::Infinite, [lookup("c", vec![call("db.get")])]).caching("c", cache).calling("db", policy)
}

fn web_and_db(arrivals: &[u64], web: Service) -> Design {
    design()
        .service("web", web)
        .service("db", service(Processor::Infinite, [work(100)]))
        .client("users", client(at(arrivals), "web.get"))
}

#[test]
fn a_key_is_stored_when_it_has_been_fetched_and_found_from_then_on() {
    let log = web_and_db(&[0, 99, 101], web(cache(1), plainly())).log(1_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (99, Miss), (101, Hit)]);
    assert_eq!(log.outcomes(), [(100, OK), (101, OK), (199, OK)]);
}

#[test]
fn without_single_flight_everybody_fetches_and_the_last_to_store_counts() {
    let log = web_and_db(&[0, 10, 20, 215, 225], web(ttl(cache(1), 100), plainly())).log(1_000, vec![]);
    assert_eq!(log.attempts_at("db"), [0, 10, 20, 225]);
    assert_eq!(log.outcomes(), [(100, OK), (110, OK), (120, OK), (215, OK), (325, OK)]);
}

#[test]
fn in_single_flight_one_fetches_and_all_others_wait_in_their_threads() {
    let log = web_and_db(&[0, 10, 20, 101], web(single_flight(1), plainly())).log(1_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (10, Waited), (20, Waited), (101, Hit)]);
    assert_eq!(log.attempts_at("db"), [0]);
    assert_eq!(log.outcomes(), [(100, OK), (100, OK), (100, OK), (101, OK)]);
    assert_eq!((log.held("web", 50), log.held("web", 100)), (3, 0));
}

#[test]
fn who_waits_goes_on_with_what_comes_after_the_lookup() {
    let steps = [lookup("c", vec![delay(100)]), delay(7)];
    let log = design()
        .service("web", service(Processor::Infinite, steps).caching("c", single_flight(1)))
        .client("users", client(at([0, 10]), "web.get"))
        .log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(107, OK), (107, OK)]);
}

#[test]
fn a_failed_fetch_stores_nothing_and_fails_those_who_wait() {
    let log = web_and_db(&[0, 10, 60], web(single_flight(1), plainly().timeout(50))).log(1_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (10, Waited), (60, Miss)]);
    assert_eq!(log.outcomes(), [(50, Err(Downstream)), (50, Err(Downstream)), (110, Err(Downstream))]);
}

#[test]
fn the_time_to_live_runs_from_the_store_and_is_over_at_its_end() {
    let log = web_and_db(&[0, 249, 250], web(ttl(cache(1), 150), plainly())).log(1_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (249, Hit), (250, Miss)]);
}

#[test]
fn a_cancelled_fetch_fails_those_who_wait() {
    let design =
        web_and_db(&[0], web(single_flight(1), plainly())).client("others", client(at([10]), "web.get")).but(|d| {
            let users = &mut d.workload.clients["users"];
            (users.timeout, users.cancel) = (Some(ns(30).into()), true);
        });
    let log = design.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("users"), [(30, Err(Timeout))]);
    assert_eq!(log.outcomes_of("others"), [(30, Err(Downstream))]);
}

#[test]
fn who_is_cancelled_while_waiting_is_forgotten() {
    let design = web_and_db(&[0, 50], web(single_flight(1), plainly()))
        .client("others", client(at([10, 120]), "web.get").timeout(30).cancels());
    let log = design.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("users"), [(100, OK), (100, OK)]);
    assert_eq!(log.outcomes_of("others"), [(40, Err(Timeout)), (120, OK)]);
    assert_eq!(log.held("web", 45), 1);
}

#[test]
fn each_replica_has_its_own_cache_unless_they_share_one() {
    for (shared, found) in [(false, [Miss, Miss, Hit]), (true, [Miss, Hit, Hit])] {
        let web = web(Cache { shared, ..cache(1) }, plainly()).replicas(2);
        let log = web_and_db(&[0, 200, 400], web).log(1_000, vec![]);
        assert_eq!(log.looked_up("web").iter().map(|l| l.1).collect::<Vec<_>>(), found, "shared: {shared}");
    }
}

#[test]
fn a_crash_empties_the_replicas_own_cache_only() {
    for (shared, found) in [(false, Miss), (true, Hit)] {
        let design = web_and_db(&[0, 200, 300], web(Cache { shared, ..cache(1) }, plainly()));
        let acts = vec![(250, design.kill("web", 0)), (260, design.scale("web", 1))];
        let log = design.log(1_000, acts);
        assert_eq!(log.looked_up("web"), [(0, Miss), (200, Hit), (300, found)], "shared: {shared}");
    }
}

#[test]
fn a_crash_of_who_fetches_for_a_shared_cache_fails_those_who_wait_elsewhere() {
    let web = web(Cache { shared: true, ..single_flight(1) }, plainly()).replicas(2);
    let design = web_and_db(&[0, 10, 20, 200], web);
    let log = design.log(1_000, vec![(50, design.kill_and_refuse("web", 0))]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (10, Waited), (20, Waited), (200, Miss)]);
    let outcomes = log.outcomes();
    // The first and the third are at the replica that crashes.
    assert_eq!(outcomes.iter().filter(|o| **o == (50, Err(Crashed))).count(), 2);
    assert_eq!(outcomes[2..], [(50, Err(Downstream)), (300, OK)]);
}

#[test]
fn a_flush_empties_all_caches_and_stops_no_fetch() {
    let design = web_and_db(&[0, 110, 160, 500], web(single_flight(1), plainly()));
    let log = design.log(1_000, vec![(50, design.flush("web")), (150, design.flush("web"))]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (110, Hit), (160, Miss), (500, Hit)]);
}

#[test]
fn an_early_refresh_is_done_by_who_finds_the_key_and_others_find_it_meanwhile() {
    // So eager that every lookup refreshes what has once been fetched.
    let eager = Refresh::Early(Early { beta: 1e12.into() });
    for (single_flight, second) in [(true, Hit), (false, Anew)] {
        let cache = Cache { single_flight, refresh: eager.clone(), ..ttl(cache(1), 300) };
        let log = web_and_db(&[0, 200, 210, 301], web(cache, plainly())).log(2_000, vec![]);
        assert_eq!(log.looked_up("web"), [(0, Miss), (200, Anew), (210, second), (301, Anew)]);
        let last = if single_flight { (210, OK) } else { (300, OK) };
        assert_eq!(
            log.outcomes()[..3],
            if single_flight { [(100, OK), last, (300, OK)] } else { [(100, OK), last, (310, OK)] }
        );
    }
}

#[test]
fn a_key_that_expires_during_its_refresh_is_waited_for() {
    let eager = Refresh::Early(Early { beta: 1e12.into() });
    let cache = Cache { refresh: eager, ..ttl(single_flight(1), 150) };
    // Stored at 100, expires at 250; refreshed from 240 to 340.
    let log = web_and_db(&[0, 240, 260], web(cache, plainly())).log(2_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (240, Anew), (260, Waited)]);
    assert_eq!(log.outcomes(), [(100, OK), (340, OK), (340, OK)]);
}

#[test]
fn a_lookup_within_a_miss_asks_the_next_cache() {
    let steps = [lookup("near", vec![lookup("far", vec![delay(100)]), delay(10)])];
    let web =
        service(Processor::Infinite, steps).caching("near", ttl(single_flight(1), 50)).caching("far", single_flight(1));
    let log = design().service("web", web).client("users", client(at([0, 20, 200]), "web.get")).log(1_000, vec![]);
    assert_eq!(log.looked_up("web"), [(0, Miss), (0, Miss), (20, Waited), (200, Miss), (200, Hit)]);
    assert_eq!(log.outcomes(), [(110, OK), (110, OK), (210, OK)]);
}

#[test]
fn branches_of_one_request_wait_for_each_other() {
    let steps =
        [Step::Parallel(vec![vec![lookup("c", vec![delay(100)])], vec![delay(10), lookup("c", vec![delay(100)])]])];
    let web = service(Processor::Infinite, steps).caching("c", single_flight(1));
    let log = design().service("web", web).client("users", client(at([0]), "web.get")).log(1_000, vec![]);
    assert_eq!((log.looked_up("web"), log.outcomes()), (vec![(0, Miss), (10, Waited)], vec![(100, OK)]));
}

#[test]
fn numbers_of_a_cache_change_while_it_runs() {
    let design = web_and_db(&[0, 200, 310, 500, 610], web(ttl(cache(1), 1_000), plainly()));
    let short = design.but(|d| d.of("web").caches["c"].ttl = Some(ns(50).into()));
    // What is held keeps its time; what is stored later has the new one.
    let acts = vec![(250, short.adopt()), (300, design.flush("web"))];
    let log = design.log(2_000, acts);
    assert_eq!(log.looked_up("web"), [(0, Miss), (200, Hit), (310, Miss), (500, Miss), (610, Hit)]);
    let analytic = design.but(|d| d.of("web").caches["c"].analytic = true);
    assert!(design.topology().refuses(&analytic.topology()).is_some_and(|why| why.contains("caches")));
}

/// Requests with two lookups of one cache, and a shard that is chosen by key.
fn lookups(key_of: KeyOf) -> Vec<(Key, u32)> {
    let zipf = Popularity::Zipf { exponent: 1.0.into() };
    let many = Cache { popularity: zipf.clone(), ..cache(100_000) };
    let near = Cache { key_of: Some(key_of), ..many.clone() };
    let by_key = Balancer::ByKey(ByKey { keys: 100_000.into(), popularity: zipf });
    let twice = [lookup("c", vec![]), lookup("c", vec![]), call("db.get")];
    let log = design()
        .service("web", service(Processor::Infinite, twice).caching("c", near))
        .service(
            "db",
            service(Processor::Infinite, [lookup("c", vec![])]).replicas(4).balanced(by_key).caching("c", many),
        )
        .client("users", client(at((0..50).collect::<Vec<_>>()), "web.get"))
        .log(1_000, vec![]);
    [log.keys("web"), log.keys("db")].concat()
}

#[test]
fn a_request_asks_for_one_key_or_each_of_its_lookups_for_its_own() {
    let by_request = |lookups: Vec<(Key, u32)>| {
        let mut of = BTreeMap::<u64, Vec<u32>>::new();
        lookups.into_iter().for_each(|(request, key)| of.entry(request.bits()).or_default().push(key));
        of.into_values().collect::<Vec<_>>()
    };
    // The last is that of the shard.
    let one = by_request(lookups(KeyOf::Request));
    assert!(one.len() == 50 && one.iter().all(|keys| keys.len() == 3 && keys.iter().all(|key| *key == keys[0])));
    let own = by_request(lookups(KeyOf::Lookup));
    let differ = own.iter().filter(|keys| keys[0] != keys[1] && keys[0] != keys[2]).count();
    // The most popular of so many keys is drawn with probability 0.08, so two agree in one of a hundred.
    assert!(differ > 40, "{differ}");
    assert_eq!(own.iter().map(|keys| keys[2]).collect::<Vec<_>>(), one.iter().map(|keys| keys[2]).collect::<Vec<_>>());
}

#[test]
fn a_repeated_attempt_asks_for_the_same_key() {
    for key_of in [KeyOf::Lookup, KeyOf::Request] {
        let cache = Cache { key_of: Some(key_of), ..cache(1_000_000) };
        let design = web_and_db(&[0], web(cache, plainly())).but(|d| {
            let users = &mut d.workload.clients["users"];
            (users.timeout, users.retry) = (Some(ns(50).into()), Some(retry(2, 0)));
        });
        let keys = design.log(1_000, vec![]).keys("web");
        assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
}

#[test]
fn the_keys_held_count_against_the_limit() {
    let design = web_and_db(&[0], web(Cache { warm: true, ..cache(1_000) }, plainly()));
    let run = |state_bytes| {
        let limits = Limits { state_bytes, ..Limits::default() };
        let mut run = System::run(design.topology(), timeline(vec![]), 1, 0, limits);
        run.run_until(instant(1_000), &mut ())
    };
    assert!(matches!(run(35_999), Err(LimitError::State { .. })), "36 bytes a key");
    assert_eq!(run(36_000), Ok(()));
}

/// A key of popularity p that has expired is fetched by the first who misses it, and, without single flight, by all
/// who ask before that fetch is over: λ·p·D of them on average, a Poisson number. In single flight they wait.
#[test]
fn a_stampede_is_as_large_as_what_comes_during_a_fetch() {
    let (rate, fetch, life) = (400.0, 100_000_000, 1_000_000_000);
    for single_flight in [false, true] {
        let cache = Cache { single_flight, ..ttl(cache(2), life) };
        let steps = [lookup("c", vec![delay(fetch)])];
        let design = design()
            .service("web", service(Processor::Infinite, steps).caching("c", cache))
            .client("users", client(poisson(rate), "web.get"));
        let log = design.log(300_000_000_000, vec![]);
        let (mut episodes, mut fetched, mut waited) = (0_u64, 0_u64, 0_u64);
        for key in 0..2 {
            let mut until = 0;
            for (at, lookup) in log.looked_up.iter().filter(|(_, lookup)| lookup.key == key) {
                if lookup.found == Found::Miss {
                    episodes += u64::from(*at >= until);
                    until = if *at >= until { at + fetch } else { until };
                    fetched += 1;
                }
                waited += u64::from(lookup.found == Found::Waited);
            }
        }
        let more = (fetched - episodes + waited) as f64 / episodes as f64;
        let expected = rate * 0.5 * fetch as f64 / 1e9;
        let bound = 5.0 * (expected / episodes as f64).sqrt();
        assert!((more - expected).abs() < bound, "{more} more than one, {expected} expected, of {episodes}");
        assert!(if single_flight { fetched == episodes } else { waited == 0 });
        assert!(episodes > 400, "{episodes}");
    }
}

/// The one problem of a design, as place and message.
fn problem(design: &Design) -> (String, String) {
    let found = models::check::check(&design.blueprint, &design.workload, &indexmap::IndexMap::new());
    match &found.err().unwrap_or_default()[..] {
        [one] => (one.path.to_string(), one.message.clone()),
        found => panic!("one problem is expected, there are {found:#?}"),
    }
}

#[test]
fn what_makes_no_sense_is_said_where_it_stands() {
    let with = |cache: Cache| {
        let web = service(Processor::Infinite, [lookup("c", vec![])]).caching("c", cache);
        design().service("web", web).client("users", client(poisson(1.0), "web.get"))
    };
    let early = Refresh::Early(Early { beta: 1.0.into() });
    let check = |cache: Cache, place: &str, says: &str| {
        let (path, message) = problem(&with(cache));
        assert!(path == format!("services.web.caches.c{place}") && message.contains(says), "{path}: {message}");
    };
    check(Cache { size: Some(0.into()), ..cache(9) }, ".size", "0 keys");
    check(ttl(cache(9), 0), ".ttl", "nothing is ever found");
    check(Cache { refresh: early.clone(), ..cache(9) }, ".refresh", "nothing expires");
    check(Cache { refresh: early, analytic: true, ..ttl(cache(9), 1) }, ".refresh", "holds no keys");
    check(cache(0), "", "Zipf");
    check(Cache { warm: true, ..cache(200_000_000) }, ".warm", "200000000 keys");
    let by_key = Balancer::ByKey(ByKey { keys: 9.into(), popularity: Popularity::Uniform });
    let sharded = with(Cache { analytic: true, ..cache(9) }).but(|d| d.of("web").balancer = by_key);
    assert!(problem(&sharded).1.contains("a shard is asked for its own only"));
    let unknown = with(cache(9)).but(|d| d.of("web").endpoints["get"] = vec![lookup("d", vec![])]);
    assert_eq!(
        problem(&unknown),
        ("services.web.endpoints.get[0].cache".to_owned(), "the service has no cache \"d\"".to_owned())
    );
}

#[test]
fn a_fetch_that_could_wait_for_itself_is_refused() {
    let calls_back = |first: Cache, second: Cache| {
        let web = service(Processor::Infinite, [lookup("c", vec![call("db.get")])])
            .caching("c", first)
            .endpoint("again", [lookup("c", vec![])]);
        let db = service(Processor::Infinite, [lookup("c", vec![call("web.again")])]).caching("c", second);
        design().service("web", web).service("db", db).client("users", client(poisson(1.0), "web.get"))
    };
    let (place, message) = problem(&calls_back(single_flight(9), cache(9)));
    assert!(place == "services.web.caches.c.single_flight" && message.contains("for ever"), "{place}: {message}");
    // Each in its own flight is no circle.
    calls_back(cache(9), single_flight(9)).topology();
}

#[test]
fn the_fluid_model_knows_the_hit_ratio_or_says_that_it_does_not() {
    let zipf = Popularity::Zipf { exponent: 1.0.into() };
    let of = |cache: Cache| {
        let topology = web_and_db(&[0], web(cache, plainly())).topology();
        let demands = models::fluid::Demands::of(&topology);
        (demands.visits[0][1], demands.unknown_hits)
    };
    let sized = Cache { size: Some(100.into()), popularity: zipf, ..cache(1_000) };
    let (visits, unknown) = of(sized.clone());
    assert!((visits - (1.0 - 0.576_524_616)).abs() < 1e-8 && unknown.is_empty(), "{visits} {unknown:?}");
    assert_eq!(of(ttl(sized, 1_000_000)), (1.0, vec![(0, 0)]));
    assert_eq!(of(cache(1_000)), (1.0, vec![(0, 0)]));
    assert_eq!(of(Cache { warm: true, ..cache(1_000) }), (0.0, vec![]));
}
