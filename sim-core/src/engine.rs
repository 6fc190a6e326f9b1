//! The event loop: pop the smallest `(time, class, insertion order)`, set the clock, hand over.

use crate::agenda::Agenda;
use crate::time::{SimDuration, SimTime};

/// What is simulated. It reacts to its events, schedules further ones and tells `O`, the observer,
/// what happened; the observer cannot answer, so it cannot influence the run.
pub trait Model<O> {
    /// What can happen.
    type Event: Copy;
    /// Why a run cannot go on.
    type Error;

    /// Reacts to `event` at `now`.
    ///
    /// # Errors
    /// A limit of the simulator that was hit; the run ends.
    fn handle(
        &mut self,
        now: SimTime,
        event: Self::Event,
        agenda: &mut Agenda<Self::Event>,
        observer: &mut O,
    ) -> Result<(), Self::Error>;
}

/// A run under way: clock, agenda and model. It is a value: `clone()` is the fork.
#[derive(Clone, Debug)]
pub struct Simulation<M, E> {
    now: SimTime,
    events: u64,
    /// Pending events.
    pub agenda: Agenda<E>,
    /// What is simulated.
    pub model: M,
}

impl<M, E: Copy> Simulation<M, E> {
    /// A run at time zero.
    pub fn new(model: M, agenda: Agenda<E>) -> Self {
        Self { now: SimTime::ZERO, events: 0, agenda, model }
    }

    /// The instant up to which everything has happened.
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// Events handled so far.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The loop: handles the events up to and including `limit`, but `most` at most. Returns whether none is left.
    fn advance<O>(&mut self, limit: SimTime, most: u64, observer: &mut O) -> Result<bool, M::Error>
    where
        M: Model<O, Event = E>,
    {
        let last = self.events.saturating_add(most);
        while self.events < last {
            let Some((at, event)) = self.agenda.pop_until(limit) else { return Ok(true) };
            self.now = at;
            self.events += 1;
            self.model.handle(at, event, &mut self.agenda, observer)?;
        }
        Ok(false)
    }

    /// Handles every event up to and including `limit`, and sets the clock to it.
    ///
    /// # Errors
    /// What the model reports; the clock then stands at the event that could not be handled.
    pub fn run_until<O>(&mut self, limit: SimTime, observer: &mut O) -> Result<(), M::Error>
    where
        M: Model<O, Event = E>,
    {
        self.run_some(limit, u64::MAX, observer).map(|_| ())
    }

    /// As [`Self::run_until`], but stops after `most` events: for whoever must look up from time to
    /// time. Returns whether everything up to `limit` has happened; if not, the clock stands at the
    /// last event. However a run is cut into such pieces, the same happens.
    ///
    /// # Errors
    /// As [`Self::run_until`].
    pub fn run_some<O>(&mut self, limit: SimTime, most: u64, observer: &mut O) -> Result<bool, M::Error>
    where
        M: Model<O, Event = E>,
    {
        let done = self.advance(limit, most, observer)?;
        if done {
            self.now = self.now.max(limit);
        }
        Ok(done)
    }

    /// Handles every event strictly before `instant`: what is done to the model then precedes all
    /// that happens at `instant`.
    ///
    /// # Errors
    /// As [`Self::run_until`].
    pub fn run_before<O>(&mut self, instant: SimTime, observer: &mut O) -> Result<(), M::Error>
    where
        M: Model<O, Event = E>,
    {
        match instant.as_nanos().checked_sub(1) {
            Some(before) => self.run_until(SimTime::from_nanos(before), observer),
            None => Ok(()),
        }
    }

    /// Handles the next event, if there is one, and returns its instant.
    ///
    /// # Errors
    /// As [`Self::run_until`].
    pub fn step<O>(&mut self, observer: &mut O) -> Result<Option<SimTime>, M::Error>
    where
        M: Model<O, Event = E>,
    {
        let over = self.advance(SimTime::MAX, 1, observer)?;
        Ok((!over).then_some(self.now))
    }

    /// The first instant that has not begun: what is done to a paused run from outside is done then,
    /// so that it precedes everything at its instant, as if it had been scheduled from the start.
    pub fn next_instant(&self) -> SimTime {
        self.now + SimDuration::from_nanos(1)
    }
}
