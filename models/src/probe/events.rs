//! The events of a run, for finding where two runs part.

use super::Probe;
use crate::event::Event;
use sim_core::time::SimTime;
use std::fmt;

/// Writes down every event with its instant, 16 bytes each. Like [`super::Digest`], which says whether
/// two runs are the same, it leaves interventions out; this says where they part.
///
/// It may watch a run from any instant on, and another run after the first: what it has seen is one
/// sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events(Vec<(SimTime, Event)>);

/// Where two runs part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many events they have in common before.
    pub index: usize,
    /// What then happens in one run and when; `None` if nothing more does.
    pub one: Option<(SimTime, Event)>,
    /// The same of the other run.
    pub other: Option<(SimTime, Event)>,
}

impl Events {
    /// The first event that differs from the other run's; `None` if both are the same.
    pub fn first_difference(&self, other: &Self) -> Option<Difference> {
        let common = self.0.iter().zip(&other.0).take_while(|(one, other)| one == other).count();
        let (one, other) = (self.0.get(common).copied(), other.0.get(common).copied());
        (one != other).then_some(Difference { index: common, one, other })
    }
}

impl Probe for Events {
    fn event(&mut self, now: SimTime, event: Event) {
        if event != Event::Intervention {
            self.0.push((now, event));
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |event: Option<(SimTime, Event)>| match event {
            Some((at, event)) => format!("{event:?} at {at}"),
            None => "the end".to_owned(),
        };
        write!(f, "after {} equal events comes {} in one run, ", self.index, show(self.one))?;
        write!(f, "{} in the other", show(self.other))
    }
}
