//! The facts of a cluster for a verb that asks once.

use anyhow::{Context, Result};

use crate::assembly::SourceText;
use crate::cluster::list_fleet;

/// What the lists of a cluster are called in problems.
const NAME: &str = "the cluster";

/// Lists the cluster that kubeconfig names, or that we run in, as a fleet file.
///
/// # Errors
/// Where no cluster is known, or it does not answer.
pub fn fleet_of_cluster() -> Result<SourceText> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = kube::Client::try_default()
            .await
            .context("no cluster can be found: is KUBECONFIG set?")?;
        let text = list_fleet(&client).await.context(
            "the cluster cannot be listed: nodes, namespaces, claims, volumes, storage classes and pods are needed",
        )?;
        Ok(SourceText::new(NAME, &text))
    })
}
