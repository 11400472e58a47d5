//! Policies that are about the same data. L08: what they leave together. L05: that this is nothing.
//!
//! Two policies meet where one kind of data surely falls under both by what it is. A pod may also fall under
//! both by where its data comes from; whether any does is not in the files.

use super::Found;
use crate::model::{DataTuple, Membership, Tuple};
use crate::policy::catalogue::PlaceSet;
use crate::policy::definition::{Activity, ActivitySet, Mode, Policy};
use crate::policy::difference::{Circumstances, DataKinds};
use crate::policy::epoch::{Epoch, EpochRule, RuleKind};
use crate::policy::finding::Level;

/// How many countries a note names.
const MOST_COUNTRIES: usize = 8;

/// What the rules of a policy leave of the catalogue for one kind of data.
struct Left {
    places: PlaceSet,
}

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
        for (second_index, second) in policies.iter().enumerate() {
            for (first_index, first) in policies.iter().enumerate().take(second_index) {
                let mut meeting: Option<Meeting<'_>> = None;
                for epoch in &epochs {
                    for tuple in &data {
                        let Tuple::Data(of_data) = tuple else {
                            continue;
                        };
                        if !of_data.is_complete()
                            || meeting.as_ref().is_some_and(|known| known.places.is_empty())
                        {
                            continue;
                        }
                        for activity in Activity::ALL {
                            let left = |index| self.left(epoch, index, tuple, activity);
                            let (Some(of_first), Some(of_second)) = (left(first_index), left(second_index))
                            else {
                                continue;
                            };
                            let mut places = of_first.places;
                            places.intersect(&of_second.places);
                            if meeting.is_none() || places.is_empty() {
                                meeting = Some(Meeting {
                                    tuple: of_data.clone(),
                                    activity,
                                    epoch,
                                    places,
                                });
                            }
                            if meeting.as_ref().is_some_and(|known| known.places.is_empty()) {
                                break;
                            }
                        }
                    }
                }
                if let Some(meeting) = meeting {
                    self.tell_meeting(first, second, &meeting);
                }
            }
        }
    }

    /// `None` where the policy has nothing to say, leaves all, or leaves nothing already by itself.
    fn left(&self, epoch: &Epoch, policy: usize, tuple: &Tuple, activity: Activity) -> Option<Left> {
        let performs = ActivitySet::default().with(Activity::Process).with(activity);
        let profile = Circumstances::PLAIN.profile(tuple.clone(), performs);
        let sourced = profile.tuples.first()?;
        let of_policy = epoch.rules.iter().filter(|rule| {
            rule.index.policy == policy
                && rule.mode == Mode::Enforce
                && rule.kind == RuleKind::Node
                && rule.activities.contains(activity)
        });
        let applies = |rule: &&EpochRule| {
            let mut blocks = rule.blocks.iter();
            blocks.any(|block| {
                !block.is_source_only() && block.matches(&profile, sourced).restricts == Membership::In
            })
        };
        let catalogue = &self.set.catalogue;
        let mut every = catalogue.every_place();
        let mut unknown = catalogue.no_place();
        unknown.insert(crate::policy::catalogue::PlaceIndex::UNKNOWN);
        every.subtract(&unknown);
        let mut left = every.clone();
        for rule in of_policy.filter(applies) {
            left.intersect(&rule.admits);
        }
        (!left.is_empty() && left != every).then_some(Left { places: left })
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
        let countries: std::collections::BTreeSet<&str> = places
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
