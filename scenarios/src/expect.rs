//! What a scenario says should come out, held against what did.

use crate::document::{Path, Problem};
use crate::figures::Plan;
use crate::load::Loaded;
use crate::scenario::Expectation;
use indexmap::IndexSet;
use models::problem::{are_similar, did_you_mean};

/// An expectation and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What was expected.
    pub expectation: Expectation,
    /// What came out: the mean over the replications.
    pub found: Option<f64>,
    /// Whether it was met.
    pub judgement: Judgement,
}

/// Whether an expectation was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It was.
    Met,
    /// It was not.
    Missed,
    /// The figure does not exist in this run, so that it cannot be met.
    NoValue,
    /// The run did not go to its end, so that nothing follows.
    Open,
}

impl Judgement {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NoValue => "no value",
            Self::Open => "open",
        }
    }
}

/// An expectation of a figure that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no figure \"{figure}\"")]
pub struct UnknownFigure {
    /// What was written.
    pub figure: String,
    /// Figures that may have been meant, the nearest first.
    pub near: Vec<String>,
}

impl UnknownFigure {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self.near.as_slice() {
            [] => "name a figure by its place in the JSON document, for example metrics.availability".to_owned(),
            near => format!("did you mean {}?", near.join(" or ")),
        }
    }

    /// Near is a misspelling of the whole place, the right name in the wrong place, and a misspelling
    /// of the name, in this order.
    fn new(figure: &str, known: &[String]) -> Self {
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        let name = last(figure);
        let whole = did_you_mean(figure, known.iter().map(String::as_str)).map(str::to_owned);
        let elsewhere = known.iter().filter(|path| last(path) == name).cloned();
        let misspelt = known.iter().filter(|path| are_similar(&last(path), &name)).cloned();
        let near: IndexSet<String> = whole.into_iter().chain(elsewhere).chain(misspelt).collect();
        Self { figure: figure.to_owned(), near: near.into_iter().take(3).collect() }
    }
}

impl Judged {
    /// Whether it speaks against the scenario.
    pub const fn failed(&self) -> bool {
        matches!(self.judgement, Judgement::Missed | Judgement::NoValue)
    }

    /// A sentence: what was expected, and what came out.
    pub fn text(&self) -> String {
        let Expectation { figure, least, most, shows } = &self.expectation;
        let bounds = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => "any value".to_owned(),
        };
        let found = self.found.map_or_else(|| "none".to_owned(), crate::units::plain);
        let tail = match self.judgement {
            Judgement::Met | Judgement::Missed => format!("is {found}"),
            Judgement::NoValue => "does not exist in this run".to_owned(),
            Judgement::Open => format!("is {found} so far, in a partial run"),
        };
        let shows = shows.as_ref().map_or_else(String::new, |shows| format!(" ({shows})"));
        format!("{figure} should be {bounds} and {tail}{shows}")
    }
}

/// Holds expectations against a run: what figure has which mean in it, and whether it is partial.
pub fn judge(expectations: &[Expectation], partial: bool, mean: impl Fn(&str) -> Option<f64>) -> Vec<Judged> {
    let one = |expectation: &Expectation| {
        let found = mean(&expectation.figure);
        let within = |found: f64| {
            expectation.least.is_none_or(|least| found >= least) && expectation.most.is_none_or(|most| found <= most)
        };
        let judgement = match found {
            _ if partial => Judgement::Open,
            None => Judgement::NoValue,
            Some(found) if within(found) => Judgement::Met,
            Some(_) => Judgement::Missed,
        };
        Judged { expectation: expectation.clone(), found, judgement }
    };
    expectations.iter().map(one).collect()
}

/// What makes no sense about the expectations of a scenario: figures that there are not, bounds that
/// nothing can meet. Known before it is run.
pub fn problems(loaded: &Loaded) -> Vec<Problem> {
    let known: Vec<String> = Plan::of(loaded, loaded.horizon()).paths().collect();
    let mut problems = Vec::new();
    for (i, expectation) in loaded.scenario.expect.iter().enumerate() {
        let place = Path::default().name("expect").index(i);
        if !known.contains(&expectation.figure) {
            let unknown = UnknownFigure::new(&expectation.figure, &known);
            let problem = Problem::error(place.name("figure"), unknown.to_string());
            problems.push(problem.with_help(unknown.remedy()));
        }
        match (expectation.least, expectation.most) {
            (None, None) => {
                let problem = Problem::error(place, "this expects nothing: it has neither least nor most");
                problems.push(problem.with_help("write for example least: 0.99"));
            }
            (Some(least), Some(most)) if least > most => {
                let problem = Problem::error(place, format!("nothing is at least {least} and at most {most}"));
                problems.push(problem.with_help("exchange the two"));
            }
            _ => {}
        }
    }
    problems
}
