//! Attempts on their way: what stands in a queue, and what a visit begins with.

use super::call::{Call, Phase};
use super::hedge::HEDGED;
use super::visit::Doing;
use super::{State, purpose};
use crate::topology::Topology;
use sim_core::random::Key;
use sim_core::time::SimTime;

/// One attempt of a call at a service. In a queue nothing else stands for it, so an attempt that was given up
/// costs no more than this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// Names the call; draws of its first attempt derive from it.
    pub(super) key: Key,
    /// Names the request on whose behalf it is made.
    pub(super) request: Key,
    /// When it reached the service.
    pub(super) arrived: SimTime,
    /// The number of whoever waits for its end.
    pub(super) by: u32,
    /// From where it was made.
    pub(super) site: u16,
    /// Which attempt of its call, from 0.
    pub(super) number: u8,
    /// Who waits for its end, and how urgent it is.
    pub(super) standing: Standing,
}

const _: () = assert!(size_of::<Attempt>() <= 32, "queues of a collapsed night hold millions of these");

/// Who waits for the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Nobody: it was handed over.
    Nobody,
    /// A client, directly: the closed user of that number, or one of an open population.
    Client,
    /// A visit, directly.
    Visit,
    /// A call with a policy: a timeout, a retry, a pool.
    Call,
    /// The visit whose branch this is.
    Parent,
    /// Nobody: a visit whose reply has gone out.
    Replied,
    /// Nobody: a branch that its parent has left behind. It holds no thread.
    Loose,
}

/// Who waits for the end of an attempt, and how urgent it is, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing(u8);

impl Standing {
    /// `priority` is at most [`crate::topology::MOST_URGENT`].
    #[inline(always)]
    pub(super) const fn new(awaited: Awaited, priority: u8) -> Self {
        Self(priority << 4 | awaited as u8)
    }

    /// How urgent it is.
    #[inline(always)]
    pub(super) const fn priority(self) -> u8 {
        self.0 >> 4
    }

    #[inline(always)]
    const fn awaited(self) -> Awaited {
        match self.0 & 15 {
            0 => Awaited::Nobody,
            1 => Awaited::Client,
            2 => Awaited::Visit,
            3 => Awaited::Call,
            4 => Awaited::Parent,
            5 => Awaited::Replied,
            _ => Awaited::Loose,
        }
    }

    /// The same urgency, awaited by somebody else.
    #[inline]
    pub(super) const fn awaited_by(self, awaited: Awaited) -> Self {
        Self::new(awaited, self.priority())
    }
}

impl Attempt {
    /// Who waits for its end.
    #[inline(always)]
    pub(super) const fn awaited(&self) -> Awaited {
        self.standing.awaited()
    }

    /// Names the attempt and no other; its draws derive from it.
    pub(super) const fn name(&self) -> Key {
        attempt_key(self.key, self.number)
    }
}

/// The draws of an attempt: those of the call itself for the first, new ones for each repeat.
#[inline]
pub(super) const fn attempt_key(call: Key, attempt: u8) -> Key {
    match attempt {
        0 => call,
        n => call.index(purpose::nth(purpose::ATTEMPT, n as u64)),
    }
}

impl State {
    /// Whether somebody still waits for this attempt. Nobody ever waits for what was handed over, so
    /// that is always wanted.
    #[inline]
    pub(super) fn wanted(&self, attempt: &Attempt) -> bool {
        match attempt.awaited() {
            Awaited::Nobody | Awaited::Client | Awaited::Replied | Awaited::Loose => true,
            Awaited::Visit | Awaited::Parent => {
                let caller = &self.visits[attempt.by];
                caller.doing == Doing::Awaiting && caller.until.as_nanos() == attempt.key.bits()
            }
            Awaited::Call => {
                let call = &self.calls[attempt.by];
                let one = |call: &Call| match call.replica {
                    HEDGED => self.leg_is_open(call.visit, attempt.number),
                    _ => call.attempt == attempt.number,
                };
                call.phase == Phase::Sent && call.key == attempt.key && one(call)
            }
        }
    }

    /// When its caller gives it up even once it is at work, if ever; in the past if it has.
    pub(super) fn deadline(&self, topology: &Topology, attempt: &Attempt) -> Option<SimTime> {
        match attempt.awaited() {
            _ if !self.wanted(attempt) => Some(attempt.arrived),
            Awaited::Call => Some(self.given_up(topology, attempt.by)).filter(|due| *due != SimTime::MAX),
            _ => None,
        }
    }
}
