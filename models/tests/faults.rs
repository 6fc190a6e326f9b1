//! Faults of replicas, to the nanosecond.

mod common;

use common::*;
use models::blueprint::Processor;
use models::distribution::Distribution;
use models::fault::{Failing, Fault, Recurring, Which};
use models::intervention::Act;
use models::policy::{Balancer, Discipline};
use models::probe::Cause::{self, Crashed, Error};
use sim_core::dist::Dist;
use std::sync::Arc;

fn one(processor: Processor, arrivals: &[u64], demand: u64) -> Design {
    design().service("app", service(processor, [work(demand)])).client("users", client(at(arrivals), "app.get"))
}

fn constant(nanos: u64) -> Dist {
    Dist::constant(ns(nanos)).expect("a constant")
}

fn failing(share: f64, after: Option<u64>) -> Fault {
    Fault::Fail(Arc::new(Failing { share, endpoints: vec![], after: after.map(constant) }))
}

fn ends(log: &Log) -> Vec<u64> {
    log.outcomes().iter().map(|(t, result)| result.map(|()| *t).expect("served")).collect()
}

// ---- pauses

#[test]
fn work_goes_on_where_it_stopped() {
    for processor in [servers(1), cores(1), Processor::Infinite] {
        let d = one(processor.clone(), &[0], 100);
        let pause = d.inflict("app", 0, Fault::Pause, Some(50));
        assert_eq!(ends(&d.log(1_000, vec![(30, pause.clone())])), [150], "{processor:?}");
        // At the very instant at which it would have been done, the pause comes first.
        assert_eq!(ends(&d.log(1_000, vec![(100, pause.clone())])), [150], "{processor:?}");
        assert_eq!(ends(&d.log(1_000, vec![(101, pause)])), [100], "{processor:?}");
    }
}

#[test]
fn the_queue_fills_and_nobody_leaves_it() {
    let d = one(servers(1), &[0, 10, 70], 20);
    // Down from 10 to 60 with 10 left, while one waits; the third comes to a server that works again.
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))]);
    assert_eq!(ends(&log), [70, 90, 110]);
    assert_eq!(log.admitted("app"), [(0, 0), (70, 60), (90, 20)]);
    // It is held meanwhile.
    assert_eq!((log.busy("app", 30), log.held("app", 30)), (1, 1));
}

#[test]
fn whoever_comes_to_a_replica_that_pauses_waits_at_its_processor() {
    // A server that is a thread; servers with threads, one of which waits for a server; and those that share.
    let d = one(servers(1), &[20], 20);
    assert_eq!(ends(&d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))])), [80]);
    let d = one(servers(1), &[20, 30], 20).but(|d| d.of("app").threads = Some(4.into()));
    assert_eq!(ends(&d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))])), [80, 100]);
    let d = one(cores(1), &[20, 30], 20);
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))]);
    assert_eq!(ends(&log), [100, 100]);
    let usl = Processor::Usl { sigma: 0.5.into(), kappa: 0.0.into() };
    let d = one(usl, &[0, 30], 20);
    // 10 of 20 are done by 10; from 60 on both work, each 1.5 times as slowly alone would be: 10 left take 15.
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))]);
    assert_eq!(ends(&log), [75, 85]);
}

#[test]
fn delays_calls_and_other_replicas_go_on() {
    let d = design()
        .service("app", service(servers(1), [work(10), call("db.get"), work(10)]).replicas(2))
        .service("db", service(servers(2), [work(30)]))
        .client("users", client(at([0, 0]), "app.get"));
    let log = d.log(1_000, vec![(20, d.inflict("app", 0, Fault::Pause, Some(100)))]);
    assert_eq!(log.responded("db"), [(40, true, true), (40, true, true)]);
    assert_eq!(ends(&log), [50, 130]);
}

#[test]
fn of_two_pauses_the_one_that_ends_last_holds() {
    let d = one(servers(1), &[0], 100);
    let pause = |lasts| d.inflict("app", 0, Fault::Pause, Some(lasts));
    assert_eq!(ends(&d.log(1_000, vec![(10, pause(100)), (20, pause(20))])), [200]);
    assert_eq!(ends(&d.log(1_000, vec![(10, pause(100)), (20, pause(200))])), [310]);
    assert_eq!(ends(&d.log(1_000, vec![(10, pause(100)), (20, pause(20)), (50, d.heal("app"))])), [140]);
    // Until it is healed, and twice, with the old event still to come.
    let for_ever = d.inflict("app", 0, Fault::Pause, None);
    assert_eq!(ends(&d.log(1_000, vec![(10, for_ever.clone()), (50, d.heal("app"))])), [140]);
    assert_eq!(
        ends(&d.log(1_000, vec![(10, pause(100)), (50, d.heal("app")), (60, for_ever), (200, d.heal("app"))])),
        [280]
    );
}

#[test]
fn whoever_gives_up_in_a_pause_leaves_his_server() {
    let d = one(servers(1), &[0, 5], 20).but(|d| {
        d.of("app").threads = Some(4.into());
        *d.from("users") = client(at([0, 5]), "app.get").timeout(40).cancels();
    });
    // The first gives up at 40, cancelled while it stands still; the second has its server, and gives up at 45.
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))]);
    assert_eq!(log.outcomes(), [(40, Err(Cause::Timeout)), (45, Err(Cause::Timeout))]);
    assert_eq!((log.busy("app", 39), log.busy("app", 41), log.busy("app", 46)), (1, 1, 0));
}

#[test]
fn the_more_urgent_take_servers_in_a_pause_too() {
    let d = design()
        .service("app", service(servers(1), [work(20)]))
        .client("batch", client(at([0]), "app.get"))
        .client("users", client(at([30]), "app.get").urgent(3))
        .but(|d| d.of("app").queue.discipline = Discipline::PreemptivePriority);
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, Some(50)))]);
    assert_eq!(log.outcomes_of("users"), [(80, Ok(()))]);
    assert_eq!(log.outcomes_of("batch"), [(90, Ok(()))]);
}

#[test]
fn a_crash_ends_what_ails_a_replica() {
    let d = one(servers(1), &[0, 60], 20).but(|d| d.of("app").start.restart = Some(ns(10).into()));
    let log = d.log(1_000, vec![(10, d.inflict("app", 0, Fault::Pause, None)), (30, d.kill("app", 0))]);
    assert_eq!(log.outcomes(), [(30, Err(Crashed)), (80, Ok(()))]);
}

#[test]
fn numbers_that_change_in_a_pause_count_after_it() {
    let d = one(cores(1), &[0, 0], 100).but(|d| d.of("app").speeds = vec![1.0.into()]);
    let faster = d.but(|d| d.of("app").processor = cores(2));
    let log = d.log(1_000, vec![(100, d.inflict("app", 0, Fault::Pause, Some(100))), (150, faster.adopt())]);
    assert_eq!(ends(&log), [250, 250]);
}

// ---- slow and failing replicas

#[test]
fn slow_is_what_begins_while_it_lasts() {
    let d = one(servers(1), &[0, 10, 20], 20);
    let log = d.log(1_000, vec![(5, d.inflict("app", 0, Fault::Slow(5.0), Some(50)))]);
    // The first has begun before; the second takes 100; the third begins when all is well.
    assert_eq!(ends(&log), [20, 120, 140]);
    let both = d.but(|d| d.of("app").speeds = vec![0.5.into()]);
    let log = both.log(1_000, vec![(5, d.inflict("app", 0, Fault::Slow(5.0), None)), (50, d.heal("app"))]);
    assert_eq!(ends(&log), [40, 240, 280]);
}

#[test]
fn a_replica_fails_what_it_takes_in() {
    let d = one(servers(1), &[0, 10, 50], 20);
    let log = d.log(1_000, vec![(5, d.inflict("app", 0, failing(1.0, None), Some(40)))]);
    assert_eq!(log.outcomes(), [(20, Ok(())), (20, Err(Error)), (70, Ok(()))]);
    // Slowly: it holds its thread, and works on nothing.
    let log = d.log(1_000, vec![(5, d.inflict("app", 0, failing(1.0, Some(100)), Some(40)))]);
    assert_eq!(log.outcomes(), [(20, Ok(())), (120, Err(Error)), (140, Ok(()))]);
}

#[test]
fn a_share_of_the_attempts_at_some_endpoints_fails() {
    let d = design()
        .service("app", service(Processor::Infinite, [work(5)]))
        .but(|d| _ = d.of("app").endpoints.insert("put".to_owned(), vec![work(5)]))
        .client("readers", client(at((0..2_000).collect::<Vec<_>>()), "app.get"))
        .client("writers", client(at((0..2_000).collect::<Vec<_>>()), "app.put"));
    let put = d.topology().endpoints.iter().position(|e| e.name == "put").expect("it is there") as u16;
    let fault = Fault::Fail(Arc::new(Failing { share: 0.25, endpoints: vec![put], after: None }));
    let log = d.log(10_000, vec![(0, d.inflict("app", 0, fault, None))]);
    let failed = |client| log.outcomes_of(client).iter().filter(|(_, result)| result.is_err()).count();
    assert_eq!(failed("readers"), 0);
    // 500 are expected, with a standard deviation of 19.4.
    assert!((430..570).contains(&failed("writers")), "{}", failed("writers"));
}

#[test]
fn fast_errors_attract_who_looks_for_the_least_loaded() {
    let d = one(servers(1), &(0..40).map(|i| i * 10).collect::<Vec<_>>(), 35).but(|d| {
        d.of("app").replicas = 4.into();
        d.of("app").balancer = Balancer::LeastOutstanding;
    });
    let log = d.log(10_000, vec![(0, d.inflict("app", 0, failing(1.0, None), None))]);
    // The others hold one each for 35 at most every 10: from the fourth on the bad one is often the only one free.
    let errors = log.turned_away("app").len() + log.outcomes().iter().filter(|(_, r)| *r == Err(Error)).count();
    assert!(errors > 10, "{errors} of 40, where one of four has a share of 10");
}

#[test]
fn those_that_start_later_are_well() {
    let d = one(servers(1), &[0, 60], 20);
    let slow = Act::Inflict { service: 0, of: Which::All, fault: Fault::Slow(3.0), lasts: None };
    let log = d.log(1_000, vec![(0, slow), (30, d.scale("app", 2))]);
    // Round robin: the second goes to the new replica.
    assert_eq!(ends(&log), [60, 80]);
}

// ---- at random

fn recurring(service: Option<u16>, every: u64, acts: Vec<Act>) -> Recurring {
    Recurring { name: "fault".to_owned(), every: constant(every), service, acts }
}

fn pause(of: Which, lasts: u64) -> Act {
    Act::Inflict { service: 0, of, fault: Fault::Pause, lasts: Some(constant(lasts)) }
}

#[test]
fn a_fault_comes_again_after_its_end() {
    // Up for 50, down for 30: down from 50 to 80, 130 to 160, 210 to 240.
    let d = one(servers(1), &[0], 150).but(|d| d.recurring = vec![recurring(Some(0), 50, vec![pause(Which::All, 30)])]);
    assert_eq!(ends(&d.log(1_000, vec![])), [210 + 30]);
    let d = d.but(|d| d.of("app").endpoints["get"] = vec![work(149)]);
    assert_eq!(ends(&d.log(1_000, vec![])), [209]);
}

#[test]
fn each_replica_has_its_own_and_new_ones_too() {
    let every = Distribution::Exponential(ns(100).into()).compile().expect("a distribution");
    let seen = |replicas: u32, acts: Vec<(u64, Act)>| {
        let kill = Act::Kill { service: 0, of: Which::All, refuse: true };
        let d = one(servers(1), &[0], 1).but(|d| {
            d.of("app").replicas = replicas.into();
            d.of("app").start.restart = Some(ns(1).into());
            d.recurring = vec![Recurring { every: every.clone(), ..recurring(Some(0), 1, vec![kill]) }];
        });
        d.log(10_000, acts).replicas("app").iter().map(|(t, _)| *t).collect::<std::collections::BTreeSet<_>>()
    };
    let (one, two) = (seen(1, vec![]), seen(2, vec![]));
    assert!(one.len() > 100, "{}", one.len());
    assert!(one.is_subset(&two), "the first replica's are the same in both designs");
    assert!(two.len() > one.len() * 3 / 2);
    // One that comes later has them from then on.
    let later = seen(1, vec![(5_000, Act::Scale { service: 0, to: 2 })]);
    let before = |all: &std::collections::BTreeSet<u64>| all.range(..5_000).copied().collect::<Vec<_>>();
    assert_eq!(before(&one), before(&later));
    assert!(later.len() > one.len() * 5 / 4);
}

#[test]
fn what_all_have_in_common_hits_some_at_once() {
    let d = one(servers(1), &[0, 0, 0, 0], 100).but(|d| {
        d.of("app").replicas = 4.into();
        d.recurring = vec![recurring(None, 60, vec![pause(Which::Share(0.5.into()), 1_000)])];
    });
    assert_eq!(ends(&d.log(2_000, vec![])), [100, 100, 1_100, 1_100]);
    // All acts of one fault hit the same.
    let slow = Act::Inflict { service: 0, of: Which::One, fault: Fault::Slow(2.0), lasts: Some(constant(10_000)) };
    let d = one(servers(1), &[60, 60, 60, 60], 100).but(|d| {
        d.of("app").replicas = 4.into();
        d.recurring = vec![recurring(None, 50, vec![pause(Which::One, 100), slow])];
    });
    assert_eq!(ends(&d.log(300, vec![]))[..3], [160, 160, 160]);
    assert_eq!(d.log(300 + 60, vec![]).outcomes().len(), 4);
}

// ---- herds

fn herd(client: u16, size: u32, within: u64) -> Act {
    Act::Herd { client, size, within: ns(within) }
}

#[test]
fn a_herd_comes_within_its_time_besides_the_others() {
    let d = one(Processor::Infinite, &[50], 10);
    assert_eq!(ends(&d.log(1_000, vec![(20, herd(0, 3, 0))])), [30, 30, 30, 60]);
    let log = d.log(100_000, vec![(20, herd(0, 1_000, 40_000))]);
    let came: Vec<u64> = ends(&log).iter().map(|t| t - 10).collect();
    assert_eq!(came.len(), 1_001);
    assert!(came.iter().all(|t| (20..40_020).contains(t)));
    // Uniformly: 500 of 1000 in the first half, with a standard deviation of 16.
    let early = came.iter().filter(|t| **t < 20_020).count();
    assert!((440..560).contains(&early), "{early}");
}

#[test]
fn two_herds_of_a_population_are_two() {
    let d = one(Processor::Infinite, &[50], 10);
    let log = d.log(1_000, vec![(20, herd(0, 2, 0)), (20, herd(0, 2, 0)), (40, herd(0, 1, 0))]);
    assert_eq!(ends(&log), [30, 30, 30, 30, 50, 60]);
}

#[test]
fn a_herd_of_visitors_begins_sessions_and_of_closed_users_nobody_comes() {
    let d = one(Processor::Infinite, &[50], 10).but(|d| {
        d.from("users").arrivals = sessions(0.0, always(2), Distribution::Constant(ns(5).into()));
    });
    assert_eq!(ends(&d.log(1_000, vec![(20, herd(0, 2, 0))])), [30, 30, 45, 45]);
    let d = one(Processor::Infinite, &[50], 10).but(|d| {
        d.from("users").arrivals = closed(1, Distribution::Constant(ns(50).into()));
    });
    assert_eq!(ends(&d.log(65, vec![(20, herd(0, 2, 0))])), [60]);
}
