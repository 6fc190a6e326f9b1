//! The reference: everything that can be written in a scenario, made from the types that read it.
//!
//! Names, types, defaults and comments are those of the code, by way of a schema; lists of variants with
//! examples are those of `outgrow list`. So what is added to the code is in the reference, and nothing else
//! is. The page is `docs/reference.md`.

use crate::document::families;
use crate::scenario::Scenario;
use indexmap::IndexSet;
use models::given::Source;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// What marks numbers that may carry their provenance.
const MARK: &str = "°";

const HEAD: &str = "\
# Reference

Everything that can be written in a scenario. This page is printed by `outgrow reference`, from the code that \
reads scenarios. [scenario.md](scenario.md) shows it all in one file; `outgrow list` prints the lists.

- A *duration* is a text with its unit: `\"800ms\"`, `\"1h 30min\"`. A *name* is a text without dots.
- A field with a default may be left out; *none* says that there is then no such thing.
- A *variant* that holds one struct is written with the fields of that struct: `Trace(file: \"monday.csv\")`.
";

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<Source>();
    let schema = generator.into_root_schema_for::<Scenario>();
    let root = schema.as_value();
    let types = Types { all: root["$defs"].as_object().cloned().unwrap_or_default() };
    let mut text = HEAD.to_owned();
    text += &types.provenance();
    text += &types.section("Scenario", root);
    // In the order in which they are first spoken of, each before what it speaks of.
    let mut order = IndexSet::new();
    mentioned(root, &mut order);
    let mut next = 0;
    while let Some(name) = order.get_index(next).cloned() {
        next += 1;
        let Some(schema) = types.all.get(&name) else { continue };
        text += &types.section(&name, schema);
        mentioned(schema, &mut order);
    }
    text
}

/// The types that a schema refers to, in its order.
fn mentioned(schema: &Value, found: &mut IndexSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| *key != "$defs" && *key != "default") {
                match value.as_str().and_then(|to| referred(key, to)) {
                    Some(name) => drop(found.insert(name.to_owned())),
                    None => mentioned(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, found)),
        _ => {}
    }
}

/// The name of a type that is referred to.
fn referred<'a>(key: &str, to: &'a str) -> Option<&'a str> {
    to.strip_prefix("#/$defs/").filter(|_| key == "$ref")
}

/// The schemas of all types, by name.
struct Types {
    all: Map<String, Value>,
}

impl Types {
    /// How a number says where it comes from.
    fn provenance(&self) -> String {
        let mut text = format!(
            "\
- What is marked {MARK} may say where it comes from, `(value: 0.001, source: Guess, range: (0.0001, 0.001), \
note: \"one person's experience\")`. Only `value` and `source` must be there, which is one of:

"
        );
        for (name, about, _) in variants(&self.all["Source"]) {
            text += &format!("  - `{name}`: {about}\n");
        }
        text + "\n  A vendor's figure also needs `date: \"2026-01-31\"`.\n"
    }

    /// One type: what it is, and its fields or variants.
    fn section(&self, name: &str, schema: &Value) -> String {
        let mut text = format!("\n## {name}\n\n{}\n", description(schema));
        let variants = variants(schema);
        if !variants.is_empty() {
            text += &examples(name);
            text.push('\n');
            for (variant, about, held) in variants {
                text += &self.variant(variant, &about, held);
            }
        } else if let Some(fields) = schema["properties"].as_object() {
            text += "\n| field | | default | |\n|--|--|--|--|\n";
            for (field, of) in fields {
                let (kind, about) = (self.words(of), cell(&description(of)));
                let default = self.default(schema, field, of).unwrap_or_default();
                text += &format!("| `{field}` | {kind} | {default} | {about} |\n");
            }
        } else {
            text += &format!("\nWritten as {}.\n", self.words(schema));
        }
        text
    }

    /// One variant, with what it holds.
    fn variant(&self, name: &str, about: &str, held: Option<&Value>) -> String {
        let Some(held) = held else { return format!("- `{name}`: {about}\n") };
        let Some(fields) = held["properties"].as_object() else {
            let words = self.words(held);
            let words = if held["prefixItems"].is_array() { words } else { format!("({words})") };
            return format!("- `{name}` {words}: {about}\n");
        };
        let mut text = format!("- `{name}`: {about}\n");
        for (field, of) in fields {
            let default = self.default(held, field, of).map_or_else(String::new, |value| format!(", default {value}"));
            text += &format!("  - `{field}`, {}{default}: {}\n", self.words(of), description(of));
        }
        text
    }

    /// What kind of value is wanted, in the reader's words.
    fn words(&self, schema: &Value) -> String {
        if let Some(written) = schema["written"].as_str() {
            let mark = if schema["provenance"] == Value::Bool(true) { MARK } else { "" };
            return format!("{written}{mark}");
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|to| referred("$ref", to)) {
            return format!("[{name}](#{})", name.to_lowercase());
        }
        if let Some(either) = schema["anyOf"].as_array().or(schema["allOf"].as_array()) {
            let some = either.iter().filter(|one| one["type"] != "null").map(|one| self.words(one));
            return some.collect::<Vec<_>>().join(" or ");
        }
        if let Some(parts) = schema["prefixItems"].as_array() {
            return format!("({})", parts.iter().map(|part| self.words(part)).collect::<Vec<_>>().join(", "));
        }
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.as_str(),
        };
        match kinds {
            Some("array") => format!("list of {}", self.words(&schema["items"])),
            Some("object") => format!("{{name: {}}}", self.words(&schema["additionalProperties"])),
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some(kind) => kind.to_owned(),
            None => "any value".to_owned(),
        }
    }

    /// What is meant if a field is left out, or nothing if it must not be.
    fn default(&self, owner: &Value, field: &str, of: &Value) -> Option<String> {
        let needed = owner["required"].as_array().is_some_and(|names| names.iter().any(|name| name == field));
        match of.get("default") {
            _ if needed => None,
            None | Some(Value::Null) => Some("none".to_owned()),
            Some(value) => Some(format!("`{}`", cell(&self.ron(value, of)))),
        }
    }

    /// A value as it would be written.
    fn ron(&self, value: &Value, schema: &Value) -> String {
        let named = |to: &Value| to["$ref"].as_str().and_then(|to| referred("$ref", to)).map(str::to_owned);
        let either = schema["anyOf"].as_array().into_iter().flatten().find_map(named);
        let schema = named(schema).or(either).and_then(|name| self.all.get(&name)).unwrap_or(schema);
        let list = |items: &[Value], of: &dyn Fn(usize) -> Value| {
            let items = items.iter().enumerate().map(|(i, item)| self.ron(item, &of(i)));
            items.collect::<Vec<_>>().join(", ")
        };
        let variants = variants(schema);
        match value {
            Value::String(name) if variants.iter().any(|(variant, ..)| variant == name) => name.clone(),
            Value::Object(fields) if !variants.is_empty() => {
                let Some((name, held)) = fields.iter().next() else { return String::new() };
                let inner = variants.iter().find(|(variant, ..)| variant == name).and_then(|(_, _, inner)| *inner);
                let held = self.ron(held, inner.unwrap_or(&Value::Null));
                if held.starts_with('(') { format!("{name}{held}") } else { format!("{name}({held})") }
            }
            Value::Object(fields) => {
                let of = |field: &str| &schema["properties"][field];
                let written = fields.iter().filter(|(field, value)| {
                    !value.is_null() && of(field).get("default").is_none_or(|default| default != *value)
                });
                let written = written.map(|(field, value)| format!("{field}: {}", self.ron(value, of(field))));
                let written = written.collect::<Vec<_>>().join(", ");
                // Of a map, not of a struct.
                if schema["additionalProperties"].is_object() {
                    format!("{{{written}}}")
                } else {
                    format!("({written})")
                }
            }
            Value::Array(items) => match schema["prefixItems"].as_array() {
                Some(parts) => format!("({})", list(items, &|i| parts[i].clone())),
                None => format!("[{}]", list(items, &|_| schema["items"].clone())),
            },
            Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
            other => other.to_string(),
        }
    }
}

/// The examples of a family of variants.
fn examples(name: &str) -> String {
    let Some((_, entries)) = families().find(|(family, _)| *family == name) else { return String::new() };
    let line = |entry: &models::catalogue::Entry| format!("| `{}` | {} |\n", cell(entry.example), cell(entry.summary));
    format!("\n| for example | |\n|--|--|\n{}", entries.iter().map(line).collect::<String>())
}

/// The variants of an enum: name, comment, and what it holds, if anything.
fn variants(schema: &Value) -> Vec<(&str, String, Option<&Value>)> {
    let of = |one| -> Vec<(&str, String, Option<&Value>)> {
        let one: &Value = one;
        if let Some(name) = one["const"].as_str() {
            return vec![(name, description(one), None)];
        }
        if let Some(names) = one["enum"].as_array() {
            return names.iter().filter_map(Value::as_str).map(|name| (name, description(one), None)).collect();
        }
        let held = one["properties"].as_object().and_then(|fields| fields.iter().next());
        held.map(|(name, held)| (name.as_str(), description(one), Some(held))).into_iter().collect()
    };
    schema["oneOf"].as_array().into_iter().flatten().flat_map(of).collect()
}

/// A comment in one line, without what only those who read code can follow.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Links between comments: [`Act::Scale`].
    words.replace("[`", "`").replace("`]", "`").replace("super::", "")
}

/// A text in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
