//! This scheduler among others of the cluster, and how soon it tries again.

use super::configuration::{Configuration, DEFAULT_SCHEDULER};
use super::finding::Finding;

/// The Lease of the cluster's own kube-scheduler.
const DEFAULT_LEASE: (&str, &str) = ("kube-system", "kube-scheduler");
/// What `not ready` and a blind sample count on.
const USUAL_BACKOFF_SECONDS: i64 = 10;

/// Finds what is wrong with leader election and backoff (D23, D26).
pub fn check(configuration: &Configuration, findings: &mut Vec<Finding>) {
    let election = &configuration.leader_election;
    let default_lease = (election.namespace.as_str(), election.name.as_str()) == DEFAULT_LEASE;
    let is_default = configuration.serves_the_default_scheduler();
    if !election.elects {
        findings.push(Finding::warning(
            "D23",
            "leaderElection.leaderElect",
            "without leader election two replicas schedule the same pods at once, during every rollout too",
            "set `leaderElect: true`",
        ));
    } else if default_lease && !is_default {
        findings.push(Finding::error(
            "D23",
            "leaderElection.resourceName",
            "this is the lease of the cluster's own kube-scheduler: one of the two schedulers never works",
            "give the second scheduler a lease of its own, such as `resourceName: domicile-scheduler` in its own namespace",
        ));
    } else if !default_lease && is_default {
        findings.push(Finding::warning(
            "D23",
            "leaderElection.resourceName",
            format!(
                "a profile is called `{DEFAULT_SCHEDULER}`, and the lease is not that of the cluster's own kube-scheduler: if that one runs, both bind the same pods"
            ),
            "give the profile a name of its own, or replace the cluster's own scheduler and use its lease",
        ));
    }
    if configuration.most_backoff_seconds > USUAL_BACKOFF_SECONDS {
        findings.push(Finding::warning(
            "D26",
            "podMaxBackoffSeconds",
            format!(
                "after an answer of `not ready` or a blind sample a pod waits up to {} s before it is tried again",
                configuration.most_backoff_seconds
            ),
            format!("set `podMaxBackoffSeconds: {USUAL_BACKOFF_SECONDS}`"),
        ));
    }
}
