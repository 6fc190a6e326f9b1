//! `outgrow night`: the World Cup night.

use super::jobs;
use crate::exit::Exit;
use crate::problems::Rejected;
use crate::report_file::ReportFile;
use crate::term::{self, Progress};
use crate::{input, interrupt};
use clap::Args;
use scenarios::night::{self, Options, Report};
use std::path::PathBuf;

/// Arguments of `outgrow night`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
A cluster of six servers and one database meets a football match. Every row of the table is one
remedy, played request by request on the same evenings.

Examples:
  outgrow night                      the table, in about a minute
  outgrow night --full               30 nights a row, and how much hangs on what is guessed
  outgrow night --report night.html  the same as a web page, with every evening drawn
  outgrow night --json > night.json")]
pub(crate) struct Night {
    /// Play 30 nights a row, with other contention and other queues too: about half an hour
    #[arg(long)]
    full: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// How many nights at once; no figure depends on it [default: one a processor]
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Name the randomness; equal seeds give equal nights [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Also write a web page with charts; only an earlier report is written over
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Night {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let page = self.report.as_deref().map(ReportFile::check).transpose()?;
        interrupt::watch();
        let report = play(self.full, self.seed, self.jobs)?;
        let text = if self.json { format!("{:#}\n", report.json()) } else { report.text(&term::page()) };
        term::print(&text)?;
        if let Some(page) = page {
            page.write(&report.html())?;
        }
        if report.partial {
            term::warning("the night is partial: it was stopped before all nights were played");
            return Ok(Exit::Stopped);
        }
        if let Some(agreement) = report.against_reference()
            && agreement.differing() > 0
        {
            term::error(&format!("{} rows differ from the reference", agreement.differing()));
            return Ok(Exit::Failed);
        }
        Ok(Exit::Fine)
    }
}

/// Plays the night, and shows how far it is.
pub(super) fn play(full: bool, seed: Option<u64>, jobs: Option<u16>) -> anyhow::Result<Report> {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = jobs.map_or_else(processors, usize::from);
    let options = Options { full, seed: seed.unwrap_or(1), jobs };
    let nights = night::nights(full);
    if full {
        term::say(format_args!("playing {nights} nights, {jobs} at once: about half an hour on two processors"));
    }
    let report = night::play(options, &Progress::start())
        .map_err(|error| Rejected(vec![input::rejection("the night", error)]))?;
    Ok(report)
}
