//! Are the draws what they claim to be?
//!
//! Every test has fixed seeds, so it passes always or never. Goodness of fit is tested at the level
//! 0.001: were the samplers right and the seeds arbitrary, one test in a thousand would fail. Where a
//! test compares several things, each gets its part of the level (Bonferroni), so that the level is
//! that of the test. That the samples are large enough to tell is shown by
//! `what_is_slightly_wrong_is_refused`: an error of two percent is found in every family. The samplers'
//! exact bits are pinned apart, in `the_first_draws_never_change`.

use rand_distr::Distribution as _;
use sim_core::dist::{Dist, DistError, Zipf, exp1, normal};
use sim_core::random::{Key, KeyedRng, hash_name};
use sim_core::stats::Moments;
use sim_core::time::SimDuration;
use statrs::distribution::{ChiSquared, ContinuousCDF, Gamma, LogNormal, Normal, Pareto, Uniform};

/// Probability that a right sampler fails one test.
const LEVEL: f64 = 0.001;

fn secs(secs: f64) -> SimDuration {
    SimDuration::from_secs_f64(secs)
}

fn rng(name: &str) -> KeyedRng {
    Key::root(20_250_101, 0).named(name).rng()
}

/// By how many standard deviations a normal variable is off at most, but with a probability of `level`.
fn deviations(level: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - level / 2.0)
}

/// Kolmogorov-Smirnov: the largest gap between the empirical and the theoretical distribution
/// function stays below √(−ln(level/2) / 2n) (the asymptotic law, close for n above a thousand).
fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64, level: f64) -> Result<(), String> {
    let n = sample.len() as f64;
    sample.sort_by(f64::total_cmp);
    let gap = sample.iter().enumerate().fold(0.0_f64, |gap, (i, &x)| {
        let p = cdf(x);
        gap.max(p - i as f64 / n).max((i + 1) as f64 / n - p)
    });
    let limit = (-libm::log(level / 2.0) / (2.0 * n)).sqrt();
    if gap < limit { Ok(()) } else { Err(format!("gap {gap} of {limit} allowed")) }
}

/// Pearson's chi-square of counts against expected counts; cells below five are pooled. Both tails
/// are looked at, since a fit that is too good betrays dependence.
fn chi_square(counts: &[u64], expected: impl Fn(usize) -> f64, level: f64) -> Result<(), String> {
    let (mut statistic, mut cells) = (0.0, 0_u32);
    let (mut pooled, mut pooled_expected) = (0.0, 0.0);
    for (i, &count) in counts.iter().enumerate() {
        pooled += count as f64;
        pooled_expected += expected(i);
        if pooled_expected >= 5.0 {
            statistic += (pooled - pooled_expected) * (pooled - pooled_expected) / pooled_expected;
            cells += 1;
            (pooled, pooled_expected) = (0.0, 0.0);
        }
    }
    if cells == 1 {
        // All draws are in it.
        return Ok(());
    }
    let law = ChiSquared::new(f64::from(cells - 1)).unwrap();
    let (low, high) = (law.inverse_cdf(level / 2.0), law.inverse_cdf(1.0 - level / 2.0));
    if low < statistic && statistic < high { Ok(()) } else { Err(format!("{statistic} is not in {low} .. {high}")) }
}

#[track_caller]
fn accept(name: &str, verdict: Result<(), String>) {
    verdict.unwrap_or_else(|why| panic!("{name}: {why}"));
}

fn samples(name: &str, dist: &Dist, n: usize) -> Vec<f64> {
    let mut rng = rng(name);
    (0..n).map(|_| dist.sample(&mut rng).as_secs_f64()).collect()
}

/// What theory says of a distribution, in seconds.
enum Law {
    /// The distribution function.
    Continuous(Box<dyn Fn(f64) -> f64>),
    /// Values and their probabilities.
    Discrete(Vec<(f64, f64)>),
}

impl Law {
    fn continuous(cdf: impl Fn(f64) -> f64 + 'static) -> Self {
        Self::Continuous(Box::new(cdf))
    }

    /// Why a sample is not of this law, at a level.
    fn test(&self, sample: Vec<f64>, level: f64) -> Result<(), String> {
        let values = match self {
            Self::Continuous(cdf) => return ks(sample, cdf, level),
            Self::Discrete(values) => values,
        };
        let mut counts = vec![0; values.len()];
        for x in &sample {
            let known = values.iter().position(|(value, p)| value == x && *p > 0.0);
            counts[known.ok_or_else(|| format!("{x} cannot be drawn"))?] += 1;
        }
        chi_square(&counts, |i| sample.len() as f64 * values[i].1, level)
    }
}

/// A distribution with its law.
struct Family {
    name: &'static str,
    dist: Dist,
    law: Law,
}

/// Every sampler, some with several parameters. Means are whole seconds, so that rounding to a nanosecond is
/// invisible here.
fn families() -> Vec<Family> {
    let exponential = |mean: f64| move |x: f64| -libm::expm1(-x / mean);
    let gamma = |shape: f64, rate: f64| {
        let law = Gamma::new(shape, rate).unwrap();
        Law::continuous(move |x| law.cdf(x))
    };
    let lognormal = {
        let variance = libm::log(1.0 + 1.2 * 1.2);
        LogNormal::new(libm::log(2.0) - variance / 2.0, variance.sqrt()).unwrap()
    };
    let pareto = Pareto::new(2.0 * 4.5 / 5.5, 5.5).unwrap();
    let uniform = Uniform::new(1.0, 3.0).unwrap();
    // c² = 4: p = (1 + √(3/5))/2, means 2/(2p) and 2/(2(1−p)).
    let p = 0.5 * (1.0 + 0.6_f64.sqrt());
    let (often, rare) = (exponential(1.0 / p), exponential(1.0 / (1.0 - p)));
    let three = [exponential(1.0), exponential(3.0), exponential(8.0)];
    let all: Vec<(&str, Result<Dist, DistError>, Law)> = vec![
        ("constant", Dist::constant(secs(2.0)), Law::Discrete(vec![(2.0, 1.0)])),
        ("exponential", Dist::exponential(secs(2.0)), Law::continuous(exponential(2.0))),
        ("erlang 1", Dist::erlang(1, secs(2.0)), Law::continuous(exponential(2.0))),
        ("erlang 3", Dist::erlang(3, secs(2.0)), gamma(3.0, 1.5)),
        ("erlang 20", Dist::erlang(20, secs(2.0)), gamma(20.0, 10.0)),
        (
            "hyperexponential",
            Dist::hyperexponential(&[(0.7, secs(1.0)), (0.2, secs(3.0)), (0.1, secs(8.0))]),
            Law::continuous(move |x| 0.7 * three[0](x) + 0.2 * three[1](x) + 0.1 * three[2](x)),
        ),
        (
            "hyperexponential_cv",
            Dist::hyperexponential_cv(secs(2.0), 2.0),
            Law::continuous(move |x| p * often(x) + (1.0 - p) * rare(x)),
        ),
        ("lognormal", Dist::lognormal(secs(2.0), 1.2), Law::continuous(move |x| lognormal.cdf(x))),
        ("gamma 0.5", Dist::gamma(secs(2.0), 0.5), gamma(4.0, 2.0)),
        ("gamma 1.7", Dist::gamma(secs(2.0), 1.7), gamma(1.0 / (1.7 * 1.7), 0.5 / (1.7 * 1.7))),
        ("pareto", Dist::pareto(secs(2.0), 5.5), Law::continuous(move |x| pareto.cdf(x))),
        ("uniform", Dist::uniform(secs(1.0), secs(3.0)), Law::continuous(move |x| uniform.cdf(x))),
        (
            "empirical",
            Dist::empirical(&[1.0, 2.0, 4.0].map(secs), None),
            Law::Discrete([1.0, 2.0, 4.0].map(|value| (value, 1.0 / 3.0)).to_vec()),
        ),
        (
            "empirical weighted",
            Dist::empirical(&[1.0, 2.0, 4.0, 9.0].map(secs), Some(&[5.0, 0.0, 3.0, 0.5])),
            Law::Discrete(vec![(1.0, 5.0 / 8.5), (2.0, 0.0), (4.0, 3.0 / 8.5), (9.0, 0.5 / 8.5)]),
        ),
    ];
    all.into_iter().map(|(name, dist, law)| Family { name, dist: dist.unwrap(), law }).collect()
}

#[test]
fn every_sampler_has_a_family() {
    // A new sampler does not compile before it stands here, nor pass before it stands above.
    let sampler = |dist: &Dist| match dist {
        Dist::Constant(_) => 0,
        Dist::Exponential(_) => 1,
        Dist::Erlang(_) => 2,
        Dist::Hyperexponential(_) => 3,
        Dist::LogNormal(_) => 4,
        Dist::Gamma(_) => 5,
        Dist::Pareto(_) => 6,
        Dist::Uniform(_) => 7,
        Dist::Empirical(_) => 8,
    };
    let mut families_of = [0; 9];
    families().iter().for_each(|family| families_of[sampler(&family.dist)] += 1);
    assert!(families_of.iter().all(|&families| families > 0), "{families_of:?}");
}

/// Draws of each family that are held against its law.
const DRAWS: usize = 1_000_000;

#[test]
fn durations_follow_their_laws() {
    let families = families();
    let level = LEVEL / families.len() as f64;
    for Family { name, dist, law } in &families {
        accept(name, law.test(samples(name, dist, DRAWS), level));
    }
}

/// With this level and so many draws, Kolmogorov-Smirnov allows a gap of 0.0022, and the draws of a right
/// sampler use up to 0.0016 of it (at 1%). A duration that is 2% too long opens a gap of 0.02 times the
/// largest x f(x), which is 0.0038 for the widest of these densities, and a wrong variance one of its own.
#[test]
fn what_is_slightly_wrong_is_refused() {
    let families = families();
    let level = LEVEL / families.len() as f64;
    let check = |name: &str, wrong: &Dist| {
        let family = families.iter().find(|family| family.name == name).unwrap();
        let verdict = family.law.test(samples("wrong", wrong, DRAWS), level);
        assert!(verdict.is_err(), "{wrong:?} passes for {name}");
    };
    for Family { name, dist, .. } in &families {
        check(name, &dist.scaled(1.02));
        check(name, &dist.scaled(0.98));
    }
    // Of the right mean.
    let variants = [
        ("constant", Dist::uniform(secs(1.99), secs(2.01))),
        ("exponential", Dist::gamma(secs(2.0), 1.02)),
        ("erlang 1", Dist::gamma(secs(2.0), 0.98)),
        ("erlang 3", Dist::gamma(secs(2.0), 1.02 / 3.0_f64.sqrt())),
        ("erlang 20", Dist::erlang(21, secs(2.0))),
        ("hyperexponential", Dist::hyperexponential(&[(0.7, secs(1.0)), (0.2, secs(2.8)), (0.1, secs(8.4))])),
        ("hyperexponential_cv", Dist::hyperexponential_cv(secs(2.0), 2.05)),
        ("lognormal", Dist::lognormal(secs(2.0), 1.22)),
        ("gamma 0.5", Dist::gamma(secs(2.0), 0.51)),
        ("gamma 1.7", Dist::gamma(secs(2.0), 1.72)),
        ("pareto", Dist::pareto(secs(2.0), 5.4)),
        ("uniform", Dist::uniform(secs(0.99), secs(3.01))),
        ("empirical", Dist::empirical(&[1.0, 2.0, 4.0].map(secs), Some(&[1.0, 1.02, 1.0]))),
        ("empirical weighted", Dist::empirical(&[1.0, 2.0, 4.0, 9.0].map(secs), Some(&[5.0, 0.0, 3.0, 0.52]))),
    ];
    assert_eq!(variants.len(), families.len());
    variants.into_iter().for_each(|(name, wrong)| check(name, &wrong.unwrap()));
    // A fit too good to be true: every value comes just as often as it should.
    assert!(chi_square(&[1_000; 100], |_| 1_000.0, level).is_err());
}

/// Ten million draws in a thousand equally likely cells: an error in one of the 256 layers of the
/// ziggurat, in a wedge or in the tail would show in the cells it covers.
#[test]
fn ziggurats_are_exact_in_every_layer() {
    const CELLS: usize = 1_000;
    const N: usize = 10_000_000;
    let check = |name: &str, draw: fn(&mut KeyedRng) -> f64, cdf: fn(f64) -> f64| {
        let mut rng = rng(name);
        let mut counts = vec![0; CELLS];
        for _ in 0..N {
            counts[((cdf(draw(&mut rng)) * CELLS as f64) as usize).min(CELLS - 1)] += 1;
        }
        accept(name, chi_square(&counts, |_| (N / CELLS) as f64, LEVEL / 2.0));
    };
    check("exp1", exp1, |x| -libm::expm1(-x));
    check("normal", normal, |x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2));
}

/// Beyond where the tables end, draws are rare: one in 2,200 and one in 3,900.
#[test]
fn ziggurats_have_the_right_tails() {
    const N: u32 = 20_000_000;
    let mut rng = rng("tails");
    // Tail probabilities at 8 and 10, and two-sided at 3.8 and 4.5.
    let (mut beyond_8, mut beyond_10, mut beyond_38, mut beyond_45, mut positive) = (0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
    for _ in 0..N {
        let x = exp1(&mut rng);
        beyond_8 += u32::from(x > 8.0);
        beyond_10 += u32::from(x > 10.0);
        let z = normal(&mut rng);
        beyond_38 += u32::from(z.abs() > 3.8);
        beyond_45 += u32::from(z.abs() > 4.5);
        positive += u32::from(z > 3.8);
    }
    let check = |count: u32, p: f64| {
        let expected = f64::from(N) * p;
        // A Poisson count; there are five of them.
        assert!(
            (f64::from(count) - expected).abs() < deviations(LEVEL / 5.0) * expected.sqrt(),
            "{count} of {expected}"
        );
    };
    check(beyond_8, libm::exp(-8.0));
    check(beyond_10, libm::exp(-10.0));
    check(beyond_38, libm::erfc(3.8 / std::f64::consts::SQRT_2));
    check(beyond_45, libm::erfc(4.5 / std::f64::consts::SQRT_2));
    check(positive, 0.5 * libm::erfc(3.8 / std::f64::consts::SQRT_2));
}

#[test]
fn moments_agree_with_theory() {
    const N: usize = 1_000_000;
    for Family { name, dist, .. } in families() {
        let sample = samples(name, &dist, N);
        let moments: Moments = sample.iter().copied().collect();
        let (mean, variance) = (moments.mean().unwrap(), moments.variance().unwrap());
        // The fourth moment tells how well a variance can be known; 4 deviations are 6 in 100,000.
        let fourth = sample.iter().map(|x| (x - mean) * (x - mean) * (x - mean) * (x - mean)).sum::<f64>() / N as f64;
        let mean_error = (variance / N as f64).sqrt();
        let variance_error = ((fourth - variance * variance).max(0.0) / N as f64).sqrt();
        let theory = dist.scv() * dist.mean_secs() * dist.mean_secs();
        assert!((mean - dist.mean_secs()).abs() <= 4.0 * mean_error + 1e-9, "{name}: mean {mean}");
        assert!((variance - theory).abs() <= 4.0 * variance_error + 1e-9, "{name}: variance {variance}, not {theory}");
    }
}

/// rand_distr's samplers share no code with ours (and their bytes depend on the platform's math).
#[test]
fn moments_agree_with_rand_distr() {
    const N: usize = 500_000;
    let mut reference_rng = rng("rand_distr");
    let mut check = |name: &str, reference: &mut dyn FnMut(&mut KeyedRng) -> f64| {
        let Family { dist, .. } = families().into_iter().find(|family| family.name == name).unwrap();
        let ours = samples(name, &dist, N);
        let theirs: Vec<f64> = (0..N).map(|_| reference(&mut reference_rng)).collect();
        // Of the values and of their squares.
        for power in [1, 2] {
            let of =
                |sample: &[f64]| -> Moments { sample.iter().map(|x| if power == 1 { *x } else { x * x }).collect() };
            let (a, b) = (of(&ours), of(&theirs));
            let error = ((a.variance().unwrap() + b.variance().unwrap()) / N as f64).sqrt();
            let apart = a.mean().unwrap() - b.mean().unwrap();
            assert!(apart.abs() < 4.0 * error, "{name}, power {power}: {apart} apart, error {error}");
        }
    };
    let variance = libm::log(1.0 + 1.2 * 1.2);
    let shape = 1.0 / (1.7 * 1.7);
    check("exponential", &mut |rng| rand_distr::Exp::new(0.5).unwrap().sample(rng));
    check("erlang 3", &mut |rng| rand_distr::Gamma::new(3.0, 2.0 / 3.0).unwrap().sample(rng));
    check("erlang 20", &mut |rng| rand_distr::Gamma::new(20.0, 0.1).unwrap().sample(rng));
    check("lognormal", &mut |rng| {
        let (mu, sigma) = (libm::log(2.0) - variance / 2.0, variance.sqrt());
        rand_distr::LogNormal::new(mu, sigma).unwrap().sample(rng)
    });
    check("gamma 0.5", &mut |rng| rand_distr::Gamma::new(4.0, 0.5).unwrap().sample(rng));
    check("gamma 1.7", &mut |rng| rand_distr::Gamma::new(shape, 2.0 / shape).unwrap().sample(rng));
    check("pareto", &mut |rng| rand_distr::Pareto::new(2.0 * 4.5 / 5.5, 5.5).unwrap().sample(rng));
    check("uniform", &mut |rng| rand_distr::Uniform::new(1.0, 3.0).unwrap().sample(rng));
}

#[test]
fn empirical_values_come_with_their_weights() {
    const N: usize = 1_000_000;
    let check = |name: &str, weights: &[f64], given: Option<&[f64]>| {
        let values: Vec<SimDuration> = (0..weights.len() as u64).map(SimDuration::from_nanos).collect();
        let dist = Dist::empirical(&values, given).unwrap();
        let mut rng = rng(name);
        let mut counts = vec![0; weights.len()];
        for _ in 0..N {
            counts[dist.sample(&mut rng).as_nanos() as usize] += 1;
        }
        let sum: f64 = weights.iter().sum();
        for (count, weight) in counts.iter().zip(weights) {
            assert!(*weight > 0.0 || *count == 0, "{name}: drew a value of weight 0");
        }
        accept(name, chi_square(&counts, |i| N as f64 * weights[i] / sum, LEVEL / 4.0));
    };
    check("equal", &[1.0; 7], None);
    check("weighted", &[5.0, 0.0, 3.0, 0.5, 0.0], Some(&[5.0, 0.0, 3.0, 0.5, 0.0]));
    let falling: Vec<f64> = (1..=500).map(|i| 1.0 / f64::from(i)).collect();
    check("falling", &falling, Some(&falling));
    let huge: Vec<f64> = falling.iter().map(|w| w * f64::MAX).collect();
    check("huge", &falling, Some(&huge));
}

#[test]
fn zipf_keys_come_with_their_popularity() {
    const N: usize = 1_000_000;
    let cases =
        [(1, 1.0), (2, 0.5), (10, 0.0), (1000, 0.9), (1000, 1.0), (1000, 1.000_000_001), (5000, 1.3), (100, 4.0)];
    for (n, s) in cases {
        let zipf = Zipf::new(n, s).unwrap();
        let mut rng = rng(&format!("zipf {n} {s}"));
        let mut counts = vec![0; n as usize];
        for _ in 0..N {
            counts[zipf.sample(&mut rng) as usize] += 1;
        }
        let test = |s: f64| {
            let weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -s)).collect();
            let sum: f64 = weights.iter().sum();
            chi_square(&counts, |i| N as f64 * weights[i] / sum, LEVEL / cases.len() as f64)
        };
        accept(&format!("zipf {n} {s}"), test(s));
        // Another exponent is refused.
        assert!(n == 1 || test(s + 0.05).is_err(), "zipf {n} {s} passes for {}", s + 0.05);
    }
}

#[test]
fn zipf_copes_with_extremes() {
    for n in [1, 2, 3, 1 << 53] {
        for s in [0.0, f64::MIN_POSITIVE, 1.0_f64.next_down(), 1.0, 1.0_f64.next_up(), 50.0, 1e10, f64::MAX] {
            let zipf = Zipf::new(n, s).unwrap();
            let mut rng = rng("extremes");
            for _ in 0..1000 {
                let key = zipf.sample(&mut rng);
                assert!(key < n, "{key} of {n}, {s}");
                assert!(key == 0 || s < 50.0 || key == 1, "{key} is too rare to be drawn with exponent {s}");
            }
        }
    }
    assert!(Zipf::new(0, 1.0).is_err());
    assert!(Zipf::new((1 << 53) + 1, 1.0).is_err());
    for s in [f64::NAN, -0.1, f64::INFINITY] {
        assert!(Zipf::new(10, s).is_err());
    }
}

/// First draws of a thousand times a thousand neighbours, in pairs.
#[test]
fn neighbouring_keys_are_independent() {
    const N: u64 = 4_000_000;
    const CELLS: usize = 64;
    let root = Key::root(0, 0);
    type Draw = Box<dyn Fn(u64) -> f64>;
    let pairs: [(&str, Draw, Draw); 10] = [
        ("next index", Box::new(move |i| root.index(i).uniform()), Box::new(move |i| root.index(i + 1).uniform())),
        (
            "next index one level up",
            Box::new(move |i| root.index(i / 2000).index(i % 2000).uniform()),
            Box::new(move |i| root.index(i / 2000 + 1).index(i % 2000).uniform()),
        ),
        (
            "exchanged",
            Box::new(move |i| root.index(1).index(i).uniform()),
            Box::new(move |i| root.index(i).index(1).uniform()),
        ),
        ("next seed", Box::new(|i| Key::root(i, 0).uniform()), Box::new(|i| Key::root(i + 1, 0).uniform())),
        ("next replication", Box::new(|i| Key::root(1, i).uniform()), Box::new(|i| Key::root(1, i + 1).uniform())),
        (
            "next seed, further down",
            Box::new(|i| Key::root(i, 0).named("a").index(7).uniform()),
            Box::new(|i| Key::root(i + 1, 0).named("a").index(7).uniform()),
        ),
        (
            "next replication, further down",
            Box::new(|i| Key::root(1, i).named("a").index(7).uniform()),
            Box::new(|i| Key::root(1, i + 1).named("a").index(7).uniform()),
        ),
        (
            "two purposes",
            Box::new(move |i| root.index(i).index(8).uniform()),
            Box::new(move |i| root.index(i).index(9).uniform()),
        ),
        (
            "other name",
            Box::new(move |i| root.named("a").index(i).uniform()),
            Box::new(move |i| root.named("b").index(i).uniform()),
        ),
        (
            "child and second draw",
            Box::new(move |i| root.index(i).index(0).uniform()),
            Box::new(move |i| {
                let mut rng = root.index(i).rng();
                rng.uniform();
                rng.uniform()
            }),
        ),
    ];
    // Two tests of each.
    let level = LEVEL / (2 * pairs.len()) as f64;
    for (name, first, second) in pairs {
        let mut counts = vec![0; CELLS * CELLS];
        let mut product = 0.0;
        for i in 0..N {
            let (a, b) = (first(i), second(i));
            counts[(a * CELLS as f64) as usize * CELLS + (b * CELLS as f64) as usize] += 1;
            product += (a - 0.5) * (b - 0.5);
        }
        accept(name, chi_square(&counts, |_| N as f64 / (CELLS * CELLS) as f64, level));
        // Of independent pairs the correlation is normal around 0 with deviation 1/√n.
        let correlation = 12.0 * product / N as f64;
        assert!(correlation.abs() * (N as f64).sqrt() < deviations(level), "{name}: correlation {correlation}");
    }
}

/// Also through the samplers, which use the low bits of a word for one thing and the high bits for
/// another.
#[test]
fn exponentials_of_neighbouring_keys_are_independent() {
    const N: u64 = 2_000_000;
    let demands = Key::root(7, 3).named("demand");
    let draw = |i: u64, j: u64| exp1(&mut demands.index(i).index(j).rng());
    let sample: Vec<f64> = (0..N).map(|i| draw(i, 0)).collect();
    let next: Vec<f64> = (0..N).map(|i| draw(i, 1)).collect();
    for (name, a, b) in
        [("next request", &sample[1..], &sample[..sample.len() - 1]), ("next call", &sample[..], &next[..])]
    {
        let correlation = a.iter().zip(b).map(|(a, b)| (a - 1.0) * (b - 1.0)).sum::<f64>() / a.len() as f64;
        assert!(correlation.abs() * (N as f64).sqrt() < deviations(LEVEL / 3.0), "{name}: correlation {correlation}");
    }
    accept("first draws", ks(sample, |x| -libm::expm1(-x), LEVEL / 3.0));
}

/// Each bit of the index, of the parent and of the seed flips each bit of a child key in half of the
/// cases. Each of 5 x 64 x 64 frequencies among 16,384 cases deviates by less than 5.4 standard
/// deviations, which one of so many does with a probability of 0.0014.
#[test]
fn every_bit_matters() {
    const CASES: u64 = 16_384;
    let check = |name: &str, child: &dyn Fn(u64, u64) -> u64| {
        for bit in 0..64 {
            let mut flips = [0_u32; 64];
            for case in 0..CASES {
                // Small numbers without the bit, so that no pair is looked at twice.
                let below = case & ((1 << bit) - 1);
                let case = ((case - below) << 1) | below;
                let changed = child(case, 0) ^ child(case, 1 << bit);
                for (out, count) in flips.iter_mut().enumerate() {
                    *count += (changed >> out & 1) as u32;
                }
            }
            for (out, count) in flips.iter().enumerate() {
                let deviations = (f64::from(*count) - CASES as f64 / 2.0) / (CASES as f64 / 4.0).sqrt();
                assert!(deviations.abs() < 5.4, "{name}: bit {bit} flips bit {out} {count} times of {CASES}");
            }
        }
    };
    let some = |case: u64| Key::root(5, 5).index(case);
    check("index", &|case, flip| some(case).index(case ^ flip).bits());
    check("parent", &|case, flip| Key::from_bits(some(case).bits() ^ flip).index(case).bits());
    check("name under parent", &|case, flip| Key::from_bits(some(case).bits() ^ flip).named("demand").bits());
    check("seed", &|case, flip| Key::root(case ^ flip, 0).bits());
    check("first draw", &|case, flip| Key::from_bits(case ^ flip).index(1).rng().next_u64());
}

#[test]
fn derivations_do_not_collide() {
    let root = Key::root(1, 1);
    let mut keys: Vec<u64> = Vec::new();
    for i in 0..1000 {
        keys.push(root.index(i).bits());
        keys.push(root.named(&format!("service {i}")).bits());
        keys.extend((0..1000).map(|j| root.index(i).index(j).bits()));
        keys.extend((0..100).map(|j| root.named("a").index(i).named("b").index(j).bits()));
    }
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn whole_numbers_below_a_bound_are_equally_likely() {
    const N: u64 = 1_000_000;
    let root = Key::root(9, 0);
    let mut counts = [0; 37];
    for i in 0..N {
        counts[root.index(i).below(37) as usize] += 1;
    }
    accept("below 37", chi_square(&counts, |_| N as f64 / 37.0, LEVEL));
}

#[test]
fn scaling_multiplies_every_draw() {
    for Family { name, dist, .. } in families() {
        for factor in [0.0, 0.5, 3.0, 1e-3] {
            let scaled = dist.scaled(factor);
            assert!((scaled.mean_secs() - factor * dist.mean_secs()).abs() < 1e-12, "{name}");
            assert!(factor == 0.0 || (scaled.scv() - dist.scv()).abs() < 1e-12, "{name}");
            let (mut a, mut b) = (rng(name), rng(name));
            for _ in 0..1000 {
                let (plain, times) = (dist.sample(&mut a).as_nanos(), scaled.sample(&mut b).as_nanos());
                // One rounding on each side.
                assert!((times as f64 - factor * plain as f64).abs() <= 0.5 + 0.5 * factor, "{name} x {factor}");
            }
        }
        for (factor, mean) in [(-1.0, 0.0), (f64::NAN, 0.0), (f64::NEG_INFINITY, 0.0)] {
            assert_eq!(dist.scaled(factor).mean_secs(), mean, "{name} x {factor}");
        }
        // Nothing that can be asked for panics.
        let _ = dist.scaled(f64::INFINITY).sample(&mut rng(name));
    }
}

#[test]
fn parameters_that_make_no_sense_are_refused_with_a_remedy() {
    let second = secs(1.0);
    let check = |result: Result<Dist, DistError>, say: &[&str]| {
        let error = result.unwrap_err().to_string();
        for part in say {
            assert!(error.contains(part), "\"{error}\" lacks \"{part}\"");
        }
    };
    for cv in [f64::NAN, f64::INFINITY, -0.5, 2e6] {
        check(Dist::lognormal(second, cv), &["the cv of a lognormal distribution is ", "write a number from 0"]);
        check(Dist::gamma(second, cv), &["the cv of a gamma distribution is", "write a number from 0"]);
        check(Dist::hyperexponential_cv(second, cv), &["the cv of a hyperexponential", "Gamma or Erlang"]);
    }
    check(Dist::hyperexponential_cv(second, 0.9), &["is 0.9"]);
    for alpha in [f64::NAN, f64::INFINITY, 1.0, -3.0] {
        check(Dist::pareto(second, alpha), &["the alpha of a Pareto distribution is", "above 1"]);
    }
    check(Dist::erlang(0, second), &["the k of an Erlang distribution is 0", "1 or more"]);
    check(Dist::uniform(secs(3.0), secs(2.0)), &["low", "3s", "high", "2s", "exchange"]);
    check(Dist::hyperexponential(&[]), &["a hyperexponential distribution has no branches"]);
    check(Dist::hyperexponential(&[(0.5, second), (0.4, second)]), &["sum of probabilities", "0.9", "add up to 1"]);
    check(Dist::hyperexponential(&[(1.5, second), (-0.5, second)]), &["probability", "1.5", "from 0 to 1"]);
    check(Dist::hyperexponential(&[(f64::NAN, second)]), &["probability", "NaN"]);
    check(Dist::empirical(&[], None), &["an empirical distribution has no values"]);
    check(Dist::empirical(&[second], Some(&[1.0, 2.0])), &["1 values and 2 weights"]);
    check(Dist::empirical(&[second], Some(&[0.0])), &["sum of weights", "above 0"]);
    for weight in [f64::NAN, f64::INFINITY, -1.0] {
        check(Dist::empirical(&[second, second], Some(&[1.0, weight])), &["weight", "0 or more"]);
    }
}

#[test]
fn extreme_parameters_still_give_durations() {
    let longest = SimDuration::MAX;
    let zero = SimDuration::ZERO;
    for mean in [zero, SimDuration::from_nanos(1), longest] {
        let dists = [
            Dist::constant(mean),
            Dist::exponential(mean),
            Dist::erlang(u32::MAX, mean),
            Dist::hyperexponential(&[(0.0, longest), (1.0, mean), (0.0, longest)]),
            Dist::hyperexponential_cv(mean, 1.0),
            Dist::hyperexponential_cv(mean, 1e6),
            Dist::lognormal(mean, 0.0),
            Dist::lognormal(mean, 1e6),
            Dist::gamma(mean, 0.0),
            Dist::gamma(mean, 1e-200),
            Dist::gamma(mean, 1e-100),
            Dist::gamma(mean, 1e6),
            Dist::pareto(mean, 1.0_f64.next_up()),
            Dist::pareto(mean, f64::MAX),
            Dist::uniform(zero, mean),
            Dist::empirical(&[mean], Some(&[1e-300])),
        ];
        for dist in dists.map(Result::unwrap) {
            let expected = mean.as_secs_f64();
            let wanted = if matches!(dist, Dist::Uniform(_)) { expected / 2.0 } else { expected };
            assert!((dist.mean_secs() - wanted).abs() <= 1e-9 * wanted, "{dist:?}: {}", dist.mean_secs());
            assert!(dist.scv() >= 0.0, "{dist:?}: {}", dist.scv());
            for key in 0..100 {
                let value = dist.sample(&mut Key::root(key, 0).rng());
                assert!(!mean.is_zero() || value.is_zero(), "{dist:?}: {value}");
            }
        }
    }
    assert_eq!(Dist::gamma(secs(1.0), 0.0).unwrap(), Dist::constant(secs(1.0)).unwrap());
    assert_eq!(Dist::pareto(secs(1.0), 1.5).unwrap().scv(), f64::INFINITY);
}

/// The bits of every sampler: a digest of the first ten thousand draws. A change here changes every
/// recorded run and belongs in the changelog.
#[test]
fn the_first_draws_never_change() {
    let digest = |draw: &mut dyn FnMut(&mut KeyedRng) -> u64| {
        let digest = (0..10_000).fold(Key::from_bits(0), |digest, i| {
            digest.index(draw(&mut Key::root(42, 0).named("golden").index(i).rng()))
        });
        digest.bits()
    };
    let mut digests: Vec<(String, u64)> = families()
        .into_iter()
        .map(|Family { name, dist, .. }| (name.to_owned(), digest(&mut |rng| dist.sample(rng).as_nanos())))
        .collect();
    digests.push(("exp1".to_owned(), digest(&mut |rng| exp1(rng).to_bits())));
    digests.push(("normal".to_owned(), digest(&mut |rng| normal(rng).to_bits())));
    for (n, s) in [(1000, 0.9), (1_000_000, 1.0)] {
        let zipf = Zipf::new(n, s).unwrap();
        digests.push((format!("zipf {n} {s}"), digest(&mut |rng| zipf.sample(rng))));
    }
    digests.push(("name".to_owned(), hash_name("golden")));
    let found: Vec<String> = digests.iter().map(|(name, digest)| format!("{name}: {digest:016x}")).collect();
    let golden: Vec<&str> = GOLDEN.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, golden, "\n{}", found.join("\n"));
}

const GOLDEN: &str = "
    constant: bce9e328878e8eab
    exponential: d58da69255500e5e
    erlang 1: d58da69255500e5e
    erlang 3: 35b71b7e94da088f
    erlang 20: 782c8e7f1b5a4dd8
    hyperexponential: 4f19a429668e95fc
    hyperexponential_cv: 274e62ea70d1b22b
    lognormal: df2425c2c09a994c
    gamma 0.5: d13502779ce63d12
    gamma 1.7: bb4566a7b6e082ca
    pareto: ffcfbda69904ab0b
    uniform: 653fb1ac001dab9e
    empirical: 79f799ae598d57d6
    empirical weighted: 1a38155dec0d4baa
    exp1: 1d62355609bc4993
    normal: be613c8fb8f754ca
    zipf 1000 0.9: b7d799b91ef40894
    zipf 1000000 1: dc68ffc23145a7da
    name: d8f71b25ed525287
";
