//! Reports as web pages: names stay text, nothing is loaded, and the bytes depend on the scenario alone.

use scenarios::comparison::Comparison;
use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::night;
use scenarios::report::RunReport;
use scenarios::report::html::{MARKER, page};
use scenarios::run::{Options, run};
use scenarios::watcher::Watcher;
use std::sync::atomic::{AtomicBool, Ordering};

/// Two clients, a pool, a database under contention, a timeline, windows, an expectation, provenance.
const SHOP: &str = r#"(
    title: "TITLE", about: "ABOUT",
    services: {
        "SERVICE": (replicas: (value: 2, source: Guess, range: (1, 4), note: "NOTE"), processor: Cores(2), threads: 40,
            calls: {"db": (pool: 4)}, endpoints: {"ENDPOINT": [Work(Exponential("10ms")), Call("db.get")]}),
        "db": (processor: Usl(sigma: 0.03, kappa: 0.001), endpoints: {"get": [Work(Exponential("8ms"))]}),
    },
    clients: {
        "CLIENT": (arrivals: Poisson(Constant(60)), mix: {"SERVICE.ENDPOINT": 1}, timeout: "500ms"),
        "others": (arrivals: Poisson(Constant(5)), mix: {"SERVICE.ENDPOINT": 1}),
    },
    timeline: [(at: "20s", act: Scale(service: "SERVICE", to: 3))],
    windows: {"WINDOW": ("10s", "20s"), "late": ("20s", "30s")}, collapse: "WINDOW",
    run: (warm_up: "5s", horizon: "30s", replications: 2),
    expect: [(figure: "metrics.availability", least: 0.5, shows: "SHOWS")],
)"#;

const PLACES: [&str; 8] = ["TITLE", "ABOUT", "SERVICE", "NOTE", "ENDPOINT", "CLIENT", "WINDOW", "SHOWS"];

fn load(text: &str) -> Loaded {
    Loaded::document(Document::parse("shop.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}

fn played(loaded: &Loaded, options: &Options) -> RunReport {
    run(loaded, &Options { series: true, ..options.clone() }, &()).unwrap()
}

fn one(loaded: &Loaded, report: &RunReport) -> String {
    page(&[(loaded, report)], &[], &["outgrow run shop.ron".to_owned()], 0)
}

/// What the page carries itself, and all else.
fn markup(page: &str) -> String {
    let mut rest = page.to_owned();
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let begin = rest.find(from).unwrap();
        let end = rest.find(to).unwrap();
        rest.replace_range(begin..end + to.len(), "");
    }
    rest
}

/// Checks that a page is one that loads nothing and runs nothing but its own script, and that every tag is closed in
/// its order: whatever a name could have opened or closed would break that.
fn check(page: &str) {
    assert!(page.starts_with(MARKER));
    for directive in ["default-src 'none'", "style-src 'sha256-", "script-src 'sha256-"] {
        assert!(page.contains(directive), "{directive}");
    }
    assert!(!page.contains("NaN") && !page.contains("Infinity"));
    let markup = markup(page);
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup.as_str();
    while let Some(at) = rest.find('<') {
        // No `>` stands in an attribute: it is escaped there.
        let (tag, after) = rest[at + 1..].split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order, before {}", &rest[..rest.len().min(80)]);
        } else if !tag.starts_with('!') {
            let name = tag.split([' ', '/']).next().unwrap();
            let known = "html head meta title body header p h1 h2 h3 div nav ol ul li a main section footer table caption \
                         thead tbody tr th td span dl dt dd details summary pre code aside figure figcaption svg g rect path circle \
                         text b defs clipPath tspan line br";
            assert!(known.split_whitespace().any(|known| known == name), "<{tag}>");
            let attributes = tag.split('"').step_by(2).collect::<String>();
            for bad in [" on", " style", " src", "javascript", " href=http"] {
                assert!(!attributes.contains(bad), "<{tag}>");
            }
            if name != "meta" && !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn hostile_names_stay_text() {
    let names = [
        "<script>alert(1)</script>",
        "</title></style></script><img src=x onerror=alert(1)>",
        r#"\" onload=\"alert(1)"#,
        "' onload='alert(1)",
        "]]><svg/onload=alert(1)>",
        "--><b>",
        r"two\nlines",
        "\u{202e}drawkcab \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        "&lt;b&gt; &amp;",
    ];
    for name in names {
        let mut text = SHOP.to_owned();
        // The names of services, endpoints and clients stand on one line: no file with another is loaded.
        let on_one_line = |place: &&str| !name.contains(r"\n") || !["SERVICE", "ENDPOINT", "CLIENT"].contains(place);
        for place in PLACES.iter().filter(|place| on_one_line(place)) {
            // Dots part a service from its endpoint.
            text = text.replace(place, &format!("{place}{}", name.replace('.', "")));
        }
        let loaded = load(&text);
        let options = Options { replications: Some(1), until: Some("12s".parse().unwrap()), ..Options::default() };
        let report = played(&loaded, &options);
        let page = one(&loaded, &report);
        check(&page);
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1), "{name}");
        // It is there, only written otherwise.
        assert!(page.contains("SERVICE") && page.contains("NOTE") && page.contains("ABOUT"), "{name}");
        assert!(!page.contains("<img") && !page.contains("<svg/"), "{name}");
    }
}

#[test]
fn a_run_says_what_came_out() {
    let loaded = load(SHOP);
    let report = played(&loaded, &Options::default());
    let page = one(&loaded, &report);
    check(&page);
    for words in [
        "<h1>TITLE</h1>",
        "Over time",
        "warm-up",
        "99% of them within",
        "processor of SERVICE",
        "Scale(service: &quot;SERVICE&quot;, to: 3)",
        "By client population",
        "1 guess",
        "1 to 4",
        "metrics.availability should be at least 0.5",
        "outgrow run shop.ron",
        "with seed 1",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let loaded = load(SHOP);
    let with = |jobs| one(&loaded, &played(&loaded, &Options { jobs: Some(jobs), ..Options::default() }));
    assert!(with(1) == with(2), "one job and two make different pages");
}

#[test]
fn without_series_there_are_no_curves() {
    let loaded = load(SHOP);
    let page = one(&loaded, &run(&loaded, &Options::default(), &()).unwrap());
    check(&page);
    assert!(!page.contains("Over time") && page.contains("Response times"));
}

#[test]
fn a_partial_run_says_so() {
    let loaded = load(SHOP);
    let report = played(&loaded, &Options { events: Some(3_000), ..Options::default() });
    assert!(report.partial.is_some());
    let text = one(&loaded, &report);
    check(&text);
    assert!(text.contains(">Partial<") && text.contains("did not reach the end"));
    // Also where nothing at all has been measured, and where whole scenarios are missing.
    let nothing = played(&loaded, &Options { events: Some(10), ..Options::default() });
    check(&one(&loaded, &nothing));
    let whole = played(&loaded, &Options::default());
    let missing = page(&[(&loaded, &whole)], &[], &[], 1);
    assert!(missing.contains(">Partial<") && missing.contains("1 more scenario did not start"));
    check(&page(&[], &[], &[], 2));
}

#[test]
fn several_runs_are_compared_first() {
    let before = load(SHOP);
    let after = before.with(&[("services.SERVICE.calls.db.pool", "2"), ("services.db.queue.cap", "5")]).unwrap();
    let named = |name: &str, loaded: &Loaded| {
        let mut report = played(loaded, &Options::default());
        report.scenario = name.to_owned();
        report
    };
    let (a, b) = (named("before", &before), named("<after>", &after));
    let comparisons = Comparison::with_first(&[a.clone(), b.clone()]).unwrap();
    let page = page(&[(&before, &a), (&after, &b)], &comparisons, &[], 0);
    check(&page);
    assert!(page.contains("&lt;after&gt; compared with before"));
    assert!(page.contains("2 pairs of runs on the same arrivals"));
    assert!(page.contains("<code>services.SERVICE.calls.db.pool</code>"), "what differs is said");
    assert!(page.contains("any number"), "and what was left out before");
    let places = ["id=\"comparison\"", "id=\"run-1\"", "id=\"run-2\"", "id=\"parameters\""].map(|id| page.find(id));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
}

#[test]
fn every_scenario_of_the_library_has_a_page() {
    for entry in scenarios::library::ALL {
        let loaded = Loaded::entry(entry).unwrap_or_else(|e| panic!("{e}"));
        let options = Options { events: Some(20_000), replications: Some(2), ..Options::default() };
        check(&one(&loaded, &played(&loaded, &options)));
    }
}

/// Stops the night after its first.
struct AfterOne(AtomicBool);

impl Watcher for AfterOne {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn progress(&self, _: f64, _: &str) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_night_that_was_stopped_says_so() {
    let options = night::Options { full: false, seed: 1, jobs: 1 };
    let report = night::play(options, &AfterOne(AtomicBool::new(false))).unwrap();
    assert!(report.partial);
    let page = report.html();
    check(&page);
    assert!(page.contains(">Partial<"));
    assert!(page.contains("330/s, 6 servers: before the event") && page.contains("its night held"));
    assert!(page.contains("outgrow night --seed 1"));
    assert_eq!(page.matches("class=\"compact\"").count(), 1, "the night that was played is drawn");
}
