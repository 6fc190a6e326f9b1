//! `outgrow run`.
use crate::exit::Exit;
use clap::Args;
/// Arguments of `outgrow run`.
#[derive(Debug, Default, Args)]
pub(crate) struct Run {}
impl Run {
    pub(crate) fn run(self) -> anyhow::Result<Exit> { Ok(Exit::Fine) }
}
