//! Watching work that is made of many runs: the evenings of a story, nights, cases.

/// Watches from outside, from several threads at once.
pub trait Watcher: Sync {
    /// Whether to stop. What has been done so far is then given back, marked as partial.
    fn stop(&self) -> bool {
        false
    }

    /// This share of the work is done; `doing` says what is done now.
    #[expect(unused_variables, reason = "the default method names its arguments for the reader")]
    fn progress(&self, share: f64, doing: &str) {}
}

/// Nobody watches.
impl Watcher for () {}
