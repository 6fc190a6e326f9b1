//! A burst: a crowd that comes at an instant, rises fast and fades slowly.
//!
//! ```text
//! (1 - exp(-d/rise)) x exp(-d/decay),  d = seconds since it began, 0 before
//! ```

/// How fast bursts rise and fade, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) rise: f64,
    pub(super) decay: f64,
}

impl Shape {
    /// `d` seconds after it began.
    pub(super) fn at(self, d: f64) -> f64 {
        if d <= 0.0 {
            return 0.0;
        }
        (1.0 - libm::exp(-d / self.rise)) * libm::exp(-d / self.decay)
    }

    /// Its largest value between `from` and `to`, seconds after it began: it rises to its peak and then falls,
    /// so that is at the peak or at the nearer end.
    pub(super) fn largest(self, from: f64, to: f64) -> f64 {
        let peak = self.rise * libm::log1p(self.decay / self.rise);
        self.at(peak.clamp(from, to))
    }
}
