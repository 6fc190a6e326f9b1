//! Policies: how replicas are chosen, when attempts are repeated, what is dropped, what caches hold.
//!
//! Each policy is one file with its parameters as written and, beside them, the state that one
//! holder of the policy carries; plus its variant and its line in the family's `ALL`.

pub mod admission;
pub mod backoff;
pub mod balancer;
pub mod breaker;
pub mod budget;
pub mod cache;
pub mod deadline;
pub mod discipline;
pub mod drop;
pub mod eviction;
pub mod guard;
pub mod health;
pub mod hedge;
mod popularity;
pub mod refresh;
pub mod retry;
pub mod scaler;
pub mod start;

pub use admission::Admission;
pub use backoff::Backoff;
pub use balancer::Balancer;
pub use breaker::Breaker;
pub use budget::Budget;
pub use cache::{Cache, KeyOf};
pub use deadline::Deadline;
pub use discipline::Discipline;
pub use drop::Drop;
pub use eviction::Eviction;
pub use health::Health;
pub use hedge::Hedge;
pub use popularity::Popularity;
pub use refresh::Refresh;
pub use retry::Retry;
pub use scaler::Scaler;
pub use start::Start;
