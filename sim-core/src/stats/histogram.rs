//! Quantiles of durations in bounded memory.

use crate::time::SimDuration;

/// Significant decimal digits kept of each duration.
const DIGITS: u8 = 3;

/// How often which durations occurred, for quantiles of millions of them.
///
/// Counts lie in buckets whose width is at most 1/1024 of their values, exact below 2048 ns
/// (G. Tene's HDR histogram). A quantile is therefore never too low and too high by less than 0.1%;
/// count, mean, and the least and the greatest duration are exact. Any [`SimDuration`] can be
/// recorded. Memory grows with the longest one: 170 kB for up to a second, 450 kB at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    buckets: hdrhistogram::Histogram<u64>,
    /// How many were zero; those are not in the buckets, since most waits are zero.
    zeros: u64,
    /// In nanoseconds; 2⁶⁴ durations of 2⁶⁴ ns fit.
    sum: u128,
    min: SimDuration,
    max: SimDuration,
}

impl Histogram {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self {
            buckets: hdrhistogram::Histogram::new(DIGITS).expect("three digits are supported"),
            zeros: 0,
            sum: 0,
            min: SimDuration::MAX,
            max: SimDuration::ZERO,
        }
    }

    /// Takes in one duration.
    #[inline]
    pub fn record(&mut self, value: SimDuration) {
        let nanos = value.as_nanos();
        if nanos == 0 {
            self.zeros += 1;
            self.min = value;
            return;
        }
        self.buckets.record(nanos).expect("the histogram grows to hold every duration");
        self.sum += u128::from(nanos);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.zeros + self.buckets.len()
    }

    /// The least duration d such that at least the share `q` of all is at most d: rounded up within
    /// its bucket, by less than 0.1%. At 0 the least, at 1 the greatest recorded.
    ///
    /// `None` of none, or if `q` is not in [0, 1].
    pub fn quantile(&self, q: f64) -> Option<SimDuration> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        // The rank among all; those that are zero come first.
        let rank = (q * count as f64).ceil().max(1.0) as u64;
        if rank >= count {
            return Some(self.max);
        }
        let Some(rank) = rank.checked_sub(self.zeros).filter(|rank| *rank > 0) else {
            return Some(SimDuration::ZERO);
        };
        // Half a rank down, so that rounding cannot lift it to the next.
        let share = (rank as f64 - 0.5) / self.buckets.len() as f64;
        let in_bucket = SimDuration::from_nanos(self.buckets.value_at_quantile(share));
        Some(in_bucket.clamp(self.min, self.max))
    }

    /// The exact mean, in seconds; `None` of none.
    pub fn mean_secs(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum as f64 / count as f64 / 1e9)
    }

    /// The shortest duration recorded, exactly; `None` of none.
    pub fn min(&self) -> Option<SimDuration> {
        (self.count() > 0).then_some(self.min)
    }

    /// The longest duration recorded, exactly; `None` of none.
    pub fn max(&self) -> Option<SimDuration> {
        (self.count() > 0).then_some(self.max)
    }

    /// Takes in all that `other` recorded: the same as recording it here.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.add(&other.buckets).expect("the histogram grows to hold every duration");
        self.zeros += other.zeros;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}
