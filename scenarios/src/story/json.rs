//! A story as a JSON document.

use super::{Moment, Passage, StoryReport, Trigger};
use crate::growth::{Users, years};
use crate::report::json::{self as run_json, Detail};
use indexmap::IndexMap;
use models::fluid::Utilisation;
use serde_json::{Map, Value, json};

impl StoryReport {
    /// As a JSON document.
    pub fn json(&self) -> Value {
        let chapters: Vec<_> = self.passages.iter().map(|passage| self.chapter(passage)).collect();
        json!({
            "story": self.told.document.stem(),
            "title": self.told.story.title,
            "version": env!("CARGO_PKG_VERSION"),
            "seed": self.seed,
            "partial": self.partial,
            "slo": {
                "objective": self.told.story.slo.objective.get(),
                "threshold_s": self.told.story.slo.threshold.get().as_secs_f64(),
            },
            "chapters": chapters,
            "moments": self.moments.iter().map(|moment| self.moment(moment)).collect::<Vec<_>>(),
            "had_it_stayed": self.stayed.iter().map(|moment| self.moment(moment)).collect::<Vec<_>>(),
            "events": self.events(),
        })
    }

    fn chapter(&self, passage: &Passage) -> Value {
        let design = &self.told.designs[passage.design];
        let next = self.told.story.chapters.get(passage.chapter + 1);
        let services = || design.topology.services.iter().map(|service| service.name.clone());
        let year = |span| json!(years(span));
        let utilisation = |u: &Utilisation| json!({"figure": design.figure(u), "value": u.ratio()});
        let sized: Map<_, _> = design
            .sized
            .iter()
            .map(|(id, sizing)| {
                let name = design.topology.services[usize::from(*id)].name.clone();
                (name, json!({"busy": sizing.busy.get(), "least": sizing.least.get()}))
            })
            .collect();
        json!({
            "design": design.name,
            "about": design.about,
            "from_year": year(passage.from),
            "until_year": passage.until.map(year),
            "outgrown": passage.outgrown.as_ref().map(|outgrown| json!({
                "trigger": next.and_then(|next| next.when.as_ref()).map(trigger),
                "since_year": year(outgrown.since),
                "at_year": year(outgrown.at),
                "lag_years": next.map(|next| year(next.lag.get())),
                "utilisation": outgrown.utilisation.as_ref().map(utilisation),
                "users": self.users(&outgrown.users),
            })),
            "full": passage.full.as_ref().map(|full| json!({
                "at_year": year(full.at),
                "utilisation": utilisation(&full.of),
                "users": self.users(&full.users),
            })),
            "ceiling": passage.ceiling.as_ref().map(|ceiling| json!({
                "per_s": ceiling.per_s,
                "replicas": services().zip(&ceiling.replicas).collect::<IndexMap<_, _>>(),
            })),
            "sized": sized,
            "work_per_request_s": design.work_s(),
        })
    }

    fn moment(&self, moment: &Moment) -> Value {
        let design = &self.told.designs[moment.design];
        let replicas: Map<_, _> = design
            .topology
            .services
            .iter()
            .zip(&moment.replicas)
            .map(|(service, replicas)| (service.name.clone(), json!(replicas)))
            .collect();
        let law: Map<_, _> = moment.utilisations.iter().map(|u| (design.figure(u), json!(u.ratio()))).collect();
        json!({
            "year": years(moment.at),
            "design": design.name,
            "users": self.users(&moment.users),
            "replicas": replicas,
            "processors": design.processors(&moment.replicas),
            "utilisation_law": law,
            "carries_times": moment.carries(&self.told),
            "run": run_json::run(&moment.report, Detail::default()),
            "pushed": moment.pushed.as_ref().map(|pushed| run_json::run(pushed, Detail::default())),
        })
    }

    fn users(&self, users: &Users) -> Value {
        let daily: Map<_, _> =
            self.told.story.growth.audience.keys().cloned().zip(users.daily.iter().map(|n| json!(n))).collect();
        json!({
            "cumulative": users.cumulative,
            "monthly": users.monthly,
            "daily": daily,
            "mean_per_s": users.mean_per_s,
            "evening_per_s": users.evening_per_s,
            "match_evening_per_s": users.match_per_s,
            "goal_per_s": users.goal_per_s,
            "evening_sessions": users.evening_sessions,
            "match_evening_sessions": users.match_sessions,
        })
    }
}

/// A trigger as it is written, in the shape of JSON.
fn trigger(trigger: &Trigger) -> Value {
    match trigger {
        Trigger::Evening { figure, above, lasting } => json!({
            "kind": "Evening", "figure": figure, "above": above.get(), "lasting_s": lasting.get().as_secs_f64()
        }),
        Trigger::Users(above) => json!({"kind": "Users", "above": above.get()}),
        Trigger::Time(at) => json!({"kind": "Time", "at_year": years(at.get())}),
    }
}
