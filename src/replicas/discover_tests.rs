use super::super::found::FoundCopies;
use super::*;
use crate::model::{
    Classification, Consistency, DataProfile, DataSet, DataSetUse, HeldClaims, LabelSet, Members,
    NamespaceName, RegionReference, RunningPod, StatedAccess, StorageClass, VolumeSpot,
};

fn namespace(name: &str) -> NamespaceName {
    NamespaceName::new(name).expect("a name")
}

fn says(data_sets: &[&str]) -> SourceAnnotations {
    let mut annotations = SourceAnnotations::default();
    annotations.access.data_sets = data_sets
        .iter()
        .map(|name| DataSetUse {
            name: DataSetName::new(name).expect("a name"),
            reads: None,
            writes: None,
        })
        .collect();
    annotations
}

/// A fleet of two nodes, `n1` in a/r1 and `n2` in b/r2, and what is added to it.
struct Cluster {
    fleet: Fleet,
    pods: Option<Vec<RunningPod>>,
    data_sets: DataSets,
}

impl Cluster {
    fn new() -> Self {
        let mut cluster = Self {
            fleet: Fleet::default(),
            pods: Some(Vec::new()),
            data_sets: DataSets::new(),
        };
        for node in ["n1", "n2"] {
            let name = NodeName::new(node).expect("a name");
            cluster
                .fleet
                .nodes
                .insert(name, crate::model::NodeRecord::default());
        }
        cluster.data_set("orders", None);
        cluster
    }

    fn data_set(&mut self, name: &str, members: Option<&[&str]>) {
        let name = DataSetName::new(name).expect("a name");
        let data_set = DataSet {
            name: name.clone(),
            profile: DataProfile {
                classification: Classification::Internal,
                categories: Vec::new(),
                subjects: Vec::new(),
            },
            consistency: Consistency::Available,
            access: StatedAccess::default(),
            replicas: Vec::new(),
            members: Members {
                namespaces: members.map(|members| members.iter().copied().map(namespace).collect()),
            },
            owner: None,
        };
        self.data_sets.insert(name, Arc::new(data_set));
    }

    /// A claim of `shop` that is bound to a volume on a node, or on the network.
    fn bound(&mut self, claim: &str, node: &str, (by_claim, by_volume): (&[&str], &[&str])) {
        let key = ClaimKey {
            namespace: namespace("shop"),
            name: Arc::from(claim),
        };
        let volume: Arc<str> = Arc::from(format!("pv-{claim}"));
        let spots = NodeName::new(node).ok().map(|node| VolumeSpot {
            node: Some(node),
            ..VolumeSpot::default()
        });
        let bound = Claim {
            annotations: says(by_claim),
            volume: Some(volume.clone()),
            storage_class: Some(Arc::from("fast")),
        };
        self.fleet.claims.get_or_insert_default().insert(key, bound);
        let kept = Volume {
            annotations: says(by_volume),
            storage_class: None,
            spots: spots.into_iter().collect(),
        };
        self.fleet.volumes.get_or_insert_default().insert(volume, kept);
    }

    /// A pod `db-N` of `shop` on a node that mounts these claims.
    fn pod(
        &mut self,
        number: u32,
        node: &str,
        (claims, own): (&[&str], &[&str]),
        role: &str,
        is_ready: bool,
    ) {
        let labels: Vec<(&str, &str)> = (!role.is_empty())
            .then_some(("cnpg.io/instanceRole", role))
            .into_iter()
            .collect();
        self.pods.get_or_insert_default().push(RunningPod {
            node: NodeName::new(node).expect("a name"),
            labels: LabelSet::new(labels.into_iter()),
            held: Some(Arc::new(HeldClaims {
                pod: Arc::from(format!("db-{number}")),
                uid: Arc::from(format!("uid-{number}")),
                stateful_set: Some(Arc::from("db")),
                ordinal: Some(number),
                is_ready,
                claims: claims.iter().copied().map(Arc::from).collect(),
                data_sets: own
                    .iter()
                    .map(|name| DataSetName::new(name).expect("a name"))
                    .collect(),
            })),
        });
    }

    /// `data set: place role health pod believed`, a line for each copy.
    fn found(&self) -> Vec<String> {
        let of_node = |name: &NodeName| {
            let region = match name.as_str() {
                "n1" => "a/r1",
                "n2" => "b/r2",
                _ => return None,
            };
            Some(Locality {
                region: RegionReference::parse(region).ok(),
                ..Locality::default()
            })
        };
        let zones = ZoneRegions::gather(self.fleet.nodes.keys().filter_map(of_node));
        let shop = namespace("shop");
        let running = self
            .pods
            .as_ref()
            .map(|pods| RunningPods::gather(pods.iter().map(|pod| (&shop, pod))));
        let sight = Sight {
            data_sets: &self.data_sets,
            fleet: &self.fleet,
            running: running.as_ref(),
            roles: &RoleLabels::default(),
            bound: &BoundClaims::gather(&self.fleet),
            zones: &zones,
        };
        let mut found = FoundCopies::default();
        for claim in self.fleet.claims.iter().flat_map(|claims| claims.keys()) {
            found.replace(claim, sight.copies(claim, &of_node));
        }
        let lines = found.data_sets().flat_map(|name| {
            found.of(name).into_iter().map(move |found| {
                let region = found.locality.region.as_ref().expect("a place");
                let role = found.role.map_or("-", ReplicaRole::word);
                let pod = found.copy.pod.as_deref().unwrap_or("-");
                let believed = if found.copy.is_believed { " believed" } else { "" };
                format!(
                    "{name}: {region} {role} {} {pod}{believed}",
                    found.copy.health.word()
                )
            })
        });
        lines.collect()
    }
}

#[test]
fn a_claim_that_names_a_data_set_makes_its_bound_volume_a_copy_where_the_volume_is() {
    let mut cluster = Cluster::new();
    cluster.bound("data-db-0", "n1", (&["orders"], &[]));
    cluster.bound("data-db-1", "n2", (&["orders", "undeclared"], &[]));
    cluster.bound("other", "n1", (&[], &[]));
    cluster.pod(0, "n1", (&["data-db-0"], &[]), "primary", true);
    cluster.pod(1, "n2", (&["data-db-1"], &[]), "replica", false);
    assert_eq!(
        cluster.found(),
        [
            "orders: a/r1 leader ready db-0",
            "orders: b/r2 read-only not-ready db-1"
        ]
    );
    cluster.pods = Some(Vec::new());
    assert_eq!(
        cluster.found(),
        ["orders: a/r1 - unheld -", "orders: b/r2 - unheld -"]
    );
    cluster.pods = None;
    assert_eq!(
        cluster.found(),
        ["orders: a/r1 - ready -", "orders: b/r2 - ready -"],
        "where nobody says which pods run, none is missing"
    );
}

#[test]
fn what_is_not_bound_or_nowhere_is_no_copy() {
    let mut cluster = Cluster::new();
    cluster.bound("lost", "", (&["orders"], &[]));
    assert_eq!(
        cluster.found(),
        [""; 0],
        "a volume of the network without a pod is nowhere"
    );
    cluster.pod(0, "n2", (&["lost"], &[]), "", true);
    assert_eq!(
        cluster.found(),
        ["orders: b/r2 - ready db-0"],
        "its data are where they are served"
    );
    let claims = cluster.fleet.claims.get_or_insert_default();
    let keys: Vec<ClaimKey> = claims.keys().cloned().collect();
    for key in keys {
        claims.get_mut(&key).expect("it is there").volume = None;
    }
    assert_eq!(cluster.found(), [""; 0]);
}

#[test]
fn volumes_and_classes_are_believed_and_claims_where_the_data_set_names_their_namespace() {
    let mut cluster = Cluster::new();
    cluster.bound("data-db-0", "n1", (&[], &["orders"]));
    cluster.bound("data-db-1", "n2", (&["orders"], &[]));
    let lines = ["orders: a/r1 - unheld - believed", "orders: b/r2 - unheld -"];
    assert_eq!(cluster.found(), lines);
    cluster.data_set("orders", Some(&["shop"]));
    assert_eq!(cluster.found(), [lines[0], "orders: b/r2 - unheld - believed"]);
    cluster.data_set("orders", Some(&["elsewhere"]));
    assert_eq!(cluster.found(), lines[..1], "who is not named holds no copy");
    let class = StorageClass {
        annotations: says(&["orders"]),
        ..StorageClass::default()
    };
    cluster
        .fleet
        .storage_classes
        .get_or_insert_default()
        .insert(Arc::from("fast"), class);
    assert_eq!(cluster.found(), [lines[0], "orders: b/r2 - unheld - believed"]);
}

#[test]
fn a_stateful_set_speaks_for_its_volumes_where_these_name_nothing_themselves() {
    let mut cluster = Cluster::new();
    cluster.data_set("logs", None);
    cluster.bound("data-db-0", "n1", (&[], &[]));
    cluster.pod(0, "n1", (&["data-db-0"], &["orders"]), "", true);
    assert_eq!(cluster.found(), ["orders: a/r1 - ready db-0"]);
    // Its volumes hold logs, so orders is what the pod uses.
    cluster.bound("wal-db-0", "n1", (&["logs"], &[]));
    cluster.pods = Some(Vec::new());
    cluster.pod(0, "n1", (&["data-db-0", "wal-db-0"], &["orders"]), "", true);
    assert_eq!(cluster.found(), ["logs: a/r1 - ready db-0"]);
    // A Deployment uses what it names.
    for pod in cluster.pods.iter_mut().flatten() {
        let held = pod.held.as_deref().expect("it mounts claims");
        pod.held = Some(Arc::new(HeldClaims {
            stateful_set: None,
            claims: vec![Arc::from("data-db-0")],
            ..held.clone()
        }));
    }
    assert_eq!(cluster.found(), ["logs: a/r1 - unheld -"]);
}

#[test]
fn of_very_many_copies_one_of_each_kind_stays() {
    let mut cluster = Cluster::new();
    for number in 0..150 {
        let node = if number % 2 == 0 { "n1" } else { "n2" };
        cluster.bound(&format!("data-{number:03}"), node, (&["orders"], &[]));
    }
    assert_eq!(
        cluster.found(),
        ["orders: a/r1 - unheld -", "orders: b/r2 - unheld -"]
    );
}
