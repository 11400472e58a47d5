//! The catalogue: what the company knows about each region, and the dense numbering of places that
//! makes a policy a set of bits.
//!
//! Invariants: place 0 is the unknown place; every catalogued region has a place; a zone has a place of
//! its own only where it states facts of its own, and then never another country than its region.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    Coordinates, Country, Locality, Membership, Region, RegionKey, RegionReference, Subdivision, ZoneFacts,
};

/// A place, densely numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceIndex(usize);

impl PlaceIndex {
    /// A place of which nothing is known: no label, or one that the catalogue does not resolve.
    pub const UNKNOWN: Self = Self(0);

    /// The number, to index a table that has one row for each place.
    #[must_use]
    pub fn as_usize(self) -> usize {
        self.0
    }
}

/// The facts of a place that rules look at; what is absent is unknown.
#[derive(Debug, Clone, Default)]
pub struct PlaceFacts {
    /// The region; `None` only for the unknown place.
    pub region: Option<RegionKey>,
    /// The zone, where it has facts of its own.
    pub zone: Option<Arc<str>>,
    /// The country.
    pub country: Option<Country>,
    /// The part of it.
    pub subdivision: Option<Subdivision>,
    /// The rest.
    pub facts: ZoneFacts,
    /// The instant from which on the facts are known to be true; `None` where nothing is known.
    pub as_of: Option<Timestamp>,
    /// For a place that is only thought of: what it answers to every requirement, whatever it asks.
    pub assumed: Option<Membership>,
}

/// What the company knows about regions.
#[derive(Debug, Clone)]
pub struct Catalogue {
    regions: BTreeMap<RegionKey, Region>,
    places: Vec<PlaceFacts>,
    by_region: BTreeMap<RegionKey, PlaceIndex>,
    by_zone: BTreeMap<(RegionKey, Arc<str>), PlaceIndex>,
    by_bare_region: BTreeMap<Arc<str>, Option<RegionKey>>,
}

impl Catalogue {
    /// Numbers the places of these regions.
    #[must_use]
    pub fn new(regions: BTreeMap<RegionKey, Region>) -> Self {
        let mut catalogue = Self {
            places: vec![PlaceFacts::default()],
            by_region: BTreeMap::new(),
            by_zone: BTreeMap::new(),
            by_bare_region: BTreeMap::new(),
            regions,
        };
        for region in catalogue.regions.values() {
            let place = |zone: Option<Arc<str>>, facts: ZoneFacts| PlaceFacts {
                region: Some(region.key.clone()),
                zone,
                country: Some(region.country),
                subdivision: region.subdivision.clone(),
                facts,
                as_of: Some(region.as_of),
                assumed: None,
            };
            catalogue
                .by_region
                .insert(region.key.clone(), PlaceIndex(catalogue.places.len()));
            catalogue.places.push(place(None, region.facts.clone()));
            for (zone, own) in &region.zones {
                let facts = overlay(&region.facts, own);
                let index = PlaceIndex(catalogue.places.len());
                catalogue
                    .by_zone
                    .insert((region.key.clone(), zone.clone()), index);
                catalogue.places.push(place(Some(zone.clone()), facts));
            }
            catalogue
                .by_bare_region
                .entry(Arc::from(region.key.region()))
                .and_modify(|unique| *unique = None)
                .or_insert_with(|| Some(region.key.clone()));
        }
        catalogue
    }

    /// A catalogue of places that need not exist: they are numbered from 1 in their order, and nothing
    /// resolves to them.
    #[must_use]
    pub fn hypothetical(places: impl IntoIterator<Item = PlaceFacts>) -> Self {
        let mut catalogue = Self::new(BTreeMap::new());
        catalogue.places.extend(places);
        catalogue
    }

    /// The region that a reference means: a bare one only where it is unique.
    #[must_use]
    pub fn resolve<'a>(&'a self, reference: &'a RegionReference) -> Option<&'a RegionKey> {
        match reference {
            RegionReference::Key(key) => self.regions.get_key_value(key).map(|(key, _)| key),
            RegionReference::Bare(region) => self.by_bare_region.get(region)?.as_ref(),
        }
    }

    /// The place of a locality; what does not resolve is unknown.
    #[must_use]
    pub fn place(&self, locality: &Locality) -> PlaceIndex {
        let region = locality
            .region
            .as_ref()
            .and_then(|reference| self.resolve(reference));
        let Some(region) = region else {
            return PlaceIndex::UNKNOWN;
        };
        let of_zone = locality
            .zone
            .as_ref()
            .and_then(|zone| self.by_zone.get(&(region.clone(), zone.clone())));
        of_zone
            .or_else(|| self.by_region.get(region))
            .copied()
            .unwrap_or(PlaceIndex::UNKNOWN)
    }

    /// The place of a region, and those of its zones that have one.
    #[must_use]
    pub fn places_of(
        &self,
        region: &RegionKey,
    ) -> Option<(PlaceIndex, impl Iterator<Item = (&Arc<str>, PlaceIndex)>)> {
        let whole = *self.by_region.get(region)?;
        let zones = self.regions.get(region)?.zones.keys();
        // Zones are numbered after their region.
        let numbered = zones
            .zip(whole.0 + 1..)
            .map(|(zone, number)| (zone, PlaceIndex(number)));
        Some((whole, numbered))
    }

    /// The facts of a place.
    #[must_use]
    pub fn facts(&self, place: PlaceIndex) -> Option<&PlaceFacts> {
        self.places.get(place.0)
    }

    /// Every place with its facts, the unknown one first.
    pub fn places(&self) -> impl Iterator<Item = (PlaceIndex, &PlaceFacts)> {
        self.places
            .iter()
            .enumerate()
            .map(|(index, facts)| (PlaceIndex(index), facts))
    }

    /// Every region, in the order of its key.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    /// A region by its key.
    #[must_use]
    pub fn region(&self, key: &RegionKey) -> Option<&Region> {
        self.regions.get(key)
    }

    /// Where the regions lie, as far as it is known.
    #[must_use]
    pub fn coordinates(&self) -> BTreeMap<RegionKey, Coordinates> {
        self.regions
            .values()
            .filter_map(|region| Some((region.key.clone(), region.coordinates?)))
            .collect()
    }

    /// A set of places that holds none.
    #[must_use]
    pub fn no_place(&self) -> PlaceSet {
        PlaceSet {
            words: vec![0; self.places.len().div_ceil(64)],
        }
    }

    /// A set of places that holds all, the unknown one among them.
    #[must_use]
    pub fn every_place(&self) -> PlaceSet {
        let mut set = self.no_place();
        for (place, _) in self.places() {
            set.insert(place);
        }
        set
    }
}

/// What a zone states stands before what its region states.
fn overlay(region: &ZoneFacts, own: &ZoneFacts) -> ZoneFacts {
    ZoneFacts {
        operator: own.operator.clone().or_else(|| region.operator.clone()),
        certifications: own
            .certifications
            .clone()
            .or_else(|| region.certifications.clone()),
        key_custody: own.key_custody.or(region.key_custody),
        tenancy: own.tenancy.or(region.tenancy),
    }
}

/// A set of places, one bit each. Sets of different catalogues never meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceSet {
    words: Vec<u64>,
}

impl PlaceSet {
    /// The set of no place at all, of any catalogue.
    pub const NONE: Self = Self { words: Vec::new() };

    /// Adds a place.
    pub fn insert(&mut self, place: PlaceIndex) {
        if let Some(word) = self.words.get_mut(place.0 / 64) {
            *word |= 1 << (place.0 % 64);
        }
    }

    /// Whether it holds the place.
    #[must_use]
    pub fn contains(&self, place: PlaceIndex) -> bool {
        self.words
            .get(place.0 / 64)
            .is_some_and(|word| word & (1 << (place.0 % 64)) != 0)
    }

    /// Keeps what the other holds too.
    pub fn intersect(&mut self, other: &Self) {
        for (word, of_other) in self.words.iter_mut().zip(&other.words) {
            *word &= of_other;
        }
    }

    /// Adds what the other holds.
    pub fn unite(&mut self, other: &Self) {
        for (word, of_other) in self.words.iter_mut().zip(&other.words) {
            *word |= of_other;
        }
    }

    /// Removes what the other holds.
    pub fn subtract(&mut self, other: &Self) {
        for (word, of_other) in self.words.iter_mut().zip(&other.words) {
            *word &= !of_other;
        }
    }

    /// The places in it, in their order.
    pub fn iter(&self) -> impl Iterator<Item = PlaceIndex> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(number, word)| {
            let bits = (0..64).filter(move |bit| word & (1 << bit) != 0);
            bits.map(move |bit| PlaceIndex(number * 64 + bit))
        })
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether everything in it is in the other too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let of_other = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words
            .iter()
            .zip(of_other)
            .all(|(word, of_other)| word & !of_other == 0)
    }
}
