//! A stretch of time in which nothing that a date decides changes.
//!
//! Every date that a set mentions (a policy takes effect, a member joins a group, a certification is
//! about to expire) cuts time. Between two cuts each rule is one set of bits over places, so a decision
//! at an instant is a look-up of its epoch, and a verdict knows until when it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::catalogue::{Catalogue, PlaceFacts, PlaceIndex, PlaceSet};
use super::definition::{ActivitySet, Definitions, Demand, Mode, Policy, Rule, RuleIndex, Unlabelled};
use super::membership::{Jurisdictions, first_insufficient_instant};
use super::selector::{BlockMatcher, DataMatcher};
use super::transit::{TransitNumbers, TransitOfRule, TransitProfile};
use crate::model::{Classification, Membership};

/// How many rules and exceptions a set may have, each counted once for every epoch. Three hundred policies of two rules
/// with three hundred dates have 180,000; far beyond that a set would take seconds to load.
pub const MOST_EPOCH_RULES: usize = 400_000;

/// A rule, ready to be evaluated.
#[derive(Debug)]
pub struct EpochRule {
    /// Which rule.
    pub index: RuleIndex,
    /// What becomes of its verdict in this epoch.
    pub mode: Mode,
    /// What it is about.
    pub activities: ActivitySet,
    /// Places that surely satisfy it; for what it says of replicas, see [`RuleKind`]. The unknown place
    /// is never among them.
    pub admits: PlaceSet,
    /// What the places are about.
    pub kind: RuleKind,
    /// Whether it can cover data: only a rule with `allowed` does.
    pub covers: bool,
    /// To what: any of these.
    pub blocks: Arc<[BlockMatcher]>,
    /// What lifts its refusals in this epoch.
    pub exceptions: Vec<Arc<EpochException>>,
    /// What it takes away of the ways to data; only a rule of [`RuleKind::Transit`] has it.
    pub transit: Option<TransitOfRule>,
}

/// What the places of a rule are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKind {
    /// The place of the node.
    Node,
    /// The leaders of data sets that the pod may write; these places surely do not satisfy it.
    Leaders(PlaceSet),
    /// The replicas that a pod reads from; these places surely do not satisfy it.
    ReadReplicas(PlaceSet),
    /// The place of the node, for a pod that would be a new copy of a data set.
    NewReplica,
    /// The place of the node or of another copy, for a pod that would be a new copy of a data set; these
    /// places surely do not satisfy it.
    SomeReplica(PlaceSet),
    /// None: the ways to the data sets that a pod names. It restricts no place by itself.
    Transit,
}

/// An exception in force.
#[derive(Debug)]
pub struct EpochException {
    /// Index into [`Definitions::exceptions`].
    pub index: usize,
    /// For which data.
    pub data: Arc<DataMatcher>,
    /// The places that are surely among those that it names.
    pub places: PlaceSet,
    /// Where it lifts a refusal: in its places, and surely refused where the rule looks at the node.
    pub lifts: PlaceSet,
}

/// A stretch of time.
#[derive(Debug)]
pub struct Epoch {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after; `None` is for ever.
    pub until: Option<Timestamp>,
    /// The rules in force, in the order of policy names and of rules.
    pub rules: Vec<EpochRule>,
    /// Where unlabelled pods may run when the settings confine them.
    pub unlabelled: PlaceSet,
    /// For the classifications in their order, and last for data of unknown classification: the places
    /// whose facts are young enough; `None` where any age will do.
    fresh: [Option<PlaceSet>; Classification::ALL.len() + 1],
}

impl Epoch {
    /// The epoch of a set that says nothing.
    pub const NEVER: Self = Self {
        from: Timestamp::MIN,
        until: None,
        rules: Vec::new(),
        unlabelled: PlaceSet::NONE,
        fresh: [const { None }; Classification::ALL.len() + 1],
    };

    /// The places whose facts are young enough for data of a classification; `None` where any age will do.
    #[must_use]
    pub fn fresh(&self, classification: Option<Classification>) -> Option<&PlaceSet> {
        let [of_known @ .., of_unknown] = &self.fresh;
        let found = match classification {
            Some(classification) => of_known.get(classification as usize),
            None => Some(of_unknown),
        };
        found.and_then(Option::as_ref)
    }
}

/// Stretches of time, one after the other or each by itself.
#[derive(Debug)]
pub struct Timeline {
    /// The stretches, in their order.
    pub epochs: Vec<Epoch>,
    /// What rules on transit take away in any of them, by number.
    pub transit_profiles: Vec<TransitProfile>,
}

/// Cuts time at every date of the set; `None` where that makes more than [`MOST_EPOCH_RULES`].
#[must_use]
pub fn epochs(definitions: &Definitions, catalogue: &Catalogue) -> Option<Timeline> {
    let mut starts: Vec<Timestamp> = vec![Timestamp::MIN];
    starts.extend(boundaries(definitions, catalogue));
    let rules: usize = definitions.policies.iter().map(|policy| policy.rules.len()).sum();
    let counted = rules + definitions.exceptions.len();
    if starts.len().saturating_mul(counted) > MOST_EPOCH_RULES {
        return None;
    }
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    let mut epochs = Vec::with_capacity(starts.len());
    let mut before: Option<Compiled<'_>> = None;
    let mut numbers = TransitNumbers::default();
    for (from, until) in starts.iter().zip(ends) {
        let compiled = Compiled::at(definitions, catalogue, *from, before.take());
        epochs.push(compiled.epoch(definitions, catalogue, (*from, until), &mut numbers));
        before = Some(compiled);
    }
    Some(Timeline {
        epochs,
        transit_profiles: numbers.profiles(),
    })
}

/// What is so at single instants, in the order in which they are given; each is taken to last.
#[must_use]
pub fn epochs_at(
    definitions: &Definitions,
    catalogue: &Catalogue,
    instants: impl IntoIterator<Item = Timestamp>,
) -> Timeline {
    let mut numbers = TransitNumbers::default();
    let at = |instant| {
        let compiled = Compiled::at(definitions, catalogue, instant, None);
        compiled.epoch(definitions, catalogue, (instant, None), &mut numbers)
    };
    Timeline {
        epochs: instants.into_iter().map(at).collect(),
        transit_profiles: numbers.profiles(),
    }
}

/// The dates that a set mentions, whatever regions there are.
#[must_use]
pub fn dates(definitions: &Definitions) -> BTreeSet<Timestamp> {
    let mut dates = BTreeSet::new();
    for policy in &definitions.policies {
        dates.extend([policy.effective_from, policy.enforce_from].into_iter().flatten());
    }
    for exception in &definitions.exceptions {
        dates.extend([exception.not_before, exception.expires]);
    }
    for member in definitions.groups.iter().flat_map(|group| &group.members) {
        dates.extend([member.from, member.until].into_iter().flatten());
    }
    dates
}

fn boundaries(definitions: &Definitions, catalogue: &Catalogue) -> BTreeSet<Timestamp> {
    let mut dates = dates(definitions);
    let of_rules = definitions.policies.iter().flat_map(|policy| &policy.rules);
    let of_rules = of_rules.filter_map(|rule| match &rule.demand {
        Demand::Required(requirement) => Some(requirement),
        _ => None,
    });
    let members = definitions.groups.iter().flat_map(|group| &group.members);
    let of_members = members.filter_map(|member| member.required.as_ref());
    let asked_for = of_rules
        .chain(of_members)
        .flat_map(|requirement| requirement.certifications.iter().flatten());
    let days_asked_for: BTreeSet<u32> = asked_for.map(|wanted| wanted.valid_at_least_days).collect();
    let held = catalogue
        .places()
        .flat_map(|(_, place)| place.facts.certifications.iter().flatten());
    for valid_until in held.filter_map(|certification| certification.valid_until) {
        dates.extend(
            days_asked_for
                .iter()
                .filter_map(|days| first_insufficient_instant(valid_until, *days)),
        );
    }
    let ages: BTreeSet<SignedDuration> = definitions.settings.ages_of_regions().collect();
    let stated: BTreeSet<Timestamp> = catalogue.places().filter_map(|(_, place)| place.as_of).collect();
    for as_of in stated {
        dates.extend(ages.iter().filter_map(|age| as_of.checked_add(*age).ok()));
    }
    dates.remove(&Timestamp::MIN);
    dates
}

/// Everything of a set that looks at groups and facts, at one instant. It is taken over from the epoch
/// before where the groups are the same, because most dates change little.
struct Compiled<'a> {
    jurisdictions: Jurisdictions<'a>,
    /// For each policy its blocks.
    blocks: Vec<Arc<[BlockMatcher]>>,
    /// For each policy what each rule admits.
    admits: Vec<Vec<Admitted>>,
    /// For each rule with exceptions, those that there ever are.
    exceptions: BTreeMap<RuleIndex, Vec<Arc<EpochException>>>,
    unlabelled: PlaceSet,
}

/// The places of a rule.
#[derive(Clone)]
struct Admitted {
    admits: PlaceSet,
    kind: RuleKind,
}

impl<'a> Compiled<'a> {
    fn at(
        definitions: &'a Definitions,
        catalogue: &Catalogue,
        from: Timestamp,
        before: Option<Self>,
    ) -> Self {
        let jurisdictions = Jurisdictions::at(definitions, catalogue, from);
        let before = before.filter(|before| before.jurisdictions.are_those_of(&jurisdictions));
        if let Some(mut before) = before {
            for (policy, of_policy) in definitions.policies.iter().zip(&mut before.admits) {
                for (rule, admits) in policy.rules.iter().zip(of_policy) {
                    // Certifications end by themselves.
                    if matches!(rule.demand, Demand::Required(_)) {
                        *admits = admitted(&jurisdictions, catalogue, rule);
                    }
                }
            }
            for (rule, of_rule) in &mut before.exceptions {
                let demand = definitions.rule(*rule).map(|rule| &rule.demand);
                if let Some(demand @ Demand::Required(_)) = demand {
                    refresh(of_rule, &surely_refused(&jurisdictions, catalogue, demand));
                }
            }
            before.jurisdictions = jurisdictions;
            return before;
        }
        let blocks = definitions.policies.iter().map(|policy| {
            let blocks = policy.applies_to.iter();
            blocks
                .map(|block| BlockMatcher::new(&jurisdictions, block))
                .collect()
        });
        let admits = definitions.policies.iter().map(|policy| {
            let rules = policy.rules.iter();
            rules
                .map(|rule| admitted(&jurisdictions, catalogue, rule))
                .collect()
        });
        let unlabelled = match &definitions.settings.unlabelled {
            Unlabelled::Allow => catalogue.every_place(),
            Unlabelled::Deny => catalogue.no_place(),
            Unlabelled::ConfineTo(terms) => places_where(catalogue, |index, place| {
                jurisdictions.place_in_any(index, place, terms) == Membership::In
            }),
        };
        Self {
            blocks: blocks.collect(),
            admits: admits.collect(),
            exceptions: exceptions(definitions, catalogue, &jurisdictions),
            unlabelled,
            jurisdictions,
        }
    }

    fn epoch(
        &self,
        definitions: &Definitions,
        catalogue: &Catalogue,
        (from, until): (Timestamp, Option<Timestamp>),
        numbers: &mut TransitNumbers,
    ) -> Epoch {
        let fresh = fresh(definitions, catalogue, from);
        let mut rules = Vec::new();
        let compiled = definitions.policies.iter().zip(&self.blocks).zip(&self.admits);
        for (policy_index, ((policy, blocks), of_policy)) in compiled.enumerate() {
            let in_force = policy.effective_from.is_none_or(|start| start <= from);
            if !in_force {
                continue;
            }
            let mode = mode_at(policy, from);
            for (rule_index, (rule, admits)) in policy.rules.iter().zip(of_policy).enumerate() {
                let index = RuleIndex {
                    policy: policy_index,
                    rule: rule_index,
                };
                let exceptions = self.exceptions.get(&index).into_iter().flatten();
                let in_force = exceptions.filter(|exception| {
                    let written = definitions.exceptions.get(exception.index);
                    written.is_some_and(|written| written.is_in_force(from))
                });
                let transit = match &rule.demand {
                    Demand::Transit(demand) => Some(TransitOfRule::number(
                        |fresh| {
                            let set = (definitions, catalogue);
                            TransitProfile::of(demand, set, &self.jurisdictions, fresh)
                        },
                        &fresh,
                        numbers,
                    )),
                    _ => None,
                };
                rules.push(EpochRule {
                    index,
                    mode,
                    activities: rule.activities,
                    admits: admits.admits.clone(),
                    kind: admits.kind.clone(),
                    covers: matches!(rule.demand, Demand::Allowed(_)),
                    blocks: blocks.clone(),
                    exceptions: in_force.cloned().collect(),
                    transit,
                });
            }
        }
        Epoch {
            from,
            until,
            rules,
            unlabelled: self.unlabelled.clone(),
            fresh,
        }
    }
}

/// What [`Epoch::fresh`] gives.
fn fresh(
    definitions: &Definitions,
    catalogue: &Catalogue,
    now: Timestamp,
) -> [Option<PlaceSet>; Classification::ALL.len() + 1] {
    let classifications = Classification::ALL.map(Some).into_iter().chain([None]);
    let mut sets = classifications.map(|classification| {
        let age = definitions.settings.max_fact_age(classification)?;
        Some(places_where(catalogue, |_, place| {
            let stale_from = place.as_of.map(|as_of| as_of.checked_add(age));
            !matches!(stale_from, Some(Ok(from)) if from <= now)
        }))
    });
    std::array::from_fn(|_| sets.next().flatten())
}

/// Every exception by its rule. Whether it is in force is asked for each epoch.
fn exceptions(
    definitions: &Definitions,
    catalogue: &Catalogue,
    jurisdictions: &Jurisdictions<'_>,
) -> BTreeMap<RuleIndex, Vec<Arc<EpochException>>> {
    let mut by_rule: BTreeMap<RuleIndex, Vec<Arc<EpochException>>> = BTreeMap::new();
    for (index, exception) in definitions.exceptions.iter().enumerate() {
        let places = places_where(catalogue, |index, place| {
            jurisdictions.place_in_any(index, place, &exception.locations) == Membership::In
        });
        by_rule
            .entry(exception.relaxes)
            .or_default()
            .push(Arc::new(EpochException {
                index,
                data: Arc::new(DataMatcher::new(jurisdictions, &exception.data)),
                lifts: places.clone(),
                places,
            }));
    }
    for (rule, of_rule) in &mut by_rule {
        let demand = definitions.rule(*rule).map(|rule| &rule.demand);
        if let Some(demand) = demand.filter(|demand| looks_at_the_node(demand)) {
            refresh(of_rule, &surely_refused(jurisdictions, catalogue, demand));
        }
    }
    by_rule
}

/// Lets exceptions of one rule lift what it surely refuses.
fn refresh(exceptions: &mut [Arc<EpochException>], refused: &PlaceSet) {
    for exception in exceptions {
        let mut lifts = exception.places.clone();
        lifts.intersect(refused);
        if lifts != exception.lifts {
            *exception = Arc::new(EpochException {
                index: exception.index,
                data: exception.data.clone(),
                places: exception.places.clone(),
                lifts,
            });
        }
    }
}

fn surely_refused(jurisdictions: &Jurisdictions<'_>, catalogue: &Catalogue, demand: &Demand) -> PlaceSet {
    satisfied(jurisdictions, catalogue, demand, Membership::Out)
}

/// Whether the place of the node can satisfy a demand. A new copy is made on the node, so it can be the
/// copy that must exist somewhere.
fn looks_at_the_node(demand: &Demand) -> bool {
    match demand {
        Demand::Allowed(_)
        | Demand::Denied(_)
        | Demand::Required(_)
        | Demand::NoReplicaOutside(_)
        | Demand::ReplicaMustExistIn(_) => true,
        Demand::PrimaryMustBeIn(_) | Demand::FromReplicaIn(_) | Demand::Transit(_) => false,
    }
}

fn mode_at(policy: &Policy, from: Timestamp) -> Mode {
    let waits = policy.enforce_from.is_some_and(|start| from < start);
    if waits && policy.mode == Mode::Enforce {
        Mode::Audit
    } else {
        policy.mode
    }
}

/// The places of a rule (docs/policies.md, 3.2).
fn admitted(jurisdictions: &Jurisdictions<'_>, catalogue: &Catalogue, rule: &Rule) -> Admitted {
    let surely = |membership| satisfied(jurisdictions, catalogue, &rule.demand, membership);
    let kind = match &rule.demand {
        Demand::Allowed(_) | Demand::Denied(_) | Demand::Required(_) => RuleKind::Node,
        Demand::PrimaryMustBeIn(_) => RuleKind::Leaders(surely(Membership::Out)),
        Demand::FromReplicaIn(_) => RuleKind::ReadReplicas(surely(Membership::Out)),
        Demand::NoReplicaOutside(_) => RuleKind::NewReplica,
        Demand::ReplicaMustExistIn(_) => RuleKind::SomeReplica(surely(Membership::Out)),
        Demand::Transit(_) => RuleKind::Transit,
    };
    Admitted {
        admits: surely(Membership::In),
        kind,
    }
}

/// The places for which it is so whether they satisfy a demand: `In` is surely, `Out` is surely not.
fn satisfied(
    jurisdictions: &Jurisdictions<'_>,
    catalogue: &Catalogue,
    demand: &Demand,
    wanted: Membership,
) -> PlaceSet {
    places_where(catalogue, |index, place| {
        let satisfies = match demand {
            Demand::Allowed(terms)
            | Demand::PrimaryMustBeIn(terms)
            | Demand::FromReplicaIn(terms)
            | Demand::NoReplicaOutside(terms)
            | Demand::ReplicaMustExistIn(terms) => jurisdictions.place_in_any(index, place, terms),
            Demand::Denied(terms) => jurisdictions.place_in_any(index, place, terms).complement(),
            Demand::Required(requirement) => jurisdictions.meets(requirement, place),
            // Every place: the rule is about ways.
            Demand::Transit(_) => Membership::In,
        };
        satisfies == wanted
    })
}

/// The catalogued places that satisfy a condition; the unknown place satisfies none.
fn places_where(catalogue: &Catalogue, condition: impl Fn(PlaceIndex, &PlaceFacts) -> bool) -> PlaceSet {
    let mut set = catalogue.no_place();
    for (index, place) in catalogue.places() {
        if place.region.is_some() && condition(index, place) {
            set.insert(index);
        }
    }
    set
}
