//! Do the random worlds come upon everything there is?

use crate::common::Design;
use crate::worlds::{END, config, finish, worlds};
use models::blueprint::{CallPolicy, Layout, Processor, Step};
use models::distribution::Distribution;
use models::fault::Which;
use models::intervention::Act;
use models::policy::{Admission, Backoff, Balancer, Deadline, Discipline, Drop, Eviction, Popularity, Refresh, Retry};
use models::probe::{Cause, Probe};
use models::times::Times;
use models::workload::{Arrivals, Balking, Count, Rate};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sim_core::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// A family and the name of one of its variants.
type Variant = (&'static str, String);

/// The variants that occur in a world.
#[derive(Default)]
pub(crate) struct Variants(BTreeSet<Variant>);

impl Variants {
    /// Every variant there is.
    pub(crate) fn all() -> BTreeSet<Variant> {
        let families = [
            ("Processor", Processor::ALL),
            ("Layout", Layout::ALL),
            ("Drop", Drop::ALL),
            ("Balancer", Balancer::ALL),
            ("Popularity", Popularity::ALL),
            ("Step", Step::ALL),
            ("Distribution", Distribution::ALL),
            ("Discipline", Discipline::ALL),
            ("Admission", Admission::ALL),
            ("Balking", Balking::ALL),
            ("Count", Count::ALL),
            ("Deadline", Deadline::ALL),
            ("Eviction", Eviction::ALL),
            ("Refresh", Refresh::ALL),
            ("Times", Times::ALL),
            ("Backoff", Backoff::ALL),
            ("Arrivals", Arrivals::ALL),
            ("Rate", Rate::ALL),
            ("Which", Which::WAYS),
        ];
        let others: [(_, &[&str]); 3] = [
            ("Act", &["Scale", "Kill", "Inflict", "Heal", "Herd", "Flush", "Adopt"]),
            ("Fault", &["Pause", "Slow", "Fail"]),
            ("Jitter", &["None", "Full", "Equal"]),
        ];
        let families =
            families.iter().flat_map(|(family, all)| all.iter().map(|entry| (*family, entry.name.to_owned())));
        // Rates of hours and years are drawn from as these are: they differ in their curves alone.
        const LONG: [&str; 7] = ["Diurnal", "Weekly", "Growth", "FlashCrowd", "Sum", "Product", "Scaled"];
        let families = families.filter(|(family, name)| *family != "Rate" || !LONG.contains(&name.as_str()));
        let others = others.iter().flat_map(|(family, all)| all.iter().map(|name| (*family, (*name).to_owned())));
        families.chain(others).chain(Cause::ALL.map(|cause| ("Cause", format!("{cause:?}")))).collect()
    }

    /// What a design and the acts on it are made of. What becomes of it, it learns as a probe.
    pub(crate) fn of(design: &Design, acts: &[(u64, Act)]) -> Self {
        let mut variants = Self::default();
        variants.add_all(design);
        acts.iter().for_each(|(_, act)| variants.add_act(act));
        design.recurring.iter().flat_map(|recurring| &recurring.acts).for_each(|act| variants.add_act(act));
        variants
    }

    /// A variant's name stands first in what its `Debug` prints.
    fn add(&mut self, family: &'static str, variant: &impl Debug) {
        let text = format!("{variant:?}");
        let name = text.split(|c: char| !c.is_alphanumeric()).next().expect("a name");
        self.0.insert((family, name.to_owned()));
    }

    fn add_act(&mut self, act: &Act) {
        self.add("Act", act);
        if let Act::Inflict { of, fault, .. } = act {
            self.add("Fault", fault);
            self.add("Which", of);
        }
    }

    fn add_all(&mut self, design: &Design) {
        for service in design.blueprint.services.values() {
            self.add("Processor", &service.processor);
            self.add("Admission", &service.admission);
            self.add("Layout", &service.queue.layout);
            self.add("Discipline", &service.queue.discipline);
            self.add("Drop", &service.queue.drop);
            self.add("Balancer", &service.balancer);
            if let Balancer::ByKey(by_key) = &service.balancer {
                self.add("Popularity", &by_key.popularity);
            }
            for cache in service.caches.values() {
                self.add("Eviction", &cache.eviction);
                self.add("Refresh", &cache.refresh);
                self.add("Popularity", &cache.popularity);
            }
            for CallPolicy { retry, deadline, .. } in service.calls.values() {
                self.add("Deadline", deadline);
                self.add_retry(retry.as_ref());
            }
            service.endpoints.values().for_each(|steps| self.add_steps(steps));
        }
        for client in design.workload.clients.values() {
            self.add("Arrivals", &client.arrivals);
            match &client.arrivals {
                Arrivals::Poisson(rate) => self.add("Rate", rate),
                Arrivals::Renewal(time) | Arrivals::Closed { think: time, .. } => self.add("Distribution", time),
                Arrivals::Batch(batch) => {
                    self.add("Rate", &batch.rate);
                    self.add("Count", &batch.size);
                }
                Arrivals::Sessions(sessions) => {
                    self.add("Rate", &sessions.rate);
                    self.add("Count", &sessions.requests);
                }
                Arrivals::Mmpp(_) | Arrivals::Trace(_) => {}
            }
            self.add("Balking", &client.balking);
            self.add("Deadline", &client.deadline);
            self.add_retry(client.retry.as_ref());
        }
    }

    fn add_retry(&mut self, retry: Option<&Retry>) {
        let Some(retry) = retry else { return };
        self.add("Backoff", &retry.backoff);
        match &retry.backoff {
            Backoff::Constant(_) | Backoff::Decorrelated(_) => {}
            Backoff::Drawn(wait) => self.add("Distribution", wait),
            Backoff::Exponential(exponential) => self.add("Jitter", &exponential.jitter),
        }
    }

    fn add_steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.add("Step", step);
            match step {
                Step::Work(time) | Step::Delay(time) => self.add("Distribution", time),
                Step::Call(_) | Step::Send(_) | Step::Reply | Step::Fail(_) => {}
                Step::Repeat(times, steps) => {
                    self.add("Times", times);
                    self.add_steps(steps);
                }
                Step::Parallel(branches) | Step::Quorum { of: branches, .. } => {
                    branches.iter().for_each(|branch| self.add_steps(branch))
                }
                Step::Branch(branches) => branches.iter().for_each(|(_, branch)| self.add_steps(branch)),
                Step::Maybe(_, steps) | Step::Lookup { miss: steps, .. } => self.add_steps(steps),
            }
        }
    }
}

impl Probe for Variants {
    fn attempt_failed(&mut self, _: SimTime, _: u16, cause: Cause) {
        self.add("Cause", &cause);
    }
}

/// A law is tested on 256 worlds, where what occurs in one of thirty is missed with a probability of
/// 0.0002. Most variants occur far more often.
#[test]
fn every_variant_is_in_one_of_thirty_worlds_at_least() {
    const WORLDS: usize = 600;
    let mut runner = TestRunner::new(config());
    let mut counts: BTreeMap<Variant, usize> = BTreeMap::new();
    let mut over = 0;
    for _ in 0..WORLDS {
        let world = worlds().new_tree(&mut runner).expect("a world").current();
        let mut variants = Variants::of(&world.design, &world.acts);
        over += usize::from(finish(&mut world.run(world.all_acts()), &mut variants));
        variants.0.into_iter().for_each(|variant| *counts.entry(variant).or_default() += 1);
    }
    assert!(over * 10 > WORLDS * 9, "{over} of {WORLDS} worlds are over before {END} ns and many events");
    for variant in Variants::all() {
        let count = counts.get(&variant).copied().unwrap_or(0);
        assert!(count * 30 >= WORLDS, "{variant:?} is in {count} of {WORLDS} worlds");
    }
}
