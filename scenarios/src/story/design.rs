//! A design of a story as played: what it is asked to do, and how many replicas that takes.

use indexmap::IndexMap;
use models::blueprint::{Host, Service};
use models::fluid::{Demands, Resource, Utilisation, utilisations};
use models::given::Given;
use models::policy::Balancer;
use models::topology::{ProcessorSpec, ServiceSpec, Topology};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A design as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenDesign {
    /// What it is, in a few words.
    #[serde(default)]
    pub about: Option<String>,
    /// Machines that its services share, by name, as in a scenario.
    #[serde(default)]
    pub hosts: IndexMap<String, Host>,
    /// Its services, by name, as in a scenario.
    pub services: IndexMap<String, Service>,
    /// What visitors ask of it: endpoints as `service.endpoint`, with weights.
    pub mix: IndexMap<String, Given<f64>>,
    /// Services whose replicas follow from the evening's rate.
    #[serde(default)]
    pub sizing: IndexMap<String, Sizing>,
}

/// How many replicas a service gets, as written: as few as keep its processors at most so busy in the
/// evening, by the utilisation law.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sizing {
    /// The share of their time that processors may be busy.
    pub busy: Given<f64>,
    /// Never fewer than these.
    #[serde(default = "one")]
    pub least: Given<u32>,
}

fn one() -> Given<u32> {
    1.into()
}

/// A design, ready to be asked.
#[derive(Clone, Debug)]
pub struct Design {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub about: Option<String>,
    /// Its services, with one population of visitors.
    pub topology: Arc<Topology>,
    /// What a request asks of them.
    pub demands: Demands,
    /// Services that are sized: which, and how.
    pub sized: Vec<(u16, Sizing)>,
    /// For each service, how many times the mean of its replicas the busiest is asked for: of shards the
    /// one with the most popular keys, of others 1.
    pub hottest: Vec<f64>,
}

impl Design {
    pub(super) fn new(name: &str, written: &WrittenDesign, topology: Arc<Topology>) -> Self {
        let sized = |(service, sizing): (&String, &Sizing)| Some((topology.service(service)?, sizing.clone()));
        Self {
            name: name.to_owned(),
            about: written.about.clone(),
            demands: Demands::of(&topology),
            hottest: topology.services.iter().map(hottest).collect(),
            sized: written.sizing.iter().filter_map(sized).collect(),
            topology,
        }
    }

    /// Whether a service's replicas follow from the rate.
    pub fn is_sized(&self, service: u16) -> bool {
        self.sized.iter().any(|(sized, _)| *sized == service)
    }

    /// Replicas of every service for an evening of so many requests a second.
    pub fn replicas(&self, evening_per_s: f64) -> Vec<u32> {
        let visits = self.demands.visits_per_s(&[evening_per_s]);
        let mut replicas: Vec<u32> = self.topology.services.iter().map(|service| service.replicas).collect();
        for (id, sizing) in &self.sized {
            let endpoints = self.topology.endpoints.iter().enumerate().filter(|(_, e)| e.service == *id);
            let work: f64 = endpoints.map(|(e, _)| visits[e] * self.demands.endpoints[e].demand_s).sum();
            let each = match self.topology.services[usize::from(*id)].processor {
                ProcessorSpec::Servers(n) | ProcessorSpec::Cores(n) => f64::from(n) * sizing.busy.get(),
                ProcessorSpec::Usl { .. } | ProcessorSpec::Infinite | ProcessorSpec::Hosted { .. } => continue,
            };
            // What the last bit of a division rounds up is no replica.
            let needed = (work / each - 1e-9).ceil();
            replicas[usize::from(*id)] = sizing.least.get().max(needed as u32);
        }
        replicas
    }

    /// The utilisation of each of its resources with so many requests a second and so many replicas.
    pub fn utilisations(&self, per_s: f64, replicas: &[u32]) -> Vec<Utilisation> {
        let replicas: Vec<f64> = replicas.iter().map(|&n| f64::from(n)).collect();
        utilisations(&self.topology, &self.demands, &self.demands.visits_per_s(&[per_s]), &replicas)
    }

    /// The processor or database that is busiest with so many requests a second and so many replicas;
    /// `None` if nothing is limited. Threads and connections are left out: how long they are held
    /// follows from waiting, of which the utilisation law knows nothing.
    pub fn busiest(&self, per_s: f64, replicas: &[u32]) -> Option<Utilisation> {
        let firm = self.utilisations(per_s, replicas).into_iter().filter(is_firm);
        firm.reduce(|most, u| if self.worst(&u) > self.worst(&most) { u } else { most })
    }

    /// The utilisation of the busiest replica: of shards that is more than of all together.
    pub fn worst(&self, of: &Utilisation) -> f64 {
        let own = is_firm(of) && of.resource != Resource::Host;
        of.ratio() * if own { self.hottest[usize::from(of.service)] } else { 1.0 }
    }

    /// The processor seconds that a request asks for, of all services together.
    pub fn work_s(&self) -> f64 {
        let visits = self.demands.visits_per_s(&[1.0]);
        visits.iter().zip(&self.demands.endpoints).map(|(visits, endpoint)| visits * endpoint.demand_s).sum()
    }

    /// Servers and cores of all services and hosts together; databases under contention have none.
    pub fn processors(&self, replicas: &[u32]) -> u64 {
        let of = |(spec, replicas): (&ServiceSpec, &u32)| {
            u64::from(*replicas) * u64::from(spec.processor.capacity().unwrap_or(0))
        };
        let hosts = self.topology.hosts.iter();
        let shared = hosts.map(|host| u64::from(host.machines) * u64::from(host.processor.capacity().unwrap_or(0)));
        self.topology.services.iter().zip(replicas).map(of).sum::<u64>() + shared.sum::<u64>()
    }

    /// Where the utilisation of a resource stands among the figures of a run.
    pub fn figure(&self, of: &Utilisation) -> String {
        let service = &self.topology.services[usize::from(of.service)].name;
        format!("services.{service}.utilisation.{}", of.resource.name(&self.topology, of.service))
    }
}

/// How many times the mean of a service's replicas the busiest is asked for.
fn hottest(service: &ServiceSpec) -> f64 {
    match &service.balancer {
        Balancer::ByKey(by_key) => by_key.hottest(service.replicas) * f64::from(service.replicas),
        Balancer::ConsistentHash(hash) => hash.hottest(service.replicas) * f64::from(service.replicas),
        _ => 1.0,
    }
}

/// Whether the utilisation law alone tells it.
pub(super) fn is_firm(of: &Utilisation) -> bool {
    matches!(of.resource, Resource::Processor | Resource::Host | Resource::Contention)
}
