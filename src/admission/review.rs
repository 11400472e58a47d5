//! The wire of `admission.k8s.io/v1`: the review that an API server sends, and the one that answers it.
//!
//! Inputs: the bytes of a body; what was decided. Outputs: what a decision needs of the review; bytes. Invariants: names
//! are Go's; text borrows from the body; the object is passed over unread until somebody asks for it, for most reviews
//! of other operations need none of it. Source: `staging/src/k8s.io/api/admission/v1/types.go` of Kubernetes 1.36.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::patch::Operation;
use crate::model::NamespaceName;
use crate::objects::{Object, ObjectError, Text, quoted};

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// What is no review.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReview {
    /// The body is no JSON of that shape.
    #[error("the body is no AdmissionReview: {0}")]
    Syntax(String),
    /// It is a review of another version, or none.
    #[error(
        "the body is {0} and not `admission.k8s.io/v1 AdmissionReview`; write `admissionReviewVersions: [v1]`"
    )]
    Version(String),
    /// A field that no review is without.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The pod in it cannot be read.
    #[error("the pod in the AdmissionReview cannot be read: {0}")]
    Pod(#[from] ObjectError),
}

impl BadReview {
    /// The word for metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) | Self::Version(_) | Self::Missing(_) => "malformed-review",
            Self::Pod(_) => "malformed-pod",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReviewView<'a> {
    #[serde(borrow)]
    api_version: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    request: Option<Object<RequestView<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RequestView<'a> {
    #[serde(borrow)]
    uid: Text<'a>,
    #[serde(borrow)]
    resource: Object<ResourceView<'a>>,
    #[serde(borrow)]
    sub_resource: Text<'a>,
    #[serde(borrow)]
    namespace: Text<'a>,
    #[serde(borrow)]
    operation: Text<'a>,
    #[serde(borrow)]
    user_info: Object<UserView<'a>>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourceView<'a> {
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    resource: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserView<'a> {
    #[serde(borrow)]
    username: Text<'a>,
}

/// What a decision needs of a review.
#[derive(Debug)]
pub struct Review<'a> {
    uid: Text<'a>,
    user: Text<'a>,
    namespace: Text<'a>,
    /// The object, where it is a pod that is created.
    pod: Option<&'a RawValue>,
}

impl<'a> Review<'a> {
    /// What the answer is about.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Who submits.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The JSON of the pod that is created, and its namespace; `None` for everything else.
    ///
    /// # Errors
    /// Where the namespace is missing or invalid.
    pub fn created_pod(&self) -> Result<Option<(&'a str, NamespaceName)>, BadReview> {
        let Some(pod) = self.pod else {
            return Ok(None);
        };
        if self.namespace.is_empty() {
            return Err(BadReview::Missing("request.namespace"));
        }
        let namespace = NamespaceName::new(&self.namespace).map_err(|error| ObjectError::Name {
            field: "request.namespace",
            error,
        })?;
        Ok(Some((pod.get(), namespace)))
    }
}

/// Reads a review.
///
/// # Errors
/// Where the body is none, or one without what it must have.
pub fn read_review(body: &[u8]) -> Result<Review<'_>, BadReview> {
    let view: Object<ReviewView<'_>> =
        serde_json::from_slice(body).map_err(|error| BadReview::Syntax(error.to_string()))?;
    let Object(view) = view;
    if *view.api_version != *API_VERSION || *view.kind != *KIND {
        let said = format!("{} {}", &*view.api_version, &*view.kind);
        return Err(BadReview::Version(quoted(said.trim())));
    }
    let Some(Object(request)) = view.request else {
        return Err(BadReview::Missing("request"));
    };
    if request.uid.is_empty() {
        return Err(BadReview::Missing("request.uid"));
    }
    let is_pod = request.resource.group.is_empty() && *request.resource.resource == *"pods";
    let is_created = is_pod && request.sub_resource.is_empty() && *request.operation == *"CREATE";
    if is_created && request.object.is_none() {
        return Err(BadReview::Missing("request.object"));
    }
    Ok(Review {
        uid: request.uid,
        user: request.user_info.0.username,
        namespace: request.namespace,
        pod: request.object.filter(|_| is_created),
    })
}

/// What is answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reply<'a> {
    /// Why the object is rejected; it is admitted where there is nothing.
    pub rejection: Option<&'a str>,
    /// The changes to it.
    pub operations: &'a [Operation],
    /// What its author is told.
    pub warnings: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenReview<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: WrittenResponse<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenResponse<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<WrittenStatus<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    /// Go writes bytes as base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct WrittenStatus<'a> {
    code: u16,
    reason: &'static str,
    message: &'a str,
}

/// Writes the answer to a review.
#[must_use]
pub fn write_reply(uid: &str, reply: Reply<'_>) -> Vec<u8> {
    let changes = (!reply.operations.is_empty()).then_some(reply.operations);
    // Strings and maps of strings can always be written.
    let patch = changes.and_then(|operations| serde_json::to_vec(operations).ok());
    let written = WrittenReview {
        api_version: API_VERSION,
        kind: KIND,
        response: WrittenResponse {
            uid,
            allowed: reply.rejection.is_none(),
            status: reply.rejection.map(|message| WrittenStatus {
                code: 403,
                reason: "Forbidden",
                message,
            }),
            patch_type: patch.is_some().then_some("JSONPatch"),
            patch: patch.map(|patch| STANDARD.encode(patch)),
            warnings: reply.warnings,
        },
    };
    serde_json::to_vec(&written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(request: &str) -> String {
        format!(r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{request}}}"#)
    }

    const POD: &str = r#""resource":{"group":"","version":"v1","resource":"pods"}"#;

    #[test]
    fn a_review_as_an_api_server_sends_it_is_read() {
        let body = review(&format!(
            r#"{{"uid":"u-1","kind":{{"group":"","version":"v1","kind":"Pod"}},{POD},"requestKind":null,
               "namespace":"shop","operation":"CREATE","userInfo":{{"username":"system:node:n1","groups":["g"]}},
               "object":{{"metadata":{{"generateName":"web-"}}}},"oldObject":null,"dryRun":true,
               "options":{{"kind":"CreateOptions"}}}}"#
        ));
        let read = read_review(body.as_bytes()).expect("a review");
        assert_eq!((read.uid(), read.user()), ("u-1", "system:node:n1"));
        let (pod, namespace) = read.created_pod().expect("a good review").expect("a pod");
        assert_eq!(
            (pod, namespace.as_str()),
            (r#"{"metadata":{"generateName":"web-"}}"#, "shop")
        );
    }

    #[test]
    fn what_is_no_pod_that_is_created_is_passed_over() {
        for request in [
            format!(r#"{{"uid":"u",{POD},"operation":"UPDATE","object":{{"spec":[]}}}}"#),
            format!(r#"{{"uid":"u",{POD},"operation":"DELETE","object":null}}"#),
            format!(r#"{{"uid":"u",{POD},"subResource":"binding","operation":"CREATE","object":{{}}}}"#),
            r#"{"uid":"u","resource":{"group":"apps","resource":"deployments"},"operation":"CREATE","object":{}}"#
                .to_owned(),
            r#"{"uid":"u","resource":{"group":"metrics.k8s.io","resource":"pods"},"operation":"CREATE","object":{}}"#
                .to_owned(),
        ] {
            let body = review(&request);
            let read = read_review(body.as_bytes()).expect(&body);
            assert_eq!(read.created_pod().expect(&body), None, "{body}");
        }
    }

    #[test]
    fn what_is_no_review_is_told() {
        for (body, sentence) in [
            ("", "the body is no AdmissionReview: EOF while parsing"),
            (
                "[]",
                "the body is no AdmissionReview: invalid type: sequence, expected an object",
            ),
            (
                "{}",
                "the body is `` and not `admission.k8s.io/v1 AdmissionReview`",
            ),
            (
                r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u"}}"#,
                "the body is `admission.k8s.io/v1beta1 AdmissionReview` and not",
            ),
            (&review("null"), "`request` is missing"),
            (&review("{}"), "`request.uid` is missing"),
            (
                &review(r#"{"uid":1}"#),
                "invalid type: integer `1`, expected a string",
            ),
            (
                &review(&format!(r#"{{"uid":"u",{POD},"operation":"CREATE"}}"#)),
                "`request.object` is missing",
            ),
        ] {
            let error = read_review(body.as_bytes()).expect_err(body);
            assert!(error.to_string().contains(sentence), "{body}: {error}");
            assert_eq!(error.code(), "malformed-review");
        }
        let nowhere = review(&format!(
            r#"{{"uid":"u",{POD},"operation":"CREATE","object":{{}}}}"#
        ));
        let read = read_review(nowhere.as_bytes()).expect("a review");
        assert_eq!(read.created_pod(), Err(BadReview::Missing("request.namespace")));
        let invalid = review(&format!(
            r#"{{"uid":"u",{POD},"operation":"CREATE","namespace":"a b","object":{{}}}}"#
        ));
        let error = read_review(invalid.as_bytes())
            .expect("a review")
            .created_pod()
            .expect_err("no name");
        assert_eq!(error.code(), "malformed-pod");
    }

    #[test]
    fn answers_are_written_as_go_reads_them() {
        let remove = Operation::Remove {
            path: "/a".to_owned(),
        };
        let patch = STANDARD.encode(r#"[{"op":"remove","path":"/a"}]"#);
        let warnings = ["one".to_owned()];
        for (reply, written) in [
            (Reply::default(), r#"{"uid":"u","allowed":true}"#.to_owned()),
            (
                Reply {
                    operations: std::slice::from_ref(&remove),
                    warnings: &warnings,
                    ..Reply::default()
                },
                format!(
                    r#"{{"uid":"u","allowed":true,"patchType":"JSONPatch","patch":"{patch}","warnings":["one"]}}"#
                ),
            ),
            (
                Reply {
                    rejection: Some("no"),
                    ..Reply::default()
                },
                r#"{"uid":"u","allowed":false,"status":{"code":403,"reason":"Forbidden","message":"no"}}"#
                    .to_owned(),
            ),
        ] {
            let told = String::from_utf8(write_reply("u", reply)).expect("text");
            let expected = format!(
                r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{written}}}"#
            );
            assert_eq!(told, expected);
        }
    }
}
