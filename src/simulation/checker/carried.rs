//! What data a pod carries, and where it comes from (docs/policies.md, 2).
//!
//! Inputs: the documents, the objects, the pod, the instant. Output: [`Carried`]: tuples, each with who asserted it.
//! Invariants: tuples of two sources are two tuples; what is not known is a tuple of which nothing is known.

use std::collections::{BTreeMap, BTreeSet};

use super::annotations::{AsAWhole, Said, Speaker, Use, read};
use super::objects::CheckedStorage;
use super::shapes::Activity;
use super::words::Level;
use super::{CheckedOwner, CheckedPod, Judge};

/// Who asserted a tuple.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Namespace,
    Pod,
    Claim(String),
    Volume(String),
    StorageClass(String),
    DataSet(String),
}

/// One classification, one category, one subject, each absent where nobody stated it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Data {
    pub(super) level: Option<Level>,
    pub(super) category: Option<String>,
    pub(super) subject: Option<String>,
}

/// What one source asserted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tuple {
    /// Nobody said anything.
    Unlabelled,
    /// There is no governed data.
    NoData,
    Data(Data),
}

/// Data of which nothing is known.
const UNKNOWN: Tuple = Tuple::Data(Data {
    level: None,
    category: None,
    subject: None,
});

/// Who a pod is, and what it carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Carried {
    pub(super) namespace: String,
    pub(super) owner: Option<CheckedOwner>,
    pub(super) tuples: BTreeSet<(Source, Tuple)>,
    pub(super) activities: Vec<Activity>,
    /// The labels of its namespace; `None` where the namespace is not known.
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// The storage class of each mounted claim, where it is known.
    pub(super) classes: Vec<Option<String>>,
    /// Each data set once: what either of two objects that name it may do, the pod may do.
    pub(super) uses: BTreeMap<String, Use>,
    /// Whether a claim is not bound and waits for the pod, so that data is created where the pod lands.
    pub(super) creates: bool,
    /// Whether something is mounted and not known, which may name any data set.
    pub(super) may_name_more: bool,
}

impl Judge<'_> {
    /// Gathers everything that speaks about the data of a pod.
    ///
    /// # Errors
    /// An annotation that cannot be read, as a sentence.
    pub(super) fn carried(&self, pod: &CheckedPod) -> Result<Carried, String> {
        let mut carried = Carried {
            namespace: pod.namespace.clone(),
            owner: pod.owner.clone(),
            tuples: BTreeSet::new(),
            activities: vec![Activity::Process],
            labels: None,
            classes: Vec::new(),
            uses: BTreeMap::new(),
            creates: false,
            may_name_more: false,
        };
        if !pod.mounts.is_empty() {
            carried.activities.push(Activity::Store);
        }
        if pod.replicates {
            carried.activities.push(Activity::Replicate);
        }
        carried.hear(Source::Pod, read(Speaker::Pod, &pod.annotations)?);
        for mount in &pod.mounts {
            self.mount(
                &mut carried,
                &pod.namespace,
                (&mount.claim, mount.template.as_ref()),
            )?;
        }
        let by_workload = self.namespace(&mut carried, &pod.namespace)?;
        let names: Vec<String> = carried.uses.keys().cloned().collect();
        for name in names {
            self.named(&mut carried, name);
        }
        // An incomplete profile of the pod does not stand in for what nobody said.
        let asserts = |(source, tuple): &(Source, Tuple)| match tuple {
            Tuple::Data(data) if *source == Source::Pod => {
                data.level.is_some() && data.category.is_some() && data.subject.is_some()
            }
            _ => true,
        };
        if by_workload && !carried.tuples.iter().any(asserts) {
            carried.tuples.insert((Source::Namespace, UNKNOWN));
        }
        Ok(carried)
    }

    /// Hears a namespace, and tells whether it leaves the word to its workloads.
    fn namespace(&self, carried: &mut Carried, name: &str) -> Result<bool, String> {
        let is_exempt = self
            .documents
            .settings
            .exempt_namespaces
            .iter()
            .any(|exempt| exempt == name);
        let Some(known) = &self.objects.namespaces else {
            carried.labels = Some(BTreeMap::new());
            if !is_exempt {
                carried.tuples.insert((Source::Namespace, Tuple::Unlabelled));
            }
            return Ok(false);
        };
        let namespace = known.get(name);
        carried.labels = namespace.map(|namespace| namespace.labels.clone());
        if is_exempt {
            return Ok(false);
        }
        let Some(namespace) = namespace else {
            carried.tuples.insert((Source::Namespace, UNKNOWN));
            return Ok(false);
        };
        let said = read(Speaker::Namespace, &namespace.annotations)?;
        match said.as_a_whole {
            Some(AsAWhole::NoData) => {
                carried.tuples.insert((Source::Namespace, Tuple::NoData));
            }
            None if !said.has_profile() => {
                carried.tuples.insert((Source::Namespace, Tuple::Unlabelled));
            }
            Some(AsAWhole::ByWorkload) | None => {}
        }
        let by_workload = said.as_a_whole == Some(AsAWhole::ByWorkload);
        carried.hear(Source::Namespace, said);
        Ok(by_workload)
    }

    /// Hears a claim that is mounted, its volume and its class.
    fn mount(
        &self,
        carried: &mut Carried,
        namespace: &str,
        (name, template): (&str, Option<&CheckedStorage>),
    ) -> Result<(), String> {
        let of_claim = || Source::Claim(name.to_owned());
        if let Some(template) = template {
            carried.hear(of_claim(), read(Speaker::Claim, &template.annotations)?);
        }
        let of_template = template.and_then(CheckedStorage::class);
        let claims = self.objects.claims.as_ref();
        let claim = claims.and_then(|claims| claims.get(namespace)?.get(name));
        let class = match claim {
            Some(claim) => {
                carried.hear(of_claim(), read(Speaker::Claim, &claim.annotations)?);
                let of_volume = match claim.volume.as_deref().filter(|volume| !volume.is_empty()) {
                    Some(volume) => self.volume(carried, volume)?,
                    None => of_template,
                };
                claim.class().or(of_volume)
            }
            None => {
                // The claim of a template may not be there yet; of any other nobody knows what it holds.
                if claims.is_some() && template.is_none() {
                    carried.does_not_know(of_claim());
                    carried.creates = true;
                }
                of_template
            }
        };
        if let Some(class) = class {
            let known = self.objects.storage_classes.as_ref();
            let is_bound =
                claim.is_some_and(|claim| claim.volume.as_deref().is_some_and(|volume| !volume.is_empty()));
            let is_told_of = claim.is_some() || template.is_some();
            let is_known = known.is_some_and(|known| known.contains_key(class));
            let waits = !is_known || self.objects.waiting_classes.contains(class);
            carried.creates |= is_told_of && !is_bound && waits;
            if let Some(annotations) = known.and_then(|known| known.get(class)) {
                let said = read(Speaker::StorageClass, annotations)?;
                carried.hear(Source::StorageClass(class.to_owned()), said);
            }
        }
        carried.classes.push(class.map(str::to_owned));
        Ok(())
    }

    /// Hears a volume, and gives its class.
    fn volume(&self, carried: &mut Carried, name: &str) -> Result<Option<&str>, String> {
        let Some(volumes) = &self.objects.volumes else {
            return Ok(None);
        };
        let source = Source::Volume(name.to_owned());
        let Some(volume) = volumes.get(name) else {
            carried.does_not_know(source);
            return Ok(None);
        };
        carried.hear(source, read(Speaker::Volume, &volume.annotations)?);
        Ok(volume.class())
    }

    /// Hears a data set that is named.
    fn named(&self, carried: &mut Carried, name: String) {
        let source = Source::DataSet(name);
        let Source::DataSet(name) = &source else {
            return;
        };
        let Some(data_set) = self.documents.data_sets.get(name) else {
            carried.tuples.insert((source, UNKNOWN));
            return;
        };
        let mut subjects: BTreeSet<Option<String>> = BTreeSet::new();
        for subject in &data_set.profile.subjects {
            match subject.strip_prefix("group/") {
                None => {
                    subjects.insert(Some(subject.clone()));
                }
                Some(group) => {
                    let people = self.people_of(group);
                    // A group in which nobody is says nothing of whose data it is.
                    if people.is_empty() {
                        subjects.insert(None);
                    }
                    subjects.extend(people.into_iter().map(Some));
                }
            }
        }
        for category in &data_set.profile.categories {
            for subject in &subjects {
                let data = Data {
                    level: Some(data_set.profile.classification),
                    category: Some(category.clone()),
                    subject: subject.clone(),
                };
                carried.tuples.insert((source.clone(), Tuple::Data(data)));
            }
        }
    }

    /// Every member of a group at the instant, whatever is required of it.
    fn people_of(&self, group: &str) -> Vec<String> {
        let mut people = Vec::new();
        for member in self.members(group) {
            match member.place.strip_prefix("group/") {
                Some(inner) => people.extend(self.people_of(inner)),
                None => people.push(member.place.clone()),
            }
        }
        people
    }
}

impl Carried {
    /// What the pod does, and for one that creates data also that the data is replicated.
    pub(super) fn looked_at(&self) -> Vec<Activity> {
        let mut looked_at = self.activities.clone();
        if self.creates && !looked_at.contains(&Activity::Replicate) {
            looked_at.push(Activity::Replicate);
        }
        looked_at
    }

    /// Takes what one object says: every combination of its lists, and the data sets that it names.
    fn hear(&mut self, source: Source, said: Said) {
        for used in &said.uses {
            let known = self.uses.entry(used.name.clone()).or_insert_with(|| used.clone());
            known.may_read |= used.may_read;
            known.may_write |= used.may_write;
        }
        if !said.has_profile() {
            return;
        }
        let is_bare_public = said.categories.is_none()
            && said.subjects.is_none()
            && said.classifications.as_ref().is_some_and(|levels| {
                let mut levels = levels.iter();
                levels.all(|level| *level == Level::Public)
            });
        let none = || vec![Some("none".to_owned())];
        let (categories, subjects) = match is_bare_public {
            true => (none(), none()),
            false => (each(said.categories), each(said.subjects)),
        };
        for level in each(said.classifications) {
            for category in &categories {
                for subject in &subjects {
                    let data = Data {
                        level,
                        category: category.clone(),
                        subject: subject.clone(),
                    };
                    self.tuples.insert((source.clone(), Tuple::Data(data)));
                }
            }
        }
    }

    fn does_not_know(&mut self, source: Source) {
        self.may_name_more = true;
        self.tuples.insert((source, UNKNOWN));
    }
}

/// A list that is not stated is one value that nobody knows.
fn each<T>(list: Option<BTreeSet<T>>) -> Vec<Option<T>> {
    match list {
        None => vec![None],
        Some(list) => list.into_iter().map(Some).collect(),
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Namespace => formatter.write_str("its namespace"),
            Self::Pod => formatter.write_str("the pod itself"),
            Self::Claim(name) => write!(formatter, "the claim `{name}`"),
            Self::Volume(name) => write!(formatter, "the volume `{name}`"),
            Self::StorageClass(name) => write!(formatter, "the storage class `{name}`"),
            Self::DataSet(name) => write!(formatter, "the data set `{name}`"),
        }
    }
}

impl std::fmt::Display for Tuple {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Data {
            level,
            category,
            subject,
        } = match self {
            Self::Unlabelled => return formatter.write_str("data that nobody labelled"),
            Self::NoData => return formatter.write_str("no data"),
            Self::Data(data) => data,
        };
        let level = level.map_or("unclassified", Level::word);
        write!(formatter, "{level} data ")?;
        match category.as_deref() {
            None => formatter.write_str("of unknown category ")?,
            Some("none") => formatter.write_str("of no category ")?,
            Some(category) => write!(formatter, "of category {category} ")?,
        }
        match subject.as_deref() {
            None => formatter.write_str("about unknown people"),
            Some("none") => formatter.write_str("about nobody"),
            Some(subject) => write!(formatter, "about people of {subject}"),
        }
    }
}
