//! Who answers for a policy, why, from when to when, how firmly, and what exceptions there are.

use super::{Subject, counted, day_or_instant, last_day_or_instant, one_of};
use crate::policy::definition::{Exception, ExceptionCategory, ExceptionState, Mode};
use crate::policy::phrase::selector_in_words;

impl Subject<'_> {
    pub(super) fn owner(&self) -> Vec<String> {
        vec![format!(
            "The team `{}` answers for it. Whoever is refused is told to ask {}.",
            self.policy.team, self.policy.contact
        )]
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        for basis in &self.policy.legal_basis {
            let mut sentence = basis.cite.clone();
            if let Some(url) = &basis.url {
                sentence.push_str(&format!(" ({url})"));
            }
            sentence.push_str(&match &basis.note {
                Some(note) => format!(": {}.", note.trim_end_matches('.')),
                None => ".".to_owned(),
            });
            said.push(sentence);
        }
        if !self.policy.controls.is_empty() {
            said.push(format!(
                "Controls that it implements: {}.",
                self.policy.controls.join(", ")
            ));
        }
        said
    }

    pub(super) fn dates(&self) -> Vec<String> {
        let policy = self.policy;
        let mut said = vec![match policy.effective_from {
            None => "It is in force.".to_owned(),
            Some(from) if from <= self.at => format!("It is in force since {}.", day_or_instant(from)),
            Some(from) => format!(
                "It is not in force yet: it begins on {}. Until then it restricts nothing and covers no data.",
                day_or_instant(from)
            ),
        }];
        said.push(match policy.effective_until {
            None => "It has no end.".to_owned(),
            Some(until) if until <= self.at => format!(
                "It was meant to hold until {}. It still restricts: only taking it out of the set ends it.",
                last_day_or_instant(until)
            ),
            Some(until) => format!(
                "It is meant to hold until {}. After that it still restricts: only taking it out of the set ends it.",
                last_day_or_instant(until)
            ),
        });
        if let Some(review_by) = policy.review_by {
            said.push(match review_by <= self.at {
                true => format!("It was to be reviewed by {}.", last_day_or_instant(review_by)),
                false => format!("It is to be reviewed by {}.", last_day_or_instant(review_by)),
            });
        }
        vec![said.join(" ")]
    }

    pub(super) fn mode(&self) -> Vec<String> {
        let policy = self.policy;
        let mut said = vec![match (policy.mode, policy.enforce_from.filter(|from| self.at < *from)) {
            (Mode::Enforce, Some(from)) => format!(
                "Mode `enforce` from {}: until then nothing is refused by it, and what it would refuse is recorded. \
                 From that day on a pod is not placed where a rule refuses.",
                day_or_instant(from)
            ),
            (Mode::Enforce, None) => {
                "Mode `enforce`: a pod is not placed where a rule refuses. It waits until some node is permitted."
                    .to_owned()
            }
            (Mode::Warn, _) => "Mode `warn`: nothing is refused by it. What it would refuse is recorded, and an Event \
                                on the pod tells."
                .to_owned(),
            (Mode::Audit, _) => {
                "Mode `audit`: nothing is refused by it. What it would refuse is recorded.".to_owned()
            }
        }];
        if self.definitions.settings.observe {
            said.push(
                "The settings of the set say `mode: observe`: as long as they do, no policy refuses anything.".to_owned(),
            );
        }
        said
    }

    pub(super) fn exceptions(&self) -> Vec<String> {
        let Some(terms) = &self.policy.exceptions else {
            return vec!["None may be made.".to_owned()];
        };
        let approvers: Vec<String> = terms
            .approvers
            .iter()
            .map(|approver| match self.definitions.settings.teams.get(approver) {
                Some(people) if !people.is_empty() => {
                    format!("the team `{approver}` ({})", people.join(", "))
                }
                _ if approver.contains('@') => approver.clone(),
                _ => format!("the team `{approver}`"),
            })
            .collect();
        let days = terms
            .max_days
            .map_or("for any time that is stated".to_owned(), |days| {
                format!(
                    "for at most {} each",
                    counted(usize::try_from(days).unwrap_or(0), "day", "days")
                )
            });
        let mut said = vec![format!(
            "They may be made {days}, for one rule, one namespace, named data and named places, and are approved by {}, \
             never by whoever asks.",
            one_of(&approvers)
        )];
        let mut live: Vec<&Exception> = self
            .definitions
            .exceptions
            .iter()
            .filter(|exception| {
                exception.relaxes.policy == self.index && exception.state(self.at) != ExceptionState::Expired
            })
            .collect();
        live.sort_by(|one, other| (one.expires, &one.name).cmp(&(other.expires, &other.name)));
        if live.is_empty() {
            said.push("There is none.".to_owned());
        }
        said.extend(live.into_iter().map(|exception| self.exception(exception)));
        said
    }

    fn exception(&self, exception: &Exception) -> String {
        let rule = self
            .definitions
            .rule(exception.relaxes)
            .map_or("", |rule| &rule.id);
        let begins = match exception.state(self.at) {
            ExceptionState::Pending => format!("from {} ", day_or_instant(exception.not_before)),
            ExceptionState::InForce | ExceptionState::Expired => String::new(),
        };
        let workload = exception.workload.as_ref();
        let workload = workload.map_or(String::new(), |workload| format!(" (only {workload})"));
        let makes_up = match exception.category {
            ExceptionCategory::Waiver => "the risk is taken".to_owned(),
            ExceptionCategory::Mitigated if exception.compensating_controls.is_empty() => {
                "mitigated".to_owned()
            }
            ExceptionCategory::Mitigated => {
                format!("mitigated by: {}", exception.compensating_controls.join("; "))
            }
        };
        format!(
            "`{}`, {begins}until {}, lifts `{rule}` for the namespace {}{workload} in {}, for {}. Reason: {} ({makes_up}). \
             The file says that {} asked for it and {} approved it, ticket {}.",
            exception.name,
            exception.expires,
            exception.namespace,
            self.definitions.places_in_words(&exception.locations),
            selector_in_words(self.definitions, &exception.data),
            exception.reason.trim_end_matches('.'),
            exception.requested_by,
            exception.approved_by,
            exception.ticket,
        )
    }
}
