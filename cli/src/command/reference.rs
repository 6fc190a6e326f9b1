//! `outgrow reference`: everything that can be written in a scenario, from the code that reads it.

use crate::exit::Exit;
use crate::term;
use clap::Args;

/// Arguments of `outgrow reference`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  outgrow reference | less
  outgrow reference > reference.md")]
pub(crate) struct Reference {}

impl Reference {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        term::print(&scenarios::reference::page())?;
        Ok(Exit::Fine)
    }
}
