//! Who does not join, and who leaves the queue, to the nanosecond.

mod common;

use common::*;
use models::blueprint::{Processor, Service};
use models::policy::Drop;
use models::probe::Cause::{Balked, Crashed, Downstream, Rejected, Reneged, Timeout};
use models::workload::{Balking, Client};

const OK: Result<(), models::probe::Cause> = Ok(());

fn from(n: u32) -> Balking {
    Balking::From(n.into())
}

fn asks(instants: &[u64]) -> Client {
    client(at(instants), "web.get")
}

fn one(web: Service, client: Client) -> Design {
    design().service("web", web).client("users", client)
}

// ---- balking

/// Arrivals every 5, service of 21, one server, nobody joins three: what Ciw 3 publishes of its own run to 51
/// (`test_simulation.py`, `test_baulking`).
#[test]
fn who_sees_three_does_not_join() {
    let every_5: Vec<u64> = (1..=10).map(|n| 5 * n).collect();
    let log = one(service(servers(1), [work(21)]), asks(&every_5).balks(from(3))).log(51, vec![]);
    assert_eq!(log.turned_away("web"), [20, 25, 35, 40, 45].map(|t| (t, Balked)));
    // The first two were served from 5 to 26 and from 26 to 47, after waiting 0 and 16.
    assert_eq!(log.admitted("web"), [(5, 0), (26, 16), (47, 32)]);
    let served: Vec<_> = log.outcomes().into_iter().filter(|o| o.1 == OK).collect();
    assert_eq!(served, [(26, OK), (47, OK)]);
}

#[test]
fn it_looks_where_it_would_go() {
    let web = service(servers(1), [work(10)]).replicas(2);
    let three = |web, balking| one(web, asks(&[0, 1, 2])).but(|d| d.from("users").balking = balking);
    // The balancer takes one after the other: the third goes to the first replica, and sees one there.
    assert_eq!(three(web.clone(), from(1)).log(99, vec![]).turned_away("web"), [(2, Balked)]);
    assert_eq!(three(web.clone(), from(2)).log(99, vec![]).turned_away("web"), []);
    // In one queue it sees all, those at work included.
    assert_eq!(three(web.clone().shared(), from(1)).log(99, vec![]).turned_away("web"), [(1, Balked), (2, Balked)]);
    assert_eq!(three(web.shared(), from(2)).log(99, vec![]).turned_away("web"), [(2, Balked)]);
    // Who joins may still be rejected.
    let full = service(servers(1), [work(10)]).cap(0);
    assert_eq!(three(full, from(2)).log(99, vec![]).turned_away("web"), [(1, Rejected), (2, Rejected)]);
}

#[test]
fn who_balks_does_not_come_back() {
    for retries in [true, false] {
        let mut users = asks(&[0, 1]).balks(from(1));
        if retries {
            users = users.retries(3, 1).timeout(500);
        }
        let log = one(service(servers(1), [work(10)]), users).log(99, vec![]);
        assert_eq!(log.outcomes(), [(1, Err(Balked)), (10, OK)]);
        assert_eq!(log.attempts_made(), [1, 1]);
    }
    // A repeat for another reason looks again, and is over then.
    let d = design()
        .service("web", service(servers(1), [work(10)]))
        .client("first", asks(&[0, 11]))
        .client("users", asks(&[0]).balks(from(2)).timeout(5).retries(3, 7));
    // Joins one at 0, gives up at 5, and sees two at 12: itself of before, and who came at 11.
    assert_eq!(d.log(99, vec![]).outcomes_of("users"), [(12, Err(Balked))]);
}

#[test]
fn only_the_first_service_is_looked_at() {
    let log = design()
        .service("web", service(Processor::Infinite, [call("db.get")]))
        .service("db", service(servers(1), [work(10)]))
        .client("users", asks(&[0, 1, 2]).balks(from(3)))
        .log(99, vec![]);
    assert_eq!(log.outcomes(), [(10, OK), (20, OK), (30, OK)]);
}

#[test]
fn a_closed_user_who_balks_thinks_again() {
    let log = design()
        .service("web", service(servers(1), [work(25)]))
        .client("first", asks(&[0]))
        .client("user", client(closed(1, exactly(10)), "web.get").balks(from(1)))
        .log(40, vec![]);
    assert_eq!(log.outcomes_of("user"), [(10, Err(Balked)), (20, Err(Balked))]);
    assert_eq!(log.admitted("web"), [(0, 0), (30, 0)]);
}

#[test]
fn nobody_may_be_refused_always() {
    let d = one(service(servers(1), [work(1)]), asks(&[0]).balks(from(0)));
    let problems = models::check::check(&d.blueprint, &d.workload, &indexmap::IndexMap::new()).unwrap_err();
    assert!(problems.iter().any(|p| p.path.to_string() == "clients.users.balking"), "{problems:?}");
}

// ---- patience

#[test]
fn who_has_no_thread_in_time_leaves_the_queue() {
    for web in [service(servers(1), [work(100)]), service(servers(1), [work(100)]).shared()] {
        let log = one(web, asks(&[0, 10, 20]).patient(exactly(50))).log(999, vec![]);
        assert_eq!(log.outcomes(), [(60, Err(Reneged)), (70, Err(Reneged)), (100, OK)]);
        assert_eq!(log.turned_away("web"), [(60, Reneged), (70, Reneged)]);
        assert_eq!(log.admitted("web"), [(0, 0)]);
    }
}

#[test]
fn a_thread_at_the_very_end_is_in_time() {
    let log = one(service(servers(1), [work(100)]), asks(&[0, 50]).patient(exactly(50))).log(999, vec![]);
    assert_eq!(log.outcomes(), [(100, OK), (200, OK)]);
}

#[test]
fn with_a_thread_only_the_timeout_counts() {
    let users = asks(&[0, 60]).patient(exactly(50));
    let d = one(service(servers(1), [work(100)]), users.clone());
    assert_eq!(d.log(999, vec![]).outcomes(), [(100, OK), (200, OK)], "no timeout");
    let d = one(service(servers(1), [work(100)]), users.clone().timeout(130));
    assert_eq!(d.log(999, vec![]).outcomes(), [(100, OK), (190, Err(Timeout))]);
    let d = one(service(servers(1), [work(100)]), users.timeout(130).cancels());
    assert_eq!(d.log(999, vec![]).responded("web"), [(100, true, true)], "cancelled at work");
}

#[test]
fn the_timeout_counts_while_it_waits_if_it_comes_first() {
    let d = one(service(servers(1), [work(100)]), asks(&[0, 10]).patient(exactly(150)).timeout(120));
    let log = d.log(999, vec![]);
    // Who gives up by a timeout leaves its place in the queue, to be served for nobody.
    assert_eq!(log.outcomes(), [(100, OK), (130, Err(Timeout))]);
    assert_eq!(log.responded("web"), [(100, true, true), (200, true, false)]);
    let d = d.but(|d| *d.from("users") = asks(&[0, 10]).patient(exactly(80)).timeout(80));
    assert_eq!(d.log(999, vec![]).outcomes_of("users"), [(80, Err(Timeout)), (90, Err(Reneged))], "a tie");
}

#[test]
fn who_leaves_may_come_back() {
    let users = asks(&[0, 10]).patient(exactly(20)).retries(1, 30);
    let log = one(service(servers(1), [work(45)]), users.clone()).log(999, vec![]);
    assert_eq!(log.failures_at("web"), [(30, Reneged)]);
    assert_eq!(log.outcomes(), [(45, OK), (105, OK)]);
    assert_eq!(log.attempts_made(), [1, 2]);
    let log = one(service(servers(1), [work(90)]), users).log(999, vec![]);
    // Back at 60, patient until 80.
    assert_eq!(log.outcomes(), [(80, Err(Reneged)), (90, OK)]);
}

#[test]
fn who_leaves_frees_a_place() {
    let d = one(service(servers(1), [work(100)]).cap(1), asks(&[0, 10, 20, 70]).patient(exactly(50)));
    let log = d.log(999, vec![]);
    assert_eq!(log.turned_away("web"), [(20, Rejected), (60, Reneged)]);
    assert_eq!(log.admitted("web"), [(0, 0), (100, 30)]);
}

#[test]
fn what_is_dropped_has_too_little_left_of_its_timeout_not_of_its_patience() {
    let web = service(servers(1), [work(50)]).drops(Drop::RemainingBelow(ns(30).into()));
    let users = |timeout: u64| asks(&[0, 10]).patient(exactly(60)).timeout(timeout);
    // At 50 the second has 20 left of its patience.
    let admitted = |timeout| one(web.clone(), users(timeout)).log(999, vec![]).admitted("web");
    assert_eq!(admitted(70), [(0, 0), (50, 40)]);
    assert_eq!(admitted(69), [(0, 0)]);
}

#[test]
fn a_crash_is_noticed_when_patience_ends() {
    let d = one(service(servers(1), [work(100)]), asks(&[0, 10]).patient(exactly(50)));
    // The first is at work and has no timeout by which it would notice: it learns at once.
    let log = d.log(999, vec![(20, d.kill("web", 0))]);
    assert_eq!(log.outcomes(), [(20, Err(Crashed)), (60, Err(Reneged))]);
    assert_eq!(log.turned_away("web").len(), 2);
    let log = d.log(999, vec![(20, d.kill_and_refuse("web", 0))]);
    assert_eq!(log.outcomes(), [(20, Err(Crashed)), (20, Err(Crashed))]);
}

#[test]
fn patience_can_change_for_those_who_come() {
    let d = one(service(servers(1), [work(100)]), asks(&[0, 10, 30]).patient(exactly(50)));
    let other = d.but(|d| d.from("users").patience = Some(exactly(10)));
    // Draws that were made stand.
    assert_eq!(d.log(999, vec![(20, other.adopt())]).outcomes()[..2], [(40, Err(Reneged)), (60, Err(Reneged))]);
    let endless = d.but(|d| d.from("users").patience = None);
    let log = d.log(999, vec![(20, endless.adopt())]);
    assert_eq!(log.outcomes(), [(60, Err(Reneged)), (100, OK), (200, OK)]);
}

#[test]
fn only_the_queue_of_the_first_service_tries_patience() {
    let log = design()
        .service("web", service(Processor::Infinite, [call("db.get")]).calling("db", plainly().timeout(120)))
        .service("db", service(servers(1), [work(100)]))
        .client("users", asks(&[0, 10]).patient(exactly(50)))
        .log(999, vec![]);
    assert_eq!(log.outcomes(), [(100, OK), (130, Err(Downstream))]);
}
