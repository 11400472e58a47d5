//! The definitions of our kinds, asked for once.

use kube::Client;
use kube::api::{Api, ApiResource};

use super::super::raw_object::RawObject;
use crate::custom_resources::Defined;
use crate::policy::{CustomKind, GROUP};

/// What the cluster has of the definitions of these kinds.
///
/// # Errors
/// Where the API server cannot be asked, or may not tell.
pub async fn defined_kinds(
    client: &Client,
    kinds: &[CustomKind],
) -> Result<Vec<(CustomKind, Defined)>, kube::Error> {
    let definitions = ApiResource {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
    };
    let api: Api<RawObject> = Api::all_with(client.clone(), &definitions);
    let mut defined = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let found = api.get_opt(&format!("{}.{GROUP}", kind.plural)).await?;
        let is = match found {
            Some(object) => {
                let json = serde_json::from_slice(object.json()).map_err(kube::Error::SerdeError)?;
                Defined::of(&json)
            }
            None => Defined::Missing,
        };
        defined.push((*kind, is));
    }
    Ok(defined)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::{Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::CUSTOM_KINDS;

    /// An API server that has the definition of one kind, and may not be asked about another.
    fn client() -> Client {
        let service = tower::service_fn(|request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let (status, body): (StatusCode, Value) = match path.rsplit('/').next().unwrap_or_default() {
                "regions.domicile.dev" => (
                    StatusCode::OK,
                    json!({
                        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                        "metadata": {"name": "regions.domicile.dev", "annotations": {"domicile.dev/definition": "x"}},
                        "status": {"conditions": [{"type": "Established", "status": "True"}]},
                    }),
                ),
                "datasets.domicile.dev" => (
                    StatusCode::FORBIDDEN,
                    json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "message": "no", "code": 403}),
                ),
                _ => (
                    StatusCode::NOT_FOUND,
                    json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "message": "no", "code": 404}),
                ),
            };
            assert!(
                path.starts_with("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"),
                "{path}"
            );
            let mut response = Response::new(Body::from(body.to_string().into_bytes()));
            *response.status_mut() = status;
            std::future::ready(Ok::<_, Infallible>(response))
        });
        Client::new(service, "default")
    }

    fn kind(name: &str) -> CustomKind {
        let mut kinds = CUSTOM_KINDS.into_iter();
        kinds.find(|kind| kind.kind == name).expect("a kind")
    }

    #[tokio::test]
    async fn each_kind_is_asked_for_and_one_that_is_not_there_is_no_error() {
        let (region, policy) = (kind("Region"), kind("PlacementPolicy"));
        let defined = defined_kinds(&client(), &[region, policy])
            .await
            .expect("an answer");
        let expected = [
            (region, Defined::As(Some("x".to_owned()))),
            (policy, Defined::Missing),
        ];
        assert_eq!(defined, expected);
        assert!(defined_kinds(&client(), &[kind("DataSet")]).await.is_err());
    }
}
