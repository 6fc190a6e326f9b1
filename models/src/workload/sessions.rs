//! Sessions: people who come, ask a few times, and leave.
//!
//! A session begins with its first request. After each answer, or final failure, its user thinks and asks
//! again, until the session has had all its requests. How many sessions are open follows from how long they
//! last, and so from how slow the system is: sessions come as in an open system, their requests as in a
//! closed one (Schroeder, Wierman and Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI 2006,
//! call it partly open).

use super::{Count, Rate};
use crate::distribution::Distribution;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sessions as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Sessions that begin in a second, as a Poisson process.
    pub rate: Rate,
    /// Requests of each.
    pub requests: Count,
    /// Think time between an answer, or the final failure, and the next request.
    pub think: Distribution,
}
