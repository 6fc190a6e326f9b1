//! Hedged calls, to the nanosecond.
//!
//! Which replica gets an attempt is by round robin, so that the first attempt meets replica 0 and the extra
//! one replica 1; how long the work takes is drawn from the attempt's own key, so where two attempts must
//! differ they wait behind others.

mod common;

use common::*;
use models::blueprint::{CallPolicy, Processor};
use models::policy::Drop;
use models::probe::Cause::{Downstream, Rejected, Timeout};

const OK: Result<(), models::probe::Cause> = Ok(());

/// `db` has two replicas with one server each. Requests that block come from `blockers`, straight to the
/// replicas in turn; `users` ask `web`, which asks `db`.
fn two_replicas(blocked: &[u64], block: u64, users: &[u64], policy: CallPolicy) -> Design {
    design()
        .service("web", service(Processor::Infinite, [call("db.get")]).calling("db", policy))
        .service("db", service(servers(1), [work(10)]).endpoint("slow", [work(block)]).replicas(2))
        .client("blockers", client(at(blocked), "db.slow"))
        .client("users", client(at(users), "web.get"))
}

#[test]
fn an_extra_attempt_is_sent_after_the_delay_and_the_first_good_reply_wins() {
    let log = two_replicas(&[0], 100, &[1], plainly().hedges(20, 1)).log(1_000, vec![]);
    // Replica 0 is blocked until 100, replica 1 gets the attempt of 1.
    assert_eq!(log.outcomes_of("users"), [(11, OK)]);
    assert_eq!(log.attempts_at("db"), [0, 1], "a reply within 20 needs no other attempt");

    // Both are blocked, until 100 and 102: the extra one waits behind the second.
    let log = two_replicas(&[0, 2], 100, &[3], plainly().hedges(20, 1)).log(1_000, vec![]);
    assert_eq!(log.attempts_at("db"), [0, 2, 3, 23]);
    assert_eq!(log.outcomes_of("users"), [(110, OK)]);
    assert_eq!(log.responded("db")[2..], [(110, true, true), (112, true, false)], "the loser runs on");

    // The second is free soon: the extra attempt wins although it was sent later.
    let d = two_replicas(&[0], 100, &[3], plainly().hedges(20, 1)).client("short", client(at([1]), "db.get"));
    let log = d.log(1_000, vec![]);
    assert_eq!(log.attempts_at("db"), [0, 1, 3, 23]);
    assert_eq!(log.outcomes_of("users"), [(33, OK)]);
}

#[test]
fn extras_come_at_multiples_of_the_delay_up_to_the_most() {
    let most = |most| two_replicas(&[0, 2], 100, &[3], plainly().hedges(20, most)).log(1_000, vec![]);
    assert_eq!(most(3).attempts_at("db"), [0, 2, 3, 23, 43, 63]);
    assert_eq!(most(7).attempts_at("db"), [0, 2, 3, 23, 43, 63, 83, 103], "the reply comes at 110");
}

#[test]
fn clients_hedge_too_and_their_attempts_are_counted() {
    let d = design()
        .service("web", service(Processor::Infinite, [work(50)]))
        .client("users", client(at([0]), "web.get").hedges(20, 2));
    let log = d.log(1_000, vec![]);
    assert_eq!(log.attempts_at("web"), [0, 20, 40]);
    assert_eq!(log.outcomes(), [(50, OK)]);
    assert_eq!(log.attempts_made(), [3]);
    assert_eq!(log.responded("web"), [(50, true, true), (70, true, false), (90, true, false)]);
}

#[test]
fn with_cancel_the_losers_stop_within_the_instant() {
    let d = design()
        .service("web", service(Processor::Infinite, [work(50)]))
        .client("users", client(at([0]), "web.get").hedges(20, 2).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(50, OK)]);
    assert_eq!(log.turned_away("web"), [(50, Timeout), (50, Timeout)]);
    assert_eq!((log.held("web", 49), log.held("web", 50)), (3, 0));

    // One in a queue stops counting there, and one that has called stops what it called.
    let d = two_replicas(&[0, 2], 100, &[3], plainly().hedges(20, 1).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("users"), [(110, OK)]);
    assert_eq!(log.turned_away("db"), [(110, Timeout)]);
    let d = design()
        .service("web", service(Processor::Infinite, [call("db.get")]))
        .service("db", service(Processor::Infinite, [work(50)]))
        .client("users", client(at([0]), "web.get").hedges(20, 1).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!((log.turned_away("web"), log.turned_away("db")), (vec![(50, Timeout)], vec![(50, Timeout)]));
}

#[test]
fn a_reply_comes_before_an_extra_attempt_and_a_thread_is_passed_on_before_a_loser_is_cancelled() {
    let d = design()
        .service("web", service(servers(1), [work(20)]))
        .client("users", client(at([0, 0]), "web.get").hedges(20, 1).cancels());
    // Two requests at one server: replies at 20 and 40. The first has its reply just as its extra attempt
    // is due: a reply comes before a timer, so none is sent. The second is hedged at 20, behind itself.
    let log = d.log(1_000, vec![]);
    assert_eq!(log.attempts_at("web"), [0, 0, 20]);
    assert_eq!(log.outcomes(), [(20, OK), (40, OK)]);
    // At 40 the extra attempt gets the thread before the reply goes out, and is stopped at once.
    assert_eq!(log.admitted("web"), [(0, 0), (20, 20), (40, 20)]);
    assert_eq!(log.turned_away("web"), [(40, Timeout)]);
    assert_eq!((log.held("web", 40), log.busy("web", 40)), (0, 0));
}

#[test]
fn an_attempt_fails_when_all_that_were_sent_have_failed() {
    // A queue of no places: the first attempt is rejected at once, before another is sent.
    let full = |hedge| {
        design()
            .service("web", service(servers(1), [work(100)]).cap(0))
            .client("first", client(at([0]), "web.get"))
            .client("users", client(at([1]), "web.get").hedges(hedge, 1))
    };
    let log = full(20).log(1_000, vec![]);
    assert_eq!(log.outcomes_of("users"), [(1, Err(Rejected))]);
    assert_eq!(log.attempts_made(), [1, 1]);

    // The first waits; the extra one, sent at 21, is rejected at the full queue, and the first goes on.
    let d = full(20).but(|d| d.of("web").queue.cap = Some(1.into()));
    let log = d.log(1_000, vec![]);
    assert_eq!(log.failures_at("web"), [(21, Rejected)]);
    assert_eq!(log.outcomes_of("users"), [(200, OK)]);
    assert_eq!(log.attempts_made(), [1, 2]);
}

#[test]
fn a_timeout_gives_all_up_and_a_repeat_is_hedged_anew() {
    let d = design()
        .service("web", service(Processor::Infinite, [work(100)]))
        .client("users", client(at([0]), "web.get").hedges(20, 1).timeout(50).retries(1, 30));
    let log = d.log(1_000, vec![]);
    assert_eq!(log.attempts_at("web"), [0, 20, 80, 100]);
    assert_eq!(log.failures_at("web"), [(50, Timeout), (50, Timeout), (130, Timeout), (130, Timeout)]);
    assert_eq!(log.outcomes(), [(130, Err(Timeout))]);
    assert_eq!(log.attempts_made(), [4]);
    // What was given up before does not count as a reply to what is under way.
    assert_eq!(log.responded("web")[0], (100, true, false));
}

#[test]
fn each_extra_attempt_takes_a_connection_that_is_free_at_once() {
    // Two connections: both attempts have one, and keep it until they end.
    let with = |connections, policy: fn(CallPolicy) -> CallPolicy| {
        let policy = policy(pooled(connections).hedges(20, 2));
        two_replicas(&[0, 2], 100, &[3], policy).log(1_000, vec![])
    };
    let log = with(2, |p| p);
    assert_eq!(log.attempts_at("db"), [0, 2, 3, 23], "no connection is left for the third");
    assert_eq!(log.pool("web"), [(3, 1), (23, 1), (110, -1), (112, -1)]);
    assert_eq!(log.outcomes_of("users"), [(110, OK)]);
    assert_eq!(with(1, |p| p).attempts_at("db"), [0, 2, 3]);
    // Given up, they still do; cancelled, they do not.
    assert_eq!(with(2, |p| p.timeout(50)).pool("web"), [(3, 1), (23, 1), (110, -1), (112, -1)]);
    assert_eq!(with(2, |p| p.timeout(50)).outcomes_of("users"), [(53, Err(Downstream))]);
    assert_eq!(with(2, |p| p.timeout(50).cancels()).pool("web"), [(3, 1), (23, 1), (53, -1), (53, -1)]);
    assert_eq!(with(2, |p| p.cancels()).pool("web"), [(3, 1), (23, 1), (110, -1), (110, -1)]);
}

#[test]
fn a_leg_lost_in_a_crash_fails_with_the_timeout_unless_another_replies() {
    let d = two_replicas(&[0, 2], 100, &[3], pooled(2).hedges(20, 1).timeout(500));
    // The first attempt waits at replica 0, the extra one at replica 1.
    let log = d.log(1_000, vec![(30, d.kill("db", 0))]);
    assert_eq!(log.outcomes_of("users"), [(112, OK)]);
    assert_eq!(log.pool("web"), [(3, 1), (23, 1), (112, -1), (112, -1)], "its connection is kept until then");
    let log = d.log(1_000, vec![(30, d.kill("db", 0)), (31, d.kill("db", 1))]);
    assert_eq!(log.outcomes_of("users"), [(503, Err(Downstream))]);
    // Refused, both have failed at 31.
    let log = d.log(1_000, vec![(30, d.kill_and_refuse("db", 0)), (31, d.kill_and_refuse("db", 1))]);
    assert_eq!(log.outcomes_of("users"), [(31, Err(Downstream))]);
    // Lost before the extra one was sent: that saves the call.
    let log = d.log(1_000, vec![(10, d.kill("db", 0))]);
    assert_eq!(log.outcomes_of("users"), [(112, OK)]);
}

#[test]
fn the_callers_cancellation_reaches_every_leg() {
    let d = two_replicas(&[0, 2], 100, &[3], pooled(2).hedges(20, 1))
        .but(|d| *d.from("users") = client(at([3]), "web.get").timeout(50).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!(log.turned_away("db"), [(53, Timeout), (53, Timeout)]);
    assert_eq!(log.pool("web"), [(3, 1), (23, 1), (53, -1), (53, -1)]);
}

#[test]
fn the_deadline_of_an_extra_attempt_is_that_of_the_first() {
    let d = two_replicas(&[0, 2], 100, &[3], plainly().hedges(20, 1).timeout(90))
        .but(|d| d.of("db").queue.drop = Drop::Expired);
    // Both are given up at 93 and dropped when their turns come, at 100 and 102.
    let log = d.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("users"), [(93, Err(Downstream))]);
    assert_eq!(log.turned_away("db").len(), 2);
}

#[test]
fn what_a_hedge_says_can_change_while_a_run_is_under_way() {
    let d = two_replicas(&[0, 2], 300, &[3, 103], plainly().hedges(50, 1));
    let later = two_replicas(&[0, 2], 300, &[3, 103], plainly().hedges(20, 1));
    let log = d.log(1_000, vec![(60, later.adopt())]);
    assert_eq!(log.attempts_at("db"), [0, 2, 3, 53, 103, 123]);
    let none = two_replicas(&[0, 2], 300, &[3, 103], plainly());
    let log = d.log(1_000, vec![(60, none.adopt())]);
    assert_eq!(log.attempts_at("db"), [0, 2, 3, 53, 103]);
}
