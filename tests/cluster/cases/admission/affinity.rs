//! What a pod requires of nodes by itself stays required, beside what the policies permit.

use std::slice::from_ref;

use serde_json::{Value, json};

use super::{is_confined, required_terms};
use crate::cases::fleet::{EEA_PERSONAL, EEA_SENTENCE, aws};
use crate::cases::stand::{LIMIT, Plan};
use crate::webhook::FailurePolicy;

fn is(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({ "key": key, "operator": operator, "values": values })
}

fn all_of(expressions: &[Value]) -> Value {
    json!({ "matchExpressions": expressions })
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_terms_are_each_confined_and_none_is_loosened() {
    let stand = Plan::begin("existing-affinity")
        .await
        .admission()
        .nodes([
            aws("frankfurt-hdd", "eu-central-1").label("disk", "hdd"),
            aws("dublin-ssd", "eu-west-1").label("disk", "ssd"),
            aws("paris-gpu", "eu-west-3").label("gpu", "yes"),
            aws("virginia-ssd", "us-east-1").label("disk", "ssd"),
            aws("virginia-gpu", "us-east-1").label("gpu", "yes"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    stand.register(FailurePolicy::Fail).await;

    let ssd = is("disk", "In", &["ssd"]);
    let gpu = is("gpu", "Exists", &[]);
    let by_name = |node: &str| json!({ "matchFields": [is("metadata.name", "In", &[node])] });
    let virginia = is("topology.kubernetes.io/region", "In", &["us-east-1"]);
    let dublin = is("topology.kubernetes.io/region", "In", &["eu-west-1"]);
    // What it requires, and the nodes that are left of it.
    let cases: [(&str, Value, &[&str]); 8] = [
        ("one", json!([all_of(from_ref(&ssd))]), &["dublin-ssd"]),
        (
            "two",
            json!([all_of(from_ref(&ssd)), all_of(from_ref(&gpu))]),
            &["dublin-ssd", "paris-gpu"],
        ),
        ("both-in-one", json!([all_of(&[ssd.clone(), gpu])]), &[]),
        ("field", json!([by_name("frankfurt-hdd")]), &["frankfurt-hdd"]),
        ("forbidden-field", json!([by_name("virginia-ssd")]), &[]),
        ("forbidden-region", json!([all_of(&[virginia])]), &[]),
        ("permitted-region", json!([all_of(&[dublin])]), &["dublin-ssd"]),
        // A term that says nothing matches no node, and must not begin to match.
        ("nothing", json!([{}, all_of(&[ssd])]), &["dublin-ssd"]),
    ];
    for lane in &stand.lanes {
        for (name, own, nodes) in &cases {
            let pod = lane.pod(name).in_namespace("shop").requires(own.clone());
            let pod = cluster.create_pod(&pod).await;
            let terms = required_terms(&pod);
            for own in own.as_array().into_iter().flatten() {
                let mut kept = terms.iter().filter(|term| contains(term, own));
                assert!(kept.next().is_some(), "{name}: {own} is not in {terms:?}");
            }
            for term in terms.iter().filter(|term| **term != json!({})) {
                let is_own = own
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|own| contains(term, own));
                assert!(is_own, "{name}: {term} is not the author's");
                let says_its_region = contains(term, &own[0]) && name.ends_with("-region");
                assert!(is_confined(term) || says_its_region, "{name}: {term}");
            }
            if nodes.is_empty() {
                let refusal = cluster
                    .until_refused(&pod, "didn't match Pod's node affinity", LIMIT)
                    .await;
                assert!(
                    !refusal.contains(EEA_SENTENCE),
                    "the extender is not needed: {refusal}"
                );
            } else {
                let node = cluster.until_bound(&pod, LIMIT).await;
                assert!(nodes.contains(&node.as_str()), "{name}: bound to `{node}`");
            }
        }
    }
}

/// Whether a term has all that another requires.
fn contains(term: &Value, own: &Value) -> bool {
    ["matchExpressions", "matchFields"].iter().all(|part| {
        let has = |wanted: &Value| {
            let all = term[part].as_array().into_iter().flatten();
            all.into_iter().any(|expression| {
                ["key", "operator"]
                    .iter()
                    .all(|field| expression[field] == wanted[field])
                    && strings(&expression["values"]) == strings(&wanted["values"])
            })
        };
        own[part].as_array().into_iter().flatten().all(has)
    })
}

/// An empty list is left out on the way.
fn strings(list: &Value) -> Vec<&str> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).collect()
}
