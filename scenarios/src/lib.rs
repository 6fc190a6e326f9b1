//! Scenario files, runs, comparisons and reports.
//!
//! The only library of Outgrow that reads files and spawns threads. It never prints: reports are
//! rendered to strings.

pub mod comparison;
pub mod costs;
pub mod document;
pub mod estimate;
pub mod expect;
mod faults;
pub mod figures;
pub mod growth;
mod html;
pub mod library;
pub mod load;
pub mod night;
pub mod provenance;
pub mod reference;
pub mod replication;
pub mod report;
pub mod run;
pub mod scenario;
pub mod story;
pub mod trace_file;
pub mod units;
pub mod validate;
pub mod verdict;
pub mod watcher;
