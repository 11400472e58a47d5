//! `PolicySettings`: exactly one in a set.

use std::collections::BTreeSet;

use crate::model::NamespaceName;
use crate::policy::definition::{Settings, Unlabelled};
use crate::policy::document::Object;
use crate::policy::schema::{self, RegionKeySetting, SettingsSpec};
use crate::policy::words::Reader;

pub(super) fn settings(
    objects: &[Object<SettingsSpec>],
    unread_documents: bool,
    reader: &mut Reader,
) -> Option<Settings> {
    if objects.is_empty() && unread_documents {
        // The settings may be what could not be read, which has a finding of its own.
        return None;
    }
    let [object] = objects else {
        let position = objects.get(1).map(Object::position).unwrap_or_default();
        let sentence = format!(
            "a policy set has exactly one PolicySettings object and this has {}",
            objects.len()
        );
        reader.error(
            "L04",
            position,
            sentence,
            Some("start from the shipped `policies/settings.yaml`".to_owned()),
        );
        return None;
    };
    let Object { origin, spec, .. } = object;
    let mode = reader.word(
        origin,
        &spec.mode,
        "mode",
        &["enforce", "observe"],
        |word| match word {
            "observe" => Some(true),
            "enforce" => Some(false),
            _ => None,
        },
    );
    let uncovered = reader.word(
        origin,
        &spec.uncovered,
        "setting",
        &["deny", "allow"],
        |word| match word {
            "allow" => Some(true),
            "deny" => Some(false),
            _ => None,
        },
    );
    let unlabelled = match &spec.unlabelled {
        schema::Unlabelled::Allow => Unlabelled::Allow,
        schema::Unlabelled::Deny => Unlabelled::Deny,
        schema::Unlabelled::ConfineTo(places) => {
            Unlabelled::ConfineTo(reader.places(origin, places, "confineTo", object.position()))
        }
    };
    let region_key = &spec.region_key;
    if !matches!(&region_key.value, RegionKeySetting::Word(word) if word == "topology") {
        let sentence = "only `regionKey: topology` is supported by this version".to_owned();
        reader.error("L01", origin.position(region_key), sentence, None);
    }
    if let Some(age) = spec.max_fact_age.values().next() {
        let sentence = "`maxFactAge` is not supported by this version".to_owned();
        reader.error("L01", origin.position(age), sentence, None);
    }
    let mut exempt_namespaces = BTreeSet::new();
    for text in &spec.exempt_namespaces {
        match NamespaceName::new(&text.value) {
            Ok(name) => {
                exempt_namespaces.insert(name);
            }
            Err(problem) => reader.error("L01", origin.position(text), problem.to_string(), None),
        }
    }
    Some(Settings {
        observe: mode?,
        uncovered_is_allowed: uncovered?,
        unlabelled,
        exempt_namespaces,
        teams: spec.teams.clone(),
    })
}
