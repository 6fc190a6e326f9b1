//! What replications say about a value that theory gives: its standardised error, and whether many of
//! these together are what chance explains.

use sim_core::stats::{Moments, t_quantile};

/// The level of every test over all metrics together.
pub const LEVEL: f64 = 0.01;

/// A mean over replications.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulated {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// Replications.
    pub replications: u32,
}

impl Simulated {
    /// Of one value a replication; `None` of fewer than two.
    pub fn of(values: &[f64]) -> Option<Self> {
        let moments: Moments = values.iter().copied().collect();
        let error = (moments.variance()? / moments.count() as f64).sqrt();
        Some(Self { mean: moments.mean()?, error, replications: u32::try_from(values.len()).ok()? })
    }

    /// Degrees of freedom of the standard error.
    pub fn dof(&self) -> f64 {
        f64::from(self.replications) - 1.0
    }

    /// Half the width of the 95% interval of the mean.
    pub fn half_width(&self) -> f64 {
        t_quantile(0.975, self.dof()).map_or(f64::INFINITY, |t| t * self.error)
    }

    /// How many standard errors the mean lies above `theory`, which may have a standard error of its own;
    /// `None` if all replications give the same.
    pub fn z(&self, theory: f64, error: f64) -> Option<f64> {
        (self.error > 0.0).then(|| (self.mean - theory) / libm::hypot(self.error, error))
    }
}

/// P(T > t) of Student's t with `dof` degrees of freedom, for t ≥ 0; at least 10⁻³⁰⁰.
pub fn t_tail(t: f64, dof: f64) -> f64 {
    // Quantiles of small probabilities keep their digits, so that it is enough to look for the one that
    // is at t, by halving intervals of the logarithm.
    let (mut low, mut high) = (-300.0 * std::f64::consts::LN_10, -std::f64::consts::LN_2);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let beyond = t_quantile(libm::exp(middle), dof).is_some_and(|quantile| -quantile > t);
        if beyond { low = middle } else { high = middle }
    }
    libm::exp(high)
}

/// P(|T| > |z|): how likely chance alone gives an error at least as large.
pub fn two_sided(z: f64, dof: f64) -> f64 {
    (2.0 * t_tail(z.abs(), dof)).min(1.0)
}

/// The standard normal value that is as unlikely as `z` is under Student's t with `dof` degrees of
/// freedom, so that errors with few and with many replications can be added up.
pub fn normal_score(z: f64, dof: f64) -> f64 {
    let tail = t_tail(z.abs(), dof);
    // For as many degrees of freedom as this the quantile is that of the normal distribution.
    let score = t_quantile(tail.min(0.5), 1e15).map_or(0.0, f64::abs);
    if z < 0.0 { -score } else { score }
}

/// Holm's test: which of the p-values are too small for chance, where any number of them may depend on
/// each other in any way. One false alarm or more happens with a probability of at most `level`.
///
/// Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
/// Statistics 6, 1979.
pub fn holm(p_values: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &i) in order.iter().enumerate() {
        if p_values[i] > level / (p_values.len() - rank) as f64 {
            break;
        }
        rejected[i] = true;
    }
    rejected
}

/// P(X > x) of chi-square with `dof` degrees of freedom: the upper incomplete gamma function.
///
/// Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 6.5.29 (the series, where
/// it converges fast) and 6.5.31 (the continued fraction).
pub fn chi_square_tail(x: f64, dof: f64) -> f64 {
    let (a, x) = (0.5 * dof, 0.5 * x);
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        let mut n = a;
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    let (mut b, mut c) = (x + 1.0 - a, f64::MAX);
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * fraction
}

/// Whether independent errors spread as they should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many errors.
    pub count: usize,
    /// The sum of their squares, as normal scores: about `count` by chance.
    pub sum_of_squares: f64,
    /// How likely chance gives a sum as far from that, on either side.
    pub p_value: f64,
}

/// Adds up the squares of independent errors, each given with its degrees of freedom. The sum is
/// chi-square: too large if many errors are a little too large, none of which stands out alone, and too
/// small if standard errors are taken for larger than they are.
pub fn spread(errors: &[(f64, f64)]) -> Option<Spread> {
    let count = errors.len();
    let sum_of_squares = errors.iter().map(|&(z, dof)| normal_score(z, dof)).map(|score| score * score).sum();
    let above = chi_square_tail(sum_of_squares, count as f64);
    let p_value = (2.0 * above.min(1.0 - above)).min(1.0);
    (count > 0).then_some(Spread { count, sum_of_squares, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, exact: f64, digits: f64) {
        assert!((found - exact).abs() <= digits * exact.abs(), "{found}, not {exact}");
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        // R: pt(2.093024, 19, lower = FALSE), pt(6, 9, lower = FALSE), pchisq(..., lower = FALSE).
        close(t_tail(2.093_024_054, 19.0), 0.025, 1e-7);
        close(t_tail(1.0, 1.0), 0.25, 1e-9);
        close(two_sided(2.262_157_163, 9.0), 0.05, 1e-8);
        close(chi_square_tail(3.841_458_821, 1.0), 0.05, 1e-8);
        close(chi_square_tail(18.307_038_05, 10.0), 0.05, 1e-8);
        close(chi_square_tail(2.0, 2.0), libm::exp(-1.0), 1e-12);
        close(chi_square_tail(60.0, 2.0), libm::exp(-30.0), 1e-12);
    }

    #[test]
    fn a_score_is_as_unlikely_as_the_error_it_stands_for() {
        close(normal_score(2.093_024_054, 19.0), 1.959_963_985, 1e-6);
        close(normal_score(-2.093_024_054, 19.0), -1.959_963_985, 1e-6);
        close(normal_score(1.5, 1e9), 1.5, 1e-6);
    }

    #[test]
    fn a_mean_has_an_error_and_an_interval() {
        let found = Simulated::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        close(found.mean, 2.5, 1e-12);
        close(found.error, libm::sqrt(5.0 / 12.0), 1e-12);
        close(found.half_width(), 3.182_446_305 * found.error, 1e-8);
        close(found.z(2.0, 0.0).unwrap(), 0.5 / found.error, 1e-12);
        close(found.z(2.0, 2.0 * found.error).unwrap(), 0.5 / (found.error * libm::sqrt(5.0)), 1e-12);
        assert_eq!(Simulated::of(&[1.0]), None);
        assert_eq!(Simulated::of(&[1.0, 1.0]).unwrap().z(2.0, 0.0), None);
    }

    #[test]
    fn holm_steps_down_from_the_least() {
        // Of four at 1%: 0.0025, 0.00333, 0.005, 0.01.
        assert_eq!(holm(&[0.2, 0.002, 0.003, 0.5], 0.01), [false, true, true, false]);
        assert_eq!(holm(&[0.2, 0.003, 0.003, 0.5], 0.01), [false; 4]);
        assert_eq!(holm(&[], 0.01), [false; 0]);
    }

    #[test]
    fn the_spread_of_errors_tells_too_much_and_too_little() {
        let dof = 19.0;
        let scores: Vec<f64> = (1..100).map(|i| t_quantile(f64::from(i) / 100.0, dof).unwrap()).collect();
        let of = |factor: f64| spread(&scores.iter().map(|z| (z * factor, dof)).collect::<Vec<_>>()).unwrap();
        assert!(of(1.0).p_value > 0.3, "{:?}", of(1.0));
        assert!(of(1.4).p_value < LEVEL, "{:?}", of(1.4));
        assert!(of(0.7).p_value < LEVEL, "{:?}", of(0.7));
        assert_eq!(spread(&[]), None);
    }
}
