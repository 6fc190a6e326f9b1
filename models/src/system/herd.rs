//! Many who come back at once: phones after a dead spot, sockets after a restart.

use super::{Cx, NONE, State, purpose};
use crate::event::Event;
use crate::probe::Probe;
use crate::topology::ArrivalSpec;
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};

/// Requests of one population that are still to come, or sessions, if that is how it asks.
#[derive(Clone, Debug)]
pub(super) struct Herd {
    client: u16,
    /// Names the herd; its members are numbered.
    key: Key,
    /// When they come and who, last first.
    rest: Vec<(SimTime, u32)>,
}

impl Herd {
    /// Bytes of those that are still to come.
    pub(super) fn bytes(&self) -> u64 {
        size_of_val(&*self.rest) as u64
    }
}

impl State {
    /// So many of a population come from now on, each at an instant drawn uniformly from a while. Closed users come by
    /// themselves, so that there is no herd of them.
    #[cold]
    pub(super) fn gather<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, size: u32, within: SimDuration) {
        let state = &mut self.clients[usize::from(client)];
        if size == 0 || matches!(cx.topology.clients[usize::from(client)].arrivals, ArrivalSpec::Closed { .. }) {
            return;
        }
        let key = state.key.named("herd").index(state.herds);
        state.herds += 1;
        let at = |i: u32| {
            let share = key.index(u64::from(i)).index(purpose::INTERVAL).uniform();
            cx.now.saturating_add(within.scaled(share))
        };
        let mut rest: Vec<_> = (0..size).map(|i| (at(i), i)).collect();
        rest.sort_unstable_by(|a, b| b.cmp(a));
        let herd = Herd { client, key, rest };
        let free = self.herds.iter().position(|herd| herd.rest.is_empty());
        let id = free.unwrap_or(self.herds.len());
        match self.herds.get_mut(id) {
            Some(slot) => *slot = herd,
            None => self.herds.push(herd),
        }
        self.gather_later(cx, id as u32);
    }

    fn gather_later<P: Probe>(&self, cx: &mut Cx<'_, P>, herd: u32) {
        if let Some((at, _)) = self.herds[herd as usize].rest.last() {
            cx.agenda.schedule(*at, Class::Ordinary, Event::Return { herd });
        }
    }

    /// The next of a herd comes.
    #[cold]
    pub(super) fn come_back<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let herd = &mut self.herds[id as usize];
        let Some((_, member)) = herd.rest.pop() else { return };
        let (client, name) = (herd.client, herd.key.index(u64::from(member)));
        self.gather_later(cx, id);
        match &cx.topology.clients[usize::from(client)].arrivals {
            ArrivalSpec::Sessions { requests, .. } => {
                let requests = requests.draw(&mut name.index(purpose::TIMES).rng());
                self.begin_session(cx, client, name, requests);
            }
            _ => self.ask(cx, client, NONE, name),
        }
    }
}
