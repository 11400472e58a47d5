//! The pods that are asked about, and the requests about them.
//!
//! Inputs: the number of a request. Outputs: which pod it is about, what is asked, the bytes. Invariants: the name and
//! UID of a pod say its kind and the number of the request, so that a record leads to its request; whatever else a
//! request holds depends on the kind and on what is asked alone.

use domicile::decisions::Verb;
use serde_json::{Value, json};

use crate::{fleet, world};

/// What is asked, and how often among twenty.
const ASKED: [(Verb, u64); 4] = [
    (Verb::Filter, 8),
    (Verb::Prioritize, 7),
    (Verb::Preempt, 2),
    (Verb::Mutate, 3),
];
const DIGITS: usize = 12;

/// Which nodes are offered.
#[derive(Clone, Copy)]
enum Offer {
    /// So many of all.
    Any(usize),
    /// So many of those that begin in the US.
    Us(usize),
    /// So many of all, and some that nobody knows.
    Unknown(usize),
}

struct Kind {
    namespace: &'static str,
    annotations: &'static [(&'static str, &'static str)],
    offer: Offer,
}

const fn kind(
    namespace: &'static str,
    annotations: &'static [(&'static str, &'static str)],
    offer: Offer,
) -> Kind {
    Kind {
        namespace,
        annotations,
        offer,
    }
}

const DATA_SETS: &str = "domicile.dev/data-sets";
const CLIENTS: &str = "domicile.dev/clients";

const KINDS: [Kind; 16] = [
    // Nothing governs it, then its namespace says something, then nothing.
    kind(
        "public-site",
        &[(CLIENTS, "aws/eu-central-1=0.7, aws/us-east-1=0.3")],
        Offer::Any(200),
    ),
    kind("kube-system", &[], Offer::Any(100)),
    kind("default", &[], Offer::Any(120)),
    // Confined to the EEA, or no longer.
    kind(
        "shop",
        &[(DATA_SETS, "orders: reads=4 writes=1; catalog: reads=1")],
        Offer::Any(400),
    ),
    kind(
        "shop",
        &[("domicile.dev/peers", "app=cart: calls=3")],
        Offer::Any(250),
    ),
    kind("shop", &[(CLIENTS, "aws/eu-west-1=1")], Offer::Unknown(80)),
    // Refused, and refused in a sample that may be blind.
    kind("shop", &[(DATA_SETS, "orders: writes=2")], Offer::Us(60)),
    kind("shop", &[(DATA_SETS, "orders: writes=2")], Offer::Us(120)),
    kind(
        "shop-us",
        &[(DATA_SETS, "profiles-us: reads=2 writes=1")],
        Offer::Any(300),
    ),
    kind(
        "payments",
        &[(DATA_SETS, "ledger: reads=3 writes=1")],
        Offer::Any(300),
    ),
    // Refused by limits where the network is slow.
    kind(
        "back-office",
        &[
            (DATA_SETS, "catalog: reads=1"),
            ("domicile.dev/max-read-ms", "12"),
        ],
        Offer::Any(440),
    ),
    kind(
        "analytics",
        &[(DATA_SETS, "orders: reads=1; profiles-us: reads=1")],
        Offer::Any(150),
    ),
    kind(
        "analytics",
        &[
            ("domicile.dev/data-classification", "restricted"),
            ("domicile.dev/data-categories", "health"),
            ("domicile.dev/data-subjects", "AU"),
        ],
        Offer::Any(200),
    ),
    // Cannot be read.
    kind("shop", &[("domicile.dev/max-read-ms", "soon")], Offer::Any(60)),
    kind(
        "back-office",
        &[("domicile.dev/data-set", "orders: reads=1")],
        Offer::Any(60),
    ),
    // A data set that nobody declares.
    kind(
        "back-office",
        &[(DATA_SETS, "elsewhere: reads=1")],
        Offer::Any(90),
    ),
];

/// How many different requests there are but for their numbers.
pub const REQUESTS: usize = KINDS.len() * ASKED.len();

/// Which of the different requests bears a number.
pub fn request_of(serial: u64) -> usize {
    let kinds = KINDS.len() as u64;
    let all: u64 = ASKED.iter().map(|(_, times)| times).sum();
    let mut turn = serial / kinds % all;
    let of_verb = ASKED.iter().position(|(_, times)| {
        let is_it = turn < *times;
        turn = turn.wrapping_sub(*times);
        is_it
    });
    (serial % kinds) as usize * ASKED.len() + of_verb.expect("turns are fewer than all")
}

/// The number of the request that a pod of this name was asked about in.
pub fn serial_of(name: &str) -> Option<u64> {
    let serial = name.strip_prefix("soak-")?.split('-').nth(1)?.parse().ok()?;
    (name == name_of(serial)).then_some(serial)
}

/// The name of the pod of a request.
pub fn name_of(serial: u64) -> String {
    let kind = request_of(serial) / ASKED.len();
    format!("soak-{kind:02}-{serial:0DIGITS$}")
}

/// A request, with the number that it bears now.
#[derive(Clone)]
pub struct Request {
    pub verb: Verb,
    bytes: Vec<u8>,
    body_at: usize,
    digits_at: Vec<usize>,
}

impl Request {
    /// All requests, in the order of [`request_of`].
    pub fn all() -> Vec<Self> {
        let of_kind = |number: usize| ASKED.map(|(verb, _)| Self::new(number, verb));
        (0..KINDS.len()).flat_map(of_kind).collect()
    }

    fn new(number: usize, verb: Verb) -> Self {
        let kind = &KINDS[number];
        let name = format!("soak-{number:02}-{:0DIGITS$}", 0);
        let pod = pod(kind, &name, verb);
        let names = offered(kind.offer);
        let body = match verb {
            Verb::Filter | Verb::Prioritize => json!({"Pod": pod, "Nodes": null, "NodeNames": names}),
            Verb::Preempt => {
                let victims = names.into_iter().enumerate().map(|(number, node)| {
                    let victims =
                        json!({"Pods": [{"UID": format!("victim-{number}")}], "NumPDBViolations": 0});
                    (node, victims)
                });
                let victims: serde_json::Map<String, Value> = victims.collect();
                json!({"Pod": pod, "NodeNameToMetaVictims": victims})
            }
            Verb::Mutate | Verb::Validate => review(kind.namespace, &pod),
        };
        let body = serde_json::to_vec(&body).expect("JSON");
        let head = format!(
            "POST /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
            verb.word(),
            body.len()
        );
        let bytes = [head.as_bytes(), &body].concat();
        let found = bytes.windows(name.len()).enumerate();
        let found = found.filter(|(_, window)| *window == name.as_bytes());
        let digits_at: Vec<usize> = found.map(|(at, _)| at + name.len() - DIGITS).collect();
        assert!(!digits_at.is_empty());
        Self {
            verb,
            body_at: head.len(),
            bytes,
            digits_at,
        }
    }

    /// Gives it a number.
    pub fn set_serial(&mut self, serial: u64) {
        let digits = format!("{serial:0DIGITS$}");
        for at in &self.digits_at {
            self.bytes[*at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
    }

    /// As it is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body_at..]
    }
}

fn offered(offer: Offer) -> Vec<String> {
    let spread = |names: Vec<String>, count: usize| -> Vec<String> {
        // Neighbours are in different regions, and no state of the fleet has them all.
        let length = names.len();
        (0..count)
            .map(|number| names[number * 7 % length].clone())
            .collect()
    };
    match offer {
        Offer::Any(count) => spread(fleet::node_names().collect(), count),
        Offer::Us(count) => spread(fleet::us_node_names().collect(), count),
        Offer::Unknown(count) => {
            let unknown = (0..5).map(|number| format!("nobody-knows-{number}"));
            let mut names = spread(fleet::node_names().collect(), count);
            names.extend(unknown);
            names
        }
    }
}

/// A pod of about 8 kB, as kube-scheduler and API servers send them.
fn pod(kind: &Kind, name: &str, verb: Verb) -> Value {
    let mut pod: Value = serde_json::from_str(&world::pod(kind.namespace)).expect("a pod");
    let metadata = &mut pod["metadata"];
    metadata["name"] = json!(name);
    metadata["annotations"] = json!({"prometheus.io/scrape": "true"});
    for (key, value) in kind.annotations {
        metadata["annotations"][key] = json!(value);
    }
    match verb {
        // One that is being created has no UID yet.
        Verb::Mutate | Verb::Validate => metadata["uid"] = json!(""),
        Verb::Filter | Verb::Prioritize | Verb::Preempt => metadata["uid"] = json!(name),
    }
    pod
}

fn review(namespace: &str, pod: &Value) -> Value {
    let of_pods = json!({"group": "", "version": "v1", "resource": "pods"});
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": kind, "resource": of_pods, "requestKind": kind, "requestResource": of_pods,
            "namespace": namespace, "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
            "object": pod, "oldObject": null, "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    })
}
