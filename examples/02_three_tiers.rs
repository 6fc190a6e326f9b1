//! This example demonstrates:
//!
//! - services that call each other, over pools of connections,
//! - users who wait for the answer and think (a closed population),
//! - comparing designs by changing one value at a time,
//! - and asking a report which resource binds.
//!
//! The question: **we are too slow; what should we double?** A web server, an application and a
//! database stand in a row, and 600 users want more of them than they can do. The answer of the
//! bottleneck law: the throughput is that of the tier that binds, and doubling any other changes
//! nothing but where people wait. Once the right one is doubled the next one binds.
//!
//! Run it with `cargo run -p examples --example 02_three_tiers`.

use scenarios::document::Document;
use scenarios::load::{Loaded, Traces};
use scenarios::report::RunReport;
use scenarios::run::{Options, run};
use std::fmt::Write as _;

const SCENARIO: &str = r#"(
    services: {
        // 2 x 2 cores / 4 ms = 1000 pages a second.
        "web": (
            replicas: 2, processor: Cores(2),
            endpoints: {"page": [Work(Exponential("4ms")), Call("app.render")]},
        ),
        // 3 x 4 cores / 12 ms = 1000. With 3 x 4 connections of 10 ms it asks for 1200 queries at most.
        "app": (
            replicas: 3, processor: Cores(4), calls: {"db": (pool: 4)},
            endpoints: {"render": [Work(Exponential("12ms")), Call("db.query")]},
        ),
        // 8 / 10 ms = 800.
        "db": (processor: Servers(8), endpoints: {"query": [Work(Exponential("10ms"))]}),
    },
    clients: {"users": (arrivals: Closed(users: 600, think: Exponential("500ms")), mix: {"web.page": 1})},
    run: (warm_up: "10s", horizon: "40s", replications: 3),
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
    let as_it_is = Loaded::document(Document::parse("three-tiers.ron", SCENARIO), &Traces::Library)?;
    let (web, app) = ("services.web.replicas", "services.app.replicas");
    let (db, pool) = ("services.db.processor", "services.app.calls.db.pool");
    let designs: [(&str, &[(&str, &str)]); 6] = [
        ("as it is", &[]),
        ("twice the web servers", &[(web, "4")]),
        ("twice the application", &[(app, "6")]),
        ("twice the database", &[(db, "Servers(16)")]),
        ("twice everything", &[(web, "4"), (app, "6"), (db, "Servers(16)")]),
        ("twice, 6 connections", &[(web, "4"), (app, "6"), (db, "Servers(16)"), (pool, "1")]),
    ];

    let mut page =
        "                        pages/s   response   pool wait   db wait    web   app  pool    db   binds\n"
            .to_owned();
    for (name, changes) in designs {
        let report = run(&as_it_is.with(changes)?, &Options::default(), &())?;
        writeln!(page, "{name:22}{}", line(&report))?;
    }
    Ok(page)
}

/// The figures of a design.
fn line(report: &RunReport) -> String {
    let figure = |path: &str| report.mean(path).expect("people were served, so that the figure exists");
    let ms = |path: &str| format!("{:.0} ms", 1e3 * figure(path));
    let percent = |path: &str| format!("{:.0}%", 100.0 * figure(path));
    format!(
        "{:9.0}{:>11}{:>12}{:>10}{:>7}{:>6}{:>6}{:>6}   {}",
        figure("metrics.goodput_per_s"),
        ms("metrics.response_mean_s"),
        ms("services.app.pool_wait_mean_s"),
        ms("services.db.waiting_mean_s"),
        percent("services.web.utilisation.processor"),
        percent("services.app.utilisation.processor"),
        percent("services.app.utilisation.pool:db"),
        percent("services.db.utilisation.processor"),
        report.binding.as_ref().map_or_else(String::new, |binding| format!("{} {}", binding.service, binding.resource)),
    )
}
