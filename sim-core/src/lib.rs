//! Placeholder while the foundation is laid.

pub mod agenda;
pub mod dist;
pub mod engine;
pub mod random;
pub mod stats;
pub mod time;
