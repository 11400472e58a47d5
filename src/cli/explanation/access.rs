//! What an access costs from a place, leg by leg.

use serde::Serialize;

use crate::model::{DataSetName, Provenance};
use crate::placement::{AccessCost, Assessment, Demanded, ReplicaLeg};
use crate::snapshot::ClassIndex;

/// The cost of all that a pod demands, at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// `known`, `unknown` or `not-demanded`.
    pub state: &'static str,
    /// Expected milliseconds for each request, where known.
    pub total_ms: Option<f64>,
    /// Whether a read or write takes longer than the pod allows.
    pub over_limit: bool,
    /// How the least certain leg is known.
    pub least_certain: Option<&'static str>,
    /// Whether that is a measurement.
    pub measured: bool,
    /// Each leg.
    pub legs: Vec<AccessLeg>,
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLeg {
    /// `clients`, `read` or `write`.
    pub leg: &'static str,
    /// Which data set, but for clients.
    pub data_set: Option<String>,
    /// How often for each request.
    pub times: f64,
    /// One round trip, where known.
    pub ms: Option<f64>,
    /// How it is known.
    pub provenance: Option<&'static str>,
    /// Whether that is a measurement, where known.
    pub measured: Option<bool>,
    /// Where it goes.
    pub replica: Option<ReplicaPlace>,
}

/// The replica that serves an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaPlace {
    /// Where it is.
    pub region: String,
    /// What it does.
    pub role: &'static str,
}

/// Describes what an access of the pod costs from a class.
#[must_use]
pub fn access(assessment: &Assessment<'_>, class: ClassIndex) -> Access {
    let cost = assessment.cost(class);
    let total = cost.total.known();
    Access {
        state: match cost.total {
            Demanded::Known(_) => "known",
            Demanded::Unknown => "unknown",
            Demanded::NotDemanded => "not-demanded",
        },
        total_ms: total.map(|total| rounded(total.ms)),
        over_limit: total.is_some_and(|total| total.over_limit),
        least_certain: cost.least_certain.map(Provenance::word),
        measured: cost.least_certain.is_some_and(Provenance::is_measured),
        legs: legs(assessment, &cost),
    }
}

fn legs(assessment: &Assessment<'_>, cost: &AccessCost) -> Vec<AccessLeg> {
    let mut legs = Vec::new();
    if cost.client != Demanded::NotDemanded {
        let leg = cost.client.known();
        legs.push(AccessLeg {
            leg: "clients",
            data_set: None,
            times: 1.0,
            ms: leg.map(|leg| rounded(leg.ms)),
            provenance: leg.map(|leg| leg.provenance.word()),
            measured: leg.map(|leg| leg.provenance.is_measured()),
            replica: None,
        });
    }
    let demand = assessment.demand();
    for (data_set, demanded) in cost.data_sets.iter().zip(&demand.data_sets) {
        let accesses = [
            ("read", data_set.read, demanded.reads),
            ("write", data_set.write, demanded.writes),
        ];
        for (word, access, times) in accesses {
            if access != Demanded::NotDemanded {
                let chosen = access.known();
                legs.push(AccessLeg {
                    leg: word,
                    data_set: Some(data_set.name.to_string()),
                    times,
                    ms: chosen.map(|chosen| rounded(chosen.leg.ms)),
                    provenance: chosen.map(|chosen| chosen.leg.provenance.word()),
                    measured: chosen.map(|chosen| chosen.leg.provenance.is_measured()),
                    replica: chosen.and_then(|chosen| replica(assessment, &data_set.name, chosen)),
                });
            }
        }
    }
    legs
}

fn replica(assessment: &Assessment<'_>, name: &DataSetName, chosen: ReplicaLeg) -> Option<ReplicaPlace> {
    let placed = assessment.snapshot.replicas().get(name)?;
    let replica = placed.data_set.replicas.get(chosen.replica)?;
    let region = replica.locality.region.as_ref()?;
    Some(ReplicaPlace {
        region: region.to_string(),
        role: replica.role.word(),
    })
}

/// Thousandths of a millisecond are far below what anybody measures between regions.
fn rounded(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

impl Access {
    /// The total in one phrase.
    #[must_use]
    pub fn total_in_words(&self) -> String {
        match (self.total_ms, self.state) {
            (Some(ms), _) => {
                let how = match self.least_certain {
                    Some(how) if !self.measured => format!(" (in part {how})"),
                    _ => " (measured)".to_owned(),
                };
                let limit = if self.over_limit {
                    ", over the limit that the pod states"
                } else {
                    ""
                };
                format!("{ms:.1} ms for each request{how}{limit}")
            }
            (None, "unknown") => "unknown: some place has neither a measurement nor coordinates".to_owned(),
            (None, _) => "nothing: the pod names neither clients nor data sets".to_owned(),
        }
    }
}

impl AccessLeg {
    /// The leg in one phrase.
    #[must_use]
    pub fn in_words(&self) -> String {
        let ms = self.ms.map_or("unknown".to_owned(), |ms| format!("{ms:.1} ms"));
        let how = self.provenance.map_or(String::new(), |how| format!(", {how}"));
        let Some(data_set) = &self.data_set else {
            // A mean over several places is as sure as the least sure of them.
            let part = if self.measured == Some(false) {
                " in part"
            } else {
                ""
            };
            return format!(
                "from its clients: {ms}{}",
                how.replace(", ", &format!(",{part} "))
            );
        };
        let to = self.replica.as_ref().map_or(String::new(), |replica| {
            let role = if replica.role == "leader" {
                "leader".to_owned()
            } else {
                format!("{} replica", replica.role)
            };
            format!(" to the {role} in {}", replica.region)
        });
        format!("{} x {} of `{data_set}`{to}: {ms}{how}", self.times, self.leg)
    }
}
