//! What the properties found, each as the smallest world in which it went wrong.

use super::world::*;
use super::written::{self, Engine, judge, load};

fn places() -> Vec<Region> {
    [("p", "de", "DE"), ("p", "us", "US")]
        .map(|(provider, region, country)| Region {
            provider,
            region,
            country,
            subdivision: None,
            facts: Facts::default(),
            zone: None,
            as_of: 0,
        })
        .into()
}

/// A set of one policy where uncovered data runs anywhere.
fn set(block: Block, rules: Vec<Rule>) -> Set {
    Set {
        observe: false,
        uncovered_is_allowed: true,
        unlabelled: Unlabelled::Allow,
        exempt: Vec::new(),
        regions: places(),
        groups: Vec::new(),
        policies: vec![Policy {
            name: "k",
            mode: "enforce",
            effective_from: None,
            enforce_from: None,
            blocks: vec![block],
            rules,
        }],
        data_sets: vec![DataSet {
            name: "d0",
            classification: "internal",
            categories: vec!["telemetry"],
            subjects: vec!["none"],
            replicas: Vec::new(),
        }],
        exceptions: Vec::new(),
        links: Vec::new(),
        region_key: RegionKey::Topology,
        max_fact_age: Vec::new(),
    }
}

fn denies_us(id: &'static str) -> Rule {
    Rule {
        id,
        activities: None,
        demand: Demand::Denied(vec!["US"]),
    }
}

fn objects(claim: Claim) -> Objects {
    Objects {
        namespaces: Some(vec![Namespace {
            name: "n0",
            labels: Vec::new(),
            says: NamespaceSays::Nothing,
        }]),
        storage_classes: Some(Vec::new()),
        volumes: Some(Vec::new()),
        claims: Some(vec![claim]),
    }
}

fn claim(name: &'static str) -> Claim {
    Claim {
        namespace: "n0",
        name,
        storage_class: None,
        volume: None,
        says: Says::default(),
    }
}

fn pod(template: Option<Template>) -> Pod {
    Pod {
        namespace: "n0",
        owner: None,
        replicates: false,
        says: Says::default(),
        mounts: vec![Mount {
            claim: "c0",
            template,
        }],
    }
}

const US: Labels = Labels {
    provider: Some("p"),
    region: Some("us"),
    zone: None,
    restricted: None,
    provider_id: None,
};

fn permits_us(set: &Set, objects: &Objects, pod: &Pod) -> bool {
    let engine = Engine::of(set, &[US]);
    let judged = judge(&engine.set, &written::fleet(objects), pod, 0);
    engine.permits(&judged.verdict, 0)
}

#[test]
fn a_claim_that_is_not_known_may_name_any_data_set() {
    let block = Block {
        data_sets: Some(vec!["d0"]),
        ..Block::default()
    };
    let set = set(block, vec![denies_us("a")]);
    let naming = Claim {
        says: Says {
            data_sets: vec![Use::of("d0")],
            ..Says::default()
        },
        ..claim("c0")
    };
    assert!(!permits_us(&set, &objects(naming), &pod(None)));
    assert!(permits_us(&set, &objects(claim("c0")), &pod(None)));
    assert!(!permits_us(&set, &objects(claim("another")), &pod(None)));
}

#[test]
fn a_volume_that_is_not_known_may_have_another_class_than_the_template_asked_for() {
    let block = Block {
        storage_classes: Some(vec!["gold"]),
        ..Block::default()
    };
    let set = set(block, vec![denies_us("a")]);
    let asks_for_iron = || {
        Some(Template {
            storage_class: Some("iron"),
            says: Says::default(),
        })
    };
    let bound = Claim {
        volume: Some("v0"),
        ..claim("c0")
    };
    let mut known = objects(bound);
    let volume = |class| Volume {
        name: "v0",
        storage_class: Some(class),
        says: Says::default(),
    };
    known.volumes = Some(vec![volume("gold")]);
    assert!(!permits_us(&set, &known, &pod(asks_for_iron())));
    known.volumes = Some(vec![volume("iron")]);
    assert!(permits_us(&set, &known, &pod(asks_for_iron())));
    known.volumes = Some(Vec::new());
    assert!(!permits_us(&set, &known, &pod(asks_for_iron())));
}

#[test]
fn the_template_counts_even_when_its_claim_says_nothing() {
    let data = DataSelector {
        categories: Some(vec!["payment"]),
        ..DataSelector::default()
    };
    let block = Block {
        data: Some(data),
        ..Block::default()
    };
    let set = set(block, vec![denies_us("a")]);
    let stated = Stated {
        categories: Some(vec!["payment"]),
        ..Stated::default()
    };
    let says = Says {
        stated,
        ..Says::default()
    };
    let template = Some(Template {
        storage_class: None,
        says,
    });
    assert!(!permits_us(
        &set,
        &objects(claim("another")),
        &pod(template.clone())
    ));
    assert!(!permits_us(&set, &objects(claim("c0")), &pod(template)));
}

#[test]
fn a_sentence_names_rules_in_the_order_of_names_wherever_they_stand() {
    let data = DataSelector {
        categories: Some(vec!["payment"]),
        ..DataSelector::default()
    };
    let block = || Block {
        data: Some(data.clone()),
        ..Block::default()
    };
    let stated = Stated {
        categories: Some(vec!["payment"]),
        ..Stated::default()
    };
    let mut pod = pod(None);
    pod.says.stated = stated;
    for order in [["a", "b"], ["b", "a"]] {
        let loaded = load(&set(block(), order.map(denies_us).into()));
        let judged = judge(&loaded, &written::fleet(&objects(claim("c0"))), &pod, 0);
        let fleet = domicile::policy::PlacesOfFleet {
            all: loaded.catalogue().every_place(),
            some_unconfirmed: false,
        };
        let said = domicile::policy::sentence(&loaded, &judged.profile, &judged.verdict, &fleet, &[]);
        assert_eq!(
            said,
            "domicile: `k/a` permits no place in US; `k/b` permits no place in US; ask k@corp.example"
        );
    }
}

#[test]
fn an_operator_of_no_country_is_not_inside_anything() {
    let region = r#"{"apiVersion": "domicile.dev/v1alpha1", "kind": "Region", "metadata": {"name": "p.x"},
        "spec": {"provider": "p", "region": "x", "country": "DE", "operator": {"controlledFrom": []},
        "source": {"cite": "x", "asOf": "2026-01-01"}}}"#;
    let mut documents = written::documents(&set(
        Block {
            storage_classes: Some(vec!["gold"]),
            ..Block::default()
        },
        vec![denies_us("a")],
    ));
    documents.push(region.replace('\n', " "));
    let text = documents.join("\n---\n");
    let findings = domicile::policy::PolicySet::load([("a.yaml", text.as_str())]).unwrap_err();
    assert_eq!(findings[0].sentence, "the list `controlledFrom` is empty");
}

fn leader_in(region: &'static str) -> Vec<Replica> {
    vec![Replica {
        provider: Some("p"),
        region,
        zone: None,
        role: "leader",
    }]
}

/// A set of one rule on telemetry, a pod that names such a data set, and the objects around it.
fn on_telemetry(demand: Demand) -> (Set, Pod, Objects) {
    let data = DataSelector {
        categories: Some(vec!["telemetry"]),
        ..DataSelector::default()
    };
    let block = Block {
        data: Some(data),
        ..Block::default()
    };
    let rule = Rule {
        id: "a",
        activities: None,
        demand,
    };
    let mut pod = pod(None);
    pod.mounts.clear();
    pod.says.data_sets = vec![Use::of("d0")];
    (set(block, vec![rule]), pod, objects(claim("c0")))
}

#[test]
fn a_leader_where_facts_are_too_old_is_not_surely_inside() {
    let (mut set, pod, objects) = on_telemetry(Demand::PrimaryMustBeIn(vec!["DE"]));
    set.data_sets[0].replicas = leader_in("de");
    set.max_fact_age = vec![("internal", 100)];
    assert!(permits_us(&set, &objects, &pod));
    set.regions[0].as_of = -100;
    assert!(!permits_us(&set, &objects, &pod));
    set.max_fact_age = vec![("confidential", 100)];
    assert!(permits_us(&set, &objects, &pod));
}

#[test]
fn an_exception_does_not_lift_what_the_node_itself_may_satisfy() {
    let (mut set, mut pod, objects) = on_telemetry(Demand::MustExistIn(vec!["US-VA"]));
    pod.replicates = true;
    set.policies[0].rules[0].activities = Some(vec!["replicate"]);
    set.data_sets[0].replicas = leader_in("de");
    set.exceptions = vec![Exception {
        name: "x",
        policy: "k",
        rule: "a",
        namespace: "n0",
        workload: None,
        locations: vec!["US"],
        data: DataSelector {
            categories: Some(vec!["telemetry"]),
            ..DataSelector::default()
        },
        not_before: -10,
        expires: 10,
    }];
    set.regions[1].subdivision = Some("US-OR");
    assert!(
        permits_us(&set, &objects, &pod),
        "surely elsewhere, so it is lifted"
    );
    set.regions[1].subdivision = None;
    assert!(!permits_us(&set, &objects, &pod), "perhaps in Virginia");
    set.regions[1].subdivision = Some("US-VA");
    set.exceptions.clear();
    assert!(permits_us(&set, &objects, &pod), "the new copy is there");
}
