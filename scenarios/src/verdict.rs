//! The verdict on a run, and what binds it.

use crate::figures::Figure;
use models::topology::{Caller, Topology};

/// How a run went, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It keeps its objective, and no resource is above 80%.
    Healthy,
    /// It keeps its objective, but a resource is above 80%.
    Strained,
    /// The outcome of no request is known; or it would be healthy, but that of more than 1% is not.
    Undecided,
    /// Fewer requests are good than the objective promises.
    Breached,
    /// At least half of the replications collapsed.
    Collapsed,
}

/// A resource above this share is strained.
pub const STRAINED_ABOVE: f64 = 0.8;
/// A run with more requests without known outcome than this share is not called healthy.
pub const UNKNOWN_ABOVE: f64 = 0.01;

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Share of replications that collapsed.
    pub collapsed_ratio: Option<f64>,
    /// Share of requests served within the threshold.
    pub slo_good_ratio: Option<f64>,
    /// What share was promised.
    pub objective: f64,
    /// Share of requests whose outcome is open.
    pub unknown_ratio: Option<f64>,
    /// The highest utilisation of a resource.
    pub utilisation: Option<f64>,
}

impl Verdict {
    /// Every verdict there is, from best to worst.
    pub const ALL: [Self; 5] = [Self::Healthy, Self::Strained, Self::Undecided, Self::Breached, Self::Collapsed];

    /// Judges a run.
    pub fn on(evidence: &Evidence) -> Self {
        let above = |value: Option<f64>, limit: f64| value.is_some_and(|value| value > limit);
        if evidence.collapsed_ratio.is_some_and(|share| share >= 0.5) {
            Self::Collapsed
        } else if evidence.slo_good_ratio.is_some_and(|good| good < evidence.objective) {
            Self::Breached
        } else if evidence.slo_good_ratio.is_none() {
            Self::Undecided
        } else if above(evidence.utilisation, STRAINED_ABOVE) {
            Self::Strained
        } else if above(evidence.unknown_ratio, UNKNOWN_ABOVE) {
            Self::Undecided
        } else {
            Self::Healthy
        }
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Strained => "strained",
            Self::Undecided => "undecided",
            Self::Breached => "breached",
            Self::Collapsed => "collapsed",
        }
    }
}

/// The resource that limits a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Its service.
    pub service: String,
    /// The resource, as in `utilisation`.
    pub resource: String,
    /// Its utilisation.
    pub utilisation: f64,
}

/// Resources this close to the highest utilisation are as busy.
const AS_BUSY: f64 = 0.02;

/// Which of several resources of a service that are equally busy is the cause: the processor before
/// the pools, which are held while services further down work, and the threads, held all the while.
fn rank(resource: &str) -> u8 {
    match resource {
        "contention" | "processor" | "host" => 2,
        "threads" => 0,
        _ => 1,
    }
}

/// Of resources with their utilisation, one that is as busy as the busiest, within 2%, and of those
/// the one of the highest rank.
fn busiest<T>(resources: Vec<(T, f64)>, rank: impl Fn(&T) -> (usize, u8)) -> Option<(T, f64)> {
    let highest = resources.iter().map(|(_, utilisation)| *utilisation).fold(f64::MIN, f64::max);
    let as_busy = resources.into_iter().filter(|(_, utilisation)| *utilisation >= highest - AS_BUSY);
    as_busy.max_by_key(|(resource, _)| rank(resource))
}

/// The busiest of the resources of one service.
pub(crate) fn busiest_of_service<'a>(figures: impl Iterator<Item = (&'a str, &'a Figure)>) -> Option<(&'a str, f64)> {
    let resources = figures.filter_map(|(resource, figure)| Some((resource, figure.mean()?))).collect();
    busiest(resources, |resource| (0, rank(resource)))
}

/// The busiest resource. Threads and connections are held while services further down work, so that
/// among those as busy as the busiest it is the one furthest from the clients.
pub(crate) fn binding<'a>(figures: impl Iterator<Item = &'a Figure>, topology: &Topology) -> Option<Binding> {
    let depths = depths(topology);
    let resource = |figure: &'a Figure| match figure.path.as_slice() {
        [first, service, group, resource] if first == "services" && group == "utilisation" => {
            Some(((service, resource), figure.mean()?))
        }
        _ => None,
    };
    let depth = |service: &str| topology.service(service).map_or(0, |id| depths[usize::from(id)]);
    let found = busiest(figures.filter_map(resource).collect(), |(service, name)| (depth(service), rank(name)));
    let ((service, resource), utilisation) = found?;
    Some(Binding { service: service.clone(), resource: resource.clone(), utilisation })
}

/// How many calls away from the clients each service is at most, where calls do not go in circles.
fn depths(topology: &Topology) -> Vec<usize> {
    let mut depths = vec![0; topology.services.len()];
    for _ in 0..topology.services.len() {
        for site in &topology.sites {
            let from = match site.caller {
                Caller::Client(_) => 0,
                Caller::Service(service) => depths[usize::from(service)],
            };
            let callee = &mut depths[usize::from(site.callee)];
            *callee = (from + 1).max(*callee).min(topology.services.len());
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_holds_is_said() {
        let well = Evidence {
            collapsed_ratio: Some(0.0),
            slo_good_ratio: Some(0.9995),
            objective: 0.999,
            unknown_ratio: Some(0.0),
            utilisation: Some(0.5),
        };
        assert_eq!(Verdict::on(&well), Verdict::Healthy);
        assert_eq!(Verdict::on(&Evidence { utilisation: Some(0.81), ..well }), Verdict::Strained);
        assert_eq!(Verdict::on(&Evidence { unknown_ratio: Some(0.02), ..well }), Verdict::Undecided);
        let nothing = Evidence { slo_good_ratio: None, utilisation: Some(1.0), ..well };
        assert_eq!(Verdict::on(&nothing), Verdict::Undecided);
        assert_eq!(Verdict::on(&Evidence { slo_good_ratio: Some(0.99), ..well }), Verdict::Breached);
        assert_eq!(Verdict::on(&Evidence { collapsed_ratio: Some(0.5), ..well }), Verdict::Collapsed);
    }
}
