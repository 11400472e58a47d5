//! Round-trip times, what they are of their samples, and how they came to be known.

/// A round-trip time in milliseconds: finite, not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Latency(f64);

impl Latency {
    /// Checks a number of milliseconds.
    #[must_use]
    pub fn from_ms(ms: f64) -> Option<Self> {
        (ms.is_finite() && ms >= 0.0).then_some(Self(ms))
    }

    /// Milliseconds.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        self.0
    }
}

/// Which round trip of all that were timed decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Statistic {
    /// The typical one: half take longer.
    #[default]
    P50,
    /// The one that one in twenty exceeds.
    P95,
}

impl Statistic {
    /// The word that files and reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
        }
    }
}

/// How a latency came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provenance {
    /// Somebody measured this directed pair.
    Measured,
    /// Somebody measured the way back; a round trip is the same loop.
    MeasuredReverse,
    /// Somebody measured it, and the last measurements of it did not come.
    MeasuredStale,
    /// Somebody measured another statistic of this pair, or of the way back.
    EstimatedByStatistic,
    /// The least sum of measured pairs that join the two.
    EstimatedByPath,
    /// From the distance on the globe.
    EstimatedByDistance,
    /// Inside one zone or region, where nobody measured.
    AssumedLocal,
}

impl Provenance {
    /// Whether somebody measured it.
    #[must_use]
    pub fn is_measured(self) -> bool {
        matches!(self, Self::Measured | Self::MeasuredReverse | Self::MeasuredStale)
    }

    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::MeasuredReverse => "measured the other way",
            Self::MeasuredStale => "measured some minutes ago",
            Self::EstimatedByStatistic => "estimated from another statistic",
            Self::EstimatedByPath => "estimated from a path",
            Self::EstimatedByDistance => "estimated from distance",
            Self::AssumedLocal => "assumed local",
        }
    }
}
