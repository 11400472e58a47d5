//! What the settings change that no cell shows: whether anything is refused at all, who is left out, and
//! which statements of nodes and of the catalogue are believed.
//!
//! Inputs: two sets of settings. Outputs: statements, each with whether it lets more through. Invariant: a
//! change that may let more through is told as one that does.

use jiff::SignedDuration;

use crate::model::Classification;
use crate::policy::definition::{RegionKeyTrust, Settings, Unlabelled};

/// A change of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Whether it may let more through.
    pub widens: bool,
    /// In words.
    pub sentence: String,
}

/// Every change of the settings, what lets more through first.
#[must_use]
pub fn setting_changes(old: &Settings, new: &Settings) -> Vec<SettingChange> {
    let mut found = Vec::new();
    let mut add = |widens: bool, sentence: String| found.push(SettingChange { widens, sentence });
    match (old.observe, new.observe) {
        (false, true) => add(
            true,
            "`mode` is now `observe`: nothing is refused any more, verdicts are only recorded".to_owned(),
        ),
        (true, false) => add(
            false,
            "`mode` is now `enforce`: what the policies refuse is refused; until now nothing was".to_owned(),
        ),
        _ => {}
    }
    match (old.uncovered_is_allowed, new.uncovered_is_allowed) {
        (false, true) => add(
            true,
            "`uncovered` is now `allow`: data that no policy covers may run anywhere".to_owned(),
        ),
        (true, false) => add(
            false,
            "`uncovered` is now `deny`: data that no policy covers may run nowhere".to_owned(),
        ),
        _ => {}
    }
    match (&old.unlabelled, &new.unlabelled) {
        (Unlabelled::Deny | Unlabelled::ConfineTo(_), Unlabelled::Allow) => add(
            true,
            "`unlabelled` is now `allow`: pods of namespaces that say nothing of their data run anywhere"
                .to_owned(),
        ),
        (Unlabelled::Deny, Unlabelled::ConfineTo(_)) => add(
            true,
            "`unlabelled` is now `confineTo`: pods of namespaces that say nothing of their data run in \
             these places, and ran nowhere"
                .to_owned(),
        ),
        (Unlabelled::Allow | Unlabelled::ConfineTo(_), Unlabelled::Deny) => add(
            false,
            "`unlabelled` is now `deny`: pods of namespaces that say nothing of their data run nowhere"
                .to_owned(),
        ),
        (Unlabelled::Allow, Unlabelled::ConfineTo(_)) => add(
            false,
            "`unlabelled` is now `confineTo`: pods of namespaces that say nothing of their data no longer \
             run anywhere"
                .to_owned(),
        ),
        // From one list to another: the cells tell.
        _ => {}
    }
    let added: Vec<String> = names(new, old);
    if !added.is_empty() {
        let sentence = format!(
            "`exemptNamespaces` now has {}: these assert nothing",
            added.join(", ")
        );
        add(true, sentence);
    }
    let removed: Vec<String> = names(old, new);
    if !removed.is_empty() {
        let sentence = format!("`exemptNamespaces` no longer has {}", removed.join(", "));
        add(false, sentence);
    }
    if old.region_key != new.region_key {
        let (was, is) = (trust(old.region_key), trust(new.region_key));
        let widens = !asks_for_more(old.region_key, new.region_key);
        add(widens, format!("`regionKey` is now {is} (before: {was})"));
    }
    ages(old, new, &mut add);
    latency(old, new, &mut add);
    found.sort_by_key(|change| !change.widens);
    found
}

fn names(of: &Settings, but: &Settings) -> Vec<String> {
    let names = of.exempt_namespaces.difference(&but.exempt_namespaces);
    names.map(|name| format!("`{name}`")).collect()
}

fn trust(trust: RegionKeyTrust) -> String {
    match trust {
        RegionKeyTrust::Topology => "`topology`".to_owned(),
        RegionKeyTrust::ProviderId => "`provider-id`".to_owned(),
        RegionKeyTrust::NodeRestriction { from } => {
            format!(
                "the label that kubelets cannot set, for {} data and above",
                from.word()
            )
        }
    }
}

/// Whether every node that satisfies the new demand satisfied the old one with the same region. The region
/// in a providerID may be known where no label is, and the other way round.
fn asks_for_more(old: RegionKeyTrust, new: RegionKeyTrust) -> bool {
    match (old, new) {
        (RegionKeyTrust::Topology, RegionKeyTrust::NodeRestriction { .. }) => true,
        (RegionKeyTrust::NodeRestriction { from: old }, RegionKeyTrust::NodeRestriction { from: new }) => {
            new <= old
        }
        _ => false,
    }
}

fn ages(old: &Settings, new: &Settings, add: &mut impl FnMut(bool, String)) {
    ages_of(
        "facts of regions",
        |data| (old.max_fact_age(data), new.max_fact_age(data)),
        add,
    );
    // Ages of whole days are for both, and said once.
    let of_cluster = |data| {
        let of_regions = (old.max_fact_age(data), new.max_fact_age(data));
        let ages = (old.max_cluster_age(data), new.max_cluster_age(data));
        if ages == of_regions { (None, None) } else { ages }
    };
    ages_of("objects of the cluster", of_cluster, add);
}

fn ages_of(
    what: &str,
    of: impl Fn(Option<Classification>) -> (Option<SignedDuration>, Option<SignedDuration>),
    add: &mut impl FnMut(bool, String),
) {
    let of_data = Classification::ALL.map(Some).into_iter().chain([None]);
    let (mut longer, mut shorter) = (Vec::new(), Vec::new());
    for classification in of_data {
        let word = classification.map_or("unknown", Classification::word);
        match of(classification) {
            (Some(was), Some(is)) if is > was => longer.push(word),
            (Some(_), None) => longer.push(word),
            (Some(was), Some(is)) if is < was => shorter.push(word),
            (None, Some(_)) => shorter.push(word),
            _ => {}
        }
    }
    if !longer.is_empty() {
        let sentence = format!(
            "`maxFactAge` lets {what} count for longer, for {} data",
            longer.join(" and ")
        );
        add(true, sentence);
    }
    if !shorter.is_empty() {
        let sentence = format!(
            "`maxFactAge` lets {what} count for a shorter time, for {} data",
            shorter.join(" and ")
        );
        add(false, sentence);
    }
}

fn latency(old: &Settings, new: &Settings, add: &mut impl FnMut(bool, String)) {
    let (was, is) = (old.latency, new.latency);
    match (was.require_measured, is.require_measured) {
        (true, false) => add(
            true,
            "`latency.requireMeasured` is now `false`: a latency that nobody measured refuses no place any more"
                .to_owned(),
        ),
        (false, true) => add(
            false,
            "`latency.requireMeasured` is now `true`: places from which an access of a pod is not measured are \
             refused"
                .to_owned(),
        ),
        _ => {}
    }
    if was.statistic != is.statistic {
        // A pair may be measured by one statistic alone, so neither is surely the stricter one.
        let sentence = format!(
            "`latency.statistic` is now `{}` (before: `{}`): limits of pods on latency refuse by it",
            is.statistic.word(),
            was.statistic.word()
        );
        add(true, sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::setting_changes;
    use crate::policy::PolicySet;

    fn check(old: &str, new: &str, expected: &[(bool, &str)]) {
        let [old, new] = [old, new].map(|latency| {
            let text = format!(
                "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {{name: default}}\n\
                 spec: {{mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology{latency}}}\n"
            );
            PolicySet::load([("settings.yaml", text.as_str())])
                .expect("a good set")
                .set
        });
        let changes = setting_changes(old.settings(), new.settings());
        let found: Vec<(bool, &str)> = changes
            .iter()
            .map(|change| (change.widens, change.sentence.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_latency_has_to_be_may_let_more_through() {
        let measured = ", latency: {requireMeasured: true}";
        let no_more = "`latency.requireMeasured` is now `false`: a latency that nobody measured refuses no place any more";
        let from_now_on = "`latency.requireMeasured` is now `true`: places from which an access of a pod is not measured \
                           are refused";
        check(measured, "", &[(true, no_more)]);
        check("", measured, &[(false, from_now_on)]);
        check("", ", latency: {statistic: p50}", &[]);
        let by_p95 =
            "`latency.statistic` is now `p95` (before: `p50`): limits of pods on latency refuse by it";
        check("", ", latency: {statistic: p95}", &[(true, by_p95)]);
    }
}
