//! Arrivals in batches: several requests at one instant.

use super::{Count, Rate};
use serde::{Deserialize, Serialize};

/// Batches come as a Poisson process; all requests of a batch come at its instant. As written and as run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Batches a second.
    pub rate: Rate,
    /// Requests in each.
    pub size: Count,
}
