//! A profile that somebody asks about: `classification=confidential categories=personal subjects=DE,group/EEA`.

use super::{RowSubject, rows};
use crate::model::{
    Category, Classification, Country, Dimension, Subdivision, Subject, country_from_near_miss, nearest_word,
};
use crate::policy::PolicySet;

use jiff::Timestamp;

/// The word that says that there are no categories, or no people.
const NONE: &str = "none";

const LISTS: [&str; 3] = ["classification", "categories", "subjects"];

/// A profile of somebody's choice. No list is empty; what is not stated is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenProfile {
    /// As it was written.
    pub words: String,
    /// Classifications.
    pub classifications: Vec<Option<Classification>>,
    /// Categories.
    pub categories: Vec<Dimension<Category>>,
    /// Whose it is.
    pub subjects: Vec<RowSubject>,
}

/// Reads a profile. As on a namespace, `public` alone says that there are neither categories nor people.
///
/// # Errors
/// What cannot be read of it, in a sentence that says how to mend it.
pub fn read_given(set: &PolicySet, text: &str, now: Timestamp) -> Result<GivenProfile, String> {
    let mut classifications = Vec::new();
    let mut categories = Vec::new();
    let mut subjects = Vec::new();
    let mut stated: Vec<&str> = Vec::new();
    for part in text.split_whitespace() {
        let (list, values) = part.split_once('=').unwrap_or((part, ""));
        if stated.contains(&list) {
            return Err(format!("`{list}` is there twice; write its values as one list"));
        }
        stated.push(list);
        let values = values.split(',').map(str::trim);
        match list {
            "classification" => classifications = each(values, classification)?,
            "categories" => categories = each(values, category)?,
            "subjects" => subjects = each(values, |value| subject(set, value, now))?,
            _ => return Err(unknown("list", list, &LISTS)),
        }
    }
    if stated.is_empty() {
        return Err("the profile is empty; write such as `classification=internal`".to_owned());
    }
    let only_public = stated == ["classification"] && classifications == [Some(Classification::Public)];
    if classifications.is_empty() {
        classifications.push(None);
    }
    if categories.is_empty() {
        categories.push(if only_public {
            Dimension::None
        } else {
            Dimension::Missing
        });
    }
    if subjects.is_empty() {
        let unstated = if only_public {
            Dimension::None
        } else {
            Dimension::Missing
        };
        subjects.push(RowSubject::One(unstated));
    }
    Ok(GivenProfile {
        words: text.split_whitespace().collect::<Vec<_>>().join(" "),
        classifications,
        categories,
        subjects,
    })
}

fn each<'t, T>(
    values: impl Iterator<Item = &'t str>,
    read: impl FnMut(&'t str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    values.map(read).collect()
}

fn classification(word: &str) -> Result<Option<Classification>, String> {
    let known = Classification::ALL.map(Classification::word);
    Classification::from_word(word)
        .map(Some)
        .ok_or_else(|| unknown("classification", word, &known))
}

fn category(word: &str) -> Result<Dimension<Category>, String> {
    if word == NONE {
        return Ok(Dimension::None);
    }
    let known = Category::ALL.map(Category::word);
    Category::from_word(word)
        .map(Dimension::Is)
        .ok_or_else(|| unknown("category", word, &known))
}

fn subject(set: &PolicySet, word: &str, now: Timestamp) -> Result<RowSubject, String> {
    if word == NONE {
        return Ok(RowSubject::One(Dimension::None));
    }
    if let Some(name) = word.strip_prefix("group/") {
        let definitions = &set.definitions;
        let groups: Vec<&str> = definitions.groups.iter().map(|group| &*group.name).collect();
        let index = definitions.group(name);
        return index
            .map(|index| rows::group(definitions, index, now))
            .ok_or_else(|| unknown("group", name, &groups));
    }
    let country = Country::new(word).map(Subject::Country);
    let subject = country.or_else(|_| Subdivision::new(word).map(Subject::Subdivision));
    subject
        .map(|subject| RowSubject::One(Dimension::Is(subject)))
        .map_err(|_| match country_from_near_miss(word) {
            Some(meant) => format!("`{word}` is no country code; write `{meant}`"),
            None => format!(
                "`{word}` is no subject; write a country such as `DE`, a part of one such as `CA-QC`, \
                 `group/NAME`, or `none`"
            ),
        })
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest_word(word, known.iter().copied()) {
        Some(near) => format!("unknown {what} `{word}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{word}`; write one of {}", known.join(", ")),
    }
}
