//! The files of an address, looked at again and again; what did load as a whole stays until the next that does.
//!
//! Last known good: a bad file is told, counted and tried again, and what was good is served on. At the
//! start nothing is good yet, and a bad file is an error.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, ring};

use super::material::{Material, Texts, TlsProblem};
use super::serving::ServerTls;
use super::settings::{TlsAddress, TlsSettings};
use crate::files::{Sha256Hex, read_file, sha256_of};
use crate::metrics::TlsMetrics;

/// How often a look is begun in all: files may be swapped in the midst of it.
const ATTEMPTS: u32 = 4;
/// How long it waits before it begins again.
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// Whether what is served is what the files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsHealth {
    /// It is.
    Current,
    /// The files are bad, and what is served is what they said before.
    LastKnownGood {
        /// What is wrong with them.
        problem: String,
    },
}

/// The files of one address, and what is served of them.
#[derive(Debug)]
pub struct TlsKeeper {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    tls: Arc<ServerTls>,
    served: Sha256Hex,
    served_until: Timestamp,
    has_told_expiry: bool,
    health: TlsHealth,
}

impl TlsKeeper {
    /// The first look.
    ///
    /// # Errors
    /// Where the files cannot be served with.
    pub fn open(
        address: TlsAddress,
        settings: TlsSettings,
        metrics: TlsMetrics,
        now: Timestamp,
    ) -> Result<Self, TlsProblem> {
        let provider = Arc::new(ring::default_provider());
        let (digest, material) = look(&settings, |texts| {
            let material = Material::load(&settings, texts, &provider, now)?;
            Ok((digest(texts), material))
        })?;
        let served_until = material.facts.not_after;
        tell_loaded(address, &material);
        metrics.loaded(address.word(), served_until, now);
        Ok(Self {
            tls: Arc::new(ServerTls::new(
                address,
                &settings,
                material,
                provider.clone(),
                metrics,
            )),
            settings,
            provider,
            served: digest,
            served_until,
            has_told_expiry: false,
            health: TlsHealth::Current,
        })
    }

    /// What a listener is served with, now and after every look.
    #[must_use]
    pub fn tls(&self) -> Arc<ServerTls> {
        self.tls.clone()
    }

    /// Every file that is looked at.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let authority = self.settings.clients.as_ref().map(|clients| &clients.authority);
        [&self.settings.certificate, &self.settings.key]
            .into_iter()
            .chain(authority)
            .cloned()
            .collect()
    }

    /// Looks at the files, and serves with them from now on where they are good.
    pub fn look(&mut self, now: Timestamp) -> &TlsHealth {
        let Self {
            settings,
            provider,
            served,
            ..
        } = self;
        let outcome = look(settings, |texts| {
            let digest = digest(texts);
            // Nothing is loaded again that is served already, not even where it expired meanwhile.
            let material = match digest == *served {
                true => None,
                false => Some(Material::load(settings, texts, provider, now)?),
            };
            Ok((digest, material))
        });
        match outcome {
            Ok((digest, material)) => self.succeed(digest, material, now),
            Err(problem) => self.fail(&problem),
        }
        self.tell_expiry(now);
        &self.health
    }

    fn succeed(&mut self, digest: Sha256Hex, material: Option<Material>, now: Timestamp) {
        let address = self.tls.address();
        if let Some(material) = material {
            self.served_until = material.facts.not_after;
            self.has_told_expiry = false;
            tell_loaded(address, &material);
            self.tls.metrics().reloaded(address.word());
            self.tls.replace(material);
            self.served = digest;
        } else if self.health != TlsHealth::Current {
            tracing::info!(address = address.word(), "the files say again what is served");
        }
        self.tls.metrics().loaded(address.word(), self.served_until, now);
        self.health = TlsHealth::Current;
    }

    fn fail(&mut self, problem: &TlsProblem) {
        let address = self.tls.address().word();
        self.tls.metrics().reload_failed(address);
        let health = TlsHealth::LastKnownGood {
            problem: problem.to_string(),
        };
        if self.health != health {
            tracing::error!(address, %problem, "the files of TLS are bad; the last good certificate is served");
            self.health = health;
        }
    }

    fn tell_expiry(&mut self, now: Timestamp) {
        if now < self.served_until || self.has_told_expiry {
            return;
        }
        self.has_told_expiry = true;
        tracing::error!(
            address = self.tls.address().word(), expired_at = %self.served_until,
            "the certificate that is served expired, and clients refuse it; write a new one into its file"
        );
    }
}

fn tell_loaded(address: TlsAddress, material: &Material) {
    let names: Vec<&str> = material.facts.names().collect();
    let expires_at = material.facts.not_after;
    tracing::info!(address = address.word(), ?names, %expires_at, "certificate loaded");
    for warning in material.warnings() {
        tracing::warn!(address = address.word(), "{warning}");
    }
}

/// Reads the files and makes something of them. What is bad is read again, as a swap may have been met.
fn look<T>(settings: &TlsSettings, make: impl Fn(&Texts) -> Result<T, TlsProblem>) -> Result<T, TlsProblem> {
    for _ in 1..ATTEMPTS {
        match read(settings).and_then(|texts| make(&texts)) {
            Ok(made) => return Ok(made),
            Err(_) => std::thread::sleep(PAUSE_BETWEEN_ATTEMPTS),
        }
    }
    read(settings).and_then(|texts| make(&texts))
}

fn read(settings: &TlsSettings) -> Result<Texts, TlsProblem> {
    let text = |path: &Path| read_file(path).map_err(TlsProblem::from);
    let clients = settings.clients.as_ref();
    Ok(Texts {
        certificate: text(&settings.certificate)?,
        key: text(&settings.key)?,
        authority: clients.map(|clients| text(&clients.authority)).transpose()?,
    })
}

fn digest(texts: &Texts) -> Sha256Hex {
    let pieces = [&texts.certificate, &texts.key]
        .into_iter()
        .chain(&texts.authority);
    sha256_of(pieces.map(String::as_bytes))
}
