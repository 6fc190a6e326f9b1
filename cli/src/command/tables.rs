//! `--csv`: the figures of runs as tidy tables, one figure a row.

use crate::term;
use anyhow::{Context as _, bail};
use scenarios::comparison::Comparison;
use scenarios::report::{Figure, RunReport};
use std::path::{Path, PathBuf};

/// The folder the tables go to, known to take them.
pub(super) struct Tables(PathBuf);

const METRICS: &str = "metrics.csv";
const WINDOWS: &str = "windows.csv";
const COMPARISONS: &str = "comparisons.csv";

impl Tables {
    /// Makes the folder, and finds out before anything is run whether tables would be lost.
    pub(super) fn prepare(folder: &Path, force: bool) -> anyhow::Result<Self> {
        let shown = folder.display();
        let there = |name: &&str| folder.join(name).exists();
        let lost: Vec<&str> = [METRICS, WINDOWS, COMPARISONS].into_iter().filter(there).collect();
        if !force && !lost.is_empty() {
            bail!(
                "`{shown}` has {} already: choose another folder, or write over them with --force",
                lost.join(" and ")
            );
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
        Ok(Self(folder.to_owned()))
    }

    /// Writes the tables and says so.
    pub(super) fn write(&self, reports: &[RunReport], comparisons: &[Comparison]) -> anyhow::Result<()> {
        let (mut metrics, mut windows) = (Vec::new(), Vec::new());
        for report in reports {
            for figure in report.figures.values() {
                let (entity, metric) = place(figure);
                match entity.strip_prefix("windows.") {
                    Some(window) => windows.push(row(report, window, &metric, figure)),
                    None => metrics.push(row(report, &entity, &metric, figure)),
                }
            }
        }
        let differences = comparisons.iter().flat_map(|comparison| {
            comparison.differences.values().map(|difference| {
                let (entity, metric) = place(&difference.figure);
                let estimate = difference.estimate;
                [
                    comparison.a.clone(),
                    comparison.b.clone(),
                    entity,
                    metric,
                    difference.figure.definition.unit.name().to_owned(),
                    number(difference.a),
                    number(difference.b),
                    number(estimate.map(|e| e.mean)),
                    number(estimate.and_then(|e| e.half_width_95)),
                    difference.pairs.to_string(),
                ]
            })
        });
        let header =
            ["scenario", "version", "seed", "partial", "entity", "metric", "unit", "mean", "ci95", "replications"];
        self.table(METRICS, &header, metrics)?;
        self.table(WINDOWS, &header.map(|column| if column == "entity" { "window" } else { column }), windows)?;
        let header = ["a", "b", "entity", "metric", "unit", "mean_a", "mean_b", "difference", "ci95", "pairs"];
        self.table(COMPARISONS, &header, differences.collect())
    }

    /// Writes a table, unless it would be empty.
    fn table<const N: usize>(&self, name: &str, header: &[&str; N], rows: Vec<[String; N]>) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let shown = path.display();
        if rows.is_empty() {
            // What is left of earlier runs would be taken for this one's.
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(error).with_context(|| format!("cannot remove the old `{shown}`"))
                }
                _ => Ok(()),
            };
        }
        let write = || -> csv::Result<()> {
            let mut table = csv::Writer::from_path(&path)?;
            table.write_record(header)?;
            rows.iter().try_for_each(|row| table.write_record(row))?;
            Ok(table.flush()?)
        };
        write().with_context(|| format!("cannot write `{shown}`"))?;
        let s = if rows.len() == 1 { "" } else { "s" };
        term::say(format_args!("wrote {shown}: {} row{s}", rows.len()));
        Ok(())
    }
}

/// What a figure is of, and which: `services.db` and `utilisation.processor`. Figures of all requests
/// are of `all`.
fn place(figure: &Figure) -> (String, String) {
    match figure.path.as_slice() {
        [group, metric @ ..] if group == "metrics" => ("all".to_owned(), metric.join(".")),
        [group, name, metric @ ..] => (format!("{group}.{name}"), metric.join(".")),
        path => (String::new(), path.join(".")),
    }
}

fn row(report: &RunReport, entity: &str, metric: &str, figure: &Figure) -> [String; 10] {
    [
        report.scenario.clone(),
        env!("CARGO_PKG_VERSION").to_owned(),
        report.seed.to_string(),
        report.partial.is_some().to_string(),
        entity.to_owned(),
        metric.to_owned(),
        figure.definition.unit.name().to_owned(),
        number(figure.mean()),
        number(figure.estimate.and_then(|estimate| estimate.half_width_95)),
        figure.existing().to_string(),
    ]
}

/// What does not exist is an empty cell.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
