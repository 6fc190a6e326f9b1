//! For how long the machines of a service are there, each by itself: what is paid for.

use sim_core::time::{SimDuration, SimTime};

/// The machines of a service, one for each replica from the moment it starts until it is gone. Of those that are
/// there the newest is given back first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rentals {
    /// Since when, of those that are there; the oldest first.
    since: Vec<SimTime>,
    ended: Vec<Rental>,
}

/// A machine that was there for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rental {
    /// How many others were there when it came.
    pub beside: u32,
    /// For how long.
    pub lasted: SimDuration,
    /// Whether it is there still.
    pub goes_on: bool,
}

impl Rentals {
    /// So many machines are there from now on.
    pub(super) fn set(&mut self, now: SimTime, machines: u64) {
        let machines = machines as usize;
        while self.since.len() > machines {
            let since = self.since.pop().expect("one more than there shall be");
            // What came and went at one instant was never there.
            if since < now {
                self.ended.push(Rental { beside: self.since.len() as u32, lasted: now.since(since), goes_on: false });
            }
        }
        self.since.resize(machines, now);
    }

    /// Every machine that has been there, those first that are no more.
    pub fn until(&self, now: SimTime) -> impl Iterator<Item = Rental> + '_ {
        let there = self.since.iter().enumerate();
        let there = there.map(move |(beside, since)| Rental {
            beside: beside as u32,
            lasted: now.since(*since),
            goes_on: true,
        });
        self.ended.iter().copied().chain(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn told(rentals: &Rentals, now: u64) -> Vec<(u32, u64, bool)> {
        rentals.until(at(now)).map(|r| (r.beside, r.lasted.as_nanos() / 1_000_000_000, r.goes_on)).collect()
    }

    #[test]
    fn the_newest_is_given_back_first() {
        let mut rentals = Rentals::default();
        rentals.set(at(0), 2);
        rentals.set(at(10), 4);
        rentals.set(at(15), 1);
        rentals.set(at(20), 2);
        assert_eq!(told(&rentals, 30), [(3, 5, false), (2, 5, false), (1, 15, false), (0, 30, true), (1, 10, true)]);
        assert_eq!(rentals.until(at(30)).map(|r| r.lasted.as_nanos()).sum::<u64>(), 65_000_000_000, "the area below");
    }

    #[test]
    fn an_instant_is_no_rental() {
        let mut rentals = Rentals::default();
        rentals.set(at(0), 1);
        rentals.set(at(5), 3);
        rentals.set(at(5), 1);
        assert_eq!(told(&rentals, 6), [(0, 6, true)]);
    }
}
