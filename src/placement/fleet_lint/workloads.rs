//! L09 for what runs: namespaces and pods whose data finds no node or only one region.

use std::collections::BTreeMap;

use super::reach::TooLittle;
use super::{LintedFleet, pod_name};
use crate::model::{NamespaceName, PodRequirements, StatedData};
use crate::placement::{Assessment, assess};
use crate::policy::{Cause, Finding, Mode, Restriction};

/// What becomes of pods that fare alike: what is left, and the sentence that a refused one would see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fate {
    left: TooLittle,
    because: String,
    fix: Option<String>,
}

impl LintedFleet<'_> {
    /// Namespaces and pods that find too little of the fleet. A pod that fares as its namespace does is
    /// not told again.
    pub(super) fn workloads_without_places(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut of_namespace: BTreeMap<&NamespaceName, Fate> = BTreeMap::new();
        for (name, namespace) in self.snapshot.fleet().namespaces.iter().flatten() {
            // Where the workloads have the word, nobody knows anything before there is one.
            if namespace.annotations.data == Some(StatedData::ByWorkload) {
                continue;
            }
            if let Some(fate) = self.fate(&PodRequirements::imagined(name.clone())) {
                findings.push(self.told(&fate, &format!("the namespace `{name}`")));
                of_namespace.insert(name, fate);
            }
        }
        let mut of_pods: BTreeMap<(&NamespaceName, Fate), Vec<&PodRequirements>> = BTreeMap::new();
        for pod in self.pods {
            let fate = self.fate(pod);
            if let Some(fate) = fate.filter(|fate| of_namespace.get(&pod.namespace) != Some(fate)) {
                of_pods.entry((&pod.namespace, fate)).or_default().push(pod);
            }
        }
        for ((namespace, fate), pods) in of_pods {
            let Some(example) = pods.iter().map(|pod| pod_name(pod)).min() else {
                continue;
            };
            let what = match pods.len() {
                1 => format!("the pod `{example}` of the namespace `{namespace}`"),
                several => format!("{several} pods of the namespace `{namespace}` such as `{example}`"),
            };
            findings.push(self.told(&fate, &what));
        }
        findings
    }

    fn fate(&self, pod: &PodRequirements) -> Option<Fate> {
        let assessment = assess(self.snapshot, pod, self.at);
        if !assessment.verdict.governed || self.lacks_cover_alone(&assessment) {
            return None;
        }
        let left = TooLittle::of(self.snapshot, |class| {
            assessment.verdict.permits(class.place, class.region_is_confirmed)
        })?;
        let sentence = assessment.sentence();
        let because = sentence.trim_start_matches("domicile: ").to_owned();
        let enforced = assessment.verdict.restrictions.iter();
        let enforced = enforced.filter(|restriction| restriction.mode == Mode::Enforce);
        Some(Fate {
            fix: left.fix(enforced),
            because,
            left,
        })
    }

    /// Whether nothing is left only because no policy covers the data, which L12 tells.
    fn lacks_cover_alone(&self, assessment: &Assessment<'_>) -> bool {
        let restrictions = &assessment.verdict.restrictions;
        let is_about_cover = |restriction: &Restriction| restriction.cause == Cause::Uncovered;
        let others = restrictions
            .iter()
            .filter(|restriction| restriction.mode == Mode::Enforce && !is_about_cover(restriction));
        restrictions.iter().any(is_about_cover)
            && self.snapshot.classes().any(|(_, class)| {
                let mut others = others.clone();
                others.all(|restriction| restriction.leaves(class.place, class.region_is_confirmed))
            })
    }

    fn told(&self, fate: &Fate, what: &str) -> Finding {
        let sentence = format!("{} for {what}: {}", fate.left.in_words(), fate.because);
        self.finding("L09", fate.left.level(), sentence, fate.fix.clone())
    }
}
