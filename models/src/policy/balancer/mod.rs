//! Balancers: which replica gets an attempt.
//!
//! A balancer stands in front of the service and sees, at no delay, how many attempts each replica
//! that is up has outstanding (waiting there or held), unless they are stale ([`Balancer::Stale`]). A
//! replica that is down, or that is not taken for healthy, gets nothing, save under [`Balancer::ByKey`],
//! where its share of the keys fails.

mod by_key;
mod consistent_hash;
mod join_idle;
pub(crate) mod least_outstanding;
mod peak_ewma;
mod power_of;
mod random;
mod round_robin;
mod stale;
mod weighted;

pub use super::popularity::Popularity;
pub use by_key::ByKey;
pub use consistent_hash::ConsistentHash;
pub use peak_ewma::PeakEwma;
pub use power_of::PowerOf;
pub use stale::Stale;
pub use weighted::Weights;

use crate::catalogue::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// A balancer as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Balancer {
    /// Any replica, with equal probability.
    Random,
    /// One after the other.
    #[default]
    RoundRobin,
    /// The replica with the fewest outstanding attempts, ties by draw.
    LeastOutstanding,
    /// Looks at a few replicas chosen at random and takes the one with the fewest outstanding.
    PowerOf(PowerOf),
    /// The replica that owns the request's key: replicas are shards.
    ByKey(ByKey),
    /// One after the other, the heavier more often: smooth weighted round robin.
    WeightedRoundRobin(Weights),
    /// Any replica, with a probability in proportion to its weight.
    WeightedRandom(Weights),
    /// Of two replicas chosen at random the one with the smaller product of its response times, a peak-sensitive
    /// average, and its outstanding attempts and one.
    PeakEwma(PeakEwma),
    /// The replica that has been idle for longest, or any if none is.
    JoinIdle,
    /// The first replica clockwise on a ring from the request's key, with room if loads are bounded.
    ConsistentHash(ConsistentHash),
    /// Another balancer that sees numbers of outstanding attempts of a certain age.
    Stale(Stale),
}

/// A balancer as run: its parameters and the state of one service.
#[derive(Clone, Debug)]
pub enum BalancerState {
    /// See [`Balancer::Random`].
    Random,
    /// See [`Balancer::RoundRobin`].
    RoundRobin(round_robin::RoundRobinState),
    /// See [`Balancer::LeastOutstanding`].
    LeastOutstanding,
    /// See [`Balancer::PowerOf`].
    PowerOf(power_of::PowerOfState),
    /// See [`Balancer::ByKey`].
    ByKey(by_key::ByKeyState),
    /// See [`Balancer::WeightedRoundRobin`].
    WeightedRoundRobin(weighted::SmoothState),
    /// See [`Balancer::WeightedRandom`].
    WeightedRandom(weighted::WeightsState),
    /// See [`Balancer::PeakEwma`].
    PeakEwma(peak_ewma::PeakEwmaState),
    /// See [`Balancer::JoinIdle`].
    JoinIdle(join_idle::JoinIdleState),
    /// See [`Balancer::ConsistentHash`].
    ConsistentHash(consistent_hash::ConsistentHashState),
    /// See [`Balancer::Stale`].
    Stale(stale::StaleState),
}

/// What a balancer may look at.
pub struct View<'a, F> {
    /// The replicas that are up, as (ordinal within the service, id); ascending by ordinal.
    pub up: &'a [Member],
    /// How many replicas the service should have; for shards, how many shards.
    pub desired: u32,
    /// Outstanding attempts of a replica.
    pub outstanding: F,
    /// Names the draws of this attempt.
    pub attempt: Key,
    /// Names the request, the same for all its attempts and calls.
    pub request: Key,
    /// Now.
    pub now: SimTime,
    /// How many times longer work takes at each replica, by ordinal, beginning anew after the last; empty if it
    /// takes as long everywhere.
    pub slowness: &'a [f64],
}

/// A replica as the balancer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its ordinal within the service, from 0.
    pub ordinal: u32,
    /// Its id in the system.
    pub id: u32,
}

impl Balancer {
    /// Every balancer there is.
    pub const ALL: &[Entry] = &[
        Entry { name: "Random", example: "Random", summary: "any replica, with equal probability" },
        Entry { name: "RoundRobin", example: "RoundRobin", summary: "one after the other" },
        Entry {
            name: "LeastOutstanding",
            example: "LeastOutstanding",
            summary: "the replica with the fewest outstanding attempts",
        },
        Entry {
            name: "PowerOf",
            example: "PowerOf(choices: 2)",
            summary: "looks at a few replicas chosen at random, takes the one with the fewest outstanding",
        },
        Entry {
            name: "ByKey",
            example: "ByKey(keys: 1000000, popularity: Zipf(exponent: 1.0))",
            summary: "the replica that owns the request's key: replicas are shards, popular keys make hot ones",
        },
        Entry {
            name: "WeightedRoundRobin",
            example: "WeightedRoundRobin(weights: [3, 1])",
            summary: "one after the other, in proportion to weights, or to speeds with WeightedRoundRobin()",
        },
        Entry {
            name: "WeightedRandom",
            example: "WeightedRandom(weights: [3, 1])",
            summary: "any replica, with probabilities in proportion to weights, or to speeds",
        },
        Entry {
            name: "PeakEwma",
            example: "PeakEwma(decay: \"10s\")",
            summary: "of two at random the one with the smaller response time times what is outstanding",
        },
        Entry { name: "JoinIdle", example: "JoinIdle", summary: "the replica idle for longest, or any if none is" },
        Entry {
            name: "ConsistentHash",
            example: "ConsistentHash(keys: 1000000, popularity: Zipf(exponent: 1.0), factor: 1.25)",
            summary: "the next on a ring from the request's key, none with more than so many times the average",
        },
        Entry {
            name: "Stale",
            example: "Stale(age: \"100ms\", of: LeastOutstanding)",
            summary: "LeastOutstanding or PowerOf by numbers that are brought up to date once in a while",
        },
    ];

    /// The state at the start.
    ///
    /// # Errors
    /// A parameter that makes no sense: what is wrong and the remedy.
    pub fn start(&self) -> Result<BalancerState, String> {
        Ok(match self {
            Self::Random => BalancerState::Random,
            Self::RoundRobin => BalancerState::RoundRobin(round_robin::RoundRobinState::default()),
            Self::LeastOutstanding => BalancerState::LeastOutstanding,
            Self::PowerOf(power_of) => BalancerState::PowerOf(power_of.start()?),
            Self::ByKey(by_key) => BalancerState::ByKey(by_key.start()?),
            Self::WeightedRoundRobin(weights) => BalancerState::WeightedRoundRobin(weights.start_smooth()?),
            Self::WeightedRandom(weights) => BalancerState::WeightedRandom(weights.start()?),
            Self::PeakEwma(peak_ewma) => BalancerState::PeakEwma(peak_ewma.start()?),
            Self::JoinIdle => BalancerState::JoinIdle(join_idle::JoinIdleState::default()),
            Self::ConsistentHash(hash) => BalancerState::ConsistentHash(hash.start()?),
            Self::Stale(stale) => BalancerState::Stale(stale.start()?),
        })
    }

    /// Whether it learns from attempts that end.
    pub const fn learns(&self) -> bool {
        matches!(self, Self::PeakEwma(_) | Self::JoinIdle)
    }

    /// Whether it chooses by the request's key, so that a replica sees its own keys alone, or nearly so.
    pub const fn goes_by_key(&self) -> bool {
        matches!(self, Self::ByKey(_) | Self::ConsistentHash(_))
    }
}

impl BalancerState {
    /// The id of the chosen replica, or `None` if there is none to choose.
    #[inline]
    pub fn pick<F: Fn(u32) -> u32>(&mut self, view: &View<'_, F>) -> Option<u32> {
        match self {
            _ if view.up.is_empty() => None,
            // The most common one, where the call is worth as much as the choice.
            Self::RoundRobin(state) => Some(state.pick(view)),
            _ => self.pick_any(view),
        }
    }

    #[inline(never)]
    fn pick_any<F: Fn(u32) -> u32>(&mut self, view: &View<'_, F>) -> Option<u32> {
        match self {
            Self::Random => Some(random::pick(view)),
            Self::RoundRobin(state) => Some(state.pick(view)),
            Self::LeastOutstanding => Some(least_outstanding::pick(view)),
            Self::PowerOf(state) => Some(state.pick(view)),
            Self::ByKey(state) => state.pick(view),
            Self::WeightedRoundRobin(state) => Some(state.pick(view)),
            Self::WeightedRandom(state) => Some(state.pick(view)),
            Self::PeakEwma(state) => Some(state.pick(view)),
            Self::JoinIdle(state) => Some(state.pick(view)),
            Self::ConsistentHash(state) => state.pick(view),
            Self::Stale(state) => Some(state.pick(view)),
        }
    }

    /// A replica takes requests from now on.
    pub fn joined(&mut self, member: Member) {
        match self {
            Self::PeakEwma(state) => state.joined(member.ordinal),
            Self::JoinIdle(state) => state.idle(member),
            Self::Stale(state) => state.joined(member.id),
            _ => {}
        }
    }

    /// A replica has responded to an attempt, after so long.
    pub fn replied(&mut self, member: Member, now: SimTime, took: SimDuration) {
        if let Self::PeakEwma(state) = self {
            state.replied(member.ordinal, now, took);
        }
    }

    /// Nothing is outstanding at a replica any more.
    pub fn idle(&mut self, member: Member) {
        if let Self::JoinIdle(state) = self {
            state.idle(member);
        }
    }

    /// When numbers have to be brought up to date next, if that is not planned already: an attempt is about to
    /// be sent.
    pub fn plan(&mut self, now: SimTime) -> Option<SimTime> {
        if let Self::Stale(state) = self { state.plan(now) } else { None }
    }

    /// Takes over numbers of outstanding attempts, after it has been put in place of another.
    pub fn update(&mut self, up: &[Member], outstanding: impl Fn(u32) -> u32) {
        match self {
            Self::Stale(state) => state.update(up, outstanding),
            Self::JoinIdle(state) => up.iter().filter(|m| outstanding(m.id) == 0).for_each(|m| state.idle(*m)),
            _ => {}
        }
    }

    /// Brings numbers up to date if that is due now, and tells when it is next.
    pub fn look(&mut self, now: SimTime, up: &[Member], outstanding: impl Fn(u32) -> u32) -> Option<SimTime> {
        if let Self::Stale(state) = self { state.look(now, up, outstanding) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(n: u32) -> Vec<Member> {
        (0..n).map(|i| Member { ordinal: i, id: 100 + i }).collect()
    }

    /// How often each of the replicas is chosen for `n` requests.
    fn shares(balancer: &Balancer, up: &[Member], load: impl Fn(u32) -> u32 + Copy, n: u64) -> Vec<u64> {
        let mut state = balancer.start().unwrap();
        let mut counts = vec![0; 1 + up.iter().map(|m| m.ordinal as usize).max().unwrap()];
        for i in 0..n {
            let key = Key::root(7, 0).index(i);
            let view = View {
                up,
                desired: counts.len() as u32,
                outstanding: load,
                attempt: key,
                request: key,
                now: SimTime::ZERO,
                slowness: &[],
            };
            if let Some(id) = state.pick(&view) {
                counts[id as usize - 100] += 1;
            }
        }
        counts
    }

    #[test]
    fn equal_replicas_get_equal_shares() {
        for balancer in [Balancer::Random, Balancer::RoundRobin, Balancer::LeastOutstanding] {
            let counts = shares(&balancer, &members(4), |_| 3, 40_000);
            // Binomial(40000, 1/4) has standard deviation 87; five of them are passed once in two million.
            assert!(counts.iter().all(|&c| c.abs_diff(10_000) < 435), "{balancer:?} {counts:?}");
        }
    }

    #[test]
    fn the_least_loaded_is_taken() {
        let idle_is_2 = |id| if id == 102 { 0 } else { 5 };
        assert_eq!(shares(&Balancer::LeastOutstanding, &members(4), idle_is_2, 100), [0, 0, 100, 0]);
        let two = Balancer::PowerOf(PowerOf { choices: 2.into() });
        let counts = shares(&two, &members(4), idle_is_2, 40_000);
        // Two distinct of four: the idle one is among them with probability 1/2.
        assert!(counts[2].abs_diff(20_000) < 500, "{counts:?}");
    }

    #[test]
    fn a_dead_shard_fails_its_keys_and_others_keep_theirs() {
        let by_key =
            Balancer::ByKey(ByKey { keys: 1_000_000.into(), popularity: Popularity::Zipf { exponent: 1.0.into() } });
        let all = shares(&by_key, &members(4), |_| 0, 10_000);
        let mut without_1 = members(4);
        without_1.remove(1);
        let some = shares(&by_key, &without_1, |_| 0, 10_000);
        assert_eq!([some[0], some[1], some[2], some[3]], [all[0], 0, all[2], all[3]]);
        assert_eq!(all.iter().sum::<u64>(), 10_000);
    }
}
