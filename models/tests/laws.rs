//! Laws that hold for every design, workload and intervention: worlds are made at random and audited
//! event by event.
//!
//! A world is read from a list of dice; all zeros give the smallest world, so that a failure shrinks
//! to a small one, which is printed. Times are of a few hundred nanoseconds and often constant, so that
//! many things happen at one instant.

mod common;

use common::*;
use models::blueprint::{CallPolicy, Processor, Service, Step};
use models::distribution::Distribution;
use models::intervention::Act;
use models::policy::balancer::{ByKey, Popularity, PowerOf};
use models::policy::{Balancer, Drop, Retry};
use models::probe::{Digest, Measure, Window};
use models::snapshot::Snapshot;
use models::system::{Limits, Run, System};
use models::times::Times;
use models::workload::{Arrivals, Client};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sim_core::time::{SimDuration, SimTime};

/// Random choices; 0 once they are used up, and 0 is the simplest choice.
#[derive(Clone)]
struct Dice(std::vec::IntoIter<u16>);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        (u64::from(self.0.next().unwrap_or(0)) * n) >> 16
    }

    /// With a probability of `percent`.
    fn hit(&mut self, percent: u64) -> bool {
        self.below(100) >= 100 - percent
    }
}

/// When arrivals stop and the world is left to run empty, in nanoseconds.
const CALM: u64 = 20_000;
/// When the last request must be over.
const END: u64 = 2_000_000_000;

/// A design, the same with other numbers, and what is done to it.
#[derive(Clone)]
struct World {
    design: Design,
    other: Design,
    acts: Vec<(u64, Act)>,
    /// An instant within the run at which it is forked.
    fork: u64,
    seed: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let acts = self.acts.iter().map(|(at, act)| match act {
            Act::Adopt { .. } => format!("{at}: Adopt"),
            act => format!("{at}: {act:?}"),
        });
        let acts: Vec<_> = acts.collect();
        let rng = config().rng_seed;
        write!(f, "{rng:?} seed {} fork {} acts {acts:?}\n{:?}", self.seed, self.fork, self.design)?;
        let adopts = self.acts.iter().any(|(_, act)| matches!(act, Act::Adopt { .. }));
        if adopts { write!(f, "\nadopts {:?}", self.other) } else { Ok(()) }
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let dice = |n| proptest::collection::vec(any::<u16>(), n..=n);
    (dice(150), dice(200), dice(200), dice(40)).prop_map(|(shape, numbers, others, acts)| {
        let dice = |v: &Vec<u16>| Dice(v.clone().into_iter());
        let design = build(&mut dice(&shape), &mut dice(&numbers));
        let other = build(&mut dice(&shape), &mut dice(&others));
        let mut d = dice(&acts);
        let (seed, fork) = (d.below(1_000), d.below(CALM));
        let services = design.blueprint.services.len() as u64;
        let acts = (0..d.below(7)).map(|_| {
            let service = d.below(services) as u16;
            let act = match d.below(4) {
                0 => Act::Scale { service, to: d.below(5) as u32 },
                1 | 2 => {
                    let replicas = (0..3).filter(|_| d.hit(50)).collect();
                    Act::Kill { service, replicas, refuse: d.hit(50) }
                }
                _ if d.hit(30) => design.adopt(),
                _ => other.adopt(),
            };
            // Often at one instant with another, or with what happens in the world.
            (d.below(CALM / 100) * 100, act)
        });
        let acts = acts.collect();
        World { design, other, acts, fork, seed }
    })
}

/// A design of the shape that some dice say, with the numbers that others say.
fn build(shape: &mut Dice, n: &mut Dice) -> Design {
    let count = 1 + shape.below(5) as usize;
    let mut design = design();
    for id in 0..count {
        design = design.service(&format!("s{id}"), random_service(shape, n, id, count));
    }
    for id in 0..1 + shape.below(3) {
        design = design.client(&format!("c{id}"), random_client(shape, n, count));
    }
    design
}

fn random_service(shape: &mut Dice, n: &mut Dice, id: usize, count: usize) -> Service {
    let some = |n: &mut Dice| 1 + n.below(4) as u32;
    let processor = match shape.below(4) {
        0 => servers(some(n)),
        1 => cores(some(n)),
        2 => Processor::Usl { sigma: (n.below(50) as f64 / 100.0).into(), kappa: (n.below(10) as f64 / 100.0).into() },
        _ => Processor::Infinite,
    };
    let mut service = service(processor, []).replicas(some(n));
    if shape.hit(60) {
        service = service.threads(some(n) * 2);
    }
    if shape.hit(30) {
        service = service.shared();
    } else {
        service = service.balanced(match n.below(6) {
            0 | 1 => Balancer::RoundRobin,
            2 => Balancer::Random,
            3 => Balancer::LeastOutstanding,
            4 => Balancer::PowerOf(PowerOf { choices: 2.into() }),
            _ => Balancer::ByKey(ByKey { keys: 100.into(), popularity: Popularity::Zipf { exponent: 1.0.into() } }),
        });
    }
    if n.hit(40) {
        service = service.cap(n.below(6) as u32);
    }
    service = service.drops(match n.below(4) {
        0 | 1 => Drop::Never,
        2 => Drop::Expired,
        _ => Drop::RemainingBelow(ns(n.below(300)).into()),
    });
    for callee in id..count {
        // Who calls itself and holds a thread meanwhile must give up at some time.
        if shape.hit(70) || callee == id {
            service = service.calling(&format!("s{callee}"), random_policy(shape, n, callee == id));
        }
    }
    let mut steps = Vec::new();
    let own_server = matches!(service.processor, Processor::Servers(_)) && service.threads.is_none();
    let mut with = Steps { id, count, working: true, own_server, replies: true };
    for _ in 0..1 + shape.below(4) {
        steps.push(with.step(shape, n, 0));
    }
    if shape.hit(20) {
        steps.push(maybe(0.3, vec![call(&format!("s{id}.get"))]));
    }
    service.endpoint("get", steps)
}

fn random_policy(shape: &mut Dice, n: &mut Dice, impatient: bool) -> CallPolicy {
    let mut policy = if shape.hit(50) { pooled(1 + n.below(3) as u32) } else { plainly() };
    if n.hit(60) || impatient {
        policy = policy.timeout(1 + n.below(1_500));
    }
    if n.hit(40) {
        policy = policy.cancels();
    }
    if n.hit(30) {
        policy = policy.hedges(1 + n.below(400), 1 + n.below(3) as u32);
    }
    if shape.hit(20) {
        policy =
            policy.breaks(breaker(1 + n.below(2_000), 1 + n.below(4) as u32, 1 + n.below(800), 1 + n.below(2) as u32));
    }
    if shape.hit(20) {
        policy = policy.bulkhead(1 + n.below(4) as u32);
    }
    if policy.timeout.is_some() && n.hit(30) {
        policy = policy.propagates();
    }
    if shape.hit(40) {
        policy = policy.retries(n.below(3) as u32, n.below(5) * 50);
        if n.hit(20) {
            policy.retry = policy.retry.map(|retry| Retry { backoff: decorrelated(n.below(5) * 20, 200), ..retry });
        }
        if shape.hit(30) {
            policy = policy.budget(0.3, 5.0, 2.0);
        }
    }
    policy
}

struct Steps {
    id: usize,
    count: usize,
    working: bool,
    own_server: bool,
    /// Whether a reply may be sent here.
    replies: bool,
}

impl Steps {
    fn steps(&mut self, shape: &mut Dice, n: &mut Dice, depth: u32) -> Vec<Step> {
        (0..shape.below(3)).map(|_| self.step(shape, n, depth)).collect()
    }

    fn step(&mut self, shape: &mut Dice, n: &mut Dice, depth: u32) -> Step {
        let kind = shape.below(if depth < 2 { 16 } else { 8 });
        let further = self.count - self.id - 1;
        match kind {
            4 => Step::Delay(random_time(n)),
            5..=6 if further > 0 => call(&self.callee(shape)),
            7 if further > 0 => send(&self.callee(shape)),
            8 => maybe(n.below(101) as f64 / 100.0, self.steps(shape, n, depth + 1)),
            9 => {
                let p = n.below(101) as f64 / 100.0;
                Step::Branch(vec![
                    (p.into(), self.steps(shape, n, depth + 1)),
                    ((1.0 - p).into(), self.steps(shape, n, depth + 1)),
                ])
            }
            10..=11 => {
                let outside = std::mem::replace(&mut self.working, !self.own_server);
                let inside = std::mem::replace(&mut self.replies, false);
                let step = Step::Parallel((0..1 + shape.below(3)).map(|_| self.steps(shape, n, depth + 1)).collect());
                (self.working, self.replies) = (outside, inside);
                step
            }
            12 => {
                let outside = std::mem::replace(&mut self.working, !self.own_server);
                let inside = std::mem::replace(&mut self.replies, false);
                let of: Vec<_> = (0..1 + shape.below(3)).map(|_| self.steps(shape, n, depth + 1)).collect();
                (self.working, self.replies) = (outside, inside);
                quorum(1 + n.below(of.len() as u64) as u32, of)
            }
            13 => {
                let times = match shape.below(3) {
                    0 => Times::Fixed((shape.below(4) as u32).into()),
                    1 => Times::Geometric((0.3 * shape.below(3) as f64).into()),
                    _ => Times::Poisson((0.5 * shape.below(3) as f64).into()),
                };
                repeat(times, self.steps(shape, n, 2))
            }
            14 => fail(n.below(50) as f64 / 100.0),
            15 if self.replies => Step::Reply,
            _ if self.working => Step::Work(random_time(n)),
            _ => Step::Delay(random_time(n)),
        }
    }

    fn callee(&self, shape: &mut Dice) -> String {
        let further = self.count - self.id - 1;
        format!("s{}.get", self.id + 1 + shape.below(further as u64) as usize)
    }
}

fn random_time(n: &mut Dice) -> Distribution {
    match n.below(4) {
        0 => exactly(n.below(5) * 100),
        1 => exactly(n.below(200)),
        2 => exponential(1e-9 * (1 + n.below(300)) as f64),
        _ => Distribution::Uniform { low: ns(0).into(), high: ns(1 + n.below(20)).into() },
    }
}

fn random_client(shape: &mut Dice, n: &mut Dice, count: usize) -> Client {
    let arrivals = match shape.below(3) {
        0 => at((0..3 + shape.below(40)).map(|_| shape.below(40) * 100).collect::<Vec<_>>()),
        1 => poisson(1e6 * (1 + n.below(8)) as f64),
        _ => closed(1 + shape.below(6) as u32, exactly(1 + n.below(500))),
    };
    let mut client = client(arrivals, &format!("s{}.get", shape.below(count as u64)));
    if shape.hit(30) {
        client.mix.insert(format!("s{}.get", shape.below(count as u64)), 2.0.into());
    }
    if n.hit(60) {
        client = client.timeout(1 + n.below(2_000));
    }
    if n.hit(40) {
        client = client.cancels();
    }
    if n.hit(30) {
        client = client.hedges(1 + n.below(400), 1 + n.below(3) as u32);
    }
    if shape.hit(20) {
        client =
            client.breaks(breaker(1 + n.below(2_000), 1 + n.below(4) as u32, 1 + n.below(800), 1 + n.below(2) as u32));
    }
    if shape.hit(20) {
        client = client.bulkhead(1 + n.below(4) as u32);
    }
    if client.timeout.is_some() && n.hit(30) {
        client = client.propagates();
    }
    if shape.hit(50) {
        client = client.retries(n.below(3) as u32, n.below(5) * 100);
        if shape.hit(30) {
            client = client.budget(0.2, 10.0, 3.0);
        }
    }
    client
}

/// Nobody comes any more, and whoever thinks goes on thinking; every service has a replica.
fn calm(design: &Design, at: u64) -> Vec<(u64, Act)> {
    let quiet = design.but(|d| {
        for client in d.workload.clients.values_mut() {
            match &mut client.arrivals {
                Arrivals::Closed { think, .. } => *think = exactly(1_000 * END),
                Arrivals::Poisson(rate) => *rate = models::workload::Rate::Constant(0.0.into()),
                Arrivals::Trace(_) => {}
            }
        }
    });
    let services = 0..design.blueprint.services.len() as u16;
    let up = services.map(|service| (at, Act::Scale { service, to: 1 + u32::from(service % 2) }));
    std::iter::once((at, quiet.adopt())).chain(up).collect()
}

impl World {
    fn all_acts(&self) -> Vec<(u64, Act)> {
        [self.acts.clone(), calm(&self.design, CALM)].concat()
    }

    fn run(&self, acts: Vec<(u64, Act)>) -> Run {
        let limits = Limits { state_bytes: 20_000_000, consequences: 1_000_000 };
        System::run(self.design.topology(), timeline(acts), self.seed, 0, limits)
    }
}

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

/// More events than any of these worlds needs, unless its requests multiply.
const MANY: u64 = 300_000;

/// Runs to the end or to [`MANY`] events; whether the end was reached.
fn finish<P: models::probe::Probe>(run: &mut Run, probe: &mut P) -> bool {
    while run.events() < MANY {
        let next = run.agenda.next_time();
        if next.is_none_or(|t| t > instant(END)) {
            return run.run_until(instant(END), probe).is_ok();
        }
        if run.step(probe).is_err() {
            return false;
        }
    }
    false
}

/// The same worlds every time, unless told otherwise: `PROPTEST_CASES=20000 PROPTEST_RNG_SEED=7`.
fn config() -> ProptestConfig {
    let told = ProptestConfig::default();
    let rng_seed = match told.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig { rng_seed, failure_persistence: None, max_shrink_iters: 20_000, ..told }
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
        events[0].assert_same(&events[1], "child and parent");
        events[0].assert_same(&events[2], "child and grandchild");
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
            scheduled.0.1.assert_same(&live.0.1, "scheduled and live");
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
        let known = |c: &models::probe::ClientMeasure| c.done + c.failed.iter().sum::<u64>();
        prop_assert_eq!(m.requests().arrived, known(&m.requests()), "all that came is over");
        prop_assert_eq!(m.requests().responses.count(), m.requests().done);
        prop_assert_eq!(m.clients.iter().map(known).sum::<u64>(), known(&m.requests()));
        prop_assert_eq!((m.windows[0].arrived, m.windows[0].done), (m.requests().arrived, m.requests().done));
        prop_assert_eq!(m.in_flight.level(), 0);
        for s in &m.services {
            prop_assert_eq!((s.in_system.level().level(), s.busy.level()), (0, 0));
            prop_assert!(s.pools.iter().all(|p| p.used.level() == 0));
        }
    }

    /// A service that nobody calls changes nothing for the others, wherever it stands.
    #[test]
    fn an_unused_service_changes_nothing(world in worlds(), first in any::<bool>()) {
        let mut outcomes = [(); 2].map(|()| Outcomes::default());
        let mut run = world.run(world.all_acts());
        prop_assume!(finish(&mut run, &mut outcomes[0]));

        let more = |design: &Design| design.but(|d| {
            let unused = service(cores(2), [work(5), call("s0.get")]).replicas(3).calling("s0", pooled(2));
            let at = if first { 0 } else { d.blueprint.services.len() };
            d.blueprint.services.shift_insert(at, "unused".to_owned(), unused);
        });
        let original = world.design.topology();
        let moved = |act: &Act| match act {
            Act::Scale { service, to } => Act::Scale { service: service + u16::from(first), to: *to },
            Act::Kill { service, replicas, refuse } => {
                Act::Kill { service: service + u16::from(first), replicas: replicas.clone(), refuse: *refuse }
            }
            // One of three designs; each is known by the rates and sizes it has.
            Act::Adopt { topology } if format!("{topology:?}") == format!("{original:?}") => more(&world.design).adopt(),
            Act::Adopt { .. } => more(&world.other).adopt(),
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
