//! The checker of simulations against the engine: random worlds, the cases of the folder, what is shipped. The two
//! share no code, so where they differ one of them is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use domicile::assembly::{RuleTexts, SourceText, assemble};
use domicile::embedded;
use domicile::model::NodeName;
use domicile::objects::read_pod;
use domicile::placement::assess;
use domicile::simulation::RunFile;
use domicile::simulation::checker::{
    CheckedMount, CheckedNode, CheckedOwner, CheckedPod, CheckedStorage, Checker, Verdict,
};
use domicile::snapshot::Snapshot;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::choices::{Choices, hold};
use super::generate;
use super::world::*;
use super::written::{self, Engine, judge, timestamp};

/// How many pods and instants one set is tried with: reading is the dear part.
const PODS_PER_SET: usize = 24;

/// A provider that a providerID can name together with a region.
pub const CLOUD: &str = "gcp";

/// The world with the provider `p` called as a cloud.
pub fn with_cloud(mut set: Set) -> Set {
    let rename = |provider: &mut &'static str| {
        if *provider == "p" {
            *provider = CLOUD;
        }
    };
    for region in &mut set.regions {
        rename(&mut region.provider);
    }
    let replicas = set
        .data_sets
        .iter_mut()
        .flat_map(|data_set| &mut data_set.replicas);
    replicas
        .filter_map(|replica| replica.provider.as_mut())
        .for_each(rename);
    let ends = set.links.iter_mut().flat_map(|link| &mut link.ends);
    ends.for_each(|(provider, _)| rename(provider));
    set
}

/// A node that says where it is by these labels; `None` where no providerID can say so.
fn node(labels: Labels) -> Option<CheckedNode> {
    let mut node = CheckedNode::default();
    let stated = [
        ("topology.kubernetes.io/region", labels.region),
        ("topology.kubernetes.io/zone", labels.zone),
        (
            "domicile.node-restriction.kubernetes.io/region",
            labels.restricted,
        ),
    ];
    for (key, value) in stated {
        node.labels
            .extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    node.provider_id = match (labels.provider_id, labels.provider) {
        (Some((CLOUD, region)), _) => Some(format!("gce://project/{region}-b/node")),
        (Some(_), _) => return None,
        (None, provider) => provider.map(|provider| format!("{provider}://node")),
    };
    Some(node)
}

fn lists(stated: &Stated) -> BTreeMap<String, String> {
    let lists = [
        ("classification", &stated.classifications),
        ("categories", &stated.categories),
        ("subjects", &stated.subjects),
    ];
    let written = lists.into_iter().filter_map(|(key, list)| {
        let list = list.as_ref()?;
        Some((format!("domicile.dev/data-{key}"), list.join(",")))
    });
    written.collect()
}

pub fn annotations(says: &Says) -> BTreeMap<String, String> {
    let mut annotations = lists(&says.stated);
    let uses = says.data_sets.iter().map(|used| {
        let number = |word: &str, said: Option<bool>| {
            said.map_or_else(String::new, |some| format!(" {word}={}", u8::from(some)))
        };
        let (reads, writes) = (number("reads", used.reads), number("writes", used.writes));
        format!("{}:{reads}{writes}", used.name)
    });
    let uses: Vec<String> = uses.collect();
    if !uses.is_empty() {
        annotations.insert("domicile.dev/data-sets".to_owned(), uses.join("; "));
    }
    annotations
}

fn word(word: Option<&'static str>) -> Option<String> {
    word.map(str::to_owned)
}

fn know(checker: &mut Checker, objects: &Objects) {
    for namespace in objects.namespaces.iter().flatten() {
        let labels = namespace.labels.iter();
        let labels = labels.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let data = |word: &str| BTreeMap::from([("domicile.dev/data".to_owned(), word.to_owned())]);
        let says = match &namespace.says {
            NamespaceSays::Nothing => BTreeMap::new(),
            NamespaceSays::NoData => data("none"),
            NamespaceSays::ByWorkload => data("by-workload"),
            NamespaceSays::Profile(stated) => lists(stated),
        };
        checker.namespace(namespace.name, labels.collect(), says);
    }
    for class in objects.storage_classes.iter().flatten() {
        checker.storage_class(class.name, annotations(&class.says));
        if class.waits {
            checker.waiting_class(class.name);
        }
    }
    for volume in objects.volumes.iter().flatten() {
        let storage = CheckedStorage {
            storage_class: word(volume.storage_class),
            volume: None,
            annotations: annotations(&volume.says),
        };
        checker.volume(volume.name, storage);
    }
    for claim in objects.claims.iter().flatten() {
        let storage = CheckedStorage {
            storage_class: word(claim.storage_class),
            volume: word(claim.volume),
            annotations: annotations(&claim.says),
        };
        checker.claim(claim.namespace, claim.name, storage);
    }
}

fn pod(pod: &Pod) -> CheckedPod {
    let mounts = pod.mounts.iter().map(|mount| CheckedMount {
        claim: mount.claim.to_owned(),
        template: mount.template.as_ref().map(|template| CheckedStorage {
            storage_class: word(template.storage_class),
            volume: None,
            annotations: annotations(&template.says),
        }),
    });
    CheckedPod {
        namespace: pod.namespace.to_owned(),
        annotations: annotations(&pod.says),
        owner: pod.owner.map(|(kind, name)| CheckedOwner {
            kind: kind.to_owned(),
            name: name.to_owned(),
        }),
        mounts: mounts.collect(),
        replicates: pod.replicates,
    }
}

fn reader(documents: &[String]) -> Result<Checker, String> {
    let text = documents.join("\n---\n");
    Checker::read(&[("set.yaml", &text)])
}

/// Whether a verdict says that the places of data permit a node, whatever the ways to it.
fn permits_place(verdict: &Verdict) -> bool {
    verdict.breach().is_none_or(|breach| breach.rule == "no-route")
}

#[test]
fn the_checker_permits_the_same_places_as_the_engine() {
    hold(|choices| {
        let world = with_cloud(generate::set(choices));
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        let checker = reader(&written::documents(&world))?;
        for _ in 0..PODS_PER_SET {
            let objects = generate::objects(choices);
            let (tried, now) = (generate::pod(choices), generate::instant(choices));
            let judged = judge(&engine.set, &written::fleet(&objects), &tried, now);
            let mut checker = checker.clone();
            know(&mut checker, &objects);
            let asked = pod(&tried);
            for (number, labels) in labels.iter().enumerate() {
                let Some(node) = node(*labels) else {
                    continue;
                };
                let verdict = checker.check(&asked, &node, timestamp(now));
                let is_permitted = engine.permits(&judged.verdict, number);
                if permits_place(&verdict) != is_permitted {
                    return Err(format!(
                        "at {labels:?} the engine says {is_permitted} and the checker {verdict:?}\nnow: {now}\n\
                         {tried:#?}\n{objects:#?}\n{world:#?}"
                    ));
                }
                let observes = matches!(verdict, Verdict::Observed(_));
                if verdict.breach().is_some() && observes != world.observe {
                    return Err(format!("{verdict:?} where observing is {}", world.observe));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}

/// With the ways to data, which are decided where latencies are known.
#[test]
fn the_checker_closes_the_same_ways_as_the_filter() {
    hold(|choices| {
        let world = with_cloud(generate::set(choices));
        let mut rules = world.policies.iter().flat_map(|policy| &policy.rules);
        if !rules.any(|rule| matches!(rule.demand, Demand::Transit(..))) {
            return Ok(0);
        }
        let labels = labels(&world);
        let set = Arc::new(written::load(&world));
        let checker = reader(&written::documents(&world))?;
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let objects = generate::objects(choices);
            let now = generate::instant(choices);
            let mut one = generate::pod(choices);
            // Of a real pod only its claims tell that it is a new copy.
            one.replicates = false;
            let mut fleet = written::fleet(&objects);
            for (number, labels) in labels.iter().enumerate() {
                let name = NodeName::new(&format!("host-{number}")).unwrap();
                fleet.nodes.insert(name, written::node(*labels));
            }
            let snapshot = written::snapshot(set.clone(), fleet);
            let assessment = assess(&snapshot, &written::pod(&one), timestamp(now));
            let mut checker = checker.clone();
            know(&mut checker, &objects);
            let asked = pod(&one);
            for (number, labels) in labels.iter().enumerate() {
                let Some(node) = node(*labels) else {
                    continue;
                };
                let verdict = checker.check(&asked, &node, timestamp(now));
                let class = snapshot.class_of(format!("host-{number}").as_bytes());
                let is_permitted = assessment.permits(class);
                if (verdict == Verdict::Permitted) != is_permitted {
                    return Err(format!(
                        "at {labels:?} the filter says {is_permitted} and the checker {verdict:?}\nnow: {now}\n\
                         {one:#?}\n{objects:#?}\n{world:#?}"
                    ));
                }
                let is_closed = verdict.breach().is_some_and(|breach| breach.rule == "no-route");
                tried += usize::from(is_closed);
            }
        }
        Ok(tried)
    });
}

#[test]
fn a_period_ends_where_a_verdict_may() {
    hold(|choices: &mut Choices| {
        let world = with_cloud(generate::set(choices));
        let labels = labels(&world);
        let checker = reader(&written::documents(&world))?;
        for _ in 0..PODS_PER_SET {
            let mut checker = checker.clone();
            know(&mut checker, &generate::objects(choices));
            let asked = pod(&generate::pod(choices));
            let (one, other) = (generate::instant(choices), generate::instant(choices));
            let (one, other) = (timestamp(one), timestamp(other));
            if checker.period(one) != checker.period(other) {
                continue;
            }
            for node in labels.iter().filter_map(|labels| node(*labels)) {
                let verdicts = [one, other].map(|at| checker.check(&asked, &node, at));
                if verdicts[0] != verdicts[1] {
                    return Err(format!("{one} and {other}: {verdicts:?}\n{asked:#?}\n{world:#?}"));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}

/// What the checker permits of a cluster as it is printed, by the names of nodes.
pub fn permitted(
    documents: &[(&str, &str)],
    cluster: &Value,
    pod: &Value,
    at: Timestamp,
) -> BTreeSet<String> {
    let mut checker = Checker::read(documents).unwrap();
    checker.know(cluster);
    let asked = CheckedPod::of_manifest(pod);
    let items = cluster["items"].as_array().unwrap().iter();
    let nodes = items.filter(|item| item["kind"] == "Node");
    let permitted = nodes.filter(|node| {
        let node = CheckedNode::of_manifest(node);
        checker.check(&asked, &node, at).breach().is_none()
    });
    permitted
        .map(|node| node["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A set, data sets and a fleet, for the engine and for the checker.
struct Cluster {
    snapshot: Snapshot,
    checker: Checker,
    items: Vec<Value>,
}

impl Cluster {
    fn new(policies: &[SourceText], data_sets: &[SourceText], latency: &[SourceText], fleet: &str) -> Self {
        let rules = RuleTexts {
            policies: policies.to_vec(),
            data_sets: data_sets.to_vec(),
            latency: latency.to_vec(),
        };
        let (inputs, _) = assemble(&rules, &SourceText::new("fleet.yaml", fleet)).unwrap();
        let documents: Vec<(&str, &str)> = policies
            .iter()
            .chain(data_sets)
            .map(|source| (source.name.as_str(), source.text.as_str()))
            .collect();
        let mut checker = Checker::read(&documents).unwrap();
        let objects: Vec<Value> = serde_saphyr::from_multiple(fleet).unwrap();
        for object in &objects {
            checker.know(object);
        }
        let items = objects.into_iter().flat_map(|object| match object.get("items") {
            Some(items) => items.as_array().unwrap().clone(),
            None => vec![object],
        });
        Self {
            snapshot: Snapshot::new(inputs),
            checker,
            items: items.collect(),
        }
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let items = self.items.iter();
        items.filter(move |item| item["kind"] == kind)
    }

    /// How many nodes forbid a pod, where the two agree about each.
    fn forbidden(&self, pod: &Value, at: &str) -> usize {
        let at: Timestamp = at.parse().unwrap();
        let requirements = read_pod(&pod.to_string(), "pod").unwrap();
        let assessment = assess(&self.snapshot, &requirements, at);
        let asked = CheckedPod::of_manifest(pod);
        let mut forbidden = 0;
        for node in self.of_kind("Node") {
            let verdict = self.checker.check(&asked, &CheckedNode::of_manifest(node), at);
            let name = node["metadata"]["name"].as_str().unwrap();
            let class = self.snapshot.class_of(name.as_bytes());
            let is_permitted = verdict.breach().is_none();
            assert_eq!(
                is_permitted,
                assessment.permits(class),
                "{} on {name} at {at}: {verdict:?}",
                requirements.name
            );
            forbidden += usize::from(!is_permitted);
        }
        forbidden
    }
}

fn embedded(texts: &[(&str, &str)]) -> Vec<SourceText> {
    let texts = texts.iter();
    texts.map(|(name, text)| SourceText::new(*name, *text)).collect()
}

/// Every YAML file below a folder of the repository.
fn folder(name: &str) -> Vec<SourceText> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(name)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push(SourceText::new(path.to_str().unwrap(), text));
        }
    }
    found.sort();
    found
}

/// The nodes and namespaces that a run makes up, as kubectl would print them.
fn fleet_text(run: &RunFile) -> String {
    let namespaces = run.fleet.namespaces.iter().map(|namespace| {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": namespace.name, "labels": namespace.labels, "annotations": namespace.annotations}})
    });
    let mut items: Vec<Value> = namespaces.collect();
    for group in &run.fleet.nodes {
        let (provider, region) = group.region.split_once('/').unwrap();
        for zone in &group.zones {
            for number in 0..group.nodes_per_zone {
                items.push(json!({"apiVersion": "v1", "kind": "Node", "metadata": {
                "name": format!("{provider}-{zone}-{number}"),
                "labels": {
                    "domicile.dev/provider": provider,
                    "topology.kubernetes.io/region": region,
                    "topology.kubernetes.io/zone": zone,
                }}}));
            }
        }
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

#[test]
fn the_checker_agrees_about_every_workload_of_the_quickstart() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations/quickstart/run.yaml");
    let run = RunFile::read("run.yaml", &fs::read_to_string(path).unwrap()).unwrap();
    let cluster = Cluster::new(
        &embedded(embedded::policies()),
        &embedded(&[embedded::data_sets()]),
        &embedded(&[embedded::latency()]),
        &fleet_text(&run),
    );
    let nodes = cluster.of_kind("Node").count();
    let mut by_workload: BTreeMap<String, usize> = BTreeMap::new();
    for workload in &run.workloads {
        let metadata = json!({
            "name": workload.name, "namespace": workload.namespace, "annotations": workload.annotations,
        });
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}});
        let forbidden = cluster.forbidden(&pod, "2026-11-21T00:00:00Z");
        by_workload.insert(format!("{}/{}", workload.namespace, workload.name), forbidden);
    }
    assert_eq!(by_workload["tools/builds"], 0);
    assert_eq!(
        (by_workload["loyalty-cn/pilot"], by_workload["analytics/import"]),
        (nodes, nodes)
    );
    let of_shop = by_workload["shop/checkout"];
    assert!(0 < of_shop && of_shop < nodes, "{by_workload:?}");
}

#[test]
fn the_checker_agrees_about_the_worked_example_at_every_date() {
    let fleet = folder("examples/worked/fleet.yaml").remove(0).text;
    let cluster = Cluster::new(
        &folder("examples/worked/policies"),
        &[],
        &embedded(&[embedded::latency()]),
        &fleet,
    );
    let pods: Vec<&Value> = cluster.of_kind("Pod").collect();
    assert_eq!(pods.len(), 5);
    for pod in pods {
        let forbidden = [
            "2026-10-31T23:59:59Z",
            "2026-11-01T00:00:00Z",
            "2026-11-21T12:00:00Z",
            "2027-03-01T23:59:59Z",
            "2027-03-02T12:00:00Z",
            "2027-03-31T23:59:59Z",
            "2027-04-01T00:00:00Z",
            "2031-01-01T00:00:00Z",
        ]
        .map(|at| cluster.forbidden(pod, at));
        let is_open = pod["metadata"]["namespace"] == "storefront";
        assert_eq!(
            forbidden.iter().all(|nodes| *nodes == 0),
            is_open,
            "{forbidden:?}"
        );
    }
}

#[test]
fn the_checker_agrees_about_the_example_of_routes() {
    let text = |name: &str| folder(&format!("examples/routes/{name}")).remove(0);
    let cluster = Cluster::new(
        &[text("policies.yaml")],
        &[],
        &[text("latency.csv")],
        &text("fleet.yaml").text,
    );
    let mut forbidden = 0;
    for file in ["pods/invoices.yaml", "pods/parcels.yaml"] {
        let pod: Value = serde_saphyr::from_str(&text(file).text).unwrap();
        forbidden += cluster.forbidden(&pod, "2026-11-21T12:00:00Z");
    }
    assert!(forbidden > 0);
}

/// A pod where it must not be is found, in a sentence that names the rule, the place and the data.
#[test]
fn a_wrong_placement_is_told_in_a_plain_sentence() {
    let fleet = folder("examples/worked/fleet.yaml").remove(0).text;
    let cluster = Cluster::new(
        &folder("examples/worked/policies"),
        &[],
        &embedded(&[embedded::latency()]),
        &fleet,
    );
    let told = |namespace: &str, node: &str| {
        let pod = cluster
            .of_kind("Pod")
            .find(|pod| pod["metadata"]["namespace"] == namespace);
        let node = cluster
            .of_kind("Node")
            .find(|item| item["metadata"]["name"] == node);
        let (pod, node) = (
            CheckedPod::of_manifest(pod.unwrap()),
            CheckedNode::of_manifest(node.unwrap()),
        );
        let at = "2026-11-21T12:00:00Z".parse().unwrap();
        match cluster.checker.check(&pod, &node, at) {
            Verdict::Forbidden(breach) => breach.sentence,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        told("fraud", "aws-use1-1"),
        "`eea-personal-data/place` allows only group/EEA and the node is aws/us-east-1 in US: \
         confidential data of category personal about people of DE by its namespace"
    );
    assert_eq!(
        told("tools", "aws-use1-1"),
        "data that nobody labelled is confined to group/EEA and the node is aws/us-east-1 in US"
    );
    assert!(told("clinic", "aws-euw1-1").starts_with("`au-health-records/place` allows only AU"));
    assert!(told("payments", "azure-eus-1").starts_with("`card-data/attested` requires facts"));
}
