//! Sessions that are open: each has one request under way, or its user thinks.
//!
//! So there is exactly one thing that goes on with a session, a reply or an event, and its slot can be
//! taken by another as soon as it has ended.

use super::slab::Slab;
use super::{Cx, State, purpose};
use crate::event::Event;
use crate::probe::Probe;
use sim_core::agenda::Class;
use sim_core::dist::Dist;
use sim_core::random::Key;

/// One session.
#[derive(Clone, Debug)]
struct Session {
    /// Names it; its requests are numbered under it.
    key: Key,
    /// Requests so far.
    asked: u32,
    /// Requests in all.
    requests: u32,
}

const _: () = assert!(size_of::<Session>() == 16, "a session is small: there are many at once");

/// The open sessions of one population.
#[derive(Clone, Debug)]
pub(super) struct SessionStates(Slab<Session>);

impl SessionStates {
    pub(super) const fn new() -> Self {
        Self(Slab::new())
    }

    /// How many there are.
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }

    /// Bytes they take, without slack.
    pub(super) fn bytes(&self) -> u64 {
        (self.0.len() * size_of::<Session>()) as u64
    }
}

impl State {
    /// A session of so many requests begins, with the first of them.
    pub(super) fn begin_session<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, key: Key, requests: u32) {
        let sessions = &mut self.clients[usize::from(client)].sessions.0;
        let session = sessions.insert(Session { key, asked: 0, requests });
        self.ask_in_session(cx, client, session);
    }

    /// The next request of a session.
    #[inline(never)]
    pub(super) fn ask_in_session<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, session: u32) {
        let state = &mut self.clients[usize::from(client)].sessions.0[session];
        let request = state.key.index(u64::from(state.asked));
        state.asked += 1;
        self.ask(cx, client, session, request);
    }

    /// A request of a session is over: its user thinks, or was there for the last time.
    #[inline(never)]
    pub(super) fn continue_session<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, session: u32, think: &Dist) {
        let sessions = &mut self.clients[usize::from(client)].sessions.0;
        let state = &sessions[session];
        if state.asked >= state.requests {
            return sessions.free(session);
        }
        // Named after the request it comes before, as that of a closed user.
        let request = state.key.index(u64::from(state.asked));
        let at = cx.now.saturating_add(think.sample(&mut request.index(purpose::THINK).rng()));
        cx.agenda.schedule(at, Class::Ordinary, Event::Thought { client, user: session });
    }
}
