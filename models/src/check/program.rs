//! Endpoints: from nested steps to a flat program.

use crate::blueprint::{Blueprint, Service, Step};
use crate::distribution::Distribution;
use crate::path::Path;
use crate::policy::hedge::HedgeSpec;
use crate::problem::{Problem, did_you_mean};
use crate::system::purpose;
use crate::topology::{Caller, EndpointSpec, Op, RetrySpec, Site};
use indexmap::IndexMap;
use sim_core::dist::Dist;
use sim_core::random::hash_name;
use sim_core::time::SimDuration;

/// The most branches of one `Parallel`; a visit counts those that are open in 16 bits.
pub(super) const MOST_BRANCHES: usize = 10_000;

/// Gathers ids, programs and problems while a design is checked.
pub(super) struct Compiler<'a> {
    pub(super) blueprint: &'a Blueprint,
    pub(super) endpoints: Vec<EndpointSpec>,
    pub(super) ops: Vec<Op>,
    pub(super) sites: Vec<Site>,
    /// Ids by `service.endpoint`.
    names: IndexMap<String, u16>,
    /// Closed users of the populations so far.
    pub(super) users: u64,
    /// Keys in caches at the start, of the services so far.
    pub(super) warm_keys: u64,
    pub(super) problems: &'a mut Vec<Problem>,
}

/// Counts within one endpoint, from which draws and calls get stable names.
#[derive(Clone, Default)]
pub(super) struct Ordinals {
    pub(super) work: u64,
    pub(super) delay: u64,
    pub(super) branch: u64,
    pub(super) fail: u64,
    pub(super) times: u64,
    pub(super) calls: IndexMap<String, u64>,
    pub(super) lookups: IndexMap<String, u64>,
}

/// How one service calls another, as run.
#[derive(Clone, Default)]
pub(super) struct PolicySpec {
    pub(super) pool: Option<u16>,
    pub(super) timeout: Option<SimDuration>,
    pub(super) cancel: bool,
    pub(super) retry: Option<RetrySpec>,
    pub(super) hedge: Option<HedgeSpec>,
    pub(super) guard: Option<u16>,
    pub(super) propagates: bool,
}

/// The endpoint that is being compiled.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) id: u16,
    pub(super) service: &'a Service,
    pub(super) policies: &'a IndexMap<String, PolicySpec>,
    pub(super) server_is_thread: bool,
    pub(super) in_parallel: bool,
}

pub(super) fn next(counter: &mut u64, purpose: u64) -> u64 {
    let draw = purpose::nth(purpose, *counter);
    *counter += 1;
    draw
}

impl<'a> Compiler<'a> {
    /// Endpoint ids are known before any program is compiled, so that calls can name them.
    pub(super) fn new(blueprint: &'a Blueprint, problems: &'a mut Vec<Problem>) -> Self {
        let (mut endpoints, mut names) = (Vec::new(), IndexMap::new());
        for (id, (service, spec)) in blueprint.services.iter().enumerate() {
            for name in spec.endpoints.keys() {
                // A dot in a name, which is a problem, may make two of them the same: the first counts.
                names.entry(format!("{service}.{name}")).or_insert(endpoints.len() as u16);
                endpoints.push(EndpointSpec { service: id as u16, name: name.clone(), entry: 0 });
            }
        }
        Self { blueprint, endpoints, ops: Vec::new(), sites: Vec::new(), names, users: 0, warm_keys: 0, problems }
    }

    pub(super) fn problem(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(path.clone(), message, help));
    }

    pub(super) fn unknown(&mut self, path: &Path, name: &str, message: String, help: String) {
        self.problems.push(Problem::unknown(path.clone(), name, message, help));
    }

    pub(super) fn site(&mut self, site: Site) -> u16 {
        if self.sites.len() >= usize::from(u16::MAX) {
            self.problem(&Path::root(), "there are more than 65000 calls in the design", "leave some out");
            return 0;
        }
        self.sites.push(site);
        (self.sites.len() - 1) as u16
    }

    pub(super) fn dist(&mut self, path: &Path, distribution: &Distribution) -> Dist {
        distribution.compile().unwrap_or_else(|error| {
            self.problem(path, error.to_string(), "see `outgrow list distributions`");
            Dist::constant(SimDuration::ZERO).expect("a constant of zero is a distribution")
        })
    }

    /// The id of `service.endpoint`.
    pub(super) fn endpoint_id(&mut self, path: &Path, target: &str) -> Option<u16> {
        let found = self.names.get(target).copied();
        if found.is_none() {
            let names = || self.names.keys().map(String::as_str);
            let of_service = names().find(|name| name.split('.').next() == Some(target));
            let near = of_service.or_else(|| did_you_mean(target, names()));
            let help = near.map_or_else(
                || format!("there are {}", super::list(self.names.keys())),
                |near| format!("did you mean \"{near}\"?"),
            );
            match self.blueprint.services.get(target) {
                Some(_) => self.problem(path, format!("\"{target}\" is a service, not an endpoint"), help),
                None => self.unknown(path, target, format!("no service provides the endpoint \"{target}\""), help),
            }
        }
        found
    }

    /// Compiles the endpoints of one service.
    pub(super) fn endpoints_of(&mut self, path: &Path, service: &Service, context: &Context<'_>) {
        let path = path.name("endpoints");
        if service.endpoints.is_empty() {
            let help = "add for example endpoints: {\"get\": [Work(Exponential(\"20ms\"))]}";
            self.problem(&path, "the service has no endpoint, so nobody can ask it", help);
        }
        let first = self.endpoints.partition_point(|e| e.service < context.id);
        for (i, (name, steps)) in service.endpoints.iter().enumerate() {
            self.endpoints[first + i].entry = self.ops.len() as u32;
            self.steps(&path.name(name), steps, context, &mut Ordinals::default());
            self.ops.push(Op::End);
        }
    }

    pub(super) fn steps(&mut self, path: &Path, steps: &[Step], context: &Context<'_>, ordinals: &mut Ordinals) {
        for (i, step) in steps.iter().enumerate() {
            self.step(&path.index(i), step, context, ordinals);
        }
    }

    fn step(&mut self, path: &Path, step: &Step, context: &Context<'_>, ordinals: &mut Ordinals) {
        match step {
            Step::Work(distribution) => {
                if context.in_parallel && context.server_is_thread {
                    let help = "give the service threads, for example threads: 32, so that a request and its server are two things";
                    self.problem(path, "a branch of Parallel works, but the request keeps its one server", help);
                }
                let demand = self.dist(path, distribution);
                let draw = next(&mut ordinals.work, purpose::WORK);
                self.ops.push(Op::Work { demand, draw });
            }
            Step::Delay(distribution) => {
                let time = self.dist(path, distribution);
                let draw = next(&mut ordinals.delay, purpose::DELAY);
                self.ops.push(Op::Delay { time, draw });
            }
            Step::Call(to) => {
                if let Some(site) = self.call(path, to, context, ordinals, true) {
                    self.ops.push(Op::Call(site));
                }
            }
            Step::Send(to) => {
                if let Some(site) = self.call(path, to, context, ordinals, false) {
                    self.ops.push(Op::Send(site));
                }
            }
            Step::Maybe(probability, steps) => {
                let p = self.probability(path, probability.get());
                let draw = next(&mut ordinals.branch, purpose::BRANCH);
                let at = self.ops.len();
                self.ops.push(Op::Goto(0));
                self.steps(&path.index(1), steps, context, ordinals);
                let end = self.ops.len() as u32;
                self.ops[at] = Op::Branch { targets: [(p, at as u32 + 1), (1.0, end)].into(), draw };
            }
            Step::Lookup { cache, miss } => self.lookup(path, cache, miss, context, ordinals),
            Step::Branch(branches) => self.branch(path, branches, context, ordinals),
            Step::Quorum { need, of } => self.quorum(path, need.get(), of, context, ordinals),
            Step::Repeat(times, steps) => self.repeat(path, times, steps, context, ordinals),
            Step::Reply => {
                if context.in_parallel {
                    let help = "write Reply outside: a request has one reply";
                    self.problem(path, "a branch replies for the whole request", help);
                }
                self.ops.push(Op::Reply);
            }
            Step::Fail(p) => {
                let p = self.probability(path, p.get());
                let draw = next(&mut ordinals.fail, purpose::FAIL);
                self.ops.push(Op::Fail { p, draw });
            }
            Step::Parallel(branches) => {
                if branches.is_empty() {
                    self.problem(path, "Parallel has no branches", "add one, or leave the step out");
                }
                if branches.len() > MOST_BRANCHES {
                    let message = format!("{} branches of one Parallel", branches.len());
                    return self.problem(path, message, format!("use at most {MOST_BRANCHES}"));
                }
                let at = self.ops.len();
                let targets = self.branches(&path.index(0), branches, context, ordinals);
                self.ops[at] = Op::Parallel { targets, join: self.ops.len() as u32 };
            }
        }
    }

    /// An instruction to be filled in, and after it the branches that it starts.
    pub(super) fn branches(
        &mut self,
        path: &Path,
        branches: &[Vec<Step>],
        context: &Context<'_>,
        ordinals: &mut Ordinals,
    ) -> Box<[u32]> {
        self.ops.push(Op::Goto(0));
        let context = Context { in_parallel: true, ..*context };
        let mut targets = Vec::new();
        for (i, steps) in branches.iter().enumerate() {
            targets.push(self.ops.len() as u32);
            self.steps(&path.index(i), steps, &context, ordinals);
            self.ops.push(Op::End);
        }
        targets.into()
    }

    fn branch(
        &mut self,
        path: &Path,
        branches: &[(crate::given::Given<f64>, Vec<Step>)],
        context: &Context<'_>,
        ordinals: &mut Ordinals,
    ) {
        let total: f64 = branches.iter().map(|(p, _)| p.get()).sum();
        if (total - 1.0).abs() > 1e-9 {
            let help = "make the probabilities add up to 1; a branch may have no steps: (0.1, [])";
            self.problem(path, format!("the probabilities of the branches add up to {total}"), help);
        }
        let draw = next(&mut ordinals.branch, purpose::BRANCH);
        let at = self.ops.len();
        self.ops.push(Op::Goto(0));
        let (mut targets, mut exits, mut so_far) = (Vec::new(), Vec::new(), 0.0);
        for (i, (p, steps)) in branches.iter().enumerate() {
            so_far += p.get();
            targets.push((so_far, self.ops.len() as u32));
            self.steps(&path.index(0).index(i).index(1), steps, context, ordinals);
            exits.push(self.ops.len());
            self.ops.push(Op::Goto(0));
        }
        let end = self.ops.len() as u32;
        for exit in exits {
            self.ops[exit] = Op::Goto(end);
        }
        if let Some(last) = targets.last_mut() {
            last.0 = 1.0;
        }
        self.ops[at] = Op::Branch { targets: targets.into(), draw };
    }

    fn probability(&mut self, path: &Path, p: f64) -> f64 {
        if p > 1.0 {
            self.problem(path, format!("{p} is no probability"), "write a number from 0 to 1");
        }
        p.min(1.0)
    }

    /// The site of a call or hand-over; `waits` tells which.
    fn call(
        &mut self,
        path: &Path,
        to: &str,
        context: &Context<'_>,
        ordinals: &mut Ordinals,
        waits: bool,
    ) -> Option<u16> {
        let endpoint = self.endpoint_id(path, to)?;
        let callee = self.endpoints[usize::from(endpoint)].service;
        let callee_name = self.blueprint.services.get_index(usize::from(callee)).expect("ids are dense").0;
        let nth = ordinals.calls.entry(to.to_owned()).or_insert(0);
        let path_hash = purpose::nth(hash_name(to), *nth);
        *nth += 1;
        let policy = if waits { context.policies.get(callee_name).cloned() } else { None };
        let policy = policy.unwrap_or_default();
        let site = Site {
            caller: Caller::Service(context.id),
            callee,
            endpoint,
            entry: 0,
            direct: false,
            path: path_hash,
            pool: policy.pool,
            timeout: policy.timeout,
            cancel: policy.cancel,
            retry: policy.retry,
            balks: false,
            patient: false,
            hedge: policy.hedge,
            guard: policy.guard,
            propagates: policy.propagates,
            inherits: false,
        };
        Some(self.site(site))
    }
}
