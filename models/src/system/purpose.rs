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

/// Whether a visit fails.
pub const FAIL: u64 = 30;
/// How often steps are repeated.
pub const TIMES: u64 = 31;

/// The `n`-th draw for a purpose, or the `n`-th call along a path, from 0.
pub const fn nth(purpose: u64, n: u64) -> u64 {
    purpose ^ n.wrapping_shl(8).rotate_left(16)
}
