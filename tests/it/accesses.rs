//! What an access refuses: limits, partitions, latency that nobody measured; the same for every question.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use domicile::embedded;
use domicile::model::{DataSet, DataSetName, Latency, PodRequirements, Statistic};
use domicile::placement::{
    Answer, Assessment, BlindSample, FilterOutcome, Preemption, ReasonCode, Refusal, assess, filter,
    prioritize,
};
use domicile::policy::{Mode, PolicySet};
use domicile::snapshot::{ClassIndex, Inputs, RunningFacts, Snapshot};
use domicile::topology::{
    Estimator, EstimatorSettings, LatencyTable, MeasuredPlace, Observation, Observed, parse_latency_csv,
};

use crate::world::{NOW, fleet, policies};

const GERMANY: &str = "aws/eu-central-1";
const IRELAND: &str = "aws/eu-west-1";
const PARIS: &str = "aws/eu-west-3";
const VIRGINIA: &str = "aws/us-east-1";
/// Nobody measured any way to it.
const AMSTERDAM: &str = "azure/westeurope";
const REGIONS: [&str; 5] = [GERMANY, IRELAND, PARIS, VIRGINIA, AMSTERDAM];

const LEDGER: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: ledger}
spec:
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: strict
  replicas:
    - {region: aws/eu-central-1, role: leader}
    - {region: aws/eu-west-1, role: voter}
    - {region: aws/eu-west-3, role: voter}
    - {region: aws/us-east-1, role: read-only}
"#;

/// A node in each region, the data set `ledger`, the shipped latencies and these regions cut off from each other.
fn world(settings: &[(&str, &str)], cut: &[(&str, &str)]) -> Snapshot {
    let policies = policies(settings);
    let coordinates = policies.catalogue().coordinates();
    let (name, text) = embedded::latency();
    let mut measurements = parse_latency_csv(name, text, |_| None, &coordinates).unwrap();
    let place = |region: &str| MeasuredPlace::parse(region).unwrap();
    for (one, other) in cut {
        measurements.set_unreachable(place(one), place(other));
        measurements.set_unreachable(place(other), place(one));
    }
    let table = LatencyTable::build(&measurements, &coordinates, Statistic::P50);
    snapshot_of(&Arc::new(policies), table)
}

fn snapshot_of(policies: &Arc<PolicySet>, table: LatencyTable) -> Snapshot {
    let data_sets: BTreeMap<DataSetName, DataSet> =
        domicile::policy::read_data_sets([("ledger.yaml", LEDGER)]).unwrap();
    Snapshot::new(Inputs {
        fleet: Arc::new(fleet(&REGIONS.map(|region| (region, 1)))),
        fleet_version: "test".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
        data_sets: Arc::new(data_sets),
        data_sets_version: "test".to_owned(),
        latency: Arc::new(table),
        policies: policies.clone(),
    })
}

fn pod(namespace: &str, annotations: &str) -> PodRequirements {
    let json = format!(
        r#"{{"metadata":{{"name":"p","namespace":"{namespace}","uid":"u","annotations":{{{annotations}}}}},"spec":{{}}}}"#
    );
    domicile::objects::pod_from_json(json.as_bytes()).unwrap()
}

fn class(world: &Snapshot, region: &str) -> Option<ClassIndex> {
    world.class_of(format!("{}-0", region.replace('/', "-")).as_bytes())
}

fn filtered(assessment: &Assessment<'_>) -> FilterOutcome {
    let offered = REGIONS.map(|region| class(assessment.snapshot, region));
    filter(assessment, offered.into_iter(), BlindSample::Error)
}

/// Checks where a pod may run, and what is said where it may not run anywhere.
fn check(world: &Snapshot, pod: &PodRequirements, permitted: &[&str], sentence: &str) {
    let assessment = assess(world, pod, NOW.parse().unwrap());
    let found: Vec<&str> = REGIONS
        .into_iter()
        .filter(|region| assessment.permits(class(world, region)))
        .collect();
    assert_eq!(found, permitted);
    assert_eq!(assessment.sentence(), sentence);

    // Every question has the same answer, and every refusal a reason that is counted.
    let scores = prioritize(
        &assessment,
        REGIONS.map(|region| class(world, region)).into_iter(),
    );
    let outcome = filtered(&assessment);
    assert_eq!(outcome.permitted, permitted.len());
    let mut preemption = Preemption::new(&assessment, NOW.parse().unwrap());
    for region in REGIONS {
        let at = class(world, region);
        let refuses = assessment.refusals(at).any(|(_, mode)| mode == Mode::Enforce);
        assert_eq!(refuses, !permitted.contains(&region), "{region}");
        let kept = preemption.judge(at, &["somebody"]).is_kept;
        assert_eq!(kept, !refuses, "{region}");
        assert!(!refuses || scores.score(at).get() == 0, "{region}");
    }
    let refused = REGIONS.len() - permitted.len();
    assert_eq!(outcome.reasons.is_empty(), refused == 0);
    if permitted.is_empty() {
        assert_eq!(outcome.answer, Answer::Refused(sentence.to_owned()));
    }
}

const READS: &str = r#""domicile.dev/data-sets":"ledger: reads=1""#;
const WRITES: &str = r#""domicile.dev/data-sets":"ledger: writes=1""#;

#[test]
fn a_limit_refuses_what_is_surely_too_far_and_nothing_that_is_not_measured() {
    let world = world(&[], &[]);
    // Reads go to Germany: Paris is 12.2 ms away, Ireland 26.9. To Amsterdam there is only a guess.
    let within = |limit: &str| {
        pod(
            "plain",
            &format!(r#"{READS},"domicile.dev/max-read-ms":"{limit}""#),
        )
    };
    let says = |limit: &str| {
        format!(
            "domicile: a read of `ledger` takes longer than the `{limit}` ms of `domicile.dev/max-read-ms`"
        )
    };
    check(&world, &within("20"), &[GERMANY, PARIS, AMSTERDAM], &says("20"));
    check(&world, &within("2"), &[GERMANY, AMSTERDAM], &says("2"));
    let far = within("2");
    let assessment = assess(&world, &far, NOW.parse().unwrap());
    let scores = prioritize(
        &assessment,
        [GERMANY, AMSTERDAM].map(|at| class(&world, at)).into_iter(),
    );
    let score = |region| scores.score(class(&world, region)).get();
    assert_eq!(
        (score(GERMANY), score(AMSTERDAM)),
        (10, 0),
        "a guess that is over the limit"
    );

    // A write waits for the nearest of two followers too: 12.2 ms to Paris.
    let writes = |limit: &str| {
        pod(
            "plain",
            &format!(r#"{WRITES},"domicile.dev/max-write-ms":"{limit}""#),
        )
    };
    let says = |limit: &str| {
        format!(
            "domicile: a write of `ledger` takes longer than the `{limit}` ms of `domicile.dev/max-write-ms`"
        )
    };
    check(&world, &writes("25"), &[GERMANY, PARIS, AMSTERDAM], &says("25"));
    check(&world, &writes("20"), &[GERMANY, AMSTERDAM], &says("20"));
    check(&world, &writes("10"), &[], &says("10"));
}

#[test]
fn what_the_policies_permit_is_said_first_and_accesses_are_judged_where_they_permit() {
    let world = world(&[], &[]);
    let limited = pod("shop", &format!(r#"{READS},"domicile.dev/max-read-ms":"20""#));
    check(
        &world,
        &limited,
        &[GERMANY, PARIS, AMSTERDAM],
        "domicile: `eea-personal-data/place` permits only group EEA; a read of `ledger` takes longer than the `20` \
         ms of `domicile.dev/max-read-ms`; ask dpo@corp.example",
    );
    // Only Virginia is too far, and no policy permits that.
    let wide = pod("shop", &format!(r#"{READS},"domicile.dev/max-read-ms":"60""#));
    check(
        &world,
        &wide,
        &[GERMANY, IRELAND, PARIS, AMSTERDAM],
        "domicile: `eea-personal-data/place` permits only group EEA; ask dpo@corp.example",
    );
    let assessment = assess(&world, &wide, NOW.parse().unwrap());
    let in_virginia: Vec<ReasonCode> = assessment
        .refusals(class(&world, VIRGINIA))
        .map(|(refusal, _)| refusal.code())
        .collect();
    assert!(in_virginia.contains(&ReasonCode::OverLimit) && in_virginia.contains(&ReasonCode::Rule));
    let reasons = filtered(&assessment).reasons;
    let over: Vec<_> = reasons
        .iter()
        .filter(|reason| reason.code == ReasonCode::OverLimit)
        .map(|reason| (reason.mode, reason.nodes))
        .collect();
    assert_eq!(over, [(Mode::Enforce, 1)]);
}

#[test]
fn a_partition_refuses_where_a_strict_data_set_has_no_quorum() {
    let reads = pod("plain", READS);
    check(
        &world(&[], &[(IRELAND, GERMANY)]),
        &reads,
        &[GERMANY, PARIS, VIRGINIA, AMSTERDAM],
        "domicile: no leader of `ledger` that reaches a majority of its voters is within reach",
    );
    // The leader is alone.
    check(
        &world(&[], &[(IRELAND, GERMANY), (PARIS, GERMANY)]),
        &reads,
        &[],
        "domicile: no leader of `ledger` that reaches a majority of its voters is within reach",
    );
    // A pod that uses nothing is not concerned.
    let none = pod("plain", "");
    let cut = world(&[], &[(IRELAND, GERMANY)]);
    let assessment = assess(&cut, &none, NOW.parse().unwrap());
    assert!(
        REGIONS
            .iter()
            .all(|region| assessment.permits(class(&cut, region)))
    );
}

#[test]
fn settings_may_demand_measured_latency() {
    let settings = [(
        "regionKey: topology",
        "regionKey: topology\n  latency: {requireMeasured: true}",
    )];
    let world = world(&settings, &[]);
    let measured = &[GERMANY, IRELAND, PARIS, VIRGINIA];
    let says = "domicile: the settings demand measured latency and a read of `ledger` has none";
    check(&world, &pod("plain", READS), measured, says);
    let clients = pod("plain", r#""domicile.dev/clients":"aws/eu-west-1=1""#);
    let says = "domicile: the settings demand measured latency and the way from the clients has none";
    check(&world, &clients, measured, says);

    // Of a node that nobody knows no latency is measured either.
    let assessment = assess(&world, &clients, NOW.parse().unwrap());
    assert!(!assessment.permits(None));
    let refusals: Vec<Refusal> = assessment.refusals(None).map(|(refusal, _)| refusal).collect();
    assert_eq!(
        refusals
            .iter()
            .map(|refusal| refusal.code().word())
            .collect::<Vec<_>>(),
        ["unmeasured"]
    );
    let nothing = pod("plain", "");
    assert!(assess(&world, &nothing, NOW.parse().unwrap()).permits(None));
}

#[test]
fn observing_refuses_no_access_and_still_counts() {
    let world = world(&[("mode: enforce", "mode: observe")], &[]);
    let limited = pod("plain", &format!(r#"{READS},"domicile.dev/max-read-ms":"20""#));
    let assessment = assess(&world, &limited, NOW.parse().unwrap());
    let outcome = filtered(&assessment);
    assert_eq!((outcome.answer, outcome.permitted), (Answer::Survivors, 3));
    let [over] = outcome.reasons.as_slice() else {
        panic!("one reason: {:?}", outcome.reasons);
    };
    assert_eq!((over.code, over.nodes), (ReasonCode::OverLimit, 2));
    assert!(
        REGIONS
            .iter()
            .all(|region| assessment.passes(class(&world, region)))
    );
}

#[test]
fn a_latency_that_moves_about_a_limit_does_not_flap() {
    let policies = Arc::new(policies(&[]));
    let limited = pod("plain", &format!(r#"{READS},"domicile.dev/max-read-ms":"20""#));
    let mut estimator = Estimator::new(EstimatorSettings::default());
    let (source, mut at): (Arc<str>, Timestamp) = (Arc::from("probes"), NOW.parse().unwrap());
    // One window each 30 s, and whether Paris is permitted after each.
    let mut verdicts = |windows: usize, ms: &[f64]| -> Vec<bool> {
        let each = ms.iter().cycle().take(windows);
        let verdicts = each.map(|ms| {
            at = at.checked_add(SignedDuration::from_secs(30)).unwrap();
            let p50 = Latency::from_ms(*ms).unwrap();
            let (from, to) = (
                MeasuredPlace::parse(PARIS).unwrap(),
                MeasuredPlace::parse(GERMANY).unwrap(),
            );
            let (p95, samples) = (None, None);
            let observed = Observed::RoundTrip { p50, p95, samples };
            estimator.observe(&[Observation { from, to, observed }], &source, at);
            let table = LatencyTable::build(&estimator.measurements(at), &BTreeMap::new(), Statistic::P50);
            let world = snapshot_of(&policies, table);
            assess(&world, &limited, at).permits(class(&world, PARIS))
        });
        verdicts.collect()
    };
    let changes = |verdicts: &[bool]| verdicts.windows(2).filter(|pair| pair[0] != pair[1]).count();

    let about = verdicts(40, &[18.5, 21.5, 19.0, 21.0]);
    assert_eq!((about[0], changes(&about)), (true, 0), "noise about the limit");
    let far = verdicts(40, &[40.0, 38.0, 42.0]);
    assert_eq!((far[39], changes(&far)), (false, 1), "a move that lasts: {far:?}");
    let back = verdicts(40, &[18.5, 21.5, 19.0, 21.0]);
    assert!(changes(&back) <= 1, "the way back: {back:?}");
    let near = verdicts(40, &[10.0, 11.0]);
    assert!(near[39] && changes(&near) <= 1, "well below the limit: {near:?}");
}
