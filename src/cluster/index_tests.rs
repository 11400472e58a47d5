use proptest::prelude::*;

use super::*;

/// What happens in a cluster, as one kind sees it.
#[derive(Debug, Clone)]
enum Happening {
    Write(u8, u8),
    WriteUnreadable(u8),
    Delete(u8),
    /// The watch breaks: what happens until it is back is seen only in the list.
    Relist(Vec<Happening>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let leaf = prop_oneof![
        (0..6_u8, 0..4_u8).prop_map(|(key, value)| Happening::Write(key, value)),
        (0..6_u8).prop_map(Happening::WriteUnreadable),
        (0..6_u8).prop_map(Happening::Delete),
    ];
    leaf.prop_recursive(1, 8, 6, |inner| {
        prop_oneof![
            inner.clone(),
            proptest::collection::vec(inner, 0..6).prop_map(Happening::Relist)
        ]
    })
}

/// The cluster itself: `None` is an object that nobody can read.
type Truth = BTreeMap<u8, Option<u8>>;

fn happen(truth: &mut Truth, happening: &Happening) {
    match happening {
        Happening::Write(key, value) => {
            truth.insert(*key, Some(*value));
        }
        Happening::WriteUnreadable(key) => {
            truth.insert(*key, None);
        }
        Happening::Delete(key) => {
            truth.remove(key);
        }
        Happening::Relist(unseen) => unseen.iter().for_each(|unseen| happen(truth, unseen)),
    }
}

fn listed(truth: &Truth) -> Vec<Change<u8, u8>> {
    let objects = truth.iter().map(|(key, value)| match value {
        Some(value) => Change::Apply(*key, *value),
        None => Change::Unreadable(*key),
    });
    [Change::ListBegins]
        .into_iter()
        .chain(objects)
        .chain([Change::ListEnds])
        .collect()
}

proptest! {
    #[test]
    fn the_index_equals_a_fresh_list_after_any_events(happenings in proptest::collection::vec(happening(), 0..40)) {
        let mut truth = Truth::new();
        let mut store: Store<u8, u8> = Store::default();
        for change in listed(&truth) {
            store.take(change);
        }
        for happening in &happenings {
            happen(&mut truth, happening);
            let changes = match happening {
                Happening::Write(key, value) => vec![Change::Apply(*key, *value)],
                Happening::WriteUnreadable(key) => vec![Change::Unreadable(*key)],
                Happening::Delete(key) => vec![Change::Delete(*key)],
                Happening::Relist(_) => listed(&truth),
            };
            let before = (store.current.clone(), store.unreadable.clone());
            let said_changed = changes.into_iter().fold(false, |said, change| store.take(change) | said);
            let changed = before != (store.current.clone(), store.unreadable.clone());
            prop_assert_eq!(said_changed, changed, "{:?}", happening);
        }
        let mut fresh: Store<u8, u8> = Store::default();
        for change in listed(&truth) {
            fresh.take(change);
        }
        prop_assert_eq!(store.current, fresh.current);
        prop_assert_eq!(store.unreadable, fresh.unreadable);
    }
}

#[test]
fn nothing_is_published_before_every_kind_was_listed_whole() {
    let mut index = Index::default();
    assert_eq!(index.missing().len(), 5);
    index.nodes.take(Change::ListBegins);
    let node = NodeName::new("n").expect("a name");
    assert!(
        !index.nodes.take(Change::Apply(node, NodeRecord::default())),
        "a list that is not whole changes nothing"
    );
    assert!(index.fleet().is_none());
    assert!(index.nodes.take(Change::ListEnds));
    index.namespaces.take(Change::ListBegins);
    index.namespaces.take(Change::ListEnds);
    index.claims.take(Change::ListBegins);
    index.claims.take(Change::ListEnds);
    index.volumes.take(Change::ListBegins);
    index.volumes.take(Change::ListEnds);
    assert_eq!(index.missing(), ["storageclasses"]);
    index.storage_classes.take(Change::ListBegins);
    index.storage_classes.take(Change::Unreadable(Arc::from("gold")));
    assert!(index.storage_classes.take(Change::ListEnds));
    let fleet = index.fleet().expect("everything is listed");
    assert_eq!(fleet.nodes.len(), 1);
    let classes = fleet.storage_classes.expect("classes");
    assert!(
        !classes["gold"].annotations.malformed.is_empty(),
        "a class that cannot be read refuses"
    );
}
