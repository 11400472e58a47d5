//! What a pod demands of the network: its access profile with places of one latency table.
//!
//! Inputs: the profile, the data sets with their replicas, the table, and a way to find a place in it. Output:
//! an [`AccessDemand`], made once for a request and asked about every node class. What is the same at every
//! place (which replicas serve, what a commit takes) is worked out here. Invariant: what does not resolve stays in the
//! demand as unknown, because leaving it out would make every place look cheaper. Peers, volumes and what is cloned are
//! found by whoever knows the pods and the objects (`assessment.rs`).

use std::sync::Arc;

use super::membership::CloneDemand;
use super::peers::PeerDemand;
use super::serving::{Commit, commits};
use super::volumes::VolumeDemand;
use crate::model::{
    AccessPaths, AccessProfile, ClientWeight, Consistency, DataSetName, DataSetUse, Locality, ReplicaRole,
    StatedAccess,
};
use crate::policy::RuleIndex;
use crate::replicas::{PlacedDataSet, Replicas};
use crate::snapshot::PermittedWays;
use crate::topology::{LatencyPoint, LatencyTable};

/// Where a share of the requests comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientDemand {
    /// The place; `None` is unknown.
    pub point: Option<LatencyPoint>,
    /// The share: more than 0, relative to the sum of all.
    pub weight: f64,
}

/// A replica, as far as latency looks at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicaPoint {
    /// The place; `None` is unknown.
    pub point: Option<LatencyPoint>,
    /// What it does.
    pub role: ReplicaRole,
    /// Whether it can answer at present, as far as anybody knows.
    pub is_ready: bool,
    /// What it takes to commit, for a leader that is asked to.
    pub commit: Option<Commit>,
}

/// What a pod does with one data set for each request.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSetDemand {
    /// Which data set.
    pub name: DataSetName,
    /// What its readers demand.
    pub consistency: Consistency,
    /// Which replicas serve an access.
    pub paths: AccessPaths,
    /// Reads for each request.
    pub reads: f64,
    /// Writes for each request.
    pub writes: f64,
    /// Its copies; none where the data set is unknown, which makes every access unknown.
    pub replicas: Vec<ReplicaPoint>,
    /// What enforced rules on transit leave of the ways to it; `None` where none binds it.
    pub permitted: Option<PermittedAccess>,
}

/// What enforced rules on transit leave of the ways to a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct PermittedAccess {
    /// The ways that remain.
    pub ways: Arc<PermittedWays>,
    /// The rules, in order.
    pub rules: Vec<RuleIndex>,
    /// What they permit, in words.
    pub words: String,
    /// Whether accesses go by these ways; not where the settings only observe.
    pub counts: bool,
}

/// What a pod demands, with places of one latency table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessDemand {
    /// Where its requests come from; empty where nobody said.
    pub clients: Vec<ClientDemand>,
    /// What it reads and writes.
    pub data_sets: Vec<DataSetDemand>,
    /// Which other pods it calls.
    pub peers: Vec<PeerDemand>,
    /// Which bound volumes it mounts.
    pub volumes: Vec<VolumeDemand>,
    /// Which copies it clones from, being a new member of data sets.
    pub clones: Vec<CloneDemand>,
    /// The longest that a read may take, in milliseconds.
    pub max_read_ms: Option<f64>,
    /// The longest that a write may take, in milliseconds.
    pub max_write_ms: Option<f64>,
}

impl AccessDemand {
    /// Resolves a profile but for its peers and volumes. A data set that nobody declared has no replica, so that using it
    /// is unknown.
    #[must_use]
    pub fn resolve(
        profile: &AccessProfile,
        replicas: &Replicas,
        table: &LatencyTable,
        locate: impl Fn(&Locality) -> Option<LatencyPoint>,
    ) -> Self {
        let client = |client: &ClientWeight| ClientDemand {
            point: locate(&Locality {
                region: Some(client.region.clone()),
                ..Locality::default()
            }),
            weight: client.weight,
        };
        let data_set = |used: &DataSetUse| DataSetDemand::new(used, replicas.get(&used.name), table);
        Self {
            clients: profile.clients.iter().map(client).collect(),
            data_sets: profile.data_sets.iter().map(data_set).collect(),
            peers: Vec::new(),
            volumes: Vec::new(),
            clones: Vec::new(),
            max_read_ms: profile.max_read_ms,
            max_write_ms: profile.max_write_ms,
        }
    }
}

impl DataSetDemand {
    fn new(used: &DataSetUse, placed: Option<&PlacedDataSet>, table: &LatencyTable) -> Self {
        let undeclared = || StatedAccess::default().paths(Consistency::Strict, std::iter::empty());
        Self {
            name: used.name.clone(),
            consistency: placed.map_or(Consistency::Strict, |placed| placed.data_set.consistency),
            paths: placed.map_or_else(undeclared, |placed| placed.data_set.paths()),
            reads: used.counted_reads(),
            writes: used.counted_writes(),
            replicas: placed.map(replica_points).unwrap_or_default(),
            permitted: None,
        }
        .with_commits(table)
    }

    /// Works out what the commits of its leaders take.
    pub(super) fn with_commits(mut self, table: &LatencyTable) -> Self {
        let commits = commits(&self.replicas, self.ways(table));
        for (replica, commit) in self.replicas.iter_mut().zip(commits) {
            replica.commit = commit;
        }
        self
    }
}

fn replica_points(placed: &PlacedDataSet) -> Vec<ReplicaPoint> {
    let replicas = placed.data_set.replicas.iter();
    replicas
        .zip(&placed.points)
        .map(|(replica, point)| ReplicaPoint {
            point: *point,
            role: replica.role,
            is_ready: replica.is_ready(),
            commit: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        Classification, DataProfile, DataSet, DataSets, RegionKey, RegionReference, Replica, RequestsPerCall,
        Statistic,
    };
    use crate::placement::cost::{Demanded, total};
    use crate::topology::{LatencyTable, parse_latency_csv};

    fn orders() -> DataSet {
        let replica = |region: Option<&str>, role| {
            let locality = Locality {
                cluster: None,
                region: region.map(|region| RegionReference::parse(region).expect("a region")),
                zone: Some(Arc::from("1")),
            };
            Replica::declared(locality, role)
        };
        DataSet {
            name: DataSetName::new("orders").expect("a name"),
            profile: DataProfile {
                classification: Classification::Internal,
                categories: Vec::new(),
                subjects: Vec::new(),
            },
            consistency: Consistency::Available,
            access: StatedAccess::default(),
            replicas: vec![
                replica(Some("w/b"), ReplicaRole::Leader),
                replica(Some("w/moon"), ReplicaRole::Voter),
                replica(None, ReplicaRole::Voter),
            ],
            members: crate::model::Members::default(),
            owner: None,
        }
    }

    #[test]
    fn what_resolves_has_a_place_and_what_does_not_stays_as_unknown() {
        let text = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/b/1,9\n";
        let measurements = parse_latency_csv("t", text, |_| None, &BTreeMap::new()).expect("a good file");
        let table = LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50);
        let locate = |locality: &Locality| match locality.region.as_ref()? {
            RegionReference::Key(key) => table.locate(key, locality.zone.as_deref()),
            RegionReference::Bare(_) => None,
        };
        let orders = orders();
        let replicas = Replicas::place(
            &DataSets::unit(orders.name.clone(), Arc::new(orders.clone())),
            locate,
        );
        let mut profile = AccessProfile {
            data_sets: vec![DataSetUse {
                name: orders.name.clone(),
                reads: None,
                writes: RequestsPerCall::new(2.0),
            }],
            max_read_ms: Some(5.0),
            ..AccessProfile::default()
        };
        let node = table.locate(&RegionKey::parse("w/a").expect("a key"), None);
        let cost = |profile: &AccessProfile| {
            let demand = AccessDemand::resolve(profile, &replicas, &table, locate);
            total(&table, &demand, node).map(|total| total.ms)
        };

        // Two writes to the leader at its zone, and no reads since writes alone are stated.
        assert_eq!(cost(&profile), Demanded::Known(18.0));
        let demand = AccessDemand::resolve(&profile, &replicas, &table, locate);
        let known: Vec<bool> = demand.data_sets[0]
            .replicas
            .iter()
            .map(|it| it.point.is_some())
            .collect();
        assert_eq!(known, [true, false, false]);
        assert_eq!((demand.max_read_ms, demand.max_write_ms), (Some(5.0), None));

        profile.clients = vec![ClientWeight {
            region: RegionReference::parse("w/moon").expect("a region"),
            weight: 1.0,
        }];
        assert_eq!(cost(&profile), Demanded::Unknown);
        profile.clients.clear();
        profile.data_sets[0].name = DataSetName::new("nobody-knows").expect("a name");
        assert_eq!(cost(&profile), Demanded::Unknown);
    }
}
