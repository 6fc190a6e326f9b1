//! What is too much, or nearly nothing: it is refused or ends with an error, and never hangs or panics.

mod common;

use common::*;
use indexmap::IndexMap;
use models::blueprint::{Processor, Step};
use models::problem::Problem;
use models::system::{LimitError, Limits, System};
use models::workload::rate::{Diurnal, FlashCrowd, Growth, Match, Piecewise, Product, Ramp, Scaled, Sum, Weekly};
use models::workload::{Arrivals, Rate, Trace, TraceFile};
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

fn problems(d: &Design, traces: &[(&str, &[u32])]) -> Vec<Problem> {
    let trace =
        |(name, counts): &(&str, &[u32])| ((*name).to_owned(), Trace::of_counts(SimDuration::from_secs(1), *counts));
    let traces: IndexMap<_, _> = traces.iter().map(trace).collect();
    models::check::check(&d.blueprint, &d.workload, &traces).err().unwrap_or_default()
}

/// The one problem, as place and message.
fn problem(d: &Design, traces: &[(&str, &[u32])]) -> (String, String) {
    let found = problems(d, traces);
    let [one] = &found[..] else { panic!("one problem is expected, there are {found:#?}") };
    (one.path.to_string(), one.message.clone())
}

fn web(arrivals: Arrivals) -> Design {
    design().service("web", service(Processor::Infinite, [work(10)])).client("users", client(arrivals, "web.get"))
}

fn replay(factor: f64) -> Arrivals {
    Arrivals::Trace(TraceFile { file: "t.csv".into(), factor: factor.into() })
}

#[test]
fn a_rate_of_nothing_ends_at_once_and_nobody_comes() {
    let points = |rate: f64| vec![(secs(0.0).into(), rate.into()), (secs(60.0).into(), rate.into())];
    let day = |mean: f64| Diurnal::new(mean, 2.0, secs(72_000.0));
    let late = Match { kick_off: secs(1.5e10).into(), ..Match::evening(1e-30) };
    let rates = [
        Rate::Constant(0.0.into()),
        Rate::Constant(1e-30.into()),
        Rate::Piecewise(Piecewise(points(0.0))),
        Rate::Ramp(Ramp(points(0.0))),
        Rate::Ramp(Ramp(points(1e-30))),
        Rate::Match(Match::evening(0.0)),
        Rate::Match(Match::evening(1e-30)),
        Rate::Match(late),
        Rate::Diurnal(day(0.0)),
        Rate::Diurnal(day(1e-30)),
        Rate::Diurnal(Diurnal { period: ns(1).into(), ..day(1e-30) }),
        Rate::Diurnal(Diurnal { period: ns(u64::MAX).into(), ..day(1e-30) }),
        Rate::Weekly(Weekly { days: vec![1.0.into(); 7], day: day(1e-30) }),
        Rate::Weekly(Weekly { days: vec![1.0.into(); 7], day: Diurnal { period: ns(1).into(), ..day(1e-30) } }),
        Rate::Growth(Growth::Logistic { start: 1e-40.into(), ceiling: 1e-30.into(), midpoint: ns(1).into() }),
        Rate::Growth(Growth::Gompertz { start: 1e-40.into(), ceiling: 1e-30.into(), midpoint: secs(1e9).into() }),
        Rate::FlashCrowd(FlashCrowd::new(1e-30, &[(secs(9.0), 2.0), (secs(1e10), 2.0)])),
        Rate::Sum(Sum(vec![Rate::Constant(1e-30.into()), Rate::Diurnal(day(1e-30))])),
        Rate::Product(Product(vec![Rate::Constant(0.0.into()), Rate::Match(Match::evening(450.0))])),
        Rate::Scaled(Scaled(0.0.into(), Box::new(Rate::Match(Match::evening(450.0))))),
    ];
    for rate in rates {
        let mut run = web(Arrivals::Poisson(rate.clone())).run(vec![]);
        run.run_until(SimTime::from_nanos(u64::MAX - 1), &mut ()).unwrap();
        assert_eq!((run.model.counts().arrived, run.events()), (0, 0), "{rate:?}");
    }
}

#[test]
fn work_beyond_the_end_of_time_is_never_done() {
    let forever = || work(u64::MAX);
    let services = [
        service(servers(1), [forever()]),
        service(servers(1), [forever()]).threads(9),
        service(cores(1), [forever()]),
        service(Processor::Infinite, [forever()]),
        service(Processor::Infinite, [delay(u64::MAX)]),
    ];
    for spec in services {
        let d = design().service("web", spec).client("users", client(at([5, 6]), "web.get"));
        let mut run = d.run(vec![]);
        run.run_until(SimTime::from_nanos(u64::MAX - 1), &mut ()).unwrap();
        assert_eq!(run.model.counts().in_flight(), 2);
    }
}

#[test]
fn adopting_other_numbers_starts_no_replica() {
    let d = web(at([0, 40]));
    let five = d.but(|d| d.of("web").replicas = 5.into());
    let log = d.log(99, vec![(10, five.adopt())]);
    assert!(log.replicas("web").iter().all(|(_, n)| *n == 1), "{:?}", log.replicas("web"));
}

#[test]
fn too_many_at_once_are_refused() {
    let d = web(closed(60_000_000, exactly(9))).client("more", client(closed(60_000_000, exactly(9)), "web.get"));
    let (path, message) = problem(&d, &[]);
    assert_eq!(path, "clients.more.arrivals.users");
    assert!(message.contains("120000000 closed users in all"), "{message}");

    let (path, message) = problem(&web(replay(3.0)), &[("t.csv", &[5, 40_000_000])]);
    assert_eq!(path, "clients.users.arrivals.file");
    assert!(message.contains("at 1s has 40000000 arrivals, 3 times which"), "{message}");
    assert_eq!(problems(&web(replay(2.0)), &[("t.csv", &[5, 40_000_000])]), []);

    let (path, message) = problem(&web(replay(2e6)), &[("t.csv", &[5])]);
    assert_eq!(path, "clients.users.arrivals.factor");
    assert!(message.contains("a million times"), "{message}");
}

#[test]
fn users_pending_events_and_the_bin_that_is_played_count_as_state() {
    let first = |d: &Design, state_bytes: u64, traces: &[(&str, &[u32])]| {
        let bin = SimDuration::from_secs(1);
        let traces = traces.iter().map(|(n, c)| ((*n).to_owned(), Trace::of_counts(bin, *c))).collect();
        let topology = Arc::new(models::check::check(&d.blueprint, &d.workload, &traces).unwrap());
        let limits = Limits { state_bytes, ..Limits::default() };
        System::run(topology, Arc::default(), 1, 0, limits).step(&mut ())
    };
    // A user has a counter of 4 bytes and a pending event of 20.
    let users = web(closed(10_000, exactly(7)));
    assert!(first(&users, 250_000, &[]).is_ok());
    let at = SimTime::from_nanos(7);
    assert!(matches!(first(&users, 200_000, &[]), Err(LimitError::State { at: now, .. }) if now == at));
    // An arrival still to come takes 8 bytes.
    let counts: &[u32] = &[100_000];
    assert!(first(&web(replay(1.0)), 810_000, &[("t.csv", counts)]).is_ok());
    assert!(matches!(first(&web(replay(1.0)), 790_000, &[("t.csv", counts)]), Err(LimitError::State { .. })));
}

#[test]
fn who_waited_for_a_connection_takes_its_place_until_its_turn_comes() {
    let held = |arrivals: &[u64], until: u64| {
        let policy = pooled(1).timeout(50);
        let d = design()
            .service("web", service(Processor::Infinite, [call("db.get")]).calling("db", policy))
            .service("db", service(Processor::Infinite, [work(100)]))
            .client("users", client(at(arrivals), "web.get"));
        let mut run = d.run(vec![]);
        run.run_until(instant(until), &mut ()).unwrap();
        run.model.state_bytes()
    };
    // All have given up at 50; the second and third still have their places.
    let (one, two, three) = (held(&[0], 60), held(&[0, 0], 60), held(&[0, 0, 0], 60));
    assert!(one < two && three - two == two - one, "{one} {two} {three}");
    assert_eq!(held(&[0, 0, 0], 200), 0);
}

#[test]
fn ids_are_wide_enough_or_the_design_is_refused() {
    let with = |endpoints: usize| {
        let mut d = web(at([0]));
        for i in 0..endpoints {
            d.of("web").endpoints.insert(format!("e{i}"), vec![work(1)]);
        }
        d
    };
    assert_eq!(problem(&with(60_000), &[]), ("services".into(), "there are more than 60000 endpoints".into()));
    assert_eq!(problems(&with(59_999), &[]), []);

    let with = |branches: usize| {
        let steps = [Step::Parallel(vec![vec![delay(1)]; branches])];
        design().service("web", service(Processor::Infinite, steps)).client("users", client(at([0]), "web.get"))
    };
    let (path, message) = problem(&with(10_001), &[]);
    assert_eq!((path.as_str(), message.as_str()), ("services.web.endpoints.get[0]", "10001 branches of one Parallel"));
    assert_eq!(problems(&with(10_000), &[]), []);
}

/// Endpoints of one service, each with its steps.
fn endpoints(steps: Vec<Vec<Step>>) -> Design {
    let mut d = web(at([0]));
    for (i, steps) in steps.into_iter().enumerate() {
        d.of("web").endpoints.insert(format!("e{i}"), steps);
    }
    d
}

#[test]
fn calls_may_be_many_but_must_become_fewer() {
    let to = |i: usize| call(&format!("web.e{i}"));
    let again = |p: f64| endpoints(vec![vec![maybe(p, vec![to(0)])]]);
    for p in [0.5, 0.995, 0.999_999] {
        assert_eq!(problems(&again(p), &[]), [], "{p}");
    }
    // Knots that call one another: the number k hops away grows for long before it falls.
    let chain: Vec<_> = (0..30).map(|i| vec![maybe(0.99, vec![to(i)]), to((i + 1).min(30))]).chain([vec![]]).collect();
    assert_eq!(problems(&endpoints(chain), &[]), []);
    // A wide circle from whose end some calls come back as two.
    let circle = |p: f64| {
        let next = |i: usize| if i == 999 { vec![maybe(p, vec![to(0), to(0)])] } else { vec![to(i + 1)] };
        endpoints((0..1_000).map(next).collect())
    };
    assert_eq!(problems(&circle(0.45), &[]), []);
    // One that is in two circles, of which each alone would die out.
    let two = |p: f64| endpoints(vec![vec![maybe(p, vec![to(1)]), maybe(p, vec![to(0)])], vec![maybe(p, vec![to(0)])]]);
    assert_eq!(problems(&two(0.6), &[]), []);
    for (endless, first) in [(circle(0.5), "e0"), (circle(0.55), "e0"), (two(0.62), "e0")] {
        let (path, message) = problem(&endless, &[]);
        assert_eq!(path, format!("services.web.endpoints.{first}"));
        assert!(message.contains("multiply without end"), "{message}");
    }
}
