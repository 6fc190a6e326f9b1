//! Comparisons: the same arrivals and demands in both worlds, and what pairing saves.

use models::probe::{Arrival, Probe};
use scenarios::comparison::{CompareError, Comparison};
use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::{json, text};
use scenarios::run::{Options, run, run_probed};
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::collections::BTreeMap;

fn load(name: &str, text: &str) -> Loaded {
    Loaded::document(Document::parse(name, text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}

/// A web tier with this many servers, queued like this, in front of a database.
fn design(name: &str, servers: u32, layout: &str, rate: u32) -> Loaded {
    load(
        name,
        &format!(
            r#"(
        services: {{
            "web": (replicas: {servers}, queue: (layout: {layout}), endpoints: {{"get": [Work(Exponential("20ms")), Call("db.get")]}}),
            "db": (processor: Cores(8), endpoints: {{"get": [Work(Exponential("10ms"))]}}),
        }},
        clients: {{"users": (arrivals: Poisson(Constant({rate})), mix: {{"web.get": 1}})}},
        run: (warm_up: "10s", horizon: "200s", replications: 8),
    )"#
        ),
    )
}

/// When each request comes, and what it needs where.
#[derive(Default)]
struct Log {
    arrivals: Vec<(SimTime, Key)>,
    demands: BTreeMap<(u16, u64), Vec<SimDuration>>,
}

impl Probe for Log {
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        self.arrivals.push((now, arrival.request));
    }

    fn demand(&mut self, _: SimTime, service: u16, request: Key, demand: SimDuration) {
        self.demands.entry((service, request.bits())).or_default().push(demand);
    }
}

#[test]
fn two_designs_see_the_same_requests_with_the_same_demands() {
    let log = |loaded: &Loaded| {
        let options = Options { replications: Some(2), ..Options::default() };
        run_probed(loaded, &options, &(), |_| Log::default()).unwrap().1
    };
    let (a, b) = (log(&design("a.ron", 6, "Shared", 200)), log(&design("b.ron", 9, "PerReplica", 200)));
    assert_ne!(a[0].arrivals, a[1].arrivals, "replications differ");
    for (a, b) in a.iter().zip(&b) {
        assert!(a.arrivals.len() > 30_000);
        let first = a.arrivals.iter().zip(&b.arrivals).position(|(a, b)| a != b);
        assert_eq!((first, a.arrivals.len()), (None, b.arrivals.len()), "the first arrival that differs");
        // A request that is still under way at the end may not have come to its work in one of the two.
        let both = a.demands.iter().filter_map(|(at, demand)| Some((at, demand, b.demands.get(at)?)));
        let mut compared = 0;
        for (at, a, b) in both {
            assert_eq!(a, b, "{at:?}");
            compared += 1;
        }
        assert!(compared > 2 * a.arrivals.len() - 500, "{compared} demands of {} requests", a.arrivals.len());
    }
}

#[test]
fn pairing_narrows_the_interval_of_a_difference() {
    let report = |loaded: &Loaded| run(loaded, &Options::default(), &()).unwrap();
    let pooled = report(&design("pooled.ron", 8, "Shared", 200));
    let separate = report(&design("separate.ron", 8, "PerReplica", 200));
    let comparisons = Comparison::with_first(&[pooled.clone(), separate.clone()]).unwrap();
    let [comparison] = comparisons.as_slice() else { panic!("one comparison of two runs") };
    assert_eq!((comparison.a.as_str(), comparison.b.as_str(), comparison.pairs), ("pooled", "separate", 8));
    assert!(comparison.same_arrivals && !comparison.partial);

    // The same by hand.
    let difference = &comparison.differences["metrics.response_mean_s"];
    let mean = |report: &scenarios::report::RunReport| report.mean("metrics.response_mean_s").unwrap();
    let estimate = difference.estimate.unwrap();
    assert!((estimate.mean - (mean(&separate) - mean(&pooled))).abs() < 1e-12);
    // Eight servers at 75%: separate queues wait much longer than one queue.
    assert_eq!(difference.differs(), Some(true), "{estimate:?}");
    assert!(estimate.mean > 0.01);
    assert!(difference.variance_saved.unwrap() > 0.0, "{:?}", difference.variance_saved);
    // Both have the same arrivals, so that the difference is 0 and known to be.
    let arrivals = &comparison.differences["metrics.arrivals_per_s"];
    assert_eq!((arrivals.estimate.unwrap().mean, arrivals.differs()), (0.0, Some(false)));
    assert_eq!(arrivals.variance_saved, Some(1.0));

    let document: serde_json::Value =
        serde_json::from_str(&json::document(&[pooled, separate], &comparisons, json::Detail::Reproducible)).unwrap();
    let value = &document["comparisons"][0];
    assert_eq!((&value["a"], &value["same_arrivals"]), (&"pooled".into(), &true.into()));
    assert_eq!(value["differences"]["metrics.response_mean_s"]["differs"], true);
    assert_eq!(document["runs"].as_array().unwrap().len(), 2);
    let page = text::comparison(comparison, &text::Page::default());
    assert!(page.contains("separate compared with pooled"), "{page}");
    assert!(page.contains("8 pairs of runs on the same arrivals"), "{page}");
}

#[test]
fn what_only_one_side_has_is_not_compared() {
    let report = |loaded: &Loaded| run(loaded, &Options { replications: Some(3), ..Options::default() }, &()).unwrap();
    let with = report(&design("with.ron", 8, "Shared", 200));
    let without = report(&load(
        "without.ron",
        r#"(
        services: {"web": (replicas: 8, endpoints: {"get": [Work(Exponential("20ms"))]})},
        clients: {"users": (arrivals: Poisson(Constant(100)), mix: {"web.get": 1})},
        run: (warm_up: "10s", horizon: "200s", replications: 3),
    )"#,
    ));
    let comparison = Comparison::of(&with, &without).unwrap();
    assert!(!comparison.same_arrivals, "half as many come");
    assert!(comparison.differences.keys().all(|path| !path.starts_with("services.db")));
    assert!(comparison.differences.contains_key("services.web.utilisation.processor"));
    // Nothing is ever rejected on either side: the difference is 0, the saving cannot be told.
    let rejected = &comparison.differences["services.web.rejected_ratio"];
    assert_eq!((rejected.estimate.unwrap().mean, rejected.variance_saved), (0.0, None));
}

#[test]
fn different_seeds_are_not_compared() {
    let loaded = design("case.ron", 8, "Shared", 50);
    let seed = |seed| Options {
        seed: Some(seed),
        replications: Some(1),
        until: Some(SimDuration::from_secs(20)),
        ..Options::default()
    };
    let (a, b) = (run(&loaded, &seed(1), &()).unwrap(), run(&loaded, &seed(2), &()).unwrap());
    let error = Comparison::of(&a, &b).unwrap_err();
    assert!(matches!(error, CompareError::Seeds { seed_a: 1, seed_b: 2, .. }));
    assert!(error.to_string().contains("--seed 1"), "{error}");
}

#[test]
fn what_is_not_measured_alike_is_said() {
    let report = |name: &str, run: &str, threshold: &str| {
        let one = load(
            name,
            &format!(
                r#"(
        services: {{"web": (endpoints: {{"get": [Work(Constant("10ms"))]}})}},
        clients: {{"users": (arrivals: Poisson(Constant(5)), mix: {{"web.get": 1}})}},
        slo: (threshold: "{threshold}"),
        run: ({run}, replications: 2),
    )"#
            ),
        );
        scenarios::run::run(&one, &Options::default(), &()).unwrap()
    };
    let a = report("a.ron", r#"warm_up: "10s", horizon: "60s""#, "1s");
    let same = report("same.ron", r#"warm_up: "10s", horizon: "60s""#, "1s");
    assert_eq!(Comparison::of(&a, &same).unwrap().warnings, Vec::<String>::new());
    let b = report("b.ron", r#"warm_up: "20s", horizon: "90s""#, "2s");
    let comparison = Comparison::of(&a, &b).unwrap();
    let say = [
        "their warm-ups differ: 10 s in a, 20 s in b",
        "their horizons differ: 60 s in a, 90 s in b",
        "their SLO thresholds differ: 1 s in a, 2 s in b",
    ];
    assert_eq!(comparison.warnings, say);
    let page = text::comparison(&comparison, &text::Page::default());
    say.iter().for_each(|say| assert!(page.contains(&format!("warning: {say}")), "{page}"));
    let document: serde_json::Value =
        serde_json::from_str(&json::document(&[], &[comparison], json::Detail::Reproducible)).unwrap();
    assert_eq!(document["comparisons"][0]["warnings"], serde_json::json!(say));
}
