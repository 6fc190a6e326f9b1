//! Who is next, to the nanosecond: queue disciplines, priorities, and servers taken from the less urgent.

mod common;

use common::*;
use models::blueprint::{Processor, Service, Step};
use models::policy::{Discipline, Drop};
use models::probe::Cause::{Crashed, Dropped, Timeout};
use models::workload::Client;

const OK: Result<(), models::probe::Cause> = Ok(());

/// One server, 10 ns of work.
fn counter(discipline: Discipline) -> Service {
    service(servers(1), [work(10)]).discipline(discipline)
}

fn asks(instants: &[u64]) -> Client {
    client(at(instants), "web.get")
}

/// When requests that came at these instants, all but the first while it is served, got the thread, and how
/// long they had waited.
fn admitted(web: Service, arrivals: &[u64]) -> Vec<(u64, u64)> {
    design().service("web", web).client("users", asks(arrivals)).log(999, vec![]).admitted("web")
}

// ---- by when they came

#[test]
fn the_oldest_the_newest_or_the_newest_while_many_wait() {
    let came = [0, 1, 2, 3, 4];
    let fifo = [(0, 0), (10, 9), (20, 18), (30, 27), (40, 36)];
    assert_eq!(admitted(counter(Discipline::Fifo), &came), fifo);
    let lifo = [(0, 0), (10, 6), (20, 17), (30, 28), (40, 39)];
    assert_eq!(admitted(counter(Discipline::Lifo), &came), lifo);
    // Four and three are more than two; the two that are left are served in turn.
    let above_two = [(0, 0), (10, 6), (20, 17), (30, 29), (40, 38)];
    assert_eq!(admitted(counter(Discipline::LifoAbove(2.into())), &came), above_two);
    assert_eq!(admitted(counter(Discipline::LifoAbove(4.into())), &came), fifo);
    for shared in [Discipline::Lifo, Discipline::LifoAbove(0.into())] {
        assert_eq!(admitted(counter(shared).shared(), &came), lifo, "one queue for all is a queue");
    }
}

#[test]
fn the_expired_are_dropped_whoever_is_next() {
    let web = counter(Discipline::Lifo).drops(Drop::Expired);
    let log = design().service("web", web).client("users", asks(&[0, 1, 2]).timeout(15)).log(999, vec![]);
    // At 10 the newest, of 2, which expires at 17 in service; at 20 that of 1, which has expired.
    assert_eq!(log.admitted("web"), [(0, 0), (10, 8)]);
    assert_eq!(log.turned_away("web"), [(20, Dropped)]);
}

#[test]
fn a_discipline_can_change_while_they_wait() {
    let d = design()
        .service("web", counter(Discipline::Fifo))
        .client("low", asks(&[0, 1, 2, 3]))
        .client("vip", asks(&[4]).urgent(1));
    let as_now = |discipline| d.but(|d| d.of("web").queue.discipline = discipline).adopt();
    let acts = vec![(5, as_now(Discipline::Priority)), (15, as_now(Discipline::Lifo)), (25, as_now(Discipline::Fifo))];
    // At 10 the most urgent, at 20 the newest, at 30 the oldest.
    assert_eq!(d.log(999, acts).admitted("web"), [(0, 0), (10, 6), (20, 17), (30, 29), (40, 38)]);
}

/// Where the oldest are never next, what was cancelled does not pile up behind those that wait.
#[test]
fn what_was_cancelled_is_cleared_away() {
    let every_ns: Vec<u64> = (0..20_000).collect();
    for web in [counter(Discipline::Lifo), counter(Discipline::Lifo).shared()] {
        let d = design().service("web", web).client("users", asks(&every_ns).timeout(5).cancels());
        let mut run = d.run(vec![]);
        run.run_until(instant(19_999), &mut ()).unwrap();
        assert!(run.model.state_bytes() < 5_000, "{} bytes", run.model.state_bytes());
    }
}

// ---- by priority

/// Requests of two populations at a service of the name `web`.
fn two(web: Service, low: &[u64], vip: &[u64]) -> Log {
    design().service("web", web).client("low", asks(low)).client("vip", asks(vip).urgent(3)).log(999, vec![])
}

#[test]
fn the_most_urgent_first_and_in_turn_among_equals() {
    for web in [counter(Discipline::Priority), counter(Discipline::Priority).shared()] {
        let log = two(web, &[0, 1, 2], &[3, 4]);
        assert_eq!(log.outcomes_of("vip"), [(20, OK), (30, OK)]);
        assert_eq!(log.outcomes_of("low"), [(10, OK), (40, OK), (50, OK)]);
    }
    let log = two(counter(Discipline::Fifo), &[0, 1, 2], &[3, 4]);
    assert_eq!(log.outcomes_of("vip"), [(40, OK), (50, OK)], "nobody asks for it");
    // Two servers behind one queue: both are free at 10.
    let log = two(counter(Discipline::Priority).replicas(2).shared(), &[0, 0, 1], &[2]);
    assert_eq!(log.admitted("web"), [(0, 0), (0, 0), (10, 8), (10, 9)]);
}

#[test]
fn each_of_sixteen_priorities_has_its_turn() {
    let mut d = design().service("web", counter(Discipline::Priority)).client("first", asks(&[0]));
    for priority in [3, 0, 15, 7, 1] {
        d = d.client(&format!("p{priority}"), asks(&[1]).urgent(priority));
    }
    let log = d.log(999, vec![]);
    let over = [15, 7, 3, 1, 0].map(|priority| log.outcomes_of(&format!("p{priority}"))[0].0);
    assert_eq!(over, [20, 30, 40, 50, 60]);
}

#[test]
fn a_priority_goes_with_the_request_through_all_that_it_causes() {
    let steps: [(&str, Vec<Step>); 3] = [
        ("a call", vec![call("db.get")]),
        ("what is handed over", vec![send("db.get")]),
        ("a branch", vec![Step::Parallel(vec![vec![call("db.get")], vec![]])]),
    ];
    for (what, steps) in steps {
        for policy in [plainly(), plainly().timeout(900), pooled(9).timeout(900).retries(1, 0)] {
            let log = design()
                .service("web", service(Processor::Infinite, [call("mid.get")]).calling("mid", policy.clone()))
                .service("mid", service(Processor::Infinite, steps.clone()).calling("db", policy))
                .service("db", counter(Discipline::Priority))
                .client("low", asks(&[0, 1]))
                .client("vip", asks(&[2]).urgent(1))
                .log(999, vec![]);
            assert_eq!(log.admitted("db"), [(0, 0), (10, 8), (20, 19)], "{what}");
        }
    }
}

#[test]
fn a_repeat_is_as_urgent_as_the_first_attempt() {
    let d = design()
        .service("web", counter(Discipline::Priority).cap(2))
        .client("low", asks(&[0, 1, 2, 11]))
        .client("vip", asks(&[3]).urgent(1).retries(1, 9));
    // Rejected at 3, back at 12 with two before it; one of them has begun at 10.
    assert_eq!(d.log(999, vec![]).outcomes_of("vip"), [(12, Err(models::probe::Cause::Rejected))]);
    let d = d.but(|d| d.of("web").queue.cap = None);
    let d = d.but(|d| *d.from("vip") = asks(&[3]).urgent(1).timeout(4).retries(1, 5));
    // The attempt of 3 is given up at 7, and served at 10 for nobody; that of 12 is next at 20.
    assert_eq!(d.log(999, vec![]).outcomes_of("vip"), [(16, Err(Timeout))]);
    assert_eq!(d.log(999, vec![]).admitted("web")[..3], [(0, 0), (10, 7), (20, 8)]);
}

// ---- servers taken from the less urgent

/// A service whose endpoint `get` needs 100 ns, `quick` 20 ns.
fn interruptible(n: u32) -> Service {
    service(servers(n), [work(100)]).discipline(Discipline::PreemptivePriority).endpoint("quick", [work(20)])
}

fn quick(instants: &[u64], priority: u32) -> Client {
    client(at(instants), "web.quick").urgent(priority)
}

#[test]
fn the_interrupted_goes_on_where_it_stopped() {
    let d = design().service("web", interruptible(1)).client("low", asks(&[0])).client("vip", quick(&[30], 1));
    let log = d.log(999, vec![]);
    assert_eq!(log.outcomes(), [(50, OK), (120, OK)]);
    // Both are inside at once, and one of them works.
    assert_eq!(log.admitted("web"), [(0, 0), (30, 0)]);
    assert_eq!((log.held("web", 40), log.busy("web", 40)), (2, 1));
    // With threads somebody may still wait in front, by priority.
    let d = d.but(|d| d.of("web").threads = Some(1.into()));
    assert_eq!(d.log(999, vec![]).admitted("web"), [(0, 0), (100, 70)]);
}

#[test]
fn an_equal_is_not_interrupted() {
    let d = design().service("web", interruptible(1)).client("a", asks(&[0]).urgent(1)).client("b", quick(&[30], 1));
    assert_eq!(d.log(999, vec![]).outcomes(), [(100, OK), (120, OK)]);
}

#[test]
fn of_several_the_least_urgent_is_interrupted_and_of_equals_the_one_that_began_last() {
    let d = design().service("web", interruptible(2)).client("low", asks(&[0, 10])).client("vip", quick(&[30], 1));
    assert_eq!(d.log(999, vec![]).outcomes_of("low"), [(100, OK), (130, OK)]);
    // The first is now the less urgent.
    let d = design()
        .service("web", interruptible(2))
        .client("low", asks(&[0]))
        .client("mid", asks(&[10]).urgent(1))
        .client("vip", quick(&[30], 2));
    let log = d.log(999, vec![]);
    assert_eq!((log.outcomes_of("low"), log.outcomes_of("mid")), (vec![(120, OK)], vec![(110, OK)]));
}

#[test]
fn three_levels_one_within_the_other() {
    let log = design()
        .service("web", interruptible(1).endpoint("half", [work(50)]).endpoint("tiny", [work(10)]))
        .client("low", asks(&[0]))
        .client("mid", client(at([10, 25]), "web.half").urgent(1))
        .client("top", client(at([20]), "web.tiny").urgent(2))
        .log(999, vec![]);
    assert_eq!(log.outcomes_of("top"), [(30, OK)]);
    // Interrupted from 20 to 30, with 40 left, and before its equal that came at 25.
    assert_eq!(log.outcomes_of("mid"), [(70, OK), (120, OK)]);
    assert_eq!(log.outcomes_of("low"), [(210, OK)]);
}

#[test]
fn who_is_done_at_this_instant_is_not_interrupted() {
    for clients in [[("low", 0), ("vip", 1)], [("vip", 1), ("low", 0)]] {
        let mut d = design().service("web", interruptible(1));
        for (name, priority) in clients {
            d = d.client(name, if priority == 0 { asks(&[0]) } else { quick(&[100], 1) });
        }
        let log = d.log(999, vec![]);
        assert_eq!((log.outcomes_of("low"), log.outcomes_of("vip")), (vec![(100, OK)], vec![(120, OK)]));
    }
}

#[test]
fn who_is_interrupted_can_be_given_up_and_lost() {
    let d = design()
        .service("web", interruptible(1))
        .client("low", asks(&[0]).timeout(40).cancels())
        .client("other", client(at([35]), "web.quick"))
        .client("vip", quick(&[30], 1));
    let log = d.log(999, vec![]);
    assert_eq!(log.outcomes_of("low"), [(40, Err(Timeout))]);
    // Nothing is left of it: the other is next.
    assert_eq!((log.outcomes_of("vip"), log.outcomes_of("other")), (vec![(50, OK)], vec![(70, OK)]));
    // Who interrupted is given up: whom it interrupted goes on.
    let d = d.but(|d| *d.from("low") = asks(&[0]));
    let d = d.but(|d| *d.from("vip") = quick(&[30], 1).timeout(5).cancels());
    let log = d.log(999, vec![]);
    assert_eq!(log.outcomes_of("low"), [(105, OK)]);

    let d = design().service("web", interruptible(1)).client("low", asks(&[0])).client("vip", quick(&[30, 60], 1));
    let log = d.log(999, vec![(40, d.kill("web", 0)), (55, d.scale("web", 1))]);
    assert_eq!(log.outcomes(), [(40, Err(Crashed)), (40, Err(Crashed)), (80, OK)]);
}

#[test]
fn servers_come_and_go_under_the_interrupted() {
    let d = design().service("web", interruptible(1)).client("low", asks(&[0])).client("vip", quick(&[30], 1));
    let more = d.but(|d| d.of("web").processor = servers(2));
    // The second server takes the interrupted at 40, with 70 left.
    assert_eq!(d.log(999, vec![(40, more.adopt())]).outcomes_of("low"), [(110, OK)]);
    // Two at work, then one server: the urgent still takes that of the last, and is done at 50; one server is
    // free when the first is done at 100.
    let d = more.but(|d| *d.from("low") = asks(&[0, 10]));
    let fewer = d.but(|d| d.of("web").processor = servers(1));
    let log = d.log(999, vec![(20, fewer.adopt())]);
    assert_eq!((log.outcomes_of("vip"), log.outcomes_of("low")), (vec![(50, OK)], vec![(100, OK), (180, OK)]));
}

#[test]
fn a_step_after_a_step_asks_anew() {
    // Work, a delay without server, work: meanwhile an equal that came later is at work.
    let d = design()
        .service("web", interruptible(1).endpoint("twice", [work(10), delay(5), work(10)]))
        .client("a", client(at([0]), "web.twice"))
        .client("b", client(at([1]), "web.quick"));
    assert_eq!(d.log(999, vec![]).outcomes(), [(30, OK), (40, OK)]);
}

// ---- what makes no sense

#[test]
fn problems_come_with_their_remedy() {
    let d = design()
        .service("web", service(cores(1), [work(10)]).discipline(Discipline::PreemptivePriority))
        .client("a", asks(&[0]).urgent(16));
    let problems = models::check::check(&d.blueprint, &d.workload, &indexmap::IndexMap::new()).unwrap_err();
    let said: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect();
    assert!(said.iter().any(|s| s == "services.web.queue.discipline: only servers can be taken from the less urgent"));
    assert!(said.iter().any(|s| s == "clients.a.priority: there is no priority 16"), "{said:?}");
    let before = design().service("web", counter(Discipline::Fifo).threads(1)).client("a", asks(&[0]));
    let after = before.but(|d| d.of("web").queue.discipline = Discipline::PreemptivePriority);
    let why = before.topology().refuses(&after.topology());
    assert!(why.is_some_and(|why| why.starts_with("the services, or how one queues or is watched,")));
}
