//! What happens over time: small cases by hand, and sums that must agree with the standard probe.

mod common;

use common::*;
use models::blueprint::Processor;
use models::intervention::Act;
use models::probe::{Measure, Series};
use sim_core::time::{SimDuration, SimTime};

/// Watches all of `until` nanoseconds, by the series alone.
fn watch(design: &Design, until: u64, acts: Vec<(u64, Act)>) -> Series {
    let mut run = design.run(acts);
    let mut series = Series::attach(&run, instant(until));
    run.run_until(instant(until), &mut series).expect("no limit is hit");
    series.close(run.now());
    series
}

/// Times are in thousands so that bins are ten wide: `until` is 3000 in all tests by hand.
const UNTIL: u64 = 3_000;

fn by_bin<T: PartialEq + Default>(of: impl Fn(usize) -> T) -> Vec<(usize, T)> {
    (0..300).map(|bin| (bin, of(bin))).filter(|(_, value)| *value != T::default()).collect()
}

#[test]
fn requests_count_in_the_bin_of_their_instant_and_in_that_in_which_they_came() {
    // One server takes 25 a request: the second waits until 30, the third comes at the very end.
    let d =
        design().service("web", service(servers(1), [work(25)])).client("users", client(at([5, 9, 3_000]), "web.get"));
    let s = watch(&d, UNTIL, vec![]);
    assert_eq!((s.width(), s.bins()), (ns(10), 300));
    assert_eq!(by_bin(|bin| s.requests(bin).arrived), [(0, 2), (299, 1)]);
    assert_eq!(by_bin(|bin| s.requests(bin).attempts), [(0, 2), (299, 1)]);
    assert_eq!(by_bin(|bin| s.requests(bin).served), [(3, 1), (5, 1)]);
    assert_eq!(by_bin(|bin| s.requests(bin).arrived_and_served), [(0, 2)]);
    assert_eq!(by_bin(|bin| s.requests(bin).response_nanos), [(3, 25), (5, 46)]);
    // In flight: one from 5, two from 9 to 30, one to 55.
    let levels =
        |of: &dyn Fn(usize) -> Option<f64>| (0..7).map(|bin| (10.0 * of(bin).unwrap()) as u32).collect::<Vec<_>>();
    assert_eq!(levels(&|bin| s.in_flight(bin)), [4 + 2, 20, 20, 10, 10, 5, 0]);
    assert_eq!(levels(&|bin| s.waiting(0, bin)), [1, 10, 10, 0, 0, 0, 0]);
    assert_eq!(levels(&|bin| s.busy(0, bin)), [5, 10, 10, 10, 10, 5, 0]);
    assert_eq!(levels(&|bin| s.replicas(0, bin)), [10; 7]);
    assert_eq!(s.processor_utilisation(0, 0), Some(0.5));
}

#[test]
fn failures_and_repeats_count_when_they_happen() {
    let d = design()
        .service("web", service(servers(1), [work(100)]))
        .client("users", client(at([5]), "web.get").timeout(20).retries(1, 30));
    let s = watch(&d, UNTIL, vec![]);
    // From 5 to 25, again from 55 to 75.
    assert_eq!(by_bin(|bin| s.requests(bin).attempts), [(0, 1), (5, 1)]);
    assert_eq!(by_bin(|bin| s.requests(bin).failed), [(7, 1)]);
    assert_eq!(by_bin(|bin| s.requests(bin).arrived_and_served), []);
}

#[test]
fn utilisation_follows_what_there_is() {
    // Three of four threads are held all the while; from 1005 on there is no limit, from 2005 on one of six.
    let d = design()
        .service("web", service(Processor::Infinite, [delay(1)]).threads(4))
        .client("users", client(closed(3, exactly(0)), "web.get"));
    let free = d.but(|d| d.of("web").threads = None);
    let six = d.but(|d| d.of("web").threads = Some(6.into()));
    let s = watch(&d, UNTIL, vec![(1_005, free.adopt()), (2_005, six.adopt())]);
    for (bins, expected) in [(0..100, Some(0.75)), (100..201, None), (201..300, Some(0.5))] {
        for bin in bins {
            assert_eq!(s.thread_utilisation(0, bin), expected, "bin {bin}");
            assert_eq!(s.held(0, bin), Some(3.0), "bin {bin}");
        }
    }
}

/// Everything at once: pools, a database under contention, timeouts and repeats; a replica comes and goes.
fn everything() -> (Design, Vec<(u64, Act)>) {
    let usl = |kappa: f64| Processor::Usl { sigma: 0.02.into(), kappa: kappa.into() };
    let d = design()
        .service(
            "web",
            service(cores(2), [work(20_000), call("db.get")]).replicas(2).threads(16).calling("db", pooled(6)),
        )
        .service("db", service(usl(0.001), [work(10_000)]))
        .client("people", client(poisson(120_000.0), "web.get").timeout(400_000).retries(2, 100_000))
        .client("users", client(closed(5, exactly(30_000)), "web.get"));
    let worse = d.but(|d| d.of("db").processor = usl(0.004));
    let acts = vec![
        (9_000_000, d.kill("web", 1)),
        (14_000_000, d.scale("web", 4)),
        (20_000_000, worse.adopt()),
        (26_000_000, d.scale("web", 2)),
    ];
    (d, acts)
}

const EVERYTHING_ENDS: u64 = 30_500_000;

#[test]
fn bins_add_up_to_the_figures_of_the_standard_probe() {
    let (d, acts) = everything();
    let mut run = d.run(acts);
    let measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], false);
    let series = Series::attach(&run, instant(EVERYTHING_ENDS));
    let mut both = (measure, series);
    run.run_until(instant(EVERYTHING_ENDS), &mut both).expect("no limit is hit");
    let (now, (m, mut s)) = (run.now(), both);
    s.close(now);
    let bins = 0..s.bins();
    assert_eq!(bins.clone().map(|bin| s.span(bin).as_nanos()).sum::<u64>(), EVERYTHING_ENDS);
    let count =
        |of: fn(&models::probe::series::RequestsInBin) -> u64| bins.clone().map(|bin| of(s.requests(bin))).sum::<u64>();
    assert_eq!(count(|r| r.arrived), m.requests().arrived);
    assert_eq!(count(|r| r.served), m.requests().served());
    assert_eq!(count(|r| r.arrived_and_served), m.requests().done());
    assert_eq!(count(|r| r.failed), m.requests().failed.iter().sum::<u64>());
    assert_eq!(count(|r| r.attempts), m.attempts());
    assert!(m.requests().failed[0] > 100 && m.attempts() > m.requests().arrived, "it is busy enough to be a test");
    assert!(bins.clone().all(|bin| s.requests(bin).arrived_and_served <= s.requests(bin).arrived));

    // Means over the bins, weighted by their time, are means over the run; rounding aside.
    let mean = |of: &dyn Fn(usize) -> Option<f64>| {
        let weighted = bins.clone().map(|bin| of(bin).unwrap() * s.span(bin).as_nanos() as f64);
        weighted.sum::<f64>() / EVERYTHING_ENDS as f64
    };
    let near = |found: f64, expected: Option<f64>, what: &str| {
        let expected = expected.unwrap();
        assert!((found - expected).abs() <= 1e-9 * expected, "{what}: {found}, not {expected}");
    };
    near(mean(&|bin| s.in_flight(bin)), m.in_flight.mean(now), "in flight");
    for (id, service) in m.services.iter().enumerate() {
        near(mean(&|bin| s.waiting(id, bin)), service.waiting().mean(now), "waiting");
        near(mean(&|bin| s.held(id, bin)), service.held().mean(now), "held");
        near(mean(&|bin| s.busy(id, bin)), service.busy().mean(now), "busy");
        near(mean(&|bin| s.replicas(id, bin)), service.replicas.mean(now), "replicas");
    }
    // What there is differs from bin to bin: shares must be weighted by it.
    let there = |of: &dyn Fn(usize) -> Option<f64>| {
        let of_bin = |bin| of(bin).unwrap() * s.replicas(0, bin).unwrap() * s.span(bin).as_nanos() as f64;
        let replicas = |bin| s.replicas(0, bin).unwrap() * s.span(bin).as_nanos() as f64;
        bins.clone().map(of_bin).sum::<f64>() / bins.clone().map(replicas).sum::<f64>()
    };
    near(there(&|bin| s.thread_utilisation(0, bin)), m.services[0].thread_utilisation(now), "threads");
    near(there(&|bin| s.processor_utilisation(0, bin)), m.services[0].processor_utilisation(now), "processors");
    near(there(&|bin| s.pool_utilisation(0, 0, bin)), m.services[0].pools[0].utilisation(now), "pool");
}

#[test]
fn a_database_with_all_connections_in_use_is_fully_used_all_the_time() {
    let usl = Processor::Usl { sigma: 0.02.into(), kappa: 0.001.into() };
    let d = design()
        .service("app", service(Processor::Infinite, [call("db.get")]).calling("db", pooled(64)))
        .service("db", service(usl, [work(10_000_000)]))
        .client("users", client(closed(200, exactly(0)), "app.get"));
    let until = 60_000_000_000;
    let s = watch(&d, until, vec![(until / 2, d.scale("db", 4))]);
    for bin in (0..s.bins()).filter(|bin| ![0, s.bins() / 2].contains(bin)) {
        // 64 visits at a time are done at once: a bin of 0.2 s has room for few such rounds.
        let found = s.contended_utilisation(1, bin).unwrap();
        assert!((found - 1.0).abs() < 1.0, "bin {bin}: {found}");
        assert_eq!(s.pool_utilisation(0, 0, bin), Some(1.0));
    }
    let mean = (0..s.bins()).filter_map(|bin| s.contended_utilisation(1, bin)).sum::<f64>() / s.bins() as f64;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    assert_eq!(s.contended_utilisation(0, 3), None);
    assert_eq!(s.processor_utilisation(1, 3), None);
}

#[test]
fn a_series_that_joins_later_agrees_from_the_next_bin_on() {
    let (d, acts) = everything();
    let whole = watch(&d, EVERYTHING_ENDS, acts.clone());
    let mut run = d.run(acts);
    run.run_until(instant(10_150_000), &mut ()).expect("no limit is hit");
    let mut late = Series::attach(&run, instant(EVERYTHING_ENDS));
    run.run_until(instant(EVERYTHING_ENDS), &mut late).expect("no limit is hit");
    late.close(run.now());
    let first = (10_150_000 / whole.width().as_nanos()) as usize;
    assert_eq!((late.span(first - 1), late.in_flight(first - 1), late.held(0, 0)), (SimDuration::ZERO, None, None));
    assert!(late.span(first) < whole.span(first));
    for bin in first + 1..whole.bins() {
        assert_eq!(late.requests(bin), whole.requests(bin), "bin {bin}");
        assert_eq!(late.in_flight(bin), whole.in_flight(bin), "bin {bin}");
        for service in 0..2 {
            assert_eq!(late.held(service, bin), whole.held(service, bin), "bin {bin}");
            assert_eq!(
                late.contended_utilisation(service, bin),
                whole.contended_utilisation(service, bin),
                "bin {bin}"
            );
        }
    }
}

#[test]
fn a_run_cut_short_has_no_values_where_it_did_not_come() {
    let (d, acts) = everything();
    let mut run = d.run(acts);
    let mut s = Series::attach(&run, instant(EVERYTHING_ENDS));
    run.run_until(instant(3_050_000), &mut s).expect("no limit is hit");
    s.close(run.now());
    let last = (0..s.bins()).rfind(|bin| !s.span(*bin).is_zero()).unwrap();
    assert_eq!(last as u64, run.now().as_nanos() / s.width().as_nanos());
    assert_eq!(s.span(last), run.now().since(SimTime::from_nanos(s.width().as_nanos() * last as u64)));
    assert_eq!((s.in_flight(last + 1), s.thread_utilisation(0, last + 1)), (None, None));
}
