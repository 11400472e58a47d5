//! The data sets of a kind of data: where their copies are.
//!
//! Invariant: a data set is one that the reader of policy files accepts, and has the profile of its kind.

use serde_json::json;

use super::draw::{Draw, zipf};
use super::rules::{DataKind, RegionShare, SynthesisRules};
use crate::model::DataSetName;
use crate::simulation::trace::TraceDataSet;

/// A kind of data with what is drawn of it.
pub(super) struct Kind<'r> {
    /// The rule.
    pub rule: &'r DataKind,
    /// The names of its data sets, the most popular first.
    pub names: Vec<String>,
    /// How popular each is.
    pub popularity: Vec<u64>,
    /// The regions where it is at home.
    pub home: Vec<&'r RegionShare>,
}

impl<'r> Kind<'r> {
    /// A kind of the rules.
    pub(super) fn new(rules: &'r SynthesisRules, rule: &'r DataKind) -> Self {
        let is_home = |share: &&RegionShare| rule.regions.is_empty() || rule.regions.contains(&share.region);
        Self {
            rule,
            names: (1..=rule.data_sets)
                .map(|number| format!("{}-{number:03}", rule.name))
                .collect(),
            popularity: zipf(rule.data_sets, rules.data.zipf_quarters()),
            home: rules.regions.iter().filter(is_home).collect(),
        }
    }

    /// Its data sets: the first copy that is drawn leads, the others vote.
    pub(super) fn data_sets(&self, draw: &mut Draw) -> Result<Vec<TraceDataSet>, String> {
        let weights: Vec<u64> = self.home.iter().map(|share| u64::from(share.share)).collect();
        let data_sets = self.names.iter().map(|name| {
            let drawn = draw.several(&weights, self.rule.copies as usize);
            let places = drawn.into_iter().filter_map(|position| self.home.get(position));
            let copies = places.enumerate().map(|(number, place)| {
                let role = if number == 0 { "leader" } else { "voter" };
                json!({"region": place.region, "role": role})
            });
            let profile = match &self.rule.profile {
                None => json!({"classification": "public", "categories": ["none"], "subjects": ["none"]}),
                Some(profile) => json!({
                    "classification": profile.classification,
                    "categories": profile.categories,
                    "subjects": profile.subjects,
                }),
            };
            let spec = json!({
                "profile": profile,
                "consistency": self.rule.consistency,
                "replicas": copies.collect::<Vec<_>>(),
            });
            let id = DataSetName::new(name).map_err(|error| error.to_string())?;
            TraceDataSet::new(&id, spec)
        });
        data_sets.collect()
    }
}
