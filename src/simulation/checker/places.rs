//! Where nodes and copies are, and what they are in (docs/policies.md, 3, "Places").
//!
//! Inputs: labels and the providerID of a node, the region of a copy, lists of places. Outputs: a place, and whether
//! it surely, perhaps or surely not is in a list. Invariants: facts come from the documents, never from the node; a
//! place that is not known may be anywhere; groups are followed member by member at the instant.

use super::carried::Tuple;
use super::certainty::Holds::{self, Maybe, No, Yes};
use super::shapes::{
    Certification, Member, Operator, Region, RegionKey, RegionKeyWord, Replica, RequiredCertification,
    Requirement, Zone,
};
use super::words::{Level, days_long};
use super::{CheckedNode, Judge};

/// The labels that name a region, a zone and a provider; of several the first counts.
const REGION_LABELS: [&str; 2] = [
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/region",
];
const ZONE_LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];
const PROVIDER_LABEL: &str = "domicile.dev/provider";

/// Where something is: a region of the catalogue, and what its zone has of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'d> {
    pub(super) region: &'d Region,
    zone: Option<&'d Zone>,
}

/// Where a node says it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodePlace<'d> {
    pub(super) place: Option<Place<'d>>,
    /// Whether a label that kubelets cannot set says the same region.
    pub(super) is_confirmed: bool,
}

/// Who runs a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider<'n> {
    ByProviderId(&'n str),
    ByLabel(&'n str),
    Unstated,
    Contradictory,
}

impl<'d> Judge<'d> {
    /// Where a node is by the statement that the settings trust.
    pub(super) fn node(&self, node: &CheckedNode) -> NodePlace<'d> {
        let label = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| node.labels.get(*key))
                .map(String::as_str)
        };
        let provider = provider(node);
        let named = label(&REGION_LABELS);
        let by_label = match (provider, named) {
            (Provider::Contradictory, _) | (_, None) => None,
            (Provider::ByProviderId(provider) | Provider::ByLabel(provider), Some(region)) => {
                self.region(Some(provider), region)
            }
            (Provider::Unstated, Some(region)) => self.region(None, region),
        };
        let region_key = &self.documents.settings.region_key;
        let region = match region_key {
            RegionKey::Word(RegionKeyWord::ProviderId) => {
                let stated = region_of_provider_id(node.provider_id.as_deref().unwrap_or_default());
                let agreeing = stated.filter(|(_, region)| {
                    provider != Provider::Contradictory && named.is_none_or(|named| named == *region)
                });
                agreeing.and_then(|(provider, region)| self.region(Some(provider), region))
            }
            RegionKey::Word(RegionKeyWord::Topology) | RegionKey::Restricted(_) => by_label,
        };
        let confirming = match region_key {
            RegionKey::Restricted(restricted) => label(&[&restricted.node_restriction]),
            RegionKey::Word(_) => None,
        };
        // A kubelet can set the label that names its provider, so that one confirms nothing.
        let confirming = match (provider, confirming) {
            (Provider::Contradictory, _) | (_, None) => None,
            (Provider::ByProviderId(provider), Some(region)) => self.region(Some(provider), region),
            (Provider::ByLabel(_) | Provider::Unstated, Some(region)) => self.region(None, region),
        };
        let is_the_same =
            |one: &Region, other: &Region| (&one.provider, &one.region) == (&other.provider, &other.region);
        NodePlace {
            place: region.map(|region| self.zone(region, label(&ZONE_LABELS))),
            is_confirmed: region
                .zip(confirming)
                .is_some_and(|(region, confirming)| is_the_same(region, confirming)),
        }
    }

    /// Where a copy of a data set is.
    pub(super) fn replica(&self, replica: &Replica) -> Option<Place<'d>> {
        let region = match replica.region.split_once('/') {
            Some((provider, region)) => self.region(Some(provider), region),
            None => self.region(None, &replica.region),
        };
        region.map(|region| self.zone(region, replica.zone.as_deref()))
    }

    /// A region of the catalogue. Without its provider it counts only where one provider has it.
    pub(super) fn region(&self, provider: Option<&str>, region: &str) -> Option<&'d Region> {
        let of_name = self.documents.regions.get(region)?;
        match provider {
            Some(provider) => of_name.get(provider),
            None if of_name.len() == 1 => of_name.values().next(),
            None => None,
        }
    }

    pub(super) fn zone(&self, region: &'d Region, zone: Option<&str>) -> Place<'d> {
        Place {
            region,
            zone: zone.and_then(|zone| region.zones.get(zone)),
        }
    }

    /// A place as far as it counts for a tuple: not where its facts are too old for the data.
    pub(super) fn place_for<'p>(&self, tuple: &Tuple, place: Option<Place<'p>>) -> Option<Place<'p>> {
        let place = place?;
        let Tuple::Data(data) = tuple else {
            return Some(place);
        };
        let ages = self.documents.settings.max_fact_age.iter();
        let for_it = ages.filter(|(from, _)| at_least(data.level, **from));
        let is_old = for_it.map(|(_, age)| age.0).min().is_some_and(|age| {
            let end = place.region.source.as_of.0.checked_add(age);
            end.is_ok_and(|end| end <= self.at)
        });
        (!is_old).then_some(place)
    }

    /// The place of a node as far as it counts for a tuple: not where nothing confirms the region that must be.
    pub(super) fn node_for<'p>(&self, tuple: &Tuple, node: NodePlace<'p>) -> Option<Place<'p>> {
        if self.needs_confirmation(tuple) && !node.is_confirmed {
            return None;
        }
        self.place_for(tuple, node.place)
    }

    /// Whether data such as a tuple counts regions of nodes only where they are confirmed.
    pub(super) fn needs_confirmation(&self, tuple: &Tuple) -> bool {
        match (&self.documents.settings.region_key, tuple) {
            (RegionKey::Restricted(restricted), Tuple::Data(data)) => at_least(data.level, restricted.from),
            _ => false,
        }
    }

    /// Whether a place is in one of several.
    pub(super) fn in_places(&self, place: Option<Place<'_>>, places: &[String]) -> Holds {
        Holds::any(places.iter().map(|term| self.in_place(place, term)))
    }

    fn in_place(&self, place: Option<Place<'_>>, term: &str) -> Holds {
        let Some(here) = place else {
            return Maybe;
        };
        if term == "anywhere" {
            return Yes;
        }
        if let Some(group) = term.strip_prefix("group/") {
            return Holds::any(self.members(group).map(|member| {
                let is_met = member
                    .required
                    .as_ref()
                    .map_or(Yes, |wanted| self.meets(here, wanted));
                self.in_place(place, &member.place).min(is_met)
            }));
        }
        match term.split_once('-') {
            None => Holds::known(here.region.country == term),
            Some((country, _)) if country != here.region.country => No,
            Some(_) => Holds::of_fact(here.region.subdivision.as_deref(), |part| part == term),
        }
    }

    /// The members of a group at the instant.
    pub(super) fn members(&self, group: &str) -> impl Iterator<Item = &'d Member> {
        let at = self.at;
        let members = self.documents.groups.get(group).into_iter().flatten();
        members.filter(move |member| {
            let has_begun = member.from.is_none_or(|from| from.0 <= at);
            let is_over = member.until.is_some_and(|until| until.0 <= at);
            has_begun && !is_over
        })
    }

    /// Whether people, or an operator, of one place are among those of another. A part of a country is of it; of the
    /// country nobody knows which part.
    pub(super) fn people_in(&self, people: &str, term: &str) -> Holds {
        self.people_of_country_in(people, country_of(people), term)
    }

    fn people_of_country_in(&self, people: &str, country: &str, term: &str) -> Holds {
        if term == "anywhere" {
            return Yes;
        }
        if let Some(group) = term.strip_prefix("group/") {
            return Holds::any(self.members(group).map(|member| {
                // Whether the condition of a member is met, is told of regions and never of people.
                let condition = if member.required.is_some() { Maybe } else { Yes };
                self.people_of_country_in(people, country, &member.place)
                    .min(condition)
            }));
        }
        if people == term || country == term {
            Yes
        } else if country_of(term) == people {
            Maybe
        } else {
            No
        }
    }

    /// Whether a place has what is required.
    pub(super) fn meets(&self, place: Place<'_>, wanted: &Requirement) -> Holds {
        let operator = place.operator();
        let mut met = Yes;
        if let Some(wanted) = &wanted.operator {
            if let Some(entities) = &wanted.legal_entity {
                let entity = operator.and_then(|operator| operator.legal_entity.as_ref());
                met = met.min(Holds::of_fact(entity, |entity| entities.contains(entity)));
            }
            if let Some(places) = &wanted.controlled_from {
                let countries = operator.and_then(|operator| operator.controlled_from.as_deref());
                met = met.min(self.all_in(countries, places));
            }
            if let Some(places) = &wanted.admin_access_from {
                let countries = operator.and_then(|operator| operator.admin_access_from.as_deref());
                met = met.min(self.all_in(countries, places));
            }
        }
        if let Some(any_of) = &wanted.certifications {
            let held = place.certifications();
            met = met.min(Holds::any(
                any_of.iter().map(|wanted| self.is_certified(held, wanted)),
            ));
        }
        if let Some(custodies) = &wanted.key_custody {
            let fact = place.key_custody();
            met = met.min(Holds::of_fact(fact, |fact| custodies.contains(fact)));
        }
        if let Some(tenancies) = &wanted.tenancy {
            let fact = place.tenancy();
            met = met.min(Holds::of_fact(fact, |fact| tenancies.contains(fact)));
        }
        met
    }

    /// Whether every country of an operator is among places. Where none is listed, nobody knows.
    fn all_in(&self, countries: Option<&[String]>, places: &[String]) -> Holds {
        let inside = |country: &String| {
            let each = places.iter().map(|place| self.people_in(country, place));
            Holds::any(each)
        };
        countries
            .and_then(|countries| countries.iter().map(inside).min())
            .unwrap_or(Maybe)
    }

    fn is_certified(&self, held: Option<&[Certification]>, wanted: &RequiredCertification) -> Holds {
        let Some(held) = held else {
            return Maybe;
        };
        let fits = |certification: &Certification| {
            let level = match &wanted.level {
                None => Yes,
                Some(level) => Holds::of_fact(certification.level.as_ref(), |held| held == level),
            };
            let is_valid = Holds::of_fact(certification.valid_until, |end| {
                let needed = self.at.checked_add(days_long(wanted.valid_at_least_days));
                needed.is_ok_and(|needed| needed < end.0)
            });
            Holds::known(certification.scheme == wanted.scheme)
                .min(level)
                .min(is_valid)
        };
        Holds::any(held.iter().map(fits))
    }
}

impl Place<'_> {
    /// What a zone states counts before what its region does, fact by fact.
    fn operator(&self) -> Option<&Operator> {
        let own = self.zone.and_then(|zone| zone.operator.as_ref());
        own.or(self.region.operator.as_ref())
    }

    fn certifications(&self) -> Option<&[Certification]> {
        let own = self.zone.and_then(|zone| zone.certifications.as_deref());
        own.or(self.region.certifications.as_deref())
    }

    fn key_custody(&self) -> Option<&String> {
        let own = self.zone.and_then(|zone| zone.key_custody.as_ref());
        own.or(self.region.key_custody.as_ref())
    }

    fn tenancy(&self) -> Option<&String> {
        let own = self.zone.and_then(|zone| zone.tenancy.as_ref());
        own.or(self.region.tenancy.as_ref())
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Region {
            provider,
            region,
            country,
            subdivision,
            ..
        } = self.region;
        let place = subdivision.as_ref().unwrap_or(country);
        write!(formatter, "{provider}/{region} in {place}")
    }
}

/// Whether data is of a classification and above. Of data without one nobody knows, so it counts as such.
fn at_least(level: Option<Level>, from: Level) -> bool {
    level.is_none_or(|level| level >= from)
}

/// The scheme of a providerID names the provider; those of the clouds' own controllers cannot be talked away by a
/// label, and others only say what made the node.
fn provider(node: &CheckedNode) -> Provider<'_> {
    let scheme = node.provider_id.as_deref().and_then(|id| id.split_once("://"));
    let scheme = scheme
        .map(|(scheme, _)| scheme)
        .filter(|scheme| !scheme.is_empty());
    let cloud = match scheme {
        Some("aws") => Some("aws"),
        Some("azure") => Some("azure"),
        Some("gce") => Some("gcp"),
        _ => None,
    };
    let label = node.labels.get(PROVIDER_LABEL).map(String::as_str);
    match (cloud, label, scheme) {
        (Some(cloud), Some(label), _) if cloud != label => Provider::Contradictory,
        (Some(cloud), _, _) => Provider::ByProviderId(cloud),
        (None, Some(label), _) => Provider::ByLabel(label),
        (None, None, Some(scheme)) => Provider::ByProviderId(scheme),
        (None, None, None) => Provider::Unstated,
    }
}

/// The provider and the region that a providerID names: AWS writes the zone (`aws:///eu-central-1a/i-0`), Google
/// too (`gce://project/europe-west3-b/node`), Azure none.
fn region_of_provider_id(provider_id: &str) -> Option<(&'static str, &str)> {
    let (scheme, path) = provider_id.split_once("://")?;
    match scheme {
        "aws" => {
            let zone = path.trim_start_matches('/').split('/').next()?;
            let region = zone.strip_suffix(|last: char| last.is_ascii_lowercase())?;
            // A Local Zone such as `us-west-2-lax-1a` is named after its region, which it only begins with.
            let parts: Vec<&str> = region.split('-').collect();
            let is_number = |part: &&&str| part.chars().all(|digit| digit.is_ascii_digit());
            let is_region = parts.iter().filter(is_number).count() == 1
                && parts.iter().next_back().is_some_and(|last| is_number(&last));
            is_region.then_some(("aws", region))
        }
        "gce" => {
            let zone = path.split('/').nth(1)?;
            zone.rsplit_once('-').map(|(region, _)| ("gcp", region))
        }
        _ => None,
    }
}

/// The country of a part of one, or the country itself.
fn country_of(code: &str) -> &str {
    code.split_once('-').map_or(code, |(country, _)| country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_id_names_a_region_where_the_cloud_writes_it() {
        for (id, region) in [
            ("aws:///eu-central-1a/i-0", Some(("aws", "eu-central-1"))),
            ("aws:///us-west-2-lax-1a/i-0", None),
            ("aws:///i-0", None),
            ("gce://project/europe-west3-b/node", Some(("gcp", "europe-west3"))),
            ("gce://project", None),
            ("azure:///subscriptions/s/n", None),
            ("", None),
        ] {
            assert_eq!(region_of_provider_id(id), region, "{id}");
        }
    }
}
