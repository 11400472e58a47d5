//! Labels of pods, and selectors that ask for some of them.
//!
//! Inputs: keys and values. Outputs: label sets that are cheap to keep and to compare, and selectors
//! whose every key and value Kubernetes could accept. Invariants: a set has each key once; equal sets are
//! equal whatever the order in which they were written. Deliberately absent: set-based selectors
//! (`in`, `notin`, `exists`), which a Service has none of either.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// The longest name of a label and the longest value, in bytes.
const LONGEST_PART_BYTES: usize = 63;

/// The longest prefix of a key, in bytes.
const LONGEST_PREFIX_BYTES: usize = 253;

/// The labels of a pod.
///
/// Each is kept as `key=value`: a key has no equals sign, so the text says both. The texts are in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSet(Arc<[Arc<str>]>);

impl LabelSet {
    /// Gathers labels; of two equal keys the later counts, as in Go.
    pub fn new<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let by_key: BTreeMap<&str, &str> = labels.collect();
        let texts = by_key
            .into_iter()
            .map(|(key, value)| Arc::from(format!("{key}={value}")));
        let mut texts: Vec<Arc<str>> = texts.collect();
        texts.sort_unstable();
        Self(Arc::from(texts))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a label, where it is there.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        let mut labels = self.0.iter();
        labels.find_map(|label| label.strip_prefix(key)?.strip_prefix('='))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A selector by equality, as in `kubectl -l app=cart,tier=backend`: at least one label, all of which a
/// pod must have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSelector(LabelSet);

/// What cannot be part of a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSelector {
    /// Nothing is selected by, which would select everything.
    #[error("a selector names no label")]
    Empty,
    /// A key that Kubernetes refuses.
    #[error("the key `{0}` is none that Kubernetes accepts")]
    Key(String),
    /// A value that Kubernetes refuses.
    #[error("the value `{0}` is none that Kubernetes accepts")]
    Value(String),
    /// A key that stands there twice, so that no pod has both values.
    #[error("the key `{0}` is named twice")]
    Twice(String),
}

impl LabelSelector {
    /// Checks pairs of keys and values by the syntax of Kubernetes.
    ///
    /// # Errors
    /// The first pair that Kubernetes would refuse, or that there is none.
    pub fn new(pairs: &[(&str, &str)]) -> Result<Self, InvalidSelector> {
        if pairs.is_empty() {
            return Err(InvalidSelector::Empty);
        }
        let mut keys: Vec<&str> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            if !is_key(key) {
                return Err(InvalidSelector::Key((*key).to_owned()));
            }
            if !(value.is_empty() || is_name(value)) {
                return Err(InvalidSelector::Value((*value).to_owned()));
            }
            if keys.contains(key) {
                return Err(InvalidSelector::Twice((*key).to_owned()));
            }
            keys.push(key);
        }
        Ok(Self(LabelSet::new(pairs.iter().copied())))
    }

    /// Whether a pod with these labels is selected.
    #[must_use]
    pub fn selects(&self, labels: &LabelSet) -> bool {
        // Both are in order, so one walk over the labels finds all that are wanted.
        let mut labels = labels.0.iter();
        let mut wanted = self.0.0.iter();
        wanted.all(|wanted| labels.by_ref().find(|label| *label >= wanted) == Some(wanted))
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, label) in self.0.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "," };
            write!(formatter, "{separator}{label}")?;
        }
        Ok(())
    }
}

/// A key: a name, with or without a prefix that is a DNS subdomain.
fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name(key),
        Some((prefix, name)) => {
            prefix.len() <= LONGEST_PREFIX_BYTES && prefix.split('.').all(is_dns_label) && is_name(name)
        }
    }
}

/// Letters, digits, and inside also `-`, `_` and `.`.
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= LONGEST_PART_BYTES && text.bytes().all(inside) && has_ends(text)
}

/// A part of a DNS name, such as the name of a namespace: lowercase letters, digits, and inside also `-`.
pub fn is_dns_label(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LONGEST_PART_BYTES && text.bytes().all(inside) && has_ends(text)
}

/// Whether a text begins and ends with a letter or a digit.
fn has_ends(text: &str) -> bool {
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.iter()
        .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

/// Label sets of many pods, each text and each set kept once: the pods of one workload have the same.
#[derive(Debug, Default)]
pub struct LabelPool {
    texts: HashSet<Arc<str>, RandomState>,
    sets: HashSet<LabelSet, RandomState>,
}

impl LabelPool {
    /// The set of these labels, shared with whoever has the same.
    pub fn share(&mut self, labels: &LabelSet) -> LabelSet {
        if let Some(known) = self.sets.get(labels) {
            return known.clone();
        }
        let mut keep = |text: &Arc<str>| match self.texts.get(text) {
            Some(known) => known.clone(),
            None => {
                self.texts.insert(text.clone());
                text.clone()
            }
        };
        let set = LabelSet(labels.0.iter().map(&mut keep).collect());
        self.sets.insert(set.clone());
        set
    }

    /// How many different sets are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Lets go of what nobody else holds.
    pub fn forget_unused(&mut self) {
        self.sets.retain(|set| Arc::strong_count(&set.0) > 1);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> LabelSet {
        LabelSet::new(pairs.iter().copied())
    }

    #[test]
    fn a_selector_selects_who_has_all_its_labels() {
        let selector = LabelSelector::new(&[("tier", "backend"), ("app", "cart")]).expect("a selector");
        assert_eq!(selector.to_string(), "app=cart,tier=backend");
        for (pairs, selected) in [
            (&[("app", "cart"), ("tier", "backend")][..], true),
            (
                &[("a", "b"), ("tier", "backend"), ("z", ""), ("app", "cart")],
                true,
            ),
            (&[("app", "cart")], false),
            (&[("app", "cart"), ("tier", "backend2")], false),
            (&[("app", "cart2"), ("tier", "backend")], false),
            (&[("app-x", "cart"), ("tier", "backend")], false),
            (&[], false),
        ] {
            assert_eq!(selector.selects(&labels(pairs)), selected, "{pairs:?}");
        }
        let empty_value = LabelSelector::new(&[("app", "")]).expect("a selector");
        assert!(empty_value.selects(&labels(&[("app", "")])));
        assert!(!empty_value.selects(&labels(&[("app", "cart")])));
    }

    #[test]
    fn what_kubernetes_refuses_is_no_selector() {
        let long = "x".repeat(64);
        for key in [
            "", "a b", "-a", "a-", "/a", "a/", "A.b/c/d", "Up/c", "a!", "ä", &long,
        ] {
            assert_eq!(
                LabelSelector::new(&[(key, "v")]),
                Err(InvalidSelector::Key(key.to_owned()))
            );
        }
        for value in ["a b", "-a", "a-", "=b", "a/b", "ä", &long] {
            let invalid = Err(InvalidSelector::Value(value.to_owned()));
            assert_eq!(LabelSelector::new(&[("app", value)]), invalid);
        }
        assert_eq!(LabelSelector::new(&[]), Err(InvalidSelector::Empty));
        assert_eq!(
            LabelSelector::new(&[("a", "1"), ("a", "2")]),
            Err(InvalidSelector::Twice("a".to_owned()))
        );
        for key in ["app", "app.kubernetes.io/name", "A_b.C-d", "x/y", &long[1..]] {
            assert!(LabelSelector::new(&[(key, "v1.2_3-x")]).is_ok(), "{key}");
        }
    }

    #[test]
    fn the_order_of_labels_does_not_matter_and_the_later_of_two_counts() {
        let forth = labels(&[("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(forth, labels(&[("b", "2"), ("a", "3")]));
        assert_eq!(forth.len(), 2);
    }

    #[test]
    fn a_label_has_the_value_of_its_whole_key() {
        let labels = labels(&[("role", "a=b"), ("role-x", "c"), ("empty", "")]);
        for (key, value) in [
            ("role", Some("a=b")),
            ("role-x", Some("c")),
            ("empty", Some("")),
            ("rol", None),
        ] {
            assert_eq!(labels.value(key), value, "{key}");
        }
    }

    #[test]
    fn a_pool_keeps_each_set_once_and_lets_go_of_what_nobody_holds() {
        let mut pool = LabelPool::default();
        let first = pool.share(&labels(&[("app", "cart"), ("hash", "1")]));
        let again = pool.share(&labels(&[("hash", "1"), ("app", "cart")]));
        assert!(Arc::ptr_eq(&first.0, &again.0));
        let second = pool.share(&labels(&[("app", "cart"), ("hash", "2")]));
        assert!(
            second
                .0
                .iter()
                .zip(first.0.iter())
                .any(|(one, other)| Arc::ptr_eq(one, other))
        );
        drop((first, again));
        pool.forget_unused();
        assert_eq!((pool.len(), pool.texts.len()), (1, 2));
        drop(second);
        pool.forget_unused();
        assert!(pool.is_empty() && pool.texts.is_empty());
    }
}
