//! Whether data is among what a selector selects (docs/policies.md, 1 and 3.1).

use super::super::world::*;
use super::{Maybe, Naive, No, Three, Tuple, Yes, rank, sure};

impl Naive<'_> {
    pub(super) fn data_matches(&self, block: &Block, tuple: &Tuple) -> Three {
        match &block.data {
            None => Yes,
            Some(selector) => self.is_selected(selector, tuple),
        }
    }

    pub(super) fn is_selected(&self, selector: &DataSelector, tuple: &Tuple) -> Three {
        let Tuple::Data(class, category, subject) = tuple else {
            return No;
        };
        let mut all = Yes;
        if let Some(at_least) = selector.at_least {
            all = all.min(
                class
                    .as_deref()
                    .map_or(Maybe, |word| sure(rank(word) >= rank(at_least))),
            );
        }
        if let Some(wanted) = &selector.categories {
            let is_among = |word: &str| {
                let mut kind = Some(word);
                while let Some(now) = kind {
                    if wanted.contains(&now) {
                        return true;
                    }
                    kind = match now {
                        "health" | "biometric" | "genetic" => Some("special-category"),
                        "special-category" | "child" | "precise-location" | "criminal-justice" => {
                            Some("personal")
                        }
                        _ => None,
                    };
                }
                false
            };
            all = all.min(category.as_deref().map_or(Maybe, |word| sure(is_among(word))));
        }
        if let Some(wanted) = &selector.subjects {
            let among = |word: &str| match word {
                "none" => sure(wanted.contains(&"none")),
                _ => {
                    let places = wanted.iter().filter(|term| **term != "none");
                    places.map(|term| self.subject_in(word, term)).max().unwrap_or(No)
                }
            };
            all = all.min(subject.as_deref().map_or(Maybe, among));
        }
        all
    }
}
