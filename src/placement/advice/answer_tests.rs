//! Advice under rules on transit against the engine, which weighs pods: random links, rules, copies and demand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::{DataSetUse, Fleet, NamespaceName, PodRequirements, RequestsPerCall, Statistic};
use crate::placement::assess;
use crate::placement::cost::{Demanded, access_cost};
use crate::placement::ways::{Way, Ways};
use crate::policy::{PolicySet, read_data_sets};
use crate::snapshot::{Inputs, RunningFacts};
use crate::topology::{LatencyTable, parse_latency_csv};

/// How near two sums of the same numbers are.
const ROUNDING_MS: f64 = 1e-6;

/// Regions w/a to w/e; nobody measured any way to the last.
const REGIONS: [(&str, &str); 5] = [("a", "DE"), ("b", "FR"), ("c", "CH"), ("d", "ES"), ("e", "SE")];

const MEASURED: usize = 4;

/// Of all regions.
const PAIRS: usize = 10;

const NOW: &str = "2026-11-21T12:00:00Z";

/// A world of links and rules, without data sets.
#[derive(Debug, Clone)]
struct Case {
    /// Ends, and a country that is crossed.
    links: Vec<(usize, usize, &'static str)>,
    /// Specifications of `transit`, with the mode of the policy.
    transit: Vec<(&'static str, &'static str)>,
    /// What a rule on places denies.
    denied: &'static str,
    ms: Vec<u32>,
    consistency: &'static str,
    /// Role and region of each copy.
    copies: Vec<(&'static str, usize)>,
    /// Region, requests, reads, writes.
    demand: Vec<(usize, u32, u32, u32)>,
}

/// What a link between two regions crosses; most pairs have one, so that there are detours.
fn any_link() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        3 => Just(None),
        5 => Just(Some("")),
        2 => Just(Some("\"CH\"")),
        4 => Just(Some("\"RU\"")),
    ]
}

fn any_transit() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        4 => Just(("{forbid: [\"RU\"], whenPathUnknown: deny}", "enforce")),
        4 => Just(("{forbid: [\"RU\"], whenPathUnknown: warn}", "enforce")),
        1 => Just(("{forbid: [\"CH\"], whenPathUnknown: warn}", "enforce")),
        1 => Just(("{forbid: [\"CH\"], whenPathUnknown: deny}", "warn")),
    ]
}

prop_compose! {
    fn any_case()(
        crossed in prop::collection::vec(any_link(), PAIRS),
        transit in prop::collection::vec(any_transit(), 0..3),
        denied in prop::sample::select(vec!["KP", "KP", "FR"]),
        ms in prop::collection::vec(1_u32..200, MEASURED * MEASURED),
        consistency in prop::sample::select(vec!["strict", "available"]),
        is_led in prop::bool::weighted(0.7),
        roles in prop::collection::vec(
            prop::sample::select(vec!["leader", "voter", "voter", "voter", "read-only", "witness"]), 1..4),
        // A copy at the region that nobody measured leaves little to compare.
        regions in prop_oneof![
            9 => Just(vec![0, 1, 2, 3]).prop_shuffle(),
            1 => Just(vec![0, 1, 2, 3, 4]).prop_shuffle(),
        ],
        demand in prop::collection::vec((0..MEASURED, 1_u32..5, 0_u32..4, 0_u32..3), 1..4),
    ) -> Case {
        let pairs = (0..REGIONS.len()).flat_map(|to| (0..to).map(move |from| (from, to)));
        let links = pairs.zip(crossed).filter_map(|((from, to), crossed)| Some((from, to, crossed?)));
        let mut roles = roles;
        if is_led {
            roles[0] = "leader";
        }
        Case {
            links: links.collect(),
            copies: roles.into_iter().zip(regions).collect(),
            transit, denied, ms, consistency, demand,
        }
    }
}

fn key(region: usize) -> RegionKey {
    RegionKey::new("w", REGIONS[region].0).expect("a key")
}

fn ledger() -> DataSetName {
    DataSetName::new("ledger").expect("a name")
}

impl Case {
    fn policies(&self) -> PolicySet {
        let mut text = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: s}\n\
                        spec: {mode: enforce, uncovered: allow, unlabelled: allow, regionKey: topology}\n"
            .to_owned();
        let mut object = |kind: &str, name: &str, spec: &str| {
            let head = "---\napiVersion: domicile.dev/v1alpha1\n";
            write!(
                text,
                "{head}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
            )
            .expect("a text");
        };
        for (name, country) in REGIONS {
            let source = "source: {cite: x, asOf: \"2026-01-01\"}";
            let spec = format!("{{provider: w, region: {name}, country: \"{country}\", {source}}}");
            object("Region", &format!("w.{name}"), &spec);
        }
        for (number, (from, to, countries)) in self.links.iter().enumerate() {
            let (from, to) = (REGIONS[*from].0, REGIONS[*to].0);
            let rest = format!("countries: [{countries}], provider: x, asOf: \"2026-01-01\"");
            object(
                "NetworkLink",
                &format!("l{number}"),
                &format!("{{from: w/{from}, to: w/{to}, {rest}}}"),
            );
        }
        let place = (format!("denied: [\"{}\"]", self.denied), "enforce");
        let transit = self
            .transit
            .iter()
            .map(|(rule, mode)| (format!("transit: {rule}"), *mode));
        for (number, (rule, mode)) in transit.chain([place]).enumerate() {
            let spec = format!(
                "{{title: t, owner: {{team: a, contact: b}}, legalBasis: [{{cite: c}}], mode: {mode}, \
                 appliesTo: {{data: {{categories: [personal]}}}}, rules: [{{id: r, {rule}}}]}}"
            );
            object("PlacementPolicy", &format!("p{number}"), &spec);
        }
        PolicySet::load([("set.yaml", text.as_str())])
            .expect("a good set")
            .set
    }

    fn table(&self) -> LatencyTable {
        let mut text = "from,to,rtt_ms\n".to_owned();
        for (number, ms) in self.ms.iter().enumerate() {
            let (from, to) = (number / MEASURED, number % MEASURED);
            if from < to {
                writeln!(text, "w/{},w/{},{ms}", REGIONS[from].0, REGIONS[to].0).expect("a text");
            }
        }
        let measured = parse_latency_csv("t", &text, |_| None, &BTreeMap::new()).expect("a good file");
        LatencyTable::build(&measured, &BTreeMap::new(), Statistic::P50)
    }

    fn rows(&self) -> Vec<DemandRow> {
        let rows = self
            .demand
            .iter()
            .map(|(region, requests, reads, writes)| DemandRow {
                region: key(*region),
                requests: f64::from(*requests),
                reads: f64::from(*reads),
                writes: f64::from(*writes),
                ways: None,
            });
        super::super::joined(rows)
    }
}

/// The world of a case; its copies may be elsewhere.
struct Worlds {
    policies: Arc<PolicySet>,
    table: Arc<LatencyTable>,
}

impl Worlds {
    fn of(case: &Case) -> Self {
        Self {
            policies: Arc::new(case.policies()),
            table: Arc::new(case.table()),
        }
    }

    /// The world with these copies; what it shares with one before is not worked out again.
    fn with(&self, before: Option<&Snapshot>, consistency: &str, copies: &[(&str, RegionKey)]) -> Snapshot {
        let copies = copies
            .iter()
            .map(|(role, region)| format!("{{region: {region}, role: {role}}}"));
        let text = format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {{name: ledger}}\nspec:\n  profile: \
             {{classification: confidential, categories: [personal], subjects: [\"DE\"]}}\n  consistency: \
             {consistency}\n  replicas: [{}]\n",
            copies.collect::<Vec<_>>().join(", ")
        );
        let inputs = Inputs {
            fleet: Arc::new(Fleet::default()),
            fleet_version: "t".to_owned(),
            running: RunningFacts::default(),
            confirmed_until: None,
            data_sets: Arc::new(read_data_sets([("d.yaml", text.as_str())]).expect("good data sets")),
            data_sets_version: "t".to_owned(),
            latency: self.table.clone(),
            policies: self.policies.clone(),
        };
        match before {
            Some(before) => Snapshot::after(before, inputs),
            None => Snapshot::new(inputs),
        }
    }
}

/// What a pod costs by the engine that reads and writes so often from a region. The engine lets rules on transit
/// alone what copies tell each other, where advice does not; so the commits are worked out again by the ways left.
fn engine_ms(snapshot: &Snapshot, row: &DemandRow) -> Option<f64> {
    let mut pod = PodRequirements::imagined(NamespaceName::new("shop").expect("a name"));
    pod.annotations.access.data_sets = vec![DataSetUse {
        name: ledger(),
        reads: RequestsPerCall::new(row.reads),
        writes: RequestsPerCall::new(row.writes),
    }];
    let assessment = assess(snapshot, &pod, NOW.parse().expect("an instant"));
    let mut demand = assessment.demand().clone();
    let data_sets = demand.data_sets.into_iter();
    demand.data_sets = data_sets.map(|of| of.with_commits(snapshot.latency())).collect();
    let cost = access_cost(
        snapshot.latency(),
        &demand,
        snapshot.latency().locate(&row.region, None),
    );
    match cost.total {
        Demanded::NotDemanded => Some(0.0),
        // Advice is about what commits take, so nobody knowing that is no answer.
        Demanded::Known(total) if !(total.lacks_commit && row.writes > 0.0) => Some(total.ms),
        Demanded::Known(_) | Demanded::Unknown => None,
    }
}

fn mean_ms(snapshot: &Snapshot, rows: &[DemandRow]) -> Option<f64> {
    let requests: f64 = rows.iter().map(|row| row.requests).sum();
    let costs = rows
        .iter()
        .map(|row| Some(engine_ms(snapshot, row)? * row.requests / requests));
    costs.sum()
}

fn is_same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() < ROUNDING_MS,
        (None, None) => true,
        _ => false,
    }
}

/// Every way to put copies of these roles at different places.
fn every_placement(roles: &[ReplicaRole]) -> Vec<Vec<(&'static str, RegionKey)>> {
    let Some((role, others)) = roles.split_first() else {
        return vec![Vec::new()];
    };
    let mut placements = Vec::new();
    for shorter in every_placement(others) {
        for region in (0..MEASURED).map(key) {
            if shorter.iter().all(|(_, taken)| *taken != region) {
                let mut placement = shorter.clone();
                placement.push((role.word(), region));
                placements.push(placement);
            }
        }
    }
    placements
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let rows = case.rows();
    prop_assume!(rows.iter().any(|row| row.reads + row.writes > 0.0));
    let worlds = Worlds::of(case);
    let today: Vec<_> = case
        .copies
        .iter()
        .map(|(role, region)| (*role, key(*region)))
        .collect();
    let snapshot = worlds.with(None, case.consistency, &today);
    let candidates: BTreeSet<RegionKey> = (0..MEASURED).map(key).collect();
    let name = ledger();
    let question = Question {
        data_set: &name,
        demand: &rows,
        candidates: &candidates,
        copies: None,
        at: NOW.parse().expect("an instant"),
    };
    let advice = advise(&snapshot, &question).expect("an answer");
    let of_today = advice.today.as_ref().expect("copies");
    let engine_today = mean_ms(&snapshot, &advice.demand);
    prop_assert!(
        is_same(of_today.cost_ms, engine_today),
        "{:?} and {engine_today:?}",
        of_today
    );
    prop_assert!(of_today.cut_off.is_empty() || engine_today.is_none());

    let is_open = |one: &RegionKey, other: &RegionKey| {
        let [one, other] = [one, other].map(|region| snapshot.latency().locate(region, None));
        let permitted = advice.footing.ways_of_copies.ways(&snapshot);
        let ways = Ways::of(snapshot.latency()).that_remain(permitted.as_deref());
        ways.between(one, other) != Way::Unreachable
    };
    // Copies are kept like the leaders, or where there is none like any that holds data.
    let is_kept_alike = |placement: &[(&str, RegionKey)]| {
        let leads = placement.iter().any(|(role, _)| *role == "leader");
        let is_source = |role: &str| {
            if leads {
                role == "leader"
            } else {
                role != "witness"
            }
        };
        placement.iter().all(|(_, region)| {
            let sources = placement
                .iter()
                .filter(|(role, other)| is_source(role) && other != region);
            let sources: Vec<_> = sources.collect();
            sources.is_empty() || sources.iter().any(|(_, other)| is_open(other, region))
        })
    };
    prop_assert_eq!(of_today.apart.is_empty(), is_kept_alike(&today));

    // No placement at permitted regions serves what is cut off.
    let roles = roles_of(
        &snapshot.replicas().get(&name).expect("declared").data_set,
        advice.copies,
    );
    let permits = |placement: &[(&str, RegionKey)]| {
        placement.iter().all(|(role, region)| {
            let standing = &advice.footing.regions[region];
            standing.permits() && (*role != "leader" || standing.permits_leader())
        }) && is_kept_alike(placement)
    };
    let placements = every_placement(&roles);
    let placements: Vec<_> = placements.iter().filter(|placement| permits(placement)).collect();
    let asked = advice.asked().expect("asked");
    let mut least: Option<f64> = None;
    for placement in placements {
        let world = worlds.with(Some(&snapshot), case.consistency, placement);
        for row in &advice.cut_off {
            prop_assert_eq!(engine_ms(&world, row), None, "{:?} serves {:?}", placement, row);
        }
        let ms = mean_ms(&world, &advice.demand);
        least = match (least, ms) {
            (Some(least), Some(ms)) => Some(least.min(ms)),
            (least, ms) => least.or(ms),
        };
    }
    let best_ms = asked.permitted.as_ref().map(|choice| choice.cost_ms);
    prop_assert!(
        is_same(best_ms, least),
        "{:?}: the engine's least is {least:?}",
        asked
    );

    let is_bound = case.transit.iter().any(|(_, mode)| *mode == "enforce");
    prop_assert_eq!(!advice.ways_ruled_by.is_empty(), is_bound);
    prop_assert!(is_bound || asked.by_every_way.is_none() && advice.cut_off.is_empty());
    if let (Some(places_ms), Some(ways_ms)) = (asked.residency_cost_ms(), asked.transit_cost_ms()) {
        prop_assert!(places_ms >= -ROUNDING_MS, "{:?}", asked);
        let both_ms = asked.policy_cost_ms().expect("both are known");
        prop_assert!((places_ms + ways_ms - both_ms).abs() < ROUNDING_MS, "{:?}", asked);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn advice_costs_what_the_engine_says_under_transit(case in any_case()) {
        check(&case)?;
    }
}
