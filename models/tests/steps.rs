//! Quorum, Repeat, Reply and Fail, to the nanosecond.

mod common;

use common::*;
use models::blueprint::{Processor, Step};
use models::fluid::Demands;
use models::probe::Cause::{Crashed, Downstream, Error};
use models::times::Times;

const OK: Result<(), models::probe::Cause> = Ok(());

/// `web` does these steps for requests that come at the instants given, and has one thread; `a` takes 10,
/// `b` 20 and `c` 30, each as often as it is asked at once; `bad` fails after 15.
fn web(steps: impl Into<Vec<Step>>, arrivals: &[u64]) -> Design {
    let takes = |n| service(Processor::Infinite, [work(n)]);
    design()
        .service("web", service(Processor::Infinite, steps).threads(1))
        .service("a", takes(10))
        .service("b", takes(20))
        .service("c", takes(30))
        .service("bad", service(Processor::Infinite, [work(15), fail(1.0)]))
        .client("users", client(at(arrivals), "web.get"))
}

fn calls(to: &[&str]) -> Vec<Vec<Step>> {
    to.iter().map(|to| vec![call(&format!("{to}.get"))]).collect()
}

#[test]
fn a_quorum_goes_on_when_enough_have_ended_well() {
    let ends = |need, of: &[&str]| web([quorum(need, calls(of))], &[0]).log(1_000, vec![]).outcomes();
    assert_eq!(ends(1, &["a", "b", "c"]), [(10, OK)]);
    assert_eq!(ends(2, &["c", "b", "a"]), [(20, OK)]);
    assert_eq!(ends(3, &["a", "b", "c"]), [(30, OK)]);
    // One may fail, two may not, and that is known when the second fails.
    assert_eq!(ends(2, &["a", "bad", "c"]), [(30, OK)]);
    assert_eq!(ends(2, &["bad", "bad", "c"]), [(15, Err(Downstream))]);
    assert_eq!(ends(3, &["a", "bad", "c"]), [(15, Err(Downstream))]);
}

#[test]
fn what_a_quorum_leaves_behind_runs_on_without_a_thread() {
    let steps = [quorum(1, vec![vec![call("a.get")], vec![call("b.get"), work(40), call("c.get")]]), work(5)];
    let log = web(steps.clone(), &[0, 1]).log(1_000, vec![]);
    // The one thread is free at 15, though the branch goes on until 20 + 40 + 30.
    assert_eq!(log.outcomes(), [(15, OK), (30, OK)]);
    assert_eq!(log.responded("c"), [(90, true, true), (105, true, true)]);
    assert_eq!((log.held("web", 50), log.busy("web", 50)), (0, 2));
    // A replica that drains stays until it has ended; one that crashes loses it.
    let d = web(steps, &[0]);
    let log = d.log(1_000, vec![(16, d.scale("web", 0))]);
    assert_eq!(log.replicas("web"), [(16, 1), (90, 0)]);
    let log = d.log(1_000, vec![(30, d.kill("web", 0))]);
    assert_eq!((log.turned_away("web"), log.busy("web", 30), log.responded("c")), (vec![], 0, vec![]));
}

#[test]
fn a_cancelled_quorum_stops_its_branches() {
    let d = web([quorum(2, calls(&["a", "b", "c"]))], &[0])
        .but(|d| *d.from("users") = client(at([0]), "web.get").timeout(15).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!((log.turned_away("b").len(), log.turned_away("c").len()), (1, 1));
}

#[test]
fn a_fixed_number_of_loops() {
    let log = web([repeat(Times::Fixed(3.into()), [work(1), call("a.get")]), work(2)], &[0]).log(1_000, vec![]);
    assert_eq!(log.attempts_at("a"), [1, 12, 23]);
    assert_eq!(log.outcomes(), [(35, OK)]);
    let log = web([repeat(Times::Fixed(0.into()), [work(1)]), work(2)], &[0]).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(2, OK)]);
    // Loops within loops.
    let inner = repeat(Times::Fixed(3.into()), [work(1)]);
    let log = web([repeat(Times::Fixed(4.into()), [inner, work(10)])], &[0]).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(52, OK)]);
}

#[test]
fn each_loop_draws_anew_and_the_last_are_the_same_whatever_the_number() {
    let demands = |times| {
        let steps = [repeat(times, [Step::Work(exponential(1e-6))])];
        let log = web(steps, &[0]).log(1_000_000, vec![]);
        log.demands.iter().map(|d| d.2).collect::<Vec<_>>()
    };
    let (two, four) = (demands(Times::Fixed(2.into())), demands(Times::Fixed(4.into())));
    assert_eq!(two[..], four[2..]);
    assert!(four.iter().enumerate().all(|(i, d)| !four[..i].contains(d)), "{four:?}");
}

#[test]
fn drawn_numbers_of_loops_have_their_distribution() {
    for (times, mean, variance, none) in
        [(Times::Geometric(2.5.into()), 2.5, 8.75, 1.0 / 3.5), (Times::Poisson(2.0.into()), 2.0, 2.0, 0.135_335)]
    {
        let n = 40_000;
        let d = web([repeat(times.clone(), [call("a.get")])], &(0..n).collect::<Vec<_>>())
            .but(|d| d.of("web").threads = None);
        assert!((Demands::of(&d.topology()).endpoints[0].calls.iter().map(|c| c.1).sum::<f64>() - mean).abs() < 1e-9);
        let log = d.log(1_000_000, vec![]);
        let loops: Vec<f64> = log.outcomes_by_start().iter().map(|(took, _)| *took as f64 / 10.0).collect();
        let n = n as f64;
        let average = loops.iter().sum::<f64>() / n;
        let squares = loops.iter().map(|k| k * k).sum::<f64>() / n;
        let zeros = loops.iter().filter(|k| **k == 0.0).count() as f64 / n;
        // Four standard errors of the mean; of the share, and, roughly, of the variance.
        assert!((average - mean).abs() < 4.0 * (variance / n).sqrt(), "{times:?}: {average}");
        assert!((zeros - none).abs() < 4.0 * (none * (1.0 - none) / n).sqrt(), "{times:?}: {zeros}");
        assert!((squares - average * average - variance).abs() < 0.1 * variance, "{times:?}");
    }
}

#[test]
fn a_reply_goes_out_and_the_thread_is_kept_for_the_rest() {
    let log = web([work(10), Step::Reply, work(20), call("a.get")], &[0, 1]).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(10, OK), (50, OK)]);
    assert_eq!(log.admitted("web"), [(0, 0), (40, 39)]);
    assert_eq!(log.responded("web"), [(40, true, true), (80, true, true)]);
    // What fails after the reply is no failure of the request, and what crashes neither.
    let log = web([work(10), Step::Reply, fail(1.0)], &[0]).log(1_000, vec![]);
    assert_eq!((log.outcomes(), log.responded("web")), (vec![(10, OK)], vec![(10, false, true)]));
    let d = web([work(10), Step::Reply, work(20)], &[0]);
    let log = d.log(1_000, vec![(15, d.kill("web", 0))]);
    assert_eq!((log.outcomes(), log.turned_away("web")), (vec![(10, OK)], vec![(15, Crashed)]));
    // The caller's timeout is over with the reply, and cancels nothing after it.
    let d = d.but(|d| *d.from("users") = client(at([0]), "web.get").timeout(20).cancels());
    let log = d.log(1_000, vec![]);
    assert_eq!((log.outcomes(), log.responded("web")), (vec![(10, OK)], vec![(30, true, true)]));
    // The same between services, with and without a policy.
    for policy in [plainly(), pooled(1).timeout(100)] {
        let d = design()
            .service("web", service(Processor::Infinite, [call("db.get"), work(1)]).calling("db", policy))
            .service("db", service(Processor::Infinite, [work(10), Step::Reply, Step::Reply, work(20)]))
            .client("users", client(at([0]), "web.get"));
        assert_eq!(d.log(1_000, vec![]).outcomes(), [(11, OK)]);
        let demands = Demands::of(&d.topology());
        assert!((demands.endpoints[1].reply_s - 10e-9).abs() < 1e-15);
        assert!((demands.endpoints[1].time_s - 30e-9).abs() < 1e-15);
        assert!((demands.endpoints[0].time_s - 11e-9).abs() < 1e-15);
    }
}

#[test]
fn a_failure_is_an_error_at_the_caller_and_may_be_repeated() {
    let log = web([work(10), fail(1.0), work(5)], &[0]).log(1_000, vec![]);
    assert_eq!(log.outcomes(), [(10, Err(Error))]);
    let log = web([call("bad.get")], &[0]).log(1_000, vec![]);
    assert_eq!((log.failures_at("bad"), log.outcomes()), (vec![(15, Error)], vec![(15, Err(Downstream))]));
    // Each attempt draws anew: of three attempts one is good with probability 1 - 0.5^3.
    let n = 10_000;
    let d = web([fail(0.5)], &(0..n).collect::<Vec<_>>())
        .but(|d| *d.from("users") = client(at((0..n).collect::<Vec<_>>()), "web.get").retries(2, 1));
    let failed = d.log(100_000, vec![]).outcomes().iter().filter(|o| o.1.is_err()).count() as f64 / n as f64;
    assert!((failed - 0.125).abs() < 4.0 * (0.125_f64 * 0.875 / n as f64).sqrt(), "{failed}");
}

#[test]
fn what_makes_no_sense_is_said() {
    let problems = |step: Step| {
        let d = web([step], &[0]);
        let mut files = indexmap::IndexMap::new();
        files.insert("0".to_owned(), models::workload::Trace::of_counts(ns(1), [1]));
        let problems = models::check::check(&d.blueprint, &d.workload, &files).unwrap_err();
        problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect::<Vec<_>>()
    };
    let at = "services.web.endpoints.get[0]";
    assert_eq!(problems(quorum(0, calls(&["a"]))), [format!("{at}.need: 0 of 1 branches are needed")]);
    assert_eq!(problems(quorum(3, calls(&["a", "b"]))), [format!("{at}.need: 3 of 2 branches are needed")]);
    assert_eq!(
        problems(repeat(Times::Geometric(90.0.into()), [work(1)])),
        [format!("{at}[0]: the steps may have to be repeated more than 1000 times")]
    );
    assert_eq!(problems(repeat(Times::Fixed(9.into()), [fail(2.0)])), [format!("{at}[1][0]: 2 is no probability")]);
    let inner = || repeat(Times::Fixed(1_000.into()), [work(1)]);
    assert_eq!(
        problems(repeat(Times::Fixed(1_000.into()), [inner()])),
        [format!("{at}: 1000 times these steps, one after the other, are too many")]
    );
    assert_eq!(
        problems(Step::Parallel(vec![vec![Step::Reply]])),
        [format!("{at}[0][0][0]: a branch replies for the whole request")]
    );
}
