//! The server without a socket: every route, what it says when it is not ready, and its limits.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{App, body, test};
use arc_swap::{ArcSwap, ArcSwapOption};
use domicile::decisions::{
    DecisionIds, DecisionLog, DecisionLogCounters, DecisionLogSettings, DecisionRecord, Verdict,
};
use domicile::metrics::Metrics;
use domicile::model::NamespaceName;
use domicile::server::{
    Admission, AnswerSettings, BodyBudget, Readiness, ServerState, Turns, configure, configure_admin,
    configure_extender,
};
use domicile::snapshot::Snapshot;

use crate::world::{EXCEPTION_AND_SETTINGS, NOW, SETTINGS, fleet, policies, snapshot};

const FILTER: &str = r#"{"Pod":{"metadata":{"name":"web","namespace":"shop","uid":"u1"},"spec":{}},"Nodes":null,"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"]}"#;

fn world() -> Snapshot {
    snapshot(
        policies(&[]),
        fleet(&[("aws/eu-central-1", 150), ("aws/us-east-1", 150)]),
    )
}

pub fn state(snapshot: Option<Snapshot>) -> ServerState {
    ServerState {
        snapshots: Arc::new(ArcSwapOption::from(snapshot.map(Arc::new))),
        measured: Arc::default(),
        readiness: Arc::new(Readiness::waiting_for(Vec::<String>::new())),
        exempt_before_ready: Arc::new(ArcSwap::from_pointee(
            [NamespaceName::new("kube-system").unwrap()].into(),
        )),
        clock: || NOW.parse().unwrap(),
        answers: AnswerSettings::default(),
        metrics: Arc::new(Metrics::new()),
        pod_events: None,
        decisions: None,
        decision_ids: DecisionIds::new(NOW.parse().unwrap()),
        bodies: Arc::new(BodyBudget::new(1 << 20)),
        turns: Arc::new(Turns::new(256, Duration::from_mins(1))),
        admission: Admission::default(),
    }
}

/// Starts all routes over a state.
macro_rules! server {
    ($state:expr) => {
        test::init_service(App::new().app_data(Data::new($state)).configure(configure)).await
    };
}

fn post(path: &str, body: impl Into<String>) -> test::TestRequest {
    test::TestRequest::post()
        .uri(path)
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body.into())
}

/// Sends a request; gives the status and the text of the answer.
macro_rules! said {
    ($server:expr, $request:expr) => {
        text(test::call_service($server, $request.to_request()).await).await
    };
}

async fn text<B: body::MessageBody>(response: ServiceResponse<B>) -> (StatusCode, String) {
    let status = response.status();
    let sized = matches!(response.response().body().size(), body::BodySize::Sized(_));
    assert!(sized, "an answer without a Content-Length");
    let bytes = test::read_body(response).await;
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[actix_web::test]
async fn the_three_verbs_answer_in_json() {
    let server = server!(state(Some(world())));
    let response = test::call_service(&server, post("/filter", FILTER).to_request()).await;
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    let answer = test::read_body(response).await;
    assert_eq!(answer, r#"{"NodeNames":["aws-eu-central-1-0"],"Error":""}"#);

    let near = FILTER.replace(
        r#""uid":"u1""#,
        r#""uid":"u1","annotations":{"domicile.dev/clients":"aws/eu-central-1=1"}"#,
    );
    let (status, answer) = said!(&server, post("/prioritize", near));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer, r#"[{"Host":"aws-eu-central-1-0","Score":10}]"#);

    let victims = r#"{"aws-us-east-1-0":{"Pods":[{"UID":"a"}],"NumPDBViolations":0},"aws-eu-central-1-0":{"Pods":[{"UID":"b"}],"NumPDBViolations":0}}"#;
    let preempt = format!(
        r#"{{"Pod":{{"metadata":{{"name":"web","namespace":"shop","uid":"u1"}}}},"NodeNameToVictims":null,"NodeNameToMetaVictims":{victims}}}"#
    );
    let (status, answer) = said!(&server, post("/preempt", preempt));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer,
        r#"{"NodeNameToMetaVictims":{"aws-eu-central-1-0":{"Pods":[{"UID":"b"}],"NumPDBViolations":0}}}"#
    );
}

fn offer(count: usize) -> String {
    let names: Vec<String> = (0..count)
        .map(|number| format!("\"aws-us-east-1-{number}\""))
        .collect();
    FILTER.replace(r#""aws-us-east-1-0","aws-eu-central-1-0""#, &names.join(","))
}

#[actix_web::test]
async fn a_blind_sample_is_an_error_with_status_200() {
    let server = server!(state(Some(world())));
    let (status, answer) = said!(&server, post("/filter", offer(100)));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer,
        r#"{"Error":"permitted nodes exist outside the offered sample"}"#
    );
}

#[actix_web::test]
async fn up_to_100_refused_nodes_bear_the_sentence_and_beyond_that_one_does() {
    use domicile::extender::RefusalReasons;
    use domicile::placement::BlindSample;
    for (reasons, offered, explained) in [
        (RefusalReasons::Auto, 100, 100),
        (RefusalReasons::Auto, 101, 1),
        (RefusalReasons::One, 3, 1),
        (RefusalReasons::All, 150, 150),
    ] {
        let server = server!(ServerState {
            answers: AnswerSettings {
                refusal_reasons: reasons,
                on_blind_sample: BlindSample::Refuse,
            },
            ..state(Some(world()))
        });
        let (status, answer) = said!(&server, post("/filter", offer(offered)));
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            answer.matches("permits only group EEA").count(),
            explained,
            "{reasons:?} {offered}"
        );
        assert!(answer.starts_with(r#"{"NodeNames":[],"#), "{answer}");
    }
}

#[actix_web::test]
async fn where_settings_only_observe_everything_passes() {
    let observing = snapshot(
        policies(&[("mode: enforce", "mode: observe")]),
        fleet(&[("aws/us-east-1", 1), ("aws/eu-central-1", 1)]),
    );
    let server = server!(state(Some(observing)));
    let (_, answer) = said!(&server, post("/filter", FILTER));
    assert_eq!(
        answer,
        r#"{"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"],"Error":""}"#
    );
}

#[actix_web::test]
async fn a_bad_body_is_a_400_with_one_sentence() {
    let server = server!(state(Some(world())));
    for (path, body, said_) in [
        ("/filter", "{", "the body is not valid JSON at byte 1\n"),
        ("/filter", "", "the body is not valid JSON at byte 0\n"),
        (
            "/prioritize",
            r#"{"Pod":{"metadata":{"namespace":"shop"}}}"#,
            "neither `Nodes` nor `NodeNames` is given\n",
        ),
        (
            "/preempt",
            r#"{"Pod":null}"#,
            "`Pod` is missing; names of fields count by their exact case\n",
        ),
    ] {
        let (status, answer) = said!(&server, post(path, body));
        assert_eq!(
            (status, answer.as_str()),
            (StatusCode::BAD_REQUEST, said_),
            "{body}"
        );
    }
}

#[actix_web::test]
async fn the_content_type_does_not_matter() {
    let server = server!(state(Some(world())));
    let request = test::TestRequest::post()
        .uri("/filter")
        .insert_header((CONTENT_TYPE, "text/plain"))
        .set_payload(FILTER);
    assert_eq!(said!(&server, request).0, StatusCode::OK);
}

#[actix_web::test]
async fn wrong_methods_and_paths_are_told_so() {
    let server = server!(state(Some(world())));
    for (path, method, allowed) in [
        ("/filter", "GET", "POST"),
        ("/prioritize", "PUT", "POST"),
        ("/preempt", "GET", "POST"),
        ("/readyz", "POST", "GET"),
        ("/metrics", "POST", "GET"),
        ("/", "POST", "GET"),
    ] {
        let request = test::TestRequest::with_uri(path).method(method.parse().unwrap());
        let response = test::call_service(&server, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers().get(ALLOW).unwrap(), allowed, "{path}");
        let answer = test::read_body(response).await;
        assert_eq!(answer, format!("{path} takes {allowed} and nothing else\n"));
    }
    let (status, answer) = said!(&server, test::TestRequest::get().uri("/bind"));
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(answer, "there is nothing here; the routes are listed at /\n");
    let (status, answer) = said!(&server, test::TestRequest::get().uri("/"));
    assert_eq!(status, StatusCode::OK);
    assert!(answer.contains("POST /filter"), "{answer}");
}

#[actix_web::test]
async fn a_body_over_the_limit_is_a_413_and_one_at_the_limit_is_not() {
    for (limit, status) in [
        (FILTER.len(), StatusCode::OK),
        (FILTER.len() - 1, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let server = server!(ServerState {
            bodies: Arc::new(BodyBudget::new(limit)),
            ..state(Some(world()))
        });
        // Twice: what a body takes of the budget is given back.
        for _ in 0..2 {
            assert_eq!(said!(&server, post("/filter", FILTER)).0, status);
        }
    }
}

#[actix_web::test]
async fn before_all_sources_are_loaded_only_exempt_pods_pass() {
    let readiness = Arc::new(Readiness::waiting_for(["policies", "fleet"]));
    let server = server!(ServerState {
        readiness: Arc::clone(&readiness),
        ..state(Some(world()))
    });
    let ready = || test::TestRequest::get().uri("/readyz");
    let (status, answer) = said!(&server, ready());
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer, "waiting for fleet\nwaiting for policies\n");
    assert_eq!(
        said!(&server, test::TestRequest::get().uri("/livez")).0,
        StatusCode::OK
    );

    let exempt = FILTER.replace("shop", "kube-system");
    for path in ["/filter", "/prioritize"] {
        let (status, answer) = said!(&server, post(path, FILTER));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer, "not ready: waiting for fleet and policies\n");
    }
    let (status, answer) = said!(&server, post("/filter", exempt.as_str()));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer,
        r#"{"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"],"Error":""}"#
    );
    let (_, answer) = said!(&server, post("/prioritize", exempt.as_str()));
    assert_eq!(answer, "[]");
    let preempt = r#"{"Pod":{"metadata":{"name":"dns","namespace":"kube-system"}},"NodeNameToMetaVictims":{"a":{"Pods":[{"UID":"x"}]},"b":{"Pods":[]}}}"#;
    let (_, answer) = said!(&server, post("/preempt", preempt));
    assert_eq!(
        answer,
        r#"{"NodeNameToMetaVictims":{"a":{"Pods":[{"UID":"x"}],"NumPDBViolations":0}}}"#
    );
    assert_eq!(said!(&server, post("/filter", "{")).0, StatusCode::BAD_REQUEST);

    readiness.loaded("policies");
    assert_eq!(said!(&server, ready()).1, "waiting for fleet\n");
    readiness.loaded("fleet");
    assert_eq!(said!(&server, ready()), (StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(said!(&server, post("/filter", FILTER)).0, StatusCode::OK);
}

#[actix_web::test]
async fn without_a_first_snapshot_nothing_is_ready() {
    let state = state(None);
    let snapshots = Arc::clone(&state.snapshots);
    let server = server!(state);
    let (status, answer) = said!(&server, test::TestRequest::get().uri("/readyz"));
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer, "waiting for the first snapshot\n");
    assert_eq!(
        said!(&server, post("/filter", FILTER)).0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    snapshots.store(Some(Arc::new(world())));
    assert_eq!(said!(&server, post("/filter", FILTER)).0, StatusCode::OK);
}

#[actix_web::test]
async fn two_addresses_share_the_routes_out() {
    let state = Data::new(state(Some(world())));
    let extender = test::init_service(App::new().app_data(state.clone()).configure(configure_extender)).await;
    let admin = test::init_service(App::new().app_data(state).configure(configure_admin)).await;
    let get = |path: &str| test::TestRequest::get().uri(path);
    assert_eq!(said!(&extender, get("/livez")).0, StatusCode::NOT_FOUND);
    assert_eq!(said!(&extender, post("/filter", FILTER)).0, StatusCode::OK);
    assert_eq!(said!(&admin, get("/readyz")).0, StatusCode::OK);
    assert_eq!(said!(&admin, post("/filter", FILTER)).0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn metrics_count_what_was_decided_and_what_was_not() {
    let server = server!(state(Some(world())));
    let metrics = || test::TestRequest::get().uri("/metrics");
    let counts = |text: &str, name: &str, labels: &[&str]| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .unwrap_or(0.0)
    };
    let refused = offer(3);
    for body in [FILTER, refused.as_str(), "{", "{"] {
        said!(&server, post("/filter", body));
    }
    let (status, text) = said!(&server, metrics());
    assert_eq!(status, StatusCode::OK);
    for (name, labels, count) in [
        (
            "domicile_decisions_total",
            ["verb=\"filter\"", "verdict=\"permitted\""],
            1.0,
        ),
        (
            "domicile_decisions_total",
            ["verb=\"filter\"", "verdict=\"refused\""],
            1.0,
        ),
        ("domicile_", ["code=\"malformed-json\"", "verb=\"filter\""], 2.0),
        (
            "domicile_",
            ["code=\"rule\"", "rule=\"eea-personal-data/place\""],
            2.0,
        ),
    ] {
        let counted: f64 = counts(&text, name, &labels);
        assert!((counted - count).abs() < 0.5, "{labels:?} in {text}");
    }
}

#[actix_web::test]
async fn an_exception_is_recorded_and_counted_where_it_makes_a_difference() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let log = DecisionLog::open(
        &path,
        DecisionLogSettings::default(),
        DecisionLogCounters::default(),
    );
    let log = Arc::new(log.unwrap());
    let world = snapshot(
        policies(&[(SETTINGS, EXCEPTION_AND_SETTINGS)]),
        fleet(&[
            ("aws/eu-central-1", 2),
            ("gcp/europe-west2", 2),
            ("aws/us-east-1", 2),
        ]),
    );
    let metrics = Arc::new(Metrics::new());
    let server = server!(ServerState {
        decisions: Some(Arc::clone(&log)),
        metrics: Arc::clone(&metrics),
        ..state(Some(world))
    });
    let offers = |names: &str| FILTER.replace(r#""aws-us-east-1-0","aws-eu-central-1-0""#, names);
    let london = r#""gcp-europe-west2-0","gcp-europe-west2-1""#;
    said!(
        &server,
        post("/filter", offers(&format!(r#""aws-eu-central-1-0",{london}"#)))
    );
    said!(&server, post("/prioritize", offers(london)));
    // Nothing that is offered here rests on the exception.
    said!(&server, post("/filter", FILTER));
    assert_eq!(log.close(Duration::from_secs(5)).lost, 0);
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<DecisionRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |record: &DecisionRecord| {
        let without = record.permitted_without_exceptions;
        (record.permitted, without, record.exceptions.clone())
    };
    assert_eq!(told(&records[0]), (3, Some(1), vec!["ex-london".to_owned()]));
    assert_eq!(told(&records[1]), (2, Some(0), vec!["ex-london".to_owned()]));
    assert_eq!(told(&records[2]), (1, None, Vec::new()));
    let counted = metrics.encode(NOW.parse().unwrap());
    let line = r#"domicile_exceptions_used_total{exception="ex-london"} 2"#;
    assert!(counted.lines().any(|told| told == line), "{counted}");
}

#[actix_web::test]
async fn each_decision_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let log = DecisionLog::open(
        &path,
        DecisionLogSettings::default(),
        DecisionLogCounters::default(),
    );
    let log = Arc::new(log.unwrap());
    let server = server!(ServerState {
        decisions: Some(Arc::clone(&log)),
        ..state(Some(world()))
    });
    said!(&server, post("/filter", FILTER));
    said!(&server, post("/filter", offer(3)));
    said!(&server, post("/prioritize", FILTER));
    said!(&server, post("/filter", "{"));
    assert_eq!(log.close(Duration::from_secs(5)).lost, 0);
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<DecisionRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 3, "{text}");
    let [permitted, refused, scored] = [&records[0], &records[1], &records[2]];
    assert_eq!(permitted.verdict, Verdict::Permitted);
    assert_eq!((permitted.candidates, permitted.permitted), (2, 1));
    assert_eq!(permitted.pod.namespace, "shop");
    assert_eq!(permitted.profile[0].source, "Namespace");
    assert_eq!(permitted.reasons[0].nodes, 1);
    assert_eq!(refused.verdict, Verdict::Refused);
    let sentence = refused.sentence.as_deref().unwrap();
    assert!(sentence.contains("permits only group EEA"), "{sentence}");
    let scores = scored.scores.unwrap();
    assert_eq!((scores.least, scores.greatest, scores.best_nodes), (0, 0, 2));
}
