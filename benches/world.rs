//! A cluster of a given size, and the bodies that kube-scheduler would send about it.
//!
//! Node names have the forms of EKS and GKE; one node in ten lies in the EEA, the others in the US. The
//! pod is about 8 kB, as pods with environments, volumes and probes are.

use std::fmt::Write as _;
use std::sync::Arc;

use domicile::embedded;
use domicile::model::{
    ByName, Category, Classification, Country, Dimension, Fleet, Locality, Namespace, NamespaceName,
    NodeName, NodeRecord, RegionReference, SourceAnnotations, StatedProfile, Statistic, Subject,
};
use domicile::policy::{PolicySet, read_data_sets};
use domicile::snapshot::{Inputs, RunningFacts, Snapshot};
use domicile::topology::{LatencyTable, parse_latency_csv};

/// An instant at which the shipped policies are in force.
pub const NOW: &str = "2026-11-21T12:00:00Z";

const EEA: [(&str, &str); 4] = [
    ("aws", "eu-central-1"),
    ("gcp", "europe-west3"),
    ("aws", "eu-west-1"),
    ("gcp", "europe-west4"),
];
const US: [(&str, &str); 4] = [
    ("aws", "us-east-1"),
    ("gcp", "us-central1"),
    ("aws", "us-west-2"),
    ("gcp", "us-east4"),
];

/// A node: its name, region and zone.
pub struct Node {
    pub name: String,
    pub region: String,
    pub zone: String,
}

/// A number that looks random and is the same in every run.
fn scrambled(number: usize) -> u64 {
    let mut state = number as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..3 {
        state ^= state >> 31;
        state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    state
}

/// So many nodes in the order of their numbers.
pub fn nodes(count: usize) -> Vec<Node> {
    let node = |number: usize| {
        let scrambled = scrambled(number);
        let places = if number.is_multiple_of(10) { EEA } else { US };
        let (provider, region) = places[(scrambled >> 8) as usize % places.len()];
        let zone = ["a", "b", "c"][(scrambled >> 16) as usize % 3];
        let (name, zone) = match provider {
            "aws" => (
                format!(
                    "ip-10-{}-{}-{}.{region}.compute.internal",
                    number / 65_536,
                    number / 256 % 256,
                    number % 256
                ),
                format!("{region}{zone}"),
            ),
            _ => (
                format!(
                    "gke-prod-{region}-pool-{}-{:08x}-{:04x}",
                    scrambled % 4,
                    scrambled >> 32,
                    number
                ),
                format!("{region}-{zone}"),
            ),
        };
        Node {
            name,
            region: format!("{provider}/{region}"),
            zone,
        }
    };
    (0..count).map(node).collect()
}

fn profile(
    classification: Classification,
    category: Dimension<Category>,
    subject: Dimension<Subject>,
) -> Namespace {
    Namespace {
        annotations: SourceAnnotations {
            profile: StatedProfile {
                classifications: Some(vec![classification]),
                categories: Some(vec![category]),
                subjects: Some(vec![subject]),
            },
            ..SourceAnnotations::default()
        },
        ..Namespace::default()
    }
}

/// The snapshot of these nodes under the shipped policies. The namespace `eea` holds data that a tenth
/// of the nodes may hold, `anywhere` data that all may.
pub fn snapshot(nodes: &[Node]) -> Snapshot {
    let records = nodes.iter().map(|node| {
        let locality = Locality {
            region: Some(RegionReference::parse(&node.region).expect("a region")),
            zone: Some(Arc::from(node.zone.as_str())),
            ..Locality::default()
        };
        let record = NodeRecord {
            locality,
            ..NodeRecord::default()
        };
        (NodeName::new(&node.name).expect("a name"), record)
    });
    let germany = Subject::Country(Country::new("DE").expect("Germany"));
    let confidential = Classification::Confidential;
    let eea = profile(
        confidential,
        Dimension::Is(Category::Personal),
        Dimension::Is(germany),
    );
    let anywhere = profile(confidential, Dimension::Is(Category::Telemetry), Dimension::None);
    let namespaces: ByName<NamespaceName, Namespace> = [("eea", eea), ("anywhere", anywhere)]
        .into_iter()
        .map(|(name, namespace)| (NamespaceName::new(name).expect("a name"), namespace))
        .collect();
    let fleet = Fleet {
        nodes: records.collect(),
        namespaces: Some(namespaces),
        ..Fleet::default()
    };
    let policies = PolicySet::load(embedded::policies().iter().copied())
        .expect("the shipped policies load")
        .set;
    let coordinates = policies.catalogue().coordinates();
    let (name, text) = embedded::latency();
    let measurements = parse_latency_csv(name, text, |_| None, &coordinates).expect("the latencies load");
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet),
        fleet_version: "bench".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
        data_sets: Arc::new(read_data_sets([embedded::data_sets()]).expect("the data sets load")),
        data_sets_version: "shipped".to_owned(),
        latency: Arc::new(LatencyTable::build(&measurements, &coordinates, Statistic::P50)),
        policies: Arc::new(policies),
    })
}

/// A pod of about 8 kB as kube-scheduler sends it.
pub fn pod(namespace: &str) -> String {
    let mut environment = String::new();
    for number in 0..36 {
        let separator = if number == 0 { "" } else { "," };
        write!(
            environment,
            r#"{separator}{{"name":"SHOP_SETTING_{number:02}","value":"https://service-{number}.shop.svc.cluster.local:8443/api/v1"}}"#
        )
        .expect("a string grows");
    }
    let mut volumes = String::new();
    let mut mounts = String::new();
    for number in 0..6 {
        write!(
            volumes,
            r#"{{"name":"config-{number}","configMap":{{"name":"checkout-config-{number}","items":[{{"key":"application.yaml","path":"application.yaml"}}],"defaultMode":420}}}},"#
        )
        .expect("a string grows");
        write!(
            mounts,
            r#"{{"name":"config-{number}","readOnly":true,"mountPath":"/etc/checkout/config-{number}"}},"#
        )
        .expect("a string grows");
    }
    let probe = r#"{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"initialDelaySeconds":5,"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}"#;
    let container = |name: &str| {
        format!(
            r#"{{"name":"{name}","image":"registry.example/shop/{name}@sha256:3f2a9c1e7b5d4c8f9a0e1d2c3b4a5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2","args":["--config=/etc/checkout/config-0/application.yaml","--listen=0.0.0.0:8080"],"ports":[{{"name":"http","containerPort":8080,"protocol":"TCP"}}],"env":[{environment}],"resources":{{"limits":{{"cpu":"2","memory":"1Gi"}},"requests":{{"cpu":"500m","memory":"512Mi"}}}},"volumeMounts":[{mounts}{{"name":"kube-api-access-x7k2p","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}}],"livenessProbe":{probe},"readinessProbe":{probe},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","securityContext":{{"capabilities":{{"drop":["ALL"]}},"runAsNonRoot":true,"allowPrivilegeEscalation":false}}}}"#
        )
    };
    format!(
        r#"{{"metadata":{{"name":"checkout-7c9d8b6f5d-x7k2p","generateName":"checkout-7c9d8b6f5d-","namespace":"{namespace}","uid":"7e2e1b1a-1e67-4027-827b-9c3788589903","resourceVersion":"8812235","generation":1,"creationTimestamp":"2026-11-21T03:52:59Z","labels":{{"app.kubernetes.io/name":"checkout","app.kubernetes.io/part-of":"shop","app.kubernetes.io/version":"4.18.2","pod-template-hash":"7c9d8b6f5d","team":"payments"}},"annotations":{{"prometheus.io/scrape":"true","prometheus.io/port":"8080","checksum/config":"8f14e45fceea167a5a36dedd4bea2543","domicile.dev/clients":"aws/eu-central-1=0.7, aws/us-east-1=0.3","domicile.dev/data-sets":"catalog: reads=2"}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"checkout-7c9d8b6f5d","uid":"0b0d3205-4d82-4f63-a24a-2529c9437b29","controller":true,"blockOwnerDeletion":true}}]}},"spec":{{"volumes":[{volumes}{{"name":"kube-api-access-x7k2p","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"name":"kube-root-ca.crt","items":[{{"key":"ca.crt","path":"ca.crt"}}]}}}}],"defaultMode":420}}}}],"containers":[{},{}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"checkout","securityContext":{{"fsGroup":2000}},"schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}},{{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority","topologySpreadConstraints":[{{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{{"matchLabels":{{"app.kubernetes.io/name":"checkout"}}}}}}]}},"status":{{"phase":"Pending","conditions":[{{"type":"PodScheduled","status":"False","lastProbeTime":null,"lastTransitionTime":"2026-11-21T03:52:59Z","reason":"Unschedulable","message":"0/5000 nodes are available"}}],"qosClass":"Burstable"}}}}"#,
        container("checkout"),
        r#"{"name":"proxy","image":"registry.example/mesh/proxy:1.22","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}"#,
    )
}

/// The body of a names-only request: the nodes in an order of its own, as kube-scheduler offers them.
pub fn body(namespace: &str, nodes: &[Node]) -> Vec<u8> {
    let mut names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    names.sort_by_key(|name| {
        scrambled(
            name.bytes()
                .fold(7, |sum, byte| (sum * 31 + usize::from(byte)) & 0xff_ffff),
        )
    });
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        r#"{{"Pod":{},"Nodes":null,"NodeNames":[{}]}}"#,
        pod(namespace),
        names.join(",")
    )
    .into_bytes()
}
