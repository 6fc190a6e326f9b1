//! A digest of a run: two runs with equal digests handled the same events in the same order.

use super::Probe;
use crate::event::Event;
use sim_core::random::Key;
use sim_core::time::SimTime;

/// Hashes every event with its time, in order. Interventions are left out: one made live and one
/// scheduled beforehand give the same digest if all that follows is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(Key);

impl Default for Digest {
    fn default() -> Self {
        Self(Key::from_bits(0))
    }
}

impl Digest {
    /// The digest so far.
    pub const fn value(&self) -> u64 {
        self.0.bits()
    }
}

impl Probe for Digest {
    fn event(&mut self, now: SimTime, event: Event) {
        let (kind, a, b) = match event {
            Event::Intervention => return,
            Event::Arrival { client } => (1_u64, client, 0),
            Event::Thought { client, user } => (2, user, client),
            Event::StepEnd { visit } => (3, visit, 0),
            Event::ProcessorTick { replica } => (4, replica, 0),
            Event::CallTimer { call } => (5, call, 0),
            Event::Ready { replica } => (6, replica, 0),
            Event::Restart { service } => (7, service, 0),
            Event::Scaler { service } => (8, service, 0),
            Event::MachineTick { machine } => (9, machine, 0),
            Event::Recover { replica } => (10, replica, 0),
            Event::Return { herd } => (12, herd, 0),
            Event::Recur { fault, ordinal } => (11, ordinal, fault),
            Event::Balancer { service } => (13, service, 0),
            Event::Drained { replica } => (14, replica, 0),
        };
        self.0 = self.0.index(now.as_nanos()).index(kind << 48 | u64::from(b) << 32 | u64::from(a));
    }
}
