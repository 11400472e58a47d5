//! `/validate` at the API server: who would pass the scheduler by is refused, and told what to write instead.

use crate::cases::fleet::{EEA_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan};
use crate::objects::Pod;
use crate::scheduler::Mode;

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_the_scheduler_by_is_refused_with_the_fix() {
    let stand = Plan::begin("validation")
        .await
        .one_mode(Mode::NamesOnly)
        .admission()
        .setting("admission.schedulers", "names-only")
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("plain", &[])
        .await
        .start()
        .await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let ours = lane.pod("ours").in_namespace("shop");
    let named = lane.pod("named").in_namespace("shop").on_node("frankfurt");
    let foreign = Pod::named("foreign")
        .in_namespace("shop")
        .scheduled_by("someone-else");
    let unreadable = lane
        .pod("unreadable")
        .in_namespace("shop")
        .annotate("domicile.dev/data-classification", "confidental");
    let refused = [
        (&named, ["spec.nodeName", "take `spec.nodeName` out of the pod"]),
        (
            &foreign,
            ["`someone-else`", "write `names-only` into `spec.schedulerName`"],
        ),
        (&unreadable, ["domicile.dev/data-classification", "confidental"]),
    ];
    for (pod, _) in &refused {
        cluster.try_out(pod).await.expect("nobody validates yet");
    }

    cluster
        .register(&stand.shipped_webhook("validating-webhook/validating-webhook.yaml", "/validate"))
        .await;
    cluster
        .until_admission("pods are validated", &named, |tried| {
            (tried.as_ref()).is_err_and(|complaint| complaint.contains("domicile: "))
        })
        .await;
    for (pod, parts) in &refused {
        let complaint = cluster.try_create(pod).await.expect_err("it is refused");
        for part in ["denied the request: domicile: "].iter().chain(parts) {
            assert!(complaint.contains(part), "no `{part}` in {complaint}");
        }
    }

    // The same without governed data, and what a kubelet shows of a pod that it runs from a file.
    for pod in [&named, &foreign] {
        let free = pod.clone().in_namespace("plain");
        cluster.try_create(&free).await.expect("nothing governs it");
    }
    let pod = cluster.create_pod(&ours).await;
    assert_eq!(cluster.until_bound(&pod, LIMIT).await, "frankfurt");
}
