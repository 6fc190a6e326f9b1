//! The library: every scenario runs, shows what it claims, and keeps the laws that hold for every
//! system; every kind of thing there is occurs in it; and what its comments advise can be done.

use models::blueprint::{Layout, Processor, Service, Step};
use models::catalogue;
use models::distribution::Distribution;
use models::fault::Which;
use models::policy::scaler::ScalingRule;
use models::policy::{
    Admission, Backoff, Balancer, Deadline, Discipline, Drop, Eviction, KeyOf, Popularity, Refresh, Retry,
};
use models::probe::{Arrival, Cause, Digest, Load, Outcome, Probe, Response};
use models::system::Run;
use models::times::Times;
use models::workload::rate::{Growth, Product, Scaled, Sum};
use models::workload::{Arrivals, Balking, Count, Rate};
use scenarios::document::Document;
use scenarios::expect;
use scenarios::library::{self, Entry};
use scenarios::load::{LoadError, Loaded, Traces};
use scenarios::run::{Options, run_probed};
use scenarios::scenario::Act;
use sim_core::random::Key;
use sim_core::stats::TimeWeighted;
use sim_core::time::{SimDuration, SimTime};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn load(entry: &Entry) -> Loaded {
    Loaded::entry(entry).unwrap_or_else(|e| panic!("{}: {e}", entry.name))
}

#[test]
fn every_scenario_shows_what_it_claims_and_keeps_the_laws() {
    // The longest first, so that all processors are busy to the end.
    let mut entries: Vec<&Entry> = library::ALL.iter().collect();
    entries.sort_by_key(|entry| !entry.name.starts_with("world-cup"));
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| entries.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.flat_map(|entry| faults_of(entry)).collect::<Vec<String>>()
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let faults = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no law is broken")).collect::<Vec<String>>()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Runs a scenario as it says. What is wrong is listed; a law that is broken panics at once.
fn faults_of(entry: &Entry) -> Vec<String> {
    let loaded = load(entry);
    let options = Options { jobs: Some(1), ..Options::default() };
    let (report, laws) = run_probed(&loaded, &options, &(), |run| Laws::new(run, entry.name)).expect("it can be run");
    laws.iter().for_each(|laws| laws.check(loaded.horizon()));
    println!("{:40} {} events", entry.name, report.engine.events);
    let mut faults: Vec<String> = Vec::new();
    if report.partial.is_some() {
        faults.push(format!("{}: did not run to its end", entry.name));
    }
    for judged in &report.expectations {
        println!("    {}", judged.text());
        if judged.failed() {
            faults.push(format!("{}: {}", entry.name, judged.text()));
        }
    }
    faults
}

/// Laws that hold for every run, from facts alone.
///
/// Conservation: every request that has come is served, has failed or is in flight, and none ends
/// twice. Little's law: at each service the integral of the number in system is the sum of the times
/// that attempts spent there. All are integers, so that both sides are equal to the nanosecond.
struct Laws {
    scenario: &'static str,
    arrived: u64,
    ended: u64,
    /// Requests in flight, by name.
    open: HashSet<Key>,
    services: Vec<Attempts>,
}

/// The attempts at one service.
struct Attempts {
    came: u64,
    gone: u64,
    /// Sum of the instants at which attempts left, less those at which they came.
    spent: i128,
    /// Of attempts that were replied to: from the arrival that the reply tells of to the reply.
    replied: u128,
    waiting: TimeWeighted,
    held: TimeWeighted,
}

impl Laws {
    fn new(run: &Run, scenario: &'static str) -> Self {
        let none = || TimeWeighted::new(SimTime::ZERO, 0);
        let service = |_: &_| Attempts { came: 0, gone: 0, spent: 0, replied: 0, waiting: none(), held: none() };
        let services = run.model.topology().services.iter().map(service).collect();
        Self { scenario, arrived: 0, ended: 0, open: HashSet::new(), services }
    }

    fn service(&mut self, service: u16) -> &mut Attempts {
        &mut self.services[usize::from(service)]
    }

    /// Little's law at the end of the run.
    fn check(&self, end: SimTime) {
        assert!(self.arrived > 0, "{}: nobody came", self.scenario);
        for attempts in &self.services {
            let inside = attempts.came - attempts.gone;
            assert_eq!(inside, attempts.waiting.level() + attempts.held.level(), "{}: in system", self.scenario);
            let spent = attempts.spent + i128::from(inside) * i128::from(end.as_nanos());
            let integral = attempts.waiting.integral(end) + attempts.held.integral(end);
            assert_eq!(integral as i128, spent, "{}: Little's law", self.scenario);
            assert!(attempts.replied <= integral, "{}: replies took longer than all attempts", self.scenario);
        }
    }
}

impl Probe for Laws {
    fn arrival(&mut self, _: SimTime, arrival: &Arrival) {
        self.arrived += 1;
        assert!(self.open.insert(arrival.request), "{}: two requests have one name", self.scenario);
    }

    fn outcome(&mut self, _: SimTime, outcome: &Outcome) {
        self.ended += 1;
        assert!(self.open.remove(&outcome.request), "{}: a request ends that is not open", self.scenario);
    }

    fn in_flight(&mut self, now: SimTime, requests: u64) {
        assert_eq!(self.arrived, self.ended + requests, "{} at {now}: conservation", self.scenario);
        assert_eq!(self.open.len() as u64, requests, "{} at {now}: in flight", self.scenario);
    }

    fn service_arrival(&mut self, now: SimTime, service: u16) {
        let attempts = self.service(service);
        attempts.came += 1;
        attempts.spent -= i128::from(now.as_nanos());
    }

    fn turned_away(&mut self, now: SimTime, service: u16, _: Cause) {
        let attempts = self.service(service);
        attempts.gone += 1;
        attempts.spent += i128::from(now.as_nanos());
    }

    fn responded(&mut self, now: SimTime, response: &Response) {
        let attempts = self.service(response.service);
        attempts.gone += 1;
        attempts.spent += i128::from(now.as_nanos());
        attempts.replied += u128::from(now.since(response.arrived).as_nanos());
    }

    fn load(&mut self, now: SimTime, service: u16, load: Load) {
        self.service(service).waiting.set(now, u64::from(load.waiting));
        self.service(service).held.set(now, u64::from(load.held));
    }
}

#[test]
fn every_file_is_listed_and_says_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let named: BTreeSet<String> = files.filter_map(|file| file.strip_suffix(".ron").map(str::to_owned)).collect();
    let listed: BTreeSet<String> = library::ALL.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(named, listed);
    assert_eq!(listed.len(), library::ALL.len(), "two entries have one name");

    for entry in library::ALL {
        let (name, loaded) = (entry.name, load(entry));
        assert_eq!(Some(entry.title()), loaded.scenario.title.as_deref(), "{name}");
        assert_eq!(Some(entry.about()), loaded.scenario.about.as_deref(), "{name}");
        let lines = entry.lesson().lines().count();
        assert!((4..=14).contains(&lines), "{name}: a lesson of {lines} lines");
        assert!(entry.lesson().contains("Look for:"), "{name} does not say what to look for");
        assert!(!loaded.scenario.expect.is_empty(), "{name} claims nothing");
        let odd = expect::problems(&loaded);
        assert!(odd.is_empty() && loaded.warnings.items.is_empty(), "{name}: {odd:?} {:?}", loaded.warnings.items);
        assert_eq!(library::find(name), Some(entry));
    }
    assert_eq!(library::find("one-server.ron").map(|entry| entry.name), Some("one-server"));
    assert_eq!(library::near("one-sever"), Some("one-server"));
    assert_eq!(library::find("one-sever"), None);
}

#[test]
fn the_advice_in_comments_can_be_followed() {
    for entry in library::ALL {
        let lesson = entry.lesson();
        let loaded = load(entry);
        for (path, value) in settings(&lesson) {
            // The command line lets a duration go without its quotes.
            let value = if value.parse::<SimDuration>().is_ok() { format!("\"{value}\"") } else { value };
            if let Err(error) = loaded.with(&[(&path, &value)]) {
                panic!("{}: --set {path}={value}: {error}", entry.name);
            }
        }
        for command in lesson.lines().filter_map(|line| line.split_once("outgrow run ")).map(|(_, rest)| rest) {
            for name in command.split(' ').take_while(|word| !word.starts_with("--")) {
                assert!(library::find(name).is_some(), "{}: outgrow run {name}", entry.name);
            }
        }
    }
}

/// Paths and values of the `--set` in a text: in quotes, or up to a blank, without punctuation.
fn settings(text: &str) -> Vec<(String, String)> {
    let one = |rest: &str| {
        let words = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next(),
            None => rest.split_whitespace().next().map(|word| word.trim_end_matches([',', ':', '.'])),
        };
        let (path, value) = words.and_then(|words| words.split_once('=')).expect("--set PATH=VALUE");
        (path.to_owned(), value.to_owned())
    };
    text.split("--set ").skip(1).map(one).collect()
}

#[test]
fn everything_there_is_occurs_in_the_library() {
    let mut found = Found::default();
    library::ALL.iter().for_each(|entry| found.scenario(&load(entry)));
    let mut missing = Vec::new();
    let mut check = |family: &str, all: &[catalogue::Entry], found: &BTreeSet<String>| {
        missing.extend(all.iter().filter(|e| !found.contains(e.name)).map(|e| format!("{family} {}", e.name)));
    };
    check("step", Step::ALL, &found.steps);
    check("processor", Processor::ALL, &found.processors);
    check("distribution", Distribution::ALL, &found.distributions);
    check("balancer", Balancer::ALL, &found.balancers);
    check("popularity", Popularity::ALL, &found.popularities);
    check("layout", Layout::ALL, &found.layouts);
    check("discipline", Discipline::ALL, &found.disciplines);
    check("drop rule", Drop::ALL, &found.drops);
    check("admission rule", Admission::ALL, &found.admissions);
    check("scaling rule", ScalingRule::ALL, &found.scalers);
    check("backoff", Backoff::ALL, &found.backoffs);
    check("balking", Balking::ALL, &found.balkings);
    check("arrivals", Arrivals::ALL, &found.arrivals);
    check("rate", Rate::ALL, &found.rates);
    check("eviction rule", Eviction::ALL, &found.evictions);
    check("refresh rule", Refresh::ALL, &found.refreshes);
    check("owner of keys", KeyOf::ALL, &found.owners);
    check("growth", Growth::ALL, &found.growths);
    check("count", Count::ALL, &found.counts);
    check("act", Act::ALL, &found.acts);
    check("deadline", Deadline::ALL, &found.deadlines);
    check("choice of replicas", Which::WAYS, &found.which);
    check("number of times", Times::ALL, &found.times);
    assert!(missing.is_empty(), "no scenario of the library has {missing:?}");
}

/// Names of variants that were found, by family.
#[derive(Default)]
struct Found {
    steps: BTreeSet<String>,
    processors: BTreeSet<String>,
    distributions: BTreeSet<String>,
    balancers: BTreeSet<String>,
    popularities: BTreeSet<String>,
    layouts: BTreeSet<String>,
    disciplines: BTreeSet<String>,
    drops: BTreeSet<String>,
    admissions: BTreeSet<String>,
    scalers: BTreeSet<String>,
    backoffs: BTreeSet<String>,
    balkings: BTreeSet<String>,
    arrivals: BTreeSet<String>,
    rates: BTreeSet<String>,
    growths: BTreeSet<String>,
    counts: BTreeSet<String>,
    acts: BTreeSet<String>,
    which: BTreeSet<String>,
    evictions: BTreeSet<String>,
    refreshes: BTreeSet<String>,
    owners: BTreeSet<String>,
    times: BTreeSet<String>,
    deadlines: BTreeSet<String>,
}

/// The name of a value's variant.
fn variant(value: &impl Debug) -> String {
    format!("{value:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

impl Found {
    fn scenario(&mut self, loaded: &Loaded) {
        let scenario = &loaded.scenario;
        scenario.services.values().for_each(|service| self.service(service));
        for client in scenario.clients.values() {
            self.arrivals.insert(variant(&client.arrivals));
            self.balkings.insert(variant(&client.balking));
            self.distributions.extend(client.patience.as_ref().map(variant));
            match &client.arrivals {
                Arrivals::Poisson(rate) => self.rate(rate),
                Arrivals::Renewal(think) | Arrivals::Closed { think, .. } => {
                    self.distributions.insert(variant(think));
                }
                Arrivals::Batch(batch) => {
                    self.rate(&batch.rate);
                    self.counts.insert(variant(&batch.size));
                }
                Arrivals::Sessions(sessions) => {
                    self.rate(&sessions.rate);
                    self.counts.insert(variant(&sessions.requests));
                    self.distributions.insert(variant(&sessions.think));
                }
                Arrivals::Mmpp(_) | Arrivals::Trace(_) => {}
            }
            self.retry(client.retry.as_ref());
            self.deadlines.insert(variant(&client.deadline));
        }
        let recurring = scenario.faults.values().flat_map(|fault| &fault.acts);
        for act in scenario.timeline.iter().map(|entry| &entry.act).chain(recurring) {
            self.acts.insert(variant(act));
            self.which.extend(act.of().map(variant));
        }
    }

    fn rate(&mut self, rate: &Rate) {
        self.rates.insert(variant(rate));
        match rate {
            Rate::Sum(Sum(rates)) | Rate::Product(Product(rates)) => rates.iter().for_each(|rate| self.rate(rate)),
            Rate::Scaled(Scaled(_, rate)) => self.rate(rate),
            Rate::Growth(growth) => drop(self.growths.insert(variant(growth))),
            _ => {}
        }
    }

    fn service(&mut self, service: &Service) {
        self.processors.insert(variant(&service.processor));
        self.balancers.insert(variant(&service.balancer));
        if let Balancer::ByKey(by_key) = &service.balancer {
            self.popularities.insert(variant(&by_key.popularity));
        }
        for cache in service.caches.values() {
            self.popularities.insert(variant(&cache.popularity));
            self.evictions.insert(variant(&cache.eviction));
            self.refreshes.insert(variant(&cache.refresh));
            self.owners.extend(cache.key_of.as_ref().map(variant));
        }
        self.layouts.insert(variant(&service.queue.layout));
        self.disciplines.insert(variant(&service.queue.discipline));
        self.drops.insert(variant(&service.queue.drop));
        self.admissions.insert(variant(&service.admission));
        self.scalers.extend(service.scaler.iter().map(|scaler| variant(&scaler.rule)));
        service.calls.values().for_each(|call| self.retry(call.retry.as_ref()));
        service.endpoints.values().for_each(|steps| self.steps(steps));
    }

    fn retry(&mut self, retry: Option<&Retry>) {
        if let Some(retry) = retry {
            self.backoffs.insert(variant(&retry.backoff));
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.steps.insert(variant(step));
            match step {
                Step::Work(distribution) | Step::Delay(distribution) => {
                    self.distributions.insert(variant(distribution));
                }
                Step::Call(_) | Step::Send(_) | Step::Reply | Step::Fail(_) => {}
                Step::Quorum { of, .. } => of.iter().for_each(|steps| self.steps(steps)),
                Step::Repeat(times, steps) => {
                    self.times.insert(variant(times));
                    self.steps(steps);
                }
                Step::Parallel(branches) => branches.iter().for_each(|steps| self.steps(steps)),
                Step::Branch(branches) => branches.iter().for_each(|(_, steps)| self.steps(steps)),
                Step::Maybe(_, steps) | Step::Lookup { miss: steps, .. } => self.steps(steps),
            }
        }
    }
}

/// A scenario into which the examples of the lists fit. A word in capitals is replaced.
const TEMPLATE: &str = r#"(
    hosts: {"box": (processor: Cores(4))},
    services: {
        "app": (
            replicas: 2,
            threads: 8,
            admission: ADMISSION,
            processor: PROCESSOR,
            balancer: BALANCER,
            queue: (discipline: DISCIPLINE, drop: DROP),
            caches: {"users": (keys: 9, popularity: Uniform, ttl: "1s", eviction: EVICTION, refresh: REFRESH, key_of: OWNER)},
            calls: {"db": (pool: 4, timeout: "1s", deadline: DEADLINE, retry: (max: 1, backoff: BACKOFF))},
            endpoints: {"page": [Work(DISTRIBUTION), STEP, Repeat(TIMES, [Call("db.query")])]},
        ),
        "db": (endpoints: {"query": [Work(Constant("1ms"))]}),
        "push": (queue: (layout: LAYOUT), endpoints: {"notify": [Work(Constant("1ms"))]}),
        "a": (balancer: ByKey(keys: 9, popularity: POPULARITY), endpoints: {"get": [Work(Constant("1ms"))]}),
        "b": (scaler: (rule: SCALER, most: 5), endpoints: {"get": [Work(Constant("1ms"))]}),
    },
    clients: {
        "visitors": (arrivals: Poisson(RATE), mix: {"app.page": 1}),
        "others": (arrivals: ARRIVALS, balking: BALKING, mix: {"app.page": 1}),
        "growing": (arrivals: Batch(rate: Growth(GROWTH), size: COUNT), mix: {"app.page": 1}),
        "users": (arrivals: Poisson(Constant(0)), mix: {"app.page": 1}),
    },
    timeline: [(at: "1min", act: ACT), (at: "2min", act: Slow(service: "app", of: WHICH, by: 3))],
)"#;

/// Every family, and its word in the template.
const FAMILIES: [(&str, &[catalogue::Entry]); 23] = [
    ("ADMISSION", Admission::ALL),
    ("SCALER", ScalingRule::ALL),
    ("PROCESSOR", Processor::ALL),
    ("BALANCER", Balancer::ALL),
    ("POPULARITY", Popularity::ALL),
    ("LAYOUT", Layout::ALL),
    ("DISCIPLINE", Discipline::ALL),
    ("DROP", Drop::ALL),
    ("BACKOFF", Backoff::ALL),
    ("DISTRIBUTION", Distribution::ALL),
    ("STEP", Step::ALL),
    ("RATE", Rate::ALL),
    ("BALKING", Balking::ALL),
    ("ARRIVALS", Arrivals::ALL),
    ("GROWTH", Growth::ALL),
    ("COUNT", Count::ALL),
    ("ACT", Act::ALL),
    ("WHICH", Which::WAYS),
    ("EVICTION", Eviction::ALL),
    ("REFRESH", Refresh::ALL),
    ("OWNER", KeyOf::ALL),
    ("TIMES", Times::ALL),
    ("DEADLINE", Deadline::ALL),
];

#[test]
fn every_example_of_a_list_parses_where_it_belongs() {
    for (place, all) in FAMILIES {
        for entry in all {
            assert!(entry.example.starts_with(entry.name), "the example of {} is {}", entry.name, entry.example);
            let text = FAMILIES.iter().fold(TEMPLATE.to_owned(), |text, (other, all)| {
                text.replace(other, if *other == place { entry.example } else { all[0].example })
            });
            let document = Document::parse("example.ron", &text);
            if let Err(error) = Loaded::document(document, &Traces::Library) {
                panic!("{}: {error}", entry.example);
            }
        }
    }
}

/// Each variant of every family, in a scenario of its own: a digest of all events of twenty seconds. Whatever is
/// made faster or tidier, these stay; a new variant brings its own line (`OUTGROW_BLESS=1`), and a changed line
/// changes recorded runs and belongs in the changelog.
#[test]
fn the_bytes_of_every_variant_never_change() {
    let mut lines = String::new();
    for (place, all) in FAMILIES {
        for entry in all {
            let text = FAMILIES.iter().fold(TEMPLATE.to_owned(), |text, (other, all)| {
                text.replace(other, if *other == place { entry.example } else { all[0].example })
            });
            let run = "run: (warm_up: \"1s\", horizon: \"20s\", replications: 1),\n    timeline";
            let text = text.replace("timeline", run).replace("\"1min\"", "\"10s\"");
            let text = if place == "WHICH" { text.replace("\"2min\"", "\"12s\"") } else { text };
            let loaded = Loaded::document(Document::parse("example.ron", &text), &Traces::Library);
            let loaded = loaded.unwrap_or_else(|error| panic!("{}: {error}", entry.example));
            let options = Options { jobs: Some(1), ..Options::default() };
            let (_, digests) = run_probed(&loaded, &options, &(), |_| Digest::default()).unwrap();
            lines += &format!("{} {} {:016x}\n", place.to_lowercase(), entry.name, digests[0].value());
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants.golden");
    if std::env::var_os("OUTGROW_BLESS").is_some() {
        std::fs::write(&file, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    let differ = lines.lines().zip(golden.lines()).find(|(now, then)| now != then);
    assert_eq!(differ, None);
    assert_eq!(lines.lines().count(), golden.lines().count());
}

/// Names that the decoder of a family knows, as its problem with an unknown one tells.
fn decoded(place: &str) -> BTreeSet<String> {
    let text = FAMILIES.iter().fold(TEMPLATE.to_owned(), |text, (other, all)| {
        text.replace(other, if *other == place { "Bogus" } else { all[0].example })
    });
    let error = Loaded::document(Document::parse("bogus.ron", &text), &Traces::Library).unwrap_err();
    let LoadError::Problems(problems) = error else { panic!("{error}") };
    let problem = problems.items.iter().find(|problem| problem.message.contains("Bogus"));
    let problem = problem.unwrap_or_else(|| panic!("{place}: {problems}"));
    let help = problem.help.as_deref().unwrap_or_default();
    let words = help.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

#[test]
fn every_variant_has_its_line_in_the_list_of_its_family() {
    for (place, all) in FAMILIES {
        let listed: BTreeSet<String> = all.iter().map(|entry| entry.name.to_owned()).collect();
        assert_eq!(listed.len(), all.len(), "{place}: two lines have one name");
        assert_eq!(decoded(place), listed, "{place}");
    }
}

#[test]
fn the_launch_day_is_what_its_formula_says() {
    let lift_off = 2_400.0;
    // The integral of the rate from second 0 on.
    let expected = |t: f64| {
        let rise =
            |t: f64| 6.0 * t + 54.0 * 300.0 * (libm::exp(-(lift_off - t) / 300.0) - libm::exp(-lift_off / 300.0));
        let fall = |d: f64| 6.0 * d + 240.0 * 60.0 * (1.0 - libm::exp(-d / 60.0));
        if t <= lift_off { rise(t) } else { rise(lift_off) + fall(t - lift_off) }
    };
    let lines: Vec<String> = library::trace("launch-day.csv").unwrap().lines().map(str::to_owned).collect();
    assert_eq!((lines[0].as_str(), lines.len()), ("second,requests", 3_601));
    for (second, line) in lines[1..].iter().enumerate() {
        let t = second as f64;
        let count = expected(t + 1.0).floor() - expected(t).floor();
        assert_eq!(*line, format!("{second},{count}"));
    }
}
