//! The settings of addresses: where to listen, by what encrypted, and whom to let in.
//!
//! Invariant: an address at which pods and decisions cross the network is encrypted, or its operator said in
//! so many words that it is not. Deliberately absent: what is in the files, which `server::tls` reads.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ::config::{Value, ValueKind};

use super::validate::Reader;
use crate::server::{ClientSettings, TlsSettings};

impl Reader {
    /// The files that an address is encrypted with; the keys begin with `prefix`, such as `tls`.
    pub(super) fn tls(&mut self, prefix: &str) -> Option<TlsSettings> {
        let key = |name: &str| format!("{prefix}.{name}");
        let certificate = self.path(&key("certificate"));
        let private_key = self.path(&key("key"));
        let authority = self.path(&key("client-ca"));
        let names = self.client_names(&key("client-names"));
        let clients = match (authority, names) {
            (Some(authority), names) => Some(ClientSettings {
                authority,
                names: names.unwrap_or_default(),
            }),
            (None, Some(_)) => {
                let needed = key("client-ca");
                self.reject(
                    &key("client-names"),
                    &format!("needs `{needed}`: without an authority nobody's name is known"),
                );
                None
            }
            (None, None) => None,
        };
        match (certificate, private_key) {
            (Some(certificate), Some(private_key)) => Some(TlsSettings {
                certificate,
                key: private_key,
                clients,
            }),
            (Some(_), None) => {
                self.reject(&key("certificate"), &format!("needs `{}` beside it", key("key")));
                None
            }
            (None, Some(_)) => {
                self.reject(&key("key"), &format!("needs `{}` beside it", key("certificate")));
                None
            }
            (None, None) => {
                if clients.is_some() {
                    self.reject(
                        &key("client-ca"),
                        &format!(
                            "needs `{}` and `{}`: clients show certificates to an encrypted address alone",
                            key("certificate"),
                            key("key")
                        ),
                    );
                }
                None
            }
        }
    }

    /// An address at which pods and decisions are sent. Beyond loopback it is encrypted, or is said not to be.
    pub(super) fn guarded_address(&mut self, key: &str, tls: &str, is_encrypted: bool) -> Option<SocketAddr> {
        let address = self.address(key);
        let insecure = self.truth("insecure-http");
        let address = address?;
        if !address.ip().is_loopback() && !is_encrypted && !insecure {
            self.reject(
                key,
                &format!(
                    "is `{address}`, where others could read and forge decisions because nothing is encrypted: \
                     set `{tls}.certificate` and `{tls}.key`, or use a loopback address, or set `insecure-http: true`"
                ),
            );
        }
        Some(address)
    }

    fn client_names(&mut self, key: &str) -> Option<BTreeSet<String>> {
        self.list_of_names(key, "leave it out to let in every client of the authority")
    }

    /// A list, or text with commas where a layer has no lists. Where it is empty, `fix` says what to do.
    pub(super) fn list_of_names(&mut self, key: &str, fix: &str) -> Option<BTreeSet<String>> {
        let value = self.value(key)?;
        let names: Option<Vec<String>> = match value.kind {
            ValueKind::Array(list) => list.into_iter().map(text).collect(),
            ValueKind::String(list) => Some(list.split(',').map(|name| name.trim().to_owned()).collect()),
            _ => None,
        };
        let Some(names) = names else {
            self.reject(key, "is no list of names");
            return None;
        };
        if names.is_empty() || names.iter().any(String::is_empty) {
            self.reject(key, &format!("has an empty name or none at all: {fix}"));
            return None;
        }
        Some(names.into_iter().collect())
    }
}

fn text(value: Value) -> Option<String> {
    match value.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}
