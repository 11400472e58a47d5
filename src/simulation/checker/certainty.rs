//! Whether something holds: surely not, perhaps, or surely.
//!
//! Invariant: of several that must all hold the least counts, of several of which one is enough the greatest.

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// Surely not.
    No,
    /// It is not known.
    Maybe,
    /// Surely.
    Yes,
}

impl Holds {
    /// What is known to be so or not.
    pub(super) fn known(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// What is asked of a fact that may be missing.
    pub(super) fn of_fact<T>(fact: Option<T>, holds: impl FnOnce(T) -> bool) -> Self {
        fact.map_or(Self::Maybe, |fact| Self::known(holds(fact)))
    }

    /// Whether one of several holds; none of none does.
    pub(super) fn any(each: impl Iterator<Item = Self>) -> Self {
        each.max().unwrap_or(Self::No)
    }

    /// Of several things that a refusal is for: what one of them leaves open, the others do not settle.
    pub(super) fn together(self, other: Self) -> Self {
        match (self, other) {
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            _ => self.min(other),
        }
    }

    /// The opposite.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}
