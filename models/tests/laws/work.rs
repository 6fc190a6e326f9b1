//! The utilisation law: the time for which processors are busy is the work they did.

use models::event::Event;
use models::fault::Fault;
use models::intervention::Act;
use models::probe::{Capacity, Cause, Measure, Probe};
use models::system::Run;
use models::topology::ProcessorSpec;
use sim_core::random::Key;
use sim_core::stats::TimeWeighted;
use sim_core::time::{SimDuration, SimTime};

/// What was asked of the processors of each service, and how many there were.
pub(crate) struct Work(Vec<Asked>);

#[derive(Clone, Copy)]
struct Asked {
    /// Pieces of work, and their demands in nanoseconds.
    pieces: u128,
    nanos: u128,
    /// Servers or cores.
    processors: TimeWeighted,
    /// Whether a replica has crashed.
    crashed: bool,
    /// Whether a replica has paused: then processors were in use and stood still.
    paused: bool,
}

impl Work {
    /// Starts with a run that has not begun.
    pub(crate) fn of(run: &Run) -> Self {
        let asked = Asked {
            pieces: 0,
            nanos: 0,
            processors: TimeWeighted::new(SimTime::ZERO, 0),
            crashed: false,
            paused: false,
        };
        let mut work = Self(vec![asked; run.model.topology().services.len()]);
        run.model.attach(run.now(), &mut work);
        work
    }

    /// The law for each service of a run at whose end nobody is left, as the standard probe has seen it. With
    /// throughput X, demand D and c processors it says U = X D / c: over the time T of the run, U c T is the
    /// time for which processors were busy, and X D T the sum of all demands.
    pub(crate) fn check(&self, run: &Run, measure: &Measure) {
        for ((service, asked), measured) in run.model.topology().services.iter().zip(&self.0).zip(&measure.services) {
            let name = &service.name;
            let busy = measured.busy().integral(run.now());
            // Whoever left a service without a reply for these causes may have left work undone.
            let mut lost =
                measured.turned_away[Cause::Timeout as usize] + measured.turned_away[Cause::Crashed as usize];
            // So may branches that were left behind at a replica which crashed.
            lost += u64::from(asked.crashed);
            match service.processor {
                // A server that is a thread is held by its visit, whatever that does, so that it is busy
                // for longer than it works: its law is that of its threads.
                ProcessorSpec::Servers(_) if service.server_is_thread => {
                    assert_eq!(busy, measured.held().integral(run.now()), "{name}: a server is a thread");
                    assert!(lost > 0 || busy >= asked.nanos, "{name}: busy for {busy}, asked for {}", asked.nanos);
                }
                ProcessorSpec::Servers(_) | ProcessorSpec::Infinite if asked.paused => {
                    assert!(lost > 0 || busy >= asked.nanos, "{name}: busy for {busy}, asked for {}", asked.nanos);
                }
                ProcessorSpec::Servers(_) | ProcessorSpec::Infinite => {
                    assert!(busy <= asked.nanos, "{name}: busy for {busy}, asked for {}", asked.nanos);
                    if lost == 0 {
                        assert_eq!(busy, asked.nanos, "{name}: busy, asked for");
                        let law = asked.nanos as f64 / asked.processors.integral(run.now()) as f64;
                        assert!(measured.processor_utilisation(run.now()).is_none_or(|u| u == law), "{name}: {law}");
                    }
                }
                // A piece of work ends at the first nanosecond at which it is done, so that it takes less than
                // one more than it should, on at most one core.
                ProcessorSpec::Cores(_) => {
                    let most = asked.nanos + asked.pieces;
                    assert!(asked.paused || busy <= most, "{name}: busy for {busy}, asked for {}", asked.nanos);
                    if lost == 0 {
                        assert_eq!(measured.work_done, asked.nanos, "{name}: work done, asked for");
                        assert!(busy >= asked.nanos, "{name}: busy for {busy}, asked for {}", asked.nanos);
                    }
                }
                // What is used of a host is the law of all that work on it, below; on shared cores each piece of
                // work takes at least as long as alone.
                ProcessorSpec::Hosted { host, .. } => {
                    if lost == 0 {
                        assert!(busy >= asked.nanos, "{name}: at work for {busy}, asked for {}", asked.nanos);
                        if matches!(run.model.topology().hosts[usize::from(host)].processor, ProcessorSpec::Cores(_)) {
                            assert_eq!(measured.work_done, asked.nanos, "{name}: work done, asked for");
                        } else {
                            assert_eq!(busy, asked.nanos, "{name}: busy, asked for");
                        }
                    }
                }
                // Who contends works slower than alone, and never faster.
                ProcessorSpec::Usl { .. } => {
                    assert!(measured.work_done <= asked.nanos, "{name}: more work is done than asked for");
                    if lost == 0 {
                        assert_eq!(measured.work_done, asked.nanos, "{name}: work done, asked for");
                        assert!(busy >= asked.nanos, "{name}: busy for {busy}, asked for {}", asked.nanos);
                    }
                }
            }
        }
        self.check_hosts(run, measure);
    }

    /// The law for each service of each host: servers or cores are used for as long as it asked for.
    fn check_hosts(&self, run: &Run, measure: &Measure) {
        for (spec, measured) in run.model.topology().hosts.iter().zip(&measure.hosts) {
            for (&service, used) in spec.services.iter().zip(&measured.used) {
                let asked = &self.0[usize::from(service)];
                let service = &measure.services[usize::from(service)];
                let used = used.integral(run.now()) as f64 / 1e9;
                let lost = asked.crashed
                    || service.turned_away[Cause::Timeout as usize] + service.turned_away[Cause::Crashed as usize] > 0;
                // A piece of work ends at the first nanosecond at which it is done. What a share is rounded by
                // does not come to a nanosecond on a thousand machines in a second.
                let (least, most) = (asked.nanos as f64 - 1.0, (asked.nanos + asked.pieces) as f64 + 1.0);
                assert!(used <= most, "{}: used for {used}, asked for {}", spec.name, asked.nanos);
                assert!(lost || used >= least, "{}: used for {used}, asked for {}", spec.name, asked.nanos);
            }
        }
    }
}

impl Probe for Work {
    fn event(&mut self, _: SimTime, event: Event) {
        // A replica whose time to drain is over may lose branches that were left behind, too.
        if let Event::Drained { .. } = event {
            self.0.iter_mut().for_each(|asked| asked.crashed = true);
        }
    }

    fn intervened(&mut self, _: SimTime, act: &Act) {
        match act {
            Act::Kill { service, .. } => self.0[usize::from(*service)].crashed = true,
            Act::Inflict { service, fault: Fault::Pause, .. } => self.0[usize::from(*service)].paused = true,
            _ => {}
        }
    }

    fn demand(&mut self, _: SimTime, service: u16, _: Key, demand: SimDuration) {
        let asked = &mut self.0[usize::from(service)];
        asked.pieces += 1;
        asked.nanos += u128::from(demand.as_nanos());
    }

    fn capacity(&mut self, now: SimTime, service: u16, capacity: &Capacity) {
        self.0[usize::from(service)].processors.set(now, capacity.processors.unwrap_or(0));
    }
}
