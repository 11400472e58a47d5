//! `tests/cases/*.yaml`: small worlds in the words of a compliance officer, and what becomes of their pods.
//!
//! A file says what it is about, then its policies (each with an owner of the same name), groups, data sets
//! and objects, then its cases. `permitted` lists regions, or is `everywhere`, `catalogued` (everywhere but
//! the node without a region) or `nowhere`; `reasons` are what refuses some node, with the mode where it
//! does not enforce; `exceptions` are those without which fewer places were permitted, and `without` is what
//! would be permitted without them; `ways` are what rules on transit take away. What a case does not mention is
//! not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use domicile::model::Statistic;
use domicile::objects::{read_fleet, read_pod};
use domicile::placement::{Assessment, assess};
use domicile::policy::{Cause, Mode, PolicySet};
use domicile::snapshot::{Inputs, RunningFacts, Snapshot};
use domicile::topology::{LatencyTable, Measurements};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

type Named<T> = BTreeMap<String, T>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CaseFile {
    about: String,
    #[serde(default)]
    settings: Named<Value>,
    #[serde(default)]
    policies: Named<Named<Value>>,
    #[serde(default)]
    groups: Named<Named<Value>>,
    #[serde(default)]
    data_sets: Named<Value>,
    #[serde(default)]
    exceptions: Named<Named<Value>>,
    #[serde(default)]
    links: Named<Named<Value>>,
    /// Nodes beside the one of each region.
    #[serde(default)]
    nodes: Named<Node>,
    #[serde(default)]
    namespaces: Named<Metadata>,
    #[serde(default)]
    storage_classes: Named<Metadata>,
    #[serde(default)]
    volumes: Named<Storage>,
    #[serde(default)]
    claims: Named<Storage>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    #[serde(default)]
    labels: Named<String>,
    #[serde(default)]
    annotations: Named<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Node {
    #[serde(default)]
    labels: Named<String>,
    provider_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Storage {
    storage_class: Option<String>,
    volume: Option<String>,
    #[serde(default)]
    annotations: Named<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    at: Option<String>,
    pod: Pod,
    permitted: Permitted,
    sentence: Option<String>,
    reasons: Option<Vec<String>>,
    tuples: Option<Vec<String>>,
    governed: Option<bool>,
    exceptions: Option<Vec<String>>,
    without: Option<Permitted>,
    /// What rules on transit take away, such as `orders: link north by routes/route`.
    ways: Option<BTreeSet<String>>,
    /// Whether everything passes although it is not permitted.
    #[serde(default)]
    observed: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Permitted {
    Word(String),
    Regions(BTreeSet<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pod {
    namespace: String,
    #[serde(default)]
    annotations: Named<String>,
    #[serde(default)]
    claims: Vec<String>,
    /// The controller, as kind and name.
    owner: Option<[String; 2]>,
    ephemeral: Option<Storage>,
}

const NODE_WITHOUT_REGION: &str = "unlabelled";

fn document(kind: &str, name: &str, spec: Value) -> String {
    json!({"apiVersion": "domicile.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        .to_string()
}

/// What a file does not say is as in the shipped settings.
fn with_defaults(mut stated: Named<Value>, defaults: Value) -> Value {
    for (key, value) in defaults.as_object().unwrap() {
        stated.entry(key.clone()).or_insert_with(|| value.clone());
    }
    json!(stated)
}

/// The documents of a case beside the places.
fn policy_text(file: &mut CaseFile) -> String {
    let settings = with_defaults(
        std::mem::take(&mut file.settings),
        json!({"mode": "enforce", "uncovered": "deny", "unlabelled": "allow", "regionKey": "topology"}),
    );
    let mut documents = vec![document("PolicySettings", "settings", settings)];
    for (name, stated) in std::mem::take(&mut file.policies) {
        let contact = format!("{name}@corp.example");
        let defaults = json!({
            "title": name, "owner": {"team": name, "contact": contact},
            "legalBasis": [{"cite": "an example"}], "mode": "enforce",
            "exceptions": {"allowed": true, "approvers": ["officer@corp.example"]},
        });
        documents.push(document(
            "PlacementPolicy",
            &name,
            with_defaults(stated, defaults),
        ));
    }
    for (name, stated) in std::mem::take(&mut file.groups) {
        let defaults = json!({"asOf": "2026-11-21", "reviewBy": "2027-11-21", "source": "an example"});
        documents.push(document(
            "JurisdictionGroup",
            &name,
            with_defaults(stated, defaults),
        ));
    }
    for (name, profile) in std::mem::take(&mut file.data_sets) {
        // One that has copies is written whole.
        let spec = match profile.get("profile") {
            Some(_) => profile,
            None => json!({"profile": profile, "consistency": "strict", "replicas": []}),
        };
        documents.push(document("DataSet", &name, spec));
    }
    for (name, stated) in std::mem::take(&mut file.exceptions) {
        let defaults = json!({
            "category": "waiver", "reason": "an example", "ticket": "T-1",
            "requestedBy": "somebody@corp.example", "approvedBy": "officer@corp.example",
            "notBefore": "2026-11-01", "expires": "2026-12-01",
        });
        documents.push(document(
            "PlacementException",
            &name,
            with_defaults(stated, defaults),
        ));
    }
    for (name, stated) in std::mem::take(&mut file.links) {
        let defaults = json!({"countries": [], "provider": "a carrier", "asOf": "2026-11-21"});
        documents.push(document("NetworkLink", &name, with_defaults(stated, defaults)));
    }
    documents.join("\n---\n")
}

fn policy_set(own: &str, places: &str) -> PolicySet {
    match PolicySet::load([("places.yaml", places), ("case", own)]) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{}: {own}", findings[0]),
    }
}

/// The objects as the API server would print them.
fn fleet_text(file: &CaseFile, set: &PolicySet) -> String {
    let mut items =
        vec![json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE_WITHOUT_REGION}})];
    for region in set.catalogue().regions() {
        let (provider, name) = (region.key.provider(), region.key.region());
        let labels = json!({"topology.kubernetes.io/region": name, "domicile.dev/provider": provider});
        let metadata = json!({"name": format!("{provider}.{name}"), "labels": labels});
        items.push(json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata}));
    }
    for (name, Node { labels, provider_id }) in &file.nodes {
        let metadata = json!({"name": name, "labels": labels});
        let spec = json!({"providerID": provider_id});
        items.push(json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}));
    }
    for (name, Metadata { labels, annotations }) in &file.namespaces {
        let metadata = json!({"name": name, "labels": labels, "annotations": annotations});
        items.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
    }
    for (name, class) in &file.storage_classes {
        let metadata = json!({"name": name, "annotations": class.annotations});
        items.push(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}));
    }
    for (name, volume) in &file.volumes {
        let metadata = json!({"name": name, "annotations": volume.annotations});
        let spec = json!({"storageClassName": volume.storage_class});
        items.push(
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}),
        );
    }
    for (name, claim) in &file.claims {
        let (namespace, name) = name.split_once('/').expect("a claim is written namespace/name");
        let metadata = json!({"namespace": namespace, "name": name, "annotations": claim.annotations});
        let spec = json!({"storageClassName": claim.storage_class, "volumeName": claim.volume});
        items.push(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec,
        }));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

fn pod_text(pod: &Pod) -> String {
    let claims = pod
        .claims
        .iter()
        .map(|claim| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}}));
    let ephemeral = pod.ephemeral.iter().map(|template| {
        let spec = json!({"storageClassName": template.storage_class});
        let metadata = json!({"annotations": template.annotations});
        json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"metadata": metadata, "spec": spec}}})
    });
    let volumes: Vec<Value> = claims.chain(ephemeral).collect();
    let mut metadata = json!({"name": "pod", "namespace": pod.namespace, "annotations": pod.annotations});
    if let Some([kind, name]) = &pod.owner {
        metadata["ownerReferences"] =
            json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true}]);
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"volumes": volumes}}).to_string()
}

fn snapshot(set: Arc<PolicySet>, fleet: &str) -> Snapshot {
    let fleet = read_fleet(fleet, "fleet")
        .map_err(|errors| errors[0].to_string())
        .unwrap();
    let coordinates = set.catalogue().coordinates();
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet.fleet),
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

fn reasons(snapshot: &Snapshot, assessment: &Assessment<'_>) -> Vec<String> {
    let refusing = assessment.verdict.restrictions.iter();
    let refusing = refusing.filter(|restriction| {
        let mut classes = snapshot.classes();
        classes.any(|(_, class)| !restriction.leaves(class.place, class.region_is_confirmed))
    });
    let word = |cause| match cause {
        Cause::Malformed => "malformed".to_owned(),
        Cause::StaleFacts => "stale-facts".to_owned(),
        Cause::Uncovered => "uncovered".to_owned(),
        Cause::Unlabelled => "unlabelled".to_owned(),
        Cause::Rule(index) => snapshot.policies().rule_name(index).unwrap(),
    };
    refusing
        .map(|restriction| match restriction.mode {
            Mode::Enforce => word(restriction.cause),
            mode => format!("{} ({})", word(restriction.cause), mode.word()),
        })
        .collect()
}

/// What rules on transit take away of the way to each data set.
fn ways(snapshot: &Snapshot, assessment: &Assessment<'_>) -> BTreeSet<String> {
    let set = snapshot.policies();
    let mut lines = BTreeSet::new();
    for binding in &assessment.verdict.transit {
        let profile = &set.transit_profiles()[binding.profile.as_usize()];
        let links = set.definitions().links.iter().zip(&profile.forbidden_links);
        let links = links.filter(|(_, taken)| **taken);
        let links = links.map(|(link, _)| format!("link {}", link.name));
        let regions = profile.forbidden_regions.iter();
        let regions = regions.map(|region| format!("region {region}"));
        let undeclared = profile
            .undeclared_is_taken
            .then(|| "what is undeclared".to_owned());
        let taken: Vec<String> = links.chain(regions).chain(undeclared).collect();
        let by = set.rule_name(binding.rule).unwrap();
        let by = match binding.mode {
            Mode::Enforce => by,
            mode => format!("{by} ({})", mode.word()),
        };
        let named = binding.data_sets.iter();
        let named = named.map(|number| assessment.profile.data_sets[*number].name.to_string());
        let more = binding.may_bind_more.then(|| "any other".to_owned());
        for data_set in named.chain(more) {
            lines.extend(taken.iter().map(|taken| format!("{data_set}: {taken} by {by}")));
        }
    }
    lines
}

/// The instant of a case.
fn instant(case: &Case) -> Result<Timestamp, String> {
    let at = case.at.as_deref().unwrap_or("2026-11-21");
    let at = if at.contains('T') {
        at.to_owned()
    } else {
        format!("{at}T00:00:00Z")
    };
    at.parse().map_err(|error| format!("{at}: {error}"))
}

fn check(case: &Case, nodes: &[String], snapshot: &Snapshot) -> Result<(), String> {
    let now = instant(case)?;
    let pod = read_pod(&pod_text(&case.pod), "pod").map_err(|error| error.to_string())?;
    let assessment = assess(snapshot, &pod, now);
    let name_of = |region: &str| region.replacen('/', ".", 1);
    let every: BTreeSet<String> = snapshot
        .policies()
        .catalogue()
        .regions()
        .map(|region| region.key.to_string())
        .chain([NODE_WITHOUT_REGION.to_owned()])
        .chain(nodes.iter().cloned())
        .collect();
    let class = |region: &String| snapshot.class_of(name_of(region).as_bytes());
    let permitted: BTreeSet<String> = every
        .iter()
        .filter(|region| assessment.permits(class(region)))
        .cloned()
        .collect();
    let in_words = |wanted: &Permitted| -> Result<BTreeSet<String>, String> {
        Ok(match wanted {
            Permitted::Regions(regions) => regions.clone(),
            Permitted::Word(word) if word == "nowhere" => BTreeSet::new(),
            Permitted::Word(word) if word == "everywhere" => every.clone(),
            Permitted::Word(word) if word == "catalogued" => every
                .iter()
                .filter(|region| *region != NODE_WITHOUT_REGION)
                .cloned()
                .collect(),
            Permitted::Word(word) => return Err(format!("`{word}` is not a word for places")),
        })
    };
    let wanted = in_words(&case.permitted)?;
    let differs = |what: &str, said: String, wanted: String| {
        if said == wanted {
            Ok(())
        } else {
            Err(format!("{what}: {said}\nwanted: {wanted}"))
        }
    };
    differs("permitted", format!("{permitted:?}"), format!("{wanted:?}"))?;
    let all_pass = every.iter().all(|region| assessment.passes(class(region)));
    let all_should = case.observed || permitted == every;
    differs("everything passes", all_pass.to_string(), all_should.to_string())?;
    if let Some(wanted) = &case.exceptions {
        let classes = every.iter().map(|region| (class(region), 1));
        let used = assessment.by_exception(classes);
        let names = used.map(|used| used.exceptions).unwrap_or_default();
        differs("exceptions", format!("{names:?}"), format!("{wanted:?}"))?;
    }
    if let Some(wanted) = &case.without {
        let without: BTreeSet<String> = every
            .iter()
            .filter(|region| {
                let class = class(region).filter(|class| assessment.exceptions_at(*class).is_empty());
                class.is_some() && assessment.permits(class)
            })
            .cloned()
            .collect();
        let wanted = in_words(wanted)?;
        differs(
            "without exceptions",
            format!("{without:?}"),
            format!("{wanted:?}"),
        )?;
    }
    if let Some(sentence) = &case.sentence {
        differs("sentence", assessment.sentence(), sentence.clone())?;
    }
    if let Some(wanted) = &case.reasons {
        differs(
            "reasons",
            format!("{:?}", reasons(snapshot, &assessment)),
            format!("{wanted:?}"),
        )?;
    }
    if let Some(wanted) = &case.tuples {
        let tuples = assessment.profile.tuples.iter();
        let tuples: Vec<String> = tuples
            .map(|sourced| format!("{}: {}", sourced.source, sourced.tuple))
            .collect();
        differs("tuples", format!("{tuples:#?}"), format!("{wanted:#?}"))?;
    }
    if let Some(wanted) = &case.ways {
        let ways = ways(snapshot, &assessment);
        differs("ways", format!("{ways:#?}"), format!("{wanted:#?}"))?;
    }
    if let Some(governed) = case.governed {
        differs(
            "governed",
            assessment.verdict.governed.to_string(),
            governed.to_string(),
        )?;
    }
    Ok(())
}

/// The checker of simulations, which reads the same texts by itself, permits the same nodes.
fn check_again(
    case: &Case,
    documents: &[(&str, &str)],
    fleet: &str,
    snapshot: &Snapshot,
) -> Result<(), String> {
    let now = instant(case)?;
    let pod = pod_text(&case.pod);
    let assessment = assess(snapshot, &read_pod(&pod, "pod").unwrap(), now);
    let [fleet, pod] = [fleet, &pod].map(|text| serde_json::from_str::<Value>(text).unwrap());
    let checked = super::checker::permitted(documents, &fleet, &pod, now);
    let nodes = fleet["items"].as_array().unwrap().iter();
    let names = nodes
        .filter(|item| item["kind"] == "Node")
        .map(|node| node["metadata"]["name"].as_str().unwrap());
    let permitted: BTreeSet<String> = names
        .filter(|name| assessment.permits(snapshot.class_of(name.as_bytes())))
        .map(str::to_owned)
        .collect();
    match checked == permitted {
        true => Ok(()),
        false => Err(format!(
            "the checker permits {checked:?} and the filter {permitted:?}"
        )),
    }
}

#[test]
fn every_case_of_the_folder_is_decided_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let places = fs::read_to_string(folder.join("places.yaml")).unwrap();
    let mut problems = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "places.yaml" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut file: CaseFile = match serde_saphyr::from_str(&text) {
            Ok(file) => file,
            Err(error) => panic!("{name}: {error}"),
        };
        assert!(
            !file.about.is_empty() && !file.cases.is_empty(),
            "{name} says nothing"
        );
        let own = policy_text(&mut file);
        let set = Arc::new(policy_set(&own, &places));
        let fleet = fleet_text(&file, &set);
        let snapshot = snapshot(set.clone(), &fleet);
        let nodes: Vec<String> = file.nodes.keys().cloned().collect();
        for case in &file.cases {
            cases += 1;
            let checked = check(case, &nodes, &snapshot);
            let documents = [("places.yaml", places.as_str()), ("case", own.as_str())];
            if let Err(problem) = checked.and_then(|()| check_again(case, &documents, &fleet, &snapshot)) {
                problems.push(format!("{name}: {}: {problem}", case.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    assert!(cases > 50, "only {cases} cases");
}
