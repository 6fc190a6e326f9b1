//! The night for a terminal: tables, and words that follow from the figures.

use super::{
    BEFORE, CAPPED, EIGHTEEN, EXPIRED, LATE, Played, Report, SIX, SMALL_AND_CAPPED, SMALL_POOLS, SOON, TWELVE, WINDOWS,
};
use crate::report::text::{Page, Role};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use sim_core::stats::{Estimate, wilson};
use std::fmt::Write as _;

impl Report {
    /// For a terminal.
    pub fn text(&self, page: &Page<'_>) -> String {
        let mut text = String::new();
        if self.partial {
            let words = "stopped before all nights were played; rows may be missing or short of nights";
            page.wrapped(&mut text, Some(Role::Bad), "PARTIAL:", words);
        }
        page.wrapped(&mut text, Some(Role::Heading), "", "The World Cup night");
        page.wrapped(
            &mut text,
            None,
            "",
            "A match on the load-balanced cluster, as it is in the story's year 2.4: six servers with eight connections each \
             to one database, 450 requests a second, and three goals, at minutes 33, 41 and 88, after which up to twice as \
             many come for some minutes. One queue feeds all servers, as in the reference that this night is checked \
             against; in the years each has its own.",
        );
        text.push('\n');
        text.push_str(&table(&self.rows));
        text.push('\n');
        page.wrapped(
            &mut text,
            Some(Role::Faint),
            "",
            "collapsed: nights in which less than half of what came in minutes 110 to 128 was served; served: the share \
             served in the end, of all requests and of those that came in the minutes named. Under a row of several nights: \
             the 95% interval of the share that collapse, and half of those of the means.",
        );
        text.push('\n');
        page.wrapped(&mut text, None, "", &self.words().join(" "));
        for (kappa, rows) in &self.kappas {
            let _ = write!(text, "\nThe same with a contention kappa of {kappa} instead of 0.001:\n\n{}", table(rows));
        }
        if !self.separate.is_empty() {
            let _ = write!(
                text,
                "\nWith one queue a server and round robin instead of one queue for all:\n\n{}",
                table(&self.separate)
            );
        }
        if let Some(check) = self.against_reference() {
            let _ = write!(text, "\nAgainst an independent prototype of the same model:\n\n{}", check.text());
        }
        text
    }

    /// The row with this label.
    fn row(&self, label: &str) -> Option<&Played> {
        self.rows.iter().find(|played| played.row.label == label && !played.nights.is_empty())
    }

    /// What happened, in sentences that follow from the figures.
    pub(super) fn words(&self) -> Vec<String> {
        let mut said = Vec::new();
        let percent = |played: &Played| format!("{:.1}%", 100.0 * played.availability().map_or(f64::NAN, |e| e.mean));
        let mean = |played: &Played| played.availability().map_or(f64::NAN, |e| e.mean);
        let all_collapsed = |played: &Played| played.collapsed() == played.nights.len();
        let none_collapsed = |played: &Played| played.collapsed() == 0;
        if let Some(row) = self.row(BEFORE) {
            said.push(format!("On an ordinary evening of 330 requests a second six servers serve {}.", percent(row)));
        }
        let Some(six) = self.row(SIX) else { return said };
        if all_collapsed(six) {
            let amplification = six.estimate(|n| n.amplification).map_or(f64::NAN, |e| e.mean);
            said.push(format!(
                "At 450 the first goal overloads them, people refresh, every request becomes {amplification:.1} \
                 attempts, and long after the goal is over the night stays lost: {} served. Attempts wait longer than \
                 people do, so the servers work for nobody.",
                percent(six)
            ));
        } else {
            said.push(format!("At 450 six servers serve {}.", percent(six)));
        }
        if let Some(late) = self.row(LATE) {
            let gain = mean(late) - mean(six);
            said.push(if gain < 0.01 {
                format!("Twelve more servers at minute 45, after the collapse, change nothing ({}).", percent(late))
            } else {
                format!("Twelve more servers at minute 45 bring it to {}.", percent(late))
            });
        }
        if let (Some(twelve), Some(eighteen)) = (self.row(TWELVE), self.row(EIGHTEEN)) {
            said.push(if all_collapsed(twelve) && all_collapsed(eighteen) {
                format!(
                    "Twelve or eighteen from the start collapse too ({}, {}): each brings eight more connections to the \
                     one database, which does less the more it has.",
                    percent(twelve),
                    percent(eighteen)
                )
            } else {
                format!("Twelve or eighteen from the start serve {} and {}.", percent(twelve), percent(eighteen))
            });
        }
        if let (Some(expired), Some(soon)) = (self.row(EXPIRED), self.row(SOON)) {
            said.push(if mean(expired) - mean(six) < 0.01 && none_collapsed(soon) {
                format!(
                    "Dropping what has already expired does nothing ({}), since what is let in with little time left \
                     still dies in service; dropping what has under 0.3 s left saves the night ({}).",
                    percent(expired),
                    percent(soon)
                )
            } else {
                format!(
                    "Dropping what has expired serves {}, what has under 0.3 s left {}.",
                    percent(expired),
                    percent(soon)
                )
            });
        }
        if let Some(capped) = self.row(CAPPED) {
            said.push(if none_collapsed(capped) {
                format!("So does a limit on the queue: {} with the same six servers.", percent(capped))
            } else {
                format!("A limit on the queue serves {}.", percent(capped))
            });
        }
        if let Some(small) = self.row(SMALL_POOLS) {
            let (k, n) = (small.collapsed() as u64, small.nights.len() as u64);
            let (low, high) = wilson(k, n, 0.95);
            said.push(format!(
                "Eighteen servers with pools of two held in {} of {n} nights and lost {k} (95% interval for the share lost: \
                 {:.0}% to {:.0}%): a fix that one run, or one evening, makes look perfect.",
                n - k,
                100.0 * low,
                100.0 * high
            ));
        }
        if let Some(both) = self.row(SMALL_AND_CAPPED)
            && none_collapsed(both)
        {
            said.push(format!("With the limit as well they held in {} of {0}.", both.nights.len()));
        }
        said.push(
            "How much hangs on a guess: the contention of the database (kappa 0.001) is one. In the reference, with \
             0.0003 or 0.0001 scaling late still never helps and the limit always does, but more servers beforehand \
             then do help; `outgrow night --full` plays that too."
                .to_owned(),
        );
        said
    }
}

/// A figure of a window, short: `1`, `.129`, `0`.
pub(super) fn short(x: f64) -> String {
    if x.is_nan() {
        "-".to_owned()
    } else if x > 0.9995 {
        "1".to_owned()
    } else if x < 0.0005 {
        "0".to_owned()
    } else {
        format!("{x:.3}").trim_start_matches('0').to_owned()
    }
}

/// A row each; under a row of several nights half of the 95% interval of each figure, and Wilson's
/// interval for the share of nights that collapse.
fn table(rows: &[Played]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(99);
    table.set_header(["configuration", "collapsed", "served", "5-30", "33-40", "41-50", "75-87", "110-128"]);
    for played in rows.iter().filter(|p| !p.nights.is_empty()) {
        let (k, n) = (played.collapsed(), played.nights.len());
        let estimates: Vec<_> = (0..WINDOWS.len()).map(|i| played.estimate(|night| night.windows[i])).collect();
        let availability = played.availability();
        let mut cells = vec![played.row.label.to_owned(), format!("{k} of {n}")];
        cells.push(availability.map_or_else(String::new, |e| format!("{:.4}", e.mean)));
        cells.extend(estimates.iter().map(|e| short(e.map_or(f64::NAN, |e| e.mean))));
        table.add_row(cells);
        if n > 1 {
            let (low, high) = wilson(k as u64, n as u64, 0.95);
            let half = |e: &Option<Estimate>| {
                e.and_then(|e| e.half_width_95).map_or_else(String::new, |h| format!("\u{b1}{h:.4}"))
            };
            let mut cells =
                vec![String::new(), format!("{:.0}-{:.0}%", 100.0 * low, 100.0 * high), half(&availability)];
            cells.extend(
                estimates.iter().map(|e| {
                    e.and_then(|e| e.half_width_95).map_or_else(String::new, |h| format!("\u{b1}{}", short(h)))
                }),
            );
            table.add_row(cells);
        }
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if i == 0 {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(35)));
        }
        column.set_cell_alignment(if i == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.to_string().lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
