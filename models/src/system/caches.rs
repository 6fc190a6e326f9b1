//! Caches under way: what they hold, and who fetches what or waits for it.
//!
//! A visit that misses a key *fetches* it: it does the steps of the miss, stores the key and goes on. What is
//! remembered of a fetch stands here and not with the visit, so that whoever uses no cache pays nothing for them.
//! In single flight a fetch *leads*, and visits that miss its key meanwhile wait for it, in their threads. A fetch
//! ends when its key is stored, or without it: when a step of the miss fails, or when its visit is cancelled or
//! crashes. Then those who wait fail, too.

use super::slab::Slab;
use super::visit::Doing;
use super::{Cx, NONE, State, Todo, purpose};
use crate::policy::cache::{ByKey, CacheSpec, CacheState};
use crate::probe::{Cause, Found, LookedUp, Probe};
use crate::topology::{Lookup, ServiceSpec, Topology};
use sim_core::random::Key;
use sim_core::time::SimTime;

/// The caches of a system.
#[derive(Clone, Debug)]
pub(super) struct Caches {
    /// Of each replica, the caches of its service; those that all have in common stay empty here.
    replicas: Vec<Vec<Home>>,
    /// Of each service, the same; those that each replica has for itself stay empty here.
    services: Vec<Vec<Home>>,
    fetches: Slab<Fetch>,
    /// By visit, its innermost fetch, or [`NONE`].
    of_visit: Vec<u32>,
    /// Places in the lists of all who wait, those that have given up included.
    waiting: u64,
}

/// One cache.
#[derive(Clone, Debug)]
struct Home {
    keys: CacheState,
    /// The fetch that leads, by key.
    flights: ByKey<u32>,
}

/// A visit fetches a key.
#[derive(Clone, Debug)]
struct Fetch {
    visit: u32,
    /// The fetch of the same visit within whose steps this one began, or [`NONE`].
    outer: u32,
    replica: u32,
    service: u16,
    cache: u16,
    key: u32,
    /// Whether others wait for it.
    leads: bool,
    started: SimTime,
    /// Visits that wait for it, in order. One that was cancelled is no longer [`Doing::Waiting`] with this fetch.
    waiters: Vec<u32>,
}

impl Home {
    fn start(spec: &CacheSpec, now: SimTime) -> Self {
        Self { keys: CacheState::start(spec, now), flights: ByKey::default() }
    }

    fn all(spec: &ServiceSpec, now: SimTime) -> Vec<Self> {
        spec.caches.iter().map(|cache| Self::start(cache, now)).collect()
    }
}

impl Caches {
    /// Those of services that have no replica yet.
    pub(super) fn new(topology: &Topology) -> Self {
        Self {
            replicas: Vec::new(),
            services: topology.services.iter().map(|spec| Home::all(spec, SimTime::ZERO)).collect(),
            fetches: Slab::new(),
            of_visit: Vec::new(),
            waiting: 0,
        }
    }

    /// A replica starts with empty caches.
    pub(super) fn start(&mut self, replica: u32, spec: &ServiceSpec, now: SimTime) {
        if !spec.caches.is_empty() {
            if self.replicas.len() <= replica as usize {
                self.replicas.resize(replica as usize + 1, Vec::new());
            }
            self.replicas[replica as usize] = Home::all(spec, now);
        } else if let Some(homes) = self.replicas.get_mut(replica as usize) {
            homes.clear();
        }
    }

    /// A replica has gone, and with it what its caches held.
    pub(super) fn gone(&mut self, replica: u32) {
        if let Some(homes) = self.replicas.get_mut(replica as usize) {
            homes.clear();
        }
    }

    fn home(&mut self, spec: &CacheSpec, service: u16, replica: u32, cache: u16) -> &mut Home {
        let homes =
            if spec.shared { &mut self.services[usize::from(service)] } else { &mut self.replicas[replica as usize] };
        &mut homes[usize::from(cache)]
    }

    /// Bytes of fetches and of those who wait for them.
    pub(super) fn fetch_bytes(&self) -> u64 {
        self.fetches.len() as u64 * size_of::<Fetch>() as u64 + self.waiting * size_of::<u32>() as u64
    }

    /// Bytes of all keys held, without slack.
    pub(super) fn key_bytes(&self) -> u64 {
        self.replicas.iter().chain(&self.services).flatten().map(|home| home.keys.bytes()).sum()
    }

    /// Keys that the replica's caches hold.
    pub(super) fn held_by(&self, replica: u32) -> Vec<u32> {
        self.replicas.get(replica as usize).map_or_else(Vec::new, |homes| Self::held(homes))
    }

    /// Keys that the caches of all replicas hold in common.
    pub(super) fn held_in_common(&self, service: u16) -> Vec<u32> {
        Self::held(&self.services[usize::from(service)])
    }

    fn held(homes: &[Home]) -> Vec<u32> {
        homes.iter().map(|home| home.keys.len()).collect()
    }

    /// Whether the visit, if it is one that waits, still waits for this fetch in this place.
    fn is_waiting(doing: Doing, until: SimTime, fetch: u32, place: usize) -> bool {
        doing == Doing::Waiting && until.as_nanos() == u64::from(fetch) << 32 | place as u64
    }
}

impl State {
    /// What is in the caches at the start of the run.
    pub(super) fn warm_caches(&mut self, topology: &Topology, root: Key) {
        for (id, spec) in topology.services.iter().enumerate() {
            for (cache, of) in spec.caches.iter().enumerate().filter(|(_, of)| of.warm) {
                let chance = root.index(purpose::WARM).named(&spec.name).named(&of.name);
                if of.shared {
                    self.caches.services[id][cache].keys.warm(of, chance);
                } else {
                    for member in &self.services[id].up {
                        let home = &mut self.caches.replicas[member.id as usize][cache];
                        home.keys.warm(of, chance.index(u64::from(member.ordinal)));
                    }
                }
            }
        }
    }

    /// A visit looks up a key. Answers whether it goes on at once; if not, it waits for somebody's fetch.
    #[inline(never)]
    pub(super) fn look_up<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32, lookup: Lookup) -> bool {
        let v = &mut self.visits[visit];
        let (replica, request) = (v.replica, v.attempt.request);
        let service = self.replicas[replica as usize].service;
        let spec = &cx.topology.services[usize::from(service)].caches[usize::from(lookup.cache)];
        let key = spec.key(request, v.attempt.key, lookup.draw);
        let chance = v.attempt.name().index(lookup.draw);
        let home = self.caches.home(spec, service, replica, lookup.cache);
        let flight = if spec.single_flight { home.flights.get(&key).copied() } else { None };
        let found = match home.keys.look_up(spec, cx.now, key, chance) {
            Some(held) if flight.is_none() && spec.refreshes(cx.now, &held, chance) => Found::Refresh,
            Some(_) => Found::Hit,
            None if flight.is_some() => Found::Waited,
            None => Found::Miss,
        };
        match (found, flight) {
            (Found::Waited, Some(fetch)) => {
                let waiters = &mut self.caches.fetches[fetch].waiters;
                v.pc = lookup.hit;
                v.doing = Doing::Waiting;
                v.until = SimTime::from_nanos(u64::from(fetch) << 32 | waiters.len() as u64);
                waiters.push(visit);
                self.caches.waiting += 1;
            }
            (Found::Miss | Found::Refresh, _) => {
                let (cache, leads) = (lookup.cache, spec.single_flight);
                self.caches.fetch(visit, |outer| Fetch {
                    visit,
                    outer,
                    replica,
                    service,
                    cache,
                    key,
                    leads,
                    started: cx.now,
                    waiters: Vec::new(),
                });
                if leads {
                    let fetch = self.caches.of_visit[visit as usize];
                    self.caches.home(spec, service, replica, cache).flights.insert(key, fetch);
                }
            }
            _ => v.pc = lookup.hit,
        }
        cx.probe.looked_up(cx.now, &LookedUp { service, cache: lookup.cache, key, request, found });
        found != Found::Waited
    }

    /// A visit has fetched a key: it is stored, and those who wait for it go on.
    #[inline(never)]
    pub(super) fn store<P: Probe>(&mut self, cx: &mut Cx<'_, P>, visit: u32, lookup: Lookup) {
        let chance = self.visits[visit].attempt.name().index(lookup.draw);
        let fetch = self.caches.of_visit[visit as usize];
        let Fetch { replica, service, cache, key, started, .. } = self.caches.fetches[fetch];
        let spec = &cx.topology.services[usize::from(service)].caches[usize::from(cache)];
        let home = self.caches.home(spec, service, replica, cache);
        home.keys.store(spec, cx.now, key, cx.now.since(started), chance);
        self.end_fetch(cx.topology, fetch, None, NONE);
    }

    /// A visit fails, or is no more: whatever it fetches comes to nothing. Visits of a replica that crashes are not
    /// told.
    #[inline]
    pub(super) fn abandon_fetches(&mut self, topology: &Topology, visit: u32, crashed: u32) {
        if self.caches.fetches.len() > 0 {
            self.abandon(topology, visit, crashed);
        }
    }

    #[inline(never)]
    fn abandon(&mut self, topology: &Topology, visit: u32, crashed: u32) {
        while let Some(&fetch) = self.caches.of_visit.get(visit as usize).filter(|fetch| **fetch != NONE) {
            self.end_fetch(topology, fetch, Some(Cause::Downstream), crashed);
        }
    }

    fn end_fetch(&mut self, topology: &Topology, fetch: u32, failed: Option<Cause>, crashed: u32) {
        let ended = &mut self.caches.fetches[fetch];
        let waiters = std::mem::take(&mut ended.waiters);
        let Fetch { visit, outer, replica, service, cache, key, leads, .. } = *ended;
        self.caches.of_visit[visit as usize] = outer;
        self.caches.fetches.free(fetch);
        self.caches.waiting -= waiters.len() as u64;
        if leads {
            let spec = &topology.services[usize::from(service)].caches[usize::from(cache)];
            self.caches.home(spec, service, replica, cache).flights.remove(&key);
        }
        for (place, waiter) in waiters.into_iter().enumerate() {
            let v = &mut self.visits[waiter];
            if v.replica != crashed && Caches::is_waiting(v.doing, v.until, fetch, place) {
                v.doing = Doing::Going;
                v.failed = failed;
                self.todo.push_back(Todo::Resume { visit: waiter });
            }
        }
    }

    /// All caches of a service are emptied. Whoever fetches goes on and stores what it fetches.
    #[cold]
    pub(super) fn flush(&mut self, topology: &Topology, now: SimTime, service: u16) {
        let spec = &topology.services[usize::from(service)];
        let Caches { replicas, services, .. } = &mut self.caches;
        let of = |id: usize| self.replicas[id].service == service;
        let own = replicas.iter_mut().enumerate().filter(|(id, _)| of(*id)).map(|(_, homes)| homes);
        for homes in own.chain([&mut services[usize::from(service)]]) {
            homes.iter_mut().zip(&spec.caches).for_each(|(home, cache)| home.keys.flush(cache, now));
        }
    }

    /// Caches take over another size or eviction rule.
    pub(super) fn adopt_caches(&mut self, topology: &Topology) {
        let Caches { replicas, services, .. } = &mut self.caches;
        let own = replicas.iter_mut().zip(&self.replicas).map(|(homes, r)| (r.service, r.ordinal, homes));
        let common = services.iter_mut().enumerate().map(|(id, homes)| (id as u16, 0, homes));
        for (service, ordinal, homes) in own.chain(common) {
            let spec = &topology.services[usize::from(service)];
            for (home, cache) in homes.iter_mut().zip(&spec.caches) {
                // By stable names: what else is in the design must not matter.
                let chance = Key::from_bits(u64::from(ordinal)).named(&spec.name).named(&cache.name);
                home.keys.adopt(cache, chance);
            }
        }
    }
}

impl Caches {
    /// A visit begins to fetch.
    fn fetch(&mut self, visit: u32, make: impl FnOnce(u32) -> Fetch) {
        if self.of_visit.len() <= visit as usize {
            self.of_visit.resize(visit as usize + 1, NONE);
        }
        let outer = self.of_visit[visit as usize];
        self.of_visit[visit as usize] = self.fetches.insert(make(outer));
    }
}
