//! Copies of data sets, found by following a cluster change by change: they are those that somebody finds who sees its
//! last state for the first time.
//!
//! Drawn are changes of nodes, claims, volumes, storage classes, pods that hold claims, data sets, policies and
//! latencies, in any order, published one by one or several together, through the index that serves watches. Not drawn
//! is what the API server does wrong (`cluster_index`).
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use domicile::cluster::{Change, Index, Store};
use domicile::model::{
    Claim, ClaimKey, Classification, Consistency, DataProfile, DataSet, DataSetName, DataSetUse, Fleet,
    HeldClaims, LabelSet, Locality, Members, NamespaceName, NodeName, NodeRecord, PodKey, RegionReference,
    Replica, ReplicaRole, RunningPod, RunningPods, SourceAnnotations, StatedAccess, Statistic, StorageClass,
    Volume, VolumeBinding, VolumeSpot,
};
use domicile::policy::PolicySet;
use domicile::snapshot::{Inputs, RunningFacts, Snapshot};
use domicile::topology::{LatencyTable, Measurements};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

/// Two providers, one of which has two regions; a zone of the name `z1` is in more than one of them.
const REGIONS: [&str; 3] = ["alpha/one", "alpha/two", "beta/one"];
const NAMESPACES: [&str; 2] = ["shop", "site"];
const DATA_SETS: [&str; 3] = ["orders", "stream", "unheard-of"];

/// Of more copies than this one of each kind is kept (`replicas`).
const MOST_COPIES: usize = 100;

/// What may be said of a policy set: which statement of a node is its region, own labels of roles, a data set among the
/// policies.
const SETTINGS: [(&str, &str, bool); 3] = [
    ("topology", "", false),
    ("provider-id", "", true),
    (
        "topology",
        "roleLabels: [{label: cnpg.io/instanceRole, value: replica, role: voter}]",
        true,
    ),
];

fn policies() -> Vec<Arc<PolicySet>> {
    let load = |(region_key, role_labels, declares): &(&str, &str, bool)| {
        let mut text = String::new();
        for key in REGIONS {
            let (provider, region) = key.split_once('/').expect("a key");
            text.push_str(&format!(
                "apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {{name: {provider}.{region}}}\n\
                 spec: {{provider: {provider}, region: {region}, country: \"DE\", \
                 coordinates: {{latitude: 50.1, longitude: 8.7}}, source: {{cite: none, asOf: \"2026-11-21\"}}}}\n---\n"
            ));
        }
        if *declares {
            text.push_str(
                "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {name: stream}\n\
                 spec: {profile: {classification: internal, categories: [none], subjects: [none]}, \
                 consistency: available, replicas: [{region: alpha/two, role: leader}]}\n---\n",
            );
        }
        text.push_str(&format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {{name: default}}\n\
             spec:\n  mode: enforce\n  uncovered: deny\n  unlabelled: allow\n  regionKey: {region_key}\n  {role_labels}\n"
        ));
        let loaded =
            PolicySet::load([("set.yaml", text.as_str())]).map_err(|findings| findings[0].to_string());
        Arc::new(loaded.expect("a set").set)
    };
    SETTINGS.iter().map(load).collect()
}

/// The kinds of objects of which a source may not speak at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Claims,
    Volumes,
    Classes,
    Pods,
}

/// What happens to an object: it is written, cannot be read, or goes.
#[derive(Debug, Clone)]
enum Fate<V> {
    Is(V),
    Unreadable,
    Gone,
}

/// What happens.
#[derive(Debug, Clone)]
enum Happening {
    Node(NodeName, Fate<NodeRecord>),
    Claim(ClaimKey, Fate<Claim>),
    Volume(Arc<str>, Fate<Volume>),
    Class(Arc<str>, Fate<StorageClass>),
    Pod(PodKey, Fate<RunningPod>),
    /// The kinds are listed anew.
    Relist,
    /// Very many claims on one volume come or go.
    Many(bool),
    /// A source begins to speak of a kind, or no longer does.
    Speaks(Kind, bool),
    /// The files of data sets are read again.
    DataSets(BTreeMap<DataSetName, DataSet>),
    /// Another set of policies, by its number.
    Policies(usize),
    /// Latencies are known of so many regions, in the order of their names.
    Latencies(usize),
}

impl Happening {
    fn is_of_pods(&self) -> bool {
        matches!(self, Self::Pod(..) | Self::Speaks(Kind::Pods, _))
    }
}

fn fate<V: Clone + Debug>(value: impl Strategy<Value = V>) -> impl Strategy<Value = Fate<V>> {
    prop_oneof![
        12 => value.prop_map(Fate::Is),
        1 => Just(Fate::Unreadable),
        3 => Just(Fate::Gone),
    ]
}

fn name(letter: char, count: u8) -> impl Strategy<Value = Arc<str>> {
    (0..count).prop_map(move |number| Arc::from(format!("{letter}{number}")))
}

fn node_name() -> impl Strategy<Value = NodeName> {
    name('n', 4).prop_map(|name| NodeName::new(&name).expect("a name"))
}

fn namespace() -> impl Strategy<Value = NamespaceName> {
    select(&NAMESPACES[..]).prop_map(|name| NamespaceName::new(name).expect("a name"))
}

/// A region as labels or providerIDs name it: whole, by its bare name, or unknown to the catalogue.
fn region() -> impl Strategy<Value = Option<RegionReference>> {
    let named = select(&["alpha/one", "alpha/two", "beta/one", "one", "two", "alpha/none"][..]);
    prop::option::weighted(
        0.8,
        named.prop_map(|name| RegionReference::parse(name).expect("a region")),
    )
}

fn zone() -> impl Strategy<Value = Option<Arc<str>>> {
    prop::option::weighted(0.7, name('z', 2))
}

fn node() -> impl Strategy<Value = NodeRecord> {
    (region(), zone(), region()).prop_map(|(region, zone, provider_id_region)| NodeRecord {
        locality: Locality {
            cluster: None,
            region,
            zone,
        },
        provider_id_region,
        ..NodeRecord::default()
    })
}

fn names() -> impl Strategy<Value = Vec<DataSetName>> {
    let named = |names: Vec<&str>| {
        let names = names.into_iter();
        names
            .map(|name| DataSetName::new(name).expect("a name"))
            .collect()
    };
    prop_oneof![
        2 => Just(Vec::new()),
        3 => subsequence(DATA_SETS.to_vec(), 1..=2).prop_map(named),
    ]
}

fn annotations() -> impl Strategy<Value = SourceAnnotations> {
    names().prop_map(|names| says(&names))
}

fn says(names: &[DataSetName]) -> SourceAnnotations {
    let mut annotations = SourceAnnotations::default();
    let uses = names.iter().map(|name| DataSetUse {
        name: name.clone(),
        reads: None,
        writes: None,
    });
    annotations.access.data_sets = uses.collect();
    annotations
}

fn claim_key() -> impl Strategy<Value = ClaimKey> {
    (namespace(), name('k', 4)).prop_map(|(namespace, name)| ClaimKey { namespace, name })
}

fn claim() -> impl Strategy<Value = Claim> {
    let class = prop::option::of(name('c', 2));
    let volume = prop::option::weighted(0.8, name('v', 4));
    (annotations(), class, volume).prop_map(|(annotations, storage_class, volume)| Claim {
        annotations,
        storage_class,
        volume,
    })
}

fn spot() -> impl Strategy<Value = VolumeSpot> {
    (region(), zone(), prop::option::weighted(0.3, node_name())).prop_map(|(region, zone, node)| VolumeSpot {
        region,
        zone,
        node,
    })
}

fn volume() -> impl Strategy<Value = Volume> {
    let class = prop::option::of(name('c', 2));
    (annotations(), class, vec(spot(), 0..3)).prop_map(|(annotations, storage_class, spots)| Volume {
        annotations,
        storage_class,
        spots,
    })
}

fn class() -> impl Strategy<Value = StorageClass> {
    annotations().prop_map(|annotations| StorageClass {
        annotations,
        binding: VolumeBinding::FirstConsumer,
    })
}

/// What a pod says of the claims that it mounts; its key says its name.
fn held() -> impl Strategy<Value = HeldClaims> {
    let claims = vec(name('k', 4), 1..3);
    let set = prop::option::weighted(0.7, Just(Arc::from("p")));
    (claims, set, any::<bool>(), names(), 0..2_u8).prop_map(
        |(claims, stateful_set, is_ready, data_sets, uid)| {
            let claims: BTreeSet<Arc<str>> = claims.into_iter().collect();
            HeldClaims {
                pod: Arc::from(""),
                uid: Arc::from(format!("uid-{uid}")),
                ordinal: stateful_set.is_some().then_some(0),
                stateful_set,
                is_ready,
                claims: claims.into_iter().collect(),
                data_sets,
            }
        },
    )
}

fn pod() -> impl Strategy<Value = (PodKey, RunningPod)> {
    let key = (namespace(), name('p', 4)).prop_map(|(namespace, name)| PodKey { namespace, name });
    let role = select(&["", "primary", "replica"][..]);
    (key, node_name(), role, prop::option::weighted(0.8, held())).prop_map(|(key, node, role, held)| {
        let labels = (!role.is_empty()).then_some(("cnpg.io/instanceRole", role));
        let pod = RunningPod {
            labels: LabelSet::new([("app", "db")].into_iter().chain(labels)),
            node,
            held: held.map(|held| {
                Arc::new(HeldClaims {
                    pod: key.name.clone(),
                    ..held
                })
            }),
        };
        (key, pod)
    })
}

fn data_sets() -> impl Strategy<Value = BTreeMap<DataSetName, DataSet>> {
    let role = select(&[ReplicaRole::Leader, ReplicaRole::Voter, ReplicaRole::ReadOnly][..]);
    let replica = (select(&REGIONS[..]), zone(), role).prop_map(|(region, zone, role)| {
        let locality = Locality {
            cluster: None,
            region: RegionReference::parse(region).ok(),
            zone,
        };
        Replica::declared(locality, role)
    });
    let members = prop::option::of(subsequence(NAMESPACES.to_vec(), 0..=2));
    let data_set = (vec(replica, 0..3), members).prop_map(|(replicas, members)| {
        let named = |names: Vec<&str>| {
            names
                .into_iter()
                .map(|name| NamespaceName::new(name).expect("a name"))
                .collect()
        };
        DataSet {
            name: DataSetName::new(DATA_SETS[0]).expect("a name"),
            profile: DataProfile {
                classification: Classification::Internal,
                categories: Vec::new(),
                subjects: Vec::new(),
            },
            consistency: Consistency::Available,
            access: StatedAccess::default(),
            replicas,
            members: Members {
                namespaces: members.map(named),
            },
            owner: None,
        }
    });
    // The last name is one that nobody declares.
    vec(prop::option::weighted(0.8, data_set), 2).prop_map(|sets| {
        let named = DATA_SETS.iter().zip(sets).filter_map(|(name, data_set)| {
            let name = DataSetName::new(name).expect("a name");
            Some((name.clone(), DataSet { name, ..data_set? }))
        });
        named.collect()
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let pod = (pod(), fate(Just(()))).prop_map(|((key, pod), fate)| {
        let fate = match fate {
            Fate::Is(()) => Fate::Is(pod),
            Fate::Unreadable => Fate::Unreadable,
            Fate::Gone => Fate::Gone,
        };
        Happening::Pod(key, fate)
    });
    let kind = select(&[Kind::Claims, Kind::Volumes, Kind::Classes, Kind::Pods][..]);
    prop_oneof![
        4 => (node_name(), fate(node())).prop_map(|(name, fate)| Happening::Node(name, fate)),
        6 => (claim_key(), fate(claim())).prop_map(|(key, fate)| Happening::Claim(key, fate)),
        6 => (name('v', 4), fate(volume())).prop_map(|(name, fate)| Happening::Volume(name, fate)),
        3 => (name('c', 2), fate(class())).prop_map(|(name, fate)| Happening::Class(name, fate)),
        12 => pod,
        1 => Just(Happening::Relist),
        1 => any::<bool>().prop_map(Happening::Many),
        1 => (kind, prop::bool::weighted(0.7)).prop_map(|(kind, speaks)| Happening::Speaks(kind, speaks)),
        2 => data_sets().prop_map(Happening::DataSets),
        1 => (0..SETTINGS.len()).prop_map(Happening::Policies),
        1 => (0..=REGIONS.len()).prop_map(Happening::Latencies),
    ]
}

/// The last state, object by object, beside the index that follows.
struct World {
    nodes: BTreeMap<NodeName, NodeRecord>,
    claims: BTreeMap<ClaimKey, Claim>,
    volumes: BTreeMap<Arc<str>, Volume>,
    classes: BTreeMap<Arc<str>, StorageClass>,
    pods: BTreeMap<PodKey, RunningPod>,
    silent: BTreeSet<Kind>,
    index: Index,
    data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    policies: Arc<PolicySet>,
    latency: Arc<LatencyTable>,
}

/// Latencies of the first regions of the catalogue.
fn table(policies: &PolicySet, regions: usize) -> Arc<LatencyTable> {
    let coordinates = policies.catalogue().coordinates();
    let coordinates = coordinates.into_iter().take(regions).collect();
    Arc::new(LatencyTable::build(
        &Measurements::default(),
        &coordinates,
        Statistic::P50,
    ))
}

/// Lists a kind into a store.
fn list<K: Ord + Clone, V: Clone + PartialEq>(store: &mut Store<K, V>, objects: &BTreeMap<K, V>) {
    store.take(Change::ListBegins);
    for (key, value) in objects {
        store.take(Change::Apply(key.clone(), value.clone()));
    }
    store.take(Change::ListEnds);
}

/// Writes what happens to an object to both.
fn write<K: Ord + Clone, V: Clone + PartialEq>(
    objects: &mut BTreeMap<K, V>,
    store: &mut Store<K, V>,
    key: K,
    fate: Fate<V>,
) {
    let change = match fate {
        Fate::Is(value) => {
            objects.insert(key.clone(), value.clone());
            Change::Apply(key, value)
        }
        Fate::Unreadable => {
            objects.remove(&key);
            Change::Unreadable(key)
        }
        Fate::Gone => {
            objects.remove(&key);
            Change::Delete(key)
        }
    };
    store.take(change);
}

impl World {
    fn new(policies: &Arc<PolicySet>) -> Self {
        let mut world = Self {
            nodes: BTreeMap::new(),
            claims: BTreeMap::new(),
            volumes: BTreeMap::new(),
            classes: BTreeMap::new(),
            pods: BTreeMap::new(),
            silent: BTreeSet::new(),
            index: Index::default(),
            data_sets: Arc::default(),
            latency: table(policies, REGIONS.len()),
            policies: policies.clone(),
        };
        world.index.namespaces.take(Change::ListBegins);
        world.index.namespaces.take(Change::ListEnds);
        world.relist();
        world
    }

    fn relist(&mut self) {
        list(&mut self.index.nodes, &self.nodes);
        list(&mut self.index.claims, &self.claims);
        list(&mut self.index.volumes, &self.volumes);
        list(&mut self.index.storage_classes, &self.classes);
        self.index.take_pod(Change::ListBegins);
        for (key, pod) in &self.pods {
            self.index.take_pod(Change::Apply(key.clone(), Some(pod.clone())));
        }
        self.index.take_pod(Change::ListEnds);
    }

    fn happen(&mut self, happening: Happening, sets: &[Arc<PolicySet>]) {
        match happening {
            Happening::Node(name, fate) => write(&mut self.nodes, &mut self.index.nodes, name, fate),
            Happening::Claim(key, fate) => write(&mut self.claims, &mut self.index.claims, key, fate),
            Happening::Volume(name, fate) => write(&mut self.volumes, &mut self.index.volumes, name, fate),
            Happening::Class(name, fate) => {
                write(&mut self.classes, &mut self.index.storage_classes, name, fate);
            }
            Happening::Pod(key, fate) => {
                let change = match fate {
                    Fate::Is(pod) => {
                        self.pods.insert(key.clone(), pod.clone());
                        Change::Apply(key, Some(pod))
                    }
                    Fate::Unreadable => {
                        self.pods.remove(&key);
                        Change::Unreadable(key)
                    }
                    Fate::Gone => {
                        self.pods.remove(&key);
                        Change::Delete(key)
                    }
                };
                self.index.take_pod(change);
            }
            Happening::Relist => self.relist(),
            Happening::Many(come) => {
                for number in 0..=MOST_COPIES {
                    let key = ClaimKey {
                        namespace: NamespaceName::new("shop").expect("a name"),
                        name: Arc::from(format!("m{number}")),
                    };
                    let claim = Claim {
                        annotations: says(&[DataSetName::new("orders").expect("a name")]),
                        storage_class: None,
                        volume: Some(Arc::from(format!("v{}", number % 2))),
                    };
                    let fate = if come { Fate::Is(claim) } else { Fate::Gone };
                    write(&mut self.claims, &mut self.index.claims, key, fate);
                }
            }
            Happening::Speaks(kind, speaks) => match speaks {
                true => drop(self.silent.remove(&kind)),
                false => drop(self.silent.insert(kind)),
            },
            Happening::DataSets(data_sets) => self.data_sets = Arc::new(data_sets),
            Happening::Policies(number) => {
                self.policies = sets[number].clone();
                self.latency = table(&self.policies, REGIONS.len());
            }
            Happening::Latencies(regions) => self.latency = table(&self.policies, regions),
        }
    }

    fn speaks(&self, kind: Kind) -> bool {
        !self.silent.contains(&kind)
    }

    /// What the index says.
    fn followed(&mut self) -> (Fleet, Option<Arc<RunningPods>>) {
        let mut fleet = self.index.fleet().expect("every kind was listed");
        fleet.claims = fleet.claims.filter(|_| self.speaks(Kind::Claims));
        fleet.volumes = fleet.volumes.filter(|_| self.speaks(Kind::Volumes));
        fleet.storage_classes = fleet.storage_classes.filter(|_| self.speaks(Kind::Classes));
        let pods = self.index.running_pods().expect("the pods were listed");
        (fleet, self.speaks(Kind::Pods).then(|| Arc::new(pods)))
    }

    fn inputs(&self, fleet: Arc<Fleet>, pods: Option<Arc<RunningPods>>) -> Inputs {
        Inputs {
            fleet,
            fleet_version: "drawn".to_owned(),
            running: RunningFacts { pods, generation: 1 },
            confirmed_until: None,
            policies: self.policies.clone(),
            data_sets: self.data_sets.clone(),
            data_sets_version: "drawn".to_owned(),
            latency: self.latency.clone(),
        }
    }

    /// The world of somebody who sees the same objects for the first time: nothing is shared. Of those that cannot be
    /// read it takes what the index makes of them.
    fn fresh(&self, followed: &Fleet) -> Snapshot {
        fn copied<K: Ord + Clone, V: Clone>(objects: &BTreeMap<K, V>) -> domicile::model::ByName<K, V> {
            objects
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        }
        let mut classes = copied(&self.classes);
        for (name, class) in followed.storage_classes.iter().flatten() {
            if *class == StorageClass::unreadable() {
                classes.insert(name.clone(), class.clone());
            }
        }
        let fleet = Fleet {
            nodes: copied(&self.nodes),
            namespaces: followed.namespaces.clone(),
            claims: self.speaks(Kind::Claims).then(|| copied(&self.claims)),
            volumes: self.speaks(Kind::Volumes).then(|| copied(&self.volumes)),
            storage_classes: self.speaks(Kind::Classes).then_some(classes),
        };
        let pods = self.pods.iter().map(|(key, pod)| (&key.namespace, pod));
        let pods = self
            .speaks(Kind::Pods)
            .then(|| Arc::new(RunningPods::gather(pods)));
        Snapshot::new(self.inputs(Arc::new(fleet), pods))
    }
}

fn followed_copies_are_fresh_copies(
    sets: &[Arc<PolicySet>],
    happenings: Vec<(Happening, bool)>,
) -> Result<(), TestCaseError> {
    let mut world = World::new(&sets[0]);
    let (fleet, pods) = world.followed();
    let mut fleet = Arc::new(fleet);
    let mut followed = Snapshot::new(world.inputs(fleet.clone(), pods));
    let mut only_pods = true;
    for (happening, is_published) in happenings {
        only_pods &= happening.is_of_pods();
        world.happen(happening, sets);
        if !is_published {
            continue;
        }
        let before = followed;
        let (now, pods) = world.followed();
        followed = if only_pods {
            let running = RunningFacts { pods, generation: 2 };
            before.with_running(&running)
        } else {
            // As the publisher has it: a fleet that is the same is the same one.
            if *fleet != now {
                fleet = Arc::new(now);
            }
            Snapshot::after(&before, world.inputs(fleet.clone(), pods))
        };
        let fresh = world.fresh(&fleet);
        prop_assert_eq!(followed.replicas(), fresh.replicas());
        prop_assert_eq!(followed.facts().data_sets, fresh.facts().data_sets);
        for volume in world.volumes.values() {
            prop_assert_eq!(
                followed.volume_localities(volume),
                fresh.volume_localities(volume)
            );
        }
        // A decision that was made before holds after exactly where the copies are the same.
        if only_pods {
            let is_same = before.facts().data_sets == followed.facts().data_sets;
            prop_assert_eq!(followed.shares_all_but_running(&before), is_same);
        }
        only_pods = true;
    }
    Ok(())
}

/// Like other properties, as many cases as are asked for; each is a cluster of its own.
fn cases() -> u32 {
    let asked = std::env::var("DOMICILE_PROPERTY_CASES").ok();
    asked
        .and_then(|asked| asked.parse::<u32>().ok())
        .map_or(64, |asked| asked / 10)
}

#[test]
fn properties_copies_that_were_followed_are_those_of_a_fresh_list() {
    let sets = policies();
    let mut runner = TestRunner::new(Config::with_cases(cases()));
    let happenings = vec((happening(), prop::bool::weighted(0.6)), 1..60);
    let ran = runner.run(&happenings, |happenings| {
        followed_copies_are_fresh_copies(&sets, happenings)
    });
    ran.expect("the property");
}

/// What is drawn does find copies, of every health and by every way of naming: without that the property says nothing.
#[test]
fn properties_of_followed_copies_do_draw_copies() {
    let sets = policies();
    let mut runner = TestRunner::deterministic();
    let happenings = vec(happening(), 30..60);
    let mut seen = BTreeSet::new();
    for _ in 0..240 {
        let drawn = happenings.new_tree(&mut runner).expect("a value").current();
        let mut world = World::new(&sets[0]);
        for happening in drawn {
            world.happen(happening, &sets);
        }
        let (fleet, pods) = world.followed();
        let snapshot = Snapshot::new(world.inputs(Arc::new(fleet), pods));
        for placed in snapshot.replicas().iter() {
            for found in placed
                .data_set
                .replicas
                .iter()
                .filter_map(|replica| replica.found.as_ref())
            {
                seen.insert((found.health, found.is_declared, found.is_believed));
            }
        }
    }
    assert_eq!(seen.len(), 3 * 2 * 2, "{seen:?}");
}
