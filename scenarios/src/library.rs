//! The library: scenarios that come with the program, each of them a lesson.
//!
//! Each is a file of the folder `library`, with a comment that says what it is, what to look for and
//! what to try next, and with expectations that make its lesson a claim: one test runs them all and
//! holds them against what comes out.

use crate::document::Document;
use models::problem::did_you_mean;

/// A scenario of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: that of its file, without the ending.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Entry {
    /// Its title: a few words.
    ///
    /// # Panics
    /// If it has none; a test sees to it that each has one.
    pub fn title(&self) -> &'static str {
        self.line("title")
    }

    /// What it is about: a sentence or two, mostly a question.
    ///
    /// # Panics
    /// If it does not say; a test sees to it that each does.
    pub fn about(&self) -> &'static str {
        self.line("about")
    }

    /// The comment at its head, without the slashes: what it is, what to look for, what to try.
    pub fn lesson(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix("//"));
        comment.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    /// Its document, named like its file.
    pub fn document(&self) -> Document {
        Document::parse(&format!("{}.ron", self.name), self.text)
    }

    /// The text that stands on a line of its own at a field of the scenario. It is cut from the file,
    /// so that it lives as long as the program.
    fn line(&self, field: &str) -> &'static str {
        let quoted = |line: &'static str| {
            let value = line.strip_prefix("    ")?.strip_prefix(field)?.strip_prefix(": \"")?;
            value.strip_suffix("\",")
        };
        self.text.lines().find_map(quoted).unwrap_or_else(|| panic!("{} has no line with its {field}", self.name))
    }
}

/// The library, in the order in which one would teach it: waiting, choosing, failing, storms, and the
/// story of the World Cup.
pub const ALL: &[Entry] = &[
    Entry { name: "one-server", text: include_str!("../library/one-server.ron") },
    Entry { name: "variability", text: include_str!("../library/variability.ron") },
    Entry { name: "same-rate-five-ways", text: include_str!("../library/same-rate-five-ways.ron") },
    Entry { name: "share-or-queue", text: include_str!("../library/share-or-queue.ron") },
    Entry { name: "separate-queues", text: include_str!("../library/separate-queues.ron") },
    Entry { name: "pooled-queue", text: include_str!("../library/pooled-queue.ron") },
    Entry { name: "two-choices", text: include_str!("../library/two-choices.ron") },
    Entry { name: "long-line", text: include_str!("../library/long-line.ron") },
    Entry { name: "impatient-callers", text: include_str!("../library/impatient-callers.ron") },
    Entry { name: "priority-lane", text: include_str!("../library/priority-lane.ron") },
    Entry { name: "interrupt-the-batch", text: include_str!("../library/interrupt-the-batch.ron") },
    Entry { name: "closed-users", text: include_str!("../library/closed-users.ron") },
    Entry { name: "slow-minute", text: include_str!("../library/slow-minute.ron") },
    Entry { name: "pool-too-small", text: include_str!("../library/pool-too-small.ron") },
    Entry { name: "noisy-neighbour", text: include_str!("../library/noisy-neighbour.ron") },
    Entry { name: "fan-out", text: include_str!("../library/fan-out.ron") },
    Entry { name: "hedged-reads", text: include_str!("../library/hedged-reads.ron") },
    Entry { name: "quorum-writes", text: include_str!("../library/quorum-writes.ron") },
    Entry { name: "one-query-each", text: include_str!("../library/one-query-each.ron") },
    Entry { name: "fire-and-forget", text: include_str!("../library/fire-and-forget.ron") },
    Entry { name: "stale-herd", text: include_str!("../library/stale-herd.ron") },
    Entry { name: "uneven-machines", text: include_str!("../library/uneven-machines.ron") },
    Entry { name: "hot-shard", text: include_str!("../library/hot-shard.ron") },
    Entry { name: "hot-key-on-a-ring", text: include_str!("../library/hot-key-on-a-ring.ron") },
    Entry { name: "launch-day", text: include_str!("../library/launch-day.ron") },
    Entry { name: "front-page", text: include_str!("../library/front-page.ron") },
    Entry { name: "saturday-evening", text: include_str!("../library/saturday-evening.ron") },
    Entry { name: "three-ways-to-grow", text: include_str!("../library/three-ways-to-grow.ron") },
    Entry { name: "kill-a-replica", text: include_str!("../library/kill-a-replica.ron") },
    Entry { name: "unnoticed-crash", text: include_str!("../library/unnoticed-crash.ron") },
    Entry { name: "eject-the-bad", text: include_str!("../library/eject-the-bad.ron") },
    Entry { name: "rolling-kill-with-round-robin", text: include_str!("../library/rolling-kill-with-round-robin.ron") },
    Entry {
        name: "rolling-kill-with-least-outstanding",
        text: include_str!("../library/rolling-kill-with-least-outstanding.ron"),
    },
    Entry { name: "thundering-herd", text: include_str!("../library/thundering-herd.ron") },
    Entry { name: "jittered-backoff", text: include_str!("../library/jittered-backoff.ron") },
    Entry { name: "decorrelated-backoff", text: include_str!("../library/decorrelated-backoff.ron") },
    Entry { name: "retries-multiply", text: include_str!("../library/retries-multiply.ron") },
    Entry { name: "slow-dependency", text: include_str!("../library/slow-dependency.ron") },
    Entry { name: "bulkhead", text: include_str!("../library/bulkhead.ron") },
    Entry { name: "which-to-evict", text: include_str!("../library/which-to-evict.ron") },
    Entry { name: "stampede", text: include_str!("../library/stampede.ron") },
    Entry { name: "breaker-saves", text: include_str!("../library/breaker-saves.ron") },
    Entry { name: "deadlines", text: include_str!("../library/deadlines.ron") },
    Entry { name: "gc-pauses", text: include_str!("../library/gc-pauses.ron") },
    Entry { name: "black-hole", text: include_str!("../library/black-hole.ron") },
    Entry { name: "disk-full", text: include_str!("../library/disk-full.ron") },
    Entry { name: "bad-deploy", text: include_str!("../library/bad-deploy.ron") },
    Entry { name: "reconnect-herd", text: include_str!("../library/reconnect-herd.ron") },
    Entry { name: "crashes-together", text: include_str!("../library/crashes-together.ron") },
    Entry { name: "cold-cache", text: include_str!("../library/cold-cache.ron") },
    Entry { name: "cache-flush", text: include_str!("../library/cache-flush.ron") },
    Entry { name: "cache-flush-dropping", text: include_str!("../library/cache-flush-dropping.ron") },
    Entry { name: "retry-storm", text: include_str!("../library/retry-storm.ron") },
    Entry { name: "retry-storm-capped", text: include_str!("../library/retry-storm-capped.ron") },
    Entry { name: "retry-budget", text: include_str!("../library/retry-budget.ron") },
    Entry { name: "drop-the-expired", text: include_str!("../library/drop-the-expired.ron") },
    Entry { name: "drop-the-hopeless", text: include_str!("../library/drop-the-hopeless.ron") },
    Entry { name: "adaptive-lifo", text: include_str!("../library/adaptive-lifo.ron") },
    Entry { name: "hysteresis", text: include_str!("../library/hysteresis.ron") },
    Entry { name: "scale-too-late", text: include_str!("../library/scale-too-late.ron") },
    Entry { name: "admission-rules", text: include_str!("../library/admission-rules.ron") },
    Entry { name: "autoscaler", text: include_str!("../library/autoscaler.ron") },
    Entry { name: "four-scalers", text: include_str!("../library/four-scalers.ron") },
    Entry { name: "fixed-or-elastic", text: include_str!("../library/fixed-or-elastic.ron") },
    Entry { name: "over-the-hill", text: include_str!("../library/over-the-hill.ron") },
    Entry { name: "busy-monolith", text: include_str!("../library/busy-monolith.ron") },
    Entry { name: "lb-cluster", text: include_str!("../library/lb-cluster.ron") },
    Entry { name: "world-cup-night", text: include_str!("../library/world-cup-night.ron") },
    Entry { name: "world-cup-capped", text: include_str!("../library/world-cup-capped.ron") },
    Entry { name: "world-cup-per-server-queues", text: include_str!("../library/world-cup-per-server-queues.ron") },
    Entry { name: "microservices", text: include_str!("../library/microservices.ron") },
];

/// Traces that scenarios of the library replay: name of the file, and its text.
const TRACES: &[(&str, &str)] = &[("launch-day.csv", include_str!("../library/launch-day.csv"))];

/// The scenario of this name; its ending may be written, too.
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name.strip_suffix(".ron").unwrap_or(name);
    ALL.iter().find(|entry| entry.name == name)
}

/// The name that was probably meant, if one is close.
pub fn near(name: &str) -> Option<&'static str> {
    did_you_mean(name.strip_suffix(".ron").unwrap_or(name), ALL.iter().map(|entry| entry.name))
}

/// The text of a trace that comes with the library.
pub fn trace(file: &str) -> Option<&'static str> {
    traces().find(|(name, _)| *name == file).map(|(_, text)| text)
}

/// Every trace of the library: file name and text.
pub fn traces() -> impl Iterator<Item = (&'static str, &'static str)> {
    TRACES.iter().copied()
}
