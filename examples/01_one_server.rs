//! This example demonstrates:
//!
//! - a scenario as a text within a program,
//! - the same scenario with other values,
//! - running it and asking for a figure with its interval,
//! - and that the figure is right.
//!
//! The question: **on average, how long do customers wait?** One server takes 20 ms for each of them,
//! exponentially distributed; they come independently of each other. Theory knows the answer, M/M/1:
//! at utilisation rho the mean wait is rho / (1 - rho) service times. It is not proportional to the
//! load: from 80% to 95% it grows fivefold.
//!
//! Run it with `cargo run -p examples --example 01_one_server`.

use anyhow::Context as _;
use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::run::{Options, run};
use std::fmt::Write as _;

const SCENARIO: &str = r#"(
    services: {"counter": (processor: Servers(1), endpoints: {"serve": [Work(Exponential("20ms"))]})},
    clients: {"customers": (arrivals: Poisson(Constant(40)), mix: {"counter.serve": 1})},
    run: (warm_up: "1min", horizon: "1h", replications: 8),
)"#;

fn main() -> anyhow::Result<()> {
    print!("{}", lesson()?);
    Ok(())
}

/// What the example prints.
///
/// # Errors
/// The scenario makes no sense, which would be told with line and column.
pub(crate) fn lesson() -> anyhow::Result<String> {
    let scenario = Loaded::document(Document::parse("one-server.ron", SCENARIO), &Traces::Library)?;
    let service_ms = 20.0;

    let mut page = "customers/s   busy   wait, simulated   wait, theory\n".to_owned();
    for rate in [25.0, 40.0, 45.0, 47.5] {
        let arrivals = format!("Poisson(Constant({rate}))");
        let scenario = scenario.with(&[("clients.customers.arrivals", &arrivals)])?;
        let report = run(&scenario, &Options::default(), &())?;

        let busy = report.mean("services.counter.utilisation.processor").context("the server has worked")?;
        let wait = report.figure("services.counter.waiting_mean_s").and_then(|figure| figure.estimate);
        let wait = wait.context("somebody was served")?;
        let half_width = wait.half_width_95.context("there are several replications")?;

        let rho = rate * service_ms / 1e3;
        let theory_ms = rho / (1.0 - rho) * service_ms;
        let (wait_ms, half_width_ms) = (1e3 * wait.mean, 1e3 * half_width);
        writeln!(
            page,
            "{rate:11}   {:3.0}%   {wait_ms:6.1} ± {half_width_ms:4.1} ms   {theory_ms:9.1} ms",
            100.0 * busy
        )?;
    }
    Ok(page)
}
