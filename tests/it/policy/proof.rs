//! Guarantees: what holds, what does not, and the sentence that says why.

use domicile::policy::{PolicySet, ProofOutcome, Proofs, guarantee_in_words};
use jiff::Timestamp;

const AT: &str = "2026-11-21T12:00:00Z";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

/// Settings, two groups and two regions.
const WORLD: &str = r#"
kind: PolicySettings
metadata: {name: settings}
spec: {mode: enforce, uncovered: UNCOVERED, unlabelled: allow, exemptNamespaces: [kube-system], regionKey: topology}
---
kind: JurisdictionGroup
metadata: {name: EEA}
spec:
  asOf: "2026-01-01"
  reviewBy: "2028-01-01"
  source: a test
  members: [{country: "DE"}, {country: "FR"}, {country: "GB", until: "2027-05-31"}]
---
kind: JurisdictionGroup
metadata: {name: framework}
spec:
  asOf: "2026-01-01"
  reviewBy: "2028-01-01"
  source: a test
  members: [{country: "US", required: {certifications: [{scheme: DPF}]}}]
---
kind: Region
metadata: {name: aws.eu-central-1}
spec: {provider: aws, region: eu-central-1, country: "DE", source: {cite: a page, asOf: "2026-01-01"}}
---
kind: Region
metadata: {name: aws.us-east-1}
spec: {provider: aws, region: us-east-1, country: "US", source: {cite: a page, asOf: "2026-01-01"}}
"#;

fn set(uncovered: &str, objects: &[&str]) -> PolicySet {
    let mut documents: Vec<String> = WORLD
        .replace("UNCOVERED", uncovered)
        .split("\n---\n")
        .map(str::to_owned)
        .collect();
    documents.extend(objects.iter().map(|object| (*object).to_owned()));
    let header = "apiVersion: domicile.dev/v1alpha1\n";
    let documents: Vec<String> = documents
        .iter()
        .map(|document| format!("{header}{}", document.trim_start()))
        .collect();
    let text = documents.join("\n---\n");
    match PolicySet::load([("set.yaml", text.as_str())]) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{findings:?}\n{text}"),
    }
}

fn policy(name: &str, mode: &str, more: &str) -> String {
    format!(
        "kind: PlacementPolicy\nmetadata: {{name: {name}}}\nspec:\n  title: a title\n  owner: {{team: a, contact: a@corp.example}}\n  legalBasis: [{{cite: a law}}]\n  mode: {mode}\n{more}"
    )
}

fn guarantee(data: &str, activities: &str, location: &str, exceptions: &str) -> String {
    format!(
        "kind: Guarantee\nmetadata: {{name: g}}\nspec:\n  says: What must not be\n  never: {{data: {data}, activities: {activities}, location: {location}}}\n  exceptions: {exceptions}\n"
    )
}

fn exception(name: &str, data: &str, locations: &str, days: (&str, &str)) -> String {
    let (from, until) = days;
    format!(
        "kind: PlacementException\nmetadata: {{name: {name}}}\nspec:\n  relaxes: {{policy: p, rule: place}}\n  scope: {{namespace: billing, locations: {locations}, data: {data}, workload: Deployment/web}}\n  category: waiver\n  reason: why not\n  compensatingControls: []\n  requestedBy: b@corp.example\n  approvedBy: a@corp.example\n  ticket: T-1\n  notBefore: \"{from}\"\n  expires: \"{until}\"\n"
    )
}

fn prove(uncovered: &str, objects: &[String]) -> (PolicySet, Proofs) {
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let set = set(uncovered, &objects);
    let proofs = set.prove(at());
    (set, proofs)
}

/// The counterexample to the only guarantee; nothing where it holds.
fn broken(uncovered: &str, objects: &[String]) -> String {
    let (_, proofs) = prove(uncovered, objects);
    assert_eq!(proofs.proofs.len(), 1);
    proofs.proofs[0].outcome.in_words().unwrap_or_default()
}

const PERSONAL: &str = "{categories: [personal], subjects: [group/EEA]}";

fn stays(more: &str) -> String {
    policy(
        "p",
        "enforce",
        &format!("  appliesTo: {{data: {PERSONAL}}}\n  rules: [{{id: place, allowed: [group/EEA]}}]\n{more}"),
    )
}

fn outside_eea(exceptions: &str) -> String {
    guarantee(PERSONAL, "[process, store]", "{outside: [group/EEA]}", exceptions)
}

#[test]
fn a_guarantee_that_a_policy_holds_is_proved_and_says_what_was_checked() {
    let (set, proofs) = prove("deny", &[stays(""), outside_eea("none")]);
    assert!(proofs.all_hold(), "{:?}", proofs.proofs);
    assert!(proofs.findings(&set).is_empty());
    assert!(proofs.cells > 0);
    let dates: Vec<String> = proofs.instants.iter().map(ToString::to_string).collect();
    assert_eq!(dates, [AT, "2027-06-01T00:00:00Z"]);
    let definitions = set.definitions();
    assert_eq!(
        guarantee_in_words(definitions, &definitions.guarantees[0]),
        "data of category personal (or a kind of it) and about people in group EEA, or of which that is not \
         stated, is never processed or stored outside group EEA, at any place that is or may be catalogued, \
         whatever exceptions are in force"
    );
}

#[test]
fn what_breaks_a_guarantee_is_said_in_one_sentence() {
    let health = guarantee("{categories: [health]}", "[process]", "{in: [\"US\"]}", "none");
    let with_block = |block: &str, activities: &str, allowed: &str| {
        policy(
            "x",
            "enforce",
            &format!(
                "  appliesTo: {block}\n  rules: [{{id: place, activities: {activities}, allowed: {allowed}}}]\n"
            ),
        )
    };
    let audited = policy(
        "p",
        "audit",
        &format!("  appliesTo: {{data: {PERSONAL}}}\n  rules: [{{id: place, allowed: [group/EEA]}}]\n"),
    );
    let cases: Vec<(&str, &str, Vec<String>, &str)> = vec![
        (
            "a policy that permits it",
            "deny",
            vec![
                with_block("{data: {categories: [personal]}}", "[process]", "[anywhere]"),
                health.clone(),
            ],
            "data of classification public, category health, about people in AD may be processed in US, \
             such as in `aws/us-east-1`: `x/place` permits it in any catalogued place",
        ),
        (
            "nothing covers it and the settings let it run",
            "allow",
            vec![health.clone()],
            "data of classification public, category health, about people in AD may be processed in US, such as \
             in `aws/us-east-1`: no enforced rule refuses it; no policy covers it and the settings let such data run",
        ),
        (
            "a policy in audit only covers provisionally",
            "deny",
            vec![audited, outside_eea("none")],
            "data of classification public, category personal, about people in DE may be processed in US, such as \
             in `aws/us-east-1`: no enforced rule refuses it; `p` is only in audit",
        ),
        (
            "a namespace that a block covers",
            "deny",
            vec![
                with_block(
                    "{namespaces: {matchLabels: {team: web}}}",
                    "[process]",
                    "[\"US\"]",
                ),
                health.clone(),
            ],
            "data of classification public, category health, about people in AD from a namespace labelled \
             `team=web` may be processed in US, such as in `aws/us-east-1`: `x/place` permits it in US",
        ),
        (
            "a storage class covers, and a pod that has one stores",
            "deny",
            vec![
                with_block("{storageClasses: [gold]}", "[process, store]", "[\"US\"]"),
                health.clone(),
            ],
            "data of classification public, category health, about people in AD from the storage class `gold` may \
             be processed in US, such as in `aws/us-east-1`: `x/place` permits it in US",
        ),
        (
            "a storage class that covers processing alone lets no pod run",
            "deny",
            vec![
                with_block("{storageClasses: [gold]}", "[process]", "[\"US\"]"),
                health.clone(),
            ],
            "",
        ),
        (
            "a data set that a block covers",
            "deny",
            vec![
                with_block("{dataSets: [claims]}", "[process]", "[\"US\"]"),
                health.clone(),
            ],
            "data of classification public, category health, about people in AD of the data set `claims` may be \
             processed in US, such as in `aws/us-east-1`: `x/place` permits it in US",
        ),
        (
            "a block of two kinds of source covers nothing",
            "deny",
            vec![
                with_block(
                    "{dataSets: [claims], storageClasses: [gold]}",
                    "[process, store]",
                    "[\"US\"]",
                ),
                health.clone(),
            ],
            "",
        ),
        (
            "a place where no region is catalogued counts",
            "deny",
            vec![
                with_block("{data: {categories: [health]}}", "[process]", "[\"DE\", \"KP\"]"),
                guarantee("{categories: [health]}", "[process]", "{in: [\"KP\"]}", "none"),
            ],
            "data of classification public, category health, about people in AD may be processed in KP, where no \
             region is catalogued yet: `x/place` permits it in DE or KP",
        ),
        (
            "a part of a country that no list names",
            "deny",
            vec![
                with_block("{data: {categories: [health]}}", "[process]", "[\"CA\"]"),
                guarantee(
                    "{categories: [health]}",
                    "[process]",
                    "{outside: [\"CA-QC\"]}",
                    "none",
                ),
            ],
            "data of classification public, category health, about people in AD may be processed in a part of CA that \
             no list names, where no region is catalogued yet: `x/place` permits it in CA",
        ),
        (
            "what is not stated counts as such data",
            "deny",
            vec![
                policy(
                    "x",
                    "enforce",
                    "  appliesTo: {namespaces: {matchLabels: {team: web}}}\n  rules: [{id: place, allowed: [\"US\", \"DE\"]}]\n",
                ),
                policy(
                    "y",
                    "enforce",
                    "  appliesTo: {data: {categories: [health], classification: {atLeast: internal}}}\n  rules: [{id: not, denied: [\"US\"]}]\n",
                ),
                guarantee(
                    "{categories: [health], classification: {atLeast: internal}}",
                    "[process]",
                    "{in: [\"US\"]}",
                    "none",
                ),
            ],
            "",
        ),
        (
            "two policies that cover another activity each",
            "deny",
            vec![
                with_block(
                    "{namespaces: {matchLabels: {team: web}}}",
                    "[process]",
                    "[\"US\"]",
                ),
                policy(
                    "y",
                    "enforce",
                    "  appliesTo: {namespaces: {matchLabels: {tier: a}}}\n  rules: [{id: place, activities: [store], allowed: [\"US\"]}]\n",
                ),
                guarantee("{categories: [health]}", "[store]", "{in: [\"US\"]}", "none"),
            ],
            "data of classification public, category health, about people in AD from a namespace labelled \
             `team=web` and `tier=a` may be stored in US, such as in `aws/us-east-1`: `x/place` permits it in US; \
             `y/place` permits it in US",
        ),
        (
            "a condition of a member is met or not, and a rule that asks for the same is known to",
            "deny",
            vec![
                policy(
                    "x",
                    "enforce",
                    "  appliesTo: {data: {categories: [health]}}\n  rules: [{id: place, allowed: [\"US\", \"DE\"]}, {id: framework, required: {certifications: [{scheme: DPF}]}}]\n",
                ),
                guarantee(
                    "{categories: [health]}",
                    "[process]",
                    "{outside: [group/framework, \"DE\"]}",
                    "none",
                ),
            ],
            "",
        ),
        (
            "a condition of a member that no rule asks for",
            "deny",
            vec![
                with_block("{data: {categories: [health]}}", "[process]", "[\"US\", \"DE\"]"),
                guarantee(
                    "{categories: [health]}",
                    "[process]",
                    "{outside: [group/framework, \"DE\"]}",
                    "none",
                ),
            ],
            "data of classification public, category health, about people in AD may be processed in US, such as \
             in `aws/us-east-1`: `x/place` permits it in US or DE",
        ),
        (
            "the clock alone breaks it",
            "deny",
            vec![
                with_block("{data: {categories: [health]}}", "[process]", "[\"GB\"]"),
                guarantee(
                    "{categories: [health]}",
                    "[process]",
                    "{outside: [group/EEA]}",
                    "none",
                ),
            ],
            "data of classification public, category health, about people in AD may be processed in GB, where no \
             region is catalogued yet from 2027-06-01 on: `x/place` permits it in GB",
        ),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(what, uncovered, objects, expected)| {
            let found = broken(uncovered, &objects);
            (found != expected).then(|| format!("{what}\n  expected: {expected}\n  found:    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const EXCEPTIONS: &str = "  exceptions: {allowed: true, maxDays: 900, approvers: [a@corp.example]}\n";

#[test]
fn exceptions_break_a_guarantee_that_allows_none_and_are_listed_by_one_that_does() {
    let exception = exception(
        "ex",
        "{categories: [health]}",
        "[\"US\"]",
        ("2026-12-01", "2027-01-01"),
    );
    let objects = |terms: &str| vec![stays(EXCEPTIONS), exception.clone(), outside_eea(terms)];
    assert_eq!(
        broken("deny", &objects("none")),
        "data of classification public, category health, about people in DE may be processed in US, in a region \
         with other facts than the catalogued ones from 2026-12-01 on: the exception `ex` lifts `p/place`"
    );
    let (set, proofs) = prove("deny", &objects("listed"));
    assert!(proofs.all_hold());
    let opened: Vec<&str> = proofs.proofs[0]
        .opened_by
        .iter()
        .map(|index| &*set.definitions().exceptions[*index].name)
        .collect();
    assert_eq!(opened, ["ex"]);
}

#[test]
fn an_exception_that_is_over_or_of_places_that_are_allowed_breaks_nothing() {
    for (locations, days) in [
        ("[\"US\"]", ("2026-10-01", "2026-11-01")),
        ("[\"FR\"]", ("2026-12-01", "2027-01-01")),
    ] {
        let exception = exception("ex", "{categories: [health]}", locations, days);
        assert_eq!(
            broken("deny", &[stays(EXCEPTIONS), exception, outside_eea("none")]),
            "",
            "{locations} {days:?}"
        );
    }
}

#[test]
fn a_failure_is_a_finding_where_the_guarantee_stands() {
    let (set, proofs) = prove("allow", &[outside_eea("none")]);
    let findings = proofs.findings(&set);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].code, findings[0].position.file.as_str()),
        ("L14", "set.yaml")
    );
    assert!(findings[0].position.line > 1);
    assert!(
        findings[0]
            .sentence
            .starts_with("the guarantee `g` does not hold: data of ")
    );
}

#[test]
fn a_set_with_too_many_kinds_of_places_is_not_proved_and_says_so() {
    let members: Vec<String> = (0..20)
        .map(|number| format!("{{country: \"US\", required: {{certifications: [{{scheme: S{number}}}]}}}}"))
        .collect();
    let group = format!(
        "kind: JurisdictionGroup\nmetadata: {{name: many}}\nspec:\n  asOf: \"2026-01-01\"\n  reviewBy: \"2028-01-01\"\n  source: a test\n  members: [{}]\n",
        members.join(", ")
    );
    let (_, proofs) = prove(
        "deny",
        &[
            group,
            guarantee(
                "{categories: [health]}",
                "[process]",
                "{in: [group/many]}",
                "none",
            ),
        ],
    );
    assert!(matches!(proofs.proofs[0].outcome, ProofOutcome::Unproved(_)));
    assert_eq!(
        proofs.proofs[0].outcome.in_words().unwrap(),
        "it cannot be proved, because the requirements of the set can be met together in more than 10000 ways"
    );
}
