//! From a file, or a library entry, to something that can run; or everything that is wrong with it.

use crate::document::{Document, Path, Problem, Problems, ReadError, Segment};
use crate::faults;
use crate::library;
use crate::scenario::{Act, Entry, Scenario};
use crate::trace_file;
pub use crate::trace_file::Traces;
use indexmap::IndexMap;
use models::check::{check, replicas_problem};
use models::intervention::{self, Timeline};
use models::probe::Window;
use models::topology::Topology;
use models::workload::{Arrivals, Client, Trace};
use sim_core::time::{SimDuration, SimTime};
use std::sync::Arc;

/// A scenario that can run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file.
    pub document: Document,
    /// What it says.
    pub scenario: Scenario,
    /// Its design and clients as run.
    pub topology: Arc<Topology>,
    /// What is done to it, as run.
    pub timeline: Arc<Timeline>,
    /// Its windows as run.
    pub windows: Vec<Window>,
    /// What is odd about it but does not keep it from running.
    pub warnings: Problems,
    recorded: IndexMap<String, Trace>,
    traces: Traces,
}

/// Why a scenario cannot run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it says makes no sense.
    #[error("{0}")]
    Problems(Problems),
}

impl Loaded {
    /// Loads a scenario file; traces are found beside it.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong with it.
    pub fn file(path: &std::path::Path) -> Result<Self, LoadError> {
        let folder = path.parent().map(std::path::Path::to_owned).unwrap_or_default();
        Self::document(Document::read(path)?, &Traces::Folder(folder))
    }

    /// Loads a scenario of the library.
    ///
    /// # Errors
    /// What is wrong with it; a test sees to it that nothing is.
    pub fn entry(entry: &library::Entry) -> Result<Self, LoadError> {
        Self::document(entry.document(), &Traces::Library)
    }

    /// Loads a scenario from a document.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn document(document: Document, traces: &Traces) -> Result<Self, LoadError> {
        let mut problems = Vec::new();
        let decoded = document.decode::<Scenario>();
        problems.extend(decoded.problems.iter().cloned());
        let dropped = decoded.dropped.clone();
        let Some(mut scenario) = decoded.value.clone() else {
            return Err(LoadError::Problems(document.report(problems)));
        };
        // What was dropped because it could not be read must not count as missing.
        let new = |found: Vec<Problem>| {
            let spurious = |p: &Problem| dropped.iter().any(|d| d.contains(&p.path) || p.path.contains(d));
            found.into_iter().filter(|p| dropped.is_empty() || !spurious(p)).collect::<Vec<_>>()
        };
        let (recorded, unreadable) = read_traces(&scenario, traces);
        problems.extend(new(unreadable));
        if let (Traces::Instead(_), Some(length)) = (traces, recorded.values().map(Trace::length).max()) {
            scenario.play(length);
        }
        problems.extend(new(settings(&scenario)));
        let topology = match check(&scenario.blueprint(), &scenario.workload(), &recorded) {
            Ok(topology) => topology,
            Err(found) => {
                // A name may be missing only because its service could not be read.
                let there =
                    |p: &models::problem::Problem| p.unknown.as_deref().is_some_and(|name| stands(&document, name));
                let in_place = |p: models::problem::Problem| {
                    from_check(models::problem::Problem { path: decoded.in_document(&p.path), ..p })
                };
                problems.extend(new(found.into_iter().filter(|p| !there(p)).map(in_place).collect()));
                problems.extend(new(acts_on_nobody(&scenario, &document)));
                return Err(LoadError::Problems(document.report(problems)));
            }
        };
        let topology = match faults::recurring(&topology, &scenario.faults) {
            Ok(recurring) => Arc::new(Topology { recurring, ..topology }),
            Err(found) => {
                problems.extend(new(found));
                Arc::new(topology)
            }
        };
        if !problems.is_empty() {
            problems.extend(new(acts_on_nobody(&scenario, &document)));
            return Err(LoadError::Problems(document.report(problems)));
        }
        let mut loaded = Self {
            windows: windows(&scenario),
            warnings: document.report([]),
            timeline: Arc::default(),
            recorded,
            traces: traces.clone(),
            document,
            scenario,
            topology,
        };
        match loaded.timeline() {
            Ok(timeline) => loaded.timeline = Arc::new(timeline),
            Err(found) => return Err(LoadError::Problems(loaded.document.report(found))),
        }
        let warnings = loaded.odd();
        loaded.warnings = loaded.document.report(warnings);
        Ok(loaded)
    }

    /// The same scenario with some values changed, given as path and text.
    ///
    /// # Errors
    /// Everything that is wrong with it then.
    pub fn with(&self, changes: &[(&str, &str)]) -> Result<Self, LoadError> {
        let mut document = self.document.clone();
        let mut problems = Vec::new();
        for (path, text) in changes {
            problems.extend(set(&mut document, path, text).err().map(|why| Problem::error(Path::default(), why)));
        }
        if !problems.is_empty() {
            return Err(LoadError::Problems(document.report(problems)));
        }
        Self::document(document, &self.traces)
    }

    /// When the run ends.
    pub fn horizon(&self) -> SimTime {
        SimTime::ZERO + self.scenario.run.horizon
    }

    /// From when on requests and levels count.
    pub fn warm_up(&self) -> SimTime {
        SimTime::ZERO + self.scenario.run.warm_up
    }

    /// The timeline as run. What `Set` and `Scale` change accumulates in time order.
    fn timeline(&self) -> Result<Timeline, Vec<Problem>> {
        let mut entries: Vec<_> = self.scenario.timeline.iter().enumerate().collect();
        entries.sort_by_key(|(_, entry)| entry.takes_effect());
        let mut document = self.document.clone();
        let mut written: Vec<u32> = self.topology.services.iter().map(|s| s.replicas).collect();
        let mut most = written.clone();
        let (mut acts, mut problems) = (Vec::new(), Vec::new());
        for (i, entry) in entries {
            let place = act_place(i);
            let at = SimTime::ZERO + entry.takes_effect();
            let done = match &entry.act {
                Act::Scale { service, to } => {
                    self.scale(&mut document, &place, service, to.get()).map(|act| vec![(at, act)])
                }
                Act::Set { path, .. } => {
                    let text = self.document.get(&place.name("to")).unwrap_or_default().to_owned();
                    self.set(&mut document, &place, path, &text)
                        .map(|(path, topology)| set_acts(&path, &topology, &written).map(|act| (at, act)).collect())
                }
                act => faults::act(&self.topology, act, &place)
                    .expect("what is no fault has been handled")
                    .map(|act| vec![(at, act)]),
            };
            match done {
                Ok(done) => {
                    for (_, act) in &done {
                        if let intervention::Act::Scale { service, to } = act {
                            let service = usize::from(*service);
                            written[service] = *to;
                            most[service] = most[service].max(*to);
                        }
                    }
                    acts.extend(done);
                }
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(self.never_there(&most));
        if problems.is_empty() { Ok(Timeline::new(acts)) } else { Err(problems) }
    }

    /// Acts on replicas that a service has at no time; `most` is how many each has at most.
    fn never_there(&self, most: &[u32]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, entry) in self.scenario.timeline.iter().enumerate() {
            let (Some(service), (field, replicas)) = (entry.act.service(), entry.act.named_replicas()) else {
                continue;
            };
            let Some(id) = self.topology.service(service) else { continue };
            let most = most[usize::from(id)];
            for (k, ordinal) in replicas.iter().enumerate().filter(|(_, ordinal)| **ordinal >= most) {
                let message = format!("\"{service}\" never has a replica {ordinal}");
                let help = match most {
                    1 => "it has one, replica 0".to_owned(),
                    most => format!("it has {most} at most, which are replicas 0 to {}", most - 1),
                };
                let place = act_place(i).name(field);
                let place = if field == "replicas" { place.index(k) } else { place };
                problems.push(Problem::error(place, message).with_help(help));
            }
        }
        problems
    }

    /// A `Scale`, which is also written where the number of replicas stands, for what `Set` changes later.
    fn scale(&self, document: &mut Document, place: &Path, name: &str, to: u32) -> Result<intervention::Act, Problem> {
        let service = faults::service(&self.topology, name, place)?;
        if let Some((message, help)) = replicas_problem(to) {
            return Err(Problem::error(place.name("to"), message).with_help(help));
        }
        let path = Path::default().name("services").name(name).name("replicas");
        document.set(&path, &to.to_string()).map_err(|e| Problem::error(place.clone(), e.to_string()))?;
        Ok(intervention::Act::Scale { service, to })
    }

    /// What is set, and the topology after one more change to the document.
    fn set(
        &self,
        document: &mut Document,
        place: &Path,
        path: &str,
        text: &str,
    ) -> Result<(Path, Arc<Topology>), Problem> {
        let wrong = |why: String| Problem::error(place.clone(), why);
        let parsed: Path = path.parse().map_err(|e: crate::document::PathError| wrong(e.to_string()))?;
        if let Some((message, help)) = without_effect(&parsed) {
            return Err(Problem::error(place.name("path"), message).with_help(help));
        }
        set(document, path, text).map_err(wrong)?;
        let changed = document.decode::<Scenario>();
        if let Some(problem) = changed.problems.first() {
            return Err(wrong(format!("with {path} set to {text}: {}", problem.message)));
        }
        let scenario =
            changed.value.ok_or_else(|| wrong(format!("with {path} set to {text} the scenario cannot be read")))?;
        if self.other_trace(&scenario) {
            let (message, help) = TRACE_STAYS;
            return Err(Problem::error(place.name("path"), message).with_help(help));
        }
        let topology = check(&scenario.blueprint(), &scenario.workload(), &self.recorded)
            .map_err(|problems| wrong(format!("with {path} set to {text}: {}", problems[0].message)))?;
        let recurring = faults::recurring(&topology, &scenario.faults)
            .map_err(|problems| wrong(format!("with {path} set to {text}: {}", problems[0].message)))?;
        let topology = Topology { recurring, ..topology };
        match self.topology.refuses(&topology) {
            Some(why) => Err(wrong(format!("{path} cannot be set to {text}: {why}"))),
            None => Ok((parsed, Arc::new(topology))),
        }
    }

    /// Whether a population plays another trace than in the file.
    fn other_trace(&self, scenario: &Scenario) -> bool {
        let file = |client: &Client| match &client.arrivals {
            Arrivals::Trace(trace) => Some(trace.file.clone()),
            _ => None,
        };
        scenario.clients.iter().any(|(name, now)| {
            let before = self.scenario.clients.get(name).and_then(file);
            before.is_some_and(|before| file(now).is_some_and(|now| now != before))
        })
    }

    /// Warnings: what has no effect.
    fn odd(&self) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for (i, entry) in self.scenario.timeline.iter().enumerate() {
            if entry.takes_effect() > self.scenario.run.horizon {
                let path = Path::default().name("timeline").index(i);
                let message = format!("this is after the run has ended at {}", self.scenario.run.horizon);
                warnings.push(Problem::warning(path, message).with_help("move it, or make run.horizon longer"));
            }
        }
        for (name, client) in &self.scenario.clients {
            let Arrivals::Trace(file) = &client.arrivals else { continue };
            let Some(trace) = self.recorded.get(&file.file) else { continue };
            let path = Path::default().name("clients").name(name).name("arrivals").name("file");
            warnings.extend(
                outlasts(trace, self.scenario.run.horizon)
                    .map(|(message, help)| Problem::warning(path, message).with_help(help)),
            );
        }
        warnings
    }
}

/// What is odd about a trace in a run that ends at `horizon`: message and remedy.
fn outlasts(trace: &Trace, horizon: SimDuration) -> Option<(String, &'static str)> {
    let length = trace.length();
    if length > horizon {
        let whole = (horizon.as_nanos() / trace.bin.as_nanos()) as usize;
        let played: u64 = trace.counts.iter().take(whole).map(|&n| u64::from(n)).sum();
        let message = format!(
            "the trace lasts {length}, and the run ends at {horizon}: {played} of its {} requests come",
            trace.total()
        );
        Some((message, "make run.horizon as long, or use --until, to play all of it"))
    } else if length < horizon {
        let message =
            format!("the trace ends at {length}, and nothing comes from then to the end of the run at {horizon}");
        Some((message, "make run.horizon shorter, or use --until"))
    } else {
        None
    }
}

const TRACE_STAYS: (&str, &str) =
    ("which trace is played cannot change while a run is under way", "change its factor, or make it another scenario");

/// Where an act stands.
fn act_place(entry: usize) -> Path {
    Path::default().name("timeline").index(entry).name("act")
}

/// Why setting what stands at `path` has no effect on a run under way: message and remedy.
fn without_effect(path: &Path) -> Option<(String, String)> {
    let names: Vec<_> = path.0.iter().map(|s| if let Segment::Name(name) = s { name.as_str() } else { "" }).collect();
    match names.as_slice() {
        ["clients", _, "arrivals", "file", ..] => Some((TRACE_STAYS.0.to_owned(), TRACE_STAYS.1.to_owned())),
        ["services" | "clients" | "hosts" | "faults", _, ..] => None,
        _ => Some((
            format!("setting `{path}` has no effect while a run is under way"),
            "set something below services, clients or hosts, for example \"services.web.replicas\"".to_owned(),
        )),
    }
}

/// What a `Set` does: replicas come and go as by `Scale`, everything else is adopted. `written` is how many
/// replicas each service had been given before.
fn set_acts(path: &Path, topology: &Arc<Topology>, written: &[u32]) -> impl Iterator<Item = intervention::Act> {
    let replicas = |s: &models::topology::ServiceSpec| {
        Path::default().name("services").name(&s.name).name("replicas").contains(path)
    };
    let named = topology.services.iter().any(replicas);
    let adopt = (!named).then(|| intervention::Act::Adopt { topology: topology.clone() });
    let services = topology.services.iter().zip(written).enumerate();
    let scales = services.filter(|(_, (spec, written))| replicas(spec) || spec.replicas != **written);
    let scale = |(id, (spec, _)): (usize, (&models::topology::ServiceSpec, &u32))| intervention::Act::Scale {
        service: id as u16,
        to: spec.replicas,
    };
    adopt.into_iter().chain(scales.map(scale)).collect::<Vec<_>>().into_iter()
}

/// Whether a service, or `service.endpoint`, stands in the document, readable or not.
fn stands(document: &Document, name: &str) -> bool {
    let (service, endpoint) =
        name.split_once('.').map_or((name, None), |(service, endpoint)| (service, Some(endpoint)));
    let service = Path::default().name("services").name(service);
    let path = endpoint.map_or_else(|| service.clone(), |endpoint| service.name("endpoints").name(endpoint));
    document.get(&path).is_some()
}

/// A problem that the check of the design found.
fn from_check(found: models::problem::Problem) -> Problem {
    let problem = Problem::error(found.path, found.message);
    match found.help {
        Some(help) => problem.with_help(help),
        None => problem,
    }
}

/// Sets one value of a document.
fn set(document: &mut Document, path: &str, text: &str) -> Result<(), String> {
    let parsed: Path = path.parse().map_err(|e: crate::document::PathError| e.to_string())?;
    document.set(&parsed, text).map_err(|e| format!("{path} cannot be set: {e}"))
}

fn windows(scenario: &Scenario) -> Vec<Window> {
    let window = |(name, (from, to)): (&String, &(SimDuration, SimDuration))| Window {
        name: name.clone(),
        from: SimTime::ZERO + *from,
        to: SimTime::ZERO + *to,
    };
    scenario.windows.iter().map(window).collect()
}

/// Acts on services that are not there. With a sound design the timeline itself finds them, and more.
fn acts_on_nobody(scenario: &Scenario, document: &Document) -> Vec<Problem> {
    let nobody = |(i, entry): (usize, &Entry)| {
        let service = entry.act.service().filter(|service| !stands(document, service))?;
        let place = Path::default().name("timeline").index(i).name("act").name("service");
        Some(Problem::error(place, format!("there is no service \"{service}\"")))
    };
    scenario.timeline.iter().enumerate().filter_map(nobody).collect()
}

/// What makes no sense about how a scenario is run.
fn settings(scenario: &Scenario) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |path: Path, message: String, help: &str| {
        problems.push(Problem::error(path, message).with_help(help));
    };
    let run = Path::default().name("run");
    let settings = &scenario.run;
    if settings.horizon.is_zero() {
        problem(run.name("horizon"), "the run ends when it begins".into(), "write for example horizon: \"10min\"");
    } else if settings.warm_up >= settings.horizon {
        let message =
            format!("the warm-up of {} leaves nothing of the horizon of {}", settings.warm_up, settings.horizon);
        problem(run.name("warm_up"), message, "make the warm-up shorter or the horizon longer");
    }
    if settings.replications == 0 || settings.replications > 100_000 {
        let message = format!("{} replications", settings.replications);
        problem(run.name("replications"), message, "write a number from 1 to 100000");
    }
    if let Some(costs) = &scenario.costs {
        let path = Path::default().name("costs");
        let services: Vec<&str> = scenario.services.keys().map(String::as_str).collect();
        let hosts: Vec<&str> = scenario.hosts.keys().map(String::as_str).collect();
        let of_services = costs.named().map(|(part, name)| (part, name, "service", &services));
        let of_hosts = costs.hosts.keys().map(|name| ("hosts", name.as_str(), "host", &hosts));
        for (part, name, what, known) in of_services.chain(of_hosts).filter(|(_, name, _, known)| !known.contains(name))
        {
            let near = models::problem::did_you_mean(name, known.iter().copied());
            let help =
                near.map_or_else(|| format!("name one of the {what}s"), |near| format!("did you mean \"{near}\"?"));
            problem(path.name(part).name(name), format!("there is no {what} \"{name}\""), &help);
        }
        let machines = costs.machines.iter().map(|(name, machine)| ("machines", name, machine));
        for (part, name, machine) in machines.chain(costs.hosts.iter().map(|(name, machine)| ("hosts", name, machine)))
        {
            let path = path.name(part).name(name);
            if machine.discount.get() > 1.0 {
                let message = format!("a discount of {} is more than the price", machine.discount.get());
                problem(path.name("discount"), message, "write a share from 0 to 1, for example 0.4");
            }
            if machine.billed_by.get().is_zero() {
                problem(path.name("billed_by"), "nothing is billed at a time".into(), "write for example \"1s\"");
            }
        }
    }
    let slo = Path::default().name("slo");
    let objective = scenario.slo.objective.get();
    if !(objective > 0.0 && objective < 1.0) {
        let message = format!("an objective of {objective} cannot be promised");
        problem(slo.name("objective"), message, "write a share between 0 and 1, for example 0.999");
    }
    for (name, (from, to)) in &scenario.windows {
        if from >= to {
            let path = Path::default().name("windows").name(name);
            problem(
                path,
                format!("the window \"{name}\" ends at {to}, before it begins at {from}"),
                "write (from, to)",
            );
        } else if *from >= settings.horizon {
            let path = Path::default().name("windows").name(name);
            let message =
                format!("the window \"{name}\" begins at {from}, when the run has ended at {}", settings.horizon);
            problem(path, message, "move it, or make run.horizon longer");
        } else if *to <= settings.warm_up {
            let path = Path::default().name("windows").name(name);
            let message = format!(
                "the window \"{name}\" is over at {to}, before anything counts: the warm-up lasts until {}",
                settings.warm_up
            );
            problem(path, message, "move it, or make run.warm_up shorter");
        }
    }
    if let Some(name) = &scenario.collapse
        && !scenario.windows.contains_key(name)
    {
        let near = models::problem::did_you_mean(name, scenario.windows.keys().map(String::as_str));
        let help =
            near.map_or_else(|| "name one of the windows".to_owned(), |near| format!("did you mean \"{near}\"?"));
        problem(Path::default().name("collapse"), format!("there is no window \"{name}\""), &help);
    }
    problems
}

/// Reads every trace the scenario names.
fn read_traces(scenario: &Scenario, traces: &Traces) -> (IndexMap<String, Trace>, Vec<Problem>) {
    let (mut read, mut problems) = (IndexMap::new(), Vec::new());
    for (name, client) in &scenario.clients {
        let Arrivals::Trace(file) = &client.arrivals else { continue };
        match trace_file::find(&file.file, traces) {
            Ok(trace) => drop(read.insert(file.file.clone(), trace)),
            Err(error) => {
                let path = Path::default().name("clients").name(name).name("arrivals").name("file");
                problems.push(Problem::error(path, error.to_string()).with_help(error.remedy()));
            }
        }
    }
    (read, problems)
}
