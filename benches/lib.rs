//! The benches of Outgrow.
