//! What share of its lookups a cache of a certain size answers when lookups are independent of each other.
//!
//! A key that is asked for with probability p is there with a probability h(p·n), where n, the characteristic time
//! of the cache in lookups, is such that the keys that are there add up to its size. For `Lru` h(x) = 1 − exp(−x), an
//! approximation whose error is mostly below a hundredth (H. Che, Y. Tung, Z. Wang, "Hierarchical Web Caching
//! Systems", IEEE JSAC 20(7), 2002; why it is so good: C. Fricker, P. Robert, J. Roberts, "A Versatile and Accurate
//! Approximation for LRU Cache Performance", ITC 24, 2012). For `Fifo` and `Random`, which answer equally many,
//! h(x) = x/(1+x) (E. Gelenbe, "A Unified Approach to the Evaluation of a Class of Replacement Algorithms", IEEE
//! Trans. Computers C-22, 1973; W. F. King, IFIP 1971).

use crate::policy::Eviction;
use crate::policy::popularity::Shares;

/// The probability that a key is there for which `asked` lookups come within the characteristic time, on average.
pub(super) fn there(eviction: Eviction, asked: f64) -> f64 {
    match eviction {
        Eviction::Lru => -libm::expm1(-asked),
        Eviction::Fifo | Eviction::Random if asked == f64::INFINITY => 1.0,
        Eviction::Fifo | Eviction::Random => asked / (1.0 + asked),
    }
}

/// The characteristic time of a cache of this size, in lookups: infinite if all keys find a place.
pub(super) fn characteristic_time(shares: &Shares, size: f64, eviction: Eviction) -> f64 {
    let keys: f64 = shares.groups.iter().map(|(_, count)| count).sum();
    if size >= keys {
        return f64::INFINITY;
    }
    let held = |n: f64| shares.groups.iter().map(|(p, count)| count * there(eviction, p * n)).sum::<f64>();
    // A lookup brings one key at most, so that it takes at least as many as there are places.
    let (mut low, mut high) = (size, 2.0 * size);
    while high.is_finite() && held(high) < size {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-12 * high {
        let middle = 0.5 * (low + high);
        if held(middle) < size { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The share of lookups that find their key.
pub(super) fn hit_ratio(shares: &Shares, size: f64, eviction: Eviction) -> f64 {
    let n = characteristic_time(shares, size, eviction);
    shares.groups.iter().map(|(p, count)| p * count * there(eviction, p * n)).sum()
}
