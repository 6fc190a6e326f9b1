//! Distributions of durations, and of keys.
//!
//! A [`Dist`] is as run: parameters checked, whatever can be computed beforehand computed, values in
//! nanoseconds as `f64`. A sample becomes a [`SimDuration`] by rounding to the nearest nanosecond,
//! which is the one place where floating point meets time; what is too long becomes
//! [`SimDuration::MAX`].
//!
//! Samplers draw their bits from a [`KeyedRng`] and use no function whose last bit depends on the
//! platform: only IEEE arithmetic, `sqrt`, and the `libm` crate. Each family is one file: the
//! struct, its constructor, its moments. To add one, add the file, a variant of [`Dist`] and the
//! arms the compiler then asks for.
//!
//! ```
//! use sim_core::dist::Dist;
//! use sim_core::random::Key;
//! use sim_core::time::SimDuration;
//!
//! let demand = Dist::lognormal(SimDuration::from_millis(20), 1.2)?;
//! assert!((demand.mean_secs() - 0.020).abs() < 1e-12);
//! let work = demand.sample(&mut Key::root(42, 0).named("demand").index(4711).rng());
//! assert!(work > SimDuration::ZERO);
//! # Ok::<(), sim_core::dist::DistError>(())
//! ```

mod constant;
mod empirical;
mod erlang;
mod exponential;
mod gamma;
mod hyperexponential;
mod lognormal;
mod pareto;
mod uniform;
mod ziggurat;
mod zipf;

pub use constant::Constant;
pub use empirical::Empirical;
pub use erlang::Erlang;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use hyperexponential::Hyperexponential;
pub use lognormal::LogNormal;
pub use pareto::Pareto;
pub use uniform::Uniform;
pub use ziggurat::{exp1, normal};
pub use zipf::Zipf;

use crate::random::KeyedRng;
use crate::time::SimDuration;

const NANOS_PER_SEC: f64 = 1e9;

/// Why parameters describe no distribution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DistError {
    /// A number outside the range that makes sense.
    #[error("the {parameter} of {family} distribution is {value}: {remedy}")]
    Parameter {
        /// The family of distributions, with its article.
        family: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What to write instead.
        remedy: &'static str,
    },
    /// The lower end of a uniform distribution above its upper end.
    #[error("the low of a uniform distribution, {low}, is above its high, {high}: exchange them")]
    LowAboveHigh {
        /// The lower end given.
        low: SimDuration,
        /// The upper end given.
        high: SimDuration,
    },
    /// No values, no branches.
    #[error("{family} distribution has no {what}: give at least one")]
    Empty {
        /// The family of distributions, with its article.
        family: &'static str,
        /// What it lacks.
        what: &'static str,
    },
    /// Weights and values that do not pair up.
    #[error(
        "an empirical distribution has {values} values and {weights} weights: \
         give each value one weight, or leave the weights out"
    )]
    WeightCount {
        /// How many values.
        values: usize,
        /// How many weights.
        weights: usize,
    },
}

/// A distribution of durations, ready to be sampled.
///
/// Made by the constructors below, which check their parameters. A mean of zero is allowed
/// everywhere and gives the duration zero. Cloning is cheap: tables are shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(Constant),
    /// Memoryless.
    Exponential(Exponential),
    /// A sum of equal exponentials.
    Erlang(Erlang),
    /// A mixture of exponentials.
    Hyperexponential(Hyperexponential),
    /// The exponential of a normal variable.
    LogNormal(LogNormal),
    /// Gamma, of any shape.
    Gamma(Gamma),
    /// A power law above a least value.
    Pareto(Pareto),
    /// Equally likely between two ends.
    Uniform(Uniform),
    /// Given values with given weights.
    Empirical(Empirical),
}

impl Dist {
    /// Always `value`.
    ///
    /// # Errors
    /// None; it returns a `Result` like its siblings, so that callers can treat all alike.
    pub fn constant(value: SimDuration) -> Result<Self, DistError> {
        Ok(Self::Constant(Constant::new(value)))
    }

    /// Exponential: the time to the next event of a Poisson process. Density e^(−x/m)/m.
    ///
    /// # Errors
    /// None: every `mean` is fine.
    pub fn exponential(mean: SimDuration) -> Result<Self, DistError> {
        Ok(Self::Exponential(Exponential::new(mean)))
    }

    /// Erlang: the sum of `k` independent exponentials of mean `mean / k`; squared coefficient of
    /// variation 1/k.
    ///
    /// # Errors
    /// If `k` is 0.
    pub fn erlang(k: u32, mean: SimDuration) -> Result<Self, DistError> {
        Erlang::new(k, mean).map(Self::Erlang)
    }

    /// Hyperexponential: with probability p an exponential of mean m, for one pair (p, m) of
    /// `branches`.
    ///
    /// # Errors
    /// If there is no branch, if a probability is not in [0, 1], or if they do not add up to 1
    /// within 10⁻⁹.
    pub fn hyperexponential(branches: &[(f64, SimDuration)]) -> Result<Self, DistError> {
        Hyperexponential::new(branches).map(Self::Hyperexponential)
    }

    /// The hyperexponential of two branches with balanced means (both carry half of the work), of
    /// mean `mean` and coefficient of variation `cv` (standard deviation over mean).
    ///
    /// # Errors
    /// If `cv` is not from 1 to 10⁶. At 1 it is the exponential.
    pub fn hyperexponential_cv(mean: SimDuration, cv: f64) -> Result<Self, DistError> {
        Hyperexponential::balanced(mean, cv).map(Self::Hyperexponential)
    }

    /// Lognormal of mean `mean` and coefficient of variation `cv` (standard deviation over mean),
    /// both of the durations themselves, not of their logarithms.
    ///
    /// # Errors
    /// If `cv` is not from 0 to 10⁶.
    pub fn lognormal(mean: SimDuration, cv: f64) -> Result<Self, DistError> {
        LogNormal::new(mean, cv).map(Self::LogNormal)
    }

    /// Gamma of mean `mean` and coefficient of variation `cv` (standard deviation over mean): shape
    /// 1/cv². At `cv` 0 it is constant.
    ///
    /// # Errors
    /// If `cv` is not from 0 to 10⁶.
    pub fn gamma(mean: SimDuration, cv: f64) -> Result<Self, DistError> {
        match Gamma::new(mean, cv)? {
            Some(gamma) => Ok(Self::Gamma(gamma)),
            None => Self::constant(mean),
        }
    }

    /// Classic (type I) Pareto of tail index `alpha`: P(X > x) = (x_min/x)^α for x ≥ x_min, where
    /// x_min = mean·(α−1)/α. No value is below x_min: it is not the Lomax distribution, which starts
    /// at zero.
    ///
    /// # Errors
    /// If `alpha` is not above 1 (its mean would be infinite) or not finite.
    pub fn pareto(mean: SimDuration, alpha: f64) -> Result<Self, DistError> {
        Pareto::new(mean, alpha).map(Self::Pareto)
    }

    /// Equally likely between `low` and `high`.
    ///
    /// # Errors
    /// If `low` is above `high`.
    pub fn uniform(low: SimDuration, high: SimDuration) -> Result<Self, DistError> {
        Uniform::new(low, high).map(Self::Uniform)
    }

    /// One of `values`, each with the probability of its weight over the sum of the weights, or
    /// equally likely without weights. Discrete: nothing between two values is ever drawn.
    ///
    /// # Errors
    /// If there is no value, if the number of weights differs from that of the values, if a weight
    /// is negative or not finite, or if no weight is above 0.
    pub fn empirical(values: &[SimDuration], weights: Option<&[f64]>) -> Result<Self, DistError> {
        Empirical::new(values, weights).map(Self::Empirical)
    }

    /// Draws a duration.
    #[inline]
    pub fn sample(&self, rng: &mut KeyedRng) -> SimDuration {
        match self {
            // The most common one, where the call is worth as much as the draw.
            Self::Exponential(dist) => nearest(dist.sample(rng)),
            _ => self.sample_any(rng),
        }
    }

    #[inline(never)]
    fn sample_any(&self, rng: &mut KeyedRng) -> SimDuration {
        nearest(match self {
            Self::Constant(dist) => dist.nanos(),
            Self::Exponential(dist) => dist.sample(rng),
            Self::Erlang(dist) => dist.sample(rng),
            Self::Hyperexponential(dist) => dist.sample(rng),
            Self::LogNormal(dist) => dist.sample(rng),
            Self::Gamma(dist) => dist.sample(rng),
            Self::Pareto(dist) => dist.sample(rng),
            Self::Uniform(dist) => dist.sample(rng),
            Self::Empirical(dist) => dist.sample(rng),
        })
    }

    /// The mean, in seconds: of the distribution itself, before rounding to nanoseconds.
    pub fn mean_secs(&self) -> f64 {
        let nanos = match self {
            Self::Constant(dist) => dist.nanos(),
            Self::Exponential(dist) => dist.mean(),
            Self::Erlang(dist) => dist.mean(),
            Self::Hyperexponential(dist) => dist.mean(),
            Self::LogNormal(dist) => dist.mean(),
            Self::Gamma(dist) => dist.mean(),
            Self::Pareto(dist) => dist.mean(),
            Self::Uniform(dist) => dist.mean(),
            Self::Empirical(dist) => dist.mean(),
        };
        nanos / NANOS_PER_SEC
    }

    /// The squared coefficient of variation: variance over the square of the mean, without unit.
    ///
    /// Infinite for a Pareto of tail index 2 or less; 0 for a distribution whose mean is 0.
    pub fn scv(&self) -> f64 {
        if self.mean_secs() == 0.0 {
            return 0.0;
        }
        match self {
            Self::Constant(_) => 0.0,
            Self::Exponential(_) => 1.0,
            Self::Erlang(dist) => dist.scv(),
            Self::Hyperexponential(dist) => dist.scv(),
            Self::LogNormal(dist) => dist.scv(),
            Self::Gamma(dist) => dist.scv(),
            Self::Pareto(dist) => dist.scv(),
            Self::Uniform(dist) => dist.scv(),
            Self::Empirical(dist) => dist.scv(),
        }
    }

    /// The distribution of `factor` times a value of this one: the same draws, scaled.
    ///
    /// Like a duration, a `factor` that is negative or not a number counts as 0.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let by = factor.clamp(0.0, f64::MAX);
        let by = if by.is_nan() { 0.0 } else { by };
        match self {
            Self::Constant(dist) => Self::Constant(dist.scaled(by)),
            Self::Exponential(dist) => Self::Exponential(dist.scaled(by)),
            Self::Erlang(dist) => Self::Erlang(dist.scaled(by)),
            Self::Hyperexponential(dist) => Self::Hyperexponential(dist.scaled(by)),
            Self::LogNormal(dist) => Self::LogNormal(dist.scaled(by)),
            Self::Gamma(dist) => Self::Gamma(dist.scaled(by)),
            Self::Pareto(dist) => Self::Pareto(dist.scaled(by)),
            Self::Uniform(dist) => Self::Uniform(dist.scaled(by)),
            Self::Empirical(dist) => Self::Empirical(dist.scaled(by)),
        }
    }
}

/// The duration nearest to `nanos` nanoseconds, ties to even; at least zero, at most the longest.
///
/// The same as `nanos.round_ties_even() as u64`, without the function call that rounding costs on
/// x86-64 without SSE 4.1: below 2⁵² the sum with 2⁵² has no fraction bits left, so that the
/// hardware rounds, and its mantissa is the integer.
#[inline]
fn nearest(nanos: f64) -> SimDuration {
    const TWO_52: f64 = (1_u64 << 52) as f64;
    SimDuration::from_nanos(if (0.0..TWO_52).contains(&nanos) {
        (nanos + TWO_52).to_bits() - TWO_52.to_bits()
    } else {
        nanos as u64
    })
}

/// The mean of a distribution in nanoseconds.
fn nanos(mean: SimDuration) -> f64 {
    mean.as_nanos() as f64
}

/// A coefficient of variation, refused unless it is from `least` to 10⁶.
fn check_cv(family: &'static str, cv: f64, least: f64, remedy: &'static str) -> Result<f64, DistError> {
    if (least..=1e6).contains(&cv) {
        Ok(cv)
    } else {
        Err(DistError::Parameter { family, parameter: "cv", value: cv, remedy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_nearest_nanosecond() {
        let check = |nanos: f64| assert_eq!(nearest(nanos).as_nanos(), nanos.round_ties_even() as u64, "{nanos:e}");
        for nanos in [0.0, -0.0, 0.5, 0.499_999_999_999_999_94, 1.5, 2.5, 1e9 + 0.5, 4.5e15, 4.6e15, 1e19] {
            check(nanos);
            check(-nanos);
            check(nanos.next_up());
            check(nanos.next_down());
        }
        for nanos in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, f64::MIN_POSITIVE] {
            check(nanos);
        }
        let mut rng = crate::random::Key::root(1, 0).rng();
        for _ in 0..10_000 {
            check(rng.uniform() * 1e4);
        }
    }

    #[test]
    fn is_small() {
        assert!(size_of::<Dist>() <= 40, "{}", size_of::<Dist>());
    }
}
