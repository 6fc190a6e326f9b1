//! Runs: figures against theory, equal bytes on any number of threads, and runs cut short.

use scenarios::document::Document;
use scenarios::estimate::Cost;
use scenarios::expect::{self, Judgement};
use scenarios::load::{Loaded, Traces};
use scenarios::report::{RunReport, json, text};
use scenarios::run::{Cut, Options, Progress, RunError, Watch, run, run_probed};
use scenarios::verdict::Verdict;
use sim_core::time::{SimDuration, SimTime};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn load(text: &str) -> Loaded {
    Loaded::document(Document::parse("case.ron", text), &Traces::Folder(PathBuf::new()))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn secs(secs: u64) -> SimDuration {
    SimDuration::from_secs(secs)
}

/// One server at a load of 0.8.
const ONE_SERVER: &str = r#"(
    title: "One server",
    services: {"web": (endpoints: {"get": [Work(Exponential("100ms"))]})},
    clients: {"users": (arrivals: Poisson(Constant(8)), mix: {"web.get": 1})},
    slo: (threshold: "5s"),
    run: (warm_up: "100s", horizon: "5000s", seed: 7, replications: 10),
    expect: [
        (figure: "metrics.availability", least: 1),
        (figure: "services.web.utilisation.processor", least: 0.9, shows: "it is not as busy as that"),
        (figure: "metrics.response_p99_s", most: 10),
    ],
)"#;

/// More comes than can be done, and nobody gives up.
const TOO_MUCH: &str = r#"(
    services: {"web": (endpoints: {"get": [Work(Constant("100ms"))]})},
    clients: {"users": (arrivals: Poisson(Constant(100)), mix: {"web.get": 1})},
    run: (warm_up: "10s", horizon: "100h", replications: 2),
)"#;

fn mean(report: &RunReport, path: &str) -> f64 {
    report.mean(path).unwrap_or_else(|| panic!("{path} has no value"))
}

#[test]
fn one_server_is_as_theory_says() {
    let report = run(&load(ONE_SERVER), &Options::default(), &()).unwrap();
    // M/M/1 with rate 8 and service rate 10. Ten runs of 39,200 requests: with the t interval at 95%,
    // three half-widths are missed once in 50,000 times.
    let check = |path: &str, exact: f64| {
        let estimate = report.figure(path).and_then(|figure| figure.estimate).unwrap();
        let half = estimate.half_width_95.unwrap();
        assert!((estimate.mean - exact).abs() < 3.0 * half, "{path}: {estimate:?}, exact {exact}");
        assert!(half < 0.25 * exact, "{path} is not known well enough to tell: {estimate:?}");
    };
    check("metrics.arrivals_per_s", 8.0);
    check("metrics.goodput_per_s", 8.0);
    check("metrics.response_mean_s", 0.5);
    check("metrics.response_p50_s", 0.5 * libm::log(2.0));
    check("metrics.response_p99_s", 0.5 * libm::log(100.0));
    check("metrics.in_flight_mean", 4.0);
    check("services.web.utilisation.processor", 0.8);
    check("services.web.utilisation.threads", 0.8);
    check("services.web.in_system_mean", 4.0);
    check("services.web.in_system_variance", 20.0);
    check("services.web.queue_length_mean", 3.2);
    check("services.web.waiting_mean_s", 0.4);
    check("services.web.waited_ratio", 0.8);
    check("services.web.throughput_per_s", 8.0);
    check("services.web.response_mean_s", 0.5);
    for (path, exact) in [("metrics.attempts_per_request", 1.0), ("services.web.replicas_mean", 1.0)] {
        assert_eq!(report.mean(path), Some(exact), "{path}");
    }
    assert_eq!(report.scenario, "case");
    // Its utilisation is at the border itself.
    let strained = mean(&report, "services.web.utilisation.processor") > 0.8;
    assert_eq!(report.verdict, if strained { Verdict::Strained } else { Verdict::Healthy });
    assert_eq!(report.binding.as_ref().unwrap().resource, "processor");
    let judged: Vec<_> = report.expectations.iter().map(|judged| judged.judgement).collect();
    assert_eq!(judged, [Judgement::Met, Judgement::Missed, Judgement::Met]);
    let missed = report.expectations[1].text();
    assert!(missed.starts_with("services.web.utilisation.processor should be at least 0.9 and is 0.7"), "{missed}");
    assert!(missed.ends_with("(it is not as busy as that)"), "{missed}");
}

#[test]
fn nothing_is_lost() {
    // Requests of a run that ends while many are open: served, failed and unknown are all there are.
    let loaded = load(
        r#"(
        services: {
            "web": (replicas: 2, threads: 4, queue: (cap: 5), endpoints: {"get": [Work(Exponential("50ms")), Call("db.get")]}),
            "db": (endpoints: {"get": [Work(Exponential("30ms"))]}),
        },
        clients: {
            "eager": (arrivals: Poisson(Constant(30)), mix: {"web.get": 1}, timeout: "300ms", retry: (max: 2, backoff: Drawn(Exponential("1s")))),
            "calm": (arrivals: Closed(users: 20, think: Exponential("1s")), mix: {"web.get": 1}),
        },
        run: (warm_up: "5s", horizon: "60s", replications: 3),
    )"#,
    );
    let report = run(&loaded, &Options::default(), &()).unwrap();
    for place in ["metrics", "clients.eager", "clients.calm"] {
        let known = 1.0 - mean(&report, &format!("{place}.unknown_ratio"));
        let served = mean(&report, &format!("{place}.availability")) * known;
        let parts: Vec<&str> = place.split('.').chain(["failures"]).collect();
        let failed: f64 = report.figures_at(&parts).map(|(_, figure)| figure.mean().unwrap()).sum();
        // Means of ratios, so that products of means are off by their covariance.
        assert!((served + failed - known).abs() < 2e-3, "{place}: {served} + {failed} != {known}");
    }
    assert!(mean(&report, "metrics.failures.rejected") + mean(&report, "metrics.failures.timeout") > 0.1);
    assert!(report.verdict >= Verdict::Breached);
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let loaded = load(ONE_SERVER);
    let document = |jobs| {
        let options = Options { jobs: Some(jobs), until: Some(secs(600)), levels: true, ..Options::default() };
        let report = run(&loaded, &options, &()).unwrap();
        (
            json::document(std::slice::from_ref(&report), &[], json::Detail::Reproducible),
            text::report(&report, &text::Page::default()),
        )
    };
    let one = document(1);
    assert_eq!(one, document(1), "the same command twice");
    assert_eq!(one, document(2), "one and two threads");
    assert_eq!(one, document(7), "one and seven threads");
}

#[test]
fn a_shared_memory_limit_changes_no_byte_either() {
    // Two runs at once need more than the limit together, so that one waits for the other; each alone
    // stays below it for a while, and then ends at it.
    let loaded = load(TOO_MUCH);
    let document = |jobs| {
        let limits = models::system::Limits { state_bytes: 30_000_000, ..Default::default() };
        let options = Options { jobs: Some(jobs), replications: Some(4), limits, ..Options::default() };
        json::document(&[run(&loaded, &options, &()).unwrap()], &[], json::Detail::Reproducible)
    };
    assert_eq!(document(1), document(4));
}

#[test]
fn a_limit_ends_a_run_with_its_reason() {
    let limits = models::system::Limits { state_bytes: 10 << 20, ..Default::default() };
    let loaded = load(TOO_MUCH);
    let report = run(&loaded, &Options { limits, ..Options::default() }, &()).unwrap();
    let partial = report.partial.as_ref().unwrap();
    assert_eq!((partial.reason(), partial.asked, partial.counted), ("state", 2, 2));
    assert!(partial.message().contains("limit of 10 MiB"), "{}", partial.message());
    // 90 more a second wait, at 32 bytes each: full after some 3,640 s.
    let reached = partial.reached().unwrap();
    assert!((3_000..4_300).contains(&(reached.as_nanos() / 1_000_000_000)), "{reached}");
    assert!((mean(&report, "services.web.utilisation.processor") - 1.0).abs() < 1e-3);
    assert_ne!(report.verdict, Verdict::Healthy);
    let value = json::run(&report, json::Detail::Reproducible);
    assert_eq!(value["partial"]["cut"].as_array().unwrap().len(), 2);
    let page = text::report(&report, &text::Page::default());
    assert!(page.starts_with("PARTIAL: 2 of 2 replications"), "{page}");

    // It could have been known before.
    let cost = Cost::of(&loaded, &Options { limits, ..Options::default() }).unwrap();
    assert!(cost.warnings()[0].contains("more than its limit"), "{cost:?}");
}

#[test]
fn a_budget_of_events_is_kept_exactly() {
    let options = Options { events: Some(100_000), ..Options::default() };
    let report = run(&load(TOO_MUCH), &options, &()).unwrap();
    let partial = report.partial.as_ref().unwrap();
    assert!(partial.cut.iter().all(|cut| cut.why == Cut::Events(100_000)), "{partial:?}");
    assert_eq!(report.engine.events, 200_000);
    let again = run(&load(TOO_MUCH), &options, &()).unwrap();
    let document = |report| json::document(&[report], &[], json::Detail::Reproducible);
    assert_eq!(document(report), document(again));
}

/// Stops when so many replications have ended, or so many events have been handled.
struct StopAfter {
    ended: u32,
    events: u64,
    stop: AtomicBool,
    seen: Mutex<Vec<Progress>>,
}

impl StopAfter {
    fn new(ended: u32, events: u64) -> Self {
        Self { ended, events, stop: AtomicBool::new(false), seen: Mutex::default() }
    }
}

impl Watch for StopAfter {
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn progress(&self, progress: &Progress) {
        self.seen.lock().unwrap().push(*progress);
        if progress.ended >= self.ended || progress.events >= self.events {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stopped_run_says_what_is_known() {
    let loaded = load(ONE_SERVER);
    let one = Options { jobs: Some(1), ..Options::default() };

    // After the third replication: three count, whole.
    let watch = StopAfter::new(3, u64::MAX);
    let report = run(&loaded, &one, &watch).unwrap();
    let partial = report.partial.as_ref().unwrap();
    assert_eq!((partial.reason(), partial.counted, partial.cut.len()), ("stopped", 3, 0));
    assert_eq!(partial.message(), "the run was stopped: 3 of 10 replications had ended");
    assert_eq!(report.replications, [0, 1, 2]);
    let three = run(&loaded, &Options { replications: Some(3), ..Options::default() }, &()).unwrap();
    assert_eq!(report.figures, three.figures, "what counts is whole");
    assert!(report.expectations.iter().all(|judged| judged.judgement == Judgement::Open));
    let shares: Vec<f64> = watch.seen.lock().unwrap().iter().map(|progress| progress.share).collect();
    assert!(shares.is_sorted() && *shares.last().unwrap() >= 0.3, "{shares:?}");

    // Within the first replication: it counts, up to where it was.
    let report = run(&loaded, &one, &StopAfter::new(u32::MAX, 66_000)).unwrap();
    let partial = report.partial.as_ref().unwrap();
    assert_eq!((partial.counted, partial.cut.len(), &partial.cut[0].why), (1, 1, &Cut::Stopped));
    assert!(partial.reached().unwrap() < loaded.horizon());
    assert!((mean(&report, "services.web.utilisation.processor") - 0.8).abs() < 0.1);

    // Before it has begun: nothing is known, and nothing is said to be 0.
    let report = run(&loaded, &one, &AtomicBool::new(true)).unwrap();
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(report.partial.is_some() && report.figures.values().all(|figure| figure.estimate.is_none()));
    let value = json::run(&report, json::Detail::Reproducible);
    assert!(value["metrics"]["availability"]["mean"].is_null());
    assert!(text::report(&report, &text::Page::default()).contains("UNDECIDED"));
}

#[test]
fn what_does_not_exist_is_null() {
    // Nobody is ever served: the only replica crashes at once.
    let loaded = load(
        r#"(
        services: {"web": (endpoints: {"get": [Work(Constant("10ms"))]}), "idle": (calls: {"web": (pool: 2)}, endpoints: {"get": [Call("web.get")]})},
        clients: {"users": (arrivals: Poisson(Constant(5)), mix: {"web.get": 1})},
        timeline: [(at: "0s", act: Kill(service: "web", replicas: [0]))],
        windows: {"late": ("50s", "60s")},
        run: (warm_up: "0s", horizon: "60s", replications: 3),
        expect: [(figure: "metrics.response_mean_s", most: 1)],
    )"#,
    );
    let report = run(&loaded, &Options::default(), &()).unwrap();
    for path in [
        "metrics.response_mean_s",
        "metrics.response_p99_s",
        "services.web.waiting_mean_s",
        "services.web.response_p50_s",
        "services.idle.pool_wait_mean_s",
        "services.idle.rejected_ratio",
        "services.web.utilisation.processor",
    ] {
        assert_eq!(report.mean(path), None, "{path}");
        let value =
            path.split('.').fold(json::run(&report, json::Detail::Reproducible), |value, key| value[key].clone());
        assert_eq!(value, serde_json::json!({"mean": null, "ci95": null}), "{path}");
    }
    for (path, exact) in [
        ("metrics.availability", 0.0),
        ("metrics.failures.unreachable", 1.0),
        ("windows.late.availability", 0.0),
        ("services.idle.utilisation.pool:web", 0.0),
        ("services.web.replicas_mean", 0.0),
        ("metrics.collapsed_ratio", 1.0),
    ] {
        assert_eq!(report.mean(path), Some(exact), "{path}");
    }
    assert_eq!(report.verdict, Verdict::Collapsed);
    assert_eq!(report.expectations[0].judgement, Judgement::NoValue);

    // A window that the run does not reach has no arrivals, rather than 0.
    let report = run(&loaded, &Options { until: Some(secs(40)), ..Options::default() }, &()).unwrap();
    assert_eq!(report.mean("windows.late.arrivals"), None);
    // Nor is anything known of one replication's interval.
    let report = run(&loaded, &Options { replications: Some(1), ..Options::default() }, &()).unwrap();
    assert_eq!(report.figure("metrics.availability").unwrap().estimate.unwrap().half_width_95, None);
}

#[test]
fn what_comes_at_the_end_of_the_warm_up_counts() {
    // One user who thinks for exactly a second and is served at once: requests at 1 s, 2 s, ... 10 s.
    let loaded = load(
        r#"(
        services: {"web": (processor: Infinite, endpoints: {"get": [Work(Constant("0s"))]})},
        clients: {"user": (arrivals: Closed(users: 1, think: Constant("1s")), mix: {"web.get": 1})},
        run: (warm_up: "4s", horizon: "10s", replications: 1),
    )"#,
    );
    let report = run(&loaded, &Options::default(), &()).unwrap();
    assert_eq!(mean(&report, "metrics.arrivals_per_s") * 6.0, 7.0, "at 4, 5, 6, 7, 8, 9 and 10 s");
    assert_eq!(report.mean("metrics.availability"), Some(1.0));
    assert_eq!(report.mean("metrics.unknown_ratio"), Some(0.0));
}

#[test]
fn levels_are_the_distribution_of_the_number_in_system() {
    let options = Options { levels: true, ..Options::default() };
    let report = run(&load(ONE_SERVER), &options, &()).unwrap();
    let levels = &report.distributions["web"];
    let total: f64 = levels.iter().map(|level| level.mean).sum();
    assert!((total - 1.0).abs() < 1e-9);
    // M/M/1: 0.2 x 0.8^n.
    for (n, level) in levels.iter().take(5).enumerate() {
        let exact = 0.2 * libm::pow(0.8, n as f64);
        assert!((level.mean - exact).abs() < 3.0 * level.half_width_95.unwrap(), "{n}: {level:?}, exact {exact}");
    }
}

#[test]
fn a_probe_of_ones_own_sees_the_same_run() {
    let loaded = load(ONE_SERVER);
    let options = Options { replications: Some(4), jobs: Some(2), until: Some(secs(500)), ..Options::default() };
    let digests = |jobs| {
        let options = Options { jobs: Some(jobs), ..options.clone() };
        let (_, probes) = run_probed(&loaded, &options, &(), |_| models::probe::Digest::default()).unwrap();
        probes.iter().map(models::probe::Digest::value).collect::<Vec<_>>()
    };
    let two = digests(2);
    assert_eq!(two, digests(1));
    let plain = |number| {
        let (mut digest, limits) = (models::probe::Digest::default(), models::system::Limits::default());
        let mut run = models::system::System::run(loaded.topology.clone(), loaded.timeline.clone(), 7, number, limits);
        run.run_until(SimTime::from_secs(500), &mut digest).unwrap();
        digest.value()
    };
    assert_eq!(two, (0..4).map(plain).collect::<Vec<_>>(), "slices and probes change nothing");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let loaded = load(ONE_SERVER);
    let refused = |options: Options| run(&loaded, &options, &()).unwrap_err();
    assert_eq!(refused(Options { replications: Some(0), ..Options::default() }), RunError::NoReplications);
    let error = refused(Options { until: Some(secs(100)), ..Options::default() });
    assert_eq!(error, RunError::EndsInWarmUp { until: secs(100), warm_up: secs(100) });
    assert!(error.to_string().contains("ends at 100s, within its warm-up of 100s"), "{error}");
}

#[test]
fn expectations_that_make_no_sense_are_found_before_the_run() {
    let check = |expect: &str, say: &str| {
        let text = ONE_SERVER.replace("(figure: \"metrics.availability\", least: 1),", expect);
        let loaded = load(&text);
        let text = loaded.document.report(expect::problems(&loaded)).to_string();
        assert!(text.contains(say) && text.contains("case.ron:8:"), "{text}");
    };
    check(r#"(figure: "metrics.availabilty", least: 1),"#, "did you mean metrics.availability?");
    check(r#"(figure: "services.web.processor", least: 1),"#, "did you mean services.web.utilisation.processor");
    check(r#"(figure: "metrics.waiting_mean_s", most: 1),"#, "services.web.waiting_mean_s");
    check(r#"(figure: "metrics.availability"),"#, "neither least nor most");
    check(r#"(figure: "metrics.availability", least: 2, most: 1),"#, "exchange the two");
}

#[test]
fn costs_are_known_within_a_factor_of_two() {
    let three_tiers = r#"(
        services: {
            "web": (replicas: 2, processor: Cores(4), threads: 32, calls: {"db": (pool: 8, timeout: "1s")},
                endpoints: {"get": [Work(Exponential("5ms")), Maybe(0.5, [Call("db.get")]), Parallel([[Call("db.get")], [Delay(Constant("2ms"))]])]}),
            "db": (processor: Usl(sigma: 0.03, kappa: 0.001), endpoints: {"get": [Work(Exponential("3ms"))]}),
        },
        clients: {"users": (arrivals: Poisson(Ramp([("0s", 50), ("200s", 150)])), mix: {"web.get": 1}, timeout: "2s")},
        run: (warm_up: "10s", horizon: "200s", replications: 2),
    )"#;
    let closed = r#"(
        services: {"web": (endpoints: {"get": [Work(Exponential("100ms"))]})},
        clients: {"users": (arrivals: Closed(users: 50, think: Exponential("1s")), mix: {"web.get": 1})},
        run: (warm_up: "10s", horizon: "1000s", replications: 2),
    )"#;
    for text in [ONE_SERVER, three_tiers, closed] {
        let loaded = load(text);
        let cost = Cost::of(&loaded, &Options::default()).unwrap();
        let report = run(&loaded, &Options::default(), &()).unwrap();
        let ratio = cost.events / report.engine.events as f64;
        assert!((0.5..2.0).contains(&ratio), "{cost:?}: {} events", report.engine.events);
        assert_eq!(cost.warnings(), Vec::<String>::new());
    }
    assert!((Cost::of(&load(three_tiers), &Options::default()).unwrap().visits_per_request - 2.5).abs() < 1e-9);
}

#[test]
fn a_long_run_is_announced() {
    let long = load(&ONE_SERVER.replace("5000s", "3000d").replace("Constant(8)", "Constant(9)"));
    let cost = Cost::of(&long, &Options { jobs: Some(2), ..Options::default() }).unwrap();
    let warnings = cost.warnings();
    assert_eq!(warnings, ["this run handles about 5e10 events: about 3 h on one core, about 78 min on 2"], "{cost:?}");
}

#[test]
fn replications_run_at_once() {
    // Each of two replications waits, after its first slice, until the other has started.
    struct Meet(AtomicU32);
    impl Watch for Meet {
        fn progress(&self, progress: &Progress) {
            if progress.events > 0 {
                self.0.fetch_max(progress.replications - progress.ended, Ordering::Relaxed);
            }
        }
    }
    let meet = Meet(AtomicU32::new(0));
    let options = Options { replications: Some(2), jobs: Some(2), ..Options::default() };
    run(&load(ONE_SERVER), &options, &meet).unwrap();
    assert_eq!(meet.0.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_slow_but_in_balance_has_not_collapsed() {
    let report = |steps: &str, rate: u32, window: &str| {
        let processor = if steps.starts_with("Delay") { "Infinite" } else { "Servers(1)" };
        let scenario = format!(
            r#"(
        services: {{"web": (processor: {processor}, endpoints: {{"get": [{steps}]}})}},
        clients: {{"users": (arrivals: Poisson(Constant({rate})), mix: {{"web.get": 1}})}},
        {window}
        run: (warm_up: "1min", horizon: "10min", replications: 4),
    )"#
        );
        run(&load(&scenario), &Options::default(), &()).unwrap()
    };
    // Of the last two minutes, those of the last 70 s are open; or all.
    for delay in ["70s", "150s"] {
        for rate in [1, 20] {
            let slow = report(&format!("Delay(Constant(\"{delay}\"))"), rate, "");
            assert_eq!(slow.collapsed(), Some((0, 4)), "{delay} {rate}");
            assert_ne!(slow.verdict, Verdict::Collapsed);
        }
    }
    // Nobody gives up, so that nobody fails; but none of those who come late is served.
    for rate in [13, 20, 40] {
        let piles_up = report("Work(Constant(\"100ms\"))", rate, "");
        assert_eq!(mean(&piles_up, "metrics.availability"), 1.0);
        assert_eq!((piles_up.collapsed(), piles_up.verdict), (Some((4, 4)), Verdict::Collapsed), "{rate}");
    }
    // A window that the scenario names is judged by all that comes in it.
    let named = "windows: {\"end\": (\"8min\", \"10min\")}, collapse: \"end\",";
    assert_eq!(report("Delay(Constant(\"70s\"))", 20, named).collapsed(), Some((4, 4)));
}

#[test]
fn a_cost_is_that_of_all_replicas_of_a_database() {
    let load_of = |replicas: u32, others: &str| {
        let loaded = load(&format!(
            r#"(
        services: {{
            "web": (processor: Infinite, calls: {{"db": (pool: 64)}}, endpoints: {{"get": [Call("db.get")]}}),
            "db": (replicas: {replicas}, processor: Usl(sigma: 0.02, kappa: 0.001), endpoints: {{"get": [Work(Constant("1s"))]}}),
            {others}
        }},
        clients: {{"users": (arrivals: Poisson(Constant(40)), mix: {{"web.get": 1}})}},
        run: (horizon: "10min"),
    )"#
        ));
        let overload = Cost::of(&loaded, &Options::default()).unwrap().overload.unwrap();
        assert_eq!((overload.service.as_str(), overload.resource.as_str()), ("db", "contention"));
        overload.load
    };
    let x = |n: f64| n / (1.0 + 0.02 * (n - 1.0) + 0.001 * n * (n - 1.0));
    assert!((load_of(1, "") - 40.0 / x(64.0)).abs() < 1e-9);
    assert!((load_of(2, "") - 20.0 / x(32.0)).abs() < 1e-9);
    // Without a limit, it is what it does at its best: with 31 connections each.
    let cron = r#""cron": (processor: Infinite, endpoints: {"get": [Call("db.get")]}),"#;
    assert!((load_of(2, cron) - 20.0 / x(31.0)).abs() < 1e-9);
}
