//! `GET /latency`: what decides now, as a file that can be replayed.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service, read_body};
use actix_web::{App, web::Data};
use arc_swap::ArcSwapOption;
use domicile::model::{Latency, Statistic};
use domicile::publish::MeasuredNow;
use domicile::server::{ServerState, configure, configure_admin, configure_extender};
use domicile::topology::{
    Freshness, LatencyTable, MeasuredPlace, MeasuredStatistic, Measurement, Measurements, parse_latency_csv,
};

use crate::webhook::state;
use crate::world::{fleet, policies, snapshot};

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).unwrap()
}

fn measured(p50: f64, p95: f64, freshness: Freshness) -> Measurement {
    Measurement {
        rtt: Latency::from_ms(p50).unwrap(),
        p95: Latency::from_ms(p95),
        statistic: Some(MeasuredStatistic::P50),
        samples: Some(12),
        measured_at: Some("2026-11-21T11:59:30Z".parse().unwrap()),
        source: Some("probes".into()),
        freshness,
    }
}

fn measurements() -> Measurements {
    let mut all = Measurements::default();
    let (frankfurt, dublin, paris) = (
        place("aws/eu-central-1"),
        place("aws/eu-west-1"),
        place("aws/eu-west-3"),
    );
    all.insert(
        frankfurt.clone(),
        dublin.clone(),
        measured(25.5, 31.0, Freshness::Fresh),
    );
    all.insert(
        dublin.clone(),
        frankfurt.clone(),
        measured(30.0, 31.0, Freshness::Fresh),
    );
    all.insert(
        dublin.clone(),
        paris.clone(),
        measured(18.0, 40.25, Freshness::Stale),
    );
    all.insert(
        paris.clone(),
        frankfurt.clone(),
        measured(12.0, 13.0, Freshness::Dated),
    );
    all.set_unreachable(dublin, paris.clone());
    all.set_unreachable(frankfurt, paris);
    all
}

fn world() -> (String, ServerState) {
    let snapshot = Arc::new(snapshot(policies(&[]), fleet(&[("aws/eu-central-1", 1)])));
    let id = snapshot.id().to_owned();
    let mut state = state(None);
    state.snapshots = Arc::new(ArcSwapOption::from(Some(snapshot.clone())));
    state.measured = Arc::new(ArcSwapOption::from_pointee(MeasuredNow {
        snapshot,
        measurements: Arc::new(measurements()),
    }));
    (id, state)
}

#[actix_web::test]
async fn what_decides_is_a_latency_file_that_decides_the_same() {
    let (id, state) = world();
    let server = init_service(App::new().app_data(Data::new(state)).configure(configure)).await;
    let response = call_service(&server, TestRequest::get().uri("/latency").to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers().get("content-type").unwrap(),
        "text/csv; charset=utf-8"
    );
    let text = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    let expected = format!(
        "# the measured latencies of snapshot {id}, which decides at 2026-11-21T12:00:00Z
from,to,rtt_ms,p95_ms,statistic,samples,measured_at,source,freshness,reachable
aws/eu-central-1,aws/eu-west-1,25.5,31,p50,12,2026-11-21T11:59:30Z,probes,fresh,
aws/eu-central-1,aws/eu-west-3,,,,,,,,no
aws/eu-west-1,aws/eu-central-1,30,31,p50,12,2026-11-21T11:59:30Z,probes,fresh,
aws/eu-west-1,aws/eu-west-3,18,40.25,p50,12,2026-11-21T11:59:30Z,probes,stale,no
aws/eu-west-3,aws/eu-central-1,12,13,p50,12,2026-11-21T11:59:30Z,probes,,
"
    );
    assert_eq!(text, expected);

    let replayed = parse_latency_csv("incident.csv", &text, |_| None, &BTreeMap::new()).unwrap();
    assert_eq!(replayed, measurements());
    assert_eq!(replayed.digest(), measurements().digest());
    for statistic in [Statistic::P50, Statistic::P95] {
        let now = LatencyTable::build(&measurements(), &BTreeMap::new(), statistic);
        let then = LatencyTable::build(&replayed, &BTreeMap::new(), statistic);
        let known = |table: &LatencyTable, from: &MeasuredPlace, to: &MeasuredPlace| {
            let point = |place: &MeasuredPlace| table.locate(&place.region, None).unwrap();
            let (from, to) = (point(from), point(to));
            (table.between(from, to).unwrap(), table.is_unreachable(from, to))
        };
        for from in now.places() {
            for to in now.places() {
                assert_eq!(
                    known(&now, from, to),
                    known(&then, from, to),
                    "{from} {to} {statistic:?}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn it_is_for_operators_and_waits_for_the_first_snapshot() {
    let get = || TestRequest::get().uri("/latency").to_request();
    let (_, state_with_world) = world();
    let state_with_world = Data::new(state_with_world);
    let extender = App::new()
        .app_data(state_with_world.clone())
        .configure(configure_extender);
    let extender = init_service(extender).await;
    assert_eq!(
        call_service(&extender, get()).await.status(),
        StatusCode::NOT_FOUND
    );
    let admin = init_service(App::new().app_data(state_with_world).configure(configure_admin)).await;
    assert_eq!(call_service(&admin, get()).await.status(), StatusCode::OK);
    let post = TestRequest::post().uri("/latency").to_request();
    assert_eq!(
        call_service(&admin, post).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );

    let early = App::new().app_data(Data::new(state(None))).configure(configure);
    let early = init_service(early).await;
    let said = call_and_read_body(&early, get()).await;
    assert_eq!(said, "not ready: waiting for the first snapshot\n");
}
