//! One more extender behind ours: it is asked about what we let pass, and its word counts too.

use std::time::Duration;

use super::fleet::{EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan, Stand};
use crate::recorder::Recorder;
use crate::scheduler::Mode;

const SECOND_SAYS: &str = "second: the licence server has no seat";

#[tokio::test(flavor = "multi_thread")]
async fn names_only_serves_a_second_extender() {
    serves_a_second_extender(Mode::NamesOnly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_nodes_serves_a_second_extender() {
    serves_a_second_extender(Mode::FullNodes).await;
}

async fn serves_a_second_extender(mode: Mode) {
    let accepting = Recorder::accepting_all().await;
    let stand = start(mode, &accepting).await;
    let pod = stand.lanes[0].pod("web").in_namespace("shop");
    let pod = stand.cluster().create_pod(&pod).await;
    let node = stand.cluster().until_bound(&pod, LIMIT).await;
    assert!(
        ["frankfurt", "paris"].contains(&node.as_str()),
        "bound to `{node}`"
    );
    let calls = accepting.calls("filter");
    assert_eq!(calls.len(), 1, "the second one is asked too");
    assert_eq!(calls[0].offered(), ["frankfurt", "paris"], "about what passed us");
    drop(stand);

    let refusing = Recorder::refusing_all(SECOND_SAYS).await;
    let stand = start(mode, &refusing).await;
    let pod = stand.lanes[0].pod("web").in_namespace("shop");
    let pod = stand.cluster().create_pod(&pod).await;
    let message = stand.cluster().until_refused(&pod, SECOND_SAYS, LIMIT).await;
    assert!(
        !message.contains("domicile: "),
        "we refused nothing of the whole: {message}"
    );
    stand
        .cluster()
        .expect_pending_for(&pod, Duration::from_secs(1))
        .await;
}

async fn start(mode: Mode, second: &Recorder) -> Stand {
    Plan::begin(&format!("second-extender-{mode:?}"))
        .await
        .one_mode(mode)
        .behind_ours(second)
        .nodes([
            aws("frankfurt", "eu-central-1"),
            aws("paris", "eu-west-3"),
            aws("virginia", "us-east-1"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await
}
