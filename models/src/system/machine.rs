//! Machines: what works on requests of several services.
//!
//! ```text
//!   service a, threads: [visit][visit][visit]---work--\      machine: servers, one line for all
//!                                                      +---->    or: cores, a share for each service
//!   service b, threads: [visit][visit]----------work--/
//! ```
//!
//! Threads stay the service's own; a machine is asked for the length of a work step. Servers are a processor
//! as a replica has one, with one line for the visits of all services. Cores are one shared processor for each
//! service: visits of one service have one weight, so that they advance at one pace, and attained service tells
//! who of them is done next. The pace of each follows from how many of each are at work. With weights w and
//! n visits of each service on c cores, a visit gets min(1, w t) of a core, where t is the greatest with which
//! no more than c cores are used: discriminatory processor sharing (Kleinrock 1967; Fayolle, Mitrani and
//! Iasnogorodski 1980), each visit on one core at most. What some cannot use, the others share. With equal
//! weights it is min(1, c/n), processor sharing.

use super::processor::Processor;
use super::replica::Host;
use super::visit::Doing;
use super::{Cx, State, Todo};
use crate::event::Event;
use crate::probe::Probe;
use crate::snapshot::{HostSnapshot, MachineSnapshot};
use crate::topology::{HostSpec, ProcessorSpec, Topology};
use sim_core::agenda::Class;
use sim_core::time::{SimDuration, SimTime};

/// A whole core or server, in the unit in which probes are told of it.
const WHOLE: u64 = 1_000_000_000;

/// The machines of all hosts.
#[derive(Clone, Debug, Default)]
pub(super) struct Machines {
    machines: Vec<Machine>,
    /// What each service uses on all of them, in billionths of a core; empty if there are no hosts.
    used: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Machine {
    host: u16,
    /// Servers, and who waits for them. Not used when sharing.
    servers: Processor,
    /// Of each service on the host.
    shares: Vec<Share>,
    /// When the pending tick comes; `MAX` if none is pending.
    tick: SimTime,
}

/// What one service does on one machine.
#[derive(Clone, Debug)]
struct Share {
    /// The visits that share. Not used with servers.
    visits: Processor,
    /// How many times longer each takes than alone.
    slowdown: f64,
    /// Whether each has a core of its own.
    whole: bool,
    /// Servers or cores in use, in billionths.
    used: u64,
}

impl Machine {
    fn new(host: u16, spec: &HostSpec) -> Self {
        let share = Share { visits: Processor::new(), slowdown: 1.0, whole: true, used: 0 };
        Self { host, servers: Processor::new(), shares: vec![share; spec.services.len()], tick: SimTime::MAX }
    }

    /// Brings everybody's attained service up to `now`.
    fn settle(&mut self, now: SimTime) {
        self.shares.iter_mut().for_each(|share| share.visits.settle(now, &share.slowdown));
    }

    /// Works out how fast everybody advances from now on.
    fn repace(&mut self, cores: u32, weight: impl Fn(usize) -> f64) {
        let at_work: u32 = self.shares.iter().map(|share| share.visits.at_work()).sum();
        let enough = at_work <= cores;
        for share in &mut self.shares {
            (share.whole, share.slowdown) = (enough, 1.0);
        }
        if enough {
            return;
        }
        // Whoever would get more than a core gets one, until nobody would. There are more visits than cores, so
        // that some do not have one.
        loop {
            let (mut room, mut asked) = (f64::from(cores), 0.0);
            for (member, share) in self.shares.iter().enumerate() {
                let n = f64::from(share.visits.at_work());
                match share.whole {
                    true => room -= n,
                    false => asked += n * weight(member),
                }
            }
            let mut settled = true;
            for (member, share) in self.shares.iter_mut().enumerate() {
                if !share.whole && share.visits.at_work() > 0 {
                    share.whole = room * weight(member) > asked;
                    share.slowdown = if share.whole { 1.0 } else { asked / (room * weight(member)) };
                    settled &= !share.whole;
                }
            }
            if settled {
                return;
            }
        }
    }

    /// When to tick next, unless a tick is pending by then.
    fn next_tick(&mut self, now: SimTime) -> Option<SimTime> {
        let finishes = self.shares.iter().filter_map(|share| share.visits.next_finish(now, &share.slowdown));
        let at = finishes.min().filter(|at| *at < self.tick)?;
        self.tick = at;
        Some(at)
    }
}

impl Share {
    /// Cores in use, in billionths.
    fn cores(&self) -> u64 {
        (f64::from(self.visits.at_work()) / self.slowdown * WHOLE as f64).round() as u64
    }
}

impl Machines {
    pub(super) fn new(topology: &Topology) -> Self {
        let mut machines = Vec::new();
        for (id, host) in topology.hosts.iter().enumerate() {
            machines.extend((0..host.machines).map(|_| Machine::new(id as u16, host)));
        }
        let services = if topology.hosts.is_empty() { 0 } else { topology.services.len() };
        Self { machines, used: vec![0; services] }
    }

    /// Brings everybody's attained service up to `now`.
    pub(super) fn settle(&mut self, now: SimTime) {
        self.machines.iter_mut().for_each(|machine| machine.settle(now));
    }

    /// Lets a probe that joins now know who uses what.
    pub(super) fn tell_all<P: Probe>(&self, topology: &Topology, now: SimTime, probe: &mut P) {
        for &service in topology.hosts.iter().flat_map(|host| &host.services) {
            probe.on_host(now, service, self.used[usize::from(service)]);
        }
    }

    pub(super) fn snapshot(&self, topology: &Topology) -> Vec<HostSnapshot> {
        let hosts = topology.hosts.iter().map(|host| {
            let machine = |machine: &Machine| {
                let at_work = |share: &Share| match host.processor {
                    ProcessorSpec::Cores(_) => share.visits.at_work(),
                    _ => (share.used / WHOLE) as u32,
                };
                MachineSnapshot {
                    at_work: machine.shares.iter().map(at_work).collect(),
                    ready: machine.servers.ready() as u32,
                }
            };
            let first = host.first as usize;
            let machines = &self.machines[first..first + host.machines as usize];
            HostSnapshot { name: host.name.clone(), machines: machines.iter().map(machine).collect() }
        });
        hosts.collect()
    }
}

impl State {
    /// The machine of a replica, and which of the services on it this is.
    fn machine(&self, topology: &Topology, host: Host<'_>) -> (u32, usize) {
        let ProcessorSpec::Hosted { host: on, member, .. } = host.spec.processor else {
            unreachable!("only services on hosts have machines");
        };
        let HostSpec { first, machines, .. } = topology.hosts[usize::from(on)];
        (first + self.replicas[host.replica as usize].ordinal % machines, usize::from(member))
    }

    /// A visit needs the machine of its replica for `demand`.
    #[inline(never)]
    pub(super) fn work_on_machine<P: Probe>(
        &mut self,
        cx: &mut Cx<'_, P>,
        host: Host<'_>,
        visit: u32,
        demand: SimDuration,
    ) {
        let (id, member) = self.machine(cx.topology, host);
        let machine = &mut self.machines.machines[id as usize];
        let limit = match cx.topology.hosts[usize::from(machine.host)].processor {
            ProcessorSpec::Cores(_) => {
                machine.settle(cx.now);
                let share = &mut machine.shares[member];
                share.visits.join(cx.now, &share.slowdown, visit, demand);
                let v = &mut self.visits[visit];
                v.doing = Doing::Sharing;
                v.until = SimTime::from_nanos(demand.as_nanos());
                self.set_busy(cx, host, 1);
                return self.share_out(cx, id);
            }
            ProcessorSpec::Servers(servers) => servers,
            _ => u32::MAX,
        };
        let v = &mut self.visits[visit];
        if machine.servers.take_server(limit) {
            v.work_alone(cx, visit, demand);
            self.occupy(cx, host, 1);
        } else {
            v.wait_for_server(demand);
            machine.servers.wait(visit);
        }
    }

    /// A visit gives a server of its machine back, or takes it.
    fn occupy<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, change: i64) {
        let (id, member) = self.machine(cx.topology, host);
        self.set_busy(cx, host, change as i32);
        let Machines { machines, used } = &mut self.machines;
        let all = &mut used[usize::from(host.service)];
        for level in [&mut machines[id as usize].shares[member].used, &mut *all] {
            *level = level.checked_add_signed(change * WHOLE as i64).expect("what is released was in use");
        }
        cx.probe.on_host(cx.now, host.service, *all);
    }

    /// Cores are shared out anew, after somebody has come or gone.
    fn share_out<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let Machines { machines, used } = &mut self.machines;
        let machine = &mut machines[id as usize];
        let (topology, host) = (cx.topology, &cx.topology.hosts[usize::from(machine.host)]);
        let ProcessorSpec::Cores(cores) = host.processor else { return };
        machine.repace(cores, |member| match topology.services[usize::from(host.services[member])].processor {
            ProcessorSpec::Hosted { weight, .. } => weight,
            _ => 1.0,
        });
        if let Some(at) = machine.next_tick(cx.now) {
            cx.agenda.schedule(at, Class::Ordinary, Event::MachineTick { machine: id });
        }
        for (share, &service) in machine.shares.iter_mut().zip(&host.services) {
            let cores = share.cores();
            if cores != share.used {
                let all = &mut used[usize::from(service)];
                *all = *all - share.used + cores;
                share.used = cores;
                cx.probe.on_host(cx.now, service, *all);
            }
        }
    }

    /// Shared cores reach a completion, or find it was delayed by newcomers.
    #[cold]
    pub(super) fn machine_tick<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let machine = &mut self.machines.machines[id as usize];
        if machine.tick != cx.now {
            return;
        }
        machine.tick = SimTime::MAX;
        let services = &cx.topology.hosts[usize::from(machine.host)].services;
        for (member, &service) in services.iter().enumerate() {
            loop {
                let share = &mut self.machines.machines[id as usize].shares[member];
                let Some(visit) = share.visits.next_done(cx.now, &share.slowdown) else { break };
                let v = &mut self.visits[visit];
                cx.probe.shared_work_done(cx.now, service, SimDuration::from_nanos(v.until.as_nanos()));
                v.doing = Doing::Going;
                let replica = v.replica;
                self.todo.push_back(Todo::Resume { visit });
                let host = self.host(cx.topology, replica);
                self.set_busy(cx, host, -1);
            }
        }
        self.share_out(cx, id);
    }

    /// A visit leaves its machine, done with its work or stopped; the others go on.
    #[inline(never)]
    pub(super) fn leave_machine<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, visit: u32, doing: Doing) {
        self.take_off(cx, host, visit, doing);
        self.others_go_on(cx, host);
    }

    /// A visit leaves its machine, if it works or waits there. Nobody yet takes what it leaves.
    pub(super) fn take_off<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>, visit: u32, doing: Doing) {
        let (id, member) = self.machine(cx.topology, host);
        let machine = &mut self.machines.machines[id as usize];
        match doing {
            Doing::Ready => machine.servers.stop_waiting(visit),
            Doing::Working => {
                machine.servers.release_server();
                self.occupy(cx, host, -1);
            }
            Doing::Sharing => {
                machine.settle(cx.now);
                let share = &mut machine.shares[member];
                share.visits.remove_sharing(cx.now, &share.slowdown, visit);
                self.set_busy(cx, host, -1);
                self.share_out(cx, id);
            }
            Doing::Free
            | Doing::Going
            | Doing::Delayed
            | Doing::Calling
            | Doing::Awaiting
            | Doing::Joining
            | Doing::Stopped
            | Doing::Waiting => {}
        }
    }

    /// Those that wait for a server of a replica's machine take what is free.
    pub(super) fn others_go_on<P: Probe>(&mut self, cx: &mut Cx<'_, P>, host: Host<'_>) {
        let (id, _) = self.machine(cx.topology, host);
        self.start_ready_on(cx, id);
    }

    fn start_ready_on<P: Probe>(&mut self, cx: &mut Cx<'_, P>, id: u32) {
        let machine = &self.machines.machines[id as usize];
        let ProcessorSpec::Servers(servers) = cx.topology.hosts[usize::from(machine.host)].processor else { return };
        while let Some(next) = self.machines.machines[id as usize].servers.next_ready(servers) {
            let v = &mut self.visits[next];
            let replica = v.replica;
            v.work_alone(cx, next, SimDuration::from_nanos(v.until.as_nanos()));
            let host = self.host(cx.topology, replica);
            self.occupy(cx, host, 1);
        }
    }

    /// Takes over numbers of cores and servers, and weights; what has been attained is settled.
    pub(super) fn adopt_hosts<P: Probe>(&mut self, cx: &mut Cx<'_, P>) {
        for id in 0..self.machines.machines.len() as u32 {
            self.machines.machines[id as usize].tick = SimTime::MAX;
            self.share_out(cx, id);
            self.start_ready_on(cx, id);
        }
    }
}
