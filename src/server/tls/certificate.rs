//! What a certificate says of itself: until when it is valid, and for whom.
//!
//! Pure. Signatures are not looked at here; rustls does that at each handshake.

use std::collections::BTreeSet;

use jiff::Timestamp;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// The part of a certificate that decides here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// DNS names, URIs and e-mail addresses among its alternative names.
    pub alternative_names: BTreeSet<String>,
    /// Whether there are alternative names of any kind, IP addresses too.
    pub has_alternative_names: bool,
    /// The common names of its subject.
    pub common_names: BTreeSet<String>,
    /// Whether it may be shown by a server: it does not say what it is for, or says that.
    pub is_for_servers: bool,
}

impl CertificateFacts {
    /// Reads a certificate; `None` where it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok()?;
        let names = alternative
            .iter()
            .flat_map(|extension| &extension.value.general_names);
        let alternative_names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
                Some((*name).to_owned())
            }
            _ => None,
        });
        let common_names = certificate.subject().iter_common_name();
        let usage = certificate.extended_key_usage().ok()?;
        let instant = |seconds: i64| {
            // Beyond what a timestamp can say is beyond what anybody waits for.
            let bounded = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
            Timestamp::from_second(bounded).ok()
        };
        Some(Self {
            not_before: instant(certificate.validity().not_before.timestamp())?,
            not_after: instant(certificate.validity().not_after.timestamp())?,
            has_alternative_names: alternative.is_some(),
            alternative_names: alternative_names.collect(),
            common_names: common_names
                .filter_map(|name| name.as_str().ok().map(str::to_owned))
                .collect(),
            is_for_servers: usage.is_none_or(|usage| usage.value.server_auth || usage.value.any),
        })
    }

    /// Every name that it bears.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.alternative_names
            .iter()
            .chain(&self.common_names)
            .map(String::as_str)
    }
}
