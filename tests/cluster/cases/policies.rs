//! Policies that change under a running server.

use std::path::Path;

use super::fleet::{EEA_PERSONAL, EEA_SENTENCE, aws};
use super::stand::{LIMIT, Plan, Stand, metrics};

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_policy_file_leaves_the_last_good_set_in_charge() {
    let mut plan = Plan::begin("invalid-policy").await;
    let policies = plan.own_policies();
    let mut stand = plan
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    expect_refusal(&stand, "before").await;

    write(
        &policies.join("eea-personal-data.yaml"),
        "kind: PlacementPolicy\nspec: [",
    );
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
    expect_refusal(&stand, "after").await;

    // The set that was good outlives the process, in the state folder.
    stand.domicile.kill();
    stand.domicile.restart();
    stand.domicile.until_ready().await;
    assert_eq!(stand.metric(metrics::BAD_SOURCES).await, Some(1.0));
    expect_refusal(&stand, "restarted").await;

    // A good set again decides anew: this one lets EEA data into the US, and no longer guarantees that it
    // does not.
    std::fs::remove_file(policies.join("guarantees/eea-personal-data.yaml"))
        .expect("the copy can be removed");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/eea-personal-data.yaml");
    let text = std::fs::read_to_string(shipped).expect("the shipped policy can be read");
    write(
        &policies.join("eea-personal-data.yaml"),
        &text.replace("allowed: [group/EEA]", "allowed: [group/EEA, \"US\"]"),
    );
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
    for lane in &stand.lanes {
        let pod = stand
            .cluster()
            .create_pod(&lane.pod("repaired").in_namespace("shop"))
            .await;
        assert_eq!(stand.cluster().until_bound(&pod, LIMIT).await, "virginia");
    }
}

async fn expect_refusal(stand: &Stand, name: &str) {
    for lane in &stand.lanes {
        let pod = stand
            .cluster()
            .create_pod(&lane.pod(name).in_namespace("shop"))
            .await;
        stand.cluster().until_refused(&pod, EEA_SENTENCE, LIMIT).await;
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the copy can be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn observe_refuses_nothing_and_records_everything() {
    let mut plan = Plan::begin("observe").await;
    let policies = plan.own_policies();
    let settings = policies.join("settings.yaml");
    let text = std::fs::read_to_string(&settings).expect("the copy can be read");
    write(&settings, &text.replace("mode: enforce\n", "mode: observe\n"));
    let stand = plan
        .nodes([aws("virginia", "us-east-1"), aws("mumbai", "ap-south-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    for lane in &stand.lanes {
        let pod = stand
            .cluster()
            .create_pod(&lane.pod("web").in_namespace("shop"))
            .await;
        stand.cluster().until_bound(&pod, LIMIT).await;
        assert_eq!(stand.cluster().scheduling_failures(&pod).await, [""; 0]);
        let record = stand.until_records(&pod, 1).await.remove(0);
        assert_eq!(record["verb"], "filter");
        assert_eq!(record["mode"], "observe");
        assert_eq!(record["verdict"], "would-refuse");
        assert_eq!(record["candidates"], 2);
        assert_eq!(record["permitted"], 0);
        assert_eq!(record["reasons"][0]["rule"], "eea-personal-data/place");
    }
}
