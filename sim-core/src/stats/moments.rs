//! Mean and variance of a sequence of numbers.

/// Count, mean and variance of numbers seen one by one, in constant memory.
///
/// Source: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and
/// Products", Technometrics 4(3), 1962; no difference of large sums, so that a small spread around a
/// large mean keeps its digits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of the squared deviations from the mean.
    deviations: f64,
}

impl Moments {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { count: 0, mean: 0.0, deviations: 0.0 }
    }

    /// Takes in one number.
    #[inline]
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.deviations += before * (value - self.mean);
    }

    /// How many numbers were seen.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` of none.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Their sample variance, with the divisor n − 1; `None` of fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.deviations / (self.count - 1) as f64)
    }

    /// Takes in all that `other` has seen: as if pushed here, up to rounding.
    ///
    /// Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm
    /// for Computing Sample Variances", 1979.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (here, there) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.count += other.count;
        self.mean += apart * (there / (here + there));
        self.deviations += other.deviations + apart * apart * (here * there / (here + there));
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::new();
        for value in values {
            moments.push(value);
        }
        moments
    }
}
