//! Draws the graph of a design: clients to the left, services in the order in which requests reach them.

use super::layout::{Gaps, Layout, Size, layout};
use crate::html::chart::canvas::{escaped, fitted, width};
use crate::units;
use maud::{Markup, PreEscaped, Render, html};
use models::topology::{Caller, Op, ProcessorSpec, ServiceSpec, Topology};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The graph of a design.
#[derive(Clone, Debug)]
pub(crate) struct Graph<'a> {
    /// What it shows, above the graph.
    pub(crate) title: String,
    /// One sentence for those who do not see it.
    pub(crate) alt: String,
    /// The design.
    pub(crate) topology: &'a Topology,
    /// How busy each service is, by its id; may be empty.
    pub(crate) loads: Vec<Option<Load>>,
}

/// The busiest resource of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    /// Which it is.
    pub(crate) resource: String,
    /// Its utilisation.
    pub(crate) utilisation: f64,
}

const CLIENT: Size = Size { width: 124.0, height: 40.0 };
const SERVICE: Size = Size { width: 172.0, height: 56.0 };
/// The height of a box that shows how busy it is.
const LOADED: f64 = 82.0;
/// Between boxes: room for the curves, and if there are any for the labels of pools.
const GAPS: Gaps = Gaps { across: 76.0, down: 26.0 };
const ACROSS_LABELS: f64 = 116.0;
/// Free around everything.
const MARGIN: f64 = 20.0;
/// The size of names, and below that of what stands below them.
const NAME: f64 = 14.0;
const SMALL: f64 = 12.0;
/// A picture up to this width shrinks with the page instead of scrolling.
const SHRINKS_TO: f64 = 1150.0;

/// An edge between two boxes, whatever the number of calls it stands for.
struct Edge {
    ends: (usize, usize),
    /// Whether all that goes along it is handed over without waiting.
    sent: bool,
    connections: Option<u32>,
}

impl Render for Graph<'_> {
    fn render(&self) -> Markup {
        let edges = self.edges();
        html! {
            figure.graph {
                figcaption { (self.title) }
                div.scroll tabindex="0" role="region" aria-label=(self.title) { (PreEscaped(self.svg(&edges))) }
                @if edges.iter().any(|edge| edge.sent) { p.note { "Dashed: handed over without waiting for a reply." } }
            }
        }
    }
}

impl Graph<'_> {
    fn load(&self, service: usize) -> Option<&Load> {
        self.loads.get(service)?.as_ref().filter(|load| load.utilisation.is_finite())
    }

    /// Clients come first, then services.
    fn edges(&self) -> Vec<Edge> {
        let sent =
            |site: usize| self.topology.ops.iter().any(|op| matches!(op, Op::Send(to) if usize::from(*to) == site));
        let clients = self.topology.clients.len();
        let mut edges: BTreeMap<(usize, usize), Edge> = BTreeMap::new();
        for (i, site) in self.topology.sites.iter().enumerate() {
            let (from, connections) = match site.caller {
                Caller::Client(client) => (usize::from(client), None),
                Caller::Service(service) => {
                    let pools = self.topology.services.get(usize::from(service)).map(|service| &service.pools);
                    let pool = site.pool.and_then(|pool| pools?.get(usize::from(pool)));
                    (clients + usize::from(service), pool.map(|pool| pool.size))
                }
            };
            let ends = (from, clients + usize::from(site.callee));
            let edge = edges.entry(ends).or_insert(Edge { ends, sent: true, connections });
            edge.sent &= sent(i);
        }
        edges.into_values().collect()
    }

    fn svg(&self, edges: &[Edge]) -> String {
        let clients = self.topology.clients.iter().map(|_| CLIENT);
        let height = |service: usize| if self.load(service).is_some() { LOADED } else { SERVICE.height };
        let services = (0..self.topology.services.len()).map(|service| Size { height: height(service), ..SERVICE });
        let sizes = clients.chain(services).collect::<Vec<_>>();
        let ends = edges.iter().map(|edge| edge.ends).collect::<Vec<_>>();
        let labelled = edges.iter().any(|edge| edge.connections.is_some());
        let across = if labelled { ACROSS_LABELS } else { GAPS.across };
        let places = layout(&sizes, &ends, Gaps { across, ..GAPS });

        let mut out = String::new();
        for (edge, way) in edges.iter().zip(&places.edges) {
            draw_edge(&mut out, edge, way, &places, &sizes);
        }
        for (i, client) in self.topology.clients.iter().enumerate() {
            let room = (CLIENT.width - 24.0) / NAME;
            let (x, y) = places.nodes[i];
            let (name, full) = (escaped(&fitted(&client.name, room)), escaped(&client.name));
            let _ = write!(
                out,
                "<g class=\"client\"><title>{full}</title><rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" \
                 height=\"{}\" rx=\"20\"/><text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text></g>",
                CLIENT.width,
                CLIENT.height,
                x + CLIENT.width / 2.0,
                y + CLIENT.height / 2.0 + 5.0,
            );
        }
        for (i, service) in self.topology.services.iter().enumerate() {
            let node = self.topology.clients.len() + i;
            draw_service(&mut out, service, self.load(i), places.nodes[node], sizes[node]);
        }
        for (edge, way) in edges.iter().zip(&places.edges) {
            label_edge(&mut out, edge, way);
        }
        let (width, height) = (places.size.width + 2.0 * MARGIN, places.size.height + 2.0 * MARGIN);
        format!(
            "<svg class=\"graph{}\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"{} {} {width:.1} {height:.1}\" \
             role=\"img\" aria-label=\"{alt}\"><title>{alt}</title>{out}</svg>",
            if width <= SHRINKS_TO { " shrinks" } else { "" },
            -MARGIN,
            -MARGIN,
            alt = escaped(&self.alt),
        )
    }
}

fn draw_service(out: &mut String, service: &ServiceSpec, load: Option<&Load>, (x, y): (f64, f64), size: Size) {
    let room = size.width - 24.0;
    let (name, full) = (escaped(&fitted(&service.name, room / NAME)), escaped(&service.name));
    let level = load.map_or("", |load| level(load.utilisation));
    let _ = write!(
        out,
        "<g class=\"service {level}\"><title>{full}</title><rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" \
         height=\"{}\" rx=\"8\"/><text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{name}</text>\
         <text class=\"small\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
        size.width,
        size.height,
        y + 23.0,
        y + 42.0,
        escaped(&fitted(&machines(service), room / SMALL)),
        left = x + 12.0,
    );
    if let Some(load) = load {
        let share = percent(load.utilisation);
        let resource = fitted(&load.resource, room / SMALL - width(&share) - 0.6);
        let _ = write!(
            out,
            "<text class=\"small\" x=\"{left:.1}\" y=\"{text:.1}\">{}</text>\
             <text class=\"small load\" x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{share}</text>\
             <rect class=\"track\" x=\"{left:.1}\" y=\"{bar:.1}\" width=\"{room}\" height=\"6\" rx=\"3\"/>\
             <rect class=\"fill\" x=\"{left:.1}\" y=\"{bar:.1}\" width=\"{:.1}\" height=\"6\" rx=\"3\"/>",
            escaped(&resource),
            x + size.width - 12.0,
            room * load.utilisation.clamp(0.0, 1.0),
            left = x + 12.0,
            text = y + 62.0,
            bar = y + 68.0,
        );
    }
    out.push_str("</g>");
}

/// How many, and of what.
fn machines(service: &ServiceSpec) -> String {
    let several = |n: u32, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let each = match service.processor {
        ProcessorSpec::Servers(n) => several(n, "server"),
        ProcessorSpec::Cores(n) => several(n, "core"),
        ProcessorSpec::Usl { .. } => "contended (USL)".into(),
        ProcessorSpec::Infinite => "without limit".into(),
        ProcessorSpec::Hosted { .. } => "on a host".into(),
    };
    format!("{} × {each}", service.replicas)
}

/// A utilisation in whole per cent, unless that would say 100% too early.
fn percent(utilisation: f64) -> String {
    let whole = (100.0 * utilisation).round();
    if whole == 100.0 && utilisation < 1.0 { units::share(utilisation) } else { format!("{whole}%") }
}

/// The class of a utilisation.
fn level(utilisation: f64) -> &'static str {
    match utilisation {
        share if share < 0.6 => "calm",
        share if share < 0.8 => "busy",
        share if share < 1.0 => "tight",
        _ => "full",
    }
}

fn draw_edge(out: &mut String, edge: &Edge, way: &[(f64, f64)], places: &Layout, sizes: &[Size]) {
    let class = if edge.sent { "edge sent" } else { "edge" };
    let Some((&start, rest)) = way.split_first() else {
        // To itself: a loop over the upper right corner.
        let ((x, y), size) = (places.nodes[edge.ends.0], sizes[edge.ends.0]);
        let (x, top) = (x + size.width, y + 12.0);
        let _ = write!(out, "<path class=\"{class}\" d=\"M{x:.1} {top:.1}c18 0 18 -24 -18 -24c-12 0 -14 6 -14 10\"/>");
        arrow(out, (x - 32.0, y), Heading::Down);
        return;
    };
    let Some(&end) = rest.last() else { return };
    let back = end.0 < start.0;
    let mut d = format!("M{:.1} {:.1}", start.0, start.1);
    let mut at = start;
    for &to in rest {
        if to.1 == at.1 {
            let _ = write!(d, "L{:.1} {:.1}", to.0, to.1);
        } else {
            let middle = f64::midpoint(at.0, to.0);
            let _ = write!(d, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", at.1, to.1, to.0, to.1);
        }
        at = to;
    }
    let _ = write!(out, "<path class=\"{class}\" d=\"{d}\"/>");
    arrow(out, end, if back { Heading::Left } else { Heading::Right });
}

/// Where an arrow points.
#[derive(Clone, Copy)]
enum Heading {
    Left,
    Right,
    Down,
}

fn arrow(out: &mut String, (x, y): (f64, f64), heading: Heading) {
    let d = match heading {
        Heading::Left => "l8 -4v8z",
        Heading::Right => "l-8 -4v8z",
        Heading::Down => "l-4 -8h8z",
    };
    let _ = write!(out, "<path class=\"arrow\" d=\"M{x:.1} {y:.1}{d}\"/>");
}

/// Says how many connections there are, in the gap before the box that is called.
fn label_edge(out: &mut String, edge: &Edge, way: &[(f64, f64)]) {
    let (Some(connections), [.., from, to]) = (edge.connections, way) else { return };
    let (x, y) = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1) - 5.0);
    let plural = if connections == 1 { "" } else { "s" };
    let _ = write!(
        out,
        "<text class=\"small pool\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{connections} connection{plural}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library;
    use crate::load::Loaded;

    fn topology(name: &str) -> Topology {
        let entry = library::find(name).expect("in the library");
        (*Loaded::entry(entry).expect("the library loads").topology).clone()
    }

    fn drawn(topology: &Topology, utilisation: Option<f64>) -> String {
        let load = utilisation.map(|utilisation| Load { resource: "processor".into(), utilisation });
        let loads = vec![load; topology.services.len()];
        Graph { title: "the design".into(), alt: "a graph".into(), topology, loads }.render().into_string()
    }

    #[test]
    fn boxes_say_what_they_are_and_how_busy() {
        let graph = drawn(&topology("pool-too-small"), Some(0.85));
        assert!(graph.contains(" connection") && graph.contains("85%") && graph.contains("service tight"), "{graph}");
        assert!(drawn(&topology("fire-and-forget"), None).contains("edge sent"));
        for (share, text, class) in [
            (0.0, "0%", "calm"),
            (0.6, "60%", "busy"),
            (0.9999, "99.99%", "tight"),
            (1.0, "100%", "full"),
            (7.0, "700%", "full"),
        ] {
            assert_eq!((percent(share).as_str(), level(share)), (text, class));
        }
        assert!(!drawn(&topology("fire-and-forget"), Some(f64::NAN)).contains("NaN"));
    }

    #[test]
    fn hostile_and_long_names_stay_text() {
        let mut topology = topology("microservices");
        topology.services[0].name = "<script>alert(1)</script>\"'".into();
        topology.services[1].name = "x".repeat(200);
        topology.clients[0].name = "]]><svg onload=alert(1)>".into();
        let graph = drawn(&topology, None);
        assert!(!graph.contains("<script") && graph.matches("<svg").count() == 1);
        let full = format!("<title>{}</title>", "x".repeat(200));
        assert!(
            graph.contains(&full) && graph.matches(&"x".repeat(30)).count() == 200 / 30,
            "only the title has it all"
        );
        assert_eq!(graph, drawn(&topology, None));
    }

    #[test]
    fn no_service_and_many() {
        let mut topology = topology("one-server");
        let service = topology.services[0].clone();
        topology.services = (0..300).map(|i| ServiceSpec { name: format!("s{i}"), ..service.clone() }).collect();
        assert_eq!(drawn(&topology, Some(0.5)).matches("class=\"service calm\"").count(), 300);
        topology.services.clear();
        topology.sites.clear();
        topology.clients.clear();
        assert!(drawn(&topology, None).contains("<svg"));
    }

    #[test]
    fn calls_to_itself_and_back_are_drawn() {
        let mut topology = topology("fire-and-forget");
        let mut back = topology.sites[0].clone();
        (back.caller, back.callee) = (Caller::Service(1), 0);
        let itself = models::topology::Site { caller: Caller::Service(0), callee: 0, ..back.clone() };
        topology.sites.extend([back, itself]);
        let edges = drawn(&topology, None).matches("class=\"edge").count();
        assert_eq!(edges, 4);
    }
}
