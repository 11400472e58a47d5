//! What data a pod carries, from everything that speaks about it (docs/policies.md, 2).
//!
//! Inputs: the pod, the objects of the cluster, the data sets, the definitions. Outputs: tuples with
//! their sources, and what selectors by source look at. Invariants: a tuple keeps its source and is
//! never merged with another; what is not known is a tuple of which nothing is known.
//! A pod with a claim that is not bound, of a class that waits for it, creates data where it lands: it stores there, and
//! rules on copies look at its node. A claim that is bound says where its data is already.
//! Deliberately absent: where the copies of data sets are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::catalogue::{Catalogue, PlaceIndex};
use super::definition::{Activity, ActivitySet, Definitions};
use crate::model::{
    AccessProfile, ClaimKey, Classification, DataProfile, DataSetName, DataSetUse, DataSets, DataTuple,
    Dimension, Fleet, Malformed, NamespaceName, Owner, PeerUse, PodRequirements, Replica, ReplicaRole,
    RequestsPerCall, SourceAnnotations, StatedData, StatedProfile, StorageClass, Subject, SubjectTerm, Tuple,
    VolumeBinding, VolumeMount,
};

/// Who asserted a tuple.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The namespace of the pod.
    Namespace,
    /// The pod itself.
    Pod,
    /// A persistent volume claim.
    Claim(Arc<str>),
    /// A persistent volume.
    Volume(Arc<str>),
    /// A storage class.
    StorageClass(Arc<str>),
    /// A data set.
    DataSet(DataSetName),
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace => formatter.write_str("Namespace"),
            Self::Pod => formatter.write_str("Pod"),
            Self::Claim(name) => write!(formatter, "PersistentVolumeClaim/{name}"),
            Self::Volume(name) => write!(formatter, "PersistentVolume/{name}"),
            Self::StorageClass(name) => write!(formatter, "StorageClass/{name}"),
            Self::DataSet(name) => write!(formatter, "DataSet/{name}"),
        }
    }
}

/// A tuple and who asserted it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcedTuple {
    /// Who.
    pub source: Source,
    /// What.
    pub tuple: Tuple,
}

/// A data set that a pod names, as far as rules look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedDataSet {
    /// Its name.
    pub name: DataSetName,
    /// Whether the pod may read it: it does unless it says that it reads nothing.
    pub may_read: bool,
    /// Whether the pod may write it: it may unless it says that it writes nothing.
    pub may_write: bool,
    /// Where its leaders are; none where the data set is not declared.
    pub leaders: Vec<PlaceIndex>,
    /// Where the replicas are that can be read, leaders among them.
    pub readable: Vec<PlaceIndex>,
}

impl UsedDataSet {
    /// A data set with these replicas, of which nobody says how it is used, so that it may be in any way.
    #[must_use]
    pub fn new(name: DataSetName, replicas: &[Replica], catalogue: &Catalogue) -> Self {
        let places = |counts: fn(ReplicaRole) -> bool| {
            let believed = replicas.iter().filter(|replica| replica.counts_for_rules());
            let counted = believed.filter(|replica| counts(replica.role));
            counted
                .map(|replica| catalogue.place(&replica.locality))
                .collect()
        };
        Self {
            name,
            may_read: true,
            may_write: true,
            leaders: places(|role| role == ReplicaRole::Leader),
            readable: places(ReplicaRole::is_readable),
        }
    }
}

/// A claim that a pod mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedClaim {
    /// Its name.
    pub claim: Arc<str>,
    /// The volume that it is bound to.
    pub volume: Option<Arc<str>>,
    /// Whether the claim is known, or its template is.
    pub is_known: bool,
    /// Whether data is created where the pod lands: the claim is not bound, and its class waits for the pod, or is not
    /// known; a claim that is not known may be such a one.
    pub creates: bool,
    /// The data sets that the claim, its template, its volume and its class name.
    pub data_sets: Vec<DataSetName>,
}

/// What data a pod carries and where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The namespace of the pod; `None` for a pod that is only thought of.
    pub namespace: Option<NamespaceName>,
    /// The controller of the pod, as it says itself.
    pub owner: Option<Owner>,
    /// Every tuple, in the order of its source.
    pub tuples: Vec<SourcedTuple>,
    /// The labels of the namespace; `None` where the namespace is not known.
    pub namespace_labels: Option<BTreeMap<Arc<str>, Arc<str>>>,
    /// The storage class of each mounted claim; `None` where it is not known.
    pub storage_classes: Vec<Option<Arc<str>>>,
    /// The claims that are mounted.
    pub claims: Vec<MountedClaim>,
    /// The data sets that are named, in the order in which they are.
    pub data_sets: Vec<UsedDataSet>,
    /// Whether a claim or a volume is not known, which may name other data sets.
    pub may_name_more_data_sets: bool,
    /// What could not be read, and on which object it stands.
    pub malformed: Vec<(Source, Malformed)>,
    /// What the pod performs.
    pub performs: ActivitySet,
    /// How it uses data.
    pub access: AccessProfile,
}

impl Profile {
    /// Whether the pod creates data where it lands.
    #[must_use]
    pub fn creates_data(&self) -> bool {
        self.claims.iter().any(|claim| claim.creates)
    }

    /// Whether the pod would be a new copy of what it carries.
    #[must_use]
    pub fn is_new_copy(&self) -> bool {
        self.performs.contains(Activity::Replicate) || self.creates_data()
    }

    /// What rules look at: what the pod performs, and for one that creates data also that the data is replicated. What
    /// covers storing covers the copy that is stored, so replicating needs no cover of its own then.
    #[must_use]
    pub fn looked_at(&self) -> ActivitySet {
        match self.creates_data() {
            true => self.performs.with(Activity::Replicate),
            false => self.performs,
        }
    }
}

/// What a profile is made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The objects of the cluster.
    pub fleet: &'a Fleet,
    /// The data sets that are declared, with the copies that were found.
    pub data_sets: &'a DataSets,
    /// The groups and the settings.
    pub definitions: &'a Definitions,
    /// The regions, to find the places of replicas.
    pub catalogue: &'a Catalogue,
}

/// Gathers everything that speaks about the data of a pod.
#[must_use]
pub fn profile(facts: Facts<'_>, pod: &PodRequirements, now: Timestamp) -> Profile {
    let mut gatherer = Gatherer {
        facts,
        now,
        profile: Profile {
            namespace: Some(pod.namespace.clone()),
            owner: pod.owner.clone(),
            ..Profile::default()
        },
    };
    gatherer.profile.performs = ActivitySet::default().with(Activity::Process);
    if !pod.volumes.is_empty() {
        gatherer.profile.performs = gatherer.profile.performs.with(Activity::Store);
    }
    gatherer.annotations(Source::Pod, &pod.annotations);
    for volume in &pod.volumes {
        gatherer.volume(pod, volume);
    }
    let by_workload = gatherer.namespace(pod);
    gatherer.named_data_sets();
    let asserts = |sourced: &SourcedTuple| match (&sourced.source, &sourced.tuple) {
        // An incomplete profile of the pod does not stand in for what nobody said.
        (Source::Pod, Tuple::Data(tuple)) => tuple.is_complete(),
        _ => true,
    };
    if by_workload && !gatherer.profile.tuples.iter().any(asserts) {
        gatherer.push(Source::Namespace, Tuple::Data(DataTuple::UNKNOWN));
    }
    let mut profile = gatherer.profile;
    profile.tuples.sort();
    profile.tuples.dedup();
    profile
}

struct Gatherer<'a> {
    facts: Facts<'a>,
    now: Timestamp,
    profile: Profile,
}

impl Gatherer<'_> {
    fn push(&mut self, source: Source, tuple: Tuple) {
        self.profile.tuples.push(SourcedTuple { source, tuple });
    }

    fn unknown(&mut self, source: Source) {
        self.profile.may_name_more_data_sets |= matches!(source, Source::Claim(_) | Source::Volume(_));
        self.push(source, Tuple::Data(DataTuple::UNKNOWN));
    }

    /// Takes what one object says: its own tuples, its data sets, its limits, what is malformed.
    fn annotations(&mut self, source: Source, annotations: &SourceAnnotations) {
        self.profile.malformed.extend(
            annotations
                .malformed
                .iter()
                .map(|malformed| (source.clone(), malformed.clone())),
        );
        if !annotations.profile.is_empty() {
            for tuple in cross_product(&annotations.profile) {
                self.push(source.clone(), Tuple::Data(tuple));
            }
        }
        for used in &annotations.access.data_sets {
            self.uses(used);
        }
        let access = &mut self.profile.access;
        for data_set in &annotations.access.data_sets {
            if !access.data_sets.iter().any(|known| known.name == data_set.name) {
                access.data_sets.push(data_set.clone());
            }
        }
        // The pod is asked first, so what it says itself stands.
        if access.clients.is_empty() {
            access.clients.clone_from(&annotations.access.clients);
        }
        // Whoever names peers means those of the pod, so this is where an unstated namespace is filled in.
        for peer in &annotations.access.peers {
            let namespace = peer
                .namespace
                .as_ref()
                .or(self.profile.namespace.as_ref())
                .cloned();
            let is_known = |known: &PeerUse| known.namespace == namespace && known.selector == peer.selector;
            if !access.peers.iter().any(is_known) {
                access.peers.push(PeerUse {
                    namespace,
                    ..peer.clone()
                });
            }
        }
        access.max_read_ms = access.max_read_ms.or(annotations.access.max_read_ms);
        access.max_write_ms = access.max_write_ms.or(annotations.access.max_write_ms);
    }

    /// Takes what the namespace says, and tells whether it leaves the word to its workloads.
    fn namespace(&mut self, pod: &PodRequirements) -> bool {
        let known = self.facts.fleet.namespaces.as_ref();
        let namespace = known.and_then(|namespaces| namespaces.get(&pod.namespace));
        self.profile.namespace_labels = match known {
            // A source without any namespaces knows of no labels, which no selector then finds.
            None => Some(BTreeMap::new()),
            Some(_) => namespace.map(|namespace| namespace.labels.clone()),
        };
        if self
            .facts
            .definitions
            .settings
            .exempt_namespaces
            .contains(&pod.namespace)
        {
            return false;
        }
        let Some(namespace) = namespace else {
            match known {
                None => self.push(Source::Namespace, Tuple::Unlabelled),
                Some(_) => self.unknown(Source::Namespace),
            }
            return false;
        };
        self.annotations(Source::Namespace, &namespace.annotations);
        match namespace.annotations.data {
            Some(StatedData::NoData) => self.push(Source::Namespace, Tuple::NoData),
            Some(StatedData::ByWorkload) => return true,
            None if namespace.annotations.profile.is_empty() => {
                self.push(Source::Namespace, Tuple::Unlabelled)
            }
            None => {}
        }
        false
    }

    fn volume(&mut self, pod: &PodRequirements, volume: &VolumeMount) {
        let (claim_name, template) = match volume {
            VolumeMount::Claim(name) => (name, None),
            VolumeMount::Ephemeral { claim, .. } => (claim, Some(volume)),
        };
        let claims = self.facts.fleet.claims.as_ref();
        let key = ClaimKey {
            namespace: pod.namespace.clone(),
            name: claim_name.clone(),
        };
        let claim = claims.and_then(|claims| claims.get(&key));
        let mut class_of_template = None;
        let mut data_sets: Vec<DataSetName> = Vec::new();
        if let Some(VolumeMount::Ephemeral {
            storage_class,
            annotations,
            ..
        }) = template
        {
            // The template is what the pod says, so it counts even when the claim that was made from it
            // has been changed since.
            self.annotations(Source::Claim(claim_name.clone()), annotations);
            data_sets.extend(named(annotations));
            class_of_template = storage_class.clone();
        }
        if let Some(claim) = claim {
            self.annotations(Source::Claim(claim_name.clone()), &claim.annotations);
            // A volume that is not known may have any class, whatever the template asked for.
            let class_of_volume = match &claim.volume {
                Some(volume) => self.bound_volume(volume),
                None => class_of_template,
            };
            let class = claim.storage_class.clone().or(class_of_volume);
            let volumes = self.facts.fleet.volumes.as_ref();
            let volume = claim.volume.as_ref().and_then(|volume| volumes?.get(volume));
            data_sets.extend(named(&claim.annotations));
            data_sets.extend(volume.into_iter().flat_map(|volume| named(&volume.annotations)));
            data_sets.extend(
                self.class(class.as_ref())
                    .into_iter()
                    .flat_map(|class| named(&class.annotations)),
            );
            self.profile.claims.push(MountedClaim {
                claim: claim_name.clone(),
                volume: claim.volume.clone(),
                is_known: true,
                creates: claim.volume.is_none() && self.waits(class.as_ref()),
                data_sets,
            });
            self.storage_class(class);
            return;
        }
        // The claim of a template is made when the pod is created, and may not be known yet.
        if template.is_some() {
            let class = self.class(class_of_template.as_ref());
            data_sets.extend(class.into_iter().flat_map(|class| named(&class.annotations)));
            self.profile.claims.push(MountedClaim {
                claim: claim_name.clone(),
                volume: None,
                is_known: true,
                creates: self.waits(class_of_template.as_ref()),
                data_sets,
            });
        } else if claims.is_some() {
            self.unknown(Source::Claim(claim_name.clone()));
            self.profile.claims.push(MountedClaim {
                claim: claim_name.clone(),
                volume: None,
                is_known: false,
                creates: true,
                data_sets,
            });
        }
        self.storage_class(class_of_template);
    }

    /// Whether a class makes volumes where the first pod lands. One that is not known may; without a class only a volume
    /// that is there already is bound.
    fn waits(&self, class: Option<&Arc<str>>) -> bool {
        let waits = |class: &StorageClass| class.binding == VolumeBinding::FirstConsumer;
        class.is_some() && self.class(class).is_none_or(waits)
    }

    fn class(&self, name: Option<&Arc<str>>) -> Option<&StorageClass> {
        self.facts.fleet.storage_classes.as_ref()?.get(name?)
    }

    /// Takes what a bound volume says, and gives its storage class.
    fn bound_volume(&mut self, name: &Arc<str>) -> Option<Arc<str>> {
        let volumes = self.facts.fleet.volumes.as_ref()?;
        match volumes.get(name) {
            Some(volume) => {
                self.annotations(Source::Volume(name.clone()), &volume.annotations);
                volume.storage_class.clone()
            }
            None => {
                self.unknown(Source::Volume(name.clone()));
                None
            }
        }
    }

    /// Takes what a storage class says. A class without an object is legitimate (volumes made by hand)
    /// and says nothing.
    fn storage_class(&mut self, name: Option<Arc<str>>) {
        if let Some(name) = &name {
            let classes = self.facts.fleet.storage_classes.as_ref();
            if let Some(class) = classes.and_then(|classes| classes.get(name)) {
                self.annotations(Source::StorageClass(name.clone()), &class.annotations);
            }
        }
        self.profile.storage_classes.push(name);
    }

    fn named_data_sets(&mut self) {
        let names: Vec<DataSetName> = self
            .profile
            .data_sets
            .iter()
            .map(|used| used.name.clone())
            .collect();
        for name in names {
            let source = Source::DataSet(name.clone());
            match self.facts.data_sets.get(&name) {
                Some(data_set) => {
                    for tuple in tuples_of_data_set(self.facts.definitions, &data_set.profile, self.now) {
                        self.push(source.clone(), Tuple::Data(tuple));
                    }
                }
                None => self.unknown(source),
            }
        }
    }

    /// Two sources that name one data set both count: what either may do, the pod may do.
    fn uses(&mut self, used: &DataSetUse) {
        let may = |requests: Option<RequestsPerCall>| requests.is_none_or(|requests| requests.get() > 0.0);
        let (may_read, may_write) = (may(used.reads), may(used.writes));
        let known = self
            .profile
            .data_sets
            .iter_mut()
            .find(|known| known.name == used.name);
        if let Some(known) = known {
            known.may_read |= may_read;
            known.may_write |= may_write;
            return;
        }
        let replicas = self
            .facts
            .data_sets
            .get(&used.name)
            .map(|data_set| &*data_set.replicas);
        let replicas = replicas.unwrap_or_default();
        let known = UsedDataSet::new(used.name.clone(), replicas, self.facts.catalogue);
        self.profile.data_sets.push(UsedDataSet {
            may_read,
            may_write,
            ..known
        });
    }
}

/// The data sets that an object names.
fn named(annotations: &SourceAnnotations) -> impl Iterator<Item = DataSetName> {
    annotations.access.data_sets.iter().map(|used| used.name.clone())
}

/// The tuples that a declared data set asserts. A group among its subjects stands for each member.
pub(super) fn tuples_of_data_set(
    definitions: &Definitions,
    profile: &DataProfile,
    now: Timestamp,
) -> Vec<DataTuple> {
    let mut subjects: Vec<Dimension<Subject>> = Vec::new();
    for term in &profile.subjects {
        match term {
            SubjectTerm::None => subjects.push(Dimension::None),
            SubjectTerm::Of(subject) => subjects.push(Dimension::Is(subject.clone())),
            SubjectTerm::Group(name) => {
                let members = definitions
                    .group(name)
                    .map(|group| definitions.subjects_of(group, now));
                let members = members.unwrap_or_default();
                if members.is_empty() {
                    subjects.push(Dimension::Missing);
                }
                subjects.extend(members.into_iter().map(Dimension::Is));
            }
        }
    }
    let stated = StatedProfile {
        classifications: Some(vec![profile.classification]),
        categories: Some(profile.categories.clone()),
        subjects: Some(subjects),
    };
    cross_product(&stated)
}

/// One source is the cross product of its own lists; a list that is not stated is one missing value.
/// `public` as the only word of a source says that there are neither categories nor subjects.
fn cross_product(stated: &StatedProfile) -> Vec<DataTuple> {
    let only_public = stated
        .classifications
        .iter()
        .flatten()
        .all(|classification| *classification == Classification::Public)
        && stated.classifications.is_some()
        && stated.categories.is_none()
        && stated.subjects.is_none();
    if only_public {
        let classification = Some(Classification::Public);
        return vec![DataTuple {
            classification,
            category: Dimension::None,
            subject: Dimension::None,
        }];
    }
    let classifications: Vec<Option<Classification>> = match &stated.classifications {
        Some(classifications) => classifications.iter().copied().map(Some).collect(),
        None => vec![None],
    };
    let missing_category = [Dimension::Missing];
    let missing_subject = [Dimension::Missing];
    let categories = stated.categories.as_deref().unwrap_or(&missing_category);
    let subjects = stated.subjects.as_deref().unwrap_or(&missing_subject);
    let mut tuples = Vec::with_capacity(classifications.len() * categories.len() * subjects.len());
    for classification in &classifications {
        for category in categories {
            for subject in subjects {
                tuples.push(DataTuple {
                    classification: *classification,
                    category: category.clone(),
                    subject: subject.clone(),
                });
            }
        }
    }
    tuples
}
