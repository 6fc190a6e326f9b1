//! What a balancer knows of the health of its replicas, when it learns of it, and how long a replica may drain.

mod common;

use common::*;
use models::blueprint::{Processor, Service};
use models::policy::balancer::PowerOf;
use models::policy::health::{Checks, Health, Outliers};
use models::policy::{Balancer, Drop};
use models::probe::Cause::{self, Crashed, Timeout, Unreachable};

const OK: Result<(), Cause> = Ok(());

/// Every 100 ns, 20 ns for an answer, two in a row to be unhealthy.
fn checks(healthy: u32) -> Checks {
    let (interval, timeout) = (ns(100).into(), ns(20).into());
    Checks { interval, timeout, unhealthy: 2.into(), healthy: healthy.into() }
}

fn checked(healthy: u32, panic: f64) -> Health {
    Health { checks: Some(checks(healthy)), outliers: None, panic: panic.into() }
}

/// Replicas of these speeds in turn, with 10 ns of work for each request and no contention.
fn web(health: Health, speeds: &[f64], arrivals: &[u64]) -> Design {
    let web = Service {
        speeds: speeds.iter().map(|s| (*s).into()).collect(),
        health: Some(health),
        ..service(Processor::Infinite, [work(10)]).replicas(speeds.len() as u32)
    };
    design().service("web", web).client("users", client(at(arrivals), "web.get").timeout(30))
}

/// How long each request takes, in the order of their ends, for requests far enough apart.
fn took(log: &Log) -> Vec<u64> {
    log.outcomes_by_start().iter().map(|(took, _)| *took).collect()
}

// ---- active checks

#[test]
fn a_silent_crash_is_known_when_enough_checks_have_had_no_answer() {
    let d = web(checked(1, 0.0), &[1.0, 1.0], &[160, 170, 310, 315, 330, 350, 360]);
    let log = d.log(10_000, vec![(150, d.kill("web", 1))]);
    // The checks of 200 and 300 have no answer by 220 and 320: until then every second request hangs.
    assert_eq!(log.turned_away("web"), [(170, Unreachable), (315, Unreachable)]);
    assert_eq!(
        log.outcomes(),
        [(170, OK), (200, Err(Timeout)), (320, OK), (340, OK), (345, Err(Timeout)), (360, OK), (370, OK)]
    );
}

#[test]
fn a_refused_connection_tells_at_once() {
    let d = web(checked(1, 0.0), &[1.0, 1.0], &[160, 170, 280, 290, 310, 320]);
    let log = d.log(10_000, vec![(150, d.kill_and_refuse("web", 1))]);
    // The checks of 200 and 300 are refused.
    assert_eq!(
        log.outcomes(),
        [(170, OK), (170, Err(Unreachable)), (290, OK), (290, Err(Unreachable)), (320, OK), (330, OK)]
    );
    // Without checks the balancer knows at once.
    let knows = d.but(|d| d.of("web").health = None);
    let log = knows.log(10_000, vec![(150, d.kill_and_refuse("web", 1))]);
    assert!(log.outcomes().iter().all(|(_, result)| *result == OK));
}

#[test]
fn who_is_back_is_asked_again_once_checks_have_passed() {
    let by = |healthy, arrivals: &[u64]| {
        let d = web(checked(healthy, 0.0), &[1.0, 0.5], arrivals);
        let log = d.log(10_000, vec![(150, d.kill_and_refuse("web", 1)), (350, d.scale("web", 2))]);
        assert!(log.outcomes().iter().all(|(_, result)| *result == OK), "{:?}", log.outcomes());
        took(&log)
    };
    // Known as dead at 300, back at 350, and seen at 400, or with two checks at 500.
    assert_eq!(by(1, &[360, 390]), [10, 10]);
    let mut both = by(1, &[410, 440]);
    both.sort_unstable();
    assert_eq!(both, [10, 20]);
    assert_eq!(by(2, &[410, 490]), [10, 10]);
    assert!(by(2, &[510, 540]).contains(&20));
}

#[test]
fn a_crash_that_is_over_before_it_is_noticed_changes_nothing() {
    let d = web(checked(1, 0.0), &[1.0, 0.5], &[170, 200, 330, 360]);
    let log = d.log(10_000, vec![(150, d.kill("web", 1)), (160, d.scale("web", 2))]);
    assert_eq!(took(&log), [10, 20, 10, 20]);
}

#[test]
fn what_is_new_gets_requests_after_its_first_check() {
    let d = web(checked(3, 0.0), &[1.0, 0.5], &[60, 80, 110, 140]).but(|d| d.of("web").replicas = 1.into());
    let took = took(&d.log(10_000, vec![(50, d.scale("web", 2))]));
    assert_eq!(took[..2], [10, 10]);
    assert!(took[2..].contains(&20), "{took:?}");
}

#[test]
fn with_too_few_healthy_ones_all_are_asked() {
    let arrivals: Vec<u64> = (0..8).map(|k| 400 + 40 * k).collect();
    let served = |panic| {
        let d = web(checked(1, panic), &[1.0; 4], &arrivals);
        let acts = [0, 1, 2].map(|replica| (50, d.kill_and_refuse("web", replica)));
        d.log(10_000, acts.to_vec()).outcomes().iter().filter(|(_, result)| *result == OK).count()
    };
    // One of four is healthy.
    assert_eq!(served(0.25), 8);
    assert_eq!(served(0.26), 2, "every fourth request goes to it");
    // Nobody is healthy, and nobody asked; or all are, in vain.
    for panic in [0.0, 0.5] {
        let d = web(checked(1, panic), &[1.0], &[400]);
        assert_eq!(
            d.log(1_000, vec![(50, d.kill("web", 0))]).outcomes(),
            [if panic == 0.0 { (400, Err(Unreachable)) } else { (430, Err(Timeout)) }]
        );
    }
}

#[test]
fn what_hangs_counts_as_outstanding_and_what_is_refused_does_not() {
    let arrivals: Vec<u64> = (1..=8).map(|k| 10 * k).collect();
    let lost = |balancer: Balancer, refuse: bool| {
        let d = web(checked(1, 0.0), &[0.1_f64.recip(); 2], &arrivals).but(|d| {
            d.of("web").balancer = balancer;
            d.from("users").timeout = Some(ns(1_000).into());
        });
        let kill = if refuse { d.kill_and_refuse("web", 1) } else { d.kill("web", 1) };
        d.log(10_000, vec![(5, kill)]).turned_away("web").len()
    };
    // One hangs; as long as it does, the other replica has less to do.
    for balancer in [Balancer::LeastOutstanding, Balancer::PowerOf(PowerOf { choices: 2.into() })] {
        assert_eq!(lost(balancer.clone(), false), 1);
        // Refused at once, the dead one seems idle: half of all, by draw.
        assert!((2..=6).contains(&lost(balancer, true)));
    }
}

#[test]
fn without_checks_for_what_has_not_crashed_no_events_are_made() {
    let d = web(checked(1, 0.5), &[1.0, 1.0], &[0, 100_000]);
    let mut run = d.run(vec![]);
    run.run_until(instant(1_000_000), &mut ()).unwrap();
    let mut plain = d.but(|d| d.of("web").health = None).run(vec![]);
    plain.run_until(instant(1_000_000), &mut ()).unwrap();
    assert_eq!(run.events(), plain.events());
}

// ---- passive checks

fn outliers(consecutive: u32, most: f64) -> Health {
    let (base, longest) = (ns(100).into(), ns(250).into());
    let outliers = Outliers { consecutive: consecutive.into(), base, longest, most: most.into() };
    Health { checks: None, outliers: Some(outliers), panic: 0.0.into() }
}

#[test]
fn who_times_out_again_and_again_is_ejected_for_a_while() {
    // Of two in turn the second takes 1000 ns, and callers give up after 30.
    let d = web(outliers(2, 0.5), &[1.0, 0.01], &[0, 10, 20, 30, 70, 90, 120, 150, 170, 180, 200, 220, 260, 300, 360]);
    let failed: Vec<_> = d.log(10_000, vec![]).failures_at("web");
    // Those of 10 and 30 time out at 40 and 60: out until 160. Back, it gets two more (which of those from 170 on
    // depends on whose turn it is), and then is out for twice as long.
    assert_eq!(failed[..2], [(40, Timeout), (60, Timeout)]);
    assert_eq!(failed.len(), 4, "{failed:?}");
    assert!(failed[2].0 >= 200 && failed[3].0 <= 250, "{failed:?}");
}

#[test]
fn errors_and_rejections_count_and_a_success_forgives() {
    // All fail: each replica is ejected after its second failure, until half of them are.
    let steps = [work(10), fail(1.0)];
    let web = |health| Service { health: Some(health), ..service(Processor::Infinite, steps.clone()).replicas(4) };
    let arrivals: Vec<u64> = (0..16).map(|k| 20 * k).collect();
    let d = design().service("web", web(outliers(2, 0.5))).client("users", client(at(&arrivals), "web.get"));
    let mut run = d.run(vec![]);
    run.run_until(instant(1_000), &mut ()).unwrap();
    assert_eq!(run.model.counts().failed, 16, "with errors everywhere ejection helps nobody, and does not stop it");
    // A queue that is full rejects. One server each, no queue: the slow one rejects what comes while it works.
    let slow = Service {
        speeds: vec![1.0.into(), 0.01.into()],
        health: Some(outliers(2, 0.5)),
        ..service(servers(1), [work(10)]).replicas(2).cap(0).drops(Drop::Never)
    };
    let d =
        design().service("web", slow).client("users", client(at([0, 10, 20, 30, 40, 50, 60, 75, 90, 105]), "web.get"));
    let failed = d.log(10_000, vec![]).failures_at("web");
    assert_eq!(failed.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [30, 50], "and then it is out");
}

#[test]
fn a_crash_that_checks_have_not_found_is_found_by_attempts() {
    let health = Health { checks: Some(checks(1)), ..outliers(1, 0.5) };
    let d = web(health, &[1.0, 1.0], &[60, 65, 80, 85, 90]);
    let log = d.log(300, vec![(50, d.kill_and_refuse("web", 1))]);
    assert_eq!(log.turned_away("web"), [(65, Unreachable)]);
}

// ---- draining

#[test]
fn a_replica_drains_for_so_long_and_then_is_killed() {
    let by = |limit: Option<u64>, demand: u64| {
        let web =
            Service { drain: limit.map(|limit| ns(limit).into()), ..service(servers(1), [work(demand)]).replicas(2) };
        let d = design().service("web", web).client("users", client(at([0, 0, 0, 0]), "web.get").timeout(5_000));
        d.log(10_000, vec![(100, d.scale("web", 1))])
    };
    // Two at each. After 50 ns the one at work and the one that waits are lost, and their callers know at once.
    let log = by(Some(50), 1_000);
    assert_eq!(log.outcomes(), [(150, Err(Crashed)), (150, Err(Crashed)), (1_000, OK), (2_000, OK)]);
    assert_eq!(log.replicas("web").last(), Some(&(150, 1)));
    assert_eq!(by(None, 1_000).outcomes(), [(1_000, OK), (1_000, OK), (2_000, OK), (2_000, OK)]);
    // What ends at the very end is in time, and who has nothing left is gone before.
    assert_eq!(by(Some(100), 100).outcomes().iter().filter(|(_, result)| *result == OK).count(), 4);
}

// ---- what makes no sense

#[test]
fn what_makes_no_sense_is_said() {
    let wrong = |health: Health| {
        let d = web(health, &[1.0], &[0]);
        let problems =
            models::check::check(&d.blueprint, &d.workload, &indexmap::IndexMap::new()).err().unwrap_or_default();
        problems.iter().map(|p| p.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(wrong(Health { checks: None, outliers: None, panic: 0.5.into() }), ["services.web.health"]);
    assert_eq!(wrong(checked(0, 2.0)), ["services.web.health.panic", "services.web.health.checks"]);
    let none = Outliers { consecutive: 0.into(), base: ns(0).into(), most: 1.5.into(), ..Outliers::default() };
    let health = Health { checks: None, outliers: Some(none), panic: 0.5.into() };
    assert_eq!(wrong(health), ["services.web.health.outliers"; 3]);
    let d = web(checked(1, 0.5), &[1.0], &[0]).but(|d| *d.of("web") = d.of("web").clone().shared());
    let problems = models::check::check(&d.blueprint, &d.workload, &indexmap::IndexMap::new()).unwrap_err();
    assert_eq!(problems[0].path.to_string(), "services.web.health");
}
