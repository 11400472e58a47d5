//! What a record says of the data of a pod, put together from the assessment of a replay.

use std::collections::BTreeMap;

use domicile::decisions::{DegradedRecord, ProfileEntry};
use domicile::model::Tuple;
use domicile::placement::Assessment;
use domicile::policy::SourcedTuple;

/// One entry for each source, in the order of the sources.
pub fn profile(tuples: &[SourcedTuple]) -> Vec<ProfileEntry> {
    let mut entries: Vec<ProfileEntry> = Vec::new();
    for SourcedTuple { source, tuple } in tuples {
        let source = source.to_string();
        if entries.last().is_none_or(|last| last.source != source) {
            entries.push(ProfileEntry {
                source,
                ..ProfileEntry::default()
            });
        }
        let entry = entries.last_mut().expect("one was pushed");
        match tuple {
            Tuple::Unlabelled => entry.says = Some("unlabelled".to_owned()),
            Tuple::NoData => entry.says = Some("no-data".to_owned()),
            Tuple::Data(data) => {
                let [classification, category, subject] = data.words();
                add(&mut entry.classifications, classification);
                add(&mut entry.categories, category);
                add(&mut entry.subjects, subject);
            }
        }
    }
    entries
}

fn add(words: &mut Vec<String>, word: String) {
    if !words.contains(&word) {
        words.push(word);
    }
}

/// The claims with which the pod creates data.
pub fn creates(assessment: &Assessment<'_>) -> Vec<String> {
    let claims = assessment.profile.claims.iter();
    let created = claims.filter(|claim| claim.creates);
    created.map(|claim| claim.claim.to_string()).collect()
}

/// The data sets of the pod some of whose copies cannot answer.
pub fn degraded(assessment: &Assessment<'_>) -> Vec<DegradedRecord> {
    let replicas = assessment.snapshot.replicas();
    let mut degraded = Vec::new();
    for used in &assessment.profile.data_sets {
        let Some(placed) = replicas.get(&used.name) else {
            continue;
        };
        let mut by_readiness = BTreeMap::from([(false, 0), (true, 0)]);
        for copy in &placed.data_set.replicas {
            *by_readiness.entry(copy.is_ready()).or_default() += 1_u64;
        }
        if by_readiness[&false] > 0 {
            degraded.push(DegradedRecord {
                data_set: used.name.to_string(),
                copies: by_readiness.values().sum(),
                unready: by_readiness[&false],
            });
        }
    }
    degraded
}
