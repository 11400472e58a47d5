//! The settings of `/mutate` and `/validate`.
//!
//! Invariant: a setting of admission without an address for it is a problem, for it would do nothing.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;

use super::layers::{Origin, SETTINGS};
use super::settings::WordSetting;
use super::validate::Reader;
use crate::admission::{AdmissionSettings, Growth, Nowhere};
use crate::server::TlsSettings;

/// What every key of admission begins with.
const PREFIX: &str = "admission.";
/// The address.
const LISTEN: &str = "admission.listen";
/// The longest wait for facts: a webhook is given two seconds as shipped, and somebody waits for the pod.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How API servers are answered, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionServer {
    /// Where `/mutate` and `/validate` are.
    pub listen: SocketAddr,
    /// How that is encrypted; `None` is not at all.
    pub tls: Option<TlsSettings>,
    /// What becomes of pods.
    pub settings: AdmissionSettings,
    /// How long a pod waits for its namespace and claims to be known.
    pub wait_for_facts: Duration,
}

impl Reader {
    /// The settings of admission; `None` where it is not wanted, or something is wrong with them.
    pub(super) fn admission(&mut self) -> Option<AdmissionServer> {
        if !self.is_set(LISTEN) {
            let mut keys = SETTINGS.iter().map(|setting| setting.key);
            let idle = keys.find(|key| key.starts_with(PREFIX) && *self.origin(key) != Origin::Default);
            if let Some(idle) = idle {
                self.reject(
                    idle,
                    &format!("does nothing without `{LISTEN}`: set that or leave this out"),
                );
            }
            return None;
        }
        let tls = self.tls("admission.tls");
        let means_tls = self.is_set("admission.tls.certificate");
        let listen = self.guarded_address(LISTEN, "admission.tls", means_tls);
        let nowhere = self.word::<OnNowhere>("admission.nowhere");
        let providers = self.word::<NodeProviders>("admission.providers");
        let scheduler_name = self.text("admission.scheduler-name");
        let schedulers = self.list_of_names("admission.schedulers", "name the schedulers that ask domicile");
        let wait_for_facts = self.duration("admission.wait-for-facts", Duration::ZERO, LONGEST_WAIT);
        Some(AdmissionServer {
            listen: listen?,
            tls,
            settings: AdmissionSettings {
                growth: providers?.into(),
                nowhere: nowhere?.into(),
                scheduler_name,
                schedulers: schedulers?,
            },
            wait_for_facts: wait_for_facts?,
        })
    }
}

/// From which providers nodes may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NodeProviders {
    /// From those that the nodes of the fleet have; from any while the place of some node is not known.
    Fleet,
    /// From any of the catalogue.
    Catalogue,
}

impl WordSetting for NodeProviders {
    const WORDS: &'static [(&'static str, Self)] = &[("fleet", Self::Fleet), ("catalogue", Self::Catalogue)];
}

impl From<NodeProviders> for Growth {
    fn from(providers: NodeProviders) -> Self {
        match providers {
            NodeProviders::Fleet => Self::ProvidersOfFleet,
            NodeProviders::Catalogue => Self::Catalogue,
        }
    }
}

/// What becomes of a pod that may run nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNowhere {
    /// It is admitted with a warning.
    Warn,
    /// It is rejected.
    Reject,
}

impl WordSetting for OnNowhere {
    const WORDS: &'static [(&'static str, Self)] = &[("warn", Self::Warn), ("reject", Self::Reject)];
}

impl From<OnNowhere> for Nowhere {
    fn from(on_nowhere: OnNowhere) -> Self {
        match on_nowhere {
            OnNowhere::Warn => Self::Warn,
            OnNowhere::Reject => Self::Reject,
        }
    }
}
