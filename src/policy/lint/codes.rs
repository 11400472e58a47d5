//! Every code of a finding and what it is about: the one table that reports and documentation share.

use crate::policy::finding::Level;

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingKind {
    /// `L01` and so on.
    pub code: &'static str,
    /// What is wrong, as a short lowercase phrase.
    pub about: &'static str,
    /// How bad it is as a rule; a single finding may be worse or better.
    pub level: Level,
}

/// Every kind, in the order of codes.
pub const FINDING_KINDS: [FindingKind; 19] = [
    kind("L01", "a file or field that cannot be read", Level::Error),
    kind(
        "L02",
        "an unquoted word that other YAML readers make a boolean",
        Level::Error,
    ),
    kind(
        "L03",
        "a word that is not known where one of a fixed list is expected",
        Level::Error,
    ),
    kind(
        "L04",
        "a name that nothing has, or that two objects have",
        Level::Error,
    ),
    kind("L05", "a list that names no place", Level::Error),
    kind(
        "L06",
        "rules, dates or what a data set says of its accesses that contradict each other",
        Level::Error,
    ),
    kind("L07", "a rule or block that never has an effect", Level::Warning),
    kind(
        "L08",
        "two policies about the same data, and what they leave together",
        Level::Note,
    ),
    kind(
        "L09",
        "data for which the fleet has no permitted node, or only one permitted region",
        Level::Error,
    ),
    kind("L10", "an exception that is not valid", Level::Error),
    kind(
        "L11",
        "something past its review or its end, or soon to be",
        Level::Warning,
    ),
    kind(
        "L12",
        "data in use in the fleet that no policy covers",
        Level::Warning,
    ),
    kind(
        "L13",
        "a policy without a test that allows and one that denies",
        Level::Warning,
    ),
    kind("L14", "a guarantee that does not hold", Level::Error),
    kind(
        "L15",
        "a region that the catalogue does not resolve, or about which labels disagree",
        Level::Error,
    ),
    kind("L16", "a policy that is not yet in force", Level::Note),
    kind("L17", "data that no catalogued place can satisfy", Level::Error),
    kind(
        "L18",
        "a rule on the ways to data that leaves none or takes none away",
        Level::Warning,
    ),
    kind(
        "L19",
        "objects of a cluster that permit what the files beside them refuse",
        Level::Error,
    ),
];

const fn kind(code: &'static str, about: &'static str, level: Level) -> FindingKind {
    FindingKind { code, about, level }
}
