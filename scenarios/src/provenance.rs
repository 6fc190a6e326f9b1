//! Every parameter of a file: where it stands, what it is, and where it comes from.
//!
//! ```text
//!   file    services.db.processor.kappa   0.001        Usl     Guess, 0.0001 to 0.001
//!           services.app.processor[0]     4            Cores
//!   default services.app.balancer         RoundRobin
//!           services.db.queue.cap         any number
//! ```
//!
//! What is written is read from the tree of the file. What the file leaves out is found by writing down
//! what it was read as: the same walk over that text yields all parameters, and those that stand nowhere
//! in the file are defaults. So no list of defaults is kept, and any type that serde can write will do.

use crate::document::{Document, Node, Path, Segment, Shape};
use crate::load::Loaded;
use models::given::Source;
use ron::extensions::Extensions;
use serde::Serialize;
use sim_core::time::SimDuration;

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Where it stands, as `--set` takes it. What surrounds a default may itself not be written; then only
    /// the whole can be set, `services.web.queue=(cap: 5)`.
    pub path: Path,
    /// What it is: as written, without the quotes of texts. Of a default that means "none", in words.
    pub text: String,
    /// The names before the parentheses around it, from the nearest key of a map inwards: `Work`,
    /// `Exponential` for the mean in `"get": [Work(Exponential("10ms"))]`.
    pub within: Vec<String>,
    /// What kind of value it is.
    pub kind: Kind,
    /// Whether it is written, or what a file means that says nothing.
    pub written: bool,
    /// Where it comes from, if that is written.
    pub source: Option<Source>,
    /// The smallest and the largest plausible value, if written.
    pub range: Option<(String, String)>,
    /// The publication, measurement or reasoning, if written.
    pub note: Option<String>,
    /// When it was read, if written.
    pub date: Option<String>,
}

/// Kinds of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A number.
    Number,
    /// A length of time.
    Duration,
    /// A name out of several, `true` and `false` included.
    Choice,
    /// Another text: the name of a service, or of a file.
    Text,
    /// Empty brackets, or what is left out and means none.
    Nothing,
}

/// Fields that tell people something, or say what is expected, and are no parameters.
const NO_PARAMETERS: [&str; 4] = ["title", "about", "expect", "shows"];

/// What a field means that is left out, where "none" would not say it.
const LEFT_OUT: [(&str, &str); 8] = [
    ("threads", "as many as it has servers, else any number"),
    ("cap", "any number"),
    ("pool", "any number"),
    ("timeout", "for ever"),
    ("patience", "for ever"),
    ("retry", "never"),
    ("budget", "no limit"),
    ("collapse", "the last fifth of the run"),
];

/// Every parameter of a scenario: those written in the order of the file, then the defaults.
pub fn of(loaded: &Loaded) -> Vec<Parameter> {
    parameters(&loaded.document, &loaded.scenario)
}

/// Every parameter of a document that was read as this value, without problems: those written in the order
/// of the file, then the defaults. Empty lists and maps of defaults are left out.
///
/// # Panics
/// If the value holds what cannot be written as RON. What was read from RON can.
pub fn parameters<T: Serialize>(document: &Document, value: &T) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    if let Some(root) = document.root() {
        walk(root, &[], &mut parameters);
    }
    let as_read = Document::parse(document.name(), &written_down(value));
    let mut all = Vec::new();
    if let Some(root) = as_read.root() {
        walk(root, &[], &mut all);
    }
    let defaults = all.into_iter().filter(|parameter| is_left_out(document, &parameter.path));
    parameters.extend(defaults.filter_map(default));
    parameters
}

/// Whether the file leaves out a field on the way to a path. Where it lacks a position instead, it has
/// written the same in other brackets: no item of a list or tuple is left out alone.
fn is_left_out(document: &Document, path: &Path) -> bool {
    let ways = (1..=path.0.len()).map(|length| Path(path.0[..length].to_vec()));
    let missing = ways.into_iter().find(|way| document.get(way).is_none());
    missing.is_some_and(|way| matches!(way.0.last(), Some(Segment::Name(_))))
}

/// A value in the notation of files: with the same paths.
fn written_down<T: Serialize>(value: &T) -> String {
    let as_in_files = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::UNWRAP_NEWTYPES;
    let ron = ron::Options::default().with_default_extension(as_in_files).without_recursion_limit();
    ron.to_string(value).expect("what was read from RON can be written as RON")
}

/// Adds the parameters below a value. `within` are the names around it since the last field or key.
fn walk(node: Node<'_>, within: &[String], found: &mut Vec<Parameter>) {
    let is_given = node.shape() == Shape::Struct && node.tag().is_none() && node.field("source").is_some();
    if let (true, Some(value)) = (is_given, node.field("value")) {
        found.push(given(node, value, within));
        return;
    }
    if node.children().next().is_none() {
        found.push(parameter(node, node, within));
        return;
    }
    let mut inside = within.to_vec();
    inside.extend(node.tag().map(str::to_owned));
    for child in node.children() {
        match child.name() {
            // A service may have any name, a field with one of these is none.
            Some(name) if node.shape() == Shape::Struct && NO_PARAMETERS.contains(&name) => {}
            Some(_) if node.shape() == Shape::Map => walk(child, &[], found),
            _ => walk(child, &inside, found),
        }
    }
}

fn parameter(node: Node<'_>, value: Node<'_>, within: &[String]) -> Parameter {
    let text = value.read::<String>().filter(|_| value.shape() == Shape::Text);
    let kind = match value.shape() {
        Shape::Number => Kind::Number,
        Shape::Bool | Shape::Bare => Kind::Choice,
        Shape::Text if text.as_ref().is_some_and(|text| text.parse::<SimDuration>().is_ok()) => Kind::Duration,
        Shape::Text | Shape::Char | Shape::Bytes => Kind::Text,
        Shape::Struct | Shape::Tuple | Shape::List | Shape::Map | Shape::Hole => Kind::Nothing,
    };
    Parameter {
        path: node.path(),
        text: text.unwrap_or_else(|| value.text().to_owned()),
        within: within.to_vec(),
        kind,
        written: true,
        source: None,
        range: None,
        note: None,
        date: None,
    }
}

/// `(value: 12, source: Guess, range: (4, 20))`.
fn given(node: Node<'_>, value: Node<'_>, within: &[String]) -> Parameter {
    let text = |node: Node<'_>| parameter(node, node, &[]).text;
    let range = node.field("range").and_then(|range| {
        let mut ends = range.children().map(text);
        Some((ends.next()?, ends.next()?))
    });
    Parameter {
        source: node.field("source").and_then(Node::read),
        range,
        note: node.field("note").and_then(Node::read),
        date: node.field("date").and_then(Node::read),
        ..parameter(node, value, within)
    }
}

/// What a file means that does not say it; `None` if it means nothing at all.
fn default(parameter: Parameter) -> Option<Parameter> {
    let mut parameter = Parameter { written: false, ..parameter };
    if parameter.kind == Kind::Nothing {
        return None;
    }
    if (parameter.kind, parameter.text.as_str()) == (Kind::Choice, "None") {
        let named = LEFT_OUT
            .iter()
            .find(|(field, _)| matches!(parameter.path.0.last(), Some(Segment::Name(name)) if name == field));
        parameter.kind = Kind::Nothing;
        parameter.text = named.map_or("none", |(_, meaning)| *meaning).to_owned();
    }
    Some(parameter)
}
