//! Consistent hashing: replicas stand at many points of a ring, and a request goes to the first one clockwise
//! from its key (Karger et al. 1997). Who comes or goes moves about one n-th of the keys, and those of others
//! stay. With a factor c no replica gets more than c times the average: with m attempts outstanding at n
//! replicas each has room for ceil(c (m+1) / n), and an attempt goes to the next clockwise that has room
//! (Mirrokni, Thorup, Zadimoghaddam 2018, "Consistent hashing with bounded loads").
//!
//! Keys are those of [`super::ByKey`]: with equally many equally popular ones a request has the same.

use super::{View, by_key::hottest_of};
use crate::given::Given;
use crate::policy::Popularity;
use crate::system::purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::dist::Zipf;
use sim_core::random::Key;

/// Consistent hashing as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsistentHash {
    /// How many keys there are.
    pub keys: Given<u32>,
    /// How requests spread over the keys.
    pub popularity: Popularity,
    /// How many times the average a replica may have outstanding, above 1; left out, any number.
    #[serde(default)]
    pub factor: Option<Given<f64>>,
    /// At how many points of the ring each replica stands.
    #[serde(default = "hundred")]
    pub points: Given<u32>,
}

fn hundred() -> Given<u32> {
    100.into()
}

/// Consistent hashing as run.
#[derive(Clone, Debug)]
pub struct ConsistentHashState {
    popularity: Zipf,
    factor: Option<f64>,
    points: u32,
    /// Points with the ordinals of the replicas that stand there, clockwise. Those that are down are passed by.
    ring: Vec<(u64, u32)>,
    /// Ordinals below this stand on the ring.
    placed: u32,
}

/// The most points of a replica.
const MOST_POINTS: u32 = 10_000;

impl ConsistentHash {
    /// The share of all requests that the busiest of so many replicas gets; with a factor, no more than that
    /// allows while many are outstanding.
    pub fn hottest(&self, replicas: u32) -> f64 {
        let replicas = replicas.max(1);
        let ring = ring(replicas, self.points.get().clamp(1, MOST_POINTS));
        let owner = |key: u64| ring[first(&ring, key) % ring.len()].1;
        let share = hottest_of(self.keys.get(), self.popularity.exponent(), replicas, owner);
        let most = self.factor.as_ref().map_or(1.0, |factor| factor.get() / f64::from(replicas));
        share.min(most.max(1.0 / f64::from(replicas)))
    }

    pub(super) fn start(&self) -> Result<ConsistentHashState, String> {
        let points = self.points.get();
        if !(1..=MOST_POINTS).contains(&points) {
            return Err(format!("a replica stands at {points} points of the ring; write 1 to {MOST_POINTS}"));
        }
        let factor = self.factor.as_ref().map(Given::get);
        if let Some(factor) = factor
            && !(factor > 1.0 && factor.is_finite())
        {
            return Err(format!(
                "a factor of {factor} leaves no room above the average; write for example factor: 1.25"
            ));
        }
        let popularity = self.popularity.sampler(self.keys.get())?;
        Ok(ConsistentHashState { popularity, factor, points, ring: Vec::new(), placed: 0 })
    }
}

/// The points of so many replicas, clockwise.
fn ring(replicas: u32, points: u32) -> Vec<(u64, u32)> {
    let of = |ordinal: u32| {
        let named = Key::from_bits(1).index(u64::from(ordinal));
        (0..points).map(move |point| (named.index(u64::from(point)).bits(), ordinal))
    };
    let mut ring: Vec<_> = (0..replicas).flat_map(of).collect();
    ring.sort_unstable();
    ring
}

/// The place on the ring of the first point at or after a key.
fn first(ring: &[(u64, u32)], key: u64) -> usize {
    let hash = Key::from_bits(2).index(key).bits();
    ring.partition_point(|(point, _)| *point < hash)
}

impl ConsistentHashState {
    pub(super) fn pick<F: Fn(u32) -> u32>(&mut self, view: &View<'_, F>) -> Option<u32> {
        let needed = view.up.last()?.ordinal + 1;
        if needed > self.placed {
            (self.ring, self.placed) = (ring(needed, self.points), needed);
        }
        let room = match self.factor {
            None => u32::MAX,
            Some(factor) => {
                let outstanding: u64 = view.up.iter().map(|m| u64::from((view.outstanding)(m.id))).sum();
                (factor * (outstanding + 1) as f64 / view.up.len() as f64).ceil() as u32
            }
        };
        let key = self.popularity.sample(&mut view.request.index(purpose::DATA_KEY).rng());
        let (before, after) = self.ring.split_at(first(&self.ring, key));
        let takes = |(_, ordinal): &(u64, u32)| {
            let at = view.up.binary_search_by_key(ordinal, |m| m.ordinal).ok()?;
            let id = view.up[at].id;
            ((view.outstanding)(id) < room).then_some(id)
        };
        // Not all can be at their limits: together those are above what is outstanding.
        after.iter().chain(before).find_map(takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(replicas: u32, without: Option<u32>, keys: u64) -> Vec<u32> {
        let ring = ring(replicas, 100);
        let owner = |key| {
            let (before, after) = ring.split_at(first(&ring, key));
            after.iter().chain(before).map(|(_, ordinal)| *ordinal).find(|o| Some(*o) != without).unwrap()
        };
        (0..keys).map(owner).collect()
    }

    /// With 100 points each a share of the ring has a relative standard deviation of a tenth: of 10 replicas
    /// one owns 0.1, give or take 0.01.
    #[test]
    fn who_comes_or_goes_moves_about_its_share_and_nothing_else() {
        let (ten, eleven) = (owners(10, None, 100_000), owners(11, None, 100_000));
        let moved = ten.iter().zip(&eleven).filter(|(before, after)| before != after).collect::<Vec<_>>();
        assert!(moved.iter().all(|(_, after)| **after == 10), "keys move to the new one alone");
        let share = moved.len() as f64 / 100_000.0;
        assert!((share - 1.0 / 11.0).abs() < 5.0 * 0.1 / 11.0, "{share}");
        let nine = owners(10, Some(3), 100_000);
        assert!(ten.iter().zip(&nine).all(|(before, after)| before == after || *before == 3));
        let share = ten.iter().filter(|owner| **owner == 3).count() as f64 / 100_000.0;
        assert!((share - 0.1).abs() < 0.05, "{share}");
        // What the one that goes had is spread over all others, not given to one.
        let heirs = ten.iter().zip(&nine).filter(|(before, _)| **before == 3);
        let mut counts = [0_u32; 10];
        heirs.for_each(|(_, after)| counts[*after as usize] += 1);
        let most = f64::from(counts.iter().copied().max().unwrap());
        assert!(most < 0.35 * share * 100_000.0, "{counts:?}");
    }

    #[test]
    fn the_hottest_is_no_hotter_than_the_factor_allows() {
        let popularity = Popularity::Zipf { exponent: 1.2.into() };
        let mut hash = ConsistentHash { keys: 1_000_000.into(), popularity, factor: None, points: hundred() };
        let free = hash.hottest(8);
        hash.factor = Some(1.25.into());
        assert!(free > 0.2 && (hash.hottest(8) - 1.25 / 8.0).abs() < 1e-12, "{free}");
    }
}
