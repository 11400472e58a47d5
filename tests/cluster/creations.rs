//! Many pods of all sorts, created as fast as the API server takes them.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::core::v1 as core;
use kube::Api;
use kube::api::PostParams;

use crate::api::Cluster;
use crate::objects::Pod;

/// How a round of creations went.
#[derive(Debug)]
pub struct Creations {
    pub took: Duration,
    /// How long single creations took, in order.
    pub latencies: Vec<Duration>,
    /// What the API server refused, in its words.
    pub failures: Vec<String>,
    pub created: Vec<core::Pod>,
}

impl Creations {
    pub fn per_second(&self) -> f64 {
        self.created.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency that a share of the creations, 0 to 1, did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.latencies.len() as f64).ceil() as usize;
        self.latencies[rank.clamp(1, self.latencies.len()) - 1]
    }
}

/// Creates the pods, this many requests at once; in a dry run they are admitted and not kept.
pub async fn create_all(cluster: &Cluster, pods: Vec<Pod>, at_once: usize, is_dry_run: bool) -> Creations {
    let parameters = PostParams {
        dry_run: is_dry_run,
        ..PostParams::default()
    };
    let prepared: Vec<(Api<core::Pod>, core::Pod)> = (pods.iter())
        .map(|pod| (cluster.pods(&pod.namespace), pod.object()))
        .collect();
    let begin = Instant::now();
    let outcomes: Vec<(Duration, Result<core::Pod, kube::Error>)> = stream::iter(prepared)
        .map(async |(api, pod)| {
            let sent = Instant::now();
            let outcome = api.create(&parameters, &pod).await;
            (sent.elapsed(), outcome)
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    let took = begin.elapsed();
    let mut latencies: Vec<Duration> = outcomes.iter().map(|(latency, _)| *latency).collect();
    latencies.sort_unstable();
    let mut creations = Creations {
        took,
        latencies,
        failures: Vec::new(),
        created: Vec::new(),
    };
    for (_, outcome) in outcomes {
        match outcome {
            Ok(pod) => creations.created.push(pod),
            Err(error) => creations.failures.push(error.to_string()),
        }
    }
    creations
}
