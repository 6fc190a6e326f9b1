//! The services of a design and who calls whom. [`layout`] knows only sizes and edges; [`svg`] draws.

pub(crate) mod layout;
pub(crate) mod svg;
