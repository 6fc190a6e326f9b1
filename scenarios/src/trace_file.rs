//! Trace files: recorded arrivals as counts per bin, in CSV.

use crate::load::Traces;
use models::workload::Trace;

/// Why a trace file is unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// To come.
    #[error("trace files are not read yet")]
    Unread,
}

impl TraceError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        String::new()
    }
}

/// Finds and reads the trace that a scenario names `file`.
///
/// # Errors
/// It is not there, or makes no sense.
pub fn find(_file: &str, _traces: &Traces) -> Result<Trace, TraceError> {
    Err(TraceError::Unread)
}
