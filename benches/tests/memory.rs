//! What a run holds in memory, and that a steady run does not allocate: counted by the allocator itself.

use benches::{designs, start};
use models::probe::Measure;
use models::system::Run;
use models::topology::Topology;
use sim_core::time::{SimDuration, SimTime};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::{Arc, Mutex};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Bytes allocated and not given back since the region began.
fn held(region: &Region<'_, System>) -> f64 {
    let change = region.change();
    (change.bytes_allocated as isize - change.bytes_deallocated as isize) as f64
}

fn run_to(run: &mut Run, secs: u64) {
    run.run_until(SimTime::from_secs(secs), &mut ()).expect("no limit is near");
}

/// A million requests a second that stay for one: visit and pending event, slack included.
#[test]
fn a_request_in_flight_takes_160_bytes() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let topology = designs::waiting_room(1e6, "1s");
    let region = Region::new(ALLOCATOR);
    let mut run = start(&topology);
    run_to(&mut run, 6);
    let in_flight = run.model.counts().in_flight() as f64;
    let each = held(&region) / in_flight;
    println!("{each:.1} bytes each of {in_flight} requests in flight");
    assert!(in_flight > 990_000.0 && each < 160.0, "{each} bytes each of {in_flight}");
}

/// A queue that hardly moves and callers that give up after a second: what they leave behind is an entry of
/// 32 bytes, in chunks of 512 whose heads add less than one percent.
#[test]
fn an_abandoned_attempt_in_a_queue_takes_32_bytes() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let topology = designs::hopeless(100_000.0);
    let mut run = start(&topology);
    run_to(&mut run, 3);
    let (region, before) = (Region::new(ALLOCATOR), run.model.counts().failed);
    run_to(&mut run, 10);
    let abandoned = (run.model.counts().failed - before) as f64;
    let each = held(&region) / abandoned;
    println!("{each:.2} bytes each of {abandoned} abandoned attempts");
    assert!(abandoned > 690_000.0 && each < 32.5, "{each} bytes each of {abandoned}");
}

/// Only a new high-water mark allocates: of a queue, of requests in flight, of pending events, or of how long a
/// response takes. In the second half of a steady run that is next to never.
#[test]
fn a_steady_run_does_not_allocate() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let check = |name: &str, topology: &Arc<Topology>, secs: u64| {
        let mut run = start(topology);
        let mut measure = Measure::attach(&run, SimDuration::from_secs(1), Vec::new(), false);
        run.run_until(SimTime::from_secs(secs), &mut measure).expect("no limit is near");
        let (region, before) = (Region::new(ALLOCATOR), run.events());
        run.run_until(SimTime::from_secs(2 * secs), &mut measure).expect("no limit is near");
        let (change, events) = (region.change(), run.events() - before);
        let times = change.allocations + change.reallocations;
        println!("{name}: {times} allocations in {events} events");
        assert!(times <= 5, "{name}: {times} allocations in {events} events");
    };
    check("W1", &designs::servers(1, 0.8), 500_000);
    check("W2", &designs::servers(100, 90.0), 3_000);
    check("W3", &designs::three_tiers(10_000), 100);
    check("W4", &designs::three_tiers_with_timeouts(10_000), 100);
    check("W5", &designs::world_cup_night(), 800);
}
