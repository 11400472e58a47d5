//! The walk over all cells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::words::{Case, case_in_words};
use super::{Counterexample, Proof, ProofOutcome};
use crate::model::{DataTuple, Membership, NamespaceName};
use crate::policy::PolicySet;
use crate::policy::catalogue::{Catalogue, PlaceIndex, PlaceSet};
use crate::policy::cells::{Domain, FactKinds, TupleSource, performed_sets};
use crate::policy::definition::{ActivitySet, Definitions, ForbiddenPlaces, Guarantee};
use crate::policy::evaluate::{Verdict, evaluate};
use crate::policy::membership::Jurisdictions;
use crate::policy::selector::DataMatcher;

/// What was found so far.
pub struct Search<'a> {
    set: &'a PolicySet,
    /// The instant that was asked about.
    asked: Timestamp,
    /// The same, with every exception for its whole namespace.
    widest: Definitions,
    outcomes: Vec<ProofOutcome>,
    opened_by: Vec<BTreeSet<usize>>,
    /// How many cells were decided.
    pub cells: u64,
}

/// A guarantee, ready to be checked at one instant.
struct Checked<'a> {
    index: usize,
    guarantee: &'a Guarantee,
    data: DataMatcher,
    forbidden: PlaceSet,
    /// The best counterexample so far and how good it is.
    found: Option<(Rank, Found)>,
}

/// How plain a counterexample is; the least is the plainest. It takes exceptions, states not everything,
/// has no catalogued region, is at the unknown place, is selected by its source.
type Rank = [bool; 5];

struct Found {
    tuple: DataTuple,
    source: TupleSource,
    performs: ActivitySet,
    namespace: Option<NamespaceName>,
    place: PlaceIndex,
    catalogued: Option<PlaceIndex>,
}

/// One instant.
struct Instant<'a> {
    now: Timestamp,
    domain: Domain,
    hypothetical: PolicySet,
    /// For each guarantee where it is broken in the catalogue.
    forbidden_in_catalogue: Vec<PlaceSet>,
    /// Namespaces with exceptions in force, and for which data these are.
    excepted: BTreeMap<&'a NamespaceName, Vec<DataMatcher>>,
}

impl<'a> Search<'a> {
    pub fn new(set: &'a PolicySet, asked: Timestamp) -> Self {
        let mut widest = set.definitions.clone();
        for exception in &mut widest.exceptions {
            exception.workload = None;
        }
        let guarantees = &set.definitions.guarantees;
        Self {
            set,
            asked,
            widest,
            outcomes: guarantees.iter().map(|_| ProofOutcome::Holds).collect(),
            opened_by: vec![BTreeSet::new(); guarantees.len()],
            cells: 0,
        }
    }

    pub fn finish(self) -> Vec<Proof> {
        let of_each = self.outcomes.into_iter().zip(self.opened_by);
        let proofs = of_each
            .enumerate()
            .map(|(guarantee, (outcome, opened_by))| Proof {
                guarantee,
                outcome,
                opened_by,
            });
        proofs.collect()
    }

    /// Looks at one instant, at every guarantee that nothing has broken yet.
    pub fn at(&mut self, now: Timestamp) {
        let definitions = &self.set.definitions;
        let unbroken = definitions
            .guarantees
            .iter()
            .enumerate()
            .filter(|(index, _)| matches!(self.outcomes.get(*index), Some(ProofOutcome::Holds)));
        let unbroken: Vec<(usize, &Guarantee)> = unbroken.collect();
        if unbroken.is_empty() {
            return;
        }
        let domain = match Domain::new(&[definitions], now, FactKinds::MostPermitted) {
            Ok(domain) => domain,
            Err(problem) => {
                for (index, _) in unbroken {
                    self.conclude(index, ProofOutcome::Unproved(problem));
                }
                return;
            }
        };
        let jurisdictions = Jurisdictions::at(definitions, domain.catalogue(), now);
        let in_catalogue = Jurisdictions::at(definitions, &self.set.catalogue, now);
        let mut excepted: BTreeMap<&NamespaceName, Vec<DataMatcher>> = BTreeMap::new();
        for exception in definitions
            .exceptions
            .iter()
            .filter(|exception| exception.is_in_force(now))
        {
            let matcher = DataMatcher::new(&jurisdictions, &exception.data);
            excepted.entry(&exception.namespace).or_default().push(matcher);
        }
        let mut checked: Vec<Checked<'_>> = unbroken
            .into_iter()
            .map(|(index, guarantee)| Checked {
                index,
                guarantee,
                data: DataMatcher::new(&jurisdictions, &guarantee.data),
                forbidden: forbidden(guarantee, &jurisdictions, domain.catalogue()),
                found: None,
            })
            .collect();
        let of_catalogue = checked
            .iter()
            .map(|checked| forbidden(checked.guarantee, &in_catalogue, &self.set.catalogue));
        let instant = Instant {
            now,
            forbidden_in_catalogue: of_catalogue.collect(),
            hypothetical: domain.compile(self.widest.clone()),
            domain,
            excepted,
        };
        for tuple in instant.domain.tuples() {
            for source in instant.domain.sources().iter().filter(|source| source.can_cover) {
                self.cell(&instant, &mut checked, tuple, source);
            }
        }
        for Checked {
            index,
            guarantee,
            found,
            ..
        } in checked
        {
            if let Some((_, found)) = found {
                let counterexample = self.counterexample(&instant, guarantee, found);
                self.conclude(index, ProofOutcome::Fails(Box::new(counterexample)));
            }
        }
    }

    fn conclude(&mut self, index: usize, outcome: ProofOutcome) {
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = outcome;
        }
    }

    /// Looks at one tuple from one source, with everything that a guarantee speaks of and no more.
    fn cell(
        &mut self,
        instant: &Instant<'_>,
        checked: &mut [Checked<'_>],
        tuple: &DataTuple,
        source: &TupleSource,
    ) {
        let may_be_spoken_of = |checked: &Checked<'_>| checked.data.matches(tuple) != Membership::Out;
        let spoken_of: Vec<bool> = checked.iter().map(may_be_spoken_of).collect();
        for performs in performed_sets() {
            let concerned: Vec<usize> = checked
                .iter()
                .enumerate()
                .zip(&spoken_of)
                .filter(|((_, checked), spoken_of)| {
                    **spoken_of && is_least(performs, checked.guarantee, source)
                })
                .map(|((number, _), _)| number)
                .collect();
            if concerned.is_empty() {
                continue;
            }
            let excepted = instant.excepted.iter().filter(|(_, exceptions)| {
                let mut exceptions = exceptions.iter();
                exceptions.any(|exception| exception.matches(tuple) == Membership::In)
            });
            let namespaces = [None]
                .into_iter()
                .chain(excepted.map(|(name, _)| Some((*name).clone())));
            for namespace in namespaces {
                let profile = source.profile(instant.domain.catalogue(), tuple, performs, namespace.clone());
                let verdict = evaluate(&instant.hypothetical, &profile, instant.now);
                self.cells += 1;
                for number in &concerned {
                    let Some(checked) = checked.get_mut(*number) else {
                        continue;
                    };
                    let mut broken_at = verdict.permitted.clone();
                    broken_at.intersect(&checked.forbidden);
                    if broken_at.is_empty() {
                        continue;
                    }
                    if namespace.is_some() && checked.guarantee.allows_exceptions {
                        self.note_opened(checked.index, &verdict, &broken_at);
                        continue;
                    }
                    let broken_in_catalogue = self.broken_in_catalogue(instant, *number, |catalogue| {
                        source.profile(catalogue, tuple, performs, namespace.clone())
                    });
                    checked.take(
                        &broken_at,
                        broken_in_catalogue,
                        Found {
                            tuple: tuple.clone(),
                            source: source.clone(),
                            performs,
                            namespace: namespace.clone(),
                            place: PlaceIndex::UNKNOWN,
                            catalogued: None,
                        },
                    );
                }
            }
        }
    }

    fn note_opened(&mut self, guarantee: usize, verdict: &Verdict, broken_at: &PlaceSet) {
        let opens = verdict.exceptions.iter().filter(|used| {
            let mut places = used.places.clone();
            places.intersect(broken_at);
            !places.is_empty()
        });
        if let Some(opened_by) = self.opened_by.get_mut(guarantee) {
            opened_by.extend(opens.map(|used| used.index));
        }
    }

    /// A catalogued place where the same is possible.
    fn broken_in_catalogue(
        &self,
        instant: &Instant<'_>,
        number: usize,
        profile: impl Fn(&Catalogue) -> crate::policy::Profile,
    ) -> Option<PlaceIndex> {
        let verdict = evaluate(self.set, &profile(&self.set.catalogue), instant.now);
        let mut broken_at = verdict.permitted;
        broken_at.intersect(instant.forbidden_in_catalogue.get(number)?);
        broken_at.iter().find(|place| *place != PlaceIndex::UNKNOWN)
    }

    fn counterexample(&self, instant: &Instant<'_>, guarantee: &Guarantee, found: Found) -> Counterexample {
        // A catalogued region is the plainer example.
        let (set, place) = match found.catalogued {
            Some(place) => (self.set, place),
            None => (&instant.hypothetical, found.place),
        };
        let Found {
            tuple,
            source,
            performs,
            namespace,
            ..
        } = found;
        let profile = source.profile(&set.catalogue, &tuple, performs, namespace.clone());
        let facts = set.catalogue.facts(place).cloned().unwrap_or_default();
        let case = Case {
            set,
            domain: &instant.domain,
            is_catalogued: found.catalogued.is_some(),
            catalogue: &self.set.catalogue,
            guarantee,
            tuple: &tuple,
            source: &source,
            performs,
            profile: &profile,
            verdict: &evaluate(set, &profile, instant.now),
            place,
            facts: &facts,
            now: instant.now,
            asked: self.asked,
        };
        Counterexample {
            sentence: case_in_words(&case),
            instant: instant.now,
            tuple,
            source,
            performs,
            namespace,
            place: facts,
        }
    }
}

impl Checked<'_> {
    fn take(&mut self, broken_at: &PlaceSet, catalogued: Option<PlaceIndex>, found: Found) {
        let place = broken_at.iter().find(|place| *place != PlaceIndex::UNKNOWN);
        let rank = [
            found.namespace.is_some(),
            !found.tuple.is_complete(),
            catalogued.is_none(),
            place.is_none(),
            !found.source.is_unselected(),
        ];
        if self.found.as_ref().is_none_or(|(known, _)| rank < *known) {
            let place = place.unwrap_or(PlaceIndex::UNKNOWN);
            self.found = Some((
                rank,
                Found {
                    place,
                    catalogued,
                    ..found
                },
            ));
        }
    }
}

/// Whether a pod that performs just this does what a guarantee forbids, and cannot with less. Every
/// activity must be permitted, so more only restricts.
fn is_least(performs: ActivitySet, guarantee: &Guarantee, source: &TupleSource) -> bool {
    let breaks = |performs: ActivitySet| {
        let mut activities = performs.iter();
        source.can_perform(performs) && activities.any(|activity| guarantee.activities.contains(activity))
    };
    let is_less =
        |less: &ActivitySet| *less != performs && less.iter().all(|activity| performs.contains(activity));
    breaks(performs)
        && !performed_sets()
            .iter()
            .filter(|less| is_less(less))
            .any(|less| breaks(*less))
}

/// The places that a guarantee does not surely allow, the unknown one among them.
fn forbidden(guarantee: &Guarantee, jurisdictions: &Jurisdictions<'_>, catalogue: &Catalogue) -> PlaceSet {
    let mut set = catalogue.no_place();
    for (index, place) in catalogue.places() {
        let is_allowed = match &guarantee.forbidden {
            ForbiddenPlaces::In(terms) => jurisdictions.place_in_any(index, place, terms).complement(),
            ForbiddenPlaces::Outside(terms) => jurisdictions.place_in_any(index, place, terms),
        };
        if is_allowed != Membership::In {
            set.insert(index);
        }
    }
    set
}
