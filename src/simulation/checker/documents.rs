//! The documents of a set, by their kinds and names.
//!
//! Inputs: texts with their names. Output: [`Documents`]. Invariants: every group that is named is there and none
//! contains itself, so that following them ends; there is one `PolicySettings`; of two data sets of a name the later
//! counts, and of no other kind are there two. Deliberately absent: findings for people, which `domicile lint` has;
//! here the first thing that is wrong ends the reading.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::shapes::{
    Block, DataSet, Demand, Exception, Group, Link, Member, Mode, Policy, Region, Requirement, Rule,
    Settings, Unlabelled,
};
use super::words::{Beginning, days_long};

/// The only version of our objects.
const API_VERSION: &str = "domicile.dev/v1alpha1";

/// The most nodes of one document, which is far beyond the largest that is shipped.
const MOST_NODES: usize = 100_000;

/// Everything that decides where pods may run.
#[derive(Debug, Clone)]
pub(super) struct Documents {
    pub(super) settings: Settings,
    /// By the name of the region, then of the provider.
    pub(super) regions: BTreeMap<String, BTreeMap<String, Region>>,
    pub(super) groups: BTreeMap<String, Vec<Member>>,
    pub(super) data_sets: BTreeMap<String, DataSet>,
    pub(super) links: BTreeMap<String, Link>,
    pub(super) policies: BTreeMap<String, AppliedPolicy>,
    pub(super) exceptions: BTreeMap<String, Exception>,
}

/// A policy, as far as it decides.
#[derive(Debug, Clone)]
pub(super) struct AppliedPolicy {
    pub(super) mode: Mode,
    pub(super) effective_from: Option<Beginning>,
    pub(super) enforce_from: Option<Beginning>,
    pub(super) blocks: Vec<Block>,
    pub(super) rules: Vec<Rule>,
    pub(super) allows_exceptions: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<S> {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    #[serde(rename = "metadata")]
    _metadata: IgnoredAny,
    spec: S,
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    settings: Vec<Settings>,
    regions: BTreeMap<String, Region>,
    groups: BTreeMap<String, Group>,
    data_sets: BTreeMap<String, DataSet>,
    links: BTreeMap<String, Link>,
    policies: BTreeMap<String, Policy>,
    exceptions: BTreeMap<String, Exception>,
}

impl Documents {
    /// Reads texts.
    ///
    /// # Errors
    /// The first thing that cannot be read, with the name of its text.
    pub(super) fn read(texts: &[(&str, &str)]) -> Result<Self, String> {
        let mut reading = Reading::default();
        for (name, text) in texts {
            for document in cut(text) {
                reading
                    .take(document)
                    .map_err(|problem| format!("{name}: {problem}"))?;
            }
        }
        let read = reading.finish()?;
        read.names_groups_that_are_there()?;
        Ok(read)
    }

    /// Reads the `spec` of a data set, which from now on is the one of its name.
    pub(super) fn set_data_set(&mut self, name: &str, spec: &serde_json::Value) -> Result<(), String> {
        let data_set = DataSet::deserialize(spec).map_err(|error| format!("DataSet `{name}`: {error}"))?;
        self.data_sets.insert(name.to_owned(), data_set);
        self.names_groups_that_are_there()
    }

    /// Takes the copies of a data set, as its `replicas` say them, for those that it has from now on.
    pub(super) fn set_copies(&mut self, name: &str, copies: &serde_json::Value) -> Result<(), String> {
        let copies = Vec::deserialize(copies).map_err(|error| format!("the copies of `{name}`: {error}"))?;
        if let Some(data_set) = self.data_sets.get_mut(name) {
            data_set.replicas = copies;
        }
        Ok(())
    }

    /// Every instant at which something begins or ends.
    pub(super) fn dates(&self) -> BTreeSet<Timestamp> {
        let mut dates = BTreeSet::new();
        let mut days: BTreeSet<u32> = BTreeSet::new();
        let mut required = |requirement: &Requirement| {
            let wanted = requirement.certifications.iter().flatten();
            days.extend(wanted.map(|wanted| wanted.valid_at_least_days));
        };
        for policy in self.policies.values() {
            dates.extend(
                policy
                    .effective_from
                    .iter()
                    .chain(&policy.enforce_from)
                    .map(|date| date.0),
            );
            for rule in &policy.rules {
                if let Demand::Required(requirement) = &rule.demand {
                    required(requirement);
                }
            }
        }
        for member in self.groups.values().flatten() {
            dates.extend(member.from.map(|date| date.0));
            dates.extend(member.until.map(|date| date.0));
            if let Some(requirement) = &member.required {
                required(requirement);
            }
        }
        for exception in self.exceptions.values() {
            dates.extend([exception.not_before.0, exception.expires.0]);
        }
        for region in self.regions.values().flat_map(BTreeMap::values) {
            let ages = self.settings.max_fact_age.values();
            dates.extend(ages.filter_map(|age| region.source.as_of.0.checked_add(age.0).ok()));
            let of_zones = region
                .zones
                .values()
                .filter_map(|zone| zone.certifications.as_ref());
            let held = region.certifications.iter().chain(of_zones).flatten();
            for end in held.filter_map(|held| held.valid_until) {
                let last = days
                    .iter()
                    .filter_map(|days| end.0.checked_sub(days_long(*days)).ok());
                dates.extend(last);
            }
        }
        dates
    }

    fn names_groups_that_are_there(&self) -> Result<(), String> {
        for name in self.groups.keys() {
            self.group_ends(name, &mut Vec::new())?;
        }
        let mut named: Vec<&String> = Vec::new();
        if let Unlabelled::Confined(confined) = &self.settings.unlabelled {
            named.extend(&confined.confine_to);
        }
        for policy in self.policies.values() {
            for block in &policy.blocks {
                let data = block.data.iter();
                named.extend(data.flat_map(|data| data.subjects.iter().flatten()));
            }
            for rule in &policy.rules {
                match &rule.demand {
                    Demand::Allowed(places)
                    | Demand::Denied(places)
                    | Demand::PrimaryMustBeIn(places)
                    | Demand::FromReplicaIn(places)
                    | Demand::NoneOutside(places)
                    | Demand::MustExistIn(places) => named.extend(places),
                    Demand::Transit(transit) => named.extend(&transit.forbid),
                    Demand::Required(requirement) => named.extend(places_of(requirement)),
                }
            }
        }
        for exception in self.exceptions.values() {
            named.extend(&exception.scope.locations);
            named.extend(exception.scope.data.subjects.iter().flatten());
        }
        for data_set in self.data_sets.values() {
            named.extend(&data_set.profile.subjects);
        }
        let groups = named.into_iter().filter_map(|place| place.strip_prefix("group/"));
        for group in groups {
            if !self.groups.contains_key(group) {
                return Err(format!("no group is called `{group}`"));
            }
        }
        Ok(())
    }

    /// That following the members of a group ends.
    fn group_ends<'a>(&'a self, name: &'a str, above: &mut Vec<&'a str>) -> Result<(), String> {
        if above.contains(&name) {
            return Err(format!("the group `{name}` contains itself"));
        }
        let members = self.groups.get(name);
        let members = members.ok_or_else(|| format!("no group is called `{name}`"))?;
        above.push(name);
        for member in members {
            let required = member.required.iter().flat_map(places_of);
            for place in std::iter::once(&member.place).chain(required) {
                if let Some(inner) = place.strip_prefix("group/") {
                    self.group_ends(inner, above)?;
                }
            }
        }
        above.pop();
        Ok(())
    }
}

/// The places that a requirement names.
fn places_of(requirement: &Requirement) -> impl Iterator<Item = &String> {
    let operator = requirement.operator.iter();
    operator.flat_map(|operator| {
        let control = operator.controlled_from.iter().flatten();
        control.chain(operator.admin_access_from.iter().flatten())
    })
}

impl Reading {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let header: Header = parse(text)?;
        let Header {
            api_version,
            kind,
            metadata: Metadata { name },
        } = header;
        if api_version != API_VERSION {
            return Err(format!("`{api_version}` is not `{API_VERSION}`"));
        }
        match kind.as_str() {
            "PolicySettings" => self.settings.push(spec(text)?),
            "Region" => once(&mut self.regions, name, spec(text)?)?,
            "JurisdictionGroup" => {
                let group: Group = spec(text)?;
                let name = group.name.clone().unwrap_or(name);
                once(&mut self.groups, name, group)?;
            }
            "NetworkLink" => once(&mut self.links, name, spec(text)?)?,
            "PlacementPolicy" => once(&mut self.policies, name, spec(text)?)?,
            "PlacementException" => once(&mut self.exceptions, name, spec(text)?)?,
            "DataSet" => {
                self.data_sets.insert(name, spec(text)?);
            }
            // These ask what the others decide.
            "Guarantee" | "PolicyTest" => {}
            _ => return Err(format!("`{kind}` is no kind of document")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Documents, String> {
        let mut settings = self.settings.into_iter();
        let (Some(settings), None) = (settings.next(), settings.next()) else {
            return Err("there is not exactly one PolicySettings".to_owned());
        };
        let mut regions: BTreeMap<String, BTreeMap<String, Region>> = BTreeMap::new();
        for region in self.regions.into_values() {
            let of_name = regions.entry(region.region.clone()).or_default();
            if let Some(other) = of_name.insert(region.provider.clone(), region) {
                return Err(format!(
                    "the region {}/{} is there twice",
                    other.provider, other.region
                ));
            }
        }
        let policies = self.policies.into_iter().map(|(name, policy)| {
            let applied = AppliedPolicy {
                mode: policy.mode,
                effective_from: policy.effective.and_then(|effective| effective.from),
                enforce_from: policy.enforce_from,
                blocks: policy.applies_to.blocks(),
                rules: policy.rules,
                allows_exceptions: policy.exceptions.is_some_and(|exceptions| exceptions.allowed),
            };
            (name, applied)
        });
        let groups = self.groups.into_iter().map(|(name, group)| (name, group.members));
        Ok(Documents {
            settings,
            regions,
            groups: groups.collect(),
            data_sets: self.data_sets,
            links: self.links,
            policies: policies.collect(),
            exceptions: self.exceptions,
        })
    }
}

fn once<S>(known: &mut BTreeMap<String, S>, name: String, spec: S) -> Result<(), String> {
    if known.contains_key(&name) {
        return Err(format!("two documents of one kind are called `{name}`"));
    }
    known.insert(name, spec);
    Ok(())
}

fn spec<S: DeserializeOwned>(text: &str) -> Result<S, String> {
    let document: Document<S> = parse(text)?;
    Ok(document.spec)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: MOST_NODES,
            max_documents: 1,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        message.lines().next().unwrap_or_default().to_owned()
    })
}

/// Cuts a text at the lines that begin documents; what has comments alone is none.
fn cut(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut starts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|rest| rest.chars().next().is_none_or(char::is_whitespace)) {
            starts.push(offset);
        }
        offset += line.len();
    }
    starts.push(text.len());
    let parts = starts.windows(2).filter_map(|ends| match ends {
        [from, to] => text.get(*from..*to),
        _ => None,
    });
    let says_something = |part: &&str| {
        let body = part.strip_prefix("---").unwrap_or(part);
        let mut lines = body.lines().map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#') && line != "...")
    };
    parts.filter(says_something).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rest: &str) -> Result<Documents, String> {
        let settings = "# head\n---\napiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: a}\n\
            spec: {mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology}\n";
        Documents::read(&[("a.yaml", settings), ("b.yaml", rest)])
    }

    fn group(name: &str, members: &str) -> String {
        format!(
            "---\napiVersion: domicile.dev/v1alpha1\nkind: JurisdictionGroup\nmetadata: {{name: {name}}}\n\
             spec: {{asOf: \"2026-01-01\", reviewBy: \"2027-01-01\", source: x, members: [{members}]}}\n"
        )
    }

    #[test]
    fn what_cannot_be_read_is_told_and_never_left_out() {
        assert!(with("").is_ok_and(|read| read.policies.is_empty()));
        let loop_of_two = group("A", "{group: B}") + &group("B", "{group: A}");
        for (text, sentence) in [
            (group("A", "{group: B}"), "no group is called `B`"),
            (loop_of_two, "the group `A` contains itself"),
            (group("A", "{country: DE, group: A}"), "a member is one country"),
            (group("A", "{country: DE, form: x}"), "unknown field"),
            (group("A", "{country: DE, from: soon}"), "`soon` is no date"),
            (
                group("A", "{country: DE}").replace("JurisdictionGroup", "Groop"),
                "b.yaml: `Groop` is no kind",
            ),
            (
                group("A", "{country: DE}") + &group("A", "{country: DE}"),
                "b.yaml: two documents",
            ),
        ] {
            let problem = with(&text).map(|_| ()).unwrap_err();
            assert!(problem.contains(sentence), "{problem}");
        }
        assert!(Documents::read(&[]).is_err());
    }

    #[test]
    fn what_is_said_of_copies_to_be_found_is_passed_over() {
        let text = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: a}\n\
            spec: {mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology, \
            roleLabels: [{label: example.com/role, value: standby, role: voter}]}\n\
            ---\napiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {name: orders}\n\
            spec: {profile: {classification: internal, categories: [none], subjects: [none]}, \
            consistency: strict, members: {namespaces: [shop]}, replicas: []}\n";
        let read = Documents::read(&[("a.yaml", text)]).unwrap();
        assert!(read.data_sets["orders"].replicas.is_empty());
    }
}
