//! What a policy permits by itself, and what it cannot.

use super::Subject;
use super::demands::activities_in_words;
use crate::policy::LIMITS_OF_CONTROL;
use crate::policy::definition::{ActivitySet, Block, Demand, Mode};

impl Subject<'_> {
    pub(super) fn coverage(&self) -> Vec<String> {
        let lists = self
            .policy
            .rules
            .iter()
            .filter(|rule| matches!(rule.demand, Demand::Allowed(_)));
        let activities = lists
            .flat_map(|rule| rule.activities.iter())
            .fold(ActivitySet::default(), ActivitySet::with);
        let mut said = Vec::new();
        if activities == ActivitySet::default() {
            said.push(
                "It permits nothing by itself: it only refuses, and some other policy must permit the data a place."
                    .to_owned(),
            );
        } else {
            let how = match self.policy.mode {
                Mode::Enforce => "Data that is surely of this kind is covered",
                Mode::Warn | Mode::Audit => {
                    "Data that is surely of this kind is covered for a trial, so that it runs and is recorded"
                }
            };
            said.push(format!(
                "{how} where it is {}: it may run where the rules above and every other policy for the same data \
                 permit it.",
                activities_in_words(activities)
            ));
        }
        let by_source = |block: &&Block| sources(block) > 0;
        let blocks = &self.policy.applies_to;
        if blocks.iter().any(|block| by_source(&block)) {
            said.push(
                "Pods that are found by a namespace, a storage class or a data set are restricted whatever their data \
                 is; only data that this namespace, storage class or data set itself states is permitted by it."
                    .to_owned(),
            );
        }
        if blocks.iter().any(|block| sources(block) > 1) {
            said.push(
                "A description that names two of namespace, storage class and data set restricts, and permits nothing."
                    .to_owned(),
            );
        }
        said
    }

    pub(super) fn limits(&self) -> Vec<String> {
        let mut said =
            vec!["It decides where a pod is placed, when it is placed. It does not decide about:".to_owned()];
        said.extend(LIMITS_OF_CONTROL.iter().map(|limit| (*limit).to_owned()));
        said
    }
}

/// How many kinds of source a block selects by.
fn sources(block: &Block) -> usize {
    let named = [
        block.namespace_labels.is_some(),
        block.storage_classes.is_some(),
        block.data_sets.is_some(),
    ];
    named.into_iter().filter(|named| *named).count()
}
