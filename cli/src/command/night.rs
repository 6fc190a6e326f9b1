//! `outgrow night`.
use crate::exit::Exit;
use clap::Args;
/// Arguments of `outgrow night`.
#[derive(Debug, Default, Args)]
pub(crate) struct Night {}
impl Night {
    pub(crate) fn run(self) -> anyhow::Result<Exit> { Ok(Exit::Fine) }
}
