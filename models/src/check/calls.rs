//! Calls that can never end, and calls that multiply without end.

use crate::blueprint::{Blueprint, Step};
use crate::path::Path;
use crate::problem::Problem;
use indexmap::{IndexMap, IndexSet};

/// The steps of every endpoint, by `service.endpoint`.
type Endpoints<'a> = IndexMap<String, (Path, &'a [Step])>;

pub(super) fn check(blueprint: &Blueprint, problems: &mut Vec<Problem>) {
    let mut endpoints = Endpoints::new();
    for (service, spec) in &blueprint.services {
        for (name, steps) in &spec.endpoints {
            let path = Path::root().name("services").name(service).name("endpoints").name(name);
            endpoints.insert(format!("{service}.{name}"), (path, steps));
        }
    }
    let ending = ending(&endpoints);
    for (name, (path, _)) in &endpoints {
        if !ending.contains(name) {
            let cycle = cycle(name, &endpoints, &ending);
            let help = "break the cycle, or make one of its calls a Maybe with a probability below 1";
            problems.push(Problem::new(path.clone(), format!("a call here can never end: {cycle}"), help));
        }
    }
    if ending.len() == endpoints.len()
        && let Some(name) = multiplying(&endpoints)
    {
        let help = "lower the probability of the calls in the cycle: each must cause less than one further on average";
        problems.push(Problem::new(
            endpoints[&name].0.clone(),
            format!("calls from \"{name}\" multiply without end"),
            help,
        ));
    }
}

/// The endpoints that can reply: the least fixed point over "all calls of some way through can end".
fn ending(endpoints: &Endpoints<'_>) -> IndexSet<String> {
    let mut ending = IndexSet::new();
    loop {
        let before = ending.len();
        for (name, (_, steps)) in endpoints {
            if !ending.contains(name) && can_end(steps, endpoints, &ending) {
                ending.insert(name.clone());
            }
        }
        if ending.len() == before {
            return ending;
        }
    }
}

fn can_end(steps: &[Step], endpoints: &Endpoints<'_>, ending: &IndexSet<String>) -> bool {
    steps.iter().all(|step| match step {
        Step::Work(_) | Step::Delay(_) => true,
        // A call to what does not exist is reported elsewhere.
        Step::Call(to) | Step::Send(to) => ending.contains(to) || !endpoints.contains_key(to),
        Step::Parallel(branches) => branches.iter().all(|steps| can_end(steps, endpoints, ending)),
        Step::Branch(branches) => branches.iter().any(|(p, steps)| p.get() > 0.0 && can_end(steps, endpoints, ending)),
        Step::Maybe(p, steps) => p.get() < 1.0 || can_end(steps, endpoints, ending),
    })
}

/// `a.x -> b.y -> a.x`, starting at an endpoint that cannot end.
fn cycle(from: &str, endpoints: &Endpoints<'_>, ending: &IndexSet<String>) -> String {
    let mut walk = vec![from.to_owned()];
    loop {
        let here = walk.last().expect("the walk starts somewhere");
        let mut callees = Vec::new();
        targets(endpoints[here].1, 1.0, &mut |to, _| callees.push(to.to_owned()));
        let Some(next) = callees.into_iter().find(|to| endpoints.contains_key(to) && !ending.contains(to)) else {
            return walk.join(" -> ");
        };
        let closed = walk.contains(&next);
        walk.push(next);
        if closed {
            return walk.join(" -> ");
        }
    }
}

/// Each call among the steps, with its expected number.
fn targets<'a>(steps: &'a [Step], times: f64, found: &mut impl FnMut(&'a str, f64)) {
    for step in steps {
        match step {
            Step::Work(_) | Step::Delay(_) => {}
            Step::Call(to) | Step::Send(to) => found(to, times),
            Step::Parallel(branches) => branches.iter().for_each(|steps| targets(steps, times, found)),
            Step::Branch(branches) => branches.iter().for_each(|(p, steps)| targets(steps, times * p.get(), found)),
            Step::Maybe(p, steps) => targets(steps, times * p.get(), found),
        }
    }
}

/// An endpoint from which the expected number of calls has no limit.
fn multiplying(endpoints: &Endpoints<'_>) -> Option<String> {
    let mut edges = Vec::new();
    for (from, (_, steps)) in endpoints.values().enumerate() {
        targets(steps, 1.0, &mut |to, times| {
            if let Some(to) = endpoints.get_index_of(to) {
                edges.push((from, to, times));
            }
        });
    }
    // Calls at depth k. Without a cycle none is left after as many hops as there are endpoints; in a
    // cycle that dies out, what is left falls geometrically.
    let mut alive = vec![1.0_f64; endpoints.len()];
    for hop in 0..endpoints.len() + 2_000 {
        let mut next = vec![0.0; endpoints.len()];
        for &(from, to, times) in &edges {
            next[from] += times * alive[to];
        }
        alive = next;
        if alive.iter().all(|&n| n < 1e-6) {
            return None;
        }
        if alive.iter().any(|&n| n > 1e12) && hop > endpoints.len() {
            break;
        }
    }
    let most = (0..alive.len()).max_by(|&a, &b| alive[a].total_cmp(&alive[b]))?;
    endpoints.get_index(most).map(|(name, _)| name.clone())
}
