//! What a pod asks for, summed over its containers as kube-scheduler does.
//!
//! Source: `PodRequests` in k8s.io/component-helpers/resource, Kubernetes 1.36. Init containers run one after the other,
//! so of these the greatest counts; one with `restartPolicy: Always` goes on running, so it counts beside all that
//! start after it. What the pod asks for as a whole stands above the sum; its overhead comes on top.

use crate::simulation::kube::Quantity;
use crate::simulation::kube::spec::ResourceList;

use super::views::{Container, PodSpecView};

/// Resources for which a pod may ask as a whole; so it may for huge pages.
const POD_LEVEL: [&str; 2] = ["cpu", "memory"];
const POD_LEVEL_PREFIX: &str = "hugepages-";

/// What the pod asks for.
pub(super) fn requests(pod: &PodSpecView) -> ResourceList {
    let asked = |container: &Container| container.resources.clone().unwrap_or_default().requests;
    let mut all = ResourceList::new();
    for container in pod.containers.iter().flatten() {
        add(&mut all, &asked(container).unwrap_or_default());
    }
    let mut sidecars = ResourceList::new();
    let mut starting = ResourceList::new();
    for container in pod.init_containers.iter().flatten() {
        let mut while_it_starts = asked(container).unwrap_or_default();
        let goes_on = container.restart_policy.as_deref() == Some("Always");
        if goes_on {
            add(&mut all, &while_it_starts);
        }
        add(&mut while_it_starts, &sidecars);
        if goes_on {
            sidecars.clone_from(&while_it_starts);
        }
        raise(&mut starting, &while_it_starts);
    }
    raise(&mut all, &starting);
    let as_a_whole = pod
        .resources
        .clone()
        .unwrap_or_default()
        .requests
        .unwrap_or_default();
    for (resource, amount) in as_a_whole {
        if POD_LEVEL.contains(&resource.as_str()) || resource.starts_with(POD_LEVEL_PREFIX) {
            all.insert(resource, amount);
        }
    }
    if let Some(overhead) = &pod.overhead {
        add(&mut all, overhead);
    }
    all.retain(|_, amount| *amount > Quantity::default());
    all
}

fn add(sum: &mut ResourceList, more: &ResourceList) {
    for (resource, amount) in more {
        let so_far = sum.entry(resource.clone()).or_default();
        *so_far = so_far.saturating_add(*amount);
    }
}

fn raise(greatest: &mut ResourceList, other: &ResourceList) {
    for (resource, amount) in other {
        let so_far = greatest.entry(resource.clone()).or_default();
        *so_far = (*so_far).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(spec: &str) -> String {
        let spec: PodSpecView = serde_json::from_str(spec).expect("a spec");
        let asked = requests(&spec);
        let asked: Vec<String> = asked
            .iter()
            .map(|(resource, amount)| format!("{resource}={amount}"))
            .collect();
        asked.join(" ")
    }

    #[test]
    fn requests_are_those_of_kube_scheduler() {
        let container = |cpu: &str| format!(r#"{{"resources":{{"requests":{{"cpu":"{cpu}"}}}}}}"#);
        let sidecar = |cpu: &str| {
            format!(r#"{{"restartPolicy":"Always","resources":{{"requests":{{"cpu":"{cpu}"}}}}}}"#)
        };
        let (one, two) = (container("1"), container("2"));
        for (spec, cpu) in [
            ("{}".to_owned(), ""),
            (r#"{"containers":[{"resources":{}},{}]}"#.to_owned(), ""),
            (format!(r#"{{"containers":[{one},{two}]}}"#), "cpu=3"),
            // An init container alone counts where it asks for more than all that run later.
            (
                format!(r#"{{"containers":[{one}],"initContainers":[{two},{one}]}}"#),
                "cpu=2",
            ),
            (
                format!(r#"{{"containers":[{one},{two}],"initContainers":[{two}]}}"#),
                "cpu=3",
            ),
            // A sidecar runs beside the containers, and beside the init containers behind it.
            (
                format!(
                    r#"{{"containers":[{one}],"initContainers":[{}]}}"#,
                    sidecar("500m")
                ),
                "cpu=1500m",
            ),
            (
                format!(
                    r#"{{"containers":[{one}],"initContainers":[{},{two}]}}"#,
                    sidecar("500m")
                ),
                "cpu=2500m",
            ),
            (
                format!(
                    r#"{{"containers":[{one}],"initContainers":[{two},{}]}}"#,
                    sidecar("500m")
                ),
                "cpu=2",
            ),
            // What the pod asks for as a whole, and its overhead.
            (
                format!(
                    r#"{{"containers":[{one}],"resources":{{"requests":{{"cpu":"4","x/y":"1"}}}},"overhead":{{"cpu":"250m"}}}}"#
                ),
                "cpu=4250m",
            ),
            (
                r#"{"containers":[{"resources":{"requests":{"nvidia.com/gpu":1,"memory":"0"}}}]}"#.to_owned(),
                "nvidia.com/gpu=1",
            ),
        ] {
            assert_eq!(asked(&spec), cpu, "{spec}");
        }
    }
}
