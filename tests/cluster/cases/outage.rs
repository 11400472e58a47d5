//! The API server gone for a while: whoever can still ask is answered by the last state, its age is told, and the settings
//! say for which data that is too old.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fleet::{EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan, Stand, metrics};
use crate::{http, waiting};

/// The same people, and data that may be of the last state for as long as it takes.
const EEA_INTERNAL: [(&str, &str); 3] = [
    ("domicile.dev/data-classification", "internal"),
    ("domicile.dev/data-categories", "personal"),
    ("domicile.dev/data-subjects", "DE,FR,NL"),
];

/// How old it may be for confidential data.
const MOST_SECONDS: u64 = 20;

const AWAY: Duration = Duration::from_secs(60);

const STALE: &str = "the cluster has not been heard for longer than `maxFactAge` allows for this data";

/// What kube-scheduler would be told of a pod of a namespace.
async fn asked(stand: &Stand, namespace: &str) -> Value {
    let pod = json!({"metadata": {"name": "web", "namespace": namespace, "uid": "u"}, "spec": {}});
    let body = json!({"Pod": pod, "Nodes": null, "NodeNames": ["frankfurt", "virginia"]}).to_string();
    let answer = http::exchange(stand.domicile.address(), "POST", "/filter", body.as_bytes()).await;
    let answer = answer.expect("domicile answers");
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(&answer.text()).expect("an answer is JSON")
}

async fn until_asked(stand: &Stand, what: &str, namespace: &str, wanted: impl Fn(&Value) -> bool) {
    waiting::until(what, 2 * LIMIT, async || {
        let answer = asked(stand, namespace).await;
        if wanted(&answer) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
}

fn passes(answer: &Value) -> bool {
    answer["NodeNames"] == json!(["frankfurt"])
}

fn is_stale(answer: &Value) -> bool {
    answer.to_string().contains(STALE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_the_api_server_ages_what_is_known_and_the_settings_say_for_whom_too_much() {
    let mut plan = Plan::begin("outage").await;
    let settings = plan.own_policies().join("settings.yaml");
    let text = std::fs::read_to_string(&settings).expect("the copy can be read");
    let aged = format!("  maxFactAge: {{confidential: {MOST_SECONDS}s}}\n  regionKey: topology\n");
    let text = text.replace("  regionKey: topology\n", &aged);
    std::fs::write(&settings, text).expect("the copy can be written");
    let stand = plan
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("office", &EEA_INTERNAL)
        .await
        .start()
        .await;
    stand.until_nodes(2).await;
    for namespace in ["shop", "office"] {
        until_asked(&stand, "the namespace is known", namespace, passes).await;
    }

    stand.scenario.plane.stop_api_server().await;
    let stopped = Instant::now();
    // Broken watches are seen at once, and the last state decides.
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
    if stopped.elapsed() < Duration::from_secs(MOST_SECONDS / 2) {
        assert!(
            passes(&asked(&stand, "shop").await),
            "half of the age is not too old"
        );
    }
    until_asked(&stand, "confidential data is refused", "shop", is_stale).await;
    assert!(
        stopped.elapsed() + Duration::from_secs(1) >= Duration::from_secs(MOST_SECONDS),
        "it was not too old yet"
    );
    tokio::time::sleep(AWAY.saturating_sub(stopped.elapsed())).await;
    assert!(passes(&asked(&stand, "office").await), "all other data goes on");
    assert!(is_stale(&asked(&stand, "shop").await));
    let (status, ready) = stand.domicile.get("/readyz").await;
    assert_eq!(status, 200, "{ready}");
    // The largest of all sources: files were looked at a moment ago.
    let (_, told) = stand.domicile.get("/metrics").await;
    let age = told
        .lines()
        .find_map(|line| line.strip_prefix("domicile_source_age_seconds{source=\"cluster\"} "))
        .and_then(|age| age.parse::<u64>().ok());
    assert!(age.is_some_and(|age| age + 2 >= AWAY.as_secs()), "{age:?} s");

    stand.scenario.plane.start_api_server().await;
    until_asked(&stand, "it is heard again", "shop", passes).await;
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
}
