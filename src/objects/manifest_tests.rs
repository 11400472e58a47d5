use super::manifest::read_pod;
use crate::model::{PodRequirements, VolumeMount};

const TEMPLATE: &str = r#"{"metadata": {"labels": {"app": "web"}, "annotations": {"domicile.dev/data-sets": "orders"}},
    "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}], "containers": []}}"#;

fn pod(text: &str) -> PodRequirements {
    read_pod(text, "pod.yaml").unwrap_or_else(|error| panic!("{error}"))
}

fn claims(pod: &PodRequirements) -> Vec<&str> {
    let claims = pod.volumes.iter().map(|volume| match volume {
        VolumeMount::Claim(claim) | VolumeMount::Ephemeral { claim, .. } => &**claim,
    });
    claims.collect()
}

#[test]
fn a_pod_beside_other_kinds_is_read() {
    let pod = pod(
        "kind: Service\nmetadata: {name: s}\n---\nkind: Pod\nmetadata: {name: p}\nspec: {schedulerName: domicile}\n",
    );
    assert_eq!(
        (pod.namespace.as_str(), pod.name.as_str(), &*pod.scheduler),
        ("default", "p", "domicile")
    );
    assert_eq!(pod.owner, None);
}

#[test]
fn a_workload_is_the_pod_that_it_makes() {
    for kind in [
        "Deployment",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "StatefulSet",
        "CronJob",
    ] {
        let spec = match kind {
            "CronJob" => format!(r#"{{"jobTemplate": {{"spec": {{"template": {TEMPLATE}}}}}}}"#),
            _ => format!(r#"{{"template": {TEMPLATE}}}"#),
        };
        let pod = pod(&format!(
            r#"{{"kind": "{kind}", "metadata": {{"name": "web", "namespace": "shop"}}, "spec": {spec}}}"#
        ));
        assert_eq!(pod.namespace.as_str(), "shop", "{kind}");
        assert_eq!(pod.name, if kind == "StatefulSet" { "web-0" } else { "web-" });
        assert_eq!(
            pod.owner.map(|owner| (owner.kind, owner.name)),
            Some((kind.to_owned(), "web".to_owned()))
        );
        assert_eq!(pod.labels.get("app").map(String::as_str), Some("web"));
        assert_eq!(pod.annotations.access.data_sets.len(), 1);
    }
}

#[test]
fn the_first_pod_of_a_stateful_set_has_its_claims() {
    let pod = pod(&format!(
        r#"{{"kind": "StatefulSet", "metadata": {{"name": "db"}}, "spec": {{"template": {TEMPLATE},
            "volumeClaimTemplates": [{{"metadata": {{"name": "disk",
                "annotations": {{"domicile.dev/data-subjects": "DE"}}}}, "spec": {{"storageClassName": "gold"}}}}]}}}}"#
    ));
    assert_eq!(claims(&pod), ["shared", "disk-db-0"]);
    let Some(VolumeMount::Ephemeral {
        storage_class,
        annotations,
        ..
    }) = pod.volumes.last()
    else {
        panic!("a claim from a template: {:?}", pod.volumes);
    };
    assert_eq!(storage_class.as_deref(), Some("gold"));
    assert!(annotations.profile.subjects.is_some());
}

#[test]
fn a_file_without_just_one_pod_is_an_error() {
    for (text, sentence) in [
        (
            "kind: Service\nmetadata: {name: s}\n",
            "pod.yaml: the file has no `Pod` or `Deployment` or `StatefulSet` or `DaemonSet` or `ReplicaSet` or \
             `Job` or `CronJob`",
        ),
        (
            "kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: b}\n",
            "pod.yaml: document 2 Pod `b`: a second object with a pod; leave one of document 1 and document 2 in \
             the file",
        ),
        (
            "kind: Deployment\nmetadata: {name: a}\n",
            "pod.yaml: the object Deployment `a`: `spec.template` is missing",
        ),
        (
            "kind: Pod\nmetadata: {name: a, labels: {x: no}}\n",
            "pod.yaml: the object Pod `a`: `metadata.labels.x` is a boolean and not a string; put it in quotes: YAML \
             takes `NO`, `on` and their like for booleans",
        ),
    ] {
        let error = read_pod(text, "pod.yaml").expect_err(text);
        assert_eq!(error.to_string(), sentence);
    }
}
