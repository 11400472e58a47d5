//! `Region`: the facts of a place. What is absent is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::unique;
use crate::model::{
    Certification, Coordinates, Country, KeyCustody, Operator, Region, RegionKey, Subdivision, Tenancy,
    ZoneFacts,
};
use crate::policy::document::{Object, Origin};
use crate::policy::schema::{self, RegionSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

pub(super) fn regions(objects: &[Object<RegionSpec>], reader: &mut Reader) -> BTreeMap<RegionKey, Region> {
    let mut regions = BTreeMap::new();
    for object in unique(objects, "Region", reader).into_values() {
        if let Some(region) = region(object, reader) {
            regions.insert(region.key.clone(), region);
        }
    }
    regions
}

fn region(object: &Object<RegionSpec>, reader: &mut Reader) -> Option<Region> {
    let Object { origin, name, spec } = object;
    let key = match RegionKey::new(&spec.provider.value, &spec.region.value) {
        Ok(key) => key,
        Err(problem) => {
            reader.error("L03", origin.position(&spec.region), problem.to_string(), None);
            return None;
        }
    };
    let expected = format!("{}.{}", key.provider(), key.region());
    if name.value != expected {
        let sentence = format!("the region `{key}` is named `{}`", name.value);
        reader.error(
            "L04",
            object.position(),
            sentence,
            Some(format!("write `name: {expected}`")),
        );
    }
    let (country, subdivision) = country(origin, &spec.country, spec.subdivision.as_ref(), reader);
    let coordinates = spec.coordinates.as_ref().and_then(|written| {
        Coordinates::new(written.value.latitude, written.value.longitude)
            .map_err(|problem| reader.error("L01", origin.position(written), problem.to_string(), None))
            .ok()
    });
    let as_of = reader.instant(origin, &spec.source.as_of, DayBoundary::Start);
    let facts = facts(
        origin,
        (
            &spec.operator,
            &spec.certifications,
            &spec.key_custody,
            &spec.tenancy,
        ),
        reader,
    );
    let mut zones = BTreeMap::new();
    for (zone, own) in &spec.zones {
        let written = (&own.operator, &own.certifications, &own.key_custody, &own.tenancy);
        zones.insert(Arc::from(zone.as_str()), self::facts(origin, written, reader));
    }
    let city = spec.city.as_deref().map(Arc::from);
    Some(Region {
        key,
        country: country?,
        subdivision,
        city,
        coordinates,
        as_of: as_of?,
        facts,
        zones,
    })
}

/// A country and the part of it.
pub(super) fn country(
    origin: &Origin,
    country: &Text,
    subdivision: Option<&Text>,
    reader: &mut Reader,
) -> (Option<Country>, Option<Subdivision>) {
    let country = reader.country(origin, country);
    let part = subdivision.and_then(|text| reader.subdivision(origin, text));
    if let (Some(country), Some(part), Some(text)) = (country, &part, subdivision)
        && part.country() != country
    {
        let sentence = format!("`{part}` is not a part of `{country}`");
        reader.error("L06", origin.position(text), sentence, None);
    }
    (country, part)
}

/// The facts that a region states and that each of its zones may state otherwise.
pub(super) type WrittenFacts<'a> = (
    &'a Option<schema::OperatorSpec>,
    &'a Option<Vec<schema::CertificationSpec>>,
    &'a Option<Text>,
    &'a Option<Text>,
);

pub(super) fn facts(
    origin: &Origin,
    (operator, certifications, key_custody, tenancy): WrittenFacts<'_>,
    reader: &mut Reader,
) -> ZoneFacts {
    ZoneFacts {
        operator: self::operator(origin, operator.as_ref(), reader),
        certifications: self::certifications(origin, certifications.as_deref(), reader),
        key_custody: key_custody
            .as_ref()
            .and_then(|text| self::key_custody(origin, text, reader)),
        tenancy: tenancy
            .as_ref()
            .and_then(|text| self::tenancy(origin, text, reader)),
    }
}

fn operator(origin: &Origin, spec: Option<&schema::OperatorSpec>, reader: &mut Reader) -> Option<Operator> {
    let spec = spec?;
    let mut countries = |texts: &Option<Spanned<Vec<Text>>>, list: &str| {
        let texts = texts.as_ref()?;
        if texts.value.is_empty() {
            let sentence = format!("the list `{list}` is empty");
            let fix = "leave it out where the countries are not known".to_owned();
            reader.error("L01", origin.position(texts), sentence, Some(fix));
        }
        let texts = texts.value.iter();
        Some(texts.filter_map(|text| reader.country(origin, text)).collect())
    };
    Some(Operator {
        controlled_from: countries(&spec.controlled_from, "controlledFrom"),
        admin_access_from: countries(&spec.admin_access_from, "adminAccessFrom"),
        legal_entity: spec.legal_entity.as_deref().map(Arc::from),
    })
}

fn certifications(
    origin: &Origin,
    specs: Option<&[schema::CertificationSpec]>,
    reader: &mut Reader,
) -> Option<Vec<Certification>> {
    let held = specs?.iter().map(|spec| Certification {
        scheme: Arc::from(spec.scheme.value.as_str()),
        level: spec.level.as_deref().map(Arc::from),
        valid_until: spec
            .valid_until
            .as_ref()
            .and_then(|text| reader.instant(origin, text, DayBoundary::End)),
    });
    Some(held.collect())
}

pub(super) fn key_custody(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<KeyCustody> {
    reader.word(
        origin,
        text,
        "key custody",
        &["provider", "customer", "external"],
        |word| match word {
            "provider" => Some(KeyCustody::Provider),
            "customer" => Some(KeyCustody::Customer),
            "external" => Some(KeyCustody::External),
            _ => None,
        },
    )
}

pub(super) fn tenancy(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<Tenancy> {
    reader.word(
        origin,
        text,
        "tenancy",
        &["shared", "dedicated"],
        |word| match word {
            "shared" => Some(Tenancy::Shared),
            "dedicated" => Some(Tenancy::Dedicated),
            _ => None,
        },
    )
}
