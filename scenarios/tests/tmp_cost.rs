//! x
use scenarios::{estimate::Cost, library, run::{Options, run}};
#[test] fn costs() {
  for e in library::ALL {
    let l = e.load().unwrap();
    let o = Options { replications: Some(1), ..Options::default() };
    let c = Cost::of(&l, &o).unwrap();
    let r = run(&l, &o, &()).unwrap();
    println!("{:45} est {:>10.3e} real {:>10.3e} ratio {:.2} state {:>8.1} MB peak {} overload {:?} {:?}", e.name, c.events, r.engine.events as f64, c.events/r.engine.events as f64, c.state_bytes/1e6, r.engine.peak_in_flight, c.overload.as_ref().map(|o| (o.service.clone(), o.resource.clone(), o.load, o.backlog as u64)), c.warnings());
  }
}
