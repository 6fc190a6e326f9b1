//! The document: places, edits, and all problems at once.

use indexmap::IndexMap;
use proptest::prelude::*;
use scenarios::document::{Document, EditError, MAX_FILE_BYTES, Path, Problem, ReadError};
use serde::de::value::{EnumAccessDeserializer, MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

// Types as a scenario might have them.

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    services: IndexMap<String, Service>,
    #[serde(default)]
    clients: IndexMap<String, Client>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    replicas: Given<u32>,
    processor: Processor,
    #[serde(default)]
    queue: Option<Queue>,
    endpoints: IndexMap<String, Vec<Step>>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Processor {
    Servers(Given<u32>),
    Cores(Given<u32>),
    Infinite,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
enum Queue {
    PerReplica(Limits),
    Shared { cap: u32 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    cap: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Step {
    Work(Given<Distribution>),
    Call(String),
    Branch(f64, String),
}

#[derive(Debug, PartialEq, Deserialize)]
enum Distribution {
    Constant(Duration),
    Exponential(Duration),
    LogNormal { mean: Duration, cv: f64 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    rate: Given<f64>,
    timeout: Given<Duration>,
    #[serde(default)]
    patience: Option<Duration>,
}

/// Milliseconds, written with their unit.
#[derive(Debug, PartialEq, Clone, Copy)]
struct Duration(u64);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes with its unit, for example \"800ms\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                let number = text
                    .strip_suffix("ms")
                    .ok_or_else(|| E::custom(format!("the duration \"{text}\" has no unit: write \"{text}ms\"")))?;
                let invalid = |_| E::invalid_value(de::Unexpected::Str(text), &self);
                number.parse().map(Duration).map_err(invalid)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A value, bare or with where it comes from: `12` or `(value: 12, source: Guess, range: (4, 20))`.
///
/// The recipe: `deserialize_any` shows what stands there; every kind of bare value is handed on to
/// `T`, and a map can only be the long form. So `T` may be anything but a struct or a map. A newtype
/// around a number needs `#[serde(transparent)]`.
#[derive(Debug, PartialEq)]
struct Given<T> {
    value: T,
    provenance: Option<(Source, Option<(T, T)>)>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Source {
    Measured,
    Guess,
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self { value, provenance: None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData))
    }
}

struct GivenVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for GivenVisitor<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or (value: ..., source: ...)")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Given<T>, E> {
        T::deserialize(value.into_deserializer()).map(Given::from)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Given<T>, E> {
        T::deserialize(value.into_deserializer()).map(Given::from)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Given<T>, E> {
        T::deserialize(value.into_deserializer()).map(Given::from)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Given<T>, E> {
        T::deserialize(value.into_deserializer()).map(Given::from)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Given<T>, E> {
        T::deserialize(value.into_deserializer()).map(Given::from)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Given<T>, E> {
        T::deserialize(().into_deserializer()).map(Given::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Given<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(values)).map(Given::from)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<Given<T>, A::Error> {
        T::deserialize(EnumAccessDeserializer::new(variant)).map(Given::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Given<T>, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long<T> {
            value: T,
            source: Source,
            #[serde(default = "none")]
            range: Option<(T, T)>,
        }
        fn none<T>() -> Option<T> {
            None
        }
        let Long { value, source, range } = Long::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(Given { value, provenance: Some((source, range)) })
    }
}

const SAMPLE: &str = r#"// The night of the match.
(
    services: {
        "web": (
            replicas: 3, // too few
            processor: Cores(4),
            queue: Shared(cap: 1_500),
            endpoints: {
                "get": [Work(Exponential("35ms")), Call("db.query")],
                "grüße": [],
            },
        ),
        /* the slow one */
        "db.main": (
            replicas: (value: 1, source: Guess, range: (1, 3)),
            processor: Servers(1),
            queue: PerReplica(cap: 20),
            endpoints: {"query": [Work((value: LogNormal(mean: "12ms", cv: 1.2), source: Measured))]}
        ),
    },
    clients: {"fans": (rate: 100.5, timeout: "800ms")},
)
"#;

fn path(text: &str) -> Path {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn sample() -> Document {
    Document::parse("night.ron", SAMPLE)
}

/// Each problem as `line:column: message`, with its help in brackets.
fn problems_of(text: &str) -> Vec<String> {
    let document = Document::parse("night.ron", text);
    let decoded = document.decode::<Scenario>();
    let report = document.report(decoded.problems);
    report.items.iter().map(line).collect()
}

fn line(problem: &Problem) -> String {
    let place = problem.place.map_or("-".to_owned(), |place| format!("{}:{}", place.line, place.column));
    let help = problem.help.as_ref().map_or(String::new(), |help| format!(" [{help}]"));
    format!("{place}: {}{help}", problem.message)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = problems_of(text);
    assert_eq!(found, expected, "in:\n{text}\nfound:\n{}", found.join("\n"));
}

// Paths and places.

#[test]
fn paths_read_as_they_are_written() {
    let valid =
        ["", "services", "services.web.endpoints.get[0]", "a.\"db.main\"[1][2].x", "m.\"\".\"q\\\"\\\\\"", "[0].a"];
    for text in valid {
        assert_eq!(path(text).to_string(), text);
    }
    for text in [".a", "a.", "a..b", "a[", "a[x]", "a[0]b", "a.\"b", "a b", "[-1]"] {
        assert!(text.parse::<Path>().is_err(), "{text}");
    }
}

#[test]
fn paths_lead_through_structs_maps_lists_and_variants() {
    let document = sample();
    for (at, value, line, column) in [
        ("services.web.replicas", "3", 5, 23),
        ("services.web.processor", "Cores(4)", 6, 24),
        ("services.web.processor[0]", "4", 6, 30),
        ("services.web.queue.cap", "1_500", 7, 32),
        ("services.web.endpoints.get[0]", "Work(Exponential(\"35ms\"))", 9, 25),
        ("services.web.endpoints.get[0][0][0]", "\"35ms\"", 9, 42),
        ("services.web.endpoints.get[1][0]", "\"db.query\"", 9, 57),
        ("services.web.endpoints.grüße", "[]", 10, 26),
        ("services.\"db.main\".replicas.range[1]", "3", 15, 60),
        ("clients.fans.timeout", "\"800ms\"", 21, 46),
    ] {
        let at = path(at);
        assert_eq!(document.get(&at), Some(value), "{at}");
        let place = document.place(&at).expect("just found");
        assert_eq!((place.line, place.column), (line, column), "{at}");
        assert_eq!(&SAMPLE[place.span()], value);
    }
    let name = document.place_of_name(&path("services.\"db.main\"")).expect("a key");
    assert_eq!((&SAMPLE[name.span()], name.line, name.column), ("\"db.main\"", 14, 9));
    assert_eq!(document.place_of_name(&path("services.web.endpoints.get[0]")), None);
    for nowhere in ["services.wbe", "services.web.processor.cap", "services.web.endpoints.get[2]", "services[0]"] {
        assert_eq!(document.place(&path(nowhere)), None, "{nowhere}");
    }
}

#[test]
fn names_are_found_in_a_lone_wrapper() {
    let text = "(a: Some(Limits(cap: 3)), b: Outer((cap: 4)), r#type: {1: 'x', Two: ()})";
    let document = Document::parse("", text);
    for (at, value) in [("a.cap", "3"), ("b.cap", "4"), ("type.1", "'x'"), ("type.Two", "()")] {
        assert_eq!(document.get(&path(at)), Some(value));
    }
}

#[test]
fn the_text_is_kept_byte_for_byte() {
    let odd = "\u{feff}#![enable(unwrap_newtypes)]\r\n(a: r#\"x\"y\"#,\r\n\tb: -inf /* /* nested */ */, c: b'x', d: b\"y\\\"\",) // end";
    let document = Document::parse("", odd);
    assert_eq!(document.to_string(), odd);
    assert_eq!(document.problems(), []);
    assert_eq!(document.get(&path("a")), Some("r#\"x\"y\"#"));
    let place = document.place(&path("b")).expect("b");
    assert_eq!((place.line, place.column), (3, 5));
    // The byte order mark takes no column.
    let marked = Document::parse("", "\u{feff}(a: 1)");
    assert_eq!(marked.place(&path("a")).map(|place| place.column), Some(5));
}

// Decoding.

#[test]
fn the_sample_decodes() {
    for text in [SAMPLE.to_owned(), SAMPLE.replace('\n', "\r\n"), format!("\u{feff}{SAMPLE}")] {
        let decoded = Document::parse("", &text).decode::<Scenario>();
        assert_eq!(decoded.problems, []);
        assert!(decoded.is_complete() && decoded.dropped.is_empty());
        let scenario = decoded.value.expect("complete");
        let db = &scenario.services["db.main"];
        assert_eq!(db.replicas, Given { value: 1, provenance: Some((Source::Guess, Some((1, 3)))) });
        assert_eq!(db.queue, Some(Queue::PerReplica(Limits { cap: 20 })));
        let demand = Distribution::LogNormal { mean: Duration(12), cv: 1.2 };
        let demand = Given { value: demand, provenance: Some((Source::Measured, None)) };
        assert_eq!(db.endpoints["query"], [Step::Work(demand)]);
        let web = &scenario.services["web"];
        let work = Step::Work(Distribution::Exponential(Duration(35)).into());
        assert_eq!(web.endpoints["get"], [work, Step::Call("db.query".to_owned())]);
    }
}

#[test]
fn what_decodes_decodes_as_with_ron() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Unit;
    #[derive(Debug, PartialEq, Deserialize)]
    struct Newtype(f64);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Odd {
        unit: Unit,
        newtype: Newtype,
        option: Option<Option<u8>>,
        some: Option<Limits>,
        tuple: (u8, char),
        nested: Option<Inner>,
        numbers: IndexMap<i8, f64>,
        text: String,
        nothing: (),
    }
    #[derive(Debug, PartialEq, Deserialize)]
    enum Inner {
        Unwrapped(Limits),
        Pair((u8, u8)),
        Two(u8, u8),
        Plain,
    }
    let text = r##"Odd(unit: Unit, newtype: Newtype(3), option: Some(None), some: (cap: 0x10), tuple: (1, 'x'),
        nested: NESTED, numbers: {-1: inf, 2: -0.5e-3,}, text: r#"a"b"#, nothing: ())"##;
    let ron = ron_with_extensions();
    for nested in ["Unwrapped(cap: 3)", "Some(Unwrapped(cap: 3))", "Plain", "Pair(1, 2)", "Two(1, 2)", "None"] {
        let text = text.replace("NESTED", nested);
        let expected: Odd = ron.from_str(&text).expect("valid");
        let decoded = Document::parse("", &text).decode::<Odd>();
        assert_eq!(decoded.problems, []);
        assert_eq!(decoded.value, Some(expected));
    }
    let decoded = Document::parse("", "[NaN, inf, -inf]").decode::<Vec<Given<f64>>>();
    let values: Vec<f64> = decoded.value.expect("numbers").into_iter().map(|given| given.value).collect();
    assert!(values[0].is_nan() && values[1..] == [f64::INFINITY, f64::NEG_INFINITY]);
}

#[test]
fn all_problems_are_found_at_once() {
    let text = r#"(
    services: {
        "web": (
            replica: 3,
            processor: Core(4),
            endpoints: {
                "get": [
                    Work(Exponential("35")),
                    Work(Exponentail("35ms")),
                    Call(db),
                    Work((value: "35ms", source: Guess)),
                ],
            },
        ),
        "db": (
            replicas: (value: 1.5, source: Gues, range: (1, 2, 3)),
            processor: Infinite(3),
            queue: Shared(capacity: 3),
        ),
        "web": (),
        "cache": (replicas: 1, processor: Infinite),
    },
    clients: {"fans": (rate: "fast", timeout: 800), "others": [1]},
    horizon: "2h",
)"#;
    check(
        text,
        &[
            "4:13: unknown field `replica` in `Service` [did you mean `replicas`? fields: replicas, processor, queue, endpoints]",
            "5:24: unknown processor `Core` [did you mean `Cores`? choices: Servers, Cores, Infinite]",
            "8:38: the duration \"35\" has no unit: write \"35ms\"",
            "9:26: unknown name `Exponentail` [did you mean `Exponential`? choices: Constant, Exponential, LogNormal]",
            "10:26: expected a text in quotes, found `db` [write \"db\"]",
            "11:34: expected a distribution, found `\"35ms\"` [write Constant(\"35ms\") or Exponential(\"35ms\"); choices: Constant, Exponential, LogNormal]",
            "16:31: expected a whole number from 0 to 4294967295, found `1.5` [for example 3]",
            "16:44: unknown Source `Gues` [did you mean `Guess`? choices: Measured, Guess]",
            "16:64: one value too many: `3`",
            "17:24: `Infinite` takes nothing in parentheses [write Infinite]",
            "18:20: missing field `cap` in `Shared` [add cap: ...]",
            "18:27: unknown field `capacity` in `Shared` [fields: cap]",
            "20:9: `web` appears twice, first at 3:9 [remove or rename one of them]",
            "21:18: missing field `endpoints` in `Service` [add endpoints: ...]",
            "23:30: expected a number, found `\"fast\"` [for example 0.5]",
            "23:47: expected a duration in quotes with its unit, for example \"800ms\", found `800` [write \"800s\" or \"800ms\"]",
            "23:63: expected the fields of `Client` in parentheses, found a list [fields: rate, timeout, patience]",
            "24:5: unknown field `horizon` in `Scenario` [fields: services, clients]",
        ],
    );
}

#[test]
fn single_problems_read_well() {
    let service = |inside: &str| format!("(services: {{\"web\": (\n{inside}\n)}})");
    let rest = "processor: Infinite, endpoints: {}";
    for (inside, expected) in [
        (
            format!("replicas: -1, {rest}"),
            "2:11: expected a whole number from 0 to 4294967295, found `-1` [for example 3]",
        ),
        (
            format!("replicas: 3s, {rest}"),
            "2:11: expected a value, or (value: ..., source: ...), found `3s` [a value with a unit stands in quotes: \"3s\"]",
        ),
        (format!("replicas: \"\\q\", {rest}"), "2:11: unknown escape character"),
        (
            "replicas: 3, processor: \"Cores\", endpoints: {}".to_owned(),
            "2:25: expected a processor, found `\"Cores\"` [write for example Cores(4), without quotes]",
        ),
        (
            "replicas: 3, processor: \"Infinite\", endpoints: {}".to_owned(),
            "2:25: expected a processor, found `\"Infinite\"` [write Infinite without quotes]",
        ),
        (
            "replicas: 3, processor: Cores, endpoints: {}".to_owned(),
            "2:25: `Cores` lacks its value [write for example Cores(4)]",
        ),
        (
            "replicas: 3, processor: Cores(), endpoints: {}".to_owned(),
            "2:25: expected a whole number from 0 to 4294967295 in the parentheses of `Cores`, found `Cores()` [for example 3]",
        ),
        (
            "replicas: 3, processor: Cores(1, 2), endpoints: {}".to_owned(),
            "2:25: expected a whole number from 0 to 4294967295 in the parentheses of `Cores`, found `Cores(1, 2)` [for example 3]",
        ),
        (
            "replicas: 3, processor: Infinite, endpoints: (get: [])".to_owned(),
            "2:46: expected a map, found fields in parentheses [a map stands in { } and its keys in quotes: {\"name\": ...}]",
        ),
        (
            "replicas: 3, processor: Infinite, endpoints: {get: []}".to_owned(),
            "2:47: expected a text in quotes, found `get` [write \"get\"]",
        ),
        (
            "replicas: 3, processor: Infinite, endpoints: {\"get\": Call(\"x\")}".to_owned(),
            "2:54: expected a list, found `Call(\"x\")` [write [Call(\"x\")]]",
        ),
        (
            "replicas: 3, processor: Infinite, endpoints: {\"get\": [Branch(0.5)]}".to_owned(),
            "2:55: expected 2 values in the parentheses of `Branch`, found 1 value",
        ),
        (
            "replicas: 3, processor: Infinite, queue: Shared(1500), endpoints: {}".to_owned(),
            "2:42: expected the fields of `Shared` in parentheses, found `Shared(1500)` [fields: cap]",
        ),
        (
            "replicas: 3, processor: Infinite, queue: PerReplica(Limit(cap: 1)), endpoints: {}".to_owned(),
            "2:53: expected the fields of `Limits` in parentheses, found `Limit(cap: 1)` [write ( ... ), without `Limit`; fields: cap]",
        ),
        (
            "replicas: 3, processor: Infinite, queue: PerReplica({\"cap\": 1}), endpoints: {}".to_owned(),
            "2:53: expected the fields of `Limits` in parentheses, found a map [fields stand in ( ) and without quotes; fields: cap]",
        ),
        (
            "replicas: 3, processor: Infinite, queue: Some(PerReplica(cap: \"x\")), endpoints: {}".to_owned(),
            "2:63: expected a whole number from 0 to 4294967295, found `\"x\"` [for example 3]",
        ),
    ] {
        check(&service(&inside), &[expected]);
    }
}

#[test]
fn syntax_is_explained() {
    for (text, expected) in [
        ("", "1:1: the file is empty [a scenario is one `( ... )` with its fields inside]"),
        ("// nothing", "1:1: the file holds only comments [a scenario is one `( ... )` with its fields inside]"),
        (
            "services: {}",
            "1:9: unexpected `:` after the end of the scenario [put the fields of the scenario into one pair of parentheses: `( ... )`]",
        ),
        ("(services: {}, clients: {)", "1:25: this `{` is never closed [expected `}` before the `)` at 1:26]"),
        ("(services: {}", "1:1: this `(` is never closed [expected `)` before the end of the file]"),
        ("(services: {}))", "1:15: unexpected `)` after the end of the scenario"),
        ("(services: {} clients: {})", "1:14: a comma is missing before `clients`"),
        ("(services: {}; clients: {})", "1:14: expected `,`, found `;`"),
        ("(services: {}, , clients: {})", "1:16: nothing stands before this comma [remove it]"),
        ("(services = {}, clients: {})", "1:11: expected `:` after `services`, found `=`"),
        ("(services {}, clients: {})", "1:10: a colon is missing after `services`"),
        ("(\"services\": {})", "1:2: a field name stands without quotes [write services: ...]"),
        ("(services: {}, clients: )", "1:16: `clients` has no value [write clients: ...]"),
        ("(services: , clients: {})", "1:2: `services` has no value [write services: ...]"),
        ("(services: {}, /* clients: {})", "1:16: this comment is never closed: expected `*/`"),
        (
            "(services: {}, clients: {“fans”: ()})",
            "1:26: expected a value, found the typographic quote `“` [use plain quotes: \"...\"]",
        ),
        (
            "(services: {}, clients: {'fans: ()})",
            "1:26: this single quote is not closed [texts stand in double quotes: \"...\"]",
        ),
        (
            "(services: {},\u{a0}clients: {})",
            "1:15: expected `name: value` or `)`, found a no-break space (U+00A0) [is a `)` missing before it? The `(` stands at 1:1]",
        ),
        ("#![enable(no_such)]\n(services: {})", "1:18: no RON extension named `no_such`"),
        ("(services: {}, clients: {\"a\": db.x})", "1:31: `db.x` cannot stand without quotes [write \"db.x\"]"),
    ] {
        let found = problems_of(text);
        assert_eq!(found.first().map(String::as_str), Some(expected), "in {text}: {found:?}");
    }
}

#[test]
fn the_bracket_or_quote_that_is_missing_is_found() {
    for (missing, instead, expected) in [
        ("\"35ms\"", "\"35ms", "9:57: a `\"` is missing on this line"),
        (
            "        ),\n        /*",
            "        /*",
            "13:9: expected `name: value` or `)`, found `\"db.main\"` [is a `)` missing before it? The `(` stands at 4:16]",
        ),
        (
            "            },\n        ),",
            "        ),",
            "8:24: this `{` is never closed [expected `}` before the `)` at 11:9]",
        ),
        ("    },\n    clients", "    clients", "3:15: this `{` is never closed [expected `}` before the `)` at 21:1]"),
        ("cap: 1_500)", "cap: 1_500", "7:26: this `(` is never closed"),
        ("\"800ms\"", "\"800ms", "21:46: this text is never closed: a `\"` is missing"),
    ] {
        let text = SAMPLE.replace(missing, instead);
        assert_ne!(text, SAMPLE);
        let found = problems_of(&text);
        assert!(found.len() == 1 && found[0].starts_with(expected), "without {missing}: {}", found.join("\n"));
    }
}

#[test]
fn small_slips_of_syntax_are_reported_with_all_else() {
    let text = SAMPLE.replace("3, // too few", "3 // too few").replace("35ms", "35").replace("rate: 100.5,", "rate: x");
    check(
        &text,
        &[
            "5:24: a comma is missing before `processor`",
            "9:42: the duration \"35\" has no unit: write \"35ms\"",
            "21:30: expected a number, found `x` [for example 0.5]",
            "21:31: a comma is missing before `timeout`",
        ],
    );
}

#[test]
fn what_was_dropped_is_known() {
    let text = SAMPLE.replace("35ms", "35").replace("rate: 100.5", "rat: 100.5").replace("cap: 20", "cap: ()");
    let document = Document::parse("", &text);
    let decoded = document.decode::<Scenario>();
    let dropped: Vec<String> = decoded.dropped.iter().map(Path::to_string).collect();
    assert!(dropped.contains(&"services.web.endpoints.get[0]".to_owned()), "{dropped:?}");
    assert!(dropped.contains(&"clients.fans".to_owned()), "{dropped:?}");
    assert_eq!(decoded.problems.len(), 3);
    let scenario = decoded.value.as_ref().expect("enough is left");
    assert!(scenario.clients.is_empty() && scenario.services["db.main"].queue.is_none());
    // The call is first in the value, second in the document.
    assert_eq!(scenario.services["web"].endpoints["get"], [Step::Call("db.query".to_owned())]);
    let call = decoded.in_document(&path("services.web.endpoints.get[0]"));
    assert_eq!(call.to_string(), "services.web.endpoints.get[1]");
    assert_eq!(
        decoded.in_document(&path("services.\"db.main\".endpoints.query[0]")).to_string(),
        "services.\"db.main\".endpoints.query[0]"
    );
}

#[test]
fn problems_by_path_find_their_place() {
    let document = sample();
    let report = document.report([
        Problem::error(path("services.\"db.main\".queue.cap"), "too small").with_help("try 30"),
        Problem::warning(path("services.web.endpoints.get[1].no.such"), "nobody answers"),
        Problem::error(path("services.web"), "nobody calls it"),
        Problem::error(path("slo"), "there is none"),
    ]);
    assert!(report.has_errors() && !report.is_empty());
    let expected = r#"night.ron:2:1: there is none
  |
2 | (
  | ^

night.ron:4:9: nobody calls it
  |
4 |         "web": (
  |         ^^^^^

night.ron:9:52: warning: nobody answers
  |
9 |                 "get": [Work(Exponential("35ms")), Call("db.query")],
  |                                                    ^^^^^^^^^^^^^^^^

night.ron:17:36: too small
   |
17 |             queue: PerReplica(cap: 20),
   |                                    ^^
   = help: try 30
"#;
    assert_eq!(report.to_string(), expected);
}

#[test]
fn reports_are_safe_to_print() {
    let long = format!("(\u{feff}a:\t\"\u{1b}[2J\", b: \"{}\", c: oops)", "x".repeat(300));
    let document = Document::parse("long.ron", &long);
    let text = document.report(document.decode::<IndexMap<String, String>>().problems).to_string();
    assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() < 150), "{text}");
    let oops = Document::parse("long.ron", &format!("(b: \"{}\", c: 1)", "x".repeat(300)));
    let report = oops.report([Problem::error(path("c"), "here")]).to_string();
    assert!(
        report.lines().nth(2).is_some_and(|line| line.starts_with("1 | \u{2026}xxx") && line.ends_with("c: 1)")),
        "{report}"
    );
    let caret = report.lines().nth(3).and_then(|line| line.find('^')).expect("a caret");
    assert_eq!(report.lines().nth(2).and_then(|line| line.chars().nth(caret)), Some('1'));
}

// Edits.

#[track_caller]
fn after_set(text: &str, at: &str, value: &str) -> String {
    let mut document = Document::parse("", text);
    document.set(&path(at), value).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(document.get(&path(at)), Some(value.trim()), "{document}");
    document.to_string()
}

#[track_caller]
fn after_remove(text: &str, at: &str) -> String {
    let mut document = Document::parse("", text);
    document.remove(&path(at)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(document.problems(), [], "{document}");
    document.to_string()
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    for (at, old, new) in [
        ("services.web.replicas", "replicas: 3, // too few", "replicas: 30, // too few"),
        ("services.web.queue.cap", "cap: 1_500", "cap: 2"),
        ("services.web.endpoints.get[0][0][0]", "35ms", "50ms"),
        ("services.web.processor", "Cores(4)", "Servers((value: 4, source: Guess))"),
    ] {
        for break_ in ["\n", "\r\n"] {
            let text = SAMPLE.replace('\n', break_);
            let expected = text.replacen(old, new, 1);
            let value = Document::parse("", &expected).get(&path(at)).expect("there").to_owned();
            assert_eq!(after_set(&text, at, &value), expected);
        }
    }
    assert_eq!(after_set("\u{feff}( ) // x", "", "(a: 1)"), "\u{feff}(a: 1) // x");
}

#[test]
fn what_is_not_there_is_added_in_the_same_layout() {
    for (text, at, value, expected) in [
        ("()", "a", "1", "(a: 1)"),
        ("Name()", "a", "1", "Name(a: 1)"),
        ("(a: 1)", "b", "2", "(a: 1, b: 2)"),
        ("( a: 1, )", "b", "2", "( a: 1, b: 2, )"),
        ("(a: 1 /* x */)", "b", "2", "(a: 1, b: 2 /* x */)"),
        ("(a: {})", "a.b", "[2]", "(a: {\"b\": [2]})"),
        ("(a: {1: 2})", "a.3", "4", "(a: {1: 2, 3: 4})"),
        ("(a: {})", "a.\"q\\\"\"", "4", "(a: {\"q\\\"\": 4})"),
        ("(a: [])", "a[0]", "4", "(a: [4])"),
        ("(a: [1,\n2])", "a[2]", "3", "(a: [1,\n2, 3])"),
        ("(a: Some((b: 1)))", "a.c", "2", "(a: Some((b: 1, c: 2)))"),
        ("(\n    a: 1, // x\n)", "b", "2", "(\n    a: 1, // x\n    b: 2,\n)"),
        ("(\n    a: 1 // x, y\n    // more\n)", "b", "2", "(\n    a: 1, // x, y\n    b: 2\n    // more\n)"),
        ("(\r\n\ta: 1\r\n)", "b", "2", "(\r\n\ta: 1,\r\n\tb: 2\r\n)"),
        ("(\r\n\ta: 1, // x\r\n)", "b", "2", "(\r\n\ta: 1, // x\r\n\tb: 2,\r\n)"),
        ("(\n    a: {\n    },\n)", "a.b", "2", "(\n    a: {\n        \"b\": 2,\n    },\n)"),
        ("(a: ( // none\n))", "a.b", "2", "(a: ( // none\n    b: 2,\n))"),
        ("(a: (/* none */))", "a.b", "2", "(a: (/* none */ b: 2))"),
        ("(a: 1)", "r+x", "2", "(a: 1, r#r+x: 2)"),
    ] {
        let at = if at == "r+x" { "\"r+x\"" } else { at };
        assert_eq!(after_set(text, at, value), expected);
        assert_eq!(Document::parse("", expected).problems(), []);
    }
}

#[test]
fn what_is_removed_takes_its_comma_and_line_along() {
    for (text, at, expected) in [
        ("(a: 1)", "a", "()"),
        ("(a: 1, b: 2, c: 3)", "a", "(b: 2, c: 3)"),
        ("(a: 1, b: 2, c: 3)", "b", "(a: 1, c: 3)"),
        ("(a: 1, b: 2, c: 3)", "c", "(a: 1, b: 2)"),
        ("( a: 1, b: 2, )", "b", "( a: 1, )"),
        ("[1, 2, 3]", "[1]", "[1, 3]"),
        ("{\"a\": 1, \"b\": 2}", "b", "{\"a\": 1}"),
        ("(\n    a: 1, // x\n    b: (\n        c: 2,\n    ),\n)", "b", "(\n    a: 1, // x\n)"),
        ("(\n    a: 1, // x\n    b: 2 // y\n)", "b", "(\n    a: 1 // x\n    // y\n)"),
        ("(\r\n  a: 1,\r\n  b: 2,\r\n)", "a", "(\r\n  b: 2,\r\n)"),
        ("(a: 1 /* one */, b: 2)", "a", "(/* one */ b: 2)"),
        ("(a: 1, // x\n b: 2)", "b", "(a: 1 // x\n )"),
        ("(a: 1, b: 2,\n c: 3)", "b", "(a: 1,\n c: 3)"),
    ] {
        assert_eq!(after_remove(text, at), expected, "{text} without {at}");
    }
}

#[test]
fn impossible_edits_change_nothing() {
    let mut document = sample();
    for value in ["", "1, 2", "1 // x", "(", "\"a", "1 2", "#![enable(implicit_some)] 1", "35ms%", "\"\\q\""] {
        let error = document.set(&path("services.web.replicas"), value).expect_err(value);
        assert!(matches!(error, EditError::NotAValue { .. }), "{error}");
    }
    for at in [
        "services.nowhere.replicas",
        "services.web.endpoints.get[3]",
        "services.web.processor.x",
        "services.web.replicas.x",
    ] {
        let error = document.set(&path(at), "1").expect_err(at);
        assert!(matches!(error, EditError::NotFound { .. }), "{error}");
    }
    assert_eq!(document.set(&path("\"no name\""), "1"), Err(EditError::NotAName { name: "no name".to_owned() }));
    let deep = "(".repeat(60) + &")".repeat(60);
    assert!(matches!(document.set(&path("services.web.endpoints.get[0]"), &deep), Err(EditError::NotAValue { .. })));
    assert!(matches!(document.remove(&path("")), Err(EditError::NotRemovable { .. })));
    assert!(matches!(document.remove(&path("services.web.processor[0]")), Err(EditError::NotRemovable { .. })));
    assert!(matches!(document.remove(&path("services.nowhere")), Err(EditError::NotFound { .. })));
    assert_eq!(document.to_string(), SAMPLE);
    let mut broken = Document::parse("", "(a: 1 b: 2)");
    assert!(matches!(broken.set(&path("a"), "2"), Err(EditError::Broken { .. })));
}

// Reading.

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("night.ron"), SAMPLE).expect("written");
    assert_eq!(Document::read(&file("night.ron")).expect("read").text(), SAMPLE);

    let missing = Document::read(&file("nihgt.ron")).expect_err("missing").to_string();
    assert!(
        missing.contains("there is no file") && missing.contains("did you mean") && missing.contains("night.ron"),
        "{missing}"
    );
    let missing = Document::read(&file("zzzzzzz.ron")).expect_err("missing");
    assert!(matches!(missing, ReadError::Missing { similar, .. } if similar.is_empty()));
    assert!(matches!(Document::read(&file("no/such/x.ron")), Err(ReadError::Missing { .. })));
    assert!(matches!(Document::read(folder.path()), Err(ReadError::Directory { .. })));

    std::fs::write(file("latin1.ron"), b"(a: \"gr\xfc\xdfe\")").expect("written");
    assert!(matches!(Document::read(&file("latin1.ron")), Err(ReadError::NotText { offset: 7, .. })));
    // Sparse: a gigabyte that takes no room, and must not be read.
    std::fs::File::create(file("huge.ron")).and_then(|huge| huge.set_len(1 << 30)).expect("sparse");
    assert!(matches!(Document::read(&file("huge.ron")), Err(ReadError::TooLarge { .. })));
    #[cfg(unix)]
    assert!(matches!(Document::read(std::path::Path::new("/dev/zero")), Err(ReadError::TooLarge { .. })));
    std::fs::write(file("empty.ron"), "").expect("written");
    assert_eq!(Document::read(&file("empty.ron")).expect("read").problems().len(), 1);
}

// Robustness.

#[test]
fn deep_nesting_is_refused() {
    for open in ["(", "[", "{", "(a: ", "{1: ", "A(", "{(", "Some("] {
        let text = open.repeat(10_000);
        let decoded = Document::parse("", &text).decode::<Scenario>();
        assert!(decoded.value.is_none());
        assert!(decoded.problems[0].message.contains("deeper than 64"), "{:?}", decoded.problems);
    }
    // As deep as allowed is no trouble for anyone.
    let text = format!("(services: {{}}, clients: {}{})", "[".repeat(63), "]".repeat(63));
    let found = problems_of(&text);
    assert!(found.len() == 1 && found[0].contains("expected a map, found a list"), "{found:?}");
    #[derive(Debug, Deserialize)]
    struct Nest {
        #[serde(default)]
        inner: Vec<Nest>,
    }
    let text = format!("{}(){}", "(inner: [".repeat(31), "])".repeat(31));
    let decoded = Document::parse("", &text).decode::<Nest>();
    assert_eq!(decoded.problems, []);
    assert_eq!(decoded.value.expect("nested").inner.len(), 1);
}

#[test]
fn large_files_take_no_time() {
    let large = format!("[{}]", "(1, 'a', \"b\", {}), ".repeat(100_000));
    let hostile = [
        "'a".repeat(1_000_000),
        "/*".repeat(1_000_000),
        format!("({}", "a: ".repeat(1_000_000)),
        "[{(".repeat(500_000),
        "r#\"".repeat(500_000),
    ];
    let start = std::time::Instant::now();
    for text in std::iter::once(large).chain(hostile) {
        let document = Document::parse("", &text);
        let _ = document.decode::<Scenario>();
    }
    // Quadratic reading would take hours.
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn hundreds_of_problems_are_cut_short() {
    let text =
        format!("(services: {{}}, clients: {{{}}})", (0..500).map(|i| format!("\"c{i}\": 1,")).collect::<String>());
    assert_eq!(problems_of(&text).len(), 101);
    let decoded = Document::parse("", &"[,]".repeat(3)).decode::<Scenario>();
    assert!(decoded.value.is_none());
}

/// The sample's types as far as `ron` can decode them: a value after `deserialize_any` it cannot.
#[derive(Debug, PartialEq, Deserialize)]
struct Plain {
    services: IndexMap<String, PlainService>,
    clients: IndexMap<String, PlainClient>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct PlainService {
    processor: PlainProcessor,
    queue: Queue,
}

#[derive(Debug, PartialEq, Deserialize)]
enum PlainProcessor {
    Servers(u32),
    Cores(f64),
    Some,
}

#[derive(Debug, PartialEq, Deserialize)]
struct PlainClient {
    rate: Option<f64>,
    timeout: String,
}

/// The sample with a stretch cut out and something odd put in its place.
fn mutated() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", ",", ":", "\"", "'", "/*", "*/", "//", "r#\"", "b\"", "\\", "inf", "NaN",
            "..", "\u{feff}", "ü", "\r\n", "None", "Some("
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let one = (0.0..1.0f64, 0usize..12, odd);
    prop::collection::vec(one, 1..4).prop_map(|mutations| {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (at, cut, odd) in mutations {
            let at = (at * text.len() as f64) as usize;
            let end = (at + cut).min(text.len());
            text.splice(at..end, odd.chars());
        }
        text.into_iter().collect()
    })
}

/// What must hold of any text whatever.
fn holds_together(text: &str) {
    let document = Document::parse("fuzz.ron", text);
    assert_eq!(document.to_string(), text);
    let decoded = document.decode::<Scenario>();
    let accepted = ron_accepts(text);
    // Nothing is refused without a reason, and what `ron` refuses is never taken.
    assert!(decoded.value.is_some() || !decoded.problems.is_empty(), "{text}");
    assert!(accepted || !decoded.problems.is_empty(), "{text}");
    for problem in &decoded.problems {
        let place = problem.place.unwrap_or_else(|| panic!("no place: {problem:?} in {text}"));
        assert!(text.get(place.span()).is_some() && place.line > 0 && place.column > 0, "{problem:?}");
    }
    let _ = document.report(decoded.problems).to_string();
}

fn ron_with_extensions() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

fn ron_accepts(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = ron::Options::default().with_recursion_limit(100_000);
    std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().stack_size(64 << 20);
        let parse = move || options.from_str::<serde::de::IgnoredAny>(text).is_ok();
        deep.spawn_scoped(scope, parse).expect("a thread").join().expect("no panic")
    })
}

#[test]
fn truncated_files_hold_together() {
    for (end, _) in SAMPLE.char_indices() {
        holds_together(&SAMPLE[..end]);
        holds_together(&SAMPLE[end..]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_hold_together(text in mutated()) {
        holds_together(&text);
    }

    #[test]
    fn any_text_holds_together(text in "[(){}\\[\\]:,\"'/*a1# \n.-]{0,40}") {
        holds_together(&text);
    }

    /// Where the types need nothing of `ron` that it cannot do, it and the document agree.
    #[test]
    fn what_ron_takes_is_taken(text in mutated()) {
        let text = text.trim_start_matches('\u{feff}');
        if let Ok(expected) = ron_with_extensions().from_str::<Plain>(text) {
            let decoded = Document::parse("", text).decode::<Plain>();
            let twice = decoded.problems.iter().any(|problem| problem.message.contains("appears twice"));
            prop_assert!(twice || decoded.value == Some(expected), "{text}: {:?}", decoded.problems);
        }
    }

    /// Adding what is not there and removing it again gives the text back, whatever the layout.
    #[test]
    fn adding_and_removing_are_inverse(
        entries in prop::collection::vec(("[a-e]", "1|\\[2\\]|\\(x: 3\\)", " ?", " ?|\n    |\r\n\t| /\\* c \\*/ | // c\n"), 1..5),
        trailing in any::<bool>(),
    ) {
        let mut text = String::from("(");
        for (i, (name, value, before_comma, gap)) in entries.iter().enumerate() {
            let last = i + 1 == entries.len();
            let comma = if last && !trailing { "" } else { "," };
            text += &format!("{name}{i}: {value}{before_comma}{comma}{gap}");
        }
        text.push(')');
        let mut document = Document::parse("", &text);
        prop_assert_eq!(document.problems(), vec![]);
        let before: Vec<Option<String>> = (0..entries.len()).map(|i| document.get(&path(&format!("{}{i}", entries[i].0))).map(str::to_owned)).collect();
        document.set(&path("new"), "[9]").expect("added");
        prop_assert_eq!(document.get(&path("new")), Some("[9]"));
        for (i, value) in before.iter().enumerate() {
            prop_assert_eq!(&document.get(&path(&format!("{}{i}", entries[i].0))).map(str::to_owned), value);
        }
        document.remove(&path("new")).expect("removed");
        prop_assert_eq!(document.to_string(), text);
    }

    /// Any entry can be removed, in any order, and the rest stays.
    #[test]
    fn everything_can_be_removed(order in Just(vec!["services.web", "services.\"db.main\".queue", "clients.fans.timeout", "services.\"db.main\".endpoints.query[0]", "clients"]).prop_shuffle()) {
        let mut document = sample();
        for at in order {
            let _ = document.remove(&path(at));
            prop_assert_eq!(document.problems(), vec![]);
            prop_assert_eq!(document.get(&path(at)), None);
        }
        prop_assert!(document.text().contains("// The night of the match.") && document.text().contains("/* the slow one */"));
    }
}

#[test]
fn the_size_limit_is_as_documented() {
    assert_eq!(MAX_FILE_BYTES, 16 << 20);
}
