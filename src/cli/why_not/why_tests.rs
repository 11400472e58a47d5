//! `why` and `why-not` on the embedded default: text for people and JSON for programs say one thing.

use serde_json::Value;

use super::*;
use crate::cli::facts::read_facts;
use crate::cli::why;
use crate::objects;

const IN_VIRGINIA: &str = "ip-10-30-1-21.ec2.internal";
const IN_FRANKFURT: &str = "ip-10-10-2-28.eu-central-1.compute.internal";

fn facts() -> Facts {
    let at = "2026-11-21T00:00:00Z".parse().expect("an instant");
    read_facts(&FactsArgs::default(), at).expect("the embedded facts")
}

fn pod(namespace: &str, annotations: &str) -> PodRequirements {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: {namespace}, annotations: {{{annotations}}}}}\n"
    );
    objects::read_pod(&text, "pod.yaml").expect("a pod")
}

fn shop() -> PodRequirements {
    pod(
        "shop",
        "domicile.dev/data-sets: \"orders: reads=4 writes=1\", domicile.dev/clients: \"aws/eu-west-1=1\"",
    )
}

fn why(facts: &Facts, pod: &PodRequirements, node: &str) -> (Outcome, Value, String) {
    let (mut json, mut text) = (Vec::new(), Vec::new());
    let outcome = why::report(facts, pod, node, Output::Json, &mut json).expect("JSON");
    assert_eq!(
        why::report(facts, pod, node, Output::Text, &mut text).expect("text"),
        outcome
    );
    let text = String::from_utf8(text).expect("UTF-8");
    (outcome, serde_json::from_slice(&json).expect("JSON"), text)
}

fn why_not(facts: &Facts, pod: &PodRequirements) -> (Outcome, Value, String) {
    let (mut json, mut text) = (Vec::new(), Vec::new());
    let outcome = report(facts, pod, None, Output::Json, &mut json).expect("JSON");
    assert_eq!(
        report(facts, pod, None, Output::Text, &mut text).expect("text"),
        outcome
    );
    let text = String::from_utf8(text).expect("UTF-8");
    (outcome, serde_json::from_slice(&json).expect("JSON"), text)
}

#[test]
fn a_refusal_names_the_rule_the_data_the_place_and_whom_to_ask() {
    let (outcome, json, text) = why(&facts(), &shop(), IN_VIRGINIA);
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!((&json["v"], &json["verdict"]), (&1.into(), &"refused".into()));
    let cause = &json["causes"][0];
    assert_eq!(
        (
            &cause["rule"],
            &cause["refuses"],
            &cause["contact"],
            &cause["legalBasis"][0]
        ),
        (
            &"eea-personal-data/place".into(),
            &true.into(),
            &"dpo@corp.example".into(),
            &"GDPR Art. 44-46".into()
        )
    );
    let sources: Vec<&str> = cause["becauseOf"]
        .as_array()
        .expect("data")
        .iter()
        .filter_map(|datum| datum["source"].as_str())
        .collect();
    assert!(
        sources.contains(&"DataSet/orders") && sources.contains(&"Namespace/shop"),
        "{sources:?}"
    );
    assert_eq!(
        (&json["place"]["country"], &json["score"]),
        (&"US".into(), &Value::Null)
    );
    for said in [
        "refused\n  domicile: `eea-personal-data/place` permits only group EEA; ask dpo@corp.example\n",
        "because of Namespace/shop: confidential personal data about people in DE, FR, NL, NO, SE\n",
        "legal basis: GDPR Art. 44-46\n",
        "4 x read of `orders` to the leader in aws/eu-central-1: 93.1 ms, measured\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

/// The embedded facts with pods that run.
fn facts_with_pods(pods: &[(&str, &str)]) -> Facts {
    let mut texts = read_world(&FactsArgs::default()).expect("the embedded facts");
    for (number, (labels, node)) in pods.iter().enumerate() {
        texts.fleet.text.push_str(&format!(
            "\n---\nkind: Pod\napiVersion: v1\nmetadata: {{name: p{number}, namespace: backend, labels: {{{labels}}}}}\nspec: {{nodeName: {node}}}\n"
        ));
    }
    Facts {
        snapshot: snapshot(&texts).expect("a world"),
        at: facts().at,
    }
}

#[test]
fn calls_to_peers_are_told_with_how_many_run_where() {
    let calls = "domicile.dev/peers: \"app=cart,tier=back: calls=3 namespace=backend; app=mail; app=lost: namespace=backend\"";
    let facts = facts_with_pods(&[
        ("app: cart, tier: back", IN_FRANKFURT),
        ("app: cart, tier: back", IN_FRANKFURT),
        ("app: cart, tier: back", IN_VIRGINIA),
        ("app: cart, tier: back", "nowhere"),
        ("app: cart", IN_VIRGINIA),
        ("app: lost", "nowhere"),
    ]);
    let (_, json, text) = why(&facts, &pod("public-site", calls), IN_FRANKFURT);
    let legs = json["access"]["legs"].as_array().expect("legs");
    let found = &legs[0]["peers"];
    assert_eq!(
        (
            &legs[0]["leg"],
            &legs[0]["times"],
            &found["selector"],
            &found["namespace"]
        ),
        (
            &"call".into(),
            &3.0.into(),
            &"app=cart,tier=back".into(),
            &"backend".into()
        )
    );
    assert_eq!(
        (&found["pods"], &found["places"], &found["atUnknownPlace"]),
        (&4.into(), &2.into(), &1.into())
    );
    for said in [
        "3 x call of pods `app=cart,tier=back` in `backend` (4 pods at 2 places and 1 of them nobody knows where): ",
        "1 x call of pods `app=mail` in `public-site` (none runs): counts nothing\n",
        "1 x call of pods `app=lost` in `backend` (1 pod and nobody knows where): unknown\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(json["access"]["state"], "unknown", "unknown never beats measured");

    // Without the lost ones the pod is drawn to where most carts are.
    let calls = "domicile.dev/peers: \"app=cart,tier=back: calls=3 namespace=backend\"";
    let (_, json, _) = why(&facts, &pod("public-site", calls), IN_FRANKFURT);
    assert_eq!(
        (&json["score"], &json["access"]["state"]),
        (&10.into(), &"known".into())
    );
    let (_, json, _) = why(&facts, &pod("public-site", calls), IN_VIRGINIA);
    assert!(json["score"].as_u64() < Some(10), "{json}");

    let (_, json, text) = why(&self::facts(), &pod("public-site", calls), IN_FRANKFURT);
    assert!(
        text.contains("(nobody says which pods run): counts nothing\n"),
        "{text}"
    );
    assert_eq!(json["access"]["state"], "not-demanded");
}

#[test]
fn a_permission_names_the_rule_that_covers_it_and_the_score() {
    let (outcome, json, text) = why(&facts(), &shop(), IN_FRANKFURT);
    assert_eq!(outcome, Outcome::Holds);
    assert_eq!(
        (&json["verdict"], &json["sentence"]),
        (&"permitted".into(), &Value::Null)
    );
    assert_eq!(
        (&json["causes"][0]["refuses"], &json["score"]),
        (&false.into(), &10.into())
    );
    assert!(
        text.contains("permits: `eea-personal-data/place` permits only group EEA"),
        "{text}"
    );
    assert!(text.contains("score 10 of 10"), "{text}");
}

#[test]
fn an_unknown_node_refuses_a_governed_pod_and_passes_another() {
    let (outcome, json, text) = why(&facts(), &shop(), "nowhere");
    assert_eq!(
        (outcome, &json["causes"][0]["cause"]),
        (Outcome::Finding, &"unknown-node".into())
    );
    assert!(text.contains("the fleet has no node `nowhere`"), "{text}");
    assert!(
        text.contains("applies: `eea-personal-data/place`") && !text.contains("permits: "),
        "{text}"
    );
    let (outcome, json, text) = why(&facts(), &pod("kube-system", ""), "nowhere");
    assert_eq!((outcome, &json["governed"]), (Outcome::Holds, &false.into()));
    assert!(text.contains("residency has no say"), "{text}");
}

#[test]
fn a_malformed_annotation_refuses_everywhere_and_is_quoted() {
    let pod = pod("shop", "domicile.dev/data-categories: persnal");
    let (outcome, json, text) = why_not(&facts(), &pod);
    assert_eq!((outcome, &json["permittedNodes"]), (Outcome::Finding, &0.into()));
    assert_eq!(json["refused"][0]["cause"], "malformed-annotation");
    assert!(
        text.contains("`domicile.dev/data-categories`") && text.contains("persnal"),
        "{text}"
    );
    assert!(text.contains("no node of the fleet is permitted"), "{text}");
}

#[test]
fn why_not_counts_nodes_by_reason_and_agrees_with_why_on_each() {
    let facts = facts();
    let (outcome, json, text) = why_not(&facts, &shop());
    assert_eq!(outcome, Outcome::Holds);
    assert!(text.contains("such as"), "{text}");
    let permitted = json["permitted"].as_array().expect("places");
    let mut counted = 0;
    for place in permitted {
        for node in place["nodes"].as_array().expect("nodes") {
            let (outcome, of_node, _) = why(&facts, &shop(), node.as_str().expect("a name"));
            assert_eq!((outcome, &of_node["score"]), (Outcome::Holds, &place["score"]));
            assert_eq!(of_node["access"], place["access"]);
            counted += 1;
        }
    }
    assert_eq!(json["permittedNodes"], counted);
    let refused = json["refused"][0]["nodes"].as_u64().expect("a count");
    assert_eq!(Some(refused + counted), json["nodes"].as_u64());
    assert_eq!(permitted[0]["score"], 10);
}

const IN_LONDON: &str = "gke-europe-west2-general-cf5fcb78-ba4e";

/// The shipped facts with other settings, and labels that confirm the nodes in London.
fn facts_with(settings: &[(&str, &str)], at: &str) -> Facts {
    use crate::assembly::{RuleTexts, SourceText};
    use crate::embedded;
    let policies = embedded::policies().iter().map(|(name, text)| {
        let replaced = settings
            .iter()
            .filter(|_| *name == "settings.yaml")
            .fold((*text).to_owned(), |text, (from, to)| text.replace(from, to));
        SourceText::new(*name, replaced)
    });
    let text = |(name, text): (&str, &str)| SourceText::new(name, text);
    let (name, fleet) = embedded::fleet();
    let label = "topology.kubernetes.io/region: europe-west2\n";
    let confirmed = format!(
        "{label}        {}: europe-west2\n",
        crate::model::RESTRICTED_REGION_LABEL
    );
    let texts = crate::cli::facts::FactTexts {
        rules: RuleTexts {
            policies: policies.collect(),
            data_sets: vec![text(embedded::data_sets())],
            latency: vec![text(embedded::latency())],
        },
        fleet: SourceText::new(name, fleet.replace(label, &confirmed)),
        confirmed_until: None,
        taken_at: None,
    };
    Facts {
        snapshot: snapshot(&texts).expect("the facts"),
        at: at.parse().expect("an instant"),
    }
}

const SETTINGS: &str = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings";
const EXCEPTION: &str = r#"apiVersion: domicile.dev/v1alpha1
kind: PlacementException
metadata: {name: ex-london}
spec:
  relaxes: {policy: eea-personal-data, rule: place}
  scope: {namespace: shop, locations: ["GB"], data: {categories: [personal], subjects: [group/EEA]}}
  category: waiver
  reason: a move to another vendor
  requestedBy: somebody@corp.example
  approvedBy: dpo@corp.example
  ticket: T-1
  notBefore: "2026-11-01"
  expires: "2026-12-31"
---
apiVersion: domicile.dev/v1alpha1
kind: PolicySettings"#;
const NOW: &str = "2026-11-21T12:00:00Z";

#[test]
fn a_permission_by_exception_says_until_when_and_what_refuses_without_it() {
    let facts = facts_with(&[(SETTINGS, EXCEPTION)], NOW);
    let said = "permitted under the exception `ex-london` until 2026-12-31T00:00:00Z; without it `eea-personal-data/place` refuses (T-1, approved by dpo@corp.example)";
    let (outcome, json, text) = why(&facts, &shop(), IN_LONDON);
    assert_eq!(outcome, Outcome::Holds, "{text}");
    assert!(text.contains(said), "{text}");
    let exception = &json["exceptions"][0];
    assert_eq!(
        (&exception["name"], &exception["rule"], &exception["until"]),
        (
            &"ex-london".into(),
            &"eea-personal-data/place".into(),
            &"2026-12-31T00:00:00Z".into()
        )
    );
    let (_, json, text) = why(&facts, &shop(), IN_FRANKFURT);
    assert!(
        !text.contains("exception") && json["exceptions"] == serde_json::json!([]),
        "{text}"
    );
    let (_, json, text) = why_not(&facts, &shop());
    assert!(
        text.contains(&format!("2 nodes: {said}\n    in gcp/europe-west2 (2)\n")),
        "{text}"
    );
    assert_eq!(
        (&json["exceptions"][0]["name"], &json["exceptions"][0]["nodes"]),
        (&"ex-london".into(), &2.into())
    );
    let over = facts_with(&[(SETTINGS, EXCEPTION)], "2026-12-31T00:00:00Z");
    let (outcome, _, text) = why(&over, &shop(), IN_LONDON);
    assert!(
        outcome == Outcome::Finding && !text.contains("ex-london"),
        "{text}"
    );
}

#[test]
fn a_region_that_is_not_confirmed_is_told_with_its_label() {
    let restriction = format!(
        "regionKey: {{nodeRestriction: {}, from: confidential}}",
        crate::model::RESTRICTED_REGION_LABEL
    );
    let settings = [
        (SETTINGS, EXCEPTION),
        ("regionKey: topology", restriction.as_str()),
    ];
    let facts = facts_with(&settings, NOW);
    let said = "the region of the node is not confirmed: it has no label `domicile.node-restriction.kubernetes.io/region`";
    let (outcome, json, text) = why(&facts, &shop(), IN_FRANKFURT);
    assert!(outcome == Outcome::Finding && text.contains(said), "{text}");
    assert_eq!(
        (&json["causes"][0]["refuses"], &json["place"]["regionConfirmed"]),
        (&true.into(), &false.into())
    );
    let (outcome, json, text) = why(&facts, &shop(), IN_LONDON);
    assert_eq!(outcome, Outcome::Holds, "{text}");
    assert_eq!(json["place"]["regionConfirmed"], true);
    let (_, json, text) = why_not(&facts, &shop());
    assert!(text.contains(said), "{text}");
    let refused = json["refused"][0]["nodes"].as_u64().expect("a count");
    assert_eq!(Some(refused + 2), json["nodes"].as_u64(), "{text}");
}

#[test]
fn a_fact_that_is_too_old_is_told_with_its_age() {
    let settings = [(
        "regionKey: topology",
        "regionKey: topology\n  maxFactAge: {confidential: 10d}",
    )];
    let facts = facts_with(&settings, "2026-12-11T12:00:00Z");
    let (outcome, json, text) = why(&facts, &shop(), IN_FRANKFURT);
    let said = "what is known of `aws/eu-central-1` is of 2026-11-21 and too old for this data: 20 days where less than 10 count";
    assert!(outcome == Outcome::Finding && text.contains(said), "{text}");
    assert_eq!(json["causes"][0]["doubts"][0], said);
}

#[test]
fn every_rule_that_bears_on_a_pod_has_something_that_brings_it() {
    let facts = facts();
    let annotations = [
        "domicile.dev/data-sets: \"orders: reads=1; ledger: reads=1; undeclared: reads=1\"",
        "domicile.dev/data-categories: \"personal,payment\", domicile.dev/data-subjects: \"DE,US\"",
        "",
    ];
    let mut rules = 0;
    for namespace in [
        "shop",
        "payments",
        "back-office",
        "analytics",
        "default",
        "nowhere",
    ] {
        for annotations in annotations {
            let pod = pod(namespace, annotations);
            let (_, json, _) = why(&facts, &pod, IN_FRANKFURT);
            for cause in json["causes"].as_array().expect("causes") {
                let data = cause["becauseOf"].as_array().expect("data");
                let by_source = cause["whateverItsData"] == true;
                assert!(
                    by_source || !data.is_empty(),
                    "{namespace} {annotations}: {cause}"
                );
                // Two shipped policies select namespaces, which only an unknown one may be.
                assert!(!by_source || namespace == "nowhere", "{namespace}: {cause}");
                rules += 1;
            }
        }
    }
    assert!(rules > 20, "{rules}");
}

const IN_DUBLIN: &str = "ip-10-20-1-21.eu-west-1.compute.internal";

#[test]
fn each_access_tells_who_serves_it_what_commits_and_whether_the_limit_is_kept() {
    let limited = pod(
        "shop",
        "domicile.dev/data-sets: \"orders: reads=4 writes=1\", domicile.dev/max-read-ms: \"20\"",
    );
    let facts = facts();
    let (outcome, json, text) = why(&facts, &limited, IN_DUBLIN);
    assert_eq!(outcome, Outcome::Finding, "{text}");
    let access = &json["access"];
    assert_eq!(
        (&access["statistic"], &access["lacksCommit"]),
        (&"p50".into(), &false.into())
    );
    let [read, write] = access["legs"].as_array().expect("legs").as_slice() else {
        panic!("two legs: {access}");
    };
    assert_eq!(
        (&read["path"], &read["limit"], &read["obstacles"]),
        (
            &"leader".into(),
            &serde_json::json!({"ms": 20.0, "state": "broken"}),
            &serde_json::json!(["over-limit"])
        )
    );
    // The nearest other voter is on another cloud in the same city.
    let commit_ms = write["commit"]["ms"].as_f64().expect("a known commit");
    assert!((1.0..5.0).contains(&commit_ms), "{write}");
    assert_eq!(write["commit"]["provenance"], "estimated from distance");
    let of_read = read["ms"].as_f64().expect("a known read");
    let of_write = write["ms"].as_f64().expect("a known write");
    assert!((of_read + commit_ms - of_write).abs() < 0.01, "{access}");
    let last = json["causes"].as_array().and_then(|causes| causes.last());
    assert_eq!(
        last.map(|cause| (&cause["cause"], &cause["refuses"])),
        Some((&"over-limit".into(), &true.into()))
    );
    for said in [
        "refuses: a read of `orders` takes longer than the `20` ms of `domicile.dev/max-read-ms`",
        "round trips are P50",
        "4 x read of `orders` to the leader in aws/eu-central-1: ",
        "; over the limit of 20 ms",
        " ms to commit, estimated from distance",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let (_, _, text) = why(&facts, &limited, IN_FRANKFURT);
    assert!(text.contains("; within the limit of 20 ms"), "{text}");

    let (outcome, json, text) = why_not(&facts, &limited);
    assert_eq!(outcome, Outcome::Holds, "{text}");
    let groups = json["refused"].as_array().expect("groups");
    let group = groups.iter().find(|group| group["cause"] == "over-limit");
    let regions = group.map(|group| &group["regions"]).expect("a group");
    assert!(regions.get("aws/eu-west-1").is_some(), "{regions}");
    assert!(text.contains("takes longer than the `20` ms"), "{text}");
}

/// As [`why_not`], with what stands in the way beside the policy, in a fleet with more objects.
fn why_not_beside(more: &str, spec: &str) -> (Outcome, Value, String) {
    let mut texts = read_world(&FactsArgs::default()).expect("the embedded facts");
    texts.fleet.text.push_str(more);
    let facts = Facts {
        snapshot: snapshot(&texts).expect("a world"),
        at: facts().at,
    };
    let manifest = format!(
        "kind: Pod\nmetadata: {{name: p, namespace: shop, labels: {{app: web}}, annotations: \
         {{domicile.dev/data-sets: \"orders: reads=4 writes=1\"}}}}\nspec: {{{spec}}}\n"
    );
    let pod = objects::read_pod(&manifest, "pod.yaml").expect("a pod");
    let judged = BesideFacts {
        fleet: (&texts.fleet.name, &texts.fleet.text),
        manifest: &manifest,
        pod: &pod,
    };
    let (mut json, mut text) = (Vec::new(), Vec::new());
    let outcome = report(&facts, &pod, Some(judged), Output::Json, &mut json).expect("JSON");
    let again = report(&facts, &pod, Some(judged), Output::Text, &mut text).expect("text");
    assert_eq!(outcome, again);
    let text = String::from_utf8(text).expect("UTF-8");
    (outcome, serde_json::from_slice(&json).expect("JSON"), text)
}

#[test]
fn a_taint_on_a_permitted_node_is_named_and_one_elsewhere_is_nobodys_business() {
    let node = |name: &str, region: &str| {
        format!(
            "\n---\nkind: Node\napiVersion: v1\nmetadata: {{name: {name}, labels: {{topology.kubernetes.io/region: {region}}}}}\n\
             spec: {{providerID: \"aws:///{region}a/i-0\", taints: [{{key: gpu, value: \"a\", effect: NoSchedule}}]}}\n"
        )
    };
    let more = node("tainted-here", "eu-central-1") + &node("tainted-there", "us-east-1");
    let (outcome, json, text) = why_not_beside(&more, "");
    assert_eq!(outcome, Outcome::Holds);
    let group = &json["beside"]["hindered"][0];
    assert_eq!(
        (
            &group["plugin"],
            &group["taint"],
            &group["nodes"],
            &group["examples"][0]
        ),
        (
            &"TaintToleration".into(),
            &"gpu=a:NoSchedule".into(),
            &1.into(),
            &"tainted-here".into()
        )
    );
    for said in [
        "\nwhat stands in the way beside the policy\n  1 permitted node: the taint `gpu=a:NoSchedule`, which the pod does not tolerate\n",
        "    in aws/eu-central-1 (1)\n    such as tainted-here\n",
        "permitted nodes are left\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(!text.contains("tainted-there"), "{text}");
    let (_, json, text) = why_not_beside(&more, "tolerations: [{key: gpu, operator: Exists}]");
    assert_eq!(json["beside"]["hindered"], Value::Array(Vec::new()));
    assert!(!text.contains("beside the policy"), "{text}");
}

#[test]
fn where_nothing_is_left_of_what_policy_permits_it_is_a_finding() {
    let (outcome, json, text) = why_not_beside("", "nodeSelector: {disk: ssd}");
    assert_eq!(
        (outcome, &json["beside"]["openNodes"]),
        (Outcome::Finding, &0.into())
    );
    assert_eq!(json["beside"]["hindered"][0]["nodes"], json["permittedNodes"]);
    assert!(
        text.contains("not what the nodeSelector or the required node affinity"),
        "{text}"
    );
}

#[test]
fn a_hard_spread_over_regions_that_policy_forbids_is_named_with_its_cure() {
    let spread = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/region, \
        whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]";
    let (outcome, json, text) = why_not_beside("", spread);
    // A first pod finds a node; the last of a Deployment does not.
    assert_eq!(outcome, Outcome::Holds);
    let found = &json["beside"]["spread"][0];
    let (open, room) = (found["open"].as_u64(), found["room"].as_u64());
    assert!(open.is_some_and(|open| open > 1) && open == room, "{found}");
    assert!(
        found["forbidden"]
            .as_array()
            .is_some_and(|of| of.contains(&"us-east-1".into())),
        "{found}"
    );
    for said in [
        "the topology spread constraint on `topology.kubernetes.io/region` (DoNotSchedule, maxSkew 1) comes to a standstill",
        "more such pods can be placed\n    fix: let the admission webhook write the permitted places into the pod",
        "or set `whenUnsatisfiable: ScheduleAnyway`\n    without a permitted node: ",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}
