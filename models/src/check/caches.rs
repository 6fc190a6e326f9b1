//! Caches, lookups in them, and lookups that would wait for themselves.

use super::program::{Compiler, Context, Ordinals};
use super::{MOST_AT_ONCE, list};
use crate::blueprint::{Blueprint, Service, Step};
use crate::path::Path;
use crate::policy::cache::CacheSpec;
use crate::policy::{Cache, KeyOf, Refresh};
use crate::problem::{Problem, did_you_mean};
use crate::system::purpose;
use crate::topology::{Lookup, Op};
use indexmap::{IndexMap, IndexSet};
use sim_core::random::hash_name;

/// The most caches of one service.
const MOST_CACHES: usize = 1_000;

impl Compiler<'_> {
    /// The caches of a service.
    pub(super) fn caches_of(&mut self, path: &Path, service: &Service) -> Vec<CacheSpec> {
        let path = path.name("caches");
        if service.caches.len() > MOST_CACHES {
            self.problem(&path, format!("there are more than {MOST_CACHES} caches"), "leave some out");
            return Vec::new();
        }
        let caches = service.caches.iter();
        caches.filter_map(|(name, cache)| self.cache(&path.name(name), name, cache, service)).collect()
    }

    fn cache(&mut self, path: &Path, name: &str, cache: &Cache, service: &Service) -> Option<CacheSpec> {
        if let Some(size) = &cache.size {
            self.at_least_one(&path.name("size"), "keys in the cache", size.get());
        }
        if cache.ttl.as_ref().is_some_and(|ttl| ttl.get().is_zero()) {
            let help = "write a longer one, or leave it out";
            self.problem(&path.name("ttl"), "with a time to live of 0 nothing is ever found", help);
        }
        let early = matches!(cache.refresh, Refresh::Early(_));
        if early && cache.ttl.is_none() {
            let help = "add for example ttl: \"60s\", or leave the refresh out";
            self.problem(&path.name("refresh"), "nothing expires, so there is nothing to refresh early", help);
        }
        if early && cache.analytic {
            let help = "leave out refresh, or analytic";
            let message = "an analytic cache holds no keys, so it does not know when one expires";
            self.problem(&path.name("refresh"), message, help);
        }
        let by_key = service.balancer.goes_by_key();
        let default = if by_key { KeyOf::Request } else { KeyOf::Lookup };
        if cache.analytic && by_key && !cache.shared && cache.key_of.unwrap_or(default) == KeyOf::Request {
            let message = "an analytic cache knows how popular all keys are, and a shard is asked for its own only";
            self.problem(&path.name("analytic"), message, "leave it out");
        }
        let caches = if cache.shared { 1 } else { u64::from(service.replicas.get()) };
        self.warm_keys = self.warm_keys.saturating_add(cache.warm_keys().saturating_mul(caches));
        if cache.warm && self.warm_keys > MOST_AT_ONCE {
            let message = format!("there are {} keys in caches at the start, more than {MOST_AT_ONCE}", self.warm_keys);
            self.problem(&path.name("warm"), message, "give it a smaller size, or write analytic: true");
            return None;
        }
        match cache.compile(name, default) {
            Ok(spec) => Some(spec),
            Err(why) => {
                self.problem(path, why, "see `outgrow list popularities`");
                None
            }
        }
    }

    /// A lookup, and what fetches the key.
    pub(super) fn lookup(
        &mut self,
        path: &Path,
        name: &str,
        miss: &[Step],
        context: &Context<'_>,
        ordinals: &mut Ordinals,
    ) {
        let caches = &context.service.caches;
        let Some(cache) = caches.get_index_of(name) else {
            let help = match did_you_mean(name, caches.keys().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if caches.is_empty() => {
                    format!(
                        "add for example caches: {{\"{name}\": (keys: 1000000, popularity: Zipf(exponent: 0.8), size: 10000)}}"
                    )
                }
                None => format!("there are {}", list(caches.keys())),
            };
            return self.problem(&path.name("cache"), format!("the service has no cache \"{name}\""), help);
        };
        let nth = ordinals.lookups.entry(name.to_owned()).or_insert(0);
        let draw = purpose::nth(purpose::LOOKUP ^ hash_name(name), *nth);
        *nth += 1;
        let at = self.ops.len();
        self.ops.push(Op::Goto(0));
        self.steps(&path.name("miss"), miss, context, ordinals);
        let lookup = Lookup { cache: cache as u16, hit: self.ops.len() as u32 + 1, draw };
        self.ops.push(Op::Store(lookup));
        self.ops[at] = Op::Lookup(lookup);
    }
}

/// A cache, by service and name.
type Place<'a> = (&'a str, &'a str);

/// Finds caches in single flight whose fetch leads to another lookup in the same cache, directly or by way of
/// others: requests would wait for each other, or for themselves, for ever.
pub(super) fn check(blueprint: &Blueprint, problems: &mut Vec<Problem>) {
    let mut waits = IndexMap::<Place<'_>, IndexSet<Place<'_>>>::new();
    let mut endpoints = IndexMap::<String, IndexSet<Place<'_>>>::new();
    // Which caches an endpoint may look up, by what it calls: the least fixed point.
    loop {
        let before: (usize, usize) = sizes(&waits, &endpoints);
        for (service, spec) in &blueprint.services {
            for (name, steps) in &spec.endpoints {
                let mut found = IndexSet::new();
                lookups(service, spec, steps, &endpoints, &mut waits, &mut found);
                endpoints.entry(format!("{service}.{name}")).or_default().extend(found);
            }
        }
        if sizes(&waits, &endpoints) == before {
            break;
        }
    }
    for &cache in waits.keys() {
        let mut reached = IndexSet::new();
        let mut next = 0;
        reached.extend(&waits[&cache]);
        while let Some(at) = reached.get_index(next) {
            let further: Vec<_> = waits.get(at).into_iter().flatten().copied().collect();
            reached.extend(further);
            next += 1;
        }
        if reached.contains(&cache) {
            let (service, name) = cache;
            let path = Path::root().name("services").name(service).name("caches").name(name).name("single_flight");
            let message = "to fetch a key, another may be looked up in the same cache, whose fetch may wait for this one for ever";
            problems.push(Problem::new(path, message, "write single_flight: false, or use two caches"));
        }
    }
}

fn sizes<A, B>(waits: &IndexMap<A, IndexSet<B>>, endpoints: &IndexMap<String, IndexSet<B>>) -> (usize, usize) {
    (waits.values().map(IndexSet::len).sum(), endpoints.values().map(IndexSet::len).sum())
}

/// Caches in single flight that the steps look up, by what they call included; `waits` gathers for each those that
/// its fetch looks up.
fn lookups<'a>(
    service: &'a str,
    spec: &'a Service,
    steps: &'a [Step],
    endpoints: &IndexMap<String, IndexSet<Place<'a>>>,
    waits: &mut IndexMap<Place<'a>, IndexSet<Place<'a>>>,
    found: &mut IndexSet<Place<'a>>,
) {
    for step in steps {
        match step {
            // Nobody waits for what is handed over.
            Step::Work(_) | Step::Delay(_) | Step::Send(_) | Step::Reply | Step::Fail(_) => {}
            Step::Call(to) => found.extend(endpoints.get(to).into_iter().flatten().copied()),
            Step::Parallel(branches) | Step::Quorum { of: branches, .. } => {
                branches.iter().for_each(|steps| lookups(service, spec, steps, endpoints, waits, found));
            }
            Step::Branch(branches) => {
                branches.iter().for_each(|(_, steps)| lookups(service, spec, steps, endpoints, waits, found));
            }
            Step::Maybe(_, steps) | Step::Repeat(_, steps) => lookups(service, spec, steps, endpoints, waits, found),
            Step::Lookup { cache, miss } => {
                let mut inside = IndexSet::new();
                lookups(service, spec, miss, endpoints, waits, &mut inside);
                if spec.caches.get(cache).is_some_and(|cache| cache.single_flight) {
                    let place = (service, cache.as_str());
                    waits.entry(place).or_default().extend(inside.iter().copied());
                    found.insert(place);
                }
                found.extend(inside);
            }
        }
    }
}
