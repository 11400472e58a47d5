//! `JurisdictionGroup` and the requirements that members and rules share.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::regions::{key_custody, tenancy};
use super::unique;
use crate::policy::definition::{
    Group, Member, PlaceTerm, RequiredCertification, Requirement, inner_groups_first,
};
use crate::policy::document::{Object, Origin};
use crate::policy::finding::Position;
use crate::policy::schema::{GroupSpec, RequiredSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

/// Certifications are for some years: a longer wish is a slip of the pen that nothing meets.
const MOST_DAYS_OF_VALIDITY: u32 = 3_650;

pub(super) fn groups(objects: &[Object<GroupSpec>], reader: &mut Reader) -> Vec<Group> {
    let by_name = unique(objects, "JurisdictionGroup", reader);
    reader.groups = by_name
        .keys()
        .enumerate()
        .map(|(index, name)| (name.clone(), index))
        .collect();
    let groups: Vec<Group> = by_name
        .iter()
        .map(|(name, object)| group(name, object, reader))
        .collect();
    refuse_cycles(&groups, reader);
    groups
}

fn refuse_cycles(groups: &[Group], reader: &mut Reader) {
    let in_order: BTreeSet<usize> = inner_groups_first(groups).into_iter().collect();
    for (index, group) in groups.iter().enumerate() {
        // What is not in the order is in a cycle, or names a group that is.
        if !in_order.contains(&index) && reaches_itself(groups, index) {
            let sentence = format!("the group `{}` is a member of itself", group.name);
            reader.error("L04", group.written_at.clone(), sentence, None);
        }
    }
}

fn group(name: &Arc<str>, object: &Object<GroupSpec>, reader: &mut Reader) -> Group {
    let Object { origin, spec, .. } = object;
    let as_of = reader
        .instant(origin, &spec.as_of, DayBoundary::Start)
        .unwrap_or_default();
    let review_by = reader
        .instant(origin, &spec.review_by, DayBoundary::End)
        .unwrap_or_default();
    let mut members = Vec::new();
    for member in &spec.members {
        let term = match (&member.country, &member.subdivision, &member.group) {
            (Some(country), None, None) => reader.country(origin, country).map(PlaceTerm::Country),
            (None, Some(part), None) => reader.subdivision(origin, part).map(PlaceTerm::Subdivision),
            (None, None, Some(group)) => reader.group(origin, group, &group.value).map(PlaceTerm::Group),
            _ => {
                let sentence =
                    "a member names exactly one of `country`, `subdivision` and `group`".to_owned();
                let named = [&member.country, &member.subdivision, &member.group]
                    .into_iter()
                    .flatten()
                    .next();
                let position = named.map_or_else(|| object.position(), |text| origin.position(text));
                reader.error("L01", position, sentence, None);
                None
            }
        };
        let from = member
            .from
            .as_ref()
            .and_then(|text| reader.instant(origin, text, DayBoundary::Start));
        let until = member
            .until
            .as_ref()
            .and_then(|text| reader.instant(origin, text, DayBoundary::End));
        if let (Some(start), Some(end), Some(text)) = (from, until, &member.until)
            && end <= start
        {
            reader.error(
                "L06",
                origin.position(text),
                "the member ends before it begins".to_owned(),
                None,
            );
        }
        let required = member
            .required
            .as_ref()
            .map(|spec| requirement(origin, spec, object.position(), reader));
        members.extend(term.map(|term| Member {
            term,
            from,
            until,
            required,
        }));
    }
    if members.is_empty() {
        reader.error(
            "L05",
            object.position(),
            format!("the group `{name}` has no member"),
            None,
        );
    }
    Group {
        name: name.clone(),
        members,
        as_of,
        review_by,
        source: spec.source.clone(),
        written_at: object.position(),
    }
}

fn reaches_itself(groups: &[Group], start: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(index) = open.pop() {
        for member in groups.get(index).into_iter().flat_map(|group| &group.members) {
            if let PlaceTerm::Group(inner) = member.term {
                if inner == start {
                    return true;
                }
                if seen.insert(inner) {
                    open.push(inner);
                }
            }
        }
    }
    false
}

pub(super) fn requirement(
    origin: &Origin,
    spec: &RequiredSpec,
    at: Position,
    reader: &mut Reader,
) -> Requirement {
    let operator = spec.operator.as_ref();
    let mut places = |texts: Option<&Vec<Text>>, list: &str| {
        texts.map(|texts| reader.places(origin, texts, list, at.clone()))
    };
    let controlled_from = places(
        operator.and_then(|operator| operator.controlled_from.as_ref()),
        "controlledFrom",
    );
    let admin_access_from = places(
        operator.and_then(|operator| operator.admin_access_from.as_ref()),
        "adminAccessFrom",
    );
    let legal_entity = operator.and_then(|operator| operator.legal_entity.as_ref());
    let read = Requirement {
        controlled_from,
        admin_access_from,
        legal_entity: legal_entity
            .map(|texts| texts.iter().map(|text| Arc::from(text.value.as_str())).collect()),
        certifications: spec.certifications.as_ref().map(|wanted| {
            let wanted = wanted.iter().map(|wanted| RequiredCertification {
                scheme: Arc::from(wanted.scheme.value.as_str()),
                level: wanted.level.as_deref().map(Arc::from),
                valid_at_least_days: wanted.valid_at_least_days,
            });
            wanted.collect()
        }),
        key_custody: spec.key_custody.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| key_custody(origin, text, reader))
                .collect()
        }),
        tenancy: spec.tenancy.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| tenancy(origin, text, reader))
                .collect()
        }),
    };
    let names_something = read.legal_entity.is_some()
        || read.controlled_from.is_some()
        || read.admin_access_from.is_some()
        || read.certifications.is_some()
        || read.key_custody.is_some()
        || read.tenancy.is_some();
    if !names_something {
        reader.error("L01", at.clone(), "`required` requires nothing".to_owned(), None);
    }
    for (list, is_empty) in [
        (
            "legalEntity",
            read.legal_entity.as_ref().is_some_and(Vec::is_empty),
        ),
        (
            "certifications",
            read.certifications.as_ref().is_some_and(Vec::is_empty),
        ),
        ("keyCustody", spec.key_custody.as_ref().is_some_and(Vec::is_empty)),
        ("tenancy", spec.tenancy.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            let sentence = format!("the list `{list}` is empty and nothing meets it");
            reader.error("L05", at.clone(), sentence, Some("leave it out".to_owned()));
        }
    }
    let unfit = |name: &str| name.trim().is_empty() || name.chars().any(char::is_control);
    for entity in legal_entity
        .into_iter()
        .flatten()
        .filter(|entity| unfit(&entity.value))
    {
        let sentence = "the name of a company is one line".to_owned();
        reader.error("L01", origin.position(entity), sentence, None);
    }
    for wanted in spec.certifications.iter().flatten() {
        let scheme = &wanted.scheme;
        let level_is_unfit = wanted.level.as_deref().is_some_and(unfit);
        if unfit(&scheme.value) || level_is_unfit {
            let sentence = "a scheme and its level are one line each".to_owned();
            reader.error("L01", origin.position(scheme), sentence, None);
        }
        if wanted.valid_at_least_days > MOST_DAYS_OF_VALIDITY {
            let sentence = format!(
                "no certification is valid for {} days; at most {MOST_DAYS_OF_VALIDITY} are allowed",
                wanted.valid_at_least_days
            );
            reader.error("L06", origin.position(scheme), sentence, None);
        }
    }
    if operator.is_some_and(|operator| {
        operator.legal_entity.is_none()
            && operator.controlled_from.is_none()
            && operator.admin_access_from.is_none()
    }) && names_something
    {
        reader.error("L01", at, "`operator` requires nothing".to_owned(), None);
    }
    read
}
