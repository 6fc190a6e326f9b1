//! When requests come: renewal processes, changing states, batches, sessions, and recorded instants, to the
//! nanosecond where they are certain.

mod common;

use common::*;
use indexmap::IndexMap;
use models::blueprint::Processor;
use models::probe::{Arrival, Outcome, Probe};
use models::system::{LimitError, Limits, Run, System};
use models::workload::{Arrivals, Count, Trace, TraceFile};
use sim_core::time::SimTime;
use std::collections::BTreeMap;
use std::sync::Arc;

fn web(arrivals: Arrivals) -> Design {
    design().service("web", service(Processor::Infinite, [work(10)])).client("users", client(arrivals, "web.get"))
}

/// Every request with the instant at which it came.
#[derive(Default)]
struct Came {
    instants: Vec<u64>,
    requests: BTreeMap<u64, u64>,
    over: u64,
}

impl Probe for Came {
    fn arrival(&mut self, now: SimTime, arrival: &Arrival) {
        self.instants.push(now.as_nanos());
        assert_eq!(self.requests.insert(arrival.request.bits(), now.as_nanos()), None, "two requests have one name");
    }

    fn outcome(&mut self, _: SimTime, _: &Outcome) {
        self.over += 1;
    }
}

fn came(mut run: Run, until: u64) -> Came {
    let mut came = Came::default();
    run.run_until(instant(until), &mut came).expect("no limit is hit");
    came
}

#[test]
fn a_clock_ticks_and_an_interval_under_way_stands() {
    let clock = web(renewal(exactly(10)));
    assert_eq!(came(clock.run(vec![]), 40).instants, [10, 20, 30, 40]);
    let faster = clock.but(|d| d.from("users").arrivals = renewal(exactly(3)));
    assert_eq!(came(clock.run(vec![(12, faster.adopt())]), 27).instants, [10, 20, 23, 26]);
    // The same numbers once more change nothing.
    assert_eq!(came(clock.run(vec![(12, clock.adopt())]), 40).instants, [10, 20, 30, 40]);
}

#[test]
fn an_interval_belongs_to_its_request() {
    let drawn = |mean: f64| came(web(renewal(exponential(mean))).run(vec![]), 100_000_000).instants;
    let gaps = |instants: &[u64]| {
        instants.iter().scan(0, |last, at| Some(at - std::mem::replace(last, *at))).take(50).collect::<Vec<_>>()
    };
    let (once, twice) = (gaps(&drawn(1e-6)), gaps(&drawn(2e-6)));
    assert!(once.iter().zip(&twice).all(|(a, b)| (2 * a).abs_diff(*b) <= 2), "{once:?} {twice:?}");
}

#[test]
fn all_of_a_batch_come_at_its_instant_and_its_size_shifts_no_other() {
    let d = design()
        .service("web", service(servers(1), [work(10)]))
        .client("users", client(batches(1e6, always(3)), "web.get"));
    let log = d.log(20_000, vec![]);
    let attempts = log.attempts_at("web");
    let first = attempts[0];
    assert_eq!(attempts[..3], [first; 3]);
    assert_eq!(log.outcomes()[..3].iter().map(|o| o.0 - first).collect::<Vec<_>>(), [10, 20, 30]);

    let with = |size: Count| came(web(batches(1e6, size)).run(vec![]), 1_000_000);
    let (three, drawn) = (with(always(3)), with(Count::Geometric { mean: 3.0.into() }));
    assert_eq!(three.requests.len() % 3, 0);
    // The first of every batch, and more of most, are the same requests at the same instants.
    let batches = three.requests.len() / 3;
    let shared = three.requests.iter().filter(|(name, at)| drawn.requests.get(name) == Some(at)).count();
    assert!(shared > 2 * batches && shared < three.requests.len(), "{shared} of {batches} batches");
    let other: std::collections::BTreeSet<_> = drawn.requests.values().collect();
    assert!(three.instants.iter().all(|at| other.contains(at)));
}

#[test]
fn states_take_turns_and_their_stays_do_not_hang_on_the_rates() {
    // 100 in a microsecond for a tenth of the time: 10 in the long run.
    let bursts = |rate: f64| mmpp(&[(0.0, 9_000), (rate, 1_000)]);
    let came_at = |arrivals: Arrivals| came(web(arrivals).run(vec![]), 20_000_000).instants;
    let (once, twice) = (came_at(bursts(1e8)), came_at(bursts(2e8)));
    // About 2,000 stays of variable length: a relative standard deviation of 1/sqrt(2000) x sqrt(2) = 0.032.
    let mean = once.len() as f64 / 200_000.0;
    assert!((mean - 1.0).abs() < 0.16, "{mean}");
    assert!((twice.len() as f64 / once.len() as f64 - 2.0).abs() < 0.03);
    // Bursts begin and end at the same times: what comes in one comes within many gaps of the other, unless it
    // is all that came in a burst of a few nanoseconds.
    let near = |at: &u64| {
        let i = twice.partition_point(|t| t < at);
        twice[i.saturating_sub(1)..(i + 1).min(twice.len())].iter().any(|t| t.abs_diff(*at) < 150)
    };
    let alone = once.iter().filter(|at| !near(at)).count();
    assert!(alone < once.len() / 1_000, "{alone}");

    // A state that is left while nobody comes is left nevertheless, and a change of the rates takes hold at once.
    let quiet = web(mmpp(&[(0.0, 1_000), (0.0, 1_000)]));
    assert_eq!(came(quiet.run(vec![]), 1_000_000).instants.len(), 0);
    let loud = web(mmpp(&[(1e8, 1_000), (1e8, 1_000)]));
    let instants = came(quiet.run(vec![(500_000, loud.adopt())]), 1_000_000).instants;
    assert!(instants.len().abs_diff(50_000) < 1_120 && instants[0].abs_diff(500_000) < 200, "{}", instants.len());
    let refused = quiet.topology().refuses(&web(mmpp(&[(0.0, 9), (0.0, 9), (0.0, 9)])).topology());
    assert!(refused.is_some_and(|why| why.contains("states")));
}

#[test]
fn a_session_asks_waits_thinks_and_ends() {
    // Sessions come ten microseconds apart and last 130 ns.
    let d = web(sessions(1e5, always(3), exactly(50)));
    let log = d.log(1_000_000, vec![]);
    let attempts = log.attempts_at("web");
    let first = attempts[0];
    assert_eq!(attempts[..3], [first, first + 60, first + 120]);
    let outcomes: Vec<_> = log.outcomes().iter().map(|o| o.0).collect();
    assert_eq!(outcomes[..3], [first + 10, first + 70, first + 130]);

    let open = |until: u64| {
        let mut run = d.run(vec![]);
        run.run_until(instant(until), &mut ()).unwrap();
        run.model.snapshot(run.now()).clients[0].sessions
    };
    assert_eq!([first - 1, first, first + 9, first + 30, first + 129, first + 130].map(open), [0, 1, 1, 1, 1, 0]);
}

#[test]
fn who_fails_thinks_and_asks_again() {
    let d = design()
        .service("web", service(servers(1), [work(1_000_000)]).cap(0))
        .client("users", client(sessions(1e5, always(3), exactly(50)), "web.get").timeout(20));
    let log = d.log(1_000_000, vec![]);
    let attempts = log.attempts_at("web");
    // The first is given up after 20, the next are turned away at once.
    assert_eq!(attempts[..3], [attempts[0], attempts[0] + 70, attempts[0] + 120]);
    let failed = log.outcomes().iter().filter(|o| o.1.is_err()).count();
    assert_eq!(failed, log.outcomes().len());
}

#[test]
fn sessions_under_way_go_on_when_no_more_come() {
    let d = web(sessions(1e7, Count::Geometric { mean: 5.0.into() }, exponential(1e-6)));
    let none = d.but(|d| d.from("users").arrivals = sessions(0.0, always(1), exactly(0)));
    let mut run = d.run(vec![(10_000, none.adopt())]);
    run.run_until(instant(10_000), &mut ()).unwrap();
    let open = run.model.snapshot(run.now()).clients[0].sessions;
    // By Little's law 10 a microsecond, for 4 thinks of one each: 40 and some.
    assert!((20..80).contains(&open), "{open}");
    let came = came(run.clone(), 1_000_000);
    assert!(came.over >= open, "those who are there finish");
    run.run_until(instant(1_000_000), &mut ()).unwrap();
    let snapshot = run.model.snapshot(run.now());
    assert_eq!((snapshot.clients[0].sessions, snapshot.counts.in_flight()), (0, 0));
}

#[test]
fn the_same_sessions_come_to_a_slower_system() {
    let with = |time: u64| {
        let d = design().service("web", service(Processor::Infinite, [work(time)])).client(
            "users",
            client(sessions(1e7, Count::Geometric { mean: 4.0.into() }, exponential(1e-6)), "web.get"),
        );
        let none = d.but(|d| d.from("users").arrivals = sessions(0.0, always(1), exponential(1e-6)));
        came(d.run(vec![(50_000, none.adopt())]), 10_000_000)
    };
    let (fast, slow) = (with(10), with(5_000));
    assert!(fast.requests.keys().eq(slow.requests.keys()));
    assert!(fast.requests.len() > 1_000);
}

#[test]
fn open_sessions_count_as_state() {
    let d = web(sessions(1e8, always(2), exactly(1_000_000_000)));
    let run = |state_bytes: u64| {
        let limits = Limits { state_bytes, ..Limits::default() };
        let mut run = System::run(d.topology(), Arc::default(), 1, 0, limits);
        run.run_until(instant(200_000), &mut ()).map(|_| run.model.snapshot(run.now()).clients[0].sessions)
    };
    // About twenty thousand sessions of 16 bytes with an event of 20 each, and a request under way.
    let open = run(10_000_000).unwrap();
    assert!(open.abs_diff(20_000) < 707, "{open}");
    assert!(matches!(run(600_000), Err(LimitError::State { .. })));
    assert!(run(800_000).is_ok());
}

#[test]
fn recorded_instants_are_replayed_exactly() {
    let instants: Vec<SimTime> = [0, 7, 7, 1_500_000_000, 3_000_000_001].map(instant).to_vec();
    let replay = |factor: f64| {
        let mut d = web(Arrivals::Trace(TraceFile { file: "t.csv".into(), factor: factor.into() }));
        d.from("users").timeout = None;
        let traces = IndexMap::from([("t.csv".to_owned(), Trace::of_instants(instants.clone()))]);
        let topology = Arc::new(models::check::check(&d.blueprint, &d.workload, &traces).unwrap());
        came(System::run(topology, Arc::default(), 1, 0, Limits::default()), 10_000_000_000).instants
    };
    let exact = [0, 7, 7, 1_500_000_000, 3_000_000_001];
    assert_eq!(replay(1.0), exact);
    assert_eq!(replay(0.0).len(), 0);
    let more = replay(50.0);
    assert!(exact.iter().all(|at| more.contains(at)) && more.len().abs_diff(250) < 80, "{}", more.len());
    assert!(replay(0.5).iter().all(|at| exact.contains(at)));

    let trace = Trace::of_instants(instants);
    assert_eq!((&*trace.counts, trace.length(), trace.total()), (&[3, 1, 0, 1][..], secs(4.0), 5));
    assert_eq!(trace.instants_of(1), Some(&[instant(1_500_000_000)][..]));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let problem = |arrivals: Arrivals| {
        let d = web(arrivals);
        let found = models::check::check(&d.blueprint, &d.workload, &IndexMap::new()).err().unwrap_or_default();
        let [one] = &found[..] else { panic!("one problem is expected, there are {found:#?}") };
        (one.path.to_string(), one.message.clone())
    };
    let at = "clients.users.arrivals";
    let says = |arrivals: Arrivals, place: &str, words: &str| {
        let (path, message) = problem(arrivals);
        assert_eq!(path, format!("{at}{place}"));
        assert!(message.contains(words), "{message}");
    };
    says(renewal(exactly(0)), "", "endlessly many");
    says(mmpp(&[(1.0, 5)]), "", "two states");
    says(mmpp(&[(1.0, 5), (2.0, 0)]), "", "no time");
    says(batches(1.0, always(0)), ".size", "none at all");
    says(sessions(1.0, Count::Geometric { mean: 0.5.into() }, exactly(1)), ".requests", "at least one");
}

#[test]
fn a_start_is_in_each_state_as_often_as_any_instant_is() {
    // In the second state a quarter of the time, where someone comes at once.
    let d = web(mmpp(&[(0.0, 3_000_000), (1e8, 1_000_000)]));
    let in_burst = |replication: &u64| !came(d.seeded(1, *replication, vec![]), 1_000).instants.is_empty();
    let bursts = (0..2_000).filter(in_burst).count();
    // Binomial: five standard deviations are 97.
    assert!(bursts.abs_diff(500) < 97, "{bursts}");
}
