//! `outgrow validate`: the simulator against what is known.

use super::jobs;
use crate::exit::Exit;
use crate::interrupt;
use crate::problems::{Rejected, Rejection};
use crate::term::{self, Progress};
use clap::Args;
use models::problem::did_you_mean;
use scenarios::validate::{self, Case, Collection, Options, SEED};

/// Arguments of `outgrow validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every case is a scenario whose figures are known: from queueing theory, from other simulators (peers),
or as published of systems. The exit code is 1 if one of them comes out otherwise, or if all errors
together are more than chance explains.

Examples:
  outgrow validate --quick           the cheap cases, in less than a minute
  outgrow validate                   all of them, in some minutes
  outgrow validate --collection peers
  outgrow validate --family closed
  outgrow validate --case mm1_rho80
  outgrow validate --page > full.md  as a page; docs/validation.md is that of --quick")]
pub(crate) struct Validate {
    /// Only the cases that are cheap
    #[arg(long)]
    quick: bool,
    /// Only the cases of this collection: theory, peers or published; may be given several times
    #[arg(long, value_name = "NAME")]
    collection: Vec<String>,
    /// Only the cases of this family; may be given several times
    #[arg(long, value_name = "NAME")]
    family: Vec<String>,
    /// Only this case; may be given several times
    #[arg(long, value_name = "ID")]
    case: Vec<String>,
    /// Print one JSON document
    #[arg(long, conflicts_with = "page")]
    json: bool,
    /// Print a page in Markdown
    #[arg(long)]
    page: bool,
    /// How many replications at once; no figure depends on it [default: one a processor]
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Name the randomness; lengths were planned with 2, so that 2 is no proof
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
}

impl Validate {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let cases = self.cases()?;
        interrupt::watch();
        let options = Options { seed: self.seed, jobs: self.jobs.map(usize::from) };
        let validation = validate::validate(&cases, &options, &Progress::start())?;
        let text = if self.json {
            format!("{:#}\n", validation.json())
        } else if self.page {
            validation.page()
        } else {
            validation.text(&term::page())
        };
        term::print(&text)?;
        if validation.partial {
            term::warning("the validation is partial: it was stopped before all cases were run");
            return Ok(Exit::Stopped);
        }
        if !validation.passes() {
            term::error("the simulator does not agree with what is known");
            return Ok(Exit::Failed);
        }
        Ok(Exit::Fine)
    }

    /// The cases that are asked for.
    fn cases(&self) -> anyhow::Result<Vec<Case>> {
        let all = validate::cases();
        let collections = Collection::ALL.iter().map(|collection| collection.name());
        let unknown = self.collection.iter().filter_map(|name| unknown("collection", name, collections.clone()));
        let families = all.iter().map(|case| case.family.as_str());
        let unknown =
            unknown.chain(self.family.iter().filter_map(|name| self::unknown("family", name, families.clone())));
        let ids = all.iter().map(|case| case.id.as_str());
        let unknown = unknown.chain(self.case.iter().filter_map(|name| self::unknown("case", name, ids.clone())));
        let unknown: Vec<Rejection> = unknown.collect();
        if !unknown.is_empty() {
            return Err(Rejected(unknown).into());
        }
        let any = self.collection.is_empty() && self.family.is_empty() && self.case.is_empty();
        let named = |case: &Case| {
            self.collection.iter().any(|name| name == case.collection.name())
                || self.family.contains(&case.family)
                || self.case.contains(&case.id)
        };
        let asked = |case: &Case| (any || named(case)) && (case.quick || !self.quick);
        let asked: Vec<Case> = all.iter().filter(|case| asked(case)).cloned().collect();
        if asked.is_empty() {
            return Err(Rejected(vec![Rejection::Unreadable {
                message: "none of these cases is a quick one".to_owned(),
                help: vec!["leave --quick out".to_owned()],
            }])
            .into());
        }
        Ok(asked)
    }
}

/// Says that there is no such family or case.
fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<Rejection> {
    if names.clone().any(|known| known == name) {
        return None;
    }
    let help = match did_you_mean(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let mut names: Vec<&str> = names.collect();
            names.dedup();
            format!("there are {}", names.join(", "))
        }
    };
    Some(Rejection::Unreadable { message: format!("there is no {what} `{name}`"), help: vec![help] })
}
