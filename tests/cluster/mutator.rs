//! A mutating webhook of the test itself, beside which ours must live.
//!
//! Served over TLS by a thread that ends with the test process.

use std::net::TcpListener;

use actix_web::web::{Data, Json, post};
use actix_web::{App, HttpServer};
use k8s_openapi::ByteString;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::certificates::Issued;

/// What it changes of a pod: an RFC 6902 JSON Patch.
pub type Change = fn(&Value) -> Value;

/// Starts one and tells its URL.
pub fn start(issued: &Issued, change: Change) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    let certificates = CertificateDer::pem_file_iter(&issued.certificate)
        .expect("a certificate can be read")
        .collect::<Result<_, _>>()
        .expect("a certificate is PEM");
    let key = PrivateKeyDer::from_pem_file(&issued.key).expect("a key is PEM");
    let tls = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("certificate and key belong together");
    std::thread::spawn(move || {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(change))
                .route("/", post().to(answer))
        })
        .workers(1)
        .listen_rustls_0_23(listener, tls)
        .expect("the port is ours")
        .run();
        actix_web::rt::System::new()
            .block_on(server)
            .expect("the webhook serves");
    });
    format!("https://{address}/")
}

async fn answer(change: Data<Change>, review: Json<Value>) -> Json<Value> {
    let request = &review["request"];
    let patch = change(&request["object"]).to_string();
    Json(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": request["uid"],
            "allowed": true,
            "patchType": "JSONPatch",
            "patch": ByteString(patch.into_bytes()),
        },
    }))
}
