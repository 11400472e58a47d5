//! Kinds of data, people, places and activities in words, as short as they can be said exactly.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Category, Classification, Country, Dimension, Subdivision, Subject};
use crate::policy::PolicySet;
use crate::policy::definition::{Activity, ActivitySet};

/// How many codes are said one by one.
const MOST_CODES: usize = 12;

/// `A, B or C`.
#[must_use]
pub fn any_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Such as `personal data`, `data of no category`.
#[must_use]
pub fn categories(of_data: &BTreeSet<Dimension<Category>>) -> String {
    let holds = |category: Category| of_data.contains(&Dimension::Is(category));
    let is_whole = |category: Category| {
        let kinds = Category::ALL.into_iter().filter(|kind| kind.is_a(category));
        kinds.into_iter().all(holds)
    };
    let mut stated: Vec<String> = Vec::new();
    for category in Category::ALL.into_iter().filter(|category| holds(*category)) {
        let parents = Category::ALL
            .into_iter()
            .filter(|other| *other != category && category.is_a(*other));
        if parents.into_iter().any(is_whole) {
            continue;
        }
        let has_kinds = Category::ALL
            .into_iter()
            .any(|kind| kind != category && kind.is_a(category));
        let mut word = category.word().to_owned();
        if has_kinds && !is_whole(category) {
            word.push_str(" (no kind of it)");
        }
        stated.push(word);
    }
    let all_stated = Category::ALL.into_iter().all(holds);
    let (none, missing) = (
        of_data.contains(&Dimension::None),
        of_data.contains(&Dimension::Missing),
    );
    if all_stated && none && missing {
        return "data of any category".to_owned();
    }
    let mut parts = Vec::new();
    if all_stated {
        parts.push("data of any stated category".to_owned());
    } else if !stated.is_empty() {
        parts.push(format!("{} data", any_of(&stated)));
    }
    parts.extend(none.then(|| "data of no category".to_owned()));
    parts.extend(missing.then(|| "data of unstated category".to_owned()));
    any_of(&parts)
}

/// Such as `any classification`, `confidential or above`.
#[must_use]
pub fn classifications(of_data: &BTreeSet<Option<Classification>>) -> String {
    let stated: Vec<Classification> = of_data.iter().copied().flatten().collect();
    let missing = of_data.contains(&None);
    let mut words = match stated.first() {
        None => String::new(),
        Some(Classification::Public) if stated.len() == Classification::ALL.len() && missing => {
            return "any classification".to_owned();
        }
        Some(Classification::Public) if stated.len() == Classification::ALL.len() => {
            "any stated classification".to_owned()
        }
        Some(least)
            if stated.len() > 1 && stated.last() == Some(&Classification::Restricted) && {
                let above = Classification::ALL.into_iter().filter(|of| of >= least);
                above.count() == stated.len()
            } =>
        {
            format!("{} or above", least.word())
        }
        Some(_) => any_of(&stated.iter().map(|of| of.word().to_owned()).collect::<Vec<_>>()),
    };
    if missing {
        if !words.is_empty() {
            words.push_str(", or ");
        }
        words.push_str("unstated classification");
    }
    words
}

/// Such as `people in group EEA (30 countries)`. `unnamed` are parts that stand for all of their country
/// that nobody names.
#[must_use]
pub fn subjects(
    of_data: &BTreeSet<Dimension<Subject>>,
    unnamed: &BTreeSet<Subdivision>,
    every_part: &BTreeSet<Subdivision>,
    groups: &Groups,
) -> String {
    let mut countries: BTreeSet<Country> = BTreeSet::new();
    let mut parts: BTreeSet<Subdivision> = BTreeSet::new();
    for subject in of_data {
        match subject {
            Dimension::Is(Subject::Country(country)) => {
                countries.insert(*country);
            }
            Dimension::Is(Subject::Subdivision(part)) => {
                parts.insert(part.clone());
            }
            Dimension::None | Dimension::Missing => {}
        }
    }
    let (none, missing) = (
        of_data.contains(&Dimension::None),
        of_data.contains(&Dimension::Missing),
    );
    let everybody = countries.len() == Country::all().count() && parts == *every_part;
    if everybody && none && missing {
        return "about anybody or nobody".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    if !countries.is_empty() || !parts.is_empty() {
        words.push(format!(
            "about people {}",
            where_in(&countries, &parts, unnamed, every_part, groups)
        ));
    }
    words.extend(none.then(|| "about no people".to_owned()));
    words.extend(missing.then(|| "about people of whom nobody says where".to_owned()));
    any_of(&words)
}

/// Countries and parts of them: `in group EEA (30 countries)`, `anywhere but CN`.
#[must_use]
pub fn where_in(
    countries: &BTreeSet<Country>,
    parts: &BTreeSet<Subdivision>,
    unnamed: &BTreeSet<Subdivision>,
    every_part: &BTreeSet<Subdivision>,
    groups: &Groups,
) -> String {
    let mut words: Vec<String> = Vec::new();
    if !countries.is_empty() {
        words.push(countries_in_words(countries, groups));
    }
    let say = |part: &Subdivision| match unnamed.contains(part) {
        true => format!("in other parts of {}", part.country()),
        false => format!("in {part}"),
    };
    words.extend(
        parts
            .iter()
            .filter(|part| !countries.contains(&part.country()))
            .map(say),
    );
    let left_out: Vec<String> = every_part
        .iter()
        .filter(|part| countries.contains(&part.country()) && !parts.contains(*part))
        .map(say)
        .collect();
    let mut said = any_of(&words);
    if !left_out.is_empty() {
        said.push_str(&format!(", but not {}", any_of(&left_out)));
    }
    said
}

fn countries_in_words(countries: &BTreeSet<Country>, groups: &Groups) -> String {
    let all = Country::all().count();
    if countries.len() == all {
        return "anywhere".to_owned();
    }
    if let Some(group) = groups.exactly(countries) {
        return format!("in {group}");
    }
    if countries.len() * 2 > all {
        let others: BTreeSet<Country> = Country::all()
            .filter(|country| !countries.contains(country))
            .collect();
        return format!("anywhere but in {}", listed(&others, groups));
    }
    format!("in {}", listed(countries, groups))
}

/// Codes, with the largest groups that are wholly among them in their stead.
fn listed(countries: &BTreeSet<Country>, groups: &Groups) -> String {
    if let Some(group) = groups.exactly(countries) {
        return group;
    }
    let mut left = countries.clone();
    let mut words = Vec::new();
    if left.len() > MOST_CODES {
        for (name, members) in &groups.by_size {
            if members.len() > 2 && members.is_subset(&left) {
                left.retain(|country| !members.contains(country));
                words.push(in_group(name, members));
            }
        }
    }
    let more = left.len().saturating_sub(MOST_CODES);
    words.extend(
        left.iter()
            .take(MOST_CODES)
            .map(|country| country.code().to_owned()),
    );
    if more > 0 {
        words.push(format!("{more} more countries"));
    }
    any_of(&words)
}

fn in_group(name: &str, members: &BTreeSet<Country>) -> String {
    format!("group {name} ({} countries)", members.len())
}

/// Groups by their countries, to say many countries in one word.
#[derive(Debug)]
pub struct Groups {
    /// The largest first.
    by_size: Vec<(String, BTreeSet<Country>)>,
}

impl Groups {
    /// The groups of the newer set, and those of the older that it lacks, as they are at an instant.
    #[must_use]
    pub fn of(old: &PolicySet, new: &PolicySet, at: Timestamp) -> Self {
        let mut by_size: Vec<(String, BTreeSet<Country>)> = Vec::new();
        for set in [new, old] {
            for (index, group) in set.definitions.groups.iter().enumerate() {
                let subjects = set.definitions.subjects_of(index, at).into_iter();
                let countries = subjects.filter_map(|subject| match subject {
                    Subject::Country(country) => Some(country),
                    Subject::Subdivision(_) => None,
                });
                let countries: BTreeSet<Country> = countries.collect();
                let is_known = by_size.iter().any(|(name, _)| **name == *group.name);
                if !is_known && countries.len() > 1 {
                    by_size.push((group.name.to_string(), countries));
                }
            }
        }
        by_size.sort_by(|(name, members), (other, others)| {
            others.len().cmp(&members.len()).then_with(|| name.cmp(other))
        });
        Self { by_size }
    }

    fn exactly(&self, countries: &BTreeSet<Country>) -> Option<String> {
        let found = self.by_size.iter().find(|(_, members)| members == countries);
        found.map(|(name, members)| in_group(name, members))
    }
}

/// Such as `processed and stored`.
#[must_use]
pub fn activities(sets: &[ActivitySet]) -> String {
    let has = |stores: bool, replicates: bool| {
        sets.iter().any(|set| {
            set.contains(Activity::Store) == stores && set.contains(Activity::Replicate) == replicates
        })
    };
    let known = [
        has(false, false),
        has(true, false),
        has(false, true),
        has(true, true),
    ];
    match known {
        [true, true, true, true] => "processed, stored and replicated",
        [true, true, false, false] => "processed and stored",
        [true, false, false, false] => "processed without being stored",
        [false, true, false, false] => "stored",
        [false, false, true, true] => "replicated",
        [false, true, false, true] => "stored, and replicated too",
        [true, false, true, false] => "processed, and replicated too, without being stored",
        [false, false, true, false] => "replicated without being stored by a claim",
        [false, false, false, true] => "stored and replicated at once",
        _ => "processed, stored or replicated, not in every combination",
    }
    .to_owned()
}
