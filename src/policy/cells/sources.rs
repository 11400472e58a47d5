//! Where a tuple may come from, as far as blocks by source can tell.
//!
//! A block by source covers a tuple that comes from there and otherwise only restricts. So the sources
//! that permit most are: one that no block selects, and for each block that can cover, that source and
//! nothing else. A tuple must be covered for every activity of its pod, and two policies may each cover
//! another activity; so namespaces whose labels satisfy several blocks are among the sources where that
//! covers more. A storage class or a data set is one name, which all blocks that list it see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{DataSetName, DataTuple, NamespaceName, Tuple};
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{Activity, ActivitySet, Block, Definitions, Demand, Policy};
use crate::policy::profile::{Profile, Source, SourcedTuple, UsedDataSet};

/// Where a tuple comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TupleSource {
    /// The labels of the namespace of the pod.
    pub namespace_labels: BTreeMap<Arc<str>, Arc<str>>,
    /// The one storage class of the pod.
    pub storage_class: Option<Arc<str>>,
    /// The one data set that the pod names.
    pub data_set: Option<DataSetName>,
    /// Whether some block with an `allowed` list may cover what comes from here.
    pub can_cover: bool,
}

impl TupleSource {
    /// Who asserted the tuple.
    #[must_use]
    pub fn asserted_by(&self) -> Source {
        match (&self.data_set, &self.storage_class) {
            (Some(name), _) => Source::DataSet(name.clone()),
            (None, Some(class)) => Source::StorageClass(class.clone()),
            (None, None) => Source::Namespace,
        }
    }

    /// The profile of a pod with one tuple that comes from here, over the places of a catalogue.
    ///
    /// A data set that it names is one that it neither reads nor writes and that has a copy everywhere,
    /// so rules on data sets refuse it as little as they ever do.
    #[must_use]
    pub fn profile(
        &self,
        catalogue: &Catalogue,
        tuple: &DataTuple,
        performs: ActivitySet,
        namespace: Option<NamespaceName>,
    ) -> Profile {
        let data_sets = self.data_set.iter().map(|name| UsedDataSet {
            name: name.clone(),
            may_read: false,
            may_write: false,
            leaders: Vec::new(),
            readable: catalogue.places().map(|(index, _)| index).collect(),
        });
        Profile {
            namespace,
            tuples: vec![SourcedTuple {
                source: self.asserted_by(),
                tuple: Tuple::Data(tuple.clone()),
            }],
            namespace_labels: Some(self.namespace_labels.clone()),
            storage_classes: self.storage_class.iter().cloned().map(Some).collect(),
            data_sets: data_sets.collect(),
            performs,
            ..Profile::default()
        }
    }

    /// Whether no block by source selects it.
    #[must_use]
    pub fn is_unselected(&self) -> bool {
        self.namespace_labels.is_empty() && self.storage_class.is_none() && self.data_set.is_none()
    }

    /// Whether a pod with this source can perform just these activities: one that has a storage class
    /// mounts a claim, and so it stores.
    #[must_use]
    pub fn can_perform(&self, performs: ActivitySet) -> bool {
        self.storage_class.is_none() || performs.contains(Activity::Store)
    }
}

/// Labels, and the activities for which blocks that they satisfy can cover.
type Labelled = (BTreeMap<Arc<str>, Arc<str>>, ActivitySet);

/// The sources that some sets can tell apart, the one that no block selects first.
pub fn sources(sets: &[&Definitions]) -> Vec<TupleSource> {
    let blocks: Vec<(&Block, ActivitySet)> = sets
        .iter()
        .flat_map(|set| &set.policies)
        .flat_map(|policy| policy.applies_to.iter().map(|block| (block, covered_by(policy))))
        .collect();
    let mut found: BTreeSet<TupleSource> = BTreeSet::new();
    found.extend(by_labels(&blocks));
    found.extend(by_name(
        &blocks,
        |block| block.storage_classes.as_deref(),
        |class, can_cover| TupleSource {
            storage_class: Some(class.clone()),
            can_cover,
            ..TupleSource::default()
        },
    ));
    found.extend(by_name(
        &blocks,
        |block| block.data_sets.as_deref(),
        |name, can_cover| TupleSource {
            data_set: Some(name.clone()),
            can_cover,
            ..TupleSource::default()
        },
    ));
    found.extend(blocks.iter().filter_map(|(block, _)| of_several_kinds(block)));
    let unselected = TupleSource {
        can_cover: true,
        ..TupleSource::default()
    };
    found.remove(&unselected);
    std::iter::once(unselected).chain(found).collect()
}

/// The activities for which a policy can cover.
fn covered_by(policy: &Policy) -> ActivitySet {
    let lists = policy
        .rules
        .iter()
        .filter(|rule| matches!(rule.demand, Demand::Allowed(_)));
    lists.fold(ActivitySet::default(), |covered, rule| {
        rule.activities.iter().fold(covered, ActivitySet::with)
    })
}

fn kinds(block: &Block) -> usize {
    usize::from(block.namespace_labels.is_some())
        + usize::from(block.storage_classes.is_some())
        + usize::from(block.data_sets.is_some())
}

/// Namespaces with the labels of one block, and of several where these cover other activities.
fn by_labels(blocks: &[(&Block, ActivitySet)]) -> Vec<TupleSource> {
    let mut alone: Vec<Labelled> = Vec::new();
    for (block, covered) in blocks.iter().filter(|(block, _)| kinds(block) == 1) {
        let Some(labels) = &block.namespace_labels else {
            continue;
        };
        let labels: BTreeMap<Arc<str>, Arc<str>> = labels.iter().cloned().collect();
        if !alone.contains(&(labels.clone(), *covered)) {
            alone.push((labels, *covered));
        }
    }
    let mut together = alone.clone();
    // Each activity is covered by some block, so more blocks than activities are never needed.
    for _ in 1..Activity::ALL.len() {
        let mut joined: Vec<Labelled> = Vec::new();
        for (labels, covered) in &together {
            let others = alone.iter().filter(|(_, other)| !is_within(*other, *covered));
            joined.extend(others.filter_map(|other| join((labels, *covered), other)));
        }
        for labelled in joined {
            if !together.contains(&labelled) {
                together.push(labelled);
            }
        }
    }
    let sources = together
        .into_iter()
        .map(|(namespace_labels, covered)| TupleSource {
            namespace_labels,
            can_cover: covered != ActivitySet::default(),
            ..TupleSource::default()
        });
    sources.collect()
}

fn is_within(activities: ActivitySet, other: ActivitySet) -> bool {
    activities.iter().all(|activity| other.contains(activity))
}

/// `None` where no namespace can have both, because a label has one value.
fn join(
    (labels, covered): (&BTreeMap<Arc<str>, Arc<str>>, ActivitySet),
    (others, covered_by_others): &Labelled,
) -> Option<Labelled> {
    let mut joined = labels.clone();
    for (key, value) in others {
        if joined
            .insert(key.clone(), value.clone())
            .is_some_and(|known| known != *value)
        {
            return None;
        }
    }
    Some((joined, covered_by_others.iter().fold(covered, ActivitySet::with)))
}

/// One name for all that the same blocks list.
fn by_name<'a, N: Ord + 'a>(
    blocks: &[(&'a Block, ActivitySet)],
    listed: impl Fn(&'a Block) -> Option<&'a [N]>,
    source: impl Fn(&N, bool) -> TupleSource,
) -> Vec<TupleSource> {
    let mut listing: BTreeMap<&N, (Vec<usize>, bool)> = BTreeMap::new();
    for (index, (block, covered)) in blocks.iter().enumerate() {
        for name in listed(block).into_iter().flatten() {
            let (blocks, can_cover) = listing.entry(name).or_default();
            blocks.push(index);
            *can_cover |= kinds(block) == 1 && *covered != ActivitySet::default();
        }
    }
    let mut seen = BTreeSet::new();
    let distinct = listing
        .into_iter()
        .filter(|(_, (blocks, _))| seen.insert(blocks.clone()));
    distinct
        .map(|(name, (_, can_cover))| source(name, can_cover))
        .collect()
}

/// A block that names several kinds of source reaches pods and covers none of them.
fn of_several_kinds(block: &Block) -> Option<TupleSource> {
    if kinds(block) < 2 {
        return None;
    }
    let first = |list: Option<&Vec<Arc<str>>>| list.and_then(|list| list.first()).cloned();
    Some(TupleSource {
        namespace_labels: block.namespace_labels.iter().flatten().cloned().collect(),
        storage_class: first(block.storage_classes.as_ref()),
        data_set: block.data_sets.as_ref().and_then(|list| list.first()).cloned(),
        can_cover: false,
    })
}
