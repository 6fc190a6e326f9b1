//! Lists of what there is: each family of variants has one slice `ALL`, from which listings, menus,
//! the reference and the tests that loop over every entry follow.

/// One line of a family's list: the name as written, an example that parses, a sentence.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name of the variant.
    pub name: &'static str,
    /// How it is written in a scenario.
    pub example: &'static str,
    /// What it does.
    pub summary: &'static str,
}
