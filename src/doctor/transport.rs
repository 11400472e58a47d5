//! How kube-scheduler reaches our extender: URL, TLS, names, proxies.

use super::configuration::{Configuration, Extender, Tls};
use super::finding::Finding;
use super::url::Url;
use super::{DEFAULT_PORT, place};
use crate::policy::Level;

const SIDECAR: &str =
    "run the extender as a sidecar of kube-scheduler and set `urlPrefix: http://127.0.0.1:8265`";
const ENCRYPT: &str = "run the extender as a sidecar of kube-scheduler and set `urlPrefix: http://127.0.0.1:8265`, or set `tls.certificate` and `tls.key` of Domicile and write `https://`";
const AUTHORITY: &str = "set `enableHTTPS: true` and name the authority by `tlsConfig.caFile` or `caData`";

/// Finds what is wrong with the way to the extender at `index` (D12 to D16, D19, D22, D24).
pub fn check(configuration: &Configuration, index: usize, findings: &mut Vec<Finding>) {
    let Some(extender) = configuration.extenders.get(index) else {
        return;
    };
    let at = |field: &str| format!("{}.{field}", place(index));
    files(&extender.tls, &at, findings);
    let Some(url) = Url::parse(&extender.url_prefix) else {
        findings.push(Finding::error(
            "D19",
            at("urlPrefix"),
            format!("kube-scheduler cannot call `{}`", extender.url_prefix),
            "write a scheme, a host and a port, such as `http://127.0.0.1:8265`",
        ));
        return;
    };
    path(&url, at("urlPrefix"), findings);
    if url.secure {
        verification(extender, &at, findings);
    } else {
        plain(extender, &url, &at, findings);
    }
    name(configuration, &url, at("urlPrefix"), findings);
    if !url.is_loopback() {
        findings.push(Finding::note(
            "D22",
            at("urlPrefix"),
            "where the environment of kube-scheduler names a proxy (HTTP_PROXY, HTTPS_PROXY), calls to the extender go through it",
            format!("put `{}` into NO_PROXY of kube-scheduler", url.host),
        ));
    }
}

fn path(url: &Url, place: String, findings: &mut Vec<Finding>) {
    if url.path.is_empty() {
        return;
    }
    let last = url.path.rsplit('/').next().unwrap_or_default();
    let verb = ["filter", "prioritize", "preempt"].contains(&last);
    if verb || url.port == DEFAULT_PORT {
        let sentence = format!(
            "kube-scheduler appends the verb itself and would call `/{}/filter`, which we do not serve",
            url.path
        );
        let fix = format!("end `urlPrefix` after the port, without `/{}`", url.path);
        findings.push(Finding::error("D19", place, sentence, fix));
    } else {
        let sentence = format!("we serve at the root, and this URL has the path `/{}`", url.path);
        let fix = "see that the proxy at this address takes the path away";
        findings.push(Finding::warning("D19", place, sentence, fix));
    }
}

fn verification(extender: &Extender, at: &impl Fn(&str) -> String, findings: &mut Vec<Finding>) {
    let tls = &extender.tls;
    if tls.insecure {
        findings.push(Finding::error(
            "D14",
            at("tlsConfig.insecure"),
            "the certificate of the extender is not verified: anybody on the way may permit every node",
            format!("remove `insecure`; {AUTHORITY}"),
        ));
    } else if extender.enable_https && !tls.has_authority {
        findings.push(Finding::error(
            "D12",
            at("enableHTTPS"),
            "`enableHTTPS: true` without an authority turns verification off without a word: anybody on the way may permit every node",
            "name the authority by `tlsConfig.caFile` or `caData`",
        ));
    } else if !tls.has_authority {
        findings.push(Finding::warning(
            "D13",
            at("urlPrefix"),
            "without an authority of its own the certificate is checked against the system roots of the scheduler's image, which has none or all public ones",
            AUTHORITY,
        ));
    }
    if tls.has_certificate != tls.has_key {
        findings.push(Finding::warning(
            "D25",
            at("tlsConfig"),
            "of a client certificate and its key one is missing, and kube-scheduler shows none without a word",
            "set both `certFile` and `keyFile`, or neither",
        ));
    } else if !tls.has_certificate {
        findings.push(Finding::note(
            "D25",
            at("tlsConfig.certFile"),
            "kube-scheduler shows no certificate of its own, and it has no other way to prove who it is",
            "set `tlsConfig.certFile` and `keyFile` where Domicile has the setting `tls.client-ca`, or what stands before it asks for a certificate",
        ));
    }
}

fn plain(extender: &Extender, url: &Url, at: &impl Fn(&str) -> String, findings: &mut Vec<Finding>) {
    if extender.enable_https {
        findings.push(Finding::error(
            "D12",
            at("enableHTTPS"),
            "the scheme of `urlPrefix` alone decides, so calls go unencrypted although `enableHTTPS` is true",
            "remove `enableHTTPS`, or write `https://`",
        ));
    }
    if !url.is_loopback() {
        findings.push(Finding::error(
            "D16",
            at("urlPrefix"),
            format!(
                "whole pods, with their environment, cross the network to `{}` unencrypted, and anybody on the way may permit every node",
                url.host
            ),
            ENCRYPT,
        ));
    }
}

fn name(configuration: &Configuration, url: &Url, place: String, findings: &mut Vec<Finding>) {
    if !url.is_service_name() {
        return;
    }
    let level = if configuration.serves_the_default_scheduler() {
        Level::Error
    } else {
        Level::Warning
    };
    findings.push(Finding::new(
        level,
        "D15",
        place,
        format!(
            "`{}` is a name of the cluster's DNS, which a scheduler on the host network (the usual default scheduler) does not ask, and which may itself wait for the scheduler",
            url.host
        ),
        SIDECAR,
    ));
}

fn files(tls: &Tls, at: &impl Fn(&str) -> String, findings: &mut Vec<Finding>) {
    for (field, path) in &tls.files {
        if !path.starts_with('/') {
            findings.push(Finding::error(
                "D24",
                at(&format!("tlsConfig.{field}")),
                format!("`{path}` is looked for wherever kube-scheduler happens to be started, not beside its file"),
                "write the path from `/` on",
            ));
        }
    }
    if tls.insecure && tls.has_authority {
        findings.push(Finding::error(
            "D05",
            at("tlsConfig.insecure"),
            "an authority and `insecure` exclude each other, and kube-scheduler does not start",
            "remove `insecure`",
        ));
    }
}
