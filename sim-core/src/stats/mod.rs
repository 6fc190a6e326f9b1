//! Statistics of a run, and of replications.
//!
//! Within a run: [`Moments`] of observations, [`TimeWeighted`] levels, [`Histogram`]s of durations.
//! Across replications: an [`Estimate`] with its confidence interval, [`paired_difference`] for
//! worlds that share their randomness, and [`wilson`] and [`fisher_exact`] for proportions.
//!
//! A value that does not exist, such as the mean of nothing, is `None`, never 0.
//!
//! Everything here is equal on every platform, bit by bit: accumulators use IEEE arithmetic only, and
//! the quantiles behind intervals the `libm` crate.

mod estimate;
mod histogram;
mod moments;
mod proportion;
mod tail;
mod time_weighted;

pub use estimate::{Estimate, paired_difference, t_quantile};
pub use histogram::Histogram;
pub use moments::Moments;
pub use proportion::{fisher_exact, wilson};
pub use time_weighted::TimeWeighted;
