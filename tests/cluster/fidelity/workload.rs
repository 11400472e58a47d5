//! What both kube-schedulers, the real one and the model, are given: nodes, and pods that come and go.
//!
//! It is written in the types of the model, whose fields have Kubernetes' own names, and `objects` makes the objects of
//! the API server out of them: there is one description of each node and pod.

use domicile::simulation::kube::spec::{
    Affinity, LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, NodeAffinity, NodeSpec,
    PodAffinity, PodAffinityTerm, PodSpec, Taint, TaintEffect, WeightedPodAffinityTerm,
};
use domicile::simulation::kube::{Profile, Quantity};

use crate::cases::fleet::EEA_PERSONAL;

/// A namespace without annotations, and one whose pods may run in the EEA alone.
pub const PLAIN: &str = "plain";
pub const EEA: &str = "shop";

pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const HOSTNAME: &str = "kubernetes.io/hostname";
pub const GPU: &str = "nvidia.com/gpu";

/// One workload.
pub struct Workload {
    pub name: &'static str,
    pub profile: Profile,
    /// In the order in which they come.
    pub nodes: Vec<NodeSpec>,
    pub steps: Vec<Step>,
}

/// What happens.
pub enum Step {
    /// A pod comes.
    Come(Box<Pod>),
    /// A pod, by its place among those that came, is deleted.
    Go(usize),
    /// All that has to be tried has been tried; then nodes say since when their pods run.
    Settle,
}

/// A pod.
#[derive(Clone)]
pub struct Pod {
    pub spec: PodSpec,
    pub annotations: Vec<(&'static str, String)>,
}

impl Workload {
    /// The namespaces, with their annotations.
    pub fn namespaces() -> [(&'static str, &'static [(&'static str, &'static str)]); 2] {
        [(PLAIN, &[]), (EEA, &EEA_PERSONAL)]
    }

    /// All pods that ever come, in their order.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.steps.iter().filter_map(|step| match step {
            Step::Come(pod) => Some(&**pod),
            _ => None,
        })
    }
}

impl Pod {
    /// A pod that asks for nothing, in the plain namespace.
    pub fn named(name: String) -> Self {
        Self {
            spec: PodSpec {
                namespace: PLAIN.to_owned(),
                name,
                ..PodSpec::default()
            },
            annotations: Vec::new(),
        }
    }

    /// Personal data about people in the EEA.
    pub fn governed(mut self) -> Self {
        EEA.clone_into(&mut self.spec.namespace);
        self
    }

    /// Reads the shipped data set `orders`, so that regions differ in what they are worth.
    pub fn reads_orders(mut self) -> Self {
        let data_sets = "orders: reads=4 writes=1".to_owned();
        self.annotations.push(("domicile.dev/data-sets", data_sets));
        self
    }

    pub fn asks(mut self, resource: &str, amount: Quantity) -> Self {
        self.spec.requests.insert(resource.to_owned(), amount);
        self
    }

    /// Thousandths of a CPU and mebibytes of memory.
    pub fn asks_for(self, cpu_milli: u32, memory_mib: u32) -> Self {
        self.asks("cpu", Quantity::millis(cpu_milli))
            .asks("memory", Quantity::mebibytes(memory_mib))
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.spec.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    pub fn priority(mut self, priority: i32) -> Self {
        self.spec.priority = priority;
        self
    }

    pub fn affinity(&mut self) -> &mut Affinity {
        self.spec.affinity.get_or_insert_default()
    }

    pub fn node_affinity(&mut self) -> &mut NodeAffinity {
        self.affinity().node_affinity.get_or_insert_default()
    }

    pub fn pod_affinity(&mut self) -> &mut PodAffinity {
        self.affinity().pod_affinity.get_or_insert_default()
    }

    pub fn pod_anti_affinity(&mut self) -> &mut PodAffinity {
        self.affinity().pod_anti_affinity.get_or_insert_default()
    }

    /// Namespace and name, as kube-scheduler logs them.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.spec.namespace, self.spec.name)
    }
}

/// A node in a zone, which is its region and a letter, with room for 110 pods.
pub fn node(name: String, region: &str, letter: &str, cpu_milli: u32, memory_mib: u32) -> NodeSpec {
    let labels = [
        (HOSTNAME, name.clone()),
        ("topology.kubernetes.io/region", region.to_owned()),
        (ZONE, format!("{region}{letter}")),
    ];
    let allocatable = [
        ("cpu", Quantity::millis(cpu_milli)),
        ("memory", Quantity::mebibytes(memory_mib)),
        ("ephemeral-storage", Quantity::mebibytes(100 * 1024)),
        ("pods", Quantity::whole(110)),
    ];
    NodeSpec {
        name,
        labels: labels.map(|(key, value)| (key.to_owned(), value)).into(),
        allocatable: allocatable.map(|(key, value)| (key.to_owned(), value)).into(),
        taints: Vec::new(),
        unschedulable: false,
    }
}

pub fn taint(key: &str, value: &str, effect: TaintEffect) -> Taint {
    Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect,
    }
}

/// Pods whose label `app` is this.
pub fn app(name: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Labels::from([("app".to_owned(), name.to_owned())]),
        ..LabelSelector::default()
    }
}

/// Pods whose label `app` is one of these.
pub fn apps(names: &[&str]) -> LabelSelector {
    LabelSelector {
        match_expressions: vec![LabelSelectorRequirement {
            key: "app".to_owned(),
            operator: LabelSelectorOperator::In,
            values: names.iter().map(|&name| name.to_owned()).collect(),
        }],
        ..LabelSelector::default()
    }
}

/// Pods of the same namespace, within the same value of a label of nodes.
pub fn near(pods: LabelSelector, topology_key: &str) -> PodAffinityTerm {
    PodAffinityTerm {
        label_selector: Some(pods),
        topology_key: topology_key.to_owned(),
        ..PodAffinityTerm::default()
    }
}

/// The same, as a wish.
pub fn rather(weight: i32, term: PodAffinityTerm) -> WeightedPodAffinityTerm {
    WeightedPodAffinityTerm {
        weight,
        pod_affinity_term: term,
    }
}
