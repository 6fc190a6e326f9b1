//! This example demonstrates:
//!
//! - a probe of your own, which takes what the standard one does not keep: a curve over time,
//! - the engine underneath: a run as a value, driven by hand,
//! - and that a library scenario with a few values changed is another design on the same evening.
//!
//! The question: **what does a night look like when it is lost, minute by minute?** The probe counts
//! what is asked for and what is served, by the second in which the request first came. Drawn for four
//! designs, that is the picture in the README.
//!
//! Run it with `cargo run --release -p examples --example 03_a_probe_of_your_own > docs/night.svg`.

use anyhow::Context as _;
use models::probe::{Arrival, Outcome, Probe};
use models::system::{Limits, System};
use scenarios::library;
use scenarios::load::Loaded;
use sim_core::time::SimTime;
use std::fmt::Write as _;

/// Requests by the minute in which they first came.
struct ByMinute {
    asked: Vec<f64>,
    served: Vec<f64>,
}

impl Probe for ByMinute {
    fn arrival(&mut self, now: SimTime, _: &Arrival) {
        self.asked[minute(now)] += 1.0;
    }

    fn outcome(&mut self, _: SimTime, outcome: &Outcome) {
        if outcome.result.is_ok() {
            self.served[minute(outcome.started)] += 1.0;
        }
    }
}

const MINUTES: usize = 130;

fn minute(at: SimTime) -> usize {
    ((at.as_secs_f64() / 60.0) as usize).min(MINUTES - 1)
}

/// A design: its name, what is changed in the library's night, and how its curve is drawn.
struct Design {
    name: &'static str,
    note: &'static str,
    changes: &'static [(&'static str, &'static str)],
    class: &'static str,
}

const DESIGNS: [Design; 4] = [
    Design {
        name: "at most 1500 waiting",
        note: "6 servers:",
        changes: &[("services.app.queue.cap", "1500")],
        class: "a",
    },
    Design { name: "18 servers", note: "from the start:", changes: &[("services.app.replicas", "18")], class: "b" },
    Design { name: "6 servers", note: "as they were:", changes: &[], class: "c" },
    Design {
        name: "12 more at minute 45",
        note: "under the red:",
        changes: &[("timeline", "[(at: \"45min\", act: Scale(service: \"app\", to: 18))]")],
        class: "d",
    },
];

fn main() -> anyhow::Result<()> {
    print!("{}", lesson()?);
    Ok(())
}

/// What the example prints: the picture.
///
/// # Errors
/// The library's night has changed so much that it no longer has the values changed here.
pub(crate) fn lesson() -> anyhow::Result<String> {
    let night = Loaded::entry(library::find("world-cup-night").context("the library has the night")?)?;
    let curves: Vec<ByMinute> = std::thread::scope(|scope| {
        let play = |design: &'static Design| {
            let changed = night.with(design.changes);
            scope.spawn(move || played(&changed?))
        };
        let threads: Vec<_> = DESIGNS.iter().map(play).collect();
        threads.into_iter().map(|thread| thread.join().expect("no night panics")).collect::<anyhow::Result<_>>()
    })?;
    Ok(picture(&curves))
}

fn played(night: &Loaded) -> anyhow::Result<ByMinute> {
    let mut run = System::run(night.topology.clone(), night.timeline.clone(), 1, 0, Limits::default());
    let mut curve = ByMinute { asked: vec![0.0; MINUTES], served: vec![0.0; MINUTES] };
    run.run_until(night.horizon(), &mut curve)?;
    Ok(curve)
}

/// Size of the picture, and of its margins: left, right, top, bottom.
const SIZE: (f64, f64) = (920.0, 380.0);
const MARGINS: (f64, f64, f64, f64) = (56.0, 240.0, 46.0, 44.0);
/// Requests a second at the top.
const TOP: f64 = 1000.0;

fn x(minute: f64) -> f64 {
    MARGINS.0 + (SIZE.0 - MARGINS.0 - MARGINS.1) * minute / MINUTES as f64
}

fn y(rate: f64) -> f64 {
    SIZE.1 - MARGINS.3 - (SIZE.1 - MARGINS.2 - MARGINS.3) * rate / TOP
}

/// A curve through the middle of each minute.
fn path(by_minute: &[f64]) -> String {
    let points = by_minute.iter().enumerate().map(|(m, n)| format!("{:.1},{:.1}", x(m as f64 + 0.5), y(n / 60.0)));
    format!("M{}", points.collect::<Vec<_>>().join(" L"))
}

const STYLE: &str = "<style>
text{font:13px system-ui,sans-serif;fill:#334155} .t{font-size:16px;font-weight:600;fill:#0f172a} .s{font-size:12px;fill:#64748b}
.n{font-weight:600} .bg{fill:#fff} .grid{stroke:#e2e8f0} .asked{fill:#cbd5e1;opacity:.75} .goal{stroke:#94a3b8;stroke-dasharray:3 4}
path{fill:none} .a{stroke:#059669;stroke-width:2.4} .b{stroke:#7c3aed;stroke-width:1.8;stroke-dasharray:2 3}
.c{stroke:#dc2626;stroke-width:2.4} .d{stroke:#d97706;stroke-width:1.8;stroke-dasharray:7 4}
@media (prefers-color-scheme:dark){text{fill:#cbd5e1} .t{fill:#f1f5f9} .s{fill:#94a3b8} .bg{fill:#0f172a} .grid{stroke:#1e293b}
.asked{fill:#334155} .goal{stroke:#64748b} .a{stroke:#34d399} .b{stroke:#a78bfa} .c{stroke:#f87171} .d{stroke:#fbbf24}}
</style>";

fn picture(curves: &[ByMinute]) -> String {
    let (width, height) = SIZE;
    let (left, right, top, bottom) = MARGINS;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Requests served a second during one evening under four designs\">\n{STYLE}\n\
         <rect class=\"bg\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"t\" x=\"{left}\" y=\"24\">One evening, four designs: requests served per second</text>\n"
    );
    let (from, to) = (left, width - right);
    for rate in (0..=TOP as u32).step_by(200) {
        let y = y(f64::from(rate));
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{from}\" x2=\"{to}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"s\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{rate}</text>",
            from - 8.0,
            y + 4.0
        );
    }
    for minute in (0..=MINUTES).step_by(10) {
        let (x, y) = (x(minute as f64), height - bottom + 18.0);
        let _ = writeln!(svg, "<text class=\"s\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{minute}</text>");
    }
    let (middle, foot) = ((from + to) / 2.0, height - 8.0);
    let _ = writeln!(
        svg,
        "<text class=\"s\" x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">minutes; kick-off at 10</text>"
    );
    let asked = path(&curves[0].asked);
    let _ = writeln!(svg, "<path class=\"asked\" d=\"{asked} V{:.1} H{:.1} Z\"/>", y(0.0), x(0.5));
    for goal in [33.0, 41.0, 88.0] {
        let (x, y) = (x(goal), y(0.0));
        let _ = writeln!(
            svg,
            "<line class=\"goal\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{y:.1}\"/>\
             <text class=\"s\" x=\"{:.1}\" y=\"{:.1}\">goal</text>",
            x + 4.0,
            top + 10.0
        );
    }
    // The first design on top, so that it is not hidden where all are alike; the last at the bottom.
    let drawn: Vec<_> = DESIGNS.iter().zip(curves).collect();
    for (design, curve) in drawn.iter().rev() {
        let _ = writeln!(svg, "<path class=\"{}\" d=\"{}\"/>", design.class, path(&curve.served));
    }
    for (i, (design, curve)) in drawn.iter().enumerate() {
        let (x, y) = (to + 14.0, top + 34.0 + 58.0 * i as f64);
        let share = 100.0 * curve.served.iter().sum::<f64>() / curve.asked.iter().sum::<f64>();
        let _ = writeln!(
            svg,
            "<path class=\"{}\" d=\"M{x},{} h26\"/><text class=\"n\" x=\"{}\" y=\"{y}\">{}</text>\
             <text class=\"s\" x=\"{}\" y=\"{}\">{} {share:.0}% served</text>",
            design.class,
            y - 4.0,
            x + 34.0,
            design.name,
            x + 34.0,
            y + 17.0,
            design.note
        );
    }
    let (x, y) = (to + 14.0, top + 34.0 + 58.0 * drawn.len() as f64);
    let _ = writeln!(
        svg,
        "<rect class=\"asked\" x=\"{x}\" y=\"{}\" width=\"26\" height=\"12\"/><text x=\"{}\" y=\"{y}\">asked for</text>\n</svg>",
        y - 11.0,
        x + 34.0
    );
    svg
}
