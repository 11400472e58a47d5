//! The way from one place to another, as far as one data set may take it.
//!
//! Inputs: a latency table and two of its points. Output: a [`Way`], in constant time and without allocating.
//! Invariants: what nobody knows is [`Way::Unknown`] and never a number; a known partition closes a way
//! whatever its latency was, and a latency, however high, closes none. Everything that asks for the way of a
//! data set asks [`Ways`], so that ways that are closed for some data and not for other have one place to
//! be told apart. Deliberately absent: what an access makes of ways (`serving.rs`).
//!
//! A [`View`] turns a way into milliseconds for one question. Only a way that is measured is *sure*: an
//! estimate is an upper guess (`topology/estimate.rs`), so it ranks places and refuses none.

use super::replication::NEVER;
use crate::model::Provenance;
use crate::snapshot::PermittedWays;
use crate::topology::{LatencyPoint, LatencyTable, Route};

/// One way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// The round trip in milliseconds.
    pub ms: f64,
    /// How it is known; of several ways together, the least certain.
    pub provenance: Provenance,
}

/// What is known of the way between two places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// How long a round trip takes.
    Known(Leg),
    /// Nobody knows how long; it counts as open.
    Unknown,
    /// The one is cut off from the other, or no way that rules permit joins them.
    Unreachable,
}

/// What is asked of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The best knowledge: an unknown way is not counted on.
    Known,
    /// What is measured alone; a time inside one region counts as measured.
    Measured,
    /// The least that it may take: nothing, where it is not measured.
    Least,
    /// Whether it is open at all: it takes nothing, or forever.
    Open,
}

/// The ways that are open to one data set.
#[derive(Debug, Clone, Copy)]
pub struct Ways<'t> {
    table: &'t LatencyTable,
    permitted: Option<&'t PermittedWays>,
}

impl<'t> Ways<'t> {
    /// All ways of a table.
    #[must_use]
    pub fn of(table: &'t LatencyTable) -> Self {
        Self {
            table,
            permitted: None,
        }
    }

    /// Those that rules on transit leave.
    #[must_use]
    pub fn that_remain(self, permitted: Option<&'t PermittedWays>) -> Self {
        Self { permitted, ..self }
    }

    /// The way between two places, of which either may be unknown.
    #[must_use]
    pub fn between(self, from: Option<LatencyPoint>, to: Option<LatencyPoint>) -> Way {
        match (from, to) {
            (Some(from), Some(to)) if self.table.is_unreachable(from, to) => Way::Unreachable,
            _ => self.in_the_long_run(from, to),
        }
    }

    /// The way between two places, whether or not the one is cut off from the other at present: for plans, which
    /// last longer than a partition.
    #[must_use]
    pub fn in_the_long_run(self, from: Option<LatencyPoint>, to: Option<LatencyPoint>) -> Way {
        let (Some(from), Some(to)) = (from, to) else {
            return Way::Unknown;
        };
        let estimate = match self.permitted {
            None => self.table.between(from, to),
            Some(permitted) => match permitted.between(self.table, from, to) {
                Route::Closed => return Way::Unreachable,
                Route::Unknown => None,
                Route::Direct(estimate) | Route::Detour(estimate) => Some(estimate),
            },
        };
        match estimate {
            Some(estimate) => Way::Known(Leg {
                ms: estimate.latency.as_ms(),
                provenance: estimate.provenance,
            }),
            None => Way::Unknown,
        }
    }
}

impl Way {
    /// How long it takes in one view; [`NEVER`] where that view has no time for it.
    #[must_use]
    pub fn ms(self, view: View) -> f64 {
        match (self, view) {
            (Self::Known(leg), View::Known) => leg.ms,
            (Self::Known(leg), View::Measured | View::Least) if counts_as_measured(leg.provenance) => leg.ms,
            (Self::Known(_) | Self::Unknown, View::Least | View::Open) => 0.0,
            (Self::Known(_) | Self::Unknown, View::Measured | View::Known) | (Self::Unreachable, _) => NEVER,
        }
    }

    /// The leg, where it is known.
    #[must_use]
    pub fn known(self) -> Option<Leg> {
        match self {
            Self::Known(leg) => Some(leg),
            Self::Unknown | Self::Unreachable => None,
        }
    }
}

/// Whether somebody measured it, or it is a time inside one region, which is off by a millisecond or two.
#[must_use]
pub fn counts_as_measured(provenance: Provenance) -> bool {
    provenance.is_measured() || provenance == Provenance::AssumedLocal
}

/// Of two sources the one to trust less. What is assumed inside a region is off by a millisecond or
/// two, so it is surer than a guess over a distance, whatever the order of the words in the model.
#[must_use]
pub fn less_certain(one: Provenance, other: Provenance) -> Provenance {
    let doubt = |provenance| match provenance {
        Provenance::Measured => 0,
        Provenance::MeasuredReverse => 1,
        Provenance::MeasuredStale => 2,
        Provenance::AssumedLocal => 3,
        Provenance::EstimatedByStatistic => 4,
        Provenance::EstimatedByPath => 5,
        Provenance::EstimatedByDistance => 6,
    };
    if doubt(other) > doubt(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::Provenance::{AssumedLocal, EstimatedByDistance, Measured};
    use super::*;

    #[test]
    fn a_guess_over_a_distance_is_less_certain_than_an_assumption_at_home() {
        assert_eq!(
            less_certain(AssumedLocal, EstimatedByDistance),
            EstimatedByDistance
        );
        assert_eq!(
            less_certain(EstimatedByDistance, AssumedLocal),
            EstimatedByDistance
        );
        assert_eq!(less_certain(AssumedLocal, Measured), AssumedLocal);
    }

    #[test]
    fn every_question_has_its_own_answer() {
        let known = |provenance| Way::Known(Leg { ms: 7.0, provenance });
        for (way, in_all_views) in [
            (known(Measured), [7.0, 7.0, 7.0, 0.0]),
            (known(AssumedLocal), [7.0, 7.0, 7.0, 0.0]),
            (known(EstimatedByDistance), [7.0, NEVER, 0.0, 0.0]),
            (Way::Unknown, [NEVER, NEVER, 0.0, 0.0]),
            (Way::Unreachable, [NEVER; 4]),
        ] {
            let views = [View::Known, View::Measured, View::Least, View::Open];
            assert_eq!(views.map(|view| way.ms(view)), in_all_views, "{way:?}");
        }
    }
}
