//! How names of the model stand in a trace: as text that is checked when it is read.
//!
//! Inputs: text. Outputs: the types of `model`, or the sentence that they say about a wrong text.
//! Invariant: what is written is read back as the same value.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::{DataSetName, InvalidName, InvalidPlace, NamespaceName, NodeName, Owner, RegionKey};
use crate::topology::MeasuredPlace;

/// Reads a text by a function that checks it.
struct Checked<T, E> {
    expected: &'static str,
    read: fn(&str) -> Result<T, E>,
}

impl<T, E: fmt::Display> Visitor<'_> for Checked<T, E> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<D: Error>(self, text: &str) -> Result<T, D> {
        (self.read)(text).map_err(D::custom)
    }
}

/// Writes a name as its text and reads it back.
macro_rules! written_as_text {
    ($type:ty, $error:ty, $read:expr, $title:literal, $schema:tt) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor: Checked<Self, $error> = Checked {
                    expected: $title,
                    read: $read,
                };
                deserializer.deserialize_str(visitor)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

written_as_text!(
    RegionKey,
    InvalidPlace,
    RegionKey::parse,
    "a region such as `aws/eu-west-1`",
    {
        "description": "A region: its provider and how the provider calls it, such as `aws/eu-west-1`.",
        "type": "string",
        "pattern": "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
    }
);
written_as_text!(
    MeasuredPlace,
    InvalidPlace,
    MeasuredPlace::parse,
    "a region or a zone such as `aws/eu-west-1`",
    {
        "description": "A region such as `aws/eu-west-1`, or a zone of one such as `aws/eu-west-1/eu-west-1a`.",
        "type": "string",
        "pattern": "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){1,2}$"
    }
);
written_as_text!(
    NodeName,
    InvalidName,
    NodeName::new,
    "the name of a node",
    {"description": "The name of a node.", "type": "string", "pattern": "^\\S{1,253}$"}
);
written_as_text!(
    NamespaceName,
    InvalidName,
    NamespaceName::new,
    "the name of a namespace",
    {"description": "The name of a namespace.", "type": "string", "pattern": "^\\S{1,253}$"}
);
written_as_text!(
    DataSetName,
    InvalidName,
    DataSetName::new,
    "the name of a data set",
    {"description": "The name of a data set.", "type": "string", "pattern": "^\\S{1,253}$"}
);

/// The controller of a pod, written `Kind/name`.
pub(super) mod owner {
    use super::{Checked, Deserializer, Owner, Serializer};

    pub fn serialize<S: Serializer>(owner: &Option<Owner>, serializer: S) -> Result<S::Ok, S::Error> {
        match owner {
            Some(owner) => serializer.collect_str(&format_args!("{}/{}", owner.kind, owner.name)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Owner>, D::Error> {
        let visitor: Checked<Owner, String> = Checked {
            expected: "a controller such as `Deployment/web`",
            read,
        };
        deserializer.deserialize_str(visitor).map(Some)
    }

    fn read(text: &str) -> Result<Owner, String> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Owner {
                kind: kind.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(format!("`{text}` is no controller such as `Deployment/web`")),
        }
    }
}
