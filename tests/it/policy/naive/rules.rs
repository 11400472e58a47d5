//! What a rule says of a node for one tuple, and what exceptions lift of it (docs/policies.md, 3.2, 3.5 and
//! "Data sets").

use super::super::world::*;
use super::places::Place;
use super::sources::Sources;
use super::{Maybe, Naive, No, SaidBy, Three, Tuple, Yes};

impl Naive<'_> {
    /// Whether an applicable rule, with the exceptions in force, lets a tuple be on a node.
    pub(super) fn lets(
        &self,
        (policy, rule): (&Policy, &Rule),
        sources: &Sources,
        (from, tuple): (&SaidBy, &Tuple),
        labels: Labels,
    ) -> bool {
        let node = self.node_for(tuple, labels);
        let holds = self.holds((policy, rule), sources, (from, tuple), node);
        // What is refused for something that is not known is not lifted.
        holds == Yes || (holds == No && self.is_lifted((policy, rule), sources, tuple, node))
    }

    fn is_lifted(
        &self,
        (policy, rule): (&Policy, &Rule),
        sources: &Sources,
        tuple: &Tuple,
        node: Option<Place<'_>>,
    ) -> bool {
        let relaxing = self
            .set
            .exceptions
            .iter()
            .filter(|exception| (exception.policy, exception.rule) == (policy.name, rule.id));
        for exception in relaxing {
            let in_force = exception.not_before * 24 <= self.now && self.now < exception.expires * 24;
            let is_for = exception.namespace == sources.namespace
                && exception
                    .workload
                    .is_none_or(|workload| sources.owner.is_some_and(|owner| owns(workload, owner)));
            let surely = self.is_selected(&exception.data, tuple) == Yes
                && self.in_places(node.as_ref(), &exception.locations) == Yes;
            if in_force && is_for && surely {
                return true;
            }
        }
        false
    }

    /// Whether a rule is satisfied by a node; for a pod without a tuple there is only the node to look at.
    pub(super) fn holds_of_node(&self, rule: &Rule, node: Option<Place<'_>>) -> Three {
        match &rule.demand {
            Demand::Allowed(places) | Demand::NoneOutside(places) | Demand::MustExistIn(places) => {
                self.in_places(node.as_ref(), places)
            }
            Demand::Denied(places) => not(self.in_places(node.as_ref(), places)),
            Demand::Required(requirement) => node.map_or(Maybe, |node| self.meets(&node, requirement)),
            Demand::PrimaryMustBeIn(_) | Demand::FromReplicaIn(_) | Demand::Transit(..) => Yes,
        }
    }

    fn holds(
        &self,
        (policy, rule): (&Policy, &Rule),
        sources: &Sources,
        (from, tuple): (&SaidBy, &Tuple),
        node: Option<Place<'_>>,
    ) -> Three {
        let replicates = sources.creates || sources.activities.contains(&"replicate");
        let (places, role) = match &rule.demand {
            Demand::Allowed(_) | Demand::Denied(_) | Demand::Required(_) => {
                return self.holds_of_node(rule, node);
            }
            Demand::NoneOutside(_) | Demand::MustExistIn(_) if !replicates => return Yes,
            Demand::NoneOutside(_) => return self.holds_of_node(rule, node),
            // Of no place: `ways.rs`.
            Demand::Transit(..) => return Yes,
            Demand::PrimaryMustBeIn(places) => (places, "leader"),
            Demand::FromReplicaIn(places) | Demand::MustExistIn(places) => (places, "readable"),
        };
        let mut all = Yes;
        for name in self.bound(policy, sources, (from, tuple)) {
            let uses: Vec<&Use> = sources.uses.iter().filter(|used| used.name == name).collect();
            let may = |said: fn(&Use) -> Option<bool>| uses.iter().any(|used| said(used) != Some(false));
            let concerns = match &rule.demand {
                Demand::PrimaryMustBeIn(_) => may(|used| used.writes),
                Demand::FromReplicaIn(_) => may(|used| used.reads),
                _ => true,
            };
            if concerns {
                all = both(all, self.is_in_right_places(name, role, places, tuple));
            }
        }
        // What is mounted and not known may name any data set.
        if sources.may_name_more() && !matches!(from, SaidBy::DataSet(_)) {
            all = both(all, Maybe);
        }
        match &rule.demand {
            // The new copy may be the one that must exist.
            Demand::MustExistIn(places) => match self.in_places(node.as_ref(), places) {
                Yes => Yes,
                No => all,
                Maybe if all == Yes => Yes,
                Maybe => Maybe,
            },
            _ => all,
        }
    }

    /// The data sets that a rule is about for a tuple.
    pub(super) fn bound(
        &self,
        policy: &Policy,
        sources: &Sources,
        (from, tuple): (&SaidBy, &Tuple),
    ) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for used in &sources.uses {
            let is_about_it = match from {
                SaidBy::DataSet(name) => name == used.name,
                _ => true,
            };
            let is_bound = policy.blocks.iter().any(|block| {
                let applies = self
                    .data_matches(block, tuple)
                    .min(self.comes_from(block, sources))
                    != No;
                let lists = block
                    .data_sets
                    .as_ref()
                    .is_none_or(|listed| listed.contains(&used.name));
                applies && lists
            });
            if is_about_it && is_bound && !names.contains(&used.name) {
                names.push(used.name);
            }
        }
        names
    }

    /// Whether the copies of a data set are where a rule wants them. It is only surely not so where it is
    /// known where each copy is.
    fn is_in_right_places(&self, name: &str, role: &str, places: &[&str], tuple: &Tuple) -> Three {
        let declared = self.set.data_sets.iter().find(|known| known.name == name);
        let copies = declared.iter().flat_map(|data_set| &data_set.replicas);
        let counted = copies.filter(|copy| match role {
            "leader" => copy.role == "leader",
            _ => copy.role != "witness",
        });
        let inside: Vec<Three> = counted
            .map(|copy| {
                let place = self.resolve(copy.provider, copy.region, copy.zone);
                self.in_places(self.place_for(tuple, place).as_ref(), places)
            })
            .collect();
        let is_right = match role {
            "leader" => !inside.is_empty() && inside.iter().all(|copy| *copy == Yes),
            _ => inside.contains(&Yes),
        };
        match is_right {
            true => Yes,
            false if inside.is_empty() || inside.contains(&Maybe) => Maybe,
            false => No,
        }
    }
}

/// What two data sets say of a rule together: refused for one that is not known, it is not surely refused,
/// whatever is known of the other.
fn both(one: Three, other: Three) -> Three {
    match (one, other) {
        (Maybe, _) | (_, Maybe) => Maybe,
        _ => one.min(other),
    }
}

fn not(three: Three) -> Three {
    match three {
        Yes => No,
        Maybe => Maybe,
        No => Yes,
    }
}

/// Whether a controller is a workload or was made by it.
fn owns((kind, name): (&str, &str), owner: (&str, &str)) -> bool {
    let (made, suffix): (&str, fn(char) -> bool) = match kind {
        "Deployment" => ("ReplicaSet", |c| c.is_ascii_alphanumeric()),
        "CronJob" => ("Job", |c| c.is_ascii_digit()),
        _ => return owner == (kind, name),
    };
    let parts = owner.1.rsplit_once('-');
    owner.0 == made
        && parts.is_some_and(|(maker, end)| maker == name && !end.is_empty() && end.chars().all(suffix))
}
