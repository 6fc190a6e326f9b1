//! The document around the sections of a report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("hover.js");

/// How every report begins: by this a file is known to be one.
pub(crate) const MARKER: &str = "<!DOCTYPE html><!-- outgrow report -->";

/// A report: what stands above its sections, they, and what stands below.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The title, of the window and on top.
    pub(crate) title: String,
    /// A few sentences under the title: what was asked, and the answer.
    pub(crate) lead: Markup,
    /// The sections, from which the contents are made.
    pub(crate) sections: Vec<Section>,
    /// Version, and how the report was made.
    pub(crate) footer: Markup,
}

/// A section of a report.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// What links name it by: see [`section`].
    id: String,
    /// Its heading.
    title: String,
    /// What stands in it.
    body: Markup,
}

/// A section; letters, digits and dashes of `id` name it in links.
pub(crate) fn section(id: &str, title: &str, body: Markup) -> Section {
    let id = id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    Section { id, title: title.to_owned(), body }
}

impl Page {
    /// The document as text.
    pub(crate) fn render(&self) -> String {
        html! {
            (PreEscaped(MARKER))
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header.top {
                        p.brand { "Outgrow" }
                        h1 { (self.title) }
                        div.lead { (self.lead) }
                    }
                    @if self.sections.len() > 1 {
                        nav.contents aria-label="Contents" {
                            ol { @for section in &self.sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                        }
                    }
                    main {
                        @for section in &self.sections {
                            section id=(section.id) aria-label=(section.title) {
                                h2 { (section.title) a.anchor href={ "#" (section.id) } aria-label="Link to this section" { "#" } }
                                (section.body)
                            }
                        }
                    }
                    footer.bottom { (self.footer) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
        .into_string()
    }
}

/// What the page may do: show the style and run the script it carries, and nothing else.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::parts::code;
    use crate::html::{
        Axis, Card, Cell, Chart, Column, Dot, Dots, Mark, Point, Quantity, Reference, Row, Series, Stage, callout,
        cards, details, table, verdict_banner,
    };
    use crate::verdict::Verdict;

    /// A page of every component, in which everything carries the name.
    fn everything(name: &str) -> String {
        let text = || name.to_owned();
        let chart = Chart {
            title: text(),
            alt: text(),
            x: Axis::new(name, Quantity::Years),
            y: Axis::new(name, Quantity::Count),
            series: vec![Series {
                name: text(),
                mark: Mark::Line,
                colour: None,
                points: vec![Point { x: 0.0, y: 1.0, interval: Some((0.5, 1.5)) }, Point::new(1.0, 2.0)],
            }],
            references: vec![Reference { at: 1.0, label: text() }],
            stages: vec![Stage { from: 0.0, to: 1.0, label: text() }],
            table: true,
        };
        let dots = Dots {
            title: text(),
            alt: text(),
            axis: Axis::new(name, Quantity::Share),
            bars: false,
            rows: vec![Dot {
                name: text(),
                value: Some(0.5),
                interval: Some((0.4, 0.6)),
                verdict: Some(Verdict::Breached),
                note: text(),
            }],
            references: vec![Reference { at: 0.9, label: text() }],
            table: true,
        };
        let rows = [Row::Heading(html! { (name) }), Row::cells([Cell::from(name), Verdict::Healthy.into()])];
        let body = html! {
            (verdict_banner(Verdict::Strained, html! { (name) }))
            (callout(name, html! { (name) }))
            (cards(&[Card { value: text(), label: text(), note: text() }]))
            (table(name, &[Column::text(name).hint(name), Column::number(name)], &rows))
            (details(name, code(name)))
            (chart) (dots)
        };
        let sections = vec![section(name, name, body), section("second", name, Markup::default())];
        Page { title: text(), lead: html! { (name) }, sections, footer: html! { (name) } }.render()
    }

    fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
        page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).expect("there").0
    }

    #[test]
    fn the_policy_knows_the_style_and_the_script_and_nothing_else_is_loaded() {
        let page = everything("plain");
        let (style, script) = (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
        for (text, directive) in [(style, "style-src"), (script, "script-src")] {
            let hash = STANDARD.encode(Sha256::digest(text.as_bytes()));
            assert!(page.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
        }
        for loads in ["http:", "https:", "@import", "url(", " src="] {
            assert!(!page.contains(loads), "{loads}");
        }
        let markup = page.replace(style, "").replace(script, "");
        for inline in [" style=", " onload=", " onclick=", "javascript:"] {
            assert!(!markup.contains(inline), "{inline}");
        }
        assert!(page.starts_with(&format!("{MARKER}<html lang=\"en\"><head><meta charset=\"utf-8\">")));
        assert!(page.find("Content-Security-Policy") < page.find("<style>"), "the policy comes first");
    }

    #[test]
    fn hostile_names_stay_text() {
        for name in [
            "<script>alert(1)</script>",
            "</style></script><img src=x onerror=alert(1)>",
            "\" onload=\"alert(1)",
            "]]><svg/onload=alert(1)>",
            "--><svg onload=alert(1)>",
            "<\u{202e}drawkcab \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        ] {
            let page = everything(name);
            // Whatever could open or close an element or an attribute is written otherwise.
            assert!(!page.contains(name), "{name:?}");
            assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1), "{name:?}");
            assert_eq!((page.matches("<style").count(), page.matches("</style").count()), (1, 1), "{name:?}");
        }
        // An apostrophe closes nothing, since attributes stand in quotation marks.
        assert!(everything("' onload='alert(1)").contains("aria-label=\"' onload='alert(1)\""));
        everything("");
        everything("\0\u{1b}[31m");
    }

    #[test]
    fn equal_reports_are_equal_bytes() {
        assert_eq!(everything("a"), everything("a"));
    }
}
