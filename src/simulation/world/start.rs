//! The world before the first event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::assembly::Rules;
use crate::model::{ByName, DataSet, DataSetName, Fleet, RegionKey};
use crate::policy::PolicySet;
use crate::topology::Measurements;

/// The world before the first event.
#[derive(Debug)]
pub struct WorldStart {
    /// The policies.
    pub policies: Arc<PolicySet>,
    /// Every object but the nodes, which come by events.
    pub(super) fleet: Arc<Fleet>,
    /// What tells these objects from any others; a run names its fleet by its own id.
    pub(super) version: &'static str,
    /// The data sets that are declared beside the policies.
    pub(super) data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    pub(super) data_sets_version: String,
    pub(super) measurements: Arc<Measurements>,
    /// Every region that is measured or catalogued.
    pub(super) regions: BTreeSet<RegionKey>,
    /// The policies that the trace loads, by the path that it names.
    pub(super) loads: BTreeMap<String, Arc<PolicySet>>,
}

impl WorldStart {
    /// A world without nodes.
    #[must_use]
    pub fn new(
        rules: Rules,
        measurements: Measurements,
        objects: Option<&Fleet>,
        loads: BTreeMap<String, Arc<PolicySet>>,
    ) -> Self {
        let fleet = objects.map(|objects| Fleet {
            nodes: ByName::new(),
            ..objects.clone()
        });
        let measured = measurements.iter().flat_map(|(from, to, _)| [from, to]);
        let mut regions: BTreeSet<RegionKey> = measured.map(|place| place.region.clone()).collect();
        for policies in loads.values().chain([&rules.policies]) {
            regions.extend(policies.catalogue().coordinates().into_keys());
        }
        Self {
            fleet: Arc::new(fleet.unwrap_or_default()),
            version: "run",
            data_sets: rules.data_sets,
            data_sets_version: rules.data_sets_version,
            policies: rules.policies,
            measurements: Arc::new(measurements),
            regions,
            loads,
        }
    }
}
