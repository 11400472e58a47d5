//! L07: rules without which every cell is decided alike, at every instant from now on.
//!
//! Cells are over the catalogue and over places that need not exist, as for the comparison of two sets, so a
//! rule about a country without a region counts. Rules of a policy that is not enforced are judged as if it
//! were. Rules that look at data sets alone are left out: what they do depends on data sets that others may
//! declare.

use super::Found;
use crate::model::{Membership, Tuple};
use crate::policy::PolicySet;
use crate::policy::definition::{ActivitySet, Mode, Policy, RuleIndex};
use crate::policy::difference::{Circumstances, DataKinds, Places, circumstances, performed};
use crate::policy::epoch::{Epoch, RuleKind};
use crate::policy::evaluate::evaluate;
use crate::policy::finding::Level;
use crate::policy::profile::Profile;

impl Found<'_> {
    pub(super) fn unreachable_rules(&mut self) {
        let set = self.set;
        let Some(mut compiled) = Places::of(&[set]).compile(set) else {
            return;
        };
        let at = self.at;
        compiled
            .epochs
            .retain(|epoch| epoch.until.is_none_or(|until| at < until));
        let epochs: Vec<&Epoch> = compiled.epochs.iter().collect();
        let kinds = DataKinds::of(&[set], &epochs);
        let tuples: Vec<Tuple> = kinds
            .all()
            .into_iter()
            .filter_map(|datum| kinds.tuple(datum))
            .collect();
        let performed = performed(&epochs).into_iter();
        let performed: Vec<ActivitySet> = performed.filter_map(|alike| alike.first().copied()).collect();
        for (policy_index, policy) in set.definitions.policies.iter().enumerate() {
            let pods = Pods {
                circumstances: circumstances(&[set], |name| *name == *policy.name, &[]),
                tuples: &tuples,
                performed: &performed,
            };
            for (rule_index, rule) in policy.rules.iter().enumerate() {
                let index = RuleIndex {
                    policy: policy_index,
                    rule: rule_index,
                };
                if decides(&mut compiled, index, &pods) != Some(false) || is_already_told(self, policy) {
                    continue;
                }
                let sentence = format!(
                    "without rule `{}/{}` everything would be decided alike: it never has an effect",
                    policy.name, rule.id
                );
                let fix = "remove the rule, or mend what it says";
                self.add(Level::Warning, "L07", &rule.written_at, sentence, fix);
            }
        }
    }
}

/// What is wrong with a policy as a whole is told first; its rules follow from that.
fn is_already_told(found: &Found<'_>, policy: &Policy) -> bool {
    let is_of_policy = |at: &crate::policy::finding::Position| {
        let rules = policy.rules.iter().map(|rule| &rule.written_at);
        let blocks = policy.applies_to.iter().map(|block| &block.written_at);
        rules
            .chain(blocks)
            .chain([&policy.written_at])
            .any(|known| known == at)
    };
    let mut findings = found.findings.iter();
    findings.any(|finding| matches!(finding.code, "L05" | "L06" | "L07") && is_of_policy(&finding.position))
}

/// Every kind of pod that can tell whether a policy does something, the plain ones first.
struct Pods<'a> {
    circumstances: Vec<Circumstances>,
    tuples: &'a [Tuple],
    performed: &'a [ActivitySet],
}

impl Pods<'_> {
    fn all(&self) -> impl Iterator<Item = Profile> {
        self.circumstances.iter().flat_map(move |of_pod| {
            self.tuples.iter().flat_map(move |tuple| {
                let possible = self
                    .performed
                    .iter()
                    .filter(move |performs| of_pod.can(tuple, **performs));
                possible.map(move |performs| of_pod.profile(tuple.clone(), *performs))
            })
        })
    }
}

/// Whether some pod is decided otherwise without a rule; `None` where the rule is not of a kind that is
/// judged, or never in force.
fn decides(compiled: &mut PolicySet, index: RuleIndex, pods: &Pods<'_>) -> Option<bool> {
    let mut is_judged = false;
    for number in 0..compiled.epochs.len() {
        let epoch = compiled.epochs.get_mut(number)?;
        let at = epoch.from;
        let Some(position) = epoch.rules.iter().position(|rule| rule.index == index) else {
            continue;
        };
        let rule = epoch.rules.get_mut(position)?;
        if rule.kind != RuleKind::Node {
            return None;
        }
        is_judged = true;
        let mode = std::mem::replace(&mut rule.mode, Mode::Enforce);
        let (activities, blocks) = (rule.activities, rule.blocks.clone());
        let mut decided = false;
        for pod in pods.all() {
            let performed = pod.performs.iter().any(|activity| activities.contains(activity));
            let matches = pod.tuples.iter().any(|tuple| {
                let mut blocks = blocks.iter();
                blocks.any(|block| block.matches(&pod, tuple).restricts != Membership::Out)
            });
            if !performed || !matches {
                continue;
            }
            let with = evaluate(compiled, &pod, at).permitted;
            let taken = compiled.epochs.get_mut(number)?.rules.remove(position);
            let without = evaluate(compiled, &pod, at).permitted;
            compiled.epochs.get_mut(number)?.rules.insert(position, taken);
            if with != without {
                decided = true;
                break;
            }
        }
        compiled.epochs.get_mut(number)?.rules.get_mut(position)?.mode = mode;
        if decided {
            return Some(true);
        }
    }
    is_judged.then_some(false)
}
