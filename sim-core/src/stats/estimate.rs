//! What replications say about a mean.

use super::Moments;
use super::tail::{halved, normal_quantile, student};

/// A mean over independent replications, with its 95% confidence interval mean ± half-width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean, in the unit of the values.
    pub mean: f64,
    /// Half the width of the 95% interval by Student's t; `None` for fewer than two values.
    pub half_width_95: Option<f64>,
}

impl Estimate {
    /// From one value a replication: t(0.975, n−1) · s / √n; `None` of no values.
    ///
    /// The values must be independent, and roughly normal if they are few: means of replications,
    /// not the correlated observations of one run.
    pub fn from_replications(values: &[f64]) -> Option<Self> {
        let moments: Moments = values.iter().copied().collect();
        let count = moments.count() as f64;
        let half_width_95 =
            moments.variance().and_then(|variance| Some(t_quantile(0.975, count - 1.0)? * (variance / count).sqrt()));
        Some(Self { mean: moments.mean()?, half_width_95 })
    }

    /// The interval's ends; `None` for fewer than two values.
    pub fn interval_95(&self) -> Option<(f64, f64)> {
        self.half_width_95.map(|half| (self.mean - half, self.mean + half))
    }
}

/// The mean of `a[i] − b[i]`, for replications of two worlds that share their randomness pairwise;
/// `None` of no pairs.
///
/// What both worlds have in common cancels, which is why the interval is narrower than that of a
/// difference of two independent means.
///
/// # Panics
/// If the slices differ in length: their values are then no pairs.
pub fn paired_difference(a: &[f64], b: &[f64]) -> Option<Estimate> {
    assert_eq!(a.len(), b.len(), "paired values come in equal numbers");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    Estimate::from_replications(&differences)
}

/// The quantile of Student's t distribution: t such that P(T ≤ t) = `p`, with `dof` degrees of
/// freedom; `None` unless `p` is inside (0, 1) and `dof` positive. To at least eight digits for `p`
/// from 10⁻⁹ to 1 − 10⁻⁹.
///
/// Up to 1000 degrees of freedom it halves intervals of the distribution function. Above, it expands
/// around the normal quantile, as there the distribution function loses digits (M. Abramowitz, I. A. Stegun, "Handbook of
/// Mathematical Functions", 26.7.5).
pub fn t_quantile(p: f64, dof: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0 && dof > 0.0) {
        return None;
    }
    let tail = p.min(1.0 - p);
    let t = if dof > 1000.0 { expanded(tail, dof) } else { halved(tail, student(dof)) };
    Some(if p < 0.5 { -t } else { t })
}

/// The t ≥ 0 with P(T > t) = `tail`, for many degrees of freedom.
fn expanded(tail: f64, dof: f64) -> f64 {
    let z = normal_quantile(tail);
    let w = z * z;
    let g1 = (w + 1.0) / 4.0;
    let g2 = ((5.0 * w + 16.0) * w + 3.0) / 96.0;
    let g3 = (((3.0 * w + 19.0) * w + 17.0) * w - 15.0) / 384.0;
    z * (1.0 + (g1 + (g2 + g3 / dof) / dof) / dof)
}
