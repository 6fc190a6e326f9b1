//! Where requests come from: the state of one client population.
//!
//! Arrival times come from one stream a population, so that they are the same in every design.

use super::session::SessionStates;
use super::{Cx, NONE, State, purpose};
use crate::event::Event;
use crate::policy::budget::BudgetState;
use crate::policy::guard::GuardState;
use crate::probe::{Arrival, Outcome, Probe};
use crate::topology::{ArrivalSpec, ClientSpec, Topology};
use crate::workload::mmpp::Environment;
use crate::workload::rate::Bound;
use crate::workload::{Batch, Rate, Trace};
use sim_core::agenda::Class;
use sim_core::dist::exp1;
use sim_core::random::{Key, KeyedRng};
use sim_core::time::{SimDuration, SimTime};

/// The state of one population.
#[derive(Clone, Debug)]
pub(super) struct ClientState {
    /// Names the population.
    pub(super) key: Key,
    /// Requests so far; of batches and sessions, those.
    pub(super) ordinal: u64,
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
    /// Of a Markov-modulated process: the state it is in.
    environment: Option<Environment>,
    /// Names how many requests a batch or a session has, by its ordinal.
    pub(super) counts: Key,
    /// Sessions that are open.
    pub(super) sessions: SessionStates,
    /// Herds of it that have come.
    pub(super) herds: u64,
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
            environment: match &spec.arrivals {
                ArrivalSpec::Mmpp(mmpp) => Some(mmpp.start(key.named("environment"))),
                _ => None,
            },
            counts: key.named("counts"),
            sessions: SessionStates::new(),
            herds: 0,
            budget: spec.budget.as_ref().map(crate::policy::Budget::start),
            guard: spec.guard.as_ref().map(|_| GuardState::default()),
        }
    }

    /// Bytes of what it holds: counters of closed users, arrivals of the bin that is played, open sessions.
    pub(super) fn bytes(&self) -> u64 {
        (size_of_val(&*self.asked) + size_of_val(&*self.rest)) as u64 + self.sessions.bytes()
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

    /// The next move of any other open population.
    #[inline(never)]
    fn next_otherwise(&mut self, now: SimTime, arrivals: &ArrivalSpec) -> SimTime {
        match arrivals {
            ArrivalSpec::Renewal(interval) => {
                // Named after the request it comes before, so that a changed interval shifts no draw.
                let request = self.key.index(self.ordinal);
                now.saturating_add(interval.sample(&mut request.index(purpose::INTERVAL).rng()))
            }
            ArrivalSpec::Mmpp(mmpp) => {
                let environment = self.environment.as_ref().expect("such a population has a state");
                environment.next(now, mmpp, &mut self.stream)
            }
            ArrivalSpec::Batch(Batch { rate, .. }) | ArrivalSpec::Sessions { rate, .. } => self.next_poisson(now, rate),
            ArrivalSpec::Poisson(_) | ArrivalSpec::Trace { .. } | ArrivalSpec::Closed { .. } => SimTime::MAX,
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
            let within = |u: f64| SimTime::from_nanos(start + (u * trace.bin.as_nanos() as f64) as u64);
            if let Some(instants) = trace.instants_of(self.bin - 1) {
                let kept = instants.iter().copied().filter(|_| factor >= 1.0 || stream.uniform() < factor);
                self.rest.extend(kept);
                let more = poisson(stream, (factor - 1.0) * f64::from(count));
                self.rest.extend((0..more).map(|_| within(stream.uniform())));
            } else {
                let kept = if factor < 1.0 {
                    (0..count).filter(|_| stream.uniform() < factor).count()
                } else {
                    count as usize + poisson(stream, (factor - 1.0) * f64::from(count))
                };
                self.rest.extend((0..kept).map(|_| within(stream.uniform())));
            }
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
                _ => self.schedule_arrival(cx, client),
            }
        }
    }

    /// If an open population's rate has changed, it starts anew at its present rate: the process has no
    /// memory. Otherwise it goes on, so that the same requests come as without the change elsewhere. An
    /// interval of a renewal process that is under way stands.
    pub(super) fn restart_arrivals<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, old: &Topology) {
        let before = &old.clients[usize::from(client)].arrivals;
        let after = &cx.topology.clients[usize::from(client)].arrivals;
        let changed = match (before, after) {
            (ArrivalSpec::Mmpp(before), ArrivalSpec::Mmpp(after)) => before != after,
            _ => before.rate() != after.rate(),
        };
        if changed {
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
            arrivals => state.next_otherwise(cx.now, arrivals),
        };
        if state.next != SimTime::MAX {
            cx.agenda.schedule(state.next, Class::Ordinary, Event::Arrival { client: u32::from(client) });
        }
    }

    /// An open population makes its next move: mostly, a request comes.
    #[inline(always)]
    pub(super) fn arrival<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16) {
        let state = &mut self.clients[usize::from(client)];
        if state.next != cx.now {
            return;
        }
        match &cx.topology.clients[usize::from(client)].arrivals {
            ArrivalSpec::Poisson(_) | ArrivalSpec::Trace { .. } | ArrivalSpec::Renewal(_) => {
                let request = state.key.index(state.ordinal);
                state.ordinal += 1;
                self.ask(cx, client, NONE, request);
            }
            arrivals => self.arrive_otherwise(cx, client, arrivals),
        }
        self.schedule_arrival(cx, client);
    }

    /// The next move of a population that may also do something else than ask once.
    #[inline(never)]
    fn arrive_otherwise<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, arrivals: &ArrivalSpec) {
        let state = &mut self.clients[usize::from(client)];
        if let (ArrivalSpec::Mmpp(mmpp), Some(environment)) = (arrivals, &mut state.environment)
            && environment.changes(cx.now, mmpp)
        {
            return;
        }
        let (name, count) = (state.key.index(state.ordinal), state.counts.index(state.ordinal));
        state.ordinal += 1;
        match arrivals {
            // Requests are named by their batch and their place in it: the sizes of others shift no draw.
            ArrivalSpec::Batch(batch) => {
                let size = batch.size.draw(&mut count.rng());
                (0..size).for_each(|i| self.ask(cx, client, NONE, name.index(u64::from(i))));
            }
            ArrivalSpec::Sessions { requests, .. } => {
                let requests = requests.draw(&mut count.rng());
                self.begin_session(cx, client, name, requests);
            }
            _ => self.ask(cx, client, NONE, name),
        }
    }

    /// A closed user starts thinking, and so does that of a session, if it goes on; the user of an open
    /// population leaves.
    #[inline(always)]
    pub(super) fn think<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32) {
        match &cx.topology.clients[usize::from(client)].arrivals {
            ArrivalSpec::Closed { think, .. } => {
                let state = &self.clients[usize::from(client)];
                let request = state.key.index(u64::from(user)).index(u64::from(state.asked[user as usize]));
                let at = cx.now.saturating_add(think.sample(&mut request.index(purpose::THINK).rng()));
                cx.agenda.schedule(at, Class::Ordinary, Event::Thought { client, user });
            }
            ArrivalSpec::Sessions { think, .. } => self.continue_session(cx, client, user, think),
            _ => {}
        }
    }

    /// A closed user, or that of a session, has thought and asks.
    #[inline(always)]
    pub(super) fn thought<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32) {
        let state = &mut self.clients[usize::from(client)];
        if let ArrivalSpec::Sessions { .. } = cx.topology.clients[usize::from(client)].arrivals {
            return self.ask_in_session(cx, client, user);
        }
        let asked = &mut state.asked[user as usize];
        let request = state.key.index(u64::from(user)).index(u64::from(*asked));
        *asked += 1;
        self.ask(cx, client, user, request);
    }

    /// A fresh request: chooses its endpoint and calls it.
    #[inline(always)]
    pub(super) fn ask<P: Probe>(&mut self, cx: &mut Cx<'_, P>, client: u16, user: u32, request: Key) {
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
