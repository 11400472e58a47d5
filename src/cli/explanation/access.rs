//! What an access costs from a place, leg by leg: which replicas serve it, what a commit takes, how it is known,
//! and whether it keeps the limit that the pod states.

use serde::Serialize;

use super::found::FoundReplica;
use super::members::{Apart, CloneSource, clone_leg};
use super::peers::{PeersFound, call_leg};
use super::volumes::{VolumePlace, volume_leg};
use crate::model::{DataSetName, Provenance, ReadPath, WritePath};
use crate::placement::{
    AccessCost, AccessOf, Assessment, DataSetDemand, Demanded, Obstacle, ObstacleKind, Served,
};
use crate::snapshot::ClassIndex;
use crate::topology::{LatencyPoint, Route};

/// The cost of all that a pod demands, at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// `known`, `unknown` or `not-demanded`.
    pub state: &'static str,
    /// `p50` or `p95`: which round trips are told.
    pub statistic: &'static str,
    /// Expected milliseconds for each request, where known.
    pub total_ms: Option<f64>,
    /// Whether it is more by a commit of which nobody knows how long it takes: the same at every place.
    pub lacks_commit: bool,
    /// Whether a read or write, as far as is known, takes longer than the pod allows.
    pub over_limit: bool,
    /// How the least certain leg is known.
    pub least_certain: Option<&'static str>,
    /// Whether that is a measurement.
    pub measured: bool,
    /// What keeps a new member of a data set apart from others; it counts in the score and is no access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart: Option<Apart>,
    /// Each leg.
    pub legs: Vec<AccessLeg>,
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLeg {
    /// `clients`, `read`, `write`, `call`, `volume` or `clone`.
    pub leg: &'static str,
    /// Which data set, for reads and writes.
    pub data_set: Option<String>,
    /// How often for each request.
    pub times: f64,
    /// Which pods, for calls.
    pub peers: Option<PeersFound>,
    /// Which copy, for what is cloned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clone: Option<CloneSource>,
    /// Which volume, for volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumePlace>,
    /// `nearest`, `leader` or `quorum`: which replicas serve it, for reads and writes.
    pub path: Option<&'static str>,
    /// How many must answer, for a quorum.
    pub quorum: Option<Quorum>,
    /// Until it is done, where known; a write by a leader with its commit, as far as that is known.
    pub ms: Option<f64>,
    /// The least certain part of it.
    pub provenance: Option<&'static str>,
    /// Whether that is a measurement, where known.
    pub measured: Option<bool>,
    /// Where it goes; for a quorum the replica that answers last.
    pub replica: Option<ReplicaPlace>,
    /// What the commit takes, for a write by a leader.
    pub commit: Option<CommitCost>,
    /// The limit that the pod states.
    pub limit: Option<Limit>,
    /// Why it keeps the pod from there: `no-route`, `unreachable`, `over-limit`, `unmeasured`.
    pub obstacles: Vec<&'static str>,
    /// Which way it goes, where rules on transit bind the data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteTaken>,
}

/// Which way an access goes under rules on transit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteTaken {
    /// `direct`, or `detour` where the direct way is taken away.
    pub way: &'static str,
    /// The rules, `policy/rule`.
    pub rules: Vec<String>,
}

/// How many replicas must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quorum {
    /// So many.
    pub needed: usize,
    /// Of so many that may.
    pub of: usize,
}

/// What a leader takes to commit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CommitCost {
    /// Until a majority answered the leader, where known.
    pub ms: Option<f64>,
    /// The least certain way to one of them.
    pub provenance: Option<&'static str>,
}

/// The limit on one access.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limit {
    /// The longest that it may take.
    pub ms: f64,
    /// `kept`, `broken`, or `in-doubt` where it is not measured: that refuses nothing.
    pub state: &'static str,
}

/// The replica that serves an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaPlace {
    /// Where it is.
    pub region: String,
    /// What it does.
    pub role: &'static str,
    /// Which volume and pod hold it, where it was found in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<FoundReplica>,
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
        statistic: assessment.snapshot.latency().statistic().word(),
        total_ms: total.map(|total| rounded(total.ms)),
        lacks_commit: total.is_some_and(|total| total.lacks_commit),
        over_limit: total.is_some_and(|total| total.over_limit),
        least_certain: cost.least_certain.map(Provenance::word),
        measured: cost.least_certain.is_some_and(Provenance::is_measured),
        apart: assessment
            .snapshot
            .class(class)
            .and_then(|class| assessment.crowding(class))
            .map(|crowding| Apart::new(&crowding)),
        legs: Described {
            assessment,
            obstacles: assessment.obstacles(Some(class)),
            from: assessment.snapshot.class(class).and_then(|class| class.point),
        }
        .legs(&cost),
    }
}

/// The world in which legs are described.
struct Described<'a> {
    assessment: &'a Assessment<'a>,
    obstacles: &'a [Obstacle],
    from: Option<LatencyPoint>,
}

impl Described<'_> {
    fn legs(&self, cost: &AccessCost) -> Vec<AccessLeg> {
        let mut legs = Vec::new();
        if cost.client != Demanded::NotDemanded {
            let leg = cost.client.known();
            legs.push(AccessLeg {
                ms: leg.map(|leg| rounded(leg.ms)),
                provenance: leg.map(|leg| leg.provenance.word()),
                measured: leg.map(|leg| leg.provenance.is_measured()),
                ..self.leg("clients", 1.0, AccessOf::Clients)
            });
        }
        let demand = self.assessment.demand();
        for (index, (data_set, demanded)) in cost.data_sets.iter().zip(&demand.data_sets).enumerate() {
            let paths = demanded.paths;
            if data_set.read != Demanded::NotDemanded {
                let mut leg = self.leg("read", demanded.reads, AccessOf::Read(index));
                leg.path = Some(paths.reads.word());
                if let ReadPath::Quorum(needed) = paths.reads {
                    leg.quorum = Some(quorum(demanded, needed.get(), |role| {
                        paths.reads.is_served_by(role)
                    }));
                }
                legs.push(self.of_data_set(leg, &data_set.name, data_set.read, demand.max_read_ms));
            }
            if data_set.write != Demanded::NotDemanded {
                let mut leg = self.leg("write", demanded.writes, AccessOf::Write(index));
                leg.path = Some(paths.writes.word());
                if let WritePath::Quorum(needed) = paths.writes {
                    leg.quorum = Some(quorum(demanded, needed.get(), |role| {
                        paths.writes.is_served_by(role)
                    }));
                }
                legs.push(self.of_data_set(leg, &data_set.name, data_set.write, demand.max_write_ms));
            }
        }
        let calls = cost.peers.iter().zip(&demand.peers);
        legs.extend(calls.map(|(call, demanded)| call_leg(*call, demanded)));
        let volumes = cost.volumes.iter().zip(&demand.volumes);
        legs.extend(volumes.map(|(way, demanded)| volume_leg(*way, demanded)));
        let clones = cost.clones.iter().zip(&demand.clones);
        legs.extend(clones.map(|(way, demanded)| clone_leg(*way, demanded)));
        legs
    }

    /// A leg of which nothing is known yet but what keeps the pod away by it.
    fn leg(&self, leg: &'static str, times: f64, access: AccessOf) -> AccessLeg {
        let obstacles = self.obstacles.iter().filter(|found| found.access == access);
        AccessLeg {
            leg,
            times,
            obstacles: obstacles.map(|found| found.kind.code().word()).collect(),
            ..AccessLeg::default()
        }
    }

    fn of_data_set(
        &self,
        leg: AccessLeg,
        name: &DataSetName,
        access: Demanded<Served>,
        limit_ms: Option<f64>,
    ) -> AccessLeg {
        let served = access.known();
        let limit = limit_ms.map(|limit_ms| Limit {
            ms: limit_ms,
            state: if leg.obstacles.contains(&ObstacleKind::OverLimit.code().word()) {
                "broken"
            } else if served.is_some_and(|served| served.is_whole() && served.ms <= limit_ms) {
                "kept"
            } else {
                "in-doubt"
            },
        });
        AccessLeg {
            data_set: Some(name.to_string()),
            ms: served.map(|served| rounded(served.ms)),
            provenance: served.map(|served| served.provenance.word()),
            measured: served.map(|served| served.provenance.is_measured()),
            replica: served.and_then(|served| self.replica(name, served)),
            route: served.and_then(|served| self.route(name, served)),
            commit: served.and_then(|served| served.commit).map(|commit| CommitCost {
                ms: commit.ms.map(rounded),
                provenance: commit.provenance.map(Provenance::word),
            }),
            limit,
            ..leg
        }
    }

    /// The way to the replica that serves an access, where rules on transit have a say in it.
    fn route(&self, name: &DataSetName, served: Served) -> Option<RouteTaken> {
        let snapshot = self.assessment.snapshot;
        let demand = self.assessment.demand();
        let mut data_sets = demand.data_sets.iter();
        let data_set = data_sets.find(|data_set| data_set.name == *name)?;
        let permitted = data_set.permitted.as_ref().filter(|permitted| permitted.counts)?;
        let to = data_set.replicas.get(served.replica)?.point?;
        let way = match permitted.ways.between(snapshot.latency(), self.from?, to) {
            Route::Direct(_) => "direct",
            Route::Detour(_) => "detour",
            Route::Unknown | Route::Closed => return None,
        };
        let rules = permitted.rules.iter();
        let names = rules.filter_map(|rule| snapshot.policies().rule_name(*rule));
        Some(RouteTaken {
            way,
            rules: names.collect(),
        })
    }

    fn replica(&self, name: &DataSetName, served: Served) -> Option<ReplicaPlace> {
        let placed = self.assessment.snapshot.replicas().get(name)?;
        let replica = placed.data_set.replicas.get(served.replica)?;
        let region = replica.locality.region.as_ref()?;
        Some(ReplicaPlace {
            region: region.to_string(),
            role: replica.role.word(),
            found: replica.found.as_deref().map(FoundReplica::new),
        })
    }
}

fn quorum(
    demanded: &DataSetDemand,
    needed: usize,
    serves: impl Fn(crate::model::ReplicaRole) -> bool,
) -> Quorum {
    let serving = demanded.replicas.iter().filter(|replica| serves(replica.role));
    Quorum {
        needed,
        of: serving.count(),
    }
}

/// Thousandths of a millisecond are far below what anybody measures between regions.
pub(super) fn rounded(ms: f64) -> f64 {
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
                let least = if self.lacks_commit { "at least " } else { "" };
                format!("{least}{ms:.1} ms for each request{how}{limit}")
            }
            (None, "unknown") if self.has(ObstacleKind::NoRoute) => {
                "unknown: no permitted route leads to what it needs".to_owned()
            }
            (None, "unknown") if self.has(ObstacleKind::Unreachable) => {
                "unknown: what it needs is cut off".to_owned()
            }
            (None, "unknown") => "unknown: some place has neither a measurement nor coordinates".to_owned(),
            (None, _) => {
                "nothing: the pod names neither clients nor data sets, nor peers that run".to_owned()
            }
        }
    }

    fn has(&self, obstacle: ObstacleKind) -> bool {
        let word = obstacle.code().word();
        self.legs.iter().any(|leg| leg.obstacles.contains(&word))
    }
}

impl AccessLeg {
    /// The leg in one phrase.
    #[must_use]
    pub fn in_words(&self) -> String {
        if let Some(peers) = &self.peers {
            return peers.call_in_words(self);
        }
        if let Some(volume) = &self.volume {
            return volume.leg_in_words(self);
        }
        if let Some(source) = &self.clone {
            return source.leg_in_words(self);
        }
        let ms = match self.ms {
            Some(ms) => format!("{ms:.1} ms"),
            None if self.obstacles.contains(&ObstacleKind::NoRoute.code().word()) => {
                "no permitted route".to_owned()
            }
            None if self.obstacles.contains(&ObstacleKind::Unreachable.code().word()) => "cut off".to_owned(),
            None => "unknown".to_owned(),
        };
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
        format!(
            "{} x {} of `{data_set}`{}{}: {ms}{}{how}{}",
            self.times,
            self.leg,
            self.to_in_words(),
            self.route_in_words(),
            self.commit_in_words(),
            self.limit_in_words()
        )
    }

    fn route_in_words(&self) -> String {
        match &self.route {
            Some(RouteTaken { way: "detour", rules }) => {
                let names: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
                let takes = if names.len() == 1 { "takes" } else { "take" };
                format!(
                    " by a detour (the direct way is what {} {takes} away)",
                    names.join(" and ")
                )
            }
            _ => String::new(),
        }
    }

    fn to_in_words(&self) -> String {
        let replica = self.replica.as_ref().map(|replica| {
            let role = if replica.role == "leader" {
                "leader".to_owned()
            } else {
                format!("{} replica", replica.role)
            };
            let found = replica.found.as_ref().map(FoundReplica::in_words);
            format!("the {role} in {}{}", replica.region, found.unwrap_or_default())
        });
        match (self.quorum, replica) {
            (None, None) => String::new(),
            (None, Some(replica)) => format!(" to {replica}"),
            (Some(quorum), None) => format!(" to {} of {} voters", quorum.needed, quorum.of),
            (Some(quorum), Some(replica)) => {
                format!(" to {} of {} voters until {replica}", quorum.needed, quorum.of)
            }
        }
    }

    fn commit_in_words(&self) -> String {
        match self.commit {
            None => String::new(),
            Some(CommitCost { ms: Some(ms), .. }) => format!(" with {ms:.1} ms to commit"),
            Some(CommitCost { ms: None, .. }) => {
                " and the commit of which nobody knows how long it takes".to_owned()
            }
        }
    }

    fn limit_in_words(&self) -> String {
        let Some(limit) = self.limit else {
            return String::new();
        };
        let ms = limit.ms;
        match limit.state {
            "kept" => format!("; within the limit of {ms} ms"),
            "broken" => format!("; over the limit of {ms} ms"),
            _ => format!("; whether it keeps the limit of {ms} ms is not measured"),
        }
    }
}
