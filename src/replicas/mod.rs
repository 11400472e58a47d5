//! Where data sets live and in which role.
//!
//! Inputs: data sets as their files declare them, the volumes of the cluster and the pods that hold them, and a way to
//! find a place in the latency table. Outputs: data sets with the copies that are declared and found, and the points of
//! these in that table. Invariant: a declared replica whose place is not known stays, with an unknown point; it is never
//! dropped, since dropping one could make a cost look better. Deliberately absent: who may hold a copy where.

mod discover;
mod join;
mod volume_places;

use std::collections::BTreeMap;

use crate::model::{DataSet, DataSetName, Locality};
use crate::topology::LatencyPoint;

pub use discover::{BoundVolumes, Discovered};
pub use join::{KnownPlace, join};
pub use volume_places::only_node;

/// A data set and where its replicas are.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedDataSet {
    /// What was declared.
    pub data_set: DataSet,
    /// For each replica its point in the latency table; `None` is unknown.
    pub points: Vec<Option<LatencyPoint>>,
}

/// Every data set, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicas {
    by_name: BTreeMap<DataSetName, PlacedDataSet>,
}

impl Replicas {
    /// Places the replicas of these data sets.
    #[must_use]
    pub fn place(
        data_sets: &BTreeMap<DataSetName, DataSet>,
        locate: impl Fn(&Locality) -> Option<LatencyPoint>,
    ) -> Self {
        let placed = data_sets.iter().map(|(name, data_set)| {
            let points = data_set
                .replicas
                .iter()
                .map(|replica| locate(&replica.locality))
                .collect();
            (
                name.clone(),
                PlacedDataSet {
                    data_set: data_set.clone(),
                    points,
                },
            )
        });
        Self {
            by_name: placed.collect(),
        }
    }

    /// A data set by its name.
    #[must_use]
    pub fn get(&self, name: &DataSetName) -> Option<&PlacedDataSet> {
        self.by_name.get(name)
    }

    /// Every data set, in the order of its name.
    pub fn iter(&self) -> impl Iterator<Item = &PlacedDataSet> {
        self.by_name.values()
    }
}
