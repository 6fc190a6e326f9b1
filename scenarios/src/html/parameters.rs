//! Where every number comes from: the parameters of a file as tables.

use super::parts::{Cell, Column, Row, details, table};
use crate::document::{Path, Segment};
use crate::provenance::{Kind, Parameter};
use maud::{Markup, html};
use models::given::Source;

/// Every parameter: how many come from where, those written by what they belong to, and the defaults folded away.
pub(crate) fn parameters(parameters: &[Parameter]) -> Markup {
    let (written, defaults): (Vec<&Parameter>, Vec<&Parameter>) = parameters.iter().partition(|p| p.written);
    let columns = [
        Column::text("parameter").hint("below its heading; both together are its path, as --set takes it"),
        Column::text("value"),
        Column::text("source"),
        Column::text("range").hint("the smallest and the largest plausible value"),
        Column::text("note"),
    ];
    let rows = grouped(&written, |parameter| {
        vec![
            name(parameter),
            value(parameter),
            parameter.source.map_or_else(Cell::none, |source| source_cell(source).into()),
            parameter.range.as_ref().map_or_else(Cell::none, |(low, high)| format!("{low} to {high}").into()),
            note(parameter),
        ]
    });
    let left_out = grouped(&defaults, |parameter| vec![name(parameter), value(parameter)]);
    html! {
        p { (counted(parameters)) }
        @if !rows.is_empty() { (table("Parameters that the file states", &columns, &rows)) }
        @if !left_out.is_empty() {
            (details(&format!("What the file leaves out: {}", number(defaults.len(), "default", "defaults")), html! {
                (table("Defaults", &[Column::text("parameter"), Column::text("value")], &left_out))
            }))
        }
    }
}

impl Cell {
    /// Nothing is known.
    fn none() -> Self {
        Self::from("")
    }
}

/// How many parameters come from where, in a sentence.
fn counted(parameters: &[Parameter]) -> String {
    let count = |which: &dyn Fn(&Parameter) -> bool| parameters.iter().filter(|p| which(p)).count();
    let from = |source: Source| count(&|p| p.written && p.source == Some(source));
    let is_amount = |p: &Parameter| matches!(p.kind, Kind::Number | Kind::Duration);
    let unsourced = |p: &Parameter| p.written && p.source.is_none();
    let parts = [
        (from(Source::Guess), "guess", "guesses"),
        (from(Source::Calibrated), "calibrated", "calibrated"),
        (from(Source::Vendor), "from a vendor", "from vendors"),
        (from(Source::Published), "published", "published"),
        (from(Source::Measured), "measured", "measured"),
        (count(&|p| unsourced(p) && is_amount(p)), "number without a source", "numbers without a source"),
        (count(&|p| unsourced(p) && !is_amount(p)), "choice or name", "choices and names"),
        (count(&|p| !p.written), "default", "defaults"),
    ];
    let said = parts.iter().filter(|(count, ..)| *count > 0).map(|&(count, one, many)| number(count, one, many));
    let said = said.collect::<Vec<_>>();
    let all = number(parameters.len(), "parameter", "parameters");
    if said.is_empty() { format!("{all}.") } else { format!("{all}: {}.", said.join(", ")) }
}

fn number(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Rows under the names of what they belong to, in their order.
fn grouped(parameters: &[&Parameter], cells: impl Fn(&Parameter) -> Vec<Cell>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut last = None;
    for parameter in parameters {
        let owner = owner(&parameter.path);
        if last.as_ref() != Some(&owner) {
            rows.push(Row::Heading(html! { code { (owner) } }));
            last = Some(owner);
        }
        rows.push(Row::Cells(cells(parameter)));
    }
    rows
}

/// What a parameter belongs to: a service or a client, else the field at the top. A story has several designs,
/// each with services of its own; what else a design has belongs to the design.
fn owner(path: &Path) -> Path {
    let named = |place: usize, names: &[&str]| matches!(path.0.get(place), Some(Segment::Name(name)) if names.contains(&name.as_str()));
    let design = if named(0, &["designs"]) { 2 } else { 0 };
    let length = if named(design, &["services", "clients"]) { design + 2 } else { design.max(1) };
    Path(path.0[..length.min(path.0.len())].to_vec())
}

/// The path below what it belongs to, and which names stand around it.
fn name(parameter: &Parameter) -> Cell {
    let inside = parameter.path.0[owner(&parameter.path).0.len()..].to_vec();
    let path = Path(inside).to_string();
    let path = if path.is_empty() { parameter.path.to_string() } else { path };
    let field = match parameter.path.0.last() {
        Some(Segment::Name(field)) if !parameter.within.is_empty() => Some(field.as_str()),
        _ => None,
    };
    let within = parameter.within.iter().map(String::as_str).chain(field).collect::<Vec<_>>().join(" › ");
    html! {
        code title=(parameter.path) { (path) }
        @if !within.is_empty() { div.note { (within) } }
    }
    .into()
}

fn value(parameter: &Parameter) -> Cell {
    match parameter.kind {
        Kind::Number | Kind::Duration => html! { b { (parameter.text) } }.into(),
        Kind::Choice | Kind::Text | Kind::Nothing => parameter.text.as_str().into(),
    }
}

/// The source; a guess is marked.
fn source_cell(source: Source) -> Markup {
    match source {
        Source::Measured => html! { "measured" },
        Source::Published => html! { "published" },
        Source::Vendor => html! { "vendor" },
        Source::Calibrated => html! { "calibrated" },
        Source::Guess => html! { span.badge.strained { "guess" } },
    }
}

fn note(parameter: &Parameter) -> Cell {
    let words = parameter.note.as_deref().into_iter().chain(parameter.date.as_deref());
    words.collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::load::{Loaded, Traces};
    use crate::provenance;

    fn rendered(text: &str) -> String {
        let loaded = Loaded::document(Document::parse("case.ron", text), &Traces::Library).expect("loads");
        parameters(&provenance::of(&loaded)).into_string()
    }

    #[test]
    fn parameters_are_counted_by_source_and_guesses_are_marked() {
        let text = rendered(
            r#"(
            services: {"web": (
                replicas: (value: 3, source: Guess, range: (2, 9), note: "as <many> as \"fit\""),
                endpoints: {"get": [Work(LogNormal(mean: (value: "20ms", source: Measured), cv: 1.2))]},
            )},
            clients: {"users": (arrivals: Poisson(Constant(8)), mix: {"web.get": 1})},
        )"#,
        );
        assert!(text.contains("1 guess, 1 measured, 3 numbers without a source, "), "{text}");
        assert!(text.contains("<span class=\"badge strained\">guess</span>"));
        assert!(text.contains("2 to 9") && text.contains("as &lt;many&gt; as &quot;fit&quot;"));
        assert!(text.contains("Work › LogNormal › mean") && text.contains("title=\"services.web.replicas\">replicas<"));
        assert!(text.contains("<code>services.web</code>") && text.contains("<code>clients.users</code>"));
        assert!(text.find("<details>") < text.find("balancer"), "defaults are folded away");
    }

    #[test]
    fn parameters_belong_to_services_whatever_a_design_is_called() {
        let check = |path: &str, belongs: &str| {
            assert_eq!(owner(&path.parse().expect("a path")).to_string(), belongs, "{path}");
        };
        check("services.web.queue.cap", "services.web");
        check("clients.users.mix.web", "clients.users");
        check("run.seed", "run");
        check("designs.services.services.app.threads", "designs.services.services.app");
        check("designs.clients.sizing.app.busy", "designs.clients");
        check("growth.peaks.goal", "growth");
    }

    #[test]
    fn no_parameters_are_none() {
        assert_eq!(parameters(&[]).into_string(), "<p>0 parameters.</p>");
    }
}
