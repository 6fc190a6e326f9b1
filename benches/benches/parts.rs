//! The parts by themselves: agenda, samplers, histogram, forks. `cargo bench -p benches --bench parts`.

use benches::{designs, start};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sim_core::agenda::{Agenda, Class};
use sim_core::dist::{Dist, exp1};
use sim_core::random::Key;
use sim_core::stats::Histogram;
use sim_core::time::{SimDuration, SimTime};
use std::hint::black_box;

/// The hold model: pop the first event, schedule another one some exponential time later.
fn agenda(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("agenda, hold");
    for pending in [2_u64, 100, 10_000, 1_000_000] {
        let mut random = Key::root(1, 0).rng();
        let mut gap = move || SimDuration::from_secs_f64(exp1(&mut random));
        let mut agenda = Agenda::new();
        (0..pending).for_each(|i| agenda.schedule(SimTime::ZERO + gap(), Class::Ordinary, i));
        group.bench_function(BenchmarkId::from_parameter(pending), |b| {
            b.iter(|| {
                let (now, event) = agenda.pop_until(SimTime::MAX).expect("as many come as go");
                agenda.schedule(now + gap(), Class::Ordinary, event);
            });
        });
    }
    group.finish();
}

fn samplers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("samplers, keyed");
    let mean = SimDuration::from_millis(20);
    let dists = [
        ("constant", Dist::constant(mean)),
        ("exponential", Dist::exponential(mean)),
        ("erlang 4", Dist::erlang(4, mean)),
        ("lognormal", Dist::lognormal(mean, 1.2)),
        ("gamma", Dist::gamma(mean, 0.5)),
        ("pareto", Dist::pareto(mean, 2.5)),
    ];
    for (name, dist) in dists {
        let dist = dist.expect("the parameters are sound");
        let (key, mut n) = (Key::root(1, 0), 0);
        group.bench_function(name, |b| {
            b.iter(|| {
                n += 1;
                dist.sample(&mut key.index(n).index(0).rng())
            });
        });
    }
    group.finish();
}

fn histogram(criterion: &mut Criterion) {
    let mut histogram = Histogram::new();
    let mut random = Key::root(1, 0).rng();
    criterion.bench_function("histogram, record", |b| {
        b.iter(|| histogram.record(SimDuration::from_nanos(random.next_u64() >> 32)));
    });
}

/// A fork of the World Cup night, in the quiet before the first goal and after it has broken down.
fn fork(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fork");
    let mut run = start(&designs::world_cup_night());
    for (name, minute) in [("healthy", 30), ("collapsed", 80)] {
        run.run_until(SimTime::from_secs(60 * minute), &mut ()).expect("no limit is near");
        group.bench_function(name, |b| b.iter(|| black_box(run.clone())));
    }
    group.finish();
}

criterion_group!(benches, agenda, samplers, histogram, fork);
criterion_main!(benches);
