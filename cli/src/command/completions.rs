//! `outgrow completions`.

use super::Program;
use crate::exit::Exit;
use crate::term;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use scenarios::library;

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
        term::print(&with_scenarios(self.shell, &String::from_utf8_lossy(&script)))?;
        Ok(Exit::Fine)
    }
}

/// Where a scenario is asked for, the names of the library are completed beside files, which the script
/// that clap writes cannot say.
fn with_scenarios(shell: Shell, script: &str) -> String {
    let names: Vec<&str> = library::ALL.iter().map(|entry| entry.name).collect();
    let names = names.join(" ");
    match shell {
        Shell::Bash => format!(
            r#"{script}
_outgrow_scenarios() {{
    _outgrow "$@"
    local before="${{COMP_WORDS[COMP_CWORD-1]}}"
    if [[ "${{COMP_WORDS[1]}}" =~ ^(run|check)$ && "$2" != -* && ( "$before" != -* || "$before" == --json ) ]]; then
        COMPREPLY=( $(compgen -f -- "$2") $(compgen -W "{names}" -- "$2") )
    fi
}}
complete -F _outgrow_scenarios -o filenames -o bashdefault -o default outgrow
"#
        ),
        Shell::Zsh => {
            let both = format!(r#":{{_alternative "files:file:_files" "scenarios:scenario:({names})"}}' \"#);
            let line = |line: &str| match line.strip_suffix(r":_default' \") {
                Some(start) if start.starts_with("'*::scenarios ") => format!("{start}{both}\n"),
                _ => format!("{line}\n"),
            };
            script.lines().map(line).collect()
        }
        Shell::Fish => {
            let line = |command: &str| {
                format!("complete -c outgrow -n \"__fish_outgrow_using_subcommand {command}\" -a \"{names}\"\n")
            };
            format!("{script}{}{}", line("run"), line("check"))
        }
        _ => script.to_owned(),
    }
}
