//! What happens over time, in the report.

use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::{Curve, RunReport, SeriesReport, json};
use scenarios::run::{Options, run};
use sim_core::time::SimDuration;

/// A spike above the 395 a second that the database does with its eight connections; people ask again.
const SPIKE: &str = r#"(
    services: {
        "web": (replicas: 2, processor: Cores(8), threads: 40, calls: {"db": (pool: 4)},
            endpoints: {"get": [Work(Exponential("10ms")), Call("db.get")]}),
        "db": (processor: Usl(sigma: 0.03, kappa: 0.001), endpoints: {"get": [Work(Exponential("16ms"))]}),
    },
    clients: {"users": (
        arrivals: Poisson(Piecewise([("0s", 100), ("20s", 500), ("30s", 100)])),
        mix: {"web.get": 1}, timeout: "500ms", retry: (max: 1, backoff: Constant("100ms")),
    )},
    run: (warm_up: "10s", horizon: "61s", replications: 3),
)"#;

fn load(text: &str) -> Loaded {
    Loaded::document(Document::parse("case.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}

fn report(text: &str, options: Options) -> RunReport {
    run(&load(text), &Options { series: true, ..options }, &()).unwrap()
}

fn curve<'a>(series: &'a SeriesReport, path: &str) -> &'a Curve {
    series.curve(path).unwrap_or_else(|| panic!("{path}: {:?}", series.curves.keys().collect::<Vec<_>>()))
}

/// However many replications there are, what is kept of them over time is bounded.
#[test]
fn the_first_hundred_replications_are_followed() {
    let small = SPIKE.replace("warm_up: \"10s\", horizon: \"61s\"", "warm_up: \"0s\", horizon: \"100ms\"");
    let series =
        |replications| report(&small, Options { replications: Some(replications), ..Options::default() }).series;
    assert_eq!(series(100), series(130));
    assert_ne!(series(99), series(100));
}

#[test]
fn a_spike_is_seen_where_it_is() {
    let report = report(SPIKE, Options::default());
    let series = report.series.as_ref().unwrap();
    assert_eq!((series.bin, series.bins), (SimDuration::from_millis(500), 122));
    // The mean of a bin's rate over 3 runs of half a second: its standard deviation at 100 a second is 8, at
    // 500 it is 18. Over ten seconds these are 1.8 and 4.1; the bounds are five times that.
    let between = |path: &str, from: usize, to: usize| {
        let values: Vec<f64> = curve(series, path).mean[2 * from..2 * to].iter().map(|v| v.unwrap()).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!((between("metrics.arrivals_per_s", 5, 15) - 100.0).abs() < 9.0);
    assert!((between("metrics.arrivals_per_s", 20, 30) - 500.0).abs() < 21.0);
    assert!(between("metrics.failed_per_s", 0, 19) < 1.0, "all is well before");
    assert!(between("metrics.failed_per_s", 21, 30) > 50.0, "and not in the spike");
    assert!(between("metrics.attempts_per_s", 22, 30) > 1.2 * between("metrics.arrivals_per_s", 22, 30));
    assert!(between("services.web.utilisation.pool:db", 22, 30) > 0.95);
    assert!(between("services.db.utilisation.contention", 22, 30) > 0.8);
    assert!(between("services.db.utilisation.contention", 5, 15) < 0.6);
    assert!(between("metrics.in_flight_mean", 21, 29) > 3.0 * between("metrics.in_flight_mean", 5, 15));
    assert_eq!(between("services.web.replicas_mean", 0, 60), 2.0);
    let response = &curve(series, "metrics.response_mean_s").mean;
    assert!(response[10..30].iter().all(|v| v.is_some_and(|v| (0.01..0.5).contains(&v))), "{response:?}");
}

#[test]
fn curves_agree_with_figures_and_with_each_other() {
    let no_warm_up = SPIKE.replace("warm_up: \"10s\"", "warm_up: \"0s\"");
    let report = report(&no_warm_up, Options::default());
    let series = report.series.as_ref().unwrap();
    assert!(series.curves.len() > 15);
    for curve in series.curves.values() {
        assert_eq!([&curve.mean, &curve.low, &curve.high].map(Vec::len), [series.bins; 3]);
        for ((mean, low), high) in curve.mean.iter().zip(&curve.low).zip(&curve.high) {
            assert!(low <= mean && mean <= high || (high.unwrap() - low.unwrap()) < 1e-9, "{low:?} {mean:?} {high:?}");
            assert_eq!((mean.is_some(), low.is_some()), (high.is_some(), high.is_some()));
        }
    }
    // All bins are equally wide: 61 s in 122 bins. So means over bins are means over the run.
    for path in [
        "metrics.arrivals_per_s",
        "metrics.attempts_per_s",
        "metrics.goodput_per_s",
        "metrics.in_flight_mean",
        "services.web.queue_length_mean",
        "services.web.utilisation.threads",
        "services.web.utilisation.processor",
        "services.web.utilisation.pool:db",
    ] {
        let values = curve(series, path).mean.iter().map(|v| v.unwrap());
        let (mean, figure) = (values.sum::<f64>() / series.bins as f64, report.mean(path).unwrap());
        assert!((mean - figure).abs() <= 1e-9 * figure, "{path}: {mean}, not {figure}");
    }
    let (came, served) = (curve(series, "metrics.arrivals_per_s"), curve(series, "metrics.arrivals_served_per_s"));
    assert!(came.mean.iter().zip(&served.mean).all(|(came, served)| served <= came));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes_and_nothing_else_changes() {
    let text = |options: Options| {
        json::document(&[run(&load(SPIKE), &options, &()).unwrap()], &[], json::Detail::Reproducible)
    };
    let with = |jobs| text(Options { series: true, jobs: Some(jobs), ..Options::default() });
    assert_eq!(with(1), with(3));
    let value: serde_json::Value = serde_json::from_str(&with(2)).unwrap();
    let mut run = value["runs"][0].as_object().unwrap().clone();
    let series = run.shift_remove("series").unwrap();
    let without: serde_json::Value = serde_json::from_str(&text(Options::default())).unwrap();
    assert_eq!(without["runs"][0], serde_json::Value::Object(run));
    assert_eq!(series["bin_s"], 0.5);
    assert_eq!(series["to_s"], 61.0);
    assert_eq!(series["from_s"].as_array().unwrap().len(), 122);
    assert_eq!(series["services"]["db"]["utilisation"]["contention"]["high"].as_array().unwrap().len(), 122);
}

#[test]
fn where_a_run_did_not_come_there_is_no_value() {
    let report = report(SPIKE, Options { events: Some(30_000), jobs: Some(1), ..Options::default() });
    assert!(report.partial.is_some());
    let series = report.series.as_ref().unwrap();
    let arrivals = curve(series, "metrics.arrivals_per_s");
    assert!(arrivals.mean[0].is_some());
    assert_eq!(arrivals.mean[series.bins - 1], None);
    let text = json::document(std::slice::from_ref(&report), &[], json::Detail::Reproducible);
    assert!(text.contains("null"), "and in the document it is null");
}

#[test]
fn the_last_bin_may_be_shorter() {
    let odd = SPIKE.replace("61s", "60.7s");
    let report = report(&odd, Options::default());
    let series = report.series.as_ref().unwrap();
    assert_eq!(series.bins, 122);
    // Its rates are per second of the 0.2 s that it lasts: 60 requests in 3 runs, give or take 8.
    let last = curve(series, "metrics.arrivals_per_s").mean[121].unwrap();
    assert!((last - 100.0).abs() < 65.0, "{last}");
    assert_eq!(curve(series, "services.web.replicas_mean").mean[121], Some(2.0));
}
