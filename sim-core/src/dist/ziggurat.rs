//! The standard exponential and the standard normal variable, by the ziggurat method.
//!
//! The area under a falling density f is covered by 256 layers of equal area v, stacked on each
//! other. A draw picks a layer and a point across its width; nearly always the point is under the
//! curve for sure, and all it took was one random word, one comparison and one multiplication.
//!
//! ```text
//!  f(0) |==.
//!       |====:.       layer i is x[i] wide; a point left of x[i+1] lies under the curve,
//!       |======:-.    one to the right (':') may lie above it and needs the density
//!       |========::--.
//!       |============:::----._
//!       |layer 0 and the tail  |``'''-----........
//!       +----------------------r------------------> x
//! ```
//!
//! Layer 0 is the rectangle of width r with the whole tail beyond r; its x\[0\] = v/f(r) is the
//! width a rectangle of the same area would have. Source: G. Marsaglia, W. W. Tsang, "The Ziggurat
//! Method for Generating Random Variables", Journal of Statistical Software 5(8), 2000; layer and
//! point come from different bits of the word, as J. A. Doornik (2005) asks.

use std::sync::LazyLock;

use crate::random::KeyedRng;

const LAYERS: usize = 256;

/// Bits of a word that pick the point; the lowest eight pick the layer.
const POINT_BITS: u32 = 53;

/// What the fast path reads of one layer, side by side in memory.
#[derive(Clone, Copy)]
struct Layer {
    /// Points below it are under the curve: ⌊x\[i+1\]/x\[i\] · steps⌋.
    inside: u64,
    /// Width of one step: x\[i\] / steps.
    step: f64,
}

struct Ziggurat {
    layers: [Layer; LAYERS],
    /// Density at x\[i\], where layer i begins; that of layer 256 is f(0) = 1.
    density: [f64; LAYERS + 1],
}

impl Ziggurat {
    /// The layers for a density with f(0) = 1, its inverse, where the tail begins, and into how
    /// many steps a layer is divided.
    fn new(density: fn(f64) -> f64, inverse: fn(f64) -> f64, r: f64, area: f64, steps: f64) -> Self {
        let mut x = [0.0; LAYERS + 1];
        x[0] = area / density(r);
        x[1] = r;
        for i in 2..LAYERS {
            x[i] = inverse(density(x[i - 1]) + area / x[i - 1]);
        }
        Self {
            layers: std::array::from_fn(|i| Layer { inside: (x[i + 1] / x[i] * steps) as u64, step: x[i] / steps }),
            density: x.map(density),
        }
    }
}

/// Where the exponential's tail begins with 256 layers (Marsaglia & Tsang; digits by rand_distr).
const EXPONENTIAL_R: f64 = 7.697_117_470_131_05;

static EXPONENTIAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    // The rectangle r·f(r) and the tail f(r).
    let area = (EXPONENTIAL_R + 1.0) * libm::exp(-EXPONENTIAL_R);
    let steps = (1_u64 << POINT_BITS) as f64;
    Ziggurat::new(|x| libm::exp(-x), |y| -libm::log(y), EXPONENTIAL_R, area, steps)
});

/// A standard exponential variable (mean 1, density e^(−x)).
///
/// 97.8% of the draws take the fast path. Of the others most need `libm::exp`; one draw in 2,200 falls
/// beyond the beginning of the tail and draws again from there, as the exponential has no memory.
#[inline]
pub fn exp1(rng: &mut KeyedRng) -> f64 {
    let ziggurat = &*EXPONENTIAL;
    let word = rng.next_u64();
    let layer = (word & 0xff) as usize;
    let point = word >> (u64::BITS - POINT_BITS);
    let Layer { inside, step } = ziggurat.layers[layer];
    let x = point as i64 as f64 * step;
    if point < inside { x } else { exp1_outside(ziggurat, layer, x, rng) }
}

/// The rest of [`exp1`], for a point that is not under the curve for sure.
#[cold]
fn exp1_outside(ziggurat: &Ziggurat, mut layer: usize, mut x: f64, rng: &mut KeyedRng) -> f64 {
    let mut beyond = 0.0;
    loop {
        if layer == 0 {
            beyond += EXPONENTIAL_R;
        } else if height(ziggurat, layer, rng) < libm::exp(-x) {
            return beyond + x;
        }
        let word = rng.next_u64();
        layer = (word & 0xff) as usize;
        let point = word >> (u64::BITS - POINT_BITS);
        let Layer { inside, step } = ziggurat.layers[layer];
        x = point as i64 as f64 * step;
        if point < inside {
            return beyond + x;
        }
    }
}

/// Where the normal's tail begins with 256 layers (Marsaglia & Tsang; digits by rand_distr).
const NORMAL_R: f64 = 3.654_152_885_361_009;

static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let density = |x: f64| libm::exp(-0.5 * x * x);
    // The rectangle r·f(r) and the tail, the integral of f from r: √(π/2)·erfc(r/√2).
    let tail = std::f64::consts::FRAC_PI_2.sqrt() * libm::erfc(NORMAL_R / std::f64::consts::SQRT_2);
    let area = NORMAL_R * density(NORMAL_R) + tail;
    // The point's highest bit is its sign.
    let steps = (1_u64 << (POINT_BITS - 1)) as f64;
    Ziggurat::new(density, |y| (-2.0 * libm::log(y)).sqrt(), NORMAL_R, area, steps)
});

/// A standard normal variable (mean 0, variance 1).
///
/// 98.5% of the draws take the fast path.
#[inline]
pub fn normal(rng: &mut KeyedRng) -> f64 {
    let ziggurat = &*NORMAL;
    loop {
        let word = rng.next_u64();
        let layer = (word & 0xff) as usize;
        let point = word as i64 >> (u64::BITS - POINT_BITS);
        let Layer { inside, step } = ziggurat.layers[layer];
        let x = point as f64 * step;
        if point.unsigned_abs() < inside {
            return x;
        }
        if let Some(x) = normal_outside(ziggurat, layer, x, rng) {
            return x;
        }
    }
}

/// Decides over a point that is not under the curve for sure; `None` asks for another one.
#[cold]
fn normal_outside(ziggurat: &Ziggurat, layer: usize, x: f64, rng: &mut KeyedRng) -> Option<f64> {
    if layer > 0 {
        return (height(ziggurat, layer, rng) < libm::exp(-0.5 * x * x)).then_some(x);
    }
    // The tail: G. Marsaglia, "Generating a Variable from the Tail of the Normal Distribution",
    // Technometrics 6(1), 1964.
    loop {
        let beyond = exp1(rng) / NORMAL_R;
        if 2.0 * exp1(rng) > beyond * beyond {
            return Some((NORMAL_R + beyond).copysign(x));
        }
    }
}

/// A height between the lower and the upper edge of a layer.
fn height(ziggurat: &Ziggurat, layer: usize, rng: &mut KeyedRng) -> f64 {
    let low = ziggurat.density[layer];
    low + (ziggurat.density[layer + 1] - low) * rng.uniform()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last layer must close at f(0) = 1: only the right r and area do that.
    #[test]
    fn the_layers_have_equal_areas_up_to_the_top() {
        for ziggurat in [&*EXPONENTIAL, &*NORMAL] {
            let steps = if ziggurat.density[1] == NORMAL.density[1] { 52 } else { 53 };
            let width = |i: usize| ziggurat.layers[i].step * (1_u64 << steps) as f64;
            let area = width(0) * ziggurat.density[1];
            for i in 1..LAYERS {
                let layer = width(i) * (ziggurat.density[i + 1] - ziggurat.density[i]);
                assert!((layer / area - 1.0).abs() < 1e-10, "layer {i}: {layer} is not {area}");
            }
            assert_eq!(ziggurat.density[LAYERS], 1.0);
        }
    }
}
