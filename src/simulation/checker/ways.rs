//! Whether rules with `transit` leave a way to the data of a pod (docs/policies.md, 3, "Ways to data", and the table of
//! 9 that tells which copies serve).
//!
//! Inputs: what a pod carries, where a node is, links. Output: the first data set to which no way is left, if any.
//! Invariants: a rule that may apply takes away; several on one data set take away together; a way is there or not
//! whatever its latency is, so no measurement is looked at. Deliberately absent: partitions, which are seen and not
//! ruled.

use std::collections::BTreeSet;

use super::carried::{Carried, Source, Tuple};
use super::certainty::Holds::No;
use super::places::NodePlace;
use super::rules::Force;
use super::shapes::{Consistency, DataSet, Demand, DenyOrWarn, Mode, Replica, Role, Serving, Transit};
use super::{Breach, Judge};

/// A region by its provider and its name.
type Key<'d> = (&'d str, &'d str);

/// What rules take away.
#[derive(Debug, Default)]
struct Taken<'d> {
    /// Ways that begin, end or lead through here.
    regions: BTreeSet<Key<'d>>,
    /// The ways between two regions that links join, in order.
    pairs: BTreeSet<[Key<'d>; 2]>,
    /// Every way that no link declares.
    undeclared: bool,
    /// Whether the region of the node must be confirmed to count.
    needs_confirmation: bool,
    /// Which rules.
    rules: BTreeSet<String>,
}

/// Which copies answer: so many of these roles. `None` is nobody knows which.
type Answering = Option<(usize, fn(Role) -> bool)>;

impl<'d> Judge<'d> {
    /// The first data set of a pod to which rules leave no way from a node.
    pub(super) fn closed_way(&self, carried: &Carried, node: NodePlace<'d>) -> Option<Breach> {
        let transits = self.transits(carried);
        if transits.is_empty() {
            return None;
        }
        for (name, used) in &carried.uses {
            if !used.may_read && !used.may_write {
                continue;
            }
            let mut taken = Taken::default();
            for (force, transit, source, tuple) in &transits {
                if self
                    .bound(force, carried, (source, tuple))
                    .contains(&name.as_str())
                {
                    self.take(&mut taken, (force, transit), tuple);
                }
            }
            let data_set = self.documents.data_sets.get(name);
            let (reads, writes) = data_set.map_or((None, None), answering);
            let is_cut_off = |answering| !self.is_reached(&taken, data_set, answering, node);
            let verb = if used.may_read && is_cut_off(reads) {
                "reads"
            } else if used.may_write && is_cut_off(writes) {
                "writes"
            } else {
                continue;
            };
            return Some(no_route(
                &taken,
                &format!("no way is left to `{name}` that the pod {verb}"),
            ));
        }
        if carried.may_name_more {
            let mut taken = Taken::default();
            for (force, transit, source, tuple) in &transits {
                if !matches!(source, Source::DataSet(_)) && transit.when_path_unknown == DenyOrWarn::Deny {
                    self.take(&mut taken, (force, transit), tuple);
                }
            }
            if taken.undeclared {
                return Some(no_route(
                    &taken,
                    "what is mounted is not known and may be data to which no way is left",
                ));
            }
        }
        None
    }

    /// Each enforced rule with `transit` beside each tuple to which it applies.
    fn transits<'c>(&self, carried: &'c Carried) -> Vec<(Force<'d>, &'d Transit, &'c Source, &'c Tuple)> {
        let mut found = Vec::new();
        for activity in &carried.looked_at() {
            for force in self.in_force(*activity) {
                let (Demand::Transit(transit), Mode::Enforce) = (&force.rule.demand, force.mode) else {
                    continue;
                };
                for (source, tuple) in &carried.tuples {
                    let mut blocks = force.policy.blocks.iter();
                    if blocks.any(|block| self.matches(block, carried, tuple) != No) {
                        found.push((force, transit, source, tuple));
                    }
                }
            }
        }
        found
    }

    /// Takes away what one rule does for data such as a tuple.
    fn take(&self, taken: &mut Taken<'d>, (force, transit): (&Force<'_>, &Transit), tuple: &Tuple) {
        taken.rules.insert(format!("{}/{}", force.name, force.rule.id));
        taken.undeclared |= transit.when_path_unknown == DenyOrWarn::Deny;
        taken.needs_confirmation |= self.needs_confirmation(tuple);
        for region in self
            .documents
            .regions
            .values()
            .flat_map(|of_name| of_name.values())
        {
            let zones = region.zones.keys().map(|zone| Some(zone.as_str()));
            let may_be_forbidden = zones.chain([None]).any(|zone| {
                let place = self.place_for(tuple, Some(self.zone(region, zone)));
                self.in_places(place, &transit.forbid) != No
            });
            if may_be_forbidden {
                taken.regions.insert((&region.provider, &region.region));
            }
        }
        for link in self.documents.links.values() {
            let mut countries = link.countries.iter();
            let may_cross = countries.any(|country| {
                let mut forbidden = transit.forbid.iter();
                forbidden.any(|term| self.people_in(country, term) != No)
            });
            // Nobody says which of the links between two regions traffic takes, so one takes the others along.
            if let Some(pair) = self.pair([&link.from, &link.to]).filter(|_| may_cross) {
                taken.pairs.insert(pair);
            }
        }
    }

    /// The regions of the ends of a link, in order.
    fn pair(&self, ends: [&str; 2]) -> Option<[Key<'d>; 2]> {
        let [from, to] = ends.map(|end| {
            let mut parts = end.split('/');
            let region = match (parts.next(), parts.next()) {
                (Some(provider), Some(region)) => self.region(Some(provider), region),
                (Some(region), None) => self.region(None, region),
                _ => None,
            };
            region.map(|region| (region.provider.as_str(), region.region.as_str()))
        });
        let mut pair = [from?, to?];
        pair.sort_unstable();
        Some(pair)
    }

    /// Whether ways are left to as many copies as answer. Of copies that nobody knows, one may be anywhere.
    fn is_reached(
        &self,
        taken: &Taken<'d>,
        data_set: Option<&DataSet>,
        answering: Answering,
        node: NodePlace<'d>,
    ) -> bool {
        let copies = data_set.into_iter().flat_map(|data_set| &data_set.replicas);
        let answers = |role: Role| answering.is_some_and(|(_, answers)| answers(role));
        let answering_copies: Vec<&Replica> = copies.filter(|copy| answers(copy.role)).collect();
        let Some((needed, _)) = answering.filter(|(needed, _)| answering_copies.len() >= *needed) else {
            return !taken.undeclared;
        };
        let key =
            |place: super::places::Place<'d>| -> Key<'d> { (&place.region.provider, &place.region.region) };
        let counts = node.is_confirmed || !taken.needs_confirmation;
        let here = node.place.filter(|_| counts).map(key);
        let reached = answering_copies
            .into_iter()
            .filter(|copy| self.is_way_left(taken, here, self.replica(copy).map(key)));
        reached.count() >= needed
    }

    fn is_way_left(&self, taken: &Taken<'d>, from: Option<Key<'d>>, to: Option<Key<'d>>) -> bool {
        let mut ends = from.iter().chain(&to);
        let is_at_forbidden = ends.any(|end| taken.regions.contains(end));
        let (Some(from), Some(to)) = (from, to) else {
            // What nobody knows lies at the end of a way that nobody declares.
            return !taken.undeclared && !is_at_forbidden;
        };
        if from == to {
            return true;
        }
        if is_at_forbidden {
            return false;
        }
        let mut pair = [from, to];
        pair.sort_unstable();
        let links = self.documents.links.values();
        let declared: BTreeSet<[Key<'d>; 2]> = links
            .filter_map(|link| self.pair([&link.from, &link.to]))
            .collect();
        if !declared.contains(&pair) && !taken.undeclared {
            return true;
        }
        let is_left = |pair: &&[Key<'d>; 2]| {
            !taken.pairs.contains(*pair) && pair.iter().all(|end| !taken.regions.contains(end))
        };
        let left: Vec<&[Key<'d>; 2]> = declared.iter().filter(is_left).collect();
        let mut reached = BTreeSet::from([from]);
        let mut before = 0;
        while reached.len() > before {
            before = reached.len();
            for [one, other] in &left {
                if reached.contains(one) || reached.contains(other) {
                    reached.extend([*one, *other]);
                }
            }
        }
        reached.contains(&to)
    }
}

/// Which copies answer a read, and which a write.
fn answering(data_set: &DataSet) -> (Answering, Answering) {
    let has = |wanted: Role| data_set.replicas.iter().any(|replica| replica.role == wanted);
    let voting = data_set
        .replicas
        .iter()
        .filter(|replica| votes(replica.role))
        .count();
    let majority = voting / 2 + 1;
    let follows = match (has(Role::Leader), voting > 0) {
        (true, _) => Some(Serving::Leader),
        (false, true) => Some(Serving::Quorum),
        (false, false) => None,
    };
    let stated = data_set.access.as_ref();
    let said =
        |serving: Option<Serving>, quorum: Option<usize>| serving.or_else(|| quorum.map(|_| Serving::Quorum));
    let (read_quorum, write_quorum) =
        stated.map_or((None, None), |access| (access.read_quorum, access.write_quorum));
    let reads = said(stated.and_then(|access| access.reads), read_quorum);
    let reads = reads.or(match data_set.consistency {
        Consistency::Strict => follows,
        Consistency::Available => Some(Serving::Nearest),
    });
    let writes = said(stated.and_then(|access| access.writes), write_quorum).or(follows);
    let reads = reads.map(|serving| -> (usize, fn(Role) -> bool) {
        match serving {
            Serving::Nearest => (1, |role| role != Role::Witness),
            Serving::Leader => (1, |role| role == Role::Leader),
            Serving::Quorum => (read_quorum.unwrap_or(majority), |role| {
                votes(role) && role != Role::Witness
            }),
        }
    });
    let writes = writes.map(|serving| -> (usize, fn(Role) -> bool) {
        match serving {
            Serving::Quorum => (write_quorum.unwrap_or(majority), votes),
            Serving::Nearest | Serving::Leader => (1, |role| role == Role::Leader),
        }
    });
    (reads, writes)
}

/// A leader is a voter, and a witness votes.
fn votes(role: Role) -> bool {
    role != Role::ReadOnly
}

fn no_route(taken: &Taken<'_>, what: &str) -> Breach {
    let rules: Vec<String> = taken.rules.iter().map(|rule| format!("`{rule}`")).collect();
    Breach {
        rule: "no-route".to_owned(),
        sentence: format!("{what} under {}", rules.join(" and ")),
    }
}
