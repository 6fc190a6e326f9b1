//! Two scenarios on the same arrivals: paired differences.
//!
//! Replication n of both sees the same requests at the same times, and, where call paths match, the
//! same demands. What both have in common cancels in the difference of each pair, so that its
//! interval is much narrower than that of two independent runs.

use crate::figures::Figure;
use crate::report::RunReport;
use crate::units::span;
use indexmap::IndexMap;
use sim_core::stats::{Estimate, Moments, paired_difference};
use sim_core::time::SimTime;

/// How one scenario differs from another.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The scenario compared against.
    pub a: String,
    /// The scenario compared.
    pub b: String,
    /// The seed of both.
    pub seed: u64,
    /// Replications that both have.
    pub pairs: usize,
    /// Whether all pairs had equally many requests, in all and by population.
    pub same_arrivals: bool,
    /// Whether one of the two runs is partial.
    pub partial: bool,
    /// What else than the design differs, so that the two do not compare like with like; one text each.
    pub warnings: Vec<String>,
    /// By place, the difference of every figure that both have.
    pub differences: IndexMap<String, Difference>,
}

/// The difference of one figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The figure, as the first scenario has it.
    pub figure: Figure,
    /// Mean over the pairs in the first.
    pub a: Option<f64>,
    /// Mean over the pairs in the second.
    pub b: Option<f64>,
    /// Pairs in which both have a value.
    pub pairs: usize,
    /// Of b - a, pair by pair; `None` without pairs.
    pub estimate: Option<Estimate>,
    /// Share of the variance that pairing has saved: 1 - var(b - a) / (var a + var b). `None` for
    /// fewer than two pairs, or if neither varies.
    pub variance_saved: Option<f64>,
}

/// Why two runs are not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Their randomness differs.
    #[error(
        "\"{a}\" ran with seed {seed_a}, \"{b}\" with seed {seed_b}: run both with the same, for example --seed {seed_a}"
    )]
    Seeds {
        /// The first.
        a: String,
        /// Its seed.
        seed_a: u64,
        /// The second.
        b: String,
        /// Its seed.
        seed_b: u64,
    },
}

impl Difference {
    /// Whether the interval excludes 0; `None` without interval.
    pub fn differs(&self) -> Option<bool> {
        let estimate = self.estimate?;
        estimate.half_width_95.map(|half| estimate.mean.abs() > half)
    }

    fn of(a: &Figure, b: &Figure, pairs: &[(usize, usize)]) -> Self {
        let both = pairs.iter().filter_map(|&(i, j)| Some((a.values[i]?, b.values[j]?)));
        let (first, second): (Vec<f64>, Vec<f64>) = both.unzip();
        let variance = |values: &[f64]| values.iter().copied().collect::<Moments>().variance();
        let mean = |values: &[f64]| values.iter().copied().collect::<Moments>().mean();
        let differences: Vec<f64> = second.iter().zip(&first).map(|(b, a)| b - a).collect();
        let independent = variance(&first).zip(variance(&second)).map(|(a, b)| a + b).filter(|sum| *sum > 0.0);
        Self {
            figure: a.clone(),
            a: mean(&first),
            b: mean(&second),
            pairs: first.len(),
            estimate: paired_difference(&second, &first),
            variance_saved: independent.zip(variance(&differences)).map(|(sum, paired)| 1.0 - paired / sum),
        }
    }
}

/// What two runs do not measure in the same way.
fn unlike(a: &RunReport, b: &RunReport) -> Vec<String> {
    let since = |at: SimTime| span(at.as_secs_f64());
    let threshold = |of: &RunReport| span(of.slo.threshold.get().as_secs_f64());
    let currency = |of: &RunReport| of.currency.clone().unwrap_or_default();
    let priced = a.currency.is_some() && b.currency.is_some();
    let settings = [
        ("warm-ups", since(a.warm_up), since(b.warm_up), a.warm_up != b.warm_up),
        ("horizons", since(a.horizon), since(b.horizon), a.horizon != b.horizon),
        ("SLO thresholds", threshold(a), threshold(b), a.slo.threshold.get() != b.slo.threshold.get()),
        ("currencies", currency(a), currency(b), priced && a.currency != b.currency),
    ];
    let differing = settings.into_iter().filter(|(.., differ)| *differ);
    differing
        .map(|(what, of_a, of_b, _)| format!("their {what} differ: {of_a} in {}, {of_b} in {}", a.scenario, b.scenario))
        .collect()
}

impl Comparison {
    /// Compares `b` with `a`.
    ///
    /// # Errors
    /// If the two did not run with the same seed.
    pub fn of(a: &RunReport, b: &RunReport) -> Result<Self, CompareError> {
        if a.seed != b.seed {
            return Err(CompareError::Seeds {
                a: a.scenario.clone(),
                seed_a: a.seed,
                b: b.scenario.clone(),
                seed_b: b.seed,
            });
        }
        let place = |of: &RunReport, number: &u32| of.replications.binary_search(number).ok();
        let pairs: Vec<(usize, usize)> =
            a.replications.iter().enumerate().filter_map(|(i, number)| Some((i, place(b, number)?))).collect();
        let common = a.figures.iter().filter_map(|(path, figure)| Some((path, figure, b.figures.get(path)?)));
        let differences =
            common.map(|(path, figure, other)| (path.clone(), Difference::of(figure, other, &pairs))).collect();
        let arrivals = |of: &RunReport| -> Vec<(String, Vec<Option<f64>>)> {
            let of_requests = of.figures.iter().filter(|(_, f)| f.definition.key == "arrivals_per_s");
            of_requests.map(|(path, figure)| (path.clone(), figure.values.clone())).collect()
        };
        let (of_a, of_b) = (arrivals(a), arrivals(b));
        let same = |(path, values): &(String, Vec<Option<f64>>)| {
            let other = of_b.iter().find(|(other, _)| other == path);
            other.is_some_and(|(_, other)| pairs.iter().all(|&(i, j)| values[i] == other[j]))
        };
        Ok(Self {
            a: a.scenario.clone(),
            b: b.scenario.clone(),
            seed: a.seed,
            pairs: pairs.len(),
            same_arrivals: !pairs.is_empty() && of_a.len() == of_b.len() && of_a.iter().all(same),
            partial: a.partial.is_some() || b.partial.is_some(),
            warnings: unlike(a, b),
            differences,
        })
    }

    /// Compares each run with the first.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn with_first(runs: &[RunReport]) -> Result<Vec<Self>, CompareError> {
        let Some((first, others)) = runs.split_first() else { return Ok(Vec::new()) };
        others.iter().map(|other| Self::of(first, other)).collect()
    }
}
