//! What a rule demands of the ways to data sets.

use super::PlaceTerm;

/// What becomes of a way between two regions that no link declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathUnknown {
    /// It is not taken.
    Deny,
    /// It is taken, and recorded.
    Warn,
}

impl PathUnknown {
    /// Every answer.
    pub const ALL: [Self; 2] = [Self::Deny, Self::Warn];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
        }
    }
}

/// Through where traffic to a data set must not lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitDemand {
    /// Not through here.
    pub forbid: Vec<PlaceTerm>,
    /// And where nobody declares through where.
    pub when_path_unknown: PathUnknown,
}
