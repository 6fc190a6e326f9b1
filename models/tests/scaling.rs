//! Replicas that start, that work at different speeds, and that a scaler asks for.

mod common;

use common::*;
use models::blueprint::{Processor, Service};
use models::given::Given;
use models::policy::scaler::{Hpa, Metric, QueueDepth, Scaler, ScalingRule, TargetTracking};
use models::policy::start::{Cold, Machines, Start};
use models::probe::Probe;
use models::system::Run;
use sim_core::time::{SimDuration, SimTime};

const OK: Result<(), models::probe::Cause> = Ok(());

/// One server a replica, 100 ns of work, a request every 10 ns from 0 to 90.
fn web(start: Start) -> Design {
    let web = Service { start, ..service(servers(1), [work(100)]) };
    design().service("web", web).client("users", client(at([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]), "web.get"))
}

fn takes(n: u64) -> Start {
    Start { takes: Some(exactly(n)), ..Start::default() }
}

#[test]
fn a_replica_takes_requests_once_it_has_started() {
    let d = web(takes(50));
    let log = d.log(10_000, vec![(15, d.scale("web", 2))]);
    // Up at 65: the first that it gets is that of 70, in turn every second one from then on.
    let admitted = log.admitted("web");
    assert_eq!(admitted[..2], [(0, 0), (70, 0)]);
    assert_eq!(log.replicas("web"), [(15, 1), (65, 2)]);
}

#[test]
fn what_is_there_from_the_beginning_is_up_at_once() {
    let d = web(takes(50)).but(|d| d.of("web").replicas = 2.into());
    let up =
        d.run(vec![]).model.snapshot(SimTime::ZERO).services[0].replicas.iter().map(|r| r.state).collect::<Vec<_>>();
    assert_eq!(up, [models::system::ReplicaState::Up; 2]);
}

#[test]
fn what_starts_is_given_up_first() {
    let d = web(takes(50)).but(|d| d.of("web").replicas = 2.into());
    let log = d.log(10_000, vec![(15, d.scale("web", 4)), (30, d.scale("web", 3)), (40, d.scale("web", 1))]);
    // One of the two that start goes at 30; at 40 the other, and of those that are up the last, which drains: it
    // has the requests of 10 and of 30, and is done with them at 210.
    let replicas = log.replicas("web");
    assert_eq!(replicas.last(), Some(&(210, 1)), "{replicas:?}");
    assert!(replicas.iter().all(|(_, n)| *n <= 2), "{replicas:?}");
}

#[test]
fn a_replica_that_needs_a_machine_waits_for_it() {
    let machines = Machines { room: 2.into(), boot: ns(200).into() };
    let d = web(Start { machines: Some(machines), ..takes(50) });
    let log = d.log(10_000, vec![(10, d.scale("web", 2)), (20, d.scale("web", 4))]);
    // The second fits beside the first; the third and the fourth need another machine.
    assert_eq!(log.replicas("web"), [(10, 1), (60, 2), (270, 3), (270, 4)]);
}

#[test]
fn a_crashed_replica_is_replaced() {
    let restart = Start { restart: Some(ns(20).into()), ..takes(50) };
    let d = web(restart);
    let log = d.log(10_000, vec![(5, d.kill("web", 0))]);
    assert_eq!(log.replicas("web"), [(5, 0), (75, 1)]);
    // Lost in the crash, unreachable until 75, then served in turn.
    let served = log.outcomes().iter().filter(|o| o.1 == OK).count();
    assert_eq!(served, 2, "those of 80 and 90");
}

#[test]
fn replicas_work_at_their_own_speed() {
    let d = design()
        .service(
            "web",
            Service { speeds: vec![1.0.into(), 0.5.into()], ..service(servers(1), [work(100)]).replicas(3) },
        )
        .client("users", client(at([0, 0, 0]), "web.get"));
    let log = d.log(1_000, vec![]);
    // The list begins anew: the third is as fast as the first.
    assert_eq!(log.outcomes(), [(100, OK), (100, OK), (200, OK)]);
    let faster = d.but(|d| d.of("web").speeds = vec![2.0.into()]);
    let log = d.log(1_000, vec![(0, faster.adopt())]);
    assert_eq!(log.outcomes(), [(50, OK), (50, OK), (50, OK)]);
}

#[test]
fn sharing_replicas_work_at_their_own_speed_too() {
    let d = design()
        .service("web", Service { speeds: vec![0.25.into()], ..service(cores(1), [work(100)]) })
        .client("users", client(at([0, 0]), "web.get"));
    assert_eq!(d.log(1_000, vec![]).outcomes(), [(800, OK), (800, OK)]);
}

#[test]
fn a_cold_replica_works_slower_and_warms_up() {
    let cold = |fades| Some(Cold { extra: 2.0.into(), fades: Given::from(fades) });
    let started = |fades| {
        let d = design()
            .service(
                "web",
                Service { start: Start { cold: cold(fades), ..takes(0) }, ..service(servers(1), [work(100)]) },
            )
            .client("users", client(at([10, 1_000]), "web.get"));
        d.log(10_000, vec![(5, d.kill("web", 0)), (6, d.scale("web", 1))]).outcomes()
    };
    // Hardly any of it has faded, then all.
    assert_eq!(started(SimDuration::from_secs(1)), [(310, OK), (1_300, OK)]);
    assert_eq!(started(ns(1)), [(10 + 100 + 4, OK), (1_100, OK)], "2 exp(-4) of 100 ns are 3.66");
    // Those of the beginning are warm.
    let d = web(Start { cold: cold(SimDuration::from_secs(1)), ..Start::default() });
    assert_eq!(d.log(10_000, vec![]).outcomes()[0], (100, OK));
}

fn scaler(rule: ScalingRule, every: u64, most: u32) -> Scaler {
    Scaler {
        rule,
        least: 1.into(),
        most: most.into(),
        every: SimDuration::from_secs(every).into(),
        delay: Given::default(),
    }
}

/// How many replicas there should be, from when on, in seconds.
#[derive(Default)]
struct Desired(Vec<(f64, u32)>);

impl Probe for Desired {
    fn desired(&mut self, now: SimTime, _: u16, replicas: u32) {
        self.0.push((now.as_secs_f64(), replicas));
    }
}

fn desired(run: &mut Run, until: f64) -> Vec<(f64, u32)> {
    let mut probe = Desired::default();
    run.run_until(SimTime::ZERO + secs(until), &mut probe).expect("no limit is hit");
    probe.0
}

#[test]
fn a_queue_is_scaled_by_its_length() {
    // Twelve come at 5 ns and work for an hour: one is at work, eleven wait, for which four are kept.
    let hour = 3_600_000_000_000;
    let rule =
        ScalingRule::QueueDepth(QueueDepth { per_replica: 3.0.into(), cooldown: SimDuration::from_secs(300).into() });
    let web = Service { scaler: Some(scaler(rule, 30, 10)), ..service(servers(1), [work(hour)]).shared() };
    let d = design().service("web", web).client("users", client(at([5; 12]), "web.get"));
    let course = desired(&mut d.run(vec![]), 400.0);
    // At 30 s eleven wait. At 60 s eight do, for which three are enough; it falls 300 s after it rose.
    assert_eq!(course, [(30.0, 4), (330.0, 3)]);
}

/// The autoscaler finds the number that theory gives: 6 servers' worth of work at a target of 0.6 needs 10
/// replicas, and with a tolerance of a tenth anything stays that is used between 0.54 and 0.66: 9.1 to 11.1
/// replicas. The mean over 30 s of the number at work has a standard deviation of about
/// sqrt(6 * 2 * 0.1 / 30) = 0.2 or 3%: beyond 13 or below 8 would need ten of those.
#[test]
fn the_autoscaler_finds_what_is_needed() {
    let hpa = ScalingRule::Hpa(Hpa::new(vec![Metric::Cpu { target: 0.6.into(), request: None }]));
    for replication in 0..5 {
        let web = Service {
            scaler: Some(scaler(hpa.clone(), 30, 50)),
            ..service(servers(1), [models::blueprint::Step::Work(exponential(0.1))]).shared()
        };
        let d = design().service("web", web.replicas(3)).client("users", client(poisson(60.0), "web.get"));
        let course = desired(&mut d.seeded(1, replication, vec![]), 3_600.0);
        assert!(course.iter().any(|(at, _)| *at <= 120.0), "it rises in the first two minutes: {course:?}");
        let settled = course.iter().filter(|(at, _)| *at > 900.0).map(|(_, n)| *n);
        let last = course.last().expect("it was scaled").1;
        assert!(settled.chain([last]).all(|n| (9..=12).contains(&n)), "{course:?}");
    }
}

#[test]
fn a_target_on_the_offered_rate_sees_what_is_turned_away() {
    // 100 a second come to one server that can do 10 and queues none: the processor is busy all the time and
    // would ask for less than two replicas, the offered rate asks for ten.
    let rule = ScalingRule::TargetTracking(TargetTracking { per_replica: 10.0.into(), ..TargetTracking::default() });
    let web = Service {
        scaler: Some(scaler(rule, 60, 100)),
        ..service(servers(1), [models::blueprint::Step::Work(exponential(0.1))]).cap(0)
    };
    let d = design().service("web", web).client("users", client(poisson(100.0), "web.get"));
    let course = desired(&mut d.run(vec![]), 61.0);
    // 6000 come in the minute, give or take 77: five deviations are within 9 to 11.
    assert!(matches!(course[..], [(60.0, 10 | 11)]), "{course:?}");
}

#[test]
fn a_processor_without_a_number_is_not_scaled_by_it() {
    let hpa = ScalingRule::Hpa(Hpa::new(vec![Metric::Cpu { target: 0.6.into(), request: None }]));
    let web = Service { scaler: Some(scaler(hpa, 15, 5)), ..service(Processor::Infinite, [work(1)]) };
    let d = design().service("web", web).client("users", client(at([0]), "web.get"));
    let problems = models::check::check(&d.blueprint, &d.workload, &indexmap::IndexMap::new()).unwrap_err();
    assert!(problems.iter().any(|p| p.path.to_string() == "services.web.scaler.rule"), "{problems:?}");
}
