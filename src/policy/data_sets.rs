//! Data sets, as their files declare them.
//!
//! A data set may name a jurisdiction group among its subjects. Whether such a group exists is known only
//! where the data set stands among the policies; elsewhere a group that does not exist makes the subject
//! unknown.

mod access;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Object, Objects, Origin};
use super::finding::{Finding, Position};
use super::schema::{DataSetSpec, OwnerOrText, ReplicaSpec, Text};
use super::translate::data_set_name;
use super::words::Reader;
use crate::model::{
    Category, Consistency, DataProfile, DataSet, DataSetName, Dimension, Locality, Members, NamespaceName,
    RegionReference, Replica, ReplicaRole, SubjectTerm,
};

/// Data sets, and where each is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenDataSets {
    /// The data sets.
    pub data_sets: BTreeMap<DataSetName, DataSet>,
    /// Where their names stand.
    pub written_at: BTreeMap<DataSetName, Position>,
}

/// Reads data sets from files that hold nothing else.
///
/// # Errors
/// All findings, where there is one.
pub fn read_data_sets<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<BTreeMap<DataSetName, DataSet>, Vec<Finding>> {
    read_written_data_sets(files).map(|read| read.data_sets)
}

/// The same, for whoever goes on to tell what is wrong with them.
///
/// # Errors
/// All findings, where there is one.
pub fn read_written_data_sets<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<WrittenDataSets, Vec<Finding>> {
    let (objects, findings) = super::document::read(files.clone());
    let mut reader = Reader {
        findings,
        ..Reader::default()
    };
    reader.sources = files
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    refuse_others(&objects, &mut reader);
    let data_sets = translate_data_sets(&objects.data_sets, &mut reader);
    reader.findings.sort();
    if !reader.findings.is_empty() {
        return Err(reader.findings);
    }
    Ok(WrittenDataSets {
        written_at: written_at(&objects.data_sets),
        data_sets,
    })
}

/// Where the names of data sets stand.
pub fn written_at(objects: &[Object<DataSetSpec>]) -> BTreeMap<DataSetName, Position> {
    let positions = objects.iter().filter_map(|object| {
        let name = DataSetName::new(&object.name.value).ok()?;
        Some((name, object.position()))
    });
    positions.collect()
}

fn refuse_others(objects: &Objects, reader: &mut Reader) {
    let positions = (objects.settings.iter().map(Object::position))
        .chain(objects.regions.iter().map(Object::position))
        .chain(objects.groups.iter().map(Object::position))
        .chain(objects.links.iter().map(Object::position))
        .chain(objects.policies.iter().map(Object::position))
        .chain(objects.exceptions.iter().map(Object::position))
        .chain(objects.guarantees.iter().map(Object::position))
        .chain(objects.tests.iter().map(Object::position));
    let positions: Vec<_> = positions.collect();
    for position in positions {
        let sentence = "only `DataSet` objects are read from here".to_owned();
        reader.error(
            "L01",
            position,
            sentence,
            Some("move the object to the folder of policies".to_owned()),
        );
    }
}

/// Reads data sets beside policies, or alone.
pub fn translate_data_sets(
    objects: &[Object<DataSetSpec>],
    reader: &mut Reader,
) -> BTreeMap<DataSetName, DataSet> {
    let mut data_sets: BTreeMap<DataSetName, DataSet> = BTreeMap::new();
    for object in objects {
        let Some(data_set) = data_set(object, reader) else {
            continue;
        };
        if data_sets.contains_key(&data_set.name) {
            let sentence = format!("a second DataSet is called `{}`", data_set.name);
            reader.error("L04", object.position(), sentence, None);
            continue;
        }
        data_sets.insert(data_set.name.clone(), data_set);
    }
    data_sets
}

fn data_set(object: &Object<DataSetSpec>, reader: &mut Reader) -> Option<DataSet> {
    let Object { origin, name, spec } = object;
    let name = data_set_name(origin, name, reader)?;
    let classification = reader.classification(origin, &spec.profile.classification);
    let categories = categories(object, reader);
    let subjects = subjects(object, reader);
    let consistency = reader.word(
        origin,
        &spec.consistency,
        "consistency",
        &["strict", "available"],
        |word| match word {
            "strict" => Some(Consistency::Strict),
            "available" => Some(Consistency::Available),
            _ => None,
        },
    );
    let access = access::access(object, reader);
    let replicas = spec
        .replicas
        .iter()
        .filter_map(|replica| self::replica(object, replica, reader))
        .collect();
    let owner = spec.owner.as_ref().map(|owner| match owner {
        OwnerOrText::Text(name) => name.clone(),
        OwnerOrText::Owner(owner) => format!("{} ({})", owner.team.value, owner.contact.value),
    });
    let profile = DataProfile {
        classification: classification?,
        categories,
        subjects,
    };
    Some(DataSet {
        name,
        profile,
        consistency: consistency?,
        access: access?,
        replicas,
        members: members(object, reader),
        owner,
    })
}

fn categories(object: &Object<DataSetSpec>, reader: &mut Reader) -> Vec<Dimension<Category>> {
    let texts = &object.spec.profile.categories;
    let read: Vec<Dimension<Category>> = texts
        .iter()
        .filter_map(|text| reader.category(&object.origin, text))
        .map(|category| category.map_or(Dimension::None, Dimension::Is))
        .collect();
    alone(&object.origin, object.position(), texts, "categories", reader);
    read
}

fn subjects(object: &Object<DataSetSpec>, reader: &mut Reader) -> Vec<SubjectTerm> {
    use crate::model::Subject;
    let texts = &object.spec.profile.subjects;
    let mut read = Vec::new();
    for text in texts {
        let word = text.value.as_str();
        if word == "none" {
            read.push(SubjectTerm::None);
        } else if let Some(group) = word.strip_prefix("group/") {
            if reader.knows_groups {
                reader.group(&object.origin, text, group);
            }
            read.push(SubjectTerm::Group(Arc::from(group)));
        } else if word.contains('-') {
            let part = reader.subdivision(&object.origin, text);
            read.extend(part.map(|part| SubjectTerm::Of(Subject::Subdivision(part))));
        } else {
            let country = reader.country(&object.origin, text);
            read.extend(country.map(|country| SubjectTerm::Of(Subject::Country(country))));
        }
    }
    alone(&object.origin, object.position(), texts, "subjects", reader);
    read
}

/// A list has a member, and `none` stands alone.
pub(super) fn alone(origin: &Origin, at: Position, texts: &[Text], list: &str, reader: &mut Reader) {
    if texts.is_empty() {
        let fix = "write `none` where there are none".to_owned();
        reader.error("L01", at, format!("the list `{list}` is empty"), Some(fix));
    }
    if let Some(none) = texts
        .iter()
        .find(|text| text.value == "none")
        .filter(|_| texts.len() > 1)
    {
        let sentence = format!("`none` stands beside other {list}");
        reader.error("L06", origin.position(none), sentence, None);
    }
}

fn replica(object: &Object<DataSetSpec>, spec: &ReplicaSpec, reader: &mut Reader) -> Option<Replica> {
    let origin = &object.origin;
    let role = replica_role(origin, &spec.role, reader);
    let region = RegionReference::parse(&spec.region.value)
        .map_err(|problem| reader.error("L03", origin.position(&spec.region), problem.to_string(), None))
        .ok();
    let locality = Locality {
        cluster: spec.cluster.as_deref().map(Arc::from),
        region: Some(region?),
        zone: spec.zone.as_deref().map(Arc::from),
    };
    Some(Replica::declared(locality, role?))
}

/// Reads the word of a role.
pub(super) fn replica_role(origin: &Origin, word: &Text, reader: &mut Reader) -> Option<ReplicaRole> {
    let roles = [
        ReplicaRole::Leader,
        ReplicaRole::Voter,
        ReplicaRole::ReadOnly,
        ReplicaRole::Witness,
    ];
    reader.word(origin, word, "role", &roles.map(ReplicaRole::word), |word| {
        roles.into_iter().find(|role| role.word() == word)
    })
}

fn members(object: &Object<DataSetSpec>, reader: &mut Reader) -> Members {
    let Some(spec) = &object.spec.members else {
        return Members::default();
    };
    let namespaces = spec.namespaces.iter().filter_map(|text| {
        let name = NamespaceName::new(&text.value);
        name.map_err(|problem| reader.error("L01", object.origin.position(text), problem.to_string(), None))
            .ok()
    });
    Members {
        namespaces: Some(namespaces.collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_another_kind_is_never_ignored() {
        let of_kind = |kind: &str, spec: &str| {
            format!("apiVersion: domicile.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {spec}\n")
        };
        let exception = "{relaxes: {policy: p, rule: r}, category: waiver, reason: x, requestedBy: a, approvedBy: b, \
                         ticket: t, notBefore: \"2026-01-01\", expires: \"2026-02-01\", \
                         scope: {namespace: n, locations: [\"DE\"], data: {categories: [health]}}}";
        let guarantee = "{says: x, never: {data: {categories: [health]}, activities: [process], location: {in: [\"US\"]}}}";
        let test = "{at: \"2026-01-01\", cases: [{name: x, data: none, region: unknown, expect: allow}]}";
        let link = "{from: a/b, to: a/c, countries: [], provider: x, asOf: \"2026-01-01\"}";
        for (kind, spec) in [
            ("PlacementException", exception),
            ("Guarantee", guarantee),
            ("PolicyTest", test),
            ("NetworkLink", link),
        ] {
            let findings = read_data_sets([("a.yaml", of_kind(kind, spec).as_str())]).expect_err(kind);
            let sentences: Vec<&str> = findings.iter().map(|finding| &*finding.sentence).collect();
            assert_eq!(sentences, ["only `DataSet` objects are read from here"], "{kind}");
        }
    }
}
