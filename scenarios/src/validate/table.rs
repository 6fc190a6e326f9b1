//! The table of cases: whose value, which value, and which figure of a run it is compared with.
//!
//! It is the file `validation/cases.ron`, and each of its cases has a scenario beside it, which says how
//! it is run: warm-up, horizon, replications. Values are facts of the literature; each case names where
//! they come from.

use super::quantity::Quantity;
use crate::document::Document;
use crate::library::Entry;
use crate::load::{LoadError, Loaded, Traces};
use serde::Deserialize;

/// Where values come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Collection {
    /// Queueing theory.
    #[default]
    Theory,
    /// Other simulators.
    Peers,
    /// What others wrote about systems.
    Published,
}

impl Collection {
    /// Every collection, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Theory, Self::Peers, Self::Published];

    /// Its name in commands and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Theory => "theory",
            Self::Peers => "peers",
            Self::Published => "published",
        }
    }

    /// Its name on a page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Theory => "Queueing theory",
            Self::Peers => "Other simulators",
            Self::Published => "Published systems",
        }
    }
}

/// A case: a system of which something is known, and what that is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, which is that of its scenario.
    pub id: String,
    /// Where its values come from.
    #[serde(default)]
    pub collection: Collection,
    /// Cases of other collections that have the same values, or some of them, and need no scenario for these.
    #[serde(default)]
    pub same_as: Vec<String>,
    /// The family it belongs to, in a word.
    pub family: String,
    /// What the family is.
    pub about: String,
    /// Where exactly the values come from.
    pub source: String,
    /// Whether it is cheap enough for every day.
    #[serde(default)]
    pub quick: bool,
    /// What is compared. The first that is exact stands for the case where cases are added up.
    pub metrics: Vec<Metric>,
}

/// A value that is known.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value.
    pub theory: f64,
    /// How far the simulation may be off.
    #[serde(default)]
    pub within: Tolerance,
    /// What sort of value it is.
    #[serde(default)]
    pub kind: Kind,
    /// What of a run it is compared with.
    pub of: Quantity,
}

/// How far a simulation may be off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum Tolerance {
    /// By nothing: a bound, or a value that cannot vary.
    #[default]
    None,
    /// By as much.
    Absolute(f64),
    /// By this share of the value.
    Relative(f64),
}

/// What sort of value is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum Kind {
    /// The value itself, proven or to as many digits as are used here.
    #[default]
    Exact,
    /// The value itself, at an end of what a run can give, as a median of 0: a run can err to one side
    /// only, so that it is held against its tolerance and counts in no test of errors.
    Edge,
    /// Close to the value, within the tolerance.
    Approximation,
    /// The value of an infinitely large system.
    Limit,
    /// What somebody else's simulation found, with an error of its own.
    Estimate {
        /// Half the width of its 95% interval.
        ci95: f64,
    },
    /// What the value is at most.
    UpperBound,
    /// What the value is at least.
    LowerBound,
}

impl Kind {
    /// Its name on a page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Edge => "edge",
            Self::Approximation => "approximation",
            Self::Limit => "limit",
            Self::Estimate { .. } => "estimate",
            Self::UpperBound => "at most",
            Self::LowerBound => "at least",
        }
    }
}

impl Metric {
    /// How far a simulation may be off, in the unit of the value: from an estimate by three of its standard
    /// errors, which it is off by itself once in 370 times.
    pub fn tolerance(&self) -> f64 {
        match self.within {
            Tolerance::None => 3.0 * self.error(),
            Tolerance::Absolute(most) => most,
            Tolerance::Relative(share) => share * self.theory.abs(),
        }
    }

    /// The standard error of the value itself.
    pub fn error(&self) -> f64 {
        match self.kind {
            Kind::Estimate { ci95 } => ci95 / 1.96,
            _ => 0.0,
        }
    }
}

/// Every case, in the order of the page.
///
/// # Panics
/// If the file cannot be read; a test sees to it that it can.
pub fn cases() -> Vec<Case> {
    read(include_str!("../../validation/cases.ron")).unwrap_or_else(|error| panic!("validation/cases.ron:{error}"))
}

/// Cases as written.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn read(text: &str) -> Result<Vec<Case>, ron::error::SpannedError> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(text)
}

impl Case {
    /// The text of its scenario.
    pub fn text(&self) -> Option<&'static str> {
        super::files::ALL.iter().find(|entry| entry.name == self.id).map(|entry| entry.text)
    }

    /// Its scenario.
    ///
    /// # Errors
    /// What is wrong with it; a test sees to it that nothing is.
    ///
    /// # Panics
    /// If there is no such file; a test sees to it that there is.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let text = self.text().unwrap_or_else(|| panic!("there is no scenario validation/{}.ron", self.id));
        Loaded::document(Document::parse(&format!("{}.ron", self.id), text), &Traces::Library)
    }
}

/// Every scenario of the folder `validation`.
pub fn scenarios() -> &'static [Entry] {
    super::files::ALL
}

/// A case, or a part of one, that no scenario can express yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold {
    /// The collection it belongs to.
    pub collection: Collection,
    /// Its name there.
    pub case: &'static str,
    /// Which part of it; empty if it is all of it.
    pub part: &'static str,
    /// What it waits for.
    pub waits_for: &'static str,
}

impl Untold {
    const fn whole(collection: Collection, case: &'static str, waits_for: &'static str) -> Self {
        Self { collection, case, part: "", waits_for }
    }
}

const NUMBERS: &str = "numbers: the source has none that a run could be held against";

/// What waits for a word, in the order of the page.
pub const UNTOLD: &[Untold] = &[
    Untold::whole(
        Collection::Published,
        "aws_backoff_sim",
        "a row with a version: a write fails if another came since the read",
    ),
    Untold {
        collection: Collection::Published,
        case: "brooker_retry_budget",
        part: "adaptive_10pct, its run",
        waits_for: "a retry budget that every request fills; here every success does",
    },
    Untold {
        collection: Collection::Published,
        case: "brooker_retry_budget",
        part: "breaker_10pct",
        waits_for: "a circuit breaker that stops repeats alone; here it stops calls",
    },
    Untold {
        collection: Collection::Published,
        case: "usl_specsdm91",
        part: "measured with one user",
        waits_for: "another law: the one that was fitted gives 90, and 64.9 was measured",
    },
    Untold::whole(Collection::Published, "metastable_osdi22", NUMBERS),
    Untold::whole(Collection::Published, "uqsim_models", NUMBERS),
    Untold::whole(Collection::Published, "hpa_cases", "nothing: no run but a calculation, tested where it stands"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Plan;
    use crate::validate::quantity::Quantity;

    #[test]
    fn every_case_has_what_it_is_compared_by() {
        for case in cases() {
            let loaded = case.load().unwrap_or_else(|error| panic!("{}: {error}", case.id));
            let figures: Vec<String> = Plan::of(&loaded, loaded.horizon()).paths().collect();
            for metric in &case.metrics {
                for figure in metric.of.figures() {
                    assert!(figures.iter().any(|known| known == figure), "{}: there is no {figure}", case.id);
                }
                if let Some(service) = metric.of.service() {
                    assert!(loaded.scenario.services.contains_key(service), "{}: there is no {service}", case.id);
                }
                if let Quantity::FirstWait(client) = &metric.of {
                    assert!(loaded.scenario.clients.contains_key(client), "{}: there is no {client}", case.id);
                }
            }
        }
    }

    #[test]
    fn a_table_says_where_it_is_wrong() {
        let error = read("[(id: \"x\", family: \"x\", about: \"x\", sauce: \"x\", metrics: [])]").unwrap_err();
        assert!(error.to_string().contains("sauce"), "{error}");
    }
}
