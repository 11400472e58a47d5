//! Names of Kubernetes objects and of data sets.
//!
//! Invariant: a name is not empty, has no white space or control character, and is at most 253 bytes
//! (the limit of a Kubernetes object name).

use std::fmt;
use std::sync::Arc;

/// The longest name that Kubernetes accepts for an object, in bytes.
const LONGEST_NAME_BYTES: usize = 253;

/// A text that cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is empty.
    #[error("a name is empty")]
    Empty,
    /// The text is longer than an object name may be.
    #[error("a name has {0} bytes where {LONGEST_NAME_BYTES} are allowed")]
    TooLong(usize),
    /// The text has white space or a control character.
    #[error("the name `{0}` has white space or a control character")]
    Character(String),
}

fn checked(text: &str) -> Result<Arc<str>, InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > LONGEST_NAME_BYTES {
        return Err(InvalidName::TooLong(text.len()));
    }
    if text
        .chars()
        .any(|character| character.is_whitespace() || character.is_control())
    {
        return Err(InvalidName::Character(text.escape_default().to_string()));
    }
    Ok(Arc::from(text))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            /// Where the text is empty, too long, or has white space.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                checked(text).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a node. On the wire it is called a host.
    NodeName
);
name!(
    /// The name of a namespace.
    NamespaceName
);
name!(
    /// The name of a data set.
    DataSetName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_where_kubernetes_would_refuse_it() {
        assert_eq!(NodeName::new(""), Err(InvalidName::Empty));
        assert_eq!(NodeName::new(&"n".repeat(254)), Err(InvalidName::TooLong(254)));
        assert!(matches!(
            NodeName::new("two words"),
            Err(InvalidName::Character(_))
        ));
        assert_eq!(
            NodeName::new("node-1.example").expect("a valid name").as_str(),
            "node-1.example"
        );
    }
}
