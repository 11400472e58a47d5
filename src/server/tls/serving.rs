//! What rustls asks at each handshake: the certificate of now, and the verdict on a client's.
//!
//! Invariants: the configuration that rustls holds never changes, what it leads to does; a client is
//! judged by the authorities of the instant of its handshake.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};

use super::material::Material;
use super::settings::{TlsAddress, TlsSettings};
use crate::metrics::TlsMetrics;

/// What an address serves with now, and what it counts.
#[derive(Debug)]
pub struct ServerTls {
    address: TlsAddress,
    client_names: Option<BTreeSet<String>>,
    material: ArcSwap<Material>,
    provider: Arc<CryptoProvider>,
    metrics: TlsMetrics,
}

impl ServerTls {
    pub(super) fn new(
        address: TlsAddress,
        settings: &TlsSettings,
        material: Material,
        provider: Arc<CryptoProvider>,
        metrics: TlsMetrics,
    ) -> Self {
        let clients = settings.clients.as_ref();
        Self {
            address,
            client_names: clients.map(|clients| clients.names.clone()),
            material: ArcSwap::from_pointee(material),
            provider,
            metrics,
        }
    }

    pub(super) fn replace(&self, material: Material) {
        self.material.store(Arc::new(material));
    }

    pub(super) fn address(&self) -> TlsAddress {
        self.address
    }

    pub(super) fn metrics(&self) -> &TlsMetrics {
        &self.metrics
    }

    /// The names of which a client must have one, where clients show certificates; empty is any name.
    pub(in crate::server) fn client_names(&self) -> Option<&BTreeSet<String>> {
        self.client_names.as_ref()
    }

    /// The configuration for a listener. It stays, whatever becomes of the files.
    ///
    /// # Errors
    /// Where the cryptography that is built in has no version of TLS, which is an error of ours.
    pub(in crate::server) fn configuration(self: &Arc<Self>) -> Result<ServerConfig, Error> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?;
        let builder = match self.client_names {
            Some(_) => builder.with_client_cert_verifier(Arc::new(CurrentVerifier {
                algorithms: self.provider.signature_verification_algorithms,
                tls: self.clone(),
            })),
            None => builder.with_no_client_auth(),
        };
        let mut configuration = builder.with_cert_resolver(Arc::new(CurrentCertificate(self.clone())));
        configuration.session_storage = Arc::new(NoServerSessionStorage {});
        configuration.send_tls13_tickets = 0;
        Ok(configuration)
    }
}

#[derive(Debug)]
struct CurrentCertificate(Arc<ServerTls>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.material.load().certified.clone())
    }
}

#[derive(Debug)]
struct CurrentVerifier {
    algorithms: WebPkiSupportedAlgorithms,
    tls: Arc<ServerTls>,
}

impl ClientCertVerifier for CurrentVerifier {
    /// Asked once for each answer of a client, before its certificate is looked at where it sent one.
    fn client_auth_mandatory(&self) -> bool {
        self.tls.metrics.client_answered(self.tls.address.word());
        true
    }

    /// None: a client shows what it has, and the list could not change with the file.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let address = self.tls.address;
        self.tls.metrics.client_showed_certificate(address.word());
        let material = self.tls.material.load();
        let verdict = match &material.verifier {
            Some(verifier) => verifier.verify_client_cert(end_entity, intermediates, now),
            // A material without a verifier is not made for settings that ask for one.
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verdict.inspect_err(|error| {
            self.tls.metrics.client_refused(address.word(), "untrusted");
            tracing::warn!(address = address.word(), %error, "a client's certificate is not trusted");
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
