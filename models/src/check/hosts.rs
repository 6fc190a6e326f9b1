//! Hosts: machines that services share.

use super::list;
use super::program::Compiler;
use crate::blueprint::{Host, Processor};
use crate::path::Path;
use crate::problem::did_you_mean;
use crate::topology::{HostSpec, ProcessorSpec};

/// The most machines of all hosts together.
const MOST_MACHINES: u64 = 100_000;

/// Speeds and weights lie between one over this and this.
const MOST_TIMES: f64 = 1e6;

fn sensible(times: f64) -> bool {
    (1.0 / MOST_TIMES..=MOST_TIMES).contains(&times)
}

impl Compiler<'_> {
    /// All hosts, with who works on each.
    pub(super) fn hosts(&mut self) -> Vec<HostSpec> {
        let (blueprint, mut first) = (self.blueprint, 0_u64);
        let mut hosts = Vec::new();
        for (name, host) in &blueprint.hosts {
            let path = Path::root().name("hosts").name(name);
            let machines = self.at_least_one(&path.name("machines"), "machines", host.machines.get());
            let processor = self.processor_of_machine(&path.name("processor"), host);
            if !sensible(host.speed.get()) {
                let message = format!("the speed {} is no number from 0.000001 to a million", host.speed.get());
                self.problem(&path.name("speed"), message, "write 0.5 for half as fast");
            }
            let on_it = |processor: &Processor| matches!(processor, Processor::Host { name: on, .. } if on == name);
            let services = blueprint.services.values().enumerate();
            let services = services.filter(|(_, s)| on_it(&s.processor)).map(|(id, _)| id as u16).collect();
            let before = u32::try_from(first).unwrap_or(u32::MAX);
            hosts.push(HostSpec { name: name.clone(), machines, processor, services, first: before });
            first += u64::from(machines);
        }
        if first > MOST_MACHINES {
            let message = format!("there are {first} machines, more than {MOST_MACHINES}");
            self.problem(&Path::root().name("hosts"), message, "use fewer");
        }
        hosts
    }

    fn processor_of_machine(&mut self, path: &Path, host: &Host) -> ProcessorSpec {
        match &host.processor {
            Processor::Servers(n) => ProcessorSpec::Servers(self.at_least_one(path, "servers", n.get())),
            Processor::Cores(n) => ProcessorSpec::Cores(self.at_least_one(path, "cores", n.get())),
            Processor::Infinite => ProcessorSpec::Infinite,
            Processor::Usl { .. } => {
                let help = "write Servers(n), Cores(n) or Infinite, and Usl at the database itself";
                self.problem(path, "the universal scalability law is one database's, not a machine's", help);
                ProcessorSpec::Infinite
            }
            Processor::Host { .. } => {
                let help = "write Servers(n), Cores(n) or Infinite";
                self.problem(path, "a host stands on another host", help);
                ProcessorSpec::Infinite
            }
        }
    }

    /// The processor of a service that stands on a host.
    pub(super) fn on_host(&mut self, path: &Path, service: u16, name: &str, weight: f64) -> ProcessorSpec {
        let blueprint = self.blueprint;
        if !sensible(weight) {
            let message = format!("the weight {weight} is no number from 0.000001 to a million");
            self.problem(&path.name("weight"), message, "write 2 for twice as much as others get");
        }
        let Some((host, _, spec)) = blueprint.hosts.get_full(name) else {
            let known = blueprint.hosts.keys().map(String::as_str);
            let help = match did_you_mean(name, known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if blueprint.hosts.is_empty() => {
                    format!("add hosts: {{\"{name}\": (processor: Cores(8))}} beside services")
                }
                None => format!("there are {}", list(blueprint.hosts.keys())),
            };
            self.unknown(&path.name("name"), name, format!("there is no host \"{name}\""), help);
            return ProcessorSpec::Infinite;
        };
        if weight != 1.0 && !matches!(spec.processor, Processor::Cores(_)) {
            let message = format!("\"{name}\" does not share cores, so that a weight says nothing");
            self.problem(&path.name("weight"), message, "leave it out, or give the host Cores(n)");
        }
        let before = blueprint.services.values().take(usize::from(service));
        let member = before.filter(|s| matches!(&s.processor, Processor::Host { name: on, .. } if on == name)).count();
        ProcessorSpec::Hosted { host: host as u16, member: member as u16, weight }
    }

    /// How many times longer work takes at each replica, by its own speeds and by that of its host.
    pub(super) fn slowness_on(&self, processor: &Processor, own: Vec<f64>) -> Vec<f64> {
        let host = match processor {
            Processor::Host { name, .. } => self.blueprint.hosts.get(name),
            _ => None,
        };
        match host.map(|host| host.speed.get()).filter(|speed| *speed != 1.0 && sensible(*speed)) {
            None => own,
            Some(speed) if own.is_empty() => vec![1.0 / speed],
            Some(speed) => own.into_iter().map(|slowness| slowness / speed).collect(),
        }
    }
}
