//! Which label tells the role of a pod that holds a copy of a data set.
//!
//! Inputs: label, value and role, one after the other; a pod's labels. Output: the role, by the first that the pod has.
//! The shipped list is what operators write on their pods (looked up on 2026-11-22): CloudNativePG 1.24 and later,
//! Zalando (Spilo), Crunchy and Percona for PostgreSQL, Percona for MongoDB, the MySQL operator of Oracle, KubeBlocks,
//! Strimzi for Kafka. A standby of PostgreSQL replicates asynchronously unless somebody configures more, so it is
//! `read-only`: it takes no part in a commit. CockroachDB and etcd tell no role: copies without one vote where nothing
//! leads (`replicas`).
//! Deliberately absent: selectors by more than one label.

use std::sync::Arc;

use super::data_set::ReplicaRole;
use super::labels::LabelSet;

/// A label with a value, and what whoever bears it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLabel {
    /// The key of the label.
    pub label: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
    /// The role.
    pub role: ReplicaRole,
}

/// What operators write, the first that a pod has counting.
const SHIPPED: [(&str, &str, ReplicaRole); 24] = [
    ("cnpg.io/instanceRole", "primary", ReplicaRole::Leader),
    ("cnpg.io/instanceRole", "replica", ReplicaRole::ReadOnly),
    ("spilo-role", "master", ReplicaRole::Leader),
    ("spilo-role", "primary", ReplicaRole::Leader),
    ("spilo-role", "replica", ReplicaRole::ReadOnly),
    (
        "postgres-operator.crunchydata.com/role",
        "master",
        ReplicaRole::Leader,
    ),
    (
        "postgres-operator.crunchydata.com/role",
        "primary",
        ReplicaRole::Leader,
    ),
    (
        "postgres-operator.crunchydata.com/role",
        "replica",
        ReplicaRole::ReadOnly,
    ),
    ("mysql.oracle.com/cluster-role", "PRIMARY", ReplicaRole::Leader),
    ("mysql.oracle.com/cluster-role", "SECONDARY", ReplicaRole::Voter),
    ("kubeblocks.io/role", "leader", ReplicaRole::Leader),
    ("kubeblocks.io/role", "primary", ReplicaRole::Leader),
    ("kubeblocks.io/role", "follower", ReplicaRole::Voter),
    ("kubeblocks.io/role", "secondary", ReplicaRole::Voter),
    ("kubeblocks.io/role", "learner", ReplicaRole::ReadOnly),
    ("kubeblocks.io/role", "readonly", ReplicaRole::ReadOnly),
    // Brokers have the data; a controller that is no broker has only the metadata, and votes.
    ("strimzi.io/broker-role", "true", ReplicaRole::Voter),
    ("strimzi.io/controller-role", "true", ReplicaRole::Witness),
    // MongoDB: of the members that hold data none is told to be the primary.
    ("app.kubernetes.io/component", "mongod", ReplicaRole::Voter),
    ("app.kubernetes.io/component", "arbiter", ReplicaRole::Witness),
    ("app.kubernetes.io/component", "nonVoting", ReplicaRole::ReadOnly),
    ("app.kubernetes.io/component", "hidden", ReplicaRole::ReadOnly),
    ("redis-role", "master", ReplicaRole::Leader),
    ("redis-role", "slave", ReplicaRole::ReadOnly),
];

/// The labels that tell roles, the first that a pod has counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLabels(Vec<RoleLabel>);

impl Default for RoleLabels {
    fn default() -> Self {
        Self::before_shipped([])
    }
}

impl RoleLabels {
    /// These, and after them the shipped ones.
    #[must_use]
    pub fn before_shipped(own: impl IntoIterator<Item = RoleLabel>) -> Self {
        let shipped = SHIPPED.iter().map(|(label, value, role)| RoleLabel {
            label: Arc::from(*label),
            value: Arc::from(*value),
            role: *role,
        });
        Self(own.into_iter().chain(shipped).collect())
    }

    /// What a pod with these labels does; `None` where no label tells.
    #[must_use]
    pub fn role(&self, labels: &LabelSet) -> Option<ReplicaRole> {
        let told = |known: &&RoleLabel| labels.value(&known.label) == Some(&*known.value);
        self.0.iter().find(told).map(|known| known.role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_told_as_operators_write_them_and_own_labels_come_first() {
        let role =
            |roles: &RoleLabels, pairs: &[(&str, &str)]| roles.role(&LabelSet::new(pairs.iter().copied()));
        let shipped = RoleLabels::default();
        let broker = [
            ("strimzi.io/broker-role", "true"),
            ("strimzi.io/controller-role", "true"),
        ];
        let controller = [
            ("strimzi.io/broker-role", "false"),
            ("strimzi.io/controller-role", "true"),
        ];
        for (labels, expected) in [
            (
                &[("cnpg.io/instanceRole", "primary")][..],
                Some(ReplicaRole::Leader),
            ),
            (
                &[("cnpg.io/instanceRole", "replica")],
                Some(ReplicaRole::ReadOnly),
            ),
            (
                &[("spilo-role", "master"), ("application", "spilo")],
                Some(ReplicaRole::Leader),
            ),
            (
                &[("postgres-operator.crunchydata.com/role", "replica")],
                Some(ReplicaRole::ReadOnly),
            ),
            (&broker, Some(ReplicaRole::Voter)),
            (&controller, Some(ReplicaRole::Witness)),
            (
                &[("app.kubernetes.io/component", "arbiter")],
                Some(ReplicaRole::Witness),
            ),
            (&[("app.kubernetes.io/component", "database")], None),
            (&[("app", "db")], None),
        ] {
            assert_eq!(role(&shipped, labels), expected, "{labels:?}");
        }
        let own = RoleLabels::before_shipped([RoleLabel {
            label: Arc::from("cnpg.io/instanceRole"),
            value: Arc::from("replica"),
            role: ReplicaRole::Voter,
        }]);
        assert_eq!(
            role(&own, &[("cnpg.io/instanceRole", "replica")]),
            Some(ReplicaRole::Voter)
        );
        assert_eq!(
            role(&own, &[("spilo-role", "replica")]),
            Some(ReplicaRole::ReadOnly)
        );
    }
}
