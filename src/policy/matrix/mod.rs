//! The matrix: which data may be where, and what decides it.
//!
//! Inputs: a set, the data sets beside it, profiles of one's choice, an instant. Outputs: rows of data and, for
//! each, a cell for every place of the catalogue. Invariants: a cell is what [`evaluate`] says of a pod that
//! carries nothing else, processes and stores; a group of people is one row, permitted only where each of its
//! members is. Deliberately absent: exceptions, which are for pods of one namespace; nodes (where data asks for
//! a confirmed region, a cell speaks of nodes with one); and words.

mod given;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::PolicySet;
use super::catalogue::PlaceIndex;
use super::definition::{Activity, ActivitySet, Mode};
use super::evaluate::{Cause, evaluate};
use super::profile::{Profile, Source, SourcedTuple};
use crate::model::{Category, Classification, DataSet, DataSetName, DataTuple, Dimension, Subject, Tuple};

pub use given::{GivenProfile, read_given};

/// Which data a row comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowOrigin {
    /// A data set.
    DataSet(DataSetName),
    /// A policy selects it, and from where, such as `namespaces programme=records`.
    Policy {
        /// The name of the policy.
        name: Arc<str>,
        /// What of the source the block names besides data, in words; empty is nothing.
        sources: String,
    },
    /// Somebody asked for it, in these words.
    Given(String),
}

/// Whose data a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowSubject {
    /// One people, none, or not stated.
    One(Dimension<Subject>),
    /// Every member of a group.
    Group {
        /// Its name.
        name: Arc<str>,
        /// Its members at the instant.
        members: Vec<Subject>,
    },
    /// Any people at all.
    Anywhere,
}

impl RowSubject {
    /// As files write it; `unknown` is not stated.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::One(Dimension::Missing) => "unknown".to_owned(),
            Self::One(Dimension::None) => "none".to_owned(),
            Self::One(Dimension::Is(subject)) => subject.to_string(),
            Self::Group { name, .. } => format!("group/{name}"),
            Self::Anywhere => "anywhere".to_owned(),
        }
    }

    fn members(&self) -> Vec<Dimension<Subject>> {
        match self {
            Self::One(subject) => vec![subject.clone()],
            // Of a group without members nobody knows who is meant.
            Self::Group { members, .. } if members.is_empty() => vec![Dimension::Missing],
            Self::Group { members, .. } => members.iter().cloned().map(Dimension::Is).collect(),
            Self::Anywhere => crate::model::Country::all()
                .map(|country| Dimension::Is(Subject::Country(country)))
                .collect(),
        }
    }
}

/// One kind of data, and where it may be.
#[derive(Debug, Clone)]
pub struct MatrixRow {
    /// Where it comes from.
    pub origin: RowOrigin,
    /// How sensitive it is; `None` where that is not stated.
    pub classification: Option<Classification>,
    /// What it is about.
    pub category: Dimension<Category>,
    /// Whose it is.
    pub subject: RowSubject,
    /// For each place of [`Matrix::places`], what is decided.
    pub cells: Vec<Cell>,
}

/// What is decided about data at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Whether it may be there.
    pub permitted: Permitted,
    /// What refuses it, enforced, in the order of causes; of members that differ, what refuses any.
    pub deciding: Vec<Cause>,
}

/// Whether data may be at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permitted {
    /// It may.
    Yes,
    /// The data of some members of the group may, and that of others may not.
    Differs,
    /// It may not.
    No,
}

impl Permitted {
    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Differs => "differs",
            Self::No => "no",
        }
    }
}

/// Data by places.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The places of the catalogue: its regions, and zones with facts of their own; in the order of countries
    /// and then of keys.
    pub places: Vec<PlaceIndex>,
    /// Data sets, then policies, both in the order of names, then what was asked for.
    pub rows: Vec<MatrixRow>,
}

/// Decides every cell.
#[must_use]
pub fn matrix(
    set: &PolicySet,
    data_sets: &BTreeMap<DataSetName, DataSet>,
    given: &[GivenProfile],
    now: Timestamp,
) -> Matrix {
    let catalogued = set.catalogue.places();
    let mut places: Vec<_> = catalogued.filter(|(_, facts)| facts.region.is_some()).collect();
    places.sort_by_key(|(_, facts)| (facts.country, &facts.region, &facts.zone));
    let places: Vec<PlaceIndex> = places.into_iter().map(|(place, _)| place).collect();
    let rows = rows::rows(set, data_sets, given, now);
    Matrix {
        rows: rows
            .into_iter()
            .map(|row| decided(set, row, &places, now))
            .collect(),
        places,
    }
}

/// What a row is evaluated from.
struct RowData {
    origin: RowOrigin,
    classification: Option<Classification>,
    category: Dimension<Category>,
    subject: RowSubject,
    /// Who asserts the data.
    source: Source,
    /// What else selectors look at.
    pod: Profile,
}

fn decided(set: &PolicySet, row: RowData, places: &[PlaceIndex], now: Timestamp) -> MatrixRow {
    let performs = ActivitySet::default()
        .with(Activity::Process)
        .with(Activity::Store);
    let verdicts: Vec<_> = row
        .subject
        .members()
        .into_iter()
        .map(|subject| {
            let tuple = Tuple::Data(DataTuple {
                classification: row.classification,
                category: row.category.clone(),
                subject,
            });
            let source = row.source.clone();
            let pod = Profile {
                tuples: vec![SourcedTuple { source, tuple }],
                performs,
                ..row.pod.clone()
            };
            evaluate(set, &pod, now)
        })
        .collect();
    let cell = |place: &PlaceIndex| {
        let permitting = verdicts.iter().filter(|verdict| verdict.permits(*place, true));
        let permitted = match permitting.count() {
            all if all == verdicts.len() => Permitted::Yes,
            0 => Permitted::No,
            _ => Permitted::Differs,
        };
        let mut deciding: Vec<Cause> = verdicts
            .iter()
            .flat_map(|verdict| &verdict.restrictions)
            .filter(|restriction| restriction.mode == Mode::Enforce && !restriction.leaves(*place, true))
            .map(|restriction| restriction.cause)
            .collect();
        deciding.sort();
        deciding.dedup();
        Cell { permitted, deciding }
    };
    MatrixRow {
        cells: places.iter().map(cell).collect(),
        origin: row.origin,
        classification: row.classification,
        category: row.category,
        subject: row.subject,
    }
}
