//! Which files an address is served with, and which clients it lets in.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// An address that can be encrypted; it labels metrics and lines of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsAddress {
    /// What kube-scheduler calls.
    Extender,
    /// What the API server calls.
    Admission,
}

impl TlsAddress {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Extender => "extender",
            Self::Admission => "admission",
        }
    }
}

/// How an address is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// A PEM file with our certificate, and behind it those between it and an authority.
    pub certificate: PathBuf,
    /// A PEM file with its key: PKCS#8, SEC1 or PKCS#1.
    pub key: PathBuf,
    /// Whom to let in; `None` is everybody.
    pub clients: Option<ClientSettings>,
}

/// Which clients are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// A PEM file with the authorities that sign certificates of clients.
    pub authority: PathBuf,
    /// The names of which a client must have one: a DNS name, a URI or an e-mail address among the alternative
    /// names of its certificate, or its common name. Empty is every client of the authority.
    pub names: BTreeSet<String>,
}
