//! The table of cases: which theory, which value, and which figure of a run it is compared with.
//!
//! It is the file `validation/cases.ron`, and each of its cases has a scenario beside it, which says how
//! it is run: warm-up, horizon, replications. Values are facts of the literature; each case names where
//! they come from.

use super::quantity::Quantity;
use crate::document::Document;
use crate::library::Entry;
use crate::load::{LoadError, Loaded, Traces};
use serde::Deserialize;

/// A case: a system that theory knows, and what theory says of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, which is that of its scenario.
    pub id: String,
    /// The family it belongs to, in a word.
    pub family: String,
    /// What the family is.
    pub about: String,
    /// Where the values come from.
    pub source: String,
    /// Whether it is cheap enough for every day.
    #[serde(default)]
    pub quick: bool,
    /// What is compared. The first that is exact stands for the case where cases are added up.
    pub metrics: Vec<Metric>,
}

/// A value that theory gives.
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

/// What sort of value theory gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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
            Self::UpperBound => "at most",
            Self::LowerBound => "at least",
        }
    }
}

impl Metric {
    /// How far a simulation may be off, in the unit of the value.
    pub fn tolerance(&self) -> f64 {
        match self.within {
            Tolerance::None => 0.0,
            Tolerance::Absolute(most) => most,
            Tolerance::Relative(share) => share * self.theory.abs(),
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
