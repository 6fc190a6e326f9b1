//! The held keys against theory that is exact for few keys, and the analytic caches against the held keys.

use super::*;

/// P15 of the peers, "cache_replc_rr" of LINE: 5 items by Zipf 1.4, 2 places, random replacement.
const LINE_RR: f64 = 0.590_395_995_582_986_9;

fn cache(keys: u32, exponent: f64, size: Option<u32>, eviction: Eviction) -> Cache {
    Cache {
        keys: keys.into(),
        popularity: Popularity::Zipf { exponent: exponent.into() },
        key_of: None,
        size: size.map(Given::from),
        eviction,
        ttl: None,
        single_flight: false,
        refresh: Refresh::Never,
        shared: false,
        warm: false,
        analytic: false,
    }
}

fn compile(cache: &Cache) -> CacheSpec {
    cache.compile("c", KeyOf::Lookup).unwrap()
}

/// The share of hits among `count` lookups `gap` apart, after as many as `skip`; what is missed is stored at once.
fn simulated(spec: &CacheSpec, skip: u64, count: u64, gap: SimDuration) -> f64 {
    let mut state = CacheState::start(spec, SimTime::ZERO);
    let (mut now, mut hits) = (SimTime::ZERO, 0);
    for n in 0..skip + count {
        let name = Key::from_bits(11).index(n);
        let key = spec.key(name, name, 1);
        let found = state.look_up(spec, now, key, name.index(2)).is_some();
        if !found {
            state.store(spec, now, key, SimDuration::ZERO, name.index(3));
        }
        hits += u64::from(found && n >= skip);
        now += gap;
    }
    hits as f64 / count as f64
}

fn probabilities(keys: u32, exponent: f64) -> Vec<f64> {
    let shares = Popularity::Zipf { exponent: exponent.into() }.shares(keys);
    (0..keys).map(|key| shares.of(key)).collect()
}

/// Every ordered choice of `size` different keys.
fn orders(keys: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for _ in 0..size {
        all = all
            .iter()
            .flat_map(|order| {
                (0..keys).filter(|key| !order.contains(key)).map(|key| [order.as_slice(), &[key]].concat())
            })
            .collect();
    }
    all
}

/// King's formula: the probability of an order of last use is the product of p_k over what is left after those
/// used since (W. F. King, IFIP 1971). The share of hits is that of what is held.
fn king_lru(p: &[f64], size: usize) -> f64 {
    let hit = |order: &Vec<usize>| {
        let (mut left, mut probability) = (1.0, 1.0);
        for &key in order {
            probability *= p[key] / left;
            left -= p[key];
        }
        probability * (1.0 - left)
    };
    orders(p.len(), size).iter().map(hit).sum()
}

/// Gelenbe's formula: held sets of keys are as likely as the products of their probabilities, under first in,
/// first out and under random replacement (E. Gelenbe, IEEE Trans. Computers C-22, 1973).
fn gelenbe(p: &[f64], size: usize) -> f64 {
    let product = |order: &Vec<usize>| order.iter().map(|key| p[*key]).product::<f64>();
    let held = |order: &Vec<usize>| order.iter().map(|key| p[*key]).sum::<f64>();
    let orders = orders(p.len(), size);
    orders.iter().map(|order| product(order) * held(order)).sum::<f64>() / orders.iter().map(product).sum::<f64>()
}

/// Hits of successive lookups depend on each other, but forget within some ten lookups when so few keys are held:
/// the bound is five standard errors of independent ones, three times over.
fn assert_share(simulated: f64, exact: f64, count: u64, what: &str) {
    let bound = 15.0 * (exact * (1.0 - exact) / count as f64).sqrt();
    assert!((simulated - exact).abs() < bound, "{what}: {simulated} simulated, {exact} exact, bound {bound}");
}

#[test]
fn few_keys_are_found_as_often_as_exact_formulas_say() {
    let line = gelenbe(&probabilities(5, 1.4), 2);
    assert!((line - LINE_RR).abs() < 1e-12, "{line}");
    let count = 1_000_000;
    for (keys, exponent, size) in [(5, 1.4, 2), (7, 0.7, 3), (6, 0.0, 4)] {
        let p = probabilities(keys, exponent);
        let (lru, other) = (king_lru(&p, size), gelenbe(&p, size));
        for (eviction, exact) in [(Eviction::Lru, lru), (Eviction::Fifo, other), (Eviction::Random, other)] {
            let spec = compile(&cache(keys, exponent, Some(size as u32), eviction));
            let simulated = simulated(&spec, 1_000, count, SimDuration::ZERO);
            assert_share(simulated, exact, count, &format!("{keys} {exponent} {size} {eviction:?}"));
        }
    }
}

/// Che's approximation as published elsewhere, and an independent computation (bisection over all million keys).
#[test]
fn ches_approximation_gives_known_values() {
    let ratio = |keys, exponent, size| compile(&cache(keys, exponent, Some(size), Eviction::Lru)).hit_ratio(1).unwrap();
    let check = |keys, exponent, size, known: f64, digits: f64| {
        let ratio = ratio(keys, exponent, size);
        assert!((ratio - known).abs() < digits, "{keys} {exponent} {size}: {ratio}");
    };
    check(10_000, 0.8, 100, 0.156_624_635_759_295_14, 1e-7);
    check(10_000, 0.8, 1_000, 0.436_659_722_230_718_03, 1e-7);
    check(10_000, 0.8, 5_000, 0.791_630_718_514_457_8, 1e-7);
    check(1_000, 1.0, 10, 0.209_463_504_504_778_08, 1e-9);
    check(1_000, 1.0, 100, 0.576_524_616_169_003_4, 1e-9);
    check(1_000, 1.0, 500, 0.867_535_779_541_567_4, 1e-9);
    // Tables with two digits.
    for (exponent, size, known) in
        [(0.8, 10_000, 0.23), (0.8, 100_000, 0.49), (0.8, 300_000, 0.69), (1.0, 10_000, 0.59), (1.0, 100_000, 0.78)]
    {
        check(1_000_000, exponent, size, known, 0.005);
    }
    assert_eq!(ratio(10, 1.0, 10), 1.0);
    assert_eq!(compile(&cache(10, 1.0, None, Eviction::Lru)).hit_ratio(1), None, "it depends on when one asks");
}

/// The error of Che's approximation is below a hundredth (its tolerance in the collections of cases is 0.005); with a
/// time to live on top a bound is taken for a value, which costs as much again.
#[test]
fn an_analytic_cache_answers_as_often_as_one_that_holds_its_keys() {
    let gap = SimDuration::from_millis(10);
    let second = SimDuration::from_secs;
    for eviction in [Eviction::Lru, Eviction::Fifo, Eviction::Random] {
        for (size, ttl, bound) in [
            (Some(100), None, 0.005),
            (Some(1_000), None, 0.005),
            (None, Some(second(100)), 0.005),
            (Some(300), Some(second(3_600)), 0.01),
            (Some(1_500), Some(second(20)), 0.01),
            (Some(300), Some(second(30)), 0.03),
        ] {
            let mut cache = cache(3_000, 0.9, size, eviction);
            cache.ttl = ttl.map(Given::from);
            let exact = simulated(&compile(&cache), 400_000, 600_000, gap);
            cache.analytic = true;
            let analytic = simulated(&compile(&cache), 400_000, 600_000, gap);
            let what = format!("{eviction:?} {size:?} {ttl:?}: {exact} exact, {analytic} analytic");
            assert!((exact - analytic).abs() < bound, "{what}");
        }
    }
}

/// After a flush the same share of hits comes back with the same number of lookups.
#[test]
fn an_analytic_cache_fills_as_one_that_holds_its_keys_does() {
    for count in [300, 1_000, 3_000, 10_000] {
        let mean = |analytic| {
            let mut cache = cache(10_000, 0.8, Some(2_000), Eviction::Lru);
            cache.analytic = analytic;
            let spec = compile(&cache);
            let runs = 40;
            let one = |run: u64| {
                let mut state = CacheState::start(&spec, SimTime::ZERO);
                let hit = |n: u64| {
                    let name = Key::from_bits(run).index(n);
                    let key = spec.key(name, name, 1);
                    let found = state.look_up(&spec, SimTime::ZERO, key, name.index(2)).is_some();
                    if !found {
                        state.store(&spec, SimTime::ZERO, key, SimDuration::ZERO, name.index(3));
                    }
                    u64::from(found)
                };
                (0..count).map(hit).sum::<u64>()
            };
            (0..runs).map(one).sum::<u64>() as f64 / (runs * count) as f64
        };
        let (exact, analytic) = (mean(false), mean(true));
        // Of 12000 lookups five standard errors of the difference are 0.03 at most.
        assert!((exact - analytic).abs() < 0.03, "{count}: {exact} exact, {analytic} analytic");
    }
}

/// A key that is asked for `rate` times in its time to live is found with probability x/(1+x).
#[test]
fn without_a_size_a_time_to_live_is_a_renewal() {
    let mut cache = cache(1_000, 1.0, None, Eviction::Lru);
    cache.ttl = Some(SimDuration::from_secs(10).into());
    // 100 lookups a second, evenly: of each key they are as good as Poisson, as each is one of many.
    let found = simulated(&compile(&cache), 20_000, 1_000_000, SimDuration::from_millis(10));
    assert!((found - 0.714_773).abs() < 0.005, "{found}");
}

fn hold(state: &CacheState) -> Vec<u32> {
    let CacheState::Exact(store) = state else { panic!("it holds keys") };
    let mut keys = store.keys();
    keys.sort_unstable();
    keys
}

#[test]
fn rules_differ_in_who_goes() {
    let now = SimTime::ZERO;
    for (eviction, left) in [(Eviction::Lru, vec![0, 2, 3]), (Eviction::Fifo, vec![1, 2, 3])] {
        let spec = compile(&cache(10, 1.0, Some(3), eviction));
        let mut state = CacheState::start(&spec, now);
        let chance = Key::from_bits(1);
        (0..3).for_each(|key| state.store(&spec, now, key, SimDuration::ZERO, chance));
        assert!(state.look_up(&spec, now, 0, chance).is_some());
        state.store(&spec, now, 3, SimDuration::ZERO, chance);
        assert_eq!(hold(&state), left, "{eviction:?}");
        // A smaller size applies at once, and under another rule in the order there was.
        let smaller = compile(&cache(10, 1.0, Some(1), Eviction::Fifo));
        state.adopt(&smaller, chance);
        assert_eq!(hold(&state), [3], "{eviction:?}");
        state.flush(&spec, now);
        assert_eq!((state.len(), state.bytes()), (0, 0));
    }
}

#[test]
fn what_has_expired_is_missed_and_leaves_its_place_when_it_is_looked_up() {
    let mut cache = cache(10, 1.0, Some(3), Eviction::Lru);
    cache.ttl = Some(SimDuration::from_nanos(100).into());
    let spec = compile(&cache);
    let (at, chance) = (SimTime::from_nanos, Key::from_bits(1));
    let mut state = CacheState::start(&spec, at(0));
    (0..3).for_each(|key| state.store(&spec, at(u64::from(key)), key, SimDuration::ZERO, chance));
    assert!(state.look_up(&spec, at(99), 0, chance).is_some());
    assert!(state.look_up(&spec, at(100), 0, chance).is_none(), "it is held for 100 ns, not 101");
    assert_eq!(hold(&state), [1, 2]);
    assert!(state.look_up(&spec, at(101), 2, chance).is_some());
}

#[test]
fn warm_is_full_of_the_most_popular() {
    let mut cache = cache(10, 1.0, Some(3), Eviction::Lru);
    cache.warm = true;
    let spec = compile(&cache);
    let mut state = CacheState::start(&spec, SimTime::ZERO);
    state.warm(&spec, Key::from_bits(1));
    assert_eq!((hold(&state), state.bytes()), (vec![0, 1, 2], 3 * 36));
    // The least popular goes first.
    state.store(&spec, SimTime::ZERO, 9, SimDuration::ZERO, Key::from_bits(1));
    assert_eq!(hold(&state), [0, 1, 9]);
}
