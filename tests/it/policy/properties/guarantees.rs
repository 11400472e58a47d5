//! Guarantees: what is proved is never broken, and what breaks one really does, by the naive evaluator and
//! by the engine.

use domicile::model::{DataTuple, Dimension};
use domicile::policy::{Activity, Counterexample, PolicySet, ProofOutcome};
use serde_json::json;

use super::super::choices::{Choices, hold, hold_for, wanted_cases};
use super::super::generate;
use super::super::naive::Naive;
use super::super::world::*;
use super::super::written::{self, Engine, judge, timestamp};
use super::{Case, PODS_PER_SET, case};

/// A word that lives as long as the test.
fn word(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn words<T: ToString>(list: &[T]) -> Vec<&'static str> {
    list.iter().map(|item| word(&item.to_string())).collect()
}

fn document(guarantee: &Guarantee) -> String {
    let mut data = serde_json::Map::new();
    if let Some(at_least) = guarantee.data.at_least {
        data.insert("classification".to_owned(), json!({"atLeast": at_least}));
    }
    if let Some(categories) = &guarantee.data.categories {
        data.insert("categories".to_owned(), json!(categories));
    }
    if let Some(subjects) = &guarantee.data.subjects {
        data.insert("subjects".to_owned(), json!(subjects));
    }
    let location = match &guarantee.location {
        Location::In(places) => json!({"in": places}),
        Location::Outside(places) => json!({"outside": places}),
    };
    let never = json!({"data": data, "activities": guarantee.activities, "location": location});
    let exceptions = if guarantee.allows_exceptions {
        "listed"
    } else {
        "none"
    };
    let spec = json!({"says": "never", "never": never, "exceptions": exceptions});
    json!({"apiVersion": "domicile.dev/v1alpha1", "kind": "Guarantee", "metadata": {"name": "g"}, "spec": spec})
        .to_string()
}

fn load(world: &Set, guarantee: &Guarantee) -> PolicySet {
    let mut documents = written::documents(world);
    documents.push(document(guarantee));
    written::load_documents(&documents)
}

/// A pod whose only data is one tuple that its namespace states, which breaks guarantees more often than
/// a pod of many.
fn simple_case(choices: &mut Choices) -> Case {
    let mut case = case(choices);
    let alone = |list: &mut Option<Vec<&'static str>>| list.iter_mut().for_each(|list| list.truncate(1));
    let mut stated = generate::stated(choices);
    alone(&mut stated.classifications);
    alone(&mut stated.categories);
    alone(&mut stated.subjects);
    if stated.is_empty() {
        stated.classifications = Some(vec!["internal"]);
    }
    for namespace in case.objects.namespaces.iter_mut().flatten() {
        namespace.says = NamespaceSays::Profile(stated.clone());
    }
    case.pod.says = Says::default();
    case.pod.mounts.truncate(1);
    for mount in &mut case.pod.mounts {
        let template = Template {
            storage_class: None,
            says: Says::default(),
        };
        mount.template = Some(template);
        mount.claim = "new";
    }
    case
}

/// Without exceptions where the guarantee only lists those that open it.
fn as_promised(world: &Set, guarantee: &Guarantee) -> Set {
    let mut world = world.clone();
    if guarantee.allows_exceptions {
        world.exceptions.clear();
    }
    world
}

#[test]
fn what_is_proved_is_never_broken_by_any_pod_on_any_node() {
    hold(|choices| {
        let world = generate::set(choices);
        let guarantee = generate::guarantee(choices, &world);
        let at = generate::instant(choices);
        let proofs = load(&world, &guarantee).prove(timestamp(at));
        if !proofs.all_hold() {
            return Ok(0);
        }
        let labels = labels(&world);
        let promised = as_promised(&world, &guarantee);
        let mut tried = 0;
        for number in 0..PODS_PER_SET {
            let case = if number % 2 == 0 {
                simple_case(choices)
            } else {
                case(choices)
            };
            if case.now < at {
                continue;
            }
            let naive = Naive {
                set: &promised,
                objects: &case.objects,
                now: case.now,
            };
            tried += 1;
            if let Some(labels) = labels
                .iter()
                .find(|labels| naive.breaks(&guarantee, &case.pod, **labels))
            {
                let described = case.described();
                return Err(format!(
                    "proved at {at} and broken at {labels:?}\n{guarantee:#?}\n{described}\n{world:#?}"
                ));
            }
        }
        Ok(tried)
    });
}

#[test]
fn what_breaks_a_guarantee_is_possible_and_is_permitted() {
    // A case is a set that is loaded twice, where other properties judge many pods by each.
    hold_for(wanted_cases() / 5, |choices| {
        let world = generate::set(choices);
        let guarantee = generate::guarantee(choices, &world);
        let at = generate::instant(choices);
        let proofs = load(&world, &guarantee).prove(timestamp(at));
        let ProofOutcome::Fails(counterexample) = &proofs.proofs[0].outcome else {
            return Ok(1);
        };
        let Some((world, case, labels)) = made_real(&world, &guarantee, counterexample) else {
            return Ok(1);
        };
        let naive = Naive {
            set: &world,
            objects: &case.objects,
            now: case.now,
        };
        let engine = Engine::new(load(&world, &guarantee), &[labels]);
        let judged = judge(&engine.set, &written::fleet(&case.objects), &case.pod, case.now);
        let (by_naive, by_engine) = (
            naive.breaks(&guarantee, &case.pod, labels),
            engine.permits(&judged.verdict, 0),
        );
        if by_naive && by_engine {
            return Ok(1);
        }
        let said = &counterexample.sentence;
        let described = case.described();
        Err(format!(
            "no counterexample (naive {by_naive}, engine {by_engine}): {said}\n{labels:?}\n{guarantee:#?}\n{described}\n{world:#?}"
        ))
    });
}

/// The counterexample as a pod on a node of a region that is now catalogued; nothing where only a part of
/// the worst case can be made real by one pod of this small world.
fn made_real(
    world: &Set,
    guarantee: &Guarantee,
    counterexample: &Counterexample,
) -> Option<(Set, Case, Labels)> {
    let mut world = as_promised(world, guarantee);
    // Pods write their owners themselves, so a workload is no boundary.
    for exception in &mut world.exceptions {
        exception.workload = None;
    }
    let now = (counterexample.instant.duration_since(timestamp(0)).as_secs()) / 3_600;
    let place = &counterexample.place;
    let labels = match place.country {
        None => Labels::default(),
        Some(country) => {
            world.regions.push(Region {
                provider: "h",
                region: "h0",
                country: word(country.code()),
                subdivision: place.subdivision.as_ref().map(|part| word(part.code())),
                facts: facts(place),
                zone: None,
                as_of: now.div_euclid(24),
            });
            Labels {
                provider: Some("h"),
                region: Some("h0"),
                restricted: Some("h0"),
                provider_id: Some(("h", "h0")),
                ..Labels::default()
            }
        }
    };
    let namespace = counterexample
        .namespace
        .as_ref()
        .map_or("n9", |name| word(name.as_str()));
    // An exempt namespace asserts nothing, so something else must; that is not tried here.
    if world.exempt.contains(&namespace) {
        return None;
    }
    let source = &counterexample.source;
    let stated = stated(&counterexample.tuple);
    let replicates = counterexample.performs.contains(Activity::Replicate);
    let mut says = NamespaceSays::Profile(stated.clone());
    // A class that is not known may wait for the pod, which would make it a copy.
    let mut storage_classes = vec![StorageClass {
        name: "plain",
        waits: false,
        says: Says::default(),
    }];
    let mut of_pod = Says::default();
    if let Some(class) = &source.storage_class {
        says = NamespaceSays::ByWorkload;
        let says = Says {
            stated: stated.clone(),
            data_sets: Vec::new(),
        };
        storage_classes.push(StorageClass {
            name: word(class),
            waits: false,
            says,
        });
    }
    if let Some(name) = &source.data_set {
        says = NamespaceSays::ByWorkload;
        // A copy everywhere is more than this world can have, and a data set states every dimension.
        if replicates || !counterexample.tuple.is_complete() {
            return None;
        }
        let name = word(name.as_str());
        of_pod.data_sets.push(Use {
            name,
            reads: Some(false),
            writes: Some(false),
        });
        world.data_sets.retain(|known| known.name != name);
        world.data_sets.push(DataSet {
            name,
            classification: stated.classifications.as_ref()?[0],
            categories: stated.categories.clone()?,
            subjects: stated.subjects.clone()?,
            replicas: Vec::new(),
        });
    }
    let stores = counterexample.performs.contains(Activity::Store);
    let mount = Mount {
        claim: "new",
        template: Some(Template {
            // A class that is not known may be any; one that no block names is none of them.
            storage_class: Some(source.storage_class.as_ref().map_or("plain", |class| word(class))),
            says: Says::default(),
        }),
    };
    let namespace_labels = source.namespace_labels.iter();
    let case = Case {
        objects: Objects {
            namespaces: Some(vec![Namespace {
                name: namespace,
                labels: namespace_labels
                    .map(|(key, value)| (word(key), word(value)))
                    .collect(),
                says,
            }]),
            storage_classes: Some(storage_classes),
            volumes: Some(Vec::new()),
            claims: Some(Vec::new()),
        },
        pod: Pod {
            namespace,
            owner: None,
            replicates,
            says: of_pod,
            mounts: if stores { vec![mount] } else { Vec::new() },
        },
        now,
    };
    Some((world, case, labels))
}

fn stated(tuple: &DataTuple) -> Stated {
    let list = |word: &str| Some(vec![self::word(word)]);
    let stated = Stated {
        classifications: tuple
            .classification
            .and_then(|classification| list(classification.word())),
        categories: match tuple.category {
            Dimension::Missing => None,
            Dimension::None => list("none"),
            Dimension::Is(category) => list(category.word()),
        },
        subjects: match &tuple.subject {
            Dimension::Missing => None,
            Dimension::None => list("none"),
            Dimension::Is(subject) => list(&subject.to_string()),
        },
    };
    assert!(
        !stated.is_empty(),
        "a tuple of which something is known is always the plainer example"
    );
    stated
}

fn facts(place: &domicile::policy::PlaceFacts) -> Facts {
    let facts = &place.facts;
    // A date `validUntil` ends with its day; one just long enough to be asked for stays just long enough.
    let last_day = |end: jiff::Timestamp| {
        let hours = end.duration_since(timestamp(0)).as_secs() / 3_600;
        (hours - 1).div_euclid(24)
    };
    Facts {
        operator: facts.operator.as_ref().map(|operator| Operator {
            legal_entity: operator.legal_entity.as_ref().map(|entity| word(entity)),
            controlled_from: operator.controlled_from.as_deref().map(words),
            admin_access_from: operator.admin_access_from.as_deref().map(words),
        }),
        certifications: facts.certifications.as_ref().map(|held| {
            let held = held.iter().map(|held| Certification {
                scheme: word(&held.scheme),
                level: held.level.as_ref().map(|level| word(level)),
                valid_until: held.valid_until.map(last_day),
            });
            held.collect()
        }),
        key_custody: facts.key_custody.map(|custody| match custody {
            domicile::model::KeyCustody::Provider => "provider",
            domicile::model::KeyCustody::Customer => "customer",
            domicile::model::KeyCustody::External => "external",
        }),
        tenancy: facts.tenancy.map(|tenancy| match tenancy {
            domicile::model::Tenancy::Shared => "shared",
            domicile::model::Tenancy::Dedicated => "dedicated",
        }),
    }
}
