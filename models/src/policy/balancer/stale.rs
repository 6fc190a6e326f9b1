//! Stale numbers: a balancer that sees what was outstanding at the last multiple of an age, the bulletin board
//! with periodic updates of Mitzenmacher ("How useful is old information?", 2000). Whoever looked best at the last
//! update gets all that comes until the next: the older the numbers, the worse the herd, until to choose blindly
//! is better than to know.

use super::{Balancer, Member, View, least_outstanding, power_of};
use crate::given::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// Stale numbers as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// How long it takes from one update to the next.
    pub age: Given<SimDuration>,
    /// Who chooses by these numbers: `LeastOutstanding` or `PowerOf`.
    pub of: Box<Balancer>,
}

/// Stale numbers as run.
#[derive(Clone, Debug)]
pub struct StaleState {
    age: SimDuration,
    of: Chooser,
    /// What was outstanding at the last update, by the replica's id; nothing for one that has come since.
    board: Vec<u32>,
    /// When the next update is; `None` while nothing is outstanding anywhere, and so nothing was.
    pub(super) next: Option<SimTime>,
}

#[derive(Clone, Debug)]
enum Chooser {
    LeastOutstanding,
    PowerOf(power_of::PowerOfState),
}

impl Stale {
    pub(super) fn start(&self) -> Result<StaleState, String> {
        let of = match &*self.of {
            Balancer::LeastOutstanding => Chooser::LeastOutstanding,
            Balancer::PowerOf(power_of) => Chooser::PowerOf(power_of.start()?),
            _ => return Err("only LeastOutstanding and PowerOf go by numbers that can be stale".into()),
        };
        if self.age.get().is_zero() {
            return Err("numbers of age 0s are not stale; write the balancer itself".into());
        }
        Ok(StaleState { age: self.age.get(), of, board: Vec::new(), next: None })
    }
}

impl StaleState {
    pub(super) fn pick<F>(&self, view: &View<'_, F>) -> u32 {
        let board = |id: u32| self.board.get(id as usize).copied().unwrap_or(0);
        let View { up, desired, attempt, request, now, slowness, .. } = *view;
        let view = View { up, desired, outstanding: board, attempt, request, now, slowness };
        match &self.of {
            Chooser::LeastOutstanding => least_outstanding::pick(&view),
            Chooser::PowerOf(state) => state.pick(&view),
        }
    }

    /// When the first update after `now` is, if none is planned.
    pub(super) fn plan(&mut self, now: SimTime) -> Option<SimTime> {
        if self.next.is_some() {
            return None;
        }
        let updates = now.as_nanos() / self.age.as_nanos() + 1;
        self.next = Some(SimTime::from_nanos(updates.saturating_mul(self.age.as_nanos())));
        self.next
    }

    /// The numbers are brought up to date.
    pub(super) fn update(&mut self, up: &[Member], outstanding: impl Fn(u32) -> u32) {
        self.board.clear();
        for member in up {
            let place = member.id as usize;
            if self.board.len() <= place {
                self.board.resize(place + 1, 0);
            }
            self.board[place] = outstanding(member.id);
        }
    }

    /// The update of this instant: the numbers are put up, and the next is planned if there are any.
    pub(super) fn look(&mut self, now: SimTime, up: &[Member], outstanding: impl Fn(u32) -> u32) -> Option<SimTime> {
        if self.next != Some(now) {
            return None;
        }
        self.next = None;
        self.update(up, outstanding);
        if self.board.iter().all(|n| *n == 0) { None } else { self.plan(now) }
    }

    /// Of a replica that has come nothing is known.
    pub(super) fn joined(&mut self, id: u32) {
        if let Some(known) = self.board.get_mut(id as usize) {
            *known = 0;
        }
    }
}
