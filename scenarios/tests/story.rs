//! Stories: growth against its published table, the instants of change against arithmetic done here,
//! evenings that can be taken out, and what is said of stories that make no sense.

use scenarios::document::Document;
use scenarios::growth::{Curve, years};
use scenarios::load::{LoadError, Loaded, Traces};
use scenarios::report::text::Page;
use scenarios::run;
use scenarios::story::{LoadedStory, Options, Story, StoryReport, Trigger, play};
use scenarios::verdict::Verdict;
use scenarios::watcher::Watcher;
use sim_core::time::SimDuration;

fn span(text: &str) -> SimDuration {
    text.parse().expect("a duration")
}

/// The story of the program with some texts replaced, each of which stands in it once.
fn changed(changes: &[(&str, &str)]) -> Result<LoadedStory, LoadError> {
    let mut text = LoadedStory::built_in_text().to_owned();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    LoadedStory::document(Document::parse("changed.ron", &text))
}

const MOMENTS: &str = "moments: [\"0y\", \"0.5y\", \"0.75y\", \"1y\", \"1.5y\", \"2y\", \"2.45y\", \"2.7y\", \"3y\", \"4y\", \"5y\", \"6y\"]";
const EVENING: &str = "length: (\"1min\", \"15min\"), requests: 20000, replications: (4, 20), budget: 1000000";
const SHORT: &str = "length: (\"10s\", \"10s\"), requests: 1, replications: (2, 2), budget: 1";

/// The years of the table by which the growth was fitted: users, monthly and core users, requests a
/// second on the mean of the day, in the evening and on the evening of a match, and sessions then.
#[test]
fn growth_gives_the_published_table() {
    let told = LoadedStory::built_in();
    // As printed there, with as many digits: 0.40 million is 400 thousand to the nearest ten thousand.
    let rows = [
        ("0.5", ".10 M", ".04 M", "1.4 k", "2.5", "6", "13", "104"),
        ("1.0", ".40 M", ".17 M", "5.5 k", "11", "28", "56", "454"),
        ("2.0", "3.1 M", "1.15 M", "37.5 k", "93", "235", "469", "3.8 k"),
        ("2.3", "4.9 M", "1.76 M", "57 k", "150", "379", "757", "6.2 k"),
        ("2.45", "6.0 M", "2.13 M", "69 k", "186", "470", "941", "7.6 k"),
        ("3.0", "11.4 M", "3.9 M", "126 k", "370", "936", "1871", "15 k"),
        ("4.0", "26.1 M", "8.3 M", "270 k", "919", "2325", "4651", "38 k"),
        ("5.0", "44.1 M", "14.5 M", "472 k", "1821", "4607", "9214", "74 k"),
        ("6.0", "61.7 M", "20.1 M", "652 k", "2820", "7134", "14268", "115 k"),
    ];
    for (year, cumulative, monthly, core, mean, evening, on_match, sessions) in rows {
        let users = told.story.growth.at(year.parse().expect("a year"));
        let near = |name: &str, got: f64, printed: &str| {
            let (number, size) = match printed.split_once(' ') {
                Some((number, "M")) => (number, 1e6),
                Some((number, _)) => (number, 1e3),
                None => (printed, 1.0),
            };
            let digits = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let unit = size / libm::pow(10.0, digits as f64);
            let want = number.parse::<f64>().expect("a number") * size;
            // Half a unit of the last digit, and a tenth more, since the equations' constants are rounded.
            assert!((got - want).abs() <= 0.6 * unit, "year {year}: {name} {got}, the table has {want}");
        };
        near("cumulative", users.cumulative, cumulative);
        near("monthly", users.monthly, monthly);
        near("core", users.daily[0], core);
        near("mean", users.mean_per_s, mean);
        near("evening", users.evening_per_s, evening);
        near("match", users.match_per_s, on_match);
        near("sessions", users.match_sessions, sessions);
    }
    // All requests of six years, day by day: 1.43e11, as computed independently.
    let total: f64 =
        (0..2191).map(|day| 86_400.0 * told.story.growth.at((f64::from(day) + 0.5) / 365.25).mean_per_s).sum();
    assert!((total / 1.43e11 - 1.0).abs() < 0.005, "{total:e}");
}

/// The evening's requests on a day, by the equations and not by the program.
fn evening_on(day: u32) -> (f64, f64) {
    let t = f64::from(day) / 365.25;
    let cumulative = |t: f64| 111.0e6 * libm::exp(-8.829 * libm::exp(-0.451_79 * t));
    let before = cumulative(t - 30.0 / 365.25);
    let monthly = cumulative(t) - before + 0.281 * before;
    let core = 0.0325 * monthly * (120.0 + 40.0 * t);
    (2.53 * (core + 0.0368 * monthly * 12.0) / 86_400.0, cumulative(t))
}

#[test]
fn designs_change_when_arithmetic_says_so() {
    let told = LoadedStory::built_in();
    let passages = told.passages();
    assert_eq!(passages.len(), 3);
    let day = |span: SimDuration| (span.as_secs_f64() / 86_400.0).round() as u32;

    // The monolith: two cores, 60 ms a request. The first day above 80%, and seven more.
    let above = (0..).find(|&day| evening_on(day).0 * 0.060 / 2.0 > 0.8).expect("it grows");
    let outgrown = passages[0].outgrown.as_ref().expect("it is outgrown");
    assert_eq!((day(outgrown.since), day(outgrown.at)), (above, above + 7));
    assert_eq!(passages[0].until, Some(outgrown.at));
    assert!((years(outgrown.at) - 1.0).abs() < 0.01 && (outgrown.users.cumulative / 0.40e6 - 1.0).abs() < 0.02);
    let full = (0..).find(|&day| evening_on(day).0 * 0.060 / 2.0 >= 1.0).expect("it grows");
    let found = passages[0].full.as_ref().expect("it is full some day");
    assert_eq!(day(found.at), full);
    assert!((found.users.cumulative / 0.48e6 - 1.0).abs() < 0.01);

    // The cluster: rate / X(8N), with as many servers as the evening takes.
    let servers = |rate: f64| (rate * 0.035 / (4.0 * 0.7)).ceil().max(3.0);
    let busy = |rate: f64| {
        let n = 8.0 * servers(rate);
        rate * 0.012 * (1.0 + 0.03 * (n - 1.0) + 0.001 * n * (n - 1.0)) / n
    };
    let above = (day(outgrown.at)..).find(|&day| busy(evening_on(day).0) > 0.8).expect("it grows");
    let outgrown = passages[1].outgrown.as_ref().expect("it is outgrown");
    assert_eq!((day(outgrown.since), day(outgrown.at)), (above, above + 7));
    assert!((years(outgrown.at) - 2.67).abs() < 0.01 && (outgrown.users.cumulative / 7.9e6 - 1.0).abs() < 0.01);
    assert_eq!(passages[1].until, Some(outgrown.at + span("30d")));
    let full = (above..).find(|&day| busy(evening_on(day).0) >= 1.0).expect("it grows");
    assert_eq!(day(passages[1].full.as_ref().expect("it is full some day").at), full);

    // However many servers: the smaller of what they and their database do.
    let carries = |n: f64| {
        (n * 4.0 / 0.035).min(8.0 * n / (0.012 * (1.0 + 0.03 * (8.0 * n - 1.0) + 0.008 * n * (8.0 * n - 1.0))))
    };
    let most = (3..100).map(f64::from).max_by(|a, b| carries(*a).total_cmp(&carries(*b))).expect("some");
    let ceiling = passages[1].ceiling.as_ref().expect("more servers do less");
    assert_eq!(f64::from(ceiling.replicas[0]), most);
    assert!((ceiling.per_s / carries(most) - 1.0).abs() < 1e-9, "{} {}", ceiling.per_s, carries(most));

    assert_eq!((passages[2].outgrown.clone(), passages[2].until, passages[2].full.clone()), (None, None, None));
    assert_eq!(passages[2].ceiling, None);
}

/// Visits of each service by a request, as the published table of the call graph has them.
#[test]
fn services_are_visited_as_the_call_graph_says() {
    let told = LoadedStory::built_in();
    let design = told.designs.last().expect("there are designs");
    let visits = design.demands.visits_per_s(&[1.0]);
    let of = |name: &str| {
        let endpoints = design.topology.endpoints.iter().zip(&visits);
        let of_service = endpoints.filter(|(e, _)| design.topology.services[usize::from(e.service)].name == name);
        of_service.map(|(_, visits)| visits).sum::<f64>()
    };
    let table = [
        ("gateway", 1.0),
        ("user", 0.9),
        ("feed", 0.6),
        ("match", 0.5),
        ("comment", 0.25),
        ("push", 0.1),
        ("pay", 0.02),
        ("cache", 3.0),
        ("db", 0.35),
    ];
    for (name, visits) in table {
        assert!((of(name) - visits).abs() < 1e-9, "{name}: {} visits a request", of(name));
    }
    // Servers of the cluster in the evening of year 2.45, and replicas at year 6 by hand.
    assert_eq!(told.designs[1].replicas(told.story.growth.at(2.45).evening_per_s)[0], 6);
    let at_six = design.replicas(7134.0);
    assert_eq!(at_six, [3, 5, 8, 3, 3, 3, 3, 4, 8], "ceil(7134 V s / (c busy)), 3 at least; 8 shards");
}

/// One design stands in two files: in the story, where it is sized, and as a lesson of the library.
#[test]
fn the_library_has_the_same_services() {
    let services = |document: &Document, path: &str| {
        let text = document.get(&path.parse().expect("a path")).expect("it is there").to_owned();
        text.replace("replicas: 3,", "").split_whitespace().collect::<String>()
    };
    let library = scenarios::library::find("microservices").expect("it is there").document();
    let story = Document::parse("story", LoadedStory::built_in_text());
    assert_eq!(services(&story, "designs.services.services"), services(&library, "services"));
}

#[test]
fn every_trigger_and_curve_in_the_lists_reads() {
    for entry in Trigger::ALL {
        let decoded = Document::parse(entry.name, entry.example).decode::<Trigger>();
        assert!(decoded.is_complete(), "{}: {:?}", entry.example, decoded.problems);
    }
    for entry in Curve::ALL {
        assert!(Document::parse(entry.name, entry.example).decode::<Curve>().is_complete(), "{}", entry.example);
    }
}

fn small() -> LoadedStory {
    changed(&[(MOMENTS, "moments: [\"1.5y\", \"2.45y\"]"), (EVENING, SHORT)]).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_story_is_the_same_on_any_number_of_threads() {
    let played = |seed, jobs| {
        let options = Options { seed: Some(seed), jobs: Some(jobs) };
        play(&small(), options, &()).expect("it plays").json().to_string()
    };
    let one = played(3, 1);
    assert_eq!(one, played(3, 4));
    assert_ne!(one, played(4, 1));
}

/// What is taken out is what was played: to every digit.
#[test]
fn an_evening_taken_out_gives_the_same_figures() {
    let told = small();
    let report = play(&told, Options::default(), &()).expect("it plays");
    for moment in &report.moments {
        for (document, played) in [
            (Some(told.evening(moment.design, moment.at)), Some(&moment.report)),
            (told.pushed(moment.design, moment.at), moment.pushed.as_ref()),
        ] {
            let text = document.expect("the story has a push").text().to_owned();
            let loaded = Loaded::document(Document::parse("taken-out.ron", &text), &Traces::Library)
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(loaded.warnings.items.is_empty(), "{}", loaded.warnings);
            let again = run::run(&loaded, &run::Options::default(), &()).expect("it runs");
            let played = played.expect("it was played");
            for figure in ["metrics.arrivals_per_s", "metrics.response_mean_s", "metrics.availability"] {
                assert_eq!(again.mean(figure), played.mean(figure), "{figure}");
            }
        }
    }
}

/// The claim of the years, on a few evenings: each design is well in its time, and a push of half a
/// minute, which is nothing to the young cluster and to the services, loses the old one. Two runs of
/// each: the outcomes are far from any chance (20 of 20 in the full story).
#[test]
fn what_an_evening_does_not_show_a_push_does() {
    let told = changed(&[
        (MOMENTS, "moments: [\"1.5y\", \"2.45y\", \"3y\"]"),
        (EVENING, "length: (\"1min\", \"1min\"), requests: 1, replications: (2, 2), budget: 1"),
    ])
    .unwrap_or_else(|error| panic!("{error}"));
    let report = play(&told, Options::default(), &()).expect("it plays");
    let seen: Vec<_> = report
        .moments
        .iter()
        .map(|moment| {
            let pushed = moment.pushed.as_ref().expect("there is a push").collapsed().expect("something came");
            (told.designs[moment.design].name.as_str(), moment.report.verdict, pushed)
        })
        .collect();
    let expected = [
        ("cluster", Verdict::Healthy, (0, 2)),
        ("cluster", Verdict::Healthy, (2, 2)),
        ("services", Verdict::Healthy, (0, 2)),
    ];
    assert_eq!(seen, expected);
    // And the cluster, had it stayed for another three months.
    let stayed = report.stayed(&report.passages[1]).expect("it was given up before year 3");
    assert_eq!((stayed.at, stayed.report.verdict), (span("3y"), Verdict::Collapsed));
}

#[test]
fn other_triggers_fire_when_they_say() {
    let with = |trigger: &str| {
        let old = "when: Evening(figure: \"services.shop.utilisation.processor\", above: 0.8, lasting: \"7d\")";
        changed(&[(old, trigger)]).unwrap_or_else(|error| panic!("{error}")).passages()
    };
    let by_time = with("when: Time(\"0.5y\"), lag: \"10d\"");
    let half_a_year = span("0.5y");
    // Days are counted from launch: the first that is not earlier.
    assert!(by_time[0].outgrown.as_ref().is_some_and(|o| o.at >= half_a_year && o.at < half_a_year + span("1d")));
    assert_eq!(by_time[1].from, by_time[0].outgrown.as_ref().expect("it fires").at + span("10d"));
    let by_users = with("when: Users(200000)");
    let fired = by_users[0].outgrown.as_ref().expect("they come");
    assert!(
        fired.users.cumulative >= 200_000.0
            && LoadedStory::built_in().story.growth.at(years(fired.at) - 1.0 / 365.25).cumulative < 200_000.0
    );
    // What never happens is no error: the chapters after it never come, and the report says so.
    let never = with("when: Users(1e9)");
    assert_eq!((never.len(), never[0].until), (1, None));
}

#[test]
fn a_chapter_that_never_comes_is_said() {
    let old = "when: Evening(figure: \"services.shop.utilisation.processor\", above: 0.8, lasting: \"7d\")";
    let changes = [(old, "when: Users(1e9)"), (MOMENTS, "moments: [\"0.5y\"]"), (EVENING, SHORT)];
    let told = changed(&changes).unwrap_or_else(|error| panic!("{error}"));
    let text = play(&told, Options::default(), &()).expect("it plays").text(&Page::default());
    assert!(text.contains("the chapters after it never come"), "{text}");
}

struct StopAt(std::sync::atomic::AtomicU32);

impl Watcher for StopAt {
    fn stop(&self) -> bool {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 40
    }
}

#[test]
fn a_story_that_is_stopped_is_partial() {
    let told = LoadedStory::built_in();
    let report: StoryReport = play(&told, Options::default(), &StopAt(0.into())).expect("it plays");
    assert!(report.partial && report.moments.len() < told.story.moments.len());
    assert!(report.text(&Page::default()).starts_with("PARTIAL"));
    assert_eq!(report.json()["partial"], true);
}

/// Also over the evenings with a push, which are runs of their own.
#[test]
fn progress_never_goes_back() {
    struct Shares(std::sync::Mutex<Vec<f64>>);
    impl Watcher for Shares {
        fn progress(&self, share: f64, _: &str) {
            self.0.lock().expect("nobody panicked").push(share);
        }
    }
    let watched = Shares(Vec::new().into());
    play(&small(), Options { jobs: Some(1), ..Options::default() }, &watched).expect("it plays");
    let shares = watched.0.into_inner().expect("nobody panicked");
    assert!(shares.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{shares:?}");
    assert!(shares.last().is_some_and(|last| (0.9..=1.0 + 1e-9).contains(last)), "{shares:?}");
}

/// All that is wrong, each at its place.
fn said(changes: &[(&str, &str)]) -> Vec<String> {
    match changed(changes) {
        Ok(_) => Vec::new(),
        Err(LoadError::Problems(problems)) => {
            let line = |p: &scenarios::document::Problem| {
                assert!(p.help.is_some(), "no remedy: {}", p.message);
                assert!(p.place.is_some(), "no place: {}", p.message);
                format!("{}: {}", p.path, p.message)
            };
            problems.items.iter().map(line).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_makes_no_sense_is_said_at_its_place() {
    let check = |changes: &[(&str, &str)], expected: &[&str]| {
        let said = said(changes);
        for expected in expected {
            assert!(said.iter().any(|said| said.contains(expected)), "{expected} is not among {said:#?}");
        }
        assert_eq!(said.len(), expected.len(), "{said:#?}");
    };
    check(
        &[("sizing: {\"app\": (busy: 0.7, least: 3)}", "sizing: {\"apt\": (busy: 0.7, least: 3)}")],
        &["designs.cluster.sizing.apt: there is no service \"apt\" (did you mean \"app\"?)"],
    );
    check(
        &[("sizing: {\"app\": (busy: 0.7, least: 3)}", "sizing: {\"db\": (busy: 1.7, least: 0)}")],
        &[
            "designs.cluster.sizing.db.busy: processors cannot be meant to be 1.7 busy",
            "designs.cluster.sizing.db.least: 0 replicas at least",
            "designs.cluster.sizing.db: \"db\" has no processors that could be counted",
        ],
    );
    check(
        &[("figure: \"services.db.utilisation.contention\"", "figure: \"services.db.utilisation.processor\"")],
        &[
            "chapters[2].when.figure: the utilisation law does not tell \"services.db.utilisation.processor\" of \"cluster\"",
        ],
    );
    check(
        &[("figure: \"services.db.utilisation.contention\"", "figure: \"services.app.utilisation.threads\"")],
        &["chapters[2].when.figure: the utilisation law does not tell \"services.app.utilisation.threads\""],
    );
    check(
        &[("(design: \"monolith\"),", "(design: \"monolit\"),")],
        &[
            "chapters[0].design: there is no design \"monolit\" (did you mean \"monolith\"?)",
            "designs.monolith: no chapter has the design \"monolith\"",
        ],
    );
    check(
        &[("(design: \"monolith\"),", "(design: \"monolith\", when: Time(\"1y\")),")],
        &["chapters[0].when: the first chapter begins at launch"],
    );
    check(
        &[(MOMENTS, "moments: [\"2y\", \"1y\", \"200y\"]")],
        &["moments[1]: 1y does not come after 2y", "moments[2]: 200y is more than 100 years after launch"],
    );
    check(
        &[(EVENING, "length: (\"2min\", \"1min\"), requests: 1, replications: (0, 2), budget: 1")],
        &[
            "evening.length: an evening lasts 2min at least and 1min at most",
            "evening.replications: 0 replications at least and 2 at most",
        ],
    );
    check(
        &[("push: (times: 2, lasts: \"30s\"", "push: (times: 1, lasts: \"0s\"")],
        &["push.times: 1 times the evening's requests is no push", "push.lasts: a push of no length"],
    );
    check(
        &[
            (
                "push: (times: 2, lasts: \"30s\", recovery: \"30s\")",
                "push: (times: 1e5, lasts: \"2d\", recovery: \"584y\")",
            ),
            ("warm_up: \"10s\"", "warm_up: \"25h\""),
            (EVENING, "length: (\"1min\", \"1y\"), requests: 1, replications: (2, 2), budget: 1"),
        ],
        &[
            "push.times: 100000 times the evening's requests",
            "evening.warm_up: 25h of an evening",
            "evening.length[1]: 1y of an evening",
            "push.lasts: 2d of an evening",
            "push.recovery: 584y of an evening",
        ],
    );
    // What is promised is checked with the designs, and said once, however many they are.
    check(&[("objective: 0.999", "objective: 1")], &["slo.objective: an objective of 1 cannot be promised"]);
    check(
        &[
            ("(value: 0.0325, source: Calibrated, note: \"650 thousand a day in year 6\")", "0.5"),
            ("(value: 0.0368, source: Calibrated, note: \"everybody else who comes in a month\")", "0.6"),
        ],
        &["growth.audience: 1.1000 of the month's users come on a day"],
    );
    // A design is checked as a scenario is, and its problems stand in the story.
    check(
        &[("Call(\"db.query\")", "Call(\"db.quarry\")"), ("mix: {\"shop.page\": 1}", "mix: {\"shop.pages\": 1}")],
        &["designs.monolith.mix.", "designs.cluster.services.app.endpoints.page[1]"],
    );
    // Types first, all at once.
    check(&[("threads: 64", "threads: \"64\""), ("lag: \"30d\"", "lag: 30")], &["threads", "lag"]);
}

/// The rate may fall again: a design must be able to be as large as its busiest evening takes, here that
/// of year 4, when two thirds of the requests of year 3 come from twice the users.
#[test]
fn the_busiest_evening_need_not_be_the_last() {
    let wane = [
        ("(\"6y\", (value: 360, source: Guess, range: (120, 720))),", "(\"3y\", 1e6), (\"6y\", 1)"),
        ("busy: 0.7, least: 3)}", "busy: 0.0001, least: 3)}"),
    ];
    let said = said(&wane);
    assert!(said.iter().any(|said| said.contains("\"app\" would have") && said.contains("in year 4.00")), "{said:#?}");
}

/// A push at the very beginning: the first rate is that of the push.
#[test]
fn a_push_may_come_without_a_warm_up() {
    let at_once = [(MOMENTS, "moments: [\"0.5y\"]"), (EVENING, SHORT), ("warm_up: \"10s\"", "warm_up: \"0s\"")];
    let told = changed(&at_once).unwrap_or_else(|error| panic!("{error}"));
    let report = play(&told, Options::default(), &()).expect("it plays");
    let arrivals = |run: &scenarios::report::RunReport| run.mean("metrics.arrivals_per_s").expect("somebody comes");
    let moment = &report.moments[0];
    let pushed = moment.pushed.as_ref().expect("the story has a push");
    assert!(arrivals(pushed) > arrivals(&moment.report), "a third of the run has twice the rate");
}

/// A name that means mischief stays a name.
#[test]
fn hostile_names_stay_names() {
    let told = changed(&[
        ("\"monolith\": (", "\"mono\\\"lith\\n), (\": ("),
        ("(design: \"monolith\")", "(design: \"mono\\\"lith\\n), (\")"),
        (MOMENTS, "moments: [\"0.5y\"]"),
        (EVENING, SHORT),
    ])
    .unwrap_or_else(|error| panic!("{error}"));
    let report = play(&told, Options::default(), &()).expect("it plays");
    assert_eq!(report.moments.len(), 1);
    assert!(!report.text(&Page::default()).is_empty());
}

/// A story reads what it writes: nothing of it is lost on the way through serde.
#[test]
fn a_story_survives_being_written() {
    let story = LoadedStory::built_in().story;
    let written = ron::ser::to_string(&story).expect("it can be written");
    let read = Document::parse("again.ron", &written).decode::<Story>();
    assert_eq!(read.problems, []);
    assert_eq!(ron::ser::to_string(&read.value.expect("it reads")).expect("it can be written"), written);
}
