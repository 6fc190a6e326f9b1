//! Two runs are compared event by event, and the first that differs is named.

mod common;

use common::*;
use models::event::Event;
use models::probe::{Difference, Events};

/// The second request needs `second` nanoseconds of work, the others 10.
fn run(second: u64) -> Events {
    let design = design()
        .service("web", service(servers(1), [work(10)]).endpoint("slow", [work(second)]))
        .client("first", client(at([100]), "web.get"))
        .client("second", client(at([200]), "web.slow"))
        .client("third", client(at([300]), "web.get"));
    let mut events = Events::default();
    design.run(vec![]).run_until(instant(1_000), &mut events).unwrap();
    events
}

#[test]
fn equal_runs_have_no_difference() {
    assert_eq!(run(10).first_difference(&run(10)), None);
}

#[test]
fn the_first_event_that_differs_is_named_with_its_index_and_instant() {
    // One arrival and one end of work each, so that the second end of work is event 3.
    let difference = run(10).first_difference(&run(11)).unwrap();
    let ends_at = |t| Some((instant(t), Event::StepEnd { visit: 0 }));
    assert_eq!(difference, Difference { index: 3, one: ends_at(210), other: ends_at(211) });
    assert_eq!(
        difference.to_string(),
        "after 3 equal events comes StepEnd { visit: 0 } at 210ns in one run, StepEnd { visit: 0 } at 211ns in the other"
    );
}

#[test]
fn a_run_that_goes_on_longer_differs_where_the_other_ends() {
    let difference = Events::default().first_difference(&run(10)).unwrap();
    assert_eq!((difference.index, difference.one), (0, None));
    assert_eq!(difference.other, Some((instant(100), Event::Arrival { client: 0 })));
    assert!(difference.to_string().starts_with("after 0 equal events comes the end in one run, Arrival"));
}

#[test]
fn interventions_are_left_out_as_from_a_digest() {
    let design = design().service("web", service(servers(1), [work(10)])).client("users", client(at([5]), "web.get"));
    let events = |acts| {
        let mut events = Events::default();
        design.run(acts).run_until(instant(100), &mut events).unwrap();
        events
    };
    assert_eq!(events(vec![]).first_difference(&events(vec![(50, design.scale("web", 2))])), None);
}
