//! Caches: what a replica holds so that it need not ask for it.
//!
//! ```text
//!  lookup of a key --> held, not expired --> hit: goes on at once
//!         |                    |
//!         |                    +--> by the refresh rule: fetches it anew
//!         +--> missed --> somebody fetches it, single flight --> waits for that fetch
//!                |
//!                +--> fetches: does the steps of the miss, stores the key
//! ```
//!
//! This folder knows keys and instants; who waits for a fetch is remembered by the running system.

mod analytic;
mod che;
mod store;

use super::popularity::Shares;
use super::{Eviction, Popularity, Refresh};
use crate::given::Given;
use crate::system::purpose;
use crate::topology::UNLIMITED;
use analytic::{Analytic, AnalyticState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::Zipf;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
pub(crate) use store::ByKey;
use store::Store;

/// A cache as written: what a service holds, by key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// How many keys there are to be asked for.
    pub keys: Given<u32>,
    /// How lookups spread over the keys.
    pub popularity: Popularity,
    /// Whose key a lookup asks for. Left out, each lookup's own; behind a balancer by key that of the request.
    #[serde(default)]
    pub key_of: Option<KeyOf>,
    /// How many keys it holds at most; left out, any number.
    #[serde(default)]
    pub size: Option<Given<u32>>,
    /// Which key goes when it is full.
    #[serde(default)]
    pub eviction: Eviction,
    /// How long a key is held from when it was stored; left out, for ever. What has expired keeps its place until
    /// it is looked up or evicted.
    #[serde(default)]
    pub ttl: Option<Given<SimDuration>>,
    /// Whether requests that miss a key which somebody fetches wait for that fetch, in their threads, and fail if
    /// it fails; otherwise each fetches.
    #[serde(default)]
    pub single_flight: bool,
    /// Whether a key is fetched anew before it expires.
    #[serde(default)]
    pub refresh: Refresh,
    /// Whether all replicas have one cache in common; otherwise each has its own, and loses it in a crash.
    #[serde(default)]
    pub shared: bool,
    /// Whether the most popular keys are in it at the start of the run, as many as it holds. Replicas that start
    /// later begin with an empty cache.
    #[serde(default)]
    pub warm: bool,
    /// Whether no keys are held: a lookup finds its key with the probability that theory gives it.
    #[serde(default)]
    pub analytic: bool,
}

/// Whose key a lookup asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyOf {
    /// The lookup's own: each lookup on a request's way asks for another, and a repeated attempt for the same.
    #[default]
    Lookup,
    /// The request's: all its lookups ask for one key. It is the key by which `ByKey` and `ConsistentHash` with equally many equally
    /// popular keys choose a replica.
    Request,
}

impl KeyOf {
    /// Every choice there is.
    pub const ALL: &[crate::catalogue::Entry] = &[
        crate::catalogue::Entry {
            name: "Lookup",
            example: "Lookup",
            summary: "each lookup on a request's way asks for a key of its own",
        },
        crate::catalogue::Entry {
            name: "Request",
            example: "Request",
            summary: "all lookups of a request ask for one key, by which ByKey and ConsistentHash choose, too",
        },
    ];
}

/// A cache as run.
#[derive(Clone, Debug)]
pub struct CacheSpec {
    /// Its name.
    pub name: String,
    /// Whose key a lookup asks for.
    pub key_of: KeyOf,
    /// Most keys held, or [`UNLIMITED`].
    pub size: u32,
    /// Which key goes when it is full.
    pub eviction: Eviction,
    /// How long a key is held.
    pub ttl: Option<SimDuration>,
    /// Whether requests wait for somebody else's fetch.
    pub single_flight: bool,
    /// Whether a key is fetched anew before it expires.
    pub refresh: Refresh,
    /// Whether all replicas have it in common.
    pub shared: bool,
    /// Whether it holds keys at the start.
    pub warm: bool,
    keys: u32,
    popularity: Popularity,
    sampler: Zipf,
    analytic: Option<Analytic>,
}

/// What is known of a key that a cache holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    key: u32,
    /// How many nanoseconds its last fetch took; 0 if it never was fetched.
    took: f32,
    /// When it expires.
    expires: SimTime,
}

impl Cache {
    /// How many keys are in it at the start.
    pub(crate) fn warm_keys(&self) -> u64 {
        let size = self.size.as_ref().map_or(UNLIMITED, Given::get);
        if self.warm && !self.analytic { u64::from(self.keys.get().min(size)) } else { 0 }
    }

    /// The cache as run.
    ///
    /// # Errors
    /// Keys or popularity that make no sense: what is wrong and the remedy.
    pub(crate) fn compile(&self, name: &str, default: KeyOf) -> Result<CacheSpec, String> {
        let keys = self.keys.get();
        let sampler = self.popularity.sampler(keys)?;
        let size = self.size.as_ref().map_or(UNLIMITED, Given::get);
        let analytic = self.analytic.then(|| Analytic::new(&self.popularity.shares(keys), size, self.eviction));
        Ok(CacheSpec {
            name: name.to_owned(),
            key_of: self.key_of.unwrap_or(default),
            size,
            eviction: self.eviction,
            ttl: self.ttl.as_ref().map(Given::get),
            single_flight: self.single_flight,
            refresh: self.refresh.clone(),
            shared: self.shared,
            warm: self.warm,
            keys,
            popularity: self.popularity.clone(),
            sampler,
            analytic,
        })
    }
}

impl CacheSpec {
    /// Whether no keys are held.
    pub const fn is_analytic(&self) -> bool {
        self.analytic.is_some()
    }

    /// The key that a lookup asks for: by the request, or by the request's call and the name of the draw.
    #[inline]
    pub(crate) fn key(&self, request: Key, call: Key, draw: u64) -> u32 {
        let named = match self.key_of {
            KeyOf::Request => request.index(purpose::DATA_KEY),
            KeyOf::Lookup => call.index(draw),
        };
        self.sampler.sample(&mut named.rng()) as u32
    }

    /// Whether a lookup fetches anew what it has found.
    #[inline]
    pub(crate) fn refreshes(&self, now: SimTime, held: &Held, chance: Key) -> bool {
        self.refresh.due(now, held.expires, held.took, chance.index(purpose::REFRESH))
    }

    /// The share of lookups that find their key in the long run, if caches of this kind hold `shards` disjoint parts
    /// of the keys; 1 for a cache that sees all of them. By the approximation of Che, Tung and Wang, or the formula of
    /// Gelenbe for other rules than `Lru`. `None` if theory does not know: with a time to live it depends on the
    /// rate, and without any limit on when one asks.
    pub fn hit_ratio(&self, shards: u32) -> Option<f64> {
        let size = f64::from(self.size) * f64::from(shards);
        if self.ttl.is_some() || self.size == UNLIMITED {
            return (self.ttl.is_none() && self.warm).then_some(1.0);
        }
        let everything = size >= f64::from(self.keys);
        Some(if everything { 1.0 } else { che::hit_ratio(&self.shares(), size, self.eviction) })
    }

    fn shares(&self) -> Shares {
        self.popularity.shares(self.keys)
    }
}

/// What one cache holds.
#[derive(Clone, Debug)]
pub(crate) enum CacheState {
    /// Its keys.
    Exact(Store),
    /// How far it has filled.
    Analytic(AnalyticState),
}

impl CacheState {
    /// An empty cache.
    pub(crate) fn start(spec: &CacheSpec, now: SimTime) -> Self {
        match spec.analytic {
            None => Self::Exact(Store::new(spec.eviction)),
            Some(_) => Self::Analytic(AnalyticState::new(now)),
        }
    }

    /// Puts the most popular keys in; of what expires a part has passed by then, drawn by the key's number under
    /// `chance`.
    pub(crate) fn warm(&mut self, spec: &CacheSpec, chance: Key) {
        match self {
            Self::Exact(store) => {
                for key in (0..spec.keys.min(spec.size)).rev() {
                    let expires = spec.ttl.map_or(SimTime::MAX, |ttl| {
                        let left = chance.index(u64::from(key)).rng().open01();
                        SimTime::from_nanos((ttl.as_nanos() as f64 * left) as u64)
                    });
                    store.store(Held { key, took: 0.0, expires }, spec.size, chance);
                }
            }
            Self::Analytic(state) => state.fill(),
        }
    }

    /// Looks a key up, and what is known of it if it is there.
    #[inline]
    pub(crate) fn look_up(&mut self, spec: &CacheSpec, now: SimTime, key: u32, chance: Key) -> Option<Held> {
        match (self, &spec.analytic) {
            (Self::Exact(store), _) => store.look_up(now, key),
            (Self::Analytic(state), Some(analytic)) => {
                let found = state.look_up(analytic, spec.ttl, now, key) > chance.index(purpose::FOUND).uniform();
                found.then_some(Held { key, took: 0.0, expires: SimTime::MAX })
            }
            (Self::Analytic(_), None) => None,
        }
    }

    /// Stores a key whose fetch took so long; if another must go for it, `chance` names the draw.
    pub(crate) fn store(&mut self, spec: &CacheSpec, now: SimTime, key: u32, took: SimDuration, chance: Key) {
        if let Self::Exact(store) = self {
            let expires = spec.ttl.map_or(SimTime::MAX, |ttl| now.saturating_add(ttl));
            let held = Held { key, took: took.as_nanos() as f32, expires };
            store.store(held, spec.size, chance.index(purpose::EVICT));
        }
    }

    /// Empties it.
    pub(crate) fn flush(&mut self, spec: &CacheSpec, now: SimTime) {
        *self = Self::start(spec, now);
    }

    /// Takes over another size and eviction rule; what is too much goes at once.
    pub(crate) fn adopt(&mut self, spec: &CacheSpec, chance: Key) {
        if let Self::Exact(store) = self {
            store.adopt(spec.eviction, spec.size, chance.index(purpose::EVICT));
        }
    }

    /// Keys held.
    pub(crate) const fn len(&self) -> u32 {
        match self {
            Self::Exact(store) => store.len(),
            Self::Analytic(_) => 0,
        }
    }

    /// Bytes of its keys, without slack.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Exact(store) => store.bytes(),
            Self::Analytic(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
