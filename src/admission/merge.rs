//! Our terms into those that a pod has: every term of the pod gains what it does not say already.
//!
//! Inputs: the terms of the pod, in order; ours. Output: the terms of the merged pod, each as a term of the pod and
//! what is added to it, so that whatever else stands in a term stays as it was written. Invariants: a node that the
//! merged terms admit is admitted by those of the pod and by ours; the other way round too; a term that matches no
//! node is left alone, for any expression would make it match some; merging again adds nothing.

use super::term::{Expression, OwnTerm, Term};

/// A term of the merged pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTerm<'t> {
    /// Which term of the pod it was made of; `None` where the pod had none at all.
    pub own: Option<usize>,
    /// What it gains, in the order of our term.
    pub added: Vec<&'t Expression>,
}

impl MergedTerm<'_> {
    fn is_unchanged(&self, number: usize) -> bool {
        self.own == Some(number) && self.added.is_empty()
    }
}

/// Merges terms. `None` is a pod without required node affinity, which admits every node; a list without terms admits
/// none. Without a term of ours no node is admitted.
#[must_use]
pub fn merge<'t>(own: Option<&[OwnTerm]>, ours: &'t [Term]) -> Vec<MergedTerm<'t>> {
    let Some(own) = own else {
        let all = ours.iter().map(|term| MergedTerm {
            own: None,
            added: term.expressions.iter().collect(),
        });
        return all.collect();
    };
    let of_each = own.iter().enumerate();
    of_each
        .flat_map(|(number, term)| of_term(number, term, ours))
        .collect()
}

/// Whether merged terms are those that the pod has.
#[must_use]
pub fn adds_nothing(own: &[OwnTerm], merged: &[MergedTerm<'_>]) -> bool {
    own.len() == merged.len()
        && merged
            .iter()
            .enumerate()
            .all(|(number, term)| term.is_unchanged(number))
}

/// One term of the pod with each of ours.
fn of_term<'t>(number: usize, own: &OwnTerm, ours: &'t [Term]) -> Vec<MergedTerm<'t>> {
    let with = |added: Vec<&'t Expression>| MergedTerm {
        own: Some(number),
        added,
    };
    if own.is_empty {
        return vec![with(Vec::new())];
    }
    let says = |wanted: &Expression| own.expressions.iter().any(|said| said.implies(wanted));
    let mut combined: Vec<(MergedTerm<'t>, bool)> = Vec::new();
    for term in ours {
        let added: Vec<&Expression> = term.expressions.iter().filter(|wanted| !says(wanted)).collect();
        if added.is_empty() {
            // It admits no more than this one of ours, so the others make no difference.
            return vec![with(Vec::new())];
        }
        let contradicted = |wanted: &&Expression| own.expressions.iter().any(|said| said.contradicts(wanted));
        let matches_none = added.iter().any(contradicted);
        combined.push((with(added), matches_none));
    }
    // What can match no node says nothing beside what can; alone it shows why the pod waits.
    let some_match = combined.iter().any(|(_, matches_none)| !matches_none);
    let kept = combined.into_iter().enumerate();
    let kept = kept.filter(|(position, (_, matches_none))| match some_match {
        true => !matches_none,
        false => *position == 0,
    });
    kept.map(|(_, (term, _))| term).collect()
}

#[cfg(test)]
mod tests {
    use super::super::term::Operator::{self, Exists, In, NotIn};
    use super::*;

    fn expression(key: &str, operator: Operator, values: &[&str]) -> Expression {
        Expression::new(key, operator, values.iter().copied())
    }

    fn region(values: &[&str]) -> Expression {
        expression("region", In, values)
    }

    fn own(expressions: &[Expression]) -> OwnTerm {
        OwnTerm {
            expressions: expressions.to_vec(),
            is_empty: expressions.is_empty(),
        }
    }

    fn ours(terms: &[&[Expression]]) -> Vec<Term> {
        let terms = terms.iter().map(|expressions| Term {
            expressions: expressions.to_vec(),
        });
        terms.collect()
    }

    /// The terms as a pod has them after the merge.
    fn applied(before: &[OwnTerm], merged: &[MergedTerm<'_>]) -> Vec<OwnTerm> {
        let terms = merged.iter().map(|term| {
            let mut applied = term.own.map(|number| before[number].clone()).unwrap_or_default();
            applied
                .expressions
                .extend(term.added.iter().map(|added| (*added).clone()));
            applied
        });
        terms.collect()
    }

    /// Merges, and checks that merging again adds nothing.
    fn merged(before: Option<&[OwnTerm]>, ours: &[Term]) -> Vec<OwnTerm> {
        let terms = merge(before, ours);
        let after = applied(before.unwrap_or_default(), &terms);
        assert!(adds_nothing(&after, &merge(Some(&after), ours)), "{after:?}");
        after
    }

    #[test]
    fn every_term_of_the_pod_gains_what_it_does_not_say() {
        let disk = expression("disk", Exists, &[]);
        let eu = ours(&[&[region(&["de", "fr"])]]);
        for (before, after) in [
            (
                vec![own(std::slice::from_ref(&disk))],
                vec![own(&[disk.clone(), region(&["de", "fr"])])],
            ),
            // What it says is narrower already.
            (vec![own(&[region(&["de"])])], vec![own(&[region(&["de"])])]),
            // What it says is wider, or other: both must hold.
            (
                vec![own(&[region(&["de", "us"])]), own(std::slice::from_ref(&disk))],
                vec![
                    own(&[region(&["de", "us"]), region(&["de", "fr"])]),
                    own(&[disk.clone(), region(&["de", "fr"])]),
                ],
            ),
            // A term that matches no node stays one.
            (vec![own(&[])], vec![own(&[])]),
            (
                vec![own(&[]), own(std::slice::from_ref(&disk))],
                vec![own(&[]), own(&[disk.clone(), region(&["de", "fr"])])],
            ),
            (vec![], vec![]),
            // Nothing is left, and it shows.
            (
                vec![own(&[region(&["us"])])],
                vec![own(&[region(&["us"]), region(&["de", "fr"])])],
            ),
        ] {
            assert_eq!(merged(Some(&before), &eu), after, "{before:?}");
        }
        assert_eq!(
            merged(None, &eu),
            [OwnTerm {
                expressions: vec![region(&["de", "fr"])],
                is_empty: false
            }]
        );
    }

    #[test]
    fn several_terms_of_ours_multiply_but_for_what_can_match_no_node() {
        let not_aws = expression("provider", NotIn, &["aws"]);
        let disk = expression("disk", Exists, &[]);
        let two = ours(&[&[region(&["de", "fr"])], &[region(&["west"]), not_aws.clone()]]);
        let before = [own(std::slice::from_ref(&disk)), own(&[region(&["west", "us"])])];
        let after = [
            own(&[disk.clone(), region(&["de", "fr"])]),
            own(&[disk, region(&["west"]), not_aws.clone()]),
            own(&[region(&["west", "us"]), region(&["west"]), not_aws]),
        ];
        assert_eq!(merged(Some(&before), &two), after);
        // Where every combination is empty, the first stays.
        let elsewhere = [own(&[region(&["us"])])];
        let after = [own(&[region(&["us"]), region(&["de", "fr"])])];
        assert_eq!(merged(Some(&elsewhere), &two), after);
    }

    #[test]
    fn fields_make_a_term_that_is_not_empty() {
        let of_daemon = OwnTerm {
            expressions: Vec::new(),
            is_empty: false,
        };
        let eu = ours(&[&[region(&["de"])]]);
        let after = merged(Some(&[of_daemon]), &eu);
        assert_eq!(after[0].expressions, [region(&["de"])]);
    }

    #[test]
    fn without_a_term_of_ours_no_node_is_left() {
        assert!(merge(None, &[]).is_empty());
        assert!(merge(Some(&[own(&[region(&["de"])])]), &[]).is_empty());
    }
}
