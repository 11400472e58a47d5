//! A summary with something in every part, of any number of regions.

use std::collections::BTreeMap;

use crate::simulation::summary::{
    Agreement, AgreementOfWorkload, Attempts, BoundedBy, CdfPoint, ComparatorSummary, ComparedAttempts,
    ComplianceCost, DataSetCost, Distribution, Fidelity, Interval, LatencyFigures, LowerBound, Mark, Moved,
    MovedPods, PolicyAlone, PolicyCost, RefusedPods, RegionFailure, RegionUse, RunFacts, Sample,
    SchedulerFacts, SeedFigures, SeedIntervals, Summary, TraceFacts, Unschedulable, Waits,
};
use crate::simulation::trace::Generator;

const NAMES: [&str; 16] = [
    "aws/eu-central-1",
    "aws/eu-west-1",
    "aws/eu-west-3",
    "aws/eu-north-1",
    "aws/eu-south-1",
    "azure/germanywestcentral",
    "azure/northeurope",
    "gcp/europe-west4",
    "aws/eu-west-2",
    "aws/eu-central-2",
    "aws/us-east-1",
    "aws/us-west-2",
    "gcp/us-central1",
    "aws/ap-northeast-1",
    "aws/ap-southeast-1",
    "aws/sa-east-1",
];

const SCHEDULERS: [(&str, &str, i64, u64); 8] = [
    ("kube-default", "kube-scheduler alone", 61_000, 1_412),
    (
        "hand-affinity",
        "kube-scheduler alone; each pod requires the regions that the policies permit when it is made, as a careful team writes by hand",
        44_000,
        37,
    ),
    (
        "random-compliant",
        "any node that fits and is permitted, by chance",
        47_500,
        0,
    ),
    (
        "nearest-first",
        "the nearest node that fits and is permitted, however full",
        17_400,
        0,
    ),
    ("domicile", "kube-scheduler with the extender", 18_200, 0),
    (
        "domicile-affinity",
        "kube-scheduler with the extender behind a node affinity that requires the regions that the policies permit when a pod is made",
        18_050,
        0,
    ),
    (
        "policy-b",
        "kube-scheduler with the extender, under policies B",
        24_900,
        0,
    ),
    (
        "residency-off",
        "kube-scheduler with the extender, which refuses nothing and scores latency",
        11_300,
        933,
    ),
];

fn distribution(pods: u64, median: i64) -> Distribution {
    Distribution {
        pods,
        mean_us: Some(median + median / 4),
        p50_us: Some(median),
        p95_us: Some(median * 29 / 10),
        p99_us: Some(median * 43 / 10),
        most_us: Some(median * 12),
    }
}

fn region(at: usize) -> String {
    NAMES
        .get(at)
        .map_or_else(|| format!("onprem/site-{at:02}"), |name| (*name).to_owned())
}

fn scheduler(place: usize, regions: usize) -> ComparatorSummary {
    let (id, is, median, violations) = SCHEDULERS[place];
    let residency = if violations == 0 { 212 } else { 0 };
    let blind = if id == "domicile" { 41 } else { 0 };
    let unschedulable = Unschedulable {
        total: residency + blind + 18,
        capacity: 18,
        residency,
        sampling_blind: blind,
        ..Unschedulable::default()
    };
    let cdf = (1..=100_i64).map(|step| {
        // A bend that differs a little from scheduler to scheduler, and a long tail.
        let bent = step * step * (3 + place as i64 % 3) / 40 + step * 4;
        CdfPoint {
            us: median * bent / 480 + if step > 98 { median * (step - 98) * 4 } else { 0 },
            permille: step.unsigned_abs() * 10,
        }
    });
    let mut of_regions: Vec<RegionUse> = (0..regions)
        .map(|at| {
            let lively = (at * 7 + place * 5) % 13;
            let asked = if at % 9 == 8 {
                0
            } else {
                512_000 * lively as u64 / 13
            };
            let nodes = if at == 6 { 0 } else { 16 };
            RegionUse {
                region: region(at),
                nodes,
                pods: if nodes == 0 { 0 } else { asked / 900 },
                cpu_asked_milli: if nodes == 0 { 0 } else { asked },
                cpu_milli: nodes * 32_000,
                memory_asked_mebi: asked,
                memory_mebi: nodes * 131_072,
                most_cpu_permille: if nodes == 0 && place.is_multiple_of(2) {
                    610
                } else {
                    asked * 1_000 / 512_000
                },
            }
        })
        .collect();
    of_regions.sort_by(|a, b| a.region.cmp(&b.region));
    let timeline = (0..=48_u64).map(|step| {
        let running = 4_000 * step / (step + 6) - if (20..26).contains(&step) { 300 } else { 0 };
        let after = if step > 20 { median / 6 } else { 0 };
        Sample {
            t_ms: step * 1_800_000,
            running: running - place as u64 * 20 * (step.min(10)) / 10,
            waiting: if (20..30).contains(&step) {
                420 - (step - 20) * 40 + place as u64 * 9
            } else {
                6
            },
            lost_nodes: if step >= 20 { 380 } else { 0 },
            cpu_permille: running * 640 / 4_000,
            p50_us: (step > 0).then_some(median + after),
            p95_us: (step > 0).then_some(median * 29 / 10 + after * 3 + (step as i64 * 37 % 11) * 150),
        }
    });
    let caused = |pairs: &[(&str, u64)]| {
        pairs
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    ComparatorSummary {
        id: id.to_owned(),
        is: is.to_owned(),
        pods: 4_000,
        placed: 4_000 - unschedulable.total,
        running: 3_600 - unschedulable.total,
        ended: 400,
        already_there: 0,
        unschedulable,
        violations,
        violations_by: if violations == 0 {
            BTreeMap::new()
        } else {
            caused(&[
                ("personal-data-stays-in-eea", violations - 20),
                ("keys-stay-home", 120),
                ("no-sanctioned-regions", 20),
            ])
        },
        forbidden_at_end: if id == "hand-affinity" { 12 } else { 0 },
        attempts: Attempts {
            total: 4_880 + place as u64 * 31,
            most: 9,
            blind: blind * 4,
            blind_pods: blind,
            preempted: 14,
            evicted: 380,
        },
        waits: Waits {
            pods: 4_000 - unschedulable.total,
            p50_ms: Some(0),
            p95_ms: Some(1_000 + 1_000 * place as u64),
            p99_ms: Some(31_000),
            most_ms: Some(312_000),
        },
        latency: LatencyFigures {
            known: distribution(3_480, median),
            estimated_permille: 84,
            unknown: 61,
            without_access: 188,
        },
        cdf: cdf.collect(),
        gap: distribution(3_480, median / 9),
        lower_bound: (id == "domicile").then_some(LowerBound {
            pods: 3_100,
            mean_us: median,
            bound_mean_us: median - median / 40,
            gap_permille: Some(25),
            by: BoundedBy::Cpu,
        }),
        regions: of_regions,
        timeline: timeline.collect(),
    }
}

fn cost() -> ComplianceCost {
    let policies = [
        ("personal-data-stays-in-eea", 1_480, 9_100),
        ("keys-stay-home", 260, 3_300),
        ("health-data-germany-only", 310, 21_000),
        ("no-sanctioned-regions", 4_000, 0),
    ];
    let by_policy = policies.map(|(policy, pods, median)| PolicyCost {
        policy: policy.to_owned(),
        pods,
        added: distribution(pods, median + 1_100),
        alone: Some(PolicyAlone {
            added: distribution(pods, median),
            unplaceable: pods / 9,
        }),
    });
    let data_sets = [
        ("orders", 6_900),
        ("patients", 23_400),
        ("clicks", -400),
        ("ledger", 0),
    ];
    ComplianceCost {
        with: "domicile".to_owned(),
        without: "residency-off".to_owned(),
        added: distribution(3_402, 6_900),
        unplaceable: 212,
        by_policy: by_policy.to_vec(),
        by_data_set: data_sets
            .map(|(data_set, median)| DataSetCost {
                data_set: data_set.to_owned(),
                added: distribution(800, median),
                unplaceable: if median > 20_000 { 96 } else { 0 },
            })
            .to_vec(),
    }
}

fn moved() -> Moved {
    let group = |workload: &str, from: Option<usize>, to: Option<usize>, pods, why: &str, added| MovedPods {
        workload: workload.to_owned(),
        from: from.map(region),
        to: to.map(region),
        pods,
        why: why.to_owned(),
        mean_added_us: added,
    };
    let refuses = "`swiss-adequacy-ends` under B refuses where it was";
    Moved {
        from: "domicile".to_owned(),
        to: "policy-b".to_owned(),
        pods: 4_000,
        same_region: 3_310,
        other_region: 441,
        gained_a_node: 12,
        lost_their_node: 37,
        without_a_node: 200,
        added: distribution(3_751, 800),
        groups: vec![
            group("shop/checkout-api", Some(9), Some(0), 240, refuses, Some(7_300)),
            group(
                "shop/recommendations",
                Some(8),
                Some(1),
                121,
                refuses,
                Some(9_900),
            ),
            group(
                "analytics/clickstream",
                Some(0),
                Some(2),
                80,
                "others moved: both sets permit both places",
                Some(-1_200),
            ),
            group("health/records", Some(9), None, 37, refuses, None),
            group(
                "bank/ledger",
                None,
                Some(7),
                12,
                "`keys-stay-home` under A refused where it is now",
                None,
            ),
        ],
    }
}

fn failures(regions: usize) -> Vec<RegionFailure> {
    let failure = |at: usize| {
        let pods = if at % 9 == 8 {
            0
        } else {
            569 * ((at as u64 * 7 + 20) % 13) / 13
        };
        let stranded = if at.is_multiple_of(4) { pods / 5 } else { 0 };
        RegionFailure {
            region: region(at),
            pods,
            placed_elsewhere: pods - stranded,
            stranded: Unschedulable {
                total: stranded,
                residency: stranded / 2,
                capacity: stranded - stranded / 2,
                ..Unschedulable::default()
            },
            stranded_workloads: if stranded > 0 {
                ["bank/ledger", "health/records"].map(str::to_owned).to_vec()
            } else {
                Vec::new()
            },
            added: if pods > 0 {
                distribution(pods, 4_000 + at as i64 * 700)
            } else {
                Distribution::default()
            },
            cut_off: if at == 0 { 64 } else { 0 },
            data_sets_without_region: if at == 0 {
                vec!["patients".to_owned()]
            } else {
                Vec::new()
            },
            data_sets_lost: if at == 4 {
                vec!["ledger".to_owned()]
            } else {
                Vec::new()
            },
        }
    };
    (0..regions).map(failure).collect()
}

fn seeds() -> SeedIntervals {
    let interval = |mean: f64, half: f64| Interval {
        seeds: 20,
        mean,
        low: mean - half,
        high: mean + half,
    };
    let comparators = SCHEDULERS.map(|(id, _, median, violations)| {
        let median = median as f64;
        let figures = [
            ("placed", interval(3_770.0, 4.6)),
            ("violations", interval(violations as f64, 0.0)),
            ("unschedulable.total", interval(230.0, 4.6)),
            ("latency.known.p50Us", interval(median, median / 40.0)),
            ("latency.known.p95Us", interval(median * 2.9, median / 12.0)),
            ("gap.meanUs", interval(median / 9.0, median / 90.0)),
        ];
        SeedFigures {
            id: id.to_owned(),
            figures: figures
                .into_iter()
                .map(|(name, interval)| (name.to_owned(), interval))
                .collect(),
        }
    });
    let cost = [
        ("added.p50Us", interval(6_900.0, 240.0)),
        ("added.p95Us", interval(20_010.0, 1_130.0)),
        ("unplaceable", interval(212.0, 0.0)),
    ];
    SeedIntervals {
        seeds: (0..20).collect(),
        confidence_percent: 95,
        comparators: comparators.to_vec(),
        cost: cost
            .into_iter()
            .map(|(name, interval)| (name.to_owned(), interval))
            .collect(),
    }
}

fn sentences(all: &[&str]) -> Vec<String> {
    all.iter().map(|&sentence| sentence.to_owned()).collect()
}

fn fidelity() -> Fidelity {
    let workload =
        |name: &str, feasible_percent, chosen_percent, disagreements: &[&str]| AgreementOfWorkload {
            name: name.to_owned(),
            pods: 400,
            attempts: Some(ComparedAttempts {
                total: 430,
                chosen: 210,
                drawn: 190,
                evicting: 0,
                refused: 30,
                failed: 0,
            }),
            feasible_percent,
            chosen_percent,
            disagreements: sentences(disagreements),
        };
    Fidelity {
        modelled: sentences(&[
            "the order of nodes: zones take turns, and each search begins where the last one ended",
            "sampling: the search ends after `percentageOfNodesToScore` of the nodes, before the extender is asked",
            "fit of every requested resource",
        ]),
        not_modelled: sentences(&[
            "ImageLocality, as no image is on any node",
            "disruption budgets: no eviction violates one",
        ]),
        agreement: Some(Agreement {
            kubernetes: "1.36.0".to_owned(),
            measured: "2026-11-21".to_owned(),
            command: "cargo test --test cluster -- fidelity".to_owned(),
            workloads: vec![
                workload("full nodes", 100.0, 100.0, &[]),
                workload(
                    "sampling",
                    99.97,
                    99.2,
                    &["16 goroutines filter at once, so samples vary"],
                ),
            ],
        }),
    }
}

/// The summary.
pub fn made_up(regions: usize) -> Summary {
    let mark = |half_hours: u64, what: &str| Mark {
        t_ms: half_hours * 1_800_000,
        what: what.to_owned(),
    };
    let refused = |pods, sentence: &str, workloads: &[&str]| RefusedPods {
        sentence: sentence.to_owned(),
        pods,
        workloads: sentences(workloads),
    };
    Summary {
        v: 2,
        kind: "simulation-summary".to_owned(),
        complete: true,
        stopped: None,
        run: RunFacts {
            id: "9f2c41d07be3a815".to_owned(),
            engine: "domicile 0.1.0".to_owned(),
            title: "EEA go-live: what the rules cost, and whom they leave out".to_owned(),
            seed: 42,
            at: "2026-03-01T00:00:00Z".to_owned(),
            snapshot: "s-3b1d09c2".to_owned(),
            policy_set: "sha256:5b0f6fd1d2c94e0a8c1172a3b1c7de0c91e7f0ab44d5e2b0c3f4a5968778695a".to_owned(),
            policy_set_b: Some(
                "sha256:77aa6fd1d2c94e0a8c1172a3b1c7de0c91e7f0ab44d5e2b0c3f4a59687780000".to_owned(),
            ),
            observes: false,
            nodes: regions as u64 * 16,
            regions: regions as u64,
            pods: 4_000,
            workloads: 38,
            trace: TraceFacts {
                source: "openb, with what it lacks made up".to_owned(),
                events: 9_120,
                last_ms: 86_400_000,
                generator: Some(Generator {
                    seed: 42,
                    rules: sentences(&[
                        "pods of one owner use one data set, drawn by Zipf's law with exponent 1.1",
                        "clients by the population of regions",
                    ]),
                }),
            },
            scheduler: SchedulerFacts {
                percentage_of_nodes_to_score: None,
                extender_weight: 10,
                default_spread: "system".to_owned(),
                preemption: true,
            },
            marks: vec![
                mark(20, "region.down azure/northeurope"),
                mark(26, "region.up azure/northeurope"),
                mark(33, "policy.load policies/after-swiss-adequacy"),
                mark(34, "node.cordon n-17"),
            ],
            notes: sentences(&[
                "a pod that loses its node comes again at once, as its Deployment would make it anew",
            ]),
        },
        comparators: (0..SCHEDULERS.len())
            .map(|place| scheduler(place, regions))
            .collect(),
        cost: Some(cost()),
        moved: Some(moved()),
        refused: vec![
            refused(
                96,
                "no region of the fleet is in `DE` where policy `health-data-germany-only` keeps data set `patients`",
                &["health/records", "health/imaging"],
            ),
            refused(
                84,
                "policy `personal-data-stays-in-eea` forbids every region with a copy of data set `orders`",
                &["shop/checkout-api"],
            ),
            refused(
                32,
                "the pod names data set `leads` that nobody declares",
                &["marketing/campaigns"],
            ),
        ],
        failures: failures(regions),
        seeds: Some(seeds()),
        fidelity: fidelity(),
    }
}
