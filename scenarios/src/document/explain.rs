//! Putting what serde and `ron` object to into words for people: what is wrong, and wherever that can
//! be told, what should stand there instead.

mod examples;

pub(crate) use examples::families;

use super::Document;
use super::failure::{Failure, Spot, What};
use super::problem::Problem;
use super::tree::{Id, Shape, Span, Tree};
use models::problem::did_you_mean;

/// The problem behind a failure, which is `id`'s.
pub(super) fn problem(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> Problem {
    if let Some(problem) = needless_name(document, tree, failure, id).or(needs_quotes(document, tree, failure, id)) {
        return problem;
    }
    let (message, help) = words(document, tree, failure, id);
    let problem = Problem::error(tree.path(id), message).at(document.place_of(spot(document, tree, failure, id)));
    Problem { help, ..problem }
}

/// `Exponential(mean: "5ms")`. serde misses the field `value`, of a number with its provenance, and does
/// not know `mean`: of the two, each becomes this problem, and equal ones are told once.
fn needless_name(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> Option<Problem> {
    let holder = match &failure.what {
        What::UnknownField { known, .. } if known.first() == Some(&"value") => tree[id].parent?,
        What::MissingField("value") => id,
        _ => return None,
    };
    let node = &tree[holder];
    let (tag, [only]) = (node.tag?.of(document.text()), &node.children[..]) else { return None };
    let name = tree.name(*only).filter(|name| *name != "value")?;
    let value = tree[*only].span.of(document.text());
    let message = format!("`{tag}` takes its value without a name, found `{}`", short(name));
    let problem = Problem::error(tree.path(holder), message).at(document.place_of(document.head(tree, holder)));
    Some(problem.with_help(if fits(value) {
        format!("write {tag}({value})")
    } else {
        format!("write {tag}(...), without `{name}:`")
    }))
}

/// `Call(db.query)`. The parser has said so: the same words again are told once.
fn needs_quotes(document: &Document, tree: &Tree, failure: &Failure, id: Id) -> Option<Problem> {
    let key = tree[id].name.as_ref().and_then(|name| name.key);
    let id = key.filter(|_| matches!(failure.at, Some(Spot::Name(_)))).unwrap_or(id);
    let node = &tree[id];
    let written = node.span.of(document.text());
    let is_word = |c: char| super::scan::is_word_part(c);
    if node.shape != Shape::Bare || written.chars().all(is_word) || !matches!(failure.what, What::Expected(_)) {
        return None;
    }
    let problem = Problem::error(document.path_around(node.span), format!("`{written}` cannot stand without quotes"));
    Some(problem.at(document.place_of(node.span)).with_help(format!("write \"{written}\"")))
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
            let noun = examples::noun(owner).map_or(owner, |(_, noun)| noun);
            let written = node.span.of(document.text());
            let around = if fits(written) { examples::around(owner, found, written) } else { Vec::new() };
            let help = write(around).map(|write| format!("{write}; choices: {}", list(known)));
            let help = help.unwrap_or_else(|| choice("choices", found, known));
            (format!("unknown {noun} `{}`", short(found)), Some(help))
        }
        What::NoVariant { known } => {
            let owner = failure.owner.as_deref().unwrap_or("choice");
            let help = match unquoted_name(document, tree, id) {
                Some(name) if known.iter().any(|known| name.split('(').next() == Some(known)) => {
                    let example = examples::variant(&name, None, tree.name(id));
                    match example.filter(|example| *example != name) {
                        Some(example) => format!("write for example {example}, without quotes"),
                        None => format!("write {} without quotes", short(&name)),
                    }
                }
                _ => {
                    let choices = format!("choices: {}", list(known));
                    let write = write(members(document, tree, id, owner, known));
                    write.map_or(choices.clone(), |write| format!("{write}; {choices}"))
                }
            };
            let noun =
                examples::noun(owner).map_or_else(|| format!("the name of a {owner}"), |(noun, _)| noun.to_owned());
            (format!("expected {noun}, found {}", found(document, tree, id)), Some(help))
        }
        What::NoFields { known } => {
            let owner = failure.owner.as_deref().unwrap_or("the struct");
            let message =
                format!("expected the fields of `{owner}` in parentheses, found {}", found(document, tree, id));
            let help = match node.shape {
                Shape::Struct => format!("write ( ... ), without `{tag}`; fields: {}", list(known)),
                Shape::Map => format!("fields stand in ( ) and without quotes; fields: {}", list(known)),
                _ => {
                    let fields = format!("fields: {}", list(known));
                    let write = write(with_names(document, tree, id, owner, known));
                    write.map_or(fields.clone(), |write| format!("{write}; {fields}"))
                }
            };
            (message, Some(help))
        }
        What::MissingField(field) => {
            let example = failure.owner.as_ref().and_then(|owner| examples::field(owner, field));
            let add =
                example.map_or_else(|| format!("add {field}: ..."), |example| format!("add for example {example}"));
            (format!("missing field `{field}`{in_owner}"), Some(add))
        }
        What::DuplicateField(field) => (format!("field `{field}` appears twice{in_owner}"), None),
        What::TakesNothing => (format!("`{tag}` takes nothing in parentheses"), Some(format!("write {tag}"))),
        What::TakesSomething => {
            let around = node.parent.and_then(|parent| tree[parent].tag).map(|tag| tag.of(document.text()));
            let help = match examples::variant(tag, around, tree.name(id)) {
                Some(example) => format!("write for example {example}"),
                None => format!("write {tag}(...), with the value in parentheses"),
            };
            (format!("`{tag}` lacks its value"), Some(help))
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
    let inside = |open: char, close: char| {
        let values: Vec<&str> = node.children.iter().map(|child| tree[*child].span.of(document.text())).collect();
        let tag = node.tag.map_or("", |tag| tag.of(document.text()));
        let text = format!("{open}{}{close}", values.join(", "));
        let text = if tag.is_empty() { text } else { format!("{tag}({text})") };
        fits(&text).then(|| format!("write {text}"))
    };
    if expected.contains("number") {
        let text = unquoted_name(document, tree, id)?;
        let number = text.trim_end_matches(|c: char| !c.is_ascii_digit()).trim();
        let value: f64 = number.parse().ok().filter(|value: &f64| value.is_finite())?;
        return match &text[number.len()..] {
            "" => Some(format!("write {number} without quotes")),
            "%" => Some(format!("write it as a share: {}", crate::units::plain(value / 100.0))),
            "/s" => Some(format!("write {number}: rates are per second")),
            _ => None,
        };
    }
    if expected == "true or false" {
        let word = unquoted_name(document, tree, id).unwrap_or_else(|| written.to_owned()).to_lowercase();
        return match word.as_str() {
            "true" | "yes" | "on" | "1" => Some("write true".to_owned()),
            "false" | "no" | "off" | "0" => Some("write false".to_owned()),
            _ => None,
        };
    }
    match node.shape {
        Shape::Number if has_unit(written) => {
            Some(format!("a value with a unit stands in quotes: \"{}\"", short(written)))
        }
        Shape::Number if expected.contains("duration") && written == "0" => Some("write \"0s\"".to_owned()),
        Shape::Number if expected.contains("duration") => Some(format!("write \"{written}s\" or \"{written}ms\"")),
        Shape::Bare | Shape::Number if expected.contains("quotes") => Some(format!("write \"{}\"", short(written))),
        Shape::Tuple if expected.contains("quotes") => match &node.children[..] {
            [one, two] => {
                let text = |id: &Id| unquoted_name(document, tree, *id);
                Some(format!("write {}(\"{}.{}\")", node.tag?.of(document.text()), text(one)?, text(two)?))
            }
            _ => None,
        },
        Shape::Struct if expected == "a list" && node.tag.is_none() => {
            Some("a list stands in [ ], even of one: [( ... )]".to_owned())
        }
        Shape::Struct | Shape::Tuple if expected == "a map" => {
            Some("a map stands in { } and its keys in quotes: {\"name\": ...}".to_owned())
        }
        Shape::Text | Shape::List if expected == "a map" => {
            let name = if node.shape == Shape::Text { Some(&id) } else { node.children.first() };
            let name = name.filter(|id| tree[**id].shape == Shape::Text).map(|id| tree[*id].span.of(document.text()));
            name.filter(|name| fits(name)).map(|name| format!("write {{{name}: ...}}"))
        }
        Shape::Tuple if expected == "a list" && (node.tag.is_none() || node.children.len() > 1) => {
            inside('[', ']').or(Some("a list stands in [ ]: [1, 2]".to_owned()))
        }
        Shape::Map if expected == "a list" => Some("a list stands in [ ] and has no names: [1, 2]".to_owned()),
        Shape::List | Shape::Map if expected == "a list" => None,
        _ if expected == "a list" && fits(written) => Some(format!("write [{written}]")),
        Shape::Bare | Shape::Tuple if expected == "a list" => Some("a list stands in [ ]: [ ... ]".to_owned()),
        Shape::List | Shape::Struct if expected.ends_with("values in parentheses") && node.tag.is_none() => {
            inside('(', ')')
        }
        _ => None,
    }
}

/// What may have been meant, if anything.
fn write(meant: Vec<String>) -> Option<String> {
    (!meant.is_empty()).then(|| format!("write {}", meant.join(" or ")))
}

/// Members of a family that hold the value at hand.
fn members(document: &Document, tree: &Tree, id: Id, family: &str, known: &[&str]) -> Vec<String> {
    let node = &tree[id];
    match (node.tag, &node.children[..]) {
        // `Poisson(rate: 200)`: the value is what has the needless name.
        (Some(tag), [only]) if node.shape == Shape::Struct => {
            let members = examples::holding(family, known, tree[*only].span.of(document.text()));
            members.into_iter().map(|member| format!("{}({member})", tag.of(document.text()))).collect()
        }
        _ => {
            let written = node.span.of(document.text());
            let members = examples::holding(family, known, written);
            // A number where a duration belongs.
            let in_ms = || examples::holding(family, known, &format!("{written}ms"));
            if members.is_empty() && node.shape == Shape::Number { in_ms() } else { members }
        }
    }
}

/// A struct or variant with the values at hand, which lack their names.
fn with_names(document: &Document, tree: &Tree, id: Id, owner: &str, known: &[&str]) -> Vec<String> {
    let node = &tree[id];
    let text = |id: &Id| tree[*id].span.of(document.text());
    let values: Vec<&str> =
        if node.shape == Shape::Tuple { node.children.iter().map(text).collect() } else { vec![text(&id)] };
    let Some(named) = examples::named(owner, known, &values).or_else(|| examples::named(owner, known, &[])) else {
        return Vec::new();
    };
    // Below a variant the struct has no name of its own: `Trace(file: "monday.csv")`.
    let around = node.parent.filter(|parent| tree[*parent].shape == Shape::Tuple).and_then(|parent| tree[parent].tag);
    let around = around.map_or("", |tag| tag.of(document.text()));
    let mut meant = vec![if named.starts_with('(') { format!("{around}{named}") } else { named }];
    // `Exponential("2s")` is no backoff, but a distribution, of which a backoff can be drawn.
    if let Some(family) = examples::family_of(owner, known)
        && let [only] = values[..]
    {
        let other = examples::around(family, owner, &format!("{owner}({only})"));
        meant.extend(other.into_iter().filter(|_| fits(only)));
    }
    meant
}

/// Whether a help can show a text whole.
fn fits(written: &str) -> bool {
    written.chars().count() <= 2 * SHORT && !written.contains(char::is_control)
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
