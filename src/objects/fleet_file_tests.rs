use super::fleet_file::{FleetFile, read_fleet};
use crate::model::{Fleet, NamespaceName, NodeName};

/// Every kind once, as `kubectl get -o json` prints it.
const EVERY_KIND: &str = r#"{
  "apiVersion": "v1",
  "items": [
    {"apiVersion": "v1", "kind": "Node",
     "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/region": "eu-central-1"}},
     "spec": {"providerID": "aws:///eu-central-1a/i-0"}, "status": {"capacity": {"cpu": "4"}}},
    {"apiVersion": "v1", "kind": "Namespace",
     "metadata": {"name": "shop", "annotations": {"domicile.dev/data-subjects": "DE"}}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"nodeName": "n1"}},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "shop"},
     "spec": {"volumeName": "v", "storageClassName": "gold"}},
    {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"},
     "spec": {"storageClassName": "gold"}},
    {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gold"},
     "provisioner": "ebs.csi.aws.com"}
  ],
  "kind": "List",
  "metadata": {"resourceVersion": ""}
}"#;

fn fleet(text: &str) -> FleetFile {
    read_fleet(text, "fleet").unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn errors(text: &str) -> Vec<String> {
    let errors = read_fleet(text, "fleet").expect_err(text);
    errors.iter().map(ToString::to_string).collect()
}

fn node_names(fleet: &Fleet) -> Vec<&str> {
    fleet.nodes.keys().map(NodeName::as_str).collect()
}

#[test]
fn a_list_of_every_kind_is_read() {
    let file = fleet(EVERY_KIND);
    let fleet = &file.fleet;
    assert_eq!(node_names(fleet), ["n1"]);
    let node = fleet.nodes.values().next().expect("a node");
    assert_eq!(
        node.locality.region.as_ref().map(ToString::to_string).as_deref(),
        Some("aws/eu-central-1")
    );
    let namespace = fleet
        .namespaces
        .as_ref()
        .and_then(|all| all.get("shop"))
        .expect("a namespace");
    assert!(namespace.annotations.profile.subjects.is_some());
    let claim = fleet
        .claims
        .as_ref()
        .and_then(|all| all.values().next())
        .expect("a claim");
    assert_eq!(
        (claim.volume.as_deref(), claim.storage_class.as_deref()),
        (Some("v"), Some("gold"))
    );
    assert!(fleet.volumes.as_ref().is_some_and(|all| all.contains_key("v")));
    assert!(
        fleet
            .storage_classes
            .as_ref()
            .is_some_and(|all| all.contains_key("gold"))
    );
    let [pod] = file.pods.as_slice() else {
        panic!("one pod: {:?}", file.pods)
    };
    assert_eq!(pod.node.as_ref().map(NodeName::as_str), Some("n1"));
}

#[test]
fn pods_that_have_a_node_and_did_not_end_run_with_their_labels() {
    let pod = |name: &str, labels: &str, node: &str, phase: &str| {
        format!(
            "{{kind: Pod, apiVersion: v1, metadata: {{name: {name}, labels: {labels}}}, spec: {{nodeName: {node}}}, status: {{phase: {phase}}}}}"
        )
    };
    let pods = [
        pod("a", "{app: cart, hash: x}", "n2", "Running"),
        pod("b", "{hash: x, app: cart}", "n1", "Pending"),
        pod("c", "{app: cart, hash: x}", "n2", "Running"),
        pod("ended", "{app: cart, hash: x}", "n2", "Failed"),
        pod("unbound", "{app: cart, hash: x}", "''", "Pending"),
        pod("unlabelled", "{}", "n3", "Running"),
    ];
    let file = fleet(&format!("---\n{}", pods.join("\n---\n")));
    assert_eq!((file.pods.len(), file.ended_pods), (5, 1));
    let running = file.running_pods.expect("the file speaks of pods");
    assert_eq!(running.len(), 3);
    let groups = running.groups(&NamespaceName::new("default").expect("a name"));
    let groups: Vec<_> = groups.into_iter().flatten().collect();
    let [(_, group)] = groups.as_slice() else {
        panic!("one group: {running:?}")
    };
    let on: Vec<(&str, u32)> = group
        .on
        .iter()
        .map(|(node, pods)| (node.as_str(), *pods))
        .collect();
    assert_eq!(on, [("n1", 1), ("n2", 2)]);
    assert_eq!(
        fleet("kind: PodList\napiVersion: v1\nitems: []\n").running_pods,
        Some(Default::default())
    );
    assert_eq!(
        fleet("kind: NodeList\napiVersion: v1\nitems: []\n").running_pods,
        None
    );
}

#[test]
fn the_same_objects_in_another_form_are_the_same_fleet() {
    let wanted = fleet(EVERY_KIND);
    let value: serde_json::Value = serde_json::from_str(EVERY_KIND).expect("JSON");
    let yaml = serde_saphyr::to_string(&value).expect("YAML");
    assert_eq!(fleet(&yaml), wanted, "{yaml}");
    let items = value["items"].as_array().expect("items");
    let single: Vec<String> = items.iter().map(ToString::to_string).collect();
    assert_eq!(fleet(&single.join("\n")), wanted);
    let documents: Vec<String> = items
        .iter()
        .map(|item| serde_saphyr::to_string(item).expect("YAML"))
        .collect();
    assert_eq!(
        fleet(&format!("# a comment\n---\n{}", documents.join("\n---\n"))),
        wanted
    );
}

#[test]
fn the_shipped_fleet_is_read() {
    let file = fleet(include_str!("../../defaults/fleet.yaml"));
    assert!(file.fleet.nodes.len() > 10);
    for (name, node) in &file.fleet.nodes {
        assert!(
            node.locality.region.is_some() && node.locality.zone.is_some(),
            "{name}"
        );
    }
    for (name, namespace) in file.fleet.namespaces.iter().flatten() {
        assert_eq!(namespace.annotations.malformed, [], "{name}");
    }
}

#[test]
fn typed_lists_are_read_and_an_empty_one_speaks_of_its_kind() {
    let file = fleet(
        r#"{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#,
    );
    assert_eq!(node_names(&file.fleet), ["a", "b"]);
    assert_eq!((file.fleet.namespaces, file.fleet.claims), (None, None));
    let file = fleet("kind: NamespaceList\napiVersion: v1\nitems: []\n");
    assert_eq!(file.fleet.namespaces, Some(Default::default()));
    assert_eq!(file.fleet.volumes, None);
    let file = fleet(r#"{"kind":"List","apiVersion":"v1","items":null}"#);
    assert_eq!(file, FleetFile::default());
}

#[test]
fn the_file_may_leave_the_namespace_out() {
    let file = fleet(
        r#"{"kind":"Pod","metadata":{"name":"p"}} {"kind":"PersistentVolumeClaim","metadata":{"name":"c"}}"#,
    );
    let pod = file.pods.first().expect("a pod");
    assert_eq!(pod.namespace.as_str(), "default");
    let claims = file.fleet.claims.expect("claims");
    assert_eq!(
        claims.keys().next().expect("a claim").namespace.as_str(),
        "default"
    );
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let text = r#"{"kind": "List", "items": [
      {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}},
      {"kind": "Nodes", "metadata": {"name": "x"}},
      {"kind": "Node", "apiVersion": "longhorn.io/v1beta2", "metadata": {"name": "x"}},
      {"metadata": {"name": "x"}},
      {"kind": "Node", "metadata": {"name": "good"}},
      {"kind": "Node", "metadata": {"name": "n",
        "labels": {"topology.kubernetes.io/region": 1}}},
      {"kind": "Node", "metadata": {}},
      {"kind": "Node", "metadata": {"name": "good"}},
      7,
      {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": [{"name": 1}]}}
    ]}"#;
    assert_eq!(
        errors(text),
        [
            "fleet:2: items[0] Service `web`: unknown kind `Service`; a fleet is made of `Node` or `Namespace` or \
             `Pod` or `PersistentVolumeClaim` or `PersistentVolume` or `StorageClass` and lists of these",
            "fleet:3: items[1] Nodes `x`: unknown kind `Nodes`; did you mean `Node`?",
            "fleet:4: items[2] Node `x`: unknown kind `Node` of `longhorn.io/v1beta2`; take it out of the file",
            "fleet:5: items[3] `x`: `kind` is missing",
            "fleet:7: items[5] Node `n`: `metadata.labels.topology.kubernetes.io/region` is a number and not a \
             string; put it in quotes",
            "fleet:9: items[6] Node: `metadata.name` is missing",
            "fleet:10: items[7] Node `good`: the same object is there already as items[4]",
            "fleet:11: items[8]: an object is expected and here is a number",
            "fleet:12: items[9] Pod `p`: invalid type: integer `1`, expected a string",
        ]
    );
}

#[test]
fn yaml_is_read_as_kubectl_reads_it() {
    let text = "kind: Node\nmetadata:\n  name: n1\n  labels:\n    country: NO\n";
    assert_eq!(
        errors(text),
        [
            "fleet: the object Node `n1`: `metadata.labels.country` is a boolean and not a string; put it in quotes: YAML \
          takes `NO`, `on` and their like for booleans"
        ]
    );
    let quoted = "kind: Node\nmetadata:\n  name: n1\n  labels:\n    country: \"NO\"\n";
    assert_eq!(node_names(&fleet(quoted).fleet), ["n1"]);
    let name = "kind: Node\nmetadata:\n  name: 007\n";
    assert_eq!(
        errors(name),
        ["fleet: the object: `metadata.name` is a number and not a string; put it in quotes"]
    );
}

#[test]
fn a_file_that_is_no_objects_is_one_error() {
    for (text, error) in [
        ("", "fleet: the file holds no objects"),
        ("# nothing\n---\n", "fleet: the file holds no objects"),
        (
            "{\"kind\": \"List\",\n \"items\": [}",
            "fleet:2: expected value at line 2 column 12",
        ),
        (
            "hello",
            "fleet: the object: an object is expected and here is a string",
        ),
        ("kind: AllowList\n", "fleet: the object AllowList: unknown kind"),
        (
            "kind: List\nitems: 3\n",
            "fleet: the object: `items` is not a list",
        ),
        (
            "kind: Node\nmetadata: {name: a}\n---\nkind: Node\nmetadata: {name: a}\n",
            "fleet: document 2 Node `a`: the same object is there already as document 1",
        ),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].starts_with(error), "{text}: {errors:?}");
    }
    let broken = errors("kind: Node\nmetadata: [\n");
    assert!(broken.len() == 1 && broken[0].starts_with("fleet:"), "{broken:?}");
}

#[test]
fn a_fleet_of_many_nodes_is_within_the_limits() {
    let node = |number: usize| {
        let labels: Vec<String> = (0..20)
            .map(|label| format!("      label-{label}: value"))
            .collect();
        format!(
            "- kind: Node\n  metadata:\n    name: n{number}\n    labels:\n{}\n",
            labels.join("\n")
        )
    };
    let nodes: String = (0..7_000).map(node).collect();
    let file = fleet(&format!("kind: List\nitems:\n{nodes}"));
    assert_eq!(file.fleet.nodes.len(), 7_000);
}

#[test]
fn a_pod_that_ended_is_counted_and_not_kept() {
    let pod = |name: &str, status: &str| {
        format!(r#"{{"kind":"Pod","metadata":{{"name":"{name}","namespace":"n"}},"status":{status}}}"#)
    };
    let file = fleet(&format!(
        r#"{{"kind":"List","items":[{}]}}"#,
        [
            pod("runs", r#"{"phase":"Running"}"#),
            pod("waits", r#"{"phase":"Pending"}"#),
            pod("lost", r#"{"phase":"Unknown"}"#),
            pod("new", "null"),
            pod("done", r#"{"phase":"Succeeded"}"#),
            pod("broken", r#"{"phase":"Failed"}"#),
        ]
        .join(",")
    ));
    let names: Vec<&str> = file.pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["runs", "waits", "lost", "new"]);
    assert_eq!(file.ended_pods, 2);
    let odd = errors(r#"{"kind":"Pod","metadata":{"name":"p"},"status":{"phase":1}}"#);
    assert_eq!(
        odd,
        ["fleet:1: the object Pod `p`: `status.phase` is a number and not a string; put it in quotes"]
    );
}
