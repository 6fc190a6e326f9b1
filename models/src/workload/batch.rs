//! Arrivals in batches: several requests at one instant.

use super::{Count, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Batches that come as a Poisson process; all requests of a batch come at its instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Batches a second.
    pub rate: Rate,
    /// Requests in each.
    pub size: Count,
}
