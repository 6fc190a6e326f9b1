//! `outgrow completions`.

use super::Program;
use crate::exit::Exit;
use crate::term;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Arguments of `outgrow completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  outgrow completions bash > ~/.local/share/bash-completion/completions/outgrow
  outgrow completions zsh > ~/.zfunc/_outgrow
  outgrow completions fish > ~/.config/fish/completions/outgrow.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Program::command(), "outgrow", &mut script);
        term::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Fine)
    }
}
