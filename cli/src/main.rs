//! The headless program of Outgrow.
fn main() {}
