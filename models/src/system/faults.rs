//! What goes wrong with replicas, and comes right again.
//!
//! ```text
//!  timeline ----- act -----+
//!                          +--> which replicas --> crash, or what ails them --Recover--> well
//!  Recur --draws--> acts --+
//! ```
//!
//! A replica that ails is uneven ([`Replica::uneven`]), so that whoever is well pays nothing.

use super::replica::{Host, Replica};
use super::visit::{Doing, Visit};
use super::{Cx, State, Todo, purpose};
use crate::event::Event;
use crate::fault::{Failing, Fault, Which};
use crate::intervention::Act;
use crate::probe::{Cause, Probe};
use crate::topology::{Site, Topology};
use sim_core::agenda::Class;
use sim_core::random::Key;
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// What is wrong with a replica, each until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Ailments {
    paused: Option<SimTime>,
    slow: Option<(f64, SimTime)>,
    failing: Option<(Arc<Failing>, SimTime)>,
}

impl Ailments {
    /// How many times longer work takes.
    pub(super) fn factor(&self) -> f64 {
        self.slow.map_or(1.0, |(factor, _)| factor)
    }

    /// When the next of them ends.
    fn next_end(&self) -> Option<SimTime> {
        let ends = [self.paused, self.slow.map(|(_, end)| end), self.failing.as_ref().map(|(_, end)| *end)];
        ends.into_iter().flatten().min()
    }
}

impl Replica {
    /// Whether its processors stand still.
    pub(super) fn is_stopped(&self) -> bool {
        self.ailments.as_ref().is_some_and(|ailments| ailments.paused.is_some())
    }
}

impl Visit {
    /// Whoever works on a server, or alone, stands still.
    pub(super) fn stop(&mut self, now: SimTime) {
        if self.doing == Doing::Working {
            self.until = SimTime::from_nanos(self.until.since(now).as_nanos());
            self.doing = Doing::Stopped;
        }
    }

    /// What is left of its work on a server, whether it stands still or not.
    pub(super) fn left(&self, now: SimTime) -> SimDuration {
        match self.doing {
            Doing::Stopped => SimDuration::from_nanos(self.until.as_nanos()),
            _ => self.until.since(now),
        }
    }
}

/// The faults that come again and again.
#[derive(Clone, Debug)]
pub(super) struct Recurrences {
    /// Of each fault: its name as a key, and to whom it comes, by ordinal.
    of: Vec<(Key, Vec<Recurrence>)>,
}

/// A fault that comes to one replica, or to all in common.
#[derive(Clone, Copy, Debug)]
struct Recurrence {
    /// How often it has come.
    count: u64,
    /// When it comes next.
    next: SimTime,
}

impl Recurrences {
    pub(super) fn new(root: Key, topology: &Topology) -> Self {
        let key = root.named("fault");
        Self { of: topology.recurring.iter().map(|spec| (key.named(&spec.name), Vec::new())).collect() }
    }
}

impl State {
    /// Does what an act says to the replicas it hits, which are the one that is named, or those that it says
    /// itself. Answers for how long they suffer.
    #[cold]
    pub(super) fn go_wrong<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        act: &Act,
        random: Option<(Key, Option<u32>)>,
    ) -> SimDuration {
        let only = random.and_then(|(_, only)| only);
        let (topology, now) = (cx.topology, cx.now.as_nanos());
        let key = |state: &Self, service: u16| match random {
            Some((key, _)) => key.named(&topology.services[usize::from(service)].name),
            None => state.services[usize::from(service)].scaling.key.named("acts").index(now),
        };
        match act {
            Act::Kill { service, of, refuse } => {
                for ordinal in self.hit(*service, of, only, key(self, *service)) {
                    self.kill(cx, *service, ordinal, *refuse);
                }
                SimDuration::ZERO
            }
            Act::Inflict { service, of, fault, lasts } => {
                let key = key(self, *service);
                let hit = self.hit(*service, of, only, key);
                let lasts = lasts.as_ref().map(|lasts| lasts.sample(&mut key.index(purpose::LASTS).rng()));
                let end = lasts.map_or(SimTime::MAX, |lasts| cx.now.saturating_add(lasts));
                let up = |state: &Self, ordinal: u32| {
                    let up = &state.services[usize::from(*service)].up;
                    up.binary_search_by_key(&ordinal, |m| m.ordinal).map(|i| up[i].id)
                };
                for ordinal in hit {
                    if let Ok(id) = up(self, ordinal) {
                        self.inflict(cx, id, fault, end);
                    }
                }
                lasts.unwrap_or(SimDuration::ZERO)
            }
            Act::Heal { service, of } => {
                let hit = self.hit(*service, of, only, key(self, *service));
                for id in 0..self.replicas.len() as u32 {
                    let replica = &self.replicas[id as usize];
                    let meant = *of == Which::All && only.is_none() || hit.contains(&replica.ordinal);
                    if replica.service == *service && meant && replica.ailments.is_some() {
                        self.heal(cx, id, SimTime::MAX);
                    }
                }
                SimDuration::ZERO
            }
            Act::Flush { service } => {
                self.flush(cx.topology, cx.now, *service);
                SimDuration::ZERO
            }
            Act::Herd { client, size, within } => {
                self.gather(cx, *client, *size, *within);
                SimDuration::ZERO
            }
            Act::Scale { .. } | Act::Adopt { .. } => SimDuration::ZERO,
        }
    }

    /// The ordinals of the replicas that are hit.
    fn hit(&self, service: u16, of: &Which, only: Option<u32>, key: Key) -> Vec<u32> {
        let up = self.services[usize::from(service)].up.iter().map(|m| m.ordinal);
        match only {
            Some(only) => up.filter(|ordinal| *ordinal == only).collect(),
            None => of.of(up, key.index(purpose::FAULT)),
        }
    }

    /// A replica ails until an instant.
    fn inflict<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, fault: &Fault, end: SimTime) {
        let hosted = self.host(cx.topology, id).spec.processor.host().is_some();
        if end <= cx.now || hosted && matches!(fault, Fault::Pause) {
            return;
        }
        let stopped = self.replicas[id as usize].is_stopped();
        let ailments = self.replicas[id as usize].ailments.get_or_insert_default();
        match fault {
            Fault::Pause => ailments.paused = ailments.paused.max(Some(end)),
            Fault::Slow(factor) => ailments.slow = Some((*factor, end)),
            Fault::Fail(failing) => ailments.failing = Some((failing.clone(), end)),
        }
        self.feel(cx, id, stopped);
    }

    /// Faults of a replica end.
    #[cold]
    pub(super) fn recover<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let ends = self.replicas[id as usize].ailments.as_ref().and_then(|ailments| ailments.next_end());
        if ends.is_some_and(|ends| ends <= cx.now) {
            self.heal(cx, id, cx.now);
        }
    }

    /// All that ails a replica no longer than `until` is over.
    fn heal<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, until: SimTime) {
        let replica = &mut self.replicas[id as usize];
        let stopped = replica.is_stopped();
        if let Some(ailments) = &mut replica.ailments {
            ailments.paused = ailments.paused.filter(|end| *end > until);
            ailments.slow = ailments.slow.filter(|(_, end)| *end > until);
            ailments.failing = ailments.failing.take().filter(|(_, end)| *end > until);
            if ailments.next_end().is_none() {
                replica.ailments = None;
            }
        }
        self.feel(cx, id, stopped);
    }

    /// What ails a replica has changed; `was_stopped` tells whether its processors stood still before.
    fn feel<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32, was_stopped: bool) {
        let host = self.host(cx.topology, id);
        let replica = &mut self.replicas[id as usize];
        replica.set_speed(host.spec);
        let end = replica.ailments.as_ref().and_then(|ailments| ailments.next_end());
        if let Some(end) = end.filter(|end| *end != SimTime::MAX) {
            cx.agenda.schedule(end, Class::Ordinary, Event::Recover { replica: id });
        }
        let stopped = replica.is_stopped();
        if stopped == was_stopped {
            return;
        }
        replica.processor.stop(cx.now, &host.spec.processor, stopped);
        for slot in 0..self.visits.slots().len() as u32 {
            let v = &mut self.visits[slot];
            if v.replica != id {
                continue;
            }
            match v.doing {
                Doing::Working if stopped => v.stop(cx.now),
                Doing::Stopped if !stopped => v.work_alone(cx, slot, v.left(cx.now)),
                _ => {}
            }
        }
        self.tick_later(cx, id);
    }

    /// The visit needs the processor of a replica where work takes longer or shorter, or stands still.
    #[inline(never)]
    pub(super) fn work_unevenly<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        host: Host<'_>,
        visit: u32,
        demand: SimDuration,
    ) {
        let replica = &mut self.replicas[host.replica as usize];
        let demand = demand.scaled(replica.slowdown(cx.now, &host.spec.start));
        let stopped = replica.is_stopped();
        self.work_evenly(cx, host, visit, demand);
        if stopped {
            self.visits[visit].stop(cx.now);
        }
    }

    /// Whether a replica fails a visit that has just got a thread, instead of doing what it asks for.
    #[cold]
    #[inline(never)]
    pub(super) fn fails<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, site: &Site, visit: u32) -> bool {
        let ailments = self.replicas[host.replica as usize].ailments.as_ref();
        let Some((failing, _)) = ailments.and_then(|ailments| ailments.failing.as_ref()) else { return false };
        let v = &mut self.visits[visit];
        let name = v.attempt.name();
        let meant = failing.endpoints.is_empty() || failing.endpoints.contains(&site.endpoint);
        if !meant || name.index(purpose::FAILING).uniform() >= failing.share {
            return false;
        }
        v.failed = Some(Cause::Error);
        match &failing.after {
            None => self.todo.push_back(Todo::Resume { visit }),
            Some(after) => {
                v.doing = Doing::Delayed;
                v.until = cx.now.saturating_add(after.sample(&mut name.index(purpose::FAILING_AFTER).rng()));
                cx.agenda.schedule(v.until, Class::Ordinary, Event::StepEnd { visit });
            }
        }
        true
    }

    /// A replica has this ordinal for the first time: from now on faults come to it.
    #[cold]
    pub(super) fn expect_faults<P: Probe>(&mut self, cx: &mut Cx<'_, P>, service: u16, ordinal: u32) {
        for (fault, spec) in (0..).zip(&cx.topology.recurring) {
            if spec.service == Some(service) && self.recurrences.of[usize::from(fault)].1.len() == ordinal as usize {
                self.expect_fault(cx, fault, ordinal);
            }
        }
    }

    /// From now on faults come that all have in common.
    pub(super) fn expect_common_faults<P: Probe>(&mut self, cx: &mut Cx<'_, P>) {
        for (fault, spec) in (0..).zip(&cx.topology.recurring) {
            if spec.service.is_none() {
                self.expect_fault(cx, fault, 0);
            }
        }
    }

    fn expect_fault<P: Probe>(&mut self, cx: &mut Cx<'_, P>, fault: u16, ordinal: u32) {
        self.recurrences.of[usize::from(fault)].1.push(Recurrence { count: 0, next: SimTime::MAX });
        self.recur_later(cx, fault, ordinal, SimDuration::ZERO);
    }

    /// The fault comes again, after it has lasted for a while.
    fn recur_later<P: Probe>(&mut self, cx: &mut Cx<'_, P>, fault: u16, ordinal: u32, lasts: SimDuration) {
        let (key, of) = &mut self.recurrences.of[usize::from(fault)];
        let to = &mut of[ordinal as usize];
        let draw = key.index(u64::from(ordinal)).index(to.count).index(purpose::RECUR);
        let every = cx.topology.recurring[usize::from(fault)].every.sample(&mut draw.rng());
        to.next = cx.now.saturating_add(lasts).saturating_add(every);
        if to.next != SimTime::MAX {
            cx.agenda.schedule(to.next, Class::Ordinary, Event::Recur { fault, ordinal });
        }
    }

    /// A fault comes.
    #[cold]
    pub(super) fn recur<P: Probe>(&mut self, cx: &mut Cx<'_, P>, fault: u16, ordinal: u32) {
        let (key, of) = &mut self.recurrences.of[usize::from(fault)];
        let to = &mut of[ordinal as usize];
        let key = key.index(u64::from(ordinal)).index(to.count);
        to.count += 1;
        let topology = cx.topology;
        let spec = &topology.recurring[usize::from(fault)];
        let only = spec.service.map(|_| ordinal);
        let mut longest = SimDuration::ZERO;
        for act in &spec.acts {
            cx.probe.intervened(cx.now, act);
            longest = longest.max(self.go_wrong(cx, act, Some((key, only))));
        }
        self.recur_later(cx, fault, ordinal, longest);
    }
}
