//! Where nodes and copies are, and what they are in (docs/policies.md, 3, "Places").

use super::super::world::*;
use super::{Maybe, Naive, No, Three, Tuple, Yes, rank, sure};

/// Where a node is, as far as the catalogue resolves it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) region: &'a Region,
    zone: Option<&'a Facts>,
}

impl Place<'_> {
    fn operator(&self) -> Option<&Operator> {
        let own = self.zone.and_then(|zone| zone.operator.as_ref());
        own.or(self.region.facts.operator.as_ref())
    }
    fn certifications(&self) -> Option<&Vec<Certification>> {
        let own = self.zone.and_then(|zone| zone.certifications.as_ref());
        own.or(self.region.facts.certifications.as_ref())
    }
    fn key_custody(&self) -> Option<&'static str> {
        let own = self.zone.and_then(|zone| zone.key_custody);
        own.or(self.region.facts.key_custody)
    }
    fn tenancy(&self) -> Option<&'static str> {
        let own = self.zone.and_then(|zone| zone.tenancy);
        own.or(self.region.facts.tenancy)
    }
}

impl Naive<'_> {
    /// Where a node is by the statement that the settings trust; a bare region key resolves only if it is
    /// unique in the catalogue.
    pub(super) fn place(&self, labels: Labels) -> Option<Place<'_>> {
        let (provider, region) = match (self.set.region_key, labels.provider_id) {
            (RegionKey::ProviderId, None) => return None,
            (RegionKey::ProviderId, Some((provider, region))) => {
                let contradicts = labels
                    .region
                    .is_some_and(|label| (labels.provider, label) != (Some(provider), region));
                if contradicts {
                    return None;
                }
                (Some(provider), region)
            }
            (RegionKey::Topology | RegionKey::NodeRestriction(_), _) => (labels.provider, labels.region?),
        };
        self.resolve(provider, region, labels.zone)
    }

    pub(super) fn resolve(
        &self,
        provider: Option<&str>,
        region: &str,
        zone: Option<&str>,
    ) -> Option<Place<'_>> {
        let named = self.set.regions.iter().filter(|known| {
            known.region == region && provider.is_none_or(|provider| provider == known.provider)
        });
        let found: Vec<&Region> = named.collect();
        let [region] = found.as_slice() else {
            return None;
        };
        let zone = if zone == Some("z1") {
            region.zone.as_ref()
        } else {
            None
        };
        Some(Place { region, zone })
    }

    /// The place as far as it counts for a tuple: old facts and regions that nothing confirms do not.
    pub(super) fn place_for<'p>(&self, tuple: &Tuple, place: Option<Place<'p>>) -> Option<Place<'p>> {
        let place = place?;
        let Tuple::Data(class, _, _) = tuple else {
            return Some(place);
        };
        let mut ages = Vec::new();
        for (from, days) in &self.set.max_fact_age {
            if class.as_deref().is_none_or(|class| rank(class) >= rank(from)) {
                ages.push(*days);
            }
        }
        match ages.iter().min() {
            Some(days) if (place.region.as_of + days) * 24 <= self.now => None,
            _ => Some(place),
        }
    }

    /// The place of a node as far as it counts for a tuple.
    pub(super) fn node_for(&self, tuple: &Tuple, labels: Labels) -> Option<Place<'_>> {
        let place = self.place(labels)?;
        if let (RegionKey::NodeRestriction(from), Tuple::Data(class, _, _)) = (self.set.region_key, tuple) {
            let asks = class.as_deref().is_none_or(|class| rank(class) >= rank(from));
            let confirming = labels
                .restricted
                .and_then(|region| self.resolve(labels.provider, region, None));
            let is_confirmed = confirming.is_some_and(|confirming| {
                (confirming.region.provider, confirming.region.region)
                    == (place.region.provider, place.region.region)
            });
            if asks && !is_confirmed {
                return None;
            }
        }
        self.place_for(tuple, Some(place))
    }

    pub(super) fn in_places(&self, place: Option<&Place<'_>>, places: &[&str]) -> Three {
        let each = places.iter().map(|term| self.in_place(place, term));
        each.max().unwrap_or(No)
    }

    pub(super) fn in_place(&self, place: Option<&Place<'_>>, term: &str) -> Three {
        let Some(place) = place else {
            return Maybe;
        };
        if term == "anywhere" {
            return Yes;
        }
        if let Some(name) = term.strip_prefix("group/") {
            let mut found = No;
            for member in self.members(name) {
                let here = self.in_place(Some(place), member.place);
                let condition = match &member.required {
                    Some(requirement) => self.meets(place, requirement),
                    None => Yes,
                };
                found = found.max(here.min(condition));
            }
            return found;
        }
        match term.split_once('-') {
            None => sure(place.region.country == term),
            Some((country, _)) if country != place.region.country => No,
            Some(_) => match place.region.subdivision {
                None => Maybe,
                Some(part) => sure(part == term),
            },
        }
    }

    pub(super) fn members(&self, group: &str) -> impl Iterator<Item = &Member> {
        let group = self.set.groups.iter().find(|known| known.name == group).unwrap();
        group.members.iter().filter(|member| {
            let begun = member.from.is_none_or(|day| day * 24 <= self.now);
            let over = member.until.is_some_and(|day| (day + 1) * 24 <= self.now);
            begun && !over
        })
    }

    /// Whether people of `subject` are among those of a term.
    pub(super) fn subject_in(&self, subject: &str, term: &str) -> Three {
        if term == "anywhere" {
            return Yes;
        }
        if let Some(name) = term.strip_prefix("group/") {
            let mut found = No;
            for member in self.members(name) {
                let condition = if member.required.is_some() { Maybe } else { Yes };
                found = found.max(self.subject_in(subject, member.place).min(condition));
            }
            return found;
        }
        let country_of = |code: &str| code.split('-').next().unwrap_or("").to_owned();
        if subject == term || country_of(subject) == term {
            Yes
        } else if country_of(term) == subject {
            Maybe
        } else {
            No
        }
    }

    pub(super) fn meets(&self, place: &Place<'_>, wanted: &Requirement) -> Three {
        let operator = place.operator();
        let mut all = Yes;
        if let Some(entities) = &wanted.legal_entity {
            let entity = operator.and_then(|operator| operator.legal_entity);
            all = all.min(entity.map_or(Maybe, |entity| sure(entities.contains(&entity))));
        }
        let every_country = |countries: Option<&Vec<&'static str>>, places: &Vec<&'static str>| {
            let Some(countries) = countries else {
                return Maybe;
            };
            let inside = |country: &&str| {
                let each = places.iter().map(|place| self.subject_in(country, place));
                each.max().unwrap_or(No)
            };
            countries.iter().map(inside).min().unwrap_or(Maybe)
        };
        if let Some(places) = &wanted.controlled_from {
            let countries = operator.and_then(|operator| operator.controlled_from.as_ref());
            all = all.min(every_country(countries, places));
        }
        if let Some(places) = &wanted.admin_access_from {
            let countries = operator.and_then(|operator| operator.admin_access_from.as_ref());
            all = all.min(every_country(countries, places));
        }
        if let Some(any_of) = &wanted.certifications {
            let held = place.certifications();
            let one = |(scheme, level, days): &(&str, Option<&'static str>, i64)| {
                let Some(held) = held else {
                    return Maybe;
                };
                let fits = |certification: &Certification| {
                    let scheme = sure(certification.scheme == *scheme);
                    let level = match (level, certification.level) {
                        (None, _) => Yes,
                        (Some(_), None) => Maybe,
                        (Some(wanted), Some(level)) => sure(*wanted == level),
                    };
                    let valid = match certification.valid_until {
                        None => Maybe,
                        Some(day) => sure(self.now + days * 24 < (day + 1) * 24),
                    };
                    scheme.min(level).min(valid)
                };
                held.iter().map(fits).max().unwrap_or(No)
            };
            all = all.min(any_of.iter().map(one).max().unwrap_or(No));
        }
        if let Some(custodies) = &wanted.key_custody {
            all = all.min(
                place
                    .key_custody()
                    .map_or(Maybe, |custody| sure(custodies.contains(&custody))),
            );
        }
        if let Some(tenancies) = &wanted.tenancy {
            all = all.min(
                place
                    .tenancy()
                    .map_or(Maybe, |tenancy| sure(tenancies.contains(&tenancy))),
            );
        }
        all
    }
}
