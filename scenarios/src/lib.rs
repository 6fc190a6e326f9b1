//! Scenario files, runs, comparisons and reports.
//!
//! The only library of Outgrow that reads files and spawns threads. It never prints: reports are
//! rendered to strings.

pub mod document;
pub mod load;
pub mod scenario;
pub mod trace_file;
