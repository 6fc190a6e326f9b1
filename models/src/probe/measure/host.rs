//! A host: who uses how much of its machines.

use crate::topology::HostSpec;
use sim_core::stats::TimeWeighted;
use sim_core::time::SimTime;

/// A server or core, in the unit of what is used.
const WHOLE: f64 = 1e9;

/// The figures of one host, all its machines together.
#[derive(Clone, Debug)]
pub struct HostMeasure {
    /// Servers or cores that each service uses, in billionths of one; in the order of the services on the host.
    pub used: Vec<TimeWeighted>,
    /// Servers or cores there are, in billionths of one; 0 without a limit.
    there: TimeWeighted,
}

impl HostMeasure {
    pub(super) fn new(now: SimTime, spec: &HostSpec) -> Self {
        let none = TimeWeighted::new(now, 0);
        let mut host = Self { used: vec![none; spec.services.len()], there: none };
        host.set_capacity(now, spec);
        host
    }

    pub(super) fn set_capacity(&mut self, now: SimTime, spec: &HostSpec) {
        let cores = u64::from(spec.machines) * u64::from(spec.processor.capacity().unwrap_or(0));
        self.there.set(now, cores * WHOLE as u64);
    }

    /// Servers or cores in use by all services, averaged over time; `None` if no time has passed.
    pub fn busy(&self, now: SimTime) -> Option<f64> {
        self.used.iter().map(|used| self.busy_of(used, now)).sum()
    }

    fn busy_of(&self, used: &TimeWeighted, now: SimTime) -> Option<f64> {
        used.mean(now).map(|mean| mean / WHOLE)
    }

    /// Servers or cores in use over those there are; `None` without a limit.
    pub fn utilisation(&self, now: SimTime) -> Option<f64> {
        (0..self.used.len()).map(|member| self.share(member, now)).sum()
    }

    /// What one of the services uses, over the servers or cores there are; `None` without a limit.
    pub fn share(&self, member: usize, now: SimTime) -> Option<f64> {
        let there = self.there.integral(now);
        (there > 0).then(|| self.used[member].integral(now) as f64 / there as f64)
    }
}
