//! What makes an object unreadable.

use crate::model::InvalidName;

/// An object that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The text is not such an object; the parser says what it expected, and where.
    #[error("{0}")]
    Syntax(String),
    /// A field that the object cannot be without.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A name that Kubernetes would not accept.
    #[error("`{field}`: {error}")]
    Name {
        /// Where it stands.
        field: &'static str,
        /// What is wrong with it.
        error: InvalidName,
    },
}

impl ObjectError {
    /// What a parser says, as one line of bounded length.
    pub(super) fn from_parser(error: impl std::fmt::Display) -> Self {
        /// Parsers repeat what they read, and a string in a file may be a megabyte.
        const LONGEST_CHARACTERS: usize = 300;
        let said = error.to_string();
        let first_line = said.lines().next().unwrap_or_default();
        let mut kept: String = first_line.chars().take(LONGEST_CHARACTERS).collect();
        if kept.len() < first_line.len() {
            kept.push('…');
        }
        Self::Syntax(kept)
    }
}

/// Reads a name that an object cannot be without.
pub(super) fn required_name<N>(
    text: &str,
    field: &'static str,
    read: impl Fn(&str) -> Result<N, InvalidName>,
) -> Result<N, ObjectError> {
    if text.is_empty() {
        return Err(ObjectError::Missing(field));
    }
    read(text).map_err(|error| ObjectError::Name { field, error })
}
