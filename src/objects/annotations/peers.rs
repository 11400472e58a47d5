//! Which other pods a workload calls: `app=cart,tier=backend: calls=3; app=payment: namespace=billing`.
//!
//! Invariant: a member that cannot be read is told and left out; peers only ever sway the order of
//! places, so leaving one out permits nothing.

use super::lists::did_you_mean;
use super::{PEERS, Reader};
use crate::model::{InvalidSelector, LabelSelector, NamespaceName, PeerUse, RequestsPerCall, is_dns_label};
use crate::objects::quoted::quoted;

/// The most peers of one annotation: each is looked for in every decision about the pod.
const MOST_PEERS: usize = 32;

/// The most labels of one selector.
const MOST_LABELS: usize = 32;

/// What a member looks like, for sentences.
const EXAMPLE: &str = "write such as `app=cart: calls=3`";

impl Reader {
    /// Reads the peers.
    pub(super) fn peers(&mut self, value: &str) -> Vec<PeerUse> {
        let mut known: Vec<(LabelSelector, Option<NamespaceName>)> = Vec::new();
        let mut peers = self.members(PEERS, value, ';', |written| {
            let (labels, options) = written.split_once(':').unwrap_or((written, ""));
            let peer = peer(selector(labels)?, options)?;
            let named = (peer.selector.clone(), peer.namespace.clone());
            if known.contains(&named) {
                let said = quoted(&peer.selector.to_string());
                return Err(format!("the peers {said} are named twice; join the two"));
            }
            known.push(named);
            Ok(peer)
        });
        if peers.len() > MOST_PEERS {
            let problem = format!(
                "it names {} groups of peers where {MOST_PEERS} are allowed; name fewer",
                peers.len()
            );
            self.problem(PEERS, problem);
            peers.truncate(MOST_PEERS);
        }
        peers
    }
}

/// Reads what stands before the colon: `app=cart,tier=backend`.
fn selector(written: &str) -> Result<LabelSelector, String> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for label in written.split(',').map(str::trim) {
        let Some((key, value)) = label.split_once('=') else {
            return Err(match label {
                "" => format!("a label of the selector is empty; {EXAMPLE}"),
                _ => format!("{} is no label with its value; {EXAMPLE}", quoted(label)),
            });
        };
        pairs.push((key.trim(), value.trim()));
    }
    if pairs.len() > MOST_LABELS {
        return Err(format!(
            "a selector names {} labels where {MOST_LABELS} are allowed; name fewer",
            pairs.len()
        ));
    }
    LabelSelector::new(&pairs).map_err(|invalid| match invalid {
        InvalidSelector::Empty => format!("the selector is empty; {EXAMPLE}"),
        InvalidSelector::Key(key) => format!("{} is no key of a label; {EXAMPLE}", quoted(&key)),
        InvalidSelector::Value(value) => format!("{} is no value of a label; {EXAMPLE}", quoted(&value)),
        InvalidSelector::Twice(key) => format!(
            "the label {} is named twice in one selector; keep one",
            quoted(&key)
        ),
    })
}

/// Reads what stands behind the colon: `calls=3 namespace=billing`.
fn peer(selector: LabelSelector, options: &str) -> Result<PeerUse, String> {
    let mut calls: Option<RequestsPerCall> = None;
    let mut namespace: Option<NamespaceName> = None;
    for written in options.split_whitespace() {
        let (word, value) = written.split_once('=').unwrap_or((written, ""));
        let is_twice = match word {
            "calls" => {
                let number = value.parse().ok().and_then(RequestsPerCall::new);
                let number = number.ok_or_else(|| {
                    format!(
                        "{} is not a number from 0 to 1000000; write such as `calls=3`",
                        quoted(written)
                    )
                })?;
                calls.replace(number).is_some()
            }
            "namespace" => {
                let name = NamespaceName::new(value).ok().filter(|_| is_dns_label(value));
                let name = name.ok_or_else(|| {
                    format!(
                        "{} names no namespace; write such as `namespace=billing`",
                        quoted(written)
                    )
                })?;
                namespace.replace(name).is_some()
            }
            _ => {
                return Err(format!(
                    "unknown option {} of peers; {}",
                    quoted(word),
                    did_you_mean(word, &["calls", "namespace"])
                ));
            }
        };
        if is_twice {
            return Err(format!("`{word}` is stated twice for the same peers; keep one"));
        }
    }
    Ok(PeerUse {
        namespace,
        selector,
        calls: calls.unwrap_or(RequestsPerCall::ONE),
    })
}
