//! Costs by hand: machines that come and go, commitments, storage, requests, engineers, and what is lost.

use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::{RunReport, text};
use scenarios::run::{Options, run};
use std::path::PathBuf;

/// One hour counts: from 1 h to 2 h. Each second one request comes.
fn scenario(costs: &str) -> String {
    format!(
        r#"(
    services: {{
        "web": (replicas: 2, start: (takes: Constant("6min")), endpoints: {{"get": [Work(Constant("1ms"))]}}),
        "db": (endpoints: {{"get": [Work(Constant("1ms"))]}}),
    }},
    clients: {{"users": (arrivals: Renewal(Constant("1s")), mix: {{"web.get": 1}})}},
    timeline: [
        (at: "90min", act: Scale(service: "web", to: 5)),
        (at: "100min", act: Scale(service: "web", to: 1)),
        (at: "110min", act: Kill(service: "db", replicas: [0])),
    ],
    costs: {costs},
    run: (warm_up: "1h", horizon: "2h", replications: 1),
)"#
    )
}

fn load(text: &str) -> Result<Loaded, String> {
    Loaded::document(Document::parse("case.ron", text), &Traces::Folder(PathBuf::new())).map_err(|e| e.to_string())
}

fn played(costs: &str) -> RunReport {
    let loaded = load(&scenario(costs)).unwrap_or_else(|e| panic!("{e}"));
    run(&loaded, &Options::default(), &()).unwrap()
}

#[track_caller]
fn close(report: &RunReport, path: &str, expected: f64) {
    let value = report.mean(path).unwrap_or_else(|| panic!("{path} has no value"));
    assert!((value - expected).abs() < 1e-9 * expected.max(1.0), "{path}: {value}, expected {expected}");
}

/// Three machines more are there from when they are asked for, at half past, until they are given back ten
/// minutes later, with a second one; the first stays the whole hour.
#[test]
fn machines_are_paid_for_from_start_to_end() {
    let report = played(r#"(machines: {"web": (hour: 6)})"#);
    close(&report, "costs.machines_per_h", 6.0 * (60.0 + 40.0 + 3.0 * 10.0) / 60.0);
    close(&report, "services.web.cost_per_h", 13.0);
    let report = played(r#"(machines: {"web": (hour: 6, billed_by: "1h")})"#);
    close(&report, "costs.machines_per_h", 6.0 * 5.0);
    let report = played(r#"(machines: {"web": (hour: 6, at_least: "12min")})"#);
    close(&report, "costs.machines_per_h", 6.0 * (60.0 + 40.0 + 3.0 * 12.0) / 60.0);
}

/// Two at half the price, whether they are there or not, and of the others only the third to the fifth.
#[test]
fn commitments_are_paid_for_all_the_time() {
    let report = played(r#"(machines: {"web": (hour: 6, committed: 2, discount: 0.5)})"#);
    close(&report, "costs.machines_per_h", 2.0 * 3.0 + 6.0 * 30.0 / 60.0);
    let report = played(r#"(machines: {"db": (hour: 6, committed: 3, discount: 1)})"#);
    close(&report, "costs.machines_per_h", 0.0);
}

/// Of four machines one is committed to, at half the price.
#[test]
fn machines_of_a_host_are_there_all_the_time() {
    let text = scenario(r#"(hosts: {"box": (hour: 6, committed: 1, discount: 0.5)})"#)
        .replace("    services: {", "    hosts: {\"box\": (machines: 4, processor: Cores(2))},\n    services: {")
        .replace("replicas: 2,", "replicas: 2, processor: Host(name: \"box\"),");
    let report = run(&load(&text).unwrap(), &Options::default(), &()).unwrap();
    close(&report, "costs.machines_per_h", 3.0 * 6.0 + 3.0);
}

#[test]
fn all_parts_add_up() {
    let costs = r#"(
        storage: {"db": (gigabytes: 730, gigabyte_month: 0.1)},
        million_requests: {"web": 1000},
        engineers: (hours_a_month: 73, hour: 50),
    )"#;
    let report = played(costs);
    close(&report, "costs.storage_per_h", 0.1);
    close(&report, "costs.requests_per_h", 3.601);
    close(&report, "costs.engineers_per_h", 5.0);
    close(&report, "costs.lost_per_h", 0.0);
    close(&report, "costs.per_h", 8.701);
    close(&report, "services.db.cost_per_h", 0.1);
    close(&report, "services.web.cost_per_h", 3.601);
    // 3601 requests come, at both ends of the hour too; all but the last are served in it.
    close(&report, "costs.per_million_good", 8.701 / 3600.0 * 1e6);
    assert!(text::report(&report, &text::Page::default()).contains("for a million good requests"));
}

/// Nobody is there for the last twenty minutes: 1,201 of 3,601 requests fail, and a million good ones cost what
/// two thirds of the requests cost, and the loss.
#[test]
fn failed_requests_cost_what_they_lose() {
    let text = scenario(r#"(lost_request: 0.5)"#).replace(r#"service: "db""#, r#"service: "web""#);
    let loaded = load(&text.replace(r#"at: "110min""#, r#"at: "100min""#)).unwrap();
    let report = run(&loaded, &Options::default(), &()).unwrap();
    // Those that come from second 6000 on, which has its crash first, to second 7200.
    close(&report, "costs.lost_per_h", 0.5 * 1_201.0);
    close(&report, "costs.per_million_good", 0.5 * 1_201.0 / 2_400.0 * 1e6);
}

#[test]
fn without_prices_nothing_is_said_of_costs() {
    let text = scenario("()").replace("    costs: (),\n", "");
    let report = run(&load(&text).unwrap(), &Options::default(), &()).unwrap();
    assert!(report.figures.keys().all(|path| !path.contains("cost")));
    assert!(!text::report(&report, &text::Page::default()).contains("Costs"));
}

#[test]
fn all_that_is_wrong_with_prices_is_told_at_once() {
    let costs = r#"(
        hosts: {"box": (hour: 1)},
        machines: {"wed": (hour: 1), "db": (hour: 1, discount: 1.5, billed_by: "0s")},
        storage: {"disk": (gigabytes: 1, gigabyte_month: 1)},
        lost_request: -1,
    )"#;
    let error = load(&scenario(costs)).unwrap_err();
    for part in [
        "there is no host \"box\"",
        "there is no service \"wed\"",
        "did you mean \"web\"?",
        "a discount of 1.5",
        "nothing is billed at a time",
        "-1",
    ] {
        assert!(error.contains(part), "{part} is missing from\n{error}");
    }
}
