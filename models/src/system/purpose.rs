//! What a draw is for: the last part of its name.
//!
//! A purpose is combined with an ordinal, so that the second piece of work of a visit draws
//! something else than the first.

/// Which replica gets an attempt.
pub const BALANCE: u64 = 1;
/// Which of equally loaded replicas takes the head of a shared queue.
pub const DISPATCH: u64 = 2;
/// Which key a request asks for.
pub const DATA_KEY: u64 = 3;
/// Which endpoint a client asks for.
pub const ENDPOINT: u64 = 4;
/// How long to wait before the next attempt.
pub const BACKOFF: u64 = 5;
/// The draws of a repeated attempt.
pub const ATTEMPT: u64 = 6;
/// How long a closed user thinks.
pub const THINK: u64 = 7;
/// A demand.
pub const WORK: u64 = 8;
/// A delay.
pub const DELAY: u64 = 9;
/// Which branch is taken.
pub const BRANCH: u64 = 10;
/// Which key a lookup asks for.
pub const LOOKUP: u64 = 40;
/// Whether a lookup in a cache without keys finds its own.
pub const FOUND: u64 = 41;
/// Whether a lookup fetches anew what it has found.
pub const REFRESH: u64 = 42;
/// Which key leaves a full cache.
pub const EVICT: u64 = 43;
/// What is in a cache at the start.
pub const WARM: u64 = 44;

/// Whether a request joins.
pub const BALKING: u64 = 11;
/// How long an attempt waits for a thread.
pub const PATIENCE: u64 = 12;
/// The interval before a request of a renewal process.
pub const INTERVAL: u64 = 13;

/// How long a replica starts.
pub const START: u64 = 14;

/// Which replicas a fault hits.
pub const FAULT: u64 = 50;
/// How long a fault lasts.
pub const LASTS: u64 = 51;
/// How long it takes until a fault comes again.
pub const RECUR: u64 = 52;
/// Whether a replica fails an attempt.
pub const FAILING: u64 = 53;
/// How long it takes until it does.
pub const FAILING_AFTER: u64 = 54;

/// Whether a visit fails.
pub const FAIL: u64 = 30;
/// How often steps are repeated.
pub const TIMES: u64 = 31;

/// The `n`-th draw for a purpose, or the `n`-th call along a path, from 0.
pub const fn nth(purpose: u64, n: u64) -> u64 {
    purpose ^ n.wrapping_shl(8).rotate_left(16)
}
