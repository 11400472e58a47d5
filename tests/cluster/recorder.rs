//! An extender that remembers every call: by itself it accepts or refuses everything,
//! or it stands between kube-scheduler and another extender and passes calls through.
//!
//! Calls are in the order of their arrival. It lives in the runtime of its test and
//! ends with it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{self, Request, Response};

/// One call that an extender received.
#[derive(Clone)]
pub struct Call {
    pub at: Instant,
    /// `filter`, `prioritize`, `preempt` or `bind`: the last part of the path.
    pub verb: String,
    pub request: Value,
    /// The request as it was on the wire.
    pub body: Vec<u8>,
    /// `None` when the extender behind could not be reached.
    pub response: Option<Response>,
}

impl Call {
    /// The name of the pod that the call is about.
    pub fn pod(&self) -> &str {
        self.request["Pod"]["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
    }

    /// The nodes that a filter or prioritize call offers, in the order of names.
    pub fn offered(&self) -> Vec<&str> {
        offered(&self.request)
    }

    /// The answer, when it is JSON.
    pub fn answer(&self) -> Option<Value> {
        serde_json::from_slice(&self.response.as_ref()?.body).ok()
    }
}

fn offered(request: &Value) -> Vec<&str> {
    let names = array(&request["NodeNames"]).iter();
    let nodes = array(&request["Nodes"]["items"]).iter();
    let mut offered: Vec<&str> = names
        .chain(nodes.map(|node| &node["metadata"]["name"]))
        .filter_map(Value::as_str)
        .collect();
    offered.sort_unstable();
    offered
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[derive(Clone, Copy)]
enum Behaviour {
    AcceptAll,
    /// With this reason.
    RefuseAll(&'static str),
    Forward(SocketAddr),
}

pub struct Recorder {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Recorder {
    /// Accepts every node, scores all alike, agrees to every preemption.
    pub async fn accepting_all() -> Self {
        Self::start(Behaviour::AcceptAll).await
    }

    /// Refuses every node for this reason, and all preemption.
    pub async fn refusing_all(reason: &'static str) -> Self {
        Self::start(Behaviour::RefuseAll(reason)).await
    }

    /// Passes every call on. While nobody listens there, connections are dropped without an answer.
    pub async fn in_front_of(address: SocketAddr) -> Self {
        Self::start(Behaviour::Forward(address)).await
    }

    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let calls = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour, Arc::clone(&shared)));
            }
        });
        Self { address, calls }
    }

    /// What goes into `urlPrefix`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All calls of a verb so far.
    pub fn calls(&self, verb: &str) -> Vec<Call> {
        lock(&self.calls)
            .iter()
            .filter(|call| call.verb == verb)
            .cloned()
            .collect()
    }

    /// All calls of a verb that are about one pod.
    pub fn calls_about(&self, verb: &str, pod: &str) -> Vec<Call> {
        self.calls(verb)
            .into_iter()
            .filter(|call| call.pod() == pod)
            .collect()
    }
}

async fn serve(stream: TcpStream, behaviour: Behaviour, calls: Arc<Mutex<Vec<Call>>>) {
    let mut stream = BufReader::new(stream);
    // A connection that the scheduler breaks off (its timeout) ends the loop; there is no one to tell.
    while let Ok(Some(request)) = http::read_request(&mut stream).await {
        let at = Instant::now();
        let verb = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        let parsed: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let response = answer(behaviour, &verb, &request, &parsed).await;
        let raw = response.as_ref().map(|response| response.raw().to_vec());
        lock(&calls).push(Call {
            at,
            verb,
            request: parsed,
            body: request.body,
            response,
        });
        let Some(raw) = raw else { return };
        if stream.write_all(&raw).await.is_err() {
            return;
        }
        if matches!(behaviour, Behaviour::Forward(_)) {
            // The answer that was passed on may say `Connection: close`, or end with its connection.
            return;
        }
    }
}

async fn answer(behaviour: Behaviour, verb: &str, request: &Request, parsed: &Value) -> Option<Response> {
    match behaviour {
        Behaviour::Forward(address) => http::exchange(address, "POST", &request.path, &request.body)
            .await
            .ok(),
        Behaviour::AcceptAll => Some(Response::json(&accept(verb, parsed))),
        Behaviour::RefuseAll(reason) => Some(Response::json(&refuse(verb, parsed, reason))),
    }
}

fn refuse(verb: &str, request: &Value, reason: &str) -> Value {
    let reasons = offered(request)
        .into_iter()
        .map(|node| (node.to_owned(), json!(reason)));
    match verb {
        "filter" => json!({
            "Nodes": { "items": [] },
            "NodeNames": [],
            "FailedNodes": Value::Object(reasons.collect()),
            "Error": "",
        }),
        "prioritize" => json!([]),
        _ => json!({ "NodeNameToMetaVictims": {} }),
    }
}

fn accept(verb: &str, request: &Value) -> Value {
    match verb {
        "filter" => json!({
            "Nodes": request["Nodes"],
            "NodeNames": request["NodeNames"],
            "FailedNodes": {},
            "FailedAndUnresolvableNodes": {},
            "Error": "",
        }),
        // No host named: all get zero.
        "prioritize" => json!([]),
        "preempt" => json!({ "NodeNameToMetaVictims": agreed_victims(request) }),
        _ => json!({ "Error": format!("unknown verb `{verb}`") }),
    }
}

/// Victims always go back as uids, also when they came as whole pods.
fn agreed_victims(request: &Value) -> Value {
    let Some(nodes) = request["NodeNameToVictims"].as_object() else {
        return request["NodeNameToMetaVictims"].clone();
    };
    let agreed = nodes.iter().map(|(node, victims)| {
        let pods: Vec<Value> = victims["Pods"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pod| json!({ "UID": pod["metadata"]["uid"] }))
            .collect();
        (
            node.clone(),
            json!({ "Pods": pods, "NumPDBViolations": victims["NumPDBViolations"] }),
        )
    });
    Value::Object(agreed.collect())
}

/// A test that panicked while it held the calls leaves them readable for its own report.
fn lock(calls: &Mutex<Vec<Call>>) -> MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
