//! Tails of the normal and of Student's t distribution, and their quantiles, by the `libm` crate
//! alone: the same bits on every platform.

use std::f64::consts::SQRT_2;

/// The x ≥ 0 at which a falling function of x is `tail`, by halving intervals.
pub(super) fn halved(tail: f64, survival: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while survival(high) > tail && high < f64::MAX {
        low = high;
        high *= 2.0;
    }
    // Enough to exhaust the digits of any x above 10⁻⁴⁰.
    for _ in 0..200 {
        let middle = low + 0.5 * (high - low);
        if middle == low || middle == high {
            break;
        }
        if survival(middle) > tail { low = middle } else { high = middle }
    }
    high
}

/// The z ≥ 0 with P(Z > z) = `tail` of a standard normal Z, for a tail up to ½.
pub(super) fn normal_quantile(tail: f64) -> f64 {
    halved(tail, |z| 0.5 * libm::erfc(z / SQRT_2))
}

/// P(T > t) of Student's t with `dof` degrees of freedom, for t ≥ 0: half the regularised
/// incomplete beta function Iₓ(dof/2, ½) at x = dof / (dof + t²).
pub(super) fn student(dof: f64) -> impl Fn(f64) -> f64 {
    let (a, b) = (0.5 * dof, 0.5);
    let beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    move |t| {
        let square = t * t;
        // Both from their own fraction, so that neither loses digits near 1.
        let (x, y) = (1.0 / (1.0 + square / dof), 1.0 / (1.0 + dof / square));
        if x <= 0.0 {
            return 0.0;
        }
        if y <= 0.0 {
            return 0.5;
        }
        let front = libm::exp(a * libm::log(x) + b * libm::log(y) - beta);
        // The fraction converges fast below (a + 1) / (a + b + 2), and its mirror image above.
        if x < (a + 1.0) / (a + b + 2.0) {
            0.5 * front * fraction(a, b, x) / a
        } else {
            0.5 - 0.5 * front * fraction(b, a, y) / b
        }
    }
}

/// The continued fraction of the incomplete beta function, from the front (W. J. Lentz, 1976).
///
/// Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 26.5.8.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut product = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            step = c * d;
            product *= step;
        }
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    product
}
