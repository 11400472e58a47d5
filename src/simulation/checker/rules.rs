//! Whether a node is permitted: every tuple for every activity, rule by rule (docs/policies.md, 3).
//!
//! Inputs: what a pod carries, where a node is. Output: the first thing that forbids the placement, or nothing.
//! Invariants: a rule that may apply restricts; only an enforced list that surely applies covers; an exception lifts
//! the sure refusal of its rule and nothing else. Deliberately absent: rules with `transit`, which are about ways
//! (`ways.rs`).

use super::carried::{Carried, Data, Source, Tuple};
use super::certainty::Holds::{self, Maybe, No, Yes};
use super::documents::AppliedPolicy;
use super::places::{NodePlace, Place};
use super::selectors::{comes_from, is_its_own_source};
use super::shapes::{
    Activity, AllowOrDeny, DataSet, Demand, Exception, Mode, Places, Replica, Role, Rule, Unlabelled,
};
use super::{Breach, Judge};

/// A rule that is in force, and how strict it is at the instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Force<'d> {
    pub(super) name: &'d str,
    pub(super) policy: &'d AppliedPolicy,
    pub(super) rule: &'d Rule,
    pub(super) mode: Mode,
}

/// Which copies a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copies {
    Leaders,
    Readable,
}

/// What covers a tuple for an activity.
#[derive(Debug, Default)]
struct Cover {
    /// A rule that is enforced.
    is_enforced: bool,
    /// A rule that is tried.
    is_tried: bool,
}

/// A tuple of a pod and who asserted it.
pub(super) type Asserted<'c> = (&'c Source, &'c Tuple);

impl<'d> Judge<'d> {
    /// What forbids a pod a node, if anything does.
    pub(super) fn breach(&self, carried: &Carried, node: NodePlace<'_>) -> Option<Breach> {
        for activity in &carried.activities {
            let in_force = self.in_force(*activity);
            if carried.tuples.is_empty()
                && let Some(breach) = self.breach_without_tuple(&in_force, carried, node)
            {
                return Some(breach);
            }
            for (source, tuple) in &carried.tuples {
                let breach = self.breach_of_tuple(&in_force, carried, (source, tuple), node);
                if breach.is_some() {
                    return breach;
                }
            }
        }
        if carried.creates && !carried.activities.contains(&Activity::Replicate) {
            return self.breach_of_creation(carried, node);
        }
        None
    }

    /// A pod that creates data is looked at as a new copy too; what covers storing covers that.
    fn breach_of_creation(&self, carried: &Carried, node: NodePlace<'_>) -> Option<Breach> {
        let in_force = self.in_force(Activity::Replicate);
        if carried.tuples.is_empty() {
            return self.breach_without_tuple(&in_force, carried, node);
        }
        carried.tuples.iter().find_map(|(source, tuple)| {
            let mut cover = Cover::default();
            self.breach_by_rules(&in_force, carried, (source, tuple), node, &mut cover)
        })
    }

    /// The rules about an activity that are in force. A policy that is past its end goes on restricting.
    pub(super) fn in_force(&self, activity: Activity) -> Vec<Force<'d>> {
        let mut found = Vec::new();
        for (name, policy) in &self.documents.policies {
            if policy.effective_from.is_some_and(|from| self.at < from.0) {
                continue;
            }
            let waits = policy.enforce_from.is_some_and(|from| self.at < from.0);
            let mode = match policy.mode {
                Mode::Enforce if waits => Mode::Audit,
                mode => mode,
            };
            let about_it = policy
                .rules
                .iter()
                .filter(|rule| rule.activities.contains(&activity));
            found.extend(about_it.map(|rule| Force {
                name,
                policy,
                rule,
                mode,
            }));
        }
        found
    }

    /// Blocks that select by source alone restrict a pod that carries nothing. It has no data set to look at.
    fn breach_without_tuple(
        &self,
        in_force: &[Force<'_>],
        carried: &Carried,
        node: NodePlace<'_>,
    ) -> Option<Breach> {
        let enforced = in_force.iter().filter(|force| force.mode == Mode::Enforce);
        for force in enforced {
            let mut by_source = force.policy.blocks.iter().filter(|block| block.data.is_none());
            let reaches = by_source.any(|block| comes_from(block, carried) != No);
            let is_about_the_node = matches!(
                force.rule.demand,
                Demand::Allowed(_) | Demand::Denied(_) | Demand::Required(_)
            );
            if reaches && is_about_the_node && self.holds_of_node(&force.rule.demand, node.place) != Yes {
                return Some(force.broken(node.place, "whatever it carries"));
            }
        }
        None
    }

    fn breach_of_tuple(
        &self,
        in_force: &[Force<'_>],
        carried: &Carried,
        (source, tuple): Asserted<'_>,
        node: NodePlace<'_>,
    ) -> Option<Breach> {
        let mut cover = Cover::default();
        let breach = self.breach_by_rules(in_force, carried, (source, tuple), node, &mut cover);
        if breach.is_some() {
            return breach;
        }
        let about = || format!("{tuple} by {source}");
        let place = self.node_for(tuple, node);
        let settings = &self.documents.settings;
        let uncovered = |rule: &str, sentence: String| {
            Some(Breach {
                rule: rule.to_owned(),
                sentence,
            })
        };
        match tuple {
            _ if cover.is_enforced => None,
            Tuple::NoData => None,
            Tuple::Data(data) if is_public_without_people(data) => None,
            Tuple::Unlabelled => match &settings.unlabelled {
                Unlabelled::Word(AllowOrDeny::Allow) => None,
                Unlabelled::Word(AllowOrDeny::Deny) => {
                    let sentence = "the settings deny data that nobody labelled".to_owned();
                    uncovered("unlabelled", sentence)
                }
                Unlabelled::Confined(confined) => {
                    let places = &confined.confine_to;
                    let sentence = || {
                        let wanted = in_words(places);
                        format!(
                            "data that nobody labelled is confined to {wanted} and the node is {}",
                            told(place)
                        )
                    };
                    (self.in_places(place, places) != Yes)
                        .then(sentence)
                        .and_then(|sentence| uncovered("unlabelled", sentence))
                }
            },
            Tuple::Data(_) if cover.is_tried || settings.uncovered == AllowOrDeny::Allow => None,
            Tuple::Data(_) => uncovered("uncovered", format!("no rule covers {}", about())),
        }
    }

    /// The first rule that a tuple breaks, and what covers it.
    fn breach_by_rules(
        &self,
        in_force: &[Force<'_>],
        carried: &Carried,
        (source, tuple): Asserted<'_>,
        node: NodePlace<'_>,
        cover: &mut Cover,
    ) -> Option<Breach> {
        let about = || format!("{tuple} by {source}");
        let place = self.node_for(tuple, node);
        for force in in_force {
            let blocks = &force.policy.blocks;
            let applies = blocks
                .iter()
                .any(|block| self.matches(block, carried, tuple) != No);
            if applies && force.mode == Mode::Enforce {
                let holds = self.holds(force, carried, (source, tuple), place);
                let is_lifted = || holds == No && self.is_lifted(force, carried, tuple, place);
                if holds != Yes && !is_lifted() {
                    return Some(force.broken(place, &about()));
                }
            }
            let covers = matches!(force.rule.demand, Demand::Allowed(_))
                && blocks.iter().any(|block| {
                    self.is_about(block, tuple) == Yes && is_its_own_source(block, carried, source)
                });
            cover.is_enforced |= covers && force.mode == Mode::Enforce;
            cover.is_tried |= covers && force.mode != Mode::Enforce;
        }
        None
    }

    /// Whether a node, or what is known of it, satisfies what a rule wants of a node.
    fn holds_of_node(&self, demand: &Demand, place: Option<Place<'_>>) -> Holds {
        match demand {
            Demand::Allowed(places) | Demand::NoneOutside(places) => self.in_places(place, places),
            Demand::Denied(places) => self.in_places(place, places).opposite(),
            Demand::Required(wanted) => place.map_or(Maybe, |place| self.meets(place, wanted)),
            Demand::PrimaryMustBeIn(_)
            | Demand::FromReplicaIn(_)
            | Demand::MustExistIn(_)
            | Demand::Transit(_) => Yes,
        }
    }

    /// Whether a rule that applies to a tuple is satisfied.
    fn holds(
        &self,
        force: &Force<'_>,
        carried: &Carried,
        (source, tuple): Asserted<'_>,
        place: Option<Place<'_>>,
    ) -> Holds {
        let is_a_copy = carried.creates || carried.activities.contains(&Activity::Replicate);
        let demand = &force.rule.demand;
        let (places, copies) = match demand {
            Demand::Allowed(_) | Demand::Denied(_) | Demand::Required(_) | Demand::Transit(_) => {
                return self.holds_of_node(demand, place);
            }
            Demand::NoneOutside(_) | Demand::MustExistIn(_) if !is_a_copy => return Yes,
            Demand::NoneOutside(_) => return self.holds_of_node(demand, place),
            Demand::PrimaryMustBeIn(places) => (places, Copies::Leaders),
            Demand::FromReplicaIn(places) | Demand::MustExistIn(places) => (places, Copies::Readable),
        };
        let mut all = Yes;
        for name in self.bound(force, carried, (source, tuple)) {
            let used = carried.uses.get(name);
            let concerns = match demand {
                Demand::PrimaryMustBeIn(_) => used.is_some_and(|used| used.may_write),
                Demand::FromReplicaIn(_) => used.is_some_and(|used| used.may_read),
                _ => true,
            };
            if concerns {
                all = all.together(self.are_in(name, copies, places, tuple));
            }
        }
        // What is mounted and not known may name any data set.
        if carried.may_name_more && !matches!(source, Source::DataSet(_)) {
            all = all.together(Maybe);
        }
        if !matches!(demand, Demand::MustExistIn(_)) {
            return all;
        }
        // The new copy may be the one that must exist.
        match self.in_places(place, places) {
            Yes => Yes,
            No => all,
            Maybe if all == Yes => Yes,
            Maybe => Maybe,
        }
    }

    /// The data sets that a rule is about for a tuple: its own, or every one; of a block that selects data sets, those.
    pub(super) fn bound<'c>(
        &self,
        force: &Force<'_>,
        carried: &'c Carried,
        (source, tuple): Asserted<'_>,
    ) -> Vec<&'c str> {
        let is_bound = |name: &str| {
            let is_its_own = match source {
                Source::DataSet(own) => own == name,
                _ => true,
            };
            is_its_own
                && force.policy.blocks.iter().any(|block| {
                    let listed = block.data_sets.as_ref();
                    let is_listed = listed.is_none_or(|listed| listed.iter().any(|listed| listed == name));
                    is_listed && self.matches(block, carried, tuple) != No
                })
        };
        let names = carried.uses.keys().map(String::as_str);
        names.filter(|name| is_bound(name)).collect()
    }

    /// Whether the copies of a data set are where a rule wants them. They surely are not only where it is known
    /// where each one is.
    fn are_in(&self, name: &str, copies: Copies, places: &[String], tuple: &Tuple) -> Holds {
        let declared = self.documents.data_sets.get(name);
        let all = declared
            .into_iter()
            .flat_map(|data_set: &DataSet| &data_set.replicas);
        let looked_at = all.filter(|replica: &&Replica| match copies {
            Copies::Leaders => replica.role == Role::Leader,
            Copies::Readable => replica.role != Role::Witness,
        });
        let inside = looked_at.map(|replica| {
            let place = self.place_for(tuple, self.replica(replica));
            self.in_places(place, places)
        });
        let inside: Vec<Holds> = inside.collect();
        let is_right = match copies {
            Copies::Leaders => !inside.is_empty() && inside.iter().all(|one| *one == Yes),
            Copies::Readable => inside.contains(&Yes),
        };
        if is_right {
            Yes
        } else if inside.is_empty() || inside.contains(&Maybe) {
            Maybe
        } else {
            No
        }
    }

    /// Whether an exception in force lifts the refusal of a rule.
    fn is_lifted(
        &self,
        force: &Force<'_>,
        carried: &Carried,
        tuple: &Tuple,
        place: Option<Place<'_>>,
    ) -> bool {
        let lifts = |exception: &Exception| {
            let is_of_rule =
                exception.relaxes.policy == force.name && exception.relaxes.rule == force.rule.id;
            let is_in_force = exception.not_before.0 <= self.at && self.at < exception.expires.0;
            let scope = &exception.scope;
            let workload = scope.workload.as_deref();
            is_of_rule
                && is_in_force
                && force.policy.allows_exceptions
                && scope.namespace == carried.namespace
                && workload.is_none_or(|workload| is_of(workload, carried))
                && self.is_selected(&scope.data, tuple) == Yes
                && self.in_places(place, &scope.locations) == Yes
        };
        self.documents.exceptions.values().any(lifts)
    }
}

impl Force<'_> {
    /// The breach of this rule.
    fn broken(&self, place: Option<Place<'_>>, about: &str) -> Breach {
        let rule = format!("{}/{}", self.name, self.rule.id);
        let wanted = match &self.rule.demand {
            Demand::Allowed(places) => format!("allows only {}", in_words(places)),
            Demand::Denied(places) => format!("denies {}", in_words(places)),
            Demand::Required(_) => "requires facts that the place does not surely have".to_owned(),
            Demand::PrimaryMustBeIn(places) => {
                format!("wants what is written to be led in {}", in_words(places))
            }
            Demand::FromReplicaIn(places) => {
                format!("wants what is read to have a copy in {}", in_words(places))
            }
            Demand::NoneOutside(places) => format!("wants no copy outside {}", in_words(places)),
            Demand::MustExistIn(places) => format!("wants a copy in {}", in_words(places)),
            Demand::Transit(transit) => format!("wants no way through {}", in_words(&transit.forbid)),
        };
        let sentence = format!("`{rule}` {wanted} and the node is {}: {about}", told(place));
        Breach { rule, sentence }
    }
}

fn in_words(places: &Places) -> String {
    places.join(" or ")
}

fn told(place: Option<Place<'_>>) -> String {
    place.map_or_else(
        || "in no place that counts as known".to_owned(),
        |place| place.to_string(),
    )
}

fn is_public_without_people(data: &Data) -> bool {
    let is_none = |word: &Option<String>| word.as_deref() == Some("none");
    data.level == Some(super::words::Level::Public) && is_none(&data.category) && is_none(&data.subject)
}

/// Whether a workload such as `Deployment/web` is the controller of a pod, or made it: a Deployment makes
/// ReplicaSets, a CronJob makes Jobs, each named after it with one more part.
fn is_of(workload: &str, carried: &Carried) -> bool {
    let (Some((kind, name)), Some(owner)) = (workload.split_once('/'), &carried.owner) else {
        return false;
    };
    let is_part: fn(char) -> bool = match (kind, owner.kind.as_str()) {
        ("Deployment", "ReplicaSet") => |letter| letter.is_ascii_alphanumeric(),
        ("CronJob", "Job") => |letter| letter.is_ascii_digit(),
        ("Deployment" | "CronJob", _) => return false,
        _ => return owner.kind == kind && owner.name == name,
    };
    let parts = owner.name.rsplit_once('-');
    parts.is_some_and(|(maker, part)| maker == name && !part.is_empty() && part.chars().all(is_part))
}
