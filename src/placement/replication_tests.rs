//! Replication arithmetic: tables, and a definition by brute force.

use proptest::prelude::*;

use super::{NEVER, commit_ms, nth_least};
use crate::model::ReplicaRole::{Leader, ReadOnly, Voter, Witness};
use crate::model::{AccessPaths, Consistency, ReadPath, ReplicaRole, StatedAccess, WritePath};

fn paths(consistency: Consistency, replicas: &[(ReplicaRole, f64)]) -> AccessPaths {
    StatedAccess::default().paths(consistency, replicas.iter().map(|(role, _)| *role))
}

fn read_ms(path: ReadPath, replicas: impl Iterator<Item = (ReplicaRole, f64)>) -> f64 {
    super::read_ms(path, replicas, |ms| ms)
}

fn write_ms(path: WritePath, replicas: impl Iterator<Item = (ReplicaRole, f64)>) -> f64 {
    super::write_ms(path, replicas, |ms| ms)
}

fn commit(to_others: &[f64]) -> f64 {
    commit_ms(1 + to_others.len(), to_others.iter().copied())
}

#[test]
fn a_leader_waits_for_the_nearest_of_three_and_the_second_nearest_of_five() {
    assert_eq!(commit(&[]), 0.0);
    assert_eq!(commit(&[30.0]), 30.0, "of two voters both");
    assert_eq!(commit(&[30.0, 20.0]), 20.0);
    assert_eq!(commit(&[30.0, 20.0, 40.0]), 30.0, "of four voters three");
    assert_eq!(commit(&[30.0, 20.0, 40.0, 10.0]), 20.0);
    assert_eq!(commit(&[NEVER, 20.0]), 20.0);
    assert_eq!(commit(&[NEVER, NEVER, 40.0, 10.0]), 40.0);
    assert_eq!(commit(&[NEVER, NEVER, NEVER, 10.0]), NEVER);
}

#[test]
fn reads_and_writes_wait_for_the_replicas_of_their_path() {
    let led = [(Leader, 90.0), (Voter, 20.0), (ReadOnly, 5.0), (Witness, 1.0)];
    let strict = paths(Consistency::Strict, &led);
    let available = paths(Consistency::Available, &led);
    assert_eq!(read_ms(strict.reads, led.into_iter()), 90.0);
    assert_eq!(read_ms(available.reads, led.into_iter()), 5.0);
    assert_eq!(write_ms(available.writes, led.into_iter()), 90.0);

    let leaderless = [
        (Voter, 90.0),
        (Voter, 20.0),
        (Voter, 50.0),
        (Witness, 1.0),
        (ReadOnly, 2.0),
    ];
    let paths = paths(Consistency::Strict, &leaderless);
    assert_eq!((paths.reads.needed(), paths.writes.needed()), (3, 3));
    // A read waits for voters that hold data, a write for any voters.
    assert_eq!(read_ms(paths.reads, leaderless.into_iter()), 90.0);
    assert_eq!(write_ms(paths.writes, leaderless.into_iter()), 50.0);
}

#[test]
fn of_several_leaders_the_best_with_its_commit() {
    let with_commit = [(Leader, 10.0 + 80.0), (Leader, 40.0 + 5.0), (Voter, 1.0)];
    assert_eq!(write_ms(WritePath::Leader, with_commit.into_iter()), 45.0);
}

fn any_round_trip() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (0_u32..400).prop_map(f64::from),
        1 => Just(NEVER),
    ]
}

proptest! {
    /// The least time at which at least `needed` answered, found by trying every time.
    #[test]
    fn the_nth_least_is_when_enough_answered(
        round_trips in prop::collection::vec(any_round_trip(), 0..20),
        needed in 0_usize..20,
    ) {
        let answered = |by: f64| round_trips.iter().filter(|ms| **ms <= by && **ms < NEVER).count();
        let times = round_trips.iter().copied().chain([0.0]);
        let expected = times.filter(|by| *by < NEVER && answered(*by) >= needed).fold(NEVER, f64::min);
        let expected = if needed == 0 { 0.0 } else { expected };
        prop_assert_eq!(nth_least(round_trips.iter().copied(), needed), expected);
    }

    /// A commit: the best that the slowest member of any majority around the leader takes.
    #[test]
    fn a_commit_is_the_best_majority_with_the_leader(
        to_others in prop::collection::vec(any_round_trip(), 0..7),
    ) {
        let voters = 1 + to_others.len();
        let majorities = (0_u32..1 << to_others.len()).filter(|set| {
            1 + set.count_ones() as usize > voters / 2
        });
        let slowest = majorities.map(|set| {
            let members = to_others.iter().enumerate().filter(|(index, _)| set & (1 << index) != 0);
            members.map(|(_, ms)| *ms).fold(0.0, f64::max)
        });
        prop_assert_eq!(commit(&to_others), slowest.fold(NEVER, f64::min));
    }

    /// Two quorums of a majority share a voter; a majority is the least such number.
    #[test]
    fn majorities_overlap(voters in 1_usize..200) {
        let majority = crate::model::majority(voters).get();
        prop_assert!(2 * majority > voters && 2 * (majority - 1) <= voters);
    }

    /// Nothing gets faster when one replica gets slower or stops answering.
    #[test]
    fn slower_replicas_make_nothing_faster(
        replicas in prop::collection::vec((prop::sample::select(&[Leader, Voter, ReadOnly, Witness][..]), any_round_trip()), 1..8),
        strict in prop::bool::ANY,
        slower in 0_usize..8,
        by in prop_oneof![Just(NEVER), 0.0..100.0],
    ) {
        let consistency = if strict { Consistency::Strict } else { Consistency::Available };
        let paths = paths(consistency, &replicas);
        let mut after = replicas.clone();
        let slower = slower % after.len();
        after[slower].1 += by;
        prop_assert!(read_ms(paths.reads, after.iter().copied()) >= read_ms(paths.reads, replicas.iter().copied()));
        prop_assert!(write_ms(paths.writes, after.iter().copied()) >= write_ms(paths.writes, replicas.iter().copied()));
    }
}
