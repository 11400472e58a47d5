//! Objects of our own kinds, listed once.

use kube::Client;
use kube::api::{Api, ListParams};

use super::super::raw_object::RawObject;
use super::follow::resource_of;
use crate::custom_resources::CustomResource;
use crate::policy::CUSTOM_KINDS;

/// Lists the objects of every kind of ours.
///
/// # Errors
/// Where the API server cannot be asked, does not know a kind, or may not tell.
pub async fn list_custom_resources(client: &Client) -> Result<Vec<CustomResource>, kube::Error> {
    let mut objects = Vec::new();
    for kind in CUSTOM_KINDS {
        let api: Api<RawObject> = Api::all_with(client.clone(), &resource_of(kind));
        for object in api.list(&ListParams::default()).await?.items {
            let json = serde_json::from_slice(object.json()).map_err(kube::Error::SerdeError)?;
            objects.extend(CustomResource::from_json(kind, &json));
        }
    }
    Ok(objects)
}
