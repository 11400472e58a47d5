//! What a set mentions: places, parts of countries, selectors of data, requirements.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Country, Subdivision};
use crate::policy::definition::{
    DataSelector, Definitions, Demand, ForbiddenPlaces, PlaceTerm, Requirement, SubjectSelector, Unlabelled,
};

impl Demand {
    /// The list of places that it is about.
    pub(in crate::policy) fn places(&self) -> Option<&[PlaceTerm]> {
        match self {
            Self::Allowed(terms)
            | Self::Denied(terms)
            | Self::PrimaryMustBeIn(terms)
            | Self::FromReplicaIn(terms)
            | Self::NoReplicaOutside(terms)
            | Self::ReplicaMustExistIn(terms) => Some(terms),
            Self::Transit(transit) => Some(&transit.forbid),
            Self::Required(_) => None,
        }
    }
}

/// The lists in which places are looked for.
pub fn place_lists(set: &Definitions) -> impl Iterator<Item = &[PlaceTerm]> {
    let of_rules = set.policies.iter().flat_map(|policy| &policy.rules);
    let of_rules = of_rules.filter_map(|rule| rule.demand.places());
    let of_exceptions = set.exceptions.iter().map(|exception| &*exception.locations);
    let of_guarantees = set.guarantees.iter().map(|guarantee| match &guarantee.forbidden {
        ForbiddenPlaces::In(terms) | ForbiddenPlaces::Outside(terms) => &**terms,
    });
    let of_settings = match &set.settings.unlabelled {
        Unlabelled::ConfineTo(terms) => Some(&**terms),
        Unlabelled::Allow | Unlabelled::Deny => None,
    };
    of_rules
        .chain(of_exceptions)
        .chain(of_guarantees)
        .chain(of_settings)
}

/// What selects data.
pub fn selectors(set: &Definitions) -> impl Iterator<Item = &DataSelector> {
    let blocks = set.policies.iter().flat_map(|policy| &policy.applies_to);
    let of_policies = blocks.filter_map(|block| block.data.as_ref());
    let of_exceptions = set.exceptions.iter().map(|exception| &exception.data);
    let of_guarantees = set.guarantees.iter().map(|guarantee| &guarantee.data);
    of_policies.chain(of_exceptions).chain(of_guarantees)
}

/// The requirements of members of groups that are in force, each with its member.
pub fn conditions(set: &Definitions, at: Timestamp) -> impl Iterator<Item = (&PlaceTerm, &Requirement)> {
    let members = (0..set.groups.len()).flat_map(move |group| set.members(group, at));
    members.filter_map(|member| Some((&member.term, member.required.as_ref()?)))
}

/// The parts of countries that some sets name, and one for each of those countries that none names.
#[derive(Debug)]
pub struct Parts {
    named: BTreeSet<Subdivision>,
    unnamed: BTreeMap<Country, Subdivision>,
}

impl Parts {
    pub fn of(sets: &[&Definitions]) -> Self {
        let named: BTreeSet<Subdivision> = sets
            .iter()
            .flat_map(|set| terms(set))
            .filter_map(|term| match term {
                PlaceTerm::Subdivision(part) => Some(part.clone()),
                _ => None,
            })
            .collect();
        let countries: BTreeSet<Country> = named.iter().map(Subdivision::country).collect();
        let unnamed = countries.into_iter().filter_map(|country| {
            let codes =
                (0..1_000).filter_map(|number| Subdivision::new(&format!("{country}-{number:03}")).ok());
            let unnamed = codes.into_iter().find(|part| !named.contains(part))?;
            Some((country, unnamed))
        });
        Self {
            unnamed: unnamed.collect(),
            named,
        }
    }

    pub fn named(&self) -> impl Iterator<Item = &Subdivision> {
        self.named.iter()
    }

    pub fn unnamed(&self) -> impl Iterator<Item = &Subdivision> {
        self.unnamed.values()
    }
}

/// Every place that is written anywhere but among the countries of an operator, which has no parts.
fn terms(set: &Definitions) -> impl Iterator<Item = &PlaceTerm> {
    let members = set.groups.iter().flat_map(|group| &group.members);
    let subjects = selectors(set).flat_map(|selector| selector.subjects.iter().flatten());
    let subjects = subjects.filter_map(|subject| match subject {
        SubjectSelector::Place(term) => Some(term),
        SubjectSelector::None => None,
    });
    let places = place_lists(set).flatten();
    places.chain(subjects).chain(members.map(|member| &member.term))
}
