//! The utilisation law: what is offered to each resource, over what it can do.

use super::Demands;
use crate::topology::{ProcessorSpec, ServiceSpec, Topology, UNLIMITED};

/// A resource of a service that requests share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Servers or cores.
    Processor,
    /// Servers or cores of the host that the service shares with others: asked for by all of them together.
    Host,
    /// A database under contention.
    Contention,
    /// Threads.
    Threads,
    /// Connections of one of its pools.
    Pool(u16),
}

impl Resource {
    /// Its name in reports, as under `services.NAME.utilisation`.
    pub fn name(self, topology: &Topology, service: u16) -> String {
        match self {
            Self::Processor => "processor".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Contention => "contention".to_owned(),
            Self::Threads => "threads".to_owned(),
            Self::Pool(pool) => {
                let callee = topology.services[usize::from(service)].pools[usize::from(pool)].callee;
                format!("pool:{}", topology.services[usize::from(callee)].name)
            }
        }
    }
}

/// How much of a resource is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Utilisation {
    /// The service.
    pub service: u16,
    /// What of it.
    pub resource: Resource,
    /// Seconds of it asked for a second.
    pub offered: f64,
    /// Seconds of it there are a second, all replicas together: of a database under contention the
    /// work it does with all connections of its callers in use, or at its best if some have no pool.
    pub capacity: f64,
}

impl Utilisation {
    /// What is offered over what there is; more than 1 cannot last. 0 if nothing is offered.
    pub fn ratio(&self) -> f64 {
        if self.offered == 0.0 { 0.0 } else { self.offered / self.capacity.max(1e-9) }
    }
}

/// The utilisation of every limited resource, in the order of the services, with so many visits a
/// second at each endpoint and so many replicas of each service.
///
/// Threads and connections count as held for as long as a visit takes if nobody waits: the least
/// there can be.
pub fn utilisations(
    topology: &Topology,
    demands: &Demands,
    visits_per_s: &[f64],
    replicas: &[f64],
) -> Vec<Utilisation> {
    let mut all = Vec::new();
    let work_of = |id: usize| -> f64 {
        let endpoints = topology.endpoints.iter().enumerate().filter(|(_, e)| usize::from(e.service) == id);
        endpoints.map(|(e, _)| visits_per_s[e] * demands.endpoints[e].demand_s).sum()
    };
    for (id, spec) in topology.services.iter().enumerate() {
        let of_service = || {
            let endpoints = topology.endpoints.iter().enumerate();
            endpoints.filter(move |(_, e)| usize::from(e.service) == id).map(|(e, _)| e)
        };
        let mut add = |resource, offered, capacity| {
            all.push(Utilisation { service: id as u16, resource, offered, capacity });
        };
        let work = work_of(id);
        match spec.processor {
            ProcessorSpec::Servers(n) | ProcessorSpec::Cores(n) => {
                add(Resource::Processor, work, replicas[id] * f64::from(n));
            }
            ProcessorSpec::Usl { .. } => {
                let connections = connections(topology, replicas, id as u16);
                add(Resource::Contention, work, contended(&spec.processor, replicas[id], connections));
            }
            ProcessorSpec::Infinite => {}
            ProcessorSpec::Hosted { host, .. } => {
                let host = &topology.hosts[usize::from(host)];
                if let Some(each) = host.processor.capacity() {
                    let work = host.services.iter().map(|&s| work_of(usize::from(s))).sum();
                    add(Resource::Host, work, f64::from(host.machines) * f64::from(each));
                }
            }
        }
        if spec.threads != UNLIMITED {
            let held: f64 = of_service().map(|e| visits_per_s[e] * demands.endpoints[e].time_s).sum();
            add(Resource::Threads, held, replicas[id] * f64::from(spec.threads));
        }
        for (pool, size) in spec.pools.iter().enumerate() {
            let used: f64 = of_service()
                .flat_map(|e| demands.endpoints[e].calls.iter().map(move |call| (e, call)))
                .filter(|(_, (_, _, of))| *of == Some(pool as u16))
                .map(|(e, (to, calls, _))| visits_per_s[e] * calls * demands.endpoints[*to].reply_s)
                .sum();
            add(Resource::Pool(pool as u16), used, replicas[id] * f64::from(size.size));
        }
    }
    all
}

/// Connections that all callers together have to a service; `None` if some have no limit.
fn connections(topology: &Topology, replicas: &[f64], callee: u16) -> Option<f64> {
    let sites = topology.sites.iter().filter(|site| site.callee == callee);
    if sites.clone().any(|site| site.pool.is_none()) {
        return None;
    }
    let of = |(service, spec): (usize, &ServiceSpec)| -> f64 {
        let pools = spec.pools.iter().filter(|pool| pool.callee == callee);
        pools.map(|pool| replicas[service] * f64::from(pool.size)).sum()
    };
    Some(topology.services.iter().enumerate().map(of).sum())
}

/// Work a second of a database under contention: with all connections in use, or at its best.
fn contended(processor: &ProcessorSpec, replicas: f64, connections: Option<f64>) -> f64 {
    match connections {
        Some(n) => processor.work_per_second(replicas, n),
        None => (1..=10_000).map(|n| processor.work_per_second(replicas, replicas * f64::from(n))).fold(0.0, f64::max),
    }
}
