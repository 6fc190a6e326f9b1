//! Quantiles of durations in bounded memory.

use crate::time::SimDuration;

/// Binary digits that are kept of each duration, after the leading one.
const DIGITS: u32 = 10;
/// Counts of an octave.
const OCTAVE: usize = 1 << DIGITS;

/// How often which durations occurred, for quantiles of millions of them.
///
/// Counts lie in buckets whose width is at most 1/1024 of their values, exact below 2048 ns: each octave
/// of values, from a power of two to the next, has 1024 buckets (G. Tene's HDR histogram of three
/// significant digits). A quantile is therefore never too low and too high by less than 0.1%;
/// count, mean, and the least and the greatest duration are exact. Any [`SimDuration`] can be
/// recorded. Memory grows with the longest one: 170 kB for up to a second, 450 kB at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Whole octaves, up to that of the longest duration so far.
    buckets: Vec<u64>,
    /// How many are in the buckets.
    counted: u64,
    /// How many were zero; those are not in the buckets, since most waits are zero.
    zeros: u64,
    /// In nanoseconds; 2⁶⁴ durations of 2⁶⁴ ns fit.
    sum: u128,
    /// The shortest of those in the buckets.
    shortest: SimDuration,
    max: SimDuration,
}

/// The bucket of a duration: below two octaves it is the value itself, above the octave and the eleven
/// leading bits.
#[inline]
const fn bucket(nanos: u64) -> usize {
    let shift = u64::BITS - 1 - DIGITS - (nanos | (2 * OCTAVE as u64 - 1)).leading_zeros();
    (shift as usize) * OCTAVE + (nanos >> shift) as usize
}

/// The longest duration of a bucket.
const fn longest(bucket: usize) -> u64 {
    let shift = (bucket / OCTAVE).saturating_sub(1);
    let leading = (bucket - shift * OCTAVE) as u64;
    (leading << shift) | ((1 << shift) - 1)
}

impl Histogram {
    /// Of nothing yet.
    pub const fn new() -> Self {
        let (shortest, max) = (SimDuration::MAX, SimDuration::ZERO);
        Self { buckets: Vec::new(), counted: 0, zeros: 0, sum: 0, shortest, max }
    }

    /// Takes in one duration.
    #[inline]
    pub fn record(&mut self, value: SimDuration) {
        let nanos = value.as_nanos();
        if nanos == 0 {
            self.zeros += 1;
            return;
        }
        if value < self.shortest || value > self.max {
            self.widen(value);
        }
        self.buckets[bucket(nanos)] += 1;
        self.counted += 1;
        self.sum += u128::from(nanos);
    }

    /// A duration beyond all so far. There are buckets for all between.
    #[cold]
    fn widen(&mut self, value: SimDuration) {
        self.shortest = self.shortest.min(value);
        self.max = self.max.max(value);
        let buckets = (bucket(self.max.as_nanos()) / OCTAVE + 1) * OCTAVE;
        self.buckets.resize(buckets.max(self.buckets.len()), 0);
    }

    /// How many durations were recorded.
    pub const fn count(&self) -> u64 {
        self.zeros + self.counted
    }

    /// How many of them were zero.
    pub const fn zeros(&self) -> u64 {
        self.zeros
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
        let mut so_far = 0;
        let bucket = self.buckets.iter().position(|count| {
            so_far += count;
            so_far >= rank
        });
        let in_bucket = SimDuration::from_nanos(longest(bucket.expect("the rank is below the count")));
        Some(in_bucket.clamp(self.shortest, self.max))
    }

    /// The exact mean, in seconds; `None` of none.
    pub fn mean_secs(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum as f64 / count as f64 / 1e9)
    }

    /// The shortest duration recorded, exactly; `None` of none.
    pub fn min(&self) -> Option<SimDuration> {
        (self.count() > 0).then_some(if self.zeros > 0 { SimDuration::ZERO } else { self.shortest })
    }

    /// The longest duration recorded, exactly; `None` of none.
    pub fn max(&self) -> Option<SimDuration> {
        (self.count() > 0).then_some(self.max)
    }

    /// Takes in all that `other` recorded: the same as recording it here.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(here, there)| *here += there);
        self.counted += other.counted;
        self.zeros += other.zeros;
        self.sum += other.sum;
        self.shortest = self.shortest.min(other.shortest);
        self.max = self.max.max(other.max);
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap() {
        assert_eq!((bucket(1), longest(1)), (1, 1));
        assert_eq!((bucket(2047), longest(2047)), (2047, 2047));
        assert_eq!((bucket(2048), bucket(2049), longest(2048)), (2048, 2048, 2049));
        assert_eq!(longest(bucket(u64::MAX)), u64::MAX);
        for b in 1..=bucket(u64::MAX) {
            assert_eq!(bucket(longest(b)), b);
            assert_eq!(bucket(longest(b - 1) + 1), b);
            let width = longest(b) - longest(b - 1);
            assert!(b < 2 * OCTAVE || width * 1024 <= longest(b), "the bucket {b} is {width} wide");
        }
    }
}
