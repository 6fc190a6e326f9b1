//! Machines that services share, to the nanosecond.

mod common;

use common::*;
use models::blueprint::{Host, Processor};
use models::check::check;
use models::fluid::{Demands, Resource, utilisations};
use models::policy::Discipline;
use models::probe::Cause::{Crashed, Timeout};

const OK: Result<(), models::probe::Cause> = Ok(());

/// One machine with this processor; `a` needs 100 and has weight `w`, `b` needs 100 and has weight 1.
fn pair(processor: Processor, w: f64, a: &[u64], b: &[u64]) -> Design {
    design()
        .host("box", 1, processor)
        .service("a", service(on("box", w), [work(100)]))
        .service("b", service(on("box", 1.0), [work(100)]))
        .client("of_a", client(at(a), "a.get"))
        .client("of_b", client(at(b), "b.get"))
}

#[test]
fn two_services_share_one_core() {
    let log = pair(cores(1), 1.0, &[0], &[40]).log(1_000, vec![]);
    // `a` alone until 40, then both at half pace: a has 60 left and takes 120; b then has 40 left, alone.
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(160, OK)], vec![(200, OK)]));
    let used = |t| (log.on_host("a", t), log.on_host("b", t));
    assert_eq!([used(0), used(40), used(160), used(200)], [(1_000, 0), (500, 500), (0, 1_000), (0, 0)]);
    // What is at work is a service's own, whatever it gets.
    assert_eq!((log.busy("a", 50), log.busy("b", 50)), (1, 1));
}

#[test]
fn equal_weights_are_as_one_service_with_both_endpoints() {
    let d = pair(cores(2), 3.0, &[0, 10, 10, 35], &[5, 35, 300]).but(|d| d.of("b").processor = on("box", 3.0));
    let log = d.log(1_000, vec![]);
    let alone = design()
        .service("s", service(cores(2), [work(100)]).endpoint("other", [work(100)]))
        .client("of_a", client(at([0, 10, 10, 35]), "s.get"))
        .client("of_b", client(at([5, 35, 300]), "s.other"))
        .log(1_000, vec![]);
    assert_eq!(log.outcomes(), alone.outcomes());
}

#[test]
fn a_weight_is_that_of_each_visit() {
    // a at 3/4, b at 1/4: a is done at 133.3, which is 134, by when b has 33.5 of its 100; the rest takes 66.5.
    let log = pair(cores(1), 3.0, &[0], &[0]).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(134, OK)], vec![(201, OK)]));
    assert_eq!((log.on_host("a", 0), log.on_host("b", 0)), (750, 250));
    // Two visits of a at 3/7 each, and b at 1/7.
    let log = pair(cores(1), 3.0, &[0, 0], &[0]).log(1_000, vec![]);
    assert_eq!((log.on_host("a", 0), log.on_host("b", 0)), (857, 143));
    assert_eq!(log.outcomes_of("of_a"), [(234, OK), (234, OK)]);
}

#[test]
fn nobody_has_more_than_one_core_and_the_others_share_the_rest() {
    // By weight a would have 1.5 of the 2 cores: it has one, and two of b share the other.
    let d = pair(cores(2), 6.0, &[0], &[0, 0]);
    let log = d.log(1_000, vec![]);
    assert_eq!((log.on_host("a", 0), log.on_host("b", 0)), (1_000, 1_000));
    // At 100 both of b have 50 left, and from then on a core each.
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK)], vec![(150, OK), (150, OK)]));
    // With a third service of weight 2, on 2 cores: a and then c are cut to one core in turn, none is left idle.
    let d = d.service("c", service(on("box", 2.0), [work(100)])).client("of_c", client(at([0]), "c.get"));
    let log = d.log(1_000, vec![]);
    assert_eq!((log.on_host("a", 0), log.on_host("b", 0), log.on_host("c", 0)), (1_000, 500, 500));
    assert_eq!(log.outcomes_of("of_c"), [(150, OK)]);
}

#[test]
fn servers_of_a_host_are_held_by_the_work_step_and_not_during_calls() {
    let d = design()
        .host("box", 1, servers(1))
        .service("a", service(on("box", 1.0), [work(10), call("far.get"), work(10)]).threads(1))
        .service("b", service(on("box", 1.0), [work(25)]))
        .service("far", service(Processor::Infinite, [work(50)]))
        .client("of_a", client(at([0, 1]), "a.get"))
        .client("of_b", client(at([2, 3]), "b.get"));
    let log = d.log(1_000, vec![]);
    // b works while a calls, 10 to 35 and 35 to 60; a's second step follows at 60, first come first served.
    // The second of a has waited for the thread until 70.
    assert_eq!(log.outcomes_of("of_b"), [(35, OK), (60, OK)]);
    assert_eq!(log.outcomes_of("of_a"), [(70, OK), (140, OK)]);
    assert_eq!(log.admitted("a"), [(0, 0), (70, 69)]);
    assert_eq!((log.held("a", 30), log.busy("a", 30), log.busy("b", 30)), (1, 0, 1));
    // Without threads a service on a host holds any number.
    let log = d.but(|d| d.of("a").threads = None).log(1_000, vec![]);
    assert_eq!(log.admitted("a"), [(0, 0), (1, 0)]);
    // One line: a at 0, a at 10, b at 20 and 45; a's second steps have waited since 60 and 70.
    assert_eq!(log.outcomes_of("of_b"), [(45, OK), (70, OK)]);
    assert_eq!(log.outcomes_of("of_a"), [(80, OK), (90, OK)]);
}

#[test]
fn a_server_that_is_free_goes_to_whoever_waited_longest() {
    let log = pair(servers(1), 1.0, &[0, 20], &[10]).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK), (300, OK)], vec![(200, OK)]));
    let log = pair(servers(2), 1.0, &[0, 20], &[10]).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK), (200, OK)], vec![(110, OK)]));
    let log = pair(Processor::Infinite, 1.0, &[0, 20], &[10]).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK), (120, OK)], vec![(110, OK)]));
}

#[test]
fn replicas_go_round_the_machines() {
    // Two machines; replicas 0 and 2 of a stand on the first, with the only one of b.
    let d = pair(cores(1), 1.0, &[0, 0, 0], &[0]).but(|d| {
        d.of("a").replicas = 3.into();
        d.blueprint.hosts["box"].machines = 2.into();
    });
    let log = d.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("of_a"), [(100, OK), (300, OK), (300, OK)]);
    assert_eq!(log.outcomes_of("of_b"), [(300, OK)]);
    assert_eq!((log.on_host("a", 0), log.on_host("b", 0)), (1_667, 333));
    // A fourth stands on the second again.
    let d = d.but(|d| *d.from("of_a") = client(at([0, 0, 0, 50, 50, 50, 50]), "a.get"));
    let log = d.log(50, vec![(40, d.scale("a", 4))]);
    let at_work: Vec<_> = d.run(vec![(40, d.scale("a", 4))]).clone_at(60).iter().map(|m| m.at_work.clone()).collect();
    assert_eq!(at_work, [[4, 1], [3, 0]]);
    assert_eq!(log.on_host("a", 50), 1_800);
}

/// The machines of the only host at an instant.
trait At {
    fn clone_at(&self, t: u64) -> Vec<models::snapshot::MachineSnapshot>;
}

impl At for models::system::Run {
    fn clone_at(&self, t: u64) -> Vec<models::snapshot::MachineSnapshot> {
        let mut run = self.clone();
        run.run_until(instant(t), &mut ()).unwrap();
        run.model.snapshot(instant(t)).hosts.remove(0).machines
    }
}

#[test]
fn a_crash_takes_work_off_the_machine_and_the_rest_speeds_up() {
    let d = pair(cores(1), 1.0, &[0], &[0]);
    // Both have 60 left at 80.
    let log = d.log(1_000, vec![(80, d.kill("b", 0))]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(140, OK)], vec![(80, Err(Crashed))]));
    assert_eq!((log.on_host("b", 80), log.busy("b", 80)), (0, 0));
    // Whoever waits for a server of b's moves up, and not those that are lost.
    let d = pair(servers(1), 1.0, &[20], &[0, 10]);
    let log = d.log(1_000, vec![(30, d.kill("b", 0))]);
    assert_eq!((log.outcomes_of("of_a")), [(130, OK)]);
    assert_eq!(log.outcomes_of("of_b"), [(30, Err(Crashed)), (30, Err(Crashed))]);
    // Those of another machine notice nothing.
    let d = pair(cores(1), 1.0, &[0, 0], &[0]).but(|d| {
        d.of("a").replicas = 2.into();
        d.blueprint.hosts["box"].machines = 2.into();
    });
    let log = d.log(1_000, vec![(30, d.kill("a", 1))]);
    assert_eq!(
        (log.outcomes_of("of_a"), log.outcomes_of("of_b")),
        (vec![(30, Err(Crashed)), (200, OK)], vec![(200, OK)])
    );
}

#[test]
fn what_drains_goes_on_sharing() {
    let d = pair(cores(1), 1.0, &[0], &[0]);
    let log = d.log(1_000, vec![(80, d.scale("b", 0))]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(200, OK)], vec![(200, OK)]));
    assert_eq!(log.replicas("b"), [(80, 1), (200, 0)]);
}

#[test]
fn what_is_cancelled_leaves_its_machine_at_once() {
    let d = |processor| {
        pair(processor, 1.0, &[0], &[0]).but(|d| *d.from("of_b") = client(at([0]), "b.get").timeout(80).cancels())
    };
    let log = d(cores(1)).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(140, OK)], vec![(80, Err(Timeout))]));
    // Waiting for a server, and at work on one.
    let log = d(servers(1)).log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK)], vec![(80, Err(Timeout))]));
    let first = d(servers(1)).but(|d| *d.from("of_a") = client(at([10]), "a.get"));
    let log = first.log(1_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(180, OK)], vec![(80, Err(Timeout))]));
}

#[test]
fn branches_of_one_request_share_too() {
    let d = pair(cores(1), 1.0, &[0], &[1_000])
        .but(|d| *d.of("a") = service(on("box", 1.0), [parallel([vec![work(10)], vec![work(10)]])]));
    assert_eq!(d.log(900, vec![]).outcomes(), [(20, OK)]);
}

fn parallel(branches: [Vec<models::blueprint::Step>; 2]) -> models::blueprint::Step {
    models::blueprint::Step::Parallel(branches.into())
}

#[test]
fn numbers_change_at_once() {
    // Cores: both have 80 left at 40, and then a core each.
    let d = pair(cores(1), 1.0, &[0], &[0]);
    let more = d.but(|d| d.blueprint.hosts["box"].processor = cores(2)).adopt();
    let log = d.log(1_000, vec![(40, more)]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(120, OK)], vec![(120, OK)]));
    // Weight: from 40 on a has 3/4, and needs 106.7 for its 80; by 147 b has 46.75.
    let heavier = d.but(|d| d.of("a").processor = on("box", 3.0)).adopt();
    let log = d.log(1_000, vec![(40, heavier)]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(147, OK)], vec![(201, OK)]));
    // Servers: whoever waits starts at once; of fewer, those who have one keep it.
    let d = pair(servers(1), 1.0, &[0, 150], &[0]);
    let more = d.but(|d| d.blueprint.hosts["box"].processor = servers(2)).adopt();
    let log = d.log(1_000, vec![(40, more), (120, d.adopt())]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK), (250, OK)], vec![(140, OK)]));
    // Speed: work that starts from then on takes half as long.
    let d = pair(servers(1), 1.0, &[0], &[0]);
    let faster = d.but(|d| d.blueprint.hosts["box"].speed = 2.0.into()).adopt();
    let log = d.but(|d| *d.from("of_b") = client(at([50]), "b.get")).log(1_000, vec![(40, faster)]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(100, OK)], vec![(150, OK)]));
}

#[test]
fn a_machine_has_a_speed_and_a_replica_another() {
    let d = pair(servers(1), 1.0, &[0], &[1_000]).but(|d| {
        d.blueprint.hosts["box"].speed = 2.0.into();
        d.of("b").speeds = vec![0.25.into()];
    });
    let log = d.log(2_000, vec![]);
    assert_eq!((log.outcomes_of("of_a"), log.outcomes_of("of_b")), (vec![(50, OK)], vec![(1_200, OK)]));
}

#[test]
fn who_stands_where_does_not_change() {
    let d = pair(cores(1), 1.0, &[0], &[0]).host("other", 1, cores(1));
    let refused = |change: fn(&mut Design)| d.topology().refuses(&d.but(change).topology());
    assert!(refused(|d| d.of("a").processor = on("other", 1.0)).is_some());
    assert!(refused(|d| d.blueprint.hosts["box"].machines = 2.into()).is_some());
    assert!(refused(|d| d.blueprint.hosts["box"].processor = servers(1)).is_some());
    assert_eq!(refused(|d| d.of("a").processor = on("box", 2.0)), None);
}

#[test]
fn demands_on_a_host_add_up() {
    let d = pair(cores(2), 1.0, &[0], &[0]).but(|d| d.blueprint.hosts["box"].machines = 3.into());
    let topology = d.topology();
    let all = utilisations(&topology, &Demands::of(&topology), &[1e7, 2e7], &[1.0, 5.0]);
    let found: Vec<_> = all.iter().map(|u| (u.service, u.resource, u.offered, u.capacity)).collect();
    // 10 and 20 visits a microsecond, each of 0.1: 3 cores of 6.
    assert_eq!(found, [(0, Resource::Host, 3.0, 6.0), (1, Resource::Host, 3.0, 6.0)]);
}

#[test]
fn what_makes_no_sense_is_said() {
    let says = |change: fn(&mut Design)| {
        let d = pair(cores(1), 1.0, &[], &[])
            .but(|d| d.workload.clients.values_mut().for_each(|c| c.arrivals = poisson(1.0)));
        let d = d.but(change);
        let problems = check(&d.blueprint, &d.workload, &Default::default()).unwrap_err();
        problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect::<Vec<_>>()
    };
    let check = |change, expected: &str| assert_eq!(says(change), [expected]);
    check(|d| d.of("a").processor = on("bix", 1.0), "services.a.processor.name: there is no host \"bix\"");
    check(
        |d| d.of("a").processor = on("box", 0.0),
        "services.a.processor.weight: the weight 0 is no number from 0.000001 to a million",
    );
    check(|d| d.blueprint.hosts["box"].machines = 0.into(), "hosts.box.machines: there are 0 machines");
    check(|d| d.blueprint.hosts["box"].processor = cores(0), "hosts.box.processor: there are 0 cores");
    check(
        |d| d.blueprint.hosts["box"].processor = on("box", 1.0),
        "hosts.box.processor: a host stands on another host",
    );
    check(
        |d| d.blueprint.hosts["box"].processor = Processor::Usl { sigma: 0.1.into(), kappa: 0.1.into() },
        "hosts.box.processor: the universal scalability law is one database's, not a machine's",
    );
    check(
        |d| d.blueprint.hosts["box"].speed = f64::NAN.into(),
        "hosts.box.speed: the speed NaN is no number from 0.000001 to a million",
    );
    check(
        |d| d.of("a").queue.discipline = Discipline::PreemptivePriority,
        "services.a.queue.discipline: only servers can be taken from the less urgent",
    );
    check(
        |d| {
            let host = Host { machines: 1.into(), processor: servers(1), speed: 1.0.into() };
            d.blueprint.hosts.insert("fifo".to_owned(), host);
            d.of("a").processor = on("fifo", 2.0);
        },
        "services.a.processor.weight: \"fifo\" does not share cores, so that a weight says nothing",
    );
    check(
        |d| {
            let host = Host { machines: 1.into(), processor: cores(1), speed: 1.0.into() };
            d.blueprint.hosts.insert("a.b".to_owned(), host);
        },
        "hosts.\"a.b\": \"a.b\" is no usable name",
    );
}
