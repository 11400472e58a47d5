//! The objects of a made-up cluster, of the size that kubectl shows: a node of about 17 kB and a pod of about 5 kB, half
//! of which is what managers manage.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

pub const NODES: usize = super::NODES;
pub const PODS: usize = super::PODS;

/// The namespace of pods that come while it is measured.
pub const EVENTS: &str = "events";

/// Their label `app`.
pub const EVENT: &str = "event";

const NAMESPACES: usize = 400;

const REGIONS: [&str; 6] = [
    "eu-central-1",
    "eu-west-1",
    "eu-north-1",
    "us-east-1",
    "us-west-2",
    "ap-northeast-1",
];

/// A kind that is listed and watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Nodes,
    Namespaces,
    Pods,
    Claims,
    Volumes,
    StorageClasses,
    /// Of which there is none.
    Other,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Nodes,
        Self::Namespaces,
        Self::Pods,
        Self::Claims,
        Self::Volumes,
        Self::StorageClasses,
        Self::Other,
    ];

    /// The kind of a path.
    pub fn of(plural: &str) -> Self {
        match plural {
            "nodes" => Self::Nodes,
            "namespaces" => Self::Namespaces,
            "pods" => Self::Pods,
            "persistentvolumeclaims" => Self::Claims,
            "persistentvolumes" => Self::Volumes,
            "storageclasses" => Self::StorageClasses,
            _ => Self::Other,
        }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::Nodes => NODES,
            Self::Namespaces => NAMESPACES + 1,
            Self::Pods => PODS,
            Self::Claims | Self::Volumes => PODS / 10,
            Self::StorageClasses => 3,
            Self::Other => 0,
        }
    }

    /// The object of a number as of a heartbeat.
    pub fn object(self, number: usize, beat: usize) -> String {
        match self {
            Self::Nodes => node(number, beat),
            Self::Namespaces => namespace(number),
            Self::Pods => pod(number, beat),
            Self::Claims => claim(number),
            Self::Volumes => volume(number),
            Self::StorageClasses | Self::Other => storage_class(number),
        }
    }
}

/// Microseconds since 1970, by the clock that all processes share.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("a number")
}

fn node_name(number: usize) -> String {
    let region = REGIONS[number % REGIONS.len()];
    format!(
        "ip-10-{}-{}-{}.{region}.compute.internal",
        number >> 16,
        (number >> 8) & 255,
        number & 255
    )
}

/// Fields as the API server lists them for each manager, about so many bytes.
fn managed_fields(bytes: usize) -> String {
    let mut fields = String::from(
        r#"[{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-11-20T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"#,
    );
    let mut number = 0;
    while fields.len() < bytes {
        let comma = if number == 0 { "" } else { "," };
        write!(fields, r#"{comma}"f:field-{number}":{{".":{{}},"f:lastHeartbeatTime":{{}},"f:message":{{}},"f:reason":{{}}}}"#).expect("a String");
        number += 1;
    }
    fields.push_str("}}]");
    fields
}

fn node(number: usize, beat: usize) -> String {
    let name = node_name(number);
    let region = REGIONS[number % REGIONS.len()];
    let zone = format!("{region}{}", ["a", "b", "c"][number / REGIONS.len() % 3]);
    let mut images = String::new();
    for image in 0..40 {
        let comma = if image == 0 { "" } else { "," };
        write!(images, r#"{comma}{{"names":["registry.example/team/service-{image}@sha256:{image:064x}","registry.example/team/service-{image}:v1.{image}.0"],"sizeBytes":{}}}"#, 90_000_000 + image).expect("a String");
    }
    format!(
        r#"{{"kind":"Node","apiVersion":"v1","metadata":{{"name":"{name}","uid":"{number:032x}","resourceVersion":"{}","creationTimestamp":"2026-10-01T10:00:00Z","labels":{{"beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","kubernetes.io/hostname":"{name}","kubernetes.io/os":"linux","node.kubernetes.io/instance-type":"m5.4xlarge","topology.kubernetes.io/region":"{region}","topology.kubernetes.io/zone":"{zone}","team":"team-{}"}},"annotations":{{"node.alpha.kubernetes.io/ttl":"0","volumes.kubernetes.io/controller-managed-attach-detach":"true"}},"managedFields":{}}},"spec":{{"podCIDR":"10.{}.0.0/24","providerID":"aws:///{zone}/i-{number:017x}"}},"status":{{"capacity":{{"cpu":"16","memory":"64Gi","pods":"110"}},"allocatable":{{"cpu":"15890m","memory":"62Gi","pods":"110"}},"conditions":[{{"type":"Ready","status":"True","lastHeartbeatTime":"2026-11-21T10:{:02}:{:02}Z","reason":"KubeletReady"}}],"images":[{images}]}}}}"#,
        beat + 1,
        number % 50,
        managed_fields(7_000),
        number % 250,
        beat / 60 % 60,
        beat % 60,
    )
}

fn namespace(number: usize) -> String {
    let name = if number == NAMESPACES {
        EVENTS.to_owned()
    } else {
        format!("team-{number}")
    };
    format!(
        r#"{{"kind":"Namespace","apiVersion":"v1","metadata":{{"name":"{name}","resourceVersion":"1","labels":{{"kubernetes.io/metadata.name":"{name}"}},"annotations":{{"domicile.dev/data":"none"}}}}}}"#
    )
}

/// Nine of ten are of Deployments of 30; the tenth is of a StatefulSet, with a volume and a data set.
fn pod(number: usize, beat: usize) -> String {
    let namespace = format!("team-{}", number / 300 % NAMESPACES);
    let (name, labels, annotations, volumes) = if number.is_multiple_of(10) {
        let name = format!("db-{number}-0");
        (
            name.clone(),
            format!(
                r#""app":"db-{number}","apps.kubernetes.io/pod-index":"0","controller-revision-hash":"db-{number}-5d4f","statefulset.kubernetes.io/pod-name":"{name}""#
            ),
            r#""domicile.dev/data-sets":"orders: reads=2 writes=1""#.to_owned(),
            format!(
                r#"{{"name":"data","persistentVolumeClaim":{{"claimName":"data-{}"}}}},"#,
                number / 10
            ),
        )
    } else {
        let workload = number / 30;
        (
            format!("app-{workload}-7d9c6f5b8c-{number:05x}"),
            format!(
                r#""app":"app-{workload}","app.kubernetes.io/part-of":"shop","pod-template-hash":"{:010x}""#,
                workload * 7_919
            ),
            r#""prometheus.io/scrape":"true""#.to_owned(),
            String::new(),
        )
    };
    pod_json(&Pod {
        namespace: &namespace,
        name: &name,
        labels: &labels,
        annotations: &annotations,
        volumes: &volumes,
        node: number * 7_919 % NODES,
        beat,
    })
}

/// A pod that comes while it is measured.
pub fn event_pod(number: usize) -> String {
    let volumes = if number.is_multiple_of(10) {
        format!(
            r#"{{"name":"data","persistentVolumeClaim":{{"claimName":"data-{}"}}}},"#,
            PODS + number
        )
    } else {
        String::new()
    };
    pod_json(&Pod {
        namespace: EVENTS,
        name: &format!("event-{number}"),
        labels: &format!(r#""app":"{EVENT}","pod-template-hash":"{:010x}""#, number / 100),
        annotations: r#""prometheus.io/scrape":"true""#,
        volumes: &volumes,
        node: number * 104_729 % NODES,
        beat: 1,
    })
}

struct Pod<'a> {
    namespace: &'a str,
    name: &'a str,
    labels: &'a str,
    annotations: &'a str,
    volumes: &'a str,
    node: usize,
    beat: usize,
}

fn pod_json(pod: &Pod<'_>) -> String {
    let mut environment = String::new();
    for variable in 0..14 {
        let comma = if variable == 0 { "" } else { "," };
        write!(environment, r#"{comma}{{"name":"SETTING_NUMBER_{variable}","value":"https://service-{variable}.internal.example:8443/path"}}"#).expect("a String");
    }
    format!(
        r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{}","namespace":"{}","uid":"{:032x}","resourceVersion":"{}","labels":{{{}}},"annotations":{{{}}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"owner","uid":"1","controller":true}}],"managedFields":{}}},"spec":{{"volumes":[{}{{"name":"kube-api-access","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}}]}}}}],"containers":[{{"name":"main","image":"registry.example/team/service:v1","env":[{environment}],"resources":{{"requests":{{"cpu":"100m","memory":"128Mi"}}}}}}],"nodeName":"{}","schedulerName":"default-scheduler"}},"status":{{"phase":"Running","conditions":[{{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-11-21T10:{:02}:00Z"}}],"podIP":"10.0.0.1"}}}}"#,
        pod.name,
        pod.namespace,
        pod.node,
        pod.beat + 1,
        pod.labels,
        pod.annotations,
        managed_fields(2_000),
        pod.volumes,
        node_name(pod.node),
        pod.beat % 60,
    )
}

fn claim(number: usize) -> String {
    let namespace = if number < PODS {
        format!("team-{}", number * 10 / 300 % NAMESPACES)
    } else {
        EVENTS.to_owned()
    };
    format!(
        r#"{{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{{"name":"data-{number}","namespace":"{namespace}","resourceVersion":"1","annotations":{{"pv.kubernetes.io/bind-completed":"yes","domicile.dev/data-sets":"orders: reads=2 writes=1"}},"managedFields":{}}},"spec":{{"accessModes":["ReadWriteOnce"],"resources":{{"requests":{{"storage":"100Gi"}}}},"storageClassName":"class-{}","volumeName":"pv-{number}","volumeMode":"Filesystem"}},"status":{{"phase":"Bound"}}}}"#,
        managed_fields(600),
        number % 3,
    )
}

fn volume(number: usize) -> String {
    let region = REGIONS[number % REGIONS.len()];
    format!(
        r#"{{"kind":"PersistentVolume","apiVersion":"v1","metadata":{{"name":"pv-{number}","resourceVersion":"1","annotations":{{"pv.kubernetes.io/provisioned-by":"ebs.csi.aws.com"}},"managedFields":{}}},"spec":{{"accessModes":["ReadWriteOnce"],"capacity":{{"storage":"100Gi"}},"claimRef":{{"name":"data-{number}"}},"csi":{{"driver":"ebs.csi.aws.com","volumeHandle":"vol-{number:017x}"}},"nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[{{"key":"topology.kubernetes.io/zone","operator":"In","values":["{region}a"]}},{{"key":"topology.kubernetes.io/region","operator":"In","values":["{region}"]}}]}}]}}}},"storageClassName":"class-{}"}},"status":{{"phase":"Bound"}}}}"#,
        managed_fields(600),
        number % 3,
    )
}

fn storage_class(number: usize) -> String {
    format!(
        r#"{{"kind":"StorageClass","apiVersion":"storage.k8s.io/v1","metadata":{{"name":"class-{number}","resourceVersion":"1"}},"provisioner":"ebs.csi.aws.com","volumeBindingMode":"WaitForFirstConsumer"}}"#
    )
}
