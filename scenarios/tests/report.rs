//! Reports: the JSON document and its documentation, and what a person reads.

use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::{RunReport, json, text};
use scenarios::run::{Options, run};
use scenarios::verdict::Verdict;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

fn load(text: &str) -> Loaded {
    Loaded::document(Document::parse("case.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}

fn report(text: &str) -> RunReport {
    run(&load(text), &Options { levels: true, series: true, ..Options::default() }, &()).unwrap()
}

/// Everything a report can have: two populations, pools, a contended database, windows.
const EVERYTHING: &str = r#"(
    title: "A bit of everything",
    services: {
        "web": (replicas: 2, processor: Cores(4), threads: 16, calls: {"db": (pool: 4), "mail": (pool: 1)},
            endpoints: {"get": [Work(Exponential("10ms")), Call("db.get")], "post": [Call("mail.send")]}),
        "db": (processor: Usl(sigma: 0.03, kappa: 0.001), endpoints: {"get": [Work(Exponential("8ms"))]}),
        "mail": (processor: Infinite, endpoints: {"send": [Delay(Constant("50ms"))]}),
    },
    clients: {
        "readers": (arrivals: Poisson(Constant(100)), mix: {"web.get": 1}, timeout: "1s"),
        "writers": (arrivals: Closed(users: 5, think: Exponential("1s")), mix: {"web.post": 1}),
    },
    timeline: [(at: "90s", act: Scale(service: "web", to: 3))],
    windows: {"early": ("0s", "30s"), "late": ("50s", "100s")},
    collapse: "late",
    run: (warm_up: "10s", horizon: "60s", replications: 3),
)"#;

#[test]
fn every_key_that_readers_rely_on_is_there() {
    let value = json::run(&report(EVERYTHING), json::Detail::Reproducible);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in "scenario seed replications horizon_s warmup_s metrics services engine verdict".split(' ') {
        assert!(!value[key].is_null(), "{key}");
    }
    let metrics = "arrivals_per_s attempts_per_s goodput_per_s availability response_mean_s response_p50_s \
                   response_p90_s response_p95_s response_p99_s response_p999_s in_flight_mean in_flight_max failures \
                   unknown_ratio slo_good_ratio collapsed_ratio attempts_per_request";
    let found = keys(&value["metrics"]);
    for key in metrics.split_whitespace() {
        assert!(found.iter().any(|found| found == key), "metrics.{key}");
    }
    let service = "utilisation replicas_mean throughput_per_s in_system_mean in_system_variance queue_length_mean \
                   waiting_mean_s waited_ratio waiting_p50_s waiting_p95_s waiting_p99_s pool_wait_mean_s \
                   response_mean_s response_p50_s response_p95_s response_p99_s rejected_ratio abandoned_ratio \
                   distribution";
    for name in ["web", "db", "mail"] {
        assert_eq!(keys(&value["services"][name]), service.split_whitespace().collect::<Vec<_>>(), "{name}");
    }
    let utilisation = |name: &str| keys(&value["services"][name]["utilisation"]);
    assert_eq!(utilisation("web"), ["threads", "processor", "pool:db", "pool:mail"]);
    assert_eq!(utilisation("db"), ["contention"]);
    assert_eq!(utilisation("mail"), Vec::<String>::new());
    assert_eq!(
        keys(&value["metrics"]["failures"]),
        [
            "timeout",
            "rejected",
            "dropped",
            "crashed",
            "unreachable",
            "downstream",
            "balked",
            "reneged",
            "error",
            "open",
            "bulkhead"
        ]
    );
    assert_eq!(keys(&value["clients"]), ["readers", "writers"]);
    assert_eq!(keys(&value["windows"]["late"]), ["from_s", "to_s", "arrivals", "availability"]);
    assert_eq!(keys(&value["engine"]), ["events", "peak_in_flight"]);
    assert_eq!(keys(&value["metrics"]["availability"]), ["mean", "ci95"]);
    assert_eq!(keys(&value["metrics"]["collapsed_ratio"]), ["mean", "ci95", "wilson95"]);
    assert_eq!(value["metrics"]["collapsed_ratio"]["mean"], 0.0);
    assert_eq!(value["warnings"].as_array().unwrap().len(), 1);
    assert!(value["services"]["web"]["pool_wait_mean_s"]["mean"].as_f64().unwrap() > 0.0);
}

#[test]
fn timings_are_there_only_when_asked_for() {
    let report = report(EVERYTHING);
    let plain = json::document(std::slice::from_ref(&report), &[], json::Detail::Reproducible);
    assert!(!plain.contains("wall_s"));
    let value = json::run(&report, json::Detail::Timings);
    assert!(value["engine"]["wall_s"].as_f64().unwrap() > 0.0);
    assert!(value["engine"]["events_per_s"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(value["engine"]["process_peak_bytes"].as_u64().unwrap() > 1 << 20);
    }
}

/// Places of all values, with names of services and the like left open.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    let named = ["services", "clients", "windows", "series.services"].contains(&place);
    let kind = place.strip_suffix('s').and_then(|place| place.rsplit('.').next());
    match value {
        Value::Object(object) if !object.contains_key("mean") && place != "binding" && place != "differences" => {
            for (key, value) in object {
                let key = if named { format!("<{}>", kind.unwrap()) } else { key.clone() };
                let key = if key.starts_with("pool:") { "pool:<callee>".to_owned() } else { key };
                let inner = if place.is_empty() { key } else { format!("{place}.{key}") };
                places(value, &inner, found);
            }
        }
        _ => found.push(place.replace("<client>", "<population>")),
    }
}

#[test]
fn the_documentation_is_that_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json.md");
    if std::env::var_os("OUTGROW_BLESS").is_some() {
        std::fs::write(&file, json::reference()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == json::reference(), "docs/json.md is out of date: run this test with OUTGROW_BLESS=1");

    // And it knows every key that a document has.
    let mut found = Vec::new();
    places(&json::run(&report(EVERYTHING), json::Detail::Timings), "", &mut found);
    for place in found {
        assert!(written.contains(&format!("| `{place}` |")), "{place} is not documented");
    }
}

#[test]
fn keys_keep_their_order_and_numbers_are_finite() {
    let text = json::document(&[report(EVERYTHING)], &[], json::Detail::Reproducible);
    let at = |key: &str| text.find(&format!("\"{key}\"")).unwrap_or_else(|| panic!("{key}"));
    let order = [
        "runs",
        "scenario",
        "version",
        "seed",
        "horizon_s",
        "verdict",
        "metrics",
        "clients",
        "services",
        "windows",
        "engine",
        "comparisons",
    ];
    assert!(order.iter().map(|key| at(key)).is_sorted());
    assert!(text.ends_with("}\n"));
    let back: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(back["comparisons"], serde_json::json!([]));
}

#[test]
fn a_person_can_read_it() {
    let report = report(EVERYTHING);
    let page = text::report(&report, &text::Page::default());
    for say in [
        "case: A bit of everything",
        "Busiest: ",
        "3 runs of 60 s, the first 10 s not counted, seed 1.",
        "fresh requests",
        "mean ± 95% interval over runs",
        "Clients",
        "readers",
        "Services",
        "waiting for a connection, mean: web ",
        "Windows",
        "warning: 13:16: this is after the run has ended at 1min",
    ] {
        assert!(page.contains(say), "{say} is missing:\n{page}");
    }
}

#[test]
fn wide_names_and_many_services_fit_the_page() {
    let mut services = String::new();
    for i in 0..20 {
        let name = if i % 5 == 0 {
            format!("a-service-with-a-very-long-name-that-nobody-would-type-{i}")
        } else {
            format!("s{i}")
        };
        let _ = write!(services, "\"{name}\": (replicas: 2, endpoints: {{\"get\": [Work(Exponential(\"5ms\"))]}}), ");
    }
    let report = report(&format!(
        r#"(
        title: "A title that is rather long too, and goes on and on so that it does not fit in eighty columns at all",
        services: {{ {services} }},
        clients: {{"users": (arrivals: Poisson(Constant(50)), mix: {{"s1.get": 1, "s2.get": 1, "a-service-with-a-very-long-name-that-nobody-would-type-0.get": 2}})}},
        windows: {{"a-window-with-a-long-name-of-its-own": ("60s", "90s")}},
        run: (warm_up: "10s", horizon: "100s", replications: 2),
        expect: [(figure: "services.s1.utilisation.processor", least: 0, shows: "that wide names can be read")],
    )"#
    ));
    for width in [80, 100, 120] {
        let page = text::report(&report, &text::Page { width, style: &text::Plain });
        for line in page.lines() {
            assert!(line.chars().count() <= usize::from(width) + 1, "{} columns:\n{line}", line.chars().count());
        }
        for i in 0..20 {
            assert!(page.contains(&format!("s{i}")) || i % 5 == 0, "{page}");
        }
    }
}

#[test]
fn colour_is_the_callers_business() {
    struct Marked;
    impl text::Style for Marked {
        fn paint(&self, role: text::Role, text: &str) -> String {
            format!("<{role:?}>{text}</>")
        }
    }
    let page = text::report(&report(EVERYTHING), &text::Page { width: 90, style: &Marked });
    assert!(page.contains("<Heading>Requests</>"), "{page}");
    assert!(page.contains("<Warning>warning: "), "{page}");
}

#[test]
fn a_collapse_is_told_by_its_share() {
    // Retries without limit against one slow server: whoever comes late is served by nobody in time.
    let collapsing = r#"(
        services: {"web": (endpoints: {"get": [Work(Constant("100ms"))]})},
        clients: {"users": (arrivals: Poisson(Constant(20)), mix: {"web.get": 1}, timeout: "1s")},
        run: (warm_up: "10s", horizon: "300s", replications: 4),
    )"#;
    let report = report(collapsing);
    assert_eq!(report.verdict, Verdict::Collapsed);
    assert_eq!(report.collapsed(), Some((4, 4)));
    let page = text::report(&report, &text::Page::default());
    assert!(page.starts_with("COLLAPSED case\n4 of 4 runs collapsed"), "{page}");
    assert!(page.contains("4 of 4 (95%: 51"), "{page}");
    let value = json::run(&report, json::Detail::Reproducible);
    let wilson = &value["metrics"]["collapsed_ratio"]["wilson95"];
    assert!((wilson[0].as_f64().unwrap() - 0.5101).abs() < 1e-4 && wilson[1] == 1.0, "{wilson}");
    assert!(value["services"]["web"]["abandoned_ratio"]["mean"].as_f64().unwrap() > 0.4);
}
