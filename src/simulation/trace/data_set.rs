//! A data set in a trace: the `spec` of a `DataSet` object of policy files, read by the reader of policy files.
//!
//! Invariant: `spec` is kept as it was written, so that it is written as it was read, and `data_set` is what it
//! means. Deliberately absent: a second reading of data sets.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Value, json};

use super::event::LeaderMove;
use crate::model::{DataSet, DataSetName, RegionReference, Replica, ReplicaRole};
use crate::policy::read_data_sets;

/// A data set. What an earlier event said of it no longer holds.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceDataSet {
    spec: Value,
    data_set: DataSet,
}

impl TraceDataSet {
    /// Reads what a `DataSet` object has as its `spec`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, as one sentence.
    pub fn new(id: &DataSetName, spec: Value) -> Result<Self, String> {
        let document = json!({
            "apiVersion": "domicile.dev/v1alpha1",
            "kind": "DataSet",
            "metadata": {"name": id.as_str()},
            "spec": spec,
        });
        let text = document.to_string();
        let read = read_data_sets([(id.as_str(), text.as_str())]).map_err(|findings| {
            let first = findings.into_iter().next();
            first.map_or_else(String::new, |finding| match finding.fix {
                Some(fix) => format!("data set `{id}`: {}; {fix}", finding.sentence),
                None => format!("data set `{id}`: {}", finding.sentence),
            })
        })?;
        let data_set = read.into_values().next();
        let data_set = data_set.ok_or_else(|| format!("data set `{id}` says nothing"))?;
        Ok(Self { spec, data_set })
    }

    /// What it means.
    #[must_use]
    pub fn data_set(&self) -> &DataSet {
        &self.data_set
    }
}

impl Serialize for TraceDataSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("TraceDataSet", 2)?;
        fields.serialize_field("id", &self.data_set.name)?;
        fields.serialize_field("spec", &self.spec)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for TraceDataSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            id: DataSetName,
            spec: Value,
        }
        let Written { id, spec } = Written::deserialize(deserializer)?;
        Self::new(&id, spec).map_err(D::Error::custom)
    }
}

/// The data set with another leader; the one that led becomes a voter.
///
/// # Errors
/// Where no single voter with data is there, or nothing leads: a sentence.
pub fn with_leader(data_set: &DataSet, leader: &LeaderMove) -> Result<DataSet, String> {
    let (name, place) = (&data_set.name, &leader.region);
    let leads = |replica: &Replica| replica.role == ReplicaRole::Leader;
    if !data_set.replicas.iter().any(leads) {
        return Err(format!("data set `{name}` has no leader, so none can move"));
    }
    let is_meant = |replica: &Replica| {
        let in_region = match &replica.locality.region {
            Some(RegionReference::Key(key)) => key == place,
            Some(RegionReference::Bare(bare)) => **bare == *place.region(),
            None => false,
        };
        let in_zone = leader.zone.is_none() || replica.locality.zone.as_deref() == leader.zone.as_deref();
        let can_lead = matches!(replica.role, ReplicaRole::Leader | ReplicaRole::Voter);
        in_region && in_zone && can_lead
    };
    let mut meant = (0..)
        .zip(&data_set.replicas)
        .filter(|(_, replica)| is_meant(replica));
    let chosen = match (meant.next(), meant.next()) {
        (Some((position, _)), None) => position,
        (None, _) => {
            return Err(format!(
                "data set `{name}` has no copy in `{place}` that can lead"
            ));
        }
        (Some(_), Some(_)) => {
            return Err(format!(
                "data set `{name}` has several copies in `{place}`; name the `zone` of one"
            ));
        }
    };
    let mut data_set = data_set.clone();
    for (position, replica) in (0..).zip(&mut data_set.replicas) {
        replica.role = match replica.role {
            _ if position == chosen => ReplicaRole::Leader,
            ReplicaRole::Leader => ReplicaRole::Voter,
            role => role,
        };
    }
    Ok(data_set)
}
