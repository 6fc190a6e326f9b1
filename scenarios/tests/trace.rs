//! Traces: what is read, what is refused, and that a replay gives exactly the file's counts.

use models::probe::{Arrival, Probe};
use models::workload::Trace;
use scenarios::document::Document;
use scenarios::load::{LoadError, Loaded, Traces};
use scenarios::run::{Options, run_probed};
use scenarios::trace_file::{self, MAX_FILE_BYTES, TraceError};
use sim_core::time::{SimDuration, SimTime};
use std::path::{Path, PathBuf};

fn parse(text: &str) -> Result<Trace, TraceError> {
    trace_file::parse("t.csv", text)
}

#[test]
fn reads_seconds_minutes_and_dates() {
    let check = |text: &str, bin_s: u64, counts: &[u32]| {
        let trace = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((trace.bin, &*trace.counts), (SimDuration::from_secs(bin_s), counts), "{text}");
    };
    check("second,requests\n0,1\n1,0\n2,7\n", 1, &[1, 0, 7]);
    check("second_of_day,requests\n5,1\n6,2\n", 1, &[1, 2]);
    check("t,n\n0,1\n1,2", 1, &[1, 2]);
    check("minute,requests\r\n10,1\r\n11,2\r\n", 60, &[1, 2]);
    check("hour;hits\n0;1\n1;2\n", 3600, &[1, 2]);
    check("unix time\tcount\n1404000000\t1\n1404000300\t2\n", 300, &[1, 2]);
    check("minute_edt,requests\n1995-07-01T00:00,42\n1995-07-01T00:01,61\n", 60, &[42, 61]);
    check("timestamp,value\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,56.0\n", 300, &[94, 56]);
    check("date,pageviews\n2024-02-28,1\n2024-02-29,2\n2024-03-01,3\n", 86_400, &[1, 2, 3]);
    check("timestamp,requests\n2026-06-14T23:59:59Z,1\n2026-06-15T00:00:00Z,2\n", 1, &[1, 2]);
    check("\u{feff}# ours\nsecond, requests\n0, 3\n\n1, 4\n", 1, &[3, 4]);
    check("host,requests,second\na,3,0\nb,4,1\n", 1, &[3, 4]);
    check("minute,requests\n7,5\n", 60, &[5]);
    check("second,requests\n0,4294967295\n1,0\n", 1, &[u32::MAX, 0]);
}

#[test]
fn says_where_a_trace_is_wrong_and_what_to_do() {
    let check = |text: &str, say: &str, remedy: &str| {
        let error = parse(text).expect_err(text);
        assert!(error.to_string().contains(say), "{text}: {error}");
        assert!(error.to_string().contains("`t.csv`"), "{text}: {error}");
        assert!(error.remedy().contains(remedy), "{text}: {}", error.remedy());
    };
    check("", "no counts: it is empty", "header");
    check("second,requests\n", "no counts below its header", "0,17");
    check("0,1\n1,2\n", "line 1: the header is missing, the first line is `0,1`", "second,requests");
    check("second,requests\n0,1\n1\n", "line 3: 1 column where 2 columns are needed", "comma");
    check("hello there\nthis is no table\n", "line 1: 1 column where 2", "comma");
    check("second,requests\n0,-3\n", "line 2: `-3` in column \"requests\" is negative", "from 0 on");
    check("second,requests\n0,1\n1,NaN\n", "line 3: `NaN` in column \"requests\" is not finite", "whole number");
    check("second,requests\n0,inf\n", "is not finite", "whole number");
    check("second,requests\n0,1.5\n", "line 2: `1.5` in column \"requests\" is no whole number", "whole number");
    check("second,requests\n0,many\n", "line 2: `many` in column \"requests\" is no number", "whole number");
    check("second,requests\n0,1\n1,\n", "line 3: `` in column \"requests\" is empty", "write 0");
    check("second,requests\n0,4294967296\n", "more than 4294967295 requests in one bin", "narrower");
    check("second,requests\n0,1\n1,1e12\n", "more than 4294967295", "narrower");
    check(
        "second,requests\n0,1\n1,2\n5,3\n6,4\n",
        "line 4: the trace has a gap from `1` to `5`, where its steps are 1s",
        "with 0",
    );
    check(
        "time,requests\n2026-06-14T20:00,1\n2026-06-14T20:05,1\n2026-06-14T20:20,1\n",
        "line 4: the trace has a gap from `2026-06-14T20:05` to `2026-06-14T20:20`, where its steps are 5min",
        "missing lines",
    );
    check(
        "date,views\n2008-01-30,3\n2008-01-16,4\n",
        "line 3: time does not go on, `2008-01-16` comes after `2008-01-30`",
        "sort",
    );
    check("second,requests\n0,1\n0,1\n", "line 3: time does not go on", "each time once");
    check("second,requests\nnoon,1\n", "line 2: `noon` in column \"second\" is no time", "0, 1, 2");
    check(
        "second,requests\n0,1\n2026-06-14,1\n",
        "line 3: `2026-06-14` in column \"second\" is no time like `0`",
        "0, 1, 2",
    );
    check("second,requests\n-1,1\n", "`-1` in column \"second\" is no time", "0, 1, 2");
    check("date,views\n2026-02-30,3\n", "`2026-02-30` in column \"date\" is no time", "2026");
    check("date,views\n2026-02-28,3\n", "only one count", "second line");
    check("hour,n\n0,1\n2000000,1\n4000000,1\n", "more than 584 years", "seconds");
    check("hour,n\n0,1\n9223372036854775807,1\n", "more than 584 years", "seconds");
    check("hour,n\n0,1\n9223372036854775808,1\n", "is no time like `0`", "whole numbers");
}

#[test]
fn says_which_file_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let find = |file: &str| trace_file::find(file, &Traces::Folder(folder.path().to_owned())).unwrap_err();
    let path = |file: &str| folder.path().join(file);
    assert!(matches!(find("none.csv"), TraceError::Missing { .. }));
    std::fs::create_dir(path("dir.csv")).unwrap();
    assert!(matches!(find("dir.csv"), TraceError::Directory { .. }));
    std::fs::write(path("picture.csv"), b"a,b\n1,2\n\xff\xd8\xff\xe0").unwrap();
    assert_eq!(
        find("picture.csv").to_string(),
        format!("`{}` is not text: line 3 has bytes that belong to no character", path("picture.csv").display())
    );
    std::fs::write(path("utf16.csv"), b"s\0e\0c\0,\0n\0\n\0").unwrap();
    assert!(matches!(find("utf16.csv"), TraceError::NotText { line: 1, .. }));
    // 1 GB, of which no byte is on the disk, and none is read.
    std::fs::File::create(path("huge.csv")).unwrap().set_len(1 << 30).unwrap();
    let started = std::time::Instant::now();
    assert!(matches!(find("huge.csv"), TraceError::TooLarge { .. }));
    assert!(started.elapsed().as_millis() < 100, "it was not read");
    std::fs::write(path("fits.csv"), vec![b'x'; MAX_FILE_BYTES as usize + 1]).unwrap();
    assert!(matches!(find("fits.csv"), TraceError::TooLarge { .. }));
    assert!(matches!(trace_file::find("no-such.csv", &Traces::Library), Err(TraceError::Missing { .. })));
}

/// Counts arrivals by bin.
struct Bins {
    width_ns: u64,
    counts: Vec<u32>,
}

impl Bins {
    fn new(width: SimDuration) -> Self {
        Self { width_ns: width.as_nanos(), counts: Vec::new() }
    }
}

impl Probe for Bins {
    fn arrival(&mut self, now: SimTime, _: &Arrival) {
        let bin = (now.as_nanos() / self.width_ns) as usize;
        if self.counts.len() <= bin {
            self.counts.resize(bin + 1, 0);
        }
        self.counts[bin] += 1;
    }
}

fn scenario(file: &str, factor: f64, horizon: &str) -> String {
    format!(
        r#"(
        services: {{"web": (processor: Infinite, endpoints: {{"get": [Work(Constant("20ms"))]}})}},
        clients: {{"users": (arrivals: Trace(file: "{file}", factor: {factor:?}), mix: {{"web.get": 1}})}},
        run: (warm_up: "0s", horizon: "{horizon}", replications: 1),
    )"#
    )
}

/// Arrivals by bin of a replay.
fn replay(traces: &Traces, file: &str, factor: f64, horizon: &str, width: SimDuration) -> Vec<u32> {
    let document = Document::parse("replay.ron", &scenario(file, factor, horizon));
    let loaded = Loaded::document(document, traces).unwrap_or_else(|e| panic!("{e}"));
    let (report, mut probes) = run_probed(&loaded, &Options::default(), &(), |_| Bins::new(width)).unwrap();
    assert!(report.partial.is_none());
    probes.remove(0).counts
}

#[test]
fn a_replay_gives_the_counts_of_the_file_and_a_factor_scales_them() {
    let counts: Vec<u32> = (0..600_u32).map(|i| i * 7919 % 40).collect();
    let text: String = counts.iter().enumerate().map(|(i, n)| format!("{i},{n}\n")).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ours.csv"), format!("second,requests\n{text}")).unwrap();
    let traces = Traces::Folder(folder.path().to_owned());
    let second = SimDuration::from_secs(1);
    let total = |counts: &[u32]| counts.iter().map(|n| f64::from(*n)).sum::<f64>();
    let padded = |mut counts: Vec<u32>| {
        counts.resize(600, 0);
        counts
    };

    assert_eq!(padded(replay(&traces, "ours.csv", 1.0, "10min", second)), counts);

    // Each of n requests is kept with probability 1/2: n/2 +- 5 sqrt(n/4) but once in a million times.
    let n = total(&counts);
    let half = padded(replay(&traces, "ours.csv", 0.5, "10min", second));
    assert!((total(&half) - n / 2.0).abs() < 5.0 * (n / 4.0).sqrt(), "{} of {n}", total(&half));
    assert!(half.iter().zip(&counts).all(|(kept, all)| kept <= all), "no bin has more than the file");

    // As many Poisson arrivals again: 2n +- 5 sqrt(n).
    let twice = padded(replay(&traces, "ours.csv", 2.0, "10min", second));
    assert!((total(&twice) - 2.0 * n).abs() < 5.0 * n.sqrt(), "{} of {n}", total(&twice));
    assert!(twice.iter().zip(&counts).all(|(all, some)| all >= some), "every bin has those of the file");

    // Another file in place of the one that is named.
    let instead = Traces::Instead(folder.path().join("ours.csv"));
    assert_eq!(padded(replay(&instead, "named-otherwise.csv", 1.0, "10min", second)), counts);
}

#[test]
fn a_bad_trace_is_a_problem_of_the_scenario_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gap.csv"), "second,requests\n0,1\n1,1\n9,1\n").unwrap();
    let document = Document::parse("replay.ron", &scenario("gap.csv", 1.0, "10s"));
    let Err(LoadError::Problems(problems)) = Loaded::document(document, &Traces::Folder(folder.path().to_owned()))
    else {
        panic!("a trace with a gap is accepted");
    };
    let text = problems.to_string();
    assert!(text.contains("replay.ron:3:") && text.contains("line 4: the trace has a gap from `1` to `9`"), "{text}");
    assert!(text.contains("add the missing lines"), "{text}");
}

#[test]
fn a_trace_that_is_longer_or_shorter_than_the_run_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ten.csv"), (0..10).fold("second,n\n".to_owned(), |t, i| format!("{t}{i},5\n")))
        .unwrap();
    let warnings = |horizon: &str| {
        let document = Document::parse("replay.ron", &scenario("ten.csv", 1.0, horizon));
        Loaded::document(document, &Traces::Folder(folder.path().to_owned())).unwrap().warnings.to_string()
    };
    assert_eq!(warnings("10s"), "");
    let longer = warnings("4s");
    assert!(longer.contains("the trace lasts 10s, and the run ends at 4s: 20 of its 50 requests come"), "{longer}");
    let shorter = warnings("20s");
    assert!(
        shorter.contains("the trace ends at 10s, and nothing comes from then to the end of the run at 20s"),
        "{shorter}"
    );
}

/// The folder of real traces, if there is one.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("OUTGROW_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        assert!(std::env::var_os("OUTGROW_CI").is_none_or(|ci| ci != "1"), "OUTGROW_DATA names no folder");
        println!("skipped: OUTGROW_DATA names no folder of real traces");
    }
    folder
}

#[test]
fn the_launch_of_1995_is_replayed_exactly() {
    let Some(data) = data() else { return };
    let file = data.join("traces/nasa_http_1995-07-13_sts70_0600-1200_per_second.csv");
    // Read here once more, by hand, so that a mistake of the reader does not cancel.
    let text = std::fs::read_to_string(&file).unwrap();
    let counts: Vec<u32> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!((counts.len(), counts.iter().sum::<u32>()), (21_600, 56_183));

    let traces = Traces::Folder(file.parent().unwrap().to_owned());
    let name = file.file_name().unwrap().to_str().unwrap();
    let second = SimDuration::from_secs(1);
    let mut played = replay(&traces, name, 1.0, "6h", second);
    played.resize(counts.len(), 0);
    let first = played.iter().zip(&counts).position(|(a, b)| a != b);
    assert_eq!(first, None, "the first second that differs");

    // Thinned, 28,091.5 +- 5 x 118.5; superposed, 112,366 +- 5 x 237.
    let total = |factor| f64::from(replay(&traces, name, factor, "6h", second).iter().sum::<u32>());
    assert!((total(0.5) - 28_091.5).abs() < 593.0);
    assert!((total(2.0) - 112_366.0).abs() < 1_186.0);
}

#[test]
fn the_other_real_traces_are_read_or_refused_with_reason() {
    let Some(data) = data() else { return };
    let read = |file: &str| trace_file::read(&data.join("traces").join(Path::new(file)));
    let minutes = read("nasa_http_jul1995_per_minute.csv").unwrap();
    assert_eq!((minutes.bin, minutes.counts.len()), (SimDuration::from_secs(60), 39_693));
    let seconds = read("azure_llm_2023_conv_per_second.csv").unwrap();
    assert_eq!((seconds.bin, seconds.counts.len()), (SimDuration::from_secs(1), 3_502));
    let balancer = read("nab_elb_request_count_8c0756.csv");
    match balancer {
        Ok(trace) => assert_eq!(trace.bin, SimDuration::from_secs(300)),
        Err(error) => assert!(matches!(error, TraceError::Gap { .. } | TraceError::NotAscending { .. }), "{error}"),
    }
    // Not in order, as published.
    let pages = read("wikipedia_daily_R_lang.csv").unwrap_err();
    assert!(matches!(pages, TraceError::NotAscending { line: 3, .. }), "{pages}");
}

#[test]
fn one_arrival_a_line_is_replayed_at_its_instant() {
    let instants = |text: &str| {
        let trace = trace_file::parse("t.csv", text).unwrap_or_else(|e| panic!("{e}"));
        trace.instants.expect("instants are known").iter().map(|at| at.as_nanos()).collect::<Vec<_>>()
    };
    assert_eq!(instants("second\n0.125\n0.5\n0.5\n2\n"), [0, 375_000_000, 375_000_000, 1_875_000_000]);
    assert_eq!(instants("minute\n1\n1.5\n"), [0, 30_000_000_000]);
    assert_eq!(instants("timestamp\n# a remark\n1700000000.000000001\n1700000000.000000009\n"), [0, 8]);
    assert_eq!(instants("time\n2026-06-14T20:00:00.5\n2026-06-14 20:00:02\n"), [0, 1_500_000_000]);

    let wrong = |text: &str, says: &str, remedy: &str| {
        let error = trace_file::parse("t.csv", text).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.remedy().contains(remedy), "{}", error.remedy());
    };
    wrong("second\n", "no counts below its header", "header");
    wrong("second\n2\n1.5\n", "line 3: `1.5` comes before `2`", "sort");
    wrong("second\n2\nnoon\n", "line 3: `noon` in column \"second\" is no time like `2`", "2026");
    wrong("second\n2\n2026-06-14\n", "is no time like `2`", "2026");
    wrong("second\n-1\n", "is no time", "2026");
    // What is no time column is still a table with too few columns.
    wrong("requests\n5\n", "1 column where 2", "comma");
}
