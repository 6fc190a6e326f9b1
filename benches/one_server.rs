//! W1: M/M/1 at 0.8, the product's path against a loop written by hand. Run with
//! `cargo bench -p benches`.

use benches::{one_server, one_server_by_hand, product};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim_core::time::SimTime;
use std::hint::black_box;

fn w1(criterion: &mut Criterion) {
    let horizon = SimTime::from_secs(100_000);
    let topology = one_server(0.8);
    let mut group = criterion.benchmark_group("W1 M/M/1 at 0.8");
    group.throughput(Throughput::Elements(product(&topology, horizon).0));
    group.bench_function("product", |b| b.iter(|| product(black_box(&topology), horizon)));
    group.bench_function("by hand", |b| b.iter(|| one_server_by_hand(black_box(0.8), horizon)));
    group.finish();
}

criterion_group!(benches, w1);
criterion_main!(benches);
