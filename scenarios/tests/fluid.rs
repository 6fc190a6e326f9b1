//! The algebra of a design, against sums done by hand and against what runs measure.

use models::fluid::{Demands, utilisations};
use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::run;
use std::collections::BTreeMap;

fn loaded(text: &str) -> Loaded {
    Loaded::document(Document::parse("design.ron", text), &Traces::Library).unwrap_or_else(|error| panic!("{error}"))
}

/// The utilisations of a design by `service.resource`, with so many requests a second of each client.
fn law(loaded: &Loaded, rates: &[f64]) -> BTreeMap<String, f64> {
    let topology = &loaded.topology;
    let demands = Demands::of(topology);
    let replicas: Vec<f64> = topology.services.iter().map(|service| f64::from(service.replicas)).collect();
    let all = utilisations(topology, &demands, &demands.visits_per_s(rates), &replicas);
    let name = |service: u16| topology.services[usize::from(service)].name.clone();
    all.iter().map(|u| (format!("{}.{}", name(u.service), u.resource.name(topology, u.service)), u.ratio())).collect()
}

const DESIGN: &str = r#"(
    services: {
        "web": (
            replicas: 2, processor: Cores(4), threads: 50,
            calls: {"db": (pool: 5)},
            endpoints: {"page": [
                Work(Constant("10ms")),
                Maybe(0.5, [Call("db.query")]),
                Parallel([[Call("side.a")], [Call("side.b")]]),
                Branch([(0.25, [Work(Constant("4ms"))]), (0.75, [Delay(Constant("8ms"))])]),
                Send("mail.send"),
            ]},
        ),
        "side": (
            processor: Infinite,
            endpoints: {"a": [Work(Constant("5ms"))], "b": [Work(Constant("20ms"))]},
        ),
        "mail": (processor: Servers(3), endpoints: {"send": [Work(Constant("30ms")), Call("db.query")]}),
        "db": (replicas: 4, processor: Servers(2), endpoints: {"query": [Work(Constant("12ms"))]}),
    },
    clients: {
        "people": (arrivals: Poisson(Constant(60)), mix: {"web.page": 1}),
        "robots": (arrivals: Poisson(Constant(10)), mix: {"web.page": 1, "db.query": 3}),
    },
)"#;

#[test]
fn utilisations_are_what_one_works_out_by_hand() {
    let law = law(&loaded(DESIGN), &[60.0, 10.0]);
    // Pages: 60 of people and a quarter of 10 robots. Queries: half of the pages', one of each mail, and
    // three quarters of the robots.
    let (pages, robots) = (62.5, 7.5);
    let queries = 0.5 * pages + pages + robots;
    // A page holds its thread for its work, half a query, the longer branch and what follows.
    let page_s = 0.010 + 0.5 * 0.012 + 0.020 + 0.25 * 0.004 + 0.75 * 0.008;
    let expected = [
        ("web.processor", pages * (0.010 + 0.25 * 0.004) / 8.0),
        ("web.threads", pages * page_s / 100.0),
        ("web.pool:db", pages * 0.5 * 0.012 / 10.0),
        ("mail.processor", pages * 0.030 / 3.0),
        // With servers alone the server is the thread, held during the call too.
        ("mail.threads", pages * 0.042 / 3.0),
        ("db.processor", queries * 0.012 / 8.0),
        ("db.threads", queries * 0.012 / 8.0),
    ];
    let names: Vec<&str> = law.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for (name, value) in expected {
        assert!((law[name] - value).abs() < 1e-12, "{name}: {} instead of {value}", law[name]);
    }
}

#[test]
fn a_database_under_contention_does_what_its_connections_let_it() {
    let entry = scenarios::library::find("lb-cluster").expect("it is there");
    let loaded = Loaded::entry(entry).unwrap_or_else(|error| panic!("{error}"));
    let law = law(&loaded, &[620.0]);
    // X(64) = 64 / (12 ms (1 + 0.03 x 63 + 0.001 x 64 x 63)) = 770 a second.
    let does = 64.0 / (0.012 * (1.0 + 0.03 * 63.0 + 0.001 * 64.0 * 63.0));
    assert!((law["db.contention"] - 620.0 / does).abs() < 1e-12);
    assert!((law["app.processor"] - 620.0 * 0.035 / 32.0).abs() < 1e-12);
}

/// What the law says and what a run measures, where nothing is lost: the work of n requests varies by
/// sqrt((1 + cv^2)/n) at most, demands being independent; four of these are a chance of 1 in 16,000 for
/// each of the dozen figures, and the seed is fixed.
#[test]
fn runs_measure_what_the_law_says() {
    for (name, cv2) in [("lb-cluster", 1.0), ("microservices", 2.0)] {
        let entry = scenarios::library::find(name).expect("it is there");
        let loaded = Loaded::entry(entry).unwrap_or_else(|error| panic!("{error}"));
        let options = run::Options { replications: Some(2), seed: Some(11), ..run::Options::default() };
        let report = run::run(&loaded, &options, &()).expect("it runs");
        let rate = report.mean("metrics.arrivals_per_s").expect("some come");
        let demands = Demands::of(&loaded.topology);
        let visits = demands.visits_per_s(&[rate]);
        let counted = 2.0 * report.horizon.since(report.warm_up).as_secs_f64();
        let mut compared = 0;
        for (figure, law) in law(&loaded, &[rate]) {
            let (service, resource) = figure.split_once('.').expect("it is of a service");
            if !matches!(resource, "processor" | "contention") {
                continue;
            }
            let of_service = loaded
                .topology
                .endpoints
                .iter()
                .zip(&visits)
                .filter(|(e, _)| loaded.topology.services[usize::from(e.service)].name == service);
            let n = counted * of_service.map(|(_, visits)| visits).sum::<f64>();
            let measured = report.mean(&format!("services.{service}.utilisation.{resource}")).expect("it is measured");
            // Visits come in numbers that vary, too: Poisson, or fewer.
            let slack = 4.0 * ((1.0 + cv2) / n).sqrt();
            assert!((measured / law - 1.0).abs() < slack, "{name}, {figure}: {measured} measured, {law} by the law");
            compared += 1;
        }
        assert!(compared >= 2);
    }
}
