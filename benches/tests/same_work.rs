//! The loops written by hand do the work of the designs, and a design's run is pinned.

use benches::{Tally, by_hand, designs, measured, start};
use models::probe::{Digest, Measure};
use models::topology::Topology;
use sim_core::random::Key;
use sim_core::stats::{Histogram, TimeWeighted};
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// M/M/1 at 0.8 has a mean response of 5 s. The mean over n customers has about the variance
/// rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 / n (Daley 1968), here with n = 8e4 a standard error of
/// 0.16 s: a bound of 0.85 s is passed by chance once in ten million.
#[test]
fn w1() {
    let horizon = SimTime::from_secs(100_000);
    let product = measured(&designs::servers(1, 0.8), horizon);
    let stream = by_hand::w1(by_hand::Stream::default(), 0.8, horizon);
    let keyed = by_hand::w1(by_hand::Keyed::default(), 0.8, horizon);
    agree(&[product, stream, keyed], 160_000, 5.0, 0.85);
}

/// M/M/100 at 0.9: theory says 1.021694 s, which these runs meet within 0.01 s.
#[test]
fn w2() {
    let horizon = SimTime::from_secs(2_000);
    let product = measured(&designs::servers(100, 90.0), horizon);
    let stream = by_hand::w2(by_hand::Stream::default(), 100, 90.0, horizon);
    let keyed = by_hand::w2(by_hand::Keyed::default(), 100, 90.0, horizon);
    agree(&[product, stream, keyed], 360_000, 1.021_694, 0.02);
}

/// A response takes hardly longer than the sum of its work, 26 ms.
#[test]
fn w3() {
    let horizon = SimTime::from_secs(10);
    let product = measured(&designs::three_tiers(100_000), horizon);
    let stream = by_hand::w3(by_hand::Stream::default(), 100_000, horizon);
    let keyed = by_hand::w3(by_hand::Keyed::default(), 100_000, horizon);
    agree(&[product, stream, keyed], 398_000, 0.026, 0.0005);
}

fn agree(tallies: &[Tally], events: u64, mean: f64, within: f64) {
    for tally in tallies {
        assert!(tally.events.abs_diff(events) < events / 50, "{tally:?}");
        assert!((tally.mean_secs - mean).abs() < within, "{tally:?}");
    }
}

/// Whatever is made faster, these stay: they pin every event of a seed with its time, and what the standard
/// probe says about it.
#[test]
fn the_bytes_of_a_seed_never_change() {
    let pinned: [(&str, Arc<Topology>, u64, u64, u64); 5] = [
        ("W1", designs::servers(1, 0.8), 10_000, 0x764b_f4f5_23ca_baa1, 0x9319_bbab_c7ba_ad95),
        ("W2", designs::servers(100, 90.0), 200, 0x8b11_c296_d844_cd4c, 0x9400_fa17_a74d_cb13),
        ("W3", designs::three_tiers(10_000), 20, 0x5e27_ff43_f388_cbbd, 0x2afd_60ff_a741_994d),
        ("W4", designs::three_tiers_with_timeouts(10_000), 20, 0xb708_c9ac_921e_201a, 0x2afd_60ff_a741_994d),
        ("W5", designs::world_cup_night(), 2_400, 0x9639_5466_fc47_9b4d, 0xc453_92eb_0319_53fd),
    ];
    let now = pinned.each_ref().map(|(name, topology, secs, ..)| {
        let (events, figures) = digests(topology, SimTime::from_secs(*secs));
        format!("{name}: {events:#x}, {figures:#x}")
    });
    assert_eq!(pinned.map(|(name, _, _, events, figures)| format!("{name}: {events:#x}, {figures:#x}")), now);
}

/// Counts of the causes that there were when the figures were pinned; of all that came later, none occurs.
fn causes(counts: &[u64]) -> &[u64] {
    let (pinned, later) = counts.split_at(6);
    assert!(later.iter().all(|count| *count == 0), "{later:?}");
    pinned
}

/// Of the events, and of the figures of the standard probe.
fn digests(topology: &Arc<Topology>, horizon: SimTime) -> (u64, u64) {
    let mut run = start(topology);
    let mut probe = (Digest::default(), Measure::attach(&run, SimDuration::from_secs(1), Vec::new(), true));
    run.run_until(horizon, &mut probe).expect("no limit is near");
    let (events, measure) = probe;
    let mut figures = Key::from_bits(0);
    let mut take = |figure: u64| figures = figures.index(figure);
    let times = |histogram: &Histogram, take: &mut dyn FnMut(u64)| {
        [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0]
            .into_iter()
            .for_each(|q| take(histogram.quantile(q).map_or(0, SimDuration::as_nanos)));
        [histogram.min(), histogram.max()].into_iter().for_each(|d| take(d.map_or(0, SimDuration::as_nanos)));
        take(histogram.mean_secs().map_or(0, f64::to_bits));
        take(histogram.count());
    };
    let level = |level: &TimeWeighted, take: &mut dyn FnMut(u64)| {
        [level.level(), level.max(), level.integral(horizon) as u64].into_iter().for_each(&mut *take);
        take(level.mean(horizon).map_or(0, f64::to_bits));
    };
    for client in measure.clients.iter().chain([measure.requests().as_ref()]) {
        [client.arrived, client.served, client.done, client.done_in_time].into_iter().for_each(&mut take);
        causes(&client.failed).iter().for_each(|count| take(*count));
        times(&client.responses, &mut take);
    }
    for service in &measure.services {
        [service.arrived, service.admitted, service.waited, service.done, service.failed]
            .into_iter()
            .for_each(&mut take);
        [service.unwanted, service.work_done as u64].into_iter().for_each(&mut take);
        causes(&service.turned_away).iter().for_each(|count| take(*count));
        [&service.waits, &service.responses].into_iter().for_each(|histogram| times(histogram, &mut take));
        [&service.waiting, &service.held, service.in_system.level(), &service.busy]
            .into_iter()
            .for_each(|l| level(l, &mut take));
        take(service.in_system.variance(horizon).map_or(0, f64::to_bits));
        [service.processor_utilisation(horizon), service.thread_utilisation(horizon)]
            .into_iter()
            .for_each(|figure| take(figure.map_or(0, f64::to_bits)));
        take(service.contended_utilisation(horizon).map_or(0, f64::to_bits));
        for pool in &service.pools {
            level(&pool.used, &mut take);
            take(pool.waits.variance().map_or(0, f64::to_bits));
        }
        service.level_nanos(horizon).into_iter().flatten().for_each(|nanos| take(nanos as u64));
    }
    level(&measure.in_flight, &mut take);
    take(measure.attempts);
    (events.value(), figures.bits())
}
