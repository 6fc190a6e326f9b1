//! What each rule means, to the nanosecond: small scenarios without chance, worked out by hand.
//!
//! A caller's failure is `Downstream` one hop further up. Every scenario also passes the audit of
//! `common`: nothing is lost at clients and services, and the facts agree with the system's counts.

mod common;

use common::*;
use models::blueprint::{Processor, Step};
use models::policy::balancer::{ByKey, Popularity};
use models::policy::{Balancer, Drop};
use models::probe::Cause::{Crashed, Downstream, Dropped, Rejected, Timeout, Unreachable};
use models::probe::{Measure, Probe};
use models::system::{Counts, LimitError, Limits, System};
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

const OK: Result<(), models::probe::Cause> = Ok(());

/// `web` calls `db`, which works for `demand`; requests come at the instants given.
fn web_and_db(arrivals: &[u64], policy: models::blueprint::CallPolicy, demand: u64) -> Design {
    design()
        .service("web", service(Processor::Infinite, [call("db.get")]).calling("db", policy))
        .service("db", service(Processor::Infinite, [work(demand)]))
        .client("users", client(at(arrivals), "web.get"))
}

// ---- timeouts

#[test]
fn a_timeout_runs_from_the_start_of_the_attempt_and_includes_the_wait_for_a_connection() {
    let log = web_and_db(&[0, 0], pooled(1).timeout(150), 100).log(1_000, vec![]);
    // The second call waits for the connection up to 100, so it would be answered at 200.
    assert_eq!(log.connected("web"), [(0, 0), (100, 100)]);
    assert_eq!(log.failures_at("db"), [(150, Timeout)]);
    assert_eq!(log.outcomes(), [(100, OK), (150, Err(Downstream))]);
    assert_eq!(log.responded("db"), [(100, true, true), (200, true, false)]);
}

#[test]
fn who_gives_up_while_waiting_for_a_connection_takes_none() {
    let log = web_and_db(&[0, 10, 90], pooled(1).timeout(50), 100).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(50, Err(Downstream)), (60, Err(Downstream)), (140, Err(Downstream))]);
    // The call of 10 is skipped when the connection is free, and that of 90 has waited 10 for it.
    assert_eq!(log.connected("web"), [(0, 0), (100, 10)]);
}

#[test]
fn a_late_reply_is_ignored_and_its_thread_is_held_until_the_end() {
    let log = design()
        .service("web", service(servers(1), [work(100)]))
        .client("users", client(at([0, 10]), "web.get").timeout(50))
        .log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(50, Err(Timeout)), (60, Err(Timeout))]);
    // Nothing is cancelled: the second gets the thread at 100 although nobody waits for it.
    assert_eq!(log.admitted("web"), [(0, 0), (100, 90)]);
    assert_eq!(log.responded("web"), [(100, true, false), (200, true, false)]);
}

#[test]
fn an_abandoned_call_keeps_its_connection_until_it_ends() {
    let log = web_and_db(&[0, 60], pooled(1).timeout(50), 100).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(50, Err(Downstream)), (110, Err(Downstream))]);
    assert_eq!(log.pool("web"), [(0, 1), (100, -1), (100, 1), (200, -1)]);
    assert_eq!(log.connected("web"), [(0, 0), (100, 40)]);
    // The caller's thread is not held: it has gone on.
    assert_eq!((log.held("web", 49), log.held("web", 50), log.held("web", 60)), (1, 0, 1));
}

#[test]
fn a_retry_needs_a_connection_besides_the_one_of_the_abandoned_attempt() {
    let log = web_and_db(&[0], pooled(2).timeout(50).retries(2, 0), 120).log(1_000, vec![]);
    // Attempts at 0, 50 and 100; the third waits for the first one's connection until 120.
    assert_eq!(log.attempts_at("db"), [0, 50, 100]);
    assert_eq!(log.connected("web"), [(0, 0), (50, 0), (120, 20)]);
    assert_eq!(log.outcomes(), [(150, Err(Downstream))]);
    assert_eq!(log.pool("web"), [(0, 1), (50, 1), (120, -1), (120, 1), (170, -1), (240, -1)]);
}

// ---- retries

#[test]
fn retries_wait_their_backoff_and_stop_after_the_most() {
    let log = design()
        .service("web", service(Processor::Infinite, [work(60)]))
        .client("users", client(at([0]), "web.get").timeout(50).retries(2, 30))
        .log(1_000, vec![]);
    assert_eq!(log.attempts_at("web"), [0, 80, 160]);
    assert_eq!(log.outcomes(), [(210, Err(Timeout))]);
    assert_eq!(log.attempts_made(), [3]);
}

#[test]
fn response_time_runs_from_the_first_attempt() {
    let log = design()
        .service("web", service(servers(1), [work(40)]).cap(0))
        .client("users", client(at([0, 10]), "web.get").retries(1, 35))
        .log(1_000, vec![]);
    // The second is rejected at 10 and comes back at 45.
    assert_eq!(log.failures_at("web"), [(10, Rejected)]);
    assert_eq!(log.outcomes(), [(40, OK), (85, OK)]);
    assert_eq!(log.attempts_made(), [1, 2]);
}

#[test]
fn a_budget_is_spent_by_repeats_and_filled_by_successes() {
    let fails = client(at([0, 1, 12, 16]), "web.slow").timeout(2).retries(1, 1).budget(0.5, 1.0, 1.0);
    let mut mixed = fails.clone();
    mixed.mix.insert("web.get".to_owned(), 1.0.into());
    // Which of the two a request asks for is drawn, so ask for each by a population of its own: a
    // budget belongs to its population, so this one cannot be filled by others.
    let log = design()
        .service("web", service(Processor::Infinite, [work(1)]).endpoint("slow", [work(5)]))
        .client("failing", fails)
        .client("served", client(at([3, 4, 5, 6]), "web.get").retries(1, 1).budget(0.5, 1.0, 1.0))
        .log(1_000, vec![]);
    // The one initial token goes to the first; the others get no repeat.
    let timeouts = |ats: &[u64]| ats.iter().map(|&t| (t, Err(Timeout))).collect::<Vec<_>>();
    assert_eq!(log.outcomes_of("failing"), timeouts(&[3, 5, 14, 18]));

    // One population that is served and fails in turn: fails while the replica is down.
    let d = design()
        .service("web", service(Processor::Infinite, [work(1)]))
        .client("users", client(at([0, 10, 20, 30, 40, 50]), "web.get").retries(1, 2).budget(0.5, 1.0, 1.0));
    let acts = vec![(0, d.kill("web", 0)), (15, d.scale("web", 1)), (36, d.kill("web", 0))];
    let log = d.log(1_000, acts);
    let down = Err(Unreachable);
    // 0 repeats with the initial token, 10 has none; 20 and 30 are served: half a token each; 40
    // repeats with it; 50 cannot.
    assert_eq!(log.outcomes(), [(2, down), (10, down), (21, OK), (31, OK), (42, down), (50, down)]);
    assert_eq!(log.attempts_made(), [2, 1, 1, 1, 2, 1]);
}

// ---- queues

#[test]
fn the_cap_counts_waiting_requests_only() {
    let web = |cap| service(servers(1), [work(10)]).cap(cap);
    let three = |cap| design().service("web", web(cap)).client("users", client(at([0, 0, 0]), "web.get"));
    assert_eq!(three(0).log(99, vec![]).outcomes(), [(0, Err(Rejected)), (0, Err(Rejected)), (10, OK)]);
    assert_eq!(three(1).log(99, vec![]).outcomes(), [(0, Err(Rejected)), (10, OK), (20, OK)]);
    assert_eq!(three(2).log(99, vec![]).outcomes(), [(10, OK), (20, OK), (30, OK)]);
}

#[test]
fn the_cap_is_per_replica_or_in_all_with_the_layout() {
    let five = |web| design().service("web", web).client("users", client(at([0; 5]), "web.get"));
    let web = service(servers(1), [work(10)]).replicas(2).cap(1);
    let rejected = |d: Design| d.log(99, vec![]).turned_away("web").len();
    assert_eq!(rejected(five(web.clone())), 1, "two are held, one waits at each");
    assert_eq!(rejected(five(web.shared())), 2, "two are held, one waits in all");
}

#[test]
fn replicas_have_queues_of_their_own_unless_they_share_one() {
    let web = service(servers(1), [work(10)]).endpoint("slow", [work(100)]).replicas(2);
    let with = |web| {
        design()
            .service("web", web)
            .client("slow", client(at([0]), "web.slow"))
            .client("fast", client(at([1, 2]), "web.get"))
            .log(999, vec![])
            .outcomes_of("fast")
    };
    assert_eq!(with(web.clone()), [(11, OK), (110, OK)], "the second stands behind the slow one");
    assert_eq!(with(web.shared()), [(11, OK), (21, OK)], "the second takes the thread that is free first");
}

/// One request holds the thread until 50; another, with this timeout, waits behind it from 0.
fn behind_50(rule: Drop, timeout: u64) -> Log {
    design()
        .service("web", service(servers(1), [work(50)]).drops(rule))
        .client("first", client(at([0]), "web.get"))
        .client("second", client(at([0]), "web.get").timeout(timeout))
        .client("third", client(at([1]), "web.get"))
        .log(999, vec![])
}

#[test]
fn what_has_expired_is_dropped_when_its_turn_comes() {
    let log = behind_50(Drop::Never, 40);
    assert_eq!(log.outcomes_of("third"), [(150, OK)], "without a rule the abandoned one is served in between");
    let log = behind_50(Drop::Expired, 40);
    assert_eq!(log.turned_away("web"), [(50, Dropped)]);
    assert_eq!(log.outcomes_of("second"), [(40, Err(Timeout))], "its caller knows already");
    assert_eq!(log.outcomes_of("third"), [(100, OK)]);
    // At the boundary no time is left, so nothing is served; a nanosecond more and it is.
    assert_eq!(behind_50(Drop::Expired, 50).admitted("web"), [(0, 0), (50, 49)]);
    assert_eq!(behind_50(Drop::Expired, 51).admitted("web"), [(0, 0), (50, 50), (100, 99)]);
}

#[test]
fn what_has_too_little_time_left_is_dropped_and_fails_at_once() {
    let rule = || Drop::RemainingBelow(ns(30).into());
    let log = behind_50(rule(), 79);
    assert_eq!(log.outcomes_of("second"), [(50, Err(Dropped))]);
    assert_eq!(log.outcomes_of("third"), [(100, OK)]);
    // Exactly as much as asked for is enough.
    assert_eq!(behind_50(rule(), 80).admitted("web"), [(0, 0), (50, 50), (100, 99)]);
}

#[test]
fn a_request_without_a_timeout_never_expires() {
    let log = design()
        .service("web", service(servers(1), [work(50)]).drops(Drop::RemainingBelow(ns(1_000_000).into())))
        .client("users", client(at([0, 0]), "web.get"))
        .log(999, vec![]);
    assert_eq!(log.outcomes(), [(50, OK), (100, OK)]);
}

// ---- threads and servers

#[test]
fn a_thread_is_held_during_calls() {
    let log = web_and_db(&[0, 0], plainly(), 100)
        .but(|d| *d.of("web") = service(cores(1), [call("db.get")]).threads(1))
        .log(999, vec![]);
    assert_eq!(log.admitted("web"), [(0, 0), (100, 100)]);
    assert_eq!(log.outcomes(), [(100, OK), (200, OK)]);
    assert_eq!(log.busy("web", 50), 0, "its core is not");
}

#[test]
fn without_threads_a_server_is_held_during_calls_and_with_threads_it_is_not() {
    let steps = [work(10), call("db.get"), work(10)];
    let held = web_and_db(&[0, 0], plainly(), 100).but(|d| *d.of("web") = service(servers(1), steps.clone()));
    let log = held.log(999, vec![]);
    assert_eq!(log.outcomes(), [(120, OK), (240, OK)]);
    assert_eq!(log.busy("web", 50), 1);

    let released = held.but(|d| *d.of("web") = service(servers(1), steps).threads(2));
    let log = released.log(999, vec![]);
    // Work 0 to 10 and 10 to 20, calls until 110 and 120, work until 120 and 130.
    assert_eq!(log.outcomes(), [(120, OK), (130, OK)]);
    assert_eq!((log.busy("web", 5), log.busy("web", 50), log.busy("web", 115)), (1, 0, 1));
    assert_eq!((log.held("web", 50), log.held("web", 120), log.held("web", 130)), (2, 1, 0));
}

#[test]
fn cores_are_shared_equally() {
    let log = design()
        .service("web", service(cores(2), [work(100)]))
        .client("users", client(at([0, 0, 0, 60]), "web.get"))
        .log(999, vec![]);
    // Three at 2/3 until 60: 40 each. Four at 1/2 until 180: 60 more each, so three end. The last
    // has had 60 and is alone: 40 more.
    assert_eq!(log.outcomes(), [(180, OK), (180, OK), (180, OK), (220, OK)]);
    assert_eq!((log.busy("web", 100), log.busy("web", 200), log.busy("web", 220)), (2, 1, 0));
}

#[test]
fn a_contended_database_slows_down_as_its_law_says() {
    // sigma 0.5, kappa 0.25: two work at pace 1/(1 + 0.5 + 0.5) each, so that both need twice the
    // time; three at 1/(1 + 1 + 1.5).
    let usl = || Processor::Usl { sigma: 0.5.into(), kappa: 0.25.into() };
    let n = |arrivals: &[u64]| {
        let db = service(usl(), [work(1_000)]);
        design().service("db", db).client("users", client(at(arrivals), "db.get")).log(99_999, vec![]).outcomes()
    };
    assert_eq!(n(&[0]), [(1_000, OK)]);
    assert_eq!(n(&[0, 0]), [(2_000, OK); 2]);
    assert_eq!(n(&[0, 0, 0]), [(3_500, OK); 3]);
}

#[test]
fn delays_need_no_processor() {
    let log = design()
        .service("web", service(servers(1), [delay(100), work(10)]).threads(3))
        .client("users", client(at([0, 0, 0]), "web.get"))
        .log(999, vec![]);
    assert_eq!(log.outcomes(), [(110, OK), (120, OK), (130, OK)]);
}

// ---- steps

#[test]
fn parallel_waits_for_the_last_branch() {
    let branches = vec![vec![work(10), delay(10)], vec![call("db.get")], vec![delay(30)]];
    let d = web_and_db(&[0], plainly(), 50)
        .but(|d| *d.of("web") = service(servers(1), [Step::Parallel(branches), work(5)]).threads(1));
    assert_eq!(d.log(999, vec![]).outcomes(), [(55, OK)]);
    let slow = d.but(|d| *d.of("db") = service(Processor::Infinite, [work(7)]));
    assert_eq!(slow.log(999, vec![]).outcomes(), [(35, OK)]);
}

#[test]
fn parallel_fails_if_one_branch_failed_but_only_after_all() {
    let branches = vec![vec![call("db.get"), work(1_000)], vec![delay(30)], vec![call("db.get")]];
    let d = web_and_db(&[0], plainly(), 50)
        .but(|d| *d.of("web") = service(cores(1), [Step::Parallel(branches), work(5)]).threads(1));
    let down = vec![(0, d.kill("db", 0))];
    let log = d.log(999, down);
    assert_eq!(log.outcomes(), [(30, Err(Downstream))]);
    assert_eq!(log.failures_at("db"), [(0, Unreachable), (0, Unreachable)]);
}

#[test]
fn branches_of_parallel_inside_parallel_join_their_own() {
    let inner = Step::Parallel(vec![vec![delay(20)], vec![delay(40)]]);
    let outer = Step::Parallel(vec![vec![inner.clone(), work(5)], vec![delay(10), inner], vec![]]);
    let d = design()
        .service("web", service(cores(1), [outer, work(1)]).threads(1))
        .client("users", client(at([0, 0]), "web.get"));
    // 40 + 5 in one branch, 10 + 40 in the other, then 1; the thread is free again at 51.
    assert_eq!(d.log(999, vec![]).outcomes(), [(51, OK), (102, OK)]);
}

#[test]
fn branches_are_taken_as_often_as_they_say() {
    let steps = [
        Step::Branch(vec![(0.2.into(), vec![call("a.get")]), (0.5.into(), vec![call("b.get")]), (0.3.into(), vec![])]),
        maybe(0.1, vec![call("c.get")]),
        maybe(0.0, vec![call("d.get")]),
        maybe(1.0, vec![call("e.get")]),
    ];
    let n = 20_000_u64;
    let mut d = design().service("web", service(Processor::Infinite, steps));
    for name in ["a", "b", "c", "d", "e"] {
        d = d.service(name, service(Processor::Infinite, [work(1)]));
    }
    let log = d.client("users", client(at((0..n).collect::<Vec<_>>()), "web.get")).log(n + 99, vec![]);
    let taken = |name: &str| log.attempts_at(name).len() as f64 / n as f64;
    // Standard deviations are at most sqrt(0.25/20000) = 0.0035; four of them.
    for (name, p) in [("a", 0.2), ("b", 0.5), ("c", 0.1)] {
        assert!((taken(name) - p).abs() < 0.0142, "{name}: {}", taken(name));
    }
    assert_eq!((taken("d"), taken("e")), (0.0, 1.0));
}

#[test]
fn what_is_handed_over_never_blocks_and_never_fails_the_sender() {
    let d = design()
        .service("web", service(servers(1), [send("push.get"), work(10), send("push.get")]))
        .service("push", service(servers(1), [work(100)]).cap(0))
        .client("users", client(at([0]), "web.get"));
    let log = d.log(999, vec![]);
    assert_eq!(log.outcomes(), [(10, OK)]);
    assert_eq!(log.turned_away("push"), [(10, Rejected)]);
    assert_eq!(log.responded("push"), [(100, true, true)]);

    let log = d.log(999, vec![(0, d.kill("push", 0))]);
    assert_eq!(log.outcomes(), [(10, OK)]);
    assert_eq!(log.turned_away("push"), [(0, Unreachable), (10, Unreachable)]);
    let log = d.log(999, vec![(5, d.kill_and_refuse("push", 0))]);
    assert_eq!(log.outcomes(), [(10, OK)]);
    assert_eq!(log.turned_away("push"), [(5, Crashed), (10, Unreachable)]);
}

// ---- crashes

#[test]
fn a_crash_is_learned_of_by_timeout_or_at_once() {
    let d = |timeout: Option<u64>| {
        let users = client(at([0, 0]), "web.get");
        let users = timeout.map_or(users.clone(), |t| users.timeout(t));
        design().service("web", service(servers(1), [work(50)])).client("users", users)
    };
    let kill = |d: &Design| vec![(20, d.kill("web", 0))];
    let refuse = |d: &Design| vec![(20, d.kill_and_refuse("web", 0))];
    let patient = d(Some(80));
    // Both are lost, the one that was served and the one in the replica's own queue.
    assert_eq!(patient.log(999, kill(&patient)).outcomes(), [(80, Err(Timeout)); 2]);
    assert_eq!(patient.log(999, kill(&patient)).turned_away("web"), [(20, Crashed); 2]);
    assert_eq!(patient.log(999, refuse(&patient)).outcomes(), [(20, Err(Crashed)); 2]);
    let endless = d(None);
    assert_eq!(endless.log(999, kill(&endless)).outcomes(), [(20, Err(Crashed)); 2]);
}

#[test]
fn a_lost_attempt_holds_its_connection_until_its_caller_gives_up() {
    let d = web_and_db(&[0, 10], pooled(1).timeout(100), 50).but(|d| *d.of("db") = d.of("db").clone().replicas(2));
    let log = d.log(999, vec![(20, d.kill("db", 0))]);
    assert_eq!(log.outcomes(), [(100, Err(Downstream)), (110, Err(Downstream))]);
    assert_eq!(log.pool("web"), [(0, 1), (100, -1), (100, 1), (150, -1)]);
    let log = d.log(999, vec![(20, d.kill_and_refuse("db", 0))]);
    assert_eq!(log.outcomes(), [(20, Err(Downstream)), (70, OK)]);
    assert_eq!(log.pool("web"), [(0, 1), (20, -1), (20, 1), (70, -1)]);
}

#[test]
fn a_crash_of_the_callee_frees_the_connections_of_abandoned_calls() {
    let d = web_and_db(&[0, 60], pooled(1).timeout(30), 100).but(|d| *d.of("db") = d.of("db").clone().replicas(2));
    let log = d.log(999, vec![(50, d.kill("db", 0))]);
    assert_eq!(log.pool("web"), [(0, 1), (50, -1), (60, 1), (160, -1)]);
    assert_eq!(log.outcomes(), [(30, Err(Downstream)), (90, Err(Downstream))]);
}

#[test]
fn an_own_queue_dies_with_its_replica_and_a_shared_one_does_not() {
    let web = service(servers(1), [work(50)]).replicas(2);
    let d = |web| design().service("web", web).client("users", client(at([0; 4]), "web.get"));
    let own = d(web.clone());
    // Replica 0 has one at work and one waiting.
    let log = own.log(999, vec![(10, own.kill("web", 0))]);
    assert_eq!(log.outcomes(), [(10, Err(Crashed)), (10, Err(Crashed)), (50, OK), (100, OK)]);
    let shared = d(web.shared());
    let log = shared.log(999, vec![(10, shared.kill("web", 0))]);
    assert_eq!(log.outcomes(), [(10, Err(Crashed)), (50, OK), (100, OK), (150, OK)]);
    // With no replica left it waits for one to come.
    let acts = vec![(10, shared.kill("web", 0)), (10, shared.kill("web", 1)), (70, shared.scale("web", 1))];
    let log = shared.log(999, acts);
    assert_eq!(log.outcomes(), [(10, Err(Crashed)), (10, Err(Crashed)), (120, OK), (170, OK)]);
}

#[test]
fn a_crashed_caller_takes_its_pool_along_and_what_it_called_goes_on() {
    let d = web_and_db(&[0, 0, 0, 40], pooled(2).timeout(35), 100);
    // At 30 two calls are under way and one waits; at 36 they would be abandoned.
    for (at, down) in [(30, "under way"), (38, "abandoned")] {
        let log = d.log(999, vec![(at, d.kill("web", 0)), (at, d.scale("web", 1))]);
        let fresh: Vec<_> = log.pool("web").into_iter().filter(|p| p.0 > at).collect();
        assert_eq!(fresh, [(40, 1), (140, -1)], "{down}: the new replica has a pool of its own");
        assert_eq!(log.responded("db"), [(100, true, false), (100, true, false), (140, true, false)], "{down}");
    }
}

#[test]
fn caller_and_callee_may_crash_at_once_and_come_back_at_once() {
    let d = web_and_db(&[0, 0, 0, 40], pooled(2), 100)
        .but(|d| {
            d.blueprint.services.insert("bare".to_owned(), service(servers(1), [work(1)]));
        })
        .client("others", client(at([50]), "bare.get"));
    let callee = || d.kill_and_refuse("db", 0);
    let caller = || d.kill_and_refuse("web", 0);
    let cases = [(callee(), caller(), Downstream), (caller(), callee(), Crashed), (d.adopt(), caller(), Crashed)];
    for (first, second, cause) in cases {
        // `bare` has no pools and takes the slot of what crashed.
        let acts =
            vec![(30, first), (30, second), (30, d.scale("bare", 2)), (35, d.scale("web", 1)), (35, d.scale("db", 1))];
        let log = d.log(999, acts);
        let crashed = (30, Err(cause));
        assert_eq!(log.outcomes_of("users"), [crashed, crashed, crashed, (140, OK)]);
        assert_eq!(log.outcomes_of("others"), [(51, OK)]);
    }
}

#[test]
fn replicas_that_call_each_other_may_crash_together() {
    // Each request of `get` calls `more` at the other replica, over a pool.
    let web = service(Processor::Infinite, [call("web.more")])
        .endpoint("more", [work(100)])
        .replicas(2)
        .calling("web", pooled(1));
    let d = design().service("web", web).client("users", client(at([0, 0, 0, 50]), "web.get"));
    for refuse in [false, true] {
        let both = models::intervention::Act::Kill { service: 0, of: models::fault::Which::Only(vec![1, 0]), refuse };
        let log = d.log(999, vec![(30, both), (40, d.scale("web", 2))]);
        assert_eq!(log.outcomes(), [(30, Err(Crashed)), (30, Err(Crashed)), (30, Err(Crashed)), (150, OK)]);
    }
}

#[test]
fn what_a_crashed_caller_had_waiting_elsewhere_still_counts_there_once() {
    // Whether or not the call would have been cancelled on giving up.
    for policy in [plainly().timeout(500), plainly().timeout(500).cancels()] {
        for db in [service(servers(1), [work(50)]), service(servers(1), [work(50)]).shared()] {
            let d = web_and_db(&[0, 0, 0], policy.clone(), 0).but(|d| *d.of("db") = db);
            let log = d.log(999, vec![(20, d.kill("web", 0))]);
            assert_eq!(log.outcomes(), [(20, Err(Crashed)); 3]);
            assert_eq!(log.responded("db"), [(50, true, false), (100, true, false), (150, true, false)]);
        }
    }
}

// ---- scaling

#[test]
fn a_replica_scaled_down_finishes_what_it_has() {
    let web = service(servers(1), [work(50)]).replicas(2);
    let d = design().service("web", web).client("users", client(at([0, 0, 0, 0, 20, 20]), "web.get"));
    let log = d.log(999, vec![(10, d.scale("web", 1))]);
    // Replica 1 has two, replica 0 has two and gets the two that come later.
    assert_eq!(log.outcomes(), [(50, OK), (50, OK), (100, OK), (100, OK), (150, OK), (200, OK)]);
    assert_eq!(log.replicas("web"), [(10, 2), (100, 1)], "it counts until it is empty");
}

#[test]
fn a_replica_that_drains_is_gone_once_the_rest_of_its_queue_was_dropped() {
    let web = service(servers(1), [work(50)]).replicas(2).drops(Drop::Expired);
    let d = design().service("web", web).client("users", client(at([0, 0, 0, 0]), "web.get").timeout(40));
    let log = d.log(999, vec![(10, d.scale("web", 1))]);
    assert_eq!(log.turned_away("web"), [(50, Dropped), (50, Dropped)]);
    assert_eq!(log.replicas("web"), [(10, 2), (50, 1)]);
}

#[test]
fn a_replica_that_drains_stays_until_the_connections_of_abandoned_calls_are_back() {
    let d = web_and_db(&[0], pooled(1).timeout(30), 100);
    let log = d.log(999, vec![(10, d.scale("web", 0))]);
    assert_eq!(log.outcomes(), [(30, Err(Downstream))]);
    assert_eq!(log.replicas("web"), [(10, 1), (100, 0)]);
}

#[test]
fn a_replica_scaled_up_takes_from_the_shared_queue_at_once() {
    let web = service(servers(1), [work(50)]).shared();
    let d = design().service("web", web).client("users", client(at([0, 0, 0, 0]), "web.get"));
    let log = d.log(999, vec![(10, d.scale("web", 3))]);
    assert_eq!(log.admitted("web"), [(0, 0), (10, 10), (10, 10), (50, 50)]);
    let own = d.but(|d| d.of("web").queue.layout = models::blueprint::Layout::PerReplica);
    let log = own.log(999, vec![(10, own.scale("web", 3))]);
    assert_eq!(log.admitted("web"), [(0, 0), (50, 50), (100, 100), (150, 150)], "but not from another's own queue");
}

#[test]
fn without_a_replica_a_service_is_unreachable() {
    for web in [service(servers(1), [work(5)]), service(servers(1), [work(5)]).shared()] {
        let d = design().service("web", web).client("users", client(at([0, 10, 20]), "web.get"));
        let log = d.log(999, vec![(9, d.scale("web", 0)), (11, d.scale("web", 1)), (20, d.kill("web", 0))]);
        assert_eq!(log.outcomes(), [(5, OK), (10, Err(Unreachable)), (20, Err(Unreachable))]);
        assert_eq!(log.turned_away("web"), [(10, Unreachable), (20, Unreachable)]);
    }
}

#[test]
fn a_dead_shard_fails_its_keys_and_no_others() {
    let by_key = Balancer::ByKey(ByKey { keys: 1_000.into(), popularity: Popularity::Uniform });
    let db = service(Processor::Infinite, [work(1)]).replicas(4).balanced(by_key);
    let n = 400_u64;
    let d = design()
        .service("db", db)
        .client("users", client(at((0..n).map(|i| 10 * i).collect::<Vec<_>>()), "db.get").retries(1, 2));
    let log = d.log(9_999, vec![(0, d.kill("db", 2))]);
    let failed = log.outcomes().iter().filter(|o| o.1.is_err()).count();
    // Binomial(400, 1/4): standard deviation 8.7, four of them.
    assert!(failed.abs_diff(100) < 35, "{failed}");
    // A retry meets the same shard again: who fails once fails for good.
    let failures = log.failures_at("db");
    assert_eq!(failures.len(), 2 * failed);
    assert!(failures.iter().all(|f| f.1 == Unreachable));
}

// ---- adopting other numbers

#[test]
fn a_lowered_pool_lets_holders_finish() {
    let d = web_and_db(&[0, 10, 20], pooled(2), 100);
    let less = web_and_db(&[0, 10, 20], pooled(1), 100);
    assert_eq!(d.log(999, vec![]).connected("web"), [(0, 0), (10, 0), (100, 80)]);
    // The one of 100 is not given out again; that of 110 is.
    let log = d.log(999, vec![(50, less.adopt())]);
    assert_eq!(log.connected("web"), [(0, 0), (10, 0), (110, 90)]);
    // A raised one is used at once.
    let log = less.log(999, vec![(50, d.adopt())]);
    assert_eq!(log.connected("web"), [(0, 0), (50, 40), (100, 80)]);
}

#[test]
fn other_threads_servers_and_cores_apply_at_once_and_holders_finish() {
    // Four come at 0 and four at 10.
    let d = |web| design().service("web", web).client("users", client(at([0, 0, 0, 0, 10, 10, 10, 10]), "web.get"));
    let kinds: [fn(u32) -> models::blueprint::Service; 3] = [
        |n| service(servers(n), [work(50)]),
        |n| service(servers(n), [work(50)]).threads(100),
        |n| service(Processor::Infinite, [work(50)]).threads(n),
    ];
    for kind in kinds {
        let (four, two) = (d(kind(4)), d(kind(2)));
        let ends = |d: &Design, to: &Design| {
            d.log(999, vec![(20, to.adopt())]).outcomes().iter().map(|o| o.0).collect::<Vec<_>>()
        };
        assert_eq!(ends(&four, &four), [50, 50, 50, 50, 100, 100, 100, 100]);
        assert_eq!(ends(&four, &two), [50, 50, 50, 50, 100, 100, 150, 150]);
        // Two start at 20, when there are two more; the others as places fall free.
        assert_eq!(ends(&two, &four), [50, 50, 70, 70, 100, 100, 120, 120]);
    }
    let (four, two) = (d(service(cores(4), [work(50)])), d(service(cores(2), [work(50)])));
    // Four alone for 10 (10 done), eight at half speed until 20 (15 done; 5), then at a quarter
    // until the first four have 35 more, at 160; the others have 40 by then and go on at half.
    let log = four.log(999, vec![(20, two.adopt())]);
    assert_eq!(log.outcomes(), [[(160, OK); 4], [(180, OK); 4]].concat());
    assert_eq!((log.busy("web", 15), log.busy("web", 20), log.busy("web", 180)), (4, 2, 0));
}

#[test]
fn other_times_and_limits_hold_for_what_comes_after() {
    let d = |demand, timeout| {
        design()
            .service("web", service(servers(1), [work(demand), work(demand)]))
            .client("users", client(at([0, 30, 200]), "web.get").timeout(timeout))
    };
    let log = d(50, 1_000).log(999, vec![(20, d(10, 15).adopt())]);
    // The step under way keeps its 50, the next takes 10. The attempt that came before keeps its
    // patience; those after have 15: the second gives up at 45, the third takes 20 and does not get it.
    assert_eq!(log.outcomes(), [(45, Err(Timeout)), (60, OK), (215, Err(Timeout))]);
    assert_eq!(log.responded("web"), [(60, true, true), (80, true, false), (220, true, false)]);
}

#[test]
fn other_rates_hold_from_then_on() {
    let d = |rate: f64| {
        design()
            .service("web", service(Processor::Infinite, [work(1)]))
            .client("users", client(poisson(rate), "web.get"))
    };
    let second = 1_000_000_000;
    let acts = vec![(second, d(0.0).adopt()), (2 * second, d(1_000.0).adopt())];
    let times: Vec<u64> = d(1_000.0).log(3 * second, acts).outcomes().iter().map(|o| o.0).collect();
    let between = |from: u64, to: u64| times.iter().filter(|t| (from * second..to * second).contains(t)).count();
    assert_eq!(between(1, 2), 0);
    // Poisson(1000): standard deviation 32, four of them.
    assert!(between(0, 1).abs_diff(1_000) < 128 && between(2, 3).abs_diff(1_000) < 128);
}

#[test]
fn adopting_a_design_with_the_same_rates_changes_no_arrival() {
    let d = |pool| {
        web_and_db(&[0], pooled(pool), 100)
            .client("more", client(poisson(1e6), "web.get"))
            .client("closed", client(closed(3, exponential(1e-6)), "web.get"))
    };
    #[derive(Default)]
    struct Arrivals(Vec<(SimTime, Key)>);
    impl Probe for Arrivals {
        fn arrival(&mut self, now: SimTime, arrival: &models::probe::Arrival) {
            if arrival.client == 1 {
                self.0.push((now, arrival.request));
            }
        }
    }
    let arrivals = |acts| {
        let (mut run, mut log) = (d(1).run(acts), Arrivals::default());
        run.run_until(instant(100_000), &mut log).unwrap();
        log.0
    };
    let plain = arrivals(vec![]);
    assert!(plain.len() > 50);
    assert_eq!(arrivals(vec![(50_000, d(9).adopt())]), plain, "a larger pool is no reason for others to come");
}

#[test]
fn a_design_with_other_elements_cannot_take_over() {
    let base = || {
        design()
            .service("web", service(Processor::Infinite, [call("a.get"), call("b.get")]).calling("a", pooled(1)))
            .service("a", service(servers(1), [work(5)]))
            .service("b", service(servers(1), [work(5)]).calling("a", plainly()))
            .client("users", client(at([0]), "web.get"))
    };
    let refused = |change: fn(&mut Design)| {
        let other = base().but(change);
        assert!(base().topology().refuses(&other.topology()).is_some(), "{other:?}");
    };
    assert_eq!(base().topology().refuses(&base().topology()), None);
    refused(|d| d.of("web").endpoints["get"][1] = call("a.get"));
    refused(|d| d.from("users").mix = indexmap::IndexMap::from([("a.get".to_owned(), 1.0.into())]));
    // The pool to `a` is now another caller's: there are as many as before, to the same service.
    refused(|d| {
        *d.of("web") = d.of("web").clone().calling("a", plainly());
        *d.of("b") = d.of("b").clone().calling("a", pooled(1));
    });
}

// ---- cancelling

#[test]
fn giving_up_stops_what_waits_in_a_queue() {
    for web in [service(servers(1), [work(100)]), service(servers(1), [work(100)]).shared()] {
        let d = design()
            .service("web", web)
            .client("first", client(at([0]), "web.get"))
            .client("users", client(at([10, 20]), "web.get").timeout(50).cancels())
            .client("last", client(at([30]), "web.get"));
        let log = d.log(999, vec![]);
        assert_eq!(log.outcomes_of("users"), [(60, Err(Timeout)), (70, Err(Timeout))]);
        assert_eq!(log.turned_away("web"), [(60, Timeout), (70, Timeout)]);
        assert_eq!(log.outcomes_of("last"), [(200, OK)]);
        // A replica that crashes has lost only the first and the last: the others had left.
        let log = d.log(999, vec![(80, d.kill("web", 0))]);
        let crashed = log.turned_away("web").iter().filter(|t| t.1 == Crashed).count();
        let shared = d.blueprint.services["web"].queue.layout == models::blueprint::Layout::Shared;
        assert_eq!(crashed, if shared { 1 } else { 2 });
    }
}

#[test]
fn giving_up_stops_work_and_frees_what_it_held() {
    let kinds = [
        service(servers(1), [work(100)]),
        service(servers(1), [work(100)]).threads(1),
        service(cores(1), [work(100)]).threads(1),
        service(Processor::Infinite, [work(100)]).threads(1),
        service(Processor::Infinite, [delay(100)]).threads(1),
    ];
    for web in kinds {
        let log = design()
            .service("web", web.clone())
            .client("users", client(at([0]), "web.get").timeout(50).cancels())
            .client("last", client(at([10]), "web.get"))
            .log(999, vec![]);
        assert_eq!(log.outcomes(), [(50, Err(Timeout)), (150, OK)], "{web:?}");
        assert_eq!((log.held("web", 49), log.held("web", 50), log.held("web", 150)), (1, 1, 0));
        assert_eq!(log.busy("web", 150), 0);
    }
}

#[test]
fn giving_up_leaves_the_shared_processor_to_the_others() {
    let log = design()
        .service("web", service(cores(1), [work(100)]))
        .client("users", client(at([0]), "web.get").timeout(50).cancels())
        .client("last", client(at([0]), "web.get"))
        .log(999, vec![]);
    // Half each until 50, then alone.
    assert_eq!(log.outcomes(), [(50, Err(Timeout)), (125, OK)]);
}

#[test]
fn giving_up_while_ready_for_a_server_leaves_it_to_the_next() {
    let log = design()
        .service("web", service(servers(1), [work(100)]).threads(9))
        .client("first", client(at([0]), "web.get"))
        .client("users", client(at([10]), "web.get").timeout(50).cancels())
        .client("last", client(at([20]), "web.get"))
        .log(999, vec![]);
    assert_eq!(log.outcomes(), [(60, Err(Timeout)), (100, OK), (200, OK)]);
}

#[test]
fn giving_up_stops_everything_further_down() {
    // The deeper call may wait for a connection, wait in a queue, be served, be in backoff. Whether it
    // would itself cancel on giving up makes no difference to being cancelled.
    let policies = [pooled(1), pooled(1).cancels(), pooled(1).timeout(500), plainly(), plainly().cancels()];
    let dbs = [
        service(servers(1), [work(100)]),
        service(servers(1), [work(100)]).shared(),
        service(cores(1), [work(100)]).threads(1),
    ];
    for policy in &policies {
        for db in &dbs {
            let what = format!("{policy:?} {db:?}");
            let d = design()
                .service("web", service(cores(4), [call("db.get")]).calling("db", policy.clone()))
                .service("db", db.clone())
                .client("users", client(at([0, 10, 20]), "web.get").timeout(50).cancels())
                .client("last", client(at([90]), "web.get"));
            let log = d.log(999, vec![]);
            let gave_up = [(50, Err(Timeout)), (60, Err(Timeout)), (70, Err(Timeout))];
            assert_eq!(log.outcomes(), [&gave_up[..], &[(190, OK)]].concat(), "{what}");
            assert_eq!(log.responded("db"), [(190, true, true)], "{what}");
            assert_eq!((log.held("web", 70), log.held("db", 70), log.held("web", 190)), (0, 0, 0), "{what}");
            // Behind a long one, all are cancelled while they wait.
            let mut d = d.client("long", client(at([0]), "db.get"));
            d.workload.clients.swap_indices(0, 2);
            let log = d.log(999, vec![]);
            assert_eq!(log.outcomes(), [&gave_up[..], &[(100, OK), (200, OK)]].concat(), "{what}");
            assert_eq!(log.responded("db"), [(100, true, true), (200, true, true)], "{what}");
            assert_eq!((log.held("web", 70), log.held("db", 70), log.held("web", 200)), (0, 1, 0), "{what}");
            // Every connection taken is given back.
            assert_eq!(log.pool("web").iter().map(|p| p.1).sum::<i32>(), 0, "{what}");
        }
    }
}

#[test]
fn giving_up_stops_a_call_in_backoff() {
    let d = design()
        .service("web", service(cores(4), [call("db.get")]).calling("db", pooled(1).retries(9, 100)))
        .service("db", service(servers(1), [work(10)]))
        .client("users", client(at([0]), "web.get").timeout(50).cancels());
    let log = d.log(999, vec![(0, d.kill("db", 0))]);
    assert_eq!(log.outcomes(), [(50, Err(Timeout))]);
    assert_eq!(log.attempts_at("db"), [0], "there is no attempt at 100");
}

#[test]
fn giving_up_stops_all_branches_of_parallel() {
    let branches = vec![
        vec![work(100)],
        vec![work(100)],
        vec![delay(100)],
        vec![call("db.get")],
        vec![Step::Parallel(vec![vec![call("db.get")], vec![delay(5)]])],
    ];
    for processor in [servers(1), cores(1), Processor::Infinite] {
        let d = design()
            .service("web", service(processor, [Step::Parallel(branches.clone())]).threads(1).calling("db", pooled(1)))
            .service("db", service(servers(1), [work(100)]))
            .client("users", client(at([0]), "web.get").timeout(50).cancels())
            .client("last", client(at([60]), "web.get"));
        let log = d.log(999, vec![]);
        // One processor does two pieces of work, or they are done side by side; two calls by one
        // connection take 200 in any case.
        assert_eq!(log.outcomes(), [(50, Err(Timeout)), (260, OK)]);
        assert_eq!((log.held("web", 50), log.busy("web", 50), log.held("db", 50)), (0, 0, 0));
        assert_eq!(log.pool("web").iter().map(|p| p.1).sum::<i32>(), 0);
    }
}

#[test]
fn cancelling_may_be_adopted_or_given_up_while_attempts_wait() {
    let d = |cancel: bool| {
        let users = client(at([10, 20]), "web.get").timeout(50);
        design()
            .service("web", service(servers(1), [work(100)]))
            .client("first", client(at([0]), "web.get"))
            .client("users", if cancel { users.cancels() } else { users })
    };
    // At 65 one has given up and one has not; how one gives up is what holds then.
    let log = d(true).log(999, vec![(65, d(false).adopt())]);
    assert_eq!(log.turned_away("web"), [(60, Timeout)]);
    assert_eq!(log.responded("web"), [(100, true, true), (200, true, false)]);
    let log = d(false).log(999, vec![(65, d(true).adopt())]);
    assert_eq!(log.turned_away("web"), [(70, Timeout)]);
    assert_eq!(log.responded("web"), [(100, true, true), (200, true, false)]);
}

/// Of a plain call nothing is remembered while the design cancels nothing: once it does, the call has to be looked for.
#[test]
fn giving_up_stops_plain_calls_made_before_cancelling_was_adopted() {
    let dbs = [
        service(servers(1), [work(100)]),
        service(servers(1), [work(100)]).shared(),
        service(cores(1), [work(100)]).threads(1),
    ];
    for (db, behind_another) in dbs.iter().flat_map(|db| [(db, false), (db, true)]) {
        let what = format!("{db:?}, behind another: {behind_another}");
        let d = |cancel: bool| {
            let users = client(at([10]), "web.get").timeout(50);
            design()
                .service("web", service(cores(4), [call("db.get")]))
                .service("db", db.clone())
                .client("users", if cancel { users.cancels() } else { users })
                .client("other", client(at([if behind_another { 0 } else { 300 }]), "db.get"))
                .client("last", client(at([90]), "web.get"))
        };
        let mut run = d(false).run(vec![(20, d(true).adopt())]);
        let mut probe = (Log::of(&run), Audit::of(&run));
        run.run_until(instant(999), &mut probe).expect("no limit is hit");
        let (log, audit) = probe;
        audit.check_drained(&run);
        let served = if behind_another { [100, 200] } else { [190, 400] };
        assert_eq!(log.outcomes(), [(60, Err(Timeout)), (served[0], OK), (served[1], OK)], "{what}");
        assert_eq!([log.turned_away("web"), log.turned_away("db")], [[(60, Timeout)]; 2], "{what}");
        assert_eq!(log.responded("db"), served.map(|at| (at, true, true)), "{what}");
        assert_eq!((log.held("web", 59), log.held("web", 60)), (1, 0), "{what}");
        assert_eq!((log.held("db", 59), log.held("db", 60)), (1, u32::from(behind_another)), "{what}");
        assert_eq!(run.model.counts(), Counts { arrived: 3, done: 2, failed: 1 }, "{what}");
    }
}

// ---- time and interventions

#[test]
fn an_intervention_precedes_everything_at_its_instant() {
    let d = design().service("web", service(servers(1), [work(10)])).client("users", client(at([0, 0]), "web.get"));
    // The first would end at 10.
    let log = d.log(999, vec![(10, d.kill("web", 0))]);
    assert_eq!(log.outcomes(), [(10, Err(Crashed)); 2]);
    // At 0 it precedes even the first arrival.
    assert_eq!(d.log(999, vec![(0, d.scale("web", 2))]).outcomes(), [(10, OK); 2]);
}

#[test]
fn a_run_that_has_not_begun_can_still_be_intervened_in_at_zero() {
    let d = design().service("web", service(servers(1), [work(10)])).client("users", client(at([0, 0]), "web.get"));
    let mut run = d.run(vec![]);
    run.run_before(SimTime::ZERO, &mut ()).unwrap();
    System::set_timeline(&mut run, timeline(vec![(0, d.scale("web", 2))]));
    let mut log = Log::of(&run);
    run.run_until(instant(99), &mut log).unwrap();
    assert_eq!(log.outcomes(), [(10, OK); 2]);
}

#[test]
fn a_run_in_which_time_stands_still_ends_with_an_error() {
    // Users who do not think and are turned away at once.
    let d = design()
        .service("web", service(servers(1), [work(10)]).cap(0))
        .client("users", client(closed(2, exactly(0)), "web.get"));
    let limits = Limits { consequences: 10_000, ..Limits::default() };
    let mut run = System::run(d.topology(), Arc::default(), 1, 0, limits);
    assert_eq!(run.run_until(instant(99), &mut ()), Err(LimitError::Instant { at: SimTime::ZERO, limit: 10_000 }));
}

#[test]
fn a_run_that_holds_too_much_ends_with_an_error() {
    let d = design()
        .service("web", service(servers(1), [work(1_000_000_000)]))
        .client("users", client(poisson(1e6), "web.get"));
    let limits = Limits { state_bytes: 1_000_000, ..Limits::default() };
    let mut run = System::run(d.topology(), Arc::default(), 1, 0, limits);
    let error = run.run_until(SimTime::from_secs(1), &mut ()).unwrap_err();
    assert!(matches!(error, LimitError::State { limit_bytes: 1_000_000, .. }), "{error:?}");
}

#[test]
fn closed_users_think_before_they_ask() {
    let log = design()
        .service("web", service(servers(1), [work(10)]))
        .client("users", client(closed(2, exactly(100)), "web.get").timeout(15))
        .log(400, vec![]);
    // Both ask at 100. One is served, thinks, and asks at 210; the other gives up at 115 and comes
    // back at 215, while its abandoned attempt has been served from 110 to 120.
    assert_eq!(log.outcomes()[..4], [(110, OK), (115, Err(Timeout)), (220, OK), (230, OK)]);
}

// ---- the standard probe

#[test]
fn the_standard_probe_counts_what_began_since_it_was_attached() {
    let d = web_and_db(&[0, 40, 50, 60], pooled(2), 100)
        .but(|d| d.from("users").timeout = Some(ns(90).into()))
        .client("others", client(at([70]), "db.get"));
    let mut run = d.run(vec![]);
    run.run_until(instant(45), &mut ()).unwrap();
    let mut measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], false);
    run.run_until(instant(1_000), &mut measure).unwrap();
    // Two were under way at 45; three came after: two waited for a connection and gave up, one was
    // served.
    let r = &measure.requests();
    assert_eq!((r.arrived, r.done(), r.failed.iter().sum::<u64>()), (3, 1, 2));
    let [users, others] = &measure.clients[..] else { panic!("two populations") };
    assert_eq!((users.arrived, users.done(), others.arrived, others.done()), (2, 0, 1, 1));
    let web = &measure.services[0];
    // Calls at 0 and 40 hold both connections, the next two take them at 100 and 140 and end at 200
    // and 240: from 45 to 240 that is 55 + 95 + 100 + 100.
    assert_eq!(web.pools[0].used.integral(run.now()), 350);
    assert_eq!(web.pools[0].connections.integral(run.now()), 2 * 955);
    assert_eq!(measure.in_flight.level(), 0);
}

#[test]
fn the_standard_probe_tells_a_lone_population_too() {
    let d = web_and_db(&[0, 40], plainly(), 100);
    let mut run = d.run(vec![]);
    let mut measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], false);
    run.run_until(instant(1_000), &mut measure).unwrap();
    assert_eq!((measure.clients[0].arrived, measure.clients[0].done()), (2, 2));
    assert_eq!(measure.clients[0].responses.count(), 2);
}

// ---- ties

#[test]
fn a_reply_exactly_at_the_timeout_is_a_success() {
    let log = web_and_db(&[0], pooled(1).timeout(100), 100).log(999, vec![]);
    assert_eq!(log.outcomes(), [(100, OK)]);
    let log = design()
        .service("web", service(servers(1), [work(60), work(40)]))
        .client("users", client(at([0]), "web.get").timeout(100).retries(1, 5))
        .log(999, vec![]);
    assert_eq!((log.outcomes(), log.attempts_made()), (vec![(100, OK)], vec![1]));
}
