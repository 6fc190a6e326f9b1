//! W1 to W6 for criterion: `cargo bench -p benches --bench workloads`. For ratios use `ratios`.

use benches::{Tally, by_hand, designs, measured, watched};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use models::topology::Topology;
use sim_core::time::SimTime;
use std::sync::Arc;

fn workloads(criterion: &mut Criterion) {
    let secs = SimTime::from_secs;
    let stream = by_hand::Stream::default;
    bench(criterion, "W1 M/M/1", &designs::servers(1, 0.8), secs(100_000));
    limit(criterion, "W1 M/M/1", || by_hand::w1(stream(), 0.8, secs(100_000)));
    bench(criterion, "W2 M/M/100", &designs::servers(100, 90.0), secs(1_000));
    limit(criterion, "W2 M/M/100", || by_hand::w2(stream(), 100, 90.0, secs(1_000)));
    bench(criterion, "W3 three tiers", &designs::three_tiers(100_000), secs(10));
    limit(criterion, "W3 three tiers", || by_hand::w3(stream(), 100_000, secs(10)));
    bench(criterion, "W4 with timeouts", &designs::three_tiers_with_timeouts(100_000), secs(10));
    bench(criterion, "W5 World Cup night", &designs::world_cup_night(), secs(600));
    bench(criterion, "W6 many in flight", &designs::many_in_flight(), secs(1));
}

fn bench(criterion: &mut Criterion, name: &str, topology: &Arc<Topology>, horizon: SimTime) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(watched(topology, horizon, &mut ()).events));
    group.bench_function("product", |b| b.iter(|| measured(topology, horizon)));
    group.bench_function("without probe", |b| b.iter(|| watched(topology, horizon, &mut ())));
    group.finish();
}

fn limit(criterion: &mut Criterion, name: &str, mut by_hand: impl FnMut() -> Tally) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(by_hand().events));
    group.bench_function("by hand", |b| b.iter(&mut by_hand));
    group.finish();
}

criterion_group!(benches, workloads);
criterion_main!(benches);
