//! The night held against an independent prototype of the same model.

use super::{Ending, Report};
use sim_core::stats::{Estimate, fisher_exact};
use std::fmt::Write as _;

impl Report {
    /// Each row held against the reference, if this is the full night.
    pub(super) fn against_reference(&self) -> Option<String> {
        if self.kappas.is_empty() {
            return None;
        }
        let level = 0.01 / self.rows.len() as f64;
        let mut text = String::new();
        let mut differ = 0;
        for played in &self.rows {
            let Some(reference) = played.row.reference else { continue };
            let (k, n) = (played.collapsed() as u64, played.nights.len() as u64);
            if n == 0 {
                continue;
            }
            let p = fisher_exact(k, n, reference.collapsed, reference.nights);
            let mut fits = p >= level;
            let mut given = Vec::new();
            for &(ending, theirs) in reference.given {
                let ours: Vec<f64> =
                    played.nights.iter().filter(|n| n.ending() == ending).map(|n| n.availability).collect();
                if let Some(estimate) = Estimate::from_replications(&ours) {
                    fits &= (estimate.mean - theirs).abs() <= 0.005;
                    given.push(format!("{} {:.4} (reference {theirs})", ending.name(), estimate.mean));
                }
            }
            differ += u32::from(!fits);
            let _ = writeln!(
                text,
                "{}  {}\n    collapsed {k} of {n}, reference {} of {}, p = {p:.3}; {}",
                if fits { "agrees " } else { "DIFFERS" },
                played.row.label,
                reference.collapsed,
                reference.nights,
                given.join("; ")
            );
        }
        let _ = writeln!(
            text,
            "\n{differ} rows differ. Agreement: Fisher's exact test on collapses at a family-wise level of 1%, and\n\
             availability given the ending within 0.005."
        );
        Some(text)
    }
}

impl Ending {
    const fn name(self) -> &'static str {
        match self {
            Self::FirstGoal => "lost after goal 1:",
            Self::SecondGoal => "lost after goal 2:",
            Self::ThirdGoal => "lost after goal 3:",
            Self::Held => "held:",
        }
    }
}
