//! As much HTTP/1.1 as kube-scheduler and domicile speak to each other, on loopback.
//!
//! The scheduler always sends `Content-Length` and never chunks (docs/kube-scheduler.md), so
//! a body is exactly that many bytes; an answer without a length ends with its
//! connection. Our own requests have a connection each.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A request as it arrived.
pub struct Request {
    pub path: String,
    pub body: Vec<u8>,
}

/// An answer, as bytes to pass on and in parts.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
    raw: Vec<u8>,
}

impl Response {
    /// A `200 OK` with JSON.
    pub fn json(body: &serde_json::Value) -> Self {
        let body = body.to_string().into_bytes();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self {
            status: 200,
            raw: [head.as_bytes(), &body].concat(),
            body,
        }
    }

    /// The bytes that came or go over the wire.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The body, taken as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The next request of a connection; `None` when the peer closed it.
pub async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(head) = Head::read(stream).await? else {
        return Ok(None);
    };
    let mut body = vec![0; head.content_length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(Some(Request {
        path: head.second_word().to_owned(),
        body,
    }))
}

/// Sends one request on a connection of its own.
pub async fn exchange(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> io::Result<Response> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let head = Head::read(&mut stream)
        .await?
        .ok_or_else(|| io::Error::other("closed without an answer"))?;
    let status = head.second_word().parse().map_err(io::Error::other)?;
    let mut body = Vec::new();
    match head.content_length {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body).await?;
        }
        None => {
            stream.read_to_end(&mut body).await?;
        }
    }
    Ok(Response {
        status,
        raw: [head.text.as_bytes(), &body].concat(),
        body,
    })
}

/// All before the body of a request or an answer.
struct Head {
    text: String,
    content_length: Option<usize>,
}

impl Head {
    async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut head = Self {
            text: String::new(),
            content_length: None,
        };
        loop {
            let before = head.text.len();
            if stream.read_line(&mut head.text).await? == 0 {
                return Ok(None);
            }
            let line = head.text[before..].trim_end();
            if line.is_empty() {
                return Ok(Some(head));
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                head.content_length = Some(value.trim().parse().map_err(io::Error::other)?);
            }
        }
    }

    /// The path of a request, the status of an answer.
    fn second_word(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }
}
