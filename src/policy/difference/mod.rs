//! What a change of policies changes: which cells become permitted and which become refused, when, and
//! because of what.
//!
//! Inputs: two sets, an instant. Outputs: rectangles of cells, the changes that are written, what the
//! settings change. A cell is a tuple, what is performed, the circumstances of a pod and a place
//! (docs/change.md); the engine itself judges it under both sets, at the instant and at every later date
//! that either names. Invariants: whatever pod of a known region is permitted by the new set and refused
//! by the old one, a widening tells so; sets that decide alike have no rectangle, however they are written.
//! The places are the same at every instant, so that each change is told once, with its dates; a proof, for
//! which one instant is as good as another, has a domain of its own (`cells`).
//! Deliberately absent: a fleet (`impact` has one); nodes whose region is not confirmed, for which the
//! change of the setting is told instead; ways to data, of which it is told what is written (`routes`).

mod causes;
mod cells;
mod changes;
mod circumstances;
mod data;
mod places;
mod rectangles;
mod routes;
mod settings;
mod told;
mod words;
mod written;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(super) use circumstances::{Circumstances, circumstances};
pub(super) use data::DataKinds;
pub(super) use places::Places;
pub use routes::RouteChange;
pub use settings::SettingChange;
pub use told::{Told, ToldPlaces};

use super::PolicySet;
use super::catalogue::{PlaceIndex, PlaceSet};
use super::definition::{Activity, ActivitySet, Demand};
use super::epoch::{Epoch, RuleKind};
use super::profile::{Profile, Source, SourcedTuple, UsedDataSet, tuples_of_data_set};
use crate::model::{Classification, DataSet, ReplicaRole, Tuple};
use causes::{Causes, Side};
use cells::{Seen, moved};
use changes::{About, Change, changes};
use rectangles::{Aspect, Cell, Rectangle, rectangles};
use told::Teller;

/// How two sets differ in what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What the settings change.
    pub settings: Vec<SettingChange>,
    /// What is newly permitted.
    pub permitted: Vec<Told>,
    /// What is newly refused.
    pub refused: Vec<Told>,
    /// What changes for the ways to data, as written: no cell shows it.
    pub routes: Vec<RouteChange>,
    /// Changes that are written and that decide no cell and no way.
    pub without_effect: Vec<String>,
}

impl Difference {
    /// Whether the new set may let something through that the old one does not.
    #[must_use]
    pub fn widens(&self) -> bool {
        !self.permitted.is_empty()
            || self.settings.iter().any(|change| change.widens)
            || self.routes.iter().any(|change| change.widens)
    }

    /// Whether the sets mean the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty()
            && self.refused.is_empty()
            && self.routes.is_empty()
            && self.settings.is_empty()
    }
}

/// Compares two sets from an instant on; `None` where they have too many rules and dates together.
#[must_use]
pub fn difference(old: &PolicySet, new: &PolicySet, at: Timestamp) -> Option<Difference> {
    let settings = settings::setting_changes(old.settings(), new.settings());
    let changes = changes(old, new);
    if changes.is_empty() {
        return Some(Difference {
            settings,
            permitted: Vec::new(),
            refused: Vec::new(),
            routes: Vec::new(),
            without_effect: Vec::new(),
        });
    }
    let places = Places::of(&[old, new]);
    let comparison = Comparison::new(old, new, at, &places, &changes)?;
    let rectangles = rectangles(comparison.cells());
    let mut data_sets = comparison.data_sets();
    let teller = Teller {
        sets: (old, new),
        at,
        places: &places,
        data: &comparison.data,
        circumstances: &comparison.circumstances,
        performed: &comparison.performed,
        changes: &changes,
    };
    let (mut permitted, mut refused) = (Vec::new(), Vec::new());
    let mut effective: BTreeSet<usize> = BTreeSet::new();
    let told = rectangles.iter().map(|rectangle| (rectangle, None));
    data_sets.sort();
    let of_data_sets = data_sets
        .iter()
        .map(|(rectangle, name)| (rectangle, Some(name.as_str())));
    for (rectangle, data_set) in told.chain(of_data_sets) {
        effective.extend(teller.because(rectangle));
        let told = teller.tell(rectangle, data_set);
        if rectangle.aspect.is_refused {
            refused.push(told);
        } else {
            permitted.push(told);
        }
    }
    let routes = routes::route_changes(old, new, &changes);
    effective.extend(routes.keys());
    let without_effect = changes.iter().enumerate();
    let without_effect = without_effect.filter(|(number, _)| !effective.contains(number));
    Some(Difference {
        settings,
        permitted,
        refused,
        routes: routes.into_values().collect(),
        without_effect: without_effect
            .map(|(_, change)| change.sentence.clone())
            .collect(),
    })
}

/// Two sets over one domain.
struct Comparison<'a> {
    sets: (&'a PolicySet, &'a PolicySet),
    old: PolicySet,
    new: PolicySet,
    instants: Vec<Timestamp>,
    places: &'a Places,
    data: DataKinds,
    circumstances: Vec<Circumstances>,
    /// Sets of activities that rules tell apart, each with those that are treated like it.
    performed: Vec<Vec<ActivitySet>>,
    changes: &'a [Change],
    causes: Causes<'a>,
}

impl<'a> Comparison<'a> {
    fn new(
        old: &'a PolicySet,
        new: &'a PolicySet,
        at: Timestamp,
        places: &'a Places,
        changes: &'a [Change],
    ) -> Option<Self> {
        let (compiled_old, compiled_new) = (places.compile(old)?, places.compile(new)?);
        let both = [&compiled_old, &compiled_new];
        let epochs: Vec<&Epoch> = both
            .iter()
            .flat_map(|set| set.epochs.iter())
            .filter(|epoch| epoch.until.is_none_or(|until| at < until))
            .collect();
        let later = epochs.iter().map(|epoch| epoch.from).filter(|from| *from > at);
        let instants: BTreeSet<Timestamp> = later.chain([at]).collect();
        // A rule on copies that is the same in both refuses alike, whatever copies there are.
        let looks_at_copies = both.iter().any(|set| {
            let policies = set.definitions.policies.iter();
            let differing = policies.filter(|policy| concerns(changes, &policy.name));
            differing.flat_map(|policy| &policy.rules).any(|rule| {
                matches!(
                    rule.demand,
                    Demand::PrimaryMustBeIn(_) | Demand::FromReplicaIn(_) | Demand::ReplicaMustExistIn(_)
                )
            })
        });
        let copies = if looks_at_copies {
            copies(&epochs, places)
        } else {
            Vec::new()
        };
        let circumstances = circumstances(&both, |policy| concerns(changes, policy), &copies);
        Some(Self {
            sets: (old, new),
            instants: instants.into_iter().collect(),
            data: DataKinds::of(&[old, new], &epochs),
            circumstances,
            performed: performed(&epochs),
            changes,
            causes: Causes::new(changes, places),
            places,
            old: compiled_old,
            new: compiled_new,
        })
    }

    /// Every cell of a single tuple that moves. What moves for a plain pod moves in other circumstances too,
    /// and is told once.
    fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for datum in self.data.all() {
            let Some(tuple) = self.data.tuple(datum) else {
                continue;
            };
            for (performs_number, performs) in self.performed.iter().enumerate() {
                let Some(performs) = performs.first() else {
                    continue;
                };
                let mut of_plain: Vec<Cell> = Vec::new();
                for (number, circumstances) in self.circumstances.iter().enumerate() {
                    if !circumstances.can(&tuple, *performs) {
                        continue;
                    }
                    let profile = circumstances.profile(tuple.clone(), *performs);
                    let found = self.moved(|_| Seen::alike(&profile));
                    for (aspect, mut places) in found {
                        let known = of_plain.iter().filter(|cell| {
                            (cell.aspect.is_refused, &cell.aspect.when) == (aspect.is_refused, &aspect.when)
                        });
                        known.for_each(|cell| places.subtract(&cell.places));
                        if places.is_empty() {
                            continue;
                        }
                        let cell = Cell {
                            aspect,
                            circumstances: number,
                            datum,
                            performs: performs_number,
                            places,
                        };
                        if number == 0 {
                            of_plain.push(cell.clone());
                        }
                        cells.push(cell);
                    }
                }
            }
        }
        cells
    }

    /// What moves for pods that name a declared data set, with all its tuples.
    fn data_sets(&self) -> Vec<(Rectangle, String)> {
        let (old, new) = self.sets;
        let names: BTreeSet<_> = old.data_sets.keys().chain(new.data_sets.keys()).collect();
        let mut found = Vec::new();
        for name in names {
            let (before, after) = (old.data_sets.get(name), new.data_sets.get(name));
            // A data set that both sets see alike is a pod like any other.
            let process = ActivitySet::default().with(Activity::Process);
            let differs = |at: &Timestamp| {
                let [of_old, of_new] = [(old, before), (new, after)]
                    .map(|(set, data_set)| self.profile_of(name, set, data_set, process, *at));
                (of_old.tuples, of_old.data_sets) != (of_new.tuples, of_new.data_sets)
            };
            if !self.instants.iter().any(differs) {
                continue;
            }
            let written = |change: &Change| change.about == About::DataSet(name.to_string());
            let mut cells = Vec::new();
            for (number, performs) in self.performed.iter().enumerate() {
                let Some(performs) = performs.first() else {
                    continue;
                };
                let see = |set: &PolicySet, data_set: Option<&DataSet>, at: Timestamp| {
                    self.profile_of(name, set, data_set, *performs, at)
                };
                let moved = self.moved(|at| Seen {
                    old: Cow::Owned(see(old, before, at)),
                    new: Cow::Owned(see(new, after, at)),
                });
                cells.extend(moved.into_iter().map(|(mut aspect, places)| Cell {
                    aspect: {
                        aspect.because.extend(self.changes.iter().position(written));
                        aspect
                    },
                    circumstances: 0,
                    datum: data::Datum::NoData,
                    performs: number,
                    places,
                }));
            }
            found.extend(
                rectangles(cells)
                    .into_iter()
                    .map(|rectangle| (rectangle, name.to_string())),
            );
        }
        found
    }

    fn profile_of(
        &self,
        name: &crate::model::DataSetName,
        set: &PolicySet,
        data_set: Option<&DataSet>,
        performs: ActivitySet,
        at: Timestamp,
    ) -> Profile {
        let source = Source::DataSet(name.clone());
        let tuples = match data_set {
            Some(data_set) => tuples_of_data_set(&set.definitions, &data_set.profile, at),
            None => vec![crate::model::DataTuple::UNKNOWN],
        };
        let places = |counts: fn(ReplicaRole) -> bool| -> Vec<PlaceIndex> {
            let replicas = data_set.into_iter().flat_map(|data_set| &data_set.replicas);
            let counted = replicas.filter(|replica| counts(replica.role));
            counted
                .map(|replica| self.places.of_replica(set, replica))
                .collect()
        };
        let tuples = tuples.into_iter().map(|tuple| SourcedTuple {
            source: source.clone(),
            tuple: Tuple::Data(tuple),
        });
        Profile {
            tuples: tuples.collect(),
            namespace_labels: Some(BTreeMap::new()),
            data_sets: vec![UsedDataSet {
                name: name.clone(),
                may_read: true,
                may_write: true,
                leaders: places(|role| role == ReplicaRole::Leader),
                readable: places(ReplicaRole::is_readable),
            }],
            performs,
            ..Profile::default()
        }
    }

    fn moved<'p>(&self, seen: impl Fn(Timestamp) -> Seen<'p>) -> Vec<(Aspect, PlaceSet)> {
        let mut found = Vec::new();
        for moved in moved((&self.old, &self.new), &self.instants, &seen) {
            let Some((since, _)) = moved.when.first() else {
                continue;
            };
            let seen = seen(*since);
            let old = Side {
                set: &self.old,
                profile: &seen.old,
            };
            let new = Side {
                set: &self.new,
                profile: &seen.new,
            };
            let (refusing, permitting) = if moved.is_permitted {
                (old, new)
            } else {
                (new, old)
            };
            for (because, places) in self.causes.of(refusing, permitting, *since, &moved.places) {
                let aspect = Aspect {
                    is_refused: !moved.is_permitted,
                    when: moved.when.clone(),
                    because,
                };
                found.push((aspect, places));
            }
        }
        found
    }
}

/// Whether something that a policy says or names is written differently.
fn concerns(changes: &[Change], policy: &str) -> bool {
    let is_of_policy = |about: &About| match about {
        About::Policy(name) | About::Rule(name, _) | About::Exception(name, _) => **name == *policy,
        // What looks at groups, facts and ages is not told apart here: it may be any policy.
        About::Group(_) | About::Region(_) | About::RegionFacts(_) => true,
        About::Settings(part) => *part == "maxFactAge",
        About::Link(_) | About::DataSet(_) => false,
    };
    changes.iter().any(|change| is_of_policy(&change.about))
}

/// Sets of activities; a pod always processes. Those that every rule treats alike are together.
pub(super) fn performed(epochs: &[&Epoch]) -> Vec<Vec<ActivitySet>> {
    let process = ActivitySet::default().with(Activity::Process);
    let store = process.with(Activity::Store);
    let rules = || epochs.iter().flat_map(|epoch| &epoch.rules);
    let storing_differs = rules()
        .any(|rule| rule.activities.contains(Activity::Process) != rule.activities.contains(Activity::Store));
    if storing_differs {
        return [process, store]
            .into_iter()
            .flat_map(|set| [vec![set], vec![set.with(Activity::Replicate)]])
            .collect();
    }
    // A pod that mounts a storage class stores, so the set that stores stands for both.
    vec![
        vec![store, process],
        vec![store.with(Activity::Replicate), process.with(Activity::Replicate)],
    ]
}

/// A place for every way in which rules on data sets can look at a copy; none where there is no such rule.
fn copies(epochs: &[&Epoch], places: &Places) -> Vec<PlaceIndex> {
    let mut lists: Vec<&PlaceSet> = Vec::new();
    for rule in epochs.iter().flat_map(|epoch| &epoch.rules) {
        if let RuleKind::Leaders(outside) | RuleKind::ReadReplicas(outside) | RuleKind::SomeReplica(outside) =
            &rule.kind
        {
            lists.extend([&rule.admits, outside]);
        }
    }
    if lists.is_empty() {
        return Vec::new();
    }
    // Facts that are too old are unknown of a copy too.
    let of_data = Classification::ALL.map(Some).into_iter().chain([None]);
    for classification in of_data {
        lists.extend(epochs.iter().filter_map(|epoch| epoch.fresh(classification)));
    }
    let mut kinds: BTreeMap<Vec<bool>, PlaceIndex> = BTreeMap::new();
    for (index, _) in places.numbering().places() {
        let kind = lists.iter().map(|list| list.contains(index));
        kinds.entry(kind.collect()).or_insert(index);
    }
    kinds.into_values().collect()
}
