//! From text to [`Tree`], telling a person what is wrong on the way.
//!
//! The parser accepts what `ron` accepts (which has the last word, see `decode.rs`) and goes on
//! after small slips, such as a lacking comma, so that they are reported together. Where it can no
//! longer know what was meant, it stops: then there is no tree.
//!
//! It is our own rather than `ronin-core` 0.1, which takes `-inf`, `r#type`, `b"bytes"`, ranges and
//! a field named `enable` for errors, and cannot say which bracket or comma is missing.

use super::place::Lines;
use super::scan::{
    describe, end_of_string, is_raw_part, is_word_part, is_word_start, raw_string, skip_blanks, starts_value,
    typographic, unquoted,
};
use super::tree::{Id, Name, Node, Shape, Span, Tree};

/// Brackets inside brackets inside brackets: more than this is no scenario, and would overflow the
/// stack of whoever walks the tree.
pub(super) const MAX_DEPTH: usize = 64;

/// More values than this in one file belong into a data file.
const MAX_VALUES: usize = 1_000_000;

/// More faults than this help nobody.
const MAX_FAULTS: usize = 100;

/// A breach of syntax.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The tree, unless a fault left its shape in doubt, and the faults in the order found.
pub(super) fn parse(text: &str, lines: &Lines) -> (Option<Tree>, Vec<Fault>) {
    let mut parser =
        Parser { text, lines, at: 0, tree: Tree::default(), faults: Vec::new(), broken_string: None, unbalanced: None };
    let tree = parser.document().ok().map(|()| parser.tree);
    (tree, parser.faults)
}

/// A fault after which the parser no longer knows what was meant. It has been noted.
struct Stop;

type Parsed<T> = Result<T, Stop>;

struct Parser<'t> {
    text: &'t str,
    lines: &'t Lines,
    at: usize,
    tree: Tree,
    faults: Vec<Fault>,
    /// The token just read, if it is a string over several lines: if the next thing is wrong, most
    /// likely that string should have ended on its first line.
    broken_string: Option<Span>,
    /// The first bracket whose closing bracket stands further left than the line that opened it:
    /// if brackets do not match, this is most likely the one never closed.
    unbalanced: Option<Span>,
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed<()> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        self.skip_blanks()?;
        while self.rest().starts_with('#') {
            let Some(end) = self.rest().find(']') else {
                return self.stop(self.here(), "this attribute has no closing `]`", None);
            };
            self.at += end + 1;
            self.skip_blanks()?;
        }
        if self.rest().is_empty() {
            let what = if self.text.trim().is_empty() { "the file is empty" } else { "the file holds only comments" };
            let help = "a scenario is one `( ... )` with its fields inside";
            return self.stop(Span::new(0, 0), what, Some(help));
        }
        self.value(None, None, 0)?;
        self.skip_blanks()?;
        if let Some(c) = self.peek() {
            let help = (c == ':').then_some("put the fields of the scenario into one pair of parentheses: `( ... )`");
            return self.stop(self.here(), format!("unexpected {} after the end of the scenario", describe(c)), help);
        }
        Ok(())
    }

    /// Reads one value as a new node below `parent`.
    fn value(&mut self, parent: Option<Id>, name: Option<Name>, depth: usize) -> Parsed<Id> {
        let start = self.at;
        let id = self.node(parent, name)?;
        let rest = self.rest();
        let shape = match rest.chars().next() {
            Some('(' | '[' | '{') => self.group(id, depth)?,
            Some('"') => self.text_token("", Shape::Text)?,
            Some('\'') => self.char_token()?,
            Some('0'..='9' | '+' | '-' | '.') => self.number(),
            _ if raw_string(rest).is_some() => self.text_token("r", Shape::Text)?,
            _ if rest.starts_with("b\"") => self.text_token("b", Shape::Bytes)?,
            _ if rest.starts_with("br") && raw_string(&rest[1..]).is_some() => self.text_token("br", Shape::Bytes)?,
            _ if rest.starts_with("b'") => {
                self.at += 1;
                self.char_token()?;
                Shape::Number
            }
            Some(c) if is_word_start(c) => self.word(id, depth)?,
            Some(c) => {
                let help = typographic(c).then_some("use plain quotes: \"...\"");
                return self.stop(self.here(), format!("expected a value, found {}", describe(c)), help);
            }
            None => return self.stop(self.here(), "expected a value, found the end of the file", None),
        };
        self.tree[id].shape = shape;
        self.tree[id].span = Span::new(start, self.at);
        Ok(id)
    }

    fn node(&mut self, parent: Option<Id>, name: Option<Name>) -> Parsed<Id> {
        if self.tree.nodes.len() == MAX_VALUES {
            let help = Some("keep long series in a CSV file");
            return self.stop(self.here(), format!("more than {MAX_VALUES} values in one file"), help);
        }
        let id = Id(self.tree.nodes.len());
        let span = Span::new(self.at, self.at);
        self.tree.nodes.push(Node {
            shape: Shape::Hole,
            span,
            tag: None,
            name,
            comma: None,
            parent,
            children: Vec::new(),
        });
        Ok(id)
    }

    // Words, numbers, strings.

    /// A name, alone or with parentheses after it.
    fn word(&mut self, id: Id, depth: usize) -> Parsed<Shape> {
        let tag = self.ident()?;
        match tag.of(self.text) {
            "true" | "false" => return Ok(Shape::Bool),
            "inf" | "NaN" | "inff32" | "inff64" | "NaNf32" | "NaNf64" => return Ok(Shape::Number),
            _ => {}
        }
        self.tree[id].tag = Some(tag);
        self.skip_blanks()?;
        if self.peek() == Some('(') {
            return self.group(id, depth);
        }
        self.at = tag.end;
        Ok(Shape::Bare)
    }

    /// A word of letters, digits and `_`, or a raw one: `r#for`.
    fn ident(&mut self) -> Parsed<Span> {
        let start = self.at;
        if self.rest().starts_with("r#") {
            self.at += 2;
        }
        self.skip_while(is_word_part);
        if self.at > start && self.peek().is_some_and(is_raw_part) {
            self.skip_while(is_raw_part);
            let span = Span::new(start, self.at);
            if !span.of(self.text).starts_with("r#") {
                let word = span.of(self.text);
                let help = format!("write \"{word}\"");
                self.fault(span, format!("`{word}` cannot stand without quotes"), Some(&help))?;
            }
        }
        Ok(Span::new(start, self.at))
    }

    /// Anything that starts like a number: whether it is one is judged when someone asks for one.
    fn number(&mut self) -> Shape {
        let mut before = ' ';
        while let Some(c) = self.peek() {
            let signed = matches!(c, '+' | '-') && matches!(before, ' ' | 'e' | 'E' | '.');
            let range = c == '=' && before == '.';
            if !(is_word_part(c) || c == '.' || signed || range) {
                break;
            }
            self.bump(c);
            before = c;
        }
        Shape::Number
    }

    fn char_token(&mut self) -> Parsed<Shape> {
        let inside = self.rest()[1..].char_indices().take_while(|(_, c)| *c != '\n');
        let mut escaped = false;
        for (offset, c) in inside {
            if c == '\'' && !escaped && offset > 0 {
                self.at += 1 + offset + 1;
                self.broken_string = None;
                return Ok(Shape::Char);
            }
            escaped = c == '\\' && !escaped;
        }
        self.stop(self.here(), "this single quote is not closed", Some("texts stand in double quotes: \"...\""))
    }

    /// A string, from its prefix (`r`, `b`, `br` or none) to its last quote.
    fn text_token(&mut self, prefix: &str, shape: Shape) -> Parsed<Shape> {
        let start = self.at;
        let body = &self.rest()[prefix.len()..];
        let hashes = body.len() - body.trim_start_matches('#').len();
        let inside = &body[hashes + 1..];
        let length = if prefix.ends_with('r') {
            let close = format!("\"{}", "#".repeat(hashes));
            inside.find(&close).map(|at| at + close.len())
        } else {
            end_of_string(inside)
        };
        let Some(length) = length else { return self.stop_unpaired(self.here()) };
        self.at = start + prefix.len() + hashes + 1 + length;
        let span = Span::new(start, self.at);
        self.broken_string = span.of(self.text).contains('\n').then_some(span);
        Ok(shape)
    }

    // Brackets.

    /// `( ... )`, `[ ... ]` or `{ ... }`: fills the children of `id`.
    fn group(&mut self, id: Id, depth: usize) -> Parsed<Shape> {
        let open = self.here();
        if depth >= MAX_DEPTH {
            return self.stop(open, format!("brackets are nested deeper than {MAX_DEPTH} levels"), None);
        }
        let (mut shape, close) = match self.text.as_bytes()[open.start] {
            b'(' => (Shape::Tuple, ')'),
            b'[' => (Shape::List, ']'),
            _ => (Shape::Map, '}'),
        };
        self.bump('(');
        loop {
            self.skip_blanks()?;
            match self.peek() {
                None | Some(')' | ']' | '}') if self.peek() != Some(close) => return self.unclosed(open, close),
                Some(c) if c == close => break,
                Some(',') => {
                    self.fault(self.here(), "nothing stands before this comma", Some("remove it"))?;
                    self.bump(',');
                    continue;
                }
                _ => {}
            }
            let first = self.tree[id].children.is_empty();
            let entry = if shape == Shape::Map {
                self.entry(id, depth)?
            } else if shape != Shape::List && self.at_field(shape, first) {
                if !first && shape == Shape::Tuple {
                    let help = "either all values in parentheses have names, or none";
                    return self.stop(self.here(), "a named field among values without names", Some(help));
                }
                shape = Shape::Struct;
                self.field(id, depth)?
            } else if shape == Shape::Struct {
                return self.stop_nameless(open);
            } else {
                self.value(Some(id), None, depth + 1)?
            };
            self.tree[id].children.push(entry);
            self.comma(entry, close)?;
        }
        self.note_balance(open);
        self.bump(close);
        Ok(shape)
    }

    /// What separates an entry from the next.
    fn comma(&mut self, entry: Id, close: char) -> Parsed<()> {
        let end = self.at;
        self.skip_blanks()?;
        match self.peek() {
            Some(',') => {
                self.tree[entry].comma = Some(self.at);
                self.bump(',');
            }
            Some(';') => {
                self.fault(self.here(), "expected `,`, found `;`", None)?;
                self.bump(';');
            }
            None | Some(')' | ']' | '}') => {}
            Some(c) if starts_value(c) => {
                let message = format!("a comma is missing before {}", self.upcoming());
                self.fault(Span::new(end, end), message, None)?;
            }
            Some(c) => {
                let help = match c {
                    '%' => Some("a share is a number from 0 to 1: write 0.8 for 80%"),
                    ':' if close == ']' => Some("a list has no names: use `{ ... }` for a map, `( ... )` for fields"),
                    c if typographic(c) => Some("use plain quotes: \"...\""),
                    _ => None,
                };
                return self.stop(self.here(), format!("expected `,` or `{close}`, found {}", describe(c)), help);
            }
        }
        Ok(())
    }

    /// Whether a named field comes next, written well or not: `a: 1`, `"a": 1`, `a = 1`, `a 1`.
    fn at_field(&self, shape: Shape, first: bool) -> bool {
        let mut ahead = self.ahead();
        let quoted = ahead.peek() == Some('"');
        if quoted {
            if !first || ahead.text_token("", Shape::Text).is_err() {
                return false;
            }
        } else if !ahead.peek().is_some_and(is_word_start) || raw_string(ahead.rest()).is_some() {
            return false;
        } else {
            let _ = ahead.ident();
        }
        if ahead.skip_blanks().is_err() {
            return false;
        }
        match ahead.peek() {
            Some(':' | '=') => true,
            Some(',' | ')' | ']' | '}' | '(') | None => shape == Shape::Struct && ahead.peek() == Some('('),
            Some(c) => !quoted && starts_value(c) && (first || shape == Shape::Struct),
        }
    }

    /// `name: value`. [`Self::at_field`] has looked ahead.
    fn field(&mut self, parent: Id, depth: usize) -> Parsed<Id> {
        let start = self.at;
        let text = if self.peek() == Some('"') {
            self.text_token("", Shape::Text)?;
            let name = unquoted(Span::new(start, self.at).of(self.text));
            let help = format!("write {name}: ...");
            self.fault(Span::new(start, self.at), "a field name stands without quotes", Some(&help))?;
            name
        } else {
            let word = self.ident()?.of(self.text);
            word.strip_prefix("r#").unwrap_or(word).to_owned()
        };
        let name = Name { text, span: Span::new(start, self.at), key: None };
        self.after_name(parent, name, depth)
    }

    /// `key: value`.
    fn entry(&mut self, parent: Id, depth: usize) -> Parsed<Id> {
        let key = self.value(Some(parent), None, depth + 1)?;
        let span = self.tree[key].span;
        let written = span.of(self.text);
        let text = if self.tree[key].shape == Shape::Text { unquoted(written) } else { written.to_owned() };
        let value = self.after_name(parent, Name { text, span, key: Some(key) }, depth)?;
        self.tree[key].parent = Some(value);
        Ok(value)
    }

    /// The colon and the value.
    fn after_name(&mut self, parent: Id, name: Name, depth: usize) -> Parsed<Id> {
        let end = self.at;
        let called = name.text.clone();
        self.skip_blanks()?;
        match self.peek() {
            Some(':') => self.bump(':'),
            Some('=') => {
                self.fault(self.here(), format!("expected `:` after `{called}`, found `=`"), None)?;
                self.bump('=');
            }
            Some(c) if starts_value(c) => {
                self.fault(Span::new(end, end), format!("a colon is missing after `{called}`"), None)?;
            }
            _ => {}
        }
        self.skip_blanks()?;
        if let Some(',' | ')' | ']' | '}') = self.peek() {
            let help = format!("write {}: ...", name.span.of(self.text));
            self.fault(name.span, format!("`{called}` has no value"), Some(&help))?;
            return self.node(Some(parent), Some(name));
        }
        self.value(Some(parent), Some(name), depth + 1)
    }

    /// Something without a name among named fields.
    fn stop_nameless<T>(&mut self, open: Span) -> Parsed<T> {
        if self.unbalanced.is_some() {
            return self.unclosed(open, ')');
        }
        let (line, column) = self.lines.position(self.text, open.start);
        let help = match self.peek() {
            Some(c) if typographic(c) => "use plain quotes: \"...\"".to_owned(),
            _ => format!("is a `)` missing before it? The `(` stands at {line}:{column}"),
        };
        self.stop(self.here(), format!("expected `name: value` or `)`, found {}", self.upcoming()), Some(&help))
    }

    /// A text without end, or with its end on another line and followed by nonsense. What seemed
    /// wrong before on its line was text taken for something else.
    fn stop_unpaired<T>(&mut self, text: Span) -> Parsed<T> {
        let line = self.lines.start_of(text.start);
        let at_fault = self.faults.iter().position(|fault| fault.span.start >= line);
        let (span, message) = match at_fault {
            Some(first) => (self.faults[first].span, "a `\"` is missing on this line"),
            None => (text, "this text is never closed: a `\"` is missing"),
        };
        self.faults.truncate(at_fault.unwrap_or(self.faults.len()));
        self.faults.push(Fault { span, message: message.to_owned(), help: None });
        Err(Stop)
    }

    /// A bracket that is never closed.
    fn unclosed<T>(&mut self, open: Span, close: char) -> Parsed<T> {
        let (open, close) = match self.unbalanced {
            Some(open) if open.start != self.at => (open, closing(open.of(self.text))),
            _ => (open, close),
        };
        let help = match self.peek() {
            None => format!("expected `{close}` before the end of the file"),
            Some(c) => {
                let (line, column) = self.lines.position(self.text, self.at);
                format!("expected `{close}` before the `{c}` at {line}:{column}")
            }
        };
        self.stop(open, format!("this `{}` is never closed", open.of(self.text)), Some(&help))
    }

    /// Remembers a bracket that is closed further left than it was opened.
    fn note_balance(&mut self, open: Span) {
        let line = self.lines.start_of(self.at);
        let before = &self.text[line..self.at];
        let opening_line = &self.text[self.lines.start_of(open.start)..];
        let indent = opening_line.len() - opening_line.trim_start_matches([' ', '\t']).len();
        if self.unbalanced.is_none() && open.start < line && before.len() < indent && before.trim().is_empty() {
            self.unbalanced = Some(open);
        }
    }

    // Characters.

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self, c: char) {
        self.at += c.len_utf8();
        self.broken_string = None;
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.broken_string = None;
    }

    /// Blanks and comments.
    fn skip_blanks(&mut self) -> Parsed<()> {
        match skip_blanks(self.text, self.at) {
            Ok(at) => {
                self.at = at;
                Ok(())
            }
            Err(open) => self.stop(Span::new(open, open + 2), "this comment is never closed: expected `*/`", None),
        }
    }

    /// The character at hand.
    fn here(&self) -> Span {
        Span::new(self.at, self.at + self.peek().map_or(0, char::len_utf8))
    }

    /// The word at hand, or else the character, to name it in a message.
    fn upcoming(&self) -> String {
        let word = self.rest().chars().take_while(|c| is_raw_part(*c) || *c == '"');
        let word: String = word.take(40).collect();
        if word.is_empty() { self.peek().map_or(String::new(), describe) } else { format!("`{word}`") }
    }

    /// A parser that reads on from here and whose findings are forgotten.
    fn ahead(&self) -> Self {
        Self {
            text: self.text,
            lines: self.lines,
            at: self.at,
            tree: Tree::default(),
            faults: Vec::new(),
            broken_string: None,
            unbalanced: None,
        }
    }

    /// Notes a fault. Fails if the fault shows that the parser has lost its way.
    fn fault(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) -> Parsed<()> {
        if let Some(broken) = self.broken_string {
            return self.stop_unpaired(broken);
        }
        self.faults.push(Fault { span, message: message.into(), help: help.map(Into::into) });
        if self.faults.len() < MAX_FAULTS { Ok(()) } else { Err(Stop) }
    }

    /// Notes a fault that leaves open what was meant.
    fn stop<T>(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) -> Parsed<T> {
        let _ = self.fault(span, message, help);
        Err(Stop)
    }
}

fn closing(open: &str) -> char {
    match open {
        "(" => ')',
        "[" => ']',
        _ => '}',
    }
}
