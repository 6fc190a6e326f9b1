//! Timelines: what they do to replicas, and what is refused because it would do nothing.

use models::system::{Limits, ReplicaState, System};
use scenarios::document::Document;
use scenarios::load::{LoadError, Loaded, Traces};
use sim_core::time::SimTime;
use std::path::PathBuf;

fn text(timeline: &str) -> String {
    format!(
        r#"(
        services: {{"web": (replicas: 6, endpoints: {{"get": [Work(Constant("20ms"))]}})}},
        clients: {{"users": (arrivals: Poisson(Constant(10)), mix: {{"web.get": 1}})}},
        run: (warm_up: "0s", horizon: "1min", replications: 1),
        timeline: [{timeline}],
    )"#
    )
}

fn load(text: &str, traces: &Traces) -> Result<Loaded, LoadError> {
    Loaded::document(Document::parse("case.ron", text), traces)
}

/// Replicas that are up at some seconds.
fn up(timeline: &str, seconds: &[u64]) -> Vec<usize> {
    let loaded = load(&text(timeline), &Traces::Library).unwrap_or_else(|e| panic!("{e}"));
    let mut run = System::run(loaded.topology.clone(), loaded.timeline.clone(), 1, 0, Limits::default());
    let up_at = |second: &u64| {
        run.run_until(SimTime::from_secs(*second), &mut ()).unwrap();
        let snapshot = run.model.snapshot(run.now());
        snapshot.services[0].replicas.iter().filter(|r| r.state == ReplicaState::Up).count()
    };
    seconds.iter().map(up_at).collect()
}

/// The one problem: path, message and remedy.
fn refused(text: &str, traces: &Traces) -> (String, String, String) {
    let problems = match load(text, traces) {
        Err(LoadError::Problems(problems)) => problems,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is accepted: {text}"),
    };
    let [one] = &problems.items[..] else { panic!("{problems}") };
    assert!(one.place.is_some(), "{problems}");
    (one.path.to_string(), one.message.clone(), one.help.clone().unwrap_or_default())
}

#[test]
fn set_and_scale_speak_of_the_same_replicas() {
    let scale = r#"(at: "10s", act: Scale(service: "web", to: 18)), "#;
    let set = |at: &str, path: &str, to: &str| format!(r#"(at: "{at}", act: Set(path: "{path}", to: {to})), "#);
    // To the number that is written, although that is not the number there is.
    let back = set("20s", "services.web.replicas", "6");
    assert_eq!(up(&format!("{scale}{back}"), &[5, 15, 25]), [6, 18, 6]);
    // Another number is set in between; the scaled one stays.
    let other = set("20s", "services.web.endpoints.get[0]", r#"Work(Constant("30ms"))"#);
    assert_eq!(up(&format!("{scale}{other}"), &[15, 25]), [18, 18]);
    // With its provenance, and as part of the whole service.
    let guess = set("20s", "services.web.replicas", "(value: 7, source: Guess)");
    assert_eq!(up(&format!("{scale}{guess}"), &[15, 25]), [18, 7]);
    let whole = set("20s", "services.web", r#"(replicas: 8, endpoints: {"get": [Work(Constant("30ms"))]})"#);
    assert_eq!(up(&format!("{scale}{whole}"), &[15, 25]), [18, 8]);
    // What crashed is started again by whoever asks for the number that is written.
    let kill = r#"(at: "10s", act: Kill(service: "web", replicas: [0, 3])), "#;
    let again = r#"(at: "20s", act: Scale(service: "web", to: 6)), "#;
    assert_eq!(up(&format!("{kill}{again}"), &[5, 15, 25]), [6, 4, 6]);
    assert_eq!(up(&format!("{kill}{back}"), &[5, 15, 25]), [6, 4, 6]);
    // But not by a change elsewhere.
    assert_eq!(up(&format!("{kill}{other}"), &[5, 15, 25]), [6, 4, 4]);
    assert_eq!(
        refused(&text(&set("1s", "services.web.replicas", "0")), &Traces::Library).1,
        "with services.web.replicas set to 0: there are 0 replicas"
    );
}

#[test]
fn what_has_no_effect_cannot_be_set() {
    for (path, to) in [
        ("run.seed", "3"),
        ("run.horizon", "\"2min\""),
        ("slo.threshold", "\"2s\""),
        ("title", "\"x\""),
        ("windows.late", "(\"1s\", \"2s\")"),
        ("timeline[0].at", "\"3s\""),
        ("expect", "[]"),
        ("collapse", "\"late\""),
        ("servces.web.replicas", "3"),
        ("services", "{}"),
    ] {
        let act = format!(r#"(at: "9s", act: Set(path: "{path}", to: {to}))"#);
        let (place, message, help) = refused(&text(&act), &Traces::Library);
        assert_eq!(place, "timeline[0].act.path", "{path}");
        assert_eq!(message, format!("setting `{path}` has no effect while a run is under way"));
        assert!(help.contains("below services, clients or hosts"), "{help}");
    }
    assert!(load(&text(r#"(at: "9s", act: Set(path: "clients.users.timeout", to: "1s"))"#), &Traces::Library).is_ok());
}

#[test]
fn a_trace_keeps_its_file_but_not_its_factor() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one.csv", "two.csv"] {
        std::fs::write(folder.path().join(name), "second,n\n0,5\n1,5\n").unwrap();
    }
    let traces = Traces::Folder(PathBuf::from(folder.path()));
    let with = |path: &str, to: &str| {
        text(&format!(r#"(at: "1s", act: Set(path: "{path}", to: {to}))"#))
            .replace("Poisson(Constant(10))", "Trace(file: \"one.csv\")")
    };
    for (path, to) in [
        ("clients.users.arrivals.file", "\"two.csv\""),
        ("clients.users.arrivals", "Trace(file: \"two.csv\")"),
        ("clients.users.arrivals", "Trace(file: \"none.csv\")"),
    ] {
        let (place, message, help) = refused(&with(path, to), &traces);
        assert_eq!(place, "timeline[0].act.path");
        assert!(message.contains("which trace is played cannot change"), "{message}");
        assert!(help.contains("factor"), "{help}");
    }
    assert!(load(&with("clients.users.arrivals.factor", "2"), &traces).is_ok());
}

#[test]
fn replicas_that_cannot_be_are_refused_where_they_stand() {
    let check = |timeline: &str, place: &str, say: &str, remedy: &str| {
        let (path, message, help) = refused(&text(timeline), &Traces::Library);
        assert_eq!((path.as_str(), message.as_str(), help.as_str()), (place, say, remedy));
    };
    let scale = |to: u32| format!(r#"(at: "9s", act: Scale(service: "web", to: {to}))"#);
    check(&scale(0), "timeline[0].act.to", "there are 0 replicas", "write 1 or more");
    let many = "more than 100000 replicas are not simulated";
    check(&scale(100_001), "timeline[0].act.to", many, "use fewer");
    let kill = |replicas: &str| format!(r#"(at: "9s", act: Kill(service: "web", replicas: {replicas}))"#);
    let none = "no replica is named, so nothing crashes";
    check(
        &kill("[]"),
        "timeline[0].act.replicas",
        none,
        "name some, counted from 0, for example replicas: [0], or write of: One",
    );
    let never = "\"web\" never has a replica 6";
    let there = "it has 6 at most, which are replicas 0 to 5";
    check(&kill("[5, 6]"), "timeline[0].act.replicas[1]", never, there);
    // It has one later on; that it is not up yet is no mistake of the file.
    let later = r#", (at: "20s", act: Set(path: "services.web.replicas", to: 7))"#;
    assert!(load(&text(&format!("{}{later}", kill("[6]"))), &Traces::Library).is_ok());
}

#[test]
fn faults_that_cannot_be_are_refused_where_they_stand() {
    let check = |act: &str, place: &str, says: &str| {
        let (path, message, _) = refused(&text(&format!(r#"(at: "9s", act: {act})"#)), &Traces::Library);
        assert_eq!(path, format!("timeline[0].act{place}"), "{act}");
        assert!(message.contains(says), "{act}: {message}");
    };
    check(r#"Pause(service: "wbe")"#, "", "there is no service \"wbe\"");
    check(r#"Pause(service: "web", of: Share(0))"#, ".of", "a share of 0 of the replicas");
    check(r#"Pause(service: "web", of: Only([]))"#, ".of", "no replica is named");
    check(r#"Pause(service: "web", of: Only([6]))"#, ".of", "never has a replica 6");
    check(r#"Slow(service: "web", by: 0)"#, ".by", "0 times as long");
    check(r#"Fail(service: "web", share: 2)"#, ".share", "a share of 2");
    check(r#"Fail(service: "web", share: 1, endpoints: ["pag"])"#, ".endpoints[0]", "has no endpoint \"pag\"");
    check(r#"Kill(service: "web", replicas: [0], of: One)"#, ".of", "replicas are named");
    check(r#"Herd(client: "user", size: 1, within: "1s")"#, ".client", "did you mean");
}

#[test]
fn faults_at_random_that_cannot_be_are_refused_where_they_stand() {
    let with = |fault: &str| text("").replace("timeline:", &format!("faults: {{\"x\": ({fault})}}, timeline:"));
    let check = |fault: &str, place: &str, says: &str| {
        let (path, message, _) = refused(&with(fault), &Traces::Library);
        assert_eq!(path, format!("faults.x.{place}"), "{fault}");
        assert!(message.contains(says), "{fault}: {message}");
    };
    let pause = r#"Pause(service: "web", for: Constant("1s"))"#;
    check(&format!(r#"every: Constant("0s"), acts: [{pause}]"#), "every", "endlessly many");
    check(r#"every: Constant("9s"), acts: []"#, "acts", "does nothing");
    check(r#"every: Constant("9s"), acts: [Pause(service: "web")]"#, "acts[0]", "never ends");
    check(r#"every: Constant("9s"), acts: [Scale(service: "web", to: 2)]"#, "acts[0]", "cannot scale");
    let one = r#"Pause(service: "web", of: One, for: Constant("1s"))"#;
    check(&format!(r#"every: Constant("9s"), acts: [{one}]"#), "acts[0].of", "to each replica by itself");
    assert!(load(&with(&format!(r#"every: Constant("9s"), per: All, acts: [{one}]"#)), &Traces::Library).is_ok());
    // Its numbers may be set while it runs.
    let set = r#"(at: "9s", act: Set(path: "faults.x.every", to: Exponential("1s")))"#;
    let changing = text(set)
        .replace("timeline:", &format!(r#"faults: {{"x": (every: Constant("9s"), acts: [{pause}])}}, timeline:"#));
    let loaded = load(&changing, &Traces::Library).unwrap();
    assert_eq!(loaded.timeline.acts().len(), 1);
}

/// The likeliest slip of a beginner is told, and no file is refused without a problem.
#[test]
fn a_service_where_an_endpoint_belongs_is_told() {
    let text = r#"(
        services: {
            "web": (endpoints: {"get": [Call("db")]}),
            "db": (endpoints: {"query": [Work(Constant("1ms"))]}),
        },
        clients: {"users": (arrivals: Poisson(Constant(1)), mix: {"web": 1})},
    )"#;
    let document = scenarios::document::Document::parse("slip.ron", text);
    let Err(scenarios::load::LoadError::Problems(problems)) =
        scenarios::load::Loaded::document(document, &scenarios::load::Traces::Library)
    else {
        panic!("a service is no endpoint")
    };
    let said = problems.to_string();
    assert!(said.contains("\"db\" is a service, not an endpoint") && said.contains("\"db.query\""), "{said}");
    assert!(said.contains("\"web\" is a service, not an endpoint") && said.contains("\"web.get\""), "{said}");
}

#[test]
fn a_window_that_never_counts_is_told() {
    let text = r#"(
        services: {"web": (endpoints: {"get": [Work(Constant("1ms"))]})},
        clients: {"users": (arrivals: Poisson(Constant(1)), mix: {"web.get": 1})},
        windows: {"early": ("10s", "30s")},
        collapse: "early",
    )"#;
    let document = scenarios::document::Document::parse("early.ron", text);
    let error = scenarios::load::Loaded::document(document, &scenarios::load::Traces::Library).unwrap_err();
    assert!(error.to_string().contains("before anything counts: the warm-up lasts until 1min"), "{error}");
}

#[test]
fn problems_of_design_run_and_timeline_are_told_together() {
    let text = r#"(
        services: {"web": (replicas: 0, endpoints: {"get": [Work(Constant("1ms"))]})},
        clients: {"users": (arrivals: Poisson(Constant(1)), mix: {"web.get": 1})},
        timeline: [(at: "1min", act: Kill(service: "wbe", replicas: [0]))],
        run: (warm_up: "20min", horizon: "10min"),
    )"#;
    let document = scenarios::document::Document::parse("three.ron", text);
    let error = scenarios::load::Loaded::document(document, &scenarios::load::Traces::Library).unwrap_err();
    for said in ["there are 0 replicas", "there is no service \"wbe\"", "leaves nothing of the horizon"] {
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}
