//! The secrets of one control plane: an authority, certificates of servers signed by it, and the key that
//! signs service account tokens.
//!
//! Made anew for every run and written only into its temporary folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// An authority whose key is only in memory.
pub struct Authority {
    /// Its certificate, a PEM file.
    pub file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// Paths of PEM files that belong together.
#[derive(Clone, Debug)]
pub struct Issued {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes one and writes its certificate to `authority.crt`.
    pub fn write(directory: &Path) -> Self {
        let key = KeyPair::generate().expect("a key can be generated");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority
            .distinguished_name
            .push(DnType::CommonName, "domicile cluster tests");
        let certificate = authority.self_signed(&key).expect("an authority can sign itself");
        Self {
            file: write(directory, "authority.crt", &certificate.pem()),
            issuer: Issuer::new(authority, key),
        }
    }

    /// A certificate for a server on loopback, and its key, written to `NAME.crt` and `NAME.key`.
    pub fn server(&self, directory: &Path, name: &str) -> Issued {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut server = CertificateParams::new(names).expect("these are valid names");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(directory, name, server)
    }

    fn issue(&self, directory: &Path, name: &str, mut parameters: CertificateParams) -> Issued {
        let key = KeyPair::generate().expect("a key can be generated");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("the authority can sign");
        Issued {
            certificate: write(directory, &format!("{name}.crt"), &certificate.pem()),
            key: write(directory, &format!("{name}.key"), &key.serialize_pem()),
        }
    }
}

/// Paths of PEM files of the control plane.
pub struct Certificates {
    pub authority: Authority,
    pub server: Issued,
    /// Signs tokens.
    pub service_account_key: PathBuf,
    /// Verifies them.
    pub service_account_public_key: PathBuf,
}

impl Certificates {
    pub fn write(directory: &Path) -> Self {
        let authority = Authority::write(directory);
        let service_account_key = KeyPair::generate().expect("a key can be generated");
        Self {
            server: authority.server(directory, "kube-apiserver"),
            authority,
            service_account_public_key: write(
                directory,
                "service-account.pub",
                &service_account_key.public_key_pem(),
            ),
            service_account_key: write(
                directory,
                "service-account.key",
                &service_account_key.serialize_pem(),
            ),
        }
    }
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the temporary folder can be written");
    path
}
