//! What a pod carries and where it comes from (docs/policies.md, 2).

use std::collections::BTreeSet;

use super::super::world::*;
use super::{Maybe, Naive, No, SaidBy, Three, Tuple, UNKNOWN, Yes, sure};

/// What a pod comes from, for blocks that select by it.
pub(super) struct Sources {
    pub(super) namespace: &'static str,
    pub(super) owner: Option<(&'static str, &'static str)>,
    pub(super) tuples: BTreeSet<(SaidBy, Tuple)>,
    pub(super) labels: Option<Vec<(&'static str, &'static str)>>,
    pub(super) classes: Vec<Option<&'static str>>,
    /// Every naming of a data set, by whichever object.
    pub(super) uses: Vec<Use>,
    pub(super) activities: Vec<&'static str>,
    /// Whether an unbound claim waits for the pod, so that data is created where it lands.
    pub(super) creates: bool,
}

impl Sources {
    /// The activities, and for a pod that creates data that of a new copy.
    pub(super) fn looked_at(&self) -> Vec<&'static str> {
        let mut looked_at = self.activities.clone();
        if self.creates && !looked_at.contains(&"replicate") {
            looked_at.push("replicate");
        }
        looked_at
    }

    /// A claim or volume that is not known may name any data set.
    pub(super) fn may_name_more(&self) -> bool {
        let is_unknown = |(from, tuple): &(SaidBy, Tuple)| {
            matches!(from, SaidBy::Claim | SaidBy::Volume(_)) && *tuple == UNKNOWN
        };
        self.tuples.iter().any(is_unknown)
    }
}

impl Naive<'_> {
    /// Whether the pod comes from where the block selects.
    pub(super) fn comes_from(&self, block: &Block, sources: &Sources) -> Three {
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
            let named = sources.uses.iter().any(|used| wanted.contains(&used.name));
            all = all.min(match named {
                true => Yes,
                false if sources.may_name_more() => Maybe,
                false => No,
            });
        }
        all
    }

    /// Whether the tuple's own source satisfies every selector by source of the block, surely.
    pub(super) fn is_from(&self, block: &Block, sources: &Sources, from: &SaidBy) -> bool {
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

    /// 2: what a pod carries and where it comes from.
    pub(super) fn sources(&self, pod: &Pod) -> Sources {
        let mut sources = Sources {
            namespace: pod.namespace,
            owner: pod.owner,
            tuples: BTreeSet::new(),
            labels: None,
            classes: Vec::new(),
            uses: Vec::new(),
            activities: vec!["process"],
            creates: false,
        };
        if !pod.mounts.is_empty() {
            sources.activities.push("store");
        }
        if pod.replicates {
            sources.activities.push("replicate");
        }
        self.says(&mut sources, SaidBy::Pod, &pod.says);
        for mount in &pod.mounts {
            self.mount(&mut sources, pod, mount);
        }
        let named: BTreeSet<&'static str> = sources.uses.iter().map(|used| used.name).collect();
        for name in named {
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

    pub(super) fn namespace(&self, sources: &mut Sources, pod: &Pod) {
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

    pub(super) fn mount(&self, sources: &mut Sources, pod: &Pod, mount: &Mount) {
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
                // And it may be one that waits for the pod.
                sources.creates = true;
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
        let is_unbound = match found {
            Some(Some(claim)) => claim.volume.is_none(),
            _ => mount.template.is_some(),
        };
        if let Some(name) = class.filter(|_| is_unbound) {
            let mut classes = self.objects.storage_classes.iter().flatten();
            let is_immediate = classes.any(|known| known.name == name && !known.waits);
            sources.creates |= !is_immediate;
        }
        if let Some(name) = class {
            let classes = self.objects.storage_classes.iter().flatten();
            if let Some(object) = classes.into_iter().find(|known| known.name == name) {
                self.says(sources, SaidBy::Class(name.to_owned()), &object.says);
            }
        }
        sources.classes.push(class);
    }

    pub(super) fn volume(&self, sources: &mut Sources, name: &str) -> Option<&'static str> {
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

    pub(super) fn says(&self, sources: &mut Sources, from: SaidBy, says: &Says) {
        for tuple in cross_product(&says.stated) {
            sources.tuples.insert((from.clone(), tuple));
        }
        sources.uses.extend(&says.data_sets);
    }

    /// A group among the subjects of a data set stands for its members; one without members for anybody.
    pub(super) fn people_of(&self, subjects: &[&str]) -> Vec<Option<String>> {
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

    pub(super) fn people_of_group(&self, group: &str) -> Vec<String> {
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
