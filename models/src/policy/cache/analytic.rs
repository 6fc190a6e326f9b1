//! A cache that holds no keys: a lookup finds its key with the probability that theory gives to its popularity.
//!
//! Keys that are asked for independently are there with the probabilities of [`super::che`], once as many lookups
//! have come as it takes to fill the cache. Before, after a flush or at the start, nothing has been evicted, and a
//! key is there if it was asked for since: 1 − exp(−p·n) after n lookups.
//!
//! With a time to live T a key is fetched, answers until it expires or is evicted, and is fetched when it is asked
//! for next. With m hits between two fetches on average it is found with probability m/(1+m). Of p·N lookups for it
//! in a time T (N those of all keys, as observed) m is p·N without eviction; with `Lru` at most that, and at most
//! exp(p·n) − 1, and the less of both is taken; with `Fifo` the less of p·N and p·n, with `Random` p·n(1 −
//! exp(−N/n)).

use super::che;
use crate::policy::Eviction;
use crate::policy::popularity::Shares;
use sim_core::time::{SimDuration, SimTime};

/// What theory knows of a cache.
#[derive(Clone, Debug)]
pub(super) struct Analytic {
    shares: Shares,
    eviction: Eviction,
    /// Lookups after which an empty cache is full.
    fills: f64,
    /// Its characteristic time, in lookups.
    time: f64,
}

/// How far one cache has filled, and how much is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct AnalyticState {
    /// Lookups since it was empty.
    asked: f64,
    /// Lookups in the last full stretch of a time to live, once there was one, and in the present one since it began.
    before: Option<f64>,
    present: f64,
    began: SimTime,
}

impl Analytic {
    pub(super) fn new(shares: &Shares, size: u32, eviction: Eviction) -> Self {
        let time = |eviction| che::characteristic_time(shares, f64::from(size), eviction);
        // Sums are over now; what a single key needs is little.
        let shares = Shares { groups: Vec::new(), ..shares.clone() };
        Self { shares, eviction, fills: time(Eviction::Lru), time: time(eviction) }
    }
}

impl AnalyticState {
    pub(super) const fn new(now: SimTime) -> Self {
        Self { asked: 0.0, before: None, present: 0.0, began: now }
    }

    /// It is as full as it will be.
    pub(super) const fn fill(&mut self) {
        self.asked = f64::INFINITY;
    }

    /// The probability that a lookup finds this key, which counts as one that came.
    pub(super) fn look_up(&mut self, of: &Analytic, ttl: Option<SimDuration>, now: SimTime, key: u32) -> f64 {
        let p = of.shares.of(key);
        let filling = self.asked < of.fills;
        self.asked += 1.0;
        let within = ttl.and_then(|ttl| self.lookups_within(ttl, now));
        match within {
            Some(within) => {
                let hits = match of.eviction {
                    _ if filling || of.time == f64::INFINITY => p * within,
                    Eviction::Lru => (p * within).min(libm::expm1(p * of.time)),
                    Eviction::Fifo => p * within.min(of.time),
                    Eviction::Random => -p * of.time * libm::expm1(-within / of.time),
                };
                hits / (1.0 + hits)
            }
            // Nothing expires, or nothing has yet.
            None if filling => che::there(Eviction::Lru, p * (self.asked - 1.0)),
            None => che::there(of.eviction, p * of.time),
        }
    }

    /// How many lookups come in a time to live, as observed, this one included; `None` before the first is over.
    fn lookups_within(&mut self, ttl: SimDuration, now: SimTime) -> Option<f64> {
        let passed = now.since(self.began).as_nanos() / ttl.as_nanos();
        if passed > 0 {
            self.before = Some(if passed == 1 { self.present } else { 0.0 });
            self.present = 0.0;
            self.began = SimTime::from_nanos(self.began.as_nanos() + passed * ttl.as_nanos());
        }
        self.present += 1.0;
        let part = now.since(self.began).as_nanos() as f64 / ttl.as_nanos() as f64;
        Some((self.before? + self.present) / (1.0 + part))
    }
}
