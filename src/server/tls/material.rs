//! From the texts of PEM files to what rustls serves with, or a sentence that says what is wrong with which file.
//!
//! Pure: the texts and `now` are arguments.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};

use super::certificate::CertificateFacts;
use super::settings::TlsSettings;
use crate::files::SourceError;

/// What is wrong with the files of an address.
#[derive(Debug, thiserror::Error)]
pub enum TlsProblem {
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] SourceError),
    /// Nothing is in it.
    #[error("`{}` is empty", .0.display())]
    Empty(PathBuf),
    /// Something else is in it.
    #[error("`{}` holds no {what}: it must be PEM, with a line `-----BEGIN {label}-----`", .path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
        /// What is looked for.
        what: &'static str,
        /// How it begins.
        label: &'static str,
    },
    /// It is not whole.
    #[error("`{}` is no readable PEM: {why}", .path.display())]
    NoPem {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        why: String,
    },
    /// A key with a passphrase.
    #[error("the key in `{}` is encrypted with a passphrase: write it without one, readable by this user alone", .0.display())]
    EncryptedKey(PathBuf),
    /// A certificate that is none.
    #[error("`{}` holds a certificate that cannot be read", .0.display())]
    NoCertificate(PathBuf),
    /// A kind of key that is not known.
    #[error("the key in `{}` cannot be used: {why}; ECDSA P-256 and P-384, Ed25519 and RSA from 2048 bits on can", .path.display())]
    UnusableKey {
        /// Which file.
        path: PathBuf,
        /// What the library says.
        why: String,
    },
    /// The key of another certificate.
    #[error("the key in `{}` does not belong to the certificate in `{}`", .key.display(), .certificate.display())]
    KeyMismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// It was valid.
    #[error("the certificate in `{}` expired at {at}", .path.display())]
    Expired {
        /// Which file.
        path: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// It will be valid.
    #[error("the certificate in `{}` is not valid before {at}", .path.display())]
    NotYetValid {
        /// Which file.
        path: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// No authority of clients can be used any more.
    #[error("every authority in `{}` is expired", .0.display())]
    AuthoritiesExpired(PathBuf),
    /// The authorities of clients cannot be used.
    #[error("the authorities in `{}` cannot be used: {why}", .path.display())]
    UnusableAuthorities {
        /// Which file.
        path: PathBuf,
        /// What the library says.
        why: String,
    },
}

/// The texts of the files of an address.
#[derive(Debug)]
pub(super) struct Texts {
    pub certificate: String,
    pub key: String,
    pub authority: Option<String>,
}

/// What an address is served with.
#[derive(Debug)]
pub(super) struct Material {
    /// The chain with its key.
    pub certified: Arc<CertifiedKey>,
    /// What our certificate says of itself.
    pub facts: CertificateFacts,
    /// Who judges certificates of clients.
    pub verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Material {
    /// Makes one whole of the texts.
    pub(super) fn load(
        settings: &TlsSettings,
        texts: &Texts,
        provider: &Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Result<Self, TlsProblem> {
        let path = &settings.certificate;
        let chain = certificates(path, &texts.certificate)?;
        let leaf = chain.first().map(|leaf| leaf.as_ref()).unwrap_or_default();
        let facts = CertificateFacts::read(leaf).ok_or_else(|| TlsProblem::NoCertificate(path.clone()))?;
        let key = private_key(&settings.key, &texts.key)?;
        let certified = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsProblem::KeyMismatch {
                key: settings.key.clone(),
                certificate: path.clone(),
            },
            rustls::Error::InvalidCertificate(_) => TlsProblem::NoCertificate(path.clone()),
            other => TlsProblem::UnusableKey {
                path: settings.key.clone(),
                why: other.to_string(),
            },
        })?;
        if now >= facts.not_after {
            return Err(TlsProblem::Expired {
                path: path.clone(),
                at: facts.not_after,
            });
        }
        if now < facts.not_before {
            return Err(TlsProblem::NotYetValid {
                path: path.clone(),
                at: facts.not_before,
            });
        }
        let authority = settings.clients.as_ref().zip(texts.authority.as_deref());
        let verifier = authority
            .map(|(clients, text)| verifier(&clients.authority, text, provider, now))
            .transpose()?;
        Ok(Self {
            certified: Arc::new(certified),
            facts,
            verifier,
        })
    }

    /// What a client in Go would not take, although everything is as it should be otherwise.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let without_names = !self.facts.has_alternative_names;
        let not_for_servers = !self.facts.is_for_servers;
        [
            without_names.then_some(
                "the certificate has no subject alternative name, and kube-scheduler and the API server look at no other",
            ),
            not_for_servers.then_some(
                "the certificate's extended key usage lacks `serverAuth`, so clients will refuse it",
            ),
        ]
        .into_iter()
        .flatten()
    }
}

fn certificates(path: &Path, text: &str) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    not_empty(path, text)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| TlsProblem::NoPem {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    if found.is_empty() {
        return Err(TlsProblem::Missing {
            path: path.to_owned(),
            what: "certificate",
            label: "CERTIFICATE",
        });
    }
    Ok(found)
}

fn private_key(path: &Path, text: &str) -> Result<PrivateKeyDer<'static>, TlsProblem> {
    not_empty(path, text)?;
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(TlsProblem::EncryptedKey(path.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => TlsProblem::Missing {
            path: path.to_owned(),
            what: "private key",
            label: "PRIVATE KEY",
        },
        other => TlsProblem::NoPem {
            path: path.to_owned(),
            why: other.to_string(),
        },
    })
}

fn not_empty(path: &Path, text: &str) -> Result<(), TlsProblem> {
    match text.trim().is_empty() {
        true => Err(TlsProblem::Empty(path.to_owned())),
        false => Ok(()),
    }
}

fn verifier(
    path: &Path,
    text: &str,
    provider: &Arc<CryptoProvider>,
    now: Timestamp,
) -> Result<Arc<dyn ClientCertVerifier>, TlsProblem> {
    let unusable = |why: String| TlsProblem::UnusableAuthorities {
        path: path.to_owned(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path, text)? {
        let facts = CertificateFacts::read(authority.as_ref());
        let facts = facts.ok_or_else(|| TlsProblem::NoCertificate(path.to_owned()))?;
        // One that is expired may stand in a bundle beside its successor; rustls would still trust it.
        if now < facts.not_after {
            roots
                .add(authority)
                .map_err(|error| unusable(error.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Err(TlsProblem::AuthoritiesExpired(path.to_owned()));
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    verifier
        .map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
        .map_err(|error| unusable(error.to_string()))
}

#[cfg(test)]
#[path = "material_tests.rs"]
mod tests;
