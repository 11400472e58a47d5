//! Responses that say one sentence to a person.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;

/// A response of plain text that ends its line.
pub(super) fn sentence(status: StatusCode, text: impl Into<String>) -> HttpResponse {
    let mut text = text.into();
    text.push('\n');
    HttpResponse::build(status)
        .content_type(ContentType::plaintext())
        .body(text)
}
