//! The certificates that `serve` keeps: read at the start, watched, and read again on SIGHUP.

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::config::ServeSettings;
use crate::files::{SourceWatch, WatchSettings, watch_files};
use crate::metrics::Metrics;
use crate::server::{Endpoint, TlsAddress, TlsKeeper, TlsSettings};

/// The watches of all certificates; they end when this is dropped.
pub struct Encryption<'a> {
    settings: &'a ServeSettings,
    metrics: &'a Metrics,
    watches: Vec<SourceWatch>,
}

impl<'a> Encryption<'a> {
    /// Nothing is encrypted yet.
    #[must_use]
    pub fn new(settings: &'a ServeSettings, metrics: &'a Metrics) -> Self {
        Self {
            settings,
            metrics,
            watches: Vec::new(),
        }
    }

    /// Encrypts an endpoint with the files that are named for it, if any, and follows them from now on.
    ///
    /// # Errors
    /// Where the files are bad, for nothing good was there before.
    pub fn of(
        &mut self,
        endpoint: Endpoint,
        address: TlsAddress,
        tls: Option<&TlsSettings>,
    ) -> Result<Endpoint> {
        let Some(tls) = tls else {
            return Ok(endpoint);
        };
        let mut keeper = TlsKeeper::open(address, tls.clone(), self.metrics.tls(), Timestamp::now())
            .with_context(|| format!("the {} address cannot be encrypted", address.word()))?;
        let endpoint = endpoint.with_tls(Some(keeper.tls()));
        let name = format!("tls-{}", address.word());
        let every = WatchSettings::every(self.settings.reload_interval);
        let watch = watch_files(&name, keeper.files(), every, move || {
            keeper.look(Timestamp::now());
        });
        self.watches
            .push(watch.context("certificates cannot be watched")?);
        Ok(endpoint)
    }

    /// What is asked for a look on SIGHUP.
    #[must_use]
    pub fn into_watches(self) -> Vec<SourceWatch> {
        self.watches
    }
}
