//! L17: data sets that no catalogued place satisfies, so that no pod that names them runs.

use super::Found;
use super::overlaps::in_words;
use crate::model::{DataSet, DataTuple, ReplicaRole, Tuple};
use crate::policy::catalogue::PlaceIndex;
use crate::policy::definition::{Activity, ActivitySet, Mode};
use crate::policy::evaluate::{Verdict, evaluate};
use crate::policy::finding::{Level, Position};
use crate::policy::profile::{Profile, Source, SourcedTuple, UsedDataSet, tuples_of_data_set};

impl Found<'_> {
    pub(super) fn unplaceable_data_sets(&mut self) {
        let set = self.set;
        for data_set in set.data_sets.values() {
            let tuples = tuples_of_data_set(&set.definitions, &data_set.profile, self.at);
            let alone: Vec<(&DataTuple, Verdict)> = tuples
                .iter()
                .map(|tuple| (tuple, self.verdict(data_set, std::slice::from_ref(tuple))))
                .collect();
            if has_place(&self.verdict(data_set, &tuples)) {
                continue;
            }
            let name = &data_set.name;
            let (sentence, fix) = match alone.iter().find(|(_, verdict)| !has_place(verdict)) {
                Some((tuple, verdict)) => (
                    format!(
                        "no catalogued place satisfies data set `{name}`: {} has none; {}",
                        in_words(tuple),
                        self.restrictions(verdict)
                    ),
                    "mend its profile, or the policies, or add the regions to the catalogue",
                ),
                None => (
                    format!(
                        "no catalogued place satisfies data set `{name}`: {}",
                        self.apart(&alone).join("; but ")
                    ),
                    "split it into data sets that each have a place",
                ),
            };
            let at = set.written_at.data_sets.get(name.as_str()).cloned();
            self.add(
                Level::Warning,
                "L17",
                &at.unwrap_or_else(Position::default),
                sentence,
                fix,
            );
        }
    }

    fn verdict(&self, data_set: &DataSet, tuples: &[DataTuple]) -> Verdict {
        let set = self.set;
        let places = |counts: fn(ReplicaRole) -> bool| -> Vec<PlaceIndex> {
            let counted = data_set.replicas.iter().filter(|replica| counts(replica.role));
            counted
                .map(|replica| set.catalogue.place(&replica.locality))
                .collect()
        };
        let sourced = tuples.iter().map(|tuple| SourcedTuple {
            source: Source::DataSet(data_set.name.clone()),
            tuple: Tuple::Data(tuple.clone()),
        });
        let profile = Profile {
            tuples: sourced.collect(),
            namespace_labels: Some(std::collections::BTreeMap::new()),
            data_sets: vec![UsedDataSet {
                name: data_set.name.clone(),
                may_read: true,
                may_write: true,
                leaders: places(|role| role == ReplicaRole::Leader),
                readable: places(ReplicaRole::is_readable),
            }],
            performs: ActivitySet::default()
                .with(Activity::Process)
                .with(Activity::Store),
            ..Profile::default()
        };
        evaluate(set, &profile, self.at)
    }

    /// Two kinds of data whose places have none in common, or all kinds where no two alone do so.
    fn apart(&self, alone: &[(&DataTuple, Verdict)]) -> Vec<String> {
        let say = |(tuple, verdict): &(&DataTuple, Verdict)| {
            format!("for {} {}", in_words(tuple), self.restrictions(verdict))
        };
        for (number, first) in alone.iter().enumerate() {
            for second in alone.iter().take(number) {
                let mut both = first.1.permitted.clone();
                both.intersect(&second.1.permitted);
                if both.iter().all(|place| place == PlaceIndex::UNKNOWN) {
                    return vec![say(second), say(first)];
                }
            }
        }
        alone.iter().map(say).collect()
    }

    fn restrictions(&self, verdict: &Verdict) -> String {
        let refusing = verdict.restrictions.iter().filter(|of| of.mode == Mode::Enforce);
        let words: Vec<String> = refusing.map(|of| self.set.cause_in_words(of.cause)).collect();
        words.join(" and ")
    }
}

fn has_place(verdict: &Verdict) -> bool {
    verdict.permitted.iter().any(|place| place != PlaceIndex::UNKNOWN)
}
