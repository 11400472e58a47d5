//! The measurements that a running server decides by: `GET /latency`.
//!
//! Plain HTTP, as the server speaks it on loopback or inside a cluster; whoever has TLS before it fetches the
//! file with a client of his own and names that. Invariant: what is fetched is read like any latency file.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::assembly::SourceText;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes that are read, as of a latency file.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Fetches the measurements of a server, such as `http://127.0.0.1:8265`.
///
/// # Errors
/// Where there is no such server, or it is not ready.
pub fn fetch(server: &str) -> Result<SourceText> {
    let url = format!("{}/latency", server.trim_end_matches('/'));
    let uri: Uri = url.parse().map_err(|_| no_url(server))?;
    if uri.scheme_str() != Some("http") || uri.authority().is_none() {
        return Err(no_url(server));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, get(uri)).await });
    let text = match answer {
        Ok(answer) => answer.with_context(|| format!("`{url}` cannot be read"))?,
        Err(_) => bail!("`{url}` does not answer within {} s", PATIENCE.as_secs()),
    };
    Ok(SourceText::new(url, text))
}

fn no_url(server: &str) -> anyhow::Error {
    anyhow!("`{server}` is no address of a server: write it such as http://127.0.0.1:8265")
}

async fn get(uri: Uri) -> Result<String> {
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.get(uri).await.context("the server does not answer")?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
    let body = body.map_err(|error| anyhow!("the answer breaks off: {error}"))?;
    let text = String::from_utf8(body.to_bytes().into()).context("the answer is no text")?;
    if !status.is_success() {
        bail!("it answers {status}: {}", text.trim());
    }
    Ok(text)
}
