//! The world of a case: the set itself where it has everything, else the same set with places that are only
//! thought of, or without its exceptions; and a cluster of one pod.
//!
//! Invariant: a changed set is compiled by the same functions as the set itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    AccessProfile, ByName, Fleet, Locality, Namespace, PodRequirements, Region, RegionKey, RegionReference,
    SourceAnnotations, StorageClass, VolumeMount,
};
use crate::policy::PolicySet;
use crate::policy::catalogue::{Catalogue, PlaceIndex};
use crate::policy::definition::{PolicyTest, TestCase, TestPlace};
use crate::policy::epoch::epochs_at;
use crate::policy::lint::WrittenAt;
use crate::policy::profile::{Facts, Profile, profile};

/// The sets that the cases of a set are judged by.
pub(super) struct Stage<'s> {
    set: &'s PolicySet,
    /// The keys of places that are only thought of, by the number of their case.
    thought_of: BTreeMap<usize, RegionKey>,
    with_places: Option<PolicySet>,
    without_exceptions: Option<PolicySet>,
}

impl<'s> Stage<'s> {
    pub(super) fn new(set: &'s PolicySet) -> Self {
        let tests = &set.definitions.tests;
        let cases: Vec<&TestCase> = tests.iter().flat_map(|test| &test.cases).collect();
        let mut regions: BTreeMap<RegionKey, Region> = set
            .catalogue
            .regions()
            .map(|region| (region.key.clone(), region.clone()))
            .collect();
        let mut thought_of = BTreeMap::new();
        for (number, case) in cases.iter().enumerate() {
            if let Some(region) = thought_of_region(number, case, &regions) {
                thought_of.insert(number, region.key.clone());
                regions.insert(region.key.clone(), region);
            }
        }
        let instants: BTreeSet<Timestamp> = tests.iter().map(|test| test.at).collect();
        let changed = |exceptions_count: bool| {
            let catalogue = Catalogue::new(regions.clone());
            changed(set, catalogue, exceptions_count, &instants)
        };
        let drops_exceptions =
            !set.definitions.exceptions.is_empty() && cases.iter().any(|case| !case.exceptions_count);
        Self {
            set,
            with_places: (!thought_of.is_empty()).then(|| changed(true)),
            without_exceptions: drops_exceptions.then(|| changed(false)),
            thought_of,
        }
    }

    /// The set that a case is judged by, and its place there.
    pub(super) fn set_and_place(&self, number: usize, case: &TestCase) -> (&PolicySet, PlaceIndex) {
        let key = self.thought_of.get(&number);
        let changed = match (case.exceptions_count, key) {
            (false, _) if self.without_exceptions.is_some() => self.without_exceptions.as_ref(),
            (_, Some(_)) => self.with_places.as_ref(),
            (_, None) => None,
        };
        let set = changed.unwrap_or(self.set);
        let key = match &case.place {
            TestPlace::Region(key) => Some(key),
            TestPlace::ThoughtOf(_) => key,
            TestPlace::Unknown => None,
        };
        let locality = Locality {
            region: key.cloned().map(RegionReference::Key),
            ..Locality::default()
        };
        (set, set.catalogue.place(&locality))
    }
}

/// The place of a case as a region, under a key that no other has.
fn thought_of_region(number: usize, case: &TestCase, known: &BTreeMap<RegionKey, Region>) -> Option<Region> {
    let TestPlace::ThoughtOf(place) = &case.place else {
        return None;
    };
    let keys = (number..).filter_map(|number| RegionKey::new("thought-of", &format!("place-{number}")).ok());
    let key = keys.into_iter().find(|key| !known.contains_key(key))?;
    Some(Region {
        key,
        country: place.country,
        subdivision: place.subdivision.clone(),
        city: None,
        coordinates: None,
        as_of: place.as_of,
        facts: place.facts.clone(),
        zones: BTreeMap::new(),
    })
}

/// The same set over another catalogue, at the instants of its tests.
fn changed(
    set: &PolicySet,
    catalogue: Catalogue,
    exceptions_count: bool,
    instants: &BTreeSet<Timestamp>,
) -> PolicySet {
    let mut definitions = set.definitions.clone();
    if !exceptions_count {
        definitions.exceptions.clear();
    }
    let timeline = epochs_at(&definitions, &catalogue, instants.iter().copied());
    PolicySet {
        digest: set.digest.clone(),
        epochs: timeline.epochs,
        transit_profiles: timeline.transit_profiles,
        definitions,
        catalogue,
        data_sets: set.data_sets.clone(),
        written_at: WrittenAt::default(),
    }
}

/// What data the pod of a case carries, from a cluster of that pod alone.
pub(super) fn profile_of(set: &PolicySet, test: &PolicyTest, case: &TestCase) -> Profile {
    let carrier = &case.carrier;
    let namespace = Namespace {
        labels: carrier.labels.clone(),
        annotations: SourceAnnotations {
            data: carrier.stated,
            profile: carrier.profile.clone(),
            ..SourceAnnotations::default()
        },
    };
    let mut storage_classes = ByName::new();
    let mut volumes = Vec::new();
    if let Some((name, profile)) = &carrier.storage_class {
        let annotations = SourceAnnotations {
            profile: profile.clone(),
            ..SourceAnnotations::default()
        };
        let class = StorageClass {
            annotations,
            ..StorageClass::default()
        };
        storage_classes.insert(name.clone(), class);
        volumes.push(VolumeMount::Ephemeral {
            claim: Arc::from("data"),
            storage_class: Some(name.clone()),
            annotations: Box::default(),
        });
    }
    let pod = PodRequirements {
        namespace: carrier.namespace.clone(),
        name: String::new(),
        uid: String::new(),
        owner: carrier.owner.clone(),
        labels: BTreeMap::new(),
        annotations: SourceAnnotations {
            access: AccessProfile {
                data_sets: carrier.data_sets.clone(),
                ..AccessProfile::default()
            },
            ..SourceAnnotations::default()
        },
        volumes,
        node: None,
        scheduler: Arc::from("domicile"),
        admitted_places: None,
    };
    let fleet = Fleet {
        namespaces: Some(ByName::unit(carrier.namespace.clone(), namespace)),
        storage_classes: Some(storage_classes),
        ..Fleet::default()
    };
    let used = carrier.data_sets.iter().map(|used| &used.name);
    let declared = used.filter_map(|name| Some((name.clone(), Arc::new(set.data_sets.get(name)?.clone()))));
    let facts = Facts {
        fleet: &fleet,
        data_sets: &declared.collect(),
        definitions: &set.definitions,
        catalogue: &set.catalogue,
    };
    let mut profile = profile(facts, &pod, test.at);
    // A case says itself what its pod does: a claim need not be named for it to store.
    profile.performs = case.performs;
    profile
}
