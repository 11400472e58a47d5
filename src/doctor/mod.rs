//! The doctor: a KubeSchedulerConfiguration is text in, findings are out.
//!
//! Inputs: the text of the file, and what the caller knows besides ([`Situation`]). Output: a [`Report`]
//! with every trap of running an extender that can be seen in such a file, each with its fix, in a fixed
//! order; and whether the cluster knows our kinds, where their objects are to count. A file that kube-scheduler itself would not start with is a finding too (D01 to D05); the
//! cluster tests hold that part against a real kube-scheduler.
//!
//! Deliberately absent: I/O; the arguments of scheduler plugins (`pluginConfig[].args`), which are
//! kube-scheduler's own to judge; what only a running system shows (does anybody listen, is the sidecar
//! up), which is what probes and metrics are for.

mod chain;
mod configuration;
mod definitions;
mod duration;
mod extender;
mod finding;
mod reading;
mod sampling;
mod schedulers;
mod schema;
mod transport;
mod url;

use configuration::Configuration;
pub use finding::Finding;
use sampling::Visibility;
use url::Url;

use crate::custom_resources::Defined;
use crate::placement::BlindSample;
use crate::policy::{CustomKind, Level};

/// The port at which an extender is taken to be ours when nothing else is said.
pub const DEFAULT_PORT: u16 = 8265;

/// How far an installation is (docs/policies.md, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Verdicts are only recorded; an outage of the extender should stop nothing.
    Observe,
    /// Verdicts bind; an outage of the extender must let nothing through.
    #[default]
    Enforce,
}

/// What is known besides the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situation {
    /// How many nodes the cluster has.
    pub nodes: Option<u64>,
    /// How far the installation is.
    pub phase: Phase,
    /// Whether the admission webhook writes the permitted places into pods as node affinity.
    pub admission: bool,
    /// The `urlPrefix` by which our extender is told from others.
    pub extender_url: Option<String>,
    /// The kinds of whose objects some are to count as policies or data sets, and what the cluster has of their definitions.
    pub definitions: Vec<(CustomKind, Defined)>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Findings, worst first, then by code and place.
    pub findings: Vec<Finding>,
    /// Where our extender stands, such as `extenders[0]`.
    pub extender: Option<String>,
    /// The `--on-blind-sample` that fits the sampling of this scheduler.
    pub on_blind_sample: BlindSample,
}

impl Report {
    /// Whether the configuration is not to be used; strictly, warnings count.
    #[must_use]
    pub fn fails(&self, strict: bool) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Error || (strict && finding.level == Level::Warning))
    }
}

/// Examines the text of a KubeSchedulerConfiguration.
#[must_use]
pub fn examine(text: &str, situation: &Situation) -> Report {
    let mut findings = definitions::check(&situation.definitions);
    let value = match reading::read(text, &mut findings) {
        Some(value) => value,
        None => {
            findings.sort();
            return Report {
                findings,
                extender: None,
                on_blind_sample: BlindSample::Error,
            };
        }
    };
    schema::check(&value, &mut findings);
    let configuration = Configuration::of(&value, &mut findings);
    let ours = ours(&configuration, situation, &mut findings);
    let visibility = Visibility::of(&configuration);
    schedulers::check(&configuration, &mut findings);
    if let Some(index) = ours {
        sampling::check(&configuration, situation, &mut findings);
        extender::check(&configuration, index, situation, &mut findings);
        transport::check(&configuration, index, &mut findings);
        chain::check(&configuration, index, &mut findings);
    }
    findings.sort();
    Report {
        findings,
        extender: ours.map(place),
        on_blind_sample: visibility.on_blind_sample(situation.nodes),
    }
}

fn place(index: usize) -> String {
    format!("extenders[{index}]")
}

/// Which extender is ours: the one at the told URL, or else the first at our port.
fn ours(configuration: &Configuration, situation: &Situation, findings: &mut Vec<Finding>) -> Option<usize> {
    let told = situation
        .extender_url
        .as_deref()
        .map(|url| url.trim_end_matches('/'));
    let is_ours = |prefix: &str| match told {
        Some(told) => prefix.trim_end_matches('/') == told,
        None => Url::parse(prefix).is_some_and(|url| url.port == DEFAULT_PORT),
    };
    let mut found = configuration
        .extenders
        .iter()
        .enumerate()
        .filter(|(_, extender)| is_ours(&extender.url_prefix))
        .map(|(index, _)| index);
    let first = found.next();
    for again in found {
        findings.push(Finding::error(
            "D20",
            format!("{}.urlPrefix", place(again)),
            "this is our extender a second time: each pod would be asked about twice and its score counted twice",
            "keep one of the two",
        ));
    }
    if first.is_none() {
        findings.push(not_found(configuration, told));
    }
    first
}

fn not_found(configuration: &Configuration, told: Option<&str>) -> Finding {
    let sentence = match told {
        Some(told) => {
            format!("no extender has the `urlPrefix` `{told}`: pods are placed without any residency check")
        }
        None => format!("no extender is at port {DEFAULT_PORT}: pods are placed without any residency check"),
    };
    let fix = match configuration.extenders.first() {
        Some(other) => format!(
            "add our extender, or, if it is the one at `{}`, say so by --extender-url",
            other.url_prefix
        ),
        None => format!(
            "add an extender with `urlPrefix: http://127.0.0.1:{DEFAULT_PORT}`, as in deploy/base/scheduler-configuration.yaml"
        ),
    };
    Finding::error("D06", "extenders", sentence, fix)
}
