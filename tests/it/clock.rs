//! A clock that is stepped back and forth: each answer is that of its instant, and nothing is left over of another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, test};
use domicile::decisions::{DecisionLog, DecisionLogCounters, DecisionLogSettings, DecisionRecord};
use domicile::server::{ServerState, configure};
use jiff::Timestamp;

use crate::webhook::state;
use crate::world::{EXCEPTION_AND_SETTINGS, SETTINGS, fleet, policies, snapshot};

const ASKED: &str = r#"{"Pod":{"metadata":{"name":"web","namespace":"shop","uid":"u1"},"spec":{}},"Nodes":null,"NodeNames":["gcp-europe-west2-0"]}"#;

static SECOND: AtomicI64 = AtomicI64::new(0);

fn now() -> Timestamp {
    Timestamp::from_second(SECOND.load(Ordering::Acquire)).unwrap()
}

/// London is permitted from the beginning of November to the end of December 2026.
#[actix_web::test]
async fn a_clock_that_is_stepped_back_gives_the_answers_of_then_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let (settings, counters) = (DecisionLogSettings::default(), DecisionLogCounters::default());
    let log = Arc::new(DecisionLog::open(&path, settings, counters).unwrap());
    let world = snapshot(
        policies(&[(SETTINGS, EXCEPTION_AND_SETTINGS)]),
        fleet(&[("gcp/europe-west2", 1)]),
    );
    let state = ServerState {
        clock: now,
        decisions: Some(log.clone()),
        ..state(Some(world))
    };
    let server = test::init_service(App::new().app_data(Data::new(state)).configure(configure)).await;
    let instants = [
        ("2026-11-21T12:00:00Z", true),
        ("2026-11-21T11:59:58Z", true),
        ("2026-10-31T23:59:59Z", false),
        ("2026-11-21T12:00:00Z", true),
        ("1970-01-01T00:00:00Z", false),
        ("2027-06-01T00:00:00Z", false),
        ("2026-12-01T00:00:00Z", true),
    ];
    for (instant, permits) in instants {
        let instant: Timestamp = instant.parse().unwrap();
        SECOND.store(instant.as_second(), Ordering::Release);
        let request = test::TestRequest::post().uri("/filter").set_payload(ASKED);
        let answer = test::call_and_read_body(&server, request.to_request()).await;
        let answer = String::from_utf8(answer.to_vec()).unwrap();
        let expected = r#"{"NodeNames":["gcp-europe-west2-0"],"Error":""}"#;
        assert_eq!(answer == expected, permits, "{instant}: {answer}");
        let request = test::TestRequest::get().uri("/metrics");
        let metrics = test::call_and_read_body(&server, request.to_request()).await;
        let metrics = String::from_utf8(metrics.to_vec()).unwrap();
        let negative = metrics.lines().find(|line| line.contains(" -"));
        assert!(negative.is_none_or(|line| line.starts_with('#')), "{negative:?}");
    }
    assert_eq!(log.close(Duration::from_secs(10)).lost, 0);
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<DecisionRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = records.iter().map(|record| record.time).collect();
    let asked: Vec<Timestamp> = instants
        .iter()
        .map(|(instant, _)| instant.parse().unwrap())
        .collect();
    assert_eq!(told, asked);
    let ids: BTreeSet<_> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), records.len(), "a record is called as another is");
}
