//! What was meant by a misspelt name.

/// The known name closest to what was written, if one is close.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = known.into_iter().filter(|name| are_similar(written, name));
    close.min_by_key(|name| distance(written, name))
}

/// Whether one may be a misspelling of the other: one slip for every three letters.
pub(super) fn are_similar(one: &str, other: &str) -> bool {
    let letters = one.chars().count().max(other.chars().count());
    letters <= 100 && distance(one, other) <= letters / 3
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}
