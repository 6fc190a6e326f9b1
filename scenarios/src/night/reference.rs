//! The night held against an independent prototype of the same model.

use super::{Ending, Report};
use serde_json::{Value, json};
use sim_core::stats::{Estimate, fisher_exact};
use std::fmt::Write as _;

/// Family-wise level of the tests on collapses: a night that is the same model fails one of them once
/// in a hundred times.
const LEVEL: f64 = 0.01;

/// Means of availability given the ending agree within this, plus what rounding of the reference's
/// figure allows.
const WITHIN: f64 = 0.005;

/// How the table agrees with the reference, row by row.
#[derive(Clone, Debug)]
pub struct Agreement {
    rows: Vec<RowAgreement>,
}

#[derive(Clone, Debug)]
struct RowAgreement {
    label: &'static str,
    collapsed: (u64, u64),
    reference: (u64, u64),
    /// Two-sided p-value of Fisher's exact test.
    p: f64,
    /// By ending: our mean, theirs, and whether they agree.
    given: Vec<(Ending, f64, f64, bool)>,
    agrees: bool,
}

impl Report {
    /// Each row held against the reference, if this is the full night.
    pub fn against_reference(&self) -> Option<Agreement> {
        if self.kappas.is_empty() {
            return None;
        }
        let level = LEVEL / self.rows.len() as f64;
        let row = |played: &super::Played| {
            let reference = played.row.reference?;
            let (k, n) = (played.collapsed() as u64, played.nights.len() as u64);
            if n == 0 {
                return None;
            }
            let p = fisher_exact(k, n, reference.collapsed, reference.nights);
            let given = reference.given.iter().filter_map(|&(ending, theirs)| {
                let ours = played.nights.iter().filter(|n| n.ending() == ending).map(|n| n.availability);
                let ours = Estimate::from_replications(&ours.collect::<Vec<_>>())?.mean;
                Some((ending, ours, theirs, (ours - theirs).abs() <= WITHIN + rounding(theirs)))
            });
            let given: Vec<_> = given.collect();
            let agrees = p >= level && given.iter().all(|(.., agrees)| *agrees);
            let reference = (reference.collapsed, reference.nights);
            Some(RowAgreement { label: played.row.label, collapsed: (k, n), reference, p, given, agrees })
        };
        Some(Agreement { rows: self.rows.iter().filter_map(row).collect() })
    }
}

/// Half a unit of the last digit that the reference gives: two digits or four.
fn rounding(theirs: f64) -> f64 {
    let hundredths = theirs * 100.0;
    if (hundredths - hundredths.round()).abs() < 1e-9 && theirs < 1.0 { 0.005 } else { 0.0005 }
}

impl Agreement {
    /// How many rows differ.
    pub fn differing(&self) -> usize {
        self.rows.iter().filter(|row| !row.agrees).count()
    }

    /// As tables for people have it: label, ours, theirs, p, by ending, and whether it agrees.
    pub(super) fn rows(&self) -> impl Iterator<Item = ([String; 5], bool)> {
        self.rows.iter().map(|row| {
            let ((k, n), (rk, rn)) = (row.collapsed, row.reference);
            let given = row
                .given
                .iter()
                .map(|(ending, ours, theirs, _)| format!("{} {ours:.4} (reference {theirs})", ending.name()));
            let given = given.collect::<Vec<_>>().join("; ");
            let cells =
                [row.label.to_owned(), format!("{k} of {n}"), format!("{rk} of {rn}"), format!("{:.3}", row.p), given];
            (cells, row.agrees)
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let given = row
                .given
                .iter()
                .map(|(ending, ours, theirs, _)| format!("{} {ours:.4} (reference {theirs})", ending.name()));
            let ((k, n), (rk, rn)) = (row.collapsed, row.reference);
            let _ = writeln!(
                text,
                "{}  {}\n    collapsed {k} of {n}, reference {rk} of {rn}, p = {:.3}; {}",
                if row.agrees { "agrees " } else { "DIFFERS" },
                row.label,
                row.p,
                given.collect::<Vec<_>>().join("; ")
            );
        }
        let _ = writeln!(
            text,
            "\n{} of {} rows differ. Agreement: Fisher's exact test on collapses at a family-wise level of 1%, and the\n\
             mean availability given the ending within 0.005, plus the rounding of the reference.",
            self.differing(),
            self.rows.len()
        );
        text
    }

    pub(super) fn json(&self) -> Value {
        let row = |row: &RowAgreement| {
            let given = row.given.iter().map(|(ending, ours, theirs, agrees)| {
                json!({"ending": ending.name(), "availability": ours, "reference": theirs, "agrees": agrees})
            });
            json!({
                "configuration": row.label,
                "collapsed": row.collapsed.0, "nights": row.collapsed.1,
                "reference_collapsed": row.reference.0, "reference_nights": row.reference.1,
                "p": row.p,
                "given": given.collect::<Vec<_>>(),
                "agrees": row.agrees,
            })
        };
        json!({"differing": self.differing(), "rows": self.rows.iter().map(row).collect::<Vec<_>>()})
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

#[cfg(test)]
mod tests {
    use super::super::{Night, Played, Row, rows};
    use super::*;

    /// A night of the given availability that ended so.
    fn night(ending: Ending, availability: f64) -> Night {
        let windows = match ending {
            Ending::FirstGoal => [1.0, 0.1, 0.0, 0.0, 0.0],
            Ending::SecondGoal => [1.0, 0.9, 0.1, 0.0, 0.0],
            Ending::ThirdGoal => [1.0, 1.0, 1.0, 1.0, 0.0],
            Ending::Held => [1.0; 5],
        };
        Night { availability, windows, amplification: 1.0, events: 1, series: None }
    }

    /// The full night as the reference had it, with one row's nights put in place of its own.
    fn with(label: &str, nights: Vec<Night>) -> Agreement {
        let as_reference = |row: &Row| {
            let reference = row.reference.expect("every row of the table has a reference");
            let (held, lost): (Vec<_>, Vec<_>) =
                reference.given.iter().partition(|(ending, _)| *ending == Ending::Held);
            let lost = (0..reference.collapsed).map(|i| lost[i as usize % lost.len().max(1)]);
            let held = (reference.collapsed..reference.nights).map(|_| held[0]);
            lost.chain(held).map(|&(ending, availability)| night(ending, availability)).collect::<Vec<_>>()
        };
        let played = rows().into_iter().map(|row| {
            let nights = if row.label == label { nights.clone() } else { as_reference(&row) };
            Played { row, nights }
        });
        let report = Report {
            seed: 1,
            rows: played.collect(),
            kappas: vec![("0.0003", vec![])],
            separate: vec![],
            partial: false,
        };
        report.against_reference().expect("this is a full night")
    }

    #[test]
    fn the_reference_agrees_with_itself() {
        assert_eq!(with("none", vec![]).differing(), 0);
    }

    #[test]
    fn another_share_of_collapses_differs() {
        let never = vec![night(Ending::Held, 0.9826); 30];
        assert_eq!(with(super::super::SIX, never).differing(), 1);
        // None of thirty where the reference lost six of thirty: p is 0.02, which in a family of
        // fourteen tests is no surprise; none of a hundred is one.
        assert_eq!(with(super::super::SMALL_POOLS, vec![night(Ending::Held, 1.0); 30]).differing(), 0);
        assert_eq!(with(super::super::SMALL_POOLS, vec![night(Ending::Held, 1.0); 100]).differing(), 1);
    }

    #[test]
    fn another_availability_differs() {
        let off = |by: f64| with(super::super::CAPPED, vec![night(Ending::Held, 0.9826 + by); 30]).differing();
        assert_eq!((off(0.004), off(0.006), off(-0.006)), (0, 1, 1));
    }
}
