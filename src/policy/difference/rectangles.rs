//! Cells put together into rectangles: the fewest that are easily found, and the same ones each time.
//!
//! Inputs: cells. Outputs: rectangles that hold each cell once. Places that move together in every cell are
//! one from the start. Then rectangles that differ in one dimension alone become one, dimension by
//! dimension, until nothing changes; of some orders of dimensions the one that gives the fewest counts.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::When;
use super::data::Datum;
use crate::policy::catalogue::{PlaceIndex, PlaceSet};

/// What cells must agree in to be told together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aspect {
    /// Whether they are newly permitted; else newly refused. Permitted comes first.
    pub is_refused: bool,
    /// When.
    pub when: When,
    /// What makes it so, by the numbers of changes.
    pub because: BTreeSet<usize>,
}

/// A cell, or several that differ in places alone.
#[derive(Debug, Clone)]
pub struct Cell {
    pub aspect: Aspect,
    pub circumstances: usize,
    pub datum: Datum,
    pub performs: usize,
    pub places: PlaceSet,
}

/// Every combination of its members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rectangle {
    /// What is common.
    pub aspect: Aspect,
    /// Kinds of data that are tuples, or data of which nobody says anything, or none.
    pub kind: DatumKind,
    /// In which circumstances.
    pub circumstances: BTreeSet<usize>,
    /// Performing what.
    pub performs: BTreeSet<usize>,
    /// By their numbers.
    pub classifications: BTreeSet<usize>,
    /// By their numbers.
    pub categories: BTreeSet<usize>,
    /// By their numbers.
    pub subjects: BTreeSet<usize>,
    /// Where.
    pub places: BTreeSet<PlaceIndex>,
}

/// What a rectangle is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatumKind {
    /// Tuples.
    Data,
    /// Data of which nobody says anything.
    Unlabelled,
    /// No governed data.
    NoData,
}

/// A dimension along which rectangles are joined.
#[derive(Clone, Copy)]
enum Along {
    /// One of those that are numbers.
    Numbers(fn(&mut Rectangle) -> &mut BTreeSet<usize>),
    /// Places.
    Places,
}

const PERFORMS: Along = Along::Numbers(|rectangle| &mut rectangle.performs);
const CLASSIFICATIONS: Along = Along::Numbers(|rectangle| &mut rectangle.classifications);
const CATEGORIES: Along = Along::Numbers(|rectangle| &mut rectangle.categories);
const SUBJECTS: Along = Along::Numbers(|rectangle| &mut rectangle.subjects);
const CIRCUMSTANCES: Along = Along::Numbers(|rectangle| &mut rectangle.circumstances);

/// Which rectangles come out depends on the order in which they are joined, so some orders are tried; of
/// those that give the fewest the first is taken.
const ORDERS: [[Along; 6]; 5] = [
    [
        PERFORMS,
        CLASSIFICATIONS,
        CATEGORIES,
        SUBJECTS,
        CIRCUMSTANCES,
        Along::Places,
    ],
    [
        Along::Places,
        PERFORMS,
        CLASSIFICATIONS,
        CATEGORIES,
        SUBJECTS,
        CIRCUMSTANCES,
    ],
    [
        PERFORMS,
        CLASSIFICATIONS,
        SUBJECTS,
        CATEGORIES,
        Along::Places,
        CIRCUMSTANCES,
    ],
    [
        SUBJECTS,
        Along::Places,
        CATEGORIES,
        CLASSIFICATIONS,
        PERFORMS,
        CIRCUMSTANCES,
    ],
    [
        Along::Places,
        SUBJECTS,
        CATEGORIES,
        CLASSIFICATIONS,
        PERFORMS,
        CIRCUMSTANCES,
    ],
];

/// Puts cells together.
#[must_use]
pub fn rectangles(cells: Vec<Cell>) -> Vec<Rectangle> {
    let groups = moving_together(&cells);
    let mut rectangles: Vec<Rectangle> = Vec::new();
    for cell in cells {
        let (kind, [classification, category, subject]) = match cell.datum {
            Datum::Data {
                classification,
                category,
                subject,
            } => (
                DatumKind::Data,
                [Some(classification), Some(category), Some(subject)],
            ),
            Datum::Unlabelled => (DatumKind::Unlabelled, [None; 3]),
            Datum::NoData => (DatumKind::NoData, [None; 3]),
        };
        for group in groups.iter().filter(|group| group.is_within(&cell.places)) {
            rectangles.push(Rectangle {
                aspect: cell.aspect.clone(),
                kind,
                circumstances: BTreeSet::from([cell.circumstances]),
                performs: BTreeSet::from([cell.performs]),
                classifications: classification.into_iter().collect(),
                categories: category.into_iter().collect(),
                subjects: subject.into_iter().collect(),
                places: group.iter().collect(),
            });
        }
    }
    let mut fewest: Option<Vec<Rectangle>> = None;
    for order in ORDERS {
        let found = joined_in(order, rectangles.clone());
        if fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len()) {
            fewest = Some(found);
        }
    }
    fewest.unwrap_or_default()
}

/// Joins along one dimension after the other until nothing changes.
fn joined_in(order: [Along; 6], mut rectangles: Vec<Rectangle>) -> Vec<Rectangle> {
    loop {
        let before = rectangles.len();
        for along in order {
            rectangles = match along {
                Along::Numbers(dimension) => joined(rectangles, dimension),
                Along::Places => joined(rectangles, |rectangle| &mut rectangle.places),
            };
        }
        if rectangles.len() == before {
            return rectangles;
        }
    }
}

/// Joins rectangles that differ in one dimension alone.
fn joined<T: Ord + Clone>(
    rectangles: Vec<Rectangle>,
    dimension: fn(&mut Rectangle) -> &mut BTreeSet<T>,
) -> Vec<Rectangle> {
    let mut together: BTreeMap<Rectangle, BTreeSet<T>> = BTreeMap::new();
    for mut rectangle in rectangles {
        let members = std::mem::take(dimension(&mut rectangle));
        together.entry(rectangle).or_default().extend(members);
    }
    let joined = together.into_iter().map(|(mut rectangle, members)| {
        *dimension(&mut rectangle) = members;
        rectangle
    });
    joined.collect()
}

/// Places that are in the same cells.
fn moving_together(cells: &[Cell]) -> Vec<PlaceSet> {
    let mut distinct: Vec<&PlaceSet> = Vec::new();
    for cell in cells {
        if !distinct.contains(&&cell.places) {
            distinct.push(&cell.places);
        }
    }
    let mut groups: Vec<PlaceSet> = Vec::new();
    for places in distinct {
        let mut left = places.clone();
        let mut finer = Vec::with_capacity(groups.len() + 1);
        for group in groups {
            left.subtract(&group);
            let mut outside = group.clone();
            outside.subtract(places);
            let mut inside = group;
            inside.intersect(places);
            finer.extend([inside, outside].into_iter().filter(|part| !part.is_empty()));
        }
        finer.extend(Some(left).filter(|left| !left.is_empty()));
        groups = finer;
    }
    groups
}
