//! The secrets of one control plane: an authority, the API server's certificate
//! signed by it, and the key that signs service account tokens.
//!
//! Made anew for every run and written only into its temporary folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Paths of PEM files.
pub struct Certificates {
    pub authority: PathBuf,
    pub server: PathBuf,
    pub server_key: PathBuf,
    /// Signs tokens.
    pub service_account_key: PathBuf,
    /// Verifies them.
    pub service_account_public_key: PathBuf,
}

impl Certificates {
    pub fn write(directory: &Path) -> Self {
        let authority_key = KeyPair::generate().expect("a key can be generated");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority
            .distinguished_name
            .push(DnType::CommonName, "domicile cluster tests");
        let authority_certificate = authority
            .self_signed(&authority_key)
            .expect("an authority can sign itself");
        let issuer = Issuer::new(authority, authority_key);

        let server_key = KeyPair::generate().expect("a key can be generated");
        let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])
            .expect("these are valid names");
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_certificate = server
            .signed_by(&server_key, &issuer)
            .expect("the authority can sign");

        let service_account_key = KeyPair::generate().expect("a key can be generated");
        let write = |name: &str, text: String| {
            let path = directory.join(name);
            std::fs::write(&path, text).expect("the temporary folder can be written");
            path
        };
        Self {
            authority: write("authority.crt", authority_certificate.pem()),
            server: write("server.crt", server_certificate.pem()),
            server_key: write("server.key", server_key.serialize_pem()),
            service_account_public_key: write("service-account.pub", service_account_key.public_key_pem()),
            service_account_key: write("service-account.key", service_account_key.serialize_pem()),
        }
    }
}
