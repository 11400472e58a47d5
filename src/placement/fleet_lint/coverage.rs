//! L12: data in use that no policy covers.
//!
//! In use is what a namespace says, what a pod of the fleet file says or names, and what stands on a claim
//! and its volume and storage class, whether or not a pod mounts it. A policy that is only audited counts:
//! it covers, provisionally.

use std::collections::{BTreeMap, BTreeSet};

use super::{LintedFleet, pod_name};
use crate::model::{DataTuple, NamespaceName, PodRequirements, StatedData, Tuple, VolumeMount, nearest_word};
use crate::policy::{Cause, Finding, Level, Profile, Source, SourcedTuple, evaluate, profile};

/// What to do about data that is said in full.
pub(super) const COVER_IT: &str =
    "write a policy whose `allowed` covers it, or correct what is said of the data";

/// How many kinds of data a sentence names before it counts the rest.
const MOST_KINDS: usize = 3;

/// Uncovered data of one source in one namespace.
#[derive(Debug, Default)]
struct Uncovered<'a> {
    data: BTreeSet<DataTuple>,
    /// Whether it is there without any pod, so that there is no need to name one.
    by_itself: bool,
    /// The pods that carry it.
    pods: BTreeSet<&'a str>,
}

type UncoveredSources<'a> = BTreeMap<(NamespaceName, Source), Uncovered<'a>>;

impl LintedFleet<'_> {
    /// Data in use that no policy covers: one finding for each source in each namespace.
    pub(super) fn uncovered_data(&self) -> Vec<Finding> {
        let fleet = self.snapshot.fleet();
        let mut found: UncoveredSources<'_> = BTreeMap::new();
        for (name, namespace) in fleet.namespaces.iter().flatten() {
            if namespace.annotations.data != Some(StatedData::ByWorkload) {
                let pod = PodRequirements::imagined(name.clone());
                self.look_at(&pod, None, &mut found);
            }
        }
        for key in fleet.claims.iter().flatten().map(|(key, _)| key) {
            let mut pod = PodRequirements::imagined(key.namespace.clone());
            pod.volumes = vec![VolumeMount::Claim(key.name.clone())];
            let mut of_claim: UncoveredSources<'_> = BTreeMap::new();
            self.look_at(&pod, None, &mut of_claim);
            // What its namespace says has been looked at.
            of_claim.retain(|(_, source), _| *source != Source::Namespace);
            for (key, uncovered) in of_claim {
                found.entry(key).or_default().data.extend(uncovered.data);
            }
        }
        for pod in self.pods {
            self.look_at(pod, Some(pod_name(pod)), &mut found);
        }
        found
            .iter()
            .map(|((namespace, source), uncovered)| self.told_uncovered(namespace, source, uncovered))
            .collect()
    }

    fn look_at<'p>(&self, pod: &PodRequirements, name: Option<&'p str>, found: &mut UncoveredSources<'p>) {
        let set = self.snapshot.policies();
        let whole = profile(self.snapshot.facts(), pod, self.at);
        if !is_uncovered(&evaluate(set, &whole, self.at)) {
            return;
        }
        for sourced in &whole.tuples {
            let Tuple::Data(tuple) = &sourced.tuple else {
                continue;
            };
            if !self.is_uncovered_alone(&whole, sourced) {
                continue;
            }
            let key = (pod.namespace.clone(), sourced.source.clone());
            let uncovered = found.entry(key).or_default();
            uncovered.data.insert(tuple.clone());
            uncovered.by_itself |= name.is_none();
            uncovered.pods.extend(name);
        }
    }

    fn is_uncovered_alone(&self, whole: &Profile, sourced: &SourcedTuple) -> bool {
        let alone = Profile {
            tuples: vec![sourced.clone()],
            ..whole.clone()
        };
        is_uncovered(&evaluate(self.snapshot.policies(), &alone, self.at))
    }

    fn told_uncovered(
        &self,
        namespace: &NamespaceName,
        source: &Source,
        uncovered: &Uncovered<'_>,
    ) -> Finding {
        let (users, use_it) = match (uncovered.pods.len(), uncovered.pods.first()) {
            _ if uncovered.by_itself => (String::new(), ""),
            (_, None) => (String::new(), ""),
            (1, Some(pod)) => (format!("the pod `{pod}` of "), " uses"),
            (several, Some(pod)) => (format!("{several} pods such as `{pod}` of "), " use"),
        };
        let whose = match (source_in_words(source), use_it) {
            (None, _) => format!("{users}the namespace `{namespace}`"),
            (Some(source), "") => format!("{source} in the namespace `{namespace}`"),
            (Some(source), use_it) => format!("{source} that {users}the namespace `{namespace}`{use_it}"),
        };
        let mut data: Vec<String> = uncovered.data.iter().map(data_in_words).collect();
        if data.len() > MOST_KINDS {
            let more = data.len() - MOST_KINDS;
            data.truncate(MOST_KINDS);
            data.push(format!("{more} more"));
        }
        let consequence = if self.snapshot.policies().settings().uncovered_is_allowed {
            "it runs anywhere"
        } else {
            "no node is permitted"
        };
        let sentence = format!(
            "no policy covers the data of {whose} ({}), so {consequence}",
            data.join("; ")
        );
        self.finding("L12", Level::Warning, sentence, Some(self.fix(source, uncovered)))
    }

    fn fix(&self, source: &Source, uncovered: &Uncovered<'_>) -> String {
        let declared = self.snapshot.facts().data_sets;
        if let Source::DataSet(name) = source
            && !declared.contains_key(name)
        {
            return match nearest_word(name.as_str(), declared.keys().map(|name| name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it in a DataSet".to_owned(),
            };
        }
        if uncovered.data.iter().all(DataTuple::is_complete) {
            COVER_IT.to_owned()
        } else {
            "say all three of classification, categories and subjects of the data".to_owned()
        }
    }
}

fn is_uncovered(verdict: &crate::policy::Verdict) -> bool {
    let mut restrictions = verdict.restrictions.iter();
    restrictions.any(|restriction| restriction.cause == Cause::Uncovered) || verdict.passed.uncovered > 0
}

/// `None` where the pods or their namespace say it.
fn source_in_words(source: &Source) -> Option<String> {
    match source {
        Source::Namespace | Source::Pod => None,
        Source::Claim(name) => Some(format!("the claim `{name}`")),
        Source::Volume(name) => Some(format!("the volume `{name}`")),
        Source::StorageClass(name) => Some(format!("the storage class `{name}`")),
        Source::DataSet(name) => Some(format!("the data set `{name}`")),
    }
}

fn data_in_words(tuple: &DataTuple) -> String {
    if *tuple == DataTuple::UNKNOWN {
        "nothing is known of it".to_owned()
    } else {
        Tuple::Data(tuple.clone()).to_string()
    }
}
