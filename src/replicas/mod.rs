//! Where data sets live and in which role.
//!
//! Inputs: data sets as their files declare them, the volumes of the cluster and the pods that hold them, and a way to
//! find a place in the latency table. Outputs: data sets with the copies that are declared and found, and the points of
//! these in that table. Invariant: a declared replica whose place is not known stays, with an unknown point; it is never
//! dropped, since dropping one could make a cost look better. Deliberately absent: who may hold a copy where.

mod changes;
mod discover;
mod found;
mod join;
mod volume_places;

use std::sync::Arc;

use crate::model::{ByName, DataSet, DataSetName, DataSets, Locality};
use crate::topology::LatencyPoint;

pub use changes::{BoundClaims, changed_keys, concerned};
pub use discover::{Discovered, Sight};
pub use found::FoundCopies;
pub use join::{KnownPlace, join};
pub use volume_places::{ZoneRegions, only_node};

/// A data set and where its replicas are.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedDataSet {
    /// What was declared, and found.
    pub data_set: Arc<DataSet>,
    /// For each replica its point in the latency table; `None` is unknown.
    pub points: Vec<Option<LatencyPoint>>,
}

impl PlacedDataSet {
    /// Places the replicas of a data set.
    #[must_use]
    pub fn new(data_set: Arc<DataSet>, locate: impl Fn(&Locality) -> Option<LatencyPoint>) -> Self {
        let replicas = data_set.replicas.iter();
        Self {
            points: replicas.map(|replica| locate(&replica.locality)).collect(),
            data_set,
        }
    }
}

/// Every data set, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicas {
    by_name: ByName<DataSetName, Arc<PlacedDataSet>>,
}

impl Replicas {
    /// Places the replicas of these data sets.
    #[must_use]
    pub fn place(data_sets: &DataSets, locate: impl Fn(&Locality) -> Option<LatencyPoint>) -> Self {
        let placed = data_sets.iter().map(|(name, data_set)| {
            let placed = PlacedDataSet::new(data_set.clone(), &locate);
            (name.clone(), Arc::new(placed))
        });
        Self {
            by_name: placed.collect(),
        }
    }

    /// Takes a data set in, instead of that with its name.
    pub fn replace(&mut self, placed: PlacedDataSet) {
        self.by_name
            .insert(placed.data_set.name.clone(), Arc::new(placed));
    }

    /// A data set by its name.
    #[must_use]
    pub fn get(&self, name: &DataSetName) -> Option<&PlacedDataSet> {
        self.by_name.get(name).map(|placed| &**placed)
    }

    /// Every data set, in the order of its name.
    pub fn iter(&self) -> impl Iterator<Item = &PlacedDataSet> {
        self.by_name.values().map(|placed| &**placed)
    }
}
