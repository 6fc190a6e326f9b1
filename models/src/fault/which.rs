//! Which replicas of a service a fault hits.

use crate::catalogue::Entry;
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::random::Key;

/// Which replicas are hit, of those that take requests at that instant. Drawn are those with the smallest of
/// one number each, so that a share is hit more of, never others, if it grows; and acts at one instant on one
/// service draw the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Which {
    /// All.
    #[default]
    All,
    /// One, drawn.
    One,
    /// A share of them, drawn, rounded up: `Share(0.3)`.
    Share(Given<f64>),
    /// These, counted from 0: `Only([0, 2])`. Those that are not up are left alone.
    Only(Vec<u32>),
}

impl Which {
    /// Every way to say it.
    pub const WAYS: &[Entry] = &[
        Entry { name: "All", example: "All", summary: "all replicas" },
        Entry { name: "One", example: "One", summary: "one replica, drawn" },
        Entry { name: "Share", example: "Share(0.3)", summary: "a share of the replicas, drawn, rounded up" },
        Entry { name: "Only", example: "Only([0, 2])", summary: "these replicas, counted from 0" },
    ];

    /// What is wrong with it, as problem and remedy.
    pub fn problem(&self) -> Option<(String, &'static str)> {
        match self {
            Self::Share(share) if !(share.get() > 0.0 && share.get() <= 1.0) => {
                Some((format!("a share of {} of the replicas", share.get()), "write a share above 0 and up to 1"))
            }
            Self::Only(replicas) if replicas.is_empty() => {
                Some(("no replica is named, so nothing happens".to_owned(), "name some, counted from 0, or write All"))
            }
            _ => None,
        }
    }

    /// How many of `up` replicas.
    pub fn count(&self, up: usize) -> usize {
        match self {
            Self::All => up,
            Self::One => up.min(1),
            // A share that was meant to come out whole does, whatever its last digits say.
            Self::Share(share) => ((share.get() * up as f64 - 1e-9).ceil() as usize).min(up),
            Self::Only(replicas) => replicas.len().min(up),
        }
    }

    /// The ordinals that are hit, of those in `up`; `key` names the draw.
    pub fn of(&self, up: impl Iterator<Item = u32>, key: Key) -> Vec<u32> {
        let mut all: Vec<u32> = match self {
            Self::Only(replicas) => {
                let up: Vec<u32> = up.collect();
                return replicas.iter().copied().filter(|ordinal| up.contains(ordinal)).collect();
            }
            _ => up.collect(),
        };
        let count = self.count(all.len());
        if count < all.len() {
            let draw = |ordinal: u32| key.index(u64::from(ordinal)).uniform();
            all.sort_by(|a, b| draw(*a).total_cmp(&draw(*b)).then(a.cmp(b)));
            all.truncate(count);
            all.sort_unstable();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_grows_by_more() {
        let key = Key::root(1, 0).named("x");
        let of = |share: f64| Which::Share(share.into()).of(0..10, key);
        assert_eq!((of(0.3).len(), of(0.31).len(), of(1.0).len(), of(0.01).len()), (3, 4, 10, 1));
        assert!(of(0.3).iter().all(|ordinal| of(0.7).contains(ordinal)));
        assert_eq!(Which::One.of(0..10, key), of(0.1));
        assert_eq!(Which::One.of(std::iter::empty(), key), Vec::<u32>::new());
    }

    #[test]
    fn those_that_are_named_are_hit_if_they_are_there() {
        let key = Key::root(1, 0);
        assert_eq!(Which::Only(vec![3, 1, 7]).of([0, 1, 3].into_iter(), key), [3, 1]);
        assert_eq!(Which::All.of([0, 1, 3].into_iter(), key), [0, 1, 3]);
    }
}
