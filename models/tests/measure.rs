//! Utilisation where what there is changes, or has several owners.

mod common;

use common::*;
use models::blueprint::Processor;
use models::intervention::Act;
use models::probe::Measure;
use models::topology::ProcessorSpec;
use sim_core::time::{SimDuration, SimTime};

const LAW: ProcessorSpec = ProcessorSpec::Usl { sigma: 0.02, kappa: 0.001 };

fn contended() -> Processor {
    Processor::Usl { sigma: 0.02.into(), kappa: 0.001.into() }
}

/// Work a second of one replica with so many connections in use.
fn x(n: f64) -> f64 {
    n / (1.0 + 0.02 * (n - 1.0) + 0.001 * n * (n - 1.0))
}

/// A database of so many replicas behind a pool of 64, and 200 users who do not think.
fn database(replicas: u32) -> Design {
    design()
        .service("app", service(Processor::Infinite, [call("db.get")]).calling("db", pooled(64)))
        .service("db", service(contended(), [work(10_000_000)]).replicas(replicas))
        .client("users", client(closed(200, exactly(0)), "app.get"))
}

/// Measures all of `until` nanoseconds.
fn measure(design: &Design, until: u64, acts: Vec<(u64, Act)>) -> (SimTime, Measure) {
    let mut run = design.run(acts);
    let mut measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], false);
    run.run_until(instant(until), &mut measure).expect("no limit is hit");
    (run.now(), measure)
}

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found}, not {expected}");
}

#[test]
fn connections_are_spread_over_the_replicas_of_a_database() {
    near(LAW.work_per_second(1.0, 64.0), x(64.0), 1e-12);
    near(LAW.work_per_second(2.0, 64.0), 2.0 * x(32.0), 1e-12);
    // Seven for one and eight for two; one each for two of three.
    near(LAW.work_per_second(3.0, 23.0), x(7.0) + 2.0 * x(8.0), 1e-12);
    near(LAW.work_per_second(3.0, 2.0), 2.0, 1e-12);
    assert_eq!((LAW.work_per_second(0.0, 64.0), LAW.work_per_second(2.0, 0.0)), (0.0, 0.0));
}

#[test]
fn a_database_with_all_connections_in_use_is_fully_used_whatever_its_replicas() {
    let second = 1_000_000_000;
    for replicas in [1, 2, 4] {
        let (now, m) = measure(&database(replicas), 60 * second, vec![]);
        near(m.services[1].contended_utilisation(now).unwrap(), 1.0, 0.02);
    }
    // Also if they come when half of the run is over, alone or with another law.
    let d = database(1);
    let (now, m) = measure(&d, 60 * second, vec![(30 * second, d.scale("db", 4))]);
    near(m.services[1].contended_utilisation(now).unwrap(), 1.0, 0.02);
    let worse = d.but(|d| d.of("db").processor = Processor::Usl { sigma: 0.2.into(), kappa: 0.001.into() });
    let (now, m) = measure(&d, 60 * second, vec![(30 * second, worse.adopt())]);
    near(m.services[1].contended_utilisation(now).unwrap(), 1.0, 0.02);
}

#[test]
fn one_caller_without_a_pool_leaves_the_connections_unlimited() {
    let d = database(2)
        .service("cron", service(Processor::Infinite, [call("db.get")]).calling("db", plainly()))
        .client("clock", client(closed(1, exactly(1_000_000)), "cron.get"));
    let (now, m) = measure(&d, 1_000_000_000, vec![]);
    assert_eq!(m.services[1].contended_utilisation(now), None);
}

#[test]
fn threads_are_counted_while_they_are_limited() {
    // Three of four threads are held all the while, by users who do not think.
    let free = design()
        .service("web", service(Processor::Infinite, [delay(10)]))
        .client("users", client(closed(3, exactly(0)), "web.get"));
    let limited = free.but(|d| d.of("web").threads = Some(4.into()));
    let utilisation = |design: &Design, acts| {
        let (now, m) = measure(design, 1_000, acts);
        m.services[0].thread_utilisation(now)
    };
    assert_eq!(utilisation(&free, vec![]), None);
    assert_eq!(utilisation(&limited, vec![]), Some(0.75));
    assert_eq!(utilisation(&free, vec![(700, limited.adopt())]), Some(0.75));
    assert_eq!(utilisation(&limited, vec![(200, free.adopt())]), Some(0.75));
    assert_eq!(utilisation(&free, vec![(200, limited.adopt()), (500, free.adopt())]), Some(0.75));
}
