//! The night as a JSON document.

use super::{Played, Report, WINDOWS};
use serde_json::{Value, json};
use sim_core::stats::{Estimate, wilson};

impl Report {
    /// As a JSON document.
    pub fn json(&self) -> Value {
        json!({
            "night": "world-cup-night",
            "seed": self.seed,
            "partial": self.partial,
            "rows": self.rows.iter().map(Played::json).collect::<Vec<_>>(),
            "kappa": self.kappas.iter().map(|(kappa, rows)| json!({
                "kappa": kappa, "rows": rows.iter().map(Played::json).collect::<Vec<_>>()
            })).collect::<Vec<_>>(),
            "separate_queues": self.separate.iter().map(Played::json).collect::<Vec<_>>(),
            "reference": self.against_reference().map(|agreement| agreement.json()),
            "events": self.events(),
        })
    }
}

impl Played {
    fn json(&self) -> Value {
        let estimate = |e: Option<Estimate>| match e {
            Some(e) => json!({"mean": e.mean, "ci95": e.half_width_95}),
            None => Value::Null,
        };
        let windows: serde_json::Map<_, _> = WINDOWS
            .iter()
            .enumerate()
            .map(|(i, name)| ((*name).to_owned(), estimate(self.estimate(|n| n.windows[i]))))
            .collect();
        let n = self.nights.len() as u64;
        let collapsed = self.collapsed() as u64;
        let interval = if n > 1 { json!(wilson(collapsed, n, 0.95)) } else { Value::Null };
        json!({
            "configuration": self.row.label,
            "changes": self.row.changes.iter().map(|(path, text)| json!({"path": path, "to": text})).collect::<Vec<_>>(),
            "nights": n,
            "collapsed": collapsed,
            "collapsed_ratio": if n > 0 { json!(collapsed as f64 / n as f64) } else { Value::Null },
            "collapsed_ratio_wilson95": interval,
            "availability": estimate(self.availability()),
            "attempts_per_request": estimate(self.estimate(|n| n.amplification)),
            "windows": windows,
            "availability_by_night": self.nights.iter().map(|n| n.availability).collect::<Vec<_>>(),
        })
    }
}
