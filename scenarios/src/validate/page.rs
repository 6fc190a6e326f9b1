//! A validation as a page in Markdown: `docs/validation.md` is that of the quick cases.

use super::text::{number, short, simulated, z};
use super::{Judged, JudgedCase, Kind, Tolerance, Validation};

/// A case that no scenario can express yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Its name in the collection of cases.
    pub case: &'static str,
    /// What it waits for.
    pub waits_for: &'static str,
}

/// The cases of the collection that wait for a word.
pub const UNTOLD: &[Untold] = &[
    Untold { case: "balk_a", waits_for: "balking: a probability of joining that depends on the queue" },
    Untold { case: "erlangA_c1", waits_for: "a timeout that is drawn, and counts only until work begins" },
    Untold { case: "erlangA_c10_over", waits_for: "the same" },
    Untold { case: "erlangA_c50", waits_for: "the same" },
    Untold { case: "prio_ciw", waits_for: "priorities" },
    Untold { case: "prio_b", waits_for: "priorities" },
    Untold { case: "breakdown_a", waits_for: "faults at random, after which interrupted work goes on" },
    Untold { case: "che_a08", waits_for: "a cache with a size and an eviction rule" },
    Untold { case: "che_a10", waits_for: "a cache with a size and an eviction rule" },
    Untold { case: "ttlcache_a", waits_for: "a cache with a time to live" },
];

const HEAD: &str = "\
# Validation

What queueing theory knows exactly, the simulator must find. Each case below is an ordinary scenario \
(`scenarios/validation/<case>.ron`, which `outgrow run` runs), and `scenarios/validation/cases.ron` says which \
figure of it is held against which value. Nothing of the simulator is made for a case.

**Reading a line.** *Simulated* is the mean over independent replications with its 95% interval. A metric \
*agrees* if the whole interval lies within the tolerance, *differs* if it lies outside, and is *open* between. \
*z* is the error in standard errors. Kinds: *exact* values are compared in both directions; an *edge* is exact, but at the \
end of what a run can give; an *approximation* and a *limit* of infinitely many servers are close only, within the \
tolerance; *at most* and *at least* are bounds.

**Why it proves something.** The length of every run was planned from a pilot with another seed, 2, so that the \
standard error is about a sixth of the tolerance at most: an interval that lies within the tolerance then shows that \
a bias beyond it is excluded, not that the run was too short to see it. With hundreds of metrics chance alone makes \
some errors large, and choosing a seed could hide a large one. So the seed is 1 everywhere, the first there is, and \
all errors are tested together at 1%: none may be too large for the largest of so many (Holm, which holds however \
metrics depend on each other), and those of different cases must spread as independent errors do (chi-square of one \
error a case, the first exact metric in the table; cases share no randomness, as draws are named by the population and \
populations after their cases). A bias far below the tolerance shows there.

**What was changed after a first look.** The pilot was too short to show how much three cases vary, the two of `ggc` \
and `mg1_lognormal_scv4`, and of two of them a metric was open with seed 1; they were made longer. Figures of requests are \
those of requests that have ended, so that a run misses slow ones that are open at its end: by the variance of the \
response time over the length of the run. Errors showed it in `fan-out` and `power-of-d` with seed 2, and in `tail` with \
seed 1. In the first and the last, arrivals now end before the run does, as in `retries`; in the second the mean response \
is taken by Little's law.
";

impl Validation {
    /// The page.
    pub fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        page += "\n## Result\n\n";
        self.summary().iter().for_each(|line| page += &format!("- {line}\n"));
        let mut about = "";
        for case in &self.cases {
            if case.case.about != about {
                about = &case.case.about;
                page += &format!("\n## {about}\n");
            }
            page += &section(case);
        }
        page += "\n## Cases that wait for a word\n\n";
        page += "The collection has some more, which today's scenarios cannot express:\n\n| case | waits for |\n| --- | --- |\n";
        UNTOLD.iter().for_each(|untold| page += &format!("| {} | {} |\n", untold.case, untold.waits_for));
        page
    }
}

fn section(judged: &JudgedCase) -> String {
    let JudgedCase { case, metrics, replications, counted_s, .. } = judged;
    let mut text = format!("\n### {}\n\n", case.id);
    text += &format!("{replications} replications of {counted_s} s. Theory: {}.\n\n", case.source);
    text += "| metric | theory | within | simulated | z | kind | verdict |\n| --- | ---: | ---: | ---: | ---: | --- | --- |\n";
    metrics.iter().for_each(|metric| text += &row(metric));
    text
}

fn row(judged: &Judged) -> String {
    let Judged { metric, verdict, .. } = judged;
    let within = match (metric.kind, metric.within) {
        (Kind::UpperBound | Kind::LowerBound, _) | (_, Tolerance::None) => String::new(),
        (_, Tolerance::Absolute(most)) => short(most),
        (_, Tolerance::Relative(share)) => format!("{}%", short(100.0 * share)),
    };
    let (theory, simulated, z) = (number(metric.theory), simulated(judged), z(judged));
    let (name, kind, verdict) = (&metric.name, metric.kind.name(), verdict.name());
    format!("| {name} | {theory} | {within} | {simulated} | {z} | {kind} | {verdict} |\n")
}
