//! Where plotters draws: SVG with classes instead of colours.
//!
//! plotters knows whole pixels and colours. The canvas is therefore counted in tenths of a pixel, and a colour is the
//! number of an [`Ink`], which becomes a class; how that looks is up to the style of the page.

use crate::verdict::Verdict;
use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Units of the canvas in a pixel.
pub(crate) const PIXEL: i32 = 10;

/// What something is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Labels.
    Label,
    /// Lines behind the values.
    Grid,
    /// The axis itself.
    Axis,
    /// A shaded stretch.
    Stage,
    /// A line at a value that means something, and its label.
    Reference,
    /// Names and values that are to be read first.
    Strong,
    /// A series.
    Series(usize),
    /// A dashed series.
    Dashed(usize),
    /// The interval of a series.
    Band(usize),
    /// A verdict.
    Verdict(Verdict),
    /// Not seen: what is drawn between this and [`Ink::Unclip`] ends at the rectangle.
    Clip,
    /// See [`Ink::Clip`].
    Unclip,
}

impl Ink {
    /// As a colour, which plotters hands through.
    pub(crate) const fn colour(self) -> RGBColor {
        match self {
            Self::Label => RGBColor(0, 0, 0),
            Self::Grid => RGBColor(1, 0, 0),
            Self::Axis => RGBColor(2, 0, 0),
            Self::Stage => RGBColor(3, 0, 0),
            Self::Reference => RGBColor(4, 0, 0),
            Self::Strong => RGBColor(5, 0, 0),
            Self::Series(i) => RGBColor(6, i as u8, 0),
            Self::Dashed(i) => RGBColor(7, i as u8, 0),
            Self::Band(i) => RGBColor(8, i as u8, 0),
            Self::Verdict(verdict) => RGBColor(9, verdict as u8, 0),
            Self::Clip => RGBColor(10, 0, 0),
            Self::Unclip => RGBColor(11, 0, 0),
        }
    }

    fn of(colour: BackendColor) -> Self {
        let i = colour.rgb.1 as usize;
        match colour.rgb.0 {
            1 => Self::Grid,
            2 => Self::Axis,
            3 => Self::Stage,
            4 => Self::Reference,
            5 => Self::Strong,
            6 => Self::Series(i),
            7 => Self::Dashed(i),
            8 => Self::Band(i),
            9 => Verdict::ALL.get(i).map_or(Self::Label, |&verdict| Self::Verdict(verdict)),
            10 => Self::Clip,
            11 => Self::Unclip,
            _ => Self::Label,
        }
    }

    fn class(self) -> String {
        match self {
            Self::Label => "label".into(),
            Self::Grid => "grid".into(),
            Self::Axis => "axis".into(),
            Self::Stage => "stage".into(),
            Self::Reference => "reference".into(),
            Self::Strong => "strong".into(),
            Self::Series(i) => format!("s{i}"),
            Self::Dashed(i) => format!("s{i} dashed"),
            Self::Band(i) => format!("s{i} band"),
            Self::Verdict(verdict) => verdict.name().into(),
            Self::Clip | Self::Unclip => String::new(),
        }
    }
}

/// Writes what is drawn on it into a text.
pub(crate) struct Canvas<'a> {
    /// Width and height in pixels.
    pub(crate) size: (u32, u32),
    /// Where the elements go.
    pub(crate) out: &'a mut String,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.size.0 * PIXEL as u32, self.size.1 * PIXEL as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Drawn {
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(path, "line", Ink::of(style.color()));
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.path(path, "area", Ink::of(style.color()));
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S, _: bool) -> Drawn {
        let ((x, y), (width, height)) = ((pixels(a.0), pixels(a.1)), (pixels(b.0 - a.0), pixels(b.1 - a.1)));
        let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        let _ = match Ink::of(style.color()) {
            Ink::Clip => write!(self.out, "<svg {place} viewBox=\"{x} {y} {width} {height}\">"),
            Ink::Unclip => write!(self.out, "</svg>"),
            ink => write!(self.out, "<rect class=\"area {}\" {place}/>", ink.class()),
        };
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, _: bool) -> Drawn {
        let (x, y, r) = (pixels(centre.0), pixels(centre.1), pixels(radius as i32));
        let class = Ink::of(style.color()).class();
        let _ = write!(self.out, "<circle class=\"dot {class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>");
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        // Letters and digits stand on their line and are about 0.72 em high.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.72,
            VPos::Center => 0.36,
            VPos::Bottom => 0.0,
        };
        let (x, y) = (pixels(at.0), pixels(at.1 + (down * style.size()).round() as i32));
        let class = Ink::of(style.color()).class();
        let text = escaped(text);
        let _ = write!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>");
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok(((width(text) * style.size()) as u32, style.size() as u32))
    }
}

impl Canvas<'_> {
    fn path(&mut self, path: impl IntoIterator<Item = BackendCoord>, shape: &str, ink: Ink) {
        let mut points = path.into_iter().collect::<Vec<_>>();
        points.dedup();
        let Some((first, rest)) = points.split_first() else { return };
        let mut d = format!("M{} {}", pixels(first.0), pixels(first.1));
        for point in rest {
            let _ = write!(d, "L{} {}", pixels(point.0), pixels(point.1));
        }
        if rest.is_empty() {
            d.push_str("h0");
        }
        if shape == "area" {
            d.push('z');
        }
        let _ = write!(self.out, "<path class=\"{shape} {}\" d=\"{d}\"/>", ink.class());
    }
}

/// Canvas units as pixels.
fn pixels(units: i32) -> f64 {
    f64::from(units) / f64::from(PIXEL)
}

/// About how wide a text is, in units of its size. No font is at hand, so this errs on the wide side.
pub(crate) fn width(text: &str) -> f64 {
    let each = |c: char| match c {
        'i' | 'l' | 'j' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '(' | ')' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.95,
        'A'..='Z' | '×' | '±' => 0.72,
        c if c.is_ascii() => 0.63,
        _ => 1.0,
    };
    text.chars().map(each).sum()
}

/// The text, or as much of it as fits into `room`, in units of its size, with an ellipsis.
pub(crate) fn fitted(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&kept) + 0.9 > room {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

/// Text as XML may carry it, in content and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_fit() {
        assert_eq!(escaped("a<b>&\"'\u{0}"), "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}");
        assert_eq!(fitted("short", 10.0), "short");
        assert_eq!(fitted("a long name", 4.0), "a lon…");
        assert_eq!(fitted("anything", 0.0), "…");
        assert!(width(&fitted(&"x".repeat(200), 20.0)) <= 20.5);
    }

    #[test]
    fn inks_go_through_colours() {
        let all = [Ink::Label, Ink::Grid, Ink::Axis, Ink::Stage, Ink::Reference, Ink::Strong, Ink::Clip, Ink::Unclip];
        let numbered = (0..8).flat_map(|i| [Ink::Series(i), Ink::Dashed(i), Ink::Band(i)]);
        for ink in all.into_iter().chain(numbered).chain(Verdict::ALL.map(Ink::Verdict)) {
            let RGBColor(r, g, b) = ink.colour();
            assert_eq!(Ink::of(BackendColor { alpha: 1.0, rgb: (r, g, b) }), ink);
        }
    }
}
