//! As much of a URL as an extender's `urlPrefix` has.

use std::net::IpAddr;

/// A `urlPrefix` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// The host, in lower case and without brackets.
    pub host: String,
    /// The port, the scheme's own where none is written.
    pub port: u16,
    /// What follows the authority, without slashes at its ends.
    pub path: String,
}

impl Url {
    /// Takes a URL apart; `None` where kube-scheduler could not call it.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']')?;
                (host, after.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok()?,
            None if secure => 443,
            None => 80,
        };
        (!host.is_empty()).then(|| Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
            path: path.trim_matches('/').to_owned(),
        })
    }

    /// Whether a call stays within the network namespace of the scheduler.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// The address, when the host is no name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether the host is a name that only the DNS of the cluster knows: a service, by its full name
    /// or by a short one.
    pub fn is_service_name(&self) -> bool {
        let service = [".svc", ".svc.cluster.local", ".svc."];
        self.address().is_none()
            && !self.is_loopback()
            && (service.iter().any(|end| self.host.ends_with(end)) || !self.host.contains('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_url_is_taken_apart_as_go_would() {
        for (text, expected) in [
            ("http://127.0.0.1:8265", Some((false, "127.0.0.1", 8265, ""))),
            ("HTTPS://Example.org/v1/", Some((true, "example.org", 443, "v1"))),
            ("http://[::1]:8265/a/b", Some((false, "::1", 8265, "a/b"))),
            ("http://user:word@host:1", Some((false, "host", 1, ""))),
            ("http://host", Some((false, "host", 80, ""))),
            ("127.0.0.1:8265", None),
            ("ftp://host", None),
            ("http://:8265", None),
            ("http://host:many", None),
            ("", None),
        ] {
            let found = Url::parse(text);
            let found = found
                .as_ref()
                .map(|url| (url.secure, url.host.as_str(), url.port, url.path.as_str()));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn loopback_and_service_names_are_told_apart() {
        for (text, loopback, service) in [
            ("http://localhost:1", true, false),
            ("http://127.8.8.8:1", true, false),
            ("http://[::1]:1", true, false),
            ("http://10.96.0.50:1", false, false),
            ("http://domicile.policy.svc:1", false, true),
            ("http://domicile.policy.svc.cluster.local:1", false, true),
            ("http://domicile:1", false, true),
            ("http://extender.corp.example:1", false, false),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!(
                (url.is_loopback(), url.is_service_name()),
                (loopback, service),
                "{text}"
            );
        }
    }
}
