//! `PlacementException`: what it lifts must exist and allow it, and who approves is not who asks.
//!
//! What time alone decides (an exception that is over) is no error here: a set that was good stays good.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::blocks::data_selector;
use super::{references, unique};
use crate::model::{NamespaceName, nearest_word};
use crate::policy::definition::{
    Demand, Exception, ExceptionCategory, ExceptionTerms, Policy, RuleIndex, Workload,
};
use crate::policy::document::{Object, Origin};
use crate::policy::schema::{ExceptionSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

/// What exceptions are checked against.
pub(super) struct Grounds<'a> {
    /// The policies, as far as they could be read.
    pub policies: &'a [Policy],
    /// Who belongs to which team.
    pub teams: &'a BTreeMap<String, Vec<String>>,
    /// Whether some object could not be read, which may be the one that is missing.
    pub incomplete: bool,
}

pub(super) fn exceptions(
    objects: &[Object<ExceptionSpec>],
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Vec<Exception> {
    let by_name = unique(objects, "PlacementException", reader);
    by_name
        .into_iter()
        .filter_map(|(name, object)| exception(name, object, grounds, reader))
        .collect()
}

fn exception(
    name: Arc<str>,
    object: &Object<ExceptionSpec>,
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) -> Option<Exception> {
    let Object { origin, spec, .. } = object;
    let (policy_name, rule_id) = (&spec.relaxes.policy, &spec.relaxes.rule);
    let relaxes = references::rule(
        (&policy_name.value, origin.position(policy_name)),
        (&rule_id.value, origin.position(rule_id)),
        (grounds.policies, grounds.incomplete),
        reader,
    );
    let namespace = NamespaceName::new(&spec.scope.namespace.value)
        .map_err(|problem| {
            let at = origin.position(&spec.scope.namespace);
            reader.error("L01", at, problem.to_string(), None);
        })
        .ok();
    let workload = spec.scope.workload.as_ref();
    let workload = workload.map(|text| workload_of(origin, text, reader));
    let at = object.position();
    let locations = reader.places(origin, &spec.scope.locations, "locations", at.clone());
    let data = data_selector(origin, &spec.scope.data, &at, reader);
    let words = ExceptionCategory::ALL.map(ExceptionCategory::word);
    let category = reader.word(origin, &spec.category, "category of exceptions", &words, |word| {
        let mut all = ExceptionCategory::ALL.into_iter();
        all.find(|category| category.word() == word)
    });
    for (text, field) in [
        (&spec.reason, "reason"),
        (&spec.requested_by, "requestedBy"),
        (&spec.approved_by, "approvedBy"),
        (&spec.ticket, "ticket"),
    ] {
        if text.value.trim().is_empty() {
            let sentence = format!("`{field}` is empty");
            reader.error("L10", origin.position(text), sentence, None);
        }
    }
    let not_before = reader.instant(origin, &spec.not_before, DayBoundary::Start);
    // An exception ends where its date begins: a day that is named is not part of it.
    let expires = reader.instant(origin, &spec.expires, DayBoundary::Start);
    let (not_before, expires) = (not_before?, expires?);
    if expires <= not_before {
        let sentence = "the exception expires before it begins".to_owned();
        reader.error("L10", origin.position(&spec.expires), sentence, None);
    }
    let relaxes = relaxes?;
    if let Some(policy) = grounds.policies.get(relaxes.policy) {
        is_about_places(object, policy, relaxes, reader);
        match &policy.exceptions {
            None => {
                let sentence = format!("the policy `{}` allows no exceptions", policy.name);
                let fix = "remove the exception, or write `exceptions: {allowed: true}` in the policy";
                let at = origin.position(&spec.relaxes.policy);
                reader.error("L10", at, sentence, Some(fix.to_owned()));
            }
            Some(terms) => {
                is_short_enough(object, policy, terms, expires.duration_since(not_before), reader);
                is_approved(object, policy, terms, grounds, reader);
            }
        }
    }
    Some(Exception {
        name,
        relaxes,
        namespace: namespace?,
        workload: workload.map_or(Some(None), |workload| workload.map(Some))?,
        locations,
        data,
        category: category?,
        reason: spec.reason.value.clone(),
        compensating_controls: spec.compensating_controls.clone(),
        requested_by: spec.requested_by.value.clone(),
        approved_by: spec.approved_by.value.clone(),
        ticket: spec.ticket.value.clone(),
        not_before,
        expires,
        written_at: object.position(),
    })
}

/// An exception says where pods may run, and a rule on transit which ways their traffic takes.
fn is_about_places(object: &Object<ExceptionSpec>, policy: &Policy, relaxes: RuleIndex, reader: &mut Reader) {
    let rule = policy.rules.get(relaxes.rule);
    let Some(rule) = rule.filter(|rule| matches!(rule.demand, Demand::Transit(_))) else {
        return;
    };
    let sentence = format!(
        "`{}/{}` is about the ways to data and no exception lifts it: an exception names places where pods run",
        policy.name, rule.id
    );
    let fix = "declare the way as a NetworkLink, or let another policy apply to this data".to_owned();
    let at = object.origin.position(&object.spec.relaxes.rule);
    reader.error("L10", at, sentence, Some(fix));
}

pub(super) fn workload_of(origin: &Origin, text: &Text, reader: &mut Reader) -> Option<Workload> {
    const KINDS: [&str; 6] = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
    ];
    let at = origin.position(text);
    let Some((kind, name)) = text.value.split_once('/').filter(|(_, name)| !name.is_empty()) else {
        let sentence = format!("`{}` is not a workload", text.value);
        let fix = "write its kind and its name, such as `Deployment/web`".to_owned();
        reader.error("L01", at, sentence, Some(fix));
        return None;
    };
    if !KINDS.contains(&kind) {
        let fix = match nearest_word(kind, KINDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", KINDS.join(", ")),
        };
        reader.error("L03", at, format!("unknown kind of workload `{kind}`"), Some(fix));
        return None;
    }
    Some(Workload {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

fn is_short_enough(
    object: &Object<ExceptionSpec>,
    policy: &Policy,
    terms: &ExceptionTerms,
    lasts: SignedDuration,
    reader: &mut Reader,
) {
    let Some(most) = terms.max_days else {
        return;
    };
    if lasts > SignedDuration::from_hours(i64::from(most) * 24) {
        let sentence = format!(
            "the exception is longer than the {most} days that `{}` allows",
            policy.name
        );
        let fix = format!("let it expire within {most} days of `notBefore`");
        let at = object.origin.position(&object.spec.expires);
        reader.error("L10", at, sentence, Some(fix));
    }
}

fn is_approved(
    object: &Object<ExceptionSpec>,
    policy: &Policy,
    terms: &ExceptionTerms,
    grounds: &Grounds<'_>,
    reader: &mut Reader,
) {
    let Object { origin, spec, .. } = object;
    let (by, requester) = (&spec.approved_by, &spec.requested_by.value);
    if by.value.trim().eq_ignore_ascii_case(requester.trim()) {
        let sentence = format!("`{requester}` approves what the same person asked for");
        let fix = "let somebody else approve".to_owned();
        reader.error("L10", origin.position(by), sentence, Some(fix));
    }
    let may_approve = terms.approvers.iter().any(|approver| {
        let of_team = grounds.teams.get(approver).into_iter().flatten();
        // A team without known people is answered for by the contact of the policy.
        let stands_in = !grounds.teams.contains_key(approver) && *approver == policy.team;
        // A team is nobody who could be told from the one who asked.
        (approver.contains('@') && *approver == by.value)
            || of_team.into_iter().any(|person| *person == by.value)
            || (stands_in && *policy.contact == *by.value)
    });
    if !may_approve {
        let sentence = format!("`{}` is not among the approvers of `{}`", by.value, policy.name);
        let fix = match terms.approvers.contains(&by.value) {
            true => format!("name the person of `{}` who approved", by.value),
            false => format!("the approvers are {}", terms.approvers.join(", ")),
        };
        reader.error("L10", origin.position(by), sentence, Some(fix));
    }
}
