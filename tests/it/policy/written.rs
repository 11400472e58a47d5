//! A test world as the engine takes it: policies as YAML (JSON is YAML), objects as values of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domicile::model::{
    AccessProfile, ByName, Category, ClaimKey, Classification, Country, DataSetName, DataSetUse, DataSets,
    Dimension, Fleet, Locality, NamespaceName, NodeName, NodeRecord, Owner, PodRequirements,
    RESTRICTED_REGION_LABEL, RegionReference, RequestsPerCall, SourceAnnotations, StatedData, StatedProfile,
    Statistic, Subdivision, Subject, VolumeBinding, VolumeMount,
};
use domicile::policy::{Activity, PlaceIndex, PolicySet, Profile, Verdict, evaluate, profile};
use domicile::snapshot::{Inputs, RunningFacts, Snapshot};
use domicile::topology::{LatencyTable, Measurements};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::world::*;

/// The instant so many hours after the beginning of 2026.
pub fn timestamp(hours: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(hours)
}

fn date(day: i64) -> String {
    timestamp(day * 24).to_string()[.."2026-01-01".len()].to_owned()
}

/// An object of the parts that are present.
fn object(parts: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let present = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn some<T: serde::Serialize>(value: &Option<T>) -> Option<Value> {
    value.as_ref().map(|value| json!(value))
}

fn document(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "domicile.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn facts(facts: &Facts) -> Vec<(&'static str, Option<Value>)> {
    let operator = facts.operator.as_ref().map(|operator| {
        object([
            ("legalEntity", some(&operator.legal_entity)),
            ("controlledFrom", some(&operator.controlled_from)),
            ("adminAccessFrom", some(&operator.admin_access_from)),
        ])
    });
    let certifications = facts.certifications.as_ref().map(|held| {
        let held = held.iter().map(|held| {
            object([
                ("scheme", Some(json!(held.scheme))),
                ("level", some(&held.level)),
                ("validUntil", held.valid_until.map(|day| json!(date(day)))),
            ])
        });
        Value::Array(held.collect())
    });
    vec![
        ("operator", operator),
        ("certifications", certifications),
        ("keyCustody", some(&facts.key_custody)),
        ("tenancy", some(&facts.tenancy)),
    ]
}

fn requirement(requirement: &Requirement) -> Value {
    let operator = object([
        ("legalEntity", some(&requirement.legal_entity)),
        ("controlledFrom", some(&requirement.controlled_from)),
        ("adminAccessFrom", some(&requirement.admin_access_from)),
    ]);
    let names_operator = operator != json!({});
    let certifications = requirement.certifications.as_ref().map(|wanted| {
        let wanted = wanted.iter().map(|(scheme, level, days)| {
            object([
                ("scheme", Some(json!(scheme))),
                ("level", some(level)),
                ("validAtLeastDays", Some(json!(days))),
            ])
        });
        Value::Array(wanted.collect())
    });
    object([
        ("operator", names_operator.then_some(operator)),
        ("certifications", certifications),
        ("keyCustody", some(&requirement.key_custody)),
        ("tenancy", some(&requirement.tenancy)),
    ])
}

fn data_selector(data: &DataSelector) -> Value {
    object([
        (
            "classification",
            data.at_least.map(|word| json!({"atLeast": word})),
        ),
        ("categories", some(&data.categories)),
        ("subjects", some(&data.subjects)),
    ])
}

fn block(block: &Block) -> Value {
    let data = block.data.as_ref().map(data_selector);
    let labels = block.labels.as_ref().map(|labels| {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        json!({"matchLabels": labels})
    });
    object([
        ("data", data),
        ("namespaces", labels),
        ("storageClasses", some(&block.storage_classes)),
        ("dataSets", some(&block.data_sets)),
    ])
}

fn policy(policy: &Policy) -> Value {
    let rules = policy.rules.iter().map(|rule| {
        let (word, demand) = match &rule.demand {
            Demand::Allowed(places) => ("allowed", json!(places)),
            Demand::Denied(places) => ("denied", json!(places)),
            Demand::Required(wanted) => ("required", requirement(wanted)),
            Demand::PrimaryMustBeIn(places) => ("writes", json!({"primaryMustBeIn": places})),
            Demand::FromReplicaIn(places) => ("reads", json!({"fromReplicaIn": places})),
            Demand::NoneOutside(places) => ("replica", json!({"noneOutside": places})),
            Demand::MustExistIn(places) => ("replica", json!({"mustExistIn": places})),
            Demand::Transit(places, unknown) => {
                ("transit", json!({"forbid": places, "whenPathUnknown": unknown}))
            }
        };
        object([
            ("id", Some(json!(rule.id))),
            ("activities", some(&rule.activities)),
            (word, Some(demand)),
        ])
    });
    let rules: Vec<Value> = rules.collect();
    let applies_to = match policy.blocks.as_slice() {
        [only] => block(only),
        several => json!({"anyOf": several.iter().map(block).collect::<Vec<_>>()}),
    };
    let spec = object([
        ("title", Some(json!("a title"))),
        (
            "owner",
            Some(json!({"team": "a", "contact": format!("{}@corp.example", policy.name)})),
        ),
        ("legalBasis", Some(json!([{"cite": "a law"}]))),
        ("mode", Some(json!(policy.mode))),
        (
            "effective",
            policy.effective_from.map(|day| json!({"from": date(day)})),
        ),
        ("enforceFrom", policy.enforce_from.map(|day| json!(date(day)))),
        ("appliesTo", Some(applies_to)),
        (
            "exceptions",
            Some(json!({"allowed": true, "approvers": ["boss@corp.example"]})),
        ),
        ("rules", Some(Value::Array(rules))),
    ]);
    document("PlacementPolicy", policy.name, spec)
}

fn exception(exception: &Exception) -> Value {
    let scope = object([
        ("namespace", Some(json!(exception.namespace))),
        ("locations", Some(json!(exception.locations))),
        ("data", Some(data_selector(&exception.data))),
        (
            "workload",
            exception
                .workload
                .map(|(kind, name)| json!(format!("{kind}/{name}"))),
        ),
    ]);
    let spec = json!({
        "relaxes": {"policy": exception.policy, "rule": exception.rule},
        "scope": scope,
        "category": "waiver",
        "reason": "a reason",
        "requestedBy": "somebody@corp.example",
        "approvedBy": "boss@corp.example",
        "ticket": "T-1",
        "notBefore": date(exception.not_before),
        "expires": date(exception.expires),
    });
    document("PlacementException", exception.name, spec)
}

fn region_key(key: RegionKey) -> Value {
    match key {
        RegionKey::Topology => json!("topology"),
        RegionKey::ProviderId => json!("provider-id"),
        RegionKey::NodeRestriction(from) => {
            json!({"nodeRestriction": RESTRICTED_REGION_LABEL, "from": from})
        }
    }
}

fn replica(replica: &Replica) -> Value {
    let region = match replica.provider {
        Some(provider) => format!("{provider}/{}", replica.region),
        None => replica.region.to_owned(),
    };
    object([
        ("region", Some(json!(region))),
        ("zone", some(&replica.zone)),
        ("role", Some(json!(replica.role))),
    ])
}

fn link(link: &Link) -> Value {
    let [from, to] = link.ends.map(|(provider, region)| format!("{provider}/{region}"));
    let spec = json!({
        "from": from, "to": to, "countries": link.countries, "provider": "a carrier", "asOf": "2026-01-01",
    });
    document("NetworkLink", link.name, spec)
}

/// The documents of a set.
pub fn documents(set: &Set) -> Vec<String> {
    let mut documents = Vec::new();
    let unlabelled = match &set.unlabelled {
        Unlabelled::Allow => json!("allow"),
        Unlabelled::Deny => json!("deny"),
        Unlabelled::ConfineTo(places) => json!({"confineTo": places}),
    };
    documents.push(document(
        "PolicySettings",
        "settings",
        json!({
            "mode": if set.observe { "observe" } else { "enforce" },
            "uncovered": if set.uncovered_is_allowed { "allow" } else { "deny" },
            "unlabelled": unlabelled,
            "exemptNamespaces": set.exempt,
            "regionKey": region_key(set.region_key),
            "maxFactAge": set.max_fact_age.iter()
                .map(|(classification, days)| ((*classification).to_owned(), json!(format!("{days}d"))))
                .collect::<Map<_, _>>(),
        }),
    ));
    for region in &set.regions {
        let zones = region
            .zone
            .as_ref()
            .map(|zone| json!({"z1": object(facts(zone))}));
        let mut parts = facts(&region.facts);
        parts.extend([
            ("provider", Some(json!(region.provider))),
            ("region", Some(json!(region.region))),
            ("country", Some(json!(region.country))),
            ("subdivision", some(&region.subdivision)),
            ("zones", zones),
            ("source", Some(json!({"cite": "x", "asOf": date(region.as_of)}))),
        ]);
        let name = format!("{}.{}", region.provider, region.region);
        documents.push(document("Region", &name, object(parts)));
    }
    for group in &set.groups {
        let members = group.members.iter().map(|member| {
            let (word, place) = match member.place.strip_prefix("group/") {
                Some(group) => ("group", group),
                None if member.place.contains('-') => ("subdivision", member.place),
                None => ("country", member.place),
            };
            object([
                (word, Some(json!(place))),
                ("from", member.from.map(|day| json!(date(day)))),
                ("until", member.until.map(|day| json!(date(day)))),
                ("required", member.required.as_ref().map(requirement)),
            ])
        });
        let members: Vec<Value> = members.collect();
        let spec = json!({"asOf": "2026-01-01", "reviewBy": "2030-01-01", "source": "x", "members": members});
        documents.push(document("JurisdictionGroup", group.name, spec));
    }
    documents.extend(set.policies.iter().map(policy));
    for data_set in &set.data_sets {
        let spec = json!({
            "profile": {
                "classification": data_set.classification,
                "categories": data_set.categories,
                "subjects": data_set.subjects,
            },
            "consistency": "strict",
            "replicas": data_set.replicas.iter().map(replica).collect::<Vec<_>>(),
        });
        documents.push(document("DataSet", data_set.name, spec));
    }
    documents.extend(set.exceptions.iter().map(exception));
    documents.extend(set.links.iter().map(link));
    documents.iter().map(Value::to_string).collect()
}

/// What rules on transit take away, line by line as the naive evaluator says it.
pub fn ways(set: &PolicySet, judged: &Judged) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for binding in &judged.verdict.transit {
        let rule = set.rule_name(binding.rule).unwrap();
        let profile = &set.transit_profiles()[binding.profile.as_usize()];
        let named = binding.data_sets.iter();
        let named = named.map(|number| judged.profile.data_sets[*number].name.to_string());
        let more = binding.may_bind_more.then(|| "?".to_owned());
        for name in named.chain(more) {
            let head = format!("{rule} {} {name}", binding.mode.word());
            let links = set.definitions().links.iter().zip(&profile.forbidden_links);
            let links = links.filter(|(_, taken)| **taken);
            lines.extend(links.map(|(link, _)| format!("{head}: link {}", link.name)));
            let regions = profile.forbidden_regions.iter();
            lines.extend(regions.map(|region| format!("{head}: region {region}")));
            lines.extend(profile.undeclared_is_taken.then(|| format!("{head}: undeclared")));
        }
    }
    lines
}

/// Loads documents that stand in one file.
pub fn load_documents(documents: &[String]) -> PolicySet {
    let text = documents.join("\n---\n");
    match PolicySet::load([("set.yaml", text.as_str())]) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{}\n{text}", findings[0]),
    }
}

/// Loads a set.
pub fn load(set: &Set) -> PolicySet {
    load_documents(&documents(set))
}

fn subject(word: &str) -> Dimension<Subject> {
    match word {
        "none" => Dimension::None,
        _ if word.contains('-') => Dimension::Is(Subject::Subdivision(Subdivision::new(word).unwrap())),
        _ => Dimension::Is(Subject::Country(Country::new(word).unwrap())),
    }
}

fn stated(stated: &Stated) -> StatedProfile {
    let category = |word: &&str| match *word {
        "none" => Dimension::None,
        word => Dimension::Is(Category::from_word(word).unwrap()),
    };
    let classification = |word: &&str| Classification::from_word(word).unwrap();
    StatedProfile {
        classifications: stated
            .classifications
            .as_ref()
            .map(|words| words.iter().map(classification).collect()),
        categories: stated
            .categories
            .as_ref()
            .map(|words| words.iter().map(category).collect()),
        subjects: stated
            .subjects
            .as_ref()
            .map(|words| words.iter().map(|word| subject(word)).collect()),
    }
}

fn annotations(says: &Says) -> SourceAnnotations {
    let requests =
        |said: Option<bool>| said.map(|some| RequestsPerCall::new(if some { 2.0 } else { 0.0 }).unwrap());
    let data_sets = says.data_sets.iter().map(|used| DataSetUse {
        name: DataSetName::new(used.name).unwrap(),
        reads: requests(used.reads),
        writes: requests(used.writes),
    });
    SourceAnnotations {
        data: None,
        profile: stated(&says.stated),
        access: AccessProfile {
            data_sets: data_sets.collect(),
            ..AccessProfile::default()
        },
        malformed: Vec::new(),
    }
}

fn word(word: Option<&'static str>) -> Option<Arc<str>> {
    word.map(Arc::from)
}

/// The objects of a cluster, without nodes.
pub fn fleet(objects: &Objects) -> Fleet {
    let namespace = |namespace: &Namespace| {
        let (data, lists) = match &namespace.says {
            NamespaceSays::Nothing => (None, Stated::default()),
            NamespaceSays::NoData => (Some(StatedData::NoData), Stated::default()),
            NamespaceSays::ByWorkload => (Some(StatedData::ByWorkload), Stated::default()),
            NamespaceSays::Profile(stated) => (None, stated.clone()),
        };
        let labels = namespace.labels.iter();
        let read = domicile::model::Namespace {
            labels: labels
                .map(|(key, value)| (Arc::from(*key), Arc::from(*value)))
                .collect(),
            annotations: SourceAnnotations {
                data,
                profile: stated(&lists),
                ..SourceAnnotations::default()
            },
        };
        (NamespaceName::new(namespace.name).unwrap(), read)
    };
    let class = |class: &StorageClass| {
        let annotations = annotations(&class.says);
        (
            Arc::from(class.name),
            domicile::model::StorageClass {
                annotations,
                binding: match class.waits {
                    true => VolumeBinding::FirstConsumer,
                    false => VolumeBinding::Immediate,
                },
            },
        )
    };
    let volume = |volume: &Volume| {
        let read = domicile::model::Volume {
            annotations: annotations(&volume.says),
            storage_class: word(volume.storage_class),
            spots: Vec::new(),
        };
        (Arc::from(volume.name), read)
    };
    let claim = |claim: &Claim| {
        let key = ClaimKey {
            namespace: NamespaceName::new(claim.namespace).unwrap(),
            name: Arc::from(claim.name),
        };
        let read = domicile::model::Claim {
            annotations: annotations(&claim.says),
            storage_class: word(claim.storage_class),
            volume: word(claim.volume),
        };
        (key, read)
    };
    Fleet {
        nodes: ByName::new(),
        namespaces: objects
            .namespaces
            .as_ref()
            .map(|all| all.iter().map(namespace).collect()),
        claims: objects.claims.as_ref().map(|all| all.iter().map(claim).collect()),
        volumes: objects
            .volumes
            .as_ref()
            .map(|all| all.iter().map(volume).collect()),
        storage_classes: objects
            .storage_classes
            .as_ref()
            .map(|all| all.iter().map(class).collect()),
    }
}

/// A pod.
pub fn pod(pod: &Pod) -> PodRequirements {
    let mount = |mount: &Mount| match &mount.template {
        None => VolumeMount::Claim(Arc::from(mount.claim)),
        Some(template) => VolumeMount::Ephemeral {
            claim: Arc::from(mount.claim),
            storage_class: word(template.storage_class),
            annotations: Box::new(annotations(&template.says)),
        },
    };
    PodRequirements {
        namespace: NamespaceName::new(pod.namespace).unwrap(),
        name: "pod".to_owned(),
        uid: "uid".to_owned(),
        owner: pod.owner.map(|(kind, name)| Owner {
            kind: kind.to_owned(),
            name: name.to_owned(),
        }),
        labels: BTreeMap::new(),
        annotations: annotations(&pod.says),
        volumes: pod.mounts.iter().map(mount).collect(),
        node: None,
        scheduler: Arc::from("default-scheduler"),
        admitted_places: None,
    }
}

/// A node, by its labels and its providerID.
pub fn node(labels: Labels) -> NodeRecord {
    let key =
        |provider, region| RegionReference::Key(domicile::model::RegionKey::new(provider, region).unwrap());
    let reference = |region: &'static str| match labels.provider {
        Some(provider) => key(provider, region),
        None => RegionReference::Bare(Arc::from(region)),
    };
    NodeRecord {
        locality: Locality {
            cluster: None,
            region: labels.region.map(reference),
            zone: word(labels.zone),
        },
        restricted_region: labels.restricted.map(reference),
        provider_id_region: labels.provider_id.map(|(provider, region)| key(provider, region)),
        has_legacy_labels: false,
    }
}

/// A set and the nodes that it is tried with.
pub struct Engine {
    pub set: Arc<PolicySet>,
    nodes: Vec<(PlaceIndex, bool)>,
}

impl Engine {
    /// Loads a set and finds the places of nodes as a snapshot does.
    pub fn new(set: PolicySet, labels: &[Labels]) -> Self {
        let set = Arc::new(set);
        let name = |number: usize| NodeName::new(&format!("host-{number}")).unwrap();
        let nodes = labels.iter().enumerate();
        let fleet = Fleet {
            nodes: nodes
                .map(|(number, labels)| (name(number), node(*labels)))
                .collect(),
            ..Fleet::default()
        };
        let snapshot = snapshot(set.clone(), fleet);
        let nodes = (0..labels.len()).map(|number| {
            let class = snapshot.class_of(name(number).as_str().as_bytes()).unwrap();
            let class = snapshot.class(class).unwrap();
            (class.place, class.region_is_confirmed)
        });
        Self {
            nodes: nodes.collect(),
            set,
        }
    }

    pub fn of(world: &Set, labels: &[Labels]) -> Self {
        Self::new(load(world), labels)
    }

    /// Whether a verdict permits the node of so many.
    pub fn permits(&self, verdict: &Verdict, node: usize) -> bool {
        let (place, is_confirmed) = self.nodes[node];
        verdict.permits(place, is_confirmed)
    }

    pub fn permits_without_exceptions(&self, verdict: &Verdict, node: usize) -> bool {
        let (place, is_confirmed) = self.nodes[node];
        verdict.permits_without_exceptions(place, is_confirmed)
    }
}

pub fn snapshot(set: Arc<PolicySet>, fleet: Fleet) -> Snapshot {
    let coordinates = set.catalogue().coordinates();
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet),
        fleet_version: "1".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
        policies: set,
        data_sets: Arc::default(),
        data_sets_version: "1".to_owned(),
        latency: Arc::new(LatencyTable::build(
            &Measurements::default(),
            &coordinates,
            Statistic::P50,
        )),
    })
}

/// What the engine makes of a pod.
pub struct Judged {
    pub profile: Profile,
    pub verdict: Verdict,
}

/// Asks the engine.
pub fn judge(set: &PolicySet, fleet: &Fleet, pod: &Pod, hours: i64) -> Judged {
    let now = timestamp(hours);
    let declared = set.data_sets().iter();
    let data_sets: DataSets = declared
        .map(|(name, data_set)| (name.clone(), Arc::new(data_set.clone())))
        .collect();
    let facts = domicile::policy::Facts {
        fleet,
        data_sets: &data_sets,
        definitions: set.definitions(),
        catalogue: set.catalogue(),
    };
    let mut profile = profile(facts, &self::pod(pod), now);
    if pod.replicates {
        // Nothing tells of a real pod yet that it is a member of a data set.
        profile.performs = profile.performs.with(Activity::Replicate);
    }
    let verdict = evaluate(set, &profile, now);
    Judged { profile, verdict }
}
