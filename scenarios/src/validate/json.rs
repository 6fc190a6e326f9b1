//! A validation for programs.

use super::{Judged, JudgedCase, Validation};
use serde_json::{Value, json};

impl Validation {
    /// One document: every case with its metrics, then what all errors say together.
    pub fn json(&self) -> Value {
        let together = &self.together;
        let largest = together
            .largest
            .as_ref()
            .map(|(case, metric, z, p)| json!({"case": case, "metric": metric, "z": z, "p_value": p}));
        let spread = together.spread.map(
            |spread| json!({"count": spread.count, "sum_of_squares": spread.sum_of_squares, "p_value": spread.p_value}),
        );
        let too_large = |(case, metric): &(String, String)| json!({"case": case, "metric": metric});
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "seed": self.seed,
            "partial": self.partial,
            "passes": self.passes(),
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
            "together": {
                "errors": together.errors,
                "largest": largest,
                "too_large": together.too_large.iter().map(too_large).collect::<Vec<_>>(),
                "spread": spread,
            },
        })
    }
}

fn case(judged: &JudgedCase) -> Value {
    let JudgedCase { case, metrics, replications, counted_s, events } = judged;
    json!({
        "case": case.id,
        "collection": case.collection.name(),
        "family": case.family,
        "about": case.about,
        "source": case.source,
        "replications": replications,
        "counted_s": counted_s,
        "events": events,
        "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
    })
}

fn metric(judged: &Judged) -> Value {
    let Judged { metric, simulated, z, verdict } = judged;
    let tolerance = (metric.tolerance() > 0.0).then(|| metric.tolerance());
    json!({
        "metric": metric.name,
        "kind": metric.kind.name(),
        "theory": metric.theory,
        "tolerance": tolerance,
        "mean": simulated.map(|simulated| simulated.mean),
        "ci95": simulated.map(|simulated| simulated.half_width()),
        "standard_error": simulated.map(|simulated| simulated.error),
        "z": z,
        "p_value": judged.p_value(),
        "verdict": verdict.name(),
    })
}
