//! The search: against every plan by a second formula, and on the shipped matrix.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::embedded;
use crate::model::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
use crate::model::{
    AccessPaths, Consistency, Provenance, ReadPath, RegionKey, RegionReference, StatedAccess, StatedReads,
    StatedWrites, WritePath,
};
use crate::placement::advice::problem::Wanted;
use crate::placement::advice::round_trips::RoundTrips;
use crate::placement::replication::NEVER;
use crate::placement::ways::{Leg, Way, Ways};
use crate::policy::PolicySet;

/// How near two sums of the same numbers are.
const ROUNDING_MS: f64 = 1e-6;

/// A small problem with everything that a search looks at.
#[derive(Debug, Clone)]
struct Case {
    problem: Problem,
    roles: Vec<ReplicaRole>,
    freedom: Freedom,
}

fn trips(columns: usize, ways: &[Way]) -> RoundTrips {
    RoundTrips::new(ways.len() / columns, columns, |row, column| {
        ways[row * columns + column]
    })
}

fn measured(ms: f64) -> Way {
    Way::Known(Leg {
        ms,
        provenance: Provenance::Measured,
    })
}

fn any_way() -> impl Strategy<Value = Way> {
    prop_oneof![
        16 => (0_u32..400).prop_map(|ms| measured(f64::from(ms))),
        1 => Just(Way::Unknown),
        2 => Just(Way::Unreachable),
    ]
}

fn any_access() -> impl Strategy<Value = StatedAccess> {
    let quorum =
        || prop::option::of((1_usize..4).prop_map(|needed| NonZeroUsize::new(needed).expect("some")));
    let reads = prop::option::of(prop_oneof![
        Just(StatedReads::Nearest),
        Just(StatedReads::Leader),
        quorum().prop_map(StatedReads::Quorum),
    ]);
    let writes = prop::option::of(prop_oneof![
        Just(StatedWrites::Leader),
        quorum().prop_map(StatedWrites::Quorum),
    ]);
    (reads, writes).prop_map(|(reads, writes)| StatedAccess { reads, writes })
}

prop_compose! {
    fn any_case()(places in 1_usize..6, rows in 1_usize..4)(
        places in Just(places),
        from_demand in prop::collection::vec(any_way(), rows * places),
        between in prop::collection::vec(any_way(), places * places),
        wanted in prop::collection::vec((1_u32..5, 0_u32..4, 0_u32..4), rows),
        access in any_access(),
        is_strict in any::<bool>(),
        mut roles in prop::collection::vec(
            prop_oneof![2 => Just(Leader), 4 => Just(Voter), 1 => Just(ReadOnly), 1 => Just(Witness)],
            1..=places.min(4),
        ),
        free in prop::collection::vec(prop::bool::weighted(0.8), places),
        may_lead in prop::collection::vec(prop::bool::weighted(0.8), places),
        one_in in prop::option::weighted(0.3, prop::collection::vec(any::<bool>(), places)),
    ) -> Case {
        roles.sort();
        let chosen = |of: &[bool]| -> Vec<usize> { (0..places).filter(|place| of[*place]).collect() };
        let lead: Vec<bool> = free.iter().zip(&may_lead).map(|(free, lead)| *free && *lead).collect();
        Case {
            problem: Problem {
                from_demand: trips(places, &from_demand),
                between: trips(places, &between),
                wanted: wanted
                    .iter()
                    .map(|(share, reads, writes)| Wanted {
                        share: f64::from(*share) / 10.0,
                        reads: f64::from(*reads),
                        writes: f64::from(*writes),
                    })
                    .collect(),
                access,
                consistency: if is_strict { Consistency::Strict } else { Consistency::Available },
            },
            roles,
            freedom: Freedom {
                places: chosen(&free),
                leaders: chosen(&lead),
                one_in: one_in.iter().map(|list| chosen(list)).collect(),
            },
        }
    }
}

/// The formula once more, written down from the page and not from the code: waits are lists that are sorted.
fn naive_cost_ms(problem: &Problem, plan: &[PlannedCopy]) -> f64 {
    let AccessPaths { reads, writes } = problem
        .access
        .paths(problem.consistency, plan.iter().map(|copy| copy.role));
    let voters: Vec<&PlannedCopy> = plan.iter().filter(|copy| copy.role != ReadOnly).collect();
    let mut sum = 0.0;
    for (row, wanted) in problem.wanted.iter().enumerate() {
        let trip = |copy: &PlannedCopy| problem.from_demand.ms(row, copy.place);
        let trips_of = |serves: &dyn Fn(ReplicaRole) -> bool| -> Vec<f64> {
            plan.iter().filter(|copy| serves(copy.role)).map(trip).collect()
        };
        let read = match reads {
            ReadPath::Nearest => wait(trips_of(&|role| role != Witness), 1),
            ReadPath::Leader => {
                // The latest write is known to a leader that a majority answers, however late.
                let is_heard = |leader: &PlannedCopy| {
                    let others = voters.iter().filter(|voter| voter.place != leader.place);
                    let open =
                        others.filter(|voter| problem.between.open_ms(leader.place, voter.place) == 0.0);
                    problem.consistency == Consistency::Available || open.count() >= voters.len() / 2
                };
                let leaders = plan.iter().filter(|copy| copy.role == Leader && is_heard(copy));
                wait(leaders.map(trip).collect(), 1)
            }
            ReadPath::Quorum(needed) => wait(trips_of(&|role| role == Leader || role == Voter), needed.get()),
        };
        let write = match writes {
            WritePath::Quorum(needed) => wait(trips_of(&|role| role != ReadOnly), needed.get()),
            WritePath::Leader => {
                let leaders = plan.iter().filter(|copy| copy.role == Leader);
                let through = leaders.map(|leader| {
                    let others = voters.iter().filter(|voter| voter.place != leader.place);
                    let others = others.map(|voter| problem.between.ms(leader.place, voter.place));
                    trip(leader) + wait(others.collect(), voters.len() / 2)
                });
                wait(through.collect(), 1)
            }
        };
        for (times, ms) in [(wanted.reads, read), (wanted.writes, write)] {
            if times > 0.0 {
                sum += wanted.share * times * ms;
            }
        }
    }
    sum
}

fn wait(mut round_trips: Vec<f64>, needed: usize) -> f64 {
    round_trips.sort_by(f64::total_cmp);
    match needed {
        0 => 0.0,
        needed => round_trips.get(needed - 1).copied().unwrap_or(NEVER),
    }
}

/// Every way to give the roles to different places, allowed or not.
fn every_plan(places: usize, roles: &[ReplicaRole]) -> Vec<Vec<PlannedCopy>> {
    let Some((role, others)) = roles.split_first() else {
        return vec![Vec::new()];
    };
    let mut plans = Vec::new();
    for shorter in every_plan(places, others) {
        for place in (0..places).filter(|place| shorter.iter().all(|copy| copy.place != *place)) {
            let mut plan = vec![PlannedCopy { role: *role, place }];
            plan.extend(shorter.iter().copied());
            plans.push(plan);
        }
    }
    plans
}

fn is_allowed(Case { problem, freedom, .. }: &Case, plan: &[PlannedCopy]) -> bool {
    let with = |holds: fn(ReplicaRole) -> bool| plan.iter().filter(move |copy| holds(copy.role));
    let leads = with(|role| role == Leader).count() > 0;
    let is_kept_alike = |copy: &PlannedCopy| {
        let sources = if leads {
            with(|role| role == Leader)
        } else {
            with(|role| role != Witness)
        };
        let others: Vec<usize> = sources
            .map(|other| other.place)
            .filter(|place| *place != copy.place)
            .collect();
        others.is_empty()
            || others
                .iter()
                .any(|other| problem.between.open_ms(*other, copy.place) == 0.0)
    };
    let holds_one = |list: &Vec<usize>| {
        plan.iter()
            .any(|copy| copy.role != Witness && list.contains(&copy.place))
    };
    freedom.one_in.iter().all(holds_one)
        && plan.iter().all(is_kept_alike)
        && plan.iter().all(|copy| {
            let list = if copy.role == Leader {
                &freedom.leaders
            } else {
                &freedom.places
            };
            list.contains(&copy.place)
        })
}

fn naive_best_ms(case: &Case) -> f64 {
    let places = case.problem.between.row(0).len();
    let plans = every_plan(places, &case.roles).into_iter();
    let allowed = plans.filter(|plan| is_allowed(case, plan));
    allowed
        .map(|plan| naive_cost_ms(&case.problem, &plan))
        .fold(NEVER, f64::min)
}

fn exact_ms(case: &Case) -> f64 {
    let found = exact(&case.problem, &case.roles, &case.freedom);
    found.map_or(NEVER, |found| found.cost_ms)
}

fn is_same(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() < ROUNDING_MS
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_exact_answer_is_that_of_trying_everything(case in any_case()) {
        let found = exact(&case.problem, &case.roles, &case.freedom);
        let naive_ms = naive_best_ms(&case);
        prop_assert!(is_same(exact_ms(&case), naive_ms), "{found:?} and {naive_ms} ms");
        if let Some(found) = found {
            prop_assert!(is_allowed(&case, &found.plan), "{found:?}");
            prop_assert!(is_same(naive_cost_ms(&case.problem, &found.plan), found.cost_ms));
        }
    }

    #[test]
    fn greedy_and_swap_is_allowed_and_never_better(case in any_case()) {
        let found = greedy_and_swap(&case.problem, &case.roles, &case.freedom, &[]);
        if let Some(found) = found {
            prop_assert!(is_allowed(&case, &found.plan), "{found:?}");
            prop_assert!(found.cost_ms >= exact_ms(&case) - ROUNDING_MS, "{found:?}");
            prop_assert!(is_same(naive_cost_ms(&case.problem, &found.plan), found.cost_ms));
        }
    }

    #[test]
    fn a_start_is_never_better_than_the_answer(case in any_case()) {
        if let Some(best) = exact(&case.problem, &case.roles, &case.freedom) {
            let found = greedy_and_swap(&case.problem, &case.roles, &case.freedom, std::slice::from_ref(&best.plan));
            let found = found.map_or(NEVER, |found| found.cost_ms);
            prop_assert!(is_same(found, best.cost_ms), "{found} ms for {} ms", best.cost_ms);
        }
    }

    #[test]
    fn one_more_permitted_place_never_makes_the_best_worse(case in any_case(), more in 0_usize..5) {
        let mut wider = case.clone();
        let places = case.problem.between.row(0).len();
        let more = more % places;
        for list in [&mut wider.freedom.places, &mut wider.freedom.leaders] {
            list.push(more);
            list.sort_unstable();
            list.dedup();
        }
        prop_assert!(exact_ms(&wider) <= exact_ms(&case) + ROUNDING_MS);
    }

    #[test]
    fn one_more_copy_never_makes_nearest_reads_worse(case in any_case()) {
        let mut case = case;
        // One more copy must be kept like the others, for which a way must be open.
        let places = case.problem.between.row(0).len();
        case.problem.between = trips(places, &vec![measured(1.0); places * places]);
        case.problem.access = StatedAccess { reads: Some(StatedReads::Nearest), writes: None };
        for wanted in &mut case.problem.wanted {
            wanted.writes = 0.0;
        }
        let mut more = case.clone();
        more.roles.push(ReadOnly);
        more.roles.sort();
        if more.freedom.places.len() >= more.roles.len() {
            prop_assert!(exact_ms(&more) <= exact_ms(&case) + ROUNDING_MS);
            if let Some(found) = greedy_and_swap(&case.problem, &case.roles, &case.freedom, &[]) {
                let longer = with_one_more(&more.problem, &more.freedom, &found.plan, ReadOnly);
                let starts: Vec<_> = longer.into_iter().collect();
                let longer = greedy_and_swap(&more.problem, &more.roles, &more.freedom, &starts);
                let longer_ms = longer.map_or(NEVER, |found| found.cost_ms);
                prop_assert!(longer_ms <= found.cost_ms + ROUNDING_MS, "{longer_ms} ms after {found:?}");
            }
        }
    }

    #[test]
    fn no_other_voter_leads_better(case in any_case()) {
        let Some(found) = exact(&case.problem, &case.roles, &case.freedom) else {
            return Ok(());
        };
        for (position, leader) in found.plan.iter().enumerate().filter(|(_, copy)| copy.role == Leader) {
            for (other, voter) in found.plan.iter().enumerate().filter(|(_, copy)| copy.role == Voter) {
                let mut led = found.plan.clone();
                (led[position].place, led[other].place) = (voter.place, leader.place);
                let better = naive_cost_ms(&case.problem, &led) < found.cost_ms - ROUNDING_MS;
                prop_assert!(!(better && is_allowed(&case, &led)), "{led:?} beats {found:?}");
            }
        }
    }
}

#[test]
fn of_equally_good_plans_the_first_is_taken() {
    let problem = Problem {
        from_demand: trips(4, &[measured(10.0); 4]),
        between: trips(4, &[measured(5.0); 16]),
        wanted: vec![Wanted {
            share: 1.0,
            reads: 1.0,
            writes: 1.0,
        }],
        access: StatedAccess::default(),
        consistency: Consistency::Strict,
    };
    let freedom = Freedom {
        places: vec![0, 1, 2, 3],
        leaders: vec![1, 2, 3],
        one_in: Vec::new(),
    };
    let roles = [Leader, Voter, Voter];
    let found = exact(&problem, &roles, &freedom).expect("a plan");
    let places: Vec<usize> = found.plan.iter().map(|copy| copy.place).collect();
    assert_eq!((places, found.cost_ms), (vec![1, 0, 2], 25.0));
    assert_eq!(found.method, Method::Exact { plans: 9 });
    let greedy = greedy_and_swap(&problem, &roles, &freedom, &[]).expect("a plan");
    assert_eq!(greedy.plan, found.plan);
}

#[test]
fn plans_are_counted_and_too_many_are_not_tried() {
    let free = |places: usize| Freedom {
        places: (0..places).collect(),
        leaders: (0..places).collect(),
        one_in: Vec::new(),
    };
    assert_eq!(plans(&[Voter; 3], &free(32)), 4960);
    assert_eq!(plans(&[Leader, Voter, Voter], &free(32)), 14_880);
    assert_eq!(plans(&[Voter; 3], &free(2)), 0);
    assert_eq!(plans(&[Voter; 64], &free(160)), u64::MAX);
    assert!(plans(&[Voter; 5], &free(32)) > MOST_PLANS);
}

/// Reads from each of the measured regions, over the regions themselves.
fn shipped() -> (Problem, Freedom) {
    let set = PolicySet::load(embedded::policies().iter().copied())
        .expect("the shipped set")
        .set;
    let (name, text) = embedded::latency();
    let coordinates = set.catalogue().coordinates();
    let resolve = |reference: &RegionReference| set.catalogue().resolve(reference).cloned();
    let measured =
        crate::topology::parse_latency_csv(name, text, resolve, &coordinates).expect("a good file");
    let regions: std::collections::BTreeSet<RegionKey> =
        measured.iter().map(|(from, _, _)| from.region.clone()).collect();
    let table = crate::topology::LatencyTable::build(&measured, &coordinates, crate::model::Statistic::P50);
    let points: Vec<_> = regions.iter().map(|region| table.locate(region, None)).collect();
    let between = RoundTrips::new(points.len(), points.len(), |from, to| {
        Ways::of(&table).between(points[from], points[to])
    });
    let wanted = Wanted {
        share: 1.0 / points.len() as f64,
        reads: 1.0,
        writes: 0.0,
    };
    let problem = Problem {
        from_demand: between.clone(),
        between,
        wanted: vec![wanted; points.len()],
        access: StatedAccess::default(),
        consistency: Consistency::Available,
    };
    let all: Vec<usize> = (0..points.len()).collect();
    let freedom = Freedom {
        places: all.clone(),
        leaders: all,
        one_in: Vec::new(),
    };
    (problem, freedom)
}

/// `cargo bench --bench advise` prints the gaps. The ways between clouds are estimates here.
#[test]
fn on_the_shipped_matrix_greedy_and_swap_is_within_five_percent() {
    let (problem, freedom) = shipped();
    for copies in 1..=4 {
        let roles = vec![Voter; copies];
        let exact = exact(&problem, &roles, &freedom).expect("a plan");
        let greedy = greedy_and_swap(&problem, &roles, &freedom, &[]).expect("a plan");
        let gap = greedy.cost_ms / exact.cost_ms - 1.0;
        assert!((-1e-9..0.05).contains(&gap), "{copies}: {gap}");
        assert!(plans(&roles, &freedom) <= MOST_PLANS, "{copies}");
    }
}
