//! The words of a file as editors know them: one marker for each kind of word.
//!
//! Inputs: the words of the model. Outputs: JSON Schema. Invariants: a list of words comes from the type that the
//! reader uses, where there is one, so that an editor offers what the reader takes. What only a whole set can
//! tell (whether a group or a team exists) is left to `domicile lint`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::WordOr;
use crate::model::{Category, Classification, RESTRICTED_REGION_LABEL};
use crate::policy::definition::{Activity, ExceptionCategory, Mode, PathUnknown};

/// Makes an uninhabited marker and its schema.
macro_rules! word {
    ($name:ident, $schema:tt) => {
        pub enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// Every category, and `none`.
fn categories() -> Vec<&'static str> {
    let words = Category::ALL.into_iter().map(Category::word);
    words.chain(["none"]).collect()
}

word!(SettingsMode, {
    "type": "string",
    "enum": ["enforce", "observe"],
    "description": "`enforce` refuses; `observe` refuses nothing and records everything."
});
word!(AllowOrDeny, {
    "type": "string",
    "enum": ["allow", "deny"],
    "description": "`allow` or `deny`."
});
word!(OnOrOff, {
    "type": "string",
    "enum": ["on", "off"],
    "description": "Quoted: \"on\" or \"off\". Other YAML readers make a boolean of the unquoted word."
});
word!(UnlabelledSetting, {
    "anyOf": [
        {"type": "string", "enum": ["allow", "deny"]},
        {
            "type": "object",
            "properties": {
                "confineTo": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string"},
                    "description": "The places where such pods may run: countries, subdivisions, `group/NAME`."
                }
            },
            "required": ["confineTo"],
            "additionalProperties": false
        }
    ],
    "description": "`allow`, `deny`, or `{confineTo: [places]}`."
});
word!(RegionKeyWords, {
    "anyOf": [
        {"type": "string", "enum": ["topology", "provider-id"]},
        {
            "type": "object",
            "properties": {
                "nodeRestriction": {
                    "type": "string",
                    "enum": [RESTRICTED_REGION_LABEL],
                    "description": "The label that kubelets cannot set on their own node."
                },
                "from": {
                    "type": "string",
                    "enum": Classification::ALL.map(Classification::word),
                    "description": "The least classification whose data needs that label."
                }
            },
            "required": ["nodeRestriction", "from"],
            "additionalProperties": false
        }
    ],
    "description": "`topology`, `provider-id`, or `{nodeRestriction: LABEL, from: CLASSIFICATION}`."
});
word!(FactAges, {
    "type": "object",
    "propertyNames": {"enum": Classification::ALL.map(Classification::word)},
    "additionalProperties": {
        "type": "string",
        "pattern": "^[0-9]+[dhms]$",
        "description": "Whole days, such as `400d`; or `12h`, `10m` or `30s`, which are for what the cluster confirms alone."
    },
    "description": "For each classification the greatest age, such as `400d`."
});
word!(PolicyMode, {
    "type": "string",
    "enum": [Mode::Enforce.word(), Mode::Warn.word(), Mode::Audit.word()],
    "description": "`enforce` refuses; `warn` records and tells by an Event; `audit` records."
});
word!(ClassificationWord, {
    "type": "string",
    "enum": Classification::ALL.map(Classification::word),
    "description": "How sensitive the data is: public, internal, confidential, restricted."
});
word!(CategoryWord, {
    "type": "string",
    "enum": categories(),
    "description": "What the data is about. A category in a policy finds its kinds too: personal finds health. `none` is data of no category."
});
word!(ActivityWord, {
    "type": "string",
    "enum": Activity::ALL.map(Activity::word),
    "description": "What a pod does with data: every pod processes, one with a volume claim stores, a copy of a data set replicates."
});
word!(ExceptionCategoryWord, {
    "type": "string",
    "enum": ExceptionCategory::ALL.map(ExceptionCategory::word),
    "description": "`waiver` takes the risk; `mitigated` makes up for it by other controls."
});
word!(GuaranteeExceptions, {
    "type": "string",
    "enum": ["listed", "none"],
    "description": "`listed`: exceptions may break it and are named; `none`: none may."
});
word!(KeyCustodyWord, {
    "type": "string",
    "enum": ["provider", "customer", "external"],
    "description": "Who holds the encryption keys: the provider, the customer in the provider's key service, or an external key service."
});
word!(TenancyWord, {
    "type": "string",
    "enum": ["shared", "dedicated"],
    "description": "Whether others use the same machines."
});
word!(ConsistencyWord, {
    "type": "string",
    "enum": ["strict", "available"],
    "description": "`strict`: reads go to the leader, or to a quorum where there is none; `available`: to the nearest copy."
});
word!(StatisticWord, {
    "type": "string",
    "enum": ["p50", "p95"],
    "description": "Which round trip of all that were timed decides: the typical one, or the one that one in twenty exceeds."
});
word!(ReadPathWord, {
    "type": "string",
    "enum": ["nearest", "leader", "quorum"],
    "description": "Which copies answer a read: the nearest readable one, the leader, or `readQuorum` voters that hold data."
});
word!(WritePathWord, {
    "type": "string",
    "enum": ["leader", "quorum"],
    "description": "Which copies answer a write: the leader, which commits with a majority, or `writeQuorum` voters."
});
word!(ReplicaRoleWord, {
    "type": "string",
    "enum": ["leader", "voter", "read-only", "witness"],
    "description": "What the copy does."
});
word!(CountryCode, {
    "type": "string",
    "pattern": "^[A-Z]{2}$",
    "description": "An ISO 3166-1 code in quotes: \"DE\". The United Kingdom is \"GB\", Greece is \"GR\"."
});
word!(SubdivisionCode, {
    "type": "string",
    "pattern": "^[A-Z]{2}-[A-Z0-9]{1,3}$",
    "description": "An ISO 3166-2 code in quotes: \"CA-QC\"."
});
word!(Place, {
    "type": "string",
    "pattern": "^([A-Z]{2}(-[A-Z0-9]{1,3})?|group/.+|anywhere)$",
    "description": "A country (\"DE\"), a part of one (\"CA-QC\"), `group/NAME`, or `anywhere` for every place of the catalogue."
});
word!(SubjectWord, {
    "type": "string",
    "pattern": "^([A-Z]{2}(-[A-Z0-9]{1,3})?|group/.+|none)$",
    "description": "Whose data it is: people of a country (\"DE\"), of a part of one (\"CA-QC\"), of `group/NAME`; `none` is about no person."
});
word!(PlaceKey, {
    "type": "string",
    "pattern": "^[^/]+(/[^/]+(/[^/]+)?)?$",
    "description": "A region of the catalogue or a zone of it: `provider/region` or `provider/region/zone`; `region` alone where one provider has it."
});
word!(DenyOrWarn, {
    "type": "string",
    "enum": PathUnknown::ALL.map(PathUnknown::word),
    "description": "`deny`: a way that no NetworkLink declares is not taken; `warn`: it is taken, and recorded."
});
word!(DateOrInstant, {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$",
    "description": "A day, \"2026-12-31\", or an instant, \"2026-12-31T12:00:00Z\". Days are days in UTC."
});
word!(RuleName, {
    "type": "string",
    "pattern": "^[A-Za-z0-9._-]+$",
    "description": "Letters, digits, hyphens, dots and underscores."
});
word!(WorkloadName, {
    "type": "string",
    "pattern": "^(Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob)/.+$",
    "description": "A kind and a name, such as `Deployment/web`."
});

impl<T: JsonSchema> JsonSchema for WordOr<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("WordOr{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fields = generator.subschema_for::<T>();
        json_schema!({
            "anyOf": [{"type": "string"}, fields],
            "description": "One word, or fields."
        })
    }
}
