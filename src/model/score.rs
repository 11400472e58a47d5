//! The score that kube-scheduler adds up.

/// A score of the extender protocol: 0 (worst, or unknown) to 10 (best).
///
/// kube-scheduler neither clamps nor validates what it gets, so the range is held here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Score(u8);

impl Score {
    /// What an unknown cost gets.
    pub const LEAST: Self = Self(0);
    /// What the best offered candidate gets (`MaxExtenderPriority`).
    pub const GREATEST: Self = Self(10);

    /// Rounds to the nearest whole score and keeps it in range; what is not a number is the least.
    #[must_use]
    pub fn from_fraction(value: f64) -> Self {
        let rounded = value.round().clamp(0.0, 10.0);
        // `as` saturates and takes NaN for 0; the clamp has made the range certain.
        Self(rounded as u8)
    }

    /// The score as a number, 0..=10.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_never_leaves_its_range() {
        for (value, score) in [
            (-3.0, 0),
            (0.4, 0),
            (0.5, 1),
            (9.5, 10),
            (11.0, 10),
            (f64::NAN, 0),
            (f64::INFINITY, 10),
        ] {
            assert_eq!(Score::from_fraction(value).get(), score, "{value}");
        }
    }
}
