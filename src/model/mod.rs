//! Domain words as types that cannot be wrong.
//!
//! Inputs: text that an edge (wire, file, watch, command line) has taken apart. Outputs: values whose
//! invariants hold for as long as they live, so nothing behind an edge checks them again.
//! Deliberately absent: any import of ours, serialisation, I/O, clocks. Every edge has structs of its
//! own and translates into these.

mod access;
mod access_path;
mod data;
mod data_set;
mod fleet;
mod labels;
mod latency;
mod level;
mod locality;
mod names;
mod nearest_word;
mod place;
mod pod;
mod region;
mod role_labels;
mod running_pods;
mod score;
mod volume;

pub use access::{AccessProfile, ClientWeight, DataSetUse, PeerUse, RequestsPerCall};
pub use access_path::{AccessPaths, ReadPath, StatedAccess, StatedReads, StatedWrites, WritePath, majority};
pub use data::{Category, CategorySet, Classification, DataTuple, Dimension, Subject, Tuple};
pub use data_set::{
    Consistency, CopyHealth, DataProfile, DataSet, DataSets, FoundCopy, Members, Replica, ReplicaRole,
    SubjectTerm,
};
pub use fleet::{
    ByName, Claim, ClaimKey, ContradictingProviders, Fleet, Known, Namespace, NodeRecord, PROVIDER_LABEL,
    RESTRICTED_REGION_LABEL, SourceAnnotations, StatedData, StatedProfile, StorageClass, Volume,
};
pub use labels::{InvalidSelector, LabelPool, LabelSelector, LabelSet, is_dns_label};
pub use latency::{Latency, Provenance, Statistic};
pub use level::Level;
pub use locality::{Locality, RegionReference};
pub use names::{DataSetName, InvalidName, NamespaceName, NodeName};
pub use nearest_word::nearest_word;
pub use place::{
    Coordinates, Country, CountrySet, InvalidPlace, Membership, RegionKey, Subdivision, ZoneKey,
    country_from_near_miss,
};
pub use pod::{Malformed, Owner, PodRequirements, VolumeMount};
pub use region::{Certification, KeyCustody, Operator, Region, Tenancy, ZoneFacts};
pub use role_labels::{RoleLabel, RoleLabels};
pub use running_pods::{HoldersByClaim, PodGroup, PodGroups, PodKey, RunningPod, RunningPods};
pub use score::Score;
pub use volume::{HeldClaims, Holder, VolumeBinding, VolumeSpot, ordinal};
