//! Which texts make a whole, and what is said of those that do not.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use rustls::crypto::ring;

use super::super::settings::ClientSettings;
use super::*;

/// Made for these tests, and for nothing else: the library that signs here cannot make RSA keys.
const RSA_KEY: &str = include_str!("rsa_key_for_tests.pem");

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("an instant")
}

fn settings() -> TlsSettings {
    TlsSettings {
        certificate: "/x/tls.crt".into(),
        key: "/x/tls.key".into(),
        clients: Some(ClientSettings {
            authority: "/x/ca.crt".into(),
            names: ["scheduler".to_owned()].into(),
        }),
    }
}

fn parameters() -> CertificateParams {
    let mut parameters = CertificateParams::new(vec!["domicile.test".to_owned()]).expect("a name");
    parameters.not_before = rcgen::date_time_ymd(2026, 11, 1);
    parameters.not_after = rcgen::date_time_ymd(2026, 12, 1);
    parameters
}

fn authority(last_year: i32) -> String {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    parameters.self_signed(&key).expect("a certificate").pem()
}

fn texts_with(parameters: &CertificateParams, key: &KeyPair) -> Texts {
    Texts {
        certificate: parameters.self_signed(key).expect("a certificate").pem(),
        key: key.serialize_pem(),
        authority: Some(authority(2030)),
    }
}

fn texts() -> Texts {
    texts_with(&parameters(), &KeyPair::generate().expect("a key"))
}

fn load_at(texts: &Texts, now: Timestamp) -> Result<Material, String> {
    let provider = Arc::new(ring::default_provider());
    Material::load(&settings(), texts, &provider, now).map_err(|problem| problem.to_string())
}

fn load(texts: &Texts) -> Result<Material, String> {
    load_at(texts, now())
}

/// The same bytes under another label.
fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::new();
    for chunk in der.chunks(3) {
        let bytes = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let group = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
        for position in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * position) & 63) as usize] as char;
            base64.push(if position <= chunk.len() { digit } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// What a PKCS#8 key wraps: its last octet string, which here reaches to the end or to the public key.
fn inner_key(pkcs8: &[u8]) -> Vec<u8> {
    // SEQUENCE, version, algorithm, OCTET STRING.
    let (_, info) = pkcs8.split_at(header(pkcs8).0);
    let (version, length) = header(info);
    let info = &info[version + length..];
    let (algorithm, length) = header(info);
    let info = &info[algorithm + length..];
    let (key, length) = header(info);
    info[key..key + length].to_vec()
}

/// How many bytes tag and length of a DER element take, and how many its contents.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short if short < 128 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 127);
            let length = der[2..2 + bytes]
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    }
}

#[test]
fn every_usual_kind_of_key_is_taken_in_every_usual_form() {
    let ecdsa = KeyPair::generate().expect("a key");
    let rsa = KeyPair::from_pkcs8_pem_and_sign_algo(RSA_KEY, &PKCS_RSA_SHA256).expect("a key");
    let mut taken: Vec<(&str, Texts)> = vec![
        ("P-256", texts_with(&parameters(), &ecdsa)),
        ("RSA", texts_with(&parameters(), &rsa)),
    ];
    for (name, algorithm) in [("P-384", &PKCS_ECDSA_P384_SHA384), ("Ed25519", &PKCS_ED25519)] {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        taken.push((name, texts_with(&parameters(), &key)));
    }
    for (name, label, key) in [
        ("SEC1", "EC PRIVATE KEY", &ecdsa),
        ("PKCS#1", "RSA PRIVATE KEY", &rsa),
    ] {
        let mut texts = texts_with(&parameters(), key);
        texts.key = pem(label, &inner_key(&key.serialize_der()));
        taken.push((name, texts));
    }
    for (name, texts) in taken {
        let material = load(&texts).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(material.certified.keys_match().is_ok(), "{name}");
        assert_eq!(material.facts.not_after.to_string(), "2026-12-01T00:00:00Z");
        assert!(material.verifier.is_some());
        assert_eq!(material.warnings().count(), 0, "{name}");
    }
}

#[test]
fn a_chain_is_served_whole_and_text_around_it_is_passed_over() {
    let mut texts = texts();
    texts.certificate = format!("subject=CN=domicile\n{}{}", texts.certificate, authority(2030));
    assert_eq!(load(&texts).expect("a chain").certified.cert.len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_the_file() {
    let changed = |change: &dyn Fn(&mut Texts)| {
        let mut texts = texts();
        change(&mut texts);
        load(&texts).expect_err("something is wrong")
    };
    type Change = Box<dyn Fn(&mut Texts)>;
    let table: Vec<(Change, &str)> = vec![
        (
            Box::new(|texts| texts.certificate = "\n".into()),
            "`/x/tls.crt` is empty",
        ),
        (Box::new(|texts| texts.key.clear()), "`/x/tls.key` is empty"),
        (
            Box::new(|texts| texts.authority = Some(String::new())),
            "`/x/ca.crt` is empty",
        ),
        (
            Box::new(|texts| std::mem::swap(&mut texts.certificate, &mut texts.key)),
            "`/x/tls.crt` holds no certificate: it must be PEM, with a line `-----BEGIN CERTIFICATE-----`",
        ),
        (
            Box::new(|texts| texts.key = texts.certificate.clone()),
            "`/x/tls.key` holds no private key: it must be PEM, with a line `-----BEGIN PRIVATE KEY-----`",
        ),
        (
            Box::new(|texts| texts.certificate.truncate(300)),
            "`/x/tls.crt` is no readable PEM",
        ),
        (
            Box::new(|texts| texts.key.truncate(100)),
            "`/x/tls.key` is no readable PEM",
        ),
        (
            Box::new(|texts| texts.key = pem("ENCRYPTED PRIVATE KEY", b"secret")),
            "the key in `/x/tls.key` is encrypted with a passphrase",
        ),
        (
            Box::new(|texts| texts.certificate = pem("CERTIFICATE", b"nothing")),
            "`/x/tls.crt` holds a certificate that cannot be read",
        ),
        (
            Box::new(|texts| texts.key = pem("PRIVATE KEY", b"nothing")),
            "the key in `/x/tls.key` cannot be used",
        ),
        (
            Box::new(|texts| texts.key = KeyPair::generate().expect("a key").serialize_pem()),
            "the key in `/x/tls.key` does not belong to the certificate in `/x/tls.crt`",
        ),
        (
            Box::new(|texts| texts.authority = Some(authority(2026))),
            "every authority in `/x/ca.crt` is expired",
        ),
        (
            Box::new(|texts| texts.authority = Some(pem("CERTIFICATE", b"nothing"))),
            "`/x/ca.crt` holds a certificate that cannot be read",
        ),
    ];
    for (change, expected) in table {
        let told = changed(&*change);
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn a_certificate_is_served_from_its_first_instant_and_no_more_at_its_last() {
    let texts = texts();
    let first: Timestamp = "2026-11-01T00:00:00Z".parse().expect("an instant");
    let last: Timestamp = "2026-12-01T00:00:00Z".parse().expect("an instant");
    let second = Duration::from_secs(1);
    assert!(load_at(&texts, first).is_ok());
    assert!(load_at(&texts, last - second).is_ok());
    assert_eq!(
        load_at(&texts, first - second).expect_err("too early"),
        "the certificate in `/x/tls.crt` is not valid before 2026-11-01T00:00:00Z"
    );
    assert_eq!(
        load_at(&texts, last).expect_err("too late"),
        "the certificate in `/x/tls.crt` expired at 2026-12-01T00:00:00Z"
    );
}

#[test]
fn an_expired_authority_may_stand_beside_its_successor() {
    let mut texts = texts();
    texts.authority = Some(authority(2026) + &authority(2030));
    assert!(load(&texts).is_ok());
}

#[test]
fn what_go_would_refuse_is_warned_of() {
    let key = KeyPair::generate().expect("a key");
    let mut nameless = parameters();
    nameless.subject_alt_names.clear();
    nameless
        .distinguished_name
        .push(DnType::CommonName, "domicile.test");
    let mut for_clients = parameters();
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (parameters, expected) in [
        (nameless, "no subject alternative name"),
        (for_clients, "lacks `serverAuth`"),
    ] {
        let material = load(&texts_with(&parameters, &key)).expect("it can be served");
        let warnings: Vec<&str> = material.warnings().collect();
        assert!(
            matches!(&warnings[..], [warning] if warning.contains(expected)),
            "{warnings:?}"
        );
    }
}
