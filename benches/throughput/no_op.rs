//! An extender that decides nothing: it parses names, echoes them, and names no score.
//!
//! It stands for what any extender costs kube-scheduler at the least. Same HTTP library, settings and number of
//! threads as Domicile.

use std::borrow::Cow;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::{Bytes, PayloadConfig, post};
use actix_web::{App, HttpResponse, HttpServer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Arguments<'b> {
    /// Parsed as far as its end.
    #[serde(rename = "Pod", borrow)]
    _pod: &'b RawValue,
    #[serde(rename = "NodeNames", borrow)]
    names: Vec<Cow<'b, str>>,
}

#[derive(Serialize)]
struct Answer<'b> {
    #[serde(rename = "NodeNames")]
    names: Vec<Cow<'b, str>>,
    #[serde(rename = "Error")]
    error: &'static str,
}

/// Starts it and tells its URL; it ends with the process.
pub fn start() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let server = HttpServer::new(|| {
            App::new()
                .app_data(PayloadConfig::new(64 << 20))
                .route("/filter", post().to(filter))
                .route("/prioritize", post().to(prioritize))
        });
        let server = server.keep_alive(Duration::from_secs(150)).tcp_nodelay(true);
        let server = server.listen(listener).expect("the port is ours").run();
        actix_web::rt::System::new().block_on(server).expect("serving");
    });
    url
}

fn read(body: &Bytes) -> Arguments<'_> {
    serde_json::from_slice(body).expect("kube-scheduler sends names")
}

async fn filter(body: Bytes) -> HttpResponse {
    let answer = Answer {
        names: read(&body).names,
        error: "",
    };
    HttpResponse::Ok().json(&answer)
}

async fn prioritize(body: Bytes) -> HttpResponse {
    let names = read(&body).names;
    assert!(!names.is_empty(), "kube-scheduler asks about nodes");
    HttpResponse::Ok().content_type("application/json").body("[]")
}
