//! The properties of docs/policies.md, 3 that apply to what exists, on random worlds; how many cases each is
//! tried on is set by `DOMICILE_PROPERTY_CASES`. Not modelled: what is malformed (`tests/cases` has it).

use std::collections::BTreeSet;
use std::sync::Arc;

use domicile::model::{Fleet, NodeName, NodeRecord};
use domicile::placement::{Answer, BlindSample, assess, filter};
use domicile::policy::{Cause, PlacesOfFleet, PolicySet, Profile, Source, SourcedTuple, Verdict, evaluate};
use domicile::snapshot::{Inputs, Snapshot};
use domicile::topology::{LatencyTable, Measurements};

use super::choices::{Choices, hold, hold_for, wanted_cases};
use super::generate::{self, Dimension, Kinds};
use super::naive::Naive;
use super::world::*;
use super::written::{self, Judged, judge, load, permits, timestamp};

/// How many pods and instants one set is tried with: loading is the dear part.
const PODS_PER_SET: usize = 24;

struct Case {
    objects: Objects,
    pod: Pod,
    now: i64,
}

fn case(choices: &mut Choices) -> Case {
    Case {
        objects: generate::objects(choices),
        pod: generate::pod(choices),
        now: generate::instant(choices),
    }
}

impl Case {
    fn judge(&self, set: &PolicySet) -> Judged {
        judge(set, &written::fleet(&self.objects), &self.pod, self.now)
    }
}

/// Whether everything that `after` permits is permitted by `before`, at every label that a node may have.
fn never_wider(
    world: &Set,
    (before_set, before): (&PolicySet, &Verdict),
    (after_set, after): (&PolicySet, &Verdict),
    context: impl Fn() -> String,
) -> Result<(), String> {
    for labels in labels(world) {
        if permits(after_set, after, labels) && !permits(before_set, before, labels) {
            return Err(format!("widened at {labels:?}\n{}\n{world:#?}", context()));
        }
    }
    Ok(())
}

/// Tries a change of one case against the same set.
fn change_never_widens(change: impl Fn(&mut Choices, &mut Case) -> bool) {
    hold(|choices| {
        let world = generate::set(choices);
        let set = load(&world);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let mut case = case(choices);
            let before = case.judge(&set);
            let described = format!("{:#?} {:#?}", case.pod, case.objects);
            let is_first_source = waits_for_a_first_source(&case, &before.profile);
            if !change(choices, &mut case) {
                continue;
            }
            let after = case.judge(&set);
            // A first source in a by-workload namespace widens on purpose.
            if is_first_source && !waits_for_a_first_source(&case, &after.profile) {
                continue;
            }
            never_wider(&world, (&set, &before.verdict), (&set, &after.verdict), || {
                let Case { objects, pod, now } = &case;
                format!("before: {described}\nafter: {pod:#?} {objects:#?}\nnow: {now}")
            })?;
            tried += 1;
        }
        Ok(tried)
    });
}

/// Whether the namespace leaves the word to its workloads and none has said anything.
fn waits_for_a_first_source(case: &Case, profile: &Profile) -> bool {
    let namespaces = case.objects.namespaces.iter().flatten();
    let by_workload = namespaces
        .filter(|namespace| namespace.name == case.pod.namespace)
        .any(|namespace| matches!(namespace.says, NamespaceSays::ByWorkload));
    by_workload
        && profile
            .tuples
            .iter()
            .any(|tuple| tuple.source == Source::Namespace)
}

/// Tries a change of the set against the same cases; the cases are judged only where `concerns` says so.
fn change_of_set_never_widens(
    change: impl Fn(&mut Choices, &mut Set) -> bool,
    concerns: impl Fn(&Verdict) -> bool,
) {
    hold(|choices| {
        let world = generate::set(choices);
        let mut changed = world.clone();
        if !change(choices, &mut changed) {
            return Ok(0);
        }
        let (set, changed_set) = (load(&world), load(&changed));
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let before = case.judge(&set);
            if !concerns(&before.verdict) {
                continue;
            }
            let after = case.judge(&changed_set);
            never_wider(
                &world,
                (&set, &before.verdict),
                (&changed_set, &after.verdict),
                || {
                    let Case { objects, pod, now } = &case;
                    format!("{pod:#?} {objects:#?}\nnow: {now}\nchanged: {changed:#?}")
                },
            )?;
            tried += 1;
        }
        Ok(tried)
    });
}

fn add_to(choices: &mut Choices, stated: &mut Stated) -> bool {
    let (list, dimension) = match choices.below(3) {
        0 => (&mut stated.classifications, Dimension::Classification),
        1 => (&mut stated.categories, Dimension::Category),
        _ => (&mut stated.subjects, Dimension::Subject),
    };
    let Some(list) = list else {
        return false;
    };
    let word = generate::another_word(choices, list, dimension);
    list.extend(word);
    word.is_some()
}

#[test]
fn adding_a_value_to_a_stated_list_never_widens() {
    change_never_widens(|choices, case| {
        let source = choices.below(6);
        let objects = &mut case.objects;
        match source {
            0 => add_to(choices, &mut case.pod.says.stated),
            1 => objects
                .namespaces
                .iter_mut()
                .flatten()
                .fold(false, |added, namespace| match &mut namespace.says {
                    NamespaceSays::Profile(stated) => add_to(choices, stated) || added,
                    _ => added,
                }),
            2 => objects
                .storage_classes
                .iter_mut()
                .flatten()
                .any(|class| add_to(choices, &mut class.says.stated)),
            3 => objects
                .volumes
                .iter_mut()
                .flatten()
                .any(|volume| add_to(choices, &mut volume.says.stated)),
            4 => objects
                .claims
                .iter_mut()
                .flatten()
                .any(|claim| add_to(choices, &mut claim.says.stated)),
            _ => match case
                .pod
                .mounts
                .first_mut()
                .and_then(|mount| mount.template.as_mut())
            {
                Some(template) => add_to(choices, &mut template.says.stated),
                None => false,
            },
        }
    });
}

#[test]
fn adding_a_value_to_a_list_of_a_data_set_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            set.data_sets.iter_mut().fold(false, |added, data_set| {
                let word = if choices.below(2) == 0 {
                    let word = generate::another_word(choices, &data_set.categories, Dimension::Category);
                    data_set.categories.extend(word);
                    word
                } else {
                    let word = generate::another_word(choices, &data_set.subjects, Dimension::Subject);
                    data_set.subjects.extend(word);
                    word
                };
                added || word.is_some()
            })
        },
        |_| true,
    );
}

#[test]
fn the_first_annotation_of_a_pod_or_a_claim_never_widens() {
    change_never_widens(|choices, case| {
        let stated = generate::stated_by_workload(choices);
        if stated.is_empty() {
            return false;
        }
        if choices.below(2) == 0 {
            let is_first = case.pod.says.stated.is_empty();
            if is_first {
                case.pod.says.stated = stated;
            }
            return is_first;
        }
        let claims = case.objects.claims.iter_mut().flatten();
        let mut unsaid = claims.filter(|claim| claim.says.stated.is_empty());
        match unsaid.next() {
            Some(claim) => {
                claim.says.stated = stated;
                true
            }
            None => false,
        }
    });
}

#[test]
fn adding_a_source_never_widens() {
    change_never_widens(|choices, case| match choices.below(4) {
        0 => {
            let mount = generate::mount(choices);
            let is_new = case.pod.mounts.iter().all(|known| known.claim != mount.claim);
            if is_new {
                case.pod.mounts.push(mount);
            }
            is_new
        }
        1 => {
            let name = choices.one(&generate::DATA_SETS);
            let is_new = !case.pod.says.data_sets.contains(&name);
            if is_new {
                case.pod.says.data_sets.push(name);
            }
            is_new
        }
        2 => {
            let stated = generate::stated(choices);
            let classes = case.objects.storage_classes.iter_mut().flatten();
            let mut unsaid = classes.filter(|class| class.says.stated.is_empty());
            match unsaid.next() {
                Some(class) if !stated.is_empty() => {
                    class.says.stated = stated;
                    true
                }
                _ => false,
            }
        }
        _ => {
            let stated = generate::stated(choices);
            let volumes = case.objects.volumes.iter_mut().flatten();
            let mut unsaid = volumes.filter(|volume| volume.says.stated.is_empty());
            match unsaid.next() {
                Some(volume) if !stated.is_empty() => {
                    volume.says.stated = stated;
                    true
                }
                _ => false,
            }
        }
    });
}

#[test]
fn a_claim_or_volume_that_becomes_unknown_never_widens() {
    change_never_widens(|choices, case| {
        let mounted = case.pod.mounts.first().map(|mount| mount.claim);
        if choices.below(2) == 0 {
            let Some(claims) = &mut case.objects.claims else {
                return false;
            };
            // A claim that is made from a template may legitimately not be there yet.
            if case.pod.mounts.iter().any(|mount| mount.template.is_some()) {
                return false;
            }
            let before = claims.len();
            claims.retain(|claim| Some(claim.name) != mounted);
            claims.len() < before
        } else {
            let Some(volumes) = &mut case.objects.volumes else {
                return false;
            };
            volumes.remove(choices.below(volumes.len()));
            true
        }
    });
}

fn new_policy(choices: &mut Choices, set: &mut Set, kinds: Kinds) {
    let name = ["b", "z"][choices.below(2)];
    let policy = generate::policy(choices, name, set.groups.len(), kinds);
    set.policies.push(policy);
}

#[test]
fn a_policy_that_only_denies_or_requires_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            new_policy(choices, set, Kinds::DenyOrRequire);
            true
        },
        |_| true,
    );
}

#[test]
fn covered_data_never_widens_when_a_policy_is_added() {
    let is_covered = |verdict: &Verdict| {
        verdict
            .restrictions
            .iter()
            .all(|restriction| !matches!(restriction.cause, Cause::Uncovered | Cause::Unlabelled))
    };
    change_of_set_never_widens(
        |choices, set| {
            new_policy(choices, set, Kinds::Any);
            true
        },
        is_covered,
    );
}

#[test]
fn a_data_set_that_becomes_undeclared_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            set.data_sets.remove(choices.below(2));
            true
        },
        |_| true,
    );
}

/// Makes one fact unknown.
fn forget(choices: &mut Choices, facts: &mut Facts) -> bool {
    match choices.below(7) {
        0 => facts.operator.take().is_some(),
        1 => facts.certifications.take().is_some(),
        2 => facts.key_custody.take().is_some(),
        3 => facts.tenancy.take().is_some(),
        4 => {
            let operator = facts.operator.as_mut();
            operator.is_some_and(|operator| {
                operator.controlled_from.take().is_some()
                    | operator.admin_access_from.take().is_some()
                    | operator.legal_entity.take().is_some()
            })
        }
        5 => {
            let mut held = facts.certifications.iter_mut().flatten();
            held.any(|held| held.valid_until.take().is_some())
        }
        _ => {
            let mut held = facts.certifications.iter_mut().flatten();
            held.any(|held| held.level.take().is_some())
        }
    }
}

#[test]
fn a_place_fact_that_becomes_unknown_never_widens() {
    change_of_set_never_widens(
        |choices, set| {
            let index = choices.below(set.regions.len());
            match choices.below(4) {
                0 => {
                    let region = set.regions.remove(index);
                    // A bare key may resolve once its namesake is gone: that is an edit of the catalogue.
                    set.regions.iter().all(|other| other.region != region.region)
                }
                1 => set.regions[index].subdivision.take().is_some(),
                _ => forget(choices, &mut set.regions[index].facts),
            }
        },
        |_| true,
    );
}

/// A pod that has nothing but one tuple from its own source.
fn alone(profile: &Profile, sourced: &SourcedTuple) -> Profile {
    let mut single = Profile {
        tuples: vec![sourced.clone()],
        namespace_labels: Some(std::collections::BTreeMap::new()),
        performs: profile.performs,
        ..Profile::default()
    };
    match &sourced.source {
        Source::Namespace => single.namespace_labels.clone_from(&profile.namespace_labels),
        Source::StorageClass(name) => single.storage_classes.push(Some(name.clone())),
        Source::DataSet(name) => {
            let of_pod = profile.data_sets.iter();
            single
                .data_sets
                .extend(of_pod.filter(|used| used.name == *name).cloned());
        }
        Source::Pod | Source::Claim(_) | Source::Volume(_) => {}
    }
    single
}

#[test]
fn what_a_pod_is_permitted_lies_within_what_each_of_its_tuples_is() {
    hold(|choices| {
        let world = generate::set(choices);
        let set = load(&world);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&set);
            for sourced in &judged.profile.tuples {
                let single = evaluate(&set, &alone(&judged.profile, sourced), timestamp(case.now));
                never_wider(&world, (&set, &single), (&set, &judged.verdict), || {
                    format!("{sourced:?} of {:#?} {:#?}", case.pod, case.objects)
                })?;
            }
        }
        Ok(PODS_PER_SET)
    });
}

fn sentence(set: &PolicySet, judged: &Judged) -> String {
    let fleet = PlacesOfFleet {
        all: set.catalogue().every_place(),
        some_unconfirmed: true,
    };
    domicile::policy::sentence(set, &judged.profile, &judged.verdict, &fleet)
}

/// Puts everything whose order must not matter into another order.
fn reorder(choices: &mut Choices, set: &mut Set) {
    choices.shuffle(&mut set.regions);
    choices.shuffle(&mut set.groups);
    choices.shuffle(&mut set.policies);
    choices.shuffle(&mut set.data_sets);
    for group in &mut set.groups {
        choices.shuffle(&mut group.members);
    }
    for policy in &mut set.policies {
        choices.shuffle(&mut policy.blocks);
        choices.shuffle(&mut policy.rules);
    }
    for data_set in &mut set.data_sets {
        choices.shuffle(&mut data_set.categories);
        choices.shuffle(&mut data_set.subjects);
    }
}

#[test]
fn the_order_of_files_policies_rules_and_lists_is_irrelevant() {
    hold(|choices| {
        let world = generate::set(choices);
        let mut reordered = world.clone();
        reorder(choices, &mut reordered);
        let set = load(&world);
        let documents = written::documents(&reordered);
        let (first, second) = documents.split_at(choices.below(documents.len()));
        let files = [
            ("b.yaml", first.join("\n---\n")),
            ("a.yaml", second.join("\n---\n")),
        ];
        let other = PolicySet::load(files.iter().map(|(name, text)| (*name, text.as_str())));
        let other = other.map_err(|findings| findings[0].to_string())?.set;
        for _ in 0..PODS_PER_SET {
            let mut case = case(choices);
            let judged = case.judge(&set);
            choices.shuffle(&mut case.pod.mounts);
            choices.shuffle(&mut case.pod.says.data_sets);
            let again = case.judge(&other);
            for labels in labels(&world) {
                if permits(&set, &judged.verdict, labels) != permits(&other, &again.verdict, labels) {
                    return Err(format!("{labels:?} depends on the order\n{world:#?}"));
                }
            }
            if sentence(&set, &judged) != sentence(&other, &again) {
                let (one, two) = (sentence(&set, &judged), sentence(&other, &again));
                return Err(format!(
                    "the sentence depends on the order: {one} / {two}\n{world:#?}"
                ));
            }
        }
        Ok(PODS_PER_SET)
    });
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    hold(|choices| {
        let world = generate::set(choices);
        let (set, again) = (load(&world), load(&world));
        if set.digest() != again.digest() {
            return Err("the digests differ".to_owned());
        }
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let (one, two) = (case.judge(&set), case.judge(&again));
            if format!("{:?}{:?}", one.profile, one.verdict) != format!("{:?}{:?}", two.profile, two.verdict)
                || sentence(&set, &one) != sentence(&again, &two)
            {
                return Err(format!("{world:#?}"));
            }
        }
        Ok(PODS_PER_SET)
    });
}

#[test]
fn a_verdict_holds_until_it_says() {
    hold(|choices| {
        let world = generate::set(choices);
        let set = load(&world);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&set);
            let later = case.now + 24 * choices.one(&[1, 2, 30, 60, 100]) - choices.below(2) as i64;
            let holds = |until| timestamp(later) < until;
            if judged.verdict.valid_until.is_none_or(holds) {
                let then = judge(&set, &written::fleet(&case.objects), &case.pod, later);
                if then.verdict.permitted != judged.verdict.permitted {
                    return Err(format!("changed before {later}: {:#?}\n{world:#?}", case.pod));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}

#[test]
fn a_naive_evaluator_permits_the_same_places() {
    hold(|choices| {
        let world = generate::set(choices);
        let set = load(&world);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&set);
            let naive = Naive {
                set: &world,
                objects: &case.objects,
                now: case.now,
            };
            for labels in labels(&world) {
                let (engine, naive) = (
                    permits(&set, &judged.verdict, labels),
                    naive.permits(&case.pod, labels),
                );
                if engine != naive {
                    let Case { objects, pod, now } = &case;
                    let profile = &judged.profile;
                    return Err(format!(
                        "at {labels:?} the engine says {engine} and the naive evaluator {naive}\nnow: {now}\n{pod:#?}\n{profile:#?}\n{objects:#?}\n{world:#?}"
                    ));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}

/// A snapshot with a few nodes at random places.
fn snapshot(choices: &mut Choices, set: Arc<PolicySet>, world: &Set, objects: &Objects) -> Snapshot {
    let all = labels(world);
    let mut fleet: Fleet = written::fleet(objects);
    for number in 0..6 {
        let labels = choices.one(&all);
        let record = NodeRecord {
            locality: written::locality(labels),
            ..NodeRecord::default()
        };
        fleet
            .nodes
            .insert(NodeName::new(&format!("host-{number}")).unwrap(), record);
    }
    let coordinates = set.catalogue().coordinates();
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet),
        fleet_version: "1".to_owned(),
        policies: set,
        data_sets: Arc::default(),
        data_sets_version: "1".to_owned(),
        latency: Arc::new(LatencyTable::build(&Measurements::default(), &coordinates)),
    })
}

#[test]
fn the_sentence_is_constant_whatever_is_offered() {
    hold(|choices| {
        let world = generate::set(choices);
        let set = Arc::new(load(&world));
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let snapshot = snapshot(choices, set.clone(), &world, &case.objects);
            let assessment = assess(&snapshot, &written::pod(&case.pod), timestamp(case.now));
            let sentence = assessment.sentence();
            let unfit = sentence.contains(", ")
                || sentence.contains("host-")
                || sentence.contains(char::is_control)
                || !sentence.starts_with("domicile: ");
            if unfit {
                return Err(format!("unfit: {sentence}\n{world:#?}"));
            }
            let mut said = BTreeSet::new();
            for _ in 0..4 {
                let mut names: Vec<String> = (0..7).map(|number| format!("host-{number}")).collect();
                choices.shuffle(&mut names);
                names.truncate(1 + choices.below(7));
                let offered = names.iter().map(|name| snapshot.class_of(name.as_bytes()));
                if let Answer::Refused(sentence) = filter(&assessment, offered, BlindSample::Refuse).answer {
                    said.insert(sentence);
                }
            }
            if said.iter().any(|said| *said != sentence) {
                return Err(format!("{said:?} is not {sentence}"));
            }
        }
        Ok(PODS_PER_SET)
    });
}

/// What a damaged file has in it: pieces that YAML or the language gives a meaning.
const PIECES: [&str; 20] = [
    "{", "}", "[", "]", ",", ":", "\"", "'", "&a ", "*a ", "---\n", "\n", "- ", "? ", "| ", "!!str ",
    "\u{feff}", "null", "NO", "group/G0",
];

#[test]
fn a_damaged_file_is_a_finding_and_never_a_panic() {
    // A case is a whole file, which takes as long as many verdicts.
    hold_for(wanted_cases() / 20, |choices| {
        let world = generate::set(choices);
        let mut text = written::documents(&world).join("\n---\n");
        for _ in 0..=choices.below(4) {
            let positions: Vec<usize> = text.char_indices().map(|(position, _)| position).collect();
            let (from, to) = (choices.one(&positions), choices.one(&positions));
            match choices.below(3) {
                0 => text.insert_str(from, choices.one(&PIECES)),
                1 => text.truncate(from.max(1)),
                _ => {
                    let end = to.max(from).min(from + 40);
                    let end = (end..).find(|end| text.is_char_boundary(*end)).unwrap_or(from);
                    text.replace_range(from.min(end)..end, choices.one(&PIECES));
                }
            }
        }
        let loaded = std::panic::catch_unwind(|| PolicySet::load([("set.yaml", text.as_str())]).map(|_| ()));
        match loaded {
            Ok(Err(findings)) if findings.is_empty() => Err(format!("refused without a finding: {text}")),
            Ok(_) => Ok(1),
            Err(_) => Err(format!("it panics: {text}")),
        }
    });
}
