//! One poll over HTTP: every query of a source, asked at once.
//!
//! Inputs: the settings of a source. Output: an answer or a failure for each query. Invariants: at most
//! [`MOST_BYTES`] of a body are read; nothing takes longer than the timeout of the source; a token is
//! sent to the configured address alone, because redirects are failures; no token is in any sentence.
//! Connections live for one poll, so that renewed tokens and certificates count at the next.
//! Deliberately absent: proxies, and tries beyond the next poll.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderValue, USER_AGENT};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::answer::{Answer, QueryFailure, quote, read_answer};
use super::settings::{PrometheusSettings, QueryName};

/// The most bytes of one answer; 100,000 series are about 30 MB.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What each query was answered.
pub type Answers = BTreeMap<QueryName, Result<Answer, QueryFailure>>;

/// Asks every query of a source, all at once.
pub async fn ask(source: &PrometheusSettings) -> Answers {
    let connection = Connection::open(source).await;
    let asked = source.queries.asked().map(|(name, promql)| {
        let connection = connection.as_ref();
        async move {
            let answer = match connection {
                Ok(connection) => connection.query(promql).await,
                Err(failure) => Err(failure.clone()),
            };
            (name, answer)
        }
    });
    join_all(asked).await.into_iter().collect()
}

struct Connection {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    authorization: Option<HeaderValue>,
    endpoint: String,
    timeout: Duration,
}

impl Connection {
    async fn open(source: &PrometheusSettings) -> Result<Self, QueryFailure> {
        let authorization = match &source.bearer_token_file {
            Some(path) => Some(authorization(path).await?),
            None => None,
        };
        let tls = tls(source.url.is_encrypted(), source.ca_file.as_deref()).await?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            authorization,
            endpoint: format!("{}/api/v1/query", source.url),
            timeout: source.timeout,
        })
    }

    async fn query(&self, promql: &str) -> Result<Answer, QueryFailure> {
        match tokio::time::timeout(self.timeout, self.fetch(promql)).await {
            Ok(answer) => answer,
            Err(_) => Err(QueryFailure::TimedOut(self.timeout)),
        }
    }

    async fn fetch(&self, promql: &str) -> Result<Answer, QueryFailure> {
        // Prometheus gives the query up too when we do. No `time`: its own clock is that of its samples.
        let uri = format!(
            "{}?timeout={}ms&query={}",
            self.endpoint,
            self.timeout.as_millis(),
            utf8_percent_encode(promql, NON_ALPHANUMERIC)
        );
        let mut request = Request::get(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("domicile/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request
            .body(Empty::new())
            .map_err(|error| QueryFailure::NoAnswer(error.to_string()))?;
        let response = self.client.request(request).await;
        let response = response.map_err(|error| QueryFailure::NoAnswer(causes(&error)))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => QueryFailure::TooLarge(MOST_BYTES),
            false => QueryFailure::NoAnswer(causes(error.as_ref())),
        })?;
        read_answer(status, &body.to_bytes())
    }
}

async fn authorization(path: &Path) -> Result<HeaderValue, QueryFailure> {
    let unusable = |why: String| {
        QueryFailure::Credentials(format!("the token in `{}` cannot be used: {why}", path.display()))
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| unusable(error.to_string()))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(unusable("the file is empty".to_owned()));
    }
    // The error of the header is not repeated: it could hold the token.
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| unusable("it has characters that no header may have".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What trusts the server. Without encryption nothing is read.
async fn tls(is_encrypted: bool, ca_file: Option<&Path>) -> Result<ClientConfig, QueryFailure> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| QueryFailure::Credentials(format!("TLS cannot be used: {error}")))?;
    let builder = match ca_file {
        _ if !is_encrypted => builder.with_root_certificates(RootCertStore::empty()),
        Some(path) => builder.with_root_certificates(authorities(path).await?),
        None => builder.with_native_roots().map_err(|error| {
            QueryFailure::Credentials(format!(
                "the authorities of the system cannot be read: {error}; name one with `ca-file`"
            ))
        })?,
    };
    Ok(builder.with_no_client_auth())
}

async fn authorities(path: &Path) -> Result<RootCertStore, QueryFailure> {
    let unusable = |why: String| {
        QueryFailure::Credentials(format!(
            "the authority `{}` cannot be used: {why}",
            path.display()
        ))
    };
    let pem = tokio::fs::read(path)
        .await
        .map_err(|error| unusable(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
    }
    match store.is_empty() {
        true => Err(unusable("it holds no certificate in PEM form".to_owned())),
        false => Ok(store),
    }
}

/// An error with everything that caused it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = chain.map(ToString::to_string).collect();
    quote(&texts.join(": "))
}
