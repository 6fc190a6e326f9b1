//! From what a person wrote to what can run: every problem at once, each with its place and remedy.

mod caches;
mod calls;
mod hosts;
mod loops;
mod program;

use crate::blueprint::{Blueprint, Layout, Processor, Service};
use crate::given::Given;
use crate::path::Path;
use crate::policy::guard::Guard;
use crate::policy::hedge::{self, HedgeSpec};
use crate::policy::{Admission, Balancer, Breaker, Deadline, Discipline, Hedge, Retry, Start};
use crate::problem::{Problem, did_you_mean};
use crate::topology::{
    ArrivalSpec, Caller, ClientSpec, MOST_URGENT, PoolSpec, ProcessorSpec, RetrySpec, ServiceSpec, Site, StartSpec,
    Topology, UNLIMITED,
};
use crate::workload::balking::BalkingRule;
use crate::workload::{Arrivals, Client, Sessions, Trace, Workload};
use indexmap::IndexMap;
use program::{Compiler, Context, PolicySpec};
use sim_core::dist::Dist;
use sim_core::random::hash_name;
use sim_core::time::SimDuration;

/// The most endpoints of all services together.
const MOST_ENDPOINTS: usize = 60_000;

/// The most closed users of all populations together, and the most arrivals in one bin of a trace: each
/// of them is held in memory.
const MOST_AT_ONCE: u64 = 100_000_000;

/// The most times a trace is played.
const MOST_FACTOR: f64 = 1e6;

/// Why a service cannot have this many replicas, as problem and remedy.
pub fn replicas_problem(replicas: u32) -> Option<(&'static str, &'static str)> {
    match replicas {
        0 => Some(("there are 0 replicas", "write 1 or more")),
        1..=100_000 => None,
        _ => Some(("more than 100000 replicas are not simulated", "use fewer")),
    }
}

/// Checks a design and its workload and makes them runnable. `traces` holds the recorded arrivals by
/// the file name under which the workload asks for them.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn check(
    blueprint: &Blueprint,
    workload: &Workload,
    traces: &IndexMap<String, Trace>,
) -> Result<Topology, Vec<Problem>> {
    let mut problems = Vec::new();
    names(blueprint, workload, &mut problems);
    if !sizes(blueprint, workload, &mut problems) {
        return Err(problems);
    }
    let mut compiler = Compiler::new(blueprint, &mut problems);
    let hosts = compiler.hosts();
    let services = blueprint.services.iter().enumerate();
    let services: Vec<_> = services.map(|(id, (name, service))| compiler.service(id as u16, name, service)).collect();
    let clients: Vec<_> = workload
        .clients
        .iter()
        .enumerate()
        .map(|(id, (name, client))| compiler.client(id as u16, name, client, traces))
        .collect();
    let Compiler { endpoints, ops, mut sites, .. } = compiler;
    let cancels = sites.iter().any(|site| site.cancel);
    let told = told_of_deadlines(&sites, services.len());
    for site in &mut sites {
        site.entry = endpoints[usize::from(site.endpoint)].entry;
        let plain = site.pool.is_none() && site.timeout.is_none() && site.retry.is_none() && site.hedge.is_none();
        site.inherits = matches!(site.caller, Caller::Service(service) if told[usize::from(service)]);
        site.direct = plain && site.guard.is_none() && !site.patient && !site.inherits && !cancels;
    }
    calls::check(blueprint, &mut problems);
    caches::check(blueprint, &mut problems);
    let prioritised = clients.iter().any(|client| client.priority > 0);
    if problems.is_empty() {
        Ok(Topology { services, hosts, endpoints, ops, sites, clients, prioritised, recurring: Vec::new() })
    } else {
        Err(problems)
    }
}

/// Which services may be told of a deadline: by whoever tells its own, or passes on what it was told.
fn told_of_deadlines(sites: &[Site], services: usize) -> Vec<bool> {
    let mut told = vec![false; services];
    loop {
        let passes_on = |site: &Site| matches!(site.caller, Caller::Service(service) if told[usize::from(service)]);
        let next = sites.iter().find(|s| (s.propagates || passes_on(s)) && !told[usize::from(s.callee)]);
        let Some(callee) = next.map(|site| usize::from(site.callee)) else {
            return told;
        };
        told[callee] = true;
    }
}

/// Whether ids are wide enough for the design; where they are not, nothing more can be said of it.
fn sizes(blueprint: &Blueprint, workload: &Workload, problems: &mut Vec<Problem>) -> bool {
    let before = problems.len();
    let mut problem = |message: String| {
        problems.push(Problem::new(Path::root().name("services"), message, "leave some out"));
    };
    if blueprint.services.len() + workload.clients.len() > 10_000 {
        problem("there are more than 10000 services and clients".into());
    }
    let endpoints: usize = blueprint.services.values().map(|s| s.endpoints.len()).sum();
    if endpoints > MOST_ENDPOINTS {
        problem(format!("there are more than {MOST_ENDPOINTS} endpoints"));
    }
    problems.len() == before
}

fn names(blueprint: &Blueprint, workload: &Workload, problems: &mut Vec<Problem>) {
    let services = Path::root().name("services");
    let clients = Path::root().name("clients");
    let hosts = Path::root().name("hosts");
    if blueprint.services.is_empty() {
        let help = "add for example services: {\"web\": (endpoints: {\"get\": [Work(Exponential(\"20ms\"))]})}";
        problems.push(Problem::new(services.clone(), "there is no service", help));
    }
    if workload.clients.is_empty() {
        let help = "add for example clients: {\"users\": (arrivals: Poisson(Constant(20)), mix: {\"web.get\": 1})}";
        problems.push(Problem::new(clients.clone(), "there is no client, so nothing would happen", help));
    }
    let all = blueprint.services.keys().map(|n| (&services, n)).chain(workload.clients.keys().map(|n| (&clients, n)));
    let all = all.chain(blueprint.hosts.keys().map(|n| (&hosts, n)));
    let endpoints = blueprint.services.iter().map(|(name, s)| (services.name(name).name("endpoints"), s));
    let endpoints: Vec<_> =
        endpoints.flat_map(|(path, s)| s.endpoints.keys().map(move |n| (path.clone(), n))).collect();
    let caches = blueprint.services.iter().map(|(name, s)| (services.name(name).name("caches"), s));
    let caches: Vec<_> = caches.flat_map(|(path, s)| s.caches.keys().map(move |n| (path.clone(), n))).collect();
    let endpoints = endpoints.iter().chain(&caches);
    for (path, name) in all.chain(endpoints.map(|(path, name)| (path, *name))) {
        if name.is_empty() || name.contains('.') || name.chars().any(char::is_control) {
            let message = format!("{name:?} is no usable name");
            problems.push(Problem::new(path.name(name), message, "use letters, digits, - and _; no dot"));
        }
    }
}

impl Compiler<'_> {
    fn service(&mut self, id: u16, name: &str, service: &Service) -> ServiceSpec {
        let path = Path::root().name("services").name(name);
        let processor = self.processor(&path.name("processor"), id, &service.processor);
        let replicas = service.replicas.get();
        if let Some((message, help)) = replicas_problem(replicas) {
            self.problem(&path.name("replicas"), message, help);
        }
        let threads = service.threads.as_ref().map(|n| self.at_least_one(&path.name("threads"), "threads", n.get()));
        let preempts = self.preempts(&path.name("queue").name("discipline"), &service.queue.discipline, processor);
        let server_is_thread = threads.is_none() && matches!(processor, ProcessorSpec::Servers(_)) && !preempts;
        let threads = match processor {
            ProcessorSpec::Servers(servers) if !preempts => threads.unwrap_or(servers),
            _ => threads.unwrap_or(UNLIMITED),
        };
        if service.queue.layout == Layout::Shared && service.balancer != Balancer::RoundRobin {
            let help = "leave the balancer out, or use layout: PerReplica";
            self.problem(
                &path.name("balancer"),
                "a shared queue gives its head to a free thread, so no balancer is asked",
                help,
            );
        }
        if let Err(why) = service.balancer.start() {
            self.problem(&path.name("balancer"), why, "see `outgrow list balancers`");
        }
        self.health(&path.name("health"), service);
        if let Some((message, help)) = service.admission.problem() {
            self.problem(&path.name("admission"), message, help);
        }
        let start = self.start(&path.name("start"), &service.start);
        self.scaler(&path, service);
        let slowness = service.speeds.iter().enumerate().map(|(i, speed)| {
            if !(1e-6..=1e6).contains(&speed.get()) {
                let message = format!("the speed {} is no number from 0.000001 to a million", speed.get());
                self.problem(&path.name("speeds").index(i), message, "write 0.5 for half as fast");
            }
            1.0 / speed.get()
        });
        let slowness = slowness.collect();
        let slowness = self.slowness_on(&service.processor, slowness);
        let (mut pools, mut budgets, mut guards, mut policies) = (Vec::new(), Vec::new(), Vec::new(), IndexMap::new());
        for (callee, policy) in &service.calls {
            let path = path.name("calls").name(callee);
            let callee_id = self.service_id(&path, callee);
            let pool = policy.pool.as_ref().map(|size| {
                let size = self.at_least_one(&path.name("pool"), "connections in a pool", size.get());
                pools.push(PoolSpec { callee: callee_id.unwrap_or(0), size });
                (pools.len() - 1) as u16
            });
            let timeout = policy.timeout.as_ref().map(|t| t.get());
            self.timeout(&path.name("timeout"), timeout);
            let retry = policy.retry.as_ref().and_then(|r| self.retry(&path.name("retry"), r, budgets.len() as u16));
            budgets.extend(policy.retry.as_ref().and_then(|r| r.budget.clone()));
            let hedge = self.hedge(&path.name("hedge"), policy.hedge.as_ref(), retry.as_ref());
            let guard = self.guard(&path, policy.breaker.as_ref(), policy.bulkhead.as_ref()).map(|guard| {
                guards.push(guard);
                (guards.len() - 1) as u16
            });
            let propagates = self.propagates(&path.name("deadline"), policy.deadline, timeout);
            let spec = PolicySpec { pool, timeout, cancel: policy.cancel, retry, hedge, guard, propagates };
            policies.insert(callee.clone(), spec);
        }
        let caches = self.caches_of(&path, service);
        let context = Context { id, service, policies: &policies, server_is_thread, in_parallel: false };
        self.endpoints_of(&path, service, &context);
        ServiceSpec {
            name: name.to_owned(),
            replicas,
            processor,
            threads,
            server_is_thread,
            layout: service.queue.layout,
            order: service.queue.discipline.order(),
            preempts,
            cap: service.queue.cap.as_ref().map_or(UNLIMITED, |cap| cap.get()),
            drop: service.queue.drop.clone(),
            admission: service.admission.clone(),
            selective: service.admission != Admission::Always,
            adaptive: service.admission.is_adaptive()
                || service.balancer.learns()
                || service.health.as_ref().is_some_and(|health| health.outliers.is_some()),
            watched: service.health.is_some() || matches!(service.balancer, Balancer::Stale(_)),
            balancer: service.balancer.clone(),
            health: service.health.clone(),
            drain: service.drain.as_ref().map(Given::get),
            start,
            scaler: service.scaler.clone(),
            slowness,
            pools,
            budgets,
            guards,
            caches,
        }
    }

    fn health(&mut self, path: &Path, service: &Service) {
        let Some(health) = &service.health else { return };
        if service.queue.layout == Layout::Shared {
            let help = "leave it out, or use layout: PerReplica";
            self.problem(path, "under a shared queue no balancer is asked, so nobody's health matters to it", help);
        }
        for (field, message, help) in health.problems() {
            let place = if field.is_empty() { path.clone() } else { path.name(field) };
            self.problem(&place, message, help);
        }
    }

    fn start(&mut self, path: &Path, start: &Start) -> StartSpec {
        if let Some((message, help)) = start.problem() {
            self.problem(path, message, help);
        }
        StartSpec {
            takes: start.takes.as_ref().map(|takes| self.dist(&path.name("takes"), takes)),
            cold: start.cold.clone(),
            machines: start.machines.clone(),
            restart: start.restart.as_ref().map(Given::get),
        }
    }

    fn scaler(&mut self, path: &Path, service: &Service) {
        let Some(scaler) = &service.scaler else { return };
        let path = path.name("scaler");
        if let Some((message, help)) = scaler.problem() {
            self.problem(&path, message, help);
        }
        if let Some((message, help)) = replicas_problem(scaler.most.get()) {
            self.problem(&path.name("most"), message, help);
        }
        if matches!(service.balancer, Balancer::ByKey(_)) {
            let help = "leave the scaler out: replicas are shards, and each owns its keys";
            self.problem(&path, "a sharded service is scaled", help);
        }
        let processors = matches!(service.processor, Processor::Servers(_) | Processor::Cores(_));
        if scaler.rule.needs_processors() && !processors {
            let help = "scale by the rate or the queue, or give the service Servers or Cores";
            self.problem(&path.name("rule"), "it looks at processors, of which this service has no number", help);
        }
    }

    fn processor(&mut self, path: &Path, id: u16, processor: &Processor) -> ProcessorSpec {
        match processor {
            Processor::Servers(n) => ProcessorSpec::Servers(self.at_least_one(path, "servers", n.get())),
            Processor::Cores(n) => ProcessorSpec::Cores(self.at_least_one(path, "cores", n.get())),
            Processor::Usl { sigma, kappa } => ProcessorSpec::Usl { sigma: sigma.get(), kappa: kappa.get() },
            Processor::Infinite => ProcessorSpec::Infinite,
            Processor::Host { name, weight } => self.on_host(path, id, name, weight.get()),
        }
    }

    /// Whether the more urgent take servers.
    fn preempts(&mut self, path: &Path, discipline: &Discipline, processor: ProcessorSpec) -> bool {
        let servers = matches!(processor, ProcessorSpec::Servers(_));
        if discipline.preempts() && !servers {
            let help = "write discipline: Priority, or processor: Servers(n) of the service's own";
            self.problem(path, "only servers can be taken from the less urgent", help);
        }
        discipline.preempts() && servers
    }

    /// Priority, balking and patience of a population.
    fn manners(&mut self, path: &Path, client: &Client) -> (u8, BalkingRule, Option<Dist>) {
        let priority = client.priority.get();
        if priority > MOST_URGENT {
            let help = format!("write a priority from 0 to {MOST_URGENT}; greater is more urgent");
            self.problem(&path.name("priority"), format!("there is no priority {priority}"), help);
        }
        let balking = client.balking.compile();
        if balking == BalkingRule::From(0) {
            self.problem(&path.name("balking"), "nobody would ever join", "write From(1) or more");
        }
        let patience = client.patience.as_ref().map(|patience| self.dist(&path.name("patience"), patience));
        (priority.min(MOST_URGENT) as u8, balking, patience)
    }

    pub(super) fn at_least_one(&mut self, path: &Path, what: &str, n: u32) -> u32 {
        if n == 0 {
            self.problem(path, format!("there are 0 {what}"), "write 1 or more");
        }
        n
    }

    fn client(&mut self, id: u16, name: &str, client: &Client, traces: &IndexMap<String, Trace>) -> ClientSpec {
        let path = Path::root().name("clients").name(name);
        let budget = client.retry.as_ref().and_then(|r| r.budget.clone());
        let retry = client.retry.as_ref().and_then(|r| self.retry(&path.name("retry"), r, 0));
        let hedge = self.hedge(&path.name("hedge"), client.hedge.as_ref(), retry.as_ref());
        self.timeout(&path.name("timeout"), client.timeout.as_ref().map(|t| t.get()));
        let (priority, balking, patience) = self.manners(&path, client);
        if patience.is_some() && hedge.is_some() {
            let message = "patience and hedge of one client cannot be combined yet";
            self.problem(&path.name("hedge"), message, "leave out one of them; a timeout may stand beside a hedge");
        }
        let guard = self.guard(&path, client.breaker.as_ref(), client.bulkhead.as_ref());
        let timeout = client.timeout.as_ref().map(|t| t.get());
        let propagates = self.propagates(&path.name("deadline"), client.deadline, timeout);
        let mut mix = Vec::new();
        let total: f64 = client.mix.values().map(|w| w.get()).sum();
        if client.mix.is_empty() || total <= 0.0 {
            let help = "write for example mix: {\"web.get\": 1}";
            self.problem(&path.name("mix"), "the clients ask for nothing", help);
        }
        let mut so_far = 0.0;
        for (target, weight) in &client.mix {
            let Some(endpoint) = self.endpoint_id(&path.name("mix").name(target), target) else {
                continue;
            };
            so_far += weight.get();
            let site = Site {
                caller: Caller::Client(id),
                callee: self.endpoints[usize::from(endpoint)].service,
                endpoint,
                entry: 0,
                direct: false,
                path: hash_name(target),
                pool: None,
                timeout: client.timeout.as_ref().map(|t| t.get()),
                cancel: client.cancel,
                retry: retry.clone(),
                hedge,
                guard: guard.as_ref().map(|_| 0),
                propagates,
                inherits: false,
                balks: balking != BalkingRule::Never,
                patient: patience.is_some(),
            };
            mix.push((so_far / total, self.site(site)));
        }
        if let Some(last) = mix.last_mut() {
            last.0 = 1.0;
        }
        let arrivals = self.arrivals(&path.name("arrivals"), &client.arrivals, traces);
        ClientSpec { name: name.to_owned(), arrivals, mix, budget, guard, priority, balking, patience }
    }

    fn arrivals(&mut self, path: &Path, arrivals: &Arrivals, traces: &IndexMap<String, Trace>) -> ArrivalSpec {
        match arrivals {
            Arrivals::Poisson(rate) => {
                self.sensible(path, rate.problem());
                ArrivalSpec::Poisson(rate.clone())
            }
            Arrivals::Renewal(interval) => {
                if interval.compile().is_ok_and(|interval| interval.mean_secs() <= 0.0) {
                    let help = "write a longer one, for example Renewal(Constant(\"50ms\"))";
                    self.problem(path, "with intervals of no time, endlessly many come at once", help);
                }
                ArrivalSpec::Renewal(self.dist(path, interval))
            }
            Arrivals::Mmpp(mmpp) => {
                self.sensible(path, mmpp.problem());
                ArrivalSpec::Mmpp(mmpp.clone())
            }
            Arrivals::Batch(batch) => {
                self.sensible(&path.name("rate"), batch.rate.problem());
                self.sensible(&path.name("size"), batch.size.problem());
                ArrivalSpec::Batch(batch.clone())
            }
            Arrivals::Sessions(Sessions { rate, requests, think }) => {
                self.sensible(&path.name("rate"), rate.problem());
                self.sensible(&path.name("requests"), requests.problem());
                let think = self.dist(&path.name("think"), think);
                ArrivalSpec::Sessions { rate: rate.clone(), requests: requests.clone(), think }
            }
            Arrivals::Trace(file) => {
                // A file that could not be read has been reported by whoever reads files.
                let empty = || Trace::of_counts(SimDuration::from_secs(1), []);
                let trace = traces.get(&file.file).cloned().unwrap_or_else(empty);
                let factor = file.factor.get();
                let over = |&(_, &count): &(usize, &u32)| f64::from(count) * factor > MOST_AT_ONCE as f64;
                if factor > MOST_FACTOR {
                    let message = format!("{factor} times the trace is more than a million times");
                    self.problem(&path.name("factor"), message, "write a factor up to 1000000");
                } else if let Some((bin, count)) = trace.counts.iter().enumerate().find(over) {
                    let from = SimDuration::from_nanos(trace.bin.as_nanos().saturating_mul(bin as u64));
                    let message = format!(
                        "the bin of the trace at {from} has {count} arrivals, {factor} times which is more than the {MOST_AT_ONCE} that are held at once"
                    );
                    self.problem(&path.name("file"), message, "use narrower bins, or a smaller factor");
                }
                ArrivalSpec::Trace { trace, factor }
            }
            Arrivals::Closed { users, think } => {
                let users = self.at_least_one(&path.name("users"), "users", users.get());
                self.users += u64::from(users);
                if self.users > MOST_AT_ONCE {
                    let message = format!("there are {} closed users in all, more than {MOST_AT_ONCE}", self.users);
                    let help = "use fewer, or Poisson arrivals: so many users hardly notice each other";
                    self.problem(&path.name("users"), message, help);
                }
                ArrivalSpec::Closed { users, think: self.dist(&path.name("think"), think) }
            }
        }
    }

    /// Reports what makes no sense, given as problem and remedy.
    fn sensible(&mut self, path: &Path, problem: Option<(String, String)>) {
        if let Some((message, help)) = problem {
            self.problem(path, message, help);
        }
    }

    fn timeout(&mut self, path: &Path, timeout: Option<sim_core::time::SimDuration>) {
        if timeout.is_some_and(|t| t.is_zero()) {
            self.problem(path, "a timeout of 0 fails every attempt", "write a longer one, or leave it out");
        }
    }

    /// The retry policy as run; `budget` is the index of its budget among the caller's.
    fn retry(&mut self, path: &Path, retry: &Retry, budget: u16) -> Option<RetrySpec> {
        let max = retry.max.get();
        if max > 100 {
            self.problem(&path.name("max"), format!("{max} repeats of one attempt"), "write at most 100");
        }
        if let Some(budget) = &retry.budget
            && budget.share.get() > 1.0
        {
            let path = path.name("budget").name("share");
            self.problem(
                &path,
                "each success would allow more than one repeat",
                "write a share from 0 to 1, for example 0.1",
            );
        }
        match retry.backoff.compile() {
            Ok(backoff) => {
                Some(RetrySpec { max: max.min(100) as u8, backoff, budget: retry.budget.as_ref().map(|_| budget) })
            }
            Err(error) => {
                self.problem(&path.name("backoff"), error.to_string(), "see `outgrow list backoffs`");
                None
            }
        }
    }

    /// A breaker and a bulkhead as run; `path` is that of the caller's policy.
    fn guard(&mut self, path: &Path, breaker: Option<&Breaker>, bulkhead: Option<&Given<u32>>) -> Option<Guard> {
        if let Some(breaker) = breaker {
            let path = path.name("breaker");
            for (name, span) in [("window", &breaker.window), ("open", &breaker.open)] {
                if span.get().is_zero() {
                    let help = format!("write a longer time, for example {name}: \"5s\", or leave the breaker out");
                    self.problem(&path.name(name), "a breaker that takes no time does nothing", help);
                }
            }
            let share = breaker.failures.get();
            if share <= 0.0 || share > 1.0 {
                let message = format!("it opens when {share} of the calls fail");
                self.problem(&path.name("failures"), message, "write a share above 0 and up to 1, for example 0.5");
            }
            self.at_least_one(&path.name("at_least"), "calls enough to tell", breaker.at_least.get());
            self.at_least_one(&path.name("probes"), "probes that close it again", breaker.probes.get());
        }
        let most = bulkhead.map(|most| self.at_least_one(&path.name("bulkhead"), "calls let through", most.get()));
        (breaker.is_some() || most.is_some())
            .then(|| Guard { breaker: breaker.cloned(), bulkhead: most.unwrap_or(UNLIMITED) })
    }

    fn propagates(&mut self, path: &Path, deadline: Deadline, timeout: Option<SimDuration>) -> bool {
        let propagates = deadline == Deadline::Propagate;
        if propagates && timeout.is_none() {
            let help = "add a timeout, or leave the deadline out";
            self.problem(path, "there is no timeout whose end could be told", help);
        }
        propagates
    }

    /// The hedge as run. Attempts of one call are numbered in 8 bits, repeats and extra ones together.
    fn hedge(&mut self, path: &Path, hedge: Option<&Hedge>, retry: Option<&RetrySpec>) -> Option<HedgeSpec> {
        let hedge = hedge?;
        if hedge.after.get().is_zero() {
            let help = "write how long to wait for the first reply, for example after: \"20ms\"";
            self.problem(&path.name("after"), "an extra attempt is sent at once, with the first", help);
        }
        let (most, repeats) = (hedge.most.get(), retry.map_or(0, |retry| u32::from(retry.max)));
        if most == 0 || most > hedge::MOST {
            let message = format!("{most} extra attempts of one attempt");
            self.problem(&path.name("most"), message, format!("write 1 to {}, or leave the hedge out", hedge::MOST));
        } else if (1 + repeats) * (1 + most) > 255 {
            let message =
                format!("{repeats} repeats with {most} extra attempts each are more than 255 attempts of a call");
            self.problem(&path.name("most"), message, "write fewer, here or in retry.max");
        }
        Some(hedge.compile())
    }

    fn service_id(&mut self, path: &Path, name: &str) -> Option<u16> {
        let found = self.blueprint.services.get_index_of(name);
        if found.is_none() {
            let known = self.blueprint.services.keys().map(String::as_str);
            let help = did_you_mean(name, known).map_or_else(
                || format!("there are {}", list(self.blueprint.services.keys())),
                |near| format!("did you mean \"{near}\"?"),
            );
            self.unknown(path, name, format!("there is no service \"{name}\""), help);
        }
        found.map(|id| id as u16)
    }
}

/// `"a", "b" and "c"`, cut short after eight.
fn list<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(8);
    let mut text = names.take(8).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
