//! The Zipf distribution over keys.

use super::DistError;
use crate::random::KeyedRng;

/// The most keys, 2⁵³: beyond, neighbouring keys are the same `f64`.
const MAX_KEYS: u64 = 1 << 53;

/// Popularity that falls as a power of the rank: key k of 0, 1, …, n−1 has a probability
/// proportional to (k+1)^(−s).
///
/// Exact, in constant time and memory, whatever n: rejection-inversion by W. Hörmann and G.
/// Derflinger, "Rejection-Inversion to Generate Variates from Monotone Discrete Distributions", ACM
/// TOMACS 6(3), 1996.
///
/// With H the integral of h(x) = x^(−s), shifted such that H(1) = 0, a uniform variable on
/// (H(3/2) − 1, H(n + 1/2)] is inverted and rounded to a rank k, which is accepted if it fell into
/// the part of k's interval that has the area h(k): mostly so, and mostly without computing H again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    keys: f64,
    s: f64,
    /// H(3/2) − 1.
    from: f64,
    /// H(n + 1/2).
    to: f64,
    /// A point no further below its key than this is accepted without looking closer.
    near: f64,
}

impl Zipf {
    /// Over `n` keys with exponent `s`; at 0 all keys are equally likely.
    ///
    /// # Errors
    /// If `n` is not from 1 to 2⁵³, or `s` is negative or not finite.
    pub fn new(n: u64, s: f64) -> Result<Self, DistError> {
        let refuse =
            |parameter, value, remedy| Err(DistError::Parameter { family: "a Zipf", parameter, value, remedy });
        if !(1..=MAX_KEYS).contains(&n) {
            return refuse("n", n as f64, "write the number of keys, from 1 to 2^53");
        }
        if !(s.is_finite() && s >= 0.0) {
            return refuse("exponent s", s, "write a finite number, 0 or more, for example 0.9");
        }
        let keys = n as f64;
        let second = integral(2.5, s) - power(2.0, s);
        Ok(Self {
            keys,
            s,
            from: integral(1.5, s) - 1.0,
            to: integral(keys + 0.5, s),
            near: 2.0 - inverse_integral(second, s),
        })
    }

    /// Draws a key, from 0 (the most popular) to n−1.
    pub fn sample(&self, rng: &mut KeyedRng) -> u64 {
        loop {
            let area = self.to + rng.uniform() * (self.from - self.to);
            let x = inverse_integral(area, self.s);
            let rank = (x + 0.5).floor().clamp(1.0, self.keys);
            if rank - x <= self.near || area >= integral(rank + 0.5, self.s) - power(rank, self.s) {
                return rank as u64 - 1;
            }
        }
    }
}

/// h(x) = x^(−s).
fn power(x: f64, s: f64) -> f64 {
    libm::exp(-s * libm::log(x))
}

/// H(x) = (x^(1−s) − 1)/(1−s), and ln x for s = 1, without losing digits in between.
fn integral(x: f64, s: f64) -> f64 {
    let log = libm::log(x);
    let t = (1.0 - s) * log;
    log * if t.abs() > 1e-8 { libm::expm1(t) / t } else { 1.0 + 0.5 * t }
}

/// The x whose H(x) is `area`.
fn inverse_integral(area: f64, s: f64) -> f64 {
    // Rounding may step below the least value that H takes.
    let t = (area * (1.0 - s)).max(-1.0);
    libm::exp(area * if t.abs() > 1e-8 { libm::log1p(t) / t } else { 1.0 - 0.5 * t })
}
