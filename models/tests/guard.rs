//! Circuit breakers and bulkheads, to the nanosecond.

mod common;

use common::*;
use models::blueprint::{CallPolicy, Processor};
use models::probe::Cause::{Bulkhead, Downstream, Open, Timeout};

const OK: Result<(), models::probe::Cause> = Ok(());

/// `web` calls `db`, which takes `demand`; requests come at the instants given.
fn web_and_db(arrivals: &[u64], policy: CallPolicy, demand: u64) -> Design {
    design()
        .service("web", service(Processor::Infinite, [call("db.get")]).calling("db", policy))
        .service("db", service(Processor::Infinite, [work(demand)]))
        .client("users", client(at(arrivals), "web.get"))
}

#[test]
fn an_open_breaker_fails_calls_at_once_and_probes_after_a_while() {
    // Each call is given up after 10; two of them open the breaker, at 15, for 100.
    let policy = || plainly().timeout(10).breaks(breaker(1_000, 2, 100, 2));
    let arrivals = [0, 5, 6, 20, 114, 115, 116, 117, 130];
    let d = web_and_db(&arrivals, policy(), 50);
    let log = d.log(1_000, vec![]);
    // That of 6 was let through before, and its end at 16 counts no more. The probes of 115 and 116 pass, that
    // of 117 is one too many; the first to fail opens it again.
    assert_eq!(
        log.failures_at("db"),
        [
            (10, Timeout),
            (15, Timeout),
            (16, Timeout),
            (20, Open),
            (114, Open),
            (117, Open),
            (125, Timeout),
            (126, Timeout),
            (130, Open),
        ]
    );
    assert_eq!(log.admitted("db").len(), 5, "the others were not sent");
    assert_eq!(log.outcomes()[3], (20, Err(Downstream)));
    // If the dependency is well again, the two probes close it.
    let well = web_and_db(&arrivals, policy(), 1);
    let log = d.log(1_000, vec![(60, well.adopt())]);
    // That of 117 comes before the reply to the second probe, at the same instant.
    assert_eq!(log.failures_at("db")[3..], [(20, Open), (114, Open), (117, Open)]);
    assert_eq!(log.outcomes()[5..], [(116, OK), (117, Err(Downstream)), (117, OK), (131, OK)]);
}

#[test]
fn what_an_open_breaker_fails_may_be_repeated_and_does_not_count() {
    let d = web_and_db(&[0, 12], plainly().timeout(10).retries(2, 50).breaks(breaker(1_000, 1, 100, 1)), 50);
    let log = d.log(1_000, vec![]);
    // The first fails at 10, opens it until 110, and comes again at 60 and 110: then it is the probe.
    assert_eq!(
        log.failures_at("db"),
        [(10, Timeout), (12, Open), (60, Open), (62, Open), (112, Open), (120, Timeout),]
    );
}

#[test]
fn a_population_has_one_breaker_and_each_replica_one_of_its_own() {
    let clients = |n| client(at(n), "web.get").timeout(10).breaks(breaker(1_000, 1, 100, 1));
    let d = design()
        .service("web", service(Processor::Infinite, [work(50)]))
        .client("some", clients([0, 11]))
        .client("others", clients([5, 12]));
    let log = d.log(1_000, vec![]);
    assert_eq!(log.outcomes_of("some"), [(10, Err(Timeout)), (11, Err(Open))]);
    assert_eq!(log.outcomes_of("others"), [(15, Err(Timeout)), (22, Err(Timeout))]);
    // Two replicas take requests in turn: the breaker of one is open, that of the other is not yet.
    let d = web_and_db(&[0, 9, 11, 12], plainly().timeout(10).breaks(breaker(1_000, 1, 100, 1)), 50)
        .but(|d| d.of("web").replicas = 2.into());
    assert_eq!(d.log(1_000, vec![]).failures_at("db"), [(10, Timeout), (11, Open), (19, Timeout), (22, Timeout)]);
}

#[test]
fn a_bulkhead_limits_the_calls_under_way() {
    let log = web_and_db(&[0, 1, 2, 50, 51], plainly().bulkhead(2), 50).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(2, Bulkhead)]);
    assert_eq!(log.outcomes(), [(2, Err(Downstream)), (50, OK), (51, OK), (100, OK), (101, OK)]);
    // Who gives up makes room, although the work goes on; whoever waits for a connection takes some.
    let log = web_and_db(&[0, 10], plainly().bulkhead(1).timeout(10), 50).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(10, Bulkhead), (10, Timeout)]);
    let log = web_and_db(&[0, 11], plainly().bulkhead(1).timeout(10), 50).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(10, Timeout), (21, Timeout)]);
    let log = web_and_db(&[0, 1, 2], CallPolicy { bulkhead: Some(2.into()), ..pooled(1) }, 50).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(2, Bulkhead)]);
    // While a call waits for its repeat it is not under way, and its caller's cancellation makes room.
    let log = web_and_db(&[0, 11], plainly().bulkhead(1).timeout(10).retries(1, 20), 50).log(1_000, vec![]);
    assert_eq!(log.failures_at("db"), [(10, Timeout), (21, Timeout), (40, Timeout), (51, Timeout)]);
    let d = web_and_db(&[0], plainly().bulkhead(1), 50)
        .but(|d| *d.from("users") = client(at([0, 20]), "web.get").timeout(10).cancels());
    assert_eq!(d.log(1_000, vec![]).failures_at("db"), []);
}

#[test]
fn hedges_count_as_one() {
    let log = web_and_db(&[0, 30], plainly().bulkhead(2).hedges(10, 3), 50).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(50, OK), (80, OK)]);
}
