//! Reports for a person at a terminal, 80 to 120 columns wide.
//!
//! Colour is the caller's business: whoever prints gives a [`Style`].

use super::{Figure, RunReport};
use crate::comparison::{Comparison, Difference};
use crate::expect::Judgement;
use crate::units::{Sign, Unit, brief, interval_text, mean_text, share, span};
use crate::verdict::{Verdict, busiest_of_service};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use std::fmt::Write as _;

/// What a piece of text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The name of a section.
    Heading,
    /// All is well.
    Good,
    /// Something to think about.
    Warning,
    /// Something is wrong.
    Bad,
    /// Less important.
    Faint,
}

/// How pieces of text look.
pub trait Style {
    /// The text as it is printed; the default leaves it plain.
    #[expect(unused_variables, reason = "the default method names its arguments for the reader")]
    fn paint(&self, role: Role, text: &str) -> String {
        text.to_owned()
    }
}

/// No colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Style for Plain {}

/// Where a report is printed.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// Columns; fewer than 60 count as 60.
    pub width: u16,
    /// How pieces of text look.
    pub style: &'a dyn Style,
}

impl Default for Page<'_> {
    /// 100 columns, no colours.
    fn default() -> Self {
        Self { width: 100, style: &Plain }
    }
}

impl Page<'_> {
    fn width(&self) -> usize {
        usize::from(self.width.max(60))
    }

    pub(crate) fn heading(&self, text: &mut String, name: &str, note: &str) {
        let note = if note.is_empty() { String::new() } else { format!("  {}", self.style.paint(Role::Faint, note)) };
        let _ = writeln!(text, "\n{}{note}", self.style.paint(Role::Heading, name));
    }

    /// Words in lines that fit, after a label; further lines are indented by as much.
    pub(crate) fn wrapped(&self, text: &mut String, role: Option<Role>, label: &str, words: &str) {
        let length = |text: &str| text.chars().count();
        let indent = if label.is_empty() { 0 } else { length(label) + 1 };
        let mut lines = Vec::new();
        let mut line = if label.is_empty() { String::new() } else { format!("{label} ") };
        for word in words.split_whitespace() {
            if length(&line) > indent && length(&line) + 1 + length(word) > self.width() {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            }
            if length(&line) > indent {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
        for line in lines {
            let line = role.map_or_else(|| line.clone(), |role| self.style.paint(role, &line));
            let _ = writeln!(text, "{line}");
        }
    }

    /// A table whose first column is text and all others are numbers; empty if it has no rows.
    pub(crate) fn table(&self, text: &mut String, header: &[&str], rows: Vec<Vec<String>>) {
        let mut table = self.columns(header, rows);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width() as u16);
        print(text, &table);
    }

    /// The same with one line for each row, however narrow the page.
    pub(crate) fn even_table(&self, text: &mut String, header: &[&str], rows: Vec<Vec<String>>) {
        let mut table = self.columns(header, rows);
        table.set_content_arrangement(ContentArrangement::Disabled);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        print(text, &table);
    }

    fn columns(&self, header: &[&str], rows: Vec<Vec<String>>) -> Table {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        let cells = |row: Vec<String>| {
            row.into_iter().enumerate().map(|(i, cell)| {
                let alignment = if i == 0 { CellAlignment::Left } else { CellAlignment::Right };
                Cell::new(cell).set_alignment(alignment)
            })
        };
        if !header.is_empty() {
            table.set_header(cells(header.iter().map(|&name| name.to_owned()).collect()));
        }
        for row in rows {
            table.add_row(cells(row));
        }
        table
    }
}

fn print(text: &mut String, table: &Table) {
    for line in table.lines() {
        let _ = writeln!(text, " {}", line.trim_end());
    }
}

/// The report of a run.
pub fn report(report: &RunReport, page: &Page<'_>) -> String {
    let mut text = String::new();
    headline(&mut text, report, page);
    requests(&mut text, report, page);
    clients(&mut text, report, page);
    services(&mut text, report, page);
    windows(&mut text, report, page);
    costs(&mut text, report, page);
    expectations(&mut text, report, page);
    for warning in &report.warnings {
        page.wrapped(&mut text, Some(Role::Warning), "warning:", warning);
    }
    text
}

fn headline(text: &mut String, report: &RunReport, page: &Page<'_>) {
    if let Some(partial) = &report.partial {
        page.wrapped(text, Some(Role::Bad), "PARTIAL:", &partial.message());
    }
    let role = role(report.verdict);
    let verdict = report.verdict.name().to_uppercase();
    let title = report.title.as_ref().map_or_else(String::new, |title| format!(": {title}"));
    // Coloured only after it has been laid out: marks of colour have no width.
    let mut first = String::new();
    page.wrapped(&mut first, None, &verdict, &format!("{}{title}", report.scenario));
    text.push_str(&first.replacen(&verdict, &page.style.paint(role, &verdict), 1));
    let (why, binding, extent) = (why(report), busiest(report), extent(report));
    let parts = [why, binding, extent].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    page.wrapped(text, None, "", &parts.join(" "));
}

/// What a verdict rests on, in a sentence; empty if all is well.
pub(crate) fn why(report: &RunReport) -> String {
    match report.verdict {
        Verdict::Collapsed => {
            let (collapsed, of) = report.collapsed().unwrap_or_default();
            let when = report
                .collapse
                .as_ref()
                .map_or_else(|| "in the end".to_owned(), |name| format!("in the window \"{name}\""));
            format!("{collapsed} of {of} runs collapsed: {when} they served less than half of what came.")
        }
        Verdict::Breached => format!(
            "{} of the requests are served within {}, and {} is promised.",
            report.mean("metrics.slo_good_ratio").map_or_else(|| "None".to_owned(), share),
            span(report.slo.threshold.get().as_secs_f64()),
            share(report.slo.objective.get())
        ),
        Verdict::Undecided => match report.mean("metrics.unknown_ratio") {
            Some(unknown) => format!("{} of the requests are still open at the end.", share(unknown)),
            None => "No request counts.".to_owned(),
        },
        Verdict::Healthy | Verdict::Strained => String::new(),
    }
}

/// Which resource is the busiest, in a sentence; empty if none has a utilisation.
pub(crate) fn busiest(report: &RunReport) -> String {
    report.binding.as_ref().map_or_else(String::new, |binding| {
        let resource = resource(&binding.resource);
        format!("Busiest: {resource} of {}, {}.", binding.service, share(binding.utilisation))
    })
}

/// What was run: `5 runs of 10 min, the first 1 min not counted, seed 1.`
pub(crate) fn extent(report: &RunReport) -> String {
    let runs = match report.replications.len() {
        1 => "1 run".to_owned(),
        n => format!("{n} runs"),
    };
    let warm_up = match report.warm_up.as_secs_f64() {
        0.0 => String::new(),
        seconds => format!(", the first {} not counted", span(seconds)),
    };
    let horizon = span(report.horizon.as_secs_f64());
    format!("{runs} of {horizon}{warm_up}, seed {}.", report.seed)
}

/// What a verdict stands for.
pub(crate) const fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Healthy => Role::Good,
        Verdict::Strained | Verdict::Undecided => Role::Warning,
        Verdict::Breached | Verdict::Collapsed => Role::Bad,
    }
}

/// `pool:db` as "connections to db".
pub(crate) fn resource(name: &str) -> String {
    match name.strip_prefix("pool:") {
        Some(callee) => format!("connections to {callee}"),
        None => name.to_owned(),
    }
}

/// What the figures of requests are, which [`request_rows`] gives.
pub(crate) fn intervals(report: &RunReport) -> &'static str {
    if report.replications.len() > 1 { "mean ± 95% interval over runs" } else { "one run: no intervals" }
}

fn requests(text: &mut String, report: &RunReport, page: &Page<'_>) {
    page.heading(text, "Requests", intervals(report));
    page.table(text, &[], request_rows(report));
}

/// The figures of all requests: name and value.
pub(crate) fn request_rows(report: &RunReport) -> Vec<Vec<String>> {
    let within = format!("served within {}", span(report.slo.threshold.get().as_secs_f64()));
    let names = [
        ("arrivals_per_s", "fresh requests"),
        ("attempts_per_request", "attempts per request"),
        ("goodput_per_s", "served"),
        ("availability", "availability"),
        ("slo_good_ratio", within.as_str()),
        ("unknown_ratio", "open at the end"),
        ("collapsed_ratio", "collapsed runs"),
        ("response_mean_s", "response time, mean"),
        ("response_p50_s", "50% within"),
        ("response_p90_s", "90% within"),
        ("response_p95_s", "95% within"),
        ("response_p99_s", "99% within"),
        ("response_p999_s", "99.9% within"),
        ("in_flight_mean", "in flight, mean"),
        ("in_flight_max", "in flight, most"),
    ];
    let mut rows = Vec::new();
    for (key, name) in names {
        let Some(figure) = report.figure(&format!("metrics.{key}")) else { continue };
        let nothing = figure.mean().is_none_or(|mean| mean == 0.0);
        if matches!(key, "unknown_ratio" | "collapsed_ratio") && nothing {
            continue;
        }
        let value = match (key, report.collapsed(), figure.wilson_95()) {
            ("collapsed_ratio", Some((collapsed, of)), Some((low, high))) => {
                format!("{collapsed} of {of} (95%: {} to {})", share(low), share(high))
            }
            _ => with_interval(figure),
        };
        rows.push(vec![name.to_owned(), value]);
    }
    for (cause, figure) in report.figures_at(&["metrics", "failures"]) {
        if figure.mean().is_some_and(|mean| mean > 0.0) {
            rows.push(vec![format!("failed: {cause}"), with_interval(figure)]);
        }
    }
    rows
}

fn costs(text: &mut String, report: &RunReport, page: &Page<'_>) {
    let Some(currency) = &report.currency else { return };
    page.heading(text, "Costs", &format!("{currency}; {}", intervals(report)));
    page.table(text, &[], cost_rows(report));
}

/// The figures of costs: name and value. What costs nothing is left out.
pub(crate) fn cost_rows(report: &RunReport) -> Vec<Vec<String>> {
    let names = [
        ("per_million_good", "for a million good requests"),
        ("per_h", "an hour, in all"),
        ("machines_per_h", "machines"),
        ("storage_per_h", "storage"),
        ("requests_per_h", "paid by requests"),
        ("engineers_per_h", "engineers"),
        ("lost_per_h", "lost with failed requests"),
    ];
    let row = |(key, name): (&str, &str)| {
        let figure = report.figure(&format!("costs.{key}"))?;
        let counts = key.starts_with("per_") || figure.mean().is_some_and(|mean| mean > 0.0);
        counts.then(|| vec![name.to_owned(), with_interval(figure)])
    };
    let mut rows: Vec<_> = names.into_iter().filter_map(row).collect();
    let of_service = |name: &String| {
        let figure = report.figure(&format!("services.{name}.cost_per_h"))?;
        Some(vec![format!("service {name}"), with_interval(figure)])
    };
    rows.extend(report.services.iter().filter_map(of_service));
    rows
}

fn clients(text: &mut String, report: &RunReport, page: &Page<'_>) {
    if report.clients.len() < 2 {
        return;
    }
    page.heading(text, "Clients", "means");
    page.table(text, &CLIENTS, client_rows(report));
}

/// What stands in the columns of [`client_rows`].
pub(crate) const CLIENTS: [&str; 6] = ["", "requests", "available", "within SLO", "response", "p99"];

/// The figures of each client population.
pub(crate) fn client_rows(report: &RunReport) -> Vec<Vec<String>> {
    let row = |name: &String| {
        let figure = |key: &str| report.figure(&format!("clients.{name}.{key}"));
        let keys = ["arrivals_per_s", "availability", "slo_good_ratio", "response_mean_s", "response_p99_s"];
        std::iter::once(name.clone()).chain(keys.iter().map(|key| short(figure(key)))).collect()
    };
    report.clients.iter().map(row).collect()
}

fn services(text: &mut String, report: &RunReport, page: &Page<'_>) {
    page.heading(text, "Services", "means, by attempts; lost: rejected or abandoned");
    page.table(text, &SERVICES, service_rows(report));
    let waits = pool_waits(report);
    if !waits.is_empty() {
        page.wrapped(text, None, " waiting for a connection, mean:", &waits.join(", "));
    }
    let hosts = host_rows(report);
    if !hosts.is_empty() {
        page.heading(text, "Hosts", "servers or cores in use, and by whom");
        page.table(text, &HOSTS, hosts);
    }
    let caches = cache_rows(report);
    if !caches.is_empty() {
        page.heading(text, "Caches", "means, by lookups");
        page.table(text, &CACHES, caches);
    }
}

/// What stands in the columns of [`host_rows`].
pub(crate) const HOSTS: [&str; 4] = ["", "in use", "busy", "by service"];

/// The figures of each host.
pub(crate) fn host_rows(report: &RunReport) -> Vec<Vec<String>> {
    let row = |name: &String| {
        let figure = |key: &str| short(report.figure(&format!("hosts.{name}.{key}")));
        let place = ["hosts", name, "shares"];
        let shares = report.figures_at(&place).map(|(service, share)| format!("{service} {}", short(Some(share))));
        let shares = shares.collect::<Vec<_>>().join(", ");
        vec![name.clone(), figure("busy_mean"), figure("utilisation"), shares]
    };
    report.hosts.iter().map(row).collect()
}

/// What stands in the columns of [`cache_rows`].
pub(crate) const CACHES: [&str; 6] = ["", "lookups", "hit", "waited", "refreshed", "fetches"];

/// The figures of each cache.
pub(crate) fn cache_rows(report: &RunReport) -> Vec<Vec<String>> {
    let cache = |figure: &Figure| match &figure.path[..] {
        [services, service, caches, cache, key]
            if services == "services" && caches == "caches" && key == "hit_ratio" =>
        {
            Some((service.clone(), cache.clone()))
        }
        _ => None,
    };
    let row = |(service, cache): (String, String)| {
        let figure = |key: &str| short(report.figure(&format!("services.{service}.caches.{cache}.{key}")));
        let keys = ["lookups_per_s", "hit_ratio", "waited_ratio", "refreshed_ratio", "fetches_per_s"];
        std::iter::once(format!("{service} {cache}")).chain(keys.iter().map(|key| figure(key))).collect()
    };
    report.figures.values().filter_map(cache).map(row).collect()
}

/// What stands in the columns of [`service_rows`].
pub(crate) const SERVICES: [&str; 9] =
    ["", "replicas", "busiest", "served", "queue", "waiting", "response", "p99", "lost"];

/// The figures of each service.
pub(crate) fn service_rows(report: &RunReport) -> Vec<Vec<String>> {
    let row = |name: &String| {
        let figure = |key: &str| report.figure(&format!("services.{name}.{key}"));
        let mean = |key: &str| figure(key).and_then(Figure::mean);
        let place = ["services", name, "utilisation"];
        let busiest = busiest_of_service(report.figures_at(&place));
        let busiest = busiest.map_or_else(|| "-".to_owned(), |(resource, busy)| format!("{resource} {}", brief(busy)));
        let lost = mean("rejected_ratio").zip(mean("abandoned_ratio")).map(|(a, b)| a + b);
        vec![
            name.clone(),
            short(figure("replicas_mean")),
            busiest,
            short(figure("throughput_per_s")),
            short(figure("queue_length_mean")),
            short(figure("waiting_mean_s")),
            short(figure("response_mean_s")),
            short(figure("response_p99_s")),
            lost.map_or_else(|| "-".to_owned(), brief),
        ]
    };
    report.services.iter().map(row).collect()
}

/// Services that wait for connections, and how long on average.
pub(crate) fn pool_waits(report: &RunReport) -> Vec<String> {
    let waits = report.services.iter().filter_map(|name| {
        let wait = report.mean(&format!("services.{name}.pool_wait_mean_s"))?;
        (wait > 0.0).then(|| format!("{name} {}", span(wait)))
    });
    waits.collect()
}

fn windows(text: &mut String, report: &RunReport, page: &Page<'_>) {
    if report.windows.is_empty() {
        return;
    }
    page.heading(text, "Windows", "by the first arrival of a request");
    page.table(text, &WINDOWS, window_rows(report));
}

/// What stands in the columns of [`window_rows`].
pub(crate) const WINDOWS: [&str; 5] = ["", "from", "to", "requests", "availability"];

/// The figures of each window.
pub(crate) fn window_rows(report: &RunReport) -> Vec<Vec<String>> {
    let row = |window: &models::probe::Window| {
        let figure = |key: &str| report.figure(&format!("windows.{}.{key}", window.name));
        vec![
            window.name.clone(),
            span(window.from.as_secs_f64()),
            span(window.to.as_secs_f64()),
            short(figure("arrivals")),
            figure("availability").map_or_else(|| "-".to_owned(), with_interval),
        ]
    };
    report.windows.iter().map(row).collect()
}

fn expectations(text: &mut String, report: &RunReport, page: &Page<'_>) {
    if report.expectations.is_empty() {
        return;
    }
    page.heading(text, "Expected", "");
    for judged in &report.expectations {
        let (role, label) = match judged.judgement {
            Judgement::Met => (Role::Good, " met   "),
            Judgement::Open => (Role::Warning, " open  "),
            Judgement::Missed | Judgement::NoValue => (Role::Bad, " MISSED"),
        };
        page.wrapped(text, Some(role), label, &judged.text());
    }
}

/// A comparison of two runs: the figures of the requests, and of services those that differ most.
pub fn comparison(comparison: &Comparison, page: &Page<'_>) -> String {
    let mut text = String::new();
    let Comparison { a, b, .. } = comparison;
    if comparison.partial {
        page.wrapped(&mut text, Some(Role::Bad), "PARTIAL:", "one of the two runs did not go to its end");
    }
    let _ = writeln!(text, "{}", page.style.paint(Role::Heading, &format!("{b} compared with {a}")));
    page.wrapped(&mut text, None, "", &on_what(comparison));
    for warning in &comparison.warnings {
        page.wrapped(&mut text, Some(Role::Warning), "warning:", warning);
    }
    let header = ["", a.as_str(), b.as_str(), "difference", "", "saved"];
    let (requests, of_services) = difference_rows(comparison);
    page.heading(&mut text, "Requests", "");
    page.table(&mut text, &header, requests);
    if !of_services.is_empty() {
        page.heading(&mut text, "Services", "");
        page.table(&mut text, &header, of_services);
    }
    text
}

/// What a comparison rests on, and how to read it.
pub(crate) fn on_what(comparison: &Comparison) -> String {
    let arrivals = if comparison.same_arrivals { "on the same arrivals" } else { "NOT on the same arrivals" };
    if comparison.pairs == 1 {
        return format!("1 pair of runs {arrivals}: no intervals.");
    }
    format!(
        "{} pairs of runs {arrivals}; a star marks a difference whose 95% interval excludes 0; saved is the share of its variance that pairing has saved.",
        comparison.pairs
    )
}

/// The differences worth a line, of the requests and of the services: name, in the one, in the other, difference,
/// star, variance saved.
pub(crate) fn difference_rows(comparison: &Comparison) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let rows = |wanted: &dyn Fn(&Figure) -> bool| -> Vec<Vec<String>> {
        let shown = comparison.differences.iter().filter(|(_, difference)| wanted(&difference.figure));
        shown.filter(|(_, difference)| worth_a_line(difference)).map(|(path, d)| difference(path, d)).collect()
    };
    let requests = rows(&|figure| matches!(figure.path[0].as_str(), "metrics" | "windows" | "costs"));
    let telling =
        ["throughput_per_s", "waiting_mean_s", "response_mean_s", "response_p99_s", "rejected_ratio", "cost_per_h"];
    let of_services = rows(&|figure| {
        figure.path[0] == "services" && (figure.path[2] == "utilisation" || telling.contains(&figure.definition.key))
    });
    (requests, of_services)
}

/// What does not exist, or is 0 on both sides, tells nothing.
fn worth_a_line(difference: &Difference) -> bool {
    let key = difference.figure.definition.key;
    !matches!(key, "attempts_per_s" | "arrivals") && [difference.a, difference.b].iter().flatten().any(|x| *x != 0.0)
}

fn difference(path: &str, difference: &Difference) -> Vec<String> {
    let unit = difference.figure.definition.unit;
    let name = path.strip_prefix("metrics.").or_else(|| path.strip_prefix("services.")).unwrap_or(path);
    let name = name.replace(".utilisation.", ".");
    let name = name.strip_suffix("_s").map_or(name.as_str(), |name| name.strip_suffix("_per").unwrap_or(name));
    let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| mean_text(unit, value));
    let change = difference.estimate.map_or_else(
        || "-".to_owned(),
        |estimate| {
            let text = interval_text(unit, estimate.mean, estimate.half_width_95, Sign::Always);
            if unit == Unit::Share { text.replace('%', " points") } else { text }
        },
    );
    let star = if difference.differs() == Some(true) { "*" } else { "" };
    let saved = difference
        .variance_saved
        .map_or_else(|| "-".to_owned(), |saved| format!("{:.0}%", (100.0 * saved).round() + 0.0));
    vec![name.to_owned(), value(difference.a), value(difference.b), change, star.to_owned(), saved]
}

pub(crate) fn with_interval(figure: &Figure) -> String {
    let Some(estimate) = figure.estimate else { return "-".to_owned() };
    let text = interval_text(figure.definition.unit, estimate.mean, estimate.half_width_95, Sign::IfNegative);
    let missing = figure.values.len() - figure.existing();
    if missing > 0 { format!("{text} (in {} of {})", figure.existing(), figure.values.len()) } else { text }
}

fn short(figure: Option<&Figure>) -> String {
    let text = |figure: &Figure| Some(mean_text(figure.definition.unit, figure.mean()?));
    figure.and_then(text).unwrap_or_else(|| "-".to_owned())
}
