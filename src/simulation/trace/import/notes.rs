//! What an import leaves out, counted: a sentence for each kind of thing and not for each thing.

use std::collections::BTreeMap;

/// Sentences, and of how many things each speaks.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, usize>);

impl Notes {
    /// Notes something about one more thing; the sentence follows the number of things.
    pub(super) fn add(&mut self, sentence: impl Into<String>) {
        *self.0.entry(sentence.into()).or_default() += 1;
    }

    /// The sentences in order, of one thing alone.
    pub(super) fn sentences(self) -> Vec<String> {
        self.0.into_keys().collect()
    }

    /// The sentences in order, each with its number.
    pub(super) fn told(self) -> Vec<String> {
        let told = self.0.into_iter();
        told.map(|(sentence, count)| format!("{count} {sentence}"))
            .collect()
    }
}
