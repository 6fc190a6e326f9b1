//! Where every number comes from.

use scenarios::document::{Document, Path};
use scenarios::library;
use scenarios::load::{Loaded, Traces};
use scenarios::provenance::{self, Kind, Parameter};

fn entry(name: &str) -> Loaded {
    Loaded::entry(library::find(name).unwrap()).unwrap_or_else(|e| panic!("{e}"))
}

fn load(text: &str) -> Loaded {
    Loaded::document(Document::parse("case.ron", text), &Traces::Library).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn the<'a>(parameters: &'a [Parameter], path: &str) -> &'a Parameter {
    let found: Vec<_> = parameters.iter().filter(|p| p.path.to_string() == path).collect();
    assert_eq!(found.len(), 1, "{path}: {found:?}");
    found[0]
}

/// What must hold of every scenario.
fn check(loaded: &Loaded) -> Vec<Parameter> {
    let (parameters, text) = (provenance::of(loaded), loaded.document.text());
    // In comments, too, numbers are given; but not with their source.
    assert_eq!(parameters.iter().filter(|p| p.source.is_some()).count(), text.matches("source: ").count());
    for (i, parameter) in parameters.iter().enumerate() {
        let written = loaded.document.get(&parameter.path);
        assert_eq!(written.is_some(), parameter.written, "{parameter:?}");
        if let Some(written) = written {
            assert!(written.contains(&parameter.text), "{written}: {parameter:?}");
        }
        assert_eq!(parameter.path.to_string().parse(), Ok(parameter.path.clone()));
        assert!(parameters[..i].iter().all(|p| p.path != parameter.path), "{} is listed twice", parameter.path);
        assert_eq!(parameter.range.is_some(), parameter.source.is_some() && written.unwrap().contains("range: "));
    }
    parameters
}

#[test]
fn every_scenario_of_the_library_lists_each_parameter_once() {
    for entry in library::ALL {
        check(&Loaded::entry(entry).unwrap_or_else(|e| panic!("{e}")));
    }
}

#[test]
fn what_is_guessed_says_so_with_its_range() {
    let night = check(&entry("world-cup-night"));
    let kappa = the(&night, "services.db.processor.kappa");
    assert_eq!((kappa.text.as_str(), kappa.kind), ("0.001", Kind::Number));
    assert_eq!(kappa.range, Some(("0.0001".to_owned(), "0.001".to_owned())));
    assert_eq!(format!("{:?}", kappa.source), "Some(Guess)");
    assert_eq!(kappa.within, ["Usl"]);

    let many = check(&entry("microservices"));
    let guessed: Vec<_> = many.iter().filter(|p| p.source.is_some()).collect();
    assert_eq!(guessed.len(), 10);
    let cache = the(&many, "services.cache.endpoints.get[0][0].mean");
    assert_eq!((cache.text.as_str(), cache.kind), ("0.3ms", Kind::Duration));
    assert_eq!(cache.range, Some(("0.1ms".to_owned(), "1ms".to_owned())));
    assert_eq!(cache.within, ["Work", "Gamma"]);
}

#[test]
fn notes_and_dates_are_read() {
    let parameters = check(&load(
        r#"(
        services: {"web": (
            replicas: (value: 2, source: Vendor, date: "2026-01-31", note: "says \"two\", twice"),
            threads: Some((value: 8, source: Measured)),
            endpoints: {"get": [Work(Constant("1ms"))]},
        )},
        clients: {"users": (arrivals: Poisson(Constant(8)), mix: {"web.get": 1})},
    )"#,
    ));
    let replicas = the(&parameters, "services.web.replicas");
    assert_eq!((replicas.text.as_str(), replicas.range.as_ref()), ("2", None));
    assert_eq!(replicas.date.as_deref(), Some("2026-01-31"));
    assert_eq!(replicas.note.as_deref(), Some("says \"two\", twice"));
    assert_eq!(the(&parameters, "services.web.threads[0]").text, "8");
}

#[test]
fn what_is_left_out_is_listed_as_a_default() {
    let parameters = check(&entry("world-cup-night"));
    let default = |path: &str| {
        let parameter = the(&parameters, path);
        assert!(!parameter.written, "{path} is written");
        parameter.text.as_str()
    };
    assert_eq!(default("services.app.balancer"), "RoundRobin");
    assert_eq!(default("services.db.queue.layout"), "PerReplica");
    assert_eq!(default("services.db.queue.cap"), "any number");
    assert_eq!(default("services.db.replicas"), "1");
    assert_eq!(default("services.app.calls.db.timeout"), "for ever");
    assert_eq!(default("services.app.calls.db.cancel"), "false");
    assert_eq!(default("clients.visitors.retry.budget"), "no limit");
    assert_eq!(default("clients.visitors.arrivals[0].goals[1][0]"), "41min");
    assert_eq!(default("slo.threshold"), "1s");
    assert_eq!(default("run.seed"), "1");
    assert!(the(&parameters, "services.app.queue.layout").written);
    // What a field holds is left out with it, and what people read is no parameter.
    let small = check(&entry("one-server"));
    assert!(small.iter().any(|p| p.path.to_string() == "services.web.queue.drop" && p.text == "Never"));
    assert!(parameters.iter().all(|p| !["title", "about", "expect"].contains(&p.path.to_string().as_str())));
}

#[test]
fn a_changed_value_is_listed_as_changed() {
    let changes = [
        ("services.app.queue.cap", "1500"),
        ("services.db.processor.kappa", "0.0005"),
        ("services.db.processor.sigma", "(value: 0.02, source: Published, range: (0.01, 0.05), note: \"a paper\")"),
        ("clients.visitors.arrivals", "Poisson(Constant(600))"),
    ];
    let changed = check(&entry("world-cup-night").with(&changes).unwrap());
    let cap = the(&changed, "services.app.queue.cap");
    assert_eq!((cap.text.as_str(), cap.written), ("1500", true));
    // Whoever sets a bare number says nothing about where it comes from.
    let kappa = the(&changed, "services.db.processor.kappa");
    assert_eq!((kappa.text.as_str(), kappa.source, kappa.range.as_ref()), ("0.0005", None, None));
    let sigma = the(&changed, "services.db.processor.sigma");
    assert_eq!((sigma.text.as_str(), sigma.note.as_deref()), ("0.02", Some("a paper")));
    assert_eq!(the(&changed, "clients.visitors.arrivals[0][0]").text, "600");
    assert!(changed.iter().all(|p| !p.path.to_string().contains("goals")));
}

#[test]
fn names_may_be_as_odd_as_they_like() {
    // A service may be called as a field is that is no parameter; or as no path would have it.
    let names = ["about", "title", "a b", "x[0]", "q\\\"uote", "", "umlaut ä", "line\\nbreak", "value", "source"];
    let service = |name: &&str| format!("\"{name}\": (replicas: 3, endpoints: {{\"get\": [Work(Constant(\"1ms\"))]}})");
    let services = names.iter().map(service).collect::<Vec<_>>().join(", ");
    let text = format!(
        "(about: \"7\", services: {{{services}}}, \
         clients: {{\"expect\": (arrivals: Poisson(Constant(8)), mix: {{\"about.get\": 1}})}})"
    );
    let document = Document::parse("odd.ron", &text);
    let decoded = document.decode::<scenarios::scenario::Scenario>();
    assert!(decoded.is_complete(), "{:?}", decoded.problems);
    let parameters = provenance::parameters(&document, &decoded.value.unwrap());
    let replicas: Vec<_> = parameters.iter().filter(|p| p.text == "3").collect();
    assert_eq!(replicas.len(), names.len());
    assert!(replicas.iter().all(|p| p.written && document.get(&p.path) == Some("3")), "{replicas:?}");
    for parameter in &parameters {
        assert_eq!(parameter.path.to_string().parse::<Path>().as_ref(), Ok(&parameter.path));
        assert_eq!(document.get(&parameter.path).is_some(), parameter.written);
    }
    assert!(parameters.iter().any(|p| p.path.to_string().starts_with("clients.expect.")));
    assert!(parameters.iter().all(|p| p.text != "7"), "what a file says about itself is no parameter");
}

#[test]
fn brackets_that_say_nothing_are_seen_through() {
    let parameters = check(&load(
        r#"(
        services: {"web": (queue: (cap: Some(5)), endpoints: {"get": [Work(Constant("1ms"))]})},
        clients: {"users": (arrivals: Poisson(Piecewise(([("0s", 10)]))), mix: {"web.get": 1})},
        timeline: [],
    )"#,
    ));
    assert!(parameters.iter().filter(|p| !p.written).all(|p| !p.path.to_string().contains("arrivals")));
    assert_eq!(the(&parameters, "services.web.queue.cap[0]").text, "5");
    assert_eq!(the(&parameters, "timeline").kind, Kind::Nothing);
}

#[test]
fn any_file_that_types_describe_will_do() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Story {
        chapters: Vec<Chapter>,
        #[serde(default)]
        slo: scenarios::scenario::Slo,
    }
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Chapter {
        about: String,
        services: indexmap::IndexMap<String, models::blueprint::Service>,
    }
    let document = Document::parse(
        "story.ron",
        r#"(chapters: [(about: "First", services: {"app": (replicas: 2, endpoints: {"get": [Call("db.get")]})})])"#,
    );
    let story = document.decode::<Story>().value.unwrap();
    let parameters = provenance::parameters(&document, &story);
    assert!(the(&parameters, "chapters[0].services.app.replicas").written);
    assert_eq!(the(&parameters, "chapters[0].services.app.processor[0]").within, ["Servers"]);
    assert_eq!(the(&parameters, "slo.objective").text, "0.999");
    assert!(parameters.iter().all(|p| p.text != "First"));
    assert_eq!(parameters.iter().filter(|p| p.written).count(), 2);
}

#[test]
fn a_broken_file_has_no_parameters_of_its_own() {
    let document = Document::parse("broken.ron", "(services: {");
    assert!(provenance::parameters(&document, &()).is_empty());
}
