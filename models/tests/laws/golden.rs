//! The bytes of a seed: equal on every platform, in every build, for ever.

use crate::common::*;
use models::blueprint::{Processor, Step};
use models::distribution::Distribution;
use models::intervention::Act;
use models::policy::backoff::{Exponential, Jitter};
use models::policy::balancer::{ByKey, Popularity, PowerOf};
use models::policy::{Backoff, Balancer, Drop};
use models::probe::Digest;
use models::workload::rate::{Match, Piecewise, Ramp};
use models::workload::{Arrivals, Rate};
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
    design()
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
        .client("regulars", client(closed(10, exponential(0.5)), "gate.get"))
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
    "19177 events: fad5e43cfaa7c722, 1999 requests: 98981cbca6655ebe",
    "20458 events: 31edca5bb1a86991, 2078 requests: 3ab777bb5733a486",
    "20505 events: 082f8e2a6d7b8531, 2096 requests: b2c05388182f63f8",
];
