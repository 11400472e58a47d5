//! Guarantees: what must never be possible under a set.

use std::sync::Arc;

use super::{ActivitySet, DataSelector, PlaceTerm};
use crate::policy::finding::Position;

/// Where something must never be possible.
#[derive(Debug, Clone)]
pub enum ForbiddenPlaces {
    /// Here.
    In(Vec<PlaceTerm>),
    /// Anywhere but here.
    Outside(Vec<PlaceTerm>),
}

/// What must never be possible under a set.
#[derive(Debug, Clone)]
pub struct Guarantee {
    /// Its name.
    pub name: Arc<str>,
    /// In one sentence, as its author says it.
    pub says: String,
    /// With which data.
    pub data: DataSelector,
    /// Doing what; never empty.
    pub activities: ActivitySet,
    /// Where.
    pub forbidden: ForbiddenPlaces,
    /// Whether exceptions may break it, which are then listed.
    pub allows_exceptions: bool,
    /// Where its name stands.
    pub written_at: Position,
}
