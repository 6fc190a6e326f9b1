//! Distributions of durations, as written. As run they are [`sim_core::dist::Dist`].

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::{Dist, DistError};
use sim_core::time::SimDuration;

/// A distribution of durations, for example `LogNormal(mean: "20ms", cv: 1.2)`.
///
/// `cv` is the coefficient of variation: standard deviation over mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Distribution {
    /// Always the same: `Constant("5ms")`.
    Constant(Given<SimDuration>),
    /// Exponential with this mean: `Exponential("35ms")`.
    Exponential(Given<SimDuration>),
    /// Sum of `stages` exponentials: cv is 1/sqrt(stages).
    Erlang {
        /// Number of stages, at least 1.
        stages: Given<u32>,
        /// Mean of the sum.
        mean: Given<SimDuration>,
    },
    /// Mixture of exponentials: probability and mean of each. Probabilities add up to 1.
    Hyperexponential(Vec<(Given<f64>, Given<SimDuration>)>),
    /// Log-normal.
    LogNormal {
        /// Mean (not of the logarithm).
        mean: Given<SimDuration>,
        /// Coefficient of variation.
        cv: Given<f64>,
    },
    /// Gamma.
    Gamma {
        /// Mean.
        mean: Given<SimDuration>,
        /// Coefficient of variation.
        cv: Given<f64>,
    },
    /// Pareto with a power-law tail P(X > x) ~ x^-alpha.
    Pareto {
        /// Mean.
        mean: Given<SimDuration>,
        /// Tail index, above 1.
        alpha: Given<f64>,
    },
    /// Uniform between two durations.
    Uniform {
        /// Shortest.
        low: Given<SimDuration>,
        /// Longest.
        high: Given<SimDuration>,
    },
    /// One of the listed durations, each equally likely.
    Empirical(Vec<Given<SimDuration>>),
}

impl Distribution {
    /// Every distribution there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Constant", example: "Constant(\"5ms\")", summary: "always the same" },
        Entry { name: "Exponential", example: "Exponential(\"35ms\")", summary: "memoryless, cv 1" },
        Entry {
            name: "Erlang",
            example: "Erlang(stages: 4, mean: \"20ms\")",
            summary: "sum of exponentials, cv 1/sqrt(stages)",
        },
        Entry {
            name: "Hyperexponential",
            example: "Hyperexponential([(0.9, \"2ms\"), (0.1, \"50ms\")])",
            summary: "mixture of exponentials, cv above 1: a cache hit or a miss",
        },
        Entry {
            name: "LogNormal",
            example: "LogNormal(mean: \"20ms\", cv: 1.2)",
            summary: "what measured service times often resemble",
        },
        Entry { name: "Gamma", example: "Gamma(mean: \"20ms\", cv: 0.5)", summary: "gamma of any cv" },
        Entry { name: "Pareto", example: "Pareto(mean: \"20ms\", alpha: 2.5)", summary: "heavy tail" },
        Entry { name: "Uniform", example: "Uniform(low: \"10ms\", high: \"30ms\")", summary: "between two durations" },
        Entry {
            name: "Empirical",
            example: "Empirical([\"8ms\", \"9ms\", \"25ms\"])",
            summary: "one of the measured values, each equally likely",
        },
    ];

    /// The distribution as run.
    ///
    /// # Errors
    /// A parameter that makes no sense, with the remedy.
    pub fn compile(&self) -> Result<Dist, DistError> {
        match self {
            Self::Constant(value) => Dist::constant(value.get()),
            Self::Exponential(mean) => Dist::exponential(mean.get()),
            Self::Erlang { stages, mean } => Dist::erlang(stages.get(), mean.get()),
            Self::Hyperexponential(parts) => {
                let parts: Vec<_> = parts.iter().map(|(p, mean)| (p.get(), mean.get())).collect();
                Dist::hyperexponential(&parts)
            }
            Self::LogNormal { mean, cv } => Dist::lognormal(mean.get(), cv.get()),
            Self::Gamma { mean, cv } => Dist::gamma(mean.get(), cv.get()),
            Self::Pareto { mean, alpha } => Dist::pareto(mean.get(), alpha.get()),
            Self::Uniform { low, high } => Dist::uniform(low.get(), high.get()),
            Self::Empirical(values) => {
                let values: Vec<_> = values.iter().map(Given::get).collect();
                Dist::empirical(&values, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samplers are held against their laws in `sim-core`; here, that each is the one that is written.
    #[test]
    fn each_is_run_by_its_sampler() {
        let ms = SimDuration::from_millis;
        let mean = || Given::from(ms(20));
        for entry in Distribution::ALL {
            let (written, run) = match entry.name {
                "Constant" => (Distribution::Constant(mean()), Dist::constant(ms(20))),
                "Exponential" => (Distribution::Exponential(mean()), Dist::exponential(ms(20))),
                "Erlang" => (Distribution::Erlang { stages: 4.into(), mean: mean() }, Dist::erlang(4, ms(20))),
                "Hyperexponential" => (
                    Distribution::Hyperexponential(vec![(0.9.into(), ms(2).into()), (0.1.into(), ms(50).into())]),
                    Dist::hyperexponential(&[(0.9, ms(2)), (0.1, ms(50))]),
                ),
                "LogNormal" => (Distribution::LogNormal { mean: mean(), cv: 1.2.into() }, Dist::lognormal(ms(20), 1.2)),
                "Gamma" => (Distribution::Gamma { mean: mean(), cv: 0.5.into() }, Dist::gamma(ms(20), 0.5)),
                "Pareto" => (Distribution::Pareto { mean: mean(), alpha: 2.5.into() }, Dist::pareto(ms(20), 2.5)),
                "Uniform" => {
                    (Distribution::Uniform { low: ms(10).into(), high: ms(30).into() }, Dist::uniform(ms(10), ms(30)))
                }
                "Empirical" => (
                    Distribution::Empirical([8, 9, 25].map(|n| ms(n).into()).to_vec()),
                    Dist::empirical(&[8, 9, 25].map(ms), None),
                ),
                other => panic!("{other} has no sampler here"),
            };
            assert_eq!(written.compile(), run, "{}", entry.name);
        }
    }
}
