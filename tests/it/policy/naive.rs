//! A second evaluator, written from docs/policies.md alone: it reads the world word by word, follows
//! every group by recursion, and compares dates where it meets them. No sets of bits, no epochs, nothing
//! of the engine. Slow and plain on purpose: where the two differ, one of them is wrong.

use std::collections::BTreeSet;

use super::world::*;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Three {
    No,
    Maybe,
    Yes,
}
use Three::{Maybe, No, Yes};

fn sure(holds: bool) -> Three {
    if holds { Yes } else { No }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum SaidBy {
    Namespace,
    Pod,
    Claim,
    Volume(String),
    Class(String),
    DataSet(String),
}

/// A missing word is `None`; the word `none` is a word.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Tuple {
    Unlabelled,
    NoData,
    Data(Option<String>, Option<String>, Option<String>),
}

const UNKNOWN: Tuple = Tuple::Data(None, None, None);

/// The part of the world that one decision looks at.
pub struct Naive<'a> {
    pub set: &'a Set,
    pub objects: &'a Objects,
    pub now: i64,
}

/// Where a node is, as far as the catalogue resolves it.
struct Place<'a> {
    region: &'a Region,
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

/// What a pod comes from, for blocks that select by it.
struct Sources {
    tuples: BTreeSet<(SaidBy, Tuple)>,
    labels: Option<Vec<(&'static str, &'static str)>>,
    classes: Vec<Option<&'static str>>,
    data_sets: BTreeSet<&'static str>,
    activities: Vec<&'static str>,
}

impl Naive<'_> {
    /// 3: a node is permitted when every tuple is permitted for every activity that the pod performs,
    /// and source blocks restrict a pod even when it has no tuple.
    pub fn permits(&self, pod: &Pod, labels: Labels) -> bool {
        let place = self.place(labels);
        let sources = self.sources(pod);
        for activity in &sources.activities {
            for (policy, rule, mode) in self.rules_in_force(activity) {
                let reached = policy
                    .blocks
                    .iter()
                    .any(|block| block.data.is_none() && self.comes_from(block, &sources) != No);
                if reached && mode == "enforce" && !self.admits(rule, place.as_ref()) {
                    return false;
                }
            }
            for (from, tuple) in &sources.tuples {
                if !self.permits_tuple(&sources, from, tuple, activity, place.as_ref()) {
                    return false;
                }
            }
        }
        true
    }

    fn permits_tuple(
        &self,
        sources: &Sources,
        from: &SaidBy,
        tuple: &Tuple,
        activity: &str,
        place: Option<&Place<'_>>,
    ) -> bool {
        let mut covered = false;
        let mut provisional = false;
        for (policy, rule, mode) in self.rules_in_force(activity) {
            let applicable = policy.blocks.iter().any(|block| {
                self.data_matches(block, tuple)
                    .min(self.comes_from(block, sources))
                    != No
            });
            if applicable && mode == "enforce" && !self.admits(rule, place) {
                return false;
            }
            let covers = policy
                .blocks
                .iter()
                .any(|block| self.data_matches(block, tuple) == Yes && self.is_from(block, sources, from));
            if covers && matches!(rule.demand, Demand::Allowed(_)) {
                covered |= mode == "enforce";
                provisional |= mode != "enforce";
            }
        }
        if covered {
            return true;
        }
        let word = |word: &Option<String>, wanted: &str| word.as_deref() == Some(wanted);
        match tuple {
            Tuple::NoData => true,
            Tuple::Data(class, category, subject)
                if word(class, "public") && word(category, "none") && word(subject, "none") =>
            {
                true
            }
            Tuple::Unlabelled => match &self.set.unlabelled {
                Unlabelled::Allow => true,
                Unlabelled::Deny => false,
                Unlabelled::ConfineTo(places) => self.in_places(place, places) == Yes,
            },
            Tuple::Data(..) => provisional || self.set.uncovered_is_allowed,
        }
    }

    fn rules_in_force(&self, activity: &str) -> Vec<(&Policy, &Rule, &'static str)> {
        let mut found = Vec::new();
        for policy in &self.set.policies {
            if policy.effective_from.is_some_and(|day| self.now < day * 24) {
                continue;
            }
            let waits = policy.enforce_from.is_some_and(|day| self.now < day * 24);
            let mode = if policy.mode == "enforce" && waits {
                "audit"
            } else {
                policy.mode
            };
            for rule in &policy.rules {
                let about = match &rule.activities {
                    Some(activities) => activities.contains(&activity),
                    None => activity == "process" || activity == "store",
                };
                if about {
                    found.push((policy, rule, mode));
                }
            }
        }
        found
    }

    fn admits(&self, rule: &Rule, place: Option<&Place<'_>>) -> bool {
        match &rule.demand {
            Demand::Allowed(places) => self.in_places(place, places) == Yes,
            Demand::Denied(places) => self.in_places(place, places) == No,
            Demand::Required(requirement) => place.is_some_and(|place| self.meets(place, requirement) == Yes),
        }
    }

    fn in_places(&self, place: Option<&Place<'_>>, places: &[&str]) -> Three {
        let each = places.iter().map(|term| self.in_place(place, term));
        each.max().unwrap_or(No)
    }

    fn in_place(&self, place: Option<&Place<'_>>, term: &str) -> Three {
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

    fn members(&self, group: &str) -> impl Iterator<Item = &Member> {
        let group = self.set.groups.iter().find(|known| known.name == group).unwrap();
        group.members.iter().filter(|member| {
            let begun = member.from.is_none_or(|day| day * 24 <= self.now);
            let over = member.until.is_some_and(|day| (day + 1) * 24 <= self.now);
            begun && !over
        })
    }

    /// Whether people of `subject` are among those of a term.
    fn subject_in(&self, subject: &str, term: &str) -> Three {
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

    fn meets(&self, place: &Place<'_>, wanted: &Requirement) -> Three {
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

    fn data_matches(&self, block: &Block, tuple: &Tuple) -> Three {
        let Some(selector) = &block.data else {
            return Yes;
        };
        let Tuple::Data(class, category, subject) = tuple else {
            return No;
        };
        let mut all = Yes;
        if let Some(at_least) = selector.at_least {
            let order = ["public", "internal", "confidential", "restricted"];
            let rank = |word: &str| order.iter().position(|known| *known == word).unwrap();
            all = all.min(
                class
                    .as_deref()
                    .map_or(Maybe, |word| sure(rank(word) >= rank(at_least))),
            );
        }
        if let Some(wanted) = &selector.categories {
            let is_among = |word: &str| {
                let mut kind = Some(word);
                while let Some(now) = kind {
                    if wanted.contains(&now) {
                        return true;
                    }
                    kind = match now {
                        "health" | "biometric" | "genetic" => Some("special-category"),
                        "special-category" | "child" | "precise-location" | "criminal-justice" => {
                            Some("personal")
                        }
                        _ => None,
                    };
                }
                false
            };
            all = all.min(category.as_deref().map_or(Maybe, |word| sure(is_among(word))));
        }
        if let Some(wanted) = &selector.subjects {
            let among = |word: &str| match word {
                "none" => sure(wanted.contains(&"none")),
                _ => {
                    let places = wanted.iter().filter(|term| **term != "none");
                    places.map(|term| self.subject_in(word, term)).max().unwrap_or(No)
                }
            };
            all = all.min(subject.as_deref().map_or(Maybe, among));
        }
        all
    }

    /// Whether the pod comes from where the block selects.
    fn comes_from(&self, block: &Block, sources: &Sources) -> Three {
        let mut all = Yes;
        if let Some(wanted) = &block.labels {
            all = all.min(match &sources.labels {
                None => Maybe,
                Some(labels) => sure(wanted.iter().all(|label| labels.contains(label))),
            });
        }
        if let Some(wanted) = &block.storage_classes {
            let each = sources.classes.iter().map(|class| match class {
                None => Maybe,
                Some(class) => sure(wanted.contains(class)),
            });
            all = all.min(each.max().unwrap_or(No));
        }
        if let Some(wanted) = &block.data_sets {
            let named = sources.data_sets.iter().any(|name| wanted.contains(name));
            // A claim or volume that is not known may name any.
            let is_unknown = |(from, tuple): &(SaidBy, Tuple)| {
                matches!(from, SaidBy::Claim | SaidBy::Volume(_)) && *tuple == UNKNOWN
            };
            let may_be_named = sources.tuples.iter().any(is_unknown);
            all = all.min(match named {
                true => Yes,
                false if may_be_named => Maybe,
                false => No,
            });
        }
        all
    }

    /// Whether the tuple's own source satisfies every selector by source of the block, surely.
    fn is_from(&self, block: &Block, sources: &Sources, from: &SaidBy) -> bool {
        let by_labels = match &block.labels {
            None => true,
            Some(wanted) => {
                let labels = sources.labels.as_ref();
                *from == SaidBy::Namespace
                    && labels.is_some_and(|labels| wanted.iter().all(|label| labels.contains(label)))
            }
        };
        let by_class = match (&block.storage_classes, from) {
            (None, _) => true,
            (Some(wanted), SaidBy::Class(name)) => wanted.iter().any(|class| class == name),
            (Some(_), _) => false,
        };
        let by_data_set = match (&block.data_sets, from) {
            (None, _) => true,
            (Some(wanted), SaidBy::DataSet(name)) => wanted.iter().any(|wanted| wanted == name),
            (Some(_), _) => false,
        };
        by_labels && by_class && by_data_set
    }

    /// 3, Places: a bare region key resolves only if it is unique in the catalogue.
    fn place(&self, labels: Labels) -> Option<Place<'_>> {
        let named = self.set.regions.iter().filter(|region| {
            Some(region.region) == labels.region
                && labels.provider.is_none_or(|provider| provider == region.provider)
        });
        let found: Vec<&Region> = named.collect();
        let [region] = found.as_slice() else {
            return None;
        };
        let zone = if labels.zone == Some("z1") {
            region.zone.as_ref()
        } else {
            None
        };
        Some(Place { region, zone })
    }

    /// 2: what a pod carries and where it comes from.
    fn sources(&self, pod: &Pod) -> Sources {
        let mut sources = Sources {
            tuples: BTreeSet::new(),
            labels: None,
            classes: Vec::new(),
            data_sets: BTreeSet::new(),
            activities: vec!["process"],
        };
        if !pod.mounts.is_empty() {
            sources.activities.push("store");
        }
        self.says(&mut sources, SaidBy::Pod, &pod.says);
        for mount in &pod.mounts {
            self.mount(&mut sources, pod, mount);
        }
        for name in sources.data_sets.clone() {
            let from = SaidBy::DataSet(name.to_owned());
            match self.set.data_sets.iter().find(|known| known.name == name) {
                None => {
                    sources.tuples.insert((from, UNKNOWN));
                }
                Some(data_set) => {
                    for category in &data_set.categories {
                        for subject in self.people_of(&data_set.subjects) {
                            let class = Some(data_set.classification.to_owned());
                            let tuple = Tuple::Data(class, Some((*category).to_owned()), subject);
                            sources.tuples.insert((from.clone(), tuple));
                        }
                    }
                }
            }
        }
        self.namespace(&mut sources, pod);
        sources
    }

    fn namespace(&self, sources: &mut Sources, pod: &Pod) {
        let exempt = self.set.exempt.contains(&pod.namespace);
        let mut assert = |tuple: Tuple| {
            if !exempt {
                sources.tuples.insert((SaidBy::Namespace, tuple));
            }
        };
        let Some(namespaces) = &self.objects.namespaces else {
            assert(Tuple::Unlabelled);
            sources.labels = Some(Vec::new());
            return;
        };
        let Some(namespace) = namespaces.iter().find(|known| known.name == pod.namespace) else {
            assert(UNKNOWN);
            return;
        };
        match &namespace.says {
            NamespaceSays::Nothing => assert(Tuple::Unlabelled),
            NamespaceSays::NoData => assert(Tuple::NoData),
            NamespaceSays::Profile(stated) => {
                for tuple in cross_product(stated) {
                    assert(tuple);
                }
            }
            NamespaceSays::ByWorkload => {
                let asserts = |(from, tuple): &(SaidBy, Tuple)| {
                    let complete = matches!(tuple, Tuple::Data(Some(_), Some(_), Some(_)));
                    *from != SaidBy::Pod || complete
                };
                if !sources.tuples.iter().any(asserts) && !exempt {
                    sources.tuples.insert((SaidBy::Namespace, UNKNOWN));
                }
            }
        }
        sources.labels = Some(namespace.labels.clone());
    }

    fn mount(&self, sources: &mut Sources, pod: &Pod, mount: &Mount) {
        if let Some(template) = &mount.template {
            self.says(sources, SaidBy::Claim, &template.says);
        }
        let class_of_template = mount
            .template
            .as_ref()
            .and_then(|template| template.storage_class);
        let found = self.objects.claims.as_ref().map(|claims| {
            let named = |claim: &&Claim| claim.namespace == pod.namespace && claim.name == mount.claim;
            claims.iter().find(named)
        });
        let class = match found {
            // Claims are known and this one is not: anything may be on it.
            Some(None) if mount.template.is_none() => {
                sources.tuples.insert((SaidBy::Claim, UNKNOWN));
                None
            }
            None | Some(None) => class_of_template,
            Some(Some(claim)) => {
                self.says(sources, SaidBy::Claim, &claim.says);
                let of_volume = match claim.volume {
                    Some(name) => self.volume(sources, name),
                    None => class_of_template,
                };
                claim.storage_class.or(of_volume)
            }
        };
        if let Some(name) = class {
            let classes = self.objects.storage_classes.iter().flatten();
            if let Some(object) = classes.into_iter().find(|known| known.name == name) {
                self.says(sources, SaidBy::Class(name.to_owned()), &object.says);
            }
        }
        sources.classes.push(class);
    }

    fn volume(&self, sources: &mut Sources, name: &str) -> Option<&'static str> {
        let volumes = self.objects.volumes.as_ref()?;
        let from = SaidBy::Volume(name.to_owned());
        match volumes.iter().find(|known| known.name == name) {
            None => {
                sources.tuples.insert((from, UNKNOWN));
                None
            }
            Some(volume) => {
                self.says(sources, from, &volume.says);
                volume.storage_class
            }
        }
    }

    fn says(&self, sources: &mut Sources, from: SaidBy, says: &Says) {
        for tuple in cross_product(&says.stated) {
            sources.tuples.insert((from.clone(), tuple));
        }
        sources.data_sets.extend(&says.data_sets);
    }

    /// A group among the subjects of a data set stands for its members; one without members for anybody.
    fn people_of(&self, subjects: &[&str]) -> Vec<Option<String>> {
        let mut people = Vec::new();
        for subject in subjects {
            match subject.strip_prefix("group/") {
                None => people.push(Some((*subject).to_owned())),
                Some(group) => {
                    let members = self.people_of_group(group);
                    if members.is_empty() {
                        people.push(None);
                    }
                    people.extend(members.into_iter().map(Some));
                }
            }
        }
        people
    }

    fn people_of_group(&self, group: &str) -> Vec<String> {
        let mut people = Vec::new();
        for member in self.members(group) {
            match member.place.strip_prefix("group/") {
                Some(inner) => people.extend(self.people_of_group(inner)),
                None => people.push(member.place.to_owned()),
            }
        }
        people
    }
}

fn cross_product(stated: &Stated) -> Vec<Tuple> {
    if stated.is_empty() {
        return Vec::new();
    }
    let words = |list: &Option<Vec<&'static str>>| -> Vec<Option<String>> {
        match list {
            None => vec![None],
            Some(words) => words.iter().map(|word| Some((*word).to_owned())).collect(),
        }
    };
    let bare_public = stated.classifications == Some(vec!["public"])
        && stated.categories.is_none()
        && stated.subjects.is_none();
    let (categories, subjects) = if bare_public {
        let none = vec![Some("none".to_owned())];
        (none.clone(), none)
    } else {
        (words(&stated.categories), words(&stated.subjects))
    };
    let mut tuples = Vec::new();
    for class in words(&stated.classifications) {
        for category in &categories {
            for subject in &subjects {
                tuples.push(Tuple::Data(class.clone(), category.clone(), subject.clone()));
            }
        }
    }
    tuples
}
