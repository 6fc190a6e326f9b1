//! Putting what serde and `ron` object to into words for people.

use super::Document;
use super::failure::{Failure, Spot, What};
use super::problem::Problem;
use super::tree::{Id, Shape, Span, Tree};
use models::problem::did_you_mean;

/// The problem behind a failure, which is `id`'s.
pub(super) fn problem(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> Problem {
    let (message, help) = words(document, tree, failure, id);
    let problem = Problem::error(tree.path(id), message).at(document.place_of(spot(document, tree, failure, id)));
    Problem { help, ..problem }
}

/// What to point at.
fn spot(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> Span {
    let node = &tree[id];
    let name = node.name.as_ref().map(|name| name.span);
    match (&failure.what, failure.at) {
        (What::UnknownField { .. }, _) | (_, Some(Spot::Name(_))) => name.unwrap_or(node.span),
        (What::UnknownVariant { .. } | What::TakesNothing, _) => node.tag.unwrap_or(node.span),
        _ => document.head(tree, id),
    }
}

fn words(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> (String, Option<String>) {
    // What is wrong with a key is told of the key, not of its value.
    let key = tree[id].name.as_ref().and_then(|name| name.key);
    let id = key.filter(|_| matches!(failure.at, Some(Spot::Name(_)))).unwrap_or(id);
    let node = &tree[id];
    let tag = node.tag.map_or("", |tag| tag.of(document.text()));
    let in_owner = failure.owner.as_ref().map_or(String::new(), |owner| format!(" in `{owner}`"));
    match &failure.what {
        What::Said(message) => (message.clone(), None),
        What::Ron(error) => (in_lower_case(error), None),
        What::UnknownField { found, known } => {
            (format!("unknown field `{}`{in_owner}", short(found)), Some(choice("fields", found, known)))
        }
        What::UnknownVariant { found, known } => {
            let owner = failure.owner.as_deref().unwrap_or("name");
            (format!("unknown {owner} `{}`", short(found)), Some(choice("choices", found, known)))
        }
        What::NoVariant { known } => {
            let help = match unquoted_name(document, tree, id) {
                Some(name) if known.contains(&name.as_str()) => format!("write {name} without quotes"),
                _ => format!("choices: {}", list(known)),
            };
            let owner = failure.owner.as_deref().unwrap_or("choice");
            (format!("expected the name of a {owner}, found {}", found(document, tree, id)), Some(help))
        }
        What::NoFields { known } => {
            let owner = failure.owner.as_deref().unwrap_or("the struct");
            let message =
                format!("expected the fields of `{owner}` in parentheses, found {}", found(document, tree, id));
            let help = match node.shape {
                Shape::Struct => format!("write ( ... ), without `{tag}`; fields: {}", list(known)),
                Shape::Map => format!("fields stand in ( ) and without quotes; fields: {}", list(known)),
                _ => format!("fields: {}", list(known)),
            };
            (message, Some(help))
        }
        What::MissingField(field) => (format!("missing field `{field}`{in_owner}"), Some(format!("add {field}: ..."))),
        What::DuplicateField(field) => (format!("field `{field}` appears twice{in_owner}"), None),
        What::TakesNothing => (format!("`{tag}` takes nothing in parentheses"), Some(format!("write {tag}"))),
        What::TakesSomething => {
            (format!("`{tag}` lacks its value"), Some(format!("write {tag}(...), with the value in parentheses")))
        }
        What::TooMany => (format!("one value too many: {}", found(document, tree, id)), None),
        What::Length { found, expected } => {
            let noun = if *found == 1 { "value" } else { "values" };
            (format!("expected {}, found {found} {noun}", wanted(expected).0), None)
        }
        What::Expected(expected) => {
            let (expected, example) = wanted(expected);
            let inside = match &failure.owner {
                Some(owner) if !expected.contains("parentheses") => format!(" in the parentheses of `{owner}`"),
                _ => String::new(),
            };
            let message = format!("expected {expected}{inside}, found {}", found(document, tree, id));
            (message, hint(document, tree, id, &expected).or(example.map(|example| format!("for example {example}"))))
        }
    }
}

/// What serde calls a type, for people, with an example if the words need one.
fn wanted(expected: &str) -> (String, Option<&'static str>) {
    let words = |text: &str, example| (text.to_owned(), Some(example));
    match expected {
        "u8" => words("a whole number from 0 to 255", "3"),
        "u16" => words("a whole number from 0 to 65535", "3"),
        "u32" => words("a whole number from 0 to 4294967295", "3"),
        "u64" | "usize" | "u128" => words("a whole number that is not negative", "3"),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => words("a whole number", "3"),
        "f32" | "f64" => words("a number", "0.5"),
        "a boolean" => ("true or false".to_owned(), None),
        "a string" => words("a text in quotes", "\"web\""),
        "a character" => words("a character in single quotes", "'a'"),
        "a sequence" => words("a list", "[1, 2]"),
        "a map" => words("a map", "{\"name\": ...}"),
        "unit" => words("nothing", "()"),
        _ => {
            if let Some(size) = expected.strip_prefix("a tuple of size ") {
                (format!("{size} values in parentheses"), None)
            } else if let Some((name, size)) = tuple_with_name(expected) {
                (format!("{size} in the parentheses of `{name}`"), None)
            } else {
                (expected.to_owned(), None)
            }
        }
    }
}

/// `tuple variant Step::Call with 2 elements`, `tuple struct Pair with 2 elements`.
fn tuple_with_name(expected: &str) -> Option<(&str, String)> {
    let named = expected.strip_prefix("tuple variant ").or(expected.strip_prefix("tuple struct "))?;
    let (name, size) = named.split_once(" with ").unwrap_or((named, "values"));
    Some((name.rsplit("::").next()?, size.replace("element", "value")))
}

/// What the value at hand suggests its writer should do.
fn hint(document: &Document, tree: &Tree, id: Id, expected: &str) -> Option<String> {
    let node = &tree[id];
    let written = node.span.of(document.text());
    match node.shape {
        Shape::Bare if expected.contains("quotes") => Some(format!("write \"{}\"", short(written))),
        Shape::Number if has_unit(written) => {
            Some(format!("a value with a unit stands in quotes: \"{}\"", short(written)))
        }
        Shape::Struct | Shape::Tuple if expected == "a map" => {
            Some("a map stands in { } and its keys in quotes: {\"name\": ...}".to_owned())
        }
        Shape::Tuple if expected == "a list" => Some("a list stands in [ ]: [1, 2]".to_owned()),
        _ => None,
    }
}

/// Digits and then letters, as in `35ms`.
fn has_unit(written: &str) -> bool {
    let unit = written.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+'));
    !unit.is_empty() && unit.len() < written.len() && unit.chars().all(char::is_alphabetic)
}

/// The value at hand, for a message.
fn found(document: &Document, tree: &Tree, id: Id) -> String {
    let node = &tree[id];
    let written = node.span.of(document.text());
    match (node.shape, node.tag) {
        (Shape::Struct | Shape::Tuple, Some(tag)) if written.len() > SHORT || written.contains('\n') => {
            format!("`{}(...)`", short(tag.of(document.text())))
        }
        (Shape::Struct, None) => "fields in parentheses".to_owned(),
        (Shape::Tuple, None) => "values in parentheses".to_owned(),
        (Shape::List, _) => "a list".to_owned(),
        (Shape::Map, _) => "a map".to_owned(),
        (Shape::Hole, _) => "nothing".to_owned(),
        _ => format!("`{}`", short(written)),
    }
}

/// The text of a quoted value.
fn unquoted_name(document: &Document, tree: &Tree, id: Id) -> Option<String> {
    let node = &tree[id];
    (node.shape == Shape::Text).then(|| super::scan::unquoted(node.span.of(document.text())))
}

/// "did you mean", and what there is to choose from.
fn choice(what: &str, found: &str, known: &[&str]) -> String {
    match did_you_mean(found, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? {what}: {}", list(known)),
        None => format!("{what}: {}", list(known)),
    }
}

fn list(known: &[&str]) -> String {
    match known {
        [] => "none".to_owned(),
        known => known.join(", "),
    }
}

/// As many characters of a written text as a message quotes.
const SHORT: usize = 40;

/// As much of a written text as a message can hold, on one line.
fn short(written: &str) -> String {
    let start: String = written.chars().take(SHORT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if start.len() < written.len() { format!("{start}\u{2026}") } else { start }
}

/// `ron`'s own words, as the end of a sentence.
pub(super) fn in_lower_case(error: &ron::Error) -> String {
    let message = error.to_string();
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
