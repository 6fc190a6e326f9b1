//! What sections are made of: tables, badges, cards and the like.

use crate::verdict::Verdict;
use maud::{Markup, Render, html};

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    title: String,
    hint: Option<String>,
    number: bool,
}

impl Column {
    /// A column of words, to the left.
    pub(crate) fn text(title: &str) -> Self {
        Self { title: title.to_owned(), hint: None, number: false }
    }

    /// A column of numbers, to the right.
    pub(crate) fn number(title: &str) -> Self {
        Self { number: true, ..Self::text(title) }
    }

    /// With an explanation for those who point at it.
    pub(crate) fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }
}

/// What stands in a row and a column.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Words or a number, as text.
    Text(String),
    /// A verdict, as a badge.
    Verdict(Verdict),
    /// Anything else.
    Markup(Markup),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Verdict> for Cell {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl From<Markup> for Cell {
    fn from(markup: Markup) -> Self {
        Self::Markup(markup)
    }
}

impl Render for Cell {
    fn render(&self) -> Markup {
        match self {
            Self::Text(text) => html! { (text) },
            Self::Verdict(verdict) => badge(*verdict),
            Self::Markup(markup) => markup.clone(),
        }
    }
}

/// A row of a table.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// A line above the rows that follow, over all columns.
    Heading(Markup),
    /// A cell a column; the first names the row.
    Cells(Vec<Cell>),
}

impl Row {
    /// A row of cells.
    pub(crate) fn cells<const N: usize>(cells: [Cell; N]) -> Self {
        Self::Cells(cells.into())
    }
}

/// A table, with what it shows for those who do not see it; it scrolls in its own box if it is wide.
pub(crate) fn table(caption: &str, columns: &[Column], rows: &[Row]) -> Markup {
    let class = |column: usize| columns.get(column).is_some_and(|column| column.number).then_some("number");
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for (i, column) in columns.iter().enumerate() {
                    th scope="col" class=[class(i)] title=[column.hint.as_deref()] { (column.title) }
                } } }
                tbody { @for row in rows { tr {
                    @match row {
                        Row::Heading(heading) => th.group scope="rowgroup" colspan=(columns.len().max(1)) { (heading) },
                        Row::Cells(cells) => @for (i, cell) in cells.iter().enumerate() {
                            @if i == 0 { th scope="row" class=[class(i)] { (cell) } } @else { td class=[class(i)] { (cell) } }
                        },
                    }
                } } }
            }
        }
    }
}

/// A verdict in its colour, and in words.
pub(crate) fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "badge " (verdict.name()) } { (verdict.name()) } }
}

/// The verdict on all that follows, with what it rests on.
pub(crate) fn verdict_banner(verdict: Verdict, text: Markup) -> Markup {
    html! { div class={ "banner " (verdict.name()) } role="note" { (badge(verdict)) div { (text) } } }
}

/// Something to take note of.
pub(crate) fn callout(title: &str, text: Markup) -> Markup {
    html! { aside.callout { p.callout-title { (title) } (text) } }
}

/// A number that counts, what it is, and what to think of it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// The number, with its unit.
    pub(crate) value: String,
    /// What it is.
    pub(crate) label: String,
    /// What to think of it; may be empty.
    pub(crate) note: String,
}

/// Cards side by side.
pub(crate) fn cards(cards: &[Card]) -> Markup {
    html! {
        dl.cards { @for card in cards {
            div.card {
                dt { (card.label) }
                dd.value { (card.value) }
                @if !card.note.is_empty() { dd.note { (card.note) } }
            }
        } }
    }
}

/// Text as it is written in a file or on a terminal.
pub(crate) fn code(text: &str) -> Markup {
    html! { pre tabindex="0" { code { (text) } } }
}

/// Something that opens when it is wanted.
pub(crate) fn details(summary: &str, body: Markup) -> Markup {
    html! { details { summary { (summary) } div.inside { (body) } } }
}
