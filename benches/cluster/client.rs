//! The API server as a process, and how it is told what to do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// Set for the process that is the API server.
pub const IS_SERVER: &str = "DOMICILE_BENCH_API_SERVER";

/// A running API server; it ends with this.
pub struct ApiServer {
    process: Child,
    address: String,
}

impl ApiServer {
    /// Starts this program as the API server.
    pub fn start() -> Self {
        let program = std::env::current_exe().expect("a path");
        let mut process = Command::new(program)
            .env(IS_SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let out = process.stdout.take().expect("a pipe");
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address).expect("an address");
        Self {
            process,
            address: address.trim().to_owned(),
        }
    }

    /// A client of it.
    pub fn kube_client(&self) -> kube::Client {
        let uri = format!("http://{}", self.address).parse().expect("an address");
        let mut config = kube::Config::new(uri);
        config.read_timeout = None;
        kube::Client::try_from(config).expect("a client")
    }

    /// Has it do something; returns when that has begun.
    pub fn post(&self, path: &str) {
        self.call("POST", path);
    }

    /// When each pod event was sent, in microseconds since 1970, in order.
    pub fn sent_us(&self) -> Vec<u64> {
        let text = self.call("GET", "/control/sent");
        text.lines().map(|line| line.parse().expect("a number")).collect()
    }

    fn call(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let request = format!("{method} {path} HTTP/1.0\r\nHost: api\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.contains(" 200 "), "{head}");
        body.to_owned()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
