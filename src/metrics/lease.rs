//! The metrics of the election among replicas; their names begin with `domicile_lease_`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What the election counts with; clones count together.
#[derive(Debug, Clone, Default)]
pub struct LeaseMetrics {
    held: Gauge,
    unelected: Gauge,
    taken: Counter,
    lost: Counter,
    failures: Counter,
}

impl LeaseMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "lease_held",
            "1 while this replica does what is done once: wakes pods, scans, writes status",
            self.held.clone(),
        );
        registry.register(
            "lease_unelected",
            "1 while this replica acts without an election, for no Lease may be used",
            self.unelected.clone(),
        );
        registry.register(
            "lease_taken",
            "How often this replica began to act",
            self.taken.clone(),
        );
        registry.register(
            "lease_lost",
            "How often this replica ceased to act",
            self.lost.clone(),
        );
        registry.register(
            "lease_failures",
            "Failed attempts to read or write the Lease; each is tried again",
            self.failures.clone(),
        );
    }

    /// How the replica stood and stands.
    pub fn standing(&self, was_held: bool, is_held: bool, is_unelected: bool) {
        self.held.set(i64::from(is_held));
        self.unelected.set(i64::from(is_unelected));
        match (was_held, is_held) {
            (false, true) => {
                self.taken.inc();
            }
            (true, false) => {
                self.lost.inc();
            }
            _ => {}
        }
    }

    /// The Lease could not be read or written.
    pub fn failed(&self) {
        self.failures.inc();
    }
}
