//! Laws that hold for every design, workload and intervention: worlds are made at random and audited
//! event by event.

mod causes;
#[path = "../common/mod.rs"]
mod common;
mod golden;
mod variants;
mod work;
mod worlds;

use causes::{Causes, Order};
use common::*;
use models::intervention::Act;
use models::probe::{Digest, Events, Measure, Window};
use models::snapshot::Snapshot;
use models::system::System;
use proptest::prelude::*;
use sim_core::time::{SimDuration, SimTime};
use work::Work;
use worlds::*;

/// How far above their limits threads and connections are, in all.
fn excess(snapshot: &Snapshot, threads: &[u32]) -> (u32, u32) {
    let (mut held, mut used) = (0, 0);
    for (service, threads) in snapshot.services.iter().zip(threads) {
        for r in &service.replicas {
            held += r.held.saturating_sub(*threads);
            used += r.pools.iter().map(|p| p.used.saturating_sub(p.size)).sum::<u32>();
        }
    }
    (held, used)
}

/// The same act on the service so many places further down.
fn shifted(act: &Act, by: u16) -> Act {
    let mut act = act.clone();
    match &mut act {
        Act::Scale { service, .. }
        | Act::Flush { service }
        | Act::Kill { service, .. }
        | Act::Inflict { service, .. }
        | Act::Heal { service, .. } => *service += by,
        Act::Herd { .. } | Act::Adopt { .. } => {}
    }
    act
}

/// Two runs are the same, or the first event that differs is named.
fn same(one: &Events, other: &Events, which: &str) -> Result<(), TestCaseError> {
    match one.first_difference(other) {
        None => Ok(()),
        Some(difference) => Err(TestCaseError::fail(format!("{which}: {difference}"))),
    }
}

proptest! {
    #![proptest_config(config())]

    /// At every instant arrived = done + failed + in flight, and at each service arrived = ended +
    /// turned away + present; never is more held or in use than there is, except after a limit was
    /// lowered, and then ever less; when all is over, everything is back at zero and Little's law holds
    /// to the nanosecond.
    #[test]
    fn nothing_is_lost_and_nothing_is_left(world in worlds()) {
        let mut run = world.run(world.all_acts());
        let mut audit = Audit::of(&run);
        let mut before = (0, 0);
        while run.agenda.next_time().is_some_and(|t| t <= instant(END)) {
            let applied = run.model.applied();
            let Ok(Some(_)) = run.step(&mut audit) else { return Err(TestCaseError::reject("requests multiply")) };
            prop_assume!(run.events() < MANY);
            let threads: Vec<_> = run.model.topology().services.iter().map(|s| s.threads).collect();
            let snapshot = run.model.snapshot(run.now());
            let after = excess(&snapshot, &threads);
            if run.model.applied() == applied {
                prop_assert!(after.0 <= before.0, "{} more requests held than threads", after.0);
                prop_assert!(after.1 <= before.1, "{} more connections in use than there are", after.1);
            }
            before = after;
            audit.check(&run);
        }
        run.run_until(instant(END), &mut audit).unwrap();
        audit.check_drained(&run);
    }

    /// Facts come in the order of time, each after what it follows from.
    #[test]
    fn nothing_happens_before_its_cause(world in worlds()) {
        let mut run = world.run(world.all_acts());
        let mut causes = Causes::of(&run);
        prop_assume!(finish(&mut run, &mut causes));
    }

    /// A queue is first come, first served, whoever gives up, is cancelled, dropped or crashes meanwhile.
    #[test]
    fn a_queue_lets_go_in_the_order_of_arrival(world in worlds()) {
        let mut run = world.run(world.all_acts());
        let mut order = Order::of(&run);
        prop_assume!(finish(&mut run, &mut order));
        order.check();
    }

    /// Utilisation is throughput times demand over capacity.
    #[test]
    fn processors_are_busy_for_as_long_as_is_asked_of_them(world in worlds()) {
        let mut run = world.run(world.all_acts());
        let measure = Measure::attach(&run, SimDuration::from_secs(1), vec![], false);
        let mut probe = (Work::of(&run), measure);
        prop_assume!(finish(&mut run, &mut probe));
        probe.0.check(&run, &probe.1);
    }

    /// A clone goes through the same events as its parent, whichever runs first.
    #[test]
    fn an_untouched_clone_equals_its_parent(world in worlds()) {
        let mut parent = world.run(world.all_acts());
        prop_assume!(parent.run_until(instant(world.fork), &mut ()).is_ok());
        let (mut child, mut grandchild) = (parent.clone(), parent.clone().clone());
        let mut events = [(); 3].map(|()| Events::default());
        prop_assume!(finish(&mut child, &mut events[0]));
        prop_assert!(finish(&mut parent, &mut events[1]));
        prop_assert!(finish(&mut grandchild, &mut events[2]));
        same(&events[0], &events[1], "child and parent")?;
        same(&events[0], &events[2], "child and grandchild")?;
        prop_assert_eq!(child.events(), parent.events());
        prop_assert_eq!(child.model.counts(), parent.model.counts());
    }

    /// A run forked before t, and intervened in at t, is the run in which that was scheduled from the
    /// start.
    #[test]
    fn a_fork_equals_the_run_that_had_its_acts_scheduled(world in worlds()) {
        let acts = world.all_acts();
        for t in [acts[0].0, world.fork] {
            let mut whole = world.run(acts.clone());
            let mut scheduled = ((Digest::default(), Events::default()), Outcomes::default());
            prop_assume!(finish(&mut whole, &mut scheduled));

            let earlier = acts.iter().filter(|(at, _)| *at < t).cloned().collect();
            let mut parent = world.run(earlier);
            let mut live = ((Digest::default(), Events::default()), Outcomes::default());
            parent.run_before(instant(t), &mut live).unwrap();
            let mut child = parent.clone();
            System::set_timeline(&mut child, timeline(acts.clone()));
            prop_assert!(finish(&mut child, &mut live));
            same(&scheduled.0.1, &live.0.1, "scheduled and live")?;
            prop_assert_eq!(scheduled.0.0, live.0.0, "the digest is of the events alone");
            prop_assert_eq!(scheduled.1, live.1);
            prop_assert_eq!(whole.model.counts(), child.model.counts());
        }
    }

    /// Nobody's looking changes anything, wherever they start to look.
    #[test]
    fn watching_changes_nothing(world in worlds()) {
        let mut alone = world.run(world.all_acts());
        let mut digest = Digest::default();
        prop_assume!(finish(&mut alone, &mut digest));

        let mut watched = world.run(world.all_acts());
        let mut first = Digest::default();
        watched.run_until(instant(world.fork), &mut first).unwrap();
        let window = Window { name: "all".to_owned(), from: SimTime::ZERO, to: SimTime::MAX };
        let measure = Measure::attach(&watched, SimDuration::from_secs(1), vec![window], true);
        let mut probe = (first, (measure, Log::of(&watched)));
        prop_assert!(finish(&mut watched, &mut probe));
        prop_assert_eq!(digest, probe.0);
        prop_assert_eq!(alone.events(), watched.events());
        // What the standard probe says agrees with itself.
        let m = &probe.1.0;
        let known = |c: &models::probe::ClientMeasure| c.done() + c.failed.iter().sum::<u64>();
        prop_assert_eq!(m.requests().arrived, known(&m.requests()), "all that came is over");
        prop_assert_eq!(m.requests().responses.count(), m.requests().done());
        prop_assert_eq!(m.clients.iter().map(known).sum::<u64>(), known(&m.requests()));
        prop_assert_eq!((m.windows[0].arrived, m.windows[0].done), (m.requests().arrived, m.requests().done()));
        prop_assert_eq!(m.in_flight.level(), 0);
        for s in &m.services {
            prop_assert_eq!((s.in_system().level(), s.busy().level()), (0, 0));
            prop_assert!(s.pools.iter().all(|p| p.used.level() == 0));
        }
    }

    /// A service that nobody calls changes nothing for the others, wherever it stands.
    #[test]
    fn an_unused_service_changes_nothing(world in worlds(), first in any::<bool>()) {
        let mut outcomes = [(); 2].map(|()| Outcomes::default());
        let mut run = world.run(world.all_acts());
        prop_assume!(finish(&mut run, &mut outcomes[0]));

        let original = world.design.topology();
        let more = |design: &Design| design.but(|d| {
            let processor = if first { on("near", 2.0) } else { cores(2) };
            let unused = service(processor, [work(5), call("s0.get")]).replicas(3).calling("s0", pooled(2));
            let at = if first { 0 } else { d.blueprint.services.len() };
            d.blueprint.services.shift_insert(at, "unused".to_owned(), unused);
            for recurring in &mut d.recurring {
                recurring.service = recurring.service.map(|service| service + u16::from(first));
                recurring.acts.iter_mut().for_each(|act| *act = shifted(act, u16::from(first)));
            }
        });
        let moved = |act: &Act| match act {
            // One of three designs; each is known by the rates and sizes it has.
            Act::Adopt { topology } if format!("{topology:?}") == format!("{original:?}") => more(&world.design).adopt(),
            Act::Adopt { .. } => more(&world.other).adopt(),
            act => shifted(act, u16::from(first)),
        };
        let mut acts: Vec<_> = world.acts.iter().map(|(at, act)| (*at, moved(act))).collect();
        let quiet = calm(&more(&world.design), CALM);
        // The last acts, but with as many replicas as before.
        acts.push(quiet[0].clone());
        acts.extend(calm(&world.design, CALM)[1..].iter().map(|(at, act)| (*at, moved(act))));
        let more = World { design: more(&world.design), ..world.clone() };
        let mut run = more.run(acts);
        prop_assert!(finish(&mut run, &mut outcomes[1]));
        let [without, with] = &outcomes;
        for (key, outcome) in &without.0 {
            prop_assert_eq!(with.0.get(key), Some(outcome), "request {}", key);
        }
        prop_assert_eq!(without.0.len(), with.0.len());
    }
}
