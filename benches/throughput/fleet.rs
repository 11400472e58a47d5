//! The nodes: 5,000 in ten regions of equal size, one of them in the EEA and five in the US.

use crate::objects::Node;

pub const NODES: usize = 5_000;

const EEA: [&str; 1] = ["eu-central-1"];
const US: [&str; 5] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-central1"];
const ELSEWHERE: [&str; 4] = ["ap-south-1", "ap-northeast-1", "ca-central-1", "sa-east-1"];

/// What share of the nodes a pod may have, by the shipped policies and the annotations of its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// A namespace that says nothing about its data.
    Ungoverned,
    Tenth,
    Half,
    /// Governed, and permitted everywhere in this fleet.
    All,
}

impl Share {
    pub const EVERY: [Self; 4] = [Self::Ungoverned, Self::Tenth, Self::Half, Self::All];

    pub fn namespace(self) -> &'static str {
        match self {
            Self::Ungoverned => "ungoverned",
            Self::Tenth => "eea",
            Self::Half => "us",
            Self::All => "anywhere",
        }
    }

    pub fn annotations(self) -> Vec<(&'static str, &'static str)> {
        let (category, subjects) = match self {
            Self::Ungoverned => return Vec::new(),
            Self::Tenth => ("personal", "DE"),
            Self::Half => ("personal", "US"),
            Self::All => ("telemetry", "none"),
        };
        vec![
            ("domicile.dev/data-classification", "confidential"),
            ("domicile.dev/data-categories", category),
            ("domicile.dev/data-subjects", subjects),
        ]
    }

    /// The permitted regions, as a careful team would list them.
    pub fn regions(self) -> Vec<&'static str> {
        match self {
            Self::Tenth => EEA.to_vec(),
            Self::Half => US.to_vec(),
            Self::Ungoverned | Self::All => regions().collect(),
        }
    }
}

fn regions() -> impl Iterator<Item = &'static str> {
    EEA.into_iter().chain(US).chain(ELSEWHERE)
}

/// All nodes, regions and zones in turns, named as EKS and GKE do.
pub fn nodes() -> impl Iterator<Item = Node> {
    let regions: Vec<&str> = regions().collect();
    (0..NODES).map(move |number| {
        let region = regions[number % regions.len()];
        let letter = ["a", "b", "c"][number / regions.len() % 3];
        let is_google = region == "us-central1";
        let (name, zone) = match is_google {
            true => (
                format!("gke-prod-{region}-pool-{:08x}", number * 2_654_435),
                format!("{region}-{letter}"),
            ),
            false => (
                format!(
                    "ip-10-0-{}-{}.{region}.compute.internal",
                    number / 256,
                    number % 256
                ),
                format!("{region}{letter}"),
            ),
        };
        let provider_id = match is_google {
            true => format!("gce://shop/{zone}/{name}"),
            false => format!("aws:///{zone}/i-{number:017x}"),
        };
        Node::named(name)
            .in_zone(region, &zone)
            .provider_id(&provider_id)
            .cpu("16")
    })
}
