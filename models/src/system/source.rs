//! Where requests come from: the state of one client population.
//!
//! Arrival times come from one stream a population, so that they are the same in every design.

use super::{Cx, NONE, State, purpose};
use crate::event::Event;
use crate::policy::budget::BudgetState;
use crate::policy::guard::GuardState;
use crate::probe::{Arrival, Outcome, Probe};
use crate::topology::{ArrivalSpec, ClientSpec, Topology};
use crate::workload::rate::Bound;
use crate::workload::{Rate, Trace};
use sim_core::agenda::Class;
use sim_core::dist::exp1;
use sim_core::random::{Key, KeyedRng};
use sim_core::time::{SimDuration, SimTime};

/// The state of one population.
#[derive(Clone, Debug)]
pub(super) struct ClientState {
    /// Names the population.
    key: Key,
    /// Requests so far.
    ordinal: u64,
    /// The stream of arrival times.
    stream: KeyedRng,
    /// When the pending arrival comes; `MAX` if none is pending.
    next: SimTime,
    /// The bound on the rate that holds for the next arrivals; void once its stretch has passed.
    bound: Bound,
    /// Of a trace: the bin that is played, and the arrivals in it that are still to come, last first.
    bin: usize,
    rest: Vec<SimTime>,
    /// Of a closed population: requests so far, by user.
    asked: Vec<u32>,
    /// The retry budget of the population.
    pub(super) budget: Option<BudgetState>,
    /// The guard of the population.
    pub(super) guard: Option<GuardState>,
}

impl ClientState {
    pub(super) fn new(root: Key, spec: &ClientSpec) -> Self {
        let key = root.named("client").named(&spec.name);
        Self {
            key,
            ordinal: 0,
            stream: key.named("arrivals").rng(),
            next: SimTime::MAX,
            bound: Bound { rate: 0.0, until: SimTime::ZERO },
            bin: 0,
            rest: Vec::new(),
            asked: vec![0; spec.users() as usize],
            budget: spec.budget.as_ref().map(crate::policy::Budget::start),
            guard: spec.guard.as_ref().map(|_| GuardState::default()),
        }
    }

    /// Bytes of what it holds: counters of closed users, and arrivals of the bin that is played.
    pub(super) fn bytes(&self) -> u64 {
        (size_of_val(&*self.asked) + size_of_val(&*self.rest)) as u64
    }

    /// The next arrival of a Poisson process from `now` on.
    #[inline]
    fn next_poisson(&mut self, now: SimTime, rate: &Rate) -> SimTime {
        let Rate::Constant(rate) = rate else {
            return self.next_thinned(now, rate);
        };
        // As by thinning, under a bound that is the rate itself and holds for ever.
        let gap = exp1(&mut self.stream) / rate.get();
        if rate.get() > 0.0 { now.saturating_add(SimDuration::from_secs_f64(gap)) } else { SimTime::MAX }
    }

    /// The next arrival of a Poisson process whose rate changes, by thinning.
    #[inline(never)]
    fn next_thinned(&mut self, now: SimTime, rate: &Rate) -> SimTime {
        let mut at = now;
        loop {
            if at >= self.bound.until {
                self.bound = rate.bound(at);
            }
            let bound = self.bound;
            let gap = exp1(&mut self.stream) / bound.rate;
            // Beyond the bound's stretch, or never where the rate is 0.
            let candidate = at.saturating_add(SimDuration::from_secs_f64(gap));
            if candidate >= bound.until || bound.rate <= 0.0 {
                if bound.until == SimTime::MAX {
                    return SimTime::MAX;
                }
                at = bound.until;
                continue;
            }
            at = candidate;
            let sure = matches!(rate, Rate::Constant(_) | Rate::Piecewise(_));
            if sure || rate.is_above(at, self.stream.uniform() * bound.rate) {
                return at;
            }
        }
    }

    /// The next arrival of a trace.
    fn next_recorded(&mut self, trace: &Trace, factor: f64) -> SimTime {
        loop {
            if let Some(at) = self.rest.pop() {
                return at;
            }
            let Some(&count) = trace.counts.get(self.bin) else {
                return SimTime::MAX;
            };
            let start = trace.bin.as_nanos() * self.bin as u64;
            self.bin += 1;
            let stream = &mut self.stream;
            let kept = if factor < 1.0 {
                (0..count).filter(|_| stream.uniform() < factor).count()
            } else {
                count as usize + poisson(stream, (factor - 1.0) * f64::from(count))
            };
            let within = |u: f64| SimTime::from_nanos(start + (u * trace.bin.as_nanos() as f64) as u64);
            self.rest.extend((0..kept).map(|_| within(stream.uniform())));
            self.rest.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
}

/// A Poisson number: how many unit-rate arrivals come before `mean`.
fn poisson(stream: &mut KeyedRng, mean: f64) -> usize {
    let (mut n, mut at) = (0, exp1(stream));
    while at < mean {
        n += 1;
        at += exp1(stream);
    }
    n
}

impl State {
    /// Sets every population going.
    pub(super) fn start_sources<P: Probe>(&mut self, cx: &mut Cx<'_, P>) {
        for client in 0..self.clients.len() as u16 {
            match cx.topology.clients[usize::from(client)].arrivals {
                ArrivalSpec::Closed { users, .. } => (0..users).for_each(|user| self.think(cx, client, user)),
                ArrivalSpec::Poisson(_) | ArrivalSpec::Trace { .. } => self.schedule_arrival(cx, client),
            }
        }
    }

    /// If an open population's rate has changed, it starts anew at its present rate: the process has no
    /// memory. Otherwise it goes on, so that the same requests come as without the change elsewhere.
    pub(super) fn restart_arrivals<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, old: &Topology) {
        let (before, after) = (&old.clients[usize::from(client)], &cx.topology.clients[usize::from(client)]);
        if let (ArrivalSpec::Poisson(before), ArrivalSpec::Poisson(after)) = (&before.arrivals, &after.arrivals)
            && before != after
        {
            self.clients[usize::from(client)].bound = Bound { rate: 0.0, until: SimTime::ZERO };
            self.schedule_arrival(cx, client);
        }
    }

    /// Draws an open population's next arrival.
    #[inline(always)]
    pub(super) fn schedule_arrival<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16) {
        let state = &mut self.clients[usize::from(client)];
        state.next = match &cx.topology.clients[usize::from(client)].arrivals {
            ArrivalSpec::Poisson(rate) => state.next_poisson(cx.now, rate),
            ArrivalSpec::Trace { trace, factor } => state.next_recorded(trace, *factor),
            ArrivalSpec::Closed { .. } => return,
        };
        if state.next != SimTime::MAX {
            cx.agenda.schedule(state.next, Class::Ordinary, Event::Arrival { client: u32::from(client) });
        }
    }

    /// A request of an open population comes.
    #[inline(always)]
    pub(super) fn arrival<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16) {
        let state = &mut self.clients[usize::from(client)];
        if state.next != cx.now {
            return;
        }
        let request = state.key.index(state.ordinal);
        state.ordinal += 1;
        self.ask(cx, client, NONE, request);
        self.schedule_arrival(cx, client);
    }

    /// A closed user starts thinking; the user of an open population leaves.
    #[inline(always)]
    pub(super) fn think<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32) {
        if let ArrivalSpec::Closed { think, .. } = &cx.topology.clients[usize::from(client)].arrivals {
            let state = &self.clients[usize::from(client)];
            let request = state.key.index(u64::from(user)).index(u64::from(state.asked[user as usize]));
            let at = cx.now.saturating_add(think.sample(&mut request.index(purpose::THINK).rng()));
            cx.agenda.schedule(at, Class::Ordinary, Event::Thought { client, user });
        }
    }

    /// A closed user has thought and asks.
    #[inline(always)]
    pub(super) fn thought<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32) {
        let state = &mut self.clients[usize::from(client)];
        let asked = &mut state.asked[user as usize];
        let request = state.key.index(u64::from(user)).index(u64::from(*asked));
        *asked += 1;
        self.ask(cx, client, user, request);
    }

    /// A fresh request: chooses its endpoint and calls it.
    #[inline(always)]
    fn ask<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32, request: Key) {
        let mix = &cx.topology.clients[usize::from(client)].mix;
        let site = match mix.as_slice() {
            [(_, only)] => *only,
            mix => {
                let u = request.index(purpose::ENDPOINT).uniform();
                mix.iter().find(|(p, _)| u < *p).or(mix.last()).expect("a client asks for something").1
            }
        };
        self.counts.arrived += 1;
        let in_flight = self.counts.in_flight();
        self.peak_in_flight = self.peak_in_flight.max(in_flight);
        cx.probe.arrival(cx.now, &Arrival { client, site, request });
        cx.probe.in_flight(cx.now, in_flight);
        self.start_call(cx, site, user, request, request);
    }

    /// A request is over.
    #[inline(always)]
    pub(super) fn count_outcome<P: Probe>(&mut self, cx: &mut Cx<'_, P>, outcome: &Outcome) {
        match outcome.result {
            Ok(()) => self.counts.done += 1,
            Err(_) => self.counts.failed += 1,
        }
        cx.probe.outcome(cx.now, outcome);
        cx.probe.in_flight(cx.now, self.counts.in_flight());
    }
}
