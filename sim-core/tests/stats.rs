//! Statistics against numbers computed by hand or by R, and against their own laws.

use proptest::prelude::*;
use sim_core::stats::{
    Estimate, Histogram, Moments, TimeWeighted, fisher_exact, paired_difference, t_quantile, wilson,
};
use sim_core::time::{SimDuration, SimTime};
use statrs::distribution::{ContinuousCDF, StudentsT};

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

fn span(nanos: u64) -> SimDuration {
    SimDuration::from_nanos(nanos)
}

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found}, not {expected}");
}

#[test]
fn moments_of_known_numbers() {
    let mut moments = Moments::new();
    assert_eq!((moments.count(), moments.mean(), moments.variance()), (0, None, None));
    moments.push(2.0);
    assert_eq!((moments.mean(), moments.variance()), (Some(2.0), None));
    for value in [4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
        moments.push(value);
    }
    // Squared deviations from 5: 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
    assert_eq!((moments.count(), moments.mean()), (8, Some(5.0)));
    near(moments.variance().unwrap(), 32.0 / 7.0, 1e-15);
}

#[test]
fn moments_keep_a_small_spread_around_a_large_mean() {
    let moments: Moments = [4.0, 7.0, 13.0, 16.0].iter().map(|x| x + 1e9).collect();
    near(moments.mean().unwrap(), 1e9 + 10.0, 1e-15);
    near(moments.variance().unwrap(), 30.0, 1e-9);
}

/// A level and its square, which change together.
fn squared(level: u64) -> [u64; 2] {
    [level, level * level]
}

fn variance(level: &TimeWeighted<2>, now: SimTime) -> Option<f64> {
    level.part(0).variance(&level.part(1), now)
}

#[test]
fn a_level_over_time_by_hand() {
    let mut both = TimeWeighted::of(at(10), squared(0));
    assert_eq!((both.part(0).mean(at(10)), variance(&both, at(10))), (None, None));
    both.set_all(at(20), squared(3));
    both.set_all(at(25), squared(1));
    both.set_all(at(25), squared(7));
    both.set_all(at(25), squared(2));
    // 0 for 10 ns, 3 for 5 ns, 2 for 15 ns.
    let queue = both.part(0);
    assert_eq!((queue.level(), queue.integral(at(40)), queue.mean(at(40))), (2, 45, Some(1.5)));
    near(variance(&both, at(40)).unwrap(), (9.0 * 5.0 + 4.0 * 15.0) / 30.0 - 2.25, 1e-15);
    // With a level that was 1 for 5 ns and 0 since.
    let mut other = TimeWeighted::new(at(10), 1);
    other.set(at(15), 0);
    let sum = queue + other;
    assert_eq!((sum.level(), sum.integral(at(40)), sum.mean(at(30))), (2, 50, Some(1.5)));
}

#[test]
fn a_level_stays_exact_where_floats_would_not() {
    // The greatest level of which the square fits, all the time that there is.
    let top = u64::from(u32::MAX);
    let full = TimeWeighted::of(SimTime::ZERO, squared(top));
    assert_eq!(full.part(0).integral(SimTime::MAX), u128::from(top) * u128::from(u64::MAX));
    assert_eq!(variance(&full, SimTime::MAX), Some(0.0));

    // One nanosecond of one above it, in a century at a million: the variance is p(1−p).
    let century = 3_155_760_000_000_000_000;
    let mut level = TimeWeighted::of(SimTime::ZERO, squared(1_000_000));
    level.set_all(at(5), squared(1_000_001));
    level.set_all(at(6), squared(1_000_000));
    assert_eq!(level.part(0).integral(at(century)), u128::from(century) * 1_000_000 + 1);
    near(variance(&level, at(century)).unwrap(), 1.0 / century as f64, 1e-12);
}

#[test]
fn a_histogram_of_known_durations() {
    let mut histogram = Histogram::new();
    assert_eq!((histogram.count(), histogram.mean_secs(), histogram.quantile(0.5)), (0, None, None));
    assert_eq!((histogram.min(), histogram.max()), (None, None));
    for nanos in 1..=1000 {
        histogram.record(span(nanos));
    }
    // Exact below 2048 ns.
    for (q, nanos) in [(0.0, 1), (0.001, 1), (0.25, 250), (0.5, 500), (0.99, 990), (1.0, 1000)] {
        assert_eq!(histogram.quantile(q), Some(span(nanos)), "{q}");
    }
    assert_eq!((histogram.count(), histogram.mean_secs()), (1000, Some(500.5e-9)));
    for q in [-0.1, 1.1, f64::NAN] {
        assert_eq!(histogram.quantile(q), None);
    }
}

#[test]
fn a_histogram_holds_every_duration() {
    let mut histogram = Histogram::new();
    for value in [SimDuration::ZERO, SimDuration::MAX, SimDuration::MAX, span(1)] {
        histogram.record(value);
    }
    assert_eq!(histogram.quantile(0.0), Some(SimDuration::ZERO));
    assert_eq!(histogram.quantile(0.5), Some(span(1)));
    assert_eq!(histogram.quantile(1.0), Some(SimDuration::MAX));
    near(histogram.mean_secs().unwrap(), SimDuration::MAX.as_secs_f64() / 2.0, 1e-12);
}

proptest! {
    #[test]
    fn merged_moments_are_sequential_moments(
        a in prop::collection::vec(-1e6..1e6_f64, 0..50),
        b in prop::collection::vec(-1e6..1e6_f64, 0..50),
    ) {
        let mut merged: Moments = a.iter().copied().collect();
        merged.merge(&b.iter().copied().collect());
        let sequential: Moments = a.iter().chain(&b).copied().collect();
        prop_assert_eq!(merged.count(), sequential.count());
        // Within rounding: 100 operations on numbers up to a million.
        let close = |x: Option<f64>, y: Option<f64>, within: f64| match (x, y) {
            (Some(x), Some(y)) => (x - y).abs() <= within,
            (x, y) => x == y,
        };
        prop_assert!(close(merged.mean(), sequential.mean(), 1e-8));
        prop_assert!(close(merged.variance(), sequential.variance(), 1e-2), "{merged:?} {sequential:?}");
    }

    #[test]
    fn a_levels_integrals_are_sums(changes in prop::collection::vec((0..1_000_u64, 0..1_000_u64), 1..50)) {
        let mut both = TimeWeighted::of(SimTime::ZERO, squared(0));
        let (mut now, mut level, mut area, mut squares) = (0, 0, 0, 0);
        for &(wait, next) in &changes {
            area += wait * level;
            squares += wait * level * level;
            now += wait;
            level = next;
            both.set_all(at(now), squared(next));
        }
        let tracked = both.part(0);
        prop_assert_eq!((tracked.level(), tracked.integral(at(now))), (level, u128::from(area)));
        if now > 0 {
            let mean = area as f64 / now as f64;
            prop_assert_eq!(tracked.mean(at(now)), Some(mean));
            let expected = squares as f64 / now as f64 - mean * mean;
            prop_assert!((variance(&both, at(now)).unwrap() - expected).abs() < 1e-6);
        } else {
            prop_assert_eq!(tracked.mean(at(now)), None);
        }
    }

    #[test]
    fn looking_in_between_changes_nothing(before in 0..1_000_u64, after in 0..1_000_u64, level in 0..100_u64) {
        let plain = TimeWeighted::of(SimTime::ZERO, squared(level));
        let mut touched = plain;
        touched.set_all(at(before), squared(level));
        let end = at(before + after);
        prop_assert_eq!(plain.part(0).integral(end), touched.part(0).integral(end));
        prop_assert_eq!(variance(&plain, end), variance(&touched, end));
    }

    /// The true quantile by sorting, and the bound the documentation states.
    #[test]
    fn quantiles_are_at_most_a_thousandth_too_high(
        mut nanos in prop::collection::vec((0..63_u32, any::<u64>()).prop_map(|(shift, n)| n >> shift), 1..200),
        q in 0.0..=1.0_f64,
    ) {
        let mut histogram = Histogram::new();
        for &n in &nanos {
            histogram.record(span(n));
        }
        nanos.sort_unstable();
        let rank = ((q * nanos.len() as f64).ceil() as usize).max(1);
        let truth = nanos[rank - 1];
        let found = histogram.quantile(q).unwrap().as_nanos();
        prop_assert!(truth <= found || q == 0.0, "{found} is below {truth}");
        prop_assert!(found - truth <= truth / 1024, "{found} is too far above {truth}");
        prop_assert_eq!(histogram.min(), Some(span(nanos[0])));
        prop_assert_eq!(histogram.max(), Some(span(nanos[nanos.len() - 1])));
    }

    #[test]
    fn merged_histograms_are_sequential_histograms(
        a in prop::collection::vec(any::<u64>(), 0..50),
        b in prop::collection::vec(0..1_000_000_u64, 0..50),
    ) {
        let of = |values: &mut dyn Iterator<Item = &u64>| {
            let mut histogram = Histogram::new();
            for &n in values {
                histogram.record(span(n));
            }
            histogram
        };
        let sequential = of(&mut a.iter().chain(&b));
        for (first, second) in [(&a, &b), (&b, &a)] {
            let mut merged = of(&mut first.iter());
            merged.merge(&of(&mut second.iter()));
            prop_assert_eq!(&merged, &sequential);
        }
    }

    #[test]
    fn a_wilson_interval_holds_the_share(n in 0..10_000_u64, share in 0.0..=1.0_f64, confidence in 0.0..1.0_f64) {
        let successes = (share * n as f64) as u64;
        let (low, high) = wilson(successes, n, confidence);
        prop_assert!(0.0 <= low && low <= high && high <= 1.0);
        if n > 0 {
            let p = successes as f64 / n as f64;
            prop_assert!(low <= p + 1e-12 && p <= high + 1e-12, "{p} is not in {low} .. {high}");
        }
        // Failures are successes seen in a mirror.
        let (mirrored_low, mirrored_high) = wilson(n - successes, n, confidence);
        prop_assert!((low + mirrored_high - 1.0).abs() < 1e-12 && (high + mirrored_low - 1.0).abs() < 1e-12);
    }

    /// Against all tables with the same totals, their probabilities from binomial coefficients.
    #[test]
    fn fishers_test_is_the_sum_over_all_tables(
        (a, a_trials) in (0..40_u64).prop_flat_map(|n| (0..=n, Just(n))),
        (b, b_trials) in (0..40_u64).prop_flat_map(|n| (0..=n, Just(n))),
    ) {
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let total = a + b;
        let probability = |k: u64| {
            choose(a_trials, k) * choose(b_trials, total - k) / choose(a_trials + b_trials, total)
        };
        let all = total.saturating_sub(b_trials)..=total.min(a_trials);
        let expected: f64 = all.map(probability).filter(|p| *p <= probability(a) * (1.0 + 1e-7)).sum();
        let found = fisher_exact(a, a_trials, b, b_trials);
        prop_assert!((found - expected).abs() <= 1e-10, "{found}, not {expected}");
        prop_assert!((found - fisher_exact(b, b_trials, a, a_trials)).abs() <= 1e-10);
    }
}

#[test]
fn quantiles_of_students_t() {
    // From the tables; the last is the normal quantile, their limit.
    for (dof, t) in [
        (1.0, 12.706_204_736),
        (2.0, 4.302_652_730),
        (5.0, 2.570_581_836),
        (10.0, 2.228_138_852),
        (30.0, 2.042_272_456),
        (1000.0, 1.962_339_081),
        (1e12, 1.959_963_985),
        (f64::INFINITY, 1.959_963_985),
    ] {
        near(t_quantile(0.975, dof).unwrap(), t, 1e-9);
        near(t_quantile(0.025, dof).unwrap(), -t, 1e-9);
    }
    // Bit by bit, on every platform and with every build of the standard library.
    for (dof, bits) in [
        (1.0, 0x4029_6993_aacc_4d1e),
        (2.0, 0x4011_35ea_98e1_46b8),
        (4.0, 0x4006_3628_d9ef_b5df),
        (9.0, 0x4002_18e5_dac5_0b25),
        (29.0, 0x4000_5ca1_5bce_286b),
        (199.0, 0x3fff_8d22_4e2b_1d39),
    ] {
        assert_eq!(t_quantile(0.975, dof).map(f64::to_bits), Some(bits), "{dof}");
    }
    // And an independent implementation agrees.
    for dof in [0.7, 1.0, 2.5, 7.0, 30.0, 250.0, 999.0] {
        let student = StudentsT::new(0.0, 1.0, dof).unwrap();
        for p in [1e-9, 1e-4, 0.02, 0.2, 0.45, 0.6, 0.975, 0.9999] {
            near(student.cdf(t_quantile(p, dof).unwrap()), p, 1e-9);
        }
    }
    // One degree is Cauchy's law, tan(π(p − ½)); two have (2p−1)·√(2/(4p(1−p))).
    for p in [1e-9, 0.01, 0.3, 0.6, 0.999] {
        near(t_quantile(p, 1.0).unwrap(), libm::tan(std::f64::consts::PI * (p - 0.5)), 1e-6);
        near(t_quantile(p, 2.0).unwrap(), (2.0 * p - 1.0) * (2.0 / (4.0 * p * (1.0 - p))).sqrt(), 1e-9);
    }
    // Both methods agree where one takes over from the other.
    for p in [1e-9, 0.005, 0.4, 0.975] {
        let (below, above) = (t_quantile(p, 1000.0).unwrap(), t_quantile(p, 1000.0_f64.next_up()).unwrap());
        near(below, above, 1e-8);
    }
    assert_eq!(t_quantile(0.5, 3.0).map(|t| t.abs() < 1e-7), Some(true));
    // It returns whatever is asked.
    for dof in [1e-300, 0.1, 1.0, 999.0, 1e9, f64::MAX] {
        for p in [f64::MIN_POSITIVE, 1e-20, 0.5_f64.next_down(), 0.5, 0.5_f64.next_up(), 1.0_f64.next_down()] {
            assert!(t_quantile(p, dof).is_some());
        }
    }
    for (p, dof) in [(0.0, 5.0), (1.0, 5.0), (f64::NAN, 5.0), (-1.0, 5.0), (0.5, 0.0), (0.5, f64::NAN)] {
        assert_eq!(t_quantile(p, dof), None, "{p} {dof}");
    }
}

#[test]
fn estimates_from_replications() {
    assert_eq!(Estimate::from_replications(&[]), None);
    let one = Estimate::from_replications(&[3.0]).unwrap();
    assert_eq!((one.mean, one.half_width_95, one.interval_95()), (3.0, None, None));
    // Mean 5, s² = 10 with four degrees of freedom: t = 2.7764451, half-width 2.7764451·√(10/5).
    let five = Estimate::from_replications(&[1.0, 3.0, 5.0, 7.0, 9.0]).unwrap();
    near(five.mean, 5.0, 1e-15);
    near(five.half_width_95.unwrap(), 2.776_445_105_197_79 * 2.0_f64.sqrt(), 1e-8);
    let (low, high) = five.interval_95().unwrap();
    near(low + high, 10.0, 1e-12);
}

#[test]
fn differences_of_pairs() {
    let (a, b) = ([10.0, 20.0, 30.0, 40.0], [9.0, 18.0, 29.0, 38.0]);
    let paired = paired_difference(&a, &b).unwrap();
    assert_eq!(Some(paired), Estimate::from_replications(&[1.0, 2.0, 1.0, 2.0]));
    // What is common cancels: alone, either mean is known far worse.
    assert!(paired.half_width_95.unwrap() * 10.0 < Estimate::from_replications(&a).unwrap().half_width_95.unwrap());
    assert_eq!(paired_difference(&[], &[]), None);
}

#[test]
fn wilson_intervals() {
    let check = |successes, n, low: f64, high: f64, digits: f64| {
        let found = wilson(successes, n, 0.95);
        assert!((found.0 - low).abs() < digits && (found.1 - high).abs() < digits, "{found:?}");
    };
    // R. G. Newcombe, "Two-Sided Confidence Intervals for the Single Proportion", Statistics in
    // Medicine 17, 1998, table I, method 3.
    check(81, 263, 0.2553, 0.3662, 5e-5);
    check(15, 148, 0.0624, 0.1605, 5e-5);
    check(0, 20, 0.0, 0.1611, 5e-5);
    check(1, 29, 0.0061, 0.1718, 5e-5);
    // Without successes the upper end is z²/(n + z²), z² = 3.841459.
    check(0, 10, 0.0, 3.841_459 / 13.841_459, 1e-7);
    check(10, 10, 10.0 / 13.841_459, 1.0, 1e-7);
    assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
    assert_eq!(wilson(3, 10, 1.0), (0.0, 1.0));
    assert_eq!(wilson(3, 10, f64::NAN), (0.0, 1.0));
    assert_eq!(wilson(5, 10, -1.0), (0.5, 0.5));
}

#[test]
fn fishers_exact_test() {
    // The lady tasting tea, 3 of 4 right: (1 + 16 + 16 + 1)/70 of the tables are as unlikely.
    near(fisher_exact(3, 4, 1, 4), 34.0 / 70.0, 1e-12);
    // The worked example of Wikipedia's "Fisher's exact test", which gives 0.002759456.
    near(fisher_exact(1, 10, 11, 14), 0.002_759_456_185, 1e-9);
    near(fisher_exact(5, 10, 5, 10), 1.0, 1e-12);
    assert_eq!(fisher_exact(0, 0, 3, 7), 1.0);
    assert_eq!(fisher_exact(0, 5, 0, 7), 1.0);
    assert_eq!(fisher_exact(0, 0, 0, 0), 1.0);
    // Counts of a long run: 50.00% against 50.02% of a hundred million is 2.8 deviations.
    let p = fisher_exact(50_000_000, 100_000_000, 50_020_000, 100_000_000);
    near(p, 0.004_677, 2e-3);
    // Certain, though too small for a float.
    assert_eq!(fisher_exact(0, 10_000_000, 10_000_000, 10_000_000), 0.0);
}
