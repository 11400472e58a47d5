//! What admission writes into pods, against the filter: on random sets of policies, pods and nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domicile::admission::{
    AdmissionSettings, ConfinedPlaces, Growth, MutateOutcome, PermittedPlaces, SubmittedPod, is_governed,
    knows_all_facts, mutate, permitted,
};
use domicile::model::{NamespaceName, NodeName, NodeRecord};
use domicile::objects::NodeView;
use domicile::placement::{Assessment, assess};
use domicile::snapshot::{NodeClass, Snapshot};
use serde_json::{Value, json};

use super::*;
use crate::policy::affinity::admits;
use crate::policy::checker::{CLOUD, annotations, with_cloud};

const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const OLD_REGION: &str = "failure-domain.beta.kubernetes.io/region";
const OLD_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const PROVIDER: &str = "domicile.dev/provider";
const RESTRICTED: &str = "domicile.node-restriction.kubernetes.io/region";

/// How many kinds of labels a world has.
const LABELLINGS: usize = 12;

type Labels = BTreeMap<String, String>;

/// The regions of the generated worlds, and one that none has.
const NAMES: [&str; 4] = ["r0", "r1", "r2", "nowhere"];

/// The labels of a node.
fn labelling(choices: &mut Choices, are_old_in_use: bool) -> Labels {
    let mut labels = Labels::new();
    let mut maybe = |choices: &mut Choices, rarity: usize, key: &str, values: &[&str]| {
        if choices.rarely(rarity) {
            labels.insert(key.to_owned(), choices.one(values).to_owned());
        }
    };
    maybe(choices, 3, PROVIDER, &["p", "q", CLOUD, "stranger"]);
    maybe(choices, 3, ZONE, &["z1", "z2"]);
    if are_old_in_use {
        maybe(choices, 2, OLD_REGION, &NAMES);
        maybe(choices, 3, OLD_ZONE, &["z1", "z2"]);
    }
    if !choices.rarely(4) {
        let region = choices.one(&NAMES);
        labels.insert(REGION.to_owned(), region.to_owned());
        if choices.below(2) == 0 {
            labels.insert(RESTRICTED.to_owned(), region.to_owned());
        }
    } else if choices.rarely(3) {
        labels.insert(RESTRICTED.to_owned(), choices.one(&NAMES).to_owned());
    }
    labels
}

/// Every providerID that makes a difference.
fn provider_ids() -> Vec<String> {
    let named = NAMES.map(|name| format!("gce://project/{name}-b/node"));
    let schemes = ["", "p://node", "q://node", "kind://node", "azure://node"];
    named.into_iter().chain(schemes.map(str::to_owned)).collect()
}

fn record(labels: &Labels, provider_id: &str) -> NodeRecord {
    let node =
        json!({"metadata": {"name": "n", "labels": labels}, "spec": {"providerID": provider_id}}).to_string();
    let view: NodeView<'_> = serde_json::from_str(&node).unwrap();
    view.record().unwrap().1
}

/// A node of the fleet.
struct Node {
    labels: Labels,
    record: NodeRecord,
}

impl Node {
    fn class<'s>(&self, snapshot: &'s Snapshot) -> &'s NodeClass {
        let of_record = |(_, class): &(_, &NodeClass)| class.record == self.record;
        snapshot.classes().find(of_record).unwrap().1
    }

    fn is_permitted(&self, assessment: &Assessment<'_>) -> bool {
        let class = self.class(assessment.snapshot);
        assessment.verdict.permits(class.place, class.region_is_confirmed)
    }
}

struct AdmissionWorld {
    set: Set,
    policies: Arc<PolicySet>,
    objects: Objects,
    /// Labels, each with every providerID.
    nodes: Vec<Vec<Node>>,
}

impl AdmissionWorld {
    fn draw(choices: &mut Choices) -> Self {
        let set = generate::set(choices);
        let set = if choices.below(2) == 0 {
            with_cloud(set)
        } else {
            set
        };
        let are_old_in_use = choices.rarely(4);
        let nodes = (0..LABELLINGS).map(|_| {
            let labels = labelling(choices, are_old_in_use);
            let ids = provider_ids().into_iter();
            ids.map(|id| Node {
                record: record(&labels, &id),
                labels: labels.clone(),
            })
            .collect()
        });
        Self {
            nodes: nodes.collect(),
            policies: Arc::new(written::load(&set)),
            objects: generate::objects(choices),
            set,
        }
    }

    fn snapshot<'n>(&self, nodes: impl IntoIterator<Item = &'n Node>) -> Snapshot {
        let mut fleet = written::fleet(&self.objects);
        let numbered = nodes.into_iter().enumerate();
        let named = numbered
            .map(|(number, node)| (NodeName::new(&format!("n{number}")).unwrap(), node.record.clone()));
        fleet.nodes = named.collect();
        written::snapshot(self.policies.clone(), fleet)
    }

    fn all(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten()
    }

    /// Whether labels say where a node of the catalogue is, so that they can be asked for the rest.
    fn labels_tell(&self, labels: &Labels, assessment: &Assessment<'_>) -> bool {
        let get = |key| labels.get(key).map(String::as_str);
        let contradicts = |new, old| get(new).is_some() && get(old).is_some() && get(new) != get(old);
        if contradicts(REGION, OLD_REGION) || contradicts(ZONE, OLD_ZONE) {
            return false;
        }
        let region = get(REGION).or(get(OLD_REGION));
        let is_catalogued = |provider| {
            let mut regions = self.set.regions.iter();
            regions.any(|known| known.provider == provider && Some(known.region) == region)
        };
        // A provider by label alone confirms no region that two providers share, and the label that confirms may
        // name another region: these are left to the extender.
        let is_confirmed = !assessment.verdict.needs_confirmed_region
            || get(RESTRICTED) == region && get(PROVIDER).is_none();
        get(PROVIDER).is_none_or(is_catalogued) && is_confirmed
    }
}

/// A pod that has been confined, as JSON.
fn with_terms(confined: &ConfinedPlaces) -> Value {
    let required = json!({"nodeSelectorTerms": confined.terms()});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}});
    json!({"spec": {"affinity": affinity}})
}

fn are_admitted(places: &PermittedPlaces, labels: &Labels) -> bool {
    match places {
        PermittedPlaces::Everywhere => true,
        PermittedPlaces::Nowhere => false,
        PermittedPlaces::Only(confined) => admits(&with_terms(confined), labels),
    }
}

#[test]
fn labels_admit_what_the_filter_permits_and_nothing_that_they_tell_apart() {
    hold(|choices| {
        let world = AdmissionWorld::draw(choices);
        let snapshot = world.snapshot(world.all());
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let pod = generate::pod(choices);
            let now = timestamp(generate::instant(choices));
            let assessment = assess(&snapshot, &written::pod(&pod), now);
            let places = permitted(&assessment, Growth::Catalogue);
            for nodes in &world.nodes {
                let labels = &nodes[0].labels;
                let some_permitted = nodes.iter().any(|node| node.is_permitted(&assessment));
                let admitted = are_admitted(&places, labels);
                let context = || {
                    format!(
                        "{labels:?}\n{places:#?}\n{pod:#?}\n{:#?}\n{:#?}",
                        world.objects, world.set
                    )
                };
                if some_permitted && !admitted {
                    return Err(format!("a permitted node is excluded: {}", context()));
                }
                if admitted && !some_permitted && world.labels_tell(labels, &assessment) {
                    return Err(format!("a refused node is admitted: {}", context()));
                }
            }
            tried += 1;
        }
        Ok(tried)
    });
}

#[test]
fn lists_that_keep_to_the_providers_of_a_fleet_leave_out_nodes_of_other_providers_alone() {
    hold(|choices| {
        let world = AdmissionWorld::draw(choices);
        let all = world.snapshot(world.all());
        let known = world.all().filter(|node| node.class(&all).region.is_some());
        let known: Vec<&Node> = known.collect();
        let fleet = choices.some(&known, 0, 3);
        let fleet = world.snapshot(fleet);
        let region = |class: &NodeClass| class.region.as_ref().map(|region| region.provider().to_owned());
        let providers: BTreeSet<Option<String>> = fleet.classes().map(|(_, class)| region(class)).collect();
        let has_old = fleet.classes().any(|(_, class)| class.record.has_legacy_labels);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let pod = generate::pod(choices);
            let now = timestamp(generate::instant(choices));
            let places = permitted(
                &assess(&fleet, &written::pod(&pod), now),
                Growth::ProvidersOfFleet,
            );
            let assessment = assess(&all, &written::pod(&pod), now);
            for node in world.all() {
                let class = node.class(&all);
                let may_come = providers.is_empty() || providers.contains(&region(class));
                let is_told = has_old || !class.record.has_legacy_labels;
                if may_come
                    && is_told
                    && node.is_permitted(&assessment)
                    && !are_admitted(&places, &node.labels)
                {
                    return Err(format!(
                        "a permitted node is excluded: {:?}\n{places:#?}\n{pod:#?}\n{:#?}\n{:#?}",
                        node.labels, world.objects, world.set
                    ));
                }
            }
            tried += 1;
        }
        Ok(tried)
    });
}

/// What a pod may ask of nodes itself.
fn own_affinity(choices: &mut Choices) -> Option<Value> {
    let expression = |choices: &mut Choices| {
        let key = choices.one(&[REGION, ZONE, PROVIDER, "disk"]);
        let operator = choices.one(&["In", "NotIn", "Exists", "DoesNotExist"]);
        let values = choices.some(&["r0", "r1", "r2", "z1", "p", "ssd"], 1, 3);
        match operator {
            "In" | "NotIn" => json!({"key": key, "operator": operator, "values": values}),
            _ => json!({"key": key, "operator": operator}),
        }
    };
    let term = |choices: &mut Choices| {
        let expressions: Vec<Value> = (0..choices.below(3)).map(|_| expression(choices)).collect();
        match choices.below(4) {
            0 => json!({}),
            1 => json!({"matchExpressions": null, "matchFields": null}),
            _ => json!({"matchExpressions": expressions}),
        }
    };
    let terms: Vec<Value> = (0..choices.below(4)).map(|_| term(choices)).collect();
    let preferred = json!([{"weight": 1, "preference": {"matchExpressions": [expression(choices)]}}]);
    Some(match choices.below(7) {
        0 => return None,
        1 => Value::Null,
        2 => json!({"podAntiAffinity": {}, "nodeAffinity": null}),
        3 => json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": null,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred}}),
        _ => {
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
            "preferredDuringSchedulingIgnoredDuringExecution": preferred}})
        }
    })
}

/// A generated pod as somebody submits it; mounts that a template makes are left out.
fn submitted(choices: &mut Choices, pod: &Pod) -> Value {
    let mut annotations = json!(annotations(&pod.says));
    if choices.rarely(3) {
        annotations["domicile.dev/admitted-places"] = json!("everywhere");
    }
    if choices.rarely(4) && annotations == json!({}) {
        annotations = Value::Null;
    }
    let mounts = pod.mounts.iter().filter(|mount| mount.template.is_none());
    let volumes =
        mounts.map(|mount| json!({"name": "v", "persistentVolumeClaim": {"claimName": mount.claim}}));
    let volumes: Vec<Value> = volumes.collect();
    let mut written = json!({
        "metadata": {"generateName": "p-", "annotations": annotations},
        "spec": {"volumes": volumes, "nodeSelector": {"disk": "ssd"}, "schedulerName": "default-scheduler"},
    });
    if let Some(affinity) = own_affinity(choices) {
        written["spec"]["affinity"] = affinity;
    }
    written
}

#[test]
fn a_patched_pod_asks_for_both_keeps_the_rest_and_is_patched_once() {
    let settings = AdmissionSettings {
        growth: Growth::Catalogue,
        ..AdmissionSettings::default()
    };
    hold(|choices| {
        let mut world = AdmissionWorld::draw(choices);
        world.set.observe = false;
        world.policies = Arc::new(written::load(&world.set));
        let snapshot = world.snapshot(world.all());
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let pod = generate::pod(choices);
            let namespace = NamespaceName::new(pod.namespace).unwrap();
            let before = submitted(choices, &pod);
            let now = timestamp(generate::instant(choices));
            let text = before.to_string();
            let read = SubmittedPod::read(&text, &namespace).map_err(|error| format!("{error}: {text}"))?;
            let mutation =
                mutate(&snapshot, &read, now, &settings).map_err(|error| format!("{error}: {text}"))?;
            let mut after = before.clone();
            let patch: json_patch::Patch = serde_json::from_value(json!(mutation.operations)).unwrap();
            json_patch::patch(&mut after, &patch).map_err(|error| format!("{error}: {patch:?}\n{text}"))?;
            let context = || format!("{text}\n{after}\n{:#?}\n{:#?}", world.objects, world.set);

            let again = after.to_string();
            let read = SubmittedPod::read(&again, &namespace).unwrap();
            let second = mutate(&snapshot, &read, now, &settings).unwrap();
            if !second.operations.is_empty() {
                return Err(format!("patched again by {:?}: {}", second.operations, context()));
            }
            let is_known = knows_all_facts(&mutation.assessment);
            let is_confined = mutation.outcome == MutateOutcome::Confined;
            if is_confined && !(is_governed(&mutation.assessment) && is_known) {
                return Err(format!("confined without a reason: {}", context()));
            }
            for node in world.all() {
                let ours = !is_confined || are_admitted(&mutation.places, &node.labels);
                let wanted = admits(&before, &node.labels) && ours;
                if admits(&after, &node.labels) != wanted {
                    return Err(format!(
                        "{:?} is not admitted by both alike: {}",
                        node.labels,
                        context()
                    ));
                }
            }
            // What is neither required affinity nor an annotation of ours stays.
            let rest = |pod: &Value| {
                let mut rest = pod.clone();
                if let Some(annotations) = rest["metadata"]["annotations"].as_object_mut() {
                    annotations.retain(|key, _| !key.starts_with("domicile.dev/admitted-"));
                }
                if rest["metadata"]["annotations"]
                    .as_object()
                    .is_none_or(serde_json::Map::is_empty)
                {
                    rest["metadata"]["annotations"] = Value::Null;
                }
                let preferred = rest
                    .pointer("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")
                    .cloned();
                let of_pods = rest.pointer("/spec/affinity/podAntiAffinity").cloned();
                rest["spec"]["affinity"] = json!([preferred, of_pods]);
                rest
            };
            if rest(&before) != rest(&after) {
                return Err(format!("something else changed: {}", context()));
            }
            tried += 1;
        }
        Ok(tried)
    });
}
