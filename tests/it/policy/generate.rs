//! Random worlds from few words, so that what is interesting happens often.

use super::choices::Choices;
use super::world::*;

const COUNTRIES: [&str; 5] = ["DE", "FR", "CA", "US", "NO"];
const PARTS: [&str; 4] = ["CA-QC", "CA-ON", "US-VA", "DE-BY"];
const GROUPS: [&str; 3] = ["G0", "G1", "G2"];
const GROUP_PLACES: [&str; 3] = ["group/G0", "group/G1", "group/G2"];
const CLASSIFICATIONS: [&str; 4] = ["internal", "confidential", "restricted", "public"];
const CATEGORIES: [&str; 6] = [
    "personal",
    "special-category",
    "health",
    "child",
    "payment",
    "telemetry",
];
/// Words for what a node and a copy are in.
const REGIONS: [(&str, &str); 4] = [("p", "r0"), ("q", "r0"), ("p", "r1"), ("q", "r2")];
const ROLES: [&str; 4] = ["leader", "read-only", "voter", "witness"];
const WORKLOADS: [(&str, &str); 3] = [("Deployment", "web"), ("StatefulSet", "db"), ("CronJob", "tick")];
const OWNERS: [(&str, &str); 7] = [
    ("ReplicaSet", "web-7d9f"),
    ("StatefulSet", "db"),
    ("Job", "tick-123"),
    ("ReplicaSet", "web-api-7d9f"),
    ("ReplicaSet", "web"),
    ("Job", "tick-by-hand"),
    ("StatefulSet", "web"),
];
/// Days on which something begins or ends.
const DAYS: [i64; 4] = [59, 90, 150, 151];
const SCHEMES: [&str; 2] = ["X", "Y"];
const LEVELS: [&str; 2] = ["1", "2"];
const ENTITIES: [&str; 2] = ["Acme, Inc.", "Bolt SE"];
const CUSTODIES: [&str; 3] = ["provider", "customer", "external"];
const TENANCIES: [&str; 2] = ["shared", "dedicated"];
pub const NAMESPACES: [&str; 4] = ["n0", "n1", "n2", "sys"];
pub const CLASSES: [&str; 3] = ["gold", "iron", "tin"];
pub const DATA_SETS: [&str; 3] = ["d0", "d1", "d2"];
const LABELS: [(&str, &str); 3] = [("tier", "a"), ("tier", "b"), ("team", "x")];

fn maybe<T>(choices: &mut Choices, make: impl FnOnce(&mut Choices) -> T) -> Option<T> {
    (choices.below(2) == 1).then(|| make(choices))
}

fn some_words(choices: &mut Choices, words: &[&'static str], most: usize) -> Vec<&'static str> {
    choices.some(words, 1, most)
}

/// Instants around the days on which something changes, in hours.
pub fn instant(choices: &mut Choices) -> i64 {
    let day = choices.one(&DAYS);
    day * 24 + choices.one(&[0, -1, 23, 24, 25, -24, -24 * 10, -24 * 31, -24 * 30, 24 * 100])
}

fn places(choices: &mut Choices, groups: usize) -> Vec<&'static str> {
    let mut known: Vec<&'static str> = COUNTRIES.to_vec();
    known.extend(PARTS);
    known.extend(&GROUP_PLACES[..groups]);
    known.extend(&GROUP_PLACES[..groups]);
    if choices.rarely(8) {
        return vec!["anywhere"];
    }
    some_words(choices, &known, 3)
}

fn subjects(choices: &mut Choices, groups: usize) -> Vec<&'static str> {
    if choices.rarely(8) {
        return vec!["none"];
    }
    let mut known: Vec<&'static str> = COUNTRIES[..3].to_vec();
    known.extend(&PARTS[..2]);
    known.extend(&GROUP_PLACES[..groups]);
    some_words(choices, &known, 2)
}

fn categories(choices: &mut Choices) -> Vec<&'static str> {
    if choices.rarely(8) {
        return vec!["none"];
    }
    some_words(choices, &CATEGORIES, 2)
}

fn facts(choices: &mut Choices) -> Facts {
    Facts {
        operator: maybe(choices, |choices| Operator {
            legal_entity: maybe(choices, |choices| choices.one(&ENTITIES)),
            controlled_from: maybe(choices, |choices| some_words(choices, &COUNTRIES, 2)),
            admin_access_from: maybe(choices, |choices| some_words(choices, &COUNTRIES, 2)),
        }),
        certifications: maybe(choices, |choices| {
            let certification = |choices: &mut Choices| Certification {
                scheme: choices.one(&SCHEMES),
                level: maybe(choices, |choices| choices.one(&LEVELS)),
                valid_until: maybe(choices, |choices| choices.one(&DAYS)),
            };
            (0..choices.below(3)).map(|_| certification(choices)).collect()
        }),
        key_custody: maybe(choices, |choices| choices.one(&CUSTODIES)),
        tenancy: maybe(choices, |choices| choices.one(&TENANCIES)),
    }
}

fn region(choices: &mut Choices, provider: &'static str, region: &'static str) -> Region {
    let country = choices.one(&COUNTRIES);
    let parts: Vec<&'static str> = PARTS
        .into_iter()
        .filter(|part| part.starts_with(country))
        .collect();
    Region {
        provider,
        region,
        country,
        subdivision: if parts.is_empty() {
            None
        } else {
            maybe(choices, |choices| choices.one(&parts))
        },
        facts: facts(choices),
        zone: if choices.rarely(3) {
            Some(facts(choices))
        } else {
            None
        },
        as_of: choices.one(&[0, 0, -31, 59, -250]),
    }
}

fn requirement(choices: &mut Choices, groups: usize) -> Requirement {
    let mut wanted = Requirement::default();
    let parts = choices.below(10);
    if parts == 0 || parts == 5 {
        wanted.tenancy = Some(some_words(choices, &TENANCIES, 2));
    }
    if parts == 1 || parts == 6 {
        wanted.key_custody = Some(some_words(choices, &CUSTODIES, 2));
    }
    if matches!(parts, 2 | 5 | 7) {
        let certification = |choices: &mut Choices| {
            let level = if choices.rarely(3) {
                Some(choices.one(&LEVELS))
            } else {
                None
            };
            (choices.one(&SCHEMES), level, choices.one(&[0, 30, 31]))
        };
        wanted.certifications = Some((0..=choices.below(2)).map(|_| certification(choices)).collect());
    }
    if matches!(parts, 3 | 6 | 8) {
        wanted.controlled_from = Some(places(choices, groups));
    }
    if matches!(parts, 4 | 8) {
        wanted.legal_entity = Some(some_words(choices, &ENTITIES, 2));
    }
    if parts == 9 {
        wanted.admin_access_from = Some(places(choices, groups));
    }
    wanted
}

/// Groups name only groups of a lower number, so there is no cycle.
fn group(choices: &mut Choices, number: usize) -> Group {
    let mut known: Vec<&'static str> = COUNTRIES.to_vec();
    known.extend(PARTS);
    known.extend(&GROUP_PLACES[..number]);
    known.extend(&GROUP_PLACES[..number]);
    let member = |choices: &mut Choices| {
        let place = choices.one(&known);
        let (from, until) = match choices.below(6) {
            4 => (Some(choices.one(&DAYS)), None),
            5 => (None, Some(choices.one(&DAYS))),
            3 => (Some(DAYS[0]), Some(DAYS[2])),
            _ => (None, None),
        };
        let required = choices.rarely(4).then(|| requirement(choices, number));
        Member {
            place,
            from,
            until,
            required,
        }
    };
    Group {
        name: GROUPS[number],
        members: (0..=choices.below(3)).map(|_| member(choices)).collect(),
    }
}

fn data_selector(choices: &mut Choices, groups: usize) -> DataSelector {
    let mut selector = DataSelector::default();
    let parts = choices.below(7) + 1;
    if parts & 1 != 0 {
        selector.categories = Some(categories(choices));
    }
    if parts & 2 != 0 {
        selector.subjects = Some(subjects(choices, groups));
    }
    if parts & 4 != 0 {
        selector.at_least = Some(choices.one(&CLASSIFICATIONS));
    }
    selector
}

fn block(choices: &mut Choices, groups: usize) -> Block {
    let mut block = Block::default();
    let kind = choices.below(12);
    if kind < 8 {
        block.data = Some(data_selector(choices, groups));
    }
    if matches!(kind, 5 | 8 | 11) {
        block.labels = Some(choices.some(&LABELS, 1, 1));
    }
    if matches!(kind, 6 | 9 | 11) {
        block.storage_classes = Some(some_words(choices, &CLASSES, 2));
    }
    if matches!(kind, 7 | 10) {
        block.data_sets = Some(some_words(choices, &DATA_SETS, 2));
    }
    block
}

/// What kinds of rule a policy may have.
#[derive(Clone, Copy, PartialEq)]
pub enum Kinds {
    Any,
    DenyOrRequire,
}

pub fn policy(choices: &mut Choices, name: &'static str, groups: usize, kinds: Kinds) -> Policy {
    let mut rules = Vec::new();
    let first_id = choices.one(&["b", "a"]);
    for id in [first_id, "c"].into_iter().take(1 + choices.below(2)) {
        // Two lists of one policy are an error, so only the first rule may be one.
        let may_allow = kinds == Kinds::Any && rules.is_empty();
        let demand = match choices.below(if may_allow { 11 } else { 7 }) {
            0 => Demand::Denied(places(choices, groups)),
            1 => Demand::Required(requirement(choices, groups)),
            2 => Demand::PrimaryMustBeIn(places(choices, groups)),
            3 => Demand::FromReplicaIn(places(choices, groups)),
            4 => Demand::NoneOutside(places(choices, groups)),
            5 => Demand::MustExistIn(places(choices, groups)),
            6 => Demand::Transit(places(choices, groups), choices.one(&["deny", "warn"])),
            _ => Demand::Allowed(places(choices, groups)),
        };
        let activities = choices
            .rarely(3)
            .then(|| some_words(choices, &["process", "store", "replicate"], 2));
        rules.push(Rule {
            id,
            activities,
            demand,
        });
    }
    let mode = ["enforce", "enforce", "audit", "warn"][choices.below(4)];
    Policy {
        name,
        mode,
        effective_from: choices.rarely(4).then(|| choices.one(&DAYS)),
        enforce_from: choices.rarely(4).then(|| choices.one(&DAYS)),
        blocks: (0..=choices.below(2)).map(|_| block(choices, groups)).collect(),
        rules,
    }
}

/// A policy of rules on ways alone.
pub fn transit_policy(choices: &mut Choices, name: &'static str, groups: usize) -> Policy {
    let mut policy = policy(choices, name, groups, Kinds::DenyOrRequire);
    for rule in &mut policy.rules {
        rule.demand = Demand::Transit(places(choices, groups), choices.one(&["deny", "warn"]));
    }
    policy
}

pub fn set(choices: &mut Choices) -> Set {
    let groups = 1 + choices.below(3);
    let mut regions = Vec::new();
    for (provider, name) in REGIONS.into_iter().take(2 + choices.below(3)) {
        regions.push(region(choices, provider, name));
    }
    let names = ["k", "m", "a"];
    let policies: Vec<Policy> = (0..choices.below(4))
        .map(|number| policy(choices, names[number], groups, Kinds::Any))
        .collect();
    Set {
        exceptions: exceptions(choices, &policies, groups),
        observe: choices.rarely(8),
        uncovered_is_allowed: choices.rarely(3),
        unlabelled: match choices.below(3) {
            0 => Unlabelled::Allow,
            1 => Unlabelled::Deny,
            _ => Unlabelled::ConfineTo(places(choices, groups)),
        },
        exempt: vec!["sys"],
        groups: (0..groups).map(|number| group(choices, number)).collect(),
        policies,
        data_sets: DATA_SETS[..2]
            .iter()
            .map(|name| DataSet {
                name,
                classification: choices.one(&CLASSIFICATIONS),
                categories: categories(choices),
                subjects: subjects(choices, groups),
                replicas: (0..choices.below(3)).map(|_| replica(choices)).collect(),
            })
            .collect(),
        links: links(choices, &regions),
        regions,
        region_key: match choices.below(5) {
            3 => RegionKey::ProviderId,
            4 => RegionKey::NodeRestriction(choices.one(&CLASSIFICATIONS)),
            _ => RegionKey::Topology,
        },
        max_fact_age: if choices.rarely(3) {
            max_fact_age(choices)
        } else {
            Vec::new()
        },
    }
}

/// Links between some pairs of regions.
pub fn links(choices: &mut Choices, regions: &[Region]) -> Vec<Link> {
    let key = |region: &Region| (region.provider, region.region);
    let mut links = Vec::new();
    for (number, name) in ["l0", "l2", "l1"].into_iter().enumerate() {
        let Some(next) = regions.get(number + 1).filter(|_| !choices.rarely(3)) else {
            continue;
        };
        let mut ends = [key(&regions[choices.below(number + 1)]), key(next)];
        if choices.below(2) == 0 {
            ends.reverse();
        }
        let countries = choices.some(&COUNTRIES, 0, 2);
        links.push(Link {
            name,
            ends,
            countries,
        });
    }
    links
}

pub fn max_fact_age(choices: &mut Choices) -> Vec<(&'static str, i64)> {
    let classifications = choices.some(&CLASSIFICATIONS, 1, 2);
    let mut age = || choices.one(&[91, 151, 60, 400]);
    classifications.into_iter().map(|word| (word, age())).collect()
}

fn replica(choices: &mut Choices) -> Replica {
    // A region that the catalogue may lack.
    let (provider, region) = choices.one(&REGIONS);
    Replica {
        provider: (!choices.rarely(4)).then_some(provider),
        region: if choices.rarely(8) { "nowhere" } else { region },
        zone: choices.rarely(4).then_some("z1"),
        role: choices.one(&ROLES),
    }
}

/// Exceptions to rules of these policies; most of them in force most of the time, and wide.
fn exceptions(choices: &mut Choices, policies: &[Policy], groups: usize) -> Vec<Exception> {
    let mut made = Vec::new();
    for name in ["x1", "x0", "x2"].into_iter().take(choices.below(4)) {
        if policies.is_empty() {
            break;
        }
        let policy = &policies[choices.below(policies.len())];
        let rule = &policy.rules[choices.below(policy.rules.len())];
        // No exception lifts such a rule.
        if matches!(rule.demand, Demand::Transit(..)) {
            continue;
        }
        let (not_before, expires) = choices.one(&[(-200, 400), (-200, 400), (59, 150), (90, 151), (0, 59)]);
        made.push(Exception {
            name,
            policy: policy.name,
            rule: rule.id,
            namespace: choices.one(&NAMESPACES),
            workload: choices.rarely(4).then(|| choices.one(&WORKLOADS)),
            locations: if choices.below(2) == 0 {
                vec!["anywhere"]
            } else {
                places(choices, groups)
            },
            data: data_selector(choices, groups),
            not_before,
            expires,
        });
    }
    made
}

/// Lists of a source that may say anything.
pub fn stated(choices: &mut Choices) -> Stated {
    Stated {
        classifications: maybe(choices, |choices| some_words(choices, &CLASSIFICATIONS, 2)),
        categories: maybe(choices, categories),
        subjects: maybe(choices, annotated_subjects),
    }
}

/// Annotations name no group.
fn annotated_subjects(choices: &mut Choices) -> Vec<&'static str> {
    if choices.rarely(8) {
        return vec!["none"];
    }
    some_words(choices, &["DE", "FR", "CA", "CA-QC", "CA-ON", "US", "DE-BE"], 2)
}

/// Lists of a pod or a claim, which never say `public` or `none`.
pub fn stated_by_workload(choices: &mut Choices) -> Stated {
    Stated {
        classifications: maybe(choices, |choices| some_words(choices, &CLASSIFICATIONS[..3], 2)),
        categories: maybe(choices, |choices| some_words(choices, &CATEGORIES, 2)),
        subjects: maybe(choices, |choices| {
            some_words(choices, &["DE", "FR", "CA", "CA-QC", "US"], 2)
        }),
    }
}

fn says(choices: &mut Choices, lists: fn(&mut Choices) -> Stated) -> Says {
    Says {
        stated: if choices.below(2) == 1 {
            lists(choices)
        } else {
            Stated::default()
        },
        data_sets: if choices.rarely(4) {
            let names = choices.some(&DATA_SETS, 1, 2);
            names
                .into_iter()
                .map(|name| data_set_use(choices, name))
                .collect()
        } else {
            Vec::new()
        },
    }
}

pub fn data_set_use(choices: &mut Choices, name: &'static str) -> Use {
    let mut said = || [None, Some(true), Some(false), None][choices.below(4)];
    Use {
        name,
        reads: said(),
        writes: said(),
    }
}

pub fn objects(choices: &mut Choices) -> Objects {
    let mut namespaces = Vec::new();
    for name in ["n0", "n1", "sys"] {
        let labels = choices.some(&LABELS[1..], 0, 2);
        let says = match choices.below(5) {
            0 | 1 => {
                let stated = stated(choices);
                if stated.is_empty() {
                    NamespaceSays::Nothing
                } else {
                    NamespaceSays::Profile(stated)
                }
            }
            2 => NamespaceSays::Nothing,
            3 => NamespaceSays::NoData,
            _ => NamespaceSays::ByWorkload,
        };
        namespaces.push(Namespace { name, labels, says });
    }
    let storage_classes = ["gold", "iron"].map(|name| StorageClass {
        name,
        waits: choices.rarely(3),
        says: says(choices, stated),
    });
    let class = |choices: &mut Choices| maybe(choices, |choices| choices.one(&CLASSES));
    let volumes = ["v0", "v1"].map(|name| Volume {
        name,
        storage_class: class(choices),
        says: says(choices, stated),
    });
    let mut claims = Vec::new();
    for namespace in NAMESPACES {
        for name in ["c0", "c1"] {
            claims.push(Claim {
                namespace,
                name,
                storage_class: class(choices),
                volume: maybe(choices, |choices| choices.one(&["v0", "v1", "v9"])),
                says: says(choices, stated_by_workload),
            });
        }
    }
    let spoken_of = |choices: &mut Choices| !choices.rarely(10);
    Objects {
        namespaces: spoken_of(choices).then_some(namespaces),
        storage_classes: spoken_of(choices).then(|| storage_classes.to_vec()),
        volumes: spoken_of(choices).then(|| volumes.to_vec()),
        claims: spoken_of(choices).then_some(claims),
    }
}

pub fn mount(choices: &mut Choices) -> Mount {
    Mount {
        claim: choices.one(&["c0", "c1", "c9"]),
        template: choices.rarely(4).then(|| Template {
            storage_class: maybe(choices, |choices| choices.one(&CLASSES)),
            says: says(choices, stated_by_workload),
        }),
    }
}

pub fn pod(choices: &mut Choices) -> Pod {
    Pod {
        namespace: choices.one(&NAMESPACES),
        owner: maybe(choices, |choices| choices.one(&OWNERS)),
        replicates: choices.rarely(6),
        says: says(choices, stated_by_workload),
        mounts: (0..choices.below(3)).map(|_| mount(choices)).collect(),
    }
}

/// A word that a list of the source does not have yet.
pub fn another_word(choices: &mut Choices, list: &[&'static str], of: Dimension) -> Option<&'static str> {
    let known: &[&'static str] = match of {
        Dimension::Classification => &CLASSIFICATIONS[..3],
        Dimension::Category => &CATEGORIES,
        Dimension::Subject => &["DE", "FR", "CA", "CA-QC", "CA-ON", "US", "DE-BE"],
    };
    let new: Vec<&'static str> = known
        .iter()
        .copied()
        .filter(|word| !list.contains(word))
        .collect();
    // `none` beside another value is malformed.
    (!new.is_empty() && !list.contains(&"none")).then(|| choices.one(&new))
}

#[derive(Debug, Clone, Copy)]
pub enum Dimension {
    Classification,
    Category,
    Subject,
}

/// A guarantee that a set may or may not hold: half of them promise what one of its rules is about.
pub fn guarantee(choices: &mut Choices, set: &Set) -> Guarantee {
    let groups = set.groups.len();
    let rules = set.policies.iter().flat_map(|policy| {
        let data = policy.blocks.iter().filter_map(|block| block.data.as_ref());
        data.flat_map(|data| policy.rules.iter().map(move |rule| (data, &rule.demand)))
    });
    let promises: Vec<(DataSelector, Location)> = rules
        .filter_map(|(data, demand)| match demand {
            Demand::Allowed(places) => Some((data.clone(), Location::Outside(places.clone()))),
            Demand::Denied(places) => Some((data.clone(), Location::In(places.clone()))),
            _ => None,
        })
        .collect();
    let (data, location) = if !promises.is_empty() && choices.below(2) == 0 {
        promises[choices.below(promises.len())].clone()
    } else {
        let places = places(choices, groups);
        let location = match choices.below(2) {
            0 => Location::Outside(places),
            _ => Location::In(places),
        };
        (data_selector(choices, groups), location)
    };
    Guarantee {
        data,
        activities: some_words(choices, &["process", "store", "replicate"], 2),
        location,
        allows_exceptions: choices.rarely(3),
    }
}
