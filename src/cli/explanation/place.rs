//! Where a node is, and what the catalogue knows about that place.

use serde::Serialize;

use crate::model::{Country, KeyCustody, NodeRecord, RegionReference, Tenancy};
use crate::policy::{PlaceFacts, RegionKeyTrust};
use crate::snapshot::{NodeClass, Snapshot};

/// A place with its facts; what is absent is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodePlace {
    /// The region as the labels of the node say it.
    pub region_label: Option<String>,
    /// The zone as the labels say it.
    pub zone: Option<String>,
    /// The region of the catalogue.
    pub region: Option<String>,
    /// Why no region of the catalogue is it.
    pub region_problem: Option<String>,
    /// Whether a label that kubelets cannot set says the same region; absent where the settings do not ask.
    pub region_confirmed: Option<bool>,
    /// Its country.
    pub country: Option<String>,
    /// The part of that country.
    pub subdivision: Option<String>,
    /// Its city.
    pub city: Option<String>,
    /// Who runs it.
    pub operator: Option<Operator>,
    /// Its attestations.
    pub certifications: Option<Vec<Certification>>,
    /// Who holds the keys.
    pub key_custody: Option<&'static str>,
    /// Whether others use the same machines.
    pub tenancy: Option<&'static str>,
}

/// Who runs a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// The company.
    pub legal_entity: Option<String>,
    /// From where it is controlled.
    pub controlled_from: Option<Vec<String>>,
    /// From where people administer it.
    pub admin_access_from: Option<Vec<String>>,
}

/// An attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certification {
    /// Which scheme.
    pub scheme: String,
    /// Which level.
    pub level: Option<String>,
    /// The first instant at which it is no longer valid.
    pub valid_until: Option<String>,
}

/// Describes the place of a node class.
#[must_use]
pub fn place(snapshot: &Snapshot, class: &NodeClass) -> NodePlace {
    let catalogue = snapshot.policies().catalogue();
    let unknown = PlaceFacts::default();
    let place = catalogue.facts(class.place).unwrap_or(&unknown);
    let region = class.region.as_ref().and_then(|key| catalogue.region(key));
    let codes = |countries: &Vec<Country>| countries.iter().map(ToString::to_string).collect();
    let facts = &place.facts;
    let trust = snapshot.policies().settings().region_key;
    NodePlace {
        region_label: class.record.locality.region.as_ref().map(ToString::to_string),
        zone: class.record.locality.zone.as_deref().map(str::to_owned),
        region: place.region.as_ref().map(ToString::to_string),
        region_problem: (place.region.is_none()).then(|| region_problem(&class.record, trust)),
        region_confirmed: matches!(trust, RegionKeyTrust::NodeRestriction { .. })
            .then_some(class.region_is_confirmed),
        country: place.country.map(|country| country.to_string()),
        subdivision: place.subdivision.as_ref().map(ToString::to_string),
        city: region
            .and_then(|region| region.city.as_deref())
            .map(str::to_owned),
        operator: facts.operator.as_ref().map(|operator| Operator {
            legal_entity: operator.legal_entity.as_deref().map(str::to_owned),
            controlled_from: operator.controlled_from.as_ref().map(codes),
            admin_access_from: operator.admin_access_from.as_ref().map(codes),
        }),
        certifications: facts.certifications.as_ref().map(|held| {
            held.iter()
                .map(|certification| Certification {
                    scheme: certification.scheme.to_string(),
                    level: certification.level.as_deref().map(str::to_owned),
                    valid_until: certification.valid_until.map(|until| until.to_string()),
                })
                .collect()
        }),
        key_custody: facts.key_custody.map(|custody| match custody {
            KeyCustody::Provider => "provider",
            KeyCustody::Customer => "customer",
            KeyCustody::External => "external",
        }),
        tenancy: facts.tenancy.map(|tenancy| match tenancy {
            Tenancy::Shared => "shared",
            Tenancy::Dedicated => "dedicated",
        }),
    }
}

/// Why the place of a node is unknown.
fn region_problem(record: &NodeRecord, trust: RegionKeyTrust) -> String {
    let by_label = record.locality.region.as_ref();
    let by_provider_id = record.provider_id_region.as_ref();
    let not_there = |region: &RegionReference| format!("region `{region}` is not in the catalogue");
    match (trust, by_label, by_provider_id) {
        (RegionKeyTrust::ProviderId, _, None) => "its providerID names no region".to_owned(),
        (RegionKeyTrust::ProviderId, Some(label), Some(named)) if label != named => {
            format!("its label says `{label}` and its providerID `{named}`")
        }
        (RegionKeyTrust::ProviderId, _, Some(named)) => not_there(named),
        (_, Some(label), _) => not_there(label),
        (_, None, _) => "no region label".to_owned(),
    }
}

const NOT_KNOWN: &str = "not known";

impl NodePlace {
    /// The region in one phrase, for lists.
    #[must_use]
    pub fn region_in_words(&self) -> String {
        match (&self.region, &self.region_problem) {
            (Some(region), _) => region.clone(),
            (None, Some(problem)) => format!("unknown place ({problem})"),
            (None, None) => "unknown place".to_owned(),
        }
    }

    /// The facts as pairs of a name and words.
    #[must_use]
    pub fn facts_in_words(&self) -> Vec<(&'static str, String)> {
        let zone = self.zone.as_ref().map(|zone| format!(", zone {zone}"));
        let region = self.region_in_words() + &zone.unwrap_or_default();
        if self.region.is_none() {
            return vec![("region", region)];
        }
        let country = self.subdivision.as_ref().or(self.country.as_ref());
        let country = country.map_or(NOT_KNOWN, String::as_str);
        let city = self.city.as_ref().map(|city| format!(", {city}"));
        vec![
            ("region", region),
            ("country", format!("{country}{}", city.unwrap_or_default())),
            ("operator", self.operator_in_words()),
            ("certificates", self.certifications_in_words()),
            ("keys held by", self.key_custody.unwrap_or(NOT_KNOWN).to_owned()),
            ("tenancy", self.tenancy.unwrap_or(NOT_KNOWN).to_owned()),
        ]
    }

    fn operator_in_words(&self) -> String {
        let Some(operator) = &self.operator else {
            return NOT_KNOWN.to_owned();
        };
        let list = |countries: &Option<Vec<String>>| {
            countries
                .as_ref()
                .map_or(NOT_KNOWN.to_owned(), |countries| countries.join(" "))
        };
        format!(
            "{} (controlled from: {}; administered from: {})",
            operator.legal_entity.as_deref().unwrap_or(NOT_KNOWN),
            list(&operator.controlled_from),
            list(&operator.admin_access_from),
        )
    }

    fn certifications_in_words(&self) -> String {
        let Some(held) = &self.certifications else {
            return NOT_KNOWN.to_owned();
        };
        let words = held.iter().map(|certification| {
            let level = certification.level.as_deref().unwrap_or("");
            let until = certification.valid_until.as_deref().unwrap_or(NOT_KNOWN);
            format!("{} {level}", certification.scheme).trim_end().to_owned() + &format!(" (until {until})")
        });
        match held.is_empty() {
            true => "none".to_owned(),
            false => words.collect::<Vec<_>>().join(", "),
        }
    }
}
