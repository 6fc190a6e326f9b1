//! The characters of RON: what is blank, where comments and texts end, what a word is made of.

/// Past blanks and comments; or else where a comment starts that is never closed.
pub(super) fn skip_blanks(text: &str, mut at: usize) -> Result<usize, usize> {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start_matches(is_blank);
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            at = end_of_comment(text, at).ok_or(at)?;
        } else {
            return Ok(at);
        }
    }
}

/// The end of a block comment, which may hold others.
pub(super) fn end_of_comment(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (open + 2, 1);
    while depth > 0 {
        match bytes.get(at..at + 2)? {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    Some(at)
}

/// The length of a string's inside up to and including its last quote.
pub(super) fn end_of_string(inside: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some(at + 1),
            byte => escaped = byte == b'\\' && !escaped,
        }
    }
    None
}

/// `r"` or `r#"`, and any number of hashes: the start of a raw string rather than of a name.
pub(super) fn raw_string(rest: &str) -> Option<()> {
    rest.strip_prefix('r')?.trim_start_matches('#').strip_prefix('"').map(|_| ())
}

/// What a quoted text says; what `ron` cannot read stays as written.
pub(super) fn unquoted(written: &str) -> String {
    ron::from_str(written).unwrap_or_else(|_| written.to_owned())
}

/// The blanks of `ron`.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

/// What `ron` takes as the first character of a name.
pub(super) fn is_word_start(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

/// What `ron` takes inside a name.
pub(super) fn is_word_part(c: char) -> bool {
    unicode_ident::is_xid_continue(c)
}

/// What `ron` takes in a name after `r#`.
pub(super) fn is_raw_part(c: char) -> bool {
    is_word_part(c) || matches!(c, '.' | '+' | '-')
}

pub(super) fn starts_value(c: char) -> bool {
    is_raw_part(c) || matches!(c, '"' | '\'' | '(' | '[' | '{')
}

pub(super) fn typographic(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}')
}

/// What a person reads instead of a character that cannot stand where it stands.
pub(super) fn describe(c: char) -> String {
    match c {
        c if typographic(c) => format!("the typographic quote `{c}`"),
        '\u{a0}' => "a no-break space (U+00A0)".to_owned(),
        c if c.is_control() || c.is_whitespace() || c == '\u{feff}' => {
            format!("the invisible character U+{:04X}", c as u32)
        }
        c => format!("`{c}`"),
    }
}
