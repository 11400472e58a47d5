//! What data a pod carries: classification, category and subject, and the tuples made of them
//! (docs/policies.md, 1 and 2).
//!
//! Invariant: a profile is a set of tuples. Tuples are never merged: merging widened placements.

use std::fmt;

use super::place::{Country, Subdivision};

/// How sensitive data is. The order is the order of sensitivity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// May be published.
    Public,
    /// For the company.
    Internal,
    /// For some in the company.
    Confidential,
    /// For few.
    Restricted,
}

impl Classification {
    /// Every classification, least sensitive first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// The word that files and annotations use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }

    /// Finds a classification by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|classification| classification.word() == word)
    }
}

/// What data is about. Some categories are kinds of others: see [`Category::parent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// About an identified or identifiable person.
    Personal,
    /// Personal data that the law protects in particular.
    SpecialCategory,
    /// About a person's health.
    Health,
    /// Measurements of a body.
    Biometric,
    /// About inherited characteristics.
    Genetic,
    /// About a child.
    Child,
    /// Where a person is, precisely.
    PreciseLocation,
    /// About offences and convictions.
    CriminalJustice,
    /// Payment cards and accounts.
    Payment,
    /// Finances of a person or company.
    Financial,
    /// Under export control.
    ExportControlled,
    /// Of a public authority.
    Government,
    /// Operational measurements.
    Telemetry,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 13] = [
        Self::Personal,
        Self::SpecialCategory,
        Self::Health,
        Self::Biometric,
        Self::Genetic,
        Self::Child,
        Self::PreciseLocation,
        Self::CriminalJustice,
        Self::Payment,
        Self::Financial,
        Self::ExportControlled,
        Self::Government,
        Self::Telemetry,
    ];

    /// The word that files and annotations use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::SpecialCategory => "special-category",
            Self::Health => "health",
            Self::Biometric => "biometric",
            Self::Genetic => "genetic",
            Self::Child => "child",
            Self::PreciseLocation => "precise-location",
            Self::CriminalJustice => "criminal-justice",
            Self::Payment => "payment",
            Self::Financial => "financial",
            Self::ExportControlled => "export-controlled",
            Self::Government => "government",
            Self::Telemetry => "telemetry",
        }
    }

    /// Finds a category by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.word() == word)
    }

    /// The category that this one is a kind of (docs/policies.md, 1).
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Health | Self::Biometric | Self::Genetic => Some(Self::SpecialCategory),
            Self::SpecialCategory | Self::Child | Self::PreciseLocation | Self::CriminalJustice => {
                Some(Self::Personal)
            }
            Self::Personal
            | Self::Payment
            | Self::Financial
            | Self::ExportControlled
            | Self::Government
            | Self::Telemetry => None,
        }
    }

    /// Whether this category is `other` or a kind of it.
    #[must_use]
    pub fn is_a(self, other: Self) -> bool {
        self == other || self.parent().is_some_and(|parent| parent.is_a(other))
    }
}

/// A set of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategorySet(u16);

impl CategorySet {
    /// Adds a category and every kind of it, as a selector on it matches them all.
    pub fn insert_with_descendants(&mut self, category: Category) {
        for kind in Category::ALL.into_iter().filter(|kind| kind.is_a(category)) {
            self.0 |= 1 << kind as u16;
        }
    }

    /// Whether the category is in the set.
    #[must_use]
    pub fn contains(self, category: Category) -> bool {
        self.0 & (1 << category as u16) != 0
    }
}

/// Whose data it is: the people of a country or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// People of a country.
    Country(Country),
    /// People of a part of a country.
    Subdivision(Subdivision),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => country.fmt(formatter),
            Self::Subdivision(subdivision) => subdivision.fmt(formatter),
        }
    }
}

/// One dimension of a tuple.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension<T> {
    /// Not stated: it may be anything, so it may match every selector and matches none surely.
    Missing,
    /// Stated to be none.
    None,
    /// Stated.
    Is(T),
}

/// Data with one classification, one category and one subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataTuple {
    /// How sensitive it is; `None` where it is not stated.
    pub classification: Option<Classification>,
    /// What it is about.
    pub category: Dimension<Category>,
    /// Whose it is.
    pub subject: Dimension<Subject>,
}

impl DataTuple {
    /// The tuple of which nothing is known.
    pub const UNKNOWN: Self = Self {
        classification: None,
        category: Dimension::Missing,
        subject: Dimension::Missing,
    };

    /// Classification, category and subject as records and reports write them; `unknown` where a dimension
    /// is not stated.
    #[must_use]
    pub fn words(&self) -> [String; 3] {
        let classification = self.classification.map_or("unknown", Classification::word);
        let category = match self.category {
            Dimension::Missing => "unknown",
            Dimension::None => "none",
            Dimension::Is(category) => category.word(),
        };
        let subject = match &self.subject {
            Dimension::Missing => "unknown".to_owned(),
            Dimension::None => "none".to_owned(),
            Dimension::Is(subject) => subject.to_string(),
        };
        [classification.to_owned(), category.to_owned(), subject]
    }

    /// Whether every dimension is stated.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.classification.is_some()
            && self.category != Dimension::Missing
            && self.subject != Dimension::Missing
    }
}

/// What a source asserts about the data of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tuple {
    /// The namespace says nothing: no data selector matches, and the settings decide.
    Unlabelled,
    /// Stated to be no governed data: no data selector matches.
    NoData,
    /// Data.
    Data(DataTuple),
}

impl fmt::Display for Tuple {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = match self {
            Self::Unlabelled => return formatter.write_str("unlabelled"),
            Self::NoData => return formatter.write_str("no governed data"),
            Self::Data(data) => data,
        };
        let [classification, category, subject] = data.words();
        write!(
            formatter,
            "classification {classification}, category {category}, subject {subject}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_special_is_personal_and_payment_stands_alone() {
        assert!(Category::Health.is_a(Category::SpecialCategory));
        assert!(Category::Health.is_a(Category::Personal));
        assert!(!Category::Personal.is_a(Category::Health));
        assert!(!Category::Payment.is_a(Category::Personal));
        let mut set = CategorySet::default();
        set.insert_with_descendants(Category::Personal);
        assert!(set.contains(Category::Genetic) && set.contains(Category::Child));
        assert!(!set.contains(Category::Telemetry));
    }

    #[test]
    fn every_word_is_found_again() {
        for category in Category::ALL {
            assert_eq!(Category::from_word(category.word()), Some(category));
        }
        for classification in Classification::ALL {
            assert_eq!(
                Classification::from_word(classification.word()),
                Some(classification)
            );
        }
        assert!(Classification::Public < Classification::Restricted);
    }
}
