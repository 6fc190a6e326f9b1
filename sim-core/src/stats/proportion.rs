//! What counts of successes say about a probability.

use super::tail::normal_quantile;

/// The interval of a probability after `successes` in `n` independent trials, by Wilson's score.
///
/// Inside [0, 1], and sensible near its ends, where the textbook p ± z·√(p(1−p)/n) fails. Without
/// trials, or with a `confidence` of 1 or more or not a number, it is all of [0, 1]; with 0 or less,
/// the point successes / n.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
/// Journal of the American Statistical Association 22, 1927.
///
/// # Panics
/// If there are more successes than trials.
pub fn wilson(successes: u64, n: u64, confidence: f64) -> (f64, f64) {
    assert!(successes <= n, "{successes} successes in {n} trials");
    if n == 0 || confidence >= 1.0 || confidence.is_nan() {
        return (0.0, 1.0);
    }
    let z = normal_quantile(0.5 - 0.5 * confidence.max(0.0));
    let trials = n as f64;
    let share = successes as f64 / trials;
    let spread = z * z / trials;
    let centre = (share + 0.5 * spread) / (1.0 + spread);
    let half = (spread * share * (1.0 - share) + 0.25 * spread * spread).sqrt() / (1.0 + spread);
    // At the ends the formula gives 0 and 1, but for rounding.
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == n { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// Fisher's exact test of whether two series of trials have the same probability of success:
/// `a_successes` of `a_trials` against `b_successes` of `b_trials`. Returns the two-sided p-value,
/// in [0, 1]; 1 if either had no trials.
///
/// Given the totals, the number of successes in the first series is hypergeometric. The p-value is
/// the probability of all numbers that are at most as likely as the one observed (a tie allowing for
/// rounding, 10⁻⁷, as in R's `fisher.test`). Time and memory grow with the square root of the totals
/// at most, as terms too small to count are left out.
///
/// Source: R. A. Fisher, "Statistical Methods for Research Workers", 1934.
///
/// # Panics
/// If there are more successes than trials.
pub fn fisher_exact(a_successes: u64, a_trials: u64, b_successes: u64, b_trials: u64) -> f64 {
    assert!(a_successes <= a_trials, "{a_successes} successes in {a_trials} trials");
    assert!(b_successes <= b_trials, "{b_successes} successes in {b_trials} trials");
    let (a, b) = (a_trials as f64, b_trials as f64);
    let successes = a_successes as f64 + b_successes as f64;
    let observed = a_successes as f64;
    let least = (successes - b).max(0.0);
    let most = successes.min(a);
    let mode = ((successes + 1.0) * (a + 1.0) / (a + b + 2.0)).floor().clamp(least, most);

    // Probabilities as multiples of the mode's, outward from it by the ratio of neighbours.
    let rising = |k: f64| (a - k) * (successes - k) / ((k + 1.0) * (b - successes + k + 1.0));
    let mut terms = vec![(mode, 1.0)];
    let (mut k, mut term) = (mode, 1.0);
    while k < most && term > f64::MIN_POSITIVE {
        term *= rising(k);
        k += 1.0;
        terms.push((k, term));
    }
    (k, term) = (mode, 1.0);
    while k > least && term > f64::MIN_POSITIVE {
        k -= 1.0;
        term /= rising(k);
        terms.push((k, term));
    }
    let at_observed = terms.iter().find(|(k, _)| *k == observed).map_or(0.0, |(_, term)| *term);
    let limit = at_observed * (1.0 + 1e-7);
    let total: f64 = terms.iter().map(|(_, term)| term).sum();
    let extreme: f64 = terms.iter().map(|(_, term)| term).filter(|term| **term <= limit).sum();
    extreme / total
}
