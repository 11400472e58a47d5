//! The metrics of encrypted addresses; their names begin with `domicile_tls_`.
//!
//! Invariant: labels are bounded, by the addresses that can be encrypted and by the reasons in our code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AddressLabels {
    address: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabels {
    address: &'static str,
    reason: &'static str,
}

#[derive(Debug, Default)]
struct Memory {
    confirmed_at: Option<Timestamp>,
    clients_answered: u64,
    certificates_shown: u64,
}

/// What encrypted addresses count with; clones count together.
#[derive(Debug, Clone, Default)]
pub struct TlsMetrics {
    expiry: Family<AddressLabels, Gauge>,
    age: Family<AddressLabels, Gauge>,
    last_known_good: Family<AddressLabels, Gauge>,
    reloads: Family<AddressLabels, Counter>,
    reload_failures: Family<AddressLabels, Counter>,
    refused_clients: Family<ClientLabels, Counter>,
    memories: Arc<Mutex<BTreeMap<&'static str, Memory>>>,
}

impl TlsMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "tls_certificate_expiry_timestamp_seconds",
            "When the certificate that is served expires",
            self.expiry.clone(),
        );
        registry.register(
            "tls_age_seconds",
            "Time since the files last said what is served",
            self.age.clone(),
        );
        registry.register(
            "tls_last_known_good",
            "1 while the files are bad and what they said before is served",
            self.last_known_good.clone(),
        );
        registry.register(
            "tls_reloads",
            "Certificates, keys and authorities that replaced what was served",
            self.reloads.clone(),
        );
        registry.register(
            "tls_reload_failures",
            "Looks at the files after which the last good certificate is served on",
            self.reload_failures.clone(),
        );
        registry.register(
            "tls_refused_clients",
            "Connections of clients without a certificate (missing), with one of another authority or expired (untrusted), or with another name (not-listed)",
            self.refused_clients.clone(),
        );
    }

    /// The files say what is served, which expires then.
    pub fn loaded(&self, address: &'static str, expiry: Timestamp, now: Timestamp) {
        let labels = AddressLabels { address };
        self.expiry.get_or_create(&labels).set(expiry.as_second());
        self.last_known_good.get_or_create(&labels).set(0);
        // So that both are there at zero, and an increase of them is seen.
        drop(self.reloads.get_or_create(&labels));
        drop(self.reload_failures.get_or_create(&labels));
        self.memories().entry(address).or_default().confirmed_at = Some(now);
    }

    /// What is served was replaced.
    pub fn reloaded(&self, address: &'static str) {
        self.reloads.get_or_create(&AddressLabels { address }).inc();
    }

    /// The files are bad.
    pub fn reload_failed(&self, address: &'static str) {
        let labels = AddressLabels { address };
        self.reload_failures.get_or_create(&labels).inc();
        self.last_known_good.get_or_create(&labels).set(1);
    }

    /// A client answered when it was asked for a certificate; whether by one follows.
    pub fn client_answered(&self, address: &'static str) {
        self.memories().entry(address).or_default().clients_answered += 1;
    }

    /// It showed one.
    pub fn client_showed_certificate(&self, address: &'static str) {
        self.memories().entry(address).or_default().certificates_shown += 1;
    }

    /// A client is refused.
    pub fn client_refused(&self, address: &'static str, reason: &'static str) {
        self.refused_clients
            .get_or_create(&ClientLabels { address, reason })
            .inc();
    }

    /// Sets ages as of now, and counts the clients that answered and showed nothing.
    pub(super) fn age(&self, now: Timestamp) {
        for (&address, memory) in self.memories().iter() {
            if let Some(confirmed_at) = memory.confirmed_at {
                let age_s = now.duration_since(confirmed_at).as_secs().max(0);
                self.age.get_or_create(&AddressLabels { address }).set(age_s);
            }
            let missing = self.refused_clients.get_or_create(&ClientLabels {
                address,
                reason: "missing",
            });
            let without = memory.clients_answered.saturating_sub(memory.certificates_shown);
            missing.inc_by(without.saturating_sub(missing.get()));
        }
    }

    fn memories(&self) -> MutexGuard<'_, BTreeMap<&'static str, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
