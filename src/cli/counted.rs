//! How many of a thing, in words: the one place that knows of the plural.

/// `1 pod`, `2 pods`: for things whose plural ends in a bare `s`.
#[must_use]
pub fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
