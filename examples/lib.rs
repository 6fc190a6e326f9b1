//! The examples of Outgrow.
