//! Data sets whose replicas cannot serve what their accesses ask, or serve it with stale data.
//!
//! Invariant: each finding is about what is said of one data set and its replicas, wherever they are.
//! Deliberately absent: how long an access takes.

use std::collections::BTreeMap;

use super::Found;
use crate::model::{
    Consistency, DataSet, DataSetName, ReadPath, ReplicaRole, StatedReads, StatedWrites, WritePath,
};
use crate::policy::finding::{Level, Position};

impl Found<'_> {
    pub(super) fn accesses(
        &mut self,
        data_sets: &BTreeMap<DataSetName, DataSet>,
        written_at: &BTreeMap<DataSetName, Position>,
    ) {
        for data_set in data_sets.values() {
            let unknown = Position::default();
            let at = written_at.get(&data_set.name).unwrap_or(&unknown);
            for (level, sentence, fix) in contradictions(data_set) {
                self.add(level, "L06", at, sentence, fix);
            }
        }
    }
}

/// Everything that is wrong with the accesses of a data set: how bad it is, what, and the fix.
fn contradictions(data_set: &DataSet) -> Vec<(Level, String, &'static str)> {
    let name = &data_set.name;
    let paths = data_set.paths();
    let count = |counts: &dyn Fn(ReplicaRole) -> bool| {
        let replicas = data_set.replicas.iter();
        replicas.filter(|replica| counts(replica.role)).count()
    };
    let voters = count(&|role| role.votes());
    let with_data = count(&|role| ReadPath::Quorum(crate::model::majority(voters)).is_served_by(role));
    let has_leader = count(&|role| role == ReplicaRole::Leader) > 0;
    let mut found = Vec::new();
    let stated = data_set.access;
    if !has_leader && stated.reads == Some(StatedReads::Leader) {
        let sentence = format!("reads of `{name}` go to a leader and no replica is one");
        found.push((
            Level::Error,
            sentence,
            "give a replica `role: leader` or write `reads: quorum`",
        ));
    }
    if !has_leader && stated.writes == Some(StatedWrites::Leader) {
        let sentence = format!("writes of `{name}` go to a leader and no replica is one");
        found.push((
            Level::Error,
            sentence,
            "give a replica `role: leader` or write `writes: quorum`",
        ));
    }
    // Without a voter nobody knows which write is the latest.
    let is_led = has_leader || voters > 0 || data_set.replicas.is_empty();
    if !is_led && data_set.consistency == Consistency::Strict && stated.reads.is_none() {
        let sentence = format!("`{name}` is strict and none of its replicas is a leader or a voter");
        found.push((
            Level::Error,
            sentence,
            "give a replica `role: leader` or write `consistency: available`",
        ));
    }
    if let ReadPath::Quorum(needed) = paths.reads
        && needed.get() > with_data
    {
        let sentence = format!(
            "a read of `{name}` needs {needed} voters that hold data and there {} {with_data}",
            are(with_data)
        );
        found.push((Level::Error, sentence, "add voters or lower `readQuorum`"));
    }
    if let WritePath::Quorum(needed) = paths.writes
        && needed.get() > voters
    {
        let sentence = format!(
            "a write of `{name}` needs {needed} voters and there {} {voters}",
            are(voters)
        );
        found.push((Level::Error, sentence, "add voters or lower `writeQuorum`"));
    }
    if data_set.consistency == Consistency::Strict {
        found.extend(staleness(data_set, voters));
    }
    found
}

fn are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// Reads of a data set that demands the latest write, and may miss it.
fn staleness(data_set: &DataSet, voters: usize) -> Option<(Level, String, &'static str)> {
    let name = &data_set.name;
    let paths = data_set.paths();
    // A leader commits with a majority.
    let written = match paths.writes {
        WritePath::Leader => crate::model::majority(voters).get(),
        WritePath::Quorum(needed) => needed.get(),
    };
    match (paths.reads, paths.writes) {
        (ReadPath::Nearest, _) => Some((
            Level::Warning,
            format!(
                "`{name}` is strict and its reads go to the nearest replica which may miss the latest write"
            ),
            "write `consistency: available` or leave `reads` out",
        )),
        (ReadPath::Quorum(read), _) if read.get() + written <= voters => Some((
            Level::Warning,
            format!(
                "`{name}` is strict and {read} of its {voters} voters may answer a read that miss a write to {written}"
            ),
            "let the two quorums together be more than the voters",
        )),
        // What a leader did not write, it may not have.
        (ReadPath::Leader, WritePath::Quorum(_)) => Some((
            Level::Warning,
            format!("`{name}` is strict and its leader may miss what a quorum wrote without it"),
            "write `reads: quorum` or `writes: leader`",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::read_data_sets;

    /// What is found about a data set with these roles, `L` and `V` and so on for a replica each.
    fn check(consistency: &str, access: &str, roles: &str, expected: &[&str]) {
        let replicas: Vec<String> = roles
            .chars()
            .map(|role| {
                let role = match role {
                    'L' => "leader",
                    'V' => "voter",
                    'R' => "read-only",
                    _ => "witness",
                };
                format!("{{region: aws/eu-west-1, role: {role}}}")
            })
            .collect();
        let text = format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {{name: orders}}\nspec:\n  \
             profile: {{classification: internal, categories: [none], subjects: [none]}}\n  \
             consistency: {consistency}\n  access: {{{access}}}\n  replicas: [{}]\n",
            replicas.join(", ")
        );
        let read = read_data_sets([("orders.yaml", text.as_str())]).expect("a good file");
        let found: Vec<String> = read
            .values()
            .flat_map(contradictions)
            .map(|(level, sentence, _)| {
                format!(
                    "{}: {sentence}",
                    if level == Level::Error { "error" } else { "warning" }
                )
            })
            .collect();
        assert_eq!(found, expected, "{consistency} {access} {roles}");
    }

    #[test]
    fn what_follows_from_roles_is_never_wrong_with_a_leader_or_voters() {
        for roles in ["L", "LV", "LVV", "LVW", "LVVVVR", "VVV", "VVVVV", "V", ""] {
            for consistency in ["strict", "available"] {
                check(consistency, "", roles, &[]);
            }
        }
        check("available", "", "R", &[]);
        // Two witnesses outvote the one copy that could answer.
        check(
            "strict",
            "",
            "VWW",
            &["error: a read of `orders` needs 2 voters that hold data and there is 1"],
        );
    }

    #[test]
    fn copies_that_are_only_read_serve_no_strict_read() {
        let found = "error: `orders` is strict and none of its replicas is a leader or a voter";
        check("strict", "", "R", &[found]);
        check("strict", "", "RR", &[found]);
        check("strict", "", "RV", &[]);
        // What is stated has a sentence of its own.
        check(
            "strict",
            "reads: leader",
            "RR",
            &["error: reads of `orders` go to a leader and no replica is one"],
        );
    }

    #[test]
    fn what_replicas_cannot_serve_is_an_error() {
        check(
            "available",
            "reads: leader, writes: leader",
            "VVV",
            &[
                "error: reads of `orders` go to a leader and no replica is one",
                "error: writes of `orders` go to a leader and no replica is one",
            ],
        );
        check(
            "available",
            "readQuorum: 3, writeQuorum: 4",
            "LVWR",
            &[
                "error: a read of `orders` needs 3 voters that hold data and there are 2",
                "error: a write of `orders` needs 4 voters and there are 3",
            ],
        );
    }

    #[test]
    fn a_strict_read_that_may_miss_the_latest_write_is_a_warning() {
        check(
            "strict",
            "reads: nearest",
            "LVV",
            &[
                "warning: `orders` is strict and its reads go to the nearest replica which may miss the latest write",
            ],
        );
        check(
            "strict",
            "readQuorum: 1, writeQuorum: 2",
            "VVV",
            &["warning: `orders` is strict and 1 of its 3 voters may answer a read that miss a write to 2"],
        );
        check(
            "strict",
            "reads: leader, writes: quorum",
            "LVV",
            &["warning: `orders` is strict and its leader may miss what a quorum wrote without it"],
        );
        check("strict", "readQuorum: 1, writeQuorum: 3", "VVV", &[]);
        check("strict", "readQuorum: 2", "LVV", &[]);
        check("available", "readQuorum: 1, writeQuorum: 1", "VVV", &[]);
    }
}
