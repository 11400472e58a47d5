//! What is wrong with a request: one lowercase sentence for people, one bounded code for metrics.

/// A body that is not a request of the extender protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The body is no JSON.
    #[error("the body is not valid JSON at byte {byte}")]
    MalformedJson {
        /// Where reading stopped, from 0.
        byte: usize,
    },
    /// The body is whole and something other than white space follows.
    #[error("something follows the JSON value of the body at byte {byte}")]
    TrailingBytes {
        /// Where it begins, from 0.
        byte: usize,
    },
    /// A field that we read is given twice.
    #[error("`{0}` is given twice")]
    RepeatedField(&'static str),
    /// A field has another type than it has in `extender/v1`.
    #[error("{field} is not {expected}")]
    WrongType {
        /// Which field, in backticks, or the body.
        field: &'static str,
        /// What it should be, with an article.
        expected: &'static str,
    },
    /// There is no pod, or it is `null`.
    #[error("`Pod` is missing; names of fields count by their exact case")]
    MissingPod,
    /// The pod cannot be read.
    #[error("the pod cannot be read: {0}")]
    InvalidPod(String),
    /// Neither form of candidates is there.
    #[error("neither `Nodes` nor `NodeNames` is given")]
    NoCandidates,
    /// Both forms of candidates are there.
    #[error("both `Nodes` and `NodeNames` are given, and only one of them may be")]
    BothCandidates,
    /// A node object cannot be read.
    #[error("a node of `Nodes` cannot be read: {0}")]
    InvalidNode(String),
    /// Neither form of victims is there.
    #[error("neither `NodeNameToVictims` nor `NodeNameToMetaVictims` is given")]
    NoVictims,
    /// Both forms of victims are there.
    #[error("both `NodeNameToVictims` and `NodeNameToMetaVictims` are given, and only one of them may be")]
    BothVictims,
    /// The victims of a node cannot be read.
    #[error("the victims of a node cannot be read: {0}")]
    InvalidVictims(String),
}

impl BadRequest {
    /// Every code that [`BadRequest::code`] may give.
    pub const CODES: [&'static str; 9] = [
        "malformed-json",
        "repeated-field",
        "wrong-type",
        "missing-pod",
        "invalid-pod",
        "no-candidates",
        "both-candidates",
        "no-victims",
        "both-victims",
    ];

    /// The word for metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedJson { .. } | Self::TrailingBytes { .. } => "malformed-json",
            Self::RepeatedField(_) => "repeated-field",
            Self::WrongType { .. } | Self::InvalidNode(_) | Self::InvalidVictims(_) => "wrong-type",
            Self::MissingPod => "missing-pod",
            Self::InvalidPod(_) => "invalid-pod",
            Self::NoCandidates => "no-candidates",
            Self::BothCandidates => "both-candidates",
            Self::NoVictims => "no-victims",
            Self::BothVictims => "both-victims",
        }
    }
}
