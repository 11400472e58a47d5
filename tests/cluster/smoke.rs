//! The harness and kube-scheduler without domicile: what an extender is sent in both
//! modes, and that its answers are heeded.

use std::time::Duration;

use serde_json::Value;

use crate::mutator;
use crate::objects::{Node, Pod};
use crate::recorder::{Call, Recorder};
use crate::scenario::Scenario;
use crate::scheduler::{Extender, Mode, SchedulerSettings};
use crate::webhook::Webhook;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn names_only_calls_carry_names() {
    let scenario = Scenario::begin("names-only").await;
    for call in calls_for_one_pod(&scenario, Mode::NamesOnly).await {
        assert_eq!(
            keys(&call.request),
            ["NodeNames", "Nodes", "Pod"],
            "{}",
            call.verb
        );
        assert_eq!(call.request["Nodes"], Value::Null, "{}", call.verb);
        let mut names: Vec<&str> = array(&call.request["NodeNames"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["node-a", "node-b"], "{}", call.verb);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_node_calls_carry_nodes() {
    let scenario = Scenario::begin("full-nodes").await;
    for call in calls_for_one_pod(&scenario, Mode::FullNodes).await {
        assert_eq!(
            keys(&call.request),
            ["NodeNames", "Nodes", "Pod"],
            "{}",
            call.verb
        );
        assert_eq!(call.request["NodeNames"], Value::Null, "{}", call.verb);
        let mut regions: Vec<&str> = array(&call.request["Nodes"]["items"])
            .iter()
            .filter_map(|node| node["metadata"]["labels"]["topology.kubernetes.io/region"].as_str())
            .collect();
        regions.sort_unstable();
        assert_eq!(regions, ["eu-central-1", "us-east-1"], "{}", call.verb);
    }
}

/// Binds one pod on two nodes; the one filter call and the one prioritize call about it.
async fn calls_for_one_pod(scenario: &Scenario, mode: Mode) -> [Call; 2] {
    let cluster = &scenario.cluster;
    cluster
        .create_nodes([
            Node::named("node-a")
                .in_zone("eu-central-1", "eu-central-1a")
                .provider_id("aws:///eu-central-1a/i-0a"),
            Node::named("node-b")
                .in_zone("us-east-1", "us-east-1b")
                .provider_id("aws:///us-east-1b/i-0b"),
            Node::named("node-tainted").taint("reserved", "yes", "NoSchedule"),
        ])
        .await;
    cluster
        .create_namespace("shop", &[("example.org/owner", "shop team")])
        .await;
    let recorder = Recorder::accepting_all().await;
    let settings = SchedulerSettings::with_extenders([Extender::at(recorder.url(), mode)]);
    let _scheduler = scenario.start_scheduler("kube-scheduler", &settings).await;

    let pod = Pod::named("web")
        .in_namespace("shop")
        .annotate("example.org/purpose", "smoke");
    let pod = cluster.create_pod(&pod).await;
    let node = cluster.until_bound(&pod, LIMIT).await;
    assert!(["node-a", "node-b"].contains(&node.as_str()), "bound to `{node}`");

    let calls = ["filter", "prioritize"].map(|verb| {
        let calls = recorder.calls_about(verb, "web");
        assert_eq!(calls.len(), 1, "{verb} calls");
        calls[0].clone()
    });
    for call in &calls {
        assert_eq!(call.request["Pod"]["metadata"]["namespace"], "shop");
        assert_eq!(
            call.request["Pod"]["metadata"]["annotations"]["example.org/purpose"],
            "smoke"
        );
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn preempt_calls_name_the_victims() {
    let scenario = Scenario::begin("preempt").await;
    let cluster = &scenario.cluster;
    for mode in [Mode::NamesOnly, Mode::FullNodes] {
        cluster.sweep().await;
        cluster.create_nodes([Node::named("only").cpu("1")]).await;
        let recorder = Recorder::accepting_all().await;
        let settings = SchedulerSettings::with_extenders([Extender::at(recorder.url(), mode)]);
        let _scheduler = scenario
            .start_scheduler(&format!("scheduler-{mode:?}"), &settings)
            .await;
        let low = cluster
            .create_pod(&Pod::named("low").cpu("800m").on_node("only"))
            .await;
        let high = cluster
            .create_pod(&Pod::named("high").cpu("800m").priority(1_000))
            .await;

        cluster.until_gone(&low, LIMIT).await;
        assert_eq!(cluster.until_bound(&high, LIMIT).await, "only");
        let call = recorder.calls_about("preempt", "high").remove(0);
        let victim = match mode {
            Mode::NamesOnly => &call.request["NodeNameToMetaVictims"]["only"]["Pods"][0]["UID"],
            Mode::FullNodes => &call.request["NodeNameToVictims"]["only"]["Pods"][0]["metadata"]["uid"],
        };
        assert_eq!(victim.as_str(), low.metadata.uid.as_deref(), "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_in_front_passes_calls_on_and_an_absent_extender_stops_the_pod() {
    let scenario = Scenario::begin("in-front").await;
    let cluster = &scenario.cluster;
    cluster.create_nodes([Node::named("only")]).await;
    let behind = Recorder::accepting_all().await;
    let in_front = Recorder::in_front_of(behind.address()).await;
    let nobody = Recorder::in_front_of(unused_address()).await;
    let through = SchedulerSettings::with_extenders([Extender::at(in_front.url(), Mode::NamesOnly)]);
    let mut to_nobody = SchedulerSettings::with_extenders([Extender::at(nobody.url(), Mode::NamesOnly)]);
    to_nobody.scheduler_names = vec!["second".to_owned()];
    let _first = scenario.start_scheduler("first", &through).await;
    let second = scenario.start_scheduler("second", &to_nobody).await;

    let passed = cluster.create_pod(&Pod::named("passed")).await;
    assert_eq!(cluster.until_bound(&passed, LIMIT).await, "only");
    let seen = in_front.calls_about("filter", "passed");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body, behind.calls_about("filter", "passed")[0].body);
    let answer: Value = serde_json::from_slice(&seen[0].response.as_ref().expect("it was answered").body)
        .expect("the answer is JSON");
    assert_eq!(answer["NodeNames"], serde_json::json!(["only"]));

    let stopped = cluster
        .create_pod(&Pod::named("stopped").scheduled_by("second"))
        .await;
    cluster.until_refused(&stopped, "EOF", LIMIT).await;
    cluster.expect_pending_for(&stopped, Duration::from_secs(1)).await;
    let metrics = second.metrics().await;
    assert!(
        metrics.contains("scheduler_schedule_attempts_total{profile=\"second\",result=\"error\"}"),
        "an extender that does not answer is an error, not a refusal"
    );
    assert!(nobody.calls_about("filter", "stopped")[0].response.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_has_only_the_rights_of_its_roles_and_objects_survive_an_api_server() {
    let scenario = Scenario::begin("accounts").await;
    let cluster = &scenario.cluster;
    cluster
        .create_nodes((0..20).map(|number| Node::named(format!("node-{number}"))))
        .await;
    let token = cluster.service_account_token("default", "nobody").await;
    let nobody = scenario
        .plane
        .client(&scenario.plane.kubeconfig("nobody", &token))
        .await;
    let refusal = kube::Api::<k8s_openapi::api::core::v1::Node>::all(nobody)
        .list(&kube::api::ListParams::default())
        .await
        .expect_err("this account may not list nodes");
    assert!(
        refusal
            .to_string()
            .contains("system:serviceaccount:default:nobody"),
        "{refusal}"
    );

    scenario.plane.restart_api_server().await;
    let nodes = kube::Api::<k8s_openapi::api::core::v1::Node>::all(cluster.client.clone())
        .list(&kube::api::ListParams::default())
        .await
        .expect("nodes can be listed after the restart");
    assert_eq!(nodes.items.len(), 20);
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    keys.sort_unstable();
    keys
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An address at which nobody listened a moment ago.
fn unused_address() -> std::net::SocketAddr {
    let [port] = crate::waiting::free_ports();
    std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port))
}

/// Two webhooks of the test, asked in the order of their names, and again for what the other has changed since; once
/// they are swept away nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_asked_in_order_and_the_first_again() {
    let scenario = Scenario::begin("webhooks").await;
    let cluster = &scenario.cluster;
    let authority = &scenario.plane.certificates.authority;
    let issued = authority.server(&scenario.directory, "mutator");
    /// Appends to a label.
    fn note(pod: &Value, what: &str) -> Value {
        let seen = pod["metadata"]["labels"]["seen-by"].as_str().unwrap_or_default();
        serde_json::json!([{ "op": "add", "path": "/metadata/labels/seen-by", "value": format!("{seen}{what}") }])
    }
    let first = mutator::start(&issued, |pod| note(pod, "1"));
    let second = mutator::start(&issued, |pod| note(pod, "2"));
    let pod = Pod::named("web").label("app", "web");
    let seen_by = |tried: &Result<k8s_openapi::api::core::v1::Pod, String>| {
        let labels = tried.as_ref().ok()?.metadata.labels.as_ref()?;
        labels.get("seen-by").cloned()
    };
    for (name, url) in [("a-first", first), ("b-second", second)] {
        cluster
            .register(&Webhook::of_a_test(name, &url, &authority.file))
            .await;
    }
    cluster
        .until_admission("both are asked", &pod, |tried| {
            seen_by(tried).as_deref() == Some("1212")
        })
        .await;
    assert_eq!(seen_by(&cluster.try_create(&pod).await).as_deref(), Some("1212"));
    cluster.sweep_webhooks().await;
    cluster
        .until_admission(
            "nobody is asked",
            &Pod::named("later").label("app", "web"),
            |tried| tried.is_ok() && seen_by(tried).is_none(),
        )
        .await;
}
