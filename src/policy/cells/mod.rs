//! The finite domain over which a set is proved and compared: every kind of place, of data and of source
//! that the rules of some sets can tell apart at an instant.
//!
//! Inputs: what one or more sets say, an instant. Outputs: hypothetical places over which each of those
//! sets can be compiled by the engine itself, one tuple for each kind of data, and the sources that a
//! tuple may have. Invariants: whatever region is ever added to a catalogue, whatever data a pod carries
//! and wherever it comes from, the rules of these sets treat it as one of the cells; each cell is possible.
//! Deliberately absent: an evaluator. A cell is a profile ([`TupleSource::profile`])
//! and a [`PlaceIndex`], and [`evaluate`](super::evaluate()) decides it.
//!
//! # Why the places stand for every region
//!
//! A rule looks at the country of a place, at its part of the country and at its facts. Countries and
//! parts that are in the same lists are one kind of place; a country of which a part is named has that
//! part, another one, and an unknown one. Facts are looked at by requirements alone. For each kind of
//! place `facts` enumerates concrete facts, unknown ones among them, for every way in which the
//! requirements that decide memberships can stand; of all that differs in requirements of rules only,
//! [`FactKinds::MostPermitted`] keeps the best, because meeting such a requirement only ever permits.
//! Hypothetical facts are never stale: age only restricts. So a catalogued place, now or later, is
//! treated as one of these kinds or permitted less, and a proof over them holds for it.
//!
//! # Why one tuple is enough
//!
//! A pod is permitted where each of its tuples is, and another tuple or another source never permits
//! more. So what is impossible for every single tuple is impossible for every pod.

mod facts;
mod mentions;
mod places;
mod sources;
mod tuples;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use places::{HypotheticalPlace, KindOfPlace, Part};
pub use sources::TupleSource;

use super::PolicySet;
use super::catalogue::{Catalogue, PlaceIndex};
use super::definition::{Activity, ActivitySet, Definitions};
use super::epoch;
use crate::model::{DataTuple, Subdivision};

/// Which facts of places are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKinds {
    /// Those under which most is permitted. Requirements that only a rule states are met wherever they
    /// can be met together: enough to show that something is impossible.
    MostPermitted,
    /// Every way in which requirements can be met or not: needed to compare two sets.
    All,
}

/// The requirements of a set can be met and not met in more ways than are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the requirements of the set can be met together in more than {0} ways")]
pub struct TooManyKinds(pub usize);

/// Every cell that some sets can tell apart at an instant.
#[derive(Debug)]
pub struct Domain {
    at: Timestamp,
    catalogue: Catalogue,
    places: Vec<HypotheticalPlace>,
    tuples: Vec<DataTuple>,
    sources: Vec<TupleSource>,
    unnamed_parts: BTreeSet<Subdivision>,
}

impl Domain {
    /// The domain of some sets. Several sets share one, to be compared cell by cell.
    ///
    /// # Errors
    /// Where their requirements make too many kinds of places.
    pub fn new(sets: &[&Definitions], at: Timestamp, facts: FactKinds) -> Result<Self, TooManyKinds> {
        let parts = mentions::Parts::of(sets);
        let places = places::places(sets, &parts, at, facts)?;
        let catalogue = Catalogue::hypothetical(places.iter().map(HypotheticalPlace::facts));
        Ok(Self {
            at,
            tuples: tuples::tuples(sets, &parts, &catalogue, at),
            sources: sources::sources(sets),
            unnamed_parts: parts.unnamed().cloned().collect(),
            catalogue,
            places,
        })
    }

    /// The instant.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The hypothetical places in the order of their numbers, without the unknown one, which is
    /// [`PlaceIndex::UNKNOWN`] here too.
    #[must_use]
    pub fn places(&self) -> &[HypotheticalPlace] {
        &self.places
    }

    /// What a place stands for; `None` for the unknown one.
    #[must_use]
    pub fn place(&self, index: PlaceIndex) -> Option<&HypotheticalPlace> {
        self.places.get(index.as_usize().checked_sub(1)?)
    }

    /// The hypothetical places as a catalogue.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// One tuple for each kind of data, those that state every dimension first.
    #[must_use]
    pub fn tuples(&self) -> &[DataTuple] {
        &self.tuples
    }

    /// Where a tuple may come from; the first is a namespace that no block selects.
    #[must_use]
    pub fn sources(&self) -> &[TupleSource] {
        &self.sources
    }

    /// Whether a part of a country stands for all parts that no list names.
    #[must_use]
    pub fn is_unnamed(&self, part: &Subdivision) -> bool {
        self.unnamed_parts.contains(part)
    }

    /// What one of the sets says, compiled over the hypothetical places at this instant and good for this
    /// instant alone.
    #[must_use]
    pub fn compile(&self, definitions: Definitions) -> PolicySet {
        let timeline = epoch::epochs_at(&definitions, &self.catalogue, [self.at]);
        PolicySet {
            digest: String::new(),
            definitions,
            catalogue: self.catalogue.clone(),
            data_sets: std::collections::BTreeMap::new(),
            epochs: timeline.epochs,
            transit_profiles: timeline.transit_profiles,
            written_at: super::lint::WrittenAt::default(),
        }
    }
}

/// What a pod may perform: it always processes.
#[must_use]
pub fn performed_sets() -> [ActivitySet; 4] {
    let process = ActivitySet::default().with(Activity::Process);
    [
        process,
        process.with(Activity::Store),
        process.with(Activity::Replicate),
        process.with(Activity::Store).with(Activity::Replicate),
    ]
}

/// The instant, and every later one at which what some sets say changes.
#[must_use]
pub fn instants(sets: &[&Definitions], at: Timestamp) -> BTreeSet<Timestamp> {
    let dates = sets.iter().flat_map(|definitions| epoch::dates(definitions));
    dates.filter(|date| *date > at).chain([at]).collect()
}
