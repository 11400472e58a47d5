//! The JSON Schema of `summary.json`, from the types that write it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Summary;

/// The schema.
#[must_use]
pub fn summary_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Summary>();
    schema.insert("title".to_owned(), "A simulated run in figures".into());
    schema.to_value()
}
