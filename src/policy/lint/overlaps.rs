//! Policies that are about the same data. L08: what they leave together. L05: that this is nothing.
//!
//! Two policies meet where one kind of data surely falls under both by what it is. A pod may also fall under
//! both by where its data comes from; whether any does is not in the files.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::model::{DataTuple, Membership, Tuple};
use crate::policy::catalogue::{PlaceIndex, PlaceSet};
use crate::policy::definition::{Activity, ActivitySet, Mode, Policy};
use crate::policy::difference::{Circumstances, DataKinds};
use crate::policy::epoch::{Epoch, EpochRule, RuleKind};
use crate::policy::finding::Level;

/// How many countries a note names.
const MOST_COUNTRIES: usize = 8;

/// Where two policies meet.
struct Meeting<'a> {
    tuple: DataTuple,
    activity: Activity,
    epoch: &'a Epoch,
    places: PlaceSet,
}

impl Found<'_> {
    /// Says each pair once: for the first kind of data that has no place, else for the first there is.
    pub(super) fn overlaps(&mut self) {
        let set = self.set;
        let epochs: Vec<&Epoch> = self.epochs().collect();
        let kinds = DataKinds::of(&[set], &epochs);
        let data: Vec<Tuple> = kinds
            .all()
            .into_iter()
            .filter_map(|datum| kinds.tuple(datum))
            .collect();
        let policies = &set.definitions.policies;
        let mut meetings: BTreeMap<(usize, usize), Meeting<'_>> = BTreeMap::new();
        for epoch in &epochs {
            for tuple in &data {
                let Tuple::Data(of_data) = tuple else {
                    continue;
                };
                if !of_data.is_complete() {
                    continue;
                }
                for activity in Activity::ALL {
                    let left = self.left(epoch, tuple, activity);
                    for ((second, of_second), number) in left.iter().zip(0..) {
                        for (first, of_first) in left.iter().take(number) {
                            let mut places = of_first.clone();
                            places.intersect(of_second);
                            let meeting = meetings.entry((*second, *first)).or_insert_with(|| Meeting {
                                tuple: of_data.clone(),
                                activity,
                                epoch,
                                places: places.clone(),
                            });
                            if places.is_empty() && !meeting.places.is_empty() {
                                *meeting = Meeting {
                                    tuple: of_data.clone(),
                                    activity,
                                    epoch,
                                    places,
                                };
                            }
                        }
                    }
                }
            }
        }
        for ((second, first), meeting) in meetings {
            if let (Some(first), Some(second)) = (policies.get(first), policies.get(second)) {
                self.tell_meeting(first, second, &meeting);
            }
        }
    }

    /// What each policy leaves of the catalogue for one kind of data, in the order of policies. One that has
    /// nothing to say of it, leaves all or already by itself nothing is not among them.
    fn left(&self, epoch: &Epoch, tuple: &Tuple, activity: Activity) -> Vec<(usize, PlaceSet)> {
        let performs = ActivitySet::default().with(Activity::Process).with(activity);
        let profile = Circumstances::PLAIN.profile(tuple.clone(), performs);
        let catalogue = &self.set.catalogue;
        let mut unknown = catalogue.no_place();
        unknown.insert(PlaceIndex::UNKNOWN);
        let mut every = catalogue.every_place();
        every.subtract(&unknown);
        let mut left: Vec<(usize, PlaceSet)> = Vec::new();
        let Some(sourced) = profile.tuples.first() else {
            return left;
        };
        let applies = |rule: &&EpochRule| {
            let mut blocks = rule.blocks.iter();
            let is_of_node = rule.mode == Mode::Enforce && rule.kind == RuleKind::Node;
            is_of_node
                && rule.activities.contains(activity)
                && blocks.any(|block| {
                    !block.is_source_only() && block.matches(&profile, sourced).restricts == Membership::In
                })
        };
        // Rules stand in the order of their policies.
        for rule in epoch.rules.iter().filter(applies) {
            match left.last_mut() {
                Some((policy, places)) if *policy == rule.index.policy => places.intersect(&rule.admits),
                _ => {
                    let mut places = every.clone();
                    places.intersect(&rule.admits);
                    left.push((rule.index.policy, places));
                }
            }
        }
        left.retain(|(_, places)| !places.is_empty() && *places != every);
        left
    }

    fn tell_meeting(&mut self, first: &Policy, second: &Policy, meeting: &Meeting<'_>) {
        let Meeting {
            tuple,
            activity,
            epoch,
            places,
        } = meeting;
        let since = self.since_when(epoch);
        let data = in_words(tuple);
        let verb = activity.word();
        if places.is_empty() {
            let sentence = format!(
                "`{}` and `{}` leave no catalogued place together{since} to {verb} {data}",
                first.name, second.name
            );
            let fix = "let one place satisfy both, or let one of them apply to other data";
            self.add(self.level(epoch), "L05", &second.written_at, sentence, fix);
            return;
        }
        let countries: BTreeSet<&str> = places
            .iter()
            .filter_map(|place| Some(self.set.catalogue.facts(place)?.country?.code()))
            .collect();
        let more = countries.len().saturating_sub(MOST_COUNTRIES);
        let mut named: Vec<&str> = countries.into_iter().take(MOST_COUNTRIES).collect();
        let others = format!("{more} more countries");
        if more > 0 {
            named.push(&others);
        }
        let sentence = format!(
            "`{}` and `{}` are both about data such as {data}{since}; together they leave it places in {}",
            first.name,
            second.name,
            named.join(", ")
        );
        self.add(Level::Note, "L08", &second.written_at, sentence, "");
    }
}

/// Such as `confidential personal data about people in DE`.
pub(super) fn in_words(tuple: &DataTuple) -> String {
    let [classification, category, subject] = tuple.words();
    let about = match subject.as_str() {
        "none" => "about no people".to_owned(),
        "unknown" => "about people of whom nobody says where".to_owned(),
        place => format!("about people in {place}"),
    };
    let category = match category.as_str() {
        "none" => "data of no category".to_owned(),
        "unknown" => "data of unstated category".to_owned(),
        word => format!("{word} data"),
    };
    format!("{classification} {category} {about}")
}
