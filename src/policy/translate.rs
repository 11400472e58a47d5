//! From what is written to what is meant: every word checked, every reference resolved.
//!
//! Inputs: [`Objects`]. Outputs: [`Definitions`], a [`Catalogue`], data sets, and findings. Invariant:
//! where a finding of level error exists the outcome is not used; all errors are found in one run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::definition::{
    Activity, ActivitySet, Block, DataSelector, Definitions, Demand, Group, Member, Mode, PlaceTerm, Policy,
    RequiredCertification, Requirement, Rule, Settings, Unlabelled,
};
use super::document::{Object, Objects, Origin};
use super::finding::Position;
use super::schema::{
    self, BlockSpec, DataSelectorSpec, GroupSpec, PolicySpec, RegionKeySetting, RegionSpec, RequiredSpec,
    RuleSpec, SettingsSpec, Text,
};
use super::words::{DayBoundary, Reader};
use crate::model::{
    Certification, Coordinates, DataSetName, KeyCustody, NamespaceName, Operator, Region, RegionKey, Tenancy,
    ZoneFacts,
};

/// Translates everything but data sets.
pub fn translate(objects: &Objects, reader: &mut Reader) -> (Option<Definitions>, Catalogue) {
    let regions = regions(&objects.regions, reader);
    let groups = groups(&objects.groups, reader);
    let policies = policies(&objects.policies, reader);
    let settings = settings(&objects.settings, reader);
    let definitions = settings.map(|settings| Definitions {
        settings,
        groups,
        policies,
    });
    (definitions, Catalogue::new(regions))
}

/// Keeps the first object of each name, in the order of names.
fn unique<'a, S>(
    objects: &'a [Object<S>],
    kind: &str,
    reader: &mut Reader,
) -> BTreeMap<Arc<str>, &'a Object<S>> {
    let mut by_name: BTreeMap<Arc<str>, &Object<S>> = BTreeMap::new();
    for object in objects {
        let name: Arc<str> = Arc::from(object.name.value.as_str());
        let well_formed = !name.is_empty()
            && name.len() <= 253
            && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',' || c == '`');
        if !well_formed {
            reader.error(
                "L01",
                object.position(),
                format!("`{}` is not a name", name.escape_default()),
                None,
            );
            continue;
        }
        match by_name.get(&name) {
            Some(first) => {
                let Position { file, line, .. } = first.position();
                let sentence = format!("a second {kind} is called `{name}`; the first is at {file}:{line}");
                reader.error("L04", object.position(), sentence, None);
            }
            None => {
                by_name.insert(name, object);
            }
        }
    }
    by_name
}

fn settings(objects: &[Object<SettingsSpec>], reader: &mut Reader) -> Option<Settings> {
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

fn regions(objects: &[Object<RegionSpec>], reader: &mut Reader) -> BTreeMap<RegionKey, Region> {
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
    let country = reader.country(origin, &spec.country);
    let subdivision = spec
        .subdivision
        .as_ref()
        .and_then(|text| reader.subdivision(origin, text));
    if let (Some(country), Some(subdivision), Some(text)) = (country, &subdivision, &spec.subdivision)
        && subdivision.country() != country
    {
        reader.error(
            "L06",
            origin.position(text),
            format!("`{subdivision}` is not a part of `{country}`"),
            None,
        );
    }
    let coordinates = spec.coordinates.as_ref().and_then(|written| {
        Coordinates::new(written.value.latitude, written.value.longitude)
            .map_err(|problem| reader.error("L01", origin.position(written), problem.to_string(), None))
            .ok()
    });
    reader.instant(origin, &spec.source.as_of, DayBoundary::Start);
    let facts = ZoneFacts {
        operator: operator(origin, spec.operator.as_ref(), reader),
        certifications: certifications(origin, spec.certifications.as_deref(), reader),
        key_custody: spec
            .key_custody
            .as_ref()
            .and_then(|text| key_custody(origin, text, reader)),
        tenancy: spec
            .tenancy
            .as_ref()
            .and_then(|text| tenancy(origin, text, reader)),
    };
    let mut zones = BTreeMap::new();
    for (zone, own) in &spec.zones {
        let own = ZoneFacts {
            operator: operator(origin, own.operator.as_ref(), reader),
            certifications: certifications(origin, own.certifications.as_deref(), reader),
            key_custody: own
                .key_custody
                .as_ref()
                .and_then(|text| key_custody(origin, text, reader)),
            tenancy: own
                .tenancy
                .as_ref()
                .and_then(|text| tenancy(origin, text, reader)),
        };
        zones.insert(Arc::from(zone.as_str()), own);
    }
    let city = spec.city.as_deref().map(Arc::from);
    Some(Region {
        key,
        country: country?,
        subdivision,
        city,
        coordinates,
        facts,
        zones,
    })
}

fn operator(origin: &Origin, spec: Option<&schema::OperatorSpec>, reader: &mut Reader) -> Option<Operator> {
    let spec = spec?;
    let mut countries = |texts: &Option<Vec<Text>>| {
        texts.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| reader.country(origin, text))
                .collect()
        })
    };
    Some(Operator {
        controlled_from: countries(&spec.controlled_from),
        admin_access_from: countries(&spec.admin_access_from),
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

fn key_custody(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<KeyCustody> {
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

fn tenancy(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<Tenancy> {
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

fn groups(objects: &[Object<GroupSpec>], reader: &mut Reader) -> Vec<Group> {
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
    for (index, object) in by_name.values().enumerate() {
        if reaches_itself(&groups, index) {
            let sentence = format!("the group `{}` is a member of itself", object.name.value);
            reader.error("L04", object.position(), sentence, None);
        }
    }
    groups
}

fn group(name: &Arc<str>, object: &Object<GroupSpec>, reader: &mut Reader) -> Group {
    let Object { origin, spec, .. } = object;
    reader.instant(origin, &spec.as_of, DayBoundary::Start);
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
        review_by,
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

fn requirement(origin: &Origin, spec: &RequiredSpec, at: Position, reader: &mut Reader) -> Requirement {
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
        reader.error("L01", at, "`required` requires nothing".to_owned(), None);
    }
    read
}

fn policies(objects: &[Object<PolicySpec>], reader: &mut Reader) -> Vec<Policy> {
    let by_name = unique(objects, "PlacementPolicy", reader);
    by_name
        .into_iter()
        .filter_map(|(name, object)| policy(name, object, reader))
        .collect()
}

fn policy(name: Arc<str>, object: &Object<PolicySpec>, reader: &mut Reader) -> Option<Policy> {
    let Object { origin, spec, .. } = object;
    let mode = reader.word(
        origin,
        &spec.mode,
        "mode",
        &["enforce", "warn", "audit"],
        |word| {
            [Mode::Enforce, Mode::Warn, Mode::Audit]
                .into_iter()
                .find(|mode| mode.word() == word)
        },
    );
    if spec.legal_basis.is_empty() {
        reader.error(
            "L01",
            object.position(),
            "`legalBasis` cites nothing".to_owned(),
            None,
        );
    }
    if let Some(exceptions) = spec
        .exceptions
        .as_ref()
        .filter(|exceptions| exceptions.value.allowed)
    {
        let sentence = "exceptions are not supported by this version".to_owned();
        reader.error(
            "L01",
            origin.position(exceptions),
            sentence,
            Some("write `allowed: false`".to_owned()),
        );
    }
    let effective = spec.effective.as_ref();
    let mut date =
        |text: Option<&Text>, boundary| text.and_then(|text| reader.instant(origin, text, boundary));
    let effective_from = date(
        effective.and_then(|effective| effective.from.as_ref()),
        DayBoundary::Start,
    );
    let effective_until = date(
        effective.and_then(|effective| effective.until.as_ref()),
        DayBoundary::End,
    );
    let review_by = date(
        effective.and_then(|effective| effective.review_by.as_ref()),
        DayBoundary::End,
    );
    let enforce_from = date(spec.enforce_from.as_ref(), DayBoundary::Start);
    let applies_to = applies_to(object, reader);
    let rules = rules(object, reader);
    let contact = contact(object, reader);
    Some(Policy {
        name,
        title: spec.title.clone(),
        team: spec.owner.team.clone(),
        contact,
        legal_basis: spec.legal_basis.iter().map(|basis| basis.cite.clone()).collect(),
        mode: mode?,
        effective_from,
        enforce_from,
        effective_until,
        review_by,
        applies_to,
        rules,
    })
}

/// The contact goes into the sentence of a refusal, which kube-scheduler joins with others by ", ".
fn contact(object: &Object<PolicySpec>, reader: &mut Reader) -> Arc<str> {
    let text = &object.spec.owner.contact;
    let unfit = text.value.trim().is_empty()
        || text.value.contains([',', '\n'])
        || text.value.chars().any(char::is_control);
    if unfit {
        let sentence = "a contact is one line without a comma".to_owned();
        reader.error("L01", object.origin.position(text), sentence, None);
    }
    Arc::from(text.value.as_str())
}

fn applies_to(object: &Object<PolicySpec>, reader: &mut Reader) -> Vec<Block> {
    let Object { origin, spec, .. } = object;
    let written = &spec.applies_to;
    let own = &written.value;
    let names_itself = own.data.is_some()
        || own.namespaces.is_some()
        || own.storage_classes.is_some()
        || own.data_sets.is_some();
    let at = origin.position(written);
    let Some(blocks) = &own.any_of else {
        let selectors = (&own.data, &own.namespaces, &own.storage_classes, &own.data_sets);
        return vec![block(origin, selectors, at, reader)];
    };
    if names_itself {
        let sentence = "`appliesTo` is one block or `anyOf`, not both".to_owned();
        reader.error(
            "L01",
            at.clone(),
            sentence,
            Some("move the block into `anyOf`".to_owned()),
        );
    }
    if blocks.is_empty() {
        reader.error("L01", at, "`anyOf` has no block".to_owned(), None);
    }
    blocks
        .iter()
        .map(|written| {
            let BlockSpec {
                data,
                namespaces,
                storage_classes,
                data_sets,
            } = &written.value;
            block(
                origin,
                (data, namespaces, storage_classes, data_sets),
                origin.position(written),
                reader,
            )
        })
        .collect()
}

type Selectors<'a> = (
    &'a Option<DataSelectorSpec>,
    &'a Option<schema::NamespaceSelectorSpec>,
    &'a Option<Vec<Text>>,
    &'a Option<Vec<Text>>,
);

fn block(
    origin: &Origin,
    (data, namespaces, storage_classes, data_sets): Selectors<'_>,
    at: Position,
    reader: &mut Reader,
) -> Block {
    if data.is_none() && namespaces.is_none() && storage_classes.is_none() && data_sets.is_none() {
        let fix = "name `data`, `namespaces`, `storageClasses` or `dataSets`".to_owned();
        reader.error(
            "L01",
            at.clone(),
            "a block of `appliesTo` selects nothing".to_owned(),
            Some(fix),
        );
    }
    for (list, name) in [(storage_classes, "storageClasses"), (data_sets, "dataSets")] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            reader.error("L01", at.clone(), format!("the list `{name}` is empty"), None);
        }
    }
    let namespace_labels = namespaces.as_ref().map(|selector| {
        if selector.match_labels.is_empty() {
            reader.error("L01", at.clone(), "`matchLabels` names no label".to_owned(), None);
        }
        let labels = selector.match_labels.iter();
        labels
            .map(|(key, value)| (Arc::from(key.as_str()), Arc::from(value.as_str())))
            .collect()
    });
    Block {
        data: data
            .as_ref()
            .map(|selector| data_selector(origin, selector, &at, reader)),
        namespace_labels,
        storage_classes: storage_classes
            .as_ref()
            .map(|texts| texts.iter().map(|text| Arc::from(text.value.as_str())).collect()),
        data_sets: data_sets.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| data_set_name(origin, text, reader))
                .collect()
        }),
    }
}

/// Checks the name of a data set.
pub fn data_set_name(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<DataSetName> {
    DataSetName::new(&text.value)
        .map_err(|problem| reader.error("L01", origin.position(text), problem.to_string(), None))
        .ok()
}

fn data_selector(
    origin: &Origin,
    spec: &DataSelectorSpec,
    at: &Position,
    reader: &mut Reader,
) -> DataSelector {
    if spec.classification.is_none() && spec.categories.is_none() && spec.subjects.is_none() {
        reader.error("L01", at.clone(), "`data` selects nothing".to_owned(), None);
    }
    for (list, name) in [(&spec.categories, "categories"), (&spec.subjects, "subjects")] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            reader.error("L01", at.clone(), format!("the list `{name}` is empty"), None);
        }
    }
    DataSelector {
        at_least: spec
            .classification
            .as_ref()
            .and_then(|spec| reader.classification(origin, &spec.at_least)),
        categories: spec.categories.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| reader.category(origin, text))
                .collect()
        }),
        subjects: spec.subjects.as_ref().map(|texts| {
            texts
                .iter()
                .filter_map(|text| reader.subject(origin, text))
                .collect()
        }),
    }
}

fn rules(object: &Object<PolicySpec>, reader: &mut Reader) -> Vec<Rule> {
    let Object { origin, spec, .. } = object;
    let at = origin.position(&spec.rules);
    if spec.rules.value.is_empty() {
        reader.error("L01", at, "a policy has at least one rule".to_owned(), None);
    }
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for rule in &spec.rules.value {
        if !seen.insert(rule.id.value.as_str()) {
            let sentence = format!("a second rule is called `{}`", rule.id.value);
            reader.error("L04", origin.position(&rule.id), sentence, None);
        }
        rules.extend(read_rule(origin, rule, reader));
    }
    two_allowed_lists(object, &rules, reader);
    rules
}

fn read_rule(origin: &Origin, rule: &RuleSpec, reader: &mut Reader) -> Option<Rule> {
    let at = origin.position(&rule.id);
    let well_formed = !rule.id.value.is_empty()
        && rule
            .id
            .value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !well_formed {
        let sentence = format!("`{}` is not a rule id", rule.id.value.escape_default());
        let fix = "use letters, digits, hyphens, dots and underscores".to_owned();
        reader.error("L01", at.clone(), sentence, Some(fix));
    }
    let activities = match &rule.activities {
        None => ActivitySet::default()
            .with(Activity::Process)
            .with(Activity::Store),
        Some(texts) => {
            if texts.is_empty() {
                reader.error(
                    "L01",
                    at.clone(),
                    "the list `activities` is empty".to_owned(),
                    None,
                );
            }
            let known = Activity::ALL.map(Activity::word);
            let mut activities = ActivitySet::default();
            for text in texts {
                let found = reader.word(origin, text, "activity", &known, |word| {
                    Activity::ALL.into_iter().find(|activity| activity.word() == word)
                });
                activities = found.map_or(activities, |activity| activities.with(activity));
            }
            activities
        }
    };
    let demand = match (&rule.allowed, &rule.denied, &rule.required) {
        (Some(places), None, None) => Demand::Allowed(reader.places(origin, places, "allowed", at)),
        (None, Some(places), None) => Demand::Denied(reader.places(origin, places, "denied", at)),
        (None, None, Some(required)) => Demand::Required(requirement(origin, required, at, reader)),
        _ => {
            let sentence = "a rule has exactly one of `allowed`, `denied` and `required`".to_owned();
            reader.error("L01", at, sentence, Some("write one rule for each".to_owned()));
            return None;
        }
    };
    Some(Rule {
        id: Arc::from(rule.id.value.as_str()),
        activities,
        demand,
    })
}

/// Two lists of one policy intersect, which nobody reads out of them.
fn two_allowed_lists(object: &Object<PolicySpec>, rules: &[Rule], reader: &mut Reader) {
    for activity in Activity::ALL {
        let lists = rules
            .iter()
            .filter(|rule| rule.activities.contains(activity) && matches!(rule.demand, Demand::Allowed(_)));
        if lists.count() > 1 {
            let sentence = format!(
                "two `allowed` rules speak of `{}` and only their intersection counts",
                activity.word()
            );
            reader.error(
                "L06",
                object.position(),
                sentence,
                Some("write one list".to_owned()),
            );
            return;
        }
    }
}
