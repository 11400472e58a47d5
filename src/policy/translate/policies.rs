//! `PlacementPolicy`: one legal reason, its owner, its rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::blocks::applies_to;
use super::groups::requirement;
use super::unique;
use crate::model::nearest_word;
use crate::policy::definition::{
    Activity, ActivitySet, Demand, ExceptionTerms, LegalBasis, Mode, PathUnknown, PlaceTerm, Policy, Rule,
    TransitDemand,
};
use crate::policy::document::{Object, Origin};
use crate::policy::finding::Position;
use crate::policy::schema::{LegalBasisSpec, PolicySpec, RuleSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

pub(super) fn policies(objects: &[Object<PolicySpec>], reader: &mut Reader) -> Vec<Policy> {
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
    if spec.title.trim().is_empty() {
        reader.error("L01", object.position(), "`title` is empty".to_owned(), None);
    }
    if spec.legal_basis.is_empty() {
        reader.error(
            "L01",
            object.position(),
            "`legalBasis` cites nothing".to_owned(),
            None,
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
    known_team(object, reader);
    Some(Policy {
        name,
        title: spec.title.clone(),
        team: spec.owner.team.value.clone(),
        contact,
        version: spec.version.clone(),
        legal_basis: spec.legal_basis.iter().map(legal_basis).collect(),
        controls: spec.controls.clone(),
        mode: mode?,
        effective_from,
        enforce_from,
        effective_until,
        review_by,
        applies_to,
        rules,
        exceptions: exception_terms(object, reader),
        written_at: object.position(),
    })
}

fn legal_basis(spec: &LegalBasisSpec) -> LegalBasis {
    LegalBasis {
        cite: spec.cite.clone(),
        url: spec.url.clone(),
        note: spec.note.clone(),
    }
}

/// On what terms exceptions may be made; where nobody is named, the team of the owner approves.
fn exception_terms(object: &Object<PolicySpec>, reader: &mut Reader) -> Option<ExceptionTerms> {
    let Object { origin, spec, .. } = object;
    let written = spec.exceptions.as_ref()?;
    let terms = &written.value;
    let at = origin.position(written);
    if !terms.allowed {
        if terms.max_days.is_some() || terms.approvers.is_some() {
            let sentence = "`allowed: false` has no terms".to_owned();
            let fix = "leave `maxDays` and `approvers` out, or write `allowed: true`".to_owned();
            reader.error("L06", at, sentence, Some(fix));
        }
        return None;
    }
    if terms.max_days == Some(0) {
        let sentence = "`maxDays: 0` lets no exception live".to_owned();
        reader.error(
            "L06",
            at.clone(),
            sentence,
            Some("write `allowed: false`".to_owned()),
        );
    }
    let approvers = match &terms.approvers {
        None => vec![spec.owner.team.value.clone()],
        Some(texts) => {
            if texts.is_empty() {
                reader.error("L01", at, "the list `approvers` is empty".to_owned(), None);
            }
            for text in texts {
                known_approver(origin, text, reader);
            }
            texts.iter().map(|text| text.value.clone()).collect()
        }
    };
    Some(ExceptionTerms {
        max_days: terms.max_days,
        approvers,
    })
}

/// An approver is a person, or one of the teams that the settings name.
fn known_approver(origin: &Origin, text: &Text, reader: &mut Reader) {
    if text.value.contains('@') || reader.teams.contains(&text.value) {
        return;
    }
    let near = nearest_word(&text.value, reader.teams.iter().map(String::as_str));
    let fix = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an address, or name the team in the `teams` of the PolicySettings".to_owned(),
    };
    let sentence = format!("unknown team `{}`", text.value);
    reader.error("L03", origin.position(text), sentence, Some(fix));
}

/// Where the settings name teams, the owner is one of them.
fn known_team(object: &Object<PolicySpec>, reader: &mut Reader) {
    let text = &object.spec.owner.team;
    if reader.teams.is_empty() || reader.teams.contains(&text.value) {
        return;
    }
    let near = nearest_word(&text.value, reader.teams.iter().map(String::as_str));
    let fix = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name the team in the `teams` of the PolicySettings".to_owned(),
    };
    let sentence = format!("unknown team `{}`", text.value);
    reader.error("L03", object.origin.position(text), sentence, Some(fix));
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
    // Sentences name rules in the order of names, wherever they stand in the file.
    rules.sort_by(|one, other| one.id.cmp(&other.id));
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
        Some(texts) => activities(origin, texts, at.clone(), reader),
    };
    let demand = demand(origin, rule, at, reader)?;
    Some(Rule {
        id: Arc::from(rule.id.value.as_str()),
        activities,
        demand,
        written_at: origin.position(&rule.id),
    })
}

/// Reads a list of activities that must have a member.
pub(super) fn activities(origin: &Origin, texts: &[Text], at: Position, reader: &mut Reader) -> ActivitySet {
    if texts.is_empty() {
        reader.error("L01", at, "the list `activities` is empty".to_owned(), None);
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

/// The one demand of a rule.
fn demand(origin: &Origin, rule: &RuleSpec, at: Position, reader: &mut Reader) -> Option<Demand> {
    let mut found = Vec::new();
    let mut places = |texts: &[Text], list: &str, make: fn(Vec<PlaceTerm>) -> Demand| {
        found.push(make(reader.places(origin, texts, list, at.clone())));
    };
    if let Some(texts) = &rule.allowed {
        places(texts, "allowed", Demand::Allowed);
    }
    if let Some(texts) = &rule.denied {
        places(texts, "denied", Demand::Denied);
    }
    if let Some(writes) = &rule.writes {
        places(
            &writes.primary_must_be_in,
            "primaryMustBeIn",
            Demand::PrimaryMustBeIn,
        );
    }
    if let Some(reads) = &rule.reads {
        places(&reads.from_replica_in, "fromReplicaIn", Demand::FromReplicaIn);
    }
    if let Some(replica) = &rule.replica {
        if let Some(texts) = &replica.none_outside {
            places(texts, "noneOutside", Demand::NoReplicaOutside);
        }
        if let Some(texts) = &replica.must_exist_in {
            places(texts, "mustExistIn", Demand::ReplicaMustExistIn);
        }
    }
    if let Some(transit) = &rule.transit {
        let forbid = reader.places(origin, &transit.forbid, "forbid", at.clone());
        let words = PathUnknown::ALL.map(PathUnknown::word);
        let when_path_unknown = &transit.when_path_unknown;
        let when_path_unknown = reader.word(origin, when_path_unknown, "answer", &words, |word| {
            let mut all = PathUnknown::ALL.into_iter();
            all.find(|answer| answer.word() == word)
        });
        // What could not be read is told already; the rule still counts as the one demand.
        found.push(Demand::Transit(TransitDemand {
            forbid,
            when_path_unknown: when_path_unknown.unwrap_or(PathUnknown::Deny),
        }));
    }
    if let Some(required) = &rule.required {
        found.push(Demand::Required(requirement(
            origin,
            required,
            at.clone(),
            reader,
        )));
    }
    if found.len() != 1 {
        let sentence = "a rule has exactly one of `allowed`, `denied`, `required`, `writes`, `reads`, `replica` \
                        and `transit`, and `replica` one of `noneOutside` and `mustExistIn`";
        let fix = "write one rule for each".to_owned();
        reader.error("L01", at, sentence.to_owned(), Some(fix));
        return None;
    }
    found.pop()
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
