//! The commands, one file each.

mod check;
mod completions;
mod list;
mod new;
mod night;
mod reference;
mod run;
mod story;
mod tables;
mod validate;

use crate::exit::{self, Exit};
use crate::{input, term};
use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};
use models::problem::did_you_mean;

/// Watch software architectures being outgrown, request by request
#[derive(Debug, Parser)]
#[command(
    name = "outgrow",
    version,
    max_term_width = 100,
    after_help = after_help(),
)]
pub(crate) struct Program {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play the story: six years and the designs that carry them, then the World Cup night
    Story(story::Story),
    /// Play the World Cup night on a cluster that is too small
    Night(night::Night),
    /// Run scenarios and print what came out; several are compared
    Run(run::Run),
    /// Say everything that is wrong with scenarios, without running them
    Check(check::Check),
    /// List what can be written in a scenario, what comes out of it, and the library
    List(list::List),
    /// Write a first scenario to start from
    New(new::New),
    /// Hold the simulator against what is known: from queueing theory, other simulators, published systems
    Validate(validate::Validate),
    /// Print everything that can be written in a scenario, as a page in Markdown
    Reference(reference::Reference),
    /// Print completions for a shell
    Completions(completions::Completions),
}

fn after_help() -> String {
    format!(
        "\
Without a command, outgrow plays the story: six years, then the World Cup night.

Examples:
  outgrow                            play the story
  outgrow new shop                   write shop.ron, a scenario with comments
  outgrow run shop.ron               run it
  outgrow run shop.ron --set services.web.replicas=2
  outgrow list balancers             what there is to choose from

{}",
        exit::help()
    )
}

/// Reads the command line; if it asks for help, or makes no sense, the end has come.
pub(crate) fn parse() -> Result<Command, Exit> {
    match Program::try_parse() {
        Ok(program) => Ok(program.command.unwrap_or_else(|| Command::Story(story::Story::default()))),
        Err(error) => Err(explain(error)),
    }
}

impl Command {
    /// Does what was asked.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Story(story) => story.run(),
            Self::Night(night) => night.run(),
            Self::Run(run) => run.run(),
            Self::Check(check) => check.run(),
            Self::List(list) => list.run(),
            Self::New(new) => new.run(),
            Self::Validate(validate) => validate.run(),
            Self::Reference(reference) => reference.run(),
            Self::Completions(completions) => completions.run(),
        }
    }
}

/// Reads a number of threads.
fn jobs() -> impl TypedValueParser<Value = u16> {
    clap::value_parser!(u16).range(1..=1024)
}

/// Prints help where it was asked for, or else what is wrong with the command line.
fn explain(mut error: clap::Error) -> Exit {
    let unknown = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) => Some(word.clone()),
        _ => None,
    };
    if let Some(word) = &unknown
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let program = Program::command();
        let names = program.get_subcommands().map(clap::Command::get_name);
        let near: Vec<String> = did_you_mean(word, names).map(str::to_owned).into_iter().collect();
        if !near.is_empty() {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(near));
        }
    }
    // Nobody is left to tell if this fails.
    let _ = error.print();
    if let Some(word) = unknown.filter(|word| input::names_scenario(word)) {
        term::say(format_args!("\nTo run that scenario: outgrow run {word}"));
    }
    if error.use_stderr() { Exit::BadInput } else { Exit::Fine }
}
