//! What a design costs: a table of prices in the scenario, and what a run makes of it.
//!
//! Nothing is assumed: what has no price costs nothing. Every price may say where it comes from, and when.

use indexmap::IndexMap;
use models::given::Given;
use models::probe::{Measure, Rental, ServiceMeasure};
use models::topology::Topology;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::time::{SimDuration, SimTime};

/// Prices. What is left out costs nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// What all prices are in.
    #[serde(default = "dollars")]
    pub currency: String,
    /// The machines that services run on, a replica each, by service.
    #[serde(default)]
    pub machines: IndexMap<String, Machine>,
    /// The machines of hosts, by host. There are always as many.
    #[serde(default)]
    pub hosts: IndexMap<String, Machine>,
    /// What services keep, by service.
    #[serde(default)]
    pub storage: IndexMap<String, Storage>,
    /// For a million attempts that reach a service, by service: gateways, functions and managed stores are paid
    /// for so.
    #[serde(default)]
    pub million_requests: IndexMap<String, Given<f64>>,
    /// Who looks after it.
    #[serde(default)]
    pub engineers: Option<Engineers>,
    /// What is lost with each request that fails: a share of the users do not come again.
    #[serde(default)]
    pub lost_request: Option<Given<f64>>,
}

fn dollars() -> String {
    "USD".to_owned()
}

/// What a machine costs, from the moment it starts until it is gone. Of several the newest goes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The price of an hour on demand.
    pub hour: Given<f64>,
    /// What is billed at a time: each machine's time is rounded up to whole ones of these when it goes.
    #[serde(default = "a_second")]
    pub billed_by: Given<SimDuration>,
    /// The least that is billed for a machine.
    #[serde(default = "a_minute")]
    pub at_least: Given<SimDuration>,
    /// So many machines are committed to: they are paid for all the time, whether they are there or not.
    #[serde(default = "none")]
    pub committed: Given<u32>,
    /// By what share of the price a machine that is committed to is cheaper.
    #[serde(default = "nothing")]
    pub discount: Given<f64>,
}

fn a_second() -> Given<SimDuration> {
    SimDuration::from_secs(1).into()
}

fn a_minute() -> Given<SimDuration> {
    SimDuration::from_secs(60).into()
}

fn none() -> Given<u32> {
    0.into()
}

fn nothing() -> Given<f64> {
    0.0.into()
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// How many gigabytes.
    pub gigabytes: Given<f64>,
    /// The price of a gigabyte for a month of 730 hours.
    pub gigabyte_month: Given<f64>,
}

/// Who looks after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engineers {
    /// Hours of work in a month of 730 hours.
    pub hours_a_month: Given<f64>,
    /// The price of an hour of work.
    pub hour: Given<f64>,
}

/// A twelfth of 365 days, as clouds count.
const HOURS_A_MONTH: f64 = 730.0;

const NANOS_AN_HOUR: f64 = 3.6e12;

impl Machine {
    /// What the machines of a service have cost from the time on that counts, which lasts `hours`.
    fn cost(&self, service: &ServiceMeasure, now: SimTime, hours: f64) -> f64 {
        let hour = self.hour.get();
        let committed = self.committed.get();
        let on_demand: f64 = service
            .rentals
            .until(now)
            .filter(|rental| rental.beside >= committed)
            .map(|rental| self.billed(rental).as_nanos() as f64 / NANOS_AN_HOUR)
            .sum();
        hour * (on_demand + f64::from(committed) * hours * (1.0 - self.discount.get()))
    }

    /// What so many machines cost that are there all the time, for `hours`.
    fn cost_of_all(&self, machines: u32, hours: f64) -> f64 {
        let committed = self.committed.get();
        let paid = f64::from(machines.saturating_sub(committed)) + f64::from(committed) * (1.0 - self.discount.get());
        self.hour.get() * hours * paid
    }

    /// How much of a machine's time is billed; of one that is there still, as much as has passed.
    fn billed(&self, rental: Rental) -> SimDuration {
        if rental.goes_on {
            return rental.lasted;
        }
        let unit = self.billed_by.get().as_nanos().max(1);
        let lasted = rental.lasted.max(self.at_least.get()).as_nanos();
        SimDuration::from_nanos(lasted.div_ceil(unit).saturating_mul(unit))
    }
}

/// What a run has cost, by what for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bill {
    pub(crate) machines: f64,
    pub(crate) storage: f64,
    pub(crate) requests: f64,
    pub(crate) engineers: f64,
    pub(crate) lost: f64,
}

impl Bill {
    pub(crate) fn total(&self) -> f64 {
        self.machines + self.storage + self.requests + self.engineers + self.lost
    }
}

impl Costs {
    /// What a run of a design has cost so far.
    pub(crate) fn bill(&self, design: &Topology, measure: &Measure, now: SimTime) -> Bill {
        let mut bill = Bill::default();
        for (service, of) in design.services.iter().zip(&measure.services) {
            let (machines, storage, requests) = self.of_service(&service.name, of, measure.from, now);
            bill.machines += machines;
            bill.storage += storage;
            bill.requests += requests;
        }
        let hours = hours(measure.from, now);
        for host in &design.hosts {
            bill.machines += self.hosts.get(&host.name).map_or(0.0, |of| of.cost_of_all(host.machines, hours));
        }
        let engineers = |e: &Engineers| e.hours_a_month.get() * e.hour.get() * hours / HOURS_A_MONTH;
        bill.engineers = self.engineers.as_ref().map_or(0.0, engineers);
        let failed: u64 = measure.requests().failed.iter().sum();
        bill.lost = self.lost_request.as_ref().map_or(0.0, |price| price.get() * failed as f64);
        bill
    }

    /// What a service has cost: machines, storage, requests.
    pub(crate) fn of_service(
        &self,
        name: &str,
        measure: &ServiceMeasure,
        from: SimTime,
        now: SimTime,
    ) -> (f64, f64, f64) {
        let hours = hours(from, now);
        let machines = self.machines.get(name).map_or(0.0, |machine| machine.cost(measure, now, hours));
        let kept = |s: &Storage| s.gigabytes.get() * s.gigabyte_month.get() * hours / HOURS_A_MONTH;
        let requests = self.million_requests.get(name).map_or(0.0, |price| price.get() * measure.arrived as f64 / 1e6);
        (machines, self.storage.get(name).map_or(0.0, kept), requests)
    }

    /// Whether a service is in the table.
    pub(crate) fn names(&self, service: &str) -> bool {
        self.machines.contains_key(service)
            || self.storage.contains_key(service)
            || self.million_requests.contains_key(service)
    }

    /// Every service named, with the part of the table that names it.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let machines = self.machines.keys().map(|name| ("machines", name.as_str()));
        let storage = self.storage.keys().map(|name| ("storage", name.as_str()));
        let requests = self.million_requests.keys().map(|name| ("million_requests", name.as_str()));
        machines.chain(storage).chain(requests)
    }
}

/// The hours of the time that counts.
fn hours(from: SimTime, now: SimTime) -> f64 {
    now.since(from).as_nanos() as f64 / NANOS_AN_HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            hour: 0.36.into(),
            billed_by: SimDuration::from_secs(10).into(),
            at_least: a_minute(),
            committed: none(),
            discount: nothing(),
        }
    }

    #[test]
    fn time_is_rounded_up_when_a_machine_goes() {
        let seconds = |lasted: u64, goes_on| {
            let lasted = SimDuration::from_secs(lasted);
            machine().billed(Rental { beside: 0, lasted, goes_on }).as_nanos() / 1_000_000_000
        };
        assert_eq!(seconds(61, false), 70, "whole tens of seconds");
        assert_eq!(seconds(70, false), 70);
        assert_eq!(seconds(3, false), 60, "a minute at least");
        assert_eq!(seconds(3, true), 3, "what it will come to is not known yet");
    }
}
