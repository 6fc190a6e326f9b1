//! Against theory: what queueing theory knows exactly, the simulator must find.
//!
//! Each case runs ten or more independent replications with fixed seeds. Two bounds together prove
//! the point: the mean lies within five standard errors of the exact value (by Student's t with 9
//! degrees of freedom a correct simulator fails once in 1300), and the standard error itself is below
//! a stated share of the value, so that a bias of five such shares would be seen. Exact numbers are
//! formulas where they are short; the others come from independent numerics, to six digits.

mod common;

use common::*;
use models::blueprint::{Processor, Service, Step};
use models::distribution::Distribution;
use models::policy::balancer::PowerOf;
use models::policy::{Backoff, Balancer, Discipline, Drop};
use models::probe::{Cause, Measure, Probe, ServiceMeasure};
use models::system::Run;
use models::workload::rate::Ramp;
use models::workload::{Arrivals, Rate};
use sim_core::stats::Moments;
use sim_core::time::{SimDuration, SimTime};

/// What replications say of several figures.
struct Found {
    figures: Vec<(&'static str, Vec<f64>)>,
}

impl Found {
    /// The figure has this exact value, as far as a standard error below `share` of it can tell.
    fn is(&self, name: &str, exact: f64, share: f64) -> &Self {
        let (_, values) = self.figures.iter().find(|f| f.0 == name).expect("a figure that was taken");
        let moments: Moments = values.iter().copied().collect();
        let mean = moments.mean().expect("several replications");
        let error = (moments.variance().expect("several replications") / values.len() as f64).sqrt();
        assert!(error < share * exact, "{name}: {mean} has a standard error of {error}, too much to tell from {exact}");
        assert!((mean - exact).abs() < 5.0 * error, "{name}: {mean} with a standard error of {error}, not {exact}");
        self
    }

    fn mean(&self, name: &str) -> f64 {
        let (_, values) = self.figures.iter().find(|f| f.0 == name).expect("a figure that was taken");
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// Ten replications of `length` seconds each, after a tenth of it to warm up.
fn ten(design: &Design, length: f64, take: impl Fn(&Run, &Measure) -> Vec<(&'static str, f64)>) -> Found {
    replications(10, design, length, take)
}

fn replications(
    n: u64,
    design: &Design,
    length: f64,
    take: impl Fn(&Run, &Measure) -> Vec<(&'static str, f64)>,
) -> Found {
    let mut found = Found { figures: vec![] };
    for replication in 0..n {
        let (run, measure) = design.measure(replication, length / 10.0, length * 1.1);
        for (i, (name, value)) in take(&run, &measure).into_iter().enumerate() {
            if replication == 0 {
                found.figures.push((name, vec![]));
            }
            found.figures[i].1.push(value);
        }
    }
    found
}

/// A service `web`, and Poisson arrivals there.
fn open(rate: f64, web: Service) -> Design {
    design().service("web", web).client("users", client(poisson(rate), "web.get"))
}

fn works(mean: f64) -> Step {
    Step::Work(exponential(mean))
}

fn response(m: &Measure) -> f64 {
    m.requests().responses.mean_secs().unwrap()
}

fn p99(m: &Measure) -> f64 {
    m.requests().responses.quantile(0.99).unwrap().as_secs_f64()
}

fn wait(s: &ServiceMeasure) -> f64 {
    s.waits.mean_secs().unwrap()
}

fn waited(s: &ServiceMeasure) -> f64 {
    s.waited() as f64 / s.admitted() as f64
}

/// The share of time at each number in system.
fn levels(run: &Run, s: &ServiceMeasure) -> Vec<f64> {
    let nanos = s.level_nanos(run.now()).unwrap();
    let total: u128 = nanos.iter().sum();
    nanos.iter().map(|&n| n as f64 / total as f64).collect()
}

/// P(wait) in M/M/c with `a` erlangs offered (Erlang C).
fn erlang_c(servers: u32, a: f64) -> f64 {
    let b = erlang_b(servers, a);
    let c = f64::from(servers);
    b / (1.0 - a / c * (1.0 - b))
}

/// P(blocked) in M/G/c/c with `a` erlangs offered (Erlang B), by its recursion.
fn erlang_b(servers: u32, a: f64) -> f64 {
    (1..=servers).fold(1.0, |b, n| a * b / (f64::from(n) + a * b))
}

// ---- one service, first come first served

#[test]
fn one_server_with_exponential_work() {
    // M/M/1 at rho = 0.8: L = rho/(1-rho), W = L/lambda, var N = rho/(1-rho)^2, response exponential.
    ten(&open(0.8, service(servers(1), [works(1.0)])), 300_000.0, |run, m| {
        let s = &m.services[0];
        vec![
            ("response", response(m)),
            ("wait", wait(s)),
            ("in system", s.in_system().mean(run.now()).unwrap()),
            ("variance", s.in_system_variance(run.now()).unwrap()),
            ("waiting", s.waiting().mean(run.now()).unwrap()),
            ("waited", waited(s)),
            ("utilisation", s.processor_utilisation(run.now()).unwrap()),
            ("p99", p99(m)),
            ("empty", levels(run, s)[0]),
            ("in flight", m.in_flight.mean(run.now()).unwrap()),
        ]
    })
    .is("response", 5.0, 0.01)
    .is("wait", 4.0, 0.01)
    .is("in system", 4.0, 0.01)
    .is("variance", 20.0, 0.03)
    .is("waiting", 3.2, 0.015)
    .is("waited", 0.8, 0.002)
    .is("utilisation", 0.8, 0.002)
    .is("p99", 5.0 * libm::log(100.0), 0.015)
    .is("empty", 0.2, 0.005)
    .is("in flight", 4.0, 0.01);
}

#[test]
fn several_servers_with_exponential_work() {
    // M/M/c: P(wait) is Erlang C, and the mean wait is P(wait)/(c mu - lambda). One replica with c servers,
    // c replicas with one queue and one server each, and c threads of no processor are all the same.
    for (c, rate) in [(2, 1.6), (10, 8.5)] {
        let p = erlang_c(c, rate);
        let kinds = [
            service(servers(c), [works(1.0)]),
            service(servers(1), [works(1.0)]).replicas(c).shared(),
            service(Processor::Infinite, [works(1.0)]).threads(c),
        ];
        for kind in kinds {
            ten(&open(rate, kind), 60_000.0, |run, m| {
                let s = &m.services[0];
                vec![("waited", waited(s)), ("wait", wait(s)), ("in system", s.in_system().mean(run.now()).unwrap())]
            })
            .is("waited", p, 0.01)
            .is("wait", p / (f64::from(c) - rate), 0.02)
            .is("in system", rate + rate * p / (f64::from(c) - rate), 0.01);
        }
    }
}

#[test]
fn a_bounded_queue_rejects_what_it_must() {
    // M/M/4/20 in overload: cap 16 waiting besides the 4 held.
    let take = |run: &Run, m: &Measure| {
        let s = &m.services[0];
        vec![
            ("rejected", s.turned_away[Cause::Rejected as usize] as f64 / s.arrived as f64),
            ("failed", 1.0 - m.requests().availability().unwrap()),
            ("in system", s.in_system().mean(run.now()).unwrap()),
            ("response", response(m)),
        ]
    };
    ten(&open(50.0, service(servers(4), [works(0.1)]).cap(16)), 4_000.0, take)
        .is("rejected", 0.202843, 0.01)
        .is("failed", 0.202843, 0.01)
        .is("in system", 16.270549, 0.005)
        .is("response", 0.408214, 0.005);
    // Without any place to wait, only the mean of the work matters (Erlang B).
    let lognormal = Distribution::LogNormal { mean: secs(1.0).into(), cv: 2.0.into() };
    for work in [exponential(1.0), Distribution::Constant(secs(1.0).into()), lognormal] {
        let found = ten(&open(8.0, service(servers(10), [Step::Work(work)]).cap(0)), 30_000.0, take);
        found.is("rejected", erlang_b(10, 8.0), 0.01).is("in system", 8.0 * (1.0 - erlang_b(10, 8.0)), 0.005);
    }
}

#[test]
fn one_server_with_any_work() {
    // M/G/1 (Pollaczek and Khinchine): mean wait lambda E[S^2] / (2(1-rho)), here at rho 0.7 or 0.8.
    let hit_or_miss =
        Distribution::Hyperexponential(vec![(0.9.into(), secs(0.5).into()), (0.1.into(), secs(5.5).into())]);
    let cases = [
        (Distribution::Constant(secs(1.0).into()), 0.8, 1.0),
        (Distribution::LogNormal { mean: secs(1.0).into(), cv: 1.0.into() }, 0.7, 2.0),
        (Distribution::Erlang { stages: 4.into(), mean: secs(1.0).into() }, 0.8, 1.25),
        (Distribution::Uniform { low: secs(0.0).into(), high: secs(2.0).into() }, 0.8, 4.0 / 3.0),
        (hit_or_miss, 0.7, 6.5),
    ];
    for (work, rate, second_moment) in cases {
        ten(&open(rate, service(servers(1), [Step::Work(work)])), 150_000.0, |_, m| {
            vec![("wait", wait(&m.services[0])), ("waited", waited(&m.services[0]))]
        })
        .is("wait", rate * second_moment / (2.0 * (1.0 - rate)), 0.02)
        .is("waited", rate, 0.005);
    }
}

#[test]
fn requests_that_expire_in_the_queue_never_start() {
    // M/M/1+D: waiting for longer than D = 1 means never to be served. With `Expired` the dropped stay in
    // the queue until their turn, which under one timeout for all holds up nobody.
    let d = open(9.0, service(servers(1), [works(0.1)]).drops(Drop::Expired));
    let d = d.but(|d| *d.from("users") = d.from("users").clone().timeout(1_000_000_000));
    ten(&d, 30_000.0, |run, m| {
        let s = &m.services[0];
        let dropped = s.turned_away[Cause::Dropped as usize] as f64 / s.arrived as f64;
        vec![("dropped", dropped), ("utilisation", s.processor_utilisation(run.now()).unwrap()), ("wait", wait(s))]
    })
    .is("dropped", 0.047163, 0.02)
    .is("utilisation", 0.857553, 0.005)
    .is("wait", 0.35553, 0.01);
}

#[test]
fn who_is_turned_away_and_tries_again_meets_a_busy_server() {
    // M/M/1/1 with classical retrials (Falin and Templeton 1997): a blocked client comes back after an
    // exponential time of mean 2; 4.9 are away at a time. A hundred repeats are as good as any number.
    let mut d = open(0.7, service(servers(1), [works(1.0)]).cap(0));
    let mut again = retry(100, 0);
    again.backoff = Backoff::Drawn(exponential(2.0));
    d.from("users").retry = Some(again);
    ten(&d, 100_000.0, |run, m| {
        let s = &m.services[0];
        let away = m.in_flight.mean(run.now()).unwrap() - s.held().mean(run.now()).unwrap();
        vec![("away", away), ("utilisation", s.processor_utilisation(run.now()).unwrap())]
    })
    .is("away", 4.9, 0.02)
    .is("utilisation", 0.7, 0.005);
}

// ---- disciplines and impatience

#[test]
fn the_newest_first_changes_the_spread_of_waiting_and_not_its_mean() {
    // M/M/1 at 0.5: E[W] = 1 and E[W^2] = 4 in turn; E[W^2] / (1 - rho) with the last first (Takacs 1963).
    for (discipline, second) in [(Discipline::Fifo, 4.0), (Discipline::Lifo, 8.0)] {
        let d = open(0.5, service(servers(1), [works(1.0)]).discipline(discipline));
        let mut found = Found { figures: vec![("wait", vec![]), ("second", vec![])] };
        for replication in 0..10 {
            let mut run = d.seeded(1, replication, vec![]);
            run.run_until(SimTime::from_secs(2_000), &mut ()).expect("no limit is hit");
            let mut waits = Waits(Moments::new(), Moments::new());
            run.run_until(SimTime::from_secs(402_000), &mut waits).expect("no limit is hit");
            found.figures[0].1.push(waits.0.mean().unwrap());
            found.figures[1].1.push(waits.1.mean().unwrap());
        }
        found.is("wait", 1.0, 0.01).is("second", second, 0.03);
    }
}

/// Times in the queue and their squares.
struct Waits(Moments, Moments);

impl Probe for Waits {
    fn admitted(&mut self, _: SimTime, _: u16, waited: SimDuration) {
        let waited = waited.as_secs_f64();
        self.0.push(waited);
        self.1.push(waited * waited);
    }
}

#[test]
fn the_more_urgent_wait_for_the_rest_of_one_service_or_not_at_all() {
    // M/M/1, 0.2 and 0.6 (Cobham 1954): 2 and 6 without interruption, 1.25 and 6.25 with it. Ciw 3 publishes
    // the first pair as what its own run is held against (test_priority_system_compare_literature).
    for (discipline, high, low) in [(Discipline::Priority, 2.0, 6.0), (Discipline::PreemptivePriority, 1.25, 6.25)] {
        let d = design()
            .service("web", service(servers(1), [works(1.0)]).discipline(discipline))
            .client("high", client(poisson(0.2), "web.get").urgent(1))
            .client("low", client(poisson(0.6), "web.get"));
        ten(&d, 200_000.0, |_, m| {
            let response = |client: usize| m.clients[client].responses.mean_secs().unwrap();
            vec![("high", response(0)), ("low", response(1))]
        })
        .is("high", high, 0.01)
        .is("low", low, 0.02);
    }
}

// ---- processor sharing

#[test]
fn sharing_one_core_only_the_mean_of_the_work_matters() {
    // M/G/1-PS at rho 0.8: W = 5 whatever the distribution, N is geometric: var N = 20, P(0) = 0.2.
    let kinds = [
        exponential(1.0),
        Distribution::Constant(secs(1.0).into()),
        Distribution::LogNormal { mean: secs(1.0).into(), cv: 2.0.into() },
    ];
    for work in kinds {
        ten(&open(0.8, service(cores(1), [Step::Work(work)])), 150_000.0, |run, m| {
            let s = &m.services[0];
            vec![
                ("response", response(m)),
                ("variance", s.in_system_variance(run.now()).unwrap()),
                ("empty", levels(run, s)[0]),
                ("utilisation", s.processor_utilisation(run.now()).unwrap()),
            ]
        })
        .is("response", 5.0, 0.015)
        .is("variance", 20.0, 0.05)
        .is("empty", 0.2, 0.01)
        .is("utilisation", 0.8, 0.005);
    }
}

#[test]
fn sharing_several_cores_gives_the_occupancy_of_as_many_servers() {
    // Under sharing the number present has the distribution of M/M/4, again whatever the work.
    let lognormal = Distribution::LogNormal { mean: secs(0.1).into(), cv: 2.0.into() };
    for work in [exponential(0.1), lognormal] {
        let found = ten(&open(30.0, service(cores(4), [Step::Work(work)])), 4_000.0, |run, m| {
            let p = levels(run, &m.services[0]);
            vec![
                ("0", p[0]),
                ("1", p[1]),
                ("3", p[3]),
                ("5", p[5]),
                ("in system", m.services[0].in_system().mean(run.now()).unwrap()),
                ("busy", m.services[0].busy().mean(run.now()).unwrap()),
            ]
        });
        found.is("0", 0.037736, 0.02).is("1", 0.113208, 0.02).is("3", 0.169811, 0.01).is("5", 0.095519, 0.01);
        found.is("in system", 4.528302, 0.02).is("busy", 3.0, 0.005);
    }
}

#[test]
fn a_contended_database_completes_what_its_law_says() {
    // With n connections always in use X(n) = n/(D(1 + sigma(n-1) + kappa n(n-1))), whatever the work:
    // forty users who never think keep a pool of n full.
    let (sigma, kappa) = (0.02, 0.02);
    let x = |n: f64| n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0));
    for n in [1_u32, 2, 4, 7, 10, 30] {
        let d = design()
            .service("app", service(Processor::Infinite, [call("db.get")]).calling("db", pooled(n)))
            .service("db", service(Processor::Usl { sigma: sigma.into(), kappa: kappa.into() }, [works(1.0)]))
            .client("users", client(closed(40, exactly(0)), "app.get"));
        let found = ten(&d, 3_000.0, |run, m| {
            let db = &m.services[1];
            let seconds = run.now().since(m.from).as_secs_f64();
            vec![
                ("throughput", m.requests().done() as f64 / seconds),
                ("in use", m.services[0].pools[0].used.mean(run.now()).unwrap()),
                ("utilisation", db.contended_utilisation(run.now()).unwrap()),
            ]
        });
        found.is("throughput", x(f64::from(n)), 0.01).is("utilisation", 1.0, 0.01);
        assert_eq!(found.mean("in use"), f64::from(n));
    }
}

// ---- machines that services share

#[test]
fn services_that_share_a_core_are_slowed_down_alike_whatever_their_work() {
    // M/G/1-PS with two classes has product form: W = E[S]/(1 - rho) for each, rho = 0.3 * 1 + 0.8 * 0.5 = 0.7.
    let lognormal = Distribution::LogNormal { mean: secs(1.0).into(), cv: 2.0.into() };
    let d = design()
        .host("box", 1, cores(1))
        .service("a", service(on("box", 1.0), [Step::Work(lognormal)]))
        .service("b", service(on("box", 1.0), [Step::Work(Distribution::Constant(secs(0.5).into()))]))
        .client("of_a", client(poisson(0.3), "a.get"))
        .client("of_b", client(poisson(0.8), "b.get"));
    ten(&d, 60_000.0, |run, m| {
        vec![
            ("a", m.clients[0].responses.mean_secs().unwrap()),
            ("b", m.clients[1].responses.mean_secs().unwrap()),
            ("host", m.hosts[0].utilisation(run.now()).unwrap()),
            ("a's share", m.hosts[0].share(0, run.now()).unwrap()),
        ]
    })
    .is("a", 1.0 / 0.3, 0.02)
    .is("b", 0.5 / 0.3, 0.02)
    .is("host", 0.7, 0.01)
    .is("a's share", 0.3, 0.01);
}

#[test]
fn weights_slow_down_the_light_for_the_heavy() {
    // M/M/1 under discriminatory processor sharing (Fayolle, Mitrani and Iasnogorodski 1980): with weights g and
    // D = mu1 g1 (1 - rho1) + mu2 g2 (1 - rho2), W1 = (1 + mu1 rho2 (g2 - g1)/D) / (mu1 (1 - rho)).
    let (mu, rho, g) = ([1.0, 2.0], [0.4, 0.3], [3.0, 1.0]);
    let d = design()
        .host("box", 1, cores(1))
        .service("a", service(on("box", g[0]), [works(1.0 / mu[0])]))
        .service("b", service(on("box", g[1]), [works(1.0 / mu[1])]))
        .client("of_a", client(poisson(mu[0] * rho[0]), "a.get"))
        .client("of_b", client(poisson(mu[1] * rho[1]), "b.get"));
    let exact = |i: usize| {
        let (j, bottom) = (1 - i, (0..2).map(|k| mu[k] * g[k] * (1.0 - rho[k])).sum::<f64>());
        (1.0 + mu[i] * rho[j] * (g[j] - g[i]) / bottom) / (mu[i] * (1.0 - rho[0] - rho[1]))
    };
    ten(&d, 60_000.0, |_, m| {
        vec![("a", m.clients[0].responses.mean_secs().unwrap()), ("b", m.clients[1].responses.mean_secs().unwrap())]
    })
    .is("a", exact(0), 0.015)
    .is("b", exact(1), 0.02);
}

/// A layered queueing network: `users` think and call `front`, which has some threads, works and calls `back`,
/// which has one; `others` think and call `batch`, which has any number. All three work on one machine.
struct Layered {
    users: u32,
    others: u32,
    threads: u32,
    cores: u32,
    /// Of front, back and batch.
    weights: [f64; 3],
    work_s: [f64; 3],
    think_s: [f64; 2],
}

impl Layered {
    fn design(&self) -> Design {
        let on_it = |i: usize, steps: Vec<Step>| service(on("box", self.weights[i]), steps);
        design()
            .host("box", 1, cores(self.cores))
            .service("front", on_it(0, vec![works(self.work_s[0]), call("back.get")]).threads(self.threads))
            .service("back", on_it(1, vec![works(self.work_s[1])]).threads(1))
            .service("batch", on_it(2, vec![works(self.work_s[2])]))
            .client("users", client(closed(self.users, exponential(self.think_s[0])), "front.get"))
            .client("others", client(closed(self.others, exponential(self.think_s[1])), "batch.get"))
    }

    /// How much of a core each of so many visits gets: what is left over is found by halving.
    fn rates(&self, n: [u32; 3]) -> [f64; 3] {
        let each = |t: f64| self.weights.map(|w| (w * t).min(1.0));
        let used = |t: f64| each(t).iter().zip(n).map(|(rate, n)| rate * f64::from(n)).sum::<f64>();
        let (mut low, mut high) = (0.0, 1e6);
        for _ in 0..100 {
            let t = (low + high) / 2.0;
            if used(t) < f64::from(self.cores) { low = t } else { high = t }
        }
        each(high)
    }

    /// Throughput of users and others, and cores in use, by the balance of a Markov chain. Its state is how many
    /// users do not think, how many of those call `back`, and how many others do not think.
    fn exact(&self) -> [f64; 3] {
        let (threads, width, depth) = (self.threads, self.threads + 1, self.others + 1);
        let id = |n: u32, b: u32, m: u32| ((n * width + b) * depth + m) as usize;
        let states = ((self.users + 1) * width * depth) as usize;
        let (mut moves, mut ends) = (vec![], vec![[0.0; 3]; states]);
        for n in 0..=self.users {
            for b in 0..=n.min(threads) {
                for m in 0..=self.others {
                    let from = id(n, b, m);
                    let at_work = [n.min(threads) - b, b.min(1), m];
                    let rates = self.rates(at_work);
                    let done = |i: usize| f64::from(at_work[i]) * rates[i] / self.work_s[i];
                    let mut go = |rate: f64, to: &dyn Fn() -> usize| {
                        if rate > 0.0 {
                            moves.push((from, to(), rate));
                        }
                    };
                    go(f64::from(self.users - n) / self.think_s[0], &|| id(n + 1, b, m));
                    go(f64::from(self.others - m) / self.think_s[1], &|| id(n, b, m + 1));
                    go(done(0), &|| id(n, b + 1, m));
                    go(done(1), &|| id(n - 1, b - 1, m));
                    go(done(2), &|| id(n, b, m - 1));
                    let used = (0..3).map(|i| f64::from(at_work[i]) * rates[i]).sum();
                    ends[from] = [done(1), done(2), used];
                }
            }
        }
        let out = |state: usize| moves.iter().filter(|(from, ..)| *from == state).map(|(.., rate)| rate).sum::<f64>();
        let fastest = (0..states).map(out).fold(0.0, f64::max);
        let mut p = vec![0.0; states];
        p[id(0, 0, 0)] = 1.0;
        for _ in 0..20_000 {
            let before = p.clone();
            for &(from, to, rate) in &moves {
                let flow = before[from] * rate / (1.1 * fastest);
                p[from] -= flow;
                p[to] += flow;
            }
        }
        [0, 1, 2].map(|i| p.iter().zip(&ends).map(|(p, of)| p * of[i]).sum())
    }
}

#[test]
fn nested_threads_on_one_machine_are_the_markov_chain() {
    let few = Layered {
        users: 5,
        others: 2,
        threads: 2,
        cores: 1,
        weights: [1.0; 3],
        work_s: [0.1, 0.08, 0.3],
        think_s: [0.2, 0.4],
    };
    let weighted = Layered { cores: 2, threads: 3, weights: [1.0, 4.0, 0.5], ..few };
    for layered in [few, weighted] {
        let exact = layered.exact();
        let found = ten(&layered.design(), 4_000.0, |run, m| {
            let seconds = run.now().since(m.from).as_secs_f64();
            let busy = m.hosts[0].busy(run.now()).unwrap();
            let [users, others] = [0, 1].map(|i| m.clients[i].done() as f64 / seconds);
            vec![("users", users), ("others", others), ("cores", busy)]
        });
        found.is("users", exact[0], 0.005).is("others", exact[1], 0.005).is("cores", exact[2], 0.005);
    }
}

#[test]
fn a_machine_is_a_station_to_which_all_demands_add_up() {
    // Without limits of threads a closed network with a shared core has product form: 20 users who think 10 s need
    // 0.3 + 0.2 s of it in all, and 0.3 s at a database. Exact mean value analysis.
    let d = design()
        .host("box", 1, cores(1))
        .service("web", service(on("box", 1.0), [works(0.3), call("app.get")]))
        .service("app", service(on("box", 1.0), [works(0.2), call("db.get")]))
        .service("db", service(cores(1), [works(0.3)]))
        .client("users", client(closed(20, exponential(10.0)), "web.get"));
    ten(&d, 20_000.0, |run, m| {
        let seconds = run.now().since(m.from).as_secs_f64();
        let host = |of: fn(&models::probe::HostMeasure, SimTime) -> Option<f64>| of(&m.hosts[0], run.now()).unwrap();
        vec![
            ("throughput", m.requests().done() as f64 / seconds),
            ("response", response(m)),
            ("host", host(|host, now| host.utilisation(now))),
            ("web", host(|host, now| host.share(0, now))),
        ]
    })
    .is("throughput", 1.625517, 0.005)
    .is("response", 2.30378, 0.01)
    .is("host", 0.812758, 0.005)
    .is("web", 0.487655, 0.005);
}

// ---- closed populations

#[test]
fn repairmen() {
    // Twenty users who think 5 s, two servers of 1 s (the machine repairman): throughput and response.
    let d = design()
        .service("web", service(servers(2), [works(1.0)]))
        .client("users", client(closed(20, exponential(5.0)), "web.get"));
    ten(&d, 15_000.0, |run, m| {
        let seconds = run.now().since(m.from).as_secs_f64();
        vec![
            ("throughput", m.requests().done() as f64 / seconds),
            ("response", response(m)),
            ("waited", waited(&m.services[0])),
        ]
    })
    .is("throughput", 1.994388, 0.005)
    .is("response", 5.028141, 0.01)
    .is("waited", 0.990995, 0.002);
}

#[test]
fn a_closed_network_of_two_stations() {
    // Exact mean value analysis: 20 users who think 10 s need 0.5 s at one station and 0.3 s at another.
    // Stations share, so that it does not matter that a request holds the first while at the second.
    let d = design()
        .service("web", service(cores(1), [works(0.5), call("db.get")]))
        .service("db", service(cores(1), [works(0.3)]))
        .client("users", client(closed(20, exponential(10.0)), "web.get"));
    ten(&d, 20_000.0, |run, m| {
        let seconds = run.now().since(m.from).as_secs_f64();
        let at = |i: usize| m.services[i].processor_utilisation(run.now()).unwrap();
        vec![
            ("throughput", m.requests().done() as f64 / seconds),
            ("response", response(m)),
            ("web", at(0)),
            ("db", at(1)),
            ("at db", m.services[1].in_system().mean(run.now()).unwrap()),
        ]
    })
    .is("throughput", 1.625517, 0.005)
    .is("response", 2.30378, 0.01)
    .is("web", 0.812758, 0.005)
    .is("db", 0.487655, 0.005)
    .is("at db", 0.893595, 0.01);
}

// ---- several services

#[test]
fn a_tandem_of_queues_is_as_good_as_independent_ones() {
    // Burke 1956, Jackson 1957: the stages of a chain of M/M/1 queues are independent, so that the mean
    // is the sum and the 99th percentile that of a hypoexponential sum: not the sum of percentiles.
    let d = design()
        .service("front", service(Processor::Infinite, [call("a.get"), call("b.get"), call("c.get")]))
        .service("a", service(servers(1), [works(1.0 / 60.0)]))
        .service("b", service(servers(1), [works(1.0 / 80.0)]))
        .service("c", service(servers(1), [works(1.0 / 100.0)]))
        .client("users", client(poisson(50.0), "front.get"));
    ten(&d, 3_000.0, |_, m| vec![("response", response(m)), ("p99", p99(m)), ("wait", wait(&m.services[3]))])
        .is("response", 1.0 / 10.0 + 1.0 / 30.0 + 1.0 / 50.0, 0.01)
        .is("p99", 0.523376, 0.02)
        .is("wait", 0.01, 0.01);
}

#[test]
fn a_fork_waits_for_the_slower_of_two_queues() {
    // Flatto and Hahn 1984, Nelson and Tantawi 1988: (12 - rho)/8 times the response of M/M/1.
    for (rate, mu, exact) in [(0.5, 1.0, 2.875), (8.0, 10.0, 0.7)] {
        let both = Step::Parallel(vec![vec![call("a.get")], vec![call("b.get")]]);
        let d = design()
            .service("front", service(Processor::Infinite, [both]))
            .service("a", service(servers(1), [works(1.0 / mu)]))
            .service("b", service(servers(1), [works(1.0 / mu)]))
            .client("users", client(poisson(rate), "front.get"));
        ten(&d, 100_000.0 / rate, |_, m| vec![("response", response(m))]).is("response", exact, 0.01);
    }
}

#[test]
fn a_fan_out_waits_for_the_slowest_of_a_hundred() {
    // The maximum of n exponentials has mean H(n), the harmonic number, and p99 at -ln(1 - 0.99^(1/n)).
    let leaves = (0..100).map(|_| vec![call("leaf.get")]).collect();
    let d = design()
        .service("root", service(Processor::Infinite, [Step::Parallel(leaves)]))
        .service("leaf", service(Processor::Infinite, [works(1.0)]))
        .client("users", client(poisson(1.0), "root.get"));
    let harmonic: f64 = (1..=100).map(|k| 1.0 / f64::from(k)).sum();
    ten(&d, 2_500.0, |_, m| vec![("response", response(m)), ("p99", p99(m))]).is("response", harmonic, 0.005).is(
        "p99",
        -libm::log(1.0 - libm::pow(0.99, 0.01)),
        0.015,
    );
}

#[test]
fn waiting_for_a_connection_is_waiting_in_a_queue_of_as_many_servers() {
    // A pool of c in front of a database without contention is M/M/c, and its wait is not queueing.
    for (c, rate) in [(2_u32, 1.6), (5, 4.0)] {
        let d = design()
            .service("app", service(Processor::Infinite, [call("db.get")]).calling("db", pooled(c)))
            .service("db", service(Processor::Infinite, [works(1.0)]))
            .client("users", client(poisson(rate), "app.get"));
        let p = erlang_c(c, rate);
        let found = ten(&d, 60_000.0, |run, m| {
            let pool = &m.services[0].pools[0];
            vec![
                ("pool wait", pool.waits.mean().unwrap()),
                ("utilisation", pool.utilisation(run.now()).unwrap()),
                ("response", response(m)),
                ("queueing", wait(&m.services[0]) + wait(&m.services[1])),
            ]
        });
        found.is("pool wait", p / (f64::from(c) - rate), 0.02).is("utilisation", rate / f64::from(c), 0.005).is(
            "response",
            1.0 + p / (f64::from(c) - rate),
            0.015,
        );
        assert_eq!(found.mean("queueing"), 0.0);
    }
}

// ---- balancers

/// Mean response of replicas of one exponential server each, at `rate` for each.
fn balanced_by(balancer: Balancer, replicas: u32, rate: f64, length: f64) -> Found {
    let web = service(servers(1), [works(1.0)]).replicas(replicas).balanced(balancer);
    ten(&open(rate * f64::from(replicas), web), length, |_, m| {
        vec![("response", response(m)), ("waited", waited(&m.services[0]))]
    })
}

#[test]
fn round_robin_is_more_regular_than_chance() {
    // Each of n replicas is E_n/M/1; at random each is M/M/1.
    balanced_by(Balancer::RoundRobin, 2, 0.8, 100_000.0).is("response", 3.84398, 0.01).is("waited", 0.739853, 0.005);
    balanced_by(Balancer::RoundRobin, 10, 0.9, 40_000.0).is("response", 5.660276, 0.015);
    balanced_by(Balancer::Random, 2, 0.8, 100_000.0).is("response", 5.0, 0.015).is("waited", 0.8, 0.005);
}

#[test]
fn the_shorter_of_two_queues() {
    // Join the shortest queue, two replicas (exact numerics of the two-dimensional chain).
    balanced_by(Balancer::LeastOutstanding, 2, 0.8, 100_000.0).is("response", 2.955737, 0.01);
}

#[test]
fn two_choices_are_nearly_as_good_as_all() {
    // The supermarket model (Vvedenskaya et al. 1996, Mitzenmacher 2001) at 0.9: with infinitely many
    // replicas W = sum 0.9^(2^i - 2) = 2.614 for two choices, 10 for one. With 500 replicas the limit is
    // missed by about 1/500 of it; 2% leaves room for that and for chance.
    let limit: f64 = (1..10).map(|i| libm::pow(0.9, f64::from(1 << i) - 2.0)).sum();
    let two = Balancer::PowerOf(PowerOf { choices: 2.into() });
    let web = |by| service(servers(1), [works(1.0)]).replicas(500).balanced(by);
    let found =
        |by| replications(3, &open(450.0, web(by)), 500.0, |_, m| vec![("response", response(m))]).mean("response");
    let (one, two, all) = (found(Balancer::Random), found(two), found(Balancer::LeastOutstanding));
    assert!((two / limit - 1.0).abs() < 0.02, "{two}, in the limit {limit}");
    // One choice is far from its own limit of 10 even after the warm-up: an M/M/1 at 0.9 forgets slowly.
    assert!(one > 3.0 * two, "{one}");
    assert!((1.0..1.2).contains(&all), "{all}");
}

// ---- rates that change

#[test]
fn a_growing_rate_fills_an_infinite_service() {
    // Mt/M/inf from empty under lambda(t) = 10 + t/2 with mean work 10: the number present is Poisson with
    // mean m(t) = integral of lambda(s) e^(-(t-s)/10) (Eick, Massey and Whitt 1993).
    let ramp = Ramp(vec![(SimDuration::ZERO.into(), 10.0.into()), (secs(100.0).into(), 60.0.into())]);
    let d = design()
        .service("web", service(Processor::Infinite, [works(10.0)]))
        .client("users", client(Arrivals::Poisson(Rate::Ramp(ramp)), "web.get"));
    let mut present = Found { figures: vec![("at 10", vec![]), ("at 60", vec![]), ("arrived", vec![])] };
    for replication in 0..300 {
        let mut run = d.seeded(1, replication, vec![]);
        for (i, at) in [10.0, 60.0].into_iter().enumerate() {
            run.run_until(instant(0) + secs(at), &mut ()).unwrap();
            present.figures[i].1.push(run.model.counts().in_flight() as f64);
        }
        present.figures[2].1.push(run.model.counts().arrived as f64);
    }
    present.is("at 10", 81.606028, 0.01).is("at 60", 349.876062, 0.005).is("arrived", 1_500.0, 0.003);
    // Poisson: the variance equals the mean. Of 300 replications its relative error is sqrt(2/300) = 8%.
    let counts = &present.figures[1].1;
    let mean = present.mean("at 60");
    let variance = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / 299.0;
    assert!((variance / mean - 1.0).abs() < 0.33, "variance {variance}, mean {mean}");
}
