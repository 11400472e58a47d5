//! Regions and zones as what the labels of nodes there say.
//!
//! Inputs: permitted regions, the catalogue, which labels decide. Output: terms, in a fixed order. Invariants: whatever
//! node may be permitted by its labels and some providerID satisfies a term; a node at another place of the catalogue
//! does not, as far as its labels tell that place from those that are permitted. Two things they tell are left to the
//! extender, for they would cost a term for each region: that the label which confirms a region names another region
//! than the label of the region, and that an old label contradicts a new one. A label that is there and empty is
//! absent to us and not to kube-scheduler; no node has one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::places::PermittedZones;
use super::term::Operator::{DoesNotExist, Exists, In, NotIn};
use super::term::{Expression, Term};
use crate::model::{PROVIDER_LABEL, RESTRICTED_REGION_LABEL, RegionKey};
use crate::objects::{REGION_LABELS, ZONE_LABELS};
use crate::policy::Catalogue;

/// The longest value of a label (`k8s.io/apimachinery/pkg/util/validation` of 1.36).
const LONGEST_VALUE_BYTES: usize = 63;

/// Which labels decide about a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LabelUse {
    /// Whether the providerID is the region of a node, so that its labels may say nothing.
    pub is_provider_id_trusted: bool,
    /// Whether the label that kubelets cannot set must confirm the region.
    pub is_confirmed: bool,
    /// Whether some node says where it is by the labels of before Kubernetes 1.17 alone.
    pub are_legacy_labels_in_use: bool,
}

/// Whether a node can have a label of this value.
pub(super) fn is_label_value(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= LONGEST_VALUE_BYTES
        && text.bytes().all(is_inner)
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

/// What makes one term: regions of these names and zones, of no other provider than theirs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape<'r> {
    zones: &'r PermittedZones,
    /// The providers that have regions of these names too, where the pod is not permitted.
    other_providers: Vec<&'r str>,
    /// The name of the region where zones matter, since zones of two regions may have one name.
    name: Option<&'r str>,
}

/// The terms of these regions; there is a region.
pub(super) fn terms(
    regions: &BTreeMap<RegionKey, PermittedZones>,
    catalogue: &Catalogue,
    labels: LabelUse,
) -> Vec<Term> {
    let mut providers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for region in catalogue.regions() {
        providers
            .entry(region.key.region())
            .or_default()
            .insert(region.key.provider());
    }
    let mut shapes: BTreeMap<Shape<'_>, BTreeSet<&str>> = BTreeMap::new();
    for (key, zones) in regions {
        let alike = |provider: &str| {
            let of_provider = || RegionKey::new(provider, key.region()).ok();
            provider == key.provider()
                || of_provider().is_some_and(|other| regions.get(&other) == Some(zones))
        };
        let others = providers.get(key.region()).into_iter().flatten().copied();
        let others = others.filter(|other| !alike(other) && is_label_value(other));
        let shape = Shape {
            zones,
            other_providers: others.collect(),
            name: (*zones != PermittedZones::All).then_some(key.region()),
        };
        shapes.entry(shape).or_default().insert(key.region());
    }
    let mut terms: Vec<Term> = Vec::new();
    for (shape, names) in &shapes {
        let names: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| is_label_value(name))
            .collect();
        if !names.is_empty() {
            terms.extend(of_shape(shape, &names, labels));
        }
    }
    if labels.is_provider_id_trusted {
        terms.extend(without_region(regions, catalogue, labels));
    }
    terms
}

/// The terms of a shape: one for each pair of labels by which nodes may say region and zone.
fn of_shape(shape: &Shape<'_>, names: &[&str], labels: LabelUse) -> Vec<Term> {
    let mut terms = Vec::new();
    for region_label in in_use(&REGION_LABELS, labels) {
        let region = Expression::new(region_label, In, names.iter().copied());
        let confirming = labels
            .is_confirmed
            .then(|| Expression::new(RESTRICTED_REGION_LABEL, In, names.iter().copied()));
        let provider = is_none_of(PROVIDER_LABEL, &shape.other_providers);
        for zones in zones_in_words(shape.zones, labels) {
            let place = [Some(region.clone()), confirming.clone(), provider.clone()];
            let expressions = place.into_iter().flatten().chain(zones).collect();
            terms.push(Term { expressions });
        }
    }
    terms
}

/// The term of a node that says no region by a label, while its providerID may.
fn without_region(
    regions: &BTreeMap<RegionKey, PermittedZones>,
    catalogue: &Catalogue,
    labels: LabelUse,
) -> Vec<Term> {
    let permitted: BTreeSet<&str> = regions.keys().map(RegionKey::provider).collect();
    let all: BTreeSet<&str> = catalogue.regions().map(|region| region.key.provider()).collect();
    let others = all
        .difference(&permitted)
        .copied()
        .filter(|provider| is_label_value(provider));
    let others: Vec<&str> = others.collect();
    let zones = regions
        .values()
        .cloned()
        .reduce(either)
        .unwrap_or(PermittedZones::All);
    let absent: Vec<Expression> = in_use(&REGION_LABELS, labels)
        .map(|label| Expression::new(label, DoesNotExist, []))
        .collect();
    let in_words = zones_in_words(&zones, labels).into_iter();
    let terms = in_words.map(|zones| Term {
        expressions: (absent.iter().cloned())
            .chain(is_none_of(PROVIDER_LABEL, &others))
            .chain(zones)
            .collect(),
    });
    terms.collect()
}

/// The labels that nodes of the fleet use for one thing; the newest always.
fn in_use(all: &'static [&'static str; 2], labels: LabelUse) -> impl Iterator<Item = &'static str> {
    let count = if labels.are_legacy_labels_in_use { 2 } else { 1 };
    all.iter().copied().take(count)
}

fn is_none_of(label: &str, values: &[&str]) -> Option<Expression> {
    (!values.is_empty()).then(|| Expression::new(label, NotIn, values.iter().copied()))
}

/// What is asked of the labels of zones: any of these lists. A node that names no zone is like its region.
fn zones_in_words(zones: &PermittedZones, labels: LabelUse) -> Vec<Vec<Expression>> {
    let [newest, legacy] = ZONE_LABELS;
    let is = |label, operator, zones: &BTreeSet<Arc<str>>| {
        Expression::new(label, operator, zones.iter().map(|zone| &**zone))
    };
    match zones {
        PermittedZones::All => vec![Vec::new()],
        PermittedZones::Only(zones) => {
            let by = in_use(&ZONE_LABELS, labels);
            by.map(|label| vec![is(label, In, zones)]).collect()
        }
        PermittedZones::AllBut(zones) if !labels.are_legacy_labels_in_use => {
            vec![vec![is(newest, NotIn, zones)]]
        }
        PermittedZones::AllBut(zones) => vec![
            vec![Expression::new(newest, Exists, []), is(newest, NotIn, zones)],
            vec![
                Expression::new(newest, DoesNotExist, []),
                is(legacy, NotIn, zones),
            ],
        ],
    }
}

/// The zones of one region or of another.
fn either(one: PermittedZones, other: PermittedZones) -> PermittedZones {
    use PermittedZones::{All, AllBut, Only};
    match (one, other) {
        (All, _) | (_, All) => All,
        (Only(one), Only(other)) => Only(one.union(&other).cloned().collect()),
        (AllBut(one), AllBut(other)) => all_but(one.intersection(&other).cloned().collect()),
        (Only(zones), AllBut(others)) | (AllBut(others), Only(zones)) => {
            all_but(others.difference(&zones).cloned().collect())
        }
    }
}

fn all_but(zones: BTreeSet<Arc<str>>) -> PermittedZones {
    match zones.is_empty() {
        true => PermittedZones::All,
        false => PermittedZones::AllBut(zones),
    }
}
