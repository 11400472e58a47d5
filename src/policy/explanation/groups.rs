//! The groups that a policy names, spelled out.

use std::collections::BTreeSet;

use super::{Subject, counted, day_or_instant, last_day_or_instant};
use crate::policy::definition::{Group, GroupIndex, Member, PlaceTerm};
use crate::policy::phrase::requirement_in_words;

/// Who belongs to a group.
#[derive(Default)]
struct Members {
    /// Without a condition, and without an end that is known.
    plain: BTreeSet<String>,
    /// The others, each with its condition.
    qualified: Vec<String>,
    /// Groups whose members are taken over.
    seen: BTreeSet<GroupIndex>,
}

impl Subject<'_> {
    pub(super) fn groups(&self) -> Vec<String> {
        let mut open: Vec<GroupIndex> = self.named_groups().into_iter().collect();
        let mut told: BTreeSet<GroupIndex> = open.iter().copied().collect();
        let mut said = Vec::new();
        // Groups that are members on a condition are spelled out too, behind those that name them.
        let mut next = 0;
        while let Some(index) = open.get(next).copied() {
            next += 1;
            let Some(group) = self.definitions.groups.get(index) else {
                continue;
            };
            let mut members = Members::default();
            members.seen.insert(index);
            self.gather(group, &mut members, &mut |inner| {
                if told.insert(inner) {
                    open.push(inner);
                }
            });
            said.push(group_in_words(group, &members));
        }
        said
    }

    fn gather(&self, group: &Group, members: &mut Members, conditional_group: &mut impl FnMut(GroupIndex)) {
        for member in &group.members {
            if member.until.is_some_and(|until| until <= self.at) {
                continue;
            }
            let condition = self.condition(member);
            match (&member.term, condition.is_empty()) {
                (PlaceTerm::Group(inner), true) => {
                    let found = self.definitions.groups.get(*inner);
                    if let Some(found) = found.filter(|_| members.seen.insert(*inner)) {
                        self.gather(found, members, conditional_group);
                    }
                }
                (term, true) => {
                    let word = self.definitions.places_in_words(std::slice::from_ref(term));
                    members.plain.insert(word);
                }
                (term, false) => {
                    if let PlaceTerm::Group(inner) = term {
                        conditional_group(*inner);
                    }
                    let word = self.definitions.places_in_words(std::slice::from_ref(term));
                    members.qualified.push(format!("{word} {condition}"));
                }
            }
        }
    }

    fn condition(&self, member: &Member) -> String {
        let mut parts = Vec::new();
        if let Some(from) = member.from.filter(|from| self.at < *from) {
            parts.push(format!("from {}", day_or_instant(from)));
        }
        if let Some(until) = member.until {
            parts.push(format!("until {}", last_day_or_instant(until)));
        }
        if let Some(requirement) = &member.required {
            let required = requirement_in_words(self.definitions, requirement);
            parts.push(format!("where it is about places, only those {required}"));
        }
        parts.join(", ")
    }
}

fn group_in_words(group: &Group, members: &Members) -> String {
    let plain: Vec<&str> = members.plain.iter().map(String::as_str).collect();
    let all_countries = plain.iter().all(|word| word.len() == 2);
    let count = match all_countries {
        true => counted(plain.len(), "country", "countries"),
        false => counted(plain.len(), "place", "places"),
    };
    let mut said = match plain.is_empty() {
        true => format!("Group {}:", group.name),
        false => format!("Group {} ({count}): {}", group.name, plain.join(", ")),
    };
    if !members.qualified.is_empty() {
        said.push_str(if plain.is_empty() {
            " "
        } else {
            "; and with a condition: "
        });
        said.push_str(&members.qualified.join("; "));
    }
    said.push_str(&format!(
        ". As of {}, to be reviewed by {}. Source: {}.",
        day_or_instant(group.as_of),
        last_day_or_instant(group.review_by),
        group.source.trim_end_matches('.')
    ));
    said
}
