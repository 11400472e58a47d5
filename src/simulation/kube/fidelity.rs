//! What the model does as kube-scheduler does it, and what it leaves out, in sentences for readers of a report.

/// What is modelled.
pub const MODELLED: [&str; 12] = [
    "the order of nodes: zones take turns, as the node tree lists them, and each search begins where the last one ended",
    "sampling: the search ends after percentageOfNodesToScore of the nodes, adaptive by default, before the extender is asked",
    "fit of every requested resource: CPU, memory, ephemeral storage, pods and extended resources",
    "cordons, node names, taints of all three effects, node selectors and node affinity with every operator",
    "topology spread as rule and as wish, with minDomains, inclusion policies, matchLabelKeys and the default constraints",
    "affinity and anti-affinity between pods, required and preferred, and what running pods require and prefer of new ones",
    "the scores LeastAllocated and BalancedAllocation (as changed in 1.36) in Go's arithmetic, and all weights and normalizations",
    "an extender after sampling, its score times weight times 10, its failures, and its say in preemption",
    "ties by a uniform choice from a seeded stream",
    "priorities, preemption with the fewest and least important victims, and nominated nodes",
    "the queue: priority, then time; back-off from 1 s to 10 s; retries by the events and the queueing hints of each plugin, and after 5 minutes",
    "pods of one class placed one at a time, each seeing all that was bound before it",
];

/// What is not.
pub const NOT_MODELLED: [&str; 14] = [
    "16 goroutines filter nodes at once in kube-scheduler, so which nodes make up a sample varies; the model takes them in order",
    "without an extender kube-scheduler 1.36 takes the root of its heap among equals, which depends on that order; the model draws",
    "ImageLocality (no image is on any node) and every plugin of volumes, ports and resource claims",
    "disruption budgets: no eviction violates one",
    "victims of preemption leave at once, with no grace period",
    "requests are those of the pod: the defaults for a score count once per pod and not per container",
    "pod groups, scheduling gates, and the alpha features of 1.36",
    "the batching of equal pods, which an extender turns off, and so do the default spread constraints",
    "what kubelets write to pods that run, which has every pod that an extender turned away tried again",
    "a pod whose message changes with every attempt retries once, not without end",
    "taints by node controllers: a cordon is spec.unschedulable alone, a lost node is removed",
    "running pods are not evicted by NoExecute taints",
    "services and controllers: each pod states the selector that they would give it",
    "a second scheduler, a second extender and managedResources",
];
