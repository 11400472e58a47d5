//! `PolicySettings`: exactly one in a set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use crate::model::{
    Classification, NamespaceName, RESTRICTED_REGION_LABEL, RoleLabel, RoleLabels, Statistic, nearest_word,
};
use crate::policy::data_sets::replica_role;
use crate::policy::definition::{LatencySettings, RegionKeyTrust, Settings, Unlabelled};
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
    let region_key = region_key(object, reader);
    let max_fact_age = max_fact_age(object, reader);
    let latency = latency(object, reader);
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
        region_key: region_key?,
        max_fact_age,
        latency: latency?,
        role_labels: role_labels(object, reader),
    })
}

/// Own labels of roles, before those that are built in; one with a finding is left out.
fn role_labels(object: &Object<SettingsSpec>, reader: &mut Reader) -> RoleLabels {
    let own = object.spec.role_labels.iter().filter_map(|spec| {
        Some(RoleLabel {
            label: Arc::from(&*spec.label),
            value: Arc::from(&*spec.value),
            role: replica_role(&object.origin, &spec.role, reader)?,
        })
    });
    let own: Vec<RoleLabel> = own.collect();
    RoleLabels::before_shipped(own)
}

fn latency(object: &Object<SettingsSpec>, reader: &mut Reader) -> Option<LatencySettings> {
    let Some(spec) = &object.spec.latency else {
        return Some(LatencySettings::default());
    };
    let statistics = [Statistic::P50, Statistic::P95];
    let statistic = match &spec.statistic {
        None => Statistic::default(),
        Some(word) => reader.word(
            &object.origin,
            word,
            "statistic",
            &statistics.map(Statistic::word),
            |word| statistics.into_iter().find(|statistic| statistic.word() == word),
        )?,
    };
    Some(LatencySettings {
        statistic,
        require_measured: spec.require_measured,
    })
}

fn region_key(object: &Object<SettingsSpec>, reader: &mut Reader) -> Option<RegionKeyTrust> {
    let Object { origin, spec, .. } = object;
    let at = origin.position(&spec.region_key);
    match &spec.region_key.value {
        RegionKeySetting::Word(word) => match word.as_str() {
            "topology" => Some(RegionKeyTrust::Topology),
            "provider-id" => Some(RegionKeyTrust::ProviderId),
            _ => {
                let sentence = format!("unknown region key `{word}`");
                let fix = match nearest_word(word, ["topology", "provider-id"]) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `topology`, `provider-id` or `nodeRestriction` with `from`".to_owned(),
                };
                reader.error("L03", at, sentence, Some(fix));
                None
            }
        },
        RegionKeySetting::NodeRestriction { label, from } => {
            if label.value != RESTRICTED_REGION_LABEL {
                let sentence = format!("`{}` is not the label that confirms a region", label.value);
                let fix = format!("write `{RESTRICTED_REGION_LABEL}`");
                reader.error("L03", origin.position(label), sentence, Some(fix));
            }
            let from = reader.classification(origin, from)?;
            Some(RegionKeyTrust::NodeRestriction { from })
        }
    }
}

fn max_fact_age(
    object: &Object<SettingsSpec>,
    reader: &mut Reader,
) -> BTreeMap<Classification, SignedDuration> {
    let Object { origin, spec, .. } = object;
    let mut ages = BTreeMap::new();
    for (word, text) in &spec.max_fact_age {
        let Some(classification) = Classification::from_word(word) else {
            let known = Classification::ALL.map(Classification::word);
            let fix = match nearest_word(word, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", known.join(", ")),
            };
            let sentence = format!("unknown classification `{word}`");
            reader.error("L03", origin.position(text), sentence, Some(fix));
            continue;
        };
        if let Some(age) = reader.age(origin, text) {
            ages.insert(classification, age);
        }
    }
    ages
}
