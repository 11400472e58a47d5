//! The webhook's certificate, and then its authority, change while pods are created.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::cases::fleet::{EEA_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan, admitted_by};
use crate::certificates::{Authority, Issued};
use crate::creations::{Creations, create_all};
use crate::objects::Pod;
use crate::waiting;
use crate::webhook::FailurePolicy;

/// Creations under way at any time.
const AT_ONCE: usize = 4;
/// Creations between two changes at least.
const BETWEEN: usize = 40;

/// Puts a certificate and its key where others were. They do not change at the same moment, as with most tools.
fn put(issued: &Issued, current: &Issued) {
    let replace = |from: &Path, to: &Path| std::fs::rename(from, to).expect("a file can be replaced");
    replace(&issued.key, &current.key);
    replace(&issued.certificate, &current.certificate);
}

fn certificate(file: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file).expect("a certificate is PEM")
}

/// The certificate that a new client is shown, when one of these authorities signed it.
fn shown(port: u16, authorities: &[&Authority]) -> Result<CertificateDer<'static>, String> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots
            .add(certificate(&authority.file))
            .expect("an authority's certificate");
    }
    let provider = rustls::crypto::ring::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("an address is a name");
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    while connection.is_handshaking() {
        connection
            .complete_io(&mut stream)
            .map_err(|error| error.to_string())?;
    }
    let chain = connection.peer_certificates().ok_or("it shows none")?;
    Ok(chain[0].clone().into_owned())
}

/// As an operator moves to another authority: both are trusted, the certificate changes, the old authority goes.
#[tokio::test(flavor = "multi_thread")]
async fn certificate_and_authority_rotate_under_load_and_no_creation_fails() {
    let stand = Plan::begin("webhook-rotation")
        .await
        .admission()
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.register(FailurePolicy::Fail).await;
    let (cluster, directory) = (stand.cluster(), &stand.scenario.directory);
    let old = &stand.scenario.plane.certificates.authority;
    let folder = directory.join("new-authority");
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let new = &Authority::write(&folder);
    let current = stand.admission.as_ref().expect("it has a webhook");
    let trusting = |authorities: &[&Authority]| {
        let files: Vec<&Path> = authorities
            .iter()
            .map(|authority| authority.file.as_path())
            .collect();
        stand.webhook(FailurePolicy::Fail).trusting(&files)
    };

    let (is_over, created) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = async {
        let mut rounds: Vec<Creations> = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let round = rounds.len();
            let pods = (0..AT_ONCE).map(|number| {
                Pod::named(format!("web-{round}-{number}"))
                    .in_namespace("shop")
                    .scheduled_by("nobody")
            });
            let creations = create_all(cluster, pods.collect(), AT_ONCE, false).await;
            created.fetch_add(creations.created.len(), Ordering::Relaxed);
            rounds.push(creations);
        }
        rounds
    };
    // Nothing tells when every part of the API server has heeded a change; so many creations later it has.
    let until_more = async || {
        let before = created.load(Ordering::Relaxed);
        waiting::until("creations go on", LIMIT, async || {
            match created.load(Ordering::Relaxed) - before {
                more if more >= BETWEEN => Ok(()),
                more => Err(format!("{more} since")),
            }
        })
        .await;
    };
    let rotation = async {
        until_more().await;
        for (number, authority) in [old, old, new].into_iter().enumerate() {
            let issued = authority.server(directory, &format!("rotated-{number}"));
            let expected = certificate(&issued.certificate);
            if number == 2 {
                cluster.register(&trusting(&[old, new])).await;
                until_more().await;
            }
            put(&issued, current);
            waiting::until("the new certificate is shown", LIMIT, async || {
                match shown(stand.domicile.webhook_port(), &[old, new])? == expected {
                    true => Ok(()),
                    false => Err("it is the one of before".to_owned()),
                }
            })
            .await;
            until_more().await;
        }
        // From now on a client of this registration would turn away the first two.
        cluster.register(&trusting(&[new])).await;
        until_more().await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (rounds, ()) = tokio::join!(load, rotation);
    let failures: Vec<&String> = rounds.iter().flat_map(|round| &round.failures).collect();
    assert!(failures.is_empty(), "{failures:?}");
    let mut pods = rounds.iter().flat_map(|round| &round.created);
    assert!(pods.all(|pod| admitted_by(pod).is_some()));
}
