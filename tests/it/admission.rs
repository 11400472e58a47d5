//! `/mutate` and `/validate` without a socket: what becomes of pods, what is told, and what is not decided.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{App, test};
use base64::Engine as _;
use domicile::admission::{AdmissionSettings, AdmittedPlaces, Growth, Nowhere, SubmittedPod, mutate};
use domicile::decisions::{
    DecisionLog, DecisionLogCounters, DecisionLogSettings, DecisionRecord, Verb, Verdict,
};
use domicile::model::NamespaceName;
use domicile::server::{Admission, Readiness, ServerState, configure_admission};
use domicile::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::webhook::state;
use crate::world::{NOW, fleet, policies, snapshot};

const REGION: &str = "topology.kubernetes.io/region";
const REQUIRED: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";

fn world() -> Snapshot {
    snapshot(
        policies(&[]),
        fleet(&[("aws/eu-central-1", 2), ("aws/us-east-1", 2)]),
    )
}

fn with(settings: AdmissionSettings) -> ServerState {
    ServerState {
        admission: Admission::new(settings, Duration::ZERO),
        ..state(Some(world()))
    }
}

/// A review of a pod that is created in a namespace.
fn review(namespace: &str, pod: &Value) -> Value {
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": namespace,
            "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": []},
            "object": pod,
            "oldObject": null,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    })
}

fn pod(metadata: Value, spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    pod["spec"]["containers"] = json!([{"name": "c", "image": "i"}]);
    pod
}

fn bare() -> Value {
    pod(
        json!({"generateName": "web-", "creationTimestamp": null}),
        json!({"schedulerName": "default-scheduler"}),
    )
}

/// Starts the admission routes over a state.
macro_rules! server {
    ($state:expr) => {
        test::init_service(
            App::new()
                .app_data(Data::new($state))
                .configure(configure_admission),
        )
        .await
    };
}

/// Posts a body; gives the status and the text.
macro_rules! said {
    ($server:expr, $path:expr, $body:expr) => {{
        let request = test::TestRequest::post()
            .uri($path)
            .insert_header((CONTENT_TYPE, "application/json"))
            .set_payload($body.to_string());
        let response = test::call_service($server, request.to_request()).await;
        let status = response.status();
        let bytes = test::read_body(response).await;
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }};
}

/// Posts a review of a pod; gives the response in the answer.
macro_rules! asked {
    ($server:expr, $path:expr, $namespace:expr, $pod:expr) => {{
        let (status, text) = said!($server, $path, review($namespace, $pod));
        assert_eq!(status, StatusCode::OK, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        assert_eq!(answer["response"]["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
        answer["response"].clone()
    }};
}

/// The operations of a response.
fn operations(response: &Value) -> Value {
    let Some(patch) = response.get("patch") else {
        assert!(response.get("patchType").is_none());
        return json!([]);
    };
    assert_eq!(response["patchType"], "JSONPatch");
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(patch.as_str().unwrap())
        .unwrap();
    serde_json::from_slice(&decoded).unwrap()
}

/// The pod, patched by a response.
fn patched(pod: &Value, response: &Value) -> Value {
    assert_eq!(response["allowed"], true, "{response}");
    let mut pod = pod.clone();
    let patch: json_patch::Patch = serde_json::from_value(operations(response)).unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}

fn terms(pod: &Value) -> &Value {
    pod.pointer(&format!("{REQUIRED}/nodeSelectorTerms")).unwrap()
}

/// What a pod of the namespace `shop` is confined to, in this world.
fn eea() -> Value {
    let regions = [
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-3",
        "eusc-de-east-1",
    ];
    json!({"key": REGION, "operator": "In", "values": regions})
}

#[actix_web::test]
async fn a_governed_pod_is_confined_and_says_by_what() {
    let server = server!(with(AdmissionSettings::default()));
    let before = bare();
    let response = asked!(&server, "/mutate", "shop", &before);
    let after = patched(&before, &response);
    assert_eq!(*terms(&after), json!([{"matchExpressions": [eea()]}]));
    assert_eq!(response.get("warnings"), None);
    let annotations = &after["metadata"]["annotations"];
    let world = world();
    let by = format!("policies={} snapshot={}", world.policies().digest(), world.id());
    assert_eq!(annotations["domicile.dev/admitted-by"], by);
    let places = annotations["domicile.dev/admitted-places"].as_str().unwrap();
    assert!(
        places.starts_with("aws/eu-central-1, aws/eu-north-1, "),
        "{places}"
    );
    assert_eq!(AdmittedPlaces::read(places).unwrap().text(), places);
    // Its own result gives no further patch.
    assert_eq!(operations(&asked!(&server, "/mutate", "shop", &after)), json!([]));
    assert_eq!(after["spec"]["schedulerName"], "default-scheduler");
}

#[actix_web::test]
async fn what_nothing_governs_is_left_as_it_is() {
    let server = server!(with(AdmissionSettings {
        scheduler_name: Some("domicile".to_owned()),
        ..AdmissionSettings::default()
    }));
    for namespace in ["site", "plain"] {
        let response = asked!(&server, "/mutate", namespace, &bare());
        assert_eq!(
            response,
            json!({"uid": response["uid"], "allowed": true}),
            "{namespace}"
        );
    }
    let forged = pod(
        json!({"name": "a", "annotations": {"domicile.dev/admitted-places": "everywhere", "other": "x"}}),
        json!({}),
    );
    let response = asked!(&server, "/mutate", "site", &forged);
    let path = "/metadata/annotations/domicile.dev~1admitted-places";
    assert_eq!(operations(&response), json!([{"op": "remove", "path": path}]));
}

#[actix_web::test]
async fn what_the_pod_asks_of_nodes_itself_stays_required() {
    let server = server!(with(AdmissionSettings::default()));
    let disk = json!({"key": "disk", "operator": "In", "values": ["ssd"]});
    let region = |values: &[&str]| json!({"key": REGION, "operator": "In", "values": values});
    let fields = json!([{"key": "metadata.name", "operator": "In", "values": ["n1"]}]);
    let unknown = json!({"matchExpressions": [disk], "matchSomethingNew": {"a": 1}});
    for (own, expected) in [
        // Nothing there yet, in every way that JSON has for it.
        (json!(null), json!([{"matchExpressions": [eea()]}])),
        (json!({}), json!([{"matchExpressions": [eea()]}])),
        (
            json!({"nodeAffinity": null}),
            json!([{"matchExpressions": [eea()]}]),
        ),
        (
            json!({"nodeAffinity": {}}),
            json!([{"matchExpressions": [eea()]}]),
        ),
        // Every term gains it.
        (
            json!([{"matchExpressions": [disk]}, {"matchExpressions": [region(&["eu-west-1", "us-east-1"])]}]),
            json!([
                {"matchExpressions": [disk, eea()]},
                {"matchExpressions": [region(&["eu-west-1", "us-east-1"]), eea()]},
            ]),
        ),
        // But for a term that says no less already.
        (
            json!([{"matchExpressions": [region(&["eu-west-1"])]}, {"matchExpressions": [disk]}]),
            json!([{"matchExpressions": [region(&["eu-west-1"])]}, {"matchExpressions": [disk, eea()]}]),
        ),
        // An empty term matches no node, and would match some with an expression in it.
        (json!([{}]), json!([{}])),
        (
            json!([{}, {"matchExpressions": [disk]}]),
            json!([{}, {"matchExpressions": [disk, eea()]}]),
        ),
        // As a DaemonSet selects its node.
        (
            json!([{"matchFields": fields}]),
            json!([{"matchFields": fields, "matchExpressions": [eea()]}]),
        ),
        (
            json!([{"matchFields": fields, "matchExpressions": null}]),
            json!([{"matchFields": fields, "matchExpressions": [eea()]}]),
        ),
        // What a later Kubernetes may write in a term stays in it.
        (
            json!([unknown]),
            json!([{"matchExpressions": [disk, eea()], "matchSomethingNew": {"a": 1}}]),
        ),
    ] {
        let affinity = match own.is_array() {
            true => json!({"nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {}}],
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": own},
            }}),
            false => own.clone(),
        };
        let before = pod(
            json!({"name": "a"}),
            json!({"affinity": affinity, "nodeSelector": {"disk": "ssd"}}),
        );
        let after = patched(&before, &asked!(&server, "/mutate", "shop", &before));
        assert_eq!(*terms(&after), expected, "{own}");
        let again = operations(&asked!(&server, "/mutate", "shop", &after));
        assert_eq!(again, json!([]), "{own}");
        let mut rest = after.clone();
        rest["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            before["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
                .clone();
        if own.is_array() {
            assert_eq!(rest["spec"], before["spec"], "{own}");
        }
    }
    // A selector without terms matches no node, and the API server refuses it.
    let none = pod(
        json!({"name": "a"}),
        json!({"affinity": {"nodeAffinity":
        {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}}),
    );
    let after = patched(&none, &asked!(&server, "/mutate", "shop", &none));
    assert_eq!(*terms(&after), json!([]));
}

#[actix_web::test]
async fn forged_annotations_are_overwritten_and_others_stay() {
    let server = server!(with(AdmissionSettings::default()));
    for annotations in [
        json!({"domicile.dev/admitted-places": "everywhere", "a/b": "c"}),
        json!({"domicile.dev/admitted-by": "me", "domicile.dev/admitted-places": ""}),
        json!({}),
        json!(null),
    ] {
        let before = pod(json!({"name": "a", "annotations": annotations}), json!({}));
        let after = patched(&before, &asked!(&server, "/mutate", "shop", &before));
        let after = &after["metadata"]["annotations"];
        assert!(
            after["domicile.dev/admitted-places"]
                .as_str()
                .unwrap()
                .contains("aws/eu-west-1")
        );
        assert!(
            after["domicile.dev/admitted-by"]
                .as_str()
                .unwrap()
                .starts_with("policies=")
        );
        assert_eq!(after.get("a/b"), annotations.get("a/b"));
    }
}

#[actix_web::test]
async fn a_pod_that_may_run_nowhere_is_admitted_with_a_warning_or_rejected() {
    let nowhere = pod(
        json!({"name": "a", "annotations": {"domicile.dev/data-subjects": "US"}}),
        json!({"schedulerName": "default-scheduler"}),
    );
    let sentence = "domicile: `eea-personal-data/place` permits only group EEA";
    let server = server!(with(AdmissionSettings::default()));
    let response = asked!(&server, "/mutate", "shop", &nowhere);
    let after = patched(&nowhere, &response);
    assert_eq!(
        after["spec"], nowhere["spec"],
        "the extender refuses it, and knows when that changes"
    );
    assert_eq!(
        after["metadata"]["annotations"]["domicile.dev/admitted-places"],
        "nowhere"
    );
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with(sentence), "{warning}");

    let server = server!(with(AdmissionSettings {
        nowhere: Nowhere::Reject,
        ..AdmissionSettings::default()
    }));
    let response = asked!(&server, "/mutate", "shop", &nowhere);
    assert_eq!(response["allowed"], false);
    assert_eq!(
        (&response["status"]["code"], response.get("patch")),
        (&json!(403), None)
    );
    assert_eq!(response["status"]["message"], warning);
}

#[actix_web::test]
async fn a_pod_for_which_the_fleet_has_no_node_is_confined_and_its_author_warned() {
    let elsewhere = snapshot(policies(&[]), fleet(&[("aws/us-east-1", 2)]));
    let server = server!(ServerState {
        admission: Admission::default(),
        ..state(Some(elsewhere))
    });
    let response = asked!(&server, "/mutate", "shop", &bare());
    assert_eq!(
        *terms(&patched(&bare(), &response)),
        json!([{"matchExpressions": [eea()]}])
    );
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(warning.contains("permits only group EEA"), "{warning}");
}

#[actix_web::test]
async fn a_policy_that_only_warns_warns() {
    let warned = crate::world::policies_with("eea-personal-data.yaml", &[("mode: enforce", "mode: warn")]);
    let world = snapshot(warned, fleet(&[("aws/us-east-1", 2)]));
    let server = server!(state(Some(world)));
    let response = asked!(&server, "/mutate", "shop", &bare());
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("domicile: not enforced yet: `eea-personal-data/place`"),
        "{warning}"
    );
    let after = patched(&bare(), &response);
    assert_eq!(after.pointer(REQUIRED), None);
    assert_eq!(
        after["metadata"]["annotations"]["domicile.dev/admitted-places"],
        "everywhere"
    );
}

#[actix_web::test]
async fn where_settings_only_observe_no_pod_is_changed_or_rejected() {
    let observing = || {
        snapshot(
            policies(&[("mode: enforce", "mode: observe")]),
            fleet(&[("aws/us-east-1", 1)]),
        )
    };
    let server = server!(ServerState {
        admission: Admission::new(
            AdmissionSettings {
                nowhere: Nowhere::Reject,
                scheduler_name: Some("domicile".to_owned()),
                ..AdmissionSettings::default()
            },
            Duration::ZERO
        ),
        ..state(Some(observing()))
    });
    let bound = pod(
        json!({"name": "a"}),
        json!({"nodeName": "n", "schedulerName": "other"}),
    );
    for (path, pod) in [("/mutate", &bare()), ("/mutate", &bound), ("/validate", &bound)] {
        let response = asked!(&server, path, "shop", pod);
        assert_eq!(
            response,
            json!({"uid": response["uid"], "allowed": true}),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn what_is_no_pod_that_is_created_is_admitted_as_it_is() {
    let server = server!(state(None));
    for (field, value) in [
        ("operation", json!("UPDATE")),
        ("operation", json!("DELETE")),
        ("subResource", json!("eviction")),
        (
            "resource",
            json!({"group": "apps", "version": "v1", "resource": "deployments"}),
        ),
    ] {
        let mut review = review("shop", &json!({"spec": "nothing that a pod has"}));
        review["request"][field] = value;
        for path in ["/mutate", "/validate"] {
            let (status, answer) = said!(&server, path, review);
            assert_eq!(status, StatusCode::OK);
            assert!(answer.contains(r#""allowed":true}}"#), "{answer}");
        }
    }
}

#[actix_web::test]
async fn a_dry_run_is_answered_alike() {
    let server = server!(with(AdmissionSettings::default()));
    let (_, real) = said!(&server, "/mutate", review("shop", &bare()));
    let mut dry = review("shop", &bare());
    dry["request"]["dryRun"] = json!(true);
    assert_eq!(said!(&server, "/mutate", dry).1, real);
}

#[actix_web::test]
async fn the_scheduler_is_set_for_governed_pods_that_name_the_default_one() {
    let server = server!(with(AdmissionSettings {
        scheduler_name: Some("domicile".to_owned()),
        ..AdmissionSettings::default()
    }));
    for (named, expected) in [
        (json!("default-scheduler"), json!("domicile")),
        (json!(null), json!("domicile")),
        (json!("batch"), json!("batch")),
        (json!("domicile"), json!("domicile")),
    ] {
        let before = pod(json!({"name": "a"}), json!({"schedulerName": named}));
        let after = patched(&before, &asked!(&server, "/mutate", "shop", &before));
        assert_eq!(after["spec"]["schedulerName"], expected, "{named}");
    }
    let bound = pod(
        json!({"name": "a"}),
        json!({"nodeName": "n", "schedulerName": "default-scheduler"}),
    );
    assert_eq!(operations(&asked!(&server, "/mutate", "shop", &bound)), json!([]));
}

#[actix_web::test]
async fn validate_refuses_what_passes_the_scheduler_by_with_the_fix() {
    let server = server!(with(AdmissionSettings {
        schedulers: ["domicile".to_owned()].into(),
        ..AdmissionSettings::default()
    }));
    let ours =
        |metadata: Value, node: Value| pod(metadata, json!({"schedulerName": "domicile", "nodeName": node}));
    let foreign = pod(
        json!({"name": "a"}),
        json!({"schedulerName": "default-scheduler"}),
    );
    let misspelt = json!({"name": "a", "annotations": {"domicile.dev/data-categorys": "health"}});
    let forged_mirror = json!({"name": "a", "annotations": {"kubernetes.io/config.mirror": "x"}});
    for (namespace, pod, told) in [
        ("shop", &ours(json!({"name": "a"}), json!(null)), None),
        (
            "shop",
            &foreign,
            Some("write `domicile` into `spec.schedulerName`"),
        ),
        ("site", &foreign, None),
        (
            "shop",
            &ours(json!({"name": "a"}), json!("n1")),
            Some("take `spec.nodeName` out of the pod"),
        ),
        ("site", &ours(json!({"name": "a"}), json!("n1")), None),
        (
            "shop",
            &ours(forged_mirror, json!("n1")),
            Some("take `spec.nodeName` out of the pod"),
        ),
        (
            "shop",
            &ours(misspelt.clone(), json!(null)),
            Some("did you mean `domicile.dev/data-categories`?"),
        ),
        (
            "site",
            &ours(misspelt, json!(null)),
            Some("did you mean `domicile.dev/data-categories`?"),
        ),
    ] {
        let response = asked!(&server, "/validate", namespace, pod);
        assert_eq!(response["allowed"], told.is_none(), "{response}");
        let message = response["status"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(told.unwrap_or_default()), "{message}");
        assert_eq!(response.get("patch"), None);
    }
    // The kubelet of the node shows what it runs already.
    let mirror = json!({"name": "a", "annotations": {"kubernetes.io/config.mirror": "x"}});
    for (user, allowed) in [("system:node:n1", true), ("system:node:n2", false), ("n1", false)] {
        let mut review = review("shop", &ours(mirror.clone(), json!("n1")));
        review["request"]["userInfo"]["username"] = json!(user);
        let (_, answer) = said!(&server, "/validate", review);
        assert!(
            answer.contains(&format!(r#""allowed":{allowed}"#)),
            "{user}: {answer}"
        );
    }
}

#[actix_web::test]
async fn what_cannot_be_read_is_a_400_with_one_sentence() {
    let server = server!(with(AdmissionSettings::default()));
    let mut unnamed = review("shop", &bare());
    unnamed["request"]["namespace"] = json!("");
    let odd = pod(json!({"name": "a"}), json!({"affinity": {"nodeAffinity": []}}));
    let labels = pod(json!({"name": "a", "labels": ["x"]}), json!({}));
    for (body, sentence) in [
        ("{".to_owned(), "the body is no AdmissionReview: "),
        (
            "{}".to_owned(),
            "the body is `` and not `admission.k8s.io/v1 AdmissionReview`",
        ),
        (unnamed.to_string(), "`request.namespace` is missing"),
        (
            review("shop", &odd).to_string(),
            "the pod in the AdmissionReview cannot be read: `spec.affinity.nodeAffinity` is not an object",
        ),
        (
            review("shop", &labels).to_string(),
            "the pod in the AdmissionReview cannot be read: ",
        ),
    ] {
        let (status, answer) = said!(&server, "/mutate", body);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer.starts_with(sentence) && answer.ends_with('\n'), "{answer}");
    }
    let huge = "x".repeat((4 << 20) + 1);
    let (status, answer) = said!(&server, "/mutate", huge);
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer, "the body is larger than 4194304 bytes\n");
    let get = test::TestRequest::get().uri("/validate").to_request();
    assert_eq!(
        test::call_service(&server, get).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let (status, _) = said!(&server, "/filter", "{}");
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "kube-scheduler has an address of its own"
    );
}

#[actix_web::test]
async fn before_ready_only_exempt_namespaces_pass() {
    let waiting = ServerState {
        readiness: Arc::new(Readiness::waiting_for(["cluster"])),
        ..state(None)
    };
    let metrics = waiting.metrics.clone();
    let server = server!(waiting);
    for path in ["/mutate", "/validate"] {
        let (status, answer) = said!(&server, path, review("shop", &bare()));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer, "not ready: waiting for cluster\n");
        let response = asked!(&server, path, "kube-system", &bare());
        assert_eq!(response, json!({"uid": response["uid"], "allowed": true}));
    }
    let told = metrics.encode(NOW.parse().unwrap());
    assert!(
        told.contains(r#"domicile_undecided_requests_total{verb="mutate",code="not-ready"} 1"#),
        "{told}"
    );
    assert!(
        told.contains(r#"domicile_admission_reviews_total{verb="validate",outcome="untouched"} 1"#),
        "{told}"
    );
}

#[actix_web::test]
async fn a_pod_right_behind_its_namespace_waits_a_moment_for_it() {
    let state = Data::new(ServerState {
        admission: Admission::new(AdmissionSettings::default(), Duration::from_secs(60)),
        ..state(Some(world()))
    });
    let server = test::init_service(App::new().app_data(state.clone()).configure(configure_admission)).await;
    let snapshots = state.snapshots.clone();
    let made = async move {
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        let mut fleet = fleet(&[("aws/eu-central-1", 2), ("aws/us-east-1", 2)]);
        let namespaces = fleet.namespaces.as_mut().unwrap();
        let shop = namespaces
            .get(&NamespaceName::new("shop").unwrap())
            .unwrap()
            .clone();
        namespaces.insert(NamespaceName::new("new").unwrap(), shop);
        snapshots.store(Some(Arc::new(snapshot(policies(&[]), fleet))));
    };
    let asked = async { asked!(&server, "/mutate", "new", &bare()) };
    let (response, ()) = futures::future::join(asked, made).await;
    assert_eq!(
        *terms(&patched(&bare(), &response)),
        json!([{"matchExpressions": [eea()]}])
    );
}

#[actix_web::test]
async fn what_stays_unknown_is_left_to_the_extender() {
    let server = server!(with(AdmissionSettings::default()));
    let mounting = pod(
        json!({"name": "a"}),
        json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "not-yet"}}]}),
    );
    let response = asked!(&server, "/mutate", "new", &mounting);
    assert_eq!(operations(&response), json!([]));
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("is not known yet so no node affinity was added"),
        "{warning}"
    );
}

#[actix_web::test]
async fn every_governed_review_leaves_a_record_and_a_count() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let log = DecisionLog::open(
        &path,
        DecisionLogSettings::default(),
        DecisionLogCounters::default(),
    );
    let log = Arc::new(log.unwrap());
    let state = ServerState {
        decisions: Some(log.clone()),
        ..with(AdmissionSettings {
            schedulers: ["domicile".to_owned()].into(),
            ..AdmissionSettings::default()
        })
    };
    let metrics = state.metrics.clone();
    let server = server!(state);
    for (path, namespace) in [("/mutate", "shop"), ("/mutate", "site"), ("/validate", "shop")] {
        assert_eq!(
            asked!(&server, path, namespace, &bare())["allowed"],
            path == "/mutate"
        );
    }
    log.close(Duration::from_secs(10));
    let text = std::fs::read_to_string(&path).unwrap();
    let records: Vec<DecisionRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [mutated, validated] = records.as_slice() else {
        panic!("two records: {text}");
    };
    let admission = mutated.admission.as_ref().unwrap();
    assert_eq!(
        (mutated.verb, mutated.verdict),
        (Verb::Mutate, Verdict::Permitted)
    );
    assert_eq!(
        (mutated.candidates, mutated.permitted, mutated.governed),
        (4, 2, true)
    );
    assert_eq!(admission.outcome, "confined");
    assert!(
        admission
            .places
            .as_ref()
            .unwrap()
            .starts_with("aws/eu-central-1, ")
    );
    assert_eq!(
        (validated.verb, validated.verdict),
        (Verb::Validate, Verdict::Refused)
    );
    assert_eq!(validated.admission.as_ref().unwrap().outcome, "foreign-scheduler");
    assert!(
        validated
            .sentence
            .as_ref()
            .unwrap()
            .contains("does not ask where governed data may run")
    );
    let told = metrics.encode(NOW.parse().unwrap());
    for expected in [
        r#"domicile_admission_reviews_total{verb="mutate",outcome="confined"} 1"#,
        r#"domicile_admission_reviews_total{verb="mutate",outcome="untouched"} 1"#,
        r#"domicile_admission_reviews_total{verb="validate",outcome="foreign-scheduler"} 1"#,
        r#"domicile_request_duration_seconds_count{verb="mutate"} 2"#,
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
}

#[actix_web::test]
async fn the_server_answers_what_the_function_says() {
    let world = world();
    let settings = AdmissionSettings {
        growth: Growth::Catalogue,
        ..AdmissionSettings::default()
    };
    let server = server!(with(settings.clone()));
    for (namespace, annotations) in [
        ("shop", json!(null)),
        ("shop", json!({"domicile.dev/data-categories": "payment"})),
        (
            "plain",
            json!({"domicile.dev/data-subjects": "CH", "domicile.dev/data-categories": "personal"}),
        ),
        ("site", json!({"domicile.dev/data-sets": "orders"})),
    ] {
        let pod = pod(json!({"name": "a", "annotations": annotations}), json!({}));
        let response = asked!(&server, "/mutate", namespace, &pod);
        let text = pod.to_string();
        let read = SubmittedPod::read(&text, &NamespaceName::new(namespace).unwrap()).unwrap();
        let mutation = mutate(&world, &read, NOW.parse().unwrap(), &settings).unwrap();
        assert_eq!(operations(&response), json!(mutation.operations));
        let warnings = response.get("warnings").cloned().unwrap_or(json!([]));
        assert_eq!(warnings, json!(mutation.warnings));
    }
}
