//! Order, time, repetition, the naive evaluator, the sentence, and files that are damaged.

use std::collections::BTreeSet;
use std::sync::Arc;

use domicile::model::{Fleet, NodeName};
use domicile::placement::{Answer, BlindSample, assess, filter};
use domicile::policy::{PolicySet, Verdict};
use domicile::snapshot::Snapshot;

use super::super::choices::{Choices, hold, hold_for, wanted_cases};
use super::super::generate;
use super::super::naive::Naive;
use super::super::world::*;
use super::super::written::{self, Engine, judge, load, timestamp};
use super::{PODS_PER_SET, case, sentence};

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
    choices.shuffle(&mut set.exceptions);
    choices.shuffle(&mut set.links);
    for link in &mut set.links {
        link.ends.reverse();
        choices.shuffle(&mut link.countries);
    }
    for exception in &mut set.exceptions {
        choices.shuffle(&mut exception.locations);
    }
    for data_set in &mut set.data_sets {
        choices.shuffle(&mut data_set.replicas);
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
        let labels = labels(&world);
        let set = Engine::of(&world, &labels);
        let documents = written::documents(&reordered);
        let (first, second) = documents.split_at(choices.below(documents.len()));
        let files = [
            ("b.yaml", first.join("\n---\n")),
            ("a.yaml", second.join("\n---\n")),
        ];
        let other = PolicySet::load(files.iter().map(|(name, text)| (*name, text.as_str())));
        let other = other.map_err(|findings| findings[0].to_string())?.set;
        let other = Engine::new(other, &labels);
        for _ in 0..PODS_PER_SET {
            let mut case = case(choices);
            let judged = case.judge(&set);
            choices.shuffle(&mut case.pod.mounts);
            choices.shuffle(&mut case.pod.says.data_sets);
            let again = case.judge(&other);
            for (node, labels) in labels.iter().enumerate() {
                if set.permits(&judged.verdict, node) != other.permits(&again.verdict, node) {
                    return Err(format!("{labels:?} depends on the order\n{world:#?}"));
                }
            }
            if written::ways(&set.set, &judged) != written::ways(&other.set, &again) {
                return Err(format!("what is taken away depends on the order\n{world:#?}"));
            }
            let (one, two) = (sentence(&set.set, &judged), sentence(&other.set, &again));
            if one != two {
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
        let (set, again) = (Engine::of(&world, &[]), Engine::of(&world, &[]));
        if set.set.digest() != again.set.digest() {
            return Err("the digests differ".to_owned());
        }
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let (one, two) = (case.judge(&set), case.judge(&again));
            if format!("{:?}{:?}", one.profile, one.verdict) != format!("{:?}{:?}", two.profile, two.verdict)
                || sentence(&set.set, &one) != sentence(&again.set, &two)
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
        let engine = Engine::of(&world, &[]);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&engine);
            let later = case.now + 24 * choices.one(&[1, 2, 30, 60, 100]) - choices.below(2) as i64;
            let holds = |until| timestamp(later) < until;
            if judged.verdict.valid_until.is_none_or(holds) {
                let then = judge(&engine.set, &written::fleet(&case.objects), &case.pod, later);
                let said = |verdict: &Verdict| {
                    let Verdict {
                        permitted,
                        exceptions,
                        without_exceptions,
                        transit,
                        ..
                    } = verdict;
                    let confirmed = verdict.needs_confirmed_region;
                    format!("{permitted:?} {confirmed} {exceptions:?} {without_exceptions:?} {transit:?}")
                };
                if said(&then.verdict) != said(&judged.verdict) {
                    return Err(format!(
                        "changed before {later}: {}\n{world:#?}",
                        case.described()
                    ));
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
        let labels = labels(&world);
        let engine = Engine::of(&world, &labels);
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let judged = case.judge(&engine);
            let naive = Naive {
                set: &world,
                objects: &case.objects,
                now: case.now,
            };
            for (node, labels) in labels.iter().enumerate() {
                let (engine, naive) = (
                    engine.permits(&judged.verdict, node),
                    naive.permits(&case.pod, *labels),
                );
                if engine != naive {
                    let profile = &judged.profile;
                    return Err(format!(
                        "at {labels:?} the engine says {engine} and the naive evaluator {naive}\n{}\n{profile:#?}\n{world:#?}",
                        case.described()
                    ));
                }
            }
        }
        Ok(PODS_PER_SET)
    });
}

#[test]
fn a_naive_evaluator_takes_the_same_ways_away() {
    hold(|choices| {
        let mut world = generate::set(choices);
        // Most sets have no such rule, and a set is dear to load.
        let groups = world.groups.len();
        world
            .policies
            .push(generate::transit_policy(choices, "ways", groups));
        let engine = Engine::of(&world, &[]);
        let mut tried = 0;
        for _ in 0..PODS_PER_SET {
            let case = case(choices);
            let engine = written::ways(&engine.set, &case.judge(&engine));
            let naive = Naive {
                set: &world,
                objects: &case.objects,
                now: case.now,
            };
            let naive = naive.ways(&case.pod);
            if engine != naive {
                return Err(format!(
                    "the engine says {engine:#?} and the naive evaluator {naive:#?}\n{}\n{world:#?}",
                    case.described()
                ));
            }
            tried += usize::from(!naive.is_empty());
        }
        Ok(tried)
    });
}

/// A snapshot with a few nodes at random places.
fn snapshot(choices: &mut Choices, set: Arc<PolicySet>, world: &Set, objects: &Objects) -> Snapshot {
    let all = labels(world);
    let mut fleet: Fleet = written::fleet(objects);
    for number in 0..6 {
        let labels = choices.one(&all);
        let name = NodeName::new(&format!("host-{number}")).unwrap();
        fleet.nodes.insert(name, written::node(labels));
    }
    written::snapshot(set, fleet)
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
