//! A number that changes over the years.

use crate::document::{Path, Problem};
use models::given::Given;
use serde::{Deserialize, Serialize};
use sim_core::time::SimDuration;

/// Straight lines between given times after launch, and the same before the first and after the last:
/// `[("0y", 120), ("6y", 360)]`. One point is a constant: `[("0y", 12)]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Course(pub Vec<(Given<SimDuration>, Given<f64>)>);

impl Course {
    /// The number so many years after launch.
    ///
    /// # Panics
    /// If it has no points; checking a story sees to that.
    pub fn at(&self, years: f64) -> f64 {
        let year = |point: &(Given<SimDuration>, Given<f64>)| super::years(point.0.get());
        let after = self.0.partition_point(|point| year(point) <= years);
        match (after.checked_sub(1).map(|i| &self.0[i]), self.0.get(after)) {
            (Some(from), Some(to)) => {
                let share = (years - year(from)) / (year(to) - year(from));
                from.1.get() + share * (to.1.get() - from.1.get())
            }
            (Some(only), None) | (None, Some(only)) => only.1.get(),
            (None, None) => panic!("a course has points"),
        }
    }

    /// What is wrong with it: it has no points, they are not in order, or a value is above `most`.
    pub(super) fn problems(&self, place: &Path, most: f64) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.0.is_empty() {
            let problem = Problem::error(place.clone(), "there are no points");
            problems.push(problem.with_help("write at least one, for example [(\"0y\", 120)]"));
        }
        for (i, pair) in self.0.windows(2).enumerate() {
            if pair[1].0.get() <= pair[0].0.get() {
                let message = format!("{} does not come after {}", pair[1].0.get(), pair[0].0.get());
                let problem = Problem::error(place.index(i + 1).index(0), message);
                problems.push(problem.with_help("put the points in the order of their times, each time once"));
            }
        }
        for (i, (_, value)) in self.0.iter().enumerate().filter(|(_, (_, value))| value.get() > most) {
            let message = format!("{} is more than {most}", value.get());
            problems.push(Problem::error(place.index(i).index(1), message).with_help("write a smaller number"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn course(text: &str) -> Course {
        Document::parse("course", text).decode().value.expect("it reads")
    }

    #[test]
    fn is_straight_between_points_and_constant_outside() {
        let course = course("[(\"1y\", 10), (\"3y\", 20)]");
        for (years, value) in [(-1.0, 10.0), (1.0, 10.0), (1.5, 12.5), (3.0, 20.0), (9.0, 20.0)] {
            assert_eq!(course.at(years), value, "{years}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let place = Path::root().name("returning");
        let said = |text: &str| -> Vec<String> {
            course(text).problems(&place, 1.0).iter().map(|p| format!("{}: {}", p.path, p.message)).collect()
        };
        assert_eq!(said("[]"), ["returning: there are no points"]);
        let wrong = "[(\"2y\", 0.5), (\"1y\", 1.5)]";
        let expected = ["returning[1][0]: 1y does not come after 2y", "returning[1][1]: 1.5 is more than 1"];
        assert_eq!(said(wrong), expected);
    }
}
