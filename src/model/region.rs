//! What a company knows about a region: the facts that law looks at.
//!
//! A fact that is absent is unknown, and unknown never helps a workload.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::place::{Coordinates, Country, RegionKey, Subdivision};

/// Who holds the keys that the data is encrypted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCustody {
    /// The provider.
    Provider,
    /// The customer, in the provider's key service.
    Customer,
    /// A key service outside the provider.
    External,
}

/// Whether others use the same machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tenancy {
    /// Others do.
    Shared,
    /// Nobody else does.
    Dedicated,
}

/// Who runs a region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operator {
    /// The company that runs it.
    pub legal_entity: Option<Arc<str>>,
    /// The countries from which that company is controlled; `None` is unknown.
    pub controlled_from: Option<Vec<Country>>,
    /// The countries from which people administer it; `None` is unknown.
    pub admin_access_from: Option<Vec<Country>>,
}

/// An attestation of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// Which scheme, such as `PCI-DSS`.
    pub scheme: Arc<str>,
    /// Which level of it.
    pub level: Option<Arc<str>>,
    /// The first instant at which it is no longer valid; `None` is unknown.
    pub valid_until: Option<Timestamp>,
}

/// Facts that a zone may state otherwise than its region (never the country).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneFacts {
    /// Who runs it.
    pub operator: Option<Operator>,
    /// Its attestations.
    pub certifications: Option<Vec<Certification>>,
    /// Who holds the keys.
    pub key_custody: Option<KeyCustody>,
    /// Whether others use the same machines.
    pub tenancy: Option<Tenancy>,
}

/// A region of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its key.
    pub key: RegionKey,
    /// The country it lies in.
    pub country: Country,
    /// The part of that country, where known.
    pub subdivision: Option<Subdivision>,
    /// Its city, for people.
    pub city: Option<Arc<str>>,
    /// Where it lies, for estimates of latency.
    pub coordinates: Option<Coordinates>,
    /// When its facts were true; they count as that old.
    pub as_of: Timestamp,
    /// Facts of the whole region.
    pub facts: ZoneFacts,
    /// Facts of single zones.
    pub zones: BTreeMap<Arc<str>, ZoneFacts>,
}
