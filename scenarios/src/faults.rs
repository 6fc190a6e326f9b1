//! Faults as written to faults as run: acts that go wrong with replicas, and those that come again and again.

use crate::document::{Path, Problem};
use crate::scenario::{Act, Fault};
use indexmap::IndexMap;
use models::distribution::Distribution;
use models::fault::{self, Failing, Per, Recurring, Which};
use models::intervention;
use models::problem::hint;
use models::topology::Topology;
use sim_core::dist::Dist;
use sim_core::time::SimDuration;
use std::sync::Arc;

/// An act on replicas as run. Nothing for acts that need more than the design to be understood: they scale, or set
/// numbers.
pub(crate) fn act(topology: &Topology, act: &Act, place: &Path) -> Option<Result<intervention::Act, Problem>> {
    let service = |name: &str| service(topology, name, place);
    let lasts = |lasts: &Option<Distribution>| lasts.as_ref().map(|d| dist(d, &place.name("for"))).transpose();
    let inflict =
        |name: &str, of: &Which, fault: Result<fault::Fault, Problem>, time: Result<Option<Dist>, Problem>| {
            let (service, of) = (service(name)?, which(of, place)?);
            Ok(intervention::Act::Inflict { service, of, fault: fault?, lasts: time? })
        };
    Some(match act {
        Act::Kill { service: name, replicas, of, refuse } => service(name).and_then(|service| {
            let of = match of {
                Some(_) if !replicas.is_empty() => {
                    let problem = Problem::error(place.name("of"), "replicas are named, and others are drawn");
                    return Err(problem.with_help("write either replicas: [0] or of: One"));
                }
                Some(of) => which(of, place)?,
                None if replicas.is_empty() => {
                    let problem = Problem::error(place.name("replicas"), "no replica is named, so nothing crashes");
                    return Err(
                        problem.with_help("name some, counted from 0, for example replicas: [0], or write of: One")
                    );
                }
                None => Which::Only(replicas.clone()),
            };
            Ok(intervention::Act::Kill { service, of, refuse: *refuse })
        }),
        Act::Flush { service: name } => service(name).and_then(|id| {
            if topology.services[usize::from(id)].caches.is_empty() {
                let problem = Problem::error(place.clone(), format!("\"{name}\" has no cache to empty"));
                return Err(problem.with_help("flush a service that has caches"));
            }
            Ok(intervention::Act::Flush { service: id })
        }),
        Act::Pause { service: name, of, lasts: time } => {
            let pause = service(name).and_then(|service| pause(topology, service, place));
            inflict(name, of, pause, lasts(time))
        }
        Act::Slow { service, of, by, lasts: time } => {
            let by = by.get();
            let fault = if (1e-6..=1e6).contains(&by) {
                Ok(fault::Fault::Slow(by))
            } else {
                let message = format!("{by} times as long is no number from 0.000001 to a million");
                Err(Problem::error(place.name("by"), message)
                    .with_help("write 10 for work that takes ten times as long"))
            };
            inflict(service, of, fault, lasts(time))
        }
        Act::Fail { service: name, of, share, endpoints, after, lasts: time } => {
            let fault =
                service(name).and_then(|service| failing(topology, service, share.get(), endpoints, after, place));
            inflict(name, of, fault, lasts(time))
        }
        Act::Heal { service: name, of } => {
            service(name).and_then(|service| Ok(intervention::Act::Heal { service, of: which(of, place)? }))
        }
        Act::Herd { client, size, within } => herd(topology, client, size.get(), within.get(), place),
        Act::Scale { .. } | Act::Set { .. } => return None,
    })
}

/// Replicas on machines that others use too do not stand still by themselves yet.
fn pause(topology: &Topology, service: u16, place: &Path) -> Result<fault::Fault, Problem> {
    let spec = &topology.services[usize::from(service)];
    if spec.processor.host().is_none() {
        return Ok(fault::Fault::Pause);
    }
    let message = format!("\"{}\" stands on machines of a host, and replicas there cannot be paused", spec.name);
    Err(Problem::error(place.name("service"), message)
        .with_help("slow it down: Slow(by: 1000), or give it a processor"))
}

/// The most that come at once: each is held in memory.
const MOST_AT_ONCE: u32 = 100_000_000;

fn herd(
    topology: &Topology,
    name: &str,
    size: u32,
    within: SimDuration,
    place: &Path,
) -> Result<intervention::Act, Problem> {
    let Some(client) = topology.clients.iter().position(|client| client.name == name) else {
        let hint = hint(name, topology.clients.iter().map(|client| client.name.as_str()));
        return Err(Problem::error(place.name("client"), format!("there is no client \"{name}\"{hint}")));
    };
    if topology.clients[client].users() > 0 {
        let problem =
            Problem::error(place.name("client"), format!("\"{name}\" are closed users, who come by themselves"));
        return Err(problem.with_help("let another population come back, for example one with Poisson(Constant(0))"));
    }
    if size > MOST_AT_ONCE {
        let problem = Problem::error(place.name("size"), format!("{size} are more than {MOST_AT_ONCE} at once"));
        return Err(problem.with_help("use fewer"));
    }
    Ok(intervention::Act::Herd { client: client as u16, size, within })
}

fn failing(
    topology: &Topology,
    service: u16,
    share: f64,
    endpoints: &[String],
    after: &Option<Distribution>,
    place: &Path,
) -> Result<fault::Fault, Problem> {
    if !(0.0..=1.0).contains(&share) {
        let problem = Problem::error(place.name("share"), format!("a share of {share} of the attempts"));
        return Err(problem.with_help("write a share from 0 to 1"));
    }
    let own = |name: &str| topology.endpoints.iter().position(|e| e.service == service && e.name == name);
    let endpoint = |(i, name): (usize, &String)| {
        own(name).map(|id| id as u16).ok_or_else(|| {
            let all = topology.endpoints.iter().filter(|e| e.service == service).map(|e| e.name.as_str());
            let of = &topology.services[usize::from(service)].name;
            let message = format!("\"{of}\" has no endpoint \"{name}\"{}", hint(name, all));
            Problem::error(place.name("endpoints").index(i), message)
        })
    };
    let endpoints = endpoints.iter().enumerate().map(endpoint).collect::<Result<Vec<_>, _>>()?;
    let after = after.as_ref().map(|d| dist(d, &place.name("after"))).transpose()?;
    Ok(fault::Fault::Fail(Arc::new(Failing { share, endpoints, after })))
}

/// Faults that come again and again, as run.
pub(crate) fn recurring(topology: &Topology, faults: &IndexMap<String, Fault>) -> Result<Vec<Recurring>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for (name, fault) in faults {
        let path = Path::default().name("faults").name(name);
        match one(topology, name, fault, &path) {
            Ok(recurring) => all.push(recurring),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

fn one(topology: &Topology, name: &str, fault: &Fault, path: &Path) -> Result<Recurring, Vec<Problem>> {
    let mut problems = Vec::new();
    let every = dist(&fault.every, &path.name("every"));
    if every.as_ref().is_ok_and(|every| every.mean_secs() <= 0.0) {
        let problem = Problem::error(path.name("every"), "with no time between them, endlessly many come at once");
        problems.push(problem.with_help("write a longer one, for example Exponential(\"30d\")"));
    }
    if fault.acts.is_empty() {
        let problem = Problem::error(path.name("acts"), "the fault does nothing");
        problems.push(problem.with_help("add for example Pause(service: \"app\", for: Constant(\"80ms\"))"));
    }
    let mut acts = Vec::new();
    for (i, written) in fault.acts.iter().enumerate() {
        let place = path.name("acts").index(i);
        match act(topology, written, &place) {
            Some(Ok(act)) => acts.push(act),
            Some(Err(problem)) => problems.push(problem),
            None => {
                let problem = Problem::error(place.clone(), "a fault that comes at random cannot scale or set numbers");
                problems.push(problem.with_help("do that in the timeline"));
            }
        }
        problems.extend(endless(written, &place));
    }
    let mut services = fault.acts.iter().filter_map(Act::service).collect::<Vec<_>>();
    services.dedup();
    if fault.per == Per::Replica {
        if services.len() > 1 {
            let problem =
                Problem::error(path.name("acts"), "they hit several services, and come to each replica by itself");
            problems.push(problem.with_help("write per: All, so that they come to all in common"));
        }
        for (i, _) in fault.acts.iter().enumerate().filter(|(_, act)| act.of().is_some_and(|of| *of != Which::All)) {
            let place = path.name("acts").index(i).name("of");
            let problem = Problem::error(place, "it comes to each replica by itself, and is to hit others");
            problems.push(problem.with_help("leave `of` out, or write per: All"));
        }
    }
    match (every, problems.is_empty()) {
        (Ok(every), true) => {
            let own = || services.first().and_then(|name| topology.service(name));
            let service = if fault.per == Per::Replica { own() } else { None };
            Ok(Recurring { name: name.to_owned(), every, service, acts })
        }
        (every, _) => {
            problems.extend(every.err());
            Err(problems)
        }
    }
}

/// What is to last until somebody heals it, though it comes at random.
fn endless(act: &Act, place: &Path) -> Option<Problem> {
    let (Act::Pause { lasts, .. } | Act::Slow { lasts, .. } | Act::Fail { lasts, .. }) = act else { return None };
    if lasts.is_some() {
        return None;
    }
    let problem = Problem::error(place.clone(), "it never ends, so that it could not come again");
    Some(problem.with_help("say for how long, for example for: Exponential(\"10min\")"))
}

fn which(of: &Which, place: &Path) -> Result<Which, Problem> {
    match of.problem() {
        Some((message, help)) => Err(Problem::error(place.name("of"), message).with_help(help)),
        None => Ok(of.clone()),
    }
}

fn dist(written: &Distribution, place: &Path) -> Result<Dist, Problem> {
    written.compile().map_err(|error| Problem::error(place.clone(), error.to_string()))
}

/// The service of this name.
pub(crate) fn service(topology: &Topology, name: &str, place: &Path) -> Result<u16, Problem> {
    topology.service(name).ok_or_else(|| {
        let hint = hint(name, topology.services.iter().map(|s| s.name.as_str()));
        Problem::error(place.clone(), format!("there is no service \"{name}\"{hint}"))
    })
}
