//! Whether the cluster knows our kinds, where objects of it are policies or data sets, and as this program does.

use super::finding::Finding;
use crate::custom_resources::Defined;
use crate::policy::{CustomKind, definition_digest};

/// What mends either.
const FIX: &str = "apply the definitions of this program: `kubectl apply --server-side -k deploy/crds`, or what `domicile schema --of \
     custom-resources` prints";

/// The findings about the kinds whose objects count.
pub(super) fn check(kinds: &[(CustomKind, Defined)]) -> Vec<Finding> {
    let named = |holds: fn(&CustomKind, &Defined) -> bool| {
        let kinds = kinds.iter().filter(|(kind, defined)| holds(kind, defined));
        let kinds: Vec<String> = kinds.map(|(kind, _)| format!("`{}`", kind.kind)).collect();
        (!kinds.is_empty()).then(|| kinds.join(", "))
    };
    let missing = named(|_, defined| !matches!(defined, Defined::As(_))).map(|kinds| {
        let sentence = format!(
            "objects of the cluster are to count, and it knows no {kinds}: at a first start nothing decides and governed \
             pods wait, later the last good set does"
        );
        Finding::error("D27", "", sentence, FIX)
    });
    let other = named(|kind, defined| {
        matches!(defined, Defined::As(digest) if digest.as_deref() != definition_digest(kind.kind).as_deref())
    })
    .map(|kinds| {
        let sentence = format!(
            "the cluster knows {kinds} by definitions of another version of this program, so it may refuse or drop what \
             policies say"
        );
        Finding::warning("D28", "", sentence, FIX)
    });
    missing.into_iter().chain(other).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{CUSTOM_KINDS, DEFINITION_ANNOTATION, custom_resource_definition};

    /// The definition of a kind as an API server has it once it is applied.
    fn applied(kind: CustomKind) -> serde_json::Value {
        let mut definition = custom_resource_definition(kind.kind).expect("a definition");
        definition["status"] = json!({"conditions": [
            {"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"},
        ]});
        definition
    }

    #[test]
    fn definitions_of_this_program_are_no_finding() {
        let kinds = CUSTOM_KINDS.map(|kind| (kind, Defined::of(&applied(kind))));
        assert_eq!(check(&kinds), []);
        assert_eq!(check(&[]), [], "where files alone rule nobody needs any");
    }

    #[test]
    fn what_is_missing_not_served_or_of_another_version_is_told_by_its_kinds() {
        let [first, second, third, fourth, ..] = CUSTOM_KINDS;
        let mut old = applied(second);
        old["metadata"]["annotations"][DEFINITION_ANNOTATION] = json!("0123456789abcdef");
        let mut going = applied(third);
        going["metadata"]["deletionTimestamp"] = json!("2026-11-22T00:00:00Z");
        let mut unmarked = applied(fourth);
        unmarked["metadata"]["annotations"].take();
        let kinds = [
            (first, Defined::Missing),
            (second, Defined::of(&old)),
            (third, Defined::of(&going)),
            (fourth, Defined::of(&unmarked)),
        ];
        let found = check(&kinds);
        let told: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {}", finding.level.word(), finding.code))
            .collect();
        assert_eq!(told, ["error D27", "warning D28"]);
        let names = |finding: &Finding, kinds: [CustomKind; 2]| {
            let names = kinds.map(|kind| format!("`{}`", kind.kind)).join(", ");
            assert!(finding.sentence.contains(&names), "{finding}");
            assert!(finding.fix.contains("kubectl apply --server-side -k deploy/crds"));
        };
        names(&found[0], [first, third]);
        names(&found[1], [second, fourth]);
    }
}
