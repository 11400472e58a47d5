//! A small world of policies, regions and objects for random tests: as people write it, in words.
//!
//! Nothing here uses a type of the engine: the same world is written as YAML for the engine to load
//! (`written.rs`) and judged by the naive evaluator (`naive.rs`). Days count from 2026-01-01, hours too.

/// What one source says about data: the three lists, each absent where it is not stated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stated {
    pub classifications: Option<Vec<&'static str>>,
    pub categories: Option<Vec<&'static str>>,
    pub subjects: Option<Vec<&'static str>>,
}

impl Stated {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A data set that an object names. Whether it reads or writes is only said where it is said; no is
/// written as no requests at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    pub name: &'static str,
    pub reads: Option<bool>,
    pub writes: Option<bool>,
}

impl Use {
    pub fn of(name: &'static str) -> Self {
        Self {
            name,
            reads: None,
            writes: None,
        }
    }
}

/// What an object says: its lists and the data sets that it names.
#[derive(Debug, Clone, Default)]
pub struct Says {
    pub stated: Stated,
    pub data_sets: Vec<Use>,
}

#[derive(Debug, Clone, Default)]
pub struct Operator {
    pub legal_entity: Option<&'static str>,
    pub controlled_from: Option<Vec<&'static str>>,
    pub admin_access_from: Option<Vec<&'static str>>,
}

#[derive(Debug, Clone)]
pub struct Certification {
    pub scheme: &'static str,
    pub level: Option<&'static str>,
    pub valid_until: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub operator: Option<Operator>,
    pub certifications: Option<Vec<Certification>>,
    pub key_custody: Option<&'static str>,
    pub tenancy: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Region {
    pub provider: &'static str,
    pub region: &'static str,
    pub country: &'static str,
    pub subdivision: Option<&'static str>,
    pub facts: Facts,
    /// The zone `z1`, where it has facts of its own.
    pub zone: Option<Facts>,
    /// The day of which its facts are.
    pub as_of: i64,
}

#[derive(Debug, Clone, Default)]
pub struct Requirement {
    pub legal_entity: Option<Vec<&'static str>>,
    pub controlled_from: Option<Vec<&'static str>>,
    pub admin_access_from: Option<Vec<&'static str>>,
    /// Scheme, level, days of validity.
    pub certifications: Option<Vec<(&'static str, Option<&'static str>, i64)>>,
    pub key_custody: Option<Vec<&'static str>>,
    pub tenancy: Option<Vec<&'static str>>,
}

/// A member of a group: `DE`, `CA-QC` or `group/G1`.
#[derive(Debug, Clone)]
pub struct Member {
    pub place: &'static str,
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub required: Option<Requirement>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub name: &'static str,
    pub members: Vec<Member>,
}

#[derive(Debug, Clone, Default)]
pub struct DataSelector {
    pub at_least: Option<&'static str>,
    pub categories: Option<Vec<&'static str>>,
    pub subjects: Option<Vec<&'static str>>,
}

#[derive(Debug, Clone, Default)]
pub struct Block {
    pub data: Option<DataSelector>,
    pub labels: Option<Vec<(&'static str, &'static str)>>,
    pub storage_classes: Option<Vec<&'static str>>,
    pub data_sets: Option<Vec<&'static str>>,
}

#[derive(Debug, Clone)]
pub enum Demand {
    Allowed(Vec<&'static str>),
    Denied(Vec<&'static str>),
    Required(Requirement),
    PrimaryMustBeIn(Vec<&'static str>),
    FromReplicaIn(Vec<&'static str>),
    NoneOutside(Vec<&'static str>),
    MustExistIn(Vec<&'static str>),
    /// Through where no way leads, and `deny` or `warn` for one that nobody declares.
    Transit(Vec<&'static str>, &'static str),
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub id: &'static str,
    pub activities: Option<Vec<&'static str>>,
    pub demand: Demand,
}

#[derive(Debug, Clone)]
pub struct Policy {
    pub name: &'static str,
    pub mode: &'static str,
    pub effective_from: Option<i64>,
    pub enforce_from: Option<i64>,
    pub blocks: Vec<Block>,
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub struct DataSet {
    pub name: &'static str,
    pub classification: &'static str,
    pub categories: Vec<&'static str>,
    pub subjects: Vec<&'static str>,
    pub replicas: Vec<Replica>,
}

/// A copy of a data set; its provider is absent where only a bare region is written.
#[derive(Debug, Clone)]
pub struct Replica {
    pub provider: Option<&'static str>,
    pub region: &'static str,
    pub zone: Option<&'static str>,
    pub role: &'static str,
}

/// What somebody declares of a way between two regions, by provider and region.
#[derive(Debug, Clone)]
pub struct Link {
    pub name: &'static str,
    pub ends: [(&'static str, &'static str); 2],
    pub countries: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Exception {
    pub name: &'static str,
    pub policy: &'static str,
    pub rule: &'static str,
    pub namespace: &'static str,
    /// Such as `("Deployment", "web")`.
    pub workload: Option<(&'static str, &'static str)>,
    pub locations: Vec<&'static str>,
    pub data: DataSelector,
    pub not_before: i64,
    pub expires: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKey {
    Topology,
    ProviderId,
    /// From which classification on.
    NodeRestriction(&'static str),
}

#[derive(Debug, Clone)]
pub enum Unlabelled {
    Allow,
    Deny,
    ConfineTo(Vec<&'static str>),
}

/// What decides without looking at objects of a cluster.
#[derive(Debug, Clone)]
pub struct Set {
    pub observe: bool,
    pub uncovered_is_allowed: bool,
    pub unlabelled: Unlabelled,
    pub exempt: Vec<&'static str>,
    pub regions: Vec<Region>,
    pub groups: Vec<Group>,
    pub policies: Vec<Policy>,
    pub data_sets: Vec<DataSet>,
    pub exceptions: Vec<Exception>,
    pub links: Vec<Link>,
    pub region_key: RegionKey,
    /// How many days facts may be old, by classification.
    pub max_fact_age: Vec<(&'static str, i64)>,
}

#[derive(Debug, Clone)]
pub enum NamespaceSays {
    Nothing,
    NoData,
    ByWorkload,
    Profile(Stated),
}

#[derive(Debug, Clone)]
pub struct Namespace {
    pub name: &'static str,
    pub labels: Vec<(&'static str, &'static str)>,
    pub says: NamespaceSays,
}

#[derive(Debug, Clone)]
pub struct StorageClass {
    pub name: &'static str,
    /// Whether it makes volumes only where the first pod lands.
    pub waits: bool,
    pub says: Says,
}

#[derive(Debug, Clone)]
pub struct Volume {
    pub name: &'static str,
    pub storage_class: Option<&'static str>,
    pub says: Says,
}

#[derive(Debug, Clone)]
pub struct Claim {
    pub namespace: &'static str,
    pub name: &'static str,
    pub storage_class: Option<&'static str>,
    pub volume: Option<&'static str>,
    pub says: Says,
}

#[derive(Debug, Clone)]
pub struct Template {
    pub storage_class: Option<&'static str>,
    pub says: Says,
}

/// A mounted claim, made from a template or not.
#[derive(Debug, Clone)]
pub struct Mount {
    pub claim: &'static str,
    pub template: Option<Template>,
}

#[derive(Debug, Clone)]
pub struct Pod {
    pub namespace: &'static str,
    /// Kind and name of its controller.
    pub owner: Option<(&'static str, &'static str)>,
    /// Whether it would be a new copy of a data set.
    pub replicates: bool,
    pub says: Says,
    pub mounts: Vec<Mount>,
}

/// The objects of a cluster; a kind that is `None` is not spoken of at all.
#[derive(Debug, Clone)]
pub struct Objects {
    pub namespaces: Option<Vec<Namespace>>,
    pub storage_classes: Option<Vec<StorageClass>>,
    pub volumes: Option<Vec<Volume>>,
    pub claims: Option<Vec<Claim>>,
}

/// Where a node says that it is: by its labels (no provider is a bare region), by the label that kubelets
/// cannot set, by its providerID (provider and region).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Labels {
    pub provider: Option<&'static str>,
    pub region: Option<&'static str>,
    pub zone: Option<&'static str>,
    pub restricted: Option<&'static str>,
    pub provider_id: Option<(&'static str, &'static str)>,
}

/// Every way in which a node of a world may be labelled.
pub fn labels(set: &Set) -> Vec<Labels> {
    let nowhere = Labels {
        provider: Some("p"),
        region: Some("nowhere"),
        ..Labels::default()
    };
    let mut all = vec![Labels::default(), nowhere];
    for region in &set.regions {
        for provider in [Some(region.provider), None] {
            for zone in [None, Some("z1"), Some("z2")] {
                let labels = Labels {
                    provider,
                    region: Some(region.region),
                    zone,
                    ..Labels::default()
                };
                all.push(labels);
                all.extend(more_labels(set, region, labels));
            }
        }
    }
    all
}

/// The same node where other statements than its topology label matter.
fn more_labels(set: &Set, region: &Region, labels: Labels) -> Vec<Labels> {
    let restricted = |restricted| Labels {
        restricted: Some(restricted),
        ..labels
    };
    match set.region_key {
        RegionKey::Topology => Vec::new(),
        RegionKey::NodeRestriction(_) => vec![restricted(region.region), restricted("r1")],
        // A providerID that names a region names the provider too.
        RegionKey::ProviderId if labels.provider.is_none() => Vec::new(),
        RegionKey::ProviderId => {
            let provider_id = Some((region.provider, region.region));
            let agreeing = Labels {
                provider_id,
                ..labels
            };
            let alone = Labels {
                region: None,
                ..agreeing
            };
            let contradicted = Labels {
                region: Some("r1"),
                ..agreeing
            };
            vec![agreeing, alone, contradicted]
        }
    }
}

/// Where something must never be.
#[derive(Debug, Clone)]
pub enum Location {
    In(Vec<&'static str>),
    Outside(Vec<&'static str>),
}

/// What must never be possible.
#[derive(Debug, Clone)]
pub struct Guarantee {
    pub data: DataSelector,
    pub activities: Vec<&'static str>,
    pub location: Location,
    pub allows_exceptions: bool,
}
