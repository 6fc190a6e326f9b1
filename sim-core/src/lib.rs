//! Time, agenda, engine, keyed randomness, distributions and statistics of a discrete-event simulation.
//!
//! There is no notion here of what is simulated. [`engine::Simulation`] pops the first event of its
//! [`agenda::Agenda`], sets the clock and hands it to a [`engine::Model`]; draws are named by
//! [`random::Key`]s; time is an integer count of nanoseconds.
//!
//! **Order.** At one instant interventions precede everything else, what is late follows it, and
//! within a class events come in the order in which they were scheduled.

pub mod agenda;
pub mod dist;
pub mod engine;
pub mod random;
pub mod stats;
pub mod time;
