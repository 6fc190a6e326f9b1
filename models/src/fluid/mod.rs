//! A design without randomness: what is asked of it on average, and what it can do.
//!
//! ```text
//!   Topology --> Demands            visits of each endpoint a request causes, work and time of each visit
//!                   |  x rates
//!                   v
//!               attempts a second --> utilisations    what is offered to a resource / what it can do
//! ```
//!
//! This is the algebra of a system in balance, the utilisation law (Denning & Buzen 1978): with x
//! visits a second that need D of work each, a resource that does c of work a second is x D / c busy.
//! Nobody waits, nothing is repeated, nothing is lost: what comes out above 1 cannot be.

mod demands;
mod utilisation;

pub use demands::{Demands, EndpointDemand};
pub use utilisation::{Resource, Utilisation, utilisations};
