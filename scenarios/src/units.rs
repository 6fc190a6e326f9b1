//! Numbers for people: units that suit their size, and as many digits as tell something.

use sim_core::time::SimDuration;

/// What a figure counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, from 0 to 1.
    Share,
    /// Seconds.
    Seconds,
    /// Per second.
    PerSecond,
    /// A plain number.
    Count,
    /// In the currency of the prices.
    Money,
}

impl Unit {
    /// Its name in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Share => "share, 0 to 1",
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::Count => "number",
            Self::Money => "currency",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    IfNegative,
    Always,
}

/// A number in a unit that suits its size: factor and name.
fn scale(unit: Unit, size: f64) -> (f64, &'static str) {
    match unit {
        Unit::Share => (100.0, "%"),
        Unit::PerSecond => (1.0, "/s"),
        Unit::Count | Unit::Money => (1.0, ""),
        Unit::Seconds => match size.abs() {
            0.0 => (1.0, " s"),
            s if s < 1e-6 => (1e9, " ns"),
            s if s < 1e-3 => (1e6, " µs"),
            s if s < 1.0 => (1e3, " ms"),
            s if s < 120.0 => (1.0, " s"),
            s if s < 7200.0 => (1.0 / 60.0, " min"),
            _ => (1.0 / 3600.0, " h"),
        },
    }
}

pub(crate) fn mean_text(unit: Unit, value: f64) -> String {
    let (factor, name) = scale(unit, value);
    let scaled = value * factor;
    match unit {
        Unit::Share => brief(value),
        Unit::Count => trimmed(grouped(scaled, decimals(scaled, 3))),
        Unit::Money | Unit::PerSecond | Unit::Seconds => format!("{}{name}", grouped(scaled, decimals(scaled, 3))),
    }
}

pub(crate) fn interval_text(unit: Unit, mean: f64, half: Option<f64>, sign: Sign) -> String {
    let (factor, name) = scale(unit, if mean == 0.0 { half.unwrap_or(0.0) } else { mean });
    let scaled = mean * factor;
    let half = half.map(|half| half * factor);
    let decimals = match half {
        Some(half) if half > 0.0 => decimals(half, 2),
        _ if unit == Unit::Share => share_decimals(scaled),
        _ => decimals(scaled, 4),
    };
    let plus = if sign == Sign::Always && scaled > 0.0 { "+" } else { "" };
    let known = half.is_some_and(|half| half > 0.0);
    let mean = if known { grouped(scaled, decimals) } else { trimmed(grouped(scaled, decimals)) };
    let half = half.map_or_else(String::new, |half| format!(" ± {}", grouped(half, if known { decimals } else { 0 })));
    format!("{plus}{mean}{half}{name}")
}

/// A share in per cent, with as many digits as its distance from 0% and 100% needs.
pub(crate) fn share(share: f64) -> String {
    format!("{}%", trimmed(format!("{:.*}", share_decimals(100.0 * share), 100.0 * share)))
}

/// A share in per cent with at most two digits behind the point. What is not all of it does not read as
/// if it were, nor what is not nothing.
pub(crate) fn brief(share: f64) -> String {
    match share {
        s if (0.999_95..1.0).contains(&s) => ">99.99%".to_owned(),
        s if s > 0.0 && s < 0.000_05 => "<0.01%".to_owned(),
        s => format!("{:.*}%", share_decimals(100.0 * s).min(2), 100.0 * s),
    }
}

fn share_decimals(per_cent: f64) -> usize {
    let distance = per_cent.abs().min((100.0 - per_cent).abs());
    if distance == 0.0 { 0 } else { decimals(distance, 2).clamp(1, 5) }
}

/// A span of time in a unit that suits its size.
pub(crate) fn span(seconds: f64) -> String {
    let (factor, name) = scale(Unit::Seconds, seconds);
    format!("{}{name}", trimmed(format!("{:.*}", decimals(seconds * factor, 4), seconds * factor)))
}

/// A span as it is written in a file, but for whole days.
pub(crate) fn days(span: SimDuration) -> String {
    const DAY: u64 = 86_400_000_000_000;
    match (span.as_nanos().is_multiple_of(DAY), span.as_nanos() / DAY) {
        (true, 1) => "1 day".to_owned(),
        (true, days @ 2..) => format!("{days} days"),
        _ => span.to_string(),
    }
}

/// A time after launch in years, to hundredths.
pub(crate) fn year(span: SimDuration) -> String {
    format!("{:.2}", crate::growth::years(span))
}

/// A number of people, or of anything else that comes in thousands and millions, in three digits.
pub(crate) fn people(count: f64) -> String {
    let (size, name) = match count {
        n if n < 999.5 => (1.0, ""),
        n if n < 999_500.0 => (1e3, "k"),
        n if n < 999_500_000.0 => (1e6, "M"),
        _ => (1e9, "G"),
    };
    let scaled = count / size;
    let digits = if name.is_empty() || scaled >= 99.95 { 0 } else { 1 };
    format!("{scaled:.digits$}{name}")
}

/// A number without unit.
pub(crate) fn plain(value: f64) -> String {
    trimmed(format!("{:.*}", decimals(value, 5), value))
}

/// Without zeros at the end of the fraction.
fn trimmed(number: String) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number }
}

/// How many digits behind the point show so many significant ones.
fn decimals(value: f64, significant: usize) -> usize {
    let (mut size, mut digits) = (value.abs(), significant.saturating_sub(1));
    if size == 0.0 || !size.is_finite() {
        return 0;
    }
    while size >= 10.0 && digits > 0 {
        size /= 10.0;
        digits -= 1;
    }
    while size < 1.0 && digits < 9 {
        size *= 10.0;
        digits += 1;
    }
    digits
}

/// With a comma between thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let check = |unit, mean, half, say: &str| assert_eq!(interval_text(unit, mean, half, Sign::IfNegative), say);
        check(Unit::Seconds, 0.012_345_6, Some(0.000_234), "12.35 ± 0.23 ms");
        check(Unit::Seconds, 4.012, Some(0.31), "4.01 ± 0.31 s");
        check(Unit::Share, 0.999_932, None, "99.9932%");
        check(Unit::Share, 1.0, Some(0.0), "100 ± 0%");
        check(Unit::PerSecond, 1349.8, Some(12.1), "1,350 ± 12/s");
        check(Unit::Count, 0.0, Some(0.0), "0 ± 0");
        check(Unit::Count, 1_234_567.0, None, "1,234,567");
        assert_eq!(interval_text(Unit::Seconds, -0.002, Some(0.0005), Sign::Always), "-2.00 ± 0.50 ms");
        assert_eq!(span(7800.0), "2.167 h");
        assert_eq!(span(600.0), "10 min");
        assert_eq!(share(0.5), "50%");
        assert_eq!(share(0.999), "99.9%");
        assert_eq!([0.0, 1e-6, 0.9321, 0.999_97, 1.0].map(brief), ["0%", "<0.01%", "93.2%", ">99.99%", "100%"]);
        assert_eq!(plain(0.226_6), "0.2266");
        assert_eq!(
            [950.4, 16_240.0, 386_000.0, 999_700.0, 61.7e6, 2e9].map(people),
            ["950", "16.2k", "386k", "1.0M", "61.7M", "2.0G"]
        );
        assert_eq!(year(SimDuration::from_secs(31_557_600 * 5 / 2)), "2.50");
    }
}
