//! A pod that no place may host: whoever creates it is told.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::cases::fleet::{EEA_PERSONAL, HOMELESS_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan, Stand, scheduler_name};
use crate::objects::Pod;
use crate::scheduler::Mode;
use crate::webhook::FailurePolicy;

/// What a user's kubectl says to the creation of a pod.
fn kubectl_create(stand: &Stand, pod: &Pod) -> Output {
    let mut child = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(stand.scenario.plane.administrator())
        .args(["create", "--filename=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`kubectl` is needed for this test and cannot be started: {error}"));
    let text = serde_json::to_string(&pod.object()).expect("a pod is JSON");
    let mut pipe = child.stdin.take().expect("the input is piped");
    // kubectl may end before it has read everything; its exit code tells.
    let _ = pipe.write_all(text.as_bytes());
    drop(pipe);
    child.wait_with_output().expect("kubectl ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn start(plan: Plan) -> Stand {
    let stand = plan
        .admission()
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("homeless", &HOMELESS_PERSONAL)
        .await
        .start()
        .await;
    stand.register(FailurePolicy::Fail).await;
    stand
}

/// The warning, as kubectl prints it.
fn warning(output: &Output) -> Option<String> {
    let said = text(&output.stderr);
    let mut lines = said.lines();
    lines.find_map(|line| line.strip_prefix("Warning: ").map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_prints_why_and_the_pod_waits_for_the_same_reason() {
    let stand = start(Plan::begin("nowhere-warned").await).await;
    for lane in &stand.lanes {
        let output = kubectl_create(&stand, &lane.pod("web").in_namespace("homeless"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let warning = warning(&output).unwrap_or_default();
        for policy in ["eea-personal-data/place", "cn-personal-data/place"] {
            assert!(warning.contains(policy), "`{warning}`");
        }
        let name = format!("web-{}", scheduler_name(lane.mode));
        let pod = stand.cluster().pods("homeless").get(&name).await;
        let pod = pod.expect("it was admitted");
        stand.cluster().until_refused(&pod, &warning, LIMIT).await;
    }
    let output = kubectl_create(&stand, &Pod::named("at-home").in_namespace("shop"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_to_be_rejected_the_creation_fails_with_the_reason() {
    let plan = Plan::begin("nowhere-rejected").await;
    let stand = start(
        plan.one_mode(Mode::NamesOnly)
            .setting("admission.nowhere", "reject"),
    )
    .await;
    let output = kubectl_create(&stand, &Pod::named("web").in_namespace("homeless"));
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for part in [
        "denied the request: domicile: ",
        "eea-personal-data/place",
        "cn-personal-data/place",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let output = kubectl_create(&stand, &Pod::named("web").in_namespace("shop"));
    assert!(output.status.success(), "{}", text(&output.stderr));
}
