//! The three lists of a profile.
//!
//! `public` alone means that there are neither categories nor subjects; the policy engine completes it
//! so. Here it is read as it stands.

use super::lists::did_you_mean;
use super::{DATA_CATEGORIES, DATA_CLASSIFICATION, DATA_SUBJECTS, ObjectKind, Reader};
use crate::model::{
    Category, Classification, Country, Dimension, Subdivision, Subject, country_from_near_miss,
};
use crate::objects::quoted::quoted;

/// The word that says that there are no categories, or no people.
const NONE: &str = "none";

impl Reader {
    /// Reads `domicile.dev/data-classification`.
    pub(super) fn classifications(&mut self, value: &str) -> Option<Vec<Classification>> {
        let kind = self.kind;
        let known = Classification::ALL.map(Classification::word);
        let members = self.members(
            DATA_CLASSIFICATION,
            value,
            ',',
            |written| match Classification::from_word(written) {
                Some(Classification::Public) if kind.only_adds() => Err(only_adds(kind, "public")),
                Some(classification) => Ok(classification),
                None if written == NONE && kind == ObjectKind::Namespace => Err(
                    "there is no classification `none`; for a Namespace without governed data write \
                     `domicile.dev/data: none`"
                        .to_owned(),
                ),
                None => Err(format!(
                    "unknown classification {}; {}",
                    quoted(written),
                    did_you_mean(written, &known)
                )),
            },
        );
        (!members.is_empty()).then_some(members)
    }

    /// Reads `domicile.dev/data-categories`.
    pub(super) fn categories(&mut self, value: &str) -> Option<Vec<Dimension<Category>>> {
        let known = Category::ALL.map(Category::word);
        self.dimension(DATA_CATEGORIES, value, |written| {
            Category::from_word(written).ok_or_else(|| {
                format!(
                    "unknown category {}; {}",
                    quoted(written),
                    did_you_mean(written, &known)
                )
            })
        })
    }

    /// Reads `domicile.dev/data-subjects`.
    pub(super) fn subjects(&mut self, value: &str) -> Option<Vec<Dimension<Subject>>> {
        self.dimension(DATA_SUBJECTS, value, subject)
    }

    /// Reads a list whose only member may be `none`. Beside others `none` is told and left out: of the
    /// two the others restrict.
    fn dimension<T: PartialEq>(
        &mut self,
        annotation: &'static str,
        value: &str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<Dimension<T>>> {
        let kind = self.kind;
        let stands_alone = value.trim() == NONE;
        let members = self.members(annotation, value, ',', |written| match written {
            NONE if kind.only_adds() => Err(only_adds(kind, NONE)),
            NONE if stands_alone => Ok(Dimension::None),
            NONE => Err("`none` stands beside other values; keep one or the other".to_owned()),
            written => read(written).map(Dimension::Is),
        });
        (!members.is_empty()).then_some(members)
    }
}

fn only_adds(kind: ObjectKind, word: &str) -> String {
    format!(
        "a {} only adds data and cannot say `{word}`; say it on the Namespace",
        kind.word()
    )
}

/// Reads the code of a country or of a part of one. What people write by mistake is not taken, because
/// the files of one company should mean the same to every tool; the sentence says what to write.
fn subject(written: &str) -> Result<Subject, String> {
    if let Ok(country) = Country::new(written) {
        return Ok(Subject::Country(country));
    }
    if let Ok(subdivision) = Subdivision::new(written) {
        return Ok(Subject::Subdivision(subdivision));
    }
    let said = quoted(written);
    if written.starts_with("group/") {
        return Err(format!(
            "{said} is a group; name countries here or name a data set that has the group"
        ));
    }
    if let Some(country) = country_from_near_miss(written) {
        return Err(format!(
            "{said} is not an ISO 3166-1 country code; write `{country}`"
        ));
    }
    if let Some((country, part)) = written.split_once('-')
        && let Some(country) = country_from_near_miss(country)
        && let Ok(meant) = Subdivision::new(&format!("{country}-{}", part.to_ascii_uppercase()))
    {
        return Err(format!(
            "{said} is not an ISO 3166-2 subdivision code; write `{meant}`"
        ));
    }
    Err(format!(
        "{said} is neither an ISO 3166-1 country code nor an ISO 3166-2 subdivision code; write such as \
         `DE` or `CA-QC`"
    ))
}
