//! How many replications run at once changes no byte, for scenarios made at random out of the examples of
//! everything there is.

use models::blueprint::{Layout, Processor, Step};
use models::catalogue::Entry;
use models::distribution::Distribution;
use models::policy::{Backoff, Balancer, Drop};
use models::probe::Events;
use models::workload::{Arrivals, Rate};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::{json, text};
use scenarios::run::{Options, run_probed};
use scenarios::scenario::Act;

fn example(of: &'static [Entry]) -> impl Strategy<Value = &'static str> {
    (0..of.len()).prop_map(|i| of[i].example)
}

fn service(steps: &str) -> impl Strategy<Value = String> + use<> {
    let steps = steps.to_owned();
    let queue = (example(Layout::ALL), example(Drop::ALL), example(Balancer::ALL));
    (1..4_u32, example(Processor::ALL), example(Distribution::ALL), queue).prop_map(
        move |(replicas, processor, demand, (layout, drop, balancer))| {
            let balancer = if layout == "Shared" { "RoundRobin" } else { balancer };
            format!(
                r#"replicas: {replicas}, processor: {processor}, queue: (layout: {layout}, cap: 50, drop: {drop}),
            balancer: {balancer}, endpoints: {{"get": [Work({demand}){steps}], "query": [Work({demand})]}}"#
            )
        },
    )
}

/// The names are those of the examples.
fn scenarios() -> impl Strategy<Value = String> {
    let client = |name: &'static str| {
        (example(Arrivals::ALL), example(Rate::ALL), example(Backoff::ALL)).prop_map(
            move |(arrivals, rate, backoff)| {
                let arrivals =
                    if arrivals.starts_with("Poisson") { format!("Poisson({rate})") } else { arrivals.to_owned() };
                format!(
                    r#""{name}": (arrivals: {arrivals}, mix: {{"app.get": 3, "db.query": 1}}, timeout: "300ms",
            retry: (max: 2, backoff: {backoff}, budget: (share: 0.1)))"#
                )
            },
        )
    };
    let app = proptest::collection::vec(example(Step::ALL), 1..4)
        .prop_flat_map(|steps| service(&steps.iter().map(|step| format!(", {step}")).collect::<String>()));
    let calls = example(Backoff::ALL).prop_map(|backoff| {
        format!(r#"{{"db": (pool: 4, timeout: "100ms", cancel: true, retry: (max: 1, backoff: {backoff}))}}"#)
    });
    let acts = proptest::collection::vec((0..4_000_u32, example(Act::ALL)), 0..4)
        .prop_map(|acts| acts.iter().map(|(at, act)| format!(r#"(at: "{at}ms", act: {act}), "#)).collect::<String>());
    let others = (service(""), service(""), service(""), service(""));
    (app, calls, others, client("one"), client("other"), acts).prop_map(
        |(app, calls, (db, push, a, b), one, other, acts)| {
            let push = push.replace("\"query\"", "\"notify\"");
            // Replicas on machines that others use cannot be paused.
            let acts = if app.contains("Host(") { acts.replace("Pause(", "Slow(by: 3, ") } else { acts };
            format!(
                r#"(
    hosts: {{"box": (machines: 2, processor: Cores(2))}},
    services: {{
        "app": (caches: {{"users": (keys: 100, popularity: Uniform, size: 10)}}, calls: {calls}, {app}),
        "db": ({db}), "push": ({push}), "a": ({a}), "b": ({b}),
    }},
    clients: {{
        {one},
        {other},
        "users": (arrivals: Poisson(Constant(1)), mix: {{"app.get": 1}}),
    }},
    timeline: [{acts}],
    run: (warm_up: "500ms", horizon: "4s", replications: 4),
)"#
            )
        },
    )
}

/// The same scenarios every time, unless told otherwise: `PROPTEST_RNG_SEED=7`.
fn config() -> ProptestConfig {
    let told = ProptestConfig::default();
    let rng_seed = if told.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { told.rng_seed };
    ProptestConfig { cases: 40, rng_seed, failure_persistence: None, ..told }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_and_two_jobs_give_the_same_report_byte_for_byte(text in scenarios()) {
        let loaded = Loaded::document(Document::parse("case.ron", &text), &Traces::Library);
        let loaded = loaded.unwrap_or_else(|e| panic!("{text}\n{e}"));
        let play = |jobs| {
            let options = Options { jobs: Some(jobs), levels: true, series: true, ..Options::default() };
            let (report, events) = run_probed(&loaded, &options, &(), |_| Events::default()).unwrap();
            let json = json::document(std::slice::from_ref(&report), &[], json::Detail::Reproducible);
            (events, json, text::report(&report, &text::Page::default()))
        };
        let (one, two) = (play(1), play(2));
        for (replication, (one, two)) in one.0.iter().zip(&two.0).enumerate() {
            let difference = one.first_difference(two).map(|difference| difference.to_string());
            prop_assert_eq!(difference, None, "replication {}\n{}", replication, text);
        }
        prop_assert!(one.0.len() == 4 && two.0.len() == 4);
        prop_assert_eq!(one.1, two.1, "{}", text);
        prop_assert_eq!(one.2, two.2, "{}", text);
    }
}
