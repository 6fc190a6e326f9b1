//! This example demonstrates:
//!
//! - the story as a library: growth, designs, and the days on which one gives way to the next,
//! - that one number, of which nobody is sure, may decide when a design is outgrown,
//! - the difference between a trigger, a limit, and a limit that no size moves.
//!
//! The question: **how long will the cluster last?** It is outgrown when its database is above 80% in
//! the evening. How much a database does with many connections hangs on kappa, the cost of keeping
//! every pair of them in step, which is a guess; and on how many connections each server is given,
//! which is a choice. No evening is simulated here: the utilisation law answers in milliseconds.
//!
//! Run it with `cargo run -p examples --example 04_a_story`.

use scenarios::document::Document;
use scenarios::growth::years;
use scenarios::story::LoadedStory;
use std::fmt::Write as _;

const KAPPA: &str = "designs.cluster.services.db.processor.kappa";
const POOL: &str = "designs.cluster.services.app.calls.db.pool";

fn main() -> anyhow::Result<()> {
    print!("{}", lesson()?);
    Ok(())
}

/// What the example prints.
///
/// # Errors
/// The story that comes with the program has no such cluster any more.
pub(crate) fn lesson() -> anyhow::Result<String> {
    let mut text = "   kappa  pool   outgrown   full by   most it does\n".to_owned();
    for kappa in ["0.001", "0.0003", "0.0001"] {
        for pool in ["8", "3"] {
            let mut document = Document::parse("six-years.ron", LoadedStory::built_in_text());
            document.set(&KAPPA.parse()?, kappa)?;
            document.set(&POOL.parse()?, pool)?;
            let passages = LoadedStory::document(document)?.passages();
            let cluster = &passages[1];
            let year = |at| format!("{:.2}", years(at));
            let outgrown = cluster.outgrown.as_ref().map_or_else(|| "never".to_owned(), |o| year(o.at));
            let full = cluster.full.as_ref().map_or_else(|| "never".to_owned(), |full| year(full.at));
            // With so many servers; more of them do less.
            let ceiling = cluster.ceiling.as_ref().map_or_else(
                || "grows with its size".to_owned(),
                |ceiling| format!("{:.0}/s with {} servers", ceiling.per_s, ceiling.replicas[0]),
            );
            writeln!(text, "{kappa:>8}  {pool:>4}   {outgrown:>8}   {full:>7}   {ceiling}")?;
        }
    }
    Ok(text)
}
