//! By key: replicas are shards, and a request goes to the shard that owns its key.
//!
//! Every request has one key, the same for all its attempts and for all its calls to services with
//! equally many equally popular keys: a user whose shard is slow meets the same shard again on
//! refresh. A key's shard is its hash modulo the number of shards; popular keys make hot shards.

use super::View;
use crate::given::Given;
use crate::policy::Popularity;
use crate::system::purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::Zipf;
use sim_core::random::Key;

/// Sharding as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByKey {
    /// How many keys there are.
    pub keys: Given<u32>,
    /// How requests spread over the keys.
    pub popularity: Popularity,
}

/// Sharding as run.
#[derive(Clone, Debug)]
pub struct ByKeyState {
    popularity: Zipf,
}

/// Keys whose popularity is summed one by one; those beyond are hardly asked for and spread evenly.
const SUMMED: u32 = 200_000;

impl ByKey {
    /// The share of all requests that the most popular of so many shards gets: at least one of so many.
    pub fn hottest(&self, shards: u32) -> f64 {
        hottest_of(self.keys.get(), self.popularity.exponent(), shards, |key| shard_of(key, shards))
    }

    pub(super) fn start(&self) -> Result<ByKeyState, String> {
        Ok(ByKeyState { popularity: self.popularity.sampler(self.keys.get())? })
    }
}

/// The share of the busiest of so many owners of keys, of which each has one.
pub(super) fn hottest_of(keys: u32, exponent: f64, owners: u32, owner: impl Fn(u64) -> u32) -> f64 {
    let weight = |key: f64| libm::pow(key, -exponent);
    let mut shares = vec![0.0; owners.max(1) as usize];
    let mut all = 0.0;
    for key in 1..=keys.min(SUMMED) {
        let weight = weight(f64::from(key));
        shares[owner(u64::from(key) - 1) as usize] += weight;
        all += weight;
    }
    // The sum of the rest, by the integral over the middle of each key's interval.
    let (from, to) = (f64::from(keys.min(SUMMED)) + 0.5, f64::from(keys) + 0.5);
    let rest = if exponent == 1.0 {
        libm::log(to / from)
    } else {
        (libm::pow(to, 1.0 - exponent) - libm::pow(from, 1.0 - exponent)) / (1.0 - exponent)
    };
    let most = shares.iter().copied().fold(0.0, f64::max) + rest / shares.len() as f64;
    most / (all + rest)
}

/// The shard that owns a key.
fn shard_of(key: u64, shards: u32) -> u32 {
    Key::from_bits(0).index(key).below(u64::from(shards.max(1))) as u32
}

impl ByKeyState {
    pub(super) fn pick<F>(&self, view: &View<'_, F>) -> Option<u32> {
        let key = self.popularity.sample(&mut view.request.index(purpose::DATA_KEY).rng());
        let shard = shard_of(key, view.desired);
        view.up.binary_search_by_key(&shard, |m| m.ordinal).ok().map(|position| view.up[position].id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share that is summed is the share that is drawn: of 200,000 draws five standard errors, which
    /// are 0.0056 at most.
    #[test]
    fn the_hottest_shard_gets_what_is_drawn_for_it() {
        for (keys, exponent, shards) in
            [(1_000_000, 1.0, 8), (1_000_000, 1.2, 8), (1_000, 0.0, 4), (3_000_000, 0.8, 16)]
        {
            let by_key = ByKey { keys: keys.into(), popularity: Popularity::Zipf { exponent: exponent.into() } };
            let zipf = Zipf::new(u64::from(keys), exponent).expect("it is one");
            let mut counts = vec![0_u32; shards as usize];
            let draws = 200_000;
            for draw in 0..draws {
                let key = zipf.sample(&mut Key::from_bits(7).index(draw).rng());
                counts[shard_of(key, shards) as usize] += 1;
            }
            let drawn = f64::from(counts.iter().copied().max().unwrap_or(0)) / draws as f64;
            let summed = by_key.hottest(shards);
            assert!((drawn - summed).abs() < 0.006, "{keys} {exponent} {shards}: {drawn} drawn, {summed} summed");
            assert!(summed >= 1.0 / f64::from(shards));
        }
    }
}
