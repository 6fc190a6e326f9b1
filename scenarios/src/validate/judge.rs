//! Verdicts: a simulated value against a known one, and all of them together.
//!
//! With hundreds of values a perfect simulator misses some 95% intervals, and a coarse one misses none.
//! So there are two kinds of tests:
//!
//! - **Equivalence**, of each value: the whole 95% interval lies within the tolerance. Runs are planned to
//!   be so long that the standard error is about a sixth of it at most. Then a simulator without bias passes
//!   but for an error of more than three standard errors, and one with a bias as large as the tolerance
//!   passes once in forty.
//! - **Errors as chance gives them**, of all exact values and estimates together: none is too large for the
//!   largest of so many (Holm), and those of different cases spread as independent errors do (chi-square). A
//!   bias well within the tolerance shows here, since the errors are measured in standard errors.

use super::statistics::{LEVEL, Simulated, Spread, holm, spread, two_sided};
use super::table::{Case, Kind, Metric};

/// A metric, simulated and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What is known.
    pub metric: Metric,
    /// What the replications say; `None` if fewer than two have the value.
    pub simulated: Option<Simulated>,
    /// How far off that is, in standard errors, for exact values and estimates.
    pub z: Option<f64>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What a metric shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is within the tolerance, or on the right side of a bound, beyond doubt.
    Agrees,
    /// It may be; there are too few replications to tell.
    Open,
    /// It is off by more than the tolerance, or on the wrong side of a bound.
    Differs,
    /// There is no value.
    Missing,
}

impl Verdict {
    /// Its name on a page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Open => "open",
            Self::Differs => "differs",
            Self::Missing => "missing",
        }
    }
}

impl Judged {
    /// Judges the values of a metric, one a replication.
    pub fn new(metric: Metric, values: &[Option<f64>]) -> Self {
        // A value that does not exist in some replication is no mean over all of them.
        let values: Option<Vec<f64>> = values.iter().copied().collect();
        let simulated = values.and_then(|values| Simulated::of(&values));
        let errs = matches!(metric.kind, Kind::Exact | Kind::Estimate { .. });
        let z = simulated.filter(|_| errs).and_then(|simulated| simulated.z(metric.theory, metric.error()));
        let verdict = simulated.map_or(Verdict::Missing, |simulated| verdict(&metric, simulated));
        Self { metric, simulated, z, verdict }
    }

    /// How likely chance gives an error as large. An estimate is taken for one of as few replications as ours,
    /// which is on the safe side.
    pub fn p_value(&self) -> Option<f64> {
        Some(two_sided(self.z?, self.simulated?.dof()))
    }
}

fn verdict(metric: &Metric, simulated: Simulated) -> Verdict {
    let (off, half) = (simulated.mean - metric.theory, simulated.half_width());
    // How far it may still go wrong: beyond 0 it has.
    let room = match metric.kind {
        Kind::UpperBound => -off,
        Kind::LowerBound => off,
        // Where nothing can vary, nothing but rounding may differ.
        _ => metric.tolerance().max(1e-9 * metric.theory.abs()) - off.abs(),
    };
    if room >= half {
        Verdict::Agrees
    } else if room > -half {
        Verdict::Open
    } else {
        Verdict::Differs
    }
}

/// A case, simulated and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedCase {
    /// The case.
    pub case: Case,
    /// Its metrics, in its order.
    pub metrics: Vec<Judged>,
    /// Replications that it was run for.
    pub replications: u32,
    /// Simulated seconds that counted in each.
    pub counted_s: f64,
    /// Events of all replications.
    pub events: u64,
}

/// What the errors of all exact metrics and estimates say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// How many errors.
    pub errors: usize,
    /// The largest of them: case, metric, z, and how likely chance gives one metric an error as large.
    pub largest: Option<(String, String, f64, f64)>,
    /// Those that are too large for the largest of so many: case and metric.
    pub too_large: Vec<(String, String)>,
    /// How those spread of which there is one a case.
    pub spread: Option<Spread>,
}

impl Together {
    /// Of these cases.
    pub fn of(cases: &[JudgedCase]) -> Self {
        let all = cases.iter().flat_map(|case| case.metrics.iter().map(move |judged| (case, judged)));
        let errors: Vec<_> = all.filter_map(|(case, judged)| Some((case, judged, judged.p_value()?))).collect();
        let named = |case: &JudgedCase, judged: &Judged| (case.case.id.clone(), judged.metric.name.clone());
        let p_values: Vec<f64> = errors.iter().map(|(.., p)| *p).collect();
        let too_large = holm(&p_values, LEVEL).into_iter().zip(&errors).filter(|(rejected, _)| *rejected);
        let too_large = too_large.map(|(_, (case, judged, _))| named(case, judged)).collect();
        let least = errors.iter().min_by(|a, b| a.2.total_cmp(&b.2));
        let largest = least.and_then(|(case, judged, p)| {
            let (case, metric) = named(case, judged);
            Some((case, metric, judged.z?, *p))
        });
        // Metrics of one case depend on each other; cases do not, since each names its own randomness.
        // So one stands for each case: the first, whatever it gives.
        let first = |case: &JudgedCase| {
            let judged = case.metrics.iter().find(|judged| judged.z.is_some())?;
            Some((judged.z?, judged.simulated?.dof()))
        };
        let firsts: Vec<_> = cases.iter().filter_map(first).collect();
        Self { errors: errors.len(), largest, too_large, spread: spread(&firsts) }
    }

    /// Whether the errors are what chance explains.
    pub fn passes(&self) -> bool {
        self.too_large.is_empty() && self.spread.is_none_or(|spread| spread.p_value >= LEVEL)
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantity::Quantity;
    use super::super::table::Tolerance;
    use super::*;

    fn judged(theory: f64, within: Tolerance, kind: Kind, values: &[f64]) -> Verdict {
        let of = Quantity::Slowdown;
        let metric = Metric { name: "it".to_owned(), theory, within, kind, of };
        Judged::new(metric, &values.iter().copied().map(Some).collect::<Vec<_>>()).verdict
    }

    #[test]
    fn the_whole_interval_must_lie_within_the_tolerance() {
        // Mean 10, half-width about 2.
        let values = [8.0, 9.0, 10.0, 11.0, 12.0];
        let exact = |theory, within| judged(theory, Tolerance::Absolute(within), Kind::Exact, &values);
        assert_eq!(exact(10.0, 2.1), Verdict::Agrees);
        assert_eq!(exact(10.0, 1.9), Verdict::Open);
        assert_eq!(exact(12.5, 1.0), Verdict::Open);
        assert_eq!(exact(13.5, 1.0), Verdict::Differs);
        assert_eq!(judged(10.0, Tolerance::Relative(0.21), Kind::Approximation, &values), Verdict::Agrees);
        let bound = |theory, kind| judged(theory, Tolerance::None, kind, &values);
        assert_eq!(bound(12.5, Kind::UpperBound), Verdict::Agrees);
        assert_eq!(bound(11.0, Kind::UpperBound), Verdict::Open);
        assert_eq!(bound(7.5, Kind::UpperBound), Verdict::Differs);
        assert_eq!(bound(7.5, Kind::LowerBound), Verdict::Agrees);
        assert_eq!(bound(12.5, Kind::LowerBound), Verdict::Differs);
        // An estimate with a standard error of 1: it may be 3 off, the interval included.
        let estimate = |theory| judged(theory, Tolerance::None, Kind::Estimate { ci95: 1.96 }, &values);
        assert_eq!([10.9, 11.5, 15.1].map(estimate), [Verdict::Agrees, Verdict::Open, Verdict::Differs]);
        // What cannot vary.
        assert_eq!(judged(64.0, Tolerance::None, Kind::Exact, &[64.0; 3]), Verdict::Agrees);
        assert_eq!(judged(64.0, Tolerance::None, Kind::Exact, &[63.0; 3]), Verdict::Differs);
        assert_eq!(judged(64.0, Tolerance::None, Kind::Exact, &[]), Verdict::Missing);
    }
}
