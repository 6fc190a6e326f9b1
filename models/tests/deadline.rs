//! Deadlines that are told further down, to the nanosecond.

mod common;

use common::*;
use models::blueprint::{CallPolicy, Processor, Step};
use models::policy::Drop;
use models::probe::Cause::{Downstream, Dropped, Timeout};

/// `web` works for 10 and calls `app`, which works for 10 and calls `db`, which works for `demand`.
fn three(demand: u64, web: CallPolicy, app: CallPolicy) -> Design {
    design()
        .service("web", service(Processor::Infinite, [work(10), call("app.get"), work(5)]).calling("app", web))
        .service("app", service(Processor::Infinite, [work(10), call("db.get"), work(5)]).calling("db", app))
        .service("db", service(servers(1), [work(demand)]))
        .client("users", client(at([0]), "web.get").timeout(50).propagates())
}

#[test]
fn all_calls_end_at_the_instant_of_the_deadline() {
    let log = three(100, plainly(), plainly()).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(50, Timeout)]);
    assert_eq!(log.failures_at("app"), [(50, Timeout)]);
    assert_eq!(log.failures_at("web"), [(50, Timeout)]);
    // Nobody works on but the one who was at work.
    assert_eq!(log.responded("web"), [(50, false, false)]);
    assert_eq!(log.responded("db"), [(120, true, false)]);
    // Without it the others wait for what nobody needs.
    let d = three(100, plainly(), plainly()).but(|d| d.from("users").deadline = models::policy::Deadline::Own);
    assert_eq!(d.log(1_000, vec![]).responded("web"), [(130, true, false)]);
}

#[test]
fn the_shorter_of_its_own_and_what_is_left_counts() {
    let log = three(100, plainly(), plainly().timeout(20)).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(40, Timeout)]);
    assert_eq!(log.failures_at("app"), [(40, Downstream)]);
    let log = three(100, plainly().timeout(35).propagates(), plainly().timeout(500)).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(45, Timeout)]);
}

#[test]
fn nothing_begins_after_the_deadline_and_nothing_is_repeated() {
    // `web` is at work until 60, past the deadline: it calls nobody.
    let d = three(100, plainly().retries(3, 1), plainly()).but(|d| d.of("web").endpoints["get"][0] = work(60));
    let log = d.log(1_000, vec![]);
    assert_eq!((log.attempts_at("app"), log.failures_at("app")), (vec![60], vec![(60, Timeout)]));
    assert_eq!(log.admitted("app"), []);
    let log = three(100, plainly(), plainly().retries(3, 1)).log(1_000, vec![]);
    assert_eq!(log.attempts_at("db"), [20]);
}

#[test]
fn queues_see_what_is_left() {
    let d = three(10, plainly(), plainly())
        .but(|d| d.of("db").queue.drop = Drop::RemainingBelow(ns(10).into()))
        .but(|d| _ = d.of("db").endpoints.insert("slow".to_owned(), vec![work(45)]))
        .client("others", client(at([0]), "db.slow"));
    // Its turn comes at 45, with 5 left.
    let log = d.log(1_000, vec![]);
    assert_eq!(log.turned_away("db"), [(45, Dropped)]);
    assert_eq!(log.outcomes_of("users"), [(45, Err(Downstream))]);
}

#[test]
fn branches_inherit_and_what_is_handed_over_does_not() {
    let d = three(100, plainly(), plainly()).but(|d| {
        d.of("web").endpoints["get"] = vec![Step::Parallel(vec![vec![call("db.get")], vec![send("app.get")]])];
        d.of("web").calls.clear();
    });
    let log = d.log(1_000, vec![]);
    // Of the two at `db` the first is the branch's, up to 50; the other waits as long as it takes.
    assert_eq!(log.failures_at("db"), [(50, Timeout)]);
    assert_eq!(log.responded("app"), [(205, true, true)]);
}
