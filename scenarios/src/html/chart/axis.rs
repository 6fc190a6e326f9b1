//! Axes: what is counted, from where to where, and where the marks stand.

use crate::units::{self, Unit};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// A plain number.
    Count,
    /// Per second.
    PerSecond,
    /// A share, from 0 to 1.
    Share,
    /// Spans of time, in seconds.
    Seconds,
    /// Years since the launch.
    Years,
    /// Time since the start, in seconds.
    Clock,
}

/// An axis as wished for.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What stands along it.
    pub(crate) label: String,
    /// What it counts.
    pub(crate) quantity: Quantity,
    log: bool,
    within: Option<(f64, f64)>,
}

/// Where a linear axis ends, unless that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At the first and the last value.
    Values,
    /// At a mark.
    Marks,
    /// At a mark, and 0 is shown.
    Zero,
}

/// Values beyond this size are taken for missing: no scale could show them.
const BOUND: f64 = 1e30;
/// A range narrower than this share of its values is taken for a single value.
const NARROW: f64 = 1e-9;
/// Years in a month.
const MONTH: f64 = 1.0 / 12.0;

impl Axis {
    /// A linear axis that covers its values.
    pub(crate) fn new(label: &str, quantity: Quantity) -> Self {
        Self { label: label.to_owned(), quantity, log: false, within: None }
    }

    /// The same in powers of ten; what is not above 0 is missing there.
    pub(crate) fn log(self) -> Self {
        Self { log: true, ..self }
    }

    /// The same from `low` to `high`, whatever the values.
    pub(crate) fn within(self, low: f64, high: f64) -> Self {
        Self { within: Some((low, high)), ..self }
    }

    /// Whether a value can be shown.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.is_finite() && value.abs() < BOUND && (!self.log || value > 1.0 / BOUND)
    }

    /// The scale for values, with about so many marks.
    pub(crate) fn scale(&self, values: impl Iterator<Item = f64>, ends: Ends, marks: usize) -> Scale {
        let mut range: Option<(f64, f64)> = None;
        for value in values.filter(|&value| self.shows(value)) {
            let (low, high) = range.unwrap_or((value, value));
            range = Some((low.min(value), high.max(value)));
        }
        let wished = self.within.filter(|&(low, high)| low < high && self.shows(low) && self.shows(high));
        let (quantity, log) = (self.quantity, self.log);
        if log {
            let (low, high) = wished.or(range).unwrap_or((1.0, 10.0));
            let low = round_down(low);
            let high = if high > low * (1.0 + NARROW) { round_up(high) } else { low * 10.0 };
            return Scale { quantity, log, low, high, marks: log_marks(low, high, marks) };
        }
        let (mut low, mut high) = wished.or(range).unwrap_or((0.0, 1.0));
        if wished.is_none() && ends == Ends::Zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high - low <= NARROW * high.abs().max(low.abs()) {
            let around = if high == 0.0 { 1.0 } else { high.abs() / 2.0 };
            // A share of 1 has nothing above it.
            let whole = quantity == Quantity::Share && high <= 1.0;
            let top = if whole { high.max(1.0) } else { high + around };
            (low, high) = (
                if ends == Ends::Zero && low >= 0.0 {
                    0.0
                } else {
                    (low - around).max(if whole { 0.0 } else { f64::MIN })
                },
                top,
            );
        }
        let step = step(quantity, (high - low) / marks.max(1) as f64);
        if wished.is_none() && ends != Ends::Values {
            (low, high) = ((low / step + NARROW).floor() * step, (high / step - NARROW).ceil() * step);
        }
        let (first, last) = ((low / step - NARROW).ceil(), (high / step + NARROW).floor());
        let marks = (0..=(last - first).clamp(0.0, 60.0) as u32).map(|i| (first + f64::from(i)) * step);
        Scale { quantity, log, low, high, marks: marks.collect() }
    }
}

/// An axis as drawn.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    quantity: Quantity,
    log: bool,
    low: f64,
    high: f64,
    /// Where marks stand.
    pub(crate) marks: Vec<f64>,
}

impl Scale {
    /// Where a value stands between the ends of the axis, 0 and 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let place = |value: f64| if self.log { libm::log10(value.max(1.0 / BOUND)) } else { value };
        let (low, high) = (place(self.low), place(self.high));
        (place(value) - low) / (high - low)
    }

    /// What stands at a mark.
    pub(crate) fn mark(&self, value: f64) -> String {
        let step = match self.marks[..] {
            [first, second, ..] if !self.log => second - first,
            _ => value,
        };
        let size = if self.log { value.abs() } else { self.high.abs().max(self.low.abs()) };
        if value.abs() < step.abs() * NARROW {
            return match self.quantity {
                Quantity::Share => "0%".into(),
                _ => "0".into(),
            };
        }
        let (factor, unit) = match self.quantity {
            Quantity::Count | Quantity::PerSecond => match size {
                size if size >= 1e12 => return format!("{value:.0e}"),
                size if size >= 1e9 => (1e-9, "G"),
                size if size >= 1e6 => (1e-6, "M"),
                size if size >= 1e4 || (self.log && size >= 1e3) => (1e-3, "k"),
                size if size > 0.0 && size < 1e-4 => return format!("{value:.0e}"),
                _ => (1.0, ""),
            },
            Quantity::Share => (100.0, "%"),
            Quantity::Seconds => match size {
                size if size < 1e-6 => (1e9, " ns"),
                size if size < 1e-3 => (1e6, " µs"),
                size if size < 1.0 => (1e3, " ms"),
                size if size < 300.0 => (1.0, " s"),
                size if size < 18_000.0 => (1.0 / 60.0, " min"),
                size if size < 432_000.0 => (1.0 / 3600.0, " h"),
                _ => (1.0 / 86_400.0, " d"),
            },
            Quantity::Years => return years(value),
            Quantity::Clock => match size {
                size if size <= 120.0 => (1.0, " s"),
                size if size <= 10_800.0 => (1.0 / 60.0, " min"),
                size if size <= 345_600.0 => (1.0 / 3600.0, " h"),
                _ => (1.0 / 86_400.0, " d"),
            },
        };
        let step = (step * factor).abs();
        let decimals = (0..9).find(|&digits| {
            let scaled = step * power_of_ten(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        });
        let decimals = decimals.unwrap_or(if self.log { 0 } else { 9 }) as usize;
        format!("{:.decimals$}{unit}", value * factor)
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        // What lies far beyond the axis stands a little beyond it: nobody sees it, and no number overflows.
        from + (f64::from(to - from) * self.share(*value).clamp(-10.0, 10.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { vec![] } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.mark(*value)
    }
}

impl Quantity {
    /// A value for reading, with its unit.
    pub(crate) fn text(self, value: f64) -> String {
        if !value.is_finite() || value.abs() >= BOUND {
            return "–".into();
        }
        match self {
            Self::Count => units::mean_text(Unit::Count, value),
            Self::PerSecond => units::mean_text(Unit::PerSecond, value),
            Self::Share => units::brief(value),
            Self::Seconds => units::mean_text(Unit::Seconds, value),
            Self::Years => years(value),
            Self::Clock => units::span(value),
        }
    }
}

/// A distance between marks that people count in, at least as wide as wished.
fn step(quantity: Quantity, wished: f64) -> f64 {
    let ladder: &[f64] = match quantity {
        Quantity::Years => &[MONTH, 2.0 * MONTH, 3.0 * MONTH, 6.0 * MONTH, 1.0, 2.0, 5.0, 10.0, 20.0],
        Quantity::Clock => &[
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0,
            21_600.0, 43_200.0, 86_400.0,
        ],
        _ => &[],
    };
    if let Some(&step) = ladder.iter().find(|&&step| step >= wished) {
        return step;
    }
    let power = power_of_ten(libm::floor(libm::log10(wished)) as i32);
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| step * power >= wished * (1.0 - NARROW));
    step.unwrap_or(10.0) * power
}

/// Exact where it can be, on every platform.
fn power_of_ten(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above a value.
fn round_down(value: f64) -> f64 {
    let power = power_of_ten(libm::floor(libm::log10(value)) as i32);
    [5.0, 2.0].into_iter().find(|step| step * power <= value * (1.0 + NARROW)).unwrap_or(1.0) * power
}

/// The least of 1, 2 and 5 times a power of ten that is not below a value.
fn round_up(value: f64) -> f64 {
    let power = power_of_ten(libm::floor(libm::log10(value)) as i32);
    [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= value * (1.0 - NARROW)).unwrap_or(10.0) * power
}

fn log_marks(low: f64, high: f64, marks: usize) -> Vec<f64> {
    let (first, last) = (libm::floor(libm::log10(low)) as i32, libm::ceil(libm::log10(high)) as i32);
    let decades = (last - first).max(1);
    let within: &[f64] = match decades {
        1 => &[1.0, 2.0, 3.0, 5.0, 7.0],
        2 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = (decades as usize).div_ceil(marks.max(1));
    (first..=last)
        .step_by(every)
        .flat_map(|power| within.iter().map(move |step| step * power_of_ten(power)))
        .filter(|mark| (low * (1.0 - NARROW)..=high * (1.0 + NARROW)).contains(mark))
        .collect()
}

/// A time in years, in months where that is rounder.
fn years(value: f64) -> String {
    let months = (value / MONTH).round();
    let (whole, rest) = ((months / 12.0).trunc(), (months % 12.0).abs());
    if (value / MONTH - months).abs() > 0.02 || whole.abs() > 100.0 {
        return format!("{} y", units::plain((value * 100.0).round() / 100.0));
    }
    match (whole, rest) {
        (0.0, 0.0) => "0".into(),
        (0.0, _) => format!("{months} mo"),
        (_, 0.0) => format!("{whole} y"),
        _ => format!("{whole} y {rest} mo"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(axis: Axis, values: &[f64], ends: Ends, expect: &str) {
        let scale = axis.scale(values.iter().copied(), ends, 5);
        let marks = scale.marks.iter().map(|&mark| scale.mark(mark)).collect::<Vec<_>>().join(", ");
        assert_eq!(marks, expect, "{axis:?} {values:?}");
        assert!(values.iter().filter(|&&v| axis.shows(v)).all(|&v| (-1e-6..=1.0 + 1e-6).contains(&scale.share(v))));
    }

    #[test]
    fn marks_are_where_people_expect_them() {
        let axis = |quantity| Axis::new("", quantity);
        check(axis(Quantity::Count), &[0.0, 97.0], Ends::Zero, "0, 20, 40, 60, 80, 100");
        check(axis(Quantity::Count), &[3.2e6], Ends::Zero, "0, 1M, 2M, 3M, 4M");
        check(axis(Quantity::Count), &[14_000.0], Ends::Zero, "0, 5k, 10k, 15k");
        check(axis(Quantity::Share), &[0.31, 0.9994], Ends::Marks, "20%, 40%, 60%, 80%, 100%");
        check(axis(Quantity::Share), &[0.99, 0.9999], Ends::Marks, "99.0%, 99.2%, 99.4%, 99.6%, 99.8%, 100.0%");
        check(axis(Quantity::Seconds), &[0.23], Ends::Zero, "0, 50 ms, 100 ms, 150 ms, 200 ms, 250 ms");
        check(axis(Quantity::Years), &[0.0, 6.0], Ends::Values, "0, 2 y, 4 y, 6 y");
        check(axis(Quantity::Years), &[0.0, 1.0], Ends::Values, "0, 3 mo, 6 mo, 9 mo, 1 y");
        check(axis(Quantity::Clock), &[0.0, 7800.0], Ends::Values, "0, 30 min, 60 min, 90 min, 120 min");
        check(axis(Quantity::Clock), &[0.0, 90.0], Ends::Values, "0, 30 s, 60 s, 90 s");
        check(axis(Quantity::Seconds).log(), &[0.004, 0.7], Ends::Zero, "10 ms, 100 ms, 1 s");
        check(axis(Quantity::Count).log(), &[12.0, 45.0], Ends::Zero, "10, 20, 30, 50");
    }

    #[test]
    fn what_cannot_be_shown_breaks_nothing() {
        let odd = [&[][..], &[0.0], &[5.0], &[-5.0], &[f64::NAN, f64::INFINITY], &[1e300, -1e300], &[1e15, 1e15 + 1.0]];
        for quantity in [Quantity::Count, Quantity::Share, Quantity::Seconds, Quantity::Years, Quantity::Clock] {
            for axis in
                [Axis::new("", quantity), Axis::new("", quantity).log(), Axis::new("", quantity).within(2.0, 1.0)]
            {
                for (values, ends) in odd.iter().flat_map(|v| [Ends::Values, Ends::Marks, Ends::Zero].map(|e| (v, e))) {
                    let scale = axis.scale(values.iter().copied(), ends, 5);
                    assert!(scale.low < scale.high && !scale.marks.is_empty(), "{axis:?} {values:?} {scale:?}");
                    assert!([scale.low, scale.high].iter().all(|end| end.is_finite()));
                }
            }
        }
    }

    #[test]
    fn years_are_said_in_years_and_months() {
        for (value, expect) in
            [(0.0, "0"), (0.25, "3 mo"), (2.0, "2 y"), (2.5, "2 y 6 mo"), (2.45, "2.45 y"), (-0.5, "-6 mo")]
        {
            assert_eq!(years(value), expect);
        }
    }
}
