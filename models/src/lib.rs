//! Service graphs, policies, workloads, interventions and probes of an evolving architecture.
//!
//! A [`blueprint::Blueprint`] and a [`workload::Workload`] are what a person wrote; [`check`] turns
//! them into a [`topology::Topology`] of dense ids and nanoseconds, or says all that is wrong at
//! once. A [`system::System`] is the running state: a value that can be cloned to fork it. It knows
//! no files, no wall clock and no threads.

pub mod blueprint;
pub mod catalogue;
pub mod check;
pub mod distribution;
pub mod event;
pub mod fault;
pub mod fluid;
pub mod given;
pub mod intervention;
pub mod path;
pub mod policy;
pub mod probe;
pub mod problem;
pub mod snapshot;
pub mod system;
pub mod times;
pub mod topology;
pub mod workload;
