//! `outgrow story`: the years, and the night.

use super::{jobs, night};
use crate::exit::Exit;
use crate::input::Change;
use crate::problems::{Rejected, Rejection};
use crate::report_file::ReportFile;
use crate::term::{self, Progress};
use crate::{input, interrupt};
use anyhow::bail;
use clap::Args;
use scenarios::document::{Document, Path, ReadError};
use scenarios::estimate::{EVENTS_PER_S, LONG_S};
use scenarios::library;
use scenarios::story::{self, LoadedStory, Options, StoryReport};
use serde_json::json;
use sim_core::time::SimDuration;
use std::path::PathBuf;

/// Arguments of `outgrow story`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
A product grows for six years. Each design carries it until something of it is too busy in the
evening; then the next takes over. Evenings are played request by request. Without FILE and
changes the story is the one that comes with the program, and the World Cup night follows. All of
it is also written to a page, outgrow-story.html, unless --json is given.

Examples:
  outgrow story                                the six years, then the night: a minute
  outgrow new mine --template story            write the story to a file, to change it
  outgrow story mine.ron                       play its years
  outgrow story --set designs.cluster.services.app.calls.db.pool=3
  outgrow story --evening 2.45y > evening.ron  take one evening out, as a scenario
  outgrow story --json > story.json            every figure, for programs")]
pub(crate) struct Story {
    /// A story file; left out, the six years that come with the program
    file: Option<PathBuf>,
    /// Change a value first, given as it would be written in the file; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = input::change)]
    set: Vec<Change>,
    /// Print the scenario of the evening so long after launch, such as 2.45y, and play nothing
    #[arg(long, value_name = "TIME", conflicts_with = "json")]
    evening: Option<SimDuration>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Write a page to this file [default: outgrow-story.html, without --json]
    #[arg(long, value_name = "FILE", conflicts_with = "evening")]
    report: Option<PathBuf>,
    /// Write no page
    #[arg(long, conflicts_with = "report")]
    no_report: bool,
    /// How many evenings at once; no figure depends on it [default: one a processor]
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Name the randomness; equal seeds give equal evenings [default: as the story says]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Story {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut told = self.told()?;
        if let Some(seed) = self.seed {
            told.story.evening.seed = seed;
        }
        if let Some(at) = self.evening {
            return evening(&told, at);
        }
        let file = self.report_file()?;
        let seconds = story::events(&told) / EVENTS_PER_S;
        if seconds > LONG_S {
            term::warning(&format!(
                "this story takes about {:.0} min on one core: shorter evenings take less",
                seconds / 60.0
            ));
        }
        interrupt::watch();
        let years = {
            let options = Options { jobs: self.jobs.map(usize::from), ..Options::default() };
            story::play(&told, options, &Progress::start())?
        };
        if !self.json {
            term::print(&years.text(&term::page()))?;
        }
        // The night is played on the story as it comes with the program.
        let with_night = self.file.is_none() && self.set.is_empty() && !years.partial;
        let night = if with_night { Some(night::play(false, self.seed, self.jobs)?) } else { None };
        if self.json {
            let night = night.as_ref().map(scenarios::night::Report::json);
            term::print(&format!("{:#}\n", json!({"years": years.json(), "night": night})))?;
        } else if let Some(night) = &night {
            term::print(&format!("\n{}", night.text(&term::page())))?;
        }
        // A part does not take the place of the whole, unless somebody asks for it.
        let whole = !years.partial && night.as_ref().is_none_or(|night| !night.partial);
        if let Some(file) = file.filter(|_| whole || self.report.is_some()) {
            file.write(&years.html(night.as_ref()))?;
        }
        Ok(end(&years, night.as_ref()))
    }

    /// The story, with the changes made.
    fn told(&self) -> Result<LoadedStory, Rejected> {
        let name = self.file.as_ref().map_or_else(|| "the story".to_owned(), |file| file.display().to_string());
        let load = || {
            let document = match &self.file {
                None => LoadedStory::built_in().document,
                Some(file) => Document::read(file).map_err(|error| self.unreadable(&name, error))?,
            };
            if document.get(&Path::root().name("clients")).is_some() {
                return Err(Rejection::Unreadable {
                    message: format!("`{name}` is a scenario, not a story"),
                    help: vec![format!("to run it: outgrow run {name}")],
                });
            }
            let document = input::changed(document, &self.set)?;
            LoadedStory::document(document).map_err(|error| input::rejection(&name, error))
        };
        load().map_err(|rejection| Rejected(vec![rejection]))
    }

    /// Why a story cannot be read, with what may have been meant.
    fn unreadable(&self, name: &str, error: ReadError) -> Rejection {
        let help = if library::find(name).is_some() {
            vec![format!("that is a scenario of the library: outgrow run {name}")]
        } else {
            vec![
                "without a file the story that comes with the program is played".to_owned(),
                "`outgrow new NAME --template story` writes it to a file".to_owned(),
            ]
        };
        Rejection::Unreadable { message: error.to_string(), help }
    }

    /// Where the page goes. If nobody has named a file, one that cannot be written is no error.
    fn report_file(&self) -> anyhow::Result<Option<ReportFile>> {
        match &self.report {
            Some(path) => ReportFile::check(path).map(Some),
            None if self.json || self.no_report => Ok(None),
            None => match ReportFile::check(PAGE.as_ref()) {
                Ok(file) => Ok(Some(file)),
                Err(error) => {
                    term::warning(&format!("{error:#}"));
                    Ok(None)
                }
            },
        }
    }
}

/// The page that is written if no other is named.
const PAGE: &str = "outgrow-story.html";

fn end(years: &StoryReport, night: Option<&scenarios::night::Report>) -> Exit {
    if years.partial || night.is_some_and(|night| night.partial) {
        term::warning("the story is partial: it was stopped before all of it was played");
        Exit::Stopped
    } else {
        Exit::Fine
    }
}

/// Prints the scenario of one evening.
fn evening(told: &LoadedStory, at: SimDuration) -> anyhow::Result<Exit> {
    if at > told.end() {
        bail!("the story ends {} after launch: {at} is later", told.end());
    }
    term::print(told.evening(told.in_force(at), at).text())?;
    Ok(Exit::Fine)
}
