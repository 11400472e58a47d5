//! A rectangle of cells in words.
//!
//! Inputs: a rectangle, what its numbers stand for. Outputs: words for people and lists for programs.
//! Invariant: the lists are whole; only words leave out what would be too long to read, and say how much.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::causes::{ANY_FACTS, ANY_REGION};
use super::cells::When;
use super::changes::{About, Change};
use super::circumstances::{Asserted, Circumstances};
use super::data::{DataKinds, unnamed_parts};
use super::places::{Places, Spot};
use super::rectangles::{DatumKind, Rectangle};
use super::words::{Groups, activities, any_of, categories, classifications, subjects, where_in};
use crate::model::{Country, DataTuple, Dimension, Subdivision, Subject};
use crate::policy::PolicySet;
use crate::policy::calendar::{day_or_instant, last_day_or_instant};
use crate::policy::catalogue::PlaceIndex;
use crate::policy::definition::ActivitySet;

/// How many regions are said one by one.
const MOST_REGIONS: usize = 6;

/// Cells that move together, in words and as lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which data, such as `personal data (any classification) about people in group EEA (30 countries)`.
    pub data: String,
    /// Classifications, categories and subjects, as records write them.
    pub tuples: [Vec<String>; 3],
    /// Of which pods, where not of all.
    pub pods: Option<String>,
    /// Such as `processed and stored`.
    pub activities: String,
    /// Where.
    pub places: ToldPlaces,
    /// Such as `from 2027-01-01`; empty for now and for ever.
    pub when: String,
    /// The stretches of time: the first instant, and the first one after.
    pub stretches: Vec<(Timestamp, Option<Timestamp>)>,
    /// The changes that make it so.
    pub because: Vec<String>,
}

/// Where cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldPlaces {
    /// In words.
    pub words: String,
    /// Regions of a catalogue, and zones of them that have facts of their own.
    pub regions: Vec<String>,
    /// Countries and parts of countries, whether or not a region is there.
    pub countries: Vec<String>,
    /// Those of which this holds only for a place that meets every requirement.
    pub countries_where_requirements_are_met: Vec<String>,
    /// Whether the unknown place is among them.
    pub unknown: bool,
}

/// What the numbers of a rectangle stand for.
pub struct Teller<'a> {
    pub sets: (&'a PolicySet, &'a PolicySet),
    pub at: Timestamp,
    pub places: &'a Places,
    pub data: &'a DataKinds,
    pub circumstances: &'a [Circumstances],
    pub performed: &'a [Vec<ActivitySet>],
    pub changes: &'a [Change],
}

impl Teller<'_> {
    /// The changes that make a rectangle.
    #[must_use]
    pub fn because(&self, rectangle: &Rectangle) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for number in &rectangle.aspect.because {
            let is_facts = match *number {
                ANY_REGION => false,
                ANY_FACTS => true,
                number => {
                    found.insert(number);
                    continue;
                }
            };
            let regions: BTreeSet<_> = rectangle
                .places
                .iter()
                .filter_map(|place| match self.places.spot(*place)? {
                    Spot::Catalogued(key, _) => Some(key),
                    Spot::ThoughtOf { .. } => None,
                })
                .collect();
            let changes = self.changes.iter().enumerate();
            found.extend(
                changes
                    .filter(|(_, change)| match &change.about {
                        About::Region(key) => !is_facts && regions.contains(key),
                        About::RegionFacts(key) => is_facts && regions.contains(key),
                        _ => false,
                    })
                    .map(|(number, _)| number),
            );
        }
        found
    }

    /// Tells a rectangle; one of a declared data set by its name.
    #[must_use]
    pub fn tell(&self, rectangle: &Rectangle, data_set: Option<&str>) -> Told {
        let groups = Groups::of(self.sets.0, self.sets.1, self.at);
        let because = self.because(rectangle).into_iter();
        let performed: Vec<ActivitySet> = rectangle
            .performs
            .iter()
            .filter_map(|number| self.performed.get(*number))
            .flatten()
            .copied()
            .collect();
        let (data, tuples) = match data_set {
            Some(name) => (format!("the data of data set `{name}`"), Default::default()),
            None => self.data(rectangle, &groups),
        };
        Told {
            data,
            tuples,
            pods: data_set.is_none().then(|| self.pods(rectangle)).flatten(),
            activities: activities(&performed),
            places: self.places(rectangle, &groups),
            when: when_in_words(&rectangle.aspect.when, self.at),
            stretches: rectangle.aspect.when.clone(),
            because: because
                .filter_map(|number| Some(self.changes.get(number)?.sentence.clone()))
                .collect(),
        }
    }

    fn data(&self, rectangle: &Rectangle, groups: &Groups) -> (String, [Vec<String>; 3]) {
        match rectangle.kind {
            DatumKind::Unlabelled => {
                return (
                    "data of which nobody says anything".to_owned(),
                    Default::default(),
                );
            }
            DatumKind::NoData => {
                return (
                    "what is stated to be no governed data".to_owned(),
                    Default::default(),
                );
            }
            DatumKind::Data => {}
        }
        fn expanded<T: Ord + Clone>(numbers: &BTreeSet<usize>, kinds: &[Vec<T>]) -> BTreeSet<T> {
            numbers
                .iter()
                .filter_map(|number| kinds.get(*number))
                .flatten()
                .cloned()
                .collect()
        }
        let of_classification = expanded(&rectangle.classifications, &self.data.classifications);
        let of_category = expanded(&rectangle.categories, &self.data.categories);
        let of_subject = expanded(&rectangle.subjects, &self.data.subjects);
        let (every_part, unnamed) = self.parts();
        let said = format!(
            "{} ({}) {}",
            categories(&of_category),
            classifications(&of_classification),
            subjects(&of_subject, &unnamed, &every_part, groups)
        );
        let words = |tuple: DataTuple| tuple.words();
        let classification = of_classification.into_iter().map(|classification| {
            let [word, ..] = words(DataTuple {
                classification,
                ..DataTuple::UNKNOWN
            });
            word
        });
        let category = of_category.into_iter().map(|category| {
            let [_, word, _] = words(DataTuple {
                category,
                ..DataTuple::UNKNOWN
            });
            word
        });
        let subject = of_subject.into_iter().map(|subject| {
            let [.., word] = words(DataTuple {
                subject,
                ..DataTuple::UNKNOWN
            });
            word
        });
        (
            said,
            [classification.collect(), category.collect(), subject.collect()],
        )
    }

    /// Every part that is a subject or a place, and those of them that stand for what nobody names.
    fn parts(&self) -> (BTreeSet<Subdivision>, BTreeSet<Subdivision>) {
        let of_subjects = self
            .data
            .subjects
            .iter()
            .flatten()
            .filter_map(|subject| match subject {
                Dimension::Is(Subject::Subdivision(part)) => Some(part.clone()),
                _ => None,
            });
        let every: BTreeSet<Subdivision> = of_subjects.collect();
        // The one that stands for the others is the one that is left where the others are named.
        let named: BTreeSet<Subdivision> = [self.sets.0, self.sets.1]
            .into_iter()
            .flat_map(|set| super::places::parts_named(&set.definitions))
            .collect();
        let unnamed = unnamed_parts(&named).intersection(&every).cloned().collect();
        (every, unnamed)
    }

    fn pods(&self, rectangle: &Rectangle) -> Option<String> {
        if rectangle.circumstances.contains(&0) {
            return None;
        }
        let numbers = rectangle.circumstances.iter();
        let words: BTreeSet<String> = numbers
            .filter_map(|number| Some(self.circumstances_in_words(self.circumstances.get(*number)?)))
            .collect();
        let more = words.len().saturating_sub(3);
        let mut said: Vec<String> = words.into_iter().take(3).collect();
        if more > 0 {
            said.push(format!("in {more} more circumstances"));
        }
        Some(said.join("; or "))
    }

    fn circumstances_in_words(&self, circumstances: &Circumstances) -> String {
        let mut words: Vec<String> = Vec::new();
        if let Some((namespace, owner)) = &circumstances.excepted {
            let mut said = format!("in namespace `{namespace}`");
            if let Some((kind, name)) = owner {
                said.push_str(&format!(" owned by {kind} `{name}`"));
            }
            words.push(said);
        }
        if !circumstances.labels.is_empty() {
            let labels = circumstances
                .labels
                .iter()
                .map(|(key, value)| format!("`{key}: {value}`"));
            words.push(format!(
                "in namespaces with {}",
                labels.collect::<Vec<_>>().join(" and ")
            ));
        }
        words.extend(
            circumstances
                .storage_classes
                .iter()
                .map(|class| format!("on storage class `{class}`")),
        );
        match &circumstances.copy {
            None => words.extend(
                circumstances
                    .data_sets
                    .iter()
                    .map(|name| format!("with data set `{name}`")),
            ),
            Some(copy) => {
                let place = match self.places.spot(copy.place) {
                    None => "an unknown place".to_owned(),
                    Some(Spot::Catalogued(key, _)) => format!("`{key}` and the like"),
                    Some(Spot::ThoughtOf { country, .. }) => format!("{country} and the like"),
                };
                let verb = if copy.is_written { "write" } else { "read" };
                words.push(format!("that {verb} a data set whose only copy is in {place}"));
            }
        }
        match &circumstances.asserted {
            Asserted::Pod => {}
            Asserted::Namespace => words.push("as the namespace says".to_owned()),
            Asserted::StorageClass(class) => words.push(format!("as storage class `{class}` says")),
            Asserted::DataSet(name) => words.push(format!("as data set `{name}` says")),
        }
        words.join(" ")
    }

    fn places(&self, rectangle: &Rectangle, groups: &Groups) -> ToldPlaces {
        let held = |place: PlaceIndex| rectangle.places.contains(&place);
        let mut regions: Vec<String> = Vec::new();
        let mut by_country: BTreeMap<Country, OfCountry> = BTreeMap::new();
        for (index, _) in self.places.numbering().places() {
            let (Some(spot), Some(country)) = (self.places.spot(index), self.places.country(index)) else {
                continue;
            };
            let of_country = by_country.entry(country).or_default();
            match spot {
                Spot::Catalogued(key, zone) => {
                    let name = match zone {
                        Some(zone) => format!("{key} zone {zone}"),
                        None => key.to_string(),
                    };
                    if held(index) {
                        regions.push(name.clone());
                        of_country.regions.push(name);
                    } else {
                        of_country.other_regions += 1;
                    }
                }
                Spot::ThoughtOf {
                    part: None,
                    meets_requirements: true,
                    ..
                } => of_country.met = held(index),
                Spot::ThoughtOf { part: None, .. } => of_country.unmet = held(index),
                Spot::ThoughtOf { part: Some(part), .. } => {
                    if held(index) {
                        of_country.parts.insert(part.clone());
                    }
                }
            }
        }
        let unknown = held(PlaceIndex::UNKNOWN);
        let names = |wanted: fn(&OfCountry) -> bool| -> Vec<String> {
            let countries = by_country.iter().filter(|(_, of)| wanted(of));
            countries.map(|(country, _)| country.code().to_owned()).collect()
        };
        ToldPlaces {
            words: places_in_words(&by_country, unknown, groups),
            regions,
            countries: names(|of| of.met && of.unmet),
            countries_where_requirements_are_met: names(|of| of.met && !of.unmet),
            unknown,
        }
    }
}

/// What of a country is in a rectangle.
#[derive(Default)]
struct OfCountry {
    regions: Vec<String>,
    other_regions: usize,
    met: bool,
    unmet: bool,
    parts: BTreeSet<Subdivision>,
}

fn places_in_words(by_country: &BTreeMap<Country, OfCountry>, unknown: bool, groups: &Groups) -> String {
    let mut said: Vec<String> = Vec::new();
    let none = BTreeSet::new();
    for (is_met, is_unmet, condition) in [
        (true, true, ""),
        (true, false, " where a place meets all that is required"),
        (false, true, " where a place does not meet what is required"),
    ] {
        let of_kind = || {
            by_country
                .iter()
                .filter(|(_, of)| (of.met, of.unmet) == (is_met, is_unmet))
        };
        let countries: BTreeSet<Country> = of_kind().map(|(country, _)| *country).collect();
        if countries.is_empty() {
            continue;
        }
        let place = where_in(&countries, &none, &none, &none, groups);
        let regions: Vec<&String> = of_kind().flat_map(|(_, of)| &of.regions).collect();
        let others: usize = of_kind().map(|(_, of)| of.other_regions).sum();
        let without: usize = of_kind()
            .filter(|(_, of)| of.regions.is_empty() && of.other_regions == 0)
            .count();
        let tail = match (regions.as_slice(), others) {
            ([], 0) => " (no catalogued region there)".to_owned(),
            ([], _) => " (no catalogued region there that does)".to_owned(),
            (regions, others) => {
                let mut tail = format!(": {}", some_of(regions));
                if others > 0 {
                    let regions = if others == 1 { "region" } else { "regions" };
                    tail.push_str(&format!(" (not {others} other {regions} there)"));
                }
                if without > 0 {
                    tail.push_str(&format!(
                        " (no catalogued region in {without} of these countries)"
                    ));
                }
                tail
            }
        };
        said.push(format!("{place}{condition}{tail}"));
    }
    let parts: Vec<String> = by_country
        .values()
        .filter(|of| !of.met && !of.unmet)
        .flat_map(|of| &of.parts)
        .map(|part| format!("in {part}"))
        .collect();
    if !parts.is_empty() {
        said.push(any_of(&parts));
    }
    let alone = by_country.values().filter(|of| !of.met && !of.unmet);
    let alone: Vec<&String> = alone.flat_map(|of| &of.regions).collect();
    if !alone.is_empty() {
        let word = if alone.len() == 1 { "region" } else { "regions" };
        said.push(format!("in {word} {}", some_of(&alone)));
    }
    if unknown {
        said.push("on nodes whose place is not known".to_owned());
    }
    said.join("; and ")
}

fn some_of(regions: &[&String]) -> String {
    let more = regions.len().saturating_sub(MOST_REGIONS);
    let mut words: Vec<String> = regions
        .iter()
        .take(MOST_REGIONS)
        .map(|region| (*region).clone())
        .collect();
    if more > 0 {
        words.push(format!("{more} more"));
    }
    words.join(", ")
}

fn when_in_words(when: &When, at: Timestamp) -> String {
    let stretches = when.iter().map(|(from, until)| {
        let from = (*from > at).then(|| format!("from {}", day_or_instant(*from)));
        let until = until.map(|until| format!("until {}", last_day_or_instant(until)));
        [from, until].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    stretches
        .filter(|words| !words.is_empty())
        .collect::<Vec<_>>()
        .join(" and again ")
}
