//! A decision as people and programs read it: the shapes that `why` and `why-not` share.
//!
//! Inputs: an assessment. Outputs: serialisable values whose field names are part of the versioned JSON, and
//! text made from the same values, so that the two forms cannot disagree.

mod access;
mod causes;
mod demand;
mod exceptions;
mod found;
mod members;
mod peers;
mod place;
mod volumes;
mod world;

pub use access::{Access, AccessLeg, CommitCost, Limit, Quorum, ReplicaPlace, access};
pub use causes::{
    Datum, DecisionCause, causes, causes_with_bearings, data_in_words, doubts_in_words, of_access,
};
pub use demand::DemandInWords;
pub use exceptions::ExceptionUse;
pub use found::FoundReplica;
pub use members::{Apart, CloneSource, last_copies_in_words, last_copies_of};
pub use peers::PeersFound;
pub use place::{Certification, NodePlace, Operator, place};
pub use volumes::{MountedVolume, VolumePlace, mounted_volumes};
pub use world::{PodName, World};

/// The version of the JSON of `why` and `why-not`.
pub const VERSION: u32 = 1;
