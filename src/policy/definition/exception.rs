//! Exceptions: the refusal of one rule, lifted on terms that the policy sets.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{DataSelector, PlaceTerm, RuleIndex};
use crate::model::{NamespaceName, Owner};
use crate::policy::finding::Position;
use crate::policy::profile::Profile;

/// On what terms exceptions of a policy may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionTerms {
    /// For how many days at most; `None` is any number.
    pub max_days: Option<u32>,
    /// Teams and people who approve; never empty.
    pub approvers: Vec<String>,
}

/// How an exception makes up for what it lifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionCategory {
    /// Not at all: the risk is taken.
    Waiver,
    /// By other controls.
    Mitigated,
}

impl ExceptionCategory {
    /// Every category.
    pub const ALL: [Self; 2] = [Self::Waiver, Self::Mitigated];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiver => "waiver",
            Self::Mitigated => "mitigated",
        }
    }
}

/// Where an instant lies in the life of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionState {
    /// Before it begins.
    Pending,
    /// Between its first and its last instant.
    InForce,
    /// After it.
    Expired,
}

impl ExceptionState {
    /// The words that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InForce => "in force",
            Self::Expired => "expired",
        }
    }
}

/// A workload by the object that controls its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Workload {
    /// Whether the controller that a pod names is this workload or was made by it. A Deployment owns its
    /// pods through a ReplicaSet and a CronJob through a Job, each named after its maker; the pod of a
    /// manifest names the workload itself.
    #[must_use]
    pub fn owns(&self, owner: &Owner) -> bool {
        if owner.kind == self.kind && owner.name == self.name {
            return true;
        }
        let made = |kind: &str, is_suffix: fn(u8) -> bool| {
            let suffix = owner
                .name
                .strip_prefix(&*self.name)
                .and_then(|rest| rest.strip_prefix('-'));
            owner.kind == kind
                && suffix.is_some_and(|suffix| !suffix.is_empty() && suffix.bytes().all(is_suffix))
        };
        match self.kind.as_str() {
            "Deployment" => made("ReplicaSet", |byte| byte.is_ascii_alphanumeric()),
            "CronJob" => made("Job", |byte| byte.is_ascii_digit()),
            _ => false,
        }
    }

    /// The controller that a pod of this workload would name.
    #[must_use]
    pub fn controller(&self) -> Owner {
        let (kind, name) = match self.kind.as_str() {
            "Deployment" => ("ReplicaSet", format!("{}-0", self.name)),
            "CronJob" => ("Job", format!("{}-0", self.name)),
            kind => (kind, self.name.clone()),
        };
        Owner {
            kind: kind.to_owned(),
            name,
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

/// The refusal of one rule, lifted for named data of one namespace in named places until a date.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Its name.
    pub name: Arc<str>,
    /// Which rule it lifts.
    pub relaxes: RuleIndex,
    /// For pods of which namespace.
    pub namespace: NamespaceName,
    /// For which of them; `None` is all.
    pub workload: Option<Workload>,
    /// Where.
    pub locations: Vec<PlaceTerm>,
    /// For which data.
    pub data: DataSelector,
    /// How it makes up for what it lifts.
    pub category: ExceptionCategory,
    /// Why.
    pub reason: String,
    /// What is done instead.
    pub compensating_controls: Vec<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// Who approved it.
    pub approved_by: String,
    /// Where the approval is filed.
    pub ticket: String,
    /// The first instant.
    pub not_before: Timestamp,
    /// The first instant after.
    pub expires: Timestamp,
    /// Where its name stands.
    pub written_at: Position,
}

impl Exception {
    /// Where an instant lies in its life.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ExceptionState {
        if now < self.not_before {
            ExceptionState::Pending
        } else if now < self.expires {
            ExceptionState::InForce
        } else {
            ExceptionState::Expired
        }
    }

    /// Whether it is in force at an instant.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.state(now) == ExceptionState::InForce
    }

    /// How many whole days are left until it expires; `None` where it has.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        (now < self.expires).then(|| self.expires.duration_since(now).as_hours() / 24)
    }

    /// Whether it expires within a number of days, and has not yet.
    #[must_use]
    pub fn expires_within(&self, days: u32, now: Timestamp) -> bool {
        let span = SignedDuration::from_hours(i64::from(days) * 24);
        now < self.expires && self.expires.duration_since(now) <= span
    }

    /// Whether it is for a pod, whatever its data.
    #[must_use]
    pub fn is_for(&self, profile: &Profile) -> bool {
        let workload = self.workload.as_ref();
        profile.namespace.as_ref() == Some(&self.namespace)
            && workload
                .is_none_or(|workload| profile.owner.as_ref().is_some_and(|owner| workload.owns(owner)))
    }
}
