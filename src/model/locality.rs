//! Where something says that it is, before the catalogue has been asked.

use std::fmt;
use std::sync::Arc;

use super::place::{InvalidPlace, RegionKey};

/// A region as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegionReference {
    /// With its provider.
    Key(RegionKey),
    /// Without: it resolves only where one provider of the catalogue has a region of that name.
    Bare(Arc<str>),
}

impl RegionReference {
    /// Reads `provider/region` or a bare region.
    ///
    /// # Errors
    /// Where the text is empty or has characters that no region has.
    pub fn parse(text: &str) -> Result<Self, InvalidPlace> {
        if text.contains('/') {
            return RegionKey::parse(text).map(Self::Key);
        }
        // A bare region obeys the rule of a key's second half.
        RegionKey::new("any", text)
            .map(|_| Self::Bare(Arc::from(text)))
            .map_err(|_| InvalidPlace::Region(text.to_owned()))
    }
}

impl fmt::Display for RegionReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(formatter),
            Self::Bare(region) => formatter.write_str(region),
        }
    }
}

/// Where a node or a replica says that it is. What is not said is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Locality {
    /// Which cluster, where there are several.
    pub cluster: Option<Arc<str>>,
    /// Which region.
    pub region: Option<RegionReference>,
    /// Which zone of that region.
    pub zone: Option<Arc<str>>,
}
