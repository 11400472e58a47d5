//! The facts of a cluster for a verb that asks once.

use anyhow::{Context, Result};

use crate::assembly::SourceText;
use crate::cluster::{list_custom_resources, list_fleet};
use crate::custom_resources::CustomResource;

/// What the lists of a cluster are called in problems.
const NAME: &str = "the cluster";

/// Lists the cluster that kubeconfig names, or that we run in, as a fleet file.
///
/// # Errors
/// Where no cluster is known, or it does not answer.
pub fn fleet_of_cluster() -> Result<SourceText> {
    asked(async |client| {
        let text = list_fleet(&client).await.context(
            "the cluster cannot be listed: nodes, namespaces, claims, volumes, storage classes and pods are needed",
        )?;
        Ok(SourceText::new(NAME, &text))
    })
}

/// Lists the objects of our own kinds in that cluster.
///
/// # Errors
/// Where no cluster is known, or it does not answer, or does not know these kinds.
pub fn objects_of_cluster() -> Result<Vec<CustomResource>> {
    asked(async |client| {
        let objects = list_custom_resources(&client).await;
        objects.context("the custom resources of the cluster cannot be listed: are deploy/crds installed?")
    })
}

/// What the cluster answers that kubeconfig names, or that we run in.
///
/// # Errors
/// Where no cluster is known, or the question fails.
pub fn asked<T>(ask: impl AsyncFnOnce(kube::Client) -> Result<T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = kube::Client::try_default()
            .await
            .context("no cluster can be found: is KUBECONFIG set?")?;
        ask(client).await
    })
}
