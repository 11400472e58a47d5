//! The circumstances of a pod that rules can tell apart: where its data comes from, what it mounts, which
//! data set it names, and whether an exception is for it.
//!
//! Inputs: two sets, compiled. Outputs: circumstances, the plain ones first. Invariant: where a pod is
//! treated otherwise by the two sets, so is one of these with one of its tuples. A tuple has one source,
//! so at most one kind of selector lets it be covered; a rule that refuses it does so through one block;
//! more of either only takes places away. So each source that may be covered is taken with each block of
//! a rule that differs, and with each pod that an exception is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::Tuple;
use crate::model::{DataSetName, NamespaceName, Owner};
use crate::policy::PolicySet;
use crate::policy::catalogue::PlaceIndex;
use crate::policy::definition::{Activity, ActivitySet, Block, Definitions, Demand};
use crate::policy::profile::{Profile, Source, SourcedTuple, UsedDataSet};

type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// Who asserts a tuple, as far as blocks tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asserted {
    /// Somebody whom no block can select.
    Pod,
    /// The namespace.
    Namespace,
    /// A storage class of a mounted claim.
    StorageClass(Arc<str>),
    /// A data set that the pod names.
    DataSet(DataSetName),
}

/// How a pod uses a data set of which one copy is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copy {
    /// Where it is.
    pub place: PlaceIndex,
    /// Whether the pod writes it; else it reads it.
    pub is_written: bool,
}

/// What a pod is beside its data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circumstances {
    /// Who asserts its data.
    pub asserted: Asserted,
    /// The labels of its namespace.
    pub labels: Labels,
    /// The storage classes that it mounts.
    pub storage_classes: BTreeSet<Arc<str>>,
    /// The data sets that it names.
    pub data_sets: BTreeSet<DataSetName>,
    /// The only copy of each of them.
    pub copy: Option<Copy>,
    /// The pod for which an exception is.
    pub excepted: Option<(NamespaceName, Option<(String, String)>)>,
}

impl Circumstances {
    /// A pod that only its data tells apart.
    pub const PLAIN: Self = Self {
        asserted: Asserted::Pod,
        labels: BTreeMap::new(),
        storage_classes: BTreeSet::new(),
        data_sets: BTreeSet::new(),
        copy: None,
        excepted: None,
    };

    /// Whether a pod in these circumstances can perform these activities with this data.
    #[must_use]
    pub fn can(&self, tuple: &Tuple, performs: ActivitySet) -> bool {
        // Who mounts a claim stores.
        let stores = self.storage_classes.is_empty() || performs.contains(Activity::Store);
        // That nobody says anything, or that there is nothing, is said by the namespace.
        let is_said = match tuple {
            Tuple::Data(_) => true,
            Tuple::Unlabelled | Tuple::NoData => {
                matches!(self.asserted, Asserted::Pod | Asserted::Namespace)
            }
        };
        stores && is_said
    }

    /// A pod in these circumstances.
    #[must_use]
    pub fn profile(&self, tuple: Tuple, performs: ActivitySet) -> Profile {
        let source = match &self.asserted {
            Asserted::StorageClass(class) => Source::StorageClass(class.clone()),
            Asserted::DataSet(name) => Source::DataSet(name.clone()),
            Asserted::Pod if matches!(tuple, Tuple::Data(_)) => Source::Pod,
            Asserted::Pod | Asserted::Namespace => Source::Namespace,
        };
        let used = self.data_sets.iter().map(|name| {
            let copies: Vec<PlaceIndex> = self.copy.iter().map(|copy| copy.place).collect();
            UsedDataSet {
                name: name.clone(),
                may_read: self.copy.as_ref().is_some_and(|copy| !copy.is_written),
                may_write: self.copy.as_ref().is_some_and(|copy| copy.is_written),
                leaders: copies.clone(),
                readable: copies,
            }
        });
        let excepted = self.excepted.as_ref();
        Profile {
            namespace: excepted.map(|(namespace, _)| namespace.clone()),
            owner: excepted
                .and_then(|(_, owner)| owner.clone())
                .map(|(kind, name)| Owner { kind, name }),
            tuples: vec![SourcedTuple { source, tuple }],
            namespace_labels: Some(self.labels.clone()),
            storage_classes: self.storage_classes.iter().cloned().map(Some).collect(),
            data_sets: used.collect(),
            performs,
            ..Profile::default()
        }
    }

    /// The same with what a block asks for too; `None` where no pod can have both.
    fn and(&self, block: &Reach) -> Option<Self> {
        let mut both = self.clone();
        for (key, value) in &block.labels {
            let known = both.labels.insert(key.clone(), value.clone());
            if known.is_some_and(|known| known != *value) {
                return None;
            }
        }
        both.storage_classes.extend(block.storage_class.clone());
        both.data_sets.extend(block.data_set.clone());
        Some(both)
    }
}

/// What a block asks of the source, one choice of its lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Reach {
    labels: Labels,
    storage_class: Option<Arc<str>>,
    data_set: Option<DataSetName>,
}

fn reaches(block: &Block) -> Vec<Reach> {
    fn choices<T: Clone>(list: Option<&Vec<T>>) -> Vec<Option<T>> {
        match list {
            Some(list) => list.iter().cloned().map(Some).collect(),
            None => vec![None],
        }
    }
    let labels: Labels = block.namespace_labels.iter().flatten().cloned().collect();
    let mut reaches = Vec::new();
    for storage_class in choices(block.storage_classes.as_ref()) {
        for data_set in choices(block.data_sets.as_ref()) {
            reaches.push(Reach {
                labels: labels.clone(),
                storage_class: storage_class.clone(),
                data_set,
            });
        }
    }
    reaches
}

/// The circumstances that two sets tell apart. `differs` says of a policy by its name whether something
/// of it does.
#[must_use]
pub fn circumstances(
    sets: &[&PolicySet],
    differs: impl Fn(&str) -> bool,
    copies: &[PlaceIndex],
) -> Vec<Circumstances> {
    let definitions: Vec<&Definitions> = sets.iter().map(|set| &set.definitions).collect();
    let policies = || definitions.iter().flat_map(|definitions| &definitions.policies);
    let mut sources = BTreeSet::from([Circumstances::PLAIN]);
    let mut blocks: BTreeSet<Reach> = BTreeSet::from([Reach::default()]);
    for policy in policies() {
        let covers = policy
            .rules
            .iter()
            .any(|rule| matches!(rule.demand, Demand::Allowed(_)));
        for reach in policy.applies_to.iter().flat_map(reaches) {
            if covers {
                sources.extend(source(&reach));
            }
            if differs(&policy.name) {
                blocks.insert(reach);
            }
        }
    }
    let mut excepted = BTreeSet::from([None]);
    for exception in definitions.iter().flat_map(|definitions| &definitions.exceptions) {
        excepted.insert(Some((exception.namespace.clone(), None)));
        if let Some(workload) = &exception.workload {
            // A Deployment owns its pods through a ReplicaSet and a CronJob through a Job.
            let owner = match workload.kind.as_str() {
                "Deployment" => ("ReplicaSet".to_owned(), format!("{}-0", workload.name)),
                "CronJob" => ("Job".to_owned(), format!("{}-0", workload.name)),
                kind => (kind.to_owned(), workload.name.clone()),
            };
            excepted.insert(Some((exception.namespace.clone(), Some(owner))));
        }
    }
    let mut found: BTreeSet<Circumstances> = BTreeSet::new();
    for source in &sources {
        for both in blocks.iter().filter_map(|block| source.and(block)) {
            for copy in copies_of(&both, copies) {
                found.extend(excepted.iter().map(|excepted| Circumstances {
                    excepted: excepted.clone(),
                    ..copy.clone()
                }));
            }
        }
    }
    found.remove(&Circumstances::PLAIN);
    std::iter::once(Circumstances::PLAIN).chain(found).collect()
}

fn source(reach: &Reach) -> Option<Circumstances> {
    let asserted = match (&reach.storage_class, &reach.data_set) {
        (None, None) if !reach.labels.is_empty() => Asserted::Namespace,
        (Some(class), None) if reach.labels.is_empty() => Asserted::StorageClass(class.clone()),
        (None, Some(name)) if reach.labels.is_empty() => Asserted::DataSet(name.clone()),
        // A block by two kinds of source covers nothing.
        _ => return None,
    };
    Circumstances {
        asserted,
        ..Circumstances::PLAIN
    }
    .and(reach)
}

/// With each place that the only copy of the data set may be at, where rules look at copies. A pod that
/// names a data set which no block selects is one too.
fn copies_of(circumstances: &Circumstances, copies: &[PlaceIndex]) -> Vec<Circumstances> {
    let mut all = vec![circumstances.clone()];
    for place in copies {
        for is_written in [true, false] {
            let mut data_sets = circumstances.data_sets.clone();
            if data_sets.is_empty() {
                data_sets.extend(DataSetName::new("any-data-set").ok());
            }
            all.push(Circumstances {
                data_sets,
                copy: Some(Copy {
                    place: *place,
                    is_written,
                }),
                ..circumstances.clone()
            });
        }
    }
    all
}
