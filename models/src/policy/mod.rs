//! Policies: how replicas are chosen, when attempts are repeated, what is dropped.
//!
//! Each policy is one file with its parameters as written and, beside them, the state that one
//! holder of the policy carries; plus its variant and its line in the family's `ALL`.

pub mod backoff;
pub mod balancer;
pub mod breaker;
pub mod budget;
pub mod deadline;
pub mod drop;
pub mod guard;
pub mod hedge;
pub mod retry;

pub use backoff::Backoff;
pub use balancer::{Balancer, Popularity};
pub use breaker::Breaker;
pub use budget::Budget;
pub use deadline::Deadline;
pub use drop::Drop;
pub use hedge::Hedge;
pub use retry::Retry;
