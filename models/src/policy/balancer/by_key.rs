//! By key: replicas are shards, and a request goes to the shard that owns its key.
//!
//! Every request has one key, the same for all its attempts and for all its calls to services with
//! equally many equally popular keys: a user whose shard is slow meets the same shard again on
//! refresh. A key's shard is its hash modulo the number of shards; popular keys make hot shards.

use super::View;
use crate::catalogue::Entry;
use crate::given::Given;
use crate::system::purpose;
use serde::{Deserialize, Serialize};
use sim_core::dist::Zipf;
use sim_core::random::Key;

/// Sharding as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByKey {
    /// How many keys there are.
    pub keys: Given<u32>,
    /// How requests spread over the keys.
    pub popularity: Popularity,
}

/// How requests spread over keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Popularity {
    /// Every key alike.
    Uniform,
    /// The k-th most popular key is asked for with a probability proportional to k^-exponent.
    Zipf {
        /// 0 is uniform, about 1 is common.
        exponent: Given<f64>,
    },
}

impl Popularity {
    /// Every popularity there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Uniform", example: "Uniform", summary: "every key alike" },
        Entry {
            name: "Zipf",
            example: "Zipf(exponent: 1.0)",
            summary: "the k-th most popular key is asked for in proportion to k^-exponent",
        },
    ];
}

/// Sharding as run.
#[derive(Clone, Debug)]
pub struct ByKeyState {
    popularity: Zipf,
}

impl ByKey {
    pub(super) fn start(&self) -> Result<ByKeyState, String> {
        let exponent = match &self.popularity {
            Popularity::Uniform => 0.0,
            Popularity::Zipf { exponent } => exponent.get(),
        };
        let popularity = Zipf::new(u64::from(self.keys.get()), exponent).map_err(|e| e.to_string())?;
        Ok(ByKeyState { popularity })
    }
}

impl ByKeyState {
    pub(super) fn pick<F>(&self, view: &View<'_, F>) -> Option<u32> {
        let key = self.popularity.sample(&mut view.request.index(purpose::DATA_KEY).rng());
        let shard = Key::from_bits(0).index(key).below(u64::from(view.desired.max(1))) as u32;
        view.up.binary_search_by_key(&shard, |m| m.ordinal).ok().map(|position| view.up[position].id)
    }
}
