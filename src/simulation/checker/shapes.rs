//! The documents as they are written: own structures for what decides where pods may run.
//!
//! Inputs: YAML or JSON of docs/policies.md, 1. Outputs: structures with the words as they stand, dates as
//! instants. Invariants: a field that is not known is an error, so that nothing that restricts is overlooked; what
//! only people read is taken and dropped. Deliberately absent: what it means.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::words::{Age, Beginning, End, Level};

/// Countries, parts of countries, `group/NAME`, `anywhere`.
pub(super) type Places = Vec<String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    pub(super) mode: SettingsMode,
    pub(super) uncovered: AllowOrDeny,
    pub(super) unlabelled: Unlabelled,
    #[serde(default)]
    pub(super) exempt_namespaces: Vec<String>,
    pub(super) region_key: RegionKey,
    #[serde(default, rename = "teams")]
    _teams: IgnoredAny,
    #[serde(default)]
    pub(super) max_fact_age: BTreeMap<Level, Age>,
    #[serde(default, rename = "latency")]
    _latency: IgnoredAny,
    #[serde(default, rename = "roleLabels")]
    _role_labels: IgnoredAny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SettingsMode {
    Enforce,
    Observe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AllowOrDeny {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Unlabelled {
    Word(AllowOrDeny),
    Confined(Confined),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Confined {
    pub(super) confine_to: Places,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RegionKey {
    Word(RegionKeyWord),
    Restricted(Restricted),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RegionKeyWord {
    Topology,
    ProviderId,
}

/// Which label confirms the region of a node, and from which classification on it must.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Restricted {
    pub(super) node_restriction: String,
    pub(super) from: Level,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Region {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    pub(super) provider: String,
    pub(super) region: String,
    pub(super) country: String,
    pub(super) subdivision: Option<String>,
    #[serde(default, rename = "city")]
    _city: IgnoredAny,
    #[serde(default, rename = "coordinates")]
    _coordinates: IgnoredAny,
    pub(super) operator: Option<Operator>,
    pub(super) certifications: Option<Vec<Certification>>,
    pub(super) key_custody: Option<String>,
    pub(super) tenancy: Option<String>,
    #[serde(default)]
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) source: RegionSource,
}

/// What a zone has of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) operator: Option<Operator>,
    pub(super) certifications: Option<Vec<Certification>>,
    pub(super) key_custody: Option<String>,
    pub(super) tenancy: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RegionSource {
    #[serde(rename = "cite")]
    _cite: IgnoredAny,
    pub(super) as_of: Beginning,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Operator {
    pub(super) legal_entity: Option<String>,
    pub(super) controlled_from: Option<Vec<String>>,
    pub(super) admin_access_from: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Certification {
    pub(super) scheme: String,
    pub(super) level: Option<String>,
    pub(super) valid_until: Option<End>,
    #[serde(default, rename = "evidence")]
    _evidence: IgnoredAny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Group {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    #[serde(rename = "asOf")]
    _as_of: IgnoredAny,
    #[serde(rename = "reviewBy")]
    _review_by: IgnoredAny,
    #[serde(rename = "source")]
    _source: IgnoredAny,
    pub(super) name: Option<String>,
    pub(super) members: Vec<Member>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenMember")]
pub(super) struct Member {
    /// As a list of places would name it.
    pub(super) place: String,
    pub(super) from: Option<Beginning>,
    pub(super) until: Option<End>,
    pub(super) required: Option<Requirement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMember {
    country: Option<String>,
    subdivision: Option<String>,
    group: Option<String>,
    from: Option<Beginning>,
    until: Option<End>,
    required: Option<Requirement>,
    #[serde(default, rename = "cite")]
    _cite: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

impl TryFrom<WrittenMember> for Member {
    type Error = String;

    fn try_from(written: WrittenMember) -> Result<Self, String> {
        let group = written.group.map(|name| format!("group/{name}"));
        let mut named = written
            .country
            .into_iter()
            .chain(written.subdivision)
            .chain(group);
        let (Some(place), None) = (named.next(), named.next()) else {
            return Err("a member is one country, one subdivision or one group".to_owned());
        };
        Ok(Self {
            place,
            from: written.from,
            until: written.until,
            required: written.required,
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Requirement {
    pub(super) operator: Option<RequiredOperator>,
    pub(super) certifications: Option<Vec<RequiredCertification>>,
    pub(super) key_custody: Option<Vec<String>>,
    pub(super) tenancy: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequiredOperator {
    pub(super) legal_entity: Option<Vec<String>>,
    pub(super) controlled_from: Option<Places>,
    pub(super) admin_access_from: Option<Places>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequiredCertification {
    pub(super) scheme: String,
    pub(super) level: Option<String>,
    #[serde(default)]
    pub(super) valid_at_least_days: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DataSet {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    pub(super) profile: DataSetProfile,
    pub(super) consistency: Consistency,
    pub(super) access: Option<Access>,
    pub(super) replicas: Vec<Replica>,
    #[serde(default, rename = "members")]
    _members: IgnoredAny,
    #[serde(default, rename = "owner")]
    _owner: IgnoredAny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataSetProfile {
    pub(super) classification: Level,
    pub(super) categories: Vec<String>,
    pub(super) subjects: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Consistency {
    Strict,
    Available,
}

/// Which copies serve, where that does not follow from the consistency.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Access {
    pub(super) reads: Option<Serving>,
    pub(super) writes: Option<Serving>,
    pub(super) read_quorum: Option<usize>,
    pub(super) write_quorum: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Serving {
    Nearest,
    Leader,
    Quorum,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replica {
    /// `provider/region`, or a region that one provider has.
    pub(super) region: String,
    pub(super) zone: Option<String>,
    #[serde(default, rename = "cluster")]
    _cluster: IgnoredAny,
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    Leader,
    Voter,
    ReadOnly,
    Witness,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Link {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) countries: Vec<String>,
    #[serde(rename = "provider")]
    _provider: IgnoredAny,
    #[serde(rename = "asOf")]
    _as_of: IgnoredAny,
    #[serde(default, rename = "source")]
    _source: IgnoredAny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Policy {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    #[serde(rename = "title")]
    _title: IgnoredAny,
    #[serde(rename = "owner")]
    _owner: IgnoredAny,
    #[serde(rename = "legalBasis")]
    _legal_basis: IgnoredAny,
    #[serde(default, rename = "controls")]
    _controls: IgnoredAny,
    pub(super) mode: Mode,
    pub(super) effective: Option<Effective>,
    pub(super) enforce_from: Option<Beginning>,
    pub(super) applies_to: AppliesTo,
    pub(super) rules: Vec<Rule>,
    pub(super) exceptions: Option<Exceptions>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    Enforce,
    Warn,
    Audit,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Effective {
    pub(super) from: Option<Beginning>,
    /// A policy that is past it goes on restricting.
    #[serde(default, rename = "until")]
    _until: IgnoredAny,
    #[serde(default, rename = "reviewBy")]
    _review_by: IgnoredAny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Exceptions {
    pub(super) allowed: bool,
    #[serde(default, rename = "maxDays")]
    _max_days: IgnoredAny,
    #[serde(default, rename = "approvers")]
    _approvers: IgnoredAny,
}

/// One block, or `anyOf` several.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AppliesTo {
    any_of: Option<Vec<Block>>,
    data: Option<DataSelector>,
    namespaces: Option<NamespaceSelector>,
    storage_classes: Option<Vec<String>>,
    data_sets: Option<Vec<String>>,
}

impl AppliesTo {
    /// The blocks, of which any may match.
    pub(super) fn blocks(self) -> Vec<Block> {
        self.any_of.unwrap_or_else(|| {
            vec![Block {
                data: self.data,
                namespaces: self.namespaces,
                storage_classes: self.storage_classes,
                data_sets: self.data_sets,
            }]
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Block {
    pub(super) data: Option<DataSelector>,
    pub(super) namespaces: Option<NamespaceSelector>,
    pub(super) storage_classes: Option<Vec<String>>,
    pub(super) data_sets: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataSelector {
    pub(super) classification: Option<AtLeast>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) subjects: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AtLeast {
    pub(super) at_least: Level,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NamespaceSelector {
    pub(super) match_labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenRule")]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) activities: Vec<Activity>,
    pub(super) demand: Demand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Activity {
    Process,
    Store,
    Replicate,
}

/// What a rule wants.
#[derive(Debug, Clone)]
pub(super) enum Demand {
    Allowed(Places),
    Denied(Places),
    Required(Requirement),
    PrimaryMustBeIn(Places),
    FromReplicaIn(Places),
    NoneOutside(Places),
    MustExistIn(Places),
    Transit(Transit),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Transit {
    pub(super) forbid: Places,
    pub(super) when_path_unknown: DenyOrWarn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DenyOrWarn {
    Deny,
    Warn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    activities: Option<Vec<Activity>>,
    allowed: Option<Places>,
    denied: Option<Places>,
    required: Option<Requirement>,
    writes: Option<Writes>,
    reads: Option<Reads>,
    replica: Option<Copies>,
    transit: Option<Transit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Writes {
    primary_must_be_in: Places,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reads {
    from_replica_in: Places,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Copies {
    none_outside: Option<Places>,
    must_exist_in: Option<Places>,
}

impl TryFrom<WrittenRule> for Rule {
    type Error = String;

    fn try_from(written: WrittenRule) -> Result<Self, String> {
        let (none_outside, must_exist_in) = match written.replica {
            Some(copies) => (copies.none_outside, copies.must_exist_in),
            None => (None, None),
        };
        let demands = [
            written.allowed.map(Demand::Allowed),
            written.denied.map(Demand::Denied),
            written.required.map(Demand::Required),
            written
                .writes
                .map(|writes| Demand::PrimaryMustBeIn(writes.primary_must_be_in)),
            written
                .reads
                .map(|reads| Demand::FromReplicaIn(reads.from_replica_in)),
            none_outside.map(Demand::NoneOutside),
            must_exist_in.map(Demand::MustExistIn),
            written.transit.map(Demand::Transit),
        ];
        let mut stated = demands.into_iter().flatten();
        let (Some(demand), None) = (stated.next(), stated.next()) else {
            return Err(format!(
                "the rule `{}` does not want exactly one thing",
                written.id
            ));
        };
        let unstated = || vec![Activity::Process, Activity::Store];
        Ok(Self {
            id: written.id,
            activities: written.activities.unwrap_or_else(unstated),
            demand,
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Exception {
    #[serde(default, rename = "version")]
    _version: IgnoredAny,
    pub(super) relaxes: Relaxes,
    pub(super) scope: Scope,
    #[serde(rename = "category")]
    _category: IgnoredAny,
    #[serde(rename = "reason")]
    _reason: IgnoredAny,
    #[serde(default, rename = "compensatingControls")]
    _compensating_controls: IgnoredAny,
    #[serde(rename = "requestedBy")]
    _requested_by: IgnoredAny,
    #[serde(rename = "approvedBy")]
    _approved_by: IgnoredAny,
    #[serde(rename = "ticket")]
    _ticket: IgnoredAny,
    pub(super) not_before: Beginning,
    /// An exception is over when its day begins.
    pub(super) expires: Beginning,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Relaxes {
    pub(super) policy: String,
    pub(super) rule: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    pub(super) namespace: String,
    pub(super) locations: Places,
    pub(super) data: DataSelector,
    pub(super) workload: Option<String>,
}
