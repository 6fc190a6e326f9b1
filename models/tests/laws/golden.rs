//! The bytes of a seed: equal on every platform, in every build, for ever.

use crate::common::*;
use models::blueprint::{CallPolicy, Processor, Step};
use models::distribution::Distribution;
use models::given::Given;
use models::intervention::Act;
use models::policy::admission::{Aimd, Gradient, SlidingWindow, TokenBucket, Vegas};
use models::policy::backoff::{Exponential, Jitter};
use models::policy::balancer::{ByKey, Popularity, PowerOf};
use models::policy::refresh::Early;
use models::policy::{Admission, Backoff, Balancer, Cache, Discipline, Drop, Eviction, Refresh};
use models::probe::Digest;
use models::times::Times;
use models::workload::rate::{Diurnal, FlashCrowd, Growth, Match, Piecewise, Product, Ramp, Scaled, Sum, Weekly};
use models::workload::{Arrivals, Balking, Client, Count, Rate};
use sim_core::random::Key;
use sim_core::time::SimTime;

fn doubling(jitter: Jitter) -> Backoff {
    Backoff::Exponential(Exponential { base: secs(0.05).into(), cap: secs(1.0).into(), jitter })
}

fn by_key(popularity: Popularity) -> Balancer {
    Balancer::ByKey(ByKey { keys: 1_000.into(), popularity })
}

/// Everything there is, in one place, with too little of most.
fn bazaar() -> Design {
    let mean = || secs(0.02).into();
    let gate = service(
        servers(2),
        [
            Step::Work(Distribution::Gamma { mean: secs(0.004).into(), cv: 0.5.into() }),
            Step::Parallel(vec![
                vec![call("stall.get")],
                vec![Step::Delay(Distribution::Uniform { low: secs(0.001).into(), high: secs(0.01).into() })],
            ]),
            Step::Branch(vec![(0.7.into(), vec![call("vault.get")]), (0.3.into(), vec![call("ledger.get")])]),
            send("crier.get"),
        ],
    );
    let gate = gate
        .replicas(3)
        .threads(4)
        .cap(1)
        .balanced(Balancer::LeastOutstanding)
        .calling("stall", pooled(6).timeout(60_000_000).cancels().retries(1, 10_000_000).budget(0.2, 10.0, 5.0))
        .calling("vault", plainly().timeout(80_000_000).retries(1, 0).backing_off(doubling(Jitter::Equal)))
        .calling("ledger", pooled(4));
    let stall = service(
        cores(2),
        [
            Step::Work(Distribution::LogNormal { mean: mean(), cv: 1.2.into() }),
            maybe(0.2, vec![Step::Work(Distribution::Pareto { mean: mean(), alpha: 2.5.into() })]),
        ],
    );
    let vault = service(servers(1), [Step::Work(Distribution::Erlang { stages: 3.into(), mean: mean() })]);
    let ledger = service(
        Processor::Usl { sigma: 0.1.into(), kappa: 0.01.into() },
        [Step::Work(Distribution::Hyperexponential(vec![
            (0.9.into(), secs(0.005).into()),
            (0.1.into(), secs(0.05).into()),
        ]))],
    );
    let crier = service(
        Processor::Infinite,
        [
            Step::Work(Distribution::Empirical([0.001, 0.002, 0.3].map(|s| secs(s).into()).to_vec())),
            call("archive.get"),
        ],
    );
    let archive = service(servers(1), [exponential(0.005)].map(Step::Work));
    let points = |low: f64, high: f64| vec![(secs(0.0).into(), low.into()), (secs(10.0).into(), high.into())];
    let evening = Match {
        kick_off: secs(5.0).into(),
        goals: vec![(secs(8.0).into(), 2.0.into())],
        rise: secs(0.5).into(),
        decay: secs(3.0).into(),
        ..Match::evening(30.0)
    };
    let open = |rate: Rate| client(Arrivals::Poisson(rate), "gate.get").timeout(400_000_000);
    let design = design()
        .service("gate", gate)
        .service("stall", stall.replicas(2).shared().drops(Drop::Expired))
        .service(
            "vault",
            vault.replicas(3).drops(Drop::RemainingBelow(secs(0.01).into())).balanced(by_key(Popularity::Uniform)),
        )
        .service("ledger", ledger.replicas(2).balanced(by_key(Popularity::Zipf { exponent: 1.0.into() })))
        .service("crier", crier.replicas(2).balanced(Balancer::Random).calling("archive", plainly()))
        .service("archive", archive.replicas(4).balanced(Balancer::PowerOf(PowerOf { choices: 2.into() })))
        .service("well", service(servers(1), [work(1_000_000)]).replicas(2))
        .client("steady", open(Rate::Constant(20.0.into())).retries(2, 100_000_000))
        .client(
            "jumping",
            open(Rate::Piecewise(Piecewise(points(5.0, 20.0)))).retries(2, 0).backing_off(doubling(Jitter::Full)),
        )
        .client("rising", open(Rate::Ramp(Ramp(points(0.0, 20.0)))).retries(2, 0).backing_off(doubling(Jitter::None)))
        .client(
            "fans",
            open(Rate::Match(evening)).cancels().retries(1, 0).backing_off(Backoff::Drawn(exponential(0.5))),
        )
        .client("recorded", client(at([5, 5, 1_000_000, 2_000_000]), "well.get"))
        .client("regulars", client(closed(10, exponential(0.5)), "gate.get"));
    fair(design)
}

/// The other half: booths that admit by rule, and a kitchen that caches, repeats, races, fails and replies early.
fn fair(mut design: Design) -> Design {
    let (least, most) = (Given::from(1), Given::from(20));
    let initial = || Given::from(3);
    let (tolerance, smoothing, long) = (1.5.into(), 0.2.into(), 600.into());
    let rules = [
        Admission::Concurrency(3.into()),
        Admission::TokenBucket(TokenBucket { rate: 8.0.into(), burst: 3.0.into() }),
        Admission::SlidingWindow(SlidingWindow { limit: 8.into(), window: secs(1.0).into() }),
        Admission::Aimd(Aimd {
            slow: secs(0.1).into(),
            backoff: 0.5.into(),
            initial: initial(),
            least: least.clone(),
            most: most.clone(),
        }),
        Admission::Vegas(Vegas { initial: initial(), least: least.clone(), most: most.clone() }),
        Admission::Gradient(Gradient { tolerance, smoothing, long, initial: initial(), least, most }),
    ];
    let lines = [
        Discipline::Lifo,
        Discipline::LifoAbove(2.into()),
        Discipline::Priority,
        Discipline::PreemptivePriority,
        Discipline::Fifo,
        Discipline::Lifo,
    ];
    for (id, (rule, line)) in rules.into_iter().zip(lines).enumerate() {
        let mut booth = service(servers(1), [Step::Work(exponential(0.08)), call("kitchen.get")]).discipline(line);
        booth.admission = rule;
        booth = booth.calling("kitchen", kitchen_call(id));
        design = design.service(&format!("booth{id}"), booth);
    }
    let larder = |eviction, refresh| Cache {
        size: Some(5.into()),
        ttl: Some(secs(2.0).into()),
        single_flight: true,
        eviction,
        refresh,
        popularity: Popularity::Zipf { exponent: 1.0.into() },
        ..cache(20)
    };
    let fetch = |cache: &str| lookup(cache, vec![Step::Work(exponential(0.02))]);
    let kitchen = service(
        servers(2),
        [
            fetch("herbs"),
            repeat(Times::Fixed(2.into()), [fetch("spices")]),
            repeat(Times::Geometric(0.5.into()), [fetch("oils")]),
            repeat(Times::Poisson(0.5.into()), [call("well.get")]),
            fail(0.05),
            quorum(1, vec![vec![Step::Delay(exponential(0.02))], vec![Step::Work(exponential(0.01))]]),
            Step::Reply,
            Step::Work(exponential(0.01)),
        ],
    );
    let kitchen = kitchen
        .replicas(2)
        .threads(8)
        .caching("herbs", larder(Eviction::Lru, Refresh::Never))
        .caching("spices", larder(Eviction::Fifo, Refresh::Early(Early { beta: 1.0.into() })))
        .caching("oils", larder(Eviction::Random, Refresh::Never));
    design = design.service("kitchen", kitchen);
    let booths = |client: Client, ids: [usize; 2]| Client {
        mix: ids.map(|id| (format!("booth{id}.get"), 1.0.into())).into_iter().collect(),
        ..client
    };
    let asking = |arrivals: Arrivals| client(arrivals, "booth0.get");
    let day = || Diurnal { period: secs(10.0).into(), ..Diurnal::new(6.0, 1.8, secs(4.0)) };
    let growth = Growth::Gompertz { start: 1.0.into(), ceiling: 12.0.into(), midpoint: secs(8.0).into() };
    let crowd = FlashCrowd {
        base: 4.0.into(),
        bursts: vec![(secs(9.0).into(), 3.0.into())],
        rise: secs(0.5).into(),
        decay: secs(2.0).into(),
    };
    let half = |rate: Rate| Rate::Scaled(Scaled(0.5.into(), Box::new(rate)));
    let days = [1.0, 1.5, 0.5, 1.0, 1.0, 1.0, 1.0].map(Given::from).to_vec();
    let rates = [
        Rate::Diurnal(day()),
        Rate::Weekly(Weekly { days, day: day() }),
        Rate::Growth(growth),
        Rate::FlashCrowd(crowd.clone()),
        Rate::Sum(Sum(vec![Rate::Constant(2.0.into()), half(Rate::FlashCrowd(crowd))])),
        Rate::Product(Product(vec![Rate::Diurnal(day()), Rate::Constant(0.7.into())])),
        half(Rate::Constant(10.0.into())),
    ];
    for (id, rate) in rates.into_iter().enumerate() {
        let guests = booths(asking(Arrivals::Poisson(rate)), [id % 6, (id + 1) % 6]);
        let guests = guests.urgent(id as u32).timeout(600_000_000);
        let guests = match id {
            0 => guests.patient(exponential(0.2)).retries(1, 0).backing_off(decorrelated(50_000_000, 400_000_000)),
            1 => guests.balks(Balking::From(3.into())),
            2 => guests.balks(Balking::Reciprocal).propagates(),
            3 => guests.hedges(150_000_000, 2).cancels(),
            4 => guests.timeout(60_000_000).breaks(breaker(1_000_000_000, 2, 500_000_000, 2)),
            _ => guests.bulkhead(2),
        };
        design = design.client(&format!("guests{id}"), guests);
    }
    let more = [
        renewal(Distribution::Uniform { low: secs(0.1).into(), high: secs(0.5).into() }),
        mmpp(&[(1.0, 2_000_000_000), (12.0, 1_000_000_000)]),
        batches(1.0, Count::Geometric { mean: 3.0.into() }),
        sessions(1.0, always(3), exponential(0.3)),
    ];
    for (id, arrivals) in more.into_iter().enumerate() {
        let others = booths(asking(arrivals), [id, id + 1]).timeout(500_000_000);
        design = design.client(&format!("others{id}"), others);
    }
    design
}

/// How a booth calls the kitchen.
fn kitchen_call(id: usize) -> CallPolicy {
    let call = pooled(2).timeout(300_000_000);
    match id {
        0 => call.hedges(60_000_000, 1).cancels().retries(1, 20_000_000),
        1 => call.propagates(),
        2 => call.breaks(breaker(1_000_000_000, 4, 500_000_000, 2)),
        3 => call.bulkhead(1).cancels(),
        4 => call.hedges(40_000_000, 3),
        _ => call.retries(2, 0).backing_off(decorrelated(10_000_000, 100_000_000)),
    }
}

fn acts(design: &Design) -> Vec<(u64, Act)> {
    let slow = design.but(|d| {
        d.of("stall").endpoints["get"][0] =
            Step::Work(Distribution::LogNormal { mean: secs(0.05).into(), cv: 1.2.into() });
    });
    vec![
        (6_000_000_000, design.kill("vault", 1)),
        (7_000_000_000, design.kill_and_refuse("gate", 0)),
        (9_000_000_000, slow.adopt()),
        (11_000_000_000, design.scale("gate", 4)),
        (12_000_000_000, design.adopt()),
        (12_000_000_000, design.scale("vault", 3)),
        (13_000_000_000, design.scale("archive", 0)),
    ]
}

/// A digest of every event with its instant, and one of what became of every request, through much of what
/// there is. The first changes if a timer more is set, the second only if some request fares otherwise. A
/// change here changes every recorded run and belongs in the changelog. Every variant by itself is pinned by the
/// examples of the lists, in `scenarios`.
#[test]
fn the_bytes_of_a_seed_never_change() {
    let design = bazaar();
    let acts = acts(&design);
    let digests = |seed, replication| {
        let mut run = design.seeded(seed, replication, acts.clone());
        let mut probe = (Digest::default(), Outcomes::default());
        run.run_until(SimTime::from_secs(20), &mut probe).unwrap();
        let (events, outcomes) = probe;
        let fared = outcomes.0.iter().fold(Key::from_bits(0), |digest, (request, (came, over, attempts, result))| {
            let result = result.map_or_else(|cause| 1 + cause as u64, |()| 0);
            [*request, came.as_nanos(), over.as_nanos(), u64::from(*attempts), result]
                .into_iter()
                .fold(digest, Key::index)
        });
        format!(
            "{} events: {:016x}, {} requests: {:016x}",
            run.events(),
            events.value(),
            outcomes.0.len(),
            fared.bits()
        )
    };
    let found = [digests(1, 0), digests(1, 1), digests(2, 0)];
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [&str; 3] = [
    "25906 events: 66c63eafd87769b2, 3026 requests: 4af336b6c70ff057",
    "26700 events: 729b1fb20aced7ce, 3118 requests: 28605ac717c2cb48",
    "26823 events: dfbb12a376ef9cc0, 3118 requests: cacfa39c6299af11",
];
