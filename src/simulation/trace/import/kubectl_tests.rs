//! Lists of kubectl, and what becomes of them.

use super::*;
use crate::simulation::trace::{Trace, What};

const NODES: &str = r#"{"kind":"NodeList","apiVersion":"v1","items":[
  {"metadata":{"name":"n1","labels":{"topology.kubernetes.io/region":"eu-west-1","topology.kubernetes.io/zone":"eu-west-1a"},
    "annotations":{"x":"y"},"resourceVersion":"7"},
   "spec":{"providerID":"aws:///eu-west-1a/i-0","podCIDR":"10.0.0.0/24",
     "taints":[{"key":"k","effect":"NoSchedule","timeAdded":"2026-01-01T00:00:00Z"},{"key":"k","effect":"Sometimes"}]},
   "status":{"capacity":{"cpu":"4"},"allocatable":{"cpu":"3920m","memory":"15Gi","pods":"58"},"conditions":[]}},
  {"metadata":{"name":"n2"},"spec":{"unschedulable":true},"status":{"allocatable":{"cpu":"4","memory":"16Gi","pods":"58"}}}]}"#;

const OTHERS: &str = "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}, annotations: {domicile.dev/data: none, other: z}}}
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}}}
- {apiVersion: v1, kind: Service, metadata: {name: all, namespace: shop}, spec: {}}
- {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-5d8f, namespace: shop}, spec: {selector: {matchLabels: {app: web, pod-template-hash: 5d8f}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: shop, annotations: {domicile.dev/data-subjects: DE}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}
- apiVersion: v1
  kind: Pod
  metadata:
    name: web-1
    namespace: shop
    uid: u1
    creationTimestamp: \"2026-11-01T00:00:10Z\"
    labels: {app: web, pod-template-hash: 5d8f}
    annotations: {domicile.dev/clients: aws/eu-west-1=1, domicile.dev/decision: d, kubectl.kubernetes.io/x: z}
    ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d8f, controller: true}]
  spec:
    nodeName: n1
    priority: 7
    preemptionPolicy: Never
    schedulerName: default-scheduler
    nodeSelector: {disk: ssd}
    containers: [{name: c, image: i, resources: {limits: {cpu: 1}, requests: {cpu: 250m, memory: 64Mi}}}]
    tolerations: [{key: k, operator: Exists, effect: NoSchedule, tolerationSeconds: 300}, {key: k, operator: Gt, value: \"1\"}]
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]
    affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}, nodeAffinity: null}
    volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]
  status: {phase: Running}
- apiVersion: v1
  kind: Pod
  metadata: {name: static-n1, namespace: kube-system, uid: u2, creationTimestamp: \"2026-11-01T00:00:00Z\", ownerReferences: [{kind: Node, name: n1, controller: true}]}
  spec: {nodeName: n1, containers: [{name: c, ports: [{hostPort: 53}]}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: done, namespace: shop, uid: u3}
  spec: {nodeName: n1}
  status: {phase: Succeeded}
- apiVersion: v1
  kind: Pod
  metadata: {name: lost, namespace: shop, uid: u4, creationTimestamp: \"2026-11-01T00:00:20Z\", labels: {pod-template-hash: x1}, ownerReferences: [{kind: ReplicaSet, name: gone-x1, controller: true}]}
  spec: {nodeName: n9}
- apiVersion: v1
  kind: Pod
  metadata: {name: db-0, namespace: shop, uid: u5, creationTimestamp: \"2026-11-01T00:00:20Z\", ownerReferences: [{kind: StatefulSet, name: db, controller: true}]}
  spec: {}
";

fn import(keep_nodes: bool) -> Trace {
    let files = [("nodes.json", NODES), ("others.yaml", OTHERS)];
    let options = KubectlOptions {
        keep_nodes,
        ..KubectlOptions::default()
    };
    let trace = import_kubectl(files, options).expect("a trace");
    let mut bytes = Vec::new();
    trace.write(&mut bytes).expect("memory takes it");
    assert_eq!(
        Trace::read("t", bytes.as_slice()).as_ref(),
        Ok(&trace),
        "the reader takes what is imported"
    );
    trace
}

fn lines(trace: &Trace) -> Vec<String> {
    let mut bytes = Vec::new();
    trace.write(&mut bytes).expect("memory takes it");
    let text = String::from_utf8(bytes).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn lists_become_events_and_what_is_left_out_is_told() {
    let trace = import(false);
    assert_eq!(
        lines(&trace),
        [
            r#"{"t":0,"ev":"namespace.set","namespace":"shop","labels":{"team":"a"},"annotations":{"domicile.dev/data":"none"}}"#,
            r#"{"t":0,"ev":"node.add","providerID":"aws:///eu-west-1a/i-0","spec":{"name":"n1","labels":{"topology.kubernetes.io/region":"eu-west-1","topology.kubernetes.io/zone":"eu-west-1a"},"allocatable":{"cpu":"3920m","memory":"15Gi","pods":"58"},"taints":[{"key":"k","effect":"NoSchedule"}]}}"#,
            r#"{"t":0,"ev":"node.add","spec":{"name":"n2","allocatable":{"cpu":"4","memory":"16Gi","pods":"58"},"unschedulable":true}}"#,
            r#"{"t":0,"ev":"pod.create","uid":"u2","owner":"Node/n1","spec":{"namespace":"kube-system","name":"static-n1","nodeName":"n1"}}"#,
            r#"{"t":10000,"ev":"pod.create","uid":"u1","owner":"ReplicaSet/web-5d8f","annotations":{"domicile.dev/clients":"aws/eu-west-1=1"},"spec":{"namespace":"shop","name":"web-1","labels":{"app":"web","pod-template-hash":"5d8f"},"requests":{"cpu":"250m","memory":"64Mi"},"nodeSelector":{"disk":"ssd"},"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"kubernetes.io/hostname"}]}},"tolerations":[{"key":"k","operator":"Exists","effect":"NoSchedule","tolerationSeconds":300}],"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}],"defaultSpreadSelector":{"matchLabels":{"app":"web","pod-template-hash":"5d8f"}},"priority":7,"preemptionPolicy":"Never"}}"#,
            r#"{"t":20000,"ev":"pod.create","uid":"u5","owner":"StatefulSet/db","spec":{"namespace":"shop","name":"db-0"}}"#,
            r#"{"t":20000,"ev":"pod.create","uid":"u4","owner":"ReplicaSet/gone-x1","spec":{"namespace":"shop","name":"lost","labels":{"pod-template-hash":"x1"},"defaultSpreadSelector":{"matchLabels":{"pod-template-hash":"x1"}}}}"#,
        ]
    );
    assert_eq!(
        trace.header.at.map(|at| at.to_string()).as_deref(),
        Some("2026-11-01T00:00:00Z")
    );
    let notes = trace.header.notes.join("\n");
    for said in [
        "1 PersistentVolumeClaims whose annotations speak about data are left out",
        "1 nodes have a taint that the model does not know",
        "1 objects of kind `ConfigMap` are not used",
        "1 pods ask for a port of their node, which is left out",
        "1 pods have ended and are left out",
        "1 pods have claims,",
        "1 pods have `tolerations` that the model does not know",
        "1 pods of a StatefulSet that is not in the files",
    ] {
        assert!(notes.contains(said), "{said}\n{notes}");
    }
    assert_eq!(trace.header.notes.len(), 8, "{notes}");
}

#[test]
fn pods_stay_where_they_are_where_that_is_asked_for_and_their_node_is_there() {
    let trace = import(true);
    let pods = trace.events.iter().filter_map(|event| match &event.what {
        What::PodCreate(pod) => Some((pod.spec.name.as_str(), pod.spec.node_name.as_deref())),
        _ => None,
    });
    assert_eq!(
        pods.collect::<Vec<_>>(),
        [("static-n1", Some("n1")), ("web-1", Some("n1")), ("db-0", None)]
    );
    let notes = trace.header.notes.join("\n");
    assert!(
        notes.contains("1 pods are on nodes that are not in the files"),
        "{notes}"
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_file_and_object() {
    let broken =
        |text: &str| import_kubectl([("a.json", text)], KubectlOptions::default()).expect_err("problems");
    let nodes = |items: &str| broken(&format!(r#"{{"kind":"List","items":[{items}]}}"#));
    for (problems, said) in [
        (
            broken("{"),
            "a.json: EOF while parsing an object at line 1 column 1",
        ),
        (
            broken("{}"),
            "a.json: no node is there; `kubectl get nodes,pods,namespaces -o json`",
        ),
        (
            nodes(r#"{"kind":"Node","metadata":{"name":"n"}}"#),
            "a.json: Node `n`: it has no `status.allocatable`, so nobody knows what fits",
        ),
        (
            nodes(r#"{"kind":"Node","metadata":{}}"#),
            "a.json: items[0]: `metadata.name` is missing",
        ),
        (
            nodes(r#"{"kind":"Node","metadata":{"name":"n"},"status":{"allocatable":{"cpu":"x"}}}"#),
            "a.json: Node `n`: `x` is no quantity such as `500m`, `2` or `32Gi`",
        ),
        (
            nodes(r#"{"kind":"Pod","metadata":{"name":"p","creationTimestamp":"yesterday"}}"#),
            "a.json: Pod `p`: `metadata.creationTimestamp` is no instant: `yesterday`",
        ),
        (
            nodes(r#"{"kind":"Pod","metadata":{"name":"p"}},{"kind":"Pod","metadata":{"name":"p"}}"#),
            "a.json: Pod `p`: it is there twice",
        ),
        (
            nodes(r#"{"kind":"Pod","metadata":{"name":"p","labels":["a"]}}"#),
            "a.json: Pod `p`: `metadata.labels` is a list and not an object",
        ),
    ] {
        assert_eq!(problems, [said]);
    }
}
