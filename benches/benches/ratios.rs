//! The table of the README: W1 to W6 through the product's path against loops written by hand, in turn, by
//! CPU time. `cargo bench -p benches --bench ratios -- [rounds] [name of a workload, such as W2]`.

use benches::{Tally, alternate, by_hand, designs, measured, median, watched};
use models::topology::Topology;
use sim_core::time::SimTime;
use std::sync::Arc;
use std::time::Duration;

struct Workload {
    name: &'static str,
    topology: Arc<Topology>,
    secs: u64,
    by_hand: Option<fn(SimTime, Draws) -> Tally>,
    /// Events of the loop for each one of [`Tally::served`], if not those that the product counts: timers
    /// are its own affair.
    events_a_request: Option<u64>,
}

#[derive(Clone, Copy)]
enum Draws {
    Stream,
    Keyed,
}

macro_rules! by_hand {
    ($loop:ident $(, $argument:expr)*) => {
        |horizon, draws| match draws {
            Draws::Stream => by_hand::$loop(by_hand::Stream::default() $(, $argument)*, horizon),
            Draws::Keyed => by_hand::$loop(by_hand::Keyed::default() $(, $argument)*, horizon),
        }
    };
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(7);
    let chosen = |name: &str| {
        let mut names = arguments.iter().filter(|a| a.starts_with('W')).peekable();
        names.peek().is_none() || names.any(|a| a == name)
    };
    let workloads = [
        Workload {
            name: "W1",
            topology: designs::servers(1, 0.8),
            secs: 2_000_000,
            by_hand: Some(by_hand!(w1, 0.8)),
            events_a_request: None,
        },
        Workload {
            name: "W2",
            topology: designs::servers(100, 90.0),
            secs: 20_000,
            by_hand: Some(by_hand!(w2, 100, 90.0)),
            events_a_request: None,
        },
        Workload {
            name: "W3",
            topology: designs::three_tiers(100_000),
            secs: 50,
            by_hand: Some(by_hand!(w3, 100_000)),
            events_a_request: None,
        },
        Workload {
            name: "W4",
            topology: designs::three_tiers_with_timeouts(100_000),
            secs: 50,
            by_hand: Some(by_hand!(w3, 100_000)),
            events_a_request: Some(4),
        },
        Workload {
            name: "W5",
            topology: designs::world_cup_night(),
            secs: 130 * 60,
            by_hand: None,
            events_a_request: None,
        },
        Workload { name: "W6", topology: designs::many_in_flight(), secs: 4, by_hand: None, events_a_request: Some(3) },
    ];
    println!("| workload | events | by hand | by hand, keyed | no probe | product | product / by hand | x real time |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    workloads.iter().filter(|w| chosen(w.name)).for_each(|workload| row(workload, rounds));
}

fn row(workload: &Workload, rounds: usize) {
    let horizon = SimTime::from_secs(workload.secs);
    let [mut product, mut bare, mut stream, mut keyed] = [Tally::default(); 4];
    let mut run_product = || product = measured(&workload.topology, horizon);
    let mut run_bare = || bare = watched(&workload.topology, horizon, &mut ());
    let times = match workload.by_hand {
        Some(by_hand) => {
            let mut run_stream = || stream = by_hand(horizon, Draws::Stream);
            let mut run_keyed = || keyed = by_hand(horizon, Draws::Keyed);
            alternate(rounds, &mut [&mut run_product, &mut run_bare, &mut run_stream, &mut run_keyed])
        }
        None => alternate(rounds, &mut [&mut run_product, &mut run_bare]),
    };
    let events = |tally: Tally| workload.events_a_request.map_or(tally.events, |n| n * tally.served) as f64;
    let nanos = |time: &Duration, tally: Tally| time.as_nanos() as f64 / events(tally);
    let column = |times: &[Duration], tally| median(times.iter().map(|time| nanos(time, tally)));
    let speed = workload.secs as f64 / median(times[0].iter().map(Duration::as_secs_f64));
    print!("| {} | {:.1} M | ", workload.name, events(product) / 1e6);
    match times.as_slice() {
        [with, without, by_hand, by_hand_keyed] => {
            // Of each round by itself: what slows down a round is shared by its contestants.
            let ratios = with.iter().zip(by_hand).map(|(p, h)| nanos(p, product) / nanos(h, stream));
            println!(
                "{:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {speed:.0} |",
                column(by_hand, stream),
                column(by_hand_keyed, keyed),
                column(without, bare),
                column(with, product),
                median(ratios),
            );
        }
        [with, without, ..] => {
            println!("| | {:.1} | {:.1} | | {speed:.1} |", column(without, bare), column(with, product));
        }
        _ => unreachable!("there are two contestants at least"),
    }
}
