//! What should have been written, derived from the examples of each family.
//!
//! An example is parsed like a scenario; what was written then takes the place of the value of its
//! kind: `"5ms"`, where a distribution is wanted, becomes `Constant("5ms")`, for the example is
//! `Constant("5ms")`.

use crate::document::Document;
use crate::document::tree::{Id, Node, Shape, Tree};
use crate::scenario::Act;
use models::blueprint::{Layout, Processor, Step};
use models::catalogue::Entry;
use models::distribution::Distribution;
use models::fault::Which;
use models::policy::scaler::ScalingRule;
use models::policy::{Admission, Backoff, Balancer, Deadline, Discipline, Drop, Eviction, KeyOf, Popularity, Refresh};
use models::times::Times;
use models::workload::rate::Growth;
use models::workload::{Arrivals, Balking, Count, Rate};
use sim_core::time::SimDuration;

/// Variants of which one is to be chosen.
struct Family {
    /// As serde knows it.
    name: &'static str,
    /// As people do, with its article.
    noun: &'static str,
    entries: &'static [Entry],
}

const FAMILIES: &[Family] = &[
    Family { name: "Distribution", noun: "a distribution", entries: Distribution::ALL },
    Family { name: "Rate", noun: "a rate", entries: Rate::ALL },
    Family { name: "Growth", noun: "a kind of growth", entries: Growth::ALL },
    Family { name: "Count", noun: "a count", entries: Count::ALL },
    Family { name: "Arrivals", noun: "a kind of arrivals", entries: Arrivals::ALL },
    Family { name: "Step", noun: "a step", entries: Step::ALL },
    Family { name: "Times", noun: "a number of times", entries: Times::ALL },
    Family { name: "Processor", noun: "a processor", entries: Processor::ALL },
    Family { name: "Balancer", noun: "a balancer", entries: Balancer::ALL },
    Family { name: "Popularity", noun: "a popularity", entries: Popularity::ALL },
    Family { name: "Layout", noun: "a layout", entries: Layout::ALL },
    Family { name: "Discipline", noun: "a queue discipline", entries: Discipline::ALL },
    Family { name: "Drop", noun: "a drop rule", entries: Drop::ALL },
    Family { name: "Balking", noun: "a kind of balking", entries: Balking::ALL },
    Family { name: "ScalingRule", noun: "a scaling rule", entries: ScalingRule::ALL },
    Family { name: "Admission", noun: "an admission rule", entries: Admission::ALL },
    Family { name: "Deadline", noun: "a kind of deadline", entries: Deadline::ALL },
    Family { name: "Backoff", noun: "a backoff", entries: Backoff::ALL },
    Family { name: "Eviction", noun: "an eviction rule", entries: Eviction::ALL },
    Family { name: "Refresh", noun: "a refresh rule", entries: Refresh::ALL },
    Family { name: "KeyOf", noun: "an owner of keys", entries: KeyOf::ALL },
    Family { name: "Act", noun: "an act", entries: Act::ALL },
    Family { name: "Which", noun: "a choice of replicas", entries: Which::WAYS },
];

/// Structs that are often written as if they were their main value.
const STRUCTS: &[(&str, &str)] = &[
    ("Queue", "(cap: 100)"),
    ("Start", "(takes: Constant(\"30s\"))"),
    ("Scaler", "(rule: Hpa(metrics: [Cpu(target: 0.6)]), most: 20)"),
    ("Retry", "(max: 2, backoff: Drawn(Exponential(\"2s\")))"),
    ("Budget", "(share: 0.1)"),
    ("Breaker", "(window: \"10s\", failures: 0.5, at_least: 20, open: \"5s\", probes: 3)"),
    ("Hedge", "(after: \"20ms\", most: 1)"),
    ("TraceFile", "(file: \"monday.csv\")"),
    ("Costs", "(machines: {\"web\": (hour: 0.1)})"),
    ("Machine", "(hour: 0.1)"),
    ("Storage", "(gigabytes: 500, gigabyte_month: 0.1)"),
    ("Engineers", "(hours_a_month: 40, hour: 80)"),
    ("Slo", "(objective: 0.999, threshold: \"1s\")"),
];

/// Every family, as serde knows it, with its list.
pub(crate) fn families() -> impl Iterator<Item = (&'static str, &'static [Entry])> {
    FAMILIES.iter().map(|family| (family.name, family.entries))
}

/// What people call a family: with and without the article.
pub(super) fn noun(family: &str) -> Option<(&'static str, &'static str)> {
    let family = FAMILIES.iter().find(|known| known.name == family)?;
    Some((family.noun, family.noun.split_once(' ').map_or(family.noun, |(_, noun)| noun)))
}

/// Members of a family that hold just such a value: `Constant("5ms")` and `Exponential("5ms")` for
/// `"5ms"`, `Poisson(Constant(200))` for `200`.
pub(super) fn holding(family: &str, known: &[&str], value: &str) -> Vec<String> {
    let Some((kind, value)) = literal(value) else { return Vec::new() };
    let entries = FAMILIES.iter().filter(|known| known.name == family).flat_map(|family| family.entries);
    let entries = entries.filter(|entry| known.contains(&entry.name));
    let of_shape = |named: bool| {
        let member = |entry: &Entry| Example::of(entry.example)?.with_only_value(kind, &value, named);
        entries.clone().filter_map(member).collect::<Vec<_>>()
    };
    let without_names = of_shape(false);
    if without_names.is_empty() { of_shape(true) } else { without_names }
}

/// Members of a family that hold a member of another: `Work(Exponential("5ms"))` and
/// `Delay(Exponential("5ms"))` for `Exponential("5ms")`.
pub(super) fn around(family: &str, tag: &str, value: &str) -> Vec<String> {
    let has = |family: &Family, name: &str| family.entries.iter().any(|entry| entry.name == name);
    let akin = |inner: &str| FAMILIES.iter().any(|family| has(family, inner) && has(family, tag));
    let entries = FAMILIES.iter().filter(|known| known.name == family).flat_map(|family| family.entries);
    let wrapped = |entry: &Entry| {
        let example = Example::of(entry.example)?;
        let [inner] = example.tree[Tree::ROOT].children[..] else { return None };
        let inner_tag = example.tag(inner).filter(|_| example.tree[inner].name.is_none())?;
        akin(inner_tag).then(|| format!("{}({value})", entry.name))
    };
    entries.filter_map(wrapped).collect()
}

/// The family that has a variant with these fields.
pub(super) fn family_of(variant: &str, fields: &[&str]) -> Option<&'static str> {
    let has = |family: &&Family| {
        family.entries.iter().any(|entry| {
            entry.name == variant && Example::of(entry.example).is_some_and(|example| example.has_only(fields))
        })
    };
    FAMILIES.iter().find(has).map(|family| family.name)
}

/// A variant or struct of these fields with values that were written without names, in this order;
/// the rest is from the example. Without values, the example.
pub(super) fn named(owner: &str, fields: &[&str], values: &[&str]) -> Option<String> {
    let variants = FAMILIES.iter().flat_map(|family| family.entries).map(|entry| (entry.name, entry.example));
    let mut all = variants.chain(STRUCTS.iter().copied()).filter(|(name, _)| *name == owner);
    let example = all.find_map(|(_, text)| Example::of(text).filter(|example| example.has_only(fields)))?;
    let holders = &example.tree[Tree::ROOT].children;
    let mut edits = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let (kind, value) = literal(value)?;
        let holder = *holders.get(at)?;
        if literal(example.text(holder))?.0 != kind {
            return None;
        }
        edits.push((holder, value));
    }
    Some(example.with(&edits))
}

/// How a field of a struct or variant is written.
pub(super) fn field(owner: &str, field: &str) -> Option<String> {
    let variants = FAMILIES.iter().flat_map(|family| family.entries).map(|entry| (entry.name, entry.example));
    let all = variants.chain(STRUCTS.iter().copied()).filter(|(name, _)| *name == owner);
    all.filter_map(|(_, text)| Example::of(text)).find_map(|example| {
        let id = example.tree.named(Tree::ROOT, field)?;
        Some(format!("{field}: {}", example.text(id)))
    })
}

/// How a variant is written. Where families share its name, what it stands in tells which is meant:
/// the variant around it, or the field.
pub(super) fn variant(tag: &str, around: Option<&str>, field: Option<&str>) -> Option<String> {
    let inside = around.and_then(|around| {
        let mut entries = FAMILIES.iter().flat_map(|family| family.entries).filter(|entry| entry.name == around);
        entries.find_map(|entry| {
            let example = Example::of(entry.example)?;
            let id = example.tree.ids().skip(1).find(|id| example.tag(*id) == Some(tag))?;
            Some(example.text(id).to_owned())
        })
    });
    let of_field = |family: &&Family| field.is_some_and(|field| family.name.to_lowercase() == field);
    let families = FAMILIES.iter().filter(of_field).chain(FAMILIES);
    inside.or_else(|| {
        let mut entries = families.flat_map(|family| family.entries);
        Some(entries.find(|entry| entry.name == tag)?.example.to_owned())
    })
}

/// What kind of literal a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Duration,
    Text,
}

/// Kind and right spelling of a literal: a duration gets quotes, a number has none.
fn literal(written: &str) -> Option<(Kind, String)> {
    let unquoted = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if unquoted.unwrap_or(written).parse::<SimDuration>().is_ok() {
        return Some((Kind::Duration, format!("\"{}\"", unquoted.unwrap_or(written))));
    }
    match unquoted {
        Some(text) if text.parse::<f64>().is_ok() => Some((Kind::Number, text.to_owned())),
        Some(text) => (!text.contains(['"', '\\'])).then(|| (Kind::Text, written.to_owned())),
        None => written.parse::<f64>().is_ok().then(|| (Kind::Number, written.to_owned())),
    }
}

/// An example, and where in it everything stands.
struct Example {
    text: &'static str,
    tree: Tree,
}

impl Example {
    fn of(text: &'static str) -> Option<Self> {
        Some(Self { text, tree: Document::parse("", text).tree? })
    }

    fn text(&self, id: Id) -> &'static str {
        self.tree[id].span.of(self.text)
    }

    fn tag(&self, id: Id) -> Option<&'static str> {
        self.tree[id].tag.map(|tag| tag.of(self.text))
    }

    /// Whether what it holds are fields, all of them among these.
    fn has_only(&self, fields: &[&str]) -> bool {
        let root: &Node = &self.tree[Tree::ROOT];
        let known = |id: &Id| self.tree.name(*id).is_some_and(|name| fields.contains(&name));
        root.shape == Shape::Struct && root.children.iter().all(known)
    }

    /// Another value instead of the only one, however deep in parentheses, if both are of one kind; it
    /// may have a name, or must not.
    fn with_only_value(&self, kind: Kind, value: &str, named: bool) -> Option<String> {
        let mut id = Tree::ROOT;
        while self.tree[id].shape == Shape::Tuple || (named && self.tree[id].shape == Shape::Struct) {
            let [only] = self.tree[id].children[..] else { return None };
            id = only;
        }
        (literal(self.text(id))?.0 == kind).then(|| self.with(&[(id, value.to_owned())]))
    }

    /// Other values in these places, which are in order.
    fn with(&self, edits: &[(Id, String)]) -> String {
        let (mut text, mut at) = (String::new(), 0);
        for (id, value) in edits {
            let span = self.tree[*id].span;
            text += &self.text[at..span.start];
            text += value;
            at = span.end;
        }
        text + &self.text[at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_can_be_parsed() {
        for family in FAMILIES {
            for entry in family.entries {
                let example = Example::of(entry.example).expect(entry.example);
                assert_eq!(example.tag(Tree::ROOT), Some(entry.name));
            }
        }
        for (name, text) in STRUCTS {
            assert_eq!(Example::of(text).expect(text).tree[Tree::ROOT].shape, Shape::Struct, "{name}");
        }
    }

    #[test]
    fn what_was_written_takes_the_place_of_its_kind() {
        let every = |family: &str| -> Vec<&str> {
            let family = FAMILIES.iter().find(|known| known.name == family).expect("a family");
            family.entries.iter().map(|entry| entry.name).collect()
        };
        let check = |family: &str, value: &str, say: &[&str]| {
            assert_eq!(holding(family, &every(family), value), say, "{value} for {family}");
        };
        check("Distribution", "\"5ms\"", &["Constant(\"5ms\")", "Exponential(\"5ms\")"]);
        check("Distribution", "5ms", &["Constant(\"5ms\")", "Exponential(\"5ms\")"]);
        check("Distribution", "5", &[]);
        check("Rate", "\"200\"", &["Constant(200)"]);
        check("Balancer", "2", &["PowerOf(choices: 2)"]);
        check("Arrivals", "200", &["Poisson(Constant(200))"]);
        check("Processor", "4", &["Servers(4)", "Cores(4)"]);
        check("Drop", "\"300ms\"", &["RemainingBelow(\"300ms\")"]);
        check("Step", "\"db.query\"", &["Call(\"db.query\")", "Send(\"db.query\")"]);

        let check = |family: &str, value: &str, say: &[&str]| {
            let tag = value.split('(').next().expect("a tag");
            assert_eq!(around(family, tag, value), say, "{value} for {family}");
        };
        check(
            "Step",
            "Gamma(mean: \"5ms\", cv: 1)",
            &["Work(Gamma(mean: \"5ms\", cv: 1))", "Delay(Gamma(mean: \"5ms\", cv: 1))"],
        );
        check("Arrivals", "Ramp([])", &["Poisson(Ramp([]))"]);
        check("Processor", "Ramp([])", &[]);

        let check = |owner: &str, fields: &[&str], values: &[&str], say: Option<&str>| {
            assert_eq!(named(owner, fields, values).as_deref(), say, "{values:?} for {owner}");
        };
        let fields = &["mean", "cv"][..];
        check("LogNormal", fields, &["\"5ms\"", "2"], Some("LogNormal(mean: \"5ms\", cv: 2)"));
        check("LogNormal", fields, &["\"5ms\""], Some("LogNormal(mean: \"5ms\", cv: 1.2)"));
        check("LogNormal", fields, &["5", "2"], None);
        check(
            "Exponential",
            &["base", "cap", "jitter"],
            &["\"2s\""],
            Some("Exponential(base: \"2s\", cap: \"5s\", jitter: Full)"),
        );
        check("Queue", &["layout", "cap", "drop"], &["50"], Some("(cap: 50)"));
        assert_eq!(variant("Constant", Some("Poisson"), None).as_deref(), Some("Constant(20)"));
        assert_eq!(variant("Exponential", None, Some("backoff")).as_deref(), Some(Backoff::ALL[2].example));
        assert_eq!(field("Retry", "backoff").as_deref(), Some("backoff: Drawn(Exponential(\"2s\"))"));
    }
}
