//! Who gets an attempt: balancers by weight, by response time, by who is idle, by key, and by stale numbers.

mod common;

use common::*;
use models::blueprint::{Processor, Service, Step};
use models::policy::balancer::{ConsistentHash, PeakEwma, PowerOf, Stale, Weights};
use models::policy::{Balancer, Popularity};
use models::probe::{Cause, Measure};
use sim_core::time::SimTime;

const OK: Result<(), Cause> = Ok(());

/// Replicas of these speeds that work for `demand`, and requests at these instants.
fn web(balancer: Balancer, processor: Processor, speeds: &[f64], demand: u64, arrivals: &[u64]) -> Design {
    let web = Service { speeds: speeds.iter().map(|s| (*s).into()).collect(), ..service(processor, [work(demand)]) };
    let web = web.replicas(speeds.len() as u32).balanced(balancer);
    design().service("web", web).client("users", client(at(arrivals), "web.get"))
}

/// What is waiting or held at each replica, at an instant.
fn outstanding(d: &Design, at: u64) -> Vec<u32> {
    let mut run = d.run(vec![]);
    run.run_until(instant(at), &mut ()).unwrap();
    let snapshot = run.model.snapshot(SimTime::ZERO);
    snapshot.services[0].replicas.iter().map(|r| r.waiting + r.held).collect()
}

/// When requests are over, in this order.
fn ends(d: &Design) -> Vec<u64> {
    d.log(1_000_000, vec![]).outcomes().into_iter().map(|(at, _)| at).collect()
}

// ---- by weight

#[test]
fn the_heavy_get_more_turns_and_not_all_at_once() {
    // The order that nginx documents for 5, 1, 1: a a b a c a a. Each replica works at its own speed, by which
    // one sees which it was: 10, 20 or 40 ns.
    let by = |weights: &[f64]| {
        let weights = weights.iter().map(|w| (*w).into()).collect();
        Balancer::WeightedRoundRobin(Weights { weights })
    };
    let at = [0, 100, 200, 300, 400, 500, 600, 700];
    let took = |balancer| {
        let log = web(balancer, servers(1), &[1.0, 0.5, 0.25], 10, &at).log(1_000, vec![]);
        log.outcomes_by_start().iter().map(|(took, _)| *took).collect::<Vec<_>>()
    };
    assert_eq!(took(by(&[5.0, 1.0, 1.0])), [10, 10, 20, 10, 40, 10, 10, 10]);
    // By speeds 1, 0.5, 0.25: of seven turns the fast one gets four, spread out.
    assert_eq!(took(by(&[])), [10, 20, 10, 40, 10, 20, 10, 10]);
    // One weight for all is round robin.
    assert_eq!(took(by(&[3.0])), [10, 20, 40, 10, 20, 40, 10, 20]);
}

#[test]
fn who_is_down_gains_nothing() {
    let weights = vec![2.0.into(), 1.0.into()];
    let d = web(
        Balancer::WeightedRoundRobin(Weights { weights }),
        servers(1),
        &[1.0, 0.5],
        10,
        &[0, 100, 200, 300, 400, 500],
    );
    let log = d.log(10_000, vec![(50, d.kill("web", 1)), (250, d.scale("web", 2))]);
    let took: Vec<_> = log.outcomes_by_start().iter().map(|(took, _)| *took).collect();
    // a | b is down: a a | and then as if nothing had been: b a a.
    assert_eq!(took, [10, 10, 10, 20, 10, 10]);
}

/// Two machines, one of half the speed: by weight each is used as much as the other, and is an M/M/1 queue with
/// its share of the requests. At random the response is 2/3 of 1/(1 - 0.6) and 1/3 of 2/(1 - 0.6).
#[test]
fn random_by_weight_uses_uneven_machines_evenly() {
    let web = Service {
        speeds: vec![1.0.into(), 0.5.into()],
        ..service(servers(1), [Step::Work(exponential(1.0))]).balanced(Balancer::WeightedRandom(Weights::default()))
    };
    let d = design().service("web", web.replicas(2)).client("users", client(poisson(0.9), "web.get"));
    let found = response(&d, 10, 40_000.0);
    let exact = (2.0 / 3.0 + 2.0 / 3.0) / (1.0 - 0.6);
    near(&found, exact, 0.01);
}

// ---- by response time

#[test]
fn of_two_the_one_that_is_expected_to_answer_first() {
    // One machine of a tenth of the speed. The first request goes to either, the second, before anything is
    // known, to the other, which has nothing outstanding. From then on costs are 100 and 1000 ns, fading by
    // two millionths: (k+1) 100 is less than 1000 for the first ten, the eleventh goes to the slow one, and the
    // twelfth, as 1100 is less than 2000, to the fast one.
    let arrivals = [[0; 2].as_slice(), &[2_000; 12]].concat();
    let balancer = Balancer::PeakEwma(PeakEwma { decay: secs(1.0).into() });
    let ends = ends(&web(balancer, Processor::Infinite, &[1.0, 0.1], 100, &arrivals));
    let (first, then) = ends.split_at(2);
    assert_eq!(first, [100, 1_000]);
    let slow = then.iter().filter(|end| **end == 3_000).count();
    assert_eq!((slow, then.iter().filter(|end| **end == 2_100).count()), (1, 11), "{then:?}");
}

#[test]
fn what_is_known_of_response_times_fades() {
    // The same, but after ten times the decay all that is known is e^-10 of it, and as the slow machine's was
    // touched last, it still counts as the slower one.
    let balancer = Balancer::PeakEwma(PeakEwma { decay: ns(1_000).into() });
    let d = web(balancer, Processor::Infinite, &[1.0, 0.1], 100, &[0, 0, 11_000]);
    assert_eq!(ends(&d)[2], 11_100);
}

// ---- by who is idle

#[test]
fn who_has_been_idle_for_longest_is_next() {
    // The first three go to replicas 0, 1, 2, which have reported in this order, and take 300, 200, 100 ns. They
    // report again at 300, 200 and 100.
    let d = web(Balancer::JoinIdle, servers(1), &[1.0 / 3.0, 0.5, 1.0], 100, &[0, 0, 0, 400, 410, 420]);
    assert_eq!(ends(&d)[3..], [500, 610, 720]);
    // With nobody idle chance decides, and the next to report is the next to get one.
    let d = web(Balancer::JoinIdle, servers(1), &[1.0, 1.0], 100, &[0, 0, 50, 150, 250]);
    let log = d.log(10_000, vec![]);
    assert_eq!(log.outcomes(), [(100, OK), (100, OK), (200, OK), (250, OK), (350, OK)]);
}

#[test]
fn who_comes_or_crashes_reports_or_is_forgotten() {
    let d = web(Balancer::JoinIdle, servers(1), &[1.0, 1.0], 100, &[10, 20, 30]);
    // Replica 1 crashes while it is idle; another comes at 15 in its place.
    let log = d.log(1_000, vec![(5, d.kill("web", 1)), (15, d.scale("web", 3))]);
    assert_eq!(log.outcomes(), [(110, OK), (120, OK), (130, OK)]);
}

/// One replica is M/M/1. Two, of which the idle one is preferred, else either: exact numerics of the
/// two-dimensional chain, at 0.8 for each.
#[test]
fn join_idle_queue_lies_between_chance_and_the_shortest() {
    let by = |balancer, replicas: u32, rate: f64| {
        let web = service(servers(1), [Step::Work(exponential(1.0))]).replicas(replicas).balanced(balancer);
        design().service("web", web).client("users", client(poisson(rate * f64::from(replicas)), "web.get"))
    };
    near(&response(&by(Balancer::JoinIdle, 1, 0.5), 10, 40_000.0), 2.0, 0.01);
    near(&response(&by(Balancer::JoinIdle, 2, 0.8), 10, 100_000.0), 3.461538, 0.01);
    // With a hundred at 0.9 hardly anybody waits (in the limit nobody): less than with two choices, 2.6.
    let many = response(&by(Balancer::JoinIdle, 100, 0.9), 3, 1_000.0);
    let mean = many.iter().sum::<f64>() / 3.0;
    assert!((1.0..1.5).contains(&mean), "{mean}");
}

// ---- by key, with bounded loads

#[test]
fn what_a_replica_has_no_room_for_goes_to_the_next_on_the_ring() {
    let by = |factor: Option<f64>| {
        Balancer::ConsistentHash(ConsistentHash {
            keys: 1.into(),
            popularity: Popularity::Uniform,
            factor: factor.map(Into::into),
            points: 100.into(),
        })
    };
    // One key, four replicas, five requests at once. With 1.25 each has room for ceil(1.25 (m+1)/4) of them: 1
    // for the first three, and 2 for the other two: the owner's second, and the second of the next.
    let d = web(by(Some(1.25)), servers(1), &[1.0; 4], 100, &[0; 5]);
    let mut loads = outstanding(&d, 0);
    loads.sort_unstable();
    assert_eq!(loads, [0, 1, 2, 2]);
    assert_eq!(ends(&d), [100, 100, 100, 200, 200]);
    assert_eq!(ends(&web(by(None), servers(1), &[1.0; 4], 100, &[0; 5])), [100, 200, 300, 400, 500]);
}

#[test]
fn the_keys_of_a_dead_replica_go_to_others_and_come_back() {
    let by = Balancer::ConsistentHash(ConsistentHash {
        keys: 1.into(),
        popularity: Popularity::Uniform,
        factor: None,
        points: 10.into(),
    });
    let d = web(by, servers(1), &[1.0; 3], 100, &[0, 200, 400]);
    let owner = outstanding(&d, 0).iter().position(|n| *n == 1).unwrap() as u32;
    let mut run = d.run(vec![(150, d.kill("web", owner)), (350, d.scale("web", 3))]);
    let mut seen = vec![];
    for at in [210, 410] {
        run.run_until(instant(at), &mut ()).unwrap();
        let snapshot = run.model.snapshot(SimTime::ZERO);
        let busy = snapshot.services[0].replicas.iter().find(|r| r.held == 1).unwrap();
        seen.push(busy.ordinal);
    }
    assert!(seen[0] != owner && seen[1] == owner, "{seen:?}, {owner}");
}

// ---- by stale numbers

#[test]
fn until_the_next_update_all_go_where_the_last_one_points() {
    let stale = Balancer::Stale(Stale { age: ns(100).into(), of: Box::new(Balancer::LeastOutstanding) });
    // Three come while the board is empty. At 100 it says who has fewer, and that one gets all that come until
    // 200, when it says that the other has.
    let d = web(stale, servers(1), &[1.0, 1.0], 10_000, &[10, 20, 30, 110, 120, 130, 140, 210, 220]);
    let before = outstanding(&d, 99);
    let less = usize::from(before[1] < before[0]);
    let herd = outstanding(&d, 199);
    assert_eq!((herd[less], herd[1 - less]), (before[less] + 4, before[1 - less]));
    let after = outstanding(&d, 299);
    assert_eq!((after[less], after[1 - less]), (herd[less], herd[1 - less] + 2));
}

#[test]
fn numbers_are_renewed_after_a_pause_too() {
    let stale = Balancer::Stale(Stale { age: ns(100).into(), of: Box::new(Balancer::LeastOutstanding) });
    // Nothing happens from 50 to 1010. One comes then, and at 1100 the board knows of it.
    let d = web(stale, servers(1), &[1.0, 1.0], 500, &[0, 1_010, 1_110, 1_120]);
    let loads = outstanding(&d, 1_199);
    assert_eq!((loads[0].max(loads[1]), loads[0].min(loads[1])), (2, 1), "both go to the other");
}

/// Mitzenmacher (2000), periodic updates: fresh numbers are best, old ones are worse than none, and who looks at
/// two of them only herds less than who looks at all.
#[test]
fn old_information_is_worse_than_none() {
    let mean = |balancer: Balancer| {
        let web = service(servers(1), [Step::Work(exponential(1.0))]).replicas(20).balanced(balancer);
        let d = design().service("web", web).client("users", client(poisson(18.0), "web.get"));
        response(&d, 3, 4_000.0).iter().sum::<f64>() / 3.0
    };
    let two = || Balancer::PowerOf(PowerOf { choices: 2.into() });
    let stale = |age: f64, of: Balancer| mean(Balancer::Stale(Stale { age: secs(age).into(), of: Box::new(of) }));
    let blind = mean(Balancer::Random);
    let (all, both) = (stale(1.0, Balancer::LeastOutstanding), stale(1.0, two()));
    assert!(both < 0.5 * blind && all < 0.5 * blind, "of one service time: {all} and {both}, {blind}");
    let (all, both) = (stale(5.0, Balancer::LeastOutstanding), stale(5.0, two()));
    assert!(both < 0.6 * blind && blind < 0.8 * all, "of five: {both} < {blind} < {all}");
    let (all, both) = (stale(50.0, Balancer::LeastOutstanding), stale(50.0, two()));
    assert!(blind < both && both < 0.2 * all, "of fifty: {blind} < {both} < {all}");
}

/// Mean response of each replication.
fn response(d: &Design, replications: u64, length: f64) -> Vec<f64> {
    let mean = |m: &Measure| m.requests().responses.mean_secs().expect("requests were served");
    (0..replications).map(|r| mean(&d.measure(r, length / 10.0, length * 1.1).1)).collect()
}

/// The mean lies within five standard errors of the exact value, and those are below `share` of it.
fn near(found: &[f64], exact: f64, share: f64) {
    let n = found.len() as f64;
    let mean = found.iter().sum::<f64>() / n;
    let error = (found.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!(error < share * exact, "{mean} has a standard error of {error}, too much to tell from {exact}");
    assert!((mean - exact).abs() < 5.0 * error, "{mean} with a standard error of {error}, not {exact}");
}
