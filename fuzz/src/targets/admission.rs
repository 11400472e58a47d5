//! Any bytes as an `AdmissionReview`.
//!
//! Whatever is read is answered with JSON; the patch in it applies to the pod, changes nothing but what is ours to
//! change, and the patched pod gives no further patch. What is refused has a code and a sentence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domicile::admission::{
    AdmissionSettings, Nowhere, Reply, Review, SubmittedPod, mutate, read_review, validate, write_reply,
};
use domicile::model::NamespaceName;
use serde_json::{Value, json};

use super::{says_something, small_world};
use crate::world::NOW;

const OURS: [&str; 2] = ["domicile.dev/admitted-by", "domicile.dev/admitted-places"];

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let review = match read_review(bytes) {
        Ok(review) => review,
        Err(error) => return says_something(&error.to_string()),
    };
    let (json, namespace) = match review.created_pod() {
        Ok(Some(created)) => created,
        Ok(None) => return,
        Err(error) => return says_something(&error.to_string()),
    };
    let strict = AdmissionSettings {
        nowhere: Nowhere::Reject,
        scheduler_name: Some("domicile".to_owned()),
        ..AdmissionSettings::default()
    };
    for settings in [AdmissionSettings::default(), strict] {
        answered(&review, json, &namespace, &settings);
        // An API server writes an object once more, without names that are there twice; `metadata` and `spec` are
        // objects then. Deeper than serde_json reads, nothing is patched by this test.
        let Ok(mut pod) = serde_json::from_str::<Value>(json) else {
            continue;
        };
        for part in ["metadata", "spec"] {
            if pod.get(part).is_none_or(Value::is_null) && pod.is_object() {
                pod[part] = json!({});
            }
        }
        let Some(patched) = answered(&review, &pod.to_string(), &namespace, &settings) else {
            continue;
        };
        let again = answered(&review, &patched.to_string(), &namespace, &settings);
        assert_eq!(
            again.as_ref(),
            Some(&patched),
            "patched twice is not patched once"
        );
        assert_eq!(without_ours(patched), without_ours(pod));
    }
}

/// The pod as it is admitted; `None` where it is not, or cannot be read.
fn answered(
    review: &Review<'_>,
    json: &str,
    namespace: &NamespaceName,
    settings: &AdmissionSettings,
) -> Option<Value> {
    let world = small_world();
    let now = NOW.parse().unwrap();
    let pod = match SubmittedPod::read(json, namespace) {
        Ok(pod) => pod,
        Err(error) => {
            says_something(&error.to_string());
            return None;
        }
    };
    let validation = validate(world, &pod, review.user(), now, settings);
    validation.rejection().into_iter().for_each(says_something);
    let mutation = match mutate(world, &pod, now, settings) {
        Ok(mutation) => mutation,
        Err(error) => {
            says_something(&error.to_string());
            return None;
        }
    };
    let reply = Reply {
        rejection: mutation.rejection.as_deref(),
        operations: &mutation.operations,
        warnings: &mutation.warnings,
    };
    let written: Value = serde_json::from_slice(&write_reply(review.uid(), reply)).unwrap();
    let response = &written["response"];
    assert_eq!(response["uid"], review.uid());
    assert_eq!(response["allowed"], mutation.rejection.is_none());
    mutation
        .warnings
        .iter()
        .for_each(|warning| says_something(warning));
    if mutation.rejection.is_some() {
        assert!(response.get("patch").is_none());
        return None;
    }
    let mut pod: Value = serde_json::from_str(json).ok()?;
    // The raw text may have no `spec`, or a name twice; what an API server sends has neither (see `check`).
    let canonical = pod.to_string();
    let is_whole = ["metadata", "spec"].iter().all(|part| pod[part].is_object()) && canonical == json;
    if let Some(patch) = response.get("patch") {
        let patch = STANDARD.decode(patch.as_str().unwrap()).unwrap();
        let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
        let applied = json_patch::patch(&mut pod, &patch);
        assert!(applied.is_ok() || !is_whole, "{applied:?}");
    }
    Some(pod)
}

/// The pod without what is ours to change, and without the objects that are empty then.
fn without_ours(mut pod: Value) -> Value {
    if let Some(annotations) = pod["metadata"]
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| !OURS.contains(&key.as_str()));
    }
    if pod["metadata"]["annotations"]
        .as_object()
        .is_none_or(|left| left.is_empty())
    {
        pod["metadata"]
            .as_object_mut()
            .map(|metadata| metadata.remove("annotations"));
    }
    let Some(spec) = pod["spec"].as_object_mut() else {
        return pod;
    };
    spec.remove("schedulerName");
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else {
        spec.remove("affinity");
        return pod;
    };
    if let Some(of_nodes) = affinity.get_mut("nodeAffinity").and_then(Value::as_object_mut) {
        of_nodes.remove("requiredDuringSchedulingIgnoredDuringExecution");
    }
    if affinity.get("nodeAffinity").is_none_or(is_nothing) {
        affinity.remove("nodeAffinity");
    }
    if affinity.is_empty() {
        spec.remove("affinity");
    }
    pod
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(|fields| fields.is_empty())
}
