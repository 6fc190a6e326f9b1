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
        Step::Work(_) | Step::Delay(_) | Step::Reply | Step::Fail(_) => true,
        // A call to what does not exist is reported elsewhere.
        Step::Call(to) | Step::Send(to) => ending.contains(to) || !endpoints.contains_key(to),
        Step::Parallel(branches) => branches.iter().all(|steps| can_end(steps, endpoints, ending)),
        Step::Branch(branches) => branches.iter().any(|(p, steps)| p.get() > 0.0 && can_end(steps, endpoints, ending)),
        Step::Quorum { of, .. } => of.iter().all(|steps| can_end(steps, endpoints, ending)),
        Step::Repeat(times, steps) => times.may_be_none() || can_end(steps, endpoints, ending),
        Step::Maybe(p, steps) => p.get() < 1.0 || can_end(steps, endpoints, ending),
        // The first lookup finds nothing.
        Step::Lookup { miss, .. } => can_end(miss, endpoints, ending),
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
            Step::Work(_) | Step::Delay(_) | Step::Reply | Step::Fail(_) => {}
            Step::Call(to) | Step::Send(to) => found(to, times),
            Step::Parallel(branches) => branches.iter().for_each(|steps| targets(steps, times, found)),
            Step::Branch(branches) => branches.iter().for_each(|(p, steps)| targets(steps, times * p.get(), found)),
            Step::Quorum { of, .. } => of.iter().for_each(|steps| targets(steps, times, found)),
            Step::Repeat(loops, steps) => targets(steps, times * loops.mean(), found),
            Step::Maybe(p, steps) => targets(steps, times * p.get(), found),
            // At worst every lookup misses.
            Step::Lookup { miss, .. } => targets(miss, times, found),
        }
    }
}

/// An endpoint from which the expected number of calls has no limit.
///
/// Calls multiply only around cycles, so each knot of endpoints that all lead to one another is looked
/// at by itself. There the expected number of calls k hops away is `M^k 1`. If for some k all of them
/// are below 1, they fall geometrically from there on; if for some k none is below 1, they never do.
/// What is still open after very many hops is too near the border to tell, and refused.
fn multiplying(endpoints: &Endpoints<'_>) -> Option<String> {
    let mut edges = Vec::new();
    for (from, (_, steps)) in endpoints.values().enumerate() {
        targets(steps, 1.0, &mut |to, times| {
            if let Some(to) = endpoints.get_index_of(to).filter(|_| times > 0.0) {
                edges.push((from, to, times));
            }
        });
    }
    let knot = knots(endpoints.len(), &edges);
    edges.retain(|&(from, to, _)| knot[from] == knot[to]);
    edges.sort_by_key(|&(from, ..)| knot[from]);
    let cycles = edges.chunk_by(|a, b| knot[a.0] == knot[b.0]);
    let endless = cycles.filter(|cycle| !dies_out(cycle)).filter_map(|cycle| cycle.iter().map(|e| e.0).min()).min();
    endless.and_then(|first| endpoints.get_index(first)).map(|(name, _)| name.clone())
}

/// Whether calls around one knot, given by its edges, become ever fewer.
fn dies_out(edges: &[(usize, usize, f64)]) -> bool {
    // Every endpoint of a knot has an edge from it.
    let members: IndexSet<usize> = edges.iter().map(|e| e.0).collect();
    let place = |endpoint: &usize| members.get_index_of(endpoint).expect("a knot's edges stay within it");
    let edges: Vec<_> = edges.iter().map(|(from, to, times)| (place(from), place(to), *times)).collect();
    let mut alive = vec![1.0_f64; members.len()];
    for _ in 0..4 * members.len() + 100_000_000 / edges.len() {
        let mut next = vec![0.0; members.len()];
        for &(from, to, times) in &edges {
            next[from] += times * alive[to];
        }
        alive = next;
        if alive.iter().all(|&n| n < 1.0) {
            return true;
        }
        if alive.iter().all(|&n| n >= 1.0) {
            return false;
        }
    }
    false
}

/// For each of `n` endpoints the number of its knot, by Kosaraju's algorithm.
fn knots(n: usize, edges: &[(usize, usize, f64)]) -> Vec<usize> {
    let (mut ahead, mut back) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    for &(from, to, _) in edges {
        ahead[from].push(to);
        back[to].push(from);
    }
    let (mut order, mut seen) = (Vec::new(), vec![false; n]);
    for start in 0..n {
        let mut walk = if std::mem::replace(&mut seen[start], true) { vec![] } else { vec![(start, 0)] };
        while let Some((here, taken)) = walk.pop() {
            let Some(&to) = ahead[here].get(taken) else {
                order.push(here);
                continue;
            };
            walk.push((here, taken + 1));
            if !std::mem::replace(&mut seen[to], true) {
                walk.push((to, 0));
            }
        }
    }
    let mut knot = vec![usize::MAX; n];
    for &start in order.iter().rev() {
        let mut open = vec![start];
        while let Some(here) = open.pop() {
            if knot[here] == usize::MAX {
                knot[here] = start;
                open.extend(back[here].iter().filter(|from| knot[**from] == usize::MAX));
            }
        }
    }
    knot
}
