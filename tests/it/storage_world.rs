//! A small cluster with volumes for tests, object by object, over the shipped policies: five nodes of AWS, claims and
//! volumes that are made as a test wants them, and pods of the StatefulSet `db`.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use domicile::assembly::{RuleTexts, SourceText, assemble};
use domicile::cli::facts::Facts;
use domicile::cli::{Output, why};
use domicile::embedded;
use domicile::model::PodRequirements;
use domicile::objects::read_pod;
use domicile::placement::{assess, prioritize};
use domicile::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::world::NOW;

/// Nodes of AWS: Frankfurt in two zones, Dublin, Virginia, Sydney.
pub const NODES: [(&str, &str, &str); 5] = [
    ("frankfurt-a", "eu-central-1", "eu-central-1a"),
    ("frankfurt-b", "eu-central-1", "eu-central-1b"),
    ("dublin", "eu-west-1", "eu-west-1a"),
    ("virginia", "us-east-1", "us-east-1a"),
    ("sydney", "ap-southeast-2", "ap-southeast-2a"),
];

/// A data set of which nothing is declared but what it is.
pub const STREAM: &str = "
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: stream}
spec:
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: available
  replicas: []
";

/// Records of Australian patients, of which no copy is outside.
pub const RECORDS: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: records}
spec:
  profile: {classification: restricted, categories: [health], subjects: ["AU"]}
  consistency: available
  replicas: [{region: aws/ap-southeast-2, role: leader}]
"#;

/// A cluster, object by object.
pub struct Cluster {
    /// Every object.
    pub items: Vec<Value>,
    /// Files of data sets: [`STREAM`] and [`RECORDS`].
    pub data_sets: Vec<String>,
    /// Files of policies by their names: those that are shipped.
    pub policies: Vec<(String, String)>,
}

impl Cluster {
    pub fn new() -> Self {
        let node = |(name, region, zone): &(&str, &str, &str)| {
            json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": {
                    "kubernetes.io/hostname": name,
                    "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone,
                }},
                "spec": {"providerID": format!("aws:///{zone}/i-{name}")},
            })
        };
        let mut items: Vec<Value> = NODES.iter().map(node).collect();
        let class = |name: &str, mode: &str| {
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
                "metadata": {"name": name}, "volumeBindingMode": mode,
            })
        };
        items.push(class("waits", "WaitForFirstConsumer"));
        items.push(class("at-once", "Immediate"));
        items.push(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "shop", "annotations": {"domicile.dev/data": "none"}},
        }));
        Self {
            items,
            data_sets: vec![STREAM.to_owned(), RECORDS.to_owned()],
            policies: embedded::policies()
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    /// A claim of `shop` that asks for a class; bound to a volume where a zone or a node is named.
    pub fn claim(
        &mut self,
        name: &str,
        class: &str,
        annotations: Value,
        affinity: Option<(&str, &str)>,
    ) -> &mut Self {
        let volume = affinity.map(|_| format!("pv-{name}"));
        self.items.push(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
            "spec": {"storageClassName": class, "volumeName": volume},
        }));
        if let (Some((key, value)), Some(volume)) = (affinity, volume) {
            self.items.push(json!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
                "spec": {"storageClassName": class, "nodeAffinity": {"required": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]},
                ]}}},
            }));
        }
        self
    }

    /// A pod `db-N` of the StatefulSet `db` that runs and mounts a claim of its name.
    pub fn member(&mut self, number: u32, node: &str, labels: Value, ready: bool) -> &mut Self {
        let mut pod = member(number);
        pod["metadata"]["uid"] = json!(format!("uid-{number}"));
        pod["metadata"]["labels"] = labels;
        pod["spec"]["nodeName"] = json!(node);
        let status = if ready { "True" } else { "False" };
        pod["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]});
        self.items.push(pod);
        self
    }

    pub fn facts(&self) -> Facts {
        let text = |name: &str, text: &str| SourceText::new(name, text);
        let (name, latency) = embedded::latency();
        let rules = RuleTexts {
            policies: self
                .policies
                .iter()
                .map(|(name, policy)| text(name, policy))
                .collect(),
            data_sets: self
                .data_sets
                .iter()
                .enumerate()
                .map(|(number, set)| text(&format!("{number}.yaml"), set))
                .collect(),
            latency: vec![text(name, latency)],
        };
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.items}).to_string();
        let (inputs, _) = assemble(&rules, &text("fleet.json", &list)).unwrap();
        Facts {
            snapshot: Snapshot::new(inputs),
            at: NOW.parse().unwrap(),
        }
    }
}

/// The pod `db-N` of the StatefulSet `db`, which mounts `data-db-N`.
pub fn member(number: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("db-{number}"), "namespace": "shop", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "s", "controller": true},
        ]},
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": format!("data-db-{number}")}}]},
    })
}

pub fn reader(data_set: &str) -> PodRequirements {
    pod(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"domicile.dev/data-sets": data_set}},
        "spec": {},
    }))
}

pub fn pod(manifest: &Value) -> PodRequirements {
    read_pod(&manifest.to_string(), "pod.json").unwrap()
}

/// The score of each node that is permitted, in the order of [`NODES`].
pub fn scores(facts: &Facts, pod: &PodRequirements) -> Vec<Option<u8>> {
    let assessment = assess(&facts.snapshot, pod, facts.at);
    let class = |name: &str| facts.snapshot.class_of(name.as_bytes());
    let passing = NODES
        .iter()
        .map(|(name, ..)| class(name))
        .filter(|class| assessment.passes(*class));
    let scores = prioritize(&assessment, passing);
    let of_node = |(name, ..): &(&str, &str, &str)| {
        let class = class(name);
        assessment.permits(class).then(|| scores.score(class).get())
    };
    NODES.iter().map(of_node).collect()
}

/// The nodes that score 10.
pub fn best(facts: &Facts, pod: &PodRequirements) -> Vec<&'static str> {
    let scores = scores(facts, pod).into_iter().zip(NODES);
    scores
        .filter(|(score, _)| *score == Some(10))
        .map(|(_, (name, ..))| name)
        .collect()
}

pub fn explained(facts: &Facts, pod: &PodRequirements, node: &str) -> (Value, String) {
    let said = |output| {
        let mut out = Vec::new();
        why::report(facts, pod, node, output, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    (
        serde_json::from_str(&said(Output::Json)).unwrap(),
        said(Output::Text),
    )
}

pub fn names(data_set: &str) -> Value {
    json!({"domicile.dev/data-sets": data_set})
}

pub const EBS: &str = "topology.ebs.csi.aws.com/zone";
