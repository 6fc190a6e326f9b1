//! A validation for people: a table of every metric, and what it amounts to.

use super::judge::{Judged, Verdict};
use super::{JudgedCase, Validation};
use crate::report::text::{Page, Role};

impl Validation {
    /// The table, case by case, then the summary.
    pub fn text(&self, page: &Page<'_>) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let JudgedCase { case, replications, counted_s, .. } = &case;
            let run = format!("{replications} replications of {counted_s} s");
            text += &page.style.paint(Role::Heading, &case.id);
            text += &format!("  {} {}\n", case.about, page.style.paint(Role::Faint, &run));
            let metrics = self.cases.iter().find(|judged| judged.case.id == case.id).map_or(&[][..], |c| &c.metrics);
            for judged in metrics {
                text += &line(judged, page);
            }
            text.push('\n');
        }
        let role = if self.passes() { Role::Good } else { Role::Bad };
        let mut summary = self.summary().into_iter();
        text += &summary.next().map_or_else(String::new, |line| page.style.paint(role, &line) + "\n");
        summary.for_each(|line| text += &format!("{line}\n"));
        text
    }
}

fn line(judged: &Judged, page: &Page<'_>) -> String {
    let Judged { metric, verdict, .. } = judged;
    let role = match verdict {
        Verdict::Agrees => Role::Good,
        Verdict::Open => Role::Warning,
        Verdict::Differs | Verdict::Missing => Role::Bad,
    };
    let kind = metric.kind.name();
    let left = format!("  {:<30} {:>11} {kind:<13} {:<24}", metric.name, number(metric.theory), simulated(judged));
    format!("{left} {:>6}  {}\n", z(judged), page.style.paint(role, verdict.name()))
}

/// Mean and interval.
pub(super) fn simulated(judged: &Judged) -> String {
    judged.simulated.map_or_else(
        || "none".to_owned(),
        |simulated| match simulated.half_width() {
            half if half > 0.0 => format!("{} ± {}", number(simulated.mean), short(half)),
            _ => number(simulated.mean),
        },
    )
}

/// The error in standard errors.
pub(super) fn z(judged: &Judged) -> String {
    judged.z.map_or_else(String::new, |z| format!("{z:+.2}"))
}

/// Five digits.
pub(super) fn number(value: f64) -> String {
    rounded(value, 5)
}

/// Two digits.
pub(super) fn short(value: f64) -> String {
    rounded(value, 2)
}

fn rounded(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = libm::floor(libm::log10(value.abs())) as i32;
    if !(-4..=6).contains(&exponent) {
        return format!("{value:.*e}", (digits - 1) as usize);
    }
    format!("{value:.*}", (digits - 1 - exponent).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_tell() {
        assert_eq!(number(0.8), "0.80000");
        assert_eq!(number(599_876.52), "599877");
        assert_eq!(number(0.002), "0.0020000");
        assert_eq!(number(2.2e-17), "2.2000e-17");
        assert_eq!(short(0.012_34), "0.012");
        assert_eq!(number(0.0), "0");
    }
}
