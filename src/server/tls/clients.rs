//! Which clients may ask: those whose certificate bears a listed name.
//!
//! Names are looked at once for each connection, when it begins; a request of a connection that may not ask
//! is answered 403 before its body is read. A 403 and not a failed handshake: it says that the
//! certificate is trusted and its name is not listed, which is another fix, and `curl` shows the sentence.

use std::any::Any;
use std::collections::BTreeSet;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use rustls::pki_types::CertificateDer;

use super::certificate::CertificateFacts;
use super::serving::ServerTls;
use crate::server::sentence::sentence;

/// What is remembered of the client of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Listed,
    NotListed,
}

/// Judges the client of a new connection, and remembers the verdict with it.
pub(in crate::server) fn remember_client(tls: &ServerTls, connection: &dyn Any, data: &mut Extensions) {
    let Some(listed) = tls.client_names() else {
        return;
    };
    let chain = connection
        .downcast_ref::<TlsStream<TcpStream>>()
        .and_then(|stream| stream.get_ref().1.peer_certificates());
    let client = judge(listed, chain.unwrap_or_default());
    if client == Client::NotListed {
        tls.metrics().client_refused(tls.address().word(), "not-listed");
    }
    data.insert(client);
}

fn judge(listed: &BTreeSet<String>, chain: &[CertificateDer<'_>]) -> Client {
    let facts = chain
        .first()
        .and_then(|leaf| CertificateFacts::read(leaf.as_ref()));
    let Some(facts) = facts else {
        return Client::NotListed;
    };
    if listed.is_empty() || facts.names().any(|name| listed.contains(name)) {
        return Client::Listed;
    }
    let names: Vec<&str> = facts.names().collect();
    tracing::warn!(
        ?names,
        "a client whose certificate bears no listed name is refused"
    );
    Client::NotListed
}

/// Lets requests pass whose connection is of a listed client.
pub(in crate::server) async fn listed_clients_only(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match request.conn_data::<Client>() {
        Some(Client::Listed) => next.call(request).await,
        // A connection that nobody judged is refused too.
        Some(Client::NotListed) | None => {
            let refusal = sentence(
                StatusCode::FORBIDDEN,
                "the client certificate is trusted and bears none of the names in the setting `client-names` of this address",
            );
            Ok(request.into_response(refusal))
        }
    }
}
