//! Places in an order, from the oldest to the newest: a doubly linked list in an array, so that every change
//! takes constant time and a clone is a copy.

/// No place.
const NONE: u32 = u32::MAX;

/// The order of the places 0, 1, …, n−1.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// Of each place, the next older and the next newer.
    links: Vec<[u32; 2]>,
    /// Both ends: the newest and the oldest.
    ends: [u32; 2],
}

const OLDER: usize = 0;
const NEWER: usize = 1;

impl Default for List {
    fn default() -> Self {
        Self { links: Vec::new(), ends: [NONE; 2] }
    }
}

impl List {
    /// The oldest place.
    pub(super) const fn oldest(&self) -> Option<u32> {
        match self.ends[NEWER] {
            NONE => None,
            place => Some(place),
        }
    }

    /// One place more, the newest.
    pub(super) fn push(&mut self) {
        self.links.push([NONE; 2]);
        self.link(self.links.len() as u32 - 1);
    }

    /// A place becomes the newest.
    pub(super) fn renew(&mut self, place: u32) {
        if self.ends[OLDER] != place {
            self.unlink(place);
            self.link(place);
        }
    }

    /// A place goes, and the last takes its number.
    pub(super) fn swap_remove(&mut self, place: u32) {
        self.unlink(place);
        let links = self.links.pop().expect("there is a place to remove");
        let last = self.links.len() as u32;
        if place != last {
            self.links[place as usize] = links;
            self.set(links[OLDER], NEWER, place);
            self.set(links[NEWER], OLDER, place);
        }
    }

    /// All places, from the oldest to the newest.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let newer = |place: &u32| Some(self.links[*place as usize][NEWER]).filter(|next| *next != NONE);
        std::iter::successors(self.oldest(), newer)
    }

    /// What a place, or an end of the list for none, is linked to in one direction.
    fn set(&mut self, place: u32, direction: usize, to: u32) {
        match place {
            NONE => self.ends[direction] = to,
            place => self.links[place as usize][direction] = to,
        }
    }

    fn link(&mut self, place: u32) {
        let newest = self.ends[OLDER];
        self.links[place as usize] = [newest, NONE];
        self.set(newest, NEWER, place);
        self.ends[OLDER] = place;
    }

    fn unlink(&mut self, place: u32) {
        let [older, newer] = self.links[place as usize];
        self.set(older, NEWER, newer);
        self.set(newer, OLDER, older);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// As a plain list of names does, whatever is done to it.
        #[test]
        fn keeps_the_order_of_a_plain_list(steps in proptest::collection::vec((0..3_u8, any::<u32>()), 0..60)) {
            let (mut list, mut plain) = (List::default(), Vec::<u32>::new());
            for (step, at) in steps {
                let len = plain.len() as u32;
                match (step, len) {
                    (0, _) | (_, 0) => {
                        list.push();
                        plain.push(len);
                    }
                    (1, _) => {
                        list.renew(at % len);
                        plain.retain(|place| *place != at % len);
                        plain.push(at % len);
                    }
                    _ => {
                        list.swap_remove(at % len);
                        plain.retain(|place| *place != at % len);
                        plain.iter_mut().filter(|place| **place == len - 1).for_each(|place| *place = at % len);
                    }
                }
                prop_assert_eq!(list.iter().collect::<Vec<_>>(), plain.clone());
                prop_assert_eq!(list.oldest(), plain.first().copied());
            }
        }
    }
}
