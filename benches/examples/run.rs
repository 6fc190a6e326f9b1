//! One workload, once, for a profiler or for callgrind: `run W3 50`, `run W3 50 bare` without a probe,
//! `run W3 50 hand` as a loop by hand.
//!
//! Instructions an event are the difference of two runs over that of their events, so that what is done once does
//! not count: `valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/run W1 20000`.

use benches::{by_hand, designs, measured, watched};
use sim_core::time::SimTime;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, secs, probe @ ..] = arguments.as_slice() else { panic!("say which workload and for how many seconds") };
    let horizon = SimTime::from_secs(secs.parse().expect("whole seconds"));
    let topology = match name.as_str() {
        "W1" => designs::servers(1, 0.8),
        "W2" => designs::servers(100, 90.0),
        "W3" => designs::three_tiers(100_000),
        "W4" => designs::three_tiers_with_timeouts(100_000),
        "W5" => designs::world_cup_night(),
        "W6" => designs::many_in_flight(),
        other => panic!("there is no workload {other}"),
    };
    let stream = by_hand::Stream::default();
    let tally = match (probe.first().map(String::as_str), name.as_str()) {
        (None, _) => measured(&topology, horizon),
        (Some("hand"), "W1") => by_hand::w1(stream, 0.8, horizon),
        (Some("hand"), "W2") => by_hand::w2(stream, 100, 90.0, horizon),
        (Some("hand"), "W3") => by_hand::w3(stream, 100_000, horizon),
        _ => watched(&topology, horizon, &mut ()),
    };
    println!("{} events, {} served, mean {} s", tally.events, tally.served, tally.mean_secs);
}
