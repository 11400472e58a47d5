//! The decision over small worlds: what is refused, what is an error, what is scored.

use domicile::placement::{
    Answer, BlindSample, FilterOutcome, Preemption, ReasonCode, assess, filter, prioritize,
};
use domicile::snapshot::{ClassIndex, Snapshot};

use crate::world::{NOW, fleet, pod, policies, snapshot};

const GERMANY: &str = "aws/eu-central-1";
const IRELAND: &str = "aws/eu-west-1";
const VIRGINIA: &str = "aws/us-east-1";

const SENTENCE: &str = "domicile: `eea-personal-data/place` permits only group EEA; ask dpo@corp.example";

fn classes(snapshot: &Snapshot, names: impl IntoIterator<Item = String>) -> Vec<Option<ClassIndex>> {
    names
        .into_iter()
        .map(|name| snapshot.class_of(name.as_bytes()))
        .collect()
}

fn names(region: &str, count: usize) -> impl Iterator<Item = String> {
    let region = region.replace('/', "-");
    (0..count).map(move |number| format!("{region}-{number}"))
}

fn filtered(snapshot: &Snapshot, namespace: &str, offered: Vec<String>) -> FilterOutcome {
    let assessment = assess(snapshot, &pod(namespace), NOW.parse().unwrap());
    filter(
        &assessment,
        classes(snapshot, offered).into_iter(),
        BlindSample::Error,
    )
}

#[test]
fn a_governed_pod_stays_where_its_policy_permits_and_the_others_are_counted() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 3), (VIRGINIA, 4), ("-", 2)]));
    let offered = names(GERMANY, 3)
        .chain(names(VIRGINIA, 4))
        .chain(names("-", 2))
        .collect();
    let outcome = filtered(&world, "shop", offered);
    assert_eq!(
        (outcome.candidates, outcome.permitted, outcome.unknown),
        (9, 3, 0)
    );
    assert_eq!(outcome.answer, Answer::Survivors);
    let rule = outcome
        .reasons
        .iter()
        .find(|reason| reason.rule.as_deref() == Some("eea-personal-data/place"))
        .unwrap();
    assert_eq!((rule.code, rule.nodes), (ReasonCode::Rule, 6));
}

#[test]
fn a_refusal_says_its_sentence_and_a_small_offer_is_never_a_blind_sample() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 3), (VIRGINIA, 150)]));
    // 99 nodes: kube-scheduler never samples so few, so its own filters took the German nodes away.
    let outcome = filtered(&world, "shop", names(VIRGINIA, 99).collect());
    assert_eq!(outcome.answer, Answer::Refused(SENTENCE.to_owned()));
    let outcome = filtered(&world, "shop", names(VIRGINIA, 100).collect());
    assert_eq!(outcome.answer, Answer::BlindSample);
}

#[test]
fn where_no_node_of_the_fleet_is_permitted_a_large_offer_is_a_refusal() {
    let world = snapshot(policies(&[]), fleet(&[(VIRGINIA, 300)]));
    let outcome = filtered(&world, "shop", names(VIRGINIA, 200).collect());
    assert_eq!(outcome.answer, Answer::Refused(SENTENCE.to_owned()));
}

#[test]
fn an_unknown_node_refuses_a_governed_pod_and_passes_an_ungoverned_one() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 1)]));
    let offered = || vec!["not-yet-seen".to_owned()];
    let governed = filtered(&world, "shop", offered());
    assert!(
        matches!(governed.answer, Answer::Refused(ref sentence) if sentence.contains("known within seconds"))
    );
    assert_eq!(governed.reasons[0].code, ReasonCode::UnknownNode);
    for namespace in ["site", "plain"] {
        let outcome = filtered(&world, namespace, offered());
        assert_eq!(
            (outcome.answer, outcome.permitted),
            (Answer::Survivors, 1),
            "{namespace}"
        );
    }
}

#[test]
fn a_namespace_that_is_not_known_is_restricted_by_everything() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 1), (VIRGINIA, 1)]));
    let outcome = filtered(
        &world,
        "just-created",
        vec![format!("{}-0", GERMANY.replace('/', "-"))],
    );
    assert!(matches!(outcome.answer, Answer::Refused(_)), "{outcome:?}");
}

#[test]
fn observing_refuses_nothing_and_still_counts() {
    let world = snapshot(
        policies(&[("mode: enforce", "mode: observe")]),
        fleet(&[(VIRGINIA, 2)]),
    );
    let outcome = filtered(&world, "shop", names(VIRGINIA, 2).collect());
    assert_eq!((outcome.answer, outcome.permitted), (Answer::Survivors, 0));
    assert!(!outcome.reasons.is_empty());
}

#[test]
fn an_empty_offer_is_answered_with_nothing() {
    let world = snapshot(policies(&[]), fleet(&[(VIRGINIA, 2)]));
    assert_eq!(filtered(&world, "shop", Vec::new()).answer, Answer::Survivors);
}

#[test]
fn the_nearest_to_the_leader_scores_ten_and_a_forbidden_place_nothing() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 1), (IRELAND, 1), (VIRGINIA, 1)]));
    let json = br#"{"metadata":{"name":"p","namespace":"shop","uid":"u","annotations":{"domicile.dev/data-sets":"orders: reads=2 writes=1"}},"spec":{}}"#;
    let pod = domicile::objects::pod_from_json(json).unwrap();
    let assessment = assess(&world, &pod, NOW.parse().unwrap());
    let offered: Vec<Option<ClassIndex>> = [GERMANY, IRELAND, VIRGINIA]
        .map(|region| world.class_of(format!("{}-0", region.replace('/', "-")).as_bytes()))
        .to_vec();
    let scores = prioritize(&assessment, offered.iter().copied());
    let [germany, ireland, virginia] = [0, 1, 2].map(|index| scores.score(offered[index]).get());
    assert_eq!((germany, virginia), (10, 0));
    assert!(ireland < 10, "{ireland}");
    assert!(!scores.all_equal());
    let mut preemption = Preemption::new(&assessment, NOW.parse().unwrap());
    let mut keeps = |class, victims: &[&str]| preemption.judge(class, victims).is_kept;
    assert!(keeps(offered[0], &["somebody"]));
    assert!(!keeps(offered[0], &[]), "nobody to evict");
    assert!(!keeps(offered[2], &["somebody"]), "a forbidden place");
}

#[test]
fn a_pod_that_says_nothing_of_its_data_is_scored_equally_everywhere() {
    let world = snapshot(policies(&[]), fleet(&[(GERMANY, 1), (IRELAND, 1)]));
    let assessment = assess(&world, &pod("shop"), NOW.parse().unwrap());
    assert!(prioritize(&assessment, world.classes().map(|(class, _)| Some(class))).all_equal());
}
