//! Trace files: recorded arrivals in CSV, as counts per bin or as one arrival a line.
//!
//! # Counts
//!
//! ```text
//! second,requests          minute_edt,requests          timestamp,value
//! 0,1                      1995-07-01T00:00,42          2014-04-10 00:04:00,94.0
//! 1,4                      1995-07-01T00:01,61          2014-04-10 00:09:00,56.0
//! ```
//!
//! The first line names the columns. Time comes in ascending steps of one width, which is the width
//! of the bins: as whole numbers (of minutes, hours or days if the name of the column says so, else
//! of seconds) or as dates and times. Counts are whole numbers. Lines that start with `#` are skipped.
//! Other columns are, too: time is the first column named after a time, or else the first one; counts
//! are the first other column named after what is counted, or else the first other one.
//!
//! # Instants
//!
//! ```text
//! second          timestamp
//! 0.125           2014-04-10T00:04:00.125
//! 0.5             2014-04-10T00:04:00.5
//! ```
//!
//! With a time column only, every line is one arrival. Numbers may have fractions; times may be equal, but
//! never go back. As with counts, the run begins with the first line.

use csv::{ReaderBuilder, StringRecord, Trim};
use models::workload::Trace;
use sim_core::time::{SimDuration, SimTime};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::path::PathBuf;

/// The largest trace file, 64 MiB: a year of seconds.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Where the trace files that a scenario names are found.
#[derive(Clone, Debug)]
pub enum Traces {
    /// In this folder.
    Folder(PathBuf),
    /// In the library.
    Library,
    /// This file stands in for every trace the scenario names, and is played to its end.
    Instead(PathBuf),
}

/// Why a trace file is unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// There is no such file.
    #[error("there is no trace file `{file}`")]
    Missing {
        /// The file.
        file: String,
    },
    /// It is a folder.
    #[error("`{file}` is a folder, not a trace file")]
    Directory {
        /// The path.
        file: String,
    },
    /// It is larger than [`MAX_FILE_BYTES`]; it was not read.
    #[error("`{file}` is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The operating system refused.
    #[error("cannot read `{file}`: {reason}")]
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        reason: String,
    },
    /// It is something else, such as a picture or a spreadsheet.
    #[error("`{file}` is not text: line {line} has bytes that belong to no character")]
    NotText {
        /// The file.
        file: String,
        /// The line.
        line: u64,
    },
    /// It has no lines below the header.
    #[error("`{file}` has no counts{}", if *.header { " below its header" } else { ": it is empty" })]
    Empty {
        /// The file.
        file: String,
        /// Whether there is a header.
        header: bool,
    },
    /// The first line is data.
    #[error("`{file}`, line {line}: the header is missing, the first line is `{found}`")]
    NoHeader {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// What it says.
        found: String,
    },
    /// A line has too few columns.
    #[error("`{file}`, line {line}: {found} where {needed} columns are needed", found = columns(*.found))]
    TooFewColumns {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// How many it has.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A cell is no time.
    #[error("`{file}`, line {line}: `{found}` in column \"{column}\" is no time{}", like(first))]
    NotTime {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The time column.
        column: String,
        /// What it says there.
        found: String,
        /// What the lines before say there, if there are any.
        first: Option<String>,
    },
    /// A cell is no count.
    #[error("`{file}`, line {line}: `{found}` in column \"{column}\" {why}")]
    NotCount {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The count column.
        column: String,
        /// What it says there.
        found: String,
        /// Why it is no count.
        why: CountFault,
    },
    /// Time stands still or goes back.
    #[error("`{file}`, line {line}: time does not go on, `{after}` comes after `{before}`")]
    NotAscending {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The time on the line before.
        before: String,
        /// The time on the line.
        after: String,
    },
    /// Arrivals are not in order.
    #[error("`{file}`, line {line}: `{after}` comes before `{before}`, which stands on an earlier line")]
    OutOfOrder {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The time on the line before.
        before: String,
        /// The time on the line.
        after: String,
    },
    /// Lines are missing.
    #[error("`{file}`, line {line}: the trace has a gap from `{from}` to `{to}`, where its steps are {step}")]
    Gap {
        /// The file.
        file: String,
        /// The line after the gap.
        line: u64,
        /// The time before.
        from: String,
        /// The time after.
        to: String,
        /// The usual step.
        step: SimDuration,
    },
    /// One line of dates says nothing of a width.
    #[error("`{file}` has only one count, so that the width of its bin is unknown")]
    UnknownWidth {
        /// The file.
        file: String,
    },
    /// Longer than simulated time can be.
    #[error("`{file}` covers more than 584 years")]
    TooLong {
        /// The file.
        file: String,
    },
}

/// Why a cell is no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountFault {
    /// Nothing is there.
    Missing,
    /// Below zero.
    Negative,
    /// A fraction.
    Fraction,
    /// Not a number, or infinite.
    NotFinite,
    /// Text.
    Text,
    /// Above `u32::MAX`.
    TooMany,
}

impl std::fmt::Display for CountFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("is empty: there is no count"),
            Self::Negative => f.write_str("is negative: requests can only come"),
            Self::Fraction => f.write_str("is no whole number"),
            Self::NotFinite => f.write_str("is not finite"),
            Self::Text => f.write_str("is no number"),
            Self::TooMany => write!(f, "is more than {} requests in one bin", u32::MAX),
        }
    }
}

fn columns(found: usize) -> String {
    if found == 1 { "1 column".to_owned() } else { format!("{found} columns") }
}

fn like(first: &Option<String>) -> String {
    first.as_ref().map_or_else(String::new, |first| format!(" like `{first}`"))
}

impl TraceError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::Missing { .. } => {
                "a trace is found beside the scenario file: correct the name, or give the file with --trace FILE"
            }
            Self::Directory { .. } => "name a CSV file in it",
            Self::TooLarge { .. } => "use wider bins, for example counts per minute, or a part of the trace",
            Self::Io { .. } => "see whether the file may be read",
            Self::NotText { .. } => "export it as CSV in UTF-8",
            Self::Empty { .. } => "write a header and a line for each bin, for example second,requests and 0,17",
            Self::NoHeader { .. } => "put a line such as second,requests at its top",
            Self::TooFewColumns { .. } => {
                "write a time and a count on each line, with the same mark (comma, semicolon or tab) between them"
            }
            Self::NotTime { .. } => "write whole numbers such as 0, 1, 2, or times such as 2026-06-14T20:00",
            Self::NotCount { why, .. } => match why {
                CountFault::Missing => "write 0 if nothing came",
                CountFault::TooMany => "use narrower bins",
                CountFault::Negative | CountFault::Fraction | CountFault::NotFinite | CountFault::Text => {
                    "write how many requests came, a whole number from 0 on"
                }
            },
            Self::NotAscending { .. } => "sort the lines by time, each time once",
            Self::OutOfOrder { .. } => "sort the lines by time",
            Self::Gap { .. } => "add the missing lines, with 0 where nothing came, or use the part before or after",
            Self::UnknownWidth { .. } => {
                "add a second line, or number the bins 0, 1, 2 in a column named second or minute"
            }
            Self::TooLong { .. } => "see whether the times are in seconds; bins in minutes need a column named minute",
        };
        text.to_owned()
    }
}

/// Finds and reads the trace that a scenario names `file`.
///
/// # Errors
/// It is not there, or makes no sense.
pub fn find(file: &str, traces: &Traces) -> Result<Trace, TraceError> {
    match traces {
        Traces::Folder(folder) => read(&folder.join(file)),
        Traces::Library => match crate::library::trace(file) {
            Some(text) => parse(file, text),
            None => Err(TraceError::Missing { file: file.to_owned() }),
        },
        Traces::Instead(path) => read(path),
    }
}

/// Reads a trace file.
///
/// # Errors
/// It is not there, larger than [`MAX_FILE_BYTES`] (it is then not read), or makes no sense.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    let file = path.display().to_string();
    let io_error = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => TraceError::Missing { file: file.clone() },
        _ => TraceError::Io { file: file.clone(), reason: error.to_string() },
    };
    let metadata = std::fs::metadata(path).map_err(io_error)?;
    if metadata.is_dir() {
        return Err(TraceError::Directory { file });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(TraceError::TooLarge { file });
    }
    // What is no regular file has no length beforehand: the limit holds while reading, too.
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(io_error)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io_error)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(TraceError::TooLarge { file });
    }
    let not_text = |at: usize| {
        let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        TraceError::NotText { file: file.clone(), line }
    };
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(not_text(at));
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| not_text(error.valid_up_to()))?;
    parse(&file, text)
}

/// Reads a trace from a text; `file` names it in errors.
///
/// # Errors
/// The text makes no sense as a trace.
pub fn parse(file: &str, text: &str) -> Result<Trace, TraceError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .comment(Some(b'#'))
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let (mut record, mut table, mut rows) = (StringRecord::new(), None, Vec::new());
    let mut instants: Option<Instants> = None;
    loop {
        let more = reader.read_record(&mut record);
        let more = more.map_err(|error| TraceError::Io { file: file.to_owned(), reason: error.to_string() })?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line);
        if let Some(instants) = &mut instants {
            instants.add(file, line, &record)?;
            continue;
        }
        match &table {
            None if Instants::are_in(&record) => instants = Some(Instants::of(&record)),
            None => table = Some(Columns::of(file, line, &record)?),
            Some(columns) => {
                let first = rows.first().map(|row: &Row| (row.kind, row.written.as_str()));
                let row = columns.row(file, line, &record, first)?;
                rows.push(row);
            }
        }
    }
    if let Some(instants) = instants {
        return instants.trace(file);
    }
    let columns = table.ok_or_else(|| TraceError::Empty { file: file.to_owned(), header: false })?;
    bins(file, &columns, &rows)
}

/// The mark between columns: the one that the first line has.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|mark| first.as_bytes().contains(mark)).unwrap_or(b',')
}

/// Which column is which.
struct Columns {
    time: usize,
    count: usize,
    time_name: String,
    count_name: String,
    /// What a whole number in the time column counts, in nanoseconds.
    unit: i128,
}

/// A line of a trace.
struct Row {
    line: u64,
    /// In nanoseconds.
    time: i128,
    written: String,
    kind: Kind,
    count: u32,
}

/// How a time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Date,
}

const SECOND: i128 = 1_000_000_000;
/// Names of time columns, with what a whole number in them counts.
const TIMES: [(&str, i128); 8] = [
    ("sec", SECOND),
    ("min", 60 * SECOND),
    ("hour", 3600 * SECOND),
    ("timestamp", SECOND),
    ("time", SECOND),
    ("date", 86_400 * SECOND),
    ("day", 86_400 * SECOND),
    ("bin", SECOND),
];
const COUNTS: [&str; 8] = ["request", "count", "arrival", "hits", "views", "events", "value", "calls"];

impl Columns {
    fn of(file: &str, line: u64, header: &StringRecord) -> Result<Self, TraceError> {
        if header.iter().any(|cell| cell.parse::<f64>().is_ok()) {
            let found = header.iter().collect::<Vec<_>>().join(",");
            return Err(TraceError::NoHeader { file: file.to_owned(), line, found });
        }
        if header.len() < 2 {
            return Err(TraceError::TooFewColumns { file: file.to_owned(), line, found: header.len(), needed: 2 });
        }
        let names: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let unit = |name: &str| TIMES.iter().find(|(part, _)| name.contains(part)).map(|(_, unit)| *unit);
        let time = names.iter().position(|name| unit(name).is_some()).unwrap_or(0);
        let counted = |(i, name): (usize, &String)| i != time && COUNTS.iter().any(|part| name.contains(part));
        let count = names.iter().enumerate().position(counted).unwrap_or(usize::from(time == 0));
        Ok(Self {
            time,
            count,
            time_name: header[time].to_owned(),
            count_name: header[count].to_owned(),
            unit: unit(&names[time]).unwrap_or(SECOND),
        })
    }

    fn row(
        &self,
        file: &str,
        line: u64,
        record: &StringRecord,
        first: Option<(Kind, &str)>,
    ) -> Result<Row, TraceError> {
        let needed = 1 + self.time.max(self.count);
        if record.len() < needed {
            return Err(TraceError::TooFewColumns { file: file.to_owned(), line, found: record.len(), needed });
        }
        let written = record[self.time].to_owned();
        let time = self.time(&written).filter(|(kind, _)| first.is_none_or(|(before, _)| before == *kind));
        let Some((kind, time)) = time else {
            return Err(TraceError::NotTime {
                file: file.to_owned(),
                line,
                column: self.time_name.clone(),
                found: written,
                first: first.map(|(_, written)| written.to_owned()),
            });
        };
        let cell = &record[self.count];
        let count = count(cell).map_err(|why| TraceError::NotCount {
            file: file.to_owned(),
            line,
            column: self.count_name.clone(),
            found: cell.to_owned(),
            why,
        })?;
        Ok(Row { line, time, written, kind, count })
    }

    fn time(&self, written: &str) -> Option<(Kind, i128)> {
        if let Some(number) = whole(written) {
            return Some((Kind::Number, i128::from(number) * self.unit));
        }
        date(written).map(|nanos| (Kind::Date, nanos))
    }
}

/// The arrivals of a file that has one on each line.
struct Instants {
    columns: Columns,
    first: Option<(Kind, i128, String)>,
    last: (i128, String),
    found: Vec<SimTime>,
}

impl Instants {
    /// Whether a header has only a time column.
    fn are_in(header: &StringRecord) -> bool {
        let named = |name: &str| TIMES.iter().any(|(part, _)| name.to_lowercase().contains(part));
        header.len() == 1 && header[0].parse::<f64>().is_err() && named(&header[0])
    }

    fn of(header: &StringRecord) -> Self {
        let name = header[0].to_lowercase();
        let unit = TIMES.iter().find(|(part, _)| name.contains(part)).map_or(SECOND, |(_, unit)| *unit);
        let (time_name, count_name) = (header[0].to_owned(), String::new());
        let columns = Columns { time: 0, count: 0, time_name, count_name, unit };
        Self { columns, first: None, last: (0, String::new()), found: Vec::new() }
    }

    fn add(&mut self, file: &str, line: u64, record: &StringRecord) -> Result<(), TraceError> {
        let written = &record[0];
        let time = fraction(written, self.columns.unit).map(|time| (Kind::Number, time));
        let time = time.or_else(|| date(written).map(|time| (Kind::Date, time)));
        let before = self.first.as_ref().map(|(kind, ..)| *kind);
        let Some((kind, time)) = time.filter(|(kind, _)| before.is_none_or(|before| before == *kind)) else {
            return Err(TraceError::NotTime {
                file: file.to_owned(),
                line,
                column: self.columns.time_name.clone(),
                found: written.to_owned(),
                first: self.first.as_ref().map(|(.., written)| written.clone()),
            });
        };
        let start = self.first.get_or_insert_with(|| (kind, time, written.to_owned())).1;
        if time < self.last.0 && !self.found.is_empty() {
            let (before, after) = (self.last.1.clone(), written.to_owned());
            return Err(TraceError::OutOfOrder { file: file.to_owned(), line, before, after });
        }
        let since = u64::try_from(time - start).map_err(|_| TraceError::TooLong { file: file.to_owned() })?;
        self.last = (time, written.to_owned());
        self.found.push(SimTime::from_nanos(since));
        Ok(())
    }

    fn trace(self, file: &str) -> Result<Trace, TraceError> {
        if self.found.is_empty() {
            return Err(TraceError::Empty { file: file.to_owned(), header: true });
        }
        Ok(Trace::of_instants(self.found))
    }
}

/// A number from 0 on of this unit, with or without a fraction, in nanoseconds.
fn fraction(written: &str, unit: i128) -> Option<i128> {
    let (digits, fraction) = written.split_once('.').unwrap_or((written, ""));
    let whole = i128::from(whole(digits)?);
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Nine digits are nanoseconds of a second; twelve are enough for every unit.
    let parts: i128 = format!("{:0<12.12}", fraction).parse().ok()?;
    Some(whole * unit + parts * unit / 1_000_000_000_000)
}

/// A whole number from 0 on, also if written `94.0`.
fn whole(written: &str) -> Option<i64> {
    let digits = written.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|b| b == b'0'));
    let digits = digits.map_or(written, |(digits, _)| digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) { None } else { digits.parse().ok() }
}

fn count(cell: &str) -> Result<u32, CountFault> {
    if cell.is_empty() {
        return Err(CountFault::Missing);
    }
    if let Some(number) = whole(cell) {
        return number.try_into().map_err(|_| CountFault::TooMany);
    }
    match cell.parse::<f64>() {
        Err(_) => Err(CountFault::Text),
        Ok(number) if number.is_nan() => Err(CountFault::NotFinite),
        Ok(number) if number < 0.0 => Err(CountFault::Negative),
        Ok(number) if number.is_infinite() => Err(CountFault::NotFinite),
        Ok(number) if number > f64::from(u32::MAX) => Err(CountFault::TooMany),
        Ok(number) if number.fract() != 0.0 => Err(CountFault::Fraction),
        Ok(number) => Ok(number as u32),
    }
}

/// Nanoseconds since 1970 of `2014-04-10`, `2014-04-10 00:04:00` or `1995-07-01T00:00`, with `Z` or an
/// offset such as `+02:00` if there is one.
fn date(written: &str) -> Option<i128> {
    let (day, clock) = written.split_once(['T', ' ']).map_or((written, None), |(day, clock)| (day, Some(clock.trim())));
    let number = |text: &str, digits: usize| -> Option<i64> {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let mut parts = day.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=length).contains(&day) {
        return None;
    }
    let seconds_nanos = clock.map_or(Some((0, 0)), |clock| {
        let (clock, offset) = offset(clock, &number)?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut parts = clock.split(':');
        let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
        let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
        let nanos = number(&format!("{fraction:0<9}"), 9)?;
        let valid = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
        valid.then_some((hour * 3600 + minute * 60 + second - offset, nanos))
    });
    let (seconds, nanos) = seconds_nanos?;
    Some(i128::from(days(year, month, day) * 86_400 + seconds) * SECOND + i128::from(nanos))
}

/// Splits `+02:00` or `Z` off a time of day; the offset is in seconds.
fn offset<'a>(clock: &'a str, number: &impl Fn(&str, usize) -> Option<i64>) -> Option<(&'a str, i64)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = clock.find(['+', '-']) else { return Some((clock, 0)) };
    let (clock, written) = clock.split_at(at);
    let sign = if written.starts_with('-') { -1 } else { 1 };
    let digits = written[1..].replace(':', "");
    let (hours, minutes) = (number(digits.get(..2)?, 2)?, digits.get(2..).filter(|m| !m.is_empty()));
    let minutes = minutes.map_or(Some(0), |minutes| number(minutes, 2))?;
    Some((clock.trim_end(), sign * (hours * 3600 + minutes * 60)))
}

/// Days from 1970-01-01 to a date.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`: years begin in
/// March, so that the leap day comes last, and 400 of them have 146,097 days.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// From lines to bins of one width: the shortest step between two lines.
fn bins(file: &str, columns: &Columns, rows: &[Row]) -> Result<Trace, TraceError> {
    let file = || file.to_owned();
    let Some(first) = rows.first() else { return Err(TraceError::Empty { file: file(), header: true }) };
    let mut step = i128::MAX;
    for pair in rows.windows(2) {
        let apart = pair[1].time - pair[0].time;
        if apart <= 0 {
            return Err(TraceError::NotAscending {
                file: file(),
                line: pair[1].line,
                before: pair[0].written.clone(),
                after: pair[1].written.clone(),
            });
        }
        step = step.min(apart);
    }
    if rows.len() == 1 {
        match first.kind {
            Kind::Number => step = columns.unit,
            Kind::Date => return Err(TraceError::UnknownWidth { file: file() }),
        }
    }
    let bin = u64::try_from(step).map_err(|_| TraceError::TooLong { file: file() })?;
    let bin = SimDuration::from_nanos(bin);
    if let Some(pair) = rows.windows(2).find(|pair| pair[1].time - pair[0].time != step) {
        return Err(TraceError::Gap {
            file: file(),
            line: pair[1].line,
            from: pair[0].written.clone(),
            to: pair[1].written.clone(),
            step: bin,
        });
    }
    match bin.as_nanos().checked_mul(rows.len() as u64) {
        Some(_) => Ok(Trace::of_counts(bin, rows.iter().map(|row| row.count).collect::<Vec<_>>())),
        None => Err(TraceError::TooLong { file: file() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_what_a_calendar_says() {
        let day = |y, m, d| days(y, m, d);
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(day(2000, 3, 1) - day(2000, 2, 28), 2);
        assert_eq!(day(1900, 3, 1) - day(1900, 2, 28), 1);
        assert_eq!(date("2026-06-14T20:00"), Some(i128::from(day(2026, 6, 14) * 86_400 + 72_000) * SECOND));
        assert_eq!(date("2026-06-14T20:00:00+02:00"), date("2026-06-14 18:00Z"));
        assert_eq!(date("1995-07-01 00:00:00.5").map(|t| t % SECOND), Some(SECOND / 2));
        for wrong in ["2026-02-29", "2026-13-01", "14.06.2026", "20:00", "2026-06-14T24:00", "2026-06-14T20", ""] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }
}
