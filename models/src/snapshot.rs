//! The state of a run for a reader, such as a display: plain values that cannot reach the engine.

use crate::probe::Capacity;
use crate::system::{Counts, ReplicaState};
use sim_core::time::SimTime;

/// A run at an instant.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The instant.
    pub at: SimTime,
    /// Requests by what became of them.
    pub counts: Counts,
    /// Services, in the order written.
    pub services: Vec<ServiceSnapshot>,
    /// Hosts, in the order written.
    pub hosts: Vec<HostSnapshot>,
    /// Client populations, in the order written.
    pub clients: Vec<ClientSnapshot>,
}

/// Machines that services share, at an instant.
#[derive(Clone, Debug)]
pub struct HostSnapshot {
    /// Its name.
    pub name: String,
    /// Its machines.
    pub machines: Vec<MachineSnapshot>,
}

/// A machine at an instant.
#[derive(Clone, Debug)]
pub struct MachineSnapshot {
    /// Visits at work, of each of the services on the host, in the order written.
    pub at_work: Vec<u32>,
    /// Visits of all of them that wait for a server.
    pub ready: u32,
}

/// A client population at an instant.
#[derive(Clone, Debug)]
pub struct ClientSnapshot {
    /// Its name.
    pub name: String,
    /// Sessions that are open: of a population that comes in sessions, those who think or wait.
    pub sessions: u64,
}

/// A service at an instant.
#[derive(Clone, Debug)]
pub struct ServiceSnapshot {
    /// Its name.
    pub name: String,
    /// Requests waiting.
    pub waiting: u32,
    /// Requests held by threads.
    pub held: u32,
    /// Servers or cores in use.
    pub busy: u32,
    /// What it has.
    pub capacity: Capacity,
    /// Keys that each cache holds which all replicas have in common; 0 for one that they have not.
    pub keys: Vec<u32>,
    /// Its replicas, those that drain included.
    pub replicas: Vec<ReplicaSnapshot>,
}

/// A replica at an instant.
#[derive(Clone, Debug)]
pub struct ReplicaSnapshot {
    /// Its ordinal within the service.
    pub ordinal: u32,
    /// Whether it serves.
    pub state: ReplicaState,
    /// Requests in its own queue.
    pub waiting: u32,
    /// Requests held by its threads.
    pub held: u32,
    /// Visits at work.
    pub at_work: u32,
    /// Keys that each of its own caches holds; 0 for one that all replicas have in common.
    pub keys: Vec<u32>,
    /// Its pools.
    pub pools: Vec<PoolSnapshot>,
    /// Of each of its callees with a breaker or a bulkhead, in the order written: calls under way, and whether
    /// the breaker is open.
    pub guards: Vec<(u32, bool)>,
}

/// A pool at an instant.
#[derive(Clone, Debug)]
pub struct PoolSnapshot {
    /// The service called.
    pub callee: u16,
    /// Connections.
    pub size: u32,
    /// Connections in use.
    pub used: u32,
    /// Calls that wait for one.
    pub waiting: u32,
}
