//! Whether a set that came from two sources permits more than the one of them that is the floor.
//!
//! Inputs: the set of the floor alone, the set of both, an instant. Outputs: a finding for each thing that is newly
//! permitted. Invariant: it is the comparison of `domicile diff`, so whatever pod of a known region the set of both
//! permits and the floor refuses, now or at any later date, there is a finding. An additional policy can permit more
//! (it may cover data that nothing covered), so kinds of objects alone do not tell.

use jiff::Timestamp;

use super::PolicySet;
use super::difference::{Told, difference};
use super::finding::{Finding, Position};

/// How many things that are newly permitted are told one by one.
const MOST_TOLD: usize = 5;

/// How many reasons are told of each.
const MOST_REASONS: usize = 3;

/// What stands in the place of a file in these findings: no single object is at fault for sure.
pub const CUSTOM_RESOURCES: &str = "custom resources";

/// What a set permits beyond a floor from an instant on; nothing where it only restricts.
#[must_use]
pub fn beyond_floor(floor: &PolicySet, set: &PolicySet, at: Timestamp) -> Vec<Finding> {
    let Some(difference) = difference(floor, set, at) else {
        let sentence =
            "whether they only restrict cannot be told: there are too many rules and dates together";
        return vec![finding(
            sentence.to_owned(),
            "write dates that many policies share as one date",
        )];
    };
    let settings = difference.settings.iter().filter(|change| change.widens);
    let routes = difference.routes.iter().filter(|change| change.widens);
    let sentences: Vec<String> = settings
        .map(|change| change.sentence.clone())
        .chain(routes.map(|change| change.sentence.clone()))
        .chain(difference.permitted.iter().map(permitted))
        .collect();
    let more = sentences.len().saturating_sub(MOST_TOLD);
    let more = (more > 0).then(|| format!("and {more} more that the files refuse"));
    let told = sentences.into_iter().take(MOST_TOLD);
    let told = told.map(|sentence| format!("they would permit what the files refuse: {sentence}"));
    told.chain(more)
        .map(|sentence| {
            finding(
                sentence,
                "beside files custom resources only restrict: write it into the files",
            )
        })
        .collect()
}

fn finding(sentence: String, fix: &str) -> Finding {
    let position = Position {
        file: CUSTOM_RESOURCES.to_owned(),
        ..Position::default()
    };
    Finding::error("L19", position, sentence).with_fix(fix.to_owned())
}

fn permitted(told: &Told) -> String {
    let when = match told.when.as_str() {
        "" => String::new(),
        when => format!("{when}, "),
    };
    let pods = told
        .pods
        .as_ref()
        .map_or_else(String::new, |pods| format!(" {pods}"));
    let because: Vec<&str> = told
        .because
        .iter()
        .map(String::as_str)
        .take(MOST_REASONS)
        .collect();
    format!(
        "{when}{} may be {}{pods} {}, because {}",
        told.data,
        told.activities,
        told.places.words,
        because.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-22T00:00:00Z";

    const FILES: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings
metadata: {name: default}
spec: {mode: enforce, uncovered: deny, unlabelled: allow, exemptNamespaces: [], regionKey: topology, teams: {privacy: [p@corp.example, q@corp.example]}}
---
apiVersion: domicile.dev/v1alpha1
kind: Region
metadata: {name: aws.eu-central-1}
spec: {provider: aws, region: eu-central-1, country: "DE", source: {cite: x, asOf: "2026-01-01"}}
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: health-at-home}
spec:
  title: Health data stays
  owner: {team: privacy, contact: p@corp.example}
  legalBasis: [{cite: x}]
  mode: enforce
  appliesTo: {data: {categories: [health]}}
  rules: [{id: place, allowed: ["DE", "FR"]}]
  exceptions: {allowed: true, maxDays: 90}
"#;

    fn policy(name: &str, category: &str, rule: &str) -> String {
        format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: {name}}}\nspec:\n  title: t\n  \
             owner: {{team: privacy, contact: p@corp.example}}\n  legalBasis: [{{cite: x}}]\n  mode: enforce\n  \
             appliesTo: {{data: {{categories: [{category}]}}}}\n  rules: [{{id: place, {rule}}}]\n"
        )
    }

    fn beyond(object: &str) -> Vec<String> {
        let floor = PolicySet::load([("files.yaml", FILES)]).unwrap().set;
        let both = PolicySet::load([("files.yaml", FILES), ("object", object)])
            .unwrap()
            .set;
        let findings = beyond_floor(&floor, &both, AT.parse().unwrap());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_more_restriction_is_nothing() {
        assert_eq!(
            beyond(&policy("health-not-in-france", "health", "denied: [\"FR\"]")),
            [""; 0]
        );
        assert_eq!(
            beyond(&policy("health-in-germany", "health", "allowed: [\"DE\"]")),
            [""; 0]
        );
    }

    #[test]
    fn a_policy_that_covers_what_nothing_covered_permits_more() {
        let told = beyond(&policy("payment", "payment", "allowed: [\"DE\"]"));
        assert!(
            told.first().is_some_and(|first| first.starts_with(
                "custom resources:0:0: error L19: they would permit what the files refuse: payment data"
            )),
            "{told:?}"
        );
        assert!(
            told.iter().all(|finding| finding.contains("`payment`")),
            "{told:?}"
        );
    }

    #[test]
    fn a_region_and_an_exception_permit_more() {
        let region = "apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {name: aws.eu-west-3}\nspec: {provider: aws, \
                      region: eu-west-3, country: \"FR\", source: {cite: x, asOf: \"2026-01-01\"}}\n";
        let told = beyond(region);
        assert!(
            told.iter()
                .any(|finding| finding.contains("region `aws/eu-west-3` (FR) is new in the catalogue")),
            "{told:?}"
        );
        let exception = "apiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {name: trial}\nspec:\n  \
                         relaxes: {policy: health-at-home, rule: place}\n  category: waiver\n  reason: x\n  \
                         requestedBy: q@corp.example\n  approvedBy: p@corp.example\n  ticket: T-1\n  \
                         notBefore: \"2026-11-01\"\n  expires: \"2026-12-01\"\n  \
                         scope: {namespace: trial, locations: [\"US\"], data: {categories: [health]}}\n";
        let told = beyond(exception);
        assert!(
            told.iter()
                .any(|finding| finding.contains("exception `trial` is new")),
            "{told:?}"
        );
    }
}
