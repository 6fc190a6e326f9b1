//! What works on requests in one replica.
//!
//! Servers are FIFO: whoever gets one keeps it for the length of the step, unless the more urgent take it
//! (`urgency`). Cores and the universal
//! scalability law share: with n at work each advances at pace r(n), one over its slowdown. Both kinds of sharing are one
//! mechanism. The *attained service* V(t) is what a request present all along would have received:
//! it grows at r(n). A request that comes at V with demand d is done when V reaches V + d, whoever
//! comes and goes meanwhile, so the next to finish is the least of a heap, and one pending tick a
//! processor suffices. A newcomer only delays the pending tick; it is re-armed when it comes early.

use super::urgency::Ranks;
use crate::topology::ProcessorSpec;
use sim_core::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// How fast those that share advance.
pub(crate) trait Pace {
    /// How many times longer each of `n` at work takes than alone.
    fn slowdown(&self, n: u32) -> f64;
}

impl Pace for ProcessorSpec {
    #[inline]
    fn slowdown(&self, n: u32) -> f64 {
        Self::slowdown(self, n)
    }
}

/// As others have worked out.
impl Pace for f64 {
    #[inline]
    fn slowdown(&self, _: u32) -> f64 {
        *self
    }
}

/// The state of one processor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processor {
    /// Visits at work.
    at_work: u32,
    /// Visits that wait for a server, head first. Not used when sharing.
    ready: VecDeque<u32>,
    /// Who is at work and who waits, where the more urgent take servers.
    ranks: Option<Box<Ranks>>,
    /// Attained service V in nanoseconds, as of `since`.
    attained: f64,
    since: SimTime,
    /// Who is done at which V; V as bits, which order like the number as it is never negative.
    finish: BinaryHeap<Reverse<(u64, u32)>>,
    /// When the pending tick comes; `MAX` if none is pending.
    tick: SimTime,
    /// Whether it stands still: nobody attains anything, and nobody is done.
    stopped: bool,
}

impl Processor {
    pub(crate) fn new() -> Self {
        Self { tick: SimTime::MAX, ..Self::default() }
    }

    /// Visits at work.
    pub(crate) const fn at_work(&self) -> u32 {
        self.at_work
    }

    /// Servers or cores in use. Servers may be more than there are: a lowered limit lets holders finish.
    pub(crate) fn busy(&self, spec: &ProcessorSpec) -> u32 {
        match *spec {
            ProcessorSpec::Cores(cores) => self.at_work.min(cores),
            ProcessorSpec::Servers(_)
            | ProcessorSpec::Usl { .. }
            | ProcessorSpec::Infinite
            | ProcessorSpec::Hosted { .. } => self.at_work,
        }
    }

    /// Takes a server if one is free.
    #[inline]
    pub(crate) fn take_server(&mut self, servers: u32) -> bool {
        let free = self.at_work < servers;
        self.at_work += u32::from(free);
        free
    }

    /// Waits for a server.
    pub(crate) fn wait(&mut self, visit: u32) {
        self.ready.push_back(visit);
    }

    /// A visit gives its server back. The caller then asks [`Self::next_ready`].
    pub(crate) fn leave_server(&mut self, visit: u32) {
        self.release_server();
        if let Some(ranks) = &mut self.ranks {
            ranks.leave(visit);
        }
    }

    /// Who is at work and who waits, where the more urgent take servers.
    pub(crate) fn ranks(&mut self) -> &mut Ranks {
        self.ranks.get_or_insert_default()
    }

    /// Gives a server back that is a thread. The caller then asks [`Self::next_ready`].
    pub(crate) const fn release_server(&mut self) {
        self.at_work -= 1;
    }

    /// A visit no longer waits for a server.
    pub(crate) fn stop_waiting(&mut self, visit: u32) {
        self.ready.retain(|&other| other != visit);
    }

    /// How many wait for a server, where none is more urgent than another.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether somebody waits for a server.
    pub(crate) fn somebody_is_ready(&self) -> bool {
        !self.ready.is_empty() || self.ranks.as_ref().is_some_and(|ranks| ranks.somebody_is_ready())
    }

    /// Who takes a free server, if somebody waits and one is free. The server is then taken.
    pub(crate) fn next_ready(&mut self, servers: u32) -> Option<u32> {
        if self.at_work >= servers {
            return None;
        }
        let next = match &mut self.ranks {
            None => self.ready.pop_front()?,
            Some(ranks) => ranks.next()?,
        };
        self.at_work += 1;
        Some(next)
    }

    /// Brings V up to `now`.
    pub(crate) fn settle(&mut self, now: SimTime, pace: &impl Pace) {
        if self.at_work > 0 && now > self.since && !self.stopped {
            self.attained += now.since(self.since).as_nanos() as f64 / pace.slowdown(self.at_work);
        }
        self.since = now;
    }

    /// A visit joins those that share.
    pub(crate) fn join(&mut self, now: SimTime, pace: &impl Pace, visit: u32, demand: SimDuration) {
        self.settle(now, pace);
        if self.at_work == 0 {
            // Nobody remembers V: start anew, so that it stays small and exact.
            self.attained = 0.0;
        }
        self.at_work += 1;
        self.finish.push(Reverse(((self.attained + demand.as_nanos() as f64).to_bits(), visit)));
    }

    /// The next visit that is done at `now`, if the pending tick is this one.
    pub(crate) fn next_done(&mut self, now: SimTime, pace: &impl Pace) -> Option<u32> {
        self.settle(now, pace);
        let &Reverse((finish, visit)) = self.finish.peek()?;
        if f64::from_bits(finish) > self.attained {
            return None;
        }
        self.finish.pop();
        self.at_work -= 1;
        Some(visit)
    }

    /// Whether a tick at `now` is the pending one; it is then no longer pending.
    pub(crate) fn takes_tick(&mut self, now: SimTime) -> bool {
        let pending = self.tick == now;
        if pending {
            self.tick = SimTime::MAX;
        }
        pending
    }

    /// When to tick next, unless a tick is pending by then.
    pub(crate) fn next_tick(&mut self, now: SimTime, pace: &impl Pace) -> Option<SimTime> {
        let at = self.next_finish(now, pace)?;
        if at >= self.tick {
            return None;
        }
        self.tick = at;
        Some(at)
    }

    /// When the next of those that share is done, if all goes on as now.
    #[inline]
    pub(crate) fn next_finish(&self, now: SimTime, pace: &impl Pace) -> Option<SimTime> {
        let &Reverse((finish, _)) = self.finish.peek()?;
        if self.stopped {
            return None;
        }
        let left = (f64::from_bits(finish) - self.attained).max(0.0) * pace.slowdown(self.at_work);
        // Rounded up: at the tick the service has been attained, but for the last bit perhaps.
        let whole = left as u64;
        Some(now.saturating_add(SimDuration::from_nanos(whole.saturating_add(u64::from((whole as f64) < left)))))
    }

    /// Stands still from `now` on, or goes on.
    pub(crate) fn stop(&mut self, now: SimTime, pace: &impl Pace, stopped: bool) {
        self.settle(now, pace);
        self.stopped = stopped;
        self.forget_tick();
    }

    /// The pace has changed: the pending tick no longer fits.
    pub(crate) const fn forget_tick(&mut self) {
        self.tick = SimTime::MAX;
    }

    /// Removes a visit that shares or waits for a server. `working` tells whether it was at work.
    pub(crate) fn remove(&mut self, now: SimTime, spec: &ProcessorSpec, visit: u32, working: bool) {
        if let (false, Some(ranks)) = (working, &mut self.ranks) {
            ranks.leave(visit);
            return;
        }
        if !working {
            return self.stop_waiting(visit);
        }
        if !matches!(spec, ProcessorSpec::Servers(_)) {
            return self.remove_sharing(now, spec, visit);
        }
        self.at_work -= 1;
    }

    /// Removes a visit that shares.
    pub(crate) fn remove_sharing(&mut self, now: SimTime, pace: &impl Pace, visit: u32) {
        self.settle(now, pace);
        self.finish.retain(|Reverse((_, other))| *other != visit);
        self.at_work -= 1;
    }
}
