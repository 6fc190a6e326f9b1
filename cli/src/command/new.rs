//! `outgrow new`: a first scenario to start from.

use crate::exit::Exit;
use crate::term;
use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use scenarios::library;
use scenarios::story::LoadedStory;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Arguments of `outgrow new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  outgrow new shop                          write shop.ron: one server
  outgrow new shop --template three-tiers   web, application and database
  outgrow new storm --from retry-storm      a scenario of the library, to change
  outgrow list templates                    what there is to start from
  outgrow run shop.ron                      then run it")]
pub(crate) struct New {
    /// Name of the scenario; NAME.ron is written, never over a file that is there
    name: String,
    /// What to start from
    #[arg(long, value_enum, default_value = "one-server")]
    template: Template,
    /// Start from a scenario of the library instead: `outgrow list library`
    #[arg(long, value_name = "SCENARIO", conflicts_with = "template", value_parser = PossibleValuesParser::new(library::ALL.iter().map(|entry| entry.name)), hide_possible_values = true)]
    from: Option<String>,
}

/// The scenarios to start from, from small to large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Template {
    /// One server and its queue
    OneServer,
    /// A web server, an application and a database, with a connection pool
    ThreeTiers,
    /// A load-balanced cluster in front of one database, before a rush
    Cluster,
    /// Services that call each other, a cache and database shards
    Services,
    /// Six years of growth and the designs that carry it, for `outgrow story`
    Story,
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Self::OneServer => include_str!("../../templates/one-server.ron"),
            Self::ThreeTiers => include_str!("../../templates/three-tiers.ron"),
            Self::Cluster => include_str!("../../templates/cluster.ron"),
            Self::Services => include_str!("../../templates/services.ron"),
            Self::Story => LoadedStory::built_in_text(),
        }
    }
}

impl New {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let name = self.name.strip_suffix(".ron").unwrap_or(&self.name);
        if name.is_empty() || name.ends_with(std::path::is_separator) {
            bail!("`{}` is no name for a scenario: write for example `outgrow new shop`", self.name);
        }
        let shown = format!("{name}.ron");
        let from = self.from.and_then(|from| library::find(&from));
        let text = from.map_or(self.template.text(), |entry| entry.text);
        write(&shown, text)?;
        // The traces it replays go beside it.
        let folder = Path::new(&shown).parent().unwrap_or(Path::new(""));
        for (trace, counts) in library::traces().filter(|(trace, _)| text.contains(&format!("\"{trace}\""))) {
            let beside = folder.join(trace);
            if !beside.exists() {
                write(&beside.to_string_lossy(), counts)?;
            }
        }
        let quoted = if shown.contains(' ') { format!("'{shown}'") } else { shown.clone() };
        term::say(format_args!("wrote {shown}. Read its comments, then:"));
        if self.template == Template::Story {
            term::say(format_args!("  outgrow story {quoted}                  play its years"));
            term::say(format_args!("  outgrow story {quoted} --evening 2.45y  take one evening out, as a scenario"));
        } else {
            term::say(format_args!("  outgrow check {quoted}   what it contains, and what a run costs"));
            term::say(format_args!("  outgrow run {quoted}     what comes of it"));
        }
        Ok(Exit::Fine)
    }
}

/// Writes a new file, never over one that is there.
fn write(shown: &str, text: &str) -> anyhow::Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).open(shown) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("`{shown}` is there already and stays as it is: choose another name, or move it away")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write `{shown}`")),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write `{shown}`"))
}
