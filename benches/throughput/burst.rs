//! Creations of mixed pods, as fast as the API server takes them: with the webhook and without, kept and as a dry run.
//!
//! A dry run goes through admission as any creation does and is not written to etcd, so that more of what the machine can
//! do is left for admission.

use crate::creations::{Creations, create_all};
use crate::fleet::Share;
use crate::objects::Pod;
use crate::runs::{AT_ONCE, Bench};
use serde_json::json;

/// Of each five: governed in three ways, one with affinity of its own, one in an exempt namespace, one that nothing governs.
fn mixed(run: usize, number: usize) -> Pod {
    let pod = Pod::named(format!("burst-{run}-{number}")).scheduled_by("nobody");
    match number % 5 {
        0 => pod.in_namespace(Share::Tenth.namespace()),
        1 => pod.in_namespace(Share::Half.namespace()).requires(json!([
            { "matchExpressions": [{ "key": "disk", "operator": "In", "values": ["ssd"] }] },
            { "matchExpressions": [{ "key": "gpu", "operator": "Exists" }] },
        ])),
        2 => pod.in_namespace(Share::All.namespace()),
        3 => pod.in_namespace(Share::Ungoverned.namespace()),
        _ => pod.in_namespace("kube-system"),
    }
}

impl Bench {
    /// Prints a table. A creation that fails stops the measurement: with `failurePolicy: Fail` that is one which the webhook
    /// did not answer within its two seconds.
    pub async fn burst(&mut self, count: usize) {
        self.begin_domicile().await;
        println!("{count} mixed pods, {AT_ONCE} creations at once\n");
        println!("| webhook | creations | a second | P50 | P99 | slowest |\n|---|---|---|---|---|---|");
        for (run, (webhook, is_dry)) in [(false, false), (false, true), (true, false), (true, true)]
            .into_iter()
            .enumerate()
        {
            if webhook && !is_dry {
                self.register().await;
            }
            let pods = (0..count).map(|number| mixed(run, number)).collect();
            let made: Creations = create_all(self.cluster(), pods, AT_ONCE, is_dry).await;
            assert!(made.failures.is_empty(), "{:?}", made.failures);
            println!(
                "| {} | {} | {:.0} | {:.0?} | {:.0?} | {:.0?} |",
                if webhook { "asked" } else { "none" },
                if is_dry { "dry run" } else { "kept" },
                made.per_second(),
                made.quantile(0.5),
                made.quantile(0.99),
                made.quantile(1.0),
            );
        }
    }
}
